"""Run the code on the pages: in the tests, and by hand to refresh the outputs.

python docs/snippets.py [PAGE …]          write what the code prints into the pages
python docs/snippets.py --json [PAGE …]   print it as JSON instead: page to list of outputs, or to a traceback

The blocks of a page run in order, in one namespace and an empty folder: all Python, and those command lines (`console`)
that a block of text follows. That text is what they print. `--8<-- "FILE"` in a block includes a script, which runs by
itself. `<!-- keeps FILE -->` on a page names a file that its code writes; it is copied to docs/audit/pages when outputs
are refreshed.
"""

import contextlib
import io
import json
import os
import re
import runpy
import shlex
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(
    r"^```(?P<kind>python|console)\n(?P<code>.*?)^```\n(?:\n*^```text\n(?P<text>.*?)^```\n)?", re.M | re.S
)
COMMAND = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
NEEDS = re.compile(r"<!-- needs (\w+) -->")
KEEPS = re.compile(r"<!-- keeps ([\w.]+) -->")
KEPT = DOCS / "audit" / "pages"
INCLUDED = re.compile(r'--8<-- "(.+?)"')


class Block(NamedTuple):
    """A block of code, and the text below it that it must print; None where there is none."""

    kind: str
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
    """The blocks of a page that are run, in order."""
    source = page.read_text(encoding="utf-8")
    return [
        Block(m["kind"], m["code"], m["text"], source.count("\n", 0, m.start()))
        for m in BLOCK.finditer(source)
        if is_run(m)
    ]


def is_run(found: re.Match[str]) -> bool:
    """Whether a block is run: all Python, and command lines with their output below."""
    return found["kind"] == "python" or found["text"] is not None


def commands(page: Path) -> list[str]:
    """All command lines of a page, run or not."""
    return command_lines("".join(COMMAND.findall(page.read_text(encoding="utf-8"))))


def command_lines(code: str) -> list[str]:
    """The command lines of a block, continued lines joined."""
    joined = code.replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def trimmed(text: str) -> str:
    """Text without blanks at the ends of lines, which tables of a terminal have."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def script_of(block: Block) -> str | None:
    """The script that a block includes, if any."""
    included = INCLUDED.search(block.code)
    return included[1] if included else None


def run_script(script: str) -> str:
    """What a script of the gallery prints; it runs in the folder that its pictures go to."""
    pictures = Path(os.environ.get("FAIRLATTICE_PICTURES") or DOCS / "gallery" / "images")
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.chdir(pictures):
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
            written = Path(name).read_bytes()  # a page that keeps what it does not write fails
            if keep is not None:
                keep.mkdir(exist_ok=True)
                (keep / name).write_bytes(written)
    return printed


def kept(page: Path) -> list[str]:
    """Names of the files that a page keeps."""
    return KEEPS.findall(page.read_text(encoding="utf-8"))


def run_block(block: Block, page: Path, names: dict[str, object]) -> str:
    """What a block prints, given what those above it defined."""
    if block.kind == "console":
        return run_commands(command_lines(block.code))
    out = io.StringIO()
    # Blank lines before the code make the line numbers of a traceback those of the page.
    code = compile("\n" * (block.line + 1) + block.code, str(page), "exec")
    with contextlib.redirect_stdout(out):
        exec(code, names)
    return trimmed(out.getvalue())


def run_commands(lines: list[str]) -> str:
    """What command lines of fairlattice print, on both streams, as a shell would.

    `> FILE` at the end sends standard output there, and `echo $?` prints the last exit code.
    """
    from fairlattice.cli import main as fairlattice

    written, code = io.BytesIO(), 0
    out = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        for line in lines:
            name, *arguments = shlex.split(line)
            if name == "fairlattice" and ">" in arguments:
                to = arguments.index(">")
                with Path(arguments[to + 1]).open("w") as file, contextlib.redirect_stdout(file):
                    code = fairlattice(arguments[:to])
            elif name == "fairlattice":
                code = fairlattice(arguments)
            elif line == "echo $?":
                print(code)
            else:
                raise ValueError(f"only fairlattice and `echo $?` can be run, got {line!r}")
    return trimmed(written.getvalue().decode())


def rewrite(page: Path) -> None:
    """Write what the code prints into the blocks of text below it."""
    following = iter(run_page(page, KEPT))

    def fill(found: re.Match[str]) -> str:
        if not is_run(found):
            return found[0]
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
    except Exception:  # noqa: BLE001 - a page may raise anything
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
