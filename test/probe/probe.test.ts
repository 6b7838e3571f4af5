/** Probes of peers in the simulated world: those that keep to the rules, and those that do not. */

import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/bencode/index.ts';
import { encodeExtendedHandshake, encodePieceHeader } from '../../src/peer/index.ts';
import { hello, INFO_HASH, PEER, ProbeScene, said } from './scene.ts';

const EXTENDED = said((box) =>
  box.extended(
    0,
    encodeExtendedHandshake({
      messages: new Map([
        ['ut_pex', 7],
        ['ut_metadata', 0],
      ]),
      version: 'Transmission 3.00',
      reqq: 512,
      metadataSize: 1234,
      port: 51_413,
      yourIp: '10.0.0.1',
      uploadOnly: true,
    }),
  ),
);
const HAVE_ALL = said((box) => box.plain('haveAll'));
/** Of IPv4 one that cannot be reached and two peers, the second twice; of IPv6 one without flags. */
const PEX = said((box) =>
  box.extended(
    1,
    encode({
      added: concatBytes(
        Uint8Array.of(10, 0, 0, 6, 0, 0, 10, 0, 0, 7, 0x1a, 0xe1),
        Uint8Array.of(10, 0, 0, 8, 0, 80, 10, 0, 0, 8, 0, 80),
      ),
      'added.f': Uint8Array.of(0x02, 0x1a, 0x05, 0x00),
      added6: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1, 0x1a, 0xe1),
    }),
  ),
);

describe('a peer that keeps to the rules', () => {
  test('is told of in full', async () => {
    await using scene = new ProbeScene();
    const port = said((box) => box.port(6882));
    await scene.peer({
      first: concatBytes(hello(['dht', 'fast', 'extended']), HAVE_ALL, EXTENDED, port),
    });
    const report = await scene.probe();
    expect(report).toMatchObject({
      endpoint: PEER,
      way: { transport: 'tcp', encryption: 'none' },
      client: { name: 'Transmission', version: '3.00' },
      handshake: { infoHash: INFO_HASH },
      extended: { version: 'Transmission 3.00', reqq: 512, metadataSize: 1234, uploadOnly: true },
      pieces: { source: 'have-all', have: 40, total: 40, share: 1 },
      dhtPort: 6882,
      closedByPeer: false,
      attempts: [{ way: { transport: 'tcp', encryption: 'none' } }],
    });
    expect(report).not.toHaveProperty('fault');
    expect(report).not.toHaveProperty('otherClient');
    expect(report).not.toHaveProperty('pex');
  });

  test('takes no longer than its words and a moment of silence', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, EXTENDED) });
    await scene.probe();
    expect(scene.world.now).toBeLessThan(1000);
  });

  test('is asked for nothing: handshake, have none, extended handshake', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, EXTENDED) });
    await scene.probe();
    const sent = concatBytes(...(scene.heard[0] ?? []));
    expect(sent.subarray(0, 20)).toEqual(
      concatBytes(Uint8Array.of(19), encodeUtf8('BitTorrent protocol')),
    );
    // Have none (id 15), then one extended message (id 20) with the id 0, up to the end.
    expect([...sent.subarray(68, 73)]).toEqual([0, 0, 0, 1, 15]);
    const length = new DataView(sent.buffer, sent.byteOffset).getUint32(73);
    expect(sent).toHaveLength(77 + length);
    expect([...sent.subarray(77, 79)]).toEqual([20, 0]);
    expect(Buffer.from(sent.subarray(79)).toString('latin1')).toContain('6:ut_pexi1e');
  });

  test.each([
    ['no piece', said((box) => box.plain('haveNone')), { source: 'have-none', have: 0, share: 0 }],
    [
      'some pieces',
      said((box) => box.bitfield(Uint8Array.of(0xf0, 0, 0, 0, 1))),
      { source: 'bitfield', have: 5, share: 0.125 },
    ],
    [
      'a bitfield and haves behind it',
      said((box) => {
        box.bitfield(Uint8Array.of(0xf0, 0, 0, 0, 0));
        for (const piece of [0, 7, 39]) box.piece('have', piece);
      }),
      { source: 'bitfield', have: 6, share: 0.15 },
    ],
    [
      'haves alone',
      said((box) => box.piece('have', 3)),
      { source: 'haves', have: 1, share: 0.025 },
    ],
  ])('has %s', async (_name, words, expected) => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), words, EXTENDED) });
    expect(await scene.probe()).toMatchObject({ pieces: { ...expected, total: 40 } });
  });

  test.each([
    ['all', HAVE_ALL, { source: 'have-all', share: 1 }],
    ['none', said((box) => box.plain('haveNone')), { source: 'have-none', have: 0, share: 0 }],
    [
      'a bitfield',
      said((box) => box.bitfield(Uint8Array.of(0xff, 0xc0))),
      { source: 'bitfield', have: 10, totalAtMost: 16 },
    ],
    [
      'a piece far out',
      said((box) => box.piece('have', 2 ** 21 - 1)),
      { source: 'haves', have: 1 },
    ],
  ])('of a torrent of an unknown number of pieces has %s', async (_name, words, expected) => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), words, EXTENDED) });
    const report = await scene.probe({ pieceCount: undefined });
    expect('pieces' in report && report.pieces).toEqual(expected);
  });

  test('without extensions and without pieces says nothing more, and is not waited for long', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: hello([]) });
    const report = await scene.probe();
    expect(report).toMatchObject({ client: { name: 'Transmission' }, closedByPeer: false });
    expect(report).not.toHaveProperty('extended');
    expect(report).not.toHaveProperty('pieces');
    expect(scene.world.now).toBeLessThan(3500);
    expect(concatBytes(...(scene.heard[0] ?? []))).toHaveLength(68);
  });

  test('may answer for the other hash of a hybrid torrent', async () => {
    await using scene = new ProbeScene();
    const otherHash = INFO_HASH.with(0, INFO_HASH[0] ?? 0 ^ 1);
    await scene.peer({ first: concatBytes(hello(['v2'], { infoHash: otherHash })) });
    expect(await scene.probe({ otherHash })).toMatchObject({ handshake: { infoHash: otherHash } });
  });

  test('that shakes hands a second time has said both', async () => {
    await using scene = new ProbeScene();
    const later = said((box) => box.extended(0, encodeUtf8('d1:md6:ut_pexi9e6:lt_texi3eee')));
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, EXTENDED, later) });
    const messages = new Map(Object.entries({ ut_pex: 9, ut_metadata: 0, lt_tex: 3 }));
    expect(await scene.probe()).toMatchObject({
      extended: { version: 'Transmission 3.00', reqq: 512, messages },
    });
  });

  test.each([
    [10, 10],
    [11, 10],
  ])('of %i extended handshakes %i are read', async (told, read) => {
    await using scene = new ProbeScene();
    const many = Array.from({ length: told }, (_, at) =>
      said((box) => box.extended(0, encode({ m: { [`x${at}`]: 1 } }))),
    );
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, ...many) });
    const report = await scene.probe();
    expect('extended' in report && report.extended?.messages.size).toBe(read);
  });

  test('that says two names is doubted', async () => {
    await using scene = new ProbeScene();
    await scene.peer({
      first: concatBytes(hello(undefined, { peerId: '-qB4520-abcdefghijkl' }), HAVE_ALL, EXTENDED),
    });
    expect(await scene.probe()).toMatchObject({
      client: { name: 'qBittorrent' },
      otherClient: 'Transmission',
    });
  });
});

describe('PEX', () => {
  test('is waited for, and ends the wait', async () => {
    await using scene = new ProbeScene();
    const first = concatBytes(hello(), HAVE_ALL, EXTENDED);
    const bytes = (at: number): Uint8Array => (at === 2 ? PEX : said((box) => box.keepAlive()));
    await scene.peer({ first, drip: { everyMs: 30_000, bytes } });
    const report = await scene.probe({ pexWaitMs: 120_000 });
    expect('pex' in report && report.pex).toEqual([
      { endpoint: { host: '10.0.0.7', port: 6881 }, flags: ['seed', 'holepunch', 'reachable'] },
      { endpoint: { host: '10.0.0.8', port: 80 }, flags: ['encryption', 'utp'] },
      { endpoint: { host: '2001:db8::1', port: 6881 }, flags: [] },
    ]);
    expect(scene.world.now).toBeGreaterThan(60_000);
    expect(scene.world.now).toBeLessThan(62_000);
  });

  test('that does not come ends with the wait, during which we are alive', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, EXTENDED) });
    const report = await scene.probe({ pexWaitMs: 150_000 });
    expect(report).not.toHaveProperty('pex');
    expect(scene.world.now).toBeGreaterThan(150_000);
    const sent = concatBytes(...(scene.heard[0] ?? []));
    expect([...sent.subarray(-8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('is not waited for when the peer has none, and not taken when it was not offered', async () => {
    await using scene = new ProbeScene();
    const none = said((box) => box.extended(0, encodeUtf8('d1:mdee')));
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, none, PEX) });
    await scene.probe({ pexWaitMs: 120_000 });
    expect(scene.world.now).toBeLessThan(1000);
    const report = await scene.probe({ pexWaitMs: undefined });
    expect(report).not.toHaveProperty('pex');
    const sent = Buffer.from(concatBytes(...(scene.heard[1] ?? []))).toString('latin1');
    expect(sent).not.toContain('ut_pex');
  });
});

describe('a peer that does not shake hands', () => {
  test.each([
    ['says nothing', {}, 'BIP_HANDSHAKE_TIMEOUT'],
    ['hangs up', { hangsUp: 'later' as const }, 'BIP_CLOSED'],
    ['breaks off', { hangsUp: 'at once' as const }, 'BIP_CLOSED'],
    [
      'speaks HTTP',
      { first: encodeUtf8('HTTP/1.1 400 Bad Request\r\n\r\n') },
      'BIP_NOT_BITTORRENT',
    ],
    [
      'speaks of another torrent',
      { first: hello(undefined, { infoHash: new Uint8Array(20) }) },
      'BIP_OTHER_TORRENT',
    ],
    ['is an echo', { answer: (bytes: Uint8Array) => bytes.slice() }, 'BIP_SELF'],
    ['stops in the middle', { first: hello().subarray(0, 67) }, 'BIP_HANDSHAKE_TIMEOUT'],
    [
      'drips',
      {
        drip: { everyMs: 500, bytes: (at: number) => hello().subarray(at, at + 1) },
      },
      'BIP_HANDSHAKE_TIMEOUT',
    ],
  ])('%s', async (_name, behaviour, code) => {
    await using scene = new ProbeScene();
    await scene.peer(behaviour);
    const found = await scene.probe();
    expect(found).toMatchObject({ error: { code }, attempts: [{ error: { code } }] });
    expect('error' in found && found.error.message).toContain('10.0.0.2:6881');
    expect(scene.world.now).toBeLessThanOrEqual(5100);
  });

  test('nobody listens', async () => {
    await using scene = new ProbeScene();
    expect(await scene.probe()).toMatchObject({ error: { code: 'BIP_REFUSED' } });
  });

  test('no packet comes through: only one way is tried', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: hello() });
    scene.world.partition([scene.us], [scene.them]);
    const found = await scene.probe({
      ways: [
        { transport: 'tcp', encryption: 'none' },
        { transport: 'tcp', encryption: 'rc4' },
      ],
    });
    expect(found.attempts).toHaveLength(1);
    expect(found).toMatchObject({ error: { code: 'BIP_CONNECT_TIMEOUT' } });
    expect(scene.world.now).toBeLessThanOrEqual(5100);
  });
});

describe('a peer that breaks rules after its handshake is named all the same', () => {
  const many = (speak: Parameters<typeof said>[0], times: number): Uint8Array => {
    const one = said(speak);
    return concatBytes(...Array.from({ length: times }, () => one));
  };
  test.each([
    ['a bitfield of 4 GiB', Uint8Array.of(255, 255, 255, 255, 5), 'BIP_PROTOCOL'],
    ['a bitfield with spare bits', said((box) => box.bitfield(new Uint8Array(6))), 'BIP_PROTOCOL'],
    ['a piece that does not exist', said((box) => box.piece('have', 40)), 'BIP_PROTOCOL'],
    ['no bencode', said((box) => box.extended(0, encodeUtf8('d1:m'))), 'BIP_BENCODE'],
    ['a flood of haves', many((box) => box.piece('have', 1), 120_000), 'BIP_FLOOD'],
    ['a flood of requests', many((box) => box.block('request', 0, 0, 16_384), 62_000), 'BIP_FLOOD'],
    [
      'blocks that nobody asked for',
      concatBytes(
        ...Array.from({ length: 70 }, () =>
          concatBytes(encodePieceHeader(0, 0, 16_384), new Uint8Array(16_384)),
        ),
      ),
      'BIP_FLOOD',
    ],
    [
      'false PEX',
      concatBytes(
        EXTENDED,
        said((box) => box.extended(1, encodeUtf8('d5:added5:12345e'))),
      ),
      'BIP_PROTOCOL',
    ],
  ])('%s', async (_name, words, code) => {
    await using scene = new ProbeScene();
    await scene.peer({ first: concatBytes(hello(), words) });
    const found = await scene.probe();
    expect(found).toMatchObject({ client: { name: 'Transmission' } });
    expect('fault' in found && found.fault?.code).toBe(code);
    // No answer to any of it.
    expect(concatBytes(...(scene.heard[0] ?? [])).length).toBeLessThan(200);
  });

  test('keep-alives without end do not hold us', async () => {
    await using scene = new ProbeScene();
    const drip = { everyMs: 50, bytes: () => said((box) => box.keepAlive()) };
    await scene.peer({ first: concatBytes(hello(), HAVE_ALL, EXTENDED), drip });
    expect(await scene.probe()).toMatchObject({ pieces: { share: 1 } });
    expect(scene.world.now).toBeLessThan(3500);
  });

  test('one that hangs up behind its handshake', async () => {
    await using scene = new ProbeScene();
    await scene.peer({ first: hello(), hangsUp: 'later' });
    const found = await scene.probe();
    expect(found).toMatchObject({ client: { name: 'Transmission' }, closedByPeer: true });
    expect(found).not.toHaveProperty('fault');
  });
});

test('an abort closes everything and is thrown', async () => {
  await using scene = new ProbeScene();
  await scene.peer({});
  const controller = new AbortController();
  const { clock } = scene.us.runtime;
  clock.schedule(clock.now() + 1000, () => controller.abort(new Error('enough')));
  await expect(scene.probe({ signal: controller.signal })).rejects.toThrow('enough');
  expect(scene.world.now).toBeLessThan(1100);
});

test('whatever bytes come, in whatever pieces, the end comes in time', async () => {
  for (let seed = 0; seed < 30; seed++) {
    await using scene = new ProbeScene();
    const { random } = scene.world;
    const rubbish = random.bytes(random.uint32() % 3000);
    await scene.peer({ first: concatBytes(hello(['fast', 'extended']), rubbish) });
    expect(await scene.probe()).toMatchObject({ client: { name: 'Transmission' } });
    expect(scene.world.now).toBeLessThan(4000);
  }
});
