#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl media over Intel AMT's IDE redirection, against powerctl-amtsim, which reads the drives
as a BIOS and a system would and says what it has read."""
import fcntl
import hashlib
import json
import os
import random
import signal
import struct
import subprocess
import termios

import lib
from amtlib import CONSOLE_TIMES, ConsoleFleet, disc
from lib import bad, good, has, main, same, test
from talklib import line_of, rest_of

BLOCK, SECTOR = 2048, 512
EMPTY = hashlib.sha256(bytes(1474560)).hexdigest()


def machine(lab, *args, state="on", **how):
    return ConsoleFleet(lab, "--state", state, *args, timeouts=CONSOLE_TIMES, **how)


def image(lab, name, size, seed=1):
    """A file of bytes that do not repeat; its path, and the sum of it in whole blocks."""
    cd = name.endswith(".iso")
    data = disc(size, seed) if cd else random.Random(seed).randbytes(size)
    path = lab.path(name)
    with open(path, "wb") as f:
        f.write(data)
    block = BLOCK if cd else SECTOR
    return path, hashlib.sha256(data + bytes(-size % block)).hexdigest()


class Served:
    """A powerctl that serves a medium."""

    def __init__(self, lab, *args, node="a1"):
        self.proc = lab.start("media", "attach", *args, node, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first = self.line()

    def line(self, stream=None):
        return line_of(stream or self.proc.stdout, self.proc)

    def end(self, status, interrupt=False):
        """All that it says from here on."""
        if interrupt:
            self.proc.send_signal(signal.SIGINT)
        out, err = rest_of(self.proc)
        same(self.proc.returncode, status, out + err)
        return self.first + out, err


def done(fleet, n=1):
    fleet.wait(lambda d: d["ider"] and d["ider"]["state"] != "running", n)
    ider = fleet.device(n)["ider"]
    same((ider["state"], ider["error"]), ("done", ""))
    return ider


def detach(lab, served, read):
    good(lab.run("media", "detach", "a1"), "a1: ok")
    out, err = served.end(0)
    same(out.splitlines()[-1], f"a1: detached, {read / 1e6:.1f} MB read")
    return err


def usage(result, wanted, text):
    same((result.status, result.out), (wanted, ""), result)
    has(result.err, text)


@test
def whole(lab):
    """what the machine reads is the file, plain and over TLS, in every way of asking for it"""
    path, wanted = image(lab, "a.iso", 3 * 1024 * 1024 + 1234)
    ways = ({}, {"ider_dma": 0, "ider_readbfr": 4096}, {"ider_blocks": 1, "ider_readbfr": 512},
            {"ider_queue": 8, "ider_blocks": 200}, {"ider_queue": 64, "ider_blocks": 4})
    for tls in (False, True):
        fleet = machine(lab, tls=tls)
        for goodbyes, way in enumerate(ways[:1] if tls else ways, 1):
            fleet.set(1, ider_dma=1, ider_readbfr=0, ider_blocks=0, ider_queue=0)
            fleet.set(1, **way)
            served = Served(lab, path)
            same(served.first, f"a1: attached: {path}\n")
            ider = done(fleet)
            same((ider["cd"]["sha256"], ider["cd"]["again"]), (wanted, wanted), way)
            same((ider["cd"]["blocks"], ider["floppy"]["sha256"]), (1537, EMPTY))
            same(ider["refused"], 7, "commands that are to be refused")
            detach(lab, served, 2 * 1537 * BLOCK)
            fleet.idle()
            device = fleet.device()
            same((device["ider"]["error"], device["counters"]["redir_goodbyes"]), ("", goodbyes), way)
        fleet.forget()


@test
def floppies(lab):
    """a floppy beside a CD, without one, and one of odd size"""
    fleet = machine(lab)
    cd, cd_sum = image(lab, "a.iso", 70000)
    for size in (1474560, 513, 3000000):
        floppy, wanted = image(lab, "a.img", size)
        served = Served(lab, cd, "--floppy", floppy)
        same(served.first, f"a1: attached: {cd}, {floppy}\n")
        ider = done(fleet)
        same((ider["floppy"]["sha256"], ider["cd"]["sha256"]), (wanted, cd_sum))
        served.end(130, interrupt=True)
    served = Served(lab, "--floppy", floppy)
    ider = done(fleet)
    same((ider["cd"]["present"], ider["floppy"]["sha256"]), (False, wanted))
    served.end(130, interrupt=True)
    fleet.idle()


@test
def status(lab):
    """who serves what, said by that powerctl, by the device, in words and as JSON"""
    fleet = machine(lab, "--set", "all:redirection_linger=1", devices=2)
    path, _ = image(lab, "a.iso", 70000)
    r = lab.run("media", "status", "--no-fold", "a[1-2]")
    same(r.status, 0, r)
    same(r.out.count("attached: false"), 2, r)
    served = Served(lab, path)
    done(fleet)
    r = lab.run("media", "status", "a1")
    for text in ("attached: true", f"pid: {served.proc.pid}", f"image: {path}", "size: 70000"):
        has(r.out, text)
    r = lab.run("media", "status", "--json", "a1")
    row = json.loads(r.out)
    same((row["verb"], row["state"]), ("media status", None))
    tree = row["result"]
    same([(d["drive"], d["inserted"]) for d in tree["drives"]], [("cd", True)])
    # Another user knows only what the device says: somebody has it.
    other = {"XDG_RUNTIME_DIR": lab.path("home")}
    r = lab.run("media", "status", "a1", env=other)
    has(r.out, "attached: true")
    assert "pid" not in r.out, r
    usage(lab.run("media", "attach", path, "a1"), 1, "another powerctl of yours serves media")
    one = bad(lab.run("--json", "media", "attach", path, "a1"), 1).json[0]
    same((one["event"], one["class"]), ("error", "busy"))
    r = lab.run("media", "attach", path, "a1", env=other)
    bad(r, 1)
    has(r.out, "busy: somebody else has its IDER session")
    has(r.out, "; `powerctl media detach NODE` ends that")
    # And may end it: the powerctl that had it hears that somebody has it, and leaves it to him.
    good(lab.run("media", "detach", "a1", env=other), "a1: ok")
    has(served.end(1)[0], "a1: error: busy: taken over by another session")
    fleet.idle()
    good(lab.run("media", "detach", "a1"), "a1: ok")


@test
def detachers(lab):
    """two that detach at once both hear of it when it is so"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    served = Served(lab, path)
    two = [lab.start("media", "detach", "a1", stdout=subprocess.PIPE, text=True) for _ in range(2)]
    same([p.communicate(timeout=lib.PATIENCE)[0] for p in two], ["a1: ok\n"] * 2)
    same(fleet.device()["redirection_sessions"], [])
    has(served.end(0)[0], "a1: detached, 0.0 MB read")


@test
def switched_off(lab):
    """what is switched off while it is attached is left off, and the medium does not come back"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    served = Served(lab, path)
    fleet.set(1, redirection_state=32770, redirection_drop=1)
    out, err = served.end(1)
    has(err, "connection lost: the device closed it; trying again in 1 s")
    has(out, "a1: error: refused: IDER or its listener was switched off meanwhile")
    same(fleet.device()["redirection_state"], 32770)


@test
def odd_names(lab):
    """a file's name says nothing but that name, whatever is in it"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    for name in ("x\npid 1\ndrive cd 1 5 5 fake", 'a"b\\c', "k\u00e4se {}"):
        path, _ = image(lab, name + ".iso", 70000)
        served = Served(lab, path)
        tree = lab.run("media", "status", "--json", "a1").json[0]["result"]
        same((tree["pid"], [d["image"] for d in tree["drives"]]), (served.proc.pid, [path]))
        r = lab.run("media", "status", "a1")
        assert "pid: 1\n" not in r.out, r
        good(lab.run("media", "detach", "a1"), "a1: ok")
        served.end(0)
    fleet.idle()


@test
def dropped(lab):
    """a lost connection is made again and the machine reads all of it; or it is the end"""
    fleet = machine(lab)
    path, wanted = image(lab, "a.iso", 600000)
    fleet.set(1, ider_drop_at=300000)
    served = Served(lab, path)
    same(served.line(), f"a1: attached again: {path}\n")
    same(done(fleet)["cd"]["sha256"], wanted)
    served.end(130, interrupt=True)
    fleet.idle()
    fleet.set(1, ider_drop_at=65536)  # with the last frame of a read
    out, err = Served(lab, path, "--no-reconnect").end(1)
    has(out, "a1: error: unreachable: connection lost: the device closed it")
    same(err, "")


@test
def taken(lab):
    """whoever had the drives hears that another session took them"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    served = Served(lab, path, "--no-reconnect")
    fleet.set(1, redirection_status=2, redirection_drop=1)
    has(served.end(1)[0], "a1: error: busy: taken over by another session")


@test
def reset(lab):
    """a reset in the middle of reads: the one under way ends, the others are forgotten"""
    path, wanted = image(lab, "a.iso", 600000)
    fleet = machine(lab)
    for queue in (1, 8):
        fleet.set(1, ider_reset_at=200000, ider_queue=queue)
        served = Served(lab, path)
        ider = done(fleet)
        same((ider["cd"]["sha256"], ider["cd"]["again"], ider["resets"]), (wanted, wanted, 1))
        served.end(130, interrupt=True)
        fleet.idle()


@test
def shrinking(lab):
    """a file that shrinks is a medium error to the machine and a line to the user; one that is
    deleted stays readable; another machine, which asks for nothing, is heard of meanwhile"""
    fleet = machine(lab, "--set", "all:ider_delay_ms=3000", devices=2)
    fleet.set(2, ider_script="none")
    path, _ = image(lab, "a.iso", 1 << 20)
    idle = Served(lab, path, node="a2")
    served = Served(lab, path)
    os.truncate(path, 500000)
    fleet.set(1, ider_delay_ms=0)  # the first command still waits: nothing was read before
    ider = done(fleet)
    assert ider["medium_errors"] > 0, ider
    _, err = served.end(130, interrupt=True)
    same(err.count("is shorter than when it was attached: it ends at byte 500000 of 1048576"), 1)
    fleet.idle()
    path, wanted = image(lab, "b.iso", 1 << 20)
    fleet.set(1, ider_delay_ms=20)
    served = Served(lab, path)
    os.unlink(path)
    fleet.set(1, ider_delay_ms=0)
    same(done(fleet)["cd"]["sha256"], wanted)
    served.end(130, interrupt=True)
    fleet.wait(lambda d: d["counters"]["ider_pings"] > 0, 2)
    idle.end(130, interrupt=True)


@test
def bad_files(lab):
    """what is no medium is said before anything is sent"""
    fleet = machine(lab)
    path, _ = image(lab, "a.iso", 70000)
    lab.write("empty", "")
    os.mkfifo(lab.path("pipe"))
    for name, text in ((lab.path("none"), "No such file or directory"),
                       (lab.path("empty"), "is empty"), (lab.path("home"), "is no file"),
                       (lab.path("pipe"), "is no file"), ("http://x/y.iso", "fetches no URLs")):
        if "://" in name:
            has(bad(lab.run("media", "attach", name, "a1"), 1).out, text)
        else:
            usage(lab.run("media", "attach", name, "a1"), 2, text)
            usage(lab.run("--json", "media", "attach", name, "a1"), 2, text)
    r = lab.run("media", "attach", path, "--writable", "a1")
    has(r.out, "write-protected")
    same(fleet.counters()["requests"], 0)
    for words, text in ((("mount", "x"), "is no action of media; it is one of: attach, detach, status"),
                        (("attach", "a1"), "something is missing"),
                        (("detach",), "no NODES are given"),
                        (("attach",), "something is missing"),
                        (("status", "--boot", "a1"), "go with media attach only")):
        usage(lab.run("media", *words), 2, text)


@test
def odd_media(lab):
    """what cannot be the medium that it is to be: a warning, or a refusal, before anything is sent"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    files = {"text.iso": b"root:x:0:0\n" * 100, "data.iso": disc(70000, bootable=False),
             "disk.iso": bytes(510) + b"\x55\xaa" + bytes(70000), "boots.iso": disc(70000),
             "large.img": bytes(510) + b"\x55\xaa" + bytes(3000000), "raw.img": bytes(1474560)}
    for name, data in files.items():
        with open(lab.path(name), "wb") as f:
            f.write(data)
    for name in ("text.iso", "data.iso", "disk.iso"):
        usage(lab.run("media", "attach", lab.path(name), "--boot", "a1"), 2, "no boot record of CDs")
    same(fleet.counters()["requests"], 0)
    for args, warning in ((("text.iso",), "text.iso is no image of a CD (ISO 9660, UDF)\n"),
                          (("disk.iso",), "disk.iso is no image of a CD (ISO 9660, UDF), but of a disk\n"),
                          (("data.iso",), ""), (("boots.iso",), ""), (("text.iso", "-q"), ""),
                          (("--floppy", "large.img"), "large.img is larger than the largest floppy"),
                          (("--floppy", "raw.img"), "")):
        words = [lab.path(a) if a[0] != "-" else a for a in args]
        r = lab.run("media", "attach", "--dry-run", *words, "a1")
        same(r.status, 0, r)
        if warning:
            has(r.err, warning)
        same(bool(r.err), bool(warning), r)
    r = lab.run("media", "attach", "--dry-run", "--floppy", lab.path("raw.img"), "--boot", "a1")
    has(r.err, "raw.img begins with no boot sector")


@test
def other_folders(lab):
    """a file that was named from one folder is known by its whole path in another; a narrow terminal"""
    fleet = machine(lab)
    path, _ = image(lab, "a.iso", 70000)
    t = lab.terminal("media", "attach", os.path.relpath(path), "a1")
    t.expect(f"a1: attached: {os.path.relpath(path)}")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    t.expect("\ra1: 0.1 MB read, 0.\033[K")
    has(lab.run("media", "status", "a1").out, f"image: {path}\n")
    t.send("\x03")
    same(t.end(), 130)
    fleet.idle()


@test
def faults(lab):
    """frames that make no sense end it with what was wrong; what does no harm goes on"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    for word, text in (("unknown", "an unknown redirection frame (99) during IDER"),
                       ("interleave", "frame out of place: SOL data (2A) during IDER"),
                       ("number", "a frame of IDER is lost"),
                       ("error", "the device reports an error of its IDER"),
                       ("flood", "it asks for more at a time"),
                       ("oversize", "a redirection frame too large: IDER written data (53)"),
                       ("truncate", "busy: taken over by another session")):
        served = Served(lab, path, "--no-reconnect")
        fleet.set(1, redirection_status=2, ider_send=word)
        has(served.end(1)[0], text)
        if word == "flood":
            fleet.set(1, ider_send="drain")
        fleet.idle()
        fleet.set(1, redirection_status=0)
    served = Served(lab, path)
    fleet.set(1, ider_send="heartbeat")
    for n in (1, 2):
        fleet.set(1, ider_send="ping")
        fleet.wait(lambda d, n=n: d["counters"]["ider_pongs"] == n)
    fleet.set(1, ider_send="close")
    has(served.end(1)[0], "a1: the device ended it, 0.0 MB read")


@test
def ejected(lab):
    """a medium that somebody takes out at the machine, and puts back, is told of as it happens"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    for json_too in ((), ("--json",)):
        served = Served(lab, path, *json_too)
        stream = served.proc.stdout if json_too else served.proc.stderr
        for word, told in (("eject", "ejected"), ("load", "loaded")):
            fleet.set(1, ider_send=word)
            has(served.line(stream), f"the machine has {told} the CD")
        served.end(130, interrupt=True)
        fleet.idle()


@test
def refused(lab):
    """each status of a start; what is off is switched on, and said"""
    fleet = machine(lab, "--set", "all:ider_script=none")
    path, _ = image(lab, "a.iso", 70000)
    for code, text in ((2, "busy: somebody else has its IDER session"),
                       (3, "unsupported: this machine has no IDER"),
                       (5, "consent: IDER sessions need user consent")):
        fleet.set(1, redirection_status=code)
        r = lab.run("media", "attach", path, "a1")
        bad(r, 1)
        has(r.out, text)
    fleet.set(1, redirection_status=0, redirection_state=32768, redirection_listener=0)
    served = Served(lab, path)
    _, err = served.end(130, interrupt=True)
    has(err, "a1: IDE redirection or its listener was off; it was switched on")
    same(fleet.device()["redirection_state"], 32769)


@test
def agreed(lab):
    """where somebody at the machine has to agree: --consent-code, for the medium and for booting from it"""
    fleet = machine(lab, "--set", "all:ider_script=none", "--set", "all:consent=all")
    path, _ = image(lab, "a.iso", 70000)
    same(lab.run("consent", "request", "a1").status, 0)
    fleet.wait(lambda d: d["optin_state"] == 2)
    served = Served(lab, path, "--consent-code", fleet.device()["optin_code"])
    served.end(130, interrupt=True)
    fleet.forget()
    fleet = machine(lab, "--set", "all:consent=all")
    has(bad(lab.run("media", "attach", path, "--boot", "-y", "a1"), 1).out, "error: consent: ")
    same((fleet.device()["boots"], fleet.counters()["set_power"]), (0, 0))
    same(lab.run("consent", "request", "a1").status, 0)
    fleet.wait(lambda d: d["optin_state"] == 2)
    served = Served(lab, path, "--boot", "--consent-code", fleet.device()["optin_code"])
    same(served.line(), "a1: boot: accepted\n")
    fleet.wait(lambda d: d["ider"]["booted"] == "cd")
    served.end(130, interrupt=True)
    fleet.set(1, consent="none")
    usage(lab.run("media", "attach", path, "--consent-code", "x", "a1"), 2, "is no code")


@test
def boots(lab):
    """--boot starts the machine from the medium: reset where it is on, turned on where it is off"""
    cd, cd_sum = image(lab, "a.iso", 70000)
    floppy, floppy_sum = image(lab, "a.img", 1474560)
    for state in ("on", "off"):
        fleet = machine(lab, state=state)
        served = Served(lab, cd, "--boot")
        same(served.line(), "a1: boot: accepted\n")
        fleet.wait(lambda d: d["ider"]["booted"] == "cd")
        same(done(fleet)["cd"]["sha256"], cd_sum)
        device = fleet.device()
        same((device["last_boot"], device["boots"], device["power"]), ("ider", 1, 2))
        served.end(130, interrupt=True)
        fleet.forget()
    fleet = machine(lab)
    served = Served(lab, "--floppy", floppy, "--boot")
    fleet.wait(lambda d: d["ider"]["booted"] == "floppy")
    same(done(fleet)["floppy"]["sha256"], floppy_sum)
    served.end(130, interrupt=True)
    fleet.idle()
    fleet.set(1, refuse_action="any:2")
    has(Served(lab, cd, "--boot").end(1)[0], "a1: boot: error: ")
    fleet.idle()


@test
def events(lab):
    """--json: an event a line"""
    fleet = machine(lab)
    path, _ = image(lab, "a.iso", 70000)
    served = Served(lab, path, "--json")
    done(fleet)
    good(lab.run("media", "detach", "a1"), "a1: ok")
    rows = [json.loads(line) for line in served.end(0)[0].splitlines()]
    same((rows[0]["event"], rows[0]["node"], rows[0]["cd"]), ("attached", "a1", path))
    same((rows[-1]["event"], rows[-1]["read"]), ("detached", 2 * 35 * BLOCK))


@test
def closed_pipe(lab):
    """nobody reads what it says: it ends"""
    fleet = machine(lab)
    path, _ = image(lab, "a.iso", 70000)
    out, into = os.pipe()
    os.close(out)
    with open(into, "wb") as pipe:
        proc = lab.start("media", "attach", path, "a1", stdin=subprocess.DEVNULL, stdout=pipe)
        assert proc.wait(lib.PATIENCE) not in (0, 130)
    fleet.idle()


@test
def person(lab):
    """a terminal sees how it goes on"""
    fleet = machine(lab)
    path, _ = image(lab, "a.iso", 70000)
    t = lab.terminal("media", "attach", path, "a1")
    t.expect(f"a1: attached: {path}")
    t.expect("a1: 0.1 MB read, ")
    t.expect("block 34 of the CD")
    t.send("\x03")
    t.expect("a1: detached, 0.1 MB read")
    same(t.end(), 130)
    fleet.idle()


if __name__ == "__main__":
    main()
