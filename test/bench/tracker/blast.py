"""Sends the packets of a file to a tracker over UDP, and judges what comes back.

    blast.py JSON  ->  one line of JSON

Python, for one reason: sendmmsg and recvmmsg move many packets by one call, and Node has neither: its
sockets cost more for a packet than the trackers do. The packets are made beforehand, so that nothing is
done here for a single one but to look at the head of its answer.

The file holds packets of `stride` bytes. Each of the `sockets`, at an address of its own, has an equal
share of them. Packet n of the file is of kind n % len(lengths): `lengths` says how long packets of each
kind are, `actions` what they are to be answered with. Bytes 12 to 16, the transaction id, hold n, little
end first. The answer to the last kind has `head` bytes and at least `least` entries of `entry` bytes.
"""

import ctypes
import json
import mmap
import os
import select
import socket
import sys
import time

CONNECT = bytes.fromhex("0000041727101980" "00000000") + b"bip!"
ROOM = 2048
# Nothing came for so many seconds: what is out is lost.
SILENCE = 0.5
# BEP 15: a client may use a connection id for one minute.
ID_SECONDS = 55


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_size_t),
        ("vectors", ctypes.POINTER(Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_size_t),
        ("length", ctypes.c_size_t),
    ]


LIBC = ctypes.CDLL(None, use_errno=True)


class Batch:
    """Memory for some packets, which go or come by one call of the system."""

    def __init__(self, count, stride, lengths):
        memory = (ctypes.c_uint8 * (count * stride))()
        self.bytes = memoryview(memory).cast("B")
        self.vectors = (Vector * count)()
        self.messages = (Message * count)()
        words = ctypes.sizeof(Message) // 8
        self.lengths = memoryview(self.messages).cast("B").cast("Q")[7::words]
        for at in range(count):
            self.vectors[at].base = ctypes.addressof(memory) + at * stride
            self.vectors[at].length = lengths[at % len(lengths)]
            self.messages[at].vectors = ctypes.pointer(self.vectors[at])
            self.messages[at].vector_count = 1


class Sender:
    def __init__(self, number, job, packets):
        self.stride, self.kinds = job["stride"], len(job["lengths"])
        self.window = job["window"] // job["sockets"]
        self.packets = packets
        self.next, self.end = 0, len(packets) // self.stride
        self.out, self.heard, self.connected = 0, 0.0, 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((f"127.0.0.{2 + number}", 0))
        self.socket.connect(("127.0.0.1", job["port"]))
        self.sending = Batch(self.window, self.stride, job["lengths"])
        self.receiving = Batch(self.window, ROOM, [ROOM])
        self.words = self.receiving.bytes.cast("I")

    def connect(self):
        """Gets a connection id, and writes it into the packets. Answers that are late are not counted."""
        for _ in range(50):
            self.socket.settimeout(0.2)
            self.socket.send(CONNECT)
            connection_id = self.await_id(time.perf_counter() + 1)
            if connection_id is not None:
                self.socket.setblocking(False)
                self.connected = time.perf_counter()
                return self.stamp(connection_id)
        sys.exit("no connection id came")

    def await_id(self, end):
        while time.perf_counter() < end:
            try:
                answer = self.socket.recv(ROOM)
            except TimeoutError:
                return None
            if len(answer) == 16 and answer[:4] == bytes(4) and answer[4:8] == CONNECT[12:]:
                return answer[8:]
        return None

    def stamp(self, connection_id):
        packets = self.packets
        for at in range(0, len(packets), self.stride):
            if packets[at + 11]:
                packets[at : at + 8] = connection_id

    def restart(self, packets=None):
        """Begins anew, with these packets or with the same ones."""
        self.next = 0
        if packets is not None:
            self.packets, self.end = packets, len(packets) // self.stride

    def send(self, count):
        """Sends the next packets, up to `count`; returns how many left."""
        count = min(count, self.end - self.next)
        count -= count % self.kinds
        if count <= 0:
            return 0
        at = self.next * self.stride
        self.sending.bytes[: count * self.stride] = self.packets[at : at + count * self.stride]
        sent = max(0, LIBC.sendmmsg(self.socket.fileno(), self.sending.messages, count, 0))
        self.next += sent
        self.out += sent
        return sent

    def receive(self, now):
        """Actions, transaction ids and lengths of what came."""
        batch, step = self.receiving, ROOM // 4
        descriptor = self.socket.fileno()
        count = LIBC.recvmmsg(descriptor, batch.messages, self.window, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return None
        self.heard = now
        self.out = max(0, self.out - count)
        heads = (self.words[word : count * step : step].tolist() for word in (0, 1))
        return (*heads, batch.lengths[:count].tolist())


class Tally:
    def __init__(self, job, count):
        self.job, self.count = job, count
        self.actions = [action << 24 for action in job["actions"]]
        self.sent = self.answered = self.lost = self.wrong = self.entries = 0
        # Which packets were ever answered.
        self.seen = bytearray(count)

    def take(self, actions, numbers, lengths):
        job, expected, kinds = self.job, self.actions, len(self.actions)
        for action, number, length in zip(actions, numbers, lengths):
            if number >= self.count or action != expected[number % kinds]:
                self.wrong += 1
                continue
            if number % kinds == kinds - 1:
                entries, rest = divmod(length - job["head"], job["entry"])
                if rest or entries < job["least"]:
                    self.wrong += 1
                    continue
                self.entries += entries
            self.seen[number] = 1
            self.answered += 1

    def report(self, began, **more):
        usage = os.times()
        return {
            "seconds": time.perf_counter() - began,
            "generatorSeconds": usage.user + usage.system,
            "sent": self.sent,
            "answered": self.answered,
            "lost": self.lost,
            "wrong": self.wrong,
            "entries": self.entries,
            **more,
        }


def main():
    job = json.loads(sys.argv[1])
    with open(job["file"], "rb") as file:
        packets = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    share = len(packets) // job["stride"] // job["sockets"] * job["stride"]
    senders = [
        Sender(at, job, packets[at * share : (at + 1) * share]) for at in range(job["sockets"])
    ]
    for sender in senders:
        sender.connect()
    tally = Tally(job, len(packets) // job["stride"])
    modes = {"load": load, "fill": fill, "pace": pace}
    print(json.dumps(modes[job["mode"]](job, senders, tally, time.perf_counter())))


def load(job, senders, tally, began):
    """As fast as the tracker answers, all packets again and again, for some seconds."""
    exchange(senders, tally, began + job["seconds"], again=True)
    return tally.report(began)


def fill(job, senders, tally, began):
    """Every packet until it is answered, or until the seconds are over."""
    share = tally.count // len(senders)
    end = began + job["seconds"]
    while time.perf_counter() < end:
        exchange(senders, tally, end, again=False)
        missing = 0
        for at, sender in enumerate(senders):
            # Answers may come late, and be counted.
            packets, first = sender.packets, at * share
            stride = sender.stride
            left = bytearray()
            for place in range(0, len(packets), stride):
                number = int.from_bytes(packets[place + 12 : place + 16], "little")
                if not tally.seen[number]:
                    left += packets[place : place + stride]
            missing += len(left) // stride
            sender.restart(memoryview(left))
        if missing == 0:
            break
    return tally.report(began, filled=sum(tally.seen))


def exchange(senders, tally, end, again):
    poll = select.poll()
    for sender in senders:
        poll.register(sender.socket.fileno(), select.POLLIN)
        sender.heard = time.perf_counter()
    while True:
        now = time.perf_counter()
        idle = True
        for sender in senders:
            came = sender.receive(now)
            if came is not None:
                idle = False
                tally.take(*came)
            elif sender.out > 0 and now - sender.heard > SILENCE:
                tally.lost += sender.out
                sender.out = 0
            if now >= end:
                continue
            if sender.out == 0 and now - sender.connected > ID_SECONDS:
                sender.connect()
            if again and sender.next == sender.end:
                sender.restart()
            sent = sender.send(sender.window - sender.out)
            if sent > 0:
                idle = False
                tally.sent += sent
                if sent == sender.out:
                    sender.heard = now
        isDone = now >= end or all(sender.next == sender.end for sender in senders)
        if idle and isDone and all(sender.out == 0 for sender in senders):
            return
        if idle:
            poll.poll(20)


def pace(job, senders, tally, began):
    """Packets one by one, at a fixed rate; how long each answer takes from the moment it was due."""
    step = 1 / job["rate"]
    count = int(job["seconds"] * job["rate"])
    due, latencies = {}, []
    share = tally.count // len(senders)
    start = time.perf_counter()
    sent = 0
    while sent < count or (due and time.perf_counter() < start + job["seconds"] + 1):
        now = time.perf_counter()
        while sent < count and now >= start + sent * step:
            sender = senders[sent % len(senders)]
            # A prime, to meet swarms and peers all over the place.
            place = sent * 7919 % share
            at = place * sender.stride
            due[place + sent % len(senders) * share] = start + sent * step
            sender.socket.send(sender.packets[at : at + job["lengths"][0]])
            sent += 1
        for sender in senders:
            came = sender.receive(now)
            if came is None:
                continue
            tally.take(*came)
            arrived = time.perf_counter()
            for number in came[1]:
                if number in due:
                    latencies.append(arrived - due.pop(number))
    tally.sent, tally.lost = sent, len(due)
    latencies.sort()
    at = lambda part: latencies[min(len(latencies) - 1, int(part * len(latencies)))] * 1e6
    percentiles = {name: at(part) for name, part in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}
    return tally.report(began, **percentiles)


main()
