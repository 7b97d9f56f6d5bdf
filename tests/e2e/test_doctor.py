#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check: what it finds at each kind of device, how it says so, and that what mends it exists."""
import glob
import json
import os
import re
import subprocess

from amtlib import Fleet
from ipmilib import BmcFleet
from lib import SOURCE, basic, has, main, same, test
from redfishlib import USER, RedfishFleet
from schema import check_schema

DAY = 86400
# Where nothing is to be found: a version without known holes, and awake when the machine is off.
SOUND = {"firmware": "15.0.42", "power_package": 1}


def findings(lab, node, status=None):
    """{name: (class, what, mend)} of a node; the status is checked against the classes."""
    r = lab.run("check", "--json", node)
    line = r.json[0]
    found = line["result"]["findings"]
    faults = [f for f in found if f["class"] == "fault"]
    same((r.status, line["ok"], line["error"] is None), (1, False, False) if faults else
         (0, True, True), r)
    if faults:
        same((line["error"]["class"], line["error"]["message"].startswith(faults[0]["what"][:99])),
             ("state", True), line)
    if status is not None:
        same(r.status, status, r)
    return {f["name"]: (f["class"], f["what"], f.get("mend", "")) for f in found}


def finds(lab, node, name, kind, what, mend):
    """That finding and no other."""
    found = findings(lab, node)
    same(list(found), [name], found)
    same(found[name][0], kind, found)
    has(found[name][1], what)
    has(found[name][2], mend)


def mend(lab, *words):
    """What mends it is done, and nothing is left to be found."""
    r = lab.run(*words)
    same(r.status, 0, r)


# --- What is said, and how. ------------------------------------------------------------------


NULL = """nodes:
  n[1-3]: {driver: "null", state: "on", findings: ["info it is blue", "warning it is loud", "fault it burns"]}
  n4: {driver: "null", findings: ["info it is blue"]}
  n5: {driver: "null"}
  n6: {driver: "null", findings: ["odd is a fault"]}
  n7: {driver: "null", findings: ["fault it burns", "fault it falls"], fail_reads: auth}
  n8: {driver: "null", maintenance: "in a bath", findings: ["fault it burns"]}
"""


@test
def words(lab):
    """the state, then what was found, the worst first; a fault is a failure, a warning is none"""
    lab.inventory(NULL)
    mend = "; to mend: `powerctl set findings= n1` forgets it\n"
    r = lab.run("check", "n1")
    same((r.status, r.out), (1, f"n1: on\nn1: fault: it burns{mend}n1: warning: it is loud{mend}"
                                f"n1: info: it is blue{mend}"), r)
    r = lab.run("check", "n[4-5]")
    same((r.status, sorted(r.lines)[:2]), (0, ["n4: info: it is blue; to mend: `powerctl set "
                                               "findings= n4` forgets it", "n4: off"]), r)
    has(lab.run("check", "n6").out, "n6: fault: is a fault; ")
    r = lab.run("check", "n7")
    same((r.status, len(r.lines)), (1, 1), r)
    has(r.out, "n7: error: auth: ")
    same(lab.run("check", "n8").status, 0)
    r = lab.run("check", "--sort", "n[1-2]")
    same([line[:9] for line in r.lines], ["n1: on", "n1: fault", "n1: warni", "n1: info:",
                                          "n2: on", "n2: fault", "n2: warni", "n2: info:"], r)


@test
def folded(lab):
    """nodes with the same trouble are one line, behind all states, the worst first"""
    lab.inventory(NULL)
    r = lab.run("check", "--fold", "n[1-6]")
    mend = "; to mend: `powerctl set findings= NODE` forgets it"
    same((r.status, r.lines),
         (1, ["n[4-5]: off", "n[1-3]: on", "n6: off", f"n[1-3]: fault: it burns{mend}",
              f"n6: fault: is a fault{mend.replace('NODE', 'n6')}", f"n[1-3]: warning: it is loud{mend}",
              f"n[1-4]: info: it is blue{mend}"]), r)
    has(r.err, "2 off, 4 failed (4 state)")
    same([n["node"] for n in lab.run("list", "--json", "@failed").json], ["n1", "n2", "n3", "n6"])


@test
def as_json(lab):
    """findings are a list in the result, failed or not; the schema knows them"""
    lab.inventory(NULL)
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    for line in lab.run("check", "--json").json:
        check_schema(line, schema)
        if line["node"] == "n5":
            same((line["ok"], line["state"], line["result"]), (True, "off", {"findings": []}))
        if line["node"] == "n1":
            same((line["ok"], line["state"], line["error"]),
                 (False, "on", {"class": "state", "message": "it burns", "code": None}))
            same([f["class"] for f in line["result"]["findings"]], ["fault", "warning", "info"])
            same(line["result"]["findings"][0], {"class": "fault", "name": "told",
                 "what": "it burns", "mend": "`powerctl set findings= NODE` forgets it"})
    same(lab.run("check", "--exit-class", "n1").status, 1)


@test
def from_elsewhere(lab):
    """what comes from another driver is not looked at, and that is said"""
    lab.inventory("""nodes:
  n1: {driver: "null", console: {driver: ipmi, address: c1}, sensors: {driver: "null"}}
  n2: {driver: "null", findings: ["fault it burns"]}
""")
    finds(lab, "n1", "elsewhere", "info", "console (ipmi), sensors (null): from another driver", "")
    same(list(findings(lab, "n2")), ["told"])


@test
def of_several_feeds(lab):
    """of a node that outlets power as well it is the management processor that is looked at"""
    lab.inventory("""nodes:
  n1: {driver: "null", state: "on", address: m1, findings: ["fault it burns", "info it is blue"],
       power: [bmc, {driver: "null", address: o1, state: "on", findings: ["fault not asked"]}]}
  n2: {driver: "null", state: "on", address: m2, power: [bmc, {driver: "null", address: o2}],
       findings: ["info it is blue"]}
""")
    r = lab.run("check", "n1")
    same((r.status, [line.split("; ")[0] for line in r.lines]),
         (1, ["n1: on", "n1: fault: it burns", "n1: info: it is blue"]), r)
    r = lab.run("check", "n2")
    same((r.status, len(r.lines)), (1, 2), r)
    has(r.out, "n2: error: state: ")


@test
def changes_nothing(lab):
    """check sends only what reads; it takes no lock, and says what a driver can be asked"""
    fleet = Fleet(lab)
    fleet.reset()
    lab.run("check", "a1")
    reads = (".Get", ".Enumerate", ".Pull", ".GetLowAccuracyTimeSynch", ".EnumerateUserAclEntries",
             ".GetUserAclEntryEx", ".GetAclEnabledState")
    same([c for c in fleet.device(1)["log"] if not c.endswith(reads)], [])
    fleet.blameless()
    assert fleet.counters(1)["requests"] < 25, fleet.counters(1)
    has(lab.run("drivers", "amt").out, "check")
    same(lab.run("caps", "--json", "a1").json[0]["result"]["check"], True)


# --- AMT. ------------------------------------------------------------------------------------


def sound(lab, *args, **knobs):
    fleet = Fleet(lab, "--state", "on", tls=True, *args)
    fleet.set(1, **SOUND, redirection_state=32771, redirection_listener=1, kvm=1)
    same(findings(lab, "a1", 0), {}, "a sound machine")
    fleet.set(1, **knobs)
    return fleet


@test
def amt_clock(lab):
    """a clock that is wrong, or was never set; what mends it does"""
    fleet = sound(lab, clock_behind=299)
    same(findings(lab, "a1"), {})
    for knobs, what in (({"clock_behind": 330}, "minutes behind"),
                        ({"clock_behind": 7200}, "hours behind"),
                        ({"clock_behind": 3 * DAY}, "days behind"),
                        ({"clock_unset": 1}, "never set")):
        fleet.set(1, **knobs)
        finds(lab, "a1", "clock", "warning", what, "`powerctl amt time set=now NODE`")
    skew = lab.run("check", "-v", "a1").out
    assert re.search(r"never set \(skew_s: -\d+\); to mend", skew), skew
    mend(lab, "amt", "time", "set=now", "a1")
    same(findings(lab, "a1"), {})


@test
def amt_firmware(lab):
    """firmware with known holes: a fault where no login is needed; one that is not known"""
    fleet = sound(lab, firmware="11.8.78.3877")
    found = findings(lab, "a1", 1)["firmware"]
    same(found[0], "fault")
    has(found[1], "without a login: INTEL-SA-00391, INTEL-SA-00404")
    has(found[2], "11.8.80 or later")
    fleet.set(1, firmware="12.0.4")
    lines = [f for f in lab.run("check", "--json", "a1").json[0]["result"]["findings"]
             if f["name"] == "firmware"]
    same([f["class"] for f in lines], ["fault", "warning"], lines)
    has(lines[1]["what"], "12.0.4 has known holes: INTEL-SA-00141, INTEL-SA-00213")
    fleet.set(1, firmware="8.1.80")
    finds(lab, "a1", "firmware", "fault", "INTEL-SA-00112", "`powerctl amt unprovision NODE`")
    fleet.set(1, firmware="11.8.80")
    same(findings(lab, "a1"), {})
    fleet.set(1, firmware="twelve")
    finds(lab, "a1", "firmware", "info", "not known", "")
    fleet.set(1, firmware="", no_software_identity=1)  # the Server header has it: 12.0.67
    finds(lab, "a1", "firmware", "fault", "12.0.67", "12.0.70 or later")


@test
def amt_sleeps(lab):
    """a power package by which it is gone when the machine is off; what mends it does"""
    sound(lab, power_package=0)
    finds(lab, "a1", "power_package", "warning", "cannot be turned on",
          "`powerctl amt power-package set=1 NODE`")
    mend(lab, "amt", "power-package", "set=1", "a1")
    same(findings(lab, "a1"), {})


@test
def amt_consent(lab):
    """consent for the screen, for all, and in client control mode"""
    fleet = sound(lab, consent="kvm")
    finds(lab, "a1", "consent", "info", "the remote screen needs",
          "`powerctl amt features consent=none NODE`")
    fleet.set(1, consent="all")
    finds(lab, "a1", "consent", "warning", "boot devices", "features consent=none NODE")
    mend(lab, "amt", "features", "consent=none", "a1")
    same(findings(lab, "a1"), {})
    fleet.set(1, ccm=1)
    finds(lab, "a1", "consent", "warning", "client control mode", "admin control mode")
    fleet.set(1, absent="IPS_OptInService")
    finds(lab, "a1", "consent", "warning", "client control mode", "admin control mode")


@test
def amt_redirection(lab):
    """what is switched off: each by its name, and what switches it on does"""
    fleet = sound(lab, redirection_state=32768, redirection_listener=0, kvm=0)
    found = findings(lab, "a1", 0)
    same({n: f[0] for n, f in found.items()}, {"sol": "info", "ider": "info", "kvm": "info"}, found)
    for name in ("sol", "ider", "kvm"):
        same(found[name][2], f"`powerctl amt features {name}=true NODE`")
        mend(lab, "amt", "features", f"{name}=true", "a1")
        found.pop(name)
        same(findings(lab, "a1"), found)
    fleet.set(1, redirection_listener=0)
    finds(lab, "a1", "listener", "info", "nobody listens", "`powerctl amt features listener=true NODE`")
    fleet.set(1, redirection_listener=1, no_kvm=1)
    same(findings(lab, "a1"), {}, "what it does not have is not off")


@test
def amt_display(lab):
    """a remote screen of a machine without a display; not where it is off, or KVM is"""
    fleet = sound(lab, kvm_screens=0)
    finds(lab, "a1", "display", "warning", "nothing to see", "plug")
    fleet.set(1, power="off")
    same(findings(lab, "a1"), {})
    fleet.set(1, power="on", kvm=0)
    same(list(findings(lab, "a1")), ["kvm"])


@test
def amt_trust(lab):
    """a certificate that is over or ends soon; no TLS; a realm that is none of AMT's"""
    for ends, kind, what in ((-DAY, "fault", "has expired"), (20 * DAY, "warning", "30 days"),
                             (40 * DAY, None, None)):
        fleet = Fleet(lab, "--state", "on", tls=True)
        fleet.set(1, **SOUND, cert_ends=ends)
        lab.run("trust", "--forget", "a1")
        if kind:
            finds(lab, "a1", "certificate", kind, what, "`powerctl amt certs add=FILE")
        else:
            same(findings(lab, "a1"), {})
    fleet = Fleet(lab, "--state", "on")
    fleet.set(1, **SOUND)
    finds(lab, "a1", "tls", "info", "without TLS", "`powerctl amt tls certificate=ID enabled=true NODE`")
    fleet = sound(lab, told_realm=1)
    finds(lab, "a1", "realm", "warning", "none of AMT's", "`powerctl trust NODE`")


@test
def amt_users(lab):
    """a user who is disabled, and what mends it does; not where users are not shown"""
    fleet = sound(lab)
    lab.write("word", "Pass-w0rd")
    mend(lab, "amt", "users", "add=ann", f"password_file={lab.path('word')}", "realms=hardware", "a1")
    same(findings(lab, "a1"), {})
    mend(lab, "amt", "users", "disable=ann", "a1")
    mend(lab, "amt", "users", "disable=$$uns", "a1")  # the firmware's own
    finds(lab, "a1", "account", "info", "user 'ann' is disabled", "`powerctl amt users enable=USER NODE`")
    fleet.set(1, absent="AMT_AuthorizationService")
    same(findings(lab, "a1"), {})
    fleet.set(1, absent="no")
    mend(lab, "amt", "users", "enable=ann", "a1")
    same(findings(lab, "a1"), {})


@test
def amt_lacks(lab):
    """firmware that lacks a class, or refuses it, has the other findings all the same"""
    fleet = sound(lab, clock_behind=7200)
    for lacks in ("AMT_GeneralSettings", "AMT_RedirectionService", "IPS_OptInService",
                  "CIM_ElementSettingData", "AMT_SystemPowerScheme", "IPS_ScreenSettingData"):
        fleet.set(1, absent=lacks)
        same(findings(lab, "a1").get("clock", "")[0], "warning", lacks)
    fleet.set(1, absent="AMT_TimeSynchronizationService", power_package=0)
    same(list(findings(lab, "a1")), ["power_package"])


# --- IPMI. -----------------------------------------------------------------------------------


@test
def ipmi(lab):
    """the clock, beside time zones; logins without password; cipher suites 0 and 1"""
    fleet = BmcFleet(lab, "--set", "all:suites=3,17")
    same(findings(lab, "b1", 0), {}, "a sound BMC")
    for skew in (299, 3600, -7 * 3600, 5 * 3600 + 1800):  # what may be a zone is none of ours
        fleet.set(1, clock_skew=skew)
        same(findings(lab, "b1"), {}, skew)
    for skew, what in ((420, "minutes ahead"), (-2 * 3600 - 430, "hours behind"),
                       (30 * DAY, "days ahead"), (-1700000000, "never set")):
        fleet.set(1, clock_skew=skew)
        finds(lab, "b1", "clock", "warning", what, "BMC's own settings")
    fleet.set(1, clock_skew=3600, utc_offset_known=1)
    finds(lab, "b1", "clock", "warning", "hours ahead", "BMC's own settings")
    fleet.set(1, clock_skew=0, suites="0,3,17")
    finds(lab, "b1", "cipher_suite", "fault", "CVE-2013-4782", "suite 0")
    fleet.set(1, suite_level=0)
    same(findings(lab, "b1"), {}, "nobody may use it")
    fleet.set(1, suite_level=4, suites="1,3,17")
    finds(lab, "b1", "cipher_suite", "info", "suite 1", "suite 1")
    users = "admin:admin:secret"
    fleet.set(1, suites="3,17", users=f"{users},:admin:")
    finds(lab, "b1", "login", "fault", "without a user name and without a password", "user 1")
    fleet.set(1, users=f"{users},:admin:word")
    finds(lab, "b1", "login", "info", "a user without a name", "")
    fleet.set(1, users=users, auth_types="none,md5")
    finds(lab, "b1", "login", "fault", "type NONE", "")
    fleet.set(1, no_ipmi15=1)
    same(findings(lab, "b1"), {}, "IPMI 1.5 is off")


# --- Redfish. --------------------------------------------------------------------------------


@test
def redfish(lab):
    """health, the clock, accounts that are never locked, certificate, no TLS"""
    fleet = RedfishFleet(lab, tls=True)
    fleet.set(1, lock_after=5)
    same(findings(lab, "r1", 0), {}, "a sound service")
    fleet.set(1, clock_behind=3700)
    finds(lab, "r1", "clock", "warning", "hours behind", "BMC's own settings")
    fleet.set(1, clock_behind=0, health="Warning")
    finds(lab, "r1", "health", "warning", "needs attention", "`powerctl log NODE`")
    fleet.set(1, health="Critical")
    finds(lab, "r1", "health", "fault", "critical", "`powerctl sensors NODE`")
    fleet.set(1, health="OK", manager_health="Warning")
    finds(lab, "r1", "health", "warning", "the management controller", "`powerctl log NODE`")
    fleet.set(1, manager_health="OK", lock_after=0)
    finds(lab, "r1", "lockout", "info", "no number of wrong passwords", "AccountLockoutThreshold")
    fleet.set(1, lock_after=5, cert_ends=5 * DAY)
    lab.run("trust", "--forget", "r1")
    finds(lab, "r1", "certificate", "warning", "30 days", "BMC's own settings")
    fleet.inventory(tls=False)
    finds(lab, "r1", "tls", "warning", "without TLS", "`powerctl set tls=true NODE`")


@test
def redfish_accounts(lab):
    """an account that is locked, is disabled, or has an old password; a login that is locked"""
    fleet = RedfishFleet(lab, tls=True)
    fleet.set(1, lock_after=5, lock_s=600, second="locked")
    finds(lab, "r1", "account", "warning", "account 'admin2' is locked", "wait until")
    has(lab.run("check", "-v", "r1").out, "(unlock_s: 600)")
    fleet.set(1, lock_stays=1)
    finds(lab, "r1", "account", "warning", "account 'admin2' is locked", "not open by itself")
    fleet.set(1, second="disabled", second_ends=-1)
    finds(lab, "r1", "account", "info", "account 'admin2' is disabled", "enable it")
    for ends, what in ((-1, "has expired"), (29 * DAY, "expires in less")):
        fleet.set(1, second="enabled", second_ends=ends)
        finds(lab, "r1", "account", "warning", "of account 'admin2' " + what, "give it a new one")
    fleet.set(1, second_ends=31 * DAY)
    same(findings(lab, "r1"), {})
    fleet.set(1, no_accounts=1, second="locked")
    same(findings(lab, "r1"), {}, "who shows no accounts")
    for _ in range(5):
        fleet.ask("GET", "/redfish/v1/Systems", tls=True, login=False,
                  Authorization=basic(USER, "wrong"))
    r = lab.run("check", "r1")
    same(r.status, 1, r)
    has(r.out, "password was refused, or the account is locked (HTTP 401)")
    has(r.out, "wait some minutes")
    fleet.set(1, lock_tells=1)
    r = lab.run("check", "--try-anyway", "r1")
    has(r.out, "error: auth: user 'admin' was refused: The account is locked.")


# --- What mends. -----------------------------------------------------------------------------


def commands_of(driver):
    """The commands that a driver's sources name as mending something."""
    found = set()
    for path in glob.glob(os.path.join(SOURCE, "plugins", driver, "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            text = re.sub(r'"\s*\n\s*"', "", f.read())
        if "pctl_finding_" in text:
            found.update(re.findall(r"`powerctl ([^`]*)`", text))
    return sorted(found)


@test
def mends_exist(lab):
    """every command that a driver says mends something is one that the program takes"""
    pem = lab.write("cert.pem", "")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                    "-subj", "/CN=a1", "-addext", "basicConstraints=critical,CA:FALSE",
                    "-keyout", lab.path("key.pem"), "-out", lab.path("leaf.pem")],
                   check=True, capture_output=True)
    with open(pem, "w", encoding="ascii") as f:
        f.write(lab.read("leaf.pem") + lab.read("key.pem"))
    for driver, least, make, node in (("amt", 8, Fleet, "a1"), ("redfish", 3, RedfishFleet, "r1"),
                                      ("null", 1, None, "n4")):
        commands = commands_of(driver)
        assert len(commands) >= least, commands
        if make:
            make(lab, "--state", "on")
        else:
            lab.inventory(NULL)
        for command in commands:
            words = re.sub(r"%[.0-9]*s", "kvm" if "features" in command else "1", command)
            for word, value in (("NODE", node), ("FILE", lab.path("cert.pem")), ("=ID", "=1")):
                words = words.replace(word, value)
            words = words.replace("=USER", "=$$uns")
            dry = ["--dry-run"] if words.startswith(("amt ", "passwd ")) else []
            r = lab.run(*dry, *words.split())
            same(r.status, 0, f"{command}: {r}")


if __name__ == "__main__":
    main()
