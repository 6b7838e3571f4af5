/** One connection whose other side is spoken for by a test. @module */

import { Bitfield } from '../../src/base/bitfield.ts';
import {
  BLOCK_LENGTH,
  type ExtendedHandshake,
  encodePieceHeader,
  type Geometry,
  type HolepunchMessage,
  type MetadataMessage,
  Outbox,
  PeerConnection,
  type PeerEvents,
  type PexMessage,
} from '../../src/peer/index.ts';

/** 10 pieces of two blocks, the last of one short block. */
export const GEOMETRY: Geometry = {
  pieceCount: 10,
  pieceSize: (piece) => (piece === 9 ? 100 : 2 * BLOCK_LENGTH),
};

/** Notes what a connection tells. */
class Told implements PeerEvents {
  readonly calls: string[] = [];
  readonly metadata: MetadataMessage[] = [];
  target: Uint8Array | undefined = new Uint8Array(BLOCK_LENGTH);
  onExtendedHandshake(handshake: ExtendedHandshake): void {
    this.calls.push(`handshake ${handshake.version ?? ''}`);
  }
  onChoke(): void {
    this.calls.push('choke');
  }
  onUnchoke(): void {
    this.calls.push('unchoke');
  }
  onInterest(): void {
    this.calls.push('interest');
  }
  onHave(piece: number): void {
    this.calls.push(`have ${piece}`);
  }
  onPieces(): void {
    this.calls.push('pieces');
  }
  onBlockStart(piece: number, begin: number, length: number): Uint8Array | undefined {
    this.calls.push(`start ${piece} ${begin} ${length}`);
    return this.target?.subarray(0, length);
  }
  onBlock(piece: number, begin: number, _length: number, stored: boolean): void {
    this.calls.push(`block ${piece} ${begin} ${stored}`);
  }
  onReject(piece: number, begin: number): void {
    this.calls.push(`reject ${piece} ${begin}`);
  }
  onRequest(piece: number, begin: number, length: number): void {
    this.calls.push(`request ${piece} ${begin} ${length}`);
  }
  onCancel(piece: number, begin: number): void {
    this.calls.push(`cancel ${piece} ${begin}`);
  }
  onAllowedFast(piece: number): void {
    this.calls.push(`allowed ${piece}`);
  }
  onMetadata(message: MetadataMessage): void {
    this.metadata.push(message);
  }
  onDontHave(piece: number): void {
    this.calls.push(`gone ${piece}`);
  }
  onPex({ added, dropped }: PexMessage): void {
    this.calls.push(`pex ${added.length} ${dropped.length}`);
  }
  onHolepunch({ type }: HolepunchMessage): void {
    this.calls.push(type);
  }
  onUploadOnly(): void {
    this.calls.push('upload only');
  }
  onPort(port: number): void {
    this.calls.push(`port ${port}`);
  }
}

/** A connection, what it told and sent, and a way to speak to it. */
export interface Pair {
  readonly told: Told;
  readonly connection: PeerConnection;
  readonly sent: Uint8Array[];
  /** Feeds what a peer would send. */
  say(send: (box: Outbox) => void, now?: number): void;
  /** The number of pieces becomes known. */
  learn(): void;
}

export function pair(options: { fast?: boolean; extended?: boolean; blind?: boolean } = {}): Pair {
  const told = new Told();
  const sent: Uint8Array[] = [];
  const connection = new PeerConnection({
    fast: options.fast ?? true,
    extended: options.extended ?? true,
    geometry: options.blind === true ? undefined : GEOMETRY,
    now: 0,
    write: (bytes) => sent.push(bytes),
    events: told,
  });
  return {
    told,
    connection,
    sent,
    learn: () => connection.learnGeometry(GEOMETRY),
    say(send, now = 0) {
      const box = new Outbox();
      send(box);
      connection.receive(box.take(), now);
    },
  };
}
/** The wire form of a bitfield of the ten pieces. */
export function field(pieces: readonly number[]): Uint8Array {
  const bits = new Bitfield(10);
  for (const piece of pieces) bits.add(piece);
  return bits.bytes;
}
/** A piece message with a block of zeros. */
export function block(piece: number, begin: number, length: number): Uint8Array {
  const bytes = new Uint8Array(13 + length);
  bytes.set(encodePieceHeader(piece, begin, length));
  return bytes;
}
