#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tls.py ADDRESS CERT KEY [once|late|silent|reset|garbage] [CA]: a server of DNS over TLS that tells all it sees.

Answers A 192.0.2.77, padded if the question was. Logs a line a connection and one a question.
once: closes after each answer. late: holds answers back until there are three questions, and gives
them in reverse. silent: takes connections and says nothing. reset: closes them at once. garbage:
speaks no TLS. With CA it wants a certificate of it.
"""
import socket, ssl, struct, sys, threading
import dns.flags, dns.message, dns.rrset

address, cert, key, *rest = sys.argv[1:]
mode = rest[0] if rest else "plain"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.set_alpn_protocols(["dot"])
if len(rest) > 1:
    context.load_verify_locations(rest[1])
    context.verify_mode = ssl.CERT_REQUIRED
names = threading.local()
context.sni_callback = lambda _, name, __: setattr(names, "sni", name)


def read(tls, n):
    data = b""
    while len(data) < n:
        more = tls.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def answer(wire):
    query = dns.message.from_wire(wire)
    padded = any(option.otype == 12 for option in query.options)
    print("question", query.question[0].name, "octets", len(wire), "padded", padded, flush=True)
    reply = dns.message.make_response(query, recursion_available=True)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.77"))
    if padded:
        reply.use_edns(0, options=[dns.edns.GenericOption(12, bytes(200))])
    wire = reply.to_wire()
    return struct.pack("!H", len(wire)) + wire


def serve(connection):
    names.sni = None
    try:
        if mode == "silent":
            connection.recv(1)
            threading.Event().wait(60)
        if mode == "reset":
            return
        if mode == "garbage":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
            return
        with context.wrap_socket(connection, server_side=True) as tls:
            peer = "yes" if len(rest) > 1 and tls.getpeercert() else "no"
            print("connection sni", names.sni, "alpn", tls.selected_alpn_protocol(), "resumed",
                  tls.session_reused, "client", peer, flush=True)
            held = []
            while True:
                wire = read(tls, struct.unpack("!H", read(tls, 2))[0])
                held.append(answer(wire))
                if mode == "late" and b"meshdns-loop" not in wire and len(held) < 3:
                    continue
                tls.sendall(b"".join(reversed(held)))
                held = []
                if mode == "once":
                    return
    except (EOFError, OSError) as error:
        print("ended", type(error).__name__, error, flush=True)
    finally:
        connection.close()


listener = socket.create_server((address, 853), backlog=64)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
