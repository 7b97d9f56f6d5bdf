#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real VNC viewer on an X server shows what `powerctl kvm` hands it, and what the machine's own VNC port does, once
`powerctl kvm --direct` has opened it: pixel by pixel the stand-in's picture."""
import os
import shutil
import signal
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from kvmlib import screens, sha8  # noqa: E402
from lib import has, main, same, skip, test, until  # noqa: E402

WIDTH, HEIGHT = 400, 300
# 8 bits a pixel, as the firmware has them; no words over the picture.
VIEWER = "xtigervncviewer -AutoSelect=0 -FullColor=0 -LowColorLevel=2 -RemoteResize=0 -MenuKey= " \
         "-ReconnectOnError=0 -AlertOnFatalError=0 -ViewOnly=1"


class Screen:
    """An X server without a screen, whose pixels lie in a file (as xwd writes them)."""

    def __init__(self, lab):
        for program in ("Xvfb", "xtigervncviewer"):
            if not shutil.which(program):
                skip(f"kvm: no {program}")
        self.folder = lab.path("frame")
        os.mkdir(self.folder)
        ours, theirs = os.pipe()
        self.proc = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "800x600x24", "-fbdir", self.folder,
             "-nolisten", "tcp"], pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as f:
            self.name = ":" + f.readline().strip()
        lab.keep(self)

    def close(self):
        self.proc.terminate()
        self.proc.wait(lib.PATIENCE)

    def pictures(self):
        """Each part of it that begins with a blue pixel, as the test picture does, as RGB."""
        with open(os.path.join(self.folder, "Xvfb_screen0"), "rb") as f:
            data = f.read()
        head = struct.unpack(">25I", data[:100])
        width, height, stride = head[4], head[5], head[12]
        pixels = data[head[0] + head[19] * 12:]
        for y in range(height - HEIGHT):
            row = pixels[y * stride:y * stride + width * 4]
            for x in range(width - WIDTH):
                if row[4 * x:4 * x + 3] == b"\xff\0\0":
                    yield b"".join(
                        bytes(c for p in range(WIDTH) for c in line[4 * p:4 * p + 3][::-1])
                        for line in (pixels[(y + j) * stride + 4 * x:] for j in range(HEIGHT)))
                    break

    def shows(self, wanted):
        return any(sha8(rgb) == wanted for rgb in self.pictures())


def surroundings(lab, screen, **more):
    os.makedirs(lab.path("home"), exist_ok=True)
    return {**lab.env, "DISPLAY": screen.name, "HOME": lab.path("home"), **more}


def view(lab, screen, fleet):
    env = surroundings(lab, screen, VNCVIEWER=VIEWER)
    proc = lab.start("kvm", "--view", "a1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    has(proc.stdout.readline().decode(), "a1: vnc://127.0.0.1:")
    until("the viewer shows the picture",
          lambda: screen.shows(fleet.device()["kvm_sha256_8bit"]))
    return proc


@test
def viewer(lab):
    """TigerVNC shows the stand-in's picture, and the next one, plain and over TLS of firmware 11"""
    screen = Screen(lab)
    for tls, profile in ((False, "12"), (True, "11")):
        fleet = screens(lab, tls=tls, profile=profile, kvm_width=WIDTH, kvm_height=HEIGHT)
        proc = view(lab, screen, fleet)
        fleet.set(1, picture=11)
        wanted = fleet.device()["kvm_sha256_8bit"]
        until("it shows the next one", lambda: screen.shows(wanted))
        proc.send_signal(signal.SIGINT)
        proc.communicate(timeout=lib.PATIENCE)
        same(proc.returncode, 130)
        fleet.idle()


@test
def direct(lab):
    """At the machine's own VNC port TigerVNC gets in by the password that `powerctl kvm --direct` set"""
    screen = Screen(lab)
    fleet = screens(lab, kvm_width=WIDTH, kvm_height=HEIGHT)
    secret = lab.write("vnc", "Aa1!bcde\n")
    same(lab.run("kvm", "--direct", "--vnc-password-file", secret, "a1").status, 0)
    where = f"127.0.0.1::{fleet.device()['vnc_port']}"
    # A wrong one first: the same viewer shows nothing.
    for password, logins in (("Aa1!bcdf", (0, 1)), ("Aa1!bcde", (1, 1))):
        env = surroundings(lab, screen, VNC_PASSWORD=password)
        with subprocess.Popen([*VIEWER.split(), where], env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as proc:
            try:
                fleet.wait(lambda d, n=logins: (d["counters"]["redir_logins"],
                                                d["counters"]["redir_bad_logins"]) == n)
                if logins[0]:
                    until("the viewer shows the picture",
                          lambda: screen.shows(fleet.device()["kvm_sha256_8bit"]))
            finally:
                proc.terminate()
                proc.wait(lib.PATIENCE)
        fleet.idle()


if __name__ == "__main__":
    main()
