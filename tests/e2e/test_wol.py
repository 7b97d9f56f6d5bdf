#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wake-on-LAN: what leaves, seen by a packet socket in a network namespace of the test's own, else on loopback."""
import contextlib
import ctypes
import os
import re
import socket
import struct
import subprocess

import lib
from lib import bad, error_of, good, has, main, same, test

MAC = "02:11:22:aa:bb:cc"
MAGIC = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
ETH_P_ALL = 3


def may_unshare():
    pid = os.fork()
    if not pid:
        os._exit(ctypes.CDLL(None).unshare(CLONE_NEWNET) and 1)
    return os.waitpid(pid, 0)[1] == 0


NAMESPACES = may_unshare() and lib.shutil.which("ip") is not None


class Net:
    """A namespace with a pair of interfaces, or (address 127.0.0.1) loopback."""

    def __init__(self, lab):
        self.lab, self.proc, self.enter = lab, None, []
        if not NAMESPACES:
            return
        self.proc = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec cat"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.proc.stdout.readline()
        lab.keep(self)
        self.enter = ["nsenter", "-t", str(self.proc.pid), "-n"]
        for line in ("link set lo up", "link add w0 type veth peer name w1",
                     "addr add 10.77.0.1/24 dev w0", "addr add fd77::1/64 dev w0 nodad",
                     "link set w0 up", "link set w1 up"):
            done = subprocess.run([*self.enter, "ip", *line.split()], check=False,
                                  capture_output=True, text=True)
            assert done.returncode == 0 or "fd77" in line, done

    def close(self):
        self.proc.stdin.close()
        self.proc.wait(20)
        self.proc.stdout.close()

    def run(self, *args):
        done = subprocess.run([*self.enter, lib.POWERCTL, *args], env=self.lab.env, text=True,
                              capture_output=True, timeout=lib.PATIENCE, check=False)
        return lib.Result(args, done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def inside(self):
        """This thread, in the namespace: sockets made here stay there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net", "rb") as home:
            with open(f"/proc/{self.proc.pid}/ns/net", "rb") as there:
                assert libc.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                assert libc.setns(home.fileno(), CLONE_NEWNET) == 0

    def wire(self):
        """All frames that come out of the other end of the pair."""
        with self.inside():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            s.bind(("w1", 0))
        s.settimeout(lib.PATIENCE)
        return s


def udp(frame):
    """Destination MAC, source address, destination, port, hops and payload; None: something else."""
    kind = struct.unpack("!H", frame[12:14])[0]
    ip = frame[14:]
    if kind == 0x0800 and ip[9] == 17:
        head = (ip[0] & 15) * 4
        where = (socket.inet_ntop(socket.AF_INET, ip[16:20]), ip[8])
    elif kind == 0x86dd and ip[6] == 17:
        head = 40
        where = (socket.inet_ntop(socket.AF_INET6, ip[24:40]), ip[7])
    else:
        return None
    port, size = struct.unpack("!HH", ip[head + 2:head + 6])
    return frame[:6].hex(":"), where[0], port, where[1], ip[head + 8:head + size]


def packets(wire, count):
    found = []
    while len(found) < count:
        one = udp(wire.recv(2048))
        if one and one[2] in (9, 7, 40009):
            found.append(one)
    return found


def inventory(lab, **settings):
    more = "".join(f", {k}: '{v}'" for k, v in settings.items() if k != "address")
    lab.inventory(f"nodes:\n  w1: {{driver: wol, address: {settings.get('address', '10.77.0.9')}, "
                  f"mac: '{MAC}'{more}}}\n")


def receiver():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(lib.PATIENCE)
    return s


@test
def what_leaves(lab):
    """three packets to the broadcast address, byte by byte; on ends as accepted and not as on"""
    net = Net(lab)
    if not NAMESPACES:
        with receiver() as s:
            inventory(lab, broadcast="127.0.0.1", port=s.getsockname()[1])
            good(lab.run("on", "w1"), "w1: accepted")
            same([s.recv(999) for _ in range(3)], [MAGIC] * 3)
        return
    with net.wire() as wire:
        inventory(lab, interface="w0")
        r = good(net.run("on", "w1"), "w1: accepted")
        same(packets(wire, 3),
             [("ff:ff:ff:ff:ff:ff", "255.255.255.255", 9, 64, MAGIC)] * 3, r)
        inventory(lab, broadcast="10.77.0.255", port=7, repeat=1, ttl=3,
                  secureon="01:02:03:04:05:06")
        r = net.run("--json", "on", "w1")
        same((r.status, r.json[0]["confirmed"], r.json[0]["state"]), (0, "accepted", "unknown"), r)
        same(packets(wire, 1), [("ff:ff:ff:ff:ff:ff", "10.77.0.255", 7, 3,
                                 MAGIC + bytes(range(1, 7)))])


@test
def ipv6(lab):
    """to every machine of a link by IPv6"""
    net = Net(lab)
    if not NAMESPACES or not os.path.exists("/proc/net/if_inet6"):
        lib.skip("IPv6: no network namespaces, or no IPv6 in them")
    with net.wire() as wire:
        inventory(lab, broadcast="ff02::1", interface="w0", repeat=1)
        good(net.run("on", "w1"), "w1: accepted")
        same(packets(wire, 1), [("33:33:00:00:00:01", "ff02::1", 9, 1, MAGIC)])


@test
def loopback(lab):
    """unicast, and SecureOn of four numbers, to a socket of ours"""
    with receiver() as s:
        inventory(lab, broadcast="127.0.0.1", port=s.getsockname()[1], repeat=2,
                  secureon="192.168.0.1")
        good(lab.run("on", "w1"), "w1: accepted")
        same([s.recv(999) for _ in range(2)], [MAGIC + b"\xc0\xa8\0\1"] * 2)


@test
def state(lab):
    """no test: unknown and unsupported; a port that takes connections: on; none: unknown, never off"""
    inventory(lab, address="127.0.0.1")
    kind, message = error_of(bad(lab.run("--json", "status", "w1"), 1))
    same(kind, "unsupported", message)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        inventory(lab, address="127.0.0.1", status="tcp", status_port=port)
        good(lab.run("status", "w1"), "w1: on")
        good(lab.run("on", "w1"), "w1: on")
    r = bad(lab.run("status", "w1"), 1,
            f"w1: unknown: unreachable: its port {port} refuses connections: it may be on, and ")
    same((": off" in r.out, "takes no connection" in r.out), (False, False), r)


@test
def wakes(lab):
    """on waits until the machine answers, which it does once the packet has come"""
    with receiver() as s, socket.socket() as machine:
        machine.bind(("127.0.0.1", 0))  # nobody listens yet
        inventory(lab, address="127.0.0.1", broadcast="127.0.0.1", port=s.getsockname()[1],
                  status="tcp", status_port=machine.getsockname()[1])
        proc = lab.start("--json", "on", "w1", stdout=-1, stderr=-1, text=True)
        same(s.recv(999), MAGIC)
        machine.listen()
        result = lib.json.loads(proc.communicate(timeout=lib.PATIENCE)[0])
        same((result["state"], result["confirmed"], result["changed"]), ("on", "seen", True))


@test
def ping(lab):
    """an echo that comes back is on; silence is unknown; without the right to ping it says so"""
    inventory(lab, address="127.0.0.1", status="ping")
    good(lab.run("status", "w1"), "w1: on")
    if NAMESPACES:
        net = Net(lab)
        inventory(lab, address="10.77.0.9", status="ping")
        bad(net.run("status", "w1"), 1, "w1: unknown: timeout: no answer to ping in 3 s")
    if os.geteuid() == 0:
        inventory(lab, address="127.0.0.1", status="ping")
        done = subprocess.run(["setpriv", "--bounding-set", "-all", "--inh-caps", "-all",
                               lib.POWERCTL, "--json", "status", "w1"], env=lab.env,
                              capture_output=True, text=True, check=False, timeout=lib.PATIENCE)
        kind = lib.json.loads(done.stdout)["error"]
        if kind:  # where the sysctl lets everybody ping there is nothing to be said
            same(kind["class"], "config", kind)
            has(kind["message"], "ping_group_range")


@test
def nothing_else(lab):
    """every other verb says unsupported, and nothing is sent; so does a way through a gateway"""
    with receiver() as s:
        inventory(lab, broadcast="127.0.0.1", port=s.getsockname()[1])
        for verb in (["off"], ["reboot"], ["reset"], ["cycle"], ["pxeboot"], ["sleep"], ["nmi"],
                     ["info"], ["hardware"], ["log"], ["sensors"], ["identify"], ["wait", "on"]):
            kind, message = error_of(lab.run("--json", *verb, "w1"))
            same(kind, "unsupported", (verb, message))
            if verb[0] in ("off", "reboot", "cycle", "reset"):
                has(message, "driver wol cannot do '")
        inventory(lab, broadcast="127.0.0.1", port=s.getsockname()[1], via="socks5://127.0.0.1:9")
        kind, message = error_of(lab.run("--json", "on", "w1"))
        same(kind, "unsupported", message)
        has(message, "no datagrams")
        s.settimeout(0)
        try:
            same(s.recv(999), b"nothing")
        except BlockingIOError:
            pass


@test
def mistakes(lab):
    """a MAC, an address or an interface that cannot be"""
    for settings, words in (({"broadcast": "lan"}, "numeric address"),
                            ({"broadcast": "ff02::1"}, "interface"),
                            ({"interface": "nowhere0"}, "no interface"),
                            ({"secureon": "hunter2"}, "secureon is neither"),
                            ({"mac": "01:00:5e:00:00:01"}, "not that of a machine")):
        mac = settings.pop("mac", None)
        inventory(lab, **settings)
        if mac:
            lab.inventory(f"nodes: {{w1: {{driver: wol, address: 10.0.0.1, mac: '{mac}'}}}}\n")
        if "interface" in settings:
            kind, message = error_of(lab.run("--json", "on", "w1"))
            same(kind, "config", message)
            has(message, words)
            continue
        for command in (["on"], ["--dry-run", "on"], ["check"]):
            r = lab.run(*command, "w1")
            same((r.status, r.out), (2, ""), r)
            has(r.err, words)
            assert re.search(r"powerctl.yaml:[12]:\d+: (mac|broadcast|secureon) ", r.err), r
            same("hunter2" in r.err, False)
    lab.inventory("nodes: {w1: {driver: wol, address: 10.0.0.1}}\n")
    r = lab.run("on", "w1")
    same((r.status, "mac is missing" in r.err), (2, True), r)


if __name__ == "__main__":
    main()
