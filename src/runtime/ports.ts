/**
 * The only doors from bip to the world. Protocol code takes what it needs of {@link Runtime} as a
 * parameter; `node/` fills it with the real world, `sim/` with a seeded virtual one.
 *
 * Conventions: whoever makes a resource disposes it; disposal is idempotent and waits for one under
 * way. A `signal` cancels what is under way and rejects with its reason. Failures of the network are
 * `NetworkError`, of the disk `StorageError` (codes below), of a limit of time `TimeoutError`.
 *
 * @module
 */

import type { Endpoint } from '../base/endpoint.ts';
import type { StorageError } from '../base/errors.ts';

/** Milliseconds on a monotonic clock with an arbitrary origin. */
export type Millis = number;

export interface Clock {
  now(): Millis;
  /** Calls `wake` once at `at` or soon after. The returned function cancels it; twice is fine. */
  schedule(at: Millis, wake: () => void): () => void;
}

/** The calendar, for creation dates, logs and saved states only. */
export interface WallClock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

export interface Random {
  /** An unsigned 32-bit integer. */
  uint32(): number;
  bytes(length: number): Uint8Array;
}

/** A bound UDP socket. */
export interface Datagrams extends AsyncDisposable {
  readonly local: Endpoint;
  /** Sends and forgets, as UDP does: what cannot be sent is lost. `bytes` is copied or sent at once. */
  send(bytes: Uint8Array, to: Endpoint): void;
  /** Sets the one receiver. `bytes` is a view that is valid during the call only. */
  receive(listener: (bytes: Uint8Array, from: Endpoint) => void): void;
}

/** What a byte stream tells its one user. */
export interface StreamHandler {
  /** `bytes` is a view of a reused buffer, valid during the call only. */
  data(bytes: Uint8Array): void;
  /** All queued bytes went out after `queuedBytes` had been above zero. */
  drain(): void;
  /** Exactly once, and last: the other side ended (no error), or it broke. Not called after a disposal by us. */
  closed(error?: Error): void;
}

/** A connected stream: TCP or uTP. */
export interface ByteStream extends AsyncDisposable {
  /** What carries it; TCP when absent. */
  readonly transport?: 'utp' | undefined;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Starts delivery; must be called once. Bytes that came before are delivered from within or soon after. */
  open(handler: StreamHandler): void;
  /** Queues `bytes`, which must not change until sent. No-op after the stream has closed. */
  write(bytes: Uint8Array): void;
  /** Bytes written but not yet taken by the system: the measure for back-pressure. */
  readonly queuedBytes: number;
  /** Stops and restarts the delivery of data; what is under way may still arrive once. */
  pause(): void;
  resume(): void;
}

export interface Listener extends AsyncDisposable {
  readonly local: Endpoint;
}

/** Where to bind: `host` a local address (default: all), `port` 0 for any free one. */
export interface BindOptions {
  readonly host?: string;
  readonly port?: number;
  /** Others of this process may listen there, too, and the system spreads what comes (SO_REUSEPORT). */
  readonly reusePort?: boolean;
}

export interface DatagramOptions extends BindOptions {
  /**
   * Hears a multicast group instead of a `host`, and shares the port with others of this machine that
   * do; sends nothing. What is sent to the machine and not to the group does not arrive where the
   * system can tell (Windows cannot).
   */
  readonly group?: MulticastGroup;
  /** How what is sent to groups leaves. Left out, it leaves as the system likes. */
  readonly multicast?: MulticastSending;
  readonly signal: AbortSignal;
}

export interface MulticastGroup {
  /** A literal multicast address; it has the family of the socket. */
  readonly address: string;
  /** Names of the interfaces on which the group is heard, at least one of them with an address of that family. */
  readonly interfaces: readonly string[];
}

export interface MulticastSending {
  /** Name of the interface by which it leaves. */
  readonly interface: string;
  /** How many networks it may cross: 1 is that of the interface alone. */
  readonly hops: number;
}

/** One address of an interface of this machine. */
export interface InterfaceAddress {
  /** What the system calls the interface, e.g. `eth0`. */
  readonly interface: string;
  /** Literal; link-local IPv6 has its zone (`fe80::1%eth0`). */
  readonly address: string;
  /** The interface leads nowhere but to this machine. */
  readonly isLoopback: boolean;
}

export interface Network {
  /**
   * @throws {NetworkError} with code `BIP_PORT_IN_USE` when somebody else is there; when the machine has
   *   no such address; when no interface of `group` takes part in it.
   */
  bindDatagrams(options: DatagramOptions): Promise<Datagrams>;
  /** @throws {NetworkError} refused, unreachable, or no route; `to.host` must be an answer of {@link Lookup}. */
  connect(
    to: Endpoint,
    options: { readonly host?: string; readonly signal: AbortSignal },
  ): Promise<ByteStream>;
  /** @throws {NetworkError} with code `BIP_PORT_IN_USE` when somebody else listens there. */
  listen(
    accept: (stream: ByteStream) => void,
    options: BindOptions & { readonly signal: AbortSignal },
  ): Promise<Listener>;
}

export interface Lookup {
  /**
   * Literal addresses of `host`, best first; a literal address is its own answer. Behind a proxy the
   * one answer is the name itself, which goes to the proxy as it is.
   * @throws {NetworkError} with code `BIP_DNS` when there is none.
   */
  addresses(
    host: string,
    options: { readonly family?: 4 | 6; readonly signal: AbortSignal },
  ): Promise<readonly string[]>;
  /**
   * The TXT records of `host`, each with its strings joined; none is an empty answer.
   * @throws {NetworkError} with code `BIP_DNS` when the question was not answered.
   */
  texts(host: string, options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  /** Addresses under which others may reach this machine: of its interfaces, loopback and link-local left out. */
  localAddresses(): readonly string[];
  /** All addresses of all interfaces that are up, loopback and link-local ones, too. */
  interfaces(): readonly InterfaceAddress[];
}

export interface HttpRequest {
  /** `http:` or `https:`. Certificates are checked. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A longer body, as sent or unpacked, is a `NetworkError` with code `BIP_HTTP_TOO_LARGE`. */
  readonly maxBytes: number;
  /** Connect by this family of addresses only. */
  readonly family?: 4 | 6;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Unpacked (gzip, deflate) and unchunked. */
  readonly body: Uint8Array;
  /** Who answered, as a literal address; of a connection that was made for us, what that calls it. */
  readonly remote: Endpoint;
  /** Of `https:` only. */
  readonly tls?: TlsFacts;
  readonly timing: HttpTiming;
}

/** How long the parts of one GET took. */
export interface HttpTiming {
  /** Finding the address, connecting and securing; absent when a connection was there already. */
  readonly connectMs?: Millis;
  /** From the request on a connection to the end of its answer. */
  readonly answerMs: Millis;
}

/** What a TLS handshake agreed on, and who the other side is. */
export interface TlsFacts {
  /** E.g. `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher?: string;
  /** Common name or organisation of who signed the certificate. */
  readonly issuer?: string;
  /** When the certificate ends: milliseconds since 1970. */
  readonly validUntil?: number;
}

/** Makes the connections below HTTP and WebSockets in place of the system; `to.host` may be a name. */
export type Connect = (
  to: Endpoint,
  options: { readonly signal: AbortSignal },
) => Promise<ByteStream>;

export interface Http {
  /** One GET. Redirects are answers like others: whether to follow is the caller's decision. */
  get(
    request: HttpRequest,
    options: { readonly signal: AbortSignal; readonly connect?: Connect },
  ): Promise<HttpResponse>;
  /**
   * Serves GET and HEAD over HTTP/1.1 with connections that are kept; whatever else is asked is
   * refused. A handler that throws answers with 500.
   * @throws {NetworkError} with code `BIP_PORT_IN_USE` when somebody else listens there.
   */
  serve(handler: HttpHandler, options: HttpServeOptions): Promise<Listener>;
}

/** A request to a server of ours. */
export interface HttpIncoming {
  readonly method: string;
  /** Path and query, as sent; also of a request that names scheme and host before them. */
  readonly target: string;
  /** Names in lower case; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly from: Endpoint;
}

export interface HttpReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Copied or sent at once, unless it is {@link lasting}. */
  readonly body: Uint8Array | string;
  /** The body never changes: all who get it may share it. */
  readonly lasting?: boolean;
}

/** Answers a request; `undefined` breaks the connection off. */
export type HttpHandler = (
  request: HttpIncoming,
) => HttpReply | undefined | Promise<HttpReply | undefined>;

export interface HttpServeOptions extends BindOptions {
  readonly signal: AbortSignal;
  /** A longer request (line and headers) is refused with 431. Default 16 KiB. */
  readonly maxRequestBytes?: number;
  /**
   * A further connection takes the place of the one that was quiet for longest, in the network (/24,
   * /48) that has the most of them. Default 10,000.
   */
  readonly maxConnections?: number;
  /** Called for each connection that had to give its place to another one. */
  readonly onDisplaced?: () => void;
  /** How long a request may take to arrive, and an answer to leave. Default 10 s. */
  readonly requestTimeoutMs?: Millis;
  /** How long a connection without a request is kept. Default 30 s. */
  readonly idleTimeoutMs?: Millis;
}

/** A connected WebSocket (RFC 6455) that carries text. */
export interface WebSocketLink extends AsyncDisposable {
  readonly remote: Endpoint;
  readonly tls?: TlsFacts;
  send(text: string): void;
  /**
   * Sets the one receiver. Messages that came before are delivered from within or soon after. `closed`
   * is called once and last, with the reason when there is one; not after a disposal by us.
   */
  open(handler: { message(text: string): void; closed(error?: Error): void }): void;
}

export interface WebSockets {
  /**
   * Connects to a `ws:` or `wss:` URL. Redirects are not followed.
   * @throws {NetworkError} no way to it, or what is there speaks no WebSocket.
   */
  connect(
    url: string,
    options: {
      readonly signal: AbortSignal;
      readonly family?: 4 | 6;
      readonly connect?: Connect;
      /** A longer message closes the link with an error. */
      readonly maxBytes: number;
    },
  ): Promise<WebSocketLink>;
}

/** A script in Lua that Redis runs as one step. */
export interface RedisScript {
  readonly text: string;
  /**
   * SHA-1 of the text in hex: what Redis knows it by once it has seen it. A call by the digest alone is
   * made again, with the text and behind those that came after it, where Redis has not seen it yet.
   * Left out, the text goes along every time, and the call keeps its place.
   */
  readonly digest?: string;
}

/** Redis, Valkey or a cluster of them; a connection that breaks is made again by itself. */
export interface RedisLink extends AsyncDisposable {
  readonly up: boolean;
  /** Sets the one listener: called when {@link up} has changed, with the reason of a failure. */
  onChange(listener: (up: boolean, reason?: string) => void): void;
  /**
   * Runs a script that touches `keys` and no others; they belong to one slot of a cluster. Calls go
   * out in their order and do not wait for each other. Numbers come as numbers, strings as bytes.
   *
   * @throws {NetworkError} when the connection is away, or breaks before the answer.
   * @throws {TimeoutError} when there is no answer in time. The script may have run all the same.
   * @throws {RemoteError} when Redis refuses.
   */
  evaluate(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<unknown>;
}

export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, with fractions where the system has them. */
  readonly modified: number;
  /** The owner may run it; false where the system knows no such bit. */
  readonly executable: boolean;
}

export interface FileHandle extends AsyncDisposable {
  /** Fills `into` from `position`; a shorter count than asked for means that the file ended there. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes`, which must not change until it is done. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Makes the file `size` bytes long; what is added reads as zeros and takes no space. */
  resize(size: number): Promise<void>;
  /** Waits until the data is on the medium. */
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
}

/**
 * A file system. Paths are absolute or relative to the working directory; names that are not UTF-8
 * stand in them by `decodeName`, and are given so.
 *
 * Errors are `StorageError`, their sentence naming the path: `BIP_NOT_FOUND`, `BIP_EXISTS`,
 * `BIP_ACCESS`, `BIP_DISK_FULL`, `BIP_IS_DIRECTORY`, `BIP_NOT_DIRECTORY`, `BIP_IO` for the rest.
 */
export interface Files {
  /** `create` opens for reading and writing and makes the file when it is missing. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle>;
  /** Of what `path` points to, symlinks followed; `undefined` when there is nothing. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Of `path` itself, symlinks not followed; `undefined` when there is nothing. */
  statLink(path: string): Promise<FileStat | undefined>;
  /** Names in a directory, in no order. */
  list(path: string): Promise<readonly string[]>;
  /** With its parents; fine when it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces `to` in one step. */
  rename(from: string, to: string): Promise<void>;
  /** A file or an empty directory; fine when missing. */
  remove(path: string): Promise<void>;
  makeSymlink(path: string, target: string): Promise<void>;
  /** A second name for the file `target`; both have to lie on one device. */
  makeHardLink(path: string, target: string): Promise<void>;
  /** Where the symlink `path` says that it leads. */
  readLink(path: string): Promise<string>;
  /** The absolute path of what `path` points to, with no symlink in it. */
  realPath(path: string): Promise<string>;
  /** Lets whoever may read the file run it; does nothing where the system knows no such bit. */
  makeExecutable(path: string): Promise<void>;
  /** @throws {StorageError} `BIP_TOO_LARGE` when the file is longer than `maxBytes`. */
  readFile(path: string, options: { readonly maxBytes: number }): Promise<Uint8Array>;
  /** Whole file by a temporary name beside it and a rename: readers see the old or the new one. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * A new file that nobody but its owner may read, where the system knows owners.
   * @throws {StorageError} `BIP_EXISTS` when there is anything at `path`, be it a symlink to nowhere.
   */
  writeSecret(path: string, bytes: Uint8Array): Promise<void>;
}

export type HashAlgorithm = 'sha1' | 'sha256';

/** One stretch of what is hashed: bytes of a file, or zeros. */
export interface HashPart {
  /** The file; zeros when left out. */
  readonly path?: string;
  /** Where in the file it begins, in bytes. */
  readonly position: number;
  readonly length: number;
  /** It is the whole of a file that has one piece: its tree is only as wide as its blocks (BEP 52). */
  readonly alone?: boolean;
  /** What the file has to look like after it was read; else the fault is `BIP_FILE_CHANGED`. */
  readonly expected?: Pick<FileStat, 'size' | 'modified'>;
}

/** Parts one after the other that are hashed in one pass, from the beginning of a piece on. */
export interface HashRun {
  readonly parts: readonly HashPart[];
  /** Bytes; for `sha256` a power of two from 16 KiB. */
  readonly pieceLength: number;
  /** Hash the stream of all parts, piece by piece (BEP 3). */
  readonly sha1: boolean;
  /** Hash each part with a path, piece by piece, as Merkle trees of its blocks (BEP 52). */
  readonly sha256: boolean;
  /** Digests of each part with a path as a whole. */
  readonly digests?: readonly DigestAlgorithm[];
}

/** For checksums of files in torrents. */
export type DigestAlgorithm = 'md5' | 'sha1' | 'sha256';

/** A part that could not be read in full. The hashes that it touches are wrong. */
export interface HashFault {
  /** Index in `parts`. */
  readonly part: number;
  /** `BIP_NOT_FOUND`, `BIP_FILE_SHORT`, `BIP_FILE_CHANGED`, `BIP_ACCESS`, …; the sentence names the file. */
  readonly error: StorageError;
}

export interface HashedRun {
  /** 20 bytes a piece; empty unless asked for. */
  readonly sha1: Uint8Array;
  /** 32 bytes a piece, by part; empty unless asked for. */
  readonly roots: Uint8Array;
  /** By part, and for each by algorithm. */
  readonly digests: readonly Uint8Array[];
  readonly faults: readonly HashFault[];
}

/** How files are read: one thread at a time in their order (disks that turn), or all at once. */
export type ReadOrder = 'auto' | 'sequential' | 'parallel';

export interface FileHasherOptions {
  /** How many threads at most; as many as there are cores by default. */
  readonly threads?: number;
  /** `auto` asks the system what kind of disk it is. */
  readonly order: ReadOrder;
  /** How much is to be hashed in all: threads are not worth it for little. */
  readonly totalBytes: number;
}

/** Hashes files that it reads for itself, on threads of its own where that pays. */
export interface FileHashers extends AsyncDisposable {
  /** Runs that are hashed at once; keep one or two more under way, so that nobody waits. */
  readonly lanes: number;
  /** Bytes of a run from which on handing it over costs nothing beside the work. */
  readonly runBytes: number;
  /** Starts runs in the order of the calls. Rejects only after a disposal, or when a thread dies. */
  hash(run: HashRun): Promise<HashedRun>;
}

/** Fast hashing of pieces. */
export interface Hashers {
  /** @see FileHashers */
  openFileHashers(options: FileHasherOptions): FileHashers;
  /** Memory of this many bytes, zeros at first, whose digests may be computed on another thread. */
  allocate(length: number): Uint8Array;
  /** Copies `source` into `target` from byte `at` on; engines are slow to write shared memory otherwise. */
  copy(target: Uint8Array, at: number, source: Uint8Array): void;
  /**
   * Digest of the parts in their order, computed beside the caller where that pays.
   * The parts must not change until it is settled.
   */
  digest(algorithm: HashAlgorithm, parts: readonly Uint8Array[]): Promise<Uint8Array>;
  /** Digest at once, on the caller's thread. */
  digestSync(algorithm: HashAlgorithm, parts: readonly Uint8Array[]): Uint8Array;
}

/** Everything that a session may touch of the world. */
export interface Runtime {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly network: Network;
  readonly lookup: Lookup;
  readonly http: Http;
  readonly webSockets: WebSockets;
  readonly files: Files;
  readonly hashers: Hashers;
}

/** A sans-I/O state machine. After every `handle`, `drain` to the end before the next `handle`. */
export interface Machine<Input, Output> {
  /** The only way in. Bad input from the network never throws out of it. */
  handle(input: Input | { readonly type: 'timeout' }, now: Millis): void;
  /** The only way out. */
  drain(): Iterable<Output>;
  /** When `handle({ type: 'timeout' })` is next due; `undefined` when nothing is pending. */
  deadline(): Millis | undefined;
}
