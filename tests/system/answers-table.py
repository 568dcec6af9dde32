#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the questions of answers.table over UDP and TCP, and says which answers differ.

answers-table.py ADDRESS PORT <answers.table
"""

import ipaddress
import random
import socket
import struct
import sys

import dnsmsg
from dnsmsg import RCODES, message, name_to_wire, read_name

TYPES = {**dnsmsg.TYPES, "TYPE0": 0, "DS": 43, "TKEY": 249, "TSIG": 250, "IXFR": 251,
         "AXFR": 252, "MAILB": 253, "MAILA": 254, "TYPE65280": 65280}
NAMES = {number: name for name, number in TYPES.items()}
CLASSES = {"CH": 3, "HS": 4, "NONE": 254}
FLAGS = {0x0400: "aa", 0x0200: "tc", 0x0100: "rd", 0x0080: "ra", 0x0040: "z", 0x0020: "ad", 0x0010: "cd"}


def ask(words):
    name, qtype, *options = words
    qclass = CLASSES[options[0]] if options[:1] and options[0] in CLASSES else 255 if qtype == "ANYCLASS" else 1
    number = TYPES["A" if qtype == "ANYCLASS" else qtype]
    edns = [option for option in options if option in ("+edns", "+v1")]
    body = name_to_wire(name) + struct.pack("!HH", number, qclass)
    if qtype == "IXFR":  # with the version that the client has, RFC 1995 section 3
        body += dnsmsg.record(name_to_wire(name), "SOA", 0, bytes(22))
    if edns:
        body += b"\0" + struct.pack("!HHIH", TYPES["OPT"], 1232, 0x10000 if "+v1" in edns else 0, 0)
    return message(body, random.getrandbits(16), 0 if "+norec" in options else 0x0100, qd=1,
                   ns=qtype == "IXFR", ar=len(edns))


def over_udp(server, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect(server)
        sock.send(packet)
        return sock.recv(65535)


def over_tcp(server, packet):
    with socket.create_connection(server, 5) as sock, sock.makefile("rb") as stream:
        sock.sendall(struct.pack("!H", len(packet)) + packet)
        return stream.read(struct.unpack("!H", stream.read(2))[0])


def show_data(data, rtype, owner, ttl, pos, length):
    if rtype in ("A", "AAAA"):
        return str(ipaddress.ip_address(data[pos:pos + length]))
    if rtype in ("CNAME", "PTR"):
        return read_name(data, pos)[0]
    if rtype == "SRV":
        return "%d %d %d %s" % (*struct.unpack("!HHH", data[pos:pos + 6]), read_name(data, pos + 6)[0])
    if rtype == "SOA":
        minimum = struct.unpack("!I", data[pos + length - 4:pos + length])[0]
        return f"{owner} {ttl}" if minimum == ttl else f"{owner} {ttl} minimum {minimum}"
    return "?"


def show(asked, data):
    """The answer in the table's words; an error where it is no answer to `asked`."""
    ident, flags, qd, *counts = struct.unpack("!HHHHHH", data[:12])
    end = asked.index(b"\0", 12) + 5
    if ident != struct.unpack("!H", asked[:2])[0] or not flags & 0x8000 or flags & 0x7800:
        return "not an answer to it"
    if qd and data[12:end] != asked[12:end]:
        return "another question"
    pos, sections, rcode = end if qd else 12, [], flags & 15
    for count in counts:
        records = []
        for _ in range(count):
            owner, pos = read_name(data, pos)
            rtype, _, ttl, length = struct.unpack("!HHIH", data[pos:pos + 10])
            pos += 10
            rtype = NAMES.get(rtype, str(rtype))
            if rtype == "OPT":
                rcode |= ttl >> 24 << 4
                records.append("OPT")
            else:
                records.append(f"{rtype}({show_data(data, rtype, owner, ttl, pos, length)})")
            pos += length
        sections.append(" ".join(records) or "-")
    if pos != len(data):
        return f"{len(data) - pos} octets behind it"
    told = [RCODES.get(rcode, str(rcode)), *(name for bit, name in FLAGS.items() if flags & bit)]
    return "; ".join([" ".join(told), *sections])


def main():
    server = sys.argv[1], int(sys.argv[2])
    wrong = asked = 0
    rows = [line.strip() for line in sys.stdin if line.strip() and not line.startswith("#")]
    for row in rows:
        words, expected = row.split("->")
        for transport, send in (("UDP", over_udp), ("TCP", over_tcp)):
            packet = ask(words.split())
            told = show(packet, send(server, packet))
            asked += 1
            if expected.strip() == "forwarded":
                good = told.startswith("NXDOMAIN ") and "; SOA(. " in told
            else:
                good = told == expected.strip()
            if not good:
                wrong += 1
                print(f"{words.strip()} over {transport}: expected {expected.strip()}, got {told}")
    print(f"{asked} questions, {wrong} wrong")
    sys.exit(wrong > 0 or asked == 0)


main()
