#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""FreeIPMI's ipmipower and the face of that name are asked the same on the same stand-ins, and say the same."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
os.environ["BESIDE"] = "1"  # looked at when the tests are read
# pylint: disable=wrong-import-position,unused-import
import test_face_ipmipower  # noqa: E402,F401
from lib import main  # noqa: E402

if __name__ == "__main__":
    main()
