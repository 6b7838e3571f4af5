/** What is said to proxies, whatever they answer and however it is cut. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../src/base/bytes.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { NetworkError } from '../../src/base/errors.ts';
import { formatIp } from '../../src/base/ip.ts';
import { HttpNegotiation } from '../../src/proxy/http-negotiation.ts';
import { parseProxyUrl } from '../../src/proxy/index.ts';
import type { Negotiation } from '../../src/proxy/negotiation.ts';
import {
  addressLength,
  decodeAddress,
  decodeUdp,
  encodeRequest,
  encodeUdpHeader,
} from '../../src/proxy/socks5/codec.ts';
import { Socks5Negotiation } from '../../src/proxy/socks5/negotiation.ts';

const OPEN = parseProxyUrl('socks5://192.0.2.1');
const CLOSED = parseProxyUrl('socks5://me:secret@192.0.2.1');
const HTTP = parseProxyUrl('http://192.0.2.1');
const TO = { host: 'tracker.example.org', port: 6969 };

const endpoints: fc.Arbitrary<Endpoint> = fc.record({
  host: fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatIp),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIp),
    fc.domain(),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
});

/** A whole talk: every part the proxy says, and what follows in the same breath. */
const socksReplies = (reply: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(5, 0), reply);
const replyOf = (bound: Endpoint): Uint8Array => {
  const request = encodeRequest('connect', bound) ?? new Uint8Array(0);
  return concatBytes(Uint8Array.of(5, 0, 0), request.subarray(3));
};

interface Talk {
  readonly sent: readonly Uint8Array[];
  readonly used: number;
  readonly bound: Endpoint | undefined | 'unfinished';
}

/** Feeds the bytes cut into pieces of `size`. */
function talk(negotiation: Negotiation, bytes: Uint8Array, size: number): Talk {
  const sent = [negotiation.begin()];
  let used = 0;
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + size);
    const step = negotiation.feed(piece);
    used += step.used;
    at += step.used;
    if (step.send !== undefined) sent.push(step.send);
    if (step.done !== undefined) return { sent, used, bound: step.done.bound };
    expect(step.used).toBeGreaterThan(0);
  }
  return { sent, used, bound: 'unfinished' };
}

describe('addresses of SOCKS5', () => {
  test('round trips', () => {
    fc.assert(
      fc.property(endpoints, (endpoint) => {
        const request = encodeRequest('connect', endpoint) ?? new Uint8Array(0);
        const address = request.subarray(3);
        expect(addressLength(address[0] ?? 0, address[1] ?? 0)).toBe(address.length);
        expect(decodeAddress(address)).toEqual(endpoint);
      }),
    );
  });

  test('a name of 255 bytes is the longest', () => {
    const name = 'x'.repeat(255);
    expect(encodeRequest('connect', { host: name, port: 1 })).toHaveLength(3 + 4 + 255);
    expect(encodeRequest('connect', { host: `${name}x`, port: 1 })).toBeUndefined();
    expect(encodeUdpHeader({ host: '', port: 1 })).toBeUndefined();
    expect(() => new Socks5Negotiation(OPEN, 'connect', { host: `${name}x`, port: 1 })).toThrow(
      'too long for a proxy',
    );
  });

  test('packets, and every prefix of their headers', () => {
    fc.assert(
      fc.property(endpoints, fc.uint8Array({ maxLength: 50 }), (from, payload) => {
        const header = encodeUdpHeader(from) ?? new Uint8Array(0);
        expect(decodeUdp(concatBytes(header, payload))).toEqual({ from, payload });
        for (let length = 0; length < header.length; length++) {
          expect(decodeUdp(header.subarray(0, length))).toBeUndefined();
        }
        const fragment = header.slice();
        fragment[2] = 1;
        expect(decodeUdp(fragment)).toBeUndefined();
      }),
    );
  });

  test('whatever comes is a packet or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const packet = decodeUdp(bytes);
        if (packet !== undefined) expect(packet.payload.length).toBeLessThan(bytes.length - 6);
      }),
    );
  });
});

describe('SOCKS5', () => {
  test('without a login, as RFC 1928 has it', () => {
    const bound = { host: '198.51.100.7', port: 4321 };
    const { sent, bound: told } = talk(
      new Socks5Negotiation(OPEN, 'connect', { host: '203.0.113.5', port: 6881 }),
      socksReplies(replyOf(bound)),
      1000,
    );
    expect(sent).toEqual([
      Uint8Array.of(5, 1, 0),
      Uint8Array.of(5, 1, 0, 1, 203, 0, 113, 5, 0x1a, 0xe1),
    ]);
    expect(told).toEqual(bound);
  });

  test('with user and password, as RFC 1929 has it', () => {
    const replies = concatBytes(Uint8Array.of(5, 2, 1, 0), replyOf(TO));
    const { sent, bound } = talk(new Socks5Negotiation(CLOSED, 'connect', TO), replies, 1000);
    expect(sent[0]).toEqual(Uint8Array.of(5, 2, 0, 2));
    expect(sent[1]).toEqual(
      concatBytes(Uint8Array.of(1, 2), encodeUtf8('me'), Uint8Array.of(6), encodeUtf8('secret')),
    );
    expect(bound).toEqual(TO);
  });

  test('never uses a byte of what follows, however it is cut', () => {
    fc.assert(
      fc.property(
        endpoints,
        fc.uint8Array({ maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        (bound, after, size) => {
          const replies = socksReplies(replyOf(bound));
          const all = concatBytes(replies, after);
          const result = talk(new Socks5Negotiation(OPEN, 'connect', TO), all, size);
          expect(result).toMatchObject({ used: replies.length, bound });
        },
      ),
    );
  });

  test('every prefix waits for more', () => {
    const replies = concatBytes(Uint8Array.of(5, 2, 1, 0), replyOf(TO));
    for (let length = 0; length < replies.length; length++) {
      const prefix = replies.subarray(0, length);
      expect(talk(new Socks5Negotiation(CLOSED, 'connect', TO), prefix, 1).bound).toBe(
        'unfinished',
      );
    }
  });

  test.each([
    [1, 'BIP_PROXY_REFUSED', 'it failed in general'],
    [2, 'BIP_PROXY_REFUSED', 'its rules do not allow it'],
    [3, 'BIP_UNREACHABLE', 'no way to this network'],
    [4, 'BIP_UNREACHABLE', 'no way to this host'],
    [5, 'BIP_REFUSED', 'the connection was refused'],
    [6, 'BIP_UNREACHABLE', 'TTL'],
    [7, 'BIP_PROXY_REFUSED', 'does not know this command'],
    [8, 'BIP_PROXY_REFUSED', 'kind of addresses'],
    [99, 'BIP_PROXY_REFUSED', 'the reply code 99'],
  ])('reply %i is a sentence', (code, name, reason) => {
    const refusal = socksReplies(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
    const error = thrownBy(() => talk(new Socks5Negotiation(OPEN, 'connect', TO), refusal, 1000));
    expect(error.code).toBe(name);
    expect(error.message).toMatch(
      /^the proxy socks5:\/\/192\.0\.2\.1:1080 did not connect to tracker\.example\.org:6969: /,
    );
    expect(error.message).toContain(reason);
  });

  test.each([
    {
      what: 'wants a login',
      proxy: OPEN,
      bytes: [5, 2],
      code: 'BIP_PROXY_AUTH',
      reason: 'wants a user and a password',
    },
    {
      what: 'wants something else',
      proxy: OPEN,
      bytes: [5, 0xff],
      code: 'BIP_PROXY_AUTH',
      reason: 'wants a user and a password',
    },
    {
      what: 'takes no login',
      proxy: CLOSED,
      bytes: [5, 0xff],
      code: 'BIP_PROXY_AUTH',
      reason: 'takes no user and password',
    },
    {
      what: 'knows another one',
      proxy: CLOSED,
      bytes: [5, 2, 1, 1],
      code: 'BIP_PROXY_AUTH',
      reason: 'does not accept',
    },
    {
      what: 'chooses what was not offered',
      proxy: CLOSED,
      bytes: [5, 1],
      code: 'BIP_PROXY_ANSWER',
      reason: 'SOCKS5',
    },
    {
      what: 'is of version 4',
      proxy: OPEN,
      bytes: [0, 90],
      code: 'BIP_PROXY_ANSWER',
      reason: 'does not speak SOCKS5',
    },
    {
      what: 'speaks HTTP',
      proxy: OPEN,
      bytes: [...encodeUtf8('HTTP/1.1 400')],
      code: 'BIP_PROXY_ANSWER',
      reason: 'SOCKS5',
    },
    {
      what: 'answers the login with rubbish',
      proxy: CLOSED,
      bytes: [5, 2, 9, 0],
      code: 'BIP_PROXY_ANSWER',
      reason: 'SOCKS5',
    },
    {
      what: 'replies with rubbish',
      proxy: OPEN,
      bytes: [5, 0, 4, 0, 0, 1, 0],
      code: 'BIP_PROXY_ANSWER',
      reason: 'SOCKS5',
    },
    {
      what: 'has another kind of address',
      proxy: OPEN,
      bytes: [5, 0, 5, 0, 0, 9, 0],
      code: 'BIP_PROXY_ANSWER',
      reason: 'SOCKS5',
    },
  ])('a proxy that $what', ({ proxy, bytes, code, reason }) => {
    for (const size of [1, 1000]) {
      const error = thrownBy(() =>
        talk(new Socks5Negotiation(proxy, 'connect', TO), Uint8Array.from(bytes), size),
      );
      expect(error.code).toBe(code);
      expect(error.message).toContain(reason);
      expect(error.message).not.toContain('secret');
    }
  });

  test('a refusal of UDP says so', () => {
    const refusal = socksReplies(Uint8Array.of(5, 7, 0, 1, 0, 0, 0, 0, 0, 0));
    const nowhere = { host: '0.0.0.0', port: 0 };
    const error = thrownBy(() =>
      talk(new Socks5Negotiation(OPEN, 'associate', nowhere), refusal, 1000),
    );
    expect(error.message).toContain('does not relay UDP: it does not know this command');
  });
});

describe('HTTP CONNECT', () => {
  const GOOD = encodeUtf8('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n');

  test('asks by name, with a login when there is one', () => {
    const plain = decodeUtf8Lossy(new HttpNegotiation(HTTP, TO).begin());
    expect(plain).toBe(
      'CONNECT tracker.example.org:6969 HTTP/1.1\r\nHost: tracker.example.org:6969\r\n\r\n',
    );
    const proxy = parseProxyUrl('http://Aladdin:open%20sesame@h');
    const to = { host: '2001:db8::1', port: 1 };
    // The example of RFC 7617 §2.
    expect(decodeUtf8Lossy(new HttpNegotiation(proxy, to).begin())).toBe(
      'CONNECT [2001:db8::1]:1 HTTP/1.1\r\nHost: [2001:db8::1]:1\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n',
    );
  });

  test('never uses a byte of what follows, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20 }),
        fc.integer({ min: 1, max: 70 }),
        (after, size) => {
          const { used, bound } = talk(
            new HttpNegotiation(HTTP, TO),
            concatBytes(GOOD, after),
            size,
          );
          expect(used).toBe(GOOD.length);
          expect(bound).toBeUndefined();
        },
      ),
    );
  });

  test('every prefix waits for more', () => {
    for (let length = 0; length < GOOD.length; length++) {
      const prefix = GOOD.subarray(0, length);
      expect(talk(new HttpNegotiation(HTTP, TO), prefix, 1).bound).toBe('unfinished');
    }
  });

  test('lines may end by a line feed alone', () => {
    const answer = encodeUtf8('HTTP/1.0 204 OK\n\nrest');
    expect(talk(new HttpNegotiation(HTTP, TO), answer, 1).used).toBe(answer.length - 4);
  });

  test.each([
    ['HTTP/1.1 407 Who\r\n\r\n', 'BIP_PROXY_AUTH', 'wants a user and a password'],
    ['HTTP/1.1 401 Unauthorized\r\n\r\n', 'BIP_PROXY_AUTH', 'wants a user and a password'],
    ['HTTP/1.1 403 No\u001b[31m way\r\n\r\n', 'BIP_PROXY_REFUSED', 'it answers 403 No[31m way'],
    ['HTTP/1.1 502\r\n\r\n', 'BIP_PROXY_REFUSED', 'it answers 502'],
    ['SSH-2.0-x\r\n\r\n', 'BIP_PROXY_ANSWER', 'does not speak HTTP'],
  ])('%j', (answer, code, reason) => {
    const error = thrownBy(() => talk(new HttpNegotiation(HTTP, TO), encodeUtf8(answer), 7));
    expect(error.code).toBe(code);
    expect(error.message).toContain(reason);
  });

  test('a head of 16 KiB is the longest', () => {
    const head = (length: number): Uint8Array =>
      encodeUtf8(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(length - 24)}\r\n\r\n`);
    expect(head(16_384)).toHaveLength(16_384);
    expect(talk(new HttpNegotiation(HTTP, TO), head(16_384), 1000).used).toBe(16_384);
    expect(() => talk(new HttpNegotiation(HTTP, TO), head(16_385), 1000)).toThrow('too great');
  });
});

test('arbitrary bytes lead to a tunnel, to an error, or to waiting', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      fc.integer({ min: 1, max: 600 }),
      (bytes, size) => {
        for (const negotiation of [
          new Socks5Negotiation(CLOSED, 'connect', TO),
          new HttpNegotiation(HTTP, TO),
        ]) {
          try {
            expect(talk(negotiation, bytes, size).used).toBeLessThanOrEqual(bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(NetworkError);
          }
        }
      },
    ),
  );
});

function thrownBy(work: () => unknown): NetworkError {
  try {
    work();
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
