#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends many queries without waiting for answers, and counts what comes.

flood.py ADDRESS PORT COUNT NAME [SECONDS]: each query is for its own name below NAME, their ids count up from 1.
Prints "sent", and the number of answers of each kind once all have come or none has for so long, 6 s.
"""

import collections
import socket
import sys
import time

from dnsmsg import query, Reply

address, port, count, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:  # root may: answers to what waited during a restart come all at once
    sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
except PermissionError:
    pass
sock.connect((address, port))
outcome = collections.Counter()


def collect(timeout):
    sock.settimeout(timeout)
    try:
        while sum(outcome.values()) < count:
            outcome[str(Reply(sock.recv(4096)))] += 1
    except (TimeoutError, BlockingIOError):
        pass


for i in range(1, count + 1):
    sock.send(query(f"{i}.{name}", ident=i))
    if i % 16 == 0:
        time.sleep(0.002)  # socket buffers are small, on both sides
        # Nor is a client as fast as a server: with many answers to come, it waits for some.
        collect(0.004 if i - sum(outcome.values()) > 100 else 0)
print("sent", flush=True)
collect(float(sys.argv[5]) if len(sys.argv) > 5 else 6)
outcome["nothing"] = count - sum(outcome.values())
for kind, number in sorted(outcome.items()):
    if number:
        print(number, kind)
