# SPDX-License-Identifier: Apache-2.0
"""What a bench found, for people: a table as it grows, the goals, and both in Markdown."""
import os
import platform
import re
import subprocess
import time

from benchlib import BUILD, POWERCTL
from clients import CURL
from ipmilib import IPMIPOWER, IPMITOOL

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def number(value, scale, places, unit):
    return "-" if value is None else f"{value * scale:.{places}f}{unit}"


def wall(seconds):
    return number(seconds, 1, 2, " s") if seconds >= 10 else number(seconds, 1e3, 1, " ms")


def per_node(result, field):
    value = result.median(field)
    return number(None if value is None else value / result.client.nodes, 1, 2, "")


LEGEND = """\
`status`, each login cold; medians of interleaved rounds, best is of wall. x: times powerctl's.
requests, conns: per node, as the stand-in counted; open: connections at once; stand-in: its CPU per
request; answers: of the worst round.
"""
# Heading, width (negative: to the left), what a cell shows of a result and of the row's first one.
COLUMNS = (
    ("row", -18, lambda r, us: r.row.name),
    ("nodes", 6, lambda r, us: str(r.client.nodes)),
    ("client", -24, lambda r, us: r.client.name),
    ("wall", 10, lambda r, us: wall(r.median("wall"))),
    ("best", 10, lambda r, us: wall(r.least("wall"))),
    ("x wall", 7, lambda r, us: number(r.median("wall") / us.median("wall"), 1, 2, "")),
    ("CPU/node", 9, lambda r, us: number(r.median("device_cpu"), 1e6, 0, " us")),
    ("x CPU", 7, lambda r, us: number(r.median("device_cpu") / us.median("device_cpu"), 1, 2, "")),
    ("peak", 9, lambda r, us: number(r.median("peak"), 1 / 1024, 1, " MB")),
    ("requests", 9, lambda r, us: per_node(r, "requests")),
    ("conns", 6, lambda r, us: per_node(r, "connections")),
    ("open", 5, lambda r, us: number(r.most("open"), 1, 0, "")),
    ("stand-in", 9, lambda r, us: number(r.median("sim_cpu"), 1e6, 0, " us")),
    ("answers", 8, lambda r, us: number(r.least("answers"), 1, 0, "")),
)


class Table:
    def __init__(self):
        self.cells = []

    @staticmethod
    def line(cells):
        return "  ".join(cell.ljust(-width) if width < 0 else cell.rjust(width)
                         for cell, (_, width, _) in zip(cells, COLUMNS)).rstrip()

    def head(self):
        return self.line([heading for heading, _, _ in COLUMNS])

    def add(self, results):
        """The lines of a row's results."""
        results = list(results)
        for result in results:
            self.cells.append([show(result, results[0]) for _, _, show in COLUMNS])
            yield self.line(self.cells[-1])

    def markdown(self):
        yield "| " + " | ".join(heading for heading, _, _ in COLUMNS) + " |"
        yield "|" + "|".join(":--" if width < 0 else "--:" for _, width, _ in COLUMNS) + "|"
        for cells in self.cells:
            yield "| " + " | ".join(cells) + " |"


# --- Goals -----------------------------------------------------------------------------------


def is_met(goal, value):
    return value is not None and value <= goal.most


def amount(value, unit):
    if value is None:
        return "-"
    return {"": f"{value:.2f}", "c": f"{value:.0f}"}.get(unit) or f"{value:.1f} {unit}"


def goal_cells(row, goal, value):
    return (row, goal.what, amount(value, goal.unit), amount(goal.most, goal.unit),
            "met" if is_met(goal, value) else "not measured" if value is None else "MISSED")


def goals_text(goals):
    lines = [("goal of", "", "is", "at most", ""), *(goal_cells(*one) for one in goals)]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) if i in (0, 1, 4) else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


# --- Markdown --------------------------------------------------------------------------------


def first_line(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "?"
    return (done.stdout or done.stderr).split("\n", 1)[0].strip()


def found(pattern, path):
    try:
        with open(path, encoding="utf-8") as text:
            match = re.search(pattern, text.read(), re.M)
    except OSError:
        return "?"
    return match.group(1).strip() if match else "?"


def load():
    return f"{os.getloadavg()[0]:.1f}"


def machine():
    """Lines about what it was measured on and with."""
    cache = os.path.join(BUILD, "CMakeCache.txt")
    gigabytes = int(found(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) / 1048576
    versions = ["libcurl " + first_line("pkg-config", "--modversion", "libcurl")]
    versions += [first_line(program, option).split("(")[0].replace(" - ", " ") for program, option
                 in ((CURL, "--version"), (IPMIPOWER, "--version"), (IPMITOOL, "-V")) if program]
    return [
        f"Measured on {time.strftime('%Y-%m-%d')} with {first_line(POWERCTL, '--version')}.",
        f"Machine: {os.cpu_count()} cores of {found(r'^model name.*: (.*)', '/proc/cpuinfo')},"
        f" {gigabytes:.0f} GiB; Linux {re.match(r'[0-9.]+', platform.release())[0].rstrip('.')};"
        f" {found(r'^PRETTY_NAME=.(.*).$', '/etc/os-release')}"
        f" ({found(r'(.*)', '/etc/debian_version')}).",
        f"Compiler: {first_line(found(r'^CMAKE_C_COMPILER:[A-Z]+=(.*)', cache), '--version')},"
        f" {found(r'^CMAKE_BUILD_TYPE:[A-Z]+=(.*)', cache)}.",
        "Others: " + ", ".join(word.strip() for word in versions if word) + ".",
        f"Load of the machine when it began: {load()}."]


def results_markdown(about, table, goals):
    yield from about
    yield ""
    yield from table.markdown()
    if goals:
        yield ""
        yield "| row | goal | is | at most | |"
        yield "|:--|:--|--:|--:|:--|"
        for one in goals:
            yield "| " + " | ".join(goal_cells(*one)) + " |"


def write_markdown(path, about, table, goals):
    text = BEGIN + "\n" + "\n".join(results_markdown(about, table, goals)) + "\n" + END
    try:
        with open(path, encoding="utf-8") as old:
            around = old.read()
    except FileNotFoundError:
        around = ""
    head, begin, rest = around.partition(BEGIN)
    _, end, tail = rest.partition(END)
    with open(path, "w", encoding="utf-8") as out:
        out.write(head + text + tail if begin and end else around + text + "\n")
