/** The real sockets of Node against a tiny tracker on loopback. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { NetworkError } from '../../src/base/errors.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { announce, UdpTrackers } from '../../src/tracker/index.ts';
import { INFO_HASH, REQUEST } from './samples.ts';
import { TinyTracker } from './tiny-tracker.ts';

const hasIpv6: boolean = Object.values(networkInterfaces())
  .flat()
  .some((own) => own?.address === '::1');

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function udpTracker(tiny: TinyTracker, host = '127.0.0.1'): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, { address, port }) => {
    const answer = tiny.udp(bytes, { host: address, port });
    if (answer !== undefined) socket.send(answer, port, address);
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  opened.push(() => socket.close());
  return socket.address().port;
}

async function httpTracker(tiny: TinyTracker, zip: boolean): Promise<number> {
  const server = createServer((request, response) => {
    const { status, body } = tiny.http(request.url ?? '', { host: '127.0.0.1', port: 1 });
    response.writeHead(status, zip ? { 'content-encoding': 'gzip' } : {});
    response.end(zip ? gzipSync(body) : body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const signal: AbortSignal = new AbortController().signal;

describe('on loopback', () => {
  test('UDP: two announces through one connection', async () => {
    const tiny = new TinyTracker();
    const url = `udp://127.0.0.1:${await udpTracker(tiny)}/announce?k=v`;
    await using runtime = nodeRuntime();
    await using udp = new UdpTrackers(runtime);
    const options = { signal, udp, timeoutMs: 10_000 };
    await announce(runtime, url, { ...REQUEST, event: 'started' }, options);
    const second = await announce(runtime, url, { ...REQUEST, port: 7000, left: 0 }, options);
    expect(second).toMatchObject({
      intervalSeconds: 1800,
      seeders: 1,
      leechers: 1,
      peers: [{ host: '127.0.0.1', port: 6881 }],
    });
    expect(second.rttMs).toBeGreaterThan(0);
    expect(tiny.connects).toBe(1);
    expect(tiny.heard[0]).toMatchObject({
      infoHash: INFO_HASH.hex,
      event: 'started',
      key: 0x0a0b0c0d,
      numWant: -1,
      left: 1,
      target: '/announce?k=v',
    });
  });

  test.skipIf(!hasIpv6)('UDP over IPv6: 18 bytes a peer', async () => {
    const tiny = new TinyTracker();
    const url = `udp://[::1]:${await udpTracker(tiny, '::1')}`;
    await using runtime = nodeRuntime();
    const options = { signal, timeoutMs: 10_000 };
    await announce(runtime, url, REQUEST, options);
    const { peers, remote } = await announce(runtime, url, { ...REQUEST, port: 7000 }, options);
    expect(peers).toEqual([{ host: '::1', port: 6881 }]);
    expect(remote.host).toBe('::1');
  });

  test.each([false, true])('HTTP, gzip %s', async (zip) => {
    const tiny = new TinyTracker();
    const url = `http://127.0.0.1:${await httpTracker(tiny, zip)}/announce?passkey=%31`;
    await using runtime = nodeRuntime();
    await announce(runtime, url, { ...REQUEST, event: 'started' }, { signal });
    const answer = await announce(runtime, url, { ...REQUEST, port: 7000 }, { signal });
    expect(answer.peers).toEqual([{ host: '127.0.0.1', port: 6881 }]);
    expect(tiny.heard[0]).toMatchObject({
      infoHash: INFO_HASH.hex,
      peerId: REQUEST.peerId.hex,
      event: 'started',
      key: 0x0a0b0c0d,
      target: '/announce?passkey=%31',
    });
  });

  test('HTTP where nobody listens', async () => {
    const tiny = new TinyTracker();
    const port = await httpTracker(tiny, false);
    for (const close of opened.splice(0)) close();
    await using runtime = nodeRuntime();
    const attempt = announce(runtime, `http://127.0.0.1:${port}/announce`, REQUEST, { signal });
    await expect(attempt).rejects.toThrow(NetworkError);
  });
});
