"""The command line: what it prints and writes, and exit codes."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest

import fairlattice as fl
from fairlattice.cli import main
from fairlattice.cli._background import BackgroundCall
from fairlattice.report import Report

SENSITIVE = ["--sensitive", "sex", "race", "age:30,60"]
FEW = ["--sensitive", "sex", "race"]  # six groups instead of eighteen, a third of the mixings to fit
QUICK = ["--repeats", "2", "--jobs", "1", "--per-cell", "40"]


@pytest.fixture
def table(scored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scored.write_csv("t.csv")
    return "t.csv"


def test_audit_writes_what_it_prints(table, capsys):
    code = main(["audit", table, "--label", "hired", "--prediction", "p", *SENSITIVE, "--json", "a.json"])
    out = capsys.readouterr()
    assert (code, out.err) == (0, "")
    assert all(len(line) <= 80 for line in out.out.splitlines())
    summary = json.loads(Path("a.json").read_text())
    assert summary["schema"] == "fairlattice/audit/2"
    for rate in ("tpr", "tnr", "accuracy", "selection_rate"):
        m = summary["measures"][rate]
        for kind in ("df", "if"):
            assert m[kind]["low"] <= m[kind]["value"] <= m[kind]["high"]
        assert m["worst"]["value"] <= m["best"]["value"]
        assert len(m["by_group"]) == 18
    first = summary["pairs"][0]
    assert first["df"] == pytest.approx(summary["measures"]["tpr"]["df"]["value"])
    assert first["worse"] == summary["measures"]["tpr"]["worst"]["group"]
    printed = " ".join(out.out.split())
    for verdict in summary["verdicts"]:
        assert " ".join(verdict["sentence"].split()) in printed.replace("• ", "")


def test_json_to_standard_output_is_json_alone(table, capsys):
    arguments = ["audit", table, "--label", "hired", "--prediction", "p", *SENSITIVE]
    assert main([*arguments, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 900


def test_sensitive_may_be_repeated_and_formats_are_told_by_suffix(scored, tmp_path, capsys):
    found = set()
    for suffix, write in {
        "csv": scored.write_csv,
        "tsv": lambda p: scored.write_csv(p, separator="\t"),
        "parquet": scored.write_parquet,
        "arrow": scored.write_ipc,
        "feather": scored.write_ipc,
    }.items():
        path = tmp_path / f"t.{suffix}"
        write(path)
        arguments = ["audit", str(path), "--label", "hired", "--prediction", "p", "--sensitive", "sex"]
        assert main([*arguments, "--sensitive", "race", "--json", "-"]) == 0
        found.add(json.dumps(json.loads(capsys.readouterr().out)["measures"]))
    assert len(found) == 1


def test_gates(table, capsys):
    arguments = ["audit", table, "--label", "hired", "--prediction", "p", *SENSITIVE]
    assert main([*arguments, "--fail-above", "df=9,if=0.99"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--fail-above", "df=0.01,if=0.99"]) == 1
    assert re.search(r"gate fell: df [\d.]+ is above 0.01 \(corrected\)\.", capsys.readouterr().err)
    assert main([*arguments, "--baseline", "q", "--fail-on-leveling-down"]) == 0


def test_the_leveling_gate_of_audit(tmp_path, capsys):
    n = 2000
    frame = pl.DataFrame(
        {"y": [1] * 2 * n + [0, 0], "s": ["a"] * n + ["b"] * n + ["a", "b"]}
    ).with_row_index()
    within = pl.col("index") % n
    fair = frame.with_columns(
        before=pl.when(pl.col("s") == "a").then(within < 1200).otherwise(within < 1800).cast(int),
        after=(within < 1000).cast(int),
    )
    fair.write_parquet(tmp_path / "t.parquet")
    arguments = [
        "audit",
        str(tmp_path / "t.parquet"),
        "--label",
        "y",
        "--prediction",
        "after",
        "--sensitive",
        "s",
    ]
    assert (
        main([*arguments, "--baseline", "before", "--fail-on-leveling-down", "--json", str(tmp_path / "r")])
        == 1
    )
    assert "leveling down" in capsys.readouterr().err
    assert json.loads((tmp_path / "r").read_text())["leveling_down"]["verdict"] == "yes"


def test_audit_of_forty_classes(tmp_path, capsys):
    frame = pl.DataFrame({"y": [i % 40 for i in range(400)], "s": ["a", "b"] * 200})
    frame.with_columns(p=pl.col("y").shuffle(seed=0)).write_csv(tmp_path / "t.csv")
    arguments = ["audit", str(tmp_path / "t.csv"), "--label", "y", "--prediction", "p", "--sensitive", "s"]
    assert main([*arguments, "--json", str(tmp_path / "r.json")]) == 0
    summary = json.loads((tmp_path / "r.json").read_text())
    assert len(summary["measures"]) == 41
    assert summary["data"]["positive"] is None


def test_compare_prints_a_table_of_eighty_columns_and_no_bar(table, capsys):
    code = main(["compare", table, "--label", "hired", *SENSITIVE, *QUICK, "--drop", "p", "q"])
    out = capsys.readouterr()
    assert code == 0
    assert out.err == ""
    assert all(len(line) <= 80 for line in out.out.splitlines())
    for word in (
        "none",
        "label",
        "equal",
        "smote",
        "parents",
        "paper",
        "augment",
        "tuned",
        "FairClassifier(",
    ):
        assert word in out.out


def test_compare_same_seed_same_bytes_of_json(table, two_threads):
    arguments = ["compare", table, "--label", "hired", *FEW, "--repeats", "2", "--per-cell", "40"]
    for jobs in ("1", "2"):
        written = ["--json", f"r{jobs}.json", "--predictions", f"p{jobs}.parquet"]
        assert main([*arguments, "--jobs", jobs, *written]) == 0
    assert Path("r1.json").read_text() == Path("r2.json").read_text()
    assert pl.read_parquet("p1.parquet").equals(pl.read_parquet("p2.parquet"))


def test_text_labels_need_a_positive_one(table, capsys):
    frame = pl.read_csv(table).with_columns(
        hired=pl.when(pl.col("hired") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    frame.write_csv("text.csv")
    arguments = ["compare", "text.csv", "--label", "hired", *SENSITIVE, *QUICK, "--strategies", "none,equal"]
    assert main(arguments) == 2
    assert "--positive" in capsys.readouterr().err
    assert main([*arguments, "--positive", "yes", "--json", "r.json", "--predictions", "p.csv"]) == 0
    assert json.loads(Path("r.json").read_text())["data"]["classes"] == ["no", "yes"]
    assert set(pl.read_csv("p.csv")["y_pred"]) <= {"yes", "no"}


def test_missing_levels_are_null_in_json_and_predictions(scored, tmp_path):
    holes = scored.with_columns(race=pl.when(pl.col("race") == "a").then(None).otherwise(pl.col("race")))
    holes.write_parquet(tmp_path / "t.parquet")
    out = [str(tmp_path / name) for name in ("r.json", "p.parquet")]
    arguments = ["compare", str(tmp_path / "t.parquet"), "--label", "hired", *SENSITIVE, *QUICK]
    assert main([*arguments, "--strategies", "none", "--json", out[0], "--predictions", out[1]]) == 0
    levels = {
        g["group"]["race"] for g in json.loads(Path(out[0]).read_text())["strategies"][0]["by_group"]["tpr"]
    }
    assert levels == {None, "b", "c"} == set(pl.read_parquet(out[1])["race"].unique())


@pytest.mark.parametrize("mixing", ["importance", "scalar", "smote"])
def test_augment_keeps_the_table_and_marks_what_is_new(table, capsys, mixing):
    before = Path(table).read_bytes()
    roles = ["--label", "hired", *SENSITIVE, "--drop", "p", "q"]
    assert main(["augment", table, *roles, "--out", "more.csv", "--mixing", mixing]) == 0
    assert Path(table).read_bytes() == before
    old, new = pl.read_csv(table), pl.read_csv("more.csv")
    assert new.columns == [*old.columns, "fairlattice_synthetic", "fairlattice_parents"]
    assert new.head(old.height).select(old.columns).equals(old)
    made = new.tail(new.height - old.height)
    assert new.height == 900 + int(
        re.search(r"and ([\d,]+) synthetic", capsys.readouterr().out)[1].replace(",", "")
    )
    assert made["fairlattice_synthetic"].all()
    assert not new.head(900)["fairlattice_synthetic"].any()
    assert made["p"].null_count() == made.height
    assert set(made["job"]) <= set(old["job"])
    banded = new.with_columns(band=(pl.col("age") >= 30).cast(int) + (pl.col("age") >= 60).cast(int))
    assert banded.group_by("sex", "race", "band", "hired").len()["len"].n_unique() == 1
    if mixing == "smote":  # it reports no source rows
        assert made["fairlattice_parents"].null_count() == made.height
        return
    for row in made.head(20).iter_rows(named=True):
        parents = old[[int(i) for i in row["fairlattice_parents"].split()]]
        assert (parents["hired"] == row["hired"]).all()
        if mixing == "scalar":
            assert parents.height == 3
            assert parents["race"][0] == row["race"]
            assert parents["sex"][1] == row["sex"]
        else:
            assert parents.height == 2
            assert parents["job"][0] == row["job"]


def test_augment_from_text_to_text_keeps_the_very_text(scored, tmp_path):
    rows = scored.with_columns(
        code=pl.format("00{}", pl.col("hours")), half=pl.format("{}.50", pl.col("hours"))
    )
    rows.write_csv(tmp_path / "t.csv", quote_style="always")
    arguments = [
        "augment",
        str(tmp_path / "t.csv"),
        "--label",
        "hired",
        *SENSITIVE,
        "--out",
        str(tmp_path / "o.csv"),
    ]
    assert main(arguments) == 0
    old, new = (pl.read_csv(tmp_path / name, infer_schema=False) for name in ("t.csv", "o.csv"))
    assert new.head(old.height).select(old.columns).equals(old)


def test_names_that_are_patterns_or_not_utf8_are_names(table, tmp_path, capsys):
    rows = pl.read_csv(table)
    rows.head(300).write_csv("data1.csv")
    for name in ("data[1].csv", "d*.csv", "a b.csv", os.fsdecode(b"caf\xe9.csv")):
        with Path(name).open("wb") as target:
            rows.head(700).write_csv(target)
        assert main(["audit", name, "--label", "hired", "--prediction", "p", "--sensitive", "sex"]) == 0
        assert "700 rows" in capsys.readouterr().out
        for more in ([], ["--stream"]):
            command = ["augment", name, "--label", "hired", "--sensitive", "sex", "--out", "o.csv", *more]
            assert main(command) == 0
            assert "700 original" in capsys.readouterr().out


def test_levels_that_look_like_markup_are_text(table, capsys):
    levels = ["[/x]", ":smile:", "[red]f", "<b>", "(missing)", None]
    rows = pl.read_csv(table).with_columns(sex=pl.Series([levels[i % 6] for i in range(900)]))
    rows.write_parquet("t.parquet")
    for command in (
        ["audit", "--prediction", "p"],
        ["compare", "--drop", "p", "q", *QUICK, "--strategies", "none"],
    ):
        assert main([command[0], "t.parquet", "--label", "hired", "--sensitive", "sex", *command[1:]]) == 0
        out = capsys.readouterr().out
        for level in ("[/x]", ":smile:", "[red]f", "<b>", "'(missing)'", "(missing)"):
            assert level in out


def test_dates_and_decimals_as_attributes_and_features(table, tmp_path, capsys):
    rows = pl.read_csv(table).with_columns(
        day=pl.Series(["2020-01-01", "2020-01-02", None] * 300).str.to_date(),
        money=pl.col("hours").cast(pl.Decimal(10, 2)),
    )
    rows.write_parquet("t.parquet")
    assert (
        main(
            [
                "audit",
                "t.parquet",
                "--label",
                "hired",
                "--prediction",
                "p",
                "--sensitive",
                "day",
                "--json",
                "-",
            ]
        )
        == 0
    )
    groups = json.loads(capsys.readouterr().out)["measures"]["tpr"]["by_group"]
    assert [g["group"]["day"] for g in groups] == ["2020-01-01", "2020-01-02", None]
    arguments = ["t.parquet", "--label", "hired", "--sensitive", "sex", "race", "--drop", "day"]
    assert main(["compare", *arguments, *QUICK, "--strategies", "none,augment"]) == 0
    code = main(["augment", *arguments, "--out", "o.parquet"])
    if code and int(pl.__version__.split(".")[0]) < 2:
        assert "`money` has type Decimal, of which no rows can be made" in capsys.readouterr().err
        return
    assert code == 0
    made = pl.read_parquet("o.parquet").tail(200)
    assert made.schema["money"] == rows.schema["money"]
    assert made["money"].n_unique() > 10


def test_a_link_is_followed_and_its_file_keeps_its_mode(table):
    Path("real.json").write_text("old")
    Path("real.json").chmod(0o600)
    Path("link.json").symlink_to("real.json")
    audit = ["audit", table, "--label", "hired", "--prediction", "p", "--sensitive", "sex"]
    assert main([*audit, "--json", "link.json"]) == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["n"] == 900
    assert Path("real.json").stat().st_mode & 0o777 == 0o600


def test_attributes_called_like_columns_of_the_predictions(table):
    rows = pl.read_csv(table).rename({"sex": "row", "race": "sensitive_row"})
    rows.write_csv("clash.csv")
    arguments = ["compare", "clash.csv", "--label", "hired", "--sensitive", "row", "sensitive_row", *QUICK]
    assert main([*arguments, "--strategies", "none", "--predictions", "p.csv"]) == 0
    found = pl.read_csv("p.csv")
    assert found.columns[6:] == ["sensitive_sensitive_row", "sensitive_row", "fold"]
    assert set(found["sensitive_sensitive_row"]) == {"f", "m"}


def test_text_that_is_nearly_all_numbers_is_told(table, capsys):
    text = pl.read_csv(table, infer_schema=False).with_columns(
        hours=pl.when(pl.int_range(900) == 5).then(pl.lit("many")).otherwise(pl.col("hours"))
    )
    text.write_csv("q.csv")
    assert main(["compare", "q.csv", "--label", "hired", *SENSITIVE, *QUICK, "--strategies", "none"]) == 0
    assert "Column `hours`: text, since 1 of its values, such as 'many'" in capsys.readouterr().err


def test_a_number_that_is_not_cut_is_told(table, capsys):
    for command in (["audit", "--prediction", "p"], ["compare", *QUICK, "--strategies", "none"]):
        assert main([command[0], table, "--label", "hired", "--sensitive", "age", *command[1:]]) == 0
        assert "Cut it into bands, as in age:25,45" in capsys.readouterr().err


def test_positive_labels_as_a_person_types_them(table):
    rows = pl.read_csv(table)
    audit = ["--label", "hired", "--prediction", "p", "--sensitive", "sex"]
    for dtype, word in ((pl.Float64, "1"), (pl.Boolean, "true")):
        rows.with_columns(pl.col("hired", "p").cast(dtype)).write_parquet("t.parquet")
        assert main(["audit", "t.parquet", *audit, "--positive", word]) == 0


def test_augment_options(table, capsys):
    arguments = ["augment", table, "--label", "hired", *FEW]
    assert main([*arguments, "--out", "a.parquet", "--per-cell", "30", "--no-origin", "--seed", "5"]) == 0
    assert main([*arguments, "--out", "b.parquet", "--per-cell", "30", "--no-origin", "--seed", "5"]) == 0
    first, second = pl.read_parquet("a.parquet"), pl.read_parquet("b.parquet")
    assert first.schema == pl.read_csv(table).schema
    assert first.equals(second)
    assert (
        main([*arguments, "--out", "c.csv", "--mixing", "diagonal", "--share", "cell", "--per-cell", "20"])
        == 0
    )
    capsys.readouterr()
    assert main(["augment", "c.csv", "--label", "hired", *FEW, "--out", "d.csv"]) == 2
    assert "augmented before" in capsys.readouterr().err


def test_demo_runs_the_main_job(capsys):
    assert main(["demo", "--repeats", "1", "--jobs", "1", "--strategies", "none,equal"]) == 0
    out = capsys.readouterr().out
    assert "30,000 people" in out
    assert "Take equal" in out
    assert "On your own table" in out


def test_demo_of_adult_offline_says_what_to_do(capsys, monkeypatch):
    def offline(*_, **__):
        raise OSError("Name or service not known")

    monkeypatch.setattr("fairlattice.datasets._adult.fetch_openml", offline)
    assert main(["demo", "--dataset", "adult"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--data-dir" in err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["audit", "--help"], ["compare", "--help"], ["augment", "--help"]]
)
def test_help(arguments, capsys):
    assert main(arguments) == 0
    assert "usage: fairlattice" in capsys.readouterr().out


def start_compare(table):
    arguments = ["--label", "hired", *SENSITIVE, "--repeats", "400", "--jobs", "2"]
    outputs = ["--json", "r.json", "--predictions", "p.parquet"]
    return subprocess.Popen(
        [sys.executable, "-m", "fairlattice", "compare", table, *arguments, *outputs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_begun(running):
    """Until NumPy is loaded, which is inside the command; before that Python itself is interrupted."""
    maps = Path(f"/proc/{running.pid}/maps")
    if not maps.exists():
        pytest.skip("cannot see here how far a process is: needs /proc")
    for _ in range(1000):
        if "_multiarray_umath" in maps.read_text():
            return
        time.sleep(0.01)


def wait_until_at_work(running):
    """Until joblib's workers are there: its tracker of resources, and the two processes asked for."""
    wait_until_begun(running)
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
    for _ in range(3000):
        if len(children.read_text().split()) >= 3:
            return
        time.sleep(0.01)


BEGUN, AT_WORK = wait_until_begun, wait_until_at_work


@pytest.mark.parametrize(
    ("until", "wait"),
    [*((BEGUN, wait) for wait in (0.0, 0.3, 0.6, 1.0, 1.5, 2.0)), (AT_WORK, 0.0), (AT_WORK, 1.0)],
)
def test_an_interruption_leaves_one_line_and_no_file(table, until, wait):
    before = sorted(Path().iterdir())
    running = start_compare(table)
    until(running)
    time.sleep(wait)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the command and to its workers
    try:
        out, err = running.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 2
    assert err in (
        f"fairlattice{command}: interrupted; nothing was written.\n" for command in ("", " compare")
    )
    assert out == ""
    assert sorted(Path().iterdir()) == before


def test_an_interruption_that_a_callback_swallows_is_heard_all_the_same():
    code = """if True:
        import os, signal, time, weakref
        from fairlattice.cli._interrupt import one_interrupt
        class Thing: pass
        thing = Thing()
        watched = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
        with one_interrupt():
            try:
                del thing
                time.sleep(20)
                print("unheard")
            except KeyboardInterrupt:
                print("heard", flush=True)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("heard\n", "")


def test_an_interruption_while_a_class_is_created_is_one_too(table, monkeypatch, capsys):
    class Slow:
        def __set_name__(self, owner, name):
            raise KeyboardInterrupt

    monkeypatch.setattr("fairlattice.cli._main.run", lambda *_: type("Late", (), {"part": Slow()}))
    assert main(["compare", table, "--label", "hired", "--sensitive", "sex"]) == 2
    assert capsys.readouterr().err == "fairlattice compare: interrupted; nothing was written.\n"
    with pytest.raises(RuntimeError) as caught:
        type("Late", (), {"part": Slow()})
    monkeypatch.setattr(
        "fairlattice.cli._main.run_command", Mock(side_effect=caught.value)
    )  # while modules load
    assert main([]) == 2
    assert capsys.readouterr().err == "fairlattice: interrupted; nothing was written.\n"


def test_many_interruptions_are_as_one(table):
    running = start_compare(table)
    wait_until_at_work(running)
    time.sleep(0.5)
    for _ in range(4):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(0.05)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err.count("\n")) == (2, 1), err


def test_a_polite_kill_takes_the_workers_along(table):
    running = start_compare(table)
    wait_until_at_work(running)
    time.sleep(0.5)
    running.terminate()
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err.count("\n")) == (2, 1), err
    with pytest.raises(ProcessLookupError):  # nobody of its group is left
        for _ in range(50):
            os.killpg(running.pid, 0)
            time.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_workers_end_with_a_parent_killed_before_it_hands_over_a_task():
    code = """if True:
        import joblib, os, signal
        from fairlattice.cli._interrupt import worker_processes
        class Deadly:
            def __reduce__(self):  # pickled when the workers have been started
                os.kill(os.getpid(), signal.SIGKILL)
        joblib.delayed = lambda _: lambda *_: (Deadly(), (), {})
        with worker_processes(2):
            pass
    """
    running = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    assert running.wait(timeout=60) == -signal.SIGKILL
    try:
        with pytest.raises(ProcessLookupError):  # nobody of its group is left
            for _ in range(300):
                os.killpg(running.pid, 0)
                time.sleep(0.1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize("to", ["| true", "| head -c 10", "> /dev/full"])
@pytest.mark.parametrize("what", ["--help", "audit", "gate", "json"])
def test_output_that_nobody_takes(table, to, what):
    audit = f"audit {table} --label hired --prediction p --sensitive sex"
    command = {"audit": audit, "gate": f"{audit} --fail-above df=0", "json": f"{audit} --json -"}.get(
        what, what
    )
    script = f"{sys.executable} -m fairlattice {command} {to}; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    *told, code = done.stderr.splitlines()
    if to == "> /dev/full":
        assert code == "2" or what == "--help"  # the parser itself does not mind
        assert len(told) <= 1
    else:
        assert code == ("1" if what == "gate" else "0")
        assert told == ([line for line in told if "gate fell" in line] if what == "gate" else [])


def test_output_that_cannot_show_our_signs_is_no_error(table):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fairlattice",
            "audit",
            table,
            "--label",
            "hired",
            "--prediction",
            "p",
            *SENSITIVE,
        ],
        capture_output=True,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_summaries_hold_no_nan_even_for_odd_tables():
    import fairlattice as fl

    for y, p in (([1, 1], [1, 0]), ([0, 0], [0, 1]), ([1, 0], [1, 1])):
        odd = fl.audit(y, p, sensitive_features=["a", "b"])
        text = Report.of(odd, name="t").to_json()
        assert "NaN" not in text
        assert "Infinity" not in text


@pytest.mark.parametrize("command", ["audit", "compare", "diagnose"])
def test_the_page_of_the_saved_json_is_the_page_itself(
    command, scored, people, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    scored.write_csv("scored.csv")
    people.head(400).write_csv("people.csv")
    common = ["--label", "hired", "--sensitive", "sex", "age:25,45"]
    options = {
        "audit": ["scored.csv", "--prediction", "p"],
        "compare": ["people.csv", "--strategies", "none,equal", "--repeats", "2", "--jobs", "1"],
        "diagnose": ["people.csv", "--permutations", "49", "--max-rows", "30", "--jobs", "1"],
    }[command]
    assert main([command, *options, *common, "--json", "r.json", "--report", "one.html"]) == 0
    assert main(["report", "r.json", "--report", "two.html", "--figures", "new/figures"]) == 0
    assert main(["report", "r.json", "--html", "three.html"]) == 0
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes() == Path("three.html").read_bytes()
    drawn = sorted(p.suffix for p in Path("new/figures").iterdir())
    assert drawn.count(".svg") == drawn.count(".png") > 0
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in Path("new/figures").glob("*.png"))


def test_the_card_of_an_augmentation_is_a_page_too(table, capsys):
    files = ["--out", "more.csv", "--json", "done.json", "--card", "card.md"]
    assert main(["augment", table, "--label", "hired", *FEW, "--per-cell", "200", *files]) == 0
    assert main(["report", "done.json", "--report", "card.html", "--figures", "none"]) == 0
    assert Report.from_json("done.json").card() == Path("card.md").read_text()
    cells = json.loads(Path("done.json").read_text())["cells"]
    assert Path("card.html").read_text().count("<tr>") == 1 + len(cells)
    assert list(Path("none").iterdir()) == []


def test_report_refuses_what_is_no_result(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("bad.json").write_text('{"schema": "fairlattice/audit/2"')
    Path("other.json").write_text('{"schema": "other/1"}')
    Path("list.json").write_text("[1]")
    Path("nan.json").write_text('{"schema": "fairlattice/audit/2", "n": NaN}')
    Path("lacks.json").write_text('{"schema": "fairlattice/audit/2"}')
    S = {"sex": ["f", "m"] * 10}
    whole = Report.of(fl.audit([1, 0] * 10, [1, 1] * 10, sensitive_features=S)).to_json()
    Path("kinds.json").write_text(json.dumps({**json.loads(whole), "pairs": 3, "settings": []}))
    for arguments, word in (
        (["gone.json", "--html", "p.html"], "`gone.json` cannot be read"),
        (["bad.json", "--html", "p.html"], "`bad.json` is not JSON"),
        (["other.json", "--html", "p.html"], "`other.json`: `schema` must be one of"),
        (["list.json", "--html", "p.html"], "`list.json`: This is not a result"),
        (["nan.json", "--html", "p.html"], "`nan.json` is not JSON: NaN"),
        (["lacks.json", "--html", "p.html"], "`lacks.json` cannot be shown: The report lacks"),
        (["kinds.json", "--html", "p.html"], "`kinds.json` cannot be shown: The report is damaged"),
        (["other.json", "--html", "-"], "Only --json may be -"),
        (["other.json"], "Name what to write"),
        (["other.json", "--figures", "bad.json"], "`bad.json` is a file, not a folder"),
    ):
        assert main(["report", *arguments]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert word in err
    assert not Path("p.html").exists()


def test_a_background_call_returns_its_result_or_raises_its_error():
    assert BackgroundCall(lambda: 1).result() == 1
    failed = BackgroundCall(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failed.result()
