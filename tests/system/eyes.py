#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What looks at the resolver in eyes.sh.

eyes.py get PATH              status and body
eyes.py metric NAME [K=V...]  the sum of the samples with these labels, by Prometheus' own parser
eyes.py check                 all of /metrics is sound: parses, types known, histograms add up
eyes.py raw BYTES             what the port answers to bytes that are no request, first line
eyes.py hold N [PORT]         opens N connections, sends nothing, waits for standard input to end
eyes.py patience LOADS        asks for /metrics over and over until names were loaded so often; prints
                              the longest wait for an answer, in percent of the time
eyes.py await                 asks /ready over and over until it says 200; prints each thing it said once
"""
import http.client
import socket
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

PORT = 19153


def get(path):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), response.read().decode()


def families():
    status, kind, body = get("/metrics")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4"), (status, kind)
    return list(text_string_to_metric_families(body))


def metric(name, *labels):
    wanted = dict(label.split("=", 1) for label in labels)
    samples = [s for f in families() for s in f.samples if s.name == name]
    return sum(s.value for s in samples
               if all(s.labels.get(key) == value for key, value in wanted.items()))


def check():
    seen = set()
    for family in families():
        assert family.name not in seen, f"twice: {family.name}"
        seen.add(family.name)
        assert family.documentation and family.type != "unknown", family.name
        series = {}
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in series, f"twice: {key}"
            series[key] = sample.value
            if family.type == "counter":
                assert sample.name.endswith("_total") and sample.value >= 0, sample
        if family.type == "histogram":
            check_histogram(family, series)
    return len(seen)


def check_histogram(family, series):
    buckets = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            rest = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            buckets.setdefault(rest, []).append((float(sample.labels["le"]), sample.value))
    for labels, pairs in buckets.items():
        assert pairs == sorted(pairs), f"not cumulative: {family.name}"
        assert pairs[-1] == (float("inf"), series[(family.name + "_count", labels)]), family.name
        assert (family.name + "_sum", labels) in series, family.name


def raw(data):
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as sock:
        sock.sendall(data.encode().decode("unicode_escape").encode("latin-1"))
        sock.shutdown(socket.SHUT_WR)
        return sock.recv(4096).split(b"\r\n")[0].decode()


def hold(number, port=PORT):
    held = [socket.create_connection(("127.0.0.1", int(port))) for _ in range(int(number))]
    print("ready", flush=True)
    sys.stdin.read()
    return len(held)


def patience(loads):
    print("asking", flush=True)
    longest, began = 0, time.monotonic()
    while True:
        asked = time.monotonic()
        _, _, body = get("/metrics")
        now = time.monotonic()
        longest = max(longest, now - asked)
        if f'meshdns_reloads_total{{result="ok"}} {loads}\n' in body:
            return round(100 * longest / (now - began))


def await_ready():
    said = {}
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            status, _, body = get("/ready")
        except ConnectionRefusedError:
            time.sleep(0.001)
            continue
        said[f"{status} {body}"] = None
        if status == 200:
            break
        time.sleep(0.001)
    return "\n".join(said)


def main():
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "get":
        status, _, body = get(*arguments)
        print(status, body)
    elif verb == "metric":
        print(f"{metric(*arguments):g}")
    else:
        print({"check": check, "raw": raw, "hold": hold, "patience": patience,
               "await": await_ready}[verb](*arguments))


main()
