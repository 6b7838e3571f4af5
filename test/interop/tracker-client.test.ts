/** The client of trackers against opentracker: announces and scrapes over HTTP and UDP. */

import { expect, test } from 'vitest';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { type AnnounceRequest, announce, scrape } from '../../src/tracker/index.ts';
import { freePort } from './free-port.ts';
import { announceUrl, startOpentracker } from './peers/opentracker.ts';
import { describeWith } from './require.ts';
import { openScratch } from './scratch.ts';

const { signal } = new AbortController();

/** 160 torrents: more than a packet or a request holds. */
const TORRENTS = Array.from(
  { length: 160 },
  (_, at) => new InfoHash(Uint8Array.from({ length: 20 }, (__, index) => (at + index * 29) & 0xff)),
);

function request(infoHash: InfoHash, port: number, left: number): AnnounceRequest {
  const peerId = new PeerId(new TextEncoder().encode(`-BP0100-${port}`.padEnd(20, 'x')));
  return { infoHash, peerId, port, uploaded: 0, downloaded: 0, left, event: 'started' };
}

describeWith(['opentracker'], 'opentracker', () => {
  test.each(['http', 'udp'] as const)('over %s', async (by) => {
    await using scratch = await openScratch();
    await using runtime = nodeRuntime();
    const port = await freePort();
    const [first, second] = TORRENTS;
    if (first === undefined || second === undefined) throw new Error('there are torrents');
    await using tracker = await startOpentracker({
      port,
      infoHashes: TORRENTS.map(({ hex }) => hex),
      state: scratch.to('tracker'),
    });
    const url = announceUrl(port, by);
    const options = { signal, timeoutMs: 10_000, trusted: true };
    await announce(runtime, url, request(first, 6881, 0), options);
    const { peers, seeders, leechers, exchange } = await announce(
      runtime,
      url,
      request(first, 6882, 5),
      options,
    );
    expect(peers).toContainEqual({ host: '127.0.0.1', port: 6881 });
    expect([seeders, leechers]).toEqual([1, 1]);
    expect(exchange).toMatchObject({ transport: by, family: 4 });
    await announce(runtime, url, request(second, 6881, 5), options);

    const { files } = await scrape(runtime, url, TORRENTS, options);
    const counts = files.filter(
      ({ seeders: some, leechers: others }) => some !== 0 || others !== 0,
    );
    expect(counts).toEqual([
      { infoHash: first, seeders: 1, leechers: 1, completed: 0 },
      { infoHash: second, seeders: 0, leechers: 1, completed: 0 },
    ]);
    expect(await tracker.scrape(first.hex)).toEqual({
      seeders: 1,
      leechers: 1,
      completed: 0,
    });
  });
});
