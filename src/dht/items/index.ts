/** Items that nodes keep for others (BEP 44), and pointers to torrents in them (BEP 46). @module */

export { publicKeyOf } from './ed25519.ts';
export {
  type DhtItem,
  type ImmutableItem,
  immutableTarget,
  MAX_SALT_BYTES,
  MAX_SEQUENCE,
  MAX_VALUE_BYTES,
  type MutableItem,
  mutableTarget,
  type Signing,
  signedBytes,
  signItem,
  verifyItem,
} from './item.ts';
export {
  type ItemPut,
  ItemStore,
  type ItemStoreOptions,
  LIFETIME_MS as ITEM_LIFETIME_MS,
  MAX_ITEMS,
  type StoreResult,
} from './item-store.ts';
export { decodeTorrentPointer, encodeTorrentPointer } from './torrent-pointer.ts';
