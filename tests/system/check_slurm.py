#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contrib/slurm under the real Slurm: slurmctld and slurmd on loopback, nodes backed by powerctl-amtsim.

Runs in namespaces of its own (network, mounts, processes, host name). A copy of /etc that only they see holds Slurm's
and powerctl's configuration at their usual places; munge has a key and a socket of its own; slurmctld runs as Slurm's
own user, so that the programs get what they get in life. A machine's "boot" is a slurmd that is started when its
stand-in starts. No service is started, and nothing of this host is changed.
"""
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import lib  # noqa: E402
from amtlib import Fleet, LargeFleet  # noqa: E402
from lib import POWERCTL, SOURCE, has, main, same, skip, test, until  # noqa: E402

INSIDE = "POWERCTL_CHECK_SLURM_INSIDE"
PROGRAMS = os.path.join(SOURCE, "contrib", "slurm")
PRIVATE = ["/run", "/var/log/slurm", "/var/lib/slurm"]
USER = "slurm"
lib.PATIENCE = 150

CONF = """ClusterName=powerctl
SlurmctldHost=here(127.0.0.1)
SlurmUser={user}
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=/run/munge.socket
SlurmctldPort=16817
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd-%n
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd-%n.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd-%n.log
SlurmctldDebug=debug
DebugFlags=Power
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerParameters=sched_interval=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SuspendProgram={programs}/suspend
ResumeProgram={programs}/resume
ResumeFailProgram={programs}/resumefail
SuspendTimeout=10
SuspendRate=0
ResumeRate=0
TreeWidth=65533
PrivateData=cloud
{more}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """What this place lacks, or nothing."""
    for program in ("slurmctld", "slurmd", "scontrol", "sbatch", "munged", "unshare", "setpriv", "ip"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"slurm: no {program}"
    if subprocess.run(["unshare", "-n", "-m", "-p", "-u", "-f", "true"], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        return "slurm: no namespaces of our own"
    return ""


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=lib.PATIENCE, check=False)
    if check:
        same(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
    return done


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Mounts:
    """Folders of our own where Slurm and powerctl have theirs, until the test is over."""

    def __init__(self, lab):
        sh("mount", "--make-rprivate", "/")
        sh("ip", "link", "set", "lo", "up")
        # The resolver takes a host with nothing but 127.0.0.1 for one without IPv4.
        sh("ip", "address", "add", "192.0.2.1/32", "dev", "lo", check=False)
        sh("hostname", "here")
        self.places = [p for p in PRIVATE if os.path.isdir(p)]
        etc = lab.path("etc")
        shutil.copytree("/etc", etc, symlinks=True)
        sh("mount", "--bind", etc, "/etc")
        for place in self.places:
            sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
        self.places.append("/etc")
        for folder in ("/var/log/slurm", "/var/lib/slurm", "/var/lib/slurm/slurmctld"):
            os.makedirs(folder, exist_ok=True)
            shutil.chown(folder, USER, USER)

    def close(self):
        for place in self.places:
            sh("umount", "-l", place, check=False)


class Cluster:
    """munged, slurmctld, and a slurmd for each machine that runs."""

    def __init__(self, lab, fleet, nodes, **slurm):
        self.lab, self.fleet, self.daemons, self.over = lab, fleet, {}, threading.Event()
        self.mounts = lab.keep(Mounts(lab))
        os.chmod(lab.folder, 0o711)
        self.configure(nodes, slurm)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "POWERCTL", "XDG"))}
        self.env["SLURM_CONF"] = "/etc/slurm/slurm.conf"
        self.munged = self.daemon("munged", "--foreground", "--force", "--key-file=/etc/munge/test.key",
                                  "--socket=/run/munge.socket", "--pid-file=/run/munged.pid",
                                  "--log-file=/run/munged.log", "--seed-file=/run/munged.seed")
        until("munged listens", lambda: os.path.exists("/run/munge.socket"))
        self.ctld = self.daemon("slurmctld", "-D", "-c")
        until("slurmctld answers", lambda: "is UP" in self.ask("scontrol", "ping"))
        self.booter = threading.Thread(target=self.boot)
        self.boots_seen = {}
        if fleet.size < 50:
            self.booter.start()
        lab.keep(self)

    def configure(self, nodes, slurm):
        more = "\n".join([f"{k}={v}" for k, v in slurm.items()] + nodes)
        put("/etc/slurm/slurm.conf", CONF.format(user=USER, programs=PROGRAMS, more=more))
        put("/etc/munge/test.key", "0123456789abcdef" * 8, 0o400)
        shutil.chown("/etc/munge", "root", "root")
        os.chmod("/etc/munge", 0o700)
        shutil.rmtree("/etc/powerctl", ignore_errors=True)
        shutil.copytree(self.lab.path("config", "powerctl"), "/etc/powerctl")
        put("/etc/powerctl/powerctl.yaml", self.lab.read("config/powerctl/powerctl.yaml").replace(
            self.lab.path("config", "powerctl"), "/etc/powerctl"), 0o640)
        put("/etc/powerctl/slurm.conf", f"powerctl = {POWERCTL}\nretry_pause = 2s\nsuspend_force_after = 5s\n"
            "poll = 1s\n")
        for path in ("/etc/powerctl/powerctl.yaml", "/etc/powerctl/secrets", "/etc/powerctl/secrets/amt"):
            shutil.chown(path, "root", USER)
            os.chmod(path, 0o750 if os.path.isdir(path) else 0o640)
        os.chmod("/etc/powerctl", 0o755)

    def daemon(self, *words):
        with open(self.lab.path(words[0] + ".out"), "ab") as log:
            return subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                    start_new_session=True)

    def boot(self):
        """Machines boot when their stand-ins start, and are gone when these are off."""
        while not self.over.wait(0.2):
            for n in range(1, self.fleet.size + 1):
                device = self.fleet.device(n)
                if self.boots_seen.get(n, 0) != device["boots"] and device["power_word"] == "on":
                    self.stop(n)
                    self.boots_seen[n] = device["boots"]
                    self.daemons[n] = self.daemon("slurmd", "-D", "-b", "-N", f"a{n}")
                elif device["power_word"] == "off":
                    self.stop(n)

    def stop(self, n):
        one = self.daemons.pop(n, None)
        if one:
            one.kill()
            one.wait()

    def ask(self, *words):
        return subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=lib.PATIENCE,
                              check=False).stdout

    def tool(self, *words, user=USER):
        """powerctl-slurm as people run it."""
        whose = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return subprocess.run([*whose, os.path.join(PROGRAMS, "powerctl-slurm"), *words],
                              env=self.env, capture_output=True, text=True, timeout=lib.PATIENCE, check=False)

    def node(self, name):
        return self.ask("scontrol", "-o", "show", "node", name)

    def state(self, name):
        words = self.node(name).split()
        return next((w[6:] for w in words if w.startswith("State=")), "")

    def submit(self, *words):
        done = subprocess.run(["sbatch", "--parsable", "-o", "/run/job-%j", *words, "--wrap", "echo done"],
                              env=self.env, capture_output=True, text=True, timeout=60, cwd="/run", check=False)
        same(done.returncode, 0, done)
        return done.stdout.strip()

    def job(self, number):
        return self.ask("scontrol", "-o", "show", "job", number)

    def status(self):
        with open("/var/lib/slurm/powerctl/status.json", encoding="utf-8") as file:
            return json.load(file)

    def logs(self):
        text = ""
        for path in ("/var/log/slurm/powerctl.log", "/var/log/slurm/slurmctld.log"):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += f"--- {path}\n" + "".join(file.readlines()[-60:])
        return text

    def wait(self, what, condition):
        try:
            return until(what, condition)
        except AssertionError as why:
            raise AssertionError(f"{why}\n{self.ask('sinfo', '-N', '-l')}{self.logs()}") from None

    def close(self):
        self.over.set()
        if self.booter.ident:
            self.booter.join()
        for n in list(self.daemons):
            self.stop(n)
        for one in (self.ctld, self.munged):
            one.terminate()
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def cluster(lab, size, **slurm):
    missing = why_not()
    if missing:
        skip(missing)
    fleet = Fleet(lab, devices=size)
    nodes = [f"NodeName=a{n} NodeHostname=here NodeAddr=127.0.0.1 Port={17000 + n} CPUs=1 State=CLOUD"
             for n in range(1, size + 1)]
    return Cluster(lab, fleet, nodes, **slurm)


@test
def day(lab):
    """a job turns two machines on, runs on them, and when they are idle they are turned off"""
    c = cluster(lab, 3, SuspendTime=8, ResumeTimeout=60)
    check = c.tool("check")
    same((check.returncode, "3 nodes in the inventory\n" in check.stdout), (0, True), check)
    bad = c.tool("check", user="root")
    same(bad.returncode, 1, bad)
    has(bad.stdout, "runuser -u slurm")
    job = c.submit("-N2", "-w", "a[1-2]")
    c.wait("both stand-ins are on", lambda: all(c.fleet.device(n)["power_word"] == "on" for n in (1, 2)))
    c.wait("the job is over", lambda: "JobState=COMPLETED" in c.job(job))
    same(text_of(f"/run/job-{job}"), "done\n")
    has(text_of("/var/log/slurm/powerctl.log"), f"for jobs {job}\n")
    c.wait("both stand-ins are off", lambda: all(c.fleet.device(n)["power_word"] == "off" for n in (1, 2)))
    c.wait("Slurm has both powered down", lambda: all("POWERED_DOWN" in c.state(n) for n in ("a1", "a2")))
    same([c.fleet.device(n)["boots"] for n in (1, 2, 3)], [1, 1, 0])
    same([c.status()["nodes"][n]["state"] for n in ("a1", "a2")], ["done", "done"])
    # Again: what was started and turned off since is no recent start.
    job = c.submit("-N1", "-w", "a1")
    c.wait("the second job is over", lambda: "JobState=COMPLETED" in c.job(job))
    same(c.fleet.device(1)["boots"], 2)


@test
def was_on(lab):
    """the trap: a machine that is on when Slurm resumes it is reset, and Slurm takes it"""
    c = cluster(lab, 1, SuspendTime=600, ResumeTimeout=60)
    c.fleet.set(1, power="on")
    c.boots_seen[1] = c.fleet.device(1)["boots"]  # it has been up for long
    job = c.submit("-N1")
    c.wait("the job is over", lambda: "JobState=COMPLETED" in c.job(job))
    same(c.status()["nodes"]["a1"]["message"], "reset: was on")


@test
def stays_dead(lab):
    """a machine that does not start, and one whose settings are wrong: ResumeFailProgram says why, and both are DOWN;
    the third one of the job is not kept from starting"""
    c = cluster(lab, 3, SuspendTime=600, ResumeTimeout=20)
    c.fleet.set(1, dead="refuse")
    with open("/etc/powerctl/powerctl.yaml", encoding="utf-8") as file:
        put("/etc/powerctl/powerctl.yaml", file.read().replace("  a2: {", "  a2: {colour: blue, "), 0o640)
    c.submit("-N3")
    c.wait("the third is on", lambda: c.fleet.device(3)["power_word"] == "on")
    c.wait("ResumeFailProgram was called", lambda: "resumefail" in c.logs() and "Slurm gave it up" in c.logs())
    for name, why in (("a1", "unreachable"), ("a2", "config: ")):
        c.wait("the reason is ours", lambda name=name: "Reason=powerctl: " in c.node(name))
        has(c.state(name), "DOWN")
        has(c.node(name), why)
    same(text_of("/var/log/slurm/powerctl.log").count("a2: failed: on: config: "), 1)


@test
def reboots(lab):
    """powerctl-slurm reboot: drains, waits, reboots, and takes back what Slurm has seen boot"""
    c = cluster(lab, 2, SuspendTime=600, ResumeTimeout=60)
    job = c.submit("-N2")
    c.wait("the job is over", lambda: "JobState=COMPLETED" in c.job(job))
    c.wait("both are idle", lambda: all(c.state(n).startswith("IDLE") for n in ("a1", "a2")))
    c.ask("scontrol", "update", "NodeName=a2", "State=DRAIN", "Reason=fan")
    before = [c.fleet.device(n)["boots"] for n in (1, 2)]
    done = c.tool("reboot", "--reason", "new kernel", "a[1-2]")
    same(done.returncode, 0, f"{done}\n{c.logs()}")
    has(done.stdout, "a2: is drained already, and will stay so")
    has(done.stdout, "is back")
    same([c.fleet.device(n)["boots"] for n in (1, 2)], [before[0] + 1, before[1] + 1])
    c.wait("a1 is in service", lambda: "DRAIN" not in c.state("a1") and "DOWN" not in c.state("a1"))
    has(c.state("a2"), "DRAIN")
    has(c.node("a2"), "Reason=fan")
    same(c.tool("reboot", "a1", "--now").returncode, 2)
    same(c.tool("reboot", "a9").returncode, 2)


@test
def four_hundred(lab):
    """one job for 400 nodes: one call, and all stand-ins are on, though slurmctld is stopped meanwhile"""
    missing = why_not()
    if missing:
        skip(missing)
    sh("ip", "link", "set", "lo", "up")
    fleet = LargeFleet(lab, devices=400)
    c = Cluster(lab, fleet, ["NodeName=a[1-400] CPUs=1 State=CLOUD"], SuspendTime=600, ResumeTimeout=120)
    fleet.set("all", latency_ms=1000)
    c.submit("-N400")
    c.wait("the call is there", lambda: "called with" in c.logs())
    os.killpg(c.ctld.pid, signal.SIGTERM)
    c.ctld.wait(60)
    fleet.set("all", latency_ms=0)
    c.wait("all are on", lambda: all(d["power_word"] == "on" for d in fleet.brief()))
    c.wait("all are done", lambda: [e["state"] for e in c.status()["nodes"].values()] == ["done"] * 400)
    calls = list(c.status()["calls"].values())
    same([(call["action"], call["nodes"]) for call in calls], [("resume", 400)])


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def enter():
    """Once, into namespaces of our own; where there are none the tests say so."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.environ.get(INSIDE) or why_not():
        return
    pwd.getpwnam(USER)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", "-m", "-p", "-u", "-f", "--kill-child", "--mount-proc", sys.executable,
                          *sys.argv])


if __name__ == "__main__":
    enter()
    main()
