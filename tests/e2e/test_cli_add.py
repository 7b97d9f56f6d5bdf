#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl add finds the driver by itself, and tells what it trusted on first use."""
import json
import os
import subprocess
import urllib.request

from lib import AMTSIM, PATIENCE, POWERCTL, Skip, has, main, same, test

PASSWORD = "P@ssw0rd"  # the stand-in's


def machines(lab, count, *args):
    """Stand-ins on the usual ports of loopback addresses that are this process's own."""
    if not os.path.exists(AMTSIM):
        raise Skip(f"{AMTSIM} is not built")
    if not os.path.exists(os.path.join(os.path.dirname(POWERCTL), "..", "plugins", "amt.so")):
        raise Skip("the amt driver is not built")
    pid = os.getpid()
    base = f"127.{1 + pid // 65536 % 200}.{pid // 256 % 256}"
    first = 1 + pid % 200
    try:
        sim = lab.amtsim("--devices", str(count), "--address", f"{base}.{first}", *args)
    except AssertionError as why:
        raise Skip("no loopback addresses beside 127.0.0.1 with ports 16992 and 16993") from why
    return base, first, sim


@test
def finds_the_driver(lab):
    """the driver is found, several machines at once, and trusted identities are told"""
    base, first, _ = machines(lab, 2, "--state", "on")
    r = lab.run("add", "z[1-2]", f"{base}.[{first}-{first + 1}]", "--user", "admin",
                "--password-stdin", stdin=PASSWORD + "\n")
    same((r.status, sorted(r.lines)), (0, ["z1: on", "z2: on"]), r)
    has(r.err, "driver amt")
    has(r.err, "z1: trusted on first use: ")
    has(r.err, "z2: trusted on first use: ")
    has(lab.run("trust", "z1").out, "z1: realm Digest:")
    same(lab.run("trust", "--forget", "z1").out.split(":")[1].strip(), "ok")
    same(lab.run("trust", "z1").out, "z1: nothing is remembered\n")


@test
def by_prompts(lab):
    """the same for somebody at a terminal, who only knows name and address"""
    base, first, _ = machines(lab, 1)
    t = lab.terminal("add", "nuc1", f"{base}.{first}")
    t.expect("User: ")
    t.send("admin\n")
    t.expect(f"Password for admin@{base}.{first}: ")
    t.wait_echo(False)
    t.send(PASSWORD + "\n")
    t.expect("nuc1: off\n")
    same(t.end(), 0)
    assert PASSWORD not in t.seen


@test
def relative_inventory(lab):
    """a password that is kept beside an inventory in a folder below is found there, from anywhere"""
    base, first, _ = machines(lab, 1, "--state", "on")
    os.mkdir(lab.path("sub"))
    proc = lab.start("--inventory", "sub/inv.yaml", "add", "x1", f"{base}.{first}", "--user", "admin",
                     "--password-stdin", cwd=lab.path(), stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = proc.communicate(PASSWORD + "\n", timeout=PATIENCE)
    same((proc.returncode, out), (0, "x1: on\n"), err)
    assert os.path.exists(lab.path("sub", "secrets", "x1")), err
    for inventory, folder in (("sub/inv.yaml", lab.path()), ("inv.yaml", lab.path("sub")),
                              (lab.path("sub", "inv.yaml"), "/")):
        proc = lab.start("--inventory", inventory, "status", cwd=folder, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        out, err = proc.communicate(timeout=PATIENCE)
        same((proc.returncode, out), (0, "x1: on\n"), err)


@test
def wrong_password(lab):
    """a wrong password is tried once, and nothing is added"""
    base, first, sim = machines(lab, 1)
    r = lab.run("add", "z1", f"{base}.{first}", "--user", "admin", "--password-stdin",
                stdin="wrong\n")
    same((r.status, r.out), (1, ""), r)
    has(r.err, f"amt at {base}.{first}: ")
    has(r.err, "nothing was added")
    assert not os.path.exists(lab.inventory_path)
    with urllib.request.urlopen(f"http://127.0.0.1:{sim.ready['control']}/devices/1", timeout=20) as f:
        same(json.load(f)["counters"]["r401_bad"], 1, "logins that were refused")


@test
def nobody_there(lab):
    """nothing answers: said so, with what was tried"""
    r = lab.run("add", "n1", "127.0.0.1", "password=geheim17", "port=1")
    same((r.status, r.err), (2, "powerctl: a setting is given with --set: powerctl add n1 127.0.0.1 --set "
                                "password=VALUE\n"))
    base, first, _ = machines(lab, 1)
    r = lab.run("add", "z1", f"{base}.{first + 5}", "--user", "admin", "--password-stdin",
                stdin=PASSWORD + "\n")
    same((r.status, r.out), (1, ""), r)
    has(r.err, f"no driver got an answer from {base}.{first + 5} (")
    has(r.err, "amt: ")
    has(r.err, "--driver NAME")
    assert not os.path.exists(lab.inventory_path)


if __name__ == "__main__":
    if not os.path.exists(POWERCTL):
        raise SystemExit(f"{POWERCTL} is not built")
    main()
