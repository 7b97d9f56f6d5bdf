# SPDX-License-Identifier: Apache-2.0
"""Real counterparts for IPMI: BMCs that others wrote, clients that others wrote, and our stand-in.

    sim = lab.keep(IpmiSim(lab.path("sim"), 3))         # OpenIPMI's ipmi_sim: c1, c2, c3
    sim.inventory(lab)
    lab.run("on", "c1"); sim.power(1); sim.log(1)       # what the chassis is, and was told
    sim.ipmitool(1, "power", "status")                  # what somebody else's client says

    fake = lab.keep(FakeBmc(lab.path("f1.log")))        # pyghmi's fakebmc
    fleet = BmcFleet(lab, devices=2)                    # our powerctl-bmcsim: b1, b2
    fleet.set(1, dead=1)                                # its knobs; "1-3" or "all" as well
    fleet.counters(2)["power_reset"]                    # as the stand-in counted
    with fleet.console("ipmitool") as t: t.expect("bmc1> ")

Nothing here needs root: ports are free ones that the kernel names, addresses are loopback's.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import lib

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # of what others wrote
IPMI_SIM = shutil.which("ipmi_sim", path=PATH)
IPMITOOL = shutil.which("ipmitool", path=PATH)
IPMIPOWER = shutil.which("ipmipower", path=PATH)
SIM_FILES = os.path.join(lib.SOURCE, "tests", "sim", "ipmi")
PYTHON = "/usr/bin/python3"  # Debian's, which has pyghmi
USERS = {"admin": ("secret", "admin"), "oper": ("operpw", "operator"), "user": ("userpw", "user")}
PASSWORD = USERS["admin"][0]

# RMCP, an IPMI 1.5 header without a session, Get Channel Authentication Capabilities (netFn App,
# 38h) of this channel for administrators.
GET_CAPABILITIES = bytes.fromhex("0600ff07" "00" "00000000" "00000000" "09" "2018c8" "8100388e04b5")

# A temperature and a fan, as full records (IPMI 2.0, 43.1) of sensors 1 and 2; linear, M=1.
# number, entity, type, base unit, reading, the six thresholds from upper non-recoverable down, name
SENSORS = (
    (1, 0x07, 0x01, 0x01, 35, (0xa0, 0x90, 0x70, 0, 0, 0), "Inlet Temp"),
    (2, 0x1d, 0x04, 0x12, 120, (0, 0, 0, 0x20, 0x10, 0), "Fan 1"),
)
# A system event (32.1): temperature sensor 1, upper critical going high, read 91h against 90h.
EVENT = bytes.fromhex("02" "00e1f505" "2000" "04" "01" "01" "01" "59" "91" "90")
BOARD = ("Example Corp", "Board X", "BSN0001", "BPN0001")
PRODUCT = ("Example Corp", "Server X", "PPN0001", "1.0", "PSN0001")


def free_port(addresses):
    """One port that is free for UDP and TCP at all of these just now."""
    for _ in range(100):
        held = []
        try:
            port = 0
            for address in addresses:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    held.append(socket.socket(socket.AF_INET, kind))
                    held[-1].bind((address, port))
                    port = held[-1].getsockname()[1]
            return port
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise AssertionError(f"no port is free at {addresses[0]} to {addresses[-1]}")


def wait_for_bmcs(proc, addresses, port):
    """Until each answers; False if the process ended before."""
    missing = set(addresses)
    end = time.monotonic() + lib.PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        ask.settimeout(0.05)
        while missing:
            if proc.poll() is not None:
                return False
            assert time.monotonic() < end, f"no answer from {sorted(missing)} port {port}"
            for address in sorted(missing)[:50]:
                ask.sendto(GET_CAPABILITIES, (address, port))
            try:
                while missing:
                    missing.discard(ask.recvfrom(512)[1][0])
            except (TimeoutError, ConnectionRefusedError):
                pass
    return True


def hexed(data):
    return " ".join(f"0x{byte:02x}" for byte in data)


def sensor_record(number, entity, kind, unit, limits, name):
    body = bytes((0x20, 0, number, entity, 1, 0x7f, 0x68, kind, 0x01))
    body += bytes((0, 0x0a, 0, 0x0a, 0x3f, 0x3f))       # events, readable thresholds
    body += bytes((0, unit, 0, 0, 1, 0, 0, 0, 0, 0))    # unsigned, linear, M=1, B=0, exponents 0
    body += bytes((0, 0, 0, 0, 0xff, 0)) + bytes(limits) + bytes((2, 2, 0, 0, 0))
    body += bytes((0xc0 | len(name),)) + name.encode()
    return bytes((0, 0, 0x51, 0x01, len(body))) + body


def fru_area(fixed, fields):
    """An area of FRU data: fixed bytes behind version and length, then typed texts, a checksum."""
    body = fixed + b"".join(bytes((0xc0 | len(f),)) + f.encode() for f in fields) + b"\xc1"
    length = (len(body) + 3 + 7) // 8
    body = bytes((1, length)) + body
    body += bytes(length * 8 - 1 - len(body))
    return body + bytes((-sum(body) & 0xff,))


def fru_data():
    board = fru_area(bytes((0, 0, 0, 0)), (*BOARD, ""))
    product = fru_area(bytes((0,)), (*PRODUCT, "", ""))
    head = bytes((1, 0, 0, 1, 1 + len(board) // 8, 0, 0))
    return head + bytes((-sum(head) & 0xff,)) + board + product


def rich_commands(mc):
    """What an ipmi_sim BMC needs for sensors, an event and FRU data."""
    for number, entity, kind, unit, reading, limits, name in SENSORS:
        yield f"sensor_add {mc} 0 {number} 0x{kind:02x} 0x01"
        yield f"sensor_set_value {mc} 0 {number} {reading} 0"
        yield f"sensor_set_threshold {mc} 0 {number} settable 111111 {hexed(limits)}"
        enabled = "enable scanning per-state" + " 000111111000000" * 4
        yield f"sensor_set_event_support {mc} 0 {number} {enabled}"
        yield f"main_sdr_add {mc} {hexed(sensor_record(number, entity, kind, unit, limits, name))}"
    yield f"sel_add {mc} {hexed(EVENT[:1])} {hexed(EVENT[1:])}"
    fru = fru_data()
    yield f"mc_add_fru_data {mc} 0 {len(fru)} data {hexed(fru)}"


class Program:
    """A program of somebody else's, with all that it starts; ended by its id."""

    def __init__(self, args, log, **how):
        with open(log, "ab") as out:
            self.proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                         start_new_session=True, **how)

    def close(self):
        # Its own group: what it is just running goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.proc.pid, signal.SIGTERM)
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.proc.pid, signal.SIGKILL)


class IpmiSim:
    """OpenIPMI's ipmi_sim: one process, one BMC at each of the addresses NETWORK1, NETWORK2, ...

    mode `ctl`: a chassis behind each BMC, kept in files; `slow`: each change takes it 1.5 s;
    `fast`: no chassis, always off, for timings. control: another chassis_control program instead.
    """

    def __init__(self, folder, count=1, mode="ctl", network="127.0.21.", kg=None, control=None):
        self.folder, self.mode, self.kg = folder, mode, kg
        self.addresses = [f"{network}{n}" for n in range(1, count + 1)]
        self.control = control or os.path.join(folder, "chassis")
        os.makedirs(os.path.join(folder, "state"), 0o700)
        # A path with a blank in it would not survive in ipmi_sim's configuration.
        shutil.copy(os.path.join(SIM_FILES, "chassis"), os.path.join(folder, "chassis"))
        if mode == "slow":
            self.write("slow", "1.5")
        self.write("sim.emu", "\n".join(self.commands()) + "\n")
        self.start()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as out:
            out.write(text)

    def read(self, name, default=""):
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as text:
                return text.read().strip()
        except FileNotFoundError:
            return default

    def start(self):
        # Between our look and its bind, somebody else may take the port.
        for _ in range(5):
            self.port = free_port(self.addresses)
            self.write("sim.conf", "\n".join(self.configuration()) + "\n")
            path = os.path.join(self.folder, "sim.")
            self.program = Program([IPMI_SIM, "-c", path + "conf", "-f", path + "emu", "-n", "-s",
                                    os.path.join(self.folder, "state")], path + "log")
            try:
                if wait_for_bmcs(self.program.proc, self.addresses, self.port):
                    return
            except BaseException:
                self.close()
                raise
        raise AssertionError(f"ipmi_sim did not start: {self.read('sim.log')}")

    def close(self):
        self.program.close()

    def configuration(self):
        yield f'name "{self.mode}"'
        for n, address in enumerate(self.addresses, 1):
            yield f"set_working_mc 0x{0x1f + n:02x}"
            yield "startlan 1"
            yield f"  addr {address} {self.port}"
            yield "  priv_limit admin"
            for level in ("callback", "user", "operator", "admin"):
                yield f"  allowed_auths_{level} none md2 md5 straight"
            if self.kg:
                # At most 16 bytes of the 20; behind them a key is as if filled up with zeros.
                yield f"  bmc_key {self.kg.encode().ljust(16, bytes(1)).hex()}"
            yield f"  guid a123456789abcdefa1234567ffab{self.port & 0xff:02x}{n:02x}"
            yield "endlan"
            if self.mode == "fast":
                # Without a chassis or this line ipmi_sim follows a NULL pointer.
                yield f"serial 15 {address} {self.port} codec VM"
            else:
                yield f'chassis_control "{self.control} c{n}"'
            for number, (name, (password, level)) in enumerate(USERS.items(), 2):
                yield f'user {number} true "{name}" "{password}" {level} 10 none md2 md5 straight'

    def commands(self):
        yield "mc_setbmc 0x20"
        for n in range(1, len(self.addresses) + 1):
            mc = f"0x{0x1f + n:02x}"
            yield f"mc_add {mc} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02"
            yield f"sel_enable {mc} 1000 0x0a"
            if self.mode != "fast":
                yield from rich_commands(mc)
            yield f"mc_enable {mc}"

    # --- The chassis behind BMC n. ---

    def power(self, n=1):
        return "on" if self.read(f"c{n}.power", "0") == "1" else "off"

    def boot(self, n=1):
        return self.read(f"c{n}.boot", "none")

    def log(self, n=1):
        return self.read(f"c{n}.log").splitlines()

    def set(self, n=1, power=None):
        """As somebody at the machine would; what was logged so far is forgotten."""
        if power:
            self.write(f"c{n}.power", "1\n" if power == "on" else "0\n")
        self.write(f"c{n}.log", "")

    # --- What talks to it. ---

    def inventory(self, lab, settings="", timeouts="", user="admin", password=None, more=""):
        lab.inventory(inventory([(f"c{n}", address, self.port)
                                 for n, address in enumerate(self.addresses, 1)],
                                secret(lab, password or USERS[user][0]), user, settings, timeouts)
                      + more)

    def ipmitool(self, n, *words, **login):
        return ipmitool(self.addresses[n - 1], self.port, *words,
                        **{"kg": self.kg, "patient": True, **login})

    def ipmipower(self, n, *words, **login):
        return ipmipower(self.addresses[n - 1], self.port, *words,
                         **{"kg": self.kg, "patient": True, **login})


class FakeBmc:
    """pyghmi's fakebmc at an address of its own."""
    user, password = "admin", "password"

    def __init__(self, log, address="127.0.22.1"):
        self.address, self.path = address, log
        self.sim = lib.Sim([PYTHON, os.path.join(SIM_FILES, "fakebmc.py"), address, log])
        self.port = self.sim.ready["port"]

    def close(self):
        self.sim.close()

    def log(self):
        try:
            with open(self.path, encoding="ascii") as text:
                return text.read().splitlines()
        except FileNotFoundError:
            return []

    def ipmitool(self, *words):
        return ipmitool(self.address, self.port, *words, user=self.user, password=self.password,
                        patient=True)

    def ipmipower(self, *words):
        return ipmipower(self.address, self.port, *words, user=self.user, password=self.password,
                         patient=True)


class BmcFleet(lib.StandIns):
    """powerctl-bmcsim's stand-ins b1, b2, ... in an inventory; by_port: the kernel names ports."""

    def __init__(self, lab, *args, devices=1, by_port=True, settings="", timeouts=""):
        where = ["--by-port", "--port", "0"] if by_port else []
        super().__init__(lab, lab.bmcsim(*where, "--devices", str(devices), *args), devices)
        self.inventory(settings, timeouts)

    def address(self, n=1):
        """Of more than 100, the first one's is told, and the ports if they are by port."""
        ready = self.sim.ready
        if "ports" in ready:
            return ready["devices"][0]["address"], ready["ports"][n - 1]
        d = ready["devices"][n - 1]
        return d["address"], d["port"]

    def port(self, n):
        return self.address(n)[1]

    def inventory(self, settings="", timeouts="", user="admin", password=PASSWORD):
        known = self.sim.ready.get("ports", self.sim.ready["devices"])
        self.lab.inventory(inventory(
            [(f"b{n}", *self.address(n)) for n in range(1, len(known) + 1)],
            secret(self.lab, password), user, settings, timeouts))

    # --- What talks to it. ---

    def ipmitool(self, n, *words, **login):
        return ipmitool(*self.address(n), *words, **login)

    def freeipmi(self, name, n, *words, **login):
        return freeipmi(name, *self.address(n), *words, **login)

    def pyghmi(self, n, code, password=PASSWORD, **more):
        """Runs code with c, a connected Command; what it printed, as JSON."""
        need("pyghmi")
        address, port = self.address(n)
        text = ("import json\nfrom pyghmi.ipmi import command\n"
                f"c = command.Command(bmc={address!r}, userid='admin', password={password!r}, "
                f"port={port}, **{more!r})\n{code}\n")
        r = run([PYTHON, "-c", text])
        lib.same(r.status, 0, r)
        return json.loads(r.lines[-1])

    @contextlib.contextmanager
    def console(self, name, *words, n=1, suite=3):
        """sol activate or ipmiconsole on a terminal of its own."""
        if name == "ipmitool":
            line = ipmitool_line(*self.address(n), "sol", "activate", *words, suite=suite)
        else:
            line = freeipmi_line(name, *self.address(n), *words, suite=suite, version=None)
        one = lib.Terminal(line, os.environ)
        try:
            yield one
        finally:
            one.close()


def low_port():
    """A free one that libipmiconsole 1.6.10 can use: it keeps ports in 16 bits with a sign."""
    for port in random.sample(range(20000, 32767), 100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
                contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port below 32767 is free")


def console_fleet(lab, *args, **how):
    """A BmcFleet of one whose console can be opened."""
    for _ in range(4):
        with contextlib.suppress(AssertionError):  # somebody else was quicker to take the port
            return BmcFleet(lab, "--port", str(low_port()), *args, **how)
    return BmcFleet(lab, "--port", str(low_port()), *args, **how)


def secret(lab, password):
    return lab.write("config/powerctl/secrets/ipmi", password + "\n")


def inventory(nodes, password_file, user="admin", settings="", timeouts=""):
    """Of (name, address, port), and what else only that node has; settings are lines of the class."""
    lines = ["defaults:", f"  timeouts: {{{timeouts}}}", "credentials:",
             f"  bmc: {{username: {user}, password_file: {password_file}}}",
             "classes:", "  bmc:", "    driver: ipmi", "    credential: bmc"]
    lines += ["    " + line for line in settings.splitlines()] + ["nodes:"]
    lines += [f"  {name}: {{class: bmc, address: {address}, port: {port}{''.join(f', {w}' for w in own)}}}"
              for name, address, port, *own in nodes]
    return "\n".join(lines) + "\n"


def without_repeats(log):
    """A log without what a BMC may be told again when its answer is late: where power and boot
    device are to go. Never a reset, a shutdown, a cycle."""
    return [line for n, line in enumerate(log)
            if not (n and line == log[n - 1] and line.startswith(("power ", "boot ")))]


# --- Clients that others wrote. Their passwords are the stand-ins', no secrets. ---------------


def run(args):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=lib.PATIENCE, check=False)
    return lib.Result(args, done.returncode, done.stdout, done.stderr)


def ipmitool_line(address, port, *words, user="admin", password=PASSWORD, kg=None, version="2.0",
                  suite=3, level=None, patient=False):
    """patient: of a counterpart that is slow on a busy machine; by itself it gives up after four seconds.
    Without -C it would ask for cipher suites first and wait 10 s where that is not answered."""
    how = {"1.5": ["-I", "lan"], "2.0": ["-I", "lanplus"]}[version]
    if patient and version == "2.0":
        how += ["-N", "5"]
    if version == "2.0" and suite is not None:
        how += ["-C", str(suite)]
    # It logs in as administrator where nothing else is said.
    level = level or {"oper": "operator", "user": "user"}.get(user, "administrator")
    return [program("ipmitool"), *how, "-H", address, "-p", str(port), "-U", user, "-P", password,
            "-L", level, *(["-k", kg] if kg else []), *words]


def freeipmi_line(name, address, port, *words, user="admin", password=PASSWORD, kg=None,
                  version="2.0", suite=3):
    """version None: ipmiconsole, which speaks 2.0 only, and to port 623 only."""
    how = {"1.5": ["-D", "LAN"], "2.0": ["-D", "LAN_2_0", "-I", str(suite)],
           None: ["-I", str(suite)]}[version]
    host = address if port == 623 else f"{address}:{port}"
    return [program(name), *how, "-h", host, "-u", user, "-p", password,
            *(["-k", kg] if kg else []), *words]


def ipmitool(address, port, *words, **login):
    return run(ipmitool_line(address, port, *words, **login))


def freeipmi(name, address, port, *words, **login):
    """Any of FreeIPMI's programs."""
    return run(freeipmi_line(name, address, port, *words, **login))


def ipmipower(address, port, *words, version="2.0", patient=False, **login):
    """With what ipmi_sim needs: the real privilege level in Open Session. patient: by itself it asks again
    after 0.4 s, and what is only slow gets that as well."""
    around = ["-W", "opensesspriv"] if version == "2.0" else []
    if patient and version == "2.0":
        around += ["--retransmission-timeout=5000", "--session-timeout=40000"]
    return freeipmi("ipmipower", address, port, *around, *words, version=version, **login)


def program(name):
    """Its path; skips, counted and named, where it is missing."""
    path = shutil.which(name, path=PATH)
    if not path:
        lib.skip(f"{name} is not installed")
    return path


def need(*names):
    """Skips where one of these is missing."""
    for name in names:
        if name != "pyghmi":
            program(name)
        elif subprocess.run([PYTHON, "-c", "import pyghmi.ipmi.bmc"], capture_output=True,
                            check=False).returncode:
            lib.skip("pyghmi is not installed")
