#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bench runs, counts, and notices a client that is wrong. Times are not tested."""
import os
import shutil
import subprocess
import sys

from lib import BUILD, SOURCE, POWERCTL, has, main, same, skip, test

BENCH = os.path.join(SOURCE, "tests", "bench", "bench.py")
COMPARE = os.path.join(SOURCE, "scripts", "bench-compare")


def bench(*words, build=BUILD):
    # Their default programs, whatever they are when tests run.
    env = {k: v for k, v in os.environ.items() if k not in ("POWERCTL_AMTSIM", "POWERCTL_BMCSIM")}
    return subprocess.run([sys.executable, BENCH, "--bmcsim", "--rounds", "1", *words],
                          env={**env, "POWERCTL_BUILD": build}, capture_output=True, text=True,
                          timeout=150, check=False)


def cells(out, row, client):
    """What the table says of it, from the client's name on."""
    lines = [line for line in out.splitlines()
             if line.startswith(row + " ") and f" {client}  " in line]
    assert len(lines) == 1, f"{row}, {client}: {lines} in\n{out}"
    return lines[0].split(f" {client}  ")[1].split()


def fake_build(lab, script):
    """The same programs, but for powerctl."""
    build = lab.path("build")
    os.makedirs(os.path.join(build, "bin"))
    for name in ("tests", "plugins", "bin/powerctl-amtsim", "bin/powerctl-bmcsim"):
        os.symlink(os.path.join(BUILD, name), os.path.join(build, name))
    path = lab.write("build/bin/powerctl", "#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
    return build


@test
def one_and_twenty_nodes(_lab):
    """every client asks one node and twenty, each with two requests on two connections"""
    r = bench("--nodes", "20", "one-0ms", "thousand-50ms")
    same(r.returncode, 0, r)
    for row, nodes, curl in (("one-0ms", "1", "curl --digest"),
                             ("thousand-50ms", "20", "curl --parallel")):
        for client in ("powerctl", "libcurl floor", curl):
            found = cells(r.stdout, row, client)
            has(found, "2.00")
            same(found[-1], nodes, found)
    has(r.stdout, "wall over curl's")


@test
def all_kinds(lab):
    """both kinds in one command, and the results as Markdown between the two marks of a file"""
    before, after = "# Numbers\n\n<!-- results: begin -->", "<!-- results: end -->\nThe end.\n"
    path = lab.write("out.md", before + "\nold\n" + after)
    r = bench("--nodes", "20", "--markdown", path, "mixed", "linear", "ipmi-status")
    same(r.returncode, 0, r)
    for row, client, nodes in (("mixed", "powerctl", "20"), ("mixed", "powerctl, AMT alone", "15"),
                               ("linear", "powerctl, a tenth", "2"),
                               ("ipmi-status", "powerctl", "20")):
        same(cells(r.stdout, row, client)[-1], nodes, r)
    with open(path, encoding="utf-8") as out:
        text = out.read()
    assert text.startswith(before) and text.endswith(after) and "\nold\n" not in text, text
    for part in ("Machine: ", "| mixed | 20 | powerctl |", "| linear | CPU per device over "):
        has(text, part)


@test
def wrong_output(lab):
    """a client that says what is not so ends the bench"""
    r = bench("one-0ms", build=fake_build(lab, f"'{POWERCTL}' \"$@\" | sed 's/: off$/: on/'\n"))
    same(r.returncode, 1, r)
    has(r.stderr, "bench: powerctl ended with 0 after 0 of 1 good answers")


@test
def nobody_asked(lab):
    """a client that says what is so without asking ends the bench"""
    r = bench("one-0ms", build=fake_build(lab, "echo n1: off\n"))
    same(r.returncode, 1, r)
    has(r.stderr, "after 1 of 1 good answers; the stand-ins counted [(0, ")


@test
def a_missed_goal(lab):
    """a goal that cannot be met is said to be missed, and with --gate ends with 1"""
    build = fake_build(lab, f"sleep 1; exec '{POWERCTL}' \"$@\"\n")
    for gate, status in (((), 0), (("--gate",), 1)):
        r = bench(*gate, "one-0ms", build=build)
        same(r.returncode, status, r)
        has(r.stdout, "MISSED")


@test
def unknown_row(_lab):
    """a row that is none is refused by name"""
    r = bench("fifty")
    same(r.returncode, 2, r)
    has(r.stderr, "unknown row: fifty")


@test
def two_builds(lab):
    """of two builds the slower one is seen, whichever it is; what is right is measured as in any row"""
    slow = fake_build(lab, f"sleep 1; exec '{POWERCTL}' \"$@\"\n")
    for base, new, status in ((BUILD, slow, 1), (slow, BUILD, 0)):
        r = bench("--compare", base, new, "one-0ms")
        same((r.returncode, "MORE wall" in r.stdout), (status, status == 1), r)
        same(len([line for line in r.stdout.splitlines() if line.startswith("one-0ms ")]), 1, r)
    r = bench("--compare", BUILD, lab.path("nothing"), "one-0ms")
    same(r.returncode, 1, r)
    has(r.stdout, "left out, driver amt in ")
    has(r.stderr, "nothing was compared")


def repository(lab):
    """Two revisions, with the script and tools that only note what they are asked; and how to run it there."""
    if not shutil.which("git"):
        skip("git is not installed")
    path = lab.path("repository")
    os.makedirs(os.path.join(path, "scripts"))
    shutil.copy(COMPARE, os.path.join(path, "scripts"))
    for name, script in (("make", ""), ("cmake", '[ ! -e "$2/broken" ] || { echo no such thing; exit 1; }'),
                         ("python3", 'cat "${3%/build}/revision" "${4%/build}/revision"; exit 7')):
        lab.write(f"tools/{name}", f"#!/bin/sh\n{script}\n", 0o755)
    env = {**lab.env, "TMPDIR": lab.path("places"), "PATH": lab.path("tools") + ":" + os.environ["PATH"],
           **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}}
    os.mkdir(lab.path("places"))

    def run(*words):
        return subprocess.run(words, cwd=path, env=env, capture_output=True, text=True, timeout=60, check=False)

    same(run("git", "init", "-q").returncode, 0)
    for revision in ("first", "second"):
        lab.write("repository/revision", revision + "\n")
        same((run("git", "add", "-A").returncode, run("git", "commit", "-qm", revision).returncode), (0, 0))
    return run


@test
def two_revisions(lab):
    """both revisions are built beside each other, its status is the bench's, and no worktree stays behind"""
    run = repository(lab)

    def compare(*words, status):
        r = run("scripts/bench-compare", *words)
        same(r.returncode, status, r)
        same((os.listdir(lab.path("places")), len(run("git", "worktree", "list").stdout.splitlines())), ([], 1), r)
        return r

    has(compare("HEAD~1", status=7).stdout, "first\nsecond\n")
    has(compare("HEAD", status=7).stderr, "all ratios should be 1")
    has(compare("nonsense", status=2).stderr, "git knows no revision 'nonsense'")
    has(compare("--output=x", status=2).stderr, "HEAD is slower")
    has(compare(status=2).stderr, "make bench-compare BASE=")
    lab.write("repository/new.c", "")
    r = compare("HEAD~1", status=2)
    has(r.stderr, "?? new.c")
    has(r.stderr, "Commit or stash them")
    os.rename(lab.path("repository/new.c"), lab.path("repository/broken"))
    run("git", "add", "-A")
    run("git", "commit", "-qm", "broken")
    r = compare("HEAD~1", status=2)
    has(r.stderr, "no such thing\nbench-compare: head (")
    shutil.rmtree(lab.path("repository/.git"))
    r = run("scripts/bench-compare", "HEAD")
    same(r.returncode, 2, r)
    has(r.stderr, "this is no repository of it")


@test
def scripts_take_no_other_words(_lab):
    """what a script does not know begins nothing: it says what it is for, and no comment from within"""
    for name in ("bench-compare", "check", "deb", "dist", "fuzz", "lint", "check-system", "troubleshooting"):
        r = subprocess.run([os.path.join(SOURCE, "scripts", name), "--frob"], capture_output=True, text=True,
                           timeout=60, check=False)
        text = r.stdout + r.stderr
        same((r.returncode, text.lstrip().startswith(name)), (1 if name == "troubleshooting" else 2, True), r)
        same(("SPDX" in text, "build NAME" in text), (False, False), r)
    r = subprocess.run([os.path.join(SOURCE, "scripts", "check-system"), "frob"], capture_output=True,
                       text=True, timeout=60, check=False)
    same((r.returncode, r.stdout), (2, ""), r)
    has(r.stderr, "no such part: frob; its parts are: ansible ")


main()
