#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""User consent: the code that a machine shows, asked for at a terminal or given, and what becomes of it."""
import json
import os

from amtlib import ConsoleFleet, Fleet
from lib import SOURCE, bad, good, has, main, same, test
from schema import check_schema

START, SEND, CANCEL = (f"IPS_OptInService.{m}" for m in ("StartOptIn", "SendOptInCode", "CancelOptIn"))


def code_of(fleet, n=1):
    """What somebody at the machine reads out."""
    return fleet.device(n)["optin_code"]


def wrong_for(fleet, n=1):
    return f"{(int(code_of(fleet, n)) + 1) % 1000000:06}"


def calls(fleet, n=1):
    return [c.split(".")[1] for c in fleet.device(n)["log"] if c in (START, SEND, CANCEL)]


def told(r):
    """The one error of a --json run."""
    return r.json[0]["error"]


def well(r):
    same(r.status, 0, r)
    return r


def asked(lab, fleet, *args, n=1):
    """A verb on a terminal that has come to its question."""
    t = lab.terminal(*args)
    t.expect("code (empty: none): ")
    fleet.wait(lambda d: d["optin_state"] == 2, n)
    return t


@test
def asks_and_goes_on(lab):
    """pxeboot in client control mode: the code is asked for on the terminal, and it boots by PXE"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on")
    t = asked(lab, fleet, "pxeboot", "a1")
    has(t.seen, "a1: somebody there has to agree, and reads out the 6 digits")
    code = code_of(fleet)
    t.send(f"{code[:3]} {code[3:]}\n")
    same(t.end(), 0, t.seen)
    has(t.settled, "a1: on")
    d = fleet.device()
    same((d["last_boot"], d["optin_state"], calls(fleet)), ("pxe", 3, ["StartOptIn", "SendOptInCode"]))
    # It holds for a while: nobody is asked again.
    good(lab.run("pxeboot", "a1"), "a1: on")


@test
def turns_on_what_is_off(lab):
    """a machine that is off is turned on to show its code, told so, and reset into what was asked for"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "off")
    t = asked(lab, fleet, "pxeboot", "a1")
    has(t.seen, "was not on, and is turned on")
    t.send(code_of(fleet) + "\n")
    same(t.end(), 0, t.seen)
    d = fleet.device()
    same((d["power_word"], d["last_boot"], d["boots"]), ("on", "pxe", 2))
    has(t.settled, "a1: on: it was not on, and was turned on to show its code")


@test
def wrong_codes(lab):
    """a wrong one is asked for again, up to the device's three, whatever it returns for one"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on", devices=2)
    fleet.set(2, consent_wrong_value=2)
    for n in (1, 2):
        t = asked(lab, fleet, "pxeboot", f"a{n}", n=n)
        t.send("12345\n")
        t.expect("a code has 6 digits\ncode (empty: none): ")
        t.send(wrong_for(fleet, n) + "\n")
        t.expect("that is not the code; 2 more tries are allowed\ncode (empty: none): ")
        t.send(code_of(fleet, n) + "\n")
        same(t.end(), 0, t.seen)
        same(fleet.device(n)["last_boot"], "pxe")
        good(lab.run("consent", "cancel", f"a{n}"), f"a{n}: ok")

    t = asked(lab, fleet, "pxeboot", "a1")
    wrong = wrong_for(fleet)
    for left in ("2 more tries are", "1 more try is"):
        t.send(wrong + "\n")
        t.expect(left + " allowed\ncode (empty: none): ")
    t.send(wrong + "\n")
    same(t.end(), 1, t.seen)
    has(t.settled, "a1: error: forbidden: the code was wrong for the last time")
    same(fleet.device()["optin_state"], 0)
    # And then it is blocked.
    r = bad(lab.run("--json", "consent", "request", "a1"), 1)
    same((told(r)["class"], told(r)["code"]), ("busy", "ReturnValue 3"))
    has(told(r)["message"], "some minutes")


@test
def interrupted(lab):
    """^C, an empty answer, ^D: the code leaves the screen, nothing else was sent"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on")
    for key, status, text in (("\x03", 130, "canceled: interrupted; nothing was sent"),
                              ("\n", 1, "consent: boot options need user consent"),
                              ("\x04", 1, "no code was given")):
        fleet.reset()
        t = asked(lab, fleet, "pxeboot", "a1")
        t.send(key)
        same(t.end(), status, t.seen)
        has(t.settled, text)
        d = fleet.device()
        same((d["optin_state"], calls(fleet), d["counters"]["set_power"]), (0, ["StartOptIn", "CancelOptIn"], 0))


@test
def without_a_terminal(lab):
    """nobody to ask: what helps is said, and it does: request, and --consent-code"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on", devices=2)
    r = bad(lab.run("--json", "pxeboot", "a1"), 1)
    same(told(r)["class"], "consent")
    for text in ("`powerctl consent request NODE`", "--consent-code"):
        has(told(r)["message"], text)
    same(calls(fleet), [])
    r = bad(lab.run("--json", "pxeboot", "a1", "--consent-code", "123456"), 1)
    same(told(r)["class"], "state")
    has(told(r)["message"], "it shows no code; `powerctl consent request NODE`")
    well(lab.run("consent", "request", "a1"))
    r = bad(lab.run("--json", "pxeboot", "a1", "--consent-code", wrong_for(fleet)), 1)
    same(told(r)["class"], "consent")
    same(fleet.device()["optin_state"], 2, "whoever knows better may try")
    good(lab.run("pxeboot", "a1", "--consent-code", code_of(fleet)), "a1: on")
    same(fleet.device()["last_boot"], "pxe")
    # --yes asks nobody either.
    t = lab.terminal("pxeboot", "--yes", "a2")
    same(t.end(), 1, t.seen)
    has(t.settled, "--consent-code")


@test
def in_turn(lab):
    """several nodes: one question at a time, no code shown before it is its turn; others go on"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on", devices=3)
    fleet.set(3, ccm=0)
    t = lab.terminal("--no-fold", "pxeboot", "a[1-3]")
    for _ in range(2):
        t.expect("somebody there has to agree")
        t.expect("code (empty: none): ")
        shown = [n for n in (1, 2) if fleet.device(n)["optin_state"] == 2]
        same(len(shown), 1, "codes shown at a time")
        t.send(code_of(fleet, shown[0]) + "\n")
    same(t.end(), 0, t.seen)
    same([fleet.device(n)["last_boot"] for n in (1, 2, 3)], ["pxe"] * 3)


@test
def many_screens(lab):
    """pictures of several: one question at a time; who agrees, or need not, has a picture, and nobody else"""
    fleet = ConsoleFleet(lab, "--set", "all:ccm=1", "--state", "on", devices=4)
    fleet.set(4, ccm=0)
    folder = lab.path("shots") + "/"
    t = lab.terminal("--no-fold", "kvm", "--screenshot", folder, "a[1-4]")
    asked_of = []
    for turn in range(3):
        t.expect("somebody there has to agree")
        t.expect("code (empty: none): ")
        shown = [n for n in (1, 2, 3) if fleet.device(n)["optin_state"] == 2]
        same(len(shown), 1, "codes shown at a time")
        asked_of += shown
        if turn == 1:
            t.send(wrong_for(fleet, shown[0]) + "\n")
            t.expect("that is not the code; 2 more tries are allowed\ncode (empty: none): ")
            t.send("\n")
        else:
            t.send(code_of(fleet, shown[0]) + "\n")
    same(t.end(), 1, t.seen)
    refused = asked_of[1]
    for n in (1, 2, 3, 4):
        has(t.settled, f"a{n}: error: consent: " if n == refused else f"a{n}: ok: {folder}a{n}.png")
    same(sorted(os.listdir(folder)), [f"a{n}.png" for n in (1, 2, 3, 4) if n != refused])
    same((sorted(asked_of), fleet.device(refused)["optin_state"], calls(fleet, 4)), ([1, 2, 3], 0, []))
    # Agreements hold for a while: the others are not asked again, and nobody can be without a terminal.
    r = bad(lab.run("--no-fold", "kvm", "--screenshot", folder, "a[1-4]"), 1)
    same((r.out.count(": ok: "), r.out.count(f"a{refused}: error: consent: ")), (3, 1), r)


@test
def by_hand(lab):
    """consent status, request, submit, cancel"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "off", devices=2)
    fleet.set(2, ccm=0)

    def state(n=1):
        return lab.run("--json", "consent", "status", f"a{n}").json[0]["result"]

    same(state(), {"required": "all", "state": "none", "can_modify": False, "display_s": 300, "idle_s": 120})
    r = well(lab.run("consent", "request", "a1"))
    has(r.out, "a1: ok: it was not on, and is turned on to show a code")
    same((state()["state"], fleet.device()["power_word"]), ("displayed", "on"))
    has(well(lab.run("consent", "request", "a1")).out,
        "a1: ok: it shows another code, and takes the one before no more")
    same(calls(fleet), ["StartOptIn", "CancelOptIn", "StartOptIn"])
    has(bad(lab.run("consent", "submit", wrong_for(fleet), "a1"), 1).out, "a1: error: consent: the code is not")
    good(lab.run("consent", "submit", code_of(fleet), "a1"), "a1: ok: agreed")
    same(state()["state"], "received")
    # Once more, and a wrong one: nothing is claimed of it.
    sent = calls(fleet)
    r = good(lab.run("consent", "submit", wrong_for(fleet), "a1"),
             "a1: ok: somebody there has agreed already; the code was not sent")
    same((calls(fleet), r.err), (sent, ""))
    has(well(lab.run("consent", "request", "a1")).out, "agreed already")
    good(lab.run("consent", "cancel", "a1"), "a1: ok")
    same(state()["state"], "none")
    good(lab.run("consent", "cancel", "a1"), "a1: ok")

    same(state(2)["required"], "none")
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    for words in (("status", "a1"), ("request", "a2"), ("submit", "123456", "a2"), ("cancel", "a2")):
        check_schema(lab.run("--json", "consent", *words).json[0], schema)
    has(bad(lab.run("consent", "request", "a2"), 1).out, "error: state: this machine needs nobody's consent")
    # The history has who asked whom, and no code.
    well(lab.run("consent", "request", "a1"))
    code = code_of(fleet)
    well(lab.run("consent", "submit", code, "a1"))
    lines = lab.run("history", "--json", "a1").out
    same([json.loads(line)["verb"] for line in lines.splitlines()][-2:], ["consent-request", "consent-submit"])
    same(f'"{code}"' in lines, False, lines)


@test
def early_and_late(lab):
    """a code before it is shown, one that is shown no longer, an agreement that is over"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--state", "on", "--set", "all:consent_show_ms=3600000")
    well(lab.run("consent", "request", "a1"))
    has(bad(lab.run("consent", "submit", "123456", "a1"), 1).out, "does not show the code yet")
    fleet.set(1, consent_show_ms=0, consent_display_s=0)
    well(lab.run("consent", "request", "a1"))
    has(bad(lab.run("consent", "submit", "123456", "a1"), 1).out, "error: state: it shows no code")
    fleet.set(1, consent_display_s=300, consent_idle_s=0)
    well(lab.run("consent", "request", "a1"))
    well(lab.run("consent", "submit", code_of(fleet), "a1"))
    same(told(lab.run("--json", "pxeboot", "a1"))["class"], "consent")
    # Too many requests in a row.
    fleet.set(1, consent_starts=1)
    well(lab.run("consent", "request", "a1"))
    has(bad(lab.run("consent", "request", "a1"), 1).out, "error: busy")


@test
def kvm_only(lab):
    """where only the screen needs it, boot devices do not"""
    fleet = Fleet(lab, "--set", "all:consent=kvm", "--state", "on")
    good(lab.run("pxeboot", "a1"), "a1: on")
    same(lab.run("--json", "consent", "status", "a1").json[0]["result"]["required"], "kvm")
    same((fleet.device()["last_boot"], calls(fleet)), ("pxe", []))


@test
def screens_and_consoles(lab):
    """kvm, its pictures, console: the code is asked for, a wrong one again, and the session begins"""
    fleet = ConsoleFleet(lab, "--set", "all:ccm=1", "--state", "on")
    picture = lab.path("screen.png")
    for args, begun, leave, status in ((("kvm", "--screenshot", picture, "a1"), f"a1: ok: {picture}", "", 0),
                                       (("kvm", "a1"), "a1: vnc://127.0.0.1:", "\x03", 130),
                                       (("console", "a1"), "amt1> ", "\r~.", 0)):
        fleet.reset()
        t = asked(lab, fleet, *args)
        has(t.seen, "a1: somebody there has to agree, and reads out the 6 digits")
        t.send(wrong_for(fleet) + "\n")
        t.expect("that is not the code; 2 more tries are allowed\ncode (empty: none): ")
        t.send(code_of(fleet) + "\n")
        t.expect(begun)
        if leave:
            same((fleet.device()["optin_state"], len(fleet.device()["redirection_sessions"])), (4, 1), args)
            t.send(leave)
        same(t.end(), status, t.seen)
        # It holds for a while after the session.
        fleet.idle()
        same((fleet.device()["optin_state"], calls(fleet)), (3, ["StartOptIn", "SendOptInCode", "SendOptInCode"]))
        well(lab.run("consent", "cancel", "a1"))
    same(os.path.getsize(picture) > 0, True)


@test
def no_session(lab):
    """^C, no answer, three wrong codes: no screen and no console, and no code stays on the screen"""
    fleet = ConsoleFleet(lab, "--set", "all:ccm=1", "--state", "on", devices=3)
    picture = lab.path("screen.png")
    ways = ("kvm", "--screenshot", picture), ("kvm",), ("console",)
    for n, way in enumerate(ways, 1):
        for key, status, text in (("\x03", 130, ""), ("\n", 1, "sessions need user consent on this machine")):
            fleet.reset()
            t = asked(lab, fleet, *way, f"a{n}", n=n)
            t.send(key)
            same(t.end(), status, t.seen)
            has(t.settled, text)
            d = fleet.device(n)
            same((d["optin_state"], calls(fleet, n), d["redirection_sessions"]),
                 (0, ["StartOptIn", "CancelOptIn"], []), t.seen)
        t = asked(lab, fleet, *way, f"a{n}", n=n)
        wrong = wrong_for(fleet, n)
        for left in ("2 more tries are", "1 more try is"):
            t.send(wrong + "\n")
            t.expect(left + " allowed\ncode (empty: none): ")
        t.send(wrong + "\n")
        same(t.end(), 1, t.seen)
        has(t.settled, "forbidden: the code was wrong for the last time")
        same((fleet.device(n)["optin_state"], fleet.counters(n)["redir_logins"]), (0, 0))
    same(os.path.exists(picture), False)


@test
def session_codes(lab):
    """--consent-code of kvm and console; where only the screen needs one, a console does not"""
    fleet = ConsoleFleet(lab, "--set", "all:consent=kvm", "--state", "on")
    picture = lab.path("screen.png")
    well(lab.run("console", "a1"))
    same(calls(fleet), [])
    r = bad(lab.run("--json", "kvm", "--screenshot", picture, "a1"), 1)
    same(told(r)["class"], "consent")
    for text in ("KVM sessions need user consent", "`powerctl consent request NODE`", "--consent-code"):
        has(told(r)["message"], text)
    t = lab.terminal("kvm", "--yes", "a1")
    same(t.end(), 1, t.seen)
    has(t.settled, "--consent-code")
    well(lab.run("consent", "request", "a1"))
    r = bad(lab.run("--json", "kvm", "--screenshot", picture, "--consent-code", wrong_for(fleet), "a1"), 1)
    same((told(r)["class"], fleet.device()["optin_state"]), ("consent", 2))
    good(lab.run("kvm", "--screenshot", picture, "--consent-code", code_of(fleet), "a1"), f"a1: ok: {picture}")
    well(lab.run("consent", "cancel", "a1"))
    fleet.set(1, consent="all")
    well(lab.run("consent", "request", "a1"))
    has(well(lab.run("console", "--consent-code", code_of(fleet), "a1")).out, "serial console of device 1")


@test
def words(lab):
    """wrong words end with 2 and say what is right; drivers that know no consent say so"""
    Fleet(lab, devices=2)
    for args, text in ((("consent", "a1"), "no NODES are given"),
                       (("consent", "requst", "a1"), "did you mean 'request'?"),
                       (("consent", "submit", "a1"), "powerctl consent submit CODE NODE"),
                       (("consent", "submit", "123456"), "no NODE"),
                       (("consent", "submit", "123456", "a1", "a2"), "for one node"),
                       (("consent", "status"), "no NODES"),
                       (("pxeboot", "--consent-code", "12x456", "a1"), "no code"),
                       (("pxeboot", "--consent-code", "123456", "a1", "a2"), "one node"),
                       (("kvm", "--screenshot", "x/", "--consent-code", "123456", "a1", "a2"), "one node"),
                       (("kvm", "--consent-code", "x", "a1"), "no code"),
                       (("kvm", "--direct", "--consent-code", "123456", "a1"), "exclude each other"),
                       (("status", "--consent-code", "123456", "a1"), "no option of status")):
        r = lab.run(*args)
        same(r.status, 2, r)
        has(r.err, text)
    well(lab.run("pxeboot", "--consent-code", "12345", "a1"))  # nobody's is needed there
    r = lab.run("--json", "caps", "a1")
    same(r.json[0]["result"]["consent"], True)


if __name__ == "__main__":
    main()
