/**
 * Two handshakes recorded in the wild, as they stand in Transmission's tests
 * (tests/libtransmission/handshake-test.cc); the derived values were computed from them.
 *
 * @module
 */

import { parseHex } from '../../../src/base/bytes.ts';

export const hex = (text: string): Uint8Array => {
  const bytes = parseHex(text);
  if (bytes === undefined) throw new RangeError(`no hex: ${text}`);
  return bytes;
};

const base64 = (...lines: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(lines.join(''), 'base64'));

export const SKEY: Uint8Array = hex('2c6b6858d61da9543d4231a71db4b1c9264b0685');
/** The exponent of the recorded side that we play. */
export const EXPONENT: Uint8Array = hex('d0460a0b00564380e0f645f7739c718d5b410cac');
export const PUBLIC_KEY: Uint8Array = hex(
  'b2f93248815c0acac34de1e33ede75e9415bb2847ee6f7db7b9fe6eacb44eeee492d9d74909d7d3663fae04d74a889e7efcb02ac9823c35c841c7c2bcce70a891958bdc328b7324c7be4a3ac55276b0dca05f9f66dc2818716ffb1f33d27b9c9',
);

type Recorded<Parts extends string> = Readonly<Record<Parts, Uint8Array>> & {
  readonly peerId: string;
};

/** A call to us: its other side happens to have the same key. */
export const CALL: Recorded<'secret' | 'mark' | 'hiddenName' | 'rest'> = {
  secret: hex(
    '218f45c4e425dc91b8a74df5fe4f778417892363bb2dfdb3979165247839293d75ee32ada87153f15855fb4512c629191bb40be2935c3759cb601d1b4cb555db457c3c391b053846466ddf8715042d3ae620f33900803a7126a2a031596b6da5',
  ),
  mark: hex('a76be23201678c457cee31362455ec69766b34d2'),
  hiddenName: hex('ce74fc83166b130e18caae49dcf03eddf2c164a0'),
  /** What follows the key: ten bytes of padding, and so on to the end of a handshake as first words. */
  rest: base64(
    'ICAgICAgICAgIKdr4jIBZ4xFfO4xNiRV7Gl2azTSuTFuu06NU1WyRPif018JYe',
    'VGwrTPstEPu3V5lmzjtMGVLaL5EErlpJ93Xrz+ea6EIQEUZA+D4jKaV/to9NVi',
    '04/1W1A2PHgg+I9puac/i9BsFPcjdQeoVtU73lNCbTDQgTieyjDWmwo=',
  ),
  peerId: '-TR300Z-w4bd4mkebkbi',
};

/** A call by us, answered by qBittorrent. */
export const ANSWER: Recorded<'publicKey' | 'mark' | 'request' | 'hiddenZeros' | 'rest'> = {
  publicKey: hex(
    '49f828abf9eb41f0f82308ab7e4fae84e99030e0bf4302bfbd888e69cb75345f53a565e6b3772f94a10ac6cd155269e6cad461f5b8782dcb356ecc250ba474e57ac91b32e166a02a70b514011d554cb039a0a4a3475d37f3315b86773bd63aa5',
  ),
  mark: hex('99ba59141c1d8b8535b2756f6e8377b0c1293665'),
  request: hex('ac747f4582a325a2cd7455751cb8c44656540d1f'),
  hiddenZeros: hex('5adb75923443f143'),
  /** Padding, choice, padding, and a handshake. */
  rest: base64(
    'paZ3steQoTE58dNkLfvPJdGfTli1FCa1FcvjqCGkzEigwxVTo7o9MviInBNGZ',
    'zetXtP0f4PgD0SubXoMNEi2dza/PsuA5e+7GcnNeNT0fcbw49HWtXgL3wb18s',
    'g3puL1I6oi1DQhFfCg1xDDwj2AEKA2cy7zMjhLSTP4n9KNFDfPElrbdZI0Q/F',
    'Db1JVyHzNGLJyYSgOnye/+IHiu/lqNmonH2ixTshuSBCW04PTkGGwxxWqFcw9',
    'MWNA8fidJaKjPgs6z4/FKXlyHGw+6Sa091zxAmxUNdnAmOS1uUcplSMfEz9Go',
    'xok8aLtS+w2xg+eEmIFf+KhW2n0bFqfQDvmAyXKLhXf44lTfq95aMb309APR/',
    'Q0QDEdK2SqUKV2dWQIQLgDlxhxSL7cPMHenT8m3rufi6EdkvdPyKcB1iI2zW8',
    'qUGbgPYZ+CXxTFjz/UxvxNdZaAePjJKz9tlO9ns4y+YqXe+ABBD9P7vMBo9bd',
    'pF4TQ/TjX2rAPqWNucvBjNODNAe/tMSprBz+7Z7cECwBmQEx/N6zsWkjt/qP0',
    'XYikCQLBsTCFNPLHAXOVTpqwJo3mKyzaRZ6V1bmrx+Yn++PdMzArtwxJxvYaW',
    '2G4l/eU/hFHEWzOqUgr6908KtU',
  ),
  peerId: '-qB4250-scysDI_JuVN3',
};
