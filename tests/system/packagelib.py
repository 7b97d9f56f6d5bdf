# SPDX-License-Identifier: Apache-2.0
"""What the tests of packages share, made when it is first asked for: the unpacked tarball, the packages built from it
in two versions, and a bare Debian that they are installed into."""
import atexit
import functools
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
# pylint: disable=wrong-import-position
from lib import SOURCE, Result, Skip, same, skip  # noqa: E402

LONG = 900  # seconds that a build or a download may take
OLD = "0.0.9"
PACKAGES = ("libpowerctl-dev", "libpowerctl-http0", "libpowerctl0", "powerctl", "powerctl-amt", "powerctl-exec",
            "powerctl-fence", "powerctl-hooks", "powerctl-ipmi", "powerctl-redfish", "powerctl-wol")


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip(f"{program} is not installed")


def run(*argv, cwd=None, status=0, **env):
    """Runs anything to its end; it ends with this status, if not None."""
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LONG, check=False)
    result = Result(argv, done.returncode, done.stdout, done.stderr)
    if status is not None:
        same(done.returncode, status, f"{argv}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return result


@functools.lru_cache(None)
def folder():
    """All that these tests write; gone when the last one is over."""
    path = tempfile.mkdtemp(prefix="powerctl-packages-")
    os.chmod(path, 0o755)  # apt reads in it as somebody else
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def place(*parts):
    return os.path.join(folder(), *parts)


def dist(repository, out, **env):
    """make dist; its tarball."""
    os.makedirs(out)
    run("make", "-s", "dist", cwd=repository, DIST=out, **env)
    found = glob.glob(os.path.join(out, "*"))
    same(len(found), 1, found)
    return found[0]


def need_repository():
    need("git")
    if not os.path.exists(os.path.join(SOURCE, ".git")):
        skip("git: this source is not a repository")


@functools.lru_cache(None)
def tarball():
    need_repository()
    return dist(SOURCE, place("dist"))


def version():
    return re.fullmatch(r"powerctl-([0-9.]+)\.tar\.gz", os.path.basename(tarball()))[1]


def replace(path, before, after):
    with open(path, encoding="utf-8") as old:
        text = old.read()
    assert before in text, f"no {before!r} in {path}"
    with open(path, "w", encoding="utf-8") as new:
        new.write(text.replace(before, after, 1))


@functools.lru_cache(None)
def tree():
    """The unpacked tarball, without git."""
    os.mkdir(place("source"))
    run("tar", "-xzf", tarball(), "-C", place("source"))
    return place("source", f"powerctl-{version()}")


def build(where):
    """make deb, with all packages moved into a folder."""
    run("make", "-s", "deb", cwd=tree())
    os.mkdir(where)
    for path in glob.glob(os.path.join(tree(), "build-deb", "*.deb")):
        shutil.move(path, where)
    return where


@functools.lru_cache(None)
def packages():
    """The folder with those of this version."""
    need("dpkg-shlibdeps", "file", "cmake")
    return build(place("new"))


@functools.lru_cache(None)
def old_packages():
    """The same from a source that says it is older; what it was made from is built first."""
    packages()
    for path, before, after in (("CMakeLists.txt", f"VERSION {version()} ", f"VERSION {OLD} "),
                                ("contrib/deb/changelog", f"({version()}-", f"({OLD}-")):
        replace(os.path.join(tree(), path), before, after)
    return build(place("old"))


def field(package, name):
    """A field of what one of the packages says of itself."""
    path, = glob.glob(os.path.join(packages(), package + "_*.deb"))
    return run("dpkg-deb", "-f", path, name).out.strip()


# --- A bare root -----------------------------------------------------------------------------


def archives():
    """Those of Debian in apt's lists: code name, address, release and component of each."""
    said = run("apt-get", "indextargets", "--format",
               "$(CREATED_BY) $(ORIGIN) $(CODENAME) $(REPO_URI) $(RELEASE) $(COMPONENT)").lines
    return [line.split()[2:] for line in said if line.startswith("Packages Debian ")]


def sources():
    """Where this machine's apt takes Debian from: lines for a sources.list, and the release."""
    found = archives()
    if not found:  # the lists may have been thrown away
        run("apt-get", "-q", "update", status=None)
        found = archives()
    if not found:
        skip("apt: it has no lists of Debian here, and gets none")
    return min((code for code, *_ in found), key=len), sorted({f"deb {uri} {release} {component}"
                                                              for _, uri, release, component in found})


class Root:
    """A Debian with nothing but apt, adduser and man, in a folder; and the packages, in an archive of its own."""

    def __init__(self):
        need("apt-get", "mmdebstrap", "unshare", "chroot", "dpkg-scanpackages")
        if os.geteuid() != 0:
            skip("root: a Debian of its own can be made and entered by root only")
        if run("unshare", "--mount", "true", status=None).status != 0:
            skip("mount namespace: this place makes none")
        release, lines = sources()
        self.path = place("root")
        done = run("mmdebstrap", "--mode=root", "--variant=minbase", "--include=adduser,man-db", release, self.path,
                   *lines, status=None)
        if done.status != 0:
            errors = [line for line in done.err.split("\n") if line.startswith("E: ")]
            skip("mmdebstrap: it made no root: " + (errors or [done.err])[0])
        os.mkdir(self.file("archive"))
        self.write("etc/apt/sources.list.d/powerctl.list", "deb [trusted=yes] file:/archive ./\n")
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        self.before = None

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o644):
        with open(self.file(name), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.file(name), mode)

    def run(self, *argv, status=0, user="root"):
        """Runs something in it. What is mounted for that is so in no other place."""
        home = "/root" if user == "root" else "/home/" + user
        proxies = [f"{k}={v}" for k, v in os.environ.items() if k.lower().endswith("_proxy") and user == "root"]
        become = () if user == "root" else ("setpriv", "--reuid", user, "--regid", user, "--init-groups")
        return run("unshare", "--mount", "--fork", "sh", "-c",
                   'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', self.path,
                   "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                   "DEBIAN_FRONTEND=noninteractive", f"HOME={home}", *proxies, *become, *argv, status=status)

    def offer(self, where):
        """The packages of a folder are those of its archive."""
        for path in glob.glob(self.file("archive/*")):
            os.unlink(path)
        for path in glob.glob(os.path.join(where, "*.deb")):
            shutil.copy(path, self.file("archive"))
        listed = run("dpkg-scanpackages", "-m", ".", cwd=self.file("archive")).out
        self.write("archive/Packages", listed)
        self.run("apt-get", "-q", "update")
        if self.before is None:
            self.before = self.files()

    def apt(self, *words):
        """Only what is needed comes along: else all of the fence agents do, and what they need."""
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", *words)

    def versions(self):
        """Of what is installed of ours, by name."""
        said = self.run("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n").lines
        words = [line.split() for line in said]
        return {w[0]: w[1] for w in words if w[0] in PACKAGES and w[2] == "installed"}

    def files(self):
        """What is in it, but for what apt and dpkg keep for themselves."""
        found = run("find", ".", "-xdev", "(", "-path", "./proc", "-o", "-path", "./archive", "-o", "-path",
                    "./var/lib/dpkg", "-o", "-path", "./var/lib/apt", "-o", "-path", "./var/cache", "-o", "-path",
                    "./var/log", "-o", "-path", "./tmp", "-o", "-path", "./run/adduser", ")", "-prune", "-o", "-print", cwd=self.path).lines
        return {path for path in found if not path.endswith("~") and path not in (
            "./etc/ld.so.cache", "./etc/group-", "./etc/gshadow-", "./etc/passwd-", "./etc/shadow-",
            "./etc/subuid-", "./etc/subgid-")}

    def group(self):
        """The line of the group powerctl, or nothing."""
        return self.run("getent", "group", "powerctl", status=None).out.strip()

    def have(self, where):
        """All packages of a folder, installed."""
        self.offer(where)
        self.apt("install", *PACKAGES)
        return self

    def stat(self, name):
        return self.run("stat", "-c", "%U:%G %a", name).out.strip()


@functools.lru_cache(None)
def first_root():
    """It, or why there is none: that is tried once."""
    try:
        return Root(), None
    except Skip as why:
        return None, str(why)


def root():
    here, why = first_root()
    if why:
        skip(why)
    return here
