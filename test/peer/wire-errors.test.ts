/**
 * Every wire error that libtorrent has a name for (engines.md 4.4), and what bip makes of it: the peer is
 * given up with a ProtocolError, or the message has no effect. Those that need a whole session are in
 * test/simulation: hostile-peers.test.ts, hostile-lines.test.ts, pex.test.ts, download.test.ts.
 */

import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { BLOCK_LENGTH, encodeMetadataMessage, type Outbox } from '../../src/peer/index.ts';
import { block, field, type Pair, pair } from './pair.ts';

/** A message as it stands on the wire. */
function frame(id: number, ...payload: readonly number[]): Uint8Array {
  return Uint8Array.of(0, 0, 0, 1 + payload.length, id, ...payload);
}
function hear(bytes: Uint8Array, how: Parameters<typeof pair>[0] = {}): Pair {
  const it = pair(how);
  it.connection.sendExtendedHandshake({}, ['ut_metadata', 'ut_pex', 'lt_donthave', 'upload_only']);
  it.connection.receive(bytes, 0);
  return it;
}
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const said = (id: number, text: string): Uint8Array => {
  const payload = encodeUtf8(text);
  return frame(20, id, ...payload);
};
const NO_PIECE = [0, 0, 0, 10] as const;

describe('end the connection', () => {
  test.each<[string, Uint8Array]>([
    ['invalid_choke', frame(0, 1)],
    ['invalid_unchoke', frame(1, 1)],
    ['invalid_interested', frame(2, 1)],
    ['invalid_not_interested', frame(3, 1)],
    ['invalid_have, too short', frame(4, 0, 0, 0)],
    ['invalid_have, too long', frame(4, ...zeros(5))],
    ['invalid_have, no such piece', frame(4, ...NO_PIECE)],
    ['invalid_bitfield_size, too short', frame(5, 0)],
    ['invalid_bitfield_size, too long', frame(5, 0, 0, 0)],
    ['invalid_bitfield_size, spare bits', frame(5, 0, 1)],
    ['invalid_bitfield_size, empty', frame(5)],
    ['invalid_request, too short', frame(6, ...zeros(11))],
    ['invalid_request, too long', frame(6, ...zeros(13))],
    ['invalid_piece, no begin', frame(7, ...zeros(7))],
    ['peer_sent_empty_piece', frame(7, ...zeros(8))],
    ['invalid_piece_size, more than 128 KiB', Uint8Array.of(0, 2, 0, 10, 7)],
    ['invalid_cancel, too short', frame(8, ...zeros(11))],
    ['invalid_cancel, too long', frame(8, ...zeros(13))],
    ['invalid_dht_port, too short', frame(9, 1)],
    ['invalid_dht_port, too long', frame(9, 1, 2, 3)],
    ['invalid_suggest, length', frame(13, 0, 0, 0)],
    ['invalid_suggest, no such piece', frame(13, ...NO_PIECE)],
    ['invalid_have_all, length', frame(14, 0)],
    ['invalid_have_none, length', frame(15, 0)],
    ['invalid_reject, length', frame(16, ...zeros(11))],
    ['invalid_allow_fast, length', frame(17, 0, 0, 0)],
    ['invalid_allow_fast, no such piece', frame(17, ...NO_PIECE)],
    ['invalid_extended, no id', frame(20)],
    ['invalid_extended, no dictionary', said(0, 'le')],
    ['invalid_extended, cut off', said(0, 'd1:m')],
    ['invalid_dont_have, length', frame(20, 5, 0, 0, 0)],
    ['invalid_dont_have, no such piece', frame(20, 5, ...NO_PIECE)],
    ['invalid_metadata_message', said(1, 'le')],
    ['invalid_metadata_message, no piece', said(1, 'd8:msg_typei0ee')],
    ['invalid_metadata_size', said(1, 'd8:msg_typei1e5:piecei0e10:total_sizei0ee')],
    ['invalid_metadata_offset', said(1, 'd8:msg_typei0e5:piecei99999999ee')],
    ['invalid_pex_message', said(2, 'd5:added3:abce')],
    ['pex_message_too_large', Uint8Array.of(0, 1, 0, 1, 20, 2)],
    ['packet_too_large, known', Uint8Array.of(255, 255, 255, 255, 20)],
    ['packet_too_large, unknown', Uint8Array.of(0, 16, 0, 1, 99)],
    ['a length of 4 GiB', Uint8Array.of(255, 255, 255, 255, 0)],
  ])('%s', (_name, bytes) => {
    expect(() => hear(bytes)).toThrow(ProtocolError);
  });

  test.each<[string, (box: Outbox) => void]>([
    ['invalid_suggest', (box) => box.piece('suggest', 1)],
    ['invalid_have_all', (box) => box.plain('haveAll')],
    ['invalid_have_none', (box) => box.plain('haveNone')],
    ['invalid_reject', (box) => box.block('reject', 1, 0, BLOCK_LENGTH)],
    ['invalid_allow_fast', (box) => box.piece('allowedFast', 1)],
  ])('%s, without the fast extension', (_name, send) => {
    expect(() => pair({ fast: false }).say(send)).toThrow('without the fast extension');
  });

  test('too_many_requests_when_choked: 300 are borne, and those that were on their way', () => {
    const { connection, say } = pair();
    const ask = (now: number): void => say((box) => box.block('request', 1, 0, 10), now);
    connection.setChoking(false);
    say((box) => box.keepAlive(), 10_000);
    connection.setChoking(true);
    for (let n = 0; n < 2_000; n++) ask(11_999);
    for (let n = 0; n < 300; n++) ask(12_000);
    expect(() => ask(12_000)).toThrow('although it is choked');
  });

  test('too many requests while choked are forgotten when the peer is served', () => {
    const { connection, say } = pair();
    const ask = (now: number): void => say((box) => box.block('request', 1, 0, 10), now);
    for (let n = 0; n < 300; n++) ask(5_000);
    connection.setChoking(false);
    connection.setChoking(true);
    for (let n = 0; n < 300; n++) ask(10_000);
    expect(() => ask(10_000)).toThrow(ProtocolError);
  });
});

describe('have no effect', () => {
  test.each<[string, (box: Outbox) => void]>([
    ['invalid_cancel, for what was not asked', (box) => box.block('cancel', 77, 1, 2)],
    ['invalid_reject, for what was not asked', (box) => box.block('reject', 1, 0, 10)],
    ['invalid_dht_port, the port 0', (box) => box.port(0)],
  ])('%s', (_name, send) => {
    const { say, told } = pair();
    say(send);
    expect(told.calls.filter((call) => !call.startsWith('cancel'))).toEqual([]);
  });

  test('invalid_have_all and invalid_have_none after a bitfield take nothing away', () => {
    const { say, connection } = pair();
    say((box) => box.bitfield(field([1])));
    say((box) => box.plain('haveNone'));
    expect([...(connection.pieces ?? [])]).toEqual([1]);
    say((box) => box.plain('haveAll'));
    say((box) => box.plain('haveNone'));
    expect(connection.isSeed).toBe(true);
  });

  test('invalid_message: ids of nobody and of BEP 52 (hash request, hashes, hash reject)', () => {
    for (const id of [10, 11, 12, 18, 19, 21, 22, 23, 255]) {
      const { told, connection } = hear(concatBytes(frame(id, ...zeros(48)), frame(1)));
      expect(told.calls).toEqual(['unchoke']);
      expect(connection.peerChoking).toBe(false);
    }
  });

  test('invalid_extended: an id that we did not offer, whatever it brings', () => {
    expect(hear(concatBytes(frame(20, 99, 1, 2, 3), frame(1))).told.calls).toEqual(['unchoke']);
  });

  test('invalid_metadata_size: what the handshake claims beyond 30 MiB is not believed', () => {
    const { connection } = hear(said(0, 'd13:metadata_sizei31457281ee'));
    expect(connection.handshake?.metadataSize).toBeUndefined();
    expect(hear(said(0, 'd13:metadata_sizei31457280ee')).connection.handshake?.metadataSize).toBe(
      31_457_280,
    );
  });

  test('invalid_metadata_request: it is passed on, and answered with a reject by the session', () => {
    const asked = encodeMetadataMessage({ type: 'request', piece: 1_000 });
    expect(hear(frame(20, 1, ...asked)).told.metadata).toEqual([{ type: 'request', piece: 1_000 }]);
  });

  test('invalid_piece, invalid_piece_size: not stored, and 64 of them are borne', () => {
    const it = pair();
    it.connection.sendRequest(1, 0, BLOCK_LENGTH);
    const wrong = [block(1, 0, 99), block(1, 5, BLOCK_LENGTH), block(10, 0, 10), block(2, 0, 10)];
    for (let n = 0; n < 16; n++) {
      for (const bytes of wrong) it.connection.receive(bytes, 0);
    }
    expect(it.told.calls.some((call) => call.endsWith('true'))).toBe(false);
    expect(() => it.connection.receive(block(2, 0, 10), 0)).toThrow('nobody asked for');
  });
});

describe('timed_out', () => {
  test('a byte a second is silence when no message comes to its end', () => {
    const { connection } = pair();
    const message = new Uint8Array(1_000);
    message.set(Uint8Array.of(0, 0, 4, 0, 99));
    for (let second = 0; second < 119; second++) {
      connection.receive(message.subarray(second, second + 1), second * 1_000);
      expect(connection.tick(second * 1_000)).toBe(true);
    }
    connection.receive(message.subarray(119, 120), 119_999);
    expect(connection.tick(119_999)).toBe(true);
    expect(connection.tick(120_000)).toBe(false);
  });

  test('messages byte by byte are no silence', () => {
    const { connection } = pair();
    for (let second = 0; second < 600; second++) {
      connection.receive(Uint8Array.of(0), second * 1_000);
      expect(connection.tick(second * 1_000)).toBe(true);
    }
  });
});
