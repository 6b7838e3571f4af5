#!/usr/bin/python3
"""measure.py OUT COMMAND...: runs COMMAND, then writes what it took to OUT as one JSON object.

wallSeconds, cpuSeconds (user and system, all its threads), maxRssBytes, exitCode.
"""
import json
import os
import sys
import time

out, argv = sys.argv[1], sys.argv[2:]
began = time.monotonic()
pid = os.posix_spawnp(argv[0], argv, os.environ)
_, status, usage = os.wait4(pid, 0)
with open(out, "w") as file:
    json.dump({
        "wallSeconds": time.monotonic() - began,
        "cpuSeconds": usage.ru_utime + usage.ru_stime,
        "maxRssBytes": usage.ru_maxrss * 1024,
        "exitCode": os.waitstatus_to_exitcode(status),
    }, file)
