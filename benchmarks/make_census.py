"""Make the census sample that the package carries: python benchmarks/make_census.py ACSPublicCoverage.parquet

30,000 persons of low income at random (seed 0) from folktables' ACSPublicCoverage, American Community Survey 2018, with
columns and levels in words. Public-use microdata of the US Census Bureau; nobody may be identified with them.
"""

import sys
from pathlib import Path

import polars as pl

TARGET = Path(__file__).parents[1] / "src" / "fairlattice" / "datasets" / "census.parquet"
ROWS = 30_000
RACE = ["White", "Black", "Native American", "Native American", "Native American", "Asian", "Pacific Islander", "other",
        "two or more"]  # fmt: skip
MARITAL = ["married", "widowed", "divorced", "separated", "never married"]
WORK = {0: "under 16", 1: "employed", 2: "employed, absent", 3: "unemployed", 4: "armed forces",
        5: "armed forces, absent", 6: "not in labor force"}  # fmt: skip
CITIZEN = [
    "born in the US",
    "born in US territory",
    "born abroad to US parents",
    "naturalized",
    "not a citizen",
]


def words(code, levels, first=0):
    """A column of codes as words."""
    known = levels if isinstance(levels, dict) else dict(enumerate(levels, start=first))
    return pl.col(code).cast(int).replace_strict(known, default="unknown", return_dtype=pl.Categorical)


def census(frame):
    """The columns in words."""
    yes = {1: "yes", 2: "no"}
    return frame.select(
        race=words("RAC1P", RACE),
        sex=words("SEX", ["male", "female"], 1),
        age=pl.col("AGEP").cast(pl.Int8),
        schooling=pl.col("SCHL").cast(pl.Int8),
        marital_status=words("MAR", MARITAL, 1),
        work=words("ESR", WORK),
        citizenship=words("CIT", CITIZEN, 1),
        disability=words("DIS", yes),
        hearing_difficulty=words("DEAR", yes),
        seeing_difficulty=words("DEYE", yes),
        memory_difficulty=words("DREM", yes),
        gave_birth=words("FER", {0: "not asked", **yes}),
        income=(pl.col("PINCP") / 100).round().cast(pl.Int32) * 100,
        public_coverage=(pl.col("PUBCOV") == 1).cast(pl.Int8),
    )


if __name__ == "__main__":
    table = census(pl.read_parquet(sys.argv[1]).sample(ROWS, seed=0, shuffle=True))
    table.write_parquet(TARGET, compression="zstd", compression_level=22, statistics=False)
    print(table.head(), table.null_count(), f"{TARGET.stat().st_size:,} bytes")
