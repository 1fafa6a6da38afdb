"""Made persons: the file, its truth, its errors, and the people who are hard to tell apart."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc
from pathlib import Path

import polars as pl
import pytest

from core.errors import ConfigError, HeadraceError
from core.made_records.persons.generator import (
    ABSENT_SHARES,
    CHUNK_ROWS,
    COLUMNS,
    FIELDS,
    generate_persons,
    person_chunks,
)
from core.made_records.persons.population import plan_population
from core.matching.standardise.dates import parse_dates
from core.workloads.identity.made_persons import files
from core.workloads.identity.made_persons.files import check_room, write_persons
from tests.profiles import is_long

ROWS = 20_000


@pytest.fixture(scope="module")
def persons() -> pl.DataFrame:
    return generate_persons(ROWS, seed=11, duplicates=0.3)


@pytest.fixture(scope="module")
def originals() -> pl.DataFrame:
    return generate_persons(ROWS, seed=11, duplicates=0.0)


def test_generate_persons_has_the_columns_and_counts(persons: pl.DataFrame) -> None:
    assert tuple(persons.columns) == COLUMNS
    assert set(persons.dtypes) == {pl.String}
    assert len(persons) == ROWS
    assert persons["id"].n_unique() == ROWS
    assert persons["entity_id"].n_unique() == ROWS * 7 // 10
    assert persons["id"].null_count() == persons["entity_id"].null_count() == persons["last_name"].null_count() == 0


@pytest.mark.parametrize("duplicates", [0.0, 0.05, 0.5, 0.8])
def test_generate_persons_keeps_the_share_of_duplicates(duplicates: float) -> None:
    sizes = generate_persons(3000, seed=3, duplicates=duplicates).group_by("entity_id").len()["len"]
    assert len(sizes) == 3000 - round(3000 * duplicates)
    assert sizes.max() <= 6  # type: ignore[operator]
    assert (sizes == 2).sum() >= (sizes == 4).sum() or duplicates == 0.8


def test_write_persons_is_the_same_to_the_byte(tmp_path: Path) -> None:
    digests = {}
    for name in ("a.csv", "b.csv", "a.parquet", "b.parquet"):
        write_persons(plan_population(3000, 5, 0.3), tmp_path / name)
        digests[name] = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert digests["a.csv"] == digests["b.csv"]
    assert digests["a.parquet"] == digests["b.parquet"]
    assert pl.read_csv(tmp_path / "a.csv", infer_schema=False).equals(pl.read_parquet(tmp_path / "a.parquet"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(digests)


def test_write_persons_does_not_depend_on_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = CHUNK_ROWS if is_long() else 20_000
    monkeypatch.setattr(files, "CHUNK_ROWS", chunk)
    # Two row groups, the second short.
    population = plan_population(chunk + 10_000, 5, 0.3)
    told: list[int] = []
    write_persons(population, tmp_path / "a.parquet", 1)
    write_persons(population, tmp_path / "b.parquet", 3, told.append)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert told == [chunk, chunk + 10_000]


def test_generate_persons_is_the_same_on_every_machine() -> None:
    # A changed generator makes other files for the same seed: then this digest changes, and the changelog says so.
    text = generate_persons(500, seed=1, duplicates=0.3).write_csv()
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "b8428ac9e12c76168dea408149daea1bf07146b6b7848b48267314b45b876ef3"
    )


def test_generate_persons_other_seed_other_people(persons: pl.DataFrame) -> None:
    other = generate_persons(ROWS, seed=12, duplicates=0.3)
    assert (other["last_name"] == persons["last_name"]).mean() < 0.05  # type: ignore[operator]


def test_person_chunks_do_not_depend_on_their_size() -> None:
    population = plan_population(2000, 5, 0.4)
    whole = pl.concat(person_chunks(population, 2000))
    assert pl.concat(person_chunks(population, 333)).equals(whole)
    assert pl.concat(person_chunks(population, 150, threads=3)).equals(whole)


def test_person_chunks_end_with_their_threads() -> None:
    chunks = person_chunks(plan_population(2000, 5, 0.4), 100, threads=2)
    assert len(next(chunks)) == 100
    chunks.close()  # type: ignore[attr-defined]
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("persons")]


def test_generate_persons_duplicates_are_apart_and_ids_tell_nothing(persons: pl.DataFrame) -> None:
    neighbours = persons["entity_id"] == persons["entity_id"].shift(1)
    assert neighbours.sum() <= 5
    number = persons["id"].str.slice(1).cast(pl.Float64)
    entity = persons["entity_id"].str.slice(1).cast(pl.Float64)
    assert abs(pl.DataFrame({"n": number, "e": entity}).select(pl.corr("n", "e")).item()) < 0.03


def test_generate_persons_fields_are_well_formed(persons: pl.DataFrame) -> None:
    _, invalid = parse_dates(persons["dob"], day_first=False)
    assert not invalid.any()
    assert persons["dob"].drop_nulls().str.contains(r"^\d{4}-\d\d-\d\d$").all()
    assert persons["ssn"].drop_nulls().str.contains(r"^(\d{3}-\d\d-\d{4}|\d{9})$").all()
    assert persons["zip"].drop_nulls().str.contains(r"^\d{5}$").all()
    assert persons["state"].drop_nulls().str.contains(r"^[A-Z]{2}$").all()
    assert persons["email"].drop_nulls().str.contains("@").mean() > 0.98  # type: ignore[operator]


def test_generate_persons_originals_are_plausible(originals: pl.DataFrame) -> None:
    area = originals["ssn"].drop_nulls().str.slice(0, 3).filter(originals["ssn"].drop_nulls() != "000-00-0000")
    assert area.cast(pl.Int32).is_between(1, 899).all()
    assert not (area == "666").any()
    real = originals["ssn"].drop_nulls().str.replace_all("-", "").filter(originals["ssn"].drop_nulls() != "000-00-0000")
    assert real.is_unique().all()
    # A postal code belongs to one state.
    by_zip = originals.drop_nulls(["zip", "state"]).group_by("zip").agg(pl.col("state").n_unique())
    assert by_zip["state"].max() == 1
    assert originals["last_name"].str.to_titlecase().value_counts(sort=True)["last_name"][0] == "Smith"
    assert 0.006 < (originals["last_name"] == "Smith").mean() < 0.011  # type: ignore[operator]


def test_generate_persons_values_are_absent_at_their_rates(originals: pl.DataFrame) -> None:
    for field, share in ABSENT_SHARES.items():
        found = originals[field].null_count() / len(originals)
        assert share * 0.8 < found < share * 1.2, field


def _pairs(persons: pl.DataFrame) -> pl.DataFrame:
    """Two rows of one entity, side by side."""
    two = persons.filter(pl.len().over("entity_id") == 2).sort("entity_id", "id")
    first, second = two[::2], two[1::2]
    return first.hstack(second.rename({name: f"{name}_2" for name in COLUMNS}))


def test_generate_persons_duplicates_differ_but_not_in_everything(persons: pl.DataFrame) -> None:
    pairs = _pairs(persons)
    differs = pairs.select(
        ~pl.col(field).eq_missing(pl.col(f"{field}_2"))
        & pl.col(field).is_not_null()
        & pl.col(f"{field}_2").is_not_null()
        for field in FIELDS
    )
    absent = pairs.select(pl.col(field).is_null() ^ pl.col(f"{field}_2").is_null() for field in FIELDS)
    changed = differs.sum_horizontal() + absent.sum_horizontal()
    assert changed.min() >= 1  # type: ignore[operator]
    assert 1.5 < differs.sum_horizontal().mean() < 3.0  # type: ignore[operator]
    assert changed.max() < len(FIELDS)  # type: ignore[operator]
    shares = {field: differs[field].mean() for field in FIELDS}
    assert 0.1 < shares["last_name"] < 0.45  # type: ignore[operator]
    assert 0.1 < shares["first_name"] < 0.45  # type: ignore[operator]
    assert 0.03 < shares["dob"] < 0.25  # type: ignore[operator]
    digits = [pl.col(name).str.replace_all("-", "") for name in ("ssn", "ssn_2")]
    assert 0.02 < pairs.select((digits[0] != digits[1]).mean()).item() < 0.1


def test_generate_persons_knows_nicknames_moves_and_swaps(persons: pl.DataFrame) -> None:
    pairs = _pairs(persons)
    names = pl.concat([pairs.select("first_name", "first_name_2"), pairs.select("first_name_2", "first_name").rename(
        {"first_name_2": "first_name", "first_name": "first_name_2"})])  # fmt: skip
    assert len(names.filter((pl.col("first_name") == "Robert") & pl.col("first_name_2").is_in(["Bob", "Rob", "Bobby"])))
    moved = (pairs["zip"] != pairs["zip_2"]) & (pairs["street"] != pairs["street_2"])
    assert 0.04 < moved.mean() < 0.25  # type: ignore[operator]
    swapped = (pairs["first_name"] == pairs["last_name_2"]) & (pairs["last_name"] == pairs["first_name_2"])
    assert 0.01 < swapped.mean() < 0.06  # type: ignore[operator]
    day_month = pairs["dob"].str.slice(5, 2) + pairs["dob"].str.slice(8, 2)
    other = pairs["dob_2"].str.slice(8, 2) + pairs["dob_2"].str.slice(5, 2)
    assert ((day_month == other) & (pairs["dob"] != pairs["dob_2"])).sum() > 5


def test_generate_persons_has_households_twins_and_juniors(originals: pl.DataFrame) -> None:
    home = originals.drop_nulls(["street", "zip", "dob"])
    sizes = home.group_by("street", "zip").len()["len"]
    assert 0.4 < sizes.filter(sizes > 1).sum() / len(home) < 0.6
    together = home.join(home, on=["street", "zip"], suffix="_2").filter(pl.col("id") < pl.col("id_2"))
    same_name = (together["last_name"] == together["last_name_2"]).mean()
    assert 0.6 < same_name < 0.95  # type: ignore[operator]
    assert 0.3 < (together["phone"] == together["phone_2"]).mean() < 0.6  # type: ignore[operator]
    twins = together.filter((pl.col("dob") == pl.col("dob_2")) & (pl.col("dob") != "1900-01-01"))
    assert len(twins) > 30
    assert (twins["first_name"] != twins["first_name_2"]).all()
    namesakes = together.filter(
        (pl.col("first_name") == pl.col("first_name_2"))
        & (pl.col("last_name").str.replace(" Jr", "") == pl.col("last_name_2").str.replace(" Jr", ""))
        & (pl.col("dob") != pl.col("dob_2"))
    )
    assert len(namesakes) > 10
    assert originals["last_name"].str.ends_with(" Jr").any()


def test_generate_persons_has_strangers_of_one_name(originals: pl.DataFrame) -> None:
    names = originals.group_by("first_name", "last_name").agg(pl.col("zip").n_unique())
    assert (names["zip"] > 1).sum() > 200


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_generate_persons_of_few_rows(rows: int) -> None:
    assert len(generate_persons(rows, seed=1, duplicates=0.3)) == rows
    assert len(generate_persons(rows, seed=1, duplicates=0.8)) == rows


def test_write_persons_says_what_keeps_it_from_writing(tmp_path: Path) -> None:
    population = plan_population(10, 1, 0.3)
    with pytest.raises(ConfigError, match="is a folder"):
        (tmp_path / "folder.csv").mkdir()
        write_persons(population, tmp_path / "folder.csv")
    with pytest.raises(ConfigError, match="there is no folder .*absent; make it first"):
        write_persons(population, tmp_path / "absent" / "x.csv")
    (tmp_path / ".x.csv.partial").mkdir()
    with pytest.raises(HeadraceError, match="cannot be written"):
        write_persons(population, tmp_path / "x.csv")
    with pytest.raises(ConfigError, match=r"need about 1,000,000,000\.0 GB and .* GB free"):
        check_room(tmp_path / "not yet" / "x.csv", 10**9, 10**9)
    check_room(tmp_path / "not yet" / "x.csv", 10, 10)


def test_write_persons_refuses_other_formats_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in .parquet or .csv"):
        write_persons(plan_population(10, 1, 0.3), tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


def test_person_chunks_need_memory_for_one_chunk(originals: pl.DataFrame) -> None:
    population = plan_population(60_000, 2, 0.3)
    next(iter(person_chunks(population, 1000)))
    tracemalloc.start()
    for _ in person_chunks(population, 20_000):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # numpy reports its arrays; the byte matrices of 6,000 copies are 2 MB, and edits hold a few of them.
    assert peak < 60e6
    assert len(originals)
