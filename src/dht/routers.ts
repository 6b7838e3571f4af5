/** Nodes that everybody may begin with. @module */

/** A name or literal address, and a port. */
export interface Router {
  readonly host: string;
  readonly port: number;
}

/** Run by the makers of clients for this purpose; those that libtorrent and Transmission begin with. */
export const WELL_KNOWN_ROUTERS: readonly Router[] = [
  { host: 'router.bittorrent.com', port: 6881 },
  { host: 'dht.transmissionbt.com', port: 6881 },
  { host: 'dht.libtorrent.org', port: 25_401 },
  { host: 'router.utorrent.com', port: 6881 },
];
