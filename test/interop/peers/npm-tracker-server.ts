/**
 * `node npm-tracker-server.ts NODE_MODULES PORT`: the server of npm's bittorrent-tracker over HTTP, UDP
 * and WebSocket on one loopback port of each. Prints `ready`; ends by a signal.
 *
 * @module
 */

import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface NpmTrackerServer extends NodeJS.EventEmitter {
  listen(port: number, hosts: Readonly<Record<'http' | 'udp' | 'udp6', string>>): void;
}

type NpmTrackerServerClass = new (options: { readonly interval: number }) => NpmTrackerServer;

/** Milliseconds. */
const INTERVAL = 1_800_000;

const [modules = '', port = ''] = process.argv.slice(2);
// Not by its name: the package is none of bip's, and its other half wants native modules.
const entry = join(modules, 'bittorrent-tracker', 'server.js');
const { default: Server }: { readonly default: NpmTrackerServerClass } = await import(
  pathToFileURL(entry).href
);
const server = new Server({ interval: INTERVAL });
// Announces that make no sense.
server.on('warning', () => undefined);
server.listen(Number(port), { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' });
await once(server, 'listening');
process.stdout.write('ready\n');
