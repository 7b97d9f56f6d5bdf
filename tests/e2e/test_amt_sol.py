#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl console over Intel AMT's Serial over LAN, against powerctl-amtsim."""
import os
import signal
import subprocess
import termios
from concurrent import futures

import lib
from amtlib import CONSOLE_TIMES, PASSWORD, ConsoleFleet
from lib import bad, has, main, same, test, until
from talklib import rest_of

SERVICE = "AMT_RedirectionService"


def machine(lab, *args, timeouts=CONSOLE_TIMES, **how):
    """One machine, a1, that is on."""
    fleet = ConsoleFleet(lab, "--state", "on", *args, timeouts=timeouts, **how)
    fleet.lab.fleet = fleet
    return fleet


def talk(lab, *args, note=None):
    t = lab.terminal("console", "a1", *args)
    t.expect("[powerctl: console of a1 (sol); ~. leaves, ~? helps]")
    if note:
        t.expect(note)
    t.expect("amt1> ")
    t.wait_echo(False)
    return t


def left(t, status):
    same(t.end(), status)
    same(termios.tcgetattr(t.fd), t.before)


def shows(proc, text):
    """Reads until it has shown that."""
    shown = b""
    while text.encode() not in shown:
        part = proc.stdout.read1(100)
        assert part, rest_of(proc)
        shown += part
    return shown.decode()


def holder(lab, *args, n=1):
    """Somebody who has the console."""
    proc = lab.start("console", f"a{n}", *args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE)
    shows(proc, f"amt{n}> ")
    return proc


def ran(r):
    same(r.status, 0, r)
    return r


def said(lab, n=1):
    """What a console that is not to be had says."""
    r = lab.run("console", f"a{n}", stdin="echo hi\r")
    same((r.status, r.out), (1, ""), r)
    return r.err.removeprefix(f"powerctl: a{n}: ").rstrip("\n")


def talks(lab, fleet):
    """One that is to be had; a script would wait until it is quiet."""
    t = talk(lab)
    t.send("echo so it is\r")
    t.expect("\nso it is\n")
    t.send("\r~.")
    left(t, 0)
    fleet.idle()


@test
def typing(lab):
    """what is typed arrives, plain and over TLS; notes stand beside it; nothing is left"""
    for tls in (False, True):
        fleet = machine(lab, tls=tls)
        t = talk(lab)
        t.send("echo hello there\r")
        t.expect("hello there\n")
        t.send("\r~B\r")
        t.expect("[powerctl: no break was sent: Intel AMT's Serial over LAN carries no break")
        fleet.set(1, sol_send="overflow")
        t.expect("[powerctl: characters for the machine were lost")
        fleet.set(1, sol_send="power_off")
        t.expect("[powerctl: the machine is off]")
        fleet.set(1, sol_send="power_on")
        t.expect("[powerctl: the machine is on]")
        fleet.set(1, sol_send="loopback")
        t.expect("[powerctl: the serial port is in loopback mode")
        fleet.set(1, sol_send="ping")
        fleet.wait(lambda d: d["counters"]["sol_pongs"] == 1)
        t.send("\r~.")
        left(t, 0)
        fleet.idle()
        counters = fleet.counters()
        same((counters["redir_logins"], counters["redir_bad_logins"], counters["redir_goodbyes"]), (1, 0, 1))
        same(counters["tls"] > 0, tls)
        fleet.forget()


@test
def scripts(lab):
    """a script's bytes arrive whole; a slow reader loses nothing, and the device waits for him"""
    fleet = machine(lab, "--set", "all:sol_chunk=700", devices=2)
    script = lab.start("console", "a2", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    script.stdin.write(b"echo one\rpower\r")
    script.stdin.close()
    has(shows(script, "power on, boots 0\r\n"), "\none\r\n")
    proc = holder(lab)
    flood = 4000000  # more than sockets and pipes hold
    proc.stdin.write(f"flood {flood}\r".encode())
    proc.stdin.flush()
    fleet.wait(lambda d: 0 < d["counters"]["sol_bytes_out"] < flood)
    with open(f"/proc/{proc.pid}/statm", encoding="ascii") as f:
        before = int(f.read().split()[1])
    wanted = bytes(ord("a") + (i + i // 26) % 26 for i in range(flood))
    shown = bytearray()
    while len(shown) < flood or not shown.endswith(b"amt1> "):
        part = proc.stdout.read1(1 << 16)
        assert part, shown[-200:]
        shown += part
    assert wanted in shown
    with open(f"/proc/{proc.pid}/statm", encoding="ascii") as f:
        grown = (int(f.read().split()[1]) - before) * os.sysconf("SC_PAGESIZE")
    assert lib.SANITIZED or grown < 4 << 20, f"{grown} bytes more"
    proc.stdin.close()
    same(proc.wait(lib.PATIENCE), 0)
    _, err = rest_of(script)
    same(script.returncode, 0, err)
    fleet.idle()
    fleet.idle(2)


@test
def piped(lab):
    """what a script is given arrives over TLS too, byte by byte, and while the device beats"""
    wanted = [f"line {n} of a script" for n in range(10)]
    fleet = machine(lab, tls=True, devices=3)
    fleet.set(2, redirection_fault="drip")
    fleet.set(3, sol_heartbeat_ms=10)
    scripts = [holder(lab, n=n) for n in (1, 2, 3)]
    for proc in scripts:
        proc.stdin.write("".join(f"echo {line}\r" for line in wanted).encode())
        proc.stdin.close()
    for proc in scripts:
        shown, err = rest_of(proc)
        same(proc.returncode, 0, err)
        same([line for line in shown.decode().splitlines() if line in wanted], wanted)


@test
def keeps_alive(lab):
    """it beats, so that a device that ends quiet sessions does not end this one"""
    fleet = machine(lab, "--set", "all:sol_heartbeat_ms=100")
    t = talk(lab)
    fleet.wait(lambda d: d["counters"]["sol_heartbeats"] >= 1)
    same(fleet.counters()["sol_quiet"], 0)
    t.send("echo still here\r")
    t.expect("\nstill here\n")
    t.send("\r~.")
    left(t, 0)


@test
def silent(lab):
    """a device that stops beating is lost; not one that never did, nor one that nobody reads from"""
    fleet = machine(lab, "--set", "all:sol_heartbeat_ms=100", devices=3)
    fleet.set(2, sol_heartbeat_ms=600000)
    never, unread = holder(lab, n=2), holder(lab, n=3)
    flood = 4000000  # more than sockets and pipes hold
    t = talk(lab)
    for n in (1, 3):  # ours come later than some of the device's
        fleet.wait(lambda d: d["counters"]["sol_heartbeats"] >= 1, n)
    unread.stdin.write(f"flood {flood}\recho all of it\r".encode())
    unread.stdin.flush()
    fleet.wait(lambda d: 0 < d["counters"]["sol_bytes_out"] < flood, 3)
    fleet.sim.proc.send_signal(signal.SIGSTOP)
    try:
        t.expect("connection lost: not even a heartbeat came in 13 s; trying again")
        same((never.poll(), unread.poll()), (None, None))
    finally:
        fleet.sim.proc.send_signal(signal.SIGCONT)
    t.expect("amt1> ")
    t.send("\r~.")
    left(t, 0)
    shown = b""
    while not shown.endswith(b"\nall of it\r\namt3> "):
        part = unread.stdout.read1(1 << 16)
        assert part, (shown[-200:], unread.stderr.read())
        shown = shown[-200:] + part
    for proc in (never, unread):
        proc.stdin.close()
        proc.wait(lib.PATIENCE)


@test
def switched_on(lab):
    """what is switched off is switched on, which is said; where that is forbidden, so is that"""
    fleet = machine(lab)
    off = {"redirection_state": 32769, "redirection_listener": 0}
    fleet.set(1, **off)
    t = talk(lab, note="[powerctl: Serial over LAN or its listener was off; it was switched on]")
    t.send("~.")
    left(t, 0)
    device = fleet.device()
    same((device["redirection_state"], device["redirection_listener"]), (32771, True))
    fleet.set(1, **off)
    fleet.set(1, redirection_locked=1)
    has(said(lab), "SOL is switched off on this machine, and it does not let us switch it on: ")
    fleet.set(1, redirection_locked=0)
    fleet.reset()
    talks(lab, fleet)
    fleet.reset()
    talks(lab, fleet)
    same(fleet.device()["log"], [f"{SERVICE}.Get"], "nothing to switch")


@test
def closed_port(lab):
    """a port that nobody listens on: which command opens it"""
    fleet = machine(lab)
    fleet.set(1, redirection_deaf=1)
    port = fleet.sim.ready["devices"][0]["redirection_port"]
    same(said(lab), f"unreachable: connection refused by port {port}: its redirection listener is "
         "off; `powerctl amt features listener=on a1` switches it on")


@test
def refused(lab):
    """each status of a start is an error of its own"""
    fleet = machine(lab)
    for status, text in ((1, "unsupported: this machine has no SOL"),
                         (3, "unsupported: this machine has no SOL"),
                         (2, "busy: somebody else has its SOL session; --steal takes it"),
                         (5, "consent: SOL sessions need user consent on this machine"),
                         (255, "refused: it does not begin a SOL session")):
        fleet.set(1, redirection_status=status)
        has(said(lab), text)
    fleet.set(1, redirection_status=0, consent="all")
    has(said(lab), "consent: ")


@test
def logins(lab):
    """RFC 2617, else 2069; the password in clear over TLS only"""
    for tls in (False, True):
        fleet = machine(lab, tls=tls)
        for kind in ("digest", "digest_old", "any"):
            fleet.set(1, redirection_login=kind)
            talks(lab, fleet)
        fleet.set(1, redirection_login="plain")
        if tls:
            talks(lab, fleet)
        else:
            has(said(lab), "unsupported: its redirection port wants the password in clear")
        fleet.forget()


@test
def wrong_password(lab):
    """is heard of from the first port that is asked, and sent once"""
    fleet = machine(lab)
    fleet.set(1, password="other")
    has(said(lab), "auth: user 'admin' or its password was refused")
    same((fleet.counters()["r401_bad"], fleet.counters()["redir_connections"]), (1, 0))


@test
def new_password(lab):
    """a password that passwd has set opens a console, as an answer to a challenge and in clear"""
    fleet = machine(lab, tls=True)
    ran(lab.run("passwd", "--generate", "-y", "a1"))
    talks(lab, fleet)
    fleet.set(1, redirection_login="plain")
    talks(lab, fleet)


@test
def without_the_realm(lab):
    """a user whom only the redirection port refuses is told what he lacks, and has the right password for all else"""
    fleet = machine(lab)
    secret = lab.write("eve", "P@ssw0rd3\n")
    for name, realms in (("eve", "remote-control"), ("eva", "remote-control,redirection")):
        ran(lab.run("amt", "users", f"add={name}", f"password_file={secret}", f"realms={realms}", "a1"))
    fleet.inventory(credential=f"{{username: eve, password_file: {secret}}}")
    for absent in ("", SERVICE):  # what it says no to is said to who has logged in; the second try is one
        fleet.set(1, absent=absent)
        same(said(lab), "forbidden: user 'eve' was refused by the redirection port, though WS-Management takes "
             "the same login: look whether that user has the realm `redirection` (`powerctl amt users a1`)")
        ran(lab.run("status", "a1"))
    same((fleet.counters()["redir_bad_logins"], fleet.counters()["r401_bad"]), (2, 0))
    fleet.inventory(credential=f"{{username: eva, password_file: {secret}}}")
    talks(lab, fleet)


@test
def another_machine(lab):
    """another realm at the redirection port gets no answer"""
    fleet = machine(lab)
    ran(lab.run("status", "a1"))
    fleet.set(1, redirection_realm=7)
    has(said(lab), "trust: its identity is not the remembered one")
    same(fleet.counters()["redir_bad_logins"], 0)


@test
def bad_logins(lab):
    """broken frames during the login: said, and the process goes on to tell it"""
    faults = (("truncate", "unreachable: connection closed within a redirection frame"),
              ("oversize", "protocol: a redirection frame too large: login reply (14)"),
              ("interleave", "protocol: a redirection frame out of place: SOL data (2A)"),
              ("unknown", "protocol: an unknown redirection frame (99)"),
              ("close", "unreachable: connection closed"),
              ("empty", "protocol: its redirection login is cut short"),
              ("silent", "timeout: no answer in "))
    fleet = machine(lab, devices=len(faults) + 1, timeouts="",
                    own={len(faults) + 1: "timeouts: {connect: 3s, answer: 2s, read: 8s}"})
    fleet.set(1, redirection_fault="drip")
    talks(lab, fleet)
    for n, (fault, _) in enumerate(faults, 2):
        fleet.set(n, redirection_fault=fault)
    # Some are tried again for seconds: all at once.
    with futures.ThreadPoolExecutor(len(faults)) as pool:
        for (fault, text), words in zip(faults, pool.map(lambda n: said(lab, n), range(2, len(faults) + 2))):
            has(words, text)
            # It is tried twice, and all of that time is told.
            assert "no answer in 2 s" not in words, words


@test
def bad_frames(lab):
    """broken frames in an open session end it, with what came before"""
    fleet = machine(lab)
    for what, text in (("unknown", "protocol: an unknown redirection frame (99) during SOL"),
                       ("interleave", "protocol: a redirection frame out of place: login reply"),
                       ("truncate", "busy: taken over by another session")):
        proc = holder(lab)
        # Whoever asks why the connection has ended hears that.
        fleet.set(1, sol_send="last words", redirection_status=2)
        fleet.set(1, sol_send=what)
        same(proc.wait(lib.PATIENCE), 1)
        has(proc.stdout.read().decode(), "last words")
        has(proc.stderr.read().decode(), f"a1: {text}")
        proc.stdin.close()
        fleet.idle()
        fleet.set(1, redirection_status=0)
    proc = holder(lab)
    fleet.set(1, sol_send="oversize")  # the largest that its length can say is no fault
    fleet.set(1, sol_send="close")
    same(proc.stdout.read(), bytes(65535))
    same(proc.wait(lib.PATIENCE), 1, "a device that ends one takes it from whoever has more to send")
    has(proc.stderr.read().decode(), "a1: the device ended the session")
    proc.stdin.close()


@test
def taken(lab):
    """busy is said at once; --steal takes it, and whoever had it hears of that"""
    fleet = machine(lab, "--set", "all:redirection_linger=1")
    other = holder(lab)
    same(said(lab), "busy: somebody else has its SOL session; --steal takes it")
    t = talk(lab, "--steal")
    same(other.wait(lib.PATIENCE), 1)
    has(other.stderr.read().decode(), "a1: busy: taken over by another session")
    fleet.set(1, redirection_drop=1)
    t.expect("connection lost: unreachable: connection lost: the device closed it; trying again")
    t.expect("amt1> ")
    t.send("\r~.")
    left(t, 0)
    fleet.idle()


@test
def interrupted(lab):
    """^C while it is opened ends it; a signal while it is open restores the terminal"""
    fleet = machine(lab)
    fleet.set(1, redirection_fault="silent")
    t = lab.terminal("console", "a1")
    fleet.wait(lambda d: d["counters"]["redir_connections"] == 1)
    t.send("\x03")
    left(t, 130)
    fleet.set(1, redirection_fault="no")
    t = talk(lab)
    t.proc.send_signal(signal.SIGTERM)
    same(t.proc.wait(lib.PATIENCE) in (130, 143, -15), True)
    same(termios.tcgetattr(t.fd), t.before)
    fleet.idle()


@test
def boots(lab):
    """console --boot: on or reset, with the BIOS on the console"""
    fleet = machine(lab)
    for state, action in (("on", 10), ("off", 2)):
        fleet.set(1, power=state)
        fleet.reset()
        t = lab.terminal("console", "a1", "--boot")
        t.expect("BIOS of device 1")
        t.send("\r~.")
        left(t, 0)
        device = fleet.device()
        same((device["power_word"], device["last_sol"], device["last_boot"]),
             ("on", True, "default"), action)
        same(device["boot_settings"]["UseSOL"], "false")
    r = lab.run("console", "--boot", "--follow", "a1")
    same(r.status, 2)
    lab.inventory("nodes: {n1: {driver: 'null'}}\n")
    r = bad(lab.run("console", "--boot", "n1"), 1)
    has(r.err, "n1: not started: ")
    has(r.err, "driver null cannot show the BIOS on the console")


@test
def forbids_power(lab):
    """off and cycle are refused while a console is open; --end-sessions ends it first"""
    fleet = machine(lab)
    proc = holder(lab)
    has(lab.run("off", "a1").out, "an open console, screen or medium forbids 'off': close it, or --end-sessions")
    same(fleet.device()["power_word"], "on")
    same(ran(lab.run("off", "--end-sessions", "a1")).out, "a1: off\n")
    same(proc.wait(lib.PATIENCE), 1)
    proc.stdin.close()
    same(ran(lab.run("off", "--end-sessions", "a1")).out, "a1: off\n")
    ran(lab.run("on", "a1"))
    same(ran(lab.run("reboot", "--end-sessions", "a1")).out, "a1: on\n", "none is open")


@test
def followed(lab):
    """many at once, each to its end; no descriptor is left behind when they go"""
    count = lib.many(40)
    fleet = machine(lab, tls=True, devices=count)
    proc = lab.start("console", "--follow", "--all", stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen = set()
    while len(seen) < count:
        line = proc.stdout.readline().decode()
        assert line, proc.stderr.read()
        if "serial console of device" in line:
            seen.add(line.split(":")[0])

    def files():
        return len(os.listdir(f"/proc/{proc.pid}/fd"))

    many = files()
    fleet.set("all", redirection_status=3, redirection_drop=1)
    until("all have ended or the descriptors are given back",
          lambda: proc.poll() is not None or files() <= many - 3 * count)
    proc.kill()
    proc.wait(lib.PATIENCE)


@test
def amtterm(lab):
    """somebody else's client logs in and talks to the stand-in"""
    fleet = machine(lab, "--set", "all:redirection_login=plain")
    port = fleet.sim.ready["devices"][0]["redirection_port"]
    t = lib.Terminal(["amtterm", "-v", "-u", "admin", "-p", PASSWORD, "127.0.0.1", str(port)],
                     dict(os.environ))
    try:
        t.expect("serial-over-lan redirection ok")
        t.expect("RTS is asserted")
        t.expect("serial console of device 1")
        t.expect("amt1> ")
        t.send("echo from amtterm\r")
        t.expect("\nfrom amtterm\r")
        t.send("\x1d")
        t.end()
    finally:
        t.close()
    fleet.set(1, redirection_login="digest")
    t = lib.Terminal(["amtterm", "-u", "admin", "-p", PASSWORD, "127.0.0.1", str(port)],
                     dict(os.environ))
    try:
        t.expect("authentication failed")
        t.end()
    finally:
        t.close()


main()
