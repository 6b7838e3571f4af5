/** Any message that can be sent, for properties. @module */

import fc from 'fast-check';
import { formatIp } from '../../../src/base/ip.ts';
import { decode, encode } from '../../../src/bencode/index.ts';
import type {
  KrpcError,
  KrpcQuery,
  KrpcResponse,
  QueryArguments,
} from '../../../src/dht/krpc/index.ts';
import { anyValue, latin1 } from '../../bencode/values.ts';

const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const id = exactly(20);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const token = fc.uint8Array({ minLength: 1, maxLength: 128 });
const transaction = fc.uint8Array({ minLength: 1, maxLength: 32 });
const entries = (length: number, most: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(exactly(length), { maxLength: most })
    .map((all) => Uint8Array.from(all.flatMap((entry) => [...entry])));

/** Canonical bencode that fits into a message. */
const value = anyValue.map(encode).filter((data) => data.length <= 200 && levelsOf(data) <= 8);

function levelsOf(data: Uint8Array): number {
  let levels = 0;
  let nodes = [decode(data)];
  for (; nodes.length > 0; levels++) nodes = nodes.flatMap((node) => [...node.values()]);
  return levels;
}

const endpoint = fc.record({
  host: fc.oneof(exactly(4), exactly(16)).map(formatIp),
  port: fc.nat(0xffff),
});

const given: { requiredKeys: [] } = { requiredKeys: [] };
const envelope = fc.record({ version: fc.uint8Array({ maxLength: 8 }) }, given);

const OPTIONAL = {
  target: id,
  infoHash: id,
  want: fc.constantFrom({ n4: true, n6: false }, { n4: false, n6: true }, { n4: true, n6: true }),
  port: fc.integer({ min: 1, max: 0xffff }),
  impliedPort: fc.boolean(),
  token,
  seed: fc.boolean(),
  noSeed: fc.boolean(),
  scrape: fc.boolean(),
  sequence: int64,
  compareSequence: int64,
  publicKey: exactly(32),
  salt: fc.uint8Array({ maxLength: 80 }),
  signature: exactly(64),
  value,
};

const NEEDED: Readonly<Record<string, readonly (keyof typeof OPTIONAL)[]>> = {
  ping: [],
  find_node: ['target'],
  get_peers: ['infoHash'],
  announce_peer: ['infoHash', 'port', 'token'],
  get: ['target'],
  put: ['token', 'value', 'sequence', 'signature'],
  sample_infohashes: ['target'],
};

const method = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(NEEDED)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map(latin1) },
);

const args = (name: string): fc.Arbitrary<QueryArguments> =>
  fc.record({ id, ...OPTIONAL }, { requiredKeys: ['id', ...(NEEDED[name] ?? [])] });

export const anyQuery: fc.Arbitrary<KrpcQuery> = method.chain((name) =>
  fc
    .tuple(envelope, transaction, args(name), fc.boolean())
    .map(([rest, chosen, values, readOnly]) => ({
      ...rest,
      type: 'query' as const,
      transaction: chosen,
      method: name,
      args: values,
      readOnly,
    })),
);

/** All of them at their longest fit into one packet. */
const RETURNED = {
  nodes: entries(26, 8),
  nodes6: entries(38, 8),
  values: fc.array(fc.oneof(exactly(6), exactly(18)), { maxLength: 12 }),
  token,
  seedBloom: exactly(256),
  peerBloom: exactly(256),
  samples: entries(20, 3),
  sampleTotal: fc.maxSafeNat(),
  intervalSeconds: fc.nat(21_600),
  sequence: int64,
  publicKey: exactly(32),
  signature: exactly(64),
  value,
  externalAddress: endpoint,
};

export const anyResponse: fc.Arbitrary<KrpcResponse> = fc
  .tuple(envelope, transaction, id, fc.record(RETURNED, given))
  .map(([rest, chosen, sender, returned]) => ({
    ...rest,
    ...returned,
    type: 'response' as const,
    transaction: chosen,
    id: sender,
  }));

/** Words that are safe to show as they are. */
const text = fc
  .array(fc.stringMatching(/^[!-~ä€𝄞]{1,12}$/u), { maxLength: 12 })
  .map((words) => words.join(' '));

export const anyError: fc.Arbitrary<KrpcError> = fc
  .tuple(
    envelope,
    transaction,
    fc.maxSafeInteger(),
    text,
    fc.record({ externalAddress: endpoint }, given),
  )
  .map(([rest, chosen, code, message, seen]) => ({
    ...rest,
    ...seen,
    type: 'error' as const,
    transaction: chosen,
    code,
    message,
  }));

export const anyMessage: fc.Arbitrary<KrpcQuery | KrpcResponse | KrpcError> = fc.oneof(
  anyQuery,
  anyResponse,
  anyError,
);
