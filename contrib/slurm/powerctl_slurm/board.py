# SPDX-License-Identifier: Apache-2.0
"""The status file: who works on which node, and what became of it."""
import fcntl
import json
import os
import time

from .basics import MOST_FILE, now_text

KEPT_CALLS = 100


def born(pid):
    """When a process began, as the kernel counts; with its number that names it. Empty: there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class Board:
    """The status file: of every node the call that it belongs to, and how far that is.

    A newer call takes a node over, unless one that does the same is still at it; whoever finds that a node is not
    his any more leaves it. Where the file cannot be written the work goes on without it: powerctl's own locks
    hold anyhow.
    """

    def __init__(self, settings, log, call):
        self.folder, self.log, self.call, self.broken = settings.state_dir or "/", log, call, False
        self.path = os.path.join(self.folder, "status.json")

    def read(self):
        try:
            with open(self.path, "rb") as file:
                data = json.loads(file.read(MOST_FILE))
            if isinstance(data["calls"], dict) and isinstance(data["nodes"], dict):
                return data
            raise ValueError("not ours")
        except FileNotFoundError:
            pass
        except OSError as why:
            self.complain(why.strerror)
        except (ValueError, KeyError, TypeError) as why:
            self.log.say(f"{self.path}: begun anew, for it cannot be read: {why}")
        return {"v": 1, "calls": {}, "nodes": {}}

    def complain(self, why):
        if not self.broken:
            self.broken = True
            self.log.say(f"{self.path}: {why}")

    def write(self, data):
        fresh = f"{self.path}.{self.call}"
        data["updated"] = now_text()
        try:
            with open(fresh, "w", encoding="utf-8", errors="backslashreplace") as file:
                json.dump(data, file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            os.rename(fresh, self.path)
        except OSError:
            if os.path.lexists(fresh):
                os.unlink(fresh)
            raise

    def change(self, how):
        """Lets how(data) change the file under its lock; what that returns. None: it could not be done."""
        try:
            os.makedirs(self.folder, 0o750, exist_ok=True)
            with open(self.path + ".lock", "ab") as lock:
                self.wait_for(lock)
                data = self.read()
                said = how(data)
                self.write(data)
                return said
        except OSError as why:
            self.complain(f"{why.strerror}; goes on without it")
            return None

    @staticmethod
    def wait_for(lock):
        """Others hold it for some hundredths of a second; one that was stopped must not stop us."""
        until = time.monotonic() + 10
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
            time.sleep(0.02)

    def claim(self, about, names):
        """Makes names ours. Those that stay with another call, with its id."""
        def take(data):
            data["calls"][self.call] = about
            for old in sorted(data["calls"], key=lambda c: data["calls"][c].get("began", ""))[:-KEPT_CALLS]:
                del data["calls"][old]
            others = {}
            for name in names:
                entry = data["nodes"].get(name, {})
                holder = data["calls"].get(entry.get("call"), {})
                busy = entry.get("state") in ("working", "waiting") and holder.get("action") == about["action"]
                if busy and holder.get("born") and born(holder.get("pid")) == holder["born"]:
                    others[name] = entry["call"]
                else:
                    data["nodes"][name] = self.entry(about["action"], "working", "", 0)
            return others
        return self.change(take) or {}

    def entry(self, action, state, message, tries):
        return {"call": self.call, "action": action, "state": state, "message": message, "tries": tries,
                "time": now_text()}

    def note(self, entries):
        """Writes what became of nodes that are still ours."""
        def put(data):
            for name, entry in entries.items():
                if data["nodes"].get(name, {}).get("call") == self.call:
                    data["nodes"][name] = entry
        self.change(put)

    def end(self):
        def put(data):
            if self.call in data["calls"]:
                data["calls"][self.call]["ended"] = now_text()
        self.change(put)

    def ours(self, names):
        """Those that no newer call has taken over."""
        nodes = {} if self.broken else self.read()["nodes"]
        return [n for n in names if nodes.get(n, {}).get("call", self.call) == self.call]
