"""What the site makes of the package itself: one page of the API per room, and their place in the menu.

A room that is added has a page the next time the site is built, and a name that is added to a front door
is on it; nobody needs to remember.
"""

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

import fairlattice

FETCHED = "https://unpkg.com/iframe-worker/shim"  # what the theme would fetch to search without a server
OWN = "offline-search.js"
MENU = "API"
TOP = "api/index.md"


def rooms() -> list[str]:
    """The packages and public modules of fairlattice that have a front door."""
    folder = Path(fairlattice.__file__).parent
    packages = [p.parent.name for p in folder.glob("*/__init__.py")]
    return [r for r in sorted([*packages, "exceptions"]) if hasattr(load(r), "__all__")]


def load(room: str) -> ModuleType:
    return importlib.import_module(f"fairlattice.{room}")


def first_line(thing: object) -> str:
    """The first line of a docstring, without what only Sphinx reads."""
    text = (thing.__doc__ or "").strip().splitlines()
    return re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"`\1`", text[0]).replace("``", "`") if text else ""


def home_of(name: str) -> str:
    """The room whose front door has a name of the top level."""
    return next(room for room in rooms() if name in load(room).__all__)


def top_page() -> str:
    """Rooms, and the names that `import fairlattice as fl` gives."""
    lines = ["# API", "", "## Rooms", "", "| room | what it knows |", "| --- | --- |"]
    lines += [f"| [`fairlattice.{room}`]({room}.md) | {first_line(load(room))} |" for room in rooms()]
    lines += ["", "## `import fairlattice as fl`", "", "| name | what it is |", "| --- | --- |"]
    for name in sorted(set(fairlattice.__all__) - set(rooms())):
        target, thing = f"fairlattice.{home_of(name)}.{name}", getattr(fairlattice, name)
        about = first_line(thing) if callable(thing) else ", ".join(f"`{key}`" for key in thing)
        lines.append(f"| [`fl.{name}`][{target}] | {about} |")
    return "\n".join(lines) + "\n"


def room_page(room: str) -> str:
    """All public names of a room, from their docstrings."""
    options = "    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
    return f"# fairlattice.{room}\n\n::: fairlattice.{room}\n{options}"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages in the menu."""
    entry = next(item for item in config.nav or [] if MENU in item)
    entry[MENU] = [TOP, *({room: f"api/{room}.md"} for room in rooms())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages themselves."""
    files.append(File.generated(config, TOP, content=top_page()))
    for room in rooms():
        files.append(File.generated(config, f"api/{room}.md", content=room_page(room)))
    return files


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Search by a script of our own where the theme would fetch one."""
    return output.replace(FETCHED, get_relative_url(OWN, page.url))


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for the page that says that there is none."""
    return output_content.replace(FETCHED, f"/{OWN}")
