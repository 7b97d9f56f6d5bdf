#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each mistake is named with its place and what would be right, the exit status is 2,
nothing is on stdout, and no machine has heard of it.
"""
import os
import shutil
import signal
import subprocess

from amtlib import Fleet
from lib import BUILD, PATIENCE, good, has, main, same, skip, test, took, until


class Desk:
    """Two machines that are on and good nodes; mistakes are added below them."""

    def __init__(self, lab, **how):
        self.lab = lab
        self.fleet = Fleet(lab, "--state", "on", devices=2, **how)
        self.base = lab.read("config/powerctl/powerctl.yaml")
        good(lab.run("status", "-a"), "a1: on", "a2: on")
        self.fleet.reset()

    def wrong(self, words, *parts, more="", text=None, env=None):
        """Runs with the mistakes; parts are in stderr, @1 the place of the first added line."""
        path = self.lab.inventory(self.base + more if text is None else text)
        first = 1 if text is not None else self.base.count("\n") + 1
        with took(most=20):
            r = self.lab.run(*words, env=env)
        same((r.status, r.out), (2, ""), r)
        for part in parts:
            for n in range(1, 9):
                part = part.replace(f"@{n}:", f"{path}:{first + n - 1}:")
            has(r.err, part)
        totals = self.fleet.totals()
        same((totals["connections"], totals["requests"]), (0, 0), r)
        return r


# --- The inventory. --------------------------------------------------------------------------


@test
def unknown_keys(lab):
    """unknown keys: at the top, of a node, of a driver, of a time; each with its place"""
    desk = Desk(lab)
    desk.wrong(["off", "--yes", "-a"], "@1:8: ", "'adress'", "did you mean 'address'?", "@2:26: ",
               "'prot'", "did you mean 'port'?",
               more="  n9: {adress: 127.0.0.1, driver: amt, class: stand-in}\n"
                    "  n8: {class: stand-in,  prot: 5, address: 127.0.0.1}\n")
    desk.wrong(["off", "--yes", "-a"], "@1:1: ", "'gruops'", "did you mean 'groups'?", "@2:1: ",
               "'clases'", "did you mean 'classes'?",
               more="gruops: {x: a1}\nclases: {}\n")
    desk.wrong(["off", "n9"], "@1:45: ", "'tsl'", "did you mean 'tls'?",
               more="  n9: {class: stand-in, address: 127.0.0.1, tsl: \"false\"}\n")
    desk.wrong(["status", "n9"], "'conect'", "did you mean 'connect'?",
               more="  n9: {class: stand-in, address: 127.0.0.1, timeouts: {conect: 3s}}\n")


@test
def bad_values(lab):
    """values that do not fit their key: a port too high, a word that is no choice, no duration"""
    desk = Desk(lab)
    for value, parts in (("port: 70000", ["65535", "70000"]), ("tls: maybe", ["maybe", "auto"]),
                         ("timeouts: {connect: soon}", ["duration"]),
                         ("trust: blindly", ["first-use", "strict"]),
                         ("via: carrier-pigeon", ["carrier-pigeon"]),
                         ("tls_port: -1", ["tls_port"])):
        desk.wrong(["off", "n9"], "@1:", *parts,
                   more=f"  n9: {{class: stand-in, address: 127.0.0.1, {value}}}\n")


@test
def unknown_driver(lab):
    """an unknown driver gets the nearest one"""
    desk = Desk(lab)
    desk.wrong(["off", "-a"], "@1:16: ", "'atm'", "did you mean 'amt'?",
               more="  n9: {driver: atm, address: 127.0.0.1}\n")


@test
def unknown_class_or_credential(lab):
    """an unknown class or credential is named, with its place"""
    desk = Desk(lab)
    desk.wrong(["off", "n9"], "@1:15: ", "'stand-on'",
               more="  n9: {class: stand-on, address: 127.0.0.1}\n")
    desk.wrong(["off", "n9"], "@1:", "'nobody'",
               more="  n9: {class: stand-in, address: 127.0.0.1, credential: nobody}\n")
    desk.wrong(["off", "-a"], "comes back to itself",
               text="classes: {a: {class: b}, b: {class: a}}\nnodes: {n1: {class: a}}\n")


@test
def missing_settings(lab):
    """no driver, no address, no password: what is missing and where"""
    desk = Desk(lab)
    desk.wrong(["off", "n9"], "@1:", "driver", more="  n9: {address: 127.0.0.1}\n")
    desk.wrong(["off", "n9"], "@1:", "address is missing", more="  n9: {class: stand-in}\n")
    desk.wrong(["off", "n9"], "@1:", "password is missing",
               more="  n9: {driver: amt, address: 127.0.0.1}\n")
    desk.wrong(["off", "a1", "n9"], "@1:", "password is missing",
               more="  n9: {driver: amt, address: 127.0.0.1}\n")


@test
def broken_yaml(lab):
    """YAML that breaks off, is indented with tabs, or is something else: line and column"""
    desk = Desk(lab)
    desk.wrong(["off", "-a"], "@2:", more="  n9: {class: stand-in\n  n8: {}\n")
    desk.wrong(["off", "-a"], "@1:1: ", "tab", more="\tn9: {}\n")
    for text in ("nodes: [a, b]\n", "nodes: {n1: 5}\n", "- a\n- b\n", "just words\n",
                 "nodes: {n1: {driver: &x [*x]}}\n", "a: b: c\n", "\0\1\2",
                 "nodes: {n1: *nowhere}\n"):
        desk.wrong(["off", "-a"], "powerctl.yaml:1:", text=text)


@test
def yaml_bombs(lab):
    """aliases that multiply, nesting without end: an error soon, not memory without end"""
    desk = Desk(lab)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    for text in (bomb, "nodes: " + "[" * 100000, "nodes:\n" + "".join(
            " " * i + "a:\n" for i in range(1, 3000))):
        desk.wrong(["off", "-a"], "powerctl.yaml:", text=text)


@test
def ranges(lab):
    """ranges that do not pair, run backwards, never end or name too many: named, at once"""
    desk = Desk(lab)
    for name, address, parts in (
            ("n[1-3]", "127.0.0.[1-2]", ["names 2", "names 3"]),
            ("n[1-9999999999]", "127.0.0.1", ["2000000"]),
            ("n[1-1000][1-1000][1-1000]", "127.0.0.1", ["2000000"]),
            ("n[5-1]", "127.0.0.1", ["5-1"]), ("n[1-", "127.0.0.1", ["bracket"]),
            ("n[1-99999999999999999999999]", "127.0.0.1", ["n[1-9999"]),
            ("n[a-c]", "127.0.0.1", ["n[a-c]"]), ("n[]", "127.0.0.1", ["n[]"])):
        desk.wrong(["off", "-a"], "@1:", *parts,
                   more=f'  "{name}": {{class: stand-in, address: "{address}"}}\n')


@test
def duplicates(lab):
    """the same name twice, in one map or by two ranges that meet; two keys in one node"""
    desk = Desk(lab)
    line = desk.base.count("\n")
    desk.wrong(["off", "-a"], "@1:3: ", "'a2'", "twice", f"line {line}",
               more="  a2: {class: stand-in, address: 127.0.0.1}\n")
    desk.wrong(["off", "-a"], "@1:", "address", "twice",
               more="  n9: {class: stand-in, address: 127.0.0.1, address: 127.0.0.2}\n")


@test
def includes(lab):
    """a file to include that is not there, broken, or in a circle: its own name and place"""
    desk = Desk(lab)
    desk.wrong(["off", "-a"], "@1:11: ", "nix.yaml", more="include: [nix.yaml]\n")
    lab.write("config/powerctl/more.yaml", "nodes:\n  n9: {class: stand-in, adress: x}\n")
    desk.wrong(["off", "-a"], "more.yaml:2:25: ", "did you mean 'address'?",
               more="include: [more.yaml]\n")
    lab.write("config/powerctl/more.yaml", "include: [powerctl.yaml]\n")
    desk.wrong(["off", "-a"], "powerctl.yaml", more="include: [more.yaml]\n")


@test
def check_names_all(lab):
    """check names every mistake of the file, and asks no machine"""
    desk = Desk(lab)
    r = desk.wrong(["check"], "@1:", "@2:", "@3:",
                   more="  n7: {class: stand-in, adress: x}\n  n8: {driver: atm}\n"
                        "  n[1-2]: {class: stand-in, address: \"x[1-3]\"}\n")
    assert len(r.err.splitlines()) >= 3, r


@test
def other_drivers_interface(lab):
    """a mistake in console: {driver: ...} of a file that is right otherwise: check and set say it"""
    desk = Desk(lab)
    more = ('  n7: {driver: "null", console: {driver: ipmi, usrname: x}}\n'
            '  n8: {driver: "null", console: {driver: "null", console_print: x}}\n')
    good(lab.run("set", "tags=[x]", "a1"))
    desk.wrong(["check", "a1"], "@2:", "did you mean 'console_prints'?", "@1:",
               "did you mean 'username'?", more=more)
    r = lab.run("set", "tags=[x]", "n8")
    same(r.status, 2, r)
    has(r.err, "did you mean 'console_prints'?")
    # In maintenance its secrets are not asked for.
    lab.inventory('nodes: {m1: {driver: ipmi, address: 127.0.0.1, maintenance: "ticket 1",\n'
                  '  username: x, password_file: /nonexistent/secret}}\n')
    good(lab.run("check"), "m1: skipped: ticket 1")


# --- Secrets. --------------------------------------------------------------------------------


@test
def readable_secrets(lab):
    """a password file, or an inventory with one, that others can read: refused with the chmod"""
    desk = Desk(lab)
    secret = desk.fleet.secret
    for mode in (0o644, 0o604, 0o602):
        os.chmod(secret, mode)
        desk.wrong(["off", "-a"], secret, "chmod")
    os.chmod(secret, 0o640)
    good(lab.run("status", "a1"), "a1: on")
    os.chmod(secret, 0o600)
    desk.fleet.reset()
    os.unlink(secret)
    desk.wrong(["off", "-a"], secret)


@test
def empty_secrets(lab):
    """a password file that is a folder, empty, or endless; a command that fails or is missing"""
    desk = Desk(lab)
    empty = lab.write("secrets/empty", "")
    for credential, part in ((f"password_file: {lab.folder}", lab.folder),
                             (f"password_file: {empty}", "empty"),
                             ("password_command: [/bin/false]", "/bin/false"),
                             ("password_command: [/no/such/thing]", "/no/such/thing"),
                             ("password_env: NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE")):
        text = desk.base.replace(f"password_file: {desk.fleet.secret}", credential)
        assert text != desk.base
        desk.wrong(["off", "a1"], part, text=text)
    if os.path.exists("/dev/zero"):
        desk.wrong(["off", "a1"], "/dev/zero", text=desk.base.replace(
            f"password_file: {desk.fleet.secret}", "password_file: /dev/zero"))


@test
def hanging_secret(lab):
    """^C while a program for a password hangs: it is named"""
    slow = lab.write("slow", f"#!/bin/sh\n: >{lab.path('begun')}\nexec sleep 600\n", 0o755)
    lab.inventory(f'nodes:\n  n1: {{driver: "null", password_command: [{slow}]}}\n')
    for verb in ("status", "check"):
        proc = lab.start(verb, "n1", stdout=-1, stderr=-1, text=True)
        until("it hangs", lambda: os.path.exists(lab.path("begun")))
        proc.send_signal(signal.SIGINT)
        out, err = proc.communicate(timeout=PATIENCE)
        same((proc.returncode, out, err), (-signal.SIGINT, "", f"powerctl: interrupted while '{slow}' ran\n"), verb)
        os.unlink(lab.path("begun"))


@test
def secrets_as_arguments(lab):
    """a password in an argument or a URL is refused and not repeated"""
    desk = Desk(lab)
    word = "Vo1ubility"
    for words in (["status", f"amt://admin:{word}@127.0.0.1"], ["set", f"password={word}", "a1"],
                  ["add", "n9", "127.0.0.1", "--set", f"password={word}"],
                  ["status", f"amt://admin@127.0.0.1?password={word}"]):
        r = desk.wrong(words)
        assert word not in r.err, r


# --- The command line. -----------------------------------------------------------------------


@test
def unknown_verbs(lab):
    """unknown verbs, options and devices get the nearest right one"""
    desk = Desk(lab)
    for words, part in ((["ofg", "a1"], "did you mean 'off'?"),
                        (["rebot", "a1"], "did you mean 'reboot'?"),
                        (["off", "--yess", "a1"], "did you mean --yes?"),
                        (["boot", "pxf", "a1"], "did you mean 'pxe'?"),
                        (["boot", "a1", "pxe"], "powerctl boot pxe a1"),
                        (["a1", "off"], "powerctl off a1"),
                        (["power", "off", "a1"], "powerctl off a1\n"),
                        (["a1", "chassis", "power", "off"], "powerctl off a1\n"),
                        (["off", "--timeout", "5x", "a1"], "duration"),
                        (["off", "--timeout"], "--timeout"),
                        (["off", "--fanout", "0", "a1"], "fanout"),
                        (["off", "--fanout", "x", "a1"], "fanout"),
                        (["boot", "http", "a1"], "--url"),
                        (["pxeboot", "--url", "http://x/", "a1"], "url"),
                        (["wait", "offf", "a1"], "did you mean 'off'?"),
                        ([], "usage"), (["off"], "NODES")):
        desk.wrong(words, part)


@test
def unknown_nodes(lab):
    """unknown nodes, groups and tags get the nearest; of those that are known none is touched"""
    desk = Desk(lab)
    more = "  server7: {class: stand-in, address: 127.0.0.1}\ngroups: {rack: \"a[1-2]\"}\n"
    for words, part in ((["off", "sever7"], "did you mean 'server7'?"), (["off", "a[1-3]"], "a3"),
                        (["off", "a1", "b7"], "b7"), (["off", "@rakc"], "did you mean 'rack'?"),
                        (["off", "%nope"], "nope"), (["off", "a[1"], "bracket"),
                        (["off", "a[1-99999999999]"], "a[1-99999999999]"),
                        (["off", "a[1-1000][1-1000][1-1000]"], "2,000,000"), (["off", ""], ""),
                        (["off", "foo://127.0.0.1"], "foo"), (["off", "a1\nb"], ""),
                        (["off", "amt://127.0.0.1:99999"], "1 to 65535")):
        desk.wrong(words, part, more=more, env={"POWERCTL_PASSWORD": "not-tried"})


@test
def empty_selections(lab):
    """a selection that comes out empty is exit 2, not everything and not nothing done well"""
    desk = Desk(lab)
    more = "groups: {none: \"a1!a1\", gone: \"\"}\n"
    for verb in ("off", "status", "on", "pxeboot"):
        for nodes in (["@none"], ["a1!a[1-2]"], ["a1", "-x", "a1"], ["-a", "-x", "a[1-2]"],
                      ["a1&a2"], ["@gone"]):
            desk.wrong([verb, *nodes], "powerctl: ", more=more)
    lab.inventory(desk.base)
    r = lab.run("off", "-", stdin="\n\n")
    same((r.status, r.out), (2, ""), r)
    r = lab.run("off", "@failed")
    same((r.status, r.out), (2, ""), r)
    lab.inventory("nodes: {}\n")
    same(lab.run("off", "-a").status, 2)
    same(desk.fleet.totals()["requests"], 0)


@test
def guard(lab):
    """more machines than confirm_above, nobody to ask: refused, naming the words to add"""
    desk = Desk(lab)
    text = desk.base.replace("defaults:\n", "defaults:\n  confirm_above: 1\n")
    for verb in ("off", "reboot", "reset", "pxeboot", "cycle", "sleep", "nmi"):
        desk.wrong([verb, "-a"], "--yes", "2 nodes", text=text)
    good(lab.run("off", "--yes", "-a"), "a1: off", "a2: off")


# --- Plugins. --------------------------------------------------------------------------------


class Plugins:
    """A plugin folder of our own: the real amt, and odd ones."""

    def __init__(self, lab):
        self.desk = Desk(lab)
        self.folder = lab.path("plugins")
        shutil.copytree(os.path.join(BUILD, "plugins"), self.folder,
                        ignore=lambda d, names: [n for n in names if not n.endswith(".so")])
        odd = os.path.join(BUILD, "tests", "plugins")
        if not os.path.exists(os.path.join(odd, "fine.so")):
            skip("the odd plugins of tests/plugins are not built")
        for name in os.listdir(odd):
            if name.endswith(".so"):
                shutil.copy(os.path.join(odd, name), self.folder)
        os.chmod(self.folder, 0o755)
        # Where a plugin looks for the libraries it came with: beside its folder.
        os.symlink(os.path.join(BUILD, "lib"), lab.path("lib"))

    def more(self, driver):
        return f"  n9: {{driver: {driver}, address: 127.0.0.1}}\n"

    def refused(self, driver, *parts):
        """For its node and all others of the command; those alone are not bothered."""
        self.desk.wrong(["--plugin-dir", self.folder, "off", "n9", "a1"], "@1:", *parts,
                        more=self.more(driver))
        lab = self.desk.lab
        good(lab.run("--plugin-dir", self.folder, "status", "a1"), "a1: on")
        self.desk.fleet.reset()


@test
def plugin_missing(lab):
    """a plugin that is not there: the file that was looked for"""
    Plugins(lab).refused("martian", "martian.so")


@test
def plugin_wrong_abi(lab):
    """a plugin for another ABI: what it has and what is wanted"""
    Plugins(lab).refused("otherabi", "ABI 2", "has 1", "otherabi.so")


@test
def plugin_shorter(lab):
    """a plugin made for an older, shorter contract is taken; what it lacks is unsupported"""
    p = Plugins(lab)
    lab.inventory(p.desk.base + p.more("shorter"))
    good(lab.run("--plugin-dir", p.folder, "status", "n9", "a1"), "a1: on", "n9: on")
    r = lab.run("--plugin-dir", p.folder, "pxeboot", "n9")
    same(r.status, 1, r)
    has(r.out, "n9: error: unsupported: ")


@test
def plugin_too_short(lab):
    """a plugin whose struct is too short to be one, or that lacks what every driver has"""
    p = Plugins(lab)
    p.refused("tiny", "8 bytes")
    p.refused("noact", "get or act")


@test
def plugin_is_none(lab):
    """a library without the symbol, a text, an empty file, a folder: said to be no plugin"""
    p = Plugins(lab)
    p.refused("nosymbol", "pctl_driver")
    lab.write("plugins/text.so", "this is no library\n", 0o755)
    lab.write("plugins/empty.so", "", 0o755)
    os.mkdir(lab.path("plugins/folder.so"))
    for name in ("text", "empty", "folder"):
        p.refused(name, f"{name}.so")


@test
def plugin_cut(lab):
    """half of a good plugin is refused; powerctl lives"""
    p = Plugins(lab)
    with open(os.path.join(p.folder, "fine.so"), "rb") as f:
        half = f.read()
    with open(os.path.join(p.folder, "half.so"), "wb") as f:
        f.write(half[:len(half) // 2])
    p.refused("half", "half.so")


@test
def plugin_names(lab):
    """a driver's name is a name, not a path"""
    p = Plugins(lab)
    for name in ("../plugins/fine", "/etc/passwd", "fine.so", "."):
        lab.inventory(p.desk.base + f'  n9: {{driver: "{name}", address: 127.0.0.1}}\n')
        r = lab.run("--plugin-dir", p.folder, "status", "n9")
        same((r.status, r.out), (2, ""), r)


@test
def plugin_folder_open(lab):
    """a plugin folder or file that others can write to is not used, with the chmod that mends it"""
    p = Plugins(lab)
    os.chmod(p.folder, 0o777)
    p.desk.wrong(["--plugin-dir", p.folder, "off", "-a"], "writable by others", "chmod o-w")
    os.chmod(p.folder, 0o755)
    os.chmod(os.path.join(p.folder, "amt.so"), 0o757)
    p.desk.wrong(["--plugin-dir", p.folder, "off", "-a"], "writable by others", "chmod o-w")
    os.chmod(os.path.join(p.folder, "amt.so"), 0o755)
    good(lab.run("--plugin-dir", p.folder, "off", "-a"), "a1: off", "a2: off")


@test
def plugin_folder_missing(lab):
    """no plugin folder: its name is said"""
    desk = Desk(lab)
    desk.wrong(["--plugin-dir", lab.path("nowhere"), "off", "-a"], lab.path("nowhere"))


@test
def drivers_with_odd_ones(lab):
    """drivers lists the good ones and names the others with their reason"""
    p = Plugins(lab)
    r = lab.run("--plugin-dir", p.folder, "drivers")
    same(r.status, 0, r)
    for word in ("amt: ", "fine: ", "shorter: "):
        has(r.out, word)
    for word in ("otherabi", "noact", "nosymbol", "tiny"):
        has(r.err, f"driver {word} is refused: ")


@test
def unneeded_plugins_stay_out(lab):
    """list, show and help load no plugin at all; status only those of its nodes"""
    p = Plugins(lab)
    lab.inventory(p.desk.base + p.more("otherabi"))
    os.chmod(p.folder, 0o777)
    for words in (["list"], ["show", "a1"], ["help"]):
        same(lab.run("--plugin-dir", p.folder, *words).status, 0, words)
    os.chmod(p.folder, 0o755)
    good(lab.run("--plugin-dir", p.folder, "status", "a1"), "a1: on")


# --- Where nothing can be kept. --------------------------------------------------------------


@test
def unwritable_state(lab):
    """no place to keep facts and pins: it is done all the same or said; never a crash"""
    fleet = Fleet(lab)
    nowhere = lab.write("a-file", "x")
    r = lab.run("on", "a1", env={"XDG_CACHE_HOME": nowhere, "XDG_STATE_HOME": nowhere})
    assert r.status in (0, 1, 2), r
    same(fleet.device()["power_word"], "on" if r.status == 0 else "off", r)
    if r.status:
        has(r.out + r.err, nowhere)


@test
def no_home(lab):
    """without HOME and XDG folders an inventory by name still works"""
    fleet = Fleet(lab)
    env = {k: v for k, v in lab.env.items() if k != "HOME" and not k.startswith("XDG_")}
    # Root without these variables uses the machine's own folders, where pins of other tests may be.
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec",
               "for d in /var/lib /var/cache /run; do mount -t tmpfs tmpfs $d; done; exec \"$@\"",
               "sh"]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        skip("no folder can be mounted in a namespace of its own here")
    proc = subprocess.run([*private, os.path.join(BUILD, "bin", "powerctl"), "--inventory",
                           lab.inventory_path, "status", "a1"], env=env, capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    same((proc.returncode, proc.stdout, proc.stderr), (0, "a1: off\n", ""))
    same(fleet.counters()["r401_bad"], 0)


if __name__ == "__main__":
    main()
