# SPDX-License-Identifier: Apache-2.0
"""What the benches share: running clients in turns, what that cost, and powerctl's surroundings."""
import collections
import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POWERCTL_BUILD", os.path.join(ROOT, "build"))
POWERCTL = os.path.join(BUILD, "bin/powerctl")
MEASURE = os.path.join(BUILD, "tests/bench_measure")
FLOOR = os.path.join(BUILD, "tests/powerctl-bench-floor")

# Seconds, seconds of user and system, KiB.
Cost = collections.namedtuple("Cost", "wall cpu peak")


def address(n, network):
    """Of node n, from 0: one each, from 127.<network>.0.1 up."""
    n += 1
    return f"127.{network + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def write(folder, name, text, mode=0o600):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii",
              opener=lambda name, flags: os.open(name, flags, mode)) as out:
        out.write(text)
    return path


def powerctl_env(folder, inventory):
    """Surroundings of its own for a powerctl with this inventory."""
    return {"PATH": "/usr/bin:/bin", "HOME": folder, "XDG_RUNTIME_DIR": folder,
            "POWERCTL_INVENTORY": write(folder, "powerctl.yaml", inventory),
            **{f"XDG_{kind}_HOME": folder for kind in ("CONFIG", "STATE", "CACHE")}}


@contextlib.contextmanager
def measured(argv):
    """A command line that runs argv from a small parent: only so is the peak memory the client's
    own and not this program's. And a function that says afterwards: its exit status, its Cost."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as report:

        def told():
            words = report.read().split()
            if len(words) != 4:
                sys.exit(f"bench: {argv[0]} was not measured; run: make")
            return int(words[0]), Cost(float(words[1]), float(words[2]), int(words[3]))

        yield [MEASURE, report.name, *argv], told


def run(argv, env, out):
    """Runs a client with its output in the file out, and what it complains of in out.err; its exit
    status and what it cost."""
    with measured(argv) as (line, told), open(out, "wb") as to, open(out + ".err", "wb") as err:
        subprocess.run(line, env=env, stdin=subprocess.DEVNULL, stdout=to, stderr=err, check=False)
        return told()


def listen(argv, env, patience=120):
    """The same into a pipe; status, cost, and (seconds after its start, line) of all it said."""
    begin, found, rest = time.perf_counter(), [], b""
    with measured(argv) as (line, told), \
            subprocess.Popen(line, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, start_new_session=True) as proc:
        ready = select.poll()  # select() cannot: dead devices may have used up its descriptors
        ready.register(proc.stdout, select.POLLIN)
        while ready.poll(patience * 1000):
            data = os.read(proc.stdout.fileno(), 1 << 20)
            if not data:
                proc.wait()
                return (*told(), found)
            now = time.perf_counter() - begin
            *whole, rest = (rest + data).split(b"\n")
            found += [(now, line.decode("utf-8", "replace")) for line in whole]
        os.killpg(proc.pid, signal.SIGKILL)
    sys.exit(f"bench: {argv[0]} said nothing for {patience} s")


def in_turns(clients, rounds, once):
    """What once() gives, by the client's name; what else the machine is busy with then slows all of
    them alike. More than one round begins with one that does not count: pages get into memory."""
    taken = {client.name: [] for client in clients}
    for i in range(rounds + (rounds > 1)):
        for client in clients if i % 2 else clients[::-1]:
            taken[client.name].append(once(client))
    return {name: list_[rounds > 1:] for name, list_ in taken.items()}
