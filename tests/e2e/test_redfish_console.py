#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Redfish service's serial console over SSH: Debian's ssh and sshd, and a BMC's command line behind it."""
import fcntl
import os
import signal
import socket
import struct
import subprocess
import termios

from gatewaylib import BmcSshd
from lib import BUILD, bad, good, has, main, same, test, until
from redfishlib import PASSWORD, USER, RedfishFleet


ASKPASS = os.path.join(BUILD, "libexec", "powerctl", "powerctl-askpass")


def bmc(lab, more="", settings="", **how):
    """A service and its sshd, which no key opens."""
    sshd = BmcSshd(lab, USER, PASSWORD, more)
    sshd.client("other")
    fleet = RedfishFleet(lab, "--set", f"all:ssh_port={sshd.port}", settings=settings, **how)
    return fleet, sshd


def nothing_left(lab, sshd):
    until("all of ssh has ended", lambda: not sshd.alive())
    until("sshd serves nobody", lambda: not sshd.sessions())
    same([f for f in os.listdir(lab.path("run", "powerctl")) if "askpass" in f], [])


@test
def talking(lab):
    """the password, the command that enters it, typing, sizes, ~B, and ~. which leaves nothing behind"""
    _, sshd = bmc(lab)
    t = lab.terminal("console", "r1")
    t.expect("[powerctl: console of r1 (ssh); ~. leaves, ~? helps]")
    t.expect("its own way to leave, as it says: Press ^] and then q]")
    t.expect("A BMC's welcome.\n")
    t.expect("bmc> start /console1\n")
    t.expect("console1 is open\n")
    t.wait_echo(False)
    t.send("hello\r")
    t.expect("got hello\n")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    until("the size is there", lambda: (t.send("size\r"), t.expect("got "), t.expect("\n"))
          and "111x33" in t.seen)
    t.send("~B")
    t.expect("no break was sent: it has no 'break'")
    t.send("\r~.")
    t.expect("[powerctl: console of r1 closed]")
    same(t.end(), 0)
    same(termios.tcgetattr(t.fd), t.before)
    nothing_left(lab, sshd)
    same(sshd.told()[1:3], ["command: start /console1", "console: hello"])
    same(PASSWORD in t.seen, False)


def proc(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as f:
        return f.read()


def count(sshd, words):
    with open(os.path.join(sshd.home, "log"), encoding="utf-8") as f:
        return f.read().count(words)


@test
def scripts(lab):
    """a pipe, --log and --follow; keys come first, and the password is in no argument or environment"""
    fleet, sshd = bmc(lab)
    log = lab.path("log")
    r = lab.run("console", "r1", "--log", log, stdin="one\ntwo\n")
    same((r.status, r.err), (0, ""), r)
    for text in (r.out, lab.read("log")):
        has(text, "got one")
        has(text, "got two")
    same((count(sshd, "Accepted password"), count(sshd, "Failed password")), (1, 0))
    r = lab.run("console", "r1", stdin="exit\n")
    # A device ends it after all that was sent.
    same((r.status, "got exit" in r.out, r.err), (0, False, ""), r)
    nothing_left(lab, sshd)
    sshd.client("user")
    follow = lab.start("console", "--follow", "r1", stdout=-1, stderr=-1, text=True)
    for line in follow.stdout:
        if line == "r1: console1 is open\n":
            break
    same((count(sshd, "Accepted publickey"), count(sshd, "Accepted password")), (1, 2))
    for pid in sshd.alive():
        for name in ("cmdline", "environ"):
            same(PASSWORD in proc(pid, name), False, name)
    follow.send_signal(signal.SIGINT)
    _, err = follow.communicate(timeout=60)
    same(follow.returncode, 130, err)
    nothing_left(lab, sshd)
    fleet.inventory(settings="console_command: exit")
    r = lab.run("console", "r1", stdin="")
    same(r.status, 0, r)
    same(sshd.told()[-1], "command: exit")


@test
def askpass(lab):
    """the password is for one ssh, which leads its session, for the question for a password, and once"""
    pipe = lab.path("pipe")
    os.mkfifo(pipe, 0o600)
    fd = os.open(pipe, os.O_RDWR)
    os.write(fd, b"sec ret\\\n")

    def ask(prompt, leads=True):
        r = subprocess.run(["sh", "-c", '"$0" "$1"; exit $?', ASKPASS, prompt], capture_output=True,
                           env={**lab.env, "POWERCTL_ASKPASS": pipe}, start_new_session=leads,
                           text=True, check=False, timeout=60)
        return r.returncode, r.stdout

    same(ask("admin@bmc's password: ", leads=False), (1, ""))
    for other in ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
                  "Enter passphrase for key '/home/me/password:': ", "PIN: ", ""):
        same(ask(other), (1, ""), other)
    same(ask("(admin@bmc) Password: "), (0, "sec ret\\\n"))
    same(ask("admin@bmc's password: ")[1], "")
    os.close(fd)


@test
def not_let_in(lab):
    """an unknown key, a changed one, a wrong password: their classes, one try, and the login of Redfish is not blamed"""
    fleet, sshd = bmc(lab)
    sshd.write("known_hosts", "")
    r = bad(lab.run("console", "r1"), 1)
    has(r.err, "r1: trust: over SSH: its host key is not known here; log in once with "
               f"`ssh -p {sshd.port} -l {USER} 127.0.0.1` and compare it")
    sshd.knows("other")
    has(bad(lab.run("console", "r1"), 1).err, "r1: trust: over SSH: its host key has changed")
    same(count(sshd, "Failed") + count(sshd, "Accepted"), 0)
    sshd.knows("host")
    sshd.env["SSHD_HASH"] = "!"
    sshd.restart()
    r = bad(lab.run("console", "r1"), 1)
    has(r.err, "r1: auth: over SSH it takes neither a key of yours nor the password")
    same("credential" in r.err, False, r)
    same(count(sshd, "Failed password"), 1)
    nothing_left(lab, sshd)
    good(lab.run("status", "r1"), "r1: off")
    fleet.inventory(settings="via: socks5://127.0.0.1:1")
    r = bad(lab.run("console", "r1"), 1)
    fleet.inventory(settings="via: pump")
    has(bad(lab.run("console", "r1"), 1).err, "r1: unsupported: its serial console is reached over SSH; type: "
        f"ssh -p {sshd.port} -l {USER} 127.0.0.1, and there: start /console1")
    fleet.inventory(settings='console_command: "a\\tb"')
    bad(lab.run("console", "r1"), 2)


@test
def no_password(lab):
    """a password that ssh has not asked for: that is said, and why; and of ssh what it was given and has said"""
    _, sshd = bmc(lab)
    sshd.client("other", "PreferredAuthentications publickey\n")
    has(bad(lab.run("console", "r1"), 1).err, "r1: auth: over SSH it takes no key of yours, and ssh did not ask for "
        "the password: see PasswordAuthentication and PreferredAuthentications in ~/.ssh/config")
    sshd.write("sshd_config", "AuthenticationMethods publickey\n" + sshd.read("sshd_config"))
    sshd.restart()
    r = bad(lab.run("console", "-vv", "r1"), 1)
    has(r.err, "r1: auth: over SSH it takes no password, only publickey, and no key of yours")
    has(r.err, "ssh -ttaxk ")
    has(r.err, " StrictHostKeyChecking=yes ")
    has(r.err, f" -l {USER} -p {sshd.port} -- 127.0.0.1\n")
    has(r.err, f"ssh: {USER}@127.0.0.1: Permission denied (publickey).\n")


@test
def in_use(lab):
    """a BMC that ends the login has its last line told; --steal has no meaning; what killed ones left behind is swept"""
    _, sshd = bmc(lab)
    lab.write("bmc/full", "")
    r = bad(lab.run("console", "r1"), 1)
    has(r.err, "r1: refused: the login over SSH ended before there was a console; its last words: 'All sessions are in use'")
    same("\033" in r.err, False, r)
    has(bad(lab.run("console", "--steal", "r1"), 1).err,
        "r1: unsupported: over SSH nobody's console is ended for another one: leave out --steal")
    os.unlink(lab.path("bmc/full"))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"askpass.{gone.pid}.0", f"askpass.{os.getpid()}.0", f"askpass.{gone.pid}.x"):
        os.mkfifo(lab.path("run", "powerctl", name))
    lab.write("bmc/restless", "")
    r = lab.run("console", "r1", stdin="one\n")
    same((r.status, r.err, "got one" in r.out), (0, "", True), r)
    same(sorted(f for f in os.listdir(lab.path("run", "powerctl")) if "askpass" in f),
         sorted([f"askpass.{os.getpid()}.0", f"askpass.{gone.pid}.x"]))
    os.unlink(lab.path("run", "powerctl", f"askpass.{os.getpid()}.0"))
    os.unlink(lab.path("run", "powerctl", f"askpass.{gone.pid}.x"))
    nothing_left(lab, sshd)


@test
def careless(lab):
    """whatever the user's ssh_config says, an unknown host gets no password; and there is a terminal and a shell"""
    _, sshd = bmc(lab)
    nowhere = "UserKnownHostsFile /dev/null\n"
    for more in ("StrictHostKeyChecking no\n" + nowhere, "StrictHostKeyChecking accept-new\n" + nowhere,
                 "StrictHostKeyChecking accept-new\n", "NoHostAuthenticationForLocalhost yes\n",
                 "StrictHostKeyChecking no\nVerifyHostKeyDNS yes\n"):
        sshd.write("known_hosts", "")
        sshd.client("other", more)
        has(bad(lab.run("console", "r1"), 1).err, "r1: trust: over SSH: its host key is not known here")
        same((sshd.read("known_hosts"), count(sshd, "password")), ("", 0), more)
    sshd.knows("other")
    sshd.client("other", "StrictHostKeyChecking no\n")
    has(bad(lab.run("console", "r1"), 1).err, "r1: trust: over SSH: its host key has changed")
    same(count(sshd, "password"), 0)
    sshd.knows("host")
    sshd.client("other", "StdinNull yes\nSessionType none\nBatchMode yes\nRequestTTY no\nEscapeChar x\n"
                "RemoteCommand true\nForkAfterAuthentication yes\nLogLevel QUIET\nNumberOfPasswordPrompts 0\n"
                f"Tunnel yes\nControlMaster auto\nControlPath {sshd.path('master')}\nControlPersist yes\n")
    r = lab.run("console", "r1", stdin="one x\n")
    same((r.status, r.err, "got one x" in r.out), (0, "", True), r)
    nothing_left(lab, sshd)


@test
def lost(lab):
    """a connection that is lost is told and made again for a person, and a failure for a script; a killed shell is an end"""
    _, sshd = bmc(lab)
    t = lab.terminal("console", "r1")
    t.expect("console1 is open\n")
    sshd.hang_up()
    t.expect("connection lost: unreachable: over SSH: ")
    t.expect("trying again in 1 s")
    t.expect("console1 is open\n")
    t.send("crash\r")
    t.expect("powerctl: r1: the device ended the session")
    same(t.end(), 1)
    nothing_left(lab, sshd)
    script = lab.start("console", "r1", stdin=-1, stdout=-1, stderr=-1, text=True)
    until("the console is open", lambda: len(sshd.told()) > 6 and sshd.alive())
    sshd.hang_up()
    _, err = script.communicate(timeout=60)
    same(script.returncode, 1)
    has(err, "r1: unreachable: over SSH: ")
    nothing_left(lab, sshd)


@test
def ends(lab):
    """^C while it logs in, and whatever kills powerctl, ends ssh"""
    fleet, sshd = bmc(lab)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fleet.set(1, ssh_port=silent.getsockname()[1])
        t = lab.terminal("console", "r1")
        until("ssh runs", sshd.alive)
        t.send("\x03")
        same(t.end(), 130)
        nothing_left(lab, sshd)
    fleet.set(1, ssh_port=sshd.port)
    t = lab.terminal("console", "r1")
    t.expect("console1 is open\n")
    same(len(sshd.alive()), 1)
    t.proc.kill()
    until("ssh has ended", lambda: not sshd.alive())
    until("sshd serves nobody", lambda: not sshd.sessions())
    fleet.set(1, ssh_port=1)
    has(bad(lab.run("console", "r1"), 1).err, "r1: unreachable: over SSH: connection refused")


@test
def of_the_manager(lab):
    """the older form, which names no command: what that may mean is said, and console_command names one"""
    fleet, sshd = bmc(lab, profile="supermicro")
    t = lab.terminal("console", "r1")
    t.expect("[powerctl: the service names no command that enters the console")
    t.expect("bmc> ")
    t.wait_echo(False)
    t.send("exit\r")
    t.expect("the device ended the session")
    same(t.end(), 1)
    fleet.inventory(settings="console_command: start /console1")
    r = lab.run("console", "r1", stdin="x\n")
    same((r.status, "got x\n" in r.out), (0, True), r)
    nothing_left(lab, sshd)


main()
