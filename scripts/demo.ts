/**
 * `npm run demo`: shares a file from this machine and downloads it by magnet link, with the progress
 * that users see, then checks the bytes. BIP_DEMO_SIZE changes the size, e.g. `BIP_DEMO_SIZE=2GiB`.
 *
 * @module
 */

import { join } from 'node:path';
import { formatSize, parseSize } from '../commands/cli/units.ts';
import { buildBip } from './build.ts';
import { transfer } from './transfer.ts';

const interrupt = new AbortController();
for (const [name, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(name, () => {
    process.exitCode = exitCode;
    interrupt.abort();
  });
}

const say = (sentence: string): boolean => process.stdout.write(`demo: ${sentence}\n`);
try {
  const sizeBytes = parseSize(process.env['BIP_DEMO_SIZE'] ?? '512MiB', 'BIP_DEMO_SIZE');
  const dist = join(import.meta.dirname, '..', 'dist');
  say('building dist/bip.mjs');
  await buildBip(dist);
  const { sha256, elapsedMs } = await transfer({
    entry: join(dist, 'bip.mjs'),
    sizeBytes,
    show: 'inherit',
    step: say,
    signal: interrupt.signal,
  });
  const speed = formatSize(sizeBytes / (elapsedMs / 1000));
  say(`the bytes are the same, SHA-256 ${sha256}`);
  say(`${formatSize(sizeBytes)} in ${(elapsedMs / 1000).toFixed(2)} s: ${speed}/s`);
} catch (error) {
  if (interrupt.signal.aborted) say('stopped; nothing is left behind');
  else {
    say(`failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
