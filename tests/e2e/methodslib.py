# SPDX-License-Identifier: Apache-2.0
"""What the tests of the AMT driver's methods share: what one answers, what it is refused with, what it changed.

    found = result(lab, "features")                     # the answer of `powerctl amt features a1`, as a tree
    says(refused(lab, "wifi", "remove=x"), "state", "x") # class and words of an error
    same(changes(fleet), [])                            # since its counters were reset
"""
import contextlib
import os
import subprocess
import threading

from amtlib import Fleet
from lib import error_of, has, same


def result(lab, *words, node="a1"):
    """What a method that goes well answers, as a tree."""
    r = lab.run("--json", "amt", *words, node)
    same(r.status, 0, r)
    return r.json[0]["result"]


def refused(lab, *words, node="a1"):
    r = lab.run("--json", "amt", *words, node)
    same(r.status, 1, r)
    return error_of(r)


def says(found, word, part):
    """error_of() gives class and message."""
    same(found[0], word, found)
    has(found[1], part)


def wrong(lab, *words, part):
    """A mistake in the words: nothing is sent, not even to look."""
    fleet = Fleet(lab)
    fleet.reset()
    misused(lab, part, *words)
    same(calls(fleet), [])


def misused(lab, part, *words):
    """A mistake in the words that is told before any node is looked at."""
    r = lab.run("amt", *words, "a1")
    same((r.status, r.out), (2, ""), r)
    has(r.err, part)
    return r


@contextlib.contextmanager
def piped(lab, data):
    """A pipe that somebody writes to once there is a reader; he is not hung up on."""
    path = lab.path("pipe")
    if not os.path.exists(path):
        os.mkfifo(path)
    failed = []

    def write():
        try:
            with open(path, "wb", buffering=0) as f:
                f.write(data)
        except OSError as e:
            failed.append(e)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield
    if writer.is_alive():  # nobody has read it
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(10)
    same((failed, writer.is_alive()), ([], False))


def changes(fleet):
    """The calls that changed something since the counters were reset."""
    reads = (".Get", ".Enumerate", ".Pull", "GetLowAccuracyTimeSynch", "EnumerateUserAclEntries",
             "GetUserAclEntryEx", "GetAclEnabledState", "GetAdminAclEntry")
    # "Unknown" alone is a class that this firmware lacks; behind one that it has, a method that is none.
    return [c for c in calls(fleet) if c != "Unknown" and not c.endswith(reads)]


def calls(fleet):
    return fleet.device(1)["log"]


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def pair(lab, name, *more):
    key, cert = lab.path(f"{name}.key"), lab.path(f"{name}.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
            f"/O=Lab/CN={name}", "-keyout", key, "-out", cert, *more)
    return key, cert
