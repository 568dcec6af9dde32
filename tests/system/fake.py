#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A name server that cannot be trusted, over UDP on port 53.

fake.py ADDRESS MODE: prints the name of each query that comes, then does as MODE says. The right
answer, where there is one, is 192.0.2.1; an answer of 192.0.2.66 is a lie.
"""

import socket
import sys
import time

from dnsmsg import address_record, asked_name, reply

address, mode = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
TRUTH, LIE = address_record("192.0.2.1"), address_record("192.0.2.66")


def bound(port):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


server, elsewhere = bound(53), bound(5353)


def lies(query):
    """What somebody sends who wants to be believed, from here and from elsewhere."""
    told = reply(query, LIE)
    wrong_id = bytes([told[0] ^ 0xFF]) + told[1:]
    other_type = bytearray(told)
    other_type[told.index(b"\0", 12) + 2] ^= 1
    return [(server, wrong_id), (elsewhere, told),
            (server, reply(query, LIE, name="other.example")),
            (server, bytes(other_type)),
            (server, reply(query, LIE, flags=0x0180)),
            (server, reply(query, LIE, flags=0xA980))]


def answers(query):
    if mode == "liar":
        yield from lies(query)
        time.sleep(0.1)
        yield server, reply(query, TRUTH)
    elif mode == "lower-case":
        yield server, reply(query, TRUTH, name=asked_name(query).lower())
    elif mode == "cut":
        yield server, reply(query, TRUTH, address_record("192.0.2.2"), flags=0x8380)
    elif mode == "servfail":
        yield server, reply(query, flags=0x8182)
    elif mode == "refused":
        yield server, reply(query, flags=0x8185)
    elif mode == "broken":
        told = reply(query, TRUTH)
        yield server, b""
        yield server, told[:11]
        yield server, told[:20]
        yield server, told[:-1]
        yield server, told[:-6] + b"\xff\xff" + told[-4:]
    elif mode == "late":
        time.sleep(2.5)
        yield server, reply(query, TRUTH)
    else:
        raise SystemExit(f"no such mode: {mode}")


print("ready", flush=True)
while True:
    packet, client = server.recvfrom(4096)
    print(asked_name(packet), flush=True)
    for sock, data in answers(packet):
        sock.sendto(data, client)
