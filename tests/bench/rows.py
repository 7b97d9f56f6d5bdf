# SPDX-License-Identifier: Apache-2.0
"""The rows of the bench: which clients do what with which fleets, and what is wanted of powerctl.

A row's function opens fleets, which end with the row, and returns the clients, powerctl first. Its
goals are ratios of what was measured in the same rounds wherever another client says what is
possible; where time-outs or the size of a machine do, they are plain numbers.
"""
import collections
import os

from benchlib import BUILD
from clients import CURL, FANOUT, Curl, Floor, Hardware, Ipmipower, Ipmitool, Powerctl
from fleets import FEW_AMT, Amt, Dead, SlowBmc, bmcs
from ipmilib import IPMI_SIM, IPMIPOWER, IPMITOOL

LARGE = 1000   # the larger fanout
DEAD_ONES = 3
NAMED = 3.5    # seconds after which a silent BMC has to be named: what a login may take, and a bit

# needs: (what, whether it is there); without it the row is left out. listens: output goes into a
# pipe, and when each line comes is noted. extra: only if it is named.
Row = collections.namedtuple(
    "Row", "name nodes latency_ms rounds clients goals needs listens extra",
    defaults=(False, False))
# value: of the row's results by the client's name; unit: "" for a ratio, "c" for a count.
Goal = collections.namedtuple("Goal", "what value most unit", defaults=("",))

US, FLOOR_NAME = "powerctl", "libcurl floor"
US_LARGE, FLOOR_LARGE = f"powerctl --fanout {LARGE}", f"libcurl floor {LARGE}"


# --- AMT -------------------------------------------------------------------------------------


def one_fanout(setup, row):
    fleets = [setup.open(Amt(row.nodes, row.latency_ms))]
    clients = [Powerctl(setup.folder, fleets), Floor(setup.folder, fleets)]
    return clients + ([Curl(setup.folder, fleets)] if CURL else [])


def two_fanouts(setup, row):
    first = one_fanout(setup, row)
    fleets = first[0].fleets
    return [*first[:2], Powerctl(setup.folder, fleets, "--fanout", str(LARGE)),
            Floor(setup.folder, fleets, LARGE), *first[2:]]


def linear(setup, row):
    few = [setup.open(Amt(max(1, row.nodes // 10), 0, FEW_AMT))]
    return [Powerctl(setup.folder, [setup.open(Amt(row.nodes, 0))]),
            Powerctl(setup.folder, few, name="powerctl, a tenth")]


def dead(setup, row):
    fleets = [setup.open(Amt(max(1, row.nodes - DEAD_ONES), row.latency_ms)),
              setup.open(Dead(DEAD_ONES, "amt"))]
    return [Powerctl(setup.folder, fleets)]


def hardware(setup, row):
    """Some 15 requests a device beside one or two, over one connection each."""
    fleets = [setup.open(Amt(row.nodes, row.latency_ms))]
    return [Hardware(setup.folder, fleets), Powerctl(setup.folder, fleets)]


def mixed(setup, row):
    few = max(1, row.nodes * 2 // 7)
    amt, bmc = setup.open(Amt(max(1, row.nodes - few), 0)), setup.open(bmcs(setup, few))
    return [Powerctl(setup.folder, [amt, bmc]),
            Powerctl(setup.folder, [amt], name="powerctl, AMT alone"),
            Powerctl(setup.folder, [bmc], name="powerctl, IPMI alone")]


# --- IPMI ------------------------------------------------------------------------------------


def ipmi(setup, row):
    fleet = setup.open(bmcs(setup, row.nodes))
    clients = [Powerctl(setup.folder, [fleet])]
    if IPMIPOWER:
        clients += [Ipmipower([fleet], *more) for more in ((), ("-F", "64"), ("-F", "256"))]
    if IPMITOOL:
        clients.append(Ipmitool(setup.folder, fleet))
    return clients


def ipmi_dead(setup, row):
    fleets = [setup.open(bmcs(setup, max(1, row.nodes - DEAD_ONES))),
              setup.open(Dead(DEAD_ONES, "bmc"))]
    clients = [Powerctl(setup.folder, fleets)]
    if IPMIPOWER:
        clients += [Ipmipower(fleets), Ipmipower(fleets, "-F", "256")]
    return clients


def ipmi_timeouts(setup, row):
    fleets = [setup.open(Dead(row.nodes, "bmc"))]
    clients = [Powerctl(setup.folder, fleets),
               Powerctl(setup.folder, fleets, "--fanout", str(row.nodes),
                        name="powerctl, all at once")]
    return clients + ([Ipmipower(fleets)] if IPMIPOWER else [])


def ipmi_slow(setup, _):
    clients = [Powerctl(setup.folder, [setup.open(SlowBmc(setup.folder, 1))], verb="reset")]
    if IPMIPOWER:
        clients.append(Ipmipower([setup.open(SlowBmc(setup.folder, 2))], verb="--reset"))
    if IPMITOOL:
        clients.append(Ipmitool(setup.folder, setup.open(SlowBmc(setup.folder, 3)), "reset"))
    for client in clients:
        client.least = 0  # how they take it is what the row shows
    return clients


# --- What is wanted --------------------------------------------------------------------------


def ratio(field, over, *under):
    """To the best of the others that are there; None: none of them is."""

    def value(results):
        known = [results[name] for name in under if name in results]
        best = min(known, key=lambda result: result.median(field), default=None)
        return results[over].times(field, best) if best else None
    return value


def over_slowest(results):
    ours, *alone = results.values()
    return ours.times("wall", max(alone, key=lambda result: result.median("wall")))


def median(field):
    return lambda results: results[US].median(field)


def most(field, name):
    """The worst of all rounds."""
    return lambda results: results[name].most(field)


def peak(name):
    return lambda results: results[name].median("peak") / 1024


def lateness(results):
    """Good answers are not kept back until a dead one is given up."""
    return results[US].median("last_good") / results[US].median("first_bad")


def unnamed(results):
    return max(r.client.nodes - r.least("named") for name, r in results.items() if US in name)


def one_too_many(results):
    return abs(results[US].most("requests") - 1)


def fair(fanout, name):
    """A stand-in may hear of a new connection before it hears that one was closed, and counts too
    many then, never too few: hence the least of all rounds, and 1.1."""

    def crowd(results):
        count = results[name].least("open")
        return None if count is None else count / fanout

    return (Goal(f"connections open at once over the fanout, {fanout}", crowd, 1.1),
            Goal(f"of them at one device, fanout {fanout}", most("at_device", name), 1, "c"))


def driver(name):
    return f"driver {name}", os.path.exists(os.path.join(BUILD, "plugins", name + ".so"))


WITH_AMT, WITH_IPMI = (driver("amt"),), (driver("ipmi"),)
THEIRS = ("ipmipower", "ipmipower -F 64", "ipmipower -F 256")

ROWS = [
    Row("one-0ms", 1, 0, 31, one_fanout, [
        Goal("wall over curl's", ratio("wall", US, "curl --digest"), 1.1)], WITH_AMT),
    Row("one-50ms", 1, 50, 11, one_fanout, [], WITH_AMT),
    Row("hundred-0ms", 100, 0, 15, one_fanout, [], WITH_AMT),
    Row("hundred-50ms", 100, 50, 9, one_fanout, [], WITH_AMT),
    Row("thousand-0ms", 1000, 0, 9, one_fanout, [], WITH_AMT),
    Row("thousand-50ms", 1000, 50, 5, one_fanout, [], WITH_AMT),
    Row("tenthousand-0ms", 10000, 0, 5, one_fanout, [
        Goal("wall over curl's", ratio("wall", US, "curl --parallel"), 1 / 6),
        Goal("CPU per device over the floor's", ratio("device_cpu", US, FLOOR_NAME), 1.1),
        Goal("peak memory", peak(US), 40, "MB"), *fair(FANOUT, US)], WITH_AMT),
    Row("tenthousand-50ms", 10000, 50, 3, two_fanouts, [
        Goal(f"wall over the floor's, fanout {LARGE}", ratio("wall", US_LARGE, FLOOR_LARGE), 1.2),
        Goal(f"peak memory, fanout {LARGE}", peak(US_LARGE), 56, "MB"),
        *fair(FANOUT, US), *fair(LARGE, US_LARGE)], WITH_AMT),
    Row("linear", 10000, 0, 5, linear, [
        Goal("CPU per device over that of a tenth of them",
             ratio("device_cpu", US, "powerctl, a tenth"), 1.3)], WITH_AMT),
    Row("mixed", 7000, 0, 5, mixed, [
        Goal("wall over the slower kind's alone", over_slowest, 1.3)], WITH_AMT + WITH_IPMI),
    Row("dead", 4000, 0, 1, dead, [
        Goal("wall", median("wall"), 13, "s")], WITH_AMT, listens=True),
    Row("amt-hardware", 1000, 0, 5, hardware, [
        Goal("wall of hardware over that of status", ratio("wall", "powerctl hardware", US), 12)], WITH_AMT),
    Row("ipmi-status", 2000, 0, 5, ipmi, [
        Goal("wall over the best ipmipower's", ratio("wall", US, *THEIRS), 1),
        Goal("CPU over the best ipmipower's", ratio("device_cpu", US, *THEIRS), 0.5),
        Goal("peak memory over the best ipmipower's", ratio("peak", US, *THEIRS), 0.2)], WITH_IPMI),
    Row("ipmi-dead", 4000, 0, 1, ipmi_dead, [
        Goal("wall", median("wall"), 7, "s"),
        Goal("the first dead one is named after", median("first_bad"), NAMED, "s"),
        Goal("last good answer's time over that", lateness, 0.5)], WITH_IPMI, listens=True),
    Row("ipmi-timeouts", 4000, 0, 1, ipmi_timeouts, [
        Goal("dead ones without a line", unnamed, 0, "c")], WITH_IPMI, listens=True, extra=True),
    Row("ipmi-slow", 1, 1500, 1, ipmi_slow, [
        Goal("resets beside the one", one_too_many, 0, "c")],
        WITH_IPMI + (("ipmi_sim", IPMI_SIM),), extra=True),
]
