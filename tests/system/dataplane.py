#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dataplane.py FOLDER: Kuma's data plane, as far as names go.

Serves FOLDER/map at GET /dns on FOLDER/socket, with an ETag, the SHA-256 of the map, and 304 for who
has it already: what Envoy does with the routes that Kuma gives it. What FOLDER/mode says, if it is
there, is how it behaves instead. Logs a line a request: status, and ETag that was sent along.
"""
import hashlib, os, socket, socketserver, sys, time
from http.server import BaseHTTPRequestHandler

folder = sys.argv[1]


def read(name, default=b""):
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return default


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def do_GET(self):
        mode = read("mode").decode().strip() or "envoy"
        if self.path != "/dns" or self.headers["Host"] != "localhost":
            mode = "404"
        known = self.headers["If-None-Match"]
        body = read("map")
        etag = hashlib.sha256(body).hexdigest()
        self.close_connection = True
        if mode == "envoy" and known == etag:
            mode = "304"
        print(mode, known, flush=True)
        if mode.isdigit():
            self.send_response(int(mode))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif mode == "raw":  # the map is all that is sent, head included
            self.wfile.write(body)
        elif mode == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"X: y\r\n")
                time.sleep(0.1)
        elif mode == "silence":
            time.sleep(60)
        else:
            self.send_response(200)
            if mode != "anonymous":
                self.send_header("ETag", etag)
            if mode == "chunked":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for at in range(0, len(body), 7):
                    chunk = body[at : at + 7]
                    self.wfile.write(b"%X;x=y\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.write(b"0\r\nServer-Timing: 1\r\n\r\n")
            else:
                if mode != "unframed":
                    self.send_header("Content-Length", str(len(body) + (mode == "short")))
                self.end_headers()
                self.wfile.write(body)


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # whoever hangs up on us has a reason


path = os.path.join(folder, "socket")
if os.path.exists(path):
    os.unlink(path)
with Server(path, Handler) as server:
    print("ready", flush=True)
    server.serve_forever()
