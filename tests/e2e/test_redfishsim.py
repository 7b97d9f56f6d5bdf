#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks powerctl-redfishsim with what others wrote: sushy, redfishtool, fence_redfish, curl.

What these do not reach is asked for with requests of our own.
"""
import json
import socket
import subprocess
import time
import urllib.parse

import lib
from lib import has, main, many, same, test, until
from redfishlib import IDS, PASSWORD, PROFILES, USER, Client, RedfishFleet

# Where sushy is told a mode as well: AMI demands one.
WITH_MODE = ("ami", "dmtf")


def links(doc):
    """Everything that a document refers to."""
    if isinstance(doc, dict):
        for key, value in doc.items():
            if key in ("@odata.id", "@Redfish.ActionInfo") or key.endswith("nextLink"):
                yield value.split("#")[0]
            else:
                yield from links(value)
    elif isinstance(doc, list):
        for value in doc:
            yield from links(value)


def boot(fleet, n=1, **members):
    """PATCHes Boot as the profile wants it done; status and document."""
    path = fleet.system_path(n)
    if fleet.profile == "ami":
        path += "/SD"
    _, fields, _ = fleet.ask("GET", path, n=n)
    body = {"Boot": {f"BootSourceOverride{k}": v for k, v in members.items()}}
    more = {"If_Match": fields["ETag"]} if fields["ETag"] else {}
    status, _, doc = fleet.ask("PATCH", path, body, n=n, **more)
    return status, doc


def reset(fleet, word, n=1):
    status, fields, doc = fleet.ask("POST", fleet.system_path(n) + "/Actions/ComputerSystem.Reset",
                                    {"ResetType": word}, n=n)
    return status, fields, doc


def message(doc):
    """The MessageId of an error without its registry, in either style."""
    info = doc["error"]["@Message.ExtendedInfo"][0]
    return (info.get("MessageId") or info["MessageID"]).split(".")[-1]


@test
def every_link_leads_somewhere(lab):
    """every link of every profile leads to a document, and none to another service"""
    for profile in PROFILES:
        fleet = RedfishFleet(lab, "--state", "on", profile=profile, systems=2)
        seen, todo = set(), ["/redfish/v1/"]
        while todo:
            path = todo.pop()
            if path.rstrip("/") in seen:
                continue
            seen.add(path.rstrip("/"))
            found = fleet.get(path)
            same(found["@odata.id"].rstrip("/"), path.split("?")[0].rstrip("/"), path)
            todo += links(found)
        assert len(seen) > 50, (profile, len(seen))
        same(fleet.counters()["r2xx"], len(seen), profile)


@test
def sushy_boots_and_resets(lab):
    """sushy with a session: get_system, boot from PXE once, reset, off; every profile"""
    fleets = {p: RedfishFleet(lab, "--state", "on", profile=p) for p in PROFILES}
    Client(lab).sushies(fleets, f"""
system = root.get_system()
assert system.power_state == sushy.PowerState.ON, (profile, system.power_state)
assert system.identity == {IDS!r}[profile][0], (profile, system.identity)
assert sushy.ResetType.FORCE_RESTART in system.get_allowed_reset_system_values(), profile
mode = dict(mode=sushy.BOOT_SOURCE_MODE_UEFI) if profile in {WITH_MODE!r} else dict()
system.set_system_boot_options(target=sushy.BOOT_SOURCE_TARGET_PXE,
                               enabled=sushy.BOOT_SOURCE_ENABLED_ONCE, **mode)
system.refresh()
assert system.boot.target == sushy.BOOT_SOURCE_TARGET_PXE, (profile, system.boot.target)
system.reset_system(sushy.ResetType.FORCE_RESTART)
system.refresh()
assert system.power_state == sushy.PowerState.ON, (profile, system.power_state)
assert system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_DISABLED, (profile, system.boot.enabled)
system.reset_system(sushy.ResetType.FORCE_OFF)
system.refresh()
assert system.power_state == sushy.PowerState.OFF, (profile, system.power_state)
""")
    for profile, fleet in fleets.items():
        found = fleet.device()
        same((found["last_boot"], found["boots"], found["power"]), ("Pxe", 1, "off"), profile)
        counted = found["counters"]
        same((counted["logins"], counted["reset_restart"], counted["reset_off"],
              counted["boot_patches"]), (1, 1, 1, 1), profile)
        if profile in WITH_MODE:
            same(found["last_mode"], "UEFI", profile)


@test
def sushy_looks_around(lab):
    """sushy: manager and its reset, chassis, processors, sensors, LED, virtual media, firmware"""
    client = Client(lab)
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:bmc_ms=1")
    client.sushy(fleet, """
system = root.get_system()
manager = root.get_manager("/redfish/v1/Managers/BMC")
assert manager.firmware_version == "1.45.455b66-rev4", manager.firmware_version
chassis = root.get_chassis("/redfish/v1/Chassis/1U")
assert [t.reading_celsius for t in chassis.thermal.temperatures] == [42.0, 23.0]
assert [f.reading for f in chassis.thermal.fans] == [5400, 5520]
assert len(chassis.power.power_supplies) == 2
assert len(system.processors.get_members()) == 2
assert system.processors.summary.count == 64  # threads
assert len(system.ethernet_interfaces.get_members()) == 2
system.set_indicator_led(sushy.IndicatorLED.LIT)
firmware = root.get_update_service().firmware_inventory.get_members()
assert [f.version for f in firmware][1] == manager.firmware_version
media = manager.virtual_media.get_members()[0]
media.insert_media("http://images.test/debian.iso")
media.refresh()
assert media.inserted and media.image_name == "debian.iso", media.image_name
media.eject_media()
""")
    found = fleet.device()
    same((found["led"], found["media"]), (1, [None, None]), found)
    same((found["counters"]["media_inserts"], found["counters"]["media_ejects"]), (1, 1), found)
    client.sushy(fleet, """
manager = root.get_manager("/redfish/v1/Managers/BMC")
manager.reset_manager(sushy.ResetType.FORCE_RESTART)
""")
    fleet.wait(lambda d: d["counters"]["bmc_resets"] == 1 and not d["gone"])
    fleet.get("/redfish/v1/Systems")


@test
def fence_redfish_fences(lab):
    """fence_redfish: status, on, reboot, diag; off of every profile"""
    client = Client(lab)
    for profile in PROFILES:
        fleet = RedfishFleet(lab, "--state", "on", profile=profile)
        same(client.fence(fleet, "off"), 0, profile)
        same((fleet.device()["power"], fleet.counters()["logins"]), ("off", 0), profile)
    same(client.fence(fleet, "status"), 2, "status of one that is off")
    same((client.fence(fleet, "on"), fleet.device()["power"]), (0, "on"), "on")
    same(client.fence(fleet, "status"), 0, "status of one that is on")
    same(client.fence(fleet, "diag"), 0, "diag")
    same(client.fence(fleet, "reboot"), 0, "reboot")
    counted = fleet.counters()
    same((counted["reset_nmi"], counted["reset_off"], counted["reset_on"]), (1, 2, 2), counted)


@test
def redfishtool_lists_and_resets(lab):
    """redfishtool: Systems list, reset, setBootOverride; every profile; Basic and session"""
    client = Client(lab)
    for profile in PROFILES:
        fleet = RedfishFleet(lab, "--state", "on", profile=profile)
        client.redfishtool(fleet, "-A", "Session", "Systems", "reset", "ForceOff")
        same((fleet.device()["power"], fleet.counters()["logins"]), ("off", 1), profile)
        # It knows nothing of @Redfish.Settings, and reads targets where iLO 4 has none.
        if profile in ("ami", "hpe-gen9"):
            continue
        client.redfishtool(fleet, "Systems", "setBootOverride", "Once", "Pxe")
        same((fleet.device()["override"], fleet.device()["target"]), ("Once", "Pxe"), profile)
    fleet = RedfishFleet(lab, systems=3)
    found = json.loads(client.redfishtool(fleet, "Systems", "list"))
    same(found["Members"][0]["Id"], IDS["dmtf"][0], "the first of three")
    client.redfishtool(fleet, "Systems", "reset", "On", status=None)
    same(fleet.counters()["resets"], 0, "redfishtool chose among three")
    client.redfishtool(fleet, "-I", "437XR1138R22", "Systems", "reset", "On")
    same([s["power"] for s in fleet.device()["systems"]], ["off", "on", "off"], "second of three")


@test
def redfishtool_sets_passwords(lab):
    """redfishtool: finds the account, sets its password; it does so where an ETag is wanted, too"""
    client = Client(lab)
    for profile in ("dmtf", "dell", "lenovo", "openbmc"):
        fleet = RedfishFleet(lab, profile=profile)
        has(client.redfishtool(fleet, "AccountService", "Accounts", "list"), '"admin"')
        # Sometimes it looks at the account once more, with the old password.
        client.redfishtool(fleet, "AccountService", "setpassword", "admin", "An0ther-One",
                           status=(0, 5))
        same(fleet.counters()["set_password"], 1, profile)
        client.redfishtool(fleet, "Systems", "list", status=5)


@test
def curl_logs_in(lab):
    """curl: a session from POST to DELETE, 401 without, over TLS and in chunks"""
    client = Client(lab)
    fleet = RedfishFleet(lab, "--set", "all:chunked=7")
    sessions = fleet.url(tls=True, path="/redfish/v1/SessionService/Sessions")
    systems = fleet.url(tls=True, path="/redfish/v1/Systems")
    body = json.dumps({"UserName": USER, "Password": PASSWORD})
    answer = client.curl("-i", "-d", body, sessions)
    has(answer, " 201 ")
    fields = dict(line.split(": ", 1) for line in answer.split("\n\n")[0].split("\n")[1:])
    token = f"X-Auth-Token: {fields['X-Auth-Token']}"
    has(client.curl("-H", token, systems), "437XR1138R2")
    has(client.curl("-H", token.lower(), systems), "437XR1138R2")
    has(client.curl("-i", systems), " 401 ")
    has(client.curl("-i", "-H", "X-Auth-Token: 0123", systems), " 401 ")
    place = urllib.parse.urljoin(sessions, fields["Location"])
    has(client.curl("-i", "-X", "DELETE", "-H", token, place), " 204 ")
    has(client.curl("-i", "-H", token, systems), " 401 ")
    has(client.curl("-i", "-d", body.replace(PASSWORD, "wrong"), sessions), " 401 ")
    counted = fleet.counters()
    same((counted["logins"], counted["logins_bad"], counted["logouts"], counted["token_bad"]),
         (1, 1, 1, 2), counted)


@test
def sessions_end(lab):
    """sessions: a limit, an idle time, an end in the middle, all forgotten; a profile without"""
    fleet = RedfishFleet(lab, "--set", "all:session_limit=2")
    path, body = "/redfish/v1/SessionService/Sessions", {"UserName": USER, "Password": PASSWORD}
    tokens = []
    for _ in range(2):
        status, fields, doc = fleet.ask("POST", path, body, login=False)
        same((status, "Password" in doc), (201, False), doc)
        tokens.append(fields["X-Auth-Token"])
    status, _, doc = fleet.ask("POST", path, body, login=False)
    same((status, message(doc)), (503, "SessionLimitExceeded"), doc)
    same(fleet.counters()["sessions_peak"], 2, "peak")

    def ask(token):
        return fleet.ask("GET", "/redfish/v1/Systems", login=False, X_Auth_Token=token)[0]

    fleet.set(1, session_every=2)
    same([ask(tokens[0]), ask(tokens[0]), ask(tokens[0])], [200, 401, 401], "every second")
    fleet.set(1, session_every=0, forget_sessions=1)
    same((ask(tokens[1]), fleet.device()["sessions"]), (401, 0), "forgotten")
    tokens = [fleet.ask("POST", path, body, login=False)[1]["X-Auth-Token"]]
    same(ask(tokens[0]), 200, "a new one")
    fleet.set(1, session_s=1)
    fleet.wait(lambda d: d["sessions"] == 0)
    same(ask(tokens[0]), 401, "idle for too long")
    fleet.set(1, auth="basic")
    same(fleet.ask("POST", path, body, login=False)[0], 401, "no SessionService")
    same(fleet.ask("POST", path, body)[0], 404, "no SessionService")
    assert "SessionService" not in fleet.get("/redfish/v1"), "SessionService in the root"
    fleet.set(1, auth="session")
    same(fleet.ask("GET", "/redfish/v1/Systems")[0], 401, "no Basic")


@test
def accounts_lock(lab):
    """wrong passwords lock the account, for a while"""
    fleet = RedfishFleet(lab, "--set", "all:lock_after=2", "--set", "all:lock_s=3600")
    path = "/redfish/v1/Systems"
    wrong = {"Authorization": lib.basic(USER, "wrong")}
    same(fleet.ask("GET", path)[0], 200, "right")
    same([fleet.ask("GET", path, login=False, **wrong)[0] for _ in range(2)], [401, 401], "wrong")
    same(fleet.ask("GET", path)[0], 401, "right, but locked")
    same(fleet.counters()["basic_bad"], 3, "counted")


@test
def etags_are_asked_for(lab):
    """If-Match: 428 where it is missing, 412 where it is wrong; weak, strong, of the whole body"""
    for profile, missing, weak in (("dmtf", 200, 200), ("dell", 200, 200), ("lenovo", 428, 412),
                                   ("openbmc", 204, 412)):
        fleet = RedfishFleet(lab, "--state", "on", profile=profile)
        path, body = fleet.system_path(), {"Boot": {"BootSourceOverrideTarget": "Pxe",
                                                    "BootSourceOverrideEnabled": "Once"}}
        same(fleet.ask("PATCH", path, body)[0], missing, f"{profile} without If-Match")
        tag = fleet.ask("GET", path)[1]["ETag"]
        same(fleet.ask("PATCH", path, body, If_Match='"0"')[0], 412, f"{profile} with a wrong one")
        other = tag[2:] if tag.startswith("W/") else "W/" + tag
        same(fleet.ask("PATCH", path, body, If_Match=other)[0], weak, f"{profile}: {other}")
        tag = fleet.ask("GET", path)[1]["ETag"]
        same(fleet.ask("PATCH", path, body, If_Match=tag)[0] // 100, 2, f"{profile}: {tag}")
        same(fleet.ask("PATCH", path, body, If_Match="*")[0] // 100, 2, f"{profile}: any")
        fleet.set(1, power="off")
        new = fleet.ask("GET", path)[1]["ETag"]
        same(new != fleet.ask("GET", path)[1]["ETag"], False, "stable")
        tag = fleet.ask("GET", path)[1]["ETag"]
        fleet.set(1, power="on")
        same(fleet.ask("GET", path)[1]["ETag"] != tag, profile == "openbmc", f"{profile}: state")
    fleet = RedfishFleet(lab, "--set", "all:etag=none")
    same(fleet.ask("GET", fleet.system_path())[1]["ETag"], None, "none")
    fleet.set(1, etag="weak", etag_every=2)
    tag = fleet.ask("GET", fleet.system_path())[1]["ETag"]
    same(tag[:3], 'W/"', tag)
    found = [fleet.ask("PATCH", fleet.system_path(), {"AssetTag": "x"}, If_Match="*")[0]
             for _ in range(2)]
    same(found, [200, 412], "every second")
    tag = fleet.ask("GET", fleet.system_path())[1]["ETag"]
    same(fleet.ask("GET", fleet.system_path(), If_None_Match=tag)[0], 304, "known")


@test
def vendors_boot_their_way(lab):
    """each vendor's rules of a boot PATCH: whole, minimal, elsewhere, Mode, Continuous, POST"""
    def fresh(profile, *args):
        return RedfishFleet(lab, "--state", "on", *args, profile=profile)

    once = {"Target": "Pxe", "Enabled": "Once"}
    ami = fresh("ami")
    same(boot(ami, **once)[0], 400, "AMI without Mode")
    same(boot(ami, **once, Mode="UEFI")[0], 204, "AMI, whole")
    tag = ami.ask("GET", ami.system_path())[1]["ETag"]
    status, _, doc = ami.ask("PATCH", ami.system_path(), {"Boot": {}}, If_Match=tag)
    same((status, message(doc)), (400, "OperationSupportedInFutureStateURI"), doc)

    smc = fresh("supermicro")
    same(boot(smc, **once, Mode="UEFI")[0], 200, "Supermicro")
    same((smc.device()["mode"], smc.device()["override"]), ("UEFI", "Once"), "as sent")
    same(boot(smc, **once)[0], 200, "Supermicro")
    same(smc.device()["mode"], "Legacy", "Mode was not sent again")
    same(boot(smc, Target="Hdd")[0], 200, "Supermicro")
    same(smc.device()["override"], "Disabled", "Enabled was not sent")

    hpe = fresh("hpe", "--set", "all:post_ms=3600000")
    same(message(boot(hpe, **once, Mode="UEFI")[1]), "PropertyNotWritableOrUnknown", "HPE")
    same(message(boot(hpe, Target="Pxe", Enabled="Continuous")[1]), "PropertyValueNotInList", "HPE")
    same(message(boot(hpe, Target="None", Enabled="Disabled")[1]), "PropertyValueIncompatible",
         "HPE")
    same(boot(hpe, **once)[0], 200, "HPE")
    same(boot(hpe, Target="None")[0], 200, "HPE")
    same(hpe.device()["override"], "Disabled", "HPE: None clears it")
    same(reset(hpe, "ForceRestart")[0], 200, "HPE")
    same(message(boot(hpe, **once)[1]), "UnableToModifyDuringSystemPOST", "HPE")

    old = fresh("hpe-gen9")
    found = old.get(old.system_path() + "/")["Boot"]
    assert "BootSourceOverrideMode" not in found and found["BootSourceOverrideSupported"], found
    same(boot(old, **once, Mode="UEFI")[0], 400, "Gen9")
    same(boot(old, **once)[0], 200, "Gen9")

    for profile in ("dmtf", "dell", "lenovo"):
        fleet = fresh(profile)
        path, tag = fleet.system_path(), None
        tag = fleet.ask("GET", path)[1]["ETag"]
        url = {"Boot": {"BootSourceOverrideTarget": "UefiHttp", "BootSourceOverrideEnabled": "Once",
                        "BootSourceOverrideMode": "UEFI", "HttpBootUri": "http://i.test/x.efi"}}
        same(fleet.ask("PATCH", path, url, If_Match=tag)[0], 200, profile)
        same(reset(fleet, "ForceRestart")[0], 204, profile)
        found = fleet.device()
        same((found["last_boot"], found["last_url"], found["override"]),
             ("UefiHttp", "http://i.test/x.efi", "Disabled"), profile)
    fleet = fresh("dmtf")
    same(boot(fleet, Target="Hdd", Enabled="Continuous")[0], 200, "Continuous")
    reset(fleet, "PowerCycle")
    found = fleet.device()
    same((found["last_boot"], found["override"], found["target"]), ("Hdd", "Continuous", "Hdd"),
         "it lasts")
    for members in ({"Target": "Tape"}, {"Target": 7}, {"Nothing": "x"}):
        same(boot(fleet, **members)[0], 400, members)


@test
def resets_have_their_rules(lab):
    """Reset: what is offered, what is so already, what the state forbids, 409 after off"""
    for profile, again, off in (("dmtf", 204, 204), ("dell", 409, 409), ("hpe", 400, 400),
                                ("hpe-gen9", 400, 400), ("supermicro", 200, 200),
                                ("lenovo", 204, 204), ("ami", 204, 204), ("openbmc", 204, 204)):
        fleet = RedfishFleet(lab, "--state", "on", profile=profile)
        same(reset(fleet, "On")[0], again, f"{profile}: On while on")
        same(reset(fleet, "ForceOff")[0] // 100, 2, profile)
        same(reset(fleet, "ForceOff")[0], again, f"{profile}: ForceOff while off")
        same(reset(fleet, "ForceRestart")[0], off, f"{profile}: ForceRestart while off")
        same(fleet.device()["power"], "on" if off < 300 else "off", profile)
        status, _, doc = reset(fleet, "Explode")
        same((status, message(doc)), (400, "ActionParameterNotSupported"), profile)
        same(fleet.ask("POST", fleet.system_path() + "/Actions/ComputerSystem.Reset", {})[0], 400,
             profile)
        text = json.dumps(fleet.get(fleet.system_path() + "/"))
        same("AllowableValues" in text.split('"#ComputerSystem.Reset"')[1],
             profile not in ("ami", "openbmc"), f"{profile}: where the values are")
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:off_busy_ms=3600000", profile="dell")
    reset(fleet, "ForceOff")
    same(reset(fleet, "On")[0], 409, "too early")
    fleet.set(1, off_busy_ms=0)
    same(reset(fleet, "On")[0], 204, "not any more")
    fleet.set(1, refuse_reset=503)
    same(reset(fleet, "ForceOff")[0], 503, "refused")
    fleet.set(1, refuse_reset=0, ignore_reset=1)
    same((reset(fleet, "ForceOff")[0], fleet.device()["power"]), (204, "on"), "ignored")


@test
def states_take_time(lab):
    """transitions: PoweringOff and PoweringOn, or the old state, or null; a cycle; soft; lies"""
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:transition_ms=3600000")

    def shown():
        return fleet.get(fleet.system_path())["PowerState"]

    same(reset(fleet, "ForceOff")[0], 204, "off")
    same((shown(), fleet.device()["power"]), ("PoweringOff", "on"), "on its way")
    fleet.set(1, shows="old")
    same(shown(), "On", "old")
    fleet.set(1, shows="null")
    same(shown(), None, "null")
    fleet.set(1, lie_state="off")
    same(shown(), "Off", "a lie")
    fleet.set(1, lie_state="no", shows="profile", power="off", transition_ms=3600000)
    same(reset(fleet, "On")[0], 204, "on")
    same(shown(), "PoweringOn", "on its way")
    fleet.set(1, power="on", transition_ms=300)
    same(reset(fleet, "PowerCycle")[0], 204, "cycle")
    boots = fleet.device()["boots"]
    fleet.wait(lambda d: d["boots"] == boots + 1 and not d["changing"])
    same(shown(), "On", "cycled")
    fleet.set(1, os_agent=0)
    same((reset(fleet, "GracefulShutdown")[0], shown()), (204, "On"), "nobody listens")
    fleet.set(1, os_agent=1, soft_ms=1)
    reset(fleet, "GracefulShutdown")
    until("it is off", lambda: shown() == "Off")
    same(reset(fleet, "PushPowerButton")[0], 204, "button")
    until("it is on", lambda: shown() == "On")
    dell = RedfishFleet(lab, "--state", "on", "--set", "all:transition_ms=3600000", profile="dell")
    reset(dell, "ForceOff")
    same(dell.get(dell.system_path())["PowerState"], "On", "Dell shows the old state")


@test
def tasks_are_watched(lab):
    """202 with a monitor and Retry-After; then 204, or the task's failure"""
    fleet = RedfishFleet(lab, "--set", "all:tasks=reset", "--set", "all:task_ms=3600000")
    status, fields, doc = reset(fleet, "On")
    same((status, fields["Retry-After"], doc["TaskState"]), (202, "1", "Running"), doc)
    monitor = fields["Location"]
    status, fields, doc = fleet.ask("GET", monitor)
    same((status, fields["Location"], doc["TaskState"]), (202, monitor, "Running"), doc)
    fleet.set(1, task_ms=0)
    monitor = reset(fleet, "ForceOff")[1]["Location"]
    same(fleet.ask("GET", monitor)[0], 204, "done")
    fleet.set(1, task_fails=1)
    monitor = reset(fleet, "On")[1]["Location"]
    status, _, doc = fleet.ask("GET", monitor)
    same((status, message(doc)), (500, "InternalError"), doc)
    same(fleet.get("/redfish/v1/TaskService/Tasks/3")["TaskState"], "Exception", "task")
    same(len(fleet.get("/redfish/v1/TaskService/Tasks")["Members"]), 3, "tasks")
    same(fleet.ask("GET", "/redfish/v1/TaskService/TaskMonitors/9")[0], 404, "none")


@test
def logs_come_in_pages(lab):
    """the log: pages with a link to the next, real events behind made-up ones, ClearLog"""
    for profile in ("dmtf", "dell", "hpe"):
        fleet = RedfishFleet(lab, "--set", "all:log_entries=23", "--set", "all:page=10",
                             profile=profile)
        reset(fleet, "On")
        owner = fleet.get(f"/redfish/v1/Managers/{IDS[profile][2]}/" if profile == "dell"
                          else fleet.system_path() + "/")
        logs = fleet.get(owner["LogServices"]["@odata.id"])
        log = fleet.get(logs["Members"][0]["@odata.id"])
        path, found = log["Entries"]["@odata.id"], []
        while path:
            page = fleet.get(path)
            assert len(page["Members"]) <= 10, page
            same(page["Members@odata.count"], 24, page)
            found += page["Members"]
            path = page.get("Members@odata.nextLink")
        same([e["Id"] for e in found], [str(n) for n in range(1, 25)], "entries")
        has(found[-1]["Message"], "power on")
        same(fleet.get(found[3]["@odata.id"])["Message"], found[3]["Message"], "one entry")
        status, _, _ = fleet.ask("POST", log["Actions"]["#LogService.ClearLog"]["target"], {})
        same(status // 100, 2, profile)
        same(fleet.get(log["Entries"]["@odata.id"])["Members"], [], "cleared")


@test
def lights_media_and_policy(lab):
    """identify lights, restore policy and virtual media, by action or by PATCH"""
    for profile in PROFILES:
        fleet = RedfishFleet(lab, profile=profile)
        path, image = fleet.system_path(), {"Image": "http://images.test/x.iso"}
        shown = fleet.get(path + "/")
        if "IndicatorLED" in shown:
            status, _, _ = fleet.ask("PATCH", path, {"IndicatorLED": "Blinking"}, If_Match="*")
            same((status // 100, fleet.device()["led"]), (2, 2), profile)
        if "LocationIndicatorActive" in shown:
            same(fleet.ask("PATCH", f"/redfish/v1/Chassis/{IDS[profile][1]}",
                           {"LocationIndicatorActive": True}, If_Match="*")[0] // 100, 2, profile)
            same(fleet.get(path)["LocationIndicatorActive"], True, profile)
        if "PowerRestorePolicy" in shown:
            same(fleet.ask("PATCH", path, {"PowerRestorePolicy": "LastState"},
                           If_Match="*")[0] // 100, 2, profile)
            same(fleet.get(path + "/")["PowerRestorePolicy"], "LastState", profile)
        media = fleet.get(f"/redfish/v1/Managers/{IDS[profile][2]}/VirtualMedia/")["Members"]
        place = fleet.get(media[0]["@odata.id"])
        if "Actions" in place:
            target = place["Actions"]["#VirtualMedia.InsertMedia"]["target"]
            same(fleet.ask("POST", target, image)[0] // 100, 2, profile)
            same(fleet.ask("POST", target, image)[0], 400, "it is in already")
            eject = place["Actions"]["#VirtualMedia.EjectMedia"]["target"]
        else:
            same(fleet.ask("PATCH", place["@odata.id"], image, If_Match="*")[0], 200, profile)
            eject = None
        found = fleet.get(place["@odata.id"])
        same((found["Image"], found["Inserted"]), (image["Image"], True), profile)
        status = fleet.ask("POST", eject, {})[0] if eject else \
            fleet.ask("PATCH", place["@odata.id"], {"Image": None}, If_Match="*")[0]
        same((status // 100, fleet.device()["media"][0]), (2, None), profile)


@test
def sensors_follow_the_power(lab):
    """sensors, in both styles, read what the host's state makes of them"""
    fleet = RedfishFleet(lab, "--state", "on")
    thermal, sensor = "/redfish/v1/Chassis/1U/Thermal", "/redfish/v1/Chassis/1U/Sensors/Fan1"
    same([f["Reading"] for f in fleet.get(thermal)["Fans"]], [5400, 5520], "Thermal")
    same((fleet.get(sensor)["Reading"], fleet.get(sensor)["ReadingUnits"]), (5400, "RPM"), "Sensor")
    fleet.set(1, power="off")
    same([f["Reading"] for f in fleet.get(thermal)["Fans"]], [0, 0], "Thermal")
    same(fleet.get(sensor)["Reading"], 0, "Sensor")
    same(fleet.get("/redfish/v1/Chassis/1U/Power")["PowerControl"][0]["PowerConsumedWatts"], 11,
         "Power")


@test
def managers_go_and_come_back(lab):
    """Manager.Reset: the ports close, sessions are gone, the hosts run on"""
    fleet = RedfishFleet(lab, "--state", "on", "--set", "all:bmc_ms=3600000")
    port = fleet.ports(1)[0]
    path = "/redfish/v1/Managers/BMC/Actions/Manager.Reset"
    same(fleet.ask("POST", path, {"ResetType": "Explode"})[0], 400, "no such type")
    same(fleet.ask("POST", path, {"ResetType": "ForceRestart"})[0], 204, "reset")

    def refused():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) != 0

    until("nobody listens", refused)
    fleet.set(1, bmc_ms=1)
    same(fleet.device()["power"], "on", "the host")
    other = RedfishFleet(lab, "--state", "on", "--set", "all:bmc_ms=1")
    same(other.ask("POST", path, {"ResetType": "ForceRestart"})[0], 204, "reset")
    other.wait(lambda d: not d["gone"])
    same(other.get(other.system_path())["PowerState"], "On", "back")


@test
def faults_spoil_answers(lab):
    """every fault does what its knob says, and ends with it"""
    fleet = RedfishFleet(lab, "--state", "on")
    path = fleet.system_path()

    def status():
        return fleet.ask("GET", path)[0]

    fleet.set(1, e503_every=2, retry_after=7)
    same([status(), status(), status()], [200, 503, 200], "every second")
    same(fleet.ask("GET", path)[1]["Retry-After"], "7", "Retry-After")
    fleet.set(1, e503_every=0, redirect="http://127.0.0.1:1")
    found, fields, _ = fleet.ask("GET", path)
    same((found, fields["Location"]), (307, "http://127.0.0.1:1" + path), "redirected")
    fleet.set(1, redirect="no", html=1)
    found, fields, doc = fleet.ask("GET", path)
    same((found, fields["Content-Type"], doc), (200, "text/html", None), "a page")
    fleet.set(1, html=0, garbage=1)
    same(fleet.ask("GET", path)[2], None, "garbage")
    fleet.set(1, garbage=0, truncate=1)
    same(fleet.ask("GET", path)[2], None, "truncated")
    fleet.set(1, truncate=0, wrong_type=1)
    found, fields, doc = fleet.ask("GET", path)
    same((fields["Content-Type"], doc["PowerState"]), ("text/html", "On"), "wrong type")
    fleet.set(1, wrong_type=0, huge=3)
    same(len(Client(lab).curl("-u", f"{USER}:{PASSWORD}", fleet.url(path=path))) >> 20, 3, "huge")
    fleet.set(1, huge=0, deep=5000)
    has(Client(lab).curl("-u", f"{USER}:{PASSWORD}", fleet.url(path=path)), "[" * 5000)
    fleet.set(1, deep=0, cut_every=1)
    has(Client(lab).curl("-u", f"{USER}:{PASSWORD}", fleet.url(path=path), status=18), "{")
    fleet.set(1, cut_every=0, connect_drop_every=1)
    Client(lab).curl(fleet.url(path=path), status=(7, 35, 52, 55, 56))
    fleet.set(1, connect_drop_every=0, drip_ms=1)
    same(status(), 200, "byte by byte")
    fleet.set(1, drip_ms=0, latency_ms=300)
    began = time.monotonic()
    same((status(), time.monotonic() - began > 0.29), (200, True), "late")
    fleet.set(1, latency_ms=0, lose_reset_answer=1)
    Client(lab).curl("-u", f"{USER}:{PASSWORD}", "-d", '{"ResetType": "ForceOff"}',
                     fleet.url(path=path + "/Actions/ComputerSystem.Reset"), status=52)
    same((fleet.device()["power"], fleet.counters()["resets_unsaid"]), ("off", 1), "unsaid")
    for knob, value in (("hang", "all"), ("hang", "auth"), ("dead", "hang")):
        fleet.set(1, **{knob: value})
        with socket.create_connection(("127.0.0.1", fleet.ports(1)[0]), lib.PATIENCE) as s:
            s.sendall(b"GET /redfish/v1/Systems HTTP/1.1\r\nAuthorization: " +
                      lib.basic(USER, PASSWORD).encode() + b"\r\n\r\n")
            s.settimeout(0.3)
            try:
                same(s.recv(1), "nothing", knob)
            except socket.timeout:
                pass
        fleet.set(1, **{knob: "no"})
    fleet.set(1, dead="refuse")
    Client(lab).curl(fleet.url(path=path), status=7)
    fleet.set(1, dead="no")
    until("it listens again", lambda: fleet.ask("GET", path)[0] == 200)


@test
def requests_are_checked(lab):
    """405 with Allow, 404, 400, 412 and 501 where they belong; HEAD; what is no HTTP"""
    fleet = RedfishFleet(lab)
    path = fleet.system_path()
    status, fields, _ = fleet.ask("DELETE", path)
    same((status, fields["Allow"]), (405, "GET, HEAD, PATCH"), "DELETE")
    same(fleet.ask("GET", "/redfish/v1/Nothing")[0], 404, "nothing")
    same(fleet.ask("GET", path + "x")[0], 404, "a longer name")
    same(fleet.ask("GET", path.replace("437", "%3437"))[0], 200, "%34 is 4")
    same(fleet.ask("PATCH", path, [1])[0], 400, "no object")
    same(fleet.ask("PATCH", path, {})[0], 400, "an empty object")
    same(fleet.ask("PATCH", path, {"PowerState": "On"})[0], 400, "read-only")
    same(fleet.ask("GET", path, OData_Version="3.0")[0], 412, "old OData")
    same(fleet.ask("GET", path + "?$select=Id")[0], 501, "no $select")
    same(fleet.ask("GET", path + "?x=1")[0], 200, "unknown query")
    status, fields, doc = fleet.ask("HEAD", path)
    same((status, doc, int(fields["Content-Length"]) > 100), (200, None, True), "HEAD")
    same(fleet.ask("GET", "/redfish", login=False)[2], {"v1": "/redfish/v1/"}, "versions")
    same(fleet.ask("GET", "/redfish/v1", login=False)[0], 200, "root, no slash")
    hpe = RedfishFleet(lab, profile="hpe")
    status, fields, _ = hpe.ask("GET", "/redfish/v1", login=False)
    same((status, fields["Location"]), (308, "/redfish/v1/"), "HPE wants a slash")
    with socket.create_connection(("127.0.0.1", fleet.ports(1)[0]), lib.PATIENCE) as s:
        s.sendall(b"\x16\x03\x01nonsense\r\n\r\n")
        has(s.recv(99).decode(), "400 Bad Request")


@test
def several_systems(lab):
    """systems behind one service: powered apart, each with its chassis; none at all"""
    fleet = RedfishFleet(lab, systems=3, profile="dell")
    members = [m["@odata.id"].split("/")[-1] for m in fleet.get("/redfish/v1/Systems")["Members"]]
    same(members, ["System.Embedded.1", "System.Embedded.2", "System.Embedded.3"], "members")
    same(fleet.ask("POST", "/redfish/v1/Systems/System.Embedded.2/Actions/ComputerSystem.Reset",
                   {"ResetType": "On"})[0], 204, "on")
    found = fleet.device()["systems"]
    same([s["power"] for s in found], ["off", "on", "off"], "powers")
    same(len({s["system_uuid"] for s in found}), 3, "UUIDs")
    fleet.set(1, power="3:on")
    same([s["power"] for s in fleet.device()["systems"]], ["off", "on", "on"], "powers")
    none = RedfishFleet(lab, systems=0)
    same(none.get("/redfish/v1/Systems")["Members"], [], "none")


@test
def other_machines_and_profiles(lab):
    """knobs make it another machine, another vendor's, with another certificate and password"""
    fleet = RedfishFleet(lab, devices=2)
    first = fleet.get(fleet.system_path())["UUID"]
    assert first != fleet.get(fleet.system_path(2), n=2)["UUID"], "two with one UUID"
    same(first, fleet.device()["system_uuid"], "UUID")
    fleet.set(1, other_machine=1)
    assert fleet.get(fleet.system_path())["UUID"] != first, "the same UUID"
    fleet.set(1, profile="openbmc")
    same(fleet.get("/redfish/v1/Systems/system")["Manufacturer"], "OpenBMC", "OpenBMC")
    fleet.set(1, password="other")
    same(fleet.ask("GET", "/redfish/v1/Systems")[0], 401, "old password")
    same(fleet.device(2)["counters"]["r401"], 0, "only the first")
    same(fleet.call("GET", "/counters")["r401"], 1, "in all")
    seed = RedfishFleet(lab, "--seed", "7")
    assert seed.get(seed.system_path())["UUID"] != first, "the same UUID from another seed"


@test
def thousands_in_one_process(lab):
    """thousands of services in one process, by port and by address, each its own"""
    fleet = RedfishFleet(lab, "--no-tls", devices=many(2000))
    last = fleet.size
    same(reset(fleet, "On", last)[0], 204, "the last one")
    same(fleet.totals()["resets"], 1, "one reset")
    brief = fleet.call("GET", "/devices")["devices"]
    same([d["n"] for d in brief if d["power"] == "on"], [last], "who is on")
    sim = lab.redfishsim("--devices", str(many(20000)), "--address", "127.80.0.1", "--port", "0",
                         "--no-tls", "--state", "on")
    port = sim.ready["devices"][0]["port"]
    out = Client(lab).curl("-u", f"{USER}:{PASSWORD}",
                           f"http://127.80.0.{200}:{port}/redfish/v1/Systems/437XR1138R2")
    same(json.loads(out)["PowerState"], "On", "the two hundredth")
    with open(f"/proc/{sim.proc.pid}/status", encoding="utf-8") as f:
        kilobytes = int(f.read().split("VmRSS:")[1].split()[0])
    if not lib.SANITIZED:
        assert kilobytes < 20000 + 7 * many(20000), f"{kilobytes} kB"


@test
def the_command_line(lab):
    """mistakes on the command line: exit 2 and a plain word; --help and --knobs; a clean end"""
    def run(*args):
        return subprocess.run([lib.REDFISHSIM, *args], capture_output=True, text=True,
                              timeout=lib.PATIENCE, check=False)

    for args, word in ((("--profile", "acme"), "no profile 'acme'"),
                       (("--state", "sideways"), "no state 'sideways'"),
                       (("--set", "1:nothing=1"), "no such knob"),
                       (("--set", "2:power=on"), "wants DEV:KNOB=VALUE"),
                       (("--systems", "257"), "from 0 to 256"),
                       (("--no-tls", "--no-plain"), "nothing to listen on"),
                       (("--cert", "x"), "go together")):
        r = run(*args)
        same(r.returncode, 2, r)
        has(r.stderr, word)
    has(run("--help").stdout, "--systems")
    knobs = run("--knobs").stdout
    has(knobs, "lose_reset_answer")
    fleet = RedfishFleet(lab)
    named = {k["knob"] for k in fleet.call("GET", "/knobs")}
    same(named, set(fleet.device()["knobs"]), "knobs")
    fleet.close()


if __name__ == "__main__":
    main()
