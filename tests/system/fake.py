#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A name server that cannot be trusted, on port 53. Over TCP it does better, where it is there at all.

fake.py ADDRESS MODE: prints the name of each query that comes ("tcp" and the name over TCP), then
does as MODE says. The right answer, where there is one, is 192.0.2.1, or 192.0.2.N where the name's
first label is a number; an answer of 192.0.2.66 is a lie.
"""

import collections
import socket
import struct
import sys
import threading
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
held, held_lock = [], threading.Lock()
times_asked = collections.Counter()


def truth(query):
    first = asked_name(query).split(".")[0]
    return address_record(f"192.0.2.{first}") if first.isdigit() else TRUTH


def has_opt(query):
    return query[10:12] != b"\0\0"


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
    elif mode == "hears-the-third":
        if times_asked[asked_name(query).lower()] >= 3:
            yield server, reply(query, truth(query))
    elif mode == "lower-case":
        yield server, reply(query, truth(query), name=asked_name(query).lower())
    elif mode == "cut":
        yield server, reply(query, TRUTH, address_record("192.0.2.2"), flags=0x8380)
    elif mode == "truncating":
        yield server, reply(query, flags=0x8380)
    elif mode == "slow":
        time.sleep(0.4)
        yield server, reply(query, truth(query))
    elif mode == "twice":
        yield server, reply(query, truth(query))
        yield server, reply(query, truth(query))
        time.sleep(0.02)
        yield server, reply(query, truth(query))
    elif mode == "no-edns-formerr":
        bare = reply(query, flags=0x8181)[:4] + bytes(8)
        yield server, bare if has_opt(query) else reply(query, TRUTH)
    elif mode == "no-edns-notimp":
        yield server, reply(query, flags=0x8184) if has_opt(query) else reply(query, TRUTH)
    elif mode == "silent":
        pass
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


def serve_udp(packet, client):
    if mode == "reversed":
        with held_lock:
            held.append((packet, client))
            is_first = len(held) == 1
        if is_first:
            time.sleep(0.15)
            with held_lock:
                batch = held[::-1]
                held.clear()
            for each, its_client in batch:
                server.sendto(reply(each, truth(each)), its_client)
        return
    for sock, data in answers(packet):
        sock.sendto(data, client)


def serve_connection(conn):
    while prefix := conn.recv(2, socket.MSG_WAITALL):
        packet = conn.recv(struct.unpack("!H", prefix)[0], socket.MSG_WAITALL)
        print("tcp", asked_name(packet), flush=True)
        if mode == "closing":
            return
        name = asked_name(packet).lower() if mode == "lower-case" else None
        told = reply(packet, TRUTH if mode == "liar" else truth(packet), name=name)
        conn.sendall(struct.pack("!H", len(told)) + told)
        if mode == "one-a-connection":
            return


def serve_tcp(listener):
    while True:
        conn, _ = listener.accept()
        with conn:
            serve_connection(conn)


if mode in ("liar", "lower-case", "truncating", "twice", "closing", "one-a-connection"):
    tcp = socket.socket(family)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 53))
    tcp.listen()
    threading.Thread(target=serve_tcp, args=[tcp], daemon=True).start()
print("ready", flush=True)
while True:
    query_packet, who = server.recvfrom(4096)
    print(asked_name(query_packet), flush=True)
    times_asked[asked_name(query_packet).lower()] += 1
    threading.Thread(target=serve_udp, args=[query_packet, who], daemon=True).start()
