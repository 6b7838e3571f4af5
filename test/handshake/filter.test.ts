import { describe, expect, test } from 'vitest';
import { encodeUtf8, equalBytes } from '../../src/base/bytes.ts';
import { PeerId } from '../../src/base/ids.ts';
import {
  clientRule,
  type HandshakeFacts,
  HandshakeFilter,
  type HandshakeRule,
  Reserved,
} from '../../src/handshake/index.ts';

const ID = '-XL0012-abcdefghijkl';

function facts(id: string = ID, more: Partial<HandshakeFacts['handshake']> = {}): HandshakeFacts {
  return {
    remote: { host: '192.0.2.7', port: 6881 },
    handshake: {
      reserved: Reserved.of('fast'),
      infoHash: new Uint8Array(20),
      peerId: new PeerId(encodeUtf8(id)),
      ...more,
    },
  };
}

describe('a rule about clients', () => {
  test.each([
    ['Xunlei', ID, true],
    ['xunlei 0.0.1', ID, true],
    ['Xunlei 9', ID, false],
    ['-XL', ID, true],
    ['-xl', ID, false],
    ['unlei', ID, false],
    ['libtorrent', '-LT2080-abcdefghijkl', true],
    ['libtorrent', '-TR3000-abcdefghijkl', false],
    ['-TR3', '-TR3000-abcdefghijkl', true],
  ])('%s', (text, id, matches) => {
    expect(clientRule(text).matches(facts(id))).toBe(matches);
  });
});

describe('a filter', () => {
  const byAddress: HandshakeRule = {
    reason: 'it is next door',
    matches: ({ remote }) => remote.host.startsWith('192.0.2.'),
  };
  const byInfoHash: HandshakeRule = {
    reason: 'that torrent is not for strangers',
    matches: ({ handshake }) => equalBytes(handshake.infoHash, new Uint8Array(20).fill(9)),
  };
  const byExtension: HandshakeRule = {
    reason: 'it lacks the extension protocol',
    matches: ({ handshake }) => !handshake.reserved.has('extended'),
  };

  test('without rules turns nobody away', () => {
    expect(new HandshakeFilter().refusal(facts())).toBeUndefined();
  });

  test('says why, and what is allowed comes before what is blocked', () => {
    const filter = new HandshakeFilter();
    filter.block(byInfoHash);
    filter.block(byExtension);
    expect(filter.refusal(facts())).toBe('it lacks the extension protocol');
    expect(filter.refusal(facts(ID, { reserved: Reserved.of('extended') }))).toBeUndefined();
    const infoHash = new Uint8Array(20).fill(9);
    expect(filter.refusal(facts(ID, { infoHash }))).toBe('that torrent is not for strangers');
    const forget = filter.allow(byAddress);
    expect(filter.refusal(facts())).toBeUndefined();
    forget();
    forget();
    expect(filter.refusal(facts())).toBe('it lacks the extension protocol');
  });

  test('forgets a rule that is taken back', () => {
    const filter = new HandshakeFilter();
    const unblock = filter.block(clientRule('Xunlei'));
    expect(filter.refusal(facts())).toBe('`Xunlei` is blocked');
    unblock();
    unblock();
    expect(filter.refusal(facts())).toBeUndefined();
  });
});
