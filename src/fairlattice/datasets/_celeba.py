"""CelebA: forty yes-or-no attributes of 202,599 faces, and image features of one's own if there are any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fairlattice._validation import IntArray
from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._reading import Columns, check_header, find_folder, objects, read_text
from fairlattice.exceptions import InputError

ABOUT = "Faces of celebrities; label: smiling, as annotated (CelebA, research use only)."
SOURCE = Source(
    url="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    licence="non-commercial research only; must not be passed on",
    reference="Liu, Luo, Wang & Tang (2015), Deep learning face attributes in the wild, ICCV, "
    "arXiv:1411.7766.",
    traps=(
        "Attributes are what annotators saw, not what the persons said of themselves.",
        "202,599 images are of 10,177 persons; identity_CelebA.txt keeps each in one part of a split.",
        "The smallest of the sixteen groups has 47 images.",
        "High_Cheekbones and Mouth_Slightly_Open go with a smile, so attributes alone say much.",
    ),
    access="files",
)
SENSITIVE = ("Male", "Young", "Attractive", "Pale_Skin")
_LABEL = "Smiling"
_ATTRIBUTES, _PARTITION, _IDENTITY = "list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt"
_IMAGES = "img_align_celeba"
_PARTS = ("train", "validation", "test")
_ADVICE = f"The folder must hold CelebA's {_ATTRIBUTES}, from {SOURCE.url}."
_BLOCK = 20_000  # rows of features looked at together


def load_celeba(data_dir: Path | str | None = None, *, features: Path | str = "attributes") -> Dataset:
    """CelebA: does a face smile, by male, young, attractive and pale skin.

    Parameters
    ----------
    data_dir : Path or str
        A folder with `list_attr_celeba.txt`, or one with a folder `celeba` that has it. If
        `list_eval_partition.txt` lies in the same folder, `part` is the published split; if
        `identity_CelebA.txt` does, the person is the unit.
    features : "attributes", "images" or path, default="attributes"
        "attributes": the other 35 attributes, 0 or 1. "images": paths of the images themselves, in the folder
        `img_align_celeba`, for an encoder of images. Otherwise a `.npy` file of shape (n, d), such as the
        embeddings of a vision model, whose row i belongs to image i of the list; its columns are called v000,
        v001 … and the 35 attributes are left out.

    Raises
    ------
    InputError
        If a file is not there, or not as it was published, or the features have another number of rows.

    References
    ----------
    Liu, Luo, Wang & Tang (2015), Deep learning face attributes in the wild, ICCV, arXiv:1411.7766.
    """
    if data_dir is None:
        raise InputError(f"Data set `celeba` is read from files. {_ADVICE}")
    folder = find_folder(data_dir, "celeba", (_ATTRIBUTES,), _ADVICE)
    images, names, values = _attributes(folder / _ATTRIBUTES)
    columns: Columns = {
        name: np.where(values[:, names.index(name)], "yes", "no").astype(object) for name in SENSITIVE
    }
    if str(features) == "attributes":
        others = [name for name in names if name not in (*SENSITIVE, _LABEL)]
        columns |= {name: values[:, names.index(name)] for name in others}
    elif str(features) != "images":
        columns |= _vectors(Path(features), len(images))
    as_images = str(features) == "images"
    columns |= {_LABEL: values[:, names.index(_LABEL)]}
    columns |= {"image": _paths(folder / _IMAGES, images) if as_images else objects(images)}
    columns |= _companions(folder, images)
    aside = ("part", "person") if as_images else ("image", "part", "person")
    return Dataset(
        name="celeba",
        columns=columns,
        label=_LABEL,
        positive=1,
        sensitive=SENSITIVE,
        cuts={},
        drop=tuple(name for name in aside if name in columns),
        about=ABOUT,
        images=("image",) if as_images else (),
        unit="person" if "person" in columns else None,
        part="part" if "part" in columns else None,
        source=SOURCE,
    )


def _attributes(path: Path) -> tuple[list[str], list[str], IntArray]:
    """Names of the images, names of the attributes, and who has which, 0 or 1."""
    count, _, rest = read_text(path, advice=_ADVICE).partition("\n")
    header, _, body = rest.partition("\n")
    names = header.split()
    if not count.strip().isdigit() or not names:
        raise InputError(f"`{path}` does not begin with the number of images and the attributes. {_ADVICE}")
    check_header(path, (*SENSITIVE, _LABEL), names)
    images, signs = [], []
    for line, image, row in _lines(path, body, first=3):
        signs.append(_signs(path, line, row, len(names)))
        images.append(image)
    if len(images) != int(count):
        raise InputError(f"`{path}` has {len(images):,} rows, but says {int(count):,}. Fetch it again.")
    values = np.frombuffer("".join(signs).encode(), dtype=np.uint8) - ord("0")
    return images, names, values.reshape(len(images), len(names)).astype(np.int64)


def _lines(path: Path, text: str, first: int = 1) -> Iterator[tuple[int, str, str]]:
    """Number, image and the rest of each line that is not blank."""
    for number, line in enumerate(text.split("\n"), start=first):
        fields = line.split(None, 1)
        if len(fields) == 2:
            yield number, fields[0], fields[1]
        elif fields:
            raise InputError(f"`{path}` has a row of 1 field in line {number:,}. Fetch it again.")


def _signs(path: Path, line: int, row: str, width: int) -> str:
    """The row's values as one character each, "1" for 1 and "0" for -1."""
    values = row.split()
    if len(values) != width:
        raise InputError(
            f"`{path}` has a row of {len(values)} values, not {width}, in line {line:,}. Fetch it again."
        )
    odd = set(values) - {"1", "-1"}
    if odd:
        raise InputError(f"`{path}` has {min(odd)!r} in line {line:,}, not 1 or -1. Is it the right file?")
    return "".join(values).replace("-1", "0")


def _paths(folder: Path, images: list[str]) -> Any:
    """Where the images lie; that the first one is there is checked, the others are when they are read."""
    if not (folder / images[0]).is_file():
        raise InputError(
            f"`{folder / images[0]}` is not there. Unpack CelebA's {_IMAGES}.zip next to the lists."
        )
    return objects(str(folder / image) for image in images)


def _vectors(path: Path, n: int) -> Columns:
    """Columns of a file of features, which is looked at in blocks and never loaded whole."""
    try:
        vectors: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"`{path}` is no .npy file of numbers: {error}. Save it with numpy.save.") from error
    if not (isinstance(vectors, np.ndarray) and vectors.ndim == 2 and vectors.dtype.kind in "iuf"):
        shape = getattr(vectors, "shape", None)
        raise InputError(
            f"`{path}` must be numbers of shape ({n}, d), got shape {shape}. Save one row an image."
        )
    if len(vectors) != n:
        raise InputError(f"`{path}` has {len(vectors):,} rows for {n:,} images. Row i belongs to image i.")
    if not all(np.isfinite(vectors[i : i + _BLOCK]).all() for i in range(0, n, _BLOCK)):
        raise InputError(f"`{path}` holds values that are not finite numbers. Write it again.")
    return {f"v{j:03d}": vectors[:, j] for j in range(vectors.shape[1])}


def _companions(folder: Path, images: list[str]) -> Columns:
    """The published split and the persons, where their files lie next to the attributes."""
    columns: Columns = {}
    if (folder / _PARTITION).is_file():
        codes = _of_images(folder / _PARTITION, images)
        if not set(codes) <= {"0", "1", "2"}:
            raise InputError(
                f"`{folder / _PARTITION}` has parts other than 0, 1 and 2. Is it the right file?"
            )
        columns["part"] = objects(_PARTS[int(code)] for code in codes)
    if (folder / _IDENTITY).is_file():
        columns["person"] = objects(_of_images(folder / _IDENTITY, images))
    return columns


def _of_images(path: Path, images: list[str]) -> list[str]:
    """What a file with a line for each image says of `images`, in their order."""
    values = {image: value.strip() for _, image, value in _lines(path, read_text(path, advice=_ADVICE))}
    absent = next((image for image in images if image not in values), None)
    if absent is not None or len(values) != len(images):
        where = f"nothing of {absent}" if absent else f"{len(values):,} images, not {len(images):,}"
        raise InputError(f"`{path}` has {where}. It must fit {_ATTRIBUTES}; fetch both again.")
    return [values[image] for image in images]
