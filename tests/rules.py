#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the tree: who may include whom, what core may not know, licences, sizes, exports.

Run from anywhere; prints each breach as FILE:LINE: what, and ends with 1 if there was any.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROTOCOLS = re.compile(r"\b(amt|wsman|ipmi|redfish|cira|rmcp)\b", re.I)
LIMIT = 800
breaches = []


def breach(where, what):
    breaches.append(f"{where}: {what}")


def tracked(*patterns):
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", *patterns],
                         capture_output=True, text=True)
    if out.returncode == 0:
        return [p for p in out.stdout.split("\n") if p and os.path.exists(os.path.join(ROOT, p))]
    found = []
    for folder, _, names in os.walk(ROOT):
        if os.path.relpath(folder, ROOT).startswith("build"):
            continue
        found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    ends = tuple(p.lstrip("*") for p in patterns)
    return [p for p in found if p.endswith(ends)]


def includes(lines):
    for n, line in enumerate(lines, 1):
        m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if m:
            yield n, m.group(1), line


# core/ from the ground up: a room may use those before it.
CORE_ROOMS = ["base", "names", "keep", "inventory", "driver", "node", "engine"]


def check_core_arrow(path, n, name):
    room, used = path.split("/")[1], name.split("/")[0]
    if room not in CORE_ROOMS:
        breach(path, "core/ has rooms, and this file is in none of them")
    elif used in CORE_ROOMS and CORE_ROOMS.index(used) > CORE_ROOMS.index(room):
        breach(f"{path}:{n}", f"core/{room} includes what is built upon it: {name}")


def check_source(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        lines = f.read().split("\n")
    room = path.split("/")[0]
    if "SPDX-License-Identifier:" not in "\n".join(lines[:3]):
        breach(f"{path}:1", "no SPDX-License-Identifier line")
    if len(lines) > LIMIT + 1:
        breach(path, f"{len(lines)} lines, more than {LIMIT}")
    if room == "core":
        for n, line in enumerate(lines, 1):
            if PROTOCOLS.search(line):
                breach(f"{path}:{n}", "a protocol's name in core/")
    for n, name, line in includes(lines):
        if room == "core":
            check_core_arrow(path, n, name)
        if room in ("plugins", "cli", "daemon") and re.search(r'(^|/)(core|http)/', name):
            breach(f"{path}:{n}", f"{room} includes what is not its own: {name}")
        if "plugins/" in name:
            breach(f"{path}:{n}", f"nothing includes plugins: {name}")
        if room == "plugins" and '"' in line and name.startswith(".."):
            breach(f"{path}:{n}", f"a plugin includes outside its folder: {name}")
        if room == "include" and name.startswith("..") :
            breach(f"{path}:{n}", f"a public header includes a private one: {name}")


def check_exports(build):
    folder = os.path.join(build, "plugins")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if not name.endswith(".so"):
            continue
        out = subprocess.run(["nm", "-D", "--defined-only", os.path.join(folder, name)],
                             capture_output=True, text=True).stdout
        symbols = {line.split()[-1] for line in out.splitlines() if line.strip()}
        symbols = {s for s in symbols if not s.startswith(("__asan", "__odr_asan", "__ubsan", "__lsan"))}
        if symbols != {"pctl_driver"}:
            breach(f"{name}", f"exports {sorted(symbols)}, not exactly pctl_driver")


def check_headers():
    for path in tracked("include/powerctl/*.h"):
        name = path.split("/", 1)[1]
        for compiler, flags in (("cc", ["-std=c11", "-x", "c"]), ("c++", ["-std=c++17", "-x", "c++"])):
            if subprocess.run(["which", compiler], capture_output=True).returncode:
                continue
            r = subprocess.run([compiler, *flags, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                                "-I", os.path.join(ROOT, "include"), "-fsyntax-only", "-"],
                               input=f"#include <{name}>\n", capture_output=True, text=True)
            if r.returncode:
                breach(path, f"does not compile alone with {compiler}: {r.stderr.strip()[:300]}")


def main():
    for path in tracked("*.c", "*.h"):
        check_source(path)
    check_headers()
    check_exports(os.environ.get("POWERCTL_BUILD", os.path.join(ROOT, "build")))
    for b in breaches:
        print(b)
    print(f"1..1\n{'not ok' if breaches else 'ok'} 1 - the rules of the tree")
    return 1 if breaches else 0


sys.exit(main())
