#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl console over IPMI's Serial over LAN, against powerctl-bmcsim."""
import signal
import subprocess
import termios
import time

import ipmilib
import lib
from ipmilib import PASSWORD, console_fleet
from lib import bad, has, main, same, test

QUICK = "connect: 2s, answer: 2s, read: 6s"


def bmc(lab, *args, settings=""):
    """One BMC, b1."""
    return console_fleet(lab, *args, settings=settings, timeouts=QUICK)


def talk(lab, *args):
    t = lab.terminal("console", "b1", *args)
    t.expect("[powerctl: console of b1 (sol); ~. leaves, ~? helps]")
    t.expect("bmc1> ")
    t.wait_echo(False)
    return t


def left(t, status):
    same(t.end(), status)
    same(termios.tcgetattr(t.fd), t.before)


def sessions(fleet, wanted=0):
    """That so many are left at the BMC: goodbyes may still be under way."""
    end = time.monotonic() + lib.PATIENCE
    while fleet.device()["sessions"] != wanted:
        assert time.monotonic() < end, f"{fleet.device()['sessions']} sessions are left"


def holder(lab):
    """Somebody who has the console."""
    proc = lab.start("console", "b1", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    shown = b""
    while b"bmc1> " not in shown:
        shown += proc.stdout.read1(100)
    return proc


@test
def trust_in_another_drivers_console(lab):
    """the device behind console: {driver: ...} is shown, accepted and forgotten by trust"""
    fleet = bmc(lab)
    lab.inventory(
        f"credentials: {{bmc: {{username: admin, password_file: {ipmilib.secret(lab, PASSWORD)}}}}}\n"
        f"nodes: {{b1: {{driver: 'null', address: {fleet.address()[0]}, console: "
        f"{{driver: ipmi, credential: bmc, port: {fleet.port(1)}}}}}}}\n")
    t = talk(lab)
    t.send("~.")
    left(t, 0)
    has(lab.run("trust", "b1").out, "b1: console guid ")
    shown = lab.run("trust", "--json", "b1").json[0]["pins"]
    same([(pin["kind"], pin["interface"]) for pin in shown], [("guid", "console")])
    fleet.set(1, guid="00112233445566778899aabbccddeeff")
    has(bad(lab.run("console", "b1"), 1).err, "trust")
    has(lab.run("trust", "b1").out, "last refused: 0011")
    same(lab.run("trust", "--accept", "b1").out, "b1: ok: 1 accepted\n")
    t = talk(lab)
    t.send("~.")
    left(t, 0)
    same(lab.run("trust", "--forget", "b1").out, "b1: ok: 1 forgotten\n")
    same(lab.run("trust", "b1").out, "b1: nothing is remembered\n")


@test
def typing(lab):
    """what is typed arrives, a break as well, and the BMC is left without a session"""
    fleet = bmc(lab)
    t = talk(lab)
    t.send("echo hello there\r")
    t.expect("hello there\n")
    t.expect("bmc1> ")
    t.send("~B\r")
    t.expect("bmc1> ")
    t.send("breaks\r")
    t.expect("1\n")
    t.send("~.")
    left(t, 0)
    sessions(fleet)
    same(fleet.counters()["sol_breaks"], 1)
    same(fleet.counters()["sessions_expired"], 0)


@test
def in_use(lab):
    """in use is said at once, --steal takes it, and whoever had it hears of that"""
    fleet = bmc(lab)
    other = holder(lab)
    r = lab.run("console", "b1")
    same((r.status, r.out), (1, ""))
    same(r.err, "powerctl: b1: busy: in use by another session; --steal takes it\n")
    t = talk(lab, "--steal")
    same(other.wait(lib.PATIENCE), 1)
    has(other.stderr.read().decode(), "b1: busy: taken over by another session")
    t.send("~.")
    left(t, 0)
    sessions(fleet)


@test
def suites(lab):
    """the cipher suite is the one that the BMC takes"""
    for suite in ("17", "3"):
        fleet = bmc(lab, "--set", f"all:suites={suite}")
        r = lab.run("console", "--trace", "b1", stdin="power\r")
        same(r.status, 0, r)
        has(r.out, "bmc1> power")
        has(r.err, f"-> Serial over LAN, cipher suite {suite}, privilege 4")
        assert "secret" not in r.err, r.err
        sessions(fleet)


@test
def rights(lab):
    """a user with fewer rights gets the console with those; what is asked for is asked for"""
    fleet = bmc(lab)
    for user, level in (("operator", 3), ("user", 2)):
        fleet.inventory(timeouts=QUICK, user=user)
        r = lab.run("console", "--trace", "b1", stdin="power\r")
        same(r.status, 0, r)
        has(r.err, f"privilege {level}\n")
        fleet.forget()
    fleet.inventory(timeouts=QUICK, user="user", settings="privilege: admin")
    r = lab.run("console", "b1")
    same((r.status, r.out), (1, ""))
    has(r.err, "b1: forbidden: ")
    sessions(fleet)


@test
def refused(lab):
    """what a BMC refuses is said in words, with its class"""
    fleet = bmc(lab)
    fleet.inventory(timeouts=QUICK, password="wrong")
    has(lab.run("console", "b1").err, "b1: auth: password refused")
    fleet.inventory(timeouts=QUICK, settings="protocol: '1.5'")
    has(lab.run("console", "b1").err, "b1: config: protocol: 1.5 has no Serial over LAN")
    fleet.inventory(timeouts=QUICK, settings="cipher_suite: 2")
    fleet.set(1, sol_encryption="force")
    has(lab.run("console", "b1").err, "b1: config: the BMC wants Serial over LAN encrypted")
    fleet.inventory(timeouts=QUICK, settings="cipher_suite: 3")
    fleet.set(1, sol_encryption="refuse")
    has(lab.run("console", "b1").err, "b1: config: the BMC wants Serial over LAN without")
    fleet.set(1, sol_encryption="any", sol_sizes="zero")
    has(lab.run("console", "b1").err, "a workaround may help")
    fleet.inventory(timeouts=QUICK, settings="workarounds: [solpayloadsize]")
    same(lab.run("console", "b1", stdin="power\r").status, 0)
    fleet.set(1, dead=1)
    began = time.monotonic()
    r = lab.run("console", "b1")
    same(r.err, "powerctl: b1: unreachable: no answer in 2 s\n")
    assert time.monotonic() - began < 20
    same(r.status, 1)


@test
def lossy(lab):
    """lost packets are sent again"""
    fleet = bmc(lab)
    t = talk(lab)
    fleet.set(1, sol_drop=1, sol_drop_in=1, sol_repeat=2, sol_nack=1)
    t.send("echo all of it\r")
    t.expect("all of it\n")
    t.expect("bmc1> ")
    t.send("~.")
    left(t, 0)
    sessions(fleet)


@test
def pasted(lab):
    """more than libipmiconsole takes at once goes at the pace that it takes"""
    fleet = bmc(lab, "--set", "all:sol_max_in=32", "--set", "all:delay_ms=10")
    lines = [f"echo {i:04}" for i in range(1000)]
    r = lab.run("console", "b1", stdin="\r".join(lines) + "\r")
    same(r.status, 0, r.err)
    same([i for i in range(1000) if f"\n{i:04}\n" not in r.out], [], "lines that got lost")
    sessions(fleet)


@test
def interrupted(lab):
    """signals end an open one, and the BMC is left without a session; they end an opening"""
    fleet = bmc(lab)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        t = talk(lab)
        t.proc.send_signal(getattr(signal, name))
        left(t, 130)
        sessions(fleet)
    fleet.set(1, delay_ms=400)
    for _ in range(3):
        proc = lab.start("console", "b1", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        logins = fleet.counters()["rakp1"]
        end = time.monotonic() + lib.PATIENCE
        while fleet.counters()["rakp1"] == logins:
            assert time.monotonic() < end, "it does not log in"
        proc.send_signal(signal.SIGINT)
        same(proc.wait(lib.PATIENCE), 130)


@test
def dead_bmc(lab):
    """leaving the console of a BMC that died takes no longer than a farewell may"""
    fleet = bmc(lab)
    t = talk(lab)
    fleet.set(1, dead=1)
    began = time.monotonic()
    t.send("\r~.")
    left(t, 0)
    assert time.monotonic() - began < 15, "a farewell has 2 s"


@test
def following(lab):
    """--follow shows what a BMC's console prints, without a key sent"""
    fleet = bmc(lab)
    proc = lab.start("console", "--follow", "-a", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    shown = b""
    while b"b1: bmc1> \n" not in shown:
        shown += proc.stdout.readline()
    has(shown.decode(), "b1: powerctl-bmcsim: serial console of device 1\n")
    proc.send_signal(signal.SIGINT)
    same(proc.wait(lib.PATIENCE), 130)
    sessions(fleet)


if __name__ == "__main__":
    main()
