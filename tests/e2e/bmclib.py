# SPDX-License-Identifier: Apache-2.0
"""What tests with BMCs share: a fleet of stand-ins, its knobs, and programs that others wrote.

    bmcs = Bmcs(lab, "--state", "on", devices=3)
    bmcs.set(1, dead=1)                         # its knobs; a range like "1-3", or "all"
    bmcs.counters(2)["power_reset"]             # as the stand-in counted
    bmcs.ipmitool("power", "status").out        # of BMC 1 with suite 3
    with bmcs.console("ipmitool", n=1) as t: t.expect("bmc1> ")
"""
import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import lib

PASSWORD = "secret"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
DEBIAN_PYTHON = "/usr/bin/python3"


class Bmcs:
    """Stand-ins 1, 2, ... on ports that the kernel gave."""

    def __init__(self, lab, *args, devices=1, by_port=True):
        self.lab, self.size = lab, devices
        where = ["--by-port", "--port", "0"] if by_port else []
        self.sim = lab.bmcsim("--devices", str(devices), *where, *args)
        self.control = self.sim.ready["control"]
        lab.started.append(self)

    def close(self):
        """The stand-in has ended by now: well, or a sanitizer had something to say."""
        self.sim.close()
        assert self.sim.proc.returncode == 0, f"the stand-in ended with {self.sim.proc.returncode}"

    def address(self, n=1):
        d = self.sim.ready["devices"][n - 1]
        return d["address"], d["port"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}{path}", method=method,
                                         data=body.encode() if body else None)
        try:
            with urllib.request.urlopen(request, timeout=lib.PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(json.load(error)["error"]) from None

    def set(self, n, **knobs):
        self.call("PUT", f"/devices/{n}", "\n".join(f"{k}={v}" for k, v in knobs.items()))

    def get(self, n=1):
        return self.call("GET", f"/devices/{n}")

    def counters(self, n=1):
        return self.get(n)["counters"]

    def reset(self):
        self.call("POST", "/reset")

    def wait(self, what, n=1):
        """Until what(device) is true."""
        until = time.monotonic() + lib.PATIENCE
        while not what(self.get(n)):
            assert time.monotonic() < until, f"BMC {n}: {self.get(n)}"
            time.sleep(0.01)

    def ipmitool_args(self, n, suite, user, password, lan15, args, level="ADMINISTRATOR"):
        address, port = self.address(n)
        face = ["-I", "lan"] if lan15 else ["-I", "lanplus", "-C", str(suite)]
        return [need("ipmitool"), *face, "-H", address, "-p", str(port), "-U", user, "-P", password,
                "-L", level, *args]

    def ipmitool(self, *args, n=1, suite=3, user="admin", password=PASSWORD, lan15=False,
                 level="ADMINISTRATOR"):
        return run(self.ipmitool_args(n, suite, user, password, lan15, args, level))

    def freeipmi(self, program, *args, n=1, suite=3, user="admin", password=PASSWORD, lan15=False):
        """Any of FreeIPMI's tools."""
        address, port = self.address(n)
        face = ["-D", "LAN"] if lan15 else ["-D", "LAN_2_0", "-I", str(suite)]
        host = address if port == 623 else f"{address}:{port}"
        return run([need(program), "-h", host, "-u", user, "-p", password, *face, *args])

    def pyghmi(self, code, n=1, password=PASSWORD, **more):
        """Runs code with c, a connected Command; what it printed, as JSON."""
        need_pyghmi()
        address, port = self.address(n)
        text = ("import json\nfrom pyghmi.ipmi import command\n"
                f"c = command.Command(bmc={address!r}, userid='admin', password={password!r}, "
                f"port={port}, **{more!r})\n{code}\n")
        r = run([DEBIAN_PYTHON, "-c", text])
        assert r.status == 0, r
        return json.loads(r.lines[-1])

    @contextlib.contextmanager
    def console(self, program, *args, n=1, suite=3):
        """sol activate or ipmiconsole on a terminal of its own."""
        address, port = self.address(n)
        if program == "ipmitool":
            line = self.ipmitool_args(n, suite, "admin", PASSWORD, False,
                                      ["sol", "activate", *args])
        else:
            assert port == 623, "ipmiconsole knows one port only"
            line = [need(program), "-h", address, "-u", "admin", "-p", PASSWORD, "-I", str(suite),
                    *args]
        one = lib.Terminal(line, tool_env())
        try:
            yield one
        finally:
            one.close()


def tool_env():
    return {**os.environ, "PATH": PATH}


def need(program):
    found = shutil.which(program, path=PATH)
    if not found:
        lib.skip(f"no {program}")
    return found


def need_pyghmi():
    r = subprocess.run([DEBIAN_PYTHON, "-c", "import pyghmi"], capture_output=True, check=False)
    if r.returncode:
        lib.skip("no pyghmi")


def run(args):
    r = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                       env=tool_env(), timeout=lib.PATIENCE)
    return lib.Result(args, r.returncode, r.stdout, r.stderr)
