#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""log, sensors and DRIVER METHOD with the null driver: what people see, what is asked, what is kept."""
import json
import os
import re
import shutil

from lib import BUILD, SOURCE, has, main, same, test
from schema import check_schema

FLEET = """
defaults: {confirm_above: 3}
nodes:
  n[1-5]: {driver: "null"}
  p1: {driver: "null", protected: "file server"}
  m1: {driver: "null", maintenance: "PSU out"}
  lost1: {driver: "null", fail: lost}
  once1: {driver: "null", fail: lost, fail_times: 1}
  dead1: {driver: "null", fail_reads: refused}
  o[1-2]: {driver: fine, address: "127.0.9.[1-2]"}
"""
EVENTS = ["2026-11-20 00:01:05Z  critical  Fan 1: below its lower limit",
          "2026-11-20 00:02:05Z  ok        Fan 1: below its lower limit (ended)",
          "2026-11-20 00:03:05Z  info      system_event: log emptied"]
SENSORS = ["CPU    45.5 C    ok", "Fan 1     0 rpm  critical  below its lower limit"]


def fleet(lab):
    """The null driver, and one of another name: fine.so of the odd ones."""
    plugins = lab.path("plugins")
    os.mkdir(plugins, 0o700)
    shutil.copy(os.path.join(BUILD, "plugins", "null.so"), plugins)
    shutil.copy(os.path.join(BUILD, "tests", "plugins", "fine.so"), plugins)
    lab.inventory(FLEET)
    run = lab.run
    lab.run = lambda *args, **how: run("--plugin-dir", plugins, *args, **how)
    return lab


def sent(result):
    """What was sent to a device, in order: of --trace."""
    return re.findall(r"^trace \w+: (.*) \.\.\.$", result.err, re.M)


def bad(result, *parts):
    """Exit 2, nothing on stdout, and on stderr all of parts."""
    same((result.status, result.out), (2, ""), result)
    for part in parts:
        has(result.err, part)
    return result


# --- log. -----------------------------------------------------------------------------------------

@test
def log_is_a_table(lab):
    """log: indented for one node and folded, a prefix for each line of several"""
    fleet(lab)
    indented = "".join(f"  {line}\n" for line in EVENTS)
    same(lab.run("log", "n1").out, "n1:\n" + indented)
    same(lab.run("log", "--fold", "n[1-5]").out, "n[1-5]:\n" + indented)
    same(lab.run("log", "--sort", "n[1-2]").out,
         "".join(f"{n}: {line}\n" for n in ("n1", "n2") for line in EVENTS))
    r = lab.run("log", "dead1")
    same((r.status, r.out), (1, "dead1: error: refused: told to fail: refused\n"))
    r = lab.run("log", "o1")
    same((r.status, r.out),
         (1, "o1: error: unsupported: driver fine cannot read the device's log\n"))
    lab.inventory('nodes: {n1: {driver: "null", events: 0}}')
    same(lab.run("log", "n1").out, "n1: no events\n")


@test
def log_new(lab):
    """log --new: what came since any look; a user's own mark, kept between commands"""
    def nodes(n):
        lab.inventory(f'nodes: {{n1: {{driver: "null", events: {n}}}}}')

    nodes(1)
    same(lab.run("log", "--new", "n1").out, f"n1:\n  {EVENTS[0]}\n")
    same(lab.run("log", "--new", "n1").out, "n1: no new events\n")
    nodes(2)
    same(len(lab.run("log", "n1").lines), 3)
    same(lab.run("log", "--new", "n1").out, "n1: no new events\n")
    nodes(3)
    one = lab.run("log", "--new", "--json", "n1").json[0]
    same([e["id"] for e in one["result"]["events"]], ["3"])
    same(sorted(one["result"]), ["events"])
    one = lab.run("log", "--new", "--json", "n1").json[0]
    same(one["result"], {"events": []})
    nodes(2)  # the event of the mark is gone
    same(len(lab.run("log", "--new", "n1").lines), 3)
    same(lab.run("log", "--new", "n1", env={"XDG_STATE_HOME": lab.path("other")}).lines[0], "n1:")
    mode = os.stat(lab.path("state", "powerctl", "log_seen")).st_mode & 0o777
    same(mode, 0o600)


@test
def log_new_that_was_not_seen(lab):
    """a dry run, and what could not be written, do not count as looked at"""
    fleet(lab)
    same(len(lab.run("log", "--dry-run", "n1").lines), 4)
    with open("/dev/full", "w", encoding="utf-8") as full:
        same(lab.run("log", "--new", "n1", stdout=full).status, 1)
    same(len(lab.run("log", "--new", "n1").lines), 4)
    same(lab.run("log", "--new", "n1").out, "n1: no new events\n")
    lab.write("state/powerctl/log_seen", "")
    os.chmod(lab.path("state", "powerctl"), 0o500)
    if os.access(lab.path("state", "powerctl"), os.W_OK):
        return  # root may write anywhere
    r = lab.run("log", "n1")
    same(r.status, 0)
    has(r.err, "is not kept")
    os.chmod(lab.path("state", "powerctl"), 0o700)


@test
def log_clear(lab):
    """log --clear: needs nodes, asks first, says what it would do"""
    fleet(lab)
    lab.run("log", "n1")
    r = lab.run("log", "--clear", "--dry-run", "--trace", "n1")
    same((r.status, r.out, sent(r)), (0, "n1: ok: would empty its log\n", []))
    same(lab.run("log", "--new", "n1").out, "n1: no new events\n")
    r = lab.run("log", "--clear", "-y", "--trace", "n1")
    same((r.status, r.out, sent(r)), (0, "n1: ok\n", ["log.clear"]))
    same(len(lab.run("log", "--new", "n1").lines), 4)
    bad(lab.run("log", "clear", "n1"), "unknown node 'clear'",
        "'clear' is an option here: powerctl log --clear NODES")
    bad(lab.run("log", "--clear"), "no NODES are given", "-a for all")
    bad(lab.run("log", "--clear", "--new", "n1"), "--new and --clear exclude each other")
    bad(lab.run("log", "--clear", "n1"), "log --clear on 1 node has to be confirmed", "--yes")
    bad(lab.run("log", "--clear", "--since", "2h", "n1"), "--clear empties all of a log")
    bad(lab.run("log", "--follow", "-n", "2", "n1"), "--follow shows all that comes")
    r = lab.run("log", "--clear", "-y", "--kind", "audit", "n1")
    same(r.out, "n1: error: unsupported: driver null has one log only, that of --kind event\n", r)
    r = lab.run("log", "--clear", "--dry-run", "--kind", "event", "n1")
    same((r.status, r.out), (0, "n1: ok: would empty its log\n"))
    same(lab.run("log", "--kind", "event", "n2").out, lab.run("log", "n2").out)
    assert lab.run("log", "n2").lines
    r = lab.run("log", "--clear", "-y", "--kind", "event", "--trace", "n1")
    same((r.status, r.out, sent(r)), (0, "n1: ok\n", ["log.clear"]))
    same(lab.run("log", "--clear", "--yes", "--fold", "n[1-4]").out, "n[1-4]: ok\n")
    same(lab.run("log", "n[1-4]").status, 0)  # reading asks nobody
    r = lab.run("log", "--clear", "-y", "--json", "lost1").json[0]
    same((r["ok"], r["changed"], r["error"]["class"]), (False, True, "outcome_unknown"))
    one = lab.run("log", "--clear", "-y", "--json", "p1").json[0]
    same((one["ok"], one["changed"], one["confirmed"], one["state"], one["result"]),
         (True, True, "accepted", None, None))


@test
def log_filters(lab):
    """-n and --since choose among events, and what is shown so does not count as looked at"""
    fleet(lab)
    all_of = lab.run("log", "n1").lines
    same([line.split() for line in lab.run("log", "-n", "2", "n1").lines[-2:]],
         [line.split() for line in all_of[-2:]])
    same(len(events_of(lab, "-n", "2")), 2)
    same(len(events_of(lab, "--since", "2026-11-20 00:02")), 2)
    same(len(events_of(lab, "--since", "2026-11-20 00:02:06")), 1)
    same(lab.run("log", "--since", "2036-01-01", "n1").out, "n1: no such events\n")
    bad(lab.run("log", "--since", "noon", "n1"), "--since: 'noon' is neither")
    lab.run("log", "--clear", "-y", "n1")
    lab.run("log", "-n", "1", "n1")
    same(len(lab.run("log", "--new", "n1").lines), 4)


def events_of(lab, *words):
    return lab.run("log", "--json", *words, "n1").json[0]["result"]["events"]


# --- sensors. -------------------------------------------------------------------------------------

@test
def sensors(lab):
    """sensors: a table; JSON has the limits"""
    fleet(lab)
    same(lab.run("sensors", "n1").out, "n1:\n" + "".join(f"  {s}\n" for s in SENSORS))
    same(lab.run("sensors", "--sort", "n[1-2]").out,
         "".join(f"{n}: {s}\n" for n in ("n1", "n2") for s in SENSORS))
    one = lab.run("sensors", "--json", "n1").json[0]
    same(one["result"]["sensors"][0],
         {"name": "CPU", "type": "temperature", "value": "45.5", "unit": "C", "state": "ok",
          "thresholds": {"upper_warning": "85", "upper_critical": "95"}})
    r = lab.run("sensors", "o1")
    same((r.status, r.out), (1, "o1: error: unsupported: driver fine cannot read sensors\n"))


# --- DRIVER METHOD. -------------------------------------------------------------------------------

@test
def methods_run(lab):
    """a method's answer is a tree; options, ranges, URLs and maintenance are as for any verb"""
    fleet(lab)
    same(lab.run("null", "echo", "text=hi", "n1").out, "n1:\n  said: hi\n")
    same(lab.run("null", "echo", "times=2", "case=upper", "text=a=b", "n[1-2]", "--sort").out,
         "n1: said: A=B A=B\nn2: said: A=B A=B\n")
    same(lab.run("null", "echo", "text=", "n1").out, "n1:\n  said: \n")
    same(lab.run("null", "echo", "text=x", "null://10.1.1.1?state=on").out, "10.1.1.1:\n  said: x\n")
    same(lab.run("null", "echo", "text=x", "m1").out, "m1: skipped: PSU out\n")
    same(lab.run("null", "echo", "text=x", "-a", "-x", "o[1-2],dead1", "--fold").status, 0)
    same(lab.run("null", "trip", "n1").out, "n1: changed\n")
    r = lab.run("--trace", "null", "echo", "text=secretly", "n1")
    same(sent(r), ["method echo"])
    assert "secretly" not in r.err, r


@test
def methods_change_the_device(lab):
    """what a method does lasts, --dry-run does nothing"""
    state = lab.write("power", "on\n")
    lab.inventory(f'nodes: {{n1: {{driver: "null", state_file: {state}}}}}')
    r = lab.run("null", "trip", "--dry-run", "--trace", "n1")
    same((r.status, r.out, sent(r)), (0, "n1: ok: would send 'trip'\n", []))
    same(lab.read("power"), "on\n")
    same(lab.run("null", "echo", "--dry-run", "text=a b", "times=2", "n1").out,
         "n1: ok: would send 'echo text=a b times=2'\n")
    same(lab.run("null", "trip", "n1").out, "n1: changed\n")
    same(lab.read("power"), "off\n")


@test
def method_mistakes(lab):
    """mistakes end with 2 before anything is sent, each with what would be right"""
    fleet(lab)
    bad(lab.run("null", "ecko", "n1"), "driver null has no method 'ecko'; did you mean 'echo'?")
    bad(lab.run("null", "frobnicate", "n1"), "`powerctl help null` lists them")
    bad(lab.run("null", "reboot", "n1"), "the verb is: powerctl reboot NODES")
    bad(lab.run("fine", "echo", "o1"), "driver fine has no method 'echo'")
    bad(lab.run("nul", "echo", "text=a", "n1"), "unknown verb 'nul'; did you mean 'null'?")
    bad(lab.run("nosuch", "echo", "text=a", "n1"), "unknown verb 'nosuch'")
    bad(lab.run("null", "echo", "text=a"), "no NODES are given: powerctl null echo text=TEXT "
        "[times=NUMBER] [case=keep|upper|lower] NODES")
    bad(lab.run("null", "echo", "text=a", "-a", "n1"), "both -a and NODES")
    r = bad(lab.run("null", "echo", "txt=a", "times=12", "case=loud", "n1", "--trace"),
            "no parameter 'txt'; did you mean 'text'?",
            "times is not a number from 0 to 9: '12'", "it is one of: keep, upper, lower")
    same((sent(r), "text is missing" in r.err), ([], False), r)
    bad(lab.run("null", "echo", "n1"), "null echo: text is missing")
    bad(lab.run("null", "trip", "force=1", "n1"), "null trip has no parameter 'force', nor any other")
    bad(lab.run("null", "echo", "n1", "text=a"), "nodes come last: powerctl null echo text=a n1")
    bad(lab.run("null", "echo", "text=a", "text=b", "n1"), "text is given twice")
    bad(lab.run("null", "echo", "text=a", "nosuch1"), "unknown node 'nosuch1'")
    bad(lab.run("null", "echo", "text", "a", "n1"), "unknown node 'text'",
        "parameters are written NAME=VALUE: powerctl null echo text=VALUE NODES")
    bad(lab.run("null", "echo", "--soft", "text=a", "n1"), "--soft is no option of null echo")
    bad(lab.run("null", "echo", "--yes", "text=a", "n1"), "--yes is no option of null echo")


@test
def nodes_of_other_drivers(lab):
    """nodes of other drivers: named, before anything is sent to any"""
    fleet(lab)
    r = bad(lab.run("null", "trip", "--trace", "n1", "o[1-2]"),
            "o[1-2]: driver fine; `null trip` is for nodes of driver null only")
    same(sent(r), [])
    bad(lab.run("null", "echo", "text=x", "-a"), "o[1-2]: driver fine;")


@test
def methods_that_ask(lab):
    """confirm asks for one node too; disrupts asks above confirm_above, and obeys protected"""
    fleet(lab)
    bad(lab.run("null", "forget-boot", "n1"), "null forget-boot on 1 node has to be confirmed",
        "add --yes")
    same(lab.run("null", "forget-boot", "--yes", "n1").out, "n1: changed\n")
    same(lab.run("null", "forget-boot", "--dry-run", "n1").out, "n1: ok: would send 'forget-boot'\n")
    bad(lab.run("null", "trip", "n[1-4]"), "null trip on 4 nodes (more than confirm_above, 3)")
    same(lab.run("null", "trip", "--yes", "n[1-4]", "--fold").out, "n[1-4]: changed\n")
    same(lab.run("null", "echo", "text=x", "n[1-5]").status, 0)
    r = lab.run("null", "trip", "p1")
    same(r.status, 1)
    has(r.out, "p1: error: forbidden: protected, --protected overrides: file server")
    same(lab.run("null", "trip", "--protected", "p1").out, "p1: changed\n")
    same(lab.run("null", "forget-boot", "--yes", "p1").out, "p1: changed\n")
    bad(lab.run("null", "forget-boot", "--protected", "p1"), "--protected is no option of")


@test
def asking_on_a_terminal(lab):
    """confirm shows the nodes; no is 2, yes goes on; mistakes come before the question"""
    lab.inventory('nodes: {"n[1-2]": {driver: "null"}}')
    t = lab.terminal("null", "forget-boot", "n[1-2]")
    t.expect("powerctl null forget-boot on 2 nodes: n[1-2]\nGo on? [y/N] ")
    t.send("n\n")
    t.expect("not confirmed: nothing was sent")
    same(t.end(), 2)
    t = lab.terminal("null", "forget-boot", "n[1-2]")
    t.expect("Go on? [y/N] ")
    t.send("y\n")
    t.expect("n[1-2]: changed")
    same(t.end(), 0)
    t = lab.terminal("null", "forget-boot", "what=1", "n1")
    same(t.end(), 2)
    assert "Go on?" not in t.seen, t.seen


@test
def lost_answers(lab):
    """a lost answer: outcome_unknown; only what may be repeated is sent again, once"""
    fleet(lab)
    r = lab.run("--trace", "null", "trip", "lost1")
    same((r.status, sent(r)), (1, ["method trip"]))
    same(r.out, "lost1: error: outcome_unknown: whether 'trip' was taken is not known (told to fail: "
         "lost); it is not sent again\n")
    r = lab.run("--trace", "null", "forget-boot", "--yes", "lost1")
    same((r.status, sent(r)), (1, ["method forget-boot"] * 2))
    has(r.out, "lost1: error: outcome_unknown: whether 'forget-boot' was taken is not known")
    one = lab.run("null", "forget-boot", "--yes", "--json", "once1").json[0]
    same((one["ok"], one["changed"], one["attempts"], one["verb"]),
         (True, True, 2, "null forget-boot"))


# --- Help and JSON. -------------------------------------------------------------------------------

@test
def help_of_methods(lab):
    """powerctl DRIVER, help DRIVER, help DRIVER METHOD, DRIVER METHOD --help"""
    fleet(lab)
    has(lab.run("help").out, "DRIVER METHOD [PARAMETER=VALUE ...] NODES")
    r = lab.run("null")
    same((r.status, r.err), (0, ""))
    same(lab.run("help", "null").out, r.out)
    same(lab.run("null", "--help").out, r.out)
    has(r.out, "  echo text=TEXT [times=NUMBER] [case=keep|upper|lower] NODES\n      say a text back\n")
    has(r.out, "how letters come back: one of keep, upper, lower; default keep")
    has(r.out, "  trip NODES\n      take the power away as a breaker would "
        "(disrupts what runs on the machine)\n")
    has(r.out, "(changes the device; asks first)")
    r = lab.run("help", "null", "echo")
    same(lab.run("null", "echo", "--help").out, r.out)
    has(r.out, "usage: powerctl [options] null echo text=TEXT ")
    has(r.out, "number from 0 to 9; default 1")
    has(r.out, "--dry-run")
    assert "--protected" not in r.out, r
    has(lab.run("help", "null", "trip").out, "--protected")
    bad(lab.run("help", "null", "ecko"), "did you mean 'echo'?")
    bad(lab.run("help", "nul"), "did you mean 'null'?")
    r = lab.run("drivers", "null")
    has(r.out, "`powerctl help null` lists its methods")


@test
def abilities(lab):
    """caps and drivers list log, sensors and methods"""
    fleet(lab)
    caps = lab.run("caps", "--json", "n1").json[0]["result"]
    same((caps["log"], caps["log_clear"], caps["sensors"]), (True, True, True))
    same(caps["methods"], ["echo", "trip", "forget-boot"])
    caps = lab.run("caps", "--json", "o1").json[0]["result"]
    same((caps["log"], caps["log_clear"], caps["sensors"]), (False, False, False))
    one = lab.run("drivers", "--json", "null").json[0]
    for ability in ("log", "sensors", "methods"):
        assert ability in one["abilities"], one
    echo, trip, forget = one["methods"]
    same([p["name"] for p in echo["parameters"]], ["text", "times", "case"])
    same((echo["name"], echo["changes"], echo["disrupts"], echo["confirm"]),
         ("echo", False, False, False))
    same((trip["changes"], trip["disrupts"], forget["confirm"]), (True, True, True))


@test
def json_lines(lab):
    """--json: as the schema says; a state that nobody asked for is null"""
    fleet(lab)
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    runs = {("log", "n1"): "log", ("log", "--clear", "-y", "n1"): "log", ("sensors", "n1"): "sensors",
            ("null", "echo", "text=x", "n1"): "null echo", ("null", "trip", "p1"): "null trip",
            ("null", "forget-boot", "--yes", "lost1"): "null forget-boot",
            ("info", "n1"): "info", ("caps", "n1"): "caps", ("hardware", "n1"): "hardware",
            ("bootdev", "--show", "n1"): "bootdev", ("identify", "n1"): "identify"}
    for args, verb in runs.items():
        one = lab.run(*args, "--json").json[0]
        check_schema(one, schema)
        same((one["verb"], one["state"]), (verb, None), args)
    same(lab.run("null", "echo", "text=x", "--json", "n1").json[0]["result"], {"said": "x"})
    same(lab.run("null", "trip", "--json", "n1").json[0]["result"], None)
    same(lab.run("status", "--json", "dead1").json[0]["state"], "unknown")
    same(lab.run("on", "--json", "dead1").json[0]["state"], "unknown")


# --- Smaller ones. --------------------------------------------------------------------------------

@test
def bootdev_show_takes_no_device(lab):
    """bootdev --show pxe n1: says that no device is given with --show"""
    fleet(lab)
    bad(lab.run("bootdev", "--show", "pxe", "n1"), "unknown node 'pxe'",
        "with --show no DEVICE is given: powerctl bootdev --show NODES")
    r = bad(lab.run("bootdev", "--show", "n9"), "unknown node 'n9'")
    assert "no DEVICE" not in r.err, r
    lab.inventory('nodes: {pxe: {driver: "null"}}')
    has(lab.run("bootdev", "--show", "pxe").out, "pxe:\n  device: none\n")


@test
def drivers_that_are_all_refused(lab):
    """drivers: 2 where none can be used, 0 where one can"""
    folder = lab.path("odd")
    os.mkdir(folder, 0o700)
    bad(lab.run("drivers", "--plugin-dir", folder), "there is no driver in")
    shutil.copy(os.path.join(BUILD, "tests", "plugins", "noact.so"), folder)
    bad(lab.run("drivers", "--plugin-dir", folder), "driver noact is refused")
    shutil.copy(os.path.join(BUILD, "tests", "plugins", "fine.so"), folder)
    r = lab.run("drivers", "--plugin-dir", folder)
    same((r.status, len(r.lines)), (0, 1))


@test
def refused_drivers_have_no_methods(lab):
    """DRIVER of a plugin that was refused: why"""
    folder = os.path.join(BUILD, "tests", "plugins")
    bad(lab.run("--plugin-dir", folder, "badmethod", "one", "n1"), "the name of a method")
    bad(lab.run("--plugin-dir", folder, "help", "badmethod"), "the name of a method")


if __name__ == "__main__":
    main()
