/** How much TCP keeps under way: slow start and Reno (RFC 5681), counted in bytes. @module */

/** Payload of one packet, bytes. */
export const PACKET = 1460;

/** RFC 6928: ten packets at the start. */
const INITIAL_WINDOW = 10 * PACKET;

/** Receive window, bytes; what Linux allows a connection by default is larger, few paths need it. */
export const RECEIVE_WINDOW: number = 1024 * 1024;

export class Congestion {
  #window = INITIAL_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;

  /** Bytes that may be under way. */
  get window(): number {
    return this.#window;
  }

  acked(bytes: number): void {
    const slow = this.#window < this.#threshold;
    this.#window += slow ? bytes : (PACKET * bytes) / this.#window;
    this.#window = Math.min(this.#window, RECEIVE_WINDOW);
  }

  /** Something was lost and missed by the other side. */
  lost(): void {
    this.#threshold = Math.max(2 * PACKET, this.#window / 2);
    this.#window = this.#threshold;
  }

  /** Nothing came back for a while. */
  timedOut(): void {
    this.#threshold = Math.max(2 * PACKET, this.#window / 2);
    this.#window = PACKET;
  }
}
