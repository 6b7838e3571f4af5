/** Hashes runs of files on the thread that calls it. @module */

import type { HashRun } from '../ports.ts';

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

  return (run, ticket) => {
    const { parts, pieceLength } = run;
    let streamBytes = 0;
    let fileBytes = 0;
    let filePieces = 0;
    for (const { path, length } of parts) {
      streamBytes += length;
      if (path === undefined) continue;
      fileBytes += length;
      filePieces += Math.ceil(length / pieceLength);
    }
    const sha1 = Buffer.alloc(run.sha1 ? Math.ceil(streamBytes / pieceLength) * SHA1_BYTES : 0);
    const roots = Buffer.alloc(run.sha256 ? filePieces * SHA256_BYTES : 0);
    const stream = run.sha1 ? pieceStream(pieceLength, sha1) : undefined;
    const trees = run.sha256 ? pieceTrees(pieceLength, roots) : undefined;
    const faults: RawFault[] = [];

    /** Reads a part in steps of at most `step` bytes; what is not there is zeros. */
    function readPart(index: number, step: number, use: (bytes: Buffer) => void, offset = 0): void {
      const { path = '', position, length, expected } = parts[index] ?? { position: 0, length: 0 };
      let faulty = false;
      let descriptor: number | undefined;
      const fail = (fault: Omit<RawFault, 'part'>): void => {
        if (!faulty) faults.push({ part: index, ...fault });
        faulty = true;
      };
      for (let done = 0; done < length; ) {
        const target = buffer.subarray(offset, offset + Math.min(step, length - done));
        let count = 0;
        try {
          descriptor ??= open(path);
          count = faulty ? 0 : read(descriptor, target, position + done);
          if (count < target.length) fail({ shortAt: position + done + count });
        } catch (error) {
          fail({ system: codeOf(error) });
        }
        target.fill(0, count);
        use(target);
        done += target.length;
      }
      if (expected === undefined || descriptor === undefined) return;
      const { size, mtimeMs } = fstatSync(descriptor);
      if (size === expected.size && mtimeMs === expected.modified) return;
      const at = faults.findIndex(({ part }) => part === index);
      if (at !== -1) faults.splice(at, 1);
      faults.push({ part: index, changed: true });
    }

    function codeOf(error: unknown): string {
      const isSystem = typeof error === 'object' && error !== null && 'code' in error;
      return isSystem ? String(error.code) : 'EIO';
    }

    function feedZeros(length: number): void {
      if (stream === undefined) return;
      for (let left = length; left > 0; left -= zeros.length) {
        stream.feed(zeros.subarray(0, Math.min(left, zeros.length)));
      }
    }

    function feed(bytes: Buffer): void {
      stream?.feed(bytes);
      trees?.feed(bytes);
    }

    if (turn !== undefined) {
      for (let now = Atomics.load(turn, 0); now !== ticket; now = Atomics.load(turn, 0)) {
        Atomics.wait(turn, 0, now);
      }
    }
    const pass = (): void => {
      if (turn === undefined) return;
      Atomics.store(turn, 0, ticket + 1);
      Atomics.notify(turn, 0);
    };
    if (turn !== undefined && fileBytes <= bufferBytes) {
      // All is read at once, so that the next thread can read while this one hashes.
      const chunks: (Buffer | undefined)[] = [];
      let offset = 0;
      for (const [index, { path, length }] of parts.entries()) {
        if (path === undefined || length === 0) chunks.push(undefined);
        else readPart(index, length, (bytes) => chunks.push(bytes), offset);
        if (path !== undefined) offset += length;
      }
      pass();
      for (const [index, { length, alone = false }] of parts.entries()) {
        const bytes = chunks[index];
        if (bytes === undefined) feedZeros(length);
        else feed(bytes);
        if (bytes !== undefined) trees?.end(alone);
      }
    } else {
      for (const [index, { path, length, alone = false }] of parts.entries()) {
        if (path === undefined) feedZeros(length);
        else readPart(index, bufferBytes, feed);
        if (path !== undefined) trees?.end(alone);
      }
      pass();
    }
    stream?.end();
    return { sha1: Uint8Array.from(sha1), roots: Uint8Array.from(roots), faults };
  };
}
