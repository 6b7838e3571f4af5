import { describe, expect, test } from 'vitest';
import { decodeMessage, KrpcWriter } from '../../../src/dht/krpc/index.ts';
import { bytes, latin1 } from '../../bencode/values.ts';
import { BEP_5, EXTENSIONS } from './vectors.ts';

describe.each([...BEP_5, ...EXTENSIONS])('$name', ({ packet, message }) => {
  test('is read', () => {
    expect(decodeMessage(bytes(packet))).toEqual(message);
  });

  test('is written', () => {
    expect(latin1(new KrpcWriter().encode(message))).toBe(packet);
  });
});

test('one writer writes them all, in any order', () => {
  const writer = new KrpcWriter();
  const all = [...BEP_5, ...EXTENSIONS];
  for (const { packet, message } of [...all, ...all.toReversed()]) {
    expect(latin1(writer.encode(message))).toBe(packet);
  }
});
