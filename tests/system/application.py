#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An application that keeps one connected UDP socket for all its life.

application.py SERVER [SOURCE-PORT]: for each name on standard input asks SERVER for its A records
and prints what came, "NOERROR 240.0.0.1", or "timeout".
"""

import ipaddress
import socket
import sys

import dnsmsg

server, source_port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
v6 = ipaddress.ip_address(server).version == 6
sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("::" if v6 else "0.0.0.0", source_port))
sock.connect((server, 53))
sock.settimeout(2)


def ask(name):
    query = dnsmsg.query(name)
    try:
        sock.send(query)
        while True:
            reply = dnsmsg.Reply(sock.recv(4096))
            if query[:2] == reply.ident.to_bytes(2, "big"):
                return reply
    except TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"


for line in sys.stdin:
    print(ask(line.strip()), flush=True)
