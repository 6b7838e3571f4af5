/** A connection for bytes that no honest client sends, and what becomes of it. @module */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './until.ts';

export interface DialOptions {
  /** A loopback address to come from. Default `127.0.0.1`. */
  readonly from?: string;
  /** Leave what comes to the system, which soon takes no more. */
  readonly deaf?: boolean;
}

export class RawClient implements Disposable {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket, deaf: boolean) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('error', () => undefined);
    if (deaf) return;
    socket.on('data', (text: string) => {
      this.#received += text;
    });
  }

  /** Connects to 127.0.0.1. */
  static async dial(
    port: number,
    { from = '127.0.0.1', deaf = false }: DialOptions = {},
  ): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket, deaf);
  }

  /** All that came, Latin-1. */
  get received(): string {
    return this.#received;
  }
  /** Neither end has closed it, as far as is known: a deaf one does not look. */
  get isOpen(): boolean {
    return !this.#socket.closed;
  }

  /** Fine when nobody takes it. */
  send(text: string): void {
    if (this.#socket.writable) this.#socket.write(text, 'latin1');
  }

  /** Says that nothing more will come, and stays to listen. */
  finish(): void {
    this.#socket.end();
  }

  /** Sends `text` again and again, each time once the system has taken it. */
  pour(text: string): void {
    const again = (): void => {
      if (this.#socket.writable) this.#socket.write(text, 'latin1', again);
    };
    again();
  }

  /** Sends `text`, one byte every 20 ms, and its last byte for ever. */
  trickle(text: string): void {
    let at = 0;
    const timer = setInterval(() => this.send(text.charAt(Math.min(at++, text.length - 1))), 20);
    this.#socket.on('close', () => clearInterval(timer));
  }

  /** Sends `request` and waits for all of its one answer. Returns status and body. */
  async ask(request: string, deadlineMs: number): Promise<Answer> {
    this.#received = '';
    this.send(request);
    return until(() => wholeAnswer(this.#received), {
      deadlineMs,
      what: `the answer to ${JSON.stringify(request.slice(0, 60))}`,
      log: () => this.#received.slice(0, 500),
      hopeless: () => (this.isOpen ? undefined : 'the connection is closed'),
    });
  }

  /** Waits until the other side has closed it. */
  async closed(deadlineMs: number): Promise<void> {
    await until(() => !this.isOpen, {
      deadlineMs,
      what: 'the connection to be closed',
      log: () => this.#received.slice(0, 500),
    });
  }

  /** Ends it as a machine does that has lost its memory. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

function wholeAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  return body.length < length ? undefined : { status: Number(head.slice(9, 12)), body };
}
