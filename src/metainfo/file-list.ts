/** The files of v1: `files`, or the info dictionary itself for a single one (BEP 3, BEP 47). @module */

import type { BencodeNode } from '../bencode/index.ts';
import {
  type Attributes,
  type Fields,
  type FileDraft,
  fieldsOf,
  readAttributes,
  readLength,
} from './attributes.ts';
import { MAX_TOTAL_LENGTH } from './limits.ts';
import { type Naming, readPath, readTarget } from './paths.ts';
import { refuse } from './report.ts';

/** BitComet's padding, older than BEP 47. */
export const BITCOMET_PADDING = '_____padding_file_';

/**
 * The entries of `files`, below the folder `prefix`.
 *
 * @throws {ProtocolError} for a list that breaks a rule.
 */
export function readFileList(
  files: BencodeNode,
  prefix: readonly string[],
  naming: Naming,
): FileDraft[] {
  const drafts: FileDraft[] = [];
  let offset = 0;
  for (const file of files.items()) {
    const draft = readFile(file, prefix, naming);
    draft.offset = offset;
    offset += draft.length;
    if (offset > MAX_TOTAL_LENGTH) throw tooLong(file.offset);
    drafts.push(draft);
  }
  return drafts;
}

/** The one file of an info dictionary without `files`. */
export function readSingleFile(
  info: BencodeNode,
  path: readonly string[],
  naming: Naming,
): FileDraft {
  const fields = fieldsOf(info);
  const attributes = readAttributes(fields);
  const length = readLength(fields, attributes, info);
  return { ...draftOf(path, length, attributes), ...targetOf(fields, attributes, naming) };
}

function readFile(file: BencodeNode, prefix: readonly string[], naming: Naming): FileDraft {
  if (file.kind !== 'dictionary') {
    throw refuse('FILE', `the entry of \`files\` at byte ${file.offset} is no dictionary`, {
      rule: 'BEP 3 files',
      offset: file.offset,
    });
  }
  const fields = fieldsOf(file, naming.warnings);
  const attributes = readAttributes(fields);
  const length = readLength(fields, attributes, file);
  const path = pathOf(fields, prefix, naming) ?? paddingPath(attributes, length);
  if (path === undefined) {
    throw refuse('NAME', `the file at byte ${file.offset} has no path`, {
      rule: 'BEP 3 path',
      offset: file.offset,
    });
  }
  const draft = draftOf(path, length, attributes);
  if (attributes.symlink) return { ...draft, ...targetOf(fields, attributes, naming) };
  return draft;
}

/** `path.utf-8` wins: it is there because `path` may be in any old encoding. */
function pathOf(
  fields: Fields,
  prefix: readonly string[],
  naming: Naming,
): readonly string[] | undefined {
  for (const key of ['path.utf-8', 'path']) {
    const list = fields.get(key);
    if (list?.kind === 'list')
      return list.length === 0 ? undefined : readPath(list, prefix, naming);
  }
  return undefined;
}

/** Padding needs no path (BEP 47); this is the one that the BEP recommends. */
function paddingPath({ padding }: Attributes, length: number): readonly string[] | undefined {
  return padding ? ['.pad', `${length}`] : undefined;
}

function draftOf(path: readonly string[], length: number, attributes: Attributes): FileDraft {
  return {
    path,
    length,
    offset: 0,
    padding: attributes.padding || path.some((part) => part.startsWith(BITCOMET_PADDING)),
    executable: attributes.executable,
    hidden: attributes.hidden,
  };
}

/** A symlink without a target is an empty file. */
export function targetOf(
  fields: Fields,
  { symlink }: Attributes,
  naming: Naming,
): { symlink?: readonly string[] } {
  const list = symlink ? fields.get('symlink path') : undefined;
  return list?.kind === 'list' ? { symlink: readTarget(list, naming) } : {};
}

function tooLong(offset: number): Error {
  return refuse('LENGTH', `the files end beyond the ${MAX_TOTAL_LENGTH} bytes that are possible`, {
    rule: 'limit of total length',
    offset,
  });
}
