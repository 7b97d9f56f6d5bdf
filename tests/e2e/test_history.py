#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl history: what commands write down, and what is made of it."""
import json
import os
import resource
import signal
import subprocess

from lib import POWERCTL, good, has, main, many, same, test, until

INVENTORY = """
credentials: {c: {username: root, password: geheim17}}
classes: {m: {driver: "null", transition: 1ms, timeouts: {poll: 20ms}}}
nodes:
  n[1-4]: {class: m, state: on, state_file: "MACHINES/n[1-4]"}
  down: {class: m, fail_reads: refused}
  out: {class: m, maintenance: "PSU out"}
  kept: {class: m, state: on, protected: "file server"}
  slow: {class: m, state: on, transition: 1h, state_file: "MACHINES/slow"}
groups: {rack: "n[1-2]"}
"""
KEYS = ["v", "time", "run", "user", "sudo_user", "pid", "host", "caller", "verb", "request", "node",
        "driver", "outcome", "ok", "state", "changed", "confirmed", "attempts", "elapsed_ms",
        "error", "warning"]


def inventory(lab):
    os.mkdir(lab.path("machines"))
    lab.inventory(INVENTORY.replace("MACHINES", lab.path("machines")))


def written(lab):
    """What is in the file, as it is."""
    try:
        return [json.loads(line) for line in lab.read("state/powerctl/history.jsonl").splitlines()]
    except FileNotFoundError:
        return []


def brief(lines):
    return [(e["verb"], e["node"], e["outcome"], e["changed"]) for e in lines]


@test
def what_is_written(lab):
    """one line for each node of a verb that changes, whatever came of it; nothing of what reads"""
    inventory(lab)
    lab.run("status", "-a")
    lab.run("off", "--dry-run", "n1")
    lab.run("boot", "pxe", "n1", "--sort", "--bogus")
    same(written(lab), [])
    r = lab.run("history")
    same((r.status, r.out, r.err), (0, "", "powerctl: nothing was written down yet\n"))
    lab.run("off", "n1", "down", "out", "kept", "--caller", "site/night")
    lab.run("on", "n2", env={"POWERCTL_CALLER": "slurm"})  # is on
    lab.run("boot", "http", "--url", "http://u:geheim17@h/x", "n1", env={"SUDO_USER": "anna"})
    found = written(lab)
    same(sorted(brief(found)), [
        ("boot", "n1", "on", True), ("off", "down", "error", False), ("off", "kept", "error", False),
        ("off", "n1", "off", True), ("off", "out", "skipped", False), ("on", "n2", "on", False)])
    for e in found:
        same(list(e), KEYS)
    by_node = {e["node"]: e for e in found if e["verb"] == "off"}
    same((by_node["n1"]["ok"], by_node["n1"]["state"], by_node["n1"]["error"]), (True, "off", None))
    same({e["run"] for e in by_node.values()}, {by_node["n1"]["run"]}, "one run, one id")
    same((by_node["down"]["ok"], by_node["down"]["state"]), (False, None))
    same(by_node["down"]["error"]["class"], "refused")
    same(by_node["out"]["ok"], True)
    same(by_node["kept"]["error"]["class"], "forbidden")
    same({e["caller"] for e in found}, {"site/night", "slurm", None})
    boot = found[-1]
    same((boot["sudo_user"], boot["request"]), ("anna", {"device": "http"}))
    same("geheim17" in lab.read("state/powerctl/history.jsonl"), False, "a secret")
    same(os.stat(lab.path("state/powerctl/history.jsonl")).st_mode & 0o777, 0o600)


@test
def how_it_is_shown(lab):
    """aligned, folded, chosen by node, time and number; JSON as it was written"""
    inventory(lab)
    lab.run("off", "n[1-3]")
    lab.run("--caller", "slurm", "on", "n1", "down")
    plain = lab.run("history").lines
    same(len(plain), 5)
    same(len({line.index("off") for line in plain[:3]}), 1, "columns")
    folded = lab.run("history", "--fold").lines
    same([line.split("  ")[-1] for line in folded if " off " in line], ["n[1-3]: off"])
    has(lab.run("history", "down").out, "  on  down: error: refused: ")
    has(lab.run("history", "--fold", "n1").out, "slurm  on   n1: on\n")
    same(len(lab.run("history", "@rack", "n9").lines), 3)
    same(len(lab.run("history", "-n", "2").lines), 2)
    same(lab.run("history", "-n1").out.split(), plain[-1].split())
    same(lab.run("history", "--json").json, written(lab))
    same(len(lab.run("history", "--since", "1h").lines), 5)
    same(lab.run("history", "--since", "2999-01-01").out, "")
    has(lab.run("history", "--since", "2999-01-01 10:00").err, "nothing was written down yet since")
    with open(lab.path("state/powerctl/history.jsonl"), "a", encoding="utf-8") as f:
        f.write('{"v":1,"node":\n[]\n')
    r = lab.run("history")
    same((r.status, r.lines), (0, plain))
    has(r.err, "2 lines of the history cannot be read and are left out")
    with open(lab.path("state/powerctl/history.jsonl"), "r+", encoding="utf-8") as f:
        f.truncate(len(f.read()) - len("[]\n"))
    has(lab.run("history").err, "1 line of the history cannot be read and is left out")
    same(lab.run("history", "-q").err, "")


@test
def for_programs(lab):
    """the newest line of each node: when was it started, and what came of it"""
    inventory(lab)
    lab.run("off", "n[1-2]")
    lab.run("on", "n1")
    lab.run("on", "n1", "n3")
    found = {e["node"]: e for e in lab.run("history", "--last", "start", "--json", "n[1-3]", "gone").json}
    same(sorted(found), ["gone", "n1", "n2", "n3"])
    same((found["n1"]["verb"], found["n1"]["changed"], found["n1"]["ok"]), ("on", True, True))
    for name in ("n2", "n3", "gone"):  # n3 was on: nothing was sent
        same(found[name]["time"], None)
        same(sorted(found[name]), sorted(KEYS))
    same([e["changed"] for e in lab.run("history", "--last", "on", "--json", "n1").json], [False])
    same([e["verb"] for e in lab.run("history", "--last", "any", "--json").json].count("on"), 2)
    has(lab.run("history", "--last", "off", "n3").out, "n3: never")
    for words, part in ((("--last", "strat"), "did you mean 'start'?"), (("--last", "status"), "no verb that"),
                        (("--since", "1x"), "--since: '1x' is neither"), (("-n", "0"), "not a number from 1"),
                        (("@rock",), "did you mean 'rack'?")):
        r = lab.run("history", *words)
        same((r.status, r.out), (2, ""))
        has(r.err, part)


@test
def two_at_once_and_many(lab):
    """two commands at a time, thousands of nodes: each has its line, once"""
    size = many(10000)
    lab.inventory(f'nodes: {{"c[1-{size}]": {{driver: "null"}}}}')
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        runs = [lab.start("on", "-a", "--caller", f"run{i}", stdout=nowhere) for i in range(2)]
        for run in runs:
            same(run.wait(60), 0)
    found = [(e["caller"], e["node"]) for e in lab.run("history", "--json").json]
    same(len(found), 2 * size)
    same(len(set(found)), 2 * size)
    same(len(lab.run("history", "--fold").lines), 2)


@test
def nowhere_to_write(lab):
    """a state folder that cannot be used is told of once; the verb goes on and succeeds"""
    inventory(lab)
    lab.write("nofolder", "")
    r = lab.run("off", "n[1-3]", env={"XDG_STATE_HOME": lab.path("nofolder")})
    good(r, "n1: off", "n2: off", "n3: off")
    same(r.err.count("missing in the history"), 1)
    has(r.err, "missing in the history: ")
    limit = ["bash", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "bash"]
    r = subprocess.run([*limit, POWERCTL, "on", "n1"], env=lab.env, capture_output=True, text=True,
                       timeout=60, check=False)
    same((r.returncode, r.stdout), (0, "n1: on\n"))
    has(r.stderr, "missing in the history: " + lab.path("state/powerctl/history.jsonl"))


@test
def interrupted(lab):
    """what was in flight when somebody lost patience is written down as that"""
    inventory(lab)
    run = lab.start("off", "slow", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    until("it was sent", lambda: os.path.exists(lab.path("machines/slow")))
    run.send_signal(signal.SIGINT)
    same(run.wait(60), 130)
    e, = written(lab)
    same((e["outcome"], e["ok"], e["error"]["class"]), ("error", False, "canceled"))


@test
def limited_file(lab):
    """where files may not grow it is said once, and the verb does what it was told"""
    inventory(lab)
    proc = lab.start("off", "n[1-4]", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                     env={"XDG_RUNTIME_DIR": lab.path("run")},
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)))
    out, err = proc.communicate(timeout=60)
    same((proc.returncode, sorted(out.splitlines())), (0, [f"n{n}: off" for n in range(1, 5)]), err)
    same(err.count("is missing in the history"), 1, err)


if __name__ == "__main__":
    main()
