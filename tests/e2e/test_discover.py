#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl discover against stand-ins of three kinds, on loopback addresses of their own."""
import contextlib
import os
import random
import signal
import socket
import subprocess

import lib
from ipmilib import IpmiSim, need
from lib import test

NET = random.randrange(10, 250)


def address(last):
    return f"127.{NET}.7.{last}"


def free_ports(kind=socket.SOCK_STREAM, count=2):
    """A row of ports that nobody has, found by having them."""
    for _ in range(200):
        first = random.randrange(20000, 60000)
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    s = held.enter_context(socket.socket(socket.AF_INET, kind))
                    s.bind(("0.0.0.0", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


class World:
    """AMT at .1 to .3 (the third is not set up), a BMC at .5, Redfish at .6 and .7."""

    def __init__(self, lab):
        self.lab = lab
        self.amt, self.rmcp = free_ports(), free_ports(socket.SOCK_DGRAM, 1)
        self.ipmi, self.redfish = free_ports(socket.SOCK_DGRAM, 1), free_ports()
        self.amtsim = lab.amtsim(
            "--devices", "3", "--address", address(1), "--port", str(self.amt), "--tls-port",
            str(self.amt + 1), "--rmcp", str(self.rmcp), "--set", "3:provisioning=pre", "--set",
            "3:dead=refuse", "--set", "2:no_pong=1")
        self.bmcsim = lab.bmcsim("--devices", "1", "--address", address(5), "--port",
                                 str(self.ipmi))
        self.redfishsim = lab.redfishsim("--devices", "2", "--address", address(6), "--port",
                                         str(self.redfish + 1), "--tls-port", str(self.redfish))
        self.ports = ["--set", f"amt.port={self.amt}", "--set", f"amt.tls_port={self.amt + 1}",
                      "--set", f"amt.rmcp_port={self.rmcp}", "--set", f"ipmi.port={self.ipmi}",
                      "--set", f"redfish.port={self.redfish}"]

    def run(self, *args, **more):
        return self.lab.run("discover", *self.ports, *args, **more)


def by_address(found):
    return {f["address"]: f for f in found}


@test
def finds_what_is_there(lab):
    world = World(lab)
    r = world.run("--json", f"127.{NET}.7.0/28")
    assert r.status == 0, r
    found = by_address(r.json)
    assert sorted(found) == [address(n) for n in (1, 2, 3, 5, 6, 7)], r
    assert "6 found at 14 addresses" in r.err, r
    one, two, three = (found[address(n)] for n in (1, 2, 3))
    ready = world.amtsim.ready["devices"]
    assert one["driver"] == "amt" and one["firmware"]["version"] == "12.0.67.1579", one
    assert one["provisioning_state"] == "post" and one["security"]["tls"] is True, one
    assert one["digest_realm"] == ready[0]["realm"], one
    assert two["digest_realm"] == ready[1]["realm"], two
    assert "provisioning_state" not in two, two       # the ping is turned off: nobody says
    assert three["provisioning_state"] == "pre", three  # only the ping is there
    assert three["firmware"]["version"] == "12.0" and "security" not in three, three
    bmc = found[address(5)]
    assert bmc["driver"] == "ipmi" and bmc["ipmi_version"] == "2.0", bmc
    assert bmc["security"]["anonymous_login"] is False, bmc
    six = found[address(6)]
    assert six["driver"] == "redfish" and six["security"]["tls"] is True, six
    assert six["redfish_version"] and len(six["uuid"]) == 36, six
    # No login was tried anywhere, and nothing is remembered of strangers.
    for n in (1, 2):
        counters = lib.StandIns(lab, world.amtsim, 3).counters(n)
        assert counters["r401_bad"] == 0 and counters["unauth_bodies"] == 0, counters
    assert not [f for _, _, files in os.walk(lab.path("state")) for f in files], "state"


@test
def table_is_in_order(lab):
    world = World(lab)
    r = world.run(f"127.{NET}.7.[1-7]", f"{address(1)}-{address(2)}")
    assert r.status == 0, r
    assert [line.split()[0] for line in r.lines] == [address(n) for n in (1, 2, 3, 5, 6, 7)], r
    assert "7 addresses" in r.err, r   # each once
    r = world.run("--driver", "ipmi", "--set", "x.y=1", address(1))
    assert r.status == 2 and "amt" in r.err, r


@test
def adds_to_the_inventory(lab):
    world = World(lab)
    lab.inventory("credentials:\n  c: {username: u, password_env: P}\n"
                  f"nodes:\n  n002: {{driver: amt, address: {address(2)}, credential: c}}\n")
    r = world.run("--add", "--name", "n[001-]", "--credential", "c", "--tag", "new",
                  f"127.{NET}.7.[1-7]")
    assert r.status == 0, r
    assert f"{address(2)}: is there already, as n002" in r.err, r
    assert "n[001,003-006]: added" in r.err, r
    shown = lab.run("show", "n006").out
    assert f"address: {address(7)}" in shown and "driver: redfish" in shown, shown
    assert f"port: {world.redfish}" in shown and "new" in shown, shown
    before = open(lab.path("config/powerctl/powerctl.yaml"), encoding="utf-8").read() \
        if os.path.exists(lab.path("config/powerctl/powerctl.yaml")) else None
    again = world.run("--add", "--name", "n[001-]", "--credential", "c", f"127.{NET}.7.[1-7]")
    assert again.status == 0 and again.err.count("is there already") == 6, again
    if before is not None:
        with open(lab.path("config/powerctl/powerctl.yaml"), encoding="utf-8") as f:
            assert f.read() == before
    bad = world.run("--add", "--name", "n[1-8]", address(1))
    assert bad.status == 2 and "n[001-]" in bad.err, bad
    bad = world.run("--add", "--class", "nope", address(1))
    assert bad.status == 2 and "no class 'nope'" in bad.err, bad


@test
def refuses_before_it_sends(lab):
    for word, why in (("8.8.8.0/30", "--yes"), ("10.0.0.0/8", "16777214"),
                      ("10.0.0.300", "no address"), ("fd00::/64", "at most 65536"),
                      ("224.0.0.1", "no machine"), ("10.0.0.9-10.0.0.1", "after the first"),
                      ("10.0.0.1/33", "0 to 32"), ("10.0.[0-9].0/24,10.[0-255].0.0/16",
                                                   "at most 65536")):
        r = lab.run("discover", word)
        assert r.status == 2 and why in r.err and not r.out, r
    r = lab.run("discover", "--name", "n[1-]", "10.0.0.1")
    assert r.status == 2 and "--add" in r.err, r
    r = lab.run("discover", "--set", "amt.password=x", "10.0.0.1")
    assert r.status == 2 and "secret" in r.err and "=x" not in r.err, r


@test
def nothing_is_no_success(lab):
    world = World(lab)
    r = world.run(f"127.{NET}.8.1", f"127.{NET}.8.2")
    assert r.status == 1 and not r.out and "0 found at 2 addresses" in r.err, r
    r = world.run("-", stdin=f"{address(1)} # one\n{address(5)}\n")
    assert r.status == 0 and len(r.lines) == 2, r
    r = world.run("no-such-host.invalid", address(1))
    assert r.status == 1 and "1 names have no address" in r.err and r.lines, r


@test
def finds_over_ipv6(lab):
    port = free_ports()
    lab.amtsim("--devices", "1", "--address", "::1", "--port", str(port), "--tls-port",
               str(port + 1))
    r = lab.run("discover", "--json", "--driver", "amt", "--set", f"amt.port={port}",
                "::1/128")
    assert [f["address"] for f in r.json] == ["::1"], r


@test
def interrupt_tells_what_was_found(lab):
    world = World(lab)
    p = subprocess.Popen([lib.POWERCTL, "discover", *world.ports, "--json", "--rate", "20",
                          f"{address(1)}-127.{NET}.11.1"], env=lab.env, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    try:
        first = p.stdout.readline()
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=lib.PATIENCE)
    finally:
        p.kill()
        p.wait()
    assert "address" in first, (first, out, err)
    assert p.returncode == 130 and "interrupted: " in err, (p.returncode, err)


@test
def foreign_programs_agree(_):
    """FreeIPMI's rmcpping hears the AMT stand-in, at the one port that it knows: a namespace has it."""
    script = (f"ip link set lo up; exec 3< <(exec {lib.AMTSIM} --devices 1 --rmcp 623); sim=$!; "
              "read -r ready <&3; rmcpping -c 1 127.0.0.1; status=$?; kill $sim; exit $status")
    r = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True,
                       timeout=lib.PATIENCE)
    assert r.returncode == 0 and "pong received" in r.stdout, r


@test
def finds_a_bmc_that_others_wrote(lab):
    need("ipmi_sim")
    sim = lab.keep(IpmiSim(lab.path("sim"), 2))
    r = lab.run("discover", "--json", "--driver", "ipmi", "--set", f"ipmi.port={sim.port}",
                f"{sim.addresses[0]}-{sim.addresses[-1]}")
    assert r.status == 0, r
    assert sorted(f["address"] for f in r.json) == sim.addresses, r
    assert {f["ipmi_version"] for f in r.json} == {"2.0"}, r


lib.main()
