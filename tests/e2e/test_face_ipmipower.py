#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl as ipmipower: MAAS's calls, the words that callers look for, and FreeIPMI's own beside it."""
import os
import re
import signal
import subprocess

from facelib import Face
from ipmilib import PASSWORD, BmcFleet, program, run
from lib import PATIENCE, has, main, need_ipv6, same, test, until
from talklib import line_of, rest_of

# What MAAS looks for in standard output, in its order, and what it takes it for.
MAAS_ERRORS = {
    "username invalid": "auth", "password invalid": "auth", "password verification timeout": "auth",
    "k_g invalid": "auth", "privilege level insufficient": "auth",
    "privilege level cannot be obtained for this user": "auth",
    "authentication type unavailable for attempted privilege level": "setting",
    "cipher suite id unavailable": "setting", "ipmi 2.0 unavailable": "setting", "connection timeout": "connection",
    "session timeout": "connection", "internal IPMI error": "fatal", "device not found": "setting",
    "driver timeout": "connection", "message timeout": "connection", "BMC busy": "connection",
    "could not find inband device": "setting"}
BESIDE = os.environ.get("BESIDE") == "1"  # FreeIPMI's own is asked as well
SHORT = ("--session-timeout=3000", "--retransmission-timeout=200")
SHORTER = ("--session-timeout=600", "--retransmission-timeout=100")


def maas_line(host, action, password=PASSWORD, **more):
    """MAAS's exact command line, without the program."""
    given = {"driver": "LAN_2_0", "user": "admin", "k_g": None, "suite": "3", "level": "OPERATOR",
             "flags": "opensesspriv", **more}
    line = ["-W", given["flags"]] if given["flags"] else []
    line += ["--driver-type", given["driver"]] if given["driver"] else []
    line += ["-h", host, *(["-u", given["user"]] if given["user"] else []), "-p", password]
    line += ["-k", given["k_g"]] if given["k_g"] else []
    line += ["-I", given["suite"]] if given["suite"] else []
    line += ["-l", given["level"]]
    return line + {"on": ["--cycle", "--on-if-off"], "off": ["--off"], "soft": ["--soft"], "query": ["--stat"]}[action]


def maas_says(result):
    """What MAAS makes of it: an error of a kind, or a state, or the output."""
    for words, kind in MAAS_ERRORS.items():
        if words in result.out:
            return kind
    if result.status:
        return "failed"
    match = re.search(r":\s*(on|off)", result.out)
    return match.group(1) if match else result.out


def host(bmcs, n=1):
    return "{}:{}".format(*bmcs.address(n))


def real(*words):
    return run([program("ipmipower"), *map(str, words)])


def beside(wanted, what, *words_):
    """FreeIPMI's own says so too, where it is asked (make check-faces)."""
    if BESIDE:
        same(what(real(*words_)), wanted, words_)


def bare(result):
    """Status, and lines without the host."""
    return result.status, [re.sub(r"^\S+: ", "", line) for line in result.lines]


@test
def maas(lab):
    """MAAS's on, off, soft and query do what they did with ipmipower, and MAAS understands the answers alike"""
    bmcs, ours = BmcFleet(lab, "--state", "on"), Face(lab, "ipmipower")
    for action, before, after, said in (
            ("query", "on", "on", "on"), ("query", "off", "off", "off"), ("off", "on", "off", "127.0.0.1: ok\n"),
            ("on", "off", "on", "127.0.0.1: ok\n"), ("on", "on", "on", "127.0.0.1: ok\n"),
            ("soft", "on", "off", "127.0.0.1: ok\n")):
        for call in (real, ours) if BESIDE else (ours,):
            bmcs.set(1, power=before)
            result = call(*maas_line(host(bmcs), action))
            same((maas_says(result), result.status), (said, 0), (action, call))
            bmcs.wait(lambda d, after=after: d["power"] == after)
    same(bmcs.counters()["power_cycle"], 1 + BESIDE)
    for more in ({"driver": None}, {"suite": None}, {"suite": "17"}, {"flags": None}, {"level": "ADMIN"},
                 {"flags": "authcap,opensesspriv,nochecksumcheck"}, {"driver": "LAN", "suite": None}):
        same(maas_says(ours(*maas_line(host(bmcs), "query", **more))), "off", more)
    for level, wanted in (("USER", (0, ["on"])), ("OPERATOR", (1, ["privilege level cannot be obtained for this user"]))):
        line = maas_line(host(bmcs), "query", user="user", level=level)
        bmcs.set(1, power="on")
        same(bare(ours(*line)), wanted, level)
        beside(wanted, bare, *line)


@test
def words(lab):
    """what goes wrong has ipmipower's words, beside the real one's; where that hides it, ours are said to differ"""
    bmcs, ours = BmcFleet(lab, "--state", "on"), Face(lab, "ipmipower")
    clear = {"dead": 0, "rakp2_bad": 0, "kg": "", "suites": "3,17", "open_status": 0, "rakp2_status": 0,
             "no_ipmi20": "no", "auth_types": "md5", "session_limit": 32, "cc": "no", "mute": "no", "refuse_control": "no"}
    fails, same_words = 1, True
    for knobs, action, more, wanted, alike in (
            ({}, "query", {"password": "wrong"}, "password invalid", same_words),
            ({}, "query", {"user": "nobody"}, "username invalid", same_words),
            ({}, "query", {"user": "user", "level": "ADMIN"}, "privilege level cannot be obtained for this user",
             same_words),
            ({"kg": "top"}, "query", {"k_g": "pot"}, "k_g invalid", same_words),
            ({"kg": "top"}, "query", {}, "k_g invalid", same_words),
            ({"suites": "3,16"}, "query", {"suite": "17"}, "cipher suite id unavailable", same_words),
            ({"suites": "17"}, "query", {"suite": "3"}, "cipher suite id unavailable", (0, ["BMC error"])),
            ({"open_status": 1}, "query", {}, "BMC busy", same_words),
            ({"rakp2_status": 0x09}, "query", {}, "privilege level cannot be obtained for this user", same_words),
            ({"no_ipmi20": "refuse"}, "query", {}, "ipmi 2.0 unavailable", same_words),
            ({"auth_types": "none"}, "query", {"driver": "LAN", "suite": None},
             "authentication type unavailable for attempted privilege level", same_words),
            ({"cc": "00:02:d4"}, "off", {}, "privilege level insufficient", (0, [])),
            ({"refuse_control": "off:cc"}, "off", {}, "operation invalid", (0, [])),
            ({"refuse_control": "off:ff"}, "off", {}, "BMC error", (0, []))):
        bmcs.set(1, power="on", **{**clear, **knobs})
        line = maas_line(host(bmcs), action, **more)
        result = ours(*line, "--try-anyway", *(SHORT if "open_status" in knobs else ()))
        same(bare(result), (fails, [wanted]), (line, result.err))
        same(maas_says(result) in ("auth", "setting", "connection"), wanted not in ("operation invalid", "BMC error"))
        beside((fails, [wanted]) if alike is same_words else alike, bare, *line)
    bmcs.set(1, power="on", **clear)
    for knobs, theirs in (({"dead": 1}, "connection timeout"), ({"mute": "open"}, "session timeout")):
        bmcs.set(1, **{**clear, **knobs})
        line = (*maas_line(host(bmcs), "query"), *SHORTER)  # too short a time to tell one from the other
        same(bare(ours(*line)), (1, ["connection timeout"]), line)
        beside((1, [theirs]), bare, *line)
    bmcs.set(1, **{**clear, "mute": "activate"})
    line = maas_line(host(bmcs), "query", driver="LAN", suite=None)
    same(bare(ours(*line)), (1, ["password verification timeout"]))
    beside((1, ["password verification timeout"]), bare, *line, *SHORT)


@test
def resets(lab):
    """a BMC that takes its time is sent one reset, as the one that answers in time; ipmipower sends it many"""
    bmcs, ours = BmcFleet(lab, "--state", "on", "--set", "all:control_delay_ms=1500"), Face(lab, "ipmipower")
    result = ours(*maas_line(host(bmcs), "query")[:-1], "--reset")
    same((result.out, result.status, bmcs.counters()["power_reset"]), ("127.0.0.1: ok\n", 0, 1))


@test
def waits(lab):
    """an action ends when the BMC has taken it; with --wait-until-off and -on when the machine is so"""
    bmcs, ours = BmcFleet(lab, "--state", "on", "--set", "all:transition_ms=1200"), Face(lab, "ipmipower")
    login = maas_line(host(bmcs), "query")[:-1]
    for words_, shown in ((("--off",), "on"), (("--off", "--wait-until-off"), "off"), (("--on", "--wait-until-on"), "on")):
        bmcs.set(1, power="off" if "--on" in words_ else "on")
        same(bare(ours(*login, *words_)), (0, ["ok"]), words_)
        same(bmcs.device()["power_shown"], shown, words_)
        bmcs.wait(lambda d: not d["changing"])


@test
def refused_is_remembered(lab):
    """a wrong password goes to a BMC once; who knows better says --try-anyway"""
    bmcs, ours = BmcFleet(lab, "--state", "on"), Face(lab, "ipmipower")
    line = maas_line(host(bmcs), "query", password="wrong")
    same(bare(ours(*line)), (1, ["password invalid"]))
    asked = bmcs.counters()["datagrams"]
    again = ours(*line)
    same(bare(again), (1, ["password invalid"]))
    has(again.err, "not tried")
    same(bmcs.counters()["datagrams"], asked)
    same(ours(*line, "--try-anyway").err, "")
    same(bare(ours(*maas_line(host(bmcs), "query"))), (0, ["on"]))


@test
def another_machine(lab):
    """a BMC that is another one than before is no success, and powerctl trust knows the host by its URL"""
    bmcs, ours = BmcFleet(lab, "--state", "on"), Face(lab, "ipmipower")
    line = maas_line(host(bmcs), "query")
    same(bare(ours(*line)), (0, ["on"]))
    bmcs.set(1, guid="00112233-4455-6677-8899-aabbccddeeff")
    result = ours(*line)
    same(bare(result), (1, ["BMC error"]))
    has(result.err, "trust: ")
    same(lab.run("trust", "--accept", f"ipmi://{host(bmcs)}").status, 0)
    same(bare(ours(*line)), (0, ["on"]))


@test
def command_lines(lab):
    """wrong options: ipmipower's exit statuses and complaints, and nothing of them is sent"""
    bmcs, ours = BmcFleet(lab, "--state", "on", devices=2), Face(lab, "ipmipower")
    login = ("-D", "LAN_2_0", "-u", "admin", "-p", PASSWORD, "-h", host(bmcs))
    for words_, text in (
            (("--frob",), "unrecognized option"), (("-Z",), "unrecognized option"), (("-h",), "requires an argument"),
            (("extra", "--on"), "Too many arguments"), (("-W", "foo,opensesspriv", "--on"), "invalid workaround flags"),
            (("-l", "USER", "--on"), "'on' requires atleast operator privilege"),
            (("-l", "USER", "--pulse"), "'diagnostic interrupt' requires atleast operator privilege"),
            (("-l", "foo", "--on"), "invalid privilege level"), (("-I", "4", "--on"), "unsupported cipher suite id"),
            (("-I", "x", "--on"), "invalid cipher suite id"), (("-D", "KCS", "--on"), "invalid driver type"),
            (("-F", "0", "--on"), "invalid fanout"), (("-F", "1025", "--on"), "invalid fanout"),
            (("-a", "SHA", "--on"), "invalid authentication type"), (("-u", "a" * 17, "--on"), "username too long"),
            (("-p", "a" * 21, "--on"), "password too long"), (("-k", "a" * 21, "--on"), "k_g too long"),
            (("-D", "LAN", "-p", "a" * 17, "--on"), "password too long"),
            (("-k", "0xabc", "--on"), "k_g input formatted incorrectly"),
            (("--session-timeout=x", "--on"), "invalid session timeout"),
            (("--session-timeout=5", "--retransmission-timeout=6", "--on"),
             "retransmission timeout larger than session timeout")):
        mine = ours(*login, *words_)
        has(mine.err, text)
        same((mine.out, mine.err.count(PASSWORD)), ("", 0), words_)
        if words_[0] not in ("-D", "-F") or "LAN" not in words_:
            beside(mine.status, lambda r: r.status, *login, *words_)
    bad = ours("-D", "LAN_2_0", "--on")
    has(bad.err, "must specify target hostname(s) in non-interactive mode")
    same((bad.status, ours(*login, "--oem-power-type=C410X", "--on").status), (1, 1))
    for hosts in ("", ",", "a[1-", "-x", "a b!", "n1:0", "n1:99999", "n1+3", "[::1]x"):
        same((ours(*login, "-h", hosts, "--on").status), 1, hosts)
    same(ours(*login, "-h", f"a[1-,{host(bmcs)}", "--off").out, "a[1-,127.0.0.1:{}: invalid hostname\n".format(
        bmcs.port(1)))
    missing = ours(*login, "-h", f"no.such.invalid,{host(bmcs)}", "--stat")
    same((missing.status, sorted(missing.lines)), (1, ["127.0.0.1: on", "no.such.invalid: invalid hostname"]))
    same(bmcs.counters()["power_off"], 0)
    same((ours("--help").status, ours("-?").status, ours("--usage").status, ours("-V").status), (0, 0, 0, 0))
    has(ours("--help").out, "powerctl-ipmipower(1)")
    same(bare(ours(*login, "--on", "--stat")), (0, ["on"]), "the last one holds, as with ipmipower")
    same(bare(ours(*login, "-sB", "--always", "--ping-interval=0", "--oem-power-type=none")), (0, ["on"]))
    has(ours(*login, "-s", "-E").err, "-E has no effect")
    has(ours(*login, "-s", "--debug").err, f"trace {host(bmcs)}: -> Get Chassis Status\n")
    twice = ours(*login, "-h", f"{host(bmcs)},{host(bmcs)},{host(bmcs, 2)}", "-s")
    same(twice.out, "127.0.0.1: on\n" * 2, "each port once")
    folded = ours(*login, "-C", "-h", f"{host(bmcs)},{host(bmcs, 2)}", "-s").lines[1]
    same(folded in (f"127.0.0.1,{host(bmcs)}", f"127.0.0.1,{host(bmcs, 2)}"), True, folded)
    bmcs.set(1, power="off")
    for words_, out in ((("--cycle",), "operation invalid"), (("--reset",), "operation invalid"), (("--off",), "ok"),
                        (("--reset", "--on-if-off"), "ok"), (("--on", "--wait-until-on"), "ok"),
                        (("--off", "--wait-until-off"), "ok")):
        same(bare(ours(*login, *words_)), (int(out != "ok"), [out]), words_)


@test
def ipv6(lab):
    """IPv6 addresses, with a port and without"""
    need_ipv6()
    bmcs, ours = BmcFleet(lab, "--state", "on", "--address", "::1", by_port=True), Face(lab, "ipmipower")
    login = ("-D", "LAN_2_0", "-u", "admin", "-p", PASSWORD)
    result = ours(*login, "-h", f"[::1]:{bmcs.port(1)}", "--stat")
    same((result.status, result.out), (0, "::1: on\n"))


@test
def secrets(lab):
    """passwords of the command line are gone from it; the configuration file, the prompt, standard input"""
    bmcs, ours = BmcFleet(lab, "--state", "on", "--set", "1:kg=top"), Face(lab, "ipmipower")
    bmcs.set(1, dead=1)
    for words_ in (("-p", PASSWORD, "-k", "top"), (f"--password={PASSWORD}", "--k-g=top"), (f"-p{PASSWORD}", "-ktop"),
                   ("-p", PASSWORD, "-k", "top", "-p", PASSWORD)):
        proc = ours.start("-h", host(bmcs), "-u", "admin", "--stat", *words_)
        until("it is gone", lambda proc=proc: b"admin" in ours.shown(proc) and PASSWORD.encode() not in ours.shown(proc))
        shown = ours.shown(proc).split(b"\0")[1:]  # the program's own name has letters of a random folder
        same((proc.poll(), b"top" in b" ".join(shown), b"admin" in shown), (None, False, True), shown)
        proc.kill()
        proc.wait(PATIENCE)
    bmcs.set(1, dead=0)
    conf = lab.write("freeipmi.conf", f"# a note\nusername nobody\npassword {PASSWORD} # it is\nk_g top\n"
                     "driver-type LAN_2_0\nbmc-info-username x\nipmipower-username \"admin\"\n"
                     "workaround-flags opensesspriv authcap\nipmipower-on-if-off ENABLE\nconsolidate-output ENABLE\n")
    login = ("--config-file", conf, "-h", host(bmcs))
    folded = "----------------\n127.0.0.1\n----------------\n {}\n"
    same(ours(*login, "--stat").out, folded.format("on"))
    beside(folded.format("on"), lambda r: r.out, *login, "--stat")
    bmcs.set(1, power="off")
    same(ours(*login, "--cycle").out, folded.format("ok"))
    same(ours(*login, "-u", "nobody", "--stat").out, folded.format("username invalid"))
    os.chmod(conf, 0o644)
    refused = ours(*login, "--stat")
    has(refused.err, f"chmod o= {conf}")
    same((refused.status, refused.out), (1, ""))
    for text, why in (("frob x\n", "unknown option 'frob'"), ("username a\0b\n", "is no text"), ("username\n", "no value"), ("fanout x\n", "invalid fanout"),
                      ("ipmipower-frob 1\n", "unknown option"), ("on-if-off perhaps\n", "neither ENABLE nor DISABLE")):
        r = ours("--config-file", lab.write("bad.conf", text), "-h", host(bmcs), "--stat")
        has(r.err, why)
        same((r.status, r.out), (1, ""))
    quoted = lab.write("quoted.conf", 'username admin\npassword "a \\# \\"b"\nk_g top\n')
    bmcs.set(1, users='admin:admin:a # "b')
    same(bare(ours("--config-file", quoted, "-h", host(bmcs), "--stat")), (0, ["on"]))
    bmcs.set(1, users=f"admin:admin:{PASSWORD}", kg="")
    same(bare(ours("-u", "admin", "-P", "-h", host(bmcs), "--stat", stdin=f"{PASSWORD}\n")), (0, ["on"]))
    same(ours("-u", "admin", "-P", "-h", host(bmcs), "--stat").status, 1)
    t = ours.terminal("-u", "admin", "-P", "-h", host(bmcs), "--stat")
    t.expect("Password: ")
    t.wait_echo(False)
    t.send(PASSWORD + "\n")
    same(t.end(), 0)
    has(t.seen, "127.0.0.1: on")


@test
def fleet(lab):
    """400 hosts: a line each, folded with -C, dead ones among them, a wrong password, a reader that leaves, ^C"""
    count = 400
    bmcs = BmcFleet(lab, "--address", "127.64.0.1", "--port", "0", "--state", "on", devices=count, by_port=False)
    ours, port = Face(lab, "ipmipower"), bmcs.port(1)
    everybody = f"127.64.0.[1-255]:{port},127.64.1.[0-144]:{port}"
    login = ("-D", "LAN_2_0", "-u", "admin", "-p", PASSWORD, "-h", everybody)
    all_ = ours(*login, "--stat")
    same((all_.status, len(set(all_.lines)), set(bare(all_)[1])), (0, count, {"on"}))
    same(ours(*login, "-C", "-F", "64", "--off", "--wait-until-off").out,
         "----------------\n127.64.0.[1-255],127.64.1.[0-144]\n----------------\n ok\n")
    one_by_one = ("-D", "LAN_2_0", "-u", "admin", "-p", PASSWORD, "-h", f"127.64.0.[9-28]:{port},127.64.1.[7-9]:{port}")
    for action, word in (("--stat", "off"), ("--on", "ok"), ("--stat", "on"), ("--off", "ok")):
        said = [f"127.64.{n}: {word}" for n in (*(f"0.{n}" for n in range(9, 29)), "1.7", "1.8", "1.9")]
        mine = ours(*one_by_one, action)
        same((sorted(mine.lines), mine.status), (sorted(said), 0), action)
        beside(sorted(said), lambda r: sorted(r.lines), *one_by_one, action)
        mine = ours(*one_by_one, "-C", action)
        same(mine.lines, ["-" * 16, "127.64.0.[9-28],127.64.1.[7-9]", "-" * 16, said[0].replace("127.64.0.9:", "")])
        beside(mine.out, lambda r: r.out, *one_by_one, "-C", action)
    bmcs.reset()
    bmcs.set("7-9", dead=1)
    some = ours(*login, "--stat")
    same(some.status, 1)
    same(sorted(line for line in some.lines if not line.endswith(": off")),
         [f"127.64.0.{n}: connection timeout" for n in (7, 8, 9)])
    same(len(set(some.lines)), count)
    wrong = ours(*login, "-p", "wrong", "--on")
    same((wrong.status, len(wrong.lines)), (1, count))
    same(set(bare(wrong)[1]) <= {"password invalid", "connection timeout"}, True)
    has(wrong.err, "not tried")
    same(bmcs.totals()["power_on"], 0)
    reader, writer = os.pipe()
    os.close(reader)
    gone = subprocess.run([ours.path, *login[:-1], f"127.64.0.[10-60]:{port}", "--on"], env=lab.env, stdout=writer,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    os.close(writer)
    same((gone.returncode, gone.stderr, bmcs.totals()["power_on"]), (1, "", 51))
    bmcs.set("1-3", dead=1)
    proc = ours.start(*login[:-1], f"127.64.0.[1-20]:{port}", "--stat")
    seen = [line_of(proc.stdout, proc) for _ in range(17 - 3)]
    proc.send_signal(signal.SIGINT)
    out = "".join(seen) + rest_of(proc)[0]
    same(proc.returncode, 130)
    same(len(set(out.splitlines())), 20, "who had not answered is told of too")
    has(out, "127.64.0.1: unknown\n")


@test
def prompt(lab):
    """the prompt, as powermand's ipmipower.dev talks to it"""
    bmcs, ours = BmcFleet(lab, "--state", "on", devices=2), Face(lab, "ipmipower")
    login = ("-D", "LAN_2_0", "-u", "admin", "-p", PASSWORD, "-h", host(bmcs))
    talk = ours(*login, stdin="stat\noff 127.0.0.1\nstat 127.0.0.1\nstat nosuch\nfrob\n\non-if-off on\ncycle\n"
                f"identify-on\nidentify-status\npassword x\nhostname 127.0.0.1:{bmcs.port(2)}\nstat\nquit\nstat\n")
    same(talk.out.split("ipmipower> "), [
        "", "127.0.0.1: on\n", "127.0.0.1: ok\n", "127.0.0.1: off\n", "nosuch: unconfigured hostname\n",
        "unknown command - type \"help\"\n", "", "on-if-off is now on\n", "127.0.0.1: ok\n", "127.0.0.1: ok\n",
        "127.0.0.1: unknown\n", "password cannot be changed here; give it when the program starts\n",
        f"hostname: 127.0.0.1:{bmcs.port(2)}\n", "127.0.0.1: on\n", ""])
    same((talk.status, bmcs.device(1)["power"]), (0, "on"))
    has(ours(*login, stdin="help\nsta").out, "identify-off")
    same(ours(*login, stdin="x" * 300000 + "\nstat\n").out, 
         "ipmipower> unknown command - type \"help\"\nipmipower> 127.0.0.1: on\nipmipower> ")
    bmcs.set(1, dead=1)
    before = bmcs.counters()["datagrams"]
    proc = ours.start(*login, stdin=subprocess.PIPE)
    proc.stdin.write("stat\n")
    proc.stdin.flush()
    same(proc.stdout.read(11), "ipmipower> ")
    bmcs.wait(lambda d: d["counters"]["datagrams"] > before)
    proc.send_signal(signal.SIGINT)
    same((proc.wait(PATIENCE), proc.stdout.read()), (130, "127.0.0.1: unknown\n"))


if __name__ == "__main__":
    main()
