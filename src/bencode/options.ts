/** What decoding permits: options, defaults and limits. @module */

/** All in absence as in bip-rs: 50 levels, keys in any order, one value and nothing behind it. */
export interface DecodeOptions {
  /** Levels of lists and dictionaries: 50 permits exactly 50. Default {@link DEFAULT_MAX_DEPTH}. */
  readonly maxDepth?: number | undefined;
  /** Refuse dictionaries whose keys are not in raw byte order. Default false. */
  readonly checkKeyOrder?: boolean | undefined;
  /** Refuse bytes behind the value, in every mode. Default true. */
  readonly fullDecode?: boolean | undefined;
  /** Refuse everything that is not canonical, and integers beyond 64 bits. Default false. */
  readonly strict?: boolean | undefined;
  /** Values and keys. Default {@link DEFAULT_MAX_TOKENS}. */
  readonly maxTokens?: number | undefined;
  /** Bytes of one string. Default {@link DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number | undefined;
}

/** As bip-rs (`max_recursion`). */
export const DEFAULT_MAX_DEPTH = 50;
/** As libtorrent for torrent files; 16 bytes of memory each, 32 for lists and dictionaries. */
export const DEFAULT_MAX_TOKENS = 3_000_000;
/** As libtorrent: a length of at most eight digits. */
export const DEFAULT_MAX_BYTES = 99_999_999;
/** Digits of one integer: conversion to a bigint takes more than linear time. */
export const MAX_INTEGER_DIGITS = 10_000;
/** Offsets stay small integers. */
export const MAX_INPUT_BYTES = 0x3fff_ffff;
