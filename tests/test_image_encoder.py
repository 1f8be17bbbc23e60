"""Encoder of images: what the network makes of each file, once, and from where it was after a kill."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from fairlattice import InputError
from fairlattice.encoders import ImageEncoder, TextTableEncoder

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")


class FakeNetwork(torch.nn.Module):
    """Stands for a ResNet: the mean colour, through one layer, then a last layer that does not count."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = torch.nn.Linear(3, 512), torch.nn.Linear(512, 1000)
        self.read = []
        self.fails_at = None

    def forward(self, batch):
        assert not self.training
        assert not torch.is_grad_enabled()
        if len(self.read) == self.fails_at:
            raise KeyboardInterrupt
        self.read.append(len(batch))
        return self.fc(self.body(batch.mean((2, 3))))


class Fake:
    """Stands for torchvision.models."""

    def __init__(self):
        self.fails_at = None
        self.networks = []

        def prepare(image):
            assert image.mode == "RGB"
            return torch.from_numpy(np.asarray(image.resize((8, 8)), dtype=np.float32) / 255).permute(2, 0, 1)

        self.learned = types.SimpleNamespace(transforms=lambda: prepare)
        self.module = types.ModuleType("torchvision.models")
        self.module.ResNet18_Weights = types.SimpleNamespace(IMAGENET1K_V1=self.learned)
        self.module.resnet18 = self.make

    def make(self, *, weights=None):
        if weights is not None:
            assert weights is self.learned
            raise OSError("Name or service not known")
        network = FakeNetwork()
        network.fails_at = self.fails_at
        self.networks.append(network)
        return network

    @property
    def read(self):
        return sum(sum(network.read) for network in self.networks)


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", made.module)
    return made


@pytest.fixture
def files(tmp_path):
    """Twelve small images of all modes and shapes."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(12):
        pixels = rng.integers(0, 256, (5 + i, 9, 3), dtype=np.uint8)
        path = tmp_path / f"{i}.png"
        Image.fromarray(pixels).convert(["RGB", "L", "RGBA", "1"][i % 4]).save(path)
        paths.append(str(path))
    return paths


def naive(network, prepare, paths):
    """One image at a time, the last layer by hand left out."""
    out = []
    for path in paths:
        with Image.open(path) as image, torch.inference_mode():
            out.append(network.body(prepare(image.convert("RGB"))[None].mean((2, 3)))[0].numpy())
    return np.array(out)


def test_images_are_what_the_network_makes_of_each(fake, files):
    rows = [files[i] for i in (3, 0, 3, 11, 5)]
    made = ImageEncoder(batch_size=2).fit(rows).transform(rows)
    assert made.shape == (5, 512)
    assert made.dtype == np.float32
    assert made == pytest.approx(naive(fake.networks[0], fake.learned.transforms(), rows), abs=1e-6)
    assert fake.read == 4  # the one that is there twice was read once
    for kind in (tuple, np.array, pd.Series, pl.Series, lambda paths: [Path(p) for p in paths]):
        assert ImageEncoder(batch_size=2).transform(kind(rows)).tobytes() == made.tobytes()


def test_random_weights_are_always_the_same_and_leave_the_global_seed_alone(fake, files):
    torch.manual_seed(1)
    first = ImageEncoder().transform(files)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert ImageEncoder().transform(files).tobytes() == first.tobytes()
    assert torch.equal(torch.get_rng_state(), before)


def test_order_does_not_matter(fake, files):
    made = ImageEncoder(batch_size=5).transform(files)
    assert ImageEncoder(batch_size=5).transform(files[::-1])[::-1].tobytes() == made.tobytes()


def test_weights_from_a_file(fake, files, tmp_path):
    network = FakeNetwork()
    with torch.no_grad():
        network.body.weight.mul_(3.0)
    state = network.state_dict() | {"fc.weight": torch.zeros(2, 512), "fc.bias": torch.zeros(2)}
    torch.save(state, tmp_path / "w.pt")
    made = ImageEncoder(weights=tmp_path / "w.pt").transform(files)
    network.eval()
    assert made == pytest.approx(naive(network, fake.learned.transforms(), files), abs=1e-5)


def test_a_hit_in_the_cache_equals_fresh_vectors(fake, files, tmp_path):
    fresh = ImageEncoder(batch_size=5).transform(files)
    encoder = ImageEncoder(batch_size=5, cache=tmp_path / "deep" / "cache")
    assert encoder.transform(files).tobytes() == fresh.tobytes()
    fake.networks.clear()
    assert clone(encoder).transform(files[::-1] + files)[11::-1].tobytes() == fresh.tobytes()
    assert not fake.networks


@pytest.mark.parametrize("alive", [0, 1, 2])
def test_a_killed_run_goes_on_where_it_was(fake, files, tmp_path, alive):
    told = []
    encoder = ImageEncoder(
        batch_size=5, cache=tmp_path / "cache", progress=lambda done, n: told.append((done, n))
    )
    fake.fails_at = alive
    with pytest.raises(KeyboardInterrupt):
        encoder.transform(files)
    assert told == [(5 * i, 12) for i in range(alive + 1)]
    assert fake.read == 5 * alive
    fake.fails_at = None
    fake.networks.clear()
    told.clear()
    made = encoder.transform(files)
    assert fake.read == 12 - 5 * alive
    assert told == [(5 * i, 12) for i in range(alive, 3)] + [(12, 12)]
    assert made.tobytes() == ImageEncoder(batch_size=5).transform(files).tobytes()


def cached(folder):
    (numbers,), (told,) = folder.glob("images-*.npy"), folder.glob("images-*.json")
    return numbers, told


@pytest.mark.parametrize(
    ("which", "spoil", "read_again"),
    [
        ("told", lambda file: file.write_text("{"), 12),
        ("told", lambda file: file.write_text('{"checksums": [1, 2]}'), 12),
        ("told", lambda file: file.write_text('{"checksums": {"x": 1, "0": NaN}}'), 12),
        ("told", lambda file: file.write_bytes(b"\xff\xfe\x00"), 12),
        ("told", lambda file: file.unlink(), 12),
        ("numbers", lambda file: file.unlink(), 12),
        ("numbers", lambda file: file.write_bytes(b""), 12),
        ("numbers", lambda file: file.write_bytes(file.read_bytes()[:-9]), 2),
        ("numbers", lambda file: file.write_bytes(b"no array at all" * 900), 12),
        ("numbers", lambda file: np.save(file, np.zeros((3, 512), dtype=np.float32)), 12),
        ("numbers", lambda file: np.save(file, np.load(file).astype(float)), 12),
        ("numbers", lambda file: np.save(file, np.array([{}], dtype=object), allow_pickle=True), 12),
        ("numbers", lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\x01"), 2),
        ("told", lambda file: file.write_text(file.read_text().replace('"0"', '"-1"')), 5),
        ("told", lambda file: file.write_text(file.read_text().replace('"0"', '"90"')), 5),
    ],
)
def test_whatever_is_broken_in_the_cache_is_made_anew(fake, files, tmp_path, which, spoil, read_again):
    encoder = ImageEncoder(batch_size=5, cache=tmp_path / "cache")
    fresh = encoder.transform(files)
    numbers, told = cached(tmp_path / "cache")
    spoil({"numbers": numbers, "told": told}[which])
    fake.networks.clear()
    assert encoder.transform(files).tobytes() == fresh.tobytes()
    assert fake.read == read_again
    numbers, told = cached(tmp_path / "cache")
    assert sorted(json.loads(told.read_text())["checksums"]) == ["0", "1", "2"]
    assert np.load(numbers).shape == (12, 512)


def test_other_images_weights_and_files_do_not_use_the_same_vectors(fake, files, tmp_path):
    encoder = ImageEncoder(cache=tmp_path / "cache")
    first = encoder.transform(files)
    torch.save(FakeNetwork().state_dict(), tmp_path / "w.pt")
    other = ImageEncoder(cache=tmp_path / "cache", weights=tmp_path / "w.pt").transform(files)
    assert np.abs(other - first).max() > 0.01
    Image.new("RGB", (4, 4), "red").save(files[0])
    changed = encoder.transform(files)
    assert np.abs(changed[0] - first[0]).max() > 0.01
    assert changed[1:] == pytest.approx(first[1:], abs=1e-6)
    assert encoder.transform(files[1:]) == pytest.approx(changed[1:], abs=1e-6)


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_a_broken_image_is_named(fake, files, content):
    whole = Path(files[7]).read_bytes()
    Path(files[7]).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(InputError, match=r"Image `.*7\.png` cannot be read") as caught:
        ImageEncoder().transform(files)
    assert "\n" not in str(caught.value)


def test_a_missing_image_is_named_before_any_work_is_done(fake, files, tmp_path):
    with pytest.raises(InputError, match=r"Image `.*gone\.png` cannot be read: No such file"):
        ImageEncoder().transform([*files, str(tmp_path / "gone.png")])
    with pytest.raises(InputError, match=r"Image `.*` cannot be read"):
        ImageEncoder().transform([*files, "a\0b"])
    with pytest.raises(InputError, match=r"Image `.*` cannot be read"):
        ImageEncoder().transform([str(tmp_path)])
    assert not fake.read


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([None], "got NoneType in row 0"),
        (["a.png", 3], "got int in row 1"),
        ([b"a.png"], "got bytes in row 0"),
        ("a.png", "must be array-like"),
        ([], "`X` has no rows"),
    ],
)
def test_what_is_no_path_is_refused(fake, values, told):
    with pytest.raises(InputError, match=told):
        ImageEncoder().fit(values)


def test_no_images_become_no_vectors(fake, tmp_path):
    assert ImageEncoder(cache=tmp_path / "cache").transform([]).shape == (0, 512)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"weights": "none-here.pt"}, "`weights` must be a file.*No such file"),
        ({"weights": 3.5}, "`weights` must be a file"),
        ({"weights": "imagenet"}, "`weights` 'imagenet' cannot be loaded: Name or service not known. Pass"),
        ({"batch_size": 0}, "`batch_size` must be a whole number"),
        ({"progress": "yes"}, "`progress` must be callable"),
        ({"device": "toaster"}, "`device` 'toaster' cannot be used"),
    ],
)
def test_bad_options_are_refused(fake, files, option, told):
    with pytest.raises(InputError, match=told) as caught:
        ImageEncoder(**option).transform(files)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("state", [{"body.weight": torch.zeros(2)}, [1, 2], None])
def test_weights_of_something_else_are_refused(fake, files, tmp_path, state):
    path = tmp_path / "w.pt"
    path.write_bytes(b"no weights")
    if state is not None:
        torch.save(state, path)
    with pytest.raises(InputError, match=r"`weights` .* cannot be loaded: ") as caught:
        ImageEncoder(weights=path).transform(files)
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_is_told(fake, files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"The cache `.*file` cannot be used"):
        ImageEncoder(cache=tmp_path / "file").transform(files)


@pytest.mark.parametrize("module", ["torchvision.models", "PIL.Image"])
def test_without_a_library_the_extra_is_named(fake, files, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    name = module.partition(".")[0]
    with pytest.raises(InputError, match=rf'`{name}` is not installed.*"fairlattice\[image\]"'):
        ImageEncoder().transform(files)


def test_a_column_of_paths_in_a_table(fake, files):
    table = pl.DataFrame({"age": range(12), "photo": files})
    encoder = TextTableEncoder(("photo",), ImageEncoder()).fit(table)
    assert encoder.slices_ == {"age": slice(0, 1), "photo": slice(1, 513)}
    assert (encoder.transform(table)[:, 1:] == ImageEncoder().transform(files)).all()


# ------------------------------------------------------------------------------------ the real network


@pytest.fixture
def torchvision():
    try:
        import torchvision
    except (ImportError, OSError, RuntimeError) as error:  # its build must fit that of torch
        pytest.skip(f"torchvision cannot be loaded: {error}")
    return torchvision


def as_imagenet(path):
    """The usual preparation, by hand."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    scale = 256 / min(rgb.size)
    width, height = (int(side * scale) for side in rgb.size)
    rgb = rgb.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    pixels = np.asarray(rgb.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)


def test_the_real_networks_last_layer_but_one(torchvision, files, tmp_path):
    network = torchvision.models.resnet18(weights=None).eval()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    seen = []
    network.avgpool.register_forward_hook(lambda *seen_there: seen.append(seen_there[-1].flatten(1)))
    with torch.inference_mode():
        network(torch.stack([as_imagenet(path) for path in files]))
    made = ImageEncoder(weights=tmp_path / "w.pt", batch_size=5, cache=tmp_path).transform(files)
    assert made == pytest.approx(seen[0].numpy(), rel=1e-3, abs=1e-3)
    again = ImageEncoder(weights=tmp_path / "w.pt", batch_size=5, cache=tmp_path).transform(files)
    assert again.tobytes() == made.tobytes()


def test_the_real_network_with_random_weights(torchvision, files):
    first = ImageEncoder().transform(files[:3])
    assert first.shape == (3, 512)
    assert np.isfinite(first).all()
    assert np.abs(first[0] - first[1]).max() > 0
    assert ImageEncoder().transform(files[:3]).tobytes() == first.tobytes()
