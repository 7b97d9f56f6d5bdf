#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What all verbs that open a stream have in common: nodes that are passed over, dry runs, who has
the session, and what becomes of one that others have ended. Against powerctl-amtsim."""
import json
import os
import signal
import socket
import subprocess

from amtlib import ConsoleFleet, disc
from lib import PATIENCE, bad, good, has, main, same, test, until

QUICK = "connect: 3s, answer: 3s, read: 8s"
SMALL = ("--set", "all:kvm_width=200", "--set", "all:kvm_height=150", "--set", "all:ider_script=none")


def machines(lab, *args, devices=1, **knobs):
    words = [word for k, v in knobs.items() for word in ("--set", f"all:{k}={v}")]
    return ConsoleFleet(lab, "--state", "on", *SMALL, *words, *args, timeouts=QUICK,
                        devices=devices)


def medium(lab, name="a.iso", data=None):
    path = lab.path(name)
    with open(path, "wb") as f:
        f.write(disc(70000) if data is None else data)
    return path


def sessions(fleet):
    return fleet.counters()["redir_connections"], fleet.counters()["requests"]


@test
def passed_over(lab):
    """a node in maintenance is a line that says so and status 0, whatever was to be opened"""
    fleet = machines(lab)
    good(lab.run("set", "maintenance=PSU out", "a1"))
    picture = lab.path("x.png")
    for args in (("kvm", "a1"), ("kvm", "--socket", lab.path("s"), "a1"),
                 ("kvm", "--screenshot", picture, "a1"), ("media", "attach", medium(lab), "a1"),
                 ("consent", "status", "a1"), ("consent", "request", "a1")):
        good(lab.run(*args), "a1: skipped: PSU out")
        r = lab.run("--json", *args)
        one = r.json[0]
        same((r.status, len(r.lines), one["ok"], one["error"]["class"]), (0, 1, True, "skipped"), r)
    r = lab.run("console", "a1", stdin="x")
    same((r.status, r.out, r.err), (0, "", "powerctl: a1: skipped: PSU out\n"))
    same(sessions(fleet), (0, 0))
    assert not os.path.exists(picture) and not os.path.exists(lab.path("s"))


@test
def dry_runs(lab):
    """--dry-run opens nothing, switches nothing on and writes nothing"""
    fleet = machines(lab, kvm=0)
    for args, would in ((("kvm", "a1"), "open its screen"),
                        (("kvm", "--socket", lab.path("s"), "a1"), "open its screen"),
                        (("kvm", "--screenshot", lab.path("x.png"), "a1"), "open its screen"),
                        (("kvm", "--screenshot", lab.path("x") + "/", "a1"), "open its screen"),
                        (("media", "attach", medium(lab), "a1"), "attach the media"),
                        (("consent", "request", "a1"), "have it show a code")):
        r = lab.run(*args, "--dry-run")
        same((r.status, r.err, len(r.lines)), (0, "", 1), r)
        has(r.out, "a1: ok: would " + would)
        one = lab.run("--json", *args, "--dry-run").json[0]
        has(one["result"]["note"], "would " + would)
    same(sessions(fleet), (0, 0))
    same([p for p in ("s", "x.png", "x") if os.path.exists(lab.path(p))], [])
    r = lab.run("media", "attach", medium(lab), "--boot", "a1", "--dry-run")
    good(r, "a1: ok: would attach the media", "a1: boot: ok: would send 'reset'; it is on")
    same(sessions(fleet)[0], 0)


@test
def looked_at_first(lab):
    """what guards a node, and what its driver cannot, is said before anything is switched on"""
    fleet = machines(lab, redirection_state=32768)
    good(lab.run("set", "protected=mine", "a1"))
    for args in (("media", "attach", medium(lab), "--boot", "a1"), ("console", "--boot", "a1")):
        r = lab.run(*args)
        same(r.status, 1, r)
        has(r.out + r.err, "forbidden: protected, --protected overrides: mine")
    same((sessions(fleet), fleet.device()["redirection_state"]), ((0, 0), 32768))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        good(lab.run("set", "protected=", f"port={mute.getsockname()[1]}", "a1"))
        mute.settimeout(PATIENCE)
        for args in (("media", "attach", medium(lab), "--boot"), ("console", "--boot")):
            proc = lab.start(*args, "a1", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
            with mute.accept()[0]:
                proc.send_signal(signal.SIGINT)
                out, err = proc.communicate(timeout=PATIENCE)
            same((proc.returncode, out), (130, ""), err)


@test
def written_nowhere(lab):
    """standard output that takes nothing is named"""
    lab.inventory('nodes:\n  n1: {driver: "null"}\n')
    with open("/dev/full", "w", encoding="utf-8") as full:
        served = lab.start("media", "attach", medium(lab), "n1", stdout=full,
                           stderr=subprocess.PIPE, text=True)
        _, err = served.communicate(timeout=PATIENCE)
    same(served.returncode, 1)
    has(err, "standard output cannot be written: ")


class Attached:
    """A powerctl that serves a medium to a machine of the null driver."""

    def __init__(self, lab, *args):
        self.proc = lab.start("media", "attach", medium(lab), *args, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)

    def end(self):
        out, err = self.proc.communicate(timeout=PATIENCE)
        return self.proc.returncode, out, err


@test
def served_here(lab):
    """what the powerctl that serves a medium does for `media detach` is a verb's as any other"""
    lab.inventory('nodes:\n  n1: {driver: "null", address: bmc, unit: a}\n'
                  '  n2: {driver: "null", address: bmc, unit: b}\n'
                  '  same: {driver: "null", address: bmc, unit: a}\n'
                  '  away: {driver: "null", address: bmc, unit: a, maintenance: PSU out}\n')
    served = Attached(lab, "n1")
    has(served.proc.stdout.readline(), "n1: attached: ")
    # Another name of the machine is that machine, another machine behind the address is not, and
    # neither is a node that is not to be touched.
    good(lab.run("media", "detach", "--dry-run", "n1"), "n1: ok: would detach the media")
    r = lab.run("media", "detach", "--sort", "away", "n2")
    same((r.status, r.lines), (0, ["n2: ok", "away: skipped: PSU out"]), r)
    r = lab.run("media", "status", "--sort", "--json", "n1", "n2")
    same([one["result"].get("pid") for one in r.json], [served.proc.pid, None])
    r = lab.run("media", "detach", "--json", "same")
    same([(one["node"], one["verb"], one["changed"]) for one in r.json],
         [("same", "media detach", True)])
    status, out, _ = served.end()
    same((status, out.splitlines()[-1]), (0, "n1: detached, 0.0 MB read"))
    done = [(e["node"], e["outcome"]) for e in
            lab.run("history", "--json", "--last", "media detach").json]
    same(sorted(done), [("away", "skipped"), ("n2", "ok"), ("same", "ok")])


@test
def not_started(lab):
    """--boot that cannot begin ends it, and so does ^C in a hook behind the attaching"""
    hook = lab.write("hook", "#!/bin/sh\n:\n")
    os.chmod(hook, 0o777)
    node = 'nodes:\n  n1: {driver: "null", state: on}\n'
    lab.inventory(f"hooks:\n  h: {{before: boot, run: {hook}}}\n{node}")
    status, out, err = Attached(lab, "--boot", "n1").end()
    same((status, out), (2, ""), err)
    has(err, "hook 'h': ")
    os.chmod(hook, 0o755)
    spoil = lab.write("spoil", f"#!/bin/sh\nchmod 777 {hook}\n")
    os.chmod(spoil, 0o755)
    lab.inventory(f"hooks:\n  h: {{before: boot, run: {hook}}}\n"
                  f"  s: {{before: media attach, run: {spoil}}}\n{node}")
    status, out, err = Attached(lab, "--boot", "n1").end()
    same((status, out.splitlines()[1:]), (1, ["n1: detached, 0.0 MB read"]), err)
    has(err, "hook 'h': ")
    begun = lab.path("begun")
    os.mkfifo(begun)
    slow = lab.write("slow", f"#!/bin/sh\n: >{begun}\nexec sleep 60\n")
    os.chmod(slow, 0o755)
    lab.inventory(f"hooks:\n  h: {{after: media attach, run: {slow}}}\n{node}")
    served = Attached(lab, "--boot", "n1")
    with open(begun, encoding="utf-8"):
        served.proc.send_signal(signal.SIGINT)
    same(served.end()[0], 130)
    same({e["verb"] for e in lab.run("history", "--json").json}, {"media attach"})


@test
def console_switched_off(lab):
    """SOL that is switched off while a console is open is left off, and the console is lost"""
    fleet = machines(lab)
    t = lab.terminal("console", "a1")
    t.expect("amt1> ")
    fleet.set(1, redirection_state=32769, redirection_drop=1)
    t.expect("trying again in 1 s")
    t.expect("powerctl: a1: refused: SOL or its listener was switched off meanwhile")
    same((t.end(), fleet.device()["redirection_state"]), (1, 32769))


@test
def consent_again(lab):
    """a console that is lost together with its consent is asked for a new code at its terminal"""
    fleet = machines(lab, ccm=1)
    same(lab.run("consent", "request", "a1").status, 0)
    fleet.wait(lambda d: d["optin_state"] == 2)
    t = lab.terminal("console", "--consent-code", fleet.device()["optin_code"], "a1")
    t.expect("amt1> ")
    t.wait_echo(False)
    # A code holds once, and the one that was given is not tried again.
    same(lab.run("consent", "cancel", "a1").status, 0)
    fleet.set(1, redirection_drop=1)
    t.expect("trying again in 1 s")
    t.expect("code (empty: none): ")
    t.wait_echo(True)
    os.kill(t.proc.pid, signal.SIGCONT)
    t.expect("a1: somebody there has to agree")
    t.expect("code (empty: none): ")
    fleet.wait(lambda d: d["optin_state"] == 2)
    t.send(fleet.device()["optin_code"] + "\n")
    t.expect("amt1> ")
    t.wait_echo(False)
    # ^C at the question is the end, with nothing left on that screen.
    same(lab.run("consent", "cancel", "a1").status, 0)
    fleet.set(1, redirection_drop=1)
    t.expect("code (empty: none): ")
    fleet.wait(lambda d: d["optin_state"] == 2)
    t.send("\x03")
    same(t.end(), 130)
    fleet.wait(lambda d: d["optin_state"] == 0)


if __name__ == "__main__":
    main()
