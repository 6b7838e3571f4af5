/**
 * Bencode beside npm `bencode`, in one process, the two alternating: `npx node test/bench/bencode.ts`.
 *
 * Rows of decoding: `tape` finds every value and its limits and checks all rules, beside npm's only
 * way, objects with all strings copied. With `visit` both also reach every value (integers as
 * numbers, the length of strings); with `views` bip also makes a view of every key and string. Of
 * several runs the median is shown, `bare` is bip's row beside npm's decoding without the visit.
 *
 * @module
 */

import npmBencode from 'bencode';
import { type BencodeInput, type BencodeNode, decode, encode } from '../../src/bencode/index.ts';

const ROUNDS = 9;
/** CPU time of one measurement of one program, at least. */
const MEASURE_MS = 60;

interface Row {
  readonly name: string;
  readonly ours: () => unknown;
  readonly theirs: () => unknown;
}

/** What npm `bencode` decodes to. */
type Decoded = number | Uint8Array | readonly Decoded[] | { readonly [key: string]: Decoded };

/** An answer of a DHT node (BEP 5) with contacts and peers: 453 bytes, 20 values. */
function krpcAnswer(): BencodeInput {
  const bytes = (length: number, seed: number): Uint8Array =>
    Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 17) & 0xff);
  return {
    ip: bytes(6, 1),
    r: {
      id: bytes(20, 2),
      nodes: bytes(208, 3),
      token: bytes(31, 4),
      values: Array.from({ length: 8 }, (_, at) => bytes(6, at)),
      samples: bytes(20, 5),
      interval: 21_600,
    },
    t: bytes(4, 6),
    v: bytes(4, 7),
    y: 'r',
  };
}

/** A v1 torrent of 20,000 files: 2.1 MB. */
function largeTorrent(): BencodeInput {
  return {
    announce: 'http://tracker.example/announce',
    'creation date': 1_700_000_000,
    info: {
      files: Array.from({ length: 20_000 }, (_, at) => ({
        length: 100_000 + at * 7,
        path: [
          `folder-${at % 100}`,
          `a longer name of a file, and its number is ${String(at).padStart(5, '0')}.dat`,
        ],
      })),
      name: 'many files',
      'piece length': 262_144,
      pieces: new Uint8Array(200_000).fill(0xa5),
    },
  };
}

/** Reaches every value; keys only on the way. */
function visit(node: BencodeNode): number {
  const { kind } = node;
  if (kind === 'integer') return node.asNumber() ?? 0;
  if (kind === 'bytes') return node.length;
  let sum = 0;
  for (const value of node.values()) sum += visit(value);
  return sum;
}

/** Reaches every value and makes a view of every key and string. */
function views(node: BencodeNode): number {
  const { kind } = node;
  if (kind === 'integer') return node.asNumber() ?? 0;
  if (kind === 'bytes') return node.asBytes()?.length ?? 0;
  let sum = 0;
  if (kind === 'list') for (const item of node.items()) sum += views(item);
  else for (const [key, value] of node.entries()) sum += key.length + views(value);
  return sum;
}

/** {@link visit} for what npm `bencode` decodes to. */
function visitDecoded(value: Decoded): number {
  if (typeof value === 'number') return value;
  if (value instanceof Uint8Array) return value.length;
  let sum = 0;
  if (isArray(value)) for (const item of value) sum += visitDecoded(item);
  else for (const key of Object.keys(value)) sum += visitDecoded(value[key] ?? 0);
  return sum;
}

function isArray(value: Decoded): value is readonly Decoded[] {
  return Array.isArray(value);
}

function rowsFor(name: string, value: BencodeInput): readonly Row[] {
  const bytes = npmBencode.encode(value);
  const label = `${name}, ${bytes.length} B:`;
  const npmDecode = (): unknown => npmBencode.decode(bytes);
  const npmVisit = (): unknown => visitDecoded(npmBencode.decode(bytes));
  const ourVisit = (): unknown => visit(decode(bytes));
  const ourViews = (): unknown => views(decode(bytes));
  const npmEncode = (): unknown => npmBencode.encode(value);
  return [
    { name: `${label} decode, tape`, ours: () => decode(bytes), theirs: npmDecode },
    { name: `${label} decode, visit`, ours: ourVisit, theirs: npmVisit },
    { name: `${label} decode, views`, ours: ourViews, theirs: npmVisit },
    { name: `${label} decode, visit, bare`, ours: ourVisit, theirs: npmDecode },
    { name: `${label} decode, views, bare`, ours: ourViews, theirs: npmDecode },
    { name: `${label} encode`, ours: () => encode(value), theirs: npmEncode },
  ];
}

/** Microseconds of CPU of this thread for a call: a busy machine does not change them much. */
function measure(run: () => unknown, calls: number): number {
  const start = process.threadCpuUsage();
  for (let call = 0; call < calls; call++) kept = run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / calls;
}

/** Keeps results alive, so that no call can be left out. */
let kept: unknown;

function callsFor(run: () => unknown): number {
  let calls = 1;
  while (measure(run, calls) * calls < MEASURE_MS * 1000) calls *= 2;
  return calls;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function compare({ name, ours, theirs }: Row): string {
  const calls = { ours: callsFor(ours), theirs: callsFor(theirs) };
  const times: { readonly ours: number[]; readonly theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(measure(ours, calls.ours));
    times.theirs.push(measure(theirs, calls.theirs));
  }
  const [bip, npm] = [median(times.ours), median(times.theirs)];
  const columns = [bip.toFixed(2), npm.toFixed(2), `${(npm / bip).toFixed(1)} x`];
  return `${name.padEnd(44)}${columns.map((column) => column.padStart(12)).join('')}\n`;
}

const rows = [...rowsFor('KRPC answer', krpcAnswer()), ...rowsFor('20,000 files', largeTorrent())];
const heading = ['bip µs', 'npm µs', 'npm / bip'].map((column) => column.padStart(12)).join('');
process.stdout.write(`${''.padEnd(44)}${heading}\n`);
for (const row of rows) process.stdout.write(compare(row));
process.stdout.write(
  `kept ${typeof kept}; node ${process.version}, medians of ${ROUNDS} of CPU time of the thread\n`,
);
