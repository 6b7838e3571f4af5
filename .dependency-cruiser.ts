import type { IConfiguration, IRegularForbiddenRuleType } from 'dependency-cruiser';

/**
 * The floors of the house, lowest first: a folder imports from floors below and from itself, never
 * from a neighbour on its own floor. test/architecture plants a violation of each rule.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['src/base'],
  ['src/runtime'],
  ['src/bencode'],
  [
    'src/metainfo',
    'src/magnet',
    'src/handshake',
    'src/tracker',
    'src/dht',
    'src/lpd',
    'src/utp',
    'src/proxy',
    'src/blocklist',
  ],
  ['src/peer', 'src/select', 'src/disk'],
  ['src/session', 'src/content', 'src/probe'],
  ['src/simulation'],
  ['commands'],
  ['bin'],
];
/** Packages that protocol code may use, each with its reason in CONTRIBUTING.md. */
const SRC_PACKAGES = ['@noble/curves', '@noble/hashes'];
/** Packages that stand for a part of the real world. */
const NODE_PACKAGES = ['ws', '@redis/client'];
const TERMINAL_PACKAGES = ['commander', 'chalk', 'ora', 'cli-table3'];
/** Packages that commands use besides, to read what users write: configuration and batch files. */
const FILE_PACKAGES = ['ajv', 'yaml'];
/** Packages that commands use besides, to choose files: globs and the rules of git. */
const SELECTION_PACKAGES = ['picomatch', 'ignore'];
const COMMAND_PACKAGES = [...TERMINAL_PACKAGES, ...FILE_PACKAGES, ...SELECTION_PACKAGES];

const PRODUCT = '^(?:src|commands|bin)/';
type DependencyTypes = NonNullable<IRegularForbiddenRuleType['to']['dependencyTypes']>;
const NPM: DependencyTypes = [
  'npm',
  'npm-dev',
  'npm-optional',
  'npm-peer',
  'npm-no-pkg',
  'npm-unknown',
  'npm-bundled',
];
const CODEC = '[/-]codec[.]ts$';
const MACHINE = '[/-]machine[.]ts$';
const DRIVER = '[/-]driver[.]ts$';

const packages = (names: readonly string[]): string =>
  `(?:^|/)node_modules/(?:${names.join('|')})/`;
type Rule = IRegularForbiddenRuleType & { readonly name: string; readonly comment: string };

const forbid = (
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): Rule => ({
  name,
  severity: 'error',
  comment,
  from,
  to,
});

const floors = FLOORS.flatMap((floor, height) =>
  floor.map((folder) => {
    const allowed = [...FLOORS.slice(0, height).flat(), folder].join('|');
    return forbid(
      `floor-${folder.replace('/', '-')}`,
      `${folder}/ imports from lower floors and from itself only; move what is shared down, or what needs more up`,
      { path: `^${folder}/` },
      { path: PRODUCT, pathNot: `^(?:${allowed})/` },
    );
  }),
);

/** Every rule, each with a comment for the developer who breaks it. */
export const rules: readonly Rule[] = [
  ...floors,
  forbid(
    'every-folder-has-a-floor',
    'a new folder of src/ gets its floor here, in src/README.md and in architecture.test.ts',
    { path: '^src/[^/]+/', pathNot: `^(?:${FLOORS.flat().join('|')})/` },
    {},
  ),
  forbid(
    'no-circular',
    'files that need each other are one file, or share a third',
    {},
    { circular: true },
  ),
  forbid('resolvable', 'the import leads nowhere', {}, { couldNotResolve: true }),
  forbid(
    'node-at-the-edge',
    "Node's modules belong to src/runtime/node and bin; everything else takes a port of src/runtime/ports.ts",
    { path: '^(?:src|commands)/', pathNot: '^src/runtime/node/' },
    { dependencyTypes: ['core'] },
  ),
  forbid(
    'real-world-by-bin',
    'the runtime is a parameter; only bin/ chooses the real one',
    { path: '^(?:src|commands)/', pathNot: '^src/runtime/node/' },
    { path: '^src/runtime/node/' },
  ),
  forbid(
    'simulation-not-in-src',
    'protocol code does not know that it is simulated; src/simulation/ builds networks of it',
    { path: '^src/', pathNot: '^src/(?:runtime/sim|simulation)/' },
    { path: '^src/runtime/sim/' },
  ),
  forbid(
    'packages-of-src',
    `src/ uses ${SRC_PACKAGES.join(', ')} and no other package`,
    { path: '^src/', pathNot: '^src/runtime/node/' },
    { dependencyTypes: NPM, pathNot: packages([...SRC_PACKAGES, ...TERMINAL_PACKAGES]) },
  ),
  forbid(
    'packages-of-the-real-world',
    `src/runtime/node/ uses ${NODE_PACKAGES.join(', ')} besides, and no other package`,
    { path: '^src/runtime/node/' },
    {
      dependencyTypes: NPM,
      pathNot: packages([...SRC_PACKAGES, ...NODE_PACKAGES, ...TERMINAL_PACKAGES]),
    },
  ),
  forbid(
    'packages-of-commands',
    `commands/ uses ${COMMAND_PACKAGES.join(', ')} and no other package`,
    { path: '^commands/' },
    { dependencyTypes: NPM, pathNot: packages(COMMAND_PACKAGES) },
  ),
  forbid(
    'packages-of-bin',
    'bin/ joins commands/ to the real world and needs no package',
    { path: '^bin/' },
    { dependencyTypes: NPM, pathNot: packages(TERMINAL_PACKAGES) },
  ),
  forbid(
    'terminal-in-commands',
    'parsing of arguments, colour, tables and spinners belong to commands/',
    { path: '^(?:src|bin|test|scripts)/' },
    { path: packages(TERMINAL_PACKAGES) },
  ),
  forbid(
    'codec-is-pure',
    'a codec turns bytes into values and back; it knows no port, machine or driver',
    { path: `^src/.*${CODEC}` },
    { path: `^src/runtime/|${MACHINE}|${DRIVER}` },
  ),
  forbid(
    'machine-knows-no-driver',
    'a machine is told the time and asked for its outputs; it knows no driver and no runtime but the ports',
    { path: `^src/.*${MACHINE}` },
    { path: `^src/runtime/|${DRIVER}`, pathNot: '^src/runtime/ports[.]ts$' },
  ),
  forbid(
    'enter-by-index',
    'what other folders may use stands in index.ts (base and runtime excepted); a server has its own, so that clients do not load it',
    { path: '^(src/[^/]+|commands|bin)/' },
    {
      path: '^src/[^/]+/',
      pathNot: ['^$1/', '^src/[^/]+/(?:server/)?index[.]ts$', '^src/(?:base|runtime)/'],
    },
  ),
  forbid(
    'nobody-imports-test',
    'tests and scripts see everything, nothing of the product sees them',
    { path: PRODUCT },
    { path: '^(?:test|scripts)/' },
  ),
];

type Options = NonNullable<IConfiguration['options']>;

/** How the files are read and the imports resolved. */
export const options: Options = {
  parser: 'tsc',
  doNotFollow: { path: 'node_modules' },
  // Types count as well: a cycle of types is a cycle.
  tsPreCompilationDeps: true,
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default'],
    extensions: ['.ts', '.js', '.mjs'],
  },
};
