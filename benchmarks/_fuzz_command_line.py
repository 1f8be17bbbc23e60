"""One generated case through the real command line: exit code 0, 1 or 2, a line where refused, no half-written file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from _fuzz_process import forked, started

_SLOWEST = 60  # seconds of computing, which a busy machine does not stretch
_LONGEST = 600  # seconds to wait for a process before it counts as hanging


def run_command_line(case: dict[str, Any]) -> str:
    """What became of a case, in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"t.{case['file']}")
        try:
            _write(case["frame"], path)
        except (pl.exceptions.PolarsError, ValueError):
            return "not a file"
        content = path.read_bytes()
        arguments = _arguments(case, path.name)
        fresh = case["damage"] % 8 == 1
        done = _run(arguments, folder, fresh=fresh)
        assert path.read_bytes() == content, f"the input was changed: {arguments}"
        written = {p.name for p in Path(folder).iterdir()} - {path.name}
        assert not [name for name in written if name.endswith(".part")], f"{written}: {arguments}"
        if done == 2:
            assert not written - {"store.db"}, f"refused, but wrote {written}: {arguments}"
            return f"{arguments[0]} refused{', fresh' if fresh else ''}"
        for name in written & {"o.json", "c.json", "g.json"}:
            json.loads(Path(folder, name).read_text(), parse_constant=_refuse)
        if "o.json" in written and case["flag"]:
            shown = _run(
                ["report", "o.json", "--report", "again.html", "--figures", "figures"], folder, fresh=fresh
            )
            assert shown == 0, f"report: {shown}: {arguments}"
        if arguments[0] == "augment":
            _check_rows(case, Path(folder, _out(case)))
        return f"{arguments[0]} done{', fresh' if fresh else ''}"


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} in JSON")


def _run(arguments: list[str], folder: str, *, fresh: bool) -> int:
    done = (started if fresh else forked)(arguments, folder, _LONGEST)
    error = done.error.decode(errors="replace")
    asked = " ".join(map(repr, arguments))
    assert done.seconds < _SLOWEST, f"{done.seconds:.0f} s: {asked}"
    assert done.code in (0, 1, 2), f"{done.code}: {asked}: {error[-300:]}"
    assert "Traceback" not in error and "failed:" not in error, f"{asked}: {error[-300:]}"
    assert "Warning:" not in error, f"a warning of Python's: {asked}: {error[-300:]}"
    assert b"\x1b" not in done.out and "\x1b" not in error, f"escape codes: {asked}"
    if done.code == 2:
        assert error.count("\n") == 1, f"{error}: {asked}"
    return done.code


def _write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix in (".csv", ".tsv"):
        frame.write_csv(path, separator="," if path.suffix == ".csv" else "\t")
    else:
        {".parquet": frame.write_parquet, ".feather": frame.write_ipc}[path.suffix](path)


def _out(case: dict[str, Any]) -> str:
    return ["o.csv", "o.parquet", "o.tsv", "o.feather"][case["damage"] % 4]


def _check_rows(case: dict[str, Any], path: Path) -> None:
    """The old rows come first, as many as there were."""
    if path.suffix in (".parquet", ".feather"):
        found = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ipc(path)
        assert found.height >= case["frame"].height, "rows were lost"
    else:
        assert path.read_bytes().count(b"\n") > case["frame"].height, "rows were lost"


def _arguments(case: dict[str, Any], name: str) -> list[str]:
    """The command line of a case."""
    what = case["what"]
    if what == "bench":
        return [
            "bench", "run", "--datasets=diabetes", f"--rows={40 + case['seed'] * 20}", "--methods=logistic",
            "--seeds=2", "--store=store.db", "--jobs=1", "--json=o.json", f"--alpha={case['alpha']}",
        ]  # fmt: skip
    sensitive = list(case["sensitive"])
    if case["cut"] is not None:
        sensitive[0] += ":" + ",".join(
            map(str, case["cut"] if isinstance(case["cut"], list) else [case["cut"]])
        )
    command = (
        what if what in ("augment", "diagnose", "compare") else "augment" if what == "stream" else "audit"
    )
    arguments = [command, name]
    if what != "decisions":
        arguments += [f"--label={case['label']}"]
    arguments += ["--sensitive", *sensitive]
    arguments += _audit(case) if command == "audit" else _REST[command](case)
    if case["positive"] is not None and command != "augment":
        arguments += [f"--positive={case['positive']}"]
    if case["na"]:
        arguments += ["--na", *case["na"]]
    if case["decimal"]:
        arguments += [f"--decimal={case['decimal']}"]
    return arguments


def _audit(case: dict[str, Any]) -> list[str]:
    found = [
        f"--prediction={case['prediction']}", f"--missing={case['missing']}", f"--alpha={case['alpha']}",
        f"--confidence={case['confidence']}", f"--interval={case['interval']}", f"--min-size={case['min_size']}",
        f"--on-small={case['on_small']}", f"--min-share={case['min_share']}", f"--top={case['top']}",
        "--json", "o.json", "--counts", "c.json",
    ]  # fmt: skip
    if case["flag"]:
        found += ["--report", "o.html"]
    if case["notion"]:
        found += [f"--notion={case['notion']}"]
    if case["positive_prediction"] is not None:
        found += [f"--positive-prediction={case['positive_prediction']}"]
    if case["reference"] == "group":
        found += [f"--reference={case['sensitive'][0]}={case['frame'].get_column(case['sensitive'][0])[0]}"]
    elif case["reference"] != "best":
        found += [f"--reference={case['reference']}"]
    if case["weighted"]:
        found += [f"--weight={case['weight']}"]
    if case["gates"]:
        found += [f"--fail-above={case['gates']}", "--gate-json=g.json"]
    return found + _questions(case)


def _questions(case: dict[str, Any]) -> list[str]:
    found = {
        "by": [f"--by={case['period']}"],
        "scores": [f"--score={case['score']}"],
        "models": [f"--baseline={case['baseline']}"],
    }.get(case["what"], [])
    if case["what"] == "models" and case["flag"]:
        found += ["--fail-on-harm", "--tolerance=0.02", "--fail-on-leveling-down"]
    return found


def _reading(case: dict[str, Any]) -> list[str]:
    pairs = [(f"--{name}", case[name]) for name in ("categorical", "keep", "drop") if case[name]]
    return [text for option, names in pairs for text in (option, *names)] + [
        f"--seed={case['seed']}",
        "--jobs=1",
    ]


def _augment(case: dict[str, Any]) -> list[str]:
    found = [
        f"--out={_out(case)}", f"--mixing={case['mixing']}", f"--share={case['share']}",
        f"--per-cell={case['per_cell']}", "--json", "o.json", *_reading(case),
    ]  # fmt: skip
    if case["mixing"] == "importance":
        found += [f"--max-copies={case['max_copies']}"]
    if case["what"] == "stream":
        found += ["--stream", "--fit-rows=20"]
    if case["flag"]:
        found += ["--card=c.md", "--no-origin"]
    return found


def _compare(case: dict[str, Any]) -> list[str]:
    found = [
        f"--strategies=none,{case['strategy']}", "--groups-at-prediction", "--folds=2", "--repeats=1", "--per-cell=20",
        f"--alpha={case['alpha']}", "--json", "o.json", *_reading(case),
    ]  # fmt: skip
    if case["flag"]:
        found += [
            "--report=o.html",
            "--card=c.md",
            f"--predictions={_out(case)}",
            "--keep-sensitive",
            "--max-loss=0.1",
        ]
    return found


def _diagnose(case: dict[str, Any]) -> list[str]:
    found = ["--sources=smote", "--max-rows=20", "--permutations=19", "--json", "o.json", *_reading(case)]
    if case["flag"]:
        found += ["--report=o.html", "--keep-sensitive", "--held-out=0.4"]
    return found


_REST = {"augment": _augment, "compare": _compare, "diagnose": _diagnose}
