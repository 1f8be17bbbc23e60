"""Which code computes: a digest that changes with every statement, and with no comment or docstring."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

import fairlattice

_SHOW_ONLY = ("cli", "report")  # rooms that no figure depends on


@cache
def code_digest() -> str:
    """Digest of all code that a result may depend on."""
    root = Path(fairlattice.__file__).parent
    digest = hashlib.sha256(fairlattice.__version__.encode())
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if parts[0] not in _SHOW_ONLY:
            digest.update(f"\0{'/'.join(parts)}\0{statements(path.read_text(encoding='utf-8'))}".encode())
    return digest.hexdigest()


def statements(source: str) -> str:
    r"""A module's statements, without comments, layout and docstrings.

    Examples
    --------
    >>> statements("x = 1  # one") == statements("'''A thought.'''\nx = (1)")
    True
    >>> statements("x = 1") == statements("x = 2")
    False
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_text(s)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
