#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The methods of the AMT driver: what each reads and changes, and what it refuses to do."""
import errno
import hashlib
import os
import signal
import ssl
import subprocess

from amtlib import Fleet
from lib import Lab, error_of, good, has, main, same, test, took, until
from methodslib import calls, changes, misused, openssl, pair, piped, refused, result, says, wrong

# --- What reads. -----------------------------------------------------------------------------


READS = ("features", "time", "alarms", "general", "network", "wifi", "tls", "certs", "users", "cira",
         "power-package")


@test
def reading_changes_nothing(lab):
    """without parameters all of them read: for one node and for many, with nothing written"""
    fleet = Fleet(lab, devices=2)
    for method in READS:
        fleet.reset()
        one, both = lab.run("amt", method, "a1"), lab.run("amt", method, "a[1-2]")
        same((one.status, both.status), (0, 0), f"{one} {both}")
        same((one.lines[0], one.lines[1][:2]), ("a1:", "  "), one)
        assert all(line.startswith(("a1: ", "a2: ")) for line in both.lines), both
        line = lab.run("--json", "amt", method, "a1").json[0]
        same((line["changed"], line["confirmed"]), (False, None), line)
        same(changes(fleet), [], method)
        fleet.blameless(but=("r400",))


@test
def absent_classes(lab):
    """firmware without KVM, Wi-Fi, alarms, TLS says so, and goes without where it can"""
    fleet = Fleet(lab)
    fleet.set(1, no_kvm=1, no_wifi=1, absent="AMT_TLSSettingData")
    same(result(lab, "features")["kvm"], "unsupported")
    says(refused(lab, "features", "kvm=on"), "unsupported", "no remote screen")
    says(refused(lab, "wifi"), "unsupported", "CIM_WiFiPort")
    says(refused(lab, "tls"), "unsupported", "AMT_TLSSettingData")
    fleet.set(1, absent="IPS_AlarmClockOccurrence")
    says(refused(lab, "alarms"), "unsupported", "IPS_AlarmClockOccurrence")
    fleet.set(1, absent="IPS_OptInService")
    assert "consent" not in result(lab, "features")
    says(refused(lab, "features", "consent=all"), "unsupported", "knows nothing of user consent")
    fleet.set(1, absent="CIM_ElementSettingData")
    assert "power_package" not in result(lab, "power-package")


# --- features, time. -------------------------------------------------------------------------


@test
def recovery_switch(lab):
    """features recovery= switches One-Click Recovery and leaves remote erase as it is; older firmware has no switch"""
    fleet = Fleet(lab, "--set", "2:profile=16.1", devices=2, tls=True)
    says(refused(lab, "features", "recovery=on"), "unsupported", "no switch for One-Click Recovery")
    for state, left in (("off", 32770), ("on", 32771)):
        r = lab.run("--json", "amt", "features", f"recovery={state}", "a2").json[0]
        same((r["result"]["recovery"], r["changed"]), (state, True), r)
        same(fleet.device(2)["boot_service_state"], left)
        fleet.reset()
        r = lab.run("--json", "amt", "features", f"recovery={state}", "a2").json[0]
        same([c for c in fleet.device(2)["log"] if "RequestStateChange" in c], [], r)


@test
def what_changed(lab):
    """`changed` is what was sent; a dry run reads, and says what it would send first"""
    fleet = Fleet(lab)
    for words in (("features", "sol=on"), ("power-package", "set=0"), ("features",)):
        fleet.reset()
        line = lab.run("--json", "amt", *words, "a1").json[0]
        same((line["ok"], line["changed"], line["confirmed"]), (True, False, None), line)
        same(fleet.counters()["writes"], 0, words)
    has(lab.run("amt", "features", "sol=on", "a1").out, "a1: is so already\n  sol: on\n")
    has(lab.run("amt", "features", "a1").out, "a1:\n  sol: on\n")
    alarm = ("alarms", "add=x", "at=2037-01-01T07:00:00Z", "every=24h")
    has(lab.run("amt", *alarm, "a1").out, "a1: changed\n")
    has(lab.run("amt", *alarm, "a1").out, "a1: is so already\n")
    says(refused(lab, *alarm[:-1]), "refused", "it is another one")
    fleet.reset()
    has(lab.run("amt", "features", "--dry-run", "sol=off", "a1").out,
        "a1: ok: would send 'features sol=off': first RequestStateChange of "
        "AMT_RedirectionService\n")
    has(lab.run("amt", "features", "--dry-run", "sol=on", "a1").out, "a1: ok: is so already: ")
    has(lab.run("amt", "wsman", "put", "--dry-run", "AMT_EnvironmentDetectionSettingData",
                "set=DetectionStrings=x", "a1").out,
        "first Put of AMT_EnvironmentDetectionSettingData")
    says(refused(lab, "alarms", "--dry-run", "remove=nobody"), "refused", "there is no alarm")
    same(fleet.counters()["writes"], 0)


@test
def rows(lab):
    """What several nodes answer is a table on a terminal, lines elsewhere; nested things stay lines"""
    Fleet(lab, devices=3)
    t = lab.terminal("amt", "features", "sol=off", "a[1-3]", columns=132)
    same(t.end(), 0)
    lines = [line.split() for line in t.seen.splitlines() if line.startswith(("node", "a["))]
    same((lines[0][:5], lines[1][:6]), (["node", "sol", "ider", "kvm", "listener"],
                                        ["a[1-3]", "changed", "off", "on", "on", "on"]), t.seen)
    t = lab.terminal("amt", "tls", "a[1-2]")
    same(t.end(), 0)
    has(t.seen, "a[1-2]:")
    has(lab.run("amt", "features", "sol=off", "a[1-2]").out, "a2: is so already\na2: sol: off\n")


@test
def features(lab):
    """switches, the listener that follows them, and consent; what is so already is not sent"""
    fleet = Fleet(lab)
    same(result(lab, "features"), {
        "sol": "on", "ider": "on", "kvm": "on", "listener": "on", "consent_changeable": True,
        "consent": "none", "recovery": "unsupported"})
    found = result(lab, "features", "sol=off", "ider=off", "kvm=off")
    same([found[k] for k in ("sol", "ider", "kvm", "listener")], ["off"] * 4)
    state = fleet.device(1)
    same(state["redirection_state"], 32768)
    found = result(lab, "features", "kvm=on", "consent=kvm")
    same([found[k] for k in ("sol", "ider", "kvm", "listener", "consent")],
         ["off", "off", "on", "on", "kvm"])
    fleet.reset()
    result(lab, "features", "kvm=on", "consent=kvm", "listener=on")
    same(changes(fleet), [])
    same(result(lab, "features", "sol=on", "listener=off")["listener"], "off")
    # Whoever turns something off opens no port for the rest; whoever turns something on does.
    same(result(lab, "features", "sol=off")["listener"], "off")
    same(result(lab, "features", "kvm=on")["listener"], "on")
    same(result(lab, "features", "sol=on", "kvm=off")["listener"], "on")
    fleet.set(1, ccm=1)
    says(refused(lab, "features", "consent=none"), "forbidden", "client control mode")
    fleet.set(1, redirection_locked=1)
    says(refused(lab, "features", "ider=on"), "forbidden", "not permitted")
    fleet.set(1, redirection_locked=0)
    line = lab.run("--json", "amt", "features", "sol=off", "a1").json[0]
    same((line["ok"], line["changed"], line["confirmed"]), (True, True, "accepted"), line)
    # A hook that says no stands before the first change, and not before a look.
    fleet.inventory(more="hooks: {no: {before: method, run: [/bin/false], nodes: a1}}\n")
    fleet.reset()
    result(lab, "features")
    assert not lab.run("--json", "amt", "features", "sol=on", "a1").json[0]["ok"]
    same(changes(fleet), [])


@test
def clock(lab):
    """the device's clock, how far off it is, and setting it"""
    fleet = Fleet(lab)
    found = result(lab, "time")
    assert abs(found["skew_s"]) <= 5 and found["time"].endswith("Z"), found
    fleet.set(1, clock_unset=1)
    found = result(lab, "time")
    same(found["time"][:4], "2004")
    assert found["skew_s"] < -86400 * 365 and "set=now" in found["hint"], found
    found = result(lab, "time", "set=now")
    assert abs(found["skew_s"]) <= 5 and "hint" not in found, found
    fleet.set(1, refuse_call="SetHighAccuracyTimeSynch:38")
    says(refused(lab, "time", "set=now"), "refused", "written too often")


@test
def general(lab):
    """name and domain, what it answers to, when it sleeps: a Put has all that came, and nothing else"""
    for profile in ("8", "15"):
        with Lab() as own:
            fleet = Fleet(own, "--set", f"all:profile={profile}")
            was = {"dns_update": False, "hostname": "amtsim1", "ping": True, "rmcp_ping": True,
                   "shared_name": True, "web_pages": True, "idle": "1m"}
            same(result(own, "general"), was)
            wanted = {"dns_update": True, "hostname": "box-7", "domain": "lab.example.org",
                      "ping": False, "rmcp_ping": False, "shared_name": False, "web_pages": False,
                      "idle": "45m"}
            words = [f"{k}={str(v).lower()}" for k, v in wanted.items()]
            fleet.reset()
            same(result(own, "general", *words), wanted)
            same(result(own, "general", *words), wanted)
            same(changes(fleet), ["AMT_GeneralSettings.Put"])
            has(own.run("info", "a1").out, "box-7")
    for word, part in (("hostname=a.b", "is one name"), ("hostname=", "is one name"),
                       ("hostname=" + 64 * "x", "at most 63"), ("domain=a_b", "with dots"),
                       ("idle=90s", "whole minutes"), ("idle=0s", "whole minutes")):
        wrong(lab, "general", word, part=part)


@test
def mebx(lab):
    """the password of the set-up menu: asked first, from a file, never in client control mode"""
    fleet = Fleet(lab)
    secret = f"password_file={lab.write('mebx', 'M3bx-P@ssword')}"
    misused(lab, "--yes", "mebx-password", secret)
    fleet.reset()
    same(result(lab, "mebx-password", "--yes", secret), {"mebx_password_set": True})
    same(changes(fleet), ["AMT_SetupAndConfigurationService.SetMEBxPassword"])
    fleet.reset()
    t = lab.terminal("amt", "mebx-password", "--yes", "password_file=-", "a1")
    for question, word in (("password: ", "M3bx-P@ssword"), ("Once more: ", "M3bx-P@sswort")):
        t.expect(question)
        t.wait_echo(False)
        t.send(word + "\n")
    t.expect("the two are not the same; nothing was changed")
    same((t.end(), calls(fleet)), (2, []))
    fleet.set(1, ccm=1)
    says(refused(lab, "mebx-password", "--yes", secret), "forbidden", "not permitted")
    wrong(lab, "mebx-password", "--yes", part="password_file: is missing")
    wrong(lab, "mebx-password", "--yes", f"password_file={lab.write('weak', 'password')}",
          part="8 to 32")


# --- alarms. ---------------------------------------------------------------------------------


@test
def alarms(lab):
    """added once and repeating, listed in what can be typed, removed; five at most"""
    fleet = Fleet(lab)
    found = result(lab, "alarms", "add=morning", "at=2037-01-31T07:00:00+01:00", "every=1530m")
    same(found["alarms"], [{"name": "morning", "at": "2037-01-31T06:00:00Z", "every": "25h30m",
                            "once": False}])
    found = result(lab, "alarms", "add=once & only", "at=2037-02-01T00:00Z")
    same(found["alarms"][1], {"name": "once & only", "at": "2037-02-01T00:00:00Z", "once": True})
    says(refused(lab, "alarms", "add=morning", "at=2037-01-31T07:00Z"), "refused", "already")
    says(refused(lab, "alarms", "remove=evening"), "refused", "no alarm 'evening'")
    for n in range(3):
        result(lab, "alarms", f"add=more{n}", "at=2037-03-01 10:00")
    says(refused(lab, "alarms", "add=six", "at=2037-03-01 10:00"), "refused", "limit")
    same(len(result(lab, "alarms", "remove=morning")["alarms"]), 4)
    fleet.blameless(but=("r400",))
    wrong(lab, "alarms", "add=x", part="at is missing")
    wrong(lab, "alarms", "add=x", "at=soon", part="'soon' is no time")
    wrong(lab, "alarms", "add=x", "at=2037-02-30T00:00:00Z", part="is no time")
    wrong(lab, "alarms", "add=x", "at=2001-01-01T00:00:00Z", part="is over already")
    wrong(lab, "alarms", "add=x", "at=2037-01-01T00:00:00Z", "every=90s", part="whole minutes")
    wrong(lab, "alarms", "add=x", "at=2037-01-01T00:00:00Z", "every=0s", part="whole minutes")
    wrong(lab, "alarms", "add=", "at=2037-01-01T00:00:00Z", part="has a name")
    for zone in ("+14:30", "+25:00", "-12:30"):
        wrong(lab, "alarms", "add=x", f"at=2037-01-01T00:00:00{zone}", part="is no time")
    wrong(lab, "alarms", "add=x", "remove=y", part="one of them")


# --- tls, certs. -----------------------------------------------------------------------------


def shown(fleet):
    """What is seen of its certificate by whoever comes over TLS now."""
    pem = ssl.get_server_certificate(("127.0.0.1", fleet.ports(1)[1]))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@test
def certificates(lab):
    """roots and leaves with their keys: listed with fingerprint and end, removed unless in use"""
    fleet = Fleet(lab)
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    _, root = pair(lab, "root")
    der = subprocess.run(["openssl", "x509", "-in", root, "-outform", "DER"], check=True,
                         capture_output=True).stdout
    with open(lab.path("root.der"), "wb") as f:
        f.write(der)
    found = result(lab, "certs", f"add={lab.path('root.der')}")["certificates"][0]
    same((found["trusted_root"], found["fingerprint"]), (True, hashlib.sha256(der).hexdigest()))
    has(found["subject"], "root")
    same(len(found["expires"]), len("2030-01-01T00:00:00Z"))
    fleet.reset()
    same(len(result(lab, "certs", f"add={root}")["certificates"]), 1, "it is there already")
    same(fleet.counters(1)["writes"], 0)
    says(refused(lab, "certs", f"add={root}", "kind=leaf"), "refused", "already, as a root")
    says(refused(lab, "tls", "--yes", "enabled=on"), "config", "certificate: is missing")
    found = result(lab, "certs", f"add={cert}", f"private_key_file={key}")
    leaf = found["certificates"][1]
    same((leaf["trusted_root"], len(found["keys"])), (False, 1), found)

    # In use it stays; TLS is opened beside HTTP, and HTTP not closed by who came over it.
    found = result(lab, "tls", "--yes", "enabled=on", f"certificate={leaf['id']}")
    same(found["network"], {"plain": True, "enabled": True, "mutual": False})
    same(shown(fleet), leaf["fingerprint"])
    names = ("trusted_name=a.example.org", "trusted_name=b.example.org")
    same(result(lab, "tls", "--yes", *names)["network"]["trusted_names"],
         ["a.example.org", "b.example.org"])
    fleet.reset()
    same(result(lab, "tls", "--yes", *names)["network"]["trusted_names"], ["a.example.org", "b.example.org"])
    same(changes(fleet), [], "they are so already")
    found = result(lab, "tls", "--yes", "trusted_name=")
    assert "trusted_names" not in found["network"], found
    same((found["certificate"], fleet.device(1)["commits"]), (leaf["id"], 3))
    says(refused(lab, "certs", f"remove={leaf['id']}"), "refused", "shows over TLS")
    says(refused(lab, "tls", "--yes", "plain=off"), "state", "came without TLS")
    same(changes(fleet)[-1], "AMT_SetupAndConfigurationService.CommitChanges")
    # A commit that was refused is made up for, though all is so already.
    fleet.set(1, refuse_call="CommitChanges:38")
    says(refused(lab, "tls", "--yes", "trusted_name=c.example.org"), "refused", "CommitChanges")
    fleet.set(1, refuse_call="no")
    for commits in (1, 0):
        fleet.reset()
        result(lab, "tls", "--yes", "trusted_name=c.example.org")
        same(changes(fleet), ["AMT_SetupAndConfigurationService.CommitChanges"] * commits)
    result(lab, "tls", "--yes", "trusted_name=")
    fleet.inventory(tls=True)
    same(result(lab, "tls", "--yes", "plain=off")["network"]["plain"], False)
    same(result(lab, "certs")["certificates"][1]["used_for"], "tls")
    other_key, other = pair(lab, "other", "-addext", "basicConstraints=critical,CA:FALSE")
    found = result(lab, "certs", f"add={other}", f"private_key_file={other_key}")
    new, print_of_new = found["certificates"][2]["id"], found["certificates"][2]["fingerprint"]
    found = result(lab, "tls", "--yes", f"certificate={new}")
    same(found["certificate"], new)
    has(found["hint"], "`powerctl trust`")
    same(shown(fleet), print_of_new)
    says(refused(lab, "certs"), "trust", "not the remembered one")
    lab.run("trust", "--accept", "a1")
    # A key goes with the certificate that needed it.
    keys = [k["id"] for k in result(lab, "certs")["keys"]]
    says(refused(lab, "certs", f"remove_key={keys[0]}"), "forbidden", "not permitted")
    found = result(lab, "certs", f"remove={leaf['id']}")
    same((len(found["certificates"]), [k["id"] for k in found["keys"]]), (2, keys[1:]))
    says(refused(lab, "certs", f"remove_key={keys[0]}"), "refused", "no key")


@test
def keys(lab):
    """a key goes only with its own certificate, and neither stays behind without the other"""
    fleet = Fleet(lab)
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    other_key, root = pair(lab, "root")
    add = ("certs", f"add={cert}", f"private_key_file={key}")
    fleet.reset()
    both = lab.write("both.pem", open(cert, encoding="ascii").read() + open(other_key, encoding="ascii").read())
    misused(lab, "not the key of this", "certs", f"add={cert}", f"private_key_file={other_key}")
    misused(lab, "not the key of this", "certs", f"add={both}")
    misused(lab, "a root needs none", "certs", f"add={root}", f"private_key_file={other_key}", "kind=root")
    misused(lab, "remove and remove_key: one of them", "certs", "remove=1", "remove_key=2")
    two = lab.write("two.pem", "".join(open(name, encoding="ascii").read() for name in (cert, root)))
    misused(lab, "holds more than one certificate", "certs", f"add={two}")
    open_key = lab.write("open.pem", "".join(open(name, encoding="ascii").read() for name in (cert, key)))
    os.chmod(open_key, 0o644)
    misused(lab, "others can read it (mode 0644)", "certs", f"add={open_key}")
    same(calls(fleet), [], "it is seen here")
    # A certificate that is refused takes its key along; where the device keeps that, it is told.
    fleet.set(1, refuse_call="AddCertificate:38")
    says(refused(lab, *add), "refused", "written too often")
    same(result(lab, "certs")["keys"], [])
    fleet.set(1, refuse_call="AddKey:38")
    says(refused(lab, *add), "refused", "AddKey")
    fleet.set(1, refuse_call="no")
    # First without its key, then with it: nothing is in the way.
    bare = result(lab, "certs", f"add={cert}")["certificates"][0]
    assert "key" not in bare, bare
    found = result(lab, *add)
    same((found["certificates"], [k["id"] for k in found["keys"]]),
         ([{**bare, "key": found["keys"][0]["id"]}], [found["certificates"][0]["key"]]))
    fleet.reset()
    same((result(lab, *add), fleet.counters(1)["writes"]), (found, 0))
    says(refused(lab, "certs", f"remove={found['keys'][0]['id']}"), "refused", "is a key and no certificate")
    # A key of two certificates goes with the second of them.
    openssl("req", "-x509", "-key", key, "-days", "20", "-subj", "/CN=twin", "-addext",
            "basicConstraints=critical,CA:FALSE", "-out", lab.path("twin.pem"))
    both = result(lab, "certs", f"add={lab.path('twin.pem')}")
    same({c["key"] for c in both["certificates"]}, {found["keys"][0]["id"]})
    same(result(lab, "certs", f"remove={both['certificates'][1]['id']}"), found)
    # What the device does not let go of is told of by name.
    fleet.set(1, refuse_call="AMT_PublicPrivateKeyPair.Delete:1")
    left = found["keys"][0]["id"]
    says(refused(lab, "certs", f"remove={bare['id']}"), "refused", f"its key {left} is not")
    fleet.set(1, refuse_call="no")
    same(result(lab, "certs", f"remove_key={left}")["keys"], [])
    fleet.set(1, flash_writes=fleet.counters(1)["writes"] + 1)
    line = lab.run("--json", "amt", *add, "a1").json[0]
    has(line["error"]["message"], "could not be taken back")
    same(line["error"]["code"], "ReturnValue 38", "the device's own, whatever is said beside it")


@test
def own_certificates(lab):
    """a certificate that signed itself is the device's own where its key comes along, and else a root; a pipe will do"""
    Fleet(lab)
    key, cert = pair(lab, "box")
    same(result(lab, "certs", f"add={cert}")["certificates"][0]["trusted_root"], True)
    Fleet(lab)
    found = result(lab, "certs", f"add={cert}", f"private_key_file={key}")
    same((found["certificates"][0]["trusted_root"], len(found["keys"])), (False, 1))
    for words, root in (((), False), (("kind=root",), True)):
        Fleet(lab)
        with piped(lab, open(cert, "rb").read() + open(key, "rb").read()):
            found = result(lab, "certs", f"add={lab.path('pipe')}", *words)
        same((found["certificates"][0]["trusted_root"], len(found["keys"])), (root, 0 if root else 1), words)
    with piped(lab, b"DetectionStrings=a.example.org\n"):
        found = result(lab, "wsman", "put", "--yes", "AMT_EnvironmentDetectionSettingData", f"file={lab.path('pipe')}")
    same(found["AMT_EnvironmentDetectionSettingData"]["DetectionStrings"], ["a.example.org"])


@test
def pipe_without_writer(lab):
    """a pipe that nobody writes to is not waited for once the command is interrupted"""
    fleet = Fleet(lab)
    os.mkfifo(lab.path("pipe"))
    proc = lab.start("amt", "wsman", "put", "--yes", "AMT_EnvironmentDetectionSettingData",
                     f"file={lab.path('pipe')}", "a1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    held = []

    def is_read():
        try:
            held.append(os.open(lab.path("pipe"), os.O_WRONLY | os.O_NONBLOCK))
        except OSError as e:
            same(e.errno, errno.ENXIO)
        return held

    until("the pipe is read", is_read)
    with took(most=15):  # it is waited for twice as long
        proc.send_signal(signal.SIGINT)
        proc.communicate(timeout=60)
    os.close(held[0])
    same((proc.returncode, calls(fleet)), (130, []))


@test
def tls_way_in(lab):
    """whatever is said, a way in is left: TLS or HTTP, and with mutual TLS a certificate that the device trusts"""
    fleet = Fleet(lab)
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    leaf = result(lab, "certs", f"add={cert}", f"private_key_file={key}")["certificates"][0]["id"]
    result(lab, "tls", "--yes", "enabled=on", f"certificate={leaf}")
    says(refused(lab, "tls", "--yes", "mutual=on"), "config", "no client_cert")
    fleet.inventory(tls=True)
    says(refused(lab, "tls", "--yes", "enabled=off", "plain=off"), "state", "the only way in")
    result(lab, "tls", "--yes", "plain=off")
    says(refused(lab, "tls", "--yes", "enabled=off"), "state", "TLS is the only way in")
    # Ours, which a root signed that the device gets to know only later.
    root_key, root = pair(lab, "root")
    mine, request = lab.path("me.pem"), lab.path("me.csr")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=admin.example.org", "-keyout",
            lab.path("me.key"), "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, "-CAcreateserial", "-days",
            "30", "-out", mine)
    openssl("req", "-new", "-key", lab.path("me.key"), "-subj", "/CN=admin.example.net", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, "-CAcreateserial", "-days",
            "30", "-out", lab.path("you.pem"))
    fleet.inventory(tls=True, settings=f"client_cert: {mine}\nclient_key: {lab.path('me.key')}")
    fleet.reset()
    says(refused(lab, "tls", "--yes", "mutual=on"), "refused", "trusts no root")
    same(changes(fleet), [])
    result(lab, "certs", f"add={root}")
    says(refused(lab, "tls", "--yes", "mutual=on", "trusted_name=other.org"), "refused", "is not the name")
    found = result(lab, "tls", "--yes", "mutual=on", "trusted_name=.example.org")["network"]
    same((found["mutual"], found["trusted_names"]), (True, [".example.org"]))
    # From now on nobody gets in who shows none, or one of another name.
    fleet.inventory(tls=True, settings=f"client_cert: {lab.path('you.pem')}\nclient_key: {lab.path('me.key')}")
    says(refused(lab, "tls"), "trust", "certificate")
    fleet.inventory(tls=True)
    says(refused(lab, "tls"), "trust", "certificate")
    fleet.inventory(tls=True, settings=f"client_cert: {mine}\nclient_key: {lab.path('me.key')}")
    says(refused(lab, "tls", "--yes", "trusted_name=x"), "refused", "is not the name")
    found = result(lab, "tls", "--yes", "enabled=off", "plain=on", "mutual=off")["network"]
    same((found["enabled"], found["plain"]), (False, True))
    lab.run("trust", "--forget", "a1")
    says(refused(lab, "tls", "--yes", "plain=off"), "state", "without TLS it is the only way in")


@test
def tls_refusals(lab):
    """files that are none, keys that do not fit, firmware with nothing but TLS, a full audit log"""
    fleet = Fleet(lab)
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    misused(lab, "no certificate", "certs", f"add={key}")
    misused(lab, "add: /nonexistent: No such file", "certs", "add=/nonexistent")
    misused(lab, "no RSA key", "certs", f"add={cert}", f"private_key_file={lab.write('k', 'no key')}")
    says(refused(lab, "certs", "remove=77"), "refused", "no certificate")
    leaf = result(lab, "certs", f"add={cert}")["certificates"][0]["id"]
    says(refused(lab, "tls", "--yes", "enabled=on", f"certificate={leaf}"), "refused", "key")
    fleet.set(1, audit_full=1)
    says(refused(lab, "certs", f"add={pair(lab, 'root')[1]}"), "refused", "audit log")
    fleet = Fleet(lab, "--set", "all:tls_only=1")
    same(result(lab, "tls")["network"]["plain_supported"], False)
    says(refused(lab, "tls", "--yes", "enabled=off"), "unsupported", "TLS only")
    says(refused(lab, "tls", "--yes", "plain=on"), "unsupported", "TLS only")
    wrong(lab, "tls", "--yes", "certificate=none", part="is a number")


# --- users. ----------------------------------------------------------------------------------


@test
def users(lab):
    """a user that was added can log in, one that is disabled or removed cannot"""
    fleet = Fleet(lab)
    password = lab.write("bob", "P@ssw0rd:x".replace(":", ";") + "\n")
    found = result(lab, "users", "add=bob", f"password_file={password}", "realms=hardware,users",
                   "access=network")["users"]
    same(found[1], {"id": found[1]["id"], "name": "bob", "access": "network",
                    "realms": ["hardware", "users"], "enabled": True})
    for n in range(4):  # more than the firmware tells at once
        result(lab, "users", f"add=user{n}", f"password_file={password}", "realms=hardware")
    same([u["name"] for u in result(lab, "users")["users"]],
         ["$$uns", "bob", "user0", "user1", "user2", "user3"])
    fleet.inventory(credential=f"{{username: bob, password_file: {password}}}")
    good(lab.run("status", "a1"), "a1: off")
    fleet.inventory()
    same(result(lab, "users", "disable=bob")["users"][1]["enabled"], False)
    fleet.inventory(credential=f"{{username: bob, password_file: {password}}}")
    says(error_of(lab.run("--json", "status", "--try-anyway", "a1")), "auth", "")
    fleet.inventory()
    # Another password, with the rights as they are; then other rights, and never the login's own.
    other = lab.write("bob2", "0ther-P@ssword\n")
    result(lab, "users", "enable=bob")
    same(result(lab, "users", "change=bob", f"password_file={other}")["users"][1],
         {**found[1], "enabled": True})
    for secret, status in ((password, 1), (other, 0)):
        fleet.inventory(credential=f"{{username: bob, password_file: {secret}}}")
        same(lab.run("status", "--try-anyway", "a1").status, status, secret)
    says(refused(lab, "users", "change=bob", f"password_file={other}"), "config", "passwd")
    says(refused(lab, "users", "remove=bob"), "config", "who this command logs in as")
    fleet.inventory()
    found = result(lab, "users", "change=bob", f"password_file={other}", "realms=event-log",
                   "access=local")["users"][1]
    same((found["realms"], found["access"]), (["event-log"], "local"))
    says(refused(lab, "users", "change=eve", f"password_file={other}"), "refused", "no user 'eve'")
    misused(lab, "password_file is missing", "users", "change=bob")
    fleet.inventory(credential=f"{{username: user0, password_file: {password}}}")
    for word in ("remove=admin", "disable=admin"):
        says(refused(lab, "users", word), "refused", "is the administrator")
    fleet.inventory()
    same(len(result(lab, "users", "remove=bob")["users"]), 5)
    says(refused(lab, "users", "remove=bob"), "refused", "no user 'bob'")
    fleet.set(1, flash_writes=1)
    says(refused(lab, "users", "disable=user0"), "refused", "written too often")
    weak = lab.write("weak", "password\n")
    wrong(lab, "users", "add=x", f"password_file={weak}", "realms=hardware", part="8 to 32")
    wrong(lab, "users", "add=x", f"password_file={password}", part="realms is missing")
    wrong(lab, "users", "add=x", "realms=hardware", part="password_file is missing")
    wrong(lab, "users", "add=x", "remove=y", part="one of them")
    wrong(lab, "users", "add=x", "realms=everything", part="cannot be 'everything'")


@test
def users_of_another_realm(lab):
    """settings that tell another realm than the login: no user is made who could never log in"""
    fleet = Fleet(lab)
    first = lab.write("first", "P@ssw0rd;x\n")
    other = lab.write("other", "0ther-P@ssword\n")
    before = result(lab, "users", "add=bob", f"password_file={first}", "realms=hardware")["users"]
    fleet.set(1, told_realm=1)
    for words in (("add=eve", f"password_file={other}", "realms=hardware"),
                  ("change=bob", f"password_file={other}")):
        says(refused(lab, "users", *words), "trust", "say 'gateway'")
    same(result(lab, "users")["users"], before)
    fleet.inventory(credential=f"{{username: bob, password_file: {first}}}")
    good(lab.run("status", "a1"), "a1: off")


@test
def asked_for(lab):
    """a password that is asked for: typed without echo, and in no argument"""
    fleet = Fleet(lab)
    words = ("users", "add=eve", "password_file=-", "realms=remote-control,general-info,users")
    misused(lab, "terminal", *words)
    t = lab.terminal("amt", *words, "a1")
    t.expect("password: ")
    t.wait_echo(False)
    t.send("P@ss\x1aw0rd3\n")  # ^Z does nothing, and is no letter
    t.expect("Once more: ")  # it is a new one
    t.wait_echo(False)
    t.send("P@ssw0rd3\n")
    t.expect("name: eve")
    same(t.end(), 0)
    assert "P@ssw0rd3" not in t.seen, t.seen
    secret = lab.write("eve", "P@ssw0rd3\n")
    fleet.inventory(credential=f"{{username: eve, password_file: {secret}}}")
    good(lab.run("status", "a1"), "a1: off")
    # Where the administrator's name is not told, she is found in the list all the same.
    fleet.set(1, refuse_call="GetAdminAclEntry:16")
    good(lab.run("passwd", "--generate", "-y", "a1"), "a1: ok")
    with open(secret, encoding="ascii") as f:
        assert f.read() != "P@ssw0rd3\n"
    good(lab.run("status", "a1"), "a1: off")


# --- power-package, unprovision. -------------------------------------------------------------


@test
def power_package(lab):
    """which there are, which is used, and using another"""
    Fleet(lab)
    same(result(lab, "power-package")["power_package"], "0")
    found = result(lab, "power-package", "set=1")
    same((found["power_package"], len(found["packages"])), ("1", 2))
    says(refused(lab, "power-package", "set=7"), "refused", "no power package")


@test
def unprovision(lab):
    """asks first, honours `protected`, and then the machine is another one"""
    fleet = Fleet(lab)
    misused(lab, "--yes", "unprovision")
    fleet.inventory(settings="protected: it is the boss's")
    says(refused(lab, "unprovision", "--yes"), "forbidden", "it is the boss's")
    fleet.inventory()
    same(fleet.device(1)["unprovisioned"], False)
    fleet.set(1, refuse_call="Unprovision:2076")
    says(refused(lab, "unprovision", "--yes"), "refused", "another component")
    fleet.set(1, refuse_call="no")
    fleet.reset()
    line = lab.run("--json", "amt", "unprovision", "--yes", "a1").json[0]
    same((line["ok"], line["changed"], sorted(line["result"])), (True, True, ["hint", "unprovisioned"]), line)
    same((line["result"]["unprovisioned"], fleet.device(1)["unprovisioned"]), (True, True))
    # Looked at first: who may not do that changes nothing.
    setup = "AMT_SetupAndConfigurationService"
    same(fleet.device(1)["log"][-2:], [f"{setup}.Get", f"{setup}.Unprovision"])
    says(error_of(lab.run("--json", "status", "a1")), "trust", "set up anew")


# --- wsman. ----------------------------------------------------------------------------------


@test
def explorer(lab):
    """any class by its name: get, enumerate, put and invoke; two words are as good as one"""
    fleet = Fleet(lab)
    found = result(lab, "wsman", "get", "CIM_AssociatedPowerManagementService")
    found = found["CIM_AssociatedPowerManagementService"]
    same(found["UserOfService"], {"class": "CIM_ComputerSystem", "selectors": {
        "CreationClassName": "CIM_ComputerSystem", "Name": "ManagedSystem"}})
    items = result(lab, "wsman-enumerate", "CIM_SoftwareIdentity")["items"]
    same(items[3]["CIM_SoftwareIdentity"]["InstanceID"], "AMT")
    same(result(lab, "wsman", "get", "CIM_SoftwareIdentity",
                "selector=InstanceID=Build Number")["CIM_SoftwareIdentity"]["VersionString"],
         "1579")
    fields = lab.path("fields")
    with open(fields, "w", encoding="ascii") as f:
        f.write("# at home\n\nDetectionStrings=a.example.org\n")
    found = result(lab, "wsman", "put", "--yes", "AMT_EnvironmentDetectionSettingData",
                   f"file={fields}", "set=DetectionStrings=b.example.org")
    same(found["AMT_EnvironmentDetectionSettingData"]["DetectionStrings"],
         ["a.example.org", "b.example.org"])
    invoke = ("wsman", "invoke", "--yes", "CIM_BootConfigSetting", "ChangeBootOrder")
    result(lab, *invoke,
           "set=Source=CIM_BootSourceSetting(InstanceID=Intel(r) AMT: Force PXE Boot)")
    same(fleet.device(1)["source"], "Intel(r) AMT: Force PXE Boot")
    says(refused(lab, *invoke, "set=Source=nothing"), "refused", "")
    found = result(lab, "wsman", "get", "AMT_EthernetPortSettings",
                   "selector=InstanceID=Intel(r) AMT Ethernet Port Settings 0")
    port = found["AMT_EthernetPortSettings"]
    same((port["DHCPEnabled"], type(port["LinkPolicy"])), (True, list), port)
    # An instance as a parameter, with a time in it; the same from a file, and a text in quotes.
    result(lab, "wsman", "invoke", "--yes", "AMT_AlarmClockService", "AddAlarm",
           "set=AlarmTemplate=IPS_AlarmClockOccurrence{InstanceID=a,ElementName=\"a, b\","
           "StartTime=Datetime(2037-01-01T07:00:00Z),Interval=Interval(P1DT0H0M0S),"
           "DeleteOnCompletion=false}")
    same(result(lab, "alarms")["alarms"][0]["at"], "2037-01-01T07:00:00Z")
    result(lab, "alarms", "remove=a")
    raw = result(lab, "wsman", "get", "AMT_GeneralSettings", "xml=on")
    has(raw["xml"], "<")
    has(raw["xml"], "AMT_GeneralSettings")
    raw = result(lab, "wsman", "enumerate", "CIM_SoftwareIdentity", "xml=on")
    same((list(raw), len(raw["xml"])), (["xml"], 1), raw)
    says(refused(lab, "wsman", "get", "AMT_EthernetPortSettings"), "refused", "selector=KEY=VALUE")
    says(refused(lab, "wsman", "get", "AMT_EthernetPortSettings", "selector=InstanceID=x"), "refused",
         "there is no AMT_EthernetPortSettings with the selector InstanceID=x: `amt wsman enumerate")
    says(refused(lab, "wsman", "put", "--yes", "AMT_GeneralSettings", "set=HostNam=x"), "refused",
         "no field HostNam in what it tells of AMT_GeneralSettings; did you mean HostName")
    says(refused(lab, "wsman", "put", "--yes", "AMT_EnvironmentDetectionSettingData", "set=DetectionString=x"),
         "unsupported", "did you mean DetectionStrings?")
    says(refused(lab, "wsman", "get", "AMT_Nothing"), "unsupported", "AMT_Nothing")
    says(refused(lab, "wsman", "invoke", "--yes", "AMT_SetupAndConfigurationService", "Dance"),
         "unsupported", "lacks this method")
    misused(lab, "--yes", "wsman", "put", "AMT_GeneralSettings", "set=A=b")
    misused(lab, "get, enumerate, put, invoke", "wsman")
    has(lab.run("help", "amt", "wsman", "invoke").out, "CLASS METHOD [selector=LIST]")
    wrong(lab, "wsman", "get", "Win32_Service", part="AMT_, CIM_ or IPS_")
    wrong(lab, "wsman", "get", "CIM_Chassis", "selector=Tag", part="is not KEY=VALUE")
    misused(lab, "nothing to put", "wsman", "put", "--yes", "AMT_GeneralSettings")
    misused(lab, "does not go on like that", "wsman", "put", "--yes", "AMT_GeneralSettings",
            "set=A=CIM_X(K=V")
    misused(lab, "is not NAME=VALUE", "wsman", "put", "--yes", "AMT_GeneralSettings", "set=foo")


# --- Faults. ---------------------------------------------------------------------------------


@test
def accidents(lab):
    """an answer that is lost after a change is told as such, and nothing is sent twice"""
    fleet = Fleet(lab)
    fleet.set(1, lose_call="AddAlarm")
    r = lab.run("--json", "amt", "alarms", "add=x", "at=2037-01-31T07:00Z", "a1")
    says(error_of(r), "outcome_unknown", "not sent again")
    same(r.json[0]["changed"], True, r)
    same(changes(fleet), ["AMT_AlarmClockService.AddAlarm"])
    same([a["name"] for a in result(lab, "alarms")["alarms"]], ["x"], "it was done all the same")
    # What may be repeated is, and looks first: nothing is written twice.
    fleet.reset()
    fleet.set(1, lose_call="IPS_OptInService.Put")
    same(result(lab, "features", "consent=kvm")["consent"], "kvm")
    same(changes(fleet), ["IPS_OptInService.Put"])
    # The second change of two: the first has happened, and nobody says that nothing did.
    fleet.set(1, refuse_call="CIM_WiFiPort.RequestStateChange:4")
    line = lab.run("--json", "amt", "wifi", "state=s0", "a1").json[0]
    same((line["error"]["class"], line["changed"]), ("refused", False), line)
    fleet.set(1, refuse_call="SetLinkPreference:1")
    line = lab.run("--json", "amt", "wifi", "state=s0", "link_preference=me", "a1").json[0]
    same((line["error"]["class"], line["changed"]), ("refused", True), line)
    # The change was answered, and reading back was not.
    fleet.reset()
    fleet.set(1, e503_every=4)
    line = lab.run("--json", "amt", "alarms", "add=y", "at=2037-01-31T07:00Z", "a1").json[0]
    same((line["error"]["class"], line["changed"]), ("busy", True), line)
    has(line["error"]["message"], "'alarms' was taken, but has not come to its end: ")
    fleet.set(1, e503_every=0)
    same([a["name"] for a in result(lab, "alarms")["alarms"]], ["x", "y"])


@test
def given_up(lab):
    """a device that falls silent amid a chain, and a file that was read for nothing"""
    fleet = Fleet(lab)
    cert = pair(lab, "box")[1]
    fleet.set(1, hang="auth")
    r = lab.run("--json", "--timeout", "1s", "amt", "certs", f"add={cert}", "a1")
    same((r.status, error_of(r)[0]), (1, "timeout"), r)
    fleet.set(1, hang="no")
    same(len(result(lab, "certs", f"add={cert}")["certificates"]), 1)


@test
def old_and_new(lab):
    """every generation of firmware is read, and 8 lacks nothing that is needed"""
    profiles = ("8", "11", "12", "15")
    sets = [w for i, p in enumerate(profiles, 1) for w in ("--set", f"{i}:profile={p}")]
    Fleet(lab, *sets, devices=len(profiles))
    for method in READS:
        r = lab.run("--json", "amt", method, "a[1-4]")
        same((r.status, len(r.json)), (0, 4), f"{method}: {r}")


if __name__ == "__main__":
    main()
