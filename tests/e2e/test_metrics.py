#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl status --metrics: what is written, and what becomes of the file."""
import json
import os
import re
import select
import signal
import stat
import subprocess

from lib import PATIENCE, SOURCE, bad, has, main, many, same, test, until

NODES = """nodes:
  n[1-3]: {driver: "null", state: on}
  down: {driver: "null", state: off}
  nap: {driver: "null", state: sleep}
  "$(x);#": {driver: "null", state: off}
  lost: {driver: "null", fail_reads: auth}
  sick: {driver: "null", maintenance: "PSU"}
"""
STATES = ("on", "off", "sleep", "hibernate", "unknown")
FAMILIES = {"node_state": "gauge", "node_up": "gauge", "node_maintenance": "gauge", "node_error": "gauge",
            "nodes": "gauge", "errors": "gauge", "node_duration_seconds": "histogram", "run_success": "gauge",
            "run_duration_seconds": "gauge", "run_timestamp_seconds": "gauge", "build_info": "gauge"}


def parse(text):
    """Series by name and labels, as the text format has it; help and types are checked on the way."""
    series, kinds = {}, {}
    for line in text.splitlines():
        m = re.fullmatch(r"# (HELP|TYPE) powerctl_(\w+) (.+)", line)
        if m:
            if m[1] == "TYPE":
                kinds[m[2]] = m[3]
            continue
        m = re.fullmatch(r'powerctl_(\w+?)(?:\{((?:[a-z]+="(?:[^"\\]|\\[\\"n])*",?)+)\})? ([0-9.]+)', line)
        assert m, line
        labels = tuple(re.findall(r'[a-z]+="((?:[^"\\]|\\.)*)"', m[2] or ""))
        assert (m[1], labels) not in series, f"twice: {line}"
        series[m[1], labels] = float(m[3])
    same(kinds, FAMILIES)
    return series


@test
def what_is_written(lab):
    """states, counts, errors, durations and the run; none of a node in maintenance; the exit status is that of status"""
    lab.inventory(NODES)
    r = bad(lab.run("status", "--metrics"), 1)
    has(r.err, "1 failed (1 auth)")
    m = parse(r.out)
    wanted = {"n1": "on", "n2": "on", "n3": "on", "down": "off", "nap": "sleep", "$(x);#": "off", "lost": "unknown"}
    for node, state in wanted.items():
        same({s: m["node_state", (node, "null", s)] for s in STATES}, {s: float(s == state) for s in STATES}, node)
        same(m["node_up", (node, "null")], float(node != "lost"))
        same(m["node_maintenance", (node, "null")], 0.0)
    same([key for key in m if "sick" in key[1]], [("node_maintenance", ("sick", "null"))])
    same(m["node_maintenance", ("sick", "null")], 1.0)
    same([key for key in m if key[0] == "node_error"], [("node_error", ("lost", "null", "auth"))])
    same({s: m["nodes", (s,)] for s in (*STATES, "maintenance")},
         {"on": 3, "off": 2, "sleep": 1, "hibernate": 0, "unknown": 1, "maintenance": 1})
    same({k[1][0]: v for k, v in m.items() if k[0] == "errors" and v}, {"auth": 1.0})
    same(m["node_duration_seconds_count", ()], 7.0)
    same(m["node_duration_seconds_bucket", ("+Inf",)], 7.0)
    buckets = [v for k, v in m.items() if k[0] == "node_duration_seconds_bucket"]
    same(buckets, sorted(buckets))
    version = lab.run("--version").out.split()[1]
    same((m["run_success", ()], m["build_info", (version,)]), (0.0, 1.0))
    order = re.findall(r'node_up\{node="([^"]+)"', r.out)
    same(order, ["n1", "n2", "n3", "down", "nap", "$(x);#", "lost"], "the order of the inventory")
    r = lab.run("status", "--metrics", "n[1-3]", "sick")
    same((r.status, parse(r.out)["run_success", ()]), (0, 1.0))


@test
def slow_ones(lab):
    """the histogram counts what took how long"""
    lab.inventory('nodes:\n  a: {driver: "null", state: on}\n  b: {driver: "null", state: on, latency: 300ms}\n')
    m = parse(lab.run("status", "--metrics").out)
    same((m["node_duration_seconds_bucket", ("0.25",)] <= 1, m["node_duration_seconds_bucket", ("+Inf",)]), (True, 2.0))
    assert m["node_duration_seconds_sum", ()] >= 0.3 and m["run_duration_seconds", ()] >= 0.3, m


@test
def file(lab):
    """a file is replaced in one step, readable by all; what is no file is written to; nothing is left beside it"""
    lab.inventory(NODES)
    os.mkdir(lab.path("out"))
    path, link = lab.path("out", "powerctl.prom"), lab.path("link.prom")
    os.symlink(path, link)
    old = lab.write("out/powerctl.prom", "old\n")
    with open(old, encoding="utf-8") as reader:
        r = bad(lab.run("status", "--metrics", "-o", link, "-q"), 1)
        same((r.out, r.err), ("", ""))
        same(reader.read(), "old\n", "who reads it has the old one to its end")
    same(parse(lab.read("out/powerctl.prom"))["nodes", ("on",)], 3.0)
    assert lab.read("out/powerctl.prom").endswith("\n")
    same(stat.S_IMODE(os.stat(path).st_mode), 0o644)
    same(os.path.islink(link), True)
    same(os.listdir(lab.path("out")), ["powerctl.prom"])
    os.mkfifo(lab.path("pipe"))
    reader = os.open(lab.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
    proc = lab.start("status", "--metrics", "-o", lab.path("pipe"), "n1")
    with open(reader, encoding="utf-8") as pipe:
        same(proc.wait(PATIENCE), 0)
        same(parse(pipe.read())["nodes", ("on",)], 1.0)
    same(stat.S_ISFIFO(os.stat(lab.path("pipe")).st_mode), True)


@test
def no_file(lab):
    """what cannot be written is told before anything is asked, or is a failure; options that do not go together"""
    lab.inventory(NODES)
    for words, said in ((["-o", "f"], "--output goes with --metrics"), (["--metrics", "--json"], "exclude each other"),
                        (["--metrics", "--fold"], "exclude each other"),
                        (["--metrics", "-o", lab.path()], "is a folder"), (["--metrics", "-o", ""], "is empty"),
                        (["--metrics", "-o", lab.path("none", "f")], "no file can be made")):
        r = bad(lab.run("status", *words), 2)
        has(r.err, said)
    os.mkfifo(lab.path("pipe"))  # which nobody reads
    r = bad(lab.run("status", "--metrics", "-q", "-o", lab.path("pipe"), "n1"), 1)
    has(r.err, "pipe cannot be written: ")
    bad(lab.run("on", "--metrics", "n1"), 2)


@test
def interrupted(lab):
    """after ^C the file is the old one, and there is no other"""
    lab.inventory('nodes:\n  a: {driver: "null", latency: 1h, timeouts: {read: 1h}}\n')
    os.mkdir(lab.path("out"))
    path = lab.write("out/p.prom", "old\n")
    failed = lab.write("state/powerctl/failed", "a\n")
    proc = lab.start("status", "--metrics", "--timeout", "1h", "-o", path, stderr=subprocess.PIPE, text=True)
    until("it has begun, and hears signals", lambda: not os.path.exists(failed))
    proc.send_signal(signal.SIGINT)
    _, err = proc.communicate(timeout=PATIENCE)
    same(proc.returncode, 130, err)
    has(err, f"powerctl: {path} is left as it was\n")
    same((lab.read("out/p.prom"), os.listdir(lab.path("out"))), ("old\n", ["p.prom"]))


@test
def fleet(lab):
    """thousands of machines are one file, each of them in it once; a pipe takes as much in its own time"""
    count = many(4000)
    lab.inventory(f'nodes:\n  n[1-{count}]: {{driver: "null", state: on}}\n')
    m = parse(lab.run("status", "--metrics").out)
    same((m["nodes", ("on",)], sum(key[0] == "node_up" for key in m)), (count, count))
    os.mkfifo(lab.path("pipe"))
    reader = os.open(lab.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
    proc = lab.start("status", "--metrics", "-o", lab.path("pipe"))
    select.select([reader], [], [], PATIENCE)
    os.set_blocking(reader, True)
    with open(reader, encoding="utf-8") as pipe:
        same(parse(pipe.read())["nodes", ("on",)], count)
    same(proc.wait(PATIENCE), 0)


@test
def names(lab):
    """alerts and dashboard ask for metrics and labels that exist"""
    lab.inventory(NODES)
    known = set(re.findall(r"^(powerctl_\w+)", lab.run("status", "--metrics").out, re.MULTILINE))
    folder = os.path.join(SOURCE, "contrib", "prometheus")
    for name in ("powerctl.rules.yml", "powerctl.rules.test.yml", "powerctl-dashboard.json", "README.md"):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = f.read()
        used = set(re.findall(r"\bpowerctl_[a-z_]+", text)) - {"powerctl_node_duration_seconds"}
        assert used and used <= known, f"{name}: {used - known}"
    with open(os.path.join(folder, "powerctl-dashboard.json"), encoding="utf-8") as f:
        panels = json.load(f)["panels"]
    same(len({p["id"] for p in panels}), len(panels))
    assert all(t["expr"] for p in panels for t in p["targets"])


if __name__ == "__main__":
    main()
