"""Bad input at the shell: exit code 2, one line that helps, no traceback, nothing written or touched."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

import fairlattice as fl
from fairlattice.cli import main

ROWS = {
    "y": [0, 1] * 30,
    "p": [1, 1, 0] * 20,
    "s": ["a", "b", "b"] * 20,
    "x": [float(i % 7) for i in range(60)],
}
COMMANDS = {
    "audit": ["--label", "y", "--prediction", "p", "--sensitive", "s", "--json", "out.json"],
    "compare": ["--label", "y", "--sensitive", "s", "--jobs", "1", "--repeats", "1", "--json", "out.json"],
    "augment": ["--label", "y", "--sensitive", "s", "--out", "out.csv"],
}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def snapshot():
    return {p.name: p.read_bytes() for p in Path().iterdir() if p.is_file()}


def refused(capsys, arguments, *words):
    """Run, and check that it was refused in one line that holds all the words."""
    before = snapshot()
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:  # the parser's own refusals
        code = stop.code
    out, err = capsys.readouterr()
    assert (code, err.count("\n")) == (2, 1), err
    assert "Traceback" not in err
    assert out == ""
    for word in words:
        assert word in err, err
    assert snapshot() == before


def write(name="t.csv", **changes):
    frame = pl.DataFrame({**ROWS, **changes}, strict=False)
    {".csv": frame.write_csv, ".parquet": frame.write_parquet}[Path(name).suffix](name)
    return name


@pytest.mark.parametrize("command", COMMANDS)
class TestTheTable:
    def test_missing_file(self, command, capsys):
        write("table.csv")
        refused(capsys, [command, "tabel.csv", *COMMANDS[command]], "`tabel.csv` is not there", "'table.csv'")

    def test_unknown_suffix(self, command, capsys):
        Path("t.xlsx").write_text("x")
        refused(capsys, [command, "t.xlsx", *COMMANDS[command]], "'.xlsx'", ".parquet")

    def test_folder(self, command, capsys):
        Path("t.csv").mkdir()
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "is a folder")

    def test_empty_file(self, command, capsys):
        Path("t.csv").touch()
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "`t.csv` is empty")

    def test_header_only(self, command, capsys):
        Path("t.csv").write_text("y,p,s,x\n")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "header but no rows")

    def test_truncated_parquet(self, command, capsys):
        write("t.parquet")
        whole = Path("t.parquet").read_bytes()
        for kept in (4, len(whole) // 2, len(whole) - 5):
            Path("t.parquet").write_bytes(whole[:kept])
            refused(
                capsys, [command, "t.parquet", *COMMANDS[command]], "`t.parquet` cannot be read as PARQUET"
            )

    def test_noise_in_every_format(self, command, capsys):
        for name in ("t.parquet", "t.arrow", "t.feather", "t.csv"):
            Path(name).write_bytes(os.urandom(2000))
            refused(capsys, [command, name, *COMMANDS[command]], f"`{name}` cannot be read")

    def test_bytes_that_are_not_utf8(self, command, capsys):
        Path("t.csv").write_bytes(b"y,p,s,x\n0,1,caf\xe9,2\n1,1,b,3\n")
        said = "iconv -f WINDOWS-1252 -t UTF-8 t.csv > t-utf8.csv\n"
        refused(capsys, [command, "t.csv", *COMMANDS[command]], said)

    def test_ragged_rows(self, command, capsys):
        Path("t.csv").write_text("y,p,s,x\n0,1,a,2,9,9\n1,0,b,3\n")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "`t.csv` cannot be read as CSV")

    def test_duplicate_column_names(self, command, capsys):
        Path("t.csv").write_text("y,p,s,s\n0,1,a,b\n1,0,b,a\n")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "two columns named 's'")

    def test_duplicates_below_a_blank_line(self, command, capsys):
        Path("t.csv").write_text("\ny,p,s,s\n0,1,a,b\n1,0,b,a\n")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "two columns named 's'. Rename one.\n")

    def test_another_separator(self, command, capsys):
        Path("t.csv").write_text("y;p;s;x\n0;1;a;2\n1;0;b;3;9\n")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "line 3 has 5 values for 4 columns")

    def test_what_is_no_regular_file(self, command, capsys):
        os.mkfifo("t.csv")
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "not a regular file")
        Path("t.csv").unlink()
        os.mkfifo("fifo.csv")
        arguments = ["fifo.csv" if a.startswith("out.") else a for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "`fifo.csv` is not a regular file")
        assert Path("fifo.csv").is_fifo()

    def test_a_loop_of_links(self, command, capsys):
        Path("loop.csv").symlink_to("loop.csv")
        arguments = ["loop.csv" if a.startswith("out.") else a for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "`loop.csv`")
        refused(capsys, [command, "loop.csv", *COMMANDS[command]], "`loop.csv`")

    def test_names_that_are_too_long(self, command, capsys):
        name = "n" * 300 + ".csv"
        refused(capsys, [command, name, *COMMANDS[command]], "cannot be read: File name too long")
        arguments = [name if a.startswith("out.") else a for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "File name too long")

    def test_extra_arguments(self, command, capsys):
        write()
        for extra in ("", " ", "a\nb", "--foo\nbar"):
            refused(capsys, [command, "t.csv", extra, *COMMANDS[command]], "unrecognized arguments")

    def test_nested_columns(self, command, capsys):
        pl.DataFrame({**ROWS, "s": [[1], [2]] * 30}).write_parquet("t.parquet")
        refused(capsys, [command, "t.parquet", *COMMANDS[command]], "Column `s` has type List")

    def test_a_continuous_label(self, command, capsys):
        refused(
            capsys,
            [command, write(y=[i / 7 for i in range(60)]), *COMMANDS[command]],
            "Label `y` has 60 distinct",
        )

    def test_case_is_no_matter_for_suggestions(self, command, capsys):
        arguments = [a if a != "y" else "Y" for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "Did you mean 'y'?")

    def test_column_not_there(self, command, capsys):
        write(sex=["a", "b"] * 30)
        arguments = [a if a != "s" else "sxe" for a in COMMANDS[command]]
        refused(capsys, [command, "t.csv", *arguments], "['sxe']", "Did you mean 'sex'?")

    def test_label_with_one_class(self, command, capsys):
        refused(capsys, [command, write(y=[1] * 60), *COMMANDS[command]], "Label `y` has one class only")

    def test_label_with_holes(self, command, capsys):
        holes = [None, 1, 0] * 20
        refused(capsys, [command, write(y=holes), *COMMANDS[command]], "`y` has 20 missing values")

    def test_infinite_label(self, command, capsys):
        odd = [float("inf"), 1.0] * 30
        refused(capsys, [command, write(y=odd), *COMMANDS[command]], "Column `y` has 30 infinite values")

    def test_attribute_missing_everywhere(self, command, capsys):
        refused(capsys, [command, write(s=[None] * 60), *COMMANDS[command]], "`s` is missing in every row")

    def test_attribute_with_as_many_levels_as_rows(self, command, capsys):
        for ids in ([f"id{i}" for i in range(60)], list(range(60))):
            refused(capsys, [command, write(s=ids), *COMMANDS[command]], "Attribute `s` has 60 levels")

    def test_infinite_attribute(self, command, capsys):
        odd = [float("inf"), 1.0] * 30
        refused(capsys, [command, write(s=odd), *COMMANDS[command]], "`s`", "infinite values")

    def test_label_as_attribute_and_attribute_twice(self, command, capsys):
        write()
        refused(capsys, [command, "t.csv", *COMMANDS[command], "--sensitive", "y"], "`y` cannot be")
        refused(capsys, [command, "t.csv", *COMMANDS[command], "--sensitive", "s"], "named twice")

    @pytest.mark.parametrize("cuts", ["x:a", "x:3,2", "x:", "x:nan", "s:3"])
    def test_cut_points(self, command, cuts, capsys):
        write()
        refused(capsys, [command, "t.csv", *COMMANDS[command], "--sensitive", cuts], cuts[0])

    def test_columns_joined_by_commas(self, command, capsys):
        refused(
            capsys, [command, write(), *COMMANDS[command], "--sensitive", "s,x:3"], "with spaces between them"
        )

    def test_unknown_option(self, command, capsys):
        write()
        refused(
            capsys,
            [command, "t.csv", *COMMANDS[command], "--labell", "y"],
            "--labell",
            "Did you mean '--label'?",
        )

    def test_output_folder_that_is_not_there(self, command, capsys):
        arguments = [f"no/where/{a}" if a.startswith("out.") else a for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "the folder `no/where` is not there")

    def test_output_over_the_input(self, command, capsys):
        Path("link.csv").symlink_to(write())
        for same in ("t.csv", "./t.csv", "link.csv"):
            arguments = [same if a.startswith("out.") else a for a in COMMANDS[command]]
            refused(capsys, [command, "t.csv", *arguments], "is the input file")

    def test_output_that_is_a_folder(self, command, capsys):
        Path("out.csv").mkdir()
        arguments = ["out.csv" if a.startswith("out.") else a for a in COMMANDS[command]]
        refused(capsys, [command, write(), *arguments], "`out.csv` is a folder")


def test_infinite_features(capsys):
    write(x=[float("inf")] + [1.0] * 59)
    for command in ("compare", "augment"):
        refused(capsys, [command, "t.csv", *COMMANDS[command]], "Column `x` has 1 infinite values")


def test_forty_classes_are_too_many_for_compare_alone(capsys):
    write(y=[i % 40 for i in range(60)], p=[i % 40 for i in range(60)])
    refused(capsys, ["compare", "t.csv", *COMMANDS["compare"]], "two classes, got 40", "audit")
    assert main(["audit", "t.csv", *COMMANDS["audit"]]) == 0
    assert main(["augment", "t.csv", *COMMANDS["augment"]]) == 0


@pytest.mark.parametrize("command", ["compare", "diagnose"])
def test_a_folder_where_a_file_is_read(command, capsys):
    Path("parts").mkdir()
    arguments = ["--label", "y", "--sensitive", "s"]
    refused(capsys, [command, "parts/", *arguments], "`parts` is a folder", "`audit`", "`augment`")


def test_names_without_commas(capsys):
    write()
    for names in (["none", "label"], ["none,", "label"]):
        arguments = ["compare", "t.csv", "--strategies", *names, *COMMANDS["compare"]]
        refused(capsys, arguments, "commas between names, as in --strategies none,label. ")
    refused(capsys, ["bench", "run", "--datasets", "census", "diabetes"], "--datasets census,diabetes. ")


def test_an_option_of_another_command_is_not_taken_for_one_that_differs(capsys):
    assert main(["compare", write(), *COMMANDS["compare"], "--top", "1"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_strategy_of_a_file_that_fails_is_named(jobs, capsys):
    Path("mine.py").write_text("class S:\n    name = 'bad'\n    def fit(self, table):\n        1 / 0\n")
    options = ["--plugin", "mine.py", "--strategies", "none,bad", "--jobs", jobs]
    arguments = ["compare", write(), "--label", "y", "--sensitive", "s", *options]
    refused(capsys, arguments, "ZeroDivisionError", "strategy `bad`", "FAIRLATTICE_DEBUG=1")


def test_lazy_frames_where_rows_are_needed():
    frame = pl.DataFrame(ROWS)
    X, y, S = frame.select("x"), frame["y"], frame.select("s")
    for run in (fl.compare, fl.benchmark.diagnose):
        for name, args in (("X", (X.lazy(), y)), ("y", (X, frame.lazy().select("y")))):
            with pytest.raises(fl.InputError, match=rf"`{name}` is a lazy frame .* `\.collect\(\)`"):
                run(*args, sensitive_features=S)


def test_options_of_compare(capsys):
    write()
    for extra, word in (
        (["--strategies", "none,equl"], "Did you mean 'equal'"),
        (["--strategies", ""], "strateg"),
        (["--classifier", "forest"], "logistic"),
        (["--repeats", "0"], "`repeats`"),
        (["--folds", "1"], "`folds`"),
        (["--folds", "50"], "too small to test in 50 folds"),
        (["--notion", "equality"], "`notion`"),
        (["--max-loss", "nan"], "`max_loss`"),
        (["--unit", "nobody"], "Columns not found"),
        (["--alpha", "-1"], "`alpha`"),
        (["--seed", "-1"], "`random_state`"),
        (["--seed", "one"], "--seed"),
        (["--per-cell", "0"], "`per_cell`"),
        (["--jobs", "0"], "--jobs"),
        (["--positive", "yes"], "'yes'"),
        (["--drop", "s"], "`s` is needed"),
        (["--drop", "x", "p"], "No feature columns"),
        (["--predictions", "p.txt"], "'.txt'"),
        (["--predictions", "out.json"], "named twice"),
        (["--strategies", "equal", "--fail-on-leveling-down"], "none"),
    ):
        refused(capsys, ["compare", "t.csv", *COMMANDS["compare"], *extra], word)


def test_options_of_audit_and_augment(capsys):
    write()
    for extra, word in (
        (["--fail-above", "dff=1"], "Did you mean 'df'"),
        (["--fail-above", "df"], "df=X"),
        (["--fail-above", "df=-1"], "at least 0"),
        (["--fail-above", ""], "df"),
        (["--fail-above", "df=inf"], "finite"),
        (["--fail-above", "df=1,df=2"], "twice"),
        (["--fail-above", "df=nan"], "at least 0"),
        (["--fail-on-leveling-down"], "--baseline"),
        (["--positive", "9"], "does not occur"),
        (["--top", "-3"], "top"),
    ):
        refused(capsys, ["audit", "t.csv", *COMMANDS["audit"], *extra], word)
    for extra, word in (
        (["--per-cell", "0"], "`--per-cell`"),
        (["--per-cell", "many"], "max or a whole number"),
        (["--mixing", "skalar"], "Did you mean 'scalar'"),
        (["--share", "all"], "label, cell"),
        (["--beta", "-1"], "`beta`"),
        (["--seed", "-1"], "`--seed`"),
        (["--drop", "nothing"], "Columns not found"),
    ):
        refused(capsys, ["augment", "t.csv", *COMMANDS["augment"], *extra], word)
    write(p=["u", "v", "w"] * 20)
    refused(capsys, ["audit", "t.csv", *COMMANDS["audit"]], "Columns `y` and `p` differ in type: 'u' is text")
    write(p=[5, 6] * 30)
    refused(capsys, ["audit", "t.csv", *COMMANDS["audit"]], "No prediction is a label")
    write(p=[0.25, 0.75] * 30)
    refused(capsys, ["audit", "t.csv", *COMMANDS["audit"]], "threshold")


def test_a_table_too_small_to_split(capsys):
    pl.DataFrame({"y": [0, 1, 1], "s": ["a", "b", "a"], "x": [1, 2, 3]}).write_csv("t.csv")
    refused(capsys, ["compare", "t.csv", *COMMANDS["compare"]], "too small")


def test_no_command_at_all(capsys):
    refused(capsys, [], "COMMAND", "--help")
    refused(capsys, ["audti"], "Did you mean 'audit'?")
    refused(capsys, ["compare", "--label", "y", "--sensitive", "s", write()], "Put the file first")


def test_cells_with_one_row_or_none_are_no_bad_input(capsys):
    write(s=["a", "b"] * 29 + ["c", "c"], y=[0, 1] * 15 + [1, 0] * 14 + [1, 1])
    for command in ("compare", "augment"):
        assert main([command, "t.csv", *COMMANDS[command]]) == 0
        out, err = capsys.readouterr()
        assert "have one row or none: s=c with label 0 (0)" in " ".join((out + err).split())
    assert main(["audit", "t.csv", *COMMANDS["audit"]]) == 0
    assert "true-negative rate is about, so undefined (1): s=c." in " ".join(capsys.readouterr().out.split())


@pytest.fixture
def full_disk(tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("a small tmpfs cannot be mounted here: needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(full_disk, capsys):
    frame = pl.DataFrame({k: v * 100 for k, v in ROWS.items()})
    noise = [random.randbytes(24).hex() for _ in range(frame.height)]
    frame.with_columns(pl.Series("noise", noise)).write_csv("t.csv")
    assert (
        main(
            [
                "augment",
                "t.csv",
                "--label",
                "y",
                "--sensitive",
                "s",
                "--drop",
                "noise",
                "--out",
                str(full_disk / "o.csv"),
            ]
        )
        == 2
    )
    out, err = capsys.readouterr()
    assert "o.csv` cannot be written" in err
    assert "o space left" in err
    assert (err.count("\n"), out) == (1, "")
    roles = ["--label", "y", "--sensitive", "s", "--drop", "noise"]
    assert main(["augment", "t.csv", *roles, "--out", f"{full_disk / 'more'}/"]) == 2
    out, err = capsys.readouterr()
    assert "more` cannot be written" in err
    assert "o space left" in err
    assert (err.count("\n"), out) == (1, "")
    assert list(full_disk.iterdir()) == []
    arguments = ["compare", "t.csv", *COMMANDS["compare"][:-1], "r.json", "--drop", "noise"]
    arguments += ["--strategies", "none,label,equal,smote,parents,paper"]
    for suffix in ("csv", "parquet", "arrow"):
        assert main([*arguments, "--repeats", "4", "--predictions", str(full_disk / f"p.{suffix}")]) == 2
        out, err = capsys.readouterr()
        assert f"p.{suffix}` cannot be written" in err
        assert (err.count("\n"), out) == (1, "")
        assert list(full_disk.iterdir()) == []
    with pytest.raises(OSError, match="No space"), (full_disk / "filler").open("wb", buffering=0) as filler:
        for _ in range(100):
            filler.write(b"x" * 4096)
    full = [str(full_disk / "r.json") if word == "r.json" else word for word in arguments[:-2]]
    assert main([*full, "--repeats", "1", "--strategies", "none", "--predictions", "good.csv"]) == 2
    assert not Path("good.csv").exists()  # both files, or none


@pytest.mark.parametrize(
    ("decisions", "proposed", "other"),
    [("hired rejected", "hired", "rejected"), ("Denied Approved", "Approved", "Denied")],
)
def test_the_example_of_a_positive_value_is_the_good_one(decisions, proposed, other):
    y = decisions.split() * 5
    for call in (
        lambda: fl.audit(None, y, sensitive_features={"s": ["a", "b"] * 5}),
        lambda: fl.audit(y, y, sensitive_features={"s": ["a", "b"] * 5}),
    ):
        with pytest.raises(fl.InputError) as raised:
            call()
        example = str(raised.value).partition("as in ")[2]
        assert proposed in example
        assert other not in example


def test_two_values_of_which_none_is_known_as_good_are_both_named():
    with pytest.raises(fl.InputError) as raised:
        fl.audit(None, ["x", "z"] * 5, sensitive_features={"s": ["a", "b"] * 5})
    assert "--positive-prediction x or --positive-prediction z" in str(raised.value)


@pytest.mark.parametrize("named", ["1", "True", "true", " TRUE", 1, True])
def test_a_boolean_positive_value_may_be_a_number(named):
    p, s = [True, False, True, True], {"s": ["a", "b"] * 2}
    assert fl.audit(None, p, sensitive_features=s, positive_prediction=named).positive is True


def test_written_names_that_are_too_long(capsys):
    name = "n" * 300
    refused(
        capsys,
        ["bench", "run", "--datasets", "diabetes", "--store", "s.db", "--json", f"{name}.json"],
        "too long",
    )
    main(["audit", write(), "--label", "y", "--prediction", "p", "--sensitive", "s", "--json", "a.json"])
    capsys.readouterr()
    refused(capsys, ["report", "a.json", "--figures", name], "too long")
