"""POPQUORN with sentence embeddings, for `tradeoff.py --plugin`: a text is a row of numbers.

The folder of a sentence-transformers model is named by the environment variable SENTENCE_MODEL; vectors are kept in
the folder SENTENCE_CACHE, if it is set. Needs ``pip install "fairlattice[text]"``.
"""

import os
from dataclasses import replace

import numpy as np

from fairlattice.datasets import load_dataset
from fairlattice.encoders import SentenceEncoder
from fairlattice.exceptions import InputError


class PopquornVectors:
    """Does a rater find a comment offensive, from an embedding of the comment."""

    name = "popquorn_vectors"

    def load(self, data_dir):
        data = load_dataset("popquorn", data_dir)
        if "SENTENCE_MODEL" not in os.environ:
            raise InputError("SENTENCE_MODEL is not set. Name the folder of a sentence-transformers model.")
        encoder = SentenceEncoder(os.environ["SENTENCE_MODEL"], cache=os.environ.get("SENTENCE_CACHE"))
        vectors = np.asarray(encoder.fit_transform(data.columns["text"]))
        columns = {name: values for name, values in data.columns.items() if name != "text"}
        columns |= {f"v{j:03d}": vectors[:, j] for j in range(vectors.shape[1])}
        return replace(data, name=self.name, columns=columns, text=())
