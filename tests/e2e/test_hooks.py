#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hooks: in the inventory: programs before and after verbs, and what becomes of the nodes."""
import json
import os
import signal
import subprocess

from ipmilib import BmcFleet
from lib import POWERCTL, SOURCE, bad, good, has, main, many, same, test, until

BASE = """
classes: {{m: {{driver: "null", timeouts: {{poll: 20ms}}}}, special: {{class: m}}}}
nodes:
  n[1-9]: {{class: m, state: on, state_file: "{0}/n[1-9]"}}
  n[3-4]: {{tags: [lab]}}
  n5: {{class: special}}
groups: {{rack: "n[1-2]"}}
hooks:
"""


def site(lab, hooks, more=""):
    """An inventory with these hooks, and a place where machines and hooks leave their traces."""
    for name in ("machines", "hooks"):
        os.makedirs(lab.path(name), 0o755, exist_ok=True)
    lab.inventory(more + BASE.format(lab.path("machines")) + hooks)


def hook(lab, name, text):
    """A shell script. $T is where it may leave traces."""
    return lab.write(f"hooks/{name}", f"#!/bin/sh\nT={lab.path('hooks')}\nP={POWERCTL}\n{text}\n", 0o755)


def touched(lab):
    """The machines that were sent something."""
    return sorted(os.listdir(lab.path("machines")))


def traces(lab, name):
    try:
        return lab.read(f"hooks/{name}").splitlines()
    except FileNotFoundError:
        return []


@test
def told(lab):
    """what hooks are told, by JSON and environment, and that nothing else of ours reaches them"""
    notes = hook(lab, "note", 'cat >>"$T/json"; env | sort >"$T/env.$POWERCTL_WHEN"; echo "$@" >"$T/args"')
    site(lab, f"  note: {{before: off, after: off, run: [{notes}, 'a $x', b], nodes: '%lab'}}\n",
         "credentials: {c: {username: u, password: geheim17}}\n")
    r = lab.run("off", "n[1-4]", "--soft", "--force-after", "1s", "--caller", "night",
                env={"POWERCTL_PASSWORD": "geheim18", "LEAK": "1", "SUDO_USER": "anna"})
    good(r, *(f"n{i}: off" for i in range(1, 5)))
    found = [json.loads(line) for line in traces(lab, "json")]
    same(sorted((e["when"], e["node"]) for e in found),
         [("after", "n3"), ("after", "n4"), ("before", "n3"), ("before", "n4")])
    with open(os.path.join(SOURCE, "docs/hooks.md"), encoding="utf-8") as page:
        example, = [json.loads(line) for line in page if line.startswith('{"v":1')]
    for e in found:
        same(list(e), list(example), "keys, as docs/hooks.md has them")
        same((e["v"], e["hook"], e["verb"], e["driver"], e["class"], e["tags"], e["groups"], e["caller"],
              e["sudo_user"], e["request"]),
             (1, "note", "off", "null", "m", ["lab"], [], "night", "anna", {"soft": True}))
    before = [e for e in found if e["when"] == "before"][0]
    same((before["action"], before["state"], before["result"]), ("soft_off", "on", None))
    after = [e for e in found if e["when"] == "after"][0]
    same((after["state"], after["result"]["ok"], after["result"]["outcome"], after["result"]["changed"],
          after["result"]["error"]), ("off", True, "off", True, None))
    run, = {e["run"] for e in found}
    same({e["run"] for e in lab.run("history", "--json").json}, {run})
    env = dict(line.split("=", 1) for line in traces(lab, "env.before") if "=" in line)
    same(env["POWERCTL_CALLER"], "hook:note")
    same(env["POWERCTL_VERB"], "off")
    same(env["POWERCTL_INVENTORY"], lab.inventory_path)
    same("LEAK" in env or "POWERCTL_PASSWORD" in env or "SUDO_USER" in env, False, env)
    same(traces(lab, "args"), ["a $x b"])
    for name in ("json", "env.before", "env.after"):
        same("geheim" in lab.read(f"hooks/{name}"), False, "a secret")


@test
def which_nodes(lab):
    """groups, ranges, classes, all; what is on already, in maintenance or only looked at has none"""
    note = hook(lab, "note", 'cat >/dev/null; echo "$1$POWERCTL_WHEN-$POWERCTL_NODE" >>"$T/seen"')
    site(lab, f"  a: {{before: [off, reboot], run: [{note}, a-], nodes: [\"@rack\", n3]}}\n"
              f"  b: {{before: any, run: [{note}, b-], classes: special}}\n"
              f"  c: {{after: start, run: [{note}, c-]}}\n"
              "include: [more.yaml]\n")
    lab.write("config/powerctl/more.yaml",
              f"hooks: {{d: {{after: off, run: [{note}, d-], nodes: n6}}}}\n"
              "nodes: {n2: {maintenance: PSU}, n7: {protected: files}}\n")
    lab.run("status", "-a")
    lab.run("on", "-a")
    lab.run("off", "--dry-run", "-a")
    same(traces(lab, "seen"), [])
    r = lab.run("off", "-a")
    same(r.status, 1)
    same(sorted(traces(lab, "seen")), ["a-before-n1", "a-before-n3", "b-before-n5", "d-after-n6"])
    lab.run("on", "n5")
    same(traces(lab, "seen")[4:], ["b-before-n5", "c-after-n5"])
    r = lab.run("reboot", "--dry-run", "n1", "n5", "--sort")
    same(r.lines, ["n1: ok: would send 'on'; it is off; hooks: a before, c after",
                   "n5: ok: would send 'cycle'; it is on; hooks: b before, c after"])
    same(lab.run("off", "--no-hooks", "n5").status, 0)
    same(len(traces(lab, "seen")), 6)
    same(lab.run("history", "--json", "n5").json[-1]["request"], {"no_hooks": True})


@test
def a_hook_says_no(lab):
    """the node is left alone and says why, others go on; one that hangs, is killed, floods, is gone"""
    hook(lab, "no", 'case $POWERCTL_NODE in n1) echo "3 jobs run" >&2; exit 1;; n2) exit 7;; '
                    'n3) kill -9 $$;; '
                    'n5) head -c 3000000 /dev/urandom; printf "\\n\\033[31m bad\\n\\n"; exit 1;; '
                    'n6) echo "fine, really"; exit 0;; esac')
    second = hook(lab, "second", 'echo "$POWERCTL_WHEN $POWERCTL_NODE" >>"$T/seen"')
    hang = hook(lab, "hang", "sleep 1000 & sleep 1000")
    site(lab, f"  no: {{before: off, run: {lab.path('hooks/no')}}}\n"
              f"  hang: {{before: off, run: {hang}, timeout: 500ms, nodes: n4}}\n"
              f"  second: {{before: off, after: off, run: {second}}}\n")
    r = lab.run("off", "n[1-6]", "--sort")
    same((r.status, r.lines), (1, [
        "n1: error: refused: hook 'no' said: 3 jobs run; nothing was sent",
        "n2: error: refused: hook 'no' ended with 7 and said nothing; nothing was sent",
        "n3: error: refused: hook 'no' was killed by signal 9; nothing was sent",
        "n4: error: timeout: hook 'hang' did not end in 500 ms; nothing was sent",
        "n5: error: refused: hook 'no' said:  [31m bad; nothing was sent",
        "n6: off"]))
    same(touched(lab), ["n6"])
    # What passed before another one said no has somebody to undo it.
    same(sorted(traces(lab, "seen")), ["after n4", "after n6", "before n6"])
    same(lab.run("history", "--json", "n1").json[0]["changed"], False)
    hook(lab, "thief", 'chmod 777 "$T/no"')
    site(lab, f"  thief: {{before: off, run: {lab.path('hooks/thief')}}}\n"
              f"  no: {{before: off, run: {lab.path('hooks/no')}}}\n")
    bad(lab.run("off", "n7"), 1, "n7: error: config: hook 'no': ", "can be written by others")
    os.remove(lab.path("hooks/no"))
    hook(lab, "no", "")
    hook(lab, "thief", 'rm "$T/no"')
    r = bad(lab.run("off", "n7"), 1, "n7: error: config: hook 'no': ")
    has(r.out, "No such file or directory; nothing was sent\n")
    same(touched(lab), ["n6"])


@test
def a_fresh_look(lab):
    """what became of the machine while its hook ran counts, and its time is not the verb's"""
    shut = hook(lab, "shut", f'sleep 1.2; echo off >"{lab.path("machines")}/$POWERCTL_NODE"; echo >>"$T/$POWERCTL_WHEN"')
    site(lab, f"  shut: {{before: off, after: off, run: {shut}}}\n")
    line, = lab.run("off", "n1", "--json", "--timeout", "1s").json
    same((line["ok"], line["state"], line["changed"]), (True, "off", False), line)
    same((len(traces(lab, "before")), len(traces(lab, "after"))), (1, 1))


@test
def over_a_network(lab):
    """a management processor has no connection of ours while its hooks run, and gets one afterwards"""
    bmcs = BmcFleet(lab, devices=3)
    wait = hook(lab, "wait", 'while [ ! -e "$T/go" ]; do sleep 0.05; done; cat >>"$T/json"')
    with open(lab.inventory_path, "a", encoding="utf-8") as f:
        f.write(f"hooks: {{wait: {{before: off, run: {wait}}}}}\n")
    bmcs.set("all", power="on")
    run = lab.start("off", "-a", stdout=subprocess.PIPE, text=True)
    for n in (1, 2, 3):
        bmcs.wait(lambda d: d["sessions"] == 0 and d["counters"]["logins"] > 0, n)
    same([bmcs.device(n)["power"] for n in (1, 2, 3)], ["on"] * 3)
    lab.write("hooks/go", "")
    out, _ = run.communicate(timeout=60)
    same((run.returncode, len(out.splitlines())), (0, 3))
    same([bmcs.device(n)["power"] for n in (1, 2, 3)], ["off"] * 3)
    for line in traces(lab, "json"):
        same("address" in json.loads(line), False)


@test
def a_hook_fails_afterwards(lab):
    """the verb succeeded all the same; said on stderr, in JSON and in the history"""
    undo = hook(lab, "undo", 'cat >>"$T/json"; echo "no route"; exit 1')
    good_one = hook(lab, "good", "exit 0")
    broken = hook(lab, "broken", '[ "$POWERCTL_NODE" != n3 ]')
    site(lab, f"  good: {{before: off, run: {good_one}}}\n  broken: {{before: off, run: {broken}}}\n"
              f"  undo: {{after: off, run: {undo}}}\n")
    r = lab.run("off", "n[1-2]", "-q")
    good(r, "n1: off", "n2: off")
    same(r.err, "powerctl: warning: n[1-2]: hook 'undo' said: no route\n")
    same([e["warning"] for e in lab.run("history", "--json").json], ["hook 'undo' said: no route"] * 2)
    has(lab.run("history", "n1").out, "n1: off (hook 'undo' said: no route)")
    line, = lab.run("off", "n3", "--json").json  # who had done something is told that nothing came of it
    same((line["ok"], line["changed"], line["warning"]), (False, False, "hook 'undo' said: no route"))
    told_last = json.loads(traces(lab, "json")[-1])["result"]
    same((told_last["ok"], told_last["changed"], told_last["error"]["class"]), (False, False, "refused"))


@test
def too_much_to_tell(lab):
    """more tags than fit into what a hook is told: nothing is sent, or it is said that none ran afterwards"""
    note = hook(lab, "note", 'echo >>"$T/ran"')
    tags = ", ".join(f"tag-{i:05}" for i in range(4000))
    for when in ("before", "after"):
        site(lab, f"  note: {{{when}: off, run: {note}}}\n")
        text = lab.read("config/powerctl/powerctl.yaml")
        lab.inventory(text.replace("\n  n5:", f"\n  n8: {{tags: [{tags}]}}\n  n5:"))
        r = lab.run("off", "n8", "-q")
        if when == "before":
            bad(r, 1, "n8: error: config: it has too many tags and groups for a hook; take some away, or use --no-hooks; "
                      "nothing was sent")
            same(touched(lab), [])
        else:
            good(r, "n8: off")
            same(r.err, "powerctl: warning: n8: no hook ran afterwards: it has too many tags and groups for one\n")
    same(traces(lab, "ran"), [])


@test
def mistakes(lab):
    """each is named with its place, and nothing is sent"""
    site(lab, "  a: {before: [of, status], run: hooks/x, nodes: \"@rock,n99\"}\n"
              "  b: {beforr: off}\n  c: [x]\n"
              "  d: {after: on, run: [], classes: speciel, timeout: soon}\n"
              "  e: {after: on, run: /bin/true, timeout: 0, nodes: \"n[1-\"}\n")
    r = lab.run("off", "n1")
    same((r.status, r.out), (2, ""))
    for line in (
            "9:16: hook 'a': before: 'of' is no verb that changes nodes; did you mean 'off'?",
            "9:20: hook 'a': before: 'status' is no verb that changes nodes; it is one of: on, off, ",
            "hook 'a': nodes: unknown group 'rock'; did you mean 'rack'?",
            "10:7: unknown key 'beforr'; did you mean 'before'?",
            "10:3: hook 'b': neither before nor after which verb",
            "10:3: hook 'b': nothing to run",
            "11:6: c: a map, {key: value}, is wanted here, not a list",
            "hook 'd': nothing to run", "unknown class 'speciel'; did you mean 'special'?",
            "timeout: a duration is wanted here (500ms, 60s, 2m), not 'soon'",
            "hook 'e': timeout: more than 0 is wanted here", "hook 'e': nodes: "):
        has(r.err, line)
    site(lab, "  a: {before: off, run: x, nodes: n99}\n")
    has(lab.run("off", "n1").err, "9:35: hook 'a': nodes: unknown node 'n99'; did you mean 'n9'?")
    same(touched(lab), [])


@test
def whose_file(lab):
    """a file that others may change is not run; `check` says so too"""
    path = hook(lab, "x", "exit 0")
    site(lab, f"  a: {{before: off, run: {path}, nodes: n1}}\n")
    place = f"{lab.inventory_path}:9:25: hook 'a': "
    as_user = (12345, 0)

    def refused(*parts):
        r = lab.run("off", "n1")
        same((r.status, r.out, touched(lab)), (2, "", []))
        checked = lab.run("check", "n1")
        same(checked.status, 2)
        for part in (place, *parts):
            has(r.err, part)
            has(checked.err, part)
        same(lab.run("status", "n1").status, 0)
        same(lab.run("off", "n9").status, 0, "it is not for that one")
        os.remove(lab.path("machines/n9"))

    for mode in (0o775, 0o757):
        os.chmod(path, mode)
        refused("can be written by others and is not run; mend it with: chmod go-w " + path)
    os.chmod(path, 0o644)
    refused("cannot be run; make it executable: chmod +x " + path)
    os.chmod(path, 0o755)
    os.chmod(lab.path("hooks"), 0o777)
    refused("mend it with: chmod go-w " + lab.path("hooks"))
    os.chmod(lab.path("hooks"), 0o755)
    os.remove(path)
    refused("No such file or directory")
    os.mkdir(path)
    refused("is no program")
    os.rmdir(path)
    hook(lab, "x", "exit 0")
    if os.geteuid() == 0:
        os.chown(path, *as_user)
        refused("belongs to user 12345, neither to root nor to the owner of the inventory")
        os.chown(lab.inventory_path, *as_user)  # his inventory, his hook
        os.chmod(lab.inventory_path, 0o644)
        os.chown(lab.path("hooks"), *as_user)
    same(lab.run("check", "n1").status, 0)
    good(lab.run("off", "n1"), "n1: off")


@test
def powerctl_in_a_hook(lab):
    """reads go between; what would change the same machine is told, not left to hang"""
    inner = hook(lab, "inner", '$P status $POWERCTL_NODE >"$T/status" 2>&1 || exit 1\n'
                               '$P off $POWERCTL_NODE >"$T/off" 2>&1 && exit 1\n'
                               '$P on n9 >"$T/on" 2>&1')
    site(lab, f"  inner: {{before: off, run: {inner}, timeout: 50s, nodes: [n1, pair]}}\n",)
    with open(lab.inventory_path, "a", encoding="utf-8") as f:
        f.write("include: [pair.yaml]\n")
    lab.write("config/powerctl/pair.yaml",
              'nodes:\n  pair:\n    driver: "null"\n    state: on\n    unit: a\n'
              '    power: [bmc, {driver: "null", unit: b, state: on}]\n')
    for name in ("n1", "pair"):
        good(lab.run("off", name), f"{name}: off")
        same(traces(lab, "status"), [f"{name}: on"])
        has(lab.read("hooks/off"), f"{name}: error: busy: the command that this hook belongs to has it")
        same(traces(lab, "on"), ["n9: on"])
    same([(e["caller"], e["node"]) for e in lab.run("history", "--json").json][:2],
         [("hook:inner", "n1"), ("hook:inner", "n9")])


@test
def hooks_of_hooks(lab):
    """a command that a hook gives has hooks of its own, which are told of what is above them"""
    outer = hook(lab, "outer", '$P off n2 >"$T/middle" 2>&1')
    inner = hook(lab, "inner", '$P off n1 >"$T/inner_said" 2>&1; exit 0')
    site(lab, f"  outer: {{before: off, run: {outer}, timeout: 50s, nodes: n1}}\n"
              f"  inner: {{before: off, run: {inner}, timeout: 40s, nodes: n2}}\n")
    good(lab.run("off", "n1"), "n1: off")
    same(traces(lab, "middle"), ["n2: off"])
    has(lab.read("hooks/inner_said"), "n1: error: busy: the command that this hook belongs to has it")


@test
def several_feeds(lab):
    """a node that hangs on several things has its hooks once, before the first of them"""
    note = hook(lab, "note", 'cat >>"$T/json"; [ ! -e "$T/no" ] || { echo not now; exit 1; }')
    site(lab, f"  note: {{before: any, after: any, run: {note}, nodes: pair}}\n")
    with open(lab.inventory_path, "a", encoding="utf-8") as f:
        f.write("include: [pair.yaml]\n")
    lab.write("config/powerctl/pair.yaml",
              'nodes:\n  pair:\n    driver: "null"\n    state: on\n    unit: a\n    timeouts: {outage: 100ms}\n'
              f'    state_file: "{lab.path("machines/pa")}"\n'
              '    power: [bmc, {driver: "null", unit: b, state: on, '
              f'state_file: "{lab.path("machines/pb")}"}}]\n')
    has(lab.run("off", "--dry-run", "pair").out, "; hooks: note before, note after")
    for verb, state in (("off", "off"), ("on", "on"), ("reset", "on"), ("ac-cycle", "on")):
        r = lab.run(verb, "pair")
        good(r, f"pair: {state}")
    found = [(e["verb"], e["when"], e["state"]) for e in map(json.loads, traces(lab, "json"))]
    same(found[:4], [("off", "before", "on"), ("off", "after", "off"), ("on", "before", "off"), ("on", "after", "on")])
    same([(v, w) for v, w, _ in found[4:]],
         [("reset", "before"), ("reset", "after"), ("ac-cycle", "before"), ("ac-cycle", "after")])
    lab.write("hooks/no", "")
    r = bad(lab.run("off", "pair"), 1, "pair: error: refused: hook 'note' said: not now; nothing was sent")
    same(lab.run("status", "pair").out, "pair: on\n")
    same(r.err, "")


@test
def many_nodes_and_two_commands(lab):
    """four hundred nodes with a hook, and others beside them, which do not wait for these"""
    size = many(400)
    slow = hook(lab, "slow", 'if [ "$POWERCTL_NODE" = c1 ]; then while [ ! -e "$T/go" ]; do sleep 0.05; done; fi')
    site(lab, f"  slow: {{before: off, run: {slow}, nodes: \"c[1-{size}]\"}}\n")
    lab.write("config/powerctl/fleet.yaml",
              f'nodes: {{"c[1-{size}]": {{driver: "null", state: on}}, "f[1-{size}]": {{driver: "null", state: on}}}}\n')
    with open(lab.inventory_path, "a", encoding="utf-8") as f:
        f.write("include: [fleet.yaml]\n")
    with open(lab.path("out"), "w", encoding="utf-8") as out:
        one = lab.start("off", f"c[1-{size}],f[1-{size}]", "--fanout", "1", "--yes", stdout=out)
    until("all but c1 have ended while its hook runs, one at a time",
          lambda: len(lab.read("out").splitlines()) == 2 * size - 1)
    same("c1: off" in lab.read("out").splitlines(), False)
    two = lab.start("off", "c1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    has(two.stderr.readline(), "c1: waiting for")  # the second hook has to wait for the first's node
    lab.write("hooks/go", "")
    same((one.wait(60), two.stdout.read(), two.wait(60)), (0, "c1: off\n", 0))
    same(lab.read("out").splitlines()[-1], "c1: off")


@test
def interrupted(lab):
    """^C ends a hook with its children; nothing is sent; what was sent stays told"""
    hang = hook(lab, "hang", 'sleep 1000 & echo $! >"$T/child"; echo $$ >"$T/pid"; mv "$T/pid" "$T/$POWERCTL_WHEN"; wait')
    site(lab, f"  hang: {{before: off, run: {hang}, nodes: n1}}\n  late: {{after: off, run: {hang}, nodes: n2}}\n")

    def gone(name):
        return not os.path.exists(f"/proc/{lab.read(f'hooks/{name}').strip()}")

    for node, when, line in (("n1", "before", "n1: error: canceled: interrupted; nothing was sent, last read: on\n"),
                             ("n2", "after", "n2: off\n")):
        run = lab.start("off", node, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(f"{when} runs", lambda w=when: traces(lab, w))
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        same((run.returncode, out), (130, line))
        until("they are gone", lambda w=when: gone(w) and gone("child"))
    has(err, "warning: n2: hooks did not run to their end: interrupted")
    same(touched(lab), ["n2"])
    r = lab.run("off", "n1", "--deadline", "300ms")
    has(r.out, "n1: error: timeout: the command's time was over; nothing was sent")


@test
def interrupted_verb(lab):
    """^C between what was sent and its end: the hook behind it is not begun any more, which is said"""
    late = hook(lab, "late", 'echo "$POWERCTL_NODE" >>"$T/late.ran"')
    site(lab, "")
    slow = BASE.format(lab.path("machines")).replace("state: on,", "state: on, transition: 60s,")
    lab.inventory(slow + f"  late: {{after: off, run: {late}, nodes: n1}}\n")
    run = lab.start("off", "n1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("it was sent", lambda: touched(lab) == ["n1"])
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    same((run.returncode, traces(lab, "late.ran")), (130, []), out)
    has(err, "warning: n1: hooks did not run to their end: interrupted")


if __name__ == "__main__":
    main()
