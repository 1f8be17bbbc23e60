"""Data sets: real tables with their label, their sensitive attributes and where they come from."""

from fairlattice.datasets._acs import load_acs_coverage, load_acs_income
from fairlattice.datasets._adult import load_adult
from fairlattice.datasets._catalogue import dataset_about, dataset_names, load_dataset, register
from fairlattice.datasets._celeba import load_celeba
from fairlattice.datasets._census import load_census
from fairlattice.datasets._dataset import Dataset, Source
from fairlattice.datasets._default_credit import load_default_credit
from fairlattice.datasets._diabetes import load_diabetes
from fairlattice.datasets._diabetes130 import load_diabetes130
from fairlattice.datasets._german import load_german
from fairlattice.datasets._popquorn import load_popquorn
from fairlattice.datasets._psychometric import load_anxiety, load_numeracy
from fairlattice.datasets._student import load_student_mat, load_student_por
from fairlattice.datasets._twitter import load_twitter

__all__ = [
    "Dataset",
    "Source",
    "dataset_about",
    "dataset_names",
    "load_acs_coverage",
    "load_acs_income",
    "load_adult",
    "load_anxiety",
    "load_celeba",
    "load_census",
    "load_dataset",
    "load_default_credit",
    "load_diabetes",
    "load_diabetes130",
    "load_german",
    "load_numeracy",
    "load_popquorn",
    "load_student_mat",
    "load_student_por",
    "load_twitter",
    "register",
]
