#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""boot http and boot recovery: what is looked at before a machine is restarted, and what it loads then.

The image's server is a small HTTPS server of this file, the machine a stand-in that loads the image for real.
"""
import atexit
import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

from amtlib import Fleet
from lib import PATIENCE, bad, error_of, good, has, main, same, test, until

# --- The server, and what it gives. ----------------------------------------------------------


def application(signed=True):
    """The beginning of an EFI application for x86-64."""
    image = bytearray(1024)
    image[0:2] = b"MZ"
    struct.pack_into("<I", image, 0x3C, 0x80)
    image[0x80:0x84] = b"PE\0\0"
    struct.pack_into("<H", image, 0x84, 0x8664)
    struct.pack_into("<H", image, 0x98, 0x20B)
    struct.pack_into("<H", image, 0x98 + 68, 10)
    struct.pack_into("<I", image, 0x98 + 108, 16)
    struct.pack_into("<II", image, 0x98 + 112 + 32, 512, 512 if signed else 0)
    return bytes(image)


ISO = bytes(0x8001) + b"CD001" + bytes(60000)
SIGNED = application()
LONG = bytes(32 << 20)  # more than sockets hold
HEAD = 36 << 10         # what is looked at
# Path: status, Content-Type, body.
FILES = {
    "/a.efi": (200, "text/plain", SIGNED),
    "/unsigned.efi": (200, "text/plain", application(False)),
    "/typed": (200, "application/vnd.efi-iso", ISO),
    "/a.iso": (200, "application/octet-stream", ISO),
    "/page.efi": (200, "text/html", b"<html>not here</html>"),
    "/nothing": (200, "text/plain", SIGNED),
    "/long": (200, "text/plain", LONG),
    "/moved.efi": (302, "text/plain", b""),
    "/login.efi": (200, "text/plain", SIGNED),
}
REALM, NONCE = "images", "00ff00ff"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def fields(self):
        """Of a Digest login."""
        words = self.headers.get("Authorization", "").replace("Digest ", "", 1).split(",")
        pairs = (w.strip().split("=", 1) for w in words if "=" in w)
        return {k: v.strip('"') for k, v in pairs}

    def logged_in(self):
        f = self.fields()
        ha1, ha2 = md5(f"guest:{REALM}:s3cret"), md5(f"GET:{self.path}")
        return f.get("username") == "guest" and f.get("response") == md5(f"{ha1}:{NONCE}:{ha2}")

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range"),
                                  self.headers.get("User-Agent", "")))
        status, kind, body = FILES.get(self.path, (404, "text/html", b"no"))
        if self.path == "/login.efi" and not self.logged_in():
            status, body = 401, b""
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", f'Digest realm="{REALM}", nonce="{NONCE}"')
        if status == 302:
            self.send_header("Location", "/a.efi")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send_body(body)

    def send_body(self, body):
        """Notes how much of a long one was taken: who has read enough hangs up."""
        sent = 0
        with contextlib.suppress(OSError):
            while sent < len(body):
                sent += self.wfile.write(body[sent:sent + (64 << 10)])
        if len(body) == len(LONG):
            self.server.sent.append(sent)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that does not trust us


class Images:
    """One server, with TLS unless cert is None."""

    def __init__(self, lab, cert="server"):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.asked = self.asked = []
        self.server.sent = []
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem(cert), key(cert))
            # The handshake is the thread's that serves, not the one's that accepts.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.scheme = "https" if cert else "http"
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        lab.keep(self)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"


# --- Certificates, made once. ----------------------------------------------------------------


@functools.cache
def folder():
    where = tempfile.mkdtemp(prefix="powerctl-test-")
    atexit.register(shutil.rmtree, where, ignore_errors=True)
    return where


def path(name):
    return os.path.join(folder(), name)


@functools.cache
def key(name):
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                    path(f"{name}.key")], check=True, capture_output=True)
    return path(f"{name}.key")


# By name: who signs it, its extensions.
CERTIFICATES = {
    "root": (None, "basicConstraints=critical,CA:TRUE"),
    "other-root": (None, "basicConstraints=critical,CA:TRUE"),
    "server": ("root", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:images.lab.example"),
    "elsewhere": ("root", "subjectAltName=DNS:elsewhere.example"),
}


@functools.cache
def pem(name):
    signer, extension = CERTIFICATES[name]
    by = ["-CA", pem(signer), "-CAkey", key(signer)] if signer else []
    subprocess.run(["openssl", "req", "-x509", "-key", key(name), "-days", "30", "-subj",
                    f"/O=Lab/CN={name}", "-addext", extension, "-out", path(f"{name}.pem"), *by],
                   check=True, capture_output=True)
    return path(f"{name}.pem")


def sum_of(name, algorithm):
    with open(pem(name), encoding="ascii") as f:
        return hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


# --- What the tests say. ---------------------------------------------------------------------


def machines(lab, *args, trusts="root", profile="16.1", devices=1, **how):
    """Stand-ins that load images, and trust that root."""
    fleet = Fleet(lab, "--set", f"all:profile={profile}", "--set", "all:http_fetch=1", *args, tls=True,
                  devices=devices, **how)
    if trusts:
        does(lab, "amt", "certs", f"add={pem(trusts)}", "-a")
    fleet.reset()
    return fleet


def does(lab, *words):
    """What is of no interest but that it goes well."""
    r = lab.run(*words)
    same(r.status, 0, r)


def untouched(fleet, n=1):
    c = fleet.counters(n)
    same((c["set_power"], c["put_boot"]), (0, 0), "what was sent to a machine that cannot")


def refused(lab, fleet, url, *words, kind="refused"):
    r = bad(lab.run("--json", "boot", "http", "--url", url, "a1"), 1)
    same(error_of(r)[0], kind, r)
    for word in words:
        has(error_of(r)[1], word)
    untouched(fleet)
    return r


def became(fleet, n=1):
    fleet.wait(lambda d: d["last_image"] not in ("none", "loading"), n)
    return fleet.device(n)["last_image"]


def events(lab):
    found = lab.run("--json", "log", "a1").json[0]["result"]["events"]
    return [e["event"] for e in found if "One-Click Recovery" in e["event"]]


# --- Tests. ----------------------------------------------------------------------------------


@test
def loaded(lab):
    """a machine that trusts the server's root loads the image; its log tells each step"""
    fleet, images = machines(lab), Images(lab)
    good(lab.run("boot", "http", "--url", images.url("/a.efi"), "a1"), "a1: on")
    same((fleet.device()["last_boot"], became(fleet)), ("http", "started"))
    # Ours asks for the beginning, before; the machine for all of it.
    same([(p, bool(r), "Uefi" in agent) for p, r, agent in images.asked],
         [("/a.efi", True, False), ("/a.efi", False, True)])
    same([e.removeprefix("One-Click Recovery: ") for e in events(lab)],
         ["parameters received", "boot option added for HTTPS", "the server's name was resolved",
          "connected to the server", "the image was loaded", "the image is started"])
    for url in (images.url("/a.iso"), images.url("/typed"), images.url("/a.efi", "localhost")):
        good(lab.run("boot", "http", "--url", url, "a1"), "a1: on")
        same((fleet.device()["last_url"], became(fleet)), (url, "started"))


@test
def without_tls(lab):
    """http:// is loaded as well, and no certificate is asked for"""
    fleet, images = machines(lab, trusts=None), Images(lab, None)
    good(lab.run("boot", "http", "--url", images.url("/a.efi"), "a1"), "a1: on")
    same(became(fleet), "started")
    same([c for c in fleet.device()["log"] if "Certificate" in c], [])


@test
def trust(lab):
    """the machine's own roots decide, not this computer's: words name the issuer and what mends it"""
    fleet, images = machines(lab, trusts=None), Images(lab)
    url = images.url("/a.efi")
    said = "would not trust the server's certificate, issued by '/O=Lab/CN=root'"
    # This computer's trust is of no use.
    env = {"SSL_CERT_FILE": pem("root"), "CURL_CA_BUNDLE": pem("root")}
    r = bad(lab.run("boot", "http", "--url", url, "a1", env=env), 1)
    has(r.out, said)
    refused(lab, fleet, url, said, "none of its 0 root certificates", "amt certs add=")
    does(lab, "amt", "certs", f"add={pem('other-root')}", "a1")
    # A leaf that the machine shows is nobody it trusts.
    does(lab, "amt", "certs", f"add={pem('server')}", "kind=leaf", "a1")
    fleet.reset()
    refused(lab, fleet, url, said, "none of its 1 root certificates")
    does(lab, "amt", "certs", f"add={pem('root')}", "a1")
    good(lab.run("boot", "http", "--url", url, "a1"), "a1: on")
    same(became(fleet), "started")


@test
def names(lab):
    """a certificate for another name is refused, unless boot_server_name says that one"""
    fleet, images = machines(lab), Images(lab, "elsewhere")
    url = images.url("/a.efi")
    refused(lab, fleet, url, "for another name than the URL's")
    for name, fits in (("elsewhere.example", True), (".example", True), (".lab.example", False)):
        fleet.inventory(tls=True, settings=f"boot_server_name: {name}")
        if fits:
            good(lab.run("boot", "http", "--url", url, "a1"), "a1: on")
            same(became(fleet), "started", name)
            fleet.reset()
        else:
            refused(lab, fleet, url, "boot_server_name")


@test
def hashes(lab):
    """boot_server_hash is the server's certificate, boot_image_hash the image: the firmware checks both"""
    fleet, images = machines(lab), Images(lab)
    url = images.url("/a.efi")
    fleet.inventory(tls=True, settings=f"boot_server_hash: {sum_of('root', 'sha256')}")
    refused(lab, fleet, url, "not the one of boot_server_hash")
    for algorithm in ("sha256", "sha384", "sha512"):
        image = hashlib.new(algorithm, SIGNED).hexdigest()
        fleet.inventory(tls=True, settings=f"boot_server_hash: {sum_of('server', algorithm)}\n"
                              f"boot_image_hash: {image}")
        good(lab.run("boot", "http", "--url", url, "a1"), "a1: on")
        same(became(fleet), "started", algorithm)
        fleet.inventory(tls=True, settings=f"boot_image_hash: {image[::-1]}")
        good(lab.run("boot", "http", "--url", url, "a1"), "a1: on")
        same(became(fleet), "image", algorithm)
    fleet.inventory(tls=True, settings="boot_server_hash: 12345")
    r = bad(lab.run("status", "a1"), 2)
    has(r.err, "boot_server_hash: is a SHA-256, SHA-384 or SHA-512 sum")


@test
def files(lab):
    """what no firmware boots is refused, with what is wrong about it"""
    fleet, images = machines(lab), Images(lab)
    for name, word in (("/page.efi", "no EFI application"), ("/nothing", "cannot tell what this is"),
                       ("/unsigned.efi", "not signed"), ("/gone.efi", "HTTP 404"),
                       ("/moved.efi", "points elsewhere (HTTP 302)"), ("/login.efi", "a login")):
        refused(lab, fleet, images.url(name), word)
    # Of the long one no more than the beginning was asked for, and hardly more was taken.
    images.asked.clear()
    refused(lab, fleet, images.url("/long"), "cannot tell what this is")
    same([part for _, part, _ in images.asked], [f"bytes=0-{HEAD - 1}"])
    until("it has hung up", lambda: images.server.sent)
    assert images.server.sent[-1] < len(LONG) // 2, images.server.sent
    fleet.inventory(tls=True, settings="secure_boot: false")
    good(lab.run("boot", "http", "--url", images.url("/unsigned.efi"), "a1"), "a1: on")
    same(became(fleet), "started")


@test
def logins(lab):
    """boot_user and boot_password log in at the image's server; the password is told to nobody else"""
    fleet, images = machines(lab), Images(lab)
    url = images.url("/login.efi")
    lab.write("config/powerctl/secrets/images", "s3cret\n")
    fleet.inventory(tls=True, settings="boot_user: guest\nboot_password_file: secrets/images")
    r = good(lab.run("--trace", "boot", "http", "--url", url, "a1"), "a1: on")
    same(became(fleet), "started")
    assert "s3cret" not in r.out + r.err, r
    lab.write("config/powerctl/secrets/images", "wrong\n")
    fleet.reset()
    refused(lab, fleet, url, "another login than boot_user and boot_password")
    fleet.inventory(tls=True, settings="boot_user: guest")
    has(bad(lab.run("status", "a1"), 2).err, "boot_password: is missing")


@test
def elsewhere(lab):
    """a URL that only the machine's network reaches: an honest error, and an option that leaves the check out"""
    fleet = machines(lab)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # nobody listens
        url = f"https://127.0.0.1:{s.getsockname()[1]}/a.efi"
        refused(lab, fleet, url, "this computer cannot load it", "--no-url-check", kind="config")
        refused(lab, fleet, "https://nowhere.invalid/a.efi", "this computer cannot load it",
                "--no-url-check", kind="config")
        good(lab.run("boot", "http", "--no-url-check", "--url", url, "a1"), "a1: on")
        same((fleet.device()["last_url"], became(fleet)), (url, "connect"))
        has(events(lab)[-1], "the server could not be connected to")
    r = bad(lab.run("boot", "pxe", "--no-url-check", "a1"), 2)
    has(r.err, "--no-url-check goes with http")


@test
def firmware_refuses(lab):
    """without the check the machine finds out itself, and its log says what"""
    fleet, images = machines(lab, trusts="other-root"), Images(lab)
    for name, word, said in (("/a.efi", "certificate", "certificate was not accepted"),):
        good(lab.run("boot", "http", "--no-url-check", "--url", images.url(name), "a1"), "a1: on")
        same(became(fleet), word)
        has(events(lab)[-1], said)
    same(images.asked, [])
    does(lab, "amt", "certs", f"add={pem('root')}", "a1")
    for name, word, said in (("/gone.efi", "file", "file was not found"),
                             ("/page.efi", "image", "image is not valid"),
                             ("/unsigned.efi", "image", "image is not valid"),
                             ("/login.efi", "login", "refused the login")):
        good(lab.run("boot", "http", "--no-url-check", "--url", images.url(name), "a1"), "a1: on")
        same(became(fleet), word, name)
        has(events(lab)[-1], said)


@test
def held(lab):
    """bootdev http is held with its option, and looked at when it is used"""
    fleet, images = machines(lab, trusts=None), Images(lab)
    url = images.url("/a.efi")
    does(lab, "bootdev", "http", "--url", url, "a1")
    r = bad(lab.run("on", "a1"), 1)
    has(r.out, "would not trust")
    untouched(fleet)
    does(lab, "bootdev", "http", "--no-url-check", "--url", url, "a1")
    good(lab.run("on", "a1"), "a1: on")
    same(became(fleet), "certificate")


@test
def asked_once(lab):
    """many machines that trust the same wait for one request; one with other roots for its own"""
    fleet, images = machines(lab, devices=12), Images(lab)
    does(lab, "amt", "certs", f"add={pem('other-root')}", "a12")
    url = images.url("/a.efi")
    good(lab.run("boot", "http", "-y", "--url", url, "-a"), *[f"a{n}: on" for n in range(1, 13)])
    for n in range(1, 13):
        same(became(fleet, n), "started", n)
    same(len([1 for _, part, _ in images.asked if part]), 2, images.asked)


@test
def interrupted(lab):
    """^C and the deadline end a check that hangs, and no machine is touched"""
    fleet = machines(lab)
    for stop, timeouts in (("^C", ""), ("deadline", "read: 2s")):
        fleet.inventory(tls=True, timeouts=timeouts)
        with socket.create_server(("127.0.0.1", 0)) as s:  # accepts, and says nothing
            s.settimeout(PATIENCE)
            url = f"https://127.0.0.1:{s.getsockname()[1]}/a.efi"
            proc = lab.start("--json", "boot", "http", "--url", url, "a1",
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            peer = s.accept()[0]
            if stop == "^C":
                proc.send_signal(signal.SIGINT)
            out, _ = proc.communicate(timeout=PATIENCE)
            peer.close()
        wanted = {"deadline": (1, "timeout"), "^C": (130, "canceled")}[stop]
        told = json.loads(out)
        same((proc.returncode, told["error"]["class"], told["changed"]), (*wanted, False), out)
        assert "boot device" not in out, out
        if stop == "^C":
            has(told["error"]["message"], "nothing was sent")
    untouched(fleet)


@test
def machine_cannot(lab):
    """what the BIOS, the administrator or the control mode forbid is said before anything is asked for"""
    fleet, images = machines(lab), Images(lab)
    url = images.url("/a.efi")
    same(lab.run("--json", "amt", "features", "recovery=off", "a1").json[0]["result"]["recovery"],
         "off")
    fleet.reset()
    refused(lab, fleet, url, "switched off", "features recovery=on", kind="forbidden")
    does(lab, "amt", "features", "recovery=on", "a1")
    fleet.set(1, no_https_boot=1)
    fleet.reset()
    refused(lab, fleet, url, "disabled in the BIOS", kind="unsupported")
    same(images.asked, [])


@test
def control_mode(lab):
    """secure_boot: false in client control mode is refused early, once somebody has agreed"""
    fleet, images = machines(lab, "--set", "1:ccm=1"), Images(lab)
    fleet.inventory(tls=True, settings="secure_boot: false")
    does(lab, "consent", "request", "a1")
    code = str(fleet.device()["optin_code"])
    does(lab, "consent", "submit", code.zfill(6), "a1")
    fleet.reset()
    refused(lab, fleet, images.url("/a.efi"), "client control mode", kind="unsupported")
    same(images.asked, [])


@test
def from_its_own_disk(lab):
    """boot recovery starts Windows RE, or an application that the BIOS lists"""
    fleet = machines(lab, trusts=None)
    good(lab.run("boot", "recovery", "a1"), "a1: on")
    same((fleet.device()["last_boot"], became(fleet)), ("winre", "started"))
    for setting in ("pba", "pba.EFI"):
        fleet.inventory(tls=True, settings=f"recovery: {setting}")
        good(lab.run("boot", "recovery", "a1"), "a1: on")
        same((fleet.device()["last_boot"], became(fleet)), ("pba", "started"))
    fleet.inventory(tls=True, settings="recovery: other.efi")
    fleet.reset()
    r = bad(lab.run("boot", "recovery", "a1"), 1)
    has(r.out, "lists nothing to recover it with that is 'other.efi'")
    untouched(fleet)
    fleet.inventory(tls=True, settings="secure_boot: false")
    has(bad(lab.run("boot", "recovery", "a1"), 1).out, "only where Secure Boot holds")
    untouched(fleet)


if __name__ == "__main__":
    main()
