# SPDX-License-Identifier: Apache-2.0
"""What the tests of the AMT driver share: a fleet of stand-ins and the inventory that names them.

    fleet = Fleet(lab, "--state", "on", devices=3)      # nodes a1, a2, a3
    r = lab.run("pxeboot", "a[1-3]")
    fleet.counters(2)["requests"]                       # as the stand-in counted
    fleet.set(1, hang="all")                            # its knobs

POWERCTL_VIA=pump reaches every machine through a channel that the core pumps.
"""
import os

import lib

VIA = os.environ.get("POWERCTL_VIA", "")
PASSWORD = "P@ssw0rd"
PROFILES = ("8", "11", "12", "15", "16.1")
# What a polite client never causes.
BLAMELESS = ("r401_bad", "replay", "foreign_nonce", "empty_response", "expect", "unauth_bodies",
             "bad_nc", "pipelined", "r400", "r404")
GET = "CIM_AssociatedPowerManagementService.Get"
POWER = "CIM_PowerManagementService.RequestPowerStateChange"
BOOT_CALLS = ["AMT_BootSettingData.Get", "CIM_BootConfigSetting.ChangeBootOrder",
              "AMT_BootSettingData.Put", "CIM_BootService.SetBootConfigRole",
              "CIM_BootConfigSetting.ChangeBootOrder"]


class Fleet(lib.StandIns):
    """Stand-ins a1, a2, ... on ports that the kernel gave, and their inventory."""

    def __init__(self, lab, *args, devices=1, tls=False, settings="", timeouts=""):
        super().__init__(lab, lab.amtsim("--by-port", "--port", "0", "--tls-port", "0",
                                         "--devices", str(devices), *args), devices)
        self.secret = lab.write("config/powerctl/secrets/amt", PASSWORD + "\n")
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
                 "  amt: " + (credential or f"{{username: admin, password_file: {self.secret}}}"),
                 "classes:", "  stand-in:", "    driver: amt", "    credential: amt",
                 f"    tls: {str(tls).lower()}"]
        if VIA and "via:" not in settings:
            lines.append(f"    via: {VIA}")
        lines += ["    " + line for line in settings.splitlines()] + ["nodes:"]
        for n in range(1, self.size + 1):
            plain, secure = self.ports(n)
            # 0: it does not listen. The port is the node's name for locks and pins.
            ports = f"port: {secure if tls is True else plain or secure}, tls_port: {secure}"
            lines.append(f"  a{n}: {{class: stand-in, address: 127.0.0.1, {ports}}}")
        self.lab.inventory("\n".join(lines) + "\n" + more)

    def blameless(self, n=1, but=()):
        c = self.counters(n)
        bad = {k: c[k] for k in BLAMELESS if k not in but and c[k]}
        lib.same(bad, {}, f"counters of a{n}")
        assert c["peak_connections"] <= 1 and c["peak_requests"] <= 1, c
        return c
