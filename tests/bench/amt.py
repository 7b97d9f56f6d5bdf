#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of Intel AMT that are no status: many consoles at once.

  amt.py [--nodes 1000] [--gate]

One process follows the consoles of all machines; each is open when it has shown its first line. --gate: exit
status 1 if the goal (100 MB for a thousand) is missed.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from benchlib import BUILD, POWERCTL, powerctl_env, raise_descriptor_limit, write

PASSWORD = "P@ssw0rd"
GOAL_KB = 100 * 1000
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


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000, choices=range(1, 1001), metavar="N")
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
    return int(options.gate and missed)


if __name__ == "__main__":
    sys.exit(main())
