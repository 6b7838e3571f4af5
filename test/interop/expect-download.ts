/** What every finished download has to have said and left behind. @module */

import { expect } from 'vitest';
import type { Bip, BipEnd, BipResult } from './bip.ts';
import { expectContent } from './content.ts';
import type { Swarm } from './swarm.ts';

/**
 * Waits for the end of a download, which must have succeeded: exit code 0, events in order, every
 * byte in place.
 */
export async function expectComplete(
  bip: Bip,
  swarm: Swarm,
  options: { readonly dir: string; readonly deadlineMs: number },
): Promise<BipEnd> {
  const result = await bip.ended(options.deadlineMs);
  expectExit(result, [0]);
  const end = expectEvents(result, swarm);
  expect(end.complete).toBe(true);
  expect(end.done).toBe(swarm.torrent.length);
  await expectContent(options.dir, swarm.content);
  return end;
}

/** One of these exit codes; stderr is shown where it is another. */
export function expectExit(result: BipResult, codes: readonly number[]): void {
  const { exit, stderr } = result;
  if (exit.code !== undefined && codes.includes(exit.code)) return;
  expect.fail(`bip ended with ${exit.code ?? exit.signal}, not ${codes.join(' or ')}: ${stderr}`);
}

/** The order of events, and what they say of the torrent. Gives the last of them. */
export function expectEvents(result: BipResult, swarm: Swarm): BipEnd {
  const types = result.events.map(({ type }) => type);
  expect(types.filter((type) => type === 'metadata')).toHaveLength(1);
  // A short download may be over before the first progress is due.
  const before = types.slice(0, types.indexOf('metadata'));
  expect(before.filter((type) => type !== 'warning')).toEqual([]);
  expect(types.indexOf('end')).toBe(types.length - 1);
  const { torrent } = swarm;
  const { content } = swarm;
  for (const event of result.events) {
    if (event.type === 'metadata') {
      const { infoHash, name, length, pieceLength, pieceCount } = torrent;
      expect(event).toMatchObject({ infoHash, name, length, pieceLength, pieceCount });
      const files = new Map(event.files.map((file) => [file.path, file.length]));
      expect(files).toEqual(new Map([...content].map(([path, bytes]) => [path, bytes.length])));
    }
    if (event.type === 'progress') {
      expect(event.total).toBe(torrent.length);
      expect(event.done).toBeLessThanOrEqual(event.total);
    }
  }
  const { end } = result;
  if (end === undefined) expect.fail('no end event');
  expect(end.total).toBe(torrent.length);
  return end;
}
