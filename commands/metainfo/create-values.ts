/** Reading the flags that count, whatever layer they come from. @module */

import { UsageError } from '../../src/base/errors.ts';
import { type FlagName, longFlag } from './create-flags.ts';
import type { Layered } from './presets.ts';

/** The values of flags; mistakes in them name the file that they stand in. */
export class FlagReader {
  readonly #layered: Layered;

  constructor(layered: Layered) {
    this.#layered = layered;
  }

  /** A switch that is on. */
  isOn(name: FlagName): boolean {
    return this.#layered.values[name] === true;
  }
  /** True when `--no-NAME` has the last word. */
  isOff(name: FlagName): boolean {
    return this.#layered.values[name] === false;
  }
  /** True when there is a value, or the switch is on. */
  has(name: FlagName): boolean {
    const value = this.#layered.values[name];
    return value !== undefined && value !== false;
  }
  text(name: FlagName): string | undefined {
    const value = this.#layered.values[name];
    return typeof value === 'string' ? value : undefined;
  }
  list(name: FlagName): readonly string[] {
    const value = this.#layered.values[name];
    if (typeof value === 'string') return [value];
    return value === undefined || typeof value === 'boolean' ? [] : value;
  }

  /** @throws {UsageError} what `parse` throws, or that the value is none of `choices`. */
  choice<const Choice extends string>(
    name: FlagName,
    choices: readonly Choice[],
  ): Choice | undefined {
    return this.parsed(name, (text) => {
      const found = choices.find((choice) => choice === text);
      if (found !== undefined) return found;
      throw new UsageError(`${longFlag(name)}: \`${text}\` is to be one of ${choices.join(', ')}`);
    });
  }
  parsed<Value>(name: FlagName, parse: (text: string, flag: string) => Value): Value | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : this.located(name, () => parse(text, longFlag(name)));
  }
  parsedList<Value>(
    name: FlagName,
    parse: (text: string, flag: string) => Value,
  ): readonly Value[] {
    return this.located(name, () => this.list(name).map((text) => parse(text, longFlag(name))));
  }

  /** What `work` gives; its complaints begin with the file that the flag stands in. */
  located<Value>(name: FlagName, work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      throw this.#inFile(name, error);
    }
  }
  async locatedLater<Value>(name: FlagName, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw this.#inFile(name, error);
    }
  }

  #inFile(name: FlagName, error: unknown): unknown {
    const origin = this.#layered.origins.get(name);
    if (origin === undefined || !(error instanceof UsageError)) return error;
    const { code, message } = error;
    return new UsageError(`${origin}: ${message}`, { code, cause: error });
  }
}
