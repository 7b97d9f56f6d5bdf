#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several machines behind one endpoint, with the null driver: who waits, and what is whose."""
import re
import signal
import subprocess

from lib import PATIENCE, has, main, same, test, until

STRIP = """
classes:
  strip: {driver: "null", address: strip, certificate: aa, latency: 20ms}
nodes:
  n[1-8]: {class: strip, unit: "[1-8]", uuid: "u[1-8]"}
  again: {class: strip, unit: 1, uuid: u1}
  stuck[1-2]: {class: strip, unit: "[1-2]", fail: hang}
  w[1-4]: {driver: "null", address: whole, latency: 20ms}
"""


def at_once(trace):
    """The most ops that were in flight, and whether any two of a node or its namesake were."""
    going, most = [], 0
    for node, end in re.findall(r"^trace (\w+): power\.get(:? )", trace, re.M):
        if end == " ":
            going.append(node)
        else:
            going.remove(node)
        most = max(most, len(going))
        assert not {"n1", "again"} <= set(going), f"one machine twice at once:\n{trace}"
    same(going, [], trace)
    return most


@test
def two_at_a_time(lab):
    """so many machines of an endpoint at a time as the driver says, one where none has a unit"""
    lab.inventory(STRIP)
    r = lab.run("--trace", "status", "n[1-8],again")
    same((len(r.lines), r.status, at_once(r.err)), (9, 0, 2), r)
    r = lab.run("--trace", "status", "--fanout", "1", "n[1-8]")
    same((len(r.lines), r.status, at_once(r.err)), (8, 0, 1), r)
    r = lab.run("--trace", "status", "w[1-4]")
    same((len(r.lines), r.status, at_once(r.err)), (4, 0, 1), r)


@test
def locks(lab):
    """a machine that is being worked on keeps its namesake waiting, and not its neighbour"""
    lab.inventory(STRIP)
    first = lab.start("on", "stuck1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    waiting = f"again: waiting for [^\n]*, powerctl on, pid {first.pid}\n"
    locked = lab.path("locked.err")

    def is_locked():
        """Whether a command for the same machine says so; it waits no longer than for that."""
        with open(locked, "wb") as err:
            second = lab.start("off", "again", stdout=subprocess.DEVNULL, stderr=err)
        said = until("it ends or waits", lambda: second.poll() is not None or
                     re.search(waiting, lab.read("locked.err")))
        second.send_signal(signal.SIGINT)
        second.wait(PATIENCE)
        return said is not True
    until("the first has the lock", is_locked)
    same(lab.run("on", "n2").out, "n2: on\n")
    same(first.poll(), None)
    first.send_signal(signal.SIGINT)
    first.wait(PATIENCE)
    same(lab.run("on", "n1").out, "n1: on\n")


@test
def trust(lab):
    """the certificate is the endpoint's, the uuid the machine's: shown, accepted, forgotten so"""
    lab.inventory(STRIP)
    same(lab.run("status", "n[1-2]").status, 0)
    same(lab.run("trust", "n[1-2]").lines, ["n1: tls aa (shared)", "n1: uuid u1",
                                            "n2: tls aa (shared)", "n2: uuid u2"])
    same(lab.run("trust", "--json", "n2").json[0]["pins"],
         [{"kind": "tls", "value": "aa", "shared": True}, {"kind": "uuid", "value": "u2"}])

    lab.inventory(STRIP.replace("u[1-8]", "v[1-8]"))
    r = lab.run("status", "--sort", "n[1-3]")
    same([line.split(":")[2] for line in r.lines[:2]], [" trust", " trust"], r)
    same(r.lines[2], "n3: off")
    same(lab.run("trust", "--accept", "n1").out, "n1: ok: 1 accepted\n")
    same(lab.run("status", "n1").out, "n1: off\n")
    has(lab.run("status", "n2").out, "n2: unknown: trust:")

    lab.inventory(STRIP.replace("aa", "bb").replace("u[1-8]", "v[1-8]"))
    has(lab.run("status", "n4").out, "n4: unknown: trust: its certificate")
    same(lab.run("trust", "--accept", "n[4-5]").lines,
         ["n4: ok: 1 accepted", "n5: ok: nothing to be accepted"])
    same(lab.run("status", "n5").out, "n5: off\n")
    same(lab.run("trust", "--forget", "--yes", "n1").out, "n1: ok: 2 forgotten\n")
    same(lab.run("trust", "n2").lines, ["n2: uuid u2; last refused: v2"])


@test
def without_unit(lab):
    """known_devices keeps its keys where the endpoint is the machine"""
    lab.inventory('nodes: {a1: {driver: "null", address: one, certificate: aa, uuid: u1}}\n')
    same(lab.run("status", "a1").status, 0)
    same(lab.run("trust", "a1").lines, ["a1: tls aa", "a1: uuid u1"])
    has(lab.read("state/powerctl/known_devices"), "null:one tls=aa uuid=u1\n")


if __name__ == "__main__":
    main()
