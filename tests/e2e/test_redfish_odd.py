#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Redfish driver and a service that follows a script: what no stand-in does, and some devices do."""
import base64
import http.server
import json
import threading

from lib import Lab, bad, error_of, good, has, main, same, test

USER, PASSWORD = "admin", "P@ssw0rd"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
UUID = "38947555-7742-3448-3784-823347823834"
ROOT = {"@odata.id": "/redfish/v1/", "Systems": {"@odata.id": "/redfish/v1/Systems"},
        "Links": {"Sessions": {"@odata.id": "/redfish/v1/Sessions"}}}
SYSTEMS = {"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]}
RESET = "/redfish/v1/Systems/1/Actions/Reset"


def system(power="On", **more):
    return {"@odata.id": "/redfish/v1/Systems/1", "@odata.type": "#ComputerSystem.v1_5_0.ComputerSystem",
            "Id": "1", "PowerState": power, "UUID": UUID,
            "Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None"},
            "Actions": {"#ComputerSystem.Reset": {"target": RESET}}, **more}


class Service:
    """One service; answers is (method, path) to a document, or to a function of the request."""

    def __init__(self, lab, answers, **settings):
        self.seen, self.answers = [], {
            ("GET", "/redfish/v1/"): ROOT, ("GET", "/redfish/v1/Systems"): SYSTEMS,
            ("GET", "/redfish/v1/Systems/1"): system(),
            ("POST", "/redfish/v1/Sessions"): (201, {"X-Auth-Token": "tok3n"},
                                               {"@odata.id": "/redfish/v1/Sessions/7"}),
            ("DELETE", "/redfish/v1/Sessions/7"): (204, {}, None), **answers}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.seen.append((self.command, self.path, dict(self.headers), body))
                answer = service.answers.get((self.command, self.path), (404, {}, {"error": {}}))
                if callable(answer):
                    answer = answer(service.seen[-1])
                status, fields, document = answer if isinstance(answer, tuple) else (200, {}, answer)
                text = b"" if document is None else json.dumps(document).encode()
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        lab.keep(self)
        secret = lab.write("secret", PASSWORD + "\n")
        more = "".join(f", {k}: {v}" for k, v in settings.items())
        lab.inventory(f"credentials:\n  c: {{username: {USER}, password_file: {secret}}}\n"
                      f"nodes:\n  n1: {{driver: redfish, credential: c, address: 127.0.0.1, tls: false,"
                      f" port: {self.port}{more}}}\n")

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def lines(self):
        return [f"{method} {path}" for method, path, _, _ in self.seen]

    def sent(self, method):
        """(fields, document) of each request with that method to the system."""
        return [(fields, json.loads(body or b"null")) for m, path, fields, body in self.seen
                if m == method and path != "/redfish/v1/Sessions"]


def in_turn(*answers):
    """One answer after the other, the last for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def on(**more):
    return {"ServiceEnabled": True, **more}


# SerialConsole of the system, that of its manager (an int: what is answered instead), and what is said.
CONSOLES = (
    ({"IPMI": on()}, None, "over IPMI: give the node `console: {driver: ipmi, credential: NAME}`\n"),
    ({"SSH": on(Port=2200, ConsoleEntryCommand="start /console1")}, None,
     "over SSH; type: ssh -p 2200 -l admin 127.0.0.1, and there: start /console1\n"),
    ({"SSH": on(Port=99999, ConsoleEntryCommand="a\x1b[2J")}, None, "type: ssh -l admin 127.0.0.1\n"),
    ({"SSH": on(Port=22), "IPMI": on()}, on(ConnectTypesSupported=["IPMI"]),
     "credential: NAME}`; or type: ssh -l admin 127.0.0.1\n"),
    (None, on(ConnectTypesSupported=["IPMI", "SSH"]),
     "credential: NAME}`; or type: ssh -p 2222 -l admin 127.0.0.1\n"),
    (None, on(ConnectTypesSupported=["Telnet", "Oem"]), "over Telnet only, which encrypts nothing\n"),
    ({"SSH": {"ServiceEnabled": False}}, {"ServiceEnabled": False, "ConnectTypesSupported": ["SSH"]},
     "the service names no serial console that is enabled\n"),
    ("odd", on(ConnectTypesSupported="IPMI"), "the service names no serial console that is enabled\n"),
    ({"SSH": on()}, 404, "over SSH; type: ssh -l admin 127.0.0.1\n"),
)


@test
def consoles(lab):
    """what console says, where ssh cannot get there, follows from what the service tells"""
    protocols = "/redfish/v1/Managers/1/NetworkProtocol"
    service = Service(lab, {("GET", protocols): {"SSH": {"ProtocolEnabled": True, "Port": 2222}}}, via="pump")
    for of_system, of_manager, said in CONSOLES:
        manager = {"Links": {"ManagedBy": [{"@odata.id": "/redfish/v1/Managers/1"}]}} if of_manager else {}
        service.answers["GET", "/redfish/v1/Systems/1"] = system(SerialConsole=of_system, **manager)
        service.answers["GET", "/redfish/v1/Managers/1"] = \
            (of_manager, {}, {}) if isinstance(of_manager, int) else \
            {"SerialConsole": of_manager, "NetworkProtocol": {"@odata.id": protocols}}
        r = bad(lab.run("console", "n1", stdin=""), 1)
        has(r.err, "n1: unsupported: ")
        has(r.err, said)
        known = isinstance(of_system, dict) and any(way["ServiceEnabled"] for way in of_system.values())
        same(service.lines()[-1], "GET /redfish/v1/Systems/1" if known or not of_manager
             else f"GET {protocols}" if "ssh -p 2222" in said else "GET /redfish/v1/Managers/1")
    service.answers["GET", protocols] = {"SSH": {"ProtocolEnabled": False, "Port": 2222}}
    service.answers["GET", "/redfish/v1/Systems/1"] = system(**manager)
    service.answers["GET", "/redfish/v1/Managers/1"] = {
        "SerialConsole": on(ConnectTypesSupported=["SSH"]), "NetworkProtocol": {"@odata.id": protocols}}
    has(bad(lab.run("console", "n1", stdin=""), 1).err, "the service names no serial console that is enabled\n")


@test
def login_and_goodbye(lab):
    """Nothing goes with the root, a token with the rest, and the session is ended"""
    service = Service(lab, {("POST", RESET): (204, {}, None),
                            ("GET", "/redfish/v1/Systems/1"): in_turn(system(), system("Off"))})
    good(lab.run("off", "n1"), "n1: off")
    for method, path, fields, body in service.seen:
        same(fields.get("OData-Version"), "4.0", path)
        assert "Authorization" not in fields, path
        if (method, path) == ("POST", "/redfish/v1/Sessions"):
            same(json.loads(body), {"UserName": USER, "Password": PASSWORD})
        same(fields.get("X-Auth-Token"), None if path in ("/redfish/v1/", "/redfish/v1/Sessions")
             else "tok3n", path)
    same(service.lines()[-1], "DELETE /redfish/v1/Sessions/7")
    same(service.sent("POST")[0][1], {"ResetType": "ForceOff"})


@test
def odd_passwords(lab):
    """A password goes into the login as it is, quotes and all"""
    service = Service(lab, {("POST", RESET): (204, {}, None)}, auth="session")
    odd = 'a"b\\c\td\u00e4'
    lab.write("secret", odd + "\n")
    good(lab.run("status", "n1"), "n1: on")
    login = next(body for m, path, _, body in service.seen if path.endswith("/Sessions"))
    same(json.loads(login)["Password"], odd)


@test
def no_basic_offered(lab):
    """A 401 that offers other logins than Basic is followed by a session's, and remembered"""
    def only_tokens(request):
        if request[2].get("X-Auth-Token") == "tok3n":
            return system()
        return 401, {"WWW-Authenticate": 'X-Token realm="x"'}, {"error": {}}
    service = Service(lab, {("GET", "/redfish/v1/Systems/1"): only_tokens})
    good(lab.run("status", "n1"), "n1: on")
    service.seen.clear()
    good(lab.run("status", "n1"), "n1: on")
    same(service.lines(), ["POST /redfish/v1/Sessions", "GET /redfish/v1/Systems/1",
                           "DELETE /redfish/v1/Sessions/7"])


@test
def already_so(lab):
    """A refusal of what is so already is a success only because the state says so"""
    refused = (409, {}, {"error": {"@Message.ExtendedInfo": [
        {"MessageId": "X.1.0.PSU501", "Message": "Server is already powered ON."}]}})
    Service(lab, {("POST", RESET): refused,
                  ("GET", "/redfish/v1/Systems/1"): in_turn(system("Off"), system("On"))})
    good(lab.run("on", "n1"), "n1: on")
    service = Service(lab, {("POST", RESET): refused,
                            ("GET", "/redfish/v1/Systems/1"): system("Off")})
    found = error_of(bad(lab.run("--timeout", "3s", "--json", "on", "n1"), 1))
    assert found[0] in ("busy", "timeout"), found  # the time may run out amid a request
    assert len(service.sent("POST")) >= 2, "a device that is busy is asked again"


@test
def etag_ladder(lab):
    """Exactly the ETag that was read; anew; its strong form; none"""
    path = ("PATCH", "/redfish/v1/Systems/1")
    refused = (412, {}, {"error": {}})
    service = Service(lab, {path: in_turn(refused, refused, refused, (200, {}, system())),
                            ("GET", "/redfish/v1/Systems/1"): (200, {"ETag": 'W/"5"'}, system())})
    good(lab.run("bootdev", "pxe", "n1"), "n1: ok")
    same([fields.get("If-Match") for fields, _ in service.sent("PATCH")],
         ['W/"5"', 'W/"5"', '"5"', None])
    same(service.sent("PATCH")[0][1]["Boot"],
         {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"})
    # The ETag is in the document only, and wanted.
    service = Service(lab, {path: lambda r: (204, {}, None) if r[2].get("If-Match") == '"9"'
                            else (428, {}, {"error": {}}),
                            ("GET", "/redfish/v1/Systems/1"): system(**{"@odata.etag": '"9"'})})
    good(lab.run("bootdev", "pxe", "n1"), "n1: ok")
    same(len(service.sent("PATCH")), 1)


@test
def root_without_slash(lab):
    """/redfish/v1 where /redfish/v1/ is not found; absolute redirects to the same place"""
    service = Service(lab, {("GET", "/redfish/v1/"): (404, {}, None), ("GET", "/redfish/v1"): ROOT})
    good(lab.run("status", "n1"), "n1: on")
    service = Service(lab, {})
    service.answers[("GET", "/redfish/v1/Systems/1")] = (
        308, {"Location": f"http://127.0.0.1:{service.port}/redfish/v1/Systems/1/"}, None)
    service.answers[("GET", "/redfish/v1/Systems/1/")] = system("Off")
    good(lab.run("status", "n1"), "n1: off")
    service.answers[("GET", "/redfish/v1/Systems/1/")] = (
        308, {"Location": "http://192.0.2.1/redfish/v1/Systems/1"}, None)
    found = error_of(bad(lab.run("--json", "status", "n1"), 1))
    same(found[0], "protocol")


@test
def states(lab):
    """Words for states that are none of Redfish's, and no word at all, are unknown"""
    for power in ("PoweringOff", "PoweringOn", "Standby", "off", "", None, 0):
        service = Service(lab, {("GET", "/redfish/v1/Systems/1"): system(power)})
        result = lab.run("--json", "status", "n1").json[0]
        same(result["state"], "unknown", repr(power))
        service.seen.clear()
        bad(lab.run("--timeout", "2s", "off", "n1"), 1)
    document = system()
    del document["PowerState"]
    Service(lab, {("GET", "/redfish/v1/Systems/1"): document})
    same(lab.run("--json", "status", "n1").json[0]["state"], "unknown")


@test
def nothing_there(lab):
    """No systems, no service, and what is no system"""
    cases = (({("GET", "/redfish/v1/Systems"): {"Members": []}}, "has no computer system"),
             ({("GET", "/redfish/v1/"): {"Name": "x"}}, "has no computer systems"),
             ({("GET", "/redfish/v1/"): (404, {}, None)}, "there is no Redfish service on port"),
             ({("GET", "/redfish/v1/Systems/1"): {"Name": "x"}}, "is no computer system"))
    for answers, words in cases:
        Service(lab, answers)
        has(error_of(bad(lab.run("--json", "status", "n1"), 1))[1], words)


@test
def task_elsewhere(lab):
    """A task on another host is not asked for; one that is forgotten has been taken"""
    for where in ("http://192.0.2.1/task", "/redfish/v1/Tasks/1"):
        service = Service(lab, {("POST", RESET): (202, {"Location": where}, {"TaskState": "New"}),
                                ("GET", "/redfish/v1/Systems/1"): in_turn(system(), system("Off"))})
        good(lab.run("off", "n1"), "n1: off")
        same(("GET /redfish/v1/Tasks/1" in service.lines()), where.startswith("/"))


@test
def task_that_fails(lab):
    """A task that ends with an exception is an error with the task's words"""
    task = {"TaskState": "Exception", "Messages": [
        {"MessageId": "Base.1.8.ResourceInUse", "Message": "Not now."}]}
    Service(lab, {("POST", RESET): (202, {"Location": "/redfish/v1/Tasks/1"}, None),
                  ("GET", "/redfish/v1/Tasks/1"): in_turn((202, {}, {"TaskState": "Running"}), task)})
    has(error_of(bad(lab.run("--json", "off", "n1"), 1))[1], "it refused ForceOff: Not now")


@test
def busy_was_not_taken(lab):
    """What a 409 or 503 answered did not happen: even a reset is sent again"""
    for status in (409, 503):
        service = Service(lab, {("POST", RESET): in_turn((status, {}, None), (204, {}, None))})
        good(lab.run("reset", "n1"), "n1: on")
        same(len(service.sent("POST")), 2)
    # Nobody knows what a 500 means, but that it is no success.
    service = Service(lab, {("POST", RESET): (500, {}, None)})
    bad(lab.run("reset", "n1"), 1)
    same(len(service.sent("POST")), 1)


@test
def expand(lab):
    """One request for a whole list where the service offers $expand, and without it where it lied"""
    names = [f"/redfish/v1/Systems/1/Memory/{n}" for n in range(3)]
    members = [{"@odata.id": name, "DeviceLocator": name[-1]} for name in names]
    root = {**ROOT, "ProtocolFeaturesSupported": {"ExpandQuery": {"NoLinks": True}}}
    place = "/redfish/v1/Systems/1/Memory"
    answers = {("GET", "/redfish/v1/"): root,
               ("GET", "/redfish/v1/Systems/1"): system(Memory={"@odata.id": place}),
               ("GET", place): {"Members": [{"@odata.id": name} for name in names]},
               **{("GET", name): member for name, member in zip(names, members)}}
    service = Service(lab, {**answers, ("GET", place + "?$expand=.($levels=1)"): {"Members": members}})
    parts = lab.run("--json", "hardware", "n1").json[0]["result"]["parts"]
    same([p["name"] for p in parts], ["0", "1", "2"])
    assert f"GET {names[0]}" not in service.lines()
    service = Service(lab, {**answers, ("GET", place + "?$expand=.($levels=1)"): (501, {}, None)})
    parts = lab.run("--json", "hardware", "n1").json[0]["result"]["parts"]
    same([p["name"] for p in parts], ["0", "1", "2"])


@test
def lists_without_end(lab):
    """A list that goes on for ever comes to an end"""
    place = "/redfish/v1/Systems/1/Log"
    entries = place + "/Entries"
    service = Service(lab, {
        ("GET", "/redfish/v1/Systems/1"): system(LogServices={"@odata.id": place}),
        ("GET", place): {"Members": [{"@odata.id": place + "/SEL"}]},
        ("GET", place + "/SEL"): {"Id": "SEL", "Entries": {"@odata.id": entries}},
        ("GET", entries): {"Members": [], "Members@odata.nextLink": entries},
        ("GET", "/redfish/v1/Systems"): {**SYSTEMS, "Members@odata.nextLink": "/redfish/v1/Systems"}})
    result = lab.run("--timeout", "60s", "--json", "log", "n1")
    assert result.status in (0, 1), result
    assert len(service.seen) < 6000, len(service.seen)


@test
def header_fields_that_would_smuggle(lab):
    """An ETag or a token that is no header field is an error, not a second request"""
    service = Service(lab, {("GET", "/redfish/v1/Systems/1"):
                            system(**{"@odata.etag": "x\r\nEvil: 1"}),
                            ("PATCH", "/redfish/v1/Systems/1"): (200, {}, system())})
    same(error_of(bad(lab.run("--json", "bootdev", "pxe", "n1"), 1))[0], "protocol")
    assert not any("Evil" in fields for _, _, fields, _ in service.seen)


@test
def paths_that_would_smuggle(lab):
    """Links that are no paths of this service are not asked for"""
    for path in ("http://192.0.2.1/x", "//192.0.2.1/x", "/a b", "/x\r\nEvil: 1", "x"):
        service = Service(lab, {("GET", "/redfish/v1/Systems"): {"Members": [{"@odata.id": path}]}})
        bad(lab.run("status", "n1"), 1)
        same(len(service.seen), 2, service.lines())


@test
def a_port_for_tls(lab):
    """What web servers answer to plain HTTP on a TLS port is told as that, once and for changes too"""
    for said in ("<center>The plain HTTP request was sent to HTTPS port</center>",
                 "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
                 "Client sent an HTTP request to an HTTPS server.\n"):
        service = Service(lab, {("GET", "/redfish/v1/"): (400, {}, said)})
        r = lab.run("--json", "status", "n1")
        same(error_of(r)[0], "protocol", r)
        has(error_of(r)[1], f"port {service.port} speaks TLS: set tls: true")
        same(len(service.seen), 1)


@test
def settings(lab):
    """Settings that make no sense are named before anything is sent"""
    for setting, value, words in (("client_cert", "/dev/null", "client_key: is missing"),
                                  ("system", "a/b", "system: is an id"),
                                  ("auth", "digest", "digest")):
        service = Service(lab, {}, **{setting: value})
        result = lab.run("status", "n1")
        same((result.status, result.out), (2, ""), result)
        has(result.err, words)
        same(service.seen, [])


# --- Passwords. ----------------------------------------------------------------------------------


ACCOUNTS = "/redfish/v1/AccountService/Accounts"
GENERATE = ("passwd", "--generate", "-y")


def account(n, name, **more):
    return {"@odata.id": f"{ACCOUNTS}/{n}", "Id": str(n), "UserName": name, **more}


@test
def which_account(lab):
    """two of one name, none of it, one that is another by now, a 403 that proves nothing: no change"""
    root = {**ROOT, "AccountService": {"@odata.id": "/redfish/v1/AccountService"}}
    members = [{"@odata.id": f"{ACCOUNTS}/{n}"} for n in (1, 2)]
    service = {"Accounts": {"@odata.id": ACCOUNTS}}

    def answers(*names, **more):
        return {("GET", "/redfish/v1/"): root, ("GET", "/redfish/v1/AccountService"): service,
                ("GET", ACCOUNTS): {"Members": members},
                **{("GET", f"{ACCOUNTS}/{n}"): account(n, name) for n, name in enumerate(names, 1)},
                **more}

    seen = []

    def changing(request):
        seen.append(request)
        return account(2, "admin" if len(seen) == 1 else "other")

    refused = (403, {}, {"error": {"code": "Oem.1.0.Locked", "message": "no"}})
    for given, why in (
            (answers("admin", "admin"), "has 2 accounts of this name"),
            (answers("Admin", "admin2"), "shows no account of this name"),
            ({**answers("", ""), ("GET", f"{ACCOUNTS}/2"): changing}, "is not the one that logs in"),
            ({**answers("", "admin"), ("GET", "/redfish/v1/AccountService"): refused},
             "HTTP 403"),
            ({**answers("", "admin"), ("GET", "/redfish/v1/AccountService"): {}},
             "shows no accounts")):
        with Lab() as own:
            odd = Service(own, given)
            r = bad(own.run(*GENERATE, "n1"), 1)
            has(r.out, why)
            same([m for m, _, _, _ in odd.seen if m == "PATCH"], [], r)
            same(own.read("secret").strip(), PASSWORD)


@test
def not_proven(lab):
    """a 403 is no proof that the new password was taken: both are kept, and --resume asks again"""
    state = {"patched": False}
    root = {**ROOT, "AccountService": {"@odata.id": "/redfish/v1/AccountService"}}

    def patch(_):
        state["patched"] = True
        return 204, {}, None

    def service(_):
        if state["patched"]:
            return state.get("answer", (403, {}, {"error": {"code": "Oem.1.0.Busy", "message": "no"}}))
        return {"Accounts": {"@odata.id": ACCOUNTS}}

    odd = Service(lab, {
        ("GET", "/redfish/v1/"): root, ("GET", "/redfish/v1/Systems"): SYSTEMS,
        ("GET", "/redfish/v1/AccountService"): service,
        ("GET", ACCOUNTS): {"Members": [{"@odata.id": f"{ACCOUNTS}/1"}]},
        ("GET", f"{ACCOUNTS}/1"): account(1, "admin"), ("PATCH", f"{ACCOUNTS}/1"): patch})
    bad(lab.run(*GENERATE, "n1"), 1, "outcome_unknown", "whether it is taken is not known")
    same(lab.read("secret").strip(), PASSWORD)
    has(lab.read("secret.pending"), "sent n1")
    # Who was let in is told that he may not look.
    state["answer"] = (403, {}, {"error": {"code": "Base.1.8.InsufficientPrivilege", "message": "no"}})
    good(lab.run("passwd", "--resume", "-y"), "n1: ok")
    same(len([m for m, _, _, _ in odd.seen if m == "PATCH"]), 1, "it was sent again")
    assert lab.read("secret").strip() != PASSWORD


if __name__ == "__main__":
    main()
