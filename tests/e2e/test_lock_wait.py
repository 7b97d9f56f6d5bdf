#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--lock-wait: a verb that goes first, and what becomes of the one that has the lock. --names: words from outside."""
import signal
import subprocess

from lib import PATIENCE, bad, good, has, main, same, test, until


def machine(lab, state, **settings):
    """n1, whose power is in a file that all commands share."""
    lab.write("n1.state", state)
    rows = "".join(f", {k}: {v}" for k, v in settings.items())
    lab.inventory(f"nodes: {{n1: {{driver: \"null\", state_file: {lab.path('n1.state')}{rows}}}, n2: {{driver: \"null\"}}}}\n")


def frozen(lab, *words, state):
    """A command that has the lock, stopped in the middle of its work: it has turned the machine to state."""
    proc = lab.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(f"it is {state}", lambda: lab.read("n1.state").strip() == state)
    proc.send_signal(signal.SIGSTOP)
    return proc


def thawed(proc):
    proc.send_signal(signal.SIGCONT)
    out, _ = proc.communicate(timeout=PATIENCE)
    return proc.returncode, out


@test
def goes_first(lab):
    """after --lock-wait a verb goes first and says whom it overtook; the overtaken one undoes nothing of it"""
    machine(lab, "on", no_cycle="true", timeouts="{outage: 3s}")
    holder = frozen(lab, "reboot", "n1", state="off")
    who = f"powerctl reboot, pid {holder.pid}"
    result = lab.run("off", "--json", "--lock-wait", "100ms", "n1")
    row = result.json[0]
    same((result.status, row["ok"], row["state"]), (0, True, "off"), result)
    has(row["overtook"], who)
    has(result.err, f"n1: went first, without its lock: {row['overtook']}\n")
    status, out = thawed(holder)
    same(status, 1)
    has(out, "n1: error: canceled: another command went first (")
    has(out, "so 'on' is not sent; it last read off")
    same(lab.read("n1.state").strip(), "off")


@test
def tells_honestly(lab):
    """who waits for a confirmation that the other one prevents says so; without --lock-wait nobody is overtaken"""
    machine(lab, "off", transition="600s")
    holder = frozen(lab, "on", "--timeout", "2s", "n1", state="on")
    result = lab.run("off", "--deadline", "300ms", "n1")
    bad(result, 1, "n1: error: timeout: the command's time was over; nothing was sent")
    same(lab.run("off", "--lock-wait", "50ms", "--no-wait", "n1").status, 0)
    status, out = thawed(holder)
    same(status, 1)
    has(out, "'on' was accepted, but it still reads off after 2 s; meanwhile another command went first (")


@test
def several_feeds(lab):
    """the same where several things power a node: all of their locks are passed, and the holder stands back"""
    lab.write("n1.state", "on")
    lab.write("strip.state", "on")
    lab.inventory(f"""nodes:
  n1:
    driver: "null"
    state_file: {lab.path('n1.state')}
    no_cycle: true
    timeouts: {{outage: 3s}}
    power: [bmc, {{driver: "null", unit: outlet, state_file: {lab.path('strip.state')}}}]
""")
    holder = frozen(lab, "reboot", "n1", state="off")
    result = lab.run("off", "--json", "--lock-wait", "100ms", "n1")
    row = result.json[0]
    same((result.status, row["state"]), (0, "off"), result)
    has(row["overtook"], f"powerctl reboot, pid {holder.pid}")
    status, out = thawed(holder)
    same(status, 1)
    has(out, "another command went first (")
    same((lab.read("n1.state").strip(), lab.read("strip.state").strip()), ("off", "off"))


@test
def no_lock_needed(lab):
    """who gets the lock in time overtakes nobody; where no lock can be had at all --lock-wait goes without"""
    machine(lab, "on")
    same(lab.run("off", "--json", "--lock-wait", "5s", "n1").json[0]["overtook"], None)
    lab.write("run/powerctl/locks", "")
    broken = {"XDG_RUNTIME_DIR": lab.write("no-folder", "")}
    bad(lab.run("on", "n1", env=broken), 1, "n1: error: internal: ")
    result = lab.run("on", "--json", "--lock-wait", "5s", "n1", env=broken)
    same((result.status, result.json[0]["state"]), (0, "on"), result)
    assert result.json[0]["overtook"], result
    bad(lab.run("status", "--lock-wait", "5s", "n1"), 2)


@test
def only_names(lab):
    """--names ends the options and takes names and ranges of the inventory, and nothing else"""
    lab.inventory('nodes:\n  n[1-3]: {driver: "null", tags: [t]}\ngroups: {g: n1}\n')
    good(lab.run("status", "--names", "n[1-2]"), "n1: off", "n2: off")
    good(lab.run("status", "--names", "n1,n3"), "n1: off", "n3: off")
    good(lab.run("expand", "--names", "n[1-2]"), "n1", "n2")
    for word in ("-x", "--yes", "--", "-", "@g", "%t", "*", "n[1-3]!n2", "n1&n2", "null://x", "", " ", "n1 n2",
                 "n1\n", "n[1-", "n9", "@failed", "n[1-2000000]", "$(id)", "../n1", "n1;id"):
        result = lab.run("off", "--yes", "--names", word)
        same((result.status, result.out), (2, ""), word)
        assert result.err, word
    result = lab.run("off", "--yes", "--names", "n1", "--dry-run")
    same((result.status, result.out), (2, ""))
    result = lab.run("off", "--yes", "--names")
    same((result.status, result.err), (2, "powerctl: no names follow --names\n"))
    same(lab.run("off", "--all", "--names", "n1").status, 2)
    same(lab.run("status", "-x", "@g", "--names", "n1").status, 2)


if __name__ == "__main__":
    main()
