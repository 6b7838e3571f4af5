/** What the `v` of messages says about a client. @module */

/** The client, with its version where its bytes are known to mean one; `undefined` for others. */
export function clientName(version: Uint8Array): string | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = version;
  const name = CLIENTS.get(String.fromCharCode(first, second));
  if (name === 'libtorrent' && version.length === 4) {
    return `${name} ${third}.${fourth >>> 4}.${fourth & 0x0f}`;
  }
  return name;
}

/** The client, or what it sent where the client is not known. */
export function clientOr(version: Uint8Array | undefined): string | undefined {
  return version && (clientName(version) ?? showVersion(version));
}

/** The bytes as text of ASCII; whatever cannot be printed as `\x` and two hex digits. */
export function showVersion(version: Uint8Array): string {
  return Array.from(version, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== BACKSLASH
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}

const BACKSLASH = 0x5c;

/** By their first two letters, of the sources of these clients and of libtorrent's list of others. */
const CLIENTS: ReadonlyMap<string, string> = new Map([
  ['LT', 'libtorrent'],
  ['UT', 'µTorrent'],
  ['lt', 'rTorrent'],
  ['A2', 'aria2'],
  ['BP', 'bip'],
  ['JC', 'dht (jech)'],
  ['MP', 'MooPolice'],
  ['GR', 'GetRight'],
]);
