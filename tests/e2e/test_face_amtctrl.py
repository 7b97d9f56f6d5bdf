#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl as amtctrl: its file of hosts, its commands, and failures that are told."""
import configparser
import contextlib
import fcntl
import os
import signal
import stat
import threading

from amtlib import PASSWORD, Fleet
from facelib import Face
from lib import PATIENCE, has, main, same, test, until

FILE = "config/amtctrl/hosts.cfg"


def as_python(lab):
    """What amtctrl itself reads in the file."""
    config = configparser.ConfigParser()
    config.read(lab.path(FILE))
    return {name: dict(config[name]) for name in config.sections()}


@test
def registry(lab):
    """list, set, get, rm; the file stays one that Python's ConfigParser reads, and nobody else does"""
    ours = Face(lab, "amtctrl")
    same((ours("list").out, ours("list").status), ("Available servers (0):\n", 0))
    same((ours("set", "n1", "10.0.0.1", "P@ss%w = x").out, ours("set", "n2", "10.0.0.2", "b", "-V", "vnc").out), ("", ""))
    has(ours("add", "n3", "10.0.0.3", "c").out, "WARNING: ``add`` command is deprecated")
    same(ours("list").out, "Available servers (3):\n    n1\n    n2\n    n3\n")
    same(ours("get", "n1").out, "n1 => 10.0.0.1\n")
    wanted = {"n1": {"host": "10.0.0.1", "passwd": "P@ss%w = x"},
              "n2": {"host": "10.0.0.2", "passwd": "b", "vncpasswd": "vnc"}, "n3": {"host": "10.0.0.3", "passwd": "c"}}
    same(as_python(lab), wanted)
    same(stat.S_IMODE(os.stat(lab.path(FILE)).st_mode), 0o600)
    same((ours("set", "n1", "10.0.0.9", "b").status, ours("rm", "n3").status, ours("rm", "n3").status), (0, 0, 0))
    same(as_python(lab), {"n1": {"host": "10.0.0.9", "passwd": "b"}, "n2": wanted["n2"]})
    has(ours("rm", "n3").err, "there is no n3; nothing is changed")
    has(ours("set", "n3").err, "arguments are missing: amtctrl set [-V vncpasswd] name host passwd")
    same((ours("get", "n9").status, ours("n9", "on").status), (1, 1))
    has(ours("n9", "on").out, "Server n9 not found in hostdb")
    for words in ((), ("set", "n1"), ("rm",), ("list", "x"), ("n1", "on", "x"), ("n1", "frob"), ("n1",), ("--zz", "list"),
                  ("-V",)):
        same(ours(*words).status, 2, words)
    same((ours("set", "a]", "h", "p").status, ours("set", "a", "h\n[x]", "p").status, len(as_python(lab))), (1, 1, 2))
    has(ours("n1", "vnc").out, "Error: unsupported")
    has(ours("-h").out, "powerctl-amtctrl(1)")


@test
def others_file(lab):
    """a file that amtctrl left for all to read is made private; what would get lost is not written over"""
    ours = Face(lab, "amtctrl")
    lab.write(FILE, "[n1]\nhost = 10.0.0.1\npasswd = a%%b\n\n", 0o644)
    result = ours("get", "n1")
    same((result.out, result.status), ("n1 => 10.0.0.1\n", 0))
    has(result.err, "others could read")
    same((stat.S_IMODE(os.stat(lab.path(FILE)).st_mode), ours("get", "n1").err), (0o640, ""))
    for odd in ("# mine\n[n1]\nhost = h\n", "[n1]\nhost = h\n more\n", "[n1]\nhost = %(x)s\n", "x = 1\n", "[n1]\nfrob\n",
                "\0"):
        lab.write(FILE, odd)
        same(ours("set", "n2", "h", "p").status, 1, odd)
        has(ours("set", "n2", "h", "p").out, "would get lost")
        same(lab.read(FILE), odd)
    os.remove(lab.path(FILE))
    elsewhere = lab.write("elsewhere.cfg", "[n1]\nhost = h\npasswd = p\n")
    os.symlink(elsewhere, lab.path(FILE))
    same((ours("set", "n2", "h", "p").status, os.path.islink(lab.path(FILE))), (0, True))
    same(sorted(as_python(lab)), ["n1", "n2"])


@test
def at_once(lab):
    """many at once, and none is lost"""
    ours = Face(lab, "amtctrl")
    threads = [threading.Thread(target=ours, args=("set", f"n{n}", "h", "p")) for n in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    same(len(as_python(lab)), 20)


@test
def power(lab):
    """on, off, reboot, pxeboot, status, as amtctrl prints them: nothing but the state"""
    fleet, ours = Fleet(lab, "--state", "off"), Face(lab, "amtctrl")
    ours("set", "a1", f"127.0.0.1:{fleet.ports(1)[0]}", PASSWORD)
    for words, out, power_ in (("status", "off\n", 8), ("on", "", 2), ("status", "on\n", 2), ("reboot", "", 2),
                               ("off", "", 8), ("pxeboot", "", 2)):
        result = ours("a1", words)
        same((result.out, result.err, result.status), (out, "", 0), words)
        fleet.wait(lambda d, power_=power_: d["power"] == power_)
    same(fleet.device()["last_boot"], "pxe")
    for state, word in ((4, "standby"), (7, "hibernate")):
        fleet.set(1, power=state)
        same(ours("a1", "status").out, word + "\n")
    fleet.set(1, power=2)
    address = f"127.0.0.1:{fleet.ports(1)[0]}"
    asked = ours("-p", address, "status", stdin=PASSWORD + "\n")
    same((asked.out, asked.status), ("on\n", 0))
    t = ours.terminal("-p", address, "status")
    t.expect("Password: ")
    t.send(PASSWORD + "\n")
    same(t.end(), 0)
    fleet.blameless()


@test
def fails(lab):
    """wrong password, dead machine, refusal: Error on standard output and status 1, where amtctrl ended with 0"""
    fleet, ours = Fleet(lab, "--state", "on"), Face(lab, "amtctrl")
    address = f"127.0.0.1:{fleet.ports(1)[0]}"
    ours("set", "wrong", address, "Wr0ng!pass")
    for words in ("status", "off"):
        result = ours("wrong", words)
        same(result.status, 1)
        has(result.out, "Error: auth: ")
        same((result.out + result.err).count("Wr0ng"), 0)
    ours("set", "dead", "127.0.0.1:1", PASSWORD)
    result = ours("dead", "on")
    same((result.status, result.out.startswith("Error: unreachable: ")), (1, True))
    ours("set", "ranges", "127.0.0.[1-2]", PASSWORD)
    same(ours("ranges", "off").status, 1)
    same(ours("-p", address, "status").status, 1)
    ours("set", "a1", address, PASSWORD)
    fleet.set(1, hang="all")
    before = fleet.counters()["requests"]
    proc = ours.start("a1", "off")
    fleet.wait(lambda d: d["counters"]["requests"] > before)
    proc.send_signal(signal.SIGINT)
    same(proc.wait(PATIENCE), 130)


@contextlib.contextmanager
def held(folder):
    """Nobody else can change the file of hosts."""
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


@test
def hidden(lab):
    """passwords of `set` are gone from the command line while it works"""
    ours = Face(lab, "amtctrl")
    os.makedirs(lab.path("config", "amtctrl"))
    with held(lab.path("config", "amtctrl")):
        for words in (("set", "n1", "h", "P@ssw0rd", "-V", "vncsecret"), ("add", "--vncpasswd=vncsecret", "n", "h", "P@ssw0rd")):
            proc = ours.start(*words)
            until("it is gone", lambda proc=proc: b"amtctrl" in ours.shown(proc) and b"P@ss" not in ours.shown(proc))
            same((proc.poll(), b"vncsecret" in ours.shown(proc)), (None, False))
            proc.kill()


if __name__ == "__main__":
    main()
