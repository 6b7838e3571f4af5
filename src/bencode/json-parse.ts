/**
 * JSON text (RFC 8259) to what bencode can say, without recursion; integers of any size are exact
 * and every mistake has its line and column.
 *
 * @module
 */

import { decodeUtf8, decodeUtf8Lossy } from '../base/bytes.ts';
import { ProtocolError } from '../base/errors.ts';
import type { BencodeInput } from './encode.ts';
import { bigFromJson, jsonError, objectFromJson, textFromJson } from './json-object.ts';

const BYTE_ORDER_MARK = '\ufeff';
/** How a sentence with a place begins. */
const LOCATED = 'JSON at line ';

/** An object or array that is open. */
interface Level {
  /** Keys of an object, one for each value so far and one for the next; `undefined` in an array. */
  readonly keys: string[] | undefined;
  readonly values: BencodeInput[];
  /** Where it begins, in characters. */
  readonly start: number;
}

/** What a document may hold beyond bencode. */
export interface JsonOptions {
  /** Stands for `null`, which is refused when this is left out; found again by its identity. */
  readonly nullAs?: Uint8Array;
}

/**
 * What one JSON document is to be encoded as.
 *
 * @throws {ProtocolError} code `BIP_JSON`, its sentence with line and column, for what is no JSON
 * and what bencode cannot say (`null`, booleans, fractions, unknown tags, keys given twice).
 */
export function parseJson(text: string | Uint8Array, options: JsonOptions = {}): BencodeInput {
  return new Parser(typeof text === 'string' ? text : textOf(text), options).document();
}

function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text;
  const lossy = decodeUtf8Lossy(bytes);
  throw located(lossy, lossy.indexOf('\ufffd'), jsonError('the text is not UTF-8'));
}

function located(text: string, at: number, { message }: ProtocolError): ProtocolError {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  const column = before.length - lineStart + 1;
  return jsonError(`${LOCATED}${line}, column ${column}: ${message}`);
}

class Parser {
  readonly #text: string;
  readonly #nullAs: Uint8Array | undefined;
  // Sticky patterns have a state, so each parser has its own.
  readonly #space = /[ \t\r\n]*/y;
  readonly #numeral = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  readonly #word = /[A-Za-z_]\w*/y;
  readonly #levels: Level[] = [];
  #at = 0;
  #result: BencodeInput | undefined;

  constructor(text: string, { nullAs }: JsonOptions) {
    this.#text = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    this.#nullAs = nullAs;
  }

  document(): BencodeInput {
    this.#value();
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      this.#member(level);
    }
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('more follows after the one document', this.#at);
    return this.#result ?? [];
  }

  /** Reads a whole leaf, or the bracket that opens an object or array. */
  #value(): void {
    this.#skipSpace();
    const start = this.#at;
    const character = this.#text[start];
    if (character === '"') {
      this.#done(this.#convert(start, () => textFromJson(this.#string())));
    } else if (character === '{' || character === '[') {
      this.#at++;
      this.#levels.push({ keys: character === '{' ? [] : undefined, values: [], start });
    } else this.#done(this.#number());
  }

  /** Reads up to the next value of `level` and that value, or its end. */
  #member(level: Level): void {
    const { keys, values } = level;
    const close = keys === undefined ? ']' : '}';
    this.#skipSpace();
    if (this.#text[this.#at] === close) return this.#close(level);
    if (values.length > 0) this.#expect(',', `\`,\` or \`${close}\``);
    if (keys !== undefined) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#unexpected('a key in double quotes');
      keys.push(this.#string());
      this.#expect(':', '`:`');
    }
    this.#value();
  }

  #close({ keys, values, start }: Level): void {
    this.#at++;
    this.#levels.pop();
    if (keys === undefined) return this.#done(values);
    const members = values.map((value, at) => [keys[at] ?? '', value] as const);
    this.#done(this.#convert(start, () => objectFromJson(members)));
  }

  #done(value: BencodeInput): void {
    const level = this.#levels.at(-1);
    if (level === undefined) this.#result = value;
    else level.values.push(value);
  }

  #number(): BencodeInput {
    const start = this.#at;
    const digits = this.#match(this.#numeral);
    if (digits === '') return this.#literal();
    if (/[.eE]/.test(digits)) this.#fail('bencode has whole numbers only', start);
    const value = Number(digits);
    if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    return this.#convert(start, () => bigFromJson(digits));
  }

  /** The content of the string that begins here. */
  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end !== -1 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) this.#fail('a string has no end', start);
    this.#at = end + 1;
    try {
      const content: unknown = JSON.parse(this.#text.slice(start, end + 1));
      return String(content);
    } catch {
      return this.#fail('a string has a bad escape or a bare control character', start);
    }
  }

  /** True when an odd number of backslashes stands before. */
  #isEscaped(at: number): boolean {
    let before = at - 1;
    while (this.#text[before] === '\\') before--;
    return (at - before) % 2 === 0;
  }

  #literal(): BencodeInput {
    const start = this.#at;
    const word = this.#match(this.#word);
    if (word === 'null' && this.#nullAs !== undefined) return this.#nullAs;
    if (['null', 'true', 'false'].includes(word)) {
      this.#fail(`bencode has no \`${word}\``, start);
    }
    this.#at = start;
    return this.#unexpected('a value');
  }

  #expect(character: string, what: string): void {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) this.#unexpected(what);
    this.#at++;
  }

  #unexpected(wanted: string): never {
    const found = this.#text.codePointAt(this.#at);
    const what = found === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(found));
    return this.#fail(`found ${what} instead of ${wanted}`, this.#at);
  }

  #skipSpace(): void {
    this.#match(this.#space);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Gives errors of `make` the place where the value begins. */
  #convert<Value>(start: number, make: () => Value): Value {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.message.startsWith(LOCATED)) throw error;
      throw located(this.#text, start, error);
    }
  }

  #fail(message: string, at: number): never {
    throw located(this.#text, at, jsonError(message));
  }
}
