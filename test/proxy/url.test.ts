/** Proxies as users write them. */

import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import { parseProxyUrl, proxyName } from '../../src/proxy/index.ts';

test.each([
  ['socks5://127.0.0.1', { scheme: 'socks5', host: '127.0.0.1', port: 1080 }],
  [
    'socks5h://proxy.example.org:9050/',
    { scheme: 'socks5', host: 'proxy.example.org', port: 9050 },
  ],
  ['SOCKS5://[::1]:1', { scheme: 'socks5', host: '::1', port: 1 }],
  ['socks5://[::1]', { scheme: 'socks5', host: '::1', port: 1080 }],
  ['http://10.0.0.1', { scheme: 'http', host: '10.0.0.1', port: 8080 }],
  ['http://10.0.0.1:80', { scheme: 'http', host: '10.0.0.1', port: 80 }],
])('%s', (text, proxy) => {
  expect(parseProxyUrl(text)).toEqual(proxy);
});

test('user and password may have escapes', () => {
  expect(parseProxyUrl('socks5://me%40home:p%3A%25@h:1')).toMatchObject({
    login: { user: 'me@home', password: 'p:%' },
  });
  expect(parseProxyUrl('http://me:@h:1')).toMatchObject({ login: { user: 'me', password: '' } });
});

test('the longest user and password that SOCKS5 can carry', () => {
  const long = 'x'.repeat(255);
  expect(parseProxyUrl(`socks5://${long}:${long}@h`).login).toEqual({ user: long, password: long });
  expect(() => parseProxyUrl(`socks5://${long}x:y@h`)).toThrow('at most 255 bytes');
  expect(() => parseProxyUrl(`socks5://y:${long}x@h`)).toThrow('at most 255 bytes');
});

describe('what is none', () => {
  test.each([
    ['', 'it is no URL'],
    ['127.0.0.1:1080', 'it is no URL'],
    ['https://h:1', 'over TLS'],
    ['socks4://h:1', 'not socks4://'],
    ['socks5://:1080', 'no'],
    ['socks5://h:0', 'port 0'],
    ['socks5://h:99999', 'it is no URL'],
    ['socks5://h:1/x', 'nothing may follow'],
    ['http://h:1/?a=1', 'nothing may follow'],
    ['socks5://me@h:1', 'a user and a password'],
    ['http://a%3Ab:c@h:1', 'no colon'],
    ['socks5://%ff:c@h:1', 'broken escape'],
  ])('%j', (text, reason) => {
    expect(() => parseProxyUrl(text)).toThrow(ProtocolError);
    expect(() => parseProxyUrl(text)).toThrow(reason);
  });
});

test('sentences show neither user nor password', () => {
  expect(proxyName(parseProxyUrl('socks5://me:secret@[::1]:9'))).toBe('socks5://[::1]:9');
  expect(() => parseProxyUrl('socks5://me:secret@h:1/x')).toThrow(/^(?!.*secret)/);
});
