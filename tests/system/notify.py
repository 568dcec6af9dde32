#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Listens as systemd does on $NOTIFY_SOCKET. notify.py PATH: prints the lines that come."""

import os
import socket
import sys

sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
print("listening", flush=True)
while True:
    print(sock.recv(4096).decode(), flush=True)
