#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our own drivers keep the contract: powerctl-driver-check on each, in front of its stand-in.

A driver is a function here, which starts its device, and a row in tests/CMakeLists.txt.
"""
import os
import socket

import amtlib
import ipmilib
import redfishlib
from checklib import check
from gatewaylib import BmcSshd
from linedev import LineDevice
from lib import BUILD, SANITIZED, SOURCE, has, main, same, skip, test

# A sanitizer brings constructors and globals of its own.
ALWAYS_SKIPPED = ("static.constructors", "static.globals") if SANITIZED else ()
NO_NETWORK = ("contract.deadline", "device.unreachable", "device.mute", "device.wrong-password",
              "faults.reset", "faults.half-open", "faults.trickle", "faults.slow",
              "faults.garbage", "faults.cut", "faults.lost")
ONLY_POWER = (*NO_NETWORK, "contract.boot", "contract.identify", "contract.idle",
              "contract.console", "contract.display", "device.canary")
NO_STATE = (*(set(ONLY_POWER) - {"contract.deadline"}), "contract.actions",
            "contract.cancel-action", "device.on-twice", "device.off-twice")


def conforms(lab, driver, *args, ops=10000, but=()):
    """It passes every check; none but those in but does not apply."""
    r = check(lab, *args, "--ops", str(min(ops, 1000) if SANITIZED else ops),
              os.path.join(BUILD, "plugins", driver + ".so"))
    same((r.status, r.failed), (0, []), r)
    skipped = {name for name, how in r.verdicts.items() if how == "skipped"}
    if r.unwatched:
        skip("seccomp: this place has none, and nobody saw whether open sends something")
    same(skipped - set(ALWAYS_SKIPPED), set(but), r)
    has(r.diagnostics, f"driver {driver} conforms: ")
    return r


@test
def null(lab):
    """null: a machine in memory"""
    secret = lab.write("secret", "the-canary-sings\n")
    conforms(lab, "null", "--password-file", secret, "--set", "latency=1ms",
             but=("contract.idle", *NO_NETWORK))


def of_amt(lab):
    sim = lab.amtsim("--by-port", "--port", "0", "--tls-port", "0", "--devices", "1")
    ready = sim.ready
    one = ready["devices"][0]
    secret = lab.write("secret", amtlib.PASSWORD + "\n")
    count = lab.write("count", f"""#!/bin/sh
curl -sS --noproxy '*' http://127.0.0.1:{ready['control']}/counters |
	tr ',{{}}' '\\n\\n\\n' | sed -n 's/^ *"r401_bad": *//p' | head -n 1
""", 0o755)
    return ["--address", "127.0.0.1", "--set", f"port={one['port']}",
            "--set", f"tls_port={one['tls_port']}",
            "--set", f"redirection_port={one['redirection_port']}",
            "--set", f"redirection_tls_port={one['redirection_tls_port']}", "--password-file", secret,
            "--refusals", count]


@test
def amt(lab):
    """amt: over plain HTTP"""
    r = conforms(lab, "amt", *of_amt(lab), "--set", "tls=false",
                 but=("contract.identify",))
    has(r.diagnostics, "the device counted one refusal")


@test
def ipmi(lab):
    """ipmi: over datagrams"""
    # libipmiconsole takes no port above 32767.
    port = next(n for n in range(20000 + os.getpid() % 10000, 32767) if is_free(n))
    # 32 places, for what broken lines leave behind.
    lab.bmcsim("--by-port", "--port", str(port), "--devices", "1", "--set",
               "all:session_limit=32", "--set", "all:session_timeout_ms=8000")
    secret = lab.write("secret", ipmilib.PASSWORD + "\n")
    conforms(lab, "ipmi", "--address", "127.0.0.1", "--set", f"port={port}", "--set",
             "username=admin", "--password-file", secret, but=("contract.display",))


@test
def redfish(lab):
    """redfish: over plain HTTP, with a console over SSH"""
    sshd = BmcSshd(lab, redfishlib.USER, redfishlib.PASSWORD)
    sshd.client("other")
    one = lab.redfishsim("--by-port", "--port", "0", "--tls-port", "0", "--set", f"all:ssh_port={sshd.port}",
                         "--devices", "1").ready["devices"][0]
    secret = lab.write("secret", redfishlib.PASSWORD + "\n")
    conforms(lab, "redfish", "--address", "127.0.0.1", "--set", f"port={one['port']}",
             "--set", "tls=false", "--set", f"username={redfishlib.USER}",
             "--password-file", secret, but=("contract.display",))


@test
def redfish_growth(lab):
    """redfish: over TLS, whose caches fill up and then stay so"""
    one = lab.redfishsim("--by-port", "--port", "0", "--tls-port", "0", "--set", "all:console=0",
                         "--devices", "1").ready["devices"][0]
    secret = lab.write("secret", redfishlib.PASSWORD + "\n")
    for quick in (["--only", "load.devices", "--quick"], ["--only", "device.wrong-password"]):
        r = check(lab, "--address", "127.0.0.1", "--set", f"port={one['tls_port']}", "--set",
                  f"username={redfishlib.USER}", "--password-file", secret, *quick,
                  os.path.join(BUILD, "plugins", "redfish.so"))
        same(r.status, 0, r)


@test
def fence(lab):
    """fence: an agent that keeps its state in a file"""
    conforms(lab, "fence", "--set", "agent=fence_dummy", "--set", "type=file",
             "--set", f"status_file={lab.path('outlet')}", ops=200, but=ONLY_POWER)


@test
def exec(lab):  # pylint: disable=redefined-builtin
    """exec: ten lines of shell"""
    line = lab.write("line", "0\n")
    conforms(lab, "exec", "--set", f"program={SOURCE}/contrib/exec/relay.sh",
             "--set", f"line={line}", ops=200, but=ONLY_POWER)


@test
def wol(lab):
    """wol: nothing tells its state"""
    conforms(lab, "wol", "--address", "127.0.0.1", "--set", "mac=00:11:22:33:44:55", "--set",
             "broadcast=127.255.255.255", but=NO_STATE)


@test
def wol_tcp(lab):
    """wol: a connection tells its state, and it asks nothing on it"""
    device = lab.keep(LineDevice())
    secret = lab.write("secret", "00:11:22:33:44:55\n")
    conforms(lab, "wol", "--address", "127.0.0.1", "--set", "mac=00:11:22:33:44:55", "--set",
             "broadcast=127.255.255.255", "--set", "status=tcp", "--set",
             f"status_port={device.port}", "--set", f"secureon_file={secret}", ops=300,
             but=("contract.actions", "contract.boot", "contract.cancel-action",
                  "contract.console", "contract.display", "contract.identify", "contract.idle",
                  "device.off-twice",
                  "device.wrong-password", "faults.lost"))


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


main()
