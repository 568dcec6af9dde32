#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the resolver with each Corefile of a table, asks what stands under it and compares.

corefile-table.py TABLE COMMAND...: the command is the resolver's, without -conf. Words like @KNOT4@ in
the table stand for variables of the environment. A case of the table is

    == what it is about
    flags: --names @LAB@/names     further flags, if any
    Corefile...                    in the file @LAB@/Corefile; relative paths are @LAB@'s
    --
    NAME TYPE [OPTION...] -> RCODE [aa] [tc] DATA...   the answer section, data in order of their text, or
                                                       the first of them and ...
    fails: REGEX                                    it does not start and says this
    says: REGEX                                     it logs this
    ends: REGEX, ends: log REGEX, ends: not REGEX   it has, by its end; as a query's line; or has not

Options: +tcp, +dnssec, +large (takes 4096 octets), :PORT, @ADDRESS, +authority (the
data are that section's), +ttl (with the seconds before the data).
"""

import os
import pathlib
import re
import subprocess
import sys

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

PORT, LOCALHOST, SECONDS = 15053, "127.0.0.1", 6


def expand(text):
    return re.sub(r"@([A-Z][A-Z0-9_]+)@", lambda m: os.environ[m[1]], text)


class Case:
    def __init__(self, text):
        head, _, body = expand(text).partition("\n--\n")
        title, _, corefile = head.partition("\n")
        self.title, self.flags = title.strip(), []
        if corefile.startswith("flags:"):
            line, _, corefile = corefile.partition("\n")
            self.flags = line.split()[1:]
        self.corefile = corefile + "\n"
        self.lines = [line for line in body.splitlines() if line.strip()]


def text_of(rrset, rdata):
    return str(rdata) if rrset.rdtype in (1, 28) else f"{dns.rdatatype.to_text(rrset.rdtype)}({rdata})"


def ask(question):
    name, rdtype, *options = question.split()
    address, port, send, section = LOCALHOST, PORT, dns.query.udp, "answer"
    query = dns.message.make_query(name, rdtype,
                                   payload=4096 if "+large" in options else None,
                                   want_dnssec="+dnssec" in options)
    for option in options:
        if option == "+tcp":
            send = dns.query.tcp
        elif option == "+authority":
            section = "authority"
        elif option[0] == ":":
            port = int(option[1:])
        elif option[0] == "@":
            address = option[1:]
    reply = send(query, address, SECONDS, port)
    data = sorted((f"{rrset.ttl} " if "+ttl" in options else "") + text_of(rrset, rdata)
                  for rrset in getattr(reply, section) for rdata in rrset
                  if rrset.rdtype != dns.rdatatype.RRSIG)
    return " ".join([dns.rcode.to_text(reply.rcode()),
                     *(["aa"] if reply.flags & dns.flags.AA else []),
                     *(["tc"] if reply.flags & dns.flags.TC else []), *data])


def check_end(line, seen):
    if not line.startswith("ends:"):
        return []
    wanted = line[5:].strip()
    kind, _, rest = wanted.partition(" ")
    if kind == "not":
        return [f"{line}: it says {seen!r}"] if re.search(rest, seen) else []
    if kind == "log":
        wanted = rf"(?m)^\[INFO\] {rest}$"
    return [] if re.search(wanted, seen) else [f"{line}: it says {seen!r}"]


def check_line(line, log):
    if line.startswith("ends:"):
        return []
    kind, _, wanted = line.partition(":")
    if kind == "says":
        seen = log.read_text()
        return [] if re.search(wanted.strip(), seen) else [f"{line}: it says {seen!r}"]
    question, _, wanted = line.partition("->")
    try:
        seen = ask(question)
    except (dns.exception.DNSException, OSError) as error:
        seen = repr(error)
    wanted, dots, _ = " ".join(wanted.split()).partition(" ...")
    is_right = seen.startswith(wanted) if dots else seen == wanted
    return [] if is_right else [f"{line.strip()}\n      but: {seen}"]


def run_case(case, command, lab):
    conf, log = lab / "Corefile", lab / "log" / "table"
    conf.write_text(case.corefile)
    ready, theirs = os.pipe()
    with log.open("w") as out:
        process = subprocess.Popen([*command, "-conf", conf, "--ready-fd", str(theirs), *case.flags],
                                   stdout=out, stderr=out, pass_fds=[theirs], cwd=lab)
    os.close(theirs)
    is_ready = bool(os.read(ready, 1))
    os.close(ready)
    if not is_ready:
        process.wait()
        said, wanted = log.read_text(), case.lines[0]
        if wanted.startswith("fails:") and re.search(wanted[6:].strip(), said):
            return []
        return [f"it does not start: {said}"]
    if case.lines[0].startswith("fails:"):
        process.kill()
        process.wait()
        return [f"it starts: {log.read_text()}"]
    wrong = [complaint for line in case.lines for complaint in check_line(line, log)]
    process.terminate()
    if process.wait() != 0:
        wrong.append(f"it ended badly: {log.read_text()}")
    return wrong + [complaint for line in case.lines for complaint in check_end(line, log.read_text())]


def main():
    table, *command = sys.argv[1:]
    lab = pathlib.Path(os.environ["LAB"])
    cases = [Case(text) for text in re.split(r"^== ", pathlib.Path(table).read_text(),
                                             flags=re.MULTILINE)[1:]]
    failed = 0
    for case in cases:
        if wrong := run_case(case, command, lab):
            failed += 1
            print(f"{case.title}:", *wrong, sep="\n    ")
    print(f"{len(cases)} cases, {failed} failed")
    sys.exit(failed > 0 or not cases)


if __name__ == "__main__":
    main()
