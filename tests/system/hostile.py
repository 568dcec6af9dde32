#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends what no client should, and says what came back.

hostile.py ADDRESS PORT udp|tcp CASE: sends the case's message and prints the reply: "FORMERR",
"NOERROR 240.0.0.1". What is broken is followed by a good query: when that is what is answered, the
message was met with "silence", and nothing had to be waited for.
"""

import socket
import struct
import sys

from dnsmsg import OPT, message, name_to_wire, query, question, record, Reply

IDENT = 0x1234
GOOD = 0x4321
NAME = name_to_wire("redis.mesh")
ASKED = question("redis.mesh")


def bad(body=b"", **header):
    return message(body, ident=IDENT, **header)


BAD = {
    "nothing": b"",
    "one-octet": b"\x12",
    "eleven-octets": bad(qd=1)[:11],
    "a-response": bad(ASKED, qd=1, flags=0x8100),
    "a-response-without-a-question": bad(flags=0x8000),
    "header-only": bad(),
    "question-missing": bad(qd=1),
    "two-questions": bad(ASKED + ASKED, qd=2),
    "many-questions": bad(ASKED, qd=65535),
    "name-cut-short": bad(b"\5redis\4me", qd=1),
    "name-without-end": bad(b"\5redis\4mesh", qd=1),
    "type-missing": bad(NAME, qd=1),
    "class-cut-short": bad(ASKED[:-1], qd=1),
    "label-type-01": bad(b"\x45redis\4mesh\0\0\1\0\1", qd=1),
    "label-type-10": bad(b"\x85redis\4mesh\0\0\1\0\1", qd=1),
    "pointer-to-itself": bad(b"\xc0\x0c\0\1\0\1", qd=1),
    "pointer-into-the-header": bad(b"\xc0\x00\0\1\0\1", qd=1),
    "pointer-forward": bad(b"\xc0\x12\0\1\0\1" + NAME, qd=1),
    "pointer-cut-short": bad(b"\5redis\xc0", qd=1),
    "name-of-256-octets": bad(b"\x3f" + b"a" * 63 + (b"\x3f" + b"a" * 63) * 2
                              + b"\x3e" + b"a" * 62 + b"\0\0\1\0\1", qd=1),
    "octets-behind": bad(ASKED + b"\0", qd=1),
    "record-promised": bad(ASKED, qd=1, ar=1),
    "records-promised": bad(ASKED, qd=1, an=65535, ns=65535, ar=65535),
    "answer-in-a-query": bad(ASKED + record(NAME, "A", 1, b"\1\2\3\4"), qd=1, an=1),
    "record-cut-short": bad(ASKED + OPT[:-1], qd=1, ar=1),
    "two-opts": bad(ASKED + OPT + OPT, qd=1, ar=2),
    "opt-with-a-name": bad(ASKED + NAME + OPT[1:], qd=1, ar=1),
    "option-past-its-record": bad(ASKED + OPT[:-2] + struct.pack("!HHH", 4, 8, 100), qd=1, ar=1),
    "option-cut-short": bad(ASKED + OPT[:-2] + b"\0\3\0\x08\0", qd=1, ar=1),
}

# Nothing is wrong with these.
ODD = {
    "id-0": message(ASKED, ident=0, qd=1),
    "all-flags": bad(ASKED, qd=1, flags=0x07F0),
    "label-with-a-dot": bad(b"\x0aredis.mesh\0\0\1\0\1", qd=1),
    "label-with-a-nul": bad(b"\x06redis\0\4mesh\0\0\1\0\1", qd=1),
    "root": bad(b"\0\0\1\0\1", qd=1),
}


def over_udp(server):
    sock = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.connect(server)
    return sock.send, lambda: sock.recv(65535)


def over_tcp(server):
    sock = socket.create_connection(server, 5)
    stream = sock.makefile("rb")
    return (lambda packet: sock.sendall(struct.pack("!H", len(packet)) + packet),
            lambda: stream.read(struct.unpack("!H", stream.read(2))[0]))


def main():
    address, port, transport, case = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    packet = {**BAD, **ODD}[case]
    send, receive = (over_tcp if transport == "tcp" else over_udp)((address, port))
    send(packet)
    if case in BAD:
        send(query("redis.mesh", ident=GOOD))
    replies = [Reply(receive())]
    if case in BAD and replies[0].ident == GOOD:
        print("silence")
        return
    if case in BAD:
        replies.append(Reply(receive()))
    ident = struct.unpack("!H", packet[:2])[0]
    if sorted(reply.ident for reply in replies) != sorted([ident, GOOD][:len(replies)]):
        raise ValueError(f"answers with other ids: {[hex(reply.ident) for reply in replies]}")
    print(next(reply for reply in replies if reply.ident == ident))


main()
