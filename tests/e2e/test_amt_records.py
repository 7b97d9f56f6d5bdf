#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hardware, both logs and sensors of Intel AMT, and `log --follow`, against powerctl-amtsim."""
import json
import signal
import subprocess

from amtlib import PASSWORD, Fleet
from lib import bad, error_of, good, has, main, same, test, until

# One connection, in order; the classes that the firmware has.
HARDWARE = ["CIM_Chassis.Get", "CIM_Card.Get", "CIM_BIOSElement.Get", "CIM_Chip.Enumerate",
            "CIM_Chip.Pull", "CIM_Processor.Enumerate", "CIM_Processor.Pull",
            "CIM_PhysicalMemory.Enumerate", "CIM_PhysicalMemory.Pull",
            "CIM_MediaAccessDevice.Enumerate", "CIM_MediaAccessDevice.Pull",
            "CIM_PhysicalPackage.Enumerate", "CIM_PhysicalPackage.Pull",
            "CIM_Battery.Enumerate", "CIM_Battery.Pull"]
SEEDED = 3 + 25  # events and audits that a device begins with


def answer(lab, *words):
    r = lab.run("--json", *words)
    same(r.status, 0, r)
    return r.json[0]["result"]


def events(lab, *words):
    return answer(lab, "log", *words)["events"]


def parts(tree, kind):
    return [part for part in tree.get("parts", []) if part["type"] == kind]


@test
def hardware(lab):
    """hardware tells what each class has, in few requests over one connection"""
    fleet = Fleet(lab, "--state", "on", devices=2)
    tree = answer(lab, "hardware", "a1")
    same(tree["chassis"]["serial"], "SIMC000001")
    same(tree["board"]["name"], "NUC9V7QNB")
    same(tree["firmware"], [{"name": "BIOS", "version": "QNCFLX70.0054.2020.0810.2227",
                             "manufacturer": "Intel Corp.", "released": "2020-08-10T00:00:00Z"}])
    cpu, = parts(tree, "processor")
    same((cpu["product"], cpu["family"], cpu["speed_mhz"]),
         ("Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz", "Core i7", 2400))
    same([(m["name"], m["size_mib"], m["memory_type"], m["form_factor"], m["manufacturer"])
          for m in parts(tree, "memory_module")],
         [("BANK 0", 16384, "DDR4", "SO-DIMM", "Crucial"),
          ("BANK 2", 16384, "DDR4", "SO-DIMM", "Crucial")])
    # "Default string" is nobody's product.
    same([(d["size_mib"], d.get("product"), d["serial"]) for d in parts(tree, "disk")],
         [(953869, None, "SIMD000001A"), (476940, "INTEL SSDPEKKW512G8", "SIMD000001B")])
    same([b["capacity_mwh"] for b in parts(tree, "battery")], [5601])
    same(fleet.device()["log"], HARDWARE)
    fleet.blameless()
    same(fleet.counters()["connections"], 2)  # one more, since it hangs up behind its challenge
    good(lab.run("hardware", "a[1-2]"), *(
        f"a{n}: NUC9V7QNX             SIMC00000{n}          Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz    "
        "32 GiB    931 GiB + 465 GiB   QNCFLX70.0054.2020.0810.2227" for n in (1, 2)))
    has(lab.run("hardware", "-v", "a[1-2]").out, "a2: board.name: NUC9V7QNB\n")
    has(lab.run("hardware", "a1").out, "a1:\n  chassis:\n    manufacturer: Intel(R) Client Systems\n")


@test
def hardware_that_is_not_told(lab):
    """Classes that the firmware lacks and texts that nobody filled in are left out"""
    fleet = Fleet(lab, "--state", "on", devices=2)
    fleet.set(1, no_processor=1, unfilled=1, pull_batch=1)
    fleet.set(2, no_hardware=1, profile=8)
    tree = answer(lab, "hardware", "a1")
    cpu, = parts(tree, "processor")
    same(cpu, {"type": "processor", "name": "CPU 0", "manufacturer": "Intel(R) Corporation",
               "product": "Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz"})
    same([m.get("serial") for m in parts(tree, "memory_module") + parts(tree, "disk")], [None] * 4)
    tree = answer(lab, "hardware", "a2")
    same(sorted(tree), ["board", "chassis", "firmware"])
    has(lab.run("hardware", "a[1-2]").out, "a2: NUC9V7QNX             SIMC000002          -   ")


@test
def logs(lab):
    """log tells both logs as sentences, oldest first; --new only what came since"""
    fleet = Fleet(lab, "--state", "on", devices=1)
    told = events(lab, "a1")
    same(len(told), SEEDED)
    same((told[0]["event"], told[0]["source"], told[0]["clock"]),
         ("firmware updated (from 12.0.40.1433 to 12.0.36.1428), by the machine itself", "audit",
          "unset"))
    times = [e["time"] for e in told[1:]]
    same(times, sorted(times))
    same({key: told[-1][key] for key in ("event", "severity", "sensor", "source", "time")},
         {"event": "authentication failed 10 times", "severity": "critical", "sensor": "Intel ME",
          "source": "event", "time": "2024-01-06T03:26:27Z"})
    same(told[-1]["raw"], "63c89865ff066f056810ff2661aa0a000000000000")
    good(lab.run("log", "--new", "a1"), "a1: no new events")
    fleet.reset()
    good(lab.run("log", "--new", "a1"), "a1: no new events")
    # 25 audits take three answers; for what is new one does.
    same(fleet.device()["log"], ["AMT_MessageLog.PositionToFirstRecord",
                                 "AMT_MessageLog.GetRecords", "AMT_AuditLog.ReadRecords"])
    fleet.blameless()
    lab.run("reset", "a1")
    same(sorted(e["event"] for e in events(lab, "--new", "a1")),
         ["reset, by admin from 127.0.0.1",
          "starting: the operating system's loader was called"])
    has(lab.run("log", "a1").lines[1], "(the device's clock was not set)")


@test
def refused_logins_are_noted(lab):
    """Who tried a wrong password finds it in the log"""
    fleet = Fleet(lab, devices=1)
    same(len(events(lab, "a1")), SEEDED)
    fleet.set(1, password="An0ther-word")
    has(lab.run("status", "a1").out, "a1: unknown: auth: ")
    fleet.set(1, password=PASSWORD)
    new = events(lab, "--new", "--try-anyway", "a1")
    same(sorted({e["source"] for e in new}), ["audit", "event"])
    has(" ".join(e["event"] for e in new), "authentication failed 1 time")
    has(" ".join(e["event"] for e in new), "login with wrong credentials")
    same(fleet.counters()["r401_bad"], len(new) / 2)


@test
def log_without_audits(lab):
    """An audit log that the account may not read is no failure, and is named; neither log is one"""
    fleet = Fleet(lab, devices=2)
    fleet.set(1, audit="forbidden")
    fleet.set(2, audit="absent")
    for node in ("a1", "a2"):
        tree = answer(lab, "log", node)
        same(len(tree["events"]), 3, node)
        kind = {"a1": "forbidden", "a2": "unsupported"}[node]
        left = tree["left_out"][0]
        same((left["source"], left["class"]), ("audit", kind))
        has(left["text"], "audit log: ")
        has(lab.run("log", node).out, "left out: audit log: ")
        same(error_of(lab.run("--json", "log", "--kind", "audit", node))[0], kind)
    # The account may by now: what is there was not seen.
    fleet.set(1, audit="read")
    same(len(events(lab, "--new", "a1")), 25)
    same("left_out" in answer(lab, "log", "a1"), False)


@test
def logs_without_end(lab):
    """An iterator that stays, or that begins anew, does not hold anybody up"""
    fleet = Fleet(lab, devices=4)
    fleet.set("all", audits=0, log_batch=2)
    fleet.set(1, log_iterator="stuck")
    fleet.set(2, log_iterator="endless")
    fleet.set(3, log_oldest_first=1)
    same(len(events(lab, "a1")), 2)
    same(len(events(lab, "a2")), 2)
    for node in ("a3", "a4"):
        same([e["sensor"] for e in events(lab, node)], ["BIOS", "BIOS", "Intel ME"], node)
    assert fleet.counters(2)["requests"] < 10, fleet.device(2)


@test
def odd_records(lab):
    """Records that are damaged, cut or of no known kind are told as what they are"""
    fleet = Fleet(lab, devices=3)
    for n, kind in enumerate(("base64", "short", "unknown"), 1):
        fleet.set(n, log_records=kind, audits=2)
    same({(e["severity"], e.get("event")) for e in events(lab, "a1")},
         {("unknown", "a record that is damaged")})
    short = events(lab, "a2")
    same({(e["severity"], e.get("event"), "raw" in e) for e in short}, {("unknown", None, True)})
    has(lab.run("log", "a2").out, "not known, raw ")
    odd = [e for e in events(lab, "a3") if e["source"] == "event"]
    same({(e["severity"], e.get("sensor"), e["sensor_type"]) for e in odd},
         {("unknown", None, "other")})
    has(odd[-1]["event"], "sensor type 126")


@test
def clear(lab):
    """log --clear empties both logs; which one it could not empty is an error"""
    fleet = Fleet(lab, devices=4)
    for n, how in enumerate(("read", "forbidden", "absent"), 2):
        fleet.set(n, audit=how)
    r = lab.run("log", "--clear", "--yes", "--json", "a[1-4]")
    ends = {line["node"]: (line["ok"], line["changed"]) for line in r.json}
    same(ends, {"a1": (True, True), "a2": (False, True), "a3": (False, True), "a4": (True, True)})
    for line in r.json:
        if not line["ok"]:
            has(line["error"]["message"], "its event log is empty now, its audit log is not empty")
    same([e["event"] for e in events(lab, "a1")], ["audit log emptied, by admin from 127.0.0.1"])
    told = events(lab, "a2")
    same({e["source"] for e in told}, {"audit"})
    has(told[-1]["event"], "event log emptied")
    same(fleet.device()["log"][:4], ["AMT_MessageLog.ClearLog", "AMT_AuditLog.SetAuditLock",
                                     "AMT_AuditLog.ClearLog", "AMT_AuditLog.SetAuditLock"])
    same(fleet.device()["counters"]["faults"], 0)
    fleet.reset()
    good(lab.run("log", "--clear", "-y", "--kind", "audit", "a1"), "a1: ok")
    kind, text = error_of(lab.run("--json", "log", "--clear", "-y", "--kind", "audit", "a4"))
    assert kind == "unsupported" and "not empty" not in text, (kind, text)
    assert "AMT_MessageLog.ClearLog" not in fleet.device()["log"], fleet.device()["log"]
    fleet.reset()
    good(lab.run("log", "--clear", "-y", "--kind", "event", "a1"), "a1: ok")
    assert "AMT_AuditLog.ClearLog" not in fleet.device()["log"], fleet.device()["log"]
    for n in (2, 3, 4):
        same(lab.run("log", "--clear", "-y", "--kind", "audit", f"a{n}").status, 1)
    r = lab.run("log", "--kind", "audit", "a[1-2]", "a4", "--json")
    same([e["source"] for line in r.json if line["ok"] for e in line["result"]["events"]
          if e["source"] != "audit"], [])
    has(lab.run("log", "a3").out, "left out: audit log: ")
    has(lab.run("log", "--kind", "audit", "a3").out, "error: forbidden: audit log: ")
    has(lab.run("log", "--kind", "sel", "a1").out, "there is no log 'sel'; it is one of: event")


@test
def sensors(lab):
    """What stands for nothing is no sensor"""
    Fleet(lab, devices=1)
    r = lab.run("--json", "sensors", "a1")
    same((r.status, error_of(r)[0]), (1, "unsupported"))
    has(error_of(r)[1], "no sensors that measure anything")


# --- log --follow. --------------------------------------------------------------------------------

class Follower:
    """`powerctl log --follow`, whose lines are read as they come."""

    def __init__(self, lab, *args):
        self.out, self.err = lab.path("out"), lab.path("err")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.proc = lab.start("log", "--follow", "--every", "1s", *args,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def text(self, path):
        with open(path, encoding="utf-8") as f:
            return f.read()

    def lines(self):
        return self.text(self.out).splitlines()

    def until_said(self, text, times=1):
        until(f"{text!r} in {self.text(self.err)!r}", lambda: self.text(self.err).count(text) >= times)

    def until_lines(self, count):
        until(f"{count} lines in {self.lines()}", lambda: len(self.lines()) >= count)
        same(len(self.lines()), count)

    def interrupt(self):
        self.proc.send_signal(signal.SIGINT)
        return self.proc.wait(60)


@test
def follow(lab):
    """--follow tells what is new and what comes of many nodes; who cannot be read is told once"""
    fleet = Fleet(lab, "--state", "on", devices=3, timeouts="connect: 2s")
    fleet.inventory(timeouts="connect: 2s", more='  x1: {driver: "null", fail_reads: protocol}\n')
    fleet.set("all", audits=0)
    same(lab.run("log", "a1").status, 0)  # what was seen is not told again
    fleet.set(3, dead="refuse")
    f = Follower(lab, "a[1-3],x1")
    f.until_lines(3)
    same({line[:4] for line in f.lines()}, {"a2: "})
    f.until_said("a3: error: unreachable: ")
    before = fleet.counters(2)["requests"]
    fleet.set(1, events=2)
    f.until_lines(5)
    same(f.lines()[-1][:4], "a1: ")
    has(f.lines()[-1], "info  BIOS: starting: the operating system's loader was called")
    fleet.set(3, dead="no")
    f.until_said("a3: its log is read again")
    f.until_lines(8)
    # Who is in trouble is asked apart from the others, and less often.
    assert fleet.counters(2)["requests"] >= before + 2 * 4, fleet.counters(2)
    same([f.text(f.err).count(f"{n}: error") for n in ("a3", "x1")], [1, 1], "told once")
    same(f.interrupt(), 130)
    same(len(f.lines()), 8)
    # What was shown has been looked at.
    good(lab.run("log", "--new", "a[1-3]"), *(f"a{n}: no new events" for n in (1, 2, 3)))


@test
def follow_as_json(lab):
    """--json has a line for what is new of a node, and one for a failure; no device left: an end"""
    fleet = Fleet(lab, devices=2)
    fleet.set("all", audits=0)
    f = Follower(lab, "--json", "a[1-2]")
    f.until_lines(2)
    fleet.set(1, password="An0ther-word")
    f.until_said("a1: error: auth: ")
    fleet.set(2, password="An0ther-word")
    same(f.proc.wait(60), 1)
    rows = [json.loads(line) for line in f.lines()]
    same(sorted((r["node"], r["ok"], len((r["result"] or {"events": []})["events"])) for r in rows),
         [("a1", False, 0), ("a1", True, 3), ("a2", False, 0), ("a2", True, 3)])
    # A password that was refused is tried once.
    same(fleet.counters(1)["r401_bad"], 1)


@test
def follow_others(lab):
    """Every driver's log is followed; a reader who has gone ends it, and so does nothing to follow"""
    lab.inventory('nodes:\n  n1: {driver: "null", events: 2}\n  n2: {driver: wol, address: 127.0.0.1, mac: "02:00:00:00:00:01"}\n'
                  '  n3: {driver: "null", maintenance: broken}\n')
    proc = lab.start("log", "--follow", "--every", "1s", "n[1-3]", stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    has(proc.stdout.readline(), "n1: 2026-11-20 00:01:05Z  critical  Fan 1: below its lower limit\n")
    has(proc.stdout.readline(), "n1: 2026-11-20 00:02:05Z")
    proc.stdout.close()
    same(proc.wait(60), 1)
    said = proc.stderr.read()
    has(said, "n2: error: unsupported: driver wol cannot read the device's log\n")
    has(said, "n3: skipped: broken\n")
    # What may not have been read is new again.
    same(len(lab.run("log", "--new", "n1").lines), 3)
    bad(lab.run("log", "--follow", "n2"), 1)
    same(lab.run("log", "--follow", "n3").status, 0)


@test
def follow_wrongly(lab):
    """What does not go with --follow is refused before anything is sent"""
    fleet = Fleet(lab, devices=1)
    for words in (("--follow", "--clear"), ("--follow", "--dry-run"), ("--follow", "--sort"),
                  ("--follow", "--deadline", "9s"), ("--every", "5s"),
                  ("--follow", "--every", "100ms"), ("--follow", "--every", "x")):
        r = lab.run("log", *words, "a1")
        same((r.status, r.out), (2, ""), r)
        has(r.err, "--")
    same(fleet.counters()["requests"], 0)


if __name__ == "__main__":
    main()
