#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What thousands of machines look like: folded, in lines, as JSON; what the next command knows of them."""
import fcntl
import json
import os
import re
import struct
import subprocess
import termios

from amtlib import Fleet
from lib import PATIENCE, SOURCE, good, has, main, same, test, until
from schema import check_schema

GOOD, OFF, DEAD, LOCKED, ODD, OUT = 1500, 200, 150, 100, 100, 50
ALL = GOOD + OFF + DEAD + LOCKED + ODD + OUT
NODES = f"""
  "c[0001-{GOOD}]": {{class: fake, state: "on"}}
  "dead[1-{DEAD}]": {{class: fake, fail_reads: unreachable, timeouts: {{connect: 50ms}}}}
  "d[1-{OFF}]": {{class: fake}}
  "locked[1-{LOCKED}]": {{class: fake, fail_reads: auth}}
  "odd[1-{ODD}]": {{class: fake, fail_reads: protocol}}
  "m[1-{OUT}]": {{class: fake, maintenance: "PSU out"}}
"""
FOLDED = f"""c[0001-{GOOD}]: on
d[1-{OFF}]: off
m[1-{OUT}]: skipped: PSU out
locked[1-{LOCKED}]: unknown: auth: told to fail: auth
dead[1-{DEAD}]: unknown: unreachable: told to fail: unreachable
odd[1-{ODD}]: unknown: protocol: told to fail: protocol
"""
SUMMARY = (f"1,500 on, {OFF} off, {OUT} skipped, {DEAD + LOCKED + ODD} failed "
           f"({DEAD} unreachable, {LOCKED} auth, {ODD} protocol)\n")


def inventory(lab, nodes=NODES, settings=""):
    lab.inventory(f'defaults: {{confirm_above: 100000}}\nclasses: {{fake: {{driver: "null"{settings}}}}}\n'
                  f"nodes:{nodes}")


def columns(terminal, n):
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, n, 0, 0))


# --- Thousands. -----------------------------------------------------------------------------------

@test
def terminal(lab):
    """on a terminal: progress that goes away, what is good, then errors by class, the summary"""
    inventory(lab, settings=", latency: 400ms")
    t = lab.terminal("status", "-a", "--fanout", "512")
    columns(t, 100)
    same(t.end(), 1)
    same(t.settled, FOLDED + SUMMARY)
    shown = re.findall(r"\r([^\r\n]*?)\033\[K", t.seen)
    line = re.compile(rf"status: \d+/{ALL} done, (\d+ failed, )?\d+ s(; .*)?")
    assert len(shown) > 2 and all(not s or line.fullmatch(s) for s in shown), shown
    assert any(re.search(r" s; ([\d,]+ on, )?[\d,]+ ", s) for s in shown), shown
    has(t.seen, "\r\033[Kc[0001")  # taken away before the results


@test
def narrow(lab):
    """a narrow terminal: the progress line never breaks"""
    inventory(lab, nodes='\n  "n[1-2]": {class: fake}\n  "s[1-2]": {class: fake, latency: 1500ms}\n')
    t = lab.terminal("status", "-a")
    columns(t, 16)
    same(t.end(), 0)
    shown = [s for s in re.findall(r"\r([^\r\n]*?)\033\[K", t.seen) if s]
    assert shown and all(len(s) < 16 for s in shown[1:]), shown
    same(t.settled, "n[1-2],s[1-2]: off\n")


@test
def lines(lab):
    """in a pipe: one line each, no progress; --sort and --fold; -q says nothing"""
    inventory(lab)
    r = lab.run("status", "-a")
    same((r.status, r.err, len(r.lines)), (1, SUMMARY, ALL))
    ordered = lab.run("status", "-a", "--sort", "-q")
    same((ordered.status, ordered.err), (1, ""))
    same(sorted(ordered.lines), sorted(r.lines))
    same([x.split(":")[0] for x in ordered.lines],
         [x.split(":")[0] for x in lab.run("list", "-a").lines])
    same(lab.run("status", "-a", "--fold").out, FOLDED)


@test
def json_lines(lab):
    """--json: every line of a fleet with every kind of end is as the schema says"""
    inventory(lab)
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    for verb in ("status", "on", "info", "sensors", "log"):
        r = lab.run(verb, "--json", "-a")
        rows = r.json
        same((len(rows), len({row["node"] for row in rows})), (ALL, ALL), verb)
        for row in rows[::7]:
            check_schema(row, schema)


@test
def holes(lab):
    """a fleet with holes: one line, however long it gets"""
    inventory(lab, nodes='\n  "n[1-4000]": {class: fake}\n'
              + "".join(f'  n{i}: {{state: "on"}}\n' for i in range(1, 4000, 2)))
    r = lab.run("status", "-a", "--fold")
    odd, even = (",".join(str(i) for i in range(k, 4001, 2)) for k in (1, 2))
    same(r.out, f"n[{odd}]: on\nn[{even}]: off\n")
    assert len(r.lines[0]) > 8000


@test
def details(lab):
    """what differs from device to device by chance does not keep errors apart"""
    fleet = Fleet(lab, "--set", "1-6:transition_ms=60000", "--set", "7-9:cut_every=1", devices=9)
    proc = lab.start("on", "--timeout", "2500ms", "--fold", "-q", "a[1-6]", stdout=subprocess.PIPE,
                     text=True)
    until("all were told", lambda: fleet.totals()["set_power"] == 6)
    fleet.set("1-6", hang="all")
    out, _ = proc.communicate(timeout=PATIENCE)
    same(out, "a[1-6]: error: timeout: 'on' was accepted, and then: no answer at the end of 2.5 s\n")
    r = lab.run("status", "--fold", "a[7-9]")
    same(r.out, "a[7-9]: unknown: unreachable: answer cut short\n")
    codes = [row["error"]["code"] for row in lab.run("status", "--json", "a[7-9]").json]
    assert all(re.fullmatch(r"after \d+ bytes", code) for code in codes), codes


# --- What the next command can know. --------------------------------------------------------------

@test
def failed(lab):
    """@failed: of the last command that began, of this inventory"""
    inventory(lab, nodes='\n  "n[1-4]": {class: fake}\n  "x[1-3]": {class: fake, fail_reads: protocol}\n')
    same(lab.run("status", "-a", "-q").status, 1)
    names = lab.run("expand", "@failed").out.split()
    same(names, ["x1", "x2", "x3"])
    same(lab.run("status", "n1", "no-such-node").status, 2)  # nothing began
    same(lab.run("expand", "@failed").out.split(), names)
    same(lab.run("status", "n1", "x2", "--json").status, 1)
    same(lab.run("expand", "@failed").out.split(), ["x2"])
    same(lab.run("status", "@failed").status, 1)  # the same node once more
    same(lab.run("expand", "@failed").out.split(), ["x2"])
    lab.run("status", "x[1-3]")
    inventory(lab, nodes='\n  "n[1-4]": {class: fake}\n  x3: {class: fake}\n')
    same(lab.run("status", "@failed").out, "x3: off\n")  # x1 and x2 are gone
    r = lab.run("status", "@failed")
    same((r.status, r.out), (2, ""))
    has(r.err, "@failed: no node failed in your last command")
    good(lab.run("status", "x3", "-x", "@failed"), "x3: off")  # a good day
    inventory(lab, nodes='\n  x1: {class: fake, fail_reads: protocol}\n')
    lab.run("status", "x1")
    inventory(lab, nodes='\n  n1: {class: fake}\n')
    r = lab.run("status", "@failed")
    same((r.status, r.out), (2, ""))
    has(r.err, "@failed: no node that failed in your last command is in this inventory")
    same(lab.run("status", "null://x?fail_reads=protocol").status, 1)
    has(lab.run("expand", "@failed").err, "no node that failed in your last command is in this")


@test
def failed_of_no_other(lab):
    """@failed: those of a command that did not end are unknown, and never those of an earlier one"""
    inventory(lab, nodes='\n  x1: {class: fake, fail_reads: protocol}\n  n1: {class: fake, latency: 50s}\n')
    same(lab.run("status", "x1").status, 1)
    proc = lab.start("status", "-a", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    has(proc.stdout.readline().decode(), "x1: unknown: protocol")
    proc.kill()
    proc.wait()
    r = lab.run("expand", "@failed")
    same((r.status, r.out), (2, ""))
    has(r.err, "or the last one did not get to its end")
    same(lab.run("status", "x1").status, 1)
    os.unlink(lab.path("state", "powerctl", "failed"))
    os.makedirs(lab.path("state", "powerctl", "failed", "x"))  # cannot be removed, nor replaced
    r = lab.run("status", "x1")
    same((r.status, r.err.count("powerctl: @failed: ")), (1, 2), r)


@test
def two_at_once(lab):
    """@failed of two commands at once: those of one of them, never half of each"""
    inventory(lab, nodes='\n  "a[1-800]": {class: fake, fail_reads: protocol}\n'
              '  "b[1-800]": {class: fake, fail_reads: protocol}\n')
    for _ in range(5):
        procs = [lab.start("status", "-q", f"{x}[1-800]", stdout=subprocess.DEVNULL) for x in "ab"]
        same([p.wait(PATIENCE) for p in procs], [1, 1])
        has(["a[1-800]", "b[1-800]"], lab.run("fold", *lab.run("expand", "@failed").out.split())
            .out.strip())


@test
def exit_classes(lab):
    """--exit-class: 3, 4, 5 where all failures are of one kind, else 1; skipped is no failure"""
    inventory(lab, nodes="""
  n1: {class: fake}
  m1: {class: fake, maintenance: "x"}
  u1: {class: fake, fail_reads: unreachable, timeouts: {connect: 50ms}}
  a1: {class: fake, fail_reads: auth}
  t1: {class: fake, fail_reads: trust}
  h1: {class: fake, fail_reads: hang, timeouts: {read: 200ms, confirm: 200ms}}
  l1: {class: fake, state: "on", fail: lost, timeouts: {verify: 100ms, poll: 50ms}}
  r1: {class: fake, fail_reads: refused}
""")
    for wanted, plain, *args in (
            (0, 0, "status", "n1", "m1"),
            (3, 1, "status", "n1", "m1", "u1"),
            (4, 1, "status", "n1", "a1"), (4, 1, "status", "t1"), (4, 1, "status", "a1", "t1"),
            (5, 1, "status", "n1", "h1"), (5, 1, "reset", "l1"), (5, 1, "reset", "l1", "h1"),
            (1, 1, "status", "r1"), (1, 1, "status", "u1", "a1"), (1, 1, "status", "u1", "h1"),
            (1, 1, "status", "a1", "r1"), (2, 2, "status", "nobody")):
        same(lab.run(*args, "--exit-class", "--try-anyway").status, wanted, args)
        same(lab.run(*args, "--try-anyway").status, plain, args)


main()
