import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { nodeRuntime } from '../../../src/runtime/node/index.ts';
import type { HttpHandler, HttpServeOptions, Listener } from '../../../src/runtime/ports.ts';
import { pattern } from '../recorder.ts';

const LARGE = pattern(16 * 1024 * 1024);
const GET = 'GET / HTTP/1.1\r\n\r\n';
const { signal } = new AbortController();

describe('who never reads', () => {
  test.each([
    ['an answer', 'GET /large HTTP/1.1\r\n\r\n'],
    ['an answer behind one that fits on the way', `${GET}GET /large HTTP/1.1\r\n\r\n`],
    ['many answers', 'GET /large HTTP/1.1\r\n\r\n'.repeat(50)],
  ])('%s loses the connection', async (_, requests) => {
    await using runtime = nodeRuntime();
    await using server = await serve(
      runtime.http,
      ({ target }) => ({ body: target === '/' ? 'small' : LARGE, lasting: true }),
      { requestTimeoutMs: 100 },
    );
    using client = await dial(server);
    client.write(requests);
    await expect.poll(openSockets).toBe(2);
    // Its own end stays: it does not even look.
    await expect.poll(openSockets, { timeout: 5000 }).toBe(1);
  });

  test('cannot pile up answers, not even together with others', async () => {
    await using runtime = nodeRuntime();
    const body = LARGE.subarray(0, 256 * 1024);
    const heard = new Set<number>();
    const handler: HttpHandler = ({ from }) => {
      heard.add(from.port);
      return { body };
    };
    await using server = await serve(runtime.http, handler);
    await using clients = new AsyncDisposableStack();
    for (let count = 0; count < 20; count++) {
      clients.use(await dial(server)).write(GET.repeat(100));
    }
    // Some are broken off in the middle of what they ask for.
    await expect.poll(() => heard.size, { timeout: 5000 }).toBe(20);
    // Half a gigabyte in all. The system takes some of it, and 64 MiB are kept for those who stay.
    await expect.poll(openSockets, { timeout: 5000 }).toBeLessThan(20 + 5);
  });

  test('and asks for too many is broken off at once', async () => {
    await using runtime = nodeRuntime();
    let asked = 0;
    await using server = await serve(runtime.http, () => ({ body: String(asked++) }));
    using client = await dial(server);
    client.write(GET.repeat(3000));
    await expect.poll(openSockets, { timeout: 5000 }).toBe(1);
    expect(asked).toBe(100);
  });
});

test('who reads may ask for a hundred answers ahead, again and again', async () => {
  await using runtime = nodeRuntime();
  await using server = await serve(runtime.http, () => ({ body: '!' }));
  using client = await dial(server);
  let answers = 0;
  client.setEncoding('latin1').on('data', (text: string) => {
    answers += text.split('!').length - 1;
  });
  client.resume();
  for (let round = 1; round <= 20; round++) {
    client.write(GET.repeat(100));
    await expect.poll(() => answers, { interval: 1 }).toBe(100 * round);
  }
});

function serve(
  http: ReturnType<typeof nodeRuntime>['http'],
  handler: HttpHandler,
  options: Partial<HttpServeOptions> = {},
): Promise<Listener> {
  return http.serve(handler, { host: '127.0.0.1', signal, ...options });
}

/** A connected client that does not read. */
async function dial({ local }: Listener): Promise<Socket & Disposable> {
  const socket = connect({ ...local, noDelay: true }).pause();
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  return Object.assign(socket, { [Symbol.dispose]: () => void socket.destroy() });
}

/** Ends of connections in this process. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
