/** The connections of an HTTP server: how many, how slow, and with how much under way. @module */

import type { Socket } from 'node:net';
import { Crowd } from '../crowd.ts';
import type { Millis } from '../ports.ts';
import { plainHost } from './addresses.ts';

/** More requests ahead of their answers break a connection off. */
const MAX_AHEAD = 100;
/** Answers that nobody has read yet, of all connections, bytes. */
const MAX_UNREAD = 64 * 1024 * 1024;
/** Slow readers are looked for this often, at the rarest. */
const LONGEST_CHECK: Millis = 1000;

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly onDisplaced?: (() => void) | undefined;
  /** How long an answer may take to leave once it is there. */
  readonly answerTimeoutMs: Millis;
}

export interface Connection {
  readonly socket: Socket;
  /** Requests so far. */
  asked: number;
  /** Answers that were given to the socket, and how many of them have left. */
  answered: number;
  left: number;
  /** Bytes of those that have not. */
  unread: number;
  /** So many have to have left within the limit since this time. */
  due: number;
  dueSince: Millis;
}

/** Connections by their sockets, within limits. */
export class Connections implements Disposable {
  readonly #limits: ConnectionLimits;
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #crowd: Crowd<Connection>;
  readonly #timer: NodeJS.Timeout;
  #unread = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
    this.#crowd = new Crowd(limits.maxConnections);
    const every = Math.min(LONGEST_CHECK, limits.answerTimeoutMs);
    this.#timer = setInterval(() => this.#dropSlow(performance.now()), every).unref();
  }

  /** One more; when that is too many, another one is broken off for it. */
  opened(socket: Socket): void {
    const connection = {
      ...{ socket, asked: 0, answered: 0, left: 0, unread: 0 },
      ...{ due: 0, dueSince: 0 },
    };
    this.#bySocket.set(socket, connection);
    socket.on('close', () => this.#forget(connection));
    const leaver = this.#crowd.enter(connection, plainHost(socket.remoteAddress ?? ''));
    if (leaver === undefined) return;
    this.drop(leaver);
    this.#limits.onDisplaced?.();
  }

  /** A request came. `undefined` when it is not to be answered, since its connection is lost. */
  asked(socket: Socket): Connection | undefined {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return undefined;
    if (connection.asked - connection.left >= MAX_AHEAD) {
      this.drop(connection);
      return undefined;
    }
    connection.asked++;
    this.#crowd.heard(connection);
    return connection;
  }

  /** An answer was given to the socket; `bytes` of it take memory until it has left. */
  answered(connection: Connection, bytes: number): void {
    connection.answered++;
    connection.unread += bytes;
    this.#unread += bytes;
    while (this.#unread > MAX_UNREAD) this.#dropHeaviest();
  }

  /** That answer has left, or never will. Returns whether nothing else is under way. */
  left(connection: Connection, bytes: number): boolean {
    if (this.#bySocket.get(connection.socket) !== connection) return false;
    connection.left++;
    connection.unread -= bytes;
    this.#unread -= bytes;
    return isIdle(connection);
  }

  /** Breaks a connection off. */
  drop(connection: Connection): void {
    this.#forget(connection);
    connection.socket.destroy();
  }

  /** Breaks off all that wait for a request. */
  dropIdle(): void {
    for (const connection of this.#bySocket.values()) {
      if (isIdle(connection)) this.drop(connection);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #forget(connection: Connection): void {
    if (!this.#bySocket.delete(connection.socket)) return;
    this.#crowd.leave(connection);
    this.#unread -= connection.unread;
  }

  #dropHeaviest(): void {
    let heaviest: Connection | undefined;
    for (const connection of this.#bySocket.values()) {
      if (connection.unread > (heaviest?.unread ?? 0)) heaviest = connection;
    }
    if (heaviest === undefined) this.#unread = 0;
    else this.drop(heaviest);
  }

  /** Whoever does not read loses the connection. */
  #dropSlow(now: Millis): void {
    for (const connection of this.#bySocket.values()) {
      const { answered, left, due, dueSince } = connection;
      if (left < due) {
        if (now - dueSince >= this.#limits.answerTimeoutMs) this.drop(connection);
      } else if (left < answered) {
        connection.due = answered;
        connection.dueSince = now;
      }
    }
  }
}

function isIdle({ asked, left }: Connection): boolean {
  return asked === left;
}
