/** A seed on real sockets of this machine, found by its link or by the DHT, for commands that run as processes. @module */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseEndpoint } from '../../src/base/endpoint.ts';
import { formatMagnet } from '../../src/magnet/index.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { Session } from '../../src/session/index.ts';
import { makeContent } from '../simulation/swarm-world.ts';

export interface LoopbackSeed extends AsyncDisposable {
  /** By the names that examples give them. */
  readonly named: Readonly<Record<'infoHash' | 'link' | 'peer', string>>;
}

const HOST = '127.0.0.1';

/** Seeds a few files, and settles when the DHT that `node` belongs to knows of it. */
export async function seedOnLoopback(node: string): Promise<LoopbackSeed> {
  const { metainfo, files } = makeContent(50_000);
  const { infoHash } = metainfo;
  const entry = parseEndpoint(node);
  if (entry === undefined || infoHash === undefined) throw new Error(`${node} is no endpoint`);
  const root = await mkdtemp(join(tmpdir(), 'bip-seed-'));
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
  const runtime = nodeRuntime();
  const ending = new AbortController();
  const session = await Session.open(runtime, {
    ...{ host: HOST, bind: HOST, port: 0, signal: ending.signal },
    dht: { hosts: [HOST], bootstrap: [entry], readOnly: false, limitAddresses: false },
  });
  await new Promise<void>((resolve, reject) => {
    const torrent = session.add({
      ...{ source: { type: 'metainfo', metainfo }, root, seedOnly: true },
      onEvent: (event) => {
        if (event.type === 'note' && /nodes know us now/.test(event.message)) resolve();
      },
    });
    torrent.failed.catch(reject);
  });
  const peers = [{ host: HOST, port: session.port }];
  const nothing = { trackers: [], webSeeds: [], nodes: [] };
  return {
    named: {
      infoHash: infoHash.hex,
      link: formatMagnet({ infoHash, ...nothing, peers }),
      peer: `${HOST}:${session.port}`,
    },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}
