/** A name server of a few lines that knows TXT records (RFC 1035). @module */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface TinyNameServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** None: the name is there and has no such record. Names that were never set do not exist. */
  set(name: string, texts: readonly string[]): void;
  close(): void;
}

export async function tinyNameServer(): Promise<TinyNameServer> {
  const names = new Map<string, readonly string[]>();
  const socket = createSocket('udp4');
  socket.on('message', (question, { address, port }) => {
    socket.send(answer(question, names), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    set: (name, texts) => void names.set(name.toLowerCase(), texts),
    close: () => void socket.close(),
  };
}

function answer(question: Buffer, names: ReadonlyMap<string, readonly string[]>): Uint8Array {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const texts = names.get(labels.join('.').toLowerCase());
  const head = Buffer.from(question.subarray(0, 12));
  // A response, recursion available; name error when there is no such name.
  head.writeUInt16BE(0x8180 | (texts === undefined ? NAME_ERROR : 0), 2);
  head.writeUInt16BE(texts?.length ?? 0, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, question.subarray(12, at + 5), ...(texts ?? []).map(record)]);
}

/** A TXT record for the name asked for, its text in strings of at most 255 bytes. */
function record(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const strings: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const part = bytes.subarray(at, at + 255);
    strings.push(Uint8Array.of(part.length), part);
  }
  const data = Buffer.concat(strings);
  const head = Buffer.from([0xc0, 12, 0, TXT, 0, IN, 0, 0, 0, 60, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const NAME_ERROR = 3;
const TXT = 16;
const IN = 1;
