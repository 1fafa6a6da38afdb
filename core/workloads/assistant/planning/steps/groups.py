"""Sums and counts of groups, the first of each, running figures, and rows that repeat a key."""

from __future__ import annotations

import re
from typing import Any, Final

from core.pipelines.expressions.printing import show_name
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.scene import Scene
from core.workloads.assistant.planning.steps.shape import product_of, product_pattern
from core.workloads.assistant.planning.text import MARK

_FUNCTIONS: Final = {
    "sum": "sum", "sums": "sum", "total": "sum", "totals": "sum", "average": "avg", "mean": "avg", "median": "median",
    "maximum": "max", "highest": "max", "largest": "max", "minimum": "min", "lowest": "min", "smallest": "min",
}  # fmt: skip
_FUNCTION: Final = rf"(?:{'|'.join(_FUNCTIONS)})"
_UNITS: Final = "year|quarter|month|week|day"
_ROWS: Final = rf"(?:{MARK}t\d+|rows|records|entries|lines)"
_COUNT: Final = rf"\b(?:count(?:ing)?|(?:the )?number of|how many) (?:the |all )?{_ROWS}"
_PER: Final = r"\b(?:per|by|for each|for every|of each|of every|each) "
_NUMBERS: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
                   "twenty": 20}  # fmt: skip
_N: Final = rf"(\d+|{'|'.join(_NUMBERS)})"
_MOST: Final = "highest|largest|biggest|greatest|most expensive|top"
_LEAST: Final = "lowest|smallest|cheapest|least"
_NEW: Final = "latest|newest|most recent|last"
_OLD: Final = "oldest|earliest|first"
_KEEP: Final = rf"(?:,? (?:and )?(?:keep(?:ing)?|only|just)? ?(?:the )?({_NEW}|{_OLD})(?: one| row| record)?\b)?"
_REPEATS: Final = r"\b(?:drop(?:ping)?|remov(?:e|ing)|throw(?:ing)? out|de-?duplicat(?:e|ing)|discard(?:ing)?) "


def add_groups(scene: Scene) -> None:
    """Whatever is said of several rows together."""
    _dedupe(scene)
    _window(scene)
    if not _ranked_sums(scene):
        _top(scene)
        _aggregate(scene)


def _dedupe(scene: Scene) -> None:
    patterns = (
        rf"{_REPEATS}(?:the )?(?:duplicates?|doubles|doublets|repeats)(?:"
        rf" {_ROWS})?(?: (?:by|on|of|in|with the same))? {{list}}{_KEEP}",
        rf"\b(?:one|a single) (?:row|record|line|entry) (?:per|for each"
        rf"|for every) {{list}}(?: (?:in|of|from) (?:the )?{_ROWS})?{_KEEP}",
        rf"\b(?:only )?the ({_NEW}|{_OLD}) {_ROWS} (?:per|for each|for every|of each|of every) {{list}}",
    )
    for pattern in patterns:
        for found in scene.all_taken(pattern):
            first, last = found[1] or "", found.groups()[-1] or ""
            words, which = (last, first) if re.fullmatch(f"{_NEW}|{_OLD}", first) else (first, last)
            step: dict[str, Any] = {"do": "dedupe", "keys": scene.columns(words)}
            if which:
                sign = "-" if re.fullmatch(_NEW, which) else ""
                step["order_by"] = [sign + scene.latest()]
            scene.add("dedupe", step)


def _window(scene: Scene) -> None:
    name = r"(?:,? ?\(?(?:as |in |column |called )+(?:column )?([a-z_]\w*)\)?)"
    values: dict[str, str] = {}
    head: dict[str, Any] = {}
    patterns = (
        rf"\bnumber(?:ing)? (?:each |every |the )?{{c}} {_ROWS} by {{c}}{name}",
        rf"\bnumber(?:ing)? (?:the )?{_ROWS} (?:per|of each|of every|for each|within each) {{c}} by {{c}}{name}",
        rf"\bnumber(?:ing)? (?:each |every |the )?{_ROWS}() by {{c}}{name}",
    )
    for pattern in patterns:
        if found := scene.take(pattern):
            by = [scene.column(found[1])] if found[1] else []
            head = {"by": by, "order_by": [scene.column(found[2])]}
            values[found[3]] = "row_number()"
            break
    for found in scene.all_taken(
        rf"\b(?:keep |with |add )?(?:an? |the )?running (?:total|sum)(?: of"
        rf" {{c}})?(?: (?:per|for each|of each) {{c}})?(?: by {{c}})?{name}"
    ):
        if found[2] and found[3]:
            head = {"by": [scene.column(found[2])], "order_by": [scene.column(found[3])]}
        column = scene.column(found[1]) if found[1] else scene.sole("decimal", "float")
        if not head or column is None:
            raise ask("column", "the running total of what, in which order?", list(scene.source.columns))
        values[found[4]] = f"sum({show_name(column)})"
    if values:
        scene.add("window", {"do": "window", **head, "values": values})


def _count_of(words: str) -> int:
    return _NUMBERS.get(words) or int(words)


def _ranked_sums(scene: Scene) -> bool:
    """The n of another table with the highest sum: grouped, the first n, with their names."""
    found = scene.take(
        rf"\b(?:the )?(?:top )?{_N} ({MARK}t\d+) (?:by|with) (?:the )?({_MOST}|{_LEAST})? ?({_FUNCTION}) (?:of )?{{c}}"
    )
    if found is None:
        return False
    key, column = scene.column(found[2]), scene.column(found[5])
    function = _FUNCTIONS[found[4]]
    scene.add("aggregate", {"do": "aggregate", "by": [key], "values": {"total": f"{function}({show_name(column)})"}})
    sign = "" if re.fullmatch(_LEAST, found[3] or "") else "-"
    scene.add("top", {"do": "top", "n": _count_of(found[1]), "order_by": [f"{sign}total"]})
    return True


def _top(scene: Scene) -> None:
    patterns = (
        rf"\b(?:the )?{_N} ({_MOST}|{_LEAST}) {_ROWS}(?: (?:per|of each|of"
        rf" every|in each|for each) {{c}})?(?: .{{0,40}}?)??(?: by {{c}})",
        rf"\b(?:the )?(top|first) {_N} {_ROWS}(?: (?:per|of each|of"
        rf" every|in each|for each) {{c}})?(?: by| with the highest) {{c}}",
        rf"\b(?:the )?{_N} {_ROWS}(?: (?:per|of each|of every|in"
        rf" each|for each) {{c}})? with the ({_MOST}|{_LEAST}) {{c}}",
        rf"\b(?:the )?{_N} ({_NEW}|{_OLD}) {_ROWS}(?: (?:per|of each|of every|in each|for each) {{c}})?()",
    )
    for pattern in patterns:
        found = scene.take(pattern)
        if found is None:
            continue
        words = found.groups()
        number = next(one for one in words if one and re.fullmatch(_N, one))
        which = next(
            (one for one in words if one and re.fullmatch(f"{_MOST}|{_LEAST}|{_NEW}|{_OLD}|top|first", one)), ""
        )
        columns = [one for one in words if one and one not in {number, which}]
        timed = re.fullmatch(f"{_NEW}|{_OLD}", which) and pattern.endswith("()")
        order = scene.latest() if timed else scene.column(columns.pop())
        by = [scene.column(one) for one in columns]
        sign = "" if re.fullmatch(f"{_LEAST}|{_OLD}", which) and (timed or which != "first") else "-"
        scene.add(
            "top", {"do": "top", "n": _count_of(number), **({"by": by} if by else {}), "order_by": [sign + order]}
        )


def _groups(scene: Scene) -> list[str]:
    """What sums are by: columns, and months or years of a date."""
    slot = re.sub(r"\((?!\?)", "(?:", scene.slot)
    one = rf"(?:(?:{slot} )?(?:{_UNITS})\b|{slot})"
    found = scene.request.take(rf"{_PER}({one}(?:(?:,| and|, and)(?: by| per)? {one})*)(?: of (?:the )?{MARK}t\d+)?")
    if found is None:
        return []
    by = []
    for part in re.split(r",? and (?:by |per )?|, ?(?:by |per )?", found[1]):
        unit = re.fullmatch(rf"(?:(.*) )?({_UNITS})", part)
        if unit and part not in scene.forms:
            by.append(_period(scene, unit[1] or "", unit[2]))
        else:
            by += scene.columns(part)
    return by


def _period(scene: Scene, words: str, unit: str) -> str:
    inner = re.fullmatch(scene.slot, words) if words else None
    column = scene.column(inner[1]) if inner else scene.moment()
    if unit == "day" and scene.type_of(column).kind == "date":
        return column
    scene.made.append(unit)
    scene.add("derive", {"do": "derive", "columns": {unit: f"date_trunc('{unit}', {show_name(column)})"}})
    return unit


def _aggregate(scene: Scene) -> None:
    values = _figures(scene)
    by = _groups(scene) if values else []
    if values:
        scene.add("aggregate", {"do": "aggregate", "by": by, "values": values})


def _figures(scene: Scene) -> dict[str, str]:
    values: dict[str, str] = {}
    for found in scene.all_taken(
        rf"\b(?:the )?({_FUNCTION}|sum) (?:of |up )?{product_pattern(scene)}(?: (?:of|in) (?:the )?{_ROWS})?"
    ):
        values[_name(values, found[1])] = f"{_FUNCTIONS[found[1]]}({product_of(scene, found[2])})"
    several = (
        rf"\b(?:the )?({_FUNCTION}(?:(?:,| and|, and) {_FUNCTION})*)"
        rf" (?:of )?{{list}}(?: (?:of|in) (?:the |all )?{_ROWS})?"
    )
    for found in scene.all_taken(several):
        for function in re.findall(_FUNCTION, found[1]):
            for column in scene.columns(found[2]):
                values[_name(values, f"{_FUNCTIONS[function]}_{column}")] = (
                    f"{_FUNCTIONS[function]}({show_name(column)})"
                )
    if values:
        for found in scene.all_taken(r"(?<=\|) (?:and )(?:of )?{list}(?= (?:per|by|for each)\b)"):
            function = next(iter(values.values())).partition("(")[0]
            for column in scene.columns(found[1]):
                values[_name(values, f"{function}_{column}")] = f"{function}({show_name(column)})"
    values |= {
        name: text
        for name, text in scene.evidence.figures.items()
        if name not in scene.source.columns and scene.take(rf"\b(?:the )?{re.escape(name)}(?![\w-])")
    }
    if scene.take(_COUNT):
        values["n"] = "count(*)"
    return values


def _name(values: dict[str, str], wanted: str) -> str:
    return wanted if wanted not in values else f"{wanted}_{len(values)}"
