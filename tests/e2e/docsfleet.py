# SPDX-License-Identifier: Apache-2.0
"""The machines that the documents speak of, and how their command lines are run.

`nuc[1-8]` are AMT machines at 10.0.0.[11-18], `c[001-040]` IPMI ones at 10.0.1.[1-40], c017 being in
maintenance, and `fs1` is protected. In documents:

    <!-- not run: WHY -->            in front of a block, or in the line of a command: counted
    <!-- with: nuc1 KNOB=VALUE; -->  likewise: something is wrong with machines that were met before
    <!-- with: no inventory -->      likewise
    <!-- goes on -->                 in front of a block: with the machines of the one before

In a ```console block each command prints what is below it (`...`: any lines), on a terminal; `echo $?`
tells its exit status, and what shows no output has to end well. So have the lines of a ```sh block
and each `powerctl ...` in the text, unless it is a pattern with words in capitals. In manual pages
the marks are comments, `; not run: WHY`.
"""
import multiprocessing
import os
import random
import re
import shlex
import shutil
import signal
import time
import traceback

from docslib import text_of
from ipmilib import low_port
from lib import (AMTSIM, BMCSIM, BUILD, PATIENCE, SOURCE, Lab, Sim, StandIns, Terminal,
                 end_by_signals, same)

NETWORK = "127.0.19."  # in the documents: 10.0.0.
BMC_NETWORK = "127.0.20."
PASSWORD = "P@ssw0rd"
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
WITH = re.compile(r"<!-- with: (.+?) -->")
GOES_ON = "<!-- goes on -->"
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.M | re.S)
PATTERN = re.compile(r"(?<![\w%@$])[A-Z]{2,}|\.\.\.")  # NODES, VERB, ...
PROMPTS = ((r"\[y/N\] $", "y\n"), (r"(?i)user[^\n]*: $", "admin\n"),
           (r"(?i)password[^\n]*: $", PASSWORD + "\n"), (r"~\. leaves[^\n]*\n", "\r~."),
           (r"powerctl> $", "quit\n"), (r"code \(empty: none\): $", "\n"))
# What a document may have run here; all else, and files elsewhere, would be the reader's machine.
HARMLESS = {"powerctl", "cat", "echo", "grep", "jq", "timeout", "ulimit"}


class Command:
    """One command line of a document, what it prints (None: anything), and what is said about it."""

    def __init__(self, text, lines, marks):
        self.text, self.lines, self.status = text, lines, None
        self.why_not, self.knobs = marks


def marks_of(before):
    """Why something is not run, and the knobs."""
    skip, knobs = NOT_RUN.search(before), WITH.search(before)
    return skip and skip.group(1), knobs.group(1).split("; ") if knobs else []


def must_be_harmless(text):
    """Nothing but programs that read, and files of its own folder that are written."""
    assert not text.startswith("#!"), f"a script is not run: <!-- not run: WHY -->\n{text}"
    lexer = shlex.shlex(text.split("\n")[0], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    first, to = True, False
    for word in lexer:
        assert not (first and not re.match(r"[()]", word) and word not in HARMLESS), (
            f"{word} is not run on the reader's machine: <!-- not run: WHY -->\n{text}")
        assert not (to and re.search(r"^[/~]|\.\.|\$", word)), f"{word} is no file of the test's own: {text}"
        first, to = bool(re.fullmatch(r"[|;&(]+", word)), ">" in word


def console(body, marks):
    found = []
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        text, *lines = part.rstrip("\n").split("\n")
        while lines and lines[0].startswith("> "):
            text += "\n" + lines.pop(0)[2:]
        if text == "echo $?":
            found[-1].status = int(lines[0])
        else:
            found.append(Command(text, lines, marks))
    return found


def shell(body, marks):
    body = re.sub(r"\\\n\s*|(?<=\|)\n\s*", " ", body)
    whole = [body] if body.startswith("#!") else body.split("\n")
    return [Command(line, None, marks) for line in whole
            if line.strip() and not line.startswith("# ")]


def commands(path):
    """All command lines of a document, in order; of a manual page those of its examples."""
    text, kinds = text_of(path), {"console": console, "sh": shell}
    if path.endswith(".scd"):
        text = re.sub(r"^; (.*)$", r"<!-- \1 -->", text[text.index("# EXAMPLES"):], flags=re.M)
        kinds[""] = shell
    found, at, marks = [], 0, None
    for fence in [*FENCE.finditer(text), None]:
        prose = text[at:fence.start()] if fence else text[at:]
        for line in prose.split("\n"):
            assert not re.search(r"`powerctl\b[^`]*$", line), f"{path}: a command in two lines: {line}"
            for inline in re.findall(r"`(powerctl [^`]+)`", line):
                if not PATTERN.search(inline):
                    found.append(Command(inline.replace("\\|", "|"), None, marks_of(line)))
        if fence:
            before = re.search(r"(?:<!-- [^\n]* -->\s*)*\Z", prose)[0]
            marks = marks if GOES_ON in before else marks_of(before)
            found += kinds[fence[1]](fence[2], marks) if fence[1] in kinds else []
            at = fence.end()
    return found


def bmcs():
    for left in (3, 2, 1, 0):
        try:
            return Sim([BMCSIM, "--devices", "40", "--address", BMC_NETWORK + "1",
                        "--port", str(low_port()),
                        "--set", "all:suites=3,17",
                        "--set", f"all:users=admin:admin:{PASSWORD},root:admin:{PASSWORD}"])
        except AssertionError:  # somebody else was quicker to take the port
            if not left:
                raise


class DocsFleet:
    """The machines, as they are when a document begins."""

    def __init__(self, lab):
        self.lab, self.amt, self.bmc = lab, None, None
        lab.env["PATH"] = os.path.join(BUILD, "bin") + ":/usr/sbin:/usr/bin:/sbin:/bin"
        lab.env["TERM"] = "dumb"
        lab.env["XDG_CONFIG_HOME"] = lab.path("home", ".config")

    def close(self):
        for one in (self.amt, self.bmc):
            if one:
                one.close()
                self.lab.started.remove(one)

    def begin(self, knobs=()):
        """All machines as new, but those that knobs speak of, which have been met before."""
        lab = self.lab
        self.close()
        self.amt = StandIns(lab, Sim([
            AMTSIM, "--devices", "9", "--address", NETWORK + "11", "--port", "0",
            "--tls-port", "0", "--set", "all:firmware=15.0.42", "--set",
            "all:power_package=1"]), 9)
        self.bmc = StandIns(lab, bmcs(), 40)
        for folder in ("state", "cache", "home"):
            shutil.rmtree(lab.path(folder), ignore_errors=True)
        shutil.copytree(os.path.join(SOURCE, "tests/vectors/import"), lab.path("home"))
        lab.write("home/.config/amtctrl/hosts.cfg", lab.read("home/hosts.cfg"))
        shutil.copy(lab.path("home/xcat.stanza"), lab.path("home/nodes.stanza"))
        lab.write("home/nodes.txt", "c[001-004]\n")
        if "no inventory" in knobs:
            return
        self.inventory()
        if knobs:
            lab.run("status", ",".join({knob.split()[0] for knob in knobs}))
        for knob in knobs:
            self.knob(knob)

    def ports(self):
        amt, bmc = (one.sim.ready["devices"][0] for one in (self.amt, self.bmc))
        return amt["port"], amt["tls_port"], bmc["port"]

    def inventory(self):
        lab = self.lab
        for name in ("nucs", "bmc"):
            lab.write(f"home/.config/powerctl/secrets/{name}", PASSWORD + "\n")
        port, tls_port, bmc_port = self.ports()
        consoles = "".join(
            f"  nuc{d['n']}: {{redirection_port: {d['redirection_port']}, "
            f"redirection_tls_port: {d['redirection_tls_port']}"
            f"{', timeouts: {connect: 1s}' if d['n'] == 7 else ''}}}\n"
            for d in self.amt.sim.ready["devices"][:8])
        lab.write("home/.config/powerctl/powerctl.yaml", f"""\
credentials:
  nucs: {{username: admin, password_file: secrets/nucs}}
  bmc: {{username: admin, password_file: secrets/bmc}}
nodes:
  nuc[1-8]: {{driver: amt, credential: nucs, tags: [lab], ready: {{tcp: {port}, host: "{NETWORK}[11-18]"}},
    address: "{NETWORK}[11-18]", port: {port}, tls_port: {tls_port}}}
  c[001-040]: {{driver: ipmi, credential: bmc, tags: [batch],
    address: "{BMC_NETWORK}[1-40]", port: {bmc_port}}}
{consoles}  c017: {{maintenance: "PSU out, ticket 4711"}}
  fs1: {{driver: "null", protected: home folders of everybody}}
groups:
  rack1: c[001-020]
  rack2: c[021-040]
""")

    def knob(self, text):
        name, knob = text.split(" ", 1)
        kind, n = re.fullmatch(r"(nuc|c)(\d+)", name).groups()
        key, _, value = knob.partition("=")
        (self.amt if kind == "nuc" else self.bmc).set(int(n), **{key: value})

    def shown(self, text):
        """As a document has it: without what differs from run to run."""
        text = text.replace(NETWORK, "10.0.0.").replace(BMC_NETWORK, "10.0.1.")
        text = text.replace(self.lab.path("home"), "~")
        text = text.replace(self.lab.path("state"), "~/.local/state")
        return [line.rstrip() for line in plain(text) if line.strip()]

    def run(self, command):
        """Runs one on a terminal; its status and what stays on the screen."""
        text = command.text.replace("10.0.0.", NETWORK).replace("10.0.1.", BMC_NETWORK)
        text = text.replace("/etc/powerman/", "")
        port, tls_port, bmc_port = self.ports()
        if text.startswith(("powerctl add ", "powerctl discover ")):
            text = text.partition(" #")[0]  # the stand-ins' ports are not those of the devices
        if text.startswith("powerctl add "):
            text += (f" --driver ipmi --set port={bmc_port}" if BMC_NETWORK in text else
                     f" --driver amt --set port={port} --set tls_port={tls_port}")
        elif text.startswith("powerctl discover "):
            text += f" --set amt.port={port} --set amt.tls_port={tls_port}"
        env = self.lab.env
        terminal = self.lab.keep(Terminal(
            ["bash", "-c", f"cd {self.lab.path('home')}\n{text}"], env))
        answered, until = 0, time.monotonic() + PATIENCE
        while terminal.read(until):
            new = terminal.seen[answered:]
            for prompt, answer in PROMPTS:
                if re.search(prompt, new):
                    answered = len(terminal.seen)
                    terminal.send(answer)
        assert time.monotonic() < until, (
            f"{command.text}\nhas not ended after {PATIENCE} s: {terminal.seen!r}")
        return terminal.end(), terminal.settled


def plain(text):
    """Without what differs from run to run."""
    for pattern, to in ((r'"time":"[^"]*"', '"time":"T"'), (r'"elapsed_ms":\d+', '"elapsed_ms":0'),
                        (r"\bin \d+(\.\d+)? m?s\b", "in N s"), (r"\b\d+ ms\b", "N ms"),
                        (r"pid \d+", "pid N"), (r"\b\d\d:\d\d\b(?!:)", "HH:MM"),
                        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
                        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"), (r"\b[0-9A-F]{32,64}\b", "HEX"),
                        (r"\b[0-9a-f]{32,64}\b", "HEX"), (r"/\S*/powerctl\.yaml", "powerctl.yaml")):
        text = re.sub(pattern, to, text)
    return text.split("\n")


def matches(found, wanted):
    """Line by line, `...` being any lines."""
    if not wanted:
        return not found
    if wanted[0] == "...":
        return any(matches(found[i:], wanted[1:]) for i in range(len(found) + 1))
    return bool(found) and found[0] == wanted[0] and matches(found[1:], wanted[1:])


def check(fleet, path, command):
    """Runs one command of a document, and holds the document to what comes of it."""
    status, settled = fleet.run(command)
    what = f"{path}: {command.text}\nended with {status}: {settled}"
    if command.lines:
        wanted = [line for text in plain("\n".join(command.lines)) if (line := text.rstrip())]
        found = fleet.shown(settled)
        assert matches(found, wanted), what + f"\nfound:  {found}\nwanted: {wanted}"
    words = command.text.split()
    if status == 2 and len(words) == 2 and command.lines is None:  # it is spoken of, not given
        same(fleet.lab.run("help", words[1]).status, 0, what)
    elif command.status is not None or not command.lines:
        same(status, command.status or 0, what + "\n(<!-- not run: WHY --> if it cannot be)")


def run_pages(paths):
    """What run_page() has to say of each."""
    # Nearly all of it is waiting; processes, since threads and forks do not go together.
    with multiprocessing.get_context("fork").Pool(4, die_at_once) as pool:
        pages = {path: pool.apply_async(run_page, (path,)) for path in paths}
        until = time.monotonic() + 4 * PATIENCE
        for page in pages.values():
            page.wait(max(0, until - time.monotonic()))
        lacking = [path for path, page in pages.items() if not page.ready()]
        assert not lacking, f"{lacking}: no end after {4 * PATIENCE} s, or their process died"
        pool.close()
        pool.join()
        return [page.get() for page in pages.values()]


def die_at_once():
    """
    A process that waits for its next page has nothing to tidy up. With a handler in Python, a signal
    that comes just before it waits would be seen after it, which is never.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def run_page(path):
    """How many of its commands were run, those that were not, and what was wrong, in a process of its own."""
    end_by_signals()
    try:
        return run_commands(path)
    finally:
        die_at_once()


def run_commands(path):
    random.seed()  # or all processes would try the same ports
    ran, not_run, knobs = 0, [], None
    try:
        with Lab() as lab:
            fleet = DocsFleet(lab)
            for command in commands(path):
                if command.why_not:
                    not_run.append(f"{path}: {command.text.splitlines()[0]}: {command.why_not}")
                    continue
                # Each block with knobs begins anew, and so does what is behind it.
                if knobs is None or (command.knobs is not knobs and (command.knobs or knobs)):
                    fleet.begin(command.knobs)
                knobs = command.knobs
                must_be_harmless(command.text)
                check(fleet, path, command)
                ran += 1
    except Exception:  # pylint: disable=broad-except
        return ran, not_run, traceback.format_exc()
    return ran, not_run, None
