#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cri.py VERB ARGUMENT…: what a kubelet asks of containerd, over its socket.

image NAME FILE DIRECTORY        writes FILE, an image for `ctr images import`, with what DIRECTORY has
run JSON NAME…                   pods' sandboxes, all at once; prints their ids, and what failed. JSON:
                                 annotations, servers, ports [[host, pod]]
start POD NAME UID COMMAND…      a container in it, of the image $IMAGE; prints its id
exec CONTAINER COMMAND…          runs it there, with its output and status
stop POD…, remove POD…           at once, all of them
last                             one of the sandboxes that there are, if there is any
CRI is the socket, IMAGE the containers', CGROUP the parent of all cgroups, LOGS where logs go. Messages are encoded by hand: it takes a few dozen lines, and no
compiler of the interface's definition.
"""
import concurrent.futures
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse

TIMEOUT_S = 60
IMAGE = os.environ.get("IMAGE", "localhost/mesh:1")


def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def message(**fields):
    """f3=…: field 3, which is a number, text, a message, a list of those, or a map of texts."""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, dict):
            value = [message(f1=key, f2=text) for key, text in value.items()]
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, int):
                out += varint(number << 3) + varint(item)
            else:
                item = item.encode() if isinstance(item, str) else item
                out += varint(number << 3 | 2) + varint(len(item)) + item
    return out


def fields_of(data):
    """The same backwards: {number: value}, of repeated ones the last."""
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 2:
            size = number()
            fields[key >> 3] = data[at:at + size]
            at += size
        else:
            fields[key >> 3] = number()
    return fields


class CallFailed(Exception):
    """What containerd says is wrong."""


def call(method, request):
    """gRPC is HTTP/2 with five bytes in front of the message, and its error behind the answer."""
    with tempfile.NamedTemporaryFile() as headers:
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "--unix-socket", os.environ["CRI"],
             "--max-time", str(TIMEOUT_S), "-H", "content-type: application/grpc",
             "-H", "te: trailers", "-D", headers.name, "--data-binary", "@-",
             f"http://cri/runtime.v1.RuntimeService/{method}"],
            input=struct.pack(">BI", 0, len(request)) + request, stdout=subprocess.PIPE, check=True)
        told = dict(line.split(b": ", 1) for line in headers.read().split(b"\r\n") if b": " in line)
    if told.get(b"grpc-status") != b"0":
        raise CallFailed(f"{method}: {urllib.parse.unquote(told.get(b'grpc-message', b'no answer'))}")
    return fields_of(done.stdout[5:])


def sandbox_config(name, wanted):
    return message(
        f1=message(f1=name, f2=f"uid-{name}", f3="shop", f4=0), f2=name, f3=os.environ["LOGS"],
        f4=message(f1=wanted.get("servers", [])),
        f5=[message(f2=inside, f3=outside) for outside, inside in wanted.get("ports", [])],
        f7=wanted.get("annotations", {}), f8=message(f1=os.environ["CGROUP"]))


def run(wanted, *names):
    wanted = json.loads(wanted)
    # One write a line: print() makes two, and lines of two threads would mix.
    at_once(lambda name: sys.stdout.write(call("RunPodSandbox", message(
        f1=sandbox_config(name, wanted)))[1].decode() + "\n"), names)


def start(pod, name, uid, *command):
    config = message(f1=message(f1=name), f2=message(f1=IMAGE), f3=list(command),
                     f7=[message(f1="/usr", f2="/usr", f3=1)], f11=f"{name}.log",
                     f15=message(f2=message(f5=message(f1=int(uid)))))
    container = call("CreateContainer", message(f1=pod, f2=config, f3=sandbox_config(pod, {})))[1]
    call("StartContainer", message(f1=container))
    print(container.decode())


def execute(container, *command):
    done = call("ExecSync", message(f1=container, f2=list(command), f3=TIMEOUT_S))
    sys.stdout.buffer.write(done.get(1, b""))
    sys.stderr.buffer.write(done.get(2, b""))
    sys.exit(done.get(3, 0))


def at_once(function, items):
    """All of them are tried; what failed is told, and is the status."""
    with concurrent.futures.ThreadPoolExecutor(max(len(items), 1)) as pool:
        errors = [done.exception() for done in [pool.submit(function, item) for item in items]]
    if told := [str(error) for error in errors if error]:
        sys.exit("\n".join(told))


def last():
    if (sandbox := call("ListPodSandbox", b"").get(1)) is not None:
        print(fields_of(sandbox)[1].decode())


def for_all(method):
    return lambda *pods: at_once(lambda pod: call(method, message(f1=pod)), pods)


def image(name, path, directory):
    """As `docker save` writes them."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(directory, arcname=".")
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sleep", "100000"]},
        "rootfs": {"type": "layers",
                   "diff_ids": ["sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name],
                            "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for member, data in (("config.json", config), ("layer.tar", layer.getvalue()),
                             ("manifest.json", manifest)):
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


VERBS = {"image": image, "run": run, "start": start, "exec": execute, "last": last,
         "stop": for_all("StopPodSandbox"), "remove": for_all("RemovePodSandbox")}

if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except CallFailed as failure:
        sys.exit(str(failure))
