/** What every resolver must do. @module */

import { expect, test } from 'vitest';
import type { Place } from './place.ts';

export function lookupCompliance(place: Place): void {
  test('a literal address is its own answer', () =>
    place.run(async ({ here: { lookup }, signal }) => {
      expect(await lookup.addresses('192.0.2.7', { signal })).toEqual(['192.0.2.7']);
      expect(await lookup.addresses('2001:db8::7', { signal })).toEqual(['2001:db8::7']);
      expect(await lookup.addresses('192.0.2.7', { family: 4, signal })).toEqual(['192.0.2.7']);
    }));

  test('a literal address of the other family is no answer', () =>
    place.run(async ({ here: { lookup }, signal }) => {
      await expect(lookup.addresses('192.0.2.7', { family: 6, signal })).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_DNS',
        message: expect.stringContaining('192.0.2.7'),
      });
    }));

  test('localhost is this machine', () =>
    place.run(async ({ here: { lookup }, signal }) => {
      expect(await lookup.addresses('localhost', { family: 4, signal })).toEqual(['127.0.0.1']);
    }));

  test('a name that does not exist is an error that names it', () =>
    place.run(async ({ here: { lookup }, signal }) => {
      // RFC 6761 §6.4: never exists.
      const question = lookup.addresses('tracker.invalid', { signal });
      await expect(question).rejects.toMatchObject({
        name: 'NetworkError',
        code: 'BIP_DNS',
        message: expect.stringContaining('tracker.invalid'),
      });
    }));

  test('a signal cancels: before, and while it is under way', () =>
    place.run(async ({ here: { lookup } }) => {
      const before = AbortSignal.abort(new Error('before'));
      await expect(lookup.addresses('localhost', { signal: before })).rejects.toThrow('before');
      const stop = new AbortController();
      const question = lookup.addresses('localhost', { signal: stop.signal });
      stop.abort(new Error('under way'));
      await expect(question).rejects.toThrow('under way');
    }));

  test('local addresses do not loop back', () =>
    place.run(async ({ here: { lookup } }) => {
      for (const address of lookup.localAddresses()) {
        expect(address).not.toMatch(/^127\.|^::1$|^fe80:|%/);
      }
    }));

  test('interfaces have all addresses, those that loop back marked', () =>
    place.run(async ({ here: { lookup }, hereHost, hereInterface }) => {
      const interfaces = lookup.interfaces();
      expect(interfaces).toContainEqual({
        ...{ interface: expect.any(String), address: '127.0.0.1', isLoopback: true },
      });
      expect(interfaces).toContainEqual(
        expect.objectContaining({ interface: hereInterface, address: hereHost }),
      );
      for (const address of lookup.localAddresses()) {
        expect(interfaces).toContainEqual(expect.objectContaining({ address, isLoopback: false }));
      }
      for (const one of interfaces) {
        if (one.address.startsWith('fe80:')) expect(one.address).toMatch(`%${one.interface}`);
      }
    }));

  test('TXT records, the strings of each joined', () =>
    place.run(async ({ here: { lookup }, publishTexts, signal }) => {
      const long = 'x'.repeat(400);
      publishTexts('t.example', ['BITTORRENT UDP:1337 TCP:80', long]);
      const texts = await lookup.texts('T.example', { signal });
      expect(texts.toSorted()).toEqual(['BITTORRENT UDP:1337 TCP:80', long]);
    }));

  test('no TXT records are an empty answer, and so is a name that does not exist', () =>
    place.run(async ({ here: { lookup }, publishTexts, signal }) => {
      publishTexts('t.example', []);
      expect(await lookup.texts('t.example', { signal })).toEqual([]);
      expect(await lookup.texts('other.example', { signal })).toEqual([]);
    }));

  test('a question for TXT records can be cancelled: before, and while it is under way', () =>
    place.run(async ({ here: { lookup }, publishTexts }) => {
      publishTexts('t.example', ['x']);
      const before = AbortSignal.abort(new Error('before'));
      await expect(lookup.texts('t.example', { signal: before })).rejects.toThrow('before');
      const stop = new AbortController();
      const question = lookup.texts('t.example', { signal: stop.signal });
      stop.abort(new Error('under way'));
      await expect(question).rejects.toThrow('under way');
    }));
}
