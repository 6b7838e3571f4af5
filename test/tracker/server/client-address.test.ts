import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp } from '../../../src/base/ip.ts';
import { parseNetwork } from '../../../src/base/ip-network.ts';
import { ClientAddresses } from '../../../src/tracker/server/client-address.ts';
import { NetworkSet } from '../../../src/tracker/server/network-set.ts';

const PROXIES = NetworkSet.of(
  ['10.0.0.0/8', '::1'].map((text) => parseNetwork(text)).filter((one) => one !== undefined),
);

function clientOf(
  host: string,
  headers: Readonly<Record<string, string>> = {},
  how: { readonly trusts?: boolean; readonly proxyHeader?: string } = {},
): string | undefined {
  const { trusts = true, ...rest } = how;
  const addresses = new ClientAddresses({
    ...(trusts ? { trustedProxies: PROXIES } : {}),
    ...rest,
  });
  const request = { method: 'GET', target: '/', headers, from: { host, port: 1 } };
  const address = addresses.of(request);
  return address === undefined ? undefined : formatIp(address);
}

describe('who is believed', () => {
  test.each([
    ['8.8.8.8', true],
    ['2001:db8::1', true],
    ['10.1.2.3', false],
  ])('the header of %s is not looked at', (host, trusts) => {
    expect(clientOf(host, { 'x-forwarded-for': '1.2.3.4' }, { trusts })).toBe(host);
  });

  test.each(['10.1.2.3', '::1'])('the header of the proxy %s counts', (host) => {
    expect(clientOf(host, { 'x-forwarded-for': '1.2.3.4' })).toBe('1.2.3.4');
  });

  test('a proxy that asks for itself is the client', () => {
    expect(clientOf('10.1.2.3')).toBe('10.1.2.3');
  });

  test('only the header that was agreed on counts', () => {
    const headers = { 'x-forwarded-for': '1.2.3.4', 'x-real-ip': '5.6.7.8' };
    expect(clientOf('10.0.0.1', headers, { proxyHeader: 'X-Real-IP' })).toBe('5.6.7.8');
    expect(clientOf('10.0.0.1', { 'x-real-ip': '5.6.7.8' })).toBe('10.0.0.1');
  });
});

describe('the list', () => {
  test.each([
    ['what the client made up is left of what proxies add', '9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['proxies behind each other', '9.9.9.9, 1.2.3.4, 10.0.0.2, 10.0.0.3', '1.2.3.4'],
    ['proxies alone: the first', '10.0.0.2,10.0.0.3', '10.0.0.2'],
    ['with a port', '1.2.3.4:5678', '1.2.3.4'],
    ['IPv6', '2001:db8::5', '2001:db8::5'],
    ['IPv6 in brackets', '[2001:db8::5]', '2001:db8::5'],
    ['IPv6 with a port', '[2001:db8::5]:443', '2001:db8::5'],
    ['IPv4 as IPv6', '::ffff:1.2.3.4', '1.2.3.4'],
    ['odd spaces', ' \t1.2.3.4 ', '1.2.3.4'],
    ['no address', 'unknown', undefined],
    ['nothing', '', undefined],
    ['nothing at the end', '1.2.3.4,', undefined],
    ['no address behind proxies', 'unknown, 10.0.0.2', undefined],
    ['half a bracket', '[::1', undefined],
  ])('%s', (_, list, expected) => {
    expect(clientOf('10.0.0.1', { 'x-forwarded-for': list })).toBe(expected);
  });

  test('a long chain comes to an end', () => {
    expect(clientOf('10.0.0.1', { 'x-forwarded-for': '10.0.0.2,'.repeat(2000) })).toBeUndefined();
    const chain = `1.2.3.4${',10.0.0.2'.repeat(2000)}`;
    expect(clientOf('10.0.0.1', { 'x-forwarded-for': chain })).toBe('10.0.0.2');
  });

  test('whatever stands there: the last one that is no proxy, or nothing', () => {
    const entry = fc.constantFrom('1.2.3.4', '10.0.0.2', '::1', 'x', '', ' 5.6.7.8:1 ');
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 10 }), (entries) => {
        const plain = entries.map((text) =>
          text.trim().replace(/:1$/, (end) => (text.includes('.') ? '' : end)),
        );
        const isProxy = (text: string): boolean => text === '10.0.0.2' || text === '::1';
        const expected = plain.findLast((text) => !isProxy(text)) ?? plain[0];
        const found = clientOf('10.0.0.1', { 'x-forwarded-for': entries.join(',') });
        expect(found).toBe(expected === 'x' || expected === '' ? undefined : expected);
      }),
    );
  });
});
