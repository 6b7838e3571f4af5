/** What `dht lookup` prints. @module */

import type { Endpoint } from '../../src/base/endpoint.ts';
import type { InfoHash } from '../../src/base/ids.ts';
import type { Millis } from '../../src/runtime/ports.ts';
import type { Approach } from './approach.ts';
import type { Step } from './steps.ts';
import type { Ending } from './streamed.ts';
import type { NamedNode } from './tally.ts';

export type Found =
  | {
      readonly type: 'peer';
      readonly peer: Endpoint;
      /** Steps are printed between peers. */
      readonly traced: boolean;
    }
  | {
      readonly type: 'node';
      readonly node: NamedNode;
      readonly target: Uint8Array;
      readonly traced: boolean;
    }
  | (Step & { readonly type: 'step' })
  | LookupDone;

/** The last line. */
export interface LookupDone {
  readonly type: 'done';
  readonly infoHash: InfoHash;
  /** 20 bytes: what was looked for. */
  readonly target: Uint8Array;
  readonly ending: Ending;
  /** Undefined when nodes were looked for. */
  readonly peers: number | undefined;
  readonly asked: number;
  readonly answered: number;
  readonly closest: readonly NamedNode[];
  readonly elapsedMs: Millis;
  /** To be drawn. */
  readonly approach: Approach | undefined;
}
