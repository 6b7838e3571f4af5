/**
 * Finds out who sent bad data. A failed piece of one peer convicts it at once. When several took
 * part, the hash of each block is kept and the piece is fetched anew from one peer alone; if it is
 * good then, whoever had sent another block is convicted, and if not, that one peer is.
 *
 * @module
 */

import { equalBytes } from '../base/bytes.ts';
import { sha1 } from '../base/sha.ts';
import { BLOCK_LENGTH } from '../peer/index.ts';
import type { PartialPiece } from '../select/index.ts';
import type { PeerLink } from './peer-link.ts';

interface Evidence {
  readonly link: PeerLink;
  /** SHA-1 of the block. */
  readonly hash: Uint8Array;
}

export class Suspicion {
  /** By piece and block: what was sent by whom when the piece failed. */
  readonly #evidence = new Map<number, (Evidence | undefined)[]>();
  readonly #convict: (link: PeerLink, piece: number) => void;

  constructor(convict: (link: PeerLink, piece: number) => void) {
    this.#convict = convict;
  }

  /** A piece is begun: after a failure, whoever opened it is its single source. */
  onOpen(piece: number, partial: PartialPiece<PeerLink> | undefined): void {
    if (partial !== undefined && this.#evidence.has(piece)) partial.soleSource = partial.owner;
  }

  onBad(partial: PartialPiece<PeerLink>, data: Uint8Array): void {
    const sources = new Set(partial.sources);
    const evidence = partial.sources.map((link, block) =>
      link === undefined ? undefined : { link, hash: sha1(blockOf(data, block)) },
    );
    this.#evidence.set(partial.piece, evidence);
    const [only] = sources;
    if (sources.size === 1 && only !== undefined) this.#convict(only, partial.piece);
  }

  onGood(partial: PartialPiece<PeerLink>, data: Uint8Array): void {
    const evidence = this.#evidence.get(partial.piece);
    if (evidence === undefined) return;
    this.#evidence.delete(partial.piece);
    const liars = new Set<PeerLink>();
    for (const [block, sent] of evidence.entries()) {
      if (sent !== undefined && !equalBytes(sent.hash, sha1(blockOf(data, block))))
        liars.add(sent.link);
    }
    for (const link of liars) this.#convict(link, partial.piece);
  }
}

function blockOf(data: Uint8Array, block: number): Uint8Array {
  return data.subarray(block * BLOCK_LENGTH, (block + 1) * BLOCK_LENGTH);
}
