#!/usr/bin/python3
"""libtorrent (rasterbar) as nodes of a DHT, for tests on loopback.

  rasterbar-dht.py HOST:PORT...        a node at each, until stdin ends

Prints one JSON object a line. First {"event": "ready", "nodes": [{"at", "id"}, ...]}, then an answer
to each command. Commands are JSON objects on stdin, one a line, with "do" and, by its number, "node":

  know      at                         a node that it is to ask
  table                                -> table: nodes [HOST:PORT, ...]
  announce  infoHash | torrent, dir    -> announcing: infoHash, at; a torrent file is seeded from dir;
                                          the same again: announces again
  peers     infoHash                   -> peers: infoHash, peers [HOST:PORT, ...], once for each answer
  sample    at, target                 -> sample: at, total, samples, seconds, nodes
  put       value                      -> put: target, stored
  get       target                     -> item: target, value, shown
  sign      secretKey, publicKey, salt, value
                                       -> put: publicKey, salt, sequence, signature, stored
  fetch     publicKey, salt            -> item: publicKey, salt, sequence, signature, value, final

All bytes are hex. Values are bencoded, null where there is none; the binding gives strings only, all
others are but shown as text, in libtorrent's own notation. What libtorrent puts is a string.
"""
import json
import os
import sys
import threading
import time
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)
import libtorrent as lt

stdin_ended = threading.Event()
printing = threading.Lock()


def emit(event, **fields):
    with printing:
        print(json.dumps({"event": event, **fields}), flush=True)


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host.strip("[]"), int(port)


def name(pair):
    host, port = pair
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def hash_of(text):
    return lt.sha1_hash(bytes.fromhex(text))


def octets(value):
    return value if isinstance(value, bytes) else value.encode("latin-1")


def open_session(at):
    """Content with nodes that share addresses or a network, and with ids that fit no address."""
    host, _ = endpoint(at)
    return lt.session({
        "listen_interfaces": at,
        "outgoing_interfaces": host,
        "enable_dht": True,
        "dht_bootstrap_nodes": "",
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_enforce_node_id": False,
        "dht_prefer_verified_node_ids": False,
        "dht_ignore_dark_internet": False,
        "dht_privacy_lookups": False,
        "dht_block_ratelimit": 1000,
        "dht_upload_rate_limit": 1_000_000,
        "dht_sample_infohashes_interval": 0,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_ip_notifier": False,
        "allow_multiple_connections_per_ip": True,
        "alert_mask": int(
            lt.alert.category_t.dht_notification
            | lt.alert.category_t.dht_operation_notification
            | lt.alert.category_t.error_notification
            | lt.alert.category_t.status_notification
        ),
    })


class Node:
    def __init__(self, at):
        self.at = at
        self.session = open_session(at)
        self.torrents = {}

    @property
    def id(self):
        """Known once the DHT runs on the address."""
        ids = (self.session.dht_state() or {}).get(b"node-id")
        return ids[0][:20] if ids else None

    def know(self, command):
        self.session.add_dht_node(endpoint(command["at"]))

    def table(self, command):
        self.session.dht_live_nodes(lt.sha1_hash(self.id))

    def announce(self, command):
        """By way of a torrent: dht_announce of the session cannot be called from Python in 2.0.8."""
        key = command.get("torrent") or command["infoHash"]
        handle = self.torrents.get(key)
        if handle is None:
            handle = self.torrents[key] = self.session.add_torrent(self.parameters(command))
        else:
            handle.force_dht_announce()
        emit("announcing", infoHash=str(handle.info_hashes().v1), at=self.at)

    def parameters(self, command):
        flags = lt.torrent_flags
        params = lt.add_torrent_params()
        params.flags = flags.default_flags & ~(flags.auto_managed | flags.paused)
        if "torrent" in command:
            params.ti = lt.torrent_info(command["torrent"])
            params.save_path = command["dir"]
            params.flags |= flags.seed_mode
        else:
            params.info_hashes = lt.info_hash_t(hash_of(command["infoHash"]))
            params.save_path = "/nonexistent"
        return params

    def peers(self, command):
        self.session.dht_get_peers(hash_of(command["infoHash"]))

    def sample(self, command):
        self.session.dht_sample_infohashes(endpoint(command["at"]), hash_of(command["target"]))

    def put(self, command):
        self.session.dht_put_immutable_item(bytes.fromhex(command["value"]))

    def get(self, command):
        self.session.dht_get_immutable_item(hash_of(command["target"]))

    def sign(self, command):
        secret, public, value, salt = (
            bytes.fromhex(command[key]) for key in ("secretKey", "publicKey", "value", "salt")
        )
        self.session.dht_put_mutable_item(secret, public, value, salt)

    def fetch(self, command):
        public, salt = (bytes.fromhex(command[key]) for key in ("publicKey", "salt"))
        self.session.dht_get_mutable_item(public, salt)

    def report(self, alert):
        if isinstance(alert, lt.dht_live_nodes_alert):
            emit("table", at=self.at, nodes=[name(node["endpoint"]) for node in alert.nodes])
        elif isinstance(alert, lt.dht_get_peers_reply_alert):
            emit("peers", at=self.at, infoHash=str(alert.info_hash), peers=[name(peer) for peer in alert.peers()])
        elif isinstance(alert, lt.dht_sample_infohashes_alert):
            emit("sample", at=name(alert.endpoint), total=alert.num_infohashes,
                 samples=[str(sample) for sample in alert.samples],
                 seconds=alert.interval.total_seconds(), nodes=[name(node["endpoint"]) for node in alert.nodes])
        elif isinstance(alert, lt.dht_immutable_item_alert):
            shown = " ".join(alert.message().partition("[")[2].rpartition("]")[0].split())
            emit("item", target=str(alert.target), value=value_of(alert), shown=shown)
        elif isinstance(alert, lt.dht_mutable_item_alert):
            emit("item", publicKey=bytes(alert.key).hex(), salt=octets(alert.salt).hex(), sequence=alert.seq,
                 signature=bytes(alert.signature).hex(), value=value_of(alert), final=alert.authoritative)
        elif isinstance(alert, lt.dht_put_alert):
            if any(alert.public_key):
                emit("put", publicKey=bytes(alert.public_key).hex(), salt=octets(alert.salt).hex(),
                     sequence=alert.seq, signature=bytes(alert.signature).hex(), stored=alert.num_success)
            else:
                emit("put", target=str(alert.target), stored=alert.num_success)
        elif alert.what() in ("listen_failed", "dht_error", "torrent_error"):
            emit("warning", at=self.at, message=alert.message())


def value_of(alert):
    try:
        item = alert.item
    except RuntimeError:  # so the binding says that there is none, or no string
        return None
    value = item["value"]
    if isinstance(alert, lt.dht_mutable_item_alert) and not any(alert.signature):
        return None
    return lt.bencode(value).hex()


COMMANDS = ("know", "table", "announce", "peers", "sample", "put", "get", "sign", "fetch")


def obey(nodes):
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] not in COMMANDS:
                raise ValueError("unknown command")
            getattr(nodes[command["node"]], command["do"])(command)
        except Exception as error:  # a bad command must not end the nodes
            emit("error", command=command, message=f"{type(error).__name__}: {error}")
    stdin_ended.set()


def main():
    nodes = [Node(at) for at in sys.argv[1:]]
    while any(node.id is None for node in nodes):
        time.sleep(0.02)
    emit("ready", nodes=[{"at": node.at, "id": node.id.hex()} for node in nodes])
    threading.Thread(target=obey, args=(nodes,), daemon=True).start()
    while not stdin_ended.wait(0.02):
        for node in nodes:
            for alert in node.session.pop_alerts():
                node.report(alert)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # libtorrent's own teardown waits
