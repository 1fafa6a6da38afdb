"""Names of companies: what a company is called, and how others write that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from core.made_records.clerks import Clerk, Haste, arranged, between, coined, hurried, joined, where
from core.made_records.draws import Draws
from core.made_records.organisations import words
from core.made_records.persons.words.vocabulary import build_vocabulary
from core.made_records.shapes import Ints, families


@dataclass(frozen=True, slots=True)
class Companies:
    """Companies of as many records: (n,) each. family is shared by near namesakes.

    head: what is said first: a family name, a place or an invented word. trade, second, generic, legal: numbers in the
    tables of words; second is -1 where there is none.
    """

    family: Ints
    company: Ints
    head: pl.Series
    trade: Ints
    second: Ints
    generic: Ints
    legal: Ints


def companies_of(entities: Ints, n_entities: int, namesakes: float, draws: Draws) -> Companies:
    """The companies with these numbers. namesakes: share that has another's first word and other trade."""
    family, member = families(entities, 3, 1 - namesakes, draws)
    trade = (
        draws.below("trade", family, len(words.TRADES)) + member * (1 + draws.below("other trade", family, 7))
    ) % len(words.TRADES)
    second = np.where(draws.flag("second trade", entities, 0.3), draws.below("second", entities, len(words.TRADES)), -1)
    return Companies(
        family=family,
        company=entities,
        head=_heads(family, n_entities, draws),
        trade=trade,
        second=second,
        generic=draws.below("generic", entities, len(words.GENERIC)),
        legal=draws.below("legal", family, len(words.LEGAL)),
    )


def _heads(family: Ints, n_entities: int, draws: Draws) -> pl.Series:
    table = build_vocabulary(max(n_entities, 10_000))
    surname = table.surnames.gather(table.surname_ranks.pick("head", family, draws))
    other = table.surnames.gather(table.surname_ranks.pick("partner", family, draws))
    letters = pl.Series(list("ABCDEFGHIKLMNOPRSTVW"))
    initials = joined(*[letters.gather(draws.below(f"initial {k}", family, 20)).alias(str(k)) for k in range(3)])
    place = table.places.city.gather(draws.below("place", family, len(table.places.city)))
    way = draws.pick("head way", family, np.cumsum([0.34, 0.3, 0.12, 0.08, 0.08, 0.08]))
    parts = {"surname": surname, "coined": coined(family & 0xFFFFFF), "place": place, "initials": initials,
             "pair": joined(surname, " & ", other), "sons": joined(surname, " & Sons")}  # fmt: skip
    return arranged(parts, tuple(parts), way)


def names_of(companies: Companies, keys: Ints, rates: Mapping[str, float], draws: Draws) -> pl.Series:
    """(n,) names as a record has them; keys: (n,) of the records. Rates: see `rates.py`; those not given are 0."""
    clerk = Clerk(keys, rates, draws, "name ")
    parts = _parts(companies, clerk)
    orders = ("head trade second generic legal", "head second trade generic legal")
    text = arranged(parts, orders, clerk.does("reordered").astype(np.int64))
    alone = joined(parts["head"], between(" ", where(clerk.does("legal kept"), parts["legal"])))
    text = where(clerk.does("head alone"), alone, text)
    text = hurried(text, keys, "name", Haste.of(rates), draws)
    whole = arranged(parts, ("head trade second generic",), np.zeros(len(keys), dtype=np.int64))
    text = where(clerk.does("acronym"), acronyms(whole), text)
    return where(clerk.does("capitals"), text.str.to_uppercase(), text)


def _parts(companies: Companies, clerk: Clerk) -> dict[str, pl.Series]:
    head = companies.head
    head = where(clerk.does("and"), head.str.replace(" & ", " and ", literal=True), head)
    second = clerk.word(words.TRADES, np.maximum(companies.second, 0), "second", clerk.rate("other word"))
    generic = clerk.word(words.GENERIC, companies.generic, "generic", clerk.rate("other word"))
    legal = clerk.word(words.LEGAL, companies.legal, "legal", clerk.rate("other legal form"))
    return {
        "head": where(clerk.does("together"), head.str.replace_all(r"[ &-]", ""), head),
        "trade": clerk.word(words.TRADES, companies.trade, "trade", clerk.rate("other word")),
        "second": where((companies.second >= 0) & ~clerk.does("part left out"), second),
        "generic": where(~clerk.does("part left out too"), generic),
        "legal": where(~clerk.does("no legal form"), legal),
    }


def acronyms(texts: pl.Series) -> pl.Series:
    """(n,) first letters of the words; of texts of fewer than three words the text."""
    letters = texts.str.extract_all(r"(?:^|[ -])\p{L}").list.join("").str.replace_all(r"[ -]", "").str.to_uppercase()
    return where((letters.str.len_chars() >= 3).fill_null(False).to_numpy(), letters, texts)


def other_names(companies: Companies, draws: Draws) -> pl.Series:
    """(n,) a name of its own that a company trades under, or had before."""
    word = words.TRADES.names.gather(
        words.TRADES.first[draws.below("other trade name", companies.company, len(words.TRADES))]
    )
    return joined(coined((companies.company + 7) * 1_000_003 & 0xFFFFFF), " ", word)
