#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tells where packets land: servers that answer with their name, and a client that prints answers.

redirect-peer.py serve NAME PORT ADDRESS...: UDP and TCP; says "ready" when it listens. Over TCP the
server closes first, so that it and not the client is left in TIME_WAIT.
redirect-peer.py ask udp|tcp SOURCE-PORT SERVER...: asks each server's port 53, over UDP all of them
from one socket, as musl does; prints who answered for each, "nobody" after a while.
redirect-peer.py probe: reads lines "udp|tcp SOURCE ADDRESS PORT", source "any" being any, and prints who
answered each, from a socket of its own.
redirect-peer.py reset SOURCE ADDRESS PORT: sends a reset that belongs to no connection.

With MARK in the environment packets carry that mark.
"""

import os
import select
import socket
import struct
import sys

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


def make_socket(address, port, kind):
    family, _, _, _, target = socket.getaddrinfo(address, port, type=kind)[0]
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if "MARK" in os.environ:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(os.environ["MARK"], 0))
    return sock, target


def serve(name, port, addresses):
    sockets = []
    for address in addresses:
        for kind in (UDP, TCP):
            sock, where = make_socket(address, port, kind)
            sock.bind(where)
            if kind == TCP:
                sock.listen()
            sockets.append(sock)
    print("ready", flush=True)
    while True:
        for sock in select.select(sockets, [], [])[0]:
            if sock.type == UDP:
                _, peer = sock.recvfrom(4096)
                sock.sendto(name.encode(), peer)
            else:
                connection, _ = sock.accept()
                connection.sendall(name.encode())
                connection.close()


def ask_udp(source_port, servers):
    """One unconnected socket; an answer counts only from the server that was asked."""
    sock, _ = make_socket(servers[0], 53, UDP)
    sock.bind(("", source_port))
    sock.settimeout(1.5)
    answers = {}
    targets = [socket.getaddrinfo(s, 53, type=UDP)[0][4] for s in servers]
    for target in targets:
        sock.sendto(b"?", target)
    try:
        while len(answers) < len(set(targets)):
            answer, peer = sock.recvfrom(4096)
            answers[peer] = answer.decode()
    except TimeoutError:
        pass
    return [answers.get(target, "nobody") for target in targets]


def ask_tcp(source_port, server):
    sock, target = make_socket(server, 53, TCP)
    sock.bind(("", source_port))
    sock.settimeout(1.5)
    try:
        sock.connect(target)
        return sock.makefile().read()
    except (TimeoutError, ConnectionError):
        return "nobody"


def probe(transport, source, address, port):
    sock, target = make_socket(address, int(port), UDP if transport == "udp" else TCP)
    sock.settimeout(1.5)
    if source != "any":
        sock.bind((source, 0))
    try:
        sock.connect(target)
        if transport == "udp":
            sock.send(b"?")
        return sock.recv(64).decode()
    except OSError:
        return "nobody"


def reset(source, target, port):
    """A TCP segment with RST alone."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    sock.bind((source, 0))
    segment = struct.pack("!HHIIBBHHH", 4711, port, 1, 0, 5 << 4, 4, 0, 0, 0)
    pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    words = struct.unpack(f"!{len(pseudo + segment) // 2}H", pseudo + segment)
    total = sum(words) + socket.IPPROTO_TCP + len(segment)
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    sock.sendto(segment[:16] + struct.pack("!H", checksum) + segment[18:], (target, 0))


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]), sys.argv[4:])
elif sys.argv[1] == "reset":
    reset(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "probe":
    for line in sys.stdin:
        print(probe(*line.split()), flush=True)
elif sys.argv[2] == "udp":
    print(*ask_udp(int(sys.argv[3]), sys.argv[4:]))
else:
    print(*[ask_tcp(int(sys.argv[3]), server) for server in sys.argv[4:]])
