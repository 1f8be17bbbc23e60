"""Eleven more tasks of the same tables, for `tradeoff.py --plugin`: other labels, or other attributes.

The first three are of the census tables: who works, who has a disability, who works full-time. The eight others were
written when all strategies were done; no option was chosen on them, but the default of linear models was. Columns that
would tell the answer are left out, and so are people who were not asked.
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


class IncomeByBirth:
    """Does a person who works earn more than 50,000 dollars, by country of birth, sex and marital status."""

    name = "income_by_birth"

    def load(self, data_dir):
        people = load_dataset("acs_income", data_dir)
        born = np.where(people.columns["POBP"].astype(int) < 60, "in the country", "abroad").astype(object)
        columns = dict(people.columns) | {"born": born}
        return replace(people, name=self.name, columns=columns, sensitive=("born", "SEX", "MAR"), cuts={})


class SelfEmployed:
    """Is a person who works self-employed, by race, sex and age."""

    name = "self_employed"

    def load(self, data_dir):
        people = load_dataset("acs_income", data_dir)
        return asked(people, self.name, np.isin(people.columns["COW"], ["6", "7"]), hidden=("COW",))


class Moved:
    """Has a person of low income moved in the last year, by race, sex and age."""

    name = "moved"

    def load(self, data_dir):
        people = load_dataset("acs_coverage", data_dir)
        return asked(people, self.name, people.columns["MIG"] != "1", hidden=("MIG",))


class Graduate:
    """Has a person of 25 or more who works a bachelor's degree, by race, sex and age."""

    name = "graduate"

    def load(self, data_dir):
        people = load_dataset("acs_income", data_dir)
        grown = people.columns["AGEP"] >= 25
        degree = people.columns["SCHL"] >= 21
        return asked(people, self.name, degree, hidden=("SCHL",), kept=grown, cuts={"AGEP": (35.0, 55.0)})


class CoverageByDisability:
    """Has a person of low income public health coverage, by disability, citizenship and sex."""

    name = "coverage_by_disability"

    def load(self, data_dir):
        people = load_dataset("acs_coverage", data_dir)
        return replace(people, name=self.name, sensitive=("DIS", "CIT", "SEX"), cuts={})


class LongHours:
    """Does a person work more than 40 hours a week, by race, sex and age."""

    name = "long_hours"

    def load(self, data_dir):
        people = load_dataset("adult", data_dir)
        long = people.columns["hours-per-week"] > 40
        return asked(people, self.name, long, hidden=("hours-per-week", "income"))


class DefaultByEducation:
    """Does a credit card holder default, by education, marital status and sex."""

    name = "default_by_education"

    def load(self, data_dir):
        people = load_dataset("default_credit", data_dir)
        return replace(people, name=self.name, sensitive=("EDUCATION", "MARRIAGE", "SEX"), cuts={})


class LongStay:
    """Does a patient with diabetes stay in hospital for five days or more, by race, sex and age."""

    name = "long_stay"

    def load(self, data_dir):
        people = load_dataset("diabetes130", data_dir)
        long = people.columns["time_in_hospital"] >= 5
        known_later = ("time_in_hospital", "discharge_disposition_id", "readmitted", "readmitted_early")
        return asked(people, self.name, long, hidden=known_later)


def asked(people, name, answer, *, hidden, kept=slice(None), cuts=None):
    """The same persons, asked something else."""
    columns = {c: values[kept] for c, values in people.columns.items() if c not in hidden}
    columns["answer"] = answer[kept].astype(np.int64)
    drop = tuple(c for c in people.drop if c not in hidden)
    cuts = people.cuts if cuts is None else cuts
    return replace(people, name=name, columns=columns, label="answer", positive=1, drop=drop, cuts=cuts)
