"""Profiles of made persons: the truth, the chunks, and that what each promises is there."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from core.errors import ConfigError
from core.made_records.persons.generator import COLUMNS, generate_persons, person_chunks
from core.made_records.persons.population import plan_population
from core.made_records.persons.profiles import DEFAULT_PROFILE, PROFILES
from core.matching.standardise.dates import parse_dates

HARD = PROFILES[1:]
JUNIOR = r",? (Jr\.?|Junior|III|3rd|II)$"
SENIOR = r",? (Sr\.?|Senior)$"


@cache
def persons_of(profile: str) -> pl.DataFrame:
    return generate_persons(12_000, 5, 0.3, profile)


def shared(persons: pl.DataFrame, column: str) -> pl.DataFrame:
    """Pairs of rows of different persons that have the same value there."""
    rows = persons.drop_nulls(column)
    both = rows.join(rows, on=column, suffix="_2").filter(pl.col("id") < pl.col("id_2"))
    return both.filter(pl.col("entity_id") != pl.col("entity_id_2"))


@pytest.mark.parametrize("profile", HARD)
def test_profiles_have_the_columns_and_truth_of_plain(profile: str) -> None:
    persons, plain = persons_of(profile), persons_of("plain")
    assert tuple(persons.columns) == COLUMNS
    assert set(persons.dtypes) == {pl.String}
    assert persons.select("id", "entity_id").equals(plain.select("id", "entity_id"))
    assert persons["first_name"].null_count() == persons["last_name"].null_count() == 0
    # The digit of a slip may make a day that does not exist; nothing else does.
    assert parse_dates(persons["dob"], day_first=False)[1].mean() < 0.002  # type: ignore[operator]


@pytest.mark.parametrize("profile", HARD)
def test_profiles_do_not_depend_on_chunks_and_threads(profile: str) -> None:
    population = plan_population(400, 5, 0.4, profile)
    whole = pl.concat(person_chunks(population, 400))
    assert pl.concat(person_chunks(population, 150, threads=3)).equals(whole)
    assert generate_persons(400, 5, 0.4, profile).equals(whole)
    assert not generate_persons(400, 6, 0.4, profile)["last_name"].equals(whole["last_name"])


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_profiles_of_few_rows(rows: int) -> None:
    assert {len(generate_persons(rows, 1, 0.3, profile)) for profile in PROFILES} == {rows}


def test_plan_population_refuses_an_unknown_profile() -> None:
    with pytest.raises(ConfigError, match="no such profile; there are plain, families, registry, crm, international"):
        plan_population(10, 1, 0.3, "family")
    assert plan_population(10, 1, 0.3).world is None
    assert DEFAULT_PROFILE == "families"


def test_families_share_homes_mailboxes_and_telephones() -> None:
    families, plain = persons_of("families"), persons_of("plain")
    for column, least in (("email", 500), ("phone", 1000), ("street", 2000)):
        assert len(shared(families, column)) > max(least, len(shared(plain, column)))
    mailbox = shared(families, "email")
    assert (mailbox["first_name"] != mailbox["first_name_2"]).mean() > 0.9  # type: ignore[operator]
    # Relatives at two homes: surname and telephone are one, the street is not.
    near = shared(families, "phone").filter(
        (pl.col("last_name") == pl.col("last_name_2")) & (pl.col("zip") != pl.col("zip_2"))
    )
    assert len(near) > 20


def test_families_have_fathers_and_sons_of_one_name_and_twins() -> None:
    home = shared(persons_of("families"), "street").drop_nulls(["dob", "dob_2"])
    bare = [pl.col(name).str.replace(f"{JUNIOR}|{SENIOR}", "") for name in ("last_name", "last_name_2")]
    one_name = home.filter((bare[0] == bare[1]) & (pl.col("first_name") == pl.col("first_name_2")))
    years = (pl.col("dob").str.slice(0, 4).cast(int) - pl.col("dob_2").str.slice(0, 4).cast(int)).abs()
    assert len(one_name.filter(years.is_between(18, 40))) > 8
    twins = home.filter((pl.col("dob") == pl.col("dob_2")) & ~pl.col("dob").str.ends_with("01-01"))
    assert len(twins) > 20
    assert (twins["first_name"] == twins["first_name_2"]).mean() < 0.05  # type: ignore[operator]


def test_families_write_suffixes_initials_and_unnamed_newborns() -> None:
    families = persons_of("families")
    assert families["last_name"].str.contains(JUNIOR).sum() > 30
    assert families["last_name"].str.contains(SENIOR).sum() > 30
    assert families["first_name"].str.contains(r" [A-Z]\.?$").mean() > 0.1  # type: ignore[operator]
    assert families["first_name"].str.contains(r"^(Baby (Boy|Girl)|Twin \d)").any()
    # A suffix is nobody's alone: never one of the old and one of the young in one entity.
    by_entity = families.group_by("entity_id").agg(
        old=pl.col("last_name").str.contains(SENIOR).any(), young=pl.col("last_name").str.contains(JUNIOR).any()
    )
    assert not by_entity.filter(pl.col("old") & pl.col("young")).height


def test_registry_misreads_letters_and_crm_lacks_birthdays() -> None:
    digits = r"[A-Za-z][0158][a-z]"
    assert (
        persons_of("registry")["last_name"].str.contains(digits).sum()
        > persons_of("families")["last_name"].str.contains(digits).sum()
    )
    crm = persons_of("crm")
    assert crm["dob"].null_count() > 0.4 * len(crm)
    assert crm["phone"].str.contains("; ", literal=True).sum() > 100
    # Switchboards: one number of many people.
    assert crm["phone"].value_counts()["count"].max() >= 8  # type: ignore[operator]


def test_international_has_its_customs_in_several_spellings_and_scripts() -> None:
    names = persons_of("international")
    last = names["last_name"]
    for pattern in (r"\p{Han}", r"\p{Arabic}", r"\p{Cyrillic}", "[üöäß]", "ov$", "ova$", "^d[aeo]s? ", "(?i)^al-|^el "):
        assert last.str.contains(pattern).any(), pattern
    first = names.group_by("entity_id").agg(pl.col("first_name").n_unique(), pl.len()).filter(pl.col("len") > 1)
    assert (first["first_name"] > 1).mean() > 0.3  # type: ignore[operator]
    # A mailbox has letters that a mailbox can have, whatever the script of the name.
    assert names["email"].drop_nulls().str.contains(r"^[\x20-\x7e]+@[\x20-\x7e]+$").mean() > 0.995  # type: ignore[operator]
    january = names["dob"].str.ends_with("-01-01").mean()
    assert 0.04 < january < 0.3  # type: ignore[operator]
