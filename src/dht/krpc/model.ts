/**
 * Messages of KRPC: those of BEP 5 with the keys of BEP 32, 33, 42, 43, 44 and 51.
 *
 * Whatever is not there is `undefined`. Bytes of decoded messages are views of the packet: whoever
 * keeps them copies them.
 *
 * @module
 */

import type { Endpoint } from '../../base/endpoint.ts';

export type KrpcMessage = KrpcQuery | KrpcResponse | KrpcError | KrpcMalformed;

/** What all messages may carry. */
interface Envelope {
  /** `t`: chosen by who asks, 1 to {@link MAX_TRANSACTION_BYTES} bytes. */
  readonly transaction: Uint8Array;
  /** `v`: client and version. */
  readonly version?: Uint8Array | undefined;
}

export interface KrpcQuery extends Envelope {
  readonly type: 'query';
  /** `q`: one of those that we know, or any other; one character for each byte. */
  readonly method: string;
  readonly args: QueryArguments;
  /** `ro`: the sender answers no queries (BEP 43). */
  readonly readOnly: boolean;
}

/** Arguments of all queries, checked one by one: lengths are right, numbers in range. */
export interface QueryArguments {
  /** 20 bytes: who asks. */
  readonly id: Uint8Array;
  /** 20 bytes, of find_node, get and sample_infohashes. */
  readonly target?: Uint8Array | undefined;
  /** 20 bytes, of get_peers and announce_peer. */
  readonly infoHash?: Uint8Array | undefined;
  /** `want` (BEP 32): the families of nodes that are asked for. */
  readonly want?: Want | undefined;
  /** 1 to 65535. */
  readonly port?: number | undefined;
  /** `implied_port`: the port that the packet came from counts. */
  readonly impliedPort?: boolean | undefined;
  /** 1 to {@link MAX_TOKEN_BYTES} bytes. */
  readonly token?: Uint8Array | undefined;
  /** The announced peer is a seed (BEP 33). */
  readonly seed?: boolean | undefined;
  /** Give no seeds (BEP 33). */
  readonly noSeed?: boolean | undefined;
  /** Blooms are asked for (BEP 33). */
  readonly scrape?: boolean | undefined;
  /** `seq` of put: the sequence of the item; of get: only newer ones are asked for (BEP 44). */
  readonly sequence?: bigint | undefined;
  /** `cas`: the sequence that is to be replaced. */
  readonly compareSequence?: bigint | undefined;
  /** `k`: 32 bytes. */
  readonly publicKey?: Uint8Array | undefined;
  readonly salt?: Uint8Array | undefined;
  /** `sig`: 64 bytes. */
  readonly signature?: Uint8Array | undefined;
  /** `v`: the bencoded value, as it came. Its length is for the item store to judge (205). */
  readonly value?: Uint8Array | undefined;
}

export interface Want {
  readonly n4: boolean;
  readonly n6: boolean;
}

export interface KrpcResponse extends Envelope {
  readonly type: 'response';
  /** 20 bytes: who answers. */
  readonly id: Uint8Array;
  /** Compact nodes, a multiple of 26 bytes. */
  readonly nodes?: Uint8Array | undefined;
  /** Compact nodes of IPv6, a multiple of 38 bytes (BEP 32). */
  readonly nodes6?: Uint8Array | undefined;
  /** Compact peers of 6 or 18 bytes each; of other lengths are left out in decoding. */
  readonly values?: readonly Uint8Array[] | undefined;
  readonly token?: Uint8Array | undefined;
  /** `BFsd`: 256 bytes, the bloom of seeds (BEP 33). */
  readonly seedBloom?: Uint8Array | undefined;
  /** `BFpe`: 256 bytes, the bloom of downloaders (BEP 33). */
  readonly peerBloom?: Uint8Array | undefined;
  /** Infohashes, a multiple of 20 bytes (BEP 51). */
  readonly samples?: Uint8Array | undefined;
  /** `num`: of how many infohashes (BEP 51). */
  readonly sampleTotal?: number | undefined;
  /** `interval`: seconds until other samples can be had, 0 to 21,600 (BEP 51). */
  readonly intervalSeconds?: number | undefined;
  readonly sequence?: bigint | undefined;
  readonly publicKey?: Uint8Array | undefined;
  readonly signature?: Uint8Array | undefined;
  /** `v` of an item: bencoded, as it came. */
  readonly value?: Uint8Array | undefined;
  /** `ip`: where the query came from, as the answering node saw it (BEP 42). */
  readonly externalAddress?: Endpoint | undefined;
}

export interface KrpcError extends Envelope {
  readonly type: 'error';
  /** 201 to 207, 301, 302, or any other. */
  readonly code: number;
  /** What it says, as text that is safe to show; at most {@link MAX_ERROR_CHARACTERS}. */
  readonly message: string;
  readonly externalAddress?: Endpoint | undefined;
}

/** A query that breaks a rule but shows its transaction: it is answered by the error `code`. */
export interface KrpcMalformed extends Envelope {
  readonly type: 'malformed';
  /** 203: a bad argument; 204: no method. */
  readonly code: 203 | 204;
  readonly message: string;
}

/** Codes of BEP 5 and BEP 44. */
export const KRPC_ERROR = {
  generic: 201,
  server: 202,
  protocol: 203,
  unknownMethod: 204,
  tooLong: 205,
  badSignature: 206,
  saltTooLong: 207,
  casMismatch: 301,
  sequenceTooLow: 302,
} as const;

/** Longest transaction id that we answer; those in use have 2 to 8 bytes. */
export const MAX_TRANSACTION_BYTES = 32;
/** Longest token that we carry back; those in use have 4 to 20 bytes. */
export const MAX_TOKEN_BYTES = 128;
export const MAX_ERROR_CHARACTERS = 200;
