# SPDX-License-Identifier: GPL-2.0-or-later
"""Just enough of DNS messages to say odd things and to read what comes back."""

import ipaddress
import random
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28,
         "SRV": 33, "OPT": 41, "SVCB": 64, "HTTPS": 65, "ANY": 255}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
          16: "BADVERS"}
OPT = b"\0" + struct.pack("!HHIH", TYPES["OPT"], 1232, 0, 0)


def name_to_wire(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(name, qtype="A", qclass=1):
    return name_to_wire(name) + struct.pack("!HH", TYPES[qtype], qclass)


def message(body=b"", ident=None, flags=0x0100, qd=0, an=0, ns=0, ar=0):
    ident = random.getrandbits(16) if ident is None else ident
    return struct.pack("!HHHHHH", ident, flags, qd, an, ns, ar) + body


def query(name, qtype="A", **header):
    return message(question(name, qtype), qd=1, **header)


def record(name_wire, rtype, ttl, rdata):
    return name_wire + struct.pack("!HHIH", TYPES[rtype], 1, ttl, len(rdata)) + rdata


def reply(asked, *records, flags=0x8180, name=None):
    """An answer to `asked`, a message with one question, which may be told under another name."""
    end = asked.index(b"\0", 12) + 5
    told = asked[12:end] if name is None else name_to_wire(name) + asked[end - 4:end]
    body = told + b"".join(records)
    return message(body, struct.unpack("!H", asked[:2])[0], flags, qd=1, an=len(records))


def address_record(address):
    address = ipaddress.ip_address(address)
    return record(b"\xc0\x0c", "A" if address.version == 4 else "AAAA", 60, address.packed)


def asked_name(asked):
    return read_name(asked, 12)[0]


def read_name(data, pos):
    labels, end = [], None
    while data[pos]:
        if data[pos] >= 0xC0:
            end = end or pos + 2
            pos = struct.unpack("!H", data[pos:pos + 2])[0] & 0x3FFF
            continue
        labels.append(data[pos + 1:pos + 1 + data[pos]].decode("latin-1"))
        pos += 1 + data[pos]
    return ".".join(labels) + ".", end or pos + 1


class Reply:
    """What came back: id, rcode, flags and all records as (section, name, type, ttl, rdata)."""

    def __init__(self, data):
        self.ident, self.flags, self.qd, *counts = struct.unpack("!HHHHHH", data[:12])
        self.rcode = self.flags & 15
        self.truncated = bool(self.flags & 0x0200)
        self.records = []
        pos = 12
        for _ in range(self.qd):
            self.name, pos = read_name(data, pos)
            pos += 4
        for section, count in enumerate(counts):
            for _ in range(count):
                name, pos = read_name(data, pos)
                rtype, _, ttl, length = struct.unpack("!HHIH", data[pos:pos + 10])
                rdata = data[pos + 10:pos + 10 + length]
                pos += 10 + length
                self.records.append((section, name, rtype, ttl, rdata))
                if rtype == TYPES["OPT"]:
                    self.rcode |= ttl >> 24 << 4
        if pos != len(data):
            raise ValueError(f"{len(data) - pos} octets behind the message")

    def addresses(self):
        return [str(ipaddress.ip_address(rdata)) for section, _, rtype, _, rdata in self.records
                if section == 0 and rtype in (TYPES["A"], TYPES["AAAA"])]

    def __str__(self):
        return " ".join([RCODES.get(self.rcode, str(self.rcode)), *sorted(self.addresses())])
