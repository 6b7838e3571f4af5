import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/base/errors.ts';
import {
  formatTrackerUrl,
  parseTrackerUrl,
  repeatsQuery,
  resolveRedirect,
  scrapeTarget,
  trackerName,
} from '../../src/tracker/url.ts';

describe('what is accepted', () => {
  test.each([
    ['udp://t.example:6969/announce', 'udp', 't.example', 6969, '/announce'],
    ['udp://t.example:6969', 'udp', 't.example', 6969, ''],
    ['UDP://t.example:6969/?a=b#c', 'udp', 't.example', 6969, '/?a=b'],
    ['udp://t.example/announce', 'udp', 't.example', 80, '/announce'],
    ['udp://[2001:db8::1]:7/x', 'udp', '2001:db8::1', 7, '/x'],
    ['http://t.example/announce', 'http', 't.example', 80, '/announce'],
    ['https://t.example/a/announce.php', 'https', 't.example', 443, '/a/announce.php'],
    ['https://t.example:8443', 'https', 't.example', 8443, '/'],
    ['http://[::1]:80/announce', 'http', '::1', 80, '/announce'],
    ['http://t/announce?passkey=a%20b&x=%FF', 'http', 't', 80, '/announce?passkey=a%20b&x=%FF'],
    ['http://exn--ample.com/', 'http', 'exn--ample.com', 80, '/'],
    ['ws://t.example:8000/announce?a=b', 'ws', 't.example', 8000, '/announce?a=b'],
    ['ws://t.example', 'ws', 't.example', 80, '/'],
    ['wss://me:pw@t.example', 'wss', 't.example', 443, '/'],
  ] as const)('%s', (text, ...parts) => {
    const { scheme, host, port, target, ...more } = parseTrackerUrl(text);
    expect([scheme, host, port, target]).toEqual(parts);
    expect(more).toEqual({});
  });

  test('credentials are taken out of the URL', () => {
    const url = parseTrackerUrl('http://me:s%40crt@t.example:81/announce');
    expect(url.credentials).toBe('me:s@crt');
    expect(formatTrackerUrl(url)).toBe('http://t.example:81/announce');
    expect(trackerName(url)).toBe('http://t.example:81');
  });
});

describe('what is refused (engines.md 4.7)', () => {
  test.each([
    ['', 'it is no URL'],
    ['t.example:6969', '`t.example:` trackers are not supported'],
    ['random text', 'a space'],
    ['ftp://t.example/announce', '`ftp:` trackers are not supported'],
    ['httpfoo://t.example/announce', '`httpfoo:` trackers are not supported'],
    ['wsss://t.example/announce', '`wsss:` trackers are not supported'],
    ['http://t.example/announce ', 'a space'],
    ['\t udp://t.example/announce', 'a space'],
    ['http://t.example/\u0000', 'a control character'],
    ['http://t.example/\u007f', 'a control character'],
    ['http://xn--example.com/announce', 'internationalised'],
    ['http://XN--example.com/announce', 'internationalised'],
    ['http://subdomain.xn--x/announce', 'internationalised'],
    ['udp://a.xn--b.c:80', 'internationalised'],
    ['udp://XN--:80', 'internationalised'],
    ['http://b\u00fccher.example/announce', 'internationalised'],
    ['udp://b\u00fccher.example:80/announce', 'no name and no address'],
    ['udp://:80/announce', 'it is no URL'],
    ['udp:///announce', 'it has no host'],
    ['http://t.example:0/announce', 'its port is 0'],
    ['http://t.example:99999/announce', 'it is no URL'],
    [`http://t.example/${'a'.repeat(4096)}`, 'longer than 4096'],
  ])('%j', (text, why) => {
    const attempt = (): unknown => parseTrackerUrl(text);
    expect(attempt).toThrow(ProtocolError);
    expect(attempt).toThrow(why);
  });

  test.each([
    'info_hash',
    'event',
    'port',
    'left',
    'key',
    'uploaded',
    'downloaded',
    'corrupt',
    'peer_id',
    'PEER_ID',
    'info%5Fhash',
  ])('the key %s in a query', (key) => {
    for (const query of [`?${key}=1`, `?a=b&${key}`, `?a;${key}=`]) {
      expect(() => parseTrackerUrl(`http://t.example/announce${query}`)).toThrow('keys of the');
      expect(() => parseTrackerUrl(`udp://t.example:1/announce${query}`)).toThrow('keys of the');
    }
  });

  test('keys that only look like them are fine', () => {
    expect(() => parseTrackerUrl('http://t/a?passkey=event&support=1&leftover=2')).not.toThrow();
  });

  test('no sentence repeats the URL', () => {
    const secret = 'http://xn--t.example/0123456789abcdef/announce';
    expect(() => parseTrackerUrl(secret)).toThrow(/^(?!.*0123456789abcdef)/);
  });

  test('arbitrary text: a URL that passes again, or a ProtocolError', () => {
    const schemes = fc.constantFrom('http://', 'https://', 'udp://', 'udp:', '');
    fc.assert(
      fc.property(schemes, fc.webAuthority(), fc.string(), (scheme, authority, rest) => {
        let url;
        try {
          url = parseTrackerUrl(`${scheme}${authority}/${rest}`);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return;
        }
        const { credentials: _, ...plain } = url;
        expect(parseTrackerUrl(formatTrackerUrl(url))).toEqual(plain);
      }),
      { numRuns: 500 },
    );
  });
});

describe('redirects', () => {
  const from = parseTrackerUrl('http://me:pw@t.example/a/announce');

  test('relative ones keep the credentials, other origins lose them', () => {
    expect(resolveRedirect('/b?x=1', from)).toEqual({ ...from, target: '/b?x=1' });
    expect(resolveRedirect('https://t.example/b', from)).not.toHaveProperty('credentials');
    expect(resolveRedirect('http://u.example/b', from)).not.toHaveProperty('credentials');
    expect(resolveRedirect('//u.example:8/b', from)).toMatchObject({ host: 'u.example', port: 8 });
  });

  test('may repeat our query', () => {
    const to = resolveRedirect('/b?info_hash=x&event=started', from);
    expect(to.target).toBe('/b?info_hash=x&event=started');
    expect(repeatsQuery(to)).toBe(true);
    expect(repeatsQuery(resolveRedirect('/info_hash?b=info_hash', from))).toBe(false);
  });

  test.each([
    ['ftp://t.example/', 'not supported'],
    ['udp://t.example/', 'cannot lead from HTTP to UDP'],
    ['http://xn--t.example/', 'internationalised'],
    ['http://a b/', 'a space'],
    ['http://[', 'no URL'],
    ['/b?event=stopped', 'keys of the announce protocol'],
  ])('%s is refused', (location, why) => {
    expect(() => resolveRedirect(location, from)).toThrow(why);
  });
});

describe('where to scrape (BEP 48 and the convention before it)', () => {
  test.each([
    ['/announce', '/scrape'],
    ['/x/announce', '/x/scrape'],
    ['/announce.php', '/scrape.php'],
    ['/announce?x2%0644', '/scrape?x2%0644'],
    ['/announce/announce', '/announce/scrape'],
    ['/0123key/announce?a=b/announce', '/0123key/scrape?a=b/announce'],
    ['/announce?a=b?c', '/scrape?a=b?c'],
  ])('%s: %s', (target, scraped) => {
    expect(scrapeTarget(target)).toBe(scraped);
  });

  test.each([
    '',
    '/',
    '/a',
    '/announce/',
    '/announce/x',
    '/x%064announce',
    '/Announce',
    '/a?/announce',
  ])('%j has none', (target) => {
    expect(scrapeTarget(target)).toBeUndefined();
  });
});
