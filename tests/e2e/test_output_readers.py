#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of results for a reader that is slow, pauses, leaves, or cannot take them."""
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import threading

from amtlib import Fleet, LargeFleet, differences
from lib import PATIENCE, has, main, many, same, skip, test, took, until

SIZE = many(2000)


def read_slowly(stream, into):
    """1 kB every 10 ms."""
    with contextlib.closing(stream):
        while some := os.read(stream.fileno(), 1024):
            into.append(some)
            select.select([], [], [], 0.01)


@test
def slow_reader(lab):
    """a reader slower than the fleet: nothing is lost, and no node fails for it"""
    fleet = LargeFleet(lab, devices=SIZE, timeouts="connect: 1s, answer: 1s, read: 3s")
    proc = lab.start("on", "-a", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    parts = []
    reader = threading.Thread(target=read_slowly, args=(proc.stdout, parts))
    reader.start()
    err = proc.stderr.read()
    same(proc.wait(PATIENCE), 0, err[-2000:])
    reader.join(PATIENCE)
    results = [json.loads(line) for line in b"".join(parts).splitlines()]
    differences(fleet.said([f"{x['node']}: {x['state']}" for x in results]), ["on"] * SIZE)
    same(fleet.totals()["set_power"], SIZE)


@test
def stopped_reader(lab):
    """a reader that pauses longer than any answer may take: the fleet is switched meanwhile"""
    fleet = LargeFleet(lab, devices=SIZE, timeouts="connect: 1s, answer: 1s, read: 3s")
    r, w = os.pipe()
    proc = lab.start("on", "-a", "--json", stdout=w, stderr=subprocess.PIPE)
    until("all are on", lambda: fleet.totals()["set_power"] == SIZE)
    until("they were read on, too", lambda: fleet.totals()["r200"] >= 3 * SIZE)
    assert not fcntl.fcntl(w, fcntl.F_GETFL) & os.O_NONBLOCK, "others share this pipe"
    same(proc.poll(), None)
    os.close(w)
    with os.fdopen(r, encoding="utf-8") as f:
        states = [json.loads(line)["state"] for line in f]
    same((proc.wait(PATIENCE), states), (0, ["on"] * SIZE), proc.stderr.read()[-2000:])


@test
def stopped_terminal(lab):
    """^S on the terminal: the progress line waits, the machines do not"""
    fleet = Fleet(lab, "--set", "all:latency_ms=500", devices=5)
    fleet.inventory(more='  s1: {driver: "null", latency: 2s}\n')
    t = lab.terminal("on", "-a")
    t.send("\x13")
    until("all machines are on", lambda: all(d["power_word"] == "on"
                                             for d in fleet.call("GET", "/devices/all")))
    t.send("\x11")
    t.expect("a[1-5],s1: on\n")
    same(t.end(), 0)


@test
def reader_gone(lab):
    """a reader that goes away: exit 1 without a word, and every machine is turned on all the same"""
    fleet = LargeFleet(lab, devices=SIZE)
    proc = lab.start("on", "-a", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     text=True)
    proc.stdout.readline()
    proc.stdout.close()
    err = proc.stderr.read()
    same((proc.wait(PATIENCE), err), (1, ""))
    same(fleet.totals()["set_power"], SIZE)


@test
def stdout_full(lab):
    """a full device as standard output: the same"""
    if not os.path.exists("/dev/full"):
        skip("no /dev/full")
    fleet = LargeFleet(lab, devices=SIZE)
    with open("/dev/full", "w", encoding="ascii") as full:
        r = lab.run("on", "-a", stdout=full)
    same(r.status, 1, r.err)
    has(r.err, "No space left")
    same(fleet.totals()["set_power"], SIZE)


@test
def interrupted(lab):
    """^C when all is done and nobody reads: ends at once, and no line is cut"""
    lab.inventory('defaults: {confirm_above: 100000}\nnodes:\n  "n[1-3000]": {driver: "null"}\n')
    r, w = os.pipe()
    proc = lab.start("on", "-a", "--json", "--fanout", "4000", stdout=w, stderr=subprocess.PIPE)
    os.close(w)
    until("it is done", lambda: os.path.exists(lab.path("state", "powerctl", "failed")))
    proc.send_signal(signal.SIGINT)
    with took(most=20):
        same(proc.wait(PATIENCE), 130)
    with os.fdopen(r, encoding="utf-8") as f:
        states = [json.loads(line)["state"] for line in f]
    assert 0 < len(states) < 3000, "results that were never taken are lost, and no others"


@test
def interrupted_twice(lab):
    """a second ^C ends at once, though nobody reads what the first one makes it say"""
    fleet = LargeFleet(lab, devices=SIZE)
    fleet.set(f"9-{SIZE}", hang="auth")  # the others show that the login is good
    proc = lab.start("on", "-a", "--json", "--fanout", str(SIZE), stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
    until("all were asked", lambda: fleet.totals()["bodies"] >= SIZE)
    proc.send_signal(signal.SIGINT)
    has(proc.stderr.readline(), "interrupted")
    with took(most=10):
        proc.send_signal(signal.SIGINT)
        same(proc.wait(PATIENCE), 130)


if __name__ == "__main__":
    main()
