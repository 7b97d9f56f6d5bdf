#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""passwd over Redfish: the account of the login, however a service wants it changed; nothing is lost."""
import os

import lib
from lib import bad, good, has, main, same, test
from passwdlib import GENERATE, RESUME, killed, pending, still_works, stored
from redfishlib import PASSWORD, PROFILES, RedfishFleet

ACCOUNTS = "/redfish/v1/AccountService/Accounts"


def redfish(lab, devices=2, **how):
    """Three bad logins lock an account for good: nothing here may ever come near that."""
    fleet = RedfishFleet(lab, devices=devices, **how)
    fleet.set("all", lock_after=3, lock_s=86400)
    return fleet


def takes(fleet, n, password):
    """What somebody else's client is answered."""
    status, _, _ = fleet.ask("GET", "/redfish/v1/Systems/", n=n, login=False,
                             Authorization=lib.basic("admin", password))
    return status == 200


def ended(fleet, result, count=2, left=False):
    same(result.status, 0, result)
    same(pending(fleet), None, "pending")
    assert stored(fleet) != PASSWORD
    for n in range(1, count + 1):
        assert takes(fleet, n, stored(fleet)), f"r{n} does not take it"
        assert not takes(fleet, n, PASSWORD), f"r{n} still takes the old one"
        assert left or fleet.device(n)["sessions"] == 0, f"r{n} has sessions left"


@test
def all_vendors(lab):
    """every vendor's account service, over a session and over Basic; only the own account is touched"""
    fleet = redfish(lab, len(PROFILES))
    for n, profile in enumerate(PROFILES, 1):
        fleet.set(n, profile=profile)
    r = good(lab.run(*GENERATE, "-a"), *(f"r{n}: ok" for n in range(1, len(PROFILES) + 1)))
    ended(fleet, r, len(PROFILES))
    new = stored(fleet)
    for kind in (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum()):
        assert any(map(kind, new)), "a kind of characters is missing: services want all four"
    for n, profile in enumerate(PROFILES, 1):
        patches = {line.rstrip("/") for line in fleet.log(n) if line.startswith("PATCH")}
        own = {"dell": "4", "openbmc": "admin"}.get(profile, "2")
        same(patches, {f"PATCH {ACCOUNTS}/{own}"}, profile)
        same(fleet.counters(n)["set_password"], 1)
    fleet.inventory(settings="auth: basic")
    same(lab.run("passwd", "--password-stdin", "-y", "-a", stdin='N"e\\w-Passw0rd\n').status, 0)
    same(stored(fleet), 'N"e\\w-Passw0rd')
    same(fleet.totals()["logins"], len(PROFILES), "a session more")
    assert takes(fleet, 1, 'N"e\\w-Passw0rd')
    has(lab.run("caps", "r1").out, "passwd: true")


@test
def killed_on_the_way(lab):
    """SIGKILL before, while and after the service has it: every command works, and --resume ends it"""
    for knobs, counter, states in (
            ({"hang": "all"}, "requests", "old"), ({"passwd": "hang"}, "asked_password", "old"),
            ({"passwd": "mute"}, "asked_password", "new")):
        with lib.Lab() as own:
            fleet = redfish(own)
            fleet.set("all", **knobs)
            killed(own, lambda f=fleet, c=counter: all(f.counters(n)[c] for n in (1, 2)))
            same(set(pending(fleet).values()), {"sent"}, knobs)
            fleet.set("all", hang="no", passwd="do")
            same({takes(fleet, n, PASSWORD) for n in (1, 2)}, {states == "old"}, knobs)
            still_works(own, "r1", "r2")
            same(stored(fleet), PASSWORD)
            ended(fleet, own.run(*RESUME), left=True)
            same(fleet.totals()["set_password"], 2, "what was taken was set again")


@test
def killed_while_it_verifies(lab):
    """SIGKILL between the change and the login that proves it"""
    fleet = redfish(lab)
    fleet.set("all", passwd="mute")
    killed(lab, lambda: fleet.totals()["set_password"] == 2)
    fleet.set("all", hang="auth", passwd="do")
    killed(lab, lambda n=fleet.totals()["requests"]: fleet.totals()["requests"] >= n + 2, RESUME)
    same(set(pending(fleet).values()), {"sent"})
    fleet.set("all", hang="no")
    ended(fleet, lab.run(*RESUME), left=True)
    same(fleet.totals()["set_password"], 2, "what was taken was set again")


@test
def answers_that_lie(lab):
    """lost, refused, refused with the password in the words, taken and not done: what holds is found out"""
    fleet = redfish(lab, 3)
    fleet.set(1, passwd="lose")
    fleet.set(2, passwd="refuse")
    fleet.set(3, passwd="ignore")
    word = "S3cret-Passw0rd"
    r = lab.run("--trace", "-vv", "passwd", "--password-stdin", "-y", "-a", stdin=word + "\n")
    bad(r, 1, "r1: ok", "r2: error: refused: it refused the new password (HTTP 400); its own words",
        "r3: error: refused: it said that it took")
    assert word not in r.out + r.err and PASSWORD not in r.out + r.err, r
    same(pending(fleet), {"r1": "new", "r2": "old", "r3": "old"})
    still_works(lab, "r1", "r2", "r3")
    for folder, _, names in os.walk(lab.folder):
        for name in names:
            path = os.path.join(folder, name)
            if not path.startswith(fleet.secret) and os.path.isfile(path):
                with open(path, "rb") as f:
                    assert word.encode() not in f.read(), path
    fleet.set("all", passwd="do")
    ended(fleet, lab.run(*RESUME), 3, left=True)
    same(stored(fleet), word)
    same(fleet.counters(1)["asked_password"], 1)


@test
def ways_to_change(lab):
    """its lengths, the action that some want in place of PATCH, an ETag that another took, none at all"""
    fleet = redfish(lab, 4)
    fleet.set(1, password_min=20)
    fleet.set(2, password_max=12)
    fleet.set(3, no_accounts=1)
    fleet.set(4, password_action=1)
    r = bad(lab.run(*GENERATE, "-a"), 1, "too short: this service wants at least 20 characters",
            "too long: this service wants at most 12 characters",
            "r3: error: unsupported: the service has no accounts", "r4: ok")
    same([fleet.counters(n)["asked_password"] for n in (1, 2, 3, 4)], [0, 0, 0, 1], r)
    same(pending(fleet), {"r1": "old", "r2": "old", "r3": "old", "r4": "new"})
    fleet.set("all", password_min=0, password_max=0, no_accounts=0)
    fleet.set(1, etag_every=2, profile="lenovo")
    fleet.set(2, passwd_ends=1)
    fleet.set(3, tasks="all")
    ended(fleet, lab.run(*RESUME), 4)


@test
def left_out(lab):
    """a node whose own rule the pending password breaks: the way out that is named is one"""
    fleet = redfish(lab)
    fleet.set(1, password_max=12)
    bad(lab.run(*GENERATE, "-a"), 1, "r1: error: config:", "r2: ok")
    has(bad(lab.run(*RESUME), 1, "r2: ok").out, "give it a password file of its own with the old password")
    own = lab.write("config/powerctl/secrets/r1", PASSWORD)
    text = lab.read("config/powerctl/powerctl.yaml")
    lab.inventory(text.replace("  r1: {class: stand-in,", f"  r1: {{class: stand-in, password_file: {own},"))
    r = lab.run(*RESUME)
    good(r, "r2: ok")
    same((pending(fleet), r.status), (None, 0), r)
    assert takes(fleet, 1, PASSWORD) and takes(fleet, 2, stored(fleet))
    good(lab.run("status", "-a"), "r1: off", "r2: off")


@test
def must_change(lab):
    """a service that wants another password first: other commands say what mends it, and it does"""
    fleet = redfish(lab)
    fleet.set("all", must_change=1)
    bad(lab.run("status", "r1"), 1, "unknown: forbidden", "`powerctl passwd` sets one")
    fleet.set(2, profile="hpe")
    ended(fleet, lab.run(*GENERATE, "-a"))
    still_works(lab, "r1", "r2")


@test
def many_systems(lab):
    """several systems behind one service have one account: it is changed, and all of them find it so"""
    fleet = redfish(lab, 1, profile="dell", systems=3)
    port = fleet.ports(1)[0]
    fleet.size = 0
    fleet.inventory(more="".join(
        f"  s{i}: {{class: stand-in, address: 127.0.0.1, port: {port}, system: {s['id']}}}\n"
        for i, s in enumerate(fleet.device(1)["systems"], 1)))
    fleet.set(1, passwd_ends=1)
    ended(fleet, lab.run(*GENERATE, "-a"), 1)
    good(lab.run("status", "-a"), "s1: off", "s2: off", "s3: off")


if __name__ == "__main__":
    main()
