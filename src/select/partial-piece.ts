/** A piece under way: which of its blocks are free, asked for, or there, and from whom. @module */

/** How many peers may be asked for one block at once in end-game. */
const MAX_ASKED = 2;

export class PartialPiece<Peer> {
  readonly piece: number;
  readonly blockCount: number;
  /** Who opened the piece and goes on with it; others help when they have nothing else. */
  owner: Peer | undefined;
  /** After a failed hash: all blocks from this peer alone, so that it is known who lies. */
  soleSource: Peer | undefined;
  /** Who delivered each block. */
  readonly sources: (Peer | undefined)[];
  /** Who was asked for each block; most have one or none. */
  readonly #asked: (Peer[] | undefined)[];
  readonly #state: Uint8Array;
  #free: number;
  #received = 0;
  /** No free block stands before this one. */
  #firstFree = 0;

  constructor(piece: number, blockCount: number) {
    this.piece = piece;
    this.blockCount = blockCount;
    this.sources = Array.from({ length: blockCount }, () => undefined);
    this.#asked = Array.from({ length: blockCount }, () => undefined);
    this.#state = new Uint8Array(blockCount);
    this.#free = blockCount;
  }

  /** Blocks that nobody was asked for. */
  get freeCount(): number {
    return this.#free;
  }
  get receivedCount(): number {
    return this.#received;
  }
  get isComplete(): boolean {
    return this.#received === this.blockCount;
  }
  hasReceived(block: number): boolean {
    return this.#state[block] === RECEIVED;
  }

  /** The first free block, noted as asked of `peer`. */
  takeFree(peer: Peer): number | undefined {
    for (let block = this.#firstFree; block < this.blockCount; block++) {
      if (this.#state[block] !== FREE) continue;
      this.#firstFree = block + 1;
      this.ask(block, peer);
      return block;
    }
    this.#firstFree = this.blockCount;
    return undefined;
  }

  ask(block: number, peer: Peer): void {
    if (this.#state[block] === FREE) {
      this.#state[block] = ASKED;
      this.#free--;
    }
    const asked = this.#asked[block];
    if (asked === undefined) this.#asked[block] = [peer];
    else asked.push(peer);
  }

  /** `peer` will not deliver the block: rejected, timed out, gone. */
  release(block: number, peer: Peer): void {
    const asked = this.#asked[block];
    const at = asked?.indexOf(peer) ?? -1;
    if (asked === undefined || at === -1) return;
    asked.splice(at, 1);
    if (asked.length > 0 || this.#state[block] !== ASKED) return;
    this.#state[block] = FREE;
    this.#free++;
    this.#firstFree = Math.min(this.#firstFree, block);
  }

  /**
   * The block is there.
   * @returns the other peers that were asked for it too and can be told to stop.
   */
  receive(block: number, peer: Peer): readonly Peer[] {
    if (this.#state[block] === FREE) this.#free--;
    if (this.#state[block] !== RECEIVED) this.#received++;
    this.#state[block] = RECEIVED;
    this.sources[block] = peer;
    const others = this.#asked[block]?.filter((other) => other !== peer) ?? NOBODY;
    this.#asked[block] = undefined;
    return others;
  }

  /** Blocks asked of others but not of `peer`, of few first: candidates for end-game. */
  stillOpen(peer: Peer): number[] {
    const open: number[] = [];
    for (let block = 0; block < this.blockCount; block++) {
      const asked = this.#asked[block];
      if (this.#state[block] !== ASKED || asked === undefined) continue;
      if (asked.length < MAX_ASKED && !asked.includes(peer)) open.push(block);
    }
    return open.toSorted((a, b) => (this.#asked[a]?.length ?? 0) - (this.#asked[b]?.length ?? 0));
  }
}

const FREE = 0;
const ASKED = 1;
const RECEIVED = 2;
const NOBODY: readonly never[] = [];
