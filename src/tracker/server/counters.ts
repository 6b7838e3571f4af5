/** What a tracker counts, in memory that its workers share. @module */

/** The counters, by their place in a row. They only grow. */
export const COUNTER = {
  /** Announces that were taken, by protocol and family of the sender. */
  announcesHttp4: 0,
  announcesHttp6: 1,
  announcesUdp4: 2,
  announcesUdp6: 3,
  /** Requests, each with any number of infohashes. */
  scrapes: 4,
  /** Connects over UDP that got an id. */
  connects: 5,
  /** Answers with a reason for failure. */
  errorsSent: 6,
  refusedNotListed: 7,
  refusedAddress: 8,
  refusedPasskey: 9,
  refusedFull: 10,
  refusedRate: 11,
  refusedBusy: 12,
  /** Packets and requests that make no sense. */
  badRequests: 13,
  /** Packets with an id of a connection that is wrong or too old. */
  badConnectionIds: 14,
  /** Packets left without an answer because too many came from there. */
  droppedByRate: 15,
  /** Of packets and bodies, without the heads of the protocols below. */
  bytesIn: 16,
  bytesOut: 17,
  completedEvents: 18,
  stoppedEvents: 19,
  /** Connections over HTTP that had to give their place to others. */
  displacedConnections: 20,
} as const;

export type CounterName = keyof typeof COUNTER;

/** One worker's row. Only that worker writes it, anybody may read it. */
export class Counters {
  readonly #row: Float64Array;

  /** Row `row` of a buffer from {@link allocateCounters}; with none, one of its own. */
  constructor(buffer: ArrayBufferLike = allocateCounters(1), row = 0) {
    this.#row = new Float64Array(buffer, row * ROW_BYTES, ROW_LENGTH);
  }

  add(index: number, amount = 1): void {
    this.#row[index] = (this.#row[index] ?? 0) + amount;
  }

  /** All rows of `buffer` together. */
  static sum(buffer: ArrayBufferLike): Record<CounterName, number> {
    const cells = new Float64Array(buffer);
    const total = (index: number): number => {
      let sum = 0;
      for (let at = index; at < cells.length; at += ROW_LENGTH) sum += cells[at] ?? 0;
      return sum;
    };
    return {
      announcesHttp4: total(COUNTER.announcesHttp4),
      announcesHttp6: total(COUNTER.announcesHttp6),
      announcesUdp4: total(COUNTER.announcesUdp4),
      announcesUdp6: total(COUNTER.announcesUdp6),
      scrapes: total(COUNTER.scrapes),
      connects: total(COUNTER.connects),
      errorsSent: total(COUNTER.errorsSent),
      refusedNotListed: total(COUNTER.refusedNotListed),
      refusedAddress: total(COUNTER.refusedAddress),
      refusedPasskey: total(COUNTER.refusedPasskey),
      refusedFull: total(COUNTER.refusedFull),
      refusedRate: total(COUNTER.refusedRate),
      refusedBusy: total(COUNTER.refusedBusy),
      badRequests: total(COUNTER.badRequests),
      badConnectionIds: total(COUNTER.badConnectionIds),
      droppedByRate: total(COUNTER.droppedByRate),
      bytesIn: total(COUNTER.bytesIn),
      bytesOut: total(COUNTER.bytesOut),
      completedEvents: total(COUNTER.completedEvents),
      stoppedEvents: total(COUNTER.stoppedEvents),
      displacedConnections: total(COUNTER.displacedConnections),
    };
  }
}

/** Zeros for `rows` workers; `shared` when they are threads. */
export function allocateCounters(rows: number, shared = false): ArrayBufferLike {
  const bytes = rows * ROW_BYTES;
  return shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}

/** A row fills whole cache lines, so that workers do not slow each other. */
const ROW_LENGTH = 32;
const ROW_BYTES = ROW_LENGTH * Float64Array.BYTES_PER_ELEMENT;
