#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/fence/fence_powerctl as clusters and Cobbler call it: by key=value on standard input."""
import concurrent.futures
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import types

import lib
from lib import POWERCTL, SOURCE, has, main, same, skip, test

AGENT = os.path.join(SOURCE, "contrib", "fence", "fence_powerctl")
SCHEMA = "/usr/share/cluster/relaxng/metadata.rng"
FLEET = """nodes:
  n1: {driver: "null", state_file: n1.state}
  n2: {driver: "null", state: on, state_file: n2.state}
  dead: {driver: "null", fail_reads: unreachable}
  denied: {driver: "null", fail_reads: auth}
  liar: {driver: "null", state: on, lie: on}
  stuck: {driver: "null", state: on, fail: refused}
  slow: {driver: "null", state: on, latency: 600s}
  asleep: {driver: "null", state: sleep}
  blind: {driver: "null", fail_reads: protocol}
  sick: {driver: "null", state: on, state_file: sick.state, maintenance: "PSU out"}
  safe: {driver: "null", state: on, state_file: safe.state, protected: "file server"}
"""


def call(lab, *words, **keys):
    """The agent with key=value lines, or with options; (status, stdout, stderr)."""
    keys.setdefault("powerctl_path", POWERCTL)
    text = "".join(f"{key}={value}\n" for key, value in keys.items())
    options = [*words, "--powerctl-path", POWERCTL] if words else []
    done = subprocess.run([AGENT, *options], input=text, env=lab.env, capture_output=True, text=True,
                          timeout=lib.PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr


def fleet(lab):
    lab.inventory(FLEET)


def state(lab, name):
    return lab.read(f"config/powerctl/{name}.state").strip()


@test
def metadata(lab):
    """its metadata is as Pacemaker's schema wants it, and names the actions and parameters it has"""
    status, out, err = call(lab, action="metadata")
    same((status, err), (0, ""))
    for part in ('name="plug"', 'name="port"', 'name="nodename"', '<action name="list-status"',
                 '<action name="on" automatic="0"', 'name="lock_wait"'):
        has(out, part)
    same(call(lab, "-o", "metadata")[1], out)
    if not shutil.which("xmllint") or not os.path.exists(SCHEMA):
        skip("metadata.rng: xmllint or fence-agents is not installed")
    path = lab.write("metadata.xml", out)
    done = subprocess.run(["xmllint", "--noout", "--relaxng", SCHEMA, path], capture_output=True, text=True,
                          check=False)
    same(done.returncode, 0, done.stderr)


@test
def actions(lab):
    """on, off, reboot, status, monitor, list, list-status, validate-all: words, exit statuses, hardware"""
    fleet(lab)
    same(call(lab, action="status", plug="n1")[:2], (2, "Status: OFF\n"))
    same(call(lab, action="on", plug="n1")[:2], (0, "Success: Powered ON\n"))
    same((call(lab, action="status", port="n1")[:2], state(lab, "n1")), ((0, "Status: ON\n"), "on"))
    same((call(lab, action="off", nodename="n1")[:2], state(lab, "n1")), ((0, "Success: Powered OFF\n"), "off"))
    # As it was called once; were it not known, this would be the default, a reboot.
    same((call(lab, option="off", port="n2")[:2], state(lab, "n2")), ((0, "Success: Powered OFF\n"), "off"))
    same(call(lab, option="on", port="n2")[0], 0)
    same((call(lab, plug="n1")[:2], state(lab, "n1")), ((0, "Success: Rebooted\n"), "on"))
    same(call(lab, "-o", "off", "--plug=n[1-2]")[:2], (0, "Success: Powered OFF\n"))
    same((state(lab, "n1"), state(lab, "n2")), ("off", "off"))
    names = [line.split(":")[0].strip() for line in FLEET.splitlines()[1:]]
    same(call(lab, action="list")[:2], (0, "".join(f"{name},\n" for name in names)))
    rows = call(lab, action="list-status", shell_timeout=1)
    same(rows[0], 0)
    for row in ("n1,,OFF", "liar,,ON", "dead,,UNKNOWN", "slow,,UNKNOWN", "asleep,,ON", "blind,,UNKNOWN"):
        assert row in rows[1].splitlines(), (row, rows)
    for action in ("monitor", "validate-all", "start", "stop"):
        same(call(lab, action=action)[:2], (0, ""), action)
    same(call(lab, action="monitor", plug="n1")[:2], (0, ""))
    same(call(lab, action="monitor", plug="dead")[:2], (4, ""))


@test
def interrupted(lab):
    """^C while powerctl runs: one line, and no traceback"""
    slow = lab.write("slow", f"#!/bin/sh\n: >{lab.path('begun')}\nexec sleep 600\n", 0o755)
    with subprocess.Popen([AGENT, "-o", "off", "-n", "n1", "--powerctl-path", slow], stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, env=lab.env, text=True) as proc:
        lib.until("it runs powerctl", lambda: os.path.exists(lab.path("begun")))
        proc.send_signal(signal.SIGINT)
        same((proc.stderr.read(), proc.wait(lib.PATIENCE)),
             ("fence_powerctl: interrupted: `powerctl status` says what became of it\n", 130))


@test
def nobody_reads(lab):
    """a closed pipe, a full disk and no output at all: no traceback; a machine that is off stays a success"""
    lab.inventory('nodes:\n  n[00001-20000]: {driver: "null", state: on}\n')

    def ask(action, how, *words):
        with subprocess.Popen(["sh", "-c", f'exec "$@" {how}', "sh", AGENT, "-o", action, "--powerctl-path", POWERCTL,
                               *words], env=lab.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as proc:
            proc.stdout.close()  # before it says anything
            said = proc.stderr.read()
            return proc.wait(lib.PATIENCE), said

    full = "fence_powerctl: standard output: No space left on device\n"
    for action, status in (("list", 1), ("metadata", 1), ("off", 0)):
        words = ("-n", "n00001") if action == "off" else ()
        same(ask(action, "", *words), (status, ""), action)
        same(ask(action, ">/dev/full", *words), (status, full), action)
        same(ask(action, ">&-", *words), (status, ""), action)
    same(ask("off", "2>/dev/full", "-n", "n9")[0], 1)
    # One that reads the beginning of much.
    for unbuffered in ("", "1"):
        with subprocess.Popen([AGENT, "-o", "list", "--powerctl-path", POWERCTL], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**lab.env, "PYTHONUNBUFFERED": unbuffered}) as proc:
            same(proc.stdout.readline(), b"n00001,\n")
            proc.stdout.close()
            same((proc.stderr.read(), proc.wait(lib.PATIENCE)), (b"", 1))


@test
def cobbler(lab):
    """as Cobbler calls it: its keys, an empty plug, its own; Status: ON and OFF alone on a line"""
    fleet(lab)
    given = {"ip": "n2", "username": "admin", "password": "s3cret", "plug": "", "power_options": "x=y",
             "identity_file": "/root/.ssh/id"}
    same(call(lab, action="status", **given), (0, "Status: ON\n", ""))
    same((call(lab, action="off", **given)[0], state(lab, "n2")), (0, "off"))
    same(call(lab, action="status", **given), (2, "Status: OFF\n", ""))
    status, out, err = call(lab, action="on", verbose="1", **given)
    same((status, state(lab, "n2")), (0, "on"))
    assert "s3cret" not in out + err, err


@test
def doubts(lab):
    """whatever is not a confirmed off is a failure: dead, lying, silent, blind, asleep, skipped, protected"""
    fleet(lab)
    quick = {"power_timeout": 1, "shell_timeout": 1}
    cases = [("dead", "status", 4), ("dead", "off", 4), ("dead", "reboot", 4), ("denied", "status", 3),
             ("denied", "off", 3), ("liar", "off", 7), ("stuck", "off", 7), ("stuck", "reboot", 7), ("slow", "off", 7),
             ("slow", "status", 5), ("blind", "off", 7), ("blind", "on", 6), ("n[1-2],dead", "off", 4),
             ("n[1-2],dead", "status", 4), ("safe", "off", 11)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda c: call(lab, action=c[1], plug=c[0], lock_wait=60, **quick), cases))
    for (plug, action, status), found in zip(cases, answers):
        same(found[:2], (status, ""), f"{action} {plug}: {found}")
        has(found[2], "fence_powerctl: ")
    same(call(lab, action="status", plug="asleep")[:2], (0, "Status: ON\n"))
    same((call(lab, action="off", plug="sick")[0], state(lab, "sick")), (0, "off"))
    same((call(lab, action="off", plug="safe", protected="yes")[0], state(lab, "safe")), (0, "off"))


@test
def names_from_outside(lab):
    """names that are no nodes are refused, and are never options, groups or URLs; so are odd values"""
    fleet(lab)
    for plug in ("-x", "--yes", "@all", "%t", "*", "null://x", "n9", "n[1-", "n1 n2", "n1!n2", "$(id)", "-"):
        for action in ("off", "status"):
            found = call(lab, action=action, plug=plug)
            same(found[:2], (1, ""), f"{action} {plug}: {found}")
    for keys in ({"action": "off"}, {"action": "of", "plug": "n1"}, {"plug": "n1", "delay": "-1"},
                 {"plug": "n1", "power_timeout": "1e9"}, {"plug": "n1", "protected": "maybe"},
                 {"plug": "n1", "inventory": "/nowhere"}, {"plug": "n1", "powerctl_path": "/nowhere"}):
        found = call(lab, **keys)
        same(found[:2], (1, ""), keys)
        has(found[2], "fence_powerctl: ")
    same(call(lab, "--plugs", "n1")[0], 1)
    same(call(lab, "-o", "off", "n1")[0], 1)
    same([name for name in os.listdir(lab.path("config/powerctl")) if name.endswith(".state")], [])


FAKE = """#!/bin/sh
echo "$*" >>{log}
case $1 in
{cases}
esac
"""


def row(**keys):
    return "echo '" + json.dumps({"node": "n1", "ok": True, "state": "off", "error": None, "overtook": None, **keys}) + "'"


def fake(lab, **cases):
    """A powerctl that does what cases say of each verb; where it writes its arguments."""
    text = "\n".join(f"{verb}) {what} ;;" for verb, what in cases.items())
    return lab.write("fake", FAKE.format(log=lab.path("log"), cases=text), 0o700)


@test
def believes_nothing(lab):
    """an exit status without a line, a line without an exit status, a skipped node, another state: all failures"""
    skipped = {"class": "skipped", "message": "PSU out"}
    for what in ("true", "echo nonsense", "echo '[]'", "echo 1", row(ok=False), row(state="on"), row(state="unknown"),
                 row(state=None), row(error=skipped), row(ok="yes"), row() + "; exit 1", row() + "; exit 2",
                 row() + "; kill -9 $$", row() + "; " + row(node="n2", state="sleep")):
        found = call(lab, action="off", plug="n1", powerctl_path=fake(lab, off=what))
        assert found[0] not in (0, 2) and found[1] == "", (what, found)
    same(call(lab, action="off", plug="n1", powerctl_path=fake(lab, off=row()))[:2], (0, "Success: Powered OFF\n"))
    told = lab.read("log").splitlines()[-1].split()
    same(told[0], "off")
    for option in ("--json", "--lock-wait=5000ms", "--timeout=25s", "--deadline=35s", "--maintenance", "--yes",
                   "--try-anyway"):
        assert option in told, (option, told)
    same(told[-2:], ["--names", "n1"])
    assert "--protected" not in told and "--no-wait" not in told, told


@test
def reboot_is_its_off(lab):
    """reboot: without a confirmed off nothing is turned on; with one it has succeeded, whatever on does"""
    bad_on = row(ok=False, state="off", error={"class": "refused", "message": "no"}) + "; exit 1"
    one = fake(lab, off=row(), on=bad_on)
    status, out, err = call(lab, action="reboot", plug="n1", retry_on=2, powerctl_path=one)
    same((status, out), (0, "Success: Rebooted\n"))
    has(err, "is off, but does not turn on")
    same([line.split()[0] for line in lab.read("log").splitlines()], ["off", "on", "on"])
    lab.write("log", "")
    one = fake(lab, off=row(state="on"), on=row(state="on"))
    same(call(lab, action="reboot", plug="n1", powerctl_path=one)[:2], (7, ""))
    same([line.split()[0] for line in lab.read("log").splitlines()], ["off"])


@test
def hangs(lab):
    """a powerctl that does not end is a failure"""
    loader = importlib.machinery.SourceFileLoader("fence_powerctl", AGENT)
    spec = importlib.util.spec_from_loader("fence_powerctl", loader)
    agent = importlib.util.module_from_spec(spec)
    loader.exec_module(agent)
    path = fake(lab, off=f"echo $$ >{lab.path('pid')}; exec sleep 600")
    wishes = types.SimpleNamespace(powerctl_path=path, node="n1", inventory=None, verbose=False)
    try:
        agent.run(wishes, 2, "off")
    except agent.Failure as why:
        same(why.status, 5)
    else:
        raise AssertionError("it ended well")
    same(os.path.exists(f"/proc/{lab.read('pid').strip()}"), False, "it was killed")


if __name__ == "__main__":
    sys.dont_write_bytecode = True  # `hangs` loads the agent from the sources
    main()
