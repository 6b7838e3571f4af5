/**
 * Message stream encryption (MSE, also PE): a handshake of random bytes before that of BEP 3, and RC4
 * behind it when both sides want that. No BEP; what counts is what the large clients do.
 *
 * Pure: {@link MseStream} is a byte stream around a byte stream, so that all above is the same with and
 * without it. {@link Negotiation} runs either side of the handshake on bytes alone.
 *
 * @module
 */

export { CipherBuffers } from './buffers.ts';
export type { Agreement, Method } from './negotiation.ts';
export { hiddenName } from './secrets.ts';
export { type MseAnswer, type MseCall, type MseContext, MseStream } from './stream.ts';
