/** Clients as they should be, after those that are not. @module */

import { expect } from 'vitest';
import type { Endpoint } from '../../../src/base/endpoint.ts';
import { decodeAnnounce, decodeScrape } from '../../../src/tracker/http/codec.ts';
import { decodeResponse, type UdpResponse } from '../../../src/tracker/udp/codec.ts';
import type { BareService } from './bare-service.ts';
import { announceTarget, scrapeTarget } from './desk.ts';
import { MEMBER_OPTIONS, PASSKEY } from './fuzz-inputs.ts';
import {
  type AnnounceFields,
  announcePacket,
  connectPacket,
  hashOf,
  TRANSACTION,
} from './udp-desk.ts';

/** No other client is in this swarm. */
const INFO_HASH = hashOf(77);
const FIRST = '198.18.1.1';
const SECOND = '198.18.2.2';
const THIRD = '2001:db8:77::3';

/** A leecher and a seed over UDP and one over HTTP find each other, and the counts are right. */
export async function serveOthers(bare: BareService): Promise<void> {
  expect(announceUdp(bare, FIRST, { port: 1001 })).toMatchObject({
    action: 'announce',
    transaction: TRANSACTION,
    leechers: 1,
    seeders: 0,
    peers: [],
  });
  expect(announceUdp(bare, SECOND, { port: 1002, left: 0n })).toMatchObject({
    leechers: 1,
    seeders: 1,
    peers: [{ host: FIRST, port: 1001 }],
  });
  const target = { info_hash: INFO_HASH, port: 1003 };
  const body = await get(bare, announceTarget(target, `/${PASSKEY}/announce`));
  const third = decodeAnnounce(body);
  expect(third).toMatchObject({ type: 'announce', leechers: 2, seeders: 1, externalIp: THIRD });
  const peers = third.type === 'announce' ? third.peers : [];
  expect(peers.toSorted((one, other) => one.port - other.port)).toEqual([
    { host: FIRST, port: 1001 },
    { host: SECOND, port: 1002 },
  ]);
  const scraped = decodeScrape(await get(bare, `/${PASSKEY}${scrapeTarget(INFO_HASH)}`));
  expect(scraped.type === 'scrape' && [...scraped.swarms.values()]).toEqual([
    expect.objectContaining({ seeders: 1, leechers: 2, completed: 0 }),
  ]);
  expect(announceUdp(bare, FIRST, { port: 1001, event: 3 })).toMatchObject({
    leechers: 1,
    seeders: 1,
  });
}

/** Asks for a connection id first, as BEP 15 wants. */
function announceUdp(
  bare: BareService,
  host: string,
  fields: Partial<AnnounceFields>,
): UdpResponse | undefined {
  const from: Endpoint = { host, port: 40_000 };
  const id = bare.packet(connectPacket(), from)?.slice(8, 16) ?? new Uint8Array(8);
  const own = { infoHash: INFO_HASH, options: MEMBER_OPTIONS, ...fields };
  const answer = bare.packet(announcePacket(id, own), from);
  return answer === undefined ? undefined : decodeResponse(answer, 4);
}

/** The body of the answer to {@link THIRD} over HTTP. */
async function get(bare: BareService, target: string): Promise<Uint8Array> {
  const from: Endpoint = { host: THIRD, port: 40_000 };
  const reply = await bare.request({ method: 'GET', target, headers: {}, from });
  expect(reply?.status ?? 200).toBe(200);
  const body = reply?.body;
  if (body instanceof Uint8Array) return body.slice();
  throw new Error(`${target} is answered by ${String(body)}`);
}
