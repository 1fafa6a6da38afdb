"""What must not count twice: documents, orders and invoices, cards and agencies, what a better record covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import polars as pl

from core.currencies import exponent_of

OPEN: Final = pl.col("fate").is_null()
ENTITY: Final = pl.col("supplier_entity").fill_null("")
_COVERING: Final = (
    *("row", "line_id", "fate", "document", "document_type", "product_key", "covers_amount", "currency"),
    *("basis", "net_minor", "year"),
)
_SAME: Final = ("amount_minor", "currency", "code", "buyer_code", "n", "places", "unit")


def settled(frame: pl.DataFrame, condition: pl.Expr, fate: str, reason: pl.Expr) -> pl.DataFrame:
    """Give a fate and its reason to lines that have none yet and meet the condition."""
    hit = frame.select((condition.fill_null(False) & OPEN).alias("hit"))["hit"]
    if not hit.any():
        return frame
    return frame.with_columns(
        fate=pl.when(hit).then(pl.lit(fate)).otherwise(pl.col("fate")),
        reason=pl.when(hit).then(reason).otherwise(pl.col("reason")),
    )


def unique_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Reject lines without an id, and all but the first of those that share one."""
    frame = settled(frame, pl.col("line_id").is_null(), "rejected", pl.lit("the line has no line_id"))
    twice = ~pl.col("line_id").is_first_distinct()
    return settled(frame, twice, "rejected", pl.lit("its line_id stands already on an earlier line"))


def repeated_documents(frame: pl.DataFrame) -> pl.DataFrame:
    """Of lines of one document line, one stays: others that say the same are excluded, else all are reviewed."""
    keys = ["supplier_entity", "document", "document_line", "document_type"]
    lines = frame.select("row", "line_id", "fate", *keys, *_SAME, "text", "date", "product_key")
    lines = lines.filter(
        OPEN & pl.col("document").is_not_null() & (pl.col("document_type").fill_null("") != "activity")
    )
    # Hashes are compared faster than four texts; what they put together by chance is told apart below.
    lines = lines.filter(pl.struct(keys).hash(5).is_duplicated())
    if lines.is_empty():
        return frame
    # Lines without a number of their own are taken as repeated only if all that they say is the same.
    said = pl.when(pl.col("document_line").is_null()).then(pl.struct(*_SAME, "text", "date", "product_key").hash(7))
    lines = lines.with_columns(said=said, content=pl.struct(_SAME).hash(7)).sort("line_id")
    groups = [*keys, "said"]
    lines = lines.with_columns(
        first=pl.col("line_id").first().over(groups),
        size=pl.len().over(groups),
        contents=pl.col("content").n_unique().over(groups),
    ).filter(pl.col("size") > 1)
    numbered = pl.col("document_line").is_not_null()
    differs = numbered & (pl.col("contents") > 1)
    later = pl.col("line_id") != pl.col("first")
    found = lines.select(
        "row",
        twin_fate=pl.when(differs)
        .then(pl.lit("review"))
        .when(later & numbered)
        .then(pl.lit("excluded"))
        .when(later)
        .then(pl.lit("review")),
        twin_reason=pl.when(differs)
        .then(pl.lit("the same line of its document stands elsewhere with other figures"))
        .when(numbered)
        .then(pl.format("the same line of its document stands in line {}", "first"))
        .otherwise(pl.format("line {} of the same document says the same, and neither has a document_line", "first")),
    ).filter(pl.col("twin_fate").is_not_null())
    return given(frame, found)


def superseded_orders(frame: pl.DataFrame) -> pl.DataFrame:
    """An order gives way to its invoice, whichever of the two refers to the other; alone it counts and is marked."""
    columns = frame.select("row", "line_id", "fate", "document", "document_ref", "document_type", "supplier_entity")
    orders = columns.filter(OPEN & (pl.col("document_type") == "order")).with_columns(entity=ENTITY)
    if orders.is_empty():
        return frame
    invoices = columns.filter(OPEN & (pl.col("document_type") == "invoice"))
    pairs = pl.concat(
        [
            invoices.select(entity=ENTITY, order="document_ref", by="line_id"),
            invoices.select(entity=ENTITY, order="document", by="line_id"),
        ]
    ).filter(pl.col("order").is_not_null())
    by_order = pairs.group_by("entity", "order").agg(pl.col("by").min())
    own = orders.join(by_order, left_on=["entity", "document"], right_on=["entity", "order"], how="left")
    back = own.join(
        by_order, left_on=["entity", "document_ref"], right_on=["entity", "order"], how="left", suffix="_back"
    )
    found = back.with_columns(by=pl.coalesce("by", "by_back")).filter(pl.col("by").is_not_null())
    frame = given(
        frame,
        found.select(
            "row",
            twin_fate=pl.lit("superseded"),
            twin_reason=pl.format("the order is invoiced in line {}", "by"),
        ),
    )
    alone = OPEN & (pl.col("document_type") == "order")
    return marked(frame, alone, "an order without its invoice; what is not delivered does not count")


def superseded_cards(frame: pl.DataFrame) -> pl.DataFrame:
    """A card line gives way to the agency's line that refers to it; one that only looks alike is reviewed."""
    agency = frame.filter(OPEN & (pl.col("document_type") == "agency"))
    cards = frame.filter(OPEN & (pl.col("document_type") == "card"))
    if agency.is_empty() or cards.is_empty():
        return frame
    named = pl.concat(
        [
            cards.join(agency, left_on="document_ref", right_on="document", how="inner", suffix="_agency"),
            cards.join(agency, left_on="document", right_on="document_ref", how="inner", suffix="_agency"),
        ],
        how="diagonal",
    )
    sure = named.group_by("row").agg(pl.col("line_id_agency").min().alias("by"))
    frame = given(
        frame,
        sure.select(
            "row",
            twin_fate=pl.lit("superseded"),
            twin_reason=pl.format("the agency's line {} is the same journey", "by"),
        ),
    )
    keys = ["net_minor", "currency", "day"]
    ranked = [
        part.sort("line_id")
        .with_columns(nth=pl.int_range(pl.len()).over(keys))
        .filter(pl.col("net_minor").is_not_null())
        for part in (frame.filter(OPEN & (pl.col("document_type") == "card")), agency)
    ]
    alike = ranked[0].join(ranked[1], on=[*keys, "nth"], how="inner", suffix="_agency")
    same = (pl.col("supplier_entity") == pl.col("supplier_entity_agency")).fill_null(False)
    return given(
        frame,
        alike.select(
            "row",
            twin_fate=pl.when(same).then(pl.lit("superseded")).otherwise(pl.lit("review")),
            twin_reason=pl.format("the agency's line {} has the same day and amount", "line_id_agency"),
        ),
    )


def marked(frame: pl.DataFrame, condition: pl.Expr, note: str) -> pl.DataFrame:
    """Mark lines that count and that somebody should look at."""
    hit = frame.select(condition.fill_null(False).alias("hit"))["hit"]
    if not hit.any():
        return frame
    return frame.with_columns(
        review=pl.col("review") | hit,
        note=pl.when(hit & pl.col("note").is_null()).then(pl.lit(note)).otherwise(pl.col("note")),
    )


@dataclass(frozen=True, slots=True)
class _Record:
    """A record that covers a part of purchases. covered: in whole currency units of the purchase."""

    row: int
    line_id: str
    cell: tuple[str, ...]
    covered: Fraction | None
    currency: str | None


def covered_shares(frame: pl.DataFrame) -> tuple[pl.DataFrame, Mapping[int, Fraction]]:
    """What better records leave of the purchases that they name.

    Returns: the frame, fully covered purchases superseded and what cannot be told reviewed; and row -> share left, for
    purchases that are covered in part.
    """
    columns = frame.select(*_COVERING, ENTITY.alias("entity"))
    is_record = (pl.col("document_type") == "activity").fill_null(False) | pl.col("covers_amount").is_not_null()
    records = columns.filter(OPEN & is_record)
    if records.is_empty():
        return frame, {}
    purchases = columns.filter(
        OPEN
        & (pl.col("basis") == "amount")
        & ~is_record
        & (pl.col("document_type").fill_null("") != "credit_note")
        & (
            pl.col("document").is_in(records["document"].drop_nulls().unique().implode())
            | pl.col("product_key").is_in(records["product_key"].drop_nulls().unique().implode())
        )
    )
    cells = _cells(purchases)
    shares: dict[int, Fraction] = {}
    superseded: dict[int, str] = {}
    reviewed: dict[int, str] = {}
    for record in _records(records, cells):
        _cover(record, cells[record.cell], (shares, superseded, reviewed))
    frame = given(
        frame,
        fates_of(
            {row: by for row, by in superseded.items() if shares[row] == 0},
            "superseded",
            "it is covered whole by line {}",
        ),
    )
    frame = given(frame, fates_of(reviewed, "review", "{}"))
    return frame, {row: share for row, share in shares.items() if share > 0 and row not in reviewed}


_Purchase = tuple[int, int, str]
_Cells = dict[tuple[str, ...], list[_Purchase]]


def _cells(purchases: pl.DataFrame) -> _Cells:
    """Purchases by document and product, by document, and by supplier and product."""
    found: _Cells = {}
    columns = purchases.select("row", "net_minor", "currency", "document", "product_key", "entity", "year").rows()
    for row, net, currency, document, product, entity, year in columns:
        keys = [("document", document), ("both", document, product)] if document else []
        keys += [("product", product, entity, str(year)), ("product", product, "", str(year))] if product else []
        for key in keys:
            found.setdefault(key, []).append((row, net, currency))
    return found


def _records(records: pl.DataFrame, cells: _Cells) -> list[_Record]:
    found = []
    columns = ("row", "line_id", "document", "product_key", "covers_amount", "currency", "year")
    for row, line_id, document, product, covered, currency, year, entity in (
        records.sort("line_id").select(*columns, "entity").rows()
    ):
        keys = (("both", document, product), ("document", document), ("product", product, entity, str(year)))
        cell = next((key for key in keys if None not in key and key in cells), None)
        if cell is not None and (covered is not None or cell[0] != "product"):
            found.append(_Record(row, line_id, cell, None if covered is None else Fraction(covered), currency))
    return found


def _cover(
    record: _Record, purchases: list[_Purchase], into: tuple[dict[int, Fraction], dict[int, str], dict[int, str]]
) -> None:
    shares, superseded, reviewed = into
    if record.covered is None:
        for row, _, _ in purchases:
            reviewed[row] = f"activity line {record.line_id} of the same document states no covers_amount"
        return
    currencies = {currency for _, _, currency in purchases}
    total = sum(net for _, net, _ in purchases)
    if (
        len(currencies) > 1
        or (record.currency and record.currency not in currencies)
        or total <= 0
        or record.covered < 0
    ):
        for row in (record.row, *(row for row, _, _ in purchases)):
            reviewed[row] = f"what line {record.line_id} covers is not of one currency and one amount above 0"
        return
    part = record.covered * 10 ** exponent_of(next(iter(currencies))) / total
    for row, _, _ in purchases:
        shares[row] = max(Fraction(0), shares.get(row, Fraction(1)) - part)
        superseded[row] = record.line_id


def beside_suppliers_figures(frame: pl.DataFrame) -> pl.DataFrame:
    """Mark activity records of a document that counts by its supplier's figure, which is the better one."""
    columns = frame.select("fate", "document", "document_type", "method")
    stated = columns.filter(OPEN & (pl.col("method") == "supplier-specific"))["document"].drop_nulls().unique()
    beside = OPEN & (pl.col("document_type") == "activity") & pl.col("document").is_in(stated.implode())
    return marked(frame, beside, "its document counts by the supplier's figure, too; one of the two is enough")


def freight_beside_margins(frame: pl.DataFrame) -> pl.DataFrame:
    """Mark freight that is paid apart on a document whose goods count with margins, which hold transport."""
    columns = frame.select("fate", "category", "document", "has_margins").filter(
        OPEN & pl.col("document").is_not_null()
    )
    freight = columns.filter(pl.col("category") == 4)["document"].unique()
    both = columns.filter(
        pl.col("has_margins") & pl.col("category").is_in([1, 2]) & pl.col("document").is_in(freight.implode())
    )
    freight_beside = OPEN & (pl.col("category") == 4) & pl.col("document").is_in(both["document"].unique().implode())
    return marked(
        frame,
        freight_beside,
        "freight paid apart, and the goods of its document count with margins, which hold transport",
    )


def fates_of(rows: Mapping[int, str], fate: str, sentence: str) -> pl.DataFrame:
    """One fate for some rows; `sentence` has a place for what is said of each."""
    return pl.DataFrame(
        {
            "row": list(rows),
            "twin_fate": [fate] * len(rows),
            "twin_reason": [sentence.format(said) for said in rows.values()],
        },
        schema={"row": pl.UInt32, "twin_fate": pl.String, "twin_reason": pl.String},
    )


def given(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Give the fates of some rows to lines that have none."""
    if found.is_empty():
        return frame
    joined = frame.join(found.unique("row"), on="row", how="left", maintain_order="left")
    joined = settled(joined, pl.col("twin_fate") == "superseded", "superseded", pl.col("twin_reason"))
    for fate in ("excluded", "review"):
        joined = settled(joined, pl.col("twin_fate") == fate, fate, pl.col("twin_reason"))
    return joined.drop("twin_fate", "twin_reason")
