import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { KrpcQuery, KrpcResponse } from '../../src/dht/krpc/index.ts';
import { LONG_TIMEOUT_MS, Rpc, type RpcHandler, SHORT_TIMEOUT_MS } from '../../src/dht/rpc.ts';
import type { World } from '../../src/runtime/sim/index.ts';
import { makeWorld } from '../sim/world.ts';

const NODE: Endpoint = { host: '192.0.2.1', port: 6881 };
const ID = new Uint8Array(20).fill(7);

interface Desk {
  readonly world: World;
  readonly rpc: Rpc;
  /** Transactions that went out, copied. */
  readonly sent: Uint8Array[];
  /** What became of the queries, with the time. */
  readonly log: string[];
}

function desk(): Desk {
  const world = makeWorld();
  const { clock, random } = world.host('192.0.2.2').runtime;
  const sent: Uint8Array[] = [];
  const rpc = new Rpc({
    clock,
    random,
    readOnly: true,
    version: Uint8Array.of(1),
    send: ({ transaction }: KrpcQuery) => void sent.push(transaction.slice()),
  });
  return { world, rpc, sent, log: [] };
}

function handler({ world, log }: Desk, name = 'it'): RpcHandler {
  const note = (what: string): void => void log.push(`${name} ${what} ${world.now}`);
  return {
    answered: (_, rttMs) => note(`answered in ${rttMs} at`),
    refused: ({ code }) => note(`refused by ${code} at`),
    slow: () => note('slow at'),
    timedOut: () => note('timed out at'),
  };
}

function response(transaction: Uint8Array): KrpcResponse {
  return { type: 'response', transaction, id: ID };
}

describe('an answer', () => {
  test('belongs to the query with its transaction, at that address and port', async () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    const [transaction = ID] = at.sent;
    await at.world.runFor(30);
    expect(at.rpc.receive(response(transaction), { ...NODE, port: 6882 })).toBe(false);
    expect(at.rpc.receive(response(transaction), { ...NODE, host: '192.0.2.9' })).toBe(false);
    expect(at.rpc.receive(response(Uint8Array.of(1, 2, 3, 4)), NODE)).toBe(false);
    expect(at.rpc.receive(response(transaction.subarray(0, 3)), NODE)).toBe(false);
    expect(at.log).toEqual([]);
    expect(at.rpc.receive(response(transaction), NODE)).toBe(true);
    expect(at.log).toEqual(['it answered in 30 at 30']);
    expect(at.rpc.receive(response(transaction), NODE), 'a second time').toBe(false);
    await at.world.runToRest();
    expect(at.log).toHaveLength(1);
    expect(at.rpc.size).toBe(0);
  });

  test('may be an error', () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    const [transaction = ID] = at.sent;
    at.rpc.receive({ type: 'error', transaction, code: 202, message: '' }, NODE);
    expect(at.log).toEqual(['it refused by 202 at 0']);
  });

  test('counts between the short and the long time', async () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    const [transaction = ID] = at.sent;
    await at.world.runFor(SHORT_TIMEOUT_MS + 500);
    expect(at.rpc.receive(response(transaction), NODE)).toBe(true);
    await at.world.runToRest();
    expect(at.log).toEqual(['it slow at 1000', 'it answered in 1500 at 1500']);
  });
});

describe('time', () => {
  test('runs out for each query on its own', async () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at, 'one'));
    await at.world.runFor(600);
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at, 'two'));
    await at.world.runToRest();
    expect(at.log).toEqual([
      'one slow at 1000',
      'two slow at 1600',
      `one timed out at ${LONG_TIMEOUT_MS}`,
      `two timed out at ${LONG_TIMEOUT_MS + 600}`,
    ]);
  });

  test('does not run when nothing waits', async () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    await at.world.runToRest();
    expect(at.world.now).toBe(LONG_TIMEOUT_MS);
  });

  test('a query that is asked for a second time when it is slow waits its own time', async () => {
    const at = desk();
    const second = handler(at, 'second');
    at.rpc.query(
      NODE,
      'ping',
      { id: ID },
      {
        ...handler(at, 'first'),
        slow: () => at.rpc.query(NODE, 'ping', { id: ID }, second),
      },
    );
    await at.world.runToRest();
    expect(at.log).toEqual([
      'second slow at 2000',
      'first timed out at 8000',
      'second timed out at 9000',
    ]);
  });

  test('ends with a stop, and nobody hears of it', async () => {
    const at = desk();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    at.rpc.stop();
    at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
    await at.world.runToRest();
    expect(at.log).toEqual([]);
    expect(at.sent).toHaveLength(1);
    expect(at.world.now).toBe(0);
  });
});

test('transactions are not to be guessed', () => {
  const at = desk();
  for (let count = 0; count < 200; count++) at.rpc.query(NODE, 'ping', { id: ID }, handler(at));
  const values = at.sent.map((bytes) => bytes.join('.'));
  expect(new Set(values).size).toBe(200);
  expect(new Set(at.sent.map(([first]) => first)).size).toBeGreaterThan(50);
});
