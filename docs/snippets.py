"""The code on the pages, and what it prints: run by the tests, and by hand to write outputs anew.

python docs/snippets.py [PAGE …]          write what the code prints into the pages
python docs/snippets.py --json [PAGE …]   print it as JSON instead: page to list of outputs, or to a traceback

The Python blocks of a page are run in order, in one namespace and an empty folder. A block of text that
follows a block of code is what the code prints. `--8<-- "FILE"` in a block stands for a script, which is
run by itself. `<!-- keeps FILE -->` on a page names a file that its code writes: it is kept in docs/guide/pages when
outputs are written anew.
"""

import contextlib
import io
import json
import os
import re
import runpy
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n*^```text\n(?P<text>.*?)^```\n)?", re.M | re.S)
COMMAND = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
NEEDS = re.compile(r"<!-- needs (\w+) -->")
KEEPS = re.compile(r"<!-- keeps ([\w.]+) -->")
KEPT = DOCS / "guide" / "pages"
INCLUDED = re.compile(r'--8<-- "(.+?)"')


class Block(NamedTuple):
    """A block of Python, and the text below it that it must print; None where there is none."""

    code: str
    text: str | None
    line: int


def pages() -> list[Path]:
    """All pages that are written by hand."""
    return sorted(DOCS.rglob("*.md"))


def lacking(page: Path) -> str | None:
    """The data set that a page needs and that is not in the folder of FAIRLATTICE_DATA, if there is one."""
    found = NEEDS.search(page.read_text(encoding="utf-8"))
    if found is None or (Path(os.environ.get("FAIRLATTICE_DATA", "nowhere")) / found[1]).is_dir():
        return None
    return found[1]


def blocks(page: Path) -> list[Block]:
    """The Python of a page, in order."""
    source = page.read_text(encoding="utf-8")
    return [Block(m["code"], m["text"], source.count("\n", 0, m.start())) for m in BLOCK.finditer(source)]


def commands(page: Path) -> list[str]:
    """The command lines of a page, one a line, continued lines joined."""
    shown = "".join(COMMAND.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in shown.splitlines() if line.startswith("$ ")]


def trimmed(text: str) -> str:
    """Text without blanks at the ends of lines, which tables of a terminal have."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def script_of(block: Block) -> str | None:
    """The script that a block shows, if it shows one."""
    found = INCLUDED.search(block.code)
    return found[1] if found else None


def run_script(script: str) -> str:
    """What a script of the gallery prints; its pictures go where FAIRLATTICE_PICTURES says."""
    folder = str(ROOT / Path(script).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as Python does for a script: its neighbours can be imported
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(str(ROOT / script), run_name="__main__")
    return trimmed(out.getvalue())


def run_page(page: Path, keep: Path | None = None) -> list[str]:
    """What every block of a page prints; the files that the page keeps are copied to the folder `keep`."""
    names: dict[str, object] = {"__name__": "docs"}
    printed = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in blocks(page):
            script = script_of(block)
            printed.append(run_block(block, page, names) if script is None else run_script(script))
        for name in kept(page):
            made = Path(name).read_bytes()  # a page that keeps what it does not write fails
            if keep is not None:
                keep.mkdir(exist_ok=True)
                (keep / name).write_bytes(made)
    return printed


def kept(page: Path) -> list[str]:
    """Names of the files that a page keeps."""
    return KEEPS.findall(page.read_text(encoding="utf-8"))


def run_block(block: Block, page: Path, names: dict[str, object]) -> str:
    """What a block prints, given what those above it defined."""
    out = io.StringIO()
    # Blank lines before the code make the line numbers of a traceback those of the page.
    code = compile("\n" * (block.line + 1) + block.code, str(page), "exec")
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return trimmed(out.getvalue())


def rewrite(page: Path) -> None:
    """Write what the code prints into the blocks of text below it."""
    following = iter(run_page(page, KEPT))

    def fill(found: re.Match[str]) -> str:
        text = next(following)
        if found["text"] is None:
            return found[0]
        start, end = found.start("text") - found.start(), found.end("text") - found.start()
        return found[0][:start] + text + found[0][end:]

    page.write_text(BLOCK.sub(fill, page.read_text(encoding="utf-8")), encoding="utf-8")


def attempt(page: Path) -> list[str] | str:
    """What a page prints, or the traceback of what went wrong."""
    try:
        return run_page(page)
    except Exception:  # noqa: BLE001 - whatever a page does is told
        return traceback.format_exc()


def main() -> None:
    named = [Path(name).resolve() for name in sys.argv[1:] if name != "--json"] or pages()
    named = [page for page in named if not lacking(page)]
    if "--json" in sys.argv:
        print(json.dumps({str(page.relative_to(ROOT)): attempt(page) for page in named if blocks(page)}))
        return
    for page in named:
        if blocks(page):
            rewrite(page)
            print(f"ran {len(blocks(page))} blocks of {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
