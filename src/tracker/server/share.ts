/** Swarms that several trackers share, by way of Redis. @module */

import type { RedisLink, Runtime } from '../../runtime/ports.ts';
import { RedisSwarms } from './redis-store.ts';
import type { OpenShared } from './serving.ts';

/** How to get to Redis, and who wants to hear when it goes and comes. */
export interface RedisAccess {
  readonly open: (url: string) => Promise<RedisLink>;
  readonly onChange?: (up: boolean, reason?: string) => void;
}

export function shareByRedis(
  { clock, random }: Pick<Runtime, 'clock' | 'random'>,
  { open, onChange }: RedisAccess,
): OpenShared {
  return async ({ url, prefix }, store) => {
    const link = await open(url);
    return new RedisSwarms({
      link,
      store,
      clock,
      random,
      prefix,
      peerLifetimeSeconds: store.handle.peerLifetimeSeconds,
      ...(onChange === undefined ? {} : { onChange }),
    });
  };
}
