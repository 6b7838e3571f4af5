/** A SOCKS5 and HTTP proxy on the ports of bip, for the simulated world and for loopback. @module */

import { concatBytes, decodeUtf8Lossy, encodeUtf8 } from '../../src/base/bytes.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../src/base/endpoint.ts';
import { BipError } from '../../src/base/errors.ts';
import { ipFamily } from '../../src/base/ip.ts';
import {
  addressLength,
  decodeAddress,
  decodeUdp,
  encodeUdpHeader,
} from '../../src/proxy/socks5/codec.ts';
import type { ByteStream, Datagrams, Listener, Runtime } from '../../src/runtime/ports.ts';

export interface ProxyServerOptions {
  readonly host: string;
  /** Only with this user and password. */
  readonly login?: readonly [user: string, password: string];
  /** Answers requests with this reply code instead of doing anything. */
  readonly refuse?: number;
}

type OpenTunnel = (to: Endpoint, good: Uint8Array, bad: Uint8Array) => void;
interface Step {
  readonly used: number;
  readonly next: Talk;
}
/** Reads one message from the front and answers it; `undefined` while it is not whole. */
type Talk = (bytes: Uint8Array, stream: ByteStream, open: OpenTunnel) => Step | undefined;

type World = Pick<Runtime, 'network' | 'lookup'>;

/** Counts what it was asked for. */
export class ProxyServer implements AsyncDisposable {
  /** Targets of connections, as the client named them. */
  readonly asked: string[] = [];
  /** Targets of packets, as the client named them. */
  readonly relayed: string[] = [];
  /** Control connections of UDP that stand. */
  readonly associations: ByteStream[] = [];
  /** Associations that were ever made. */
  associated = 0;
  readonly #world: World;
  readonly #options: ProxyServerOptions;
  readonly #open = new Set<AsyncDisposable>();
  readonly #stopping = new AbortController();
  #listener: Listener | undefined;

  private constructor(world: World, options: ProxyServerOptions) {
    this.#world = world;
    this.#options = options;
  }

  static async start(world: World, options: ProxyServerOptions): Promise<ProxyServer> {
    const server = new ProxyServer(world, options);
    server.#listener = await world.network.listen((stream) => server.#accept(stream), {
      host: options.host,
      signal: server.#stopping.signal,
    });
    return server;
  }

  get local(): Endpoint {
    return this.#listener?.local ?? { host: this.#options.host, port: 0 };
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the proxy stops'));
    await this.#listener?.[Symbol.asyncDispose]();
    await Promise.all([...this.#open].map((one) => one[Symbol.asyncDispose]()));
  }

  #accept(stream: ByteStream): void {
    this.#open.add(stream);
    let early: Uint8Array = new Uint8Array(0);
    let other: ByteStream | undefined;
    let talk: Talk = this.#start;
    // What the one side still said goes out before the other one is closed.
    const ended = new Set<ByteStream>();
    const end = (one: ByteStream | undefined): void => {
      if (one === undefined) return;
      ended.add(one);
      if (one.queuedBytes === 0) this.#close(one);
    };
    const drained = (one: ByteStream): void => {
      if (ended.has(one)) this.#close(one);
    };
    const open: OpenTunnel = (to, good, bad) => {
      this.asked.push(formatEndpoint(to));
      this.#connect(to).then(
        (made) => {
          other = made;
          this.#open.add(made);
          stream.write(good);
          made.open({
            data: (bytes) => stream.write(bytes.slice()),
            drain: () => drained(made),
            closed: () => {
              this.#close(made);
              end(stream);
            },
          });
        },
        (error: unknown) => {
          if (!(error instanceof BipError) && !this.signal.aborted) throw error;
          stream.write(bad);
        },
      );
    };
    stream.open({
      data: (bytes) => {
        if (other !== undefined) return other.write(bytes.slice());
        early = concatBytes(early, bytes);
        for (;;) {
          const step = talk(early, stream, open);
          if (step === undefined) return;
          early = early.slice(step.used);
          talk = step.next;
        }
      },
      drain: () => drained(stream),
      closed: () => {
        this.#close(stream);
        end(other);
      },
    });
  }

  readonly #ignore: Talk = () => undefined;

  readonly #start: Talk = (bytes, stream, open) => {
    if (bytes[0] === undefined) return undefined;
    if (bytes[0] === 0x05) return this.#greeted(bytes, stream);
    if (!decodeUtf8Lossy(bytes).includes('\r\n\r\n')) return undefined;
    this.#http(stream, bytes, open);
    return { used: bytes.length, next: this.#ignore };
  };

  #greeted(bytes: Uint8Array, stream: ByteStream): Step | undefined {
    const used = 2 + (bytes[1] ?? 255);
    if (bytes.length < used) return undefined;
    const method = this.#options.login === undefined ? 0 : 2;
    const isOffered = bytes.subarray(2, used).includes(method);
    stream.write(Uint8Array.of(5, isOffered ? method : 0xff));
    return { used, next: method === 0 ? this.#request : this.#login };
  }

  readonly #login: Talk = (bytes, stream) => {
    const user = 2 + (bytes[1] ?? 255);
    const used = user + 1 + (bytes[user] ?? 255);
    if (bytes.length < used) return undefined;
    const said = [bytes.subarray(2, user), bytes.subarray(user + 1, used)].map(decodeUtf8Lossy);
    stream.write(Uint8Array.of(1, said.join(':') === this.#options.login?.join(':') ? 0 : 1));
    return { used, next: this.#request };
  };

  readonly #request: Talk = (bytes, stream, open) => {
    const length = addressLength(bytes[3] ?? 0, bytes[4] ?? 0) ?? Number.POSITIVE_INFINITY;
    const used = 3 + length;
    if (bytes.length < used) return undefined;
    const { refuse } = this.#options;
    if (refuse !== undefined) stream.write(reply(refuse));
    else if (bytes[1] === 3) void this.#associate(stream);
    else open(decodeAddress(bytes.subarray(3, used)), reply(0), reply(5));
    return { used, next: this.#ignore };
  };

  #http(stream: ByteStream, bytes: Uint8Array, open: OpenTunnel): void {
    const head = decodeUtf8Lossy(bytes);
    const to = parseEndpoint(/^CONNECT (\S+) /.exec(head)?.[1] ?? '');
    const { login, refuse } = this.#options;
    const basic = login === undefined ? '' : `Proxy-Authorization: Basic ${btoa(login.join(':'))}`;
    if (!head.includes(`\r\n${basic}`)) return stream.write(answer('407 Who are you'));
    if (to === undefined || refuse !== undefined) return stream.write(answer('403 Forbidden'));
    open(to, answer('200 Connection established'), answer('502 Bad gateway'));
  }

  async #find(host: string): Promise<string> {
    const [address = host] = await this.#world.lookup.addresses(host, { signal: this.signal });
    return address;
  }

  async #connect({ host, port }: Endpoint): Promise<ByteStream> {
    const to = { host: await this.#find(host), port };
    return await this.#world.network.connect(to, { signal: this.signal });
  }

  async #associate(stream: ByteStream): Promise<void> {
    const { signal } = this;
    const { host } = this.local;
    const inside = await this.#world.network.bindDatagrams({ host, signal });
    const outside = await this.#world.network.bindDatagrams({ host, signal });
    this.associated++;
    this.associations.push(stream);
    for (const socket of [inside, outside]) this.#open.add(socket);
    this.#relay(inside, outside);
    stream.write(reply(0, inside.local.port));
  }

  #relay(inside: Datagrams, outside: Datagrams): void {
    let client: Endpoint | undefined;
    inside.receive((bytes, from) => {
      client = from;
      const packet = decodeUdp(bytes);
      if (packet === undefined) return;
      const { from: to } = packet;
      const payload = packet.payload.slice();
      this.relayed.push(formatEndpoint(to));
      if (ipFamily(to.host) !== undefined) return outside.send(payload, to);
      this.#find(to.host).then(
        (address) => outside.send(payload, { host: address, port: to.port }),
        () => undefined,
      );
    });
    outside.receive((bytes, from) => {
      const header = encodeUdpHeader(from);
      if (client !== undefined && header !== undefined) {
        inside.send(concatBytes(header, bytes), client);
      }
    });
  }

  #close(one: ByteStream): void {
    this.#open.delete(one);
    void one[Symbol.asyncDispose]();
  }
}

function answer(line: string): Uint8Array {
  return encodeUtf8(`HTTP/1.1 ${line}\r\nVia: test\r\n\r\n`);
}

/** Names no address, as proxies do that mean their own. */
function reply(code: number, port = 0): Uint8Array {
  return Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, port >>> 8, port & 0xff);
}
