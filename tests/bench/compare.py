# SPDX-License-Identifier: Apache-2.0
"""Two builds of powerctl beside each other: each client of ours is measured with both in the same rounds, and what
counts is the ratio within two rounds, new over base: what else the machine is busy with slows both alike, and who
goes first in one goes last in the other. Paths of both are equally long, for where the stack and constants begin
depends on them, and some per cent of time on that."""
import copy
import math
import os
import shutil
import statistics

from clients import Powerctl

FIELDS = ("wall", "device_cpu", "peak")
HEADINGS = ("wall", "CPU", "peak memory")
BASE = ", base"
ROUNDS = 12      # at least; fewer have no spread
SLOWER = 1.1     # a median above this has become more
SURE = 1.03      # if the lower quartile is above this: else it may be chance
LEGEND = """\
New over base, within two rounds: median (lower to upper quartile); below 1 is better. rounds: without the first.
"""


def rounds(row):
    return max(ROUNDS, row.rounds + row.rounds % 2)


def missing(row, build):
    """The drivers that a row needs and a build lacks."""
    names = [what.split()[1] for what, _ in row.needs if what.startswith("driver ")]
    return [name for name in names if not os.path.exists(os.path.join(build, "plugins", name + ".so"))]


def with_build(client, build, mark):
    """The same client of another build, with a home of its own: neither sees what the other has learned."""
    other = copy.copy(client)
    home = client.env["HOME"]
    shutil.copytree(home, home + mark)
    other.env = {key: value.replace(home, home + mark) for key, value in client.env.items()}
    other.argv = [os.path.join(build, "bin/powerctl"), *client.argv[1:]]
    return other


def twins(clients, base, new):
    """Of ours, each with both builds."""
    for client in clients:
        if isinstance(client, Powerctl):
            one, other = with_build(client, new, "-head"), with_build(client, base, "-base")
            other.name += BASE
            yield from (one, other)


def ratios(result, base, field):
    found = [getattr(ours, field) / getattr(theirs, field)
             for ours, theirs in zip(result.samples, base.samples)]
    return [math.prod(pair) ** (1 / len(pair)) for pair in (found[i:i + 2] for i in range(0, len(found), 2))]


def spread(found):
    """Median, lower and upper quartile."""
    if len(found) < 2:
        return found[0], found[0], found[0]
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return middle, low, high


def is_slower(middle, low):
    return middle > SLOWER and low > SURE


def head():
    return f"{'row':18}  {'client':24}  " + "  ".join(f"{h:^20}" for h in HEADINGS) + "  rounds"


def lines(row, results):
    """A line for each client, and whether it has become slower."""
    for name, result in results.items():
        if name.endswith(BASE):
            continue
        spreads = [spread(ratios(result, results[name + BASE], field)) for field in FIELDS]
        worse = [heading for heading, (middle, low, _) in zip(HEADINGS, spreads) if is_slower(middle, low)]
        cells = [f"{middle:6.3f} ({low:.2f} to {high:.2f})" for middle, low, high in spreads]
        text = f"{row.name:18}  {name:24}  " + "  ".join(f"{cell:20}" for cell in cells) + \
            f"  {len(result.samples):6}"
        yield text + (f"  MORE {', '.join(worse)}" if worse else ""), bool(worse)
