/** The results of `handshake probe`. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import type { BipError } from '../../src/base/errors.ts';
import type { Attempt, ProbeReport } from '../../src/probe/index.ts';

/** A peer that shook hands, or did not. */
export type Probed = ProbedPeer | UnknownPeer;

interface Named {
  /** As it was named. */
  readonly named: Endpoint;
  /** It is the only one that was named, and may be told of at length. */
  readonly alone: boolean;
  /** Before it there was none: a table begins. */
  readonly first: boolean;
}

export interface ProbedPeer extends Named {
  readonly report: ProbeReport;
}

export interface UnknownPeer extends Named {
  readonly error: BipError;
  readonly attempts: readonly Attempt[];
}
