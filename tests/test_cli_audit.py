"""The audit command on folders, baselines, scores, periods, weights, small groups and missing attributes."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import fairlattice as fl
from fairlattice.cli import main

COMMON = ["--label", "hired", "--prediction", "p", "--sensitive", "sex", "race", "age:25,45"]


@pytest.fixture
def rows(scored):
    rng = np.random.default_rng(1)
    n = scored.height
    return scored.with_columns(
        pl.Series("score", np.clip(scored["p"].to_numpy() * 0.5 + rng.random(n) * 0.5, 0, 1)),
        pl.Series("month", np.sort(rng.integers(1, 5, n))),
        pl.Series("w", rng.integers(1, 4, n)),
    )


@pytest.fixture
def table(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows.write_csv("t.csv")
    return "t.csv"


def summary_of(*arguments, code=0):
    assert main(["audit", *arguments, *COMMON, "--json", "out.json"]) == code
    return json.loads(Path("out.json").read_text(encoding="utf-8"))


def test_a_folder_of_parquet_gives_the_numbers_of_the_whole_table(table, rows, tmp_path, capsys):
    (tmp_path / "parts" / "deep").mkdir(parents=True)
    rows[::2].write_parquet(tmp_path / "parts" / "a.parquet")
    rows[1::2].write_parquet(tmp_path / "parts" / "deep" / "b.parquet")
    whole, parts = summary_of(table), summary_of("parts")
    for key in ("measures", "notions", "pairs", "n", "worse_off", "claims", "levels"):
        assert whole[key] == parts[key]
    assert parts["data"]["name"] == "parts"
    assert len(parts["data"]["sha256"]) == 64


def test_folders_named_after_a_column_are_that_column(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for month in rows["month"].unique():
        (tmp_path / "d" / f"month={month}").mkdir(parents=True)
        part = rows.filter(pl.col("month") == month).drop("month")
        part.write_parquet(tmp_path / "d" / f"month={month}" / "part.parquet")
    assert len(summary_of("d", "--by", "month")["series"]["periods"]) == 4


def test_folders_without_parquet_and_broken_parts_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["audit", "empty", *COMMON]) == 2
    assert "folder without Parquet files" in capsys.readouterr().err
    (tmp_path / "empty" / "a.parquet").write_bytes(b"PAR1 nothing of the kind")
    assert main(["audit", "empty", *COMMON]) == 2
    err = capsys.readouterr().err
    assert "cannot be read as PARQUET" in err
    assert err.count("\n") == 1


def test_disparities_come_corrected_with_interval_and_p_value(table):
    found = summary_of(table)
    audit = found["measures"]["tpr"]["df"]
    assert audit["low"] <= audit["corrected"] <= audit["high"]
    assert audit["low"] <= audit["value"] <= audit["high"]
    assert 0 <= audit["p_value"] <= 1
    for g in found["measures"]["tpr"]["by_group"]:
        assert g["pooled"]["low"] <= g["pooled"]["rate"] <= g["pooled"]["high"]


def test_a_baseline_is_compared_on_the_rows_where_the_models_differ(table, rows, capsys):
    found = summary_of(table, "--baseline", "q")["leveling_down"]
    expected = fl.leveling_down(
        rows["hired"],
        rows["q"],
        rows["p"],
        sensitive_features=rows.select("sex", "race", "age"),
        cuts={"age": [25, 45]},
    )
    assert found["verdict"] == expected.verdict
    assert [c["difference"]["value"] for c in found["groups"]] == [c.difference for c in expected.changes]
    assert "eveling down against the baseline" in capsys.readouterr().out


def test_scores_and_periods_and_counts_are_in_the_output(table, rows, capsys):
    found = summary_of(table, "--score", "score", "--by", "month", "--counts", "counts.json")
    assert sum(s["n"] for s in found["scores"]) == rows.height
    assert [p["period"] for p in found["series"]["periods"]] == [1, 2, 3, 4]
    assert sum(p["n"] for p in found["series"]["periods"]) == rows.height
    assert fl.GroupCounts.from_json("counts.json").n == rows.height
    assert "equalized odds over time" in capsys.readouterr().out


def test_weights_change_the_rates_and_not_the_rows(table, rows):
    plain, weighted = summary_of(table), summary_of(table, "--weight", "w")
    assert plain["n"] == weighted["n"] == rows.height
    assert weighted["weighted"]
    positives = rows.filter(pl.col("hired") == 1)
    right = (positives["p"] * positives["w"]).sum() / positives["w"].sum()
    sensitive = {"all": ["everyone"] * rows.height}
    audit = fl.audit(rows["hired"], rows["p"], sensitive_features=sensitive, sample_weight=rows["w"])
    assert audit.overall("tpr").rate == pytest.approx(right)
    assert plain["measures"]["tpr"]["df"]["value"] != weighted["measures"]["tpr"]["df"]["value"]


@pytest.mark.parametrize("how", ["warn", "merge", "drop"])
def test_what_became_of_small_groups_is_in_the_output(table, how, capsys):
    found = summary_of(table, "--min-size", "40", "--on-small", how)
    actions = {s["action"] for s in found["small_groups"]}
    assert actions == {{"warn": "kept", "merge": "merged", "drop": "dropped"}[how]}
    groups = [g["group"] for g in found["measures"]["accuracy"]["by_group"]]
    if how != "warn":
        assert all(g["n"] >= 40 for g in found["measures"]["accuracy"]["by_group"])
    if how == "merge":
        assert all(s["into"] in groups for s in found["small_groups"])
    assert "fewer than 40 rows" in " ".join(capsys.readouterr().out.split())


def test_small_groups_can_be_refused(table, capsys):
    assert main(["audit", table, *COMMON, "--min-size", "40", "--on-small", "raise"]) == 2
    assert "fewer than 40 rows" in capsys.readouterr().err


def test_rows_with_missing_attributes_can_be_left_out_and_counted(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    holes = rows.with_columns(
        pl.when(pl.int_range(pl.len()) < 30).then(None).otherwise(pl.col("sex")).alias("sex")
    )
    holes.write_parquet("t.parquet")
    found = summary_of("t.parquet", "--missing", "exclude")
    assert (found["excluded"], found["n"], found["data"]["rows"]) == (30, rows.height - 30, rows.height)
    assert "left out because an attribute is missing: 30" in " ".join(capsys.readouterr().out.split())
    assert main(["audit", "t.parquet", *COMMON, "--missing", "raise"]) == 2


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--baseline", "q", "--weight", "w"], "Leave out --weight"),
        (["--on-small", "mrge"], "Did you mean 'merge'"),
        (["--missing", "skip"], "`missing` must be one of"),
        (["--interval", "wald"], "`interval` must be one of"),
        (["--confidence", "95"], "`confidence` must lie in (0, 1)"),
        (["--score", "skill"], "outside [0, 1]"),
        (["--by", "sex"], "sex"),
        (["--weight", "job"], "must be numeric"),
        (["--score", "job"], "must be numeric"),
        (["--by", "mnth"], "Did you mean 'month'"),
        (["--min-size", "-1"], "`min_size` must be a whole number"),
        (["--min-size", "9999", "--on-small", "drop"], "none is left"),
        (["--counts", "t.csv"], "is the input file"),
    ],
)
def test_bad_options_are_refused_in_one_line_and_write_nothing(table, extra, words, capsys, tmp_path):
    before = sorted(p.name for p in tmp_path.iterdir())
    assert main(["audit", table, *COMMON, *extra, "--json", "out.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_the_gate_falls_on_a_loss_that_pairs_of_predictions_prove(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    n = 400
    y = np.append(np.ones(2 * n, dtype=int), [0, 0])
    before = np.concatenate([np.arange(n) < 0.6 * n, np.arange(n) < 0.9 * n, [0, 0]]).astype(int)
    after = np.concatenate([np.arange(n) < 0.55 * n, np.arange(n) < 0.6 * n, [0, 0]]).astype(int)
    frame = pl.DataFrame({"y": y, "b": before, "a": after, "s": ["x"] * n + ["z"] * n + ["x", "z"]})
    frame.write_csv("t.csv")
    options = ["--label", "y", "--prediction", "a", "--baseline", "b", "--sensitive", "s"]
    assert main(["audit", "t.csv", *options, "--fail-on-leveling-down"]) == 1
    assert "leveling down" in capsys.readouterr().err


def refused(capsys, *arguments):
    """The one line that the command refuses with."""
    assert main(["audit", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_parts_by_any_suffix_are_read_and_those_of_unfinished_jobs_are_not(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("parts/deep", "parts/_temporary/0", "parts/.trash"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.PARQUET", "deep/b.pq", "_temporary/0/c.parquet", ".trash/d.parquet", "_e.parquet"):
        rows.write_parquet(tmp_path / "parts" / name)
    (tmp_path / "parts" / "deep" / "again").symlink_to(tmp_path / "parts")  # a loop
    assert summary_of("parts")["n"] == 2 * rows.height


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (
            lambda r: r.with_columns(pl.col("p").cast(pl.Int8)),
            "column `p` is Int8 in `parts/b.parquet`, but Int64",
        ),
        (lambda r: r.drop("p"), "column `p` is absent in `parts/b.parquet`"),
        (lambda r: r.with_columns(extra=1), "column `extra` is Int32 in `parts/b.parquet`, but absent"),
    ],
)
def test_parts_that_differ_are_named(rows, tmp_path, monkeypatch, capsys, change, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    rows.write_parquet("parts/a.parquet")
    change(rows).write_parquet("parts/b.parquet")
    assert word in refused(capsys, "parts", *COMMON)


def test_parts_that_lead_nowhere_are_refused(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    rows.write_parquet("parts/a.parquet")
    (tmp_path / "parts" / "b.parquet").symlink_to("nowhere")
    assert "`parts/b.parquet` is not there" in refused(capsys, "parts", *COMMON)


def test_a_column_plays_one_part(table, capsys):
    assert "--prediction and --baseline both name `p`" in refused(capsys, table, *COMMON, "--baseline", "p")
    assert "--label and --by both name `hired`" in refused(capsys, table, *COMMON, "--by", "hired")
    assert "Column `sex` cannot be" in refused(capsys, table, *COMMON, "--by", "sex")
    assert "Column `race` cannot be" in refused(capsys, table, *COMMON, "--weight", "race")


def test_periods_are_in_the_order_of_time(rows, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    months = pl.format("2024-{}", pl.col("month") + 7)
    rows.with_columns(
        when=pl.format("{}/05/2024", pl.col("month") + 1),
        kept=months.cast(pl.Enum([f"2024-{m}" for m in range(11, 7, -1)])),
    ).write_parquet("t.parquet")
    assert main(["audit", "t.parquet", *COMMON, "--by", "when"]) == 0  # day or month: the same order
    capsys.readouterr()
    assert (
        main(["audit", "t.parquet", *COMMON, "--by", "kept", "--json", "j.json"]) == 0
    )  # an order of its own
    periods = json.loads(Path("j.json").read_text())["series"]["periods"]
    assert [p["period"] for p in periods] == [f"2024-{m}" for m in range(11, 7, -1)]


def test_names_that_are_patterns_are_names_and_weights_out_of_range_are_refused(
    rows, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    rows.rename({"sex": "*"}).with_columns(tiny=1e-200, huge=1e200).write_parquet("t.parquet")
    star = ["t.parquet", "--label", "hired", "--prediction", "p", "--sensitive"]
    assert main(["audit", *star, "*"]) == 0
    capsys.readouterr()
    for name in ("tiny", "huge"):
        assert f"Weights `{name}` must be 0, or lie between" in refused(
            capsys, *star, "race", "--weight", name
        )


def test_the_command_line_names_its_options_and_python_its_parameters(table, rows, capsys):
    assert main(["audit", table, *COMMON]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "set --notion)" in shown and "set --favourable)" in shown
    found = fl.audit(rows["hired"], rows["p"], sensitive_features=rows.select("sex", "race"))
    assert "set notion)" in repr(found) and "hired = 1" in repr(found) and "p = 1" in repr(found)


def test_a_column_of_scores_as_predictions_is_refused_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    n = 1200
    decimal_commas = [f"0,{i:04}" for i in range(n)]
    frame = pl.DataFrame(
        {"sex": ["f", "m"] * (n // 2), "y": ["yes", "no"] * (n // 2), "chance": decimal_commas}
    )
    frame.write_csv("s.csv", separator=";")
    assert main(["audit", "s.csv", "--label", "y", "--prediction", "chance", "--sensitive", "sex"]) == 2
    err = capsys.readouterr().err
    assert "`chance`" in err and "--prediction" in err and "--score" in err and err.count("\n") == 1


def test_gates_are_on_the_page_and_in_a_file_of_the_published_schema(table, capsys):
    gates = ["--baseline", "q", "--fail-on-harm", "--gate-json", "gate.json", "--fail-above", "df=9,if=0.01"]
    assert main(["audit", table, *COMMON, *gates, "--report", "r.html", "--json", "r.json"]) == 1
    page = Path("r.html").read_text(encoding="utf-8")
    assert 'id="table-gates"' in page and "if.corrected&gt;0.01" in page
    assert (
        json.loads(Path("r.json").read_text())["gates"] == json.loads(Path("gate.json").read_text())["gates"]
    )
    assert "gates" not in summary_of(table)
    text = Path("gate.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert "-0.0" not in text and [g["limit"] for g in found["gates"]] == [9.0, 0.01, 0.0]
    schema = json.loads((Path(__file__).parents[1] / "docs" / "schemas" / "gate-1.json").read_text())
    assert set(found) == set(schema["required"]) and found["schema"] == schema["title"]
    assert all(set(g) == set(schema["$defs"]["Gate"]["required"]) for g in found["gates"])
