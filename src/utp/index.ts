/**
 * uTP (BEP 29): connections like those of TCP on one UDP socket, which give way to other traffic
 * (LEDBAT, RFC 6817). Selective acks, recovery without timeouts, trials of larger packets.
 *
 * @module
 */

export { looksLikeUtp } from './codec.ts';
export { type UtpOptions, UtpSocket } from './socket.ts';
