#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl-amtsim as the machine of other IDER clients: two that do as amtider and MeshCommander do,
written from their sources. docs/decisions/0002-amtsim-checked.md says how to try the real ones."""
import contextlib
import hashlib
import random
import socket
import struct
import threading

import lib
from amtlib import PASSWORD, ConsoleFleet
from lib import main, same, test

BLOCK, SECTOR = 2048, 512
CD, FLOPPY = 0xB0, 0xA0
NOT_READY, INVALID, RANGE, PROTECTED = (2, 0x3A), (5, 0x20), (5, 0x21), (7, 0x27)


class Client:
    """What both do alike. The answers of a command are its data, or its sense key and code."""
    number = 0

    def __init__(self, fleet, cd=None, floppy=None):
        ready = fleet.sim.ready["devices"][0]
        self.media = {CD: cd, FLOPPY: floppy}
        self.answered = threading.Event()
        self.sock = socket.create_connection(("127.0.0.1", ready["redirection_port"]),
                                             timeout=lib.PATIENCE)
        self.sock.sendall(b"\x10\0\0\0IDER")
        same(self.take(13)[:2], b"\x11\0")
        words = b"\x05admin" + bytes([len(PASSWORD)]) + PASSWORD.encode()
        self.sock.sendall(b"\x13\0\0\0\1" + struct.pack("<I", len(words)) + words)
        same(self.take(9)[:2], b"\x14\0")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def take(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def send(self, command, body, attributes=0):
        head = struct.pack("<BBBBI", command, 0, 0, attributes, self.number)
        self.number += 1
        self.sock.sendall(head + body)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(lib.PATIENCE)
        self.sock.close()

    def run(self):
        try:
            self.open()
            self.take(30)
            self.send(0x48, b"\3" + struct.pack("<I", 0x19))
            self.take(13)
            while True:
                self.act(self.take(8)[0])
        except OSError:
            pass

    def act(self, command):
        if command == 0x46:
            self.take(1)
            self.send(0x47, b"")
        elif command == 0x4B:
            self.send(0x4B, b"")
            self.send(0x48, b"\2")
            same(self.take(8)[0], 0x49)
            same(self.take(5)[0], 2)
            self.answered.set()
        elif command == 0x53:
            self.take(struct.unpack("<BH3x", self.take(6))[1])
            self.written()
        else:
            same(command, 0x50)
            body = self.take(20)
            drive = CD if body[6] & 0x10 else FLOPPY
            self.answer(drive, body[6], bool(body[1] & 1), body[8:])

    def answer(self, drive, asked, dma, cdb):
        block, image = BLOCK if drive == CD else SECTOR, self.media[drive]
        if cdb[0] == 0x28 and cdb[7:9] != b"\0\0":
            lba, count = struct.unpack(">2xIxH3x", cdb)
            data = image[lba * block:(lba + count) * block]
            if data:
                self.read(drive, dma, data)
            else:
                self.end(drive, RANGE)
            return
        if cdb[0] == 0x25 and image:
            self.data(asked, dma, struct.pack(">II", len(image) // block - 1, block), True)
            return
        what = self.command(drive, cdb)
        if isinstance(what, bytes):
            self.data(drive, dma, what, True)
        elif what is not None:
            self.end(drive, what)

    def read(self, drive, dma, data):
        for at in range(0, len(data), 8192):
            self.data(drive, dma, data[at:at + 8192], at + 8192 >= len(data))

    def written(self):
        self.end(CD, PROTECTED)


class Amtider(Client):
    """Its opening is three bytes short, numbers go over all that it ever sent, DMA and PIO are the
    wrong way round; one drive; it answers what it does not know as no command."""

    def open(self):
        self.number = 4
        self.sock.sendall(bytes.fromhex("40 6400 1027 8813 01 00000000000000000000"))

    def data(self, drive, dma, data, last):
        n = len(data) if dma else 0
        regs = struct.pack("<BHB", 0, len(data), 0) + struct.pack(
            "<BBBBHBB", 0xB4 if dma else 0xB5, 0, 2, 0, n, drive, 0x58)
        end = bytes((0x85, 0, 3, 0, 0, 0, drive, 0x50)) if last else bytes(8)
        self.send(0x54, regs + end + bytes(6) + data, 2 * last)

    def end(self, drive, sense):
        key, code = sense
        self.send(0x51, bytes(12) + bytes((0x87 if key else 0x85, key << 4, 3, 0, 0, 0, drive,
                                           0x51 if key else 0x50, key, code, 0)), 2)

    def command(self, drive, cdb):
        if not self.media[drive]:
            return NOT_READY
        if cdb[0] in (0x1A, 0x5A, 0x46, 0x43):
            return bytes(4)
        if cdb[0] == 0x51:
            return bytes(34)
        return (0, 0) if cdb[0] in (0, 0x1E, 0x28) else INVALID


class MeshCommander(Client):
    """Nearly all ends are good ones, a capacity carries the drive as it was asked for, what is to be
    written is taken and then refused, and a reset cuts off the read that is under way."""
    cut, sent = False, 0

    def open(self):
        self.send(0x40, struct.pack("<HHHI", 30000, 0, 20000, 1))

    def data(self, drive, dma, data, last):
        regs = struct.pack("<BHBBBBBHBB", 0, len(data), 0, 0xB4 if dma else 0xB5, 0, 2, 0,
                           0 if dma else len(data), drive, 0x58)
        end = bytes((0x85, 0, 3, 0, 0, 0, drive, 0x50)) if last else bytes(8)
        self.send(0x54, regs + end + bytes(6) + data, 2 * last + dma)

    def end(self, drive, sense):
        if sense not in (INVALID, PROTECTED):
            self.send(0x51, bytes(12) + bytes((0xC5, 0, 3, 0, 0, 0, drive, 0x50, 0, 0, 0)), 2)
            return
        self.send(0x51, bytes(12) + bytes((0x87, sense[0] << 4, 3, 0, 0, 0, drive, 0x51, *sense,
                                           0)), 2)

    def command(self, drive, cdb):
        if cdb[0] == 0x2A:
            self.send(0x52, struct.pack("<BHBBBBBHBB", 0, 512, 0, 0xB5, 0, 0, 0, 512, drive, 0x58)
                      + bytes(11))
            return None
        if cdb[0] in (0x1A, 0x23, 0x46, 0x4A, 0x5A, 0xAC) or (cdb[0] == 0x43 and drive == CD):
            return bytes(4)
        return INVALID if cdb[0] in (0xF7, 0x51, 0xA8) else (0, 0)

    def read(self, drive, dma, data):
        for at in range(0, len(data), 8192):
            if self.cut and at:
                self.cut = False
                same(self.take(9)[0], 0x46)
                self.send(0x47, b"")
                return
            self.data(drive, dma, data[at:at + 8192], at + 8192 >= len(data))


def machine(lab, **knobs):
    fleet = ConsoleFleet(lab, "--state", "on")
    fleet.set(1, redirection_login="plain", **knobs)
    return fleet


def image(size, seed):
    data = random.Random(seed).randbytes(size)
    return data, hashlib.sha256(data).hexdigest()


def ended(lab, fleet, client):
    lab.keep(client)
    fleet.wait(lambda d: d["ider"] and d["ider"]["state"] not in ("idle", "running"))
    return fleet.device()["ider"]


@test
def as_amtider(lab):
    """all of a CD, and of a floppy, is read of a client that does as amtider does"""
    fleet = machine(lab, ider_lenient=1)
    for size, drive, dma in ((700 * BLOCK, "cd", 1), (2880 * SECTOR, "floppy", 0)):
        data, wanted = image(size, size)
        fleet.set(1, ider_dma=dma)
        client = Amtider(fleet, **{drive: data})
        ider = ended(lab, fleet, client)
        same((ider["state"], ider[drive]["sha256"], ider[drive]["bytes"]), ("done", wanted, size))
        same(ider["cd" if drive == "floppy" else "floppy"]["present"], False)
        odd = "\n".join(ider["odd"])
        for text in ("frame 40 has number", "times or version of an opening",
                     "a new medium is told as 0/00", "the registers of an end are wrong",
                     "DMA and PIO are mixed up" if dma else "a byte count of 0"):
            assert text in odd, odd
        fleet.set(1, ider_send="heartbeat")
        assert client.answered.wait(lib.PATIENCE), "a heartbeat that is sent back is taken"
        client.close()
        fleet.idle()


@test
def as_meshcommander(lab):
    """... and of one that does as MeshCommander does, whatever is cut off by a reset"""
    fleet = machine(lab, ider_lenient=1)
    cd, cd_sum = image(700 * BLOCK, 1)
    floppy, floppy_sum = image(2880 * SECTOR, 2)
    for reset in (0, 300000):
        fleet.set(1, ider_reset_at=reset, ider_queue=0 if reset else 8)
        client = MeshCommander(fleet, cd, floppy)
        plain = client.data

        def data(drive, dma, data, last, client=client, plain=plain, reset=reset):
            """From the byte on at which the machine is reset the read is cut off."""
            client.sent += len(data) if drive == CD else 0
            client.cut = client.cut or 0 < reset <= client.sent < reset + 8192 and not last
            plain(drive, dma, data, last)

        client.data = data
        ider = ended(lab, fleet, client)
        same((ider["state"], ider["error"], ider["resets"]), ("done", "", int(reset > 0)))
        same((ider["cd"]["sha256"], ider["floppy"]["sha256"]), (cd_sum, floppy_sum))
        same(ider["cd"]["bytes"], len(cd), "what was cut off is not counted twice")
        assert "another drive answers: 10, status 58" in ider["odd"], ider
        client.close()
        fleet.idle()


@test
def strictly(lab):
    """without ider_lenient the first thing that is odd is the end; wrong bytes always are"""
    fleet = machine(lab)
    data, _ = image(100 * BLOCK, 3)
    for kind, error in ((Amtider, "frame 40 has number"), (MeshCommander, "a new medium is told")):
        ider = ended(lab, fleet, kind(fleet, data, data))
        same((ider["state"], ider["odd"]), ("failed", []))
        lib.has(ider["error"], error)
        fleet.idle()
    fleet.set(1, ider_lenient=1)

    class Short(MeshCommander):
        def read(self, drive, dma, data):
            super().read(drive, dma, data[:-1])

    ider = ended(lab, fleet, Short(fleet, data, data))
    same((ider["state"], ider["error"]), ("failed", "a read ended 1 bytes early"))


if __name__ == "__main__":
    main()
