/** Files that users write for `metainfo create`: configuration, presets, tracker rules, batches. @module */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../commands/cli/config.ts';
import type { Context } from '../../commands/cli/context.ts';
import { nearest } from '../../commands/cli/suggest.ts';
import { loadBatch } from '../../commands/metainfo/batch.ts';
import { FLAG_NAMES } from '../../commands/metainfo/create-flags.ts';
import { configLayers, fileLayer, type Layer, layered } from '../../commands/metainfo/presets.ts';
import { loadRules, ruledPieceLength } from '../../commands/metainfo/rules.ts';
import flagsSchema from '../../commands/schemas/create-flags.schema.json' with { type: 'json' };
import { BipError } from '../../src/base/errors.ts';
import { makeWorld } from '../sim/world.ts';

interface Setting {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs `work` in a world of its own with these files. */
async function withFiles<Value>(
  { files = {}, env = {}, stdin = '' }: Setting,
  work: (context: Context) => Promise<Value>,
): Promise<Value> {
  const world = makeWorld();
  const { runtime } = world.host('10.0.0.1');
  const silent = { isTTY: false, columns: 80, write: (): void => undefined };
  const context: Context = {
    runtime,
    stdin: {
      isTTY: false,
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield new TextEncoder().encode(stdin);
      },
    },
    stdout: silent,
    stderr: silent,
    env,
    signal: new AbortController().signal,
    settle: () => Promise.resolve(),
  };
  return world.run(
    (async () => {
      for (const [path, text] of Object.entries(files)) {
        const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
        if (folder !== '') await runtime.files.makeDirectory(folder);
        await runtime.files.writeFile(path, new TextEncoder().encode(text));
      }
      return work(context);
    })(),
  );
}

/** The error of `work` as `[code, message]`. */
async function failure(
  setting: Setting,
  work: (context: Context) => Promise<unknown>,
): Promise<readonly [string, string]> {
  try {
    await withFiles(setting, work);
  } catch (error) {
    if (error instanceof BipError) return [error.code, error.message];
    throw error;
  }
  return ['', 'nothing was wrong'];
}

function broken(text: string): Promise<readonly [string, string]> {
  return failure({ files: { 'c.json': text } }, (context) => loadConfig(context, 'c.json'));
}

test('the schema knows exactly the flags of the command line', () => {
  expect(Object.keys(flagsSchema.properties).toSorted()).toEqual(FLAG_NAMES.toSorted());
});

describe('where the configuration is', () => {
  const text = '{"presets":{"a":{}}}';
  const at = (
    path: string,
    env: Record<string, string>,
    named?: string | false,
  ): Promise<Config | undefined> =>
    withFiles({ files: { [path]: text }, env }, (context) => loadConfig(context, named));

  test.each([
    ['/x/bip/config.json', { XDG_CONFIG_HOME: '/x', HOME: '/h' }],
    ['/h/.config/bip/config.json', { HOME: '/h' }],
    ['/h/.config/bip/config.json', { HOME: '/h', XDG_CONFIG_HOME: '' }],
    ['/u/.config/bip/config.json', { USERPROFILE: '/u' }],
    ['/e.json', { HOME: '/h', BIP_CONFIG: '/e.json' }],
  ])('%s by %o', async (path, env) => {
    expect((await at(path, env))?.path).toBe(path);
  });

  test('one that is named wins over the environment', async () => {
    expect((await at('/n.json', { BIP_CONFIG: '/e.json' }, '/n.json'))?.path).toBe('/n.json');
  });

  test('--no-config reads none', async () => {
    expect(await at('/e.json', { BIP_CONFIG: '/e.json' }, false)).toBeUndefined();
  });

  test('without one there is none, unless it was named', async () => {
    const nowhere = { env: { HOME: '/h' } };
    expect(await withFiles(nowhere, (context) => loadConfig(context, undefined))).toBeUndefined();
    expect(await withFiles({}, (context) => loadConfig(context, undefined))).toBeUndefined();
    const [code, message] = await failure({}, (context) => loadConfig(context, '/n.json'));
    expect([code, message]).toEqual(['BIP_NOT_FOUND', expect.stringContaining('/n.json')]);
    const byEnv = await failure({ env: { BIP_CONFIG: '/e.json' } }, (context) =>
      loadConfig(context, undefined),
    );
    expect(byEnv[0]).toBe('BIP_NOT_FOUND');
  });
});

describe('a broken configuration is one sentence with the place', () => {
  test.each([
    ['{', 'c.json is no JSON: '],
    ['[]', 'c.json: line 1: the document is to be a group of keys and values'],
    [
      '{"preset":{}}',
      'c.json: line 1: `preset` is no key of the document; did you mean `presets`?',
    ],
    [
      '{\n "presets": {\n  "film": {\n   "pieceLenght": "1MiB"\n}}}',
      'c.json: line 4: `pieceLenght` is no key of `presets.film`; did you mean `pieceLength`?',
    ],
    ['{"presets":{"a":{"zzzzzzzzz":1}}}', 'c.json: line 1: `zzzzzzzzz` is no key of `presets.a`'],
    [
      '{"presets":{"a":{"private":"yes"}}}',
      'c.json: line 1: `presets.a.private` is to be true or false',
    ],
    [
      '{"presets":{"a":{"tracker":["x",1]}}}',
      'c.json: line 1: `presets.a.tracker[1]` is to be text in quotes',
    ],
    [
      '{"presets":{"a":{"symlinks":"copy"}}}',
      'c.json: line 1: `presets.a.symlinks` is to be one of follow, keep, skip',
    ],
    ['{"presets":{"a":{"threads":0}}}', 'c.json: line 1: `presets.a.threads` must be >= 1'],
    [
      '{"defaults":{"metainfo creat":{}}}',
      'c.json: line 1: `metainfo creat` is no key of `defaults`; did you mean `metainfo create`?',
    ],
    ['{"defaults":{"metainfo create":{"extends":"a"}}}', '`extends` is no key of'],
  ])('%s', async (text, sentence) => {
    const [code, message] = await broken(text);
    expect(code).toBe('BIP_CONFIG');
    expect(message).toContain(sentence);
    expect(message).not.toContain('\n');
  });

  test('bytes that are no text', async () => {
    const [code, message] = await failure({}, async (context) => {
      await context.runtime.files.writeFile('c.json', Uint8Array.of(0xff));
      await loadConfig(context, 'c.json');
    });
    expect([code, message]).toEqual(['BIP_CONFIG', 'c.json is no text in UTF-8']);
  });

  test('a byte order mark and $schema are fine', async () => {
    const files = { 'c.json': '\ufeff{"$schema":"x","presets":{"a":{"v1":true}}}' };
    const read = await withFiles({ files }, (context) => loadConfig(context, 'c.json'));
    expect(read?.presets).toEqual({ a: { v1: true } });
  });
});

describe('layers', () => {
  const file = (values: Layer['values'], origin = 'file'): Layer => ({ values, origin });

  test('later ones win, and where values come from is known', () => {
    const { values, origins } = layered([
      file({ comment: 'a', source: 'S', private: true }, 'defaults'),
      file({ comment: 'b', tracker: ['x'] }, 'preset'),
      { values: { tracker: ['y'], private: false } },
    ]);
    expect(values).toEqual({ comment: 'b', source: 'S', private: false, tracker: ['y'] });
    expect([...origins]).toEqual([
      ['source', 'defaults'],
      ['comment', 'preset'],
    ]);
  });

  test('what is left out adds up, and --no-exclude begins anew', () => {
    const low = file({ exclude: ['a'], excludeRegex: ['r'], allow: ['many-pieces'] });
    expect(layered([low, { values: { exclude: ['b'], allow: ['path-clash'] } }]).values).toEqual({
      exclude: ['a', 'b'],
      excludeRegex: ['r'],
      allow: ['many-pieces', 'path-clash'],
    });
    expect(layered([low, { values: { exclude: false } }]).values.exclude).toBe(false);
  });

  test('a higher layer drops what contradicts it below', () => {
    const low = file({ v1: true, pieceLength: '1MiB', align: true, sort: ['size'] });
    expect(layered([low, { values: { v2: true } }]).values).toEqual({
      v2: true,
      pieceLength: '1MiB',
    });
    expect(layered([low, { values: { pieceCount: '9' } }]).values.pieceLength).toBeUndefined();
    expect(layered([low, { values: { v2: false } }]).values.v1).toBe(true);
  });

  test.each([
    ['v1', 'v2'],
    ['v1', 'hybrid'],
    ['v2', 'hybrid'],
    ['pieceLength', 'pieceCount'],
    ['align', 'v2'],
    ['sort', 'hybrid'],
  ] as const)('%s and %s contradict each other in one layer', (one, other) => {
    const values = { [one]: '1', [other]: '1' };
    expect(() => layered([{ values }])).toThrow(/^--\S+ and --\S+ contradict each other$/);
    expect(() => layered([file(values, 'c.json: preset a')])).toThrow(/^c\.json: preset a: --/);
  });
});

describe('presets', () => {
  const load = (
    presets: Config['presets'],
    preset: string | undefined,
    defaults: Config['defaults'] = {},
  ): Promise<readonly Layer[]> =>
    withFiles({}, (context) =>
      Promise.resolve(
        configLayers(context, { path: '/c/config.json', folder: '/c', defaults, presets }, preset),
      ),
    );

  test('one that extends another stands above it, the defaults below all', async () => {
    const presets = { a: { comment: 'a', source: 'A' }, b: { extends: 'a', comment: 'b' } };
    const layers = await load(presets, 'b', { 'metainfo create': { comment: 'd', threads: 2 } });
    expect(layers.map(({ origin }) => origin)).toEqual([
      '/c/config.json: defaults',
      '/c/config.json: preset a',
      '/c/config.json: preset b',
    ]);
    expect(layered(layers).values).toEqual({ comment: 'b', source: 'A', threads: '2' });
  });

  test('the defaults may name one', async () => {
    const layers = await load({ a: { v1: true } }, undefined, {
      'metainfo create': { preset: 'a' },
    });
    expect(layered(layers).values.v1).toBe(true);
  });

  test.each([
    [{ film: {} }, 'flim', '/c/config.json has no preset `flim`; did you mean `film`?'],
    [{ film: {} }, 'music', '/c/config.json has no preset `music`; there is film'],
    [{}, 'a', '/c/config.json has no preset `a`; there is none'],
    [{ a: {} }, 'toString', 'has no preset `toString`'],
    [{ a: { extends: 'b' } }, 'a', 'has no preset `b`'],
    [{ a: { extends: 'b' }, b: { extends: 'a' } }, 'a', 'preset a extends b extends a'],
    [{ a: { extends: 'a' } }, 'a', 'preset a extends a'],
  ])('%o has no %s', async (presets, name, sentence) => {
    await expect(load(presets, name)).rejects.toThrow(sentence);
  });

  test('without a configuration there is none', async () => {
    const [code, message] = await failure({}, (context) =>
      Promise.resolve(configLayers(context, undefined, 'a')),
    );
    expect([code, message]).toEqual(['BIP_USAGE', expect.stringContaining('--config')]);
  });

  test('values become what the command line has; paths are seen from the file', async () => {
    const { values } = await withFiles({ env: { HOME: '/h' } }, (context) =>
      Promise.resolve(
        fileLayer(
          {
            pieceLength: 65_536,
            tracker: 'a',
            set: { x: 1, 'info.y': [true] },
            private: true,
            createdBy: false,
            entropy: true,
            rules: 'rules.json',
            reuse: ['~/t', '/abs'],
            output: '-',
            extends: 'z',
          },
          { context, folder: '/c', origin: 'o' },
        ),
      ),
    );
    expect(values).toEqual({
      pieceLength: '65536',
      tracker: ['a'],
      set: ['x=1', 'info.y=[true]'],
      private: true,
      createdBy: false,
      entropy: true,
      rules: '/c/rules.json',
      reuse: ['/h/t', '/abs'],
      output: '-',
    });
  });
});

describe('tracker rules', () => {
  const RULES = `
# What trackers ask for.
trackers:
  - hosts: [tracker.example, other.example]
    name: Example
    maxPieceLength: 16MiB
    pieceLengths:
      - { maxSize: 100MiB, pieceLength: 64KiB }
      - { maxSize: 1GiB, pieceLength: 1048576 }
      - { pieceLength: 8MiB }
    maxTorrentSize: 10MiB
    source: EX
    private: true
    versions: [v1, hybrid]
  - hosts: [strict.example]
    minPieceLength: 32KiB
    maxPieceLength: 8MiB
    maxTorrentSize: 1MiB
    source: ST
    versions: [v1]
`;
  const load = (
    announce: readonly string[],
    text = RULES,
  ): Promise<Awaited<ReturnType<typeof loadRules>>> =>
    withFiles({ files: { 'r.yaml': text } }, (context) => loadRules(context, 'r.yaml', announce));

  test('by host, subdomains counted', async () => {
    const rules = await load(['https://a.TRACKER.example:443/announce']);
    expect(rules).toMatchObject({
      names: ['Example'],
      maxPieceLength: 2 ** 24,
      maxTorrentSize: 10 * 2 ** 20,
      source: 'EX',
      private: true,
      versions: ['v1', 'hybrid'],
    });
    expect(await load(['udp://nottracker.example:1', 'nonsense'])).toBeUndefined();
  });

  test.each([
    [1, 2 ** 16],
    [100 * 2 ** 20, 2 ** 16],
    [100 * 2 ** 20 + 1, 2 ** 20],
    [2 ** 30 + 1, 2 ** 23],
  ])('%d bytes have pieces of %d', async (totalBytes, length) => {
    const rules = await load(['udp://other.example:1']);
    expect(rules && ruledPieceLength(rules, totalBytes)).toBe(length);
  });

  test('a table may end', async () => {
    const text =
      '{"trackers":[{"hosts":["a.example"],"pieceLengths":[{"maxSize":9,"pieceLength":1}]}]}';
    const rules = await load(['http://a.example/'], text);
    expect(rules && ruledPieceLength(rules, 9)).toBe(1);
    expect(rules && ruledPieceLength(rules, 10)).toBeUndefined();
  });

  test('of several the strictest counts', async () => {
    const rules = await load(['http://tracker.example/', 'http://strict.example/']);
    expect(rules).toMatchObject({
      names: ['Example', 'strict.example'],
      minPieceLength: 2 ** 15,
      maxPieceLength: 2 ** 23,
      maxTorrentSize: 2 ** 20,
      source: 'EX',
      versions: ['v1'],
    });
  });

  test.each([
    ['trackers: [', 'r.yaml: line '],
    ['a: 1\na: 2', 'r.yaml: line '],
    ['tracker: []', 'r.yaml: line 1: '],
    ['trackers:\n  - name: x', 'r.yaml: line 2: `trackers[0]` lacks `hosts`'],
    ['trackers:\n  - hosts: []', 'must NOT have fewer than 1 items'],
    [
      'trackers:\n  - hosts: [a]\n    source: 7',
      'r.yaml: line 3: `trackers[0].source` is to be text in quotes',
    ],
    [
      'trackers:\n  - hosts: [a]\n    maxPieceLength: big',
      'r.yaml: trackers[0].maxPieceLength: `big` is no size; write it like 16KiB',
    ],
    [
      'trackers:\n  - hosts: [a]\n    pieceLengths: [{maxSize: 9, pieceLength: 1}, {maxSize: 9, pieceLength: 2}]',
      'r.yaml: `trackers[0].pieceLengths[1]` is not above the row before it',
    ],
    [`a: &a [x,x]\nb: &b [${'*a,'.repeat(60)}x]\nc: [${'*b,'.repeat(60)}x]`, 'r.yaml is no YAML'],
  ])('%s', async (text, sentence) => {
    const [code, message] = await failure({ files: { 'r.yaml': text } }, (context) =>
      loadRules(context, 'r.yaml', []),
    );
    expect(code).toBe('BIP_RULES');
    expect(message).toContain(sentence);
    expect(message).not.toContain('\n');
  });
});

describe('batch files', () => {
  test('jobs in YAML, paths seen from the file', async () => {
    const text = '- path: a\n  v1: true\n  output: out/\n- paths: [b, /c]\n  name: both\n';
    const jobs = await withFiles({ files: { '/b/jobs.yaml': text } }, (context) =>
      loadBatch(context, '/b/jobs.yaml'),
    );
    expect(jobs).toEqual([
      {
        inputs: ['/b/a'],
        layer: { values: { v1: true, output: '/b/out/' }, origin: '/b/jobs.yaml: job 1' },
      },
      {
        inputs: ['/b/b', '/c'],
        layer: { values: { name: 'both' }, origin: '/b/jobs.yaml: job 2' },
      },
    ]);
  });

  test('in JSON, under `jobs`, and from standard input', async () => {
    const text = '{"jobs":[{"path":"a"}]}';
    const [job] = await withFiles({ stdin: text }, (context) => loadBatch(context, '-'));
    expect(job).toEqual({ inputs: ['a'], layer: { values: {}, origin: 'standard input: job 1' } });
  });

  test.each([
    ['[]', 'b.json: there is no job in it'],
    ['[{"v1":true}]', 'b.json: job 1 names no content'],
    ['[{"path":"a","pth":1}]', '`pth` is no key of `[0]`; did you mean `path`?'],
    ['[{"paths":[]}]', 'must NOT have fewer than 1 items'],
    ['"x"', 'is to be a list, or a group of keys and values'],
    ['{"job":[]}', 'b.json: line 1: '],
  ])('%s', async (text, sentence) => {
    const [code, message] = await failure({ files: { 'b.json': text } }, (context) =>
      loadBatch(context, 'b.json'),
    );
    expect(code).toBe('BIP_BATCH');
    expect(message).toContain(sentence);
  });
});

test.each([
  ['pieceLenght', 'pieceLength'],
  ['PIECELENGTH', 'pieceLength'],
  ['zz', undefined],
  ['', undefined],
])('the word nearest to %s is %s', (word, found) => {
  expect(nearest(word, ['v1', 'tracker', 'pieceLength'])).toBe(found);
});

describe('the examples beside the schemas are right', () => {
  const example = (name: string): string =>
    readFileSync(join(import.meta.dirname, '../../commands/schemas', name), 'utf8');

  test('configuration, batch, tracker rules', async () => {
    const files = {
      'config.json': example('config.example.json'),
      'batch.yaml': example('batch.example.yaml'),
      'rules.yaml': example('tracker-rules.example.yaml'),
    };
    await withFiles({ files }, async (context) => {
      const config = await loadConfig(context, 'config.json');
      expect(layered(configLayers(context, config, 'films-large')).values).toMatchObject({
        private: true,
        pieceLength: '16MiB',
        rules: 'tracker-rules.example.yaml',
      });
      expect(await loadBatch(context, 'batch.yaml')).toHaveLength(2);
      const rules = await loadRules(context, 'rules.yaml', ['https://films.example/announce']);
      expect(rules).toMatchObject({ names: ['Film Tracker'], source: 'FILMS', versions: ['v1'] });
    });
  });
});
