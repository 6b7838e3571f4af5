/** Many torrents by one file: a list of jobs in YAML or JSON. @module */

import type { FileFlags } from '../cli/config.ts';
import type { Context } from '../cli/context.ts';
import { type DataKind, malformed, readDataFile } from '../cli/data-file.ts';
import { expandHome, joinPath, parentPath } from '../cli/paths.ts';
import batchSchema from '../schemas/batch.schema.json' with { type: 'json' };
import flagsSchema from '../schemas/create-flags.schema.json' with { type: 'json' };
import { fileLayer, type Layer } from './presets.ts';

/** One torrent to make. */
export interface BatchJob {
  readonly inputs: readonly string[];
  readonly layer: Layer;
}

/** As the schema lets it pass. */
type Document = readonly Job[] | { readonly jobs: readonly Job[] };

interface Job extends FileFlags {
  readonly path?: string;
  readonly paths?: readonly string[];
}

const KIND: DataKind<Document> = {
  what: 'batch',
  code: 'BIP_BATCH',
  schema: batchSchema,
  others: [flagsSchema],
};

/** As many as one file may ask for. */
const MAX_JOBS = 100_000;

/**
 * The jobs of the file at `path`, `-` for standard input; paths in it are relative to its folder.
 *
 * @throws {ProtocolError} `BIP_BATCH` for a file that is broken or asks for nothing.
 */
export async function loadBatch(context: Context, path: string): Promise<readonly BatchJob[]> {
  const document = await readDataFile(context, path, KIND);
  const jobs = 'jobs' in document ? document.jobs : document;
  if (jobs.length === 0) throw malformed(path, KIND, 'there is no job in it');
  if (jobs.length > MAX_JOBS) throw malformed(path, KIND, `${jobs.length} jobs are too many`);
  const folder = path === '-' ? '.' : parentPath(path);
  return jobs.map((job, at) => {
    const inputs = [...(job.path === undefined ? [] : [job.path]), ...(job.paths ?? [])];
    if (inputs.length === 0) {
      throw malformed(path, KIND, `job ${at + 1} names no content; give it a \`path\``);
    }
    const origin = `${path === '-' ? 'standard input' : path}: job ${at + 1}`;
    return {
      inputs: inputs.map((input) => joinPath(folder, expandHome(input, context.env))),
      layer: fileLayer(job, { context, folder, origin }),
    };
  });
}
