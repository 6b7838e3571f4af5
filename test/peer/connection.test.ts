import { describe, expect, test } from 'vitest';
import { Bitfield } from '../../src/base/bitfield.ts';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  BLOCK_LENGTH,
  encodeExtendedHandshake,
  encodeMetadataMessage,
  type Outbox,
} from '../../src/peer/index.ts';
import { block, field, GEOMETRY, pair } from './pair.ts';

test('the port of a DHT node comes across, 0 is none', () => {
  const { say, told, connection, sent } = pair();
  say((box) => box.port(65_535));
  say((box) => box.port(0));
  expect(told.calls).toEqual(['port 65535']);
  connection.sendPort(6881);
  connection.flush(0);
  expect(sent).toEqual([Uint8Array.of(0, 0, 0, 3, 9, 0x1a, 0xe1)]);
});

describe('what the peer has', () => {
  test('a bitfield, then haves', () => {
    const { say, told, connection } = pair();
    say((box) => box.bitfield(field([1, 3])));
    say((box) => box.piece('have', 4));
    say((box) => box.piece('have', 4));
    expect(told.calls).toEqual(['pieces', 'have 4']);
    expect([...(connection.pieces ?? [])]).toEqual([1, 3, 4]);
  });

  test('have all makes a seed, have none nothing', () => {
    const all = pair();
    all.say((box) => box.plain('haveAll'));
    expect(all.connection.isSeed).toBe(true);
    const none = pair();
    none.say((box) => box.plain('haveNone'));
    expect(none.connection.isSeed).toBe(false);
    expect(none.told.calls).toEqual(['pieces']);
  });

  test('a late bitfield, as aria2 sends it, counts as haves', () => {
    const { say, told } = pair();
    say((box) => box.bitfield(field([1])));
    say((box) => box.bitfield(field([1, 2])));
    expect(told.calls).toEqual(['pieces', 'have 2']);
  });

  test('a bitfield repeated without end ends the connection', () => {
    const { say } = pair();
    expect(() => {
      for (let n = 0; n < 100; n++) say((box) => box.bitfield(field([1])));
    }).toThrow('repeats its bitfield');
  });

  test.each<[string, (box: Outbox) => void]>([
    ['a bitfield too short', (box) => box.bitfield(new Uint8Array(1))],
    ['spare bits set', (box) => box.bitfield(Uint8Array.of(0, 1))],
    ['a piece that does not exist', (box) => box.piece('have', 10)],
  ])('%s ends the connection', (_name, send) => {
    expect(() => pair().say(send)).toThrow(ProtocolError);
  });

  test('before the metadata it is kept and judged later', () => {
    const good = pair({ blind: true });
    good.say((box) => box.bitfield(field([0, 9])));
    good.say((box) => box.piece('have', 5));
    expect(good.told.calls).toEqual([]);
    good.connection.learnGeometry(GEOMETRY);
    expect(good.told.calls).toEqual(['pieces', 'have 5']);
    const liar = pair({ blind: true });
    liar.say((box) => box.bitfield(new Uint8Array(300)));
    expect(() => liar.connection.learnGeometry(GEOMETRY)).toThrow(ProtocolError);
  });
});

describe('blocks', () => {
  test('one that was asked for arrives where it shall, and closes the request', () => {
    const { connection, told } = pair();
    connection.sendRequest(1, BLOCK_LENGTH, BLOCK_LENGTH);
    connection.receive(block(1, BLOCK_LENGTH, BLOCK_LENGTH), 5);
    expect(told.calls).toEqual([
      `start 1 ${BLOCK_LENGTH} ${BLOCK_LENGTH}`,
      `block 1 ${BLOCK_LENGTH} true`,
    ]);
    expect(connection.openRequests.count).toBe(0);
    expect(connection.download.total).toBe(BLOCK_LENGTH);
  });

  test('one of the wrong length is not taken', () => {
    const { connection, told } = pair();
    connection.sendRequest(9, 0, 100);
    connection.receive(block(9, 0, 99), 5);
    expect(told.calls).toEqual(['block 9 0 false']);
  });

  test('late answers to cancelled requests are without blame, unasked ones are not', () => {
    const { connection } = pair();
    for (let n = 0; n < 200; n++) {
      connection.sendRequest(1, 0, BLOCK_LENGTH);
      connection.sendCancel(1, 0, BLOCK_LENGTH);
      connection.receive(block(1, 0, BLOCK_LENGTH), 5);
    }
    expect(() => {
      for (let n = 0; n < 200; n++) connection.receive(block(2, 0, BLOCK_LENGTH), 5);
    }).toThrow('nobody asked for');
  });

  test('a reject gives the request back; one for nothing asked is passed over', () => {
    const { connection, say, told } = pair();
    connection.sendRequest(1, 0, BLOCK_LENGTH);
    say((box) => box.block('reject', 1, 0, BLOCK_LENGTH));
    say((box) => box.block('reject', 2, 0, BLOCK_LENGTH));
    expect(told.calls).toEqual(['reject 1 0']);
  });
});

describe('requests of the peer', () => {
  test('are passed on while it is not choked, and rejected while it is', () => {
    const { connection, say, told, sent } = pair();
    say((box) => box.block('request', 1, 0, BLOCK_LENGTH));
    connection.flush(0);
    expect(told.calls).toEqual([]);
    expect(sent.at(-1)?.[4]).toBe(16);
    connection.setChoking(false);
    say((box) => box.block('request', 1, 0, BLOCK_LENGTH));
    expect(told.calls).toEqual([`request 1 0 ${BLOCK_LENGTH}`]);
  });

  test('for allowed fast pieces are passed on although it is choked (BEP 6)', () => {
    const { connection, say, told } = pair();
    connection.sendAllowedFast([3]);
    say((box) => box.block('request', 3, 0, 10));
    expect(told.calls).toEqual(['request 3 0 10']);
  });

  test.each([
    ['a piece that does not exist', 10, 0, 1],
    ['no bytes', 1, 0, 0],
    ['more than the piece has', 9, 0, 101],
    ['a begin beyond the piece', 1, 2 * BLOCK_LENGTH, 1],
    ['a length of 256 KiB', 1, 0, 262_144],
    ['numbers that overflow', 1, 0xffff_ffff, 0xffff_ffff],
  ])(
    '%s is never passed on, and without end ends the connection',
    (_name, piece, begin, length) => {
      const { connection, say, told } = pair();
      connection.setChoking(false);
      say((box) => box.block('request', piece, begin, length));
      expect(told.calls).toEqual([]);
      expect(() => {
        for (let n = 0; n < 301; n++) say((box) => box.block('request', piece, begin, length));
      }).toThrow('senseless requests');
    },
  );
});

describe('extensions', () => {
  test('messages of BEP 6 without the extension end the connection', () => {
    for (const send of [
      (box: Outbox) => box.plain('haveAll'),
      (box: Outbox) => box.piece('allowedFast', 1),
      (box: Outbox) => box.block('reject', 1, 0, 1),
    ]) {
      expect(() => pair({ fast: false }).say(send)).toThrow('without the fast extension');
    }
  });

  test('our handshake offers what is served; ids of the peer are used to answer', () => {
    const { connection, say, sent, told } = pair();
    connection.sendExtendedHandshake({ version: 'bip', metadataSize: 5 });
    connection.flush(0);
    expect(new TextDecoder('latin1').decode(sent[0])).toContain(
      '1:md11:lt_donthavei5e11:upload_onlyi3e11:ut_metadatai1ee13:metadata_sizei5e',
    );
    const theirs = encodeExtendedHandshake({
      messages: new Map([['ut_metadata', 9]]),
      version: 'other',
    });
    say((box) => box.extended(0, theirs));
    expect(told.calls).toEqual(['handshake other']);
    connection.sendMetadata({ type: 'request', piece: 0 });
    connection.flush(0);
    expect(sent.at(-1)?.subarray(4, 6)).toEqual(Uint8Array.of(20, 9));
  });

  test('an id of 0 switches an extension off (BEP 10)', () => {
    const { connection, say, sent } = pair();
    say((box) =>
      box.extended(0, encodeExtendedHandshake({ messages: new Map([['ut_metadata', 0]]) })),
    );
    connection.sendMetadata({ type: 'request', piece: 0 });
    connection.flush(0);
    expect(sent).toEqual([]);
  });

  test('metadata messages come under the id that we offered; other ids are passed over', () => {
    const { say, told, connection } = pair();
    const request = encodeMetadataMessage({ type: 'request', piece: 3 });
    say((box) => box.extended(1, request));
    expect(told.metadata).toEqual([]);
    connection.sendExtendedHandshake({});
    say((box) => box.extended(1, request));
    say((box) => box.extended(77, request));
    expect(told.metadata).toEqual([{ type: 'request', piece: 3 }]);
  });
});

describe('time', () => {
  test('a keep-alive goes out after a minute of our silence, once', () => {
    const { connection, sent, say } = pair();
    expect(connection.tick(59_999)).toBe(true);
    expect(sent).toEqual([]);
    connection.tick(60_000);
    expect(sent).toEqual([new Uint8Array(4)]);
    say((box) => box.keepAlive(), 100_000);
    connection.tick(119_000);
    expect(sent).toHaveLength(1);
  });

  test('two minutes of their silence end the connection; a keep-alive is no silence', () => {
    const { connection, say } = pair();
    expect(connection.tick(119_999)).toBe(true);
    say((box) => box.keepAlive(), 119_999);
    expect(connection.tick(200_000)).toBe(true);
    expect(connection.tick(240_000)).toBe(false);
  });
});

test('what we have is told in the shortest form', () => {
  const cases: readonly [boolean, readonly number[], number | undefined][] = [
    [true, [], 15],
    [true, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 14],
    [true, [2], 5],
    [false, [], undefined],
    [false, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5],
  ];
  for (const [fast, pieces, id] of cases) {
    const { connection, sent } = pair({ fast });
    const ours = new Bitfield(10);
    for (const piece of pieces) ours.add(piece);
    connection.sendPieces(ours);
    connection.flush(0);
    expect(sent[0]?.[4]).toBe(id);
  }
});

test('states are told once, however often they are set', () => {
  const { connection, sent, say, told } = pair();
  connection.setInterested(true);
  connection.setInterested(true);
  connection.setChoking(true);
  connection.flush(0);
  expect(sent[0]).toEqual(Uint8Array.of(0, 0, 0, 1, 2));
  say((box) => box.plain('interested'));
  say((box) => box.plain('interested'));
  say((box) => box.plain('choke'));
  say((box) => box.plain('unchoke'));
  expect(told.calls).toEqual(['interest', 'unchoke']);
});
