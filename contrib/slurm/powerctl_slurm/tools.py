# SPDX-License-Identifier: Apache-2.0
"""Asking powerctl and scontrol."""
import calendar
import json
import re
import subprocess
import threading
import time

from .basics import Failure

MOST_NAMES = 100000   # of one call
MOST_WORDS = 1500000  # bytes of names in one command line; Linux takes 2 MiB of all
MOST_WORD = 120000    # and 128 KiB of one word: names with commas between
MOST_SORTING = 30     # seconds to find out whose settings are wrong
WRONG = 2             # powerctl's status for a mistake in words or inventory: it has done nothing


def chunks(names, most=MOST_WORDS, each=9):
    """Parts that fit into a command line; each: bytes that a name costs beside itself."""
    part, size = [], 0
    for name in names:
        if part and size + len(name) + each > most:
            yield part
            part, size = [], 0
        part.append(name)
        size += len(name) + each
    if part:
        yield part


def lists(names):
    """Parts that fit into one word, as scontrol takes them."""
    return chunks(names, MOST_WORD, 1)


class Tools:
    """powerctl and scontrol, never through a shell; names are only ever taken for names."""

    def __init__(self, settings, action):
        self.settings, self.env, self.action = settings, settings.environment(), action

    def start(self, words, **how):
        try:
            return subprocess.Popen(words, stdin=how.get("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, env=self.env, cwd="/", encoding="utf-8",
                                    errors="replace")
        except OSError as why:
            raise Failure(f"{words[0]} cannot be run: {why.strerror}", 1) from None

    def ask(self, words, seconds=60, stdin=None):
        """Status, stdout and stderr of a program that only reads or writes little."""
        proc = self.start(words, **({"stdin": subprocess.PIPE} if stdin is not None else {}))
        try:
            out, err = proc.communicate(stdin, timeout=seconds)
            return proc.returncode, out, err.strip()
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.communicate()
            return -1, "", f"{words[0]} did not end within {seconds} s"

    def words(self, verb, *options):
        inventory = [f"--inventory={self.settings.inventory}"] if self.settings.inventory else []
        return [self.settings.program(), verb, "-q", *inventory, *options]

    def expand(self, hostlist):
        """The names that a list of hosts stands for."""
        status, out, err = self.ask(self.words("expand", "--names", hostlist))
        if status != 0:
            raise Failure(f"not understood: {err or 'nothing was told'}")
        names = list(dict.fromkeys(out.split()))
        if len(names) > MOST_NAMES:
            raise Failure(f"{len(names)} names, more than {MOST_NAMES}")
        return names

    def fold(self, names):
        """Names for people; not all of them where that would be long."""
        if len(names) == 1:
            return names[0]
        try:
            status, out, _ = self.ask(self.words("fold", "-"), stdin="\n".join(names))
            text = out.strip() if status == 0 else ""
        except Failure:
            text = ""
        text = text or ",".join(names[:20])
        return text if len(text) <= 1000 else f"{text[:1000]}... ({len(names)})"

    def inventory(self):
        """Of each node of the inventory why it is in maintenance, or None."""
        status, out, err = self.ask(self.words("list", "--json"))
        if status != 0:
            raise Failure(f"powerctl list ended with {status}: {err}", 1)
        return {row["node"]: row.get("maintenance") for row in map(json.loads, out.splitlines())}

    def power(self, verb, names, seconds, *options, row=lambda row: None):
        """Runs a verb on nodes; row() is called for each line that it prints. What it said beside that.

        powerctl does nothing at all where the settings of one node are wrong: such nodes get a line of class config,
        and the verb is run on the others.
        """
        said = []
        for part in chunks(names):
            status, told = self.one_power(verb, part, seconds, options, row)
            if status == WRONG:
                wrong = self.wrong(part)
                for name, why in wrong.items():
                    row({"node": name, "ok": False, "error": {"class": "config", "message": why}})
                part = [n for n in part if n not in wrong]
                if wrong and part:
                    told = self.one_power(verb, part, seconds, options, row)[1]
            said.append(told if part else "")
        return " ".join(filter(None, said))

    def one_power(self, verb, names, seconds, options, row):
        words = self.words(verb, "--json", f"--caller=slurm/{self.action}", f"--deadline={max(1, int(seconds))}s",
                           *options, "--names", *names)
        return self.stream(words, seconds + 30, row)

    def wrong(self, names):
        """Of nodes whose settings are wrong, what is wrong with each. Halves, quarters, ... are tried; nothing is sent.

        Where the inventory as a whole cannot be read there are none, nor where it takes too long: what was not found
        is found by the next try.
        """
        try:
            self.inventory()
        except Failure:
            return {}
        found, parts, until = {}, [names], time.monotonic() + MOST_SORTING
        while parts and time.monotonic() < until:
            part = parts.pop(0)
            status, _, err = self.ask(self.words("bootdev", "none", "--dry-run", "--json", "--names", *part))
            if status == WRONG and len(part) > 1:
                parts += [part[:len(part) // 2], part[len(part) // 2:]]
            elif status == WRONG:
                found[part[0]] = re.sub(r"^powerctl: ", "", err, flags=re.MULTILINE).replace("\n", "; ")
        return found

    def stream(self, words, seconds, row):
        """Its status, and what is to be told where that is no usual one."""
        proc = self.start(words)
        errors = []

        def read_errors():
            errors.append(proc.stderr.read(65536))
            while proc.stderr.read(65536):
                pass

        reader = threading.Thread(target=read_errors, daemon=True)
        killer = threading.Timer(seconds, proc.kill)
        reader.start()
        killer.start()
        try:
            for line in proc.stdout:
                try:
                    found = json.loads(line)
                except ValueError:
                    found = None
                if isinstance(found, dict) and isinstance(found.get("node"), str):
                    row(found)
            proc.wait()
        finally:
            killer.cancel()
            if proc.poll() is None:
                proc.kill()
                proc.wait()
        reader.join(5)
        said = "".join(errors).strip()
        if proc.returncode in (0, 1):
            return proc.returncode, ""
        return proc.returncode, f"powerctl {words[1]} ended with {proc.returncode}: {said}"

    def newest(self, verb, names):
        """Of each node the newest line of the history about a verb."""
        found = {}
        for part in chunks(names):
            _, out, _ = self.ask(self.words("history", "--json", "--last", verb, "--names", *part))
            for line in out.splitlines():
                row = json.loads(line)
                if row.get("time"):
                    found[row["node"]] = row
        return found

    def scontrol(self, *words):
        return self.ask([self.settings.scontrol, *words], 20)

    def resume_timeout(self):
        """Slurm's own, where it says it; never less than the setting, for partitions that have more."""
        try:
            found = re.search(r"^ResumeTimeout\s*=\s*(\d{1,6})\b", self.scontrol("show", "config")[1], re.MULTILINE)
        except Failure:
            found = None
        return max(int(found.group(1)) if found else 0, self.settings.resume_timeout)

    def slurm_nodes(self, names):
        """Of each node what Slurm says: the set of its states, its reason, when it booted."""
        found = {}
        for part in lists(names):
            status, out, err = self.scontrol("-o", "show", "nodes", ",".join(part))
            if status != 0:
                raise Failure(f"scontrol show nodes: {out.strip()} {err}", 1)
            for line in out.splitlines():
                name = re.match(r"NodeName=(\S+)", line)
                state = re.search(r"\bState=(\S+)", line)
                if name and state:
                    boot, why = re.search(r"\bBootTime=(\S+)", line), re.search(r"\bReason=(.*)", line)
                    found[name.group(1)] = (set(re.split(r"[+*~#!%$@^-]+", state.group(1))),
                                            why.group(1) if why else "", boot.group(1) if boot else "")
        return found


def is_recent(start, off, seconds, kind):
    """Whether a node was started well in the last seconds, and not turned off since."""
    if kind == "none" or not start or not start.get("ok") or (off and off["time"] >= start["time"]):
        return False
    if kind == "slurm" and not str(start.get("caller") or "").startswith("slurm/"):
        return False
    try:
        began = calendar.timegm(time.strptime(start["time"][:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return False
    return 0 <= time.time() - began + 1 <= seconds
