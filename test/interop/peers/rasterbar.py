#!/usr/bin/python3
"""libtorrent (rasterbar) as a maker of torrents and as a peer, for tests on loopback.

  rasterbar.py create SOURCE OUT.torrent [--format v1|v2|hybrid] [--piece-length N]
                      [--symlinks] [--tracker URL]... [--private]
  rasterbar.py create-all JOBS                         one JSON object a line: source, out, format,
                                                       piece_length, symlinks
  rasterbar.py inspect TORRENT...                      what libtorrent reads in them
  rasterbar.py verify TORRENT DIR                      checks the data once, and says how much is good
  rasterbar.py seed TORRENT DIR [options]              serves until stdin ends
  rasterbar.py download TORRENT|MAGNET DIR [options]   exits with 0 when complete

Prints one JSON object a line, each with an "event": created, inspected, verified, ready,
called (by a peer, from host), state, complete, warning, error, stopped. Nothing leaves the machine: no DHT,
no port mapping, no local discovery unless --lpd asks for it, and sockets are bound to --host only.
"""
import argparse
import json
import os
import sys
import threading
import time
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)
import libtorrent as lt

STATE_EVERY_SECONDS = 0.2
stdin_ended = threading.Event()


def emit(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def hash_of(handle_or_info):
    return handle_or_info.info_hashes().v1.to_bytes().hex()


def by_path(files):
    """v1 keeps the order of the file system; here the order is that of paths, part by part."""
    entries = [
        (files.file_path(at), files.file_size(at), files.file_flags(at), files.symlink(at))
        for at in range(files.num_files())
    ]
    entries.sort(key=lambda entry: [part.encode() for part in entry[0].split("/")])
    ordered = lt.file_storage()
    for path, size, flags, target in entries:
        # What comes out begins with the torrent's name, and what goes in must not.
        below = target.split("/", 1)[-1] if flags & lt.file_flags_t.flag_symlink else ""
        ordered.add_file(path, size, flags, 0, below)
    return ordered


def inspect(options):
    for path in options.torrent:
        info = lt.torrent_info(path)
        hashes = info.info_hashes()
        emit(
            "inspected",
            path=path,
            name=info.name(),
            infoHash=str(hashes.v1) if hashes.has_v1() else None,
            infoHashV2=str(hashes.v2) if hashes.has_v2() else None,
            length=info.total_size(),
            pieces=info.num_pieces(),
            files=[info.files().file_path(at) for at in range(info.num_files())],
            links=links_of(info.files()),
        )
    return 0


def links_of(files):
    return {
        files.file_path(at): files.symlink(at)
        for at in range(files.num_files())
        if files.file_flags(at) & lt.file_flags_t.flag_symlink
    }


def verify(options):
    """As fast as libtorrent can: a forced recheck with its defaults, and nothing else under way."""
    ses = lt.session({"listen_interfaces": "", "enable_dht": False, "enable_lsd": False,
                      "enable_upnp": False, "enable_natpmp": False, "hashing_threads": os.cpu_count(),
                      "alert_mask": int(lt.alert.category_t.status_notification)})
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(options.torrent)
    params.save_path = options.dir
    params.flags = lt.torrent_flags.default_flags & ~(
        lt.torrent_flags.auto_managed | lt.torrent_flags.paused
    )
    handle = ses.add_torrent(params)
    checking = (lt.torrent_status.checking_files, lt.torrent_status.checking_resume_data)
    while handle.status().state in checking:
        ses.wait_for_alert(5)
        ses.pop_alerts()
    status = handle.status()
    emit("verified", good=status.num_pieces, pieces=params.ti.num_pieces(),
         complete=status.is_seeding)
    return 0 if status.is_seeding else 1


def create(options):
    source = os.path.abspath(options.source)
    kinds = lt.create_torrent
    links = kinds.symlinks if options.symlinks else 0
    only = {"v1": kinds.v1_only, "v2": kinds.v2_only, "hybrid": 0}[options.format]
    files = lt.file_storage()
    lt.add_files(files, source, flags=links)
    if options.format == "v1":
        files = by_path(files)
    maker = lt.create_torrent(files, options.piece_length, only | links)
    for tier, url in enumerate(options.tracker):
        maker.add_tracker(url, tier)
    maker.set_priv(options.private)
    lt.set_piece_hashes(maker, os.path.dirname(source))
    entry = maker.generate()
    entry.pop(b"creation date", None)  # the same input gives the same bytes
    with open(options.out, "wb") as out:
        out.write(lt.bencode(entry))
    info = lt.torrent_info(options.out)
    hashes = info.info_hashes()
    emit(
        "created",
        infoHash=hash_of(info),
        infoHashV2=str(hashes.v2) if hashes.has_v2() else None,
        name=info.name(),
        pieces=info.num_pieces(),
        pieceLength=info.piece_length(),
        length=info.total_size(),
        magnet=lt.make_magnet_uri(info),
    )
    return 0


def create_all(options):
    with open(options.jobs, encoding="utf-8") as jobs:
        for job in jobs:
            create(argparse.Namespace(tracker=[], private=False, **json.loads(job)))
    return 0


def session(options):
    policy = lt.enc_policy.pe_disabled if options.plain else lt.enc_policy.pe_enabled
    # On loopback libtorrent wants its address named for both directions (else it dials from
    # another one), and trackers at other paths than /announce need ssrf_mitigation off.
    made = lt.session({
        "listen_interfaces": f"[{options.host}]:{options.port}" if ":" in options.host
        else f"{options.host}:{options.port}",
        "outgoing_interfaces": options.host,
        "enable_dht": False,
        "enable_lsd": options.lpd,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_ip_notifier": False,
        "enable_outgoing_utp": options.utp,
        "enable_incoming_utp": options.utp,
        "enable_outgoing_tcp": not options.no_tcp,
        "enable_incoming_tcp": not options.no_tcp,
        "allow_multiple_connections_per_ip": True,
        "ssrf_mitigation": False,
        "in_enc_policy": policy,
        "out_enc_policy": policy,
        "upload_rate_limit": options.upload_limit,
        "download_rate_limit": options.download_limit,
        "rate_limit_ip_overhead": False,
        "min_reconnect_time": 1,
        "peer_connect_timeout": 5,
        "max_failcount": 100,
        "min_announce_interval": 1,
        "tracker_backoff": 10,
        "close_redundant_connections": False,
        "disable_hash_checks": options.lie,
        "alert_mask": int(
            lt.alert.category_t.status_notification
            | lt.alert.category_t.error_notification
            | lt.alert.category_t.tracker_notification
            | lt.alert.category_t.peer_notification
        ),
    })
    # Rate limits spare "local" peers by default: put everybody into the limited class.
    everyone = lt.ip_filter()
    everyone.add_rule("0.0.0.0", "255.255.255.255", 1 << made.global_peer_class_id)
    made.set_peer_class_filter(everyone)
    return made


def parameters(options):
    flags = lt.torrent_flags
    if options.torrent.startswith("magnet:"):
        params = lt.parse_magnet_uri(options.torrent)
    else:
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(options.torrent)
    params.save_path = options.dir
    params.flags = (flags.default_flags | flags.disable_dht | flags.disable_lsd) & ~(
        flags.auto_managed | flags.paused
    )
    if options.lpd:
        params.flags &= ~flags.disable_lsd
    if options.lie or options.seed_mode:
        params.flags |= flags.seed_mode  # whatever is on disk is taken for the truth
    return params


def report_alert(alert, seen):
    kind = alert.what()
    if isinstance(alert, lt.tracker_reply_alert):
        seen["announced"] = True
    elif isinstance(alert, lt.incoming_connection_alert):
        emit("called", host=alert.endpoint[0])
    elif isinstance(alert, lt.tracker_error_alert) or kind in (
        "tracker_warning", "listen_failed", "torrent_error", "file_error", "hash_failed",
    ):
        emit("warning", kind=kind, message=alert.message())


def swarm(options):
    ses = session(options)
    handle = ses.add_torrent(parameters(options))
    for url in options.tracker:
        handle.add_tracker({"url": url, "tier": 0})
    began = time.monotonic()
    seen = {"announced": False}
    seeding, ready, last_state, last_dial = options.mode == "seed", False, 0.0, 0.0
    while not stdin_ended.is_set():
        ses.wait_for_alert(20 if not ready else 100)
        for alert in ses.pop_alerts():
            report_alert(alert, seen)
        status, now = handle.status(), time.monotonic()
        if status.errc.value() != 0:
            emit("error", message=status.errc.message())
            return 1
        if seeding and status.state == status.downloading and status.progress < 1:
            emit("error", message="the data does not match the torrent", progress=status.progress)
            return 1
        may_serve = not seeding or status.is_seeding and (seen["announced"] or not handle.trackers())
        if not ready and may_serve:
            ready = True
            emit("ready", port=ses.listen_port(), infoHash=hash_of(handle))
        if options.peer and now - last_dial > 1:
            last_dial = now
            connected = {info.ip for info in handle.get_peer_info()}
            for peer in options.peer:
                host, port = peer.rsplit(":", 1)
                if (host, int(port)) not in connected:
                    handle.connect_peer((host.strip("[]"), int(port)))
        if now - last_state > STATE_EVERY_SECONDS:
            last_state = now
            emit("state", **counters(status))
        if not seeding and status.is_seeding:
            emit("complete", seconds=round(now - began, 3), **counters(status))
            break
    farewell(ses, handle)
    return 0


def counters(status):
    return {
        "done": status.total_wanted_done,
        "downloaded": status.total_payload_download,
        "uploaded": status.total_payload_upload,
        "failed": status.total_failed_bytes,
        "peers": status.num_peers,
    }


def farewell(ses, handle):
    emit("stopped", **counters(handle.status()))
    handle.flush_cache()
    ses.pause()  # tells the tracker "stopped"
    time.sleep(0.05)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = parser.add_subparsers(dest="mode", required=True)
    maker = modes.add_parser("create")
    maker.add_argument("source")
    maker.add_argument("out")
    maker.add_argument("--piece-length", type=int, default=0)
    maker.add_argument("--tracker", action="append", default=[])
    maker.add_argument("--private", action="store_true")
    maker.add_argument("--format", choices=("v1", "v2", "hybrid"), default="v1")
    maker.add_argument("--symlinks", action="store_true", help="keep symbolic links")
    modes.add_parser("create-all").add_argument("jobs")
    modes.add_parser("inspect").add_argument("torrent", nargs="+")
    checker = modes.add_parser("verify")
    checker.add_argument("torrent")
    checker.add_argument("dir")
    for mode in ("seed", "download"):
        peer = modes.add_parser(mode)
        peer.add_argument("torrent")
        peer.add_argument("dir")
        peer.add_argument("--host", default="127.0.0.1")
        peer.add_argument("--port", type=int, required=True)
        peer.add_argument("--tracker", action="append", default=[])
        peer.add_argument("--peer", action="append", default=[], metavar="HOST:PORT")
        peer.add_argument("--upload-limit", type=int, default=0, help="bytes a second")
        peer.add_argument("--download-limit", type=int, default=0, help="bytes a second")
        peer.add_argument("--utp", action="store_true")
        peer.add_argument("--lpd", action="store_true", help="local discovery")
        peer.add_argument("--no-tcp", action="store_true")
        peer.add_argument("--plain", action="store_true", help="never encrypt")
        peer.add_argument("--seed-mode", action="store_true", help="do not check the data first")
        peer.add_argument("--lie", action="store_true", help="serve whatever is on disk, unchecked")
    return parser.parse_args()


def main():
    options = arguments()
    alone = {"create": create, "create-all": create_all, "inspect": inspect, "verify": verify}
    alone = alone.get(options.mode)
    if alone is not None:
        return alone(options)

    def watch():
        while os.read(0, 4096):
            pass
        stdin_ended.set()

    threading.Thread(target=watch, daemon=True).start()
    return swarm(options)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # libtorrent's own teardown waits for trackers
