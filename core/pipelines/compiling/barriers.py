"""Steps that look at many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import polars as pl

from core.pipelines.compiling.casts import convert
from core.pipelines.compiling.expression import Surroundings, compiled
from core.pipelines.compiling.groups import FIRST, LAST, PLACE, Slot, aggregated, taken_apart, windowed
from core.pipelines.compiling.held import CheckResult, Held, Log, StoppedRun, alive, computed_columns
from core.pipelines.compiling.numbers import computed
from core.pipelines.compiling.values import PREFIX, Fault, Value, loaded, storage_type, stored
from core.pipelines.expressions.parsing import parse
from core.pipelines.expressions.syntax import Expression
from core.pipelines.language import spec
from core.pipelines.types import ColumnType, common_type

_ALL, _ROW, _AT = f"{PREFIX}all", f"{PREFIX}row", f"{PREFIX}at"


def barrier(
    step: spec.Step, held: Held, others: Mapping[str, Held], types: Mapping[str, ColumnType], path: str, log: Log
) -> Held:
    """The rows after a step. types: of the columns after it."""
    match step:
        case spec.Join():
            return _join(step, held, others[step.with_], types, path)
        case spec.Union():
            return _union(step, held, others, types)
        case spec.Dedupe():
            ordered = _ordered(held.frame, step.order_by)
            first = ordered.unique(subset=step.keys, keep="first", maintain_order=True)
            return Held(first.sort(_ROW).drop(_ROW), held.types)
        case spec.Top():
            ordered = _ordered(held.frame, step.order_by)
            best = ordered.group_by(step.by, maintain_order=True).head(step.n) if step.by else ordered.head(step.n)
            return Held(best.drop(_ROW).select(list(held.types)), held.types)
        case spec.Aggregate():
            return _aggregate(step, held, types, path, log)
        case spec.Window():
            return _window(step, held, types, path, log)
        case spec.Check():
            return _check(step, held, path, log)
        case spec.Reconcile():
            return _reconcile(step, held, others[step.with_], types)
        case _:
            raise StoppedRun(f"{path}: match steps go through the matching engine, which this run has not")


def _ordered(frame: pl.DataFrame, order_by: Sequence[str]) -> pl.DataFrame:
    """In order, rows of one place as they came; nulls last, and first where the order goes down, as in PostgreSQL."""
    numbered = frame.with_row_index(_ROW)
    names, down = _directions(order_by, frame.columns)
    return (
        numbered.sort(names, descending=down, nulls_last=[not one for one in down], maintain_order=True)
        if names
        else numbered
    )


def _directions(order_by: Sequence[str], columns: Sequence[str]) -> tuple[list[str], list[bool]]:
    down = [name not in columns for name in order_by]
    return [name.removeprefix("-") if is_down else name for name, is_down in zip(order_by, down, strict=True)], down


def _join(step: spec.Join, held: Held, other: Held, types: Mapping[str, ColumnType], path: str) -> Held:
    pairs = dict(step.keys) if isinstance(step.keys, Mapping) else {name: name for name in step.keys}
    left, right = held.frame, other.frame
    for number, (name, its) in enumerate(pairs.items()):
        both = common_type(held.types[name], other.types[its])
        assert both is not None, (name, its)
        left = left.with_columns(stored(convert(loaded(name, held.types[name]), both)).alias(f"{PREFIX}key{number}"))
        right = right.with_columns(stored(convert(loaded(its, other.types[its]), both)).alias(f"{PREFIX}key{number}"))
    keys = [f"{PREFIX}key{number}" for number in range(len(pairs))]
    _expected(step, left, right, keys, path)
    if step.how in {"semi", "anti"}:
        return Held(left.join(right, on=keys, how=step.how).drop(keys), held.types)
    taken = step.columns if step.columns is not None else [name for name in other.types if name not in pairs.values()]
    found = left.join(
        right.select([*keys, *[pl.col(name).alias(f"{PREFIX}of {name}") for name in taken]]),
        on=keys, how=step.how, coalesce=True, maintain_order="left_right",
    )  # fmt: skip
    if step.how == "full":
        # A row of the right side alone has its keys from there.
        found = found.with_columns(
            [
                pl.col(name).fill_null(pl.col(key).cast(storage_type(held.types[name])))
                for name, key in zip(pairs, keys, strict=True)
            ]
        )
    return Held(found.rename({f"{PREFIX}of {name}": name for name in taken}).select(list(types)), types)


def _expected(step: spec.Join, left: pl.DataFrame, right: pl.DataFrame, keys: list[str], path: str) -> None:
    """Count what `expect` says; raises StoppedRun where rows would multiply."""
    sides = {
        "1:1": ((left, "the rows before"), (right, step.with_)),
        "n:1": ((right, step.with_),),
        "1:n": ((left, "the rows before"),),
    }
    for frame, name in sides.get(step.expect or "", ()):
        known = frame.select(keys).drop_nulls()
        doubled = known.filter(known.is_duplicated()).unique().height
        if doubled:
            named = ", ".join(step.keys.values() if isinstance(step.keys, Mapping) else step.keys)
            raise StoppedRun(
                f"{path}: expect {step.expect}, but {doubled:,} key{'s' if doubled > 1 else ''} [{named}] of {name} "
                'stand more than once, so rows would multiply; dedupe them first, or say expect: "n:m"'
            )


def _union(step: spec.Union, held: Held, others: Mapping[str, Held], types: Mapping[str, ColumnType]) -> Held:
    frames = [
        one.frame.select([stored(convert(loaded(name, one.types[name]), types[name])).alias(name) for name in types])
        for one in (held, *(others[name] for name in step.with_))
    ]
    return Held(pl.concat(frames), types)


def _aggregate(step: spec.Aggregate, held: Held, types: Mapping[str, ColumnType], path: str, log: Log) -> Held:
    slots: list[Slot] = []
    nodes = {name: taken_apart(parse(text), slots) for name, text in step.values.items()}
    rows = _with_arguments(held, slots, path, log)
    values = {slot.name: aggregated(slot.call, *_of_slot(rows, slot)) for slot in slots}
    columns = _columns(values)
    if step.by:
        grouped = rows.frame.group_by(step.by, maintain_order=True).agg(columns)
    else:
        grouped = rows.frame.select(columns) if columns else pl.DataFrame({_ALL: [0]})
    return _outer(nodes, values, Held(grouped, {name: held.types[name] for name in step.by}), types, path, log)


def _window(step: spec.Window, held: Held, types: Mapping[str, ColumnType], path: str, log: Log) -> Held:
    slots: list[Slot] = []
    nodes = {name: taken_apart(parse(text), slots) for name, text in step.values.items()}
    rows = _with_arguments(held, slots, path, log)
    names, down = _directions(step.order_by, list(held.types))
    ordered = rows.frame.with_row_index(_ROW).with_columns(pl.lit(0).alias(_ALL))
    by = step.by or [_ALL]
    if names:
        falling, last = [False] * len(by) + down, [True] * len(by) + [not one for one in down]
        ordered = ordered.sort([*by, *names], descending=falling, nulls_last=last, maintain_order=True)
        placed = ordered.with_columns(pl.struct([*by, *names]).rle_id().alias(PLACE)).with_row_index(_AT)
        ordered = placed.with_columns(
            pl.col(_AT).min().over(PLACE).alias(FIRST), pl.col(_AT).max().over(PLACE).alias(LAST)
        )
    values = {slot.name: windowed(slot.call, *_of_slot(rows, slot), by, is_ordered=bool(names)) for slot in slots}
    found = ordered.with_columns(_columns(values)).sort(_ROW)
    return _outer(nodes, values, Held(found, held.types), types, path, log)


def _check(step: spec.Check, held: Held, path: str, log: Log) -> Held:
    """Rules over all rows; one that is null or cannot be computed fails."""
    for name, text in step.rules.items():
        slots: list[Slot] = []
        node, unsaid = taken_apart(parse(text), slots), Log(log.run_time)
        rows = _with_arguments(held, slots, path, unsaid)
        values = {slot.name: aggregated(slot.call, *_of_slot(rows, slot)) for slot in slots}
        one_row = rows.frame.select(_columns(values) or [pl.lit(0).alias(_ALL)])
        found = Held(one_row, {slot: one.type for slot, one in values.items()}).expression(node, log)
        is_known = found.fault[0] is None and not any(one_row[flag][0] for flag, _ in _flags(values))
        # A rule over rows of which some could not be computed is not known to hold.
        passed = is_known and not unsaid.dead and bool(found.value.cast(pl.Boolean)[0])
        log.checks.append(CheckResult(path, name, passed, step.on_fail))
        if not passed and step.on_fail == "stop":
            raise StoppedRun(f"{path}.{name}: the rule does not hold of all rows; nothing was written")
    return held


def _with_arguments(held: Held, slots: Sequence[Slot], path: str, log: Log) -> Held:
    """The rows that are not at fault, with a column for what each aggregate is of and one for what its filter keeps."""
    evaluated = {}
    for slot in slots:
        if slot.call.arguments:
            evaluated[f"{slot.name} of"] = held.expression(slot.call.arguments[0], log)
        if slot.call.only is not None:
            evaluated[f"{slot.name} only"] = held.expression(slot.call.only, log)
    told = {name: slot.call.name for slot in slots for name in (f"{slot.name} of", f"{slot.name} only")}
    noted = Log(log.run_time)
    rows, values = alive(held, evaluated, path, "dead", noted)
    log.dead += [replace(one, column=told[one.column]) for one in noted.dead]
    return rows.put(values, {name: one.type for name, one in evaluated.items()})


def _of_slot(held: Held, slot: Slot) -> tuple[Value | None, pl.Expr | None]:
    """What is aggregated, and which rows `filter` keeps."""
    of, only = f"{slot.name} of", f"{slot.name} only"
    kept = pl.col(only).cast(pl.Boolean).fill_null(value=False) if only in held.types else None
    return loaded(of, held.types[of]) if of in held.types else None, kept


def _columns(values: Mapping[str, Value]) -> list[pl.Expr]:
    """A column for each value, and one for each of its faults."""
    found = [stored(value).alias(name) for name, value in values.items()]
    return found + [fault.where.alias(name) for name, fault in _flags(values)]


def _flags(values: Mapping[str, Value]) -> list[tuple[str, Fault]]:
    return [
        (f"{name} fault{number}", fault) for name, value in values.items() for number, fault in enumerate(value.faults)
    ]


def _outer(
    nodes: Mapping[str, Expression], values: Mapping[str, Value], held: Held, types: Mapping[str, ColumnType],
    path: str, log: Log,
) -> Held:  # fmt: skip
    """What is computed of aggregates, beside the columns that are kept."""
    known = Held(held.frame, {**held.types, **{name: value.type for name, value in values.items()}})
    flags = tuple(Fault(fault.kind, pl.col(flag)) for flag, fault in _flags(values))

    def make(node: Expression) -> Value:
        value = compiled(node, Surroundings(known.types, log.run_time))
        return replace(value, faults=(*value.faults, *flags))

    evaluated = {name: known.evaluated(partial(make, node)) for name, node in nodes.items()}
    # Columns of a window may stand in the place of old ones; those under way go.
    return computed_columns(known, evaluated, types, path, "dead", log).picked(list(types))


def _reconcile(step: spec.Reconcile, held: Held, other: Held, types: Mapping[str, ColumnType]) -> Held:
    """Rows of one side alone, and rows of which a value differs by more than its tolerance; null equals null."""
    pairs = dict(step.keys) if isinstance(step.keys, Mapping) else {name: name for name in step.keys}
    left = held.frame.select(
        [pl.col(name) for name in pairs] + [pl.col(name).alias(f"{name}_left") for name in step.compare]
    ).with_columns(pl.lit(value=True).alias(f"{PREFIX}left"))
    right = other.frame.select(
        [_key(held, other, name, its).alias(name) for name, its in pairs.items()]
        + [pl.col(name).alias(f"{name}_right") for name in step.compare]
    ).with_columns(pl.lit(value=True).alias(f"{PREFIX}right"))
    both = left.join(right, on=list(pairs), how="full", coalesce=True, maintain_order="left_right")
    differs = pl.any_horizontal(
        [_differs(held, other, name, Decimal(str(tolerance))) for name, tolerance in step.compare.items()]
    )
    status = (
        pl.when(pl.col(f"{PREFIX}right").is_null()).then(pl.lit("left only"))
        .when(pl.col(f"{PREFIX}left").is_null()).then(pl.lit("right only"))
        .when(differs).then(pl.lit("differs"))
    )  # fmt: skip
    found = both.lazy().with_columns(status.alias("status")).filter(pl.col("status").is_not_null()).collect()
    return Held(found.select([pl.col(name).cast(storage_type(one)) for name, one in types.items()]), types)


def _key(held: Held, other: Held, name: str, its: str) -> pl.Expr:
    return pl.col(its).cast(storage_type(held.types[name])) if held.types[name] != other.types[its] else pl.col(its)


def _differs(held: Held, other: Held, name: str, tolerance: Decimal) -> pl.Expr:
    one, its = pl.col(f"{name}_left"), pl.col(f"{name}_right")
    if tolerance == 0:
        return one.ne_missing(its)
    left = loaded(f"{name}_left", held.types[name])
    apart = computed("-", left, loaded(f"{name}_right", other.types[name]))
    if apart.type.kind == "float":
        is_far = apart.expr.abs() > float(tolerance)
    else:
        is_far = stored(apart).abs() > pl.lit(tolerance)
    return (one.is_null() != its.is_null()) | is_far.fill_null(value=False)
