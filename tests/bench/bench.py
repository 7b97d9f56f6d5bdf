#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench [ROW...]: powerctl beside other clients on the same stand-in fleets, in one table.

Each row is one job that every client does in turns, round after round: what else the machine is
busy with then slows all of them alike, and only ratios of medians count. A client whose output is
wrong, or whose requests a fleet did not see, ends the bench with status 1; so does a missed goal
with --gate.
"""
import argparse
import collections
import contextlib
import os
import signal
import statistics
import sys
import tempfile

import compare
import report
from benchlib import in_turns, listen, raise_descriptor_limit, run
from fleets import UNKNOWN
from rows import ROWS

# One run: what the client cost and said, what its fleets counted and used. first_bad, last_good:
# seconds after its start, where that was listened to.
Sample = collections.namedtuple(
    "Sample", "wall device_cpu peak answers named first_bad last_good requests connections open"
    " at_device sim_cpu")


class Result:
    """What one client did in one row."""

    def __init__(self, row, client, samples):
        self.row, self.client, self.samples = row, client, samples

    def known(self, field):
        return [v for v in (getattr(s, field) for s in self.samples) if v is not None]

    def median(self, field):
        known = self.known(field)
        return statistics.median(known) if known else None

    def times(self, field, other):
        """How many times another's, in the same round: the median of that."""
        return statistics.median(getattr(ours, field) / getattr(theirs, field)
                                 for ours, theirs in zip(self.samples, other.samples))

    def most(self, field):
        return max(self.known(field), default=None)

    def least(self, field):
        return min(self.known(field), default=None)


class Setup:
    """What a row is given: a folder, and fleets that end with it."""

    def __init__(self, stack, ours):
        self.stack, self.ours = stack, ours
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="powerctl-bench-"))

    def open(self, fleet):
        self.stack.callback(fleet.close)
        return fleet


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as out:
        return out.read()


def run_client(client, folder, listens):
    """Its status, its cost, and (seconds or None, line) of what it said."""
    if listens:
        return listen(client.argv, client.env)
    path = os.path.join(folder, "out")
    status, cost = run(client.argv, client.env, path)
    return status, cost, [(None, line) for line in text_of(path).split("\n")]


def check(client, folder, status, lines, answers, counters):
    right = answers >= client.least
    if client.least == client.good:
        right = right and answers == client.good
        right = right and all(c.answers in (None, n) for c, n in zip(counters, client.asked))
        right = right and (not status or client.good < client.nodes)
    if not right:
        errors = os.path.join(folder, "out.err")
        text = "\n".join(line for _, line in lines)[:1500]
        text += "\n" + (text_of(errors)[-500:] if os.path.exists(errors) else "")
        sys.exit(f"bench: {client.name} ended with {status} after {answers} of {client.good} good"
                 f" answers; the stand-ins counted {[tuple(c) for c in counters]}; it said:\n"
                 + text)


def once(client, folder, listens):
    used = sum(fleet.cpu() for fleet in client.fleets)
    status, cost, lines = run_client(client, folder, listens)
    used = sum(fleet.cpu() for fleet in client.fleets) - used
    counters = [fleet.counters() for fleet in client.fleets]
    # What was open at the same time at two, nobody knows.
    total = counters[0] if len(counters) == 1 else UNKNOWN
    answers = client.answers("\n".join(line for _, line in lines))
    check(client, folder, status, lines, answers, counters)
    good = [at for at, line in lines if at is not None and client.is_answer(line)]
    bad = [at for at, line in lines if at is not None and not client.is_answer(line)]
    return Sample(
        cost.wall, cost.cpu / client.nodes, cost.peak, answers,
        len({line.split(":")[0] for _, line in lines if ": " in line}),
        min(bad, default=None), max(good, default=None),
        total.requests, total.connections, total.open, total.at_device,
        used / total.requests if total.requests else None)


def measure(row, options):
    """Results by the client's name; empty where something is missing."""
    missing = [what for what, there in row.needs if not there]
    missing += [f"driver {name} in {build}" for build in options.compare for name in compare.missing(row, build)]
    if missing:
        print(f"{row.name}: left out, {', '.join(missing)} is not there", flush=True)
        return {}
    with contextlib.ExitStack() as stack:
        setup = Setup(stack, options.bmcsim)
        clients, rounds = row.clients(setup, row), options.rounds or row.rounds
        if options.compare:
            clients = list(compare.twins(clients, *options.compare))
            rounds = options.rounds or compare.rounds(row)
        samples = in_turns(clients, rounds,
                           lambda client: once(client, setup.folder, row.listens))
    return {client.name: Result(row, client, samples[client.name]) for client in clients}


def arguments():
    parser = argparse.ArgumentParser(
        description="powerctl beside other clients: `status`, cold logins, medians of interleaved"
        " rounds. `ipmi` names all rows that begin so, `one` those of one node.",
        epilog="rows: " + ", ".join(row.name + (" (only if named)" if row.extra else "")
                                    for row in ROWS))
    parser.add_argument("rows", metavar="ROW", nargs="*")
    parser.add_argument("--rounds", type=int, help="instead of each row's own number")
    parser.add_argument("--nodes", type=int, help="at most so many in each row, to try it out")
    parser.add_argument("--bmcsim", action="store_true",
                        help="powerctl-bmcsim as BMCs even where ipmi_sim is installed")
    parser.add_argument("--gate", action="store_true",
                        help="exit 1 if a goal is missed, or cannot be measured")
    parser.add_argument("--markdown", metavar="FILE",
                        help="results into FILE too: between its two marks, if it has them")
    parser.add_argument("--compare", metavar=("BASE", "NEW"), nargs=2, default=(),
                        help="powerctl of two build folders, as ratios: exit 1 if the new one takes"
                        " more (make bench-compare builds them)")
    options = parser.parse_args()
    unknown = [w for w in options.rows if not any(is_named(row, [w]) for row in ROWS)]
    if unknown:
        parser.error("unknown row: " + ", ".join(unknown))
    return options


def is_named(row, words):
    return any(row.name == word or row.name.startswith(word + "-") for word in words)


def wanted(options):
    for row in ROWS:
        if is_named(row, options.rows) if options.rows else not row.extra:
            yield row._replace(nodes=min(row.nodes, options.nodes or row.nodes))


def compare_builds(options):
    """Ends with 1 if a row takes more than it did, and if nothing was compared."""
    print(compare.LEGEND + "\n" + compare.head(), flush=True)
    said = []
    for row in wanted(options):
        for line, worse in compare.lines(row, measure(row, options)):
            print(line, flush=True)
            said.append(worse)
    if not said:
        sys.exit("bench: nothing was compared")
    if any(said):
        sys.exit(f"bench: {sum(said)} of {len(said)} take more than they did")


def main():
    options = arguments()
    raise_descriptor_limit()
    # Whoever ends the bench early ends the stand-ins with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))
    if options.compare:
        return compare_builds(options)
    machine = report.machine()
    table, goals = report.Table(), []
    print(report.LEGEND + "\n" + table.head(), flush=True)
    for row in wanted(options):
        results = measure(row, options)
        for line in table.add(results.values()):
            print(line, flush=True)
        goals += [(row.name, goal, goal.value(results)) for goal in row.goals if results]
    if goals:
        print("\n" + report.goals_text(goals), flush=True)
    if options.markdown:
        report.write_markdown(options.markdown, machine, table, goals)
    if options.gate and not all(report.is_met(goal, value) for _, goal, value in goals):
        sys.exit("bench: a goal was missed")
    return None


if __name__ == "__main__":
    main()
