# SPDX-License-Identifier: Apache-2.0
"""Gateways for tests: Debian's sshd and microsocks, and a SOCKS server that can misbehave."""
import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import lib

# Whom sshd runs as, and logs in: as root it would need a folder under /run, and so it is not root.
USER = "daemon" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def program(name, package):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    return path or lib.skip(f"{package}: not installed, so no {name}")


def runs(pid):
    """Not so where nobody in a container buries the dead of others."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A program that cannot tell its port: one that was free a moment ago, tried until it holds."""

    def __init__(self, make, env=None, port=None):
        for _ in range(10):
            self.port = port or free_port()
            self.proc = subprocess.Popen(make(self.port), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         env=env, start_new_session=True)
            lib.until("the server listens or has ended",
                      lambda: answers(self.port) or self.proc.poll() is not None)
            if self.proc.poll() is None:
                return
        raise AssertionError("the server does not start")

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()


class Sshd:
    """sshd with a host key and a user key of its own; powerctl's ssh knows both and nothing else."""

    log = ["-e"]

    def __init__(self, lab, more="", env=None):
        sshd = program("sshd", "openssh-server")
        program("ssh-keygen", "openssh-client")
        self.lab, self.more = lab, more
        self.folder = tempfile.mkdtemp(prefix="powerctl-sshd-")
        os.chmod(self.folder, 0o755)  # sshd reads it as somebody else
        lab.keep(self)
        for key in ("host", "user", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(key)],
                           check=True)
        if subprocess.run([*self.become(), "test", "-r", self.path("host.pub")],
                          check=False).returncode:
            lib.skip(f"{self.folder}: nobody but root can use this folder, and sshd is not root")
        self.be()
        server = lab.keep(Server(lambda port: [*self.become(), sshd, "-D", *self.log,
                                               "-f", self.config(port)], env))
        self.port, self.proc = server.port, server.proc
        self.knows("host")
        self.client("user")
        self.via = f"ssh://{USER}@127.0.0.1:{self.port}"

    def path(self, name):
        return os.path.join(self.folder, name)

    def be(self):
        if os.geteuid() == 0:
            os.chown(self.path("host"), pwd.getpwnam(USER).pw_uid, -1)

    @staticmethod
    def become():
        if os.geteuid() != 0:
            return []
        user = pwd.getpwnam(USER)
        return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
                "--clear-groups"]

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def config(self, port):
        return self.write("sshd_config", f"ListenAddress 127.0.0.1\nPort {port}\nPidFile none\n"
                          f"HostKey {self.path('host')}\nStrictModes no\nUsePAM no\n"
                          f"AuthorizedKeysFile {self.path('user.pub')}\n"
                          f"PasswordAuthentication no\nKbdInteractiveAuthentication no\n{self.more}")

    def knows(self, key):
        self.write("known_hosts", f"[127.0.0.1]:{self.port} {self.read(key + '.pub')}")

    def client(self, key, more=""):
        """An ssh in powerctl's path that has this key and, of the user's configuration, more."""
        self.write("ssh_config", f"{more}Host *\n IdentityFile {self.path(key)}\n IdentitiesOnly yes\n"
                   f" IdentityAgent none\n UserKnownHostsFile {self.path('known_hosts')}\n"
                   " GlobalKnownHostsFile /dev/null\n")
        ssh = program("ssh", "openssh-client")
        log = self.path("started")
        os.makedirs(self.path("bin"), exist_ok=True)
        self.write("bin/ssh", f'#!/bin/sh\necho $$ >>{log}\n'
                   f'exec {ssh} -F {self.path("ssh_config")} "$@"\n', 0o755)
        self.lab.env["PATH"] = self.path("bin") + ":" + os.environ["PATH"]

    def started(self):
        """The process numbers of all ssh that powerctl has started."""
        if not os.path.exists(self.path("started")):
            return []
        return [int(line) for line in self.read("started").split()]

    def alive(self):
        return [pid for pid in self.started() if runs(pid)]

    def sessions(self, of=None):
        """sshd's children that serve somebody."""
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(of or self.proc.pid)],
                             capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in out.split()]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class BmcSshd(Sshd):
    """Lets somebody in by name and password, or key, to a BMC's command line (bmcshell.py)."""

    def __init__(self, lab, user, password, more=""):
        preload = lab.path("sshd_user.so")
        os.chmod(lab.folder, 0o755)  # sshd reads it as somebody else
        subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", preload,
                        os.path.join(lib.HERE, "sshd_user.c")], check=True)
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, text=True,
                                capture_output=True, check=True).stdout.strip()
        self.home = lab.path("bmc")
        os.mkdir(self.home)
        os.chmod(self.home, 0o777)
        self.log = ["-E", os.path.join(self.home, "log")]
        shell = shutil.copy(os.path.join(lib.HERE, "bmcshell.py"), lab.path("bmcshell"))
        os.chmod(shell, 0o755)
        self.env = {**os.environ, "LD_PRELOAD": preload, "SSHD_USER": user, "SSHD_HASH": hashed,
                    "SSHD_FOLDER": self.home, "SSHD_SHELL": shell}
        super().__init__(lab, f"LogLevel VERBOSE\nPrintMotd no\n{more}", self.env)

    def config(self, port):
        super().config(port)
        return self.write("sshd_config", self.read("sshd_config").replace(
            "PasswordAuthentication no", "PasswordAuthentication yes"))

    def restart(self):
        """At the same port, with what env says now."""
        self.proc.kill()
        self.proc.wait()
        again = self.lab.keep(Server(lambda _: self.proc.args, self.env, self.port))
        self.proc = again.proc

    def hang_up(self):
        """Drops whoever is logged in; what serves them is two processes each."""
        for pid in self.sessions():
            for one in (*self.sessions(pid), pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)

    def told(self):
        """What the command line has got."""
        path = os.path.join(self.home, "shell")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return f.read().splitlines()


class Socks:
    """A SOCKS server that does as its function says: talk(connection) in a thread for each."""

    def __init__(self, lab, talk):
        self.talk, self.met = talk, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        lab.keep(self)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.met += 1
            self.open.append(connection)
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            if self.talk(connection) != "hold":
                connection.close()
        except (OSError, AssertionError):
            connection.close()

    def close(self):
        self.listener.close()
        for connection in self.open:
            connection.close()


def take(connection, n):
    data = b""
    while len(data) < n:
        part = connection.recv(n - len(data))
        assert part, "hung up"
        data += part
    return data


def asked(connection):
    """Takes greeting and request; the name or number, and the port."""
    take(connection, take(connection, 2)[1])
    connection.sendall(b"\5\0")
    kind = take(connection, 4)[3]
    if kind == 3:
        host = take(connection, take(connection, 1)[0]).decode()
    else:
        host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6,
                                take(connection, 4 if kind == 1 else 16))
    return host, int.from_bytes(take(connection, 2), "big")


def pump(a, b):
    """Both ways until one of them ends."""
    while True:
        for one in select.select([a, b], [], [])[0]:
            data = one.recv(65536)
            if not data:
                return
            (b if one is a else a).sendall(data)
