import { expect, test } from 'vitest';
import {
  BipError,
  IntegrityError,
  InvariantError,
  invariant,
  NetworkError,
  ProtocolError,
  RemoteError,
  StorageError,
  TimeoutError,
  UsageError,
} from '../../src/base/errors.ts';

test.each([
  [new RemoteError('x'), 'RemoteError', 'BIP_REMOTE'],
  [new NetworkError('x'), 'NetworkError', 'BIP_NETWORK'],
  [new StorageError('x'), 'StorageError', 'BIP_STORAGE'],
  [new IntegrityError('x'), 'IntegrityError', 'BIP_INTEGRITY'],
  [new UsageError('x'), 'UsageError', 'BIP_USAGE'],
  [new TimeoutError('x', 5), 'TimeoutError', 'BIP_TIMEOUT'],
  [new ProtocolError('x', { rule: 'BEP 3' }), 'ProtocolError', 'BIP_PROTOCOL'],
])('%s has a name, a code and no cause', (error, name, code) => {
  expect(error).toBeInstanceOf(BipError);
  expect([error.name, error.code, error.message, 'cause' in error]).toEqual([
    name,
    code,
    'x',
    false,
  ]);
});

test('code, cause, rule and offset are kept', () => {
  const cause = new Error('below');
  const error = new ProtocolError('x', { rule: 'BEP 3', offset: 0, code: 'BIP_X', cause });
  expect(error).toMatchObject({ code: 'BIP_X', cause, rule: 'BEP 3', offset: 0 });
  expect(new TimeoutError('x', 1500).waitedMs).toBe(1500);
});

test('a broken invariant is no error of bip', () => {
  expect(() => invariant(true, 'fine')).not.toThrow();
  expect(() => invariant(false, 'two is two')).toThrow(new InvariantError('two is two'));
  expect(new InvariantError('x')).not.toBeInstanceOf(BipError);
});
