#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AMT driver when things go wrong: devices, networks, people, disks."""
import os
import re
import signal
import subprocess

from amtlib import PASSWORD, Fleet
from lib import PATIENCE, bad, error_of, good, has, main, same, skip, test, took, until


def fault(lab, *words, times="connect: 1s, answer: 1s, read: 2s", **knobs):
    """What one status of one machine with these knobs says: class and message."""
    fleet = Fleet(lab, "--state", "on", timeouts=times)
    fleet.set(1, **knobs)
    r = lab.run("--json", *(words or ["status"]), "a1")
    same(r.status, 1, r)
    assert r.json[0]["state"] != "off" and not r.json[0]["ok"], r
    return error_of(r), fleet


# --- Faults that a retry gets over. ----------------------------------------------------------


@test
def flaky(lab):
    """dropped connections, 503, stale nonces, answers cut short: status and on end right"""
    for knob in ("connect_drop_every", "e503_every", "stale_every", "cut_every"):
        fleet = Fleet(lab, "--set", f"all:{knob}=3", devices=12)
        lines = [f"a{n}: off" for n in range(1, 13)]
        good(lab.run("status", "-a"), *lines)
        same(fleet.totals()["r401_bad"], 0, knob)


@test
def stale_is_no_refusal(lab):
    """stale=true to a nonce just given is answered once more; no wrong password is remembered"""
    fleet = Fleet(lab, "--set", "1:stale_word=true", "--set", "1:stale_every=2", devices=1)
    for _ in range(3):
        good(lab.run("status", "a1"), "a1: off")
    fleet.set(1, stale_every=1)
    has(lab.run("status", "a1").out, "a1: unknown: protocol: it takes no login")
    fleet.set(1, stale_every=0)
    good(lab.run("status", "a1"), "a1: off")


@test
def flaky_power(lab):
    """the same while power is changed: each machine got its one request, never two that count"""
    for knob in ("connect_drop_every", "e503_every", "stale_every"):
        fleet = Fleet(lab, "--set", f"all:{knob}=4", devices=8)
        good(lab.run("on", "-a"), *[f"a{n}: on" for n in range(1, 9)])
        for n in range(1, 9):
            same(fleet.counters(n)["set_power"], 1, knob)
            same(fleet.counters(n)["r401_bad"], 0, knob)


@test
def flaky_reboot_cut(lab):
    """answers cut in the middle: a reset is never repeated, its end is told as it is"""
    fleet = Fleet(lab, "--state", "on", "--set", "all:cut_every=2", devices=6,
                  timeouts="verify: 3s")
    r = lab.run("--json", "reset", "-a")
    same(len(r.json), 6, r)
    for line in r.json:
        n = int(line["node"][1:])
        assert fleet.counters(n)["set_power"] <= 1, line
        if line["ok"]:
            same(fleet.counters(n)["set_power"], 1, line)
        elif fleet.counters(n)["set_power"]:
            same(line["error"]["class"], "outcome_unknown", line)


@test
def asleep(lab):
    """an engine that sleeps drops the first connections: it is woken and answers"""
    fleet = Fleet(lab, "--set", "all:me_sleep_drop=2", "--set", "all:me_sleep_ms=5000")
    r = lab.run("status", "a1")
    good(r, "a1: off")
    assert fleet.counters()["dropped"] >= 1, fleet.counters()


@test
def nonce_runs_out(lab):
    """nonces that last for two requests: a new login each time, no password failure"""
    fleet = Fleet(lab, "--set", "all:nonce_uses=2")
    good(lab.run("pxeboot", "a1"), "a1: on")
    same((fleet.counters()["r401_bad"], fleet.counters()["set_power"]), (0, 1))


# --- Faults that end in an error. ------------------------------------------------------------


@test
def hang(lab):
    """no answer ever: a timeout within its limits, whether to the login or behind it"""
    for how in ("all", "auth"):
        with took(most=15):
            (kind, message), fleet = fault(lab, hang=how)
        same(kind, "timeout", message)
        same(fleet.counters()["set_power"], 0)


@test
def hang_act(lab):
    """a reset whose answer never comes is sent once"""
    fleet = Fleet(lab, "--state", "on", timeouts="answer: 1s, read: 2s, reboot: 3s, confirm: 3s")
    fleet.set(1, lose_power_answer=1)
    r = bad(lab.run("--json", "reset", "a1"), 1)
    same((error_of(r)[0], fleet.counters()["set_power"]), ("outcome_unknown", 1), r)


@test
def drip(lab):
    """an answer that drips is taken if it ends in time, and a timeout if not"""
    fleet = Fleet(lab, timeouts="answer: 2s, read: 3s")
    fleet.set(1, drip_ms=50)
    with took(most=15):
        r = bad(lab.run("--json", "status", "a1"), 1)
    same(error_of(r)[0], "timeout", r)


@test
def always_503(lab):
    """busy for ever: said as busy, after several tries, within the time of a read"""
    (kind, message), fleet = fault(lab, e503_every=1)
    same(kind, "busy", message)
    assert fleet.counters()["r503"] > 1, "it was tried again"


@test
def dropped_for_ever(lab):
    """connections that are always reset: unreachable, never off"""
    (kind, message), _ = fault(lab, connect_drop_every=1)
    same(kind, "unreachable", message)
    r = lab.run("status", "a1")
    assert r.out.startswith("a1: unknown: unreachable"), r
    same(lab.run("status", "--exit-class", "a1").status, 3)


@test
def nonsense(lab):
    """html, huge, deep, a bomb, half a document: a protocol error in words, little memory, soon"""
    for knobs in ({"html": 1}, {"huge": 64}, {"deep": 100000}, {"bomb": 1}, {"truncate": 1}):
        with took(most=15):
            (kind, message), _ = fault(lab, times="answer: 5s, read: 8s", **knobs)
        same(kind, "protocol", f"{knobs}: {message}")
        assert len(message) < 300 and "\n" not in message, message


@test
def nonsense_while_acting(lab):
    """nonsense instead of the state: off does not claim success, and changes nothing"""
    for knobs in ({"html": 1}, {"truncate": 1}):
        for verb in ("off", "reboot", "pxeboot"):
            _, fleet = fault(lab, verb, **knobs)
            same(fleet.counters()["set_power"], 0)


@test
def huge_memory(lab):
    """an endless answer is not read to its end: memory stays small"""
    fleet = Fleet(lab, "--set", "all:huge=500", devices=4, timeouts="answer: 5s, read: 8s")
    proc = lab.start("status", "-a", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = proc.stdout.read()
    _, status, usage = os.wait4(proc.pid, 0)
    proc.returncode = os.waitstatus_to_exitcode(status)
    same((proc.returncode, out.count(b"protocol")), (1, 4), out)
    assert usage.ru_maxrss < 300 * 1024, f"{usage.ru_maxrss} kB"
    same(fleet.totals()["peak_connections"], 1)


@test
def pretty(lab):
    """blanks, line breaks and any size of chunks in answers change nothing"""
    fleet = Fleet(lab, "--set", "all:pretty=1", devices=3)
    for n, chunk in ((1, 1), (2, 171), (3, 0)):
        fleet.set(n, chunk=chunk)
    good(lab.run("pxeboot", "-a"), *[f"a{n}: on" for n in (1, 2, 3)])
    same({fleet.device(n)["last_boot"] for n in (1, 2, 3)}, {"pxe"})


@test
def dead_among_living(lab):
    """one dead node does not hold the others back: their lines come first, its within its limit"""
    fleet = Fleet(lab, devices=12, timeouts="connect: 1s, answer: 1s, read: 4s")
    fleet.set(7, dead="hang")
    fleet.set(3, dead="refuse")
    with took(most=15):
        r = bad(lab.run("status", "-a"), 1)
    lines = r.lines
    same(len(lines), 12, r)
    assert re.fullmatch("a7: unknown: (unreachable|timeout): .*", lines[-1]), r
    refused = [x for x in lines if x.startswith("a3: unknown: unreachable: ")]
    same(len(refused), 1, r)
    same(sorted(x for x in lines if x.endswith(": off")),
         sorted(f"a{n}: off" for n in range(1, 13) if n not in (3, 7)))
    has(r.err, "10 off, 2 failed")
    same(fleet.counters(7)["requests"] <= 4, True)


@test
def dead_default_limit(lab):
    """a dead host costs at most what the driver's default says: status ends within 13 s"""
    fleet = Fleet(lab, "--set", "1:dead=hang", "--set", "1:power=off", devices=2, tls=True)
    with took(most=13):
        r = bad(lab.run("status", "-a"), 1, "a1: unknown: unreachable: ")
    has(r.lines[0], "a2: off")
    same(fleet.counters(1)["requests"], 0)


@test
def stranger(lab):
    """an answer for another request, another device's nonce: not taken for this one's"""
    fleet = Fleet(lab, devices=2)
    good(lab.run("status", "-a"), "a1: off", "a2: off")
    # The two swap their places: each is now another machine than the one remembered.
    (p1, s1), (p2, s2) = fleet.ports(1), fleet.ports(2)
    pins = lab.read("state/powerctl/known_devices")
    swapped = pins.replace(f":{p1} ", ":X ").replace(f":{p2} ", f":{p1} ").replace(":X ",
                                                                                   f":{p2} ")
    assert swapped != pins and s1 != s2
    lab.write("state/powerctl/known_devices", swapped)
    fleet.reset()
    r = bad(lab.run("off", "-a", "--json"), 1)
    same([line["error"]["class"] for line in r.json], ["trust", "trust"], r)
    same((fleet.totals()["bodies"], fleet.totals()["r401_bad"]), (0, 0))


@test
def wrong_password(lab):
    """a wrong password is tried once: an auth error that names the user, never the password"""
    fleet = Fleet(lab, devices=2)
    fleet.set(2, password="Other-Pa55")
    for verb in ("status", "on", "pxeboot", "info"):
        fleet.reset()
        r = bad(lab.run("--json", "--try-anyway", verb, "a2"), 1)
        same(error_of(r)[0], "auth", r)
        assert PASSWORD not in r.out + r.err, r
        same((fleet.counters(2)["r401_bad"], fleet.counters(2)["set_power"]), (1, 0), verb)
    same(lab.run("status", "--exit-class", "a2").status, 4)
    good(lab.run("on", "a1"), "a1: on")


@test
def locked_account(lab):
    """a locked account is not hammered: one try, told as auth"""
    fleet = Fleet(lab, "--set", "all:lock_after=1", "--set", "all:lock_s=600")
    fleet.set(1, password="Other-Pa55")
    bad(lab.run("status", "a1"), 1)
    fleet.set(1, password=PASSWORD)
    fleet.reset()
    r = bad(lab.run("--json", "status", "--try-anyway", "a1"), 1)
    same(error_of(r)[0], "auth", r)
    assert 1 <= fleet.counters()["requests"] <= 2, fleet.counters()


@test
def refused_in_words(lab):
    """every number a power request may be refused with is told in words, with the number in JSON"""
    fleet = Fleet(lab, "--state", "on", devices=9)
    values = (1, 2, 3, 4, 5, 6, 4097, 2076, 32768)
    for n, value in enumerate(values, 1):
        fleet.set(n, refuse_action=f"any:{value}")
    r = bad(lab.run("--json", "--sort", "reset", "-a", "--timeout", "3s"), 1)
    for line, value in zip(r.json, values):
        error = line["error"]
        assert error and re.search("[a-z]{3,} [a-z]", error["message"]), line
        # 3 is "not completed in time": what became of it is not known.
        assert value == 3 or str(value) in (error["code"] or "") + error["message"], line
    same(fleet.totals()["set_power"], 0)


# --- People, terminals and disks. ------------------------------------------------------------


@test
def interrupted(lab):
    """^C in the middle: every node is reported, what is done as done; exit 130"""
    fleet = Fleet(lab, devices=6, timeouts="confirm: 60s")
    fleet.set("3-6", transition_ms=120000)
    proc = lab.start("on", "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("all were told", lambda: fleet.totals()["set_power"] == 6)
    seen = proc.stdout.readline() + proc.stdout.readline()
    proc.send_signal(signal.SIGINT)
    out, err = proc.communicate(timeout=PATIENCE)
    lines = sorted((seen + out).splitlines())
    same((proc.returncode, len(lines)), (130, 6), seen + out + err)
    same(lines[:2], ["a1: on", "a2: on"])
    for line in lines[2:]:
        assert re.match("a[3-6]: error: (canceled|outcome_unknown): ", line), line
    same(fleet.totals()["set_power"], 6)


@test
def interrupted_early(lab):
    """^C before anything was sent: nothing is sent any more, each node is canceled"""
    fleet = Fleet(lab, "--set", "all:hang=all", devices=3)
    proc = lab.start("on", "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("all were asked", lambda: fleet.totals()["requests"] == 3)
    fleet.set("all", hang="no")
    proc.send_signal(signal.SIGINT)
    out, err = proc.communicate(timeout=PATIENCE)
    same((proc.returncode, out.count(": error: canceled: ")), (130, 3), out + err)
    same(fleet.totals()["set_power"], 0)


@test
def reader_gone(lab):
    """stdout closed by its reader: exit 1, and every machine is turned on all the same"""
    fleet = Fleet(lab, devices=12)
    fleet.set("2-12", latency_ms=200)
    proc = lab.start("on", "-a", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = proc.stdout.readline()
    proc.stdout.close()
    assert re.fullmatch(r"a\d+: on\n", first), first
    proc.stderr.read()
    same(proc.wait(PATIENCE), 1)
    same({fleet.device(n)["power_word"] for n in range(1, 13)}, {"on"})


@test
def stdout_full(lab):
    """a full device as stdout: exit 1, the verb finishes"""
    if not os.path.exists("/dev/full"):
        skip("no /dev/full")
    fleet = Fleet(lab)
    with open("/dev/full", "w", encoding="ascii") as full:
        r = lab.run("on", "a1", stdout=full)
    same((r.status, fleet.device()["power_word"]), (1, "on"), r)


def add_words(fleet, name, n):
    plain, _ = fleet.ports(n)
    return ["add", name, "127.0.0.1", "--driver", "amt", "-u", "admin", "--password-stdin",
            "--set", f"port={plain}", "--set", "tls=false"]


@test
def disk_full(lab):
    """add on a full disk: an error, the inventory as it was, nothing torn, and still good"""
    fleet = Fleet(lab, devices=2)
    folder = lab.path("small")
    os.mkdir(folder)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder],
                             capture_output=True, check=False)
    if mounted.returncode:
        skip("no small tmpfs can be mounted here")
    try:
        env = {"POWERCTL_INVENTORY": folder + "/powerctl.yaml"}
        r = lab.run(*add_words(fleet, "n1", 1), stdin=PASSWORD + "\n", env=env)
        same(r.status, 0, r)
        with open(folder + "/powerctl.yaml", "rb") as f:
            before = f.read()
        with open(folder + "/ballast", "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 1024):
                    pass
            except OSError:
                pass
        r = lab.run(*add_words(fleet, "n2", 2), stdin=PASSWORD + "\n", env=env)
        assert r.status in (1, 2), r
        has(r.err, "No space left")
        with open(folder + "/powerctl.yaml", "rb") as f:
            same(f.read(), before)
        good(lab.run("status", "n1", env=env), "n1: off")
        left = set(os.listdir(folder)) - {"powerctl.yaml", "ballast", "secrets",
                                          "powerctl.yaml.lock"}
        same({x for x in left if "lock" not in x}, set(), "what it left behind")
        same(len(os.listdir(folder + "/secrets")), 1, os.listdir(folder + "/secrets"))
    finally:
        subprocess.run(["umount", folder], check=False)


@test
def add_at_once(lab):
    """eight powerctl add at once: nothing is lost"""
    fleet = Fleet(lab, devices=8)
    procs = []
    for n in range(1, 9):
        procs.append(lab.start(*add_words(fleet, f"n{n}", n), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for n, proc in enumerate(procs, 1):
        out, err = proc.communicate(PASSWORD + "\n", timeout=PATIENCE)
        same((proc.returncode, out), (0, f"n{n}: off\n"), err)
    listed = lab.run("list").out
    for n in range(1, 9):
        has(listed, f"a{n}")
        has(listed, f"n{n}")
    good(lab.run("status", "n[1-8]"), *[f"n{n}: off" for n in range(1, 9)])
    same(len(re.findall("realm=", lab.read("state/powerctl/known_devices"))), 8)


@test
def reboot_at_once(lab):
    """two reboots of one machine: the second waits, says for whom, and then does its own"""
    fleet = Fleet(lab, "--state", "on")
    fleet.set(1, transition_ms=1500, transition_state=5)
    first = lab.start("reboot", "a1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("it has begun", lambda: fleet.counters()["set_power"] == 1)
    second = lab.start("reboot", "a1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = second.stderr.readline()
    has(said, "a1")
    has(said, "reboot")
    has(said, str(first.pid))
    same(fleet.counters()["set_power"], 1, "the second waits")
    same(lab.run("status", "a1").status, 0, "reading does not wait")
    for proc in (first, second):
        out, err = proc.communicate(timeout=PATIENCE)
        same((proc.returncode, out), (0, "a1: on\n"), err)
    same((fleet.counters()["set_power"], fleet.device()["boots"]), (2, 2))


@test
def killed(lab):
    """a powerctl that was killed leaves no lock behind"""
    fleet = Fleet(lab, "--state", "on")
    fleet.set(1, transition_ms=1000)
    proc = lab.start("reboot", "a1", stdout=subprocess.DEVNULL)
    until("it has begun", lambda: fleet.counters()["set_power"] == 1)
    proc.kill()
    proc.wait()
    until("it is on again", lambda: not fleet.device()["changing"])
    r = good(lab.run("reboot", "a1"), "a1: on")
    assert "wait" not in r.err, r


if __name__ == "__main__":
    main()
