# SPDX-License-Identifier: Apache-2.0
"""What the tests of the AMT driver share: a fleet of stand-ins and the inventory that names them.

    fleet = Fleet(lab, "--state", "on", devices=3)      # nodes a1, a2, a3
    r = lab.run("pxeboot", "a[1-3]")
    fleet.counters(2)["requests"]                       # as the stand-in counted
    fleet.set(1, hang="all")                            # its knobs

    fleet = LargeFleet(lab, devices=many(2000))         # told apart by address, on one port

POWERCTL_VIA=pump reaches every machine through a channel that the core pumps.
"""
import ipaddress
import os
import random

import lib

VIA = os.environ.get("POWERCTL_VIA", "")
PASSWORD = "P@ssw0rd"
PROFILES = ("8", "11", "12", "15", "16.1")
# What a polite client never causes.
BLAMELESS = ("r401_bad", "replay", "foreign_nonce", "empty_response", "expect", "unauth_bodies",
             "bad_nc", "pipelined", "r400", "r404")
# Soon over where a machine is silent.
CONSOLE_TIMES = "connect: 3s, answer: 3s, read: 12s"
GET = "CIM_AssociatedPowerManagementService.Get"
POWER = "CIM_PowerManagementService.RequestPowerStateChange"
BOOT_CALLS = ["AMT_BootSettingData.Get", "CIM_BootConfigSetting.ChangeBootOrder",
              "AMT_BootSettingData.Put", "CIM_BootService.SetBootConfigRole",
              "CIM_BootConfigSetting.ChangeBootOrder"]


class Fleet(lib.StandIns):
    """Stand-ins a1, a2, ... on ports that the kernel gave, and their inventory."""
    where = ("--by-port",)

    def __init__(self, lab, *args, devices=1, tls=False, settings="", timeouts="", own=None):
        """own: of single machines, as {3: "timeouts: {answer: 1s}"}."""
        super().__init__(lab, lab.amtsim(*self.where, "--port", "0", "--tls-port", "0",
                                         "--devices", str(devices), *args), devices)
        self.own = own or {}
        self.secret = lab.write("config/powerctl/secrets/amt", PASSWORD + "\n")
        self.inventory(tls, settings, timeouts)

    def address(self, _):
        return "127.0.0.1"

    def ports(self, n):
        ready = self.sim.ready
        if "ports" in ready:
            return ready["ports"][n - 1], ready["tls_ports"][n - 1]
        d = ready["devices"][n - 1]
        return d["port"], d["tls_port"]

    def more_ports(self, _):
        return ""

    def inventory(self, tls=False, settings="", timeouts="", credential=None, more=""):
        """Writes the inventory; settings are lines of the class."""
        lines = ["defaults:", f"  timeouts: {{{timeouts}}}", "credentials:",
                 "  amt: " + (credential or f"{{username: admin, password_file: {self.secret}}}"),
                 "classes:", "  stand-in:", "    driver: amt", "    credential: amt",
                 f"    tls: {str(tls).lower()}"]
        if VIA and "via:" not in settings:
            lines.append(f"    via: {VIA}")
        lines += ["    " + line for line in settings.splitlines()] + ["nodes:"]
        for n in range(1, self.size + 1):
            plain, secure = self.ports(n)
            # 0: it does not listen. The port is the node's name for locks and pins.
            ports = f"port: {secure if tls is True else plain or secure}, tls_port: {secure}"
            ports += self.more_ports(n)
            if n in self.own:
                ports += f", {self.own[n]}"
            lines.append(f"  a{n}: {{class: stand-in, address: {self.address(n)}, {ports}}}")
        self.lab.inventory("\n".join(lines) + "\n" + more)

    def blameless(self, n=1, but=()):
        return self.polite(self.counters(n), f"counters of a{n}", but)

    @staticmethod
    def polite(counters, what, but=()):
        bad = {k: counters[k] for k in BLAMELESS if k not in but and counters[k]}
        lib.same(bad, {}, what)
        assert counters["peak_connections"] <= 1 and counters["peak_requests"] <= 1, counters
        return counters


class ConsoleFleet(Fleet):
    """Stand-ins whose redirection ports are in the inventory as well."""

    def more_ports(self, n):
        ready = self.sim.ready
        if "redirection_ports" in ready:
            both = ready["redirection_ports"][n - 1], ready["redirection_tls_ports"][n - 1]
        else:
            d = ready["devices"][n - 1]
            both = d["redirection_port"], d["redirection_tls_port"]
        return "".join(f", {name}: {port}" for name, port in
                       zip(("redirection_port", "redirection_tls_port"), both) if port)

    def idle(self, n=1):
        """Waits until no session is left: goodbyes may still be under way."""
        self.wait(lambda d: d["redirection_sessions"] == [], n)


class LargeFleet(Fleet):
    """The same with an address each, on one port without TLS: thousands need few descriptors."""
    first = ipaddress.IPv4Address("127.64.0.1")
    where = ("--no-tls", "--address", str(first))

    def address(self, n):
        return self.first + n - 1

    def ports(self, n):
        port = self.sim.ready["devices"][0]["port"]
        return port, port

    def each(self):
        """The counters of every device, in order."""
        return self.call("GET", "/counters/all")

    def brief(self):
        """Power and last boot of every device, in order."""
        return self.call("GET", "/devices")["devices"]

    def said(self, lines):
        """What is said of each node, in order, having seen that each has exactly one line."""
        names = [f"a{n}" for n in range(1, self.size + 1)]
        words = dict(line.split(": ", 1) for line in lines)
        odd = sorted(set(names) ^ set(words))
        lib.same((odd[:9], len(lines)), ([], self.size), "nodes forgotten or made up; lines")
        return [words[name] for name in names]

    def all_blameless(self):
        return self.polite(self.totals(), "counters of all")


def disc(size, seed=1, bootable=True):
    """The bytes of a CD: descriptors of ISO 9660 where they belong, and else what does not repeat."""
    data = bytearray(random.Random(seed).randbytes(max(size, 19 * 2048)))
    data[16 * 2048:16 * 2048 + 7] = b"\1CD001\1"
    if bootable:
        data[17 * 2048:17 * 2048 + 30] = b"\0CD001\1EL TORITO SPECIFICATION"
    data[18 * 2048:18 * 2048 + 7] = b"\xffCD001\1"
    return bytes(data)


def differences(found, wanted):
    """The first few of two equally long lists of a fleet, so that a report stays readable."""
    odd = [(f"a{n}", f, w) for n, (f, w) in enumerate(zip(found, wanted), 1) if f != w]
    lib.same(odd[:9], [], f"{len(odd)} nodes differ: node, found, wanted")
