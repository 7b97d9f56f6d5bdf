# SPDX-License-Identifier: Apache-2.0
"""What the benches share: running clients in turns, what that cost, and powerctl's surroundings."""
import collections
import os
import resource
import statistics
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POWERCTL_BUILD", os.path.join(ROOT, "build"))
POWERCTL = os.path.join(BUILD, "bin/powerctl")
MEASURE = os.path.join(BUILD, "tests/bench_measure")

# Seconds, seconds of user and system, KiB (None: not measured).
Sample = collections.namedtuple("Sample", "wall cpu peak")


def address(n, network=2):
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


def run(argv, env, out):
    """Runs a client with its output in the file out; its exit status and what it cost."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
               (os.POSIX_SPAWN_DUP2, 1, 2)]
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begin
    return os.waitstatus_to_exitcode(status), Sample(wall, usage.ru_utime + usage.ru_stime, None)


def run_small(argv, env, out):
    """The same from a small parent: only so is the peak the client's own and not this program's."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as report:
        run([MEASURE, report.name, *argv], env, out)
        told = report.read().split()
    if len(told) != 4:
        sys.exit(f"bench: {argv[0]} was not measured; run: make")
    return int(told[0]), Sample(float(told[1]), float(told[2]), int(told[3]))


def in_turns(clients, rounds, once):
    """Samples by the client's name; what else the machine is busy with slows all of them alike."""
    samples = {client.name: [] for client in clients}
    for client in clients:  # warm: pages in memory, the device known
        once(client)
    for i in range(rounds):
        for client in clients if i % 2 else clients[::-1]:
            samples[client.name].append(once(client))
    return samples


def median(samples, field):
    return statistics.median(getattr(s, field) for s in samples)
