# SPDX-License-Identifier: Apache-2.0
"""Who is measured: each has a name, the fleets that it asks, a command line and surroundings, and
knows a good answer when it sees one."""
import os
import shutil

from benchlib import FLOOR, POWERCTL, powerctl_env, write
from fleets import bracket
from ipmilib import IPMIPOWER, IPMITOOL, PASSWORD as BMC_PASSWORD

CURL = shutil.which("curl", path="/usr/bin:/bin")
AMT_PASSWORD = "P@ssw0rd"
LOGIN = "admin:" + AMT_PASSWORD
FANOUT = 512    # powerctl's own
CURL_MAX = 300  # what --parallel-max allows at most
FEW = 200       # BMCs for a client that has a process for each
SOAP = "Content-Type: application/soap+xml; charset=utf-8"
IS_OFF = ":PowerState>8<"

# What powerctl sends to read the power state; the others send the same.
BODY = (
    '<?xml version="1.0" encoding="utf-8"?><Envelope'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns="http://www.w3.org/2003/05/soap-envelope"><Header>'
    "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action><a:To>/wsman</a:To>"
    "<w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
    "CIM_AssociatedPowerManagementService</w:ResourceURI><a:MessageID>0</a:MessageID><a:ReplyTo>"
    "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
    "</a:ReplyTo><w:OperationTimeout>PT60S</w:OperationTimeout></Header><Body></Body></Envelope>")


class Client:
    def __init__(self, name, fleets, argv, env=None):
        self.name, self.fleets, self.argv = name, fleets, argv
        self.env = env or {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"}
        self.good = sum(fleet.good for fleet in fleets)
        self.nodes = sum(group.count for fleet in fleets for group in fleet.groups)
        self.asked = [fleet.good for fleet in fleets]  # of each
        self.least = self.good  # fewer answers than this end the bench

    def is_answer(self, line):
        return line.rstrip().endswith(": off")

    def answers(self, text):
        return sum(self.is_answer(line) for line in text.splitlines())


class Powerctl(Client):
    def __init__(self, folder, fleets, *options, verb="status", name=None):
        place = os.path.join(folder, f"powerctl{len(os.listdir(folder))}")
        os.mkdir(place, 0o700)
        write(place, "amt", AMT_PASSWORD)
        write(place, "bmc", BMC_PASSWORD)
        env = powerctl_env(place, "credentials:\n"
                           "  amt: {username: admin, password_file: amt}\n"
                           "  bmc: {username: admin, password_file: bmc}\n"
                           "classes:\n"
                           "  amt: {driver: amt, credential: amt, tls: false}\n"
                           "  bmc: {driver: ipmi, credential: bmc, workarounds: [opensesspriv]}\n"
                           "nodes:\n" + "".join(self.nodes_of(fleets)))
        super().__init__(name or " ".join(("powerctl", *options)), fleets,
                         [POWERCTL, verb, "-a", *options], env)

    @staticmethod
    def nodes_of(fleets):
        last = 0
        for fleet in fleets:
            for g in fleet.groups:
                yield (f"  n{bracket(last + 1, last + g.count)}: {{class: {fleet.kind},"
                       f' address: "{g.pattern}", port: {g.port}}}\n')
                last += g.count


class Hardware(Powerctl):
    """A line of a table for each, from so many requests."""
    REQUESTS = 15

    def __init__(self, folder, fleets):
        super().__init__(folder, fleets, verb="hardware", name="powerctl hardware")
        self.asked = [fleet.good * self.REQUESTS for fleet in fleets]

    def is_answer(self, line):
        return "NUC9V7QNX" in line and " 32 GiB " in line


def bodies(folder):
    return write(folder, "body.xml", BODY)


def urls_of(fleets):
    return [f"http://{one}:{fleet.port}/wsman" for fleet in fleets for one in fleet.addresses]


class Floor(Client):
    """As fast as libcurl gets."""

    def __init__(self, folder, fleets, fanout=FANOUT):
        urls = write(folder, "urls", "".join(url + "\n" for url in urls_of(fleets)))
        super().__init__("libcurl floor" + (f" {fanout}" if fanout != FANOUT else ""), fleets,
                         [FLOOR, str(fanout), LOGIN, bodies(folder), IS_OFF, urls])

    def is_answer(self, line):
        return line.endswith(": right")


class Curl(Client):
    def __init__(self, folder, fleets):
        urls, body = urls_of(fleets), bodies(folder)
        if len(urls) == 1:
            super().__init__("curl --digest", fleets,
                             [CURL, "-s", "--digest", "-u", LOGIN, "-H", SOAP,
                              "--data-binary", "@" + body, *urls])
            return
        # Options of the command line hold for the first URL only.
        config = write(folder, "curl", "next\n".join(
            f'url = "{url}"\ndigest\nuser = "{LOGIN}"\ndata-binary = "@{body}"\nheader = "{SOAP}"\n'
            for url in urls))
        super().__init__("curl --parallel", fleets,
                         [CURL, "-s", "--parallel", "--parallel-max", str(CURL_MAX),
                          "--config", config])

    def answers(self, text):
        return text.count(IS_OFF)


class Ipmipower(Client):
    def __init__(self, fleets, *options, verb="--stat"):
        hosts = ",".join(f"{g.pattern}:{g.port}" for fleet in fleets for g in fleet.groups)
        super().__init__(" ".join(("ipmipower", *options)), fleets,
                         [IPMIPOWER, "-D", "LAN_2_0", "-W", "opensesspriv", "-u", "admin",
                          "-p", BMC_PASSWORD, "-h", hosts, verb, *options])
        # It keeps 32 KiB of output, and what comes faster than it is written is lost.
        self.least //= 10


class Ipmitool(Client):
    """One process for each BMC, of some of them."""

    def __init__(self, folder, fleet, verb="status"):
        group = fleet.groups[0]
        count = min(FEW, group.count)
        super().__init__("xargs -P32 ipmitool", [fleet], [])
        self.good = self.nodes = self.least = count
        self.asked = [count]
        prefix, last = group.pattern.rsplit(".", 1)
        first = int(last.strip("[]").split("-")[0])
        hosts = write(folder, "hosts", "\n".join(f"{prefix}.{first + n}" for n in range(count)))
        self.argv = ["/usr/bin/xargs", "-a", hosts, "-P", "32", "-I", "{}", IPMITOOL,
                     "-I", "lanplus", "-C", "3", "-U", "admin", "-P", BMC_PASSWORD,
                     "-p", str(group.port), "-H", "{}", "power", verb]

    def is_answer(self, line):
        return line.rstrip().endswith("is off")
