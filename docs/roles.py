"""Docstrings name other things as Sphinx does, ``:func:`audit```; the site wants links in Markdown.

Only what has a docstring is shown, and that keeps fields of frozen values, which their class explains, from
being listed twice. Values and aliases of a module, though, are shown by their value alone.
"""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import griffe

import fairlattice

ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?([\w.]+)`")
ROOMS = sorted(p.parent.name for p in Path(fairlattice.__file__).parent.glob("*/__init__.py"))


@cache
def target_of(name: str) -> str | None:
    """Where a name is documented: the public path of it, or None where it has no page."""
    head, _, rest = name.removeprefix("fairlattice.").partition(".")
    if head in ROOMS and name.startswith("fairlattice."):
        head, _, rest = rest.partition(".")
    for room in ROOMS:
        if head in importlib.import_module(f"fairlattice.{room}").__all__:
            return f"fairlattice.{room}.{head}" + (f".{rest}" if rest else "")
    return None


def linked(text: str) -> str:
    """The text with roles turned into links, and names without a page into code."""

    def link(found: re.Match[str]) -> str:
        name = found[1].removeprefix("fairlattice.")
        shown = name.split(".", 1)[1] if name.split(".")[0] in ROOMS and "." in name else name
        target = target_of(found[1])
        return f"[`{shown}`][{target}]" if target else f"`{shown}`"

    return ROLE.sub(link, text)


class Roles(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for everything that it has read."""
        if not obj.docstring and obj.is_attribute and obj.parent and obj.parent.is_module:
            obj.docstring = griffe.Docstring("&nbsp;", parent=obj)
        if obj.docstring:
            here = obj.parent.name if obj.parent and obj.parent.is_class else ""
            value = re.sub(r":meth:`(\w+)`", rf":meth:`{here}.\1`" if here else r"`\1`", obj.docstring.value)
            obj.docstring.value = linked(value)
