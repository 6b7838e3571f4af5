/**
 * The table of extensions of one connection (BEP 10): which we offer and under which ids, which the peer
 * offers under its own, and which decoder a message goes to.
 *
 * @module
 */

import { ProtocolError } from '../base/errors.ts';
import {
  addHandshake,
  decodeExtendedHandshake,
  decodeMetadataMessage,
  type ExtendedHandshake,
  type MetadataMessage,
} from './extended.ts';
import { decodeHolepunch, type HolepunchMessage } from './holepunch.ts';
import { readUint32, writeUint32 } from './messages.ts';
import { decodePex, type PexMessage } from './pex.ts';

/** What others shall write when they send us such a message: never the same number for two names. */
const OUR_IDS = {
  ut_metadata: 1,
  ut_pex: 2,
  /** Not in BEP 21: libtorrent's message of one byte, for a change of that entry of the handshake. */
  upload_only: 3,
  ut_holepunch: 4,
  lt_donthave: 5,
} as const;

export type ExtensionName = keyof typeof OUR_IDS;

const NAMES: ReadonlyMap<number, ExtensionName> = new Map([
  [OUR_IDS.ut_metadata, 'ut_metadata'],
  [OUR_IDS.ut_pex, 'ut_pex'],
  [OUR_IDS.upload_only, 'upload_only'],
  [OUR_IDS.ut_holepunch, 'ut_holepunch'],
  [OUR_IDS.lt_donthave, 'lt_donthave'],
]);

/** Told of extended messages. */
export interface ExtensionEvents {
  /** The extended handshake came, perhaps not for the first time; the sum of all of them. */
  onExtendedHandshake(handshake: ExtendedHandshake): void;
  onMetadata(message: MetadataMessage): void;
  onPex(message: PexMessage): void;
  onHolepunch(message: HolepunchMessage): void;
  /** `uploadOnly` changed. */
  onUploadOnly(): void;
}

export class Extensions {
  readonly #events: ExtensionEvents;
  readonly #dontHave: (piece: number) => void;
  /** Names that we offered, and did not take back. */
  #offered: ReadonlySet<ExtensionName> = new Set();
  #theirs: ExtendedHandshake | undefined;
  #uploadOnly = false;

  /** @param dontHave called with what BEP 54's message says, unchecked */
  constructor(events: ExtensionEvents, dontHave: (piece: number) => void) {
    this.#events = events;
    this.#dontHave = dontHave;
  }

  /** The peer downloads nothing (any more), complete or not (BEP 21). */
  get uploadOnly(): boolean {
    return this.#uploadOnly;
  }

  /** The sum of what the peer's handshakes said; of `messages` only those that are known here. */
  get handshake(): ExtendedHandshake | undefined {
    return this.#theirs;
  }

  /** The id under which the peer takes such messages; `undefined` when it does not. */
  idOf(name: ExtensionName): number | undefined {
    const id = this.#theirs?.messages.get(name);
    return id === 0 ? undefined : id;
  }

  /** `m` of our handshake; what was offered before and is not any more is switched off by a 0. */
  offer(names: readonly ExtensionName[]): ReadonlyMap<string, number> {
    const before = this.#offered;
    this.#offered = new Set(names);
    return new Map([
      ...[...before].filter((name) => !names.includes(name)).map((name) => [name, 0] as const),
      ...names.map((name) => [name, OUR_IDS[name]] as const),
    ]);
  }

  /**
   * A message under one of our ids; 0 is the extended handshake, ids that we do not offer are passed over.
   * @throws {ProtocolError} it breaks the rules of its extension.
   */
  receive(id: number, payload: Uint8Array): void {
    if (id === 0) return this.#shakeHands(decodeExtendedHandshake(payload));
    const name = NAMES.get(id);
    if (name === undefined || !this.#offered.has(name)) return;
    switch (name) {
      case 'ut_metadata':
        return tell(decodeMetadataMessage(payload), (it) => this.#events.onMetadata(it));
      case 'ut_pex':
        return this.#events.onPex(decodePex(payload));
      case 'ut_holepunch':
        return tell(decodeHolepunch(payload), (it) => this.#events.onHolepunch(it));
      case 'upload_only':
        // One byte; libtorrent passes over other lengths, too.
        return payload.length === 1 ? this.#setUploadOnly(payload[0] !== 0) : undefined;
      case 'lt_donthave':
        return this.#dontHave(pieceOf(payload));
    }
  }

  #shakeHands(handshake: ExtendedHandshake): void {
    const messages = new Map<string, number>();
    for (const name of NAMES.values()) {
      const id = handshake.messages.get(name);
      if (id !== undefined) messages.set(name, id);
    }
    this.#theirs = addHandshake(this.#theirs, { ...handshake, messages });
    this.#events.onExtendedHandshake(this.#theirs);
    this.#setUploadOnly(handshake.uploadOnly ?? this.#uploadOnly);
  }

  #setUploadOnly(uploadOnly: boolean): void {
    if (this.#uploadOnly === uploadOnly) return;
    this.#uploadOnly = uploadOnly;
    this.#events.onUploadOnly();
  }
}

function tell<Message>(message: Message | undefined, how: (message: Message) => void): void {
  if (message !== undefined) how(message);
}

/** The payload of lt_donthave (BEP 54). */
export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, piece);
  return payload;
}

function pieceOf(payload: Uint8Array): number {
  if (payload.length === 4) return readUint32(payload, 0);
  throw new ProtocolError(`an lt_donthave message of ${payload.length} bytes`, {
    rule: 'BEP 54 DontHave',
  });
}
