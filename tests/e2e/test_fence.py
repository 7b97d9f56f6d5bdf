#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fence driver through the real program: Debian's fence agents, and one of ours with faults.

What a verb did is read behind the agent's back, in the file that its machine is. The IPMI agent is
tried on OpenIPMI's ipmi_sim.
"""
import concurrent.futures
import glob
import json
import os
import shutil
import signal
import subprocess

import lib
from ipmilib import PASSWORD, IpmiSim, need
from lib import bad, error_of, good, has, main, same, test, until

AGENTS = sorted(glob.glob("/usr/sbin/fence_*"))
# Who acts on a person's word prints none.
WITHOUT_METADATA = {"fence_ack_manual"}
# What is said of those that switch no power, or cannot say whether they did.
USELESS = {
    "fence_brocade": "cuts a machine off", "fence_cisco_mds": "cuts a machine off",
    "fence_ifmib": "cuts a machine off", "fence_sanbox2": "cuts a machine off",
    "fence_scsi": "cuts a machine off", "fence_mpath": "cuts a machine off",
    "fence_compute": "tells a cloud", "fence_evacuate": "moves virtual machines",
    "fence_crosslink": "whether a cable is alive", "fence_heuristics_ping": "another agent",
    "fence_kdump": "crashed kernel", "fence_sbd": "leaves a message",
    "fence_ovh": "could be confirmed", "fence_rcd_serial": "could be confirmed",
}
SECRET = "s3cret w0rd"


def need_agents():
    if not AGENTS:
        lib.skip("fence-agents: not installed")


class Fake:
    """n1 with our own agent."""

    def __init__(self, lab, state="on", **settings):
        self.lab = lab
        self.agent = lab.path("agents", "fence_fake")
        os.makedirs(lab.path("agents"), 0o700, exist_ok=True)
        shutil.copy(os.path.join(lib.SOURCE, "tests", "sim", "fence", "fence_fake"), self.agent)
        self.set(state)
        self.entry(**settings)

    def entry(self, timeouts="read: 30s, confirm: 20s", **settings):
        rows = {"driver": "fence", "agent": self.agent, "machine_file": self.lab.path("machine"),
                "log_file": self.lab.path("log"), **settings}
        lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in rows.items())
        self.lab.inventory(f"nodes:\n  n1:\n{lines}    timeouts: {{{timeouts}}}\n")

    def set(self, state):
        self.lab.write("machine", state)

    @property
    def state(self):
        return self.lab.read("machine")

    @property
    def log(self):
        if not os.path.exists(self.lab.path("log")):
            return []
        return [json.loads(line) for line in self.lab.read("log").splitlines()]

    def actions(self):
        """What it was started for since the last look."""
        done = [one["given"]["action"] for one in self.log if "given" in one]
        self.lab.write("log", "")
        return done


# --- Agents that others wrote. ---------------------------------------------------------------


def describe(lab, agent):
    return agent, lab.run("drivers", "--json", "fence", agent)


@test
def all_agents(lab):
    """each installed agent's metadata becomes settings, and is read from the cache then"""
    need_agents()
    names = [os.path.basename(path) for path in AGENTS]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        told = dict(pool.map(lambda agent: describe(lab, agent), names))
    good_ones = [name for name, r in told.items() if r.status == 0]
    same(set(names) - set(good_ones), WITHOUT_METADATA & set(names))
    assert len(good_ones) > 80, good_ones
    print(f"# {len(good_ones)} agents")
    for name in good_ones:
        settings = {one["name"]: one for one in told[name].json[0]["settings"]}
        for hidden in ("action", "ip", "ipaddr", "login", "passwd", "port", "password_script",
                       "snmp_priv_passwd_script", "missing_as_off", "verbose", "debug_file"):
            assert hidden not in settings, (name, hidden)
        assert settings["agent"]["required"], name
        assert settings.get("password", {"secret": True})["secret"], name
    has(told["fence_ack_manual"].err, "`/usr/sbin/fence_ack_manual -o metadata`: ")
    apc = {one["name"]: one for one in told["fence_apc"].json[0]["settings"]}
    same((apc["plug"]["required"], apc["ipport"]["default"], apc["power_timeout"]["type"]),
         (True, "23", "duration"))
    snmp = {one["name"]: one for one in told["fence_apc_snmp"].json[0]["settings"]}
    assert snmp["community"]["secret"] and snmp["snmp_priv_passwd"]["secret"], snmp
    kept = os.listdir(lab.path("cache", "powerctl", "drivers", "fence"))
    same(len(kept), len(good_ones))


@test
def drivers_of_an_agent(lab):
    """`drivers fence AGENT` and its forms have that agent's settings; completion too"""
    fake = Fake(lab)
    own = lab.run("drivers", "--man", "fence")
    page = lab.run("drivers", "--man", "fence", fake.agent)
    assert page.out.startswith(own.out + "\n*"), page
    has(page.out, "*snmp\\_priv\\_passwd* (text; secret: better ")
    has(lab.run("drivers", "fence", fake.agent).out, "  plug (text)\n")
    for words, wanted in ((["fence", fake.agent], True), ([], False)):
        r = lab.run("drivers", "--schema", *words)
        same(r.status, 0, r)
        fence = json.loads(r.out)["definitions"]["driver-fence"]["properties"]
        same(("machine_file" in fence, "agent" in fence), (wanted, True), words)
    for words, part in ((["fence", fake.agent + "x"], f"agent '{fake.agent}x': {fake.agent}x does not exist"),
                        (["--schema", "fence", fake.agent + "x"], "does not exist"),
                        (["--schema", "fence"], "drivers --schema fence VALUE"),
                        (["--man", "amt", "x"], "driver amt has no setting that brings others")):
        r = lab.run("drivers", *words)
        same((r.status, r.out), (2, ""), r)
        has(r.err, part)
    if AGENTS:
        has(lab.run("drivers", "--man", "fence", "fence_apcc").err, "did you mean 'fence_apc'?")
        has(lab.run("drivers", "fence", "apc").err, "did you mean 'fence_apc'?")
    agent = f"agent={fake.agent}"
    for words in (["add", "x", "10.0.0.1", "--driver", "fence", "--set", agent, "--set"],
                  ["add", "x", "10.0.0.1", f"--set={agent}", "--driver=fence", "--set"],
                  ["set", "driver=fence", agent], ["set", agent]):
        offered = [line.split("\t")[0] for line in lab.run("complete", *words, "").lines]
        has(offered, "machine_file=")
        has(offered, "snmp_priv_passwd_env=")
        has(offered, "trust=")
        same(lab.run("complete", *words, "ssl=").lines, ["ssl=true\t", "ssl=false\t"], words)
    same(lab.run("complete", "add", "x", "--driver", "fence", "--set", agent + "x", "--set", "mach").lines, [])
    same(lab.run("complete", "add", "x", "--driver", "fence", "--set", "mach").lines, [])
    same(fake.log, [])


@test
def agents_that_switch_no_power(lab):
    """agents that cut off networks and disks, and those that cannot be confirmed, are not used"""
    need_agents()
    there = {name: why for name, why in USELESS.items() if f"/usr/sbin/{name}" in AGENTS}
    for name, why in there.items():
        settings = {one["name"]: one for one in describe(lab, name)[1].json[0]["settings"]}
        needed = {key: "1" for key, one in settings.items()
                  if one["required"] and "default" not in one and key != "agent"}
        entry = {"driver": "fence", "agent": name, "address": "127.0.0.1", **needed}
        lab.inventory("nodes: " + json.dumps({"n1": entry}))
        for verb in ("status", "off"):
            kind, text = error_of(lab.run("--json", verb, "n1"))
            same(kind, "unsupported", text)
            has(text, why)


@test
def dummy(lab):
    """fence_dummy: on, off, reboot and status do and say what they should"""
    need_agents()
    machine = lab.path("dummy")
    lab.inventory("nodes:\n  d1: {driver: fence, agent: fence_dummy, type: file, "
                  f"status_file: {machine}, timeouts: {{outage: 200ms}}}}\n")
    lab.write("dummy", "off")
    good(lab.run("status", "d1"), "d1: off")
    for verb, state in (("on", "on"), ("on", "on"), ("off", "off"), ("off", "off"),
                        ("reboot", "on"), ("reboot", "on"), ("cycle", "on")):
        good(lab.run(verb, "d1"), f"d1: {state}")
        same(lab.read("dummy"), state, verb)
        good(lab.run("status", "d1"), f"d1: {state}")
    r = lab.run("--json", "on", "d1")
    same((r.json[0]["changed"], r.json[0]["driver"], r.json[0]["address"]), (False, "fence", None))
    for words in (["reset"], ["nmi"], ["sleep"], ["off", "--soft"], ["bootdev", "pxe"], ["info"]):
        same(error_of(lab.run("--json", *words, "d1"))[0], "unsupported", words)
    has(lab.run("reset", "d1").out, "driver fence cannot do 'reset' with agent 'fence_dummy'")
    same(lab.run("caps", "--json", "d1").json[0]["result"]["power"], ["on", "off"])


@test
def dummy_that_fails(lab):
    """fence_dummy of type fail: an off that does nothing is no success"""
    need_agents()
    lab.inventory("nodes: {d1: {driver: fence, agent: fence_dummy, type: fail, "
                  "timeouts: {read: 9s, confirm: 20s, verify: 1s}}}\n")
    good(lab.run("status", "d1"), "d1: on")
    r = lab.run("--json", "off", "d1")
    same((r.status, r.json[0]["ok"], r.json[0]["state"] in ("on", "unknown")), (1, False, True), r)
    has(error_of(r)[1], "fence_dummy")


@test
def relative_files(lab):
    """a file is where the inventory is, however the inventory is named"""
    need_agents()
    path = lab.inventory("nodes: {d1: {driver: fence, agent: fence_dummy, status_file: m}}\n")
    proc = subprocess.run([lib.POWERCTL, "--inventory", os.path.basename(path), "on", "d1"],
                          cwd=os.path.dirname(path), env=lab.env, capture_output=True, text=True,
                          timeout=lib.PATIENCE, check=False)
    same(proc.stdout, "d1: on\n", proc)
    same(lab.read("config/powerctl/m"), "on")


@test
def ipmilan(lab):
    """fence_ipmilan works a BMC that others wrote, and the chassis says so"""
    need_agents()
    need("ipmi_sim", "ipmitool")
    sim = lab.keep(IpmiSim(lab.path("sim"), 1))
    entry = {"driver": "fence", "agent": "fence_ipmilan", "address": sim.addresses[0],
             "ipport": str(sim.port), "username": "admin", "password_env": "BMC", "lanplus": True,
             "cipher": "3",  # without it ipmitool asks, which ipmi_sim does not answer
             "timeouts": {"read": "30s", "confirm": "40s", "reboot": "60s"}}
    lab.inventory("nodes: " + json.dumps({"c1": entry}))
    lab.env["BMC"] = PASSWORD
    for verb, state in (("on", "on"), ("status", "on"), ("off", "off"), ("status", "off"),
                        ("reboot", "on")):
        good(lab.run(verb, "c1"), f"c1: {state}")
        same(sim.power(1), state, verb)
    lab.env["BMC"] = "wrong"
    same((error_of(lab.run("--json", "off", "c1")), sim.power(1)),
         (("auth", "fence_ipmilan: wrong password: > RAKP 2 HMAC is invalid"), "on"))
    has(lab.run("status", "c1").out, "auth: not tried")  # it was counted
    lab.env["BMC"] = PASSWORD
    lab.inventory("nodes: " + json.dumps({"c1": {**entry, "username": "nobody"}}))
    same(error_of(lab.run("--json", "status", "c1"))[0], "auth")
    lab.inventory("nodes: " + json.dumps({"c1": {**entry, "ipmitool_path": lab.path("none")}}))
    same(error_of(lab.run("--json", "status", "c1")),
         ("config", "fence_ipmilan: Ipmitool not found or not accessible "
                    "(Debian has it in the package ipmitool)"))


# --- What an agent is given. -----------------------------------------------------------------


@test
def secrets(lab):
    """secrets go over standard input only: not in arguments, environment, errors or `show`"""
    lab.write("word", SECRET + "\n")
    fake = Fake(lab, username="u", password_file=lab.path("word"), plug="7", ssl=False,
                snmp_priv_passwd_env="PRIV", address="10.0.0.1")
    lab.env["PRIV"] = " blanks "
    good(lab.run("status", "n1"), "n1: on")
    one = fake.log[-1]
    same(one["argv"], [])
    assert SECRET not in json.dumps(one["env"]) and "PRIV" not in one["env"], one["env"]
    assert 1 <= int(one["given"].pop("power_timeout")) < 30, one
    same(one["given"], {"action": "status", "ip": "10.0.0.1", "username": "u", "plug": "7",
                        "password": SECRET, "snmp_priv_passwd": '" blanks "',
                        "machine_file": lab.path("machine"), "log_file": lab.path("log")})
    fake.entry(password=SECRET, mode="tell")
    r = lab.run("-v", "--trace", "status", "n1")
    bad(r, 1, "cannot log in with ***")
    assert SECRET not in r.out + r.err, r
    r = lab.run("show", "n1")
    assert SECRET not in r.out + r.err, r


@test
def logins(lab):
    """`add` and URLs take a login where the agent has one"""
    fake = Fake(lab)
    more = f"machine_file={lab.path('machine')}&log_file={lab.path('log')}&plug=3"
    url = f"fence://joe@10.0.0.1?agent={fake.agent.replace('/', '%2F')}&{more}"
    good(lab.run("status", url, env={"POWERCTL_PASSWORD": SECRET}), "10.0.0.1: on")
    given = fake.log[-1]["given"]
    same((given["ip"], given["username"], given["password"], given["plug"]),
         ("10.0.0.1", "joe", SECRET, "3"))
    settings = [word for one in more.split("&") for word in ("--set", one)]
    r = lab.run("add", "s1", "10.0.0.2", "--driver", "fence", "--set", f"agent={fake.agent}",
                *settings, "--user", "jim", "--password-stdin", stdin=SECRET + "\n")
    same((r.status, r.out), (0, "s1: on\n"), r)
    given = fake.log[-1]["given"]
    same((given["ip"], given["username"], given["password"]), ("10.0.0.2", "jim", SECRET))
    assert SECRET not in lab.read("config/powerctl/powerctl.yaml")


@test
def mistakes(lab):
    """what is wrong with settings and agents is said with its place before anything is run"""
    fake = Fake(lab)

    def says(text, *parts):
        lab.inventory(text)
        r = lab.run("status", "n1")
        same((r.status, r.out), (2, ""), r)
        for part in parts:
            has(r.err, part)
    head = f"nodes:\n  n1:\n    driver: fence\n    agent: {fake.agent}\n    machine_file: m\n"
    says(head + "    plugg: 1\n    ssl: maybe\n",
         f"yaml:6:5: driver fence has no setting 'plugg' with agent '{fake.agent}'; "
         "did you mean 'plug'?", "yaml:7:10: ssl cannot be 'maybe'")
    says(head + "    missing_as_off: true\n", "yaml:6:5: driver fence has no setting")
    says(head + "    password_script: /bin/echo\n", "yaml:6:5: driver fence has no setting")
    says("nodes:\n  n1: {driver: fence}\n", "yaml:2:3: agent is missing")
    says("nodes:\n  n1: {driver: fence, agent: fence_fake_x, plug: 1}\n",
         "yaml:2:30: agent 'fence_fake_x': /usr/sbin/fence_fake_x does not exist")
    for name in ("../sbin/fence_apc", "fence_Apc", "apc", "fence_", "fence_a;b"):
        says("nodes: " + json.dumps({"n1": {"driver": "fence", "agent": name}}),
             "an agent is a name like fence_apc")
    if AGENTS:
        says("nodes:\n  n1: {driver: fence, agent: fence_apcc}\n", "did you mean 'fence_apc'?")
    os.chmod(fake.agent, 0o777)
    says(head, "is writable by others and is not run; mend it with: chmod o-w")
    os.chmod(fake.agent, 0o644)
    says(head, "is no program")
    os.chmod(fake.agent, 0o755)
    os.chmod(lab.path("agents"), 0o777)
    says(head, "is writable by others")
    os.chmod(lab.path("agents"), 0o700)
    if os.geteuid() == 0:
        os.chown(fake.agent, 65534, 65534)
        says(head, "belongs to user 65534")
        os.chown(fake.agent, 0, 0)
    lab.write("agents/fence_fake", "#!/bin/sh\necho '<resource-agent><x'\n", 0o700)
    says(head, "-o metadata` prints no metadata: metadata:")
    lab.write("agents/fence_fake", "#!/bin/sh\necho no luck >&2\nexit 3\n", 0o700)
    says(head, "-o metadata`", "no luck")
    same(fake.log, [])


@test
def asked_once(lab):
    """an agent is asked for its metadata once for each version of its file"""
    fake = Fake(lab)
    asked = lab.path("asked")
    with open(fake.agent, encoding="utf-8") as f:
        text = f.read().replace("        metadata()\n",
                                f"        open({asked!r}, 'a').write('x'); metadata()\n")
    lab.write("agents/fence_fake", text, 0o700)
    # Of 400 nodes, with an empty cache, and where there can be none.
    lab.inventory(f"nodes:\n  m[0-399]: {{driver: fence, agent: {fake.agent}, machine_file: "
                  f"{lab.path('machine')}}}\n")
    for cache in ({"XDG_CACHE_HOME": "/proc/nowhere"}, {}):
        lab.write("asked", "")
        same(lab.run("on", "-a", "--dry-run", "--timeout", "1ms", "-q", env=cache).status, 1)
        same((lab.read("asked"), fake.log), ("x", []), cache)
    good(lab.run("status", "m1"), "m1: on")
    same(lab.read("asked"), "x")
    lab.write("agents/fence_fake", text + "\n# another version\n", 0o700)
    good(lab.run("status", "m1"), "m1: on")
    same(lab.read("asked"), "xx")
    with open(glob.glob(lab.path("cache/powerctl/drivers/fence/*"))[0], "r+b") as kept:
        kept.seek(200)
        kept.write(b"damaged")
    good(lab.run("status", "m1"), "m1: on")
    same(lab.read("asked"), "xxx")


# --- Faults. ---------------------------------------------------------------------------------


@test
def honest_states(lab):
    """unknown is never off: a status is believed only if number and words say the same"""
    fake = Fake(lab)
    for mode, kind, part in (
            ("script", "refused", "fence_fake: python3: can't open file"),
            ("contradict", "protocol", "ended with status 0 and printed 'Status: OFF'"),
            ("garbage", "protocol", "ended with status 0 and printed no 'Status: ON'"),
            ("silent", "refused", "failed with status 7 and did not say why"),
            ("refuse", "refused", "fence_fake: Failed: the outlet is locked"),
            ("login", "auth", "fence_fake: Failed: Login failed"),
            ("connect", "unreachable", "fence_fake: Unable to connect/login to fencing device"),
            ("killed", "protocol", "fence_fake"),
            ("noisy", "protocol", "fence_fake")):
        fake.entry(mode=mode)
        r = lab.run("--json", "status", "n1")
        same((error_of(r)[0], r.json[0]["state"]), (kind, "unknown"), (mode, r))
        has(error_of(r)[1], part)
        for verb in ("off", "on"):
            fake.actions()
            same(lab.run(verb, "n1").status, 1, mode)
            same(set(fake.actions()), {"status"}, f"what {verb} asked with {mode}")
    same(fake.state, "on")


@test
def asked_once_with_a_password(lab):
    """a login that may have been refused is not tried again"""
    fake = Fake(lab, password=SECRET)
    for mode in ("login", "connect"):
        fake.entry(mode=mode, password=SECRET)
        fake.actions()
        bad(lab.run("--try-anyway", "status", "n1"), 1)
        same(fake.actions(), ["status"], mode)


@test
def honest_actions(lab):
    """an action that failed is looked at again, and only what was seen is told"""
    fake = Fake(lab)

    def off(mode, verify="1s"):
        fake.set("on")
        fake.entry(mode=mode, mode_action="off",
                   timeouts=f"read: 30s, confirm: 2s, verify: {verify}")
        fake.actions()
        return lab.run("--json", "off", "n1")
    good_end = off("after", "20s")  # done, though it says otherwise
    same((good_end.status, good_end.json[0]["state"], fake.state), (0, "off", "off"), good_end)
    for mode in ("refuse", "late", "garbage", "lie", "killed", "noisy", "silent"):
        r = off(mode)
        same((r.status, r.json[0]["ok"], fake.state), (1, False, "on"), r)
        assert r.json[0]["state"] != "off", r
        actions = fake.actions()
        same(actions[:2], ["status", "off"], mode)
        same(actions[-1], "status", mode)
    for mode, kind in (("login", "auth"), ("connect", "unreachable")):
        r = off(mode)
        same((error_of(r)[0], fake.actions()), (kind, ["status", "off"]), r)


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def pids_of(fake):
    return [pid for one in fake.log for pid in one.get("pids", [])]


@test
def hangs(lab):
    """an agent that hangs is killed with its children, and named"""
    fake = Fake(lab)
    for mode in ("hang", "deaf"):
        lab.write("log", "")
        fake.entry(mode=mode, timeouts="read: 4s")
        r = lab.run("--json", "status", "n1")
        same((*error_of(r), r.json[0]["state"]),
             ("timeout", f"no answer from {fake.agent} in 3.5 s; it was killed", "unknown"), r)
        same([one["given"]["action"] for one in fake.log if "given" in one], ["status"])
        assert len(pids_of(fake)) >= 2, fake.log
        until("all of it is gone", lambda: all(gone(pid) for pid in pids_of(fake)))
    fake.entry(mode="chatter", timeouts="read: 4s")
    same(error_of(lab.run("--json", "status", "n1")),
         ("timeout", f"no answer from {fake.agent} in 3.5 s; it was killed: the line is slow"))
    fake.entry(mode="patient", timeouts="read: 4s")  # it gives up before it is killed
    same(error_of(lab.run("--json", "status", "n1")),
         ("timeout", "fence_fake: Connection timed out"))
    lab.write("log", "")
    fake.entry(mode="deaf", mode_action="off", timeouts="read: 4s, confirm: 2s, verify: 1s")
    r = lab.run("--json", "off", "n1")
    same((error_of(r)[0], fake.state), ("outcome_unknown", "on"), r)
    has(error_of(r)[1], f"no answer from {fake.agent} in ")
    until("all of it is gone", lambda: all(gone(pid) for pid in pids_of(fake)))


@test
def hangs_on_a_terminal(lab):
    """what an agent runs on a terminal of its own (ssh, telnet) goes with it"""
    need_agents()
    pid_file = lab.path("pid")
    ssh = lab.write("ssh", f"#!/bin/sh\necho $$ >{pid_file}.new\nmv {pid_file}.new {pid_file}\n"
                    "exec sleep 600\n", 0o700)
    entry = {"driver": "fence", "agent": "fence_apc", "address": "127.0.0.1", "username": "apc",
             "password_env": "STRIP", "plug": "3", "ssh": True, "ssh_path": ssh,
             "login_timeout": "5m", "timeouts": {"read": "4s"}}
    lab.inventory("nodes: " + json.dumps({"n1": entry}))
    lab.env["STRIP"] = SECRET
    kind, text = error_of(lab.run("--json", "status", "n1"))
    same((kind, text), ("timeout", "no answer from /usr/sbin/fence_apc in 3.5 s; it was killed"))
    until("it is gone", lambda: gone(int(lab.read("pid"))))


@test
def interrupted(lab):
    """^C ends an agent and says that nobody knows what it did"""
    fake = Fake(lab)
    fake.entry(mode="hang", mode_action="off", timeouts="read: 60s")
    proc = lab.start("--json", "off", "n1", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                     text=True)
    until("it hangs", lambda: pids_of(fake))
    proc.send_signal(signal.SIGINT)
    out, err = proc.communicate(timeout=lib.PATIENCE)
    same(proc.returncode, 130, err)
    same(json.loads(out)["error"]["class"], "outcome_unknown", out)
    until("all of it is gone", lambda: all(gone(pid) for pid in pids_of(fake)))


@test
def interrupted_while_asked(lab):
    """a signal that ends us while an agent is asked for its metadata ends the agent"""
    fake = Fake(lab)
    pid_file = lab.path("pid")
    lab.write("agents/fence_fake", f"#!/bin/sh\necho $$ >{pid_file}.new\n"
              f"mv {pid_file}.new {pid_file}\nsleep 600\n", 0o700)
    proc = lab.start("status", "n1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until("it is asked", lambda: os.path.exists(pid_file))
    proc.send_signal(signal.SIGTERM)
    proc.communicate(timeout=lib.PATIENCE)
    same(proc.returncode, -signal.SIGTERM)
    until("it is gone", lambda: gone(int(lab.read("pid"))))
    same(fake.log, [])


@test
def many(lab):
    """outlets of one strip take turns, strips go side by side, and each plug is its own machine"""
    fake = Fake(lab)
    shutil.rmtree(lab.path("cache", "powerctl"), ignore_errors=True)
    lab.inventory(f"classes:\n  strip: {{driver: fence, agent: {fake.agent}, "
                  f"machine_file: {lab.path('machine')}, timeouts: {{read: 60s}}}}\nnodes:\n" +
                  "".join(f"  p{i}n[1-4]: {{class: strip, address: strip{i}, plug: \"[1-4]\"}}\n"
                          for i in range(5)))
    r = lab.run("status", "--all")
    same((r.status, len(r.lines), {line.split(": ")[1] for line in r.lines}), (0, 20, {"on"}), r)


if __name__ == "__main__":
    main()
