/** The first words to a fresh link: what we have, which extensions we take, what we promise. @module */

import type { InfoHash } from '../base/ids.ts';
import { allowedFastSet, type ExtensionName } from '../peer/index.ts';
import type { Content } from './content.ts';
import type { SessionIdentity } from './options.ts';
import type { PeerLink } from './peer-link.ts';

/** Extensions that every torrent takes part in. */
const EXTENSIONS = ['ut_metadata', 'lt_donthave', 'upload_only'] as const;

export interface GreetingOptions {
  readonly identity: SessionIdentity;
  readonly infoHash: InfoHash;
  readonly content: () => Content | undefined;
  /** Bytes of the info dictionary when we have it to give. */
  readonly metadataSize: () => number | undefined;
  /** Extensions beside those of every torrent. */
  readonly extensions: () => readonly ExtensionName[];
}

export class Greeting {
  readonly #options: GreetingOptions;

  constructor(options: GreetingOptions) {
    this.#options = options;
  }

  /**
   * Everything that is said at first; the caller flushes.
   * @param dhtPort for a peer that has a DHT node as we do (BEP 5)
   */
  greet(link: PeerLink, dhtPort: number | undefined): void {
    const { connection } = link;
    const content = this.#options.content();
    connection.sendPieces(content?.uploader.served);
    this.sendHandshake(link);
    if (dhtPort !== undefined) connection.sendPort(dhtPort);
    if (content !== undefined) this.#grantFast(link, content);
  }

  /** The extended handshake (BEP 10), which may be repeated when something in it has changed. */
  sendHandshake({ connection, remote }: PeerLink): void {
    const { identity, content, metadataSize, extensions } = this.#options;
    const { port, version } = identity;
    const size = metadataSize();
    const ours = {
      version,
      yourIp: remote.host,
      ...(size === undefined ? {} : { metadataSize: size }),
      port,
      ...(content()?.isComplete === true ? { uploadOnly: true } : {}),
    };
    connection.sendExtendedHandshake(ours, [...EXTENSIONS, ...extensions()]);
  }

  /** Some pieces may be had even while we choke (BEP 6). */
  #grantFast({ remote, connection }: PeerLink, { have }: Content): void {
    if (have.isEmpty) return;
    const granted = allowedFastSet(remote.host, this.#options.infoHash.wire, have.length);
    connection.sendAllowedFast(granted.filter((piece) => have.has(piece)));
  }
}
