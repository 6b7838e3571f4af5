/** What nodes are like that a crawl found: how many of each kind. @module */

import { formatHex, parseHex } from '../../base/bytes.ts';

/** One node that answered. */
export interface Inhabitant {
  /** `v`: client and version. */
  readonly version: Uint8Array | undefined;
  /** Its id follows from its address, or needs not (BEP 42). */
  readonly isSecure: boolean;
  /** Infohashes that it gave; undefined when it does not know the question (BEP 51). */
  readonly samples: number | undefined;
  /** How many it says to have. */
  readonly total: number | undefined;
}

/** Names of counts, as state files have them. */
export const COUNTS = [
  'queries',
  'answered',
  'silent',
  'elsewhere',
  'secure',
  'sampling',
  'samples',
  'total',
  'otherVersions',
] as const;

/** The numbers of a census; `queries` of all kinds, those that led nowhere among them. */
export type Counts = Readonly<Record<(typeof COUNTS)[number], number>>;

export interface CensusState {
  readonly counts: Counts;
  /** Nodes by `v` in hex; empty for those without. */
  readonly versions: ReadonlyMap<string, OfVersion>;
}

/** How many nodes of a version there are, and how many of them gave samples. */
export interface OfVersion {
  readonly nodes: number;
  readonly sampling: number;
}

export class Census {
  readonly #counts: Record<(typeof COUNTS)[number], number>;
  readonly #versions: Map<string, OfVersion>;

  constructor(saved?: CensusState) {
    this.#counts = { ...(saved?.counts ?? NO_COUNTS) };
    this.#versions = new Map(saved?.versions);
  }

  get state(): CensusState {
    return { counts: this.#counts, versions: this.#versions };
  }

  /** One query more was sent. */
  asked(): void {
    this.#counts.queries++;
  }

  /** A node was given up, or is not where it was said to be. */
  missed(how: 'silent' | 'elsewhere'): void {
    this.#counts[how]++;
  }

  /** So many that were given up are to be asked again. */
  forgive(silent: number): void {
    this.#counts.silent -= silent;
  }

  /** A node answered with an id of where it was looked for. */
  found({ version, isSecure, samples, total }: Inhabitant): void {
    const counts = this.#counts;
    counts.answered++;
    if (isSecure) counts.secure++;
    if (samples !== undefined) {
      counts.sampling++;
      counts.samples += samples;
      counts.total += Math.min(total ?? samples, MAX_TOTAL);
    }
    const key = formatHex((version ?? new Uint8Array(0)).subarray(0, VERSION_BYTES));
    const known = this.#versions.get(key);
    if (known !== undefined || this.#versions.size < MAX_VERSIONS) {
      const { nodes, sampling } = known ?? { nodes: 0, sampling: 0 };
      const gave = samples === undefined ? 0 : 1;
      this.#versions.set(key, { nodes: nodes + 1, sampling: sampling + gave });
    } else {
      counts.otherVersions++;
    }
  }
}

/**
 * How likely it is that a query to a living node is not answered, 0 to 1, since packets get lost. Who answers
 * at the second try is asked for nodes only and gives no samples; so among clients most of which
 * give samples (s), those that did not (n) had lost a packet: of all that answered, p/(1 + p) do.
 */
export function lossOf({ versions }: CensusState): number {
  let sampling = 0;
  let other = 0;
  for (const of of versions.values()) {
    if (2 * of.sampling <= of.nodes) continue;
    sampling += of.sampling;
    other += of.nodes - of.sampling;
  }
  return sampling === 0 ? 0 : other / sampling;
}

/** The bytes of a key of {@link CensusState.versions}. */
export function versionBytes(key: string): Uint8Array {
  return parseHex(key) ?? new Uint8Array(0);
}

/** All of them 0. */
export const NO_COUNTS: Counts = {
  queries: 0,
  answered: 0,
  silent: 0,
  elsewhere: 0,
  secure: 0,
  sampling: 0,
  samples: 0,
  total: 0,
  otherVersions: 0,
};

/** Whoever claims to have more infohashes is counted with so many. libtorrent keeps 2,000 torrents. */
const MAX_TOTAL = 100_000;
/** Versions that are told apart; there are some hundred clients. */
export const MAX_VERSIONS = 1024;
/** Two letters and a version; all known clients have 4. */
export const VERSION_BYTES = 8;
