#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks two servers the same and compares their answers octet for octet.

same.py udp|tcp SERVER PORT SERVER PORT NAME TYPE: with EDNS and DO set; prints "same LENGTH" or both
answers.
"""

import socket
import struct
import sys

from dnsmsg import message, name_to_wire


def ask(transport, server, port, packet):
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, kind) as sock:
        sock.settimeout(5)
        sock.connect((server, int(port)))
        if transport == "udp":
            sock.send(packet)
            return sock.recv(65535)
        sock.sendall(struct.pack("!H", len(packet)) + packet)
        length = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))[0]
        return sock.recv(length, socket.MSG_WAITALL)


transport, *servers, name, qtype = sys.argv[1:]
opt = b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)
query = message(name_to_wire(name) + struct.pack("!HH", int(qtype), 1) + opt, 0x5AFE, qd=1, ar=1)
first = ask(transport, *servers[:2], query)
second = ask(transport, *servers[2:], query)
print(f"same {len(first)}" if first == second else f"{first.hex()}\n{second.hex()}")
