#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's ansible with the dynamic inventory, the module and the role of contrib/ansible."""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from lib import POWERCTL, SOURCE, has, main, same, skip, test  # noqa: E402

lib.PATIENCE = 300  # seconds: ansible takes its time
FOLDER = os.path.join(SOURCE, "contrib", "ansible")
EVIL = "$(touch${IFS}x);#"
COUNT = 400
NODES = f"""classes: {{m: {{driver: "null", state_file: "MACHINES/state", transition: 1ms}}}}
nodes:
  n[001-{COUNT}]: {{class: m, state: off, state_file: "MACHINES/n[001-{COUNT}]", tags: [lab, rack-1]}}
  sick: {{class: m, state: on, state_file: MACHINES/sick, maintenance: "PSU {{{{ lookup('pipe', 'touch pwned') }}}}", tags: [lab]}}
  lone: {{driver: "null", state: on}}
  dead: {{driver: "null", fail_reads: unreachable, tags: [bad]}}
  "a{{{{7-7}}}}": {{driver: "null", tags: [odd]}}
  "{EVIL}": {{driver: "null", state: off, state_file: MACHINES/evil, tags: [odd]}}
"""


class Ansible:
    def __init__(self, lab):
        self.lab = lab
        for program in ("ansible-playbook", "ansible-inventory"):
            if not shutil.which(program):
                skip(f"ansible: no {program}")
        os.mkdir(lab.path("machines"))
        lab.inventory(NODES.replace("MACHINES", lab.path("machines")))
        self.env = {**lab.env, "PATH": os.path.dirname(POWERCTL) + ":" + os.environ["PATH"],
                    "ANSIBLE_LIBRARY": os.path.join(FOLDER, "library"), "ANSIBLE_LOCALHOST_WARNING": "0",
                    "ANSIBLE_ROLES_PATH": os.path.join(FOLDER, "roles"), "ANSIBLE_NOCOLOR": "1",
                    "ANSIBLE_LOCAL_TEMP": lab.path("tmp"),
                    "ANSIBLE_REMOTE_TEMP": lab.path("tmp"), "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
                    "LC_ALL": "C.UTF-8"}

    def run(self, program, *words):
        return subprocess.run([program, "-i", os.path.join(FOLDER, "powerctl_inventory"), *words], env=self.env,
                              cwd=self.lab.path(), capture_output=True, text=True, timeout=lib.PATIENCE, check=False)

    def play(self, *tasks, check=False):
        """The results of tasks for localhost; one that fails does not stop the others."""
        steps = [{"powerctl": task, "register": f"r{n}", "ignore_errors": True} for n, task in enumerate(tasks)]
        results = ", ".join(f"r{n}" for n in range(len(tasks)))
        steps.append({"ansible.builtin.copy": {"dest": self.lab.path("results.json"),
                                               "content": "{{ [" + results + "] | to_json }}"}, "check_mode": False})
        path = self.lab.write("play.yml", json.dumps([{"hosts": "localhost", "gather_facts": False,
                                                       "connection": "local", "tasks": steps}]))
        done = self.run("ansible-playbook", path, *(["--check"] if check else []))
        same(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(self.lab.read("results.json"))

    def states(self, *names):
        return [self.lab.read(f"machines/{n}").strip() if os.path.exists(self.lab.path("machines", n)) else None
                for n in names]


@test
def inventory(lab):
    """all nodes with their tags and classes as groups; nothing of what they say is a template"""
    a = Ansible(lab)
    done = a.run("ansible-inventory", "--list")
    same(done.returncode, 0, done.stderr)
    found = json.loads(done.stdout)
    same(len(found["_meta"]["hostvars"]), COUNT + 4)
    same(len(found["tag_lab"]["hosts"]), COUNT + 1)
    same(found["tag_rack_1"]["hosts"][-1], f"n{COUNT}")
    same(found["maintenance"]["hosts"], ["sick"])
    same(found["ungrouped"]["hosts"], ["lone"])
    same(found["tag_odd"]["hosts"], [EVIL])
    path = lab.write("show.yml", json.dumps([{"hosts": "sick", "gather_facts": False, "connection": "local", "tasks": [
        {"ansible.builtin.debug": {"msg": "{{ powerctl_maintenance }}"}}]}]))
    done = a.run("ansible-playbook", path)
    same(done.returncode, 0, done.stdout + done.stderr)
    has(done.stdout, "lookup('pipe', 'touch pwned')")
    same(os.path.exists(lab.path("pwned")), False, "a template was run")


@test
def module(lab):
    """400 machines in one call: check mode, changed, idempotent, skipped, failed, names that are no names"""
    a = Ansible(lab)
    fleet = {"nodes": [f"n[001-{COUNT}]", "sick"], "state": "on"}
    [check] = a.play(fleet, check=True)
    same((check["failed"], check["changed"], check["skipped_nodes"]), (False, True, ["sick"]))
    same(a.states("n001"), [None], "check mode changed a machine")
    first, second, off, read, dead = a.play(
        fleet, fleet, {"nodes": ["n[001-003]"], "state": "off"}, {"nodes": ["n[001-004]"]}, {"nodes": ["n001", "dead"]})
    same([r["changed"] for r in (first, second, off, read, dead)], [True, False, True, False, False])
    same([r["failed"] for r in (first, second, off, read, dead)], [False, False, False, False, True])
    same(len(first["nodes"]), COUNT + 1)
    same([n["changed"] for n in second["nodes"].values() if n["changed"]], [])
    same({n: r["state"] for n, r in read["nodes"].items()},
         {"n001": "off", "n002": "off", "n003": "off", "n004": "on"})
    same(a.states("n001", "n004", f"n{COUNT}"), ["off", "on", "on"])
    same((dead["failed_nodes"], dead["nodes"]["dead"]["state"]), (["dead"], "unknown"))
    has(dead["msg"], "dead: unreachable")


@test
def refused(lab):
    """options, groups and commands that pass for names; parameters that do not go together; no inventory"""
    a = Ansible(lab)
    bad = ("--all", "-a", "@lab", "%lab", "nope", "n1;touch x", "ipmi://h")
    *results, soft, lost, none = a.play(
        *({"nodes": [word], "state": "off"} for word in bad), {"nodes": ["n001"], "state": "on", "soft": True},
        {"nodes": ["n001"], "inventory": "/nonexistent.yaml"}, {"nodes": []})
    for word, r in zip(bad, results):
        same((r["failed"], r["changed"]), (True, False), word)
        has(r["msg"], word.split(";")[0])
    same((soft["failed"], soft["msg"]), (True, "soft goes with state: off, rebooted"))
    same(lost["failed"], True)
    has(lost["msg"], "/nonexistent.yaml")
    same((none["failed"], none["changed"]), (False, False))
    same(a.states("n001"), [None])


@test
def role(lab):
    """the role turns the hosts of a play on in one call, those with odd names too; without a target none"""
    a = Ansible(lab)
    done = a.run("ansible-playbook", os.path.join(FOLDER, "example.yml"))
    same((done.returncode != 0, os.listdir(lab.path("machines"))), (True, []), done.stdout)  # none was ever asked
    has(done.stdout + done.stderr, "say which machines: -e target=tag_lab")
    done = a.run("ansible-playbook", os.path.join(FOLDER, "example.yml"), "-e", "target=tag_rack_1:tag_odd")
    same(done.returncode, 0, done.stdout[-2000:] + done.stderr)
    same(a.states("n001", f"n{COUNT}", "evil"), ["on", "on", "on"])
    same(os.path.exists(lab.path("x")), False)
    history = lab.run("history", "--json")
    same(len({line["run"] for line in history.json}), 1, "one call")
    same({line["caller"] for line in history.json}, {"ansible"})


if __name__ == "__main__":
    main()
