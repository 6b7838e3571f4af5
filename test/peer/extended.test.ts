import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  allowedFastSet,
  decodeExtendedHandshake,
  decodeMetadataMessage,
  encodeExtendedHandshake,
  encodeMetadataMessage,
} from '../../src/peer/index.ts';

describe('extended handshake', () => {
  test('the example of BEP 10', () => {
    const handshake = decodeExtendedHandshake(
      encodeUtf8('d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v12:uTorrent 1.2e'),
    );
    expect(Object.fromEntries(handshake.messages)).toEqual({ LT_metadata: 1, ut_pex: 2 });
    expect(handshake).toMatchObject({ port: 6881, version: 'uTorrent 1.2' });
  });

  test('what is encoded is decoded', () => {
    const handshake = {
      messages: new Map([['ut_metadata', 1]]),
      version: 'bip',
      reqq: 2000,
      metadataSize: 31_235,
      port: 6881,
      yourIp: '2001:db8::1',
      uploadOnly: true,
    };
    expect(decodeExtendedHandshake(encodeExtendedHandshake(handshake))).toEqual(handshake);
  });

  test('entries of a wrong type or out of range are passed over', () => {
    const handshake = decodeExtendedHandshake(
      encodeUtf8(
        'd1:md1:ai-1e1:bi256e1:c1:x1:di7ee13:metadata_sizei99999999999e1:pi0e4:reqqi-5e6:yourip3:abce',
      ),
    );
    expect(Object.fromEntries(handshake.messages)).toEqual({ d: 7 });
    expect(Object.keys(handshake)).toEqual(['messages']);
  });

  test('what is no dictionary is refused', () => {
    expect(() => decodeExtendedHandshake(encodeUtf8('li1ee'))).toThrow(ProtocolError);
  });
});

describe('ut_metadata', () => {
  test('the examples of BEP 9', () => {
    expect(decodeMetadataMessage(encodeUtf8('d8:msg_typei0e5:piecei0ee'))).toEqual({
      type: 'request',
      piece: 0,
    });
    expect(decodeMetadataMessage(encodeUtf8('d8:msg_typei2e5:piecei0ee'))).toEqual({
      type: 'reject',
      piece: 0,
    });
    const data = decodeMetadataMessage(
      encodeUtf8('d8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx'),
    );
    expect(data).toEqual({
      type: 'data',
      piece: 0,
      totalSize: 34_256,
      data: encodeUtf8('xxxxxxxx'),
    });
  });

  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(fc.nat(1900), fc.uint8Array({ maxLength: 200 }), (piece, data) => {
        const message = { type: 'data' as const, piece, totalSize: 31_000_000, data };
        expect(decodeMetadataMessage(encodeMetadataMessage(message))).toEqual(message);
      }),
    );
  });

  test('a type that nobody knows is ignored, as BEP 9 says', () => {
    expect(decodeMetadataMessage(encodeUtf8('d8:msg_typei7e5:piecei0ee'))).toBeUndefined();
  });

  test.each([
    ['no piece', 'd8:msg_typei0ee'],
    ['a negative piece', 'd8:msg_typei0e5:piecei-1ee'],
    ['data without a size', 'd8:msg_typei1e5:piecei0ee'],
    ['a size of 4 GiB', 'd8:msg_typei1e5:piecei0e10:total_sizei4294967296ee'],
    ['more than 16 KiB', `d8:msg_typei1e5:piecei0e10:total_sizei20000ee${'x'.repeat(16_385)}`],
  ])('%s is refused', (_name, text) => {
    expect(() => decodeMetadataMessage(encodeUtf8(text))).toThrow(ProtocolError);
  });
});

test('arbitrary payloads give a value or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      for (const decode of [decodeExtendedHandshake, decodeMetadataMessage]) {
        try {
          decode(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }),
    { numRuns: 500 },
  );
});

describe('allowed fast set', () => {
  const infoHash = new Uint8Array(20).fill(0xaa);
  test('the vectors of BEP 6', () => {
    const seven = [1059, 431, 808, 1217, 287, 376, 1188];
    expect(allowedFastSet('80.4.4.200', infoHash, 1313, 7)).toEqual(seven);
    expect(allowedFastSet('80.4.4.200', infoHash, 1313, 9)).toEqual([...seven, 353, 508]);
  });
  test('never more than there are pieces, and none for IPv6', () => {
    expect(allowedFastSet('80.4.4.200', infoHash, 3, 10).toSorted((a, b) => a - b)).toEqual([
      0, 1, 2,
    ]);
    expect(allowedFastSet('::1', infoHash, 3)).toEqual([]);
  });
});
