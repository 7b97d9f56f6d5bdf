#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that want the same thousands of machines at the same time."""
import re
import signal
import subprocess

from amtlib import LargeFleet
from lib import PATIENCE, main, many, same, test, until

SIZE = many(2000)


def background(lab, name, *words):
    """A command with its output in files, so that nobody has to read it meanwhile."""
    with open(lab.path(name + ".out"), "wb") as out, open(lab.path(name + ".err"), "wb") as err:
        return lab.start(*words, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


def all_on(lab, name, proc):
    """Waits for its end: well, with one line a node, which says "on"."""
    status = proc.wait(PATIENCE)
    found = lab.read(name + ".out").splitlines()
    wanted = {f"a{n}: on" for n in range(1, SIZE + 1)}
    same((status, len(found), sorted(set(found) ^ wanted)[:9]), (0, SIZE, []), name)


def waits_for(lab, name, pid):
    """Whether it says for whom it waits."""
    text = lab.read(name + ".err")
    return re.search(rf"^powerctl: a\d+: waiting for \S+, powerctl reboot, pid {pid}$", text, re.M)


def restarting(lab, ms):
    """Machines that are on, and off for so long when they are restarted."""
    return LargeFleet(lab, "--state", "on", "--set", f"all:transition_ms={ms}",
                      "--set", "all:transition_state=8", devices=SIZE)


@test
def two_commands(lab):
    """two restarts of one fleet at once: each machine restarts twice, one after the other"""
    fleet = restarting(lab, 1000)
    half = SIZE // 2
    first = background(lab, "first", "reboot", "--yes", f"a[1-{SIZE}]")
    second = background(lab, "second", "reboot", "--yes", "--fanout", str(half),
                        f"a[{half + 1}-{SIZE}],a[1-{half}]")
    all_on(lab, "first", first)
    all_on(lab, "second", second)
    assert waits_for(lab, "first", second.pid) or waits_for(lab, "second", first.pid)
    counts = {(c["set_power"], c["refused_power"], c["r401_bad"]) for c in fleet.each()}
    same(counts, {(2, 0, 0)}, "accepted, refused, bad logins")
    same({d["boots"] for d in fleet.brief()}, {2})


@test
def killed_command(lab):
    """a command that is killed holds nothing any more: the one that waited for it goes on"""
    fleet = restarting(lab, 600000)
    every = ["--yes", "--fanout", str(SIZE), "-a"]
    first = background(lab, "first", "reboot", *every)
    until("all are at it", lambda: fleet.totals()["set_power"] == SIZE)
    second = background(lab, "second", "reboot", *every)
    until("the second waits", lambda: waits_for(lab, "second", first.pid))
    fleet.set("all", transition_ms=0, power="on")
    same(fleet.totals()["set_power"], SIZE, "nothing was sent past a lock")
    first.send_signal(signal.SIGKILL)
    same(first.wait(PATIENCE), -signal.SIGKILL)
    all_on(lab, "second", second)
    same({c["set_power"] for c in fleet.each()}, {2})


if __name__ == "__main__":
    main()
