#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exec driver: programs of the administrator's, well and badly behaved, through powerctl."""
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import urllib.parse

from checklib import check
from lib import BUILD, PATIENCE, POWERCTL, SOURCE, bad, error_of, good, has, main, same, test, until
from schema import check_schema

RELAY = os.path.join(SOURCE, "contrib/exec/relay.sh")
TASMOTA = os.path.join(SOURCE, "contrib/exec/tasmota.py")

# A program that does what the setting `does` says, and keeps what it was asked in asked.N.
ODD = """#!/bin/sh
cd "${0%/*}"
read -r q
case $q in
*'"op":"describe"'*) echo x >>described
	echo '{"v":1,"ok":true,"name":"odd","summary":"odd","actions":["on","off","reset"],'\\
'"boot":["pxe","none"],"boot_persistent":["pxe"],"boot_reads":true,"properties":['\\
'{"name":"does","default":"well"},{"name":"acts","default":"well"},{"name":"count","type":"number","max":9},'\\
'{"name":"wait","type":"duration","default":"1500ms"},{"name":"loud","type":"boolean","default":false},'\\
'{"name":"way","type":"choice","choices":["a","b"]},{"name":"list","type":"list"},'\\
'{"name":"some","type":"flags","choices":["x","y","z"],"default":"y"},{"name":"where","type":"file"},'\\
'{"name":"password","secret":true},{"name":"token","secret":true},{"name":"username"}]}'
	exit ;;
esac
printf '%s\\n' "$q" >>asked
well() {
	case $q in
	*'"op":"get"'*) echo "{\\"ok\\":true,\\"state\\":\\"$(cat state)\\"}" ;;
	*'"action":"on"'*) echo on >state; echo '{"ok":true}' ;;
	*'"action":"off"'*) echo off >state; echo '{"ok":true}' ;;
	*'"device":'*) printf '%s' "$q" >boot; echo '{"ok":true}' ;;
	*) echo '{"ok":true,"device":"pxe","mode":"uefi","persistent":true}' ;;
	esac
}
does=$(printf %s "$q" | sed -n 's/.*"does":"\\([^"]*\\)".*/\\1/p')
case $q in *'"op":"act"'*) does=$(printf %s "$q" | sed -n 's/.*"acts":"\\([^"]*\\)".*/\\1/p') ;; esac
case $does in
CASES
well) well ;;
*) cat "answer.$does" ;;
esac
"""


def odd(lab, cases="", state="off", answers=(), name="odd/odd"):
    """Writes the program into a folder of its own; returns its path."""
    path = lab.write(name, ODD.replace("CASES\n", cases + "\n" if cases else ""), 0o755)
    lab.write("odd/state", state + "\n")
    for key, text in dict(answers).items():
        lab.write(f"odd/answer.{key}", text)
    return path


def nodes(lab, path, *rows, times="poll: 50ms, verify: 2s"):
    lab.inventory("nodes:\n" + "".join(
        f"  n{i}: {{driver: exec, program: {path}, timeouts: {{{times}}}{', ' + row if row else ''}}}\n"
        for i, row in enumerate(rows, 1)))


def asked(lab):
    try:
        return [json.loads(line) for line in lab.read("odd/asked").splitlines()]
    except FileNotFoundError:
        return []


def ops(lab):
    return [q["op"] + (":" + q["action"] if "action" in q else "") for q in asked(lab)]


# --- The examples. -------------------------------------------------------------------------------

@test
def test_the_shell_example(lab):
    """contrib's shell driver: ten lines that turn a relay on and off"""
    with open(RELAY, encoding="utf-8") as f:
        same(len(f.readlines()), 10)
    line = lab.write("relay/line", "0\n")
    lab.inventory(f"nodes: {{r1: {{driver: exec, program: {RELAY}, line: {line}, "
                  "timeouts: {outage: 200ms}}}\n")
    good(lab.run("status", "r1"), "r1: off")
    good(lab.run("on", "r1"), "r1: on")
    same(lab.read("relay/line"), "1\n")
    good(lab.run("reboot", "r1"), "r1: on")  # it cannot cycle: off, and on again
    good(lab.run("off", "r1"), "r1: off")
    same(lab.read("relay/line"), "0\n")
    bad(lab.run("pxeboot", "r1"), 1, "unsupported")
    has(lab.run("caps", "r1").out, "\n  boot_once: -\n")  # `none` is a device
    same(lab.run("caps", "--json", "r1").json[0]["result"]["boot_once"], [])
    has(lab.run("drivers", "exec", RELAY).out, "line (file; required)")
    lab.write("relay/line", "x\n")  # what is neither is not off
    has(bad(lab.run("status", "r1"), 1, "r1: unknown: protocol").out, "\"state\" is 'x'")
    os.unlink(line)
    has(bad(lab.run("status", "r1"), 1, "r1: unknown: protocol").out, "No such file")


class Tasmota(http.server.BaseHTTPRequestHandler):
    """Two relays; what the test wants of them is on the server object."""

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        server = self.server
        server.seen.append(query["cmnd"])
        key, _, wanted = query["cmnd"].partition(" ")
        if query.get("password") != server.password:
            answer = {"WARNING": "Need user=<username>&password=<password>"}
        elif key.upper() not in server.relays:
            answer = {"Command": "Unknown"}
        else:
            if wanted:
                server.relays[key.upper()] = wanted.upper()
            answer = {key.upper(): server.relays[key.upper()]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Strip:
    def __init__(self, lab):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tasmota)
        self.server.relays = {"POWER1": "OFF", "POWER2": "ON"}
        self.server.password = "hunter2 & more"
        self.server.seen = []
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        lab.keep(self)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@test
def test_no_gateway(lab):
    """a program connects by itself: a gateway is a mistake with its place, before it is run"""
    line = lab.write("line", "0\n")
    text = f"nodes:\n  r1: {{driver: exec, program: {RELAY}, line: {line}, via: VIA}}\n"
    lab.inventory(text.replace("VIA", "ssh://gw"))
    r = lab.run("status", "r1")
    same((r.status, r.out), (2, ""), r)
    has(r.err, "powerctl.yaml:2:")
    has(r.err, "via: driver exec reaches its devices by itself")
    lab.inventory(text.replace("VIA", "direct"))
    same(lab.run("status", "r1").out, "r1: off\n")


def strip_inventory(lab, port, password="hunter2 & more"):
    lab.write("config/powerctl/secret", password)
    lab.inventory(f"""credentials:
  strip: {{username: admin, password_file: secret}}
nodes:
  p[1-3]: {{driver: exec, program: {TASMOTA}, address: 127.0.0.1, port: {port}, relay: "[1-3]",
           credential: strip}}
""")


@test
def test_the_python_example(lab):
    """contrib's Python driver: relays of a Tasmota device, its password, its errors"""
    strip = Strip(lab)
    strip_inventory(lab, strip.port)
    good(lab.run("status", "p[1-2]"), "p1: off", "p2: on")
    good(lab.run("on", "p1"), "p1: on")
    same(strip.server.relays["POWER1"], "ON")
    good(lab.run("off", "p[1-2]"), "p1: off", "p2: off")
    bad(lab.run("status", "p3"), 1, "p3: unknown: protocol: the device does not know relay 3")
    strip_inventory(lab, strip.port, "wrong")
    strip.server.seen.clear()
    r = bad(lab.run("on", "p[1-2]"), 1, "auth: ", "refused")
    same(strip.server.seen, ["Power1"], r)  # one endpoint: a wrong password gets there once
    strip.close()
    strip_inventory(lab, strip.port)
    r = lab.run("off", "p1", "--json", "--try-anyway")
    same(error_of(r)[0], "unreachable", r)


@test
def test_the_python_example_is_checked(lab):
    """powerctl-driver-check sees a program's own settings: its password is looked for, its port relayed"""
    strip = Strip(lab)
    secret = lab.write("secret", strip.server.password + "\n")
    for only in ("device.wrong-password", "faults.reset"):
        r = check(lab, "--address", "127.0.0.1", "--set", f"program={TASMOTA}", "--set",
                  f"port={strip.port}", "--password-file", secret, "--only", only,
                  os.path.join(BUILD, "plugins", "exec.so"))
        same((r.status, r.verdicts), (0, {only: "ok"}), r)


# --- What a program is asked. --------------------------------------------------------------------

@test
def test_what_a_program_gets(lab):
    """the request has the node, its settings as JSON and its secrets, and they are nowhere else"""
    path = odd(lab, "well) { tr '\\0' '\\n' </proc/$$/cmdline; env; } >told; ls /proc/self/fd | wc -l >fds; well ;;")
    nodes(lab, path, 'address: "2001:db8::1", username: joe, password_env: TOLD, count: 7, loud: true, way: b, '
          'list: [p, "q\\"\\\\"], some: [x, z], where: here, wait: 2m', "")
    r = lab.run("status", "n1", "-vvv", env={"TOLD": "s3cr\"t\u00fc", "LEAK": "leak", "TZ": "UTC"})
    good(r, "n1: off (2001:db8::1)")
    q = asked(lab)[0]
    assert 0 < q.pop("timeout_ms") <= 15000
    same(q, {"v": 1, "op": "get", "node": "n1", "address": "2001:db8::1", "settings": {
        "does": "well", "acts": "well", "count": 7, "wait": 120000, "loud": True, "way": "b",
        "list": ["p", "q\"\\"], "some": ["x", "z"], "where": lab.path("config/powerctl/here"),
        "username": "joe"}, "secrets": {"password": "s3cr\"t\u00fc"}})
    told = lab.read("odd/told")
    for text in (told, r.out, r.err):
        assert "s3cr" not in text and "leak" not in text, text
    same(told.splitlines()[:2], ["/bin/sh", path])
    has(told, "TZ=UTC\n")
    same(lab.read("odd/fds"), "4\n")  # 0, 1, 2, and what ls reads with
    good(lab.run("status", "n2"), "n2: off")
    same(asked(lab)[1]["settings"], {"does": "well", "acts": "well", "wait": 1500, "loud": False, "some": ["y"]})
    same(asked(lab)[1]["secrets"], {})


@test
def test_secrets_that_are_no_text(lab):
    """a secret that JSON cannot hold is a mistake, and no program runs"""
    path = odd(lab)
    with open(lab.write("config/powerctl/bytes", ""), "wb") as f:
        f.write(b"a\xffb")
    nodes(lab, path, "password_file: bytes")
    same(error_of(lab.run("status", "n1", "--json")),
         ("config", "password is not UTF-8, and cannot be given to a program in JSON"))
    same(asked(lab), [])


@test
def test_described_once(lab):
    """a program is asked what it is once for each version of its file, over all nodes and commands"""
    path = odd(lab)
    lab.inventory(f"nodes:\n  n[1-50]: {{driver: exec, program: {path}}}\n")
    for _ in range(3):
        same(lab.run("status", "-a", "-q").status, 0)
    same(lab.read("odd/described"), "x\n")
    with open(path, "a", encoding="utf-8") as f:
        f.write("# changed\n")
    same(lab.run("status", "n[1-2]").status, 0)
    same(lab.read("odd/described"), "x\nx\n")
    # Another file in its place, of the same length and age.
    st = os.stat(path)
    lab.write("odd/new", open(path, encoding="utf-8").read().replace("count", "coont"), 0o755)
    os.utime(lab.path("odd/new"), ns=(st.st_atime_ns, st.st_mtime_ns))
    os.rename(lab.path("odd/new"), path)
    has(lab.run("drivers", "exec", path).out, "coont")
    # What is kept is only a cache.
    for folder, _, names in os.walk(lab.path("cache")):
        for name in names:
            with open(os.path.join(folder, name), "r+b") as f:
                f.truncate(90)
    good(lab.run("status", "n1"), "n1: off")


@test
def test_many_programs(lab):
    """of hundreds of nodes some dozens of programs run at a time, and no node pays for its waiting"""
    path = odd(lab, "well) mkdir run.$$; ls -d run.* | wc -l >>most; sleep 1; rmdir run.$$; well ;;")
    lab.inventory(f"nodes:\n  n[1-256]: {{driver: exec, program: {path}, timeouts: {{read: 6s}}}}\n")
    r = lab.run("status", "-a", "--fold")
    same((r.status, r.out), (0, "n[1-256]: off\n"), r)
    most = max(int(line) for line in lab.read("odd/most").split())
    assert 8 <= most <= 32, most


@test
def test_machines_behind_one_address(lab):
    """of machines that share an address so many programs run at a time as their program says"""
    strip = """#!/bin/sh
read -r q
case $q in *describe*)
	echo '{"v":1,"ok":true,"name":"strip",MAX"actions":["on"],"properties":[{"name":"outlet","type":"number","unit":true}]}'
	exit ;;
esac
cd "${0%/*}"
mkdir run.$$; ls -d run.* | wc -l >>most
[ "$(wc -l <most)" = 1 ] || until grep -qx WANTED most; do sleep 0.05; done  # the first one runs alone
sleep 0.4; rmdir run.$$
echo '{"ok":true,"state":"on"}'
"""
    for says, wanted in (("", 1), ('"max_in_flight":3,', 3)):
        path = lab.write(f"strip{wanted}/strip", strip.replace("MAX", says).replace("WANTED", str(wanted)), 0o755)
        lab.inventory(f'nodes:\n  n[1-5]: {{driver: exec, program: {path}, address: pdu, outlet: "[1-5]"}}\n')
        same(lab.run("status", "-a", "-q").status, 0)
        same(max(int(n) for n in lab.read(f"strip{wanted}/most").split()), wanted)


# --- Files and mistakes. -------------------------------------------------------------------------

def mistakes(lab, *parts):
    r = lab.run("status", "-a")
    same(r.status, 2, r)
    for part in parts:
        has(r.err, part)


@test
def test_which_files_are_run(lab):
    """a program that others could have written is not run"""
    path = odd(lab, name="config/powerctl/drivers/odd")
    lab.write("config/powerctl/drivers/state", "off\n")
    nodes(lab, "drivers/odd", "")  # it starts at the inventory's folder
    good(lab.run("status", "n1"), "n1: off")
    folder = os.path.dirname(lab.inventory_path)
    for words, env in ((("--inventory", "powerctl/powerctl.yaml"), {}), ((), {"POWERCTL_INVENTORY": "powerctl.yaml"}),
                       ((), {"POWERCTL_INVENTORY": "powerctl/powerctl.yaml"})):
        here = folder if env.get("POWERCTL_INVENTORY") == "powerctl.yaml" else os.path.dirname(folder)
        done = subprocess.run([POWERCTL, *words, "status", "n1"], cwd=here, env={**lab.env, **env},
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        same((done.stdout, done.returncode), ("n1: off\n", 0), (words, env, done.stderr))
    where = f"powerctl.yaml:2:31: program '{path}': "
    os.chmod(path, 0o757)
    mistakes(lab, where + f"it is writable by others and is not run; mend it with: chmod o-w {path}")
    os.chmod(path, 0o644)
    mistakes(lab, where + f"it may not be run; mend it with: chmod +x {path}")
    os.chmod(path, 0o755)
    folder = os.path.dirname(path)
    os.chmod(folder, 0o777)
    mistakes(lab, where + f"its folder is writable by others, and it is not run; mend it with: chmod o-w {folder}")
    os.chmod(folder, 0o1777)
    good(lab.run("status", "n1"), "n1: off")
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        mistakes(lab, where + "it belongs to user 12345, not to root, to you or to the owner of the inventory")
        os.chown(lab.inventory_path, 12345, -1)
        good(lab.run("status", "n1"), "n1: off")
    os.unlink(path)
    mistakes(lab, where + "there is no such file")
    os.mkdir(path)
    mistakes(lab, where + "it is no file")


@test
def test_mistakes_have_their_place(lab):
    """what is wrong with a program's settings is said with line and column before anything runs"""
    path = odd(lab)
    nodes(lab, path, "coumt: 1", "count: 10", "way: c", "some: [x, q]", "pasword: x", "loud: 3")
    mistakes(lab, "powerctl.yaml:2:", f"driver exec has no setting 'coumt' with program '{path}'; did you mean 'count'?",
             "count is not a number from 0 to 9: '10'", "way", "'q'", "did you mean 'password'?", "loud")
    same(asked(lab), [])
    lab.inventory("nodes: {n1: {driver: exec}}\n")
    mistakes(lab, "program is missing")
    nodes(lab, path, "password: geheim")
    r = lab.run("show", "n1")
    assert "geheim" not in r.out, r


@test
def test_bad_descriptions(lab):
    """what a program says of itself is checked, and the program named"""
    rows = {
        "": "there is none: it printed nothing",
        '{"v":1,"ok":tru}': "line 1, column 15: no JSON: ",
        '{"ok":true,"name":"x"}': 'there is no "v"',
        '{"v":2,"ok":true,"name":"x"}': '"v" is not 1, the only version',
        '{"v":1,"ok":true}': 'there is no "name"',
        '{"v":1,"ok":true,"name":"x","actions":["on","of"]}': "\"actions\" is 'of', and not one of on, off, ",
        '{"v":1,"ok":true,"name":"x","boot":"pxe"}': '"boot" is no list',
        '{"v":1,"ok":true,"name":"x","properties":[{"name":"a","type":"int"}]}':
            "\"type\" is 'int', and not one of text, boolean, number",
        '{"v":1,"ok":true,"name":"x","properties":[{"name":"tags"}]}': "that all nodes have",
        '{"v":1,"ok":true,"name":"x","properties":[{"name":"mystery","secret":true}]}': "does not say so",
        '{"v":1,"ok":false,"error":{"class":"config","message":"no licence"}}': "no licence",
    }
    lab.inventory("nodes:\n" + "".join(
        f"  n{i}: {{driver: exec, program: ../../odd/p{i}}}\n" for i in range(len(rows))))
    for i, text in enumerate(rows):
        lab.write(f"odd/p{i}", f"#!/bin/sh\ncat <<'E'\n{text}\nE\n", 0o755)
    mistakes(lab, *(f"odd/p{i}': " for i in range(len(rows))), *rows.values())
    lab.write("odd/p0", "#!/bin/sh\necho gone wrong >&2\nexit 3\n", 0o755)
    lab.inventory("nodes: {n0: {driver: exec, program: ../../odd/p0}}\n")
    mistakes(lab, "odd/p0': ended with status 3: gone wrong")
    lab.write("odd/p0", "#!/nonexistent/sh\n", 0o755)
    mistakes(lab, "No such file or directory (it, or what its first line names)")


@test
def test_a_description_that_hangs(lab):
    """a program that does not say what it is is killed with its children, and named"""
    family = Family(lab)
    lab.write("odd/slow", f"#!/bin/sh\nexec 9>{family.path}\nsleep 1000 & sleep 1000\n", 0o755)
    lab.inventory("nodes: {n1: {driver: exec, program: ../../odd/slow}}\n")
    mistakes(lab, "odd/slow': did not end in 10 s and was killed")
    family.gone()


# --- Programs that go wrong. ---------------------------------------------------------------------

class Family:
    """A pipe with a name: it ends when the last of a program's children is gone."""

    def __init__(self, lab):
        self.path = lab.path("fifo")
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        lab.keep(self)

    def here(self):
        """Waits for the first line."""
        until("a program is there", lambda: self.read() == b"here\n")

    def read(self):
        try:
            return os.read(self.fd, 100)
        except BlockingIOError:
            return b"-"

    def gone(self):
        until("all of the program is gone", lambda: self.read() == b"")

    def close(self):
        os.close(self.fd)


CASES = """silent) ;;
two) well; well ;;
noisy) yes ;;
hang) echo stuck >&2; sleep 1000 & sleep 1000 ;;
crash) echo Traceback >&2; echo 'NameError: x' >&2; exit 1 ;;
signal) kill -KILL $$ ;;
lies) well; exit 3 ;;
leaks) echo "login as hunter2 failed" >&2; exit 1 ;;
cutleak) printf '%0154d%s\\n' 0 'hunter2 failed' >&2; exit 1 ;;
longleak) printf '{"ok":false,"error":{"class":"refused","message":"%0314dhunter2"}}\\n' 0 ;;
tells) echo '{"ok":false,"error":{"class":"refused","message":"not hunter2 again","code":"E hunter2"}}' ;;"""
ANSWERS = {
    "cut": '{"ok":true,"state":"o',
    "text": "it is on\n",
    "list": "[1]\n",
    "twice": '{"ok":true,"ok":true,"state":"on"}\n',
    "nok": '{"state":"on"}\n',
    "v2": '{"v":2,"ok":true,"state":"on"}\n',
    "word": '{"ok":true,"state":"ON"}\n',
    "stateless": '{"ok":true}\n',
    "auth": '{"ok":false,"error":{"class":"auth","message":"user joe refused","code":"E7"}}\n',
    "class": '{"ok":false,"error":{"class":"login","message":"user joe refused"}}\n',
    "bare": '{"ok":false}\n',
}


@test
def test_bad_answers(lab):
    """each way to answer badly is an error with a class and the program's name, and never 'off'"""
    path = odd(lab, CASES, "on", ANSWERS)
    name = f"the answer of '{path}': "
    wanted = {
        "silent": ("protocol", name + "there is none: it printed nothing"),
        "two": ("protocol", name + "more than one line; what is no answer goes to stderr"),
        "noisy": ("protocol", f"'{path}' printed more than 65536 bytes and was killed"),
        "hang": ("timeout", f"no answer from {path} in 2.6 s; it was killed: stuck"),
        "crash": ("protocol", f"'{path}' ended with status 1: NameError: x"),
        "signal": ("protocol", f"'{path}' was killed by signal 9 (Killed)"),
        "lies": ("protocol", name + '"ok" is true, and it ended with status 3'),
        "leaks": ("protocol", f"'{path}' ended with status 1: login as ******* failed"),
        "cutleak": ("protocol", f"'{path}' ended with status 1: " + "0" * 154 + "*****"),
        "longleak": ("refused", "0" * 314 + "*****"),
        "tells": ("refused", "not ******* again"),
        "cut": ("protocol", name + "line 1, column 21: no JSON: premature end of input near '\"o'"),
        "text": ("protocol", name + "line 1, column 2: no JSON: '[' or '{' expected near 'it'"),
        "list": ("protocol", name + "line 1, column 1: no JSON object"),
        "twice": ("protocol", name + "line 1, column 15: no JSON: duplicate object key near '\"ok\"'"),
        "nok": ("protocol", name + 'there is no "ok" that is true or false'),
        "v2": ("protocol", name + '"v" is not 1, the only version that powerctl speaks'),
        "word": ("protocol", name + "\"state\" is 'ON', and not one of unknown, off, on, sleep, hibernate"),
        "stateless": ("protocol", name + 'there is no "state"'),
        "auth": ("auth", "user joe refused"),
        "class": ("protocol", name + "'login' is no class of errors, which came with: user joe refused"),
        "bare": ("protocol", name + '"ok" is false, and there is no object "error"'),
    }
    lab.inventory("nodes:\n" + "".join(
        f"  {does}: {{driver: exec, program: {path}, does: {does}, password: hunter2, "
        f"timeouts: {{answer: 1, read: {3 if does == 'hang' else 40}}}}}\n"
        for does in wanted))
    with open(os.path.join(SOURCE, "docs/powerctl-result.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    r = lab.run("status", "-a", "--json", "--try-anyway")
    same((r.status, len(r.lines)), (1, len(wanted)), r)
    for line in r.json:
        check_schema(line, schema)
        error = line["error"]
        same((error["class"], error["message"]), wanted[line["node"]], line)
        same(line["state"], "unknown", line)
        assert "hunt" not in json.dumps(line), line
    # All of the time was its own, and with what was left it was not started again.
    hung = [q["timeout_ms"] for q in asked(lab) if q["settings"]["does"] == "hang"]
    same([2500 < ms <= 2625 for ms in hung], [True], hung)
    same([line["error"]["code"] for line in r.json if line["node"] in ("auth", "tells")].count("E7"), 1)


@test
def test_a_last_look(lab):
    """what the last look had too little time for does not hide what the others met"""
    path = odd(lab, "later) case $(cat state) in off) exec sleep 1000 ;; esac; well ;;", "on")
    nodes(lab, path, "does: later", times="poll: 50ms, verify: 2s, read: 2s, confirm: 3s")
    r = lab.run("off", "n1", "--json")
    same(error_of(r), ("timeout", f"'off' was accepted, and then: no answer from {path} in 1.8 s; it was killed"), r)


@test
def test_lost_acts(lab):
    """an act without an answer is not repeated; the state decides"""
    cases = CASES + """
did) echo on >state; exit 1 ;;
slowly) echo on >state; sleep 1000 ;;"""
    path = odd(lab, cases, "off", ANSWERS)
    for acts in ("did", "slowly"):
        lab.write("odd/state", "off\n")
        lab.write("odd/asked", "")
        nodes(lab, path, f"acts: {acts}", times="poll: 50ms, verify: 8s, answer: 6s")
        good(lab.run("on", "n1"), "n1: on")
        same(ops(lab).count("act:on"), 1)
    lab.write("odd/state", "on\n")
    for acts, part in (("crash", "NameError"), ("signal", "signal 9"), ("cut", "line 1, column"),
                       ("silent", "printed nothing"), ("noisy", "65536 bytes")):
        lab.write("odd/asked", "")
        nodes(lab, path, f"acts: {acts}", times="poll: 50ms, verify: 300ms, answer: 20s")
        r = lab.run("reset", "n1", "--json")
        kind, message = error_of(r)
        same(kind, "outcome_unknown", r)
        has(message, part)
        same(ops(lab).count("act:reset"), 1, acts)


@test
def test_acts_that_fail(lab):
    """a program's word on whether something was sent decides on what is tried again"""
    def fails(kind, sent):
        return f'{{"ok":false,{sent}"error":{{"class":"{kind}","message":"said so"}}}}\n'

    path = odd(lab, "", "off", {
        "unsent": fails("busy", '"sent":false,'), "sent": fails("busy", '"sent":true,'),
        "mute": fails("unreachable", ""), "refused": fails("refused", ""),
        "state": fails("state", '"sent":false,'), "garbled": fails("protocol", "")})
    wanted = {"unsent": ("busy", 2), "sent": ("outcome_unknown", 1), "mute": ("outcome_unknown", 1),
              "refused": ("refused", 1), "state": ("state", 1), "garbled": ("outcome_unknown", 1)}
    lab.write("odd/state", "on\n")
    for acts, (kind, least) in wanted.items():
        lab.write("odd/asked", "")
        nodes(lab, path, f"acts: {acts}", times="poll: 50ms, verify: 300ms, confirm: 3s")
        r = lab.run("reset", "n1", "--json")
        same(error_of(r)[0], kind, r)
        tries = ops(lab).count("act:reset")
        assert tries == least if least == 1 else tries >= least, (acts, tries)


@test
def test_one_that_hangs_is_killed(lab):
    """a program that hangs, or whose command is interrupted, is killed with its children"""
    family = Family(lab)
    path = odd(lab, f"hang) exec 9>{family.path}; echo here >&9; trap '' TERM; sleep 1000 & sleep 1000 ;;")
    nodes(lab, path, "does: hang", times="answer: 2s, read: 2s")
    same(error_of(lab.run("status", "n1", "--json"))[0], "timeout")
    family.gone()
    nodes(lab, path, "does: hang", times="answer: 600s, read: 600s")
    proc = lab.start("status", "n1", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    family.here()
    proc.send_signal(signal.SIGINT)
    out, _ = proc.communicate(timeout=60)
    same(proc.returncode, 130)
    has(out, "n1: unknown: canceled")
    family.gone()


# --- Boot, and what else it may say. -------------------------------------------------------------

@test
def test_boot(lab):
    """boot devices are set and read as the program says it can"""
    path = odd(lab)
    nodes(lab, path, "")
    good(lab.run("bootdev", "pxe", "n1"), "n1: ok")
    q = json.loads(lab.read("odd/boot"))
    same({k: q[k] for k in ("op", "device", "mode", "persistent")},
         {"op": "boot", "device": "pxe", "mode": "any", "persistent": False})
    good(lab.run("bootdev", "pxe", "--persistent", "n1"), "n1: ok")
    same(json.loads(lab.read("odd/boot"))["persistent"], True)
    r = lab.run("bootdev", "--show", "n1", "--json")
    same({k: r.json[0]["result"][k] for k in ("device", "mode", "persistent")},
         {"device": "pxe", "mode": "uefi", "persistent": True}, r)
    bad(lab.run("bootdev", "cd", "n1"), 1, "unsupported")
    good(lab.run("pxeboot", "n1"), "n1: on")
    same(asked(lab)[-1]["op"], "get")


@test
def test_what_else_a_state_says(lab):
    """the actions that a device takes now, its own code, and a transition"""
    path = odd(lab, "", "on", {"few": '{"ok":true,"state":"on","actions":["off"],"code":"S0","changing":false}\n'})
    nodes(lab, path, "does: few", "acts: few")
    bad(lab.run("reset", "n1"), 1, "n1: error: state: the device does not take 'reset' while it is on")
    good(lab.run("status", "n1"), "n1: on")


@test
def test_without_an_inventory(lab):
    """a URL names a program as well"""
    path = odd(lab, "", "on")
    good(lab.run("status", f"exec://box?program={path}"), "box: on")
    same(asked(lab)[0]["address"], "box")


main()
