/** The file of a node's id and nodes. */

import { describe, expect, test } from 'vitest';
import { ProtocolError, StorageError } from '../../src/base/errors.ts';
import { readTable, shareTable, writeTable } from '../../src/dht/index.ts';
import { makeWorld } from '../sim/world.ts';

const PATH = '/table';
const STATE = { 4: { id: new Uint8Array(20).fill(1), nodes: new Uint8Array(52).fill(7) } };
const OTHER = { 4: { id: new Uint8Array(20).fill(2), nodes: new Uint8Array(26).fill(8) } };
const NOBODY = { 4: { id: new Uint8Array(20).fill(3), nodes: new Uint8Array(0) } };

describe('a table file', () => {
  test('that is not there is no fault', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    expect(await world.run(readTable(files, PATH))).toBeUndefined();
  });

  test('has what was written', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    await world.run(writeTable(files, PATH, STATE));
    expect(await world.run(readTable(files, PATH))).toEqual(STATE);
  });

  test('of something else is named, and left alone by who shares it', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    const bytes = new TextEncoder().encode('d1:ai1ee');
    await world.run(files.writeFile(PATH, bytes));
    const message = '/table: this is no table of DHT nodes: it has no nodes';
    await expect(world.run(readTable(files, PATH))).rejects.toThrow(message);
    await expect(world.run(shareTable(files, PATH, STATE))).rejects.toThrow(ProtocolError);
    expect(await world.run(files.readFile(PATH, { maxBytes: 99 }))).toEqual(bytes);
  });

  test('that is too long is not read', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    await world.run(files.writeFile(PATH, new Uint8Array(256 * 1024 + 1)));
    await expect(world.run(readTable(files, PATH))).rejects.toThrow(StorageError);
  });
});

describe('a file that several write to', () => {
  test('keeps what the others know', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    await world.run(shareTable(files, PATH, { ...STATE, port: 6881 }));
    await world.run(shareTable(files, PATH, { ...OTHER, port: 6882 }));
    const { id, nodes } = OTHER[4];
    // Both entries of the first are one address.
    const all = Uint8Array.from([...nodes, ...STATE[4].nodes.subarray(0, 26)]);
    expect(await world.run(readTable(files, PATH))).toEqual({ 4: { id, nodes: all }, port: 6882 });
  });

  test('is not made for nobody, and not emptied either', async () => {
    const world = makeWorld();
    const { files } = world.host('10.0.0.1').runtime;
    await world.run(shareTable(files, PATH, NOBODY));
    expect(await world.run(readTable(files, PATH))).toBeUndefined();
    await world.run(shareTable(files, PATH, OTHER));
    await world.run(shareTable(files, PATH, NOBODY));
    const table = await world.run(readTable(files, PATH));
    expect(table?.[4]?.nodes).toEqual(OTHER[4].nodes);
  });
});
