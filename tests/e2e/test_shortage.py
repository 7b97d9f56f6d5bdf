#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A host that is short of descriptors or memory: fewer at once, never a node failed for it."""
import contextlib
import os
import resource
import signal
import subprocess

from amtlib import Fleet, LargeFleet
from lib import PATIENCE, Result, has, main, many, same, test, test_of_memory, until

MANY = many(500)


def run_with(lab, limit, n, *args, **how):
    """Runs powerctl with a limit on what it may use."""
    proc = lab.start(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how,
                     preexec_fn=lambda: resource.setrlimit(limit, (n, n)))
    out, err = proc.communicate(timeout=PATIENCE)
    return Result(args, proc.returncode, out, err)


def ends_well(result, word, count=MANY):
    same((result.status, result.err), (0, ""), result)
    same(sorted(result.lines), sorted(f"a{n}: {word}" for n in range(1, count + 1)))


@test
def few_descriptors(lab):
    """hundreds of machines with 32 to 256 descriptors: fewer at once, and all of them right"""
    fleet = LargeFleet(lab, "--set", "all:latency_ms=20", devices=MANY)
    for number, word, *words in ((64, "off", "status"), (256, "on", "on"),
                                 (64, "off", "off", "--yes"), (32, "on", "pxeboot", "--yes")):
        ends_well(run_with(lab, resource.RLIMIT_NOFILE, number, *words, "--all"), word)
    same(fleet.totals()["set_power"], 3 * MANY)
    same({d["last_boot"] for d in fleet.call("GET", "/devices/all")}, {"pxe"})
    assert fleet.all_blameless()["peak_fleet_connections"] < 256, fleet.totals()


@test
def inherited_descriptors(lab):
    """most of 64 descriptors came from its parent and are taken: fewer at once all the same"""
    LargeFleet(lab, devices=MANY)
    with contextlib.ExitStack() as others:
        taken = [others.enter_context(open(os.devnull, "rb")).fileno() for _ in range(32)]
        ends_well(run_with(lab, resource.RLIMIT_NOFILE, 64, "on", "--all", pass_fds=taken), "on")


@test
def few_descriptors_and_tls(lab):
    """the same over TLS: what is remembered of each machine is read and kept all the same"""
    Fleet(lab, "--set", "all:latency_ms=20", devices=100, tls=True)
    for _ in range(2):
        ends_well(run_with(lab, resource.RLIMIT_NOFILE, 40, "status", "--all"), "off", 100)
    pins = lab.read("state/powerctl/known_devices").splitlines()
    same(len([line for line in pins if " tls=" in line]), 100)


@test
def hardly_a_descriptor(lab):
    """with too few for one connection every end has its words; with enough for one, all are read"""
    Fleet(lab, devices=3)
    ended = {}
    for n in range(7, 40):
        r = run_with(lab, resource.RLIMIT_NOFILE, n, "status", "a1")
        ended[r.out == "a1: off\n"] = r
        if True in ended:
            break
        assert r.status in (1, 2) and r.out + r.err, f"{n} descriptors: {r}"
    has(ended[False].out, "a1: unknown: internal: too many open files: lower --fanout or raise")
    ends_well(run_with(lab, resource.RLIMIT_NOFILE, n, "status", "--all"), "off", 3)


@test
def interrupted(lab):
    """^C while most wait for descriptors ends them all, each with a line"""
    # The first four show that the login is right: the others are not held back for it.
    fleet = Fleet(lab, "--set", "5-200:hang=all", devices=200)
    proc = lab.start("status", "--all", "--timeout", "50s", stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50)))
    until("some are asked", lambda: fleet.totals()["requests"] >= 20)
    proc.send_signal(signal.SIGINT)
    out, _ = proc.communicate(timeout=PATIENCE)
    same((proc.returncode, len(out.splitlines())), (130, 200), out)


@test_of_memory
def little_memory(lab):
    """with enough for one machine all are switched, fewer at once; with less it says why not"""
    fleet = LargeFleet(lab, "--set", "all:latency_ms=5", devices=100)
    least = None
    for size in [*range(12, 25), 27, 30, 40]:
        fleet.cold()
        fleet.set("all", power="off")
        r = run_with(lab, resource.RLIMIT_AS, size << 20, "on", "--all")
        if r.status == 0 and not least:
            least = size
        if least:
            ends_well(r, "on", 100)
        else:  # 127: not even the loader had enough
            assert r.status in (1, 2, 127) and r.err, f"{size} MB: {r}"
        unsaid = fleet.totals()["set_power"] - r.out.count(": on\n")
        assert unsaid in ((0,) if least else (0, 1)), f"{size} MB: {unsaid}: {r}"
    assert least and 12 < least < 30, least


main()
