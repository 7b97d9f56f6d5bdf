#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Screens of Intel AMT machines: viewers, pictures, the firmware's own VNC port."""
import os
import signal
import socket
import struct
import subprocess
import sys
from concurrent import futures

import lib
from kvmlib import DirectViewer, Viewer, png, screens, sha8, sha16
from lib import bad, good, has, same, test


def shot(lab, *args):
    path = lab.path("screen.png")
    r = good(lab.run("kvm", "--screenshot", path, "a1", *args), f"a1: ok: {path}")
    same([f for f in os.listdir(os.path.dirname(path)) if f.startswith("screen.png")], ["screen.png"])
    return png(path) + (r.err,)


@test
def pictures(lab):
    """A screenshot is the stand-in's picture, also of a screen that is too large for its firmware"""
    fleet = screens(lab)
    width, height, rgb, err = shot(lab)
    same((width, height, sha16(rgb), err), (200, 150, fleet.device()["kvm_sha256"], ""))
    fleet.idle()
    same(fleet.counters()["kvm_sessions"], 1)
    r = lab.run("kvm", "--json", "--screenshot", lab.path("screen.png"), "a1")
    one = r.json[0]
    same((one["verb"], one["ok"], one["result"]),
         ("kvm", True, {"file": lab.path("screen.png"), "width": 200, "height": 150}))
    # Too many bytes in RGB565: the device hangs up, and is asked once more.
    fleet.set(1, kvm_limit=30001)
    same(sha8(shot(lab)[2]), fleet.device()["kvm_sha256_8bit"])
    same(fleet.counters()["kvm_sessions"], 4)
    # Known beforehand: it is asked for the smaller one at once.
    fleet.set(1, kvm_limit=9216000, kvm_width=4096, kvm_height=1200)
    r = lab.run("kvm", "--screenshot", lab.path("large.png"), "a1")
    same((r.status, fleet.counters()["kvm_sessions"]), (0, 5), r)
    same(fleet.device()["kvm_default_screen"], 0)


@test
def pictures_otherwise(lab):
    """Pictures over TLS, of firmware that greets with RFB 4.0, where KVM was off, of a display"""
    fleet = screens(lab, tls=True, profile="11")
    same(sha16(shot(lab)[2]), fleet.device()["kvm_sha256"])
    fleet.set(1, kvm_screens=2, kvm=0)
    same(shot(lab, "--display", "2")[3],
         "powerctl: a1: KVM showed another display; it shows this one from now on; "
         "KVM or its listener was off; it was switched on\n")
    same(fleet.device()["kvm_default_screen"], 1)
    bad(lab.run("kvm", "--screenshot", lab.path("no.png"), "--display", "3", "a1"), 1,
        "a1: error: refused: no display 3 is active; active: 1, 2")
    bad(lab.run("kvm", "--screenshot", lab.path("no.png"), "--display", "9", "a1"), 1,
        "a1: error: config: there are displays 1 to 4")
    assert not os.path.exists(lab.path("no.png"))
    fleet.idle()


@test
def many(lab):
    """Pictures of several nodes: a file each, in a folder; who fails is told, and leaves none"""
    fleet = screens(lab, devices=20)
    fleet.set(3, no_kvm=1)
    fleet.set(4, kvm_fault="zlib")
    folder = lab.path("shots") + "/"
    r = lab.run("kvm", "--screenshot", folder, "--sort", "a[1-20]")
    same((r.status, len(r.lines)), (1, 20), r)
    same(r.lines[0], f"a1: ok: {folder}a1.png")
    has(r.lines[2], "a3: error: unsupported: this machine has no KVM redirection")
    has(r.lines[3], "a4: error: protocol: a rectangle cannot be unpacked")
    same(sorted(os.listdir(folder)), sorted(f"a{n}.png" for n in range(1, 21) if n not in (3, 4)))
    same(sha16(png(folder + "a20.png")[2]), fleet.device(20)["kvm_sha256"])
    mask = os.umask(0)
    os.umask(mask)
    same(os.stat(folder + "a20.png").st_mode & 0o777, 0o666 & ~mask)
    r = lab.run("kvm", "--screenshot", lab.path("x.png"), "a[1-2]")
    same(r.status, 2)
    has(r.err, "go to a folder: --screenshot")
    # The failed ones are known.
    r = lab.run("kvm", "--screenshot", folder, "@failed")
    same(sorted(line.split(":")[0] for line in r.lines), ["a3", "a4"])


@test
def wrong_screens(lab):
    """A screen that sends what cannot be is an error in words, and no file"""
    faults = (("rectangle", "protocol: its screen of 200 x 150 has no rectangle of"),
              ("zlib", "protocol: a rectangle cannot be unpacked (ZRLE"),
              ("truncate", "protocol: a rectangle of 64 x 64 comes as 2147483647 bytes"),
              ("garbage", "protocol: its screen sends a message that nobody knows"),
              ("drop", "unreachable: it hung up before its picture was there"),
              ("close_init", "unreachable: it hung up before it showed a screen"),
              ("security", "unsupported: its screen asks for a password of its own"),
              ("frame_unknown", "protocol: an unknown redirection frame (99) during KVM"),
              ("frame_interleave", "protocol: a redirection frame out of place: SOL data (2A) during KVM"),
              ("frame_refused", "refused: it does not begin KVM (status 1)"),
              ("frame_truncate", "unreachable: connection closed within a redirection frame"))
    fleet = screens(lab, devices=len(faults), timeouts="")

    def said(n):
        fault = faults[n - 1][0]
        fleet.set(n, kvm_fault=fault)
        r = lab.run("kvm", "--screenshot", lab.path(f"{fault}.png"), f"a{n}")
        assert not os.path.exists(lab.path(f"{fault}.png")), fault
        fleet.idle(n)
        return r

    # Who hung up is asked who has it now, and some are tried again: all at once.
    with futures.ThreadPoolExecutor(len(faults)) as pool:
        for n, r in enumerate(pool.map(said, range(1, len(faults) + 1)), 1):
            bad(r, 1, f"a{n}: error: {faults[n - 1][1]}")
    path = lab.path("screen.png")
    for fault in ("silent", "empty"):
        fleet.set(1, kvm_fault=fault)
        bad(lab.run("kvm", "--screenshot", path, "--timeout", "1s", "a1"), 1,
            "a1: error: timeout: no whole picture in 1 s")
    # The size changes while it is looked at: what is there at the end counts.
    fleet.set(1, kvm_fault="no", kvm_width=100)
    same(shot(lab)[0], 100)
    # What was there stays where nothing better comes.
    before = os.stat(path).st_mtime_ns
    fleet.set(1, kvm_fault="drop")
    bad(lab.run("kvm", "--screenshot", path, "a1"), 1)
    same(os.stat(path).st_mtime_ns, before)
    same([f for f in os.listdir(os.path.dirname(path)) if f.startswith("screen.png.")], [])


@test
def no_place_for_it(lab):
    """A picture that cannot be written: said before anything is sent where that can be known"""
    fleet = screens(lab)
    for path, words in ((lab.path("no", "such", "x.png"), "no file can be made in"),
                        ("/dev/null", "neither a file nor a folder"),
                        (lab.write("file", "x") + "/", "can be made: Not a directory"),
                        ("-", "not to standard output"), (lab.path("a.JPG"), "pictures are PNG"),
                        ("", "names no file")):
        r = lab.run("kvm", "--screenshot", path, "a1")
        same(r.status, 2, r)
        has(r.err, words)
    same(fleet.counters()["redir_connections"], 0)
    # What stands for two nodes would be one file.
    usage = lab.run("kvm", "--screenshot", lab.path("x") + "/", "null://[::1]", "null://__1")
    same((usage.status, usage.out), (2, ""), usage)
    has(usage.err, "__1.png would be the picture of __1 and of another node")
    # A disk that is full, as far as one process can have that: files of at most 1 kB.
    path = lab.path("full.png")
    r = subprocess.run(["sh", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$@"', "sh", lib.POWERCTL, "kvm",
                        "--screenshot", path, "a1"], env=lab.env, capture_output=True, text=True,
                       timeout=lib.PATIENCE, check=False)
    same(r.returncode, 1, r)
    has(r.stdout, f"a1: error: internal: {path}: cannot write it; nothing was changed: File too large")
    same([f for f in os.listdir(os.path.dirname(path)) if "full" in f], [])


@test
def interrupted(lab):
    """^C while a screen is opened once more ends that too, and leaves no file"""
    fleet = screens(lab, kvm_limit=30001, timeouts="")
    fleet.set(1, latency_ms=300)  # what is asked for the second time comes after the knob below
    path = lab.path("x.png")
    proc = lab.start("kvm", "--screenshot", path, "a1", stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE, text=True)
    fleet.wait(lambda d: d["counters"]["kvm_sessions"] == 1)
    fleet.set(1, hang="all")
    fleet.idle()
    proc.send_signal(signal.SIGINT)
    out, err = proc.communicate(timeout=lib.PATIENCE)
    same((proc.returncode, out), (130, "a1: error: canceled: interrupted\n"), err)
    assert not os.path.exists(path)
    same(fleet.counters()["kvm_sessions"], 1)
    fleet.set(1, latency_ms=0, hang="no")
    fleet.idle()
    # That KVM was off, and is on now, is said of pictures as well.
    fleet.set(1, kvm=0, kvm_limit=9216000)
    same(shot(lab)[3], "powerctl: a1: KVM or its listener was off; it was switched on\n")


@test
def viewers(lab):
    """A viewer gets the stand-in's picture through us, and ends it by leaving; a second one waits in vain"""
    fleet = screens(lab)
    v = Viewer(lab)
    has(v.line, "a1: vnc://127.0.0.1:")
    v.connect()
    same(v.begin(), (200, 150))
    same(v.raw(200, 150), fleet.device()["kvm_sha256"])
    try:
        socket.create_connection(("127.0.0.1", int(v.where.rsplit(":", 1)[1])), 5)
        raise AssertionError("a second viewer got in")
    except ConnectionRefusedError:
        pass
    same(v.leave(), (0, "", ""))
    fleet.idle()
    # Over TLS and of old firmware: a greeting with 4.0 is 3.8 to viewers.
    fleet.set(1, profile="11")
    fleet.inventory(tls=True)
    v = Viewer(lab).connect()
    same(v.begin(), (200, 150))
    same(v.raw(200, 150), fleet.device()["kvm_sha256"])
    # More than fits anywhere waits, and none of it is lost.
    fleet.set(1, kvm_width=1000, kvm_height=800, picture=9)
    big = Viewer(lab, "--steal").connect()
    same(big.begin(), (1000, 800))
    same([big.raw(1000, 800, n, fleet.counters) for n in (3, 0, 0, 0)],
         [fleet.device()["kvm_sha256"]] * 4)
    same(big.leave()[0], 0)
    same(v.end()[0], 1)
    v = Viewer(lab).connect()
    v.begin()
    # Keys arrive.
    v.sock.sendall(b"\4\1\0\0\0\0\xff\x0d")
    fleet.wait(lambda d: d["counters"]["kvm_keys"] == 1)
    same(v.leave()[0], 0)
    fleet.idle()


@test
def sockets(lab):
    """--socket: for this user alone, gone afterwards; a dead one is replaced, all else is not"""
    fleet = screens(lab)
    path = lab.path("screen.sock")
    v = Viewer(lab, "--socket", path)
    same(v.where, "unix:" + path)
    same(os.stat(path).st_mode & 0o777, 0o600)
    r = lab.run("kvm", "--socket", path, "a1")
    same(r.status, 2)
    has(r.err, "somebody waits at")
    v.connect()
    same(v.begin(), (200, 150))
    same(v.leave(), (0, "", ""))
    assert not os.path.exists(path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    v = Viewer(lab, "--socket", path, "--json")
    has(v.line, f'"url":"unix:{path}"')
    v.proc.send_signal(signal.SIGINT)
    same(v.end(), (130, "", ""))
    assert not os.path.exists(path)
    lab.write("screen.sock", "mine")
    r = lab.run("kvm", "--socket", path, "a1")
    same(r.status, 2)
    has(r.err, "is there, and no socket")
    same(lab.read("screen.sock"), "mine")
    fleet.idle()


@test
def ends(lab):
    """Each end of a view is told as what it is, and leaves nothing behind"""
    fleet = screens(lab, devices=2)
    v = Viewer(lab)
    v.proc.send_signal(signal.SIGINT)
    same(v.end(), (130, "", ""))
    fleet.idle()
    for tls in (False, True):
        fleet.inventory(tls=tls)
        both = Viewer(lab), Viewer(lab, node="a2").connect()
        both[1].begin()
        fleet.set("all", redirection_drop=1)
        for node, v in zip(("a1", "a2"), both):
            status, _, err = v.end()
            same(status, 1)
            same(err.splitlines()[-1],
                 f"powerctl: {node}: unreachable: connection lost: the device closed it")
            same("16 and 8 bits" in err, node == "a2")
    # One that asks for 32 bits a pixel.
    v = Viewer(lab).connect()
    v.begin()
    v.sock.sendall(bytes((0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0)))
    same(v.get(1), b"")
    status, _, err = v.end()
    same(status, 1)
    has(err, "its screen knows 16 and 8 bits a pixel only")
    has(err, "connection lost: the device closed it")
    # A viewer that never reads: the device is not read either, and ^C ends it.
    v = Viewer(lab).connect()
    v.begin()
    v.sock.sendall(struct.pack(">BBHi", 2, 0, 1, 0))
    for _ in range(300):
        v.sock.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 200, 150))
    fleet.wait(lambda d: d["counters"]["kvm_updates"] > 5)
    v.proc.send_signal(signal.SIGINT)
    same(v.end(), (130, "", ""))
    fleet.idle()
    # Somebody else has it, and loses it.
    first = Viewer(lab)
    r = lab.run("kvm", "a1")
    same((r.status, r.err), (1, ""), r)
    has(r.out, "a1: error: busy:")
    has(r.out, "--steal takes it")
    second = Viewer(lab, "--steal").connect()
    second.begin()
    same(first.end()[0], 1)
    same(second.leave()[0], 0)


@test
def taken(lab):
    """Whoever had the screen hears that another session took it, plain and over TLS"""
    fleet = screens(lab)
    for tls in (False, True):
        fleet.inventory(tls=tls)
        v = Viewer(lab).connect()
        v.begin()
        # All that the device says of it: who asks next hears that it is busy.
        fleet.set(1, redirection_status=2, redirection_drop=1)
        status, _, err = v.end()
        same((status, err.splitlines()[-1]),
             (1, "powerctl: a1: busy: taken over by another session"), tls)
        fleet.set(1, redirection_status=0)


@test
def forbids_power(lab):
    """off is refused while a screen is open; --end-sessions ends it, where the firmware has any"""
    fleet = screens(lab)
    v = Viewer(lab).connect()
    v.begin()
    bad(lab.run("off", "a1"), 1,
        "an open console, screen or medium forbids 'off': close it, or --end-sessions")
    same(fleet.device()["power_word"], "on")
    fleet.reset()
    good(lab.run("off", "--end-sessions", "a1"), "a1: off")
    same([w for w in fleet.device()["log"] if w.endswith("TerminateSession")],
         ["AMT_RedirectionService.TerminateSession"] * 2 +
         ["IPS_KVMRedirectionSettingData.TerminateSession"])
    same(v.end()[0], 1)
    fleet.idle()
    fleet.set(1, power="on", no_kvm=1)
    good(lab.run("off", "--end-sessions", "a1"), "a1: off")


@test
def switched_off(lab):
    """KVM that is off is switched on, and that is said; what forbids it is told"""
    fleet = screens(lab)
    fleet.set(1, kvm=0, redirection_listener=0)
    v = Viewer(lab)
    fleet.wait(lambda d: d["redirection_listener"])
    v.connect().begin()
    same(v.leave(), (0, "",
                     "powerctl: a1: KVM or its listener was off; it was switched on\n"))
    fleet.set(1, kvm=0, redirection_locked=1)
    r = lab.run("kvm", "a1")
    same(r.status, 1, r)
    has(r.out, "KVM is switched off on this machine, and it does not let us switch it on")
    fleet.set(1, kvm=1, redirection_locked=0, consent="kvm")
    r = lab.run("kvm", "a1")
    same(r.status, 1, r)
    has(r.out, "a1: error: consent:")
    fleet.set(1, consent="none", no_kvm=1)
    r = lab.run("kvm", "--json", "a1")
    same(lib.error_of(r), ("unsupported", "this machine has no KVM redirection"))
    fleet.set(1, no_kvm=0, redirection_status=3)
    r = lab.run("kvm", "a1")
    same(r.status, 1, r)
    has(r.out, "a1: error: unsupported:")


@test
def programs(lab):
    """--view starts $VNCVIEWER with the address and no shell; one that fails ends it"""
    fleet = screens(lab)
    script = lab.write("my-viewer", "#!/bin/sh\necho \"$@\" > " + lab.path("args") +
                       "\nexit ${STATUS:-0}\n", 0o755)
    r = lab.run("kvm", "--view", "a1", env={"VNCVIEWER": script + " -x $(id)", "STATUS": "7"})
    same(r.status, 1, r)
    has(r.err, "a1: the viewer ended with status 7")
    port = r.out.strip().rsplit(":", 1)[1]
    same(lab.read("args").split(), ["-x", "$(id)", f"127.0.0.1::{port}"])
    r = lab.run("kvm", "--view", "a1", env={"VNCVIEWER": lab.path("none")})
    same(r.status, 1, r)
    has(r.err, "cannot be started")
    v = Viewer(lab, "--view", env={**lab.env, "VNCVIEWER": script})
    line = v.read_line(v.proc.stderr)
    has(line, "the viewer has ended; another one is waited for")
    v.connect()
    same(v.begin(), (200, 150))
    same(v.leave()[0], 0)
    fleet.idle()


@test
def direct(lab):
    """The firmware's own VNC port: set up with a password that keeps its rules, and closed"""
    fleet = screens(lab)
    secret = lab.write("vnc", "Aa1!bcde\n")
    good(lab.run("kvm", "--direct", "--vnc-password-file", secret, "a1"),
         "a1:", "  on: true", "  port: 5900")
    last = lab.run("history", "-n", "1")
    assert "kvm" in last.out and "nothing was sent" not in last.out, last
    d = fleet.device()
    same((d["kvm_port_5900"], d["kvm_password"]), (True, "Aa1!bcde"))
    same(fleet.device()["log"][-3:], ["IPS_KVMRedirectionSettingData.Get", "IPS_KVMRedirectionSettingData.Put",
                          "CIM_KVMRedirectionSAP.RequestStateChange"])
    # Any viewer gets in by that password and by no other, one at a time, as through us.
    port = d["vnc_port"]
    v = DirectViewer(port)
    same(v.begin("Aa1!bcde"), (200, 150))
    same(v.raw(200, 150), d["kvm_sha256"])
    has(lab.run("kvm", "a1").out, "a1: error: busy:")
    same(DirectViewer(port).get(1), b"")
    v.sock.close()
    fleet.idle()
    same(DirectViewer(port).begin("Aa1!bcdf"), None)
    fleet.idle()
    same((fleet.counters()["redir_logins"], fleet.counters()["redir_bad_logins"]), (1, 1))
    same([line["changed"] for line in lab.run("--json", "kvm", "--direct", "--off", "a1").json], [True])
    same((fleet.device()["kvm_port_5900"], fleet.device()["vnc_port"]), (False, None))
    puts = fleet.counters()["bodies"]
    r = lab.run("--json", "kvm", "--direct", "--off", "a1")  # as it is: nothing is sent
    same((r.status, r.json[0]["changed"], r.json[0]["result"]), (0, False, {"on": False}))
    same(fleet.device()["log"][-1], "IPS_KVMRedirectionSettingData.Get")
    try:
        DirectViewer(port)
        raise AssertionError("the port is still open")
    except ConnectionRefusedError:
        pass
    same(fleet.device()["kvm_password"], "Aa1!bcde")
    puts = fleet.counters()["bodies"]
    for wrong in ("short1!", "Aa1!bcdef", "aa1!bcde", "AA1!BCDE", "Aaa!bcde", "Aa11bcde", "Aa1 bcde"):
        r = lab.run("--trace", "kvm", "--direct", "--vnc-password-file", lab.write("wrong", wrong + "\n"), "a1")
        bad(r, 1, "a1: error: config: the password for viewers: Intel AMT takes exactly 8")
        assert wrong not in r.out + r.err
    same(fleet.counters()["bodies"], puts)
    t = lab.terminal("kvm", "--direct", "a1")  # it is asked for twice, and nothing is set for a slip
    for word in ("Aa1!bcde", "Aa1!bcdf"):
        t.expect(": ")
        t.wait_echo(False)
        t.send(word + "\n")
    t.expect("the two are not the same; nothing was changed")
    same((t.end(), fleet.counters()["bodies"]), (2, puts))
    r = lab.run("kvm", "--direct", "a1")  # nobody to ask
    same(r.status, 2)
    has(r.err, "--vnc-password-file FILE")
    for words in (("kvm", "--direct", "--vnc-password-file"), ("passwd", "-y", "--password-file")):
        r = lab.run(*words, lab.write("open", "Aa1!bcde\n", 0o644), "a1")
        same(r.status, 2)
        has(r.err, f"powerctl: {words[-1]}: ")
        has(r.err, "open")
    same(lab.run("--trace", "kvm", "--direct", "--vnc-password-file", secret, "a1").err.count("Aa1!"), 0)
    fleet.set(1, profile="16.1")
    fleet.inventory(tls=True)
    bad(lab.run("kvm", "--direct", "--vnc-password-file", secret, "a1"), 1,
        "a1: error: unsupported: the firmware does not take it")


@test
def without_a_device(lab):
    """The null driver has a screen to try all of it with"""
    lab.inventory('nodes:\n  a1: {driver: "null"}\n  a2: {driver: "null", fail_reads: auth}\n')
    width, height, rgb, _ = shot(lab)
    same((width, height, rgb[:6], rgb[-3:]), (64, 48, bytes(6), b"\xff\xff\0"))
    bad(lab.run("kvm", "--screenshot", lab.path("x.png"), "a2"), 1, "a2: error: auth: told to fail")
    bad(lab.run("kvm", "--screenshot", lab.path("x.png"), "--display", "2", "a1"), 1,
        "a1: error: refused: it has one display")
    bad(lab.run("kvm", "--direct", "--off", "a1"), 1, "has no VNC port of the device's own")
    v = Viewer(lab).connect()
    same(v.begin(), (64, 48))
    v.sock.sendall(b"\6\0\0\0\xff\xff\xff\xff")  # more than it takes: it hangs up
    same(v.get(1), b"")
    same(v.end()[0], 1)


def connect_as(uid, port):
    """The first bytes that another user's viewer gets."""
    code = (f"import os,socket; s=socket.socket(); os.setgroups([]); os.setgid({uid}); "
            f"os.setuid({uid}); s=socket.socket(); s.connect(('127.0.0.1',{port})); "
            "print(s.recv(12))")
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                       timeout=lib.PATIENCE, check=False)
    return r.stdout.strip() or r.stderr


@test
def other_users(lab):
    """A viewer of another user is turned away, and one of ours still gets in"""
    if os.geteuid():
        lib.skip("kvm: only root can be another user")
    lab.inventory('nodes:\n  a1: {driver: "null"}\n')
    v = Viewer(lab)
    same(connect_as(65534, v.where.rsplit(":", 1)[1]), "b''")
    has(v.read_line(v.proc.stderr), "a1: a viewer of another user was turned away")
    v.connect()
    same(v.begin(), (64, 48))
    same(v.leave()[0], 0)


@test
def words(lab):
    """Options that do not go together, and nodes that have no screen"""
    lab.inventory("nodes:\n  n[1-2]: {driver: wol, address: 127.0.0.1, mac: 52:54:00:12:34:56}\n")
    for args, wanted in ((["--screenshot", "x", "--view", "n1"], "exclude each other"),
                         (["--socket", "x", "--view", "n1"], "exclude each other"),
                         (["--off", "n1"], "--off goes with --direct"),
                         (["--vnc-password-file", "x", "n1"], "goes with --direct"),
                         (["-a"], "kvm is for one node"),
                         (["n[1-2]"], "kvm is for one node"),
                         (["--display", "0", "n1"], "is not a number"),
                         ([], "kvm")):
        r = lab.run("kvm", *args)
        same(r.status, 2, r)
        has(r.err, wanted)
    r = lab.run("kvm", "n1")
    same(r.status, 1, r)
    has(r.out, "n1: error: unsupported: driver wol has no display")
    bad(lab.run("kvm", "--direct", "--off", "n1"), 1, "has no VNC port of the device's own")


if __name__ == "__main__":
    lib.main()
