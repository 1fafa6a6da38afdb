"""Made persons with known entities: for demonstrations, tests and measurements at any size.

What the profile `plain` is like (shares of the records; the duplicates' errors are in `error_model.py`, the words in
`words/`; the other profiles are in `profiles/`):

- An original and its duplicates are one entity; a duplicated one has 1 (75 %), 2 (15), 3 (6), 4 (3) or 5 (1). They
  stand anywhere in the file.
- Absent at random, apart from errors: ssn 16 %, phone 13, email 30, dob 1.5, street 1.5, zip 1, city 0.5, state 0.5.
  Placeholders: ssn 000-00-0000 0.1 %, phone 555-555-5555 0.1, dob 1900-01-01 0.1.
- Written differently: phone as (AAA) EEE-LLLL 12 %, ssn without dashes 8, names in capitals 2, the nickname 4.
- Hard to tell apart though different: half of the persons live in households of two to four with one address, mostly
  one surname and in half of them one telephone; 8 % of second children are twins; 6 % of first sons are named like
  their father (three in ten of their records say Jr); common names are common (1 Smith in 125, 1 James among 30 men).

A record is a function of (seed, rows, its number): nothing is held for all rows, chunks of any size are made in any
order by any number of threads, and the same arguments make the same bytes with the same version of Headrace and polars.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import islice

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.persons import people
from core.made_records.persons.error_model import WIDTHS, Copies, slip_last_name, spoil
from core.made_records.persons.numerals import dates_text, digits, numbered
from core.made_records.persons.people import Flags, Ints
from core.made_records.persons.population import Population, plan_population
from core.made_records.persons.profiles import PLAIN
from core.made_records.persons.profiles.records import records_of
from core.made_records.persons.words.vocabulary import Vocabulary
from core.made_records.typing_errors import to_bytes, to_texts

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
# A record's key is its person's number with the number of the copy (0 = the original) above this bit.
_COPY_SHIFT = 44


def person_chunks(population: Population, chunk_rows: int = CHUNK_ROWS, threads: int = 1) -> Iterator[pl.DataFrame]:
    """Frames with `COLUMNS`, all strings, in row order; the rows depend neither on `chunk_rows` nor on `threads`.

    At most `threads` + 2 chunks are in memory, one of them the caller's.
    """
    starts = iter(range(0, population.n_rows, chunk_rows))

    def make(low: int) -> pl.DataFrame:
        return _chunk(population, low, min(low + chunk_rows, population.n_rows))

    if threads == 1:
        yield from map(make, starts)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="persons") as pool:
        waiting = deque(pool.submit(make, low) for low in islice(starts, threads + 1))
        try:
            while waiting:
                frame = waiting.popleft().result()
                waiting.extend(pool.submit(make, low) for low in islice(starts, 1))
                yield frame
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def generate_persons(rows: int, seed: int, duplicates: float, profile: str = PLAIN) -> pl.DataFrame:
    """All rows in one frame; see `plan_population` for the arguments and the module for what is in them."""
    return pl.concat(person_chunks(plan_population(rows, seed, duplicates, profile)))


def _chunk(population: Population, low: int, high: int) -> pl.DataFrame:
    """Rows low .. high - 1."""
    rows = np.arange(low, high)
    numbers, copy = population.records_at(rows)
    draws, words = population.draws, population.words
    keys = numbers | (copy << _COPY_SHIFT)
    if population.world is None:
        records = _plain_records(numbers, copy, keys, draws, words)
    else:
        records = records_of(numbers, keys, population.world)
    width = max(7, len(str(population.n_rows)))
    return records.select(
        numbered("P", rows + 1, width).alias("id"), *FIELDS, numbered("E", numbers, width).alias("entity_id")
    )


def _plain_records(numbers: Ints, copy: Ints, keys: Ints, draws: Draws, words: Vocabulary) -> pl.DataFrame:
    """(n,) records with `FIELDS`; copy: which of a person's copies each is, 0 is the original."""
    persons = _persons(numbers, draws, words)
    written = _written(persons, keys, draws, words)
    copied = np.flatnonzero(copy)
    if len(copied):
        # Where a row is found: behind all written ones if it is a copy.
        position = np.arange(len(numbers))
        position[copied] = len(numbers) + np.arange(len(copied))
        spoilt = _spoilt(persons.of(copied), keys[copied], written[copied], draws, words)
        written = pl.concat([written, spoilt])[position]
    return written


@dataclass(frozen=True, slots=True)
class _Persons:
    """Persons as they are: (n,) each; texts: a frame of (n,) rows with `FIELDS`."""

    numbers: Ints
    given: Ints
    surname: Ints
    male: Flags
    junior: Flags
    place: Ints
    year: Ints
    month: Ints
    day: Ints
    texts: pl.DataFrame

    def of(self, rows: Ints) -> _Persons:
        """Only those rows."""
        return _Persons(*(getattr(self, name.name)[rows] for name in fields(self)))


def _persons(numbers: Ints, draws: Draws, words: Vocabulary) -> _Persons:
    family = people.family_of(numbers, draws)
    names = people.names_of(numbers, family, draws, words)
    year, month, day = people.births_of(numbers, family, draws)
    place = people.places_of(family.household, draws, words)
    address = people.addresses_of(family.household, place, draws, words)
    shared = (family.size > 1) & draws.flag("shared phone", family.household, people.SHARED_PHONE_SHARE)
    caller = np.where(shared, family.household, numbers)
    texts = pl.DataFrame(
        {
            "first_name": words.given.gather(names.given),
            "last_name": words.surnames.gather(names.surname),
            "dob": dates_text(year, month, day),
            "ssn": people.ssn_text(people.ssn_numbers(numbers, draws)),
            "phone": people.phones_of(caller, place, draws, words),
            "street": address.street,
            "city": words.places.city.gather(place),
            "state": words.places.state.gather(place),
            "zip": digits(address.zip_code, 5),
            "email": people.emails_of(numbers, names, year, draws, words),
        }
    )
    return _Persons(numbers, names.given, names.surname, family.male, family.junior, place, year, month, day, texts)


def _written(persons: _Persons, keys: Ints, draws: Draws, words: Vocabulary) -> pl.DataFrame:
    """(n,) records with `FIELDS` as a careful clerk writes them."""
    says_junior = persons.junior & draws.flag("says junior", keys, 0.3)
    junior = pl.when(pl.Series(says_junior)).then(pl.col("last_name") + " Jr").otherwise("last_name")
    nicknamed = _first_names(persons, keys, draws, words).alias("first_name")
    return _as_written(persons.texts.with_columns(nicknamed, last_name=junior), keys, draws)


def _first_names(persons: _Persons, keys: Ints, draws: Draws, words: Vocabulary) -> pl.Series:
    """The given name, or in 4 % of the records that have one the nickname."""
    given = persons.given
    nick = draws.flag("calls nickname", keys, 0.04) & (words.nick_count[given] > 0)
    code = words.nick_first[given] + draws.below("called", keys, np.maximum(words.nick_count[given], 1))
    nicknames = words.nicknames.gather(np.where(nick, code, 0))
    return nicknames.zip_with(pl.Series(nick), persons.texts["first_name"])


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


def _spoilt(persons: _Persons, keys: Ints, clean: pl.DataFrame, draws: Draws, words: Vocabulary) -> pl.DataFrame:
    """(n,) records of the copies with their errors; each differs from its original. clean: without errors."""
    has_dob = clean["dob"].is_not_null() & (clean["dob"] != PLACEHOLDERS["dob"]).fill_null(False)
    copies = Copies(
        keys=keys,
        names=people.Names(persons.given, persons.surname),
        male=persons.male,
        place=persons.place,
        text={field: to_bytes(clean[field], width) for field, width in WIDTHS.items()},
        year=np.where(has_dob.to_numpy(), persons.year, 0),
        month=persons.month,
        day=persons.day,
    )
    spoil(copies, draws, words)
    original = _written(persons, persons.numbers, draws, words)
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
    dob = dates_text(copies.year, copies.month, copies.day)
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
