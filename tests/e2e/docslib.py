# SPDX-License-Identifier: Apache-2.0
"""The documents, and the blocks in them."""
import glob
import os
import re

from lib import SOURCE


def markdown():
    found = ["README.md", "CONTRIBUTING.md", "NEWS.md"]
    for folder in ("docs", "plugins", "tests", "contrib", "conf"):
        found += glob.glob(folder + "/**/*.md", root_dir=SOURCE, recursive=True)
    return sorted(found)


def text_of(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        return f.read()


def blocks(text, *languages):
    """The fenced blocks of these languages."""
    return [body for language, body in re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, re.M | re.S)
            if language in languages]
