"""Three more tasks of the census tables, for `tradeoff.py --plugin`: nothing was ever chosen on them.

Same persons as `acs_income` and `acs_coverage`, other questions: who works, who works full-time, who has a
disability. Columns that would tell the answer are left out, and so are people who were not asked.
"""

from dataclasses import replace

import numpy as np

from fairlattice.datasets import load_dataset


class Employment:
    """Does a person of low income work, by race, sex and age."""

    name = "acs_employment"

    def load(self, data_dir):
        people = load_dataset("acs_coverage", data_dir)
        works = np.isin(people.columns["ESR"], ["1", "2", "4", "5"])  # at work, or with a job
        hidden = ("ESR", "PINCP", "PUBCOV", "MIL")  # who is on active duty works
        return asked(people, self.name, works, hidden=hidden, kept=people.columns["ESR"] != "0")


class Disability:
    """Has a person of low income a disability, by race, sex and age."""

    name = "acs_disability"

    def load(self, data_dir):
        people = load_dataset("acs_coverage", data_dir)
        has_one = people.columns["DIS"] == "1"
        return asked(people, self.name, has_one, hidden=("DIS", "DREM", "DEAR", "DEYE", "PUBCOV"))


class FullTime:
    """Does a person who works do so for 40 hours a week or more, by race, sex and age."""

    name = "acs_full_time"

    def load(self, data_dir):
        people = load_dataset("acs_income", data_dir)
        return asked(people, self.name, people.columns["WKHP"] >= 40, hidden=("WKHP", "PINCP"))


def asked(people, name, answer, *, hidden, kept=slice(None)):
    """The same persons, asked something else."""
    columns = {c: values[kept] for c, values in people.columns.items() if c not in hidden}
    columns["answer"] = answer[kept].astype(np.int64)
    return replace(people, name=name, columns=columns, label="answer", positive=1)
