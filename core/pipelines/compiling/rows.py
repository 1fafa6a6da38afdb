"""Steps that look at one row at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import polars as pl

from core.pipelines.compiling.casts import cast, from_text
from core.pipelines.compiling.held import CheckResult, Held, Log, StoppedRun, alive, computed_columns
from core.pipelines.compiling.texts import json_path
from core.pipelines.compiling.values import Value, loaded, storage_type
from core.pipelines.expressions.parsing import parse
from core.pipelines.language import spec
from core.pipelines.types import TEXT, ColumnType, parse_type

_CLEANED: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "trim": lambda one: one.str.strip_chars(),
    "collapse_spaces": lambda one: one.str.replace_all(r"\s+", " "),
    "title": lambda one: one.str.to_titlecase(),
    "lower": lambda one: one.str.to_lowercase(),
    "upper": lambda one: one.str.to_uppercase(),
    "empty_to_null": lambda one: pl.when(one.str.strip_chars() != "").then(one),
    "digits": lambda one: one.str.replace_all("[^0-9]", ""),
    # Letters keep their base, what has none in ASCII goes.
    "ascii": lambda one: one.str.replace_many(["ß", "ø", "Ø", "æ", "Æ", "œ", "Œ", "ł", "Ł", "đ", "Đ"],
                                              ["ss", "o", "O", "ae", "AE", "oe", "OE", "l", "L", "d", "D"])
    .str.normalize("NFKD").str.replace_all(r"[^\x00-\x7F]", ""),
}  # fmt: skip


def row_step(step: spec.Step, held: Held, types: Mapping[str, ColumnType], path: str, log: Log) -> Held | None:
    """The rows after a step; None: it is no step of single rows. types: of the columns after it."""
    match step:
        case spec.Select() | spec.Drop():
            return held.picked(list(types))
        case spec.Rename():
            names = [step.columns.get(name, name) for name in held.types]
            return Held(held.frame.rename(step.columns), dict(zip(names, held.types.values(), strict=True)))
        case spec.Cast():
            values = {
                name: held.evaluated(partial(_cast, held, name, types[name], step.formats.get(name)))
                for name in step.columns
            }
            return computed_columns(held, values, types, path, step.on_error, log)
        case spec.Clean():
            return _clean(step, held)
        case spec.Filter():
            return _filter(step, held, path, log)
        case spec.Derive():
            derived = {name: held.expression(parse(text), log) for name, text in step.columns.items()}
            return computed_columns(held, derived, types, path, step.on_error, log)
        case spec.Validate():
            return _validate(step, held, path, log)
        case spec.Unpivot():
            return _unpivot(step, held, types)
        case spec.Unnest():
            return _unnest(step, held, types, path, log)
        case _:
            return None


def _cast(held: Held, name: str, to: ColumnType, written: str | None) -> Value:
    value = loaded(name, held.types[name])
    if written is None or value.type.kind != "text":
        return cast(value, to)
    text = value.expr.str.strip_chars()
    read = text.str.to_date(written, strict=False) if to.kind == "date" else _moment(text, written)
    return Value(read, to, value.faults).failing("cast", read.is_null() & value.expr.is_not_null())


def _moment(text: pl.Expr, written: str) -> pl.Expr:
    """A timestamp by its format; with a zone it becomes UTC."""
    if "%z" in written or "%:z" in written:
        aware = text.str.to_datetime(written, time_unit="us", time_zone="UTC", strict=False)
        return aware.dt.replace_time_zone(None)
    return text.str.to_datetime(written, time_unit="us", strict=False)


def _clean(step: spec.Clean, held: Held) -> Held:
    cleaned = {}
    for name in step.columns:
        one = pl.col(name)
        for how in step.how:
            one = _CLEANED[how](one)
        cleaned[name] = one
    return held.put(cleaned, dict.fromkeys(step.columns, TEXT))


def _filter(step: spec.Filter, held: Held, path: str, log: Log) -> Held:
    rows, values = alive(held, {"where": held.expression(parse(step.where), log)}, path, "dead", log)
    return Held(rows.frame.filter(values["where"].cast(pl.Boolean)), held.types)


def _validate(step: spec.Validate, held: Held, path: str, log: Log) -> Held:
    """Rules that rows must not break; a rule that is null passes, one that cannot be computed does not."""
    broken = {}
    for name, text in step.rules.items():
        one = held.expression(parse(text), log)
        broken[name] = (~one.value.cast(pl.Boolean).fill_null(value=True) | one.fault.is_not_null()).alias(name)
    counts = {name: int(marks.sum()) for name, marks in broken.items()}
    log.checks += [CheckResult(path, name, not rows, step.on_fail, rows) for name, rows in counts.items()]
    failed = {name: rows for name, rows in counts.items() if rows}
    if not failed or step.on_fail == "warn":
        return held
    if step.on_fail == "stop":
        name, rows = next(iter(failed.items()))
        raise StoppedRun(f"{path}.{name}: {rows:,} row{'s' if rows > 1 else ''} break the rule; nothing was written")
    marks = pl.DataFrame(list(broken.values()))
    if step.on_fail == "dead":
        # Each row by the first rule it breaks.
        first = marks.select(pl.coalesce([pl.when(pl.col(name)).then(pl.lit(name)) for name in broken])).to_series()
        told = first.drop_nulls().value_counts().iter_rows()
        log.left(path, Counter({(name, "rule"): rows for name, rows in told}))
    return Held(held.frame.filter(~marks.select(pl.any_horizontal(pl.all())).to_series()), held.types)


def _unpivot(step: spec.Unpivot, held: Held, types: Mapping[str, ColumnType]) -> Held:
    kept = [name for name in held.types if name not in step.columns]
    to = storage_type(types[step.values_to])
    same = held.frame.with_columns([pl.col(name).cast(to) for name in step.columns]).with_row_index("\0row")
    long = same.unpivot(on=step.columns, index=["\0row", *kept], variable_name=step.names_to, value_name=step.values_to)
    order = pl.col(step.names_to).replace_strict(step.columns, list(range(len(step.columns))), return_dtype=pl.Int64)
    ordered = long.sort(["\0row", order], maintain_order=True)
    return Held(ordered.select(list(types)), types)


def _unnest(step: spec.Unnest, held: Held, types: Mapping[str, ColumnType], path: str, log: Log) -> Held:
    fields = {name: held.evaluated(partial(_field, step.column, written)) for name, written in step.fields.items()}
    return computed_columns(held, fields, types, path, "dead", log)


def _field(column: str, written: str) -> Value:
    place, _, kind = written.strip().rpartition(" ")
    found = pl.col(column).str.json_path_match(json_path(place.strip()))
    text, to = Value(pl.when(found != "null").then(found), TEXT), parse_type(kind)
    return text if to == TEXT else from_text(text, to)
