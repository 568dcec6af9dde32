#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks DNS over TCP in ways that are allowed, or are not, and says what came of it.

stream.py ADDRESS PORT CASE [ARGUMENT]: see the functions below.
"""

import socket
import struct
import sys
import time

from dnsmsg import message, query, Reply


def framed(packet):
    return struct.pack("!H", len(packet)) + packet


def receive(sock):
    """One message, or None at the end of the stream."""
    head = sock.recv(2, socket.MSG_WAITALL)
    if not head:
        return None
    return Reply(sock.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL))


def until_closed(sock):
    """How many whole seconds until the other side closes."""
    started = time.monotonic()
    try:
        sock.recv(1)
    except ConnectionResetError:
        pass
    return int(time.monotonic() - started)


def pipelined(sock, names):
    """All queries in one segment: an answer for each, in whatever order."""
    queries = {ident: name for ident, name in enumerate(names.split(","), 1)}
    sock.sendall(b"".join(framed(query(name, ident=ident)) for ident, name in queries.items()))
    replies = {}
    while len(replies) < len(queries):
        reply = receive(sock)
        if reply.name != queries[reply.ident] + ".":
            raise ValueError(f"{reply.name} is not what id {reply.ident} asked")
        replies[reply.ident] = reply
    for _, reply in sorted(replies.items()):
        print(reply)


def bytewise(sock, name):
    """Each octet in a segment of its own."""
    for octet in framed(query(name)):
        sock.send(bytes([octet]))
        time.sleep(0.002)
    print(receive(sock))


def length(sock, octets):
    """A message of so many octets, of which a header has twelve."""
    sock.sendall(framed(query("redis.mesh")[:int(octets)]))
    print("open" if receive(sock) else "closed")


def response(sock, name):
    """A response, which nobody asked for, then a query."""
    sock.sendall(framed(message(flags=0x8180)) + framed(query(name, ident=7)))
    reply = receive(sock)
    print(reply if reply and reply.ident == 7 else "closed" if not reply else "answered")


def half_close(sock, name):
    """Sends a query and its own end; the answer and the other end are to follow."""
    sock.sendall(framed(query(name)))
    sock.shutdown(socket.SHUT_WR)
    print(receive(sock))
    print("open" if receive(sock) else "closed")


def idle(sock, octets):
    """Sends so many octets of a query and then nothing."""
    sock.sendall(framed(query("redis.mesh"))[:int(octets)])
    print(until_closed(sock))


def busy(sock, seconds):
    """Asks every half second, and is not to be closed for that."""
    for _ in range(2 * int(seconds)):
        time.sleep(0.5)
        sock.sendall(framed(query("redis.mesh")))
        if not receive(sock):
            print("closed")
            return
    print("open")


def greedy(sock, name):
    """Asks and asks and never reads; then says so and waits for the end of standard input."""
    sock.settimeout(1)
    try:
        while True:
            sock.sendall(framed(query(name)) * 100)
    except (TimeoutError, ConnectionError):
        print("sated", flush=True)
    sys.stdin.read()


def crowd(sock, count):
    """So many more connections, all of which ask; says how many were answered."""
    socks = [sock] + [socket.create_connection(sock.getpeername()[:2]) for _ in range(int(count))]
    answered = 0
    for one in socks:
        one.settimeout(5)
        try:
            one.sendall(framed(query("redis.mesh")))
            answered += receive(one) is not None
        except ConnectionError:
            pass
    print(answered)


def again(sock, name, seconds):
    """Asks over one connection after the other; says whether each was accepted and answered."""
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        sock.sendall(framed(query(name)))
        if not receive(sock):
            print("closed unanswered")
            return
        peer = sock.getpeername()[:2]
        sock.close()
        time.sleep(0.002)
        sock = socket.create_connection(peer)
        sock.settimeout(5)
    print("all answered")


def steady(sock, name, seconds):
    """Asks over one connection without a pause, twenty at a time, the last one but for its first octet
    later; says whether each was answered."""
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        asked = b"".join(framed(query(name, ident=ident)) for ident in range(20))
        rest = len(framed(query(name))) - 1
        sock.sendall(asked[:-rest])
        time.sleep(0.003)
        sock.sendall(asked[-rest:])
        answered = set()
        for _ in range(20):
            reply = receive(sock)
            if not reply:
                print("closed")
                return
            answered.add(reply.ident)
        if answered != set(range(20)):
            print("not answered:", set(range(20)) - answered)
            return
    print("all answered")


def main():
    address, port, case, *arguments = sys.argv[1:]
    sock = socket.create_connection((address, int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(20)
    globals()[case.replace("-", "_")](sock, *arguments)


main()
