"""The page in a real browser: quiet, self-contained, usable by keyboard, safe with any name, accessible.

Needs Chromium and, for the check of accessibility, axe-core; the README tells how to get them.
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import fairlattice as fl
from fairlattice.report import Report

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

HOSTILE = [
    "<script>document.title='run'</script>",
    "'\"><img src=x onerror=\"document.title='run'\">",
    '=HYPERLINK("http://example.org","x")',
    "‮right to left‏",
    "n" * 10_000,
    "👩🏾‍🦽 ✓",
    "",
    "{{ 7*7 }} ${7*7} datum.x",
]


@cache
def axe() -> str | None:
    """The text of axe-core, where npm has put it."""
    folders = [Path(__file__).parents[1] / "node_modules"]
    npm = shutil.which("npm")
    if npm:
        found = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False)
        folders.append(Path(found.stdout.strip()))
    files = [folder / "axe-core" / "axe.min.js" for folder in folders]
    return next((f.read_text(encoding="utf-8") for f in files if f.is_file()), None)


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """A function that opens a page from disk, and what happened while it was open."""
    contexts = []

    def open_page(html: str, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        page = context.new_page()
        page.told = []
        page.on("console", lambda m: page.told.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: page.told.append(str(e)))
        page.on(
            "request", lambda r: None if r.url.startswith(("file:", "data:")) else page.told.append(r.url)
        )
        page.on("dialog", lambda d: page.told.append(d.message))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def an_audit(
    levels=("f", "m", "x"), other=("Bern", "Lima", "Oslo", "Rome"), n=3000, name="scored.csv", seed=0
):
    rng = np.random.default_rng(seed)
    p = np.arange(len(levels), 0, -1.0) ** 2
    S = {
        "sex": rng.choice(np.array(levels, dtype=object), n, p=p / p.sum()),
        "town": rng.choice(np.array(other, dtype=object), n),
    }
    y = rng.integers(0, 2, n)
    wrong = rng.random(n) < np.where(S["sex"] == levels[-1], 0.5, 0.2)
    return Report.of(fl.audit(y, np.where(wrong, 1 - y, y), sensitive_features=S), name=name)


@cache
def pages() -> dict[str, str]:
    """A page of every kind."""
    rng = np.random.default_rng(0)
    S = {"sex": rng.choice(["f", "m"], 400, p=[0.3, 0.7]), "old": rng.integers(0, 2, 400)}
    y = rng.integers(0, 2, 400)
    X = rng.normal(size=(400, 3)) + y[:, None]
    compared = fl.compare(
        X, y, sensitive_features=S, strategies=["none", "equal", "augment"], repeats=2, n_jobs=1
    )
    diagnosed = fl.diagnose(X, y, sensitive_features=S, permutations=99, max_rows=50, pictures=1)
    levels = fl.leveling_down(y, rng.integers(0, 2, 400), y, sensitive_features=S)
    audit = fl.audit(y, rng.integers(0, 2, 400), sensitive_features=S)
    return {
        "audit": Report.of(audit, leveling=levels).to_html(),
        "compare": Report.of(compared).to_html(),
        "diagnose": Report.of(diagnosed).to_html(),
    }


KINDS = ("audit", "compare", "diagnose")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_opens_without_a_word_and_asks_no_host(opened, kind):
    page = opened(pages()[kind])
    assert page.locator("h1").count() == 1
    assert page.locator("#answer .lead p").count() >= 1
    assert page.told == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(opened, kind, scheme):
    if axe() is None:
        pytest.skip("axe-core is not installed: npm install axe-core")
    page = opened(pages()[kind], color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(content=axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    bad = [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found]
    assert [v for v in bad if v[1] in ("serious", "critical")] == []


def numbers(page, table, column):
    cells = page.locator(f"#{table} tbody tr").evaluate_all(
        f"rows => rows.map(r => r.cells[{column}].textContent)"
    )
    return [float(c.replace(",", "")) for c in cells if re.fullmatch(r"-?[\d.,]+", c.strip())]


def test_tables_sort_filter_and_copy(opened):
    page = opened(an_audit().to_html())
    sortable = page.locator("details.table table").first
    name = sortable.get_attribute("id")
    heads = sortable.locator("th").evaluate_all("hs => hs.map(h => h.className)")
    column = heads.index("n")
    button = sortable.locator("th").nth(column).locator("button")
    button.focus()
    page.keyboard.press("Enter")
    assert sortable.locator("th").nth(column).get_attribute("aria-sort") == "ascending"
    up = numbers(page, name, column)
    assert up == sorted(up)
    page.keyboard.press("Enter")
    down = numbers(page, name, column)
    assert down == sorted(up, reverse=True)
    details = page.locator("details.table").filter(has=page.locator(f"#{name}"))
    rows = page.locator(f"#{name} tbody tr")
    whole = rows.count()
    details.locator("input[type=search]").fill("rome")
    assert 0 < rows.count() < whole
    assert all("Rome" in text for text in rows.all_inner_texts())
    details.get_by_role("button", name="Copy as CSV").click()
    details.get_by_text("rows copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert len(copied.strip().split("\n")) == rows.count() + 1
    assert page.told == []


def test_the_lattice_is_walked_by_keyboard_to_a_leaf_whose_figures_are_those_of_the_report(opened):
    report = an_audit()
    page = opened(report.to_html())
    explorer = page.locator("#explorer")
    rate = explorer.locator("#pick-rate")
    rate.select_option(index=0)
    for level in ("f", "Bern"):
        button = explorer.locator("tbody button").filter(has_text=re.compile(f"={level}$"))
        button.focus()
        page.keyboard.press("Enter")
    assert explorer.locator(".path li").count() == 3
    shown = float(explorer.locator(".here b").inner_text())
    first = next(iter(report.summary["measures"].values()))
    leaf = next(g for g in first["by_group"] if g["group"] == {"sex": "f", "town": "Bern"})
    assert shown == pytest.approx(leaf["rate"], abs=5e-4)
    assert f"{leaf['low']:.3f}" in explorer.locator(".here").inner_text()
    explorer.locator(".path button").first.click()
    everyone = fl_overall(report)
    assert float(explorer.locator(".here b").inner_text()) == pytest.approx(everyone, abs=5e-4)


def fl_overall(report):
    rows = next(iter(report.summary["measures"].values()))["by_group"]
    return sum(g["rate"] * g["n"] for g in rows if g["n"]) / sum(g["n"] for g in rows)


@pytest.mark.filterwarnings("ignore::fairlattice.exceptions.AssumptionWarning")
def test_hostile_names_are_text_and_the_copy_is_no_formula(opened):
    report = an_audit(HOSTILE, ("=1+1", "@x"), name=HOSTILE[0])
    page = opened(report.to_html())
    assert "run" not in (page.title().split(":")[0], page.evaluate("document.title"))
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2  # ours, and the data
    text = page.locator("main").inner_text()
    assert "<script>document.title" in text
    assert "datum.x" in text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    details = page.locator("details.table").first
    details.get_by_role("button", name="Copy as CSV").click()
    details.get_by_text("rows copied").wait_for()
    for field in re.findall(
        r'(?:^|,|\r\n)("(?:[^"]|"")*"|[^,\r\n]*)', page.evaluate("navigator.clipboard.readText()")
    ):
        bare = field.strip('"')
        assert not bare.startswith(("=", "@", "\t")), bare[:50]
    assert page.told == []


def test_it_fits_a_narrow_screen_and_prints_all_rows(opened, tmp_path):
    page = opened(pages()["audit"], viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.pdf(path=str(tmp_path / "page.pdf"))
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


def test_printed_tables_keep_their_heads(opened):
    page = opened(pages()["audit"])
    titles = page.locator("#table-ratios thead th[data-title]")
    assert titles.count() >= 6
    page.emulate_media(media="print")
    shown = page.evaluate(
        """() => [...document.querySelectorAll("#table-ratios thead th[data-title]")].map(
            (h) => [getComputedStyle(h, "::after").content, getComputedStyle(h.firstChild).display])"""
    )
    assert all(content not in ("none", '""') and display == "none" for content, display in shown)


def test_a_narrow_screen_says_that_charts_scroll_and_breaks_no_line_before_a_comma(opened):
    report = an_audit(("female", "male", "another"), ("a town of some length", "Lima", "Oslo", "Rome"))
    page = opened(report.to_html(), viewport={"width": 390, "height": 800})
    cue = page.evaluate("getComputedStyle(document.querySelector('.chart'), '::before').content")
    assert "Scroll" in cue
    starts = page.evaluate(
        """() => [...document.querySelectorAll(".lead p, h1, h2, h3, summary")].flatMap((node) => {
            const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT), found = [];
            const range = document.createRange();
            let last = null;
            for (let text; (text = walker.nextNode()); )
                for (let i = 0; i < text.length; i++) {
                    range.setStart(text, i); range.setEnd(text, i + 1);
                    const box = range.getBoundingClientRect();
                    if (!box.width) continue;
                    if (last !== null && box.top > last + 4) found.push(text.data[i]);
                    last = box.top;
                }
            return found;
        })"""
    )
    assert len(starts) > 5
    assert "," not in starts


def test_two_thousand_groups_stay_usable(opened):
    towns = tuple(f"town {i}" for i in range(90))
    report = an_audit(tuple("abcdefghijklmnopqrstuvwx"), towns, n=40_000)
    html = report.to_html()
    assert len(next(iter(report.summary["measures"].values()))["by_group"]) > 1500
    page = opened(html)
    table = page.locator("details.table").filter(has_text="Show 100 more").first
    assert table.locator("tbody tr").count() == 100
    table.locator("input[type=search]").fill("town 89")
    assert 0 < table.locator("tbody tr").count() <= 100
    assert page.told == []


def test_it_reads_without_its_script(opened):
    page = opened(pages()["audit"], java_script_enabled=False)
    assert page.get_by_text("Without JavaScript the tables are complete").count() == 1
    assert page.locator("#explore").is_hidden()
    assert page.locator("details.table table").first.is_visible()


def test_in_a_notebook_it_shows_in_a_frame(opened):
    report = an_audit(n=300)
    page = opened(f"<!doctype html><title>n</title>{report._repr_html_()}")
    frame = page.frames[1]
    frame.wait_for_selector("h1")
    assert frame.locator("#answer").count() == 1
