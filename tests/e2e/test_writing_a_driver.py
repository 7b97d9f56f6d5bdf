#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/writing-a-driver.md: every file in it is cut out, every command in it is run and prints what it says."""
import os
import re
import signal
import socket
import struct
import subprocess

from docslib import text_of
from kitlib import LONG, Copy
from lib import SOURCE, Started, main, same, test

DOCUMENT = "docs/writing-a-driver.md"


def files(text):
    """The blocks that say which file they are a piece of, put together in their order."""
    found = {}
    for name, body in re.findall(r"^```\w+ (\S+)\n(.*?)^```", text, re.M | re.S):
        found[name] = found.get(name, "") + body
    return found


def commands(text):
    """(command, output lines) of the console blocks; a line that begins with `> ` goes on."""
    for body in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
            lines = part.rstrip("\n").split("\n")
            command = [lines.pop(0)]
            while lines and lines[0].startswith("> "):
                command.append(lines.pop(0)[2:])
            yield "\n".join(command), lines


def fits(found, wanted):
    """Whether the lines are these; `...` stands for any."""
    regex = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in wanted)
    return re.fullmatch(regex, "".join(line + "\n" for line in found))


class Shell:
    """bash, told one command after the other."""

    def __init__(self, copy, folder):
        self.proc = subprocess.Popen(["bash", "--norc", "--noprofile"], cwd=folder, env=copy.env,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, start_new_session=True)
        signal.signal(signal.SIGALRM, self.give_up)

    def give_up(self, *_):
        raise AssertionError("the command took too long")

    def run(self, command):
        """The lines that it prints. It reads nothing."""
        self.proc.stdin.write(f"{{ {command}\n}} </dev/null\necho; echo --- end ---\n")
        self.proc.stdin.flush()
        signal.alarm(LONG)
        lines = []
        for line in self.proc.stdout:
            if line == "--- end ---\n":
                break
            lines.append(line.rstrip())
        else:
            raise AssertionError(f"the shell ended: {command}")
        signal.alarm(0)
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def close(self):
        """With what it has started."""
        signal.alarm(0)
        try:
            os.killpg(self.proc.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()


@test
def every_example(lab):
    """Every file of the document is built, and every command prints what the document says"""
    copy = Copy(lab)
    text = text_of(DOCUMENT)
    folder = lab.path("here")
    os.makedirs(folder)
    for name, body in files(text).items():
        lab.write(os.path.join("here", name), body)
    same(sorted(os.listdir(folder)), ["strip.c", "strip.py"])
    shell = lab.keep(Shell(copy, folder))
    count = 0
    for command, wanted in commands(text):
        found = shell.run(command)
        assert fits(found, wanted), f"{command}\nfound:  {found}\nwanted: {wanted}"
        count += 1
    assert count >= 18, count


@test
def both_conform(lab):
    """The template and the driver of the document pass the conformance tool that is installed with them"""
    copy = Copy(lab)
    tool = os.path.join(copy.prefix, "bin", "powerctl-driver-check")
    found = files(text_of(DOCUMENT))
    strip = copy.compile(lab.write("strip.c", found["strip.c"]), lab.path("p", "strip.so"))
    said = lab.path("said")
    with open(said, "w", encoding="utf-8") as stderr:
        server = subprocess.Popen(["python3", lab.write("strip.py", found["strip.py"])],
                                  stdout=subprocess.PIPE, stderr=stderr, text=True)
    lab.keep(Started(server))
    port = server.stdout.readline().strip()
    copy.run(tool, "--quick", "--address", "127.0.0.1", "--set", "port=" + port, "--set", "outlet=1",
             "--password-file", lab.write("password", "secret\n"), strip)
    with socket.create_connection(("127.0.0.1", int(port))) as gone:  # it goes without hearing the answers
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.sendall(b"LOGIN admin secret\n" * 2000)
    copy.run(tool, "--only", "device", "--address", "127.0.0.1", "--set", "port=" + port, "--set", "outlet=1",
             "--password-file", lab.path("password"), strip)
    with open(said, encoding="utf-8") as f:
        same(f.read(), "")
    lamp = copy.compile(os.path.join(copy.new("lamp"), "lamp.c"), lab.path("p", "lamp.so"))
    copy.run(tool, "--quick", "--set", "file=" + lab.write("machine", "off\n"), lamp)


@test
def every_block(_lab):
    """No block of code is left out: each is a file's, a session, or a protocol in words"""
    text = text_of(DOCUMENT)
    kinds = re.findall(r"^```([^\n]*)\n", text, re.M)[::2]
    for kind in kinds:
        assert kind in ("console", "") or re.fullmatch(r"(c|python) [\w.]+", kind), kind
    same(kinds.count(""), 1, "blocks that nobody runs")


@test
def classes_are_all(_lab):
    """The table of error classes has those of error.h that a driver can end an op with"""
    header = text_of("include/powerctl/error.h")
    known = set(re.findall(r"^\t(PCTL_E_\w+) = ", header, re.M))
    table = set(re.findall(r"^\| `(PCTL_E_\w+)` \|", text_of(DOCUMENT), re.M))
    # What the core makes of others, or a session needs, is no driver's first choice.
    same(known - table, {"PCTL_E_OUTCOME_UNKNOWN", "PCTL_E_SKIPPED", "PCTL_E_CANCELED", "PCTL_E_CONSENT"})


if __name__ == "__main__":
    assert SOURCE
    main()
