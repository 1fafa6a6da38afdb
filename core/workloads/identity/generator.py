"""Made persons with known entities: for demonstrations, tests and measurements at any size.

What the data is like (shares of the records; the duplicates' errors are in `errors.py`):

- An original and its duplicates are one entity; a duplicated one has 1 (75 %), 2 (15), 3 (6), 4 (3) or 5 (1).
- Absent at random, apart from errors: ssn 16 %, phone 13, email 30, dob 1.5, street 1.5, zip 1, city 0.5, state 0.5.
  Placeholders: ssn 000-00-0000 0.1 %, phone 555-555-5555 0.1, dob 1900-01-01 0.1.
- Written differently: phone as (AAA) EEE-LLLL 12 %, ssn without dashes 8, names in capitals 2, the nickname 4.
- Hard to tell apart though different: half of the persons live in households of two to four with one address, mostly
  one surname and in half of them one telephone; 8 % of second children are twins; 6 % of first sons are named like
  their father (three in ten of their records say Jr); common names are common (1 Smith in 120, 1 James among 26 men).

A record is a function of (seed, its number), so files of any size are made in chunks, and the same arguments make the
same bytes with the same version of Headrace and polars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from core.errors import ConfigError
from core.workloads.identity import people
from core.workloads.identity.draws import Draws, cumulative
from core.workloads.identity.errors import WIDTHS, Copies, slip_last_name, spoil
from core.workloads.identity.people import Ints
from core.workloads.identity.typing_errors import to_bytes, to_texts
from core.workloads.identity.vocabulary import Vocabulary, build_vocabulary

COLUMNS = (
    "id",
    "first_name",
    "last_name",
    "dob",
    "ssn",
    "phone",
    "street",
    "city",
    "state",
    "zip",
    "email",
    "entity_id",
)
FIELDS = COLUMNS[1:-1]
CHUNK_ROWS = 250_000
DUPLICATES_MAX = 0.8
ROWS_MAX = 500_000_000

ABSENT_SHARES = {
    "ssn": 0.16,
    "phone": 0.13,
    "email": 0.30,
    "dob": 0.015,
    "street": 0.015,
    "zip": 0.01,
    "city": 0.005,
    "state": 0.005,
}
PLACEHOLDERS = {"ssn": "000-00-0000", "phone": "555-555-5555", "dob": "1900-01-01"}
PLACEHOLDER_SHARE = 0.001
_COPIES = cumulative(np.array([75.0, 15, 6, 3, 1]))
_COPIES_MEAN = 1.40
# A record's key is its person's number with the number of the copy (0 = the original) above this bit.
_COPY_SHIFT = 44


@dataclass(frozen=True, slots=True)
class Population:
    """Which record stands where. n_rows = n_persons + duplicates.

    order: (n_rows,) the record that stands in each row. owner, copy: (n_duplicates,) person and number of each copy.
    """

    n_persons: int
    order: Ints
    owner: Ints
    copy: Ints
    draws: Draws
    words: Vocabulary


def plan_population(rows: int, seed: int, duplicates: float) -> Population:
    """Decide how many copies each person has, and the order of the rows.

    Args:
        rows: records in all, at least 1.
        duplicates: share of the rows that are copies of another row, 0 to 0.8.
    Raises:
        ConfigError: out of range.
    Cost: some 30 bytes and 0.2 us a row.
    """
    if not 1 <= rows <= ROWS_MAX:
        raise ConfigError(f"--rows must be 1 to {ROWS_MAX:,}, not {rows:,}", option="rows", got=rows)
    if not 0 <= duplicates <= DUPLICATES_MAX:
        raise ConfigError(f"--duplicates must be 0 to {DUPLICATES_MAX}, not {duplicates}", option="duplicates")
    draws = Draws(seed)
    n_copies = min(round(rows * duplicates), rows * 5 // 6)
    n_persons = rows - n_copies
    counts = _copy_counts(n_persons, n_copies, draws)
    owner = np.repeat(np.arange(n_persons, dtype=np.int64), counts)
    copy = np.arange(n_copies) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    order = np.argsort(draws.bits("order", np.arange(rows)), kind="stable")
    return Population(n_persons, order, owner, copy, draws, build_vocabulary(n_persons))


def _copy_counts(n_persons: int, n_copies: int, draws: Draws) -> Ints:
    """(n_persons,) copies of each person, 0 to 5, in all exactly n_copies."""
    persons = np.arange(n_persons, dtype=np.int64)
    share = min(1.0, n_copies / n_persons / _COPIES_MEAN)
    counts = np.where(draws.flag("copied", persons, share), 1 + draws.pick("copies", persons, _COPIES), 0)
    turn = np.argsort(draws.bits("copies turn", persons), kind="stable")
    while (gap := n_copies - int(counts.sum())) != 0:
        step = 1 if gap > 0 else -1
        able = turn[counts[turn] < 5] if gap > 0 else turn[counts[turn] > 0]
        counts[able[: abs(gap)]] += step
    return counts


def person_chunks(population: Population, chunk_rows: int = CHUNK_ROWS) -> Iterator[pl.DataFrame]:
    """Frames with `COLUMNS`, all strings, in row order; the rows do not depend on `chunk_rows`."""
    n_rows = len(population.order)
    for low in range(0, n_rows, chunk_rows):
        yield _chunk(population, low, min(low + chunk_rows, n_rows))


def generate_persons(rows: int, seed: int, duplicates: float) -> pl.DataFrame:
    """All rows in one frame; see `plan_population` for the arguments and the module for what is in them."""
    return pl.concat(person_chunks(plan_population(rows, seed, duplicates)))


def write_persons(population: Population, out: Path, progress: Callable[[int], None] | None = None) -> None:
    """Write .parquet or .csv by suffix; the file appears whole or not at all. `progress` is told the rows so far.

    Raises:
        ConfigError: another suffix.
    """
    if out.suffix not in {".parquet", ".csv"}:
        raise ConfigError(f"{out}: the name must end in .parquet or .csv", option="out", got=out.suffix)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    try:
        if out.suffix == ".csv":
            _write_csv(population, partial, progress)
        else:
            _write_parquet(population, partial, progress)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(population: Population, path: Path, progress: Callable[[int], None] | None) -> None:
    written = 0
    with path.open("wb") as file:
        for frame in person_chunks(population):
            frame.write_csv(file, include_header=written == 0)
            written += len(frame)
            if progress:
                progress(written)


def _write_parquet(population: Population, path: Path, progress: Callable[[int], None] | None) -> None:
    from polars.io.plugins import register_io_source

    def frames(*_pushed_down: object) -> Iterator[pl.DataFrame]:
        written = 0
        for frame in person_chunks(population):
            yield frame
            written += len(frame)
            if progress:
                progress(written)

    schema = dict.fromkeys(COLUMNS, pl.String)
    register_io_source(frames, schema=schema).sink_parquet(path, row_group_size=CHUNK_ROWS, maintain_order=True)


def _chunk(population: Population, low: int, high: int) -> pl.DataFrame:
    record = population.order[low:high]
    is_copy = record >= population.n_persons
    person, copy = record.copy(), np.zeros(len(record), dtype=np.int64)
    which = record[is_copy] - population.n_persons
    person[is_copy], copy[is_copy] = population.owner[which], population.copy[which]
    draws, words = population.draws, population.words
    originals = _records(person[~is_copy], copy[~is_copy], draws, words)
    copies = _spoilt(person[is_copy], copy[is_copy], draws, words)
    position = np.empty(len(record), dtype=np.int64)
    position[~is_copy] = np.arange(len(originals))
    position[is_copy] = len(originals) + np.arange(len(copies))
    width = max(7, len(str(len(population.order))))
    number = pl.Series(np.arange(low + 1, high + 1)).cast(pl.String).str.zfill(width)
    entity = pl.Series(person).cast(pl.String).str.zfill(width)
    return pl.concat([originals, copies])[position].select(
        ("P" + number).alias("id"), *FIELDS, ("E" + entity).alias("entity_id")
    )


def _records(person: Ints, copy: Ints, draws: Draws, words: Vocabulary) -> pl.DataFrame:
    """(n,) records with `FIELDS` as a careful clerk writes them."""
    family = people.family_of(person, draws)
    names = people.names_of(person, family, draws, words)
    year, month, day = people.births_of(person, family, draws)
    place = people.places_of(family.household, draws, words)
    address = people.addresses_of(family.household, place, draws, words)
    shared = (family.size > 1) & draws.flag("shared phone", family.household, people.SHARED_PHONE_SHARE)
    caller = np.where(shared, family.household, person)
    key = person | (copy << _COPY_SHIFT)
    frame = pl.DataFrame(
        {
            "first_name": _first_names(names.given, key, draws, words),
            "last_name": words.surnames.gather(names.surname),
            "dob": people.dates_text(year, month, day),
            "ssn": people.ssn_text(people.ssn_numbers(person, draws)),
            "phone": people.phones_of(caller, place, draws, words),
            "street": address.street,
            "city": words.places.city.gather(place),
            "state": words.places.state.gather(place),
            "zip": people.zip_text(address.zip_code),
            "email": people.emails_of(person, names, year, draws, words),
        }
    )
    says_junior = family.junior & draws.flag("says junior", key, 0.3)
    frame = frame.with_columns(
        pl.when(pl.Series(says_junior)).then(pl.col("last_name") + " Jr").otherwise("last_name").alias("last_name")
    )
    return _as_written(frame, key, draws)


def _first_names(given: Ints, key: Ints, draws: Draws, words: Vocabulary) -> pl.Series:
    """The given name, or in 4 % of the records that have one the nickname."""
    nick = draws.flag("calls nickname", key, 0.04) & (words.nick_count[given] > 0)
    code = words.nick_first[given] + draws.below("called", key, np.maximum(words.nick_count[given], 1))
    names = words.given.gather(given)
    nicknames = words.nicknames.gather(np.where(nick, code, 0))
    return nicknames.zip_with(pl.Series(nick), names)


def _as_written(frame: pl.DataFrame, key: Ints, draws: Draws) -> pl.DataFrame:
    """Formats, capitals, placeholders and what is absent, drawn for each record."""
    column = pl.col
    flags = {
        "parentheses": draws.flag("phone format", key, 0.12),
        "plain": draws.flag("ssn format", key, 0.08),
        "capitals": draws.flag("capitals", key, 0.02),
    }
    name_case = [
        pl.when("capitals").then(column(name).str.to_uppercase()).otherwise(name).alias(name)
        for name in ("first_name", "last_name")
    ]
    phone, ssn = column("phone"), column("ssn")
    parentheses = pl.format("({}) {}", phone.str.slice(0, 3), phone.str.slice(4))
    written = frame.with_columns(**{name: pl.Series(flag) for name, flag in flags.items()}).select(
        *[column(name) for name in FIELDS if name not in {"first_name", "last_name", "phone", "ssn"}],
        *name_case,
        pl.when("parentheses").then(parentheses).otherwise(phone).alias("phone"),
        pl.when("plain").then(ssn.str.replace_all("-", "", literal=True)).otherwise(ssn).alias("ssn"),
    )
    for field, share in ABSENT_SHARES.items():
        unit = pl.Series(draws.unit(f"absent {field}", key))
        value: pl.Expr = pl.when(unit >= share).then(column(field))
        if field in PLACEHOLDERS:
            value = pl.when(unit >= 1 - PLACEHOLDER_SHARE).then(pl.lit(PLACEHOLDERS[field])).otherwise(value)
        written = written.with_columns(value.alias(field))
    return written.select(FIELDS)


def _spoilt(person: Ints, copy: Ints, draws: Draws, words: Vocabulary) -> pl.DataFrame:
    """(n,) records of the copies with their errors; each differs from its original."""
    clean = _records(person, copy, draws, words)
    family = people.family_of(person, draws)
    has_dob = clean["dob"].is_not_null() & (clean["dob"] != PLACEHOLDERS["dob"]).fill_null(False)
    year, month, day = people.births_of(person, family, draws)
    copies = Copies(
        keys=person | (copy << _COPY_SHIFT),
        names=people.names_of(person, family, draws, words),
        male=family.male,
        place=people.places_of(family.household, draws, words),
        text={field: to_bytes(clean[field], width) for field, width in WIDTHS.items()},
        year=np.where(has_dob.to_numpy(), year, 0),
        month=month,
        day=day,
    )
    spoil(copies, draws, words)
    original = _records(person, np.zeros_like(person), draws, words)
    spoilt = _as_frame(copies, clean)
    # Now and then a slip changes nothing (equal letters exchanged); the next one does.
    for attempt in range(8):
        equal = _equal_rows(spoilt, original)
        if not len(equal):
            break
        slip_last_name(copies, equal, draws, attempt)
        spoilt = _as_frame(copies, clean)
    return spoilt


def _as_frame(copies: Copies, clean: pl.DataFrame) -> pl.DataFrame:
    present = pl.Series(copies.year > 0)
    dob = people.dates_text(copies.year, copies.month, copies.day)
    # A placeholder date is nobody's birthday: it stays as it is.
    kept = pl.Series(clean["dob"] == PLACEHOLDERS["dob"]).fill_null(False)
    texts = pl.DataFrame({field: to_texts(matrix) for field, matrix in copies.text.items()})
    dates = pl.DataFrame({"dob": dob, "clean": clean["dob"], "present": present, "kept": kept}).select(
        pl.when("present").then("dob").when("kept").then("clean").alias("dob")
    )
    return texts.hstack(dates).select(FIELDS)


def _equal_rows(left: pl.DataFrame, right: pl.DataFrame) -> Ints:
    same = np.ones(len(left), dtype=bool)
    for field in FIELDS:
        same &= left[field].eq_missing(right[field]).to_numpy()
    return np.flatnonzero(same)
