#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kube-api.py DIR PORT: a stand-in for the Kubernetes API, over TLS, on 127.0.0.1 and [::1].

Who has the token in DIR/token, or a certificate of DIR/ca.crt, may ask for the pods of DIR/pods, a file
of JSON each; a pod's file may begin with lines that say what to answer before, once each:
"500", "404 words", "sleep 9", "garbage", "long". Each request is a line in DIR/requests.
"""

import http.server
import json
import pathlib
import socket
import ssl
import sys
import threading
import time

DIR, PORT = pathlib.Path(sys.argv[1]), int(sys.argv[2])


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def answer(self, code, text):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def refuse(self, code, message):
        self.answer(code, json.dumps({"kind": "Status", "apiVersion": "v1", "code": code, "message": message}))

    def do_GET(self):
        with open(DIR / "requests", "a") as log:
            print(self.path, self.headers.get("Accept"), self.headers.get("Host"), file=log)
        token = self.headers.get("Authorization") == "Bearer " + (DIR / "token").read_text().strip()
        if not token and not self.connection.getpeercert():
            return self.refuse(401, "Unauthorized")
        path = DIR / "pods" / self.path.rsplit("/", 1)[1]
        if not path.exists():
            return self.refuse(404, f'pods "{path.name}" not found')
        first, _, rest = path.read_text().partition("\n")
        if first.startswith("{"):
            return self.answer(200, first)
        path.write_text(rest or first)  # the last one stays
        verb, _, words = first.partition(" ")
        if verb == "sleep":
            time.sleep(float(words))
        elif verb == "garbage":
            self.answer(200, "<html>")
        elif verb == "long":
            self.answer(200, "[" + " " * 5000000 + "]")
        else:
            self.refuse(int(verb), words)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        request.settimeout(10)
        try:
            super().finish_request(context.wrap_socket(request, server_side=True), client_address)
        except OSError:
            pass  # who does not trust us, or has gone


class Server6(Server):
    address_family = socket.AF_INET6


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion.TLSv1_3  # as hardened clusters have it
context.load_cert_chain(DIR / "server.crt", DIR / "server.key")
context.load_verify_locations(DIR / "ca.crt")
context.verify_mode = ssl.CERT_OPTIONAL
servers = [Server(("127.0.0.1", PORT), Handler), Server6(("::1", PORT), Handler)]
print("ready", flush=True)
threading.Thread(target=servers[0].serve_forever, daemon=True).start()
servers[1].serve_forever()
