#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The author's kit: the template, the installed headers, pkg-config and CMake, older and newer headers, C++; and what
is installed to be read."""
import fnmatch
import glob
import os
import re
import stat

from kitlib import Copy, older_headers
from lib import SOURCE, good, has, main, same, test

# A driver in C++20, which has designated initializers. Its machine is on.
CPP = r"""
#include <memory>
#include <powerctl/driver.h>
#include <powerctl/mem.h>

namespace {

struct Device {
	pctl_device *device;
};

constexpr pctl_property lit = [] {
	pctl_property p{};
	p.size = sizeof(p);
	p.type = PCTL_TYPE_BOOL;
	p.name = "lit";
	p.default_text = "true";
	p.help = "whether it is on";
	return p;
}();
constexpr pctl_property properties[] = { lit, {} };

void get(void *data, pctl_op *op, unsigned, pctl_power *ret)
{
	auto *dev = static_cast<Device *>(data);
	ret->state = pctl_setting_bool(dev->device, "lit") ? PCTL_POWER_ON : PCTL_POWER_OFF;
	pctl_op_done(op);
}

void act(void *, pctl_op *op, pctl_action)
{
	pctl_op_fail(op, PCTL_E_REFUSED, "it cannot be %s", "switched");
}

int open(void *, pctl_device *device, void **ret, pctl_error *)
{
	*ret = std::make_unique<Device>(Device{ device }).release();
	return 0;
}

void close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	delete static_cast<Device *>(data);
	closed(closed_data);
}

constexpr pctl_power_if power = [] {
	pctl_power_if p{};
	p.size = sizeof(p);
	p.actions = PCTL_ACTION_BIT(PCTL_ACTION_OFF);
	p.get = get;
	p.act = act;
	return p;
}();

constexpr pctl_driver driver = [] {
	struct pctl_driver d{};
	d.size = sizeof(d);
	d.abi = PCTL_DRIVER_ABI;
	d.name = "plusplus";
	d.summary = "made in C++";
	d.maturity = PCTL_EXPERIMENTAL;
	d.properties = properties;
	d.open = open;
	d.close = close;
	d.power = &power;
	return d;
}();

}

extern "C" PCTL_API const struct pctl_driver pctl_driver;
const struct pctl_driver pctl_driver = driver;
"""


@test
def template_with_make(lab):
    """The template builds outside the tree with plain make against an installed copy, and its test passes"""
    copy = Copy(lab)
    folder = copy.new("lamp")
    without = {"PKG_CONFIG_PATH": lab.path("nothing"), "PKG_CONFIG_LIBDIR": lab.path("nothing")}
    said = copy.run("make", cwd=folder, status=2, env=without)
    has(said, "pkg-config finds no powerctl: install libpowerctl-dev")
    same("fatal error" in said, False, said)
    said = copy.run("make", "CFLAGS=-O1 -Wall -Wextra -Wpedantic -Werror", cwd=folder)
    said = copy.run("make", "check", cwd=folder)
    same(len(re.findall(r"^ok - ", said, re.M)), 7, said)
    copy.run("make", "install", "DESTDIR=" + lab.path("dest"), cwd=folder, status=2, env=without)
    same(os.path.exists(lab.path("dest")), False)
    copy.run("make", "install", "DESTDIR=" + lab.path("dest"), cwd=folder)
    plugins = copy.run("pkg-config", "--variable=plugindir", "powerctl").strip()
    assert os.path.samefile(plugins, os.path.dirname(copy.one("lib/**/null.so"))), plugins
    same(os.listdir(lab.path("dest") + plugins), ["lamp.so"])
    # Installed for good it is one of the drivers, with all that is made from its table.
    copy.run("make", "install", cwd=folder)
    has(copy.run(copy.powerctl, "drivers", "lamp"), "file (file; required)")
    has(copy.run(copy.powerctl, "drivers", "--man", "lamp"), "*file* (file; required)\n\t")
    has(copy.run(copy.powerctl, "drivers", "--schema"), '"driver-lamp"')
    copy.run("make", "clean", cwd=folder)
    same(sorted(os.listdir(folder)), ["CMakeLists.txt", "Makefile", "README.md", "lamp.c", "test.sh"])


@test
def template_with_cmake(lab):
    """The same with CMake, by its package file"""
    copy = Copy(lab)
    folder = copy.new("lamp")
    with open(os.path.join(folder, "lamp.c"), "a", encoding="utf-8") as f:
        f.write("\nint stray(void);\nint stray(void)\n{\n\treturn 1;\n}\n")
    copy.run("cmake", "-B", "build", cwd=folder)
    copy.run("cmake", "--build", "build", cwd=folder)
    copy.run("ctest", "--test-dir", "build", "--output-on-failure", cwd=folder)
    exports = copy.run("nm", "-D", "--defined-only", os.path.join(folder, "build", "lamp.so"))
    names = {line.split()[-1] for line in exports.splitlines()}
    same({n for n in names if not n.startswith("__odr_asan")}, {"pctl_driver"})
    copy.run("cmake", "--install", "build", cwd=folder)
    has(copy.run(copy.powerctl, "drivers"), "lamp: a pretended machine")


@test
def template_is_small(lab):
    """The template has at most 150 lines of C, is formatted as ours is, and readable by others"""
    result = lab.run("drivers", "new", "lamp", "--dir", lab.folder)
    same((result.status, result.err), (0, ""), result)
    with open(lab.path("lamp", "lamp.c"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert len(lines) <= 150, len(lines)
    assert max(len(line.expandtabs(8)) for line in lines) <= 100
    for name in os.listdir(lab.path("lamp")):
        with open(lab.path("lamp", name), encoding="utf-8") as f:
            assert not re.search(r"@[A-Z]+@", f.read()), name
    same(stat.S_IMODE(os.stat(lab.path("lamp", "test.sh")).st_mode) & 0o100, 0o100)
    same(stat.S_IMODE(os.stat(lab.path("lamp", "lamp.c")).st_mode) & 0o111, 0)


@test
def template_is_careful(lab):
    """drivers new overwrites nothing, and takes no name that could not be a driver's"""
    lab.write("lamp/test.sh", "mine")
    result = lab.run("drivers", "new", "lamp", "--dir", lab.folder)
    same((result.status, result.out), (2, ""), result)
    has(result.err, "lamp/test.sh is there already; it is not touched")
    same((lab.read("lamp/test.sh"), os.listdir(lab.path("lamp"))), ("mine", ["test.sh"]))
    os.symlink("/nonexistent", lab.path("lamp", "lamp.c"))
    has(lab.run("drivers", "new", "lamp", "--dir", lab.folder).err, "lamp/lamp.c is there already")
    for name, why in (("Lamp", "is not a driver's name"), ("../x", "is not a driver's name"),
                      ("", "is not a driver's name"), ("1a", "is not a driver's name"),
                      ("a" * 33, "is not a driver's name"), ("a_b", "is not a driver's name"),
                      ("status", "is a word of powerctl's"), ("new", "is a word of powerctl's"),
                      ("complete", "is a word of powerctl's"),
                      ("null", "there is a driver 'null' already")):
        result = lab.run("drivers", "new", name, "--dir", lab.folder)
        same(result.status, 2, name)
        has(result.err, why)
    result = lab.run("drivers", "new", "lamp", "--dir", lab.path("nowhere"))
    same(result.status, 2)
    has(result.err, "nowhere/lamp cannot be made: No such file or directory")
    for words, why in ((("new",), "a name is missing"), (("null", "x"), "brings others"),
                       (("new", "a", "b"), "'b' is too much"), (("null", "x", "y"), "'y' is too much"), (("--dir", "x"), "--dir is for"),
                       (("new", "a", "--json"), "takes --dir and nothing else"),
                       (("--schema", "null"), "powerctl drivers --schema null VALUE"),
                       (("--schema", "--json"), "exclude each other")):
        result = lab.run("drivers", *words)
        same(result.status, 2, words)
        has(result.err, why)


@test
def cpp_driver(lab):
    """A driver in C++ builds against the installed headers and is loaded"""
    copy = Copy(lab)
    source = lab.write("plusplus.cpp", CPP)
    copy.compile(source, lab.path("p", "plusplus.so"), "c++", ("-std=c++20", "-Wpedantic"))
    lab.inventory("nodes: {n1: {driver: plusplus}, n2: {driver: plusplus, lit: false}}")
    good(lab.run("--plugin-dir", lab.path("p"), "status"), "n1: on", "n2: off")
    result = lab.run("--plugin-dir", lab.path("p"), "off", "n1")
    has(result.out, "n1: error: refused: it cannot be switched")


@test
def headers_in_cpp(lab):
    """Every installed header compiles alone as C++17 and as C11"""
    copy = Copy(lab)
    folder = os.path.join(copy.prefix, "include", "powerctl")
    names = sorted(os.listdir(folder))
    assert len(names) > 10, names
    flags = copy.pkg_config("--cflags")
    for name in names:
        for compiler, standard, end in (("c++", "c++17", "cpp"), ("cc", "c11", "c")):
            source = lab.write("one." + end, f"#include <powerctl/{name}>\n")
            copy.run(compiler, "-std=" + standard, "-D_GNU_SOURCE", "-Wall", "-Wextra",
                     "-Wpedantic", "-Werror", *flags, "-fsyntax-only", source)


@test
def older_header(lab):
    """A driver that was built with an older header, whose structs are shorter, is loaded and works"""
    copy = Copy(lab)
    source = os.path.join(copy.new("lamp"), "lamp.c")
    lab.write("config/powerctl/m1", "off\n")
    lab.inventory("nodes: {m1: {driver: lamp, file: m1}}")
    for struct, gone in (("pctl_driver", "boot;"), ("pctl_driver", "connect_ms;"),
                         ("pctl_driver", "max_in_flight;"), ("pctl_property", "min;")):
        old = older_headers(copy, lab.path(f"old-{struct}-{gone[:-1]}"), struct, gone)
        plugins = os.path.join(old, "p")
        copy.compile(source, os.path.join(plugins, "lamp.so"), include=old)
        lab.write("config/powerctl/m1", "off\n")
        good(lab.run("--plugin-dir", plugins, "on", "m1"), "m1: on")
        good(lab.run("--plugin-dir", plugins, "status"), "m1: on")
        result = lab.run("--plugin-dir", plugins, "pxeboot", "m1")
        same(result.status, 1, result)
        has(result.out, "m1: error: unsupported")


@test
def newer_header(lab):
    """A driver that was built with a newer header, whose structs are longer, is loaded; another ABI is not"""
    copy = Copy(lab)
    folder = copy.new("lamp")
    include = lab.path("new")
    older_headers(copy, include, "pctl_driver", "max_in_flight;")
    path = os.path.join(include, "powerctl", "driver.h")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    longer = re.sub(r"(struct pctl_driver \{\n.*?)\n\};\n",
                    r"\1\n\tuint32_t max_in_flight;\n\tconst char *more[40];\n};\n", text, flags=re.S)
    assert longer != text
    lab.write("new/powerctl/driver.h", longer)
    copy.compile(os.path.join(folder, "lamp.c"), lab.path("p", "lamp.so"), include=include)
    has(lab.run("--plugin-dir", lab.path("p"), "drivers").out, "lamp: a pretended machine")
    abi = int(copy.run("pkg-config", "--variable=abi", "powerctl"))
    has(longer, f"#define PCTL_DRIVER_ABI {abi}u\n")
    lab.write("new/powerctl/driver.h", longer.replace(
        f"#define PCTL_DRIVER_ABI {abi}u", f"#define PCTL_DRIVER_ABI {abi + 1}u"))
    copy.compile(os.path.join(folder, "lamp.c"), lab.path("p", "lamp.so"), include=include)
    result = lab.run("--plugin-dir", lab.path("p"), "drivers")
    same(result.status, 2, result)
    has(result.err, f"driver ABI {abi + 1}, this program has {abi}")


@test
def documents(lab):
    """Links in what is installed lead to what is installed, and so do the names in the manual pages"""
    copy = Copy(lab)
    pages = glob.glob(copy.prefix + "/share/**/*.md", recursive=True)
    assert len(pages) > 15, pages
    for page in pages:
        with open(page, encoding="utf-8") as f:
            text = re.sub(r"^```.*?^```", "", f.read(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            where = os.path.join(os.path.dirname(page), target)
            assert re.match(r"\w+:", target) or os.path.exists(where), f"{page} leads to {target}"
    for page in glob.glob(copy.prefix + "/share/man/**/*.[1-8]", recursive=True):
        with open(page, encoding="utf-8") as f:
            for target in re.findall(r"docs/[\w/.-]+\.\w+", f.read().replace("\\-", "-")):
                assert os.path.exists(f"{copy.prefix}/share/doc/powerctl/{target}"), f"{page} names {target}"


@test
def listed_for_rpm(lab):
    """The spec lists every file that is installed, once"""
    copy = Copy(lab)
    with open(SOURCE + "/contrib/rpm/powerctl.spec", encoding="utf-8") as f:
        lists = f.read().partition("\n%files\n")[2].partition("%changelog")[0]
    for name, place in (("bindir", "bin"), ("sbindir", "sbin"), ("libdir", "lib"), ("includedir", "include"),
                        ("libexecdir", "libexec"), ("datadir", "share"), ("mandir", "share/man"), ("prefix", "")):
        lists = lists.replace("%{_" + name + "}", os.path.join(copy.prefix, place).rstrip("/"))
    rows = [line for line in lists.split("\n") if line.startswith(copy.prefix)]
    for folder, _, files in os.walk(copy.prefix):
        for path in (os.path.join(folder, name) for name in files):
            if "/doc/powerctl/driver-ipmi/" in path or re.search(r"/powerctl-\w+sim\b", path):
                continue  # a licence, which a package has by itself; and stand-ins for tests
            rel = re.sub(r"/lib/[\w]+-linux-gnu\w*/", "/lib/", path)
            found = [row for row in rows if rel.startswith(row + "/") or fnmatch.fnmatchcase(rel, row)]
            same(len(found), 1, f"{path}: {found}")


if __name__ == "__main__":
    main()
