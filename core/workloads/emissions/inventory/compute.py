"""Lines in, one fate a line out: read, chosen, priced, guarded, multiplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import polars as pl

from core.currencies import exponents, to_text
from core.errors import InputError
from core.workloads.emissions.inventory import guard
from core.workloads.emissions.inventory.booked import booked
from core.workloads.emissions.inventory.credit_notes import credit_codes, credit_notes
from core.workloads.emissions.inventory.faults import faulted, input_faults
from core.workloads.emissions.inventory.policies.policy import Policy
from core.workloads.emissions.inventory.selection.catalog import Catalog
from core.workloads.emissions.inventory.selection.choices import KEYS, Answered, answer, as_row, asked
from core.workloads.emissions.inventory.suppliers import entities_of, own_suppliers
from core.workloads.emissions.rules.mass import line_masses
from core.workloads.emissions.rules.units import unit_of

PRICE_A_KG: Final = (0.01, 100_000.0)
"""In the line's currency; what costs less or more is looked at, for kg that are tonnes."""
_ALIKE: Final = "the supplier's name is like that of an own entity, and nothing tells whether it is; a VAT number would"
_S_MONEY, _S_QUANTITY = 0.05, 0.02
_OPEN: Final = pl.col("fate").is_null()
_ANSWER: Final = pl.Schema(
    {
        **dict.fromkeys(
            ("choice_fate", "choice_reason", "note", "method", "basis", "dataset_id", "factor_no"), pl.String
        ),
        **dict.fromkeys(
            ("factor_currency", "factor_valuation", "error_group", "price_scheme", "price_code"), pl.String
        ),
        **dict.fromkeys(("choice_review", "has_margins", "screening", "gwp_fixed", "is_mapped"), pl.Boolean),
        **dict.fromkeys(("category", "price_year", "dq_method", "edition_year"), pl.Int32),
        **dict.fromkeys(("s_factor", "s_class"), pl.Float64),
        "factor_region": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class Computed:
    """frame: the lines in their order, with all that was found. n_exact: lines that fractions decided."""

    frame: pl.DataFrame
    n_questions: int
    n_exact: int


def compute(lines: pl.DataFrame, catalog: Catalog, period: int | None) -> Computed:
    """One fate for each line; the order of the lines changes nothing but which of two with one id is the first.

    Args:
        lines: columns of `lines.COLUMNS`, all String.
        period: the year of the inventory; None: that of each line's date.
    """
    policy = catalog.policy
    frame = booked(lines.with_row_index("row"), policy, period)
    frame = frame.with_columns(
        supplier_entity=entities_of(lines),
        fate=pl.lit(None, pl.String),
        reason=pl.lit(None, pl.String),
        review=pl.lit(False),
        note=pl.lit(None, pl.String),
    )
    frame = _before(frame, lines, policy, period)
    frame, answers = _chosen(frame, catalog)
    frame, prices = _priced(frame, policy, answers)
    frame, shares = guard.covered_shares(frame)
    frame, shares = credit_notes(frame, shares)
    frame = guard.beside_suppliers_figures(guard.freight_beside_margins(_looked_at(frame)))
    frame, n_exact = _multiplied(frame, answers, prices, shares)
    return Computed(_described(frame), len(answers), n_exact)


def _before(frame: pl.DataFrame, lines: pl.DataFrame, policy: Policy, period: int | None) -> pl.DataFrame:
    """Fates that need no factor."""
    frame = guard.unique_lines(frame)
    if policy.own:
        own = own_suppliers(lines, policy.own)
        frame = guard.settled(
            frame, pl.lit(own == "own"), "excluded", pl.lit("the supplier is an own entity (intercompany)")
        )
        frame = guard.settled(frame, pl.lit(own == "alike"), "review", pl.lit(_ALIKE))
    if period is not None:
        outside = pl.format("the date lies outside the period {}", pl.lit(period))
        frame = guard.settled(frame, pl.col("year") != period, "excluded", outside)
    frame = faulted(frame, input_faults(policy))
    frame = guard.repeated_documents(frame)
    frame = guard.superseded_orders(frame)
    return credit_codes(guard.superseded_cards(frame))


def _chosen(frame: pl.DataFrame, catalog: Catalog) -> tuple[pl.DataFrame, list[Answered]]:
    """Each distinct question answered once; lines whose answer is none get its fate."""
    frame = asked(frame, by_place=catalog.is_regional)
    questions = frame.select("fate", *KEYS).filter(_OPEN).select(KEYS).unique().sort(KEYS)
    answers = [answer(row, catalog) for row in questions.iter_rows(named=True)]
    rows = pl.DataFrame([as_row(found) for found in answers], schema=_ANSWER)
    rows = pl.concat([questions, rows], how="horizontal").with_row_index("question")
    # A mark set before an answer was there is kept.
    frame = frame.rename({"note": "note_before"}).join(
        rows, on=list(KEYS), how="left", nulls_equal=True, maintain_order="left"
    )
    frame = frame.with_columns(
        note=pl.coalesce("note_before", "note"), review=pl.col("review") | pl.col("choice_review").fill_null(False)
    ).drop("note_before")
    for fate in ("rejected", "review"):
        frame = guard.settled(frame, pl.col("choice_fate") == fate, fate, pl.col("choice_reason"))
    blank = pl.lit("the {} is blank, which is no 0")
    no_amount = (pl.col("basis") == "amount") & pl.col("net_minor").is_null()
    no_quantity = (pl.col("basis") == "quantity") & pl.col("n").is_null()
    frame = guard.settled(frame, no_amount, "rejected", blank.str.replace("{}", "amount", literal=True))
    return guard.settled(frame, no_quantity, "rejected", blank.str.replace("{}", "quantity", literal=True)), answers


@dataclass(frozen=True, slots=True)
class _Prices:
    """Distinct multipliers of money, and which of them each line takes (0 is 1)."""

    values: list[Fraction]
    which: Mapping[str, str]


def _priced(
    frame: pl.DataFrame, policy: Policy, answers: Sequence[Answered]
) -> tuple[pl.DataFrame, Mapping[str, list[Fraction]]]:
    """Rate, index and margin of lines that count by amount, as numbers of distinct fractions; or why there are none."""
    by_amount = pl.col("basis") == "amount"
    frame = frame.with_columns(
        stands_for=pl.coalesce("valuation", pl.lit(policy.valuation, pl.String)),
        fx_period=pl.coalesce("day", pl.col("year").cast(pl.String)),
    )
    margin_shares = {
        number: found.margin_share for number, found in enumerate(answers) if found.margin_share is not None
    }
    asks = by_amount & pl.col("factor_valuation").is_not_null()
    frame = guard.settled(
        frame,
        asks & pl.col("stands_for").is_null(),
        "rejected",
        pl.lit("the line states no valuation (purchaser or producer), and the policy none for such lines"),
    )
    to_producer = asks & (pl.col("factor_valuation") == "producer") & (pl.col("stands_for") == "purchaser")
    unpriced = by_amount & (pl.col("method") == "spend")
    for column, what in (("factor_valuation", "valuation"), ("price_year", "year of its prices")):
        sentence = pl.lit(f"the factor is one of money, and its data set states no {what}")
        frame = guard.settled(frame, unpriced & pl.col(column).is_null(), "rejected", sentence)
    differs = asks & (pl.col("factor_valuation") != pl.col("stands_for"))
    has_share = to_producer & pl.col("question").is_in(list(margin_shares))
    sentence = pl.format(
        "the amount is at {} price and the factor at {} price, and no margin share is given",
        "stands_for",
        "factor_valuation",
    )
    frame = guard.settled(frame, differs & ~has_share, "rejected", sentence)
    multipliers: dict[str, list[Fraction]] = {}
    for name, keys in _MULTIPLIERS.items():
        frame, multipliers[name] = _multiplier(frame, name, keys, policy)
    kept = [Fraction(1), *(1 - share for share in margin_shares.values())]
    which = {question: place for place, question in enumerate(margin_shares, 1)}
    place = pl.col("question").replace_strict(which, default=0, return_dtype=pl.Int64) if which else pl.lit(0, pl.Int64)
    frame = frame.with_columns(margin_which=pl.when(has_share).then(place).otherwise(0).fill_null(0))
    return frame, {**multipliers, "margin": kept}


_MULTIPLIERS: Final = {
    "rate": ("currency", "factor_currency", "fx_period"),
    "index": ("factor_currency", "price_scheme", "price_code", "year", "price_year"),
}


def _multiplier(
    frame: pl.DataFrame, name: str, keys: tuple[str, ...], policy: Policy
) -> tuple[pl.DataFrame, list[Fraction]]:
    """Numbers of distinct rates or indices; lines for which there is none are rejected."""
    wanted = _OPEN & (pl.col("basis") == "amount")
    if name == "index":
        wanted &= pl.col("price_year").is_not_null()
    columns = dict.fromkeys((*keys, "fate", "basis", "price_year"))
    questions = frame.select(*columns).filter(wanted).select(keys).unique().sort(keys)
    values, which, why = [Fraction(1)], [], []
    for row in questions.rows():
        value, reason = _rate(row, policy) if name == "rate" else _index(row, policy)
        which.append(0 if value is None or value == 1 else len(values))
        why.append(reason if value is None else None)
        if which[-1]:
            values.append(Fraction(0) if value is None else value)
    found = questions.with_columns(
        pl.Series(f"{name}_which", which, dtype=pl.Int64), pl.Series("why", why, dtype=pl.String)
    )
    frame = frame.join(found, on=list(keys), how="left", nulls_equal=True, maintain_order="left")
    frame = guard.settled(frame, wanted & pl.col("why").is_not_null(), "rejected", pl.col("why")).drop("why")
    return frame.with_columns(pl.col(f"{name}_which").fill_null(0)), values


def _rate(row: tuple[Any, ...], policy: Policy) -> tuple[Fraction | None, str]:
    given, wanted, day = row
    if given == wanted:
        return Fraction(1), ""
    period = policy.rates.period_of(day)
    if period is None:
        return None, f"the date {day} has no {policy.rates.basis}, and rates are by {policy.rates.basis}"
    rate = policy.rates.rate(given, wanted, period)
    return rate, f"there is no rate of {given} to {wanted} for {period}; the policy's fx file may bring it"


def _index(row: tuple[Any, ...], policy: Policy) -> tuple[Fraction | None, str]:
    currency, scheme, code, bought, priced = row
    ratio = policy.prices.ratio(currency, (scheme or "", code or ""), bought, priced)
    return (
        ratio,
        f"there is no price index of {currency} for both {bought} and {priced}; the policy's prices may bring it",
    )


def _looked_at(frame: pl.DataFrame) -> pl.DataFrame:
    """Review lines whose price a kg cannot be meant."""
    kg = {text: size for text in frame["unit"].unique().drop_nulls() if (size := _kg(text)) is not None}
    if not kg:
        return frame
    mass = (
        pl.col("n")
        / pl.lit(10.0).pow(pl.col("places"))
        * pl.col("unit").replace_strict(kg, default=None, return_dtype=pl.Float64)
    )
    price = pl.col("net_minor").abs() / pl.lit(10.0).pow(exponents(pl.col("currency"))) / mass
    low, high = PRICE_A_KG
    odd = (pl.col("net_minor") != 0) & (mass > 0) & ((price < low) | (price > high))
    sentence = pl.format(
        "{} {} a kg is outside {} to {}; is the unit right?",
        price.round_sig_figs(3),
        "currency",
        pl.lit(low),
        pl.lit(int(high)),
    )
    return guard.settled(frame, odd, "review", sentence)


def _kg(text: str) -> float | None:
    try:
        unit = unit_of(text)
    except InputError:
        return None
    return float(unit.size) if unit.dimension == (("mass", 1),) else None


def _multiplied(
    frame: pl.DataFrame,
    answers: Sequence[Answered],
    prices: Mapping[str, list[Fraction]],
    shares: Mapping[int, Fraction],
) -> tuple[pl.DataFrame, int]:
    """Whole milligrams of the lines that count."""
    left = [Fraction(1), *dict.fromkeys(shares.values())]
    place = {share: number for number, share in enumerate(left)}
    by_row = {row: place[share] for row, share in shares.items()}
    share_which = (
        pl.col("row").replace_strict(by_row, default=0, return_dtype=pl.Int64) if by_row else pl.lit(0, pl.Int64)
    )
    frame = frame.with_columns(share_which=share_which)
    nothing = [share == 0 for share in left]
    if any(nothing):
        gone = pl.col("share_which").is_in([number for number, is_gone in enumerate(nothing) if is_gone])
        frame = guard.settled(
            frame, gone, "superseded", pl.lit("what it refers to is covered whole by a better record")
        )
    columns = ["row", "fate", "basis", "net_minor", "n", "places", "currency", "question", "share_which"]
    columns += [f"{name}_which" for name in prices]
    counted = (
        frame.select(columns)
        .filter(_OPEN)
        .with_columns(
            mantissa=pl.when(pl.col("basis") == "amount").then("net_minor").otherwise("n"),
            decimals=pl.when(pl.col("basis") == "amount")
            .then(exponents(pl.col("currency")).cast(pl.Int64))
            .otherwise("places"),
        )
    )
    values = [found.value if found.value is not None else Fraction(0) for found in answers]
    terms = [(values, _ints(counted, "question"))]
    terms += [(distinct, _ints(counted, f"{name}_which")) for name, distinct in prices.items()]
    terms.append((left, _ints(counted, "share_which")))
    masses, n_exact = line_masses((_ints(counted, "mantissa"), _ints(counted, "decimals")), terms)
    texts = pl.Series("share_text", [str(share) for share in left])
    rows = counted["row"].to_numpy()
    whole = np.zeros(len(frame), dtype=np.int64)
    whole[rows] = masses
    frame = frame.with_columns(
        mass_mg=pl.when(_OPEN).then(pl.Series(whole)),
        share=pl.when(_OPEN).then(texts.gather(_ints(frame, "share_which"))),
    )
    return frame.with_columns(fate=pl.when(_OPEN).then(pl.lit("counted")).otherwise(pl.col("fate"))), n_exact


def _ints(frame: pl.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return frame[name].cast(pl.Int64).to_numpy()


def _described(frame: pl.DataFrame) -> pl.DataFrame:
    """Spread, quality and texts of what counts; nothing of the kind for what does not."""
    counts = pl.col("fate") == "counted"
    own = pl.when(pl.col("basis") == "amount").then(_S_MONEY).otherwise(_S_QUANTITY)
    later = pl.col("edition_year") > pl.col("year")
    away = pl.col("factor_region").is_not_null() & (
        pl.col("country_of").fill_null(pl.col("factor_region")).str.to_uppercase().replace("UK", "GB")
        != pl.col("factor_region")
    )
    age = (pl.col("year") - pl.col("edition_year")).abs().fill_null(0)
    flags = {
        "edition later than the line": later,
        "factor of another country": away,
        "factor over 5 years from the line": age > 5,
        "code mapped": pl.col("is_mapped"),
        "screening": pl.col("screening"),
    }
    worse = (age > 5).cast(pl.Int32) + away.cast(pl.Int32)
    names = list(flags)
    bits = pl.sum_horizontal(hit.fill_null(False).cast(pl.Int32) * 2**place for place, hit in enumerate(flags.values()))
    texts = {
        code: "; ".join(name for place, name in enumerate(names) if code >> place & 1)
        for code in range(2 ** len(names))
    }
    return frame.with_columns(
        kg_co2e=to_text(pl.col("mass_mg"), 6),
        s_own=own,
        ln_sd=pl.when(counts).then((pl.col("s_factor") ** 2 + pl.col("s_class") ** 2 + own**2).sqrt()),
        data_quality=pl.when(counts).then((pl.col("dq_method") + worse).clip(1, 5)),
        flags=pl.when(counts).then(bits.replace_strict(texts, return_dtype=pl.String)),
        **{name: pl.when(counts).then(pl.col(name)) for name in ("method", "dataset_id", "factor_no")},
        reason=pl.when(counts).then(None).otherwise(pl.col("reason")),
        review=pl.col("review") | (pl.col("fate") == "review"),
    )
