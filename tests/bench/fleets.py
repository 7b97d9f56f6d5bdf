# SPDX-License-Identifier: Apache-2.0
"""The stand-ins of a bench: what clients need to know of them, and what they cost and counted.

Each has `groups`, where its devices are; `good`, how many of them answer; `counters()`, of all
requests since the last call; `cpu()`, the seconds that its processes have used; and close().
"""
import collections
import contextlib
import json
import os
import socket
import sys
import time
import urllib.request

from benchlib import ROOT, address

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import lib  # noqa: E402
from ipmilib import IPMI_SIM, IpmiSim, wait_for_bmcs  # noqa: E402

PER_PROCESS = 200  # with more, ipmi_sim runs out of addresses of management controllers
AMT, FEW_AMT, BMC, DEAD, SLOW_BMC = 2, 5, 30, 40, 50  # 127.N.0.1 and up

# Some devices: an address pattern for many, their number, their port.
Group = collections.namedtuple("Group", "pattern count port")
# Of a run; None: nobody counted. open: at once, at all devices together; at_device: at one of them.
Counters = collections.namedtuple("Counters", "answers requests connections open at_device")
UNKNOWN = Counters(None, None, None, None, None)


def cpu_of(pid):
    """Seconds that a process has used: its clock, as clock_getcpuclockid(3) names it."""
    return time.clock_gettime((~pid << 3) | 2)


def bracket(first, last):
    return f"[{first}-{last}]" if last > first else str(first)


def counted_up(count, network, port):
    """The groups of count neighbours, the last of four numbers in a bracket."""
    n = 0
    while n < count:
        prefix, first = address(n, network).rsplit(".", 1)
        here = min(count - n, 256 - int(first))
        yield Group(f"{prefix}.{bracket(int(first), int(first) + here - 1)}", here, port)
        n += here


class Ours:
    """What amtsim and bmcsim have in common: one process with a control port."""
    words = ()

    def __init__(self, program, count, network, *args):
        self.sim = lib.Sim([program, "--devices", str(count), "--address", address(0, network),
                            "--port", "0", *args])
        self.good, self.port = count, self.sim.ready["devices"][0]["port"]
        self.addresses = [address(n, network) for n in range(count)]
        self.groups = list(counted_up(count, network, self.port))
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.close = self.sim.close

    def call(self, method, path):
        url = f"http://127.0.0.1:{self.sim.ready['control']}{path}"
        with self.opener.open(urllib.request.Request(url, method=method), timeout=60) as answer:
            return json.load(answer)

    def counters(self):
        counted = self.call("GET", "/counters")
        self.call("POST", "/reset")
        return Counters(*(counted.get(word) for word in self.words))

    def cpu(self):
        return cpu_of(self.sim.proc.pid)


class Amt(Ours):
    kind = "amt"
    words = ("r200", "requests", "connections", "peak_fleet_connections", "peak_connections")

    def __init__(self, count, latency_ms, network=AMT):
        super().__init__(lib.AMTSIM, count, network, "--no-tls",
                         "--set", f"all:latency_ms={latency_ms}")


class Bmcsim(Ours):
    kind = "bmc"
    # An answer is a login here: commands are more than the one that was wanted.
    words = ("logins", "datagrams", "opens", None, "peak_sessions")

    def __init__(self, count):
        super().__init__(lib.BMCSIM, count, BMC)


class IpmiSims:
    """OpenIPMI's, some hundred BMCs in a process; it counts nothing."""
    kind = "bmc"

    def __init__(self, folder, count, mode="fast", network=BMC):
        self.groups, self.sims, self.good = [], [], count
        with contextlib.ExitStack() as stack:
            for n in range((count + PER_PROCESS - 1) // PER_PROCESS):
                here = min(PER_PROCESS, count - n * PER_PROCESS)
                place = f"127.{network}.{n + 1}."
                sim = IpmiSim(os.path.join(folder, f"sim{network}.{n}"), here, mode, place)
                stack.callback(sim.close)
                self.sims.append(sim)
                self.groups.append(Group(place + bracket(1, here), here, sim.port))
            self.close = stack.pop_all().close

    def counters(self):
        return UNKNOWN

    def cpu(self):
        return sum(cpu_of(sim.program.proc.pid) for sim in self.sims)


class Dead:
    """Addresses where something has the port, and never answers."""
    good = 0

    def __init__(self, count, kind):
        self.kind, self.sockets, port = kind, [], 0
        for n in range(count):
            one = self.socket(socket.SOCK_STREAM if kind == "amt" else socket.SOCK_DGRAM)
            one.bind((address(n, DEAD), port))
            port = one.getsockname()[1]
            if kind == "amt":
                self.fill(one)
        self.groups = list(counted_up(count, DEAD, port))

    def socket(self, kind):
        self.sockets.append(socket.socket(socket.AF_INET, kind))
        return self.sockets[-1]

    def fill(self, listener):
        """Once the queue is full, nothing that asks for a connection gets an answer."""
        listener.listen(0)
        for _ in range(3):
            caller = self.socket(socket.SOCK_STREAM)
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())

    def counters(self):
        return UNKNOWN

    def cpu(self):
        return 0

    def close(self):
        for one in self.sockets:
            one.close()


class SlowBmc(IpmiSims):
    """One BMC that takes 1.5 s for a change; its requests are the resets that it did."""

    def __init__(self, folder, n):
        super().__init__(folder, 1, "slow", SLOW_BMC + n)
        self.sims[0].set(power="on")

    def counters(self):
        sim = self.sims[0]
        # It takes one after another: when it answers again, it has done all that came before.
        wait_for_bmcs(sim.program.proc, sim.addresses, sim.port)
        return UNKNOWN._replace(requests=sim.log().count("reset 1"))


def bmcs(setup, count):
    """By ipmi_sim, which others wrote, where it is installed."""
    return Bmcsim(count) if setup.ours or not IPMI_SIM else IpmiSims(setup.folder, count)
