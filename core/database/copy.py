"""Whole polars frames in and out of PostgreSQL with COPY; no Python object per row.

The text format is used, unless a caller vouches for the column types (`binary`): tab between columns, one line a row,
NULL written as backslash-N, and a backslash escape for backslash, tab, newline and carriage return. So NULL, the empty
string and a literal backslash-N stay three things.
"""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import polars as pl
import psycopg
from psycopg import sql

from core.database import copy_binary
from core.database.errors import wrapped
from core.database.queries import Connection, Query, load, note_duration
from core.errors import SchemaError

# Rows rendered at once: about 3 MB of text for 200-byte rows.
SLICE_ROWS = 16_384
_SLICES_AHEAD = 2
SLICE_BYTES = 64 * 2**20
# A COPY is slow if it takes longer than a slow query for each so many rows.
SLOW_PER_ROWS = 100_000

Buffer = bytes | bytearray | memoryview

# PostgreSQL's escapes; the backslash comes first on the way out and last on the way in.
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
# COPY TO also escapes these three. NUL cannot occur in PostgreSQL text, so it can stand for a backslash meanwhile.
_UNESCAPES = (*((written, meant) for meant, written in _ESCAPES[1:]), ("\\b", "\b"), ("\\f", "\f"), ("\\v", "\v"))
_NUL = "\x00"

_STRINGS = (pl.String, pl.Categorical, pl.Enum)
_NEEDS_ESCAPE = r"[\\\t\n\r]"
_PLAIN = (
    pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
    pl.Float32, pl.Float64, pl.Boolean, pl.Date, pl.Time, pl.Decimal, pl.Null,
)  # fmt: skip


def copy_in(conn: psycopg.Connection[Any], table: str, frame: pl.DataFrame, *, binary: bool = False) -> int:
    """Append a frame to a table in the current transaction; returns the number of rows.

    Args:
        table: name, or `schema.name`.
        frame: columns named as in the table, in any order; a column that is left out gets its default. Strings go to
            any type that reads text (json, uuid, ...); Binary to bytea; Datetime with a zone to timestamptz.
        binary: the columns' types are exactly those of the frame (Int64 = bigint, Int32 = integer, String = text or
            json): integers and one string then go as bytes, which saves the server a tenth to a sixth of its work.
    Raises:
        SchemaError: a column type that has no text form (List, Struct, Duration, Object).
        StoreError: the server refused; facts table, line (1 = first row) and column, never the value.
    Cost: bound by the server, which parses and stores while the next slice is rendered; three slices in memory.
    """
    if frame.height == 0:
        return 0
    as_bytes = binary and copy_binary.fits(frame)
    for name, dtype in frame.schema.items():
        _to_text(name, dtype)
    names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL(cast(Any, load("database")["copy_in_binary" if as_bytes else "copy_in"].sql)).format(
        table=sql.Identifier(*table.split(".")), columns=names
    )
    parts = _binary_parts(frame) if as_bytes else _ahead(frame, render)
    started = time.perf_counter()
    with wrapped("copy_in"), conn.cursor() as cursor, cursor.copy(statement) as copy:
        for part in parts:
            copy.write(part)
    limit_ms = getattr(conn, "slow_query_ms", Connection.slow_query_ms)
    note_duration(f"copy_in {table}", started, limit_ms * max(1.0, frame.height / SLOW_PER_ROWS))
    return frame.height


def _binary_parts(frame: pl.DataFrame) -> Iterator[Buffer]:
    yield copy_binary.HEADER
    yield from _ahead(frame, copy_binary.render)
    yield copy_binary.TRAILER


def _ahead(frame: pl.DataFrame, render: Callable[[pl.DataFrame], Buffer]) -> Iterator[Buffer]:
    """Render the next slice while the server digests the last: both take about as long, and polars frees the GIL."""
    if frame.height <= SLICE_ROWS:
        yield render(frame)
        return
    with ThreadPoolExecutor(1, "copy-in") as pool:
        waiting: deque[Future[Buffer]] = deque()
        for part in frame.iter_slices(SLICE_ROWS):
            waiting.append(pool.submit(render, part))
            if len(waiting) > _SLICES_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def render(part: pl.DataFrame) -> bytes:
    """Rows as COPY takes them: the same bytes for the same values. Raises SchemaError as `copy_in`."""
    buffer = io.BytesIO()
    texts = part.select(_to_text(name, dtype) for name, dtype in part.schema.items())
    # One pass finds the rare strings that need escapes; most columns of most slices need none.
    texts = texts.with_columns(
        _escaped(column.name)
        for column in texts
        if part[column.name].dtype in _STRINGS and column.str.contains(_NEEDS_ESCAPE).any()
    )
    texts.write_csv(buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    # No view of it: with one the buffer cannot be closed when what a refused copy left is collected. Copies nothing.
    return buffer.getvalue()


def _escaped(name: str) -> pl.Expr:
    column = pl.col(name)
    for meant, written in _ESCAPES:
        column = column.str.replace_all(meant, written, literal=True)
    return column


def _to_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, _STRINGS):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Binary):
        return pl.concat_str(pl.lit("\\\\x"), column.bin.encode("hex")).alias(name)
    if isinstance(dtype, pl.Datetime):
        text = column.dt.replace_time_zone(None) if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return text.dt.to_string("%Y-%m-%d %H:%M:%S%.6f" + ("" if dtype.time_zone is None else "+00"))
    if isinstance(dtype, _PLAIN):
        return column
    raise SchemaError(f"column {name} of type {dtype} has no text form for COPY", column=name, got=str(dtype))


def copy_out(
    conn: psycopg.Connection[Any],
    query: Query,
    params: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> pl.DataFrame:
    """The rows of a named query as a frame.

    Args:
        schema: column name -> dtype in the query's order; None: asked of the server (one round trip; SELECT only).
            numeric without a scale, json, uuid, enums and arrays come as String.
    Raises:
        SchemaError: a value does not fit its dtype, or the number of columns differs.
        StoreError: the server refused.
    Cost: `SLICE_BYTES` of text in memory beside the frame.
    """
    return pl.concat(copy_slices(conn, query, params, schema))


def copy_slices(
    conn: psycopg.Connection[Any],
    query: Query,
    params: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Iterator[pl.DataFrame]:
    """The same in frames of about `SLICE_BYTES` of text, one at least; only one of them need be in memory."""
    started = time.perf_counter()
    with wrapped(query.name), conn.cursor() as cursor:
        if schema is None:
            cursor.execute(_around("describe", query), params)
            schema = {column.name: _dtype(column) for column in cursor.description or ()}
        with cursor.copy(_around("copy_out", query), params) as copy:
            # A chunk of the protocol is one row, so every slice ends with a line.
            for text in _gathered(copy):
                yield _from_text(text, dict(schema), query.name)
    note_duration(query.name, started, getattr(conn, "slow_query_ms", Connection.slow_query_ms))


def _gathered(rows: Iterable[Buffer]) -> Iterator[bytes]:
    """Join rows to slices of about `SLICE_BYTES`; one, though empty, where there are none."""
    waiting: list[Buffer] = []
    size, given = 0, False
    for row in rows:
        waiting.append(row)
        size += len(row)
        if size >= SLICE_BYTES:
            yield b"".join(waiting)
            waiting, size, given = [], 0, True
    if waiting or not given:
        yield b"".join(waiting)


def _around(outer: str, query: Query) -> sql.Composed:
    return sql.SQL(cast(Any, load("database")[outer].sql)).format(query=sql.SQL(cast(Any, query.sql)))


def _dtype(column: psycopg.Column) -> pl.DataType:
    match psycopg.adapters.types.get(column.type_code):
        case psycopg.types.TypeInfo(name=name) if name in _BY_NAME:
            return _BY_NAME[name]
        case psycopg.types.TypeInfo(name="numeric") if column.precision:
            return pl.Decimal(min(38, column.precision), column.scale or 0)
    return pl.String()


_BY_NAME: Mapping[str, pl.DataType] = {
    "int2": pl.Int16(),
    "int4": pl.Int32(),
    "int8": pl.Int64(),
    "float4": pl.Float32(),
    "float8": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "time": pl.Time(),
    "timestamp": pl.Datetime("us"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "bytea": pl.Binary(),
}


def _from_text(text: bytes, schema: Mapping[str, Any], name: str) -> pl.DataFrame:
    dtypes = {column: _instance(dtype) for column, dtype in schema.items()}
    if not text:
        return pl.DataFrame(schema=dtypes)
    read_as = {
        column: dtype if dtype.is_numeric() and not dtype.is_decimal() else pl.String
        for column, dtype in dtypes.items()
    }
    try:
        raw = pl.read_csv(
            text,
            has_header=False,
            separator="\t",
            quote_char=None,
            null_values="\\N",
            empty_string_is_null=False,
            schema=read_as,
            extra_columns="raise",
            missing_columns="raise",
        )
        return pl.DataFrame([_from_column(raw[column], dtype) for column, dtype in dtypes.items()])
    except pl.exceptions.PolarsError:
        # polars quotes the value it could not read.
        raise SchemaError(f"the result of {name} does not fit its schema {dtypes}", query=name) from None


def _instance(dtype: Any) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else cast(pl.DataType, dtype)


def _from_column(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """One column read as text (numbers: already read) -> its dtype, strictly."""
    if isinstance(dtype, pl.Boolean):
        return column.replace_strict({"t": True, "f": False}, return_dtype=pl.Boolean)
    if isinstance(dtype, pl.Binary):
        return column.str.slice(len("\\\\x")).str.decode("hex")
    if isinstance(dtype, pl.Datetime):
        # The session's zone is UTC, so timestamptz always ends in +00.
        naive = column.str.strip_suffix("+00").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit=dtype.time_unit)
        if dtype.time_zone is None:
            return naive
        return naive.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)
    if isinstance(dtype, pl.Date):
        return column.str.to_date("%Y-%m-%d")
    if isinstance(dtype, pl.Time):
        return column.str.to_time("%H:%M:%S%.f")
    if dtype.is_numeric() and not dtype.is_decimal():
        return column
    return _unescape(column).cast(dtype)


def _unescape(column: pl.Series) -> pl.Series:
    if not column.str.contains("\\", literal=True).any():
        return column
    column = column.str.replace_all("\\\\", _NUL, literal=True)
    for written, meant in _UNESCAPES:
        column = column.str.replace_all(written, meant, literal=True)
    return column.str.replace_all(_NUL, "\\", literal=True)
