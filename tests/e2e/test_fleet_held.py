#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boot devices that are held for thousands of machines until their next start."""
import os
import subprocess

from amtlib import LargeFleet
from lib import good, main, many, same, test

SIZE = many(2000)


def cpu_of(lab, *words, lines):
    """Seconds of the processor that a command took which ended well, with so many lines."""
    with open(lab.path("out"), "wb") as out:
        proc = lab.start(*words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(proc.pid, 0)
    proc.returncode = os.waitstatus_to_exitcode(status)
    same((proc.returncode, lab.read("out").count("\n")), (0, lines), words)
    return usage.ru_utime + usage.ru_stime


def hold_and_start(lab, size):
    """Holds PXE for so many and starts them; what each took, having seen every boot."""
    fleet = LargeFleet(lab, devices=size)
    held = cpu_of(lab, "bootdev", "pxe", "-a", lines=size)
    same(fleet.totals()["put_boot"], 0, "nothing is sent before the start")
    started = cpu_of(lab, "on", "-a", lines=size)
    same({(d["boots"], d["last_boot"]) for d in fleet.brief()}, {(1, "pxe")})
    for verb, word in (("off", "off"), ("on", "on")):
        good(lab.run(verb, "-a", *(["--yes"] if verb == "off" else [])),
             *[f"a{n}: {word}" for n in range(1, size + 1)])
    same({(d["boots"], d["last_boot"]) for d in fleet.brief()}, {(2, "default")}, "held once only")
    return held, started


@test
def held_boot_devices(lab):
    """a boot device held for each machine: it starts from it once; the cost grows linearly"""
    few = hold_and_start(lab, SIZE // 4)
    all_ = hold_and_start(lab, SIZE)
    for what, a, b in zip(("bootdev", "on"), few, all_):
        assert b < 8 * a, f"{what}: {a:.2f} s for {SIZE // 4} machines, {b:.2f} s for {SIZE}"


if __name__ == "__main__":
    main()
