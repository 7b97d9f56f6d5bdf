#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The IPMI driver through the real program, against pyghmi's fakebmc.

It shares no code with ipmi_sim or with FreeIPMI. IPMI 2.0 with cipher suite 3 only, whichever is
asked for. It drops what it does not like instead of answering: a wrong user, a wrong RAKP message
3. It cannot cycle or send an NMI (CCh), has no identify light, FRU data, sensors or log (C1h), and
keeps of the boot flags only the device.
"""
from ipmilib import FakeBmc, inventory, need, secret, without_repeats
from lib import bad, error_of, good, has, main, same, test

QUICK = "connect: 1s, answer: 2s, read: 4s, confirm: 20s, reboot: 20s"


def fakes(lab, count=1, settings="", timeouts="", user=FakeBmc.user, password=FakeBmc.password):
    """fakebmcs f1, f2, ... and their inventory."""
    need("pyghmi", "ipmitool", "ipmipower")
    found = [lab.keep(FakeBmc(lab.path(f"f{n}.log"))) for n in range(1, count + 1)]
    name(lab, found, settings, timeouts, user, password)
    return found


def name(lab, found, settings="", timeouts="", user=FakeBmc.user, password=FakeBmc.password):
    lab.inventory(inventory([(f"f{n}", f.address, f.port) for n, f in enumerate(found, 1)],
                            secret(lab, password), user, settings, timeouts))


def told(fake, state):
    has(fake.ipmitool("power", "status").out, f"Chassis Power is {state}")
    has(fake.ipmipower("--stat").out, f": {state}")


class Acts:
    """Verbs on f1: what is said, and what it was told since the last verb."""

    def __init__(self, lab, fake):
        self.lab, self.fake, self.seen = lab, fake, len(fake.log())

    def news(self):
        log = self.fake.log()
        found, self.seen = log[self.seen:], len(log)
        return found

    def __call__(self, *words, log, **members):
        r = self.lab.run("--json", *words, "f1")
        same(r.status, 0, r)
        for key, value in {"ok": True, "error": None, **members}.items():
            same(r.json[0][key], value, f"{key} of {r}")
        same(without_repeats(self.news()), log, f"what {words} made of it: {r}")
        return r

    def refused(self, *words, code):
        kind, text = error_of(bad(self.lab.run("--json", *words, "f1"), 1))
        assert kind in ("refused", "unsupported"), (kind, text)
        has(text, code)
        same(self.news(), [], f"what {words} made of it")


@test
def others_drive(lab):
    """ipmitool and ipmipower do to fakebmc what these tests take for granted"""
    one, two = fakes(lab, 2)
    told(one, "off")
    for words, log in ((("power", "on"), "power on"), (("power", "reset"), "reset"),
                       (("chassis", "bootdev", "pxe"), "boot network"),
                       (("power", "soft"), "shutdown")):
        same(one.ipmitool(*words).status, 0, words)
        same(one.log()[-1], log)
    has(one.ipmitool("power", "cycle").err, "Invalid data field")
    has(one.ipmitool("chassis", "bootparam", "get", "5").out, "Force PXE")
    told(one, "off")
    same(two.log(), [])


@test
def power(lab):
    """status, on, off, reset and off --soft; each is sent once, and not at all when already so"""
    act = Acts(lab, fakes(lab)[0])
    good(lab.run("status", "f1"), "f1: off")
    act("on", log=["power on"], state="on", changed=True)
    told(act.fake, "on")
    act("on", log=[], state="on", changed=False)
    act("reset", log=["reset"], state="on", changed=True)
    act("off", log=["power off"], state="off", changed=True)
    told(act.fake, "off")
    act("on", log=["power on"], state="on")
    act("off", "--soft", log=["shutdown"], state="off")


@test
def restarts(lab):
    """reboot and cycle of a BMC that cannot cycle: off, then on"""
    act = Acts(lab, fakes(lab, timeouts="outage: 300ms")[0])
    act("reboot", log=["power on"], state="on")
    act("reboot", log=["power off", "power on"], state="on", confirmed="seen")
    act("cycle", log=["power off", "power on"], state="on", confirmed="seen")


@test
def boots(lab):
    """bootdev is set and read back, pxeboot sets it before it starts"""
    act = Acts(lab, fakes(lab)[0])
    for device, known_as in (("pxe", "network"), ("disk", "hd"), ("cd", "optical"),
                             ("bios", "setup"), ("none", "default")):
        act("bootdev", device, log=[f"boot {known_as}"], changed=True)
        shown = act("bootdev", "--show", log=[]).json[0]["result"]
        same((shown["device"], shown["held"]), (device, False))
    act("pxeboot", log=["boot network", "power on"], state="on")
    act("pxeboot", log=["boot network", "reset"], state="on")
    has(act.fake.ipmitool("chassis", "bootparam", "get", "5").out, "Force PXE")


@test
def lacks(lab):
    """what it lacks is an error with the completion code, and nothing was done"""
    act = Acts(lab, fakes(lab)[0])
    act("on", log=["power on"])
    act.refused("nmi", code="CCh")
    act.refused("identify", code="C1h")
    act.refused("sensors", code="C1h")
    act.refused("log", code="C1h")


@test
def info(lab):
    """info of a BMC that tells hardly anything: its firmware version, and no invented words"""
    act = Acts(lab, fakes(lab)[0])
    same(act("info", log=[]).json[0]["result"]["firmware"]["version"], "1.00")


@test
def wrong_login(lab):
    """a wrong password is an auth error; a wrong user, whom it does not answer, some error"""
    found = fakes(lab)
    name(lab, found, timeouts=QUICK, password="Wr0ng-canary")
    r = bad(lab.run("--json", "on", "f1"), 1)
    same(error_of(r)[0], "auth", r)
    assert "Wr0ng-canary" not in r.out + r.err, r
    name(lab, found, timeouts=QUICK, user="nobody")
    r = bad(lab.run("--json", "on", "f1"), 1)
    assert error_of(r)[0] in ("auth", "timeout"), r
    same(found[0].log(), [])


@test
def version(lab):
    """IPMI 1.5, which it does not speak, is refused; auto finds 2.0"""
    found = fakes(lab)
    for protocol in ("auto", '"2.0"'):
        name(lab, found, f"protocol: {protocol}")
        good(lab.run("status", "f1"), "f1: off")
    name(lab, found, 'protocol: "1.5"', QUICK)
    r = bad(lab.run("--json", "status", "f1"), 1)
    assert error_of(r)[0] != "internal" and r.json[0]["state"] == "unknown", r


@test
def many_at_once(lab):
    """four of them in one command"""
    found = fakes(lab, 4)
    good(lab.run("on", "-a"), *(f"f{n}: on" for n in range(1, 5)))
    same([without_repeats(f.log()) for f in found], [["power on"]] * 4)


if __name__ == "__main__":
    main()
