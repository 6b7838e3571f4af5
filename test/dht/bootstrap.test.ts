/** Whom a node begins with: names are looked up at once, and nobody waits for the slowest. */

import { describe, expect, test } from 'vitest';
import { DhtWorld, PORT, publicAddress } from './dht-world.ts';

const ROUTERS = [
  { host: 'slow.example', port: PORT },
  { host: 'fast.example', port: PORT },
];

/** Some nodes, the first of which has a name; that of the other router nobody answers for. */
async function withNames(dht: DhtWorld, fast = publicAddress(0)): Promise<void> {
  await dht.populate(10);
  dht.world.names.set('fast.example', [fast]);
  dht.world.names.unanswered.add('slow.example');
}

describe('names of routers', () => {
  test('a search begins with the first that is found', async () => {
    await using dht = new DhtWorld();
    await withNames(dht);
    const us = await dht.open(publicAddress(50), { bootstrap: ROUTERS });
    dht.members.push(us);
    const began = dht.world.now;
    await dht.world.run(us.node.join());
    // A silent name server is asked for ten seconds.
    expect(dht.world.now - began).toBeLessThan(5000);
    expect(us.node.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  });

  test('who comes late is asked, when the others are dead', async () => {
    await using dht = new DhtWorld();
    await withNames(dht, '203.0.113.9');
    dht.world.names.set('slow.example', [publicAddress(1)]);
    const us = await dht.open(publicAddress(50), { bootstrap: ROUTERS });
    dht.members.push(us);
    const joined = us.node.join();
    await dht.world.runFor(1000);
    expect(us.node.realms[0]?.counters.queriesOut).toBe(1);
    await dht.world.run(joined);
    // The name server said nothing to the end: the next search asks it again.
    expect(us.node.realms[0]?.table.size).toBe(0);
    dht.world.names.unanswered.clear();
    await dht.world.runFor(60_000);
    expect(us.node.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  });

  test('a name that is found while a search is under way joins it', async () => {
    await using dht = new DhtWorld();
    await dht.populate(10);
    dht.world.names.set('fast.example', [publicAddress(0)]);
    const bootstrap = [{ host: '203.0.113.9', port: PORT }, ...ROUTERS.slice(1)];
    const us = await dht.open(publicAddress(50), { bootstrap });
    dht.members.push(us);
    await dht.world.run(us.node.join());
    expect(us.node.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  });

  test('nodes of an earlier run wait for no name', async () => {
    await using dht = new DhtWorld();
    await withNames(dht);
    dht.world.names.silent = true;
    const state = dht.member(3).node.save();
    const us = await dht.open(publicAddress(50), { bootstrap: ROUTERS, state });
    dht.members.push(us);
    const began = dht.world.now;
    await dht.world.run(us.node.join());
    expect(dht.world.now - began).toBeLessThan(5000);
    expect(us.node.realms[0]?.table.size).toBeGreaterThanOrEqual(8);
  });

  test('a search that is given up leaves the others what was looked up for it', async () => {
    await using dht = new DhtWorld();
    await withNames(dht);
    const us = await dht.open(publicAddress(50), { bootstrap: ROUTERS });
    dht.members.push(us);
    const target = new Uint8Array(20);
    const ending = new AbortController();
    const one = us.node.findNodes(target, { signal: ending.signal });
    const other = us.node.findNodes(target, { signal: dht.signal });
    const reason = new Error('enough');
    ending.abort(reason);
    await expect(one).rejects.toBe(reason);
    const [found] = await dht.world.run(other);
    expect(found?.closest).toHaveLength(8);
  });

  test('a node that is closed while names are looked up leaves nothing behind', async () => {
    await using dht = new DhtWorld();
    await withNames(dht);
    dht.world.names.silent = true;
    const us = await dht.open(publicAddress(50), { bootstrap: ROUTERS });
    const joined = us.node.join();
    await dht.world.runFor(5);
    await dht.world.run(us.node[Symbol.asyncDispose]());
    await joined;
    expect(us.host.open).toEqual([]);
  });
});
