/** Announces, told to people. @module */

import { formatHex } from '../../base/bytes.ts';
import { formatEndpoint } from '../../base/endpoint.ts';
import { formatIp } from '../../base/ip.ts';
import { EVENT, type IncomingAnnounce, type Refusal, type Wanted } from './model.ts';
import type { AnnounceNote } from './setup.ts';

const EVENT_NAMES = {
  [EVENT.none]: 'announce',
  [EVENT.started]: 'started',
  [EVENT.completed]: 'completed',
  [EVENT.stopped]: 'stopped',
} as const;

/** A note that stays when the announce is overwritten by the next one. */
export function noteOf(
  announce: IncomingAnnounce,
  wanted: Wanted,
  refused: Refusal | undefined,
): AnnounceNote {
  const { infoHash, address, port, seeding, event } = announce;
  return {
    event: EVENT_NAMES[event],
    infoHash: formatHex(infoHash),
    peer: formatEndpoint({ host: formatIp(address), port }),
    seeding: seeding || event === EVENT.completed,
    transport: wanted === 'same-family' ? 'udp' : 'http',
    ...(refused === undefined ? {} : { refused }),
  };
}
