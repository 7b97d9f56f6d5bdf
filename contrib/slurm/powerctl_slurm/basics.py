# SPDX-License-Identifier: Apache-2.0
"""Settings, and the log."""
import os
import syslog
import time

MOST_FILE = 64 << 20  # bytes of the status file
HERE = os.path.dirname(os.path.realpath(__file__))


class Failure(Exception):
    """Ends the program, or a worker, with this text."""

    def __init__(self, text, status=2):
        super().__init__(text)
        self.status = status


def text_of(text):
    return text or None


def seconds_of(text):
    digits, unit = (text[:-1], text[-1]) if text and text[-1] in "smh" else (text, "s")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 7):
        raise ValueError("a time is a number with s, m or h: 90s")
    return int(digits) * {"s": 1, "m": 60, "h": 3600}[unit]


def yes_of(text):
    if text.lower() not in ("yes", "no"):
        raise ValueError("yes or no")
    return text.lower() == "yes"


def words_of(*known):
    def words(text):
        found = text.replace(",", " ").split()
        for word in found:
            if word not in known:
                raise ValueError(f"'{word}' is none of {', '.join(known)}")
        return found
    return words


def one_of(*known):
    def one(text):
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return text
    return one


# name, what makes a value of its text, default
SETTINGS = (
    ("powerctl", text_of, ""),
    ("scontrol", text_of, "scontrol"),
    ("inventory", text_of, ""),
    ("log_file", text_of, "/var/log/slurm/powerctl.log"),
    ("state_dir", text_of, "/var/lib/slurm/powerctl"),
    ("resume_timeout", seconds_of, "60s"),
    ("recent_starts", one_of("any", "slurm", "none"), "any"),
    ("stagger", text_of, ""),
    ("max_at_once", text_of, ""),
    ("fanout", text_of, ""),
    ("suspend_soft", yes_of, "yes"),
    ("suspend_force_after", seconds_of, "60s"),
    ("suspend_give_up", seconds_of, "5m"),
    ("resume_fail", words_of("off", "reason"), "reason"),
    ("retry_pause", seconds_of, "15s"),
    ("poll", seconds_of, "5s"),
)


class Settings:
    """The settings as attributes; what was wrong with them is in complaints, and has its default."""

    def __init__(self):
        self.complaints, self.texts = [], {}
        self.path = os.environ.get("POWERCTL_SLURM_CONF", "/etc/powerctl/slurm.conf")
        given = self.read_file()
        for name, make, default in SETTINGS:
            variable = "POWERCTL_SLURM_" + name.upper()
            where, text = given.get(name, ("", default))
            if variable in os.environ:
                where, text = "$" + variable, os.environ[variable]
            try:
                value = make(text)
            except ValueError as why:
                self.complaints.append(f"{where}: {name} = {text}: {why}; {default} is used")
                value = make(default)
                text = default
            setattr(self, name, value)
            self.texts[name] = text

    def read_file(self):
        names, given = [name for name, _, _ in SETTINGS], {}
        try:
            with open(self.path, encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    key, equals, value = (part.strip() for part in line.partition("="))
                    if not key or key.startswith("#"):
                        continue
                    where = f"{self.path}:{number}"
                    if not equals or key not in names:
                        self.complaints.append(f"{where}: '{key}' is no setting; there are: {' '.join(names)}")
                    else:
                        given[key] = (where, value)
        except FileNotFoundError:
            pass
        except OSError as why:
            self.complaints.append(f"{self.path}: {why.strerror}; the defaults are used")
        return given

    def environment(self):
        """What powerctl and scontrol get. Slurm gives nearly nothing, and its user often has no home."""
        env = dict(os.environ)
        env.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        if os.geteuid() != 0:
            env.setdefault("HOME", self.state_dir or "/")
            env.setdefault("XDG_STATE_HOME", self.state_dir or "/")
            env.setdefault("XDG_CACHE_HOME", os.path.join(env["XDG_STATE_HOME"], "cache"))
        return env

    def program(self):
        beside = os.path.join(HERE, "..", "..", "..", "..", "bin", "powerctl")
        if self.powerctl:
            return self.powerctl
        return os.path.normpath(beside) if os.access(beside, os.X_OK) else "powerctl"


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def printable(text):
    return "".join(c if c.isprintable() else "?" for c in text)


class Log:
    """Lines to a file, and to syslog where that cannot be written."""

    def __init__(self, path, mark):
        self.mark, self.file = mark, -1
        try:
            self.file = os.open(path or "", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o640)
        except OSError as why:
            self.to_syslog(f"{path}: {why.strerror}; the log goes to syslog")

    def say(self, text):
        text = printable(text)
        line = f"{now_text()} {self.mark}: {text}\n".encode("utf-8", "backslashreplace")
        try:
            if self.file >= 0 and os.write(self.file, line) == len(line):
                return
        except OSError:
            pass
        self.to_syslog(text)

    def to_syslog(self, text):
        syslog.openlog("powerctl-slurm", 0, syslog.LOG_DAEMON)
        syslog.syslog(syslog.LOG_NOTICE, f"{self.mark}: {text}".encode("ascii", "backslashreplace").decode())
