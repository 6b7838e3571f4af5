/** Plays the user of a stream and remembers everything it was told. @module */

import { concatBytes } from '../../src/base/bytes.ts';
import type { ByteStream, Listener, StreamHandler } from '../../src/runtime/ports.ts';
import type { Scene } from './place.ts';

/** A handler of streams that copies what it gets. */
export class Recorder implements StreamHandler {
  readonly chunks: Uint8Array[] = [];
  length = 0;
  drains = 0;
  /** Of each `closed`: its error or `undefined`. */
  readonly ends: (Error | undefined)[] = [];
  readonly #waiting = new Set<() => void>();
  onData: ((bytes: Uint8Array) => void) | undefined;

  get bytes(): Uint8Array {
    return concatBytes(...this.chunks);
  }
  data(bytes: Uint8Array): void {
    this.chunks.push(bytes.slice());
    this.length += bytes.length;
    this.onData?.(bytes);
    this.#notify();
  }
  drain(): void {
    this.drains++;
    this.#notify();
  }
  closed(error?: Error): void {
    this.ends.push(error);
    this.#notify();
  }

  /** Settles as soon as `condition` holds after some event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #notify(): void {
    for (const look of [...this.#waiting]) look();
  }
}

/** A connection from `here` to `there`, both ends in hand. */
export interface Connection extends AsyncDisposable {
  readonly client: ByteStream;
  readonly server: ByteStream;
  readonly listener: Listener;
}

export async function connected(scene: Scene): Promise<Connection> {
  const { signal } = scene;
  const accepted = Promise.withResolvers<ByteStream>();
  const listener = await scene.there.network.listen(accepted.resolve, {
    host: scene.thereHost,
    signal,
  });
  const client = await scene.here.network.connect(listener.local, { signal });
  const server = await accepted.promise;
  return {
    client,
    server,
    listener,
    async [Symbol.asyncDispose]() {
      for (const one of [client, server, listener]) await one[Symbol.asyncDispose]();
    },
  };
}

/** `stream` opened with a new recorder. */
export function record(stream: ByteStream): Recorder {
  const recorder = new Recorder();
  stream.open(recorder);
  return recorder;
}

/** Bytes that show where they are out of order. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed + 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
