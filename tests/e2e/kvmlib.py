# SPDX-License-Identifier: Apache-2.0
"""What the tests of screens share: stand-ins with a picture, PNG files, a viewer's side of RFB (RFC 6143).

    fleet = screens(lab, devices=2)                     # a1, a2; each its knobs as names
    v = Viewer(lab).connect()                           # powerctl kvm a1, and a viewer at its address
    v.begin(); v.raw(200, 150)                          # the size; a picture's sum
    same(v.leave(), (0, "", ""))
"""
import hashlib
import socket
import struct
import subprocess
import zlib

import lib
from amtlib import CONSOLE_TIMES, ConsoleFleet
from lib import same
from talklib import line_of, rest_of

SIZE = {"kvm_width": 200, "kvm_height": 150}


def screens(lab, *args, devices=1, tls=False, profile="12", settings="", timeouts=CONSOLE_TIMES,
            **knobs):
    """A fleet with small pictures that do not move."""
    knobs = {"picture": 7, **SIZE, **knobs}
    words = [word for k, v in knobs.items() for word in ("--set", f"all:{k}={v}")]
    return ConsoleFleet(lab, "--state", "on", "--profile", profile, *words, *args, devices=devices,
                        tls=tls, settings=settings, timeouts=timeouts)


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
        row = unfilter(raw[y * (width * size + 1):(y + 1) * (width * size + 1)], last)
        rows.append(row)
        last = row
    pixels = b"".join(bytes(r) for r in rows)
    return width, height, b"".join(palette[p] for p in pixels) if palette else pixels


def unfilter(line, above):
    kind, row = line[0], line[1:]
    assert kind in (0, 2), f"a filter that is not made here: {kind}"
    if kind == 2 and above:
        return bytes((a + b) & 255 for a, b in zip(row, above))
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


def des(password, block):
    """As VNC has it: each byte of the key with its bits the other way round; three such keys are one."""
    key = bytes(int(f"{b:08b}"[::-1], 2) for b in password.encode().ljust(8, b"\0")).hex() * 3
    r = subprocess.run(["openssl", "enc", "-des-ede3-ecb", "-K", key, "-nopad"], input=block,
                       capture_output=True, timeout=lib.PATIENCE, check=True)
    return r.stdout


class Viewer:
    """`powerctl kvm` and a viewer's socket at its address."""

    def __init__(self, lab, *args, env=None, node="a1"):
        self.proc = lab.start("kvm", node, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=env)
        self.line = self.read_line(self.proc.stdout)
        self.where = self.line.strip().split(" ", 1)[-1]
        self.sock = None

    def read_line(self, stream):
        return line_of(stream, self.proc).decode()

    def connect(self):
        kind, address = self.where.split(":", 1)
        if kind == "unix":
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(lib.PATIENCE)
            s.connect(address)
        else:
            s = socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])),
                                         lib.PATIENCE)
        self.sock = s
        return self

    def get(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                break
            data += part
        return data

    def begin(self, password=None):
        """As far as the screen's size; None: the password was refused."""
        same(self.get(12), b"RFB 003.008\n")
        self.sock.sendall(b"RFB 003.008\n")
        kind = b"\2" if password else b"\1"
        same(self.get(2), b"\1" + kind)
        self.sock.sendall(kind)
        if password:
            self.sock.sendall(des(password, self.get(16)))
        if self.get(4) != bytes(4):
            return None
        self.sock.sendall(b"\1")
        head = self.get(24)
        self.get(struct.unpack(">I", head[20:])[0])
        return struct.unpack(">HH", head[:4])

    def raw(self, width, height, ahead=None, slow=None):
        """A whole picture as Raw, in RGB565: its SHA-256. ahead: so many more are asked for."""
        ask = struct.pack(">BBHHHH", 3, 0, 0, 0, width, height)
        if ahead is None or ahead:
            self.sock.sendall(struct.pack(">BBHi", 2, 0, 1, 0) + ask * (1 + (ahead or 0)))
        screen = bytearray(width * height * 2)
        count = struct.unpack(">H", self.get(4)[2:])[0]
        for i in range(count):
            if slow and i % 16 == 0:
                slow()
            x, y, w, h, encoding = struct.unpack(">HHHHi", self.get(12))
            same(encoding, 0)
            part = self.get(w * h * 2)
            for row in range(h):
                at = ((y + row) * width + x) * 2
                screen[at:at + w * 2] = part[row * w * 2:(row + 1) * w * 2]
        return hashlib.sha256(screen).hexdigest()

    def leave(self):
        self.sock.close()
        return self.end()

    def end(self):
        out, err = rest_of(self.proc)
        return self.proc.returncode, out.decode(), err.decode()


class DirectViewer(Viewer):
    """A viewer's socket at the machine's own port."""

    def __init__(self, port):  # pylint: disable=super-init-not-called
        self.sock = socket.create_connection(("127.0.0.1", port), lib.PATIENCE)
