import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PeerId } from '../../src/base/ids.ts';
import {
  formatClient,
  identifyClient,
  makePeerId,
  otherClient,
  showPeerId,
} from '../../src/handshake/index.ts';
import { makeWorld } from '../sim/world.ts';

/** Latin-1 text, filled up with bytes as a client's random ones. */
function idOf(text: string): PeerId {
  const bytes = Uint8Array.from({ length: 20 }, (_, at) => (at * 37 + 129) & 0xff);
  bytes.set(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  return new PeerId(bytes);
}
function hexId(hex: string): PeerId {
  return new PeerId(Uint8Array.from(Buffer.from(hex, 'hex')));
}
function named(id: PeerId): string | undefined {
  return formatClient(identifyClient(id));
}

describe('ids of clients that were met', () => {
  test.each([
    ['-LT2080-', 'libtorrent 2.0.8'],
    ['-LT20B0-', 'libtorrent 2.0.11'],
    ['-LT0D00-eZ0PwaDDr-~v', 'libtorrent 0.13.0'],
    ['-lt0D80-', 'rTorrent (libTorrent) 0.13.8'],
    ['-qB4520-', 'qBittorrent 4.5.2'],
    ['-qB33A0-', 'qBittorrent 3.3.10'],
    ['-DE13F0-', 'Deluge 1.3.15'],
    ['-DE211s-', 'Deluge 2.1.1'],
    ['-TR0006-01234567890!', 'Transmission 0.6'],
    ['-TR0072-8vd6hrmp04an', 'Transmission 0.72'],
    ['-TR111Z-', 'Transmission 1.11 dev'],
    ['-TR3000-', 'Transmission 3.00'],
    ['-TR2940-', 'Transmission 2.94'],
    ['-TR4000-', 'Transmission 4.0.0'],
    ['-TR4060-', 'Transmission 4.0.6'],
    ['-TR400B-', 'Transmission 4.0.0 beta'],
    ['-TR4Az0-', 'Transmission 4.10.61'],
    ['A2-1-36-0-', 'aria2 1.36.0'],
    ['A2-1-2-0-', 'aria2 1.2.0'],
    ['-aria2-', 'aria2'],
    ['-BP0100-', 'bip 0.1.0'],
    ['-UT341\0-', 'µTorrent 3.4.1'],
    ['-UT355W-', 'µTorrent 3.5.5'],
    ['-UT7a5\0-', 'µTorrent 7.10.5'],
    ['-UM1871-', 'µTorrent Mac 1.8.7'],
    ['-UW110Q-', 'µTorrent Web 1.1.0'],
    ['-UW1110Q', 'µTorrent Web 1.1.10'],
    ['-BT791B-', 'BitTorrent 7.9.1 beta'],
    ['-BW1293-', 'BitTorrent Web 1.2.9'],
    ['-AZ5760-', 'Azureus/Vuze 5.7.6.0'],
    ['-BI2300-', 'BiglyBT 2.3.0.0'],
    ['-BC0241-', 'BitComet 2.41'],
    ['-BL246326', 'BitLord 2.4.6-326'],
    ['-WW0102-', 'WebTorrent 1.2'],
    ['-WW1011-', 'WebTorrent 10.11'],
    ['-WD0023-', 'WebTorrent Desktop 0.23'],
    ['-KT33D1-', 'KTorrent 3.3 dev 1'],
    ['-KT11R1-693649213030', 'KTorrent 1.1 RC 1'],
    ['-KT22B1-695754334315', 'KTorrent 2.2 beta 1'],
    ['-KT2140-584815613993', 'KTorrent 2.1.4'],
    ['-FD51R\u00ff-', 'Free Download Manager 5.1.27'],
    ['-FD51@\u00ff-', 'Free Download Manager 5.1'],
    ['FD6k4SYy9BOU4U4rk3-J', 'Free Download Manager 6'],
    ['-FL51FF-', 'Folx 5'],
    ['-FG0180', 'FlashGet 1.80'],
    ['-PI0120-', 'PicoTorrent 0.12.0'],
    ['-Lr10X0-', 'LibreTorrent 1.0.33'],
    ['-MG2111-', 'MediaGet 2.1'],
    ['-ML2.7.2-kgjjfkd', 'MLDonkey 2.7.2'],
    ['-NE1090002IKyMn4g7Ko', 'BT Next Evolution 1.0.9.0'],
    ['-BR0332-', 'BitRocket 0.3 (32)'],
    ['-CT1334-', 'CTorrent 1.3.34'],
    ['-BB0123-', 'BitBuddy 0.123'],
    ['-XF9990-', 'Xfplay 9.9.9'],
    ['-XF9992-', 'Xfplay 9.9.92'],
    ['-LW0001-', 'LimeWire'],
    ['-GT0003-', 'anacrolix/torrent 0.0.0.3'],
    ['-BOWA0C-ABCDEFGHIJKL', 'Bits on Wheels 1.0.6'],
    ['-BOWP05-EPICNZOGQPHP', 'Bits on Wheels'],
    ['-G3Anonymous', 'G3 Torrent'],
    ['S58B-----', "Shad0w's client 5.8.11"],
    ['T03C-----6tYolxhVUFS', 'BitTornado 0.3.12'],
    ['T03I--008gY6iB6Aq27C', 'BitTornado 0.3.18'],
    ['T0390----5uL5NvjBe2z', 'BitTornado 0.3.9.0'],
    ['A--------YMyoBPXYy2L', 'ABC'],
    ['A310--001v5Gysr4NxNK', 'ABC 3.1.0'],
    ['R37---003uApHy851-Pq', 'Tribler 3.7'],
    ['M5-0-7--9aa757efd5be', 'BitTorrent (Mainline) 5.0.7'],
    ['M4-20-8-', 'BitTorrent (Mainline) 4.20.8'],
    ['Q1-23-4-', 'Queen Bee 1.23.4'],
    ['S3-1-0-0--0123456789', 'Amazon S3 1.0.0'],
    ['TIX0193-', 'Tixati 1.93'],
    ['TIX0137-i6i6f0i5d5b7', 'Tixati 1.37'],
    ['XBT054d-', 'XBT Client 0.5.4'],
    ['OP7685f2c1495b1680bf', 'Opera 7685'],
    ['O100634008270e29150a', 'Opera 10063'],
    ['AZ2500BT', 'BitTyrant'],
    ['-----AzureusTiNz*dT', 'Azureus 2.0.3.2'],
    ['346------', 'TorrenTopia'],
    ['Mbrst1-1-32e3c394b43', 'burst! 1.1.3'],
    ['QVOD00541234567890AB', 'QVOD 0.0.5.4'],
    ['TB100----abcdefghijk', 'Top-BT'],
    ['BTM21abcdefghijklmno', 'BTuga Revolution 2.1'],
    ['DNA010000', 'BitTorrent DNA 01.00.00'],
    ['exbc\u0000\u0038zDc', 'BitComet 0.56'],
    ['exbc\u0000\u0038LORD2', 'BitLord 0.56'],
    ['exbc\u0001\u0001LORD2', 'BitLord 1.1'],
    ['\0\u0003BS', 'BitSpirit 3'],
    ['\0ERSAnonymous', 'Rufus'],
  ])('%j', (text, expected) => {
    expect(named(idOf(text))).toBe(expected);
  });

  test.each([
    ['2D554D3135313130C964BE6F15CA71EF02AF2DD7', 'µTorrent Mac 1.5.11'],
    ['2D55543137302D00AF8BC5ACCC4631481EB3EB60', 'µTorrent 1.7.0'],
    ['2D464C3039C6F22D5F436863327A6D792E283867', 'Folx 0'],
    ['4150302E3730726333302D3E3EB87B31F241DBFE', 'AllPeers 0.70'],
    ['417A75726575730000000000000000A076F0AEF7', 'Azureus 1'],
    ['000342530724889644C595308A5FF2CA55445030', 'BitSpirit 3'],
  ])('%s', (hex, expected) => {
    expect(named(hexId(hex))).toBe(expected);
  });

  test('our own', () => {
    expect(named(makePeerId(makeWorld().random))).toBe('bip 0.1.0');
  });

  test('Shareaza of old, by a sum', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, at) => at * 3 + 7);
    for (let at = 16; at < 20; at++)
      bytes[at] = (bytes[at % 16] ?? 0) ^ (bytes[15 - (at % 16)] ?? 0);
    expect(identifyClient(new PeerId(bytes))).toEqual({ style: 'own', name: 'Shareaza' });
    expect(identifyClient(new PeerId(bytes.with(19, 0))).name).toBeUndefined();
  });
});

describe('ids that say nothing, or not the truth', () => {
  test.each([
    ['2D464435315DC72D37426772646B4C3850434239', 'azureus'],
    ['E7F163BB0E5FCD35005C09A11BC274C42385A1A0', 'random'],
    ['0000000000000000317DA32F831FF041A515FE3C', 'random'],
    ['0000000000000000000000000000000000000000', 'blank'],
    ['4141414141414141414141414141414141414141', 'blank'],
    ['2D5A5A313233342D317DA32F831FF041A515FE3C', 'unknown'],
    ['B5546F7272656E742F3330323520202020202020', 'random'],
    ['61626364656667686970717273747576E7F163BB', 'unknown'],
  ])('%s: %s', (hex, style) => {
    expect(identifyClient(hexId(hex)).style).toBe(style);
  });

  test('a copy of the id of its peer', () => {
    const copy = hexId('4D342D302D322D2D6898D9D0CAF25E4555445030');
    expect(identifyClient(copy)).toMatchObject({ name: 'BitSpirit', doubt: expect.any(String) });
  });

  test('a false ZipTorrent', () => {
    expect(identifyClient(idOf('-ZT1234-bLAde')).doubt).toContain('ZipTorrent');
    expect(identifyClient(idOf('-ZT1234-blade')).doubt).toBeUndefined();
  });

  test.each([
    ['-UT2210-', 'Xunlei 0.0.1.27', 'Xunlei'],
    ['-TR3000-', 'µTorrent 3.5.5', 'µTorrent'],
    ['-BT7900-', 'qBittorrent/4.5.2', 'qBittorrent'],
    ['-qB4520-', 'aria2/1.36.0', 'aria2'],
    // The same under another of its names, a library under the name of its program, and no name at all.
    ['-TR3000-', 'Transmission 3.00', undefined],
    ['-UT355W-', 'uTorrent 3.5.5', undefined],
    ['-AZ5760-', 'Vuze 5.7.6.0', undefined],
    ['-lt0D80-', 'libTorrent 0.13.8', undefined],
    ['-UM1871-', 'µTorrent 1.8.7', undefined],
    ['-LT20B0-', 'Transmission 3.00', undefined],
    ['-qB4520-', 'libtorrent/2.0.8.0', undefined],
    ['-TR3000-', 'Something new 1.0', undefined],
    ['-TR3000-', '', undefined],
    ['-ZZ3000-', 'Transmission 3.00', undefined],
  ])('%s that calls itself %j', (id, version, other) => {
    expect(otherClient(identifyClient(idOf(id)), version)).toBe(other);
  });
});

test('any twenty bytes have an answer, and are shown without control characters', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const id = new PeerId(bytes);
      const identity = identifyClient(id);
      expect(['unknown', 'random', 'blank'].includes(identity.style)).toBe(
        identity.name === undefined,
      );
      expect(showPeerId(id)).toMatch(/^[\x20-\x7e]+$/);
    }),
  );
});

test('ids at random are hardly ever taken for a client', () => {
  const { random } = makeWorld();
  let known = 0;
  for (let n = 0; n < 20_000; n++) {
    if (identifyClient(new PeerId(random.bytes(20))).name !== undefined) known++;
  }
  expect(known).toBeLessThan(10);
});
