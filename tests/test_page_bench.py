"""The page of experiments: true to the JSON, whole for whatever ended, safe with any name, never too long."""

import copy
import json
import re
from html import unescape
from itertools import pairwise

import pytest

import fairlattice as fl
from fairlattice.benchmark._shared import Store
from fairlattice.exceptions import InputError
from fairlattice.report import Report
from fairlattice.report._bench_studies import FIGURES, studies, verdicts
from fairlattice.report._charts_bench import _apart
from fairlattice.report._charts_kinds import PLOT


def to_html(summary):
    return Report(summary).to_html()


def figures(summary):
    return Report(summary).figures()


def text_of(summary):
    """The page of a summary, and what it says outside of its style and script."""
    html = to_html(summary)
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    said = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return html, " ".join(unescape(re.sub(r"<[^>]*>", "", said)).split())


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("bench") / "trials.sqlite")
    data = fl.datasets.load_dataset("diabetes")
    methods = ["logistic", "logistic+equal"]
    fl.bench([data], store, methods=methods, seeds=2, axes=1)
    return fl.bench([data], store, methods=methods, seeds=2)


@pytest.fixture(scope="module")
def one(results):
    """The summary of one table."""
    return json.loads(json.dumps(Report.of(results).summary))


def cut_down(table, n):
    """The same table on its first attributes."""
    found = copy.deepcopy(table)
    gone = [a["name"] for a in found["attributes"][n:]]
    found["attributes"] = found["attributes"][:n]
    for m in found["methods"]:
        m["equalized_odds"]["if"]["mean"] -= 0.05 * len(gone)
        for measure in m["measures"].values():
            measure["by_group"] = [
                {**g, "group": {k: v for k, v in g["group"].items() if k not in gone}}
                for g in measure["by_group"][:4]
            ]
    return found


def methods_of(table, names):
    """The table with other methods, made from its second one."""
    found = copy.deepcopy(table)
    made = []
    for i, name in enumerate(names):
        m = copy.deepcopy(table["methods"][1])
        m["name"], (m["method"], _, m["strategy"]) = name, name.partition("+")
        m["strategy"], m["baseline"] = m["strategy"] or "none", names[0]
        known = next(iter(m["differences"].values()))
        m["differences"] = {b: copy.deepcopy(known) for b in (names[0], f"{names[0]}+equal") if b != name}
        m["balanced_accuracy"]["mean"] += 0.003 * (i % 7)
        m["equalized_odds"]["if"]["mean"] -= 0.01 * (i % 5)
        m["chosen"], m["pareto"] = [{"weight": 0.1}, {"weight": 10.0}], ["equalized_odds"] if i < 3 else []
        made.append(m)
    made[0]["leveling_down"] = {"verdict": None, "by_rate": {}, "groups": []}
    found["methods"] = made
    return found


def bare(table):
    return {**table, "methods": [], "seeds": 0}


def error_of(seed):
    return {"method": "broken", "seed": seed, "error": "ValueError: on purpose | with <b>html</b>"}


FIDELITY = {
    "real": {"auc_linear": {"mean": 0.5, "se": 0.01}, "mmd": {"mean": 0.3, "se": None}, "copies": None},
    "paper": {"auc_linear": {"mean": 0.6, "se": 0.02}, "mmd": {"mean": 412.5, "se": 3.0}, "copies": None},
}


def full(one):
    """All that a summary may hold: two data sets, axes, failures, made rows."""
    table = one["tables"][-1]
    table = {**table, "failed": [error_of(0)], "unfinished": {"dro": 1}, "fidelity": FIDELITY}
    other = copy.deepcopy(table)
    other["data"]["name"] = "Other table"
    return copy.deepcopy({**one, "tables": [cut_down(table, 1), table, other]})


def test_the_page_is_whole_and_the_same_every_time(one):
    summary = full(one)
    before = copy.deepcopy(summary)
    html, text = text_of(summary)
    assert summary == before
    assert to_html(json.loads(json.dumps(summary))) == html
    assert "diabetes" in text and "Other table" in text
    assert html.count("ValueError: on purpose | with &lt;b&gt;html&lt;/b&gt;") == 3
    assert "dro has 1 of 2 seeds" in text
    assert "412.500 ± 3.000" in text
    assert set(figures(summary)) == {
        "tradeoff_diabetes", "tradeoff_tpr_diabetes", "groups_diabetes", "axes_diabetes",
        "tradeoff_other_table", "tradeoff_tpr_other_table", "groups_other_table",
    }  # fmt: skip


def test_figures_of_the_page_are_those_of_the_summary(one):
    table = one["tables"][-1]
    html, text = text_of(one)
    body = re.search(r'<table id="methods-diabetes-\d".*?</table>', html, flags=re.DOTALL)[0]
    for m in table["methods"]:
        row = next(r for r in re.findall(r"<tr>.*?</tr>", body) if f"<bdi>{m['name']}</bdi></span></th>" in r)
        for e in (m["balanced_accuracy"], m["measures"]["tpr"]["worst"], m["equalized_odds"]["if"]):
            assert f"{e['mean']:.3f} ± {e['se']:.3f}" in row
        told = f"{m['name']}\nbalanced accuracy {m['balanced_accuracy']['mean']:.3f}"
        assert f'aria-label="{told}' in unescape(html)
    lowest = min(table["methods"], key=lambda m: m["equalized_odds"]["if"]["mean"])
    assert f"{lowest['name']}, {lowest['equalized_odds']['if']['mean']:.3f}" in text
    total = sum(one["seconds"].values())
    assert f"{total:,.1f} seconds of one core" in text


def judged(one, mean, noise, verdict):
    summary = copy.deepcopy(one)
    summary["tables"] = summary["tables"][-1:]
    m = summary["tables"][0]["methods"][1]
    m["differences"]["logistic"]["equalized_odds.if"] |= {"mean": mean, "within_noise": noise}
    m["leveling_down"]["verdict"] = verdict
    return summary


def test_the_answer_follows_the_verdicts(one):
    lead = text_of(judged(one, -0.2, False, "yes"))[1]
    assert "logistic+equal is fairer than logistic beyond noise" in lead
    assert "logistic+equal levels down" in lead
    lead = text_of(judged(one, 0.2, False, "no"))[1]
    assert "no method is fairer than logistic beyond noise" in lead
    assert "logistic+equal is less fair" in lead and "no method is shown to level down" in lead
    lead = text_of(judged(one, -0.2, True, "no"))[1]
    assert "1 of 1 is within noise" in lead
    table = judged(one, -0.2, False, "no")["tables"][0]
    assert [m["name"] for m in verdicts(table).fairer] == ["logistic+equal"]
    assert [m["name"] for m in verdicts(table, "equal").noise + verdicts(table, "equal").less] in (
        ["logistic"],
        [],
    )


def test_tables_that_grow_are_one_study_and_others_are_not(one):
    table = one["tables"][-1]
    small, other_rows = cut_down(table, 1), copy.deepcopy(table)
    other_rows["data"]["rows"] += 1
    other_margin = {**table, "settings": {**table["settings"], "margin": 0.5}}
    found = studies({**one, "tables": [table, small, other_rows, other_margin]})
    assert [[len(t["attributes"]) for t in s.tables] for s in found] == [
        [1, len(table["attributes"])],
        [len(table["attributes"])],
        [len(table["attributes"])],
    ]
    assert found[0].main is table
    assert [s.name for s in found] == ["diabetes", "diabetes_2", "diabetes_3"]


def test_names_of_figures_are_safe_and_unique(one):
    names = ["adult", "tpr_adult", "Adult", "../x y", "", "🙂", "a" * 500, "adult_2"]
    tables = [{**t, "data": {**t["data"], "name": n}} for n in names for t in one["tables"][-1:]]
    found = studies({**one, "tables": tables})
    every = [f"{kind}_{s.name}" for s in found for kind in FIGURES]
    assert len(every) == len(set(every)) == len(names) * len(FIGURES)
    assert all(re.fullmatch(r"[a-z0-9_]{1,60}", n) for n in every)
    assert found[3].name == "x_y" and found[4].name == "data"


def test_what_is_not_there_leaves_a_page(one):
    table = one["tables"][-1]
    alone = copy.deepcopy(table)
    alone["methods"] = alone["methods"][:1]
    alone["methods"][0]["differences"] = {}
    cases = {
        "one method only": alone,
        "no method was trained": {**bare(table), "settings": {}, "fidelity": FIDELITY},
        "no method has finished; see what failed": {**bare(table), "failed": [error_of(0), error_of(1)]},
        "no method has finished.": bare(table),
    }
    for words, only in cases.items():
        html, text = text_of({**one, "tables": [only], "notes": []})
        assert words in text
        assert ("<svg" in html) == bool(only["methods"])
    _, text = text_of({**one, "tables": [], "notes": []})
    assert "No experiment has ended" in text


def test_one_seed_and_figures_that_agree_can_be_drawn(one):
    summary = copy.deepcopy(one)
    for table in summary["tables"]:
        table["seeds"] = 1
        for m in table["methods"]:
            for e in (m["balanced_accuracy"], m["equalized_odds"]["if"], m["measures"]["tpr"]["if"]):
                e |= {"mean": 0.123456789, "se": None}
        table["methods"][1]["balanced_accuracy"]["mean"] += 1e-12
    _, text = text_of(summary)
    assert "One seed alone says nothing of noise" in text
    assert "NaN" not in text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "'\"><img src=x>", "", "]]></svg>", "n" * 9_999]
)
def test_hostile_names_of_methods_and_errors_are_text(one, hostile):
    summary = full(one)
    for table in summary["tables"]:
        table["failed"] = [{**error_of(0), "method": hostile, "error": hostile}]
        table["data"]["name"] = table["data"]["label"] = hostile
        for i, m in enumerate(table["methods"]):
            m["name"], m["method"], m["strategy"] = f"{hostile}{i}", hostile, f"{hostile}+{i}"
            m["remarks"], m["chosen"] = [hostile], [{hostile: hostile}]
    html, text = text_of(summary)
    assert html.count("<script>") == 1 and "<img" not in html
    assert html.count("<svg") == html.count("</svg>")
    assert (hostile or "(empty)")[:50] in text
    assert len(html) < 500_000


def test_thirty_methods_on_four_tables_weigh_less_than_a_megabyte(one):
    methods = ("unconstrained", "adversarial", "fairgrad", "inlp", "fairmixup", "df", "dro", "a", "b", "c")
    names = [m + s for s in ("", "+equal", "+augment") for m in methods]
    table = methods_of(one["tables"][-1], names)
    tables = [cut_down(table, n) for n in range(1, len(table["attributes"]))] + [table]
    html, text = text_of({**one, "tables": tables})
    assert len(html.encode()) < 1_000_000 / 4
    assert "30 methods on" in text
    assert "Shown: 10 of 30 methods" in text
    assert html.count("<svg") == 4


def test_names_beside_lines_keep_apart_and_inside():
    for places in ([10.0, 10.0, 10.0], [300.0, 318.0, 320.0], [float(i) for i in range(20)], []):
        found = _apart(places)
        assert all(b - a >= 15 - 1e-9 for a, b in pairwise(found))
        assert all(at <= PLOT[1] for at in found)
    assert _apart([10.0, 100.0]) == [10.0, 100.0]


def test_a_report_is_made_of_results_and_read_again(results, one, tmp_path):
    report = Report.of(results)
    assert json.loads(json.dumps(report.summary)) == one
    path = tmp_path / "bench.json"
    report.to_json(path)
    again = Report.from_json(path)
    assert again.to_html() == to_html(one)
    assert set(again.figures()) == set(figures(one))
    damaged = {k: v for k, v in one.items() if k != "notes"}
    with pytest.raises(InputError, match=r"lacks 'notes', which `fairlattice/bench/2` has"):
        to_html(damaged)
