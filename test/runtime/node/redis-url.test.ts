import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { formatRedisAddress, parseRedisUrl } from '../../../src/runtime/node/redis-url.ts';

const plain = { cluster: false, tls: false, database: 0 };
const local = [{ host: 'localhost', port: 6379 }];

test.each([
  ['redis://localhost', { ...plain, nodes: local }],
  ['REDIS://localhost/', { ...plain, nodes: local }],
  ['valkey://localhost:6379', { ...plain, nodes: local }],
  ['rediss://localhost/3', { ...plain, nodes: local, tls: true, database: 3 }],
  ['valkeys://localhost', { ...plain, nodes: local, tls: true }],
  ['redis://:p%40ss:w/rd@localhost', { ...plain, nodes: local, password: 'p@ss:w/rd' }],
  ['redis://me:a@b@localhost', { ...plain, nodes: local, username: 'me', password: 'a@b' }],
  ['redis://me@localhost', { ...plain, nodes: local, username: 'me' }],
  ['redis://[::1]:7000', { ...plain, nodes: [{ host: '::1', port: 7000 }] }],
  ['redis://localhost?cluster=true', { ...plain, nodes: local, cluster: true }],
  ['redis://localhost?cluster=false', { ...plain, nodes: local }],
  [
    'rediss+cluster://:x@localhost,[fd00::1]:7001',
    {
      nodes: [...local, { host: 'fd00::1', port: 7001 }],
      cluster: true,
      tls: true,
      password: 'x',
      database: 0,
    },
  ],
])('%s', (text, address) => {
  expect(parseRedisUrl(text)).toEqual(address);
});

test.each([
  ['http://localhost', 'it is no redis:// address'],
  ['redis://', 'it is no redis:// address'],
  ['redis://localhost/name', 'it is no redis:// address'],
  ['redis://localhost:0', 'localhost:0 is no host with a port'],
  ['redis://localhost:65536', 'localhost:65536 is no host with a port'],
  ['redis://a,b', 'it names several hosts'],
  ['redis+cluster://a,,b', ' is no host with a port'],
  ['redis+cluster://a/1', 'a cluster has no database but 0'],
  ['redis://a?db=1', 'it has the parameter db'],
  ['redis://a?cluster=maybe', 'cluster is either true or false'],
  ['redis://:100%@a', 'its user or password has a %'],
])('%s is refused', (text, reason) => {
  expect(() => parseRedisUrl(text)).toThrow(UsageError);
  expect(() => parseRedisUrl(text)).toThrow(reason);
});

test('no password is ever told', () => {
  fc.assert(
    fc.property(fc.string(), (rest) => {
      const text = `redis://:hunter2@${rest}`;
      try {
        expect(formatRedisAddress(parseRedisUrl(text))).not.toContain('hunter2');
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect(String(error)).not.toContain('hunter2');
      }
    }),
  );
});

test('an address is called by its nodes', () => {
  const address = parseRedisUrl('redis+cluster://me:secret@a:1,[::1]:2');
  expect(formatRedisAddress(address)).toBe('a:1,[::1]:2');
});
