/** What trackers have written to a Redis, read as bip writes it. @module */

import { formatHex } from '../../src/base/bytes.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import { clock } from '../../src/runtime/node/clock.ts';
import { openRedis } from '../../src/runtime/node/redis.ts';
import type { RedisScript } from '../../src/runtime/ports.ts';
import { swarmKeys } from '../../src/tracker/server/redis-script.ts';

/** Compact addresses in hex with the infohash before them, seed or leecher; `both` is never right. */
export type PresentPeers = ReadonlyMap<string, 'seed' | 'leecher' | 'both'>;

/** The peers of these swarms. @throws {NetworkError} when Redis is away. */
export async function peersInRedis(
  url: string,
  infoHashes: readonly InfoHash[],
): Promise<PresentPeers> {
  await using link = await openRedis(url, { signal: NEVER, clock, commandTimeoutMs: 10_000 });
  const present = new Map<string, 'seed' | 'leecher' | 'both'>();
  for (const { wire, hex } of infoHashes) {
    const sets = membersOf(await link.evaluate(MEMBERS, swarmKeys('bip:', wire), []));
    for (const [at, members] of sets.entries()) {
      for (const member of members) {
        const name = `${hex} ${member}`;
        present.set(name, present.has(name) ? 'both' : at % 2 === 0 ? 'seed' : 'leecher');
      }
    }
  }
  return present;
}

function membersOf(sets: unknown): readonly (readonly string[])[] {
  if (!Array.isArray(sets)) throw new Error('Redis gives no lists');
  return sets.map((set: unknown) => {
    if (!Array.isArray(set)) throw new Error('Redis gives no list');
    return set.map((member: unknown) => {
      if (!(member instanceof Uint8Array)) throw new Error('Redis gives no bytes');
      return formatHex(member);
    });
  });
}

const MEMBERS: RedisScript = {
  text: `
local sets = {}
for at = 1, 4 do sets[at] = redis.call('ZRANGE', KEYS[at], 0, -1) end
return sets
`,
};
const NEVER = new AbortController().signal;
