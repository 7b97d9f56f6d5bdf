#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl against stand-ins of Redfish services: every verb, every vendor's peculiarities."""
import re

from lib import bad, error_of, good, has, main, same, test
from redfishlib import IDS, PASSWORD, PROFILES, USER, RedfishFleet

LOGIN = "POST /redfish/v1/SessionService/Sessions"
# Nothing of a polite client; what vendors refuse without being told how is counted apart.
NEVER = ("pipelined", "logins_bad", "basic_bad", "token_bad", "r404", "r405")


def fleet_of_all(lab, *args, **how):
    """One service of each vendor, r1 .. r8 in the order of PROFILES."""
    sets = [word for n, profile in enumerate(PROFILES, 1)
            for word in ("--set", f"{n}:profile={profile}")]
    return RedfishFleet(lab, *sets, *args, devices=len(PROFILES), **how)


ALL = f"r[1-{len(PROFILES)}]"


def nodes(word):
    return [f"r{n}: {word}" for n in range(1, len(PROFILES) + 1)]


def number(profile):
    return PROFILES.index(profile) + 1


def polite(fleet, but=()):
    """No service saw what a client must not do, and all its sessions were ended."""
    for n in range(1, fleet.size + 1):
        device = fleet.device(n)
        counters = device["counters"]
        odd = {k: counters[k] for k in NEVER if k not in but and counters[k]}
        same(odd, {}, f"{device['profile']}: {device['log']}")
        same(device["sessions"], 0, f"sessions left at {device['profile']}: {device['log']}")
        assert counters["peak_connections"] <= 1, counters


# --- What it costs. -----------------------------------------------------------------------------

@test
def warm_status_is_one_request(lab):
    """The way to the system is remembered: a second status is one request, with a Basic login"""
    fleet = fleet_of_all(lab, "--state", "on")
    good(lab.run("status", ALL), *nodes("on"))
    paths = [fleet.log(n)[-1] for n in range(1, fleet.size + 1)]
    fleet.reset()
    good(lab.run("status", ALL), *nodes("on"))
    for n, path in enumerate(paths, 1):
        counters = fleet.counters(n)
        same((counters["requests"], counters["basic"], counters["logins"]), (1, 1, 0), path)
        same(fleet.log(n), [path])


@test
def sessions_are_ended(lab):
    """What changes a machine logs in once, and ends its session"""
    fleet = fleet_of_all(lab)
    good(lab.run("on", ALL), *nodes("on"))
    for n in range(1, fleet.size + 1):
        counters = fleet.counters(n)
        same((counters["logins"], counters["logouts"], counters["basic"]), (1, 1, 0),
             fleet.log(n))
        assert fleet.log(n)[-1].startswith("DELETE "), fleet.log(n)
    polite(fleet)


@test
def chosen_logins(lab):
    """auth: session and auth: basic do what they say"""
    fleet = RedfishFleet(lab, "--state", "on", settings="auth: session")
    good(lab.run("status", "r1"), "r1: on")
    counters = fleet.counters()
    same((counters["logins"], counters["logouts"], counters["basic"]), (1, 1, 0))
    fleet.inventory(settings="auth: basic")
    fleet.reset()
    good(lab.run("reboot", "r1"), "r1: on")
    counters = fleet.counters()
    same((counters["logins"], counters["basic"] > 2), (0, True))
    fleet.set(1, auth="basic")
    fleet.inventory(settings="auth: session")
    fleet.forget()
    same(error_of(bad(lab.run("--json", "status", "r1"), 1))[0], "unsupported")


@test
def sessions_for_longer_waits(lab):
    """A wait polls with Basic logins only a few times"""
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:transition_ms=1500")
    lab.run("off", "--no-wait", "r1")
    fleet.reset()
    good(lab.run("wait", "off", "r1"), "r1: off")
    counters = fleet.counters()
    assert counters["basic"] <= 3 and counters["logins"] <= 1, counters
    polite(fleet)


# --- Power. -------------------------------------------------------------------------------------

@test
def power_of_all(lab):
    """on, off, reboot, reset and cycle with every vendor"""
    fleet = fleet_of_all(lab, timeouts="outage: 300ms")
    good(lab.run("status", ALL), *nodes("off"))
    good(lab.run("on", ALL), *nodes("on"))
    good(lab.run("on", ALL), *nodes("on"))
    same([fleet.counters(n)["reset_on"] for n in range(1, 9)], [1] * 8)
    good(lab.run("reset", ALL), *nodes("on"))
    same([fleet.counters(n)["reset_restart"] for n in range(1, 9)], [1] * 8)
    good(lab.run("reboot", ALL), *nodes("on"))
    good(lab.run("cycle", ALL), *nodes("on"))
    for n, profile in enumerate(PROFILES, 1):
        counters = fleet.counters(n)
        # Where there is no PowerCycle it is off and on.
        cycles = profile in ("dmtf", "dell", "ami", "openbmc")
        same((counters["reset_cycle"], counters["reset_off"]), (2, 0) if cycles else (0, 2), profile)
    good(lab.run("off", ALL), *nodes("off"))
    bad(lab.run("cycle", ALL), 1, *[f"r{n}: error: state: " for n in range(1, 9)])
    bad(lab.run("reset", ALL), 1, *[f"r{n}: error: state: " for n in range(1, 9)])
    same([fleet.device(n)["power"] for n in range(1, 9)], ["off"] * 8)
    polite(fleet)


@test
def soft_power(lab):
    """off --soft and reboot --soft ask the operating system, where the service has that"""
    fleet = fleet_of_all(lab, "--state", "on", "--set", "all:soft_ms=200")
    gen9 = number("hpe-gen9")
    others = ",".join(f"r{n}" for n in range(1, 9) if n != gen9)
    good(lab.run("reboot", "--soft", others), *[f"r{n}: on" for n in range(1, 9) if n != gen9])
    good(lab.run("off", "--soft", others), *[f"r{n}: off" for n in range(1, 9) if n != gen9])
    same(sum(fleet.counters(n)["reset_soft_off"] for n in range(1, 9)), 7)
    same(sum(fleet.counters(n)["reset_off"] for n in range(1, 9)), 0)
    caps = lab.run("caps", "--json", f"r{gen9}").json[0]["result"]
    same(("soft_off" in caps["power"], "soft_off" in caps.get("power_lacks", [])), (True, False), "not refused yet")
    bad(lab.run("off", "--soft", f"r{gen9}"), 1,
        f"r{gen9}: error: unsupported: this device has no 'soft_off', in whatever state")
    caps = lab.run("caps", "--json", f"r{gen9},r1").json
    by_name = {c["node"]: c["result"] for c in caps}
    same("soft_off" in by_name[f"r{gen9}"]["power_lacks"], True, caps)
    same("soft_off" in by_name[f"r{gen9}"]["power"], False, caps)
    same("soft_off" in by_name["r1"]["power"], True, caps)
    same(by_name["r1"]["console"], True, caps)
    for n, profile in enumerate(PROFILES, 1):
        slash = "/" if "hpe" in profile else ""  # without it the answer is 308
        boot = fleet.get(fleet.system_path(n) + slash, n)["Boot"]
        listed = boot.get("BootSourceOverrideTarget@Redfish.AllowableValues")
        caps = lab.run("caps", "--json", f"r{n}").json[0]["result"]
        same("http" in caps["boot_once"], not listed or "UefiHttp" in listed, profile)
        same("http" in caps.get("boot_lacks", ""), bool(listed) and "UefiHttp" not in listed, profile)
    same("console" in lab.run("drivers", "--json", "redfish").json[0]["abilities"], True)
    same(fleet.device(gen9)["power"], "on")
    fleet.set(1, os_agent=0, power="on")
    good(lab.run("off", "--soft", "--force-after", "1s", "r1"),
         "r1: off: did not shut down in time: turned off hard")


@test
def nmi_and_sleep(lab):
    """nmi where there is it; a paused machine sleeps, and "on" resumes it"""
    fleet = fleet_of_all(lab, "--state", "on")
    good(lab.run("nmi", "r1"), "r1: accepted")
    same(fleet.counters(1)["reset_nmi"], 1)
    ami = f"r{number('ami')}"
    bad(lab.run("nmi", ami), 1, f"{ami}: error: unsupported: this system has no ResetType for 'nmi'")
    good(lab.run("sleep", "r1"), "r1: accepted")
    good(lab.run("status", "r1"), "r1: sleep")
    good(lab.run("on", "r1"), "r1: on")
    same(fleet.device(1)["last_reset"], "Resume")


@test
def transitions_are_no_state(lab):
    """PoweringOff is never off, and null is unknown"""
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:transition_ms=60000")
    good(lab.run("off", "--no-wait", "r1"), "r1: accepted")
    same(fleet.device()["power_shown"], "PoweringOff")
    result = lab.run("--json", "status", "r1").json[0]
    same(result["state"], "unknown")
    fleet.set(1, lie_state="null")
    same(lab.run("--json", "status", "r1").json[0]["state"], "unknown")
    fleet.set(1, lie_state="paused")
    good(lab.run("status", "r1"), "r1: sleep")


@test
def off_is_seen(lab):
    """off ends when the hardware says so, over PoweringOff and a state that stays behind"""
    for shows in ("old", "transition", "null"):
        fleet = RedfishFleet(lab, "--state", "on", "--set", "all:transition_ms=700", "--set",
                             f"all:shows={shows}")
        good(lab.run("off", "r1"), "r1: off")
        same((fleet.device()["power"], fleet.counters()["reset_off"]), ("off", 1), shows)
        good(lab.run("on", "r1"), "r1: on")
        same((fleet.device()["power"], fleet.counters()["reset_on"]), ("on", 1), shows)
        fleet.forget()


@test
def busy_after_off(lab):
    """A 409 to "on" just after an off is waited out"""
    fleet = fleet_of_all(lab, "--set", "all:off_busy_ms=2000", "--state", "on")
    good(lab.run("off", ALL), *nodes("off"))
    good(lab.run("on", ALL), *nodes("on"))
    assert sum(fleet.counters(n)["resets_refused"] for n in range(1, 9)) >= 8
    same([fleet.counters(n)["reset_on"] for n in range(1, 9)], [1] * 8)


@test
def refused_resets(lab):
    """A reset that is refused, ignored or lost is told as what it is"""
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:refuse_reset=403",
                         timeouts="verify: 3s")
    same(error_of(bad(lab.run("--json", "off", "r1"), 1))[0], "forbidden")
    fleet.set(1, refuse_reset=400)
    same(error_of(bad(lab.run("--json", "off", "r1"), 1))[0], "refused")
    fleet.set(1, refuse_reset=500)
    bad(lab.run("off", "r1"), 1, "r1: error: ")
    same(fleet.device()["power"], "on")
    fleet.set(1, refuse_reset=0, ignore_reset=1)
    error = error_of(bad(lab.run("--timeout", "3s", "--json", "off", "r1"), 1))
    assert error[0] in ("timeout", "outcome_unknown"), error
    fleet.set(1, ignore_reset=0, lose_reset_answer=1)
    good(lab.run("off", "r1"), "r1: off")
    same(fleet.counters()["resets_unsaid"], 1)
    good(lab.run("on", "r1"), "r1: on")
    fleet.reset()
    fleet.set(1, lose_reset_answer=1)
    lab.run("--timeout", "15s", "cycle", "r1")
    same(fleet.counters()["reset_cycle"], 1, "never sent twice")


@test
def tasks(lab):
    """What is answered 202 is followed for a while; a task that fails says why"""
    fleet = fleet_of_all(lab, "--set", "all:tasks=all", "--set", "all:task_ms=300")
    good(lab.run("on", ALL), *nodes("on"))
    same([fleet.counters(n)["r202"] > 0 for n in range(1, 9)], [True] * 8)
    good(lab.run("bootdev", "pxe", ALL), *nodes("ok"))
    good(lab.run("reset", ALL), *nodes("on"))
    same([fleet.device(n)["last_boot"] for n in range(1, 9)], ["Pxe"] * 8)
    fleet.set(1, task_fails=1)
    has(bad(lab.run("off", "r1"), 1).out, "r1: error: refused: it refused ForceOff: ")
    polite(fleet)


# --- Boot. --------------------------------------------------------------------------------------

@test
def pxeboot_of_all(lab):
    """pxeboot works with every vendor, on and off, and for one start only"""
    fleet = fleet_of_all(lab)
    good(lab.run("pxeboot", ALL), *nodes("on"))
    for n in range(1, 9):
        same((fleet.device(n)["last_boot"], fleet.device(n)["override"]), ("Pxe", "Disabled"))
    good(lab.run("reset", ALL), *nodes("on"))
    same([fleet.device(n)["last_boot"] for n in range(1, 9)], ["None"] * 8)
    good(lab.run("pxeboot", ALL), *nodes("on"))
    same([fleet.device(n)["last_boot"] for n in range(1, 9)], ["Pxe"] * 8)
    polite(fleet)


WORDS = {"disk": "Hdd", "cd": "Cd", "usb": "Usb", "bios": "BiosSetup", "diag": "Diags", "pxe": "Pxe"}


@test
def boot_devices(lab):
    """Every device that a vendor lists, shown as it was set, and cleared"""
    fleet = fleet_of_all(lab)
    lacking = {"usb": ("dell",), "diag": ("supermicro",)}
    for device, target in WORDS.items():
        for n, profile in enumerate(PROFILES, 1):
            result = lab.run("bootdev", device, f"r{n}")
            if profile in lacking.get(device, ()):
                bad(result, 1, f"r{n}: error: unsupported: this system does not list '{target}'",
                    "among its boot devices: it has None, Pxe")
                continue
            good(result, f"r{n}: ok")
            wanted = "Utilities" if (device, profile) == ("diag", "dell") else target
            shown = lab.run("bootdev", "--show", "--json", f"r{n}").json[0]["result"]
            same((shown["device"], shown["persistent"]), (device, False), profile)
            good(lab.run("on" if fleet.device(n)["power"] == "off" else "reset", f"r{n}"),
                 f"r{n}: on")
            same(fleet.device(n)["last_boot"], wanted, profile)
    good(lab.run("bootdev", "pxe", ALL), *nodes("ok"))
    good(lab.run("bootdev", "none", ALL), *nodes("ok"))
    same([lab.run("bootdev", "--show", "--json", f"r{n}").json[0]["result"]["device"]
          for n in range(1, 9)], ["none"] * 8)
    good(lab.run("reset", ALL), *nodes("on"))
    same([fleet.device(n)["last_boot"] for n in range(1, 9)], ["None"] * 8)


@test
def boot_modes(lab):
    """UEFI and legacy, where they can be chosen; a mode that was set stays as it is"""
    fleet = fleet_of_all(lab, "--state", "on")
    for mode, word in (("--uefi", "UEFI"), ("--legacy", "Legacy")):
        for n, profile in enumerate(PROFILES, 1):
            result = lab.run("boot", "pxe", mode, f"r{n}")
            if profile == "hpe-gen9":
                bad(result, 1, "error: unsupported: this system does not let the boot mode")
            elif profile == "hpe" and word == "Legacy":
                bad(result, 1, "error: refused: ")
            else:
                good(result, f"r{n}: on")
                same((fleet.device(n)["last_boot"], fleet.device(n)["last_mode"]), ("Pxe", word),
                     profile)
    # Supermicro's goes back to Legacy if it is not told each time.
    n = number("supermicro")
    good(lab.run("boot", "pxe", "--uefi", f"r{n}"), f"r{n}: on")
    good(lab.run("boot", "disk", f"r{n}"), f"r{n}: on")
    same(fleet.device(n)["last_mode"], "UEFI")


@test
def persistent_boot(lab):
    """For every start, where the vendor has that; http with its URL"""
    fleet = fleet_of_all(lab)
    for n, profile in enumerate(PROFILES, 1):
        result = lab.run("bootdev", "--persistent", "disk", f"r{n}")
        if profile in ("hpe", "hpe-gen9"):
            bad(result, 1, "error: unsupported: this system takes a boot device for the next start",
                "leave out --persistent")
            continue
        good(result, f"r{n}: ok")
        good(lab.run("on", f"r{n}"), f"r{n}: on")
        good(lab.run("reset", f"r{n}"), f"r{n}: on")
        same((fleet.device(n)["last_boot"], fleet.device(n)["override"]), ("Hdd", "Continuous"))
        same(lab.run("bootdev", "--show", "--json", f"r{n}").json[0]["result"]["persistent"], True)
    url = "http://boot.example/x.efi"
    for profile in ("dmtf", "dell", "lenovo"):
        n = number(profile)
        good(lab.run("boot", "http", "--url", url, f"r{n}"), f"r{n}: on")
        same((fleet.device(n)["last_boot"], fleet.device(n)["last_url"]), ("UefiHttp", url))
    bad(lab.run("boot", "http", "--url", url, f"r{number('openbmc')}"), 1, "error: unsupported")


@test
def boot_during_post(lab):
    """HPE refuses boot settings while the machine is in POST: they are tried again"""
    fleet = RedfishFleet(lab, "--set", "all:post_ms=1500", profile="hpe")
    good(lab.run("on", "r1"), "r1: on")
    good(lab.run("bootdev", "pxe", "r1"), "r1: ok")
    assert fleet.counters()["r400"] >= 1, fleet.counters()
    same(fleet.device()["target"], "Pxe")


@test
def quirks_by_hand(lab):
    """quirks: none makes of every vendor a general one, which finds its way by what is refused"""
    fleet = fleet_of_all(lab, "--state", "on", settings="quirks: none")
    good(lab.run("boot", "pxe", ALL), *nodes("on"))
    for n, profile in enumerate(PROFILES, 1):
        if profile != "supermicro":  # whose Mode it sets back
            same(fleet.device(n)["last_boot"], "Pxe", profile)
    good(lab.run("bootdev", "disk", ALL), *nodes("ok"))
    good(lab.run("bootdev", "none", ALL), *nodes("ok"))


@test
def etags(lab):
    """If-Match in every form that services want, and anew when somebody else was faster"""
    for kind in ("none", "strong", "weak", "body"):
        fleet = fleet_of_all(lab, "--set", f"all:etag={kind}", "--set", "all:etag_every=2")
        for device in ("pxe", "disk", "cd"):
            result = lab.run("bootdev", device, ALL)
            if kind == "none":  # then Lenovo's 428 has no way out
                continue
            good(result, *nodes("ok"))
            same([fleet.device(n)["target"] for n in range(1, 9) if PROFILES[n - 1] != "ami"],
                 [WORDS[device]] * 7, kind)
        fleet.forget()


# --- Which system. ------------------------------------------------------------------------------

@test
def several_systems(lab):
    """Several systems behind one service: each by its id, none by chance"""
    fleet = RedfishFleet(lab, systems=3, profile="dell")
    error = error_of(bad(lab.run("--json", "on", "r1"), 1))
    same(error[0], "config")
    for word in ("is not set", "/redfish/v1/Systems/System.Embedded.1",
                 "/redfish/v1/Systems/System.Embedded.3"):
        has(error[1], word)
    same([s["power"] for s in fleet.device()["systems"]], ["off"] * 3)
    port = fleet.ports(1)[0]
    fleet.inventory(more="".join(
        f"  s{n}: {{class: stand-in, address: 127.0.0.1, port: {port}, "
        f"system: System.Embedded.{n}}}\n" for n in (1, 2, 3, 4)))
    good(lab.run("on", "s2"), "s2: on")
    same([s["power"] for s in fleet.device()["systems"]], ["off", "on", "off"])
    good(lab.run("status", "s[1-3]"), "s1: off", "s2: on", "s3: off")
    good(lab.run("pxeboot", "s[1-3]"), "s1: on", "s2: on", "s3: on")
    error = error_of(bad(lab.run("--json", "status", "s4"), 1))
    same(error[0], "config")
    has(error[1], "there is no 'System.Embedded.4' here, but /redfish/v1/Systems/System.Embedded.1")
    bad(lab.run("status", "r1"), 1, "r1: unknown: config: ")
    # Warm, each is one request.
    fleet.reset()
    good(lab.run("status", "s3"), "s3: on")
    same(fleet.counters()["requests"], 1)


@test
def many_systems(lab):
    """A collection in pages; an error that lists the first few"""
    fleet = RedfishFleet(lab, "--set", "all:page=4", systems=11, profile="dmtf")
    error = error_of(bad(lab.run("--json", "status", "r1"), 1))
    same(error[0], "config")
    has(error[1], " and 5 more")
    port = fleet.ports(1)[0]
    name = IDS["dmtf"][0]
    fleet.inventory(more=f"  last: {{class: stand-in, address: 127.0.0.1, port: {port}, "
                         f"system: {name}11}}\n")
    good(lab.run("on", "last"), "last: on")
    same([s["power"] for s in fleet.device()["systems"]], ["off"] * 10 + ["on"])


@test
def bad_ids(lab):
    """system is an id: a path is refused before anything is sent"""
    fleet = RedfishFleet(lab, settings="system: /redfish/v1/Systems/1")
    r = lab.run("on", "r1")
    same((r.status, r.out), (2, ""), r)
    has(r.err, "powerctl.yaml:10:13: system: is an id, the last part of its path")
    same(fleet.counters()["requests"], 0)


@test
def another_machine(lab):
    """A UUID that is not the remembered one is a trust error, and nothing is sent"""
    fleet = RedfishFleet(lab)
    good(lab.run("on", "r1"), "r1: on")
    has(lab.run("trust", "r1").out, "uuid")
    fleet.set(1, other_machine=7)
    error = error_of(bad(lab.run("--json", "off", "r1"), 1))
    same(error[0], "trust")
    same((fleet.device()["power"], fleet.counters()["reset_off"]), ("on", 0))
    lab.run("trust", "--accept", "r1")
    good(lab.run("off", "r1"), "r1: off")


@test
def moved_system(lab):
    """A path that is remembered and gone is looked for anew"""
    fleet = RedfishFleet(lab, profile="dmtf")
    good(lab.run("status", "r1"), "r1: off")
    fleet.set(1, profile="dell")
    good(lab.run("status", "r1"), "r1: off")
    good(lab.run("on", "r1"), "r1: on")


# --- Reading. -----------------------------------------------------------------------------------

@test
def info_of_all(lab):
    """info tells maker, firmware, UUID and where the serial console is"""
    fleet = fleet_of_all(lab)
    for n, profile in enumerate(PROFILES, 1):
        tree = good_tree(lab, "info", n)
        same(tree["uuid"], fleet.device(n)["system_uuid"], profile)
        same(tree["system"], IDS[profile][0])
        assert tree["firmware"]["version"] and tree["redfish_version"], tree
        if profile == "dmtf":
            same(tree["serial_console"][0], {"protocol": "ssh", "port": 2200, "command": "start /console1"})
        same(tree["security"], {"tls": False})


@test
def console_is_where_the_service_says(lab):
    """console goes by ssh to the port that the system or its manager names (test_redfish_console opens it)"""
    fleet_of_all(lab, "--set", "all:ssh_port=1")
    for n in range(1, len(PROFILES) + 1):
        r = bad(lab.run("console", f"r{n}", stdin=""), 1)
        same(r.err, f"powerctl: r{n}: unreachable: over SSH: connection refused\n")


def good_tree(lab, verb, n):
    result = lab.run(verb, "--json", f"r{n}")
    same(result.status, 0, result)
    return result.json[0]["result"]


@test
def hardware_of_all(lab):
    """hardware has processors, memory, power supplies and firmware"""
    fleet_of_all(lab)
    for n, profile in enumerate(PROFILES, 1):
        tree = good_tree(lab, "hardware", n)
        types = {part["type"] for part in tree["parts"]}
        assert {"processor", "memory_module"} <= types, (profile, tree)
        assert tree["product"]["serial"] and tree["chassis"]["type"] == "rack_mount", tree
        assert all(f["version"] for f in tree["firmware"]), tree


@test
def sensors_of_all(lab):
    """sensors, from Thermal and Power or from Sensors: the same numbers"""
    fleet_of_all(lab, "--state", "on")
    for n, profile in enumerate(PROFILES, 1):
        found = {s["name"]: s for s in good_tree(lab, "sensors", n)["sensors"]}
        rail = found["12V rail"]
        same((rail["value"], rail["unit"], rail["type"]), ("12.06", "V", "voltage"), profile)
        fan = found["Fan 1"]
        same((fan["value"], fan["unit"], fan["type"]), ("5400", "rpm", "fan"), profile)
        assert any(s["type"] == "temperature" and s["unit"] == "C" and s["state"] == "ok"
                   and "upper_critical" in s["thresholds"] for s in found.values()), found


@test
def log_of_all(lab):
    """log, oldest first; --new tells what is new; --clear empties it"""
    fleet = fleet_of_all(lab)
    for n in range(1, 9):
        events = good_tree(lab, "log", n)["events"]
        same([e["severity"] for e in events], ["ok", "warning", "critical"], PROFILES[n - 1])
        same([e["time"] for e in events], sorted(e["time"] for e in events))
    lab.run("log", "--new", ALL)
    good(lab.run("on", ALL), *nodes("on"))
    for n in range(1, 9):
        result = lab.run("log", "--new", "--json", f"r{n}")
        same([e["event"] for e in result.json[0]["result"]["events"]], ["System power on"])
    good(lab.run("log", "--clear", "-y", ALL), *nodes("ok"))
    same([fleet.counters(n)["log_clears"] for n in range(1, 9)], [1] * 8)
    same([good_tree(lab, "log", n)["events"] for n in range(1, 9)], [[]] * 8)


@test
def long_log(lab):
    """A log of many pages is read to its end"""
    RedfishFleet(lab, "--set", "all:log_entries=700", "--set", "all:page=100")
    same(len(good_tree(lab, "log", 1)["events"]), 700)


# --- The rest. ----------------------------------------------------------------------------------

@test
def identify_light(lab):
    """identify, and identify --off"""
    fleet = fleet_of_all(lab)
    good(lab.run("identify", ALL), *nodes("accepted"))
    assert all(fleet.device(n)["led"] for n in range(1, 9))
    good(lab.run("identify", "--off", ALL), *nodes("accepted"))
    assert not any(fleet.device(n)["led"] for n in range(1, 9))


@test
def restore_policy(lab):
    """redfish policy: read, set, and read again"""
    fleet = fleet_of_all(lab)
    gen9 = number("hpe-gen9")
    for n in range(1, 9):
        if n == gen9:
            bad(lab.run("redfish", "policy", f"r{n}"), 1, "error: unsupported")
            continue
        for policy in ("always-on", "previous", "always-off"):
            lab.run("redfish", "policy", f"set={policy}", f"r{n}")
            same(lab.run("redfish", "policy", "--json", f"r{n}").json[0]["result"],
                 {"policy": policy})
        same(fleet.counters(n)["policy_patches"], 3)


@test
def virtual_media(lab):
    """media-insert and media-eject, by action or by PATCH"""
    fleet = fleet_of_all(lab)
    image = "http://images.example/debian.iso"
    for n, profile in enumerate(PROFILES, 1):
        result = lab.run("redfish", "media-insert", f"image={image}", "--json", f"r{n}")
        same((result.status, result.json[0]["result"]["image"]), (0, image), result)
        assert image in str(fleet.device(n)["media"]), profile
        drives = lab.run("redfish", "media", "--json", f"r{n}").json[0]["result"]["drives"]
        same([d["image"] for d in drives if d["inserted"]], [image])
        drive = next(d["drive"] for d in drives if d["inserted"])
        bad(lab.run("redfish", "media-insert", f"image={image}", f"drive={drive}", f"r{n}"), 1,
            "error: state: there is an image in it")
        bad(lab.run("redfish", "media-eject", "drive=none", f"r{n}"), 1, "there is no such drive")
        same(lab.run("redfish", "media-eject", f"r{n}").status, 0)
        same(lab.run("redfish", "media-eject", f"r{n}").status, 0)
        assert image not in str(fleet.device(n)["media"]), profile
    same(lab.run("redfish", "media-insert", "image=/etc/passwd", "r1").status, 1)


@test
def shared_media(lab):
    """media attach, status and detach: the service fetches a URL, and nothing stays open"""
    fleet = RedfishFleet(lab)
    image = "http://images.example/debian.iso"
    good(lab.run("media", "attach", image, "r1"), f"r1: attached: {image}")
    assert image in str(fleet.device(1)["media"])
    has(lab.run("media", "status", "r1").out, "attached: true")
    good(lab.run("media", "detach", "r1"), "r1: ok")
    good(lab.run("media", "detach", "r1"), "r1: ok")
    assert image not in str(fleet.device(1)["media"])
    has(lab.run("media", "status", "r1").out, "attached: false")
    bad(lab.run("media", "attach", "/etc/passwd", "r1"), 2)
    r = lab.run("media", "attach", "--boot", image, "r1")
    good(r, f"r1: attached: {image}", "r1: boot: accepted")
    for words in ((), ("--json",)):
        r = bad(lab.run("media", "attach", *words, image, "r1"), 1, "none is free")
        same(r.err, "")
    same((r.json[0]["event"], r.json[0]["class"]), ("error", "state"))
    good(lab.run("media", "detach", "r1"), "r1: ok")
    for url in ("http://", "https:///x.iso", "nfs://:2049/x.iso"):
        has(bad(lab.run("media", "attach", url, "r1"), 2).err, "a URL that names no host")
    assert ".iso" not in str(fleet.device(1)["media"])


@test
def media_that_start_nothing(lab):
    """--boot that is refused attaches nothing, and takes out what was not started from"""
    fleet = RedfishFleet(lab, "--state", "on")
    image = "http://images.example/debian.iso"
    r = lab.run("media", "attach", "--boot", "--dry-run", image, "r1")
    good(r, "r1: ok: would attach the media", "r1: boot: ok: would send 'reset'; it is on")
    same(r.lines[0], "r1: ok: would attach the media")
    fleet.set(1, refuse_reset=500)
    r = bad(lab.run("media", "attach", "--boot", image, "r1"), 1, "r1: boot: error: ")
    same((r.lines[0], r.lines[-1]), (f"r1: attached: {image}", "r1: detached"))
    assert image not in str(fleet.device(1)["media"])
    same([e["event"] for e in lab.run("--json", "media", "attach", "--boot", image, "r1").json],
         ["attached", "boot", "detached"])
    good(lab.run("set", "protected=mine", "r1"))
    before = fleet.counters(1)["requests"]
    for words in ((), ("--dry-run",)):
        r = bad(lab.run("media", "attach", "--boot", *words, image, "r1"), 1, "forbidden: protected")
        same(len(r.lines), 1, r)
    same(fleet.counters(1)["requests"], before)


@test
def bmc_reset(lab):
    """redfish bmc-reset is taken by every vendor's manager, and the BMC comes back"""
    fleet = fleet_of_all(lab, "--state", "on", "--set", "all:bmc_ms=300")
    good(lab.run("redfish", "bmc-reset", ALL), *nodes("changed"))
    same([fleet.counters(n)["bmc_resets"] for n in range(1, 9)], [1] * 8)
    for n in range(1, 9):
        fleet.wait(lambda d: not d["gone"], n)
    good(lab.run("status", ALL), *nodes("on"))


@test
def no_secret_is_told(lab):
    """Traces have neither password nor token"""
    RedfishFleet(lab)
    result = lab.run("--trace", "on", "r1")
    good(result, "r1: on")
    shown = re.findall(r"X-Auth-Token.*", result.err)
    assert len(shown) >= 3 and set(shown) == {"X-Auth-Token: (secret)"}, shown
    assert PASSWORD not in result.err and "Basic " not in result.err, result.err


if __name__ == "__main__":
    main()
