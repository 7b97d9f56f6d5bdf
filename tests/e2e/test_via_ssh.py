#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nodes behind an ssh gateway: Debian's sshd, which runs as somebody without rights."""
import os
import signal

from amtlib import Fleet, LargeFleet
from gatewaylib import Sshd
from lib import bad, error_of, good, has, main, many, same, test, until


def gateway(lab, fleet, more="", **how):
    sshd = Sshd(lab, more)
    fleet.inventory(settings=f"via: {sshd.via}", **how)
    return sshd


@test
def through_it(lab):
    """power, boot, TLS, one login for a command, and nothing left behind"""
    fleet = Fleet(lab, devices=3)
    sshd = gateway(lab, fleet)
    good(lab.run("on", "a1"), "a1: on")
    good(lab.run("pxeboot", "--yes", "a[1-3]"), "a1: on", "a2: on", "a3: on")
    same(len(sshd.started()), 2)
    fleet.inventory(settings=f"via: {sshd.via}", tls=True)
    good(lab.run("status", "a[1-3]"), "a1: on", "a2: on", "a3: on")
    same((len(sshd.started()), sshd.alive()), (3, []))
    same(os.listdir(lab.path("run", "powerctl")).count("ssh"), 0)
    same([f for f in os.listdir(lab.path("run", "powerctl")) if f.startswith("ssh")], [])
    has(lab.read("state/powerctl/known_devices"), f"@127.0.0.1:{sshd.port} ")
    fleet.blameless()


@test
def two_hundred(lab):
    """two hundred machines behind one gateway: one ssh, one login"""
    size = many(200)
    fleet = LargeFleet(lab, devices=size)
    sshd = gateway(lab, fleet)
    good(lab.run("pxeboot", "--yes", "-a"), *[f"a{n}: on" for n in range(1, size + 1)])
    same((len(sshd.started()), sshd.alive()), (1, []))
    fleet.all_blameless()


@test
def port_nobody_listens_on(lab):
    """what sshd met on the far side is said as it is, per node"""
    fleet = Fleet(lab, devices=2)
    sshd = gateway(lab, fleet)
    with open(lab.inventory_path, encoding="utf-8") as f:
        text = f.read().replace(f"port: {fleet.ports(2)[0]}, ", "port: 1, ")
    lab.inventory(text)
    r = bad(lab.run("status", "a[1-2]"), 1, "a1: off\n")
    has(r.out, f"a2: unknown: unreachable: behind gateway {sshd.via}: connection refused\n")


@test
def not_let_in(lab):
    """an unknown host key, a changed one and a wrong user key: their classes, and one try each"""
    fleet = Fleet(lab, devices=5)
    sshd = gateway(lab, fleet)

    def refused(wanted, words):
        before = len(sshd.started())
        r = bad(lab.run("--fold", "status", "-a"), 1, f"{wanted}: gateway {sshd.via}: ", words)
        same(len(r.lines), 1, r)
        same(len(sshd.started()) - before, 1, r)
        return r

    sshd.write("known_hosts", "")
    refused("trust", "not known here")
    sshd.knows("other")
    refused("trust", "has changed")
    sshd.knows("host")
    sshd.client("other")
    r = refused("auth", "refused the login")
    same("credential" in r.out, False, r)
    sshd.client("user")
    good(lab.run("status", "-a"), *[f"a{n}: off" for n in range(1, 6)])
    same(fleet.totals()["r401_bad"], 0)


@test
def forbidden(lab):
    """a gateway that allows no forwarding says so"""
    fleet = Fleet(lab)
    gateway(lab, fleet, "AllowTcpForwarding no\n")
    kind, message = error_of(lab.run("--json", "status", "a1"))
    same(kind, "forbidden", message)
    has(message, "AllowTcpForwarding")


@test
def no_ssh(lab):
    """without the program: which package has it"""
    fleet = Fleet(lab)
    gateway(lab, fleet)
    lab.env["PATH"] = lab.path("home")
    kind, message = error_of(lab.run("--json", "status", "a1"))
    same(kind, "config", message)
    has(message, "openssh-client")


@test
def dies_in_the_middle(lab):
    """the gateway dies while nodes are asked: unreachable, and it is named"""
    fleet = Fleet(lab, timeouts="answer: 60s, read: 60s")
    sshd = gateway(lab, fleet)
    fleet.set(1, hang="all")
    proc = lab.start("--json", "status", "a1", stdout=-1, stderr=-1, text=True)
    fleet.wait(lambda d: d["counters"]["peak_connections"] > 0)
    sshd.proc.kill()
    sshd.proc.wait()
    for pid in sshd.alive():  # the connection, as if its host had gone
        os.kill(pid, signal.SIGKILL)
    out, _ = proc.communicate(timeout=60)
    same(proc.returncode, 1, out)
    has(out, '"unreachable"')
    has(out, f"gateway {sshd.via}: ")
    same(sshd.alive(), [])


@test
def interrupted(lab):
    """^C, and even SIGKILL, leaves no ssh behind"""
    fleet = Fleet(lab, timeouts="answer: 60s, read: 60s")
    sshd = gateway(lab, fleet)
    fleet.set(1, hang="all")
    for number in (signal.SIGINT, signal.SIGKILL):
        fleet.reset()
        fleet.set(1, hang="all")
        before = len(sshd.started())
        proc = lab.start("status", "a1", stdout=-1, stderr=-1)
        until("it is connected",
              lambda: len(sshd.alive()) == 1 and fleet.counters()["peak_connections"])
        proc.send_signal(number)
        proc.communicate(timeout=60)
        same(proc.returncode, 130 if number == signal.SIGINT else -signal.SIGKILL)
        until("no ssh is left", lambda: not sshd.alive())
        same(len(sshd.started()) - before, 1)


if __name__ == "__main__":
    main()
