#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast an Intel AMT machine reads its CD (IDE redirection), plain and over TLS.

  media.py [--image 200] [--gate]

The machine reads a CD of so many MB, one request of 64 kB after the other: of powerctl, from a file on disk and
from the same file in memory (/dev/shm), and of amtider, which maps the file into memory, in turns, the best of
nine each; what it has read is compared with the file. amtider is taken from PATH, or AMTIDER=PATH[:PATH...] says
where (version 1.7 serves plain, 1.8 TLS); where there is none its column is empty. --gate: exit status 1 if the
file has less than 80 % of the speed of memory, or of amtider.
"""
import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from amt import PASSWORD, PATIENCE, inventory, stand_ins
from benchlib import POWERCTL, powerctl_env

GOAL = 0.8
ROUNDS = 9


def ask(ready, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{ready['control']}{path}", data=body,
                                     method="PUT" if body else "GET")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


class Wrong(Exception):
    """The machine did not read its CD."""


def read_cd(ready, args, env, wanted):
    """MB/s, as the machine saw it."""
    logins = ask(ready, "/devices/1")["counters"]["redir_logins"]
    with subprocess.Popen(args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as proc:
        end = time.monotonic() + PATIENCE
        ider = None
        while (not ider or ider["state"] in ("idle", "running")) and time.monotonic() < end:
            time.sleep(0.1)
            device = ask(ready, "/devices/1")
            # What the one before has left there is not it.
            ider = device["ider"] if device["counters"]["redir_logins"] > logins else None
            if proc.poll() is not None:
                break
        if proc.poll() is None:
            proc.send_signal(signal.SIGINT)
        try:
            proc.wait(10)
        except subprocess.TimeoutExpired:
            proc.kill()
    end = time.monotonic() + PATIENCE
    while ask(ready, "/devices/1")["redirection_sessions"]:
        if time.monotonic() > end:
            raise Wrong(f"{args[0]}: its session does not end")
        time.sleep(0.1)
    if not ider or ider["state"] != "done" or ider["cd"]["sha256"] != wanted:
        raise Wrong(f"{args[0]}: the machine did not read its CD: {ider}")
    return ider["cd"]["bytes"] / ider["cd_us"]


def amtiders(ready, tls):
    """How each amtider there is would be called; it differs what their options say."""
    one = ready["redirection_tls_ports" if tls else "redirection_ports"][0]
    found = os.environ.get("AMTIDER", shutil.which("amtider") or "")
    for path in filter(None, found.split(":")):
        told = subprocess.run([path, "-h"], capture_output=True, text=True, check=False).stdout
        secure = " -P " in told  # then TLS is what it does unless told otherwise
        if secure or not tls:
            yield [path, *(["-P"] if secure and not tls else []), f"127.0.0.1:{one}"]


def make_image(path, size):
    digest = hashlib.sha256()
    with open(path, "wb") as f:
        for _ in range(size):
            part = os.urandom(1 << 20)
            f.write(part)
            digest.update(part)
    return digest.hexdigest()


def media(size, tls):
    """MB/s from a file, and from memory, and of amtider (0: there is none)."""
    proc, ready = stand_ins(1)
    best = {"amtider": 0}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir="/dev/shm") as mem:
        env = powerctl_env(folder, inventory(folder, ready, str(tls).lower()))
        ask(ready, "/devices/1", b"ider_script=once\nider_lenient=1")
        file = os.path.join(folder, "cd.iso")
        wanted = make_image(file, size)
        attach = [POWERCTL, "media", "attach", "--quiet"]
        images = {"file": file, "memory": shutil.copy(file, mem)}
        foreign = list(amtiders(ready, tls))
        for _ in range(ROUNDS):
            for where, image in images.items():
                best[where] = max(best.get(where, 0),
                                  read_cd(ready, [*attach, image, "a1"], env, wanted))
            for args in list(foreign):
                try:
                    best["amtider"] = max(best["amtider"], read_cd(
                        ready, [*args, file], {**env, "AMT_PASSWORD": PASSWORD}, wanted))
                except Wrong as why:
                    print(f"# {'TLS' if tls else 'plain'}: {why}", file=sys.stderr)
                    foreign.remove(args)
    proc.terminate()
    proc.wait(PATIENCE)
    return best


def rate(value):
    return f"{value:5.0f} MB/s" if value else "         -"


def share(one, other):
    return f"{one * 100 / other:5.0f} %" if other else "      -"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=int, default=200, metavar="MB")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    missed = False
    if not os.environ.get("AMTIDER") and not shutil.which("amtider"):
        print("# no amtider: AMTIDER=PATH says where one is")
    print("row            | image    | file       | memory     | amtider    | of memory | of amtider")
    for name, tls in (("media", False), ("media-tls", True)):
        try:
            best = media(options.image, tls)
        except Wrong as why:
            sys.exit(f"bench-amt: {why}")
        missed |= best["file"] < GOAL * max(best["memory"], best["amtider"])
        print(f"{name:14} | {options.image:5} MB | {best['file']:5.0f} MB/s | "
              f"{best['memory']:5.0f} MB/s | {rate(best['amtider'])} | "
              f"{share(best['file'], best['memory'])}   | {share(best['file'], best['amtider'])}")
    return int(options.gate and missed)


if __name__ == "__main__":
    sys.exit(main())
