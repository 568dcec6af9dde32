#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What tries the resolver's patience: limits.py CASE ARGUMENT…; see the functions below."""

import select
import socket
import struct
import sys
import threading
import time

from dnsmsg import OPT, address_record, query, question, message, reply, Reply

RESOLVER = ("127.0.0.1", 15053)


def framed(packet):
    return struct.pack("!H", len(packet)) + packet


def silent(address):
    """A server that takes everything, over UDP and TCP, and says nothing."""
    udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
    udp.bind((address, 53))
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, 53))
    tcp.listen(256)
    print("ready", flush=True)
    time.sleep(60)


def slow(address, seconds, rcode):
    """A server over UDP that thinks for so long, and answers 192.0.2.1 if its rcode is 0."""
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind((address, 53))
    print("ready", flush=True)
    while True:
        asked, client = udp.recvfrom(4096)
        print("asked", asked[13:13 + asked[12]], flush=True)
        records = [address_record("192.0.2.1")] if rcode == "0" else []
        told = reply(asked, *records, flags=0x8180 | int(rcode))
        threading.Timer(float(seconds), udp.sendto, [told, client]).start()


def pipelined(count):
    """So many questions at once on one connection; prints how many answers have come 6 s later."""
    with socket.create_connection(RESOLVER) as sock:
        sock.sendall(b"".join(framed(query(f"q{i}.example")) for i in range(int(count))))
        until, data, answers = time.monotonic() + 6, b"", 0
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data += sock.recv(65536) or sys.exit("closed")
            except TimeoutError:
                break
    while len(data) >= 2:
        data = data[2 + struct.unpack("!H", data[:2])[0]:]
        answers += 1
    print(answers)


def burst(count):
    """So many questions over UDP, without waiting for an answer."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        for i in range(int(count)):
            sock.sendto(query(f"b{i}.example"), RESOLVER)
            time.sleep(0.001)


def turned_away():
    """Connects again and again, for a descriptor may come free meanwhile; prints how one ended."""
    socks = [socket.create_connection(RESOLVER) for _ in range(8)]
    ended = select.select(socks, [], [], 3)[0]
    print("left waiting" if not ended else "answered" if ended[0].recv(1) else "closed")


def crowded(others):
    """Asks what takes long, in the place of one who did and is gone, then so many others connect;
    prints whether the answer came, and nobody else's."""
    with socket.create_connection(RESOLVER) as gone:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.sendall(framed(query("gone.example", ident=1)))
        time.sleep(0.1)
    with socket.create_connection(RESOLVER) as sock:
        sock.sendall(framed(query("slow.example", ident=2)))
        time.sleep(0.2)
        crowd = [socket.create_connection(RESOLVER) for _ in range(int(others))]
        sock.settimeout(6)
        came = sock.recv(4, socket.MSG_WAITALL)
        print("closed" if not came else "answered" if came[3] == 2 else "another's answer")
        del crowd


def two(*questions):
    """Two questions on one connection; prints what each was answered."""
    with socket.create_connection(RESOLVER) as sock:
        sock.settimeout(5)
        sock.sendall(b"".join(map(framed, questions)))
        answers = []
        for _ in range(2):
            size = struct.unpack("!H", sock.recv(2, socket.MSG_WAITALL))[0]
            answers.append(str(Reply(sock.recv(size, socket.MSG_WAITALL))))
    print(*sorted(answers), sep=", ")


def twins():
    """Both with one id."""
    two(query("one.mesh", ident=7), query("two.mesh", ident=7))


def keepalive(name):
    """The same twice, with edns-tcp-keepalive: it is one question upstream, and two answers."""
    opt = OPT[:-2] + struct.pack("!HHH", 4, 11, 0)
    two(*[message(question(name) + opt, qd=1, ar=1) for _ in range(2)])


def dripping(name):
    """Asks until no more is taken, then reads a little at a time; prints how that ended."""
    with socket.create_connection(RESOLVER) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        sock.settimeout(0.3)
        try:
            while True:
                sock.sendall(framed(query(name)) * 50)
        except TimeoutError:
            started = time.monotonic()
        while time.monotonic() < started + 5:
            time.sleep(0.025)
            try:
                sock.recv(2048)
            except TimeoutError:
                continue
            except ConnectionResetError:
                print("reset")
                return
        print("served")


def idlers(count):
    """So many connections that each ask once and stay; says so and waits to be ended."""
    socks = [socket.create_connection(RESOLVER) for _ in range(int(count))]
    for sock in socks:
        sock.sendall(framed(query("one.mesh")))
        sock.recv(512)
    print("there", flush=True)
    time.sleep(60)


def noise(path, seconds):
    """Writes to a file a hundred times a second."""
    until = time.monotonic() + float(seconds)
    with open(path, "w", encoding="ascii") as out:
        while time.monotonic() < until:
            out.write("noise\n")
            out.flush()
            time.sleep(0.01)


globals()[sys.argv[1]](*sys.argv[2:])
