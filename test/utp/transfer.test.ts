/** Everything arrives, in its order and once, whatever the network does to the packets. */

import { expect, test } from 'vitest';
import { type TransferOptions, transfer } from './pair.ts';

const MB = 1e6;

interface Story extends TransferOptions {
  readonly what: string;
  /** Milliseconds that it may take. */
  readonly within: number;
}

const STORIES: readonly Story[] = [
  { what: 'nothing happens', bytes: 4 * MB, within: 1000 },
  { what: 'one in a hundred is lost', from: { loss: 0.01 }, bytes: 2 * MB, within: 20_000 },
  { what: 'one in ten is lost', from: { loss: 0.1 }, bytes: MB / 2, within: 30_000 },
  { what: 'acks are lost', to: { loss: 0.2 }, bytes: MB / 4, within: 60_000 },
  { what: 'packets overtake each other', from: { reorder: 0.1 }, bytes: MB, within: 30_000 },
  { what: 'packets come twice', from: { duplicate: 0.3 }, bytes: 2 * MB, within: 2000 },
  { what: 'delays vary', from: { jitterMs: 30 }, bytes: MB, within: 30_000 },
  {
    what: 'all of it at once',
    from: { loss: 0.03, reorder: 0.05, duplicate: 0.05, jitterMs: 20 },
    to: { loss: 0.03, reorder: 0.05, duplicate: 0.05, jitterMs: 20 },
    bytes: MB / 2,
    within: 60_000,
  },
  {
    what: 'the line has hardly a buffer',
    from: { upload: 50_000, queueMs: 30 },
    bytes: MB / 2,
    within: 14_000,
  },
  {
    what: 'the line has ten seconds of buffer',
    from: { upload: 50_000, queueMs: 10_000 },
    bytes: MB / 2,
    within: 12_000,
  },
  {
    what: 'the way is short',
    path: { latencyMs: 0.5 },
    from: { upload: 12.5 * MB },
    bytes: 10 * MB,
    within: 1200,
  },
  {
    what: 'the way is long',
    path: { latencyMs: 150 },
    from: { upload: 2.5 * MB },
    bytes: 4 * MB,
    within: 8000,
  },
  { what: 'who was called sends', reverse: true, bytes: 2 * MB, within: 1000 },
];

test.for(STORIES)('$what', async ({ within, ...story }) => {
  const { sink, ms } = await transfer(story);
  expect(sink.wrongAt).toBeUndefined();
  expect(sink.ended).toBeUndefined();
  expect(sink.received).toBe(story.bytes);
  expect(ms).toBeLessThan(within);
});

test('the same seed gives the same trace', async () => {
  const story = { from: { loss: 0.02, reorder: 0.02, jitterMs: 5 }, bytes: MB / 2 };
  const [one, other] = [await transfer(story), await transfer(story)];
  expect(one.world.trace.hash).toBe(other.world.trace.hash);
});

test.for([
  { mtu: 1500, packet: 1472 },
  { mtu: 1499, packet: 1464 },
  { mtu: 1492, packet: 1464 },
  { mtu: 1300, packet: 1252 },
  { mtu: 1100, packet: 978 },
  { mtu: 576, packet: 548 },
])('a path of $mtu bytes carries packets of $packet', async ({ mtu, packet }) => {
  const { sink, packetSize } = await transfer({
    path: { mtu },
    from: { upload: 2.5 * MB },
    bytes: 6 * MB,
  });
  expect(sink.wrongAt).toBeUndefined();
  expect(sink.received).toBe(6 * MB);
  expect(packetSize).toBe(packet);
});
