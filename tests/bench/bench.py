#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench [ROW...]: powerctl beside other clients on the same stand-in fleet.

Each row is one job that every client does in turns, round after round: what else the machine is
busy with then slows all of them alike, and only the ratio of medians counts. Wall time is taken
around posix_spawn and wait; CPU is what the kernel says of the client. A client whose output is
wrong, or whose requests the fleet did not see, ends the bench with status 1; so does a missed goal
with --gate.
"""
import argparse
import collections
import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import urllib.request

from benchlib import (BUILD, POWERCTL, address, in_turns, median, powerctl_env,
                      raise_descriptor_limit, run, write)

AMTSIM = os.path.join(BUILD, "bin/powerctl-amtsim")
CURL = "/usr/bin/curl"
PASSWORD = "P@ssw0rd"
CURL_MAX = 300  # what --parallel-max allows at most

# What powerctl sends to read the power state; curl sends the same.
BODY = (
    '<?xml version="1.0" encoding="utf-8"?><Envelope'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns="http://www.w3.org/2003/05/soap-envelope"><Header>'
    "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:To>/wsman</a:To>"
    "<w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
    "CIM_AssociatedPowerManagementService</w:ResourceURI><a:MessageID>0</a:MessageID><a:ReplyTo>"
    "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
    "</a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout></Header><Body></Body></Envelope>")

Row = collections.namedtuple("Row", "name nodes latency_ms rounds goal")
# goal: powerctl's wall time as a multiple of curl's, at most.
ROWS = [
    Row("one", 1, 0, 31, 1.1),
    Row("hundred", 100, 0, 15, 1.1),
    Row("thousand", 1000, 0, 9, 1.1),
    Row("thousand-50ms", 1000, 50, 5, 1.0),
    Row("tenthousand", 10000, 0, 3, 1 / 6),
]
DEFAULT_ROWS = ["one", "hundred", "thousand", "thousand-50ms"]


class Fleet:
    def __init__(self, row):
        ready, ready_end = os.pipe()
        self.proc = subprocess.Popen(
            [AMTSIM, "--devices", str(row.nodes), "--address", address(0), "--port", "0", "--no-tls",
             "--control", "0", "--password", PASSWORD, "--ready-fd", str(ready_end),
             "--set", f"all:latency_ms={row.latency_ms}"], pass_fds=[ready_end])
        os.close(ready_end)
        with os.fdopen(ready) as lines:
            line = lines.readline() if select.select([lines], [], [], 60)[0] else ""
        if not line:
            self.close()
            sys.exit("bench: the stand-in fleet did not start")
        told = json.loads(line)
        self.port = told["devices"][0]["port"]
        self.control = f"http://127.0.0.1:{told['control']}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def close(self):
        self.proc.terminate()
        self.proc.wait()

    def good_answers(self):
        """Since the last call."""
        with self.opener.open(self.control + "/counters", timeout=60) as answer:
            counters = json.load(answer)
        with self.opener.open(urllib.request.Request(self.control + "/reset", method="POST"),
                              timeout=60):
            return counters["r200"]


class Powerctl:
    name = "powerctl"

    def __init__(self, folder, fleet, row):
        nodes = "\n".join(f"  n{n}: {{class: amt, address: {address(n)}}}" for n in range(row.nodes))
        write(folder, "password", PASSWORD)
        self.argv = [POWERCTL, "status"]
        self.env = powerctl_env(folder, "credentials:\n"
                                "  bench: {username: admin, password_file: password}\n"
                                "classes:\n  amt: {driver: amt, credential: bench, tls: false,"
                                f" port: {fleet.port}}}\nnodes:\n{nodes}\n")
        self.answers = row.nodes

    def right(self, text):
        return text.count(": off\n") == self.answers


class Curl:
    name = "curl --digest"

    def __init__(self, folder, fleet, row):
        body = write(folder, "body.xml", BODY)
        self.argv = [CURL, "-s", "--digest", "-u", "admin:" + PASSWORD,
                     "-H", "Content-Type: application/soap+xml; charset=utf-8",
                     "--data-binary", "@" + body]
        urls = [f"http://{address(n)}:{fleet.port}/wsman" for n in range(row.nodes)]
        if row.nodes == 1:
            self.argv += urls
        else:
            # Options of the command line hold for the first URL only.
            config = write(folder, "urls", "next\n".join(
                f'url = "{url}"\ndigest\nuser = "admin:{PASSWORD}"\ndata-binary = "@{body}"\n'
                'header = "Content-Type: application/soap+xml; charset=utf-8"\n'
                for url in urls))
            self.argv = [CURL, "-s", "--parallel", "--parallel-max", str(CURL_MAX),
                         "--config", config]
        self.env = {"PATH": "/usr/bin:/bin", "HOME": folder}
        self.answers = row.nodes

    def right(self, text):
        return text.count(":PowerState>8<") == self.answers


def run_once(client, fleet, folder):
    path = os.path.join(folder, "out")
    status, sample = run(client.argv, client.env, path)
    with open(path, encoding="utf-8", errors="replace") as out:
        text = out.read()
    answers = fleet.good_answers()
    if status or answers != client.answers or not client.right(text):
        sys.exit(f"bench: {client.name} ended with {status} after"
                 f" {answers} of {client.answers} good answers; its output begins:\n{text[:2000]}")
    return sample


def measure(row, rounds):
    """Samples by client, the first client being powerctl."""
    with contextlib.closing(Fleet(row)) as fleet, \
            tempfile.TemporaryDirectory(prefix="powerctl-bench-") as folder:
        clients = [Powerctl(folder, fleet, row), Curl(folder, fleet, row)]
        return in_turns(clients, rounds, lambda client: run_once(client, fleet, folder))


def show(row, samples):
    """Prints a row's lines and returns whether its goal is met."""
    ours, theirs = list(samples)
    ratio = median(samples[ours], "wall") / median(samples[theirs], "wall")
    for name, taken in samples.items():
        print(f"{row.nodes:>6} {row.latency_ms:>5} ms  {name:<14}"
              f" {median(taken, 'wall') * 1e3:>9.1f} ms"
              f" {min(s.wall for s in taken) * 1e3:>9.1f} ms"
              f" {median(taken, 'cpu') * 1e6 / row.nodes:>9.0f} us"
              + (f" {ratio:>6.2f}  {row.goal:.2f}" if name == ours else ""), flush=True)
    return ratio <= row.goal


def main():
    parser = argparse.ArgumentParser(description="powerctl beside other clients: `status`.")
    parser.add_argument("rows", metavar="ROW", nargs="*",
                        help="of: " + ", ".join(row.name for row in ROWS))
    parser.add_argument("--rounds", type=int, help="instead of each row's own number")
    parser.add_argument("--gate", action="store_true", help="exit 1 if a goal is missed")
    options = parser.parse_args()
    wanted = options.rows or DEFAULT_ROWS
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        parser.error("unknown row: " + ", ".join(sorted(unknown)))
    raise_descriptor_limit()
    print("status, plain HTTP, Digest, each login cold; medians of interleaved rounds.\n"
          "CPU is per node; ratio: powerctl's wall time over curl's, with its goal (at most).\n\n"
          f"{'nodes':>6} {'latency':>8}  {'client':<14} {'wall':>12} {'best':>12} {'CPU':>12}"
          "  ratio  goal", flush=True)
    met = [show(row, measure(row, options.rounds or row.rounds))
           for row in ROWS if row.name in wanted]
    if options.gate and not all(met):
        sys.exit("bench: a goal was missed")


if __name__ == "__main__":
    main()
