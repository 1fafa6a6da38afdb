"""Credit notes: counted with a negative amount in the cell of the document that they refer to, or looked at."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import polars as pl

from core.workloads.emissions.inventory.guard import ENTITY, OPEN, fates_of, given

_Cell = tuple[str, str, str]
"""Document, supplier, code: what a credit note takes away from."""
_CODE: Final = pl.concat_str(["code_scheme", "code", "buyer_code"], separator=" ", ignore_nulls=True).alias("code_said")


def credit_notes(frame: pl.DataFrame, shares: Mapping[int, Fraction]) -> tuple[pl.DataFrame, Mapping[int, Fraction]]:
    """Credit notes take the share of the purchases that they refer to; without one, or beyond it, they are reviewed."""
    is_credit = pl.col("document_type") == "credit_note"
    notes_given = frame.filter(OPEN & is_credit)
    if notes_given.is_empty():
        return frame, shares
    referred = pl.col("document").is_in(notes_given["document_ref"].drop_nulls().unique().implode())
    columns = ("row", "net_minor", "currency", "document", ENTITY.alias("entity"), _CODE)
    lines = frame.filter(OPEN & ~is_credit.fill_null(False) & referred).select(columns)
    cells: dict[_Cell, list[tuple[int, int, str]]] = {}
    for row, net, currency, document, entity, code in lines.rows():
        cells.setdefault((document, entity, code), []).append((row, net or 0, currency))
    entities: dict[str, set[str]] = {}
    for document, entity in frame.filter(~is_credit.fill_null(False) & referred).select("document", ENTITY).rows():
        entities.setdefault(document, set()).add(entity)
    reviewed: dict[int, str] = {}
    taken: dict[_Cell, list[tuple[int, int]]] = {}
    for row, net, currency, document, stated, code in notes_given.select(
        "row", "net_minor", "currency", "document_ref", ENTITY.alias("entity"), _CODE
    ).rows():
        # A note that names no supplier is that of the only one with such a document.
        owners = entities.get(document or "", set())
        entity = next(iter(owners)) if not stated and len(owners) == 1 else stated
        why = _no_cell((document, entity, code), currency, cells)
        if why:
            reviewed[row] = why
        else:
            taken.setdefault((document, entity, code), []).append((row, net))
    found = dict(shares)
    for key, notes in taken.items():
        counted = cells[key]
        total = sum(line[1] for line in counted)
        if total + sum(net for _, net in notes) < 0:
            reviewed |= dict.fromkeys((row for row, _ in notes), "with its credit notes the document falls below zero")
            continue
        left = sum((line[1] * shares.get(line[0], Fraction(1)) for line in counted), Fraction(0))
        if total and left != total:
            found |= dict.fromkeys((row for row, _ in notes), left / total)
    return given(frame, fates_of(reviewed, "review", "{}")), found


def _no_cell(
    cell: tuple[str | None, str, str], currency: str, cells: Mapping[_Cell, list[tuple[int, int, str]]]
) -> str:
    """Why a credit note has nothing that it could be taken from; blank: it has."""
    document, entity, code = cell
    if document is None:
        return "the credit note names no document_ref"
    of_document = [key for key in cells if key[:2] == (document, entity)]
    if not of_document:
        return "no counted line of its supplier has the document that the credit note refers to"
    if (document, entity, code) not in cells:
        return "the credit note has another code than the counted lines of its document"
    if {line[2] for line in cells[(document, entity, code)]} != {currency}:
        return "the credit note is in another currency than its document"
    return ""


def credit_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """Credit notes without a code take that of the document they refer to, where its lines have one."""
    columns = ["code_scheme", "code", "buyer_code", "valuation", "capex"]
    bare = (pl.col("document_type") == "credit_note") & pl.col("code").is_null() & pl.col("buyer_code").is_null()
    if not frame.select((bare & OPEN).fill_null(False).any()).item():
        return frame
    by_document = (
        frame.filter(pl.col("document").is_not_null() & (pl.col("document_type").fill_null("") != "credit_note"))
        .group_by("document", ENTITY.alias("entity"))
        .agg(
            pl.struct(columns).n_unique().alias("kinds"),
            *(pl.col(name).first().alias(f"{name}_of") for name in columns),
        )
        .filter(pl.col("kinds") == 1)
        .drop("kinds")
    )
    joined = frame.with_columns(entity=ENTITY).join(
        by_document,
        left_on=["document_ref", "entity"],
        right_on=["document", "entity"],
        how="left",
        maintain_order="left",
    )
    taken = [
        pl.when(bare.fill_null(False)).then(pl.coalesce(name, f"{name}_of")).otherwise(pl.col(name)).alias(name)
        for name in columns
    ]
    return joined.with_columns(taken).drop("entity", *(f"{name}_of" for name in columns))
