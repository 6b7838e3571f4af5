/** What can be told of a node while it runs. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { parseIp } from '../base/ip.ts';
import type { Millis } from '../runtime/ports.ts';
import type { Family } from './contact.ts';
import type { RealmCounters } from './counters.ts';
import type { DhtNode } from './node.ts';
import type { Realm } from './realm.ts';
import { isSecureId } from './secure-id.ts';

export interface DhtReport {
  readonly families: readonly FamilyReport[];
  /** Kept for others. */
  readonly torrents: number;
  readonly peers: number;
  readonly items: number;
}

/** Of the DHT of one family. */
export interface FamilyReport {
  readonly family: Family;
  readonly local: Endpoint;
  /** 20 bytes. */
  readonly id: Uint8Array;
  /** Where others see us; undefined until enough agree. */
  readonly externalHost: string | undefined;
  /** Whether the id may be that of a node at this address (BEP 42). */
  readonly isSecure: boolean | undefined;
  /** In the routing table. */
  readonly nodes: number;
  /** Of them, those that were heard of lately. */
  readonly goodNodes: number;
  /** Candidates, and nodes that wait for a place. */
  readonly spares: number;
  readonly counters: RealmCounters;
}

/** The present state of a node; the counters in it are copies. */
export function reportOf(node: DhtNode, now: Millis): DhtReport {
  const { peers, items } = node.stores;
  return {
    families: node.realms.map((realm) => familyReport(realm, now)),
    torrents: peers.torrents,
    peers: peers.peers,
    items: items.size,
  };
}

/** Whether the id of a realm fits where others see it; undefined while nobody knows. */
export function hasSecureId({ table, externalHost }: Realm): boolean | undefined {
  const ip = externalHost === undefined ? undefined : parseIp(externalHost);
  return ip && isSecureId(table.ownId, ip);
}

function familyReport(realm: Realm, now: Millis): FamilyReport {
  const { family, local, table, externalHost, counters } = realm;
  const nodes = table.buckets(now).flatMap((bucket) => bucket.nodes);
  return {
    family,
    local,
    id: table.ownId.slice(),
    externalHost,
    isSecure: hasSecureId(realm),
    nodes: nodes.length,
    goodNodes: nodes.filter(({ state }) => state === 'good').length,
    spares: table.replacements,
    counters: {
      ...counters,
      kindsIn: { ...counters.kindsIn },
      kindsOut: { ...counters.kindsOut },
    },
  };
}
