#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl import takes over each sample of tests/vectors/import, and what it writes is right."""
import glob
import os
import re
import stat

from lib import POWERCTL, SOURCE, good, has, main, many, same, test

VECTORS = os.path.join(SOURCE, "tests", "vectors", "import")
# Format, sample, machines that are taken over, what is said of those that are not.
SAMPLES = [
    ("powerman", "powerman.conf", "c[001-040],store[1-4]",
     ["powerman.conf:15: ", "fence_apc", "powerman.conf:16: "]),
    ("xcat", "xcat.stanza", "p9,r[1-2]n[01-02]", ["xcat.stanza:46: ", "fence_virsh"]),
    ("xcat", "xcat.tables", "n[1-2]", ["xcat.tables:4: ", "lsdef"]),
    ("conman", "conman.conf", "c[1-3]", ["conman.conf:10: ", "conman.conf:11: "]),
    ("amtctrl", "hosts.cfg", "desk,nuc[1-2]", ["hosts.cfg:9: ", "vncpasswd"]),
    ("ironic", "ironic.json", "6f1c0a1e-0b06-4e0a-9d25-0f3a2b1c0004,bm1",
     ["ironic.json:13: bm2: no password", "ironic.json:23: ", "fence_apc_snmp",
      "ironic.json:29: 6f1c0a1e-0b06-4e0a-9d25-0f3a2b1c0004: 'redfish_fan' has no setting here"]),
    ("csv", "machines.csv", "fs[1-2],nuc[1-4]",
     ["machines.csv:6: 'broken': address is missing", "machines.csv:7: ", "machines.csv:8: "]),
]
SECRETS = ["cal vin", "St0re:age", "PASSW0RD", "0penBmc", "Other,", "sol!", "736f6c21", "other",
           "P%word1!", "P%%word1!", "Other1!", "Vnc12345", "s3cret", "pl4in", "P@ssw0rd",
           'quo"ted']


def files(folder):
    return sorted(path for path in glob.glob(os.path.join(folder, "**"), recursive=True)
                  if os.path.isfile(path))


def run_here(lab, *args, **how):
    """In the folder of the samples, as people call it: powerman.conf names a file beside it."""
    before = os.getcwd()
    os.chdir(VECTORS)
    try:
        return lab.run(*args, **how)
    finally:
        os.chdir(before)


def names(lab, result):
    same(result.status, 0, result)
    found = lab.run("fold", "-", stdin=result.out)
    return found.out.strip()


def listed(lab):
    result = lab.run("list", "--json")
    same(result.status, 0, result)
    return {node["node"]: node for node in result.json}


@test
def samples(lab):
    """each sample: what is taken over is an inventory without a mistake, the rest is said"""
    for i, (form, sample, taken, said) in enumerate(SAMPLES):
        inventory = lab.write(f"take{i}/p.yaml", 'nodes: {zz: {driver: "null", state: "off"}}\n')
        r = run_here(lab, "import", form, sample, "--inventory", inventory)
        same((r.status, r.out), (1, ""), r)
        for part in said:
            has(r.err, part)
        lab.env["POWERCTL_INVENTORY"] = inventory
        same(names(lab, lab.run("expand", "-a", "-x", "zz")), taken, sample)
        same(set(listed(lab)), set(lab.run("expand", "-a").out.split()))
        # Every mistake of the inventory, also in settings and secrets, comes before the one
        # machine that is asked, which is none of these.
        good(lab.run("check", "zz"), "zz: off")
        for path in files(lab.path(f"take{i}")):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            if os.sep + "secrets" + os.sep in path:
                same(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
            else:
                assert not [s for s in SECRETS if s in text], path
        assert not [s for s in SECRETS if s in r.out + r.err], r


@test
def secrets_are_those_of_the_file(lab):
    """passwords arrive as they are in the file, without a line break"""
    for form, sample, wanted in (
            ("powerman", "powerman.conf", {"powerman-root": "cal vin", "powerman-admin": "St0re:age"}),
            ("conman", "conman.conf", {"conman-console": "sol!", "c3": "other", "c3-kg": "0x0102"}),
            ("amtctrl", "hosts.cfg", {"amtctrl-admin": "P%word1!", "desk": "Other1!"}),
            ("csv", "machines.csv", {"csv-admin": "P@ssw0rd", "csv-root": 'quo"ted, word'})):
        inventory = lab.path(form, "p.yaml")
        run_here(lab, "import", form, sample, "--inventory", inventory)
        found = {os.path.basename(p): open(p, encoding="utf-8").read()
                 for p in files(lab.path(form, "secrets"))}
        same(found, wanted)


@test
def dry_run(lab):
    """--dry-run prints the file, and makes none"""
    r = run_here(lab, "import", "amtctrl", "hosts.cfg", "--dry-run")
    same(r.status, 1, r)
    has(r.out, 'nuc[1-2]: {driver: amt, address: "10.0.0.[11-12]", credential: amtctrl-admin}')
    has(r.err, "would be taken over into " + os.path.join(os.path.dirname(lab.inventory_path),
                                                            "conf.d", "amtctrl.yaml"))
    assert not [s for s in SECRETS if s in r.out + r.err], r
    same(files(lab.path("config")), [])


@test
def nothing_is_overwritten(lab):
    """what is there stays, with its comments; a second time there is nothing to do"""
    text = ("# mine\ncredentials:\n  csv-u: {username: x, password_file: /nowhere}\n"
            "nodes:\n  n1: {driver: \"null\"} # first\ngroups:\n  g: n1\n"
            "include:\n  - conf.d/*.yml # later\n")
    lab.inventory(text)
    table = "name,driver,address,username,password,groups\n" \
            "n1,ipmi,b1,u,p,h\nn2,ipmi,b2,u,p,g h\nn3,ipmi,b3,u,p,h\n"
    r = lab.run("import", "csv", "-", stdin=table)
    same(r.status, 1, r)
    has(r.err, f"standard input:2: n1: already at {lab.inventory_path}:5, where they stay as they are")
    has(r.err, f"standard input:3: the group 'g' is already at {lab.inventory_path}:7, where it stays")
    same(lab.read("config/powerctl/powerctl.yaml"), text + "  - conf.d/csv.yaml\n")
    same(listed(lab)["n1"]["driver"], "null")
    same(names(lab, lab.run("expand", "@h")), "n[1-3]")
    same(lab.run("expand", "@g").out, "n1\n")
    has(lab.read("config/powerctl/conf.d/csv.yaml"), "csv-u-2: {username: u, ")
    before = {path: os.stat(path).st_mtime_ns for path in files(lab.path("config"))}
    r = lab.run("import", "csv", "-", stdin=table)
    same(r.status, 1, r)
    has(r.err, "nothing was taken over")
    same({path: os.stat(path).st_mtime_ns for path in files(lab.path("config"))}, before)
    # More of it later, beside the first file.
    r = lab.run("import", "csv", "-", stdin="name,driver,address,username,password\nn4,ipmi,b4,u,p\n")
    same(r.status, 0, r)
    has(lab.read("config/powerctl/conf.d/csv-2.yaml"), "n4: {")
    same(len(listed(lab)), 4)


@test
def where_they_are(lab):
    """what the inventory has is told with the file and the lines that have it, in the order of what is read"""
    lab.inventory("include: [conf.d/*.yaml]\nnodes:\n  n1: {driver: \"null\"}\n")
    more = lab.write("config/powerctl/conf.d/a.yaml", "# more\nnodes:\n  n[2-3]: {driver: \"null\"}\n")
    last = lab.write("config/powerctl/conf.d/b.yaml", "nodes:\n  n4: {driver: \"null\"}\n\n  n5: {driver: \"null\"}\n"
                                                      "groups:\n  g: n4\n")
    rows = ["n5,wol,,g", "x,none", "n2,wol", "n1,wol", "n3,wol", "n4,wol", "n 1,wol", "n9"]
    r = lab.run("import", "csv", "-", stdin="name,driver,address,groups\n" + "\n".join(rows) + "\n")
    said = [line.partition("standard input:")[2] for line in r.err.splitlines() if "standard input:" in line]
    same(said[:2], [f"2: n[4-5]: already in {last}, lines 2 to 4, where they stay as they are",
                    f"2: the group 'g' is already at {last}:6, where it stays as it is"])
    has(said[2], "3: 'x': ")
    same(said[3], f"4: n[2-3]: already at {more}:3, where they stay as they are")
    same(said[4], f"5: n1: already at {lab.inventory_path}:3, where they stay as they are")
    same([line.split(":")[0] for line in said], ["2", "2", "3", "4", "5", "8", "9"])


@test
def one_credential(lab):
    """a login that the inventory has already is used, not written once more; one that differs is another"""
    password = lab.write("password", "geheim\n")
    how = ("--user", "root", "--password-file", password, "--driver", "ipmi")
    for n in (1, 2, 3):
        same(lab.run("import", "csv", "-", *how, stdin=f"name,address\nn{n},b{n}\n").status, 0)
    secrets = lab.path("config/powerctl/secrets")
    same(os.listdir(secrets), ["csv-root"])
    has(lab.read("config/powerctl/conf.d/csv-3.yaml"), "n3: {driver: ipmi, address: b3, credential: csv-root}")
    assert "credentials:" not in lab.read("config/powerctl/conf.d/csv-2.yaml")
    lab.write("password", "other\n")
    same(lab.run("import", "csv", "-", *how, stdin="name,address\nn4,b4\n").status, 0)
    same(sorted(os.listdir(secrets)), ["csv-root", "csv-root-2"])
    # Another user with this password, a key of the BMC beside it, and a program: none of them is the same.
    lab.inventory("include: [conf.d/*.yaml]\ncredentials:\n"
                  f"  asks: {{username: ann, password_command: [touch, {lab.path('asked')}]}}\n")
    rows = "k,bk,root,other,kg\na,ba,ann,other,\n"
    r = lab.run("import", "csv", "-", "--driver", "ipmi", stdin="name,address,username,password,kg\n" + rows)
    same(r.status, 0, r)
    same((len(os.listdir(secrets)), os.path.exists(lab.path("asked"))), (5, False))
    shown = lab.run("show", "--json", "n2").json[0]["settings"]
    same((shown["username"], shown["credential"]), ("root", "csv-root"))


@test
def included_by_a_pattern(lab):
    """an inventory that includes conf.d/*.yaml is not changed at all"""
    text = "include: [conf.d/*.yaml]\n"
    lab.inventory(text)
    r = run_here(lab, "import", "xcat", "xcat.stanza")
    same(r.status, 1, r)
    same(lab.read("config/powerctl/powerctl.yaml"), text)
    same(len(listed(lab)), 5)


@test
def logins_of_the_options(lab):
    """machines without a password get that of the options, the others keep theirs"""
    table = "name,driver,address,username,password\na1,ipmi,b1,,\na2,ipmi,b2,own,\na3,ipmi,b3,u,p\n"
    password = lab.write("password", "given\n")
    r = lab.run("import", "csv", "-", "--user", "root", "--password-file", password, "--tag", "lab",
                stdin=table)
    same(r.status, 0, r)
    r = lab.run("show", "--json", "a[1-3]", stdin="")
    same({one["node"]: one["settings"]["username"] for one in r.json}, {"a1": "root", "a2": "own", "a3": "u"})
    same([lab.read(f"config/powerctl/secrets/a{n}").strip() for n in (1, 2, 3)], ["given", "given", "p"])
    same(names(lab, lab.run("expand", "%lab")), "a[1-3]")
    lab.inventory("credentials:\n  bmc: {username: x, password_env: P}\n")
    r = lab.run("import", "csv", "-", "--credential", "bmc", "--driver", "ipmi",
                stdin="name,address\nz[1-2],b[1-2]\n")
    same(r.status, 0, r)
    has(lab.read("config/powerctl/conf.d/csv-2.yaml"), 'address: "b[1-2]", credential: bmc}')
    r = lab.run("import", "csv", "-", "--credential", "bcm", stdin=table)
    same(r.status, 2, r)
    has(r.err, "there is no such credential")


@test
def mistakes(lab):
    """wrong words, files that are not there, and those with nothing in them"""
    for args, stdin, part in (
            (("ipmi", "-"), "", "unknown format 'ipmi'"),
            (("xcta", "-"), "", "did you mean 'xcat'?"),
            (("csv",), "", "something is missing: powerctl import FORMAT FILE"),
            (("csv", "a", "b"), "", "one FORMAT and one FILE"),
            (("csv", "/nowhere"), "", "/nowhere: No such file"),
            (("csv", "/"), "", "/: cannot read it: Is a directory"),
            (("csv", "-"), "", "no machine that can be taken over is in standard input"),
            (("csv", "-"), "name\n\nx\0y\n", "standard input:3: this is no text in UTF-8"),
            (("ironic", "-"), "{", "standard input:1: this is no JSON"),
            (("powerman", "-"), "client_limit 5\nnode \"a\" \"b\"\n", "standard input:2: 'a': there is no device"),
            (("powerman", "-"), "node \"a\" \"b\"\n", "there is no device 'b' above"),
            (("csv", "-", "--password-stdin"), "name,driver\nn,ipmi\n", "cannot come from")):
        r = lab.run("import", *args, stdin=stdin)
        same((r.status, r.out), (2, ""), r)
        has(r.err, part)
        same(files(lab.path("config")), [])
    r = lab.run("import", "csv", "-", stdin="name,driver,address\na[1-9],amt,b[1-9]\nc,,d\n")
    same((r.status, r.out), (1, ""), r)
    has(r.err, "standard input:2: a[1-9]: no password is there")
    has(r.err, "standard input:3: c: no driver is named")
    same(files(lab.path("config")), [])
    lab.inventory("nodes: [\n")
    r = lab.run("import", "csv", "-", stdin="name,driver,address\nx,wol,b\n")
    same(r.status, 2, r)
    has(r.err, "nothing was taken over: mend ")


@test
def cannot_be_written(lab):
    """where conf.d cannot be made nothing is left behind"""
    lab.inventory("nodes: {}\n")
    lab.write("config/powerctl/conf.d", "a file\n")
    r = lab.run("import", "csv", "-", stdin="name,driver,address,username,password\na,ipmi,b,u,p\n")
    same(r.status, 1, r)
    has(r.err, "nothing was taken over: ")
    same(lab.read("config/powerctl/powerctl.yaml"), "nodes: {}\n")
    same(files(lab.path("config", "powerctl", "secrets")), [])


@test
def machines_answer(lab):
    """machines that were taken over answer: the same login, the same port, and status reads them"""
    sim = lab.amtsim("--devices", "3", "--state", "on", "--port", "0")
    rows = "".join(f"nuc{i},amt,127.0.0.1:{port},admin,P@ssw0rd\n"
                   for i, port in enumerate(ports(sim.ready), 1))
    r = lab.run("import", "csv", "-", stdin="name,driver,address,username,password\n" + rows)
    same(r.status, 0, r)
    r = lab.run("status")
    same((r.status, sorted(r.lines)), (0, ["nuc1: on", "nuc2: on", "nuc3: on"]), r)


def ports(ready):
    return [device["port"] for device in ready["devices"]]


@test
def a_large_fleet(lab):
    """thirty thousand machines with addresses in no order"""
    count = many(30000)
    rows = "".join(f"n{i:05d},ipmi,10.{i * 7919 % 251}.{i % 253}.{i * 31 % 249},root,pw{i % 3}\n"
                   for i in range(count))
    r = lab.run("import", "csv", "-", stdin="name,driver,address,username,password\n" + rows)
    same(r.status, 0, r)
    has(r.err, f"{count:,} machines are taken over")
    same(len(lab.run("expand", "-a").lines), count)
    text = lab.read("config/powerctl/conf.d/csv.yaml")
    same(len(re.findall("^  ipmi(?:-[23])?: ", text, re.MULTILINE)), 3)


if __name__ == "__main__":
    if not os.path.exists(POWERCTL):
        raise SystemExit(f"{POWERCTL} is not built")
    main()
