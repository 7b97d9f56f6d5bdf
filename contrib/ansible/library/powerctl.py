#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An Ansible module: power states of many machines in one call of powerctl."""
import json

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: powerctl
short_description: Turn machines on and off, restart them, boot them from the network
description:
  - Runs powerctl once, where its inventory is, for any number of machines.
  - What it reports is what the hardware said. A machine that cannot be read is C(unknown), and fails the task.
  - In check mode nothing is sent that changes a machine.
options:
  nodes:
    description: Names and ranges of powerctl's inventory, C(n1) or C(n[1-8]).
    type: list
    elements: str
    required: true
  state:
    description:
      - C(on) and C(off) leave a machine alone that is so already.
      - C(rebooted), C(reset) and C(booted) change it every time.
      - C(status) only reads.
    type: str
    choices: [status, 'on', 'off', rebooted, reset, booted]
    default: status
  boot:
    description: With C(booted), what to boot from.
    type: str
    choices: [pxe, disk, cd, usb, bios, diag]
    default: pxe
  soft:
    description: With C(off) and C(rebooted), ask the operating system.
    type: bool
    default: false
  force_after:
    description: With C(soft) and C(off), take the power away after this time, C(5m).
    type: str
  until_ready:
    description: With what starts machines, wait until their own test passes.
    type: bool
    default: false
  stagger:
    description: With what starts machines, at least so far apart, C(1s).
    type: str
  timeout:
    description: For one machine, C(60s).
    type: str
  maintenance:
    description: Include machines in maintenance, which are left out otherwise.
    type: bool
    default: false
  protected:
    description: Include machines that are protected, which are refused otherwise.
    type: bool
    default: false
  inventory:
    description: The inventory, instead of powerctl's usual one.
    type: path
  executable:
    description: The program.
    type: path
    default: powerctl
"""

EXAMPLES = r"""
- name: All workers are on and can be logged in to
  powerctl:
    nodes: "{{ groups['tag_worker'] }}"
    state: 'on'
    until_ready: true
    stagger: 1s
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
nodes:
  description: By name, C(state), C(changed), and C(error) with C(class) and C(message), or null.
  returned: always
  type: dict
failed_nodes:
  description: Names of those that failed.
  returned: always
  type: list
skipped_nodes:
  description: Names of those that were left out, in maintenance.
  returned: always
  type: list
"""

ARGUMENTS = {
    "nodes": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "default": "status",
              "choices": ["status", "on", "off", "rebooted", "reset", "booted"]},
    "boot": {"type": "str", "default": "pxe", "choices": ["pxe", "disk", "cd", "usb", "bios", "diag"]},
    "soft": {"type": "bool", "default": False},
    "force_after": {"type": "str"},
    "until_ready": {"type": "bool", "default": False},
    "stagger": {"type": "str"},
    "timeout": {"type": "str"},
    "maintenance": {"type": "bool", "default": False},
    "protected": {"type": "bool", "default": False},
    "inventory": {"type": "path"},
    "executable": {"type": "path", "default": "powerctl"},
}
VERBS = {"status": ["status"], "on": ["on"], "off": ["off"], "rebooted": ["reboot"], "reset": ["reset"],
         "booted": ["boot"]}
STARTS = ("on", "rebooted", "reset", "booted")
DISRUPTS = ("off", "rebooted", "reset", "booted")

# Which states take a parameter that is no parameter of all of them.
ONLY = {"soft": ("off", "rebooted"), "force_after": ("off",), "until_ready": STARTS, "stagger": STARTS,
        "protected": DISRUPTS}


def command_of(params, check_mode):
    """powerctl's words; ValueError says which parameters do not go together."""
    state = params["state"]
    for name, states in ONLY.items():
        if params[name] and state not in states:
            raise ValueError(f"{name} goes with state: {', '.join(states)}")
    words = [params["executable"], *VERBS[state], "--json", "--quiet"]
    for name in ("soft", "maintenance", "protected"):
        words += ["--" + name] if params[name] else []
    for name in ("force_after", "stagger", "timeout", "inventory"):
        words += [f"--{name.replace('_', '-')}={params[name]}"] if params[name] else []
    words += ["--until=ready"] if params["until_ready"] else []
    words += ["--yes"] if state in DISRUPTS else []
    words += ["--dry-run"] if check_mode and state != "status" else []
    # Behind --names nothing is an option, a group or a tag.
    return [*words, "--caller=ansible", "--names", *([params["boot"]] if state == "booted" else []),
            *params["nodes"]]


def would_change(params, line):
    """In check mode: whether it would be sent something."""
    if not line["ok"] or line["error"]:
        return False
    return params["state"] not in ("status", "on", "off") or line["state"] != params["state"]


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    if not params["nodes"]:
        module.exit_json(changed=False, nodes={}, failed_nodes=[], skipped_nodes=[])
    try:
        command = command_of(params, module.check_mode)
    except ValueError as error:
        module.fail_json(msg=str(error))
    status, out, err = module.run_command(command)
    try:
        lines = [json.loads(line) for line in out.splitlines()]
    except ValueError:
        module.fail_json(msg=f"powerctl's output is not understood: {out[:200]}", rc=status)
    nodes, changed = {}, False
    for line in lines:
        changes = would_change(params, line) if module.check_mode else line["changed"]
        changed = changed or changes
        nodes[line["node"]] = {"state": line["state"], "changed": changes, "error": line["error"]}
    failed = [line["node"] for line in lines if not line["ok"]]
    skipped = [line["node"] for line in lines if line["ok"] and line["error"]]
    result = {"changed": changed, "nodes": nodes, "failed_nodes": failed, "skipped_nodes": skipped, "rc": status}
    if status == 0 and not failed and lines:
        module.exit_json(**result)
    if failed:
        first = nodes[failed[0]]["error"]
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        module.fail_json(msg=f"{failed[0]}: {first['class']}: {first['message']}{more}", **result)
    module.fail_json(msg=err.strip() or f"powerctl ended with {status}", **result)


if __name__ == "__main__":
    main()
