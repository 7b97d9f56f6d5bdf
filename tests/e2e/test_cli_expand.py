#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""powerctl expand and fold: names into ranges and back, with and without an inventory."""
import lib
from lib import has, main, same, test

INVENTORY = """
nodes:
  n[1-4]: {driver: "null", tags: [lab]}
  n9: {driver: "null", fail_reads: auth}
groups:
  rack: n[1-2]
"""


@test
def without_inventory(lab):
    """names that nobody knows, and no inventory at all"""
    same(lab.run("expand", "n[1-3]", "b", "-x", "n2").out, "n1\nn3\nb\n")
    same(lab.run("expand", "r[1-2]n[08-10]").out.split(),
         ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"])
    same(lab.run("fold", "n3", "n1", "n2", "n1").out, "n[1-3]\n")
    same(lab.run("fold", "n[1-9]!n5&n[4-9]").out, "n[4,6-9]\n")
    same(lab.run("fold", "ipmi://root@c[3-5]", "-x", "ipmi://root@c4").out,
         "c[3,5]\n")
    r = lab.run("expand", "@rack")
    same((r.status, r.out), (2, ""))
    has(r.err, "there is no inventory")


@test
def stdin(lab):
    """names from standard input, notes in it"""
    same(lab.run("fold", "-", stdin="n1 n2\n# n3\nn4\n").out, "n[1-2,4]\n")
    same(lab.run("expand", "-", "a", stdin="n[2-3]\n").out, "n2\nn3\na\n")
    r = lab.run("fold", "-", "-x", "-", stdin="n1\n")
    same((r.status, r.out), (2, ""))
    has(r.err, "can be read only once")


@test
def with_inventory(lab):
    """groups, tags, all, and what failed"""
    lab.inventory(INVENTORY)
    same(lab.run("expand", "@rack", "x1").out, "n1\nn2\nx1\n", "need not be nodes")
    same(lab.run("fold", "%lab", "-x", "@rack").out, "n[3-4]\n")
    same(lab.run("fold", "-a").out, "n[1-4,9]\n")
    lab.run("status", "-a")
    same(lab.run("fold", "@failed", "n8").out, "n[8-9]\n")


@test
def nothing_left(lab):
    """nothing is no mistake here: it prints nothing"""
    for words in (("expand", "a!a"), ("fold", "a", "-x", "a"), ("fold", "-")):
        r = lab.run(*words, stdin="")
        same((r.status, r.out, r.err), (0, "", ""), words)


@test
def mistakes(lab):
    """all of them are named, and nothing is printed"""
    r = lab.run("fold", "n[1-", "a", "n[3-1]")
    same((r.status, r.out), (2, ""))
    same(len(r.err.splitlines()), 2, r)
    has(r.err, "never closed")
    same(lab.run("expand").status, 2)
    same(lab.run("fold", "--json", "n1").status, 2)


@test
def many(lab):
    """a hundred thousand names there and back"""
    count = lib.many(100000)
    names = lab.run("expand", f"c[000001-{count:06}]").out
    same(names.count("\n"), count)
    same(lab.run("fold", "-", stdin=names).out, f"c[000001-{count:06}]\n")


main()
