#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All of test_amt.py once more, every connection through a channel that the core pumps."""
import os

os.environ["POWERCTL_VIA"] = "pump"

import test_amt  # noqa: E402,F401 pylint: disable=wrong-import-position,unused-import
from lib import main  # noqa: E402 pylint: disable=wrong-import-position

if __name__ == "__main__":
    main()
