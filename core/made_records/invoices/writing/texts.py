"""What stands on the bank lines that pay: texts, structured references and lines' identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from core.currencies import EXPONENTS, to_text
from core.made_records import invoices as of
from core.made_records.draws import Draws
from core.made_records.invoices.customers import CURRENCIES, Customers, Flags, Ints
from core.made_records.invoices.items import Items
from core.made_records.invoices.plan import ALONE, BY_ORDER, MONTH, ON_ACCOUNT, PARTS, RANGE, Plan
from core.made_records.invoices.rates import Rates
from core.made_records.invoices.receipts import Lines, Settled
from core.made_records.invoices.words import (
    CLAIMS,
    COUNTRIES,
    CUTS,
    INTROS,
    MONTHS,
    PLAIN,
    STATEMENT_OF,
    TAILS,
)
from core.made_records.invoices.words import (
    ON_ACCOUNT as ON_ACCOUNT_WORDS,
)
from core.made_records.invoices.writing import references

LANGUAGES = ("de", "fr", "es", "en")
WIDTH, NARROW = 140, 54
"""Letters of a text, and of one that a bank cuts."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What is written on items: numbers, order numbers and structured references (null where none)."""

    number: pl.Series
    order: pl.Series
    reference: pl.Series


@dataclass(frozen=True, slots=True)
class Writer:
    """What texts are written from."""

    lines: Lines
    plan: Plan
    items: Items
    papers: Papers
    customers: Customers
    first_day: np.datetime64
    draws: Draws
    rates: Rates

    @property
    def payer(self) -> Ints:
        """(n,) the customer of each line."""
        return self.plan.customer[self.lines.unit]

    @property
    def language(self) -> Ints:
        """(n,) places in `LANGUAGES`."""
        codes = np.array([LANGUAGES.index(country.language) for country in COUNTRIES])
        return codes[self.customers.country[self.payer]]

    def flag(self, name: str) -> Flags:
        """(n,) lines to which the rate of that name applies."""
        return self.draws.flag(name, np.arange(len(self.lines.unit)), self.rates[name])


def paid_texts(writer: Writer, settled: Settled) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(n,) text and structured reference of the lines that pay; and, row by row of `settled`, what stands for its item.

    The second is null where the line does not name the item one by one. Cost: some 3 us a line.
    """
    lines, plan = writer.lines, writer.plan
    way = plan.way[lines.unit]
    clean = np.where(plan.n_items[lines.unit] > 1, writer.flag("clean list"), writer.flag("clean reference"))
    clean &= lines.slice != of.TYPO
    structured = clean & (way == ALONE) & (plan.n_items[lines.unit] == 1)
    unnamed = writer.flag("credit not named")[settled.line] & (settled.amount < 0)
    named = np.flatnonzero((settled.item >= 0) & np.isin(way[settled.line], (ALONE, RANGE, PARTS)) & ~unnamed)
    written = _written(writer, settled, named, clean)
    shown = _with_amounts(writer, settled, named, written)
    reference = _references(writer, settled, named, structured)
    lists = _lists(writer, settled.line[named], shown)
    text = _texts(writer, settled, lists, way, reference.is_not_null().to_numpy())
    of_rows = pl.Series("written", [None], dtype=pl.String).new_from_index(0, len(settled.line))
    of_rows = of_rows.scatter(named, written)
    return pl.DataFrame([text, reference]), pl.DataFrame([of_rows])


def _written(writer: Writer, settled: Settled, named: Ints, clean: Flags) -> pl.Series:
    """(n,) numbers of the named rows as their payers write them."""
    draws, line = writer.draws, settled.line[named]
    payer = writer.payer[line]
    number = writer.papers.number.gather(settled.item[named])
    style = writer.customers.style[payer]
    text = references.written(number, clean[line] | (writer.lines.slice[line] == of.TYPO), style)
    rows = np.flatnonzero(writer.lines.slice[line] == of.TYPO)
    of_another = draws.flag("number of another", line[rows], writer.rates["number of another"])
    wrong = references.mistyped(number.gather(rows).to_list(), line[rows], draws)
    another = writer.papers.number.gather(draws.below("which other", line[rows], len(writer.papers.number)))
    chosen = pl.DataFrame({"slip": wrong, "another": another, "of_another": of_another}).select(
        pl.when("of_another").then("another").otherwise("slip")
    )
    text = text.scatter(rows, chosen.to_series()) if len(rows) else text
    return text.alias("written")


def _with_amounts(writer: Writer, settled: Settled, named: Ints, written: pl.Series) -> pl.Series:
    """(n,) the same, with the amount beside where the payer tells it."""
    line = settled.line[named]
    unit = writer.lines.unit[line]
    beside = writer.draws.flag("amounts in text", writer.plan.customer[unit], writer.rates["amounts in text"])
    beside &= (writer.plan.way[unit] != RANGE) & (writer.plan.n_items[unit] > 1)
    digits = np.array([EXPONENTS[code] for code in CURRENCIES])[writer.items.currency[settled.item[named]]]
    frame = pl.DataFrame({"text": written, "minor": settled.amount[named], "digits": digits, "beside": beside})
    frame = frame.with_columns(pl.col("digits").cast(pl.Int8))
    amount = to_text(pl.col("minor"), pl.col("digits"))
    return frame.select(pl.when("beside").then(pl.col("text") + " " + amount).otherwise("text")).to_series()


def _references(writer: Writer, settled: Settled, named: Ints, structured: Flags) -> pl.Series:
    """(n,) the reference on the slip, of lines that pay one item by it; null for the others."""
    rows = named[structured[settled.line[named]]]
    column = pl.Series("reference", [None], dtype=pl.String).new_from_index(0, len(writer.lines.unit))
    return (
        column.scatter(settled.line[rows], writer.papers.reference.gather(settled.item[rows])) if len(rows) else column
    )


def _lists(writer: Writer, line: Ints, written: pl.Series) -> pl.Series:
    """(n,) what a line says of its items; null where it says nothing of them."""
    lists = references.listed(line, written, writer.customers.style[writer.payer[line]])
    lines = lists["line"].to_numpy()
    is_range = writer.plan.way[writer.lines.unit[lines]] == RANGE
    several = lists["first"] != lists["last"]
    rows = np.flatnonzero(is_range & several.to_numpy())
    text = (
        lists["list"].scatter(rows, references.ranges(lists[rows], lines[rows], writer.draws))
        if len(rows)
        else lists["list"]
    )
    return pl.Series("list", [None], dtype=pl.String).new_from_index(0, len(writer.lines.unit)).scatter(lines, text)


def _texts(writer: Writer, settled: Settled, lists: pl.Series, way: Ints, structured: Flags) -> pl.Series:
    draws, keys, language = writer.draws, np.arange(len(way)), writer.language
    intro = references.picked([INTROS[code] for code in LANGUAGES], language, "intro", writer.payer, draws)
    plain = references.picked([PLAIN[code] for code in LANGUAGES], language, "plain", keys, draws)
    number = pl.Series(draws.below("stray number", keys, 90_000) + 200).cast(pl.String)
    residual = writer.plan.residual[writer.lines.unit]
    frame = pl.DataFrame([intro, plain, lists, number.alias("stray")]).with_columns(
        tail=pl.Series(TAILS).gather(draws.below("tail", keys, len(TAILS))),
        cut=_said(residual, ("discount", "discount_late"), CUTS, keys, draws),
        claim=_said(residual, ("deduction",), CLAIMS, keys, draws),
        way=pl.Series(way),
        month=_months(writer, settled),
        order=_orders(writer, settled, residual),
        on_account=pl.Series([ON_ACCOUNT_WORDS[code] for code in LANGUAGES]).gather(language),
        structured=pl.Series(structured),
        capitals=pl.Series(writer.flag("capitals")),
        cut_off=pl.Series(writer.flag("text cut")),
    )
    prepaid = pl.lit("Vorkasse ") + pl.col("order")
    said = (
        pl.when("structured")
        .then(pl.lit(""))
        .when(pl.col("list").is_not_null())
        .then(pl.col("intro") + pl.col("list"))
        .when(pl.col("way") == MONTH)
        .then("month")
        .when(pl.col("way") == BY_ORDER)
        .then("order")
        .when(pl.col("way") == ON_ACCOUNT)
        .then("on_account")
        .when(pl.Series(residual == of.RESIDUALS.index("prepayment")))
        .then(prepaid)
        .otherwise("plain")
    )
    behind = (pl.col("tail") + pl.col("cut") + pl.col("claim")).str.replace_all("{}", pl.col("stray"), literal=True)
    text = (said + behind).str.strip_chars()
    text = pl.when("capitals").then(text.str.to_uppercase()).otherwise(text)
    width = pl.when("cut_off").then(NARROW).otherwise(WIDTH)
    return frame.select(text.str.slice(0, width).alias("text")).to_series()


def _said(residual: Ints, names: tuple[str, ...], words: tuple[str, ...], keys: Ints, draws: Draws) -> pl.Series:
    """(n,) words about a residual, where it is one of those."""
    said = pl.Series(words).gather(draws.below(f"words for {names[0]}", keys, len(words)))
    mine = np.isin(residual, [of.RESIDUALS.index(name) for name in names])
    return (
        pl.DataFrame({"said": said, "mine": mine})
        .select(pl.when("mine").then("said").otherwise(pl.lit("")))
        .to_series()
    )


def _first_items(writer: Writer, settled: Settled) -> tuple[Ints, Ints]:
    """Lines that pay items, and the first item of each."""
    rows = np.flatnonzero(settled.item >= 0)
    line, at = np.unique(settled.line[rows], return_index=True)
    return line, settled.item[rows[at]]


def _months(writer: Writer, settled: Settled) -> pl.Series:
    """(n,) "Kontoauszug Maerz", "Statement 03/2025": the month of the first item."""
    line, item = _first_items(writer, settled)
    months = (writer.first_day + writer.items.issued[item]).astype("datetime64[M]").astype(np.int64)
    words = pl.Series([name for code in LANGUAGES for name in MONTHS[code]])
    language = writer.language[line]
    name = words.gather(language * 12 + months % 12)
    heads = pl.Series([STATEMENT_OF[code] for code in LANGUAGES]).gather(language)
    figures = (
        pl.Series(months % 12 + 1).cast(pl.String).str.pad_start(2, "0")
        + "/"
        + pl.Series(months // 12 + 1970).cast(pl.String)
    )
    frame = pl.DataFrame({"name": name, "figures": figures, "form": writer.draws.flag("month in figures", line, 0.4)})
    text = heads + frame.select(pl.when("form").then("figures").otherwise("name")).to_series()
    return pl.Series("month", [""]).new_from_index(0, len(writer.lines.unit)).scatter(line, text)


def _orders(writer: Writer, settled: Settled, residual: Ints) -> pl.Series:
    """(n,) the order number of the first item; one that no item has where money comes ahead of the invoice."""
    n = len(writer.lines.unit)
    line, item = _first_items(writer, settled)
    order = writer.papers.order.gather(item).fill_null("")
    heads = pl.Series(["PO ", "Bestellung ", "", "Order "]).gather(writer.draws.below("word for order", line, 4))
    column = pl.Series("order", [""]).new_from_index(0, n).scatter(line, heads + order)
    ahead = np.flatnonzero(residual == of.RESIDUALS.index("prepayment"))
    future = pl.Series(writer.draws.below("future order", ahead, 90_000) + 4_600_000).cast(pl.String)
    return column.scatter(ahead, future) if len(ahead) else column
