/** A {@link TinyTracker} on real sockets of this machine, for commands that run as processes. @module */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { TinyTracker } from '../tracker/tiny-tracker.ts';

export interface LoopbackTracker extends AsyncDisposable {
  readonly tiny: TinyTracker;
  readonly udpUrl: string;
  readonly httpUrl: string;
}

/** Over UDP and HTTP, on any free ports. */
export async function serveOnLoopback(): Promise<LoopbackTracker> {
  const tiny = new TinyTracker();
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => {
    const answer = tiny.udp(bytes, { host: address, port });
    if (answer !== undefined) socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const server = createServer(({ url = '', socket: caller }, response) => {
    const { remoteAddress = '', remotePort = 1 } = caller;
    const { status, body } = tiny.http(url, { host: remoteAddress, port: remotePort });
    response.writeHead(status).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const httpPort = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    tiny,
    udpUrl: `udp://127.0.0.1:${socket.address().port}/announce`,
    httpUrl: `http://127.0.0.1:${httpPort}/announce`,
    async [Symbol.asyncDispose]() {
      socket.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
