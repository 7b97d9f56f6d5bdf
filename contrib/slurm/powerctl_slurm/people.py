# SPDX-License-Identifier: Apache-2.0
"""What people ask for: reboot, status, check."""
import os
import re
import shutil
import sys
import tempfile
import time

from .basics import Failure, Log, Settings, printable
from .board import Board
from .tools import Tools, lists


class Reboot:
    """Drains nodes, reboots each through powerctl when no job is left on it, and takes back into service what Slurm
    has seen boot. What was drained before stays so; what failed stays drained, and Slurm's reason says why."""

    def __init__(self, settings, reason, soft):
        self.settings, self.tools, self.soft = settings, Tools(settings, "reboot"), soft
        self.reason = f"powerctl-slurm reboot: {reason}"
        self.drained, self.failed, self.ends = set(), {}, {}  # ends: until when a node has to be back
        self.boots = {}

    def say(self, names, text):
        if names:
            print(f"{self.tools.fold(sorted(names))}: {text}", flush=True)

    def update(self, names, *words):
        for part in lists(sorted(names)):
            status, out, err = self.tools.scontrol("update", "NodeName=" + ",".join(part), *words)
            if status != 0:
                raise Failure(f"scontrol update {self.tools.fold(part)} {words[0]}: {out.strip()} {err}", 1)

    def fail(self, names, why):
        self.say(names, f"error: {why}; stays drained")
        for name in names:
            self.failed[name] = why
        mine = [n for n in names if n in self.drained]
        if mine:
            self.update(mine, f"Reason=powerctl-slurm reboot failed: {printable(why)[:150]}")

    def begin(self, words):
        """The nodes, all of them known to Slurm and to the inventory, and drained."""
        names, known = self.tools.expand(",".join(words)), self.tools.inventory()
        strange = [n for n in names if n not in known]
        if strange:
            raise Failure(f"not in the inventory: {self.tools.fold(strange)}")
        for name in [n for n in names if known[n] is not None]:
            self.say([name], f"skipped: in maintenance: {known[name]}")
            names.remove(name)
        slurm = self.tools.slurm_nodes(names)
        strange = [n for n in names if n not in slurm]
        if strange:
            raise Failure(f"Slurm knows no such nodes: {self.tools.fold(strange)}")
        asleep = {n for n in names if slurm[n][0] & {"POWERED_DOWN", "POWERING_DOWN", "POWERING_UP"}}
        self.say(asleep, "skipped: Slurm has it powered down or starting; its next start is a boot")
        names = [n for n in names if n not in asleep]
        self.drained = {n for n in names if "DRAIN" not in slurm[n][0]}
        self.say(set(names) - self.drained, "is drained already, and will stay so")
        if self.drained:
            self.update(self.drained, "State=DRAIN", f"Reason={printable(self.reason)}")
            self.say(self.drained, "draining")
        return set(names)

    def boot(self, names, slurm):
        """Reboots nodes without jobs."""
        good, bad = set(), {}

        def row(found):
            error = found.get("error")
            if found.get("ok") and not error:
                good.add(found["node"])
            else:
                bad[found["node"]] = f"{error['class']}: {error['message']}" if error else "not confirmed"

        for name in names:
            self.boots[name] = slurm[name][2]
        said = self.tools.power("reboot", sorted(names), 600, "--yes", *(["--soft"] if self.soft else []), row=row)
        for name in names - good:
            self.fail([name], bad.get(name, said or "powerctl told nothing of it"))
        self.say(good, "rebooted; waits for its slurmd")
        until = time.monotonic() + self.tools.resume_timeout()
        self.ends.update(dict.fromkeys(good, until))

    def step(self, names):
        """Those that are still to be waited for."""
        slurm = dict.fromkeys(names, ({"POWERED_DOWN"}, "", ""))  # such are hidden without PrivateData=cloud
        slurm.update(self.tools.slurm_nodes(sorted(names)))
        waiting = {n for n in names if n not in self.ends}
        asleep = {n for n in waiting if slurm[n][0] & {"POWERED_DOWN", "POWERING_DOWN"}}
        self.say(asleep, "Slurm powered it down meanwhile; its next start is a boot")
        idle = {n for n in waiting - asleep if slurm[n][0] & {"IDLE", "DOWN"} and "COMPLETING" not in slurm[n][0]}
        if idle:
            self.boot(idle, slurm)
        back = {n for n in names & set(self.ends) - idle if slurm[n][2] not in ("", "None", "Unknown", self.boots[n])
                and "NOT_RESPONDING" not in slurm[n][0]}
        self.say(back, "is back")
        if (back | asleep) & self.drained:
            self.update((back | asleep) & self.drained, "State=RESUME")
        names = names - back - asleep - set(self.failed)
        late = {n for n in names if n in self.ends and time.monotonic() > self.ends[n]}
        if late:
            self.fail(sorted(late), "rebooted, but its slurmd did not come back within ResumeTimeout")
        return names - late

    def run(self, words):
        names = self.begin(words)
        try:
            while names:
                names = self.step(names)
                if names:
                    time.sleep(self.settings.poll)
        except KeyboardInterrupt:
            self.say(names, "interrupted: stays drained; scontrol update NodeName=... State=RESUME takes it back")
            return 130
        return 1 if self.failed else 0


def reboot_command(settings, words):
    reason, soft, names = "asked for", False, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--soft":
            soft = True
        elif word == "--reason" and words:
            reason = words.pop(0)
        elif word.startswith("-"):
            raise Failure(f"reboot: '{word}' is no option, or lacks its value; powerctl-slurm --help")
        else:
            names.append(word)
    if not names:
        raise Failure("reboot of which nodes?")
    return Reboot(settings, reason, soft).run(names)


def status_command(settings, words):
    """The status file for people."""
    tools = Tools(settings, "status")
    nodes = Board(settings, Log("/dev/stderr", "status"), "").read()["nodes"]
    names = tools.expand(",".join(words)) if words else list(nodes)
    alike = {}
    for name in names:
        entry = nodes.get(name)
        text = f"{entry['action']}: {entry['state']}: {entry['message']} ({entry['time']})" if entry else "never called"
        alike.setdefault(text, []).append(name)
    for text, part in alike.items():
        print(f"{tools.fold(part)}: {text}")
    return 0


def check_places(settings):
    """What is wrong with the folder and the log."""
    try:
        os.makedirs(settings.state_dir or "", 0o750, exist_ok=True)
        tempfile.TemporaryFile(dir=settings.state_dir).close()
    except OSError as why:
        yield f"state_dir {settings.state_dir}: {why.strerror}: no status file, and powerctl keeps no history"
    if Log(settings.log_file, "check").file < 0:
        yield f"log_file {settings.log_file} cannot be written: the log goes to syslog"


def check_slurm(tools, known):
    """What is wrong between Slurm and the inventory."""
    status, out, err = tools.scontrol("-o", "show", "nodes")
    if status != 0:
        yield f"scontrol show nodes: {(err or out.strip()).splitlines()[0]}"
    strange = [n for n in re.findall(r"^NodeName=(\S+)", out, re.MULTILINE) if n not in known]
    if strange:
        yield f"Slurm's nodes that are not in the inventory: {tools.fold(strange)}"
    print(f"ResumeTimeout that holds: {tools.resume_timeout()} s")


def slurm_user(tools):
    try:
        config = tools.scontrol("show", "config")[1]
    except Failure:
        return None
    return re.search(r"^SlurmUser\s*=\s*(\S+)\((\d+)\)", config, re.MULTILINE)


NOT_SET = {"inventory": "powerctl finds it", "log_file": "the log goes to syslog", "stagger": "as the inventory says",
           "max_at_once": "as the inventory says", "fanout": "as the inventory says", "resume_fail": "nothing is done"}


def shown(tools, name, text):
    """A setting as check shows it: where programs were found, and what holds where nothing is set."""
    if name not in ("powerctl", "scontrol"):
        return text or f"(not set: {NOT_SET.get(name, 'none')})"
    program = tools.settings.program() if name == "powerctl" else text
    path = shutil.which(program, path=tools.env["PATH"]) or "none is found"
    if not text:
        return f"(not set: {path})"
    return text if path == text else f"{text} ({path})"


def check_command(settings, words):
    """The settings, and all that would go wrong: as Slurm's user, for whom it makes what is missing."""
    if words:
        raise Failure("check takes no arguments")
    tools, bad = Tools(settings, "check"), list(settings.complaints)
    for name, text in settings.texts.items():
        print(f"{name} = {shown(tools, name, text)}")
    user = slurm_user(tools)
    if user and int(user.group(2)) != os.geteuid():
        bad.append(f"this is not Slurm's user, who would run it: runuser -u {user.group(1)} -- powerctl-slurm check")
    else:
        bad += check_places(settings)
    try:
        known = tools.inventory()
        print(f"{len(known)} nodes in the inventory")
        bad += check_slurm(tools, known)
    except Failure as why:
        bad.append(str(why))
    for text in bad:
        print(f"problem: {text}")
    return 1 if bad else 0


COMMANDS = {"reboot": reboot_command, "status": status_command, "check": check_command}


def run(name, words):
    settings = Settings()
    if name != "check":
        for complaint in settings.complaints:
            print(f"powerctl-slurm: {complaint}", file=sys.stderr)
    try:
        return COMMANDS[name](settings, words)
    except Failure as why:
        print(f"powerctl-slurm: {why}", file=sys.stderr)
        return why.status
