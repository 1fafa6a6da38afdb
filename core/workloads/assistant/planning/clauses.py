"""What is to happen to rows: parts of a request taken out before its source is known, made steps after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.pipelines.expressions.printing import show_constant, show_name
from core.pipelines.types import ColumnType
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.places import stem, words_of
from core.workloads.assistant.planning.text import MARK, Request

Do = Literal["clean", "filter", "dedupe", "aggregate", "validate"]
_ORDER: Final[tuple[Do, ...]] = ("clean", "filter", "dedupe", "aggregate", "validate")
_NAME: Final = r"(?:the |a |an |their |its )?([a-z][a-z_ ]*?)"
_END: Final = r"(?=\s*(?:$|[|,;.!]|\band\b|\bor\b|\binto\b|->))"
_NUMBER: Final = r"(-?\d+(?:\.\d+)?)(?![\w.%])"
_OPERATORS: Final = {
    "over": ">", "above": ">", "more than": ">", "greater than": ">", "at least": ">=", "under": "<", "below": "<",
    "less than": "<", "at most": "<=", ">": ">", "<": "<", ">=": ">=", "<=": "<=",
}  # fmt: skip
_COMPARED: Final = "|".join(sorted(map(re.escape, _OPERATORS), key=len, reverse=True))
_OPPOSITE: Final = {"=": "<>", "<>": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">", "is null": "is not null",
                    "is not null": "is null"}  # fmt: skip
_FAILS: Final = {"reject": "dead", "quarantine": "dead", "set aside": "dead", "skip": "drop", "ignore": "drop"}
_WAYS: Final = (
    (rf"\btrim(?:ming)? (?:all )?{_NAME}{_END}", "trim"),
    (rf"\blower-?\s?cas(?:e|ing) {_NAME}{_END}", "lower"),
    (rf"\bupper-?\s?cas(?:e|ing) {_NAME}{_END}", "upper"),
    (rf"\bdigits only in {_NAME}{_END}", "digits"),
    (rf"(?<=[|,;]) ?{_NAME} in (?:upper|capital) (?:case|letters){_END}", "upper"),
    (rf"\bempty (?:strings?|texts?) as null in {_NAME}{_END}", "empty_to_null"),
)
_FUNCTIONS: Final = {"sum": "sum", "total": "sum", "average": "avg", "mean": "avg", "median": "median",
                     "highest": "max", "maximum": "max", "lowest": "min", "minimum": "min"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing to do. names: phrases that are to be columns. said: what else the words said of it."""

    do: Do
    names: tuple[str, ...]
    said: tuple[str, ...] = ()


def clauses_of(request: Request) -> list[Clause]:
    """Take out all that is understood."""
    found = [*_rules(request), *_cleaned(request), *_filters(request), *_repeats(request), *_groups(request)]
    return sorted(found, key=lambda clause: _ORDER.index(clause.do))


def steps_of(clauses: list[Clause], columns: Mapping[str, ColumnType]) -> list[dict[str, Any]]:
    """Clauses as steps over the columns of a source. Settles a phrase that is no column, or two."""
    return [_STEPS[clause.do](clause, columns) for clause in clauses]


def column_named(phrase: str, columns: Mapping[str, ColumnType]) -> str:
    """The one column that a phrase means. Settles with a question: none, or several."""
    wanted = [stem(word) for word in words_of(phrase)]
    words = {name: [stem(word) for word in words_of(name)] for name in columns}
    same = [name for name in columns if words[name] == wanted]
    near = same or [name for name in columns if wanted and set(wanted) <= set(words[name])]
    if len(near) != 1:
        raise ask("column", f"which column is meant by {phrase.strip()[:60]}?", near or list(columns))
    return near[0]


def _rules(request: Request) -> list[Clause]:
    found: list[Clause] = []
    words = "|".join(_FAILS)
    rows = r"(?:any |all |those )?(?:rows|lines|records|entries)"
    while head := request.take(rf"(?:\b(?:but|and) )?\b({words}) {rows} (?=with|whose|where|without)"):
        fails = _FAILS[head[1]]
        while True:
            clause = _condition(request, at=head.start())
            if clause is None:
                break
            found.append(Clause("validate", clause.names, (*clause.said, fails)))
            request.text = re.sub(r"\|\s*or (?=with|whose|where|without|\|)", "| ", request.text)
        if not found:
            raise ask("value", f"which rows are to be {head[1]}ed is not understood")
    return found


def _condition(request: Request, at: int = 0) -> Clause | None:
    """The next condition: a column, an operator, a value or ""."""
    value = rf"({MARK}v\d+|-?\d+(?:\.\d+)?(?![\w.%]))"
    lead = r"\b(?:with|whose|where)"
    if at and (found := request.take(rf"\bwithout {_NAME}{_END}")):
        return Clause("filter", (found[1],), ("is null", ""))
    if at and (found := request.take(rf"\bwith (?:a )?negative {_NAME}{_END}")):
        return Clause("filter", (found[1],), ("<", "0"))
    if found := request.take(rf"{lead} {_NAME} (?:is|are) (?:missing|empty|null)\b"):
        return Clause("filter", (found[1],), ("is null", ""))
    if found := request.take(rf"{lead} {_NAME} (?:is |are )?({_COMPARED}) {_NUMBER}{_END}"):
        return Clause("filter", (found[1],), (_OPERATORS[found[2]], found[3]))
    if found := request.take(rf"{lead} {_NAME} (?:is|are|=|equals) (not )?{value}"):
        written = request.value(found[3])
        shown = found[3] if written is None else show_constant(written)
        return Clause("filter", (found[1],), ("<>" if found[2] else "=", shown))
    return None


def _filters(request: Request) -> list[Clause]:
    found = []
    while clause := _condition(request):
        found.append(clause)
    return found


def _cleaned(request: Request) -> list[Clause]:
    found = []
    for pattern, how in _WAYS:
        while taken := request.take(pattern):
            many = "all" if " all " in f" {taken[0]} " else ""
            found.append(Clause("clean", (taken[1],), (how, many)))
    return found


def _repeats(request: Request) -> list[Clause]:
    last = r"(?:,? keep(?:ing)? the (latest|newest|oldest|first|last)(?: one)?)?"
    taken = request.take(rf"\b(?:drop(?:ping)?|remov(?:e|ing)) duplicates (?:by|on|of) {_NAME}{last}{_END}")
    if taken is None:
        return []
    return [Clause("dedupe", (taken[1],), (taken[2] or "",))]


def _groups(request: Request) -> list[Clause]:
    per = rf"(?:per|for each|by) {_NAME}(?: and {_NAME})?(?=\s*(?:$|[|,;.!]|->|into\b))"
    if taken := request.take(rf"\b(?:count|(?:with )?(?:the )?number of) ({MARK}t\d+|[a-z ]+?) {per}"):
        request.text += f" | {taken[1]}"
        return [Clause("aggregate", tuple(name for name in taken.groups()[1:] if name), ("count", ""))]
    functions = "|".join(_FUNCTIONS)
    if taken := request.take(rf"\b(?:the )?({functions}) (?:of )?([a-z_]+) (?:of|in) ({MARK}t\d+|[a-z ]+?) {per}"):
        request.text += f" | {taken[3]}"
        by = tuple(name for name in taken.groups()[3:] if name)
        return [Clause("aggregate", by, (_FUNCTIONS[taken[1]], taken[2]))]
    return []


def _clean(clause: Clause, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
    how, many = clause.said
    wanted = stem(clause.names[0].strip())
    if many:
        named = [name for name in columns if wanted in map(stem, words_of(name))]
        if not named:
            raise ask("column", f"no column is called {wanted}; which are meant?", list(columns))
        return {"do": "clean", "columns": named, "how": [how]}
    return {"do": "clean", "columns": [column_named(clause.names[0], columns)], "how": [how]}


def _compared(clause: Clause, columns: Mapping[str, ColumnType], *, negated: bool = False) -> str:
    name = column_named(clause.names[0], columns)
    operator, value = clause.said[0], clause.said[1]
    return f"{show_name(name)} {_OPPOSITE[operator] if negated else operator} {value}".strip()


def _filter(clause: Clause, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
    return {"do": "filter", "where": _compared(clause, columns)}


def _validate(clause: Clause, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
    rule = _compared(clause, columns, negated=True)
    return {"do": "validate", "rules": {column_named(clause.names[0], columns): rule}, "on_fail": clause.said[2]}


def _dedupe(clause: Clause, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
    step: dict[str, Any] = {"do": "dedupe", "keys": [column_named(clause.names[0], columns)]}
    if not clause.said[0]:
        return step
    times = [name for name, one in columns.items() if one.kind == "timestamp"]
    times = times or [name for name, one in columns.items() if one.kind == "date"]
    if len(times) != 1:
        raise ask("column", f"the {clause.said[0]} by which column?", times or list(columns))
    sign = "-" if clause.said[0] in {"latest", "newest", "last"} else ""
    return {**step, "order_by": [sign + times[0]]}


def _aggregate(clause: Clause, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
    by = [column_named(name, columns) for name in clause.names]
    function, name = clause.said
    if function == "count":
        return {"do": "aggregate", "by": by, "values": {"rows": "count(*)"}}
    column = column_named(name, columns)
    value = {"sum": "total", "avg": "average"}.get(function, function)
    return {"do": "aggregate", "by": by, "values": {value: f"{function}({show_name(column)})"}}


_STEPS: Final = {
    "clean": _clean, "filter": _filter, "dedupe": _dedupe, "aggregate": _aggregate, "validate": _validate,
}  # fmt: skip
