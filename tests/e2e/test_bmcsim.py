#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks powerctl-bmcsim with programs that others wrote: ipmitool, FreeIPMI's tools, pyghmi.

Raw datagrams where those are too polite, in test_bmcsim_raw.py.
"""
import os
import re
import signal
import socket
import subprocess
import tempfile

from ipmilib import PASSWORD, BmcFleet, program, run
from lib import BMCSIM, has, main, need_ipv6, same, skip, test

SUITES = ("1", "2", "3", "6", "7", "8", "15", "16", "17")  # those that ipmitool does not abort on
FREEIPMI_SUITES = ("1", "2", "3", "6", "7", "8", "11", "12", "15", "16", "17")
SHORT = ("--stat", "--session-timeout=900", "--retransmission-timeout=200")


def power(bmcs, *args, n=1, **how):
    """What ipmipower says of one BMC, without its name."""
    r = bmcs.freeipmi("ipmipower", n, *args, **how)
    return re.sub(r"^\S+: ", "", r.out.strip())


def on_port_623(lab, *args):
    """A BMC where ipmiconsole can find it."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = f"127.{os.getpid() >> 16 & 127 | 64}.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
    try:
        probe.bind((address, 623))
    except OSError as why:
        skip(f"port 623, the only one of ipmiconsole, cannot be had: {why.strerror}")
    finally:
        probe.close()
    return BmcFleet(lab, "--address", address, "--port", "623", *args, by_port=False)


# --- Sessions -------------------------------------------------------------------------------------


@test
def suites(lab):
    """every cipher suite: ipmitool, ipmipower, and those that are off are refused"""
    bmcs = BmcFleet(lab, "--state", "on")
    for suite in SUITES:
        same(bmcs.ipmitool(1, "power", "status", suite=suite).out, "Chassis Power is on\n", suite)
    for suite in FREEIPMI_SUITES:
        same(power(bmcs, "--stat", suite=suite), "on", suite)
    same(bmcs.counters()["not_encrypted"], 0)
    same(bmcs.counters()["bad_auth_code"], 0)
    bmcs.set(1, suites="3")
    same(power(bmcs, "--stat", suite=17), "BMC error", "04h: no such algorithm")
    bmcs.set(1, suites="3,16")
    same(power(bmcs, "--stat", suite=17), "cipher suite id unavailable", "11h: no such suite")
    same(power(bmcs, "--stat", suite=3), "on")
    bmcs.set(1, suites="17")
    same(bmcs.ipmitool(1, "power", "status", suite=3).status, 1)
    same(bmcs.ipmitool(1, "power", "status", suite=17).status, 0)
    bmcs.set(1, suites="0,3")
    same(bmcs.ipmitool(1, "power", "status", suite=0, password="whatever").status, 0)


@test
def best_suite(lab):
    """ipmitool asks for the suites before the session, and takes the best one"""
    bmcs = BmcFleet(lab, "--state", "on")
    bmcs.set(1, suites="17")
    same(bmcs.ipmitool(1, "power", "status", suite=None).out, "Chassis Power is on\n")
    has(" ".join(bmcs.device()["log"]), "06:54")


@test
def ipmi15(lab):
    """IPMI 1.5: MD5, straight password, none; a BMC that has nothing else; one that has not"""
    bmcs = BmcFleet(lab, "--state", "on")
    same(bmcs.ipmitool(1, "power", "status", version="1.5").out, "Chassis Power is on\n")
    same(power(bmcs, "--stat", version="1.5"), "on")
    straight = ("-a", "STRAIGHT_PASSWORD_KEY", "--get-chassis-status")
    has(bmcs.freeipmi("ipmi-chassis", 1, *straight, version="1.5").out, ": on")
    same(bmcs.ipmitool(1, "-A", "PASSWORD", "power", "status", version="1.5").status, 0)
    same(power(bmcs, "--stat", "-a", "NONE", version="1.5"),
         "authentication type unavailable for attempted privilege level")
    bmcs.set(1, auth_types="none,md5")
    same(power(bmcs, "--stat", "-a", "NONE", version="1.5"), "on")
    same(power(bmcs, *SHORT, version="1.5", password="wrong"), "password verification timeout")
    same(power(bmcs, "--stat", version="1.5", user="nobody"), "username invalid")
    for per_message in (1, 0):
        bmcs.set(1, per_message=per_message)
        same(bmcs.ipmitool(1, "power", "status", version="1.5").status, 0)
        same(power(bmcs, "--stat", version="1.5"), "on")
    bmcs.set(1, no_ipmi20="ignore")
    same(power(bmcs, "--stat"), "ipmi 2.0 unavailable")
    same(power(bmcs, "--stat", version="1.5"), "on")
    bmcs.set(1, no_ipmi20="refuse")
    same(power(bmcs, "--stat"), "ipmi 2.0 unavailable")
    bmcs.set(1, no_ipmi20="no", no_ipmi15=1)
    same(power(bmcs, "--stat"), "on")
    same(bmcs.ipmitool(1, "power", "status", version="1.5").status, 1)


@test
def kg(lab):
    """K_g, as text and in hexadecimal: right, wrong, missing"""
    bmcs = BmcFleet(lab, "--state", "on", "--set", "1:kg=top", "--set", "2:kg=0x00ff0102", devices=3)
    for suite in (3, 17):
        same(power(bmcs, "--stat", "-k", "top", suite=suite), "on")
        same(power(bmcs, "--stat", "-k", "0x00ff0102", n=2, suite=suite), "on")
        same(power(bmcs, "--stat", "-k", "pot", suite=suite), "k_g invalid")
        same(power(bmcs, "--stat", suite=suite), "k_g invalid")
        same(bmcs.ipmitool(1, "-k", "top", "power", "status", suite=suite).status, 0)
        same(bmcs.ipmitool(2, "-y", "00ff0102", "power", "status", suite=suite).status, 0)
        same(bmcs.ipmitool(1, "-k", "pot", "power", "status", suite=suite).status, 1)
    same(bmcs.pyghmi(1, "print(json.dumps(c.get_power()))", kg=b"top"), {"powerstate": "on"})


@test
def wrong_login(lab):
    """wrong password or name: told by status and by code; a console that goes silently is not counted"""
    bmcs = BmcFleet(lab, "--state", "on")
    for suite in (3, 8, 17):
        same(power(bmcs, "--stat", suite=suite, password="wrong"), "password invalid")
        same(power(bmcs, "--stat", suite=suite, user="nobody"), "username invalid")
    same(bmcs.ipmitool(1, "power", "status", password="wrong").status, 1)
    same(bmcs.counters()["bad_logins"], 0)
    same(power(bmcs, *SHORT, version="1.5", password="wrong"), "password verification timeout")
    same((bmcs.counters()["bad_logins"] > 0, bmcs.counters()["logins"]), (True, 0))


@test
def accounts(lab):
    """other accounts: a null user, twenty characters of password, privileges"""
    bmcs = BmcFleet(lab, "--set", "1:users=:admin:anon,long:operator:12345678901234567890,u:user:x")
    has(bmcs.ipmitool(1, "power", "status", user="", password="anon").out, "Chassis Power is off\n")
    same(power(bmcs, "--stat", "-l", "OPERATOR", user="long", password="12345678901234567890"),
         "off")
    same(power(bmcs, "--stat", "-l", "USER", user="u", password="x"), "off")
    same(power(bmcs, "--stat", "-l", "OPERATOR", user="u", password="x"),
         "privilege level cannot be obtained for this user")


@test
def privileges(lab):
    """what a level may not do is answered D4h; enforcement can be off"""
    bmcs = BmcFleet(lab, "--state", "on")
    same(power(bmcs, "--reset", "-l", "OPERATOR", user="operator"), "ok")
    r = bmcs.ipmitool(1, "power", "reset", user="user", level="USER")
    same(r.status, 1)
    has(r.err, "Insufficient privilege level")
    same(bmcs.counters()["refused_privilege"], 1)
    same(bmcs.counters()["power_reset"], 1)
    bmcs.ipmitool(1, "mc", "reset", "cold", user="operator", level="OPERATOR")
    same((bmcs.counters()["cold_resets"], bmcs.counters()["refused_privilege"]), (0, 2))
    bmcs.set(1, enforce_privilege=0)
    same(bmcs.ipmitool(1, "power", "reset", user="user", level="USER").status, 0)
    same(bmcs.counters()["power_reset"], 2)


@test
def statuses(lab):
    """status codes at each step, in FreeIPMI's words; codes that are wrong"""
    bmcs = BmcFleet(lab, "--state", "on")
    for knob, status, words in (
            ("open_status", 0x01, "BMC busy"), ("open_status", 0x11, "cipher suite id unavailable"),
            ("open_status", 0x09, "privilege level cannot be obtained for this user"),
            ("rakp2_status", 0x0D, "username invalid"),
            ("rakp2_status", 0x0A, "privilege level cannot be obtained for this user"),
            ("rakp2_status", 0x01, "BMC busy"), ("rakp4_status", 0x0F, "BMC error"),
            ("rakp2_bad", 1, "password invalid"), ("rakp4_bad", 1, "k_g invalid")):
        bmcs.set(1, **{knob: status})
        same(power(bmcs, "--stat"), words, f"{knob}={status:#x}")
        bmcs.set(1, **{knob: 0})
    same(power(bmcs, "--stat"), "on")


@test
def mute(lab):
    """a step of the login that is never answered"""
    bmcs = BmcFleet(lab, "--state", "on")
    for step, words in (("open", "session timeout"), ("rakp1", "session timeout"),
                        ("rakp3", "session timeout")):
        bmcs.set(1, mute=step)
        same(power(bmcs, *SHORT), words, step)
    bmcs.set(1, mute="challenge")
    same(power(bmcs, *SHORT, version="1.5"), "session timeout")
    bmcs.set(1, mute="activate")
    same(power(bmcs, *SHORT, version="1.5"), "password verification timeout")
    bmcs.set(1, mute="no", dead=1)
    same(power(bmcs, *SHORT), "connection timeout")


@test
def lockout(lab):
    """bad passwords lock the accounts: with silence or a status, for a while"""
    bmcs = BmcFleet(lab, "--state", "on", "--set", "all:lockout_after=2", "--set",
                "all:lockout_answer=name", devices=2)
    same(power(bmcs, *SHORT, version="1.5", password="wrong"), "password verification timeout")
    same(power(bmcs, "--stat"), "username invalid")
    same(power(bmcs, "--stat", version="1.5"), "username invalid")
    bmcs.set(1, lockout_answer="silent")
    same(power(bmcs, *SHORT), "session timeout")
    bmcs.set(2, lockout_unfinished=1, lockout_ms=1)
    for _ in range(5):
        same(power(bmcs, "--stat", n=2, password="wrong"), "password invalid")
    same(bmcs.counters(2)["bad_logins"], 5)
    same(power(bmcs, "--stat", n=2), "on")


@test
def other_addresses(lab):
    """IPv6; addresses that count up; 3000 BMCs in one process"""
    bmcs = BmcFleet(lab, "--address", "127.31.0.254", "--port", "0", "--state", "on", devices=3,
                by_port=False)
    same([bmcs.address(n)[0] for n in (1, 2, 3)], ["127.31.0.254", "127.31.0.255", "127.31.1.0"])
    same(power(bmcs, "--stat", n=3), "on")
    fleet = BmcFleet(lab, "--address", "127.32.0.1", "--port", "0", "--state", "on", devices=3000,
                 by_port=False)
    port = fleet.address()[1]
    names = ",".join(f"127.32.{i >> 8}.{i & 255}:{port}" for i in range(1, 3001))
    r = run([program("ipmipower"), "-D", "LAN_2_0", "-F", "64", "-h", names, "-u", "admin", "-p",
             PASSWORD, "--stat"])
    same(sum(line.endswith(": on") for line in r.lines), 3000)
    same(fleet.call("GET", "/counters")["logins"], 3000)
    need_ipv6()
    six = BmcFleet(lab, "--address", "::1", "--state", "on", devices=2)
    same(six.ipmitool(2, "power", "status", suite=17).out, "Chassis Power is on\n")


# --- Power and boot -------------------------------------------------------------------------------


@test
def actions(lab):
    """each action acts once, whoever asks"""
    bmcs = BmcFleet(lab)
    same(bmcs.ipmitool(1, "power", "on").status, 0)
    same((bmcs.device()["power"], bmcs.device()["boots"]), ("on", 1))
    same(power(bmcs, "--on"), "ok")
    same(bmcs.device()["boots"], 1, "it was on")
    same(power(bmcs, "--cycle"), "ok")
    same(power(bmcs, "--reset"), "ok")
    same(power(bmcs, "--pulse"), "ok")
    same(bmcs.device()["boots"], 3)
    same(bmcs.ipmitool(1, "power", "soft").status, 0)
    same(bmcs.device()["power"], "off")
    r = bmcs.ipmitool(1, "power", "reset")
    same((r.status, "not supported in present state" in r.err), (1, True), r)
    has(power(bmcs, "--reset"), "")
    c = bmcs.counters()
    same([c[k] for k in ("power_on", "power_off", "power_cycle", "power_reset", "diag", "soft")],
         [2, 0, 1, 1, 1, 1])
    r = bmcs.pyghmi(1, "print(json.dumps([c.set_power(x, wait=True) for x in ('on', 'off')]))")
    same(r, [{"powerstate": "on"}, {"powerstate": "off"}])
    bmcs.set(1, off_reset="on")
    same(power(bmcs, "--reset"), "ok")
    same(bmcs.device()["power"], "on")
    bmcs.set(1, off_reset="ignore", power="off")
    same(power(bmcs, "--cycle"), "ok")
    same(bmcs.device()["power"], "off")


@test
def not_at_once(lab):
    """transitions take time, states lag behind, lies are told"""
    bmcs = BmcFleet(lab, "--set", "all:transition_ms=300", devices=3)
    same(power(bmcs, "--on"), "ok")
    same(power(bmcs, "--stat", "--on", "--wait-until-on"), "ok")
    same(bmcs.device()["power"], "on")
    bmcs.set(2, transition_ms=0, lag_ms=3600000)
    same(power(bmcs, "--on", n=2), "ok")
    same((bmcs.device(2)["power"], bmcs.device(2)["power_shown"]), ("on", "off"))
    same(power(bmcs, "--stat", n=2), "off")
    bmcs.set(2, lag_ms=0)
    same(power(bmcs, "--stat", n=2), "on")
    bmcs.set(3, power_lie="ignore")
    same(power(bmcs, "--on", n=3), "ok")
    same(power(bmcs, "--stat", n=3), "off")
    same(bmcs.counters(3)["power_on"], 1)
    bmcs.set(2, soft_ignored=1)
    same(power(bmcs, "--soft", n=2), "ok")
    same(power(bmcs, "--stat", n=2), "on")


@test
def chassis(lab):
    """chassis status, policy, identify, restart cause; refused actions"""
    bmcs = BmcFleet(lab, "--state", "on")
    has(bmcs.ipmitool(1, "chassis", "policy", "always-on").out, "always-on")
    r = bmcs.ipmitool(1, "chassis", "status")
    has(r.out, "Power Restore Policy : always-on")
    has(bmcs.ipmitool(1, "chassis", "policy", "list").out, "always-off")
    same(bmcs.ipmitool(1, "chassis", "identify", "force").status, 0)
    same(bmcs.device()["identify"], "on")
    same(bmcs.ipmitool(1, "chassis", "identify", "0").status, 0)
    same(bmcs.device()["identify"], "off")
    same(bmcs.ipmitool(1, "power", "reset").status, 0)
    has(bmcs.ipmitool(1, "chassis", "restart_cause").out, "chassis power control command")
    bmcs.set(1, refuse_control="diag:cc,soft:d5")
    has(bmcs.ipmitool(1, "power", "diag").err, "Invalid data field")
    has(bmcs.ipmitool(1, "power", "soft").err, "not supported in present state")
    same(bmcs.counters()["diag"] + bmcs.counters()["soft"], 0)


@test
def boot_options(lab):
    """boot flags: set, read back, used up by the next start; persistent; UEFI"""
    bmcs = BmcFleet(lab)
    same(bmcs.ipmitool(1, "chassis", "bootdev", "pxe", "options=efiboot").status, 0)
    d = bmcs.device()
    same((d["boot_set"], d["boot_flags"]), ("pxe", "A004000000"))
    r = bmcs.ipmitool(1, "chassis", "bootparam", "get", "5")
    has(r.out, "Boot Flag Valid")
    has(r.out, "EFI boot")
    has(r.out, "Force PXE")
    same(bmcs.ipmitool(1, "power", "on").status, 0)
    d = bmcs.device()
    same((d["last_boot"], d["last_mode"], d["boot_set"]), ("pxe", "uefi", None))
    same(bmcs.ipmitool(1, "power", "reset").status, 0)
    same((bmcs.device()["last_boot"], bmcs.device()["last_mode"]), ("default", "legacy"))
    same(bmcs.ipmitool(1, "chassis", "bootdev", "disk", "options=persistent").status, 0)
    for boots in (3, 4):
        same(bmcs.ipmitool(1, "power", "reset").status, 0)
        d = bmcs.device()
        same((d["boots"], d["last_boot"], d["boot_set"]), (boots, "disk", "disk"))
    r = bmcs.pyghmi(1, "print(json.dumps([c.set_bootdev('network', uefiboot=True), c.get_bootdev(), "
                    "c.set_power('reset')]))")
    same(r[1], {"bootdev": "network", "persistent": False, "uefimode": True})
    same((bmcs.device()["last_boot"], bmcs.device()["last_mode"]), ("pxe", "uefi"))


@test
def boot_quirks(lab):
    """boot flags that lapse, read back as nothing, are refused or forgotten"""
    bmcs = BmcFleet(lab, "--state", "on", "--set", "1:boot_timeout_ms=1", devices=2)
    same(bmcs.ipmitool(1, "raw", "0", "8", "5", "0x80", "4", "0", "0", "0").status, 0)
    bmcs.wait(lambda d: d["boot_set"] is None)
    same(bmcs.ipmitool(1, "raw", "0", "8", "3", "8").status, 0)
    same(bmcs.ipmitool(1, "raw", "0", "8", "5", "0x80", "4", "0", "0", "0").status, 0)
    same(bmcs.ipmitool(1, "power", "reset").status, 0)
    same(bmcs.device()["last_boot"], "pxe", "parameter 3 keeps them")
    bmcs.set(2, refuse_params="0,3,4", readback_invalid=1, no_persistent=1)
    has(bmcs.ipmitool(2, "raw", "0", "8", "3", "8").err, "rsp=0x80")
    bmcs.ipmitool(2, "chassis", "bootdev", "pxe", "options=persistent")
    same((bmcs.device(2)["boot_set"], bmcs.device(2)["boot_flags"]), ("pxe", "8004000000"))
    has(bmcs.ipmitool(2, "chassis", "bootparam", "get", "5").out, "Boot Flag Invalid")
    same(bmcs.ipmitool(1, "raw", "0", "8", "0", "1").status, 0)
    has(bmcs.ipmitool(1, "raw", "0", "8", "0", "1").err, "rsp=0x81")
    has(bmcs.ipmitool(1, "raw", "0", "8", "5", "1").err, "rsp=0xc7")


# --- What goes wrong ------------------------------------------------------------------------------


@test
def slow(lab):
    """a slow chassis control: whoever asks again with new numbers acts again; others do not"""
    bmcs = BmcFleet(lab, "--state", "on", "--set", "all:control_delay_ms=700", devices=3)
    power(bmcs, "--reset", "--session-timeout=2500", "--retransmission-timeout=100")
    same(bmcs.counters()["power_reset"] > 1, True, "ipmipower numbers each request anew")
    same(bmcs.ipmitool(2, "-N", "10", "power", "reset").status, 0)
    same(bmcs.counters(2)["power_reset"], 1)
    same(bmcs.counters(2)["queued"], 0)


@test
def lossy(lab):
    """lost, late and doubled datagrams, either way: a client that asks again gets there"""
    bmcs = BmcFleet(lab, "--state", "on")
    patient = ("--stat", "--retransmission-timeout=100")
    for knobs in ({"drop_requests": 1}, {"drop_replies": 1}, {"drop_requests": 3},
                  {"late_next": 2, "late_ms": 150}, {"drop_percent": 25}):
        bmcs.set(1, **knobs)
        same(power(bmcs, *patient), "on", str(knobs))
        bmcs.set(1, **{name: 0 for name in knobs})
    same(bmcs.counters()["dropped"] >= 5, True)
    bmcs.set(1, duplicate=1)  # ipmipower 1.6.10 ends when an answer comes twice
    same(bmcs.ipmitool(1, "power", "status").out, "Chassis Power is on\n")


@test
def nonsense(lab):
    """wrong checksums, codes, sessions, cut and random answers: FreeIPMI takes none for an answer"""
    bmcs = BmcFleet(lab, "--state", "on")
    patient = ("--stat", "--retransmission-timeout=100")
    for knob in ("bad_checksum", "bad_auth_code", "bad_session_id", "truncate", "garbage"):
        bmcs.set(1, **{knob: 2})
        same(power(bmcs, *patient), "on", knob)
        same(bmcs.device()["knobs"][knob], 0, "all used up")


@test
def busy(lab):
    """C0h before and in a session, and codes for any command, so often or for ever"""
    bmcs = BmcFleet(lab, "--state", "on")
    bmcs.set(1, cc="00:01:d2*1")
    has(bmcs.ipmitool(1, "raw", "0", "1").err, "rsp=0xd2")
    same(bmcs.ipmitool(1, "raw", "0", "1").status, 0)
    bmcs.set(1, cc="00:01:c3,06:01:d5")
    for _ in range(2):
        has(bmcs.ipmitool(1, "raw", "0", "1").err, "rsp=0xc3")
    has(bmcs.ipmitool(1, "raw", "6", "1").err, "rsp=0xd5")
    bmcs.set(1, cc="no", busy_caps=1)
    same(power(bmcs, "--stat"), "BMC error")
    bmcs.set(1, busy_next=1)
    same(bmcs.freeipmi("ipmi-chassis", 1, "--get-chassis-status").status, 1)
    same(power(bmcs, "--stat"), "on")


@test
def reset_bmc(lab):
    """a reset: the session is gone, nobody answers, then it is there again; the host stays on"""
    bmcs = BmcFleet(lab, "--state", "on", "--set", "1:reset_ms=3600000", devices=2)
    same(bmcs.ipmitool(1, "mc", "reset", "cold").status, 0)
    same((bmcs.device()["sessions"], bmcs.counters()["cold_resets"]), (0, 1))
    same(power(bmcs, "--stat", "--session-timeout=500", "--retransmission-timeout=200"),
         "connection timeout")
    bmcs.set(2, reset_ms=50)
    same(bmcs.ipmitool(2, "mc", "reset", "warm").status, 0)
    same(power(bmcs, "--stat", "--retransmission-timeout=50", n=2), "on")


# --- What there is to read ------------------------------------------------------------------------


@test
def event_log(lab):
    """SEL: events of power, records from elsewhere, clear; ipmitool, ipmi-sel, pyghmi"""
    bmcs = BmcFleet(lab)
    has(bmcs.ipmitool(1, "sel", "info").out, "Entries          : 0")
    same(bmcs.ipmitool(1, "power", "on").status, 0)
    same(bmcs.ipmitool(1, "power", "off").status, 0)
    r = bmcs.ipmitool(1, "sel", "elist")
    same(len(r.lines), 2)
    has(r.lines[1], "Power off/down | Asserted")
    bmcs.set(1, sel="0000020000000020000401016f01ffff"[:32])
    same(bmcs.device()["sel"], 3)
    r = bmcs.freeipmi("ipmi-sel", 1, "--sdr-cache-directory", lab.folder)
    same(len(r.lines), 4, r)
    has(r.out, "Power Off/Power Down")
    same(len(bmcs.pyghmi(1, "print(json.dumps([e['event'] for e in c.get_event_log()]))")), 3)
    same(bmcs.ipmitool(1, "raw", "0x0a", "0x49", "0", "0x43", "0xdb", "0x70").status, 0)
    has(bmcs.ipmitool(1, "sel", "time", "get").out, "12/31/29 13:2")
    has(bmcs.ipmitool(1, "sel", "clear").out, "Clearing SEL")
    same(bmcs.device()["sel"], 0)
    bmcs.set(1, sel_capacity=1)
    bmcs.ipmitool(1, "power", "cycle")
    bmcs.ipmitool(1, "power", "on")
    bmcs.ipmitool(1, "power", "cycle")
    has(bmcs.ipmitool(1, "sel", "info").out, "Overflow         : true")


@test
def sensors(lab):
    """SDR and sensors: linear and scaled ones, thresholds, states; short reads, lost reservations"""
    bmcs = BmcFleet(lab, "--state", "on", devices=2)
    bmcs.set(2, sdr_max_read=20, sdr_cancel=2)
    for n in (1, 2):
        r = bmcs.ipmitool(n, "sdr", "elist", "full")
        for name, value in (("CPU Temp", "45 degrees C"), ("Inlet Temp", "22 degrees C"),
                            ("Fan 1", "3600 RPM"), ("12V", "11.97 Volts"), ("VBAT", "3.04 Volts"),
                            ("VRM Temp", "55 degrees C"), ("Power", "120 Watts")):
            line = [x for x in r.lines if x.startswith(name + " ")]
            has(line[0], value)
            has(line[0], "| ok ")
        cache = lab.path(f"cache{n}")
        os.mkdir(cache)
        r = bmcs.freeipmi("ipmi-sensors", n, "--sdr-cache-directory", cache, "--quiet-cache",
                          "--output-sensor-state")
        same(len(r.lines), 13, r)
        has(r.out, "11.97")
        has(r.out, "'Processor Presence detected'")
    bmcs.set(1, sensors="1:96,2:250")
    r = bmcs.ipmitool(1, "sdr", "list", "full")
    has(r.out, "CPU Temp         | 96 degrees C      | cr")
    has(r.out, "Inlet Temp       | -6 degrees C      | cr")
    bmcs.set(1, power="off")
    has(bmcs.ipmitool(1, "sdr", "list", "full").out, "CPU Temp         | no reading        | ns")
    r = bmcs.pyghmi(2, "print(json.dumps({s.name: s.value for s in c.get_sensor_data()}))")
    same((r["CPU Temp"], r["Fan 1"], round(r["VBAT"], 2)), (45.0, 3600.0, 3.04))


@test
def inventory(lab):
    """FRU: three areas whose checksums are right; short reads; a header that does not add up"""
    bmcs = BmcFleet(lab, devices=2)
    bmcs.set(2, fru_max_read=16)
    for n in (1, 2):
        r = bmcs.ipmitool(n, "fru", "print")
        has(r.out, "BMC stand-in board")
        cache = lab.path(f"cache{n}")
        os.mkdir(cache)
        r = bmcs.freeipmi("ipmi-fru", n, "--sdr-cache-directory", cache, "--quiet-cache")
        has(r.out, "FRU Product Serial Number: P")
        same("checksum" in r.out + r.err, False, r)
    bmcs.set(1, fru_bad_checksum=1)
    r = bmcs.freeipmi("ipmi-fru", 1, "--sdr-cache-directory", lab.path("cache1"), "--quiet-cache")
    has(r.out + r.err, "checksum")


@test
def identity(lab):
    """device id, GUID, LAN and session settings, as set"""
    bmcs = BmcFleet(lab, "--set", "1:manufacturer=0x2a7c", "--set", "1:product=0x0911", "--set",
                "1:firmware=3.88", "--set", "1:guid=00112233-4455-6677-8899-aabbccddeeff")
    r = bmcs.ipmitool(1, "mc", "info")
    for text in ("Manufacturer ID           : 10876", "Product ID                : 2321",
                 "Firmware Revision         : 3.88", "IPMI Version              : 2.0"):
        has(r.out, text)
    has(bmcs.freeipmi("bmc-info", 1, "--get-device-guid").out,
        "ffeeddcc-bbaa-9988-7766-554433221100")
    has(bmcs.ipmitool(1, "lan", "print", "1").out, "1,2,3,6,7,8,11,12,15,16,17")
    has(bmcs.ipmitool(1, "session", "info", "active").out, "IPMIv2/RMCP+")
    has(bmcs.ipmitool(1, "channel", "info", "1").out, "802.3 LAN")


# --- Serial over LAN ------------------------------------------------------------------------------


def chat(t, n=1):
    """Words with the terminal behind it."""
    t.expect(f"bmc{n}> ")
    t.send("echo hello\r")
    t.expect("\nhello\n")
    t.send("flood 3000\r")
    t.expect("".join(chr(97 + (i + i // 26) % 26) for i in range(3000)))
    t.expect(f"bmc{n}> ")


@test
def sol_ipmitool(lab):
    """sol activate: echo, much output, break, deactivation; lost and repeated packets"""
    bmcs = BmcFleet(lab, devices=2)
    for n, suite in ((1, 3), (2, 17)):
        if n == 2:
            bmcs.set(2, sol_drop=2, sol_repeat=3, sol_max_out=64, sol_retry_ms=50)
        with bmcs.console("ipmitool", n=n, suite=suite) as t:
            chat(t, n)
            t.send("\r~B")
            t.expect("[break 1]")
            t.send("\r~.")
            t.expect("[terminated ipmitool]")
            t.end()
        c = bmcs.counters(n)
        same((c["sol_breaks"], c["sol_lost"], c["sol_too_long"]), (1, 0, 0))
    same(c["sol_retries"] >= 2, True)
    bmcs.wait(lambda d: d["sessions"] == 0)


@test
def sol_ipmiconsole(lab):
    """ipmiconsole: the same; somebody else has it, or takes it"""
    bmcs = on_port_623(lab)
    for suite in (3, 17):
        with bmcs.console("ipmiconsole", suite=suite) as t:
            chat(t)
            t.send("&B")
            t.expect("[break 1]")
            t.send("&.")
            t.expect("closing the connection")
    bmcs.set(1, sol_taken="taken")
    r = bmcs.freeipmi("ipmiconsole", 1, "--dont-steal", version=None)
    has(r.out + r.err, "SOL in use")
    with bmcs.console("ipmiconsole") as t:
        chat(t)
        same(bmcs.device()["knobs"]["sol_taken"], "no", "it was stolen back")
        bmcs.set(1, sol_taken="held")
        t.expect("SOL session stolen")
    bmcs.set(1, sol_taken="no", sol_sizes="swapped")
    r = bmcs.freeipmi("ipmiconsole", 1, version=None)
    has(r.out + r.err, "BMC Implementation")
    bmcs.set(1, sol_drop=3, sol_drop_in=3, sol_repeat=5, sol_retry_ms=50)
    with bmcs.console("ipmiconsole", "-W", "solpayloadsize") as t:
        chat(t)
    same(bmcs.counters()["sol_lost"], 0)


@test
def sol_refused(lab):
    """one console only; disabled; too many; with encryption or without"""
    bmcs = BmcFleet(lab)
    activate = ("raw", "6", "0x48", "1", "1", "0", "0", "0", "0")
    with bmcs.console("ipmitool") as t:
        t.expect("bmc1> ")
        has(bmcs.ipmitool(1, *activate).err, "rsp=0x80")
        r = bmcs.ipmitool(1, "raw", "6", "0x4a", "1")
        same(r.out.split(), ["01", "01", "00"])
        same(bmcs.ipmitool(1, "sol", "deactivate").status, 0)
        same(bmcs.ipmitool(1, "raw", "6", "0x4a", "1").out.split(), ["01", "00", "00"])
    has(bmcs.ipmitool(1, "raw", "6", "0x48", "1", "2", "0", "0", "0", "0").err, "rsp=0x82")
    bmcs.set(1, sol_encryption="force")
    has(bmcs.ipmitool(1, *activate).err, "rsp=0x84")
    bmcs.set(1, sol_encryption="refuse")
    has(bmcs.ipmitool(1, "raw", "6", "0x48", "1", "1", "0x80", "0", "0", "0").err, "rsp=0x83")
    same(bmcs.ipmitool(1, "sol", "set", "enabled", "false", "1").status, 0)
    has(bmcs.ipmitool(1, *activate).err, "rsp=0x81")


@test
def sol_socket(lab):
    """a socket behind the serial line: Unix and TCP"""
    bmcs = BmcFleet(lab, devices=2)
    with tempfile.TemporaryDirectory() as folder:
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(folder + "/tty")
        tcp = socket.create_server(("127.0.0.1", 0))
        unix.listen()
        bmcs.set(1, sol_backend=f"unix:{folder}/tty")
        bmcs.set(2, sol_backend=f"tcp:127.0.0.1:{tcp.getsockname()[1]}")
        for n, server in ((1, unix), (2, tcp)):
            server.settimeout(60)
            with bmcs.console("ipmitool", n=n) as t:
                line = server.accept()[0]
                line.settimeout(60)
                line.sendall(b"login: ")
                t.expect("login: ")
                t.send("root\r")
                got = b""
                while not got.endswith(b"root\r"):
                    got += line.recv(100)
                line.sendall(b"x" * 100000 + b"end")
                t.expect("x" * 100000 + "end")
                line.close()
                t.expect("[serial line: closed]")
        unix.close()
        tcp.close()


# --- The program ----------------------------------------------------------------------------------


@test
def control_port(lab):
    """control: summary, ranges, JSON, mistakes are named and change nothing"""
    bmcs = BmcFleet(lab, devices=5)
    same(len(bmcs.call("GET", "/")["calls"]) >= 8, True)
    d = bmcs.call("GET", "/devices")
    same((d["count"], len(d["devices"])), (5, 5))
    same(len(bmcs.call("GET", "/devices/2-3")), 2)
    for n in (1, 1, 2):
        same(bmcs.ipmitool(n, "power", "status").status, 0)
    same([bmcs.totals()[k] for k in ("logins", "peak_sessions")], [3, 1], "sums, and the highest")
    bmcs.call("PUT", "/devices/1-2", '{"late_ms": 7, "ping": false}')
    same([x["knobs"]["late_ms"] for x in bmcs.call("GET", "/devices/1-3")], [7, 7, 1000])
    for knobs, word in (({"nope": 1}, "no such knob"), ({"late_ms": "x"}, "late_ms"),
                        ({"suites": "4"}, "suites"), ({"cc": "zz"}, "cc wants"),
                        ({"users": "x"}, "users"), ({"kg": "0x1"}, "kg"), ({"guid": "12"}, "guid"),
                        ({"sol_backend": "tcp:x"}, "sol_backend"), ({"auth_types": "md2"}, "md5"),
                        ({"open_status": 256}, "0 to 255"), ({"sensors": "9:1"}, "sensors"),
                        ({"refuse_control": "dance:01"}, "refuse_control")):
        before = bmcs.device()["knobs"]
        try:
            bmcs.set(1, **knobs)
        except AssertionError as why:
            has(str(why), word)
        else:
            raise AssertionError(f"{knobs} was taken")
        same(bmcs.device()["knobs"], before)
    same({k["knob"] for k in bmcs.call("GET", "/knobs")}, set(bmcs.device()["knobs"]))
    bmcs.set("all", open_status="0x1f")
    same(bmcs.device(5)["knobs"]["open_status"], 31)


@test
def usage(lab):
    """mistakes on the command line: exit 2 and a plain word; a password from a file; clean end"""
    bmcs = BmcFleet(lab)
    taken = str(bmcs.address()[1])
    for args, word in ((["--nope"], "no such option"), (["--devices", "0"], "from 1 to"),
                       (["--set", "1:x=1"], "no such knob"), (["--set", "99:ping=1"], "--set wants"),
                       (["--state", "asleep"], "on or off"), (["--address", "x"], "not an IP"),
                       (["--password", "123456789012345678901"], "1 to 20"),
                       (["--password-file", lab.path("none")], "cannot read"),
                       (["--port", taken, "--devices", "1"], "port is in use"),
                       (["--by-port", "--port", "65535"], "not that many ports"), (["x"], "x")):
        r = subprocess.run([BMCSIM, *args], capture_output=True, text=True, timeout=60, check=False)
        same(r.returncode, 2, str(args))
        has(r.stderr, word)
        same(len(r.stderr.splitlines()), 1, r.stderr)
    r = subprocess.run([BMCSIM, "--help"], capture_output=True, text=True, timeout=60, check=False)
    same((r.returncode, "--devices" in r.stdout), (0, True))
    other = BmcFleet(lab, "--password-file", lab.write("word", "Other1!\nignored\n"))
    same(power(other, "--stat", password="Other1!"), "off")
    with bmcs.console("ipmitool") as t:
        t.expect("bmc1> ")
        bmcs.sim.proc.send_signal(signal.SIGTERM)
        same(bmcs.sim.proc.wait(60), 0, "SIGTERM with a console open")


main()
