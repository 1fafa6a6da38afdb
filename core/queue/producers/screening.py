"""What may come in: payloads become text, those that cannot be items are told apart, numbers and names are checked.

Nothing here touches the database, so what is refused harms nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from core.errors import InputError, QueueError, RowError, SchemaError
from core.queue import payloads
from core.queue.payloads import OnBad, Payloads, Refused
from core.queue.producers.doubled_keys import doubled

# So much of a refused payload is kept in the dead letters: any payload that broke another limit is kept whole.
RAW_BYTES_MAX = payloads.BYTES_MAX


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Payloads at the door. `texts`: JSON text, null where a value has none; `raws`: the nearest thing to it there."""

    texts: pl.Series
    refused: list[Refused]
    raws: Mapping[int, bytes] = field(default_factory=dict)

    def raw(self, line: int) -> bytes:
        """What came in at that place, cut at RAW_BYTES_MAX."""
        if line in self.raws:
            return self.raws[line][:RAW_BYTES_MAX]
        return (self.texts[line] or "").encode()[:RAW_BYTES_MAX]


def read(rows: Payloads, on_bad: OnBad, *, with_keys: bool = True) -> Arrivals:
    """Payloads in any form as text, and what is wrong with some of them (only with `on_bad="dead"`).

    Args:
        with_keys: False: doubled keys are looked for by the caller, with `doubled_keys`.
    Raises:
        InputError: not a list of payloads; SchemaError: a column without a JSON form; RowError: a bad payload, unless
        `on_bad` is "dead".
    """
    if on_bad not in ("raise", "dead"):
        raise QueueError(f"on_bad is {on_bad!r}; it is 'raise' or 'dead'", on_bad=on_bad)
    rows = at_hand(rows)
    if isinstance(rows, pl.DataFrame):
        for name, dtype in rows.schema.items():
            _check_column(name, dtype)
    try:
        arrivals = Arrivals(payloads.to_text(rows), [])
    except RowError:
        if on_bad == "raise" or isinstance(rows, pl.DataFrame):
            raise
        arrivals = _one_by_one(rows)
    found = payloads.screen(arrivals.texts)
    if isinstance(rows, pl.DataFrame):
        found += payloads.not_finite(rows)
    arrivals = screened(arrivals, found, on_bad)
    if with_keys and may_double(rows):
        arrivals = screened(arrivals, doubled_keys(arrivals), on_bad)
    return arrivals


def may_double(rows: Payloads) -> bool:
    """Whether payloads may hold a key twice: columns of a frame have one name each."""
    return not isinstance(rows, pl.DataFrame) or rows.schema == {"payload": pl.String()}


def doubled_keys(arrivals: Arrivals) -> list[Refused]:
    """Payloads in which a key stands twice. What is refused already may be huge, and is passed over."""
    known = [one.line for one in arrivals.refused]
    return doubled(arrivals.texts.clone().scatter(known, None) if known else arrivals.texts)


def at_hand(rows: Any) -> Payloads:
    """Payloads that can be counted and read again: a generator would be lost up to its first bad one.

    Raises InputError: a single value instead of a list.
    """
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InputError(f"payloads come as a list or a frame; this is one {type(rows).__name__}: put it into a list")
    return rows if isinstance(rows, pl.DataFrame | Sequence) else list(rows)


def screened(arrivals: Arrivals, found: Sequence[Refused], on_bad: OnBad) -> Arrivals:
    """The same with more refused ones, in order; RowError for them if `on_bad` is "raise"."""
    # Of several faults of a payload the first counts.
    by_line = {one.line: one for one in reversed([*arrivals.refused, *found])}
    refused = sorted(by_line.values(), key=_line)
    if refused and on_bad == "raise":
        raise payloads.row_error(refused)
    return Arrivals(arrivals.texts, refused, arrivals.raws)


def _line(one: Refused) -> int:
    return one.line


def _one_by_one(rows: Sequence[Any]) -> Arrivals:
    """The slow way, after some payload turned out to have no text."""
    texts: list[str | None] = []
    refused: list[Refused] = []
    raws: dict[int, bytes] = {}
    for line, row in enumerate(rows):
        try:
            text = row if isinstance(row, str) else payloads.encode(row, line)
            text.encode()
            texts.append(text)
        except RowError as error:
            texts.append(None)
            refused.append(Refused(line, error.reason))
            raws[line] = _nearest(row)
        except UnicodeEncodeError:
            texts.append(None)
            refused.append(Refused(line, "text that is not valid Unicode"))
            raws[line] = str(row).encode(errors="backslashreplace")
    return Arrivals(pl.Series("payload", texts, dtype=pl.String), refused, raws)


def _nearest(row: Any) -> bytes:
    """Something to recognise the payload by: as JSON with the names of types it cannot hold, empty if it is a circle or
    too deep. No code of the value's own runs."""
    try:
        text = json.dumps(row, default=lambda one: f"<{type(one).__name__}>", skipkeys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return b""
    return text.encode()


def _check_column(name: str, dtype: pl.DataType) -> None:
    if payloads.formless(dtype) is not None:
        raise SchemaError(
            f"column {name} is {dtype}, which has no JSON form; turn it into text first",
            column=name,
            expected="a type with a JSON form",
            got=str(dtype),
        )
