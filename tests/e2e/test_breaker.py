#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One wrong password must not lock a fleet out: what the stand-ins counted is what was tried."""
import os
import re
import subprocess

from amtlib import Fleet as AmtFleet
from ipmilib import PASSWORD, BmcFleet
from lib import good, has, main, same, test, until

SIZE = 200
GUESS = "Wrong-Pa55"


def true(what, found):
    assert what, found


def bmcs(lab, password=GUESS):
    fleet = BmcFleet(lab, devices=SIZE)
    fleet.inventory(password=password)
    return fleet


def logins(fleet):
    return fleet.totals()["rakp1"]


def not_tried(r):
    return sum("auth: not tried: " in line for line in r.lines)


@test
def bmcs_with_a_wrong_password(lab):
    """200 BMCs: four logins, then none; --try-anyway does it, another password is tried at once"""
    fleet = bmcs(lab)
    r = lab.run("status", "-a")
    same((r.status, len(r.lines)), (1, SIZE), r)
    true(3 <= logins(fleet) <= 4, f"{logins(fleet)} logins")
    true(not_tried(r) >= SIZE - 4, r)
    true(re.search(r"^b\d+: unknown: auth: not tried: credential 'bmc' was refused by b\[[-\d,]+\]$",
                   r.out, re.M), r)
    fleet.reset()
    for words in (["status", "-a"], ["on", "b7"], ["--yes", "pxeboot", "-a"], ["sensors", "b1"],
                  ["console", "b3"]):
        r = lab.run(*words)
        same((r.status, logins(fleet)), (1, 0), r)
        has(r.out + r.err, "--try-anyway")
    assert GUESS not in r.out + r.err
    r = lab.run("status", "--try-anyway", "b[1-10]")
    same((r.status, logins(fleet), not_tried(r)), (1, 10, 0), r)
    fleet.inventory()
    good(lab.run("status", "b[1-3]"), "b1: off", "b2: off", "b3: off")


@test
def what_is_kept(lab):
    """hashes and no secrets, for this user only"""
    fleet = bmcs(lab)
    lab.run("status", "-a")
    kept = []
    for folder, _, names in os.walk(lab.path("state")):
        kept += [os.path.join(folder, name) for name in names]
    names = {os.path.basename(path) for path in kept}
    true({"refused_logins", "login_salt"} <= names, names)
    for path in kept:
        with open(path, "rb") as file:
            assert GUESS.encode() not in file.read(), path
        if os.path.basename(path) in ("refused_logins", "login_salt"):
            same(os.stat(path).st_mode & 0o777, 0o600, path)


@test
def amts_with_a_wrong_password(lab):
    """200 machines with AMT: the same"""
    fleet = AmtFleet(lab, devices=SIZE)
    lab.write("config/powerctl/secrets/amt", GUESS + "\n")
    r = lab.run("status", "-a")
    same((r.status, len(r.lines)), (1, SIZE), r)
    true(3 <= fleet.totals()["r401_bad"] <= 4, fleet.totals())
    fleet.reset()
    r = lab.run("--json", "status", "-a")
    same((fleet.totals()["r401_bad"], {line["error"]["class"] for line in r.json}), (0, {"auth"}))
    fleet.inventory()
    lab.write("config/powerctl/secrets/amt", "P@ssw0rd\n")
    good(lab.run("status", "a9"), "a9: off")


@test
def one_odd_machine(lab):
    """one BMC with another password: the rest is not held up, and it is not tried twice"""
    fleet = bmcs(lab, password="secret")
    fleet.set(2, rakp2_bad=1)
    r = lab.run("status", "-a")
    same(sum(line.endswith(": off") for line in r.lines), SIZE - 1, r)
    fleet.reset()
    r = lab.run("status", "b[1-5]")
    same((not_tried(r), fleet.counters(2)["rakp1"]), (1, 0), r)
    has(r.out, "b2: unknown: auth: not tried: credential 'bmc' was refused here at ")


@test
def at_the_same_time(lab):
    """four commands at once: each tries four at most, and none loses what another noted"""
    fleet = bmcs(lab)
    running = [lab.start("status", f"b[{n * 50 + 1}-{n * 50 + 50}]",
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for n in range(4)]
    for proc in running:
        same(proc.wait(timeout=60), 1)
    true(3 <= logins(fleet) <= 16, f"{logins(fleet)} logins")
    tried = logins(fleet)
    with open(next(os.path.join(folder, "refused_logins")
                   for folder, _, names in os.walk(lab.path("state"))
                   if "refused_logins" in names), encoding="utf-8") as file:
        same(len(file.readlines()), tried)
    fleet.reset()
    lab.run("status", "-a")
    same(logins(fleet), 0)


@test
def while_others_are_locked(lab):
    """machines that another command holds let others be tried, not more of them"""
    fleet = bmcs(lab, password=PASSWORD)
    for n in range(1, 5):
        fleet.set(n, power="on", control_delay_ms=60000)
    first = lab.start("off", "b[1-4]", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until("four machines are being turned off",
          lambda: fleet.totals()["chassis_control"] >= 4)
    fleet.reset()
    fleet.inventory(password=GUESS)
    r = lab.run("off", "--yes", "--deadline", "2s", "-a")
    first.kill()
    first.communicate()
    same((r.status, len(r.lines)), (1, SIZE), r)
    true(3 <= logins(fleet) <= 4, f"{logins(fleet)} logins")


main()
