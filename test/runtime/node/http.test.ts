import { createServer as createHttpServer, type RequestListener } from 'node:http';
import type { Server } from 'node:net';
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import type { HttpResponse, HttpTiming } from '../../../src/runtime/ports.ts';

const { signal } = new AbortController();
const runtime = nodeRuntime();
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await runtime[Symbol.asyncDispose]();
});

function get(url: string, maxBytes = 100_000): Promise<HttpResponse> {
  return runtime.http.get({ url, maxBytes }, { signal });
}

async function started(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

function web(listener: RequestListener): Promise<string> {
  return started(createHttpServer(listener));
}

/** A server that answers every request with these very bytes, then closes. */
function raw(answer: string | Uint8Array): Promise<string> {
  const server: TcpServer = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  return started(server);
}

const BODY = new TextEncoder().encode('d8:intervali1800e5:peers0:e'.repeat(100));

test.each([
  ['gzip', gzipSync(BODY)],
  ['x-gzip', gzipSync(BODY)],
  ['deflate', deflateSync(BODY)],
  ['deflate', deflateRawSync(BODY)],
  ['GZIP', gzipSync(BODY)],
  ['identity', BODY],
] as const)('a body packed by %s is unpacked', async (encoding, packed) => {
  const base = await web((_, response) => {
    response.setHeader('content-encoding', encoding);
    response.end(packed);
  });
  const { body } = await get(base);
  expect(body).toEqual(BODY);
  expect(Buffer.isBuffer(body)).toBe(false);
});

test('asks for what it can unpack', async () => {
  const base = await web((request, response) => {
    response.end(request.headers['accept-encoding']);
  });
  expect(new TextDecoder().decode((await get(base)).body)).toBe('gzip, deflate');
});

test('a bomb is not unpacked beyond the limit', async () => {
  const bomb = gzipSync(new Uint8Array(200_000_000), { level: 9 });
  expect(bomb.length).toBeLessThan(250_000);
  const base = await web((_, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(bomb);
  });
  const before = process.memoryUsage().arrayBuffers;
  await expect(get(base, 300_000)).rejects.toMatchObject({ code: 'BIP_HTTP_TOO_LARGE' });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
});

test.each([
  ['cut', 'gzip', gzipSync(BODY).subarray(0, 60)],
  ['no gzip', 'gzip', BODY],
  ['not asked for', 'br', BODY],
] as const)('a packed body that is %s is an error', async (_, encoding, packed) => {
  const base = await web((_request, response) => {
    response.setHeader('content-encoding', encoding);
    response.end(packed);
  });
  await expect(get(base)).rejects.toMatchObject({
    name: 'NetworkError',
    code: 'BIP_HTTP',
    message: expect.stringContaining(encoding),
  });
});

test('a body without end is cut off at the limit', async () => {
  const base = await web((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(BODY));
    };
    response.on('drain', more);
    more();
  });
  await expect(get(base)).rejects.toMatchObject({ code: 'BIP_HTTP_TOO_LARGE' });
});

test.each([
  ['lines that end by LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'],
  ['HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\nhi'],
  ['odd bytes in headers', 'HTTP/1.1 200 OK\r\nX-Server: a\u0001b\r\nContent-Length: 2\r\n\r\nhi'],
])('old trackers are understood: %s', async (_, answer) => {
  expect(new TextDecoder().decode((await get(await raw(answer))).body)).toBe('hi');
});

test.each([
  ['a body shorter than promised', 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi'],
  ['a chunk that is cut', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi'],
  ['no answer at all', ''],
])('%s is an error', async (_, answer) => {
  await expect(get(await raw(answer))).rejects.toMatchObject({ code: 'BIP_HTTP' });
});

test('connections are kept, and a kept one that died is replaced', async () => {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createHttpServer((_, response) => response.end('x'));
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
  });
  const base = await started(server);
  await get(base);
  await get(base);
  expect(connections).toBe(1);
  // The server closes it without the client having looked since.
  for (const socket of sockets) socket.resetAndDestroy();
  expect((await get(base)).status).toBe(200);
  expect(connections).toBe(2);
});

test('the connection and the answer are timed, and only a new connection', async () => {
  const waitMs = 40;
  const base = await web((_, response) => {
    response.write('x');
    const sentAt = performance.now();
    const rest = (): void => {
      if (performance.now() - sentAt < waitMs) setTimeout(rest, 1);
      else response.end('x');
    };
    rest();
  });
  const timed = async (): Promise<{ timing: HttpTiming; elapsedMs: number }> => {
    const startedAt = performance.now();
    const { timing } = await get(base);
    return { timing, elapsedMs: performance.now() - startedAt };
  };
  const first = await timed();
  const { connectMs = -1, answerMs } = first.timing;
  expect(connectMs).toBeGreaterThan(0);
  expect(answerMs).toBeGreaterThanOrEqual(waitMs);
  expect(connectMs + answerMs).toBeLessThanOrEqual(first.elapsedMs);
  const second = await timed();
  expect(second.timing).not.toHaveProperty('connectMs');
  expect(second.timing.answerMs).toBeGreaterThanOrEqual(waitMs);
  expect(second.timing.answerMs).toBeLessThanOrEqual(second.elapsedMs);
});

test('repeated headers are joined', async () => {
  const base = await raw(
    'HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX: 1\r\nX: 2\r\nContent-Length: 0\r\n\r\n',
  );
  expect((await get(base)).headers).toMatchObject({ 'set-cookie': 'a, b', x: '1, 2' });
});
