/** A thread that hashes memory which it shares with its owner. @module */

import { Worker } from 'node:worker_threads';
import type { HashAlgorithm } from '../ports.ts';

/**
 * The whole program of the thread. A text, so that it is there in every kind of bundle: nothing has
 * to be found beside the executable.
 */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { hash } = require('node:crypto');
parentPort.on('message', ({ id, algorithm, bytes }) => {
  parentPort.postMessage({ id, digest: new Uint8Array(hash(algorithm, bytes, 'buffer')) });
});
`;

interface Answer {
  readonly id: number;
  readonly digest: Uint8Array;
}

interface Pending {
  readonly resolve: (digest: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export class HashThread implements AsyncDisposable {
  readonly #worker = new Worker(PROGRAM, { eval: true, name: 'bip-hash' });
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #broken = false;

  constructor() {
    // It keeps the process alive only while somebody waits for a digest.
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the hashing thread ended')));
  }

  /** False when the thread died, for lack of memory for example: hash elsewhere. */
  get works(): boolean {
    return !this.#broken;
  }

  /** `bytes` must be shared memory and must not change until it is settled. */
  digest(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, algorithm, bytes });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #answered({ id, digest }: Answer): void {
    this.#pending.get(id)?.resolve(digest);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker.unref();
  }

  #fail(error: unknown): void {
    this.#broken = true;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
