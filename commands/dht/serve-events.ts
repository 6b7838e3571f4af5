/** What `dht serve` tells while it runs. @module */

import type { QueryKind } from '../../src/dht/index.ts';

export type FamilyName = 'ipv4' | 'ipv6';

/** Of each kind of query. */
export type ByKind = Readonly<Record<QueryKind, number>>;

/** Numbers of one family, since the start where they count something. */
export interface FamilyNumbers {
  readonly family: FamilyName;
  readonly nodeId: string;
  /** Where others see it. */
  readonly externalIp?: string;
  /** Whether the id may be that of a node there (BEP 42). */
  readonly secure?: boolean;
  readonly nodes: number;
  /** Of them, those that were heard of lately. */
  readonly goodNodes: number;
  readonly queriesIn: ByKind;
  readonly queriesOut: ByKind;
  readonly answers: number;
  readonly timeouts: number;
  /** Queries without an answer, since their sender asks too much. */
  readonly refused: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Numbers of a whole node. */
export interface NodeNumbers<Family = FamilyNumbers> {
  readonly families: readonly Family[];
  /** Kept for others. */
  readonly torrents: number;
  readonly peers: number;
  readonly items: number;
  /** Of the whole process. */
  readonly memoryBytes?: number;
  readonly elapsedMs: number;
}

/** With rates. */
export interface FamilyRates extends FamilyNumbers {
  readonly queriesInPerSecond: ByKind;
  readonly queriesOutPerSecond: ByKind;
}

export type ServeEvent =
  | {
      readonly type: 'listening';
      /** HOST:PORT that others can begin with. */
      readonly addresses: readonly string[];
      readonly nodeIds: Readonly<Partial<Record<FamilyName, string>>>;
      readonly readOnly: boolean;
      /** Where the numbers are. */
      readonly stats?: string;
      /** What the table file had. */
      readonly restored?: { readonly nodes: number };
    }
  | {
      readonly type: 'joined';
      readonly family: FamilyName;
      readonly nodeId: string;
      readonly nodes: number;
    }
  /** Nobody answers; told once until it has joined. */
  | { readonly type: 'alone'; readonly family: FamilyName }
  | {
      readonly type: 'address';
      readonly family: FamilyName;
      readonly externalIp: string;
      readonly nodeId: string;
      readonly secure: boolean;
    }
  | ({ readonly type: 'stats' } & NodeNumbers<FamilyRates>)
  | { readonly type: 'saved'; readonly path: string; readonly nodes: number }
  | { readonly type: 'save-failed'; readonly code: string; readonly message: string }
  | ({ readonly type: 'end' } & NodeNumbers);
