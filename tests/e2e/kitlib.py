# SPDX-License-Identifier: Apache-2.0
"""An installed copy of what was built, for tests of those who build against it."""
import glob
import os
import re
import shutil
import subprocess

from lib import BUILD, SANITIZED, build_setting, has, same

LONG = 300  # seconds that a compiler may take on a loaded machine


class Copy:
    """`cmake --install` into a folder of the test's; nothing of it points back to the build."""

    def __init__(self, lab):
        self.lab = lab
        self.prefix = lab.path("installed")
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix],
                              capture_output=True, text=True, timeout=LONG, check=False)
        same(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        self.powerctl = os.path.join(self.prefix, "bin", "powerctl")
        self.pc = os.path.dirname(self.one("lib/**/powerctl.pc"))
        self.wrap_compilers()
        self.env = {**lab.env, "PKG_CONFIG_PATH": self.pc, "CMAKE_PREFIX_PATH": self.prefix,
                    "POWERCTL": self.powerctl,
                    "PATH": ":".join([os.path.join(self.prefix, "bin"), lab.path("tools"), os.environ["PATH"]])}

    def wrap_compilers(self):
        """Where the programs are built with sanitizers, the drivers are as well."""
        with_flags = "-fsanitize=" + build_setting("POWERCTL_SANITIZE") if SANITIZED else ""
        for name in ("cc", "c++"):
            self.lab.write("tools/" + name, f'#!/bin/sh\nexec {shutil.which(name)} {with_flags} "$@"\n', 0o700)

    def one(self, pattern):
        found = glob.glob(os.path.join(self.prefix, pattern), recursive=True)
        same(len(found), 1, pattern)
        return found[0]

    def run(self, *args, cwd=None, status=0, env=None):
        """Runs anything with the copy in sight; what it printed."""
        done = subprocess.run(args, cwd=cwd or self.lab.folder, env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LONG, check=False)
        same(done.returncode, status, f"{args}: {done.stdout}")
        return done.stdout

    def pkg_config(self, *words):
        return self.run("pkg-config", *words, "powerctl").split()

    def compile(self, source, out, compiler="cc", flags=("-std=c11",), include=None):
        """A plugin of one file, as an author without any build system makes it."""
        includes = ["-I" + include] if include else []
        os.makedirs(os.path.dirname(out), exist_ok=True)
        self.run(compiler, *flags, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fPIC",
                 "-fvisibility=hidden", *includes, *self.pkg_config("--cflags"), "-shared", "-o", out,
                 source, *self.pkg_config("--libs"))
        return out

    def new(self, name, where="."):
        """powerctl drivers new; the folder."""
        said = self.run(self.powerctl, "drivers", "new", name, "--dir", self.lab.path(where))
        has(said, "a driver that works")
        return self.lab.path(where, name)


def older_headers(copy, folder, struct, first_gone):
    """The headers as they were before a member of a struct, and all behind it, were appended."""
    include = os.path.join(folder, "powerctl")
    shutil.copytree(os.path.join(copy.prefix, "include", "powerctl"), include)
    for name in ("driver.h", "interfaces.h", "method.h"):
        path = os.path.join(include, name)
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        if f"struct {struct} {{\n" in text:
            break
    begin = text.index(f"struct {struct} {{\n")
    end = text.index("\n};\n", begin)
    cut = text.index(first_gone, begin, end)
    cut = text.rindex(";", begin, cut) + 1
    with open(path, "w", encoding="utf-8") as f:
        f.write(text[:cut] + text[end:])
    return folder
