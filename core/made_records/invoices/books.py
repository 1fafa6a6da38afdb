"""Invoices, bank lines, customers, rates and truth of one data set, as tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from core.currencies import EXPONENTS, to_text
from core.errors import ConfigError
from core.made_records import invoices as of
from core.made_records.draws import Draws
from core.made_records.invoices import repeats
from core.made_records.invoices.accounts import iban
from core.made_records.invoices.customers import CURRENCIES, Flags, Ints
from core.made_records.invoices.exchange import SCALE
from core.made_records.invoices.plan import on_business_day
from core.made_records.invoices.rates import Rates
from core.made_records.invoices.receipts import Settled
from core.made_records.invoices.words import BACK, COUNTRIES, STRANGERS
from core.made_records.invoices.world import FIRST_RATE_DAY, World, made_world, order_of_a_day, papers_of
from core.made_records.invoices.writing.payers import payers
from core.made_records.invoices.writing.texts import Papers, Writer, paid_texts

ROWS_MIN, ROWS_MAX = 300, 20_000_000
_EXPONENTS = np.array([EXPONENTS[code] for code in CURRENCIES])


@dataclass(frozen=True, slots=True)
class Books:
    """The tables, all of strings but `truth` and `written`; amounts are plain decimals.

    written: line by line of truth (without rows of no item) what the payer wrote for the item: payment_id, invoice_id,
    written, amount, gross, discount. rates_drawn: how common everything is in this data set.
    """

    invoices: pl.DataFrame
    payments: pl.DataFrame
    customers: pl.DataFrame
    rates: pl.DataFrame
    truth: pl.DataFrame
    written: pl.DataFrame
    rates_drawn: Rates


def made_books(rows: int, seed: int) -> Books:
    """Books of `rows` invoices and bank lines together.

    Raises ConfigError: rows out of range.
    Cost: some 30 us and 1.5 kB a row.
    """
    if not ROWS_MIN <= rows <= ROWS_MAX:
        raise ConfigError(f"--rows must be {ROWS_MIN} to {ROWS_MAX:,}, not {rows:,}", option="rows", got=rows)
    world, paid = made_world(rows, Draws(seed))
    papers = papers_of(world)
    lines, settled = paid
    writer = Writer(lines, world.plan, world.items, papers, world.customers, world.first_day, world.draws, world.rates)
    texts, written = paid_texts(writer, settled)
    order = np.lexsort(
        (world.draws.bits("order of lines", np.arange(len(world.lines.day))), world.lines.turn, world.lines.day)
    )
    by_issue = np.lexsort((order_of_a_day(world), world.items.issued))
    payment_ids, item_ids = _ids(order, "B"), _ids(by_issue, "D")
    customer_ids = (pl.Series(np.arange(len(world.customers)) + 10_001)).cast(pl.String)
    return Books(
        invoices=_invoice_table(world, papers, item_ids, customer_ids)[by_issue],
        payments=_payment_table(world, texts, payment_ids)[order],
        customers=_customer_table(world, customer_ids),
        rates=_rate_table(world),
        truth=_truth_table(world, payment_ids, item_ids),
        written=_written_table(world, settled, written, payment_ids, item_ids),
        rates_drawn=world.rates,
    )


def _ids(order: Ints, letter: str) -> pl.Series:
    """(n,) ids by rank: what stands at order[0] is called 1."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return letter + pl.Series(rank).cast(pl.String).str.pad_start(7, "0")


def _dates(world: World, days: Ints) -> pl.Series:
    return pl.Series(world.first_day + days).cast(pl.Date).cast(pl.String)


def _money(minor: Ints, currency: Ints) -> pl.Series:
    frame = pl.DataFrame({"minor": minor, "digits": _EXPONENTS[currency]}).with_columns(pl.col("digits").cast(pl.Int8))
    return frame.select(to_text(pl.col("minor"), pl.col("digits"))).to_series()


def _codes(currency: Ints) -> pl.Series:
    return pl.Series(CURRENCIES).gather(currency)


def _where(flags: Flags, texts: pl.Series) -> pl.Series:
    """(n,) the texts where the flag is set, else null."""
    return pl.DataFrame({"flag": flags, "text": texts}).select(pl.when("flag").then("text")).to_series()


def _invoice_table(world: World, papers: Papers, ids: pl.Series, customer_ids: pl.Series) -> pl.DataFrame:
    items, customers = world.items, world.customers
    credit, who = items.amount < 0, items.customer
    n = len(items.unit)
    first = np.zeros(n, dtype=np.bool_)
    first[items.twin[items.twin >= 0]] = True
    later = items.twin >= 0
    terms = customers.terms[who] + np.where(later, 30, 0)
    percent = _decimals(customers.percent[who])
    granted = (customers.percent[who] > 0) & ~credit
    return pl.DataFrame(
        {
            "id": ids,
            "customer": customer_ids.gather(who),
            "customer_name": customers.names.gather(who),
            "number": papers.number,
            "kind": pl.Series(["invoice", "credit_note"]).gather(credit.astype(np.int64)),
            "amount": _money(items.gross, items.currency),
            "open": _money(items.amount, items.currency),
            "currency": _codes(items.currency),
            "issued": _dates(world, items.issued),
            "due": _dates(world, items.issued + np.where(credit, 0, terms)),
            "discount_percent": _where(granted, percent),
            "discount_days": _where(granted, pl.Series(customers.discount_days[who]).cast(pl.String)),
            "order": papers.order,
            "reference": _where(~credit, papers.reference),
            "instalment": _where(first | later, pl.Series(["1", "2"]).gather(later.astype(np.int64))),
            "relates_to": _where(items.related >= 0, papers.number.gather(np.maximum(items.related, 0))),
        }
    )


def _decimals(hundredths: Ints) -> pl.Series:
    frame = pl.DataFrame({"value": hundredths})
    return frame.select(to_text(pl.col("value"), 2)).to_series()


def _payment_table(world: World, texts: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    lines, draws = world.lines, world.draws
    keys = np.arange(len(lines.unit))
    frame = _said(world, texts)
    value_day = on_business_day(lines.day + draws.flag("value later", keys, 0.2))
    stated = (lines.slice == of.EXCHANGE) & draws.flag("stated abroad", keys, world.rates["stated abroad"])
    at_home, home_currency = _at_home(world)
    fee = _fees(world)
    own = pl.Series([iban("DE", f"370400440{n:09d}") for n in range(len(CURRENCIES))])
    return pl.DataFrame(
        {
            "id": ids,
            "booked": _dates(world, lines.day),
            "value_date": _dates(world, value_day),
            "amount": _money(lines.amount, lines.currency),
            "currency": _codes(lines.currency),
            "own_account": own.gather(lines.currency),
            "payer": frame["payer"],
            "payer_account": frame["payer_account"],
            "text": frame["text"],
            "reference": frame["reference"],
            "end_to_end": frame["end_to_end"],
            "bank_reference": ids,
            "original_amount": _where(stated, _money(at_home, home_currency)),
            "original_currency": _where(stated, _codes(home_currency)),
            "charges": _where((fee > 0) & draws.flag("charges told", keys, 0.3), _money(fee, lines.currency)),
        }
    )


def _said(world: World, texts: pl.DataFrame) -> pl.DataFrame:
    """(n,) payer, payer_account, text, reference, end_to_end of all lines; repeats say what their origin says."""
    lines, draws = world.lines, world.draws
    n_paid = world.n_paid_lines
    told = np.flatnonzero(lines.origin >= 0)
    keys = np.arange(n_paid)
    payer = world.plan.customer[lines.unit[:n_paid]]
    who = payers(payer, keys, world.customers, draws, world.rates)
    identity = pl.Series(draws.below("end to end", keys, 10**9)).cast(pl.String)
    kind = draws.below("kind of end to end", keys, 4)
    first = pl.concat([who, texts], how="horizontal").with_columns(
        end_to_end=pl.when(pl.Series(kind == 0))
        .then(pl.lit("NOTPROVIDED"))
        .when(pl.Series(kind < 3))
        .then("E2E" + identity)
    )
    again = first[lines.origin[told]].with_columns(
        turn=pl.Series(lines.turn[told]), own=pl.Series(draws.flag("says nothing", told, 0.3))
    )
    language = [BACK[country.language] for country in COUNTRIES]
    back = pl.Series(language).gather(world.customers.country[world.plan.customer[lines.unit[told]]])
    taken = pl.col("turn") == repeats.TAKEN_BACK
    doubled = (pl.col("turn") == repeats.DOUBLED) & pl.col("own")
    again = again.with_columns(
        text=pl.when(taken).then(pl.concat_str(back, "text")).when(doubled).then(pl.lit("")).otherwise("text"),
        reference=pl.when(~doubled).then("reference"),
        # Who sends money again says who they are anew; who sends it back says whose it was, or nothing.
        end_to_end=pl.when(taken & ~pl.col("own")).then("end_to_end"),
    ).drop("turn", "own")
    return pl.concat([first, again, _strange(world)])


def _strange(world: World) -> pl.DataFrame:
    keys = np.arange(world.plan.n_unrelated)
    kind = repeats.strangers(keys, world.draws)
    names, texts, _ = zip(*STRANGERS, strict=True)
    accounts = pl.Series([iban("DE", f"50010517{n:010d}") for n in range(len(STRANGERS))])
    number = pl.Series(world.draws.below("stranger's number", keys, 90_000) + 300).cast(pl.String)
    frame = pl.DataFrame(
        {"payer": pl.Series(names).gather(kind), "text": pl.Series(texts).gather(kind), "number": number}
    )
    return frame.select(
        pl.when(pl.col("payer") != "").then("payer").alias("payer"),
        accounts.gather(kind).alias("payer_account"),
        pl.col("text").str.replace("{}", pl.col("number"), literal=True),
        pl.lit(None, pl.String).alias("reference"),
        pl.lit(None, pl.String).alias("end_to_end"),
    )


def _at_home(world: World) -> tuple[Ints, Ints]:
    """(n,) what each line pays in the currency of its items, and that currency."""
    settled, items, lines = world.settled, world.items, world.lines
    amount, currency = np.zeros(len(lines.unit), dtype=np.int64), lines.currency.copy()
    rows = np.flatnonzero(settled.item >= 0)
    np.add.at(amount, settled.line[rows], settled.amount[rows])
    currency[settled.line[rows]] = items.currency[settled.item[rows]]
    return amount, currency


def _fees(world: World) -> Ints:
    fee = np.zeros(len(world.lines.unit), dtype=np.int64)
    rows = np.flatnonzero(world.settled.residual == of.RESIDUALS.index("bank_fee"))
    np.add.at(fee, world.settled.line[rows], -world.settled.rest[rows])
    return fee


def _customer_table(world: World, ids: pl.Series) -> pl.DataFrame:
    customers = world.customers
    one, other = customers.accounts
    frame = pl.DataFrame({"one": one, "other": other, "listed": customers.listed})
    both = pl.when(pl.col("listed") == 2).then(pl.col("one") + ";" + pl.col("other"))
    accounts = both.when(pl.col("listed") == 1).then("one")
    return pl.DataFrame(
        {
            "id": ids,
            "name": customers.names,
            "country": pl.Series([country.code for country in COUNTRIES]).gather(customers.country),
            "parent": _where(customers.parent >= 0, ids.gather(np.maximum(customers.parent, 0))),
            "accounts": frame.select(accounts).to_series(),
        }
    )


def _rate_table(world: World) -> pl.DataFrame:
    """Units of each currency for one euro; the euro itself says which is the base."""
    n_days, n = world.exchange.millionths.shape
    days = np.repeat(np.arange(n_days) + FIRST_RATE_DAY, n)
    rate = pl.DataFrame({"value": world.exchange.millionths.reshape(-1)}).select(to_text(pl.col("value"), 6))
    assert SCALE == 10**6
    currency = _codes(np.tile(np.arange(n), n_days))
    return pl.DataFrame({"date": _dates(world, days), "currency": currency, "rate": rate.to_series()})


def _truth_table(world: World, payment_ids: pl.Series, item_ids: pl.Series) -> pl.DataFrame:
    """What each line settles; lines that settle and leave nothing, as those of strangers, have one empty row."""
    settled, lines = world.settled, world.lines
    silent = np.setdiff1d(np.arange(len(lines.unit)), settled.line)
    line = np.concatenate([settled.line, silent])
    empty, nothing = np.full(len(silent), -1), np.zeros(len(silent), dtype=np.int64)
    item = np.concatenate([settled.item, empty])
    frame = pl.DataFrame(
        {
            "payment_id": payment_ids.gather(line),
            "invoice_id": _where(item >= 0, item_ids.gather(np.maximum(item, 0))),
            "amount_minor": np.concatenate([settled.amount, nothing]),
            "slice": pl.Series(of.SLICES).gather(lines.slice[line]),
            "residual_kind": pl.Series(of.RESIDUALS).gather(np.concatenate([settled.residual, nothing])),
            "residual_minor": np.concatenate([settled.rest, nothing]),
        }
    )
    return frame.sort("payment_id", "invoice_id", nulls_last=True)


def _written_table(
    world: World, settled: Settled, written: pl.DataFrame, payment_ids: pl.Series, item_ids: pl.Series
) -> pl.DataFrame:
    """What payers wrote for each item, with its gross amount and what they took off, as advices tell it."""
    rows = np.flatnonzero(settled.item >= 0)
    item, line = settled.item[rows], settled.line[rows]
    discount = settled.residual[rows] == of.RESIDUALS.index("discount")
    off = np.where(discount, -settled.rest[rows], 0)
    currency = world.items.currency[item]
    return pl.DataFrame(
        {
            "payment_id": payment_ids.gather(line),
            "invoice_id": item_ids.gather(item),
            "written": written["written"].gather(rows),
            "paid": _money(settled.amount[rows] - off, currency),
            "gross": _money(world.items.amount[item], currency),
            "discount": _money(off, currency),
        }
    )
