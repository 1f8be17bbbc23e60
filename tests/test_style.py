"""Style, types and words are tests like any other, so that one command checks all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=" ".join
)
def test_the_tree_is_clean(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_python_prints_what_the_readme_says(capsys):
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) == text.count("```python\n") > 0
    for code, output in blocks:
        lines = [line for line in code.splitlines() if line and not line.startswith(("import", "from"))]
        assert len(lines) <= 12
        exec(compile(code, "README.md", "exec"), {})
        assert capsys.readouterr().out == output


def test_the_versions_agree():
    import fairlattice

    assert f"version: {fairlattice.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {fairlattice.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    prose = re.sub(r"^```(python|text)\n.*?^```", "", text, flags=re.M | re.S)
    assert len(prose.split()) <= 380
    assert "pip install . && fairlattice demo" in text
    runner = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert runner.startswith("pip install") and runner in text
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert len(links) > 10
    missing = [link for link in links if not (ROOT / link).is_file()]
    assert not missing


# Words that read as translated, each with what to write instead. They are banned in names, too.
BANNED = {
    r"(?<![a-z])told(?![a-z])": "show, report, detect; a variable is named for what it holds",
    r"(?<![a-z])dealt(?![a-z])": "split, assign",
    r"(?<![a-z])made[ _]rows?(?![a-z])": "synthetic rows",
    r"\bso many\b": "a number, or what it counts",
    r"\b(stands? for|stood for)\b": "represents, replaces, is",
    r"(?<!there )\bis no (?!longer\b|[a-z]+er\b|more\b|less\b)[a-z]": "is not a",
    r"\bcomes along\b": "is included, the package carries",
    r"\bare seen to\b": "handles",
}
EXCEPTIONS = {  # of the data: names in published results and stored files
    "src/fairlattice/datasets/_acs.py": "tribe not told",
    "src/fairlattice/benchmark/_table.py": '"dealt"',
    "src/fairlattice/report/_summary_bench.py": '"dealt"',
    "src/fairlattice/report/_bench_document.py": '"dealt"',
    "src/fairlattice/report/_bench_tables.py": "dealt",
    "src/fairlattice/benchmark/_fidelity.py": "cells_told_apart",
}


def prose() -> list[Path]:
    """Everything that a person reads: the package, the pages and what lies at the top."""
    pages = [p for kind in ("*.md", "*.py") for p in (ROOT / "docs").rglob(kind)]
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml")]
    return sorted([*(ROOT / "src").rglob("*.py"), *pages, *top])


def banned_words(path: Path) -> list[str]:
    """Lines with banned words, and what to write instead."""
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8").replace(EXCEPTIONS.get(name, "\0"), "")
    return [
        f"{name}:{number}: {found[0]!r}; write: {instead}"
        for number, line in enumerate(text.splitlines(), 1)
        for word, instead in BANNED.items()
        if (found := re.search(word, line, re.IGNORECASE))
    ]


def test_no_word_reads_as_translated():
    found = {path.relative_to(ROOT).as_posix(): banned_words(path) for path in prose()}
    bad = [line for lines in found.values() for line in lines]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("told by its suffix", True),
        ("quality_told = 3", True),
        ("the untold story", False),
        ("this is no text", True),
        ("it is no longer so", False),
        ("borrow is no fairer", False),
        ("there is no disparity", False),
        ("it stands for a cell", True),
    ],
)
def test_the_list_of_words_is_meant_as_it_is_written(line, bad):
    assert any(re.search(word, line, re.IGNORECASE) for word in BANNED) is bad
