"""`fairlattice augment` on tables larger than memory: the same rows, in pieces, and nothing half written."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairlattice.cli import main
from fairlattice.cli._augment import MANY_ROWS
from fairlattice.cli._fit_rows import row_keys, rows_per_cell, sample_rows
from fairlattice.cli._tables import lazy_writer, many_rows, read_table, scan_rows
from fairlattice.groups import GroupCounts
from fairlattice.tables._shared import Rules, collected

ROLES = ["--label", "hired", "--sensitive", "sex", "race", "age:30,60"]
STREAM = ["--stream", "--jobs", "1"]
ORIGIN = ["fairlattice_synthetic", "fairlattice_parents"]
CELLS = ["sex", "race", "band", "hired"]

PEAK = """
import resource, sys
from fairlattice.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""
LAUNCHER = """
import subprocess, sys
command = [sys.executable, "-c", *sys.argv[1:]]
print(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
"""


@pytest.fixture
def table(people, tmp_path, monkeypatch):
    """A table with a column of each kind, and one that is dropped."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    rows = people.with_columns(
        pl.Series("id", np.arange(900)),
        pl.when(pl.col("skill") > 1.5).then(None).otherwise(pl.col("skill")).alias("skill"),
        pl.col("job").cast(pl.Categorical),
        pl.Series("small", rng.integers(0, 9, 900), pl.Int8),
        pl.Series("yes", rng.random(900) < 0.5),
    )
    rows.write_parquet("t.parquet", row_group_size=100)
    return rows


def augment(out, *more, source="t.parquet"):
    assert main(["augment", source, *ROLES, "--drop", "id", "--out", out, *more]) == 0


def banded(frame):
    return frame.with_columns(band=(pl.col("age") >= 30).cast(int) + (pl.col("age") >= 60).cast(int))


def test_originals_come_first_unchanged_and_every_cell_has_its_rows(table, capsys):
    augment("o.parquet", *STREAM, "--per-cell", "70", "--json", "o.json", "--card", "o.md")
    out = pl.read_parquet("o.parquet")
    made = out.tail(-900)
    assert f"900 original and {made.height:,} synthetic rows" in capsys.readouterr().out
    assert out.drop(ORIGIN).schema == table.schema
    assert out.head(900).drop(ORIGIN).equals(table)
    assert not out.head(900)[ORIGIN[0]].any()
    assert out.head(900)[ORIGIN[1]].null_count() == 900
    assert made[ORIGIN[0]].all()
    sizes = banded(out).group_by(CELLS).len()
    before = banded(table).group_by(CELLS).len()
    expected = before.with_columns(pl.max_horizontal("len", pl.lit(70, pl.UInt32)))
    assert sizes.sort(CELLS).equals(expected.sort(CELLS))
    told = json.loads(Path("o.json").read_text())
    assert sum(c["synthetic"] for c in told["cells"]) == made.height
    assert told["settings"]["fit_rows"] >= before["len"].max()
    assert f"{made.height:,} synthetic rows" in Path("o.md").read_text()


@pytest.mark.parametrize("mixing", ["importance", "scalar"])
def test_new_rows_are_valid_and_name_rows_of_the_table(table, mixing):
    augment("o.parquet", *STREAM, "--fit-rows", "20", "--mixing", mixing)
    made = pl.read_parquet("o.parquet").tail(-900)
    assert made["id"].null_count() == made.height
    assert set(made["job"].unique()) <= set(table["job"].unique())
    for name in ("hours", "skill", "small"):
        assert made[name].drop_nulls().is_between(table[name].min(), table[name].max()).all()
    assert 0 < made["skill"].null_count() < made.height
    for row in made.sample(30, seed=0).iter_rows(named=True):
        parents = banded(table[[int(i) for i in row["fairlattice_parents"].split()]])
        assert (parents["hired"] == row["hired"]).all()
        if mixing == "scalar":
            assert parents["race"][0] == parents["race"][2] == row["race"]
            assert parents["sex"][1] == parents["sex"][2] == row["sex"]
        else:
            assert parents["job"][0] == row["job"]


def test_same_seed_same_bytes_whatever_the_threads_and_pieces(table):
    options = ["--stream", "--fit-rows", "20", "--per-cell", "300"]
    augment("0.parquet", *options, "--jobs", "1")
    augment("1.parquet", *options, "--jobs", "2")
    command = [sys.executable, "-m", "fairlattice", "augment", "t.parquet", *ROLES, "--drop", "id"]
    pieces = {**os.environ, "POLARS_IDEAL_MORSEL_SIZE": "77"}  # read by Polars once, when it is loaded
    subprocess.run([*command, "--out", "2.parquet", *options], check=True, env=pieces, capture_output=True)
    first, *others = (Path(f"{i}.parquet").read_bytes() for i in range(3))
    assert others == [first, first]
    augment("4.parquet", *options, "--jobs", "1", "--seed", "1")
    assert not pl.read_parquet("4.parquet").equals(pl.read_parquet("0.parquet"))


def test_in_pieces_and_in_one_piece_make_rows_of_the_same_parents(table):
    """Where the sample is the whole table, only the order of rounding differs."""
    augment("a.parquet", "--per-cell", "70")
    augment("b.parquet", *STREAM, "--per-cell", "70")
    one, many = (pl.read_parquet(name) for name in ("a.parquet", "b.parquet"))
    assert one.drop("skill").equals(many.drop("skill"))
    assert np.allclose(one["skill"].to_numpy(), many["skill"].to_numpy(), atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "arrow"])
def test_other_formats_and_the_very_text_of_text(table, suffix):
    separator = {"csv": ",", "tsv": "\t"}.get(suffix)
    coded = table.with_columns(code=pl.format("00{}", pl.col("hours")))
    source = f"t.{suffix}"
    if separator:
        coded.write_csv(source, separator=separator, quote_style="always")
    else:
        coded.write_ipc(source)
    augment(f"o.{suffix}", *STREAM, "--per-cell", "40", source=source)
    if separator:
        old, new = (pl.read_csv(n, separator=separator, infer_schema=False) for n in (source, f"o.{suffix}"))
    else:
        old, new = pl.read_ipc(source), pl.read_ipc(f"o.{suffix}")
    assert new.height > 900
    assert new.head(900).drop(ORIGIN).equals(old)


@pytest.mark.parametrize("pieces", [(), ("--stream",)], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("source", "out", "first", "separator", "quotes"),
    [
        ("t.csv", "o.csv", "", ";", False),  # decimal commas need no quotes between semicolons
        ("t.csv", "o.tsv", "", "\t", True),
        ("t.csv", "o.csv", "sep=:\n", ":", False),
        ("t.csv", "o.csv", "", ",", True),
        ("t.csv", "o.csv", "", "|", False),
        ("t.tsv", "o.tsv", "", "\t", False),
        ("t.tsv", "o.csv", "", ",", True),
    ],
)
def test_text_keeps_its_separator_and_has_quotes_where_it_needs_them(
    source, out, first, separator, quotes, pieces, table
):
    pay = [f"{n},{n % 7}" for n in range(900)]
    odd = ["5 apples"] * 450 + ["pipe" if source == "t.tsv" or separator in ",:" else '5" pipe'] * 450
    rows = table.drop("id").with_columns(pl.Series("pay", pay), pl.Series("size", odd))
    own = "\t" if source == "t.tsv" else ";" if out == "o.tsv" else separator
    text = rows.write_csv(separator=own, quote_style="necessary" if own == "," else "never")
    Path(source).write_text(first + text)
    arguments = ["augment", source, *ROLES, "--out", out, "--per-cell", "40", "--jobs", "1", "--no-origin"]
    assert main([*arguments, *pieces]) == 0
    written = Path(out).read_text()
    assert written.startswith(f"{first}{separator.join(rows.columns)}\n")
    assert ('"' in written.replace('5" pipe', "")) == quotes
    if own == separator:
        assert written.startswith(first + text)
    with collected():
        old, new = (read_table(Path(name), as_text=True) for name in (source, out))
        assert read_table(Path(out)).schema == read_table(Path(source)).schema
    assert new.height > 900 and new.head(900).equals(old)
    assert set(new["pay"]) == set(pay) and set(new["size"]) == set(odd)


@pytest.mark.parametrize("pieces", [(), ("--stream",)], ids=["at once", "in pieces"])
def test_identifiers_in_synthetic_rows_are_noted_and_can_be_left_empty(pieces, table, capsys):
    arguments = [
        "augment",
        "t.parquet",
        *ROLES,
        "--per-cell",
        "40",
        "--jobs",
        "1",
        "--json",
        "o.json",
        *pieces,
    ]
    for drop in ((), ("--drop", "id")):
        assert main([*arguments, "--out", "o.parquet", *drop]) == 0
        notes = [line for line in capsys.readouterr().err.splitlines() if "--drop id" in line]
        written = pl.read_parquet("o.parquet").filter("fairlattice_synthetic")["id"]
        if drop:
            assert not notes and written.null_count() == len(written)
        else:
            assert len(notes) == 1 and set(written) <= set(table["id"])
            assert any("--drop id" in note for note in json.loads(Path("o.json").read_text())["notes"])


def test_no_origin_and_a_table_that_lacks_nothing(table, capsys):
    augment("o.parquet", *STREAM, "--per-cell", "1", "--no-origin")
    assert pl.read_parquet("o.parquet").equals(table)
    assert "0 synthetic" in capsys.readouterr().out


def test_rows_are_counted_without_reading_them(table):
    table.write_csv("t.csv")
    assert many_rows(Path("t.parquet")) == 900
    assert 900 <= many_rows(Path("t.csv")) <= 901
    assert many_rows(Path("none.csv")) == many_rows(Path("t.txt")) == 0


def test_a_large_table_is_read_in_pieces_by_itself(table, monkeypatch):
    assert MANY_ROWS == 1_000_000
    monkeypatch.setattr("fairlattice.cli._augment.MANY_ROWS", 899)
    augment("o.parquet", "--json", "o.json", "--per-cell", "1")
    assert "fit_rows" in json.loads(Path("o.json").read_text())["settings"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hired": pl.lit(1)}, "has one class only"),
        ({"hired": pl.lit(None, pl.Int64)}, "`hired`"),
        ({"hours": pl.lit(float("inf"))}, "Column `hours` has 900 infinite values"),
        ({"sex": pl.int_range(900)}, "like an identifier"),
        ({"sex": pl.lit([1])}, "Column `sex` has type List"),
        ({ORIGIN[0]: pl.lit(1)}, "Was it augmented before"),
    ],
)
def test_what_is_refused(table, capsys, change, words):
    table.with_columns(**change).write_parquet("bad.parquet")
    assert main(["augment", "bad.parquet", *ROLES, "--drop", "id", "--out", "o.parquet", *STREAM]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["bad.parquet", "t.parquet"]


def test_options_are_checked(table, capsys):
    for extra, words in ((["--fit-rows", "1"], "--fit-rows"), (["--jobs", "0"], "--jobs")):
        assert main(["augment", "t.parquet", *ROLES, "--out", "o.parquet", *extra]) == 2
        assert words in capsys.readouterr().err


def test_failed_writing_leaves_nothing(table, monkeypatch, capsys):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.Series, "cast", fail)  # in the midst of writing
    assert main(["augment", "t.parquet", *ROLES, "--drop", "id", "--out", "o.parquet", *STREAM]) == 2
    assert "No space left" in capsys.readouterr().err
    assert [p.name for p in Path.cwd().iterdir()] == ["t.parquet"]


def parts(table, folder="parts", names=("part-0", "part-1", "part-2")):
    """The table in three files of a folder."""
    for i, name in enumerate(names):
        path = Path(folder, f"{name}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        table.slice(300 * i, 300).write_parquet(path)


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


def test_a_folder_of_parquet_gives_what_its_rows_in_one_file_give(table):
    parts(table)
    augment("file.parquet", *STREAM)
    augment("folder.parquet", source="parts")
    assert pl.read_parquet("folder.parquet").equals(pl.read_parquet("file.parquet"))


@pytest.mark.parametrize(
    "names", [("part-0", "part-1", "part-2"), ("x/b", "x/synthetic", "y/b"), ("SYNTHETIC", "u", "v")]
)
def test_a_folder_of_parquet_becomes_a_folder_of_its_parts_and_the_new_rows(table, names):
    parts(table, names=names)
    options = ["--fit-rows", "20", "--per-cell", "300"]
    augment("file.parquet", *options, source="parts")
    augment("more", *options, "--json", "o.json", source="parts")
    expected = pl.read_parquet("file.parquet")
    (new,) = set(files_in("more")) - {f"{name}.parquet" for name in names}
    assert new.startswith("synthetic")
    for i, name in enumerate(names):
        assert pl.read_parquet(f"more/{name}.parquet").equals(expected.slice(300 * i, 300))
    made = pl.read_parquet(f"more/{new}")
    assert made.equals(expected.slice(900))
    assert made.height == sum(c["synthetic"] for c in json.loads(Path("o.json").read_text())["cells"])
    assert sorted(p.name for p in Path.cwd().iterdir()) == [
        "file.parquet",
        "more",
        "o.json",
        "parts",
        "t.parquet",
    ]
    assert Path("more").stat().st_mode & 0o777 == Path("parts").stat().st_mode & 0o777
    counts = GroupCounts.from_frame(
        scan_rows(Path("more")), label="hired", prediction="hired", sensitive=["sex"]
    )
    assert counts.n == expected.height


def test_folders_whose_names_hold_a_column_become_files_that_hold_it(table):
    parts(table, names=[f"month={i}/rows" for i in (3, 1, 2)])
    augment("file.parquet", "--per-cell", "40", source="parts")
    augment("more", "--per-cell", "40", source="parts")
    assert files_in("more") == [*(f"part-0000{i}.parquet" for i in range(3)), "synthetic.parquet"]
    read = pl.concat([pl.read_parquet(Path("more", name)) for name in files_in("more")])
    assert read.equals(pl.read_parquet("file.parquet"))
    assert [pl.read_parquet(f"more/part-0000{i}.parquet")["month"].unique().item() for i in range(3)] == [
        1,
        2,
        3,
    ]


def test_a_name_that_ends_in_a_slash_is_a_folder_whatever_the_table(table):
    Path("more.csv").mkdir()
    table.write_csv("t.csv")
    augment("file.parquet", *STREAM, source="t.csv")
    augment("more.csv/", source="t.csv")
    assert files_in("more.csv") == ["synthetic.parquet", "t.parquet"]
    read = pl.concat([pl.read_parquet(f"more.csv/{name}") for name in ("t.parquet", "synthetic.parquet")])
    assert read.equals(pl.read_parquet("file.parquet"))
    augment("same/", "--per-cell", "1", "--no-origin")
    assert files_in("same") == ["t.parquet"]
    assert pl.read_parquet("same/t.parquet").equals(table)


@pytest.mark.parametrize(
    ("out", "more", "words"),
    [
        ("full", [], "`full` is not empty"),
        ("t.parquet/", [], "`t.parquet` is to be a folder"),
        ("parts/more/", [], "never overwritten"),
        ("parts/", [], "never overwritten"),
        ("empty/", ["--json", "empty/o.json"], "lies in `empty`"),
        ("none/more", [], "the folder `none` is not there"),
        ("./", [], "cannot be replaced"),
        ("more.txt", [], "'.txt'"),
    ],
)
def test_folders_that_are_refused(table, capsys, out, more, words):
    parts(table)
    parts(table, "full")
    Path("empty").mkdir()
    before = files_in(".")
    assert main(["augment", "parts", *ROLES, "--drop", "id", "--out", out, *more]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert files_in(".") == before


def test_a_folder_that_fills_while_rows_are_made_is_not_replaced(table, monkeypatch, capsys):
    parts(table)
    made = lazy_writer

    def also(rows, path):
        Path("more").mkdir(exist_ok=True)
        Path("more/other.txt").write_text("kept")
        return made(rows, path)

    monkeypatch.setattr("fairlattice.cli._augment_stream.lazy_writer", also)
    assert main(["augment", "parts", *ROLES, "--drop", "id", "--out", "more", "--json", "o.json"]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert files_in("more") == ["other.txt"]
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["more", "parts", "t.parquet"]


def test_failed_writing_of_a_folder_leaves_nothing(table, monkeypatch, capsys):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    parts(table)
    monkeypatch.setattr(pl.Series, "cast", fail)  # when the original rows are written already
    assert main(["augment", "parts", *ROLES, "--drop", "id", "--out", "more"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["parts", "t.parquet"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("out", ["o.parquet", "more/"])
def test_an_interrupt_leaves_nothing(table, wait_until, out):
    command = [sys.executable, "-m", "fairlattice", "augment", "t.parquet", *ROLES, "--drop", "id"]
    command += ["--out", out, *STREAM, "--per-cell", "3000000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        wait_until(lambda: list(Path.cwd().glob(".fairlattice-*")))
        running.send_signal(signal.SIGINT)
        error = running.communicate(timeout=60)[1]
    assert running.returncode == 2
    assert error.count("\n") == 1
    assert "interrupted" in error
    assert [p.name for p in Path.cwd().iterdir()] == ["t.parquet"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_a_killed_run_left_of_a_folder_is_removed_by_the_next(table, wait_until):
    command = [
        sys.executable,
        "-m",
        "fairlattice",
        "augment",
        "t.parquet",
        *ROLES,
        "--drop",
        "id",
        "--out",
        "more/",
    ]
    with subprocess.Popen([*command, "--per-cell", "3000000"], stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: list(Path.cwd().glob(".fairlattice-*/t.parquet")))
        running.kill()
    assert not Path("more").exists()
    augment("more/", "--per-cell", "10")
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["more", "t.parquet"]


def test_keys_are_uniform_and_the_bound_is_the_largest_that_fits():
    keys = row_keys(np.arange(100_000), 5)
    assert np.abs(np.histogram(keys, 20, (0, 1))[0] - 5000).max() < 350
    assert abs(np.corrcoef(keys[1:], keys[:-1])[0, 1]) < 0.02
    assert len(np.intersect1d(keys, row_keys(np.arange(100_000), 6))) < 3
    sizes = np.array([1, 10, 400])
    for most in (30, 100, 411):
        bound = rows_per_cell(sizes, most)
        assert np.minimum(sizes, bound).sum() <= most
        assert bound == 400 or np.minimum(sizes, bound + 1).sum() > most
    assert rows_per_cell(sizes, 1) == 2


def test_a_sample_has_the_rows_with_the_smallest_keys_of_each_cell(table):
    lazy = scan_rows(Path("t.parquet"))
    counts = GroupCounts.from_frame(lazy, label="hired", prediction="hired", sensitive=["sex", "race"])
    sample, numbers = sample_rows(lazy, counts, "hired", 25, 9, Rules())
    assert sample.equals(table[numbers])
    keyed = table.with_columns(key=pl.Series(row_keys(np.arange(900), 9)), row=pl.int_range(900))
    expected = keyed.sort("key").group_by("sex", "race", "hired").head(25)["row"].sort().to_list()
    assert numbers.tolist() == expected


def peak_memory(source):
    command = ["augment", source, "--label", "y", "--sensitive", "a", "b", "--out", f"{source}.out.parquet"]
    command += ["--stream", "--fit-rows", "500", "--jobs", "1"]
    # A child starts with the peak memory of the process that forked it, so a small one stands between.
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, PEAK, *command], check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[-1]) / (1e6 if sys.platform == "darwin" else 1e3)


def test_memory_does_not_grow_with_the_table(tmp_path):
    """Ten times the rows are 80 MB more to hold; in one piece the peak is 380 MB higher (measured)."""
    part = 50_000
    rng = np.random.default_rng(0)
    levels = {"a": rng.choice(3, part, p=[0.2, 0.3, 0.5]), "b": rng.integers(0, 2, part)}
    numbers = {f"x{j}": rng.normal(size=part).round(2) for j in range(20)}
    small, large = tmp_path / "small.parquet", tmp_path / "large.parquet"
    pl.DataFrame({"y": rng.integers(0, 2, part), **levels, **numbers}).write_parquet(small)
    parts = pl.concat([pl.scan_parquet(small)] * 10)
    with large.open("wb") as target:
        lazy_writer(parts, large)(target)
    few, many = peak_memory(str(small)), peak_memory(str(large))
    out = pl.scan_parquet(f"{large}.out.parquet")
    assert out.select(pl.len()).collect().item() > 700_000
    assert many - few < 200, f"{few:.0f} MB for 50,000 rows, {many:.0f} MB for 500,000"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["7", "1.5", "-3", ""])
@pytest.mark.parametrize(
    "late",
    [
        "8",
        "2.5",
        "-.5",
        "5.",
        "5-",
        "1.2.3",
        "--5",
        "-",
        ".",
        "007",
        "",
        "9" * 19,
        "9" * 30,
        "nan",
        " 5",
        "+5",
    ],
)
def test_columns_of_digits_have_the_types_that_all_rows_allow(tmp_path, monkeypatch, first, late, ends):
    monkeypatch.setattr("fairlattice.cli._text_tables._FIRST_ROWS", 10)
    path = tmp_path / "t.csv"
    path.write_text("x,y" + ends + f"{first},1{ends}" * 50 + f"{late},2{ends}", newline="")
    whole = pl.read_csv(path, infer_schema_length=None)
    if late == "007":  # digits that begin with zeros are codes
        whole = pl.read_csv(path, schema_overrides={"x": pl.String})
    assert read_table(path).equals(whole)
    assert read_table(path).schema == whole.schema
    assert scan_rows(path).collect().equals(whole)
    monkeypatch.setattr("fairlattice.cli._text_tables._HELD", 0)
    assert scan_rows(path).collect().equals(whole)
