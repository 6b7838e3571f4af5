/** Bencode as JSON text, keys in the order of the input. @module */

import { ProtocolError } from '../base/errors.ts';
import { leafToJson } from './json-value.ts';
import type { BencodeNode } from './node.ts';
import { formatKey } from './path.ts';

/** What a piece of JSON text is, for colours. */
export type JsonPart = 'key' | 'text' | 'bytes' | 'integer';

/** How the text looks. */
export interface JsonFormat {
  /** Spaces a level, each value on a line of its own; all on one line when left out. */
  readonly indent?: number;
  /** Puts colour around a piece. */
  readonly paint?: (part: JsonPart, text: string) => string;
}

/** Characters of one document; V8 has no strings longer than 2^29 − 24. */
const MAX_JSON_LENGTH = 500_000_000;

/** Valid inside strings of JSON, but not safe on a terminal. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

interface Level {
  readonly nodes: Iterator<readonly [Uint8Array | undefined, BencodeNode], unknown, undefined>;
  readonly close: ']' | '}';
  empty: boolean;
}

/**
 * JSON text of a value, without a line end.
 *
 * @throws {ProtocolError} code `BIP_TOO_LARGE` beyond 500,000,000 characters.
 */
export function formatJson(node: BencodeNode, format: JsonFormat = {}): string {
  const formatter = new Formatter(format);
  formatter.value(node);
  while (formatter.step());
  return formatter.text;
}

class Formatter {
  readonly #indent: number | undefined;
  readonly #paint: (part: JsonPart, text: string) => string;
  readonly #parts: string[] = [];
  readonly #levels: Level[] = [];
  #length = 0;

  constructor({ indent, paint }: JsonFormat) {
    this.#indent = indent;
    this.#paint = paint ?? ((_part, text) => text);
  }

  get text(): string {
    return this.#parts.join('');
  }

  value(node: BencodeNode): void {
    switch (node.kind) {
      case 'list':
        this.#add('[');
        this.#levels.push({ nodes: keyless(node), close: ']', empty: true });
        break;
      case 'dictionary':
        this.#add('{');
        this.#levels.push({ nodes: node.entries(), close: '}', empty: true });
        break;
      case 'integer':
      case 'bytes':
        this.#leaf(node);
    }
  }

  /** False when all is written. */
  step(): boolean {
    const level = this.#levels.at(-1);
    if (level === undefined) return false;
    const next = level.nodes.next();
    if (next.done === true) {
      this.#levels.pop();
      if (!level.empty) this.#line();
      this.#add(level.close);
      return true;
    }
    if (!level.empty) this.#add(',');
    level.empty = false;
    this.#line();
    const [key, node] = next.value;
    if (key !== undefined) this.#key(key);
    this.value(node);
    return true;
  }

  #key(key: Uint8Array): void {
    this.#add(this.#paint('key', quote(formatKey(key))));
    this.#add(this.#indent === undefined ? ':' : ': ');
  }

  #leaf(node: BencodeNode): void {
    const leaf = leafToJson(node);
    if (typeof leaf === 'string') this.#add(this.#paint('text', quote(leaf)));
    else if (typeof leaf === 'number') this.#add(this.#paint('integer', String(leaf)));
    else {
      this.#add(this.#paint(node.kind === 'integer' ? 'integer' : 'bytes', JSON.stringify(leaf)));
    }
  }

  #line(): void {
    if (this.#indent === undefined) return;
    this.#add(`\n${' '.repeat(this.#indent * this.#levels.length)}`);
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length > MAX_JSON_LENGTH) {
      throw new ProtocolError(
        'the value is too long for JSON text; print a part of it by its path',
        {
          rule: 'limit of JSON text',
          code: 'BIP_TOO_LARGE',
        },
      );
    }
    this.#parts.push(part);
  }
}

function* keyless(
  node: BencodeNode,
): Generator<readonly [undefined, BencodeNode], void, undefined> {
  for (const item of node.items()) yield [undefined, item];
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
