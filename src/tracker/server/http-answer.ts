/**
 * Answers over HTTP, bencoded by hand into memory that is used again for the next one: announces
 * (BEP 3, 7, 23, 24), failures (BEP 3, 31) and scrapes (BEP 48).
 *
 * @module
 */

import { compareBytes, equalBytes } from '../../base/bytes.ts';
import { formatIp } from '../../base/ip.ts';
import { MAX_PEERS_IN_ANSWER, type SwarmAnswer, type SwarmCounts } from './model.ts';

/** What an answer to an announce says beside the swarm. */
export interface AnnounceFacts {
  readonly intervalSeconds: number;
  readonly minIntervalSeconds: number;
  /** BEP 24: 4 or 16 bytes. */
  readonly externalIp: Uint8Array;
  /** Strings of addresses (BEP 23), or dictionaries. */
  readonly compact: boolean;
  /** Dictionaries without the peer ids. */
  readonly noPeerId: boolean;
  readonly warning?: string;
}

/** BEP 31: after how many minutes to come again. */
export type RetryIn = number | 'never';

/** One swarm of a scrape. */
export interface ScrapedSwarm extends SwarmCounts {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
}

/** What is returned is a view that is good until the next call. */
export class HttpAnswers {
  #bytes = new Uint8Array(ROOM);
  #length = 0;

  /** Keys in their order, as BEP 3 wants. */
  announce(swarm: SwarmAnswer, facts: AnnounceFacts): Uint8Array {
    this.#length = 0;
    this.#text('d8:complete');
    this.#integer(swarm.seeders);
    this.#text('10:downloaded');
    this.#integer(swarm.completed);
    this.#text('11:external ip');
    this.#string(facts.externalIp);
    this.#text('10:incomplete');
    this.#integer(swarm.leechers);
    this.#text('8:interval');
    this.#integer(facts.intervalSeconds);
    this.#text('12:min interval');
    this.#integer(facts.minIntervalSeconds);
    if (facts.compact) this.#compactPeers(swarm);
    else this.#peerDictionaries(swarm, facts.noPeerId);
    if (facts.warning !== undefined) {
      this.#text(`15:warning message${facts.warning.length}:${facts.warning}`);
    }
    return this.#end('e');
  }

  /** `reason` is ASCII. */
  failure(reason: string, retryIn?: RetryIn): Uint8Array {
    this.#length = 0;
    this.#text(`d14:failure reason${reason.length}:${reason}`);
    if (retryIn !== undefined) {
      this.#text(retryIn === 'never' ? '8:retry in5:never' : `8:retry ini${retryIn}e`);
    }
    return this.#end('e');
  }

  /** Each swarm once, in the order of their infohashes. */
  scrape(swarms: readonly ScrapedSwarm[], minRequestIntervalSeconds: number): Uint8Array {
    this.#length = 0;
    this.#reserve(swarms.length * SCRAPED_LENGTH + ROOM);
    this.#text('d5:filesd');
    const sorted = swarms.toSorted((a, b) => compareBytes(a.infoHash, b.infoHash));
    let last: Uint8Array | undefined;
    for (const swarm of sorted) {
      if (last !== undefined && equalBytes(last, swarm.infoHash)) continue;
      last = swarm.infoHash;
      this.#string(swarm.infoHash);
      this.#text(`d8:completei${swarm.seeders}e10:downloadedi${swarm.completed}e`);
      this.#text(`10:incompletei${swarm.leechers}ee`);
    }
    return this.#end(`e5:flagsd20:min_request_intervali${minRequestIntervalSeconds}eee`);
  }

  #compactPeers({ count4, peers4, count6, peers6 }: SwarmAnswer): void {
    this.#text('5:peers');
    this.#string(peers4.subarray(0, 6 * count4));
    if (count6 === 0) return;
    this.#text('6:peers6');
    this.#string(peers6.subarray(0, 18 * count6));
  }

  #peerDictionaries(swarm: SwarmAnswer, noPeerId: boolean): void {
    this.#text('5:peersl');
    const { count4, peers4, ids4, count6, peers6, ids6 } = swarm;
    this.#list(peers4.subarray(0, 6 * count4), 6, noPeerId ? undefined : ids4);
    this.#list(peers6.subarray(0, 18 * count6), 18, noPeerId ? undefined : ids6);
    this.#text('e');
  }

  #list(peers: Uint8Array, size: number, ids: Uint8Array | undefined): void {
    for (let at = 0; at < peers.length; at += size) {
      const ip = formatIp(peers.subarray(at, at + size - 2));
      this.#text(`d2:ip${ip.length}:${ip}`);
      const index = (at / size) * 20;
      const id = ids?.subarray(index, index + 20);
      // A store that keeps no peer ids gives zeros.
      if (id?.some((byte) => byte !== 0) === true) {
        this.#text('7:peer id');
        this.#string(id);
      }
      this.#text(`4:porti${((peers[at + size - 2] ?? 0) << 8) | (peers[at + size - 1] ?? 0)}ee`);
    }
  }

  #integer(value: number): void {
    this.#text(`i${value}e`);
  }

  #string(bytes: Uint8Array): void {
    this.#text(`${bytes.length}:`);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** ASCII. */
  #text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  #end(text: string): Uint8Array {
    this.#text(text);
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
  }
}

/** Longest dictionary of a peer: IPv6 as text, peer id, port. */
const PEER_LENGTH = 110;
/** Peers of both families in dictionaries, and the rest of an answer. */
const ROOM = 2 * MAX_PEERS_IN_ANSWER * PEER_LENGTH + 4096;
/** Longest entry of a scrape: infohash and three numbers of up to 16 digits. */
const SCRAPED_LENGTH = 130;
