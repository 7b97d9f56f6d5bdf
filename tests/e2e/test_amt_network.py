#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The methods of the AMT driver that say how a machine is reached: network, wifi, 802.1X, cira, proxies."""
import base64

from amtlib import Fleet
from lib import Lab, has, main, same, test
from methodslib import changes, misused, pair, refused, result, says, wrong


# --- network, wifi. --------------------------------------------------------------------------


@test
def network(lab):
    """DHCP and addresses by hand: each Put has what the firmware wants and no more"""
    fleet = Fleet(lab)
    found = result(lab, "network")
    same((found["dhcp"], found["ipv6"]), (True, {"enabled": False, "addresses": []}))
    fleet.set(1, ipv6=1)
    same(result(lab, "network")["ipv6"],
         {"enabled": True, "addresses": ["fe80::2a0:98ff:fe00:1", "2001:db8::10"], "gateway": "fe80::1",
          "dns": "2001:db8::53", "fixed_address": "2001:db8::10"})
    fleet.set(1, absent="IPS_IPv6PortSettings")
    assert "ipv6" not in result(lab, "network")
    misused(lab, "--yes", "network", "dhcp=off", "address=10.0.0.9", "mask=255.255.255.0")
    found = result(lab, "network", "--yes", "dhcp=off", "address=10.0.0.9", "mask=255.255.255.0",
                   "gateway=10.0.0.1", "dns=10.0.0.2", "dns2=10.0.0.3")
    same([found[k] for k in ("dhcp", "address", "mask", "gateway", "dns", "dns2")],
         [False, "10.0.0.9", "255.255.255.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"])
    same(result(lab, "network", "--yes", "dns=10.0.0.7")["dns"], "10.0.0.7")
    fleet.reset()
    result(lab, "network", "--yes", "dns=10.0.0.7")
    same(changes(fleet), [], "it is so already")
    found = result(lab, "network", "--yes", "dhcp=on")
    assert found["dhcp"] is True and "address" not in found, found
    says(refused(lab, "network", "--yes", "dhcp=on", "dns=10.0.0.2"), "config", "the server's")
    says(refused(lab, "network", "--yes", "dhcp=off"), "config", "address: and mask")
    # What DHCP gave neither stays nor goes in silence.
    fleet = Fleet(lab)
    fixed = ("network", "--yes", "address=192.168.6.9", "mask=255.255.255.0")
    fleet.reset()
    says(refused(lab, *fixed), "config", "say gateway=192.168.6.1 dns=192.168.6.1, else another one or none")
    says(refused(lab, *fixed, "gateway=172.16.0.1", "dns=none"), "config", "outside of the network")
    says(refused(lab, *fixed[:2], "address=192.168.6.255", "mask=255.255.255.0", "gateway=none", "dns=none"),
         "config", "broadcast")
    result(lab, "network", "--yes", "dhcp=on")
    same(fleet.counters(1)["writes"], 0)
    found = result(lab, *fixed, "gateway=none", "dns=192.168.6.1")
    same((found["dhcp"], found["dns"], "gateway" in found), (False, "192.168.6.1", False))
    result(lab, "network", "--yes", "gateway=192.168.6.1")
    says(refused(lab, "network", "--yes", "address=192.168.7.9"), "config", "outside of the network")
    wrong(lab, "network", "--yes", "address=10.0.0.300", part="is no IPv4 address")
    says(refused(lab, *fixed, "gateway=192.168.6.9", "dns=none"), "config", "its own address")
    for bad in ("address=224.0.0.1", "address=127.0.0.1", "dns=0.0.0.0", "dns2=255.255.255.255"):
        wrong(lab, "network", "--yes", bad, part="is no address that one machine")
    wrong(lab, "network", "--yes", "dhcp=off", "address=10.0.0.3", "mask=255.0.255.0",
          part="is no network mask")


@test
def one_machine(lab):
    """an address or a name for several machines is refused before anything is sent to any of them"""
    fleet = Fleet(lab, devices=2)
    fleet.reset()
    for words in (("network", "--yes", "dhcp=off", "address=10.0.0.5", "mask=255.255.255.0"),
                  ("general", "hostname=box")):
        r = lab.run("amt", *words, "a[1-2]")
        same((r.status, r.out), (2, ""), r)
        has(r.err, "one node at a time")
    same((fleet.counters(1)["requests"], fleet.counters(2)["requests"]), (0, 0))
    result(lab, "general", "hostname=box")


@test
def written_once(lab):
    """what is so already is not written, by any method: the flash wears out"""
    fleet = Fleet(lab, "--set", "all:profile=16.1", tls=True)
    same(result(lab, "power-package", "set=1")["power_package"], "1")
    password = lab.write("bob", "P@ssw0rd;x\n")
    result(lab, "users", "add=bob", f"password_file={password}", "realms=hardware")
    for words in (("wifi", "state=off"), ("wifi", "link_preference=host"), ("wifi", "profile_sync=all"),
                  ("power-package", "set=1"), ("network", "--yes", "dhcp=on"), ("general", "ping=off"),
                  ("general", "domain="), ("users", "disable=bob"), ("users", "enable=bob"),
                  ("features", "sol=on", "consent=all"), ("cira", "by_user=os"),
                  ("cira", "detection=a.example.org", "detection=b.example.org"),
                  ("cira", "proxy=p.example.org", "proxy_suffix=example.org", "proxy_sync=on")):
        result(lab, *words)
        fleet.reset()
        result(lab, *words)
        same((fleet.counters(1)["writes"], changes(fleet)), (0, []), words)
    # In another order it is another list.
    result(lab, "cira", "detection=b.example.org", "detection=a.example.org")
    same(fleet.counters(1)["writes"], 1)


@test
def wifi(lab):
    """state, preference, profiles; the passphrase stands in a file that nobody else reads"""
    fleet = Fleet(lab)
    secret = lab.write("phrase", "pass <&> phrase\n")
    found = result(lab, "wifi", "state=s0-sx", "link_preference=me", "add=home", "ssid=My Net",
                   f"passphrase_file={secret}", "priority=2")
    same((found["state"], found["link_preference"]), ("s0-sx", "me"))
    same(found["profiles"], [{"name": "home", "authentication": "wpa2-psk", "encryption": "ccmp",
                              "ssid": "My Net", "priority": 2}])
    says(refused(lab, "wifi", "add=home", f"passphrase_file={secret}"), "refused", "already")
    fleet.set(1, refuse_call="AddWiFiSettings:38")
    says(refused(lab, "wifi", "add=new", f"passphrase_file={secret}"), "refused", "written too often")
    fleet.set(1, refuse_call="no")
    same(result(lab, "wifi", "remove=home")["profiles"], [])
    says(refused(lab, "wifi", "remove=home"), "refused", "no Wi-Fi profile 'home'")
    loose = lab.write("loose", "passphrase\n", mode=0o644)
    misused(lab, "chmod", "wifi", "add=x", f"passphrase_file={loose}")
    r = misused(lab, "command line", "wifi", "add=x", "passphrase=hushhush")
    assert "hushhush" not in r.err, r
    wrong(lab, "wifi", "add=x", part="passphrase_file: is missing")
    misused(lab, "ssid has no effect without add", "wifi", "ssid=x")
    misused(lab, "priority has no effect without add", "wifi", "priority=3")
    misused(lab, "preference_time has no effect without link_preference", "wifi",
            "preference_time=10m")
    fleet.blameless(but=("r400",))


def eap_lab(lab, *args, **how):
    """A device with a root, a certificate of its own, and a password for a network."""
    fleet = Fleet(lab, *args, **how)
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    root = result(lab, "certs", f"add={pair(lab, 'root')[1]}")["certificates"][0]["id"]
    leaf = result(lab, "certs", f"add={cert}", f"private_key_file={key}")["certificates"][1]["id"]
    return fleet, root, leaf, f"identity_password_file={lab.write('eap', 'L0gin&<>')}"


@test
def wifi_8021x(lab):
    """profiles that log in with a certificate or a password, changed and removed; who is taken over"""
    fleet, root, leaf, password = eap_lab(lab, "--set", "all:profile=16.1", tls=True)
    found = result(lab, "wifi", "add=work", "ssid=Corp", "eap=eap-tls", "identity=box1",
                   f"certificate={leaf}", f"ca_certificate={root}", "server_name=.example.org")
    same(found["profiles"], [{"name": "work", "authentication": "wpa2-802.1x", "encryption": "ccmp",
                              "ssid": "Corp", "priority": 1, "eap": "eap-tls", "identity": "box1",
                              "server_name": "example.org"}])
    eap = ("wsman", "get", "CIM_IEEE8021xSettings",
           "selector=InstanceID=Intel(r) AMT:IEEE 802.1x Settings work")
    same(result(lab, *eap)["CIM_IEEE8021xSettings"]["ServerCertificateNameComparison"], "1")
    found = result(lab, "wifi", "change=work", "authentication=wpa-802.1x", "eap=peap", "priority=7",
                   "identity=box2", "domain=CORP", "roaming_identity=anonymous", password,
                   f"ca_certificate={root}", "server_name=radius.example.org")["profiles"]
    same([(p["ssid"], p["authentication"], p["priority"], p["eap"], p["identity"]) for p in found],
         [("work", "wpa-802.1x", 7, "peap", "box2")])
    same({k: v for k, v in result(lab, *eap)["CIM_IEEE8021xSettings"].items()
          if k not in ("ElementName", "InstanceID")},
         {"AuthenticationProtocol": "2", "RoamingIdentity": "anonymous", "Username": "box2",
          "ServerCertificateName": "radius.example.org", "ServerCertificateNameComparison": "0",
          "Domain": "CORP"})
    phrase = f"passphrase_file={lab.write('phrase', 'pass phrase')}"
    found = result(lab, "wifi", "change=work", phrase)["profiles"][0]
    assert found["authentication"] == "wpa2-psk" and "eap" not in found, found
    misused(lab, "passphrase_file: is missing", "wifi", "change=work")
    same(result(lab, "wifi", "remove=work")["profiles"], [])
    fleet.reset()
    login = ("eap=peap", "identity=box", password)
    says(refused(lab, "wifi", "change=work", phrase), "refused", "no Wi-Fi profile 'work'")
    for bad in (leaf, "99"):
        says(refused(lab, "wifi", "state=s0", "add=x", *login, f"ca_certificate={bad}"), "refused",
             "ca_certificate")
    says(refused(lab, "wifi", "state=s0", "add=x", "eap=eap-tls", "identity=b",
                 f"ca_certificate={root}", f"certificate={root}"), "refused", "not its own")
    same(changes(fleet), [], "something was changed before it was looked at")
    found = result(lab, "wifi", "profile_sync=all", "uefi_sharing=on")
    same((found["profile_sync"], found["uefi_sharing"]), ("all", True))
    same(changes(fleet), ["AMT_WiFiPortConfigurationService.Put"])
    Fleet(lab, "--set", "all:profile=11")
    says(refused(lab, "wifi", "uefi_sharing=on"), "unsupported", "UEFIWiFiProfileShareEnabled")


@test
def wifi_8021x_words(lab):
    """what does not fit together in a login by 802.1X is told before anything is sent"""
    password = f"identity_password_file={lab.write('eap', 'L0gin')}"
    ca = "ca_certificate=1"
    for words, part in (
            (("add=x", "eap=peap", "identity=b", password), "ca_certificate: is missing"),
            (("add=x", "eap=peap", "identity=b", ca), "identity_password_file: is missing"),
            (("add=x", "eap=peap", password, ca), "identity: is missing"),
            (("add=x", "eap=eap-tls", "identity=b", ca), "certificate: is missing"),
            (("add=x", "eap=eap-tls", "identity=b", ca, "certificate=1", password), "has none"),
            (("add=x", "eap=peap", "identity=b", ca, "authentication=wpa2-psk", password),
             "eap: goes with"),
            (("add=x", "authentication=wpa2-802.1x"), "eap: goes with"),
            (("add=x", "identity=b"), "identity has no effect without eap"),
            (("eap=peap", "identity=b", ca, password), "eap has no effect without add or change"),
            (("add=x", "change=y"), "one of them at a time"),
            (("add=x", "eap=peap", "identity=b", ca,
              f"identity_password_file={lab.write('long', 'x' * 33)}"), "at most 32")):
        wrong(lab, "wifi", *words, part=part)
    wrong(lab, "network", "--yes", "identity=b", part="identity has no effect without eap")
    wrong(lab, "network", "--yes", "eap=off", "identity=b", part="identity: has no effect with eap=off")


@test
def wired_8021x(lab):
    """the wired port logs in with a certificate or a password, on newer and on older firmware"""
    for profile, put, more in (("15", "IPS_IEEE8021xSettings.Put",
                                ["IPS_IEEE8021xSettings.SetCertificates"]),
                               ("11", "AMT_8021XProfile.Put", [])):
        with Lab() as own:
            fleet, root, leaf, password = eap_lab(own, "--set", f"all:profile={profile}")
            same(result(own, "network")["eap"], "off")
            ca = f"ca_certificate={root}"
            fleet.reset()
            found = result(own, "network", "--yes", "eap=eap-tls", "identity=box1",
                           f"certificate={leaf}", ca, "server_name=.example.org")
            same((found["eap"], found["identity"], found["server_name"], found["dhcp"]),
                 ("eap-tls", "box1", "example.org", True))
            same(changes(fleet), [put, *more])
            same(result(own, "network", "--yes", "eap=peap", "identity=box2", password, ca)["eap"],
                 "peap")
            same(result(own, "network", "--yes", "eap=eap-tls", "identity=box1",
                        f"certificate={leaf}", ca)["eap"], "eap-tls")
            fleet.reset()
            says(refused(own, "network", "--yes", "dhcp=off", "address=10.0.0.9",
                         "mask=255.255.255.0", "eap=peap", "identity=x", password,
                         "ca_certificate=77"), "refused", "77 is not there")
            same(changes(fleet), [])
            found = result(own, "network", "--yes", "eap=off")
            assert found["eap"] == "off" and "identity" not in found, found
            fleet.reset()
            result(own, "network", "--yes", "eap=off")
            same(changes(fleet), [], "it is so already")
            if not more:
                fleet.set(1, absent="AMT_8021XProfile")
                says(refused(own, "network", "--yes", "eap=off"), "unsupported", "knows no 802.1X")
                assert "eap" not in result(own, "network")


# --- cira, proxies. --------------------------------------------------------------------------


@test
def cira(lab):
    """one server in place of another, its policies, where it is at home; all of it cleared"""
    fleet = Fleet(lab)
    password = lab.write("mps", "s3cret!\n")
    login = ("user=dev", f"password_file={password}")
    for server in ("old.example.org", "new.example.org"):
        found = result(lab, "cira", f"server={server}", *login, "every=25s", "by_user=os",
                       "detection=a.example.org", "detection=b.example.org")
        same([s["address"] for s in found["servers"]], [server])
        same([p["name"] for p in found["policies"]], ["User Initiated", "Periodic"])
        same((found["by_user"], found["detection"]),
             ("os", ["a.example.org", "b.example.org"]))
    fleet.reset()
    found = result(lab, "cira", "clear=true")
    same((found["servers"], found["policies"], "detection" in found), ([], [], False))
    same(changes(fleet), ["AMT_RemoteAccessPolicyRule.Delete"] * 2 +
         ["AMT_ManagementPresenceRemoteSAP.Delete",
          "AMT_EnvironmentDetectionSettingData.Put"])
    wrong(lab, "cira", "server=10.0.0.1", *login, part="certificate_name: is missing")
    wrong(lab, "cira", "server=x", part="password_file are needed")
    wrong(lab, "cira", "server=x", "clear=true", part="server and clear: one of them")
    for word in ("every=25s", "daily=03:30", "certificate=5", "on_alert=on", "lifetime=5m"):
        wrong(lab, "cira", word, part=f"{word.split('=')[0]} has no effect without server")
    wrong(lab, "cira", "server=x", *login, "certificate=5", part="one of them")
    wrong(lab, "cira", "server=x", *login, "daily=03:30", "every=5m", part="one of them")
    for bad in ("mps.lab:4433", "https://mps.lab", "bad host", ".x"):
        wrong(lab, "cira", f"server={bad}", *login, part="neither a host's name nor an address")
        wrong(lab, "cira", f"proxy={bad}", "proxy_suffix=x", part="neither a host's name")
    wrong(lab, "cira", "detection=not a suffix", part="is no DNS suffix")
    for word in ("every", "lifetime"):
        wrong(lab, "cira", "server=x", *login, f"{word}=1500ms", part=f"{word}: is in whole seconds")
    for bad in ("24:00", "3:30", "03:60", "03.30", "03:300", ""):
        wrong(lab, "cira", "server=x", *login, f"daily={bad}", part="no time of the day")
    wrong(lab, "cira", "server=x", "user=dev",
          f"password_file={lab.write('long', 'x' * 17)}", part="at most 16")


@test
def cira_more(lab):
    """a certificate in place of a login, from where and when it calls, and all of it on old firmware"""
    fleet = Fleet(lab, devices=2)
    fleet.set(2, profile="8")
    key, cert = pair(lab, "box", "-addext", "basicConstraints=critical,CA:FALSE")
    root = result(lab, "certs", f"add={pair(lab, 'root')[1]}")["certificates"][0]["id"]
    leaf = result(lab, "certs", f"add={cert}", f"private_key_file={key}")["certificates"][1]["id"]
    found = result(lab, "cira", "server=mps.example.org", f"certificate={leaf}", "daily=23:05",
                   "on_alert=on", "lifetime=5m", "networks=both")
    same([(p["name"], p["trigger"], p["lifetime"], p["networks"]) for p in found["policies"]],
         [("User Initiated", "user", 300, "both"), ("Alert", "alert", 300, "both"),
          ("Periodic", "periodic", 300, "both")])
    data = result(lab, "wsman", "get", "AMT_RemoteAccessPolicyRule",
                  "selector=PolicyRuleName=Periodic")["AMT_RemoteAccessPolicyRule"]["ExtendedData"]
    same(base64.b64decode(data), bytes([0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 5]))
    fleet.reset()
    same({p["networks"] for p in result(lab, "cira", "networks=inside")["policies"]}, {"inside"})
    same(changes(fleet), ["AMT_RemoteAccessPolicyAppliesToMPS.Put"] * 3)
    fleet.reset()
    result(lab, "cira", "networks=inside")
    same(changes(fleet), [], "it is so already")
    # What the device would refuse is seen while the old server is still there.
    for bad, why in ((root, "not its own"), ("77", "not there")):
        says(refused(lab, "cira", "server=other.example.org", f"certificate={bad}"), "refused", why)
    login = ("user=dev", f"password_file={lab.write('mps', 's3cret!')}")
    says(refused(lab, "cira", "server=x.example.org", *login, "networks=both", node="a2"),
         "unsupported", "before 11.6")
    same(changes(fleet), [])
    assert "networks" not in result(lab, "cira", "server=x.example.org", *login,
                                    node="a2")["policies"][0]
    fleet.set(2, profile="11")
    same({p["networks"] for p in result(lab, "cira", "server=y.example.org", *login, "networks=both",
                                        node="a2")["policies"]}, {"both"})


def cira_lab(lab):
    """A device that calls old.example.org for all reasons and from everywhere, and the way to another server."""
    fleet = Fleet(lab)
    login = ("user=dev", f"password_file={lab.write('mps', 's3cret!')}", "on_alert=on", "networks=both")
    was = result(lab, "cira", "server=old.example.org", *login, "daily=23:05", "lifetime=5m")
    return fleet, was, ("cira", "server=new.example.org", *login, "every=90m")


def in_order(found):
    """What was put back is listed last."""
    return {**found, "policies": sorted(found["policies"], key=lambda p: p["name"])}


@test
def cira_refused(lab):
    """wherever on the way to another server the device refuses: the old one and its policies are still there, or again"""
    fleet, was, other = cira_lab(lab)
    same([(p["server"], p["networks"], p.get("daily")) for p in was["policies"]],
         [("old.example.org", "both", None)] * 2 + [("old.example.org", "both", "23:05")])
    for setting in ({"audit_full": 1}, {"refuse_call": "AddMpServer:2"}):
        fleet.set(1, **setting)
        line = lab.run("--json", "amt", *other, "a1").json[0]
        same((line["error"]["class"], line["changed"]), ("refused", False), line)
        fleet.set(1, audit_full=0, refuse_call="no")
        same(result(lab, "cira"), was)
    policy = "AMT_RemoteAccessPolicyRule.Delete"
    apply = "AMT_RemoteAccessPolicyAppliesToMPS.Put"
    for call in ("AddRemoteAccessPolicyRule", policy, apply):
        for skip in range(3):
            fleet.set(1, refuse_call=f"{call}:2", refuse_skip=skip, refuse_count=1)
            says(refused(lab, *other), "refused", "servers and policies are as they were")
            same(in_order(result(lab, "cira")), in_order(was), f"{call} after {skip}")
    # What cannot be put back is told.
    for call, left in (("AddRemoteAccessPolicyRule", "servers: old.example.org; policies: Periodic, Alert"),
                       ("AMT_ManagementPresenceRemoteSAP.Delete",
                        "servers: old.example.org, new.example.org; policies: User Initiated, Alert, Periodic")):
        fleet.set(1, refuse_call=f"{call}:2", refuse_skip=0, refuse_count=0)
        says(refused(lab, *other), "refused", f"what it has now: {left}")
        fleet.set(1, refuse_call="no")
    found = result(lab, *other[:1], "server=third.example.org", *other[2:])
    same([a["address"] for a in found["servers"]], ["third.example.org"])
    same(found["policies"][2]["every"], "1h30m")
    fleet.set(1, refuse_call=f"{policy}:2", refuse_skip=1)
    says(refused(lab, "cira", "clear=true"), "refused",
         "what it has now: servers: third.example.org; policies: Alert, Periodic")


@test
def cira_no_room(lab):
    """an address that is there already, and a device that has room for no more servers"""
    fleet, was, other = cira_lab(lab)
    again = ("cira", "server=old.example.org", *other[2:])
    fleet.set(1, refuse_call="AddMpServer:2", refuse_count=1)
    says(refused(lab, *again), "refused", "servers and policies are as they were")
    same(result(lab, "cira"), was)
    # The name that the device gives to what is put back may be another one.
    was = result(lab, *other)
    fleet.set(1, refuse_call="AddMpServer:2", refuse_count=1)
    says(refused(lab, *other), "refused", "servers and policies are as they were")
    found = result(lab, "cira")
    same(found["policies"], was["policies"])
    assert found["servers"][0]["name"] != was["servers"][0]["name"], found
    found = result(lab, *again)
    same(([s["address"] for s in found["servers"]], found["policies"][2]["every"]),
         (["old.example.org"], "1h30m"))
    fleet.set(1, mp_servers=1)
    fleet.reset()
    says(refused(lab, *other), "refused", "room for no more")
    same((changes(fleet), fleet.counters(1)["writes"]), (["AMT_RemoteAccessService.AddMpServer"], 0))
    fleet.set(1, mp_servers=2)
    add = ["set=" + word for word in ("AccessInfo=spare", "InfoFormat=201", "Port=4433", "AuthMethod=2",
                                      "Username=a", "Password=b")]
    result(lab, "wsman", "invoke", "--yes", "AMT_RemoteAccessService", "AddMpServer", *add)
    same([s["address"] for s in result(lab, "cira")["servers"]], ["old.example.org", "spare"])
    found = result(lab, *other)
    same(({p["server"] for p in found["policies"]}, len(found["servers"])), ({"new.example.org"}, 1))
    fleet.set(1, refuse_call="AddMpServer:2")
    fleet.set(1, refuse_count=0, refuse_skip=0)
    says(refused(lab, "cira", "server=new.example.org", *other[2:]), "refused",
         "what it has now: servers: none; policies: none")


@test
def proxies(lab):
    """HTTP proxies on the way to the server: added, removed, taken over, forgotten"""
    fleet = Fleet(lab, devices=2)
    fleet.set(2, profile="11")
    found = result(lab, "cira", "proxy=10.0.0.3", "proxy_suffix=corp.example.org", "proxy_sync=on")
    same((found["proxies"][0]["address"], found["proxies"][0]["port"], found["proxies"][0]["suffix"],
          found["proxy_sync"]), ("10.0.0.3", 8080, "corp.example.org", True))
    result(lab, "cira", "proxy=p.example.org", "proxy_port=3128", "proxy_suffix=corp.example.org")
    says(refused(lab, "cira", "proxy=p.example.org", "proxy_suffix=x"), "refused", "exists already")
    same([p["address"] for p in result(lab, "cira", "remove_proxy=10.0.0.3")["proxies"]],
         ["p.example.org"])
    says(refused(lab, "cira", "remove_proxy=10.0.0.3"), "refused", "no proxy '10.0.0.3'")
    # What goes is not there already: it is added again, here to another network and there to the same.
    again = ("proxy=p.example.org", "proxy_port=3128", "proxy_suffix=corp.example.org")
    for word in ("clear=true", "remove_proxy=p.example.org"):
        same([p["address"] for p in result(lab, "cira", word, *again)["proxies"]], ["p.example.org"], word)
    same(result(lab, "cira", "clear=true")["proxies"], [])
    for word in ("proxy_sync=on", "remove_proxy=x"):
        says(refused(lab, "cira", word, node="a2"), "unsupported", "knows no proxies")
    wrong(lab, "cira", "proxy=x", part="proxy_suffix is missing")
    wrong(lab, "cira", "proxy_suffix=x", part="proxy_suffix has no effect without proxy")


if __name__ == "__main__":
    main()
