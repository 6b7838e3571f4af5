/** How a client gets a SOCKS5 proxy to connect it, or to relay its packets (RFC 1928, RFC 1929). @module */

import { type Endpoint, formatEndpoint } from '../../base/endpoint.ts';
import { type ErrorCode, NetworkError } from '../../base/errors.ts';
import type { Negotiation, Step } from '../negotiation.ts';
import { type Proxy, proxyName } from '../url.ts';
import {
  addressLength,
  type Command,
  decodeAddress,
  encodeGreeting,
  encodeLogin,
  encodeRequest,
  LOGIN_VERSION,
  METHODS,
  VERSION,
} from './codec.ts';

type State = 'method' | 'login' | 'reply' | 'done';

export class Socks5Negotiation implements Negotiation {
  readonly #proxy: Proxy;
  readonly #command: Command;
  readonly #to: Endpoint;
  readonly #request: Uint8Array;
  /** The message that is being read. */
  readonly #message = new Uint8Array(MAX_MESSAGE);
  #length = 0;
  /** How long it has to be before it can be judged. */
  #wanted = SHORT_MESSAGE;
  #state: State = 'method';

  /**
   * @param to where to connect, a name or an address; for packets, where they will come from, zeros when
   *   that is not known (RFC 1928 §4)
   * @throws {NetworkError} `BIP_PROXY_NAME` for a name that is too long to be asked for.
   */
  constructor(proxy: Proxy, command: Command, to: Endpoint) {
    const request = encodeRequest(command, to);
    if (request === undefined) {
      throw new NetworkError(`the name ${to.host.slice(0, 40)}… is too long for a proxy`, {
        code: 'BIP_PROXY_NAME',
      });
    }
    this.#proxy = proxy;
    this.#command = command;
    this.#to = to;
    this.#request = request;
  }

  begin(): Uint8Array {
    return encodeGreeting(this.#proxy.login !== undefined);
  }

  feed(bytes: Uint8Array): Step {
    let used = 0;
    while (used < bytes.length && this.#state !== 'done') {
      this.#message[this.#length++] = bytes[used++] ?? 0;
      if (this.#length < this.#wanted) continue;
      const step = this.#judge();
      if (step !== undefined) return { used, ...step };
    }
    return { used };
  }

  /** What the message leads to; `undefined` while more of it is wanted. */
  #judge(): Omit<Step, 'used'> | undefined {
    switch (this.#state) {
      case 'method':
        return this.#chosen();
      case 'login':
        return this.#judged();
      case 'reply':
        return this.#replied();
      case 'done':
        return undefined;
    }
  }

  #chosen(): Omit<Step, 'used'> {
    const [version, method] = this.#message;
    const { login } = this.#proxy;
    if (version !== VERSION) throw this.#nonsense();
    if (method === METHODS.none) return this.#ask();
    const isKnown = method === METHODS.unacceptable || method === METHODS.login;
    if (!isKnown) throw this.#nonsense();
    if (method === METHODS.unacceptable || login === undefined) {
      const helps =
        login === undefined ? 'wants a user and a password' : 'takes no user and password';
      throw this.#failure(`${helps}, and no other way in that bip knows`, 'BIP_PROXY_AUTH');
    }
    this.#next('login', SHORT_MESSAGE);
    return { send: encodeLogin(login.user, login.password) };
  }

  #judged(): Omit<Step, 'used'> {
    const [version, status] = this.#message;
    // Some proxies answer with the version of the protocol around it.
    if (version !== LOGIN_VERSION && version !== VERSION) throw this.#nonsense();
    if (status === 0) return this.#ask();
    throw this.#failure('does not accept this user and password', 'BIP_PROXY_AUTH');
  }

  #ask(): Omit<Step, 'used'> {
    this.#next('reply', REPLY_START);
    return { send: this.#request };
  }

  #replied(): Omit<Step, 'used'> | undefined {
    const [version, reply = 0, , type = 0, next = 0] = this.#message;
    if (version !== VERSION) throw this.#nonsense();
    if (reply !== 0) throw this.#refusal(reply);
    const length = addressLength(type, next);
    if (length === undefined) throw this.#nonsense();
    this.#wanted = REPLY_HEAD + length;
    if (this.#length < this.#wanted) return undefined;
    this.#state = 'done';
    return { done: { bound: decodeAddress(this.#message.slice(REPLY_HEAD, this.#wanted)) } };
  }

  #next(state: State, wanted: number): void {
    this.#state = state;
    this.#length = 0;
    this.#wanted = wanted;
  }

  #refusal(reply: number): NetworkError {
    const { reason, code = 'BIP_PROXY_REFUSED' } = REPLIES.get(reply) ?? {
      reason: `the reply code ${reply}, which nobody knows`,
    };
    const what =
      this.#command === 'associate'
        ? 'does not relay UDP'
        : `did not connect to ${formatEndpoint(this.#to)}`;
    return this.#failure(`${what}: ${reason}`, code);
  }

  #nonsense(): NetworkError {
    return this.#failure('does not speak SOCKS5', 'BIP_PROXY_ANSWER');
  }

  #failure(what: string, code: ErrorCode): NetworkError {
    return new NetworkError(`the proxy ${proxyName(this.#proxy)} ${what}`, { code });
  }
}

/** RFC 1928 §6. */
const REPLIES: ReadonlyMap<number, { readonly reason: string; readonly code?: ErrorCode }> =
  new Map<number, { readonly reason: string; readonly code?: ErrorCode }>([
    [1, { reason: 'it failed in general' }],
    [2, { reason: 'its rules do not allow it' }],
    [3, { reason: 'there is no way to this network', code: 'BIP_UNREACHABLE' }],
    [4, { reason: 'there is no way to this host', code: 'BIP_UNREACHABLE' }],
    [5, { reason: 'the connection was refused', code: 'BIP_REFUSED' }],
    [6, { reason: 'the way is too long (TTL expired)', code: 'BIP_UNREACHABLE' }],
    [7, { reason: 'it does not know this command' }],
    [8, { reason: 'it does not know this kind of addresses' }],
  ]);

/** Method and status messages. */
const SHORT_MESSAGE = 2;
/** Of a reply, before the address. */
const REPLY_HEAD = 3;
/** Enough of a reply to know how long it is. */
const REPLY_START = 5;
/** A reply with a name of 255 bytes. */
const MAX_MESSAGE = REPLY_HEAD + 4 + 255;
