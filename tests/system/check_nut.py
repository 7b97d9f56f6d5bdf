#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NUT's own upsd, upsmon and upssched with a dummy UPS call contrib/nut/powerctl-upssched."""
import json
import os
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from lib import BUILD, SOURCE, has, main, same, skip, test, until  # noqa: E402

HOOK = os.path.join(SOURCE, "contrib", "nut", "powerctl-upssched")
COUNT = 400


class Ups:
    """A UPS that is said to be on mains or on battery, and all of NUT's programs around it."""

    def __init__(self, lab, nodes, rules):
        self.lab = lab
        os.environ["PATH"] = "/lib/nut:/usr/sbin:/sbin:" + os.environ["PATH"]  # what is in sbin asks for /etc/nut/nut.conf
        for program in ("dummy-ups", "upsd", "upsmon", "upssched", "upsrw"):
            if not shutil.which(program):
                skip(f"nut: no {program}")
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
            skip("nut: no mount namespace for upsmon's PID file")
        lab.keep(lib.Strays(lab))
        self.machines = lab.path("machines")
        os.mkdir(self.machines)
        lab.inventory(nodes.replace("MACHINES", self.machines))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.env = {**lab.env, "NUT_CONFPATH": lab.path("nut"), "NUT_STATEPATH": lab.path("nut"),
                    "NUT_ALTPIDPATH": lab.path("nut"), "NUT_PIDPATH": lab.path("nut"),
                    "POWERCTL_UPSSCHED_CONF": lab.path("hook.conf"),
                    "PATH": os.path.join(BUILD, "bin") + ":" + os.environ["PATH"]}
        lab.write("hook.conf", f"log = {lab.path('hook.log')}\nretry = 1\non = --stagger 1ms\n")
        lab.write("hook.log", "")
        lab.write("nut/battery.dev", "ups.status: OL\nbattery.charge: 100\n")
        lab.write("nut/ups.conf", "maxretry = 3\n[dummy]\n driver = dummy-ups\n port = battery.dev\n")
        lab.write("nut/upsd.conf", f"LISTEN 127.0.0.1 {self.port}\n")
        lab.write("nut/upsd.users", "[admin]\n password = geheim17\n actions = SET\n instcmds = ALL\n"
                                    "[mon]\n password = geheim17\n upsmon secondary\n")
        lab.write("nut/upsmon.conf", f"""RUN_AS_USER root
MINSUPPLIES 0
MONITOR dummy@127.0.0.1:{self.port} 0 mon geheim17 secondary
SHUTDOWNCMD /bin/true
NOTIFYCMD {shutil.which('upssched')}
POLLFREQ 1
POLLFREQALERT 1
POWERDOWNFLAG {lab.path('nut', 'killpower')}
NOTIFYFLAG ONBATT EXEC
NOTIFYFLAG ONLINE EXEC
NOTIFYFLAG LOWBATT EXEC
""")
        lab.write("nut/upssched.conf", f"CMDSCRIPT {HOOK}\nPIPEFN {lab.path('nut', 'pipe')}\n"
                                       f"LOCKFN {lab.path('nut', 'lock')}\n{rules}")
        self.start("dummy-ups", "-a", "dummy", "-u", "root", "-D")
        until("the driver listens", lambda: os.path.exists(lab.path("nut", "dummy-ups-dummy")))
        self.start("upsd", "-D", "-u", "root")
        until("upsd answers", lambda: "OL" in self.upsc())
        # One process (-p). Its PID file is always in /run/nut: a folder of our own, and not the one of a real upsmon.
        self.start("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run/nut && exec upsmon -p -D")
        try:
            until("upsmon has logged in", lambda: "1" == self.upsc("-c"))
        except AssertionError:
            raise AssertionError(lab.read("nut.log")[-3000:]) from None

    def start(self, *words):
        with open(self.lab.path("nut.log"), "ab") as log:
            proc = subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True)
        self.lab.keep(lib.Started(proc))

    def upsc(self, *words):
        ups = f"dummy@127.0.0.1:{self.port}"
        done = subprocess.run(["upsc", *words, ups] + ([] if words else ["ups.status"]), env=self.env,
                              capture_output=True, text=True, timeout=lib.PATIENCE, check=False)
        return "1" if words and done.stdout.split() else done.stdout.strip()

    def becomes(self, status):
        done = subprocess.run(["upsrw", "-s", f"ups.status={status}", "-u", "admin", "-p", "geheim17",
                               f"dummy@127.0.0.1:{self.port}"], env=self.env, capture_output=True, text=True,
                              timeout=lib.PATIENCE, check=False)
        same((done.returncode, done.stderr.strip()), (0, "OK"))

    def states(self):
        found = {}
        for name in os.listdir(self.machines):
            found[name] = self.lab.read(f"machines/{name}").strip()
        return found

    def shed(self):
        path = self.lab.path("state", "powerctl", "upssched.json")
        if not os.path.exists(path):
            return set()
        with open(path, encoding="utf-8") as f:
            return set(json.load(f)["shed"])

    def wait_log(self, part):
        try:
            until(f"{part!r} in the log", lambda: part in self.lab.read("hook.log"))
        except AssertionError:
            lines = [line for line in self.lab.read("nut.log").splitlines() if "updateinfo" not in line]
            raise AssertionError(f"no {part!r} in: {self.lab.read('hook.log')}\n" + "\n".join(lines[-30:])) from None


NODES = f"""nodes:
  n[1-{COUNT}]: {{driver: "null", state: on, state_file: "MACHINES/n[1-{COUNT}]", transition: 1ms, tags: [tier3]}}
  idle: {{driver: "null", state: off, state_file: MACHINES/idle, tags: [tier3]}}
  sick: {{driver: "null", state: on, state_file: MACHINES/sick, maintenance: "PSU", tags: [tier3]}}
  dead: {{driver: "null", fail_reads: unreachable, tags: [tier3]}}
  db: {{driver: "null", state: on, state_file: MACHINES/db, tags: [tier1]}}
"""


@test
def power_failure(lab):
    """400 machines are shed after a time on battery; on mains those that were on come again, no others"""
    ups = Ups(lab, NODES, "AT ONBATT * CANCEL-TIMER restore\nAT ONBATT * START-TIMER shed-tier3 2\n"
                          "AT ONLINE * CANCEL-TIMER shed-tier3\nAT ONLINE * START-TIMER restore 1\n")
    ups.becomes("OB DISCHRG")
    ups.wait_log(f": {COUNT + 1} off, 1 failed; {COUNT} were on before")
    states = ups.states()
    same({states[f"n{n}"] for n in range(1, COUNT + 1)}, {"off"})
    same((states.get("sick", "on"), states.get("db", "on")), ("on", "on"))
    same(ups.shed(), {f"n{n}" for n in range(1, COUNT + 1)})
    has(lab.read("hook.log"), "dead: unreachable")
    ups.becomes("OL")
    ups.wait_log(f": {COUNT} on, 0 still shed")
    states = ups.states()
    same({states[f"n{n}"] for n in range(1, COUNT + 1)}, {"on"})
    same(states.get("idle", "off"), "off")
    same(ups.shed(), set())
    same("geheim17" in lab.read("hook.log"), False)


@test
def short_failure(lab):
    """mains power that is back before the timer runs out: nothing is shed"""
    ups = Ups(lab, NODES, "AT ONBATT * START-TIMER shed-tier3 600\nAT ONLINE * CANCEL-TIMER shed-tier3\n"
                          "AT ONLINE * EXECUTE restore\n")
    ups.becomes("OB DISCHRG")
    until("upssched keeps the timer", lambda: os.path.exists(lab.path("nut", "pipe")))
    ups.becomes("OL")
    ups.wait_log(": 0 on, 0 still shed")
    same(set(ups.states().values()) - {"on", "off"}, set())
    same([n for n, s in ups.states().items() if s == "off" and n != "idle"], [])
    has(lab.run("history").err, "nothing was written down yet")


if __name__ == "__main__":
    main()
