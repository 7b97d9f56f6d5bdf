# SPDX-License-Identifier: Apache-2.0
"""What the tests with Redfish services share: stand-ins, and the inventory that names them.

    fleet = RedfishFleet(lab, "--state", "on", devices=3)   # nodes r1, r2, r3
    fleet = RedfishFleet(lab, profile="dell", systems=4)    # four systems behind one service
    r = lab.run("pxeboot", "r[1-3]")
    fleet.counters(2)["reset_on"]                           # as the stand-in counted
    fleet.set(1, e503_every=2)                              # its knobs
    fleet.device(1)["systems"][0]["power"]                  # what is really so
    fleet.log(1)                                            # ["GET /redfish/v1/", ...]
    fleet.url(1, tls=True)                                  # for other programs
"""
import functools
import json
import os
import shutil
import ssl
import subprocess
import textwrap
import urllib.error
import urllib.request

import lib

USER, PASSWORD = "admin", "P@ssw0rd"
PROFILES = ("dmtf", "dell", "hpe", "hpe-gen9", "supermicro", "lenovo", "ami", "openbmc")
# Id of the (first) system, of its chassis and of the manager.
IDS = {
    "dmtf": ("437XR1138R2", "1U", "BMC"),
    "dell": ("System.Embedded.1", "System.Embedded.1", "iDRAC.Embedded.1"),
    "hpe": ("1", "1", "1"),
    "hpe-gen9": ("1", "1", "1"),
    "supermicro": ("1", "1", "1"),
    "lenovo": ("1", "1", "1"),
    "ami": ("Self", "Self", "Self"),
    "openbmc": ("system", "chassis", "bmc"),
}


class RedfishFleet(lib.StandIns):
    """Stand-ins r1, r2, ... on ports that the kernel gave, and their inventory."""

    def __init__(self, lab, *args, devices=1, profile="dmtf", systems=1, tls=False, settings="",
                 timeouts=""):
        super().__init__(lab, lab.redfishsim(
            "--by-port", "--port", "0", "--tls-port", "0", "--devices", str(devices), "--profile",
            profile, "--systems", str(systems), *args), devices)
        self.profile = profile
        self.secret = lab.write("config/powerctl/secrets/redfish", PASSWORD + "\n")
        self.inventory(tls, settings, timeouts)

    def ports(self, n):
        ready = self.sim.ready
        if "ports" in ready:
            return ready["ports"][n - 1], ready["tls_ports"][n - 1]
        d = ready["devices"][n - 1]
        return d["port"], d["tls_port"]

    def inventory(self, tls=False, settings="", timeouts="", credential=None, more=""):
        """Writes the inventory; settings are lines of the class."""
        lines = ["defaults:", f"  timeouts: {{{timeouts}}}", "credentials:",
                 "  redfish: " + (credential or
                                  f"{{username: {USER}, password_file: {self.secret}}}"),
                 "classes:", "  stand-in:", "    driver: redfish", "    credential: redfish",
                 f"    tls: {str(tls).lower()}"]
        lines += ["    " + line for line in settings.splitlines()] + ["nodes:"]
        for n in range(1, self.size + 1):
            plain, secure = self.ports(n)
            lines.append(f"  r{n}: {{class: stand-in, address: 127.0.0.1, "
                         f"port: {secure if tls else plain}}}")
        self.lab.inventory("\n".join(lines) + "\n" + more)

    def url(self, n=1, tls=False, path=""):
        plain, secure = self.ports(n)
        return f"https://127.0.0.1:{secure}{path}" if tls else f"http://127.0.0.1:{plain}{path}"

    def system_path(self, n=1):
        return f"/redfish/v1/Systems/{IDS[self.device(n)['profile']][0]}"

    def log(self, n=1):
        """The last requests of a service, oldest first: method and target."""
        return self.device(n)["log"]

    def ask(self, method, path, body=None, n=1, tls=False, login=True, **fields):
        """One request with Basic (or not); status, header fields, document (None: no JSON)."""
        request = urllib.request.Request(self.url(n, tls, path), method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={k.replace("_", "-"): v
                                                  for k, v in fields.items()})
        if login:
            request.add_header("Authorization", lib.basic(USER, PASSWORD))
        try:
            with opener().open(request, timeout=lib.PATIENCE) as answer:
                return answer.status, answer.headers, document(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, document(error.read())

    def get(self, path, n=1):
        status, _, found = self.ask("GET", path, n=n)
        lib.same(status, 200, f"{path}: {found}")
        return found


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):  # pylint: disable=arguments-differ
        return None


@functools.cache
def opener():
    """Trusts any certificate, follows no redirect, knows no proxy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect,
                                       urllib.request.HTTPSHandler(context=context))


def document(text):
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


class Client:
    """Programs that others wrote, against a fleet. Their own ideas of certificates are not ours."""
    python = "/usr/bin/python3"  # Debian's, which has sushy

    def __init__(self, lab):
        self.env = {k: v for k, v in lab.env.items() if not k.endswith("_CA_BUNDLE")}
        self.env["PYTHONWARNINGS"] = "ignore"

    def run(self, *args, status=0):
        """Runs one to its end; what it printed. status: that, one of them, or None for any."""
        r = subprocess.run(args, env=self.env, capture_output=True, text=True, check=False,
                           timeout=lib.PATIENCE, stdin=subprocess.DEVNULL)
        wanted = status if isinstance(status, tuple) else (status,)
        assert status is None or r.returncode in wanted, lib.Result(
            args, r.returncode, r.stdout[-3000:], r.stderr[-3000:])
        return r.stdout

    def sushy(self, fleet, code):
        """Runs code with root, a sushy.Sushy; what it printed."""
        return self.sushies({fleet.profile: fleet}, code)

    def sushies(self, fleets, code):
        """Runs code in one process for each fleet of {profile: fleet}, with profile and root."""
        found = "import importlib.util as u, sys; sys.exit(not u.find_spec('sushy'))"
        if subprocess.run([self.python, "-c", found], capture_output=True, check=False).returncode:
            lib.skip("sushy is not installed")
        roots = {profile: fleet.url(1, tls=True) for profile, fleet in fleets.items()}
        return self.run(self.python, "-c", f"import sushy\nfor profile, url in {roots!r}.items():\n"
                        f"    root = sushy.Sushy(url, username={USER!r}, password={PASSWORD!r}, "
                        "verify=False)\n" + textwrap.indent(code, "    "))

    def fence(self, fleet, action, n=1):
        """The status that fence_redfish ends with: 0 on or done, 2 off, 1 error."""
        program = shutil.which("fence_redfish", path=os.environ["PATH"] + ":/usr/sbin") or \
            lib.skip("fence_redfish is not installed")
        return subprocess.run(
            [program, "-a", "127.0.0.1", "-u", str(fleet.ports(n)[1]), "-l", USER, "-p", PASSWORD,
             "--ssl-insecure", "-z", "-o", action], env=self.env, capture_output=True,
            check=False, timeout=lib.PATIENCE, stdin=subprocess.DEVNULL).returncode

    def redfishtool(self, fleet, *args, n=1, status=0):
        if not shutil.which("redfishtool"):
            lib.skip("redfishtool is not installed")
        return self.run("redfishtool", "-r", f"127.0.0.1:{fleet.ports(n)[1]}", "-u", USER, "-p",
                        PASSWORD, "-S", "Always", "-n", *args, status=status)

    def curl(self, *args, status=0):
        return self.run("curl", "-s", "-k", "--noproxy", "*", "--max-time", str(lib.PATIENCE),
                        *args, status=status)
