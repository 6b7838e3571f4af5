/** Sizes and durations as people write and read them. @module */

import { UsageError } from '../../src/base/errors.ts';

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};
const DURATION_FACTORS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/**
 * Bytes of `16KiB`, `1.5 MiB`, `2M`, `512k`, `100`; every unit is binary.
 * @throws {UsageError} for anything else; `flag` is named in the sentence.
 */
export function parseSize(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Number(match?.[1]) * (SIZE_FACTORS[(match?.[2] ?? '').toLowerCase()] ?? 1);
  if (match === null || !Number.isSafeInteger(bytes)) {
    throw new UsageError(`${flag}: \`${text}\` is no size; write it like 16KiB, 1.5MiB or 1048576`);
  }
  return bytes;
}

/**
 * Milliseconds of `30s`, `5m`, `1h30m`, `250ms`, or a bare number of seconds.
 * @throws {UsageError} for anything else; `flag` is named in the sentence.
 */
export function parseDuration(text: string, flag: string): number {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== trimmed) {
    throw new UsageError(`${flag}: \`${text}\` is no duration; write it like 30s, 5m or 1h30m`);
  }
  return parts.reduce(
    (sum, [, value, unit]) => sum + Number(value) * (DURATION_FACTORS[unit ?? 's'] ?? 0),
    0,
  );
}

/**
 * A duration from `least` to `most` milliseconds.
 * @throws {UsageError} for anything else; `flag` is named in the sentence.
 */
export function parseSpan(
  text: string,
  flag: string,
  least: number,
  most: number = Infinity,
): number {
  const ms = parseDuration(text, flag);
  if (ms < least) throw new UsageError(`${flag}: \`${text}\` is shorter than ${least / 1000} s`);
  if (ms > most) {
    const days = most / (DURATION_FACTORS['d'] ?? 1);
    throw new UsageError(`${flag}: \`${text}\` is longer than ${days} days`);
  }
  return ms;
}

/**
 * A whole number in a range.
 * @throws {UsageError} for anything else; `flag` is named in the sentence.
 */
export function parseWhole(text: string, flag: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`${flag}: \`${text}\` is no whole number from ${min} to ${max}`);
  }
  return value;
}

/** IEC units with at most two decimals: `1.25 MiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(2))} ${BINARY_UNITS[unit]}`;
}

/** `1h 02m`, `3m 20s`, `12s`, `0.4s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9950) return `${Number((ms / 1000).toFixed(1))}s`;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** For people: `0.68 ms`, `41 ms`, `12345 ms`. */
export function formatMillis(ms: number): string {
  return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms)} ms`;
}

/** At most three decimals. */
export function roundMillis(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
