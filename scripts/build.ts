/**
 * `npm run build`: dist/bip.mjs and its chunks, each loaded when a command first needs it.
 *
 * Everything lands flat in one folder, so that a chunk finds its neighbours by `import.meta.url`.
 * The program of a thread is one more entry of ENTRIES: `new Worker(new URL('./tracker-worker.mjs',
 * import.meta.url))` works from every chunk.
 *
 * @module
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..');
const ENTRIES = { bip: 'bin/bip.ts', 'tracker-worker': 'bin/tracker-worker.ts' };

/** Builds into `outdir`, emptied before, and says what it wrote. */
export async function buildBip(outdir: string): Promise<Metafile['outputs']> {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // Node 22.12 is promised: `await using` is lowered, everything else runs as written.
    target: ['es2023', 'node22.12'],
    // Identifiers stay: stack traces are read by people, and errors are named after their class.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    define: { BIP_VERSION: JSON.stringify(manifest.version) },
    // Packages in CommonJS (cli-table3) ask for Node's modules by `require`.
    banner: { js: REQUIRE },
    plugins: [withoutChildProcess],
  });
  return metafile.outputs;
}

/** commander could run subcommands that are programs; bip has none, and saves loading what runs them. */
const withoutChildProcess: Plugin = {
  name: 'without-child-process',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^node:child_process$/ }, ({ importer, path }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path, namespace: 'absent' } : undefined,
    );
    esbuild.onLoad({ filter: /./, namespace: 'absent' }, () => ({
      contents: 'export default {};',
    }));
  },
};

const REQUIRE =
  "import{createRequire as bipRequire}from'node:module';const require=bipRequire(import.meta.url);";

if (import.meta.main) {
  const outputs = Object.values(await buildBip(join(ROOT, 'dist')));
  const kibibytes = Math.round(outputs.reduce((sum, { bytes }) => sum + bytes, 0) / 1024);
  process.stdout.write(`dist/bip.mjs: ${outputs.length} files, ${kibibytes} KiB\n`);
}
