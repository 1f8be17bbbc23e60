"""Style and types are tests like any other, so that one command checks all."""

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


def test_the_readmes_python_runs(capsys):
    text = (ROOT / "README.md").read_text()
    blocks = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert blocks
    for code in blocks:
        lines = [line for line in code.splitlines() if line and not line.startswith(("import", "from"))]
        assert len(lines) <= 10
        exec(compile(code, "README.md", "exec"), {})
    assert "age" in capsys.readouterr().out


def test_the_versions_agree():
    import fairlattice

    assert f"version: {fairlattice.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {fairlattice.__version__}" in (ROOT / "CHANGELOG.md").read_text()
