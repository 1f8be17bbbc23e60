"""Images as a network for recognising things sees them: its last layer but one, 512 numbers each.

There may be many images and they take hours, so batches are finished one by one: their numbers lie in a
file that is mapped into memory, and a small file next to it records which batches are done, with a checksum
each. A run that was killed goes on from there; a batch that is not what was written is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from fairlattice._files import strict_json, write_text
from fairlattice._validation import as_column
from fairlattice.encoders._sentences import Progress, Vectors, check_run, first_line, import_extra
from fairlattice.encoders._text import text_tags
from fairlattice.exceptions import InputError

_WIDTH = 512
_SEED = 0  # of the weights of a network that learned nothing


class ImageEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode image files by the last layer but one of a ResNet-18.

    Needs ``pip install "fairlattice[image]"``. Images of any size and mode are turned into RGB, their
    shorter side is scaled to 256, and the middle 224 × 224 are used, normalised as torchvision does for
    ImageNet. Nothing is learned from the images.

    Parameters
    ----------
    weights : path, "imagenet" or None, default=None
        A file with the state of a torchvision ResNet-18 (its last layer does not count); ``"imagenet"``
        for torchvision's own, which it downloads if they are not there; None for random weights, always
        the same, that know nothing: good for trying things out only.
    batch_size : int, default=64
        How many images are read, and then kept in the cache, at a time.
    cache : str or path, optional
        A folder; it is made if need be. For each list of images (names, sizes and times of their files),
        weights and size of batches it keeps ``images-….npy`` and a JSON of what is done.
    device : str, default="cpu"
        Where the network runs, as PyTorch names it.
    progress : callable, optional
        Called as ``progress(done, total)``, in distinct images: at the start and after each batch.

    Attributes
    ----------
    n_features_out_ : int
        Length of a vector, 512.

    Raises
    ------
    InputError
        If the library is not installed, or the weights, the cache or an image cannot be read; the image is
        named.

    References
    ----------
    He et al. (2016), Deep residual learning for image recognition, arXiv:1512.03385.

    Examples
    --------
    >>> ImageEncoder().transform(["none-here.png"])
    Traceback (most recent call last):
        ...
    fairlattice.exceptions.InputError: Image `none-here.png` cannot be read: No such file or directory. \
Remove it from the list, or restore the file.
    """

    n_features_out_ = _WIDTH

    def __init__(
        self,
        *,
        weights: str | os.PathLike[str] | None = None,
        batch_size: int = 64,
        cache: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> None:
        self.weights = weights
        self.batch_size = batch_size
        self.cache = cache
        self.device = device
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        tags = text_tags(super().__sklearn_tags__())
        tags.requires_fit = False
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Check that X is a sequence of paths; nothing is learned. `y` is ignored."""
        if not _paths(X):
            raise InputError("`X` has no rows.")
        return self

    def transform(self, X: Any) -> Vectors:
        """Vectors of shape (n, 512), float32, of a sequence of paths."""
        report = check_run(self.batch_size, self.progress)
        paths = _paths(X)
        distinct = sorted(set(paths))
        key = _key(distinct, _weights_mark(self.weights), self.batch_size)
        run = _Run.start(self.cache, key, len(distinct), self.batch_size)
        done = sum(run.length(i) for i in run.checksums)
        report(done, len(distinct))
        network: Callable[[list[Path]], Any] | None = None
        for i in run.waiting():
            network = network or _network(self.weights, self.device)
            run.finish(i, network(distinct[run.rows(i)]))
            done += run.length(i)
            report(done, len(distinct))
        place = {path: row for row, path in enumerate(distinct)}
        return np.asarray(run.vectors)[[place[path] for path in paths]].reshape(-1, _WIDTH)


@dataclass(frozen=True)
class _Run:
    """The vectors of one list of images, and the checksum of each batch that is done."""

    vectors: Vectors
    batch_size: int
    record: Path | None = None
    checksums: dict[int, int] = field(default_factory=dict)

    @classmethod
    def start(cls, cache: Any, key: str, n: int, batch_size: int) -> _Run:
        """Begin, or go on with what is in the cache."""
        if cache is None or n == 0:
            return cls(np.zeros((n, _WIDTH), dtype=np.float32), batch_size)
        numbers, record = Path(cache) / f"images-{key}.npy", Path(cache) / f"images-{key}.json"
        try:
            Path(cache).mkdir(parents=True, exist_ok=True)
            vectors, whole = _mapped(numbers, n)
        except OSError as error:
            raise InputError(
                f"The cache `{cache}` cannot be used: {error.strerror or error}. Pass another folder."
            ) from error
        run = cls(vectors, batch_size, record)
        if whole:
            run.checksums.update((i, crc) for i, crc in _written(record).items() if run.checksum(i) == crc)
        return run

    def rows(self, i: int) -> slice:
        return slice(i * self.batch_size, (i + 1) * self.batch_size)

    def length(self, i: int) -> int:
        return len(self.vectors[self.rows(i)])

    def checksum(self, i: int) -> int:
        return zlib.crc32(self.vectors[self.rows(i)].tobytes()) if self.length(i) else -1

    def waiting(self) -> list[int]:
        """Batches that are not done."""
        return [i for i in range(-(-len(self.vectors) // self.batch_size)) if i not in self.checksums]

    def finish(self, i: int, vectors: Vectors) -> None:
        """Keep the vectors of a batch, and only then say so."""
        self.vectors[self.rows(i)] = vectors
        self.checksums[i] = self.checksum(i)
        if self.record is not None and isinstance(self.vectors, np.memmap):
            self.vectors.flush()
            write_text(self.record, json.dumps({"checksums": self.checksums}))


def _mapped(path: Path, n: int) -> tuple[Vectors, bool]:
    """The file of vectors, and whether it was there and whole."""
    try:
        old = np.lib.format.open_memmap(path, mode="r+")
    except (FileNotFoundError, ValueError, EOFError):
        old = None
    if old is not None and old.shape == (n, _WIDTH) and old.dtype == np.float32:
        return old, True
    path.unlink(missing_ok=True)  # whoever has it mapped keeps it
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, _WIDTH)), False


def _written(path: Path) -> dict[int, int]:
    """Checksums by batch; none where the file is absent or not what was written."""
    try:
        return {int(i): int(crc) for i, crc in strict_json(path.read_text())["checksums"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _paths(values: Any) -> list[Path]:
    column = as_column(values, "X")
    listed = [None if gone else v for v, gone in zip(column.values.tolist(), column.missing, strict=True)]
    odd = next((i for i, path in enumerate(listed) if not isinstance(path, str | os.PathLike)), None)
    if odd is not None:
        raise InputError(
            f"`X` must hold paths of images, got {type(listed[odd]).__name__} in row {odd}. Remove it."
        )
    return [Path(path) for path in listed if path is not None]


def _key(paths: list[Path], mark: str, batch_size: int) -> str:
    """Short SHA-256 of all that decides what a run makes, apart from the device."""
    whole = hashlib.sha256(f"{mark}\0{batch_size}\0".encode())
    for path in paths:
        try:
            known = path.stat()
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from error
        whole.update(os.fsencode(path.resolve()) + f"\0{known.st_size}\0{known.st_mtime_ns}\0".encode())
    return whole.hexdigest()[:16]


def _weights_mark(weights: Any) -> str:
    if weights is None or weights == "imagenet":
        return str(weights)
    try:
        with Path(weights).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, TypeError) as error:
        raise InputError(
            f'`weights` must be a file, "imagenet" or None, got {weights!r}: '
            f"{getattr(error, 'strerror', None) or error}. Check the path."
        ) from error


def _network(weights: Any, device: str) -> Callable[[list[Path]], Any]:
    """From paths to vectors."""
    models = import_extra("torchvision.models", "image")
    torch = import_extra("torch", "image")
    prepare = models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    try:
        network = _resnet(torch, models, weights)
    except Exception as error:
        raise InputError(
            f"`weights` {weights!r} cannot be loaded: {first_line(error)}. "
            "Pass a file with the state of a ResNet-18."
        ) from error
    try:
        network = network.eval().to(device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        raise InputError(f"`device` {device!r} cannot be used: {first_line(error)}. Try 'cpu'.") from error

    def vectors(paths: list[Path]) -> Any:
        with torch.inference_mode():
            batch = torch.stack([prepare(_image(path)) for path in paths]).to(device)
            return network(batch).float().cpu().numpy()

    return vectors


def _resnet(torch: Any, models: Any, weights: Any) -> Any:
    if weights == "imagenet":
        network = models.resnet18(weights=models.ResNet18_Weights.IMAGENET1K_V1)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(_SEED)
            network = models.resnet18(weights=None)
    network.fc = torch.nn.Identity()
    if weights is not None and weights != "imagenet":
        state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})
    return network


def _image(path: Path) -> Any:
    pillow = import_extra("PIL.Image", "image")
    try:
        with pillow.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or first_line(error)
    return InputError(f"Image `{path}` cannot be read: {why}. Remove it from the list, or restore the file.")
