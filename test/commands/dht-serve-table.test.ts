/** `bip dht serve --table`: id and nodes over restarts, and what is told of their file. */

import { describe, expect, test } from 'vitest';
import { decodeState, encodeState } from '../../src/dht/index.ts';
import { DhtServeScene, type ServedDht } from './dht-serve-world.ts';
import { eventsOf } from './serve-world.ts';

const TABLE = ['--table', '/table'];

async function joined(scene: DhtServeScene, ...argv: string[]): Promise<ServedDht> {
  const serving = await scene.serve([...TABLE, '--bootstrap', scene.nodeAt(0), ...argv]);
  await scene.world.runFor(60_000);
  return serving;
}

function read(scene: DhtServeScene): Promise<Uint8Array> {
  const { files } = scene.us.runtime;
  return scene.world.run(files.readFile('/table', { maxBytes: 1_000_000 }));
}

describe('restarts', () => {
  test('the id and the nodes are there again, and no other node has to be named', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    const first = await joined(scene, '--json');
    const id = first.told('address')[0]?.['nodeId'];
    const before = await first.stop('SIGTERM');
    expect(before.code).toBe(143);
    const [saved, end] = eventsOf(before).slice(-2);
    expect(saved).toMatchObject({ type: 'saved', path: '/table' });
    expect(end).toMatchObject({ type: 'end' });
    await scene.world.runFor(60_000);
    const second = await scene.serve([...TABLE, '--no-bootstrap', '--json']);
    expect(second.told('listening')[0]).toMatchObject({
      nodeIds: { ipv4: id },
      restored: { nodes: saved?.['nodes'] },
    });
    await scene.world.runFor(60_000);
    // The id fits the address already, and is the only one.
    expect(second.told('joined')).toEqual([
      { type: 'joined', family: 'ipv4', nodeId: id, nodes: expect.any(Number) },
    ]);
    expect(Number(second.told('joined')[0]?.['nodes'])).toBeGreaterThanOrEqual(8);
    await second.stop();
  });

  test('are told to people', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    await (await joined(scene)).stop();
    const again = await joined(scene);
    expect((await again.stop()).stderr).toMatch(
      /^restored \d+ nodes\njoined the DHT of IPv4 by \d+ nodes\nsaved \d+ nodes to \/table\n$/,
    );
  });

  test('without a network lose nothing', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    await (await joined(scene)).stop();
    const saved = await read(scene);
    for (const { host } of scene.members) host.crash();
    await (await joined(scene)).stop();
    expect(decodeState(await read(scene))).toEqual(decodeState(saved));
  });

  test('keep a family that this run takes no part in', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(10);
    const six = { id: new Uint8Array(20).fill(6), nodes: new Uint8Array(38).fill(0x20) };
    const files = { '/table': encodeState({ 6: six }) };
    const serving = await scene.serve([...TABLE, '--bootstrap', scene.nodeAt(0)], { files });
    await scene.world.runFor(60_000);
    await serving.stop();
    const state = decodeState(await read(scene));
    expect(state[6]).toEqual(six);
    expect(state[4]?.nodes.length).toBeGreaterThanOrEqual(8 * 26);
  });
});

describe('the file', () => {
  test('is written at once, every five minutes, or as often as is wanted', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(3);
    const serving = await joined(scene, '--json');
    expect(decodeState(await read(scene))[4]?.id).toHaveLength(20);
    expect(serving.told('saved')).toEqual([]);
    await scene.world.runFor(250_000);
    expect(serving.told('saved')).toHaveLength(1);
    await serving.stop();
    const often = await joined(scene, '--json', '--save-every', '20s');
    expect(often.told('saved').length).toBeGreaterThanOrEqual(2);
    await often.stop();
  });

  test.each<[string, Uint8Array | string, RegExp]>([
    [
      'cut short',
      encodeState({ 4: { id: new Uint8Array(20), nodes: new Uint8Array(26) } }).subarray(0, 50),
      /./,
    ],
    ['something else', 'd4:name5:otherdi1ee', /./],
    ['empty', '', /./],
    ['of another kind', 'd1:ai1ee', /this is no table of DHT nodes: it has no nodes/],
  ])('that is %s is refused, and stays as it is', async (_, bytes, why) => {
    await using scene = new DhtServeScene();
    const serving = scene.start([...TABLE, '--no-bootstrap'], { files: { '/table': bytes } });
    const { code, stdout, stderr } = await scene.world.run(serving.ended);
    expect([code, stdout, scene.us.open]).toEqual([3, '', []]);
    const help = 'move it away to begin without it, or name another file with --table';
    expect(stderr).toMatch(new RegExp(`^error: /table: .*; ${help}\n$`));
    expect(stderr).toMatch(why);
    const planted = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
    expect(await read(scene)).toEqual(Uint8Array.from(planted));
  });

  test('that cannot be written is told before anything is asked: exit 4', async () => {
    await using scene = new DhtServeScene();
    const serving = scene.start(['--table', '/nowhere/table', '--no-bootstrap']);
    const { code, stdout, stderr } = await scene.world.run(serving.ended);
    expect([code, stdout, scene.us.open]).toEqual([4, '', []]);
    expect(stderr).toMatch(/^error: .*\/nowhere\//);
  });

  test('that cannot be written later is told, and the node goes on', async () => {
    await using scene = new DhtServeScene();
    await scene.populate(3);
    const serving = await joined(scene, '--json', '--save-every', '1m30s');
    const { files } = scene.us.runtime;
    await scene.world.run(files.remove('/table'));
    await scene.world.run(files.makeDirectory('/table/is/a/folder'));
    await scene.world.runFor(60_000);
    expect(serving.told('save-failed')).toEqual([
      { type: 'save-failed', code: 'BIP_IS_DIRECTORY', message: expect.stringContaining('/table') },
    ]);
    const { stderr, code } = await serving.stop();
    expect([code, stderr]).toEqual([130, '']);
  });

  test('is not touched when the port is taken', async () => {
    await using scene = new DhtServeScene();
    const state = encodeState({ 4: { id: new Uint8Array(20), nodes: new Uint8Array(26) } });
    const { network } = scene.us.runtime;
    const { signal } = scene;
    await using _ = await scene.world.run(network.bindDatagrams({ port: 6881, signal }));
    const serving = scene.start([...TABLE], { files: { '/table': state } });
    expect((await scene.world.run(serving.ended)).code).toBe(1);
    expect(await read(scene)).toEqual(state);
  });
});
