#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Redfish service's serial console over SSH: Debian's ssh and sshd, and a BMC's command line behind it."""
import fcntl
import os
import signal
import struct
import subprocess
import termios

from gatewaylib import BmcSshd, runs
from lib import POWERCTL, good, has, main, same, test, until
from redfishlib import PASSWORD, USER, RedfishFleet


def bmc(lab, more="", settings="", **how):
    """A service and its sshd, which no key opens."""
    sshd = BmcSshd(lab, USER, PASSWORD, more)
    sshd.client("other")
    fleet = RedfishFleet(lab, "--set", f"all:ssh_port={sshd.port}", settings=settings, **how)
    return fleet, sshd


def nothing_left(lab, sshd):
    until("all of ssh has ended", lambda: not sshd.alive())
    until("sshd serves nobody", lambda: not sshd.sessions())
    same([f for f in os.listdir(lab.path("run", "powerctl")) if "askpass" in f], [])


@test
def talking(lab):
    """the password, the command that enters it, typing, sizes, ~B, and ~. which leaves nothing behind"""
    _, sshd = bmc(lab)
    t = lab.terminal("console", "r1")
    t.expect("[powerctl: console of r1 (ssh); ~. leaves, ~? helps]")
    t.expect("its own way to leave, as it says: Press ^] and then q]")
    t.expect("A BMC's welcome.\n")
    t.expect("bmc> start /console1\n")
    t.expect("console1 is open\n")
    t.wait_echo(False)
    t.send("hello\r")
    t.expect("got hello\n")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    until("the size is there", lambda: (t.send("size\r"), t.expect("got "), t.expect("\n"))
          and "111x33" in t.seen)
    t.send("~B")
    t.expect("no break was sent: it has no 'break'")
    t.send("\r~.")
    t.expect("[powerctl: console of r1 closed]")
    same(t.end(), 0)
    same(termios.tcgetattr(t.fd), t.before)
    nothing_left(lab, sshd)
    same(sshd.told()[1:3], ["command: start /console1", "console: hello"])
    same(PASSWORD in t.seen, False)



