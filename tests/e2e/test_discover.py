#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl discover, and how add looks first, against stand-ins on the ports that devices really have.

All of it happens in a network namespace of its own, so that those ports are free and nothing can get
out; its DNS server is one of these tests' own.
"""
import http.server
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading

import lib
from ipmilib import IpmiSim, program
from lib import has, same
from talklib import line_of, rest_of

INSIDE = "POWERCTL_TEST_DISCOVER_INSIDE"
OWN = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
PASSWORD = "P@ssw0rd"
OUTSIDE = "198.51.100.7"  # documentation's (RFC 5737), and not private


def enter():
    """Runs this file anew where the network is its own; comes back where that cannot be."""
    try:
        subprocess.run([*OWN, "ip", "link", "set", "lo", "up"], check=True, capture_output=True,
                       timeout=lib.PATIENCE)
    except (OSError, subprocess.CalledProcessError):
        return
    os.execvpe(OWN[0], [*OWN, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def test(function):
    def inside(lab):
        if not os.environ.get(INSIDE):
            lib.skip("no network namespaces for this user, or no program ip")
        function(lab)

    inside.__name__, inside.__doc__ = function.__name__, function.__doc__
    return lib.test(inside)


def address(last):
    return f"127.0.7.{last}"


class Dns:
    """A DNS server for this namespace: names of addresses, addresses of names, or silence."""

    PTR = {address(1): "amt1.example.org", address(5): "bmc5.example.org",
           address(6): "amt1.example.net", address(7): "-.example.org"}
    A = {"inside.example.org": address(5), "outside.example.org": OUTSIDE}

    def __init__(self, folder):
        self.silent = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
                           ("nsswitch.conf", "hosts: dns\n")):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            subprocess.run(["mount", "--bind", path, f"/etc/{name}"], check=True)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            if not self.silent:
                self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        """RFC 1035, section 4.1: the question again, and one record or none."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack_from(">H", query, at + 1)[0]
        name, data = ".".join(labels).lower(), b""
        if kind == 12 and name.endswith(".in-addr.arpa") and (
                host := self.PTR.get(".".join(labels[3::-1]))):
            data = b"".join(bytes([len(x)]) + x.encode() for x in host.split(".")) + b"\0"
        elif kind == 1 and name in self.A:
            data = socket.inet_aton(self.A[name])
        known = data or name in self.A
        head = query[:2] + struct.pack(">5H", 0x8180 if known else 0x8183, 1, bool(data), 0, 0)
        record = struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(data)) + data if data else b""
        return head + query[12:at + 5] + record


class World:
    """AMT at .1 to .3 (the third is not set up), a BMC at .5, Redfish at .6 and .7, all with their own ports."""

    the_one = None

    def __init__(self):
        self.lab = lab = lib.Lab()
        self.dns = Dns(lab.folder)
        self.amt = lib.StandIns(lab, lab.amtsim(
            "--devices", "3", "--address", address(1), "--rmcp", "623", "--set",
            "3:provisioning=pre", "--set", "3:dead=refuse", "--set", "2:no_pong=1"), 3)
        self.bmc = lib.StandIns(lab, lab.bmcsim("--devices", "1", "--address", address(5), "--port",
                                                "623"), 1)
        lab.redfishsim("--devices", "2", "--address", address(6), "--port", "80", "--tls-port", "443")

    def logins(self):
        """Those that anybody tried, anywhere."""
        counters = self.bmc.counters()
        return (counters["opens"] + counters["logins"] + counters["bad_logins"] +
                sum(self.amt.counters(n)["r401_bad"] + self.amt.counters(n)["unauth_bodies"]
                    for n in (1, 2, 3)))


def world():
    """One for all tests: a search changes nothing in it."""
    World.the_one = World.the_one or World()
    return World.the_one


def discover(lab, *args, **how):
    world()
    return lab.run("discover", *args, **how)


def by_address(found):
    return {f["address"]: f for f in found}


def inventory_of(lab):
    with open(lab.inventory_path, encoding="utf-8") as f:
        return f.read()


@test
def finds_what_is_there(lab):
    r = discover(lab, "--json", "127.0.7.0/28")
    same(r.status, 0, r)
    found = by_address(r.json)
    same(sorted(found), [address(n) for n in (1, 2, 3, 5, 6, 7)], r)
    has(r.err, "6 found at 14 addresses")
    one, two, three = (found[address(n)] for n in (1, 2, 3))
    ready = world().amt.sim.ready["devices"]
    assert one["driver"] == "amt" and one["firmware"]["version"] == "12.0.67.1579", one
    assert one["provisioning_state"] == "post" and one["security"]["tls"] is True, one
    same(one["digest_realm"], ready[0]["realm"])
    same(two["digest_realm"], ready[1]["realm"])
    assert "provisioning_state" not in two, two        # the ping is turned off: nobody says
    assert three["provisioning_state"] == "pre", three  # only the ping is there
    assert three["firmware"]["version"] == "12.0" and "security" not in three, three
    bmc = found[address(5)]
    assert bmc["driver"] == "ipmi" and bmc["ipmi_version"] == "2.0", bmc
    assert bmc["security"]["anonymous_login"] is False, bmc
    six = found[address(6)]
    assert six["driver"] == "redfish" and six["security"]["tls"] is True, six
    assert six["redfish_version"] and len(six["uuid"]) == 36, six
    # No login was tried anywhere, and nothing is remembered of strangers.
    same(world().logins(), 0)
    assert not [f for _, _, files in os.walk(lab.path("state")) for f in files], "state"


@test
def table_is_in_order(lab):
    r = discover(lab, "127.0.7.[1-7]", f"{address(1)}-{address(2)}")
    same(r.status, 0, r)
    same([line.split()[0] for line in r.lines], [address(n) for n in (1, 2, 3, 5, 6, 7)], r)
    has(r.err, "7 addresses")   # each once
    r = discover(lab, "--driver", "ipmi", "--set", "x.y=1", address(1))
    assert r.status == 2 and "driver 'x'" in r.err, r


@test
def adds_to_the_inventory(lab):
    lab.inventory("credentials:\n  c: {username: u, password_env: P}\n"
                  f"nodes:\n  n002: {{driver: amt, address: {address(2)}, credential: c}}  # mine\n")
    more = lab.redfishsim("--devices", "1", "--address", address(8), "--port", "0", "--tls-port", "8443")
    r = discover(lab, "--add", "--name", "n[001-]", "--credential", "c", "--tag", "new", "127.0.7.[1-8]")
    same(r.status, 0, r)
    has(r.err, f"{address(2)}: is there already, as n002")
    has(r.err, "n[001,003-006]: added")
    r = discover(lab, "--add", "--name", "n[001-]", "--driver", "redfish", "--set", "redfish.port=8443",
                 address(8), address(7))
    same(r.status, 0, r)
    has(r.err, "n007: added")
    more.close()
    same(inventory_of(lab).splitlines()[3:], [f"  n002: {{driver: amt, address: {address(2)}, "
                                              "credential: c}  # mine"] + [
        f"  n{n:03}: {{driver: {driver}, address: {address(at)}, credential: c, tags: [new]}}"
        for n, driver, at in ((1, "amt", 1), (3, "amt", 3), (4, "ipmi", 5), (5, "redfish", 6),
                              (6, "redfish", 7))] + [
        f"  n007: {{driver: redfish, address: {address(8)}, port: 8443}}"])
    before = inventory_of(lab)
    again = discover(lab, "--add", "--name", "n[001-]", "--credential", "c", "127.0.7.[1-7]")
    assert again.status == 0 and again.err.count("is there already") == 6, again
    same(inventory_of(lab), before)
    for words, why in ((("--name", "n[1-8]"), "n[001-]"), (("--tag", "a b"), "a tag is one word"), (("--class", "nope"), "no class 'nope'")):
        bad = discover(lab, "--add", *words, address(1))
        assert bad.status == 2 and why in bad.err, bad


@test
def adds_all_or_nothing(lab):
    """the inventory is written once: where that fails, none is in it"""
    def full_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        # One would fit, two do not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (80, 80))

    world()
    for limit in (full_disk, None):
        p = lab.start("discover", "--driver", "redfish", "--add", "--name", "n[8-]", "127.0.7.[6-7]",
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        out, err = p.communicate(timeout=lib.PATIENCE)
        same(len(out.splitlines()), 2, err)
        same(p.returncode, 1 if limit else 0, err)
        has(err, "n[8-9]: nothing was added: " if limit else "n[8-9]: added")
        same(os.path.exists(lab.inventory_path), not limit)


@test
def names_come_from_dns(lab):
    """a node is called what DNS calls its address, shortly where that is free"""
    r = discover(lab, "--add", "127.0.7.[1-7]")
    same(r.status, 1, r)   # some have no name
    has(r.err, "amt1,amt1.example.net,bmc5: added")
    for n in (2, 3, 7):    # the last one's cannot be a node's
        has(r.err, f"{address(n)}: is not added: DNS has no name")
    same([line.split(",")[:2] for line in inventory_of(lab).splitlines()[1:]], [
        ["  amt1: {driver: amt", f" address: {address(1)}}}"],
        ["  bmc5: {driver: ipmi", f" address: {address(5)}}}"],
        ["  amt1.example.net: {driver: redfish", f" address: {address(6)}}}"]])
    lab.inventory('nodes: {x: {driver: ipmi, address: BMC5.example.org}}')
    r = discover(lab, "--driver", "ipmi", "--add", address(5))
    same(r.status, 0, r)
    has(r.err, f"{address(5)}: is there already, as x")


@test
def silent_dns_is_said(lab):
    world().dns.silent = True
    try:
        r = discover(lab, "--driver", "redfish", "--add", "--name", "n[1-]", "127.0.7.[6-7]")
        same(r.status, 0, r)
        has(r.err, "DNS did not answer what 2 of the addresses are called")
        has(r.err, "n[1-2]: added")
        r = discover(lab, "inside.example.org")
        assert r.status == 1 and "no address is known for 1 name" in r.err, r
    finally:
        world().dns.silent = False


@test
def names_are_looked_up(lab):
    r = discover(lab, "--json", "inside.example.org", "outside.example.org", "nobody.example.org",
                 "none1.example.org", "none2.example.org", address(6))
    same(r.status, 1, r)
    found = by_address(r.json)
    same(sorted(found), [address(5), address(6)], r)
    same((found[address(5)]["host"], "host" in found[address(6)]), ("inside.example.org", False))
    has(r.err, "no address is known for 3 names: nobody.example.org,none[1-2].example.org\n")
    has(r.err, "not asked: 1 name of addresses that are not private")
    has(r.err, "2 found at 2 addresses")


@test
def no_way_is_not_nobody(lab):
    """where nothing can be sent nobody knows what is there, and that is no success"""
    r = discover(lab, "--yes", OUTSIDE, address(5))
    assert r.status == 1 and address(5) in r.out, r
    assert re.search(r"[23] times an address could not be asked: .*unreachable", r.err), r


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
    r = discover(lab, "127.0.8.1", "127.0.8.2")
    assert r.status == 1 and not r.out and "0 found at 2 addresses" in r.err, r
    r = discover(lab, "-", stdin=f"{address(1)} # one\n{address(5)}\n")
    assert r.status == 0 and len(r.lines) == 2, r


@test
def null_is_found_where_it_is_told_to(lab):
    r = discover(lab, "--driver", "null", "127.0.9.1")
    assert r.status == 1 and "0 found at 1 address\n" in r.err, r
    r = discover(lab, "--json", "--driver", "null", "--set", "null.found=true", "127.0.9.[1-3]")
    same(r.status, 0, r)
    same([(f["address"], f["driver"], f["product"]) for f in sorted(r.json, key=str)],
         [(f"127.0.9.{n}", "null", "Null") for n in (1, 2, 3)])
    # Two at one address: the better one first, and only that is added.
    r = discover(lab, "--set", "null.found=true", "--add", "--name", "n[1-]", address(5))
    same([line.split()[:2] for line in r.lines], [[address(5), "ipmi"], [address(5), "null"]], r)
    same(inventory_of(lab), f"nodes:\n  n1: {{driver: ipmi, address: {address(5)}}}\n")


@test
def finds_over_ipv6(lab):
    lib.need_ipv6()
    sims = [lab.amtsim("--devices", "1", "--address", "::1"), lab.bmcsim(
        "--devices", "1", "--address", "::1", "--port", "623")]
    r = discover(lab, "--json", "::1/128")
    same(sorted((f["address"], f["driver"]) for f in r.json), [("::1", "amt"), ("::1", "ipmi")], r)
    for sim in sims:
        sim.close()


@test
def interrupt_tells_what_was_found(lab):
    world()
    p = lab.start("discover", "--json", "--rate", "20", "--add", "--name", "n[1-]",
                  f"{address(1)}-127.0.11.1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = line_of(p.stdout, p)
    p.send_signal(signal.SIGINT)
    out, err = rest_of(p)
    assert "address" in first, (first, out, err)
    same(p.returncode, 130, err)
    assert re.search(r"powerctl: interrupted: \d+ addresses were not asked to the end\n", err), err
    assert not os.path.exists(lab.inventory_path)


@test
def closed_pipe_ends_it(lab):
    """what nobody reads any more is not looked for, and not added"""
    world()
    p = lab.start("discover", "--json", "--rate", "20", "--add", "--name", "n[1-]",
                  f"{address(1)}-127.0.206.1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p.stdout.close()
    _, err = p.communicate(timeout=lib.PATIENCE)
    same(p.returncode, 1, err)
    assert re.search(r"ended early: \d+ addresses were not asked to the end\n", err), err
    assert not os.path.exists(lab.inventory_path)


@test
def few_descriptors_are_enough_or_said(lab):
    """with hardly any descriptors nothing is taken for absent; with some it takes longer"""
    def run(most, *args):
        p = lab.start("discover", *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        out, err = p.communicate(timeout=lib.PATIENCE)
        return lib.Result(args, p.returncode, out, err)

    world()
    said = []
    for most in range(6, 40):
        r = run(most, "--driver", "ipmi", address(5))
        assert r.status >= 0 and r.status != 99, r
        if r.status == 0:
            break
        assert not r.out and r.err, r
        said.append(r.err)
    assert r.lines and any("could not be asked" in text for text in said), said
    r = run(most + 12, "--driver", "amt", "127.0.7.[1-10]")
    same((r.status, len(r.lines)), (0, 3), r)
    has(r.err, "3 found at 10 addresses")


@test
def foreign_programs_agree(_):
    """FreeIPMI's rmcpping hears the AMT stand-in"""
    world()
    r = subprocess.run([program("rmcpping"), "-c", "1", address(1)], capture_output=True, text=True,
                       timeout=lib.PATIENCE, check=False)
    assert r.returncode == 0 and "pong received" in r.stdout, r


@test
def finds_a_bmc_that_others_wrote(lab):
    program("ipmi_sim")
    sim = lab.keep(IpmiSim(lab.path("sim"), 2))
    r = discover(lab, "--json", "--driver", "ipmi", "--set", f"ipmi.port={sim.port}",
                 f"{sim.addresses[0]}-{sim.addresses[-1]}")
    same(r.status, 0, r)
    same(sorted(f["address"] for f in r.json), sim.addresses)
    same({f["ipmi_version"] for f in r.json}, {"2.0"})


# --- add, which asks in the same way before it sends a login.


@test
def strangers_get_no_login(lab):
    """another web server on AMT's port is not told user and password, whatever it asks for"""
    asked = []

    class Stranger(http.server.BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.headers.get("Authorization"))
            self.send_response(401)
            self.send_header("WWW-Authenticate",
                             'Digest realm="Digest:0123456789ABCDEF", nonce="n", qop="auth"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer((address(20), 16992), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            r = lab.run("add", "z1", address(20), "--user", "admin", "--password-stdin",
                        stdin=PASSWORD + "\n")
        finally:
            server.shutdown()
    same((r.status, r.out), (1, ""), r)
    has(r.err, f"no driver got an answer from {address(20)} (amt: nothing of its kind answers there")
    assert asked and not any(asked), asked


@test
def two_of_a_kind(lab):
    """IPMI and Redfish at one address: Redfish is asked with the login, IPMI is not"""
    redfish = lab.redfishsim("--devices", "1", "--address", address(5), "--port", "80",
                             "--tls-port", "443")
    before = world().logins()
    r = lab.run("add", "z1", address(5), "--user", "admin", "--password-stdin", stdin="wrong\n")
    redfish.close()
    same((r.status, r.out), (1, ""), r)
    has(r.err, f"redfish at {address(5)}: ")
    same(world().logins(), before, "logins at the BMC")


def main():
    if not os.environ.get(INSIDE):
        enter()
    else:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        lib.main()
    finally:
        if World.the_one:
            World.the_one.lab.__exit__()


main()
