import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../src/base/bytes.ts';
import {
  type BipError,
  NetworkError,
  RemoteError,
  TimeoutError,
} from '../../../src/base/errors.ts';
import { type BencodeInput, encode } from '../../../src/bencode/index.ts';
import type { HttpRequest, HttpResponse, HttpTiming } from '../../../src/runtime/ports.ts';
import {
  type AnnounceOptions,
  type AnnounceResponse,
  announce,
  TrackerRefusal,
  type TrackerRuntime,
} from '../../../src/tracker/index.ts';
import { hex, REQUEST } from '../samples.ts';

interface Page {
  readonly status?: number;
  readonly timing?: HttpTiming;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}
type Reply = Page | Error | 'silence';

/** A web of servers by host and port: what they say, and where they are. */
class Web {
  readonly asked: HttpRequest[] = [];
  readonly #servers: Readonly<Record<string, (request: HttpRequest, count: number) => Reply>>;
  readonly #names: Readonly<Record<string, string>>;

  constructor(
    servers: Readonly<Record<string, (request: HttpRequest, count: number) => Reply>>,
    names: Readonly<Record<string, string>> = {},
  ) {
    this.#servers = servers;
    this.#names = names;
  }

  get runtime(): TrackerRuntime {
    let now = 0;
    const timers = new Map<number, () => void>();
    const nothing = (): Promise<never> => Promise.reject(new Error('no network here'));
    return {
      clock: {
        now: () => now,
        schedule: (at, wake) => {
          timers.set(at, wake);
          return () => timers.delete(at);
        },
      },
      random: { uint32: () => 1, bytes: (length) => new Uint8Array(length) },
      network: { bindDatagrams: nothing, connect: nothing, listen: nothing },
      lookup: {
        addresses: (host) => {
          const address = this.#address(host);
          return address === undefined
            ? Promise.reject(new NetworkError(`no ${host}`, { code: 'BIP_DNS' }))
            : Promise.resolve([address]);
        },
        texts: nothing,
        localAddresses: () => [],
        interfaces: () => [],
      },
      webSockets: { connect: nothing },
      http: {
        serve: nothing,
        get: async (request, { signal }): Promise<HttpResponse> => {
          this.asked.push(request);
          const { hostname, host, port } = new URL(request.url);
          const reply = this.#servers[host]?.(request, this.asked.length) ?? new Error('nobody');
          if (reply === 'silence') {
            // The one timer that is set is the limit; virtual time goes there.
            for (const [at, wake] of timers) {
              now = at;
              wake();
            }
            signal.throwIfAborted();
            throw new Error('nothing ended the silence');
          }
          if (reply instanceof Error) throw reply;
          // What is loaded before the first request takes time of its own.
          now += this.asked.length === 1 ? 250 : 5;
          const remote = { host: this.#address(hostname) ?? '', port: Number(port || 80) };
          const page = {
            status: 200,
            headers: {},
            body: new Uint8Array(),
            timing: { answerMs: 5 },
          };
          return { ...page, remote, ...reply };
        },
      },
    };
  }

  #address(host: string): string | undefined {
    return this.#names[host] ?? (/^[\d.]+$|:/.test(host) ? host : undefined);
  }
}

const signal: AbortSignal = new AbortController().signal;

function ask(
  web: Web,
  url: string,
  options: Partial<AnnounceOptions> = {},
): Promise<AnnounceResponse> {
  return announce(web.runtime, url, REQUEST, { signal, ...options });
}
async function failure(
  web: Web,
  url: string,
  options?: Partial<AnnounceOptions>,
): Promise<BipError> {
  const outcome: unknown = await ask(web, url, options).catch((error: unknown) => error);
  if (outcome instanceof RemoteError) return outcome;
  if (outcome instanceof NetworkError || outcome instanceof TimeoutError) return outcome;
  throw outcome;
}
function bencoded(value: BencodeInput): Page {
  return { body: encode(value) };
}
function to(location: string, status = 302): Page {
  return { status, headers: { location } };
}

const GOOD: Page = bencoded({ interval: 1800, peers: hex('0a000001 1ae1') });
const NAMES = { 't.example': '1.1.1.1', 'u.example': '2.2.2.2', localhost: '127.0.0.1' };

test('one announce', async () => {
  const web = new Web({ 't.example': () => GOOD }, NAMES);
  expect(await ask(web, 'http://t.example/announce?passkey=k')).toEqual({
    intervalSeconds: 1800,
    peers: [{ host: '10.0.0.1', port: 6881 }],
    remote: { host: '1.1.1.1', port: 80 },
    rttMs: 5,
    exchange: { transport: 'http', family: 4, redirects: [] },
  });
  expect(web.asked).toHaveLength(1);
  expect(web.asked[0]?.url).toMatch(
    /^http:\/\/t\.example:80\/announce\?passkey=k&info_hash=%00%20%25/,
  );
  expect(web.asked[0]?.headers).toEqual({ 'user-agent': 'bip' });
  expect(web.asked[0]?.maxBytes).toBe(1_048_576);
});

test('the port tells how long it took; of redirects the last request counts', async () => {
  const timed = (page: Page, connectMs: number, answerMs: number): (() => Page) => {
    return () => ({ ...page, timing: { connectMs, answerMs } });
  };
  const web = new Web(
    {
      't.example': timed(to('http://u.example/announce'), 40, 7),
      'u.example': timed(GOOD, 20, 3),
    },
    NAMES,
  );
  const direct = await ask(web, 'http://u.example/announce');
  expect([direct.rttMs, direct.exchange.connectRttMs]).toEqual([3, 20]);
  const redirected = await ask(web, 'http://t.example/announce');
  expect([redirected.rttMs, redirected.exchange.connectRttMs]).toEqual([3, 20]);
});

test('tracker id and family are handed on, credentials become a header', async () => {
  const web = new Web({ 't.example': () => GOOD }, NAMES);
  await ask(web, 'http://me:pw@t.example/announce', { trackerId: hex('41ff'), family: 6 });
  expect(web.asked[0]?.url).toContain('&trackerid=A%FF');
  expect(web.asked[0]?.url).not.toContain('pw');
  expect(web.asked[0]?.headers?.['authorization']).toBe('Basic bWU6cHc=');
  expect(web.asked[0]?.family).toBe(6);
});

test('peers that are names are looked up, unknown ones left out', async () => {
  const peers = [
    { ip: 'u.example', port: 1 },
    { ip: 'gone.example', port: 2 },
    { ip: '10.0.0.1', port: 3 },
  ];
  const web = new Web({ 't.example': () => bencoded({ interval: 1, peers }) }, NAMES);
  expect((await ask(web, 'http://t.example/announce')).peers).toEqual([
    { host: '10.0.0.1', port: 3 },
    { host: '2.2.2.2', port: 1 },
  ]);
});

describe('refusals and rubbish', () => {
  test.each([
    ['a reason', bencoded({ 'failure reason': 'unregistered' }), 'refused with: unregistered'],
    [
      'a reason with a status',
      { status: 403, ...bencoded({ 'failure reason': 'banned' }) },
      'refused with: banned',
    ],
    ['a status', { status: 404 }, 'answered with the HTTP status 404'],
    [
      'a status with a page',
      { status: 502, body: encodeUtf8('<style>b{}</style><h1>Bad\n Gateway</h1>') },
      'answered with the HTTP status 502: Bad Gateway',
    ],
    ['a status with peers', { status: 500, ...GOOD }, 'answered with the HTTP status 500'],
    ['nothing', {}, 'answered with nothing'],
    ['a page', { body: encodeUtf8('<html><body>Buy \u001b[31mthis</body>') }, ': Buy [31mthis'],
    ['bytes', { body: hex('ff00ff00') }, "answered with something that is no tracker's answer"],
    ['a redirect to nowhere', { status: 302 }, 'answered with the HTTP status 302'],
  ])('%s', async (_, reply, sentence) => {
    const error = await failure(
      new Web({ 't.example': () => reply }, NAMES),
      'http://t.example/announce?passkey=secret',
    );
    expect(error.message).toContain(
      `http://t.example:80 ${sentence.startsWith(':') ? '' : sentence}`.trimEnd(),
    );
    expect(error.message).toContain(sentence);
    expect(error.message).not.toContain('secret');
    expect(error).toBeInstanceOf(RemoteError);
  });

  test('BEP 31: when to come again', async () => {
    const reply = bencoded({ 'failure reason': 'busy', 'retry in': 2 });
    const error = await failure(new Web({ 't.example': () => reply }, NAMES), 'http://t.example/a');
    expect(error).toBeInstanceOf(TrackerRefusal);
    expect(error).toMatchObject({
      reason: 'busy',
      retryInSeconds: 120,
      code: 'BIP_TRACKER_REFUSED',
    });
  });

  test('a long page is cut, and no half of a character is shown', async () => {
    const body = encodeUtf8('ä'.repeat(100_000));
    const error = await failure(
      new Web({ 't.example': () => ({ body }) }, NAMES),
      'http://t.example/a',
    );
    expect(error.message).toMatch(/: ä{120}…$/);
  });

  test('a failure of the network does not tell the path', async () => {
    const broken = new NetworkError('cannot get http://t.example/0123secret/announce: refused');
    const error = await failure(
      new Web({ 't.example': () => broken }, NAMES),
      'http://t.example/0123secret/announce',
    );
    expect(error.message).toBe('cannot get http://t.example: refused');
  });
});

describe('patience', () => {
  test('30 s by default, one attempt', async () => {
    const web = new Web({ 't.example': () => 'silence' }, NAMES);
    const error = await failure(web, 'http://t.example/announce');
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toBe('http://t.example:80 did not answer within 30 s');
    expect(web.asked).toHaveLength(1);
  });

  test('retries share the limit', async () => {
    const web = new Web({ 't.example': () => 'silence' }, NAMES);
    const error = await failure(web, 'http://t.example/announce', { timeoutMs: 6000, retries: 2 });
    expect(error).toMatchObject({ waitedMs: 6000 });
    expect(web.asked).toHaveLength(3);
  });

  test('a refusal is an answer and no reason to ask again', async () => {
    const web = new Web({ 't.example': () => bencoded({ 'failure reason': 'no' }) }, NAMES);
    await failure(web, 'http://t.example/announce', { retries: 3 });
    expect(web.asked).toHaveLength(1);
  });

  test('an aborted signal asks nobody', async () => {
    const web = new Web({ 't.example': () => GOOD }, NAMES);
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    await expect(ask(web, 'http://t.example/a', { signal: controller.signal })).rejects.toThrow(
      'stop',
    );
    expect(web.asked).toHaveLength(0);
  });
});

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('status %i is followed', async (status) => {
    const web = new Web(
      {
        't.example': () => to('https://u.example/b?info_hash=x', status),
        'u.example:443': () => GOOD,
        'u.example': () => GOOD,
      },
      NAMES,
    );
    expect((await ask(web, 'http://t.example/announce')).remote.host).toBe('2.2.2.2');
    expect(web.asked[1]?.url).toBe('https://u.example:443/b?info_hash=x');
  });

  test('a place without our query gets it', async () => {
    const web = new Web(
      { 't.example': (_, count) => (count === 1 ? to('/moved?passkey=k') : GOOD) },
      NAMES,
    );
    await ask(web, 'http://t.example/announce?own=key');
    expect(web.asked[1]?.url).toMatch(/\/moved\?passkey=k&info_hash=%00.*&port=6881/);
    expect(web.asked[1]?.url).not.toContain('own=key');
  });

  test('where they led is told without queries, and what was sent and received on request', async () => {
    const web = new Web(
      {
        't.example': () => to('https://u.example/b?info_hash=x'),
        'u.example': () => GOOD,
      },
      NAMES,
    );
    const { exchange } = await ask(web, 'http://t.example/announce?k=secret', { keepRaw: true });
    expect(exchange).toMatchObject({
      transport: 'https',
      redirects: ['https://u.example:443/b'],
      raw: { received: [new Uint8Array(), GOOD.body] },
    });
    const sent = exchange.raw?.sent.map((bytes) => new TextDecoder().decode(bytes));
    expect(sent?.[0]).toMatch(/^\/announce\?k=secret&info_hash=%00%20/);
    expect(sent?.[1]).toBe('/b?info_hash=x');
    expect(sent).toHaveLength(2);
  });

  test('another origin does not get the credentials', async () => {
    const web = new Web(
      {
        't.example': (_, count) => (count === 1 ? to('/b') : to('http://u.example/c')),
        'u.example': () => GOOD,
      },
      NAMES,
    );
    await ask(web, 'http://me:pw@t.example/announce');
    expect(web.asked.map(({ headers }) => headers?.['authorization'] !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('five are followed, a sixth is not', async () => {
    const upTo = (last: number): Web =>
      new Web({ 't.example': (_, count) => (count <= last ? to(`/${count}`) : GOOD) }, NAMES);
    expect(await ask(upTo(5), 'http://t.example/announce')).toHaveProperty('peers');
    const error = await failure(upTo(6), 'http://t.example/announce');
    expect(error.message).toBe('http://t.example:80 redirected 5 times and then once more');
    expect(error.code).toBe('BIP_TRACKER_REDIRECT');
  });

  test.each([
    ['ftp://u.example/', 'not supported'],
    ['http://xn--u.example/', 'internationalised'],
    ['udp://u.example:80/', 'cannot lead from HTTP to UDP'],
    ['ws://u.example/', 'cannot lead from HTTP to UDP or a WebSocket'],
  ])('not to %s', async (location, why) => {
    const web = new Web({ 't.example': () => to(location) }, NAMES);
    const error = await failure(web, 'http://t.example/announce');
    expect(error.message).toContain('redirected to where bip does not follow');
    expect(error.message).toContain(why);
    expect(web.asked).toHaveLength(1);
  });
});

describe('addresses of this machine and network (ssrf_*)', () => {
  test.each([
    '127.0.0.1',
    'localhost',
    '192.168.1.1:8080',
    '[::1]',
    '[fd00::1]',
    '169.254.169.254',
  ])('from the internet not to %s', async (host) => {
    const web = new Web({ 't.example': () => to(`http://${host}/announce`) }, NAMES);
    const error = await failure(web, 'http://t.example/announce', { trusted: true });
    expect(error.message).toContain('an address of the local network; bip does not follow');
    expect(web.asked).toHaveLength(1);
  });

  test('anywhere, when the user allows it', async () => {
    const web = new Web(
      { 't.example': () => to('http://127.0.0.1/x'), '127.0.0.1': () => GOOD },
      NAMES,
    );
    const { remote } = await ask(web, 'http://t.example/announce', { allowLocal: true });
    expect(remote.host).toBe('127.0.0.1');
  });

  test('a local tracker may redirect to a local one', async () => {
    const web = new Web({
      '10.0.0.1': () => to('http://10.0.0.2/announce'),
      '10.0.0.2': () => GOOD,
    });
    expect((await ask(web, 'http://10.0.0.1/announce')).remote.host).toBe('10.0.0.2');
  });

  test.each(['http://127.0.0.1/admin', 'http://localhost/', 'http://[::1]/x/announce'])(
    '%s is not asked for a torrent',
    async (url) => {
      const web = new Web({}, NAMES);
      const error = await failure(web, url);
      expect(error.code).toBe('BIP_TRACKER_LOCAL');
      expect(web.asked).toHaveLength(0);
    },
  );

  test('a path that begins with /announce is, and any for the user', async () => {
    const web = new Web({ '127.0.0.1': () => GOOD, localhost: () => GOOD }, NAMES);
    expect(await ask(web, 'http://127.0.0.1/announce/k')).toHaveProperty('peers');
    expect(await ask(web, 'http://localhost/x', { trusted: true })).toHaveProperty('peers');
  });
});

describe('what is known of a tracker that answered badly', () => {
  test.each([
    ['a refusal', bencoded({ 'failure reason': 'no' }), 'BIP_TRACKER_REFUSED'],
    ['a status', { status: 500, body: encodeUtf8('oops') }, 'BIP_TRACKER_STATUS'],
    ['nonsense', { body: encodeUtf8('oops') }, 'BIP_TRACKER_ANSWER'],
  ])('%s', async (_, page, code) => {
    const web = new Web({ 't.example': () => page }, NAMES);
    expect(await failure(web, 'http://t.example/announce', { keepRaw: true })).toMatchObject({
      code,
      exchange: { transport: 'http', family: 4, raw: { received: [page.body] } },
    });
  });
});
