# SPDX-License-Identifier: Apache-2.0
"""Running powerctl-driver-check, and reading what it says.

    r = check(lab, "--only", "static", os.path.join(PLUGINS, "line.so"))
    r.status, r.failed, r.verdicts["static.exports"], r.diagnostics
"""
import os
import subprocess

from lib import BUILD, PATIENCE

CHECK = os.path.join(BUILD, "bin", "powerctl-driver-check")
PLUGINS = os.path.join(BUILD, "tests", "plugins")


class Checked:
    """What the tool said of a driver."""

    def __init__(self, proc, out, err):
        self.status, self.out, self.err = proc.returncode, out, err
        lines = out.splitlines()
        words = [line.split(" - ", 1) for line in lines if line.startswith(("ok ", "not ok "))]
        self.verdicts = {}
        for head, tail in words:
            how = "skipped" if " # SKIP" in tail else head.split()[0]
            self.verdicts[tail.split(":", 1)[0]] = how
        self.failed = sorted(name for name, how in self.verdicts.items() if how == "not")
        # What only a place without seccomp does not check.
        self.unwatched = self.verdicts.get("contract.open") == "skipped" and "no seccomp" in out
        self.diagnostics = "\n".join(line for line in lines if line.startswith("# "))

    def __repr__(self):
        return f"=> {self.status}\n{self.out}\n{self.err}"


def check(lab, *args, patience=PATIENCE * 4):
    proc = subprocess.Popen([CHECK, *args], env={**lab.env, "TMPDIR": lab.folder}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)
    try:
        out, err = proc.communicate(timeout=patience)
    finally:
        if proc.poll() is None:
            proc.kill()
            proc.communicate()
    return Checked(proc, out, err)
