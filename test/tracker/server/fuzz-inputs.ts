/** Packets and requests that nobody should send, and those that are nearly right. @module */

import { concatBytes, encodeUtf8 } from '../../../src/base/bytes.ts';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import { InvariantError } from '../../../src/base/errors.ts';
import type { HttpIncoming } from '../../../src/runtime/ports.ts';
import type { SeededRandom } from '../../../src/runtime/sim/index.ts';
import { announceTarget, scrapeTarget } from './desk.ts';
import { announcePacket, connectPacket, scrapePacket } from './udp-desk.ts';

/** One datagram. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

/** Shown by some, where members have passkeys. */
export const PASSKEY = '0123456789abcdef';

/** Hosts of senders; some are no addresses, which no socket should give. */
const SENDERS: readonly string[] = [
  ...Array.from({ length: 40 }, (_, at) => `8.8.${at & 3}.${at + 1}`),
  ...Array.from({ length: 20 }, (_, at) => `2001:db8:${at & 3}::${at + 1}`),
  ...['127.0.0.1', '::1', '10.0.0.1', '10.0.0.2', '0.0.0.0', '255.255.255.255'],
  ...['::ffff:9.9.9.9', 'fe80::1%eth0', '::', '1.2.3', '1.2.3.4.5', '', 'localhost', 'ff02::1'],
];
const PORTS = [0, 1, 1024, 6881, 50_000, 65_535];
const BYTES = [0, 1, 0x7f, 0x80, 0xff];
const WORDS = [0, 1, 2, 3, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function pick<Item>(random: SeededRandom, items: readonly Item[]): Item {
  for (const item of items.slice(random.below(items.length))) return item;
  throw new InvariantError('there is something to pick from');
}

function senderOf(random: SeededRandom): Endpoint {
  return { host: pick(random, SENDERS), port: pick(random, PORTS) };
}

/** Cheaper than one draw a byte. */
function noise(random: SeededRandom, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let at = 0; at < words.length; at++) words[at] = random.uint32();
  return new Uint8Array(words.buffer, 0, length);
}

/** A few changes: bits, bytes, words, and parts that are cut out, doubled or added. */
function spoil(random: SeededRandom, packet: Uint8Array): Uint8Array {
  let bytes = packet;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(24);
    switch (random.below(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = pick(random, BYTES);
        break;
      case 2:
        if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, pick(random, WORDS));
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes = Uint8Array.of(...bytes, ...noise(random, length));
        break;
      case 5:
        bytes = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
        break;
      default:
        bytes = Uint8Array.of(...bytes.subarray(0, at + length), ...bytes.subarray(at));
    }
  }
  return bytes;
}

/** Datagrams of a few senders, who have connection ids when they asked for one. */
export class FuzzPackets {
  readonly #random: SeededRandom;
  readonly #ids = new Map<string, Uint8Array>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): Packet {
    const random = this.#random;
    const from = senderOf(random);
    return { bytes: this.#bytes(this.#ids.get(from.host) ?? noise(random, 8)), from };
  }

  /** Whether the packet shows the connection id that its sender got last. */
  isKnown({ bytes, from }: Packet): boolean {
    const id = this.#ids.get(from.host);
    return id?.every((byte, at) => bytes[at] === byte) === true;
  }

  /** The sender has got a connection id. */
  connected({ from }: Packet, answer: Uint8Array): void {
    this.#ids.set(from.host, answer.slice(8, 16));
  }

  #bytes(id: Uint8Array): Uint8Array {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 3) return noise(random, random.below(random.chance(0.1) ? 3000 : 130));
    if (kind < 5) {
      const bytes = noise(random, 16 + random.below(200));
      bytes.set(id);
      new DataView(bytes.buffer).setUint32(8, random.below(5));
      return bytes;
    }
    const right = this.#right(id);
    return kind < 15 ? spoil(random, right) : right;
  }

  /** What an honest client would send. */
  #right(id: Uint8Array): Uint8Array {
    const random = this.#random;
    const kind = random.below(10);
    if (kind < 2) return connectPacket();
    if (kind < 4) {
      const count = random.below(random.chance(0.1) ? 80 : 5);
      return scrapePacket(
        id,
        Array.from({ length: count }, () => hashOf(random)),
      );
    }
    return announcePacket(id, {
      infoHash: hashOf(random),
      peerId: noise(random, 20),
      left: BigInt(random.below(3)),
      event: random.below(5),
      ip: random.chance(0.8) ? new Uint8Array(4) : noise(random, 4),
      numWant: random.below(300) - 2,
      port: random.below(65_536),
      options: optionsOf(random),
    });
  }
}

/** BEP 41: none, those of a member, or anything. */
function optionsOf(random: SeededRandom): Uint8Array {
  const kind = random.below(10);
  if (kind < 4) return new Uint8Array(0);
  return kind < 8 ? MEMBER_OPTIONS : noise(random, random.below(40));
}

/** Requests of the same senders. */
export class FuzzRequests {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): HttpIncoming {
    const random = this.#random;
    const target = random.chance(0.1) ? this.#text(random.below(400)) : this.#target();
    return {
      method: pick(random, METHODS),
      target: random.chance(0.6) ? this.#spoilt(target) : target,
      headers: random.chance(0.3) ? this.#headers() : {},
      from: senderOf(random),
    };
  }

  #target(): string {
    const random = this.#random;
    const kind = random.below(10);
    if (kind === 0) return pick(random, PATHS);
    const prefix = pick(random, PREFIXES);
    if (kind < 3) {
      const count = random.below(random.chance(0.1) ? 210 : 4);
      return prefix + scrapeTarget(...Array.from({ length: count }, () => hashOf(random)));
    }
    return announceTarget(
      {
        info_hash: hashOf(random),
        peer_id: noise(random, 20),
        port: random.below(70_000),
        left: random.below(3),
        compact: random.below(2),
        event: pick(random, EVENTS),
        numwant: random.chance(0.5) ? undefined : random.below(500) - 100,
        no_peer_id: random.chance(0.8) ? undefined : 1,
        passkey: random.chance(0.9) ? undefined : this.#text(random.below(60)),
        ip: random.chance(0.7) ? undefined : pick(random, ADDRESSES),
        ipv4: random.chance(0.9) ? undefined : pick(random, ADDRESSES),
        ipv6: random.chance(0.8) ? undefined : pick(random, ADDRESSES),
      },
      `${prefix}/announce`,
    );
  }

  #spoilt(target: string): string {
    const random = this.#random;
    let text = target;
    for (let times = 1 + random.below(3); times > 0; times--) {
      const at = random.below(text.length + 1);
      const length = random.below(30);
      const [before, after] = [text.slice(0, at), text.slice(at)];
      switch (random.below(5)) {
        case 0:
          text = before + this.#text(1 + random.below(3)) + after.slice(1);
          break;
        case 1:
          text = before + this.#text(random.below(random.chance(0.02) ? 16_000 : 20)) + after;
          break;
        case 2:
          text = before;
          break;
        case 3:
          text = before + after.slice(length);
          break;
        default:
          text = text.slice(0, at + length) + after;
      }
    }
    return text;
  }

  #headers(): Record<string, string | undefined> {
    const random = this.#random;
    const list = Array.from({ length: random.below(random.chance(0.05) ? 400 : 4) }, () =>
      random.chance(0.8) ? pick(random, ADDRESSES) : this.#text(random.below(40)),
    );
    return {
      [pick(random, HEADERS)]: list.join(', '),
      [pick(random, HEADERS)]: this.#text(random.below(100)),
    };
  }

  #text(length: number): string {
    const random = this.#random;
    let text = '';
    while (text.length < length) {
      text += random.chance(0.5) ? pick(random, PIECES) : String.fromCharCode(random.below(0x180));
    }
    return text.slice(0, length);
  }
}

/** A few that are met again and again, and some that nobody knows. */
function hashOf(random: SeededRandom): Uint8Array {
  if (random.chance(0.3)) return noise(random, 20);
  const hash = new Uint8Array(20);
  hash.fill(random.below(30) * random.below(10));
  return hash;
}

const MEMBER = `/${PASSKEY}`;
const MEMBER_URL: Uint8Array = encodeUtf8(`${MEMBER}/announce`);
export const MEMBER_OPTIONS: Uint8Array = concatBytes(
  Uint8Array.of(2, MEMBER_URL.length),
  MEMBER_URL,
);
const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'get', '', 'PROPFIND'];
const PREFIXES = ['', '', '', MEMBER, MEMBER, '//', '/a/b', '/%00', '/__proto__'];
const PATHS = ['', '/', '?', '/announce', '/scrape', '/stats', '/metrics', '/favicon.ico', '*'];
const EVENTS = ['', 'started', 'completed', 'stopped', 'paused', '__proto__', undefined];
const ADDRESSES = [
  ...['1.2.3.4', '10.0.0.1', '2001:db8::7', '[2001:db8::7]:99', '1.2.3.4:70000', '0.0.0.0', '::'],
  ...['::ffff:8.8.8.8', '[::1', 'example.com', '999.1.1.1', '1.2.3.4:5', 'fe80::1%25eth0', ''],
];
const HEADERS = ['x-forwarded-for', 'x-forwarded-for', 'host', 'forwarded', '__proto__', ''];
const PIECES = [
  ...['%', '%0', '%zz', '%00', '%ff', '&', '=', '?', '/', '+', '#', ',', ' ', '\0', '&&', '&=&'],
  ...['info_hash=', 'peer_id=', 'port=', 'left=', 'ip=', 'numwant=-1', 'passkey=', 'constructor='],
];
