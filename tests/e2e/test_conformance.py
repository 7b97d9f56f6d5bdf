#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl-driver-check: a driver that keeps the contract, and drivers that break it in one way each.

Our own drivers are in test_conformance_drivers.py.
"""
import concurrent.futures
import os
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

from checklib import CHECK, PLUGINS, check
from lib import (BUILD, PATIENCE, SANITIZED, Started, bad, good, has, main, same, skip, test, test_unsanitized,
                 until)
from linedev import PASSWORD, LineDevice

def device_of(lab):
    device = lab.keep(LineDevice())
    secret = lab.write(f"secret{device.port}", PASSWORD + "\n")
    return device, ["--address", "127.0.0.1", "--set", f"port={device.port}",
                    "--password-file", secret]


# What the driver with a selector wants to be told.
KIND = ["--set", "kind=plain"]


def at_once(function, over):
    """What function returns for each: most of a check is waiting for its limits."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(function, over))


# A way to break the driver: the check that has to find it, and the words of the reason.
BROKEN = (
    ("lineafterabort", "contract.cancel", "ended an op after it was aborted"),
    ("linebaddefault", "static.settings", "port is not a number from 1 to 65535"),
    ("lineblocks", "contract.reads", "power.get blocked the loop"),
    ("lineclosedtwice", "contract.close", "close called back more than once"),
    ("lineconstructor", "static.constructors", "it has a constructor"),
    ("linecrash", "contract.reads", "the driver crashed in power.get (signal 11"),
    ("linecrashlater", "contract.reads", "the driver crashed in power.get (signal 11"),
    ("lineexits", "contract.reads", "the driver ended the program with status 0 in power.get"),
    ("lineexports", "static.exports", "line_helper"),
    ("lineforgets", "contract.reads", "neither ended an op nor said"),
    ("lineglobals", "static.globals", "bytes of .data and .bss"),
    ("linehang", "contract.reads", "was killed in power.get"),
    ("lineinflight", "static.interfaces", "max_in_flight says nothing"),
    ("linelatecommit", "faults.lost", "pctl_op_committed() was not called before"),
    ("lineleaksdevice", "load.devices", "more bytes of memory are in use after"),
    ("lineleaksfd", "load.ops", "more descriptors are open after"),
    ("lineleaksmemory", "load.ops", "more bytes of memory are in use after"),
    ("linenever", "contract.reads", "power.get never ended"),
    ("linenoclosed", "contract.close", "close did not call back"),
    ("linenocommit", "contract.actions", "ended well without pctl_op_committed()"),
    ("linenocommit", "faults.lost", "pctl_op_committed() was not called before"),
    ("linenohelp", "static.settings", "setting port has no help"),
    ("lineopenconnects", "contract.open", "open uses the network: it called sendto()"),
    ("lineprints", "contract.prints", "it prints"),
    ("linereadcommits", "contract.reads", "though it only reads"),
    ("linesaysoff", "device.unreachable", "power.get says that the machine is off"),
    ("linesecret", "device.canary", "the secret 'password' is in an error's text"),
    ("lineselectorsecret", "device.canary", "the secret 'password' is in an error's text"),
    ("linestale", "device.mute", "power.get says that the machine is on"),
    ("linethread", "contract.reads", "ended an op from another thread than the loop's"),
    ("linetriesagain", "device.wrong-password", "requests that were sent before"),
    ("linetriesalike", "device.wrong-password", "requests as long as one before"),
    ("linetriesanew", "device.wrong-password", "took 2 connections"),
    ("linetwice", "contract.reads", "ended an op a second time"),
    ("lineunflagged", "static.secrets", "setting password sounds like a secret"),
)
# A sanitizer has globals and constructors of its own, finds leaks and crashes itself.
NOT_SANITIZED = ("linecrash", "linecrashlater", "lineexits", "lineconstructor", "lineglobals",
                 "lineleaksdevice", "lineleaksmemory")


@test
def keeps_the_contract(lab):
    """the driver that keeps the contract passes every check that applies to it"""
    _, args = device_of(lab)
    r = check(lab, *args, "--quick", os.path.join(PLUGINS, "line.so"))
    same((r.status, r.failed), (0, []), r)
    skipped = sorted(name for name, how in r.verdicts.items() if how == "skipped")
    sanitizer = ["static.constructors", "static.globals"] if SANITIZED else []
    if r.unwatched:
        sanitizer.append("contract.open")
    same([s for s in skipped if s not in sanitizer],
         ["contract.boot", "contract.console", "contract.display", "contract.identify",
          "contract.idle"], r)
    has(r.diagnostics, "driver line conforms: ")
    same(os.listdir(lab.folder), [n for n in os.listdir(lab.folder) if "driver-check" not in n],
         "folders left behind")


@test
def keeps_it_behind_a_selector(lab):
    """what a selector's value brings is used: its secret and its ports, so that nothing is left out"""
    _, args = device_of(lab)
    r = check(lab, *args, *KIND, "--quick", "--only", "device", os.path.join(PLUGINS, "lineselector.so"))
    same((r.status, set(r.verdicts.values())), (0, {"ok"}), r)
    r = check(lab, *args, *KIND, "--only", "faults.reset", os.path.join(PLUGINS, "lineselector.so"))
    same((r.status, set(r.verdicts.values())), (0, {"ok"}), r)


@test
def has_no_display_now(lab):
    """a display that this device lacks is one, and no console stands in for it"""
    _, args = device_of(lab)
    r = check(lab, *args, "--only", "contract.display", os.path.join(PLUGINS, "linenodisplay.so"))
    same((r.status, r.verdicts), (2, {"contract.display": "skipped"}), r)
    has(r.out, "the device has none now: unsupported: this one has no screen")


@test
def what_fills_up_is_no_leak(lab):
    """memory that grows and then no more is none; what was measured is said"""
    _, args = device_of(lab)
    r = check(lab, *args, "--quick", "--only", "load.ops", os.path.join(PLUGINS, "linefills.so"))
    same(r.status, 0, r)
    if not SANITIZED:
        has(r.diagnostics, "no descriptor; those before left more")


@test
def nothing_was_checked(lab):
    """without a device it says which checks need one, and where none ran that is no success"""
    line = os.path.join(PLUGINS, "line.so")
    r = check(lab, "--only", "contract", line)
    same(r.status, 2, r)
    has(r.diagnostics, "# --address is needed for contract.open, contract.close, contract.reads")
    has(r.diagnostics, "driver line WAS NOT CHECKED: 0 of 0 checks passed, 13 do not apply")
    has(r.err, "nothing was checked: these checks need a device; give --address")
    r = check(lab, line)
    same(r.status, 0, r)
    has(r.diagnostics, "# --address is needed for faults.reset, ")
    has(r.diagnostics, "driver line conforms: ")
    has(r.diagnostics, "(no device was given)")
    _, args = device_of(lab)
    r = check(lab, *args, "--only", "contract.identify", line)
    same(r.status, 2, r)
    has(r.err, "nothing was checked: none of these checks applies")


@test
def broken_ways(lab):
    """each way to break the contract is found by its check, for its reason"""
    def checked(way):
        name, where, _ = way
        # Checks switch the machine: each has one of its own, and what is stale has to be "on" once.
        device, args = device_of(lab)
        device.state = "on" if where == "device.mute" else "off"
        if "selector" in name:
            args = args + KIND
        return check(lab, *([] if where.startswith("static.") else args), "--quick", "--only", where, "--limit",
                     "4" if name == "linehang" else "60", os.path.join(PLUGINS, name + ".so"))
    ways = [way for way in BROKEN if not (SANITIZED and way[0] in NOT_SANITIZED)]
    unwatched = []
    for (name, where, why), r in zip(ways, at_once(checked, ways)):
        if r.unwatched:
            unwatched.append(name)
            continue
        same((r.status, r.failed), (1, [where]), f"{name}: {r}")
        has(r.diagnostics, why)
    if unwatched:
        skip(f"seccomp: this place has none, and {unwatched} was not found")


@test
def line_is_right_where_they_are_wrong(lab):
    """the checks that find them pass with the driver that is not broken"""
    def checked(where):
        return where, check(lab, *device_of(lab)[1], "--quick", "--only", where,
                            os.path.join(PLUGINS, "line.so"))
    for where, r in at_once(checked, sorted({where for _, where, _ in BROKEN})):
        nothing = r.unwatched or (SANITIZED and where in ("static.constructors", "static.globals"))
        same((r.status, r.failed), (2 if nothing else 0, []), r)


@test
def refusals(lab):
    """with --refusals the device's own count decides; a program that prints none is an error; without
    it the report says what is not proven"""
    device, args = device_of(lab)
    count = lab.write("count", "#!/bin/sh\ncat " + lab.path("refused") + "\n", 0o755)
    lab.write("refused", "0\n")
    only = ["--only", "device.wrong-password", "--refusals", count]
    r = check(lab, *args, *only, os.path.join(PLUGINS, "line.so"))
    same(r.status, 0, r)
    has(r.diagnostics, "the device counted no refusal")
    same(device.refusals, 1)
    lab.write("count", """#!/bin/sh
echo 1 >>"${0%/*}/calls"
echo $(($(wc -l <"${0%/*}/calls") * STEP))
""".replace("STEP", "2"), 0o755)
    r = check(lab, *args, *only, os.path.join(PLUGINS, "line.so"))
    same(r.status, 1, r)
    has(r.diagnostics, "a wrong password was tried 2 times in one op")
    lab.write("count", lab.read("count").replace("* 2", "* 1"), 0o755)
    r = check(lab, *args, *only, os.path.join(PLUGINS, "line.so"))
    same(r.status, 0, r)
    has(r.diagnostics, "the device counted one refusal")
    r = check(lab, *args, *only[:2], os.path.join(PLUGINS, "line.so"))
    has(r.diagnostics, "# not proven: that the device saw one login; --refusals asks it")
    lab.write("count", "#!/bin/sh\ncat " + lab.path("refused") + "\n", 0o755)
    lab.write("refused", "lots\n")
    r = check(lab, *args, *only, os.path.join(PLUGINS, "line.so"))
    same(r.status, 1, r)
    has(r.diagnostics, "printed no number: 'lots'")


@test
def junit(lab):
    """--junit writes what a CI reads: counts, times, and the reason of a failure"""
    _, args = device_of(lab)
    path = lab.path("result.xml")
    r = check(lab, *args, "--only", "contract.close", "--junit", path,
              os.path.join(PLUGINS, "linenoclosed.so"))
    same(r.status, 1, r)
    suite = ElementTree.parse(path).getroot()
    same((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("1", "1", "0"))
    case = suite.find("testcase")
    same(case.get("classname"), "linenoclosed.contract")
    has(case.find("failure").get("message"), "close did not call back in 10 s")
    r = check(lab, "--only", "device", "--junit", path, os.path.join(PLUGINS, "line.so"))
    same(r.status, 2, r)
    same(ElementTree.parse(path).getroot().get("skipped"), "6", "no device: all are skipped")
    r = check(lab, "--only", "static", "--junit", "/nonexistent/x.xml",
              os.path.join(PLUGINS, "line.so"))
    same(r.status, 2, r)


@test
def words(lab):
    """mistakes of the command line and of settings are exit 2, with what is wrong"""
    line = os.path.join(PLUGINS, "line.so")
    for args, said in (([], "takes one driver"),
                       (["--set", "x", line], "--set takes NAME=VALUE: x"),
                       (["--ops", "many", line], "--ops is a number from 1, not 'many'"),
                       (["--only", "fun", line], "fun: there is no such check or group; --list lists them"),
                       (["--only", "contrct", line], "no such check or group; did you mean 'contract'?"),
                       (["--only", "cancel", line], "did you mean 'contract.cancel'?"),
                       (["--only", "load.op", line], "did you mean 'load.ops'?"),
                       (["--adress", "x", line], "--adress: there is no such option; did you mean '--address'?"),
                       (["--adress=x", line], "did you mean '--address'?"),
                       (["-zq", line], "-z: there is no such option; --help lists them"),
                       ([line, "--ops"], "--ops: it takes a value"),
                       (["--set", "prot=1", line],
                        "powerctl-driver-check: driver line has no setting 'prot'; did you mean 'port'?"),
                       (["--set", "port=lots", line], "port is not a number from 1 to 65535"),
                       (["--set", "kind=plain", "--set", "prot=1", os.path.join(PLUGINS, "lineselector.so")],
                        "driver lineselector has no setting 'prot' with kind 'plain'; did you mean 'port'?"),
                       (["/nonexistent.so"], "/nonexistent.so: No such file"),
                       ([CHECK], "a driver is a file NAME.so"),
                       (["--zzz", line], "--zzz: there is no such option; --help lists them")):
        r = check(lab, *args)
        same(r.status, 2, r)
        has(r.err, said)
    r = check(lab, "--list")
    same(r.status, 0, r)
    has(r.out, "faults.lost: the commit point is before the request that changes the machine\n")
    for words in (["--list"], ["--help"], [os.path.join(BUILD, "plugins", "null.so"), "--only", "static"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            r = subprocess.run([CHECK, *words], env=lab.env, stdout=full, stderr=subprocess.PIPE, text=True,
                               timeout=PATIENCE, check=False)
        same((r.returncode, r.stderr), (1, "powerctl-driver-check: standard output cannot be written\n"), r)
    for end in (lambda p: p.send_signal(signal.SIGINT), lambda p: p.stdout.close()):
        proc = lab.keep(Started(subprocess.Popen(
            [CHECK, os.path.join(BUILD, "plugins", "null.so"), "--ops", "100000000"],
            env={**lab.env, "TMPDIR": lab.path("home")}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0))).proc
        has(proc.stdout.readline().decode(), "TAP version")
        same(len(os.listdir(lab.path("home"))), 1)
        end(proc)
        same((proc.wait(PATIENCE) in (1, 130), os.listdir(lab.path("home"))), (True, []))
    r = check(lab, os.path.join(PLUGINS, "otherabi.so"), "--only", "static")
    same((r.status, "static.loads" in r.failed), (1, True), r)
    has(r.diagnostics, "was built for driver ABI")


# --- In powerctl itself. -------------------------------------------------------------------------


def inventory(lab, name, device):
    lab.inventory(f"""nodes:
  n1: {{driver: {name}, address: 127.0.0.1, port: {device.port}, password: {PASSWORD}}}
""")


@test_unsanitized
def crash_is_named(lab):
    """powerctl says which driver crashed, in what and for which node, and dies of the signal"""
    device, _ = device_of(lab)
    inventory(lab, "linecrash", device)
    r = lab.run("--plugin-dir", PLUGINS, "status", "n1")
    same(r.status, -signal.SIGSEGV, r)
    has(r.err, "powerctl: driver linecrash crashed in power.get of n1 (signal 11): please report it")


@test_unsanitized
def crash_in_a_callback_is_named(lab):
    """where the loop called the driver, and it a library, the code on the stack says whose it is"""
    device, _ = device_of(lab)
    lab.inventory(f"""nodes:
  n1: {{driver: linecrashlater, address: 127.0.0.1, port: {device.port}, password: {PASSWORD}}}
  n2: {{driver: "null"}}
  n3: {{driver: "null"}}
""")
    shutil.copytree(os.path.join(BUILD, "plugins"), lab.path("plugins"),
                    ignore=lambda _, names: [n for n in names if not n.endswith(".so")])
    shutil.copy(os.path.join(PLUGINS, "linecrashlater.so"), lab.path("plugins"))
    r = lab.run("--plugin-dir", lab.path("plugins"), "status", "n[1-3]")
    same(r.status, -signal.SIGSEGV, r)
    has(r.err, "powerctl: driver linecrashlater crashed (signal 11) in a callback; what a driver "
               "was asked last is ")
    same(sorted(r.lines), ["n2: off", "n3: off"], "what was read before holds")


@test_unsanitized
def exit_is_named(lab):
    """a driver that ends the program is named, and the status is not its own"""
    device, _ = device_of(lab)
    inventory(lab, "lineexits", device)
    r = lab.run("--plugin-dir", PLUGINS, "status", "n1")
    same(r.status, 1, r)
    has(r.err, "powerctl: driver lineexits ended the program in power.get of n1: please report it")


def hanging(lab, driver):
    """powerctl with a driver that hangs at once, or when it is aborted; it has come there."""
    device, _ = device_of(lab)
    inventory(lab, driver, device)
    proc = lab.start("--plugin-dir", PLUGINS, "status", "n1", stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
    same(proc.stderr.readline(), "line: waits\n" if driver == "linehangabort" else "line: hangs\n")
    return proc


@test
def blocked_loop_is_named(lab):
    """a driver that does not return does not keep the program from ending, whenever it begins with that"""
    once, twice, often = (hanging(lab, "linehang") for _ in range(3))
    later, later_twice = (hanging(lab, "linehangabort") for _ in range(2))
    for proc in (later, later_twice):  # the loop takes this one, and hangs as it obeys
        proc.send_signal(signal.SIGTERM)
        has(proc.stderr.readline(), "powerctl: interrupted: ")
        same(proc.stderr.readline(), "line: hangs\n")
    for proc in (once, twice, later_twice):
        proc.send_signal(signal.SIGTERM)
    twice.send_signal(signal.SIGINT)  # two of a kind at once may arrive as one
    until("it ends", lambda: often.send_signal(signal.SIGTERM) or often.poll() is not None)
    until("they end", lambda: twice.poll() is not None and later_twice.poll() is not None)
    same((once.poll(), later.poll()), (None, None), "what got one signal has more time")
    for proc in (once, twice, often):
        same(proc.wait(PATIENCE), 130)
        has(proc.stderr.read(), "powerctl: driver linehang does not return from power.get of n1: ")
    for proc in (later, later_twice):
        same(proc.wait(PATIENCE), 130)
        has(proc.stderr.read(), "powerctl: driver linehangabort does not return from what it does for power.get of n1: ")


@test
def misuse_is_named(lab):
    """so is one that ends an op twice, or from another thread; and nothing is said twice"""
    device, _ = device_of(lab)
    for name, what in (("linetwice", "a second time"), ("linethread", "from another thread")):
        inventory(lab, name, device)
        r = lab.run("--plugin-dir", PLUGINS, "status", "n1")
        assert r.status in (-signal.SIGABRT, 99), r
        has(r.err, f"powerctl: driver {name} ended an op {what}")
        has(r.err, "(power.get of n1)")
        same(r.err.count("powerctl: "), 1, r)


@test
def forgotten_op(lab):
    """an op that is neither ended nor pending times out; where the build is for debugging it is named"""
    device, _ = device_of(lab)
    inventory(lab, "lineforgets", device)
    r = lab.run("--plugin-dir", PLUGINS, "--timeout", "1s", "status", "n1")
    if SANITIZED:
        assert r.status in (-signal.SIGABRT, 99), r
        has(r.err, "driver lineforgets neither ended an op nor said by pctl_op_pending()")
    else:
        bad(r, 1, "n1: unknown: timeout: no answer in 1 s")


@test
def well_driver_is_not_named(lab):
    """the driver that keeps the contract works in powerctl"""
    device, _ = device_of(lab)
    inventory(lab, "line", device)
    good(lab.run("--plugin-dir", PLUGINS, "on", "n1"), "n1: on")
    same(device.state, "on")


main()
