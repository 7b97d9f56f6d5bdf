#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/session.svg: a terminal session of powerctl with a stand-in fleet, as it really looked.

Needs root (for a network namespace with the addresses 10.0.0.11 to 10.0.0.18) and tmux:
    unshare -n python3 docs/session.py build >docs/session.svg
"""
import html
import os
import signal
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS = 100, 28
CHAR_WIDTH, LINE_HEIGHT, MARGIN, BAR = 8.4, 19, 16, 30
PROMPT = "$ "
COMMANDS = [
    "powerctl list",
    "powerctl status",
    "powerctl pxeboot nuc[1-8]",
    "powerctl off nuc[1-3] nuc5",
    "powerctl status --json nuc5",
    "powerctl status",
    "powerctl on %lab -x nuc7",
    "powerctl reboot nuc9",
]


class Terminal:
    def __init__(self, folder, env):
        self.base = ["tmux", "-S", os.path.join(folder, "tmux"), "-f", "/dev/null"]
        subprocess.run([*self.base, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
                        "sh", "-i"], env=env, check=True)
        subprocess.run([*self.base, "set", "-g", "status", "off"], check=True)
        self.wait_for(lambda lines: lines[-1:] == [PROMPT.strip()])

    def lines(self):
        text = subprocess.run([*self.base, "capture-pane", "-p"], check=True, capture_output=True,
                              text=True).stdout
        return text.rstrip("\n").splitlines()

    def wait_for(self, holds):
        end = time.monotonic() + 60
        while not holds(self.lines()):
            if time.monotonic() > end:
                sys.exit("session: the terminal stopped at:\n" + "\n".join(self.lines()))
            time.sleep(0.05)

    def keys(self, *words):
        subprocess.run([*self.base, "send-keys", *words], check=True)

    def run(self, command):
        self.keys("-l", command)
        self.wait_for(lambda lines: lines[-1:] == [PROMPT + command])
        self.keys("Enter")
        self.wait_for(lambda lines: lines[-1:] == [PROMPT.strip()] and len(lines) > 1)

    def close(self):
        subprocess.run([*self.base, "kill-server"], check=True)


def svg(lines):
    width = round(2 * MARGIN + COLUMNS * CHAR_WIDTH)
    height = BAR + 2 * MARGIN + ROWS * LINE_HEIGHT
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="A terminal session of powerctl">',
        "<!-- SPDX-License-Identifier: Apache-2.0; made by docs/session.py -->",
        "<style>text{font:14px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d4d7dd;"
        "white-space:pre}.c{fill:#fff;font-weight:bold}.p{fill:#7fb069}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#1d2028"/>',
        f'<rect width="{width}" height="{BAR}" rx="8" fill="#2c303b"/>',
        *(f'<circle cx="{20 + 18 * i}" cy="{BAR // 2}" r="5" fill="#555b6b"/>' for i in range(3)),
    ]
    for i, line in enumerate(lines):
        y = BAR + MARGIN + (i + 1) * LINE_HEIGHT - 5
        if (line + " ").startswith(PROMPT):
            text = (f'<tspan class="p">{PROMPT}</tspan>'
                    f'<tspan class="c">{html.escape(line[len(PROMPT):])}</tspan>')
        else:
            text = html.escape(line)
        # textLength keeps the columns where a viewer has another font.
        length = f' textLength="{len(line) * CHAR_WIDTH:.1f}"' if line else ""
        out.append(f'<text x="{MARGIN}" y="{y}"{length} xml:space="preserve">{text}</text>')
    return "\n".join([*out, "</svg>", ""])


def main():
    build = os.path.abspath(sys.argv[1])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for n in range(11, 19):
        subprocess.run(["ip", "addr", "add", f"10.0.0.{n}/32", "dev", "lo"], check=True)
    ready, ready_end = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        fleet = subprocess.Popen(
            [f"{build}/bin/powerctl-amtsim", "--devices", "8", "--address", "10.0.0.11",
             "--set", "all:transition_ms=700", "--set", "7:dead=hang",
             "--ready-fd", str(ready_end)], pass_fds=[ready_end])
        os.read(ready, 1)
        env = {"PATH": f"{build}/bin:/usr/bin:/bin", "HOME": folder, "PS1": PROMPT,
               "TERM": "xterm", "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": folder,
               **{f"XDG_{kind}_HOME": folder for kind in ("CONFIG", "STATE", "CACHE")}}
        subprocess.run([f"{build}/bin/powerctl", "add", "nuc[1-8]", "10.0.0.[11-18]", "--user",
                        "admin", "--password-stdin", "--tag", "lab"], input="P@ssw0rd\n", text=True,
                       env=env, stdout=sys.stderr, check=False)
        terminal = Terminal(folder, env)
        try:
            for command in COMMANDS:
                terminal.run(command)
            lines = terminal.lines()
        finally:
            terminal.close()
            fleet.send_signal(signal.SIGTERM)
            fleet.wait()
    sys.stdout.write(svg(lines))


if __name__ == "__main__":
    main()
