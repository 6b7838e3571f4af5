/**
 * One socket of a node: the DHT of one family (BEP 32) with the routing table, the queries under way,
 * the answers to others, and the id that follows from the address that others see (BEP 42).
 *
 * @module
 */

import { equalBytes } from '../base/bytes.ts';
import type { Endpoint } from '../base/endpoint.ts';
import { ProtocolError } from '../base/errors.ts';
import { parseIp } from '../base/ip.ts';
import type { Clock, Datagrams, Millis, Random } from '../runtime/ports.ts';
import { RateLimiter } from '../runtime/rate-limiter.ts';
import type { Contact, Family } from './contact.ts';
import { emptyCounters, queryKind, type RealmCounters } from './counters.ts';
import { compareDistance } from './distance.ts';
import { ExternalAddress } from './external-address.ts';
import {
  decodeMessage,
  type KrpcMalformed,
  type KrpcMessage,
  type KrpcQuery,
  type KrpcResponse,
  KrpcWriter,
  type QueryArguments,
} from './krpc/index.ts';
import { decodeNodes } from './node-info.ts';
import { Offenders } from './offenders.ts';
import { isPlausible } from './plausible.ts';
import { RoutingTable } from './routing/index.ts';
import { Rpc, type RpcHandler } from './rpc.ts';
import { isSecureId, makeSecureId } from './secure-id.ts';
import { Server } from './server.ts';
import type { RealmState } from './state.ts';
import type { Stores } from './stores.ts';

export interface RealmOptions {
  readonly family: Family;
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: Stores;
  /** 20 bytes, kept whatever address others see. */
  readonly id: Uint8Array | undefined;
  /** 20 bytes, kept as long as it fits the address that others see; random when left out. */
  readonly savedId: Uint8Array | undefined;
  /** Answers no queries, and says so (BEP 43). */
  readonly readOnly: boolean;
  /** `v` of all messages. */
  readonly version: Uint8Array;
  readonly limitAddresses: boolean;
  readonly limits: RealmLimits;
  /** Tables of all realms of the node. */
  readonly tables: () => Readonly<Partial<Record<Family, RoutingTable>>>;
  /** The external address was found, or is another one. */
  readonly onAddress: (host: string) => void;
}

/** How much others may ask of us. */
export interface RealmLimits {
  /** Queries a second of one address in the long run; a /24 or /48 may send ten times as many. */
  readonly queriesPerSecond: number;
  readonly shortMs?: Millis;
  readonly longMs?: Millis;
}

/** A query to a node whose id is known, or not. */
export interface Addressee {
  readonly id: Uint8Array | undefined;
  readonly endpoint: Endpoint;
}

export class Realm implements AsyncDisposable {
  readonly family: Family;
  readonly counters: RealmCounters = emptyCounters();
  readonly #options: RealmOptions;
  readonly #socket: Datagrams;
  readonly #table: RoutingTable;
  readonly #rpc: Rpc;
  readonly #server: Server;
  readonly #writer = new KrpcWriter();
  readonly #external = new ExternalAddress();
  readonly #offenders: Offenders;
  readonly #limiter: RateLimiter;
  /** Nodes of an earlier run, some of which may be gone; and in compact form. */
  #restored: readonly Contact[] = [];
  #saved: Uint8Array = new Uint8Array(0);
  /** When newcomers may be pinged again. */
  #greetAt: Millis = 0;

  constructor(socket: Datagrams, options: RealmOptions) {
    const { family, clock, random, limits, readOnly, version, limitAddresses } = options;
    this.family = family;
    this.#options = options;
    this.#socket = socket;
    const ownId = options.id ?? options.savedId ?? random.bytes(20);
    this.#table = new RoutingTable({ family, ownId, limitAddresses, random });
    const send = (query: KrpcQuery, to: Endpoint): void => this.#send(query, to);
    this.#rpc = new Rpc({ clock, random, send, readOnly, version, ...limits });
    this.#server = new Server({
      family,
      clock,
      version,
      stores: options.stores,
      tables: options.tables,
    });
    this.#offenders = new Offenders();
    this.#limiter = new RateLimiter(
      {
        perSecond: limits.queriesPerSecond,
        burst: limits.queriesPerSecond * BURST_SECONDS,
        networkPerSecond: limits.queriesPerSecond * NETWORK_SHARE,
        networkBurst: limits.queriesPerSecond * NETWORK_SHARE * BURST_SECONDS,
        cells: LIMITER_CELLS,
      },
      random,
    );
    socket.receive((bytes, from) => this.#receive(bytes, from));
  }

  get local(): Endpoint {
    return this.#socket.local;
  }

  get table(): RoutingTable {
    return this.#table;
  }

  /** Where most others see us; undefined until enough agree. */
  get externalHost(): string | undefined {
    return this.#external.host;
  }

  /** Our address for others, as far as it is known: as they see it, else the one that we are bound to. */
  get ownHost(): string | undefined {
    const { host } = this.local;
    const isOne = host !== '0.0.0.0' && host !== '::';
    return this.externalHost ?? (isOne ? host : undefined);
  }

  /** It answers no queries. */
  get isReadOnly(): boolean {
    return this.#options.readOnly;
  }

  /** Whether there are nodes of an earlier run, which a search may begin with. */
  get hasSaved(): boolean {
    return this.#restored.length > 0;
  }

  /** How many queries of ours wait for an answer. */
  get pending(): number {
    return this.#rpc.size;
  }

  /** How long an answer is waited for. */
  get longTimeoutMs(): Millis {
    return this.#rpc.longMs;
  }

  /** Asks a node; the table learns of what becomes of it before the handler does. */
  ask(to: Addressee, method: string, args: Omit<QueryArguments, 'id'>, handler: RpcHandler): void {
    const { clock } = this.#options;
    const { endpoint } = to;
    this.counters.queriesOut++;
    this.counters.kindsOut[queryKind(method)]++;
    this.#rpc.query(
      endpoint,
      method,
      { id: this.#table.ownId, ...args },
      {
        answered: (response, rttMs) => {
          this.counters.answersIn++;
          this.#answered(to, response, rttMs);
          handler.answered(response, rttMs);
        },
        refused: (error, rttMs) => {
          this.counters.errorsIn++;
          // It is there, though it does not like the question.
          if (to.id !== undefined)
            this.#table.answered({ id: to.id, endpoint }, rttMs, clock.now());
          handler.refused(error, rttMs);
        },
        slow: () => handler.slow(),
        timedOut: () => {
          this.counters.timeouts++;
          if (to.id !== undefined) this.#table.failed({ id: to.id, endpoint }, clock.now());
          handler.timedOut();
        },
      },
    );
  }

  /** Takes compact nodes that were saved as candidates. */
  restore(nodes: Uint8Array | undefined): void {
    const now = this.#options.clock.now();
    this.#saved = nodes?.slice() ?? this.#saved;
    this.#restored = decodeNodes(this.#saved, this.family);
    for (const node of this.#restored) this.#table.heard(node, now);
  }

  /** What to keep for the next run; the nodes are those of the run before while nobody has answered. */
  save(): RealmState {
    const isNew = this.#table.size === 0 && this.#saved.length > 0;
    return {
      id: this.#table.ownId.slice(),
      nodes: isNew ? this.#saved.slice() : this.#table.save(this.#options.clock.now()),
    };
  }

  /** Whom a search for `target` may begin with: nodes that answered before, in another run if need be. */
  seedsFor(target: Uint8Array, count: number): readonly Contact[] {
    const known = this.#table.closest(target, count, this.#options.clock.now());
    if (known.length >= count || this.#table.size >= ENOUGH) return known;
    const saved = this.#restored.toSorted((one, other) =>
      compareDistance(target, one.id, other.id),
    );
    return [...known, ...saved.slice(0, MAX_RESTORED_SEEDS)];
  }

  /** Pings who is to be pinged to keep the table good; at most `max` of them. */
  pingSome(max: number): void {
    for (const contact of this.#table.takePings(this.#options.clock.now(), max)) {
      this.ask(contact, 'ping', {}, SILENT);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rpc.stop();
    await this.#socket[Symbol.asyncDispose]();
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    this.counters.bytesIn += bytes.length;
    const ip = parseIp(from.host);
    if (ip !== undefined && isPlausible(ip, from.port)) this.#look(bytes, from, ip);
  }

  #look(bytes: Uint8Array, from: Endpoint, ip: Uint8Array): void {
    const now = this.#options.clock.now();
    const isIgnored = this.#offenders.isIgnored(from.host, now);
    if (isIgnored) this.counters.ignored++;
    // Whoever sends in the name of others must not keep their answers from us.
    if (isIgnored && this.#rpc.size === 0) return;
    const message = this.#decode(bytes);
    if (message !== undefined && isQuestion(message)) {
      if (!isIgnored) this.#asked(message, { endpoint: from, ip });
    } else if (message === undefined || !this.#rpc.receive(message, from)) {
      this.counters[message === undefined ? 'undecodable' : 'unasked']++;
      this.#offenders.offended(from.host, now);
    }
  }

  #decode(bytes: Uint8Array): KrpcMessage | undefined {
    try {
      return decodeMessage(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  #asked(
    query: KrpcQuery | KrpcMalformed,
    from: { readonly endpoint: Endpoint; readonly ip: Uint8Array },
  ): void {
    const { readOnly, clock, version } = this.#options;
    this.counters.queriesIn++;
    if (query.type === 'query') this.counters.kindsIn[queryKind(query.method)]++;
    if (readOnly) return;
    if (!this.#limiter.allow(from.ip, clock.now())) {
      this.counters.refusedByRate++;
      return;
    }
    const { endpoint, ip } = from;
    if (query.type === 'malformed') {
      const { transaction, code, message } = query;
      this.counters.malformed++;
      this.#send({ type: 'error', transaction, code, message, version }, endpoint);
      return;
    }
    this.#send(this.#server.answer(query, endpoint, ip), endpoint);
    if (!query.readOnly) this.#meet({ id: query.args.id, endpoint }, clock.now());
  }

  /** Who asks may be new: it is pinged soon, so that a young network grows fast. */
  #meet(node: Contact, now: Millis): void {
    this.#table.queried(node, now);
    if (now < this.#greetAt || this.#table.replacements === 0) return;
    this.#greetAt = now + GREET_PAUSE_MS;
    this.pingSome(GREETED);
  }

  #answered(to: Addressee, response: KrpcResponse, rttMs: Millis): void {
    const now = this.#options.clock.now();
    const { id, externalAddress } = response;
    const { endpoint } = to;
    if (to.id !== undefined && !equalBytes(to.id, id))
      this.#table.failed({ id: to.id, endpoint }, now);
    this.#table.answered({ id, endpoint }, rttMs, now);
    if (externalAddress !== undefined) this.#vote(endpoint.host, externalAddress.host);
  }

  /** An address that is new gives a new id, unless ours was chosen by the user or fits it (BEP 42). */
  #vote(voter: string, host: string): void {
    const ip = parseIp(host);
    if (ip === undefined || ip.length !== (this.family === 4 ? 4 : 16)) return;
    if (!this.#external.vote(voter, host)) return;
    const { id, random, clock, onAddress } = this.#options;
    if (id === undefined && !isSecureId(this.#table.ownId, ip)) {
      this.#table.rebase(makeSecureId(ip, random), clock.now());
    }
    onAddress(host);
  }

  #send(message: Parameters<KrpcWriter['encode']>[0], to: Endpoint): void {
    const bytes = this.#writer.encode(message);
    this.counters.bytesOut += bytes.length;
    this.#socket.send(bytes, to);
  }
}

function isQuestion(message: KrpcMessage): message is KrpcQuery | KrpcMalformed {
  return message.type === 'query' || message.type === 'malformed';
}

const SILENT: RpcHandler = {
  answered: () => undefined,
  refused: () => undefined,
  slow: () => undefined,
  timedOut: () => undefined,
};

/** A table of so many needs no nodes of an earlier run. */
const ENOUGH = 16;
const MAX_RESTORED_SEEDS = 64;
const GREET_PAUSE_MS = 200;
const GREETED = 2;
const BURST_SECONDS = 10;
const NETWORK_SHARE = 10;
/** Addresses that are told apart: 6 KB each for them and their networks. */
const LIMITER_CELLS = 512;
