#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Smart plugs and relays with Tasmota's firmware, as a driver for powerctl's exec:

    plug[1-4]: {driver: exec, program: /usr/share/powerctl/exec/tasmota.py, address: strip, relay: "[1-4]"}

The protocol is in powerctl-exec(7). Tasmota's commands: https://tasmota.github.io/docs/Commands/
"""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

DESCRIPTION = {
    "name": "tasmota",
    "summary": "smart plugs and relays with Tasmota's firmware",
    "actions": ["on", "off"],
    "properties": [
        {"name": "relay", "type": "number", "min": 1, "max": 32, "default": 1, "unit": True,
         "help": "which relay of the device"},
        {"name": "port", "type": "number", "min": 1, "max": 65535, "default": 80, "help": "port of HTTP"},
        {"name": "username", "default": "admin", "help": "where the device has a password"},
        {"name": "password", "secret": True, "help": "the device's web password"},
    ],
}


class Failure(Exception):
    """A class of powerctl's and a text; sent: the device may have got the command."""

    def __init__(self, kind, message, sent=True):
        super().__init__(message)
        self.answer = {"ok": False, "sent": sent, "error": {"class": kind, "message": message}}


def ask(request, command):
    """Gives the device a command, and returns the state of the relay that it answers with."""
    settings, secrets = request["settings"], request["secrets"]
    query = {"cmnd": command}
    if "password" in secrets:
        query.update(user=settings["username"], password=secrets["password"])
    host = request.get("address", "")
    if not host:
        raise Failure("config", "the node has no address", sent=False)
    host = f"[{host}]" if ":" in host else host
    url = f"http://{host}:{settings['port']}/cm?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=request["timeout_ms"] / 1000 * 0.9) as response:
            answer = json.loads(response.read(65536))
    except urllib.error.HTTPError as e:
        raise Failure("auth" if e.code == 401 else "protocol", f"HTTP {e.code}") from None
    except TimeoutError:
        raise Failure("timeout", "no answer in time") from None
    except urllib.error.URLError as e:  # nothing was connected yet
        raise Failure("unreachable", str(e.reason), sent=False) from None
    except (OSError, ValueError) as e:
        raise Failure("protocol", f"the device answers no JSON: {e}") from None
    if "WARNING" in answer:
        raise Failure("auth", "user or password refused")
    for key in (f"POWER{settings['relay']}", "POWER" if settings["relay"] == 1 else ""):
        if answer.get(key) in ("ON", "OFF"):
            return answer[key].lower()
    raise Failure("protocol", f"the device does not know relay {settings['relay']}")


def main():
    request = json.loads(sys.stdin.readline())
    if request["op"] == "describe":
        return {"v": 1, "ok": True, **DESCRIPTION}
    command = f"Power{request['settings']['relay']}"
    if request["op"] == "act":
        ask(request, f"{command} {request['action'].capitalize()}")
        return {"ok": True}
    return {"ok": True, "state": ask(request, command)}


try:
    result = main()
except Failure as e:
    result = e.answer
print(json.dumps(result))
