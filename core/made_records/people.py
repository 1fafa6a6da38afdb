"""Names of people and nothing else, in many spellings and scripts: a list of names, and how others wrote them down."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.clerks import Clerk, arranged, between, joined, some_slipped, where
from core.made_records.draws import Draws, cumulative
from core.made_records.persons.profiles.customs import CHINESE, SLAVIC, NameTables, name_tables
from core.made_records.persons.words.vocabulary import Vocabulary, build_vocabulary
from core.made_records.shapes import Flags, Ints, Records, two_files

# English less often than others: its names are the easy ones.
_CUSTOMS = cumulative(np.array([0.16, 0.12, 0.1, 0.12, 0.16, 0.14, 0.1, 0.1]))


def names_people(rows: int, rates: Mapping[str, float], draws: Draws) -> tuple[Records, pl.DataFrame]:
    """Two lists of full names. A person is a name here: no two of them have the same given names and surname."""
    records = two_files(rows, 0.5, rates["overlap"], 0.0, draws)
    keys, person, second = records.keys, records.entity, records.source == 1
    words = build_vocabulary(max(records.n_entities, 5000))
    tables = name_tables(words)
    given, middle, family, custom = (codes[person] for codes in _persons(records.n_entities, tables, words, draws))
    own = draws.flag("own script", keys, np.where(second, rates["own script"], 0.0))
    codes = (given, middle, family)
    first, second_name, last = (
        _spelt(tables, code, part, own, Clerk(keys, rates, draws))
        for part, code in zip(("given", "middle", "family"), codes, strict=True)
    )
    first = _initials(first, draws.flag("initial", keys, np.where(second, rates["initial"], 0.0)) & ~own)
    has_middle = draws.flag("middle", person, rates["middle"]) & (custom != CHINESE)
    shown = has_middle & ~draws.flag("no middle", keys, np.where(second, rates["no middle"], 0.0))
    second_name = _initials(
        where(shown, second_name),
        draws.flag("middle initial", keys, np.where(second, rates["middle initial"], 0.1)) & ~own,
    )
    swapped = draws.flag("swapped", keys, np.where(second, rates["swapped"], rates["swapped"] / 4))
    comma = swapped & draws.flag("comma", keys, 0.5)
    parts = {"given": first, "middle": second_name, "family": last, "before": between("", last, ",")}
    text = arranged(
        parts, ("given middle family", "family given middle", "before given middle"), swapped.astype(np.int64) + comma
    )
    text = some_slipped(text, keys, "name", np.where(second, rates["slip"], 0.0), draws)
    return records, pl.DataFrame(
        {"name": where(draws.flag("capitals", keys, rates["capitals"]), text.str.to_uppercase(), text)}
    )


def _persons(n_persons: int, tables: NameTables, words: Vocabulary, draws: Draws) -> tuple[Ints, Ints, Ints, Ints]:
    """(n_persons,) codes of given name, middle name, surname, and the custom; no two have the first and the third."""
    person = np.arange(n_persons, dtype=np.int64)
    custom, male = draws.pick("custom", person, _CUSTOMS), draws.flag("male", person, 0.5)
    given, family = np.zeros_like(person), np.zeros_like(person)
    again, turn = person, 0
    # Who has the names of one before is drawn once more; common names make that rare from the third turn on.
    while len(again) and turn < 30:
        of = again + turn * (1 << 42)
        given[again] = tables.given(of, male[again], custom[again], draws, words)
        surname = tables.surname(of, custom[again], draws, words)
        her = ~male[again] & (custom[again] == SLAVIC)
        family[again] = np.where(her, tables.feminine[surname], surname)
        _, first = np.unique(given * (1 << 31) + family, return_index=True)
        again, turn = np.setdiff1d(person, first), turn + 1
    middle = tables.given(person + (1 << 40), male, custom, draws, words)
    return given, middle, family, custom


def _spelt(tables: NameTables, codes: Ints, part: str, own: Flags, clerk: Clerk) -> pl.Series:
    """(n,) a name in its usual spelling, another one, or its own script."""
    unit = clerk.draws.unit(f"{part} spelling", clerk.keys)
    place = tables.spelt(codes, unit, clerk.rate("other spelling"))
    native = tables.native[codes]
    return tables.spellings.gather(np.where(own & (native >= 0), native, place))


def _initials(names: pl.Series, flags: Flags) -> pl.Series:
    return where(
        flags,
        joined(
            names.str.slice(0, 1), where(names.is_not_null().to_numpy(), pl.Series(["."]).new_from_index(0, len(names)))
        ),
        names,
    )
