#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""passwd: whatever interrupts a change of passwords, no machine is lost, and the next run ends it."""
import base64
import contextlib
import ctypes
import hashlib
import os
import resource
import shutil
import subprocess

import amtlib
import ipmilib
import lib
from lib import bad, has, same, test
from passwdlib import GENERATE, RESUME, killed, pending, still_works, stored

OLD = amtlib.PASSWORD
GOOD = "New-Passw0rd"


def curl(fleet, n, password, user="admin"):
    """What somebody else's client is answered, as an HTTP status: 401 is a refused login."""
    done = subprocess.run(
        ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--max-time", "30", "--noproxy", "*",
         "--digest", "-K", "-", f"http://127.0.0.1:{fleet.ports(n)[0]}/wsman"],
        input=f'user = "{user}:{password}"\ndata = "<x/>"\n', capture_output=True, text=True,
        timeout=lib.PATIENCE, check=True)
    return int(done.stdout)


def takes(fleet, n, password, user="admin"):
    return curl(fleet, n, password, user) != 401


def new_of(fleet):
    with open(fleet.secret + ".pending", encoding="utf-8") as f:
        line = next(one for one in f.read().splitlines() if one.startswith("secret "))
    return bytes.fromhex(line.split(" ")[1]).decode()


def amt(lab, devices=2, *args, **how):
    """Three bad logins lock an account for good: nothing here may ever come near that."""
    fleet = amtlib.Fleet(lab, *args, devices=devices, **how)
    fleet.set("all", lock_after=3, lock_within_s=3600, lock_s=3600)
    return fleet


def all_have(fleet, password, count=2):
    for n in range(1, count + 1):
        assert takes(fleet, n, password), f"a{n} does not take {password}"
        assert not takes(fleet, n, OLD), f"a{n} still takes the old one"


def ended(fleet, result, count=2):
    """All of it is done, and nobody was locked out on the way."""
    same(result.status, 0, result)
    same(pending(fleet), None, "pending")
    same(os.listdir(os.path.dirname(fleet.secret)), [os.path.basename(fleet.secret)], "secrets")
    same(fleet.totals()["r401_locked"], 0, "locked out")
    assert stored(fleet) != OLD
    all_have(fleet, stored(fleet), count)


# --- All is well. -----------------------------------------------------------------------------


@test
def amt_changes(lab):
    """AMT: every machine gets the new password, which then is the stored one"""
    fleet = amt(lab)
    mode = os.stat(fleet.secret)
    r = lib.good(lab.run(*GENERATE, "a[1-2]"), "a1: ok", "a2: ok")
    ended(fleet, r)
    password = stored(fleet)
    same(len(password), 16)
    for kind in (str.isupper, str.islower, str.isdigit, lambda c: not c.isalnum()):
        assert any(map(kind, password)), "a class is missing"
    same(os.stat(fleet.secret).st_mode, mode.st_mode)
    same(fleet.counters(1)["set_password"], 1)
    still_works(lab, "a1", "a2")
    has(lab.run("history", "a1").out, "passwd")


@test
def given_and_typed(lab):
    """A password from a file, from standard input, from a terminal twice; the rules are looked at before"""
    fleet = amt(lab, 1)
    for word, why in (("short", "too short"), ("lower-case-0", "upper case"), ("Colon:Passw0rd", "none of"),
                      ("A" * 30 + "a0-", "too long"), (OLD, "is the old one"), ("Bl ank-Passw0rd", "blanks")):
        r = bad(lab.run("passwd", "--password-stdin", "-y", "a1", stdin=word + "\n"), 2)
        has(r.err, why)
        assert word not in r.out + r.err or word == "short", r
    same(fleet.counters()["requests"], 0, "something was sent")
    file = lab.write("new", GOOD + "\n")
    ended(fleet, lab.run("passwd", "--password-file", file, "-y", "a1"), 1)
    same(stored(fleet), GOOD)
    t = lab.terminal("passwd", "a1")
    t.expect("New password: ")
    t.wait_echo(False)
    t.send("Typed-Passw0rd\n")
    t.expect("Once more: ")
    t.send("Typed-Passw0rd\n")
    t.expect("Go on? [y/N]")
    t.wait_echo(True)
    t.send("y\n")
    same(t.end(), 0, t.seen)
    assert "Typed-" not in t.seen, t.seen
    ended(fleet, lab.run("status", "a1"), 1)
    same(stored(fleet), "Typed-Passw0rd")
    has(bad(lab.run("passwd", "a1"), 2).err, "--generate makes one up")
    has(bad(lab.run("passwd", "--generate", "a1"), 2).err, "has to be confirmed")
    has(bad(lab.run("passwd", "--generate"), 2).err, "no NODES are given")
    has(bad(lab.run("passwd", "--generate", "--password-stdin", "a1"), 2).err, "give one of them")
    has(bad(lab.run("passwd", "--generate", "--resume"), 2).err, "leave the other option out")


@test
def another_user(lab):
    """AMT: a user who is not the administrator keeps his realms"""
    fleet = amt(lab, 1, "--user", "operator")
    fleet.inventory(credential=f"{{username: operator, password_file: {fleet.secret}}}")
    lib.good(lab.run(*GENERATE, "a1"), "a1: ok")
    assert takes(fleet, 1, stored(fleet), "operator") and not takes(fleet, 1, OLD, "operator")


@test
def ipmi_changes(lab):
    """IPMI: ipmitool logs in with the new password and not with the old one; 1.5 as well"""
    for protocol in ("2.0", "1.5"):
        fleet = ipmilib.BmcFleet(lab, devices=2, settings=f"protocol: '{protocol}'")
        secret = lab.path("config/powerctl/secrets/ipmi")
        lib.good(lab.run(*GENERATE, "-a"), "b1: ok", "b2: ok")
        with open(secret, encoding="utf-8") as f:
            password = f.read()
        same(len(password), 16)
        assert fleet.ipmitool(1, "power", "status", password=ipmilib.PASSWORD).status
        for n in (1, 2):
            has(fleet.ipmitool(n, "power", "status", password=password, version=protocol).out, "off")
        lib.good(lab.run("status", "-a"), "b1: off", "b2: off")


@test
def ipmi_sim_changes(lab):
    """IPMI: OpenIPMI's ipmi_sim takes the new password too"""
    sim = lab.keep(ipmilib.IpmiSim(lab.path("sim"), 1))
    sim.inventory(lab)
    lib.good(lab.run(*GENERATE, "c1"), "c1: ok")
    lib.good(lab.run("status", "c1"), "c1: off")
    password = lab.read("config/powerctl/secrets/ipmi")
    has(ipmilib.ipmitool(sim.addresses[0], sim.port, "power", "status", password=password).out, "off")


@test
def nothing_leaks(lab):
    """Neither password, nor what can be made of them, is in output, traces, history or any other file"""
    fleet = amt(lab, 1)
    ipmi = ipmilib.BmcFleet(lab, devices=1)
    secret = ipmilib.secret(lab, ipmilib.PASSWORD)
    fleet.inventory(more="  b1: {driver: ipmi, address: 127.0.0.1, username: admin, "
                    f"port: {ipmi.port(1)}, password_file: {secret}}}\n")
    r = lab.run(*GENERATE, "--trace", "-vv", "--json", "-a")
    same(r.status, 0, r)
    words = []
    for path, old in ((fleet.secret, OLD), (secret, ipmilib.PASSWORD)):
        with open(path, encoding="utf-8") as f:
            words += [f.read(), old]
    words += [word.encode().hex() for word in words] + \
        [" ".join(f"{b:02x}" for b in word.encode()) for word in words]
    realm = fleet.device(1)["realm"]
    for word in (stored(fleet), OLD):
        hashed = hashlib.md5(f"admin:{realm}:{word}".encode())  # what is as good as the password
        words += [base64.b64encode(hashed.digest()).decode(), hashed.hexdigest()]
    # "secret" stands for itself in the trace ("(secret)").
    words = [word for word in words if word != ipmilib.PASSWORD]
    for word in words:
        assert word not in r.out + r.err, f"{word} is in {r}"
    assert "DigestPassword" not in r.err
    for folder, _, names in os.walk(lab.folder):
        for name in names:
            path = os.path.join(folder, name)
            if path in (fleet.secret, secret) or not os.path.isfile(path):
                continue
            with open(path, "rb") as f:
                data = f.read()
            for word in words:
                assert word.encode() not in data, f"{word} is in {path}"


@test
def hundred(lab):
    """A hundred machines with one password, of which some are dead, or say no: they are waited for"""
    count = lib.many(100)
    fleet = amt(lab, count, own={3: "timeouts: {connect: 1s, answer: 2s, read: 2s}"})
    dead = (3, count - 1)
    fleet.set(3, hang="all")
    fleet.set(count - 1, passwd="refuse")
    r = lab.run(*GENERATE, "-a")
    same(r.status, 1, r)
    states = pending(fleet)
    same({n for n, s in states.items() if s != "new"}, {f"a{n}" for n in dead})
    same(stored(fleet), OLD)
    fleet.set("all", passwd="do", hang="no")
    still_works(lab, *(f"a{n}" for n in range(1, count + 1)))
    ended(fleet, lab.run(*RESUME), count)
    same(fleet.totals()["set_password"], count, "some were set twice")


# --- Interrupted. -----------------------------------------------------------------------------


@test
def killed_before_it_is_sent(lab):
    """SIGKILL before anything has left: the old password holds, and --resume ends it"""
    fleet = amt(lab)
    fleet.set("all", hang="all")
    killed(lab, lambda: fleet.totals()["requests"] >= 2)
    same(set(pending(fleet).values()), {"sent"})
    fleet.set("all", hang="no")
    still_works(lab, "a1", "a2")
    same(stored(fleet), OLD)
    ended(fleet, lab.run(*RESUME))


@test
def killed_with_many(lab):
    """SIGKILL with more machines than a login is tried on first: no command gives up any of them"""
    count = 12
    fleet = amt(lab, count)
    fleet.set("all", hang="all")
    killed(lab, lambda: fleet.totals()["requests"] >= 4)
    rewrite(fleet, "old ", "sent ")
    fleet.set("all", hang="no")
    for _ in range(3):
        still_works(lab, *(f"a{n}" for n in range(1, count + 1)))
    fleet.set("7-12", passwd="mute")
    killed(lab, lambda: fleet.totals()["set_password"] == count, RESUME)
    fleet.set("all", passwd="do")
    shutil.rmtree(lab.path("cache", "powerctl"), ignore_errors=True)  # who refused what is forgotten
    for _ in range(3):
        still_works(lab, *(f"a{n}" for n in range(1, count + 1)))
    ended(fleet, lab.run(*RESUME), count)


@test
def doubt_stays_here(lab):
    """What machines refuse that still have the old password keeps nobody from those that have the new one"""
    fleet = amt(lab, 8)
    fleet.set("5-8", passwd="hang")
    killed(lab, lambda: fleet.totals()["asked_password"] == 8)
    for n in range(1, 5):
        rewrite(fleet, f"sent a{n}\n", f"new a{n}\n")
    fleet.set("all", passwd="do")
    lib.good(lab.run("status", "a[5-8]"), *(f"a{n}: off" for n in range(5, 9)))
    lib.good(lab.run("status", "a[1-4]"), *(f"a{n}: off" for n in range(1, 5)))
    still_works(lab, *(f"a{n}" for n in range(1, 9)))
    ended(fleet, lab.run(*RESUME), 8)


@test
def killed_in_the_middle(lab):
    """SIGKILL while a device has the request and did nothing, or all of it, and says nothing"""
    for how in ("hang", "mute"):
        with lib.Lab() as own:
            fleet = amt(own)
            fleet.set(2, passwd=how)
            killed(own, lambda f=fleet: f.totals()["asked_password"] == 2)
            same(pending(fleet), {"a1": "sent", "a2": "sent"}, how)
            new = new_of(fleet)
            same(takes(fleet, 2, new), how == "mute", how)
            fleet.set("all", passwd="do")
            still_works(own, "a1", "a2")
            same(stored(fleet), OLD)
            ended(fleet, own.run(*GENERATE, "a[1-2]"))  # the same command does as well
            same(stored(fleet), new, "it was another one")


@test
def killed_while_it_verifies(lab):
    """SIGKILL between the answer and the login that verifies it"""
    fleet = amt(lab)
    fleet.set(1, passwd="do")
    fleet.set(2, passwd="mute")
    killed(lab, lambda: fleet.totals()["set_password"] == 2)
    fleet.set("all", hang="all", passwd="do")
    killed(lab, lambda n=fleet.totals()["requests"]: fleet.totals()["requests"] > n, RESUME)
    same(pending(fleet), {"a1": "sent", "a2": "sent"})
    fleet.set("all", hang="no")
    ended(fleet, lab.run(*RESUME))
    same(fleet.totals()["set_password"], 2, "what was taken was set again")


@test
def noted_long_ago(lab):
    """A node that took it once and takes it no more: the old password stays until all have the new one"""
    fleet = amt(lab)
    fleet.set(2, passwd="refuse")
    bad(lab.run(*GENERATE, "-a"), 1, "a1: ok")
    fleet.set("all", passwd="do")
    fleet.set(1, password=OLD)
    r = bad(lab.run(*RESUME, "a2"), 1, "a2: ok")  # nobody asked a1
    has(r.err, "a[1-2] took the new one before, and a login now is what the file waits for")
    same((stored(fleet), pending(fleet)), (OLD, {"a1": "new", "a2": "new"}))
    r = lab.run(*RESUME)
    lib.good(r, "a1: ok", "a2: ok")
    ended(fleet, r)


def rewrite(fleet, old, new):
    with open(fleet.secret + ".pending", encoding="utf-8") as f:
        text = f.read()
    with open(fleet.secret + ".pending", "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


@test
def killed_at_the_end(lab):
    """Ended when all had it: before the file's turn, and between the two files; a line that was cut"""
    fleet = amt(lab)
    fleet.set("all", passwd="mute")
    killed(lab, lambda: fleet.totals()["set_password"] == 2)
    fleet.set("all", passwd="do")
    rewrite(fleet, "sent a", "new a")
    new = new_of(fleet)
    with open(fleet.secret + ".pending", "a", encoding="utf-8") as f:
        f.write("sent a1")  # and no line break
    with open(fleet.secret + ".pending", encoding="utf-8") as f:
        text = f.read()
    still_works(lab, "a1", "a2")
    lib.good(lab.run(*RESUME), "a1: ok", "a2: ok")
    same(fleet.totals()["set_password"], 2, "what was taken was set again")
    ended(fleet, lab.run("status", "-a"))
    lab.write("config/powerctl/secrets/amt.pending", text)
    still_works(lab, "a1", "a2")
    ended(fleet, lab.run(*RESUME))
    same(stored(fleet), new)
    r = lab.run(*RESUME)
    same((r.status, r.out), (0, ""), r)
    has(r.err, "no change of a password is pending")


@test
def killed_bmc(lab):
    """IPMI: SIGKILL when the BMC has it and said nothing; and when it has not"""
    for how in ("lose", "hang"):
        with lib.Lab() as own:
            fleet = ipmilib.BmcFleet(own, devices=2)
            fleet.set("all", lockout_after=3, lockout_ms=86400000)
            fleet.set("all", passwd=how)
            killed(own, lambda f=fleet: f.counters(1)["passwords_asked"] and
                   f.counters(2)["passwords_asked"])
            fleet.set("all", passwd="do")
            still_works(own, "b1", "b2")
            lib.good(own.run(*RESUME), "b1: ok", "b2: ok")
            same(os.listdir(own.path("config/powerctl/secrets")), ["ipmi"])
            lib.good(own.run("status", "-a"), "b1: off", "b2: off")
            same(fleet.totals()["locked_out"], 0)


@test
def interrupted(lab):
    """^C: what is not known is said, and --resume ends it"""
    fleet = amt(lab)
    fleet.set(2, passwd="mute")
    proc = lab.start(*GENERATE, "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lib.until("both were asked", lambda: fleet.totals()["asked_password"] == 2)
    proc.send_signal(2)
    out, err = proc.communicate(timeout=lib.PATIENCE)
    same(proc.returncode, 130, (out, err))
    for node in ("a1", "a2"):
        has(out, f"{node}: error: outcome_unknown: interrupted; the new password was sent, and "
                 "whether it is taken is not known; `powerctl passwd --resume` goes on")
    has(err, "whether a[1-2] took the new one is not known; the new one is pending in")
    assert "keeps the old password" not in err, err
    fleet.set("all", passwd="do")
    ended(fleet, lab.run(*RESUME))


@test
def interrupted_early(lab):
    """^C before a password was sent: --resume is named only where it finds something"""
    fleet = amt(lab)
    fleet.set("all", latency_ms=5000)
    goes_on = "; `powerctl passwd --resume` goes on"
    for sent in (False, True):
        if sent:
            fleet.set(1, latency_ms=0, passwd="mute")
        before = fleet.counters(2)["requests"]
        proc = lab.start(*GENERATE, "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lib.until("it is at that point", lambda: fleet.counters(2)["requests"] > before
                  and fleet.counters(1)["asked_password"] == sent)
        proc.send_signal(2)
        out, err = proc.communicate(timeout=lib.PATIENCE)
        same(proc.returncode, 130, (out, err))
        canceled = "a2: error: canceled: interrupted; the new password was not sent"
        has(out, canceled + (goes_on if sent else "") + "\n")
        if not sent:
            assert "--resume" not in out + err, (out, err)
            has(err, "is as it was: no node took a new password")
            same(pending(fleet), None)
            has(lab.run(*RESUME).err, "no change of a password is pending")
    same(pending(fleet), {"a1": "sent", "a2": "old"})
    fleet.set("all", latency_ms=0, passwd="do")
    ended(fleet, lab.run(*RESUME))


# --- Devices that do otherwise. ----------------------------------------------------------------


@test
def answer_lost(lab):
    """The answer is lost and the password changed: a login tells, and nothing is sent twice"""
    fleet = amt(lab, 1)
    fleet.set(1, passwd="lose")
    ended(fleet, lab.run(*GENERATE, "a1"), 1)
    same(fleet.counters()["asked_password"], 1)


@test
def device_refuses(lab):
    """All refuse: nothing is pending. One refuses: it keeps the old one until it does not"""
    fleet = amt(lab)
    fleet.set("all", passwd="refuse")
    r = bad(lab.run(*GENERATE, "-a"), 1, "a1: error: refused", "a2: error: refused")
    has(r.err, "is as it was: no node took a new password")
    same((pending(fleet), stored(fleet)), (None, OLD))
    fleet.set(1, passwd="do")
    r = bad(lab.run(*GENERATE, "-a"), 1, "a1: ok", "a2: error: refused")
    has(r.err, "keeps the old password for a2")
    same(pending(fleet), {"a1": "new", "a2": "old"})
    still_works(lab, "a1", "a2")
    has(bad(lab.run("passwd", "--password-stdin", "-y", "-a", stdin=GOOD + "\n"), 2).err,
        "a change is pending")
    fleet.set(2, passwd="do")
    ended(fleet, lab.run(*GENERATE, "-a"))


@test
def device_lies(lab):
    """It says that it took the password, and did not: the old one holds, and that is said"""
    fleet = amt(lab, 1)
    fleet.set(1, passwd="ignore")
    bad(lab.run(*GENERATE, "a1"), 1, "still takes only the old one")
    same((pending(fleet), stored(fleet)), (None, OLD))
    still_works(lab, "a1")
    with lib.Lab() as own:
        fleet = ipmilib.BmcFleet(own, devices=2)
        fleet.set(1, passwd="ignore")
        fleet.set(2, passwd="lie")
        bad(own.run(*GENERATE, "-a"), 1, "b1: error: refused: the password is as it was (Set User Password (test)",
            "b2: error: refused: it said that it took")
        lib.good(own.run("status", "-a"), "b1: off", "b2: off")


@test
def told_another_realm(lab):
    """AMT: its settings tell another realm than its login: nothing is sent, the old password holds"""
    new = lab.write("new", GOOD + "\n")
    for user in ("admin", "operator"):
        fleet = amt(lab, 1, "--user", user)
        fleet.set(1, told_realm=1)
        fleet.inventory(credential=f"{{username: {user}, password_file: {fleet.secret}}}")
        r = bad(lab.run("passwd", "--password-file", new, "-y", "a1"), 1,
                "a1: error: trust: no password was sent", "for the realm 'Digest:", "say 'gateway'",
                "the address of the device itself")
        has(r.err, "is as it was: no node took a new password")
        same((pending(fleet), stored(fleet)), (None, OLD))
        assert takes(fleet, 1, OLD, user), user
        still_works(lab, "a1")
        same(fleet.counters()["asked_password"], 0, "it was sent")
    fleet.set(1, told_realm=0)
    lib.good(lab.run("passwd", "--password-file", new, "-y", "a1"), "a1: ok")
    assert takes(fleet, 1, GOOD, "operator")


@test
def wrong_password(lab):
    """The stored password is wrong: it is tried once, and nothing is pending"""
    fleet = amt(lab, 1)
    with open(fleet.secret, "w", encoding="utf-8") as f:
        f.write("Wr0ng-Password")
    bad(lab.run(*GENERATE, "a1"), 1, "a1: error: auth")
    same(pending(fleet), None)
    same(fleet.counters()["r401_bad"], 1)


# --- This side. -------------------------------------------------------------------------------


@test
def two_names(lab):
    """Two names of one machine: the second finds it done"""
    fleet = amt(lab, 1)
    port = fleet.ports(1)[0]
    fleet.inventory(more=f"  again: {{class: stand-in, address: 127.0.0.1, port: {port}, "
                    f"tls_port: {fleet.ports(1)[1]}}}\n")
    r = lib.good(lab.run(*GENERATE, "-a"), "a1: ok", "again: ok")
    ended(fleet, r, 1)


@test
def two_at_once(lab):
    """A second one is told, and changes nothing"""
    fleet = amt(lab)
    fleet.set("all", passwd="mute")
    proc = lab.start(*GENERATE, "-a", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lib.until("the first is at it", lambda: fleet.totals()["asked_password"] == 2)
    has(bad(lab.run(*GENERATE, "-a"), 2).err, "another powerctl is changing passwords")
    has(bad(lab.run(*RESUME), 2).err, "another powerctl is changing passwords")
    proc.kill()
    proc.wait()
    fleet.set("all", passwd="do")
    ended(fleet, lab.run(*RESUME))


@test
def full_disk(lab):
    """No room for the new password: nothing is sent. None for what is noted later: nothing is lost"""
    fleet = amt(lab)
    before = os.listdir(os.path.dirname(fleet.secret))

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    proc = lab.start(*GENERATE, "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                     preexec_fn=no_room, restore_signals=False)
    out, err = proc.communicate(timeout=lib.PATIENCE)
    same((proc.returncode, out), (1, ""), err)
    has(err, "nothing was sent")
    same(fleet.totals()["requests"], 0)
    same((os.listdir(os.path.dirname(fleet.secret)), stored(fleet)), (before, OLD))

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (80, 80))

    # Its first line, the secret and one line a node are 19 + 40 + 14 bytes: a mark fits no more.
    proc = lab.start(*GENERATE, "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                     preexec_fn=little_room, restore_signals=False)
    out, err = proc.communicate(timeout=lib.PATIENCE)
    same(proc.returncode, 1, (out, err))
    for n in (1, 2):
        has(out, f"a{n}: error: internal: nothing was sent: ")
    same(fleet.totals()["asked_password"], 0)
    still_works(lab, "a1", "a2")
    ended(fleet, lab.run(*GENERATE, "-a"))


def as_others():
    """root's powers over permissions are gone with these capabilities."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
    ctypes.CDLL(None).prctl(24, 2, 0, 0, 0)  # CAP_DAC_READ_SEARCH


@test
def read_only_folder(lab):
    """A folder that cannot be written: nothing is sent"""
    fleet = amt(lab, 1)
    folder = os.path.dirname(fleet.secret)

    os.chmod(folder, 0o500)
    with contextlib.ExitStack() as after:
        after.callback(os.chmod, folder, 0o700)
        proc = lab.start(*GENERATE, "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         preexec_fn=as_others)
        out, err = proc.communicate(timeout=lib.PATIENCE)
    same((proc.returncode, out), (1, ""), err)
    has(err, "nothing was sent")
    same((fleet.totals()["requests"], stored(fleet)), (0, OLD))


@test
def what_cannot_be_changed(lab):
    """Passwords that are in no file, or in one that others have as well: said before anything is sent"""
    fleet = amt(lab)
    r = bad(lab.run(*GENERATE, "a1"), 2)
    has(r.err, "a2: has the same file for its password; name it too")
    fleet.inventory(credential="{username: admin, password_env: AMT_PW}")
    has(bad(lab.run(*GENERATE, "a1", env={"AMT_PW": OLD}), 2).err, "comes from a variable; only one that")
    fleet.inventory(credential=f"{{username: admin, password: {OLD}}}")
    has(bad(lab.run(*GENERATE, "a1"), 2).err, "stands in the inventory itself")
    fleet.inventory(credential=f"{{username: admin, password_command: [echo, {OLD}]}}")
    has(bad(lab.run(*GENERATE, "a1"), 2).err, "comes from a program")
    fleet.inventory(more="  w1: {driver: wol, address: 127.0.0.1, mac: '02:00:00:00:00:01'}\n"
                    "  f1: {driver: 'null', console: {driver: amt, password_file: "
                    f"{fleet.secret}}}}}\n")
    has(bad(lab.run(*GENERATE, "w1"), 2).err, "w1: driver wol cannot change its password")
    has(bad(lab.run(*GENERATE, "a[1-2]"), 2).err, "f1: `console` has the same file")
    r = bad(lab.run(*GENERATE, f"amt://admin@127.0.0.1:{fleet.ports(1)[0]}", env={"POWERCTL_PASSWORD": OLD}), 2)
    has(r.err, "no file that stays")
    same(fleet.totals()["requests"], 0)


@test
def dry_run(lab):
    """--dry-run says who would get one; neither disk nor wire see anything"""
    fleet = amt(lab)
    lib.good(lab.run("passwd", "--generate", "--dry-run", "-a"),
             *(f"a{n}: ok: would set a new password for 'admin'" for n in (1, 2)))
    same((fleet.totals()["requests"], pending(fleet)), (0, None))


@test
def maintenance(lab):
    """A node in maintenance is left out, its file waits for it, and that is no success"""
    fleet = amt(lab)
    lib.good(lab.run("set", "maintenance=a new disk", "a2"))
    r = bad(lab.run(*GENERATE, "-a"), 1, "a1: ok", "a2: skipped")
    has(r.err, "keeps the old password for a2")
    lib.good(lab.run("set", "maintenance=", "a2"))
    still_works(lab, "a1", "a2")
    ended(fleet, lab.run(*RESUME))


@test
def doubt_and_hooks(lab):
    """Nodes that may have either password, and hooks in between: they go on with the one that was taken"""
    count = 5  # more than a login is tried on first
    fleet = amt(lab, count)
    same(lab.run("on", "-a").status, 0)
    fleet.inventory(more="hooks: {h: {before: off, run: [hooks/h]}}\n")
    sent = "".join(f"sent a{n}\n" for n in range(1, count + 1))
    for name, text, mode in (("hooks/h", "#!/bin/sh\n", 0o700),
                             ("secrets/amt.pending", f"powerctl-pending 1\nsecret 6e6577\n{sent}", 0o600)):
        os.chmod(lab.write(f"config/powerctl/{name}", text), mode)
    lib.good(lab.run("off", "-a"), *(f"a{n}: off" for n in range(1, count + 1)))
    same(fleet.totals()["r401_bad"], count)


def left_over(lab, states, more=""):
    """A change that was interrupted, of nodes n1, n2, ... of the null driver, which take any password."""
    lines = "".join(f"{state} n{n}\n" for n, state in enumerate(states, 1))
    for name, text in (("n", "old"), ("n.pending", f"powerctl-pending 1\nsecret 6e6577\n{lines}")):
        os.chmod(lab.write(f"config/powerctl/secrets/{name}", text), 0o600)
    lab.inventory(f"nodes:\n  'n[1-{len(states)}]': {{driver: 'null', password_file: secrets/n}}\n{more}")


def kept(lab):
    """What is the secret, and what is pending of each node."""
    lines = lab.read("config/powerctl/secrets/n.pending").splitlines()
    return lab.read("config/powerctl/secrets/n"), dict(reversed(one.split(" ")) for one in lines[2:])


@test
def maintenance_in_doubt(lab):
    """A node that may have the new password, and is in maintenance: nobody asks it, nothing is settled"""
    left_over(lab, ["new", "sent"])
    lib.good(lab.run("set", "maintenance=a new disk", "n2"))
    r = bad(lab.run(*RESUME), 1, "n1: ok", "n2: skipped")
    has(r.err, "whether n2 took the new one is not known")
    same(kept(lab), ("old", {"n1": "new", "n2": "sent"}))
    lib.good(lab.run(*RESUME, "--maintenance"), "n1: ok", "n2: ok")
    same(lab.read("config/powerctl/secrets/n"), "new")


@test
def some_of_them(lab):
    """One of a file's nodes is brought to its end: the others that the file waits for are named"""
    left_over(lab, ["new", "sent", "old", "sent"])
    r = bad(lab.run(*RESUME, "n2"), 1, "n2: ok")
    has(r.err, "keeps the old password for n3; whether n4 took the new one is not known; "
               "n[1-2] took the new one; the new one is pending in")
    same(kept(lab), ("old", {"n1": "new", "n2": "new", "n3": "old", "n4": "sent"}))


@test
def cannot_go_on(lab):
    """A step that cannot begin: nobody interrupted it, and that is said"""
    left_over(lab, ["sent", "old"], "hooks: {fence: {before: passwd, run: [hooks/fence]}}\n")
    os.chmod(lab.write("config/powerctl/hooks/fence", "#!/bin/sh\n"), 0o777)
    r = bad(lab.run(*RESUME), 1, "n1: ok", "n2: error: config:")
    has(r.out, "could not begin: standard error says why; the new password was not sent; `powerctl")
    has(r.err, "can be written by others")
    assert "interrupted" not in r.out + r.err, r
    same(kept(lab), ("old", {"n1": "new", "n2": "old"}))


@test
def pending_unseen(lab):
    """Whether something is pending cannot be seen: that is said, and not that nothing is"""
    left_over(lab, ["sent"])
    folder = os.path.dirname(lab.path("config/powerctl/secrets/n"))
    for mode in (0, 0o300):
        os.chmod(folder, mode)
        with contextlib.ExitStack() as after:
            after.callback(os.chmod, folder, 0o700)
            proc = lab.start(*RESUME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             preexec_fn=as_others)
            out, err = proc.communicate(timeout=lib.PATIENCE)
        same((proc.returncode, out), (2, ""), err)
        has(err, "Permission denied")
    lab.inventory("nodes: {n1: {driver: nobodys, password_file: secrets/n}, w: {driver: 'null'}}\n")
    has(bad(lab.run(*RESUME), 2).err, "there is no driver 'nobodys'")
    lab.inventory("nodes: {w: {driver: 'null', password: x}, v: {driver: 'null', password_file: none}}\n")
    has(bad(lab.run(*RESUME), 0).err, "no change of a password is pending")


@test
def damaged(lab):
    """A pending file that is none is told, and not overwritten"""
    fleet = amt(lab, 1)
    lab.write("config/powerctl/secrets/amt.pending", "something else\n")
    for words in (("status", "a1"), (*GENERATE, "a1"), RESUME):
        has(bad(lab.run(*words), 2).err, "no pending password of powerctl's")
    same(lab.read("config/powerctl/secrets/amt.pending"), "something else\n")
    same(fleet.totals()["requests"], 0)


@test
def null_too(lab):
    """The null driver takes any password: it can be tried without a machine"""
    secret = lab.write("config/powerctl/secrets/n", "old")
    lab.inventory("nodes: {'n[1-3]': {driver: 'null', password_file: secrets/n}}")
    r = lab.run(*GENERATE, "--json", "-a")
    same((r.status, {one["node"] for one in r.json}), (0, {"n1", "n2", "n3"}), r)
    same({(one["verb"], one["ok"], one["confirmed"], one["changed"]) for one in r.json},
         {("passwd", True, "seen", True)})
    with open(secret, encoding="utf-8") as f:
        same(len(f.read()), 16)
    has(lab.run("caps", "n1").out, "passwd: true")


if __name__ == "__main__":
    lib.main()
