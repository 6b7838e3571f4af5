/** The extension table of a connection: what is offered, under which ids, and what becomes of it. */

import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import { encodeHolepunch, encodePex, PEX_FLAG } from '../../src/peer/index.ts';
import { field, pair } from './pair.ts';

const ALL = ['ut_metadata', 'ut_pex', 'upload_only', 'ut_holepunch', 'lt_donthave'] as const;
const OFF = encodeUtf8('d1:md6:ut_pexi0eee');

test('messages of every extension come under the ids that we offered', () => {
  const { connection, say, told } = pair();
  connection.sendExtendedHandshake({}, ALL);
  const endpoint = { host: '192.0.2.1', port: 1 };
  const added = [{ endpoint, flags: PEX_FLAG.reachable }];
  say((box) => box.extended(2, encodePex({ added, dropped: [] })));
  say((box) => box.extended(3, Uint8Array.of(1)));
  say((box) => box.extended(4, encodeHolepunch({ type: 'connect', endpoint })));
  expect(told.calls).toEqual(['pex 1 0', 'upload only', 'connect']);
});

test('what was offered before and is not any more is switched off with a 0, and not taken', () => {
  const { connection, say, told, sent } = pair();
  connection.sendExtendedHandshake({}, ['ut_pex', 'ut_metadata']);
  connection.sendExtendedHandshake({}, ['ut_metadata']);
  connection.flush(0);
  expect(new TextDecoder('latin1').decode(sent[0])).toContain('1:md11:ut_metadatai1e6:ut_pexi0ee');
  say((box) => box.extended(2, encodePex({ added: [], dropped: [] })));
  expect(told.calls).toEqual([]);
});

test('handshakes add up (BEP 10): what a later one does not name stays', () => {
  const { connection, say, sent } = pair();
  say((box) => box.extended(0, encodeUtf8('d1:md6:ut_pexi7ee1:pi99ee')));
  say((box) => box.extended(0, encodeUtf8('d1:md11:lt_donthavei9eee')));
  expect(connection.takes('ut_pex')).toBe(true);
  expect(connection.takes('lt_donthave')).toBe(true);
  expect(connection.takes('ut_holepunch')).toBe(false);
  expect(connection.handshake?.port).toBe(99);
  say((box) => box.extended(0, OFF));
  connection.sendPex({ added: [], dropped: [] });
  connection.sendDontHave(258);
  connection.flush(0);
  expect(sent).toEqual([Uint8Array.of(0, 0, 0, 6, 20, 9, 0, 0, 1, 2)]);
});

test('a peer cannot fill our memory with names of extensions', () => {
  const { connection, say } = pair();
  for (let n = 0; n < 1_000; n++) {
    say((box) => box.extended(0, encodeUtf8(`d1:md6:${String(n).padStart(6, 'x')}i1eee`)));
  }
  expect(connection.handshake?.messages.size).toBe(0);
});

test('upload_only comes by handshake and by message, and is told when it changes (BEP 21)', () => {
  const { connection, say, told } = pair();
  connection.sendExtendedHandshake({}, ALL);
  say((box) => box.extended(0, encodeUtf8('d11:upload_onlyi1ee')));
  say((box) => box.extended(0, encodeUtf8('de')));
  expect(connection.uploadOnly).toBe(true);
  say((box) => box.extended(3, Uint8Array.of(1)));
  say((box) => box.extended(3, new Uint8Array(2)));
  say((box) => box.extended(3, Uint8Array.of(0)));
  expect(connection.uploadOnly).toBe(false);
  expect(told.calls).toEqual(['handshake ', 'upload only', 'handshake ', 'upload only']);
});

test('lt_donthave takes a have back, once (BEP 54)', () => {
  const { connection, say, told } = pair();
  connection.sendExtendedHandshake({}, ALL);
  say((box) => box.plain('haveAll'));
  const gone = Uint8Array.of(0, 0, 0, 3);
  say((box) => box.extended(5, gone));
  say((box) => box.extended(5, gone));
  expect(told.calls).toEqual(['pieces', 'gone 3']);
  expect([connection.isSeed, connection.pieces?.has(3)]).toEqual([false, false]);
  for (const wrong of [new Uint8Array(3), new Uint8Array(5), Uint8Array.of(0, 0, 0, 10)]) {
    expect(() => say((box) => box.extended(5, wrong))).toThrow(ProtocolError);
  }
});

test('before the metadata it is remembered', () => {
  const { connection, say, told, learn } = pair({ blind: true });
  connection.sendExtendedHandshake({}, ALL);
  say((box) => box.plain('haveAll'));
  expect(connection.isSeed).toBe(true);
  say((box) => box.extended(5, Uint8Array.of(0, 0, 0, 3)));
  expect(connection.isSeed).toBe(false);
  learn();
  expect(told.calls).toEqual(['pieces', 'gone 3']);
  const haves = pair({ blind: true });
  haves.connection.sendExtendedHandshake({}, ALL);
  haves.say((box) => box.bitfield(field([1, 2])));
  haves.say((box) => box.extended(5, Uint8Array.of(0, 0, 0, 2)));
  haves.say((box) => box.extended(5, Uint8Array.of(0, 0, 0, 4)));
  haves.say((box) => box.piece('have', 4));
  haves.learn();
  expect([...(haves.connection.pieces ?? [])]).toEqual([1, 4]);
});
