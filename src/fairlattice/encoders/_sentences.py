"""Texts as a language model sees them: one vector per text, from a model that lies on this machine.

The model is large and slow, so it reads every distinct text once, a batch at a time, and what it made of
a batch is on disk before the next begins. A run that was killed goes on from there. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from fairlattice._validation import CPU_TORCH, FloatArray, check_count
from fairlattice.encoders._text import Standard, as_texts, text_tags
from fairlattice.exceptions import InputError

Progress = Callable[[int, int], Any]
Vectors = npt.NDArray[np.float32]

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


class SentenceEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode texts by a sentence-transformers model, standardised to mean 0 and scale 1 in training.

    Needs ``pip install "fairlattice[text]"`` and a model in a folder; the hub is switched off while the
    model is loaded (and stays so in this process, if nothing loaded the hub's library before). Every
    distinct text is read once. Fitting learns the standardisation only; the model stays as it is.

    Parameters
    ----------
    model : str or path
        Folder of a model, as sentence-transformers saves it. Names of models on a hub are refused.
    batch_size : int, default=64
        How many texts are read, and then kept in the cache, at a time.
    cache : str or path, optional
        A folder; it is made if need be. Vectors are kept there in ``sentences.sqlite``, named by the
        SHA-256 of model and text, so other models do not mix with them. Worth it whenever the same texts
        are encoded twice, and a run that was killed goes on where it was. The texts are not stored.
    device : str, default="cpu"
        Where the model runs, as PyTorch names it.
    progress : callable, optional
        Called as ``progress(done, total)``, in distinct texts: at the start and after each batch.

    Attributes
    ----------
    n_features_out_ : int
        Length of a vector.

    Raises
    ------
    InputError
        If the library is not installed, the model or the cache cannot be read, a value is missing or no
        text, or there are no rows. Broken vectors in the cache are made anew.

    Notes
    -----
    Texts of like length are read together, since a batch is as slow as its longest text. In which batch a
    text was read moves its vector by rounding, some 1e-7.

    References
    ----------
    Reimers and Gurevych (2019), Sentence-BERT, arXiv:1908.10084.

    Examples
    --------
    >>> SentenceEncoder("models/none-here").fit(["good nurse", "bad cook"])
    Traceback (most recent call last):
        ...
    fairlattice.exceptions.InputError: `model` must be a folder on this machine, got 'models/none-here'. \
Download the model first and pass the folder.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        batch_size: int = 64,
        cache: str | os.PathLike[str] | None = None,
        device: str = "cpu",
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        self.cache = cache
        self.device = device
        self.progress = progress

    def __sklearn_tags__(self) -> Any:
        return text_tags(super().__sklearn_tags__())

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the mean and scale of the model's vectors from a sequence of texts. `y` is ignored."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> FloatArray:  # noqa: ARG002 - scikit-learn passes it
        """As fitting and transforming, but the texts are read once."""
        vectors = self._vectors(as_texts(X, "X", least=1))
        self._standard = Standard.fit(vectors)
        self.n_features_out_ = vectors.shape[1]
        return self._standard(vectors)

    def transform(self, X: Any) -> FloatArray:
        """Vectors of shape (n, n_features_out_)."""
        check_is_fitted(self)
        texts = as_texts(X, "X")
        return self._standard(self._vectors(texts)) if texts else np.zeros((0, self.n_features_out_))

    def _vectors(self, texts: list[str]) -> FloatArray:
        """What the model makes of the texts, from the cache where it is there."""
        tell = check_run(self.batch_size, self.progress)
        folder = _model_folder(self.model)
        mark = _fingerprint(folder, _listing(folder))
        distinct = sorted(set(texts), key=lambda text: (-len(text), text))
        keys = {text: _key(mark, text) for text in distinct}
        with closing(_Store(Path(self.cache))) if self.cache is not None else nullcontext() as store:
            known = store.read(keys) if store else {}
            waiting = [text for text in distinct if text not in known]
            tell(len(known), len(distinct))
            for start in range(0, len(waiting), self.batch_size):
                batch = waiting[start : start + self.batch_size]
                made = dict(zip(batch, self._read(folder, mark, batch), strict=True))
                if store:
                    store.write({keys[text]: vector for text, vector in made.items()})
                known |= made
                tell(len(known), len(distinct))
        return np.stack([known[text] for text in texts]).astype(np.float64)

    def _read(self, folder: Path, mark: str, batch: list[str]) -> Vectors:
        model = _loaded(folder, mark, self.device)
        vectors = np.asarray(
            model.encode(batch, batch_size=len(batch), show_progress_bar=False, convert_to_numpy=True),
            dtype="<f4",
        )
        if vectors.ndim != 2 or len(vectors) != len(batch) or not np.isfinite(vectors).all():
            raise InputError(
                f"The model in `{folder}` made no finite vector of each text, but an array of shape "
                f"{vectors.shape}. Use a model of sentence-transformers."
            )
        return vectors


class _Store:
    """A file of vectors by key; each batch is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sentences.sqlite"
        with self._polite():
            folder.mkdir(parents=True, exist_ok=True)
            self.file = sqlite3.connect(self.path, timeout=60.0)
            try:
                with self.file:
                    self.file.execute(
                        "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB, crc INTEGER)"
                    )
            except sqlite3.Error:
                self.file.close()
                raise

    def read(self, keys: dict[str, bytes]) -> dict[str, Vectors]:
        """The vectors that are there, by text; those that are not what was written are left out."""
        found = {}
        with self._polite():
            for text, key in keys.items():
                row = self.file.execute("SELECT vector, crc FROM vectors WHERE key = ?", (key,)).fetchone()
                if row and isinstance(row[0], bytes) and zlib.crc32(row[0]) == row[1]:
                    found[text] = np.frombuffer(row[0], dtype="<f4")
        return found

    def write(self, vectors: dict[bytes, Vectors]) -> None:
        """Keep these vectors."""
        blobs = [(key, vector.tobytes()) for key, vector in vectors.items()]
        with self._polite(), self.file:
            self.file.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(key, blob, zlib.crc32(blob)) for key, blob in blobs],
            )

    def close(self) -> None:
        self.file.close()

    @contextmanager
    def _polite(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"The cache `{self.path}` cannot be used: {error}. Delete it, or pass another folder."
            ) from error


def import_extra(module: str, extra: str) -> Any:
    """A library that only some users have.

    Raises
    ------
    InputError
        If it is not installed, or installed and broken.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name in (module, module.partition(".")[0]):
            raise InputError(
                f'`{module.partition(".")[0]}` is not installed. Run: pip install "fairlattice[{extra}]". {CPU_TORCH}'
            ) from error
        broken: Exception = error
    except (OSError, RuntimeError) as error:
        broken = error
    raise InputError(
        f"`{module}` is installed but cannot be loaded: {first_line(broken)}. Do the builds of torch, "
        f'torchvision and transformers fit each other? Reinstall with pip install "fairlattice[{extra}]".'
    ) from broken


def first_line(error: Exception) -> str:
    """What an error says first, without the stop at its end."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(" .:")


def check_run(batch_size: Any, progress: Any) -> Progress:
    """Whom to tell how far a run is; also checks the size of a batch."""
    check_count("batch_size", batch_size)
    if progress is None:
        return lambda _done, _total: None
    if not callable(progress):
        raise InputError(f"`progress` must be callable as progress(done, total), got {progress!r}.")
    tell: Progress = progress
    return tell


def _model_folder(model: Any) -> Path:
    if isinstance(model, str | os.PathLike) and Path(model).is_dir():
        return Path(model).resolve()
    raise InputError(
        f"`model` must be a folder on this machine, got {model!r}. "
        "Download the model first and pass the folder."
    )


def _listing(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of every file that is part of the model."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [(path, path.relative_to(folder)) for path in files]
    return tuple(
        (name.as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path, name in names
        if not any(part.startswith((".", "__pycache__")) for part in name.parts)
    )


@lru_cache(maxsize=8)
def _fingerprint(folder: Path, listing: tuple[tuple[str, int, int], ...]) -> str:
    """SHA-256 of the model's files and their names."""
    whole = hashlib.sha256()
    for name, _, _ in listing:
        with (folder / name).open("rb") as file:
            whole.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
    return whole.hexdigest()


def _key(mark: str, text: str) -> bytes:
    try:
        return hashlib.sha256(f"{mark}\0{text}".encode()).digest()
    except UnicodeEncodeError as error:
        raise InputError(
            f"`X` holds half a character in {text[:40]!r}. Was it read with the right encoding?"
        ) from error


@lru_cache(maxsize=1)
def _loaded(folder: Path, mark: str, device: str) -> Any:  # noqa: ARG001 - another mark is another model
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(dict.fromkeys(_OFFLINE, "1"))
    try:
        library = import_extra("sentence_transformers", "text")
        return library.SentenceTransformer(str(folder), device=device, local_files_only=True)
    except InputError:
        raise
    except Exception as error:
        message = f"The model in `{folder}` cannot be loaded on {device!r}: {first_line(error)}. "
        raise InputError(message + "Is it a folder that sentence-transformers saved?") from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
