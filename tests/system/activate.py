#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds listening sockets as systemd does for a .socket unit. activate.py SOCKETS COMMAND…

Opens so many sockets each for UDP and TCP at 127.0.0.1:15053, starts the command with them, starts it
anew on SIGHUP and ends it on SIGTERM. The exit status is 0 if all of its runs ended well.
"""

import os
import signal
import socket
import sys

count, command = int(sys.argv[1]), sys.argv[2:]
sockets = []
for kind in [socket.SOCK_DGRAM, socket.SOCK_STREAM] * count:
    sockets.append(sock := socket.socket(type=kind))
    if count > 1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE, as ReceiveBuffer= does
    sock.bind(("127.0.0.1", 15053))
    if kind == socket.SOCK_STREAM:
        sock.listen(1024)


for sock in sockets:  # out of the way of the numbers that they are handed over as
    os.dup2(sock.fileno(), 200 + sock.fileno())
high = [200 + sock.fileno() for sock in sockets]


def start():
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number, fd in enumerate(high, 3):
            os.dup2(fd, number)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)))
        os.execvp(command[0], command)
    return pid


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    return os.waitpid(pid, 0)[1]


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP, signal.SIGTERM])
child, status = start(), 0
while signal.sigwait([signal.SIGHUP, signal.SIGTERM]) == signal.SIGHUP:
    status |= stop(child)
    child = start()
    print("restarted", flush=True)
sys.exit((status | stop(child)) != 0)
