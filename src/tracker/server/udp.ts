/**
 * The tracker over UDP (BEP 15, with the URL data of BEP 41): a packet in, a packet out.
 *
 * Senders can be forged, so no answer is longer than its question before a sender has shown a
 * connection id. Nothing is allocated for a packet, but in private mode and with shared swarms.
 *
 * @module
 */

import { encodeUtf8 } from '../../base/bytes.ts';
import { readUint32 } from '../../base/uint32.ts';
import type { Clock } from '../../runtime/ports.ts';
import type { RateLimiter } from '../../runtime/rate-limiter.ts';
import type { ServerConnectionIds } from './connection-ids.ts';
import { COUNTER, type Counters } from './counters.ts';
import type { Refusal, SwarmCounts } from './model.ts';
import { passkeyOf } from './passkeys.ts';
import { REFUSAL_TEXT, type Tracker } from './tracker.ts';
import { ANNOUNCE_LENGTH, copyTo, UdpAnnounces } from './udp-announce.ts';
import { ACTION, HEAD_LENGTH, UdpAnswers } from './udp-answers.ts';
import { readUrlData } from './url-data.ts';

export interface UdpServerOptions {
  readonly tracker: Tracker;
  readonly connectionIds: ServerConnectionIds;
  readonly counters: Counters;
  readonly clock: Clock;
  /**
   * For senders that show no connection id. Not the tracker's own limiter: they may be forged, and
   * must not use up what the real ones are allowed.
   */
  readonly strangers?: RateLimiter;
  /** Sends what is answered later, with shared swarms; `bytes` are good during the call. */
  readonly send?: (bytes: Uint8Array, address: Uint8Array, port: number) => void;
}

export class UdpServer {
  readonly #options: UdpServerOptions;
  readonly #answers = new UdpAnswers();
  readonly #announces = new UdpAnnounces();
  readonly #infoHash = new Uint8Array(20);
  readonly #counts: SwarmCounts = { seeders: 0, leechers: 0, completed: 0 };

  constructor(options: UdpServerOptions) {
    this.#options = options;
  }

  /** Where answers are written. */
  get out(): Uint8Array {
    return this.#answers.out;
  }

  /**
   * Takes a packet of `address`, 4 or 16 bytes, and `port`. Returns how many bytes of {@link out} are
   * to be sent back; 0 for none, or none yet. Never throws, whatever the packet holds.
   */
  handle(bytes: Uint8Array, address: Uint8Array, port: number): number {
    this.#count(COUNTER.bytesIn, bytes.length);
    const length =
      bytes.length < REQUEST_HEAD_LENGTH || port === 0
        ? this.#ignore(COUNTER.badRequests)
        : this.#dispatch(bytes, address, port);
    this.#count(COUNTER.bytesOut, length);
    return length;
  }

  #dispatch(bytes: Uint8Array, address: Uint8Array, port: number): number {
    const { connectionIds, tracker } = this.#options;
    const action = readUint32(bytes, ACTION_OFFSET);
    if (action === ACTION.connect) return this.#connect(bytes, address);
    if (!connectionIds.check(bytes, 0, address, tracker.seconds)) {
      return this.#greetStranger(bytes, address);
    }
    if (action === ACTION.announce) return this.#announce(bytes, address, port);
    if (action === ACTION.scrape) return this.#scrape(bytes, address, port);
    return this.#bad(bytes, WORDS.action);
  }

  #connect(bytes: Uint8Array, address: Uint8Array): number {
    const { connectionIds, tracker } = this.#options;
    if (readUint32(bytes, 0) !== PROTOCOL_ID_HIGH || readUint32(bytes, 4) !== PROTOCOL_ID_LOW) {
      return this.#ignore(COUNTER.badRequests);
    }
    if (!this.#admitsStranger(address)) return this.#ignore(COUNTER.droppedByRate);
    this.#count(COUNTER.connects);
    connectionIds.write(this.out, 8, address, tracker.seconds);
    return this.#answers.connect(bytes);
  }

  /** Its connection id is none, or too old: it is told in words that are shorter than its packet. */
  #greetStranger(bytes: Uint8Array, address: Uint8Array): number {
    this.#count(COUNTER.badConnectionIds);
    if (!this.#admitsStranger(address)) return this.#ignore(COUNTER.droppedByRate);
    const room = bytes.length - HEAD_LENGTH;
    if (room >= WORDS.connection.length) return this.#fail(bytes, WORDS.connection);
    return room >= WORDS.connectAgain.length ? this.#fail(bytes, WORDS.connectAgain) : 0;
  }

  #announce(bytes: Uint8Array, address: Uint8Array, port: number): number {
    const { tracker } = this.#options;
    if (bytes.length < ANNOUNCE_LENGTH) return this.#bad(bytes, WORDS.announce);
    const { call } = this.#announces;
    this.#announces.read(bytes, address, tracker);
    if (call.port === 0) return this.#bad(bytes, WORDS.port);
    const passkey = tracker.access.needsPasskey
      ? passkeyOf(readUrlData(bytes, ANNOUNCE_LENGTH))
      : undefined;
    if (tracker.remote !== undefined) return this.#announceLater(bytes, passkey, { address, port });
    const answer = this.#answers.inPlace;
    const refusal = tracker.announce(call, 'same-family', passkey, answer);
    if (refusal !== undefined) return this.#refuse(bytes, refusal);
    return this.#answers.announce(bytes, answer, this.#taken(address));
  }

  #announceLater(bytes: Uint8Array, passkey: string | undefined, sender: Sender): number {
    const { tracker } = this.#options;
    const answer = tracker.announceRemote(this.#announces.call, 'same-family', passkey);
    if (typeof answer === 'string') return this.#refuse(bytes, answer);
    const facts = this.#taken(sender.address);
    return this.#later(bytes, sender, answer, (head, swarm) =>
      this.#answers.announce(head, swarm, facts),
    );
  }

  /** Counts an announce, and says what its answer has beside the swarm. */
  #taken({ length }: Uint8Array): { family: 4 | 6; intervalSeconds: number } {
    const { counters, tracker } = this.#options;
    const isFour = length === 4;
    counters.add(isFour ? COUNTER.announcesUdp4 : COUNTER.announcesUdp6);
    return { family: isFour ? 4 : 6, intervalSeconds: tracker.nextIntervalSeconds() };
  }

  #scrape(bytes: Uint8Array, address: Uint8Array, port: number): number {
    const { tracker } = this.#options;
    const asked = Math.floor((bytes.length - REQUEST_HEAD_LENGTH) / 20);
    if (asked === 0) return this.#bad(bytes, WORDS.scrape);
    // Scrapes have no options (BEP 41): private trackers cannot know who asks.
    const refusal = tracker.refusesScrape(address, undefined);
    if (refusal !== undefined) return this.#refuse(bytes, refusal);
    this.#count(COUNTER.scrapes);
    const count = Math.min(asked, MAX_SCRAPED);
    if (tracker.remote !== undefined) return this.#scrapeLater(bytes, count, { address, port });
    let length = this.#answers.scrape(bytes);
    for (let index = 0; index < count; index++) {
      copyTo(this.#infoHash, bytes, REQUEST_HEAD_LENGTH + 20 * index);
      tracker.scrape(this.#infoHash, this.#counts);
      length = this.#answers.addCounts(length, this.#counts);
    }
    return length;
  }

  #scrapeLater(bytes: Uint8Array, count: number, sender: Sender): number {
    const infoHashes = Array.from({ length: count }, (_, index) => {
      const at = REQUEST_HEAD_LENGTH + 20 * index;
      return bytes.slice(at, at + 20);
    });
    const found = this.#options.tracker.scrapeRemote(infoHashes);
    if (typeof found === 'string') return this.#refuse(bytes, found);
    return this.#later(bytes, sender, found, (head, swarms) => {
      let length = this.#answers.scrape(head);
      for (const counts of swarms) length = this.#answers.addCounts(length, counts);
      return length;
    });
  }

  /** Sends what `write` makes of an answer that comes later. Other packets are handled meanwhile. */
  #later<Answer>(
    bytes: Uint8Array,
    { address, port }: Sender,
    answer: Promise<Answer>,
    write: (head: Uint8Array, answer: Answer) => number,
  ): number {
    const head = bytes.slice(0, REQUEST_HEAD_LENGTH);
    const to = address.slice();
    void answer.then((found) => {
      const length = write(head, found);
      this.#count(COUNTER.bytesOut, length);
      this.#options.send?.(this.out.subarray(0, length), to, port);
    });
    return 0;
  }

  #admitsStranger(address: Uint8Array): boolean {
    const { strangers, clock } = this.#options;
    return strangers === undefined || strangers.allow(address, clock.now());
  }

  /** Who asks too much gets no answer that costs more. */
  #refuse(bytes: Uint8Array, refusal: Refusal): number {
    return refusal === 'rate'
      ? this.#ignore(COUNTER.droppedByRate)
      : this.#fail(bytes, REFUSAL_WORDS[refusal]);
  }

  #bad(bytes: Uint8Array, words: Uint8Array): number {
    this.#count(COUNTER.badRequests);
    return this.#fail(bytes, words);
  }

  #fail(bytes: Uint8Array, words: Uint8Array): number {
    this.#count(COUNTER.errorsSent);
    return this.#answers.fail(bytes, words);
  }

  #ignore(counter: number): 0 {
    this.#count(counter);
    return 0;
  }

  #count(counter: number, amount = 1): void {
    this.#options.counters.add(counter, amount);
  }
}

/** Where an answer that comes later goes. */
interface Sender {
  readonly address: Uint8Array;
  readonly port: number;
}

/** 0x41727101980 opens every connect request. */
const PROTOCOL_ID_HIGH = 0x417;
const PROTOCOL_ID_LOW = 0x27101980;

/** Connection id, action, transaction id; all of a connect request. */
const REQUEST_HEAD_LENGTH = 16;
const ACTION_OFFSET = 8;
/** "Up to about 74 torrents can be scraped at once." What is asked beyond is left out of the answer. */
const MAX_SCRAPED = 74;

const WORDS = {
  connection: encodeUtf8('connection id is unknown or too old, connect again'),
  /** Fits below a scrape of one swarm. */
  connectAgain: encodeUtf8('connect again'),
  announce: encodeUtf8('an announce has at least 98 bytes'),
  scrape: encodeUtf8('a scrape names at least one infohash'),
  port: encodeUtf8('port 0 cannot be reached'),
  action: encodeUtf8('unknown action'),
} as const;

const REFUSAL_WORDS: Readonly<Record<Refusal, Uint8Array>> = {
  'not-listed': encodeUtf8(REFUSAL_TEXT['not-listed']),
  'address-denied': encodeUtf8(REFUSAL_TEXT['address-denied']),
  passkey: encodeUtf8(REFUSAL_TEXT.passkey),
  full: encodeUtf8(REFUSAL_TEXT.full),
  rate: encodeUtf8(REFUSAL_TEXT.rate),
  busy: encodeUtf8(REFUSAL_TEXT.busy),
};
