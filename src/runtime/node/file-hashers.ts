/** The FileHashers port of the machine: threads that read for themselves. @module */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { invariant } from '../../base/errors.ts';
import { changedFile, shortFile, storageFailure } from '../failures.ts';
import type {
  FileHasherOptions,
  FileHashers,
  HashedRun,
  HashFault,
  HashRun,
  ReadOrder,
} from '../ports.ts';
import { isTurningDisk } from './disk-kind.ts';
import {
  createRunHasher,
  type RawFault,
  type RawHashedRun,
  type RunHasher,
  type RunHasherOptions,
} from './run-hasher.ts';

/** Below this a thread takes longer to start than the work. */
const WORTH_A_THREAD = 8 * 1024 * 1024;

/** Bytes that a thread reads at once: few enough to be in the cache still when they are hashed. */
const PARALLEL_BUFFER = 256 * 1024;

/** Bytes of a run: with 4 MiB, messages and their sender cost a twentieth of the work. */
const SHORT_RUN = 4 * 1024 * 1024;
const LONG_RUN = 16 * 1024 * 1024;

/** Bytes of the runs of all threads: by turns each reads a whole run before it hashes. */
const RUNS_AT_ONCE = 64 * 1024 * 1024;

/** Runs for each thread, so that all end at about the same time. */
const RUNS_IN_ALL = 16;

/** Runs that a thread has at once: one is worked on, one waits. */
const RUNS_PER_THREAD = 2;

/** Threads at most: each takes some megabytes. */
const MOST_THREADS = 64;

export function openFileHashers(options: FileHasherOptions): FileHashers {
  const { threads = availableParallelism(), order, totalBytes } = options;
  if (totalBytes < WORTH_A_THREAD) return new SameThread();
  const lanes = Math.max(
    1,
    Math.min(threads, MOST_THREADS, Math.ceil(totalBytes / WORTH_A_THREAD)),
  );
  const fair = totalBytes / (lanes * RUNS_IN_ALL);
  const longest = Math.min(LONG_RUN, RUNS_AT_ONCE / lanes);
  return new Pool(lanes, order, Math.max(SHORT_RUN, Math.floor(Math.min(longest, fair))));
}

/** Little work, done at once. */
class SameThread implements FileHashers {
  readonly lanes = 1;
  readonly runBytes = SHORT_RUN;
  #hasher: RunHasher | undefined;

  async hash(run: HashRun): Promise<HashedRun> {
    this.#hasher ??= createRunHasher({ bufferBytes: PARALLEL_BUFFER });
    return hashedRun(run, this.#hasher(run, 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasher = undefined;
  }
}

interface Task {
  readonly run: HashRun;
  readonly ticket: number;
  readonly result: PromiseWithResolvers<HashedRun>;
}

class Pool implements FileHashers {
  readonly lanes: number;
  readonly runBytes: number;
  readonly #order: ReadOrder;
  readonly #waiting: Task[] = [];
  #threads: Thread[] | undefined;
  #tickets = 0;
  #disposal: Promise<unknown> | undefined;

  constructor(lanes: number, order: ReadOrder, runBytes: number) {
    this.lanes = lanes;
    this.runBytes = runBytes;
    this.#order = order;
  }

  hash(run: HashRun): Promise<HashedRun> {
    if (this.#disposal !== undefined) return Promise.reject(new Error('the hashers were disposed'));
    this.#threads ??= this.#start(run);
    const task = { run, ticket: this.#tickets++, result: Promise.withResolvers<HashedRun>() };
    this.#waiting.push(task);
    this.#dispatch();
    return task.result.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(new Error('the hashers were disposed'));
  }

  /** Nobody waits for ever: a thread that is gone would never pass the turn to read. */
  #end(reason: Error): Promise<unknown> {
    this.#disposal ??= Promise.all((this.#threads ?? []).map((thread) => thread.end()));
    for (const { result } of this.#waiting.splice(0)) result.reject(reason);
    return this.#disposal;
  }

  #start({ parts }: HashRun): Thread[] {
    const path = parts.find((part) => part.path !== undefined)?.path;
    const sequential =
      this.#order === 'sequential' || (this.#order === 'auto' && isTurningDisk(path ?? '.'));
    const turn = sequential ? new Int32Array(new SharedArrayBuffer(4)) : undefined;
    const bufferBytes = sequential ? this.runBytes : PARALLEL_BUFFER;
    return Array.from(
      { length: this.lanes },
      (_, at) =>
        new Thread(
          `bip-files-${at}`,
          { turn, bufferBytes },
          {
            idle: () => this.#dispatch(),
            broken: (error) => void this.#end(error),
          },
        ),
    );
  }

  /** In the order of tickets, so that whose turn it is to read is always under way. */
  #dispatch(): void {
    const threads = this.#threads ?? [];
    while (this.#waiting.length > 0) {
      const free = threads.reduce((best, thread) => (thread.load < best.load ? thread : best));
      if (free.load >= RUNS_PER_THREAD) return;
      const task = this.#waiting.shift();
      if (task !== undefined) free.work(task);
    }
  }
}

/** What the thread runs; see `createRunHasher`. */
const PROGRAM = (): string => `
const { parentPort, workerData } = require('node:worker_threads');
const hasher = (${createRunHasher.toString()})(workerData);
parentPort.on('message', ({ run, ticket }) => {
  const result = hasher(run, ticket);
  parentPort.postMessage(result, [result.sha1.buffer, result.roots.buffer]);
});
`;

/** Who hands out the work. */
interface Owner {
  readonly idle: () => void;
  readonly broken: (error: Error) => void;
}

class Thread {
  readonly #worker: Worker;
  readonly #tasks: Task[] = [];
  readonly #owner: Owner;
  #failure: Error | undefined;

  constructor(name: string, workerData: RunHasherOptions, owner: Owner) {
    this.#owner = owner;
    this.#worker = new Worker(PROGRAM(), { eval: true, name, workerData });
    this.#worker.on('message', (raw: RawHashedRun) => this.#answered(raw));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error(`the thread ${name} ended`)));
  }

  get load(): number {
    return this.#failure === undefined ? this.#tasks.length : 0;
  }

  work(task: Task): void {
    if (this.#failure !== undefined) {
      task.result.reject(this.#failure);
      return;
    }
    this.#tasks.push(task);
    this.#worker.postMessage({ run: task.run, ticket: task.ticket });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  /**
   * Threads answer in the order in which they were asked. The news that a thread failed comes by
   * another way than its answers and may overtake them: who asked was told already.
   */
  #answered(raw: RawHashedRun): void {
    if (this.#failure !== undefined) return;
    const task = this.#tasks.shift();
    invariant(task !== undefined, 'a thread answers what it was not asked');
    task.result.resolve(hashedRun(task.run, raw));
    this.#owner.idle();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { result } of this.#tasks.splice(0)) result.reject(this.#failure);
    this.#owner.broken(this.#failure);
  }
}

function hashedRun({ parts }: HashRun, raw: RawHashedRun): HashedRun {
  const fault = ({ part, changed, shortAt, system }: RawFault): HashFault => {
    const path = parts[part]?.path ?? '';
    if (changed === true) return { part, error: changedFile(path) };
    if (shortAt !== undefined) return { part, error: shortFile(path, shortAt) };
    return { part, error: storageFailure(`cannot read ${path}`, system) };
  };
  return { ...raw, faults: raw.faults.map(fault) };
}
