#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wait ready, --until ready: the machine's own test, a TCP port or a command."""
import json
import os
import signal
import socket
import subprocess

from amtlib import Fleet
from lib import PATIENCE, SOURCE, bad, good, has, main, same, test, until
from schema import check_schema

QUICK = "poll: 50ms, ready: 1s"


class Port:
    """A TCP port that is somebody's all the time, and open only when told so."""

    def __init__(self, lab, address="127.0.0.1"):
        self.address = address
        self.socket = self.listener = None
        self.bind(0)
        self.number = self.socket.getsockname()[1]
        lab.keep(self)

    def bind(self, number):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((self.address, number))

    def open(self):
        self.socket.listen(64)
        return self

    def shut(self):
        self.socket.close()
        self.bind(self.number)

    def close(self):
        self.socket.close()


def inventory(lab, ready, node="n1", more="", times=QUICK):
    lab.inventory(f'nodes:\n  "{node}": {{driver: "null", timeouts: {{{times}}}, ready: {ready}'
                  f"{', ' + more if more else ''}}}\n")


def begin(lab, *args, **how):
    """powerctl with its decisions on stderr, which say what every try came to."""
    return lab.start(*args, "-vv", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def told(proc, part):
    """Waits until stderr says so."""
    seen = ""
    for line in proc.stderr:
        seen += line
        if part in line:
            return line
    raise AssertionError(f"no {part!r} in {seen!r}")


def ended(proc, status, out):
    said, _ = proc.communicate(timeout=PATIENCE)
    same((proc.returncode, said), (status, out))


# --- wait ready. ----------------------------------------------------------------------------------

@test
def port(lab):
    """wait ready: until the port is open; nobody is asked for power or secrets"""
    one = Port(lab)
    inventory(lab, f"{{tcp: {one.number}, host: 127.0.0.1}}", times="poll: 50ms",
              more="state: 'off', fail_reads: auth, username: u, password_file: /not/there")
    proc = begin(lab, "wait", "ready", "n1")
    told(proc, "connection refused")
    assert proc.poll() is None
    one.open()
    ended(proc, 0, "n1: ok\n")
    row = lab.run("wait", "ready", "--json", "n1").json[0]
    with open(os.path.join(SOURCE, "docs", "powerctl-result.schema.json"), encoding="utf-8") as f:
        check_schema(row, json.load(f))
    same((row["verb"], row["ok"], row["state"], row["changed"]), ("wait", True, None, False))


@test
def names(lab):
    """the node's name is where the machine is; host: says otherwise, and pairs with the names"""
    first = Port(lab, "127.0.0.2").open()
    inventory(lab, f"{{tcp: {first.number}}}", node="127.0.0.2", more="address: 127.0.0.3")
    good(lab.run("wait", "ready", "127.0.0.2"), "127.0.0.2: ok")
    inventory(lab, f'{{tcp: {first.number}, host: "127.0.0.[1-2]"}}', node="n[1-2]")
    r = lab.run("wait", "ready", "--sort", "-v", "n[1-2]")
    same(r.status, 1, r)
    has(r.lines[0], f"n1: error: timeout: not ready in 1 s: connection refused at port {first.number}")
    has(r.lines[0], " (127.0.0.1; ")
    same(r.lines[1], "n2: ok")
    inventory(lab, "{tcp: 22, host: no-such-host.invalid}", times="poll: 50ms, ready: 300ms")
    r = lab.run("wait", "ready", "n1")
    has(r.out, "n1: error: timeout: not ready in 300 ms: no address for its name (")
    has(r.out, "`ready: {host: ADDRESS}` says where it is")
    inventory(lab, '{tcp: 22, host: "h[1-3]"}', node="n[1-2]")
    has(lab.run("wait", "ready", "n1").err, "both must name equally many")


@test
def commands(lab):
    """a command: without a shell, told about the node, its last line is the reason"""
    script = lab.write("test.sh", 'env > "$1.$POWERCTL_NODE"\n'
                       '[ -e "$2" ] && exit 0\necho first\necho "not yet: $POWERCTL_HOST"\nexit 3\n')
    mark, dump = lab.path("mark"), lab.path("env")
    inventory(lab, f'{{command: [sh, {script}, {dump}, {mark}], host: machine}}',
              more="address: 10.0.0.5")
    r = bad(lab.run("wait", "ready", "n1", env={"POWERCTL_PASSWORD": "hush"}), 1)
    same(r.out, "n1: error: timeout: not ready in 1 s: 'sh' ended with 3: not yet: machine\n")
    env = lab.read("env.n1").splitlines()
    for line in ("POWERCTL_NODE=n1", "POWERCTL_HOST=machine", "POWERCTL_ADDRESS=10.0.0.5",
                 "POWERCTL_DRIVER=null"):
        assert line in env, (line, env)
    assert not [line for line in env if "hush" in line], env
    lab.write("mark", "")
    good(lab.run("wait", "ready", "n1"), "n1: ok")
    inventory(lab, '{command: ["kill-me-not", "a;b"]}')
    r = lab.run("wait", "ready", "n1")
    same((r.status, r.out), (2, ""), r)
    has(r.err, "ready: there is no program 'kill-me-not' that could be run")


@test
def both(lab):
    """a port and a command: the command is not run before the port is open"""
    one, ran = Port(lab), lab.path("ran")
    inventory(lab, f'{{tcp: {one.number}, host: 127.0.0.1, command: [touch, {ran}]}}')
    has(lab.run("wait", "ready", "n1").out, "connection refused")
    assert not os.path.exists(ran)
    one.open()
    good(lab.run("wait", "ready", "n1"), "n1: ok")
    assert os.path.exists(ran)


@test
def killed(lab):
    """a command that hangs is killed with its children; one that leaves children is not waited for"""
    pids = lab.path("pids")
    inventory(lab, f'{{command: [sh, -c, "sleep 1000 & echo $! >> {pids}; wait"], timeout: 200ms}}')
    r = lab.run("wait", "ready", "n1")
    same(r.out, "n1: error: timeout: not ready in 1 s: 'sh' did not end in 200 ms\n")
    for pid in lab.read("pids").split():
        until(f"{pid} is gone", lambda pid=pid: not alive(pid))
    inventory(lab, f'{{command: [sh, -c, "sleep 1000 & echo $! > {pids}"]}}')
    good(lab.run("wait", "ready", "n1"), "n1: ok")
    os.kill(int(lab.read("pids")), signal.SIGKILL)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().split(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@test
def many(lab):
    """all nodes are tried at once, whatever their login; of commands 32 run at a time"""
    runs, go = lab.path("runs"), lab.path("go")
    os.mkdir(runs)
    secret = lab.write("secret", "x\n")
    script = lab.write("test.sh", f'touch {runs}/$POWERCTL_NODE; ls {runs} | wc -l >> {runs}.n\n'
                       f'while ! [ -e {go} ]; do sleep 0.02; done; rm {runs}/$POWERCTL_NODE\n')
    lab.inventory(f'credentials: {{c: {{username: u, password_file: {secret}}}}}\n'
                  f'nodes:\n  "n[1-50]": {{driver: "null", credential: c, '
                  f'ready: {{command: [sh, {script}], timeout: 50s}}}}\n')
    proc = lab.start("wait", "ready", "-a", "--fold", stdout=subprocess.PIPE, text=True)
    until("as many run as may and have counted each other",
          lambda: os.path.exists(runs + ".n") and len(lab.read("runs.n").split()) >= 32)
    lab.write("go", "")
    ended(proc, 0, "n[1-50]: ok\n")
    numbers = [int(n) for n in lab.read("runs.n").split()]
    same((len(numbers), max(numbers)), (50, 32))


# --- --until ready. -------------------------------------------------------------------------------

@test
def until_ready(lab):
    """on --until ready: on and confirmed first, then the test; others may have the node meanwhile"""
    one = Port(lab)
    inventory(lab, f"{{tcp: {one.number}, host: 127.0.0.1}}", times="poll: 50ms",
              more=f"state_file: {lab.path('n1.state')}")
    proc = begin(lab, "on", "--until", "ready", "n1")
    told(proc, "connection refused")
    same(lab.read("n1.state"), "on\n")
    good(lab.run("on", "n1", "--timeout", "5s"), "n1: on")
    one.open()
    ended(proc, 0, "n1: on\n")
    for verb in (["reboot"], ["boot", "pxe"], ["pxeboot"], ["cycle"], ["reset"]):
        lab.write("n1.state", "off\n")
        more = ["--on-if-off"] if verb[0] in ("cycle", "reset") else []
        good(lab.run(*verb, *more, "--until", "ready", "n1"), "n1: on")


@test
def late(lab):
    """the time is over: on is known, the reason said, equal ones fold"""
    one = Port(lab)
    inventory(lab, f'{{tcp: {one.number}, host: "127.0.0.[1-3]"}}', node="n[1-3]")
    r = lab.run("on", "--until", "ready", "--fold", "n[1-3]")
    same(r.out, "n[1-3]: error: timeout: on, but not ready in 1 s: connection refused at port "
         f"{one.number}\n")
    row = lab.run("on", "--until", "ready", "--json", "n1").json[0]
    same((row["state"], row["error"]["class"], row["error"]["code"]), ("on", "timeout", "127.0.0.1"))
    r = lab.run("on", "--until", "ready", "--timeout", "400ms", "--exit-class", "n1")
    has(r.out, "on, but not ready in 400 ms: ")
    same(r.status, 5)


@test
def not_too_early(lab):
    """a restart: an open port counts only after it was closed once"""
    one = Port(lab).open()
    inventory(lab, f"{{tcp: {one.number}, host: 127.0.0.1}}", more="state: 'on'",
              times="poll: 50ms, ready: 20s")
    for verb in ("reboot", "reset", "cycle", "pxeboot"):
        one.open()
        proc = begin(lab, verb, "--until", "ready", "n1")
        told(proc, "passed, but it has not failed since the restart")
        told(proc, "passed, but it has not failed since the restart")
        one.shut()
        told(proc, "connection refused")
        assert proc.poll() is None
        one.open()
        ended(proc, 0, "n1: on\n")


@test
def confirmed_first(lab):
    """a restart: what passes before the power is confirmed does not end the verb"""
    one = Port(lab).open()
    inventory(lab, f"{{tcp: {one.number}, host: 127.0.0.1}}",
              more="state: 'on', transition: 1500ms", times="poll: 50ms, ready: 20s")
    proc = begin(lab, "reboot", "--until", "ready", "--json", "n1")
    told(proc, "passed, but it has not failed since the restart")
    one.shut()
    told(proc, "connection refused")
    one.open()
    row = json.loads(proc.communicate(timeout=PATIENCE)[0])
    same((row["ok"], row["state"], row["elapsed_ms"] >= 1500), (True, "on", True), row)


@test
def never_failed(lab):
    """a restart that its test never noticed: not known, and said; seen off in between: known"""
    one = Port(lab).open()
    ready = f"{{tcp: {one.number}, host: 127.0.0.1}}"
    inventory(lab, ready, more="state: 'on'")
    r = bad(lab.run("reboot", "--until", "ready", "n1"), 1)
    same(r.out, "n1: error: timeout: on, but whether it restarted is not known: its ready test has "
         "not failed once in 1 s since 'cycle' was accepted\n")
    inventory(lab, ready, more="state: 'on', no_cycle: true", times=QUICK + ", outage: 300ms")
    row = lab.run("reboot", "--until", "ready", "--json", "n1").json[0]
    same((row["ok"], row["state"], row["confirmed"]), (True, "on", "seen"))
    Fleet(lab, "--state", "on", "--set", "all:transition_ms=800", "--set", "all:transition_state=8",
          settings=f"ready: {ready}", timeouts="poll: 100ms, ready: 1s")
    row = lab.run("reboot", "--until", "ready", "--json", "a1").json[0]
    same((row["ok"], row["state"], row["confirmed"]), (True, "on", "seen"), row)


@test
def same_endpoint(lab):
    """nodes behind one endpoint take turns for the power, not for what follows"""
    shut, opened = Port(lab), Port(lab).open()
    lab.inventory(f'classes: {{c: {{driver: "null", address: 10.0.0.1, timeouts: {{{QUICK}}}}}}}\nnodes:\n'
                  f"  n1: {{class: c, ready: {{tcp: {shut.number}, host: 127.0.0.1}}}}\n"
                  f"  n2: {{class: c, ready: {{tcp: {opened.number}, host: 127.0.0.1}}}}\n")
    for args, word in ((["on", "--until", "ready"], "on"), (["wait", "ready"], "ok")):
        r = lab.run(*args, "n1", "n2")
        same((r.status, r.lines[0]), (1, f"n2: {word}"), r)
        has(r.lines[1], "n1: error: timeout: ")


@test
def interrupted(lab):
    """^C and --deadline: what is known is reported"""
    one = Port(lab)
    inventory(lab, f"{{tcp: {one.number}, host: 127.0.0.1}}", times="poll: 50ms")
    proc = begin(lab, "on", "--until", "ready", "n1")
    told(proc, "connection refused")
    proc.send_signal(signal.SIGINT)
    ended(proc, 130, "n1: error: canceled: interrupted; 'on' was accepted, last read: on; not "
          f"ready: connection refused at port {one.number}\n")
    r = lab.run("wait", "ready", "--deadline", "300ms", "n1")
    same(r.out, "n1: error: timeout: the command's time was over; not ready: connection refused at "
         f"port {one.number}\n")
    inventory(lab, '{command: [sleep, "1000"]}')
    has(lab.run("wait", "ready", "--deadline", "300ms", "n1").out, "the command's time was over")


# --- Before anything is sent. ---------------------------------------------------------------------

@test
def mistakes(lab):
    """no test, a wrong word: exit 2 with the line to add, and nothing is sent"""
    state = lab.path("n1.state")
    lab.inventory('classes: {c: {driver: "null"}}\nnodes:\n'
                  f'  n1: {{class: c, ready: {{tcp: 22}}, state_file: {state}}}\n'
                  '  "n[2-4]": {class: c}\n  n5: {class: c, maintenance: "ticket 1"}\n')
    for args in (["wait", "ready"], ["on", "--until", "ready"]):
        r = lab.run(*args, "n[1-5]")
        same((r.status, r.out), (2, ""), r)
        has(r.err, "n[2-4]: nothing says when the machine is ready; ")
        has(r.err, "`ready: {tcp: 22}`")
    assert not os.path.exists(state)
    r = lab.run("on", "--until", "redy", "n1")
    same((r.status, r.err), (2, "powerctl: --until: 'redy' is nothing to wait for; it is one of: "
                             "ready\n"))
    r = lab.run("on", "--until", "ready", "--no-wait", "n1")
    has(r.err, "--no-wait and --until exclude each other")
    has(lab.run("off", "--until", "ready", "n1").err, "--until is no option of off")
    has(lab.run("wait", "redy", "n1").err, "did you mean 'ready'?")
    for wrong, said in (("{tcp: x}", "a number from 0 to 65535"), ("{udp: 1}", "tcp, command, host"),
                        ("{command: true}", "a list"), ("{tcp: 1, timeout: long}", "a duration")):
        inventory(lab, wrong)
        has(lab.run("wait", "ready", "n1").err, said)
    same(lab.run("wait", "ready", "n5").status, 2)  # of the inventory that has a mistake
    inventory(lab, "{tcp: 22}")
    has(lab.run("caps", "n1").out, "ready: true")
    good(lab.run("on", "--until", "ready", "--dry-run", "n1"),
         "n1: ok: would send 'on'; it is off")


main()
