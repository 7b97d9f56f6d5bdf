# SPDX-License-Identifier: Apache-2.0
"""powerctl under the name of another program, and that program itself."""
import os
import subprocess

import lib


class Face:
    """powerctl under a name, in a lab of its own."""

    def __init__(self, lab, name):
        self.lab, self.path = lab, lab.path(name)
        os.symlink(lib.POWERCTL, self.path)

    def start(self, *words, **how):
        proc = subprocess.Popen([self.path, *map(str, words)], env=self.lab.env, start_new_session=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
        self.lab.keep(lib.Started(proc))
        return proc

    def __call__(self, *words, stdin=""):
        proc = self.start(*words, stdin=subprocess.PIPE)
        out, err = proc.communicate(stdin, timeout=lib.PATIENCE)
        return lib.Result(words, proc.returncode, out, err)

    def terminal(self, *words):
        return self.lab.keep(lib.Terminal([self.path, *words], self.lab.env))

    def shown(self, proc):
        """What anybody on this host can read of its command line."""
        with open(f"/proc/{proc.pid}/cmdline", "rb") as f:
            return f.read()
