#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The IPMI driver when BMCs are slow, busy, forgetful, lying, strict or somebody else's."""
import glob
import os
import resource
import signal
import subprocess

from ipmilib import PASSWORD, BmcFleet, inventory, secret
from lib import PATIENCE, bad, error_of, good, has, main, need_ipv6, same, test, took, until

QUICK = "connect: 1s, answer: 2s, read: 3s, confirm: 15s, reboot: 15s, verify: 1s, poll: 100ms"


def fleet_of(lab, *sets, devices=1, settings="", state="off", timeouts=QUICK):
    words = [word for knob in sets for word in ("--set", f"all:{knob}")]
    return BmcFleet(lab, "--state", state, *words, devices=devices, settings=settings,
                    timeouts=timeouts)


def fails(lab, *words, status=1):
    """Class and words of what one command on b1 says; never an unread state told as off."""
    r = lab.run("--json", *(words or ["status"]), "b1")
    same(r.status, status, r)
    return error_of(r)


def tidy(fleet):
    """Every session that was opened was closed as well."""
    for n in range(1, fleet.size + 1):
        until("the sessions are closed", lambda n=n: fleet.device(n)["sessions"] == 0)


# --- Logins. ---------------------------------------------------------------------------------


@test
def suites(lab):
    """cipher suite 17 where there is it, else 3; what worked is remembered; one asked for is meant"""
    fleet = fleet_of(lab, devices=3)
    fleet.set(2, suites="3")
    fleet.set(3, suites="17")
    good(lab.run("status", "-a"), "b1: off", "b2: off", "b3: off")
    same([fleet.counters(n)["opens"] for n in (1, 2, 3)], [1, 2, 1])
    good(lab.run("status", "-a"), "b1: off", "b2: off", "b3: off")
    same([fleet.counters(n)["opens"] for n in (1, 2, 3)], [2, 3, 2], "of the second command")
    fleet.inventory("cipher_suite: 3", QUICK)
    r = bad(lab.run("status", "-a"), 1, "b1: off", "b2: off")
    has(r.out, "b3: unknown: unsupported: cipher suite 3 unavailable")
    has(r.out, "RMCP+ status")
    tidy(fleet)


@test
def suite_forgotten(lab):
    """a BMC that loses the suite that worked before is logged in with the other one"""
    fleet = fleet_of(lab)
    good(lab.run("status", "b1"), "b1: off")
    fleet.set(1, suites="3")
    good(lab.run("status", "b1"), "b1: off")


@test
def suite_remembered(lab):
    """what was asked for is not remembered, nor is 3 where 17 was not refused but lost"""
    fleet = fleet_of(lab, settings="cipher_suite: 2")
    good(lab.run("status", "b1"), "b1: off")
    fleet.inventory("", QUICK)
    has(lab.run("--trace", "status", "b1").err, "Open Session, cipher suite 17")
    fleet.forget()
    fleet.set(1, mute="open", suites="17")
    same(fails(lab)[0], "timeout")
    fleet.set(1, mute="no")
    has(lab.run("--trace", "status", "b1").err, "Open Session, cipher suite 17")


@test
def suite_zero(lab):
    """a suite without passwords is refused unless the inventory allows it"""
    fleet = fleet_of(lab, "suites=0,3", settings="cipher_suite: 0")
    r = lab.run("status", "b1")
    same(r.status, 2, r)
    has(r.err, "cipher_suite: 0 has no passwords at all; allow_unauthenticated: true allows it")
    same(fleet.counters()["datagrams"], 0)
    fleet.inventory("cipher_suite: 0\nallow_unauthenticated: true", QUICK)
    good(lab.run("on", "b1"), "b1: on")


@test
def kg(lab):
    """K_g as text and as hexadecimal digits; a wrong or a missing one is an auth error"""
    fleet = fleet_of(lab, "kg=0x6b657931002041")
    key = lab.write("kg", "0x6B657931002041\n")
    fleet.inventory(f"kg_file: {key}", QUICK)
    good(lab.run("on", "b1"), "b1: on")
    fleet.inventory("kg: wrong", QUICK)
    kind, text = fails(lab)
    same(kind, "auth")
    has(text, "K_g refused")
    fleet.inventory("", QUICK)
    kind, text = fails(lab)
    same(kind, "auth")
    has(text, "set kg")
    fleet.inventory("kg: '0x123'", QUICK)
    r = lab.run("status", "b1")
    same(r.status, 2, r)
    has(r.err, ": kg: after 0x come at most 40 hex digits")


@test
def wrong_password(lab):
    """a wrong password is tried once, over 2.0 and over 1.5, and said as what it is"""
    fleet = fleet_of(lab, "lockout_after=3")
    fleet.inventory("", QUICK, password="guess")
    kind, text = fails(lab)
    same((kind, fleet.counters()["rakp1"]), ("auth", 1))
    has(text, "password refused")
    fleet.inventory("protocol: 1.5", "connect: 1s, answer: 4s, read: 9s", password="guess")
    kind, text = fails(lab)
    same(kind, "auth")
    has(text, "password")
    same(fleet.counters()["bad_logins"], 2, "one over 2.0 and one over 1.5")
    fleet.inventory("", QUICK)
    good(lab.run("status", "b1"), "b1: off")


@test
def wrong_user(lab):
    """a user that there is not"""
    fleet = fleet_of(lab)
    fleet.inventory("username: nobody", QUICK)
    kind, text = fails(lab)
    same(kind, "auth")
    has(text, "user name refused")
    has(text, "RMCP+ status 0Dh")
    fleet.inventory("username: nobody\nprotocol: 1.5", QUICK)
    kind, text = fails(lab)
    same(kind, "auth")
    has(text, "completion code 81h")


@test
def too_long(lab):
    """names and passwords that IPMI has no room for are told before anything is sent"""
    fleet = fleet_of(lab)
    for settings, password, part in (("username: 12345678901234567", "secret", "16 bytes"),
                                     ("", "x" * 21, "20 bytes of IPMI 2.0"),
                                     ("protocol: 1.5", "x" * 17, "16 bytes of IPMI 1.5"),
                                     ("kg: 123456789012345678901", "secret", "20 bytes")):
        fleet.inventory(settings, QUICK, password=password)
        r = lab.run("--json", "status", "b1")
        same((r.status, r.out), (2, ""), r)
        has(r.err, part)
    same(fleet.counters()["datagrams"], 0)


@test
def privileges(lab):
    """a user's account reads; what it may not change is forbidden, with the words and the code"""
    fleet = fleet_of(lab)
    fleet.inventory("username: user", QUICK)
    good(lab.run("status", "b1"), "b1: off")
    kind, text = fails(lab, "on")
    same(kind, "forbidden", text)
    has(text, "RMCP+ status 0Ah")
    same(fleet.device()["power"], "off")
    fleet.inventory("username: operator", QUICK)
    good(lab.run("on", "b1"), "b1: on")
    fleet.inventory("privilege: user", QUICK)
    kind, text = fails(lab, "off")
    same(kind, "forbidden")
    has(text, "completion code D4h")
    same(fleet.device()["power"], "on")
    tidy(fleet)


@test
def strict_start(lab):
    """a BMC that gives a new session no rights at all is asked for USER"""
    fleet = fleet_of(lab, "cc=00:01:d4*1")
    good(lab.run("status", "b1"), "b1: off")


@test
def statuses(lab):
    """each way to refuse a login: class, words and code"""
    fleet = fleet_of(lab)
    for knob, kind, part in (("open_status=1", "busy", "no room for another session"),
                             ("open_status=0x0b", "busy", "RMCP+ status 0Bh"),
                             ("open_status=0x11", "unsupported", "RMCP+ status 11h"),
                             ("rakp2_status=0x0d", "auth", "user name refused"),
                             ("rakp2_status=0x09", "forbidden", "privilege"),
                             ("rakp4_status=0x0f", "auth", "RMCP+ status 0Fh"),
                             ("rakp2_bad=1", "auth", "password refused"),
                             ("rakp4_bad=1", "auth", "K_g refused")):
        fleet.set(1, **dict([knob.split("=")]))
        found, text = fails(lab, "status", "--try-anyway")
        same(found, kind, f"{knob}: {text}")
        has(text, part)
        fleet.set(1, **{knob.split("=")[0]: "0"})
    good(lab.run("status", "--try-anyway", "b1"), "b1: off")


@test
def silences(lab):
    """silence is told apart: nobody there, or nobody who answers the login"""
    fleet = fleet_of(lab, timeouts="connect: 1s, answer: 1s, read: 2s")
    for knob, settings, kind, part in (("dead=1", "", "unreachable", "no answer in 1 s"),
                                       ("mute=open", "cipher_suite: 3", "timeout", "Open Session"),
                                       ("mute=rakp1", "", "timeout", "RAKP 1"),
                                       ("mute=rakp3", "", "timeout", "locked the user out"),
                                       ("mute=challenge", "protocol: 1.5", "timeout", "login"),
                                       ("mute=activate", "protocol: 1.5", "auth", "password")):
        fleet.inventory(settings, "connect: 1s, answer: 1s, read: 2s")
        fleet.set(1, dead="0", mute="no")
        fleet.set(1, **dict([knob.split("=")]))
        found, text = fails(lab)
        same(found, kind, f"{knob}: {text}")
        has(text, part)


@test
def dead_in_time(lab):
    """a dead BMC is named after its own time, whatever the others do"""
    fleet = fleet_of(lab, devices=20, timeouts="connect: 1s")
    fleet.set(7, dead="1")
    with took(0.9, 2.5):
        r = lab.run("status", "-a")
    bad(r, 1, "b7: unknown: unreachable: no answer in 1 s\n")
    same(len([line for line in r.lines if line.endswith(": off")]), 19, r)


@test
def versions(lab):
    """IPMI 1.5 where there is no 2.0, whichever way the BMC says so; one asked for is meant"""
    for knob in ("no_ipmi20=ignore", "no_ipmi20=refuse"):
        fleet = fleet_of(lab, knob)
        good(lab.run("on", "b1"), "b1: on")
        same((fleet.counters()["opens"], fleet.counters()["logins"]), (0, 1), knob)
        fleet.inventory("protocol: '2.0'", QUICK)
        kind, text = fails(lab)
        same(kind, "unsupported")
        has(text, "protocol: 1.5")
        tidy(fleet)


@test
def auth_types(lab):
    """IPMI 1.5: MD5 by itself; a password in clear text only where it is asked for"""
    fleet = fleet_of(lab, "auth_types=password", settings="protocol: 1.5")
    kind, text = fails(lab)
    same(kind, "unsupported")
    has(text, "auth_type: password")
    fleet.inventory("protocol: 1.5\nauth_type: password", QUICK)
    good(lab.run("on", "b1"), "b1: on")
    fleet.set(1, auth_types="md5", per_message="0")
    fleet.inventory("protocol: 1.5", QUICK)
    good(lab.run("off", "b1"), "b1: off")


@test
def session_limit(lab):
    """a BMC without room for another session is waited for, and said to have none"""
    fleet = fleet_of(lab, "session_limit=1")
    good(lab.run("on", "b1"), "b1: on")
    good(lab.run("off", "b1"), "b1: off")
    same(fleet.counters()["peak_sessions"], 1)
    tidy(fleet)


@test
def locked_out(lab):
    """a BMC that has locked everybody out and says nothing: not that it is off, nor gone"""
    fleet = fleet_of(lab, "lockout_after=1", "lockout_unfinished=1",
                     timeouts="connect: 1s, answer: 1s, read: 2s")
    fleet.inventory("", "connect: 1s, answer: 1s, read: 2s", password="guess")
    same(fails(lab)[0], "auth")
    fleet.inventory("", "connect: 1s, answer: 1s, read: 2s")
    kind, text = fails(lab)
    same(kind, "timeout")
    has(text, "may have locked the user out")


@test
def identity(lab):
    """another machine behind the address is refused before it gets the password's proof"""
    fleet = fleet_of(lab)
    good(lab.run("status", "b1"), "b1: off")
    fleet.set(1, guid="00112233445566778899aabbccddeeff")
    kind, text = fails(lab, "on")
    same(kind, "trust")
    has(text, "powerctl trust NODES")
    same((fleet.device()["power"], fleet.counters()["logins"]), ("off", 1))
    same(lab.run("trust", "--accept", "b1").status, 0)
    good(lab.run("on", "b1"), "b1: on")
    # What was never given an identity is not the known machine; of an unknown one it says nothing.
    for guid in ("0" * 32, "ff" * 16):
        fleet.set(1, guid=guid)
        same(fails(lab, "off")[0], "trust")
    same(fleet.device()["power"], "on")
    same(lab.run("trust", "--forget", "b1").status, 0)
    for guid in ("0" * 32, "ff" * 16):
        fleet.set(1, guid=guid)
        good(lab.run("status", "b1"), "b1: on")


@test
def identity_over_15(lab):
    """a BMC that showed who it is over 2.0 is not let in over 1.5, which shows nothing"""
    fleet = fleet_of(lab)
    good(lab.run("status", "b1"), "b1: off")
    fleet.set(1, no_ipmi20="refuse")
    kind, text = fails(lab, "on")
    same((kind, fleet.device()["power"]), ("trust", "off"), text)
    fleet.inventory("protocol: '1.5'", QUICK)
    good(lab.run("on", "b1"), "b1: on")


# --- The way there and back. -----------------------------------------------------------------


@test
def losses(lab):
    """a tenth of all datagrams lost: states and power all the same, each action once"""
    fleet = fleet_of(lab, "drop_percent=10", devices=16, timeouts="connect: 8s")
    good(lab.run("status", "-a"), *[f"b{n}: off" for n in range(1, 17)])
    good(lab.run("on", "-a"), *[f"b{n}: on" for n in range(1, 17)])
    for result in lab.run("--json", "reset", "-a").json:
        resets = fleet.counters(int(result["node"][1:]))["power_reset"]
        assert resets == 1 if result["ok"] else resets <= 1, (resets, result)


@test
def first_questions_lost(lab):
    """a BMC whose first seven datagrams got lost is there all the same: asked eight times in 3 s"""
    fleet = fleet_of(lab, "drop_requests=7", timeouts="connect: 3s, answer: 5s")
    good(lab.run("status", "b1"), "b1: off")
    same(fleet.counters()["dropped"], 7)
    tidy(fleet)


@test
def noise(lab):
    """answers that are cut, false, twice, late or of another session are no answers"""
    knobs = ("truncate=3", "garbage=3", "bad_checksum=3", "duplicate=1", "drop_replies=2",
             "drop_requests=2", "bad_auth_code=3", "bad_session_id=3")

    def noisy(count, settings=""):
        fleet = fleet_of(lab, devices=count, settings=settings,
                         timeouts="connect: 5s, confirm: 15s, poll: 100ms")
        for n, knob in enumerate(knobs[:count], 1):
            fleet.set(n, **dict([knob.split("=")]))
        return fleet
    fleet = noisy(len(knobs))
    good(lab.run("on", "-a"), *[f"b{n}: on" for n in range(1, len(knobs) + 1)])
    same([fleet.counters(n)["power_on"] for n in range(1, len(knobs) + 1)], [1] * len(knobs))
    # An activation that is asked for again is a try of the password: not of the last two.
    noisy(6, "protocol: 1.5")
    good(lab.run("status", "-a"), *[f"b{n}: off" for n in range(1, 7)])


@test
def late(lab):
    """answers that come after the question was repeated are taken: the number was kept"""
    for dedup in ("again", "cf", "off"):
        fleet = fleet_of(lab, "late_ms=600", "late_next=50", f"dedup={dedup}",
                         timeouts="connect: 3s, answer: 5s, read: 12s")
        good(lab.run("status", "b1"), "b1: off")
        tidy(fleet)


@test
def slow_reset(lab):
    """a BMC that needs 1.5 s for a command, and knows no duplicates, gets one reset from one reset"""
    fleet = fleet_of(lab, "control_delay_ms=1500", "dedup=off", state="on",
                     timeouts="connect: 3s, confirm: 20s, poll: 100ms")
    for verb, counter in (("reset", "power_reset"), ("reboot", "power_cycle"),
                          ("nmi", "diag"), ("off", "power_off")):
        word = {"nmi": "accepted", "off": "off"}.get(verb, "on")
        good(lab.run(verb, "b1"), f"b1: {word}")
        same(fleet.counters()[counter], 1, verb)
    same(fleet.counters()["chassis_control"], 4)


@test
def reset_lost(lab):
    """the answer to a reset never comes: it is not sent again, and nobody says that it worked"""
    fleet = fleet_of(lab, "control_delay_ms=4000", state="on",
                     timeouts="connect: 1s, answer: 1s, read: 2s, verify: 1s, poll: 100ms")
    kind, text = fails(lab, "reset")
    same(kind, "outcome_unknown", text)
    has(text, "not sent again")
    until("it is done after all", lambda: fleet.counters()["power_reset"] == 1)
    same(fleet.counters()["chassis_control"], 1)


@test
def session_lost(lab):
    """a BMC that forgets the session while a state is waited for is logged in to again"""
    fleet = fleet_of(lab, "session_timeout_ms=50", "transition_ms=1500",
                     timeouts="connect: 1s, answer: 1s, read: 3s, confirm: 15s, poll: 300ms")
    good(lab.run("on", "b1"), "b1: on")
    same(fleet.counters()["power_on"], 1)
    assert fleet.counters()["logins"] >= 2, fleet.counters()


@test
def interrupted(lab):
    """^C while a state is waited for: what was sent is told, and the session is closed"""
    fleet = fleet_of(lab, "power_lie=ignore")
    proc = lab.start("on", "b1", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
    until("it was sent", lambda: fleet.counters()["power_on"] == 1)
    proc.send_signal(signal.SIGINT)
    out, _ = proc.communicate(timeout=20)
    same(proc.returncode, 130, out)
    has(out, "'on' was accepted")
    tidy(fleet)


# --- What BMCs say no to. --------------------------------------------------------------------


@test
def busy(lab):
    """"node busy" is waited out, without a second action; for ever busy is an error"""
    fleet = fleet_of(lab, "busy_next=3", timeouts="connect: 1s, read: 10s, confirm: 20s")
    good(lab.run("on", "b1"), "b1: on")
    same(fleet.counters()["power_on"], 1)
    tidy(fleet)
    fleet.set(1, busy_next="1000")
    fleet.inventory("", "connect: 1s, answer: 2s, read: 3s, confirm: 5s")
    for verb in ("status", "off"):
        kind, text = fails(lab, verb)
        assert kind in ("busy", "timeout"), (kind, text)
    same(fleet.counters()["peak_sessions"], 2, "the one that could not be closed, and the next")


@test
def codes(lab):
    """completion codes in words, with the code"""
    fleet = fleet_of(lab, state="on")
    for code, kind in (("d5", "state"), ("cc", "unsupported"), ("c1", "unsupported"),
                       ("d4", "forbidden"), ("ff", "refused"), ("d6", "refused")):
        fleet.set(1, cc=f"00:02:{code}")
        found, text = fails(lab, "off")
        same(found, kind, text)
        has(text, f"completion code {code.upper()}h")
        r = lab.run("--json", "off", "b1")
        same(r.json[0]["error"]["code"], f"completion code {code.upper()}h")
    same(fleet.device()["power"], "on")


@test
def doubtful(lab):
    """a BMC that cannot answer may have acted: not sent again, and nobody says that it did nothing"""
    fleet = fleet_of(lab, "cc=00:02:ce", state="on")
    kind, text = fails(lab, "reset")
    same(kind, "outcome_unknown", text)
    has(text, "not sent again")
    same([line for line in fleet.device()["log"] if line.startswith("00:02")],
         ["00:02 03 =ce"])


@test
def no_cycle(lab):
    """a BMC that cannot cycle is turned off, waited for and turned on"""
    fleet = fleet_of(lab, "refuse_control=cycle:cc", state="on")
    good(lab.run("reboot", "b1"), "b1: on")
    counters = fleet.counters()
    same((counters["power_off"], counters["power_on"], counters["power_cycle"]), (1, 1, 0))


@test
def lies(lab):
    """a BMC that says yes and does nothing: an error, and the state as it is"""
    fleet = fleet_of(lab, "power_lie=ignore", timeouts="connect: 1s, confirm: 2s, poll: 100ms")
    kind, text = fails(lab, "on")
    same(kind, "timeout")
    has(text, "it still reads off")
    same(fleet.counters()["power_on"], 1)
    fleet = fleet_of(lab, "lag_ms=1500")
    good(lab.run("on", "b1"), "b1: on")


@test
def soft(lab):
    """off --soft waits for the operating system, and takes the power where it is to"""
    fleet = fleet_of(lab, "soft_ms=500", state="on")
    good(lab.run("off", "--soft", "b1"), "b1: off")
    same((fleet.counters()["soft"], fleet.counters()["power_off"]), (1, 0))
    fleet = fleet_of(lab, "soft_ignored=1", state="on")
    r = lab.run("off", "--soft", "--force-after", "500ms", "b1")
    same(r.status, 0, r)
    same((fleet.counters()["soft"], fleet.counters()["power_off"]), (1, 1))


# --- Boot. -----------------------------------------------------------------------------------


@test
def boot_bytes(lab):
    """the flags as they are on the wire, and that they do not lapse"""
    fleet = fleet_of(lab)
    for words, flags in ((("pxe",), "8004000000"), (("pxe", "--uefi"), "a004000000"),
                         (("pxe", "--persistent"), "c004000000"),
                         (("disk", "--persistent", "--uefi"), "e008000000"),
                         (("cd",), "8014000000"), (("bios",), "8018000000"),
                         (("diag",), "8010000000"), (("usb",), "803c000000"),
                         (("none",), "8000000000"), (("cd", "--legacy"), "8014000000")):
        good(lab.run("bootdev", *words, "b1"), "b1: ok")
        same(fleet.device()["boot_flags"].lower(), flags, words)
        shown = lab.run("--json", "bootdev", "--show", "b1").json[0]["result"]
        same(shown["device"], words[0])
        same(shown["persistent"], "--persistent" in words)
        same(shown["mode"], "uefi" if "--uefi" in words else "legacy")
    fleet.inventory("boot_mode: uefi", QUICK)
    good(lab.run("bootdev", "pxe", "b1"), "b1: ok")
    same(fleet.device()["boot_flags"].lower(), "a004000000")
    good(lab.run("bootdev", "pxe", "--legacy", "b1"), "b1: ok")
    same(fleet.device()["boot_flags"].lower(), "8004000000")
    same(fleet.device()["boot_clearing"], 8)
    same(fleet.device()["power"], "off")


@test
def boots(lab):
    """boot and pxeboot: flags and power in one session, what is on is reset, what is off started"""
    fleet = fleet_of(lab, devices=2)
    fleet.set(2, power="on")
    good(lab.run("pxeboot", "-a"), "b1: on", "b2: on")
    for n, action in ((1, "power_on"), (2, "power_reset")):
        counters = fleet.counters(n)
        same((fleet.device(n)["last_boot"], counters[action], counters["logins"]), ("pxe", 1, 1))
    good(lab.run("boot", "disk", "--uefi", "b1"), "b1: on")
    same((fleet.device()["last_boot"], fleet.device()["last_mode"]), ("disk", "uefi"))
    tidy(fleet)


@test
def boot_oddities(lab):
    """BMCs that refuse the parameters around the flags, or read them back as not valid"""
    fleet = fleet_of(lab, "refuse_params=0,3,4", "readback_invalid=1")
    good(lab.run("pxeboot", "b1"), "b1: on")
    same(fleet.device()["last_boot"], "pxe")
    good(lab.run("bootdev", "cd", "b1"), "b1: ok")
    fleet.set(1, cc="00:09:cc", refuse_params="none")
    good(lab.run("bootdev", "disk", "b1"), "b1: ok")
    fleet.set(1, cc="no", refuse_params="5")
    kind, text = fails(lab, "boot", "pxe")
    same(kind, "unsupported")
    has(text, "completion code 80h")
    same(fleet.counters()["power_reset"], 0, "not without the device that was asked for")


# --- The rest. -------------------------------------------------------------------------------


@test
def lights(lab):
    """the identify light, on for ever and off"""
    fleet = fleet_of(lab)
    good(lab.run("identify", "b1"), "b1: accepted")
    assert fleet.device()["identify"] != "off", fleet.device()
    good(lab.run("identify", "--off", "b1"), "b1: accepted")
    same(fleet.device()["identify"], "off")


@test
def inventory_mistakes(lab):
    """wrong words in the inventory are named with the right ones, and nothing is sent"""
    fleet = fleet_of(lab, settings="workarounds: [opensesspriv, intel21]")
    r = lab.run("status", "b1")
    same(r.status, 2, r)
    has(r.err, "workarounds cannot be 'intel21'; it is one of:")
    fleet.inventory("privilege: root\nprotocol: '3.0'\ncipher_suite: 18", QUICK)
    r = lab.run("status", "b1")
    same(r.status, 2, r)
    for part in ("privilege cannot be 'root'", "protocol cannot be '3.0'",
                 "cipher_suite cannot be '18'"):
        has(r.err, part)
    same(fleet.counters()["datagrams"], 0)


@test
def ipv6(lab):
    """a BMC at an IPv6 address: in the inventory and as a URL"""
    need_ipv6()
    device = lab.bmcsim("--address", "::1", "--port", "0", "--devices", "1").ready["devices"][0]
    key = secret(lab, PASSWORD)
    lab.inventory(inventory([("v6", "'::1'", device["port"])], key))
    good(lab.run("on", "v6"), "v6: on")
    url = f"ipmi://admin@[::1]:{device['port']}"
    good(lab.run("status", url, "--password-file", key), f"::1:{device['port']}: on")


@test
def many(lab):
    """three hundred BMCs in one command: one session each, closed each, one action each"""
    fleet = fleet_of(lab, "delay_ms=5", devices=300, timeouts="")
    names = [f"b{n}" for n in range(1, 301)]
    for verb, word, counter in (("status", "off", None), ("on", "on", "power_on"),
                                ("reset", "on", "power_reset"), ("off", "off", "power_off")):
        fleet.reset()
        good(lab.run(verb, "-a", *([] if verb in ("status", "on") else ["--yes"])),
             *[f"{name}: {word}" for name in names])
        totals = fleet.totals()
        same((totals["peak_sessions"], totals["logins"]), (1, 300), verb)
        if counter:
            same((totals[counter], totals["chassis_control"]), (300, 300), verb)
    same(fleet.totals()["sessions_closed"], 300)


@test
def workarounds(lab):
    """every workaround is taken, alone or in a list, and a healthy BMC does not mind most"""
    fleet = fleet_of(lab)
    for name in ("authcap", "opensesspriv", "integritycheckvalue", "nochecksumcheck", "ipmiping",
                 "supermicro20", "sun20", "solpayloadsize"):
        fleet.inventory(f"workarounds: {name}", QUICK)
        good(lab.run("status", "b1"), "b1: off")
    for name in ("idzero", "forcepermsg", "unexpectedauth", "noauthcodecheck"):
        fleet.inventory(f"protocol: 1.5\nworkarounds: [{name}]", QUICK)
        good(lab.run("status", "b1"), "b1: off")
    fleet.set(1, echo_privilege_zero="1")
    fleet.inventory("", QUICK)
    good(lab.run("on", "b1"), "b1: on")


@test
def secrets(lab):
    """no password, key or name of a secret's file in what is traced, remembered or refused"""
    fleet = fleet_of(lab, "kg=K3y-of-BMC")
    fleet.inventory("kg: K3y-of-BMC", QUICK, password="secret")
    r = lab.run("--trace", "-vv", "pxeboot", "b1")
    same(r.status, 0, r)
    has(r.err, "Chassis Control")
    texts = [r.out + r.err]
    for top in (lab.path("state"), lab.path("cache"), lab.path("run")):
        for path in glob.glob(top + "/**", recursive=True):
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as text:
                    texts.append(text.read())
    r = lab.run("--trace", "ipmi", "raw", "netfn=06", "command=47", "data=020273656372657421",
                "--yes", "b1")
    assert "73 65 63" not in r.err and "736563" not in r.err, r
    for text in texts:
        for word in ("K3y-of-BMC", "secret\n", "'secret'"):
            assert word not in text, f"{word!r} in {text!r}"


@test
def hardly_a_descriptor(lab):
    """with few descriptors: an answer or words for each BMC, and an end in any case"""
    fleet_of(lab, devices=20)
    for few in range(8, 33, 2):
        proc = lab.start("status", "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         preexec_fn=lambda few=few: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                                       (few, few)))
        out, err = proc.communicate(timeout=PATIENCE)
        lines = out.splitlines()
        if proc.returncode:
            assert not lines or len(lines) == 20, (few, out, err)
            has(out + err, "too many open files")
    same((proc.returncode, len(lines)), (0, 20), (out, err))


if __name__ == "__main__":
    main()
