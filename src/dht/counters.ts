/** What a node counts of its traffic, since it was opened. @module */

export interface RealmCounters {
  /** Bytes of datagrams, without headers. */
  bytesIn: number;
  bytesOut: number;
  queriesIn: number;
  queriesOut: number;
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
