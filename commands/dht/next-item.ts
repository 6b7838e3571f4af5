/** Which item is to be put, by what is there already (BEP 44). @module */

import { equalBytes } from '../../src/base/bytes.ts';
import { RemoteError } from '../../src/base/errors.ts';
import { type DhtItem, MAX_SEQUENCE, type MutableItem, signItem } from '../../src/dht/index.ts';

export interface NextItem {
  readonly value: Uint8Array;
  readonly salt: Uint8Array;
  readonly secretKey: Uint8Array;
  /** Asked for; else it follows from what is there. */
  readonly sequence: bigint | undefined;
  /** The sequence that is to be there, if any is. */
  readonly compareSequence: bigint | undefined;
}

/**
 * The item to put in the place of `current`: with the next sequence, and `current` itself, to be put once
 * more, when it has the value already.
 *
 * @throws {RemoteError} `BIP_DHT_SEQUENCE` when nodes would refuse it.
 */
export function nextItem(current: DhtItem | undefined, next: NextItem): MutableItem {
  const { value, salt, secretKey, sequence, compareSequence } = next;
  const found = current?.type === 'mutable' ? current : undefined;
  if (found === undefined) return signItem({ value, salt, secretKey, sequence: sequence ?? 1n });
  const isSame = equalBytes(found.value, value) && (sequence ?? found.sequence) === found.sequence;
  const wanted = isSame ? found.sequence : (sequence ?? found.sequence + 1n);
  check({ found: found.sequence, wanted, isSame, expected: compareSequence });
  return isSame ? found : signItem({ value, salt, secretKey, sequence: wanted });
}

/** @throws {RemoteError} */
function check(about: {
  readonly found: bigint;
  readonly wanted: bigint;
  readonly isSame: boolean;
  readonly expected: bigint | undefined;
}): void {
  const { found, wanted, isSame, expected = found } = about;
  if (expected !== found) {
    throw refusal(`the item has sequence ${found}, not the ${expected} of --cas`);
  }
  if (wanted > MAX_SEQUENCE) {
    throw refusal(
      'the item has the highest sequence that there is, and cannot be changed any more',
    );
  }
  if (wanted <= found && !isSame) {
    throw refusal(
      `the item has sequence ${found} already, and nodes take only higher ones; without --seq it is the next one`,
    );
  }
}

function refusal(message: string): RemoteError {
  return new RemoteError(message, { code: 'BIP_DHT_SEQUENCE' });
}
