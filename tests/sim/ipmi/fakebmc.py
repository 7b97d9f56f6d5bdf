#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fakebmc.py ADDRESS LOG: pyghmi's fakebmc on a port that the kernel gives.

Prints one JSON line, {"address", "port"}, when it answers; user admin, password "password". LOG gets a line for all that it was told
to do: `power on`, `power off`, `reset`, `shutdown`, `boot DEVICE`.
Runs on the Python that has pyghmi. It knows IPMI 2.0 and cipher suite 3 only.
"""
import json
import sys

import pyghmi.ipmi.bmc as bmc
import pyghmi.ipmi.private.session as session
from pyghmi.cmd.fakebmc import FakeBmc


class Logged(FakeBmc):
    def __init__(self, address, log):
        # fakebmc's own __init__ would listen on all addresses.
        bmc.Bmc.__init__(self, {"admin": "password"}, port=0, address=address)
        self.port = self.serversocket.getsockname()[1]
        self.powerstate, self.bootdevice = "off", "default"
        self.log = log

    def note(self, what):
        with open(self.log, "a", encoding="ascii") as out:
            out.write(what + "\n")

    def set_boot_device(self, bootdevice):
        self.bootdevice = bootdevice
        self.note(f"boot {bootdevice}")

    def power_on(self):
        self.powerstate = "on"
        self.note("power on")

    def power_off(self):
        self.powerstate = "off"
        self.note("power off")

    def power_reset(self):
        self.note("reset")

    def power_shutdown(self):
        self.powerstate = "off"
        self.note("shutdown")


def main():
    # pyghmi wakes its thread up through ::1 unless it is told better.
    session.myself, session.ipv6support = "127.0.0.1", False
    one = Logged(sys.argv[1], sys.argv[2])
    print(json.dumps({"address": sys.argv[1], "port": one.port}), flush=True)
    one.listen()


main()
