/** Load over HTTP: announces written beforehand, and no more read of an answer than it takes to judge it. @module */

import { connect, type Socket } from 'node:net';
import { ADDRESSES, type Population } from './population.ts';

/** Announces of each address that are sent again and again. */
const REQUESTS = 2_000;
/** A connection that says nothing for so long is lost. */
const SILENCE_MS = 2_000;

export interface HttpJob {
  readonly port: number;
  readonly population: Population;
  readonly seconds: number;
  readonly connections: number;
  /** A connection for all announces, or one for each. */
  readonly keepAlive: boolean;
  readonly numWant: number;
  /** Fewer peers are no answer. */
  readonly least: number;
}

export interface HttpReport {
  readonly seconds: number;
  /** CPU of the generator. */
  readonly generatorSeconds: number;
  readonly answered: number;
  readonly lost: number;
  readonly wrong: number;
  /** Peers in all answers. */
  readonly entries: number;
}

export async function loadHttp(job: HttpJob): Promise<HttpReport> {
  const requests = Array.from({ length: ADDRESSES }, (_, address) => requestsOf(job, address));
  const tally = { answered: 0, lost: 0, wrong: 0, entries: 0 };
  const cpu = process.cpuUsage();
  const began = performance.now();
  const clients = Array.from(
    { length: job.connections },
    (_, at) => new Client(job, at, requests[at % ADDRESSES] ?? [], tally),
  );
  await Promise.all(clients.map((client) => client.run(began + job.seconds * 1000)));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, generatorSeconds: (user + system) / 1e6, ...tally };
}

interface Tally {
  answered: number;
  lost: number;
  wrong: number;
  entries: number;
}

/** One that announces, waits for the answer, and announces again. */
class Client {
  readonly #job: HttpJob;
  readonly #address: string;
  readonly #requests: readonly string[];
  readonly #tally: Tally;
  readonly #done = Promise.withResolvers<void>();
  #next: number;
  #end = 0;
  #socket: Socket | undefined;
  #text = '';

  constructor(job: HttpJob, at: number, requests: readonly string[], tally: Tally) {
    this.#job = job;
    this.#address = `127.0.0.${2 + (at % ADDRESSES)}`;
    this.#requests = requests;
    this.#tally = tally;
    this.#next = Math.floor((at / job.connections) * requests.length);
  }

  /** Until `end`, in the time of `performance.now()`. */
  run(end: number): Promise<void> {
    this.#end = end;
    this.#announce();
    return this.#done.promise;
  }

  #announce(): void {
    if (performance.now() >= this.#end) {
      this.#socket?.destroy();
      this.#done.resolve();
      return;
    }
    this.#text = '';
    const request = this.#requests[this.#next++ % this.#requests.length] ?? '';
    this.#socket ??= this.#open();
    this.#socket.write(request, 'latin1');
  }

  #open(): Socket {
    const { port } = this.#job;
    const socket = connect({ port, host: '127.0.0.1', localAddress: this.#address, noDelay: true });
    socket.setEncoding('latin1');
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('data', (text: string) => this.#received(text));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed(socket));
    return socket;
  }

  #received(text: string): void {
    this.#text = this.#text === '' ? text : this.#text + text;
    const body = bodyOf(this.#text);
    if (body === undefined) return;
    this.#judge(body);
    if (this.#job.keepAlive) this.#announce();
    else {
      const socket = this.#socket;
      this.#socket = undefined;
      socket?.end();
      this.#announce();
    }
  }

  /** A connection that ended before its answer was there. */
  #closed(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    if (performance.now() < this.#end) this.#tally.lost++;
    this.#announce();
  }

  #judge(body: string): void {
    const peers = peersIn(body);
    if (peers === undefined || peers < this.#job.least) {
      this.#tally.wrong++;
      return;
    }
    this.#tally.answered++;
    this.#tally.entries += peers;
  }
}

function requestsOf({ population, keepAlive, numWant }: HttpJob, address: number): string[] {
  const share = population.peers / ADDRESSES;
  return Array.from({ length: Math.min(REQUESTS, share) }, (_, at) => {
    // All over the swarms of this address.
    const index = address * share + ((at * 7919) % share);
    const { swarm, port, seeding, id } = population.peer(index);
    const hash = Buffer.from(population.infoHash(swarm)).toString('hex').replace(/../g, '%$&');
    const left = seeding ? 0 : 1_000_000;
    const query = `info_hash=${hash}&peer_id=${id}&port=${port}&uploaded=0&downloaded=0&left=${left}`;
    return [
      `GET /announce?${query}&compact=1&numwant=${numWant} HTTP/1.1`,
      'Host: 127.0.0.1',
      'User-Agent: bip-bench/1',
      'Accept-Encoding: gzip',
      `Connection: ${keepAlive ? 'keep-alive' : 'close'}`,
      '\r\n',
    ].join('\r\n');
  });
}

/** The body of an answer, once it is there. */
function bodyOf(text: string): string | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const length = /\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  const body = text.slice(head + 4);
  return length === undefined || body.length < Number(length) ? undefined : body;
}

/** How many peers an answer has, in compact form; `undefined` when it is none. */
function peersIn(body: string): number | undefined {
  if (!body.startsWith('d') || !body.includes('8:intervali')) return undefined;
  const bytes = /5:peers(\d+):/.exec(body)?.[1];
  return bytes === undefined || Number(bytes) % 6 !== 0 ? undefined : Number(bytes) / 6;
}
