"""What each step makes of the rows before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, assert_never

from core.errors import InputError
from core.matching.specs.spec import built_in_specs
from core.pipelines.expressions import syntax
from core.pipelines.expressions.functions import FUNCTIONS, RUNNING
from core.pipelines.expressions.results import can_cast
from core.pipelines.expressions.syntax import Expression
from core.pipelines.expressions.typing import Scope, column_of
from core.pipelines.flow.frame import Frame, Origin, Report
from core.pipelines.language import spec
from core.pipelines.refusals import instead
from core.pipelines.types import FLOAT, TEXT, UNKNOWN, ColumnType, common_type, parse_type


@dataclass(frozen=True, slots=True)
class Place:
    """A step under way: its path in the spec, what it may name besides the rows before, and where it speaks."""

    path: str
    frames: Mapping[str, Frame]
    report: Report

    def other(self, name: str, word: str = "with") -> Frame:
        """The rows of a source or of an earlier step; open where there is none, which is said."""
        if name not in self.frames:
            self.report.refuse(f"{self.path}.{word}", f"there is no source or step {name}{instead(name, self.frames)}")
        return self.frames.get(name, Frame({}, is_open=True))


def after(step: spec.Step, frame: Frame, at: Place) -> Frame:
    """The rows after a step; refusals go to the report, and what follows is judged as if they were mended."""
    match step:
        case spec.Select():
            at.report.known(f"{at.path}.columns", step.columns, frame)
            return frame.keep(step.columns)
        case spec.Drop():
            at.report.known(f"{at.path}.columns", step.columns, frame)
            return frame.keep(name for name in frame.columns if name not in step.columns)
        case spec.Rename():
            return _rename(step, frame, at)
        case spec.Cast():
            return _cast(step, frame, at)
        case spec.Clean():
            return _clean(step, frame, at)
        case spec.Filter():
            at.report.condition(f"{at.path}.where", step.where, frame)
            return frame
        case spec.Derive():
            return _derive(step, frame, at)
        case spec.Validate() | spec.Check():
            return _rules(step, frame, at)
        case spec.Unpivot() | spec.Unnest():
            return _unfold(step, frame, at)
        case _:
            return _over_many(step, frame, at)


def _over_many(step: Any, frame: Frame, at: Place) -> Frame:
    match step:
        case spec.Join():
            return _join(step, frame, at)
        case spec.Union():
            return _union(step, frame, at)
        case spec.Dedupe():
            at.report.known(f"{at.path}.keys", step.keys, frame)
            _ordered(step.order_by, frame, at)
            return replace(frame, keys=frame.keys | {frozenset(step.keys)}, keys_unknown=False)
        case spec.Match():
            return _match(step, frame, at)
        case spec.Aggregate():
            return _aggregate(step, frame, at)
        case spec.Window():
            return _window(step, frame, at)
        case spec.Top():
            at.report.known(f"{at.path}.by", step.by, frame)
            _ordered(step.order_by, frame, at)
            return frame
        case spec.Reconcile():
            return _reconcile(step, frame, at)
        case _:
            assert_never(step)


def _rename(step: spec.Rename, frame: Frame, at: Place) -> Frame:
    if not at.report.known(f"{at.path}.columns", step.columns, frame) or frame.is_open:
        return replace(frame, is_open=True)
    names = [step.columns.get(name, name) for name in frame.columns]
    if doubled := [name for name in step.columns.values() if names.count(name) > 1]:
        at.report.refuse(f"{at.path}.columns", f"there would be two columns {doubled[0]}; drop or rename the other")
    renamed = dict(zip(frame.columns, names, strict=True))
    return replace(
        frame,
        columns={renamed[name]: one for name, one in frame.columns.items()},
        origins={renamed[name]: origin for name, origin in frame.origins.items()},
        keys=frozenset(frozenset(renamed[name] for name in key) for key in frame.keys),
    )


def _cast(step: spec.Cast, frame: Frame, at: Place) -> Frame:
    types: dict[str, ColumnType] = {}
    at.report.known(f"{at.path}.columns", step.columns, frame)
    for name, written in step.columns.items():
        try:
            types[name] = parse_type(written)
        except InputError as error:
            at.report.refuse(f"{at.path}.{name}", error.message)
            continue
        found = frame.columns.get(name, UNKNOWN)
        if not can_cast(found, types[name]):
            at.report.refuse(f"{at.path}.{name}", f"{name} is {found}, which cannot become {types[name]}")
    for name in step.formats:
        if name not in types or not types[name].is_time:
            at.report.refuse(f"{at.path}.formats", f"{name} becomes no date or timestamp here")
    return frame.with_columns(types)


def _clean(step: spec.Clean, frame: Frame, at: Place) -> Frame:
    at.report.known(f"{at.path}.columns", step.columns, frame)
    for name in step.columns:
        found = frame.columns.get(name, UNKNOWN)
        if found.kind not in {"text", "unknown"}:
            at.report.refuse(f"{at.path}.columns", f"{name} is {found}; clean is of texts")
    return frame.with_columns({name: TEXT for name in step.columns if name in frame.columns})


def _derive(step: spec.Derive, frame: Frame, at: Place) -> Frame:
    added: dict[str, ColumnType] = {}
    origins: dict[str, Origin] = {}
    for name, text in step.columns.items():
        node, added[name] = at.report.expression(f"{at.path}.{name}", text, frame)
        if not added[name].can_be_stored:
            said = "say hours_between() or days_between()" if added[name].kind == "interval" else "cast it to a type"
            at.report.refuse(f"{at.path}.{name}", f"{text} is {added[name]}, which no column holds: {said}")
            added[name] = UNKNOWN
        if isinstance(node, syntax.Column) and not frame.is_open:
            origin = frame.origins.get(column_of(node, frame.columns))
            origins |= {name: origin} if origin else {}
    return frame.with_columns(added, origins)


def _rules(step: spec.Validate | spec.Check, frame: Frame, at: Place) -> Frame:
    scope = Scope(frame.columns, "check" if isinstance(step, spec.Check) else "row")
    for name, text in step.rules.items():
        at.report.condition(f"{at.path}.{name}", text, frame, scope, "a rule")
    return frame


def _unfold(step: spec.Unpivot | spec.Unnest, frame: Frame, at: Place) -> Frame:
    if isinstance(step, spec.Unnest):
        at.report.known(f"{at.path}.column", [step.column], frame)
        found = frame.columns.get(step.column, UNKNOWN)
        if found.kind not in {"json", "text", "unknown"}:
            at.report.refuse(f"{at.path}.column", f"{step.column} is {found}; fields are taken out of json")
        return frame.with_columns({name: _field(name, written, at) for name, written in step.fields.items()})
    at.report.known(f"{at.path}.columns", step.columns, frame)
    value: ColumnType | None = None
    for name in step.columns:
        one = frame.columns.get(name, UNKNOWN)
        both = one if value is None else common_type(value, one)
        if both is None:
            at.report.refuse(
                f"{at.path}.columns", f"{name} is {one}, {step.columns[0]} is {value}; cast them to one type"
            )
        value = both or value
    kept = frame.keep(name for name in frame.columns if name not in step.columns)
    keys = frozenset(key | {step.names_to} for key in kept.keys)
    return replace(kept.with_columns({step.names_to: TEXT, step.values_to: value or UNKNOWN}), keys=keys)


def _field(name: str, written: str, at: Place) -> ColumnType:
    _, _, kind = written.strip().rpartition(" ")
    try:
        if " " not in written.strip():
            raise InputError(f"{written} says a path and a type, as `temp float`")
        return parse_type(kind)
    except InputError as error:
        at.report.refuse(f"{at.path}.fields.{name}", error.message)
        return UNKNOWN


def _paired(keys: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    return dict(keys) if isinstance(keys, Mapping) else {name: name for name in keys}


def _sides(keys: Mapping[str, str], frame: Frame, other: Frame, at: Place, with_name: str) -> None:
    """Refuse keys that one side lacks, or that cannot be compared."""
    at.report.known(f"{at.path}.keys", keys, frame)
    for name, its in keys.items():
        if its not in other.columns and not other.is_open:
            at.report.refuse(f"{at.path}.keys", f"{with_name} has no column {its}{instead(its, other.columns)}")
            continue
        left, right = frame.columns.get(name, UNKNOWN), other.columns.get(its, UNKNOWN)
        if common_type(left, right) is None:
            at.report.refuse(f"{at.path}.keys", f"{name} is {left}, {with_name}'s {its} is {right}; cast one of them")


def _join(step: spec.Join, frame: Frame, at: Place) -> Frame:
    other, keys = at.other(step.with_), _paired(step.keys)
    _sides(keys, frame, other, at, step.with_)
    takes = step.how not in {"semi", "anti"}
    is_one = other.is_unique(keys.values())
    if step.expect in {"n:1", "1:1"} and not (is_one or other.is_open or other.keys_unknown):
        listed = ", ".join(keys.values())
        at.report.refuse(
            at.path, f"expect {step.expect}, but [{listed}] is no key of {step.with_}: rows could multiply"
        )
    partial = frame.partial + (other.partial if takes else ())
    if not takes:
        if step.columns is not None:
            at.report.refuse(f"{at.path}.columns", f"a {step.how} join takes no columns of {step.with_}")
        return replace(frame, partial=partial)
    wanted = step.columns if step.columns is not None else [name for name in other.columns if name not in keys.values()]
    if missing := [name for name in wanted if name not in other.columns and not other.is_open]:
        at.report.refuse(
            f"{at.path}.columns", f"{step.with_} has no column {missing[0]}{instead(missing[0], other.columns)}"
        )
    if both := [name for name in wanted if name in frame.columns]:
        advice = "list columns" if step.columns is None else "rename one"
        at.report.refuse(at.path, f"{both[0]} is on both sides; {advice}")
    taken = other.keep(name for name in wanted if name not in frame.columns)
    joined = replace(frame, columns={**frame.columns, **taken.columns}, origins={**frame.origins, **taken.origins})
    keys_kept = frame.keys if is_one and step.how in {"inner", "left"} else frozenset()
    is_open = frame.is_open or (other.is_open and step.columns is None)
    unknown = frame.keys_unknown or other.keys_unknown
    return replace(joined, keys=keys_kept, partial=partial, is_open=is_open, keys_unknown=unknown)


def _union(step: spec.Union, frame: Frame, at: Place) -> Frame:
    columns = dict(frame.columns)
    partial, is_open = frame.partial, frame.is_open
    for name in step.with_:
        other = at.other(name)
        partial, is_open = partial + other.partial, is_open or other.is_open
        if is_open:
            continue
        lacking = [column for column in columns if column not in other.columns]
        extra = [column for column in other.columns if column not in columns]
        if lacking or extra:
            said = f"{name} has no {lacking[0]}" if lacking else f"{extra[0]} is in {name} alone"
            at.report.refuse(at.path, f"{said}; both sides of a union have the same columns")
            continue
        for column, its in other.columns.items():
            both = common_type(columns[column], its)
            if both is None:
                at.report.refuse(at.path, f"{column} is {columns[column]}, in {name} it is {its}; cast one of them")
            columns[column] = both or columns[column]
    return Frame(columns, partial=partial, is_open=is_open, keys_unknown=True)


def _ordered(names: Sequence[str], frame: Frame, at: Place) -> None:
    at.report.known(
        f"{at.path}.order_by", [name.removeprefix("-") if name not in frame.columns else name for name in names], frame
    )


def _match(step: spec.Match, frame: Frame, at: Place) -> Frame:
    known = built_in_specs()
    if step.spec not in known:
        at.report.refuse(f"{at.path}.spec", f"there is no match spec {step.spec}{instead(step.spec, known)}")
    at.report.known(f"{at.path}.map", step.map.values(), frame)
    needs = step.result in {"links", "new"}
    if needs and step.with_ is None:
        at.report.refuse(at.path, f"result {step.result} is against another source; name it by with")
    other = at.other(step.with_) if step.with_ is not None else None
    partial = frame.partial + (other.partial if other else ())
    if step.result == "links":
        columns = {"left_id": TEXT, "right_id": TEXT, "probability": FLOAT}
        return Frame(columns, keys=frozenset({frozenset({"left_id", "right_id"})}), partial=partial)
    if step.result == "new":
        return replace(frame, partial=partial)
    found = frame.with_columns({"entity_id": TEXT})
    if step.result == "golden":
        return replace(found, origins={}, keys=frozenset({frozenset({"entity_id"})}), partial=partial)
    return replace(found, partial=partial)


def _aggregate(step: spec.Aggregate, frame: Frame, at: Place) -> Frame:
    at.report.known(f"{at.path}.by", step.by, frame)
    _whole_groups(step.by, frame, at, "aggregate")
    scope = Scope(frame.columns, "aggregate", frozenset(step.by))
    added: dict[str, ColumnType] = {}
    for name, text in step.values.items():
        if name in step.by:
            at.report.refuse(f"{at.path}.{name}", f"{name} is in by; give the value another name")
        _, added[name] = at.report.expression(f"{at.path}.{name}", text, frame, scope)
    kept = frame.keep(step.by)
    return replace(kept.with_columns(added), keys=frozenset({frozenset(step.by)}), is_open=False, keys_unknown=False)


def _window(step: spec.Window, frame: Frame, at: Place) -> Frame:
    at.report.known(f"{at.path}.by", step.by, frame)
    _ordered(step.order_by, frame, at)
    _whole_groups(step.by, frame, at, "window")
    scope = Scope(frame.columns, "window", frozenset(step.by))
    added: dict[str, ColumnType] = {}
    for name, text in step.values.items():
        node, added[name] = at.report.expression(f"{at.path}.{name}", text, frame, scope)
        if node is not None and step.order_by:
            _running(node, f"{at.path}.{name}", at.report)
    return frame.with_columns(added)


def _running(node: Expression, path: str, report: Report) -> None:
    """Refuse aggregates that cannot go on from row to row."""
    for call in syntax.walk(node):
        if not isinstance(call, syntax.Call) or FUNCTIONS[call.name].place != "aggregate":
            continue
        if call.distinct or call.name not in RUNNING:
            said = "distinct" if call.distinct else f"{call.name}()"
            report.refuse(path, f"{said} has no running form; leave order_by out", call.at)


def _whole_groups(by: Sequence[str], frame: Frame, at: Place, what: str) -> None:
    """Refuse values over groups of which a run may see a part only."""
    for partial in frame.partial:
        origins = [frame.origins.get(name) for name in by]
        from_it = [origin[1] for origin in origins if origin is not None and origin[0] == partial.source]
        if partial.incremental.whole and set(partial.incremental.whole) <= set(from_it):
            continue
        noun, groups = "sums" if what == "aggregate" else "values", ", ".join(by) or "all"
        said = f"{partial.source} is read in part (incremental), so {noun} by {groups} would be of a part"
        if partial.incremental.files is not None or not from_it:
            at.report.refuse(at.path, f"{said}; read {partial.source} whole: leave incremental out")
        else:
            at.report.refuse(at.path, f"{said}; add whole: [{', '.join(from_it)}]")


def _reconcile(step: spec.Reconcile, frame: Frame, at: Place) -> Frame:
    other, keys = at.other(step.with_), _paired(step.keys)
    _sides(keys, frame, other, at, step.with_)
    columns: dict[str, ColumnType] = {name: frame.columns.get(name, UNKNOWN) for name in keys} | {"status": TEXT}
    for name, tolerance in step.compare.items():
        at.report.known(f"{at.path}.compare", [name], frame)
        if name not in other.columns and not other.is_open:
            at.report.refuse(f"{at.path}.compare", f"{step.with_} has no column {name}{instead(name, other.columns)}")
        left, right = frame.columns.get(name, UNKNOWN), other.columns.get(name, UNKNOWN)
        if not _is_tolerance(tolerance):
            at.report.refuse(f"{at.path}.compare", f"{name}: {tolerance} is no tolerance; say 0 or more, as 0.01")
        elif Decimal(str(tolerance)) != 0 and (bare := [side for side in (left, right) if not _can_differ(side)]):
            at.report.refuse(f"{at.path}.compare", f"{name} is {bare[0]}; a tolerance is of numbers, else 0")
        columns |= {f"{name}_left": left, f"{name}_right": right}
    return Frame(columns, keys=frozenset({frozenset(keys)}), partial=frame.partial + other.partial)


def _can_differ(one: ColumnType) -> bool:
    """Whether two values of a type can lie apart by a number."""
    return one.is_number or one.kind == "unknown"


def _is_tolerance(written: object) -> bool:
    try:
        value = Decimal(str(written))
    except InvalidOperation:
        return False
    return value.is_finite() and value >= 0
