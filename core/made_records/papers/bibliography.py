"""Two bibliographies of one field: both kept by people, or one of them scraped from the reference lists of papers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.clerks import Haste, arranged, between, coined, falling, hurried, joined, some_slipped, where
from core.made_records.draws import Draws
from core.made_records.papers import words
from core.made_records.persons.words.vocabulary import Vocabulary, build_vocabulary
from core.made_records.shapes import Flags, Ints, Records, two_files

Made = tuple[Records, pl.DataFrame]
AUTHORS_MOST = 5


def clean(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """Two bibliographies that people keep, with each paper at most once in either."""
    records = two_files(rows, 0.5, rates["overlap"], 0.0, draws)
    return records, _written(records, rates, draws)


def scraped(rows: int, rates: Mapping[str, float], draws: Draws) -> Made:
    """A bibliography, and entries scraped from the web: several of one paper, and most of papers it does not have."""
    records = two_files(rows, rates["first"], rates["overlap"], rates["copies"], draws)
    return records, _written(records, rates, draws)


def _written(records: Records, rates: Mapping[str, float], draws: Draws) -> pl.DataFrame:
    keys, second = records.keys, records.source == 1
    work, is_journal = _works(records.entity, rates, draws)
    own = draws.below("venue", work * 2 + is_journal, len(words.VENUES))
    share = np.where(second, rates["venue short"], 0.1)
    venue = words.VENUES.pick(own, draws.unit("venue form", keys), share)
    year = 1985 + draws.below("year", work, 38) + is_journal
    wrong = draws.flag("year wrong", keys, np.where(second, rates["year wrong"], 0.0))
    year_text = pl.Series(year + np.where(wrong, 1, 0)).cast(pl.String)
    title, authors = _titles(work, keys, second, rates, draws), _authors(work, keys, second, rates, draws)
    # Scrapers cut a reference at the wrong place: names stay before the title.
    glued = draws.flag("glued", keys, np.where(second, rates["glued"], 0.0))
    first = authors.str.split(", ").list.get(0, null_on_oob=True)
    return pl.DataFrame(
        {
            "title": where(glued, joined(first, " ", title), title),
            "authors": where(~draws.flag("no authors", keys, np.where(second, rates["no authors"], 0.01)), authors),
            "venue": where(~draws.flag("no venue", keys, np.where(second, rates["no venue"], 0.01)), venue),
            "year": where(~draws.flag("no year", keys, np.where(second, rates["no year"], 0.0)), year_text),
        }
    )


def _works(entities: Ints, rates: Mapping[str, float], draws: Draws) -> tuple[Ints, Ints]:
    """(work, 1 if it is the journal's version of what a conference had before): a share of works are two papers."""
    pair, number = np.divmod(entities, 2)
    twofold = draws.flag("journal version", pair, rates["journal version"])
    return np.where(twofold, 2 * pair, entities), np.where(twofold, number, 0)


def _titles(work: Ints, keys: Ints, second: Flags, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    # Some groups write a series about one thing: the titles differ in a word or two.
    series = np.where(draws.flag("series", work // 4, rates["series"]), work // 4, work)

    parts = {
        "start": words.STARTS.drawn("starts", series * 2, draws),
        "adjective": words.ADJECTIVES.drawn("adjectives", work, draws),
        "method": words.METHODS.drawn("methods", work, draws),
        "of": pl.Series(["of"]).new_from_index(0, len(work)),
        "for": pl.Series(["for"]).new_from_index(0, len(work)),
        "thing": words.THINGS.drawn("things", series, draws),
        "setting": where(draws.flag("has setting", series, 0.6), words.SETTINGS.drawn("settings", series, draws)),
        "system": where(
            draws.flag("has system", work, 0.25), between("", coined(draws.below("system name", work, 1 << 30)), ":")
        ),
    }
    orders = (
        "system start adjective method of thing setting",
        "system adjective thing for method setting",
        "system thing adjective method setting",
    )
    title = arranged(parts, orders, draws.below("title order", series, 3))
    title = title.str.slice(0, 1).str.to_uppercase() + title.str.slice(1)
    haste = Haste(drop=rates["dropped"], shorten=rates["shortened"], slip=rates["slip"], swap=rates["swapped"] / 4)
    rows = np.flatnonzero(second)
    dirty = hurried(title.gather(rows), keys[rows], "title", haste, draws, spare_first=False)
    noise = where(
        draws.flag("noise", keys[rows], rates["noise"]),
        words.NOISE.names.gather(draws.below("which noise", keys[rows], len(words.NOISE))),
    )
    dirty = joined(dirty, between(" (", noise, ")"))
    dirty = where(draws.flag("cut", keys[rows], rates["cut"]), dirty.str.slice(0, 40), dirty)
    place = np.arange(len(work))
    place[rows] = len(work) + np.arange(len(rows))
    return pl.concat([title.alias("title"), dirty.alias("title")]).gather(place)


def _authors(work: Ints, keys: Ints, second: Flags, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """Names of one to five authors: in full or with initials, now and then without the last ones, in other order."""
    table = build_vocabulary(max(len(work), 2000))
    n_authors = 1 + np.minimum(draws.below("authors", work, 4) + draws.below("more authors", work, 2), AUTHORS_MOST - 1)
    initials = draws.flag("initials", keys, np.where(second, rates["initials"], 0.1))
    behind = draws.flag("surname first", keys, np.where(second, rates["surname first"], 0.0))
    short = draws.flag("et al", keys, np.where(second, rates["et al"], 0.0)) & (n_authors > 1)
    names: list[pl.Series] = []
    for place in range(AUTHORS_MOST):
        name = _author(work * AUTHORS_MOST + place, initials, behind, table, draws)
        name = some_slipped(name, keys * AUTHORS_MOST + place, "author", rates["author slip"], draws)
        lost = second & draws.flag(f"author lost {place}", keys, rates["author lost"]) & (place > 0)
        names.append(where((place < n_authors) & ~lost & ~(short & (place > 0)), name).alias(str(place)))
    text = joined(*names, separator=", ")
    return where(short, joined(text, " et al."), text)


def _author(who: Ints, initials: Flags, behind: Flags, table: Vocabulary, draws: Draws) -> pl.Series:
    """(n,) one author's name; who: of the work and place, from which a person of a community is drawn."""
    person = falling("author", who, max(200, table.n_persons), draws)
    given = table.given.gather(table.male_ranks.pick("given", person, draws))
    surname = table.surnames.gather(table.surname_ranks.pick("surname", person, draws))
    first = where(initials, between("", given.str.slice(0, 1), "."), given)
    middle = where(
        draws.flag("middle", person, 0.4),
        between("", pl.Series(list("ABCDEFGHJKLMNPRSTW")).gather(draws.below("middle letter", person, 18)), "."),
    )
    front = joined(first.alias("f"), middle.alias("m"), separator=" ")
    return where(behind, joined(surname, " ", front), joined(front, " ", surname))
