/** The flags of `metainfo create`: one table for the command line, presets and batch files. @module */

import { type Command, Option } from 'commander';

/**
 * `switch` takes no value, `text` one, `optional` one or none, `list` one each time it is given.
 */
type FlagKind = 'switch' | 'text' | 'optional' | 'list';

interface Flag {
  readonly kind: FlagKind;
  readonly flags: string;
  readonly about: string;
  /** `--no-NAME` means something of its own and is listed. */
  readonly negated?: string;
}

const CONTENT = {
  name: {
    kind: 'text',
    flags: '-n, --name <text>',
    about: 'the name of the torrent; default: of the content',
  },
  include: { kind: 'list', flags: '--include <glob>', about: 'take only files like this' },
  exclude: { kind: 'list', flags: '--exclude <glob>', about: 'leave out files like this' },
  includeRegex: {
    kind: 'list',
    flags: '--include-regex <regex>',
    about: 'as --include, by a regular expression',
  },
  excludeRegex: {
    kind: 'list',
    flags: '--exclude-regex <regex>',
    about: 'as --exclude, by a regular expression',
  },
  gitignore: {
    kind: 'switch',
    flags: '--gitignore',
    about: 'leave out what .gitignore and .ignore files name',
  },
  hidden: { kind: 'switch', flags: '--hidden', about: 'take hidden files, too' },
  junk: {
    kind: 'switch',
    flags: '--junk',
    about: 'take files that systems leave behind, too (Thumbs.db, …)',
  },
  symlinks: {
    kind: 'text',
    flags: '--symlinks <how>',
    about: 'follow (default), keep as symlinks, or skip',
  },
  sort: {
    kind: 'list',
    flags: '--sort <key[:order]>',
    about: 'order of files in v1: path, name, natural or size, with :descending behind it',
  },
} as const;

const TORRENT = {
  v1: { kind: 'switch', flags: '--v1', about: 'for old clients: see below' },
  v2: { kind: 'switch', flags: '--v2', about: 'for new clients only: see below' },
  hybrid: { kind: 'switch', flags: '--hybrid', about: 'both in one (default)' },
  private: {
    kind: 'switch',
    flags: '-p, --private',
    about: 'peers from its trackers only (BEP 27)',
  },
  source: {
    kind: 'text',
    flags: '--source <text>',
    about: 'what private trackers tell torrents apart by',
  },
  entropy: {
    kind: 'optional',
    flags: '--entropy [text]',
    about: 'another infohash for the same content; random without TEXT',
  },
  similar: {
    kind: 'list',
    flags: '--similar <torrent>',
    about: 'an infohash or .torrent that shares files (BEP 38)',
  },
  collection: {
    kind: 'list',
    flags: '--collection <name>',
    about: 'a collection that it belongs to (BEP 38)',
  },
  checksum: {
    kind: 'list',
    flags: '--checksum <algorithm>',
    about: 'note md5, sha1 or sha256 of each file as a whole; reads everything twice',
  },
  updateUrl: {
    kind: 'text',
    flags: '--update-url <url>',
    about: 'where newer versions are announced (BEP 39)',
  },
  set: {
    kind: 'list',
    flags: '--set <key=json>',
    about: 'any further key; `info.KEY` inside of the info dictionary',
  },
  merge: { kind: 'list', flags: '--merge <file>', about: 'further keys from a JSON file' },
} as const;

const AROUND = {
  tracker: {
    kind: 'list',
    flags: '-t, --tracker <url>',
    about: 'a tier of trackers, separated by commas; repeat for the next tier',
  },
  webSeed: {
    kind: 'list',
    flags: '-w, --web-seed <url>',
    about: 'a web server that has the content (BEP 19)',
  },
  httpSeed: { kind: 'list', flags: '--http-seed <url>', about: 'an HTTP seed (BEP 17)' },
  node: { kind: 'list', flags: '--node <host:port>', about: 'a DHT node to start from (BEP 5)' },
  comment: { kind: 'text', flags: '-c, --comment <text>', about: 'a comment' },
  createdBy: {
    kind: 'text',
    flags: '--created-by <text>',
    about: 'who made it; default: bip and its version',
    negated: 'leave it out',
  },
  date: {
    kind: 'text',
    flags: '--date <time>',
    about: 'ISO 8601, seconds since 1970, or now; default: SOURCE_DATE_EPOCH, or now',
    negated: 'leave it out',
  },
} as const;

const PIECES = {
  pieceLength: {
    kind: 'text',
    flags: '-l, --piece-length <size>',
    about: 'bytes of a piece, like 4MiB; `help` prints the automatic table',
  },
  pieceCount: { kind: 'text', flags: '--piece-count <n>', about: 'about so many pieces' },
  maxTorrentSize: {
    kind: 'text',
    flags: '--max-torrent-size <size>',
    about: 'pieces long enough for a .torrent no larger than this',
  },
  align: {
    kind: 'switch',
    flags: '--align',
    about: 'v1: let every file begin with a piece, by padding (BEP 47)',
  },
  rules: {
    kind: 'text',
    flags: '--rules <file>',
    about: 'what trackers ask for, by host: lengths, sizes, source, private',
  },
  allow: {
    kind: 'list',
    flags: '--allow <lint>',
    about: 'let something odd pass; the lints are below',
  },
} as const;

const WORK = {
  reuse: {
    kind: 'list',
    flags: '--reuse <dir>',
    about: 'take hashes of matching files from torrents in this folder',
  },
  threads: {
    kind: 'text',
    flags: '--threads <n>',
    about: 'threads that hash; default: one a core',
  },
  readOrder: {
    kind: 'text',
    flags: '--read-order <how>',
    about: 'auto (default), sequential for disks that turn, or parallel',
  },
} as const;

const RESULT = {
  output: {
    kind: 'text',
    flags: '-o, --output <path>',
    about:
      'file or folder to write, with {name} and {infoHash}; - for stdout; default: NAME.torrent here',
  },
  force: { kind: 'switch', flags: '--force', about: 'overwrite the output' },
  magnet: { kind: 'switch', flags: '--magnet', about: 'print the magnet link and nothing else' },
  reveal: { kind: 'switch', flags: '--reveal', about: 'show passkeys and other secrets in URLs' },
  preset: {
    kind: 'text',
    flags: '-P, --preset <name>',
    about: 'a set of flags from the configuration',
  },
} as const;

type Table = Readonly<Record<string, Flag>>;

const GROUPS: readonly (readonly [heading: string, table: Table])[] = [
  ['Content:', CONTENT],
  ['Inside of the torrent (these change the infohash):', TORRENT],
  ['Beside it:', AROUND],
  ['Pieces and rules:', PIECES],
  ['Work:', WORK],
  ['Result:', RESULT],
];

/** In camelCase, as in presets and batch files. */
export type FlagName =
  | keyof typeof CONTENT
  | keyof typeof TORRENT
  | keyof typeof AROUND
  | keyof typeof PIECES
  | keyof typeof WORK
  | keyof typeof RESULT;

const FLAGS: Readonly<Record<FlagName, Flag>> = {
  ...CONTENT,
  ...TORRENT,
  ...AROUND,
  ...PIECES,
  ...WORK,
  ...RESULT,
};

/** `false`: taken back by `--no-NAME`. Lists and texts are not parsed yet. */
export type FlagValue = boolean | string | readonly string[];

export type FlagValues = Readonly<Partial<Record<FlagName, FlagValue>>>;

/** All names, in the order of the help. */
export const FLAG_NAMES: readonly FlagName[] = Object.keys(FLAGS).filter(isFlagName);

export function isFlagName(name: string): name is FlagName {
  return name in FLAGS;
}

export function kindOf(name: FlagName): FlagKind {
  return FLAGS[name].kind;
}

/** As it is typed: `--piece-length`. */
export function longFlag(name: FlagName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Adds all flags, in groups, each with a `--no-NAME` that takes back what a file says. */
export function addCreateFlags(command: Command): Command {
  for (const [heading, table] of GROUPS) {
    for (const [name, flag] of Object.entries(table)) {
      if (!isFlagName(name)) continue;
      const option = new Option(flag.flags, flag.about).helpGroup(heading);
      if (flag.kind === 'list') option.argParser(collect);
      const negation = new Option(`--no-${longFlag(name).slice(2)}`, flag.negated);
      if (flag.negated === undefined) negation.hideHelp();
      command.addOption(option).addOption(negation.helpGroup(heading));
    }
  }
  return command;
}

function collect(text: string, before: readonly string[] | false | undefined): readonly string[] {
  return [...(before || []), text];
}
