/** Who may announce what. @module */

import { InfoHashSet, type InfoHashSetHandle } from './info-hash-set.ts';
import type { Refusal } from './model.ts';
import { NetworkSet, type NetworkSetHandle } from './network-set.ts';

/** Plain data: threads can post it to each other. */
export interface AccessLists {
  /** Only these are served; everything when left out. */
  readonly allow?: InfoHashSetHandle;
  /** These are not served. */
  readonly deny?: InfoHashSetHandle;
  /** Nobody from there is served. */
  readonly denyNetworks?: NetworkSetHandle;
  /** Private mode (BEP 27): only who has one of these is served. */
  readonly passkeys?: ReadonlySet<string>;
}

/** The lists in force. They are replaced as a whole, never changed. */
export class Access {
  readonly #allow: InfoHashSet | undefined;
  readonly #deny: InfoHashSet | undefined;
  readonly #denyNetworks: NetworkSet | undefined;
  readonly #passkeys: ReadonlySet<string> | undefined;

  constructor({ allow, deny, denyNetworks, passkeys }: AccessLists = {}) {
    this.#allow = allow && InfoHashSet.attach(allow);
    this.#deny = deny && InfoHashSet.attach(deny);
    this.#denyNetworks = denyNetworks && NetworkSet.attach(denyNetworks);
    this.#passkeys = passkeys;
  }

  /** Private mode is on. */
  get needsPasskey(): boolean {
    return this.#passkeys !== undefined;
  }

  /** Whether `infoHash` may be announced by `address`, 4 or 16 bytes, with `passkey`. */
  refuses(
    infoHash: Uint8Array,
    address: Uint8Array,
    passkey: string | undefined,
  ): Refusal | undefined {
    return this.refusesSender(address, passkey) ?? this.refusesInfoHash(infoHash);
  }

  /** Whether `address` may ask anything at all. */
  refusesSender(address: Uint8Array, passkey: string | undefined): Refusal | undefined {
    if (this.#denyNetworks?.has(address) === true) return 'address-denied';
    if (this.#passkeys === undefined) return undefined;
    return passkey !== undefined && this.#passkeys.has(passkey) ? undefined : 'passkey';
  }

  refusesInfoHash(infoHash: Uint8Array): Refusal | undefined {
    const allowed = this.#allow?.has(infoHash) ?? true;
    const denied = this.#deny?.has(infoHash) ?? false;
    return allowed && !denied ? undefined : 'not-listed';
  }
}
