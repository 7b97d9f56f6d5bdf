#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole fleet with everything that goes wrong in one, through the real program.

Each node has its one line, that line is what the stand-ins saw, and no machine is switched twice.
"""
import re
import signal
import subprocess
import time

from amtlib import LargeFleet, differences
from lib import PATIENCE, has, main, many, same, test, took, until
from talklib import line_of, rest_of

SIZE = many(2000)
DEAD_EVERY = 10


def faulty(every):
    """Each device has each of these every so many connections, requests and answers."""
    return [word for knob in ("connect_drop_every", "e503_every", "cut_every")
            for word in ("--set", f"all:{knob}={every}")] + ["--set", "all:stagger=1"]


def bury(fleet):
    """Kills some devices; how each is dead, None for the living."""
    how = [None] * fleet.size
    for n in range(DEAD_EVERY, fleet.size + 1, DEAD_EVERY):
        how[n - 1] = "refuse" if n % (2 * DEAD_EVERY) else "silent"
        fleet.set(n, dead=how[n - 1])
    return how


def run_among_dead(lab, fleet, how, verb, word):
    """Runs a verb after which every living node shall say word, and be switched just once."""
    fleet.reset()
    with took(most=40):
        r = lab.run(verb, "-a", *([] if verb in ("status", "on") else ["--yes"]))
    same(r.status, 1, r.err)
    words, each = fleet.said(r.lines), fleet.each()
    dead = "unknown" if verb == "status" else "error"
    for n, (one, what, count) in enumerate(zip(words, how, each), 1):
        same(count["set_power"], int(not what and verb != "status"), f"{verb} sent to a{n}: {one}")
        if what:
            wanted = f"{dead}: unreachable: " + ("no answer in " if what == "silent" else "")
            assert one.startswith(wanted), f"a{n} is {what}: {one}"
        elif verb == "cycle" and count["unsaid_power"]:
            assert one.startswith("error: outcome_unknown: whether 'cycle' was taken"), one
        else:
            same(one, word, f"a{n} after {verb}")
    totals = fleet.all_blameless()
    for fault in ("dropped", "r503", "cut"):
        assert totals[fault] >= fleet.size // 20, f"{verb} met too few faults: {totals}"
    same(totals["unsaid_power"] > 0, verb != "status", "power requests whose answer was cut")


def states(fleet, how, word, last_boot=None):
    """What the stand-ins are in the end."""
    brief = fleet.brief()
    differences([d["power_word"] for d in brief], ["off" if x else word for x in how])
    if last_boot:
        differences([d["last_boot"] for d in brief], ["none" if x else last_boot for x in how])


@test
def faults_on_off(lab):
    """drops, 503, cut answers, dead devices at once: status, on, off, pxeboot end right"""
    fleet = LargeFleet(lab, *faulty(20), devices=SIZE, timeouts="connect: 2s, answer: 2s")
    how = bury(fleet)
    for verb, word in (("status", "off"), ("on", "on"), ("off", "off"), ("pxeboot", "on")):
        run_among_dead(lab, fleet, how, verb, word)
        states(fleet, how, word, "pxe" if verb == "pxeboot" else None)


@test
def faults_restart(lab):
    """the same while it restarts them: a lost answer is looked after, never sent again"""
    fleet = LargeFleet(lab, "--state", "on", "--set", "all:transition_ms=2000",
                       "--set", "all:transition_state=8", *faulty(20), devices=SIZE,
                       timeouts="connect: 2s, answer: 2s")
    how = bury(fleet)
    run_among_dead(lab, fleet, how, "reboot", "on")
    fleet.set("all", transition_ms=0)
    run_among_dead(lab, fleet, how, "cycle", "on")
    same({d["boots"] for d, x in zip(fleet.brief(), how) if not x}, {2}, "boots of the living")


# --- ^C. -------------------------------------------------------------------------------------


def what_was_said(line, count):
    """Whether a node's last line after ^C agrees with what its device counted."""
    if line == "on" or "'cycle' was accepted, last read: " in line:
        return count["set_power"] == 1
    if re.match("error: canceled: .*; nothing was sent(, last read: (on|nothing))?$", line):
        return count["set_power"] == 0
    return re.match("error: outcome_unknown: .* after 'cycle' was sent", line) is not None


@test
def interrupted(lab):
    """^C in the middle of a restart: 130, and one line a node that says what is known of it"""
    fleet = LargeFleet(lab, "--state", "on", "--set", "all:latency_ms=20", devices=SIZE)
    fleet.set(f"{SIZE // 2}-{SIZE}", transition_ms=600000, transition_state=8)
    proc = lab.start("reboot", "-a", "--yes", "--fanout", str(SIZE // 4), stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
    seen = [line_of(proc.stdout, proc).rstrip("\n") for _ in range(SIZE // 4)]
    until("some do not end", lambda: fleet.totals()["set_power"] > SIZE * 5 // 8)
    with took(most=20):
        proc.send_signal(signal.SIGINT)
        out, err = rest_of(proc)
    same(proc.returncode, 130, err)
    words, each = fleet.said(seen + out.splitlines()), fleet.each()
    liars = [(f"a{n}", w) for n, (w, c) in enumerate(zip(words, each), 1) if not what_was_said(w, c)]
    same(liars[:9], [], "lines that the stand-ins know better")
    kinds = {w.split("; ")[-1].split(",")[0] for w in words}
    assert {"on", "nothing was sent", "'cycle' was accepted"} <= kinds, kinds
    has(err, "interrupted")
    same(max(c["set_power"] for c in each), 1)


# --- Streaming. ------------------------------------------------------------------------------


@test
def streaming(lab):
    """results are there as they come: all the living long before the first of the dead"""
    fleet = LargeFleet(lab, devices=SIZE, timeouts="connect: 3s")
    for n in range(20, SIZE + 1, 20):
        fleet.set(n, dead="silent")
    proc = lab.start("status", "-a", "--fanout", str(SIZE), stdout=subprocess.PIPE,
                     stderr=subprocess.DEVNULL, text=True)
    begin = time.monotonic()
    came = [(time.monotonic() - begin, line.rstrip("\n")) for line in proc.stdout]
    same(proc.wait(PATIENCE), 1)
    fleet.said([line for _, line in came])
    alive = [t for t, line in came if line.endswith(": off")]
    dead = [t for t, line in came if ": unknown: unreachable: " in line]
    same((len(alive), len(dead)), (SIZE - SIZE // 20, SIZE // 20))
    assert max(alive) < min(dead), f"alive until {max(alive):.2f} s, dead from {min(dead):.2f} s"
    half = alive[len(alive) // 2]
    assert half < min(dead) / 2, f"half of the living after {half:.2f} s of {min(dead):.2f} s"


if __name__ == "__main__":
    main()
