# SPDX-License-Identifier: Apache-2.0
"""What the tests of passwd share, whichever driver: what is stored, what is pending, an end by SIGKILL.

fleet is one with `secret`, the path of its password's file.
"""
import os
import subprocess

import lib
from lib import same

GENERATE = ("passwd", "--generate", "-y")
RESUME = ("passwd", "--resume", "-y")


def stored(fleet):
    with open(fleet.secret, encoding="utf-8") as f:
        return f.read().rstrip("\n")


def pending(fleet):
    """How far each node is, by the file beside the secret; None: there is none."""
    if not os.path.exists(fleet.secret + ".pending"):
        return None
    same(os.stat(fleet.secret + ".pending").st_mode & 0o777, 0o600, "mode")
    with open(fleet.secret + ".pending", encoding="utf-8") as f:
        lines = f.read().splitlines()
    same(lines[0], "powerctl-pending 1")
    return dict(reversed(line.split(" ")) for line in lines[1:] if not line.startswith("secret "))


def killed(lab, when, words=(*GENERATE, "-a")):
    """powerctl, ended by SIGKILL as soon as when() is true."""
    proc = lab.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lib.until("it is at that point", when)
    assert proc.poll() is None, "it ended by itself"
    proc.kill()
    proc.wait()


def still_works(lab, *names):
    """Every machine answers to ordinary commands, whichever password it has."""
    lib.good(lab.run("status", "-a"), *(f"{name}: off" for name in names))
