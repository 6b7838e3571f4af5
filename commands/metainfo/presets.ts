/** Layers of flags: the command line wins over a preset, that over the defaults of the file. @module */

import { UsageError } from '../../src/base/errors.ts';
import type { Config, FileFlags } from '../cli/config.ts';
import type { Context } from '../cli/context.ts';
import { expandHome, joinPath } from '../cli/paths.ts';
import { suggestion } from '../cli/suggest.ts';

import {
  FLAG_NAMES,
  type FlagName,
  type FlagValue,
  type FlagValues,
  isFlagName,
  kindOf,
  longFlag,
} from './create-flags.ts';

/** Flags from one place. */
export interface Layer {
  readonly values: FlagValues;
  /** In sentences: `config.json: preset film`; `undefined` for the command line. */
  readonly origin?: string;
}

/** The flags that count, and where each comes from. */
export interface Layered {
  readonly values: FlagValues;
  /** Not for those of the command line. */
  readonly origins: ReadonlyMap<FlagName, string>;
}

/** Where the flags of a file stand. */
export interface FilePlace {
  readonly context: Context;
  /** Paths among the flags are relative to it. */
  readonly folder: string;
  readonly origin: string;
}

const COMMAND = 'metainfo create';

/** Longer chains of `extends` are a mistake. */
const MAX_CHAIN = 32;

/** Pairs that cannot both hold; a higher layer drops what contradicts it below. */
const CONTRADICTIONS: readonly (readonly [FlagName, FlagName])[] = [
  ['v1', 'v2'],
  ['v1', 'hybrid'],
  ['v2', 'hybrid'],
  ['pieceLength', 'pieceCount'],
  ['align', 'v2'],
  ['align', 'hybrid'],
  ['sort', 'v2'],
  ['sort', 'hybrid'],
];

/** Of these, all layers count together: what a file leaves out stays out. */
const ADDED: ReadonlySet<FlagName> = new Set(['exclude', 'excludeRegex', 'allow']);

/** Values that are paths: those in files are relative to the file. */
const PATHS: ReadonlySet<FlagName> = new Set(['merge', 'rules', 'reuse', 'output']);

/**
 * The layers below flags that name `preset`: the defaults of `config` and the preset with all that
 * it extends, lowest first.
 *
 * @throws {UsageError} for a preset that there is not, or that extends itself.
 */
export function configLayers(
  context: Context,
  config: Config | undefined,
  preset: FlagValue | undefined,
): readonly Layer[] {
  const defaults = config?.defaults[COMMAND];
  const wanted = preset ?? defaults?.['preset'];
  const layers: Layer[] = [];
  if (config !== undefined && defaults !== undefined) {
    layers.push(fileLayer(defaults, placeIn(context, config, 'defaults')));
  }
  if (typeof wanted === 'string') layers.push(...presetLayers(context, config, wanted));
  return layers;
}

function presetLayers(
  context: Context,
  config: Config | undefined,
  wanted: string,
): readonly Layer[] {
  if (config === undefined) {
    throw new UsageError(
      `there is no preset \`${wanted}\`: there is no configuration; name one by --config FILE`,
    );
  }
  const layers: Layer[] = [];
  const seen: string[] = [];
  for (let name: unknown = wanted; typeof name === 'string'; ) {
    const flags = Object.hasOwn(config.presets, name) ? config.presets[name] : undefined;
    if (flags === undefined) throw unknownPreset(config, name);
    if (seen.includes(name) || seen.length >= MAX_CHAIN) {
      throw new UsageError(`${config.path}: preset ${[...seen, name].join(' extends ')}`);
    }
    seen.push(name);
    layers.unshift(fileLayer(flags, placeIn(context, config, `preset ${name}`)));
    name = flags['extends'] ?? flags['preset'];
  }
  return layers;
}

function unknownPreset(config: Config, name: string): UsageError {
  const names = Object.keys(config.presets);
  const hint = suggestion(name, names) || `; there is ${names.join(', ') || 'none'}`;
  return new UsageError(`${config.path} has no preset \`${name}\`${hint}`);
}

function placeIn(context: Context, { path, folder }: Config, where: string): FilePlace {
  return { context, folder, origin: `${path}: ${where}` };
}

/**
 * `BIP_PIECE_LENGTH` is `--piece-length`: a layer for each variable that is set and not empty.
 * @throws {UsageError} for a switch that is neither `1`, `true`, `0` nor `false`.
 */
export function environmentLayers({ env }: Context): readonly Layer[] {
  return FLAG_NAMES.flatMap((name) => {
    const origin = `BIP_${longFlag(name).slice(2).replaceAll('-', '_').toUpperCase()}`;
    const text = env[origin] ?? '';
    if (text === '') return [];
    return [{ values: { [name]: fromEnvironment(name, text, origin) }, origin }];
  });
}

function fromEnvironment(name: FlagName, text: string, origin: string): FlagValue {
  const kind = kindOf(name);
  if (kind === 'list') return [text];
  if (kind !== 'switch') return text;
  if (['1', 'true'].includes(text)) return true;
  if (['0', 'false'].includes(text)) return false;
  throw new UsageError(`${origin}: \`${text}\` is to be 1 or 0`);
}

/** Flags as a file has them, judged by its schema already, in the form of the command line. */
export function fileLayer(flags: FileFlags, place: FilePlace): Layer {
  const values: Partial<Record<FlagName, FlagValue>> = {};
  for (const [name, value] of Object.entries(flags)) {
    if (isFlagName(name)) values[name] = typed(name, value, place);
  }
  return { values, origin: place.origin };
}

function typed(name: FlagName, value: unknown, place: FilePlace): FlagValue {
  if (typeof value === 'boolean') return value;
  if (kindOf(name) !== 'list') return resolved(name, String(value), place);
  return textsOf(value).map((text) => resolved(name, text, place));
}

/** `--set` may be an object: `{"info.x": 1}` is `info.x=1`. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).map(([key, item]) => `${key}=${JSON.stringify(item)}`);
}

function resolved(name: FlagName, text: string, { context, folder }: FilePlace): string {
  if (!PATHS.has(name) || text === '-') return text;
  return joinPath(folder, expandHome(text, context.env));
}

/**
 * The flags that count of `layers`, lowest first.
 * @throws {UsageError} for flags of one layer that contradict each other.
 */
export function layered(layers: readonly Layer[]): Layered {
  const values: Partial<Record<FlagName, FlagValue>> = {};
  const origins = new Map<FlagName, string>();
  for (const layer of layers) {
    refuseContradictions(layer);
    for (const name of FLAG_NAMES) {
      const value = layer.values[name];
      if (value === undefined) continue;
      const dropped = value === false ? [] : contradicting(name);
      for (const other of dropped) delete values[other];
      values[name] = ADDED.has(name) ? added(values[name], value) : value;
      setOrigin(origins, name, layer.origin);
    }
  }
  return { values, origins };
}

function setOrigin(
  origins: Map<FlagName, string>,
  name: FlagName,
  origin: string | undefined,
): void {
  if (origin === undefined) origins.delete(name);
  else origins.set(name, origin);
}

function refuseContradictions({ values, origin }: Layer): void {
  const isSet = (name: FlagName): boolean => values[name] !== undefined && values[name] !== false;
  for (const [one, other] of CONTRADICTIONS) {
    if (!isSet(one) || !isSet(other)) continue;
    const where = origin === undefined ? '' : `${origin}: `;
    throw new UsageError(`${where}${longFlag(one)} and ${longFlag(other)} contradict each other`);
  }
}

function contradicting(name: FlagName): readonly FlagName[] {
  return CONTRADICTIONS.flatMap(([one, other]) =>
    one === name ? [other] : other === name ? [one] : [],
  );
}

function added(before: FlagValue | undefined, value: FlagValue): FlagValue {
  return isList(before) && isList(value) ? [...before, ...value] : value;
}

function isList(value: FlagValue | undefined): value is readonly string[] {
  return Array.isArray(value);
}
