/**
 * A seeded virtual world: hosts with disks on a network with latency, bandwidth, loss, NATs and
 * partitions, all in virtual time. Two runs with one seed are equal in every event.
 *
 * @module
 */

export type { Digest } from './digest.ts';
export type { DiskFault, DiskOperation, DiskSnapshot, SimDisk } from './disk.ts';
export { SimHost } from './host.ts';
export type { HostOptions, NatKind, PathOptions } from './host-options.ts';
export type {
  SimCertificate,
  SimHttpHandler,
  SimHttpRequest,
  SimHttpResponse,
} from './http-server.ts';
export { SeededRandom } from './seeded-random.ts';
export type { SimWebSocketHandler } from './web-socket.ts';
export { World, type WorldOptions } from './world.ts';
