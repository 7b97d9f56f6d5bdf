# SPDX-License-Identifier: Apache-2.0
"""A small harness for tests that run the real programs. Standard library only.

    with Lab() as lab:
        lab.inventory('nodes: {n1: {driver: "null"}}')
        r = lab.run("status", "n1")         # no terminal: r.status, r.out, r.err
        t = lab.terminal("status", "n1")    # on a terminal of its own: t.expect(...), t.send(...)
        s = lab.amtsim("--devices", "3")    # a stand-in; s.ready is its JSON line
    lab.keep(one)                       # whatever has a close(), called when the test is over

Each Lab has folders of its own for everything that powerctl reads and writes, and ends what was
started in it. Tests are functions with @test; main() runs them and prints TAP; with POWERCTL_TIMES=1
in the environment it says how long each of them took.
"""
import base64
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("POWERCTL_SOURCE", os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("POWERCTL_BUILD", os.path.join(SOURCE, "build"))
POWERCTL = os.path.join(BUILD, "bin", "powerctl")
AMTSIM = os.environ.get("POWERCTL_AMTSIM", os.path.join(BUILD, "bin", "powerctl-amtsim"))
BMCSIM = os.environ.get("POWERCTL_BMCSIM", os.path.join(BUILD, "bin", "powerctl-bmcsim"))
REDFISHSIM = os.environ.get("POWERCTL_REDFISHSIM",
                            os.path.join(BUILD, "bin", "powerctl-redfishsim"))
PATIENCE = 60  # seconds that anything may take on a loaded machine


def build_setting(name):
    """What the programs under test were configured with; empty: nothing, or nobody knows."""
    try:
        with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
            found = re.search(f"^{name}:[A-Z]+=(.*)$", cache.read(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


# Sanitizers make programs some ten times as slow: then a tenth of a fleet has to do.
SANITIZED = build_setting("POWERCTL_SANITIZE") != ""


def many(count):
    return count // 10 if SANITIZED else count


class Result:
    """What became of a program."""

    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        return [json.loads(line) for line in self.lines]

    def __repr__(self):
        return f"{self.args} => {self.status}\nstdout: {self.out}\nstderr: {self.err}"


class Terminal:
    """A program on a pseudo-terminal that is its controlling one."""

    def __init__(self, args, env, stdout=None, columns=None):
        self.args = args
        self.seen = ""   # all that was shown
        self.at = 0      # how much of it expect() has passed
        self.fd, slave = pty.openpty()
        if columns:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(slave)  # the mode it has to be left in

        def take_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.proc = subprocess.Popen(
            args, env=env, stdin=slave, stdout=stdout or slave, stderr=slave,
            start_new_session=True, pass_fds=(slave,), preexec_fn=take_terminal)
        os.close(slave)

    def read(self, until):
        """Takes in more; False at the end or when the time is over."""
        if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the other side any more
            return False
        self.seen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, text):
        """Waits until text is shown behind what was expected before."""
        until = time.monotonic() + PATIENCE
        while text not in self.seen[self.at:]:
            if not self.read(until):
                raise AssertionError(f"{self.args}: no {text!r} in {self.seen!r}")
        self.at = self.seen.index(text, self.at) + len(text)

    def send(self, text):
        os.write(self.fd, text.encode())

    @property
    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_echo(self, wanted):
        until = time.monotonic() + PATIENCE
        while self.echoes != wanted:
            assert time.monotonic() < until, f"{self.args}: echo is not {wanted}"
            time.sleep(0.01)

    def end(self):
        """Waits for the end; the status as a shell shows it."""
        until = time.monotonic() + PATIENCE
        while self.read(until):
            pass
        status = self.proc.wait(max(1, until - time.monotonic()))
        return status if status >= 0 else 128 - status

    @property
    def settled(self):
        """What stays on the screen: progress lines erase themselves."""
        return re.sub(r"\r[^\n\r]*?\033\[K", "", self.seen)

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        os.close(self.fd)


class Sim:
    """A stand-in that prints one JSON line when it is ready."""

    def __init__(self, args):
        self.proc = subprocess.Popen(args, stdout=subprocess.PIPE, start_new_session=True)
        if not select.select([self.proc.stdout], [], [], PATIENCE)[0]:
            self.close()
            raise AssertionError(f"{args}: no ready line")
        line = self.proc.stdout.readline()
        if not line:
            self.close()
            raise AssertionError(f"{args}: ended before it was ready")
        self.ready = json.loads(line)

    def close(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()
        # A sanitizer that had something to say shows in the status; what others wrote just ends.
        assert self.proc.returncode in (0, -signal.SIGTERM), \
            f"{self.proc.args[0]} ended with status {self.proc.returncode}"


class Lab:
    """Folders for one test, and all that runs in them."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="powerctl-e2e-")
        self.started = []
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("POWERCTL_", "XDG_"))}
        # What a sanitizer finds must not pass for a node that failed.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            self.env[name] = self.env.get(name, "") + ":exitcode=99"
        self.env["HOME"] = self.path("home")
        for name in ("CONFIG", "STATE", "CACHE"):
            self.env[f"XDG_{name}_HOME"] = self.path(name.lower())
        self.env["XDG_RUNTIME_DIR"] = self.path("run")
        for name in ("home", "config", "state", "cache", "run"):
            os.mkdir(self.path(name), 0o700)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.ExitStack() as ends:  # every one, whatever becomes of the others
            ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for one in self.started:
                ends.callback(one.close)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    @property
    def inventory_path(self):
        return self.path("config", "powerctl", "powerctl.yaml")

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def inventory(self, text):
        return self.write("config/powerctl/powerctl.yaml", text)

    def start(self, *args, env=None, **how):
        """Starts powerctl without a terminal; its Popen."""
        proc = subprocess.Popen(
            [POWERCTL, *args], env={**self.env, **(env or {})}, start_new_session=True, **how)
        self.keep(Started(proc))
        return proc

    def run(self, *args, stdin="", env=None, stdout=subprocess.PIPE):
        """Runs powerctl without a terminal to its end."""
        proc = self.start(*args, env=env, stdin=subprocess.PIPE, stdout=stdout,
                          stderr=subprocess.PIPE, text=True)
        out, err = proc.communicate(stdin, timeout=PATIENCE)
        return Result(args, proc.returncode, out or "", err)

    def terminal(self, *args, env=None, stdout=None, columns=None):
        return self.keep(Terminal([POWERCTL, *args], {**self.env, **(env or {})}, stdout, columns))

    def shell(self):
        """bash on a terminal, with job control."""
        one = Terminal(["bash", "--norc", "--noprofile", "-i"], {**self.env, "PS1": "", "PS2": ""})
        self.started.append(one)
        return one

    def amtsim(self, *args):
        return self.keep(Sim([AMTSIM, *args]))

    def bmcsim(self, *args):
        return self.keep(Sim([BMCSIM, *args]))

    def redfishsim(self, *args):
        return self.keep(Sim([REDFISHSIM, *args]))

    def keep(self, one):
        """Ends one with the test."""
        self.started.append(one)
        return one


class Strays:
    """Ends what runs on in the background with this lab's environment: a test that fails leaves nothing behind."""

    def __init__(self, lab):
        self.mark = f"={lab.path('home')}\0".encode()

    def close(self):
        for pid in (name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if self.mark in f.read():
                        os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass  # has ended, or is not ours to look at


class Started:
    def __init__(self, proc):
        self.proc = proc

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        for stream in (self.proc.stdin, self.proc.stdout, self.proc.stderr):
            if stream:
                stream.close()


class StandIns:
    """Stand-ins of one kind in one process, their control port, and what powerctl keeps of them."""

    def __init__(self, lab, sim, devices):
        self.lab, self.sim, self.size = lab, sim, devices
        self.control = sim.ready["control"]
        lab.keep(self)

    def close(self):
        """A sanitizer that had something to say shows in the status."""
        self.sim.close()
        same(self.sim.proc.returncode, 0, "status of the stand-ins")

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.control}{path}", method=method,
                                         data=body.encode() if body else None)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.read().decode()}") from None

    def set(self, device, **knobs):
        self.call("PUT", f"/devices/{device}", "\n".join(f"{k}={v}" for k, v in knobs.items()))

    def device(self, n=1):
        return self.call("GET", f"/devices/{n}")

    def counters(self, n=1):
        return self.device(n)["counters"]

    def totals(self):
        return self.call("GET", "/counters")

    def wait(self, what, n=1):
        """Until what(device) is true."""
        until(f"device {n} is so: {self.device(n)}", lambda: what(self.device(n)))

    def reset(self):
        self.call("POST", "/reset")

    def forget(self):
        """As if powerctl had never been here: no facts, pins or intents."""
        for folder in ("cache", "state"):
            shutil.rmtree(self.lab.path(folder, "powerctl"), ignore_errors=True)

    def cold(self, state=None):
        self.forget()
        self.reset()
        if state:
            self.set("all", power=state)


class Skip(Exception):
    """Raised by a test that this place cannot run; the text names what is missing."""


def skip(why):
    """Ends a test that this place cannot run; counted and named."""
    if os.environ.get("POWERCTL_SKIP_LOG"):
        with open(os.environ["POWERCTL_SKIP_LOG"], "a", encoding="utf-8") as log:
            log.write(why + "\n")
    raise Skip(why)


def need_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        skip("IPv6: this place has none on loopback")


tests = []


def test(function):
    tests.append(function)
    return function


def test_of_memory(function):
    """A test that only the plain build has: a sanitizer takes memory of its own, and terabytes of addresses."""
    return test_unsanitized(function)


def test_unsanitized(function):
    """A test that only the plain build has: a sanitizer reports crashes and ends in ways of its own."""
    return function if SANITIZED else test(function)


def same(found, wanted, what=""):
    assert found == wanted, f"{what}\nfound:  {found!r}\nwanted: {wanted!r}"


def basic(user, password):
    """The value of an Authorization field."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def has(text, part):
    assert part in text, f"no {part!r} in {text!r}"


def until(what, condition):
    """Polls until condition() is true; returns what it said."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        said = condition()
        if said:
            return said
        time.sleep(0.01)
    raise AssertionError(f"waited in vain until {what}")


@contextlib.contextmanager
def took(least=0, most=PATIENCE):
    begin = time.monotonic()
    yield
    seconds = time.monotonic() - begin
    assert least <= seconds <= most, f"took {seconds:.2f} s, not {least} to {most}"


def good(result, *lines):
    """Ended well, with these lines in any order."""
    same((result.status, sorted(result.lines)), (0, sorted(lines)), result)
    return result


def bad(result, status, *parts):
    """Ended with this status; stdout holds each of parts."""
    same(result.status, status, result)
    for part in parts:
        assert part in result.out, f"no {part!r} in {result}"
    return result


def error_of(result):
    """Class and message of the one node of a --json run."""
    same(len(result.lines), 1, result)
    error = result.json[0]["error"]
    assert error, result
    return error["class"], error["message"]


def end_by_signals():
    """Whoever ends a test early ends what it has started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))


def main():
    end_by_signals()
    chosen = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    if not chosen:
        sys.exit(f"no such test: {' '.join(sys.argv[1:])}")
    failed = 0
    print(f"1..{len(chosen)}")
    for n, one in enumerate(chosen, 1):
        name = (one.__doc__ or one.__name__).splitlines()[0]
        begin = time.monotonic()
        try:
            with Lab() as lab:
                one(lab)
            print(f"ok {n} - {name}", flush=True)
        except Skip as why:
            print(f"ok {n} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {n} - {name} ({one.__name__})", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
        if os.environ.get("POWERCTL_TIMES"):
            print(f"# {one.__name__} took {time.monotonic() - begin:.2f} s", flush=True)
    sys.exit(1 if failed else 0)
