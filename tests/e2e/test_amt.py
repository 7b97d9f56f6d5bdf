#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AMT driver through the real program: what it costs, power, boot, info.

POWERCTL_VIA=pump (or test_amt_pump.py) runs all of it through channels that the core pumps.
"""
import json
import os
import re
from subprocess import PIPE
from types import SimpleNamespace

from amtlib import BOOT_CALLS, GET, POWER, PROFILES, VIA, Fleet
from lib import bad, error_of, good, has, main, same, test, took, until
from test_amtsim import boot_order, boot_role, curl

OLD_AND_NEW = PROFILES[:4]  # 16.1 has no plain port
QUICK = "connect: 2s, answer: 2s, read: 3s, confirm: 15s, reboot: 15s"


def every_profile(lab, tls, **how):
    """One stand-in of each kind of firmware; the profiles by number."""
    profiles = PROFILES if tls else OLD_AND_NEW
    sets = [w for i, p in enumerate(profiles, 1) for w in ("--set", f"{i}:profile={p}")]
    return Fleet(lab, *sets, devices=len(profiles), tls=tls, **how), dict(enumerate(profiles, 1))


def lines(profiles, text):
    return [f"a{n}: {text}" for n in profiles]


# --- What it costs. --------------------------------------------------------------------------


def budget(lab, state, words, result, requests, tls):
    fleet, profiles = every_profile(lab, tls)
    fleet.cold(state)
    good(lab.run(*words, f"a[1-{len(profiles)}]"), *lines(profiles, result))
    for n, profile in profiles.items():
        # 8 is asked once for a class that it lacks.
        c = fleet.blameless(n, but=("r400",) if profile == "8" else ())
        least, most = requests if isinstance(requests, tuple) else (requests, requests)
        assert least <= c["requests"] <= most, f"{words} of {profile}: {c['requests']} requests"
        same(c["connections"], 2, f"connections of {profile}")
        same(c["r401"], 1, f"challenges of {profile}")
        same(c["bodies"], c["requests"] - 1, f"bodies of {profile}")
        same(c["tls"], 2 if tls else 0, f"handshakes of {profile}")


@test
def budget_status_off(lab):
    """status of a machine that is off: two requests, the 401 included, on every firmware"""
    budget(lab, "off", ["status"], "off", 2, False)


@test
def budget_status_on(lab):
    """status of a machine that is on: at most three requests"""
    budget(lab, "on", ["status"], "on", (2, 3), False)


@test
def budget_on(lab):
    """on, confirmed: four requests"""
    budget(lab, "off", ["on"], "on", 4, False)


@test
def budget_on_already(lab):
    """on of a machine that is on: read, nothing sent"""
    budget(lab, "on", ["on"], "on", (2, 3), False)


@test
def budget_pxeboot_from_off(lab):
    """pxeboot of a machine that is off, confirmed: at most nine requests"""
    budget(lab, "off", ["pxeboot"], "on", (8, 9), False)


@test
def budget_pxeboot_from_on(lab):
    """pxeboot of a machine that is on, confirmed: at most nine requests"""
    budget(lab, "on", ["pxeboot"], "on", (8, 9), False)


@test
def budget_tls(lab):
    """over TLS the same: status 2, on 4, pxeboot 9; 16.1 as well"""
    budget(lab, "off", ["status"], "off", 2, True)
    budget(lab, "off", ["on"], "on", 4, True)
    budget(lab, "off", ["pxeboot"], "on", (8, 9), True)


def unix_sockets(lab, fleet):
    """How many a powerctl has that waits for an answer."""
    fleet.reset()
    proc = lab.start("status", "a1")
    until("the request has come", lambda: fleet.counters()["requests"])
    with open("/proc/net/unix", encoding="ascii") as table:
        unix = {line.split()[6] for line in list(table)[1:]}
    count = 0
    for fd in os.listdir(f"/proc/{proc.pid}/fd"):
        link = os.readlink(f"/proc/{proc.pid}/fd/{fd}")
        count += int(fd) > 2 and link.startswith("socket:[") and link[8:-1] in unix
    proc.kill()
    proc.wait()
    return count


@test
def really_pumped(lab):
    """via: pump puts a socketpair between driver and machine, and these tests use what they say"""
    fleet = Fleet(lab)
    fleet.set(1, hang="all")
    as_told = unix_sockets(lab, fleet)
    fleet.inventory(settings="via: direct")
    direct = unix_sockets(lab, fleet)
    fleet.inventory(settings="via: pump")
    pumped = unix_sockets(lab, fleet)
    same(pumped - direct, 2)
    same(as_told, pumped if VIA == "pump" else direct)


# --- Power. ----------------------------------------------------------------------------------


def act(fleet, verb, n, wanted, **members):
    """One verb on one machine, as JSON: what is said and what the machine is afterwards."""
    r = fleet.lab.run("--json", *verb, f"a{n}")
    same(r.status, 0, r)
    for key, value in {"ok": True, "error": None, **members}.items():
        same(r.json[0][key], value, f"{key} of {r}")
    same(fleet.device(n)["power_word"], wanted, r)
    return r


@test
def power_hard(lab):
    """on, off, reboot, cycle, reset on every firmware: said right and done once"""
    fleet, profiles = every_profile(lab, False)
    for n in profiles:
        sent = 0
        for verb, wanted, changed in (("off", "off", 0), ("on", "on", 1), ("on", "on", 0),
                                      ("reset", "on", 1), ("cycle", "on", 1), ("reboot", "on", 1),
                                      ("off", "off", 1), ("off", "off", 0), ("reboot", "on", 1)):
            boots = fleet.device(n)["boots"]
            act(fleet, [verb], n, wanted, state=wanted, changed=bool(changed))
            sent += changed
            same(fleet.counters(n)["set_power"], sent, f"{verb} of {profiles[n]}")
            same(fleet.device(n)["boots"] - boots, int(changed and wanted == "on"), verb)
        fleet.blameless(n, but=("r400",) if profiles[n] == "8" else ())


@test
def power_soft(lab):
    """off --soft, reboot --soft and sleep ask the operating system, where the firmware can"""
    fleet, profiles = every_profile(lab, False)
    for n in list(profiles)[1:]:
        fleet.set(n, power="on")
        boots = fleet.device(n)["boots"]
        act(fleet, ["reboot", "--soft"], n, "on", state="on", changed=True)
        same(fleet.device(n)["boots"], boots + 1)
        act(fleet, ["off", "--soft"], n, "off", state="off", changed=True)
        fleet.set(n, power="on")
        act(fleet, ["sleep"], n, "sleep", confirmed="accepted", changed=True)
        good(lab.run("status", f"a{n}"), f"a{n}: sleep")
        act(fleet, ["on"], n, "on", state="on")
        fleet.blameless(n)


@test
def power_soft_deaf(lab):
    """off --soft of an OS that does not listen: timeout; with --force-after it is off hard"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:os_agent=0", timeouts="soft: 1s")
    r = bad(lab.run("--json", "off", "--soft", "a1"), 1)
    has(error_of(r)[1], "still reads on")
    same(error_of(r)[0], "timeout")
    same(fleet.device()["power_word"], "on")
    lab.run("off", "--soft", "--force-after", "300ms", "--timeout", "20s", "a1")
    same(fleet.device()["power_word"], "off")


@test
def power_nmi(lab):
    """nmi reaches the machine once; where it cannot be done that is said and nothing changes"""
    fleet, profiles = every_profile(lab, False)
    fleet.set("all", power="on")
    for n, profile in profiles.items():
        r = lab.run("nmi", f"a{n}")
        if profile in ("8", "11"):
            same(r.status, 1, r)
        else:
            good(r, f"a{n}: accepted")
        same(fleet.counters(n)["nmi"], int(profile not in ("8", "11")), profile)
        same(fleet.device(n)["power_word"], "on")


@test
def power_illegal(lab):
    """what a state does not allow is a state error, exit 1, and nothing was done"""
    fleet = Fleet(lab)
    for state, words in (("off", ["reset"]), ("off", ["cycle"]), ("sleep", ["reset"]),
                         ("hibernate", ["reset"]), ("hibernate", ["cycle"]),
                         ("hibernate", ["off"]), ("sleep", ["off", "--soft"])):
        fleet.cold(state)
        r = bad(lab.run("--json", *words, "a1"), 1)
        same(error_of(r)[0], "state", f"{words} from {state}: {r}")
        assert r.json[0]["state"] != "off" or state == "off", r
        same((fleet.device()["power_word"], fleet.counters()["set_power"]), (state, 0), words)
    for words in (["nmi"], ["sleep"]):
        fleet.cold("off")
        r = bad(lab.run("--json", *words, "a1"), 1)
        assert error_of(r)[0] in ("state", "refused"), r
        same((fleet.device()["power_word"], fleet.counters()["set_power"]), ("off", 0), words)


@test
def power_from_sleep(lab):
    """from sleep: status says so, on wakes, off is off, cycle restarts; hibernate wakes too"""
    fleet = Fleet(lab)
    for state, words, wanted in (("sleep", ["on"], "on"), ("sleep", ["off"], "off"),
                                 ("sleep", ["reboot"], "on"), ("hibernate", ["on"], "on"),
                                 ("hibernate", ["reboot"], "on"),
                                 ("off", ["reset", "--on-if-off"], "on")):
        fleet.cold(state)
        good(lab.run("status", "a1"), f"a1: {state}")
        good(lab.run(*words, "a1"), f"a1: {wanted}")
        same((fleet.device()["power_word"], fleet.counters()["set_power"]), (wanted, 1), words)


def booted_or_refused(fleet, r):
    """What a wake-up alone is not: a boot from the network. To say so is as good."""
    if r.status:
        same((error_of(r)[0], fleet.counters()["set_power"]), ("state", 0), r)
    else:
        same(fleet.device()["last_boot"], "pxe", r)


@test
def power_pxeboot_from_sleep(lab):
    """pxeboot of a sleeping machine boots it from the network, not merely wakes it"""
    fleet = Fleet(lab)
    fleet.cold("sleep")
    booted_or_refused(fleet, lab.run("--json", "pxeboot", "a1"))


@test
def power_pxeboot_from_standby(lab):
    """pxeboot of a machine in modern standby boots it from the network"""
    fleet = Fleet(lab, "--state", "on", timeouts=QUICK)
    fleet.set(1, os_saving=3)
    booted_or_refused(fleet, lab.run("--json", "pxeboot", "a1"))


@test
def power_standby(lab):
    """modern standby: hardware on, status says sleep, on wakes the OS, on old firmware not asked"""
    fleet, profiles = every_profile(lab, False)
    fleet.set("all", power="on")
    for n in list(profiles)[2:]:
        fleet.set(n, os_saving=3)
        good(lab.run("status", f"a{n}"), f"a{n}: sleep")
        act(fleet, ["on"], n, "on", state="on", changed=True)
        same(fleet.device(n)["os_saving"], 2, profiles[n])
        good(lab.run("status", f"a{n}"), f"a{n}: on")
    good(lab.run("status", "a1"), "a1: on")
    same(fleet.device(1)["calls"], 2, "firmware 8: what it lacks was asked for once")
    good(lab.run("status", "a1"), "a1: on")
    same(fleet.device(1)["calls"], 3, "firmware 8: ... and is remembered")


@test
def power_no_wait(lab):
    """--no-wait ends when the machine has accepted, long before it is done"""
    fleet = Fleet(lab, "--set", "all:transition_ms=30000")
    for verb, state in (("on", "off"), ("off", "on"), ("reboot", "on"), ("reset", "on"),
                        ("pxeboot", "off")):
        fleet.cold(state)
        with took(most=20):
            good(lab.run(verb, "--no-wait", "a1"), "a1: accepted")
        same(fleet.device()["changing"], True)
        same(fleet.device()["power_word"], state)
        same(fleet.counters()["set_power"], 1)


@test
def power_slow(lab):
    """slow transitions are waited for; what is read meanwhile is not taken for the end"""
    fleet = Fleet(lab, timeouts=QUICK)
    for reads_as in (0, 5):
        for verb, state, wanted in (("on", "off", "on"), ("off", "on", "off"),
                                    ("cycle", "on", "on")):
            fleet.cold(state)
            fleet.set(1, transition_ms=600, transition_state=reads_as)
            with took(least=0.6 if verb != "cycle" or reads_as else 0.1):
                good(lab.run(verb, "a1"), f"a1: {wanted}")
            same(fleet.counters()["set_power"], 1, verb)
            assert not fleet.device()["changing"], verb


@test
def power_reboot_seen(lab):
    """a reboot whose way through off was seen is confirmed as seen"""
    fleet = Fleet(lab, "--state", "on", timeouts=QUICK)
    fleet.set(1, transition_ms=900)
    r = act(fleet, ["reboot"], 1, "on", state="on", confirmed="seen")
    same(fleet.counters()["set_power"], 1, r)
    fleet.set(1, transition_ms=0)
    act(fleet, ["reboot"], 1, "on", state="on", confirmed="accepted")


@test
def power_wait(lab):
    """wait off ends when the machine is off, and sends nothing but questions"""
    fleet = Fleet(lab, "--state", "on")
    proc = lab.start("wait", "off", "a1", stdout=PIPE, text=True)
    until("it was asked twice", lambda: fleet.device()["log"].count(GET) >= 2)
    same(proc.poll(), None, "it waits")
    fleet.set(1, power="off")
    same((proc.communicate(timeout=30)[0], proc.returncode), ("a1: off\n", 0))
    same(fleet.counters()["set_power"], 0)


@test
def power_lying(lab):
    """a machine that says on for ever: off is a timeout, exit 1, and never the word off"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:lie_state=2", timeouts="confirm: 800ms")
    r = bad(lab.run("off", "a1"), 1, "a1: error: timeout:", "still reads on")
    assert not re.search(r"a1: off", r.out), r
    fleet.set(1, power="on")
    r = lab.run("--json", "off", "a1")
    same((r.json[0]["ok"], error_of(r)[0]), (False, "timeout"), r)
    assert r.json[0]["state"] != "off", r
    fleet.set(1, power="off", lie_state=8)
    r = bad(lab.run("on", "a1"), 1, "a1: error: timeout:", "still reads off")
    assert "a1: on" not in r.out, r


@test
def power_nonsense_state(lab):
    """a state that nobody knows is unknown, not off; off then does not succeed"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:lie_state=9", timeouts="confirm: 800ms")
    r = lab.run("status", "a1")
    assert r.out.startswith("a1: unknown"), r
    same(lab.run("off", "a1").status, 1)
    same(fleet.counters()["requests"] > 0, True)


@test
def power_answer_lost_on(lab):
    """the answer to on or off is lost: the state is read, the request not sent twice"""
    fleet = Fleet(lab, timeouts=QUICK)
    for verb, state in (("on", "off"), ("off", "on")):
        fleet.cold(state)
        fleet.set(1, lose_power_answer=1)
        good(lab.run(verb, "a1"), f"a1: {verb}")
        same((fleet.counters()["set_power"], fleet.device()["power_word"]), (1, verb), verb)


@test
def power_answer_lost_slow(lab):
    """the answer to on is lost and it takes its time: still sent once"""
    fleet = Fleet(lab, timeouts=QUICK)
    fleet.set(1, lose_power_answer=1, transition_ms=700)
    good(lab.run("on", "a1"), "a1: on")
    same(fleet.counters()["set_power"], 1)


@test
def power_answer_lost_restart(lab):
    """the answer to reset, reboot or pxeboot is lost, it reads on: outcome_unknown, never resent"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:lose_power_answer=1", devices=5,
                  timeouts=QUICK + ", verify: 3s")
    verbs = (["reset"], ["reboot"], ["cycle"], ["pxeboot"], ["reboot", "--soft"])
    running = [lab.start("--json", *verb, f"a{n}", stdout=PIPE, text=True)
               for n, verb in enumerate(verbs, 1)]
    for n, proc in enumerate(running, 1):
        out = proc.communicate(timeout=60)[0]
        same((proc.returncode, json.loads(out)["error"]["class"]), (1, "outcome_unknown"), out)
        same(fleet.counters(n)["set_power"], 1, verbs[n - 1])


@test
def power_answer_lost_seen(lab):
    """the answer to a reboot is lost, but it was seen off: it succeeds, as seen"""
    fleet = Fleet(lab, timeouts=QUICK)
    fleet.cold("on")
    fleet.set(1, lose_power_answer=1, transition_ms=1500)
    act(fleet, ["reboot"], 1, "on", state="on", confirmed="seen")
    same(fleet.counters()["set_power"], 1)


@test
def power_answer_lost_soft(lab):
    """the answer to off --soft is lost: sent once, off when it reads off"""
    fleet = Fleet(lab, "--state", "on", timeouts=QUICK + ", soft: 5s")
    fleet.set(1, lose_power_answer=1)
    good(lab.run("off", "--soft", "a1"), "a1: off")
    same(fleet.counters()["set_power"], 1)


@test
def power_refused(lab):
    """the machine's no is told in words, with its number, and not repeated"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:refuse_action=any:1")
    r = bad(lab.run("--json", "reset", "a1"), 1)
    kind, message = error_of(r)
    assert kind in ("refused", "unsupported"), r
    assert re.search("[a-z]{4,} [a-z]", message), f"words: {message}"
    same((fleet.counters()["set_power"], fleet.counters()["refused_power"]), (0, 1), r)
    fleet.reset()
    fleet.set(1, refuse_action="8:2")
    r = bad(lab.run("off", "a1"), 1)
    assert "a1: off" not in r.out and fleet.device()["power_word"] == "on", r
    same(fleet.counters()["set_power"], 0)


# --- Boot. -----------------------------------------------------------------------------------


def power_log(fleet, n=1):
    """What was called, but for questions about power."""
    return [call for call in fleet.device(n)["log"] if not call.endswith("ManagementService.Get")]


@test
def boot_devices(lab):
    """boot pxe, disk, cd, bios, diag: from off and from on, on every firmware"""
    fleet, profiles = every_profile(lab, False)
    fleet.set("all", diag_source=1)
    for device in ("pxe", "disk", "cd", "bios", "diag"):
        for state in ("off", "on"):
            fleet.cold(state)
            good(lab.run("boot", device, "-a"), *lines(profiles, "on"))
            for n, profile in profiles.items():
                same(fleet.device(n)["last_boot"], device, f"{device} from {state} on {profile}")
                same(fleet.counters(n)["set_power"], 1, profile)
                fleet.blameless(n)


@test
def boot_once(lab):
    """a boot device holds for one start only"""
    fleet = Fleet(lab)
    good(lab.run("pxeboot", "a1"), "a1: on")
    same(fleet.device()["last_boot"], "pxe")
    good(lab.run("reboot", "a1"), "a1: on")
    assert fleet.device()["last_boot"] != "pxe", fleet.device()["last_boot"]


@test
def boot_order_of_calls(lab):
    """Get, clear the order, Put, arm, set the order, then power: exactly"""
    fleet = Fleet(lab)
    for state in ("off", "on"):
        fleet.cold(state)
        good(lab.run("pxeboot", "a1"), "a1: on")
        same(power_log(fleet), BOOT_CALLS + [POWER], state)
        same(fleet.device()["log"][0], GET)


@test
def boot_confirmed(lab):
    """pxeboot from on says in JSON that the override was used, or that it was accepted"""
    fleet = Fleet(lab, "--state", "on")
    r = act(fleet, ["pxeboot"], 1, "on", state="on", changed=True)
    assert r.json[0]["confirmed"] in ("seen", "accepted"), r


@test
def boot_http(lab):
    """boot http: over TLS on 15 and 16.1, with its URL; elsewhere unsupported and untouched"""
    fleet, profiles = every_profile(lab, True)
    url = "https://boot.example.org/images/rescue.efi"
    for n, profile in profiles.items():
        r = lab.run("--json", "boot", "http", "--no-url-check", "--url", url, f"a{n}")
        if profile in ("15", "16.1"):
            same(r.status, 0, r)
            same((fleet.device(n)["last_boot"], fleet.device(n)["last_url"]), ("http", url), r)
        else:
            same((r.status, error_of(r)[0]), (1, "unsupported"), r)
            same((fleet.counters(n)["set_power"], fleet.counters(n)["put_boot"]), (0, 0), r)


@test
def boot_http_plain(lab):
    """boot http without TLS is unsupported and says why; nothing changed"""
    fleet = Fleet(lab, "--profile", "15")
    r = bad(lab.run("--json", "boot", "http", "--url", "https://x.example/y.efi", "a1"), 1)
    same(error_of(r)[0], "unsupported", r)
    has(error_of(r)[1], "TLS")
    same((fleet.counters()["set_power"], fleet.counters()["put_boot"]), (0, 0), r)


@test
def boot_not_offered(lab):
    """usb, a persistent device, legacy or UEFI: unsupported in words, no power action"""
    fleet = Fleet(lab)
    for words in (["usb"], ["--persistent", "pxe"], ["--legacy", "pxe"], ["--uefi", "pxe"],
                  ["diag"]):
        fleet.reset()
        r = bad(lab.run("--json", "boot", *words, "a1"), 1)
        assert error_of(r)[0] in ("unsupported", "refused"), r
        same(fleet.counters()["set_power"], 0, r)
        same(fleet.device()["power_word"], "off")


@test
def bootdev_held(lab):
    """bootdev is held, says so, costs no request, and is applied by the next start, once"""
    fleet = Fleet(lab)
    for verb, state in (("on", "off"), ("reboot", "on"), ("reset", "on"), ("cycle", "on")):
        fleet.cold(state)
        r = lab.run("bootdev", "pxe", "a1")
        same(r.status, 0, r)
        has(r.out, "a1: ok: held")
        same(fleet.counters()["requests"], 0, "nothing was sent")
        good(lab.run(verb, "a1"), "a1: on")
        same(fleet.device()["last_boot"], "pxe", verb)
        same(power_log(fleet), BOOT_CALLS + [POWER], verb)
        good(lab.run("reboot", "a1"), "a1: on")
        assert fleet.device()["last_boot"] != "pxe", f"{verb}: applied twice"
        fleet.blameless()


@test
def bootdev_held_asleep(lab):
    """on merely wakes a sleeping machine: what is held stays held and nothing is left armed"""
    fleet = Fleet(lab)
    fleet.cold("sleep")
    lab.run("bootdev", "pxe", "a1")
    r = lab.run("on", "a1")
    if fleet.device()["last_boot"] != "pxe":
        same(fleet.device()["role_armed"], False, r)
        has(lab.run("bootdev", "--show", "a1").out, "held: true")


def by_hand(fleet, *bodies):
    """Sends requests with curl: what is set then, this driver did not set."""
    port, _ = fleet.ports(1)
    for body in bodies:
        a = curl(SimpleNamespace(url=lambda *_: f"http://127.0.0.1:{port}/wsman"), body)
        same((a.code, a.value("ReturnValue")), (200, "0"), a.raw)


@test
def bootdev_show(lab):
    """bootdev --show: what is held, what the machine itself has, and none"""
    fleet = Fleet(lab)

    def shown():
        r = lab.run("--json", "bootdev", "--show", "a1")
        same(r.status, 0, r)
        return r.json[0]["result"]["device"], r.json[0]["result"]["held"]

    def cleared():
        same(lab.run("bootdev", "none", "a1").status, 0)
        same(shown(), ("none", False))

    same(shown(), ("none", False))
    lab.run("bootdev", "cd", "a1")
    same(shown(), ("cd", True))
    cleared()
    for device in ("pxe", "disk", "bios"):
        fleet.set(1, refuse_action="any:2")  # the override is set, the start refused
        bad(lab.run("boot", device, "a1"), 1)
        same(shown(), (device, False))
        fleet.set(1, refuse_action="no")
        cleared()


@test
def bootdev_show_by_others(lab):
    """bootdev --show: what somebody else has armed, however long the list and its pages"""
    fleet = Fleet(lab)
    sources = {"pxe": "PXE", "disk": "Hard-drive", "cd": "CD/DVD"}
    for profile, batch in (("8", 0), ("12", 1), ("15", 2)):
        fleet.forget()
        fleet.set(1, profile=profile, pull_batch=batch)
        for device, name in sources.items():
            source = f"Intel(r) AMT: Force {name} Boot"
            by_hand(fleet, boot_order(source), boot_role(1))
            for _ in range(2):
                r = lab.run("--json", "bootdev", "--show", "a1")
                same(r.status, 0, r)
                got = r.json[0]["result"]
                same((got["device"], got["held"]), (device, False), f"{profile}: {r}")
            same((fleet.device()["armed"], fleet.counters()["set_power"]), (device, 0))
        by_hand(fleet, boot_role(32768))
        has(lab.run("bootdev", "--show", "a1").out, "device: none")
        by_hand(fleet, boot_role(1))
        same(lab.run("bootdev", "none", "a1").status, 0)
        has(lab.run("bootdev", "--show", "a1").out, "device: none")
        same((fleet.device()["armed"], fleet.device()["source"]), (None, None))


@test
def bootdev_none(lab):
    """bootdev none takes back what is held, and clears what the machine has"""
    fleet = Fleet(lab)
    lab.run("bootdev", "pxe", "a1")
    same(lab.run("bootdev", "none", "a1").status, 0)
    good(lab.run("on", "a1"), "a1: on")
    assert fleet.device()["last_boot"] != "pxe"
    fleet.set(1, refuse_action="any:2", power="off")
    bad(lab.run("pxeboot", "a1"), 1)
    fleet.set(1, refuse_action="no")
    same(lab.run("bootdev", "none", "a1").status, 0)
    same((fleet.device()["role_armed"], fleet.device()["source"]), (False, None))
    good(lab.run("on", "a1"), "a1: on")
    assert fleet.device()["last_boot"] != "pxe"


@test
def boot_stale_source(lab):
    """a source that survived the last boot is cleared before the next device is set"""
    fleet, profiles = every_profile(lab, False)
    fleet.set("all", keep_source=1)
    good(lab.run("pxeboot", "-a"), *lines(profiles, "on"))
    for n in profiles:
        has(fleet.device(n)["source"] or "", "PXE")
    for device in ("bios", "disk", "pxe"):
        good(lab.run("boot", device, "-a"), *lines(profiles, "on"))
        for n, profile in profiles.items():
            same(fleet.device(n)["last_boot"], device, profile)


@test
def boot_consent(lab):
    """where the user has to agree: a consent error, no power action, nothing armed"""
    fleet = Fleet(lab, devices=2)
    fleet.set(1, consent="all")
    fleet.set(2, ccm=1)
    for n in (1, 2):
        r = bad(lab.run("--json", "pxeboot", f"a{n}"), 1)
        same(error_of(r)[0], "consent", r)
        d = fleet.device(n)
        same((d["power_word"], d["role_armed"], d["source"]), ("off", False, None), r)
        same(d["counters"]["set_power"], 0, r)
        # The second time it is known, and nothing is even tried.
        fleet.reset()
        same(error_of(lab.run("--json", "pxeboot", f"a{n}"))[0], "consent")
        same((fleet.counters(n)["put_boot"], fleet.counters(n)["set_power"]), (0, 0))
        good(lab.run("on", f"a{n}"), f"a{n}: on")


@test
def boot_consent_lied(lab):
    """firmware that takes all without consent and does nothing: known from info, a consent error"""
    fleet = Fleet(lab, "--set", "all:ccm=1", "--set", "all:consent_lies=1")
    same(lab.run("info", "a1").status, 0)
    r = bad(lab.run("--json", "pxeboot", "a1"), 1)
    same((error_of(r)[0], fleet.counters()["set_power"]), ("consent", 0), r)


@test
def boot_dry_run(lab):
    """--dry-run says what would be sent and changes nothing"""
    fleet = Fleet(lab)
    r = lab.run("pxeboot", "--dry-run", "a1")
    same(r.status, 0, r)
    has(r.out, "would")
    same((fleet.counters()["set_power"], fleet.counters()["put_boot"]), (0, 0), r)
    assert set(fleet.device()["log"]) <= {GET}, fleet.device()["log"]


# --- Info. -----------------------------------------------------------------------------------


@test
def info_every_profile(lab):
    """info: every field on every firmware, as the machine has it"""
    fleet, profiles = every_profile(lab, True)
    r = lab.run("--json", "info", "--sort", "-a")
    same(r.status, 0, r)
    versions = {"8": "8.0.3.1427", "11": "11.8.50.3425", "12": "12.0.67.1579",
                "15": "15.0.42.2235", "16.1": "16.1.25.1917"}
    for (n, profile), line in zip(profiles.items(), r.json):
        got, d = line["result"], fleet.device(n)
        same((got["uuid"], got["digest_realm"]), (d["uuid"], d["realm"]), profile)
        same(got["firmware"]["version"], versions[profile], profile)
        same(got["security"]["tls"], True, profile)
        same(got["security"]["cve_2017_5689"],
             {"8": "vulnerable", "11": "fixed"}.get(profile, "not affected"), profile)
        same((got["vendor"], got["product"]), ("Intel", "Intel AMT"))
        same((got["control_mode"], got["provisioning_state"]), ("acm", "post"), profile)
        same((got["hostname"], got["power_source"], got["user_consent"]),
             (f"amtsim{n}", "ac", "none"), profile)
        assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", got["mac"]), profile
        assert got["firmware"]["sku"], profile
        fleet.blameless(n, but=("r400",))


@test
def info_human(lab):
    """info for people: the flag stands in it; consent and mode as they are"""
    fleet = Fleet(lab, "--profile", "8", "--state", "on", "--set", "all:ccm=1")
    r = lab.run("info", "a1")
    same(r.status, 0, r)
    for part in ("cve_2017_5689: vulnerable", "version: 8.0.3.1427", "tls: false",
                 "user_consent: all"):
        has(r.out, part)
    same(fleet.device()["power_word"], "on")


@test
def info_missing_classes(lab):
    """info where the firmware refuses the list of versions, or has no KVM: the rest is there"""
    fleet = Fleet(lab, "--set", "all:no_software_identity=1", "--set", "all:no_kvm=1")
    r = lab.run("--json", "info", "a1")
    same(r.status, 0, r)
    same(r.json[0]["result"]["firmware"]["version"].split(".")[0], "12", r)
    same(r.json[0]["result"]["uuid"], fleet.device()["uuid"])


@test
def info_pull_styles(lab):
    """info whatever way the firmware ends its lists, with one item a time or all"""
    fleet = Fleet(lab, devices=6)
    for n, (batch, style) in enumerate(
            ((b, s) for b in (0, 1) for s in ("normal", "both", "late")), 1):
        fleet.set(n, pull_batch=batch, pull_style=style)
    r = lab.run("--json", "info", "-a")
    same(r.status, 0, r)
    for line in r.json:
        same(line["result"]["firmware"]["version"], "12.0.67.1579", line)


if __name__ == "__main__":
    main()
