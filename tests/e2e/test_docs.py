#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents rot unless something reads them: every example, sample, link and manual page is tried."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import docsfleet
from docsfleet import DocsFleet
from docslib import blocks, markdown, text_of
from lib import BUILD, SOURCE, Skip, has, main, same, skip, test

OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")


def pages():
    """The documents whose command lines are run; docs/writing-a-driver.md has a test of its own."""
    found = glob.glob("docs/**/*.md", root_dir=SOURCE, recursive=True)
    return ["README.md", "cli/powerctl.1.scd", *sorted(set(found) - {"docs/writing-a-driver.md"})]


@test
def command_lines(_lab):
    """Every command line of README.md and docs/ does what is said there"""
    for driver in ("amt", "ipmi", "fence"):
        if not os.path.exists(os.path.join(BUILD, "plugins", driver + ".so")):
            skip(f"the driver {driver} is not built")
    done = docsfleet.run_pages(pages()[::-1])  # the longest first
    not_run = [line for _, lines, _ in done for line in lines]
    ran = sum(count for count, _, _ in done)
    print(f"# {ran} command lines were run, {len(not_run)} were not:")
    for line in not_run:
        print(f"#   {line}")
    wrong = [why for _, _, why in done if why]
    assert not wrong, "\n".join(wrong)
    assert ran > 150, f"only {ran} were run"


@test
def troubleshooting(_lab):
    """docs/troubleshooting.md has the classes of errors as they are"""
    output_of([sys.executable, os.path.join(SOURCE, "scripts/troubleshooting"), "--check"], "")


def commands_of(text):
    """All command lines of powerctl in the documents' blocks, as words."""
    for body in blocks(text, "sh", "console", ""):
        for line in body.split("\n"):
            line = re.sub(r"^\$ ", "", line.strip())
            if line.startswith("powerctl "):
                yield shlex.split(line.split(" | ")[0], comments=True)[1:]


def driver_pages():
    """The manual pages of drivers."""
    return sorted(os.path.relpath(path, SOURCE)
                  for path in glob.glob(os.path.join(SOURCE, "plugins/*/powerctl-*.7.scd")))


@test
def commands_exist(lab):
    """Every verb and option of a command in the documents and manual pages exists"""
    texts = {path: text_of(path) for path in markdown()}
    for path in ("cli/powerctl.1.scd", *driver_pages()):
        texts[path] = text_of(path)
    helps, count = {}, 0
    for path, text in texts.items():
        for words in commands_of(text):
            verb = next(w for w in words if not w.startswith("-"))
            if verb not in helps:
                result = lab.run("help", verb)
                same(result.status, 0, f"{path}: powerctl {' '.join(words)}: {result.err}")
                helps[verb] = set(OPTION.findall(result.out))
            for word in words:
                if word.startswith("-") and word != "-":
                    assert word.split("=")[0] in helps[verb], f"{path}: {words}: no {word}"
            count += 1
    assert count > 10, f"only {count} commands were found"


@test
def sample_inventory(lab):
    """conf/powerctl.yaml loads as it is and names what its comments say"""
    result = lab.run("--inventory", os.path.join(SOURCE, "conf/powerctl.yaml"), "list")
    same(result.status, 0, result.err)
    same(len(result.lines), 8 + 400 + 1)
    has(result.out, "c017: ipmi c017-bmc")
    has(result.out, "PSU out, ticket 4711")
    result = lab.run("--inventory", os.path.join(SOURCE, "conf/powerctl.yaml"), "list", "--fold",
                     "@racks", "-x", "c017")
    has(result.out, "c[001-016,018-080]: ipmi")


@test
def manual_inventory(lab):
    """The inventories in the documents and manual pages load"""
    for path in ("cli/powerctl.yaml.5.scd", *driver_pages(), *markdown()):
        languages = ("yaml",) if path.endswith(".md") else ("",)
        for body in blocks(text_of(path), *languages):
            if not re.search(r"^nodes:", body, re.M):
                continue
            # Only what a block shows is judged, not what it leaves out.
            names = re.findall(r"credential: (\w+)", body)
            lacking = [n for n in names if not re.search(rf"^  {n}:", body, re.M)]
            extra = "".join(f"  {n}: {{username: x, password_env: X}}\n" for n in set(lacking))
            if extra and "\ncredentials:\n" in "\n" + body:
                body = re.sub(r"^credentials:\n", lambda m: m.group(0) + extra, body, flags=re.M)
            elif extra:
                body = "credentials:\n" + extra + body
            lab.inventory(body)
            result = lab.run("list")
            same(result.status, 0, f"{path}: {result.err}\n{body}")


def anchors(text):
    """As the usual renderers make them of headings."""
    for line in re.findall(r"^#+ (.*)$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-")


@test
def links(_lab):
    """Links from one document to another lead somewhere"""
    count = 0
    for path in markdown():
        text = re.sub(r"^```.*?^```", "", text_of(path), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"\w+:", target):
                continue
            name, _, anchor = target.partition("#")
            whole = os.path.normpath(os.path.join(SOURCE, os.path.dirname(path), name))
            if not name:
                whole = os.path.join(SOURCE, path)
            assert os.path.exists(whole), f"{path}: no such file: {target}"
            if anchor:
                assert anchor in anchors(text_of(whole)), f"{path}: no such heading: {target}"
            count += 1
    assert count > 10, f"only {count} links were found"


@test
def names_are_listed(lab):
    """docs/names.md has every setting of the drivers and every key of info, log and sensors"""
    listed = set(re.findall(r"`([a-z0-9_.]+)`", text_of("docs/names.md")))
    count = 0
    for driver in ("amt", "null", "redfish"):
        result = lab.run("drivers", "--json", driver)
        same(result.status, 0, result.err)
        names = {p["name"] for p in result.json[0]["settings"]}
        count += len(names)
        # Settings that only make the null driver misbehave are its own.
        if driver != "null":
            assert names <= listed, f"not in docs/names.md: {sorted(names - listed)}"
    assert count > 10, f"only {count} settings were found"

    lab.inventory('nodes: {n1: {driver: "null"}}')
    found = set()
    for verb, key in (("log", "events"), ("sensors", "sensors")):
        for one in lab.run(verb, "--json", "n1").json[0]["result"][key]:
            found |= {key, *one, *one.get("thresholds", {})}
    assert {"severity", "upper_critical"} <= found <= listed, sorted(found - listed)

    DocsFleet(lab).begin()
    result = lab.run("info", "--json", "nuc1")
    same(result.status, 0, result.out)
    assert len(result.json[0]["result"]) > 5, result.out
    found = set()
    for key, value in result.json[0]["result"].items():
        found |= {f"{key}.{k}" for k in value} if isinstance(value, dict) else {key}
    assert found <= listed, f"not in docs/names.md: {sorted(found - listed)}"


def output_of(args, stdin):
    done = subprocess.run(args, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, f"{args}: {done.stdout[-2000:]}{done.stderr}"
    return done.stdout


@test
def manual_pages(_lab):
    """Every manual page builds, and mandoc, where it is, has no complaint about it"""
    if not shutil.which("scdoc"):
        raise Skip("scdoc is not installed")
    pages = glob.glob("*/**/*.scd", root_dir=SOURCE, recursive=True)
    assert len(pages) > 2, pages
    for page in pages:
        roff = output_of(["scdoc"], text_of(page))
        if not shutil.which("mandoc"):
            continue
        with tempfile.NamedTemporaryFile("w", suffix=os.path.splitext(page[:-4])[1]) as f:
            f.write(roff)
            f.flush()
            # scdoc's own way of writing tables, blanks and dates is not ours to mend.
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", f.name],
                                  capture_output=True, text=True, check=False)
            same(done.returncode, 0, f"{page}: {done.stdout}")


if __name__ == "__main__":
    assert BUILD
    main()
