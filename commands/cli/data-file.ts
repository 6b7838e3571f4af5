/**
 * Files that users write for bip: JSON or YAML, judged by a published JSON Schema. What is wrong
 * becomes one sentence with the place.
 *
 * @module
 */

import type { ErrorObject } from 'ajv/dist/2020.js';
import { decodeUtf8 } from '../../src/base/bytes.ts';
import { type ErrorCode, invariant, ProtocolError } from '../../src/base/errors.ts';
import type { Context } from './context.ts';
import { inputName, readInput } from './input.ts';
import { printable } from './printable.ts';
import { suggestion } from './suggest.ts';

/** A JSON Schema, as it is imported. */
export interface Schema {
  readonly $id: string;
  readonly [keyword: string]: unknown;
}

/** What kind of file is read. */
export interface DataKind<Document> {
  /** In sentences: `the configuration`. */
  readonly what: string;
  readonly code: ErrorCode;
  readonly schema: Schema;
  /** Schemas that `schema` refers to. */
  readonly others?: readonly Schema[];
  /** Never set: the type of documents that pass. */
  readonly document?: Document;
}

/** A place in a document: keys and indices from its top. */
export type DataPath = readonly (string | number)[];

/** Whoever writes more by hand has a mistake in it. */
const MAX_BYTES: number = 16 * 2 ** 20;

/**
 * The document in the file at `path` (`-`: standard input), as its schema wants it. Names that end
 * with `.json` are read as JSON, all else as YAML.
 *
 * @throws {ProtocolError} with the code of `kind`, naming the file and the line.
 * @throws {StorageError} for a file that cannot be read.
 */
export async function readDataFile<Document>(
  context: Context,
  path: string,
  kind: DataKind<Document>,
): Promise<Document> {
  const bytes = await readInput(context, path, { maxBytes: MAX_BYTES });
  const text = decodeUtf8(bytes)?.replace(/^\ufeff/, '');
  if (text === undefined) throw malformed(path, kind, 'is no text in UTF-8');
  const document = /\.json$/i.test(path)
    ? parseJson(text, path, kind)
    : await parseYaml(text, path, kind);
  // The default of a package in CommonJS is all of it; its names the build does not see.
  const { Ajv2020 } = (await import('ajv/dist/2020.js')).default;
  const ajv = new Ajv2020({ strictTypes: false, logger: false });
  const schemas = [kind.schema, ...(kind.others ?? [])];
  for (const schema of kind.others ?? []) ajv.addSchema({ ...schema });
  const isValid = ajv.compile<Document>({ ...kind.schema });
  if (isValid(document)) return document;
  const [error] = isValid.errors ?? [];
  invariant(error !== undefined, 'a schema says why it refuses');
  const wrong = explain(error, document, schemas);
  const line = await lineOf(text, wrong.path);
  const where = line === undefined ? '' : `line ${line}: `;
  throw malformed(path, kind, `${where}${wrong.sentence}`);
}

/** The error for what is wrong with a file of `kind`. */
export function malformed(path: string, kind: DataKind<unknown>, what: string): ProtocolError {
  const name = printable(inputName(path));
  const separator = what.startsWith('is ') ? ' ' : ': ';
  return new ProtocolError(`${name}${separator}${what}`, { code: kind.code, rule: kind.what });
}

/** A place as people write it: `presets.film.tracker[1]`. */
export function showPlace(path: DataPath): string {
  const text = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
  return printable(text);
}

function parseJson(text: string, path: string, kind: DataKind<unknown>): unknown {
  try {
    const document: unknown = JSON.parse(text);
    return document;
  } catch (error) {
    throw malformed(path, kind, `is no JSON: ${messageOf(error)}`);
  }
}

async function parseYaml(text: string, path: string, kind: DataKind<unknown>): Promise<unknown> {
  const { parseDocument } = (await import('yaml')).default;
  const document = parseDocument(text);
  const [first] = document.errors;
  if (first !== undefined) {
    const line = first.linePos?.[0].line ?? 1;
    throw malformed(path, kind, `line ${line}: ${first.message.split(/ at line |\n/)[0]}`);
  }
  try {
    const value: unknown = document.toJS();
    return value;
  } catch (error) {
    // Too many aliases: a small file that would become a large document.
    throw malformed(path, kind, `is no YAML: ${messageOf(error)}`);
  }
}

interface Wrong {
  readonly path: DataPath;
  readonly sentence: string;
}

function explain(error: ErrorObject, document: unknown, schemas: readonly Schema[]): Wrong {
  const path = pathOf(error.instancePath, document);
  const place = path.length === 0 ? 'the document' : `\`${showPlace(path)}\``;
  const { keyword, params } = error;
  const text = (name: string): string => String(params[name]);
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = text(keyword.replace('Properties', 'Property'));
      const hint = suggestion(key, propertiesOf(schemas));
      return {
        path: [...path, key],
        sentence: `\`${printable(key)}\` is no key of ${place}${hint}`,
      };
    }
    case 'required':
      return { path, sentence: `${place} lacks \`${text('missingProperty')}\`` };
    case 'type':
      return { path, sentence: `${place} is to be ${kindsOf(params['type'])}` };
    case 'enum':
      return { path, sentence: `${place} is to be one of ${listOf(params['allowedValues'])}` };
    default:
      return { path, sentence: `${place} ${error.message ?? 'is not as it has to be'}` };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text in quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys and values',
};

function kindsOf(types: unknown): string {
  const names: readonly unknown[] = Array.isArray(types) ? types : [types];
  return names.map((name) => KINDS[String(name)] ?? String(name)).join(', or ');
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map(String).join(', ') : String(values);
}

/** A JSON Pointer (RFC 6901) as steps; indices where the document has lists. */
function pathOf(pointer: string, document: unknown): DataPath {
  let at: unknown = document;
  return pointer
    .split('/')
    .slice(1)
    .map((escaped) => {
      const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
      const isIndex = Array.isArray(at);
      at = childOf(at, step);
      return isIndex ? Number(step) : step;
    });
}

function childOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

/** Every key that a schema names, anywhere. */
function* propertiesOf(schema: unknown): Iterable<string> {
  if (typeof schema !== 'object' || schema === null) return;
  const entries: readonly (readonly [string, unknown])[] = Object.entries(schema);
  for (const [keyword, value] of entries) {
    if (keyword === 'properties' && typeof value === 'object') yield* Object.keys(value ?? {});
    yield* propertiesOf(value);
  }
}

/** The line, from 1, of what stands at `path`; JSON is YAML, too. */
async function lineOf(text: string, path: DataPath): Promise<number | undefined> {
  const yaml = (await import('yaml')).default;
  const { isMap, isNode, isScalar, LineCounter, parseDocument } = yaml;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const parent = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find(({ key: name }) => isScalar(name) && String(name.value) === String(key))
    : undefined;
  const node = pair?.key ?? document.getIn(path, true);
  if (!isNode(node) || !node.range) return undefined;
  return lines.linePos(node.range[0]).line;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
