"""Names of organisations and nothing else: against a master list, in two lists, and in hundreds of spellings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.clerks import Forms, Haste, between, forms, hurried, joined, some_slipped, where
from core.made_records.draws import Draws
from core.made_records.organisations import words
from core.made_records.organisations.names import companies_of, names_of
from core.made_records.persons.words.vocabulary import made_words
from core.made_records.shapes import Flags, Ints, Records, two_files

Made = tuple[Records, pl.DataFrame]


def master(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """A master list of one kind of organisation, and mentions of them: several of one, and some of none."""
    records = two_files(rows, rates["first"], rates["overlap"], rates["copies"], draws)
    keys, entity, second = records.keys, records.entity, records.source == 1
    kinds = list(words.MASTER_KINDS)
    shapes = forms(words.MASTER_KINDS[kinds[int(draws.below("kind", np.zeros(1, dtype=np.int64), len(kinds))[0])]])
    # Of one place come several of one kind: near namesakes.
    place, number = np.divmod(entity, 5)
    alone = draws.flag("alone", entity, 1 - rates["namesakes"])
    place = np.where(alone, entity + records.n_entities, place)
    shape = (draws.below("shape", place, len(shapes)) + number) % len(shapes)
    towns = made_words(8 * records.n_entities + 100)
    town = towns.gather(draws.below("town", place, len(towns)))
    land = pl.Series(["Bay", "Hill", "Valley", "Lake"]).gather(draws.below("land", place, 4))
    town = where(draws.flag("two words", place, 0.2), joined(town, " ", land), town)
    town = some_slipped(town, keys, "town", np.where(second, rates["slip"] * 2, 0.0), draws)
    # The pattern holds {} once: what is before and behind it.
    frame = pl.DataFrame({"pattern": _patterns(shapes, shape, second, keys, rates, draws), "town": town})
    text = frame.select(
        pl.concat_str(
            pl.col("pattern").str.split("{}").list.first(), "town", pl.col("pattern").str.split("{}").list.last()
        )
    ).to_series()
    region = made_words(50).gather(draws.below("region", place, 40))
    text = where(second & draws.flag("with region", keys, rates["region"]), joined(text, ", ", region), text)
    return records, pl.DataFrame({"name": text})


def _patterns(
    shapes: Forms, shape: Ints, second: Flags, keys: Ints, rates: Mapping[str, float], draws: Draws
) -> pl.Series:
    """(n,) what stands around the place: the master's as it is, the mentions' in haste."""
    pattern = shapes.pick(shape, draws.unit("form", keys), np.where(second, rates["other form"], 0.0))
    rows = np.flatnonzero(second)
    dirty = hurried(pattern.gather(rows), keys[rows], "pattern", Haste.of(rates), draws, spare_first=False)
    at = np.arange(len(keys))
    at[rows] = len(keys) + np.arange(len(rows))
    return pl.concat([pattern.alias("name"), dirty.alias("name")]).gather(at)


def companies(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """Two lists of names of companies."""
    records = two_files(rows, 0.5, rates["overlap"], 0.0, draws)
    found = companies_of(records.entity, records.n_entities, rates["namesakes"], draws)
    return records, pl.DataFrame({"name": names_of(found, records.keys, rates, draws)})


def spellings(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """One column that many people have typed: a few companies in hundreds of spellings each, others in one or two."""
    records = _crowded(rows, draws)
    keys = records.keys
    found = companies_of(records.entity, records.n_entities, rates["namesakes"], draws)
    name = names_of(found, keys, rates, draws)
    department = words.DEPARTMENTS.pick(
        draws.below("department", keys, len(words.DEPARTMENTS)), draws.unit("department word", keys), 0.4
    )
    name = where(
        draws.flag("with department", keys, rates["department"]), joined(name, between(" - ", department)), name
    )
    town = made_words(400).gather(draws.below("town", records.entity * 12 + draws.below("site", keys, 12), 390))
    name = where(draws.flag("with town", keys, rates["town"]), joined(name, " ", town), name)
    number = pl.Series(1000 + draws.below("number", keys, 9000)).cast(pl.String)
    return records, pl.DataFrame(
        {"name": where(draws.flag("with number", keys, rates["number"]), joined(name, " #", number), name)}
    )


def _crowded(rows: int, draws: Draws) -> Records:
    """Companies by falling size: the k-th of each forty has about 300 / k^0.8 records (fewer
    in small files), at least one."""
    most = min(max(rows * 0.075, 20.0), 300.0)
    k = np.arange(rows, dtype=np.int64)
    size = np.maximum(1, (most / (1 + k % 40) ** 0.8 * (0.5 + draws.unit("size", k))).astype(np.int64))
    entity = np.repeat(k, size)[:rows]
    order: Ints = np.argsort(draws.bits("order", np.arange(rows, dtype=np.int64)), kind="stable")
    return Records(entity[order], np.zeros(rows, dtype=np.int64), int(entity[-1]) + 1)
