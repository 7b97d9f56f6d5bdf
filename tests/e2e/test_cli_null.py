#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl itself, with the null driver: what design.md section 7 promises."""
import json
import os
import re
import signal
import subprocess
import time

from lib import PATIENCE, POWERCTL, SOURCE, has, main, same, test, until
from schema import check_schema

FLEET = """
defaults: {confirm_above: 5}
classes:
  fake: {driver: "null"}
nodes:
  n[1-8]: {class: fake, address: "10.0.0.[1-8]", tags: [lab]}
  r[01-03]: {class: fake, state: "on"}
  m1: {class: fake, maintenance: "PSU out, ticket 4711"}
  p1: {class: fake, state: "on", protected: "file server"}
  dead[1-2]: {class: fake, address: 10.0.9.9, fail_reads: unreachable, timeouts: {connect: 200ms}}
  locked1: {class: fake, fail_reads: auth}
  slow1: {class: fake, latency: 2s}
  stuck1: {class: fake, fail_reads: hang}
groups:
  rack1: n[1-2],r01
"""
KEYS = ["v", "time", "node", "driver", "address", "verb", "ok", "state", "changed", "confirmed",
        "attempts", "elapsed_ms", "result", "error", "feeds", "warning",
        "overtook", "via"]
SECRET = "Xy7-hush-never-shown"


def fleet(lab):
    lab.inventory(FLEET)
    return lab


# --- Lines. ---------------------------------------------------------------------------------------

@test
def lines(lab):
    """into a pipe: one line per node, words of the contract"""
    fleet(lab)
    r = lab.run("status", "n[1-2],r01")
    same(sorted(r.lines), ["n1: off", "n2: off", "r01: on"])
    same((r.status, r.err), (0, ""))
    r = lab.run("on", "n1", "r01")
    same(sorted(r.lines), ["n1: on", "r01: on"])
    same(lab.run("on", "--no-wait", "n1").out, "n1: accepted\n")
    same(lab.run("nmi", "r01").out, "r01: accepted\n")
    same(lab.run("identify", "n1").out, "n1: accepted\n")
    same(lab.run("identify", "--off", "n1").out, "n1: accepted\n")
    same(lab.run("sleep", "r01").out, "r01: accepted\n")
    same(lab.run("bootdev", "pxe", "n1").out, "n1: ok\n")
    same(lab.run("wait", "off", "n1").out, "n1: off\n")
    for verb in ("reboot", "cycle", "reset", "pxeboot"):
        same(lab.run(verb, "r01").out, "r01: on\n", verb)
    same(lab.run("boot", "disk", "n1").out, "n1: on\n")
    same(lab.run("reset", "--on-if-off", "n1").out, "n1: on\n")


@test
def states(lab):
    """sleep, hibernate and unknown are told as they are"""
    lab.inventory('nodes:\n  a1: {driver: "null", lie: sleep}\n  a2: {driver: "null", lie: hibernate}\n'
                  '  a3: {driver: "null", lie: unknown}\n')
    same(lab.run("status", "--sort").out, "a1: sleep\na2: hibernate\na3: unknown\n")


@test
def errors(lab):
    """errors: class and text on stdout, the address only with -v"""
    fleet(lab)
    r = lab.run("status", "dead1")
    same((r.out, r.status), ("dead1: unknown: unreachable: told to fail: unreachable\n", 1))
    r = lab.run("on", "locked1")
    same((r.out, r.status), ("locked1: error: auth: told to fail: auth\n", 1))
    r = lab.run("cycle", "n1")
    has(r.out, "n1: error: state: it is off;")
    r = lab.run("status", "-v", "dead1")
    has(r.out, "dead1: unknown: unreachable: told to fail: unreachable (10.0.9.9; ")
    has(r.out, "check power, network")
    r = lab.run("hardware", "n1")
    has(r.out, "n1: error: unsupported: ")
    lab.inventory('credentials: {bmc: {username: root, password_file: secret}}\n'
                  'classes: {c: {driver: "null", credential: bmc, fail_reads: auth}}\n'
                  'nodes: {a1: {class: c}, a2: {driver: "null", username: joe, fail_reads: auth}}\n')
    lab.write("config/powerctl/secret", "x\n")
    same(lab.run("status", "--sort").out,
         "a1: unknown: auth: told to fail: auth (credential 'bmc')\n"
         "a2: unknown: auth: told to fail: auth (user 'joe')\n")
    lab.inventory('credentials: {bmc: {username: root, password_file: secret},'
                  ' its: {username: joe, password_file: secret}}\n'
                  'nodes: {a1: {driver: "null", credential: bmc, log:'
                  ' {driver: "null", credential: its, fail_reads: auth}}}\n')
    same(lab.run("log", "a1").out, "a1: error: auth: told to fail: auth (credential 'its')\n")


@test
def streaming(lab):
    """a line is written as soon as its node ends"""
    fleet(lab)
    proc = lab.start("status", "slow1", "n1", stdout=subprocess.PIPE, text=True)
    same(proc.stdout.readline(), "n1: off\n")
    assert proc.poll() is None, "the first line came only at the end"
    same(proc.stdout.read(), "slow1: off\n")
    same(proc.wait(PATIENCE), 0)


@test
def sorting(lab):
    """--sort: the order of the inventory; --fold: anywhere"""
    fleet(lab)
    same(lab.run("status", "--sort", "slow1", "r[01-03]", "n2", "n1").out,
         "n1: off\nn2: off\nr01: on\nr02: on\nr03: on\nslow1: off\n")
    same(lab.run("status", "--fold", "r[01-03]", "n[1-8]", "dead[1-2]").out,
         "n[1-8]: off\nr[01-03]: on\n"
         "dead[1-2]: unknown: unreachable: told to fail: unreachable\n")


@test
def trees(lab):
    """info: indented for one node, lines that stand alone for several"""
    fleet(lab)
    same(lab.run("info", "n1").out, "n1:\n  product: null\n  hostname: n1\n")
    same(sorted(lab.run("info", "n1", "n2").lines),
         ["n1: hostname: n1", "n1: product: null", "n2: hostname: n2", "n2: product: null"])
    out = lab.run("caps", "--fold", "n[1-8]").out
    has(out, "n[1-8]:\n  driver: null\n  power: on, off, ")
    out = lab.run("bootdev", "--show", "n1").out
    has(out, "n1:\n  device: none\n")


@test
def maintenance_and_protection(lab):
    """maintenance is skipped and counts as success; protected refuses what disrupts"""
    fleet(lab)
    r = lab.run("on", "m1")
    same((r.out, r.status), ("m1: skipped: PSU out, ticket 4711\n", 0))
    same(lab.run("on", "--maintenance", "m1").out, "m1: on\n")
    r = lab.run("off", "p1")
    same(r.status, 1)
    has(r.out, "p1: error: forbidden: ")
    has(r.out, "--protected")
    has(r.out, "file server")
    same(lab.run("status", "p1").out, "p1: on\n")
    same(lab.run("off", "--protected", "p1").out, "p1: off\n")


@test
def dry_run(lab):
    """--dry-run says what would be sent and sends nothing"""
    state = lab.write("power", "on\n")
    lab.inventory(f'nodes: {{n1: {{driver: "null", state_file: {state}}}}}')
    r = lab.run("off", "--dry-run", "n1")
    same(r.status, 0)
    has(r.out, "would send 'off'")
    same(lab.read("power"), "on\n")
    same(lab.run("off", "n1").out, "n1: off\n")
    same(lab.read("power"), "off\n")


# --- JSON. ----------------------------------------------------------------------------------------

@test
def json_lines(lab):
    """--json: one object a line, all keys always there, as the schema says"""
    fleet(lab)
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    same(sorted(schema["required"]), sorted(KEYS))
    same(sorted(schema["properties"]), sorted(KEYS))
    runs = [("status", "n1"), ("status", "dead1", "locked1"), ("on", "n1", "m1"), ("info", "n1"),
            ("bootdev", "pxe", "n1"), ("off", "--dry-run", "r01"), ("hardware", "n1"),
            ("pxeboot", "n1", "r01"), ("identify", "n1"), ("caps", "n1"),
            ("status", "null://10.1.1.1")]
    for args in runs:
        r = lab.run(*args, "--json")
        assert r.json, args
        for one in r.json:
            same(list(one), KEYS, args)
            check_schema(one, schema)
            same(one["verb"], args[0])
    one = lab.run("on", "--json", "n1").json[0]
    same((one["node"], one["driver"], one["address"]), ("n1", "null", "10.0.0.1"))
    same((one["ok"], one["state"], one["changed"], one["confirmed"]), (True, "on", True, "seen"))
    one = lab.run("status", "--json", "locked1").json[0]
    same((one["ok"], one["state"]), (False, "unknown"))
    same(one["error"], {"class": "auth", "message": "told to fail: auth", "code": None})
    one = lab.run("on", "--json", "m1").json[0]
    same((one["ok"], one["error"]["class"]), (True, "skipped"))
    same(lab.run("info", "--json", "n1").json[0]["result"], {"product": "null", "hostname": "n1"})


@test
def json_on_a_terminal(lab):
    """--json is never folded"""
    t = fleet(lab).terminal("status", "--json", "n[1-3]")
    same(t.end(), 0)
    same(len([x for x in t.settled.splitlines() if json.loads(x)["state"] == "off"]), 3)


# --- Exit status, summary, output that cannot be written. ----------------------------------------

@test
def exit_statuses(lab):
    """0, 1, 2 and the classes of --exit-class"""
    fleet(lab)
    wanted = [
        (0, ["status", "n1"]), (0, ["on", "m1"]), (1, ["status", "n1", "dead1"]),
        (1, ["status", "dead1"]), (3, ["status", "--exit-class", "n1", "dead[1-2]"]),
        (4, ["status", "--exit-class", "locked1", "n1"]),
        (5, ["status", "--exit-class", "--timeout", "300ms", "stuck1"]),
        (1, ["status", "--exit-class", "locked1", "dead1"]),
        (0, ["status", "--exit-class", "n1"]),
        (2, ["status", "nosuch"]), (2, ["on"]), (2, ["off"]), (2, []), (2, ["status", "--bogus"]),
        (2, ["boot", "moon", "n1"]), (2, ["wait", "ready1", "n1"]), (2, ["status", "-x", "n1", "n1"]),
        (0, ["help"]), (0, ["--version"]), (0, ["status", "--help"]), (2, ["help", "bogus"]),
    ]
    for status, args in wanted:
        r = lab.run(*args)
        same(r.status, status, r)
        if status == 2:
            same(r.out, "", r)
            assert r.err, r


@test
def all_mistakes_before_anything_is_sent(lab):
    """mistakes of all chosen nodes are named and nothing is sent"""
    state = lab.write("power", "off\n")
    path = lab.inventory("nodes:\n"
                         f'  n1: {{driver: "null", state_file: {state}}}\n'
                         '  n2: {driver: "null", latencee: 3}\n'
                         '  n3: {driver: "null", state: maybe}\n'
                         '  n4: {driver: nosuch}\n')
    r = lab.run("on", "-a")
    same((r.status, r.out), (2, ""))
    has(r.err, f"{path}:3:")
    has(r.err, "did you mean 'latency'?")
    has(r.err, f"{path}:4:")
    has(r.err, "unknown, off, on, sleep, hibernate")
    has(r.err, f"{path}:5:")
    has(r.err, "nosuch")
    same(lab.read("power"), "off\n")
    same(lab.run("on", "n1").status, 0)


@test
def broken_inventory(lab):
    """an inventory with mistakes: all of them, with their places"""
    path = lab.inventory("nods: {}\nnodes:\n  n1: {driver: \"null\"}\ngroups:\n  g: nosuch\n")
    r = lab.run("status")
    same((r.status, r.out), (2, ""))
    has(r.err, f"{path}:1:1: ")
    has(r.err, "nodes")
    r = lab.run("check")
    same(r.status, 2)


@test
def no_inventory(lab):
    """none at all: where it looked and what to begin with"""
    r = lab.run("status")
    same((r.status, r.out), (2, ""))
    has(r.err, lab.inventory_path)
    has(r.err, "/etc/powerctl/powerctl.yaml")
    same(len(re.findall(r"(?m)^  powerctl ", r.err)), 3)
    has(r.err, "powerctl add ")


@test
def inventory_is_named(lab):
    """--inventory before $POWERCTL_INVENTORY before the personal file"""
    lab.inventory('nodes: {n1: {driver: "null"}}')
    a = lab.write("a.yaml", 'nodes: {a1: {driver: "null"}}')
    b = lab.write("b.yaml", 'nodes: {b1: {driver: "null"}}')
    same(lab.run("status").out, "n1: off\n")
    same(lab.run("status", env={"POWERCTL_INVENTORY": a}).out, "a1: off\n")
    same(lab.run("status", "--inventory", b, env={"POWERCTL_INVENTORY": a}).out, "b1: off\n")


@test
def summary(lab):
    """failures of several nodes are counted on stderr; -q silences that"""
    fleet(lab)
    same(lab.run("status", "n[1-8]", "dead[1-2]", "locked1").err,
         "8 off, 3 failed (2 unreachable, 1 auth)\n")
    same(lab.run("status", "-q", "n[1-8]", "dead1").err, "")
    same(lab.run("status", "dead1").err, "")
    same(lab.run("status", "n[1-8]").err, "")


@test
def output_that_cannot_be_written(lab):
    """a full disk, a closed descriptor, a reader that left: 1, and the verb still finishes"""
    names = [f"n{i}" for i in range(1, 5)]
    nodes = "".join(f'  {n}: {{driver: "null", state_file: {lab.path(n)}}}\n' for n in names)
    lab.inventory("nodes:\n" + nodes)

    def finished():
        same([lab.read(n) for n in names], ["on\n"] * 4)
        for n in names:
            os.unlink(lab.path(n))

    if os.path.exists("/dev/full"):
        with open("/dev/full", "w", encoding="utf-8") as full:
            r = lab.run("on", "-a", stdout=full)
        same(r.status, 1)
        has(r.err, "standard output cannot be written: ")
        same(r.err.count("\n"), 1, r)
        finished()

    proc = subprocess.run(["sh", "-c", 'exec "$0" on -a >&-', POWERCTL], env=lab.env, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    same(proc.returncode, 1)
    has(proc.stderr, "standard output cannot be written: ")
    finished()

    reader, writer = os.pipe()
    os.close(reader)
    r = lab.run("on", "-a", stdout=writer)
    os.close(writer)
    same((r.status, r.err), (1, ""))
    finished()

    reader, writer = os.pipe()
    os.close(reader)
    r = lab.run("list", stdout=writer)
    os.close(writer)
    same((r.status, r.err), (1, ""))


# --- NODES. ---------------------------------------------------------------------------------------

@test
def selections(lab):
    """ranges, groups, tags, operators, -a, -x, standard input, URLs"""
    fleet(lab)

    def names(*args, **how):
        r = lab.run("caps", "--json", *args, **how)
        same(r.status, 0, r)
        return [one["node"] for one in r.json]

    same(sorted(names("n[1-3,7]")), ["n1", "n2", "n3", "n7"])
    same(sorted(names("@rack1")), ["n1", "n2", "r01"])
    same(len(names("%lab")), 8)
    same(sorted(names("n[1-8]!n[2-8]", "r01")), ["n1", "r01"])
    same(sorted(names("%lab", "-x", "n[1-6]", "-x", "n8")), ["n7"])
    same(len(names("-a")), 18)
    same(sorted(names("-", stdin="n1 n2\n# a note\nr[01-02]\n")), ["n1", "n2", "r01", "r02"])
    same(sorted(names("null://c[1-2]-bmc", "n1")), ["c1-bmc", "c2-bmc", "n1"])
    same(names("n1", "n1"), ["n1"])


@test
def selections_that_fail(lab):
    """unknown names get the nearest; nothing selected is a usage error"""
    fleet(lab)
    r = lab.run("status", "slwo1", "locked2", "n1")
    same(r.status, 2)
    has(r.err, "slow1")
    has(r.err, "locked1")
    assert "no node is" not in r.err
    r = lab.run("status", "-", stdin="")
    same((r.status, r.out), (2, ""))
    has(r.err, "no node is selected")
    for verb in ("on", "off", "reboot", "pxeboot", "nmi", "sleep"):
        r = lab.run(verb)
        same(r.status, 2)
        has(r.err, f"no NODES are given: powerctl {verb} ")
    r = lab.run("status", "-a", "n1")
    has(r.err, "both -a and NODES")
    r = lab.run("status", "-", "-")
    same(r.status, 2)
    r = lab.run("status", "n[1-")
    same(r.status, 2)
    same(lab.run("status", "@nosuch").status, 2)


@test
def urls(lab):
    """a URL needs no inventory; a password in it is refused and not repeated"""
    same(lab.run("status", "null://10.0.0.[1-2]", "--fold").out, "10.0.0.[1-2]: off\n")
    r = lab.run("status", f"null://root:{SECRET}@10.0.0.1")
    same(r.status, 2)
    has(r.err, "no password in a URL")
    # Nobody is asked for a password before that is told.
    for url, part in (("ipmi://u@", "the URL has no host"), ("ipmi://u@h:99999", "the port of a URL"),
                      ("ipmi://u@h?x=%4", "two hex digits")):
        r = lab.run("status", url)
        same((r.status, r.out), (2, ""))
        has(r.err, part)
    assert SECRET not in r.err + r.out
    r = lab.run("status", f"null://10.0.0.1?password={SECRET}")
    same(r.status, 2)
    assert SECRET not in r.err + r.out
    r = lab.run("status", "null://root@10.0.0.1")
    same(r.status, 2)
    has(r.err, "--password-file")
    same(lab.run("status", "null://root@10.0.0.1", env={"POWERCTL_PASSWORD": SECRET}).status, 0)
    same(lab.run("status", "null://root@10.0.0.1", "--password-stdin", stdin=SECRET + "\n").status, 0)
    secret = lab.write("secret", SECRET + "\n")
    same(lab.run("status", "null://10.0.0.1", "--user", "root", "--password-file", secret).status, 0)
    os.chmod(secret, 0o644)
    r = lab.run("status", "null://root@10.0.0.1", "--password-file", secret)
    same(r.status, 2)
    has(r.err, "chmod")


@test
def failed_nodes(lab):
    """@failed: those of the last command"""
    fleet(lab)
    r = lab.run("status", "@failed")
    same(r.status, 2)
    has(r.err, "@failed: there was no command yet")
    same(lab.run("expand", "@failed").err.count("@failed"), 1)
    lab.run("status", "n[1-8]", "dead[1-2]", "locked1", "m1")
    r = lab.run("status", "--sort", "@failed")
    same([x.split(":")[0] for x in r.lines], ["dead1", "dead2", "locked1"])
    same([x.split(":")[0] for x in lab.run("status", "@failed", "-x", "dead[1-2]").lines], ["locked1"])
    lab.run("status", "n1")
    r = lab.run("status", "@failed")
    same(r.status, 2)
    has(r.err, "no node failed in your last command")
    os.unlink(lab.path("state/powerctl/failed"))
    os.mkfifo(lab.path("state/powerctl/failed"))  # nobody writes to it: it must not be waited for
    r = lab.run("status", "@failed")
    same((r.status, r.out), (2, ""))
    has(r.err, "cannot be read: " + lab.path("state/powerctl/failed"))


# --- Hints. ---------------------------------------------------------------------------------------

@test
def hints(lab):
    """a wrong verb, option or order gets the right one; habits work"""
    fleet(lab)
    for args, hint in [
            (["status", "nul://n1"], "did you mean 'null'?"),
            (["status", "redfish://n1?passwrd_file=x"], "did you mean 'password_file'?"),
            (["add", "n9", "127.0.0.1", "--driver", "nul"], "did you mean 'null'?"),
            (["stauts", "n1"], "did you mean 'status'?"),
            (["rebot", "n1"], "did you mean 'reboot'?"),
            (["nuc1", "reboot"], "powerctl reboot nuc1"),
            (["n1", "n2", "off"], "powerctl off n1 n2"),
            (["n1", "boot", "pxe"], "powerctl boot pxe n1"),
            (["xyzzy"], "`powerctl help` lists them"),
            (["boot", "n1", "pxe"], "powerctl boot pxe n1"),
            (["wait", "n1", "off"], "powerctl wait off n1"),
            (["boot", "xx", "n1"], "pxe, disk, cd"),
            (["boot", "dsik", "n1"], "did you mean 'disk'?"),
            (["boot", "none", "n1"], "pxe, disk, cd"),
            (["boot", "http", "n1"], "--url"),
            (["boot", "pxe", "--url", "http://x/", "n1"], "--url goes with http only"),
            (["status", "--tiemout", "3", "n1"], "did you mean --timeout?"),
            (["status", "--soft", "n1"], "--soft is no option of status"),
            (["off", "--force-after", "60s", "n1"], "add --soft"),
            (["status", "--timeout", "soon"], "500ms, 60s or 2m"),
            (["boot"], "powerctl boot DEVICE NODES"),
            (["add", "x1"], "powerctl add NAME ADDRESS")]:
        r = lab.run(*args)
        same((r.status, r.out), (2, ""), r)
        has(r.err, hint)
    same(lab.run("stat", "n1").out, "n1: off\n")
    has(lab.run("soft", "--dry-run", "r01").out, "would send 'soft_off'")
    same(lab.run("soft", "r01").out, "r01: off\n")


@test
def help_texts(lab):
    """help names every verb; help VERB its options"""
    overview = lab.run("help").out
    for verb in ("status", "on", "off", "reboot", "cycle", "reset", "bootdev", "boot", "pxeboot", "nmi",
                 "sleep", "identify", "wait", "info", "hardware", "caps", "add", "rm", "list", "show",
                 "set", "check", "trust", "drivers", "help"):
        has(overview, f"\n  {verb} ")
        has(lab.run("help", verb).out, f"usage: powerctl [options] {verb} ")
        same(lab.run(verb, "--help").out, lab.run("help", verb).out)
    has(lab.run("help", "off").out, "--force-after DURATION")
    has(lab.run("help", "stat").out, "powerctl [options] status")
    assert re.match(r"powerctl \d+\.\d+\.\d+\n$", lab.run("--version").out)


# --- Guards and interruptions. -------------------------------------------------------------------

@test
def guard_without_terminal(lab):
    """more than confirm_above: refused without a terminal, naming --yes"""
    fleet(lab)
    for verb in (["off"], ["reboot"], ["reset"], ["pxeboot"], ["sleep"], ["nmi"], ["cycle"],
                 ["boot", "pxe"]):
        r = lab.run(*verb, "n[1-6]")
        same((r.status, r.out), (2, ""), verb)
        has(r.err, "--yes")
        has(r.err, "6 nodes")
    same(lab.run("off", "n[1-5]").status, 0)
    same(lab.run("off", "--yes", "n[1-6]").status, 0)
    same(lab.run("off", "--dry-run", "n[1-6]").status, 0)
    same(lab.run("on", "n[1-6]").status, 0)


@test
def guard_on_a_terminal(lab):
    """... and asked on one, with the nodes folded"""
    fleet(lab)
    t = lab.terminal("off", "n[1-6]")
    t.expect("off on 6 nodes: n[1-6]")
    t.expect("[y/N] ")
    t.send("y\n")
    same(t.end(), 0)
    has(t.seen, "n[1-6]: off\n")
    t = lab.terminal("off", "n[1-6]")
    t.expect("[y/N] ")
    t.send("\n")
    same(t.end(), 2)
    has(t.seen, "nothing was sent")
    assert "n[1-6]: off" not in t.seen
    t = lab.terminal("off", "n[1-6]", stdout=subprocess.DEVNULL)
    t.expect("[y/N] ")
    t.send("yes\n")
    same(t.end(), 0)
    t = lab.terminal("off", "n[1-6]")
    t.expect("[y/N] ")
    t.send("\x03")
    same(t.end(), 130)


@test
def terminal_folds(lab):
    """on a terminal: folded, --no-fold: not"""
    fleet(lab)
    t = lab.terminal("status", "n[1-8]", "r[01-03]")
    same(t.end(), 0)
    same(t.settled, "n[1-8]: off\nr[01-03]: on\n")
    t = lab.terminal("status", "--no-fold", "--sort", "n[1-3]")
    same(t.end(), 0)
    same(t.settled, "n1: off\nn2: off\nn3: off\n")


@test
def progress(lab):
    """on a terminal: a progress line while it lasts; -q: none"""
    fleet(lab)
    t = lab.terminal("status", "slow1", "n[1-3]", "locked1")
    t.expect("status: 4/5 done, 1 failed, ")
    t.expect("n[1-3],slow1: off\n")
    same(t.end(), 1)
    has(t.seen, "\r\033[Kn[1-3],slow1: off\n")  # the progress line was taken away
    has(t.settled, "4 off, 1 failed (1 auth)\n")
    t = lab.terminal("status", "-q", "slow1")
    same(t.end(), 0)
    same(t.seen, "slow1: off\n")


@test
def interrupted(lab):
    """^C: each node that is in flight is reported, 130"""
    fleet(lab)
    t = lab.terminal("status", "--no-fold", "stuck1", "n1")
    t.expect("n1: off")
    t.send("\x03")
    same(t.end(), 130)
    has(t.settled, "stuck1: unknown: canceled: ")
    proc = lab.start("status", "stuck1", "n1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(proc.stdout.readline(), "n1: off\n")
    proc.send_signal(signal.SIGTERM)
    out, err = proc.communicate(timeout=PATIENCE)
    same(proc.returncode, 130)
    has(out, "stuck1: unknown: canceled: ")
    has(err, "interrupted")
    proc = lab.start("status", "slow1", "n1", stdout=subprocess.PIPE, text=True,
                     preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    same(proc.stdout.readline(), "n1: off\n")
    proc.send_signal(signal.SIGHUP)  # as under nohup
    same(proc.communicate(timeout=PATIENCE)[0], "slow1: off\n")
    same(proc.returncode, 0)


@test
def deadlines(lab):
    """--timeout bounds a node, --deadline the command"""
    fleet(lab)
    begin = time.monotonic()
    r = lab.run("status", "--timeout", "300ms", "stuck1", "n1")
    same(r.status, 1)
    has(r.out, "stuck1: unknown: timeout: ")
    has(r.out, "n1: off\n")
    r = lab.run("status", "--deadline", "300ms", "stuck1", "n1")
    same(r.status, 1)
    has(r.out, "stuck1: unknown: ")
    for key in ("timeout", "deadline"):
        lab.inventory(f'defaults: {{{key}: 300ms}}\nnodes: {{n1: {{driver: "null", fail_reads: hang}}}}')
        same(lab.run("status").status, 1)
    assert time.monotonic() - begin < 12, "the verb's own limit held"


@test
def waiting_for_a_lock(lab):
    """a second command waits and says for whom"""
    lab.inventory('nodes: {n1: {driver: "null", transition: 3s, state: "on"}}')
    first = lab.start("off", "n1", stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE
    err = ""
    while "waiting for" not in err:
        assert first.poll() is None and time.monotonic() < deadline, "it never had to wait"
        err = lab.run("on", "--deadline", "700ms", "n1").err
    assert re.search(rf"n1: waiting for \S+, powerctl off, pid {first.pid}\b", err), err
    same(first.communicate(timeout=PATIENCE)[0], "n1: off\n")


@test
def many_wait_for_one(lab):
    """of many that wait for one command the first names it, the line counts them, -v names all"""
    lab.inventory('nodes: {"n[1-20]": {driver: "null", transition: 60s, state: "on"}}')
    first = lab.start("off", "--yes", "n[1-20]", stdout=subprocess.DEVNULL)

    def told(*words):
        err = lab.run("on", "--deadline", "700ms", *words, "n[1-20]").err
        return len(re.findall(rf"n\d+: waiting for \S+, powerctl off, pid {first.pid}\n", err))
    until("the first has all", lambda: told("-v") == 20)
    same((told(), told("-q")), (1, 0))
    terminal = lab.terminal("on", "--deadline", "5s", "n[1-20]")
    terminal.expect("on: 0/20 done, 20 waiting for other commands, ")
    first.kill()
    terminal.end()


# --- Inventory commands. --------------------------------------------------------------------------

@test
def add_by_prompts(lab):
    """add asks for user and password without echo, stores, and prints one status"""
    t = lab.terminal("add", "z[1-2]", "10.0.0.[1-2]", "--driver", "null")
    t.expect("User: ")
    t.send("root\n")
    t.expect("Password for root@10.0.0.[1-2]: ")
    t.wait_echo(False)
    t.send(SECRET + "\n")
    t.expect("z[1-2]: off\n")
    same(t.end(), 0)
    assert SECRET not in t.seen
    assert t.echoes
    text = lab.read("config/powerctl/powerctl.yaml")
    assert SECRET not in text
    has(text, "z[1-2]")
    has(text, "username: root")
    folder = lab.path("config", "powerctl", "secrets")
    files = os.listdir(folder)
    same(len(files), 1)
    path = os.path.join(folder, files[0])
    same(os.stat(path).st_mode & 0o777, 0o600)
    with open(path, encoding="utf-8") as f:
        same(f.read().rstrip("\n"), SECRET)
    r = lab.run("show", "z1")
    has(r.out, "password_file: ")
    assert SECRET not in r.out + lab.run("show", "--json", "z1").out
    t = lab.terminal("add", "y1", "10.0.0.9", "--driver", "null", "--user", "root")
    t.expect("Password")
    t.wait_echo(False)
    t.send("\x03")
    same(t.end(), 130)
    assert t.echoes, "^C left the terminal without echo"
    assert "y1:" not in lab.read("config/powerctl/powerctl.yaml")


@test
def add_by_options(lab):
    """add without a terminal: every way to give a password; two adds do not share a secret"""
    same(lab.run("add", "a1", "10.0.0.1", "--driver", "null", "--user", "u", "--password-stdin",
                 "--tag", "lab", "--tag", "old", "--set", "state=on", stdin="one\n").out, "a1: on\n")
    secret = lab.write("secret", "two\n")
    same(lab.run("add", "a2", "10.0.0.2", "--driver", "null", "--user", "u", "--password-file",
                 secret).out, "a2: off\n")
    same(lab.run("add", "a3", "10.0.0.3", "--driver", "null", "--user", "u",
                 env={"POWERCTL_PASSWORD": "three"}).out, "a3: off\n")
    folder = lab.path("config", "powerctl", "secrets")

    def kept():
        found = set()
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                found.add(f.read().strip())
        return found

    same(kept(), {"one", "two", "three"})
    lab.run("rm", "a3")
    same(lab.run("add", "a3", "10.0.0.3", "--driver", "null", "--user", "u",
                 env={"POWERCTL_PASSWORD": "four"}).status, 0)
    same(kept(), {"one", "two", "three", "four"})
    same(lab.run("list", "a1").out, "a1: null 10.0.0.1 %lab,%old\n")
    for args, text in [
            (["a1", "10.0.0.9", "--driver", "null"], "already"),
            (["b[1-3]", "10.0.0.[1-2]", "--driver", "null"], "equally many"),
            (["b1", "10.0.0.9", "--driver", "nulll"], "there is no driver 'nulll'"),
            (["b1", "10.0.0.9", "--driver", "null"], "--user"),
            (["b1", "10.0.0.9", "--driver", "null", "--user", "u"], "--password-file"),
            (["b1", "10.0.0.9", "--driver", "null", "--set", f"password={SECRET}"], "secret"),
            (["b1", "10.0.0.9", "--driver", "null", "--set", "state"], "write KEY=VALUE"),
            (["b1", "10.0.0.9", "x"], "one NAME and one ADDRESS")]:
        r = lab.run("add", *args)
        same(r.status, 2, r)
        has(r.err, text)
        assert "=" + SECRET not in r.err
    assert "b1:" not in lab.read("config/powerctl/powerctl.yaml")


@test
def add_finds_nothing(lab):
    """add says so when no driver gets an answer, and adds nothing"""
    r = lab.run("add", "x1", "127.0.0.1", "--user", "u", "--password-stdin", stdin="pw\n")
    same(r.status, 1, r)
    has(r.err, "no driver got an answer from 127.0.0.1")
    has(r.err, "nothing was added")
    has(r.err, "--driver NAME")
    assert not os.path.exists(lab.inventory_path)


@test
def set_and_rm(lab):
    """set and rm keep comments and order, refuse secrets, name mistakes"""
    lab.inventory('# my nodes\nnodes:\n  n[1-2]: {driver: "null"} # two\n  x1: {driver: "null"}\n')
    same(lab.run("set", "state=on", "n[1-2]").status, 0)
    same(lab.run("status", "--sort").out, "n1: on\nn2: on\nx1: off\n")
    same(lab.run("set", "state=off", "n2").status, 0)
    same(lab.run("status", "--sort").out, "n1: on\nn2: off\nx1: off\n")
    text = lab.read("config/powerctl/powerctl.yaml")
    has(text, "# my nodes\n")
    has(text, "# two\n")
    r = lab.run("set", f"password={SECRET}", "n1")
    same(r.status, 2)
    has(r.err, "password_file=FILE")
    assert SECRET not in r.err + lab.read("config/powerctl/powerctl.yaml")
    r = lab.run("set", "latencee=3", "x1")
    same(r.status, 2)
    has(r.err, "did you mean 'latency'?")
    assert "latencee" not in lab.read("config/powerctl/powerctl.yaml")  # nothing was touched
    same(lab.run("set", "n1").status, 2)
    same(lab.run("set", "state=on").status, 2)
    same(lab.run("set", "state=on", "nosuch").status, 2)
    same(lab.run("rm", "x1").status, 0)
    same(lab.run("list").out, "n1: null -\nn2: null -\n")
    same(lab.run("rm", "nosuch").status, 2)
    same(lab.run("rm").status, 2)


@test
def list_nodes(lab):
    """list loads no driver and folds names with addresses"""
    lab.inventory("credentials:\n  c: {username: root, password: " + SECRET + "}\n"
                  "nodes:\n  n[1-3]: {driver: nosuch, credential: c, address: \"10.0.0.[1-3]\", "
                  "tags: [lab]}\n")
    os.chmod(lab.inventory_path, 0o600)
    none = ["--plugin-dir", lab.path("nowhere")]
    same(lab.run("list", *none).out,
         "n1: nosuch 10.0.0.1 %lab\nn2: nosuch 10.0.0.2 %lab\nn3: nosuch 10.0.0.3 %lab\n")
    same(lab.run("list", "--fold", *none).out, "n[1-3]: nosuch 10.0.0.[1-3] %lab\n")
    same(lab.run("list", "--json", "n2", *none).json,
         [{"v": 1, "node": "n2", "driver": "nosuch", "address": "10.0.0.2", "tags": ["lab"]}])
    lab.inventory('nodes:\n  n[1-2]: {driver: x, address: "a[1-2]"}\n  n3: {driver: x}\n')
    same(lab.run("list", "--fold").out, "n[1-2]: x a[1-2]\nn3: x -\n")


@test
def show(lab):
    """show merges, hides secrets and loads no driver"""
    lab.inventory("credentials:\n  c: {username: root, password: " + SECRET + "}\n"
                  "nodes:\n  n1: {driver: nosuch, credential: c}\n")
    none = ["--plugin-dir", lab.path("nowhere")]
    r = lab.run("show", "n1", *none)
    same(r.status, 0)
    has(r.out, "n1:\n")
    has(r.out, "  password: (set)\n")
    has(r.out, "  username: root\n")
    r = lab.run("show", "--json", "n1", *none)
    same(r.json[0]["settings"]["password"], "(set)")
    assert SECRET not in r.out


@test
def check(lab):
    """check tries every node and says what mends it"""
    r = fleet(lab).run("check", "n1", "locked1", "dead1")
    same(r.status, 1)
    has(r.out, "n1: off\n")
    has(r.out, "locked1: error: auth: told to fail: auth; to mend: ")
    has(r.out, "dead1: error: unreachable: ")
    has(r.out, "powerctl set address=ADDRESS dead1")
    same(lab.run("check", "n1").status, 0)


@test
def trust(lab):
    """trust: nothing remembered of a machine that shows nothing"""
    fleet(lab)
    same(lab.run("trust", "n1").out, "n1: nothing is remembered\n")
    same(lab.run("trust", "--forget", "n1").out, "n1: ok: nothing to be forgotten\n")
    same(lab.run("trust", "--json", "n1").json, [{"v": 1, "node": "n1", "pins": []}])
    r = lab.run("trust", "--forget", "n[1-6]")
    same(r.status, 2)
    has(r.err, "--yes")
    same(lab.run("trust", "--forget", "--yes", "n[1-6]").status, 0)
    same(lab.run("trust", "--forget", "--accept", "n1").status, 2)


@test
def drivers(lab):
    """drivers: names, abilities, settings; refused ones are named and stop nothing"""
    r = lab.run("drivers")
    same(r.status, 0)
    has(r.out, "null: ")
    has(r.out, "power, boot, info, check, identify")
    r = lab.run("drivers", "null")
    has(r.out, "  latency (duration; default 0)\n")
    has(r.out, "password_file, password_env or password_command")
    same(lab.run("drivers", "nosuch").status, 2)
    r = lab.run("drivers", "nul")
    same((r.status, "there is no driver 'nul'" in r.err, "did you mean 'null'?" in r.err),
         (2, True, True), r)
    settings = lab.run("drivers", "null", "--json").json[0]["settings"]
    has([s["name"] for s in settings], "state")
    folder = os.path.join(os.path.dirname(os.path.dirname(POWERCTL)), "plugins")
    os.mkdir(lab.path("plugins"), 0o755)
    with open(os.path.join(folder, "null.so"), "rb") as f, open(lab.path("plugins", "null.so"), "wb") as to:
        to.write(f.read())
    lab.write("plugins/broken.so", "this is no library")
    there = ["--plugin-dir", lab.path("plugins")]
    r = lab.run("drivers", *there)
    same(r.status, 0)
    has(r.out, "null: ")
    has(r.err, "broken is refused")
    lab.inventory('nodes:\n  n1: {driver: "null"}\n  n2: {driver: broken}\n')
    r = lab.run("status", "n1", *there)
    same((r.out, r.err), ("n1: off\n", ""))
    same(lab.run("status", "n1", "n2", *there).status, 2)


@test
def url_prompt(lab):
    """a URL with a user asks for the password, once, without echo"""
    t = lab.terminal("status", "null://root@a[1-2]", "null://root@b1")
    t.expect("Password for null://root@a[1-2]: ")
    t.wait_echo(False)
    t.send(SECRET + "\n")
    t.expect("a[1-2],b1: off\n")
    same(t.end(), 0)
    assert SECRET not in t.seen
    same(t.seen.count("Password"), 1)


@test
def secrets_are_not_left_behind(lab):
    """nothing below the lab's folders but secrets/ holds the password"""
    lab.run("add", "z1", "10.0.0.1", "--driver", "null", "--user", "u", "--password-stdin",
            "--trace", "-vv", stdin=SECRET + "\n")
    r = lab.run("status", "z1", "--trace", "-vv")
    same(r.status, 0)
    assert SECRET not in r.out + r.err
    for folder, _, names in os.walk(lab.folder):
        for name in names:
            if os.path.basename(folder) == "secrets":
                continue
            with open(os.path.join(folder, name), "rb") as f:
                assert SECRET.encode() not in f.read(), os.path.join(folder, name)


if __name__ == "__main__":
    if not os.path.exists(POWERCTL):
        raise SystemExit(f"{POWERCTL} is not built")
    main()
