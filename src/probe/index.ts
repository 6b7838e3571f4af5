/**
 * Who a peer is and what it can do, found out by shaking hands with it: BEP 3, 5, 6, 10, 11 (read), 20.
 * Nothing is downloaded, and the connection is closed at once.
 *
 * Not here: names and addresses (who asks has looked them up), more than one peer.
 *
 * @module
 */

export type { Holdings } from './possessions.ts';
export { type ProbeFailure, type ProbeOptions, probePeer } from './probe.ts';
export type { Attempt, PexPeer, ProbeReport, Way } from './report.ts';
