import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../../src/base/bytes.ts';
import { type Endpoint, encodeCompact } from '../../../src/base/endpoint.ts';
import { immutableTarget } from '../../../src/dht/index.ts';
import {
  decodeMessage,
  type KrpcError,
  type KrpcQuery,
  type KrpcResponse,
  KrpcWriter,
} from '../../../src/dht/krpc/index.ts';
import { DhtWorld, PORT } from '../dht-world.ts';

const HASH = new Uint8Array(20).fill(0x5a);
const OLD = { host: '80.9.9.1', port: PORT };
const READ_ONLY = { readOnly: true, bootstrap: [OLD] };

/** What an old node says to a query that is no find_node; undefined for nothing. */
type Answer = Omit<KrpcResponse, 'id' | 'transaction'> | Omit<KrpcError, 'transaction'> | undefined;

/** A node of the first days: to find_node it names one node that it knows. */
async function openOldNode(dht: DhtWorld, knows: Endpoint, answer: Answer): Promise<void> {
  const { runtime } = dht.world.host(OLD.host);
  const socket = await runtime.network.bindDatagrams({ ...OLD, signal: dht.signal });
  const writer = new KrpcWriter();
  const id = new Uint8Array(20).fill(0xa5);
  const [known] = await dht.world.run(dht.member(0).node.findNodes(id, { signal: dht.signal }));
  const contact = known?.closest.find(({ endpoint }) => endpoint.host === knows.host);
  const nodes = new Uint8Array(26);
  nodes.set(contact?.id ?? id);
  nodes.set(encodeCompact(knows) ?? id, 20);
  const said = (query: KrpcQuery): Answer =>
    query.method === 'find_node' ? { type: 'response', nodes } : answer;
  socket.receive((bytes, from) => {
    const query = decodeMessage(bytes);
    if (query.type !== 'query') return;
    const { transaction } = query;
    const what = said(query);
    if (what?.type === 'response') socket.send(writer.encode({ ...what, id, transaction }), from);
    else if (what !== undefined) socket.send(writer.encode({ ...what, transaction }), from);
  });
}

test('a search goes on when the only node to begin with gives peers and names no nodes', async () => {
  await using dht = new DhtWorld();
  await dht.populate(20);
  const { signal, world } = dht;
  const announce = { port: 5000, seed: false };
  await world.run(dht.member(3).node.findPeers(HASH, { signal, announce }));
  const values = [Uint8Array.of(80, 1, 2, 3, 0x1a, 0xe1)];
  await openOldNode(dht, dht.member(7).endpoint, { type: 'response', values });
  const { node } = await dht.open('80.8.8.1', READ_ONLY);
  const [found] = await world.run(node.findPeers(HASH, { signal }));
  expect(found?.peers).toContainEqual({ host: '80.1.2.3', port: 6881 });
  expect(found?.peers).toContainEqual({ host: dht.member(3).endpoint.host, port: 5000 });
  expect(found?.lookup.closest).toHaveLength(8);
  await node[Symbol.asyncDispose]();
});

test.each([
  { name: 'refuses', answer: { type: 'error', code: 204, message: 'Method Unknown' } as const },
  { name: 'does not answer', answer: undefined },
])('an item is found when the only node to begin with $name', async ({ answer }) => {
  await using dht = new DhtWorld();
  await dht.populate(20);
  const { signal, world } = dht;
  const value = encodeUtf8('5:hello');
  const item = { type: 'immutable', value } as const;
  const target = immutableTarget(value);
  await world.run(dht.member(3).node.putItem(target, { signal, make: () => item }));
  await openOldNode(dht, dht.member(7).endpoint, answer);
  const { node } = await dht.open('80.8.8.1', READ_ONLY);
  const [found] = await world.run(node.getItem(target, { signal }));
  expect(found?.item).toEqual(item);
  await node[Symbol.asyncDispose]();
});
