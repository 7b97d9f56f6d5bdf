#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of Intel AMT that are no status: many consoles at once, and media.

  amt.py [--nodes 1000] [--image 200] [--gate]

One process follows the consoles of all machines; each is open when it has shown its first line. Media: a
machine reads a CD of so many MB, one request of 64 kB after the other. It is a file on disk, or the same in
memory (/dev/shm), in turns, the best of three each: how much of the speed of memory does a file have. --gate:
exit status 1 if a goal (100 MB for a thousand; 80 % of memory) is missed.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from benchlib import BUILD, POWERCTL, powerctl_env, raise_descriptor_limit, write

PASSWORD = "P@ssw0rd"
GOAL_KB = 100 * 1000
GOAL_OF_MEMORY = 0.8
ROUNDS = 3
PATIENCE = 120


def stand_ins(count, *args):
    proc = subprocess.Popen(
        [os.path.join(BUILD, "bin/powerctl-amtsim"), "--devices", str(count), "--by-port",
         "--port", "0", "--tls-port", "0", "--state", "on", *args], stdout=subprocess.PIPE)
    ready = json.loads(proc.stdout.readline())
    if "ports" not in ready:
        names = ("port", "tls_port", "redirection_port", "redirection_tls_port")
        ready.update({name + "s": [d[name] for d in ready["devices"]] for name in names})
    return proc, ready


def inventory(folder, ready, tls):
    secret = write(folder, "secret", PASSWORD + "\n")
    lines = ["credentials:", f"  amt: {{username: admin, password_file: {secret}}}", "classes:",
             f"  amt: {{driver: amt, credential: amt, address: 127.0.0.1, tls: {tls}}}", "nodes:"]
    ports = zip(ready["ports"], ready["tls_ports"], ready["redirection_ports"],
                ready["redirection_tls_ports"])
    lines += [f"  a{n}: {{class: amt, port: {secure if tls == 'true' else plain}, tls_port: {secure}, "
              f"redirection_port: {console}, redirection_tls_port: {console_tls}}}"
              for n, (plain, secure, console, console_tls) in enumerate(ports, 1)]
    return "\n".join(lines) + "\n"


def status(pid, key):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key))


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def follow(folder, ready, tls, count):
    env = powerctl_env(folder, inventory(folder, ready, tls))
    begin = time.monotonic()
    with subprocess.Popen([POWERCTL, "console", "--follow", "--all"], env=env, cwd=folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as proc:
        seen = set()
        while len(seen) < count and time.monotonic() - begin < PATIENCE:
            line = proc.stdout.readline().decode()
            if not line:
                sys.exit("bench-amt: powerctl ended")
            if "serial console of device" in line:
                seen.add(line.split(":")[0])
        if len(seen) < count:
            sys.exit(f"bench-amt: {len(seen)} of {count} consoles in {PATIENCE} s")
        took, used = time.monotonic() - begin, cpu(proc.pid)
        time.sleep(5)  # what open ones cost while nothing happens
        idle = (cpu(proc.pid) - used) / 5
        peak, files = status(proc.pid, "VmHWM"), len(os.listdir(f"/proc/{proc.pid}/fd"))
        proc.send_signal(signal.SIGINT)
        proc.stdout.read()
        proc.wait(PATIENCE)
    return took, used, idle, peak, files


def ask(ready, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{ready['control']}{path}", data=body,
                                     method="PUT" if body else "GET")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def read_cd(env, ready, image):
    """MB/s, as the machine saw it."""
    with subprocess.Popen([POWERCTL, "media", "attach", "--quiet", image, "a1"], env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as proc:
        end = time.monotonic() + PATIENCE
        ider = None
        while (not ider or ider["state"] in ("idle", "running")) and time.monotonic() < end:
            time.sleep(0.1)
            ider = ask(ready, "/devices/1")["ider"]
        if not ider or ider["state"] != "done":
            proc.kill()
            sys.exit(f"bench-amt: the machine did not read its CD: {ider}")
        proc.send_signal(signal.SIGINT)
        proc.wait(PATIENCE)
    while ask(ready, "/devices/1")["redirection_sessions"]:
        time.sleep(0.1)
    return ider["cd"]["bytes"] / ider["cd_us"]


def media(size, tls):
    """MB/s from a file, and from memory."""
    proc, ready = stand_ins(1)
    best = {}
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir="/dev/shm") as mem:
        env = powerctl_env(folder, inventory(folder, ready, tls))
        ask(ready, "/devices/1", b"ider_script=once")
        file = os.path.join(folder, "cd.iso")
        with open(file, "wb") as f:
            for _ in range(size):
                f.write(os.urandom(1 << 20))
        images = {"file": file, "memory": shutil.copy(file, mem)}
        for _ in range(ROUNDS):
            for where, image in images.items():
                best[where] = max(best.get(where, 0), read_cd(env, ready, image))
    proc.terminate()
    proc.wait(PATIENCE)
    return best["file"], best["memory"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000, choices=range(1, 1001), metavar="N")
    parser.add_argument("--image", type=int, default=200, metavar="MB")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    raise_descriptor_limit()
    missed = False
    print("row            | nodes | all open | CPU    | idle CPU | peak     | descriptors")
    for name, tls in (("consoles", "false"), ("consoles-tls", "true")):
        proc, ready = stand_ins(options.nodes)
        with tempfile.TemporaryDirectory() as folder:
            took, used, idle, peak, files = follow(folder, ready, tls, options.nodes)
        proc.terminate()
        proc.wait(PATIENCE)
        missed |= peak > GOAL_KB
        print(f"{name:14} | {options.nodes:5} | {took:6.1f} s | {used:4.1f} s | {idle * 100:6.1f} % | "
              f"{peak / 1000:5.1f} MB | {files}")
    print("row            | image    | file       | memory     | of memory")
    for name, tls in (("media", "false"), ("media-tls", "true")):
        file, memory = media(options.image, tls)
        missed |= file < GOAL_OF_MEMORY * memory
        print(f"{name:14} | {options.image:5} MB | {file:5.0f} MB/s | {memory:5.0f} MB/s | "
              f"{file * 100 / memory:5.0f} %")
    return int(options.gate and missed)


if __name__ == "__main__":
    sys.exit(main())
