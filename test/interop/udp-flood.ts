/**
 * A program: sends packets from one address to a UDP tracker, as many as it can, until its stdin ends.
 * Half of them are connects, the other half is noise; it tells how many it has sent.
 *
 * `node udp-flood.ts FROM PORT`
 *
 * @module
 */

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { encodeConnect } from '../../src/tracker/udp/codec.ts';

const [, , from = '', port = ''] = process.argv;
/** Sent before it looks at what else there is to do. */
const BURST = 64;
const TELL_EVERY = 4096;
const LENGTHS = [0, 1, 15, 16, 36, 98, 200, 1400];

const socket = createSocket('udp4');
socket.on('error', () => undefined).on('message', () => undefined);
process.stdin.on('end', () => process.exit()).resume();
const noise = LENGTHS.flatMap((length) => [
  randomBytes(length),
  action(1, length),
  action(2, length),
]);
const packets = noise.flatMap((bytes, index) => [bytes, encodeConnect(index)]);
let sent = 0;
socket.bind(0, from, flood);

function flood(): void {
  for (let count = 0; count < BURST; count++) {
    const packet = packets[sent % packets.length];
    if (packet !== undefined) socket.send(packet, Number(port), '127.0.0.1');
    sent++;
    if (sent % TELL_EVERY === 0) process.stdout.write(`${sent}\n`);
  }
  setImmediate(flood);
}

/** An announce or a scrape by its number, with a connection id that nobody gave. */
function action(number: number, length: number): Buffer {
  const packet = randomBytes(length);
  if (length >= 12) packet.writeUInt32BE(number, 8);
  return packet;
}
