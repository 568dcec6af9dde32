#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the hand-made part of the corpora: one file an idea, named after it."""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def name(text):
    out = b""
    for label in text.strip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


def message(flags=0x0100, qd=1, an=0, ns=0, ar=0, body=b"", ident=0x1234):
    return struct.pack(">6H", ident, flags, qd, an, ns, ar) + body


def question(text, qtype=1, qclass=1):
    return name(text) + struct.pack(">2H", qtype, qclass)


def opt(size=1232, version=0, do=False, options=b"", owner=b"\0"):
    return owner + struct.pack(">HHIH", 41, size, version << 16 | (0x8000 if do else 0),
                               len(options)) + options


def rr(owner, rtype, rclass=1, ttl=0, rdata=b""):
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, len(rdata)) + rdata


A = question("redis.mesh")
QUERIES = {
    "a": message(body=A),
    "aaaa": message(body=question("redis.mesh", 28)),
    "odd-case": message(body=question("ReDiS.mEsH")),
    "nodata": message(body=question("only4.mesh", 28)),
    "https-in-domain": message(body=question("redis.mesh", 65)),
    "https-shadowing": message(body=question("www.example.com", 65)),
    "mx-shadowing": message(body=question("www.example.com", 15)),
    "any": message(body=question("redis.mesh", 255)),
    "any-big": message(body=question("big.mesh", 255), ar=1) + opt(4096),
    "outside": message(body=question("www.example.org")),
    "big-512": message(body=question("big.mesh")),
    "big-4096": message(ar=1, body=question("big.mesh") + opt(4096)),
    "big-odd-size": message(ar=1, body=question("big.mesh") + opt(777, do=True)),
    "edns-size-0": message(ar=1, body=question("big.mesh") + opt(0)),
    "edns-size-65535": message(ar=1, body=question("big.mesh") + opt(65535)),
    "ptr4": message(body=question("100.0.0.240.in-addr.arpa", 12)),
    "ptr4-leading-zero": message(body=question("100.00.0.240.in-addr.arpa", 12)),
    "ptr4-256": message(body=question("256.0.0.240.in-addr.arpa", 12)),
    "ptr4-five": message(body=question("1.100.0.0.240.in-addr.arpa", 12)),
    "ptr4-three": message(body=question("0.0.240.in-addr.arpa", 12)),
    "ptr6": message(body=question("4.6." + "0." * 22 + "0.0.d.f.0.0.d.f.ip6.arpa", 12)),
    "ptr6-odd-nibble": message(body=question("g.6." + "0." * 22 + "0.0.d.f.0.0.d.f.ip6.arpa", 12)),
    "root": message(body=question(".", 2)),
    "chaos-version": message(body=question("version.bind", 16, 3)),
    "chaos-id": message(body=question("id.server", 16, 3)),
    "chaos-other": message(body=question("hostname.bind", 16, 3)),
    "class-any": message(body=question("redis.mesh", 1, 255)),
    "empty": b"",
    "eleven-octets": message()[:11],
    "header-only": message(qd=0),
    "response": message(flags=0x8180, body=A),
    "opcode-status": message(flags=0x1000, body=A),
    "opcode-update": message(flags=0x2800, body=question("example.com", 6)),
    "opcode-notify": message(flags=0x2400, body=question("example.com", 6)),
    "all-flags": message(flags=0x07ff, body=A),
    "qdcount-0": message(qd=0, body=A),
    "qdcount-2": message(qd=2, body=A + A),
    "question-cut": message(body=A[:-1]),
    "name-cut": message(body=b"\5redis"),
    "label-64": message(body=b"\x40" + b"a" * 64 + b"\0\0\1\0\1"),
    "label-type-10": message(body=b"\x80\0\0\1\0\1"),
    "name-255": message(body=(b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0\0\1\0\1"),
    "name-256": message(body=(b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"b" * 62 + b"\0\0\1\0\1"),
    "pointer-to-itself": message(body=b"\xc0\x0c\0\1\0\1"),
    "pointer-into-header": message(body=b"\xc0\x02\0\1\0\1"),
    "pointer-forward": message(body=b"\xc0\x20\0\1\0\1" + b"\0" * 32),
    "trailing": message(body=A + b"\0"),
    "answer-in-query": message(an=1, body=A + rr(b"\xc0\x0c", 1, rdata=b"\1\2\3\4")),
    "authority-in-query": message(ns=1, body=A + rr(b"\xc0\x0c", 6)),
    "ixfr": message(ns=1, body=question("example.com", 251) +
                    rr(b"\xc0\x0c", 6, rdata=b"\0\0" + b"\0" * 20)),
    "axfr": message(body=question("example.com", 252)),
    "type-0": message(body=question("redis.mesh", 0)),
    "type-opt": message(body=question("redis.mesh", 41)),
    "edns": message(ar=1, body=A + opt()),
    "edns-do": message(ar=1, body=A + opt(do=True)),
    "edns-version-1": message(ar=1, body=A + opt(version=1)),
    "edns-two": message(ar=2, body=A + opt() + opt()),
    "edns-owner": message(ar=1, body=A + opt(owner=b"\1a\0")),
    "edns-owner-pointer": message(ar=1, body=A + opt(owner=b"\xc0\x0c")),
    "edns-option": message(ar=1, body=A + opt(options=struct.pack(">HH", 10, 8) + b"c" * 8)),
    "edns-option-past-end": message(ar=1, body=A + opt(options=struct.pack(">HH", 10, 9) + b"c" * 8)),
    "edns-option-half": message(ar=1, body=A + opt(options=b"\0")),
    "edns-rdlength-past-end": message(ar=1, body=A + opt()[:-2] + b"\0\5"),
    "arcount-lies": message(ar=65535, body=A + opt()),
    "tsig": message(ar=1, body=A + rr(b"\1k\0", 250, 255, rdata=b"\0" * 20)),
    "tsig-not-last": message(ar=2, body=A + rr(b"\1k\0", 250, 255) + opt()),
    "sig0": message(ar=1, body=A + rr(b"\0", 24, 255, rdata=b"\0" * 18)),
    "additional-owner-forward": message(ar=1, body=A + rr(b"\xc0\xff", 1)),
    "additional-other": message(ar=1, body=A + rr(b"\xc0\x0c", 1, rdata=b"\1\2\3\4")),
}



def option(code, data=b"", length=None):
    return struct.pack(">HH", code, len(data) if length is None else length) + data


def with_options(*options, **header):
    return message(ar=1, body=A + opt(4096, options=b"".join(options)), **header)


OUTBOUND = {
    "plain": message(body=A),
    "edns": with_options(),
    "all-flags": with_options(flags=0x07ff),
    "do": message(ar=1, body=A + opt(65535, do=True)),
    "cookie": with_options(option(10, b"c" * 8)),
    "cookies-between": with_options(option(10, b"c" * 8), option(8, b"\0\1\x18\0\1\2\3"),
                                    option(11), option(12, b"\0" * 200), option(65001, b"x")),
    "keepalive-only": with_options(option(11), option(11, b"\0\1")),
    "padding-all": with_options(option(12, b"\0" * 468)),
    "empty-options": with_options(*[option(code) for code in range(20)]),
    "unknown-long": with_options(option(65535, b"x" * 1200)),
    "option-past-end": with_options(option(8, b"xx", 3)),
    "option-cut": with_options(b"\0\x08\0"),
    "option-length-65535": with_options(option(8, b"", 65535)),
    "opt-before-others": message(ar=2, body=A + opt(options=option(10, b"c" * 8)) +
                                 rr(b"\xc0\x0c", 1, rdata=b"\1\2\3\4")),
    "others-before-opt": message(ar=2, body=A + rr(b"\xc0\x0c", 1, rdata=b"\1\2\3\4") +
                                 opt(options=option(15, b"\0\1") + option(10, b"c" * 8))),
    "odd-case": message(ar=1, body=question("ReDiS.mEsH") + opt()),
    "name-255": message(ar=1, body=(b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 +
                        b"\0\0\1\0\1" + opt(options=option(10, b"c" * 8))),
    "question-with-pointer": message(ar=1, body=b"\1a\xc0\x0c\0\1\0\1" + opt()),
}

Q = question("www.example.com")
ANSWER = rr(b"\xc0\x0c", 1, ttl=60, rdata=b"\1\2\3\4")


def reply(flags=0x8180, body=Q, ident=0xabcd, **counts):
    return message(flags=flags, body=body, ident=ident, **counts)


REPLIES = {
    "whole": reply(an=1, body=Q + ANSWER),
    "other-case": reply(an=1, body=question("WWW.EXAMPLE.COM") + ANSWER),
    "edns": reply(an=1, ar=1, body=Q + ANSWER + opt()),
    "nxdomain": reply(flags=0x8183),
    "nxdomain-soa": reply(flags=0x8183, ns=1, body=Q + rr(b"\xc0\x10", 6, ttl=60, rdata=b"\0" * 22)),
    "other-id": reply(ident=0xabce),
    "other-name": reply(body=question("www.example.org")),
    "other-type": reply(body=question("www.example.com", 28)),
    "other-class": reply(body=question("www.example.com", 1, 3)),
    "a-query": reply(flags=0x0100),
    "other-opcode": reply(flags=0xa180),
    "bare-refused": reply(flags=0x8185, qd=0, body=b""),
    "bare-noerror": reply(qd=0, body=b""),
    "bare-with-octets": reply(flags=0x8185, qd=0, body=b"x"),
    "two-questions": reply(qd=2, body=Q + Q),
    "cut": reply(an=1, body=(Q + ANSWER)[:-1]),
    "cut-tc": reply(flags=0x8380, an=1, body=(Q + ANSWER)[:-1]),
    "tc-empty": reply(flags=0x8380),
    "octets-behind": reply(an=1, body=Q + ANSWER + b"\0"),
    "counts-lie": reply(an=65535, ns=65535, ar=65535, body=Q + ANSWER),
    "owner-forward": reply(an=1, body=Q + rr(b"\xc0\xff", 1, rdata=b"\1\2\3\4")),
    "unknown-type": reply(an=1, body=Q + rr(b"\xc0\x0c", 65280, rdata=b"\xc0\xff")),
    "header-cut": reply()[:11],
}

SOA = rr(b"\xc0\x10", 6, ttl=60, rdata=b"\0" * 18 + struct.pack("!I", 30))
CACHED = {
    "later": b"\0\x3c" + reply(an=1, body=Q + ANSWER),
    "nodata": b"\0\7" + reply(ns=1, body=Q + SOA),
    "nxname": b"\0\7" + reply(flags=0x8183, ns=1, body=Q + SOA),
    "short-soa": b"\0\7" + reply(ns=1, body=Q + rr(b"\xc0\x10", 6, ttl=60, rdata=b"\0" * 21)),
    "servfail": b"\0\1" + reply(flags=0x8182),
    "authoritative": b"\0\7" + reply(flags=0x8580, an=1, body=Q + ANSWER),
    "long": b"\0\7" + reply(an=400, body=Q + ANSWER * 400),
    "opt-first": b"\0\7" + reply(an=1, ar=2, body=Q + ANSWER + opt() + ANSWER),
    "ttl-high": b"\0\7" + reply(an=1, body=Q + rr(b"\xc0\x0c", 1, ttl=0xffffffff, rdata=b"\1\2\3\4")),
}

HOSTS = {
    "plain": "240.0.0.100 redis.mesh cache.mesh\nfd00:fd00::64\tredis.mesh\n",
    "comments": "# all\n240.0.0.1 a.mesh # b.mesh\n#240.0.0.2 c.mesh\n\n   \n",
    "no-newline": "240.0.0.1 a.mesh",
    "crlf": "240.0.0.1 a.mesh\r\n240.0.0.2 b.mesh\r\n",
    "no-name": "240.0.0.1\n240.0.0.2 ok.mesh\n",
    "bad-address": "240.0.0 a.mesh\n240.0.0.1%lo b.mesh\nfe80::1%lo c.mesh\n::ffff:240.0.0.1 d.mesh\n",
    "bad-names": "240.0.0.1 .. a..b .a a. - _ " + "l" * 64 + " " + "n." * 130 + " sp\u00e9cial.mesh *.x\n",
    "underscores": "240.0.0.1 echo-server_echo-example_svc_1010.mesh\n",
    "nul": "240.0.0.1 a\0b.mesh\n240.0.0.2\0 c.mesh\n",
    "same-twice": "240.0.0.1 a.mesh a.mesh\n240.0.0.1 A.MESH.\n240.0.0.2 a.mesh\n",
    "the-domain": "240.0.0.1 mesh\n",
    "one-letter": "2",
}

JSON = {
    "kuma": '{"records":[{"name":"redis.mesh","ips":["240.0.0.100","::ffff:f000:64"]}],"ttl":30,'
            '"extraLabels":{"mesh":"default"}}',
    "empty-table": '{"records":[]}',
    "no-records": '{"ttl":30}',
    "records-no-list": '{"records":{"name":"a.mesh"}}',
    "not-an-object": '[1]',
    "broken": '{"records":[',
    "bad-record": '{"records":[1,null,{"name":1,"ips":[]},{"name":"a.mesh"},{"name":"b.mesh","ips":[2,"x"]},'
                  '{"name":"ok.mesh","ips":["240.0.0.1"]}]}',
    "bad-ttl": '{"records":[{"name":"a.mesh","ips":["240.0.0.1"]}],"ttl":-1}',
    "text-ttl": '{"records":[],"ttl":"30"}',
    "huge-ttl": '{"records":[],"ttl":4294967296}',
    "nul-in-name": '{"records":[{"name":"a\\u0000b.mesh","ips":["240.0.0.1\\u0000"]}]}',
    "twice": '{"records":[],"records":[]}',
    "deep": "[" * 3000,
    "surrogate": '{"records":[{"name":"\\ud800","ips":[]}]}',
}

# Kuma's Helm chart makes this one.
KUMA = """\
comments:
  disabled: false
dropInvalidPackets: false
ipFamilyMode: dualstack
iptablesExecutables:
  ip6tables: ""
  ip6tables-restore: ""
  ip6tables-save: ""
  iptables: ""
  iptables-restore: ""
  iptables-save: ""
kumaDPUser: "5678"
log:
  enabled: false
redirect:
  dns:
    captureAll: true
    enabled: true
    port: 15053
    resolvConfigPath: /etc/resolv.conf
    skipConntrackZoneSplit: false
  inbound:
    enabled: true
    excludePorts: []
    excludePortsForIPs: []
    excludePortsForUIDs: []
    includePorts: []
    insertRedirectInsteadOfAppend: false
    port: 15006
  outbound:
    enabled: true
    excludePorts: []
    excludePortsForIPs: []
    excludePortsForUIDs: []
    includePorts: []
    insertRedirectInsteadOfAppend: false
    port: 15001
  vnet:
    networks: []
retry:
  maxRetries: 4
  sleepBetweenRetries: 2s
storeFirewalld: false
verbose: false
wait: 5
waitInterval: 0
"""
OUT = "redirect: {outbound: {%s}}\n"
CONFIGS = {
    "kuma": KUMA,
    "json": '{"redirect":{"dns":{"enabled":true,"port":15053},"vnet":{"networks":["br+:fd00::/8"]}}}',
    "empty": "",
    "comment": "# nothing\n",
    "null": "~\n",
    "nulls": "redirect:\n  dns:\n    port:\n  inbound:\nlog: ~\n",
    "ports": OUT % "excludePorts: [80, 443, 8000-8999, 81, 8500-9500, '1-65535'], includePorts: 1,2",
    "ports-many": OUT % ("excludePorts: %s" % list(range(1, 200, 2))),
    "ports-bad": OUT % "excludePorts: [0]",
    "ips": OUT % "excludePortsForIPs: [10.1.2.3/8, 10.0.0.1, '::1', '::/0', 0.0.0.0/0], vips: 240.0.0.0/4",
    "ips-many": OUT % ("excludePortsForIPs: [%s]" % ",".join("10.0.0.%d" % i for i in range(200))),
    "ips-bad": OUT % "excludePortsForIPs: ['fe80::1%lo', 1.2.3.4/33]",
    "uids": OUT % "excludePortsForUIDs: ['1000', '80:1', 'tcp:80,90-99:0-4294967294', '*:*:5', '::7;8']",
    "uids-many": OUT % ("excludePortsForUIDs: %s" % list(range(100))),
    "uids-bad": OUT % "excludePortsForUIDs: ['tcp:80:1:2']",
    "vnets": "redirect: {vnet: {networks: ['docker0:172.17.0.0/16', 'br+:172.18.0.0/16', 'iface:::1/64']}}",
    "vnets-bad": "redirect: {vnet: {networks: ['an-interface-too-long:10.0.0.0/8']}}",
    "twice": "wait: 1\nwait: 2\n",
    "twice-branch": "log: {level: 1}\nlog: {level: 2}\n",
    "twice-in-list": "redirect: {dns: {port: 1}, dns: {port: 2}}\n",
    "dotted": "redirect.dns.port: 1\n",
    "empty-key": "'': 1\n? [a]\n: 2\n",
    "long-key": "a" * 5000 + ": 1\n",
    "alias": "wait: &a 5\nwaitInterval: *a\n",
    "merge": "log: &l {level: 1}\n<<: *l\n",
    "laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
    "tag": "wait: !!python/object 5\n",
    "deep": "[" * 3000,
    "deep-mapping": "{a: " * 1000,
    "list-for-value": "log: {level: [1]}\n",
    "mapping-for-value": "log: {level: {a: 1}}\n",
    "list-in-list": OUT % "excludePorts: [[1]]",
    "value-for-mapping": "redirect: yes\n",
    "quoted-bool": "verbose: 'true'\n",
    "two-documents": "wait: 5\n---\nwait: 6\n",
    "nul": 'kumaDPUser: "a\\0b"\n',
    "no-utf8": b"kumaDPUser: \xff\xfe\n",
    "utf16": "wait: 5\n".encode("utf-16"),
    "block": "kumaDPUser: |\n  a\n  b\nredirect:\n  dns:\n    resolvConfigPath: >-\n      /a\n      b\n",
    "removed": "ebpf: {enabled: false}\n",
    "firewalld": "storeFirewalld: true\n",
    "directive": "%YAML 9.9\n---\nwait: 5\n",
}

HTTP = {
    "get": "GET /metrics HTTP/1.1\r\nHost: localhost:19153\r\nAccept: */*\r\n\r\n",
    "head": "HEAD /metrics?a=b HTTP/1.0\n\n",
    "post": "POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    "elsewhere": "GET /metricss HTTP/1.1\r\n\r\n",
    "absolute": "GET http://localhost/metrics HTTP/1.1\r\n\r\n",
    "old": "GET /metrics\r\n\r\n",
    "no-line": "\r\n\r\n",
    "spaces": "GET  /metrics  HTTP/1.1\r\n\r\n",
    "unfinished": "GET /metrics HTTP/1.1\r\nHost:",
    "nul": b"GET /metrics\0 HTTP/1.1\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3" + b"\n\n",
    "empty": "",
}

OK = "HTTP/1.1 200 OK\r\n"
KUMA = '{"records":[{"name":"redis.mesh","ips":["240.0.0.1"]}],"ttl":30,"extraLabels":{"mesh":"default","le":"\\n"}}'
CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n"

RESPONSES = {
    "length": OK + f"ETag: 0123\r\nContent-Length: {len(KUMA)}\r\n\r\n{KUMA}",
    "end": OK + "\r\n" + KUMA,
    "chunked": CHUNKED + "".join(f"{len(c):x};a=b\r\n{c}\r\n" for c in KUMA.split(",")) + "0\r\nX: y\r\n\r\n",
    "not-modified": 'HTTP/1.1 304 Not Modified\r\nETag: W/"x"\r\nDate: now\r\n\r\n',
    "interim": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "bare": "HTTP/1.0 200\ncontent-length:2\n\n{}",
    "both": CHUNKED.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n") + "0\r\n\r\n",
    "two-lengths": OK + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "folded": OK + "ETag: a\r\n b\r\n\r\n",
    "short": OK + "Content-Length: 9\r\n\r\n{}",
    "large": OK + "Content-Length: 99999999999999999999\r\n\r\n",
    "large-chunk": CHUNKED + "fffffffffffffffff\r\n",
    "chunk-runs-on": CHUNKED + "1\r\nabc\r\n0\r\n\r\n",
    "long-line": OK + "X: " + "y" * 2000,
    "long-head": OK + "X: y\r\n" * 2000,
    "long-content": OK + "\r\n" + "y" * 3000,
    "nul": OK + "X: \0\r\n\r\n",
    "tls": b"\x15\x03\x03\0\2\2\50",
    "empty": "",
}

CTL = {
    "empty": "",
    "status": "status",
    "status-word": "status x",
    "names": "names",
    "names-page": "names after=redis.mesh under=mesh limit=5",
    "names-bad": "names after=..",
    "names-limit": "names limit=-1",
    "names-key": "names colour=red",
    "upstreams": "upstreams",
    "flush": "flush",
    "reload": "  reload  ",
    "lookup": "lookup redis.mesh",
    "lookup-type": "lookup redis.mesh TYPE65280",
    "lookup-bad-type": "lookup redis.mesh TYPE65536",
    "lookup-bad-name": "lookup ..",
    "lookup-long": "lookup " + "a." * 500,
    "log-on": "log on",
    "log-all": "log on sample=10 rate=5 name=.mesh for=60",
    "log-key": "log on colour=red",
    "log-range": "log on sample=99999999999999999999",
    "log-name": "log on name=" + "a" * 64,
    "log-off": "log off",
    "log-odd": "log maybe",
    "words": "log " * 20,
    "quotes": 'lookup "\\"',
    "octets": b"\xff\0\x1b[2J",
    "long": "x" * 3000,
}

CAUSE = {
    "empty": "",
    "udp": "  121: 0100007F:3ACD 00000000:0000 07 00000000:00000000 00:00000000 00000000  5678        0 1 2",
    "tcp6": "   0: 00000000000000000000000001000000:3ACD 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 43 1",
    "heading": "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "short-address": "1: 0100:3ACD 00000000000000000000:0000 07 0:0 0:0 0 1",
    "nsswitch": "hosts: files mymachines resolve [!UNAVAIL=return] dns\n",
    "resolved": "[Resolve]\nDNS=10.0.0.1:5353%eth0#name [fd00::1]:53\nDNSSEC=allow-downgrade\nDNSOverTLS = yes\n",
    "long": "DNS=" + "[" * 500 + "\n",
    "link": "# This is private data. Do not parse.\nSERVERS=10.66.0.53\nDNSOVERTLS=opportunistic\n",
}

# Questions to the Corefile of fuzz_plugins.c.
PLUGINS = {
    "hosts-a": message(body=question("A.example")),
    "hosts-aaaa": message(ar=1, body=question("a.example", 28) + opt()),
    "hosts-mx": message(body=question("a.example", 15)),
    "hosts-wildcard": message(body=question("x.b.example")),
    "hosts-ptr": message(body=question("1.0.0.10.in-addr.arpa", 12)),
    "template-a": message(body=question("ip-4.example")),
    "template-too-large": message(body=question("ip-256.example")),
    "template-other-expression": message(body=question("A.b.X")),
    "template-txt": message(body=question("a.b.example", 16)),
    "template-quotes": message(body=b"\4\"\\;.\3\0 \xff\0" + struct.pack(">2H", 16, 1)),
    "template-root": message(body=question(".", 16)),
    "template-edns": message(ar=1, body=question("a.b.example", 16) + opt(1232, do=True)),
    "template-any": message(body=question("x.example", 255)),
    "template-class-any": message(body=question("x.example", 16, 255)),
    "template-cut": message(body=b"\x3f" + b"(" * 63 + b"\x3f" + b"\xff" * 63 + b"\x3f" + b"a" * 63
                            + b"\x3d" + b"\0" * 61 + b"\0" + struct.pack(">2H", 16, 1)),
}

# Questions, and answers with names in every place that has some.
TO_REWRITE = {
    "a": message(body=question("a.org")),
    "prefix": message(body=question("xn-.Example")),
    "chaos": message(body=question("version.bind", 16, 3)),
    "edns": message(ar=1, body=question("a-b.c") + opt(1400, do=True, options=b"\0\x0a\0\2ab")),
    "other-additional": message(ar=2, body=question("a.org") + rr(b"\xc0\x0c", 16) + opt()),
    "ixfr": message(ns=1, body=question("a.org", 251) + rr(b"\xc0\x0c", 6, rdata=b"\0\0" + b"\0" * 20)),
    "octets": message(body=b"\4\0.\\-\3\xff- \0\0\1\0\1"),
    "long": message(body=(b"\x3f" + b"-" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0\0\1\0\1"),
    "answer": message(flags=0x8180, an=3, ns=1, ar=2, body=question("a.b.example") + rr(
        b"\xc0\x0c", 5, rdata=b"\1e\xc0\x10") + rr(b"\xc0\x29", 1, rdata=b"\1\2\3\4") + rr(
        b"\xc0\x29", 15, rdata=b"\0\5\4mail\xc0\x29") + rr(
        b"\xc0\x10", 6, rdata=b"\2ns\xc0\x10\1h\xc0\x0c" + b"\0" * 20) + rr(
        b"\xc0\x0c", 33, rdata=b"\0\1\0\2\0\3\1s\xc0\x10") + opt()),
    "answer-all-types": message(flags=0x8180, an=12, body=question("a.b") + b"".join(
        rr(b"\xc0\x0c", t, rdata=b"\1x\xc0\x0c") for t in (2, 3, 7, 12, 30, 39)) + b"".join(
        rr(b"\xc0\x0c", t, rdata=b"\xc0\x0c\1y\xc0\x0e") for t in (14, 17)) + rr(
        b"\xc0\x0c", 35, rdata=b"\0\1\0\2\1s\0\2re\xc0\x0c") + rr(
        b"\xc0\x0c", 46, rdata=b"\0" * 18 + b"\xc0\x0csignature") + rr(
        b"\xc0\x0c", 26, rdata=b"\0\1\xc0\x0c\0") + rr(b"\xc0\x0c", 65, rdata=b"\0\1\0")),
    "answer-nxdomain": message(flags=0x8183, body=question("a.b")),
    "answer-bare": message(flags=0x8182, qd=0),
    "answer-pointer-chain": message(flags=0x8180, an=3, body=question("a.b") + rr(
        b"\xc0\x0c", 5, rdata=b"\xc0\x0c") + rr(b"\xc0\x1e", 5, rdata=b"\xc0\x1e") + rr(
        b"\xc0\x2c", 5, rdata=b"\xc0\x2c")),
    "answer-long-names": message(flags=0x8180, an=2, body=question("a.b") + rr(
        (b"\x3f" + b"e" * 63) * 3 + b"\x3d" + b"-" * 61 + b"\0", 5, rdata=b"\xc0\x13") + rr(
        b"\xc0\x53", 5, rdata=b"\xc0\x13")),
    "answer-large": message(flags=0x8180, an=60, body=question("a.b") + b"".join(
        rr(name(f"n{i}.e.example"), 1, rdata=b"\1\2\3\4") for i in range(60))),
}


def part(text, ttl=60, place=0, line=0, alias=b"", a=(), aaaa=(), ports=b"", flags=0):
    """struct names_record, as of a machine with its least octet first."""
    wire = name(text) if isinstance(text, str) else text
    data = wire + alias + b"".join(a) + b"".join(aaaa) + ports
    return struct.pack("<IIHHHHBBBB", ttl, place, line, len(a), len(aaaa), len(ports), len(wire), 0,
                       len(alias), flags) + data + bytes(-len(data) % 4)


def parts(*list_of_parts, number=None):
    return bytes([len(list_of_parts) if number is None else number]) + b"".join(list_of_parts)


VIP, VIP6 = b"\xf0\0\0\1", b"\xfd\0\xfd" + bytes(12) + b"\1"
PORT = struct.pack(">HBB", 6379, 6, 5) + b"redis"
STATES = {
    "empty": b"",
    "none": parts(),
    "a": parts(part("redis.mesh", a=[VIP])),
    "both": parts(part("redis.mesh", a=[VIP, b"\xf0\0\0\2"], aaaa=[VIP6], ports=PORT * 2)),
    "alias": parts(part("cache.mesh", alias=name("redis.mesh"))),
    "tree": parts(part("a.b.c.mesh", a=[VIP]), part("*.c.mesh", a=[VIP]), part("b.c.mesh", a=[VIP])),
    "places": parts(part("a.mesh", place=1, a=[VIP]), part("a.mesh", ttl=5, place=2, line=9, a=[VIP]),
                    part("a.mesh", place=2, line=10, aaaa=[VIP6])),
    "too-many": parts(part("a.mesh", a=[VIP]), number=9),
    "too-few": parts(part("a.mesh", a=[VIP]), part("b.mesh", a=[VIP]), number=1),
    "cut": parts(part("redis.mesh", a=[VIP]))[:-4],
    "no-data": parts(part("redis.mesh")),
    "pointer": parts(part(b"\xc0\0", a=[VIP])),
    "long-port": parts(part("a.mesh", ports=PORT[:-1])),
    "flags": parts(part("a.mesh", a=[VIP], flags=3)),
    "upper": parts(part("A.mesh", a=[VIP])),
    "file": b"meshdns\n" + struct.pack("<IIQQQQ", 1, 60, 0, 0, 0x2d06800538d394c2, 0),
}


def sockets(*messages):
    """Messages (octets, how many descriptors, kind of the first, kind of the others)."""
    return b"\0" + b"".join(bytes([len(text), n, first + 5 * others]) + text
                            for text, n, first, others in messages)


HANDOVER = {
    "empty": b"",
    "nothing": sockets(),
    "one-batch": sockets((b"\0", 2, 0, 1)),
    "two-batches": sockets((b"\1", 64, 0, 1), (b"\0", 8, 1, 0)),
    "more-and-end": sockets((b"\1", 2, 0, 1)),
    "too-many": sockets((b"\0", 65, 0, 1)),
    "no-descriptor": sockets((b"\0", 0, 0, 0)),
    "no-octet": sockets((b"", 2, 0, 1), (b"\0", 2, 0, 1)),
    "two-octets": sockets((b"\0\1", 2, 0, 1)),
    "odd-octet": sockets((b"\3", 2, 0, 1)),
    "unbound": sockets((b"\0", 3, 1, 2)),
    "unix": sockets((b"\0", 2, 3, 0)),
    "device": sockets((b"\1", 2, 0, 4), (b"\0", 2, 0, 1)),
    "clients": b"\3" + sockets((b"\3ab", 1, 1, 0), (b"\3", 1, 1, 0))[1:],
    "client-of-two": b"\3" + sockets((b"\3a", 2, 1, 0))[1:],
    "client-without": b"\3" + sockets((b"\3a", 0, 1, 0))[1:],
    "client-of-another-octet": b"\3" + sockets((b"\0a", 1, 1, 0))[1:],
    "client-too-many": b"\3" + sockets((b"\3", 65, 1, 0))[1:],
    "serving": b"\1\2",
    "not-serving": b"\1\1",
    "ended": b"\1",
    "environment": b"\x024242\x003",
    "environment-of-another": b"\x024243\x003",
    "environment-too-many": b"\x024242\x002049",
    "environment-negative": b"\x024242\0-1",
    "environment-huge": b"\x024242\x0018446744073709551617",
    "environment-without": b"\x024242",
    "environment-space": b"\x02 4242\0 3",
}


VALUES = {
    "escapes": r'"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00\u0000"',
    "surrogate-alone": r'"\ud83d"',
    "surrogate-low-first": r'"\ude00\ud83d"',
    "surrogate-wrong-half": r'"\ud83d\u0041"',
    "escape-unknown": r'"\x"',
    "escape-cut": r'"\u12',
    "utf8": "\"é€😀\"",
    "utf8-overlong": b'"\xc0\xaf"',
    "utf8-surrogate": b'"\xed\xa0\x80"',
    "utf8-too-large": b'"\xf4\x90\x80\x80"',
    "utf8-cut": b'"\xe2\x82"',
    "control-character": '"a\nb"',
    "no-end": '"abc',
    "numbers": "[0, -0, 1, -1, 999999999999999999, 1000000000000000000, 1.5, 1e3, 1E-3, 0.1e+2]",
    "number-zeros": "[01]",
    "number-minus": "[-]",
    "number-no-fraction": "[1.]",
    "number-no-exponent": "[1e]",
    "number-too-large": "1e999",
    "number-plus": "+1",
    "words": "[true, false, null]",
    "word-cut": "[tru]",
    "nested": '{"a": {"b": [[], {}, [{"c": []}]]}}',
    "deep-64": "[" * 64 + "]" * 64,
    "deep-65": "[" * 65 + "]" * 65,
    "key-twice": '{"a": 1, "a": 2}',
    "key-no-string": "{1: 2}",
    "key-null": r'{"a\u0000b": 1}',
    "comma-last": "[1,]",
    "comma-first": "[,1]",
    "comma-missing": "[1 2]",
    "comma-in-object": '{"a": 1,}',
    "colon-missing": '{"a" 1}',
    "brackets-mixed": "[}",
    "blanks": " \t\r\n[ 1 , { } ] \n",
    "blank-other": "\v1",
    "behind": "1 2",
    "nothing": " ",
    "nul": b"[1]\0",
}


def write(target, inputs):
    folder = os.path.join(HERE, target)
    os.makedirs(folder, exist_ok=True)
    for label, data in inputs.items():
        with open(os.path.join(folder, label), "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())


write("query", QUERIES)
write("outbound", OUTBOUND)
write("reply", REPLIES)
write("cache", {label: b"\0\7" + data for label, data in REPLIES.items()})
write("cache", CACHED)
write("names", {f"hosts-{label}": text for label, text in HOSTS.items()})
write("names", {f"json-{label}": text for label, text in JSON.items()})
write("json", JSON)
write("json", VALUES)
write("config", CONFIGS)
write("http", HTTP)
write("response", {label: "\6" + (data if isinstance(data, str) else data.decode("latin-1")) for label, data in RESPONSES.items()})
write("ctl", CTL)
write("cause", CAUSE)
write("plugins", PLUGINS)
write("state", STATES)
write("handover", HANDOVER)
write("rewrite", TO_REWRITE)
write("rewrite", REPLIES)
