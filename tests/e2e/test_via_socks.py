#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nodes behind a SOCKS 5 server: others' (microsocks), and one that misbehaves."""
import json
import socket

from amtlib import PASSWORD, Fleet
from gatewaylib import Server, Socks, asked, program, pump, take
from lib import bad, error_of, good, has, main, same, test


def microsocks(lab, *args):
    path = program("microsocks", "microsocks")
    return lab.keep(Server(lambda port: [path, "-i", "127.0.0.1", "-p", str(port), *args]))


def behind(fleet, port, more="", **how):
    fleet.inventory(settings=f"via: socks5://127.0.0.1:{port}\n{more}", **how)


@test
def through_others(lab):
    """through microsocks: power, boot, TLS and hardware of machines that do not notice"""
    server = microsocks(lab)
    fleet = Fleet(lab, devices=3)
    behind(fleet, server.port)
    good(lab.run("on", "a1"), "a1: on")
    good(lab.run("pxeboot", "--yes", "a[1-3]"), "a1: on", "a2: on", "a3: on")
    behind(fleet, server.port, tls=True)
    good(lab.run("off", "--yes", "a[1-3]"), "a1: off", "a2: off", "a3: off")
    r = lab.run("-v", "status", "a1")
    same(r.out, f"a1: off (127.0.0.1; through socks5://127.0.0.1:{server.port})\n")
    way = f"socks5://127.0.0.1:{server.port}"
    same([one["via"] for one in lab.run("--json", "status", "a1").json], [way])
    lab.write("pw", PASSWORD + "\n")
    r = lab.run("add", "new", "127.0.0.1", "--via", way, "--driver", "amt", "--user", "admin",
                "--password-file", lab.path("pw"), "--set", f"port={fleet.ports(1)[0]}")
    same((r.status, r.out), (0, "new: off\n"), r)
    has(lab.read("config/powerctl/powerctl.yaml"), f"via: {way}")
    r = lab.run("add", "bad", "127.0.0.1", "--via", "sock://x", "--driver", "amt")
    same((r.status, "--via: there is no way called 'sock'" in r.err), (2, True), r)
    r = lab.run("--dry-run", "on", "a1")
    has(r.out + r.err, f"through socks5://127.0.0.1:{server.port}")
    pins = lab.read("state/powerctl/known_devices")
    has(pins, f"@127.0.0.1:{server.port} ")
    fleet.blameless()


@test
def with_login(lab):
    """a server that wants a login: from a credential; a wrong one, none, and a user alone"""
    server = microsocks(lab, "-u", "me", "-P", "open-sesame")
    fleet = Fleet(lab)
    for secret, result in (("open-sesame", None), ("wrong", "auth")):
        lab.write("config/powerctl/secrets/gw", secret + "\n")
        behind(fleet, server.port, "via_credential: gw")
        with open(lab.inventory_path, encoding="utf-8") as f:
            text = f.read().replace("credentials:\n", "credentials:\n  gw: {username: me, "
                                    f"password_file: {lab.path('config/powerctl/secrets/gw')}}}\n")
        lab.inventory(text)
        r = lab.run("--json", "status", "a1")
        if not result:
            same((r.status, r.json[0]["state"]), (0, "off"), r)
            continue
        kind, message = error_of(r)
        same(kind, result, r)
        has(message, "gateway socks5://")
        same("open-sesame" in r.out + r.err, False)
    behind(fleet, server.port)
    kind, message = error_of(lab.run("--json", "status", "a1"))
    same(kind, "auth")
    has(message, "via_credential")
    lab.inventory(text.replace("via_credential: gw", "").replace("socks5://", "socks5://me@"))
    r = lab.run("status", "a1")
    same(r.status, 2, r)
    has(r.err, "a user needs a password")


@test
def its_login_is_not_the_nodes(lab):
    """the gateway's refusal is not held against the node's credential"""
    server = microsocks(lab, "-u", "me", "-P", "open-sesame")
    fleet = Fleet(lab, devices=6)
    behind(fleet, server.port)
    r = lab.run("status", "a[1-6]")
    same(r.status, 1, r)
    same(r.out.count("auth: gateway socks5://"), 6, r)
    same("not tried" in r.out, False, r)
    fleet.inventory(settings="via: direct")
    good(lab.run("status", "a[1-6]"), *[f"a{n}: off" for n in range(1, 7)])


@test
def refusals_in_words(lab):
    """each reply of a server has its class and its words, and names the gateway"""
    replies = {1: ("unreachable", "does not say why"), 2: ("forbidden", "rules do not allow"),
               3: ("unreachable", "no route from there to the network"),
               4: ("unreachable", "no route from there to it"),
               5: ("unreachable", "connection refused"), 6: ("unreachable", "TTL"),
               7: ("unsupported", "CONNECT"), 8: ("unsupported", "kind of address"),
               200: ("protocol", "without a name")}
    fleet = Fleet(lab)
    for code, (wanted, words) in replies.items():
        def talk(connection, code=code):
            asked(connection)
            connection.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
        server = Socks(lab, talk)
        behind(fleet, server.port)
        kind, message = error_of(lab.run("--json", "status", "a1"))
        same(kind, wanted, message)
        has(message, words)
        has(message, f"gateway socks5://127.0.0.1:{server.port}: ")
    same(fleet.totals()["connections"] if "connections" in fleet.totals() else 0, 0)


@test
def bad_servers(lab):
    """silence, nonsense, half a handshake, a reply that never ends: bounded, and in words"""
    def half(connection):
        asked(connection)
        connection.sendall(b"\5\0\0")

    cases = ((lambda c: "hold", "unreachable", "no connection through it in 1 s"),
             (lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "protocol", "not SOCKS 5"),
             (lambda c: take(c, 3) and None, "unreachable", "hung up"),
             (lambda c: c.sendall(b"\5\2") or "hold", "protocol", "not offered"),
             (half, "unreachable", "hung up"))
    fleet = Fleet(lab)
    for talk, wanted, words in cases:
        behind(fleet, Socks(lab, talk).port, timeouts="connect: 1s")
        kind, message = error_of(lab.run("--json", "status", "a1"))
        same(kind, wanted, message)
        has(message, words)


@test
def change_that_never_left(lab):
    """a change whose channel never came about is not 'outcome unknown': nothing has left"""
    fleet = Fleet(lab)
    wished = []

    def talk(connection):
        wished.append(asked(connection))
        connection.sendall(b"\5\4\0\1\0\0\0\0\0\0")
    behind(fleet, Socks(lab, talk).port)
    kind, message = error_of(lab.run("--json", "on", "a1"))
    same(kind, "unreachable", message)


@test
def names_are_the_gateways(lab):
    """a name that means nothing here is asked of the gateway; two gateways are two networks"""
    fleet = Fleet(lab, devices=2)
    seen = []

    def gateway(n):
        def talk(connection):
            seen.append(asked(connection)[0])
            with socket.create_connection(("127.0.0.1", fleet.ports(n)[0])) as far:
                connection.sendall(b"\5\0\0\1\0\0\0\0\0\0")
                pump(connection, far)
        return Socks(lab, talk).port

    one, two = gateway(1), gateway(2)
    node = (f"driver: amt, username: admin, password_file: {fleet.secret}, tls: false, "
            "address: bmc.nowhere.invalid, port: 16992")
    lab.inventory(f"nodes:\n  n1: {{{node}, via: 'socks5://127.0.0.1:{one}'}}\n"
                  f"  n2: {{{node}, via: 'socks5://127.0.0.1:{two}'}}\n")
    good(lab.run("on", "n1"), "n1: on")
    good(lab.run("status", "n[1-2]"), "n1: on", "n2: off")  # and no trust error
    same(set(seen), {"bmc.nowhere.invalid"})
    lines = lab.read("state/powerctl/known_devices").splitlines()
    same(sorted(line.split()[0] for line in lines if "realm=" in line),
         sorted(f"bmc.nowhere.invalid:16992@127.0.0.1:{port}" for port in (one, two)))


@test
def dead_gateway_folds(lab):
    """two hundred nodes behind a dead gateway: one line, which names it"""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    lab.write("config/powerctl/secrets/amt", "x\n")
    lab.inventory("nodes:\n  n[1-200]: {driver: amt, username: admin, tls: false, password_file: "
                  f"secrets/amt, address: 'bmc[1-200]', via: 'socks5://127.0.0.1:{port}'}}\n")
    r = bad(lab.run("--fold", "status", "-a"), 1)
    same(r.lines, [f"n[1-200]: unknown: unreachable: gateway socks5://127.0.0.1:{port}: "
                   "connection refused"])


@test
def mistakes(lab):
    """every mistake in `via` has its place; no datagrams through it, said before anything is sent"""
    node = "driver: amt, username: a, password_env: HOME, address: b"
    lab.inventory(f"nodes:\n  n1: {{{node}, via: 'sock5://gw'}}\n"
                  f"  n2: {{{node}, via: 'socks5://u:p4ss@gw'}}\n"
                  f"  n3: {{{node}, via: 'ssh://gw', via_credential: nobody}}\n")
    r = lab.run("status", "-a")
    same(r.status, 2, r)
    lab.inventory(f"nodes:\n  n1: {{{node}, via: 'sock5://gw'}}\n"
                  f"  n2: {{{node}, via: 'socks5://u:p4ss@gw'}}\n")
    r = lab.run("status", "-a")
    same(r.status, 2, r)
    has(r.err, "powerctl.yaml:2:")
    has(r.err, "did you mean 'socks5'?")
    has(r.err, "powerctl.yaml:3:")
    same("p4ss" in r.out + r.err, False, r)
    lab.env["SECRET"] = "x"
    lab.inventory("nodes:\n  i1: {driver: ipmi, username: a, password_env: SECRET, address: b, "
                  "via: 'socks5://127.0.0.1:9'}\n")
    r = bad(lab.run("--json", "status", "i1"), 1)
    same(json.loads(r.out)["error"]["class"], "unsupported", r)


if __name__ == "__main__":
    main()
