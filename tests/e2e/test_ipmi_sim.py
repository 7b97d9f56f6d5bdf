#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The IPMI driver through the real program, against OpenIPMI's ipmi_sim.

What a verb did is read behind the BMC's back, in the files of the chassis, and asked again with
ipmitool or ipmipower. Faults of ipmi_sim 2.0.33, whose subjects are tested on powerctl-bmcsim:
it reads boot flags back as not valid and forgets persistence and UEFI; it refuses NMI, the boot
devices usb and diag, cipher suite 17, and has no Get Channel Cipher Suites before a session; it
answers Chassis Identify with completion code FFh although it was done; it cuts K_g after 16 bytes;
it grants every user the privilege that is asked for; in IPMI 1.5 it ignores the first command of a
session once. It works off one command after another, so that its answers may be late.
"""
import json
import socket
from subprocess import PIPE

import lib
from ipmilib import (BOARD, PASSWORD, PRODUCT, SENSORS, USERS, IpmiSim, inventory, need, secret,
                     without_repeats)
from lib import bad, error_of, good, has, main, same, test

FLAGS = "workarounds: [opensesspriv]"
QUICK = "connect: 1s, answer: 2s, read: 4s, confirm: 20s, reboot: 20s"
# It works off all of them one after the other, with a process for each.
MANY = 15 if lib.SANITIZED else 60
PATIENT = "answer: 30s, read: 50s"


def bmcs(lab, count=1, settings=FLAGS, timeouts="", **how):
    """ipmi_sim with nodes c1, c2, ... in the inventory."""
    need("ipmi_sim", "ipmitool", "ipmipower")
    sim = lab.keep(IpmiSim(lab.path("sim"), count, **how))
    sim.inventory(lab, settings, timeouts)
    return sim


def told(sim, n, state):
    """Others say so too: the chassis itself, and both other clients."""
    same(sim.power(n), state, f"chassis c{n}")
    has(sim.ipmitool(n, "power", "status").out, f"Chassis Power is {state}")
    has(sim.ipmipower(n, "--stat").out, f": {state}")


def act(sim, lab, words, power, log, n=1, **members):
    """One verb on one node: what is said, what the chassis was told, what it is afterwards."""
    sim.set(n)
    r = lab.run("--json", *words, f"c{n}")
    same(r.status, 0, r)
    for key, value in {"ok": True, "error": None, **members}.items():
        same(r.json[0][key], value, f"{key} of {r}")
    made = sim.log(n) if words[0] in ("cycle", "reboot") else without_repeats(sim.log(n))
    same(made, log, f"what {words} made of it: {r}")
    same(sim.power(n), power, r)
    return r


def untouched(sim, n=1):
    same(sim.log(n), [], f"what the chassis c{n} was told")


# --- The counterparts themselves, by clients that others wrote. ------------------------------


@test
def others_drive(lab):
    """ipmitool and ipmipower do to ipmi_sim what these tests take for granted"""
    sim = bmcs(lab, 3)
    told(sim, 2, "off")
    for words, state, log in ((("power", "on"), "on", "power 1"),
                              (("power", "reset"), "on", "reset 1"),
                              (("power", "soft"), "off", "shutdown 1"),
                              (("chassis", "bootdev", "pxe"), "off", "boot pxe")):
        same(sim.ipmitool(2, *words).status, 0, words)
        same((sim.power(2), sim.log(2)[-1]), (state, log), words)
    same(sim.boot(2), "pxe")
    same((sim.log(1), sim.log(3)), ([], []))
    for version in ("1.5", "2.0"):
        has(sim.ipmipower(2, "--on", version=version).out, ": ok")
        has(sim.ipmitool(2, "power", "status", version=version).out, "is on")
        has(sim.ipmitool(2, "power", "status", version=version, user="user",
                         password=USERS["user"][0]).out, "is on")
        has(sim.ipmipower(2, "--off", version=version).out, ": ok")
    has(sim.ipmipower(2, "--stat", password="wrong").out, "password invalid")
    has(sim.ipmitool(2, "sdr", "list").out, "35 degrees C")
    has(sim.ipmitool(2, "sel", "list").out, "Upper Critical going high")
    has(sim.ipmitool(2, "fru").out, PRODUCT[-1])


@test
def others_key(lab):
    """ipmi_sim holds a K_g: without it, or with another, nobody gets in"""
    sim = bmcs(lab, kg="a BMC's own key")
    told(sim, 1, "off")
    has(sim.ipmipower(1, "--stat", kg=None).out, "k_g invalid")
    has(sim.ipmipower(1, "--stat", kg="another").out, "k_g invalid")


# --- Power. ----------------------------------------------------------------------------------


@test
def status(lab):
    """status says what the chassis is, and others say the same"""
    sim = bmcs(lab, 3)
    sim.set(2, power="on")
    good(lab.run("status"), "c1: off", "c2: on", "c3: off")
    told(sim, 1, "off")
    told(sim, 2, "on")
    for n in (1, 2, 3):
        untouched(sim, n)


@test
def power_on_off(lab):
    """on and off reach the chassis once, are confirmed, and are not repeated when already so"""
    sim = bmcs(lab)
    act(sim, lab, ["on"], "on", ["power 1"], state="on", changed=True, confirmed="seen")
    told(sim, 1, "on")
    act(sim, lab, ["on"], "on", [], state="on", changed=False)
    act(sim, lab, ["off"], "off", ["power 0"], state="off", changed=True, confirmed="seen")
    told(sim, 1, "off")
    act(sim, lab, ["off"], "off", [], state="off", changed=False)


@test
def power_restart(lab):
    """reset, cycle and reboot restart once; what is off is turned on by reboot only"""
    sim = bmcs(lab)
    sim.set(power="on")
    act(sim, lab, ["reset"], "on", ["reset 1"], state="on", changed=True)
    # ipmi_sim itself turns it on again a second later.
    for verb in ("cycle", "reboot"):
        act(sim, lab, [verb], "on", ["power 0", "power 1"], state="on", confirmed="seen")
    told(sim, 1, "on")
    sim.set(power="off")
    act(sim, lab, ["reboot"], "on", ["power 1"], state="on", changed=True)
    for verb in ("reset", "cycle"):
        sim.set(power="off")
        same(error_of(bad(lab.run("--json", verb, "c1"), 1))[0], "state", verb)
        untouched(sim)
        act(sim, lab, [verb, "--on-if-off"], "on", ["power 1"], state="on")


@test
def power_soft(lab):
    """off --soft asks the operating system; reboot --soft does, and turns on again"""
    sim = bmcs(lab)
    sim.set(power="on")
    act(sim, lab, ["off", "--soft"], "off", ["shutdown 1"], state="off", changed=True)
    told(sim, 1, "off")
    sim.set(power="on")
    act(sim, lab, ["reboot", "--soft"], "on", ["shutdown 1", "power 1"], state="on")


@test
def power_nmi(lab):
    """nmi, which ipmi_sim refuses: said with the completion code, and never taken for done"""
    sim = bmcs(lab)
    sim.set(power="on")
    kind, text = error_of(bad(lab.run("--json", "nmi", "c1"), 1))
    assert kind in ("unsupported", "refused"), (kind, text)
    has(text, "CCh")
    untouched(sim)


@test
def power_no_wait(lab):
    """--no-wait ends with the acceptance"""
    sim = bmcs(lab)
    good(lab.run("on", "--no-wait", "c1"), "c1: accepted")
    same(without_repeats(sim.log()), ["power 1"])


@test
def power_dry_run(lab):
    """--dry-run reads and changes nothing"""
    sim = bmcs(lab)
    r = lab.run("on", "--dry-run", "c1")
    same(r.status, 0, r)
    has(r.out, "would send 'on'")
    untouched(sim)
    same(sim.power(), "off")


@test
def many_at_once(lab):
    """on, status and off of many BMCs in one command: each once, and all of them"""
    sim = bmcs(lab, MANY, timeouts=PATIENT)
    names = [f"c{n}" for n in range(1, MANY + 1)]
    for verb, sure, state, log in (("on", [], "on", "power 1"),
                                   ("off", ["--yes"], "off", "power 0")):
        good(lab.run(verb, "-a", *sure), *(f"{name}: {state}" for name in names))
        for n in range(1, MANY + 1):
            same((sim.power(n), sim.log(n)[-1:]), (state, [log]), f"c{n}")
        good(lab.run("status", "--fold"), f"c[1-{MANY}]: {state}")
    for n in range(1, MANY + 1):
        same(without_repeats(sim.log(n)), ["power 1", "power 0"], f"c{n}")


@test
def two_commands(lab):
    """two commands on one node: one after the other, none of them lost"""
    sim = bmcs(lab)
    sim.set(power="on")
    both = [lab.start("reboot", "c1", stdout=PIPE, stderr=PIPE, text=True) for _ in range(2)]
    for proc in both:
        out, err = proc.communicate(timeout=lib.PATIENCE)
        same((proc.returncode, out), (0, "c1: on\n"), err)
    same(sim.log(), ["power 0", "power 1"] * 2)


@test
def slow_bmc(lab):
    """a BMC that takes 1.5 s for each change: a reset and a shutdown are told once, all succeed"""
    sim = bmcs(lab, mode="slow")
    act(sim, lab, ["on"], "on", ["power 1"], state="on")
    act(sim, lab, ["reset"], "on", ["reset 1"], state="on")
    act(sim, lab, ["pxeboot"], "on", ["boot pxe", "reset 1"], state="on")
    act(sim, lab, ["off", "--soft"], "off", ["shutdown 1"], state="off")


# --- Boot. -----------------------------------------------------------------------------------


@test
def bootdev(lab):
    """bootdev sets the next start and leaves the power alone; none takes it back"""
    sim = bmcs(lab)
    for power in ("off", "on"):
        for device, known_as in (("pxe", "pxe"), ("cd", "cdrom"), ("bios", "bios"),
                                 ("disk", "default"), ("none", "none")):
            sim.set(power=power)
            act(sim, lab, ["bootdev", device], power, [f"boot {known_as}"], changed=True)
            same(sim.boot(), known_as, device)


@test
def bootdev_modes(lab):
    """persistent, legacy and UEFI are accepted (what the BMC keeps of it is bmcsim's subject)"""
    sim = bmcs(lab)
    for more in (["--persistent"], ["--uefi"], ["--legacy"], ["--persistent", "--uefi"]):
        act(sim, lab, ["bootdev", *more, "pxe"], "off", ["boot pxe"])
        good(lab.run("bootdev", "none", "c1"), "c1: ok")


@test
def bootdev_show(lab):
    """bootdev --show reads, changes nothing, and does not take flags for set that are not valid"""
    sim = bmcs(lab)
    good(lab.run("bootdev", "pxe", "c1"), "c1: ok")
    r = act(sim, lab, ["bootdev", "--show"], "off", [])
    has(sim.ipmitool(1, "chassis", "bootparam", "get", "5").out, "Boot Flag Invalid")
    same((r.json[0]["result"]["device"], r.json[0]["result"]["held"]), ("none", False), r)


@test
def bootdev_refused(lab):
    """a boot device that the BMC refuses: an error with its completion code, power untouched"""
    sim = bmcs(lab)
    for words in (["bootdev", "diag"], ["bootdev", "usb"], ["boot", "diag"]):
        kind, text = error_of(bad(lab.run("--json", *words, "c1"), 1))
        assert kind in ("refused", "unsupported"), (kind, text)
        has(text, "FFh")
        same((sim.boot(), sim.power()), ("none", "off"), words)
        sim.set()


@test
def pxeboot(lab):
    """pxeboot sets the device first, then starts what is off and restarts what is on, once"""
    sim = bmcs(lab, 2)
    sim.set(2, power="on")
    good(lab.run("pxeboot", "c[1-2]"), "c1: on", "c2: on")
    same(without_repeats(sim.log(1)), ["boot pxe", "power 1"])
    same(without_repeats(sim.log(2)), ["boot pxe", "reset 1"])
    told(sim, 1, "on")
    same(sim.boot(2), "pxe")


# --- Reading. --------------------------------------------------------------------------------


@test
def identify(lab):
    """identify reaches the chassis; that ipmi_sim answers FFh all the same is not hidden"""
    sim = bmcs(lab)
    for words in (["identify"], ["identify", "--off"]):
        sim.set()
        kind, text = error_of(bad(lab.run("--json", *words, "c1"), 1))
        same(kind, "refused", text)
        has(text, "FFh")
        assert sim.log()[0].startswith("identify "), sim.log()
    has(sim.ipmitool(1, "chassis", "identify", "5").err, "failed")


def told_by(lab, verb, *parts):
    """The answer of a reading verb holds each of these somewhere."""
    r = lab.run("--json", verb, "c1")
    same(r.status, 0, r)
    text = json.dumps(r.json[0]["result"])
    for part in parts:
        has(text, part)
    return r.json[0]["result"]


@test
def info(lab):
    """info: who made the BMC, its firmware and the machine's identity, as ipmitool reads them"""
    sim = bmcs(lab)
    has(sim.ipmitool(1, "mc", "info").out, "Firmware Revision         : 9.08")
    told_by(lab, "info", "9.08")
    untouched(sim)
    plain = lab.run("info", "c1")
    same(plain.status, 0, plain)
    has(plain.out, "9.08")


@test
def hardware(lab):
    """hardware: board and product of the FRU data"""
    bmcs(lab)
    told_by(lab, "hardware", BOARD[1], BOARD[2], PRODUCT[1], PRODUCT[-1])


@test
def sensors(lab):
    """sensors: names, values and units as ipmitool reads them"""
    sim = bmcs(lab)
    listed = sim.ipmitool(1, "sensor").out
    found = told_by(lab, "sensors")["sensors"]
    same(len(found), len(SENSORS), found)
    for one, (_, _, _, _, value, _, name) in zip(found, SENSORS):
        has(listed, name)
        has(json.dumps(one), name)
        same(one["value"], str(value), one)


@test
def log(lab):
    """log: the one event, with its sensor"""
    sim = bmcs(lab)
    has(sim.ipmitool(1, "sel", "elist").out, "Upper Critical going high")
    events = told_by(lab, "log", "pper")["events"]
    same(len(events), 1, events)


@test
def caps(lab):
    """caps asks nothing over the network"""
    sim = bmcs(lab)
    sim.close()
    r = lab.run("--json", "caps", "c1")
    same(r.status, 0, r)
    has(r.json[0]["result"]["boot_once"], "pxe")
    has(r.json[0]["result"]["power"], "soft_off")


# --- Who may, and how. -----------------------------------------------------------------------


@test
def wrong_login(lab):
    """a wrong password or user: an auth error that shows neither, and nothing was done"""
    sim = bmcs(lab)
    for user, password in (("admin", "Wr0ng-canary"), ("nobody", PASSWORD)):
        sim.inventory(lab, FLAGS, user=user, password=password)
        for verb in ("status", "on"):
            r = bad(lab.run("--json", verb, "c1"), 1)
            same((error_of(r)[0], r.json[0]["state"]), ("auth", "unknown"), r)
            assert password not in r.out + r.err, r
    untouched(sim)
    sim.inventory(lab, FLAGS)
    good(lab.run("on", "c1"), "c1: on")


@test
def privileges(lab):
    """an operator may change; who logs in with the rights of a user may only read, and is told"""
    sim = bmcs(lab)
    sim.inventory(lab, FLAGS, user="oper")
    act(sim, lab, ["on"], "on", ["power 1"], state="on")
    for user, settings in (("user", "privilege: user"), ("admin", "privilege: user")):
        sim.set()
        sim.inventory(lab, f"{FLAGS}\n{settings}", user=user)
        good(lab.run("status", "c1"), "c1: on")
        for words in (["off"], ["reset"], ["bootdev", "pxe"], ["pxeboot"]):
            r = bad(lab.run("--json", *words, "c1"), 1)
            same(error_of(r)[0], "forbidden", r)
        untouched(sim)
    told(sim, 1, "on")
    has(sim.ipmitool(1, "power", "off", user="user", password=USERS["user"][0]).err,
        "Insufficient privilege level")


@test
def versions(lab):
    """IPMI 1.5 and 2.0, told or found out"""
    sim = bmcs(lab)
    for version in ('"1.5"', '"2.0"', "auto"):
        sim.inventory(lab, f"{FLAGS}\nprotocol: {version}")
        good(lab.run("status", "c1"), "c1: off")
        act(sim, lab, ["pxeboot"], "on", ["boot pxe", "power 1"], state="on")
        act(sim, lab, ["off"], "off", ["power 0"], state="off")
    sim.inventory(lab, f'{FLAGS}\nprotocol: "1.5"', password="wrong")
    same(error_of(bad(lab.run("--json", "status", "c1"), 1))[0], "auth")


@test
def suites(lab):
    """cipher suite 3 is found; 17, where asked for, is refused, and no other is taken"""
    sim = bmcs(lab)
    for suite in ("auto", "3"):
        sim.inventory(lab, f"{FLAGS}\ncipher_suite: {suite}")
        good(lab.run("status", "c1"), "c1: off")
    sim.inventory(lab, f"{FLAGS}\ncipher_suite: 17")
    kind, text = error_of(bad(lab.run("--json", "status", "c1"), 1))
    assert kind in ("config", "unsupported", "refused"), (kind, text)
    has(text, "cipher suite")


@test
def key(lab):
    """K_g as text and in hexadecimal; without it, or with a wrong one, an auth error"""
    kg = "a BMC's own key"
    sim = bmcs(lab, kg=kg)
    path = lab.write("config/powerctl/secrets/kg", kg + "\n")
    for setting in (f"kg: 0x{kg.encode().hex()}", f'kg: "{kg}"', f"kg_file: {path}"):
        sim.inventory(lab, f"{FLAGS}\n{setting}")
        good(lab.run("status", "c1"), "c1: off")
    for setting in ("", "kg: another-key"):
        sim.inventory(lab, f"{FLAGS}\n{setting}")
        r = bad(lab.run("--json", "on", "c1"), 1)
        same(error_of(r)[0], "auth", r)
        assert "another-key" not in r.out + r.err, r
    untouched(sim)


@test
def flagless(lab):
    """no workaround flag is needed for a BMC that leaves out the privilege it grants"""
    sim = bmcs(lab, settings="")
    good(lab.run("status", "c1"), "c1: off")
    act(sim, lab, ["on"], "on", ["power 1"], state="on")


# --- Who does not answer. --------------------------------------------------------------------


@test
def dead_bmc(lab):
    """one that is silent and one that is gone are unknown, never off; the others are told"""
    sim = bmcs(lab, 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        silent.bind(("127.0.21.201", 0))
        gone.bind(("127.0.21.202", 0))
        nodes = [(f"c{n}", sim.addresses[n - 1], sim.port) for n in (1, 2)]
        nodes += [(name, *one.getsockname(), f"timeouts: {{{QUICK}}}")
                  for name, one in (("silent", silent), ("gone", gone))]
        lab.inventory(inventory(nodes, secret(lab, PASSWORD), "admin", FLAGS))
        gone.close()
        r = bad(lab.run("status"), 1, "c1: off\n", "c2: off\n", "silent: unknown: unreachable: ",
                "gone: unknown: unreachable: ")
        same(len(r.lines), 4, r)
        r = bad(lab.run("on", "-a"), 1, "c1: on\n", "c2: on\n",
                "silent: error: unreachable: ", "gone: error: unreachable: ")
        same(len(r.lines), 4, r)


@test
def dying_bmc(lab):
    """a BMC that ends while it is waited for: timeout or unreachable, never the state wished for"""
    sim = bmcs(lab, timeouts=QUICK)
    proc = lab.start("--json", "wait", "on", "--timeout", "6s", "c1", stdout=PIPE, text=True)
    sim.close()
    line = json.loads(proc.communicate(timeout=lib.PATIENCE)[0])
    same((proc.returncode, line["ok"]), (1, False), line)
    assert line["state"] != "on" and line["error"]["class"] in ("timeout", "unreachable"), line


if __name__ == "__main__":
    main()
