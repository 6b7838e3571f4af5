/** Addresses of Redis as people write them. @module */

import { UsageError } from '../../base/errors.ts';

/** Where Redis is, and who asks. */
export interface RedisAddress {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The nodes are some of a cluster, which names the others. */
  readonly cluster: boolean;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
}

/**
 * `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss:` with TLS, `valkey:` and `valkeys:` alike.
 * `redis+cluster:`, `rediss+cluster:` or `?cluster=true` for a cluster, of which several nodes may be
 * named: `HOST:PORT,HOST:PORT`. User and password are percent-encoded.
 *
 * @throws {UsageError} for anything else, without what may be a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const groups = URL_PATTERN.exec(text)?.groups;
  if (groups === undefined) throw refusal('it is no redis:// address');
  const { scheme = '', hosts = '', database = '' } = groups;
  const cluster = asksForCluster(groups);
  if (!cluster && hosts.includes(',')) {
    throw refusal('it names several hosts; a cluster is written redis+cluster://HOST,HOST');
  }
  if (cluster && Number(database) !== 0) throw refusal('a cluster has no database but 0');
  return {
    nodes: hosts.split(',').map(parseNode),
    cluster,
    tls: /^(?:rediss|valkeys)/i.test(scheme),
    database: Number(database),
    ...credentials(groups),
  };
}

/** `host:port` of all nodes: how Redis is called in messages. */
export function formatRedisAddress({ nodes }: RedisAddress): string {
  return nodes
    .map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
    .join(',');
}

const DEFAULT_PORT = 6379;
const URL_PATTERN =
  /^(?<scheme>(?:redis|rediss|valkey|valkeys)(?:\+cluster)?):\/\/(?:(?<user>[^:@]*)(?::(?<password>.*))?@)?(?<hosts>[^@/?#]+)(?:\/(?<database>\d{0,9}))?(?:\?(?<query>[^#]*))?$/i;
const NODE_PATTERN = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<name>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/i;

/** Parts of an address that were found in it. */
type Groups = Readonly<Record<string, string | undefined>>;

function parseNode(text: string): { readonly host: string; readonly port: number } {
  const { v6, name, port: digits } = NODE_PATTERN.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const port = Number(digits ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw refusal(`${text} is no host with a port`);
  }
  return { host, port };
}

function asksForCluster({ scheme = '', query }: Groups): boolean {
  const parameters = new URLSearchParams(query);
  for (const [name, value] of parameters) {
    if (name !== 'cluster')
      throw refusal(`it has the parameter ${name}, and only cluster is known`);
    if (!/^(?:true|false|1|0)$/.test(value)) throw refusal('cluster is either true or false');
  }
  return /cluster/i.test(scheme) || /^(?:true|1)$/.test(parameters.get('cluster') ?? '');
}

/** `:PASSWORD` alone is that of the default user. */
function credentials({ user = '', password }: Groups): Pick<RedisAddress, 'username' | 'password'> {
  return {
    ...(user === '' ? {} : { username: decode(user) }),
    ...(password === undefined ? {} : { password: decode(password) }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal('its user or password has a % that begins no byte; write it as %25');
  }
}

function refusal(reason: string): UsageError {
  return new UsageError(`the address of Redis does not do: ${reason}`);
}
