# SPDX-License-Identifier: Apache-2.0
"""What the tests of the AMT driver share: a fleet of stand-ins and the inventory that names them.

    fleet = Fleet(lab, "--state", "on", devices=3)      # nodes a1, a2, a3
    r = lab.run("pxeboot", "a[1-3]")
    fleet.counters(2)["requests"]                       # as the stand-in counted
    fleet.set(1, hang="all")                            # its knobs

POWERCTL_VIA=pump reaches every machine through a channel that the core pumps.
"""
import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

import lib
from lib import skip  # for those who import it from here

VIA = os.environ.get("POWERCTL_VIA", "")
PASSWORD = "P@ssw0rd"
PROFILES = ("8", "11", "12", "15", "16.1")
# What a polite client never causes.
BLAMELESS = ("r401_bad", "replay", "foreign_nonce", "empty_response", "expect", "unauth_bodies",
             "bad_nc", "pipelined", "r400", "r404")
GET = "CIM_AssociatedPowerManagementService.Get"
POWER = "CIM_PowerManagementService.RequestPowerStateChange"
BOOT_CALLS = ["AMT_BootSettingData.Get", "CIM_BootConfigSetting.ChangeBootOrder",
              "AMT_BootSettingData.Put", "CIM_BootService.SetBootConfigRole",
              "CIM_BootConfigSetting.ChangeBootOrder"]


class Fleet:
    """Stand-ins a1, a2, ... on ports that the kernel gave, and their inventory."""

    def __init__(self, lab, *args, devices=1, tls=False, settings="", timeouts=""):
        self.lab, self.size = lab, devices
        # What a sanitizer finds must not pass for a node that failed.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            lab.env[name] = lab.env.get(name, "") + ":exitcode=99"
        self.sim = lab.amtsim("--by-port", "--port", "0", "--tls-port", "0",
                              "--devices", str(devices), *args)
        self.control = self.sim.ready["control"]
        self.secret = lab.write("config/powerctl/secrets/amt", PASSWORD + "\n")
        self.inventory(tls, settings, timeouts)

    def ports(self, n):
        ready = self.sim.ready
        if "ports" in ready:
            return ready["ports"][n - 1], ready["tls_ports"][n - 1]
        d = ready["devices"][n - 1]
        return d["port"], d["tls_port"]

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
            lines.append(f"  a{n}: {{class: stand-in, address: 127.0.0.1, {ports}}}")
        self.lab.inventory("\n".join(lines) + "\n" + more)

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}{path}", method=method,
                                         data=body.encode() if body else None)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.read().decode()}") from None

    def set(self, device, **knobs):
        self.call("PUT", f"/devices/{device}", "\n".join(f"{k}={v}" for k, v in knobs.items()))

    def device(self, n=1):
        return self.call("GET", f"/devices/{n}")

    def counters(self, n=1):
        return self.device(n)["counters"]

    def totals(self):
        return self.call("GET", "/counters")

    def reset(self):
        self.call("POST", "/reset")

    def forget(self):
        """As if powerctl had never been here: no facts, pins or intents."""
        for folder in ("cache", "state"):
            subprocess.run(["rm", "-rf", self.lab.path(folder, "powerctl")], check=True)

    def cold(self, state=None):
        self.forget()
        self.reset()
        if state:
            self.set("all", power=state)

    def blameless(self, n=1, but=()):
        c = self.counters(n)
        bad = {k: c[k] for k in BLAMELESS if k not in but and c[k]}
        lib.same(bad, {}, f"counters of a{n}")
        assert c["peak_connections"] <= 1 and c["peak_requests"] <= 1, c
        return c


def until(what, condition):
    """Polls until condition() is true; returns what it said."""
    end = time.monotonic() + lib.PATIENCE
    while time.monotonic() < end:
        said = condition()
        if said:
            return said
        time.sleep(0.01)
    raise AssertionError(f"waited in vain until {what}")


@contextlib.contextmanager
def took(least=0, most=lib.PATIENCE):
    begin = time.monotonic()
    yield
    seconds = time.monotonic() - begin
    assert least <= seconds <= most, f"took {seconds:.2f} s, not {least} to {most}"


def good(result, *lines):
    """Ended well, with these lines in any order."""
    lib.same((result.status, sorted(result.lines)), (0, sorted(lines)), result)
    return result


def bad(result, status, *parts):
    """Ended with this status; stdout holds each of parts."""
    lib.same(result.status, status, result)
    for part in parts:
        assert part in result.out, f"no {part!r} in {result}"
    return result


def error_of(result):
    """Class and message of the one node of a --json run."""
    lib.same(len(result.lines), 1, result)
    error = result.json[0]["error"]
    assert error, result
    return error["class"], error["message"]
