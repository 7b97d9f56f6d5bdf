#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tarball and packages: what is in them, and what a bare Debian does with them.

A test that needs packages in the root has them installed; so each can be run alone, and all of them
in this order.
"""
import glob
import gzip
import os
import re

from packagelib import (OLD, PACKAGES, SOURCE, dist, field, need, need_repository, old_packages, packages, place, root,
                        run, tarball, tree, version)
from amtlib import Fleet  # found where packagelib finds lib
from lib import has, main, same, test
from redfishlib import RedfishFleet

DRIVERS = ("amt", "exec", "fence", "ipmi", "null", "redfish", "wol")
PAGES = ("powerctl", "powerctl.yaml", "powerctl-driver-check", *(f"powerctl-{name}" for name in DRIVERS))


# --- The tarball -----------------------------------------------------------------------------


@test
def the_same_tarball(_lab):
    """make dist: the same bytes from a shallow clone, by somebody with another umask, clock and configuration"""
    need_repository()
    run("git", "clone", "-q", "--depth", "1", "file://" + SOURCE, place("shallow"))
    with open(place("gitconfig"), "w", encoding="ascii") as out:
        out.write("[tar]\n\tumask = 0077\n[core]\n\tautocrlf = true\n")
    os.umask(0o077)
    try:
        other = dist(place("shallow"), place("dist2"), TZ="Asia/Tokyo", GIT_CONFIG_GLOBAL=place("gitconfig"))
    finally:
        os.umask(0o022)
    sums = [run("sha256sum", path).out.split()[0] for path in (tarball(), other)]
    same(sums[0], sums[1])
    has(run("make", "-s", "dist", cwd=place("shallow"), DIST="new/folder").out, sums[0])
    same(os.listdir(place("shallow/new/folder")), [os.path.basename(tarball())])


@test
def no_tarball(_lab):
    """make dist where it cannot: in an unpacked tarball, and of a revision that is none"""
    r = run("scripts/dist", cwd=tree(), status=2)
    has(r.err, "is not a git repository")
    r = run("scripts/dist", "nonsense", cwd=SOURCE, status=2)
    has(r.err, "git knows no revision 'nonsense'")
    os.makedirs(place("tools"))
    with open(place("tools/gzip"), "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nkill -INT $PPID\n")
    os.chmod(place("tools/gzip"), 0o755)
    run("scripts/dist", cwd=SOURCE, status=130, DIST=place("interrupted"), PATH=place("tools") + ":" + os.environ["PATH"])
    same(os.listdir(place("interrupted")), [])


# --- What is in the packages -----------------------------------------------------------------


@test
def built_without_git(_lab):
    """make deb in the unpacked tarball: all packages, and no other"""
    names = sorted(os.path.basename(path).split("_")[0] for path in glob.glob(packages() + "/*.deb"))
    same(names, sorted(PACKAGES))
    same({field(name, "Version").rsplit("-", 1)[0] for name in PACKAGES}, {version()})


@test
def lintian_is_content(_lab):
    """lintian finds no error and no warning"""
    need("lintian")
    run("lintian", "--allow-root", "--fail-on", "error,warning", *glob.glob(packages() + "/*.deb"))


@test
def what_each_needs(_lab):
    """each package names what it cannot do without, from its libraries on, and nothing of another driver's"""
    libraries = {name: {word.split()[0] for word in field(name, "Depends").split(", ")} for name in PACKAGES}
    for name, parts in (("libpowerctl0", {"libuv1", "libyaml-0-2"}),
                        ("libpowerctl-http0", {"libpowerctl0", "libcurl4"}),
                        ("powerctl", {"libpowerctl0", "adduser", "libjansson4", "libpng16-16", "zlib1g"}),
                        ("powerctl-amt", {"powerctl", "libpowerctl-http0", "libexpat1"}),
                        ("powerctl-redfish", {"powerctl", "libpowerctl-http0", "libjansson4"}),
                        ("powerctl-ipmi", {"powerctl", "libfreeipmi17", "libipmiconsole2"}),
                        ("libpowerctl-dev", {"libpowerctl0", "libpowerctl-http0", "libuv1-dev"})):
        # 64-bit time_t gave some of them another name.
        names = {re.sub("t64$", "", library) for library in libraries[name]}
        assert parts <= names, f"{name}: {parts - names} not in {names}"
    for name, needs in libraries.items():
        if name not in ("powerctl-ipmi",):
            assert not any("ipmi" in one for one in needs), f"{name} needs {needs}"
    has(field("powerctl-fence", "Recommends"), "fence-agents")
    has(field("powerctl", "Recommends"), "powerctl-amt")


@test
def driver_of_ones_own(lab):
    """a driver is built with what libpowerctl-dev has, and held to its contract"""
    need("pkg-config", "make", "cc")
    where = place("extracted")
    for path in glob.glob(packages() + "/*.deb"):
        run("dpkg-deb", "-x", path, where)
    pc, = glob.glob(where + "/usr/lib/**/powerctl.pc", recursive=True)
    libraries = os.path.dirname(glob.glob(where + "/usr/lib/**/libpowerctl.so.0", recursive=True)[0])
    env = {"LD_LIBRARY_PATH": libraries, "PKG_CONFIG_PATH": os.path.dirname(pc),
           "PATH": f"{where}/usr/bin:{os.environ['PATH']}"}
    run("powerctl", "drivers", "new", "lamp", "--dir", where, **env)
    run("make", cwd=where + "/lamp", **env)
    lab.write("lamp", "off\n")
    has(run("powerctl-driver-check", "--set", "file=" + lab.path("lamp"), where + "/lamp/build/lamp.so", **env).out,
        "ok 1")


# --- A bare Debian ---------------------------------------------------------------------------


@test
def installed(_lab):
    """apt installs a driver and all that it needs, and nothing else of ours"""
    here = root()
    here.offer(packages())
    here.apt("install", "powerctl-ipmi")
    same(sorted(here.versions()), ["libpowerctl0", "powerctl", "powerctl-ipmi"])
    same(here.run("powerctl", "drivers").out.count("\n"), 2)
    same((here.stat("/etc/powerctl/secrets"), here.stat("/etc/powerctl")), ("root:powerctl 750", "root:root 755"))
    here.have(packages())
    same(set(here.versions()), set(PACKAGES))
    with gzip.open(here.file("usr/share/doc/powerctl/changelog.Debian.gz"), "rt") as text:
        has(text.readline(), f"powerctl ({version()}-")
    with open(here.file("usr/share/doc/powerctl-ipmi/copyright"), encoding="utf-8") as text:
        has(text.read(), "/usr/share/common-licenses/GPL-3")


@test
def at_their_places(_lab):
    """all drivers load from their installed place; man, bash, zsh and fish find theirs"""
    here = root().have(packages())
    r = here.run("powerctl", "drivers")
    same((sorted(line.split(":")[0] for line in r.lines), r.err), (sorted(DRIVERS), ""), r)
    same(here.run("powerctl", "--version").out.split()[-1], version())
    for page in PAGES:
        has(here.run("man", "-w", page).out, f"/usr/share/man/man{'5' if '.' in page else ''}")
    # No driver here has a library or a page of its own elsewhere.
    for place_of in ("bash-completion/completions/powerctl", "zsh/vendor-completions/_powerctl",
                     "fish/vendor_completions.d/powerctl.fish", "doc/powerctl/examples/powerctl.yaml",
                     "powerctl/exec/relay.sh"):
        assert os.path.exists(here.file("usr/share/" + place_of)), place_of
    r = here.run("powerctl", "--inventory", "/usr/share/doc/powerctl/examples/powerctl.yaml", "list", "nuc1")
    has(r.out, "nuc1")


def stand_in(lab, here):
    """One machine of Intel AMT and one of Redfish behind the inventory of the root's system; its secret."""
    amt, redfish = Fleet(lab, "--state", "off"), RedfishFleet(lab, "--state", "off")
    lines = ["credentials:", "  lab: {username: admin, password_file: secrets/lab}", "nodes:"]
    for fleet, driver, more in ((amt, "amt", "tls: false"), (redfish, "redfish", "tls: false")):
        lines.append(f"  {driver}1: {{driver: {driver}, credential: lab, address: 127.0.0.1,"
                     f" port: {fleet.ports(1)[0]}, {more}}}")
    here.write("etc/powerctl/powerctl.yaml", "\n".join(lines) + "\n")
    here.write("etc/powerctl/secrets/lab", "P@ssw0rd\n", 0o640)
    here.run("chgrp", "powerctl", "/etc/powerctl/secrets/lab")


def user(here, name, *groups):
    here.run("useradd", "--create-home", name, *(word for group in groups for word in ("-G", group)))


@test
def used(lab):
    """from there, machines are asked and turned on; a member of the group reads the secret, another does not"""
    here = root().have(packages())
    stand_in(lab, here)
    same(sorted(here.run("powerctl", "status").lines), ["amt1: off", "redfish1: off"])
    same(sorted(here.run("powerctl", "on", "-a").lines), ["amt1: on", "redfish1: on"])
    user(here, "ann", "powerctl")
    user(here, "bob")
    try:
        same(sorted(here.run("powerctl", "status", user="ann").lines), ["amt1: on", "redfish1: on"])
        r = here.run("powerctl", "status", user="bob", status=2)
        has(r.out + r.err, "secrets/lab")
    finally:
        here.run("userdel", "-r", "ann")
        here.run("userdel", "-r", "bob")


@test
def upgraded(lab):
    """an older version becomes this one; inventory, secrets and what was changed about their folder stay"""
    here = root()
    here.apt("purge", *PACKAGES)
    here.have(old_packages())
    same({v.rsplit("-", 1)[0] for v in here.versions().values()}, {OLD})
    has(here.run("powerctl", "--version").out, OLD)
    stand_in(lab, here)
    here.run("chmod", "2770", "/etc/powerctl/secrets")
    here.offer(packages())
    here.apt("dist-upgrade")
    same((set(here.versions()), {v.rsplit("-", 1)[0] for v in here.versions().values()}), (set(PACKAGES), {version()}))
    same(here.run("powerctl", "--version").out.split()[-1], version())
    same((here.stat("/etc/powerctl/secrets"), here.stat("/etc/powerctl/secrets/lab")),
         ("root:powerctl 2770", "root:powerctl 640"))
    same(sorted(here.run("powerctl", "status").lines), ["amt1: off", "redfish1: off"])
    left = [path for path in here.files() if OLD in path]
    same(left, [])


@test
def removed(lab):
    """remove takes the programs and leaves what they know; purge leaves secrets and inventories, and their group"""
    here = root().have(packages())
    stand_in(lab, here)
    here.run("powerctl", "status")
    here.run("sh", "-c", "mkdir -p /var/lib/powerctl; echo pin >/var/lib/powerctl/known_devices")
    here.apt("remove", *PACKAGES)
    same(here.versions(), {})
    for name, there in (("usr/bin/powerctl", False), ("var/lib/powerctl/known_devices", True),
                        ("etc/powerctl/secrets/lab", True)):
        same(os.path.exists(here.file(name)), there, name)
    here.apt("purge", *PACKAGES)
    for name, there in (("var/lib/powerctl", False), ("var/cache/powerctl", False), ("run/powerctl", False),
                        ("etc/powerctl/powerctl.yaml", True), ("etc/powerctl/secrets/lab", True)):
        same(os.path.exists(here.file(name)), there, name)
    has(here.group(), "powerctl:")


@test
def purged(_lab):
    """where nobody has written a secret, purge leaves nothing at all"""
    here = root().have(packages())
    here.run("rm", "-f", "/etc/powerctl/powerctl.yaml", "/etc/powerctl/secrets/lab")
    here.run("powerctl", "drivers")
    here.apt("purge", "--autoremove", *PACKAGES)
    same(sorted(here.files() - here.before), [])
    same(here.group(), "")


# --- RPM -------------------------------------------------------------------------------------


@test
def rpm_packages(_lab):
    """rpmbuild makes the same cut from the tarball and the spec in it, of the same version"""
    need("rpmbuild", "rpmspec")
    spec = os.path.join(SOURCE, "contrib/rpm/powerctl.spec")
    same({line for line in run("rpmspec", "-q", "--qf", "%{version}\n", spec).lines}, {version()})
    top = place("rpm")
    # What Debian has is no package of RPM's; its debugger's packages take programs of its own.
    run("rpmbuild", "-tb", "--nodeps", "--quiet", "-D", f"_topdir {top}", "-D", f"_dbpath {top}/db", "-D",
        f"_tmppath {top}/tmp", "-D", "debug_package %{nil}", "-D", f"_smp_mflags -j{os.cpu_count()}", tarball())
    files = {re.sub(r"-[0-9].*", "", os.path.basename(path)): path for path in glob.glob(top + "/RPMS/*/*.rpm")}
    same(sorted(files), sorted(name.replace("-dev", "-devel") for name in PACKAGES))
    ask = ("rpm", "--dbpath", top + "/db", "-qp")
    has(run(*ask, "--qf", "[%{FILENAMES} %{FILEMODES:perms} %{FILEGROUPNAME}\n]", files["powerctl"]).out,
        "/etc/powerctl/secrets drwxr-x--- powerctl\n")
    has(run(*ask, "--qf", "%{LICENSE}", files["powerctl-ipmi"]).out, "GPL-3.0-or-later")
    has(run(*ask, "--requires", files["powerctl-amt"]).out, "libpowerctl-http.so.0")


main()
