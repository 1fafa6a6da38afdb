"""Given rows and expected rows beside a spec: what people write to be sure of their steps. No database is needed.

```yaml
tests:
  only_paid:
    given: {orders: [{order_id: 1, status: paid, amount: 3.50}, {order_id: 2, status: open}]}
    expect: [{order_id: 1, status: paid, amount: 3.50}]
    dead: [{step: steps.0 derive, column: net, class: cast, rows: 1}]
    run_time: 2026-03-04T05:06:07
```

A column that is left out is null; rows may come in any order; `dead` is compared where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InputError, SpecError
from core.pipelines.compiling.casts import cast
from core.pipelines.compiling.held import Held, StoppedRun
from core.pipelines.compiling.running import Outcome, run_steps
from core.pipelines.compiling.values import loaded, storage_type
from core.pipelines.flow.checking import Checked
from core.pipelines.language.yaml_text import read_yaml
from core.pipelines.refusals import instead
from core.pipelines.types import TEXT, ColumnType

_RUN_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When an example runs that does not say so, in UTC."""

Row = dict[str, str | int | float | bool]


class Dead(BaseModel):
    """Rows that are expected to leave."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)
    step: str
    column: str
    fault: Annotated[str, Field(alias="class")]
    rows: int


class Example(BaseModel):
    """What goes in and what comes out."""

    model_config = ConfigDict(extra="forbid")
    given: dict[str, list[Row]]
    expect: list[Row] | None = None
    dead: list[Dead] | None = None
    stops: str | None = None
    run_time: datetime = _RUN_TIME


class _Examples(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tests: dict[str, Example] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an example showed: nothing where it holds, else a line for each thing that is otherwise."""

    name: str
    otherwise: tuple[str, ...]


def read_examples(text: bytes) -> dict[str, Example]:
    """The examples of a file. Raises SpecError: it has another form; says where."""
    try:
        return _Examples.model_validate(read_yaml(text, what="file of examples")).tests
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(word) for word in first["loc"]) or "the file"
        raise SpecError(f"{place} of the examples: {first['msg'].lower()}") from None


def held_against(checked: Checked, name: str, example: Example) -> Finding:
    """Carry an example out.

    Raises InputError: rows or columns that the spec does not know, or a value that is none of its column's type.
    """
    for source in example.given:
        if source not in checked.sources:
            raise InputError(f"{name}.given: there is no source {source}{instead(source, checked.sources)}")
    sources = {
        source: table(example.given.get(source, []), types, f"{name}.given.{source}")
        for source, types in checked.sources.items()
    }
    try:
        outcome = run_steps(checked, sources, _in_utc(example.run_time))
    except StoppedRun as error:
        is_told = example.stops is not None and example.stops in str(error)
        return Finding(name, () if is_told else (f"the run stops: {error}",))
    return Finding(name, tuple(_otherwise(checked, name, example, outcome)))


def _in_utc(moment: datetime) -> datetime:
    """Without its zone; one that has none is in UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment


def _otherwise(checked: Checked, name: str, example: Example, outcome: Outcome) -> list[str]:
    said = [f"the run was to stop with: {example.stops}"] if example.stops is not None else []
    if example.expect is not None:
        expected = table(example.expect, checked.rows, f"{name}.expect")
        said += [f"missing: {_shown(row)}" for row in _beyond(expected, outcome.rows)]
        said += [f"not expected: {_shown(row)}" for row in _beyond(outcome.rows, expected)]
    if example.dead is not None:
        wanted = {(one.step, one.column, one.fault, one.rows) for one in example.dead}
        found = {(one.step, one.column, one.fault, one.rows) for one in outcome.dead}
        said += [f"no dead rows: {', '.join(map(str, one))}" for one in sorted(wanted - found)]
        said += [f"dead rows: {', '.join(map(str, one))}" for one in sorted(found - wanted)]
    return said


def table(rows: Sequence[Row], types: Mapping[str, ColumnType], place: str) -> pl.DataFrame:
    """Rows as people write them, each value read as text is. Raises InputError: an unknown column, or no such value."""
    for number, row in enumerate(rows):
        for column in row:
            if column not in types:
                raise InputError(f"{place}.{number}: there is no column {column}{instead(column, types)}")
    texts = {name: [None if name not in row else _text(row[name]) for row in rows] for name in types}
    frame = pl.DataFrame(texts, schema=dict.fromkeys(types, pl.String))
    written = Held(frame, dict.fromkeys(types, TEXT))
    columns = {}
    for name, wanted in types.items():
        read = written.evaluated(lambda name=name, wanted=wanted: cast(loaded(name, TEXT), wanted))  # type: ignore[misc]
        if read.fault.count():
            number = int(read.fault.is_not_null().arg_max() or 0)
            raise InputError(f"{place}.{number}: {texts[name][number]!r:.40} is no {wanted}, which {name} is")
        columns[name] = read.value.cast(storage_type(wanted)).alias(name)
    return pl.DataFrame(list(columns.values()))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _beyond(frame: pl.DataFrame, other: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows that stand in one frame more often than in the other."""
    names = frame.columns
    counted = [one.group_by(names, maintain_order=True).len() for one in (frame, other)]
    both = counted[0].join(counted[1], on=names, how="left", nulls_equal=True, maintain_order="left")
    return both.filter(pl.col("len") > pl.col("len_right").fill_null(0)).select(names).to_dicts()


def _shown(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in row.items() if value is not None)
