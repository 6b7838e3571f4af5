/** Which peers a session has nothing to do with, by what their handshakes say. @module */

import type { Endpoint } from '../base/endpoint.ts';
import { formatClient, identifyClient, showPeerId } from './clients.ts';
import type { Handshake } from './codec.ts';

/** What is known of a peer when its handshake is over. */
export interface HandshakeFacts {
  readonly handshake: Handshake;
  readonly remote: Endpoint;
}

export interface HandshakeRule {
  /** Completes "the peer is turned away: …". */
  readonly reason: string;
  /** Peer ids, reserved bits, infohashes, addresses: whatever a handshake tells. */
  matches(facts: HandshakeFacts): boolean;
}

/** Rules may come and go while it is in use; they hold for handshakes from then on. */
export class HandshakeFilter {
  readonly #blocks = new Set<HandshakeRule>();
  readonly #allows = new Set<HandshakeRule>();

  /** Whom the rule is about is turned away. The returned function takes it back; twice is fine. */
  block(rule: HandshakeRule): () => void {
    this.#blocks.add(rule);
    return () => void this.#blocks.delete(rule);
  }

  /** Whom the rule is about is let in, whatever is blocked. The returned function takes it back. */
  allow(rule: HandshakeRule): () => void {
    this.#allows.add(rule);
    return () => void this.#allows.delete(rule);
  }

  /** Why a peer is turned away, if it is. */
  refusal(facts: HandshakeFacts): string | undefined {
    const rule = firstOf(this.#blocks, facts);
    return rule === undefined || firstOf(this.#allows, facts) !== undefined
      ? undefined
      : rule.reason;
  }
}

/**
 * About clients whose name and version (BEP 20) begin with `text`, in capitals or not, and peer ids that begin
 * with it: `Xunlei`, `µTorrent 1.`, `-XL`.
 */
export function clientRule(text: string): HandshakeRule {
  const wanted = text.toLowerCase();
  return {
    reason: `\`${text}\` is blocked`,
    matches({ handshake: { peerId } }) {
      const client = formatClient(identifyClient(peerId))?.toLowerCase() ?? '';
      return client.startsWith(wanted) || showPeerId(peerId).startsWith(text);
    },
  };
}

function firstOf(rules: Iterable<HandshakeRule>, facts: HandshakeFacts): HandshakeRule | undefined {
  for (const rule of rules) if (rule.matches(facts)) return rule;
  return undefined;
}
