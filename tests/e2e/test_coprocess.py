#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl --coprocess as an expect script talks to it, and powerctl under powerman's name."""
import os
import select
import signal
import subprocess

from lib import PATIENCE, POWERCTL, has, main, same, test, until

PROMPT = "powerctl> "
FLEET = ("nodes:\n  n[1-4]: {driver: \"null\"}\n  n[2-3]: {state: on}\n  dead: {driver: \"null\", fail_reads: unreachable}\n"
         "  stuck: {driver: \"null\", fail: refused}\n  kept: {driver: \"null\", maintenance: \"PSU out\"}\n"
         "  slow: {driver: \"null\", latency: 600s}\n  safe: {driver: \"null\", state: on, protected: \"files\"}\n"
         "  asleep: {driver: \"null\", state: sleep}\n"
         "groups: {g: n1}\n")
ALL = "n[1-4],dead,stuck,kept,safe"


class Talk:
    def __init__(self, lab, *words, fleet=FLEET):
        lab.inventory(fleet)
        self.seen = ""
        self.proc = lab.start("--coprocess", *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        same(self.read(), [""])

    def read(self):
        """The lines up to the next prompt."""
        while PROMPT not in self.seen:
            assert select.select([self.proc.stdout], [], [], PATIENCE)[0], f"no prompt behind {self.seen!r}"
            part = os.read(self.proc.stdout.fileno(), 65536)
            assert part, f"it ended behind {self.seen!r}"
            self.seen += part.decode()
        answer, self.seen = self.seen.split(PROMPT, 1)
        return answer.split("\n")

    def write(self, data):
        os.write(self.proc.stdin.fileno(), data if isinstance(data, bytes) else data.encode())

    def ask(self, line):
        """Lines of nodes in order, and the last line."""
        self.write(line + "\n")
        lines = self.read()
        same(lines[-1], "")
        return sorted(lines[:-2]), lines[-2]


@test
def nobody_reads_the_first_prompt(lab):
    """it ends where its first word cannot be written"""
    lab.inventory(FLEET)
    with open("/dev/full", "wb") as full:
        proc = lab.start("--coprocess", ALL, stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE)
    until("it has ended", lambda: proc.poll() is not None)
    same(proc.returncode, 1)


@test
def answers(lab):
    """a line for each node, a last line, the prompt; whatever did not come about is counted as failed"""
    talk = Talk(lab, ALL)
    states = ["dead: unknown: unreachable: told to fail: unreachable", "kept: off", "n1: off", "n2: on", "n3: on",
              "n4: off", "safe: on", "stuck: off"]
    same(talk.ask("stat"), (states, "= failed 1"))
    same(talk.ask("status n[1-2]"), (["n1: off", "n2: on"], "= ok"))
    same(talk.ask("on n[1-3]"), (["n1: ok", "n2: ok", "n3: ok"], "= ok"))
    same(talk.ask("cycle n1 n2"), (["n1: ok", "n2: ok"], "= ok"))
    same(talk.ask("reset n[2-3],n4")[1], "= failed 1")
    same(talk.ask("identify-on n1"), (["n1: ok"], "= ok"))
    same(talk.ask("on n1,stuck"), (["n1: ok", "stuck: error: refused: told to fail: refused"], "= failed 1"))
    same(talk.ask("off kept"), (["kept: error: skipped: PSU out"], "= failed 1"))
    same(talk.ask("off safe")[1], "= failed 1")
    same(talk.ask(""), ([], "= ok"))
    has("\n".join(talk.ask("help")[0]), "identify-off: NODES")


@test
def garbage(lab):
    """what is no command harms nothing: odd names, bytes, endless lines; nodes it was not started for"""
    talk = Talk(lab, "n[1-2]")
    for line in ("on", "on @g", "on -x", "on n3", "on n9", "on null://x", "on n[1-", "frobnicate n1", "on -", "on *",
                 "stat n1 n3", "ON n1", "on $(id)", "on " + "n1 " * 99, "on n1\0n2"):
        lines, last = talk.ask(line)
        same(last, "= failed 1", line)
        has(lines[0], "error: ")
    same(talk.ask("\r"), ([], "= ok"))
    same(talk.ask("stat n1\r"), (["n1: off"], "= ok"))
    for _ in range(9):
        talk.write(b"\xff" * 65536)
    same(talk.ask("on n1"), (["error: the line is too long"], "= failed 1"))
    talk.write(b"stat n1\n" + b"x" * 262200 + b"\nstat n1\n")  # what ends it comes with what fills the room
    same(talk.read(), ["n1: off", "= ok", ""])
    same(talk.read(), ["error: the line is too long", "= failed 1", ""])
    same(talk.read(), ["n1: off", "= ok", ""])
    talk.write("stat n1\nstat n2\nst")
    same(talk.read(), ["n1: off", "= ok", ""])
    same(talk.read(), ["n2: on", "= ok", ""])
    same(talk.ask("at n1"), (["n1: off"], "= ok"))


@test
def ends(lab):
    """quit, the end of the input, a reader that leaves, signals: it ends, and with it what is under way"""
    talk = Talk(lab, "n1")
    talk.write("quit\n")
    same(talk.proc.wait(PATIENCE), 0)
    result = lab.run("coprocess", "n[1-2]", stdin="stat n1\nstat n2\nstat n1")
    same((result.status, result.out), (0, f"{PROMPT}n1: off\n= ok\n{PROMPT}n2: on\n= ok\n{PROMPT}"))
    for signum in (signal.SIGINT, signal.SIGTERM):
        talk = Talk(lab, "slow")
        gone = subprocess.Popen(["true"])
        gone.wait()
        left = lab.write(f"run/powerctl/holder.{gone.pid}", "killed")
        alive = lab.write(f"run/powerctl/holder.{os.getpid()}", "at work")
        talk.write("on slow\n")
        holder = lab.path("run", "powerctl", f"holder.{talk.proc.pid}")  # made by its first lock
        until("it is at it", lambda path=holder: os.path.exists(path) and os.path.getsize(path))
        same((os.path.exists(left), os.path.exists(alive)), (False, True))
        talk.proc.send_signal(signum)
        same((talk.proc.wait(PATIENCE), os.path.exists(holder)), (130, False))
    talk = Talk(lab, "slow")
    talk.write("on slow\n")
    talk.proc.stdout.close()
    talk.proc.stdin.close()
    same(talk.proc.wait(PATIENCE) in (0, 1), True)
    talk = Talk(lab, "slow", "--timeout", "100ms")
    same(talk.ask("stat slow"), (["slow: unknown: timeout: no answer in 100 ms"], "= failed 1"))
    same(lab.run("--coprocess", "n9").status, 2)
    same(lab.run("--coprocess", "--json", "n1").status, 2)


@test
def powerman(lab):
    """under powerman's name: three lines, its words and statuses, and a failure is called one"""
    lab.inventory(FLEET)
    for name in ("powerman", "powerctl-powerman", "powerctl-other"):
        os.symlink(POWERCTL, lab.path(name))

    def call(*words, name="powerman"):
        done = subprocess.run([lab.path(name), *words], env=lab.env, capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    same(call("-q", "n[1-4]"), (0, "on:      n[2-3]\noff:     n[1,4]\nunknown: \n", ""))
    same(call("-x", "-q", "n1", "n2", name="powerctl-powerman"), (0, "n1: off\nn2: on\n", ""))
    status, out, err = call("-q", "n1", "dead")
    same((status, out), (211, "on:      \noff:     n1\nunknown: dead\nQuery completed with errors\n"))
    has(err, "powerman: dead: unknown: unreachable: ")
    status, out, err = call("-q", "asleep")
    same((status, out), (211, "on:      \noff:     \nunknown: asleep\nQuery completed with errors\n"))
    has(err, "powerman: asleep: sleep")
    same(call("--on", "n[1-2]"), (0, "Command completed successfully\n", ""))
    status, out, err = call("-1", "n1,stuck")
    same((status, out), (210, "Command completed with errors\n"))
    has(err, "powerman: stuck: error: refused: ")
    same(call("-0", "kept")[:2], (210, "Command completed with errors\n"))
    same(call("-r", "n2")[:2], (0, "Command completed successfully\n"))
    same(call("-1", "nope,n1")[:2], (209, "No such nodes: nope\n"))
    same(call("-1", "@g")[0], 205)
    same(call("-l")[1], "asleep,dead,kept,n[1-4],safe,slow,stuck\n")
    same(len(call("-l", "-x")[1].splitlines()), 10)
    for words in ((), ("-1",), ("-1", "-0", "n1"), ("-l", "n1"), ("--zzz",), ("-a", "-q", "n1"), ("-g", "-q")):
        same((call(*words)[0], call(*words)[1]), (1, ""), words)
    same(call("-h", "h:1", "-q", "n1")[:2], (0, "on:      \noff:     n1\nunknown: \n"))
    has(call("--help")[1], "powerctl-powerman(1)")
    same(call("status", "n1", name="powerctl-other")[:2], (0, "n1: off\n"))


if __name__ == "__main__":
    main()
