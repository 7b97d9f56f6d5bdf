#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fence_powerctl under the real Pacemaker: its fencer alone, and a cluster of one node with corosync.

Runs in a network namespace and a mount namespace of its own, in which Pacemaker finds the agent in /usr/sbin; nothing
of this host is changed, and no service is started. Machines are the null driver's, whose power is in files.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import lib  # noqa: E402
from lib import POWERCTL, SOURCE, has, main, same, skip, test, until  # noqa: E402

INSIDE = "POWERCTL_CHECK_PACEMAKER_INSIDE"
DAEMONS = "/usr/lib/pacemaker"
PRIVATE = ["/dev/shm", "/run", "/var/lib/pacemaker", "/var/log/pacemaker", "/var/lib/corosync", "/var/log/corosync"]
HOSTS = "alice:n1;bob:n2;carol:n3"

CONF = """totem {
  version: 2
  cluster_name: powerctl
  transport: udpu
}
logging {
  to_stderr: yes
  to_syslog: no
}
quorum {
  provider: corosync_votequorum
  expected_votes: 1
}
nodelist {
  node {
    ring0_addr: 127.0.0.1
    name: here
    nodeid: 1
  }
}
"""


def why_not():
    """What this place lacks, or nothing."""
    for program in ("corosync", "pacemakerd", "stonith_admin", "cibadmin", "unshare", "ip"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"pacemaker: no {program}"
    if subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return "pacemaker: no namespaces of our own"
    return ""


def sh(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=lib.PATIENCE * 2, check=False)
    if check:
        same(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
    return done


def place(lab):
    """Folders of our own where Pacemaker has its own, and the agent where it looks for it."""
    missing = why_not()
    if missing:
        skip(missing)
    sh("mount", "--make-rprivate", "/")
    sh("ip", "link", "set", "lo", "up")
    programs = lab.path("sbin")
    os.mkdir(programs)
    sh("mount", "--bind", "/usr/sbin", programs)
    sh("mount", "-t", "tmpfs", "tmpfs", "/usr/sbin")
    for name in os.listdir(programs):
        os.symlink(os.path.join(programs, name), os.path.join("/usr/sbin", name))
    agent = "/usr/sbin/fence_powerctl"
    if os.path.lexists(agent):
        os.unlink(agent)
    os.symlink(os.path.join(SOURCE, "contrib", "fence", "fence_powerctl"), agent)
    for folder in PRIVATE:
        if os.path.isdir(folder):
            sh("mount", "-t", "tmpfs", "tmpfs", folder)
    for folder in ("/run/crm", "/var/lib/pacemaker/cib", "/var/lib/pacemaker/pengine", "/var/lib/pacemaker/cores"):
        os.makedirs(folder, exist_ok=True)
    sh("chown", "-R", "hacluster:haclient", "/run/crm", "/var/lib/pacemaker", "/var/log/pacemaker")
    lab.keep(Unplace(programs))


class Unplace:
    """Puts the mounts back, for the next test."""

    def __init__(self, programs):
        self.programs = programs

    def close(self):
        for folder in [*PRIVATE, "/usr/sbin"]:
            sh("umount", "-l", folder, check=False)
        sh("umount", "-l", self.programs, check=False)


def fleet(lab):
    lab.inventory("nodes:\n"
                  f"  n[1-3]: {{driver: \"null\", state_file: \"{lab.path('n')}[1-3].state\"}}\n"
                  "  n2: {fail: refused}\n  n3: {fail_reads: unreachable}\n")
    for name in ("n1", "n2", "n3"):
        lab.write(f"{name}.state", "on")


def start(lab, name, *words):
    with open(lab.path(name + ".log"), "wb") as log:
        env = {**lab.env, "PCMK_logfile": lab.path(name + ".pcmk"), "PCMK_logfacility": "none"}
        return lab.keep(lib.Started(subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                     start_new_session=True)))


def fences(lab):
    """What stonith_admin makes of nodes that go off, that refuse and that nobody reaches."""
    same(sh("stonith_admin", "-F", "alice", "-t", "60").returncode, 0)
    same(lab.read("n1.state").strip(), "off")
    same(sh("stonith_admin", "-B", "alice", "-t", "60").returncode, 0)
    same(lab.read("n1.state").strip(), "on")
    for host in ("bob", "carol"):
        done = sh("stonith_admin", "-F", host, "-t", "60", check=False)
        assert done.returncode != 0, f"{host}: {done}"
    same(lab.read("n2.state").strip(), "on")


@test
def fencer(lab):
    """Pacemaker's fencer alone: metadata, registration with pcmk_host_map, off, reboot, what cannot be fenced"""
    place(lab)
    fleet(lab)
    start(lab, "fenced", os.path.join(DAEMONS, "pacemaker-fenced"), "--stand-alone", "-l", lab.path("fenced.pcmk"))
    until("the fencer is there", lambda: sh("stonith_admin", "-L", check=False).returncode == 0)
    has(sh("stonith_admin", "--metadata", "-a", "fence_powerctl").stdout, 'name="fence_powerctl"')
    sh("stonith_admin", "-R", "power", "-a", "fence_powerctl", "-o", f"pcmk_host_map={HOSTS}",
       "-o", f"powerctl_path={POWERCTL}", "-o", f"inventory={lab.inventory_path}")
    has(sh("stonith_admin", "-l", "alice").stdout, "power")
    same(sh("stonith_admin", "-Q", "power").returncode, 0, "monitor")
    fences(lab)


def cib(lab):
    rows = {"pcmk_host_map": HOSTS, "powerctl_path": POWERCTL, "inventory": lab.inventory_path}
    pairs = "".join(f'<nvpair id="p-{k}" name="{k}" value="{v}"/>' for k, v in rows.items())
    return ('<primitive id="power" class="stonith" type="fence_powerctl"><instance_attributes id="p">'
            f'{pairs}</instance_attributes></primitive>')


@test
def cluster(lab):
    """a cluster of one node, corosync and all of Pacemaker: fence_powerctl as its resource is started and fences"""
    place(lab)
    fleet(lab)
    conf = lab.write("corosync.conf", CONF)
    start(lab, "corosync", "corosync", "-f", "-c", conf)
    until("quorum", lambda: "Yes" in sh("corosync-quorumtool", "-s", check=False).stdout)
    launcher = start(lab, "pacemakerd", "pacemakerd", "-f").proc
    try:
        until("the cluster takes its configuration", lambda: sh("cibadmin", "-Q", check=False).returncode == 0)
        sh("cibadmin", "-o", "crm_config", "-M", "--allow-create", "-X",
           '<cluster_property_set id="c"><nvpair id="c-d" name="dc-deadtime" value="1s"/></cluster_property_set>')
        sh("cibadmin", "-o", "resources", "-C", "-X", cib(lab))
        until("it is started", lambda: "Started here" in sh("crm_mon", "-1", check=False).stdout)
        fences(lab)
        has(sh("stonith_admin", "-H", "alice").stdout, "alice")
    except AssertionError as why:
        raise AssertionError(f"{why}\n{sh('crm_mon', '-1', check=False)}") from None
    finally:
        launcher.terminate()
        launcher.wait(lib.PATIENCE)


def enter():
    """Once, into namespaces of our own; where there are none the tests say so."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not os.environ.get(INSIDE) and not why_not():
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv])


if __name__ == "__main__":
    enter()
    main()
