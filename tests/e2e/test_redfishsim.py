#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks powerctl-redfishsim with programs that others wrote: sushy, redfishtool, fence_redfish, curl."""
from lib import main, same, test
from redfishlib import PROFILES, RedfishFleet


def links(doc):
    """Everything that a document refers to."""
    if isinstance(doc, dict):
        for key, value in doc.items():
            if key in ("@odata.id", "@Redfish.ActionInfo") or key.endswith("nextLink"):
                yield value.split("#")[0]
            else:
                yield from links(value)
    elif isinstance(doc, list):
        for value in doc:
            yield from links(value)


@test
def every_link_leads_somewhere(lab):
    """every link of every profile leads to a document, and none to another service"""
    for profile in PROFILES:
        fleet = RedfishFleet(lab, "--state", "on", profile=profile, systems=2)
        seen, todo = set(), ["/redfish/v1/"]
        while todo:
            path = todo.pop()
            if path.rstrip("/") in seen:
                continue
            seen.add(path.rstrip("/"))
            todo += links(fleet.get(path))
        assert len(seen) > 50, (profile, len(seen))
        same(fleet.counters()["r2xx"], len(seen), profile)


if __name__ == "__main__":
    main()
