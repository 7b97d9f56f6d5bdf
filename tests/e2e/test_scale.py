#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many nodes: what one costs stays small and flat, and results come in their natural order."""
import os
import subprocess

from lib import has, main, same, test, test_of_memory

CLASS = """
credentials:
  k: {username: admin, password: geheim}
classes:
  c: {driver: "null", credential: k}
"""


def peak(lab, count):
    """Peak memory in kB of a status of count nodes, seen while one of them is waited for."""
    lab.inventory(CLASS + "nodes:\n  slow: {class: c, latency: 50s}\n" + "".join(
        f"  n{i}: {{class: c, address: bmc{i}}}\n" for i in range(count)))
    proc = lab.start("status", "--all", stdout=subprocess.PIPE)
    for _ in range(count):
        same(proc.stdout.readline()[-6:], b": off\n")
    with open(f"/proc/{proc.pid}/status", encoding="utf-8") as f:
        status = dict(line.split(":", 1) for line in f)
    proc.kill()
    return int(status["VmHWM"].split()[0])


@test
def natural_order(lab):
    """nodes that answer at once are told of in the order in which they were asked"""
    lab.inventory(CLASS + "nodes:\n  n[0001-2000]: {class: c}\n")
    r = lab.run("status", "--all")
    same(r.status, 0, r)
    same(r.lines, [f"n{i:04}: off" for i in range(1, 2001)])


@test
def nothing_is_held_back(lab):
    """lines leave together, but none waits for a node that is slow"""
    lab.inventory(CLASS + """
nodes:
  n[001-700]: {class: c}
  n350: {latency: 50s}
""")
    proc = lab.start("status", "--all", stdout=subprocess.PIPE, text=True)
    seen = [proc.stdout.readline() for _ in range(699)]
    same(proc.poll(), None, "still waiting")
    same(seen, [f"n{i:03}: off\n" for i in range(1, 701) if i != 350])
    proc.kill()


@test
def lines_stay_whole(lab):
    """every write ends with a line, so that other writers come between lines"""
    lab.inventory(CLASS + "nodes:\n  n[0001-3000]: {class: c}\n")
    reader, writer = os.pipe2(os.O_DIRECT)  # a pipe that keeps writes apart
    with open(reader, "rb", buffering=0) as pipe:
        proc = lab.start("status", "--all", stdout=writer)
        os.close(writer)
        parts = list(iter(lambda: pipe.read(65536), b""))
    same(proc.wait(60), 0)
    same([p for p in parts if not p.endswith(b": off\n")], [])
    same(b"".join(parts).count(b"\n"), 3000)
    assert len(parts) < 300, f"{len(parts)} writes"


@test_of_memory
def memory_stays_small(lab):
    """10,000 nodes fit into 20 MB, and a further one takes less than 1 kB"""
    small, large = peak(lab, 10000), peak(lab, 30000)
    assert small < 20 << 10, f"{small} kB for 10,000 nodes"
    assert large - small < 20000, f"{large - small} kB more for 20,000 more nodes"


FLEET = """
credentials:
  k: {username: admin, password: geheim}
classes:
  c: {driver: amt, credential: k}
nodes:
  n[0001-2000]: {class: c, address: "127.0.9.1", port: "[1001-3000]"}
"""


def held(lab):
    """The ports of the nodes that a boot device is held for, as the file has them."""
    with open(lab.path("state", "powerctl", "boot_intents"), encoding="utf-8") as f:
        return {int(line.split()[0].rsplit(":", 1)[1]) for line in f if " device=pxe" in line}


@test
def told_is_kept(lab):
    """a boot device that a line says is held is on disk, whatever becomes of the command then"""
    lab.inventory(FLEET)
    proc = lab.start("bootdev", "pxe", "--all", stdout=subprocess.PIPE, text=True)
    told = [proc.stdout.readline() for _ in range(300)]
    proc.kill()
    told += proc.stdout.readlines()
    for line in told:
        name, word = line.split(": ")[:2]
        same(word, "ok", line)
        assert 1000 + int(name[1:]) in held(lab), f"{name} was told to be held and is not"


@test
def two_commands_hold(lab):
    """two commands at once lose nothing of what they hold, and one line per node is left"""
    lab.inventory(FLEET)
    both = [lab.start("bootdev", "pxe", nodes, stdout=subprocess.DEVNULL)
            for nodes in ("n[0001-1200]", "n[0801-2000]")]
    same([proc.wait(60) for proc in both], [0, 0])
    same(held(lab), set(range(1001, 3001)))
    same(len(lab.read("state/powerctl/boot_intents").splitlines()), 2000)


@test
def mistakes_of_many(lab):
    """a mistake in one of many equal nodes is named with its place before anything is sent"""
    lab.inventory(CLASS + "nodes:\n" + "".join(
        f"  n{i}: {{class: c, address: bmc{i}{', latency: soon' if i in (500, 900) else ''}}}\n"
        for i in range(1000)))
    r = lab.run("status", "--all")
    same((r.status, r.out), (2, ""), r)
    for line in (507, 907):
        has(r.err, f"powerctl.yaml:{line}:")
    same(r.err.count("latency is not a duration"), 2, r)


main()
