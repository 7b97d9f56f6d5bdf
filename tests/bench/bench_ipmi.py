#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_ipmi [ROW...]: powerctl beside ipmipower and ipmitool on the same simulated BMCs.

  status    wall, CPU and peak memory of `status` of all BMCs
  dead      the same BMCs and a dead one: when does which line come out of a pipe
  timeouts  dead BMCs only, twice as many: is any line of output lost
  slow      a BMC that takes 1.5 s: how often one `reset` makes it reset

The BMCs are OpenIPMI's ipmi_sim, 200 in a process, each at a loopback address of its own; a dead
one is a bound socket that nobody reads. Clients take turns, so that what else the machine does slows
all of them alike. Where the driver is not built, the others' halves are shown without it.
"""
import argparse
import collections
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from benchlib import (BUILD, POWERCTL, ROOT, address, in_turns, median, powerctl_env,
                      raise_descriptor_limit, run_small, write)

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
import lib  # noqa: E402 pylint: disable=wrong-import-position
from ipmilib import (IPMI_SIM, IPMIPOWER, IPMITOOL, PASSWORD, IpmiSim,  # noqa: E402
                     wait_for_bmcs)

DRIVER = os.path.join(BUILD, "plugins/ipmi.so")
NETWORK = 30       # BMCs at 127.30.PROCESS.1 to .200
DEAD_NETWORK = 40
PER_PROCESS = 200  # with more, ipmi_sim runs out of addresses of management controllers
FEW = 200          # for ipmitool, a process for each BMC
CONNECT = 3        # seconds after which powerctl has to name a dead BMC

# Some BMCs: an address pattern for many, their number, their port.
Group = collections.namedtuple("Group", "pattern count port")


class Sims:
    """count BMCs by ipmi_sim, or by powerctl-bmcsim, in mode `fast`."""

    def __init__(self, folder, count, ours):
        self.groups = []
        with contextlib.ExitStack() as stack:
            if ours:
                base = f"127.{NETWORK}.1."
                sim = lib.Sim([lib.BMCSIM, "--devices", str(count), "--address", base + "1",
                               "--port", "0"])
                stack.callback(sim.close)
                devices = sim.ready["devices"]
                self.groups = [Group(d["address"], 1, d["port"]) for d in devices]
            for n in range(0 if ours else (count + PER_PROCESS - 1) // PER_PROCESS):
                here = min(PER_PROCESS, count - n * PER_PROCESS)
                network = f"127.{NETWORK}.{n + 1}."
                sim = IpmiSim(os.path.join(folder, f"sim{n}"), here, "fast", network)
                stack.callback(sim.close)
                self.groups.append(Group(f"{network}[1-{here}]", here, sim.port))
            self.close = stack.pop_all().close


class Dead:
    """count addresses with one port, bound and never read."""

    def __init__(self, count):
        self.sockets, self.groups, port = [], [], 0
        for n in range(count):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sockets.append(one)
            one.bind((address(n, DEAD_NETWORK), port))
            port = one.getsockname()[1]
            self.groups.append(Group(one.getsockname()[0], 1, port))

    def close(self):
        for one in self.sockets:
            one.close()


def bracket(first, last):
    return f"[{first}-{last}]" if int(last) > int(first) else str(first)


def folded(groups):
    """Neighbours in one bracket, as a person would write them and command lines are limited."""
    found = {}
    for g in groups:
        network, last = g.pattern.rsplit(".", 1)
        found.setdefault((network, g.port), []).append(last.strip("[]"))
    for (network, port), lasts in found.items():
        first, last = lasts[0].split("-")[0], lasts[-1].split("-")[-1]
        count = int(last) - int(first) + 1
        yield Group(f"{network}.{bracket(first, last)}", count, port)


# --- The clients. A verb is by the client's own word for it. -----------------------------------


class Client:
    def __init__(self, name, nodes, argv, env=None):
        self.name, self.nodes, self.argv = name, nodes, argv
        self.fewest = nodes  # answers that it printed in any round
        self.env = env or {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"}

    def is_answer(self, line):
        return line.rstrip().endswith(": off")

    def answers(self, text):
        return sum(self.is_answer(line) for line in text.splitlines())


class Powerctl(Client):
    def __init__(self, folder, groups, verb="status", options=()):
        lines, count = [], 0
        for g in folded(groups):
            lines.append(f"  n{bracket(count + 1, count + g.count)}: {{class: bmc,"
                         f' address: "{g.pattern}", port: {g.port}}}')
            count += g.count
        write(folder, "password", PASSWORD)
        env = powerctl_env(folder, "credentials:\n"
                           "  bmc: {username: admin, password_file: password}\n"
                           "classes:\n  bmc: {driver: ipmi, credential: bmc,"
                           " workarounds: [opensesspriv]}\nnodes:\n" + "\n".join(lines) + "\n")
        super().__init__(" ".join(("powerctl", *options)), count,
                         [POWERCTL, verb, "-a", *options], env)


class Ipmipower(Client):
    def __init__(self, groups, *options, verb="--stat"):
        hosts = ",".join(f"{g.pattern}:{g.port}" for g in folded(groups))
        super().__init__(" ".join(("ipmipower", *options)), sum(g.count for g in groups),
                         [IPMIPOWER, "-D", "LAN_2_0", "-W", "opensesspriv", "-u", "admin",
                          "-p", PASSWORD, "-h", hosts, verb, *options])


class Ipmitool(Client):
    """One process for each BMC of one group."""

    def __init__(self, folder, group, verb="status"):
        network = group.pattern.rsplit(".", 1)[0]
        hosts = write(folder, "hosts", "\n".join(f"{network}.{n + 1}" for n in range(group.count)))
        super().__init__("xargs -P32 ipmitool", group.count,
                         ["/usr/bin/xargs", "-a", hosts, "-P", "32", "-I", "{}", IPMITOOL, "-I",
                          "lanplus", "-C", "3", "-U", "admin", "-P", PASSWORD, "-p",
                          str(group.port), "-H", "{}", "power", verb])

    def is_answer(self, line):
        return line.rstrip().endswith("is off")


def has_driver():
    if os.path.exists(DRIVER):
        return True
    print("powerctl: driver ipmi not built")
    return False


def goal(what, value, most, unit=""):
    met = value is not None and value <= most
    shown = "-" if value is None else f"{value:.2f}{unit}"
    print(f"  goal: {what}: {shown}, at most {most}{unit}: {'met' if met else 'MISSED'}",
          flush=True)
    return met


# --- status ----------------------------------------------------------------------------------


def once(client, folder):
    path = os.path.join(folder, "out")
    status, sample = run_small(client.argv, client.env, path)
    with open(path, encoding="utf-8", errors="replace") as out:
        text = out.read()
    answers = client.answers(text)
    client.fewest = min(client.fewest, answers)
    # ipmipower keeps 32 KiB of output, and what comes faster than it is written is lost.
    lossy = isinstance(client, Ipmipower) and answers > client.nodes / 2
    if status or (answers != client.nodes and not lossy):
        sys.exit(f"bench: {client.name} ended with {status} after {answers} of {client.nodes}"
                 f" answers; its output begins:\n{text[:1000]}")
    return sample


def bench_status(folder, options):
    with contextlib.closing(Sims(folder, options.nodes, options.bmcsim)) as sims:
        few = next(g for g in folded(sims.groups))
        few = Group(few.pattern.replace(f"-{few.count}]", f"-{min(FEW, few.count)}]"),
                    min(FEW, few.count), few.port)
        clients = [Powerctl(folder, sims.groups)] if has_driver() else []
        theirs = [Ipmipower(sims.groups, *more) for more in ((), ("-F", "64"), ("-F", "256"))]
        clients += theirs + [Ipmitool(folder, few)]
        samples = in_turns(clients, options.rounds, lambda client: once(client, folder))
    print(f"status; medians of {options.rounds} interleaved rounds, answers of the worst one\n"
          f"{'client':<20} {'nodes':>6} {'answers':>8} {'wall':>12} {'best':>12} {'CPU/node':>12}"
          f" {'peak':>10}")
    for c in clients:
        taken = samples[c.name]
        print(f"{c.name:<20} {c.nodes:>6} {c.fewest:>8} {median(taken, 'wall') * 1e3:>9.1f} ms"
              f" {min(s.wall for s in taken) * 1e3:>9.1f} ms"
              f" {median(taken, 'cpu') * 1e6 / c.nodes:>9.0f} us"
              f" {median(taken, 'peak') / 1024:>7.1f} MB", flush=True)
    if "powerctl" not in samples:
        return True
    ours = samples["powerctl"]

    def ratio(field):
        return median(ours, field) / min(median(samples[c.name], field) for c in theirs)

    return all([goal("wall time over the best ipmipower's", ratio("wall"), 1),
                goal("CPU over the best ipmipower's", ratio("cpu"), 0.5),
                goal("peak memory over the best ipmipower's", ratio("peak"), 0.2)])


# --- dead, timeouts: when lines come ---------------------------------------------------------


def lines_of(client, patience=120):
    """(seconds after its start, line) of all that a client writes into a pipe; its wall time."""
    begin, found, rest = time.perf_counter(), [], b""
    with subprocess.Popen(client.argv, env=client.env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as proc:
        ready = select.poll()  # select() cannot: the dead BMCs have used up its descriptors
        ready.register(proc.stdout, select.POLLIN)
        while ready.poll(patience * 1000):
            data = os.read(proc.stdout.fileno(), 1 << 20)
            now = time.perf_counter() - begin
            if not data:
                break
            *whole, rest = (rest + data).split(b"\n")
            found += [(now, line.decode("utf-8", "replace")) for line in whole if line.strip()]
        else:
            proc.kill()
            print(f"{client.name}: nothing for {patience} s: ended")
    return found, time.perf_counter() - begin


def bench_dead(folder, options):
    met = True
    with contextlib.closing(Sims(folder, options.nodes, options.bmcsim)) as sims, \
            contextlib.closing(Dead(1)) as dead:
        groups = sims.groups + dead.groups
        clients = [Powerctl(folder, groups)] if has_driver() else []
        clients += [Ipmipower(groups), Ipmipower(groups, "-F", "256")]
        print(f"{options.nodes} BMCs and a dead one; into a pipe, seconds until\n{'client':<20}"
              f" {'first':>8} {'last good':>10} {'answers':>8} {'dead named':>11} {'end':>8}")
        for c in clients:
            found, wall = lines_of(c)
            good = [at for at, line in found if c.is_answer(line)]
            named = [at for at, line in found if not c.is_answer(line)]
            print(f"{c.name:<20} {min(good, default=0):>8.2f} {max(good, default=0):>10.2f}"
                  f" {len(good):>8} {named[0] if named else float('nan'):>11.2f} {wall:>8.2f}"
                  f"  {[line for _, line in found if not c.is_answer(line)][:1]}", flush=True)
            if c.name == "powerctl":
                met = all([goal("answers missing", options.nodes - len(good), 0),
                           # "At once": not kept back until the dead one is given up.
                           goal("last answer over the dead one's line",
                                max(good) / named[0] if good and named else None, 0.5),
                           goal("dead one named after", named[0] if named else None,
                                CONNECT + 0.5, " s")])
    return met


def bench_timeouts(folder, options):
    count, met = 2 * options.nodes, True
    with contextlib.closing(Dead(count)) as dead:
        clients = []
        if has_driver():
            at_once = ("--fanout", str(count))
            clients = [Powerctl(folder, dead.groups),
                       Powerctl(folder, dead.groups, options=at_once)]
        clients.append(Ipmipower(dead.groups))
        print(f"{count} dead BMCs\n{'client':<24} {'lines':>8} {'different':>10} {'end':>9}")
        for c in clients:
            found, wall = lines_of(c)
            different = len({line.split(":")[0] for _, line in found})
            print(f"{c.name:<24} {len(found):>8} {different:>10} {wall:>7.1f} s", flush=True)
            if isinstance(c, Powerctl):
                met = goal("lines lost", abs(count - len(found)) + count - different, 0)
    return met


# --- slow ------------------------------------------------------------------------------------


def resets(folder, name, client_of):
    """How often the BMC reset for one client's one wish, and how the client took it."""
    sim = IpmiSim(os.path.join(folder, name), mode="slow", network=f"127.{NETWORK}.99.")
    with contextlib.closing(sim):
        sim.set(power="on")
        client = client_of([Group(sim.addresses[0], 1, sim.port)])
        found, wall = lines_of(client)
        # It takes one after another: when it answers again, it has done all that came before.
        wait_for_bmcs(sim.program.proc, sim.addresses, sim.port)
        return sim.log().count("reset 1"), wall, found[-1][1] if found else ""


def bench_slow(folder, _options):
    clients = [("powerctl", lambda g: Powerctl(folder, g, "reset"))] if has_driver() else []
    clients += [("ipmipower", lambda g: Ipmipower(g, verb="--reset")),
                ("ipmitool", lambda g: Ipmitool(folder, g[0], "reset"))]
    print("one reset of a BMC that takes 1.5 s\n"
          f"{'client':<20} {'resets':>8} {'end':>9}  what it said")
    met = True
    for name, client_of in clients:
        count, wall, said = resets(folder, name, client_of)
        print(f"{name:<20} {count:>8} {wall:>7.1f} s  {said}", flush=True)
        if name == "powerctl":
            met = goal("resets beside the one", abs(count - 1), 0)
    return met


ROWS = {"status": bench_status, "dead": bench_dead, "timeouts": bench_timeouts, "slow": bench_slow}


def main():
    parser = argparse.ArgumentParser(description="powerctl beside other clients of IPMI.")
    parser.add_argument("rows", metavar="ROW", nargs="*", help="of: " + ", ".join(ROWS))
    parser.add_argument("--nodes", type=int, default=2000, help="BMCs (2000)")
    parser.add_argument("--rounds", type=int, default=5, help="of `status` (5)")
    parser.add_argument("--bmcsim", action="store_true",
                        help="powerctl-bmcsim in place of ipmi_sim, but for `slow`")
    parser.add_argument("--gate", action="store_true", help="exit 1 if a goal is missed")
    options = parser.parse_args()
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error("unknown row: " + ", ".join(sorted(unknown)))
    for program, path in (("ipmi_sim", IPMI_SIM), ("ipmipower", IPMIPOWER), ("ipmitool", IPMITOOL)):
        if not path:
            sys.exit(f"bench: {program} is not installed")
    raise_descriptor_limit()
    # Whoever ends the bench early ends the BMCs with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))
    met = []
    for row in options.rows or ROWS:
        with tempfile.TemporaryDirectory(prefix="powerctl-bench-") as folder:
            met.append(ROWS[row](folder, options))
        print(flush=True)
    if options.gate and not all(met):
        sys.exit("bench: a goal was missed")


if __name__ == "__main__":
    main()
