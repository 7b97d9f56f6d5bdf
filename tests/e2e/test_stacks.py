#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What contrib/ has for Warewulf, xCAT, NUT, Ansible and systemd, called as these call it."""
import fcntl
import glob
import json
import os
import re
import shutil
import shlex
import signal
import subprocess
import sys

import lib
from lib import POWERCTL, SOURCE, has, main, same, skip, test, took, until

CONTRIB = os.path.join(SOURCE, "contrib")
EVIL = "$(touch${IFS}pwned);#"
COUNT = 400
NODES = f"""nodes:
  n[001-{COUNT}]: {{driver: "null", address: "10.0.[1-2].[1-{COUNT // 2}]", state_file: "MACHINES/n[001-{COUNT}]",
                   transition: 1ms, tags: [night]}}
  idle: {{driver: "null", state_file: MACHINES/idle, tags: [night]}}
  sick: {{driver: "null", address: 10.9.0.1, state: on, state_file: MACHINES/sick, maintenance: "PSU", tags: [night]}}
  dead: {{driver: "null", address: 10.9.0.2, fail_reads: refused, tags: [bad]}}
  nap: {{driver: "null", address: 10.9.0.3, state: sleep}}
  twin[1-2]: {{driver: "null", address: 10.9.0.4, unit: "[1-2]"}}
  kept: {{driver: "null", address: 10.9.0.5, state: on, protected: "file server"}}
  "{EVIL}": {{driver: "null", address: 10.9.0.6, state_file: MACHINES/evil, tags: [odd]}}
"""


class Place:
    """An inventory whose machines keep their power in files, and an environment that finds our powerctl."""

    def __init__(self, lab, state="off"):
        self.lab = lab
        lab.keep(lib.Strays(lab))
        os.mkdir(lab.path("machines"))
        self.machines = lab.path("machines")
        for n in range(1, COUNT + 1):
            lab.write(f"machines/n{n:03}", state + "\n")
        lab.write("machines/idle", "off\n")
        lab.write("machines/sick", "on\n")
        lab.inventory(NODES.replace("MACHINES", self.machines))
        self.env = {**lab.env, "PATH": os.path.dirname(POWERCTL) + ":" + os.environ["PATH"],
                    "POWERCTL_UPSSCHED_CONF": lab.path("upssched.conf")}

    def run(self, *words, stdin="", env=None):
        done = subprocess.run(words, env={**self.env, **(env or {})}, cwd=self.lab.path(), input=stdin,
                              capture_output=True, text=True, timeout=lib.PATIENCE, check=False)
        same(os.path.exists(self.lab.path("pwned")), False, f"a shell ran a name: {words}")
        return done.returncode, done.stdout, done.stderr

    def states(self, *names):
        return {name: self.lab.read(f"machines/{name}").strip() for name in names or sorted(os.listdir(self.machines))}

    def count(self, state):
        return sum(s == state for n, s in self.states().items() if n.startswith("n"))


# --- Warewulf. ----------------------------------------------------------------------------------

def render(template, **values):
    """As much of Go's text/template as powerctl.tmpl uses, and then what Warewulf does with the result."""
    def value(m):
        field, function = re.fullmatch(r"\.(\w+)(?: \| (\w+))?", m[2]).groups()
        same(function, "urlquery", "the only function")
        return re.sub(r"[^A-Za-z0-9_.~-]", lambda c: "".join(f"%{b:02X}" for b in c[0].encode()), values[field])

    text = re.sub(r"(?s)(?:\s*\{\{-|\{\{)\s*/\*.*?\*/\s*(?:-\}\}\s*|\}\})", "", template)
    text = re.sub(r"(\{\{) (.+?) \}\}", value, text)
    return re.sub(r"(?:\r\n?|\n){2,}", " ", text).strip()


def warewulf(place, command, address):
    with open(os.path.join(CONTRIB, "warewulf", "powerctl.tmpl"), encoding="utf-8") as f:
        line = render(f.read(), Cmd=command, Ipaddr=address)
    same(line.count("/usr/libexec/powerctl/powerctl-warewulf "), 1, line)
    return place.run("/bin/sh", "-c", line.replace("/usr/libexec/powerctl", os.path.join(CONTRIB, "warewulf")))


@test
def warewulf_calls(lab):
    """Warewulf's template: every call that is documented, with ipmitool's words; failures are failures"""
    place = Place(lab)
    for command, said, state in (
            ("PowerStatus", "Chassis Power is off", "off"), ("PowerOn", "Chassis Power Control: Up/On", "on"),
            ("PowerStatus", "Chassis Power is on", "on"), ("PowerCycle", "Chassis Power Control: Cycle", "on"),
            ("PowerReset", "Chassis Power Control: Reset", "on"), ("PowerSoft", "Chassis Power Control: Soft", None),
            ("PowerOff", "Chassis Power Control: Down/Off", "off")):
        same(warewulf(place, command, "10.0.2.1"), (0, said + "\n", ""), command)
        same(place.states(f"n{COUNT // 2 + 1}").get(f"n{COUNT // 2 + 1}"), state or "off", command)
    same(warewulf(place, "SensorList", "10.0.1.1")[0], 0)
    for command, address, said in (
            ("PowerReset", "10.0.1.1", "n001: state:"), ("PowerStatus", "10.9.0.2", "dead: refused"),
            ("PowerOff", "10.9.0.1", "sick: skipped: PSU"), ("PowerStatus", "10.9.0.3", "nap: sleep"),
            ("PowerOff", "10.9.0.4", "several nodes have it: twin1 twin2"), ("PowerOff", "10.9.0.5", "forbidden"),
            ("PowerOff", "10.8.0.1", "no node of powerctl's inventory"), ("Nonsense", "10.0.1.1", "is none of"),
            ("PowerOff", "<nil>", "no node of"), ("PowerOff", f"10.0.1.1;{EVIL}", "no node of")):
        status, out, err = warewulf(place, command, address)
        same((status, out), (1, ""), (command, address, err))
        has(err, said)
    same(warewulf(place, "PowerOn", "10.9.0.6")[0], 0)
    same(place.states("evil"), {"evil": "on"})


# --- xCAT. --------------------------------------------------------------------------------------

XCATD = r"""
use strict; use warnings; use JSON::PP;
require $ARGV[0];
my $p = 'xCAT_plugin::powerctl';
my $json = JSON::PP->new->canonical;
my $handled = $p->can('handled_commands')->();
while (my $line = <STDIN>) {
	my $request = $json->decode($line);
	my @said;
	die "not ours" if ($handled->{$request->{command}[0]} || '') ne 'nodehm:mgt=powerctl';
	my $requests = $p->can('preprocess_request')->($request, sub { push @said, @_ });
	$p->can('process_request')->($_, sub { push @said, @_ }, sub { die "no subrequests" }) for @{$requests || []};
	print $json->encode(\@said), "\n";
}
"""


def xcat(place, *calls, env=None):
    """What the plugin tells xcatd for each (command, arguments, nodes): NODE: TEXT, or the whole call's error."""
    requests = "".join(json.dumps({"command": [c], "arg": a, "node": n}) + "\n" for c, a, n in calls)
    status, out, err = place.run("perl", "-we", XCATD, os.path.join(CONTRIB, "xcat", "powerctl.pm"),
                                 stdin=requests, env=env)
    same((status, err), (0, ""))
    answers = []
    for line in out.splitlines():
        texts = []
        for said in json.loads(line):
            for node in said.get("node", []):
                text = node["data"][0]["contents"][0] if "data" in node else node["error"][0]
                same("error" in node, node.get("errorcode") == [1])
                texts.append(f"{node['name'][0]}: {text}")
            texts += said.get("error", [])
        answers.append(texts)
    return answers


@test
def xcat_calls(lab):
    """xCAT's plugin: rpower and rsetboot as xcatd hands them over, 400 nodes in one call of powerctl"""
    if not shutil.which("perl"):
        skip("xcat: no perl")
    place = Place(lab)
    status, out, err = place.run("perl", "-wc", os.path.join(CONTRIB, "xcat", "powerctl.pm"))
    same((status, out), (0, ""), err)
    fleet = [f"n{n:03}" for n in range(1, COUNT + 1)]
    [on, stat, off, softoff, boot, cycle, reset, mixed, wrong, none, several] = xcat(
        place, ("rpower", ["on"], fleet), ("rpower", ["stat"], fleet[:2]), ("rpower", ["off"], ["n001"]),
        ("rpower", ["softoff"], ["n002"]), ("rpower", ["boot"], ["n001", "n003"]), ("rpower", ["cycle"], ["n004"]),
        ("rpower", ["reset"], ["idle"]), ("rpower", "stat", ["n005", "sick", "dead", EVIL]),
        ("rpower", ["explode"], ["n001"]), ("rpower", None, ["n001"]), ("rpower", ["on", "off"], ["n001"]))
    same(sorted(on), [f"{n}: on" for n in fleet])
    same((sorted(stat), off, softoff), (["n001: on", "n002: on"], ["n001: off"], ["n002: softoff"]))
    same((sorted(boot), cycle), (["n001: boot", "n003: boot"], ["n004: cycle"]))
    has(reset[0], "idle: Error: state: ")
    same(sorted(t.split(" told")[0] for t in mixed),
         sorted(["n005: on", "sick: Error: skipped: PSU", "dead: Error: refused:", f"{EVIL}: off"]))
    for said in (wrong, none, several):
        has(said[0], "Usage: rpower <noderange> ")
    history = lab.run("history", "--json", "--last", "on").json
    same(({line["caller"] for line in history}, len({line["run"] for line in history})), ({"xcat"}, 1))
    [net, persistent, shown, default, bad, unknown, option] = xcat(
        place, ("rsetboot", ["net"], ["n001", "n002"]), ("rsetboot", ["hd", "-p", "-u"], ["n001"]),
        ("rsetboot", ["stat"], ["n001"]), ("rsetboot", ["default"], ["n001"]), ("rsetboot", ["moon"], ["n001"]),
        ("rpower", ["off"], ["n001", "nope"]), ("rpower", ["off"], ["--all"]))
    same((sorted(net), persistent, default), (["n001: Network", "n002: Network"], ["n001: Hard Drive"],
                                              ["n001: boot override inactive"]))
    same(shown, ["n001: boot override inactive"], "the null driver keeps it in memory only")
    has(bad[0], "Usage: rsetboot")
    same([("unknown node 'nope'" in t, t.split(":")[0]) for t in unknown], [(True, "n001"), (True, "nope")])
    has(option[0], "--names takes nothing else")
    same(place.states("n001"), {"n001": "on"}, "nothing was sent")
    [lost] = xcat(place, ("rpower", ["stat"], ["n001"]), env={"POWERCTL": "/nonexistent"})
    has(lost[0], "n001: Error: ")


# --- NUT. ---------------------------------------------------------------------------------------

UPSSCHED = os.path.join(CONTRIB, "nut", "powerctl-upssched")


def shed_list(lab):
    try:
        return set(json.loads(lab.read("state/powerctl/upssched.json"))["shed"])
    except FileNotFoundError:
        return set()


@test
def ups_shed_and_restore(lab):
    """NUT's script: what was on is shed and comes again; what was off, in maintenance or gone does not"""
    place = Place(lab, "on")
    log = lab.path("hook.log")
    lab.write("upssched.conf", f"# ours\nlog = {log}\nretry = 0\non = --stagger 1ms\n")
    same(place.run(UPSSCHED, "--foreground", "shed-night", env={"UPSNAME": "apc"}), (0, "", ""))
    has(lab.read("hook.log"), f"shed-night (apc): {COUNT + 1} off, 0 failed; {COUNT} were on before")
    same((place.count("on"), len(shed_list(lab))), (0, COUNT))
    same(place.run(UPSSCHED, "status"), (0, f"n[001-{COUNT}]: shed as night\n", ""))
    lab.write("upssched.conf", f"log = {log}\npowerctl = /nonexistent\n")
    has(place.run(UPSSCHED, "status")[1], "n001,n002,n003,")
    lab.write("upssched.conf", f"# ours\nlog = {log}\nretry = 0\non = --stagger 1ms\n")
    same(place.run(UPSSCHED, "--foreground", "restore-other"), (0, "", ""))
    same(place.count("on"), 0, "another tag's restore")
    gone = NODES.replace("n[001-", "n[002-").replace("10.0.[1-2].[1-", f"10.0.[1-{COUNT - 1}].[1-")
    gone = gone.replace(f".[1-{COUNT // 2}]", ".1")  # as many addresses as names
    lab.inventory(gone.replace("MACHINES", place.machines))
    same(place.run(UPSSCHED, "--foreground", "restore"), (0, "", ""))
    same((place.count("on"), place.states("idle", "n001"), shed_list(lab)),
         (COUNT - 1, {"idle": "off", "n001": "off"}, set()))
    has(lab.read("hook.log"), "n001: the inventory does not have it any more")
    same({line["caller"] for line in lab.run("history", "--json").json}, {"nut"})


@test
def ups_in_background(lab):
    """the script comes back at once; a restore waits for a shed; a shed ends a restore that is under way"""
    place = Place(lab, "on")
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\nretry = 600\non = --stagger 600s\n")
    lab.write("hook.log", "")
    lock = lab.path("state", "powerctl", "upssched.json.lock")
    os.makedirs(os.path.dirname(lock), 0o700, exist_ok=True)
    restore = subprocess.Popen(["powerctl-upssched", "600"], executable=shutil.which("sleep"))  # as it would be called
    lab.keep(lib.Started(restore))
    with open(lock, "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(f"restore {restore.pid}\n")
        held.flush()
        with took(most=20):
            same(place.run(UPSSCHED, "shed-night"), (0, "", ""))
        until("it wants its turn", lambda: restore.poll() is not None)
        same((restore.returncode, place.count("on")), (-signal.SIGTERM, COUNT), "somebody else works")
    until("it is shed", lambda: " off, 0 failed" in lab.read("hook.log"))
    same(place.run(UPSSCHED, "restore"), (0, "", ""))
    until("one of them is on", lambda: place.count("on") > 0)
    same(place.run(UPSSCHED, "shed-night"), (0, "", ""))  # mains power has failed again
    until("the restore gave way", lambda: "a shed goes first" in lab.read("hook.log"))
    until("it is shed again", lambda: lab.read("hook.log").count(" off, 0 failed") == 2)
    same((place.count("on"), len(shed_list(lab))), (0, COUNT))


@test
def ups_dies(lab):
    """this host loses its power too: what was on is on the disk before anything is turned off"""
    place = Place(lab, "on")
    wrapper = lab.write("wrapper", f'#!/bin/sh\n[ "$1" != off ] || kill -9 $PPID\nexec {shlex.quote(POWERCTL)} "$@"\n',
                        0o755)
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\npowerctl = {shlex.quote(wrapper)}\n")
    same(place.run(UPSSCHED, "--foreground", "shed-night")[0], -9)
    same(len(shed_list(lab)), COUNT)


@test
def ups_bad_input(lab):
    """words that are no tags, a wrong file of settings, a folder that cannot be written, no powerctl"""
    place = Place(lab, "on")
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\n")
    status, _, err = place.run(UPSSCHED)
    same((status, err), (2, "powerctl-upssched: usage: powerctl-upssched shed-TAG | restore | restore-TAG | status\n"))
    for word in ("shed", "shed-", "shed-a,b", "shed-$(x)", "shed---all", "shed-@all", "restore-%x", "on", "shed-a b"):
        status, _, err = place.run(UPSSCHED, word)
        same(status, 2, word)
        has(err, "is none of: shed-TAG")
    lab.write("upssched.conf", "power = x\n")
    status, _, err = place.run(UPSSCHED, "shed-night")
    same(status, 2)
    has(err, "upssched.conf:1: 'power = x'")
    lab.write("file", "")
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\nstate = {lab.path('file')}\n")
    status, _, err = place.run(UPSSCHED, "--foreground", "shed-night")
    same((status != 0, place.count("on")), (True, COUNT))
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\npowerctl = /nonexistent\n")
    same(place.run(UPSSCHED, "--foreground", "shed-night")[0], 1)
    has(lab.read("hook.log"), "failed: ")
    lab.write("upssched.conf", f"log = {lab.path('hook.log')}\n")
    status, _, err = place.run(UPSSCHED, "shed-nobody")
    same(status, 2)
    for text in (err, lab.read("hook.log")):
        has(text, "shed-nobody: powerctl: ")


# --- Ansible, systemd. --------------------------------------------------------------------------

@test
def ansible_inventory(lab):
    """Ansible's inventory without Ansible: groups of tags, texts that are no templates, names that would be left out"""
    place = Place(lab)
    lab.inventory(NODES.replace("MACHINES", place.machines) + '  "a{{x}}": {driver: "null"}\n')
    script = os.path.join(CONTRIB, "ansible", "powerctl_inventory")
    status, out, err = place.run(script, "--list")
    same(status, 0)
    has(err, "left out, for its name would be a template: a{{x}}")
    found = json.loads(out)
    same((len(found["tag_night"]["hosts"]), found["tag_odd"]["hosts"], found["maintenance"]["hosts"]),
         (COUNT + 2, [EVIL], ["sick"]))
    same(found["_meta"]["hostvars"]["sick"]["powerctl_maintenance"], {"__ansible_unsafe": "PSU"})
    same(json.loads(place.run(script, "--host", "n001")[1])["powerctl_address"], {"__ansible_unsafe": "10.0.1.1"})
    same(place.run(script, "--nonsense")[0], 2)
    for word, how, said in (("--list", ">/dev/full", "powerctl_inventory: standard output: No space left on device"),
                            ("--list", ">&-", "left out, "), ("--bogus", "2>/dev/full", "")):
        status, out, err = place.run("sh", "-c", f'exec "$@" {how}', "sh", script, word)
        same((status, out, "Traceback" in err), (2 if word == "--bogus" else 1, "", False), how)
        has(err, said)
    with subprocess.Popen([script, "--list"], env={**place.env, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as proc:
        proc.stdout.read(1)
        proc.stdout.close()
        same((b"Traceback" in proc.stderr.read(), proc.wait(lib.PATIENCE)), (False, 1))
    lab.inventory("nodes: 7\n")
    status, out, _ = place.run(script, "--list")
    same((status, out), (1, ""), "a mistake in the inventory is no empty fleet")


@test
def systemd_units(lab):
    """each unit's command, as systemd makes words of it: 400 machines of a tag, one in maintenance"""
    place = Place(lab)
    commands = {}
    for path in glob.glob(os.path.join(CONTRIB, "systemd", "*.service")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        [line] = re.findall(r"^ExecStart=powerctl (.+)$", text, re.MULTILINE)
        line = line.replace("%%", "\0").replace("%I", "night").replace("\0", "%")
        line = line.replace("${POWERCTL_METRICS}", lab.path("p.prom")).replace("--stagger 1s", "--stagger 1ms")
        commands[os.path.basename(path)] = shlex.split(line)
    same(sorted(commands), ["powerctl-metrics.service", "powerctl-off@.service", "powerctl-on@.service"])
    r = lab.run(*commands["powerctl-on@.service"])
    same((r.status, place.count("on"), len(r.lines)), (0, COUNT, COUNT + 2), r.err)
    has(r.out, "sick: skipped: PSU")
    r = lab.run(*commands["powerctl-off@.service"])
    same((r.status, place.count("off"), place.states("sick")), (0, COUNT, {"sick": "on"}), r.err)
    r = lab.run(*commands["powerctl-metrics.service"])
    same((r.status, r.out, r.err), (1, "", ""))
    has(lab.read("p.prom"), f'powerctl_nodes{{state="off"}} {COUNT + 4}\n')


@test
def systemd_credentials(lab):
    """the line for the inventory that credentials.conf has takes a password from systemd's folder"""
    with open(os.path.join(CONTRIB, "systemd", "credentials.conf"), encoding="utf-8") as f:
        text = f.read()
    [line] = re.findall(r"^# {5}(bmc: .+)$", text, re.MULTILINE)
    lab.inventory(f'credentials:\n  {line}\nnodes:\n  n1: {{driver: "null", credential: bmc}}\n')
    lab.write("given/bmc", "geheim17\n")
    r = lab.run("status", env={"CREDENTIALS_DIRECTORY": lab.path("given")})
    same((r.status, r.out), (0, "n1: off\n"), r.err)
    same(lab.run("status").status, 2)
    has(text, "LoadCredentialEncrypted=bmc:/")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
