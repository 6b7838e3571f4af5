/**
 * Compares hashes of pieces with those of the torrent. In v2 and hybrid torrents the Merkle trees
 * decide (BEP 52); the SHA-1 hashes of a hybrid, where they are looked at, only have to agree.
 *
 * @module
 */

import { formatHex } from '../base/bytes.ts';
import { HASH_LENGTH, merkleRoot, paddingHash, treeWidth } from '../base/merkle.ts';
import { SHA1_LENGTH } from '../base/sha.ts';
import type { FileSpan } from '../disk/index.ts';
import { BLOCK_LENGTH, type Metainfo } from '../metainfo/index.ts';
import type { HashedRun, Hashers } from '../runtime/ports.ts';

import { type HashKinds, hashKindsOf, type PieceRun } from './runs.ts';
import { PIECE } from './verify-states.ts';

/** A file of which the torrent says the root and not the hashes of its pieces. */
interface WholeFile {
  readonly file: number;
  readonly firstPiece: number;
  /** As they come. */
  readonly layer: Uint8Array;
  /** Pieces that are still to come. */
  left: number;
}

export class PieceJudge {
  /** By piece, see {@link PIECE}. */
  readonly states: Uint8Array;
  readonly #metainfo: Metainfo;
  readonly #hashers: Hashers;
  readonly #usesV1: boolean;
  readonly #wholes = new Map<number, WholeFile>();
  /** Pieces of a hybrid of which v1 says another thing than v2. */
  readonly contradictions: number[] = [];

  /** @param kinds which hashes are made; see {@link neededKinds} */
  constructor(
    metainfo: Metainfo,
    hashers: Hashers,
    { states, kinds }: { readonly states: Uint8Array; readonly kinds: HashKinds },
  ) {
    this.#usesV1 = kinds.sha1;
    this.#metainfo = metainfo;
    this.#hashers = hashers;
    this.states = states;
  }

  /** Takes the hashes of a run; pieces of which something could not be read become missing. */
  judge(run: PieceRun, hashed: HashedRun): void {
    const unread = this.#unreadPieces(run, hashed);
    if (this.#usesV1) this.#judgeV1(run, hashed.sha1);
    if (this.#metainfo.version !== 'v1') this.#judgeV2(run, hashed.roots, unread);
    for (const piece of unread) this.states[piece] = PIECE.missing;
  }

  #judgeV1({ first, end }: PieceRun, sha1: Uint8Array): void {
    const { pieces = new Uint8Array() } = this.#metainfo;
    for (let piece = first; piece < end; piece++) {
      const isGood = sameHash(sha1, (piece - first) * SHA1_LENGTH, {
        expected: pieces,
        from: piece * SHA1_LENGTH,
        length: SHA1_LENGTH,
      });
      this.states[piece] = isGood ? PIECE.good : PIECE.bad;
    }
  }

  #judgeV2({ spans }: PieceRun, roots: Uint8Array, unread: ReadonlySet<number>): void {
    const { files, pieceLength } = this.#metainfo;
    let at = 0;
    for (const { file, position, length, padding } of spans) {
      if (padding) continue;
      const expected = piecesHashesOf(this.#metainfo, file);
      const first = (files[file]?.offset ?? 0) / pieceLength;
      const end = Math.ceil((position + length) / pieceLength);
      for (let own = position / pieceLength; own < end; own++, at += HASH_LENGTH) {
        const piece = first + own;
        if (unread.has(piece)) continue;
        if (expected === undefined) {
          this.#collect(file, piece, roots.subarray(at, at + HASH_LENGTH));
          continue;
        }
        const from = own * HASH_LENGTH;
        this.#decide(piece, sameHash(roots, at, { expected, from, length: HASH_LENGTH }));
      }
    }
  }

  /** What v1 said before is overruled. */
  #decide(piece: number, isGood: boolean): void {
    const before = this.states[piece];
    const now = isGood ? PIECE.good : PIECE.bad;
    if (this.#usesV1 && before !== now) this.contradictions.push(piece);
    this.states[piece] = now;
  }

  /** Keeps the hash of a piece; the last one of its file decides about all. */
  #collect(file: number, piece: number, root: Uint8Array): void {
    const { files, pieceLength } = this.#metainfo;
    const { offset = 0, length = 0, piecesRoot } = files[file] ?? {};
    const count = Math.ceil(length / pieceLength);
    const whole = this.#wholes.get(file) ?? {
      file,
      firstPiece: offset / pieceLength,
      layer: new Uint8Array(count * HASH_LENGTH),
      left: count,
    };
    this.#wholes.set(file, whole);
    whole.layer.set(root, (piece - whole.firstPiece) * HASH_LENGTH);
    whole.left--;
    if (!this.#usesV1) this.states[piece] = PIECE.open;
    if (whole.left > 0) return;
    this.#wholes.delete(file);
    const made = rootOf(whole.layer, pieceLength, this.#hashers);
    const isGood = sameHash(made, 0, {
      expected: piecesRoot ?? new Uint8Array(),
      from: 0,
      length: HASH_LENGTH,
    });
    this.#decideWhole(whole, count, isGood);
  }

  /** By v1 a hybrid knows of each piece, as long as both say the same of the whole. */
  #decideWhole({ firstPiece }: WholeFile, count: number, isGood: boolean): void {
    const states = this.states.subarray(firstPiece, firstPiece + count);
    const isV1Good = states.every((state) => state === PIECE.good);
    if (this.#usesV1 && isV1Good === isGood) return;
    for (let at = 0; at < count; at++) this.#decide(firstPiece + at, isGood);
  }

  /** Files that were not read to their end after all cannot be judged as a whole. */
  finish(): void {
    const { pieceLength, files } = this.#metainfo;
    if (this.#usesV1) return;
    for (const { file, firstPiece } of this.#wholes.values()) {
      const count = Math.ceil((files[file]?.length ?? 0) / pieceLength);
      const states = this.states.subarray(firstPiece, firstPiece + count);
      // Pieces that nobody has begun with stay open: the work was cut short.
      const isBroken = states.includes(PIECE.missing);
      if (isBroken) states.fill(PIECE.missing);
    }
    this.#wholes.clear();
  }

  #unreadPieces({ spans }: PieceRun, { faults }: HashedRun): Set<number> {
    const { files, pieceLength } = this.#metainfo;
    const unread = new Set<number>();
    for (const { part } of faults) {
      const span: FileSpan | undefined = spans[part];
      if (span === undefined) continue;
      const begin = (files[span.file]?.offset ?? 0) + span.position;
      const last = Math.floor((begin + span.length - 1) / pieceLength);
      for (let piece = Math.floor(begin / pieceLength); piece <= last; piece++) unread.add(piece);
    }
    return unread;
  }
}

/**
 * The hashes that judge every piece. Those of v2 are enough for a hybrid, unless it lacks the hashes
 * of some pieces; `both` compares with v1 as well, which has to hash the padding.
 */
export function neededKinds(metainfo: Metainfo, both: boolean): HashKinds {
  const { version, files } = metainfo;
  if (version !== 'hybrid' || both) return hashKindsOf(version);
  const lacks = files.some((_, file) => isJudgedAsWhole(metainfo, file));
  return { sha1: lacks, sha256: true };
}

/** Whether v2 says of a file's pieces nothing but the root over all of them. */
export function isJudgedAsWhole(metainfo: Metainfo, file: number): boolean {
  const { version, files } = metainfo;
  if (version === 'v1' || files[file]?.piecesRoot === undefined) return false;
  return piecesHashesOf(metainfo, file) === undefined;
}

/** The hashes of a file's pieces in v2, 32 bytes each; `undefined` when the torrent lacks them. */
export function piecesHashesOf(
  { files, pieceLayers, pieceLength }: Metainfo,
  file: number,
): Uint8Array | undefined {
  const { length = 0, piecesRoot } = files[file] ?? {};
  if (piecesRoot === undefined || length <= pieceLength) return piecesRoot;
  return pieceLayers.get(formatHex(piecesRoot));
}

/** The root over the hashes of a file's pieces, at least two. */
export function rootOf(layer: Uint8Array, pieceLength: number, hashers: Hashers): Uint8Array {
  const hash = (bytes: Uint8Array): Uint8Array => hashers.digestSync('sha256', [bytes]);
  const padding = paddingHash(Math.log2(pieceLength / BLOCK_LENGTH), { hash });
  return merkleRoot(layer, treeWidth(layer.length / HASH_LENGTH), { hash, padding });
}

/** Compares `length` bytes from `at` on with those of `expected` from `from` on. */
export function sameHash(
  made: Uint8Array,
  at: number,
  known: { readonly expected: Uint8Array; readonly from: number; readonly length: number },
): boolean {
  const { expected, from, length } = known;
  if (from + length > expected.length || at + length > made.length) return false;
  for (let byte = 0; byte < length; byte++) {
    if (made[at + byte] !== expected[from + byte]) return false;
  }
  return true;
}
