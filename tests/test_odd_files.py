"""Files that programs write in their own way: what is read, what is refused, and that every command reads the same."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

import fairlattice as fl
from fairlattice._validation import as_column
from fairlattice.cli import main
from fairlattice.cli._tables import read_table, scan_rows
from fairlattice.tables._shared import collected

HEADER = ["hired", "pred", "sex", "age"]
AUDIT = ["--label", "hired", "--prediction", "pred", "--sensitive", "sex"]
AUGMENT = ["--label", "hired", "--sensitive", "sex"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def people(n=60):
    return [[str(i % 2), str(i % 3 % 2), "fm"[i % 5 % 2], str(20 + i * 7 % 40)] for i in range(n)]


def lines(rows, separator=","):
    return [separator.join(row) for row in rows]


def run(*arguments, code=0):
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        assert main([str(a) for a in arguments]) == code, printed.getvalue()
    return printed.getvalue()


def audited(name):
    run("audit", name, *AUDIT, "--json", "a.json")
    return json.loads(Path("a.json").read_text())


PLAIN = lines([HEADER, *people()])
EMPTY_LINES = {
    "last": [*PLAIN, ""],
    "several last": [*PLAIN, "", "", ""],
    "below the header": [PLAIN[0], "", *PLAIN[1:]],
    "between rows": [*PLAIN[:30], "", "", *PLAIN[30:]],
    "above the header": ["", *PLAIN, ""],
    "all quoted": ['"' + line.replace(",", '","') + '"' for line in PLAIN[:9]] + ["", *PLAIN[9:]],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("case", EMPTY_LINES)
class TestEmptyLines:
    def test_both_ways_of_reading_leave_them_out(self, case, end):
        Path("plain.csv").write_text("\n".join(PLAIN) + "\n")
        Path("t.csv").write_bytes((end.join(EMPTY_LINES[case]) + end).encode())
        expected = read_table(Path("plain.csv"))
        with pytest.warns(
            fl.exceptions.AssumptionWarning, match=r"empty lines left out: [1-3] \(first in line"
        ):
            at_once = read_table(Path("t.csv"))
        with pytest.warns(fl.exceptions.AssumptionWarning, match="empty lines left out"):
            in_pieces = scan_rows(Path("t.csv")).collect()
        assert at_once.equals(expected)
        assert in_pieces.equals(expected)

    def test_commands_count_the_people_alone(self, case, end):
        Path("t.csv").write_bytes((end.join(EMPTY_LINES[case]) + end).encode())
        found = audited("t.csv")
        assert found["n"] == 60
        assert any("empty lines left out" in note for note in found["data"]["assumed"])
        written = []
        for more in ([], ["--stream"]):
            run("augment", "t.csv", *AUGMENT, "--out", "o.csv", *more)
            out = pl.read_csv("o.csv").filter(~pl.col("fairlattice_synthetic"))
            written.append(out.select(HEADER).rows())
        assert written[0] == written[1] == [(int(y), int(p), s, int(a)) for y, p, s, a in people()]


def test_an_empty_line_within_quotes_is_part_of_a_value():
    Path("t.csv").write_text('a,b\n1,"x\n\ny"\n\n2,z\n')
    with pytest.warns(fl.exceptions.AssumptionWarning, match=r"left out: 1 \(first in line 5\)"):
        assert read_table(Path("t.csv")).rows() == [(1, "x\n\ny"), (2, "z")]


def test_a_row_of_separators_is_a_row_of_missing_values():
    Path("t.csv").write_text("a,b\n1,x\n,\n\n2,z\n")
    with pytest.warns(fl.exceptions.AssumptionWarning, match=r"left out: 1 \(first in line 4\)"):
        assert read_table(Path("t.csv")).rows() == [(1, "x"), (None, None), (2, "z")]


def test_an_empty_line_of_a_single_column_is_a_missing_value():
    Path("t.csv").write_text("a\n1\n\n2\n")
    assert (
        read_table(Path("t.csv")).rows() == scan_rows(Path("t.csv")).collect().rows() == [(1,), (None,), (2,)]
    )


class TestSeparators:
    def test_a_name_may_hold_a_comma_where_semicolons_separate(self):
        Path("t.csv").write_text("\n".join(['hired;pred;sex;"age, years"', *lines(people(), ";")]) + "\n")
        assert read_semicolons("t.csv").columns == ["hired", "pred", "sex", "age, years"]
        assert audited("t.csv")["n"] == 60

    def test_values_may_hold_commas_too(self):
        rows = [[*row[:3], f'"{row[3]},5"'] for row in people()]
        Path("t.csv").write_text("\n".join(['hired;pred;sex;"age, years"', *lines(rows, ";")]) + "\n")
        assert read_semicolons("t.csv")["age, years"][0] == "20,5"

    def test_a_name_may_hold_a_semicolon_where_commas_separate(self):
        Path("t.csv").write_text("\n".join(["hired,pred,sex,age; years", *lines(people())]) + "\n")
        assert read_table(Path("t.csv")).columns == ["hired", "pred", "sex", "age; years"]

    def test_short_rows_do_not_change_the_separator(self):
        Path("t.csv").write_text("a;x,b,c\n1,2\n3,4\n")
        with pytest.warns(fl.exceptions.AssumptionWarning, match="2 rows have fewer than 3 values"):
            assert read_table(Path("t.csv")).columns == ["a;x", "b", "c"]

    def test_a_header_may_begin_with_a_number_sign(self):
        rows = [f'{i},"Smith, J",{",".join(row)}' for i, row in enumerate(people())]
        Path("t.csv").write_text("\n".join(["#id,name,hired,pred,sex,age", *rows]) + "\n")
        assert read_table(Path("t.csv")).columns == ["#id", "name", *HEADER]


def read_semicolons(name):
    with pytest.warns(fl.exceptions.AssumptionWarning, match="values are separated by ;"):
        return read_table(Path(name))


@pytest.mark.parametrize("row", [1, 30_000])
def test_a_zero_byte_is_refused_wherever_it_is(row):
    table = lines([HEADER, *people(40_000)])
    table[row] = table[row].replace("f", "f\x00x").replace("m", "m\x00x")
    Path("t.csv").write_text("\n".join(table) + "\n")
    for command in (["audit", "t.csv", *AUDIT], ["augment", "t.csv", *AUGMENT, "--out", "o.csv", "--stream"]):
        printed = run(*command, code=2)
        assert "binary data" in printed
        assert (f"line {row + 1:,}" in printed) == (row > 1)
    assert not Path("o.csv").exists()


@pytest.mark.parametrize("command", ["audit", "augment", "compare", "diagnose"])
def test_every_command_takes_a_hundred_levels(command):
    roles = AUDIT[:-1] if command == "audit" else AUGMENT[:-1]
    table = [[*row[:3], str(i % 101)] for i, row in enumerate(people(1010))]
    Path("t.csv").write_text("\n".join(lines([[*HEADER[:3], "town"], *table])) + "\n")
    printed = run(
        command, "t.csv", *roles, "town", *(["--out", "o.csv"] if command == "augment" else []), code=2
    )
    assert "Attribute `town` has 101 levels, of which at most 100 can be compared" in printed


@pytest.mark.parametrize("estimator", [fl.HierarchicalAugmenter(), fl.FairClassifier(LogisticRegression())])
def test_estimators_take_a_hundred_levels(estimator):
    features = pl.DataFrame({"x": [float(i) for i in range(404)]})
    with pytest.raises(fl.exceptions.InputError, match="has 101 levels, of which at most 100"):
        estimator.fit(features, [0, 1] * 202, sensitive_features=[f"t{i % 101}" for i in range(404)])


class TestArrow:
    def test_streams_and_the_first_feather_format_are_refused_by_name(self):
        table = pl.DataFrame(people(), schema=HEADER, orient="row")
        table.write_ipc_stream("t.arrow")
        assert "is an Arrow stream, not an Arrow file" in run("audit", "t.arrow", *AUDIT, code=2)
        Path("t.feather").write_bytes(b"FEA1" + bytes(60))
        assert "version 1 of the Feather format" in run("audit", "t.feather", *AUDIT, code=2)

    @pytest.mark.parametrize("more", [[], ["--stream"]])
    def test_a_type_that_the_engine_lacks_is_named_in_one_line(self, more):
        table = pl.DataFrame(people(), schema=HEADER, orient="row").to_arrow()
        spans = pa.array([(1, 2, 3)] * 60, pa.month_day_nano_interval())
        table = table.append_column("span", spans)
        with pa.ipc.new_file("t.arrow", table.schema) as writer:
            writer.write_table(table)
        command = [
            sys.executable,
            "-m",
            "fairlattice",
            "augment",
            "t.arrow",
            *AUGMENT,
            "--out",
            "o.arrow",
            *more,
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False
        )  # the engine prints to file 2
        assert done.returncode == 2
        printed = done.stderr
        assert "cannot be read as" in printed
        assert "month_day_nano_interval" in printed
        assert printed.count("\n") == 1


def test_numbers_of_half_precision_are_numbers():
    halves = np.arange(60).astype(np.float16) % 17
    for column in (halves, pl.Series(halves), pd.Series(halves)):
        encoder = fl.TableEncoder().fit(
            pl.DataFrame({"h": column}) if isinstance(column, pl.Series) else {"h": column}
        )
        assert encoder.get_feature_names_out().tolist() == ["h"]
        assert as_column(column, "h").values.tolist() == halves.tolist()
    pl.DataFrame(people(), schema=HEADER, orient="row").with_columns(h=pl.Series(halves)).write_parquet(
        "t.parquet"
    )
    run("augment", "t.parquet", *AUGMENT, "--out", "o.parquet")
    assert pl.read_parquet("o.parquet")["h"].dtype == pl.Float16


@pytest.mark.parametrize("level", ["(missing)", "None"])
def test_a_missing_level_is_a_reference_by_the_name_that_is_shown(level):
    rows = [[y, p, "" if i % 5 else s, a] for i, (y, p, s, a) in enumerate(people())]
    Path("t.csv").write_text("\n".join(lines([HEADER, *rows])) + "\n")
    run("audit", "t.csv", *AUDIT, "--reference", f"sex={level}", "--json", "a.json")
    found = json.loads(Path("a.json").read_text())
    assert found["impact_ratios"]["reference"] == {"sex": None}


class TestWords:
    @pytest.mark.parametrize("more", [[], ["--stream"]])
    def test_a_missing_label_is_one_of_its_column(self, more):
        Path("t.csv").write_text("\n".join([*PLAIN, "  "]) + "\n")
        printed = run("augment", "t.csv", *AUGMENT, "--out", "o.csv", *more, code=2)
        assert "`hired` has 1 missing values of 61" in printed

    def test_a_value_that_is_not_a_number_is_named(self):
        table = [[*row[:3], "65+" if i in (7, 9) else row[3]] for i, row in enumerate(people())]
        Path("t.csv").write_text("\n".join(lines([HEADER, *table])) + "\n")
        printed = run("audit", "t.csv", *AUDIT, "age:30,50", code=2)
        assert "`age` is cut at numbers, but '65+' is not one (2 such values)" in printed

    def test_a_table_that_is_too_small_names_the_option(self):
        Path("t.csv").write_text("\n".join(PLAIN[:3]) + "\n")
        assert "(--held-out)" in run("diagnose", "t.csv", *AUGMENT, code=2)


def test_a_baseline_whose_predictions_are_never_labels_is_refused():
    table = [[*row, "7"] for row in people()]
    Path("t.csv").write_text("\n".join(lines([[*HEADER, "old"], *table])) + "\n")
    printed = run("audit", "t.csv", *AUDIT, "--baseline", "old", code=2)
    assert "No prediction is a label: `hired` holds [0, 1], `old` holds [7]" in printed


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("shift", range(4))
def test_an_empty_line_is_found_where_two_blocks_meet(end, shift):
    filler = b"1," + b"x" * (2**20 - 6 - shift - len(end))  # the file is searched in blocks of 2**20 bytes
    Path("t.csv").write_bytes(b"a,b" + end + filler + end + end + b"2,y" + end)
    with pytest.warns(fl.exceptions.AssumptionWarning, match=r"empty lines left out: 1 \(first in line 3\)"):
        assert read_table(Path("t.csv")).height == 2


@pytest.mark.parametrize("separator", [";", "|", ","])
@pytest.mark.parametrize("name", ["sex", "#sex"])
def test_comments_and_headers_that_begin_with_a_hash_are_distinguished_whatever_separates(separator, name):
    header, rows = [name, "hired", "pay"], [["f", "1", "3"], ["m", "0", "4"]]
    text = "".join(f"{line}\n" for line in lines([header, *rows], separator))
    Path("t.csv").write_text(text if name[0] == "#" else f"# made by a program\n{text}")
    with collected():
        frame = read_table(Path("t.csv"))
    assert frame.columns == header and frame.height == 2
