# SPDX-License-Identifier: Apache-2.0
"""What Slurm asks for: suspend, resume, resumefail; all that is done behind the fork."""
import json
import os
import threading
import time
import traceback

from .basics import Failure, Log, Settings, now_text, printable
from .board import Board, born
from .tools import Tools, is_recent, lists

# Of powerctl's classes of errors those that another try may mend. outcome_unknown: the state is read first.
AGAIN = ("unreachable", "timeout", "busy", "outcome_unknown", "canceled")


class Call:
    """One call of Slurm's, in its own process: which nodes are left, and what became of the others."""

    def __init__(self, action, settings):
        self.action, self.settings = action, settings
        self.id = f"{int(time.time()):x}-{os.getpid()}"
        self.log = Log(settings.log_file, f"{action} {self.id}")
        self.board = Board(settings, self.log, self.id)
        self.tools = Tools(settings, action)
        self.lock, self.writing, self.over = threading.Lock(), threading.Lock(), threading.Event()
        self.told, self.unwritten, self.tries, self.before = {}, {}, {}, {}
        self.classes = {}  # of the errors of what was told last

    def begin(self, hostlist, resume_file):
        """The nodes to work on. What is no node of the inventory is refused by its name."""
        jobs = self.jobs(resume_file)
        told = ", ".join(map(str, jobs[:20])) + (f" and {len(jobs) - 20} more" if len(jobs) > 20 else "")
        self.log.say(f"called with {hostlist[:1000]}" + (f" for jobs {told}" if jobs else ""))
        known = self.patiently(self.tools.inventory)
        names = self.tools.expand(hostlist)
        about = {"action": self.action, "pid": os.getpid(), "born": born(os.getpid()), "began": now_text(),
                 "ended": None, "hostlist": printable(hostlist[:1000]), "jobs": jobs, "nodes": len(names)}
        strange = [n for n in names if n not in known]
        if strange:
            about["refused"] = self.tools.fold(strange)
            self.log.say(f"refused, not in the inventory: {about['refused']}")
        names = [n for n in names if n in known]
        others = self.board.claim(about, names)
        for call in sorted(set(others.values())):
            self.log.say(f"left to {call}, which is at it: {self.tools.fold([n for n in others if others[n] == call])}")
        names = [n for n in names if n not in others]
        for name in names:
            if known[name] is not None:
                self.tell(name, "skipped", f"in maintenance: {known[name]}")
        return [n for n in names if known[n] is None]

    def patiently(self, ask):
        """Somebody may be at the inventory just now, or at the packages."""
        until, said = time.monotonic() + self.settings.resume_timeout, ""
        while True:
            try:
                return ask()
            except Failure as why:
                if why.status != 1 or time.monotonic() + self.settings.retry_pause >= until:
                    raise
                if str(why) != said:
                    said = str(why)
                    self.log.say(f"tries again: {said}")
            time.sleep(self.settings.retry_pause)

    def jobs(self, resume_file):
        """Numbers of the jobs that want the nodes, from what Slurm wrote for us."""
        if resume_file is None:
            return []
        if isinstance(resume_file, OSError):
            self.log.say(f"SLURM_RESUME_FILE: {resume_file.strerror}; goes on without it")
            return []
        try:
            found = [job["job_id"] for job in json.loads(resume_file)["jobs"]]
        except (ValueError, KeyError, TypeError):
            self.log.say("SLURM_RESUME_FILE: not as Slurm writes it; goes on without it")
            return []
        return [job for job in found if isinstance(job, int)][:1000]

    def tell(self, name, state, message, error=""):
        """Notes what became of a node, and the class of its error; flush() writes it."""
        with self.lock:
            self.told[name], self.classes[name] = (state, message), error
            self.unwritten[name] = self.board.entry(self.action, state, message, self.tries.get(name, 0))

    def state(self, name):
        return self.told.get(name, ("waiting", "nothing was told of it"))[0]

    def flush(self):
        """Everything told since: to the status file, and folded to the log."""
        with self.writing:
            with self.lock:
                entries, self.unwritten = self.unwritten, {}
            alike = {}
            for name, entry in entries.items():
                alike.setdefault((entry["state"], entry["message"]), []).append(name)
            for (state, message), names in alike.items():
                self.log.say(f"{self.tools.fold(names)}: {state}: {message}")
            if entries:
                self.board.note(entries)

    def show_progress(self):
        while not self.over.wait(2):
            self.flush()

    def run(self, verb, names, seconds, *options, good=None, bad=lambda row: None):
        """Runs a verb and tells what became of each node; good(row) is called for those that succeeded."""
        wanted = set(names)

        def row(found):
            name, error = found["node"], found.get("error")
            if name not in wanted:
                return
            wanted.discard(name)
            if error and error.get("class") == "skipped":
                self.tell(name, "skipped", f"in maintenance: {error.get('message')}")
            elif error or found.get("ok") is not True:
                error = error or {"class": "protocol", "message": f"it reads {found.get('state')}"}
                bad(found)
                self.tell(name, "waiting" if error["class"] in AGAIN else "failed",
                          f"{verb}: {error['class']}: {error['message']}", error["class"])
            elif good:
                good(found)
            else:
                self.tell(name, "done", f"{verb}: {found.get('state')}")

        try:
            said = self.tools.power(verb, names, seconds, *options, row=row)
        except Failure as why:
            said = str(why)
        for name in list(wanted):
            self.tell(name, "waiting", f"{verb}: {said[:300] or 'powerctl told nothing of it'}")

    def rounds(self, names, until, once):
        """once(names) until no node waits for another try, or the time is over."""
        pause = self.settings.retry_pause
        names = list(names)
        while names:
            for name in names:
                self.tries[name] = self.tries.get(name, 0) + 1
            once(names)
            self.flush()
            names = self.still_ours([n for n in names if self.state(n) == "waiting"])
            # Without the board nobody tells us that Slurm uses a node again: then it is not turned off later.
            if not names or (self.action == "suspend" and self.board.broken) or time.monotonic() + pause >= until():
                break
            time.sleep(pause)
            names = self.still_ours(names)
            pause = min(pause * 2, 60)
        for name in names:
            self.tell(name, "failed", f"given up: {self.told.get(name, ('', 'nothing was told of it'))[1]}")

    def still_ours(self, names):
        ours = self.board.ours(names)
        gone = [n for n in names if n not in set(ours)]
        if gone:
            self.log.say(f"left to a newer call: {self.tools.fold(gone)}")
        for name in gone:
            self.told[name] = ("left", "to a newer call")
        return ours

    def count(self):
        counts = {}
        for state, _ in self.told.values():
            counts[state] = counts.get(state, 0) + 1
        return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) or "nothing to do"


class Resume:
    """Every node boots: what is off is turned on; what is on is reset, for Slurm waits for a boot."""

    def __init__(self, call):
        self.call, self.settings, self.began = call, call.settings, time.monotonic()
        self.seen_off, self.timeout = set(), call.settings.resume_timeout
        self.were_on, self.resets = [], []
        # A controller that is slow to answer must not keep the nodes waiting.
        self.asking = threading.Thread(target=self.ask_timeout, daemon=True)
        self.asking.start()

    def ask_timeout(self):
        self.timeout = self.call.tools.resume_timeout()

    def until(self):
        self.asking.join()
        return self.began + self.timeout

    def left(self):
        self.asking.join(2)
        return max(5, self.began + self.timeout - time.monotonic())

    def options(self):
        rows = (("stagger", self.settings.stagger), ("max-at-once", self.settings.max_at_once),
                ("fanout", self.settings.fanout))
        return [f"--{name}={value}" for name, value in rows if value]

    def once(self, names):
        """on for all; those that were on already are reset while the others still start."""
        begun = threading.Thread(target=self.turn_on, args=(names,))
        begun.start()
        # stagger and max_at_once hold within one command: then one after the other.
        while not (self.settings.stagger or self.settings.max_at_once) and begun.is_alive():
            begun.join(1)
            self.reset_those_on()
        begun.join()
        self.reset_those_on()
        for one in self.resets:
            one.join()
        self.resets = []

    def turn_on(self, names):
        self.call.run("on", names, self.left(), *self.options(), good=self.is_on, bad=self.is_not)

    def is_on(self, row):
        name = row["node"]
        if row.get("changed"):
            self.call.tell(name, "done", "on: was off")
        elif name in self.seen_off:
            self.call.tell(name, "done", "on: was off before this call's last try")
        else:
            with self.call.lock:
                self.were_on.append(name)

    def is_not(self, row):
        """What was sent to a node that was off may still turn it on."""
        if row.get("changed") or row.get("state") == "off":
            self.seen_off.add(row["node"])

    def reset_those_on(self):
        with self.call.lock:
            names, self.were_on = self.were_on, []
        if names:
            self.resets.append(threading.Thread(target=self.reset, args=(names,)))
            self.resets[-1].start()

    def reset(self, names):
        for name in self.recent(names):
            self.call.tell(name, "done", "on: started a moment ago, says the history")
        names = [n for n in names if self.call.state(n) != "done"]
        for name in names:
            self.call.tell(name, "working", "is on already; is reset")
        if names:
            self.call.run("reset", names, self.left(), "--on-if-off", "--yes", *self.options(),
                          good=lambda row: self.call.tell(row["node"], "done", "reset: was on"))

    def recent(self, names):
        self.asking.join()
        start, off = (self.call.tools.newest(verb, names) for verb in ("start", "off"))
        return [n for n in names if is_recent(start.get(n), off.get(n), self.timeout, self.settings.recent_starts)]


def resume(call, names):
    work = Resume(call)
    call.rounds(names, work.until, work.once)


def suspend(call, names):
    """off; with suspend_soft the operating system is asked first, where the device can."""
    settings, end = call.settings, time.monotonic() + call.settings.suspend_give_up
    soft = ["--soft", f"--force-after={settings.suspend_force_after}s"] if settings.suspend_soft else []

    def once(part):
        options = ["--yes"] + ([f"--fanout={settings.fanout}"] if settings.fanout else [])
        left = max(5, end - time.monotonic())
        call.run("off", part, left + settings.suspend_force_after, *options, *soft)
        hard = [n for n in part if soft and call.classes.get(n) == "unsupported"]
        if hard:
            call.run("off", hard, left, *options)

    call.rounds(names, lambda: end, once)


def resumefail(call, names):
    """Says what is known of the nodes; turns them off, and writes Slurm's reason, as set."""
    known = call.before
    for name in names:
        why = known.get(name, {})
        call.tell(name, "failed", f"Slurm gave it up; its resume: {why.get('state', 'not known')}"
                  + (f": {why['message']}" if why.get("message") else ""))
    call.flush()
    if "reason" in call.settings.resume_fail:
        alike = {}
        for name in names:
            why = known.get(name, {})
            text = why.get("message") or "nothing is known of its resume"
            alike.setdefault(text + ("; no slurmd came" if why.get("state") == "done" else ""), []).append(name)
        for message, part in alike.items():
            for words in lists(part):
                set_slurm(call, words, f"Reason=powerctl: {printable(message)[:200]}")
    if "off" in call.settings.resume_fail and names:
        call.run("off", names, call.settings.suspend_give_up, "--yes")


def set_slurm(call, names, *words):
    try:
        status, out, err = call.tools.scontrol("update", "NodeName=" + ",".join(names), *words)
    except Failure as why:
        status, out, err = 1, "", str(why)
    if status != 0:
        call.log.say(f"scontrol update {call.tools.fold(names)} {words[0]}: {out.strip()} {err}")
    return status == 0


DOES = {"suspend": suspend, "resume": resume, "resumefail": resumefail}


def fault(call, why):
    call.log.say("fault: " + " | ".join(traceback.format_exception(type(why), why, why.__traceback__)))


def work(action, hostlist, resume_file):
    """All that is done behind the fork."""
    settings = Settings()
    call = Call(action, settings)
    threading.excepthook = lambda how: fault(call, how.exc_value)
    try:
        threading.Thread(target=call.show_progress, daemon=True).start()
        for complaint in settings.complaints:
            call.log.say(complaint)
        call.before = call.board.read()["nodes"]
        DOES[action](call, call.begin(hostlist, resume_file))
        call.flush()
        call.log.say(f"ends: {call.count()}")
    except Failure as why:
        call.log.say(f"nothing is done: {why}")
    except Exception as why:  # pylint: disable=broad-except
        fault(call, why)
    finally:
        call.over.set()
        call.flush()
        call.board.end()
