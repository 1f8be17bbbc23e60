"""Data sets: real tables with their label, their sensitive attributes and where they come from."""

from fairlattice.datasets._adult import load_adult
from fairlattice.datasets._dataset import Dataset, dataset_names, load_dataset, register
from fairlattice.datasets._diabetes import load_diabetes

register("diabetes", load_diabetes)
register("adult", load_adult)

__all__ = ["Dataset", "dataset_names", "load_adult", "load_dataset", "load_diabetes", "register"]
