"""The documentation: its code runs and prints what the pages say, and the site builds without a warning.

The site must work offline, so nothing in it may be fetched from elsewhere.
"""

import contextlib
import html
import importlib
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

import fairlattice

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ROOMS = sorted(p.parent.name for p in (ROOT / "src" / "fairlattice").glob("*/__init__.py"))


def load_snippets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("snippets", DOCS / "snippets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


snippets = load_snippets()
PAGES = [page for page in snippets.pages() if snippets.blocks(page)]
DATA = {"FAIRLATTICE_DATA": os.environ.get("FAIRLATTICE_DATA", str(ROOT.parent / "shared" / "data"))}


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        **options,
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def printed(pictures) -> dict[str, list[str] | str]:
    """What the blocks of every page print; in a process of its own, as pages may register data sets."""
    environment = os.environ | DATA | {"FAIRLATTICE_PICTURES": str(pictures)}
    done = python("-W", "error", "docs/snippets.py", "--json", env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_a_pages_python_runs_and_prints_what_the_page_says(page, printed):
    if str(page.relative_to(ROOT)) not in printed:
        pytest.skip(
            f"needs the data set {snippets.lacking(page)}: set FAIRLATTICE_DATA to a folder that has it"
        )
    outputs = printed[str(page.relative_to(ROOT))]
    assert isinstance(outputs, list), outputs
    for block, output in zip(snippets.blocks(page), outputs, strict=True):
        if block.text is not None:
            assert output == snippets.trimmed(block.text), (
                f"line {block.line}; python docs/snippets.py {page}"
            )


def test_pages_that_the_guide_keeps_say_what_the_guide_prints():
    named = {name: page for page in PAGES for name in snippets.kept(page)}
    assert {p.name for p in snippets.KEPT.iterdir()} == set(named)
    for name, page in named.items():
        kept = (snippets.KEPT / name).read_text(encoding="utf-8")
        lead = kept.split('<div class="lead">')[1].split("</div>")[0]
        first = html.unescape(re.sub(r"<[^>]+>", "", lead.split("</p>")[0]))
        printed = " ".join(page.read_text(encoding="utf-8").replace("•", "").split())
        assert " ".join(first.split()) in printed, name
        assert f"pages/{name}" in printed


def test_every_script_of_the_gallery_is_shown_and_draws_its_picture(printed, pictures):
    page = DOCS / "gallery.md"
    shown = [snippets.script_of(block) for block in snippets.blocks(page)]
    assert sorted(shown) == sorted(str(p.relative_to(ROOT)) for p in (DOCS / "gallery").glob("*.py"))
    assert isinstance(printed["docs/gallery.md"], list), printed["docs/gallery.md"]
    names = {f"{Path(script).stem}.svg" for script in shown}
    assert names == set(re.findall(r"gallery/images/(.+?)\)", page.read_text()))
    for folder in (pictures, DOCS / "gallery" / "images"):
        assert names == {p.name for p in folder.iterdir()}
        for name in names:
            picture = (folder / name).read_text()
            assert ElementTree.fromstring(picture).tag.endswith("svg")
            assert not re.search(r'(href|src)="http|url\(.?http', picture)


def test_the_command_lines_on_the_pages_can_be_parsed():
    from fairlattice.cli._main import build_parser

    parser, _ = build_parser()
    lines = [line for page in snippets.pages() for line in snippets.commands(page)]
    lines = [line.removeprefix("fairlattice ") for line in lines if line.startswith("fairlattice ")]
    assert len(lines) > 5
    for line in lines:
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            try:
                parser.parse_args(shlex.split(line.partition(" > ")[0]))
            except SystemExit:
                pytest.fail(f"{line}: {errors.getvalue()}")


class Fetched(HTMLParser):
    """What a page fetches by itself; links that a reader may follow are none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "link" and named.get("rel") != "canonical":
            self.addresses.append(named.get("href") or "")
        elif tag != "a":
            self.addresses += [named[key] for key in ("src", "srcset", "data", "poster") if named.get(key)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    for name in ("mkdocs", "material", "mkdocstrings_handlers"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"the site needs {name}: pip install -e '.[docs]'")
    target = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = python("-m", "mkdocs", "build", "--strict", "--site-dir", str(target), env=environment)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "WARNING" not in output, output
    return target


def test_the_site_fetches_nothing_from_elsewhere(site):
    found = sorted(site.rglob("*.html"))
    assert len(found) > 20
    for page in found:
        reader = Fetched()
        reader.feed(page.read_text())
        away = [address for address in reader.addresses if re.match(r"(https?:)?//", address)]
        assert not away, f"{page.name} fetches {away}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import\s*|url\(\s*)[\"']?(https?:)?//", style.read_text()), style.name


@pytest.mark.parametrize("room", [*ROOMS, "exceptions"])
def test_every_public_name_has_its_place_in_the_api(room, site):
    page = (site / "api" / f"{room}.html").read_text()
    module = importlib.import_module(f"fairlattice.{room}")
    missing = [name for name in module.__all__ if f'id="fairlattice.{room}.{name}"' not in page]
    assert not missing


def test_the_top_level_is_listed_with_links(site):
    page = html.unescape((site / "api" / "index.html").read_text())
    missing = [n for n in fairlattice.__all__ if f"fl.{n}<" not in page and f"fairlattice.{n}<" not in page]
    assert not missing


def test_docstrings_leave_no_markup_of_sphinx(site):
    for page in (site / "api").glob("*.html"):
        assert not re.findall(r":(?:func|class|meth|mod|attr):", page.read_text()), page.name


def test_every_page_is_in_the_menu_and_holds_something(site):
    menu = (site / "index.html").read_text()
    for page in snippets.pages():
        target = page.relative_to(DOCS).with_suffix(".html").as_posix()
        assert f'href="{target}"' in menu or target == "index.html", target
        assert (site / target).is_file()
