#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The settings of powerctl-amtsim, asked for by curl: what it takes, and what it refuses as the
firmware does. The bodies are written out here, by hand and not by the driver."""
import base64
import hashlib
import sys

import test_amtsim
from test_amtsim import AMT, CIM, IPS, TRANSFER, curl, envelope, epr, get, invoke, pull_all
from test_amtsim import main, running, same, selector, true

COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def put(uri, fields, **keys):
    name = uri.rsplit("/", 1)[1]
    inner = "".join(f"<h:{k}>{v}</h:{k}>" for k, v in fields)
    return envelope(TRANSFER + "Put", uri, f'<h:{name} xmlns:h="{uri}">{inner}</h:{name}>',
                    selectors=selector(**keys) if keys else "")


def delete(uri, **keys):
    return envelope(TRANSFER + "Delete", uri, selectors=selector(**keys) if keys else "")


def fields(**values):
    return "".join(f"<h:{k}>{v}</h:{k}>" for k, v in values.items())


@test
def ports(sim):
    """a Put: known fields, in their order, none that are read-only, and no half of them"""
    uri, key = AMT + "AMT_EthernetPortSettings", {
        "InstanceID": "Intel(r) AMT Ethernet Port Settings 0"}
    good = [("DHCPEnabled", "false"), ("ElementName", "Intel(r) AMT Ethernet Port Settings"),
            ("IPAddress", "10.0.0.9"), ("InstanceID", key["InstanceID"]),
            ("IpSyncEnabled", "true"), ("LinkPolicy", "1"), ("LinkPolicy", "14"),
            ("SharedMAC", "true"), ("SharedStaticIp", "false"), ("SubnetMask", "255.0.0.0")]
    for bad in (good[::-1], good[1:], good + [("New", "1")], good[:3] + [good[2]] + good[3:],
                good[:7] + [("MACAddress", "00-00-00-00-00-01")] + good[7:],
                [("DHCPEnabled", "perhaps")] + good[1:]):
        same(curl(sim, put(uri, bad, **key)).fault(), "InvalidRepresentation", bad)
    a = curl(sim, put(uri, good, **key))
    same((a.code, a.value("IPAddress"), a.texts("LinkPolicy")), (200, "10.0.0.9", ["1", "14"]))
    same(curl(sim, get(uri, **key)).value("SubnetMask"), "255.0.0.0")
    for i, v, status in ((9, "255.0.255.0", "37"), (2, "10.0.0.300", "27"), (0, "true", "26")):
        wrong = list(good)
        wrong[i] = (good[i][0], v)
        a = curl(sim, put(uri, wrong, **key))
        true(f"AMT-STATUS {status}" in a.body.decode(), f"{wrong[i]}: {a.body}")
    same(curl(sim, put(uri, good)).fault(), "InvalidSelectors", "which port?")
    same(sim.count("writes"), 4)


def alarm(name, when, every="", order=None):
    ns = IPS + "IPS_AlarmClockOccurrence"
    parts = [f"<s:InstanceID>{name}</s:InstanceID>", f"<s:ElementName>{name}</s:ElementName>",
             f'<s:StartTime><p:Datetime xmlns:p="{COMMON}">{when}</p:Datetime></s:StartTime>',
             f'<s:Interval><p:Interval xmlns:p="{COMMON}">{every}</p:Interval></s:Interval>'
             if every else "", "<s:DeleteOnCompletion>true</s:DeleteOnCompletion>"]
    inner = "".join(order(parts) if order else parts)
    return invoke(AMT + "AMT_AlarmClockService", "AddAlarm",
                  f'<h:AlarmTemplate xmlns:s="{ns}">{inner}</h:AlarmTemplate>')


@test
def alarms(sim):
    """AddAlarm as Intel documents it; duplicates, the past, the sixth, and Delete"""
    uri = IPS + "IPS_AlarmClockOccurrence"
    a = curl(sim, alarm("one", "2037-01-01T00:00:00Z", "P1DT0H0M"))
    same((a.value("ReturnValue"), a.value("Selector")), ("0", "one"))
    a = curl(sim, get(uri, InstanceID="one"))
    same((a.value("Datetime"), a.value("Interval")), ("2037-01-01T00:00:00Z", ""))
    same(curl(sim, alarm("one", "2037-01-01T00:00:00Z")).fault(), "InvalidRepresentation")
    same(curl(sim, alarm("x", "2037-01-01T00:00:00Z", order=reversed)).fault(),
         "InvalidRepresentation")
    same(curl(sim, alarm("past", "2001-01-01T00:00:00Z")).value("ReturnValue"), "34")
    for n in range(4):
        same(curl(sim, alarm(f"n{n}", "2037-01-01T00:00:00Z")).value("ReturnValue"), "0")
    same(curl(sim, alarm("six", "2037-01-01T00:00:00Z")).fault(), "QuotaLimit")
    same(curl(sim, delete(uri)).fault(), "InvalidSelectors")
    same(curl(sim, delete(uri, InstanceID="one")).code, 200)
    same(curl(sim, delete(uri, InstanceID="one")).fault(), "DestinationUnreachable")
    same(len(pull_all(sim, uri)[0]), 4)


def add_user(sim, name, password="P@ssw0rd2", realms=(4, 5), access=2):
    realm = sim.devices[0]["realm"]
    raw = hashlib.md5(f"{name}:{realm}:{password}".encode()).digest()
    params = fields(DigestUsername=name, DigestPassword=base64.b64encode(raw).decode(),
                    AccessPermission=access)
    params += "".join(f"<h:Realms>{r}</h:Realms>" for r in realms)
    return curl(sim, invoke(AMT + "AMT_AuthorizationService", "AddUserAclEntryEx", params))


@test
def users(sim):
    """a user that is added logs in by curl's own Digest; the list comes in parts"""
    service = AMT + "AMT_AuthorizationService"
    same(add_user(sim, "bob").value("ReturnValue"), "0")
    same(curl(sim, get(service), user="bob", password="P@ssw0rd2").code, 200)
    same(curl(sim, get(service), user="bob", password="wrong").code, 401)
    for name, realms, access, status in (("bob", (4,), 2, "2058"), ("c", (), 2, "2055"),
                                         ("c", (99,), 2, "2055"), ("c", (4,), 7, "36"),
                                         ("x" * 17, (4,), 2, "12")):
        same(add_user(sim, name, realms=realms, access=access).value("ReturnValue"), status, name)
    for n in range(3):
        same(add_user(sim, f"u{n}").value("ReturnValue"), "0")
    a = curl(sim, invoke(service, "EnumerateUserAclEntries", fields(StartIndex=1)))
    same((a.value("TotalCount"), len(a.texts("Handles"))), ("5", 3))
    a = curl(sim, invoke(service, "EnumerateUserAclEntries", fields(StartIndex=4)))
    handle = a.texts("Handles")[0]
    a = curl(sim, invoke(service, "GetUserAclEntryEx", fields(Handle=handle)))
    same((a.value("DigestUsername"), a.texts("Realms")), ("u1", ["4", "5"]))
    off = invoke(service, "SetAclEnabledState", fields(Handle=handle, Enabled="false"))
    same(curl(sim, off).value("ReturnValue"), "0")
    same(curl(sim, get(service), user="u1", password="P@ssw0rd2").code, 401)
    same(curl(sim, invoke(service, "RemoveUserAclEntry", fields(Handle=999))).value("ReturnValue"),
         "2053")
    for who in ("Admin", "AdminNet"):
        a = curl(sim, invoke(service, f"Get{who}AclEntryStatus"))
        same((a.value("ReturnValue"), a.value("IsDefault")), ("0", "false"), who)


@test
def tls_context(sim):
    """a credential context wants a certificate that is there and has its key, once"""
    uri = AMT + "AMT_TLSCredentialContext"
    parts = (epr("ElementInContext", AMT + "AMT_PublicKeyCertificate",
                 InstanceID="Intel(r) AMT Certificate: Handle: 1") +
             epr("ElementProvidingContext", AMT + "AMT_TLSProtocolEndpointCollection",
                 ElementName="TLSProtocolEndpoint Instances Collection"))
    body = f'<h:AMT_TLSCredentialContext xmlns:h="{uri}">{parts}</h:AMT_TLSCredentialContext>'
    a = curl(sim, envelope(TRANSFER + "Create", uri, body))
    true("AMT-STATUS 2068" in a.body.decode(), a.body)
    a = curl(sim, put(AMT + "AMT_TLSSettingData", [
        ("AcceptNonSecureConnections", "true"), ("ElementName", "Intel(r) AMT 802.3 TLS Settings"),
        ("Enabled", "true"), ("InstanceID", "Intel(r) AMT 802.3 TLS Settings"),
        ("MutualAuthentication", "false")], InstanceID="Intel(r) AMT 802.3 TLS Settings"))
    true("AMT-STATUS 2060" in a.body.decode(), a.body)
    for method, blob in (("AddTrustedRootCertificate", "AAAA"), ("AddCertificate", "!")):
        a = curl(sim, invoke(AMT + "AMT_PublicKeyManagementService", method,
                             fields(CertificateBlob=blob)))
        same(a.value("ReturnValue"), "2063")
    a = curl(sim, invoke(AMT + "AMT_PublicKeyManagementService", "AddKey", fields(KeyBlob="AAAA")))
    same(a.value("ReturnValue"), "2062")


@test
def knobs(sim):
    """absent classes, refused calls, worn flash, a full audit log, a clock that nobody set"""
    sync = AMT + "AMT_TimeSynchronizationService"
    sim.set(1, "absent=AMT_TimeSynchronizationService")
    same(curl(sim, get(sync)).fault(), "DestinationUnreachable")
    sim.set(1, "absent=no", "clock_unset=1")
    same(curl(sim, invoke(sync, "GetLowAccuracyTimeSynch")).value("Ta0")[:4], "1073")
    sim.set(1, "clock_unset=0", "refuse_call=AddAlarm:38")
    same(curl(sim, alarm("k", "2037-01-01T00:00:00Z")).value("ReturnValue"), "38")
    sim.set(1, "refuse_call=AMT_AlarmClockService.AddAlarm:1")
    same(curl(sim, alarm("k", "2037-01-01T00:00:00Z")).value("ReturnValue"), "1")
    sim.set(1, "refuse_call=no", "audit_full=1")
    same(add_user(sim, "late").value("ReturnValue"), "2075")
    sim.reset()
    sim.set(1, "audit_full=0", "flash_writes=1")
    same(add_user(sim, "v1").value("ReturnValue"), "0")
    same(add_user(sim, "v2").value("ReturnValue"), "38")
    sim.set(1, "flash_writes=0", "no_wifi=1")
    same(curl(sim, get(CIM + "CIM_WiFiPort")).fault(), "DestinationUnreachable")


@test
def unprovision(sim):
    """afterwards it is another machine, and nobody's login is known"""
    realm = sim.devices[0]["realm"]
    a = curl(sim, invoke(AMT + "AMT_SetupAndConfigurationService", "Unprovision",
                         fields(ProvisioningMode=1)))
    same(a.value("ReturnValue"), "0")
    same(curl(sim, get(AMT + "AMT_GeneralSettings")).code, 401)
    true(sim.device()["unprovisioned"] and sim.device().get("realm") != realm, "another realm")


if __name__ == "__main__":
    test_amtsim.TESTS[:] = TESTS
    sys.exit(main())
