#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promtool, Prometheus and systemd-analyze look at metrics, rules, dashboard and units."""
import functools
import glob
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
import lib  # noqa: E402
from lib import POWERCTL, SOURCE, has, main, same, skip, test, until  # noqa: E402

FOLDER = os.path.join(SOURCE, "contrib", "prometheus")
UNITS = os.path.join(SOURCE, "contrib", "systemd")
COUNT = 400
NODES = f"""nodes:
  n[1-{COUNT}]: {{driver: "null", state: on}}
  "$(touch${{IFS}}x);{{{{7}}}}": {{driver: "null", state: off}}
  nö: {{driver: "null", state: sleep}}
  dead: {{driver: "null", fail_reads: unreachable}}
  sick: {{driver: "null", maintenance: "PSU"}}
"""


def promtool(*words, stdin=""):
    if not shutil.which("promtool"):
        skip("prometheus: no promtool")
    done = subprocess.run(["promtool", *words], input=stdin, capture_output=True, text=True, timeout=lib.PATIENCE,
                          check=False)
    same(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout + done.stderr


@test
def metrics(lab):
    """promtool finds nothing wrong with the metrics of 400 machines, nor with those of none"""
    lab.inventory(NODES)
    r = lab.run("status", "--metrics")
    same(r.status, 1)
    same(promtool("check", "metrics", stdin=r.out), "")
    lab.inventory('nodes:\n  sick: {driver: "null", maintenance: "PSU"}\n')
    r = lab.run("status", "--metrics")
    same(r.status, 0)
    same(promtool("check", "metrics", stdin=r.out), "")


@test
def rules(lab):
    """the rules are right, and each alert is raised when it should be, and only then"""
    has(promtool("check", "rules", "--lint=all", "--lint-fatal", os.path.join(FOLDER, "powerctl.rules.yml")),
        "SUCCESS: 8 rules")
    has(promtool("test", "rules", os.path.join(FOLDER, "powerctl.rules.test.yml")), "SUCCESS")


@test
def warewulf_template(lab):
    """promtool has Go's text/template in it: contrib/warewulf's template is one, and leaves a shell nothing to look at"""
    with open(os.path.join(SOURCE, "contrib", "warewulf", "powerctl.tmpl"), encoding="utf-8") as f:
        template = f.read().strip().replace(".Cmd", "$labels.cmd").replace(".Ipaddr", "$labels.ip")
    calls = {"PowerOn": ("10.0.1.1", "10.0.1.1"), "PowerOff": ("<nil>", "%3Cnil%3E"),
             "PowerStatus": ("1;$(x) `y` 'z' \"\\ö", "1%3B%24%28x%29+%60y%60+%27z%27+%22%5C%C3%B6")}
    lab.write("w.yml", json.dumps({"groups": [{"name": "w", "rules": [
        {"alert": "W", "expr": "x", "annotations": {"line": template}}]}]}))
    lab.write("w.test.yml", json.dumps({"rule_files": ["w.yml"], "tests": [{
        "interval": "1m",
        "input_series": [{"series": f"x{{cmd={json.dumps(cmd)},ip={json.dumps(ip, ensure_ascii=False)}}}", "values": "1"}
                         for cmd, (ip, _) in calls.items()],
        "alert_rule_test": [{"eval_time": "0m", "alertname": "W", "exp_alerts": [
            {"exp_labels": {"cmd": cmd, "ip": ip},
             "exp_annotations": {"line": f"/usr/libexec/powerctl/powerctl-warewulf {cmd} {words}"}}
            for cmd, (ip, words) in calls.items()]}]}]}))
    has(promtool("test", "rules", lab.path("w.test.yml")), "SUCCESS")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Prometheus:
    """A Prometheus that scrapes a file, and answers queries."""

    def __init__(self, lab, folder):
        if not shutil.which("prometheus"):
            skip("prometheus: not installed")
        self.files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=self.files.serve_forever, daemon=True).start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        conf = lab.write("prometheus.yml", f"""
global: {{scrape_interval: 1s}}
rule_files: ['{FOLDER}/powerctl.rules.yml']
scrape_configs:
  - job_name: node
    metrics_path: /powerctl.prom
    static_configs: [{{targets: ['127.0.0.1:{self.files.server_port}']}}]
""")
        with open(lab.path("prometheus.log"), "wb") as log:
            proc = subprocess.Popen(
                ["prometheus", f"--config.file={conf}", f"--storage.tsdb.path={lab.path('tsdb')}",
                 f"--web.listen-address=127.0.0.1:{self.port}"], env=lab.env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        lab.keep(lib.Started(proc))
        lab.keep(self)

    def close(self):
        self.files.shutdown()
        self.files.server_close()

    def query(self, text):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:  # is starting
                    return []
                raise AssertionError(f"{text}: {error.read().decode()}") from None
        except OSError:
            return []


@test
def dashboard(lab):
    """a real Prometheus scrapes the metrics, and every query of the dashboard finds something"""
    os.mkdir(lab.path("www"))
    lab.inventory(NODES)
    same(lab.run("status", "--metrics", "-o", lab.path("www", "powerctl.prom")).status, 1)
    prometheus = Prometheus(lab, lab.path("www"))
    until("the metrics are there", lambda: prometheus.query("powerctl_run_success"))
    same(prometheus.query('sum(powerctl_node_state{state="on"})')[0]["value"][1], str(COUNT))
    names = {r["metric"]["node"] for r in prometheus.query('powerctl_node_state{state!="on"} == 1')}
    same(names, {"$(touch${IFS}x);{{7}}", "nö", "dead"})
    with open(os.path.join(FOLDER, "powerctl-dashboard.json"), encoding="utf-8") as f:
        panels = json.load(f)["panels"]
    for panel in panels:
        for target in panel["targets"]:
            query = target["expr"].replace("$instance", ".*").replace("$node", ".*")
            assert prometheus.query(query), f"{panel['title']}: {query} finds nothing"


@test
def units(lab):
    """systemd-analyze: units are right and shut in, times of timers are times"""
    if not shutil.which("systemd-analyze"):
        skip("systemd: no systemd-analyze")
    os.mkdir(lab.path("units"))
    for path in glob.glob(os.path.join(UNITS, "powerctl-*")):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for when in re.findall(r"^OnCalendar=(.+)$", text, re.MULTILINE):
            done = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=False)
            same(done.returncode, 0, done.stderr)
        name = os.path.basename(path).replace("@.", "@night.")
        lab.write(f"units/{name}", text.replace("ExecStart=powerctl", f"ExecStart={POWERCTL}"), 0o644)
    paths = sorted(glob.glob(lab.path("units", "*")))
    same(len(paths), 6)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    same((done.returncode, done.stdout, done.stderr), (0, "", ""))
    for path in paths:
        if path.endswith(".service"):
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", path],
                                  capture_output=True, text=True, check=False)
            same(done.returncode, 0, done.stdout[-1000:] + done.stderr)


if __name__ == "__main__":
    main()
