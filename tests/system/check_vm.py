#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real machine behind a BMC: QEMU, in software, its power in the hands of OpenIPMI's ipmi_sim.

`powerctl pxeboot` starts it, its BIOS lets iPXE load a script over the network, and the script's
words appear on its serial line. The same line is typed into and read with `powerctl console`,
through powerctl-bmcsim. Each part is first done with means that are not ours.
"""
import os
import shutil
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from ipmilib import IPMITOOL, PASSWORD, IpmiSim, console_fleet, need  # noqa: E402
from lib import good, has, main, same, skip, test, until  # noqa: E402

MAC = "52:54:00:12:34:56"
SCRIPT = "#!ipxe\necho powerctl-marker: ${net0/mac} booted from ${filename}\nshell\n"
MARKER = f"powerctl-marker: {MAC} booted from /boot.ipxe"
PROMPT = "iPXE> "
# What is typed: its answer is not among its own letters.
QUESTION, ANSWER = "echo hello from ${net0/mac}", f"hello from {MAC}"


def need_driver():
    if not os.path.exists(os.path.join(lib.BUILD, "plugins", "ipmi.so")):
        skip("driver ipmi is not built")


class Machine:
    """Node c1: a QEMU machine behind ipmi_sim."""

    def __init__(self, lab):
        need("ipmi_sim", "ipmitool")
        if not shutil.which("qemu-system-x86_64"):
            skip("qemu-system-x86_64 is not installed")
        if not os.path.exists("/usr/lib/ipxe/qemu/pxe-e1000.rom"):
            skip("ipxe-qemu is not installed")
        lab.write("sim/tftp/boot.ipxe", SCRIPT)
        control = lab.path("sim", "machine")
        shutil.copy(os.path.join(HERE, "machine"), control)
        self.sim = lab.keep(IpmiSim(lab.path("sim"), control=control))
        self.line = lab.path("sim", "c1.serial")

    @property
    def shown(self):
        """All that it has written to its serial line since its last start."""
        return self.sim.read("c1.console")

    def process(self):
        """Whether QEMU runs, as the kernel knows it."""
        try:
            with open(f"/proc/{self.sim.read('c1.pid')}/comm", encoding="ascii") as name:
                return name.read().startswith("qemu")
        except OSError:
            return False

    def wait_for_marker(self):
        # The lines of a terminal 80 wide are broken anywhere.
        until(f"iPXE has run the script: {self.sim.read('c1.qemu')}",
              lambda: MARKER in self.shown.replace("\r", "").replace("\n", ""))

    def ipmitool(self, *words):
        r = self.sim.ipmitool(1, *words)
        same(r.status, 0, r)
        return r.out

    def boot_with_ipmitool(self):
        self.ipmitool("chassis", "bootdev", "pxe")
        self.ipmitool("power", "on")
        self.wait_for_marker()


def talk(send, expect):
    """Types the question into iPXE's shell as people do: each letter when the last one is there."""
    send("\r")
    expect(PROMPT)
    for letter in QUESTION:
        send(letter)
        expect(letter)
    send("\r")
    expect(ANSWER)


class Line:
    """The serial line itself."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(lib.PATIENCE)
        self.socket.connect(path)
        self.seen = ""

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())

    def expect(self, text):
        while text not in self.seen:
            more = self.socket.recv(4096)
            assert more, f"the line ended before {text!r}: {self.seen!r}"
            self.seen += more.decode("ascii", "replace")
        self.seen = self.seen.split(text, 1)[1]


@test
def others_boot(lab):
    """with ipmitool: boot device pxe and on; iPXE runs the script, and its shell answers"""
    machine = Machine(lab)
    has(machine.ipmitool("power", "status"), "is off")
    assert not machine.process(), "it runs already"
    machine.boot_with_ipmitool()
    assert machine.process(), "no process"
    line = lab.keep(Line(machine.line))
    talk(line.send, line.expect)
    machine.ipmitool("power", "off")
    assert not machine.process(), "it still runs"


@test
def boot(lab):
    """powerctl status, pxeboot, status, reboot, off: the machine does what is said"""
    need_driver()
    machine = Machine(lab)
    machine.sim.inventory(lab)
    good(lab.run("status", "c1"), "c1: off")
    good(lab.run("pxeboot", "c1"), "c1: on")
    machine.wait_for_marker()
    same(machine.sim.log(), ["boot pxe", "power 1", "started from pxe"])
    has(machine.ipmitool("power", "status"), "is on")
    good(lab.run("status", "c1"), "c1: on")

    good(lab.run("reboot", "c1"), "c1: on")
    assert machine.process(), "no process"
    # The override was for one start: now it wants its disk, and has none.
    until("it has found no disk", lambda: "No bootable device" in machine.shown)
    assert "powerctl-marker" not in machine.shown, "it booted from the network again"

    good(lab.run("off", "c1"), "c1: off")
    assert not machine.process(), "it still runs"
    has(machine.ipmitool("power", "status"), "is off")
    good(lab.run("status", "c1"), "c1: off")


def console_of(lab):
    """The machine, booted, and a BMC of powerctl-bmcsim whose serial line is the machine's."""
    if not os.access(lib.BMCSIM, os.X_OK):
        skip("powerctl-bmcsim is not built")
    machine = Machine(lab)
    machine.boot_with_ipmitool()
    return machine, console_fleet(lab, "--state", "on", "--set",
                                  f"1:sol_backend=unix:{machine.line}")


def talk_and_leave(machine, terminal):
    talk(terminal.send, terminal.expect)
    terminal.send("\r")
    terminal.expect(PROMPT)
    terminal.send("~.")
    same(terminal.end(), 0, terminal.seen)
    assert machine.process(), "the console's end was the machine's"


@test
def others_console(lab):
    """ipmitool's console of the machine, through powerctl-bmcsim"""
    machine, fleet = console_of(lab)
    args = [IPMITOOL, "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(fleet.port(1)),
            "-U", "admin", "-P", PASSWORD, "sol", "activate"]
    terminal = lab.keep(lib.Terminal(args, lab.env))
    terminal.expect("SOL Session operational")
    talk_and_leave(machine, terminal)


@test
def console(lab):
    """powerctl console of the machine: what is typed arrives, what it answers is shown"""
    need_driver()
    machine, _ = console_of(lab)
    talk_and_leave(machine, lab.terminal("console", "b1"))


if __name__ == "__main__":
    main()
