"""Tables of real life: read right or refused, with what was assumed. Every file here misled the library once."""

import io
import json
import warnings
from contextlib import redirect_stderr
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import fairlattice as fl
from fairlattice.cli import main
from fairlattice.tables._numbers import number_format
from fairlattice.tables._shared import collected, time_order

ROLES = ["--label", "hired", "--sensitive", "sex", "race"]
QUICK = ["--strategies", "none", "--repeats", "1", "--folds", "3", "--jobs", "1"]


QUANTITIES = {
    "hours_per_week": [8, 10, 20, 30, 35, 40, 45, 50, 60, 99],
    "capital": [0] * 90 + [3103, 7688, 15024, 99999],
    "pack": [1, 2, 5, 10, 20, 50, 100],
    "tablets": [5, 10, 25, 50, 100, 250, 500],
    "downloads": [2**k for k in range(12)],
    "month": list(range(1, 13)),
    "stars": [1, 2, 3, 4, 5],
    "term": [12, 24, 36, 48, 60],
    "late": [0, 30, 60, 90, 120, 180],
    "temperature": [-40, 3, 11, 12],
    "zip_income": [20_000, 31_000, 50_000],
    "hospital_days": [1, 2, 3, 9, 40],
    "born": list(range(1930, 2005)),
}
CODES = {
    "ZIP code": [2116, 10001, 94103],
    "codePostal": [13001, 69002, 75001],
    "icd9_code": [197.0, 250.83, 276.1, 648.0],
    "marital": [1, 2, 3, 4, 5, 6],
    "country": [36, 250, 276, 840],
    "msa": [16980, 31080, 35620],
    "product": [1001, 1002, 1005, 2001],
    "area": [101, 117, 204, 388, 9000],
    "Course": [33, 171, 8014, 9003, 9070, 9085, 9119],
    "occupation": [10, 120, 500, 9920],
}


def staff(n=600, seed=0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    sex, race = rng.choice(["f", "m"], n, p=[0.3, 0.7]), rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    age, income = rng.integers(18, 80, n), np.round(rng.normal(30, 6, n), 1)
    hired = (income - 30 + 0.1 * (age - 50) + rng.normal(scale=4, size=n) > 0).astype(int)
    pred = np.where(rng.random(n) < 0.2, 1 - hired, hired)
    return pl.DataFrame(
        {"hired": hired, "pred": pred, "sex": sex, "race": race, "age": age, "income": income}
    )


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments, code=0):
    """Exit code as expected; the notes, or the line of the refusal."""
    printed = io.StringIO()
    with redirect_stderr(printed):
        assert main([str(a) for a in arguments]) == code, printed.getvalue()
    return printed.getvalue()


def balanced(frame: pl.DataFrame | str, *more):
    """Balanced accuracy of a model without mitigation, and what was assumed."""
    if not isinstance(frame, str):
        frame.write_csv("t.csv")
        frame = "t.csv"
    printed = run("compare", frame, *ROLES, "--drop", "pred", *QUICK, "--json", "j.json", *more)
    found = json.loads(Path("j.json").read_text())
    assert all(note in printed for note in found["data"]["assumed"])
    return found["strategies"][0]["balanced_accuracy"]["mean"], found["data"]["assumed"]


def total_variation(one, other) -> float:
    """Half of the sum of what the shares of values differ by."""
    values = np.union1d(one, other)
    shares = [np.array([np.mean(column == v) for v in values]) for column in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def kind_of(frame: pl.DataFrame, name: str) -> str:
    """What a column is taken as."""
    with collected():
        return fl.TableEncoder().read(frame)[name].kind


def income_as(frame: pl.DataFrame, write) -> pl.DataFrame:
    return frame.with_columns(pl.Series("income", [write(v) for v in frame["income"].to_list()]))


class TestMissingAndNumbers:
    @pytest.mark.parametrize(
        "word", ["NA", "?", " ", "N/A", "-", "null", "None", "nan", r"\N", "..", "—", "#DIV/0!", "-1.#IND"]
    )
    def test_a_word_for_missing_is_missing(self, word):
        holes = pl.int_range(600) % 7 == 0
        blank = staff().with_columns(
            income=pl.when(holes).then(None).otherwise("income"),
            race=pl.when(holes).then(None).otherwise("race"),
        )
        spelled = blank.with_columns(
            pl.col("income").cast(str).fill_null(word), pl.col("race").fill_null(word)
        )
        right, nothing = balanced(blank)
        assert nothing == []
        found, notes = balanced(spelled)
        assert found == right
        assert any("`race`" in n and "86 rows" in n for n in notes)
        assert any("`income`" in n and "86 rows" in n for n in notes)

    @pytest.mark.parametrize(
        "write",
        [
            lambda v: f"${v:.2f}",
            lambda v: f"{v:.1f}".replace(".", ","),
            lambda v: f"{v * 1000:,.0f}",
            lambda v: f"{v:.1f} €",
            lambda v: f"{v:.1f}%",
            lambda v: f"USD {v:.1f}",
            lambda v: f"{v * 1000:,.1f}".replace(",", "_").replace(".", ",").replace("_", "."),
            lambda v: f" {v:.1f} ",
            lambda v: f"A${v:.2f}",
            lambda v: f"Rs. {v:.1f}",
            lambda v: f"{v * 1000:,.2f}".replace(",", "'"),
        ],
        ids=[
            "dollar",
            "comma",
            "thousands",
            "euro",
            "percent",
            "code",
            "german",
            "blanks",
            "australia",
            "rupees",
            "swiss",
        ],
    )
    def test_numbers_written_as_text_are_numbers(self, write):
        frame = staff()
        right, _ = balanced(frame)
        found, notes = balanced(income_as(frame, write))
        assert found == pytest.approx(right, abs=0.004)
        assert any("`income`" in note for note in notes)

    def test_the_decimal_mark_can_be_said(self):
        frame = income_as(staff(), lambda v: f"{v * 1000:.0f}"[:-3] + "." + f"{v * 1000:.0f}"[-3:])
        right, _ = balanced(staff())
        frame.write_csv("t.csv")  # 30.500 is thirty thousand and five hundred in half of the world
        assert balanced("t.csv", "--decimal", ",")[0] == pytest.approx(right, abs=0.004)

    @pytest.mark.filterwarnings("ignore::fairlattice.AssumptionWarning")
    def test_attributes_and_weights_are_read_by_the_decimal_mark_that_is_named(self):
        age = np.random.default_rng(0).uniform(18, 80, 600).round(3)
        text = pl.Series([f"{a:.3f}".replace(".", ",") for a in age])  # 18,250
        frame = staff().with_columns(age=text, w=text)
        frame.write_csv("t.csv", quote_style="always")
        bands = np.bincount(np.digitize(age, [30, 50])).tolist()
        right = np.average(frame["hired"] == frame["pred"], weights=age)
        roles = ["--label", "hired", "--sensitive", "age:30,50", "--decimal", ","]
        run("audit", "t.csv", *roles, "--prediction", "pred", "--weight", "w", "--json", "w.json")
        assert json.loads(Path("w.json").read_text())["accuracy"] == pytest.approx(right)
        run("audit", "t.csv", *roles, "--prediction", "pred", "--json", "a.json")
        found = json.loads(Path("a.json").read_text())
        by_label = [found["measures"][rate]["by_group"] for rate in ("tpr", "tnr")]
        assert [sum(group["n"] for group in both) for both in zip(*by_label, strict=True)] == bands
        written = {}
        for name, more in (("once.json", ()), ("stream.json", ("--stream",))):
            run("augment", "t.csv", *roles, "--drop", "pred", "w", "--out", "o.csv", "--json", name, *more)
            written[name] = sorted(map(str, json.loads(Path(name).read_text())["cells"]))
        assert written["once.json"] == written["stream.json"]
        y, S, options = frame["hired"], frame.select("age"), {"cuts": {"age": [30, 50]}, "decimal": ","}
        lazy = {"label": "hired", "prediction": "pred", "sensitive": ["age"]}
        for counts in (
            fl.audit(y, frame["pred"], sensitive_features=S, **options).counts,
            fl.audit(frame.lazy(), **lazy, weight="w", **options).counts,
        ):
            assert counts.table.sum(axis=(1, 2)).tolist() == bands
        model = fl.FairClassifier(LogisticRegression(), "equal", **options)
        model.fit(frame.select("income"), y, sensitive_features=S)
        assert model.lattice_.n_leaves == 3
        with pytest.raises(fl.InputError, match="decimal"):
            fl.audit(y, frame["pred"], sensitive_features=S, decimal="x")

    def test_na_names_what_is_missing_in_place_of_the_defaults(self):
        frame = staff().with_columns(race=pl.when(pl.col("race") == "c").then(pl.lit("NA")).otherwise("race"))
        frame.write_csv("t.csv")
        audit = ["audit", "t.csv", *ROLES, "--prediction", "pred", "--missing", "exclude", "--json", "a.json"]
        run(*audit)
        n = (frame["race"] == "NA").sum()
        assert json.loads(Path("a.json").read_text())["excluded"] == n
        run("report", "a.json", "--html", "a.html")
        assert f"taken as missing in {n} rows" in Path("a.html").read_text()
        run("audit", "t.csv", "--label", "hired", "--prediction", "pred", "--sensitive", "age:30", "--na", "40", "41",
            "--json", "n.json", "--report", "n.html")  # fmt: skip
        groups = json.loads(Path("n.json").read_text())["measures"]["accuracy"]["by_group"]
        missing = next(g["n"] for g in groups if g["group"] == {"age": None})
        assert missing == frame["age"].is_in([40, 41]).sum()
        run(*audit, "--na", "x")
        assert json.loads(Path("a.json").read_text())["excluded"] == 0

    def test_an_age_with_na_can_be_cut(self):
        ages = pl.when(pl.int_range(600) < 30).then(pl.lit("NA")).otherwise(pl.col("age").cast(str))
        frame = staff().with_columns(age=ages)
        frame.write_csv("t.csv")
        for path, write in (("t.csv", frame.write_csv), ("t.parquet", frame.write_parquet)):
            write(path)
            run(
                "audit",
                path,
                "--label",
                "hired",
                "--prediction",
                "pred",
                "--sensitive",
                "age:30,60",
                "--json",
                "a.json",
            )
            levels = json.loads(Path("a.json").read_text())["attributes"][0]["levels"]
            assert levels == ["<30", "30 to <60", ">=60", None]

    @pytest.mark.parametrize(
        ("texts", "numbers"),
        [
            (["12,34,567", "1,00,000", "95"], [1234567, 100000, 95]),
            (["37.4-", "5"], [-37.4, 5]),
            (["(1,200)", "£95"], [-1200, 95]),
            (["R$ 1.200,50", "R$ 7"], [1200.5, 7]),
            (["HK$120", "MX$95.5"], [120, 95.5]),
            (["1\u202f234,5", "7"], [1234.5, 7]),
        ],
    )
    def test_ways_of_writing_numbers(self, texts, numbers):
        form = number_format(texts)
        assert [form.number(text) for text in texts] == numbers

    def test_numbers_with_and_without_per_cent_are_said(self):
        rates = pl.int_range(600).map_elements(
            lambda i: f"{i % 50}%" if i % 2 else str(i % 40), return_dtype=pl.String
        )
        _, notes = balanced(staff().with_columns(rate=rates))
        assert ["`rate`" in note and "per cent" in note for note in notes] == [True]

    def test_text_that_is_mostly_numbers_is_said(self):
        odd = pl.when(pl.int_range(600) == 5).then(pl.lit("many")).otherwise(pl.col("income").cast(str))
        _, notes = balanced(staff().with_columns(income=odd))
        assert notes == [
            "Column `income`: text, since 1 of its values, such as 'many', are not numbers; the rest are. "
            "Correct or empty them, or pass all texts that mean missing by `na` (--na): it replaces the built-in list."
        ]

    def test_weights_and_scores_may_be_text(self):
        frame = staff().with_columns(w=pl.lit("1,5"), score=pl.col("pred").cast(float) * 0.5 + 0.2)
        text = frame.with_columns(pl.col("score").cast(str).str.replace(".", ",", literal=True))
        for name, table in (("n.parquet", frame.with_columns(w=1.5)), ("t.parquet", text)):
            table.write_parquet(name)
            for option in (["--weight", "w"], ["--score", "score"]):
                run(
                    "audit",
                    name,
                    *ROLES,
                    "--prediction",
                    "pred",
                    *option,
                    "--json",
                    f"{name}{option[0]}.json",
                )
        for option in ("--weight", "--score"):
            one, other = (json.loads(Path(f"{n}.parquet{option}.json").read_text()) for n in "nt")
            assert one["measures"] == other["measures"]
            for ours, theirs in zip(one.get("scores", ()), other.get("scores", ()), strict=True):
                assert ours.pop("group") == theirs.pop("group")
                assert ours == pytest.approx(theirs)

    @pytest.mark.parametrize("library", ["polars", "pandas"])
    def test_python_gives_the_same_answer_and_warns(self, library):
        text = pl.col("income").cast(str).replace("30.0", "NA")
        frame = staff().with_columns(income=text, race=pl.col("race").replace("c", "?"))
        frame.write_csv("t.csv")
        right, notes = balanced("t.csv")
        table = frame if library == "polars" else frame.to_pandas()
        with pytest.warns(fl.AssumptionWarning) as caught:
            found = fl.compare(
                table[["age", "income"]],
                table["hired"],
                sensitive_features=table[["sex", "race"]],
                strategies=["none"],
                repeats=1,
                folds=3,
            )
        assert found["none"].estimate("balanced_accuracy").mean == right
        assert sorted(str(w.message) for w in caught) == sorted(notes)
        assert {Path(w.filename).name for w in caught} == {"test_real_life.py"}

    def test_a_minus_beside_a_plus_is_a_level(self):
        S = {"rh": ["+", "-"] * 20}
        assert fl.audit([0, 1] * 20, [0, 1] * 20, sensitive_features=S).counts.lattice.shape == (2,)


class TestNames:
    @pytest.mark.parametrize("name", ["", "*", "^a.*$", "^x$", "a b", 'q"', "index", "=1"])
    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    def test_any_name_is_a_name(self, name, suffix):
        frame = staff(300).rename({"income": name}).with_columns(ab=pl.int_range(300) % 7)
        frame.write_csv("t.csv") if suffix == "csv" else frame.write_parquet("t.parquet")
        for stream in ([], ["--stream"]):
            run("augment", f"t.{suffix}", *ROLES, "--out", "o.parquet", *stream)
            out = pl.read_parquet("o.parquet")
            assert out.columns[:7] == frame.columns
            assert out.head(300)[frame.columns].equals(frame)
            assert out.get_column(name).null_count() == 0
        audit = ["audit", f"t.{suffix}", "--label", "hired", "--prediction", "pred", "--json", "a.json"]
        run(*audit, "--sensitive", f"{name}:30")
        assert json.loads(Path("a.json").read_text())["attributes"][0]["name"] == name
        run("compare", f"t.{suffix}", *ROLES, *QUICK)
        run("diagnose", f"t.{suffix}", *ROLES, "--permutations", "19")


class TestCategories:
    def test_rare_levels_keep_their_shares(self):
        rng = np.random.default_rng(1)
        n = 4000
        X = pl.DataFrame({"x": rng.normal(size=n), "county": [f"c{v}" for v in rng.integers(0, 120, n)]})
        y, S = rng.integers(0, 2, n), {"sex": rng.choice(["f", "m"], n, p=[0.4, 0.6])}
        for mixing in ("importance", "smote"):
            more = fl.HierarchicalAugmenter(mixing, per_cell=3000, random_state=0).fit_resample(
                X, y, sensitive_features=S
            )
            made = more[0].slice(n)["county"].value_counts()
            assert set(made["county"]) <= set(X["county"])
            assert (
                made["count"].max() / made["count"].sum() < 0.03
            )  # of 120 levels; all rare ones were one before
            sizes = dict(made.iter_rows())
            share = np.array([sizes.get(f"c{i}", 0) for i in range(120)]) / made["count"].sum()
            assert np.abs(share - 1 / 120).sum() / 2 < 0.12

    @pytest.mark.parametrize("towns", ["of everyone", "of the race", "of the group"])
    @pytest.mark.parametrize("mixing", ["importance", "smote"])
    def test_small_cells_keep_rare_levels_as_well_as_resampling_does(self, towns, mixing):
        rng = np.random.default_rng(0)
        n = 4000
        sex, race = (
            rng.choice(["f", "m"], n, p=[0.3, 0.7]),
            rng.choice(["a", "b", "c"], n, p=[0.7, 0.25, 0.05]),
        )
        of = {"of everyone": np.zeros(n, int), "of the race": (race == "b") + 2 * (race == "c")}
        of["of the group"] = of["of the race"] + 3 * (sex == "f")
        town = np.array(
            [f"t{v}" for v in rng.zipf(1.5, n) % (200 if towns == "of everyone" else 40) + 40 * of[towns]]
        )
        X, y = pl.DataFrame({"x": rng.normal(size=n), "town": town}), rng.integers(0, 2, n)
        S = pl.DataFrame({"sex": sex, "race": race})
        augmenter = fl.HierarchicalAugmenter(mixing, per_cell=1000, random_state=0).fit(
            X, y, sensitive_features=S
        )
        more = augmenter.augment(X, y, sensitive_features=S)
        table = more.sensitive_features.with_columns(town=more.X["town"], y=pl.Series(more.y))
        for cell in (("f", "c", 0), ("f", "b", 1), ("m", "c", 0)):
            inside = (pl.col("sex") == cell[0]) & (pl.col("race") == cell[1]) & (pl.col("y") == cell[2])
            own, made = (part.filter(inside)["town"].to_numpy() for part in (table[:n], table[n:]))
            drawn = [total_variation(own, rng.choice(own, len(own))) for _ in range(50)]
            assert total_variation(own, made) < np.quantile(drawn, 0.95), (cell, len(own))

    def test_a_rare_level_is_one_of_the_row_that_was_drawn(self):
        rng = np.random.default_rng(2)
        n = 2000
        X = pl.DataFrame({"x": rng.normal(size=n), "town": [f"t{v}" for v in rng.integers(0, 400, n)]})
        y, S = rng.integers(0, 2, n), {"sex": rng.choice(["f", "m"], n, p=[0.2, 0.8])}
        more = (
            fl.HierarchicalAugmenter(random_state=0)
            .fit(X, y, sensitive_features=S)
            .augment(X, y, sensitive_features=S)
        )
        drawn = X["town"][more.origin.parents[n:, 0]]
        assert more.X["town"][n:].equals(drawn)

    def test_codes_are_never_composed(self):
        frame = staff().with_columns(
            work=pl.int_range(600).map_elements(lambda i: [10, 120, 500, 9920][i % 4], return_dtype=pl.Int64),
            zip=pl.int_range(600).map_elements(
                lambda i: ["00501", "94103", "02116"][i % 3], return_dtype=pl.String
            ),
            marst=pl.int_range(600).map_elements(lambda i: [1, 3, 6, 9][i % 4], return_dtype=pl.Int64),
            steps=pl.int_range(600).map_elements(lambda i: [0, 10, 20, 40][i % 4], return_dtype=pl.Int64),
            mine=(pl.int_range(600) * 7919) % 600 * 3,
        )
        frame.write_csv("t.csv")
        for out in ("o.csv", "o.parquet"):
            for more in ([], ["--stream"], ["--mixing", "scalar"]):
                printed = run("augment", "t.csv", *ROLES, "--out", out, "--categorical", "mine", *more)
                assert "`zip`: codes" in printed
                assert "`work`: 4 whole numbers with uneven steps" in printed
                if out == "o.csv":
                    made = pl.read_csv(out, schema_overrides={"zip": pl.String})
                    text = Path(out).read_text().splitlines()[1:601]
                    assert [t.rsplit(",", 2)[0] for t in text] == Path("t.csv").read_text().splitlines()[1:]
                else:
                    made = pl.read_parquet(out)
                    assert made.head(600)[frame.columns].equals(frame)
                for name in ("work", "zip", "marst", "steps", "mine"):
                    assert set(made[name]) <= set(frame[name]), name

    def test_ages_hours_and_amounts_are_no_codes(self):
        rng = np.random.default_rng(0)
        n = 2000
        frame = staff(n).with_columns(
            age=pl.Series(np.where(rng.random(n) < 0.05, 99, rng.integers(18, 60, n))),
            hours=pl.Series(rng.choice([10, 15, 20, 37, 40], n)),
            kids=pl.Series(rng.choice([0, 1, 2, 3, 8], n)),
            pay=pl.Series(rng.choice([20_000, 25_000, 30_000, 50_000], n)),
        )
        assert {
            f.kind for name, f in fl.TableEncoder().read(frame).items() if name not in ("sex", "race")
        } == {"number"}

    @pytest.mark.parametrize("name", QUANTITIES)
    def test_quantities_are_numbers(self, name):
        frame = pl.DataFrame({name: np.random.default_rng(0).choice(QUANTITIES[name], 1000)})
        assert kind_of(frame, name) == "number"

    @pytest.mark.parametrize("name", CODES)
    def test_codes_are_categories(self, name):
        frame = pl.DataFrame({name: np.random.default_rng(0).choice(CODES[name], 1000)})
        assert kind_of(frame, name) == "category"

    def test_codes_with_points_keep_their_zeros(self):
        nace = pl.int_range(600).map_elements(
            lambda i: ["01.11", "62.01", "86.10"][i % 3], return_dtype=pl.String
        )
        staff().with_columns(branch=nace).write_csv("t.csv")
        for more in ([], ["--stream"]):
            run("augment", "t.csv", *ROLES, "--out", "o.csv", *more)
            assert set(pl.read_csv("o.csv", infer_schema=False)["branch"]) == {"01.11", "62.01", "86.10"}

    def test_a_zip_code_with_zeros_founds_no_new_group(self):
        zips = pl.int_range(600).map_elements(lambda i: ["00501", "94103"][i % 2], return_dtype=pl.String)
        staff().with_columns(zip=zips).write_csv("t.csv")
        run("augment", "t.csv", "--label", "hired", "--sensitive", "zip", "--out", "o.csv")
        assert set(pl.read_csv("o.csv", infer_schema=False)["zip"]) == {"00501", "94103"}

    def test_names_and_dates_are_carried_from_one_real_row(self):
        frame = staff().with_columns(
            name=pl.format("person {}", pl.int_range(600)),
            day=pl.date(2020, 1, 1) + pl.duration(days=pl.int_range(600) * 7 % 90),
        )
        frame.write_parquet("t.parquet")
        printed = run("augment", "t.parquet", *ROLES, "--out", "o.parquet")
        assert "`name` is different in every row" in printed
        out = pl.read_parquet("o.parquet")
        made = out.slice(600)
        source = made["fairlattice_parents"].str.split(" ").list.first().cast(pl.Int64)
        assert made["name"].equals(frame["name"][source])
        assert made["day"].equals(frame["day"][source])


class TestIdentifiers:
    def test_row_numbers_are_no_features(self):
        frame = (
            staff()
            .sort("hired")
            .with_row_index("n")
            .select(pl.col("n").cast(pl.Int64).alias(""), *staff().columns)
        )
        right, _ = balanced(frame.drop(""))
        found, notes = balanced(frame)
        assert found == right
        assert notes == [
            "Column `` is a running number, so it is not used as a feature. Pass `keep` (--keep) to use it."
        ]
        assert balanced("t.csv", "--keep", "")[0] > right + 0.05

    @pytest.mark.parametrize("name", ["Unnamed: 0", "__index_level_0__", "uid", "row"])
    def test_unique_numbers_and_texts_are_left_out(self, name):
        rng = np.random.default_rng(0)
        for ids in (
            rng.permutation(600),
            rng.permutation(10**6)[:600],
            [f"p{i}" for i in rng.permutation(600)],
        ):
            frame = staff().with_columns(pl.Series(name, ids))
            _, notes = balanced(frame)
            assert [n.split(" is ")[0] for n in notes] == [f"Column `{name}`"]

    def test_amounts_are_features_although_none_comes_twice(self):
        amounts = np.random.default_rng(0).permutation(90_000)[:600] + 5_000
        _, notes = balanced(staff().with_columns(pl.Series("salary", amounts)))
        assert notes == []

    @pytest.mark.parametrize(
        "write",
        [
            lambda d: d.strftime("%Y%m%d"),
            lambda d: int(d.strftime("%Y%m%d")),
            lambda d: d.strftime("%d.%m.%Y"),
            lambda d: d.strftime("%m/%d/%Y %I:%M %p"),
            lambda d: d.strftime("%Y-%m-%dT00:00:00+02:00"),
            lambda d: d.strftime("%d %b %Y"),
        ],
        ids=["digits", "number", "german", "american", "zone", "words"],
    )
    def test_dates_are_numbers_of_days_and_never_composed(self, write):
        days = [
            date(1980, 1, 1) + timedelta(days=int(v)) for v in np.random.default_rng(0).integers(0, 9000, 600)
        ]
        frame = staff().with_columns(born=pl.Series([write(day) for day in days]))
        assert kind_of(frame, "born") == "date"
        frame.write_csv("t.csv")
        for more in ([], ["--mixing", "scalar"], ["--stream"]):
            run("augment", "t.csv", *ROLES, "--out", "o.csv", *more)
            assert set(pl.read_csv("o.csv")["born"]) <= set(pl.read_csv("t.csv")["born"])

    def test_numbers_of_people_are_codes_or_left_out(self):
        rng = np.random.default_rng(0)
        for levels, kind in ((200, "category"), (900, "identifier")):
            frame = pl.DataFrame(
                {"customer": rng.integers(0, levels, 1000) * 7 + 10_000, "x": rng.normal(size=1000)}
            )
            assert kind_of(frame, "customer") == kind


class TestLevelsAndLabels:
    def test_blanks_around_levels_and_labels(self):
        frame = staff().with_columns(
            hired=pl.when(pl.col("hired") == 1).then(pl.lit("hired")).otherwise(pl.lit("rejected ")),
            pred=pl.when(pl.col("pred") == 1).then(pl.lit("hired")).otherwise(pl.lit("rejected")),
            sex=pl.when(pl.int_range(600) % 2 == 0).then("sex").otherwise(pl.col("sex") + " "),
        )
        frame.write_csv("t.csv")
        printed = run(
            "audit", "t.csv", *ROLES, "--prediction", "pred", "--positive", "hired", "--json", "a.json"
        )
        found = json.loads(Path("a.json").read_text())
        assert found["data"]["classes"] == ["hired", "rejected"]
        assert found["attributes"][0]["levels"] == ["f", "m"]
        assert "Attribute `sex`: blanks or odd Unicode forms removed in 300 rows" in printed
        clean = staff()
        assert (
            found["balanced_accuracy"]
            == fl.audit(
                clean["hired"], clean["pred"], sensitive_features=clean[["sex", "race"]]
            ).balanced_accuracy
        )

    def test_unicode_forms_are_one_level(self):
        S = {"town": ["caf\u00e9", "cafe\u0301"] * 20 + ["x"] * 10}
        with pytest.warns(fl.AssumptionWarning, match="Unicode"):
            assert fl.audit([0, 1] * 25, [0, 1] * 25, sensitive_features=S).counts.lattice.shape == (2,)

    def test_levels_that_differ_by_case_are_said(self):
        with pytest.warns(fl.AssumptionWarning, match="'Yes' and 'yes' differ by case or punctuation only"):
            fl.audit([0, 1] * 20, [0, 1] * 20, sensitive_features={"s": ["Yes", "yes", "no", "no"] * 10})

    @pytest.mark.parametrize(
        ("labels", "predictions"),
        [
            ([">50K", "<=50K"], [">50K.", "<=50K."]),
            (["yes", "no"], ["Yes", "no"]),
            ([1, 2], [0, 1]),
            (["a", "b"], ["x", "y"]),
            (["y", "n"], ["Y", "N"]),
        ],
    )
    def test_two_spellings_of_labels_are_refused(self, labels, predictions):
        with pytest.raises(fl.InputError, match=r"differ by case|never labels|No prediction is a label"):
            fl.audit(labels * 20, predictions * 20, sensitive_features=["u", "v"] * 20, positive=labels[0])
        pl.DataFrame({"y": labels * 20, "p": predictions * 20, "s": ["u", "v"] * 20}).write_csv("t.csv")
        printed = run("audit", "t.csv", "--label", "y", "--prediction", "p", "--sensitive", "s",
                   "--positive", labels[0], code=2)  # fmt: skip
        assert printed.count("\n") == 1

    def test_a_model_that_predicts_one_class_is_legitimate(self):
        assert fl.audit([0, 1] * 20, [0] * 40, sensitive_features=["u", "v"] * 20).worst("tpr").rate == 0

    def test_labels_that_differ_by_a_dot_are_refused_everywhere(self):
        dot = pl.when(pl.int_range(600) % 2 == 0).then(pl.lit(">50K.")).otherwise(pl.lit(">50K"))
        staff().with_columns(
            hired=pl.when(pl.col("hired") == 1).then(dot).otherwise(pl.lit("<=50K"))
        ).write_csv("t.csv")
        for command in (["compare"], ["augment", "--out", "o.csv"], ["diagnose"]):
            printed = run(command[0], "t.csv", *ROLES, *command[1:], code=2)
            assert "'>50K' and '>50K.'" in printed

    def test_a_missing_label_in_words_is_refused(self):
        staff().with_columns(
            hired=pl.when(pl.int_range(600) < 3).then(pl.lit("NA")).otherwise(pl.col("hired").cast(str))
        ).write_csv("t.csv")
        printed = run("compare", "t.csv", *ROLES, "--positive", "1", code=2)
        assert "3 missing values of 600, among them 'NA'" in printed

    def test_positive_values_are_read_as_labels_are(self):
        words = pl.when(pl.col("pred") == 1).then(pl.lit("hired")).otherwise(pl.lit("rejected "))
        staff().with_columns(words.alias("pred")).write_parquet("t.parquet")
        run(
            "audit",
            "t.parquet",
            "--sensitive",
            "sex",
            "--prediction",
            "pred",
            "--positive-prediction",
            "rejected ",
        )

    def test_positive_true_on_boolean_labels(self):
        staff().with_columns(pl.col("hired", "pred").cast(bool)).write_parquet("t.parquet")
        for word in ("True", "true", "TRUE"):
            run("audit", "t.parquet", *ROLES, "--prediction", "pred", "--positive", word)


class TestPeriods:
    @pytest.mark.parametrize(
        ("given", "ordered"),
        [
            (["01/2023", "02/2022", "12/2022"], ["02/2022", "12/2022", "01/2023"]),
            (["Apr", "Feb", "Jan", "Mar"], ["Jan", "Feb", "Mar", "Apr"]),
            (["Q1 2023", "Q4 2022"], ["Q4 2022", "Q1 2023"]),
            (["01.02.2023", "15.01.2023"], ["15.01.2023", "01.02.2023"]),
            (["2023-10", "2023-9"], ["2023-9", "2023-10"]),
            (["April 2023", "May 2022"], ["May 2022", "April 2023"]),
            (["Feb-23", "Jan-23", "Jan-24"], ["Jan-23", "Feb-23", "Jan-24"]),
            (["12/31/2022", "01/15/2023"], ["12/31/2022", "01/15/2023"]),
            (["2023-W10", "2023-W9"], ["2023-W9", "2023-W10"]),
            (["wave 10", "wave 9"], ["wave 9", "wave 10"]),
            ([2, 10], [2, 10]),
        ],
    )
    def test_the_order_of_time(self, given, ordered):
        assert time_order("when", given) == ordered

    @pytest.mark.parametrize(
        "given",
        [["01/02/2023", "02/01/2023"], ["after", "before"], ["Nov", "Dec", "Jan"], ["01/2023", "1/2023"]],
    )
    def test_a_guess_is_refused(self, given):
        with pytest.raises(fl.InputError, match="`when`"):
            time_order("when", given)

    def test_changes_do_not_depend_on_how_months_are_written(self):
        rng = np.random.default_rng(0)
        n = 4000
        year, month = 2022 + np.arange(n) % 24 // 12, 1 + np.arange(n) % 12
        sex = rng.choice(["f", "m"], n)
        late = (year == 2023) & (sex == "f")
        y, p = np.ones(n, int), (rng.random(n) < np.where(late, 0.3, 0.8)).astype(int)
        frame = pl.DataFrame({"y": y, "p": p, "sex": sex, "m": month, "j": year}).with_columns(
            y=pl.when(pl.int_range(n) % 9 == 0).then(0).otherwise("y")
        )
        found = []
        for when in (pl.format("{}-{}", "j", pl.col("m").cast(str).str.zfill(2)),
                     pl.format("{}/{}", pl.col("m").cast(str).str.zfill(2), "j")):  # fmt: skip
            frame.with_columns(when=when).write_csv("t.csv")
            run("audit", "t.csv", "--label", "y", "--prediction", "p", "--sensitive", "sex", "--by", "when",
                "--json", "a.json")  # fmt: skip
            found.append(len(json.loads(Path("a.json").read_text())["series"]["changes"]))
        assert found[0] == found[1] > 0


class TestTypes:
    @pytest.mark.parametrize("kind", ["Decimal", "Date", "Datetime", "Int128", "Enum", "Time"])
    @pytest.mark.parametrize("part", ["label", "attribute", "feature"])
    def test_every_type_in_every_part(self, kind, part):
        base = pl.col({"label": "hired", "attribute": "sex", "feature": "age"}[part])
        codes = base.rank("dense").cast(pl.Int64) % 3
        cast = {
            "Decimal": codes.cast(pl.Decimal(10, 2)),
            "Date": pl.date(2020, 1, 1 + codes),
            "Datetime": pl.datetime(2020, 1, 1 + codes, 3),
            "Int128": codes.cast(pl.Int128) + 2**70,
            "Enum": codes.cast(str).cast(pl.Enum(["0", "1", "2"])),
            "Time": pl.time(codes),
        }[kind]
        name = {"label": "hired", "attribute": "sex", "feature": "age"}[part]
        frame = staff(300).with_columns(cast.alias(name))
        frame = frame.with_columns(pred=pl.col("hired")) if part == "label" else frame
        frame.write_parquet("t.parquet")
        positive = []
        if part == "label":
            positive = ["--positive", str(fl.GroupCounts.from_frame(
                frame, label="hired", prediction="hired", sensitive=["race"]).classes[-1])]  # fmt: skip
        run("audit", "t.parquet", *ROLES, "--prediction", "pred", *positive, "--counts", "c.json")
        assert fl.GroupCounts.from_json("c.json").n == 300
        run("compare", "t.parquet", *ROLES, "--drop", "pred", *QUICK, *positive)
        for more in ([], ["--stream", "--mixing", "scalar"]):
            run("augment", "t.parquet", *ROLES, "--out", "o.parquet", *more)
            out = pl.read_parquet("o.parquet")
            assert out.head(300)[frame.columns].equals(frame)
            assert out.schema[name] == frame.schema[name]
        run("diagnose", "t.parquet", *ROLES, "--permutations", "19")

    def test_dates_are_one_level_in_every_library(self):
        frame = pl.DataFrame({"d": ["2020-01-01", "2020-02-01"] * 20}).with_columns(pl.col("d").str.to_date())
        levels = [
            fl.GroupLattice.from_features({"d": values}).attributes[0].levels
            for values in (frame["d"], frame.to_pandas()["d"], pd.to_datetime(frame.to_pandas()["d"]),
                           frame["d"].to_numpy(), frame["d"].to_list())
        ]  # fmt: skip
        assert set(levels) == {("2020-01-01", "2020-02-01")}


class TestFiles:
    def test_what_can_be_read_is_read(self):
        frame = staff()
        frame.write_csv("t.csv")
        plain = Path("t.csv").read_text()
        right, _ = balanced("t.csv")
        rows = [line.split(",") for line in plain.splitlines()]
        excel = "\n".join(";".join(cell.replace(".", ",") for cell in row) for row in rows)
        for content in (
            "sep=;\n" + excel,
            excel,
            plain.replace("\n", "\r"),
            "# exported on Monday\n# by nobody\n" + plain,
            "\ufeff" + plain,
            plain.replace(",", "\t"),
        ):
            Path("t.csv").write_bytes(content.encode())
            assert balanced("t.csv")[0] == right, content[:60]

    def test_inches_are_no_quotes(self):
        note = pl.when(pl.int_range(600) % 3 == 0).then(pl.lit("X")).otherwise(pl.lit("ok"))
        staff().with_columns(note=note).write_csv("t.csv")
        Path("t.csv").write_text(Path("t.csv").read_text().replace(",X", ',5" pipe'))
        run(
            "audit",
            "t.csv",
            "--label",
            "hired",
            "--prediction",
            "pred",
            "--sensitive",
            "note",
            "--json",
            "a.json",
        )
        found = json.loads(Path("a.json").read_text())
        assert (found["n"], found["attributes"][0]["levels"]) == (600, ['5" pipe', "ok"])

    def test_short_rows_are_said(self):
        staff().write_csv("t.csv")
        lines = Path("t.csv").read_text().splitlines()
        lines[3] = lines[3].rpartition(",")[0]
        Path("t.csv").write_text("\n".join(lines) + "\n")
        _, notes = balanced("t.csv")
        assert notes == [
            "`t.csv`: 1 rows have fewer than 6 values (first in line 4); what they lack is taken as missing."
        ]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"PK\x03\x04rest", "ZIP archive, as an Excel workbook"),
            (b"\x1f\x8brest", "compressed by gzip"),
            (b"\xff\xfeh\x00", "UTF-16"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b'{"a": 1}', "JSON"),
            (b'hired,sex,race\n1,f,"a\n0,m,b\n', "quote that is not closed"),
            (b"hired,sex,race\n1,f,a\n0,m,b,c\n", "line 3 has 4 values for 3 columns"),
        ],
    )
    def test_what_cannot_be_read_is_named(self, content, words):
        Path("t.csv").write_bytes(content)
        for more in ([], ["--stream"]):
            printed = run("augment", "t.csv", *ROLES, "--out", "o.csv", *more, code=2)
            assert words in printed or (more and "values for" in words), printed
            assert printed.count("\n") == 1

    def test_an_address_is_no_file(self):
        printed = run("compare", "https://example.org/t.csv", *ROLES, code=2)
        assert "is an address, not a file" in printed

    def test_a_thousand_levels(self):
        staff(3000).with_columns(town=pl.int_range(3000) % 1000).write_csv("t.csv")
        printed = run(
            "audit", "t.csv", "--label", "hired", "--prediction", "pred", "--sensitive", "town", code=2
        )
        assert "1,000 levels" in printed
        assert "max_levels" not in printed


class TestBetweenCommands:
    def test_positive_is_known_to_every_command(self):
        words = pl.when(pl.col("hired") == 1).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("hired")
        staff(300).with_columns(words).write_csv("t.csv")
        run("augment", "t.csv", *ROLES, "--out", "o.csv", "--positive", "yes")
        run("diagnose", "t.csv", *ROLES, "--permutations", "19", "--positive", "yes")
        run("compare", "t.csv", *ROLES, *QUICK, "--positive", "yes")

    def test_the_folder_of_figures_is_made(self):
        staff().write_csv("t.csv")
        run("audit", "t.csv", *ROLES, "--prediction", "pred", "--json", "a.json")
        run("report", "a.json", "--figures", "deep/figures")
        assert list(Path("deep/figures").glob("*.svg"))

    def test_what_is_known_of_a_data_set_needs_no_data(self, capsys, monkeypatch):
        monkeypatch.delenv("FAIRLATTICE_DATA", raising=False)
        printed = run("bench", "list", "celeba")
        assert "Licence" in capsys.readouterr().out
        assert "note" in printed

    def test_a_data_set_of_polars_columns(self):
        columns = staff(50).to_dict()
        data = fl.datasets.Dataset("mine", columns, "hired", 1, ("sex",), {})
        frame = fl.datasets.Dataset("mine", staff(50), "hired", 1, ("sex",), {})
        assert data.columns["age"].dtype == frame.columns["age"].dtype == np.int64

    @pytest.mark.parametrize("kind", ["array", "frame"])
    @pytest.mark.parametrize("mixing", ["importance", "scalar", "smote"])
    def test_columns_that_follow_an_attribute_stay_with_it(self, kind, mixing):
        frame = staff()
        female = (frame["sex"] == "f").cast(float)
        X = np.column_stack([frame["income"], female, frame["age"]])
        if kind == "frame":
            X = pl.DataFrame({"income": X[:, 0], "female": X[:, 1], "AGE": frame["age"]})
        S = {"sex": frame["sex"], "age": frame["age"]}
        augmenter = fl.HierarchicalAugmenter(mixing, cuts={"age": [40]}, random_state=0)
        X2, _, S2 = augmenter.fit_resample(X, frame["hired"], sensitive_features=S)
        X2 = np.asarray(X2)
        assert ((X2[:, 1] == 1) == (np.asarray(S2["sex"]) == "f")).all()
        assert (X2[:, 2] == np.asarray(S2["age"])).all()


class TestAttacks:
    def test_counts_of_text_labels_come_back_and_add_up(self):
        counts = fl.GroupCounts.from_arrays(["a", "b"], ["a", "a"], sensitive_features={"s": ["u", "v"]})
        again = fl.GroupCounts.from_json(counts.to_json())
        assert (again + counts).n == 4

    def test_terminal_codes_do_not_reach_the_terminal(self, capsys):
        staff(300).with_columns(sex=pl.col("sex") + "\x1b[31m").rename(
            {"race": "r\x1b]0;x\x07"}
        ).write_parquet("t.parquet")
        roles = ["--label", "hired", "--sensitive", "sex", "r\x1b]0;x\x07"]
        for command in (
            ["audit", "--prediction", "pred"],
            ["compare", *QUICK],
            ["diagnose", "--permutations", "19"],
        ):
            printed = run(command[0], "t.parquet", *roles, *command[1:])
            out = capsys.readouterr().out
            assert "\x1b" not in out + printed
            assert "\\x1b" in out

    def test_terminal_codes_do_not_reach_the_terminal_from_python(self):
        S = {"s\x1b[31m": ["a\x07", "b"] * 20}
        found = fl.audit([0, 1] * 20, [1, 1] * 20, sensitive_features=S)
        shown = [repr(found), fl.Report.of(found).to_text(), *map(str, found.by_group("accuracy"))]
        assert not any("\x1b" in text or "\x07" in text for text in shown)
        with pytest.raises(fl.InputError) as caught:
            fl.audit([0, 1] * 20, [1, 1] * 20, sensitive_features=S, cuts={"s\x1b[31m": [3]})
        assert "\x1b" not in str(caught.value)
        with pytest.warns(fl.AssumptionWarning) as warned:
            fl.audit([0, 1] * 20, [1, 1] * 20, sensitive_features={"s\x1b[31m": ["a ", "b"] * 20})
        assert not any("\x1b" in str(w.message) for w in warned)

    def test_a_reference_group_of_dates(self):
        days = pl.Series([date(2020, 1, 1), date(2020, 2, 1)] * 20)
        found = fl.audit([0, 1] * 20, [1, 1] * 20, sensitive_features={"d": days}, reference={"d": days[0]})
        assert fl.Report.of(found).summary["settings"]["reference"] == {"d": "2020-01-01"}

    @pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
    def test_large_numbers_are_cut_between_whole_ones(self, library):
        frame = pl.DataFrame({"y": [0, 1] * 20, "p": [1, 1] * 20, "big": [2**60 + 1, 0] * 20})
        table = {"polars": frame, "pandas": frame.to_pandas(), "pyarrow": frame.to_arrow()}[library]
        counts = fl.GroupCounts.from_frame(
            table, label="y", prediction="p", sensitive=["big"], cuts={"big": [0.5]}
        )
        assert counts.rollup(["big"]).table.sum(axis=(1, 2)).tolist() == [20, 20]

    def test_cells_with_fewer_rows_than_parents_share_a_mixing(self):
        rng = np.random.default_rng(0)
        S = {f"a{i}": rng.integers(0, 2, 400) for i in range(8)}  # nearly every cell has one row or two
        augmenter = fl.HierarchicalAugmenter("diagonal", "cell", max_steps=5, random_state=0)
        with pytest.warns(fl.SmallCellWarning):
            fits = augmenter.fit(
                rng.normal(size=(400, 3)), rng.integers(0, 2, 400), sensitive_features=S
            ).fits_
        assert set(fits) == {0, 1}

    def test_torch_that_is_missing_is_named_with_its_small_build(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
        printed = run("bench", "run", "--datasets", "diabetes", "--methods", "fairgrad", code=2)
        assert "download.pytorch.org/whl/cpu" in printed

    def test_text_labels_as_objects_and_cells_of_their_own(self):
        frame = staff(300)
        labels = np.array(["yes" if v else "no" for v in frame["hired"]], dtype=object)
        augmenter = fl.HierarchicalAugmenter("scalar", "cell", max_steps=3)
        fits = augmenter.fit(frame[["age", "income"]], labels, sensitive_features=frame["sex"]).fits_
        assert ("yes" in fits) and (("f",), "no") in fits

    @pytest.mark.parametrize("confidence", [0.5, 0.01, 1e-6])
    def test_a_rate_lies_in_its_interval(self, confidence):
        for weight in ([40, 1, 1, 1], [1, 1, 1, 1]):
            found = fl.audit(
                [1, 1, 1, 1],
                [1, 0, 0, 0],
                sensitive_features=["a"] * 4,
                sample_weight=weight,
                confidence=confidence,
            )
            rate = found.by_group("tpr")[0]
            assert rate.low <= rate.rate <= rate.high

    def test_errors_are_input_errors(self):
        frame = staff(60)
        X, y, S = frame[["age", "income"]], frame["hired"], frame[["sex"]]
        with pytest.raises(fl.InputError, match="must be numbers in a list"):
            fl.audit(y, y, sensitive_features=frame[["age"]], cuts={"age": 5})
        augmenter = fl.HierarchicalAugmenter().fit(X, y, sensitive_features=S)
        with pytest.raises(fl.InputError, match="a frame of pandas, and was a frame of polars"):
            augmenter.augment(X.to_pandas(), y.to_pandas(), sensitive_features=S)
        pipeline = make_pipeline(fl.TableEncoder(), LogisticRegression())
        for holes in ([None, *y.to_list()[1:]], [np.nan, *map(float, y.to_list()[1:])]):
            with pytest.raises(fl.InputError, match="contains"):
                fl.FairClassifier(pipeline).fit(X, holes, sensitive_features=S)
        lazy = fl.HierarchicalAugmenter(random_state=0).fit(X, y, sensitive_features=S.lazy())
        assert lazy.augment(X, y, sensitive_features=S.lazy()).sensitive_features.height > 60

    def test_leftovers_of_a_killed_run_are_removed_by_the_next(self):
        from fairlattice._files import _prefix

        staff(300).write_csv("t.csv")
        stale = Path(f"{_prefix(Path('o.csv').resolve())}999999999-x.part")
        other = Path(".fairlattice-of-another-1-x.part")
        for path in (stale, other):
            path.touch()
        run("augment", "t.csv", *ROLES, "--out", "o.csv")
        assert (stale.exists(), other.exists()) == (False, True)


def test_clean_tables_bring_no_warning():
    frame = staff()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fl.audit(frame["hired"], frame["pred"], sensitive_features=frame[["sex", "race"]])
        fl.TableEncoder().fit(frame.drop("hired"))
