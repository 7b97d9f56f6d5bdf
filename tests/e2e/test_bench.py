#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bench runs, counts, and notices a client that is wrong. Times are not tested."""
import os
import subprocess
import sys

from lib import BUILD, SOURCE, POWERCTL, has, main, same, test

BENCH = os.path.join(SOURCE, "tests", "bench", "bench.py")


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
def unknown_row(_lab):
    """a row that is none is refused by name"""
    r = bench("fifty")
    same(r.returncode, 2, r)
    has(r.stderr, "unknown row: fifty")


main()
