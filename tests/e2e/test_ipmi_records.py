#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sensors, log, hardware and info of the IPMI driver, told beside what ipmitool tells.

Against OpenIPMI's ipmi_sim and pyghmi's fakebmc; what these lack (setting a policy, restarting) and
what goes wrong, on powerctl-bmcsim.
"""
import glob
import os
import re

from ipmilib import (BOARD, BmcFleet, EVENT, FakeBmc, IpmiSim, PRODUCT, SENSORS, inventory, ipmitool,
                     need, secret)
from lib import bad, error_of, good, has, main, same, test

FLAGS = "workarounds: [opensesspriv]"


def bmcs(lab, count=1):
    need("ipmi_sim", "ipmitool")
    sim = lab.keep(IpmiSim(lab.path("sim"), count))
    sim.inventory(lab, FLAGS)
    return sim


def answer(lab, *words):
    """The result of one node's verb, as JSON."""
    r = lab.run("--json", *words)
    same(r.status, 0, r)
    return r.json[0]["result"]


def columns(result):
    """ipmitool's tables."""
    return [[part.strip() for part in line.split("|")] for line in result.lines if line.strip()]


def cached(lab):
    """The files of sensor records in powerctl's cache."""
    return [path for path in glob.glob(lab.path("**", "drivers", "ipmi", "*"), recursive=True)
            if os.path.isfile(path)]


@test
def sensors(lab):
    """sensors tells the names, values, units and thresholds that ipmitool tells"""
    sim = bmcs(lab)
    ours = answer(lab, "sensors", "c1")["sensors"]
    same([s["name"] for s in ours], [s[-1] for s in SENSORS])
    theirs = columns(sim.ipmitool(1, "sensor"))
    for own, (name, value, unit, state, *limits) in zip(ours, theirs, strict=True):
        same(own["name"], name)
        same(float(own["value"]), float(value), name)
        same(own["unit"], {"degrees C": "C", "RPM": "rpm"}[unit], name)
        same(own["state"], state, name)
        keys = ("lower_fatal", "lower_critical", "lower_warning", "upper_warning",
                "upper_critical", "upper_fatal")
        for key, limit in zip(keys, limits, strict=True):
            told = own["thresholds"].get(key)
            same(float(told) if told else None, None if limit == "na" else float(limit),
                 f"{name}: {key}")
    has(lab.run("sensors", "c1").out, "Inlet Temp")


@test
def sensor_records_are_cached(lab):
    """The second sensors asks for no records; a damaged or missing file only costs requests"""
    bmcs(lab)
    first = lab.run("-vvv", "sensors", "c1")
    same(first.status, 0, first)
    assert len(cached(lab)) == 1, cached(lab)
    path = cached(lab)[0]
    second = lab.run("sensors", "c1")
    same(second.out, first.out)
    with open(path, "r+b") as file:
        file.seek(100)
        file.write(b"\xff\xff\xff")
    same(lab.run("sensors", "c1").out, first.out, "with a damaged file")
    os.unlink(path)
    same(lab.run("sensors", "c1").out, first.out, "without the file")
    assert os.path.exists(path)


@test
def log(lab):
    """log tells ipmitool's events, --new only new ones, and --clear empties it for all"""
    sim = bmcs(lab)
    events = answer(lab, "log", "c1")["events"]
    theirs = columns(sim.ipmitool(1, "sel", "elist"))
    same(len(events), len(theirs))
    same(events[0]["sensor"], "Inlet Temp")
    same(events[0]["sensor_type"], "temperature")
    same(events[0]["severity"], "critical")
    same(events[0]["asserted"], True)
    same(events[0]["raw"][4:6] + events[0]["raw"][14:], "02" + "2000040101015991" + "90")
    has(theirs[0][3], "Temperature Inlet Temp")
    has(theirs[0][4], "Upper Critical going high")
    has(events[0]["event"], "Upper Critical - going high: read 145 C, threshold 144 C")
    good(lab.run("log", "--new", "c1"), "c1: no new events")
    # Add SEL Entry.
    same(sim.ipmitool(1, "raw", "0x0a", "0x44", "0", "0", *(f"0x{b:02x}" for b in EVENT)).status, 0)
    r = lab.run("log", "--new", "c1")
    same(len(r.lines), 1 + 1, r)
    same(lab.run("log", "--clear", "--yes", "c1").status, 0)
    same(answer(lab, "log", "c1")["events"], [])
    has(sim.ipmitool(1, "sel", "info").out, "Entries          : 0")


@test
def hardware(lab):
    """hardware tells what is in the FRU data, as ipmitool does"""
    sim = bmcs(lab)
    told = answer(lab, "hardware", "c1")
    keys = {"board": ("manufacturer", "name", "serial", "part_number"),
            "product": ("manufacturer", "name", "part_number", "version", "serial")}
    for area, fields in {"board": BOARD, "product": PRODUCT}.items():
        same(told[area], dict(zip(keys[area], fields, strict=True)))
        for field in fields:
            has(sim.ipmitool(1, "fru").out, field)


@test
def info(lab):
    """info tells ipmitool's firmware, maker and UUID"""
    sim = bmcs(lab)
    told = answer(lab, "info", "c1")
    theirs = sim.ipmitool(1, "mc", "info").out
    has(theirs, f"Firmware Revision         : {told['firmware']['version']}")
    has(theirs, f"Manufacturer ID           : {told['vendor_id']}")
    has(theirs, f"Manufacturer Name         : {told['vendor']}")
    has(theirs, f"(0x{told['product_id'][2:].lstrip('0').upper()})")
    same(told["supports"], ["sensors", "sdr", "sel", "fru", "ipmb_receiver", "chassis"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told["uuid"]), told


@test
def raw(lab):
    """ipmi raw shows the bytes that ipmitool shows, and asks before it sends"""
    sim = bmcs(lab)
    told = answer(lab, "ipmi", "raw", "netfn=06", "command=01", "--yes", "c1")["data"]
    same(told.split(), sim.ipmitool(1, "raw", "6", "1").out.split())
    bad(lab.run("ipmi", "raw", "netfn=06", "command=01", "c1"), 2)
    r = lab.run("--json", "ipmi", "raw", "netfn=06", "command=ee", "--yes", "c1")
    same(error_of(r)[0], "unsupported")
    has(error_of(r)[1], "completion code C1h")


@test
def poor_bmc(lab):
    """A BMC without records says so, and what it has is told"""
    need("ipmitool")
    sim = lab.keep(FakeBmc(lab.path("fakebmc.log")))
    lab.inventory(inventory([("f1", sim.address, sim.port)], secret(lab, sim.password)))
    same(answer(lab, "info", "f1")["firmware"], {"version": "1.00"})
    for words in (("sensors",), ("log",), ("log", "--clear", "--yes"), ("hardware",)):
        kind, message = error_of(lab.run("--json", *words, "f1"))
        same(kind, "unsupported", words)
        has(message, "completion code C1h")
    good(lab.run("ipmi", "policy", "f1"), "f1:", "  policy: always-off")


# --- powerctl-bmcsim. ---------------------------------------------------------------------------


def told_by(fleet, *words, n=1):
    return ipmitool("127.0.0.1", fleet.port(n), *words)


@test
def fleet_sensors(lab):
    """Equal BMCs share one file of records, read by pieces, with reservations that get lost"""
    need("ipmitool")
    fleet = BmcFleet(lab, "--state", "on", devices=20)
    theirs = columns(told_by(fleet, "sensor"))
    for knobs in ({}, {"sdr_max_read": 16}, {"sdr_max_read": 16, "sdr_cancel": 2},
                  {"sdr_max_read": 64}):
        fleet.cold("on")
        fleet.set("all", **knobs)
        ours = answer(lab, "sensors", "b1")["sensors"]
        same([s["name"] for s in ours], [row[0] for row in theirs], knobs)
        for own, row in zip(ours, theirs, strict=True):
            if "value" in own:
                same(float(own["value"]), float(row[1]), row)
        r = lab.run("--json", "sensors", "b[2-20]")
        same([one["result"]["sensors"] for one in r.json], [ours] * 19)
        same(len(cached(lab)), 1, cached(lab))


@test
def hot(lab):
    """A sensor beyond a threshold says so, and what others make of it is the same"""
    need("ipmitool")
    fleet = BmcFleet(lab, "--state", "on")
    fleet.set(1, sensors="1:99")
    first = answer(lab, "sensors", "b1")["sensors"][0]
    same((first["value"], first["state"], first["events"]),
         ("99", "critical", ["upper_warning", "upper_critical"]))
    same(columns(told_by(fleet, "sensor"))[0][1:4], ["99.000", "degrees C", "cr"])


@test
def sensors_while_off(lab):
    """What is not scanned while the machine is off is unknown, not a failure"""
    fleet = BmcFleet(lab, "--state", "off")
    states = {s["name"]: s["state"] for s in answer(lab, "sensors", "b1")["sensors"]}
    assert set(states.values()) <= {"ok", "unknown", "absent", "warning", "critical"}, states
    assert fleet.size and "ok" in states.values(), states


@test
def log_of_power(lab):
    """Events since the last look, in order, across a log that was emptied by somebody else"""
    need("ipmitool")
    fleet = BmcFleet(lab)
    same(lab.run("on", "b1").status, 0)
    events = answer(lab, "log", "b1")["events"]
    theirs = columns(told_by(fleet, "sel", "elist"))
    same([int(e["id"]) for e in events], [int(row[0], 16) for row in theirs])
    assert events and all(e["raw"][4:6] in ("02", "c0", "df", "e0") for e in events), events
    same(answer(lab, "log", "--new", "b1")["events"], [])
    same(lab.run("off", "b1").status, 0)
    new = answer(lab, "log", "--new", "b1")["events"]
    same([e["id"] for e in new], [str(len(events) + i + 1) for i in range(len(new))])
    assert new
    same(told_by(fleet, "sel", "clear").status, 0)
    same(lab.run("on", "b1").status, 0)
    again = answer(lab, "log", "--new", "b1")["events"]
    same(len(again), len(columns(told_by(fleet, "sel", "elist"))), again)
    assert again


@test
def inventories(lab):
    """hardware whatever the BMC's limit on one read; a header that does not add up is told"""
    need("ipmitool")
    fleet = BmcFleet(lab)
    told = answer(lab, "hardware", "b1")
    for area in ("chassis", "board", "product"):
        for key in ("serial", "part_number"):
            has(told_by(fleet, "fru").out, told[area][key])
    for most in (4, 5, 16, 63):
        fleet.set(1, fru_max_read=most)
        same(answer(lab, "hardware", "b1"), told, most)
    fleet.set(1, fru_max_read=0, fru_bad_checksum=1)
    same(error_of(lab.run("--json", "hardware", "b1"))[0], "unsupported")


@test
def power_policy(lab):
    """ipmi policy sets what ipmitool reads, and says what is set"""
    need("ipmitool")
    fleet = BmcFleet(lab)
    for policy in ("always-on", "always-off", "previous"):
        good(lab.run("ipmi", "policy", f"set={policy}", "b1"), "b1: changed",
             f"  policy: {policy}")
        has(told_by(fleet, "chassis", "status").out, f"Power Restore Policy : {policy}")
        good(lab.run("ipmi", "policy", "b1"), "b1:", f"  policy: {policy}")
    bad(lab.run("ipmi", "policy", "set=sometimes", "b1"), 2)


@test
def bmc_reset(lab):
    """ipmi bmc-reset ends when the BMC is back, and it was reset once"""
    fleet = BmcFleet(lab, timeouts="connect: 1s, answer: 1s")
    for kind in ("cold", "warm"):
        fleet.reset()
        fleet.set(1, reset_ms=1500)
        told = answer(lab, "ipmi", "bmc-reset", f"kind={kind}", "b1")
        same((told["kind"], told["restarted"]), (kind, True))
        same(fleet.counters()[f"{kind}_resets"], 1)
        same(lab.run("status", "b1").status, 0)
    fleet.set(1, reset_ms=600000)
    kind, text = error_of(lab.run("--json", "ipmi", "bmc-reset", "--timeout", "4s", "b1"))
    same(kind, "timeout")
    has(text, "was taken, but has not come to its end")


main()
