#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our node sets against ClusterShell's, on expressions made at random from a fixed seed.

Both expand every expression, to the same set or both to a mistake; what we fold, ClusterShell
expands to that set, and ours is not the longer form more often than the shorter one.
Left out is what differs on purpose: blanks that join, adjacent brackets, negative numbers.
"""
import os
import random
import subprocess
import sys

NAME = "e2e_test_nodeset_clustershell"
TOOL = os.path.join(os.environ.get("POWERCTL_BUILD", "build"), "tests", "nodeset_tool")
COUNT = 1200

BY_HAND = [
    "n[01-16]", "n[9-11]", "n[09-11]", "n[098-102]", "n[1-3,7,010-020]", "n[1,01,001]",
    "n[8-10],n[08-10]", "n[0-10/2]", "n[0-10/3]", "n[1-1]", "n[0,00,000]", "n[1, 2]", "n[1-10/2,2]",
    "r[1-2]n[01-16]", "r1n1,r1n2,r2n1", "n[1-2]b[3-4]c", "n[1-2]3", "n3[1-2]", "[1-3]",
    "n1!n1", "n[1-3]!n2,n2", "n1,n2&n2", "n1&n2,n2", "n[1-5]^n[3-9]!n4", "n1 ! n2", "n1 , n2",
    "n1!n2&n1", "n1^n1^n1", "n[1-9]!n[2-3],n3&n3", "a1b2c3,a1b2c4", "10.0.0.[11-18]",
    # mistakes
    "n[1-010]", "n[001-2]", "n[09-100]", "n[5-1]", "n[]", "n[1", "n]", "n[1]]", "n[[1]]", "!n1",
    "n1!", "n1,,n2", ",n1", "n1,", "n[a-b]", "n[1-3/0]", "n[1-2/x]", "n[1,]", "n[,1]", "n[3/2]",
    "n[1-3]!!n2", "n[1-3]!,n2", "n[1-3],!n2",
]


def number(rnd, width):
    return f"{rnd.randrange(0, 13):0{width}d}"


def span(rnd):
    width = rnd.choice([1, 1, 1, 2, 2, 3])
    a, b = sorted(rnd.randrange(0, 13) for _ in range(2))
    if rnd.random() < 0.4:
        return f"{a:0{width}d}"
    # The bounds of padded ranges have one width: 7-012 is a mistake for both (see BY_HAND).
    if width == 1 and rnd.random() < 0.2:
        a, b = a + 95, b + 95
    step = f"/{rnd.randrange(1, 5)}" if rnd.random() < 0.2 else ""
    return f"{a:0{width}d}-{b:0{width}d}{step}"


def bracket(rnd):
    return "[" + ",".join(span(rnd) for _ in range(rnd.choice([1, 1, 1, 2, 3]))) + "]"


def pattern(rnd):
    words = rnd.choice([["n", ""], ["n", ""], ["r", "n", ""], ["r", "n", "-ib"], ["a", "b", "c", ""]])
    text = words[0]
    for word in words[1:]:
        text += bracket(rnd) if rnd.random() < 0.6 else number(rnd, rnd.choice([1, 2]))
        text += word
    return text


def expression(rnd):
    text = pattern(rnd)
    for _ in range(rnd.choice([0, 0, 1, 1, 2, 3, 5])):
        blank = rnd.choice(["", "", " "])
        text += blank + rnd.choice(",,!&^") + blank + pattern(rnd)
    return text


def tool(verb, expressions):
    done = subprocess.run([TOOL, verb], input="\n".join(expressions) + "\n", text=True,
                          capture_output=True, check=True)
    lines = done.stdout.split("\n")[:-1]
    assert len(lines) == len(expressions), f"{len(lines)} answers to {len(expressions)} expressions"
    return lines


def skip(why):
    log = os.environ.get("POWERCTL_SKIP_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as f:
            f.write(f"{NAME}: {why}\n")
    print(f"skip: {NAME}: {why}")
    sys.exit(0)


def theirs(expr, node_set, mistake):
    """The set and its folded form, or None for a mistake."""
    try:
        answer = node_set(expr)
    except mistake:
        return None
    return set(answer), str(answer)


def compare(expr, expanded, folded, answer, node_set):
    """What is wrong, or None."""
    if expanded.startswith("error: "):
        return f"we: {expanded}" if answer else None
    if answer is None:
        return f"ClusterShell: a mistake; we: {expanded[:80]}"
    ours = expanded.split()
    if len(ours) != len(set(ours)):
        return f"a name twice: {expanded[:80]}"
    if set(ours) != answer[0]:
        return f"differ in {sorted(set(ours) ^ answer[0])[:5]}"
    if set(node_set(folded)) != answer[0]:
        return f"our fold {folded} is not theirs {answer[1]}"
    return None


def main():
    try:
        sys.path.append("/usr/lib/python3/dist-packages")
        from ClusterShell.NodeSet import NodeSet, NodeSetParseError
    except ImportError:
        skip("no python3-clustershell here (apt-get install python3-clustershell)")

    rnd = random.Random(20240229)
    expressions = BY_HAND + [expression(rnd) for _ in range(COUNT)]
    expanded, folded = tool("expand", expressions), tool("fold", expressions)
    wrong = mistakes = longer = shorter = 0
    for expr, exp, fold in zip(expressions, expanded, folded):
        answer = theirs(expr, NodeSet, NodeSetParseError)
        mistakes += answer is None
        why = compare(expr, exp, fold, answer, NodeSet)
        if why:
            wrong += 1
            print(f"{expr}: {why}")
        elif answer:
            longer += len(fold) > len(answer[1])
            shorter += len(fold) < len(answer[1])
    print(f"{len(expressions)} expressions, {mistakes} mistakes for both; "
          f"our fold shorter {shorter} times, longer {longer}; {wrong} wrong")
    if longer > shorter:
        wrong += 1
        print("our folding is longer more often than it is shorter")
    if mistakes < 20 or mistakes > len(expressions) // 2:
        wrong += 1
        print("the expressions are not what this test means to compare")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
