/** Proxies that nobody here wrote: Dante, microsocks, tinyproxy. They call from an address of their own. @module */

import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { Child } from '../child.ts';
import { freePort } from '../free-port.ts';
import { READY_MS } from './peer.ts';

export type ProxyName = 'dante' | 'microsocks' | 'tinyproxy';

/** What everybody behind a proxy sees of it. */
export const PROXY_HOST = '127.0.0.9';

/** Whom microsocks and tinyproxy let through. */
const USER = 'me';
const PASSWORD = 's3cret';

export interface RealProxy extends AsyncDisposable {
  /** With user and password where it wants them. */
  readonly url: string;
}

/** @param state a folder for what it needs to be told. */
export async function startProxy(name: ProxyName, state: string): Promise<RealProxy> {
  const port = await freePort();
  await mkdir(state, { recursive: true });
  const child = new Child(await START[name](port, state), { cwd: state });
  try {
    const wait = { deadlineMs: READY_MS, what: `${name} to listen` };
    await child.until(() => listens(port), wait);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const login = name === 'dante' ? '' : `${USER}:${PASSWORD}@`;
  const scheme = name === 'tinyproxy' ? 'http' : 'socks5';
  return {
    url: `${scheme}://${login}127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

const START: Readonly<
  Record<ProxyName, (port: number, state: string) => Promise<readonly string[]>>
> = {
  async dante(port, state) {
    const config = join(state, 'dante.conf');
    const all = 'from: 0.0.0.0/0 to: 0.0.0.0/0';
    await writeFile(
      config,
      [
        'logoutput: stderr',
        `internal: 127.0.0.1 port = ${port}`,
        `external: ${PROXY_HOST}`,
        'clientmethod: none',
        'socksmethod: none',
        'user.privileged: root',
        'user.unprivileged: nobody',
        `client pass { ${all} }`,
        `socks pass { ${all} command: connect udpassociate }`,
        `socks pass { ${all} command: bindreply udpreply }`,
        '',
      ].join('\n'),
    );
    return ['/usr/sbin/danted', '-f', config, '-p', join(state, 'dante.pid')];
  },
  async microsocks(port) {
    const login = ['-u', USER, '-P', PASSWORD];
    return ['microsocks', '-i', '127.0.0.1', '-p', String(port), ...login, '-b', PROXY_HOST];
  },
  async tinyproxy(port, state) {
    const config = join(state, 'tinyproxy.conf');
    await writeFile(
      config,
      [
        `Port ${port}`,
        'Listen 127.0.0.1',
        `Bind ${PROXY_HOST}`,
        `BasicAuth ${USER} ${PASSWORD}`,
        'MaxClients 100',
        'Timeout 60',
        '',
      ].join('\n'),
    );
    return ['tinyproxy', '-d', '-c', config];
  },
};

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
