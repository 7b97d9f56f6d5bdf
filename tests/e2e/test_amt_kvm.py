# SPDX-License-Identifier: Apache-2.0
"""Screens of Intel AMT machines: viewers, pictures, the firmware's own VNC port."""
import hashlib
import os
import signal
import socket
import struct
import subprocess
import sys
import zlib

import lib
from amtlib import ConsoleFleet
from lib import bad, good, has, same, test, until

QUICK = "connect: 3s, answer: 3s, read: 8s"
SIZE = {"kvm_width": 200, "kvm_height": 150}


def screens(lab, *args, devices=1, tls=False, profile="12", settings="", **knobs):
    """A fleet with small pictures that do not move."""
    knobs = {"picture": 7, **SIZE, **knobs}
    words = [word for k, v in knobs.items() for word in ("--set", f"all:{k}={v}")]
    return ConsoleFleet(lab, "--state", "on", "--profile", profile, *words, *args, devices=devices,
                        tls=tls, settings=settings, timeouts=QUICK)


def png(path):
    """Width, height and the pixels as RGB."""
    with open(path, "rb") as f:
        data = f.read()
    same(data[:8], b"\x89PNG\r\n\x1a\n")
    at_, parts, palette = 8, b"", None
    while at_ < len(data):
        n, kind = struct.unpack(">I4s", data[at_:at_ + 8])
        body = data[at_ + 8:at_ + 8 + n]
        same(struct.unpack(">I", data[at_ + 8 + n:at_ + 12 + n])[0], zlib.crc32(kind + body))
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"PLTE":
            palette = [body[i:i + 3] for i in range(0, n, 3)]
        elif kind == b"IDAT":
            parts += body
        at_ += 12 + n
    same(depth, 8)
    size = 3 if colour == 2 else 1
    raw, rows, last = zlib.decompress(parts), [], None
    for y in range(height):
        row = unfilter(raw[y * (width * size + 1):(y + 1) * (width * size + 1)], size, last)
        rows.append(row)
        last = row
    pixels = b"".join(bytes(r) for r in rows)
    return width, height, b"".join(palette[p] for p in pixels) if palette else pixels


def unfilter(line, size, _):
    kind, row = line[0], bytearray(line[1:])
    assert kind in (0, 1), f"a filter that is not made here: {kind}"
    if kind == 1:
        for i in range(size, len(row)):
            row[i] = (row[i] + row[i - size]) & 255
    return row


def sha16(rgb):
    """As the stand-in counts: RGB565, little endian."""
    out = bytearray()
    for i in range(0, len(rgb), 3):
        c = rgb[i] >> 3 << 11 | rgb[i + 1] >> 2 << 5 | rgb[i + 2] >> 3
        out += struct.pack("<H", c)
    return hashlib.sha256(out).hexdigest()


def sha8(rgb):
    return hashlib.sha256(bytes(
        rgb[i] >> 5 << 5 | rgb[i + 1] >> 5 << 2 | rgb[i + 2] >> 6
        for i in range(0, len(rgb), 3))).hexdigest()


def shot(lab, *args):
    path = lab.path("screen.png")
    r = good(lab.run("kvm", "--screenshot", path, "a1", *args), f"a1: ok: {path}")
    same(r.err, "")
    return png(path)


@test
def pictures(lab):
    """A screenshot is the stand-in's picture, plain, over TLS, of old firmware and of large screens"""
    fleet = screens(lab)
    width, height, rgb = shot(lab)
    same((width, height, sha16(rgb)), (200, 150, fleet.device()["kvm_sha256"]))
    until("the session is over", lambda: fleet.device()["redirection_sessions"] == [])
    same(fleet.counters()["kvm_sessions"], 1)
    fleet.set(1, kvm_limit=30001)
    # Too large for RGB565: the device hangs up, and is asked once more.
    width, height, rgb = shot(lab)
    same(sha8(rgb), fleet.device()["kvm_sha256_8bit"])
    same(fleet.counters()["kvm_sessions"], 3)


if __name__ == "__main__":
    lib.main()
