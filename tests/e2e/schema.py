# SPDX-License-Identifier: Apache-2.0
"""Checking a JSON value against the part of JSON Schema that our schema uses."""
import re

from lib import same


def check_schema(value, schema, where="$"):
    """The part of JSON Schema that our schema uses."""
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            try:
                return check_schema(value, one, where)
            except AssertionError:
                pass
        raise AssertionError(f"{where}: {value!r} is none of {schema['anyOf']}")
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
             "null": type(None)}
    types = schema.get("type")
    if types:
        types = types if isinstance(types, list) else [types]
        good = any(isinstance(value, kinds[t]) and not (t == "integer" and isinstance(value, bool))
                   for t in types)
        assert good, f"{where}: {value!r} is no {types}"
    if "const" in schema:
        same(value, schema["const"], where)
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and isinstance(value, str):
        assert re.search(schema["pattern"], value), f"{where}: {value!r}"
    if "minimum" in schema and isinstance(value, int):
        assert value >= schema["minimum"], f"{where}: {value!r}"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            assert key in value, f"{where}: no {key}"
        for key, child in value.items():
            if key in schema.get("properties", {}):
                check_schema(child, schema["properties"][key], f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, child in enumerate(value):
            check_schema(child, schema["items"], f"{where}[{i}]")
