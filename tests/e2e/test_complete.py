#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion: what `powerctl complete` offers, and that bash, zsh and fish make of it what a person wants."""
import os
import re
import shutil
import subprocess

from kitlib import Copy
from lib import POWERCTL, Terminal, has, main, same, skip, test

INVENTORY = """
credentials: {nucs: {username: admin, password_env: X}}
classes: {nuc: {driver: amt, credential: nucs}}
nodes:
  nuc[1-8]: {class: nuc, address: "10.0.0.[11-18]", tags: [lab]}
  c[001-400]: {driver: "null", address: "c[001-400]-bmc"}
groups: {rack1: "c[001-040]"}
"""


def complete(lab, *words):
    """The words offered; nothing is ever complained of."""
    result = lab.run("complete", *words)
    same((result.status, result.err), (0, ""), result)
    return [line.split("\t")[0] for line in result.lines]


def helps(lab, *words):
    return dict(line.split("\t", 1) for line in lab.run("complete", *words).lines)


@test
def verbs_and_options(lab):
    """Every verb is offered with what it does, and of each verb exactly the options of its help"""
    lab.inventory(INVENTORY)
    overview = lab.run("help").out
    verbs = re.findall(r"^  ([a-z]+) +\S", overview.split("Verbs:")[1].split("DRIVER METHOD")[0], re.M)
    assert len(verbs) > 20, verbs
    offered = helps(lab, "")
    assert set(verbs) <= set(offered) and {"null", "amt"} <= set(offered), offered
    has(offered["status"], "power state")
    for verb in verbs:
        wanted = set(re.findall(r"^  (?:    |-\w, )(--[\w-]+)", lab.run("help", verb).out, re.M))
        same(set(complete(lab, verb, "-")), wanted, verb)
    same(set(complete(lab, "null", "trip", "--y")), {"--yes"})
    same(complete(lab, "null", "echo", "--y"), [])
    same(complete(lab, "--", "--y"), [])


@test
def nodes(lab):
    """Names, ranges, groups and tags, behind operators and in brackets too"""
    lab.inventory(INVENTORY)
    for words, wanted in (
            (["on", "nuc"], ["nuc[1-8]"] + [f"nuc{n}" for n in range(1, 9)]),
            (["on", "nuc1"], ["nuc1"]),
            (["off", "nuc[1-"], [f"nuc[1-{n}]" for n in range(2, 9)]),
            (["off", "nuc[1-3,7-"], ["nuc[1-3,7-8]"]),
            (["off", "nuc[2,7"], ["nuc[2,7]"]),
            (["off", "c[001-002"], ["c[001-002]"]),
            (["off", "c[399-"], ["c[399-400]"]),
            (["on", "@"], ["@rack1", "@failed"]),
            (["on", "%"], ["%lab"]),
            (["on", "nuc1,@r"], ["nuc1,@rack1"]),
            (["on", "@rack1!c00"], [f"@rack1!c00{n}" for n in range(1, 10)]),
            (["on", "-x", "nuc8"], ["nuc8"]),
            (["on", "--exclude=nuc8"], ["--exclude=nuc8"]),
            (["boot", "pxe", "nuc8"], ["nuc8"]),
            (["bootdev", "--persistent", "pxe", "nuc8"], ["nuc8"]),
            (["console", "nuc1", "nuc8"], ["nuc8"]),
            (["null", "echo", "text=x", "nuc8"], ["nuc8"]),
            (["set", "tls=auto", "nuc8"], ["nuc8"]),
            (["on", "nosuch"], [])):
        same(sorted(complete(lab, *words)), sorted(wanted), words)
    same(helps(lab, "on", "nuc2")["nuc2"], "amt 10.0.0.12")


@test
def selectors(lab):
    """The values of a driver's selector: the agents that are here, or files"""
    lab.inventory(INVENTORY)
    if not os.path.exists("/usr/sbin/fence_apc"):
        skip("fence-agents: not installed")
    same(set(complete(lab, "drivers", "fence", "fence_apc")), {"fence_apc", "fence_apc_snmp"})
    same(set(complete(lab, "add", "--driver", "fence", "--set", "agent=fence_apc")),
         {"agent=fence_apc", "agent=fence_apc_snmp"})
    same(complete(lab, "drivers", "exec", "x"), [":files"])
    for words in (("null", "x"), ("nosuch", "x"), ("fence", "fence_apc", "fence_")):
        same(complete(lab, "drivers", *words), [], words)


@test
def many_nodes(lab):
    """Of very many names the next characters are offered, and no more words than one can read"""
    lab.inventory('nodes: {"n[00001-20000]x": {driver: "null"}}')
    offered = complete(lab, "on", "n")
    same(offered[0], "n[00001-20000]x")
    same(offered[1:], [f"n{n:02}" for n in range(0, 20)] + ["n20"])
    offered = complete(lab, "on", "n[00001-")
    assert 1 < len(offered) <= 101, offered
    same(complete(lab, "on", "n[00001-2000"), ["n[00001-20000]x"])
    same(len(complete(lab, "on", "n000")), 99)


@test
def arguments(lab):
    """What stands before NODES, values of options, settings and parameters"""
    lab.inventory(INVENTORY)
    for words, wanted in (
            (["boot", "p"], ["pxe"]), (["bootdev", "n"], ["none"]),
            (["wait", ""], ["off", "on", "sleep", "hibernate", "ready"]),
            (["consent", ""], ["status", "request", "submit", "cancel"]),
            (["help", "reb"], ["reboot"]), (["help", "null", "ec"], ["echo"]),
            (["drivers", "n"], ["new", "null"]), (["drivers", "new", ""], []),
            (["import", "c"], ["conman", "csv"]),
            (["null", ""], ["echo", "trip", "forget-boot"]),
            (["null", "echo", "case="], ["case=keep", "case=upper", "case=lower"]),
            (["null", "echo", "te"], ["text="]),
            (["null", "echo", "text=x", "nuc1", "ti"], []),
            (["on", "--until", ""], ["ready"]), (["on", "--until="], ["--until=ready"]),
            (["add", "--driver", "nu"], ["null"]), (["add", "--driver=nu"], ["--driver=null"]),
            (["add", "--class", ""], ["nuc"]), (["add", "--via", "so"], ["socks5://"]), (["add", "--credential", ""], ["nucs"]),
            (["add", "--tag", ""], ["lab"]),
            (["add", "--driver", "null", "--set", "lat"], ["latency="]),
            (["add", "--driver", "null", "--set", "latency=0", "--set", "no_c"], ["no_cycle="]),
            (["set", "cla"], ["class="]), (["set", "class="], ["class=nuc"]),
            (["set", "credential="], ["credential=nucs"]),
            (["set", "driver=nu"], ["driver=null"]),
            (["set", "trust="], ["trust=first-use", "trust=strict"]),
            (["set", "no_cycle="], ["no_cycle=true", "no_cycle=false"]),
            (["set", "tls="], ["tls=true", "tls=false", "tls=auto"]),
            (["set", "password_f"], ["password_file="]),
            (["on", "--timeout", ""], []), (["nosuch", ""], []), (["add", "n"], [])):
        same(sorted(complete(lab, *words)), sorted(wanted), words)
    for words, line in ((["--inventory", "x"], ":files\t"), (["--inventory=x"], ":files\t--inventory="),
                        (["set", "state_file=x"], ":files\tstate_file="),
                        (["set", "console_lock=x"], ":files\tconsole_lock="),
                        (["set", "password_file=x"], ":files\tpassword_file="),
                        (["--plugin-dir", ""], ":folders\t"),
                        (["drivers", "new", "a", "--dir", "x"], ":folders\t"),
                        (["kvm", "--screenshot", "x"], ":files\t"), (["kvm", "--socket", "x"], ":files\t"),
                        (["kvm", "--vnc-password-file=x"], ":files\t--vnc-password-file="),
                        (["import", "csv", "x"], ":files\t")):
        same(lab.run("complete", *words).lines, [line], words)
    # The inventory and the drivers are those that the line names.
    other = lab.write("other.yaml", "nodes: {far1: {driver: 'null'}}")
    same(complete(lab, "--inventory", other, "on", ""), ["far1", "@failed"])
    same(complete(lab, "on", "--inventory=" + other, "fa"), ["far1"])
    os.makedirs(lab.path("none"))
    same(complete(lab, "--plugin-dir", lab.path("none"), "help", "nul"), [])


@test
def quiet(lab):
    """Completion complains of nothing, and gives what it can"""
    same(complete(lab, "on", ""), [])
    lab.inventory("nodes: {n1: {driver: null, nosuch: 1}}\nnosuch: 1\n")
    has(complete(lab, "on", ""), "n1")
    lab.inventory("nodes: [}")
    same(complete(lab, "on", ""), [])
    for words in ([], ["--"], ["-"], [""], ["on", "nuc["], ["on", "["], ["on", "]"], ["on", "a[1-"],
                  ["on", "n[-"], ["on", ","], ["null"], ["null", "nosuch", ""], ["--nosuch", "x", "on", ""],
                  ["set", "="], ["set", "=x"], ["-v", "-q"], ["\x1b[31m", ""], ["on", "\xff" * 3000]):
        complete(lab, *words)
    lab.inventory("nodes: {'n[1-9]': {driver: nosuch}}")
    same(complete(lab, "set", "tag"), ["tags="])


@test
def runs_nothing(lab):
    """Completion of nodes loads no driver, and runs no program of a source"""
    lab.write("config/powerctl/site", f"#!/bin/sh\necho >>{lab.path('ran')}\n"
              "echo 'nodes: {far1: {driver: \"null\"}}'\n", 0o700)
    lab.inventory("nodes: {near1: {driver: 'null'}}\nsources: [{command: [./site]}]\n")
    debug = {"LD_DEBUG": "files"}
    result = lab.run("complete", "on", "", env=debug)
    same([line.split("\t")[0] for line in result.lines], ["near1", "@failed"])
    assert "null.so" not in result.err
    assert not os.path.exists(lab.path("ran")), "the source was run"
    has(lab.run("complete", "set", "state", env=debug).err, "null.so")
    # Its last answer will do, however old it is.
    same(lab.run("list").status, 0)
    os.unlink(lab.path("ran"))
    lab.inventory("nodes: {near1: {driver: 'null'}}\nsources: [{command: [./site], every: 0s}]\n")
    same(sorted(complete(lab, "on", "")), ["@failed", "far1", "near1"])
    assert not os.path.exists(lab.path("ran")), "the source was run"


# --- In shells. ------------------------------------------------------------------------------------

def shell_env(lab, name):
    """An installed copy, and a powerctl before it that shows the words it got."""
    if not shutil.which(name):
        skip(f"{name} is not installed")
    copy = Copy(lab)
    lab.inventory(INVENTORY)
    lab.write("bin/powerctl", "#!/bin/sh\n"
              f'[ "$1" = complete ] && exec {copy.powerctl} "$@"\n'
              "printf 'ran'; printf '<%s>' \"$@\"; echo .\n", 0o700)
    lab.write("here/inv.yaml", "")
    lab.write("here/a b", "")
    return copy, {**copy.env, "PATH": lab.path("bin") + ":" + os.environ["PATH"], "TERM": "dumb", "PS1": "> ",
                  "XDG_DATA_DIRS": os.path.join(copy.prefix, "share") + ":/usr/share"}


LINES = {
    "powerctl sta": "<status>",
    "powerctl off --forc": "<off><--force-after>",
    "powerctl on 'nuc[1-8": "<on><nuc[1-8]>",
    "powerctl on nuc\\[7": "<on><nuc[7]>",
    "powerctl on @ra": "<on><@rack1>",
    "powerctl on nuc1,@ra": "<on><nuc1,@rack1>",
    "powerctl on %la": "<on><%lab>",
    "powerctl boot px": "<boot><pxe>",
    "powerctl set driver=a": "<set><driver=amt>",
    "powerctl set trus": "<set><trust=>",
    "powerctl null ec": "<null><echo>",
    "powerctl null echo case=u": "<null><echo><case=upper>",
    "powerctl add --driver=ip": "<add><--driver=ipmi>",
    "powerctl --inventory ./in": "<--inventory><./inv.yaml>",
    "powerctl --inventory=in": "<--inventory=inv.yaml>",
    "powerctl --inventory a": "<--inventory><a b>",
}


def type_lines(lab, shell, begin, lines):
    """Types each line with a tab behind it; what the program was then called with."""
    shell.send(begin + f"; cd {lab.path('here')}; echo rea''dy\n")
    shell.expect("ready\n")
    for line, wanted in lines.items():
        # What is to go on has no blank behind it.
        more = "x" if wanted.endswith("=>") else ""
        wanted = wanted[:-1] + more + ">"
        shell.send(line + "\t" + more + "\n")
        shell.expect("ran")
        at = shell.at
        shell.expect(">.\n")
        same(shell.seen[at:shell.at].strip(), wanted + ".", line)


@test
def in_bash(lab):
    """bash, with and without bash-completion, on a terminal"""
    copy, env = shell_env(lab, "bash")
    lines = {**LINES, "powerctl on nuc[1-8": "<on><nuc[1-8]>", "powerctl on nuc1,nuc[7": "<on><nuc1,nuc[7]>",
             lab.path("bin/powerctl") + " statu": "<status>"}
    installed = os.path.join(copy.prefix, "share/bash-completion/completions/powerctl")
    shell = lab.keep(Terminal(["bash", "--norc", "--noprofile", "-i"], env))
    type_lines(lab, shell, f"source {installed}", lines)
    whole = "/usr/share/bash-completion/bash_completion"
    if not os.path.exists(whole):
        skip("bash-completion is not installed")
    shell = lab.keep(Terminal(["bash", "--norc", "--noprofile", "-i"], env))
    type_lines(lab, shell, f"source {whole}", lines)


@test
def in_zsh(lab):
    """zsh, on a terminal"""
    copy, env = shell_env(lab, "zsh")
    folder = os.path.join(copy.prefix, "share/zsh/site-functions")
    for begin in (f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d $HOME/dump",
                  f"autoload -Uz compinit; compinit -u -d $HOME/other; source {folder}/_powerctl"):
        shell = lab.keep(Terminal(["zsh", "-f", "-i"], env))
        type_lines(lab, shell, begin, LINES)


@test
def in_fish(lab):
    """fish"""
    _, env = shell_env(lab, "fish")
    lines = {**LINES, "powerctl on nuc[1-8": "<on><nuc[1-8]>", "powerctl set no_c": "<set><no_cycle=>"}
    for line, wanted in lines.items():
        done = subprocess.run(["fish", "-c", "complete -C $argv[1]", line], env=env, capture_output=True,
                              cwd=lab.path("here"), stdin=subprocess.DEVNULL, text=True, timeout=60,
                              check=False)
        same((done.returncode, done.stderr), (0, ""), line)
        same([one.split("\t")[0].replace("\\", "") for one in done.stdout.splitlines()],
             re.findall(r"<([^>]*)>", wanted)[-1:], line)


if __name__ == "__main__":
    assert POWERCTL
    main()
