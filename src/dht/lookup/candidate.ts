/** A node that a search has heard of. @module */

import type { Endpoint } from '../../base/endpoint.ts';
import { parseIp } from '../../base/ip.ts';
import { isSecureId } from '../secure-id.ts';

/**
 * `fresh`: not asked yet; `asked`: its answer is awaited; `slow`: it is awaited no longer, and counts
 * when it comes; the others are final.
 */
export type CandidateState = 'fresh' | 'asked' | 'slow' | 'answered' | 'failed';

export class Candidate {
  readonly endpoint: Endpoint;
  /** Answers that led to it: 0 for those that the search began with. */
  readonly hop: number;
  state: CandidateState = 'fresh';
  /** Queries that were sent to it. */
  attempts = 0;
  /** Of them, those that may still be answered. */
  pending = 0;
  /** It was asked for nodes alone, too. */
  wasAskedForNodes = false;
  /** Another one may have its place among those of its address and network. */
  gaveWay = false;
  /** What it asks to see again with a write, copied. */
  token: Uint8Array | undefined;
  /** Who named it; undefined for those that the search began with. */
  sponsor: Candidate | undefined;
  #id: Uint8Array | undefined;
  #isSecure = false;
  #isSilent = false;
  /** Of those that it named, who did not answer in the short time, and who did. */
  #silent = 0;
  #alive = 0;

  constructor(
    endpoint: Endpoint,
    id: Uint8Array | undefined,
    { hop, sponsor }: { readonly hop: number; readonly sponsor?: Candidate | undefined },
  ) {
    this.endpoint = endpoint;
    this.hop = hop;
    this.sponsor = sponsor;
    if (id !== undefined) this.id = id;
  }

  /** 20 bytes; undefined for a node that only its address is known of. */
  get id(): Uint8Array | undefined {
    return this.#id;
  }

  set id(id: Uint8Array) {
    const ip = parseIp(this.endpoint.host);
    this.#id = id;
    this.#isSecure = ip !== undefined && isSecureId(id, ip);
  }

  /** Whether its id follows from its address (BEP 42). */
  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** Whether who named it has named so many others in vain that it is not worth the time. */
  get isDoubtful(): boolean {
    return this.sponsor?.isDiscredited ?? false;
  }

  get isDiscredited(): boolean {
    return this.#silent >= DISCREDITING && this.#silent > 2 * this.#alive;
  }

  /** It did not answer in the short time: so far who named it was wrong. */
  fallSilent(): void {
    if (this.#isSilent || this.sponsor === undefined) return;
    this.#isSilent = true;
    this.sponsor.#silent++;
  }

  /** It answered. */
  speak(): void {
    if (this.sponsor === undefined) return;
    if (this.#isSilent) this.sponsor.#silent--;
    this.#isSilent = false;
    this.sponsor.#alive++;
  }
}

/** Of the 8 nodes of an answer some may be gone; hardly the first four that are asked. */
const DISCREDITING = 4;
