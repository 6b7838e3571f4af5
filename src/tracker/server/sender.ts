/** Addresses of senders, from the text of sockets to bytes, without garbage. @module */

import { parseIp } from '../../base/ip.ts';

const DOT = 0x2e;
const ZERO = 0x30;

/** Turns the text of a literal address into bytes that are good until the next call. */
export class SenderAddress {
  readonly #four = new Uint8Array(4);

  /** 4 or 16 bytes; `undefined` for what is no address. IPv4 takes no allocation. */
  read(host: string): Uint8Array | undefined {
    return this.#readFour(host) ? this.#four : parseIp(withoutZone(host));
  }

  /** Sockets write no leading zeros. */
  #readFour(host: string): boolean {
    if (host.length > 15) return false;
    let value = 0;
    let at = 0;
    for (let index = 0; index < host.length; index++) {
      const code = host.charCodeAt(index);
      if (code === DOT) {
        if (at === 3) return false;
        this.#four[at++] = value;
        value = 0;
      } else if (code >= ZERO && code <= ZERO + 9) {
        value = value * 10 + code - ZERO;
        if (value > 255) return false;
      } else return false;
    }
    this.#four[at] = value;
    return at === 3;
  }
}

/** Link-local senders come as `fe80::1%eth0`. */
function withoutZone(host: string): string {
  const percent = host.indexOf('%');
  return percent < 0 ? host : host.slice(0, percent);
}
