/** Packets of the BEPs with what they say. @module */

import { parseHex } from '../../../src/base/bytes.ts';
import type { KrpcError, KrpcQuery, KrpcResponse } from '../../../src/dht/krpc/index.ts';
import { bytes, latin1 } from '../../bencode/values.ts';

/** One packet, as Latin-1 text, and its message. */
export interface Vector {
  readonly name: string;
  readonly packet: string;
  readonly message: KrpcQuery | KrpcResponse | KrpcError;
}

const ASKING = bytes('abcdefghij0123456789');
const ASKED = bytes('mnopqrstuvwxyz123456');
const TOKEN = bytes('aoeusnth');

const QUERY = { type: 'query', transaction: bytes('aa'), readOnly: false } as const;
const RESPONSE = { type: 'response', transaction: bytes('aa') } as const;

function hex(text: string): Uint8Array {
  const data = parseHex(text.replaceAll(/\s/g, ''));
  if (data === undefined) throw new Error('no hex');
  return data;
}

/** Two nodes, as the DHT of each family has them. */
const NODES = bytes(
  `${'n'.repeat(20)}\x01\x02\x03\x04\x1a\xe1${'o'.repeat(20)}\x05\x06\x07\x08\x1a\xe2`,
);
const NODES6 = bytes(`${'p'.repeat(20)}\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x1a\xe1`);

/** BEP 33's filter of 192.0.2.0–255 and 2001:DB8::–2001:DB8::3E7. */
export const BLOOM: Uint8Array = hex(`
  F6C3F5EA A07FFD91 BDE89F77 7F26FB2B FF37BDB8 FB2BBAA2 FD3DDDE7 BACFFF75 EE7CCBAE
  FE5EEDB1 FBFAFF67 F6ABFF5E 43DDBCA3 FD9B9FFD F4FFD3E9 DFF12D1B DF59DB53 DBE9FA5B
  7FF3B8FD FCDE1AFB 8BEDD7BE 2F3EE71E BBBFE93B CDEEFE14 8246C2BC 5DBFF7E7 EFDCF24F
  D8DC7ADF FD8FFFDF DDFFF7A4 BBEEDF5C B95CE81F C7FCFF1F F4FFFFDF E5F7FDCB B7FD79B3
  FA1FC77B FE07FFF9 05B7B7FF C7FEFEFF E0B8370B B0CD3F5B 7F2BD93F EB4386CF DD6F7FD5
  BFAF2E9E BFFFFEEC D67ADBF7 C67F17EF D5D75EBA 6FFEBA7F FF47A91E B1BFBB53 E8ABFB57
  62ABE8FF 237279BF EFBFEEF5 FFC5FEBF DFE5ADFF ADFEE1FB 737FFFFB FD9F6AEF FEEE76B6
  FD8F72EF`);
const NO_SEEDS = new Uint8Array(256);

/** BEP 44, test 2. */
const ITEM = {
  publicKey: hex('77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548'),
  salt: bytes('foobar'),
  sequence: 1n,
  signature: hex(`
    6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d
    df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08`),
  target: hex('411eba73b6f087ca51a3795d9c8c938d365e32c1'),
  value: bytes('12:Hello World!'),
};
const IMMUTABLE_TARGET = hex('e5f96f6f38320f0f33959cb4d3d656452117aadb');

/** The examples of BEP 5, byte for byte as they stand there. */
export const BEP_5: readonly Vector[] = [
  {
    name: 'ping',
    packet: 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'ping', args: { id: ASKING } },
  },
  {
    name: 'response to ping and to announce_peer',
    packet: 'd1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re',
    message: { ...RESPONSE, id: ASKED },
  },
  {
    name: 'find_node',
    packet:
      'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'find_node', args: { id: ASKING, target: ASKED } },
  },
  {
    name: 'get_peers',
    packet:
      'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'get_peers', args: { id: ASKING, infoHash: ASKED } },
  },
  {
    name: 'response with peers',
    packet:
      'd1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re',
    message: {
      ...RESPONSE,
      id: ASKING,
      token: TOKEN,
      values: [bytes('axje.u'), bytes('idhtnm')],
    },
  },
  {
    name: 'announce_peer',
    packet:
      'd1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe',
    message: {
      ...QUERY,
      method: 'announce_peer',
      args: { id: ASKING, impliedPort: true, infoHash: ASKED, port: 6881, token: TOKEN },
    },
  },
  {
    name: 'error',
    packet: 'd1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee',
    message: {
      type: 'error',
      transaction: bytes('aa'),
      code: 201,
      message: 'A Generic Error Ocurred',
    },
  },
];

/** The messages of the other BEPs, written down from their descriptions. */
export const EXTENSIONS: readonly Vector[] = [
  {
    name: 'BEP 5: response with nodes, with the version of a client',
    packet: `d1:rd2:id20:abcdefghij01234567895:nodes52:${latin1(NODES)}5:token8:aoeusnthe1:t2:aa1:v4:LT\x01\x321:y1:re`,
    message: {
      ...RESPONSE,
      id: ASKING,
      nodes: NODES,
      token: TOKEN,
      version: bytes('LT\x01\x32'),
    },
  },
  {
    name: 'BEP 32: nodes of both families are wanted',
    packet:
      'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe',
    message: {
      ...QUERY,
      method: 'find_node',
      args: { id: ASKING, target: ASKED, want: { n4: true, n6: true } },
    },
  },
  {
    name: 'BEP 32: nodes of both families, peers of both',
    packet: `d1:rd2:id20:abcdefghij01234567895:nodes52:${latin1(NODES)}6:nodes638:${latin1(NODES6)}6:valuesl6:axje.u18:${'v'.repeat(18)}ee1:t2:aa1:y1:re`,
    message: {
      ...RESPONSE,
      id: ASKING,
      nodes: NODES,
      nodes6: NODES6,
      values: [bytes('axje.u'), bytes('v'.repeat(18))],
    },
  },
  {
    name: 'BEP 33: a seed announces itself',
    packet:
      'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti6881e4:seedi1e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe',
    message: {
      ...QUERY,
      method: 'announce_peer',
      args: { id: ASKING, infoHash: ASKED, port: 6881, seed: true, token: TOKEN },
    },
  },
  {
    name: 'BEP 33: no seeds, but the filters',
    packet:
      'd1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1ee1:q9:get_peers1:t2:aa1:y1:qe',
    message: {
      ...QUERY,
      method: 'get_peers',
      args: { id: ASKING, infoHash: ASKED, noSeed: true, scrape: true },
    },
  },
  {
    name: 'BEP 33: the filters',
    packet: `d1:rd4:BFpe256:${latin1(BLOOM)}4:BFsd256:${latin1(NO_SEEDS)}2:id20:abcdefghij0123456789e1:t2:aa1:y1:re`,
    message: { ...RESPONSE, id: ASKING, peerBloom: BLOOM, seedBloom: NO_SEEDS },
  },
  {
    name: 'BEP 42: the address of who asked, in a response',
    packet: 'd2:ip6:\x7c\x1f\x4b\x15\x1a\xe11:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re',
    message: {
      ...RESPONSE,
      id: ASKED,
      externalAddress: { host: '124.31.75.21', port: 6881 },
    },
  },
  {
    name: 'BEP 42: the address of who asked, in an error, of IPv6',
    packet: `d1:eli203e15:invalid node IDe2:ip18:\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01\x1a\xe11:t2:aa1:y1:ee`,
    message: {
      type: 'error',
      transaction: bytes('aa'),
      code: 203,
      message: 'invalid node ID',
      externalAddress: { host: '2001:db8::1', port: 6881 },
    },
  },
  {
    name: 'BEP 43: a node that answers no queries',
    packet: 'd1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'ping', args: { id: ASKING }, readOnly: true },
  },
  {
    name: 'BEP 44: get',
    packet: `d1:ad2:id20:abcdefghij01234567896:target20:${latin1(IMMUTABLE_TARGET)}e1:q3:get1:t2:aa1:y1:qe`,
    message: { ...QUERY, method: 'get', args: { id: ASKING, target: IMMUTABLE_TARGET } },
  },
  {
    name: 'BEP 44: get of what is newer',
    packet: `d1:ad2:id20:abcdefghij01234567893:seqi1e6:target20:${latin1(ITEM.target)}e1:q3:get1:t2:aa1:y1:qe`,
    message: {
      ...QUERY,
      method: 'get',
      args: { id: ASKING, sequence: 1n, target: ITEM.target },
    },
  },
  {
    name: 'BEP 44: an immutable item',
    packet: `d1:rd2:id20:mnopqrstuvwxyz1234565:nodes52:${latin1(NODES)}6:nodes638:${latin1(NODES6)}5:token8:aoeusnth1:v12:Hello World!e1:t2:aa1:y1:re`,
    message: {
      ...RESPONSE,
      id: ASKED,
      nodes: NODES,
      nodes6: NODES6,
      token: TOKEN,
      value: ITEM.value,
    },
  },
  {
    name: 'BEP 44: a mutable item',
    packet: `d1:rd2:id20:mnopqrstuvwxyz1234561:k32:${latin1(ITEM.publicKey)}3:seqi1e3:sig64:${latin1(ITEM.signature)}5:token8:aoeusnth1:v12:Hello World!e1:t2:aa1:y1:re`,
    message: {
      ...RESPONSE,
      id: ASKED,
      publicKey: ITEM.publicKey,
      sequence: 1n,
      signature: ITEM.signature,
      token: TOKEN,
      value: ITEM.value,
    },
  },
  {
    name: 'BEP 44: put of an immutable item',
    packet:
      'd1:ad2:id20:abcdefghij01234567895:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'put', args: { id: ASKING, token: TOKEN, value: ITEM.value } },
  },
  {
    name: 'BEP 44: put of a mutable item with salt, in place of another',
    packet: `d1:ad3:casi0e2:id20:abcdefghij01234567891:k32:${latin1(ITEM.publicKey)}4:salt6:foobar3:seqi1e3:sig64:${latin1(ITEM.signature)}5:token8:aoeusnth1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe`,
    message: {
      ...QUERY,
      method: 'put',
      args: {
        id: ASKING,
        compareSequence: 0n,
        publicKey: ITEM.publicKey,
        salt: ITEM.salt,
        sequence: ITEM.sequence,
        signature: ITEM.signature,
        token: TOKEN,
        value: ITEM.value,
      },
    },
  },
  {
    name: 'BEP 44: the sequence that was to be replaced is another',
    packet: 'd1:eli301e12:CAS mismatche1:t2:aa1:y1:ee',
    message: { type: 'error', transaction: bytes('aa'), code: 301, message: 'CAS mismatch' },
  },
  {
    name: 'BEP 51: samples are asked for',
    packet:
      'd1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q17:sample_infohashes1:t2:aa1:y1:qe',
    message: { ...QUERY, method: 'sample_infohashes', args: { id: ASKING, target: ASKED } },
  },
  {
    name: 'BEP 51: samples',
    packet: `d1:rd2:id20:mnopqrstuvwxyz1234568:intervali21600e5:nodes52:${latin1(NODES)}3:numi3e7:samples40:${'s'.repeat(20)}${'t'.repeat(20)}e1:t2:aa1:y1:re`,
    message: {
      ...RESPONSE,
      id: ASKED,
      intervalSeconds: 21_600,
      nodes: NODES,
      sampleTotal: 3,
      samples: bytes('s'.repeat(20) + 't'.repeat(20)),
    },
  },
  {
    name: 'BEP 51: no samples',
    packet: 'd1:rd2:id20:mnopqrstuvwxyz1234568:intervali0e3:numi0e7:samples0:e1:t2:aa1:y1:re',
    message: {
      ...RESPONSE,
      id: ASKED,
      intervalSeconds: 0,
      sampleTotal: 0,
      samples: new Uint8Array(),
    },
  },
];
