"""The words of a pipeline: sources, steps, sink, schedule and run, closed and typed.

What a word means is told in docs/reference/pipelines.md; the JSON Schema for editors is made from these classes.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Of a pipeline, a source or a step: lower case, digits and _."""

ColumnName = Annotated[str, Field(min_length=1, max_length=63)]
Columns = Annotated[list[ColumnName], Field(min_length=1)]
ColumnTypes = Annotated[dict[ColumnName, str], Field(min_length=1)]
Expressions = Annotated[dict[ColumnName, str], Field(min_length=1)]
Keys = Annotated[list[ColumnName] | dict[ColumnName, ColumnName], Field(min_length=1)]
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(s|m|h|d)$")]
Character = Annotated[str, Field(min_length=1, max_length=1)]
Path = Annotated[str, Field(min_length=1, max_length=1_000)]


_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds_of(duration: Duration) -> int:
    """Seconds of `90s`, `30m`, `2h` or `1d`."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


class Words(BaseModel):
    """A mapping of the language: no word but its own, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class Incremental(Words):
    """Read what is new: by a column that grows, or files by their names."""

    column: ColumnName | None = None
    start: str | None = None
    lag: Duration | None = None
    settle: Duration = "5m"
    whole: list[ColumnName] = []
    files: Literal["new", "changed"] | None = None


class Drift(Words):
    """What happens when a source has other columns than it had."""

    new: Literal["ignore", "add", "stop"] = "ignore"
    missing: Literal["stop", "empty"] = "stop"
    type: Literal["stop", "dead", "widen"] = "stop"


class _Source(Words):
    at: Name
    columns: ColumnTypes | None = None
    incremental: Incremental | None = None
    drift: Drift = Drift()


class CsvSource(_Source):
    """Text in columns; compressed files too."""

    kind: Literal["csv"]
    path: Path
    separator: Character | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'", "_"] | None = None
    encoding: str = "utf-8"
    header: bool = True
    null_values: list[str] = []
    date_format: str | None = None
    timezone: str | None = None


class ParquetSource(_Source):
    """Parquet files."""

    kind: Literal["parquet"]
    path: Path


class ExcelSource(_Source):
    """One sheet of a workbook."""

    kind: Literal["excel"]
    path: Path
    sheet: str | None = None
    header_row: Annotated[int, Field(ge=1)] = 1


class JsonSource(_Source):
    """JSON lines, or a document whose `records` are the rows."""

    kind: Literal["json"]
    path: Path
    records: str | None = None


class TableSource(_Source):
    """A table or view; without `at` in the warehouse, the queue's own database."""

    kind: Literal["table"]
    at: Name = "warehouse"
    table: str
    where: str | None = None


class Page(Words):
    """How an API hands out more than one answer."""

    by: Literal["page", "offset", "cursor", "link"]
    param: str | None = None
    next: str | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    size_param: str | None = None


class HttpSource(_Source):
    """An API that answers in JSON."""

    kind: Literal["http"]
    path: Path
    records: str | None = None
    params: dict[str, str | int | float | bool] = {}
    page: Page | None = None
    since_param: str | None = None


Source = Annotated[
    CsvSource | ParquetSource | ExcelSource | JsonSource | TableSource | HttpSource, Field(discriminator="kind")
]


class _Step(Words):
    from_: Annotated[Name | None, Field(alias="from")] = None
    as_: Annotated[Name | None, Field(alias="as")] = None


class Select(_Step):
    """Keep these columns, in this order."""

    do: Literal["select"]
    columns: Columns


class Drop(_Step):
    """Leave these columns out."""

    do: Literal["drop"]
    columns: Columns


class Rename(_Step):
    """Old name to new name."""

    do: Literal["rename"]
    columns: Annotated[dict[ColumnName, ColumnName], Field(min_length=1)]


class Cast(_Step):
    """Columns of other types."""

    do: Literal["cast"]
    columns: ColumnTypes
    formats: dict[ColumnName, str] = {}
    on_error: Literal["dead", "empty", "stop"] = "dead"


class Clean(_Step):
    """Texts put in order, the ways one after another."""

    do: Literal["clean"]
    columns: Columns
    how: Annotated[
        list[Literal["trim", "collapse_spaces", "title", "lower", "upper", "empty_to_null", "digits", "ascii"]],
        Field(min_length=1),
    ]


class Filter(_Step):
    """Keep the rows for which a condition is true."""

    do: Literal["filter"]
    where: str


class Derive(_Step):
    """New columns, or others in place of the old; each expression sees the columns before the step."""

    do: Literal["derive"]
    columns: Expressions
    on_error: Literal["dead", "empty", "stop"] = "dead"


class Join(_Step):
    """Columns of another source or step."""

    do: Literal["join"]
    with_: Annotated[Name, Field(alias="with")]
    keys: Keys
    how: Literal["inner", "left", "full", "semi", "anti"] = "inner"
    columns: list[ColumnName] | None = None
    expect: Literal["1:1", "n:1", "1:n", "n:m"] | None = None


class Union(_Step):
    """Rows of others with the same columns."""

    do: Literal["union"]
    with_: Annotated[list[Name], Field(alias="with", min_length=1)]


class Dedupe(_Step):
    """One row a key: the first in this order."""

    do: Literal["dedupe"]
    keys: Columns
    order_by: list[ColumnName] = []


class Match(_Step):
    """Which records are of one person or company, by the matching engine."""

    do: Literal["match"]
    spec: str
    map: dict[str, ColumnName] = {}
    result: Literal["entity", "golden", "links", "new"] = "entity"
    with_: Annotated[Name | None, Field(alias="with")] = None


class Aggregate(_Step):
    """One row a group."""

    do: Literal["aggregate"]
    by: list[ColumnName] = []
    values: Expressions


class Window(_Step):
    """New columns computed over the rows of a group, in order."""

    do: Literal["window"]
    by: list[ColumnName] = []
    order_by: list[ColumnName] = []
    values: Expressions


class Top(_Step):
    """The first n rows of each group."""

    do: Literal["top"]
    n: Annotated[int, Field(ge=1)]
    by: list[ColumnName] = []
    order_by: Columns


class Unpivot(_Step):
    """Columns to rows."""

    do: Literal["unpivot"]
    columns: Columns
    names_to: ColumnName
    values_to: ColumnName


class Unnest(_Step):
    """Fields of a JSON column as columns: name to `path type`."""

    do: Literal["unnest"]
    column: ColumnName
    fields: Expressions


class Validate(_Step):
    """Rules of each row; one that is null passes."""

    do: Literal["validate"]
    rules: Expressions
    on_fail: Literal["dead", "drop", "warn", "stop"] = "dead"


class Check(_Step):
    """Rules of all rows together; one that is null fails."""

    do: Literal["check"]
    rules: Expressions
    on_fail: Literal["stop", "warn"] = "stop"


class Reconcile(_Step):
    """The rows that stand on one side alone, or differ by more than a tolerance."""

    do: Literal["reconcile"]
    with_: Annotated[Name, Field(alias="with")]
    keys: Keys
    compare: Annotated[dict[ColumnName, str | int | float], Field(min_length=1)]


Step = Annotated[
    Select | Drop | Rename | Cast | Clean | Filter | Derive | Join | Union | Dedupe | Match | Aggregate | Window | Top
    | Unpivot | Unnest | Validate | Check | Reconcile,
    Field(discriminator="do"),
]  # fmt: skip


class TableSink(Words):
    """A table of the warehouse."""

    table: str
    at: Name = "warehouse"
    mode: Literal["append", "upsert", "replace", "scd2"]
    keys: list[ColumnName] = []
    newer_by: ColumnName | None = None
    within: list[ColumnName] = []
    absent: Literal["keep", "close"] = "keep"
    create: bool = False


class FileSink(Words):
    """A file in a writable folder or object store."""

    at: Name
    file: Path
    format: Literal["csv", "parquet", "json", "excel"]
    mode: Literal["replace"] = "replace"


def _sink_kind(given: Any) -> str:
    return "file" if isinstance(given, FileSink) or (isinstance(given, dict) and "file" in given) else "table"


Sink = Annotated[Annotated[TableSink, Tag("table")] | Annotated[FileSink, Tag("file")], Discriminator(_sink_kind)]


class Schedule(Words):
    """When it runs by itself: one of cron, every and after."""

    cron: str | None = None
    timezone: str | None = None
    every: Duration | None = None
    after: list[Name] | None = None


class Run(Words):
    """How a run goes about it."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    backoff: Duration = "60s"
    timeout: Duration = "30m"
    dead_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    visible: Literal["run", "batch"] = "run"


class PipelineSpec(Words):
    """A pipeline: where rows come from, what happens to them, where they go, and when."""

    pipeline: Name
    sources: Annotated[dict[Name, Source], Field(min_length=1)]
    steps: list[Step] = []
    sink: Sink
    schedule: Schedule | None = None
    run: Run = Run()
