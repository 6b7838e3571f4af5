/**
 * `node webtorrent.mjs TORRENT DIR PORT`: downloads by the torrent's own trackers over TCP and ends
 * when complete. No DHT, LSD, PEX, uTP, web seeds or port mapping.
 */
import WebTorrent from 'webtorrent';

const [torrent, path, port] = process.argv.slice(2);
const client = new WebTorrent({
  dht: false,
  lsd: false,
  utPex: false,
  utp: false,
  webSeeds: false,
  natUpnp: false,
  natPmp: false,
  torrentPort: Number(port),
  tracker: { wrtc: false },
});
client.on('error', (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
client.add(torrent, { path }, (added) => {
  added.on('done', () => client.destroy(() => process.exit(0)));
});
