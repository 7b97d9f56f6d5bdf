#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks powerctl-amtsim with curl, which others wrote; raw sockets where curl is too polite.

Prints TAP. POWERCTL_AMTSIM names the program. No fixed ports, no sleeping for luck.
"""
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree as ET

from lib import AMTSIM, SANITIZED, SOURCE, Skip, skip, until

USER, PASSWORD = "admin", "P@ssw0rd"
# What curl ends with when the peer resets: while it connects, or later.
RESET = {7, 35, 52, 55, 56}
CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
AMT = "http://intel.com/wbem/wscim/1/amt-schema/1/"
IPS = "http://intel.com/wbem/wscim/1/ips-schema/1/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUM = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
POWER = CIM + "CIM_AssociatedPowerManagementService"


class Sim:
    """One running simulator; leaves nothing behind."""

    def __init__(self, *args, by_port=True):
        where = ["--by-port"] if by_port else []
        self.proc = subprocess.Popen(
            [AMTSIM, *where, "--port", "0", "--tls-port", "0", *args], stdout=subprocess.PIPE)
        try:
            if not select.select([self.proc.stdout], [], [], 30)[0]:
                raise RuntimeError("no ready line")
            line = self.proc.stdout.readline()
            self.ready = json.loads(line)
        except Exception:
            self.proc.kill()
            self.proc.wait()
            raise
        self.devices = self.ready["devices"]

    def close(self):
        self.proc.send_signal(signal.SIGTERM)
        try:
            status = self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            status = self.proc.wait()
        self.proc.stdout.close()
        return status

    def control(self, path, method="GET", data=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ready['control']}{path}", method=method,
            data=data.encode() if data else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def set(self, device, *knobs):
        return self.control(f"/devices/{device}", "PUT", "\n".join(knobs))

    def device(self, n=1):
        return self.control(f"/devices/{n}")

    def count(self, name, n=1):
        return self.device(n)["counters"][name]

    def reset(self):
        self.control("/reset", "POST")

    def url(self, n=1, tls=False):
        d = self.devices[n - 1]
        return f"https://{d['address']}:{d['tls_port']}/wsman" if tls else \
            f"http://{d['address']}:{d['port']}/wsman"


@contextlib.contextmanager
def running(*args, **kw):
    sim = Sim(*args, **kw)
    try:
        yield sim
    finally:
        sim.close()


def envelope(action, uri, body="", selectors="", headers="", message="7"):
    return (
        '<?xml version="1.0" encoding="utf-8"?><Envelope'
        f' xmlns:a="{WSA}" xmlns:w="{WSMAN}" xmlns="http://www.w3.org/2003/05/soap-envelope">'
        f"<Header><a:Action>{action}</a:Action><a:To>/wsman</a:To><w:ResourceURI>{uri}"
        f"</w:ResourceURI><a:MessageID>{message}</a:MessageID>{headers}{selectors}</Header>"
        f"<Body>{body}</Body></Envelope>")


def selector(**keys):
    inner = "".join(f'<w:Selector Name="{k}">{v}</w:Selector>' for k, v in keys.items())
    return f"<w:SelectorSet>{inner}</w:SelectorSet>"


def get(uri, **keys):
    return envelope(TRANSFER + "Get", uri, selectors=selector(**keys) if keys else "")


def invoke(uri, method, params=""):
    return envelope(f"{uri}/{method}", uri,
                    f'<h:{method}_INPUT xmlns:h="{uri}">{params}</h:{method}_INPUT>')


def epr(name, uri, **keys):
    inner = "".join(f'<w:Selector Name="{k}">{v}</w:Selector>' for k, v in keys.items())
    return (f"<h:{name}><a:Address>default</a:Address><a:ReferenceParameters><w:ResourceURI>{uri}"
            f"</w:ResourceURI><w:SelectorSet>{inner}</w:SelectorSet></a:ReferenceParameters>"
            f"</h:{name}>")


def set_power(state):
    host = epr("ManagedElement", CIM + "CIM_ComputerSystem", Name="ManagedSystem")
    return invoke(CIM + "CIM_PowerManagementService", "RequestPowerStateChange",
                  f"<h:PowerState>{state}</h:PowerState>{host}")


def boot_order(source=None):
    body = epr("Source", CIM + "CIM_BootSourceSetting", InstanceID=source) if source else ""
    return invoke(CIM + "CIM_BootConfigSetting", "ChangeBootOrder", body)


def boot_role(role):
    config = epr("BootConfigSetting", CIM + "CIM_BootConfigSetting",
                 InstanceID="Intel(r) AMT: Boot Configuration 0")
    return invoke(CIM + "CIM_BootService", "SetBootConfigRole", f"{config}<h:Role>{role}</h:Role>")


def put_boot(fields):
    uri = AMT + "AMT_BootSettingData"
    inner = "".join(f"<h:{k}>{v}</h:{k}>" for k, v in fields)
    return envelope(TRANSFER + "Put", uri,
                    f'<h:AMT_BootSettingData xmlns:h="{uri}">{inner}</h:AMT_BootSettingData>')


class Answer:
    """What curl printed: every response head, and the last body."""

    def __init__(self, status, raw, error):
        self.exit, self.raw, self.error = status, raw, error
        heads, rest = [], raw
        while True:
            m = re.match(rb"HTTP/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n", rest, re.S)
            if not m:
                break
            heads.append((int(m.group(1)), m.group(2).decode()))
            rest = rest[m.end():]
            again = re.search(rb"HTTP/1\.1 \d+ [^\r]*\r\n(?:[\w-]+: [^\r]*\r\n)+\r\n", rest)
            if again:
                rest = rest[again.start():]
        self.heads, self.body = heads, rest
        self.code = heads[-1][0] if heads else 0

    def texts(self, name):
        return [e.text or "" for e in ET.fromstring(self.body).iter()
                if e.tag.split("}")[-1] == name]

    def value(self, name):
        found = self.texts(name)
        return found[0].strip() if found else None

    def tags(self):
        return [e.tag.split("}")[-1] for e in ET.fromstring(self.body).iter()]

    def fault(self):
        return (self.texts("Value") + ["", ""])[1].split(":")[-1] if self.code == 400 else None


def curl(sim, body, n=1, tls=False, args=(), password=PASSWORD, user=USER, timeout=20):
    if body is None:
        data = ["-X", "POST"]
    else:
        data = ["--data-binary", "@-"]
    run = subprocess.run(
        ["curl", "-q", "-s", "-S", "-k", "-i", "--noproxy", "*", "--max-time", str(timeout),
         "--digest", "-u", f"{user}:{password}", *data, *args, sim.url(n, tls)],
        input=(body or "").encode(), capture_output=True, check=False)
    return Answer(run.returncode, run.stdout, run.stderr.decode())


def raw(sim, data, n=1, timeout=15, tls=False):
    """Sends bytes, reads to the end: what is really on the wire."""
    d = sim.devices[n - 1]
    out = b""
    with socket.create_connection((d["address"], d["tls_port" if tls else "port"]), timeout) as s:
        s.sendall(data)
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    return out, "closed"
                out += more
                if b"\r\n0\r\n\r\n" in out:
                    return out, "open"
        except socket.timeout:
            return out, "timeout"
        except ConnectionResetError:
            return out, "reset"


def md5(text):
    return hashlib.md5(text if isinstance(text, bytes) else text.encode()).hexdigest()


def challenge(sim, n=1):
    answer, _ = raw(sim, b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", n)
    line = re.search(rb"WWW-Authenticate: ([^\r]*)", answer).group(1).decode()
    return line, re.search('realm="([^"]*)"', line).group(1), \
        re.search('nonce="([^"]*)"', line).group(1)


def authorization(realm, nonce, nc="00000001", qop="auth", body="", uri="/wsman", response=None,
                  password=PASSWORD):
    a2 = f"POST:{uri}" + (":" + md5(body) if qop == "auth-int" else "")
    right = md5(":".join([md5(f"{USER}:{realm}:{password}"), nonce, nc, "abcdef", qop, md5(a2)]))
    return (f'Digest username="{USER}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
            f'response="{right if response is None else response}",qop="{qop}",nc="{nc}",'
            'cnonce="abcdef"')


def request(body, auth=None, extra=""):
    head = f"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{extra}"
    if auth:
        head += f"Authorization: {auth}\r\n"
    return (head + "\r\n" + body).encode()


def status_of(answer):
    return int(answer[0].split(b" ")[1]) if answer[0] else 0


TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failure(Exception):
    pass


def same(got, want, what=""):
    if got != want:
        raise Failure(f"{what}: got {got!r}, wanted {want!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


@test
def challenge_forms(sim):
    """challenge as recorded: old and new profiles"""
    for n, qop, digits in ((1, "auth", 32), (2, "auth-int, auth", 32), (3, "auth", 4)):
        line, realm, nonce = challenge(sim, n)
        same(line, f'Digest realm="{realm}", nonce="{nonce}",stale="false",qop="{qop}"', f"dev {n}")
        true(re.fullmatch("Digest:[0-9A-F]{32}", realm), realm)
        same(realm, sim.devices[n - 1]["realm"], "realm of the ready line")
        true(digits == 32 or realm.endswith("0" * 28), "zero tail on old firmware")
        true(re.fullmatch("[A-Za-z0-9+/]{32}", nonce), nonce)


@test
def unauthorized_closes(sim):
    """401: HTML of 690 bytes, Connection: close, and the connection is closed"""
    answer, how = raw(sim, request(""))
    head, body = answer.split(b"\r\n\r\n", 1)
    same(how, "closed")
    true(b"\r\nConnection: close" in head and b"\r\nContent-Type: text/html" in head, head)
    true(len(body) in (690, 693), f"{len(body)} bytes")
    true(f"Content-Length: {len(body)}".encode() in head, head)
    true(body.endswith(b"</html>") and b"temporarily locked" in body, "the text")


@test
def get_with_curl(sim):
    """curl logs in and reads the power state, over HTTP and TLS"""
    for tls in (False, True):
        sim.reset()
        a = curl(sim, get(POWER), tls=tls)
        same([h[0] for h in a.heads], [401, 200], a.error)
        same(a.value("PowerState"), "2")
        same(a.value("RelatesTo"), "7")
        true(a.value("MessageID").startswith("uuid:00000000-8086-8086-8086-"), "message id")
        true("Connection" not in a.heads[1][1], "no Connection header in a 200")
        same(sim.count("connections"), 2, "the 401 cost a connection")
        same(sim.count("peak_connections"), 1)
        same(sim.count("tls"), 2 if tls else 0)
        same(sim.count("tls_failed"), 0)


@test
def header_order(sim):
    """200: header order as recorded"""
    a = curl(sim, get(POWER))
    names = [line.split(":")[0] for line in a.heads[1][1].split("\r\n")]
    same(names, ["Date", "Server", "X-Frame-Options", "Content-Type", "Transfer-Encoding"])


@test
def chunk_form(sim):
    """chunk sizes are four upper-case hex digits, split as recorded or as told"""
    for knob, sizes in (("chunk=0", None), ("chunk=1", 1), ("chunk=171", 171)):
        sim.set(1, knob)
        _, realm, nonce = challenge(sim)
        body = get(POWER)
        answer, how = raw(sim, request(body, authorization(realm, nonce)))
        same(how, "open", "keep-alive")
        rest = answer.split(b"\r\n\r\n", 1)[1]
        got, text = [], b""
        while True:
            m = re.match(rb"([0-9A-F]{4})\r\n", rest)
            if not m:
                break
            n = int(m.group(1), 16)
            got.append(n)
            text += rest[6:6 + n]
            same(rest[6 + n:8 + n], b"\r\n")
            rest = rest[8 + n:]
        same(rest, b"0\r\n\r\n")
        ET.fromstring(text)
        if sizes is None:
            same(got[:3], [544, 762, 762])
        else:
            same(set(got[:-1]), {sizes})
    sim.set(1, "chunk=0")


@test
def chunked_request(sim):
    """a chunked request body is understood"""
    a = curl(sim, get(POWER), args=["-H", "Transfer-Encoding: chunked"])
    same(a.value("PowerState"), "2", a.error)


@test
def auth_int(sim):
    """qop auth-int is verified where it is offered, refused where it is not"""
    body = get(POWER)
    for n, good in ((2, 200), (1, 401)):
        _, realm, nonce = challenge(sim, n)
        auth = authorization(realm, nonce, qop="auth-int", body=body)
        same(status_of(raw(sim, request(body, auth), n)), good, f"device {n}")
    _, realm, nonce = challenge(sim, 2)
    auth = authorization(realm, nonce, qop="auth-int", body=body + " ")
    same(status_of(raw(sim, request(body, auth), 2)), 401, "another body")


@test
def nc_rules(sim):
    """nc: 8 digits on new firmware, always rising"""
    body = get(POWER)
    sim.reset()
    for n, want in ((2, 401), (1, 200)):
        _, realm, nonce = challenge(sim, n)
        same(status_of(raw(sim, request(body, authorization(realm, nonce, nc="1")), n)), want)
    same(sim.count("bad_nc", 2), 1)
    _, realm, nonce = challenge(sim)
    for nc, want in (("00000001", 200), ("00000002", 200), ("00000002", 401), ("00000001", 401),
                     ("00000009", 200)):
        same(status_of(raw(sim, request(body, authorization(realm, nonce, nc=nc)))), want, nc)
    same(sim.count("replay"), 2)


@test
def foreign_nonce(sim):
    """a nonce of another device is refused and counted"""
    sim.reset()
    _, realm, _ = challenge(sim, 1)
    _, _, nonce = challenge(sim, 4)
    same(status_of(raw(sim, request(get(POWER), authorization(realm, nonce)))), 401)
    same(sim.count("foreign_nonce"), 1)
    same(status_of(raw(sim, request(get(POWER), authorization(realm, "A" * 32)))), 401)
    same(sim.count("foreign_nonce"), 2)


@test
def bad_logins(sim):
    """wrong password, user, uri, realm; empty response"""
    body = get(POWER)
    sim.reset()
    a = curl(sim, body, password="wrong")
    same((a.code, sim.count("r401_bad")), (401, 1))
    same(curl(sim, body, user="nobody").code, 401)
    _, realm, nonce = challenge(sim)
    same(status_of(raw(sim, request(body, authorization(realm, nonce, uri="/other")))), 401)
    same(status_of(raw(sim, request(body, authorization("Digest:" + "0" * 32, nonce)))), 401)
    same(sim.count("r401_bad"), 4)
    same(status_of(raw(sim, request(body, authorization(realm, nonce, response="")))), 401)
    same(status_of(raw(sim, request(body, authorization(realm, nonce, response="0")))), 401)
    same(sim.count("empty_response"), 1)
    true(sim.count("unauth_bodies") >= 6, "bodies that went out for nothing are counted")
    same(status_of(raw(sim, request(body, authorization(realm, nonce)))), 200, "nonce still good")


@test
def stale_nonces(sim):
    """nonce_uses and stale_every: 401 with a new nonce, which works"""
    sim.set(1, "nonce_uses=2", "stale_word=true")
    sim.reset()
    body = get(POWER)
    _, realm, nonce = challenge(sim)
    for nc, want in (("00000001", 200), ("00000002", 200), ("00000003", 401)):
        answer = raw(sim, request(body, authorization(realm, nonce, nc=nc)))
        same(status_of(answer), want)
    true(b'stale="true"' in answer[0], "says stale")
    fresh = re.search(rb'nonce="([^"]*)"', answer[0]).group(1).decode()
    same(status_of(raw(sim, request(body, authorization(realm, fresh)))), 200)
    same(sim.count("r401_stale"), 1)
    sim.set(1, "nonce_uses=0", "stale_every=2")
    for _ in range(4):
        same(curl(sim, body).code, 200, "curl follows stale=true")
    true(sim.count("r401_stale") >= 3, "every second login")
    sim.set(1, "stale_every=0", "stale_word=false")


@test
def lock(sim):
    """lock_after: then even the right password gets 401, for lock_s seconds"""
    sim.set(4, "lock_after=2", "lock_s=1")
    for _ in range(2):
        same(curl(sim, get(POWER), 4, password="wrong").code, 401)
    same(curl(sim, get(POWER), 4).code, 401)
    same(sim.count("r401_locked", 4), 1)
    end = time.monotonic() + 20
    while curl(sim, get(POWER), 4).code != 200:
        true(time.monotonic() < end, "never unlocked")
    sim.set(4, "lock_after=0")


@test
def expect_header(sim):
    """Expect: is counted, 100 never comes"""
    sim.reset()
    a = curl(sim, get(POWER), args=["-H", "Expect: 100-continue", "--expect100-timeout", "0.1"])
    same(a.code, 200)
    true(100 not in [h[0] for h in a.heads], "no 100")
    true(sim.count("expect") >= 1, "counted")


@test
def other_paths(sim):
    """another path is 404, GET is not understood, nonsense is 400"""
    same(status_of(raw(sim, b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")), 404)
    same(curl(sim, None, args=["-X", "GET"]).code, 405)
    same(status_of(raw(sim, b"nonsense\r\n\r\n")), 400)
    big = b"POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    same(status_of(raw(sim, big)), 400)
    same(status_of(raw(sim, b"POST /wsman HTTP/1.1\r\nX: " + b"a" * 20000)), 400)


@test
def malformed_xml(sim):
    """XML that is not well-formed gets an HTML page and status 400"""
    for body in ("<a", "<a></b>", "", "<x:a/>", get(POWER) + "<b/>", get(POWER)[:-3],
                 '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "<a>&nope;</a>", "<a b=c/>",
                 "<a" * 100 + ">", "".join("<a>" for _ in range(200)),
                 get(POWER).replace("</Body>", "</Bodz>"),
                 get(POWER).replace("<Body>", "<x:y/><Body>"),
                 get(POWER).replace("<Body>", "<y a='1' a='2'/><Body>"),
                 get(POWER).replace("<Body>", "<y>\x01</y><Body>"),
                 get(POWER).replace("<Body>", "<y" + ">" + "<y>" * 100 + "</y>" * 101 + "<Body>")):
        a = curl(sim, body)
        same(a.code, 400, body[:40])
        true("text/html" in a.heads[-1][1], body[:40])


@test
def xml_variety(sim):
    """other prefixes, comments, CDATA, character references and blanks mean the same"""
    body = get(POWER)
    body = body.replace("<Body></Body>", "<!-- c --><Body\n/>").replace("<a:", "<zz:")
    body = body.replace("</a:", "</zz:").replace("xmlns:a=", "xmlns:zz =  ")
    body = body.replace(">7<", "> &#x26;<![CDATA[<7>]]> <")
    a = curl(sim, body)
    same(a.code, 200, a.raw[:300])
    same(a.value("RelatesTo"), "&<7>", "echoed, escaped")


@test
def faults(sim):
    """faults as recorded: 400, closed, addressing action, no ResourceURI"""
    a = curl(sim, get(CIM + "CIM_Nothing"))
    same(a.fault(), "DestinationUnreachable", a.raw[-300:])
    true("Connection: close" in a.heads[-1][1] and "chunked" in a.heads[-1][1], a.heads[-1][1])
    same(a.value("Action"), WSA + "/fault")
    _, realm, nonce = challenge(sim)
    d = sim.devices[0]
    with socket.create_connection((d["address"], d["port"]), 15) as s:
        s.sendall(request(get(CIM + "CIM_Nothing"), authorization(realm, nonce)))
        while s.recv(65536):
            pass
    true("ResourceURI" not in a.tags(), "no ResourceURI")
    same(curl(sim, invoke(CIM + "CIM_BootService", "Dance")).fault(), "ActionNotSupported")
    same(curl(sim, get(CIM + "CIM_SoftwareIdentity")).fault(), "InvalidSelectors")
    same(curl(sim, get(CIM + "CIM_SoftwareIdentity", InstanceID="None")).fault(),
         "DestinationUnreachable")
    same(curl(sim, get(POWER, Nonsense="1")).fault(), "InvalidSelectors")
    small = envelope(TRANSFER + "Get", POWER, headers="<w:MaxEnvelopeSize>4096</w:MaxEnvelopeSize>")
    same(curl(sim, small).fault(), "EncodingLimit")
    option = envelope(TRANSFER + "Get", POWER, headers="<w:OptionSet/>")
    same(curl(sim, option).texts("Value"), ["a:MustUnderstand"])
    context = "FF000000-0000-0000-0000-000000000000"
    same(curl(sim, envelope(ENUM + "/Pull", POWER, f'<Pull xmlns="{ENUM}"><EnumerationContext>'
                            f"{context}</EnumerationContext></Pull>")).fault(),
         "InvalidEnumerationContext")


@test
def qualified_selector(sim):
    """w:Name for Name in a selector is accepted: amtctrl writes it, real machines take it"""
    body = set_power(10).replace("<w:Selector Name=", "<w:Selector w:Name=")
    same(curl(sim, body).value("ReturnValue"), "0")


@test
def recorded_shapes(sim):
    """instances have the members of the recorded ones, in their order"""
    folder = os.environ.get("POWERCTL_VECTORS", os.path.join(SOURCE, "..", "shared", "vectors"))
    if not os.path.isdir(folder + "/amt"):
        skip("no recorded answers: set POWERCTL_VECTORS")
    sim.set(1, "power=on")
    for path, uri in (
            ("cim/associatedpower/managementservice", POWER),
            ("cim/power/managementservice", CIM + "CIM_PowerManagementService"),
            ("cim/power/capabilities", CIM + "CIM_PowerManagementCapabilities"),
            ("ips/power/managementservice", IPS + "IPS_PowerManagementService"),
            ("cim/boot/configsetting", CIM + "CIM_BootConfigSetting"),
            ("cim/boot/service", CIM + "CIM_BootService"),
            ("amt/setupandconfiguration", AMT + "AMT_SetupAndConfigurationService"),
            ("ips/hostbasedsetup", IPS + "IPS_HostBasedSetupService"),
            ("cim/computer/systempackage", CIM + "CIM_ComputerSystemPackage"),
            ("cim/chassis", CIM + "CIM_Chassis"), ("cim/card", CIM + "CIM_Card"),
            ("cim/bios/element", CIM + "CIM_BIOSElement"), ("ips/optin", IPS + "IPS_OptInService"),
            ("amt/redirectionservice", AMT + "AMT_RedirectionService"),
            ("cim/kvm", CIM + "CIM_KVMRedirectionSAP"),
            ("cim/physical/processor", CIM + "CIM_Processor"), ("cim/fan", CIM + "CIM_Fan"),
            ("cim/sensor", CIM + "CIM_Sensor"), ("cim/battery", CIM + "CIM_Battery"),
            ("amt/timesynchronization", AMT + "AMT_TimeSynchronizationService"),
            ("amt/wifiportconfiguration", AMT + "AMT_WiFiPortConfigurationService"),
            ("cim/wifi/port", CIM + "CIM_WiFiPort"),
            ("amt/authorization", AMT + "AMT_AuthorizationService"),
            ("amt/tls/protocolendpointcollection", AMT + "AMT_TLSProtocolEndpointCollection"),
            ("amt/remoteaccess/service", AMT + "AMT_RemoteAccessService"),
            ("amt/userinitiatedconnection", AMT + "AMT_UserInitiatedConnectionService"),
            ("amt/boot/settingdata", AMT + "AMT_BootSettingData"),
            ("amt/general", AMT + "AMT_GeneralSettings")):
        device = 5 if path in ("amt/boot/settingdata", "amt/general") else 1
        want = [e.tag for e in ET.parse(f"{folder}/amt/{path}/get.xml").getroot().iter()]
        answer = curl(sim, get(uri), device, tls=device == 5)
        got = [e.tag for e in ET.fromstring(answer.body).iter()]
        same(got, want, path)
        if path == "cim/power/managementservice":
            recorded = ET.parse(f"{folder}/amt/{path}/get.xml").getroot()
            for name in ("Action", "To", "ResourceURI"):
                tail = [e.text for e in recorded.iter() if e.tag.endswith("}" + name)]
                same(answer.texts(name), tail, name)


@test
def unescaped_echo(sim):
    """values that are echoed are escaped"""
    a = curl(sim, envelope(TRANSFER + "Get", POWER, message="a&lt;b&gt;&amp;&quot;"))
    same(a.value("RelatesTo"), 'a<b>&"')


def pull_all(sim, uri, n=1, maximum=999):
    items, contexts = [], []
    a = curl(sim, envelope(ENUM + "/Enumerate", uri, f'<Enumerate xmlns="{ENUM}"/>'), n)
    same(a.code, 200, a.raw[-300:])
    context = a.value("EnumerationContext")
    while context:
        true(context not in contexts, "a new context each time")
        contexts.append(context)
        limit = f"<MaxElements>{maximum}</MaxElements>" if maximum else ""
        a = curl(sim, envelope(ENUM + "/Pull", uri, f'<Pull xmlns="{ENUM}"><EnumerationContext>'
                 f"{context}</EnumerationContext>{limit}</Pull>"), n)
        same(a.code, 200, a.raw[-300:])
        found = [e for e in ET.fromstring(a.body).iter() if e.tag.endswith("}Items")]
        items += list(found[0])
        ended = "EndOfSequence" in a.tags()
        context = None if ended else a.value("EnumerationContext")
        true(ended or context, "goes on or ends")
    return items, len(contexts)


@test
def enumerate_pull(sim):
    """Enumerate and Pull; pull_batch makes several pulls of it"""
    uri = CIM + "CIM_SoftwareIdentity"
    items, pulls = pull_all(sim, uri)
    same((len(items), pulls), (11, 1))
    sim.set(1, "pull_batch=4")
    items, pulls = pull_all(sim, uri)
    same((len(items), pulls), (11, 3))
    same(len({i[0].text for i in items}), 11, "each one once")
    sim.set(1, "pull_batch=0")
    same(pull_all(sim, CIM + "CIM_BootSourceSetting", maximum=None)[1], 3, "default: one a pull")
    contexts = [curl(sim, envelope(ENUM + "/Enumerate", uri, f'<Enumerate xmlns="{ENUM}"/>'))
                .value("EnumerationContext") for _ in range(5)]
    same([curl(sim, envelope(ENUM + "/Pull", uri, f'<Pull xmlns="{ENUM}"><EnumerationContext>{c}'
                             "</EnumerationContext></Pull>")).code for c in contexts[::4]],
         [400, 200], "a forgotten context")
    sim.set(1, "pull_style=late")
    same(pull_all(sim, uri)[1], 2, "an empty pull at the end")
    sim.set(1, "pull_style=normal")
    items, _ = pull_all(sim, CIM + "CIM_ServiceAvailableToElement")
    same([i.tag for i in items], [f"{{{POWER}}}CIM_AssociatedPowerManagementService"])


@test
def every_class(sim):
    """every class answers Get or Enumerate on every profile that has it"""
    single = {
        CIM: ["CIM_AssociatedPowerManagementService", "CIM_PowerManagementService",
              "CIM_PowerManagementCapabilities", "CIM_BootConfigSetting", "CIM_BootService",
              "CIM_ComputerSystemPackage", "CIM_Chassis", "CIM_Card", "CIM_BIOSElement",
              "CIM_KVMRedirectionSAP"],
        AMT: ["AMT_BootSettingData", "AMT_BootCapabilities", "AMT_GeneralSettings",
              "AMT_SetupAndConfigurationService", "AMT_RedirectionService"],
        IPS: ["IPS_PowerManagementService", "IPS_HostBasedSetupService", "IPS_OptInService"]}
    for n in (1, 2, 3):
        for ns, names in single.items():
            for name in names:
                a = curl(sim, get(ns + name), n)
                if n == 3 and name == "IPS_PowerManagementService":
                    same(a.fault(), "DestinationUnreachable", "absent on 8")
                else:
                    same(a.code, 200, f"{name} on device {n}")
                    true(f"{{{ns}{name}}}{name}" in [e.tag for e in ET.fromstring(a.body).iter()],
                         name)
    same(len(pull_all(sim, AMT + "AMT_EthernetPortSettings")[0]), 2)
    same(len(pull_all(sim, CIM + "CIM_BootSourceSetting", 2)[0]), 6, "OCR sources")
    same(len(pull_all(sim, CIM + "CIM_ElementSettingData")[0]), 4, "boot, power packages, IPv6")
    port = curl(sim, get(AMT + "AMT_EthernetPortSettings",
                         InstanceID="Intel(r) AMT Ethernet Port Settings 1"))
    same(port.value("PhysicalConnectionType"), "3")


@test
def identity(sim):
    """UUID: PlatformGUID, GetUuid and the ready line agree; Identify answers"""
    text = curl(sim, get(CIM + "CIM_ComputerSystemPackage")).value("PlatformGUID")
    raw_bytes = bytes.fromhex(text)
    import base64
    import uuid
    same(str(uuid.UUID(bytes_le=raw_bytes)), sim.devices[0]["uuid"])
    got = curl(sim, invoke(AMT + "AMT_SetupAndConfigurationService", "GetUuid")).value("UUID")
    same(base64.b64decode(got), raw_bytes)
    same(curl(sim, get(AMT + "AMT_GeneralSettings")).value("DigestRealm"), sim.devices[0]["realm"])
    ns = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
    a = curl(sim, '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/>'
             f'<s:Body>'
             f'<w:Identify xmlns:w="{ns}"/></s:Body></s:Envelope>')
    same(a.value("ProductVendor"), "Intel(r)")


@test
def power_legality(sim):
    """power: legal requests act, illegal ones return 2 and do nothing"""
    table = [("on", 2, 2, "on"), ("on", 8, 0, "off"), ("on", 5, 0, "on"), ("on", 10, 0, "on"),
             ("on", 11, 0, "on"), ("on", 4, 0, "sleep"), ("on", 7, 0, "hibernate"),
             ("on", 12, 0, "off"), ("on", 14, 0, "on"), ("on", 3, 2, "on"), ("on", 99, 5, "on"),
             ("off", 2, 0, "on"), ("off", 8, 2, "off"), ("off", 5, 2, "off"), ("off", 10, 2, "off"),
             ("off", 12, 2, "off"), ("sleep", 2, 0, "on"), ("sleep", 8, 0, "off"),
             ("sleep", 5, 0, "on"), ("sleep", 10, 2, "sleep"), ("hibernate", 2, 0, "on"),
             ("hibernate", 8, 2, "hibernate")]
    for before, action, value, after in table:
        sim.set(1, f"power={before}")
        a = curl(sim, set_power(action))
        same((a.value("ReturnValue"), sim.device()["power_word"]), (str(value), after),
             f"{before} + {action}")
    same(a.value("Action"), CIM + "CIM_PowerManagementService/RequestPowerStateChangeResponse")
    for action in (4, 12, 14, 11):
        sim.set(3, "power=on")
        same(curl(sim, set_power(action), 3).value("ReturnValue"), "2", f"{action} on firmware 8")
    sim.set(1, "power=on")


@test
def available_states(sim):
    """AvailableRequestedPowerStates: as recorded when on, 2 when off, absent on old firmware"""
    sim.set("1-3", "power=on")
    same(curl(sim, get(POWER)).texts("AvailableRequestedPowerStates"),
         "10 8 5 11 4 7 14 12".split())
    same(curl(sim, get(POWER), 3).texts("AvailableRequestedPowerStates"), [])
    sim.set(1, "power=off")
    same(curl(sim, get(POWER)).texts("AvailableRequestedPowerStates"), ["2"])
    sim.set(1, "power=on")


@test
def power_parameters(sim):
    """power: wrong order, missing or unknown parameters, another machine"""
    uri = CIM + "CIM_PowerManagementService"
    host = epr("ManagedElement", CIM + "CIM_ComputerSystem", Name="ManagedSystem")
    state = "<h:PowerState>8</h:PowerState>"
    for params in (host + state, state, host, state + host + "<h:Time/>", state + state + host,
                   "<h:PowerState>x</h:PowerState>" + host):
        a = curl(sim, invoke(uri, "RequestPowerStateChange", params))
        same(a.fault(), "InvalidRepresentation", params[:60])
    true("faultDetail/MissingValues" in a.value("FaultDetail"), "detail")
    other = epr("ManagedElement", CIM + "CIM_ComputerSystem", Name="Intel(r) AMT")
    same(curl(sim, invoke(uri, "RequestPowerStateChange", state + other)).value("ReturnValue"), "5")
    sim.set(1, "strict_order=0")
    same(curl(sim, invoke(uri, "RequestPowerStateChange", host + state)).value("ReturnValue"), "0")
    sim.set(1, "strict_order=1", "power=on")


BOOT_FIELDS = ("BIOSPause BIOSSetup BootMediaIndex ConfigurationDataReset ElementName "
               "EnforceSecureBoot FirmwareVerbosity ForcedProgressEvents IDERBootDevice InstanceID "
               "LockKeyboard LockPowerButton LockResetButton LockSleepButton OwningEntity "
               "PlatformErase RSEPassword ReflashBIOS SecureErase UefiBootParametersArray "
               "UefiBootNumberOfParams UseIDER UseSOL UseSafeMode UserPasswordBypass").split()


def boot_values(present, **wanted):
    numbers = ("BootMediaIndex", "FirmwareVerbosity", "IDERBootDevice", "UefiBootNumberOfParams")
    texts = {"ElementName": "Intel(r) AMT Boot Configuration Settings", "RSEPassword": "",
             "InstanceID": "Intel(r) AMT:BootSettingData 0", "OwningEntity": "Intel(r) AMT",
             "UefiBootParametersArray": ""}
    return [(f, wanted.get(f, texts.get(f, "0" if f in numbers else "false")))
            for f in BOOT_FIELDS if f in present or f in wanted]


def boot_present(sim, n=1):
    a = curl(sim, get(AMT + "AMT_BootSettingData"), n)
    names = a.tags()
    return names[names.index("AMT_BootSettingData") + 1:]


@test
def boot_once(sim):
    """PXE once: armed, used up by the next start, cleared, not used again"""
    sim.set(1, "power=off")
    sim.reset()
    before = sim.device()["boots"]
    for body in (boot_order(), put_boot(boot_values(boot_present(sim))), boot_role(1),
                 boot_order("Intel(r) AMT: Force PXE Boot")):
        a = curl(sim, body)
        true(a.code == 200 and a.value("ReturnValue") in (None, "0"), a.raw[-400:])
    same(sim.device()["armed"], "pxe")
    items, _ = pull_all(sim, CIM + "CIM_ElementSettingData")
    same([e.text for e in items[0] if e.tag.endswith("IsNext")], ["3"])
    same(curl(sim, set_power(2)).value("ReturnValue"), "0")
    d = sim.device()
    same((d["last_boot"], d["boots"], d["armed"], d["source"]), ("pxe", before + 1, None, None))
    same(d["log"], ["AMT_BootSettingData.Get", "CIM_BootConfigSetting.ChangeBootOrder",
                    "AMT_BootSettingData.Put", "CIM_BootService.SetBootConfigRole",
                    "CIM_BootConfigSetting.ChangeBootOrder", "CIM_ElementSettingData.Enumerate",
                    "CIM_ElementSettingData.Pull",
                    "CIM_PowerManagementService.RequestPowerStateChange"], "order of the calls")
    same(d["boot_settings"]["OptionsCleared"], "true")
    curl(sim, set_power(10))
    same(sim.device()["last_boot"], "default")


def reference(element):
    """Class and InstanceID of an endpoint reference; its shape is that of the recorded ones."""
    same([e.tag for e in element.iter()][1:],
         [f"{{{WSA}}}Address", f"{{{WSA}}}ReferenceParameters", f"{{{WSMAN}}}ResourceURI",
          f"{{{WSMAN}}}SelectorSet", f"{{{WSMAN}}}Selector"], element.tag)
    address, uri, instance = [e for e in element.iter() if not len(e)]
    same((address.text, instance.attrib), (WSA + "/role/anonymous", {"Name": "InstanceID"}))
    return uri.text, instance.text


def boot_sequence(sim, n=1):
    """What CIM_OrderedComponent says: InstanceID of the source and its place; number of pulls."""
    uri = CIM + "CIM_OrderedComponent"
    items, pulls = pull_all(sim, uri, n)
    places = []
    for item in items:
        same(item.tag, f"{{{uri}}}CIM_OrderedComponent")
        same([e.tag for e in item], [f"{{{uri}}}{name}" for name in
                                     ("AssignedSequence", "GroupComponent", "PartComponent")])
        same(reference(item[1]), (CIM + "CIM_BootConfigSetting",
                                  "Intel(r) AMT: Boot Configuration 0"))
        class_uri, source = reference(item[2])
        same(class_uri, CIM + "CIM_BootSourceSetting")
        places.append((source, item[0].text))
    return places, pulls


@test
def boot_ordered(sim):
    """CIM_OrderedComponent: every boot source, 1 for the chosen one, armed or not, else 0"""
    for n, extra in ((1, 0), (2, 3), (3, 0)):
        sim.set(n, "power=on")
        curl(sim, boot_order(), n)
        items, _ = pull_all(sim, CIM + "CIM_BootSourceSetting", n)
        ids = [e.text for i in items for e in i if e.tag.endswith("}InstanceID")]
        same(len(ids), 3 + extra)
        same(boot_sequence(sim, n), ([(i, "0") for i in ids], 1), f"device {n}: none is chosen")
        for chosen in ids:
            a = curl(sim, boot_order(chosen), n)
            same(a.value("ReturnValue"), "0", chosen)
            same(boot_sequence(sim, n)[0], [(i, str(int(i == chosen))) for i in ids], chosen)
        last = [(i, str(int(i == ids[-1]))) for i in ids]
        for batch, pulls in ((1, len(ids)), (2, (len(ids) + 1) // 2), (0, 1)):
            sim.set(n, f"pull_batch={batch}")
            same(boot_sequence(sim, n), (last, pulls), f"device {n}, {batch} a pull")
        for role in (1, 32768):
            curl(sim, boot_role(role), n)
            same(boot_sequence(sim, n)[0], last, f"role {role} is not the order")
        curl(sim, boot_order(), n)
        same(boot_sequence(sim, n)[0], [(i, "0") for i in ids], f"device {n}: cleared")
    for keep, place in ((0, "0"), (1, "1")):
        sim.set(1, f"keep_source={keep}")
        for body in (boot_role(1), boot_order("Intel(r) AMT: Force PXE Boot"), set_power(10)):
            same(curl(sim, body).value("ReturnValue"), "0")
        same(sim.device()["last_boot"], "pxe")
        same(dict(boot_sequence(sim)[0])["Intel(r) AMT: Force PXE Boot"], place, "after the start")
    sim.set(1, "keep_source=0")
    curl(sim, boot_order())
    same(curl(sim, get(CIM + "CIM_OrderedComponent")).fault(), "DestinationUnreachable", "no Get")


@test
def boot_targets(sim):
    """BIOS set-up, disk, CD; a source without a role is not used; role 32768 disarms"""
    sim.set(1, "power=on")
    present = boot_present(sim)
    curl(sim, put_boot(boot_values(present, BIOSSetup="true")))
    same(sim.device()["boot_settings"]["OptionsCleared"], "false")
    curl(sim, boot_role(1))
    curl(sim, set_power(10))
    same(sim.device()["last_boot"], "bios")
    same(sim.device()["boot_settings"]["BIOSSetup"], "false", "cleared")
    for source, word in (("Force Hard-drive Boot", "disk"), ("Force CD/DVD Boot", "cd")):
        curl(sim, boot_order("Intel(r) AMT: " + source))
        curl(sim, boot_role(1))
        curl(sim, set_power(5))
        same(sim.device()["last_boot"], word)
    curl(sim, boot_order("Intel(r) AMT: Force PXE Boot"))
    curl(sim, set_power(10))
    same(sim.device()["last_boot"], "default", "no role")
    curl(sim, boot_role(1))
    curl(sim, boot_role(32768))
    curl(sim, set_power(10))
    same(sim.device()["last_boot"], "default", "disarmed")
    curl(sim, boot_order())


@test
def boot_http(sim):
    """HTTPS boot on new firmware: the URL arrives"""
    import base64
    import struct
    sim.set(2, "power=on")

    def boot(url):
        tlv = struct.pack("<HHI", 0x8086, 1, len(url)) + url + struct.pack("<HHIB", 0x8086, 20, 1, 1)
        fields = boot_values(boot_present(sim, 2), ForcedProgressEvents="true",
                             UefiBootParametersArray=base64.b64encode(tlv).decode(),
                             UefiBootNumberOfParams="2")
        same(curl(sim, put_boot(fields), 2).code, 200)
        same(curl(sim, boot_order("Intel(r) AMT: Force OCR UEFI HTTPS Boot"), 2).value("ReturnValue"),
             "0")
        curl(sim, boot_role(1), 2)
        curl(sim, set_power(10), 2)
        return sim.device(2)
    d = boot(b"https://boot.example/x.efi")
    same((d["last_boot"], d["last_url"]), ("http", "https://boot.example/x.efi"))
    sim.set(2, "http_fetch=1")  # what is no URL is loaded from nowhere
    boot(b"boot.example/x.efi")
    until("it is given up", lambda: sim.device(2)["last_image"] != "loading")
    same(sim.device(2)["last_image"], "name")
    sim.set(2, "http_fetch=0")
    same(curl(sim, boot_order("Intel(r) AMT: Force OCR UEFI HTTPS Boot")).value("ReturnValue"), "4",
         "firmware 12 has no such source")


@test
def boot_refusals(sim):
    """boot: clashing settings, unknown source or role, read-only and unknown fields, order"""
    present = boot_present(sim)
    curl(sim, boot_order())
    same(curl(sim, boot_order("Intel(r) AMT: Force Nothing")).value("ReturnValue"), "4")
    same(curl(sim, boot_role(7)).value("ReturnValue"), "5")
    same(curl(sim, put_boot(boot_values(present, UseSOL="true"))).code, 200)
    same(curl(sim, boot_order("Intel(r) AMT: Force PXE Boot")).value("ReturnValue"), "4", "SOL")
    same(curl(sim, put_boot(boot_values(present))).code, 200)
    curl(sim, boot_order("Intel(r) AMT: Force PXE Boot"))
    a = curl(sim, put_boot(boot_values(present, UseSOL="true")))
    same(a.fault(), "InternalError", "a source is set")
    true("AMT-STATUS" in (a.value("Detail") or ""), "status in the detail")
    curl(sim, boot_order())
    good = boot_values(present)
    for fields in (good + [("WinREBootEnabled", "true")], good + [("Nonsense", "1")],
                   [("BIOSLastStatus", "0")] + good,
                   [x for f in good for x in ([("OptionsCleared", "true"), f]
                                              if f[0] == "OwningEntity" else [f])],
                   list(reversed(good)), good + good[-1:],
                   [(k, "maybe" if k == "UseSOL" else v) for k, v in good],
                   good[:15] + [("PlatformErase", "false")] + good[15:], []):
        same(curl(sim, put_boot(fields)).fault(), "InvalidRepresentation", str(fields[:2]))
    same(curl(sim, put_boot(boot_values(boot_present(sim, 2))), 2).code, 200, "15 has them")


@test
def consent(sim):
    """consent: boot calls are refused until the code was sent"""
    sim.set(4, "consent=all", "power=on", "consent_block_ms=60000")
    pxe = boot_order("Intel(r) AMT: Force PXE Boot")
    uri = IPS + "IPS_OptInService"
    same(curl(sim, get(uri), 4).value("OptInRequired"), "4294967295")
    same(curl(sim, pxe, 4).fault(), "AccessDenied")
    same(curl(sim, boot_role(1), 4).value("ReturnValue"), str(32768 + 2081))
    same(curl(sim, boot_order(), 4).value("ReturnValue"), "0", "clearing is allowed")
    same(curl(sim, invoke(uri, "StartOptIn"), 4).value("ReturnValue"), "0")
    same(curl(sim, invoke(uri, "StartOptIn"), 4).value("ReturnValue"), "2")
    same(curl(sim, get(uri), 4).value("OptInState"), "2")
    code = int(sim.device(4)["optin_code"])
    wrong = invoke(uri, "SendOptInCode", f"<h:OptInCode>{(code + 1) % 1000000}</h:OptInCode>")
    true(curl(sim, wrong, 4).value("ReturnValue") != "0", "wrong code")
    right = invoke(uri, "SendOptInCode", f"<h:OptInCode>{code}</h:OptInCode>")
    same(curl(sim, right, 4).value("ReturnValue"), "0")
    same(curl(sim, get(uri), 4).value("OptInState"), "3")
    same(curl(sim, pxe, 4).value("ReturnValue"), "0")
    same(curl(sim, invoke(uri, "CancelOptIn"), 4).value("ReturnValue"), "0")
    curl(sim, invoke(uri, "StartOptIn"), 4)
    bad = (int(sim.device(4)["optin_code"]) + 1) % 1000000
    for _ in range(3):
        curl(sim, invoke(uri, "SendOptInCode", f"<h:OptInCode>{bad}</h:OptInCode>"), 4)
    same(curl(sim, invoke(uri, "StartOptIn"), 4).value("ReturnValue"), "3", "blocked")
    sim.set(4, "consent=none")


@test
def consent_times(sim):
    """consent: shown late, no longer shown, over, and what was set under it with it; too many requests"""
    uri, pxe = IPS + "IPS_OptInService", boot_order("Intel(r) AMT: Force PXE Boot")

    def state():
        return curl(sim, get(uri), 3).value("OptInState")

    def start():
        return curl(sim, invoke(uri, "StartOptIn"), 3).value("ReturnValue")

    def send(code):
        return curl(sim, invoke(uri, "SendOptInCode", f"<h:OptInCode>{int(code)}</h:OptInCode>"), 3).value("ReturnValue")

    sim.set(3, "consent=all", "power=on", "consent_show_ms=3600000", "consent_wrong_value=2066")
    same((start(), state(), send(0)), ("0", "1", "2"))
    sim.set(3, "consent_show_ms=0", "consent_display_s=0")
    curl(sim, invoke(uri, "CancelOptIn"), 3)
    same((start(), state()), ("0", "0"))
    sim.set(3, "consent_display_s=300", "power=off")
    same((start(), state()), ("0", "1"), "nobody sees it")
    sim.set(3, "power=on")
    same(state(), "2")
    code = sim.device(3)["optin_code"]
    same((send((int(code) + 1) % 1000000), send(code), state()), ("2066", "0", "3"))
    same((curl(sim, pxe, 3).value("ReturnValue"), curl(sim, boot_role(1), 3).value("ReturnValue")), ("0", "0"))
    curl(sim, invoke(uri, "CancelOptIn"), 3)
    d = sim.device(3)
    same((d["optin_state"], d["source"], d["role_armed"]), (0, None, False), "revoked")
    sim.set(3, "consent_idle_s=0", "consent_starts=1")
    same((start(), send(sim.device(3)["optin_code"]), state()), ("0", "0", "0"), "over at once")
    same((start(), curl(sim, get(uri), 3).value("OptInCodeTimeout")), ("3", "0"), "too many requests")
    sim.set(3, "consent=none", "consent_idle_s=120", "consent_starts=0")


@test
def os_saving(sim):
    """modern standby: a plain 2 returns 0 and does not wake; the right call does"""
    uri = IPS + "IPS_PowerManagementService"
    host = epr("ManagedElement", CIM + "CIM_ComputerSystem", Name="ManagedSystem")
    sim.set(1, "power=on", "os_saving=3")
    same(curl(sim, get(POWER)).value("PowerState"), "2")
    same(curl(sim, get(uri)).value("OSPowerSavingState"), "3")
    same(curl(sim, set_power(2)).value("ReturnValue"), "0")
    same(curl(sim, get(uri)).value("OSPowerSavingState"), "3")
    wake = invoke(uri, "RequestOSPowerSavingStateChange",
                  f"<h:OSPowerSavingState>2</h:OSPowerSavingState>{host}")
    same(curl(sim, wake).value("ReturnValue"), "0")
    same(curl(sim, get(uri)).value("OSPowerSavingState"), "2")
    sim.set(1, "power=off")
    true("OSPowerSavingState" not in curl(sim, get(uri)).tags(), "absent when off")
    sim.set(1, "power=on")


@test
def transitions(sim):
    """transition_ms: the old state is read meanwhile, a second request is refused"""
    sim.set(1, "power=off", "transition_ms=60000")
    same(curl(sim, set_power(2)).value("ReturnValue"), "0")
    same(curl(sim, get(POWER)).value("PowerState"), "8")
    same(curl(sim, set_power(2)).value("ReturnValue"), "2")
    same(curl(sim, get(POWER)).texts("AvailableRequestedPowerStates"), [])
    sim.set(1, "transition_state=5")
    same(curl(sim, get(POWER)).value("PowerState"), "5")
    sim.set(1, "transition_state=0", "transition_ms=300", "power=on")
    same(curl(sim, set_power(5)).value("ReturnValue"), "0")
    seen, end = [], time.monotonic() + 20
    while time.monotonic() < end and seen[-1:] != ["2"] or len(seen) < 2:
        state = sim.device()
        word = str(state["power_shown"])
        if seen[-1:] != [word]:
            seen.append(word)
        if not state["changing"] and "8" in seen:
            break
    same(seen, ["2", "8", "2"], "a cycle goes through off")
    sim.set(1, "transition_ms=0", "power_busy_ms=60000", "power=on")
    same(curl(sim, set_power(8)).value("ReturnValue"), "2", "too soon after the last one")
    sim.set(1, "power_busy_ms=0")


@test
def power_knobs(sim):
    """lie_state, refuse_action, os_agent, redirection_open"""
    sim.set(1, "power=on", "lie_state=7")
    same(curl(sim, get(POWER)).value("PowerState"), "7")
    sim.set(1, "lie_state=0", "refuse_action=8:4")
    same(curl(sim, set_power(8)).value("ReturnValue"), "4")
    same(curl(sim, set_power(10)).value("ReturnValue"), "0")
    sim.set(1, "refuse_action=any:32770")
    same(curl(sim, set_power(10)).value("ReturnValue"), "32770")
    sim.set(1, "refuse_action=no", "os_agent=0")
    same(curl(sim, set_power(12)).value("ReturnValue"), "0")
    same(sim.device()["power_word"], "on", "no agent: nothing happens")
    sim.set(1, "no_agent_value=2")
    same(curl(sim, set_power(12)).value("ReturnValue"), "2")
    sim.set(1, "no_agent_value=0", "os_agent=1", "redirection_open=1")
    same(curl(sim, set_power(8)).value("ReturnValue"), "2")
    same(curl(sim, set_power(10)).value("ReturnValue"), "0")
    sim.set(1, "redirection_open=0")


@test
def lost_answer(sim):
    """lose_power_answer: acts once, answers nothing"""
    sim.set(1, "power=on", "lose_power_answer=1")
    a = curl(sim, set_power(8))
    same(a.exit, 52, "empty reply")
    same((sim.device()["power_word"], sim.device()["knobs"]["lose_power_answer"]), ("off", 0))
    same(curl(sim, set_power(2)).value("ReturnValue"), "0")


@test
def wire_knobs(sim):
    """503, cut, truncate, html, deep, bomb, huge, drop, drip, pretty"""
    body = get(POWER)
    sim.set(4, "power=off", "e503_every=1")
    same(curl(sim, body, 4).code, 503)
    sim.set(4, "e503_every=0", "cut_every=1")
    a = curl(sim, body, 4)
    same((a.code, a.exit), (200, 18), "partial file")
    sim.set(4, "cut_every=0", "truncate=1")
    a = curl(sim, body, 4)
    same(a.exit, 0, "framing is right")
    try:
        ET.fromstring(a.body)
        raise Failure("the XML should be cut")
    except ET.ParseError:
        pass
    sim.set(4, "truncate=0", "html=1")
    a = curl(sim, body, 4)
    true(a.code == 200 and b"<html>" in a.body, "a page")
    sim.set(4, "html=0", "deep=5000")
    true(b"<a:x>" * 5000 in curl(sim, body, 4).body, "nested")
    sim.set(4, "deep=0", "bomb=1")
    true(b"<!DOCTYPE" in curl(sim, body, 4).body, "document type")
    sim.set(4, "bomb=0", "huge=3")
    true(len(curl(sim, body, 4).body) > 3 << 20, "3 MB")
    true(len(curl(sim, body, 4, tls=True).body) > 3 << 20, "3 MB over TLS")
    sim.set(4, "huge=0", "pretty=1")
    same(curl(sim, body, 4).value("PowerState"), "8")
    sim.set(4, "pretty=0", "drip_ms=1")
    same(curl(sim, body, 4, timeout=120).value("PowerState"), "8")
    same(curl(sim, body, 4, tls=True, timeout=120).value("PowerState"), "8")
    sim.set(4, "drip_ms=0", "connect_drop_every=2")
    ends = [curl(sim, body, 4).exit for _ in range(4)]
    true(set(ends) <= RESET, f"every second connection is reset: {ends}")
    sim.set(4, "connect_drop_every=0")
    same(curl(sim, body, 4).code, 200, "and well again")


@test
def silence(sim):
    """hang, dead=hang, dead=refuse, dead=silent, latency_ms"""
    body = get(POWER)
    sim.set(4, "hang=auth")
    a = curl(sim, body, 4, timeout=1)
    same(([h[0] for h in a.heads], a.exit), ([401], 28))
    sim.set(4, "hang=all")
    same(curl(sim, body, 4, timeout=0.5).exit, 28)
    sim.set(4, "hang=no", "dead=hang")
    same(curl(sim, body, 4, timeout=0.5).exit, 28)
    same(curl(sim, body, 4, tls=True, timeout=0.5).exit, 28)
    sim.set(4, "dead=refuse")
    same(curl(sim, body, 4).exit, 7, "connection refused")
    sim.set(4, "dead=silent")
    before = sim.count("connections", 4)
    same(curl(sim, body, 4, timeout=0.5).exit, 28)
    same(sim.count("connections", 4), before, "connections of a silent device")
    sim.set(4, "dead=no", "latency_ms=120")
    start = time.monotonic()
    same(curl(sim, body, 4).code, 200)
    true(time.monotonic() - start >= 0.24, "twice 120 ms")
    sim.set(4, "latency_ms=0")


@test
def staggered(sim):
    """stagger=1: each device has its fault at another time, and every N-th from then on"""
    _ = sim
    with running("--devices", "4", "--no-tls", "--set", "all:stagger=1",
                 "--set", "all:e503_every=4") as fleet:
        for n in (1, 2, 3, 4):
            first = [status_of(raw(fleet, request(""), n)) for _ in range(12)].index(503)
            same(first, (3 - 3 * n) % 4, f"device {n}")
            same([status_of(raw(fleet, request(""), n)) for _ in range(8)].count(503), 2)


@test
def cut_and_lost(sim):
    """answers that were cut, and power requests whose answer did not arrive, are counted"""
    _ = sim
    with running("--devices", "2", "--no-tls", "--set", "1:cut_every=1",
                 "--set", "2:lose_power_answer=1") as fleet:
        curl(fleet, get(POWER), 1)
        curl(fleet, set_power(2), 1)
        curl(fleet, set_power(2), 2)
        each = fleet.control("/counters/all")
        same([(c["cut"], c["set_power"], c["unsaid_power"]) for c in each],
             [(2, 1, 1), (0, 1, 1)])


@test
def fleet_peaks(sim):
    """peaks: of each device, and of all devices together"""
    _ = sim
    with running("--devices", "3", "--no-tls") as fleet:
        with contextlib.ExitStack() as open_ones:
            for n in (1, 1, 2, 3):
                d = fleet.devices[n - 1]
                s = open_ones.enter_context(socket.create_connection((d["address"], d["port"])))
                s.sendall(b"POST")
            end = time.monotonic() + 20
            while (totals := fleet.control("/counters"))["peak_fleet_requests"] < 4:
                true(time.monotonic() < end, "four requests at once")
            same([(c["peak_connections"], c["peak_requests"]) for c in
                  fleet.control("/counters/all")], [(2, 2), (1, 1), (1, 1)])
            same((totals["peak_connections"], totals["peak_fleet_connections"],
                  totals["peak_fleet_requests"]), (2, 4, 4))


@test
def me_sleep(sim):
    """me_sleep_drop: the first connections after a quiet time are lost, then it is awake"""
    with running("--devices", "1", "--no-tls", "--set", "1:me_sleep_drop=2") as fresh:
        ends = [curl(fresh, get(POWER)).exit for _ in range(3)]
        true(ends[2] == 0 and set(ends[:2]) <= RESET, f"two resets, then well: {ends}")
        same(fresh.count("dropped"), 2)
    _ = sim


@test
def another_machine(sim):
    """wrong_realm and newcert: realm, UUID, certificate change; old nonces are worth nothing"""
    _, realm, nonce = challenge(sim, 4)

    def pin():
        d = sim.devices[3]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(
            ssl.get_server_certificate((d["address"], d["tls_port"])))).hexdigest()

    first = pin()
    same(pin(), first, "stays the same")
    sim.set(4, "wrong_realm=1", "newcert=1")
    true(challenge(sim, 4)[1] != realm, "another realm")
    true(sim.device(4)["uuid"] != sim.devices[3]["uuid"], "another UUID")
    same(status_of(raw(sim, request(get(POWER), authorization(realm, nonce)), 4)), 401)
    true(pin() != first, "another certificate")
    same(sim.device(4)["knobs"]["newcert"], 1)
    sim.set(4, "wrong_realm=0")
    same(challenge(sim, 4)[1], realm, "and back")


@test
def overlap(sim):
    """connections and requests at the same time are seen"""
    sim.reset()
    d = sim.devices[0]
    one = socket.create_connection((d["address"], d["port"]))
    two = socket.create_connection((d["address"], d["port"]))
    for s in (one, two):
        s.sendall(b"POST /wsman HTTP/1.1\r\n")
    end = time.monotonic() + 20
    while sim.count("peak_requests") < 2 and time.monotonic() < end:
        pass
    same((sim.count("peak_connections"), sim.count("peak_requests")), (2, 2))
    one.close()
    two.close()
    sim.reset()


@test
def connection_storm(sim):
    """a thousand connections at once wait for it: none is lost, none comes late"""
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as limit:
        count = min(1000, int(limit.read()))
    d = sim.devices[0]
    sim.reset()
    with contextlib.ExitStack() as all_of_them:
        sim.proc.send_signal(signal.SIGSTOP)
        all_of_them.callback(sim.proc.send_signal, signal.SIGCONT)
        for _ in range(count):  # a SYN that is dropped comes again after a second
            all_of_them.enter_context(socket.create_connection((d["address"], d["port"]), 0.9))
        sim.proc.send_signal(signal.SIGCONT)
        end = time.monotonic() + 20
        while sim.count("peak_connections") < count:
            true(time.monotonic() < end, "all are taken")


@test
def pipelined(sim):
    """a thousand requests at once neither crash it nor are they forgotten"""
    d = sim.devices[0]
    _, realm, nonce = challenge(sim)
    body = get(POWER)
    many = b"".join(request(body, authorization(realm, nonce, nc=f"{i:08x}"))
                    for i in range(1, 1001))
    with socket.create_connection((d["address"], d["port"]), 30) as s:
        s.settimeout(30)
        got, sent = b"", 0
        count = 0
        while count < 1000:
            if sent < len(many):
                sent += s.send(many[sent:sent + 20000])
            if select.select([s], [], [], 0 if sent < len(many) else 30)[0]:
                got += s.recv(1 << 20)
                count = got.count(b"200 OK")
    same(count, 1000)


@test
def control_port(sim):
    """control: summary, ranges, JSON, mistakes are named and change nothing"""
    true(len(sim.control("/")["calls"]) >= 8, "GET / lists the calls")
    d = sim.control("/devices")
    same((d["count"], len(d["devices"])), (5, 5))
    same(len(sim.control("/devices/2-3")), 2)
    same(sim.control("/devices/1-2", "PUT", '{"latency_ms": 7, "os_agent": true}')["devices"], 2)
    same([x["knobs"]["latency_ms"] for x in sim.control("/devices/1-3")], [7, 7, 0])
    sim.set("all", "latency_ms=0")
    true("no such knob" in sim.set(1, "nope=1")["error"], "unknown knob")
    true("latency_ms" in sim.set(1, "latency_ms=x")["error"], "bad value")
    true("no such device" in sim.set(9, "latency_ms=1")["error"], "unknown device")
    each = sim.control("/counters/2-4")
    same([c["requests"] for c in each], [sim.count("requests", n) for n in (2, 3, 4)])
    true("error" in sim.control("/devices/1", "PUT", "{bad"), "bad JSON")
    true("error" in sim.control("/nothing"), "unknown call")
    names = {k["knob"] for k in sim.control("/knobs")}
    same(names, set(sim.device()["knobs"]), "the table is the truth")
    sim.set(1, "password=S3cret!pass")
    same(curl(sim, get(POWER)).code, 401)
    same(curl(sim, get(POWER), password="S3cret!pass").code, 200)
    sim.set(1, "password=" + PASSWORD)


@test
def profile_switch(sim):
    """profile 16.1 closes the plain port, another one opens it again"""
    sim.set(1, "profile=16.1")
    end = time.monotonic() + 20
    while curl(sim, get(POWER)).exit != 7 and time.monotonic() < end:
        pass
    same(curl(sim, get(POWER)).exit, 7, "refused")
    same(curl(sim, get(POWER), tls=True).code, 200)
    sim.set(1, "profile=12")
    same(curl(sim, get(POWER)).code, 200)


@test
def by_address(sim):
    """by address: one port, told apart by where the client went; also when a listener is shared"""
    _ = sim
    for count, last in ((3, "127.7.0.3"), (1500, "127.7.5.220")):
        with running("--address", "127.7.0.1", "--devices", str(count), "--no-tls", "--state", "on",
                     by_port=False) as fleet:
            port = fleet.devices[0]["port"]
            fleet.devices = [{"address": a, "port": port} for a in ("127.7.0.2", last)]
            curl(fleet, set_power(8), 1)
            same((fleet.device(1)["power_word"], fleet.device(2)["power_word"]), ("on", "off"))
            same(curl(fleet, get(POWER), 2).value("PowerState"), "2")
            same(fleet.count("r200", count), 1)
            fleet.set(2, "dead=refuse")
            true(curl(fleet, get(POWER), 1).exit in RESET, "refused or reset")
            fleet.set(2, "dead=silent")
            same(curl(fleet, get(POWER), 1, timeout=0.5).exit, 28)
            same(curl(fleet, get(POWER), 2).code, 200, "the neighbour")
            fleet.set(2, "dead=no")
            same(curl(fleet, get(POWER), 1).value("PowerState"), "8")


def kilobytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:
        return int(re.search(r"VmRSS:\s+(\d+) kB", lines.read()).group(1))


@test
def ten_thousand(sim):
    """ten thousand devices: one listener, less than 4 kB each, the last as good as the first"""
    _ = sim
    with running("--address", "127.8.0.1", "--devices", "10000", "--no-tls",
                 by_port=False) as fleet:
        port = fleet.devices[0]["port"]
        descriptors = len(os.listdir(f"/proc/{fleet.proc.pid}/fd"))
        true(descriptors < 40, f"{descriptors} descriptors")
        used = kilobytes(fleet.proc.pid)
        true(SANITIZED or used < 40000, f"{used} kB")
        fleet.devices = [{"address": "127.8.39.16", "port": port}]
        curl(fleet, set_power(2))
        same((fleet.device(10000)["power_word"], fleet.device(9999)["power_word"]), ("on", "off"))
        same(sum(c["set_power"] for c in fleet.control("/counters/all")), 1)


@test
def tls_versions(sim):
    """--old-tls: nothing newer than 1.1; --client-ca: a certificate is demanded"""
    _ = sim
    old = ["--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0"]
    with running("--devices", "1", "--old-tls") as fleet:
        true(curl(fleet, get(POWER), tls=True, args=["--tlsv1.2"]).exit == 35, "1.2 is refused")
        same(fleet.count("tls_failed"), 1)
        same(curl(fleet, get(POWER), tls=True, args=old).code, 200)
    with tempfile.TemporaryDirectory() as folder:
        key, cert = folder + "/key.pem", folder + "/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", cert, "-subj", "/CN=client", "-days", "2"],
                       check=True, capture_output=True)
        with running("--devices", "1", "--client-ca", cert, "--cert", cert, "--key", key) as fleet:
            true(curl(fleet, get(POWER), tls=True).exit != 0, "no certificate, no answer")
            a = curl(fleet, get(POWER), tls=True, args=["--cert", cert, "--key", key])
            same(a.code, 200)
            a = curl(fleet, get(POWER), tls=True, args=["--cert", cert, "--key", key, "--cacert",
                     cert])
            same(a.code, 200)


def program(*args):
    return subprocess.run([AMTSIM, *args], capture_output=True, text=True, timeout=30, check=False)


@test
def usage(sim):
    """mistakes on the command line: exit 2 and a plain word; --help; clean end"""
    for args, word in ((["--nope"], "no such option"), (["--devices", "0"], "from 1 to"),
                       (["--profile", "9"], "8, 11, 12"), (["--set", "1:x=1"], "no such knob"),
                       (["--set", "99:chunk=1"], "--set wants"), (["--state", "dancing"], "state"),
                       (["--no-tls", "--no-plain"], "nothing to listen"),
                       (["--address", "x"], "not an IP"), (["stray"], "unexpected"),
                       (["--by-port", "--port", "65533", "--devices", "3"], "behind --port"),
                       (["--by-port", "--tls-port", "65533", "--devices", "3"], "behind --tls-port"),
                       (["--port", str(sim.devices[0]["port"]), "--no-tls"], "port is in use"),
                       (["--control", str(sim.ready["control"]), "--port", "0", "--tls-port", "0"],
                        "port is in use")):
        run = program(*args)
        same(run.returncode, 2, str(args))
        true(word in run.stderr and len(run.stderr.splitlines()) == 1, f"{args}: {run.stderr}")
    run = program("--help")
    true(run.returncode == 0 and "--devices" in run.stdout, "help")
    fleet = Sim("--devices", "2")
    idle = socket.create_connection((fleet.devices[0]["address"], fleet.devices[0]["port"]))
    same(fleet.close(), 0, "SIGTERM with a client connected")
    idle.close()


def main():
    if not os.access(AMTSIM, os.X_OK):
        print(f"1..0 # SKIP no {AMTSIM}")
        return 0
    failed = 0
    print(f"1..{len(TESTS)}", flush=True)
    sim = Sim("--devices", "5", "--set", "1:power=on", "--set", "2:profile=15", "--set",
              "3:profile=8", "--set", "5:profile=16.1")
    try:
        for i, function in enumerate(TESTS, 1):
            try:
                function(sim)
                print(f"ok {i} - {function.__doc__}", flush=True)
            except Skip as why:
                print(f"ok {i} - {function.__doc__} # SKIP {why}", flush=True)
            except Exception as why:  # a test that breaks is a test that failed
                failed += 1
                print(f"not ok {i} - {function.__doc__}\n# {type(why).__name__}: {why}", flush=True)
    finally:
        status = sim.close()
    if status != 0:
        print(f"# the simulator ended with {status}")
    return 1 if failed or status else 0


if __name__ == "__main__":
    sys.exit(main())
