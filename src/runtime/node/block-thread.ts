/** A thread that hashes and writes memory which it shares with its owner. @module */

import { Worker } from 'node:worker_threads';
import type { HashAlgorithm } from '../ports.ts';

/**
 * The whole program of the thread. A text, so that it is there in every kind of bundle: nothing has
 * to be found beside the executable.
 */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { hash } = require('node:crypto');
const { writeSync } = require('node:fs');
const tasks = {
  digest: ({ algorithm, bytes }) => new Uint8Array(hash(algorithm, bytes, 'buffer')),
  write({ descriptor, bytes, position, step }) {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(step, bytes.length - done);
      done += writeSync(descriptor, bytes, done, length, position + done);
    }
  },
};
parentPort.on('message', (task) => {
  try {
    parentPort.postMessage({ id: task.id, result: tasks[task.name](task) });
  } catch (error) {
    parentPort.postMessage({ id: task.id, error });
  }
});
`;

/**
 * Bytes written by one system call. For larger ones Linux takes larger pages for its cache, and in a
 * virtual machine those are often new to the host: 1 MiB at once costs up to eight times the CPU of
 * 32 KiB (measured on ext4, Linux 6.18; see test/bench/writes.ts).
 */
const WRITE_STEP = 32 * 1024;

interface Answer {
  readonly id: number;
  readonly result?: Uint8Array;
  readonly error?: unknown;
}

interface Pending {
  readonly resolve: (result: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What a task says beside its name; see the program. */
type Task =
  | { readonly name: 'digest'; readonly algorithm: HashAlgorithm; readonly bytes: Uint8Array }
  | {
      readonly name: 'write';
      readonly descriptor: number;
      readonly bytes: Uint8Array;
      readonly position: number;
      readonly step: number;
    };

/** All bytes that are handed over must be shared memory, and must not change until it is settled. */
export class BlockThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #broken = false;

  constructor(name: string) {
    this.#worker = new Worker(PROGRAM, { eval: true, name });
    // It keeps the process alive only while somebody waits for an answer.
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error(`the thread ${name} ended`)));
  }

  /** False when the thread died, for lack of memory for example: work elsewhere. */
  get works(): boolean {
    return !this.#broken;
  }

  async digest(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array> {
    return (await this.#ask({ name: 'digest', algorithm, bytes })) ?? new Uint8Array(0);
  }

  /** Writes all bytes into an open file. @throws what node:fs throws */
  async write(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
    await this.#ask({ name: 'write', descriptor, bytes, position, step: WRITE_STEP });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(task: Task): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...task });
    });
  }

  #answered({ id, result, error }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker.unref();
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(error);
  }

  #fail(error: unknown): void {
    this.#broken = true;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
