#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines on several feeds, and chassis with blades: the real program, null outlets, AMT and IPMI."""
import json
import os
import re
import signal
import subprocess

from amtlib import Fleet
from ipmilib import BmcFleet
from lib import SOURCE, bad, good, has, main, same, test, until
from schema import check_schema

OUTLET = '{{driver: "null", address: pdu{pdu}, unit: {unit}, state_file: {file}}}'


def outlet(lab, n, unit=1, more=""):
    """One of a strip, whose state is kept in a file."""
    text = OUTLET.format(pdu=n, unit=unit, file=lab.path(f"outlet{n}.{unit}"))
    return text[:-1] + (", " + more if more else "") + "}"


def put(lab, *states):
    for n, state in enumerate(states, 1):
        lab.write(f"outlet{n}.1", state + "\n")


def outlets(lab):
    return [lab.read(f"outlet{n}.1").strip() for n in (1, 2)]


def nulls(lab, more=""):
    """n1: a null management processor and two outlets; two: the outlets alone."""
    lab.inventory(f"""
defaults: {{timeouts: {{poll: 20ms, outage: 50ms, return: 5s}}}}
nodes:
  n1:
    driver: "null"
    address: bmc1
    state_file: {lab.path("bmc")}
    power: [bmc, {outlet(lab, 1)}, {outlet(lab, 2)}]
  two: {{power: [{outlet(lab, 1)}, {outlet(lab, 2)}]}}
{more}
""")


@test
def all_or_nothing(lab):
    """on and off mean all feeds; what is mixed is unknown, and each feed is named"""
    nulls(lab)
    put(lab, "on", "on")
    lab.write("bmc", "on\n")
    good(lab.run("status", "n1", "two"), "n1: on", "two: on")
    good(lab.run("off", "n1"), "n1: off")
    same((outlets(lab), lab.read("bmc")), (["off", "off"], "off\n"))
    put(lab, "off", "on")
    bad(lab.run("status", "n1"), 1, "n1: unknown: state: bmc and null 1 are off; null 2 is on")
    has(lab.run("check", "n1").out, "; to mend: `powerctl on n1` or `powerctl off n1` makes all its feeds alike")
    good(lab.run("on", "n1"), "n1: on")
    same((outlets(lab), lab.read("bmc")), (["on", "on"], "on\n"))
    good(lab.run("cycle", "two"), "two: on")
    bad(lab.run("reset", "two"), 1, "'reset' wants a management processor")
    good(lab.run("ac-cycle", "n1"), "n1: on")
    r = lab.run("ac-cycle", "n1", "--dry-run")
    has(r.out, "would send 'off, then on' to null 1 and null 2")


@test
def json_of_feeds(lab):
    """--json has every feed with its state and error, and nothing where there is one driver"""
    nulls(lab, '  plain: {driver: "null"}\n  half: {driver: "null", state: "on", power: [bmc, '
          + outlet(lab, 3, more="fail_reads: refused") + "]}")
    put(lab, "on", "on", "on")
    lab.write("bmc", "on\n")
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        wanted = json.load(f)
    for verb in ("status", "off"):
        r = lab.run(verb, "n1", "plain", "half", "--json", "--sort")
        for line in r.json:
            check_schema(line, wanted)
        same(r.status, 1)
        first, plain, half = r.json
        same([(f["feed"], f["driver"], f["address"], f["ok"]) for f in first["feeds"]],
             [("bmc", "null", "bmc1", True), ("null 1", "null", "pdu1", True),
              ("null 2", "null", "pdu2", True)])
        same(plain["feeds"], [])
        same((half["feeds"][1]["state"], half["feeds"][1]["ok"]), ("unknown", False))
        same(half["feeds"][1]["error"]["class"], "refused")
    same([f["state"] for f in first["feeds"]], ["off", "off", "off"])


@test
def long_words(lab):
    """what is too long of one feed's failure is cut between two words"""
    long = lab.write("long", """#!/bin/sh
read -r request
case $request in
*'"op":"describe"'*) echo '{"v":1,"ok":true,"name":"long","summary":"talks","actions":["on","off"]}' ;;
*) echo '{"ok":false,"error":{"class":"refused","message":"the rack is """ + "many words long " * 11 + """"}}' ;;
esac
""", 0o755)
    nulls(lab, '  wordy: {driver: "null", state: "on", power: [bmc, {driver: exec, program: ' + long + "}]}")
    put(lab, "on", "on")
    r = bad(lab.run("off", "wordy"), 1)
    assert re.search(r" (many|words|long)…; bmc is off", r.err + r.out), r


@test
def partial_success(lab):
    """an outlet that stays on fails the verb, and the text says what is off"""
    nulls(lab, '  bad: {driver: "null", state: "on", power: [bmc, ' + outlet(lab, 1) + ", "
          + outlet(lab, 2, more="fail: refused") + "]}")
    put(lab, "on", "on")
    r = lab.run("off", "bad")
    bad(r, 1, "null 2: told to fail: refused; bmc and null 1 are off; null 2 is on")
    same(outlets(lab), ["off", "on"])
    bad(lab.run("on", "bad", "--dry-run"), 0, "would send 'on' to ")


@test
def mistakes(lab):
    """mistakes in feeds are named with their places before anything is sent"""
    lab.inventory("""
nodes:
  a: {driver: "null", power: [bcm, {driver: "null", unit: 1}]}
  b: {driver: "null", power: [bmc, {driver: nul, unit: 1}]}
  c: {driver: "null", power: [bmc, {driver: "null", colour: red}]}
  d: {driver: "null", parent: e}
""")
    r = lab.run("status", "-a")
    same((r.status, r.out), (2, ""))
    has(r.err, "powerctl.yaml:6:31: parent: 'e' is no node")
    lab.inventory(lab.read("config/powerctl/powerctl.yaml").replace(", parent: e", ""))
    r = lab.run("status", "-a")
    same((r.status, r.out), (2, ""))
    for line in ("powerctl.yaml:3:31: power: 'bcm' is no feed", "powerctl.yaml:4:",
                 "did you mean 'null'?", "powerctl.yaml:5:", "colour"):
        has(r.err, line)
    same(lab.run("check", "-a").status, 2)
    lab.inventory("nodes:\n  a: {power: [{driver: fence, agnt: x}, {driver: fence, agnt: y}]}\n"
                  "  b: {driver: exec, progam: /bin/true}\n  c: {power: [{driver: exec}]}\n")
    r = lab.run("status", "-a")
    same((r.status, r.out), (2, ""))
    same([line.split("powerctl.yaml:")[1] for line in r.err.splitlines()],
         ["2:31: driver fence has no setting 'agnt'; did you mean 'agent'?",
          "2:57: driver fence has no setting 'agnt'; did you mean 'agent'?",
          "3:21: driver exec has no setting 'progam'; did you mean 'program'?",
          "4:15: program is missing"])


@test
def caps(lab):
    """caps: feeds, and interfaces of other drivers"""
    lab.inventory("""
nodes:
  n1:
    driver: "null"
    console: {driver: wol, mac: "02:00:00:00:00:01", address: 127.0.0.1}
    power: [bmc, {driver: "null", unit: 1, address: a}, {driver: "null", unit: 2, address: a}]
  two: {power: [{driver: "null", unit: 3, address: a}, {driver: "null", unit: 4, address: a}]}
  w1: {driver: "null", power: [{driver: wol, mac: "02:00:00:00:00:01", address: 127.0.0.1}]}
  b: {driver: "null", console: {driver: wol, address: 127.0.0.1, mac: x}}
""")
    found = {one["node"]: one["result"] for one in lab.run("caps", "--json", "n1", "two", "w1").json}
    n1, two, w1 = (found[n] for n in ("n1", "two", "w1"))
    same((n1["console"], n1["from"], n1["sensors"]), (False, {"console": "wol"}, True))
    same([(f["feed"], f["driver"], f.get("address")) for f in n1["feeds"]],
         [("bmc", "null", None), ("null 1", "null", "a"), ("null 2", "null", "a")])
    same(("ac_cycle" in n1["power"], "reset" in n1["power"]), (True, True))
    same(two["power"], ["on", "off", "cycle", "ac_cycle"])
    same((w1["power"], w1["from"], w1["console"], w1.get("boot_once")),
         (["on"], {"power": "wol", "boot": "wol"}, True, None))
    bad(lab.run("caps", "b"), 1, "b: error: config: ", "powerctl.yaml:9:71: mac is not that of")
    has(lab.run("caps", "n1").out, "feed: null 2")


@test
def trust(lab):
    """trust says which of several feeds an identity is of"""
    lab.inventory('''
nodes:
  n1: {driver: "null", power: [bmc, {driver: "null", unit: 1, address: a},
    {driver: "null", unit: 1, address: b}]}
  two: {power: [{driver: "null", unit: 1, address: a}, {driver: "null", unit: 1, address: b}]}
''')
    lab.write("state/powerctl/known_devices",
              "null:n1 tls=00aa\nnull:a/1 guid=11bb\nnull:b/1 guid=22cc guid?=33dd\n")
    same(lab.run("trust", "n1").out, "n1: tls 00aa\nn1: power null 1 guid 11bb\n"
         "n1: power null 2 guid 22cc; last refused: 33dd\n")
    pins = lab.run("trust", "--json", "two").json[0]["pins"]
    same([(p["interface"], p["feed"], p["value"]) for p in pins],
         [("power", "null 1", "11bb"), ("power", "null 2", "22cc")])


@test
def two_commands(lab):
    """a second command waits for all outlets of the first, and nobody waits for ever"""
    lab.inventory(f"""
defaults: {{timeouts: {{poll: 20ms, outage: 300ms}}}}
nodes:
  ab: {{power: [{outlet(lab, 1, more="latency: 50ms")}, {outlet(lab, 2, more="latency: 50ms")}]}}
  ba: {{power: [{outlet(lab, 2, more="latency: 50ms")}, {outlet(lab, 1, more="latency: 50ms")}]}}
  one: {outlet(lab, 1, more="latency: 50ms")}
""")
    for _ in range(3):
        put(lab, "on", "on")
        procs = [lab.start("cycle", "--on-if-off", node, stdout=subprocess.PIPE, text=True)
                 for node in ("ab", "ba", "one", "ab", "ba")]
        for proc in procs:
            out = proc.communicate(timeout=60)[0]
            same((proc.returncode, out.split(": ")[1]), (0, "on\n"), out)
        same(outlets(lab), ["on", "on"])


@test
def interrupted(lab):
    """^C in the middle tells of each feed what is known"""
    lab.inventory(f"""
nodes:
  n1: {{driver: "null", address: b, state: "on", power: [bmc, {outlet(lab, 1)},
       {outlet(lab, 2, more="fail: hang")}]}}
""")
    put(lab, "on", "on")
    proc = lab.start("off", "n1", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("the first outlet is off", lambda: outlets(lab)[0] == "off")
    proc.send_signal(signal.SIGINT)
    out = proc.communicate(timeout=60)[0]
    same(proc.returncode, 130, out)
    line = json.loads(out)
    same([f["state"] for f in line["feeds"]], ["off", "off", "on"], line)
    has(line["error"]["message"], "null 2: interrupted")


@test
def chassis_and_blades(lab):
    """a chassis starts before its blades and goes off after them, or not at all"""
    lab.inventory("nodes:\n" + f'  ch: {{driver: "null", state_file: {lab.path("ch")}}}\n' + "".join(
        f'  b{n}: {{driver: "null", parent: ch, state_file: {lab.path(f"b{n}")}}}\n'
        for n in (1, 2)))
    bad(lab.run("on", "b1"), 1, "b1: error: state: nothing was sent: its parent ch is off")
    same(lab.run("on", "b[1-2]", "ch").lines[0], "ch: on")
    bad(lab.run("off", "ch"), 1, "not off for certain: b[1-2]", "--with-children")
    same(lab.read("ch"), "on\n")
    bad(lab.run("null", "trip", "--yes", "ch"), 1, "ch: error: state: nothing was sent: ",
        "not off for certain: b[1-2]; turn that off first")
    r = lab.run("off", "ch", "--with-children")
    same((r.status, r.lines[-1], len(r.lines)), (0, "ch: off", 3), r)
    same(len(lab.run("on", "ch", "--with-children", "-x", "b2").lines), 2)


@test
def one_start(lab):
    """the outlets of one node are one start: none of them waits for the other's stagger"""
    lab.inventory(f"""
nodes: {{n1: {{power: [{outlet(lab, 1)}, {outlet(lab, 2)}]}}}}
groups: {{rack: n1}}
limits: {{rack: {{stagger: 5m}}}}
""")
    put(lab, "off", "off")
    good(lab.run("on", "n1"), "n1: on")
    same(outlets(lab), ["on", "on"])


def fed(lab, node, class_name):
    """The node as the stand-ins' inventory has it, with an outlet beside it."""
    text = lab.read("config/powerctl/powerctl.yaml")
    lines = [line for line in text.splitlines() if line.startswith(f"  {node}: {{class: {class_name}")]
    same(len(lines), 1, text)
    lab.inventory(text.replace(lines[0], lines[0][:-1] + f", power: [bmc, {outlet(lab, 1)}]}}"))


def both(lab, fleet, node, on="on", off="off"):
    """The verbs of a management processor and an outlet that does not really feed it."""
    put(lab, "on", "on")
    good(lab.run("status", node), f"{node}: on")
    good(lab.run("off", node), f"{node}: off")
    same((fleet.device()["power"], outlets(lab)[0]), (off, "off"))
    bad(lab.run("reset", node), 1, "null: no power there")
    same(fleet.device()["power"], off)
    good(lab.run("on", node), f"{node}: on")
    same((fleet.device()["power"], outlets(lab)[0]), (on, "on"))
    good(lab.run("reset", node), f"{node}: on")
    good(lab.run("boot", "pxe", node), f"{node}: on")
    good(lab.run("ac-cycle", node), f"{node}: on")
    put(lab, "off", "on")
    bad(lab.run("status", node), 1, f"{node}: unknown: state: null is off; bmc is on")
    same(lab.run("info", node).status, 0)


@test
def amt_and_an_outlet(lab):
    """AMT and an outlet: on and off take both, what only AMT can do goes to it alone"""
    fleet = Fleet(lab, "--state", "on", timeouts="poll: 50ms, outage: 50ms")
    fed(lab, "a1", "stand-in")
    both(lab, fleet, "a1", on=2, off=8)


@test
def ipmi_and_an_outlet(lab):
    """IPMI and an outlet: the same"""
    fleet = BmcFleet(lab, timeouts="poll: 50ms, outage: 50ms")
    fleet.set("all", power="on")
    fed(lab, "b1", "bmc")
    both(lab, fleet, "b1")


@test
def a_processor_without_power(lab):
    """a BMC that is silent while its outlets are off is off, and one that returns is waited for"""
    fleet = BmcFleet(lab, timeouts="poll: 50ms, outage: 50ms, connect: 300ms, return: 20s")
    fleet.set("all", power="on", dead=1)
    fed(lab, "b1", "bmc")
    put(lab, "on", "on")
    bad(lab.run("status", "b1"), 1, "b1: unknown: unreachable: bmc: ", "null is on")
    same(lab.run("off", "b1").status, 0)
    same(outlets(lab)[0], "off")
    r = lab.run("status", "b1")
    same((r.status, r.lines[0][:8]), (0, "b1: off:"), r)
    has(r.out, "all outlets that feed it are off")
    proc = lab.start("on", "b1", stdout=subprocess.PIPE, text=True)
    until("the outlet is on", lambda: outlets(lab)[0] == "on")
    fleet.set("all", power="off", dead=0)
    same((proc.communicate(timeout=60)[0], proc.returncode), ("b1: on\n", 0))


@test
def other_drivers(lab):
    """single interfaces come from another driver, and power may be one of them"""
    lab.inventory(f"""
nodes:
  n1: {{driver: "null", address: a, power: {outlet(lab, 1)}, log: {{driver: "null", events: 0}},
       sensors: {{driver: nul}}}}
""")
    put(lab, "on", "on")
    good(lab.run("status", "n1"), "n1: on")
    good(lab.run("off", "n1"), "n1: off")
    same(outlets(lab)[0], "off")
    good(lab.run("log", "n1"), "n1: no events")
    r = lab.run("sensors", "n1")
    same((r.status, r.out), (2, ""))
    has(r.err, "did you mean 'null'?")
    same(lab.run("info", "n1").status, 0)


main()
