#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AMT driver through the real program: many machines at once, secrets, traces."""
import json
import os
import re
import subprocess
import time

from amtlib import PASSWORD, Fleet
from lib import PATIENCE, bad, good, has, main, need_ipv6, same, test, took, until

MANY = 200
CANARY = "Tweety-c4n4ry.9f2b"


@test
def ipv6(lab):
    """a machine at an IPv6 address: in the inventory, over TLS, and as a URL"""
    need_ipv6()
    d = lab.amtsim("--address", "::1", "--port", "0", "--tls-port", "0",
                   "--devices", "1").ready["devices"][0]
    secret = lab.write("config/powerctl/secrets/amt", PASSWORD + "\n")
    node = f"driver: amt, password_file: {secret}, address: '::1', port: {d['port']}"
    lab.inventory(f"nodes:\n  v6: {{{node}, tls: false}}\n"
                  f"  s6: {{{node}, tls: true, tls_port: {d['tls_port']}}}\n")
    good(lab.run("on", "v6"), "v6: on")
    good(lab.run("status", "s6"), "s6: on")
    url = f"amt://admin@[::1]:{d['port']}?tls=false"
    r = lab.run("status", url, "--password-file", secret)
    same((r.status, r.out.endswith(": on\n")), (0, True), r)


# --- Many. -----------------------------------------------------------------------------------


def names(text, count=MANY):
    return [f"a{n}: {text}" for n in range(1, count + 1)]


@test
def many(lab):
    """two hundred machines in one command: status, pxeboot, off; one connection each at a time"""
    fleet = Fleet(lab, "--set", "all:latency_ms=20", devices=MANY)
    for words, result in ((["status"], "off"), (["pxeboot", "--yes"], "on"), (["status"], "on"),
                          (["off", "--yes"], "off")):
        fleet.reset()
        with took(most=30):
            good(lab.run(*words, "-a"), *names(result))
        totals = fleet.totals()
        same((totals["peak_connections"], totals["peak_requests"]), (1, 1), words)
        same((totals["r401_bad"], totals["unauth_bodies"], totals["replay"]), (0, 0, 0), words)
        same(totals["set_power"], MANY if words[0] in ("pxeboot", "off") else 0, words)
    boots = {d["last_boot"] for d in fleet.call("GET", "/devices/all")}
    same(boots, {"pxe"})


@test
def many_in_parallel(lab):
    """they are asked at the same time: 200 slow ones take little longer than one"""
    fleet = Fleet(lab, "--set", "all:latency_ms=400", devices=MANY)
    with took(least=0.8, most=15):  # one after the other: 160 s
        good(lab.run("status", "-a"), *names("off"))
    same(fleet.totals()["requests"], 2 * MANY)


@test
def fanout(lab):
    """--fanout 1 goes one by one, and ends right"""
    Fleet(lab, "--set", "all:latency_ms=100", devices=6)
    with took(least=1.2):
        good(lab.run("status", "--fanout", "1", "-a"), *names("off", 6))


@test
def many_mixed(lab):
    """a fleet of all kinds with faults here and there: each line is right, none is missing"""
    fleet = Fleet(lab, devices=40, timeouts="connect: 1s, answer: 2s, read: 4s")
    fleet.set("1-10", power="on")
    fleet.set("11-15", e503_every=2)
    fleet.set("16-20", stale_every=2)
    fleet.set("21-23", password="Other-Pa55")
    fleet.set("24-26", html=1)
    fleet.set("27", dead="hang")
    fleet.set("28", dead="refuse")
    r = bad(lab.run("--json", "on", "-a"), 1)
    ends = {int(x["node"][1:]): (x["error"] or {}).get("class", x["state"]) for x in r.json}
    same(len(r.json), 40)
    wanted = {n: "on" for n in range(1, 41)}
    wanted.update({21: "auth", 22: "auth", 23: "auth", 24: "protocol", 25: "protocol",
                   26: "protocol", 27: "timeout", 28: "unreachable"})
    same({n: e for n, e in ends.items() if e != wanted[n]}, {})
    for n in range(1, 41):
        sent = fleet.counters(n)["set_power"]
        same(sent, int(10 < n and wanted[n] == "on"), f"a{n}")
    has(r.err, "32 on, 8 failed")


@test
def changed_word(lab):
    """JSON: changed is false where it was on already, true where it was turned on"""
    fleet = Fleet(lab, devices=4)
    fleet.set("1-2", power="on")
    r = lab.run("--json", "on", "--sort", "-a")
    same([x["changed"] for x in r.json], [False, False, True, True], r)
    same([x["attempts"] for x in r.json], [1, 1, 1, 1], r)


@test
def url(lab):
    """amt://admin@host:port: the password from the environment; the same answers"""
    fleet = Fleet(lab)
    plain, _ = fleet.ports(1)
    r = lab.run("status", f"amt://admin@127.0.0.1:{plain}?tls=false",
                env={"POWERCTL_PASSWORD": PASSWORD})
    same(r.status, 0, r)
    assert r.out.endswith(": off\n") and PASSWORD not in r.out + r.err, r


# --- Secrets. --------------------------------------------------------------------------------


def command_lines(pid):
    """What anybody may see of a process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""


@test
def secrets_never_shown(lab):
    """a password is in no output, trace, JSON, message, file of ours or command line"""
    fleet = Fleet(lab, "--password", CANARY, devices=3)
    fleet.set(3, password="Other-Pa55")
    lab.write("secrets/canary", CANARY + "\n")
    fleet.inventory(credential=f"{{username: admin, password_file: {lab.path('secrets/canary')}}}")
    for words in (["status", "-a"], ["--trace", "-vv", "pxeboot", "-a"], ["--json", "info", "-a"],
                  ["--trace", "--json", "-vv", "reset", "-a"], ["show", "-a"], ["list", "-a"],
                  ["check"], ["trust", "-a"], ["bootdev", "--show", "-a"], ["drivers", "amt"],
                  ["caps", "-a"], ["set", "tls=auto", "a1"], ["statos", "a1"]):
        proc = lab.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        seen = command_lines(proc.pid)
        out, err = proc.communicate(timeout=PATIENCE)
        assert CANARY.encode() not in out + err + seen, f"{words}: {out + err}"
        for word in (b"Authorization", b"Digest username", b"response=\""):
            assert word not in out + err, f"{words}: {out + err}"
    for folder, _, files in os.walk(lab.folder):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                if CANARY.encode() in f.read():
                    same(path, lab.path("secrets/canary"))


@test
def secrets_in_environment_and_commands(lab):
    """the same for password_env and password_command; the command is run once for all nodes"""
    fleet = Fleet(lab, "--password", CANARY, devices=5)
    lines = [f"a{n}: off" for n in range(1, 6)]
    fleet.inventory(credential="{username: admin, password_env: E2E_CANARY}")
    r = good(lab.run("-vv", "--trace", "status", "-a", env={"E2E_CANARY": CANARY}),
             *[x + " (127.0.0.1)" for x in lines])
    assert CANARY not in r.out + r.err, r
    r = lab.run("status", "-a")
    same(r.status, 2, r)
    has(r.err, "E2E_CANARY")
    log, script = lab.path("runs"), lab.write(
        "give", f"#!/bin/sh\necho run >> {lab.path('runs')}\ncat {lab.path('word')}\n", 0o700)
    lab.write("word", CANARY + "\n")
    fleet.inventory(credential=f"{{username: admin, password_command: [{script}]}}")
    r = good(lab.run("--trace", "status", "-a"), *lines)
    assert CANARY not in r.out + r.err, r
    with open(log, encoding="ascii") as f:
        same(f.read(), "run\n")


@test
def secrets_while_running(lab):
    """while it waits for a machine its command line and environment hold no password"""
    fleet = Fleet(lab, "--password", CANARY)
    lab.write("secrets/canary", CANARY + "\n")
    fleet.inventory(credential=f"{{username: admin, password_file: {lab.path('secrets/canary')}}}")
    fleet.set(1, hang="auth")
    proc = lab.start("status", "a1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("it has logged in", lambda: fleet.counters()["requests"] >= 2)
    with open(f"/proc/{proc.pid}/environ", "rb") as f:
        shown = command_lines(proc.pid) + f.read()
    assert b"status" in shown and CANARY.encode() not in shown, shown
    proc.kill()


# --- Traces. ---------------------------------------------------------------------------------


@test
def trace(lab):
    """--trace shows each step and each exchange with its time, on stderr; no login in it"""
    fleet = Fleet(lab, "--set", "all:latency_ms=60")
    r = good(lab.run("--trace", "pxeboot", "a1"), "a1: on")
    lines = r.err.splitlines()
    exchanges = [x for x in lines if "http POST /wsman" in x]
    same(len(exchanges), fleet.counters()["requests"], r.err)
    for line in exchanges:
        ms = re.search(r"-> (200|401), \d+ bytes, (\d+) ms, (new|kept) connection$", line)
        assert ms and 50 <= int(ms.group(2)) < 5000, line
    same(sum("new connection" in x for x in exchanges), fleet.counters()["connections"])
    for step in ("power.get", "boot.set pxe", "power.act on"):
        ended = [x for x in lines if re.search(re.escape(step) + r".*: .*\(\d+ ms\)$", x)]
        assert ended, f"no end of {step} in {r.err}"
    assert all(x.startswith("trace a1: ") for x in lines), r.err
    for word in ("Authorization", "nonce", PASSWORD, fleet.device()["realm"]):
        assert word not in r.err, word


@test
def trace_of_failures(lab):
    """--trace shows what failed, too, and stdout is the same as without"""
    fleet = Fleet(lab, timeouts="connect: 1s, answer: 1s, read: 2s")
    fleet.set(1, dead="refuse")
    plain = lab.run("status", "a1")
    traced = lab.run("--trace", "status", "a1")
    same((traced.status, traced.out), (plain.status, plain.out))
    has(traced.err, "no answer")
    has(traced.err, "power.get")
    assert "trace" not in plain.err, plain


@test
def json_keys(lab):
    """one JSON object a line with all its keys, whatever became of the node; times that fit"""
    fleet = Fleet(lab, devices=3, timeouts="connect: 1s, answer: 1s, read: 2s")
    fleet.set(2, html=1)
    fleet.set(3, dead="refuse")
    begin = time.time()
    r = lab.run("--json", "status", "-a")
    keys = ["v", "time", "node", "driver", "address", "verb", "ok", "state", "changed", "confirmed",
            "attempts", "elapsed_ms", "result", "error", "feeds", "warning", "overtook", "via"]
    for line in r.lines:
        same(list(json.loads(line)), keys)
    for one in r.json:
        assert 0 <= one["elapsed_ms"] <= (time.time() - begin) * 1000 + 1, one
    same(sorted((x["node"], x["ok"], x["state"]) for x in r.json),
         [("a1", True, "off"), ("a2", False, "unknown"), ("a3", False, "unknown")])


if __name__ == "__main__":
    main()
