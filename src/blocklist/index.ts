/** Blocklists: read, and kept to by a network. @module */

export { Gate, type GateCounts } from './gate.ts';
export { type ParsedList, parseBlocklist } from './parse.ts';
