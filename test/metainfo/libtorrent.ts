/**
 * Infohashes that libtorrent 2.0.8 gives to trees of files, in pieces of 32 KiB: `add_files` and
 * `create_torrent` with `v1_only | canonical_files`, `v2_only`, and no flag (hybrid), with
 * `symlinks` where there are any. Byte `at` of a file of `length` bytes is
 * `(at + length) mod 251`.
 *
 * @module
 */

import type { DraftFile } from '../../src/metainfo/index.ts';

interface LibtorrentVector {
  readonly title: string;
  readonly name: string;
  readonly files: readonly DraftFile[];
  /** SHA-1. */
  readonly v1: string;
  /** SHA-256. */
  readonly v2: string;
  /** Both, of one info dictionary. */
  readonly hybrid: readonly [string, string];
}

/** Bytes of a piece of all of them. */
export const PIECE_LENGTH = 32_768;

export const LIBTORRENT: readonly LibtorrentVector[] = [
  {
    title: 'one file of 1 bytes',
    name: 'file',
    files: [{ path: [], length: 1 }],
    v1: 'b160a6924ed91823a053ebb602b6e2a1e313514d',
    v2: 'ffc3a9718f441729da638a3d3e4410467ac1b6f09e68d0d2770614dc97769060',
    hybrid: [
      '4cc93972a8a3c1f14200f05ba42d3e5c2a8879a5',
      'aafb0dd57076f2989f6dc248160ba5d51d8d11174637939c181ced53c4110a0f',
    ],
  },
  {
    title: 'one file of 16383 bytes',
    name: 'file',
    files: [{ path: [], length: 16_383 }],
    v1: 'fde5845a4a9e314398270e8ed75775517b6e37fe',
    v2: '4730991a20cda18cbf33341168140c369000bf56150b1027fa7334a08a5c0215',
    hybrid: [
      '02228d1e455a584fdc7f9126f22818af9f19d776',
      '5096df69487be0628e1f015461d51815d62bae92fbc4b9372108cb58542edcf8',
    ],
  },
  {
    title: 'one file of 16384 bytes',
    name: 'file',
    files: [{ path: [], length: 16_384 }],
    v1: 'f83247af4c71be9c790d6cd5247c261883484517',
    v2: '00b1c470eb3560e8f8d9171f0b01322fa9618c939c9070ef71da814c529cb7ea',
    hybrid: [
      '4d228218f07be9dbcecb2d53d89510ec0069ef8d',
      'b7448a7f96306fae279486e1457596d61846731e19eded73e74ff4a2c6bbcf7e',
    ],
  },
  {
    title: 'one file of 16385 bytes',
    name: 'file',
    files: [{ path: [], length: 16_385 }],
    v1: 'a4bc955b8ba0abbacdcff067c14639bcce7cb167',
    v2: 'f8486e2a903a3efc6567a20a8d8e79fa52c95167256e0f4db7b131a3939a0332',
    hybrid: [
      '9b58ce0c49b9e1db59e703c228710ab327ce4a62',
      '17e8278e7c47976c9722c5fbe25b8c1e3cdff3121121a3158452bfb4e69dc496',
    ],
  },
  {
    title: 'one file of 32767 bytes',
    name: 'file',
    files: [{ path: [], length: 32_767 }],
    v1: '234ecae49b55a54eeb2ecad8accc286412b16a2f',
    v2: 'c47cec873ebe1692617e579ab0cf1e95bd750df3df8a10d5d6ba17a354b2a96e',
    hybrid: [
      'd5c4291221c7db73012ce0bd261752e74762598a',
      '6b9d4dc9469a00b1e3fcbc89f874aeb44fdb04721eb0eb820dd63eccbb4ba3cd',
    ],
  },
  {
    title: 'one file of 32768 bytes',
    name: 'file',
    files: [{ path: [], length: 32_768 }],
    v1: 'ec24cf7fb8c1e5161916c846ccafeea76a9b8cc4',
    v2: '6c9b66830902616cb530d7b507ab77a9e168925ba23d523ef4f45c0675037b63',
    hybrid: [
      '4ebe4a2a0e6c656dd74acde0d7841c41ed333ccc',
      '50332758424e187bf31cb092cd6242f446dc5fc9a9d2e03da5bd43a639746ec5',
    ],
  },
  {
    title: 'one file of 32769 bytes',
    name: 'file',
    files: [{ path: [], length: 32_769 }],
    v1: 'faa218c1d52a7a4def18d4d7f19a2d845e3a71e5',
    v2: 'a4914cfab8f1b15e75fd06c32b95093052ffb0d4078904c5db2e92de005debe7',
    hybrid: [
      '2c1b5c62273cd99517541a44e1ce4d840942ec36',
      '5c1dc656fea4a7b4d7118f43f02c99f68c17cf01fa9a8f47c4293dc8fda52b61',
    ],
  },
  {
    title: 'one file of 65536 bytes',
    name: 'file',
    files: [{ path: [], length: 65_536 }],
    v1: '31c303ec837b446baa416738e066b277dba76acd',
    v2: 'a3aac8e1e057a0324f21157743f1fb4495c5763bb7d5a9253a1684610d5036e0',
    hybrid: [
      'b6d95203ebbb6b5b015345a34312f40b5e04e039',
      '8be7a2ee8f78308084a2dc4258695025d3f0c97fed94a0b976bb8074f7aa96a9',
    ],
  },
  {
    title: 'one file of 65537 bytes',
    name: 'file',
    files: [{ path: [], length: 65_537 }],
    v1: 'd0f4fb6850b13cf41bcd91cc1f493328b186a328',
    v2: '8bad327362e0ace6737f6a39e0c161b8fd846f948fbab71280b1a5065ca97031',
    hybrid: [
      '4ac33f0c079481fabfbe84724450f19200a8e8b2',
      '651c27fbf5b16123e048fdec2ecee7fae67d7726027a897c09f9bf41074f4d9d',
    ],
  },
  {
    title: 'one file of 163847 bytes',
    name: 'file',
    files: [{ path: [], length: 163_847 }],
    v1: 'ca240dc1a9ecc3c9336f0e25b13dc8eaba14a871',
    v2: '805cc1b88d2587aacdd9bce5c3cd206a6a29c4697bc791a8e744523b265884a8',
    hybrid: [
      '5265a52ec1aa2490d41c4576311e27cd5919d022',
      '5c6d42650266f3743ec2d53e59c8bb2a0b4c87672cb20f39477188e0295233b7',
    ],
  },
  {
    title: 'an executable',
    name: 'run',
    files: [{ path: [], length: 5, executable: true }],
    v1: '8d60528bf04389d3cdc8678c9376152fc381ed17',
    v2: 'e2d052705860424d3f02c74f2a92585a3541f09c302aa9e4bcd5b46956f7d561',
    hybrid: [
      'a0e12d77ff1c0a0b5a32c774671b8c32c7358a2f',
      'f8dc32cef7f88c05583f02cbf6d41bfaee4d513f2efdcbdc90595add7a3bbad0',
    ],
  },
  {
    title: 'every edge in one folder',
    name: 'edges',
    files: [
      { path: ['000000'], length: 0 },
      { path: ['000001'], length: 1 },
      { path: ['016383'], length: 16_383 },
      { path: ['016384'], length: 16_384 },
      { path: ['016385'], length: 16_385 },
      { path: ['032767'], length: 32_767 },
      { path: ['032768'], length: 32_768 },
      { path: ['032769'], length: 32_769 },
      { path: ['065536'], length: 65_536 },
    ],
    v1: '1a53176799fdb0092067f9ca2b05baf7f6d1c95b',
    v2: '873b50bdee367056da249cf205196b86fb84d3d73aa79bb16cda27b8b61b24c9',
    hybrid: [
      'e31d81bad4de1e9a55f7cde8c47dae80710962a2',
      '6f70e4b7ca9faf3acdbeabd7cbccc6d46e02ba4c037087394fef0b1de8defdd2',
    ],
  },
  {
    title: 'one file in a folder',
    name: 'dir',
    files: [{ path: ['x'], length: 5 }],
    v1: 'e8cb088cf015f3743119742f0e339c671f5e2a68',
    v2: 'd147fddde1e6d99b6fcc2459d2d1cb2b4795bfeab1ad40a01c459f3083a0cd84',
    hybrid: [
      '6219f39126121adf3c97cd32ffecc90d124ea1c2',
      'eb2fb9bf94deaf11d53aeed363b12395b8241091b60d42831e8bbee449138d2c',
    ],
  },
  {
    title: 'one file deep in folders',
    name: 'dir',
    files: [{ path: ['sub', 'sub', 'x'], length: 5 }],
    v1: '87e4daebd3a286eb5c561d79ea420b45fa093702',
    v2: '062879699d1d03fdb51ebd097649da0ffef87758b82ada33432bb27a8c8411ad',
    hybrid: [
      'a0de0fd97e6c7e2abdbf470a8abfc00918bdf8c6',
      'a3b7ad334fc2f2712649bd81a8c7810ea9532d8c178441c1ce338b45cda1f49d',
    ],
  },
  {
    title: 'a file and an empty one',
    name: 'dir',
    files: [
      { path: ['x'], length: 5 },
      { path: ['e'], length: 0 },
    ],
    v1: 'cc900a0bf800f320be957c946bcb6a279a92238b',
    v2: '7dec83305eed6685b7e9bfe90b5a94c9f37f532b6a9766035e04c400da50097e',
    hybrid: [
      '40c20e808a89fae42e1aa03ae6f9cf0c89355e84',
      '6ee3a568e7586a272724df97088ff09035f43b7ef19d46bdd3404fbc71fcd3f5',
    ],
  },
  {
    title: 'nothing to pad',
    name: 'dir',
    files: [
      { path: ['a'], length: 32_768 },
      { path: ['b'], length: 65_536 },
    ],
    v1: '984185d6b91c12d15d67e391407e6e3a6b8435e0',
    v2: 'd9ff28c4e8434fb58796b54575b730f66d29360461d0794e59413c100a628cc2',
    hybrid: [
      'ba95dc79a1d9bd47b6306b725dcc3e16d1517e8e',
      'acb54edd293b37d9d4ac2aca97042e951554fc83bb3f0f928f678b800d4f3bd4',
    ],
  },
  {
    title: 'names beyond ASCII, and the order of bytes',
    name: 'tést',
    files: [
      { path: ['ünï', '日本'], length: 9 },
      { path: ['😀'], length: 2 },
      { path: ['￮'], length: 3 },
      { path: ['sub', 'b'], length: 5 },
      { path: ['sub.x'], length: 4 },
      { path: ['sub2', 'empty'], length: 0 },
      { path: ['SUB'], length: 6 },
      { path: ['z'], length: 32_768, executable: true },
    ],
    v1: 'facb6d72e8036be4be21bf2fea9e67e7c0198735',
    v2: 'df4f55f634e1ea2f7804623c45f335098fb1badb7d0a1defc3bfb3abf353e583',
    hybrid: [
      '5fc3870a6c83068b8229d5b47ebbae4f8836f0ab',
      'cb2aaa61c4c0448103092c3aac793f75afeb41f3a671b422810cc54f8b2fedbd',
    ],
  },
  {
    title: 'symlinks',
    name: 'links',
    files: [
      { path: ['a', 'b'], length: 5 },
      { path: ['z'], length: 32_769 },
      { path: ['l'], length: 0, executable: true, symlink: ['a', 'b'] },
      { path: ['d'], length: 0, executable: true, symlink: ['a'] },
      { path: ['y'], length: 0, executable: true, symlink: ['z'] },
    ],
    v1: 'd54d4a0a80d362e094472bfc2c02f1fa654193d3',
    v2: 'ee486270cf1c5f0762d20895b13defcf4081912b669c3deaf2b4a0dffcb66129',
    hybrid: [
      'c9729049149e221f8e64cafc40cdba768f59af54',
      '7a00d6c63b350feacb2edd179ce63f09bbb203307d19fb354169d1a44965b3d4',
    ],
  },
  {
    title: 'a folder of one’s own with the name of padding',
    name: 'dir',
    files: [
      { path: ['.pad', '5'], length: 3 },
      { path: ['z'], length: 4 },
    ],
    v1: '68dc5d807e5d163d32ef28e1ea72f2eda3f47f38',
    v2: '8af40d0667d688d64ee41b44407b4bdd7544471cf2adedf4fbb4026338cfb194',
    hybrid: [
      'ae325fb7bd6120302dd6a01d554fa46c7c56b160',
      '10577a82949da495c06c780758929b417c6bf163025ec5e59e2ca09265da6459',
    ],
  },
];
