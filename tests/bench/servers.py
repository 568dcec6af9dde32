# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers that tests/bench/run compares: how each is started, with one thread for queries, in the
foreground, without a cache unless it is asked for, with or without the mesh's names."""

import dataclasses
import os
import pathlib
import subprocess

MESH, OUTSIDE = "mesh", "outside"
OUTSIDE_PORT = 5300  # where www-N.example is answered, on another core
USER = "5678"  # whom the resolver becomes

build = pathlib.Path(os.environ.get("BUILD", "build")).resolve()


def zone(origin, *records):
    return "\n".join([f"$ORIGIN {origin}.", "$TTL 3600", "@ SOA ns host 1 1 1 1 1", "@ NS ns", *records]) + "\n"


class Names:
    """NUMBER names with two addresses each, in the words of each server."""

    def __init__(self, number):
        self.all = [(f"service-{i}.mesh", f"240.0.{i >> 8}.{i & 255}", f"fd00:fd00::{i:x}")
                    for i in range(1, number + 1)]

    def hosts(self):
        return "".join(f"{v4} {name}\n{v6} {name}\n" for name, v4, v6 in self.all)

    def zone(self):
        return zone("mesh", *(f"{name}. {pair}" for name, v4, v6 in self.all
                              for pair in (f"A {v4}", f"AAAA {v6}")))

    def unbound(self):
        return "".join(f'local-data: "{name}. 60 A {v4}"\nlocal-data: "{name}. 60 AAAA {v6}"\n'
                       for name, v4, v6 in self.all)

    def lua(self):
        return "".join(f'names["{name}."] = {{"{v4}", "{v6}"}}\n' for name, v4, v6 in self.all)


def echo(_folder, port, _names):
    return [build / "tests/bench/echo", port]


def meshdns(folder, port, names, *flags):
    (folder / "names.hosts").write_text(names.hosts())
    return [build / "meshdns-resolver", "--user", USER, "--names", folder / "names.hosts", "--listen",
            f"127.0.0.1:{port}", "--upstream", f"127.0.0.1:{OUTSIDE_PORT}", "--control", "off", *flags]


def meshdns_cache(folder, port, names):
    return meshdns(folder, port, names, "--cache", "16M", "--metrics", "off")


def nsd(folder, port, names):
    (folder / "mesh.zone").write_text(names.zone())
    (folder / "nsd.conf").write_text(f"""server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  username: root
  database: ""
  zonesdir: "{folder}"
  xfrdir: "{folder}"
  xfrdfile: "{folder}/xfrd"
  zonelistfile: "{folder}/zones"
  pidfile: ""
remote-control:
  control-enable: no
zone:
  name: mesh
  zonefile: mesh.zone
""")
    return ["nsd", "-d", "-c", folder / "nsd.conf"]


def knot(folder, port, names):
    (folder / "mesh.zone").write_text(names.zone())
    return knot_serving(folder, port, "mesh")


def knot_serving(folder, port, origin):
    (folder / "knot.conf").write_text(f"""server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{folder}"
zone:
  - domain: {origin}
    file: "{folder}/{origin}.zone"
""")
    return ["knotd", "-c", folder / "knot.conf"]


def outside(folder, port):
    """What answers every name under example."""
    (folder / "example.zone").write_text(zone("example", "* A 192.0.2.1"))
    return knot_serving(folder, port, "example")


def unbound(folder, port, names):
    (folder / "unbound.conf").write_text(f"""server:
  interface: 127.0.0.1@{port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "iterator"
  msg-cache-size: 0
  rrset-cache-size: 0
  outgoing-range: 4096
  num-queries-per-thread: 2048
  local-zone: "mesh." static
{names.unbound()}remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{OUTSIDE_PORT}
""")
    return ["unbound", "-d", "-c", folder / "unbound.conf"]


def dnsmasq(folder, port, names):
    (folder / "hosts").write_text(names.hosts())
    return ["dnsmasq", "-k", "--conf-file=/dev/null", "--user=root", f"--port={port}", "--no-hosts",
            "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--cache-size=0",
            f"--addn-hosts={folder}/hosts", "--local=/mesh/", "--local-ttl=60", "--pid-file",
            f"--server=127.0.0.1#{OUTSIDE_PORT}", "--dns-forward-max=2000"]


def dnsdist(folder, port, names):
    (folder / "dnsdist.conf").write_text(f"""setLocal("127.0.0.1:{port}")
setSecurityPollSuffix("")
newServer{{address="127.0.0.1:{OUTSIDE_PORT}", healthCheckMode="up"}}
names = {{}}
{names.lua()}
function answer(question)
  local pair = names[question.qname:toString()]
  if not pair then return DNSAction.Nxdomain, "" end
  return DNSAction.Spoof, question.qtype == DNSQType.AAAA and pair[2] or pair[1]
end
addAction("mesh.", LuaAction(answer))
""")
    return ["dnsdist", "--supervised", "--disable-syslog", "-C", folder / "dnsdist.conf"]


@dataclasses.dataclass
class Server:
    name: str
    command: callable  # (folder, port, Names) -> argv
    kinds: tuple = (MESH,)  # of queries that it answers
    package: str = ""  # of Debian; "": ours
    program: str = ""
    version: tuple = ()


SERVERS = [
    Server("echo", echo),
    Server("meshdns", meshdns, (MESH, OUTSIDE)),
    Server("meshdns --cache", meshdns_cache, (OUTSIDE,)),
    Server("NSD", nsd, (MESH,), "nsd", "nsd", ("nsd", "-v")),
    Server("Knot", knot, (MESH,), "knot", "knotd", ("knotd", "--version")),
    Server("unbound", unbound, (MESH, OUTSIDE), "unbound", "unbound", ("unbound", "-V")),
    Server("dnsmasq", dnsmasq, (MESH, OUTSIDE), "dnsmasq-base", "dnsmasq", ("dnsmasq", "--version")),
    Server("dnsdist", dnsdist, (MESH, OUTSIDE), "dnsdist", "dnsdist", ("dnsdist", "--version")),
]


def version(server):
    """What it calls itself, in a line."""
    if not server.version:
        return ""
    told = subprocess.run(server.version, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False).stdout
    return told.splitlines()[0] if told else "?"
