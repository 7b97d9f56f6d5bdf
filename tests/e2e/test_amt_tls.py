#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The AMT driver and TLS: on which port, whom it trusts, what it remembers."""
import os
import re
import shutil
import socket
import subprocess

from amtlib import PASSWORD, Fleet
from lib import bad, error_of, good, has, main, same, skip, test


def closed_port(lab):
    """A port that refuses as long as the test runs: bound, and nobody listens."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    lab.started.append(s)
    return s.getsockname()[1]


def facts(lab):
    return lab.read("cache/powerctl/facts")


def openssl(lab, *args):
    if not shutil.which("openssl"):
        skip("no openssl program")
    subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=lab.folder)


def certificate(lab, name, subject, signer=None, extra=()):
    """NAME.pem and NAME.key, signed by signer or by itself."""
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-subj", f"/CN={subject}"]
    for extension in extra:
        key += ["-addext", extension]
    if not signer:
        openssl(lab, "req", "-x509", "-days", "2", *key, "-out", f"{name}.pem")
        return lab.path(name + ".pem"), lab.path(name + ".key")
    openssl(lab, "req", *key, "-out", f"{name}.csr")
    openssl(lab, "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", f"{signer}.pem",
            "-CAkey", f"{signer}.key", "-CAcreateserial", "-copy_extensions", "copy",
            "-out", f"{name}.pem")
    return lab.path(name + ".pem"), lab.path(name + ".key")


def refused_for_trust(r, fleet, n=1):
    """A trust error that names the command, and nothing was said to the machine."""
    bad(r, 1)
    kind, message = error_of(r)
    same(kind, "trust", r)
    has(message, "powerctl trust")
    same(fleet.counters(n)["requests"], 0, r)


@test
def unreadable_pins(lab):
    """known_devices that cannot be read: nobody is trusted for the first time, nothing is sent"""
    fleet = Fleet(lab, tls=True)
    good(lab.run("status", "a1"), "a1: off")
    pins = lab.path("state/powerctl/known_devices")
    os.rename(pins, pins + ".away")
    os.symlink("known_devices", pins)  # a link to itself: unreadable even for root
    fleet.reset()
    r = bad(lab.run("--json", "on", "a1"), 1)
    kind, message = error_of(r)
    same(kind, "internal", r)
    has(message, pins)
    has(message, "make that file readable")
    bad(lab.run("trust", "a1"), 1)
    bad(lab.run("trust", "--accept", "a1"), 1)
    assert os.path.islink(pins), "what cannot be read is not replaced"
    os.rename(pins + ".away", pins)
    # The same where the folder is the one that is closed.
    os.rename(lab.path("state"), lab.path("away"))
    os.symlink("state", lab.path("state"))
    same(error_of(bad(lab.run("--json", "on", "a1"), 1))[0], "internal")
    same(fleet.counters(1)["requests"], 0)


@test
def pins_not_kept(lab):
    """what was trusted on first use and cannot be kept: the command says so"""
    fleet = Fleet(lab, tls=True)
    os.makedirs(lab.path("state/powerctl/known_devices.lock"))  # a folder: not to be opened
    r = good(lab.run("status", "a1"), "a1: off")
    has(r.err, "not kept for the next time: ")
    has(r.err, lab.path("state/powerctl/known_devices.lock"))
    os.rmdir(lab.path("state/powerctl/known_devices.lock"))
    same(good(lab.run("status", "a1"), "a1: off").err, "")
    same(good(lab.run("status", "a1"), "a1: off").err, "")
    fleet.blameless()


@test
def tls_true(lab):
    """tls: true: HTTPS only, for reading and for acting"""
    fleet = Fleet(lab, tls=True)
    good(lab.run("on", "a1"), "a1: on")
    c = fleet.blameless()
    same((c["tls"], c["connections"]), (2, 2))


@test
def tls_false(lab):
    """tls: false: plain HTTP only, though TLS is there"""
    fleet = Fleet(lab)
    good(lab.run("on", "a1"), "a1: on")
    same((fleet.counters()["tls"], fleet.counters()["tls_failed"]), (0, 0))


@test
def tls_true_never_plain(lab):
    """tls: true and no TLS there: an error; the plain port is not tried"""
    fleet = Fleet(lab, tls=True)
    good(lab.run("status", "a1"), "a1: off")
    fleet.reset()
    plain, _ = fleet.ports(1)
    fleet.inventory(tls=True, settings=f"tls_port: {closed_port(lab)}")
    lab.inventory(re.sub(r"port: \d+, tls_port: \d+", f"port: {plain}",
                         lab.read("config/powerctl/powerctl.yaml")))
    r = bad(lab.run("--json", "status", "a1"), 1)
    assert error_of(r)[0] in ("unreachable", "protocol"), r
    same(fleet.counters()["requests"], 0, r)


@test
def tls_true_to_plain_port(lab):
    """tls: true against plain HTTP: said so, and what to set; no request in the clear"""
    fleet = Fleet(lab, timeouts="connect: 1s, read: 10s")
    plain, _ = fleet.ports(1)
    lab.inventory(lab.read("config/powerctl/powerctl.yaml").replace("tls: false", "tls: true")
                  .replace(f"tls_port: {fleet.ports(1)[1]}", f"tls_port: {plain}"))
    r = bad(lab.run("--json", "status", "a1"), 1)
    has(error_of(r)[1], "TLS")
    same(fleet.counters()["r200"], 0)


@test
def auto_prefers_tls(lab):
    """tls: auto takes TLS where it is there, and remembers that"""
    fleet = Fleet(lab, tls="auto")
    good(lab.run("status", "a1"), "a1: off")
    same(fleet.counters()["tls"], 2)
    has(facts(lab), "tls=yes")


@test
def auto_falls_back_when_refused(lab):
    """tls: auto where the TLS port refuses: plain HTTP, remembered: the next one tries no TLS"""
    fleet = Fleet(lab)
    plain, _ = fleet.ports(1)
    lab.inventory(re.sub(r"tls: false", "tls: auto", re.sub(
        r"tls_port: \d+", f"tls_port: {closed_port(lab)}",
        lab.read("config/powerctl/powerctl.yaml"))))
    good(lab.run("status", "a1"), "a1: off")
    has(facts(lab), "tls=no")
    r = lab.run("--trace", "on", "a1")
    good(r, "a1: on")
    assert "no answer (libcurl" not in r.err, r
    same(fleet.counters()["tls"], 0, plain)


@test
def auto_never_falls_back_silently(lab):
    """tls: auto once seen over TLS does not go plain by itself: an error that says how to"""
    fleet = Fleet(lab, tls="auto")
    good(lab.run("status", "a1"), "a1: off")
    fleet.reset()
    lab.inventory(re.sub(r"tls_port: \d+", f"tls_port: {closed_port(lab)}",
                         lab.read("config/powerctl/powerctl.yaml")))
    for words in (["status"], ["on"], ["off"]):
        r = bad(lab.run("--json", *words, "a1"), 1)
        has(error_of(r)[1], "TLS")
        has(error_of(r)[1], "tls: false")
        assert r.json[0]["state"] == "unknown", r
    same(fleet.counters()["requests"], 0)


@test
def auto_handshake_fails(lab):
    """tls: auto and a handshake that fails: an error, not plain HTTP"""
    fleet = Fleet(lab, "--old-tls", tls="auto", timeouts="connect: 2s, read: 3s")
    r = bad(lab.run("--json", "status", "a1"), 1)
    has(error_of(r)[1], "legacy_tls: true")
    same(fleet.counters()["requests"], 0)


@test
def add_reports_first_use(lab):
    """add says what it trusts from now on, pins it, stores the secret, prints one status"""
    fleet = Fleet(lab)
    _, secure = fleet.ports(1)
    r = lab.run("add", "n1", "127.0.0.1", "--driver", "amt", "-u", "admin", "--password-stdin",
                "--set", f"port={secure}", "--set", "tls=true", stdin=PASSWORD + "\n")
    same((r.status, r.out), (0, "n1: off\n"), r)
    pin = re.search(r"tls=([0-9a-f]{64})", lab.read("state/powerctl/known_devices"))
    assert pin, lab.read("state/powerctl/known_devices")
    has(r.err, pin.group(1))
    has(r.err, fleet.device()["realm"])
    assert PASSWORD not in r.err + r.out, r
    assert PASSWORD not in lab.read("config/powerctl/powerctl.yaml")
    good(lab.run("status", "n1"), "n1: off")


@test
def changed_certificate(lab):
    """another certificate: trust error that names the command, no request; --accept mends it"""
    fleet = Fleet(lab, tls=True)
    good(lab.run("status", "a1"), "a1: off")
    first = re.search("tls=([0-9a-f]{64})", lab.read("state/powerctl/known_devices")).group(1)
    fleet.set(1, newcert=1)
    fleet.reset()
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)
    refused_for_trust(lab.run("--json", "on", "a1"), fleet)
    has(lab.run("status", "a1").out, "a1: unknown: trust:")
    shown = lab.run("trust", "a1").out
    has(shown, first)
    offered = re.search("last refused: ([0-9a-f]{64})", shown).group(1)
    assert offered != first, shown
    same(lab.run("trust", "--accept", "a1").status, 0)
    good(lab.run("status", "a1"), "a1: off")
    shown = lab.run("trust", "a1").out
    assert offered in shown and "last refused" not in shown, shown
    fleet.set(1, newcert=1)
    fleet.reset()
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)
    same(lab.run("trust", "--forget", "a1").status, 0)
    good(lab.run("status", "a1"), "a1: off")


@test
def changed_certificate_alone(lab):
    """one changed certificate among many: that node alone, the others are done"""
    fleet = Fleet(lab, devices=4, tls=True)
    good(lab.run("status", "-a"), *[f"a{n}: off" for n in range(1, 5)])
    fleet.set(3, newcert=1)
    r = bad(lab.run("on", "-a"), 1, "a3: error: trust:")
    for n in (1, 2, 4):
        has(r.out, f"a{n}: on\n")
    same(lab.run("status", "--exit-class", "a3").status, 4)


@test
def strict(lab):
    """trust: strict: what nobody vouches for is refused, until it was accepted"""
    fleet = Fleet(lab, tls=True, settings="trust: strict")
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)
    same(lab.run("trust", "--accept", "a1").status, 0)
    good(lab.run("status", "a1"), "a1: off")


@test
def ca_file(lab):
    """trust: strict with a CA file: its certificates are good, for the right address only"""
    certificate(lab, "ca", "e2e authority")
    right = certificate(lab, "right", "amt", "ca", ["subjectAltName=IP:127.0.0.1"])
    wrong = certificate(lab, "wrong", "amt", "ca", ["subjectAltName=IP:127.0.0.77"])
    ca = f"trust: strict\nca_file: {lab.path('ca.pem')}"
    fleet = Fleet(lab, "--cert", right[0], "--key", right[1], tls=True, settings=ca)
    good(lab.run("status", "a1"), "a1: off")
    assert "tls=" not in lab.read("state/powerctl/known_devices"), "vouched for: no pin"
    fleet.reset()
    fleet.inventory(tls=True, settings="trust: strict")
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)
    fleet = Fleet(lab, "--cert", wrong[0], "--key", wrong[1], tls=True, settings=ca)
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)
    fleet.inventory(tls=True, settings="ca_file: " + lab.path("missing.pem"))
    r = lab.run("status", "a1")
    assert r.status in (1, 2) and "missing.pem" in r.out + r.err, r
    same(fleet.counters()["requests"], 0)


@test
def mutual_tls(lab):
    """mutual TLS: with our certificate it works; without, or with another's, the error names it"""
    certificate(lab, "ca", "e2e client authority")
    cert, key = certificate(lab, "client", "operator", "ca")
    stranger, stranger_key = certificate(lab, "stranger", "stranger")
    fleet = Fleet(lab, "--client-ca", lab.path("ca.pem"), tls=True,
                  settings=f"client_cert: {cert}\nclient_key: {key}")
    good(lab.run("on", "a1"), "a1: on")
    fleet.reset()
    for settings, words in (("", "set client_cert and client_key"),
                            (f"client_cert: {stranger}\nclient_key: {stranger_key}", "our certificate (unknown ca)")):
        fleet.inventory(tls=True, settings=settings)
        for _ in range(2):  # no login was refused: it is tried again
            r = bad(lab.run("--json", "status", "a1"), 1)
            same(error_of(r)[0], "trust", r)
            has(error_of(r)[1], words)
        r = bad(lab.run("check", "a1"), 1)
        has(r.out, words)
        assert "password" not in r.out and "powerctl trust" not in r.out, r
    same(fleet.counters()["requests"], 0)
    fleet.inventory(tls=True, settings=f"client_cert: {cert}\nclient_key: {key}")
    good(lab.run("status", "a1"), "a1: on")


@test
def legacy_tls(lab):
    """old firmware's TLS: refused with the setting's name, spoken with legacy_tls: true"""
    fleet = Fleet(lab, "--old-tls", tls=True, timeouts="connect: 3s, read: 5s")
    r = bad(lab.run("--json", "status", "a1"), 1)
    has(error_of(r)[1], "legacy_tls: true")
    same(fleet.counters()["requests"], 0)
    fleet.inventory(tls=True, settings="legacy_tls: true")
    r = lab.run("pxeboot", "a1")
    good(r, "a1: on")
    same(fleet.device()["last_boot"], "pxe")
    same(fleet.blameless()["connections"] >= 2, True)


@test
def legacy_tls_pinned(lab):
    """legacy_tls allows old ciphers, not another certificate"""
    fleet = Fleet(lab, "--old-tls", tls=True, settings="legacy_tls: true")
    good(lab.run("status", "a1"), "a1: off")
    fleet.set(1, newcert=1)
    fleet.reset()
    refused_for_trust(lab.run("--json", "status", "a1"), fleet)


@test
def wrong_realm(lab):
    """another machine behind the address: trust error, and no credential is sent to it"""
    for tls in (False, True):
        fleet = Fleet(lab, tls=tls)
        good(lab.run("status", "a1"), "a1: off")
        fleet.set(1, wrong_realm=1)
        fleet.reset()
        for verb in ("status", "on", "pxeboot", "info"):
            r = bad(lab.run("--json", verb, "a1"), 1)
            same(error_of(r)[0], "trust", r)
            has(error_of(r)[1], "powerctl trust")
            # On TLS the certificate may already say it.
            c = fleet.counters()
            same((c["bodies"], c["r401_bad"], c["r200"]), (0, 0, 0), r)
            same(c["r401"], c["r401_none"], "no login was tried")
        same(lab.run("trust", "--accept", "a1").status, 0)
        good(lab.run("status", "a1"), "a1: off")


@test
def pinned_after_busy(lab):
    """login taken, then 503, then an answer on the same connection: its realm is remembered"""
    fleet = Fleet(lab)
    fleet.set(1, e503_every=2)
    good(lab.run("status", "a1"), "a1: off")
    has(lab.read("state/powerctl/known_devices"), f"realm={fleet.device(1)['realm']}")


@test
def pins_apart(lab):
    """what is remembered of a machine stays with it: two behind one address do not mix"""
    fleet = Fleet(lab, devices=2)
    good(lab.run("status", "-a"), "a1: off", "a2: off")
    pins = lab.read("state/powerctl/known_devices")
    for n in (1, 2):
        has(pins, f"127.0.0.1:{fleet.ports(n)[0]} realm={fleet.device(n)['realm']}")


@test
def many_at_once(lab):
    """forty machines over TLS at once: all pinned, each by its own certificate and realm"""
    fleet = Fleet(lab, devices=40, tls=True)
    good(lab.run("on", "-a"), *[f"a{n}: on" for n in range(1, 41)])
    pins = lab.read("state/powerctl/known_devices")
    same(len(set(re.findall("realm=(Digest:[0-9A-F]+)", pins))), 40)
    same(len(re.findall("tls=[0-9a-f]{64}", pins)), 40)
    same(fleet.totals()["peak_connections"], 1)


if __name__ == "__main__":
    main()
