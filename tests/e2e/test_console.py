#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl console, over the null driver's echoing console: on a terminal, in a pipe, several at once."""
import os
import select
import signal
import stat
import subprocess
import termios
import time

from lib import PATIENCE, POWERCTL, has, main, same, test

NODES = """
nodes:
  n1: {driver: "null"}
  slow1: {driver: "null", latency: 50s, timeouts: {read: 60s}}
  login1: {driver: "null", console_prints: "login: "}
  boot1: {driver: "null", console_prints: "one\\r\\ntwo\\r\\n"}
  lost1: {driver: "null", console_fault: lost, console_lock: lock}
  stolen1: {driver: "null", console_fault: stolen}
  flood1: {driver: "null", console_fault: flood}
  used1: {driver: "null", console_lock: lock}
  dead1: {driver: "null", fail_reads: unreachable}
  evil1: {driver: "null", console_prints: "a\\e[31mred\\e]0;title\\abel\\r\\n"}
  idle1: {driver: "null", maintenance: "PSU out"}
  other1: {driver: "null", console: {driver: "null", console_prints: "from the other\\r\\n"}}
"""


def talk(lab, *args):
    """A terminal with an open console."""
    lab.inventory(NODES)
    t = lab.terminal("console", *args)
    t.expect("[powerctl: console of")
    t.expect("]\n")
    t.wait_echo(False)
    return t


def left(t, status, what=""):
    """It ended so, with the terminal as it was before."""
    same(t.end(), status, what)
    same(termios.tcgetattr(t.fd), t.before, what)


def lock(lab):
    return lab.path("config", "powerctl", "lock")


def locked(lab):
    return lab.write("config/powerctl/lock", "")


# --- A person at a terminal. ----------------------------------------------------------------------

@test
def typing(lab):
    """what is typed comes back, ~B sends a break, ~? helps, ~. leaves and restores the terminal"""
    t = talk(lab, "n1")
    t.send("hello\r")
    t.expect("hello\r")
    t.send("~B")
    t.expect("<break>")
    t.send("~?")
    t.expect("~^Z  suspend powerctl")
    t.send("~~x~.\r")
    t.expect("~x~.\r")
    t.send("\x03\x1a\x11\x13\x1c\r")  # what a terminal would act on goes to the machine
    t.expect("\x03\x1a\x11\x13\x1c\r")
    t.send("~.")
    t.expect("[powerctl: console of n1 closed]")
    left(t, 0)


@test
def other_escape(lab):
    """--escape takes another character, or none"""
    t = talk(lab, "n1", "--escape", "^]")
    t.send("~.\r")
    t.expect("~.\r")
    t.send("\x1d.")
    same(t.end(), 0)
    t = talk(lab, "n1", "--escape=none")
    t.send("~.\r")
    t.expect("~.\r")
    t.proc.send_signal(signal.SIGTERM)
    left(t, 130)
    for wrong, why in (("ab", "is no character"), (".", "a meaning of its own"), ("", "is no character")):
        r = lab.run("console", "n1", "--escape", wrong)
        same(r.status, 2)
        has(r.err, why)


@test
def signals_restore(lab):
    """whatever signal ends it, the terminal is as before"""
    for name in ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGTRAP", "SIGUSR1", "SIGALRM"):
        signum = getattr(signal, name)
        t = talk(lab, "n1")
        t.proc.send_signal(signum)
        ours = name in ("SIGTERM", "SIGHUP", "SIGINT")
        left(t, 130 if ours else 128 + signum, name)


@test
def suspending(lab):
    """~^Z and SIGTSTP stop it with a sane terminal; fg goes on where it was"""
    lab.inventory(NODES)
    shell = lab.shell()
    shell.send(f"{POWERCTL} console n1\n")
    shell.expect("? helps]")
    shell.wait_echo(False)
    shell.send("~\x1a")
    shell.expect("Stopped")
    shell.send("stty -a; echo asked\n")
    shell.expect(" echo ")
    shell.expect("asked\n")
    shell.send("fg\n")
    shell.expect("console n1")
    shell.wait_echo(False)
    shell.send("again\r")
    shell.expect("again\r")
    shell.send("~.")
    shell.expect("closed]")
    shell.send("echo status=$?; exit\n")
    shell.expect("status=0")
    shell.end()


@test
def lost_and_found(lab):
    """a lost connection is made again, with words; ~. leaves meanwhile; in use is waited for"""
    t = talk(lab, "lost1")
    t.send("x\r")
    t.expect("[powerctl: connection lost: unreachable: told to fail: lost; trying again in 1 s, ~. leaves]")
    t.expect("[powerctl: console of lost1")
    locked(lab)
    t.send("y\r")
    t.expect("connection lost")
    t.expect("[powerctl: busy: in use by another session; --steal takes it; it may be the one that "
             "was lost; trying again in")
    os.unlink(lock(lab))
    t.expect("[powerctl: console of lost1")
    t.send("z\r")
    t.expect("connection lost")
    t.send("~.")
    left(t, 0)
    t = talk(lab, "lost1", "--escape", "none")
    t.send("x\r")
    t.expect("^C leaves]")
    t.send("\x03")
    left(t, 130)


@test
def lost_for_good(lab):
    """taken over by somebody else, or --no-reconnect: the end, with the terminal as before"""
    t = talk(lab, "stolen1")
    t.send("x\r")
    t.expect("powerctl: stolen1: busy: taken over by another session\n")
    left(t, 1)
    t = talk(lab, "lost1", "--no-reconnect")
    t.send("x\r")
    t.expect("powerctl: lost1: unreachable: told to fail: lost\n")
    left(t, 1)


@test
def in_use(lab):
    """in use by another session: said at once; --steal takes it"""
    lab.inventory(NODES)
    locked(lab)
    began = time.monotonic()
    r = lab.run("console", "used1")
    assert time.monotonic() - began < 10, "it was tried again and again"
    same((r.status, r.out), (1, ""))
    same(r.err, "powerctl: used1: busy: in use by another session; --steal takes it\n")
    t = talk(lab, "used1", "--steal")
    t.send("x~\r")
    t.expect("x~\r")
    t.send("~.")
    left(t, 0)


@test
def interrupted_while_opening(lab):
    """^C ends an opening that takes its time"""
    lab.inventory(NODES)
    t = lab.terminal("console", "slow1")
    t.expect("console: 0/1 done")
    t.send("\x03")
    same(t.end(), 130)
    assert t.echoes


@test
def slow_reader(lab):
    """a terminal that is not read stops the machine from talking; ~. leaves all the same"""
    t = talk(lab, "flood1")
    t.expect("flood 1000\n")
    with open(f"/proc/{t.proc.pid}/statm", encoding="ascii") as f:
        pages = int(f.read().split()[1])
    until = time.monotonic() + PATIENCE
    while not idle(t.proc.pid):
        assert time.monotonic() < until, "it goes on reading"
    with open(f"/proc/{t.proc.pid}/statm", encoding="ascii") as f:
        assert int(f.read().split()[1]) < pages + 256, "what was not read was kept"
    t.send("~.")
    t.proc.wait(PATIENCE)
    left(t, 0)


def idle(pid):
    """Whether it used no time while we looked."""
    def ticks():
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[11:13]
    before = ticks()
    time.sleep(0.3)
    return before == ticks()


# --- Files and pipes. -----------------------------------------------------------------------------

@test
def piped(lab):
    """standard input that is no terminal is sent as it is; the end comes after it and some quiet"""
    lab.inventory(NODES)
    r = lab.run("console", "n1", stdin="one\n~.two\n")
    same((r.status, r.out, r.err), (0, "one\n~.two\n", ""))
    big = "".join(f"line {i}\n" for i in range(50000))
    r = lab.run("console", "n1", stdin=big)
    same(r.status, 0, r.err)
    assert r.out == big, f"{len(r.out)} of {len(big)} came back"
    script = lab.write("script", "from a file\n")
    with open(script, encoding="ascii") as f, open(lab.path("out"), "w", encoding="ascii") as out:
        proc = lab.start("console", "boot1", stdin=f, stdout=out, stderr=subprocess.PIPE)
        same(proc.wait(PATIENCE), 0)
    same(lab.read("out"), "one\ntwo\nfrom a file\n")
    r = lab.run("console", "lost1", stdin="x\n")
    same((r.status, r.out), (1, "x\n"))
    same(r.err, "powerctl: lost1: unreachable: told to fail: lost\n")


@test
def shared_modes(lab):
    """pipes are left as they were: blocking"""
    lab.inventory(NODES)
    r, w = os.pipe()
    proc = lab.start("console", "flood1", stdin=subprocess.PIPE, stdout=w, stderr=subprocess.PIPE)
    select.select([r], [], [], PATIENCE)
    assert os.get_blocking(w) and os.get_blocking(proc.stdin.fileno())
    proc.send_signal(signal.SIGTERM)
    same(proc.wait(PATIENCE), 130)
    os.close(r)
    os.close(w)


@test
def reader_leaves(lab):
    """a reader that leaves ends it without a word"""
    lab.inventory(NODES)
    proc = lab.start("console", "flood1", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    proc.stdout.read(100)
    proc.stdout.close()
    same(proc.wait(PATIENCE), 1)
    same(proc.stderr.read(), b"")


@test
def logged(lab):
    """--log appends what was printed to a file of the user's own, and a full disk is said once"""
    path = lab.path("console.log")
    for i in (1, 2):
        t = talk(lab, "n1", "--log", path)
        t.send(f"text {i}\r")
        t.expect(f"text {i}\r")
        t.send("~.")
        left(t, 0)
    with open(path, "rb") as f:
        same(f.read(), b"text 1\rtext 2\r")
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    t = talk(lab, "n1", "--log", "/dev/full")
    t.send("a\r")
    t.expect("/dev/full cannot be written: No space left on device; going on without it]")
    t.send("b\r")
    t.expect("b\r")
    t.send("~.")
    left(t, 0)
    same(t.seen.count("/dev/full"), 1)
    r = lab.run("console", "n1", "--log", lab.path("no", "such"))
    same(r.status, 2)
    has(r.err, "cannot be written: No such file")


# --- Several at once. -----------------------------------------------------------------------------

def follow(lab, *args):
    lab.inventory(NODES)
    proc = lab.start("console", "--follow", *args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    return proc


def read_lines(stream, n):
    """The first n lines, sorted."""
    return sorted(stream.readline().decode() for _ in range(n))


@test
def following(lab):
    """--follow prints lines behind names, parts of lines after a while, and no control characters"""
    log = lab.path("all.log")
    proc = follow(lab, "boot1,login1,evil1", "--log", log)
    wanted = ["boot1: one\n", "boot1: two\n", "evil1: aredbel\n", "login1: login: \n"]
    same(read_lines(proc.stdout, 4), wanted)
    proc.send_signal(signal.SIGINT)
    same(proc.wait(PATIENCE), 130)
    same(proc.stderr.read(), b"")
    same(sorted(lab.read("all.log").splitlines(True)), wanted)


@test
def following_again(lab):
    """--follow tries again what is in use, and ends when nothing is left"""
    locked(lab)
    proc = follow(lab, "used1,boot1,stolen1")
    same(read_lines(proc.stdout, 2), ["boot1: one\n", "boot1: two\n"])
    same(proc.stderr.readline(),
         b"powerctl: used1: busy: in use by another session; --steal takes it; trying again\n")
    os.unlink(lock(lab))
    same(proc.stderr.readline(), b"powerctl: used1: connected again\n")
    proc.send_signal(signal.SIGTERM)
    same(proc.wait(PATIENCE), 130)
    locked(lab)
    r = lab.run("console", "--follow", "--no-reconnect", "used1", "idle1")
    same(r.status, 1)
    same(sorted(r.err.splitlines()), ["powerctl: idle1: skipped: PSU out",
         "powerctl: used1: busy: in use by another session; --steal takes it"])


# --- What people do wrong. ------------------------------------------------------------------------

@test
def misuse(lab):
    """several nodes without --follow, drivers without a console, nodes in maintenance"""
    lab.inventory(NODES)
    r = lab.run("console", "n1,boot1")
    same(r.status, 2)
    has(r.err, "powerctl console --follow boot1,n1")
    r = lab.run("console", "-a")
    same(r.status, 2)
    has(r.err, "--follow -a")
    r = lab.run("console")
    same(r.status, 2)
    same(r.err, "powerctl: no NODES are given: powerctl console NODE\n")
    r = lab.run("console", "--follow", "--escape", "^]", "n1")
    same(r.status, 2)
    r = lab.run("console", "idle1")
    same((r.status, r.out, r.err), (0, "", "powerctl: idle1: skipped: PSU out\n"))
    same(lab.run("console", "idle1", "--maintenance", stdin="x").out, "x")


@test
def other_driver(lab):
    """a console may come from another driver"""
    lab.inventory(NODES)
    same(lab.run("console", "other1").out, "from the other\n")
    lab.inventory('nodes: {n1: {driver: "null", console: {driver: nope}}}')
    r = lab.run("console", "n1")
    same(r.status, 2)
    has(r.err, "there is no driver 'nope'")
    same(lab.run("status", "n1").status, 0)


@test
def traced(lab):
    """--trace wraps a driver whose console stays open"""
    lab.inventory(NODES)
    r = lab.run("console", "--trace", "stolen1", stdin="x\n")
    same((r.status, r.out), (1, "x\n"))
    has(r.err, "trace stolen1: console.open: done")
    has(r.err, "trace stolen1: session: busy: taken over by another session")


if __name__ == "__main__":
    assert POWERCTL
    main()
