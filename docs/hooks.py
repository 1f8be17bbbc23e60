"""The reference: one page per public package, generated from docstrings, and their place in the menu.

Packages and names are read from `__all__`, so a new one has its place the next time the site is built. The names of
`import fairlattice as fl` come first on every page, and the packages that most users need come first in the menu.
"""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

import fairlattice

sys.path.insert(0, str(Path(__file__).parent))
from roles import linked

FETCHED = (
    "https://unpkg.com/iframe-worker/shim"  # the script that the theme fetches to search without a server
)
OWN = "offline-search.js"
MENU = "Reference"
TOP = "api/index.md"
FIRST = (
    "metrics",
    "benchmark",
    "strategies",
    "samplers",
    "groups",
    "encoders",
    "datasets",
    "report",
    "exceptions",
    "cli",
)
TASKS = {
    "Audit": (
        "audit",
        "harm",
        "leveling_down",
        "audit_scores",
        "audit_series",
        "metric_by_group",
        "misrecording_bounds",
    ),
    "Choose and train": (
        "compare",
        "FairClassifier",
        "Strategy",
        "STRATEGIES",
        "adaptive_weights",
        "equal_weights",
        "equal_resample",
    ),
    "Augment and check rows": (
        "HierarchicalAugmenter",
        "diagnose",
        "annotation_noise",
        "drift",
        "TableEncoder",
    ),
    "Benchmark": ("bench", "CLASSIFIERS"),
    "Counts": ("GroupCounts", "PairedCounts", "ScoreCounts", "GroupLattice"),
    "Reports": ("Report",),
}
"""The main names, by task; all others of the top level follow."""


def rooms() -> list[str]:
    """The packages and public modules of fairlattice that have a front door, the main ones first."""
    folder = Path(fairlattice.__file__).parent
    packages = [p.parent.name for p in folder.glob("*/__init__.py")]
    found = [r for r in sorted([*packages, "exceptions"]) if hasattr(load(r), "__all__")]
    return sorted(found, key=lambda room: FIRST.index(room) if room in FIRST else len(FIRST))


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
    """What `import fairlattice as fl` gives, by task, and the packages."""
    others = sorted(
        set(fairlattice.__all__) - set(rooms()) - {name for names in TASKS.values() for name in names}
    )
    lines = ["# Reference", "", "`import fairlattice as fl` gives"]
    for task, names in [*TASKS.items(), ("Results and errors", others)]:
        lines += ["", f"## {task}", "", "| name | what it is |", "| --- | --- |", *map(entry, names)]
    lines += ["", "## Packages", "", "| package | contents |", "| --- | --- |"]
    lines += [f"| [`fairlattice.{room}`]({room}.md) | {first_line(load(room))} |" for room in rooms()]
    return "\n".join(lines) + "\n"


def entry(name: str) -> str:
    """The line of a name of the top level."""
    target, thing = f"fairlattice.{home_of(name)}.{name}", getattr(fairlattice, name)
    about = first_line(thing) if callable(thing) else ", ".join(f"`{key}`" for key in thing)
    return f"| [`fl.{name}`][{target}] | {about} |"


def room_page(room: str) -> str:
    """All public names of a package: those of the top level first, by task."""
    main = [name for names in TASKS.values() for name in names]
    names = load(room).__all__
    order = sorted(
        names, key=lambda n: (main.index(n) if n in main else len(main), n not in fairlattice.__all__, n)
    )
    about = (load(room).__doc__ or "").strip()
    options = "    options:\n      show_root_heading: true\n      heading_level: 2\n"
    parts = [f"::: fairlattice.{room}.{name}\n{options}" for name in order]
    return "\n".join([f"# fairlattice.{room}\n\n{linked(about)}\n", *parts])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages in the menu."""
    menu = next(item for item in config.nav or [] if MENU in item)
    menu[MENU] = [TOP, *({room: f"api/{room}.md"} for room in rooms())]
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
    """The same for the page of missing addresses."""
    return output_content.replace(FETCHED, f"/{OWN}")
