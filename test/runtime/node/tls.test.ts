/** What is told of secured connections, with a certificate of our own. */

import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import type { Connect, TlsFacts } from '../../../src/runtime/ports.ts';
import { CERTIFICATE, KEY, VALID_UNTIL } from './certificate.ts';

const { signal } = new AbortController();
const trusted = getCACertificates('default');
const runtime = nodeRuntime();
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer({ key: KEY, cert: CERTIFICATE }, (_, response) => response.end('x'));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = portOf(server);
});
afterEach(() => setDefaultCACertificates(trusted));
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await runtime[Symbol.asyncDispose]();
});

function portOf(listening: TcpServer): number {
  const address = listening.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const FACTS = {
  protocol: 'TLSv1.3',
  cipher: expect.stringMatching(/^TLS_/),
  issuer: 'bip tests',
  validUntil: VALID_UNTIL,
};

async function facts(
  scheme: 'https' | 'wss',
  how: { readonly connect?: Connect } = {},
): Promise<TlsFacts | undefined> {
  const url = `${scheme}://127.0.0.1:${port}/`;
  if (scheme === 'https')
    return (await runtime.http.get({ url, maxBytes: 9 }, { ...how, signal })).tls;
  await using link = await runtime.webSockets.connect(url, { ...how, signal, maxBytes: 9 });
  return link.tls;
}

test.each(['https', 'wss'] as const)('%s: signed by nobody we know', async (scheme) => {
  await expect(facts(scheme)).rejects.toMatchObject({
    code: 'BIP_TLS',
    message: expect.stringContaining('its certificate is signed by itself'),
  });
});

test.each(['https', 'wss'] as const)('%s: what was agreed on, and by whom', async (scheme) => {
  setDefaultCACertificates([...trusted, CERTIFICATE]);
  expect(await facts(scheme)).toEqual(FACTS);
});

describe('over connections that somebody else makes', () => {
  const connect: Connect = (to, options) => runtime.network.connect(to, options);

  test.each(['https', 'wss'] as const)('%s: signed by nobody we know', async (scheme) => {
    await expect(facts(scheme, { connect })).rejects.toMatchObject({ code: 'BIP_TLS' });
  });

  test.each(['https', 'wss'] as const)('%s: what was agreed on', async (scheme) => {
    setDefaultCACertificates([...trusted, CERTIFICATE]);
    expect(await facts(scheme, { connect })).toEqual(FACTS);
  });
});

test('TLS belongs to the time of the connection', async () => {
  setDefaultCACertificates([...trusted, CERTIFICATE]);
  const waitMs = 40;
  const door = createTcpServer((socket) => {
    const acceptedAt = performance.now();
    const secure = (): void => {
      if (performance.now() - acceptedAt < waitMs) setTimeout(secure, 1);
      else server.emit('connection', socket);
    };
    secure();
  });
  await new Promise<void>((resolve) => {
    door.listen(0, '127.0.0.1', resolve);
  });
  const url = `https://127.0.0.1:${portOf(door)}/`;
  const startedAt = performance.now();
  const { timing } = await runtime.http.get({ url, maxBytes: 9 }, { signal });
  const { connectMs = 0, answerMs } = timing;
  expect(connectMs).toBeGreaterThanOrEqual(waitMs);
  expect(connectMs + answerMs).toBeLessThanOrEqual(performance.now() - startedAt);
  server.closeAllConnections();
  door.close();
});

test('a connection that is kept or resumed tells the same', async () => {
  setDefaultCACertificates([...trusted, CERTIFICATE]);
  expect(await facts('https')).toEqual(FACTS);
  expect(await facts('https')).toEqual(FACTS);
  server.closeIdleConnections();
  expect(await facts('https')).toEqual(FACTS);
});
