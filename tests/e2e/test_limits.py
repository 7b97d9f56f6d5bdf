#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many machines start at once: what the machines noted is what was sent, and when.

The machines are files: each is written when its machine is started. While `transition` lasts it is
not confirmed, so between one start and the one so many later as there are places lies at least that.
"""
import os
import re
import resource
import signal
import time

from amtlib import Fleet
from lib import SOURCE, bad, good, has, main, same, test, until

BLUR = 0.02  # seconds by which a file's time may be off


def true(what, found):
    assert what, found


class Rack:
    """Machines n1, n2, ... in group rack, u1, u2, ... in none; h1, ... in rack, which never come up."""

    def __init__(self, lab, limits, size=8, transition="200ms", more="", state="off"):
        self.lab = lab
        self.size = size
        self.asked = time.time()
        os.mkdir(lab.path("machines"))
        os.mkdir(lab.path("hogs"))
        lab.inventory(
            'classes:\n  m: {driver: "null", timeouts: {poll: 20ms}}\n'
            "nodes:\n"
            f"  n[1-{size}]: {{class: m, transition: {transition}, state: {state},"
            f" state_file: \"{lab.path('machines')}/n[1-{size}]\"}}\n"
            "  u[1-4]: {class: m}\n"
            "  h[1-3]: {class: m, transition: 60s, state: off, state_file: "
            f"\"{lab.path('hogs')}/h[1-3]\"}}\n"
            f"groups:\n  rack: n[1-{size}],h[1-3]\n  all: n[1-{size}],u[1-4]\n"
            f"limits:\n  rack: {{{limits}}}\n{more}")

    def starts(self):
        """(time, name) of each machine that was started, in their order."""
        found = []
        for name in os.listdir(self.lab.path("machines")):
            found.append((os.stat(self.lab.path("machines", name)).st_mtime_ns / 1e9, name))
        return sorted(found)

    def run(self, *words):
        self.asked = time.time()
        return self.lab.run(*words)

    def holds(self, places=0, transition=0.2, stagger=0.0):
        """
        What is certain on a busy machine: none came sooner after the command than its turn. Two of
        them may be nearer than they should, when the first was late and the next one on time.
        """
        at = [when - self.asked for when, _ in self.starts()]
        true(all(a >= i * stagger - BLUR for i, a in enumerate(at)), at)
        true(all(b - a >= stagger / 2 - BLUR for a, b in zip(at, at[1:])), at)
        if places:
            true(all(a >= i // places * transition - BLUR for i, a in enumerate(at)), at)
            true(all(b - a >= transition / 2 for a, b in zip(at, at[places:])), at)

    def nodes(self, text, first=1, last=None):
        return [f"n{n}: {text}" for n in range(first, (last or self.size) + 1)]

    def has_started(self, n):
        until(f"{n} are started", lambda: len(self.starts()) >= n)


def start(lab, *words):
    """Into the background; what it says goes to files, so that it can be waited for."""
    out, err = (open(lab.path(name + str(len(lab.started))), "w+", encoding="utf-8")
                for name in ("out", "err"))
    lab.keep(out)
    lab.keep(err)
    proc = lab.start(*words, stdout=out, stderr=err)

    def said(which, part=""):
        with open(which.name, encoding="utf-8") as f:
            text = f.read()
        return text if part in text else None

    return proc, lambda part="": said(out, part), lambda part="": said(err, part)


@test
def one_command(lab):
    """never more at once than the rack stands, and never sooner; the others do not wait for it"""
    rack = Rack(lab, "max_at_once: 2, stagger: 30ms")
    r = good(rack.run("on", "n[1-8],u[1-4]"), *rack.nodes("on"), *[f"u{n}: on" for n in range(1, 5)])
    same(len(rack.starts()), 8)
    rack.holds(places=2, stagger=0.03)
    true(max(i for i, line in enumerate(r.lines) if line[0] == "u") <
         max(i for i, line in enumerate(r.lines) if line[0] == "n"), r)
    same(r.err, "")
    for words in (["reboot", "--yes"], ["reset"], ["pxeboot"]):
        good(rack.run(*words, "n[1-8]"), *rack.nodes("on"))
        rack.holds(places=2, stagger=0.03)


@test
def no_limits(lab):
    """the same with room for all: at once, or the other tests see nothing"""
    rack = Rack(lab, "max_at_once: 8", transition="20s")
    good(lab.run("on", "--no-wait", "n[1-8]"), *rack.nodes("accepted"))
    at = [time for time, _ in rack.starts()]
    true(at[-1] - at[0] < 20, at)


@test
def free(lab):
    """off, what is on already, and a dry run take no place and do not wait for one"""
    rack = Rack(lab, "max_at_once: 1", transition="60s", state="on")
    proc, _, _ = start(lab, "reset", "n1")
    rack.has_started(1)
    good(lab.run("on", "n[2-8]"), *rack.nodes("on", first=2))
    r = lab.run("reset", "--dry-run", "n2")
    same((r.status, r.err), (0, ""), r)
    good(lab.run("off", "--no-wait", "--yes", "n[2-8]"), *rack.nodes("accepted", first=2))
    same(proc.poll(), None)


@test
def off_of_what_waits(lab):
    """a machine that waits to be restarted can be turned off: its lock is not held"""
    rack = Rack(lab, "max_at_once: 1", transition="60s", state="on")
    first, _, _ = start(lab, "reset", "n1")
    rack.has_started(1)
    proc, said, told = start(lab, "-v", "reset", "n2")
    until("it waits", lambda: told("n2: waiting for a place in rack (1 at once)"))
    r = good(lab.run("off", "--no-wait", "n2"), "n2: accepted")
    same(r.err, "")
    first.kill()
    same(proc.wait(60), 1)
    has(said(), "n2: error: state: it is off")  # as it is now, not as it was


def together(lab, rack, places, *commands):
    """Runs commands that wait for the same places from when all of them are there."""
    hog, _, _ = start(lab, "on", f"h[1-{places}]")
    until("it has all places", lambda: len(os.listdir(lab.path("hogs"))) == places)
    running = [start(lab, "-v", *words) for words in commands]
    until("all wait", lambda: all(told().count("waiting for") for _, _, told in running))
    hog.kill()
    same([one[0].wait(60) for one in running], [0] * len(commands))
    same(len(rack.starts()), rack.size)


@test
def two_commands(lab):
    """several commands at once share the places and the times"""
    rack = Rack(lab, "max_at_once: 3, stagger: 20ms", size=18, transition="150ms")
    together(lab, rack, 3, ("on", "n[1-9]"), ("on", "n[10-18]"))
    rack.holds(places=3, transition=0.15, stagger=0.02)


@test
def fair(lab):
    """of two commands that wait for one place neither waits for the end of the other"""
    rack = Rack(lab, "max_at_once: 1", size=12, transition="50ms")
    together(lab, rack, 1, ("on", "n[1-6]"), ("on", "n[7-12]"))
    order = [int(name[1:]) > 6 for _, name in rack.starts()]
    true(len(set(order[:6])) == 2, order)


@test
def killed(lab):
    """a command that holds all places is named; when it is killed they are free"""
    rack = Rack(lab, "max_at_once: 2", transition="60s")
    first, _, _ = start(lab, "on", "n[1-2]")
    rack.has_started(2)
    second, said, told = start(lab, "on", "n[3-4]", "--no-wait")
    until("it says so", lambda: told(f", powerctl on, pid {first.pid}"))
    same(len(re.findall(r"^powerctl: n[34]: waiting for a place in rack \(2 at once\): ",
                        told(), re.M)), 1, told())
    same(len(rack.starts()), 2)
    first.kill()
    same(second.wait(60), 0)
    same(sorted(said().splitlines()), ["n3: accepted", "n4: accepted"])


@test
def interrupted(lab):
    """^C and --deadline: what waits says that nothing was sent, and nothing was"""
    rack = Rack(lab, "max_at_once: 1, stagger: 1ms", transition="60s")
    words = "it waited for a place in rack (1 at once, 1 ms apart), nothing was sent"
    proc, said, told = start(lab, "-v", "on", "n[1-4]")
    rack.has_started(1)
    until("three wait", lambda: told().count("waiting for a place") == 3)
    proc.send_signal(signal.SIGINT)
    same(proc.wait(60), 130)
    same(said().count(f"error: canceled: interrupted; {words}"), 3, said())
    same(len(rack.starts()), 1)
    r = lab.run("on", "-v", "--fold", "--deadline", "300ms", "n[5-8]")
    same(r.out.count(" (--deadline gives the command longer)\n"), len(r.lines), r)
    r = bad(lab.run("on", "--deadline", "1s", "n[5-8]"), 1)
    true(r.out.count(f"error: timeout: the command's time was over; {words}") >= 3, r)


@test
def timeout(lab):
    """--timeout is a machine's own: waiting in line is not counted"""
    rack = Rack(lab, "max_at_once: 1", size=4, transition="700ms")
    good(rack.run("on", "--timeout", "2s", "n[1-4]"), *rack.nodes("on"))  # 2.8 s in all
    rack.holds(places=1, transition=0.7)


@test
def options(lab):
    """--max-at-once and --stagger hold for a whole command; they tighten and never loosen"""
    rack = Rack(lab, "max_at_once: 2, stagger: 40ms")
    good(rack.run("on", "--max-at-once", "1", "n[1-8]"), *rack.nodes("on"))
    rack.holds(places=1, stagger=0.04)
    good(rack.run("reset", "--max-at-once", "8", "--stagger", "1ms", "n[1-8]"), *rack.nodes("on"))
    rack.holds(places=2, stagger=0.04)
    good(rack.run("reset", "--stagger", "100ms", "n[1-8]"), *rack.nodes("on"))
    rack.holds(places=2, stagger=0.1)
    for words, said in ((["off", "--stagger", "1s"], "--stagger is no option of off"),
                        (["status", "--max-at-once", "1"], "--max-at-once is no option of status"),
                        (["on", "--max-at-once", "0"], "--max-at-once: '0' is not a number"),
                        (["on", "--stagger", "x"], "--stagger: 'x' is not a duration")):
        r = lab.run(*words, "n1")
        same(r.status, 2, r)
        has(r.err, said)


@test
def no_wait(lab):
    """--no-wait: nobody sees the end of the start, so that its place stays taken for a while"""
    rack = Rack(lab, "max_at_once: 2")
    good(lab.run("on", "--no-wait", "n[1-2]"), "n1: accepted", "n2: accepted")
    r = bad(lab.run("on", "--deadline", "500ms", "n[3-4]"), 1)
    same(r.out.count("it waited for a place in rack (2 at once), nothing was sent"), 2, r)
    same(len(rack.starts()), 2)


@test
def what_is_told(lab):
    """-v names what each waits for, the progress line counts, show has the limits, -q is quiet"""
    Rack(lab, "max_at_once: 1, stagger: 1ms", transition="400ms",
         more="  all: {stagger: 2ms}\n")
    r = lab.run("show", "n1")
    has(r.out, "\n  limits: all (2 ms apart), rack (1 at once, 1 ms apart)\n")
    same(lab.run("show", "--json", "u1").json[0]["limits"],
         [{"group": "all", "max_at_once": 0, "stagger_ms": 2}])
    terminal = lab.terminal("on", "n[1-4]")
    terminal.expect("waiting for places")
    same(terminal.end(), 0)
    r = lab.run("-v", "reset", "n[1-2]")
    has(r.err, ": waiting for a place in ")
    same(lab.run("-v", "-q", "reset", "n[1-2]").err, "")
    has(lab.run("show", "--inventory", os.path.join(SOURCE, "conf/powerctl.yaml"), "c001").out,
        "limits: rack1 (8 at once, 500 ms apart)")


@test
def group_of_a_source(lab):
    """a group that a source knows has limits as any other"""
    lab.write("config/powerctl/genders", "n[1-2] rack7\n")
    lab.inventory('sources:\n  - {genders: genders}\nnodes:\n  n[1-3]: {driver: "null"}\n'
                  "limits:\n  rack7: {max_at_once: 2}\n")
    r = lab.run("show", "n[1-3]")
    same([line for line in r.lines if "limits" in line],
         [f"n{n}: limits: rack7 (2 at once)" for n in (1, 2)], r)


@test
def cpu(lab):
    """four thousand in one line cost eight times what five hundred do, not sixty-four"""
    lab.inventory('nodes:\n  n[1-4000]: {driver: "null"}\ngroups:\n  rack: n[1-4000]\n'
                  "limits:\n  rack: {max_at_once: 8, stagger: 1ms}\n")

    def cost(n):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        good(lab.run("on", f"n[1-{n}]"), *[f"n{i}: on" for i in range(1, n + 1)])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    few, many = cost(500), cost(4000)
    true(many < 24 * few, (few, many))


@test
def over_the_network(lab):
    """machines with AMT: boot devices are set when it is their turn, no connection is kept waiting"""
    fleet = Fleet(lab, devices=6)
    fleet.inventory(more="groups:\n  rack: a[1-6]\nlimits:\n  rack: {max_at_once: 1}\n")
    fleet.set("all", transition_ms=60000)
    proc, said, told = start(lab, "-v", "pxeboot", "a[1-6]")
    until("five wait", lambda: told().count("waiting for a place") == 5)
    until("one is started", lambda: fleet.totals()["set_power"] == 1)
    waiting = [n for n in range(1, 7) if not fleet.counters(n)["set_power"]]
    for n in waiting:
        fleet.wait(lambda device: not device["connections_open"], n)
        true(not any("Boot" in call for call in fleet.device(n)["log"]), fleet.device(n)["log"])
    fleet.set("all", transition_ms=0)
    fleet.set(next(n for n in range(1, 7) if n not in waiting), power="on")
    same(proc.wait(60), 0)
    same(sorted(said().splitlines()), [f"a{n}: on (127.0.0.1)" for n in range(1, 7)])
    same([fleet.counters(n)["set_power"] for n in range(1, 7)], [1] * 6)
    same({fleet.device(n)["last_boot"] for n in waiting}, {"pxe"})


@test
def with_a_login_on_trial(lab):
    """a trial of the login and places at the same time: all get through, a wrong one goes to four"""
    fleet = Fleet(lab, devices=40)
    names = [f"a{n}" for n in range(1, 41)]
    fleet.inventory(more="groups:\n  rack: a[1-20]\nlimits:\n  rack: {max_at_once: 2}\n")
    good(lab.run("on", "--max-at-once", "3", "--fanout", "5", "-a"), *[f"{a}: on" for a in names])
    same(fleet.totals()["set_power"], 40)
    fleet.reset()
    lab.write("config/powerctl/secrets/amt", "Wrong-Pa55\n")
    bad(lab.run("reset", "--max-at-once", "1", "-a"), 1)
    true(fleet.totals()["r401_bad"] <= 4, fleet.totals())


if __name__ == "__main__":
    main()
