#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a BMC shows to who logs in by ssh: a command line that has a serial console behind it.

    start /console1    the console: it shows again what is typed, a line at a time
    size               rows and columns of the terminal
    crash              it is killed
    exit               it ends

Where its folder has a file "full" it says that all sessions are in use, and ends; where that has one called "restless"
it shows something all the time until it is told what to do.

It tells each thing it got as a line in the file "shell" of the folder it starts in, and throws away
what was typed before it asks, as many do.
"""
import fcntl
import os
import select
import struct
import sys
import termios


def note(text):
    with open("shell", "a", encoding="utf-8") as f:
        f.write(text + "\n")


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def console():
    say("console1 is open\n")
    while line := sys.stdin.readline().rstrip("\n"):
        note(f"console: {line}")
        if line == "size":
            rows, columns = struct.unpack("HH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"0" * 8)[:4])
            line = f"{columns}x{rows}"
        if line == "crash":
            os.kill(os.getpid(), 9)
        if line == "exit":
            sys.exit(0)
        say(f"got {line}\n")


note(f"begin {os.getpid()}")
say("A BMC's welcome.\n")
if os.path.exists("full"):
    say("All sessions are \033[1min use\n\n")
    sys.exit(0)
while os.path.exists("restless") and not select.select([0], [], [], 0.1)[0]:
    say(".")
while True:
    if not os.path.exists("restless"):
        termios.tcflush(0, termios.TCIFLUSH)
    say("bmc> ")
    command = sys.stdin.readline()
    if not command:
        break
    note(f"command: {command.strip()}")
    if command.strip() == "exit":
        break
    if command.strip() == "start /console1":
        console()
    else:
        say("?\n")
