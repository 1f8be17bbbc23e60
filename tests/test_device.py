"""`device=`: fits on a device of PyTorch find what NumPy finds, and a device that is not there is refused by name."""

import builtins
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import fairlattice as fl
from fairlattice import HierarchicalAugmenter, InputError
from fairlattice.cli import main
from fairlattice.groups import GroupLattice
from fairlattice.samplers import CellIndex, ImportanceSampler, MixingSampler
from fairlattice.samplers._membership import MembershipModel

ADDITIVE = [4, 3, 2]  # levels of each attribute


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.fixture(params=["cpu", "cuda"])
def device(request, torch):
    """The processor, and a card where one is at hand."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return request.param


def people(n=3_000, d=12, seed=0):
    rng = np.random.default_rng(seed)
    levels = [rng.integers(0, k, n) for k in ADDITIVE]
    Z = rng.normal(size=(n, d)) + np.stack(levels, axis=1) @ rng.normal(size=(len(levels), d))
    return Z, levels, rng.integers(0, 2, n)


def cells(levels, y):
    features = {f"a{i}": column for i, column in enumerate(levels)}
    lattice = GroupLattice.from_features(features)
    return CellIndex(lattice, lattice.encode(features), y, 2)


@pytest.mark.parametrize("together", [True, False])
def test_the_membership_model_gives_the_probabilities_of_numpy(device, together, monkeypatch):
    if not together:
        monkeypatch.setattr("fairlattice.samplers._membership._MOST_SCORES", 1)
    Z, levels, _ = people()
    digits, thin = np.array(levels), np.arange(0, len(Z), 2)
    fits = [MembershipModel.fit(Z, digits, thin, levels=ADDITIVE, device=where) for where in (None, device)]
    assert len(fits[1].parts) == (1 if together else 3)
    ours, theirs = (fit.scores(Z).parts for fit in fits)
    assert isinstance(theirs, np.ndarray)
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(np.exp(theirs), np.exp(ours), rtol=1e-6)


def test_importance_weights_are_those_of_numpy(device):
    Z, levels, y = people()
    index = cells(levels, y)
    ours, theirs = (ImportanceSampler.fit(Z, index, entropy=(0,), device=where) for where in (None, device))
    for cell, _ in index.cells():
        rows, weights = ours.weights(cell)
        assert theirs.weights(cell)[0].tolist() == rows.tolist()
        np.testing.assert_allclose(theirs.weights(cell)[1], weights, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("share", ["label", "cell"])
def test_parameters_of_mixes_are_those_of_numpy(device, share, copied, monkeypatch):
    if not copied:  # as of tables too large to copy
        monkeypatch.setattr("fairlattice.samplers._mixing._COPIED", 10)
    Z, levels, y = people()
    index = cells(levels, y)
    ours, theirs = (
        MixingSampler.fit(Z, index, entropy=(0,), share=share, device=where) for where in (None, device)
    )
    for key, fit in ours.parameters.items():
        if share == "label":
            np.testing.assert_allclose(theirs.parameters[key].parameters, fit.parameters, atol=1e-4)
        np.testing.assert_allclose(theirs.parameters[key].curve[-1], fit.curve[-1], rtol=1e-3)
    assert isinstance(theirs.by_label[0].parameters, np.ndarray)


@pytest.mark.parametrize("mixing", ["importance", "scalar", "diagonal", "smote"])
def test_an_augmenter_on_a_device_draws_nearly_the_rows_of_numpy(device, mixing):
    Z, levels, y = people(900)
    S = {"a": levels[0], "b": levels[1]}
    ours, theirs = (
        HierarchicalAugmenter(mixing, device=where, random_state=0)
        .fit(Z, y, sensitive_features=S)
        .augment(Z, y, sensitive_features=S)
        for where in (None, device)
    )
    assert theirs.y.tolist() == ours.y.tolist()
    close = np.isclose(theirs.X, ours.X, atol=1e-2 if mixing == "diagonal" else 1e-3).all(axis=1)
    assert close.mean() > 0.99


def test_a_strategy_trains_with_rows_of_an_augmenter_on_a_device(device):
    Z, levels, y = people(600)
    augmenter = HierarchicalAugmenter("scalar", device=device, per_cell=60, random_state=0)
    model = fl.FairClassifier(LogisticRegression(), strategy="equal", augmenter=augmenter)
    model.fit(Z, y, sensitive_features={"a": levels[0], "b": levels[1]})
    assert set(model.predict(Z)) <= {0, 1}


@pytest.mark.parametrize("strategy", ["paper", "augment", "borrow", "minimax"])
def test_a_comparison_on_a_device_predicts_nearly_as_with_numpy(device, strategy):
    Z, levels, y = people(600)
    groups = {"a": levels[0], "b": levels[1]}
    options = {"sensitive_features": groups, "strategies": [strategy], "folds": 2, "repeats": 1, "n_jobs": 1}
    ours, theirs = (fl.compare(Z, y, **options, device=where) for where in (None, device))
    assert np.mean(ours.predictions()["y_pred"] == theirs.predictions()["y_pred"]) > 0.99
    assert theirs.settings["device"] == device and "device" not in ours.settings


@pytest.mark.parametrize("train", ["compare", "classifier"])
def test_comparisons_and_classifiers_refuse_a_device_that_cannot_be_used(torch, train):
    Z, levels, y = people(200)
    groups = {"a": levels[0], "b": levels[1]}
    with pytest.raises(InputError, match=r"`device` 'nonsense' cannot be used"):
        if train == "compare":
            fl.compare(Z, y, sensitive_features=groups, device="nonsense")
        else:
            fl.FairClassifier(LogisticRegression(), device="nonsense").fit(Z, y, sensitive_features=groups)


@pytest.mark.parametrize("mixing", ["importance", "scalar"])
@pytest.mark.parametrize("odd", ["cuda:99", "nonsense", "meta", 7.5])
def test_a_device_that_cannot_be_used_is_refused_by_name(torch, mixing, odd):
    Z, levels, y = people(200)
    with pytest.raises(InputError, match=r"`device` .* cannot be used") as refused:
        HierarchicalAugmenter(mixing, device=odd).fit(Z, y, sensitive_features={"a": levels[0]})
    assert repr(odd) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_torch_the_error_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def without(name, *more, **options):
        if name == "torch":
            raise ImportError("No module named 'torch'")
        return found(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    Z, levels, y = people(200)
    with pytest.raises(InputError, match=r"needs PyTorch.*fairlattice\[torch\]"):
        HierarchicalAugmenter(device="cuda").fit(Z, y, sensitive_features={"a": levels[0]})
    HierarchicalAugmenter().fit(Z, y, sensitive_features={"a": levels[0]})


@pytest.mark.parametrize("more", [[], ["--stream"]])
def test_augment_fits_on_a_device_of_the_command_line(device, more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Z, levels, y = people(400, 4)
    pl.DataFrame({"y": y, "a": levels[0], **{f"x{j}": Z[:, j] for j in range(4)}}).write_parquet("t.parquet")
    command = ["augment", "t.parquet", "--label", "y", "--sensitive", "a", "--mixing", "scalar", *more]
    assert main([*command, "--out", "o.parquet", "--device", device, "--json", "o.json"]) == 0
    assert main([*command, "--out", "n.parquet", "--json", "n.json"]) == 0
    ours, theirs = (pl.read_parquet(f"{name}.parquet") for name in "no")
    assert ours.columns == theirs.columns
    np.testing.assert_allclose(theirs["x0"].to_numpy(), ours["x0"].to_numpy(), atol=1e-3)
    settings = [json.loads(Path(f"{name}.json").read_text())["settings"] for name in "no"]
    assert "device" not in settings[0]
    assert settings[1]["device"] == device
    capsys.readouterr()


@pytest.mark.parametrize(
    ("more", "word"),
    [(["--device", "cuda:99"], "cuda:99"), (["--device", "cpu", "--mixing", "smote"], "SMOTE")],
)
def test_a_device_that_cannot_be_used_ends_the_command_before_any_work(torch, more, word, tmp_path, capsys):
    table, out = tmp_path / "t.csv", tmp_path / "o.csv"
    table.write_text("y,a,x\n1,f,1\n0,m,2\n")
    command = ["augment", str(table), "--label", "y", "--sensitive", "a", "--out", str(out), *more]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert word in error
    assert "`--device`" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_compare_takes_a_device_on_the_command_line(torch, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Z, levels, y = people(300, 3)
    pl.DataFrame({"y": y, "a": levels[0], **{f"x{j}": Z[:, j] for j in range(3)}}).write_parquet("t.parquet")
    command = ["compare", "t.parquet", "--label", "y", "--sensitive", "a", "--strategies", "none,borrow"]
    command += ["--folds", "2", "--repeats", "1", "--json", "o.json"]
    assert main([*command, "--device", "cpu"]) == 0
    assert json.loads(Path("o.json").read_text())["settings"]["device"] == "cpu"
    assert main([*command, "--device", "cuda:99"]) == 2
    assert "`--device` 'cuda:99'" in capsys.readouterr().err
