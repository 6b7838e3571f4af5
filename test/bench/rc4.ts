/**
 * What encrypted connections cost: RC4 in words and in bytes, beside that of OpenSSL, and a key
 * exchange. Prints a table; nothing fails by the clock. `npx node test/bench/rc4.ts`
 *
 * @module
 */

import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { KeyPair, parsePublicKey } from '../../src/handshake/mse/dh.ts';
import { Rc4 } from '../../src/handshake/mse/rc4.ts';

const ROUNDS = 9;
const CHUNK = 65_536;
const CHUNKS = 1_024;
const EXCHANGES = 200;

/** Node has RC4 only with OpenSSL's legacy provider, so that the bench runs itself once more with it. */
const LEGACY = '--openssl-legacy-provider';

if (process.argv.includes('openssl')) print(String(median(samples(opensslRc4()))));
else printAll();

function printAll(): void {
  const aligned = new Uint8Array(CHUNK);
  const unaligned = new Uint8Array(CHUNK + 1).subarray(1);
  const cipher = new Rc4(randomBytes(20));
  print('RC4, MB a second of CPU');
  row('bip, in words', median(samples(() => cipher.apply(aligned))));
  row('bip, in bytes', median(samples(() => cipher.apply(unaligned))));
  const openssl = spawnSync(process.execPath, [LEGACY, import.meta.filename, 'openssl'], {
    encoding: 'utf8',
  });
  if (openssl.status === 0) row('OpenSSL', Number(openssl.stdout));
  else print('  OpenSSL has none here');
  print('key exchange, microseconds of CPU');
  const pair = new KeyPair(randomBytes(20));
  const theirs = parsePublicKey(new KeyPair(randomBytes(20)).publicKey);
  row('a key', median(durations(() => new KeyPair(randomBytes(20)))));
  row('a secret', median(durations(() => pair.sharedSecret(theirs))));
}

function opensslRc4(): () => void {
  const cipher = createCipheriv('rc4', randomBytes(16), '');
  const chunk = new Uint8Array(CHUNK);
  return () => void cipher.update(chunk);
}

/** Megabytes a second of each round. */
function samples(work: () => unknown): number[] {
  return Array.from({ length: ROUNDS }, () => {
    return (
      (CHUNK * CHUNKS) /
      cpuOf(() => {
        for (let count = 0; count < CHUNKS; count++) work();
      })
    );
  });
}

/** Microseconds of one, in each round. */
function durations(work: () => unknown): number[] {
  return Array.from({ length: ROUNDS }, () => {
    const cpu = cpuOf(() => {
      for (let count = 0; count < EXCHANGES; count++) work();
    });
    return cpu / EXCHANGES;
  });
}

/** Microseconds of CPU, which hold still where others work beside us. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return process.cpuUsage(before).user;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function row(name: string, value: number): void {
  print(`  ${name.padEnd(16)} ${value.toFixed(0).padStart(6)}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
