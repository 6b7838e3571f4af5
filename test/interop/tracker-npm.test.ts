/** The client of trackers against npm's bittorrent-tracker: over HTTP, UDP and WebSocket. */

import { expect, test } from 'vitest';
import { InfoHash, PeerId } from '../../src/base/ids.ts';
import { nodeRuntime } from '../../src/runtime/node/index.ts';
import { type AnnounceRequest, announce, scrape } from '../../src/tracker/index.ts';
import { startNpmTracker } from './peers/npm-tracker.ts';
import { describeWith } from './require.ts';

const { signal } = new AbortController();
const OPTIONS = { signal, timeoutMs: 10_000, trusted: true };

// Bytes above 0x7f, which a tracker that takes them for text would double.
const INFO_HASH = new InfoHash(Uint8Array.from({ length: 20 }, (_, at) => 0xf0 - at * 9));
const UNKNOWN = new InfoHash(new Uint8Array(20).fill(0xab));

function request(port: number, left: number): AnnounceRequest {
  const peerId = new PeerId(new TextEncoder().encode(`-BP0100-${port}`.padEnd(20, 'x')));
  return { infoHash: INFO_HASH, peerId, port, uploaded: 0, downloaded: 0, left, event: 'started' };
}

describeWith(['bittorrent-tracker'], 'bittorrent-tracker', () => {
  test.each(['http', 'udp'] as const)('announces and scrapes over %s', async (by) => {
    await using runtime = nodeRuntime();
    await using tracker = await startNpmTracker();
    const url = tracker[by];
    await announce(runtime, url, request(6881, 0), OPTIONS);
    const answer = await announce(runtime, url, request(6882, 5), OPTIONS);
    expect(answer).toMatchObject({ seeders: 1, leechers: 1, intervalSeconds: 1800 });
    expect(answer.peers).toContainEqual({ host: '127.0.0.1', port: 6881 });
    expect(answer.exchange).toMatchObject({ transport: by, family: 4 });

    const { files } = await scrape(runtime, url, [INFO_HASH, UNKNOWN], OPTIONS);
    expect(files).toContainEqual(
      expect.objectContaining({ infoHash: INFO_HASH, seeders: 1, leechers: 1 }),
    );

    await announce(runtime, url, { ...request(6881, 0), event: 'stopped' }, OPTIONS);
    const after = await scrape(runtime, url, [INFO_HASH], OPTIONS);
    expect(after.files).toMatchObject([{ infoHash: INFO_HASH, seeders: 0, leechers: 1 }]);
  });

  test('announces and scrapes over a WebSocket', async () => {
    await using runtime = nodeRuntime();
    await using tracker = await startNpmTracker();
    await announce(runtime, tracker.http, request(6881, 0), OPTIONS);
    const answer = await announce(runtime, tracker.ws, request(6882, 5), OPTIONS);
    expect(answer).toMatchObject({ seeders: 1, peers: [], exchange: { transport: 'ws' } });

    const { files } = await scrape(runtime, tracker.ws, [INFO_HASH], OPTIONS);
    expect(files).toMatchObject([{ infoHash: INFO_HASH, seeders: 1 }]);
  });
});
