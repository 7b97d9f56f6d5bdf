#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/slurm as slurmctld calls it: one list of hosts, next to no environment, closed descriptors."""
import json
import os
import re
import resource
import socket
import subprocess
import sys

import lib
from lib import POWERCTL, SOURCE, good, has, main, same, test, until

PROGRAMS = os.path.join(SOURCE, "contrib", "slurm")
FLEET = """classes: {m: {driver: "null", transition: 1ms, timeouts: {poll: 20ms, connect: 300ms}}}
nodes:
  n[1-4]: {class: m, state_file: "MACHINES/n[1-4]"}
  sick: {class: m, state_file: "MACHINES/sick", maintenance: "PSU out"}
  safe: {class: m, state: on, state_file: "MACHINES/safe", protected: "file server"}
  dead: {class: m, fail_reads: unreachable}
  denied: {class: m, fail_reads: auth}
"""


class Slurm:
    """What slurmctld would be to the programs."""

    def __init__(self, lab, inventory=FLEET, **settings):
        self.lab = lab
        os.makedirs(lab.path("machines"), exist_ok=True)
        self.inventory(inventory)
        rows = {"powerctl": POWERCTL, "inventory": lab.inventory_path, "state_dir": lab.path("slurm"),
                "log_file": lab.path("log"), "retry_pause": "1s", "scontrol": "/nonexistent/scontrol", **settings}
        conf = lab.write("slurm.conf", "# ours\n" + "".join(f"{k} = {v}\n" for k, v in rows.items()))
        self.env = {"SLURM_CONF": "/etc/slurm/slurm.conf", "POWERCTL_SLURM_CONF": conf}
        for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "HOME", "ASAN_OPTIONS"):
            if name in lab.env:
                self.env[name] = lab.env[name]  # root's own folders are no place for a test
        lab.keep(self)

    def inventory(self, text):
        fresh = self.lab.write("config/powerctl/fresh.yaml", text.replace("MACHINES", self.lab.path("machines")))
        os.rename(fresh, self.lab.inventory_path)

    def call(self, *words, **env):
        """As a child of slurmctld with nothing open; its exit status."""
        def closed():
            os.closerange(0, 3)
        return subprocess.run([os.path.join(PROGRAMS, words[0]), *words[1:]], env={**self.env, **env}, cwd="/",
                              preexec_fn=closed, timeout=lib.PATIENCE, check=False).returncode

    def tool(self, *words, **env):
        return subprocess.run([os.path.join(PROGRAMS, "powerctl-slurm"), *words], env={**self.env, **env},
                              capture_output=True, text=True, timeout=lib.PATIENCE, check=False)

    def state(self, name):
        return self.lab.read(f"machines/{name}").strip()

    @property
    def log(self):
        return self.lab.read("log") if os.path.exists(self.lab.path("log")) else ""

    @property
    def board(self):
        try:
            return json.loads(self.lab.read("slurm/status.json"))
        except FileNotFoundError:
            return {"calls": {}, "nodes": {}}

    def node(self, name):
        entry = self.board["nodes"].get(name, {})
        return entry.get("state"), entry.get("message")

    def ended(self, count=1):
        """Waits until so many calls have ended."""
        until(f"{count} calls have ended",
              lambda: sum(1 for c in self.board["calls"].values() if c.get("ended")) >= count)

    def do(self, *words, **env):
        before = len(self.board["calls"])
        same(self.call(*words, **env), 0)
        self.ended(before + 1)

    def close(self):
        """No worker is left behind; one that hangs is a failure."""
        for call in self.board["calls"].values():
            until("the worker has ended", lambda pid=call["pid"]: not os.path.exists(f"/proc/{pid}"))


def sent(lab, node):
    """Verbs of the history that sent something to a node."""
    return [row["verb"] for row in lab.run("history", "--json", "--names", node).json if row["changed"]]


@test
def as_slurm_calls(lab):
    """one argument, closed descriptors, SLURM_RESUME_FILE as a descriptor that is closed at once; jobs are told"""
    slurm = Slurm(lab)
    path = lab.write("resume", '{"jobs":[{"job_id":17,"nodes":"n[1-2]"}],"all_nodes":"n[1-2]"}')
    with open(path, encoding="utf-8") as file:
        os.unlink(path)
        same(slurm.call("resume", "n[1-2],sick", SLURM_RESUME_FILE=f"/proc/{os.getpid()}/fd/{file.fileno()}"), 0)
    slurm.ended()
    same([slurm.state(n) for n in ("n1", "n2")], ["on", "on"])
    same(slurm.node("n1"), ("done", "on: was off"))
    same(slurm.node("sick"), ("skipped", "in maintenance: PSU out"))
    same(list(slurm.board["calls"].values())[0]["jobs"], [17])
    has(slurm.log, "for jobs 17\n")
    slurm.do("suspend", "n[1-2],sick,safe")
    same([slurm.state(n) for n in ("n1", "n2")], ["off", "off"])
    same((slurm.node("n1"), slurm.node("safe")[0]), (("done", "off: off"), "failed"))
    has(slurm.log, "safe: failed: off: forbidden: ")
    # Vanished, and not as Slurm writes it.
    slurm.do("resume", "n1", SLURM_RESUME_FILE="/proc/1/fd/9999")
    slurm.do("resume", "n2", SLURM_RESUME_FILE=lab.write("odd", '{"jobs": 3'))
    same([slurm.state(n) for n in ("n1", "n2")], ["on", "on"])
    has(slurm.log, "SLURM_RESUME_FILE: No such file")
    has(slurm.log, "SLURM_RESUME_FILE: not as Slurm writes it")
    same({row["caller"] for row in lab.run("history", "--json").json}, {"slurm/resume", "slurm/suspend"})


@test
def boots(lab):
    """what is on is reset, unless it was started a moment ago and not turned off since"""
    slurm = Slurm(lab, resume_timeout="600s")
    for n in (1, 2):
        lab.write(f"machines/n{n}", "on")
    slurm.do("resume", "n[1-3]")
    same([sent(lab, n) for n in ("n1", "n2", "n3")], [["reset"], ["reset"], ["on"]])
    same(slurm.node("n1"), ("done", "reset: was on"))
    slurm.do("resume", "n[1-3]")
    same([sent(lab, n) for n in ("n1", "n3")], [["reset"], ["on"]])
    same(slurm.node("n3"), ("done", "on: started a moment ago, says the history"))
    slurm.do("suspend", "n1")
    lab.write("machines/n1", "on")  # by its button
    slurm.do("resume", "n1")
    same(sent(lab, "n1"), ["reset", "off", "reset"])
    # Later than ResumeTimeout it is no excuse; nor where the settings say so.
    slurm.do("resume", "n3", POWERCTL_SLURM_RECENT_STARTS="none")
    same(sent(lab, "n3"), ["on", "reset"])
    lab.run("off", "n4")
    lab.run("on", "n4")
    slurm.do("resume", "n4", POWERCTL_SLURM_RECENT_STARTS="slurm")
    same(sent(lab, "n4"), ["on", "reset"])
    long_ago = re.sub(r'"time":"\d+', '"time":"2001', lab.read("state/powerctl/history.jsonl"))
    lab.write("state/powerctl/history.jsonl", long_ago)
    slurm.do("resume", "n4")
    same(sent(lab, "n4"), ["on", "reset", "reset"])


@test
def hostile_names(lab):
    """names that are no nodes are refused by name; none is an option, a group, a path or a command"""
    slurm = Slurm(lab)
    for names in ("--yes", "-a", "@all", "%t", "*", "$(touch x)", "n1;id", "null://x", "-", "n[1-", "n1\nn2 \033[2J",
                  "n[1-99999999]", "../../etc/passwd", "n1!n2"):
        for program in ("suspend", "resume", "resumefail"):
            same(slurm.call(program, names), 0)
    until("all are refused", lambda: slurm.log.count("nothing is done: ") + slurm.log.count("refused, not in") >= 42)
    same((os.listdir(lab.path("machines")), "\033" in slurm.log), ([], False))
    slurm.do("resume", "n1,zz,y[1-2]")
    until("it is refused by name", lambda: "refused, not in the inventory: y[1-2],zz" in slurm.log)
    until("the node is on", lambda: slurm.board["nodes"].get("n1", {}).get("state") == "done")
    same((slurm.state("n1"), list(slurm.board["nodes"])), ("on", ["n1"]))
    for words in ((), ("n1", "n2"), ("",)):
        same(slurm.call("suspend", *words), 2)
    same(slurm.tool().returncode, 2)
    same(slurm.tool("bogus").returncode, 2)
    same(slurm.tool("--help").returncode, 0)
    same(slurm.state("n1"), "on")


@test
def tries_again(lab):
    """what may be tried again is, until ResumeTimeout, which scontrol tells; a wrong password is not"""
    scontrol = lab.write("scontrol", "#!/bin/sh\necho 'ResumeTimeout           = 5 sec'\n", 0o755)
    slurm = Slurm(lab, scontrol=scontrol, resume_timeout="1s")
    same(slurm.call("resume", "dead,denied"), 0)
    slurm.ended()
    same((slurm.node("denied")[0], slurm.node("dead")[0]), ("failed", "failed"))
    same(slurm.board["nodes"]["denied"]["tries"], 1)
    assert slurm.board["nodes"]["dead"]["tries"] > 1, slurm.log
    has(slurm.node("dead")[1], "given up: on: unreachable: ")
    same(slurm.call("resume", "dead", POWERCTL_SLURM_RESUME_TIMEOUT="60s"), 0)
    until("it waits", lambda: slurm.node("dead")[0] == "waiting")
    slurm.inventory(FLEET.replace("dead: {class: m, fail_reads: unreachable}", "dead: {class: m}"))
    slurm.ended(2)
    same(slurm.node("dead"), ("done", "on: was off"))


WRONG = FLEET + """  bad[1-2]: {class: m, colour: blue}
  lost: {driver: nonesuch}
  locked: {class: m, password_file: /nonexistent/secret}
"""


@test
def wrong_settings(lab):
    """nodes whose settings are wrong are told once, each why; the others are powered in the same try"""
    scontrol = lab.write("scontrol", f"#!/bin/sh\necho \"$@\" >>{lab.path('asked')}\n", 0o755)
    slurm = Slurm(lab, WRONG, scontrol=scontrol, resume_timeout="60s")
    slurm.do("resume", "bad1,n[1-2],lost,n3,bad2,locked,n4,sick")
    same([slurm.state(f"n{n}") for n in (1, 2, 3, 4)], ["on"] * 4)
    same([slurm.node(f"n{n}") for n in (1, 4)], [("done", "on: was off")] * 2)
    for name, why in (("bad1", "driver null has no setting 'colour'"), ("bad2", "driver null has no setting 'colour'"),
                      ("lost", "there is no driver 'nonesuch'"), ("locked", "password_file: /nonexistent/secret: ")):
        same((slurm.node(name)[0], slurm.board["nodes"][name]["tries"]), ("failed", 1), name)
        has(slurm.node(name)[1], "on: config: " + lab.inventory_path + ":")
        has(slurm.node(name)[1], why)
    same((slurm.log.count("'colour'"), slurm.log.count("nonesuch'")), (1, 1), slurm.log)
    has(slurm.log, "bad[1-2]: failed: on: config: ")
    has(slurm.log, "ends: 4 done, 4 failed, 1 skipped")
    same(sent(lab, "n1"), ["on"])
    # Slurm is told as of any failure, and suspend is held up no more than resume.
    slurm.do("resumefail", "lost")
    has(lab.read("asked"), "update NodeName=lost Reason=powerctl: on: config: ")
    slurm.do("suspend", "n[1-3],lost")
    same([slurm.state(f"n{n}") for n in (1, 2, 3, 4)], ["off", "off", "off", "on"])
    has(slurm.node("lost")[1], "off: config: ")
    # All of them are wrong: nothing is left to be run.
    slurm.do("resume", "bad[1-2]")
    has(slurm.log, "ends: 2 failed\n")


@test
def cannot_ask(lab):
    """where a device cannot ask its operating system the power is taken away; what failed otherwise is left"""
    relay = os.path.join(SOURCE, "contrib", "exec", "relay.sh")
    slurm = Slurm(lab, FLEET + f"  relay: {{driver: exec, program: {relay}, line: {lab.write('line', '1')}}}\n"
                  "  unsupported: {class: m, state: on, fail: refused}\n", suspend_give_up="1s")
    slurm.do("suspend", "relay,unsupported")
    same((lab.read("line").strip(), slurm.node("relay")), ("0", ("done", "off: off")))
    has(slurm.node("unsupported")[1], "off: refused: ")
    rows = lab.run("history", "--json", "--names", "relay,unsupported").json
    same(sorted(row["error"]["class"] if row["error"] else "" for row in rows), ["", "refused", "unsupported"])


SYSLOG = """for f in null full urandom; do touch {hold}$f; mount --bind /dev/$f {hold}$f; done
mount -t tmpfs tmpfs /dev
for f in null full urandom; do touch /dev/$f; mount --bind {hold}$f /dev/$f; done
ln -s {socket} /dev/log
exec "$@"
"""


@test
def syslog(lab):
    """a log that cannot be written: every line goes to syslog, and what was wrong with the file before them"""
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec",
               SYSLOG.format(hold=lab.path("hold-"), socket=lab.path("syslog")), "sh"]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        lib.skip("no folder can be mounted in a namespace of its own here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(lab.path("syslog"))
        listener.settimeout(lib.PATIENCE)
        for path, first in ((lab.path("none", "log"), "No such file or directory; the log goes to syslog"),
                            ("/dev/full", "called with n1")):
            slurm = Slurm(lab, log_file=path, state_dir=lab.path("slurm-" + os.path.basename(path)))
            done = subprocess.run([*private, os.path.join(PROGRAMS, "resume"), "n1"], env=slurm.env, cwd="/",
                                  stdin=subprocess.DEVNULL, timeout=lib.PATIENCE, check=False)
            same(done.returncode, 0)
            lines = []
            while not lines or "ends: " not in lines[-1]:
                lines.append(listener.recv(65536).decode("ascii"))
            has(lines[0], first)
            for line, part in zip(lines[-3:], ("called with n1", "n1: done: on: ", "ends: 1 done")):
                has(line, part)
                has(line, "powerctl-slurm: resume ")
                assert line.startswith("<29>"), line  # daemon.notice
            same(slurm.state("n1"), "on")


@test
def at_once(lab):
    """two resumes of one node: the second leaves it to the first; a suspend takes it over"""
    slurm = Slurm(lab, FLEET.replace("transition: 1ms", "transition: 1ms, latency: 300ms"), resume_timeout="60s")
    lab.write("machines/n1", "on")
    same([slurm.call("resume", "n[1-2]"), slurm.call("resume", "n1")], [0, 0])
    pid = until("it has begun", lambda: list(slurm.board["calls"].values()))[0]["pid"]
    same((os.getsid(pid), os.readlink(f"/proc/{pid}/fd/0"), os.readlink(f"/proc/{pid}/cwd")), (pid, "/dev/null", "/"))
    slurm.ended(2)
    same(sent(lab, "n1"), ["reset"])
    same(slurm.call("resume", "dead"), 0)
    until("it waits", lambda: slurm.node("dead")[0] == "waiting")
    same(slurm.call("suspend", "dead", POWERCTL_SLURM_SUSPEND_GIVE_UP="1s"), 0)
    slurm.ended(4)
    has(slurm.log, "left to a newer call: dead")
    same(slurm.board["nodes"]["dead"]["action"], "suspend")


@test
def no_places(lab):
    """folder and log that cannot be written, settings that are wrong, no inventory: it goes on, or says why not"""
    slurm = Slurm(lab, state_dir=lab.write("file", "") + "/below", log_file="/dev/full", resume_timeout="x")
    same(slurm.call("resume", "n[1-2]"), 0)
    until("both are on", lambda: all(os.path.exists(lab.path("machines", n)) and slurm.state(n) == "on"
                                     for n in ("n1", "n2")))
    check = slurm.tool("check")
    same(check.returncode, 1, check)
    for part in ("resume_timeout = x: a time is a number", "Not a directory", "/nonexistent/scontrol cannot be run"):
        has(check.stdout, part)
    # What is not set is told with what holds then, and programs with where they were found.
    for part in (f"powerctl = {POWERCTL}\n", "stagger = (not set: as the inventory says)\n"):
        has(check.stdout, part)
    slurm.env["PATH"] = os.path.dirname(POWERCTL) + ":" + os.environ["PATH"]
    check = slurm.tool("check", POWERCTL_SLURM_POWERCTL="", POWERCTL_SLURM_INVENTORY="")
    has(check.stdout, f"powerctl = (not set: {POWERCTL})\n")
    has(check.stdout, "inventory = (not set: powerctl finds it)\n")
    del slurm.env["PATH"]
    # A status file that is none is begun anew.
    slurm = Slurm(lab, resume_timeout="3s")
    lab.write("slurm/status.json", "[1, 2")
    same(slurm.call("suspend", "n1"), 0)
    until("it is off", lambda: slurm.state("n1") == "off")
    has(slurm.log, "begun anew")
    os.unlink(lab.inventory_path)
    same(slurm.call("resume", "n1"), 0)
    until("it gives up", lambda: "nothing is done: powerctl list ended with 2" in slurm.log)
    until("the first has ended", lambda: "suspend" in slurm.log and "ends: 1 done" in slurm.log)


@test
def long_lists(_lab):
    """what scontrol gets in one word is less than Linux takes in one, however many nodes there are"""
    sys.path.insert(0, PROGRAMS)
    sys.dont_write_bytecode = True
    from powerctl_slurm.tools import lists  # pylint: disable=import-outside-toplevel
    names = [f"node-with-a-long-name-rack-0001-slot-{n:05}" for n in range(20000)]
    parts = list(lists(names))
    same([name for part in parts for name in part], names)
    assert len(parts) < 20 and max(len(",".join(part)) for part in parts) < 128 << 10, len(parts)


@test
def gave_up(lab):
    """ResumeFailProgram: says what is known, writes Slurm's reason, turns off where that is set"""
    scontrol = lab.write("scontrol", f"#!/bin/sh\necho \"$@\" >>{lab.path('asked')}\n", 0o755)
    slurm = Slurm(lab, scontrol=scontrol, resume_timeout="1s", resume_fail="reason, off")
    lab.write("machines/n1", "on")
    slurm.do("resume", "n2,dead")
    slurm.do("resumefail", "n[1-2],dead", POWERCTL_SLURM_SUSPEND_GIVE_UP="1s")
    same(slurm.state("n1"), "off")
    has(slurm.log, "dead: failed: Slurm gave it up; its resume: failed: given up: on: unreachable: ")
    has(lab.read("asked"), "update NodeName=n1 Reason=powerctl: nothing is known of its resume")
    has(lab.read("asked"), "update NodeName=n2 Reason=powerctl: on: was off; no slurmd came")
    has(lab.read("asked"), "update NodeName=dead Reason=powerctl: given up: on: unreachable: ")
    shown = slurm.tool("status", "n1,n9")
    same(shown.returncode, 0, shown)
    has(shown.stdout, "n1: resumefail: done: off: off (")
    has(shown.stdout, "n9: never called")


SCONTROL = """#!/bin/sh
echo "$@" >>{asked}
case $* in
*"show nodes"*) for n in n1 n2 dead; do echo "NodeName=$n State=IDLE$(cat {folder}/drained) BootTime=None"; done ;;
*"show config"*) echo 'ResumeTimeout           = 1 sec' ;;
*State=DRAIN*) echo +DRAIN >{folder}/drained ;;
esac
"""


@test
def reboot_fails(lab):
    """a reboot that fails, and a node that does not come back: they stay drained, with the reason; status 1"""
    lab.write("drained", "")
    scontrol = lab.write("scontrol", SCONTROL.format(asked=lab.path("asked"), folder=lab.folder), 0o755)
    slurm = Slurm(lab, scontrol=scontrol, resume_timeout="1s", poll="1s")
    lab.write("machines/n1", "on")
    done = slurm.tool("reboot", "--reason", "new; kernel", "n1,sick", "dead")
    same((done.returncode, done.stderr), (1, ""), done)
    has(done.stdout, "sick: skipped: in maintenance: PSU out")
    has(done.stdout, "dead,n1: draining")
    has(done.stdout, "dead: error: unreachable: ")
    has(done.stdout, "n1: error: rebooted, but its slurmd did not come back within ResumeTimeout; stays drained")
    asked = lab.read("asked")
    has(asked, "State=DRAIN Reason=powerctl-slurm reboot: new; kernel")
    has(asked, "update NodeName=dead Reason=powerctl-slurm reboot failed: unreachable")
    assert "State=RESUME" not in asked, asked
    same(sent(lab, "n1"), ["reboot"])
    for words in (("n9",), ("n3",), ("--now", "n1"), ()):
        bad = slurm.tool("reboot", *words)
        same((bad.returncode, bad.stdout), (2, ""), bad)
    same(lab.read("asked").count("State=DRAIN"), 1)


@test
def ten_thousand(lab):
    """ten thousand nodes in one call: it returns at once, and every node is on the board"""
    slurm = Slurm(lab, "nodes: {'c[00001-10000]': {driver: \"null\"}}\ndefaults: {confirm_above: 50}\n",
                  resume_timeout="300s")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    same(slurm.call("resume", "c[00001-10000]"), 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 0.5, f"{spent:.3f} s of CPU time before it returned"
    slurm.ended()
    nodes = slurm.board["nodes"]
    same((len(nodes), {entry["state"] for entry in nodes.values()}), (10000, {"done"}))
    assert len(slurm.log) < 4096, slurm.log[:4096]
    good(lab.run("fold", "--names", "c[00001-00002]"), "c[00001-00002]")


if __name__ == "__main__":
    main()
