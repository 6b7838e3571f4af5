/** What the two realms of a node share. @module */

import type { ItemStore } from './items/index.ts';
import type { PeerStore } from './peer-store.ts';
import type { Tokens } from './tokens.ts';

export interface Stores {
  readonly peers: PeerStore;
  readonly items: ItemStore;
  readonly tokens: Tokens;
}
