#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema of the inventory: it takes what powerctl takes, refuses what it refuses, and is complete."""
import ast
import glob
import json
import os
import re
import subprocess

from docslib import blocks, markdown, text_of
from lib import BUILD, PATIENCE, SOURCE, has, main, same, skip, test

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None


def loader():
    """YAML as the editors' server reads it, which is YAML 1.2: `off` is a text, and so is `1:30`."""
    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}

    for tag, regex, first in (("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
                              ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
                              ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
                              ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
                               "-+.0123456789")):
        Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(regex), list(first))
    # The usual constructors take 010 for an octal number.
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
    Loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))
    return Loader


def mistakes(schema, text):
    """What an editor underlines."""
    value = yaml.load(text, loader())  # nosec: a SafeLoader
    return [f"{list(e.absolute_path)}: {e.message[:200]}"
            for e in jsonschema.Draft7Validator(schema).iter_errors(value)]


def schema_of(lab, *words):
    if jsonschema is None:
        skip("python3-jsonschema or python3-yaml is not installed")
    result = lab.run("drivers", "--schema", *words)
    same((result.status, result.err), (0, ""), result)
    schema = json.loads(result.out)
    jsonschema.Draft7Validator.check_schema(schema)
    return schema


def samples():
    """Every inventory in the tests, that stands there as one text, and in the documents."""
    for path in sorted(glob.glob(os.path.join(SOURCE, "tests/e2e/test_*.py"))):
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "inventory" and node.args:
                try:
                    yield os.path.basename(path), ast.literal_eval(node.args[0])
                except ValueError:
                    pass  # made of pieces
    for path in ("cli/powerctl.yaml.5.scd", *glob.glob("plugins/*/*.scd", root_dir=SOURCE), *markdown()):
        for body in blocks(text_of(path), *(("yaml",) if path.endswith(".md") else ("",))):
            if re.search(r"^nodes:", body, re.M):
                yield path, body


def is_right(lab, text):
    """Whether powerctl's own checks take it; nobody is asked for anything."""
    done = subprocess.run([os.path.join(BUILD, "tests", "check_tool"), os.path.join(BUILD, "plugins"),
                           lab.inventory(text)], env=lab.env, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode in (0, 1) and not done.stderr, done
    return not done.stdout


@test
def takes_what_is_right(lab):
    """Every inventory of the tests and documents that powerctl takes, the schema takes, and the sample"""
    schema = schema_of(lab)
    same(mistakes(schema, text_of("conf/powerctl.yaml")), [])
    count = refused = 0
    for where, text in samples():
        if not is_right(lab, text):
            refused += 1
            continue
        count += 1
        same(mistakes(schema, text), [], f"{where}:\n{text}")
    assert count > 25, (count, refused)


# Each is right but for one thing, which both have to find.
WRONG = {
    "a key at the top": "nod: {n1: {driver: 'null'}}",
    "a driver that is not there": "nodes: {n1: {driver: nosuch}}",
    "a setting that is not there": "nodes: {n1: {driver: 'null', latenci: 1s}}",
    "another driver's setting": "nodes: {n1: {driver: 'null', cipher_suite: 3}}",
    "a setting in a class": "classes: {c: {driver: 'null', nosuch: 1}}\nnodes: {n1: {class: c}}",
    "no such choice": "nodes: {n1: {driver: 'null', fail: maybe}}",
    "a duration": "nodes: {n1: {driver: 'null', latency: soon}}",
    "a duration's unit": "nodes: {n1: {driver: 'null', latency: 5 weeks}}",
    "a boolean": "nodes: {n1: {driver: 'null', no_cycle: maybe}}",
    "a number": "nodes: {n1: {driver: 'null', events: many}}",
    "a number that is too large": "nodes: {n1: {driver: 'null', events: 100001}}",
    "a number that is too small": "nodes: {n1: {driver: ipmi, address: a, port: 0}}",
    "a list for a text": "nodes: {n1: {driver: 'null', latency: [1s]}}",
    "a flag that is not there": "nodes: {n1: {driver: ipmi, address: a, workarounds: [nosuch]}}",
    "a text for a list": "nodes: {n1: {driver: 'null', tags: lab}}",
    "a switch for a reason": "nodes: {n1: {driver: 'null', maintenance: true}}",
    "a timeout's name": "nodes: {n1: {driver: 'null', timeouts: {conect: 1s}}}",
    "a timeout": "nodes: {n1: {driver: 'null', timeouts: {connect: fast}}}",
    "a word of trust": "nodes: {n1: {driver: 'null', trust: always}}",
    "a test's key": "nodes: {n1: {driver: 'null', ready: {udp: 1}}}",
    "a test's port": "nodes: {n1: {driver: 'null', ready: {tcp: 70000}}}",
    "a way's name": "nodes: {n1: {driver: 'null', via: 'sock5://gate'}}",
    "a way's port": "nodes: {n1: {driver: 'null', via: 'ssh://u@gate:70000'}}",
    "a way's port behind an address": "nodes: {n1: {driver: 'null', via: 'ssh://[::1]:0'}}",
    "a short mac": "nodes: {n1: {driver: wol, address: a, mac: '00:11:22:33:44'}}",
    "a key of an interface": "nodes: {n1: {driver: 'null', console: {driver: 'null', nosuch: 1}}}",
    "an interface's driver": "nodes: {n1: {driver: 'null', console: {driver: nosuch}}}",
    "a default": "defaults: {fan: 1}\nnodes: {n1: {driver: 'null'}}",
    "a hook": "hooks: {h: {after: 'on', run: /bin/true, node: n1}}\nnodes: {n1: {driver: 'null'}}",
    "a limit": "limits: {g: {max: 1}}\ngroups: {g: n1}\nnodes: {n1: {driver: 'null'}}",
    "a source's key": "sources: [{genders: /dev/null, adress: x}]\nnodes: {n1: {driver: 'null'}}",
    "a node that is a text": "nodes: {n1: hello}",
    "nodes that are a list": "nodes: [n1]",
}

# What is unusual and right.
RIGHT = {
    "null without quotes": "nodes: {n1: {driver: null}}",
    "ways": "nodes: {a: {driver: 'null', via: direct}, b: {driver: 'null', via: 'ssh://a@gate.x:022'},"
            "        c: {driver: 'null', via: 'ssh://[fe80::1]:65535'}}",
    "a range in a way": 'nodes: {"n[1-2]": {driver: "null", via: "ssh://gate[1-2]"}}',
    "macs": "nodes: {a: {driver: wol, address: a, mac: 00-11-22-AA-BB-CC}, "
            "b: {driver: wol, address: b, mac: 0011.22aa.bbcd}, c: {driver: wol, address: c, mac: 001122334455}}",
    "a range in a mac": 'nodes: {"n[1-2]": {driver: wol, address: a, mac: "00:11:22:aa:bb:0[1-2]"}}',
    "a range in a number": 'nodes: {"n[1-2]": {driver: "null", events: "[1-2]"}}',
    "numbers as texts": 'nodes: {n1: {driver: "null", events: "7", latency: "0.5"}}',
    "a bare number of seconds": "nodes: {n1: {driver: 'null', latency: 0.5, transition: 2}}",
    "words of a switch": "nodes: {n1: {driver: 'null', no_cycle: yes, state: off}}",
    "one flag without brackets":
        "nodes: {n1: {driver: ipmi, address: a, password: x, workarounds: idzero}}",
    "a choice that is a number": "nodes: {n1: {driver: ipmi, address: a, password: x, cipher_suite: 17}}",
    "a choice that is a switch": "nodes: {n1: {driver: amt, address: a, password: x, tls: false}}",
    "a secret from elsewhere":
        "nodes: {n1: {driver: ipmi, address: a, password_env: HOME, kg_command: [echo, x]}}",
    "a setting in a credential":
        "credentials: {c: {username: u, password_env: HOME, privilege: user}}\n"
        "nodes: {n1: {driver: ipmi, address: a, credential: c}}",
    "settings without a driver":
        "classes: {c: {driver: 'null'}}\nnodes: {n1: {class: c, events: 7}}",
    "a class on a class": "classes: {a: {driver: 'null'}, b: {class: a, latency: 0}}\nnodes: {n1: {class: b}}",
    "a key without a value": "nodes:\n  n1: {driver: 'null', class: , tags: }\ngroups:\n",
    "a reason that is a number": "nodes: {n1: {driver: 'null', maintenance: 4711}}",
    "a console of its own":
        "nodes: {n1: {driver: 'null', console: {driver: ipmi, address: a, password: x, port: 700}}}",
    "a console with trust of its own":
        "nodes: {n1: {driver: 'null', console: {driver: 'null', trust: strict, maintenance: later}}}",
    "a group as a list": "nodes: {n1: {driver: 'null'}}\ngroups: {g: [n1, n1]}",
}


# With drivers whose settings hang on a value (an agent), any key may be one of theirs to a schema.
ONLY_CHECK = {
    "a setting of none, by class": "classes: {c: {driver: 'null'}}\nnodes: {n1: {class: c, nosuch: 3}}",
    "a credential's key": "credentials: {c: {pasword_file: x}}\nnodes: {n1: {driver: 'null'}}",
}


@test
def refuses_what_is_wrong(lab):
    """What powerctl refuses for a key or a value, the schema refuses; what is unusual and right, both take"""
    schema = schema_of(lab)
    for what, text in WRONG.items():
        same(is_right(lab, text), False, what)
        assert mistakes(schema, text), f"{what} passes:\n{text}"
    for what, text in ONLY_CHECK.items():
        same(is_right(lab, text), False, what)
    for what, text in RIGHT.items():
        same(is_right(lab, text), True, what)
        same(mistakes(schema, text), [], what)


@test
def completes_all(lab):
    """Every setting of every driver is in the schema with its help and default, and every key of the manual"""
    schema = schema_of(lab)
    count = 0
    for driver in lab.run("drivers", "--json").json:
        found = schema["definitions"]["driver-" + driver["driver"]]["properties"]
        for setting in driver["settings"]:
            one = found[setting["name"]]
            same((one.get("description"), one.get("default")), (setting["help"], setting["default"])
                 if "default" in setting else (setting["help"], None), setting["name"])
            same(setting["name"] + "_command" in found, setting["secret"], setting["name"])
            count += 1
    assert count > 30, count
    manual = text_of("cli/powerctl.yaml.5.scd")
    for table in (schema["properties"], schema["definitions"]["node"]["properties"],
                  schema["definitions"]["node"]["properties"]["timeouts"]["properties"],
                  schema["properties"]["sources"]["items"]["properties"]):
        for key, one in table.items():
            has(manual, f"*{key}")
            assert one.get("description"), key


@test
def manual_pages(lab):
    """The list of settings in each driver's manual page is what its table says now"""
    pages = glob.glob(os.path.join(BUILD, "man", "powerctl-*.7"))
    if not pages:
        skip("scdoc is not installed")
    seen = 0
    for driver in lab.run("drivers", "--json").json:
        source = f"plugins/{driver['driver']}/powerctl-{driver['driver']}.7.scd"
        if not os.path.exists(os.path.join(SOURCE, source)):
            continue
        has(text_of(source), "\n{{settings}}\n")
        with open(os.path.join(BUILD, "man", f"powerctl-{driver['driver']}.7"), encoding="utf-8") as f:
            page = re.sub(r"\\f[BIR]|\\&|^\.\w+.*$", "", f.read(), flags=re.M).replace("\\-", "-").replace("\\'", "'")
        page = re.sub(r"\s+", " ", page)
        for setting in driver["settings"]:
            has(page, re.sub(r"\s+", " ", f" {setting['name']} ("))
            has(page, setting["help"])
            seen += 1
    assert seen > 30, seen


if __name__ == "__main__":
    main()
