/** Name servers that do not answer as they should. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { textsBy } from '../../../src/runtime/node/texts.ts';

const { signal } = new AbortController();

test('a name server that fails is no empty answer', async () => {
  const socket = createSocket('udp4');
  socket.on('message', (question, { address, port }) => {
    const failed = Buffer.from(question);
    failed.writeUInt16BE(0x8182, 2);
    socket.send(failed, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const texts = textsBy([`127.0.0.1:${socket.address().port}`]);
  await expect(texts('t.example', { signal })).rejects.toMatchObject({
    name: 'NetworkError',
    code: 'BIP_DNS',
    message: 'cannot find the TXT records of t.example: the name server does not answer',
  });
  socket.close();
});

test('a name server that is not there', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  await expect(textsBy([`127.0.0.1:${port}`])('t.example', { signal })).rejects.toMatchObject({
    code: 'BIP_DNS',
  });
});
