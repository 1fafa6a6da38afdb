"""The list of a data set as a sheet that people fill in, and the sheet as verdicts of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from core.database import DatabaseManager
from core.errors import ConfigError, Conflict, InputError
from core.linkage.history.kept_apart import KEPT_APART
from core.linkage.history.labelled_pairs import DECIDED, read_pairs
from core.linkage.history.values_seen import SEEN
from core.linkage.results.review_list import DECISION, in_the_way, reasons
from core.review.items import Item, add, counts, items_of, waiting
from core.review.verdicts import UNSURE, Said, give
from core.workloads.identity.reviewing.cases import CASES_MAX, POLICY, topic
from core.workloads.identity.reviewing.shown_records import Values, shown_records

VERSION = "version"
_WORDS = {**DECIDED, UNSURE: UNSURE}


def sheet_of(db: DatabaseManager, dataset: str, at: datetime, limit: int | None = None) -> pl.DataFrame:
    """The pairs of a data set that wait, dearest first, in the columns of `review_list`, and `version` of each case.

    Raises ConfigError: nothing was ever asked about a data set of that name.
    Cost: the list is held in memory.
    """
    _require_list(db, dataset, at)
    items = [item for item in waiting(db, topic(dataset), limit or CASES_MAX) if len(item.subject) == 2]
    records = shown_records(db, dataset, [record_id for item in items for record_id in item.subject])
    facts = [_facts(item) for item in items]
    told = pl.DataFrame(facts, schema={"pattern": pl.String, **dict.fromkeys(KEPT_APART, pl.String)}, orient="row")
    return pl.DataFrame(
        {
            DECISION: pl.Series([None] * len(items), dtype=pl.String),
            "id_a": pl.Series([item.subject[0] for item in items], dtype=pl.String),
            "id_b": pl.Series([item.subject[1] for item in items], dtype=pl.String),
            "confidence": pl.Series([item.probability for item in items], dtype=pl.Float64).round(4),
            "answer": pl.Series(
                ["one entity" if item.facts.get("joined") else "two entities" for item in items], dtype=pl.String
            ),
            "reason": reasons(told["pattern"]),
            "in_the_way": in_the_way(told),
            **_values(items, records),
            SEEN: pl.Series([item.seen for item in items], dtype=pl.String),
            VERSION: pl.Series([item.version for item in items], dtype=pl.Int64),
        }
    )


@dataclass(slots=True)
class Taken:
    """What became of a sheet. refused: row of the file and why; such a row was not recorded, the others were."""

    n_recorded: int = 0
    n_repeated: int = 0
    n_open: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def take_sheet(db: DatabaseManager, dataset: str, path: Path, actor: str, at: datetime) -> Taken:
    """Record the decisions of a sheet as verdicts, row by row; the same sheet again records nothing more.

    A row is refused where its pair was decided or its records changed since the sheet was written: it names the
    `version` of its case, or by `seen` the values it showed. A pair that no run asked about becomes a case by `seen`.

    Raises as `read_pairs`; ConfigError: nothing was ever asked about a data set of that name; StoreError.
    Cost: two round trips a row.
    """
    _require_list(db, dataset, at)
    given = read_pairs(path, words=_WORDS, others=(SEEN, VERSION))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    taken = Taken(n_open=given.n_open)
    for row in given.pairs.iter_rows(named=True):
        try:
            item = _item(db, dataset, row)
            said = Said(item.item_id, _version(item, row), row["decision"], f"sheet {digest} {row['row']}")
            outcome = give(db, actor, said, at, POLICY)
        except (Conflict, InputError) as error:
            taken.refused.append((int(row["row"]), error.message))
            continue
        taken.n_repeated += outcome.repeated
        taken.n_recorded += not outcome.repeated
    return taken


def _require_list(db: DatabaseManager, dataset: str, at: datetime) -> None:
    """Refuse a name that no list has: a mistyped one would begin a list of its own."""
    if not counts(db, at, topic(dataset)):
        raise ConfigError(
            f"there is no list of a data set {dataset!r}; `headrace review status` names those there are",
            dataset=dataset,
        )


def _facts(item: Item) -> tuple[str | None, ...]:
    """The pattern of levels as text, and what kept the two apart."""
    pattern = ",".join(f"{each['field']}={each['level']}" for each in item.facts.get("fields", ()))
    return (pattern, *(None if item.facts.get(name) is None else str(item.facts[name]) for name in KEPT_APART))


def _values(items: Sequence[Item], records: dict[str, Values]) -> dict[str, pl.Series]:
    """Each field of both records, side by side."""
    fields = dict.fromkeys(name for values in records.values() for name in values)
    return {
        f"{name} {letter}": pl.Series(
            [records.get(item.subject[side], {}).get(name) for item in items], dtype=pl.String
        )
        for name in fields
        for side, letter in enumerate("ab")
    }


def _item(db: DatabaseManager, dataset: str, row: dict[str, Any]) -> Item:
    subject = tuple(sorted((row["id_a"], row["id_b"])))
    found = items_of(db, topic(dataset), [subject])
    if found:
        return found[0]
    if row[SEEN] is None:
        raise InputError("no run asked about this pair, and the row does not say by `seen` what it saw")
    with db.transaction() as conn:
        return add(conn, topic(dataset), subject, row[SEEN], {})


def _version(item: Item, row: dict[str, Any]) -> int:
    """The version of the case that the row was written of; one it never had, where its values were others."""
    if row[VERSION] is not None:
        try:
            return int(row[VERSION])
        except ValueError:
            raise InputError("`version` is no whole number; leave the column as it was exported") from None
    same = row[SEEN] is None or row[SEEN] == item.seen
    return item.version if same and item.verdict is None else 0
