/**
 * `node bare.ts`: what Node alone costs. Answers every packet and request at once with the same bytes, by
 * `node:dgram` and `node:http`, and tracks nothing. Prints its port; ends by a signal.
 *
 * @module
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

const ACTION = { connect: 0, announce: 1, scrape: 2 } as const;
const PEERS = 50;

const answer = Buffer.alloc(2048);
const udp = createSocket({ type: 'udp4', recvBufferSize: 2 ** 21, sendBufferSize: 2 ** 21 });
udp.on('message', (packet, { address, port }) => {
  packet.copy(answer, 0, 8, 16);
  udp.send(answer.subarray(0, lengthFor(packet)), port, address);
});

function lengthFor(packet: Buffer): number {
  const action = packet.readUInt32BE(8);
  if (action === ACTION.connect) return 16;
  if (action === ACTION.announce) return 20 + 6 * packet.readInt32BE(92);
  return 8 + (12 * (packet.length - 16)) / 20;
}

const body = Buffer.from(
  `d8:intervali1800e5:peers${PEERS * 6}:${'x'.repeat(PEERS * 6)}e`,
  'latin1',
);
const http = createServer({ noDelay: true, requireHostHeader: false }, (_, response) => {
  response.writeHead(200, ['content-length', String(body.length), 'content-type', 'text/plain']);
  response.end(body);
});
http.listen(0, '127.0.0.1');
await once(http, 'listening');
const bound = http.address();
if (typeof bound !== 'object' || bound === null) throw new Error('there is no port');
udp.bind(bound.port, '127.0.0.1');
await once(udp, 'listening');
process.stdout.write(`${bound.port}\n`);
