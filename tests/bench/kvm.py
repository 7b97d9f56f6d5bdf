#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Screens of Intel AMT machines: pictures of a hundred, and what passes through us to a viewer.

  kvm.py [--nodes 100] [--gate]

relayed: bytes a second from a stand-in that does nothing but send, over the loopback, through
`powerctl kvm`; direct: the same without us, which is what this host and the two ends can do.
latency: what a small message there and back takes longer through us, the median of a thousand.
--gate: exit status 1 if a goal (5 s; 300 MB/s; 2 ms) is missed.
"""
import argparse
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

from amt import PATIENCE, cpu, inventory, stand_ins
from benchlib import POWERCTL, powerctl_env, raise_descriptor_limit

PICTURE_S, RATE, LATENCY_MS = 5, 300e6, 2
WIDTH, HEIGHT = 1920, 1080
PART = 1 << 18
MANY = 1 << 31


def shots(folder, count):
    knobs = ("picture=3", f"kvm_width={WIDTH}", f"kvm_height={HEIGHT}")
    proc, ready = stand_ins(count, *[w for k in knobs for w in ("--set", f"all:{k}")])
    env = powerctl_env(folder, inventory(folder, ready, "false"))
    args = [POWERCTL, "kvm", "--screenshot", os.path.join(folder, "shots") + "/", "--all"]
    begin = time.monotonic()
    r = subprocess.run(args, env=env, cwd=folder, capture_output=True, timeout=PATIENCE, check=False)
    took = time.monotonic() - begin
    usage = cpu(proc.pid)
    proc.terminate()
    proc.wait(PATIENCE)
    made = os.listdir(os.path.join(folder, "shots"))
    if r.returncode or len(made) != count:
        sys.exit(f"kvm: {len(made)} of {count} pictures: {r.stdout.decode()[-300:]} {r.stderr.decode()}")
    return took, usage


class Device(threading.Thread):
    """A redirection port that logs anybody in and then sends, or echoes: as fast as it can."""

    def __init__(self, pump):
        super().__init__(daemon=True)
        self.pump = pump
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        s, _ = self.listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        log_in(s)
        s.sendall(b"RFB 003.008\n")
        get(s, 12)
        self.pump(s)


def get(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def log_in(s):
    get(s, 8)
    s.sendall(bytes((0x11, 0, 0, 0, 1, 0, 12, 0, 0x57, 1, 0, 0, 0)))
    while True:
        head = get(s, 1)
        if head == b"\x40":
            get(s, 7)
            s.sendall(b"\x41" + bytes(7))
            return
        kind, n = struct.unpack("<BI", get(s, 8)[3:])
        body = get(s, n)
        if kind == 0:
            s.sendall(b"\x14" + bytes(4) + b"\x01\0\0\0\x04")
        elif kind == 4 and len(body) < 64:
            fields = [b"Digest:BENCH", b"0123456789abcdef0123456789abcdef", b"auth"]
            text = b"".join(bytes((len(f),)) + f for f in fields)
            s.sendall(b"\x14\x01\0\0\x04" + struct.pack("<I", len(text)) + text)
        else:
            s.sendall(b"\x14\0\0\0\x04" + bytes(4))


def send_all(s):
    part, left = memoryview(bytes(PART)), MANY
    while left:
        left -= s.send(part[:min(PART, left)])
    s.shutdown(socket.SHUT_WR)


def echo(s):
    try:
        while True:
            s.sendall(get(s, 8))
    except (EOFError, OSError):
        pass


def through_us(folder, device):
    """A viewer's socket at the end of `powerctl kvm`, and the process."""
    proc, ready = stand_ins(1)
    ready["redirection_ports"] = [device.port]
    env = powerctl_env(folder, inventory(folder, ready, "false"))
    ours = subprocess.Popen([POWERCTL, "kvm", "a1"], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE)
    line = ours.stdout.readline().decode()
    if "vnc://" not in line:
        sys.exit("kvm: no address")
    return viewer(int(line.rsplit(":", 1)[1])), ours, proc


def viewer(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def directly(device):
    s = viewer(device.port)
    s.sendall(bytes(8))
    get(s, 13)
    s.sendall(b"\x40" + bytes(7))
    get(s, 8)
    return s


def start(s):
    if get(s, 12) != b"RFB 003.008\n":
        sys.exit("kvm: no greeting")
    s.sendall(b"RFB 003.008\n")


def drain(s):
    start(s)
    room, got = bytearray(PART * 4), 0
    begin = time.monotonic()
    while n := s.recv_into(room):
        got += n
    if got != MANY:
        sys.exit(f"kvm: {got} of {MANY} bytes came")
    return MANY / (time.monotonic() - begin)


def round_trips(s):
    start(s)
    times = []
    for _ in range(1000):
        begin = time.monotonic()
        s.sendall(b"12345678")
        get(s, 8)
        times.append(time.monotonic() - begin)
    s.close()
    return statistics.median(times) * 1000


def both(folder, pump, measure):
    direct = measure(directly(Device(pump)))
    s, ours, sim = through_us(folder, Device(pump))
    relayed = measure(s)
    s.close()
    ours.wait(PATIENCE)
    sim.terminate()
    sim.wait(PATIENCE)
    return direct, relayed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100, choices=range(1, 1001), metavar="N")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory() as folder:
        took, theirs = shots(folder, options.nodes)
        print(f"screenshots    | {options.nodes} of {WIDTH}x{HEIGHT}: {took:.1f} s "
              f"(the stand-ins' CPU: {theirs:.1f} s)", flush=True)
        direct, rate = both(folder, send_all, drain)
        print(f"kvm relayed    | {rate / 1e6:.0f} MB/s; direct {direct / 1e6:.0f} MB/s", flush=True)
        floor, latency = both(folder, echo, round_trips)
        print(f"kvm latency    | {latency - floor:+.3f} ms to {floor:.3f} ms", flush=True)
    missed = took > PICTURE_S or rate < RATE or latency - floor > LATENCY_MS
    return int(options.gate and missed)


if __name__ == "__main__":
    sys.exit(main())
