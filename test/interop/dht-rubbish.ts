/** Packets that are almost messages of the DHT, sent from an address of their own. @module */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encodeName } from '../../src/base/bytes.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import { bytesOf } from './content.ts';

const ID = 'abcdefghij0123456789';
const ARGUMENTS: readonly (readonly [string, string])[] = [
  ['ping', ''],
  ['find_node', `6:target20:${ID}4:wantl2:n42:n6e`],
  ['get_peers', `9:info_hash20:${ID}6:noseedi1e6:scrapei1e`],
  ['announce_peer', `12:implied_porti1e9:info_hash20:${ID}4:porti6881e4:seedi1e5:token8:aoeusnth`],
  ['get', `3:seqi1e6:target20:${ID}`],
  [
    'put',
    `3:casi1e1:k32:${'k'.repeat(32)}4:salt6:foobar3:seqi4e3:sig64:${'s'.repeat(64)}5:token8:aoeusnth1:v12:Hello World!`,
  ],
  ['sample_infohashes', `6:target20:${ID}`],
  ['no_such_method', `6:target20:${ID}`],
];
const MESSAGES: readonly string[] = [
  ...ARGUMENTS.map(
    ([method, args]) =>
      `d1:ad2:id20:${ID}${args}e1:q${method.length}:${method}2:roi1e1:t2:aa1:v4:UT\0\u00011:y1:qe`,
  ),
  `d1:rd2:id20:${ID}5:nodes26:${'n'.repeat(26)}5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t4:aaaa1:y1:re`,
  'd1:eli201e23:A Generic Error Ocurrede1:t4:aaaa1:y1:ee',
];
const FORGERIES: readonly string[] = [
  '',
  'd',
  'd1:',
  'l'.repeat(1400),
  'd1:a'.repeat(300),
  `d1:a${'9'.repeat(20)}:`,
  'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t0:1:y1:qe',
  'd1:t2:aa1:y1:qe',
  'd1:ade1:q4:ping1:t2:aa1:y1:qe',
  `d1:ad2:id20:${ID}9:info_hash19:short hash, too shore1:q9:get_peers1:t2:aa1:y1:qe`,
  `d1:ad2:id20:${ID}e1:q9:find_node1:t2:aa1:y1:qe`,
];

/** Messages with a byte or two changed, cut off, doubled or swollen, the same for the same `seed`. */
export function rubbish(seed: string, count: number): readonly Uint8Array[] {
  const dice = bytesOf(seed, count * 8);
  return Array.from({ length: count }, (_, number) => {
    const [kind = 0, which = 0, ...rest] = dice.subarray(number * 8, number * 8 + 8);
    const forged = FORGERIES[which % FORGERIES.length] ?? '';
    if (kind % 5 === 0) return encodeName(forged);
    const bytes = encodeName(MESSAGES[which % MESSAGES.length] ?? '');
    return damaged(bytes, kind % 5, rest);
  });
}

function damaged(
  bytes: Uint8Array,
  kind: number,
  [a = 0, b = 0, c = 0, d = 0]: number[],
): Uint8Array {
  const at = ((a << 8) | b) % bytes.length;
  switch (kind) {
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes]);
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        bytesOf(`${a} ${b}`, c * 4),
        bytes.subarray(at),
      ]);
    default: {
      const changed = bytes.slice();
      changed[at] = c;
      changed[(at + 1 + (d & 7)) % bytes.length] = d;
      return changed;
    }
  }
}

/** Sends packets from a free port of `from`; answers are not listened to. */
export async function sendFrom(
  from: string,
  to: Endpoint,
  packets: readonly Uint8Array[],
): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, from);
    await once(socket, 'listening');
    await Promise.all(
      packets.map(
        (packet) =>
          new Promise<void>((resolve, reject) => {
            socket.send(packet, to.port, to.host, (error) =>
              error === null ? resolve() : reject(error),
            );
          }),
      ),
    );
  } finally {
    socket.close();
  }
}
