#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Redfish driver and services that are busy, broken, hostile or somebody else's."""
import subprocess
import time

from lib import bad, error_of, good, has, main, same, test
from redfishlib import RedfishFleet


def error(lab, *words):
    return error_of(bad(lab.run("--json", *words), 1))


# --- Busy, and lost. ----------------------------------------------------------------------------

@test
def busy_service(lab):
    """503 with Retry-After is waited out, also amid a change; without it as well"""
    for after in (1, 0):
        fleet = RedfishFleet(lab, "--set", "all:e503_every=3", "--set",
                             f"all:retry_after={after}")
        good(lab.run("status", "r1"), "r1: off")
        good(lab.run("on", "r1"), "r1: on")
        good(lab.run("bootdev", "pxe", "r1"), "r1: ok")
        good(lab.run("off", "r1"), "r1: off")
        counters = fleet.counters()
        assert counters["r503"] >= 2, counters
        same((counters["reset_on"], counters["reset_off"]), (1, 1))
        fleet.forget()


@test
def retry_after_is_honoured(lab):
    """Who says "in a second" is not asked before"""
    fleet = RedfishFleet(lab, "--set", "all:retry_after=1")
    good(lab.run("status", "r1"), "r1: off")
    fleet.set(1, e503_every=1)
    lab.run("--timeout", "5s", "status", "r1")
    assert fleet.counters()["r503"] <= 10, fleet.counters()


@test
def answers_cut_short(lab):
    """Answers that stop in their middle: reads are tried again, a change is looked at"""
    fleet = RedfishFleet(lab, "--set", "all:cut_every=3")
    good(lab.run("status", "r1"), "r1: off")
    good(lab.run("on", "r1"), "r1: on")
    same(fleet.device()["power"], "on")
    good(lab.run("off", "r1"), "r1: off")
    counters = fleet.counters()
    same((counters["reset_on"], counters["reset_off"]), (1, 1), fleet.log())


@test
def slow_and_chunked(lab):
    """Byte by byte and in chunks of seven is the same"""
    RedfishFleet(lab, "--set", "all:chunked=7", "--set", "all:latency_ms=50")
    good(lab.run("pxeboot", "r1"), "r1: on")
    good(lab.run("off", "r1"), "r1: off")


@test
def silence(lab):
    """A service that never answers is a timeout, and an action then is of unknown outcome"""
    fleet = RedfishFleet(lab, "--set", "all:hang=all", timeouts="answer: 1s, read: 3s")
    same(error(lab, "status", "r1")[0], "timeout")
    fleet.set(1, hang="reset")
    good(lab.run("on", "r1"), "r1: on")  # it acts, and is seen
    same(fleet.counters()["reset_on"], 1)
    good(lab.run("off", "r1"), "r1: off")


@test
def dead_service_is_left_soon(lab):
    """Nobody waits for a goodbye to a service that is gone"""
    fleet = RedfishFleet(lab)
    good(lab.run("on", "r1"), "r1: on")
    port = fleet.ports(1)[0]
    fleet.inventory()
    fleet.set(1, dead="refuse")
    begin = time.monotonic()
    same(error(lab, "off", "r1")[0], "unreachable", str(port))
    assert time.monotonic() - begin < 60


# --- Broken. ------------------------------------------------------------------------------------

BROKEN = {
    "html=1": "its answer is no JSON",
    "truncate=1": "its answer is no JSON",
    "huge=20": "answer larger than 8454144 bytes",
    "deep=1000": "its JSON is nested deeper than 48 levels",
    "deep=1000000": "its JSON is nested deeper than 48 levels",
}


@test
def broken_documents(lab):
    """HTML, half documents, endless and deep ones are told apart, and nothing is changed"""
    for knob, words in BROKEN.items():
        fleet = RedfishFleet(lab, "--state", "on")
        good(lab.run("status", "r1"), "r1: on")
        fleet.set(1, **dict([knob.split("=")]))
        found = error(lab, "status", "r1")
        same(found[0], "protocol", knob)
        has(found[1], words)
        for verb in (("info",), ("sensors",), ("log",), ("hardware",), ("off",), ("bootdev", "pxe")):
            assert error(lab, *verb, "r1")[0] in ("protocol", "unreachable", "unsupported"), verb
        same(fleet.device()["power"], "on")
        fleet.forget()


@test
def garbage(lab):
    """Wrong characters amid a document: an error, or what is right all the same; never a guess"""
    fleet = RedfishFleet(lab, "--state", "on")
    good(lab.run("status", "r1"), "r1: on")
    fleet.set(1, garbage=1)
    result = lab.run("--json", "status", "r1").json[0]
    assert result["state"] in ("unknown", "on"), result
    for verb in (("info",), ("sensors",), ("log",), ("hardware",)):
        assert lab.run(*verb, "r1").status in (0, 1), verb


@test
def wrong_type(lab):
    """JSON that is called text/html is JSON"""
    RedfishFleet(lab, "--set", "all:wrong_type=1")
    good(lab.run("on", "r1"), "r1: on")


# --- Logins. ------------------------------------------------------------------------------------

@test
def wrong_password_is_tried_once(lab):
    """A wrong password goes out once, by session or Basic, for a read or a change"""
    for verb, counter in (("status", "basic_bad"), ("off", "logins_bad")):
        fleet = RedfishFleet(lab, "--state", "on", "--set", "all:password=another")
        found = error(lab, verb, "r1")
        same(found[0], "auth")
        has(found[1], "user 'admin' or its password was refused")
        counters = fleet.counters()
        same(counters["basic_bad"] + counters["logins_bad"], 1, fleet.log())
        same(counters[counter], 1, fleet.log())
        error(lab, verb, "r1")
        same(fleet.counters()["basic_bad"] + fleet.counters()["logins_bad"], 1, "not once more")
        fleet.forget()


@test
def session_lost_amid(lab):
    """A session that ends in the middle costs one login, and nothing is done twice"""
    fleet = RedfishFleet(lab, "--set", "all:session_every=3")
    for _ in range(2):
        good(lab.run("pxeboot", "r1"), "r1: on")
        good(lab.run("off", "r1"), "r1: off")
    counters = fleet.counters()
    assert counters["token_bad"] >= 1 and counters["logins_bad"] == 0, counters
    same((counters["reset_on"], counters["reset_off"]), (2, 2), fleet.log())
    same(fleet.device()["last_boot"], "Pxe")


@test
def sessions_that_never_hold(lab):
    """A service that takes no session it gave is an error after one login, not a loop"""
    fleet = RedfishFleet(lab, "--set", "all:session_every=1")
    same(error(lab, "on", "r1")[0], "auth")
    assert fleet.counters()["logins"] <= 2, fleet.log()


@test
def no_sessions(lab):
    """Without a SessionService Basic does, and that is remembered"""
    fleet = RedfishFleet(lab, "--set", "all:auth=basic")
    good(lab.run("on", "r1"), "r1: on")
    fleet.reset()
    good(lab.run("off", "r1"), "r1: off")
    assert not any("Session" in line for line in fleet.log()), fleet.log()


@test
def no_basic(lab):
    """A 401 to a Basic login may be the password: it is not sent again, and auth: session helps"""
    fleet = RedfishFleet(lab, "--set", "all:auth=session")
    has(error(lab, "status", "r1")[1], "if it takes no Basic logins, set auth: session")
    same((fleet.counters()["r401"], fleet.counters()["logins"]), (1, 0))
    fleet.inventory(settings="auth: session")
    good(lab.run("--try-anyway", "status", "r1"), "r1: off")
    good(lab.run("on", "r1"), "r1: on")


@test
def all_sessions_taken(lab):
    """Where others have all sessions Basic does"""
    fleet = RedfishFleet(lab, "--set", "all:session_limit=1")
    status, _, _ = fleet.ask("POST", "/redfish/v1/SessionService/Sessions",
                             {"UserName": "admin", "Password": "P@ssw0rd"}, login=False)
    same(status, 201)
    good(lab.run("on", "r1"), "r1: on")
    same(fleet.counters()["reset_on"], 1)


# --- Elsewhere. ---------------------------------------------------------------------------------

@test
def redirects(lab):
    """A redirect is followed on the same host and port only"""
    fleet = RedfishFleet(lab, "--state", "on", devices=2)
    good(lab.run("status", "r1"), "r1: on")
    fleet.reset()
    fleet.set(1, redirect=fleet.url(2))
    found = error(lab, "status", "r1")
    same(found[0], "protocol")
    has(found[1], "it sends us elsewhere")
    same(fleet.counters(2)["requests"], 0, "nothing went to the other")
    fleet.set(1, redirect=fleet.url(1))  # to itself, for ever
    same(error(lab, "off", "r1")[0], "protocol")
    assert fleet.counters(1)["requests"] < 20, fleet.counters(1)
    same(fleet.device(1)["power"], "on")


@test
def no_redfish_there(lab):
    """Something else behind the address is told as that"""
    fleet = RedfishFleet(lab)
    amt = lab.amtsim("--devices", "1", "--by-port", "--port", "0", "--tls-port", "0")
    port = amt.ready["devices"][0]["port"] if "devices" in amt.ready else amt.ready["ports"][0]
    fleet.inventory(more=f"  other: {{class: stand-in, address: 127.0.0.1, port: {port}}}\n")
    assert error(lab, "status", "other")[0] in ("unsupported", "protocol", "auth")


# --- TLS. ---------------------------------------------------------------------------------------

@test
def over_tls(lab):
    """HTTPS: trusted on first use, and another certificate is a trust error"""
    fleet = RedfishFleet(lab, tls=True)
    good(lab.run("pxeboot", "r1"), "r1: on")
    same(lab.run("info", "--json", "r1").json[0]["result"]["security"], {"tls": True})
    fleet.set(1, newcert=1)
    fleet.reset()
    same(error(lab, "off", "r1")[0], "trust")
    same((fleet.device()["power"], fleet.counters()["requests"]), ("on", 0))
    lab.run("trust", "--accept", "r1")
    good(lab.run("off", "r1"), "r1: off")


@test
def the_other_kind_of_port(lab):
    """plain HTTP to a TLS port: what to set"""
    fleet = RedfishFleet(lab, timeouts="connect: 1s, read: 2s")
    plain, secure = fleet.ports(1)
    text = lab.read("config/powerctl/powerctl.yaml")
    lab.inventory(text.replace(f"port: {plain}", f"port: {secure}"))
    has(error(lab, "status", "r1")[1], "a port that speaks TLS does so: then set tls: true")


# --- Many at once. ------------------------------------------------------------------------------

@test
def a_fleet(lab):
    """Two hundred services at once: one connection each, no session left"""
    fleet = RedfishFleet(lab, devices=200, profile="openbmc")
    result = lab.run("pxeboot", "--yes", "r[1-200]")
    same((result.status, len(result.lines)), (0, 200), result)
    same({line.split(": ")[1] for line in result.lines}, {"on"})
    totals = fleet.totals()
    same((totals["reset_on"], totals["boot_patches"]), (200, 200))
    same(totals["logins"], totals["logouts"])
    assert totals["peak_connections"] <= 1, totals
    result = lab.run("status", "r[1-200]")
    same((result.status, len(result.lines)), (0, 200), result)


@test
def interrupted(lab):
    """^C amid a wait, or amid a request, ends the session too"""
    fleet = RedfishFleet(lab, "--set", "all:transition_ms=600000", devices=2)
    fleet.set(2, hang="reset")  # it acts, and never answers
    for n in (1, 2):
        proc = lab.start("on", f"r{n}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fleet.wait(lambda d: d["counters"]["reset_on"] == 1, n)
        proc.send_signal(2)
        same(proc.wait(60), 130)
        same((fleet.counters(n)["logins"], fleet.counters(n)["logouts"]), (1, 1), n)
        same(fleet.device(n)["sessions"], 0)


if __name__ == "__main__":
    main()
