/** Announces out of their queries (BEP 3, 7, 21, 23). @module */

import { parseEndpoint } from '../../base/endpoint.ts';
import { plainIp } from './client-address.ts';
import { EVENT, type EventCode, type IncomingAnnounce } from './model.ts';
import { MALFORMED, type QueryParameter, TOO_LONG, type TrackerQuery } from './query.ts';

/** The tracker's rules about announces. */
export interface AnnounceRules {
  /** How many peers a client gets that asks for `wanted`; negative numbers leave it to the tracker. */
  numWant(wanted: number): number;
  /** Whether `sender` may say by `ip`, `ipv4` and `ipv6` under which address it is to be found. */
  believes(sender: Uint8Array): boolean;
}

/** Where the peer is to be reached beside its first address, by the other family (BEP 7). */
export interface OtherAddress {
  readonly address: Uint8Array;
  readonly port: number;
}

/** Reads one announce after the other into the same {@link call}. */
export class AnnounceQueries {
  readonly call: IncomingAnnounce;
  /** Of the last announce, as all that follows. */
  other: OtherAddress | undefined;
  compact = true;
  noPeerId = false;
  readonly #rules: AnnounceRules;
  readonly #infoHash = new Uint8Array(20);
  readonly #peerId = new Uint8Array(20);

  constructor(rules: AnnounceRules) {
    this.#rules = rules;
    this.call = {
      infoHash: this.#infoHash,
      peerId: this.#peerId,
      address: new Uint8Array(4),
      port: 0,
      seeding: false,
      event: EVENT.none,
      numWant: 0,
    };
  }

  /** What is wrong with the query, in ASCII; `undefined` when {@link call} has it all. */
  read(query: TrackerQuery, sender: Uint8Array): string | undefined {
    const fault =
      readInfoHash(query, 0, this.#infoHash) ??
      bytesFault('peer_id', query.bytes('peer_id', this.#peerId)) ??
      this.#readPort(query) ??
      this.#readLeft(query) ??
      this.#readNumWant(query);
    if (fault !== undefined) return fault;
    this.call.event = EVENTS.get(query.text('event') ?? '') ?? EVENT.none;
    this.compact = query.text('compact') !== '0';
    this.noPeerId = query.text('no_peer_id') === '1';
    this.call.withIds = !this.compact && !this.noPeerId;
    this.#readAddresses(query, sender);
    return undefined;
  }

  #readPort(query: TrackerQuery): string | undefined {
    const text = query.text('port') ?? '';
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65_535) {
      return query.has('port') ? 'port is no number from 1 to 65535' : 'port is missing';
    }
    this.call.port = port;
    return undefined;
  }

  /** Who does not say how much is left is no seed. */
  #readLeft(query: TrackerQuery): string | undefined {
    const text = query.text('left') ?? '';
    this.call.seeding = /^0+$/.test(text);
    if (!query.has('left') || /^(?:-?\d+)?$/.test(text)) return undefined;
    return 'left is no number of bytes';
  }

  #readNumWant(query: TrackerQuery): string | undefined {
    const text = query.text('numwant') ?? '';
    if (query.has('numwant') && !/^(?:-?\d{1,10})?$/.test(text)) return 'numwant is no number';
    this.call.numWant = this.#rules.numWant(text === '' ? -1 : Number(text));
    return undefined;
  }

  #readAddresses(query: TrackerQuery, sender: Uint8Array): void {
    this.other = undefined;
    this.call.sender = sender;
    this.call.address = sender;
    const named = query.has('ip') || query.has('ipv4') || query.has('ipv6');
    if (!named || !this.#rules.believes(sender)) return;
    const four = this.#address(query, 'ipv4', 4);
    const six = this.#address(query, 'ipv6', 16);
    const ip = this.#address(query, 'ip', undefined);
    const [same, opposite] = sender.length === 4 ? [four, six] : [six, four];
    const first = ip ?? same;
    if (first !== undefined) {
      this.call.address = first.address;
      this.call.port = first.port;
    }
    if (opposite?.address.length !== this.call.address.length) this.other = opposite;
  }

  /** What is no address of `length` bytes does not count: BEP 3 lets `ip` be a name. */
  #address(
    query: TrackerQuery,
    name: QueryParameter,
    length: 4 | 16 | undefined,
  ): OtherAddress | undefined {
    const text = query.text(name);
    if (text === undefined) return undefined;
    const { host, port } = parseEndpoint(text) ?? { host: text, port: this.call.port };
    const address = plainIp(host.replace(/^\[(.*)\]$/, '$1'));
    if (address === undefined || (length ?? address.length) !== address.length) return undefined;
    return address.every((byte) => byte === 0) ? undefined : { address, port };
  }
}

const EVENTS: ReadonlyMap<string, EventCode> = new Map<string, EventCode>([
  ['started', EVENT.started],
  ['completed', EVENT.completed],
  ['stopped', EVENT.stopped],
]);

/** What is wrong with the `info_hash` of this index. */
export function readInfoHash(
  query: TrackerQuery,
  index: number,
  into: Uint8Array,
): string | undefined {
  if (query.infoHashCount <= index) return 'info_hash is missing';
  return bytesFault('info_hash', query.infoHash(index, into));
}

function bytesFault(name: QueryParameter, length: number): string | undefined {
  if (length === 20) return undefined;
  if (length === MALFORMED) return `${name} has a broken percent-escape`;
  if (length === 0) return `${name} is missing`;
  const much = length === TOO_LONG ? 'more than 20' : `${length}`;
  return `${name} has ${much} bytes instead of 20 (raw bytes are wanted, percent-escaped)`;
}
