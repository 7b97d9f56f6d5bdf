#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sources of an inventory: ClusterShell's groups, genders files, programs and their kept answers."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from lib import SOURCE, good, has, main, same, skip, test, took, until

NODES = '  n[1-8]: {driver: "null", address: a}\n'


def inventory(lab, sources, rest="nodes:\n" + NODES):
    lab.inventory(f"classes: {{c: {{driver: \"null\"}}}}\nsources:\n{sources}{rest}")


def refused(result, *parts):
    """Exit 2, nothing on stdout, each part on stderr."""
    same((result.status, result.out), (2, ""), result)
    for part in parts:
        has(result.err, part)
    return result


# --- Programs. ----------------------------------------------------------------------------------

class Program:
    """A script whose answer, status and duration a test sets; it counts its runs."""

    def __init__(self, lab, every="1h", name="site-nodes", more=""):
        self.lab = lab
        self.path = lab.write(f"config/powerctl/{name}", f"""#!/bin/sh
cd {lab.folder}
echo x >>runs
. ./how
cat answer
""", 0o700)
        self.how(":")
        inventory(lab, f"  - {{command: [./{name}], every: {every}{more}}}\n")

    def how(self, script):
        self.lab.write("how", script + "\n")

    def answers(self, text):
        self.lab.write("answer", text)

    @property
    def runs(self):
        path = self.lab.path("runs")
        return len(self.lab.read("runs").split()) if os.path.exists(path) else 0

    @property
    def kept(self):
        """The one file that holds the answer."""
        found = [p for p in glob.glob(self.lab.path("cache", "powerctl", "sources", "*"))
                 if "." not in os.path.basename(p)]
        same(len(found), 1, found)
        return found[0]

    def age(self, seconds):
        """As if it had been answered, and had failed, that long ago."""
        for path in glob.glob(self.lab.path("cache", "powerctl", "sources", "*")):
            os.utime(path, (time.time() - seconds,) * 2)


ANSWER = """
nodes:
  c[1-3]: {class: c, address: "10.0.0.[1-3]"}
groups:
  rack: c[1-2]
"""


@test
def program(lab):
    """a program's nodes and groups; it runs once in the time given"""
    site = Program(lab)
    site.answers(ANSWER)
    good(lab.run("list", "c2", "n1"), "c2: null 10.0.0.2", "n1: null a")
    good(lab.run("status", "@rack"), "c1: off", "c2: off")
    same(lab.run("expand", "@rack!c1").out, "c2\n")
    same(site.runs, 1)
    site.age(3599 - 60)
    good(lab.run("list", "c1"), "c1: null 10.0.0.1")
    same(site.runs, 1)
    site.age(3601)
    site.answers(ANSWER.replace("c[1-3]", "d[1-3]").replace("c[1-2]", "d1"))
    good(lab.run("list", "@rack"), "d1: null 10.0.0.1")
    same(site.runs, 2)
    same(os.stat(site.kept).st_mode & 0o777, 0o600)


@test
def json_answer(lab):
    """an answer in JSON"""
    site = Program(lab, every="0")
    tree = {"nodes": {f"c{i}": {"driver": "null", "address": "10.0.0.1", "tags": ["a/ä", "b"],
                                 "maintenance": None, "class": None}
                      for i in range(100)}, "groups": {"g": ["c1"]}}
    for text in (json.dumps(tree, indent=1), json.dumps(tree, indent="\t"),
                 json.dumps(tree, separators=(",", ":")), json.dumps(tree, ensure_ascii=False),
                 json.dumps(tree).replace("/", "\\/")):
        site.answers(text)
        good(lab.run("list", "@g"), "c1: null 10.0.0.1 %a/ä,%b")


@test
def files_hold(lab):
    """what a file says holds over every source"""
    site = Program(lab)
    site.answers(ANSWER + "  g: c1\nclasses: {c: {driver: other}, k: {driver: \"null\"}}\n")
    lab.inventory(lab.read("config/powerctl/powerctl.yaml") +
                  "  c2: {maintenance: why, address: b}\n  c3: {class: k}\ngroups: {g: n1}\n")
    good(lab.run("list", "c[1-3]"), "c1: null 10.0.0.1", "c2: null b (maintenance: why)",
         "c3: null 10.0.0.3")
    good(lab.run("list", "@g"), "n1: null a")


@test
def kept_when_it_fails(lab):
    """a failure is said with the age of the answer that is used, and is not tried at once again"""
    site = Program(lab, every="60s")
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    for age, words in ((90, "90 s"), (3 * 60, "3 min"), (3 * 3600, "3 h"), (4 * 86400, "4 days")):
        site.how("echo no database >&2; echo more >&2; exit 3")
        site.age(age)
        r = good(lab.run("status", "@rack"), "c1: off", "c2: off")
        same(r.err, f"powerctl: source 'site-nodes': '{site.path}' failed with exit status 3: "
             f"no database; using its answer of {words} ago\n")
    same(site.runs, 5)
    has(lab.run("list").err, "no database; using its answer of 4 days ago")
    same(site.runs, 5)
    same(lab.run("-q", "list").err, "")
    site.how(":")
    site.age(61)
    same(lab.run("list").err, "")
    same(site.runs, 6)
    same(glob.glob(site.kept + ".failed"), [])


@test
def failures_without_answer(lab):
    """what cannot be used without a kept answer: exit 2, with the place"""
    site = Program(lab)
    where = lab.inventory_path + ":3:5: source 'site-nodes': "
    for how, what in (
            ("echo why >&2; exit 3", "failed with exit status 3: why"),
            ("kill -9 $$", "was killed by signal 9 (Killed)"),
            ("exit 1", "failed with exit status 1\n")):
        site.answers(ANSWER)
        site.how(how)
        refused(lab.run("list"), where, what)
    os.chmod(site.path, 0o600)
    refused(lab.run("list"), where, "cannot run", "Permission denied")
    os.remove(site.path)
    refused(lab.run("list"), where, "No such file")


@test
def wrong_answers(lab):
    """every mistake in an answer is at its place, and the answer is not kept"""
    site = Program(lab)
    for answer, *parts in (
            ("", "source 'site-nodes':1:1: it printed nothing"),
            ("- a\n", "source 'site-nodes':1:1: what it prints is a map"),
            ("{}\n", "source 'site-nodes':1:1: what it prints has no node, no group and no class"),
            ("nodes: {}\ngroups:\nclasses: {}\n", "1:1: what it prints has no node, no group"),
            ("nodes: {c1: {class: c}\n", "source 'site-nodes':1:8: this '{' is never closed"),
            ("node: {}\n", "source 'site-nodes':1:1: unknown key 'node'; did you mean 'nodes'?"),
            ("nodes:\n  c[1-3: {}\n  c2: {adress: x, tags: a}\n",
             "source 'site-nodes':2:3: 'c[1-3'", "source 'site-nodes':3:25: tags: a list"),
            ("nodes: {\"c[1-2]\": {address: \"a[1-3]\"}}\n", "must name equally many"),
            ("include: x\n", "source 'site-nodes':1:1: unknown key 'include'"),
            ("sources: []\n", "source 'site-nodes':1:1: unknown key 'sources'"),
            ("credentials: {x: {password: y}}\n", "unknown key 'credentials'"),
            ("nodes:\n  c1: {password: x}\n", "2:8: 'password': a source cannot hold or fetch"),
            ("nodes:\n  c1: {console: {password_file: x}}\n", "2:18: 'password_file': a source"),
            ("nodes:\n  c1: {kg_env: x}\n", "2:8: 'kg_env': a source cannot hold"),
            ("classes:\n  k: {token_command: [x]}\n", "2:7: 'token_command': a source cannot have"),
            ("nodes:\n  c1: {ready: {command: [x]}}\n", "2:16: 'command': a source cannot have")):
        site.answers(answer)
        refused(lab.run("list"), *parts)
    # What only the whole inventory can tell.
    site.answers("nodes:\n  c1: {class: kk, credential: x}\n")
    refused(lab.run("list"), "source 'site-nodes':2:15: unknown class 'kk'",
            "source 'site-nodes':2:31: unknown credential 'x'")


@test
def kept_when_the_whole_has_mistakes(lab):
    """an answer with which the whole inventory has more mistakes than with the last good one"""
    site = Program(lab)
    site.answers(ANSWER + "classes: {k: {class: c}}\n")
    lab.inventory(lab.read("config/powerctl/powerctl.yaml") + "  f1: {class: k}\n")
    same(lab.run("list").status, 0)
    kept = lab.read(site.kept)
    for answer, what in (
            (ANSWER.replace("class: c", "class: nix") + "classes: {k: {class: c}}\n",
             "3:19: unknown class 'nix'"),
            (ANSWER.replace("class: c", "credential: x") + "classes: {k: {class: c}}\n",
             "3:24: unknown credential 'x'"),
            (ANSWER, f"{lab.inventory_path}:6:15: unknown class 'k'")):
        site.age(4000)
        site.answers(answer)
        runs = site.runs
        for command in (("list", "c1"), ("list", "c1"), ("check", "c1")):
            r = lab.run(*command)
            same(r.status, 0, r)
            has(r.err, f"powerctl: source 'site-nodes': {what}; using its answer of 66 min ago\n")
        same(site.runs, runs + 2)  # list, and check
        same(lab.read(site.kept), kept)
    site.age(4000)
    site.answers(ANSWER.replace("c[1-3]", "d[1-3]").replace("c[1-2]", "d1") + "classes: {k: {}}\n")
    same(good(lab.run("list", "d1"), "d1: null 10.0.0.1").err, "")


@test
def one_of_two_is_to_blame(lab):
    """of two programs only the one whose answer is wrong falls back; mistakes of a file blame none"""
    site = Program(lab, name="other")
    site.answers("nodes: {o1: {class: c}}\n")
    lab.write("config/powerctl/more", "#!/bin/sh\necho x >>%s\ncat %s\n" %
              (lab.path("more-runs"), lab.path("more")), 0o700)
    lab.write("more", "nodes: {m1: {class: c}}\n")
    inventory(lab, "  - {command: [./other], every: 1h}\n  - {command: [./more], every: 1h}\n")
    same(lab.run("list").status, 0)
    site.age(4000)
    site.answers("nodes: {o1: {class: nix}}\n")
    lab.write("more", "nodes: {m2: {class: c}}\n")
    r = good(lab.run("list", "o1,m2"), "o1: null -", "m2: null -")
    same(r.err, "powerctl: source 'other': 1:21: unknown class 'nix'; using its answer of 66 min ago\n")
    site.age(4000)
    site.answers("nodes: {o2: {class: c}}\n")
    inventory(lab, "  - {command: [./other], every: 1h}\n", "nodes:\n  n1: {class: nix}\n")
    r = refused(lab.run("list"), "yaml:5:15: unknown class 'nix'")
    same(len(r.err.splitlines()), 1, r)
    inventory(lab, "  - {command: [./other], every: 1h}\n")
    runs = site.runs
    good(lab.run("list", "o2"), "o2: null -")
    same(site.runs, runs)


@test
def nothing_is_no_answer(lab):
    """an answer without anything takes no nodes away"""
    site = Program(lab)
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    site.age(4000)
    site.answers("{}\n")
    has(good(lab.run("list", "c1"), "c1: null 10.0.0.1").err, "1:1: what it prints has no node")


@test
def first_answer_is_wrong(lab):
    """without one before it is an error each time, and nothing is kept"""
    site = Program(lab)
    site.answers(ANSWER.replace("class: c", "class: nix"))
    for runs in (1, 2):
        refused(lab.run("list", "n1"), "source 'site-nodes':3:19: unknown class 'nix'")
        same(site.runs, runs)
    site.answers(ANSWER)
    good(lab.run("list", "c1"), "c1: null 10.0.0.1")


@test
def garbage(lab):
    """bytes that are no text, or far too many of them"""
    site = Program(lab)
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    for how in ("head -c 100000 /dev/urandom; exit 0", "printf 'nodes: {c1: {tags: [\"\\0\"]}}'; exit 0"):
        site.age(4000)
        site.how(how)
        r = good(lab.run("list", "c1"), "c1: null 10.0.0.1")
        has(r.err, "; using its answer of 66 min ago\n")
        same(len(r.err.splitlines()), 1, r)
    site.age(4000)
    site.how("exec yes")
    with took(most=30):
        r = good(lab.run("list", "c1"), "c1: null 10.0.0.1")
    has(r.err, "printed more than 67108864 bytes; using its answer of 66 min ago\n")


@test
def check_asks_anew(lab):
    """check runs the program whatever is kept, and says what each source gave"""
    site = Program(lab)
    site.answers(ANSWER)
    r = good(lab.run("check", "c1"), "c1: off")
    has(r.err, "powerctl: source 'site-nodes': 3 nodes, 1 group, 0 s old\n")
    same(lab.run("check", "c1").status, 0)
    same(site.runs, 2)
    site.age(600)
    r = lab.run("list", "-v", "c1")
    has(r.err, "powerctl: source 'site-nodes': 3 nodes, 1 group, 10 min old\n")
    same(lab.run("list", "c1").err, "")
    same(site.runs, 2)


@test
def two_at_once(lab):
    """two commands at the same time ask once"""
    site = Program(lab)
    site.answers(ANSWER)
    site.how("echo x >>started; while [ ! -e go ]; do read -r line <fifo; done")
    os.mkfifo(lab.path("fifo"))
    first = lab.start("list", "c1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("it runs", lambda: os.path.exists(lab.path("started")))
    second = lab.start("list", "c2", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until("it waits", lambda: waits_for_lock(second.pid))
    lab.write("go", "")
    lab.write("fifo", "x\n")
    same(first.communicate()[0], "c1: null 10.0.0.1\n")
    same(second.communicate()[0], "c2: null 10.0.0.2\n")
    same(site.runs, 1)


def waits_for_lock(pid):
    with open("/proc/locks", encoding="ascii") as f:
        return any("->" in line and f" {pid} " in line for line in f)


@test
def interrupted(lab):
    """^C ends powerctl and the program that it waits for"""
    site = Program(lab)
    os.mkfifo(lab.path("fifo"))
    site.how("echo $$ >pid; exec cat fifo")
    site.answers(ANSWER)
    t = lab.terminal("list")
    pid = int(until("it runs", lambda: os.path.exists(lab.path("pid")) and lab.read("pid")))
    with took(most=20):  # not the 30 s that the program has
        t.send("\x03")
        same(t.end(), 128 + signal.SIGINT)
        until("the program is gone", lambda: not os.path.exists(f"/proc/{pid}"))


@test
def slow(lab):
    """a program has 30 seconds, then it is killed with its children"""
    site = Program(lab, every="2m")
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    site.age(130)
    os.mkfifo(lab.path("fifo"))
    site.how("cat fifo")
    with took(least=29, most=50):
        r = lab.run("list", "c1")
    good(r, "c1: null 10.0.0.1")
    has(r.err, "did not end within 30 s and was killed; using its answer of 2 min ago")
    with took(most=20):
        has(lab.run("list", "c1").err, "did not end within 30 s")


@test
def cache_that_cannot_be_used(lab):
    """without a cache folder the program runs every time; a damaged or foreign file does not count"""
    site = Program(lab)
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    with open(site.kept, "r+b") as f:
        f.seek(-5, os.SEEK_END)
        f.write(b"c9")
    good(lab.run("list", "c1"), "c1: null 10.0.0.1")
    same(site.runs, 2)
    os.chmod(site.kept, 0o666)
    good(lab.run("list", "c1"), "c1: null 10.0.0.1")
    same(site.runs, 3)
    shutil.rmtree(lab.path("cache"))
    lab.write("cache", "not a folder")
    for runs in (4, 5):
        good(lab.run("list", "c1"), "c1: null 10.0.0.1")
        same(site.runs, runs)
    site.how("exit 1")
    refused(lab.run("list"), "failed with exit status 1")
    os.remove(lab.path("cache"))


@test
def editing(lab):
    """rm says where a node comes from; set writes into the inventory; the program runs once for all"""
    site = Program(lab)
    site.answers(ANSWER)
    same(lab.run("list").status, 0)
    site.age(10 * 3600)
    before = site.runs
    r = lab.run("rm", "c1")
    same(r.status, 1, r)
    has(r.err, "source 'site-nodes':3:3: 'c1' comes from source 'site-nodes'; take it away there")
    same(lab.run("set", "maintenance=PSU", "c2").status, 0)
    has(lab.read("config/powerctl/powerctl.yaml"), "  c2: {maintenance: PSU}\n")
    good(lab.run("list", "c2"), "c2: null 10.0.0.2 (maintenance: PSU)")
    r = lab.run("add", "c3", "10.0.0.3", "--driver", "null")
    has(r.err, "c3 is in ")
    same(site.runs, before + 1)


@test
def strangers(lab):
    """a group that names more than the inventory has is a mistake for who selects it only"""
    site = Program(lab)
    site.answers(ANSWER + "  all: c[1-3],sw[1-2],zz\n  bad: c[1-\n  round: '@round'\n")
    lab.inventory(lab.read("config/powerctl/powerctl.yaml") + 'groups: {mine: "@all"}\n')
    good(lab.run("list", "@rack"), "c1: null 10.0.0.1", "c2: null 10.0.0.2")
    for word, group in (("@all", "all"), ("@mine", "all"), ("n1,@all", "all")):
        refused(lab.run("status", word),
                f"source 'site-nodes':6:3: group '{group}' names sw[1-2],zz, which the inventory "
                "does not have")
    refused(lab.run("status", "@all", "-x", "zz"), "names sw[1-2], which")
    good(lab.run("list", "@all", "-x", "sw[1-2],zz"),
         *(f"c{i}: null 10.0.0.{i}" for i in (1, 2, 3)))
    good(lab.run("list", "@all!sw[1-2]!zz&c1"), "c1: null 10.0.0.1")
    good(lab.run("list", "n1", "-x", "@all"), "n1: null a")
    same(lab.run("expand", "@all").out.split(), ["c1", "c2", "c3", "sw1", "sw2", "zz"])
    refused(lab.run("list", "sw1"), "names sw1, which the inventory does not have")
    refused(lab.run("list", "@bad"), "source 'site-nodes':7:3: group 'bad': ")
    refused(lab.run("list", "@round"), "comes back to itself")
    site = Program(lab, more=", only_known: true")
    good(lab.run("list", "@all"), *(f"c{i}: null 10.0.0.{i}" for i in (1, 2, 3)))


@test
def mistakes(lab):
    """mistakes in sources: itself"""
    for sources, part in (
            ("  - {}\n", ":3:5: a source has one of these keys: clustershell, genders, command"),
            ("  - {genders: a, command: [b]}\n", ":3:5: a source is one of genders and command"),
            ("  - {comand: [x]}\n", ":3:6: unknown key 'comand'; did you mean 'command'?"),
            ("  - {command: []}\n", ":3:15: command: the name of a program is missing here"),
            ("  - {command: x}\n", ":3:15: command: a list, [one, two], is wanted here"),
            ("  - {command: [x], every: often}\n", ":3:27: every: a duration is wanted here"),
            ("  - {genders: gone}\n", f":3:15: {lab.path('config/powerctl/gone')}: cannot open it"),
            ("  - {clustershell: gone}\n", ":3:20: there is no "),
            ("  - {genders: x, every: 1m}\n", ":3:18: 'every' belongs to a source with 'command:'"),
            ("  - {command: [x], address: a}\n", ":3:20: 'address' belongs to a source with"),
            ("  - {genders: x, nodes: maybe}\n", ":3:25: nodes: true or false is wanted here"),
            ("  - text\n", ":3:5: sources: a map, {key: value}, is wanted here"),
            ("  genders: x\n", ":3:3: sources: a list of maps, [{key: value}], is wanted here")):
        inventory(lab, sources)
        refused(lab.run("list"), part)


@test
def typo_before_it_runs(lab):
    """a source whose keys have a mistake is not asked"""
    site = Program(lab, more=", evry: 2m")
    site.answers(ANSWER)
    r = refused(lab.run("list"), "unknown key 'evry'; did you mean 'every'?")
    same((site.runs, len(r.err.splitlines())), (0, 1), r)


@test
def unknown_members(lab):
    """what a group of the inventory names in vain is one line"""
    lab.inventory("nodes: {\"n[1-3]\": {driver: \"null\"}}\ngroups:\n  a: n[1-9]\n")
    r = refused(lab.run("list"), "yaml:3:6: group 'a': 6 unknown nodes: n[4-9]\n")
    same(len(r.err.splitlines()), 1, r)


@test
def rivals(lab):
    """a group of two sources is a mistake for who selects it, until a file has it"""
    lab.write("config/powerctl/a", "n[1-2] web\n")
    lab.write("config/powerctl/b", "n3 web,other\n")
    inventory(lab, "  - {genders: a}\n  - {genders: b}\n")
    good(lab.run("list", "@other"), "n3: null a")
    refused(lab.run("list", "@web"), "group 'web' is in source 'a' and in source 'b'; write it")
    lab.inventory(lab.read("config/powerctl/powerctl.yaml") + "groups: {web: n4}\n")
    good(lab.run("list", "@web"), "n4: null a")


# --- genders. -----------------------------------------------------------------------------------

GENDERS = """# a cluster
n[1-4],n7   compute,bmc=%n-bmc,rack=r1   # four and one
n[5-6]	compute,bmc=x-%n,rack=r2,ratio=1%%,eq=a=b

   n8 login,bmc=10.0.0.8
n8 rack=r2
m[01-02],m1 mgmt
n1 login
n9
"""


@test
def genders(lab):
    """attributes are groups; given a mapping, they are settings as well"""
    lab.write("config/powerctl/genders", GENDERS)
    inventory(lab, "  - {genders: genders}\n", "nodes:\n" + NODES)
    same(lab.run("expand", "@compute").out.split(), ["n1", "n2", "n3", "n4", "n7", "n5", "n6"])
    same(lab.run("fold", "@rack=r2").out, "n[5-6,8]\n")
    same(lab.run("fold", "@mgmt").out, "m[1,01-02]\n")
    same(lab.run("fold", "@eq=a=b").out, "n[5-6]\n")
    refused(lab.run("status", "@mgmt"), "genders:7:13: group 'mgmt' names m[1,01-02], which")
    good(lab.run("list", "@login"), "n1: null a", "n8: null a")
    inventory(lab, "  - {genders: genders, address: bmc}\n",
              'nodes:\n  n[1-9]: {driver: "null"}\n')
    good(lab.run("list", "n[1,5-9]"), "n1: null n1-bmc", "n5: null x-n5", "n6: null x-n6",
         "n7: null n7-bmc", "n8: null 10.0.0.8", "n9: null -")
    good(lab.run("list", "m[01-02]"), "m01: - -", "m02: - -")
    refused(lab.run("list", "@bmc=10.0.0.8"), "unknown group")


@test
def genders_of_the_manual(lab):
    """the example of powerctl.yaml(5) works as it stands there"""
    with open(os.path.join(SOURCE, "cli/powerctl.yaml.5.scd"), encoding="utf-8") as f:
        example = re.search(r"^```\n(n\[1-4\] .*?)^```", f.read(), re.M | re.S)
    lab.write("config/powerctl/genders", example.group(1))
    inventory(lab, "  - {genders: genders, address: bmc, class: hw}\n",
              'nodes: {"n[1-4]": {class: nuc}}\n')
    lab.inventory(lab.read("config/powerctl/powerctl.yaml")
                  .replace("c: {driver", "nuc: {driver"))
    good(lab.run("list"), *(f"n{i}: null n{i}-bmc" for i in (1, 2, 3, 4)), "m1: null 10.0.0.9")


@test
def genders_mistakes(lab):
    """lines that are none, all of them with their places"""
    lab.write("config/powerctl/genders", """n1 a, b
n2 a=
n3 =x
n4 a,,b
n[5 a
n6, a
n7 a="x
n8 "q=a b,c",ok
n9 x!
@x y
""")
    inventory(lab, "  - {genders: genders}\n")
    r = refused(lab.run("list"), *(f"genders:{place}: " for place in (
        "1:6", "2:4", "3:4", "4:6", "5:1", "6:4", "7:4", "10:1")))
    same(len(r.err.splitlines()), 8, r)


def nodeattr(path, *args):
    program = shutil.which("nodeattr")
    if not program:
        skip("no nodeattr here (apt-get install genders)")
    done = subprocess.run([program, "-f", path, *args], text=True, capture_output=True, check=False)
    same((done.returncode, done.stderr), (0, ""), args)
    return done.stdout.split()


@test
def genders_as_nodeattr(lab):
    """every attribute, with and without its values, as nodeattr has it"""
    path = lab.write("config/powerctl/genders", GENDERS)
    inventory(lab, "  - {genders: genders}\n")
    attributes = nodeattr(path, "-l")
    same(sorted(attributes), sorted("compute bmc rack ratio eq login mgmt".split()))
    for one in attributes:
        same(sorted(lab.run("expand", f"@{one}").out.split()), sorted(nodeattr(path, "-n", one)), one)
        for value in nodeattr(path, "-VU", one):
            group = f"{one}={value}"
            wanted = sorted(nodeattr(path, "-n", group))
            r = lab.run("expand", f"@{group}")
            if one != "bmc" and "%" not in value:  # what %n stands for is no group
                same(sorted(r.out.split()), wanted, group)


# --- ClusterShell. ------------------------------------------------------------------------------

YAML = """# groups
roles:
  adm: example0
  compute: 'n[1-4]'
  io: [n5, 'n[6-7]']
  all: '@adm,@compute,@io'
  most: '@*!@adm'
racks:
  r1: 'n[1-2],sw1'
  r2: 'n[3-4]'
  'both': '@r[1-2]'
  other: '@roles:io!n7,n8 sw2'
"""
FLAT = "adm: n1\nweb: n[2-3]\nweb: n4\nall: @web,@adm\n# x: n5\n"
LOCAL = """
[local]
map: [ -f $CFGDIR/groups ] && f=$CFGDIR/groups || f=$CFGDIR/groups.d/local.cfg; sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $f
all: [ -f $CFGDIR/groups ] && f=$CFGDIR/groups || f=$CFGDIR/groups.d/local.cfg; sed -n 's/^all:\\(.*\\)/\\1/p' $f
list: [ -f $CFGDIR/groups ] && f=$CFGDIR/groups || f=$CFGDIR/groups.d/local.cfg; sed -n 's/^\\([0-9A-Za-z_-]*\\):.*/\\1/p' $f
"""
OLD = """
[old]
map: sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $CFGDIR/old.groups
list: sed -n 's/^\\([0-9A-Za-z_-]*\\):.*/\\1/p' $CFGDIR/old.groups
"""
CONF = "[Main]\nconfdir: $CFGDIR/groups.conf.d\n  /none/such\nautodir: $CFGDIR/groups.d\n"
EXTERNAL = "[slurm,queue]\nmap: sinfo -h -o %N -p $GROUP\nlist: sinfo -h -o %R\n"


def nodeset(env, *args):
    """What the real one prints, split into words."""
    call = ("import sys; sys.path.append('/usr/lib/python3/dist-packages'); "
            "from ClusterShell.CLI.Nodeset import main; main()")
    done = subprocess.run([sys.executable, "-c", call, *args], env=env, text=True,
                          capture_output=True, check=False)
    if "No module named" in done.stderr:
        skip(f"no python3-clustershell here: {done.stderr.splitlines()[-1]}")
    same((done.returncode, done.stderr), (0, ""), args)
    return done.stdout.split()


def compare(lab, least, env=None):
    """Every group that the real nodeset lists: the same members."""
    env = {**lab.env, **(env or {})}
    groups = nodeset(env, "-LL")
    names = [word.rstrip(":") for word in groups if word.startswith("@")]
    assert len(names) >= least, groups
    for name in names:
        wanted = sorted(nodeset(env, "-S", "\n", "-e", name))
        r = lab.run("expand", name, env=env)
        same((r.status, sorted(r.out.split())), (0, wanted), (name, r))
    return names


def folder(lab, name, files):
    for path, text in files.items():
        lab.write(f"{name}/{path}", text)
    return {"CLUSTERSHELL_CFGDIR": lab.path(name)}


@test
def clustershell_yaml(lab):
    """YAML sources, as nodeset has them, with a default source"""
    env = folder(lab, "cs", {"groups.conf": CONF + "default: racks\n", "groups.d/a.yaml": YAML,
                             "groups.d/b.yaml": "third: {x: n8}\n"})
    inventory(lab, "  - {clustershell: true}\n")
    names = compare(lab, 5, env)
    for name in ("@roles:all", "@roles:most", "@racks:both", "@third:x", "@both"):
        same(sorted(lab.run("expand", name, env=env).out.split()),
             sorted(nodeset({**lab.env, **env}, "-S", "\n", "-e", name)), name)
    assert "@both" in names, names
    refused(lab.run("status", "@r1", env=env), "cs/groups.d/a.yaml:9:3: group 'racks:r1' names sw1")
    same(lab.run("list", "-v", "n1", env=env).err,
         "powerctl: source 'clustershell': 10 groups\n")


@test
def clustershell_flat(lab):
    """the sources that ClusterShell ships are read, not run; other commands are not run at all"""
    env = folder(lab, "cs", {"groups.conf": CONF + "default: local\n" + LOCAL + EXTERNAL,
                             "groups.d/local.cfg": FLAT, "groups.conf.d/old.conf": OLD,
                             "groups.conf.d/old.groups": "web: n8\n"})
    inventory(lab, "  - {clustershell: true}\n")
    lab.write("cs/groups.conf", CONF + "default: local\n" + LOCAL)
    same(sorted(compare(lab, 3, env)), ["@adm", "@all", "@old:web", "@web"])
    lab.write("cs/groups.conf", CONF + "default: local\n" + LOCAL + EXTERNAL)
    same(lab.run("expand", "@old:web", env=env).out.split(),
         nodeset({**lab.env, **env}, "-e", "@old:web"))
    lab.write("cs/groups", "web: n7\n")
    same(lab.run("expand", "@web", env=env).out.split(), nodeset({**lab.env, **env}, "-e", "@web"))
    refused(lab.run("list", "@slurm:debug", env=env),
            "unknown group 'slurm:debug'; the groups of 'slurm' come from a shell command")
    has(lab.run("list", "-v", "n1", env=env).err,
        "; the groups of queue,slurm come from shell commands, which are not run\n")
    same(lab.run("list", "n1", env=env).err, "")
    lab.write("cs/groups.conf", "[Main]\ndefault: slurm\n" + EXTERNAL)
    refused(lab.run("list", "@debug", env=env), "the groups of 'slurm' come from a shell command")


@test
def clustershell_commands_never_run(lab):
    """whatever stands in a map, nothing of it is run"""
    mark = lab.path("mark")
    maps = [f"touch {mark}", f"sed -n 's/^$GROUP:\\(.*\\)/\\1/p' /dev/null; touch {mark}",
            f"sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $(touch {mark})",
            f"touch {mark}; sed -n 's/^$GROUP:\\(.*\\)/\\1/p' /dev/null",
            f"[ -f a ] && f=a || f=b; touch {mark}; sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $f"]
    conf = "".join(f"[s{i}]\nmap: {m}\n" for i, m in enumerate(maps))
    env = folder(lab, "cs", {"groups.conf": conf})
    inventory(lab, "  - {clustershell: true}\n")
    has(lab.run("list", "-v", env=env).err, "the groups of s[0-4] come from shell commands")
    refused(lab.run("list", "@s1:x", env=env), "unknown group")
    assert not os.path.exists(mark)


@test
def clustershell_folders(lab):
    """the folders where the library looks, the later over the earlier"""
    lab.write("home/.local/etc/clustershell/groups.conf", CONF + "default: b\n")
    lab.write("home/.local/etc/clustershell/groups.d/a.yaml", "a: {x: n1}\nb: {y: n2}\n")
    inventory(lab, "  - {clustershell: true}\n")
    same(sorted(compare(lab, 2)), ["@a:x", "@y"])
    lab.write("config/clustershell/groups.conf", "[Main]\nautodir: $CFGDIR/d\n")
    lab.write("config/clustershell/d/a.yaml", "b: {z: n3}\n")
    same(compare(lab, 1), ["@z"])  # default of one, autodir of the other
    env = folder(lab, "cs", {"groups.conf": "[Main]\ndefault:\nautodir: \"$CFGDIR/with blank\"\n",
                             "with blank/g.yaml": "c: {w: n4}\n"})
    same(compare(lab, 1, env), ["@w"])


@test
def clustershell_paths(lab):
    """a file or a folder by name"""
    lab.write("config/powerctl/cs/groups.d/a.yaml", YAML)
    lab.write("config/powerctl/cs/groups.conf", CONF)
    lab.write("config/powerctl/flat.cfg", FLAT)
    for path, group, wanted in (("cs", "@racks:r2", "n3 n4"), ("cs/groups.d", "@racks:r2", "n3 n4"),
                                ("cs/groups.d/a.yaml", "@io", "n5 n6 n7"),
                                ("cs/groups.conf", "@io", "n5 n6 n7"),
                                ("flat.cfg", "@web", "n2 n3 n4"), ("flat.cfg", "@local:adm", "n1")):
        inventory(lab, f"  - {{clustershell: {path}}}\n")
        same(lab.run("expand", group).out.split(), wanted.split(), (path, group))
    inventory(lab, "  - {clustershell: false}\n")
    same(lab.run("list", "n1").status, 0)


@test
def check_names_broken_groups(lab):
    """check names every group of a source that cannot be expanded, each with its place once"""
    inventory(lab, "  - {clustershell: cs}\n")
    path = lab.write("config/powerctl/cs/b5.yaml",
                     "roles:\n  a: n[1-\n  b: n1\n  c: '@a'\n  d: '@nix'\n")
    lab.write("config/powerctl/cs/groups.conf", "[Main]\nautodir: $CFGDIR\ndefault: roles\n")
    r = refused(lab.run("list", "@a"), f"powerctl: '@a': {path}:2:3: group 'roles:a': this bracket")
    same(r.err.count("b5.yaml"), 1, r)
    good(lab.run("list", "@b"), "n1: null a")
    r = refused(lab.run("check"), "source 'cs': 4 groups\n",
                f"powerctl: {path}:2:3: group 'roles:a': this bracket is never closed",
                f"powerctl: {path}:5:3: group 'roles:d': unknown group 'roles:nix'")
    same(r.err.count("b5.yaml"), 2, r)


@test
def clustershell_mistakes(lab):
    """what ClusterShell cannot read either is a mistake"""
    inventory(lab, "  - {clustershell: cs}\n")
    for text, part in (("roles: [a]\n", ":1:1: the group source 'roles' is a map"),
                       ("roles: {a: {b: c}}\n", ":1:12: the group 'a' is a text or a list"),
                       ("- a\n", ":1:1: a file of groups is a map"),
                       ("roles: {a: b\n", ":1:8: this '{' is never closed")):
        lab.write("config/powerctl/cs/a.yaml", text)
        refused(lab.run("list"), "cs/a.yaml" + part)
    lab.write("config/powerctl/cs/a.yaml", "roles: {'a b': n1, ok: n1}\n")
    has(lab.run("list", "-v").err, "1 group is left out, whose names have more than")
    lab.write("config/powerctl/cs/b.yaml", "roles: {x: n1}\n")
    refused(lab.run("list"), "b.yaml:1:1: ClusterShell has two group sources 'roles'")
    lab.write("config/powerctl/cs/groups.conf", "[Main]\ndefault: gone\nfoo\n[x\n")
    refused(lab.run("list"), "groups.conf:2:9: ClusterShell has no group source 'gone'",
            "groups.conf:3:1: this is neither", "groups.conf:4:1: this '[' is never closed")


main()
