/**
 * LEDBAT (RFC 6817, BEP 29 "congestion control"): fills a line that is idle, and makes room when a
 * queue builds up in front of it. Counted in bytes of payload. Above the target the window shrinks
 * in proportion to itself, as LEDBAT++ does (draft-irtf-iccrg-ledbat-plus-plus §4.2): by a packet a
 * round trip, a large window would take minutes to give way.
 *
 * @module
 */

/** Microseconds of queueing that are aimed at: BEP 29 CCONTROL_TARGET, RFC 6817 at most 100 ms. */
const TARGET = 100_000;
/** Slow start ends when the queue has grown to this part of the target. */
const SLOW_START_END = 0.5;
/** Packets: a little less than the ten of TCP (RFC 6928), since this is to yield to it. */
const INITIAL_PACKETS = 4;
/** RFC 6817 MIN_CWND. */
const MIN_PACKETS = 2;
/** Packets of growth in a round trip; RFC 6817 GAIN is at most 1, so that it never outgrows TCP. */
const GAIN = 1;
/**
 * What is lost of the window in a round trip when packets wait for twice the target or more. What is
 * measured is what the window led to a round trip ago: with more, it would shrink too far.
 */
const SHRINKING = 0.25;

export class Ledbat {
  #window: number;
  /** Where slow start ends at the latest. */
  #threshold = Number.POSITIVE_INFINITY;
  #isSlowStart = true;
  #packet: number;
  readonly #most: number;
  /** Of this round trip: the least queueing, and the bytes that are still to be acknowledged. */
  #least = Number.POSITIVE_INFINITY;
  #roundBytes = 0;

  /** @param packet bytes of payload in a full packet; @param most bytes that the window never exceeds */
  constructor(packet: number, most: number) {
    this.#packet = packet;
    this.#most = most;
    this.#window = INITIAL_PACKETS * packet;
  }

  /** Bytes that may be under way. */
  get window(): number {
    return this.#window;
  }
  get isSlowStart(): boolean {
    return this.#isSlowStart;
  }

  /** Packets have another size from now on. */
  packetSize(packet: number): void {
    this.#packet = packet;
    this.#window = Math.max(this.#window, MIN_PACKETS * packet);
  }

  /**
   * `bytes` were acknowledged while `underWay` of them were, and packets wait `queueing` microseconds
   * on their way. The window grows only when it was what held the sender back.
   */
  acked(bytes: number, underWay: number, queueing: number): void {
    const isLimited = underWay + 2 * this.#packet > this.#window;
    if (this.#isSlowStart) {
      this.#isSlowStart = this.#window < this.#threshold && !this.#hasQueued(bytes, queueing);
      if (this.#isSlowStart) {
        if (isLimited) this.#become(this.#window + bytes);
        return;
      }
    }
    const above = queueing / TARGET - 1;
    if (above > 0) this.#become(this.#window - SHRINKING * bytes * Math.min(above, 1));
    else if (isLimited) {
      this.#become(this.#window - (GAIN * above * bytes * this.#packet) / this.#window);
    }
  }

  /** Something was lost, and later packets were not. To be told once a round trip. */
  lost(): void {
    this.#become(this.#window / 2);
    this.#isSlowStart = false;
  }

  /** Nothing came back for a while: the start is slow again, up to half of what it was. */
  timedOut(): void {
    this.#threshold = Math.max(this.#window / 2, MIN_PACKETS * this.#packet);
    this.#window = this.#packet;
    this.#startSlowly();
  }

  /** It was quiet for so long that nobody knows what the line can take (RFC 5681 §4.1). */
  rested(): void {
    if (this.#window <= INITIAL_PACKETS * this.#packet) return;
    this.#threshold = this.#window;
    this.#startSlowly();
    this.#window = INITIAL_PACKETS * this.#packet;
  }

  #startSlowly(): void {
    this.#isSlowStart = true;
    this.#least = Number.POSITIVE_INFINITY;
    this.#roundBytes = 0;
  }

  /**
   * Whether slow start has filled the line: a queue that was there during a whole round trip. A burst
   * alone makes one that is gone again when the next round trip begins.
   */
  #hasQueued(bytes: number, queueing: number): boolean {
    this.#least = Math.min(this.#least, queueing);
    this.#roundBytes -= bytes;
    if (this.#roundBytes > 0) return false;
    const least = this.#least;
    this.#least = Number.POSITIVE_INFINITY;
    this.#roundBytes = this.#window;
    return least > SLOW_START_END * TARGET;
  }

  #become(window: number): void {
    this.#window = Math.min(this.#most, Math.max(MIN_PACKETS * this.#packet, window));
  }
}
