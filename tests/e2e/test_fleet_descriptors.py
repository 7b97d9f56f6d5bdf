#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many machines and few descriptors."""
import contextlib
import os
import resource
import subprocess

from amtlib import LargeFleet, differences
from lib import PATIENCE, main, many, same, test


def run_with(lab, fleet, descriptors, verb, word, **how):
    """Runs a verb with no more descriptors than that."""
    limit = (descriptors, descriptors)
    proc = lab.start(verb, "-a", *(["--yes"] if verb == "off" else []), stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True, **how,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))
    out, err = proc.communicate(timeout=PATIENCE)
    differences(fleet.said(out.splitlines()), [word] * fleet.size)
    same(proc.returncode, 0, err)


@test
def few_descriptors(lab):
    """with 64 and with 256 descriptors: fewer at once, and every node right"""
    fleet = LargeFleet(lab, devices=many(500))
    for number, verb, word in ((64, "status", "off"), (256, "on", "on"), (64, "off", "off")):
        run_with(lab, fleet, number, verb, word)
    assert fleet.all_blameless()["peak_fleet_connections"] < 256, fleet.totals()


@test
def inherited_descriptors(lab):
    """most of 64 descriptors came from its parent and are taken: fewer at once all the same"""
    fleet = LargeFleet(lab, devices=many(500))
    with contextlib.ExitStack() as others:
        taken = [others.enter_context(open(os.devnull, "rb")).fileno() for _ in range(32)]
        run_with(lab, fleet, 64, "on", "on", pass_fds=taken)


if __name__ == "__main__":
    main()
