"""Write the JSON Schemas of all results into ``docs/schemas``, from their types: ``python docs/schemas.py``."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from fairlattice.report._schemas import ALL

FOLDER = Path(__file__).parent / "schemas"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schemas() -> dict[str, str]:
    """Every schema as text, by the name of its file."""
    found = {}
    for kind in ALL:
        defined: dict[str, Any] = {}
        body = _object(kind, defined)
        (name,) = body["properties"]["schema"]["enum"]
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name}
        schema = {**head, "title": name, **body, "$defs": dict(sorted(defined.items()))}
        found[f"{name.replace('fairlattice/', '').replace('/', '-')}.json"] = (
            json.dumps(schema, indent=2) + "\n"
        )
    return found


def _object(kind: Any, defined: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    required = [k for k, hint in hints.items() if get_origin(hint) is not NotRequired]
    about = (kind.__doc__ or "").strip()
    own = {} if about.startswith("dict(") or not about else {"description": about}
    properties = {k: _schema(hint, defined) for k, hint in hints.items()}
    return {"type": "object", **own, "required": required, "properties": properties}


def _schema(hint: Any, defined: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return _schema(arguments[0], defined)
    if hint is Any:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(part, defined) for part in arguments]}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], defined)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], defined)}
    assert is_typeddict(hint), hint
    if hint.__name__ not in defined:
        defined[hint.__name__] = {}
        defined[hint.__name__] = _object(hint, defined)
    return {"$ref": f"#/$defs/{hint.__name__}"}


def main() -> int:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
