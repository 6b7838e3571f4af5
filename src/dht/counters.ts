/** What a node counts of its traffic, since it was opened. @module */

/** The queries of BEP 5, 44 and 51, and all others. */
export const QUERY_KINDS = [
  'ping',
  'find_node',
  'get_peers',
  'announce_peer',
  'get',
  'put',
  'sample_infohashes',
  'other',
] as const;
export type QueryKind = (typeof QUERY_KINDS)[number];

/** Of a method, as others spell it. */
export function queryKind(method: string): QueryKind {
  return QUERY_KINDS.find((kind) => kind === method) ?? 'other';
}

export interface RealmCounters {
  /** Bytes of datagrams, without headers. */
  bytesIn: number;
  bytesOut: number;
  queriesIn: number;
  queriesOut: number;
  /** Of {@link queriesIn}, those that break no rule. */
  readonly kindsIn: Record<QueryKind, number>;
  /** Of {@link queriesOut}. */
  readonly kindsOut: Record<QueryKind, number>;
  answersIn: number;
  errorsIn: number;
  /** Queries of ours that nobody answered. */
  timeouts: number;
  /** Datagrams that are no KRPC. */
  undecodable: number;
  /** Answers that nobody waited for. */
  unasked: number;
  /** Queries that break a rule. */
  malformed: number;
  /** Queries that were not answered since their sender asks too much. */
  refusedByRate: number;
  /** Datagrams of senders that are ignored for a while. */
  ignored: number;
}

export function emptyCounters(): RealmCounters {
  return {
    bytesIn: 0,
    bytesOut: 0,
    queriesIn: 0,
    queriesOut: 0,
    kindsIn: noKinds(),
    kindsOut: noKinds(),
    answersIn: 0,
    errorsIn: 0,
    timeouts: 0,
    undecodable: 0,
    unasked: 0,
    malformed: 0,
    refusedByRate: 0,
    ignored: 0,
  };
}

function noKinds(): Record<QueryKind, number> {
  return {
    ping: 0,
    find_node: 0,
    get_peers: 0,
    announce_peer: 0,
    get: 0,
    put: 0,
    sample_infohashes: 0,
    other: 0,
  };
}
