/** A tracker that knows one peer, so that all contestants find the seeder in the same way. @module */

import { once } from 'node:events';
import { createServer } from 'node:http';

export interface FixedTracker extends AsyncDisposable {
  readonly url: string;
}

/** Answers every announce with `127.0.0.1:seederPort`. */
export async function openFixedTracker(port: number, seederPort: number): Promise<FixedTracker> {
  const head = Buffer.from('d8:intervali1800e5:peers6:');
  const seeder = Buffer.from([127, 0, 0, 1, seederPort >> 8, seederPort & 0xff]);
  const answer = Buffer.concat([head, seeder, Buffer.from('e')]);
  const server = createServer((_, response) => response.end(answer));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${port}/announce`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
