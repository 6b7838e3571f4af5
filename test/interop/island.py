#!/usr/bin/python3
"""Runs a program in a network of its own: nothing in it but loopback, and 10.99.0.0/24 there, too.

  island.py PROGRAM [ARGUMENT...]

For programs that refuse to talk to 127.0.0.0/8. Fails where the kernel does not let us: it takes root.
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
IFF_UP = 1


def request(name, rest):
    return struct.pack("16s", name) + rest.ljust(24, b"\0")


def address(text):
    return struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(text))


libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(CLONE_NEWNET) != 0:
    sys.exit(f"no network of our own: {os.strerror(ctypes.get_errno())}")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    flags = fcntl.ioctl(control, SIOCGIFFLAGS, request(b"lo", b""))
    (up,) = struct.unpack_from("H", flags, 16)
    fcntl.ioctl(control, SIOCSIFFLAGS, request(b"lo", struct.pack("H", up | IFF_UP)))
    fcntl.ioctl(control, SIOCSIFADDR, request(b"lo:1", address("10.99.0.1")))
    fcntl.ioctl(control, SIOCSIFNETMASK, request(b"lo:1", address("255.255.255.0")))
os.execvp(sys.argv[1], sys.argv[1:])
