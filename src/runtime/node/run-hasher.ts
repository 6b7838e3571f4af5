/** Hashes runs of files on the thread that calls it. @module */
// oxlint-disable unicorn/consistent-function-scoping -- what a thread gets as text has to be in one function

import type { HashPart, HashRun } from '../ports.ts';

/** What a thread is told once. */
export interface RunHasherOptions {
  /** Memory for what is read. */
  readonly bufferBytes: number;
  /** Shared: the number of the run whose turn it is to read. Left out: all read when they like. */
  readonly turn?: Int32Array | undefined;
}

/** A `HashFault` as it crosses threads: the name of the system's error, or what happened else. */
export interface RawFault {
  readonly part: number;
  readonly system?: string;
  readonly changed?: true;
  /** Where the file ended too early, in bytes. */
  readonly shortAt?: number;
}

export interface RawHashedRun {
  readonly sha1: Uint8Array<ArrayBuffer>;
  readonly roots: Uint8Array<ArrayBuffer>;
  readonly digests: readonly Uint8Array<ArrayBuffer>[];
  readonly faults: readonly RawFault[];
}

/** @param ticket the number of the run, counted from 0: the order in which runs read */
export type RunHasher = (run: HashRun, ticket: number) => RawHashedRun;

/**
 * Makes a hasher with memory of its own. Threads get this function as text, so that every kind of
 * bundle has it: it uses nothing from outside but what Node gives to all code.
 */
export function createRunHasher(options: RunHasherOptions): RunHasher {
  const { closeSync, fstatSync, openSync, readSync, constants } =
    process.getBuiltinModule('node:fs');
  const { createHash, hash } = process.getBuiltinModule('node:crypto');
  const SHA1_BYTES = 20;
  const SHA256_BYTES = 32;
  /** Leaves of the trees of BEP 52. */
  const BLOCK = 16_384;
  const NOTHING: HashPart = { position: 0, length: 0 };
  const { bufferBytes, turn } = options;
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  const zeros = Buffer.alloc(256 * 1024);
  let opened: { readonly path: string; readonly descriptor: number } | undefined;

  /** The last file stays open: most runs go on where the one before ended. */
  function open(path: string): number {
    if (opened?.path === path) return opened.descriptor;
    if (opened !== undefined) closeSync(opened.descriptor);
    opened = undefined;
    const descriptor = openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
    opened = { path, descriptor };
    return descriptor;
  }

  /** See `encodeName` in base: lone surrogates stand for bytes that are not UTF-8. */
  function systemPath(path: string): string | Buffer {
    if (!/[\udc80-\udcff]/u.test(path)) return path;
    const parts = path.split(/([\udc80-\udcff])/u);
    return Buffer.concat(
      parts.map((part, at) =>
        at % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xdc00),
      ),
    );
  }

  /** Fills `into`; fewer bytes than that mean that the file ended. */
  function read(descriptor: number, into: Buffer, position: number): number {
    let done = 0;
    while (done < into.length) {
      const count = readSync(descriptor, into, done, into.length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** Hashes of the pieces of one stream, as it comes (BEP 3). */
  function pieceStream(pieceLength: number, out: Buffer) {
    let left = pieceLength;
    let running: ReturnType<typeof createHash> | undefined;
    let at = 0;
    const finish = (digest: string): void => {
      at += out.write(digest, at, SHA1_BYTES, 'latin1');
      left = pieceLength;
      running = undefined;
    };
    return {
      feed(bytes: Buffer): void {
        for (let from = 0; from < bytes.length; ) {
          const part = bytes.subarray(from, from + left);
          from += part.length;
          if (running === undefined && part.length === left) {
            finish(hash('sha1', part, 'binary'));
            continue;
          }
          running ??= createHash('sha1');
          running.update(part);
          left -= part.length;
          if (left === 0) finish(running.digest('binary'));
        }
      },
      end(): void {
        if (running !== undefined) finish(running.digest('binary'));
      },
    };
  }

  /** Roots of the trees of pieces, file by file (BEP 52). */
  function pieceTrees(pieceLength: number, out: Buffer) {
    const blocksPerPiece = pieceLength / BLOCK;
    // Room for the node that evens out a layer.
    const layer = Buffer.alloc((blocksPerPiece + 2) * SHA256_BYTES);
    const paddings: string[] = ['\0'.repeat(SHA256_BYTES)];
    let blocks = 0;
    let at = 0;
    const paddingOf = (level: number): string => {
      for (let next = paddings.length; next <= level; next++) {
        const below = paddings[next - 1] ?? '';
        paddings.push(hash('sha256', Buffer.from(below + below, 'binary'), 'binary'));
      }
      return paddings[level] ?? '';
    };
    return {
      /** The next bytes of a file: whole blocks, but for the last ones. */
      feed(bytes: Buffer): void {
        for (let from = 0; from < bytes.length; from += BLOCK) {
          const digest = hash('sha256', bytes.subarray(from, from + BLOCK), 'binary');
          layer.write(digest, blocks++ * SHA256_BYTES, SHA256_BYTES, 'latin1');
          if (blocks === blocksPerPiece) this.end(false);
        }
      },
      /** The piece or its file is over. */
      end(alone: boolean): void {
        if (blocks === 0) return;
        let width = blocksPerPiece;
        if (alone) for (width = 1; width < blocks; ) width *= 2;
        let count = blocks;
        for (let level = 0; width > 1; level++, width /= 2) {
          if (count % 2 === 1) {
            layer.write(paddingOf(level), count++ * SHA256_BYTES, SHA256_BYTES, 'latin1');
          }
          count /= 2;
          for (let node = 0; node < count; node++) {
            const from = 2 * node * SHA256_BYTES;
            const pair = layer.subarray(from, from + 2 * SHA256_BYTES);
            layer.write(
              hash('sha256', pair, 'binary'),
              node * SHA256_BYTES,
              SHA256_BYTES,
              'latin1',
            );
          }
        }
        at += layer.copy(out, at, 0, SHA256_BYTES);
        blocks = 0;
      },
    };
  }

  /** Digests of parts as a whole. */
  function partDigests(algorithms: NonNullable<HashRun['digests']>) {
    const done: Uint8Array<ArrayBuffer>[] = [];
    let running = algorithms.map((algorithm) => createHash(algorithm));
    return {
      done,
      feed(bytes: Buffer): void {
        for (const one of running) one.update(bytes);
      },
      end(): void {
        for (const one of running) done.push(Uint8Array.from(one.digest()));
        running = algorithms.map((algorithm) => createHash(algorithm));
      },
    };
  }

  /** What is under way: the run, its hashes, and what went wrong. */
  interface Work {
    readonly run: HashRun;
    readonly stream: ReturnType<typeof pieceStream> | undefined;
    readonly trees: ReturnType<typeof pieceTrees> | undefined;
    readonly digests: ReturnType<typeof partDigests>;
    readonly faults: RawFault[];
  }

  type Reason = Omit<RawFault, 'part'> & { readonly count: number };

  /** Where in the buffer a part may be read to, and in which steps. */
  interface Room {
    readonly offset: number;
    readonly bytes: number;
  }

  /** Hands over a part in steps; what is not there is zeros. */
  function readPart(work: Work, index: number, room: Room, use: (bytes: Buffer) => void): void {
    const part = work.run.parts[index] ?? NOTHING;
    let fault: Reason | undefined;
    for (let done = 0; done < part.length; done += room.bytes) {
      const end = room.offset + Math.min(room.bytes, part.length - done);
      const target = buffer.subarray(room.offset, end);
      fault ??= readStep(part, target, part.position + done);
      if (fault !== undefined) target.fill(0, fault.count);
      use(target);
      if (fault !== undefined) fault = { ...fault, count: 0 };
    }
    if (fault?.system === undefined && hasChanged(part)) fault = { count: 0, changed: true };
    if (fault !== undefined) work.faults.push({ ...fault, part: index });
  }

  /** Why `target` could not be filled, and how many bytes there were. */
  function readStep({ path = '' }: HashPart, target: Buffer, position: number): Reason | undefined {
    try {
      const count = read(open(path), target, position);
      return count === target.length ? undefined : { count, shortAt: position + count };
    } catch (error) {
      const isSystem = typeof error === 'object' && error !== null && 'code' in error;
      return { count: 0, system: isSystem ? String(error.code) : 'EIO' };
    }
  }

  /** Of a part that was read. */
  function hasChanged({ path = '', expected, length }: HashPart): boolean {
    if (expected === undefined || length === 0) return false;
    const { size, mtimeMs } = fstatSync(open(path));
    return size !== expected.size || mtimeMs !== expected.modified;
  }

  function feed({ stream, trees, digests }: Work, bytes: Buffer): void {
    stream?.feed(bytes);
    trees?.feed(bytes);
    digests.feed(bytes);
  }

  function endPart({ trees, digests }: Work, alone: boolean): void {
    trees?.end(alone);
    digests.end();
  }

  function feedZeros({ stream }: Work, length: number): void {
    if (stream === undefined) return;
    for (let left = length; left > 0; left -= zeros.length) {
      stream.feed(zeros.subarray(0, Math.min(left, zeros.length)));
    }
  }

  /** Hashes what is read, step by step. */
  function streamParts(work: Work): void {
    for (const [index, { path, length, alone = false }] of work.run.parts.entries()) {
      if (path === undefined) feedZeros(work, length);
      else readPart(work, index, { offset: 0, bytes: bufferBytes }, (bytes) => feed(work, bytes));
      if (path !== undefined) endPart(work, alone);
    }
  }

  /** Reads all parts, lets others read, and hashes then. */
  function bufferParts(work: Work, pass: () => void): void {
    const { parts } = work.run;
    const chunks: (Buffer | undefined)[] = [];
    let offset = 0;
    for (const [index, { path, length }] of parts.entries()) {
      chunks.push(undefined);
      if (path === undefined || length === 0) continue;
      readPart(work, index, { offset, bytes: length }, (bytes) => void (chunks[index] = bytes));
      offset += length;
    }
    pass();
    for (const [index, { path, length, alone = false }] of parts.entries()) {
      const bytes = chunks[index];
      if (path === undefined) feedZeros(work, length);
      else if (bytes !== undefined) feed(work, bytes);
      if (path !== undefined) endPart(work, alone);
    }
  }

  /** Waits until all runs before this one have read. */
  function takeTurn(shared: Int32Array, ticket: number): void {
    for (let now = Atomics.load(shared, 0); now !== ticket; now = Atomics.load(shared, 0)) {
      Atomics.wait(shared, 0, now);
    }
  }

  function passTurn(shared: Int32Array, ticket: number): void {
    Atomics.store(shared, 0, ticket + 1);
    Atomics.notify(shared, 0);
  }

  function sum(parts: readonly HashPart[], value: (part: HashPart) => number): number {
    return parts.reduce((total, part) => total + value(part), 0);
  }

  return (run, ticket) => {
    const { pieceLength } = run;
    const files = run.parts.filter(({ path }) => path !== undefined);
    const pieces = Math.ceil(sum(run.parts, ({ length }) => length) / pieceLength);
    const trees = sum(files, ({ length }) => Math.ceil(length / pieceLength));
    const sha1 = Buffer.alloc(run.sha1 ? pieces * SHA1_BYTES : 0);
    const roots = Buffer.alloc(run.sha256 ? trees * SHA256_BYTES : 0);
    const work: Work = {
      run,
      stream: run.sha1 ? pieceStream(pieceLength, sha1) : undefined,
      trees: run.sha256 ? pieceTrees(pieceLength, roots) : undefined,
      digests: partDigests(run.digests ?? []),
      faults: [],
    };
    if (turn === undefined) {
      streamParts(work);
    } else {
      takeTurn(turn, ticket);
      const pass = (): void => passTurn(turn, ticket);
      if (sum(files, ({ length }) => length) <= bufferBytes) bufferParts(work, pass);
      else {
        streamParts(work);
        pass();
      }
    }
    work.stream?.end();
    return {
      sha1: Uint8Array.from(sha1),
      roots: Uint8Array.from(roots),
      digests: work.digests.done,
      faults: work.faults,
    };
  };
}
