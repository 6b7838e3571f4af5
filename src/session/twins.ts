/** One connection with each peer: which of two stays. @module */

import { compareBytes } from '../base/bytes.ts';
import type { PeerId } from '../base/ids.ts';
import type { Introduced } from './introduction.ts';
import type { PeerLink } from './peer-link.ts';

/**
 * Of two connections made in both directions at once, both sides keep the one that the larger peer id
 * began; a second one in the same direction is turned away. Addresses say nothing: over uTP both have the same.
 *
 * @returns the link that has to go, `'newcomer'` when the new one has to, `undefined` when there are no two.
 */
export function loserOfTwins<Link extends Pick<PeerLink, 'peerId' | 'outgoing'>>(
  { handshake, outgoing }: Pick<Introduced, 'handshake' | 'outgoing'>,
  links: Iterable<Link>,
  ourId: PeerId,
): Link | 'newcomer' | undefined {
  for (const link of links) {
    if (!link.peerId.equals(handshake.peerId)) continue;
    if (link.outgoing === outgoing) return 'newcomer';
    const weAreLarger = compareBytes(ourId.bytes, handshake.peerId.bytes) > 0;
    return outgoing === weAreLarger ? link : 'newcomer';
  }
  return undefined;
}
