#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""In the place of Envoy's DNS filter, as Kuma's data plane has it before its CoreDNS.

filter.py ADDRESS PORT NAME=ADDRESS,……: UDP only. A and AAAA out of the table, by the name's exact
case; the other family and all other names do not exist (NXDOMAIN), other types are not implemented
(NOTIMP), an ID of 0 or another class is malformed (FORMERR). TTL 30, neither AA nor RA nor an OPT.
Prints the name and type of each query.
"""

import ipaddress
import socket
import sys

from dnsmsg import TYPES, asked_name, name_to_wire, record, reply

TTL = 30
TYPE_NAMES = {number: name for name, number in TYPES.items()}

address, port, *entries = sys.argv[1:]
table = {name + ".": [ipaddress.ip_address(a) for a in addresses.split(",")]
         for name, addresses in (entry.split("=") for entry in entries)}


def answer(query):
    name = asked_name(query)
    end = 12 + len(name_to_wire(name))
    qtype, qclass = (int.from_bytes(query[at:at + 2]) for at in (end, end + 2))
    print(name, TYPE_NAMES.get(qtype, qtype), flush=True)
    if query[:2] == b"\0\0" or qclass != 1:
        return query[:2] + b"\x81\x01" + bytes(8)
    if qtype not in (TYPES["A"], TYPES["AAAA"]):
        return reply(query, flags=0x8104)
    version = 4 if qtype == TYPES["A"] else 6
    records = [record(b"\xc0\x0c", TYPE_NAMES[qtype], TTL, a.packed)
               for a in table.get(name, []) if a.version == version]
    return reply(query, *records, flags=0x8100 if records else 0x8103)


family = socket.AF_INET6 if ":" in address else socket.AF_INET
sock = socket.socket(family, socket.SOCK_DGRAM)
sock.bind((address, int(port)))
print("ready", flush=True)
while True:
    query, peer = sock.recvfrom(4096)
    sock.sendto(answer(query), peer)
