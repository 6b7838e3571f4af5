/** Blocks whose bytes are coming in right now, each to where it belongs. @module */

import type { PeerLink } from './peer-link.ts';

interface Incoming {
  readonly piece: number;
  readonly begin: number;
  readonly place: Uint8Array;
  /** Where it waits until it is whole, while another peer writes to its place. */
  readonly aside: Uint8Array | undefined;
}

/** One block at most for each link; several links may bring the same one. */
export class IncomingBlocks {
  readonly #byLink = new Map<PeerLink, Incoming>();

  /** Returns where the bytes of the link go, which belong to `place` in the end. */
  begin(link: PeerLink, piece: number, begin: number, place: Uint8Array): Uint8Array {
    const isTaken = this.#bringing(piece, begin).length > 0;
    const aside = isTaken ? new Uint8Array(place.length) : undefined;
    this.#byLink.set(link, { piece, begin, place, aside });
    return aside ?? place;
  }

  /** The link's block is whole: it is in its place now. Returns the links that bring the same one, dropped. */
  finish(link: PeerLink): readonly PeerLink[] {
    const incoming = this.#byLink.get(link);
    if (incoming === undefined) return NOBODY;
    this.#byLink.delete(link);
    const slower = this.#bringing(incoming.piece, incoming.begin);
    for (const other of slower) this.drop(other);
    if (incoming.aside !== undefined) incoming.place.set(incoming.aside);
    return slower;
  }

  /** What else comes of the link's block is not written anywhere. */
  drop(link: PeerLink): void {
    if (this.#byLink.delete(link)) link.connection.dropBlock();
  }

  #bringing(piece: number, begin: number): readonly PeerLink[] {
    if (this.#byLink.size === 0) return NOBODY;
    const links: PeerLink[] = [];
    for (const [link, incoming] of this.#byLink) {
      if (incoming.piece === piece && incoming.begin === begin) links.push(link);
    }
    return links;
  }
}

const NOBODY: readonly never[] = [];
