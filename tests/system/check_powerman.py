#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real powermand drives 200 nodes through powerctl's co-process; our powerman says what the real one says."""
import os
import re
import shutil
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from ipmilib import PASSWORD, BmcFleet  # noqa: E402
from lib import POWERCTL, SOURCE, main, same, skip, test, until  # noqa: E402

COUNT = 200
NODES = f"n[1-{COUNT}]"
SHORT = 8  # seconds after which powermand calls a script that does not go on a failure


def need_powerman():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in ("powermand", "powerman"):
        if not shutil.which(program):
            skip(f"powerman: no {program}")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class PowerMan:
    """powermand with one device, and what it says."""

    def __init__(self, lab, changes=""):
        need_powerman()
        self.lab, self.port = lab, free_port()
        lab.inventory(f"nodes:\n  {NODES}: {{driver: \"null\", state_file: \"{lab.path('n')}[1-{COUNT}].state\"}}\n"
                      + changes)
        with open(os.path.join(SOURCE, "contrib", "powerman", "powerctl.dev"), encoding="utf-8") as f:
            device = lab.write("powerctl.dev", re.sub(r"timeout \t60", f"timeout \t{SHORT}", f.read()))
        conf = lab.write("powerman.conf", f'include "{device}"\nlisten "127.0.0.1:{self.port}"\n'
                         f'device "power" "powerctl" "{POWERCTL} --coprocess --timeout 2s {NODES} |&"\n'
                         f'node "{NODES}" "power" "{NODES}"\n')
        with open(lab.path("powermand.log"), "wb") as log:
            self.proc = subprocess.Popen(["powermand", "-f", "-c", conf], env=lab.env, stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log, start_new_session=True)
        lab.keep(lib.Started(self.proc))
        until("powermand answers", lambda: self.ask("-l")[0] == 0)

    def ask(self, *words):
        done = subprocess.run(["powerman", "-h", f"127.0.0.1:{self.port}", *words], capture_output=True, text=True,
                              timeout=lib.PATIENCE, check=False)
        return done.returncode, done.stdout

    def states(self):
        names = [f"n{n}.state" for n in range(1, COUNT + 1)]
        return {n: self.lab.read(n).strip() for n in names if os.path.exists(self.lab.path(n))}


class Face:
    """powerctl under powerman's name."""

    def __init__(self, lab):
        self.lab, self.path = lab, lab.path("powerman")
        os.symlink(POWERCTL, self.path)

    def ask(self, *words):
        done = subprocess.run([self.path, *words], env=self.lab.env, capture_output=True, text=True,
                              timeout=lib.PATIENCE, check=False)
        return done.returncode, done.stdout


def start_powermand(lab, conf, port):
    with open(lab.path("powermand.log"), "wb") as log:
        proc = subprocess.Popen(["powermand", "-f", "-c", conf], env=lab.env, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, start_new_session=True)
    lab.keep(lib.Started(proc))
    return lambda *words: subprocess.run(["powerman", "-h", f"127.0.0.1:{port}", *words], capture_output=True, text=True,
                                         timeout=lib.PATIENCE, check=False).stdout


@test
def ipmipower(lab):
    """powermand's own ipmipower.dev drives BMCs through the ipmipower face's prompt"""
    need_powerman()
    device = "/etc/powerman/ipmipower.dev"
    bmcs = BmcFleet(lab, "--address", "127.65.0.1", "--port", "0", "--state", "on", devices=20, by_port=False)
    port, names = bmcs.port(1), "127.65.0.[1-20]"
    face = lab.path("ipmipower")
    os.symlink(POWERCTL, face)
    login = lab.write("freeipmi.conf", f"username admin\npassword {PASSWORD}\n")
    listen = free_port()
    conf = lab.write("powerman.conf", f'include "{device}"\nlisten "127.0.0.1:{listen}"\n'
                     f'device "d" "ipmipower" "{face} --config-file={login} -h {names}:{port} --wait-until-on '
                     f'--wait-until-off |&"\nnode "n[1-20]" "d" "{names}"\n')
    ask = start_powermand(lab, conf, listen)
    until("powermand answers", lambda: ask("-l") != "")
    same(ask("-q"), "on:      n[1-20]\noff:     \nunknown: \n")
    same(ask("-0", "n[3-5]"), "Command completed successfully\n")
    same(ask("-q"), "on:      n[1-2,6-20]\noff:     n[3-5]\nunknown: \n")
    same(ask("-1", "n4"), "Command completed successfully\n")
    same([bmcs.device(n)["power"] for n in (3, 4, 5, 6)], ["off", "on", "off", "on"])
    bmcs.set(9, dead=1)
    same(ask("-q"), "on:      n[1-2,4,6-8,10-20]\noff:     n[3,5]\nunknown: n9\n")


@test
def drives(lab):
    """200 nodes: query, on, off, cycle; each is one command to the co-process, which lives through all of them"""
    pm = PowerMan(lab)
    same(pm.ask("-q"), (0, f"on:      \noff:     {NODES}\nunknown: \n"))
    same(pm.ask("-1", NODES), (0, "Command completed successfully\n"))
    same(set(pm.states().values()), {"on"})
    same(len(pm.states()), COUNT)
    same(pm.ask("-0", f"n[1-5,{COUNT}]"), (0, "Command completed successfully\n"))
    same(pm.ask("-q"), (0, f"on:      n[6-{COUNT - 1}]\noff:     n[1-5,{COUNT}]\nunknown: \n"))
    same(pm.ask("-c", "n[5-6]"), (0, "Command completed successfully\n"))
    same(pm.ask("-Q", "n[4-6]"), (0, "on:      n[5-6]\noff:     n4\nunknown: \n"))
    log = lab.read("powermand.log")
    same(log.count("opened"), 1, f"one co-process for all of it: {log}")


@test
def fails(lab):
    """a node that fails is a failure for powerman, after the device's timeout; what is unknown is never off"""
    pm = PowerMan(lab, "  n7: {fail: refused}\n  n9: {fail_reads: unreachable}\n")
    same(pm.ask("-q"), (0, f"on:      \noff:     n[1-8,10-{COUNT}]\nunknown: n9\n"))
    status, out = pm.ask("-1", "n[6-8]")
    assert status != 0 and "successfully" not in out, (status, out)
    same(pm.ask("-q"), (0, f"on:      n[6,8]\noff:     n[1-5,7,10-{COUNT}]\nunknown: n9\n"))
    status, out = pm.ask("-0", "n9")
    assert status != 0 and "successfully" not in out, (status, out)
    same(pm.ask("-1", "n1"), (0, "Command completed successfully\n"))


@test
def face(lab):
    """powerman's own output and ours are the same, letter by letter, and so are the exit statuses"""
    pm = PowerMan(lab)
    ours = Face(lab)
    for words in (["-q"], ["-1", "n[1-5]", "n7"], ["-q"], ["-Q", "n[1-9]"], ["-0", "n[1-2],n4"], ["-x", "-Q", "n[1-3]"],
                  ["-c", "n1"], ["-l"], ["-x", "-l"], ["-1", "nope"], ["-Q", "nope,n1"]):
        real = pm.ask(*words)
        same(ours.ask(*words), real, words)
    for words in (["-1"], ["--zzz"], []):  # the words of 2.4 differ from those of 2.3
        same((ours.ask(*words)[0], pm.ask(*words)[0]), (1, 1), words)


if __name__ == "__main__":
    main()
