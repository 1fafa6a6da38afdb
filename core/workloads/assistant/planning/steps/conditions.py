"""Conditions on rows: comparisons, lists, missing values and dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from core.pipelines.expressions.printing import show_constant, show_name
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.scene import Scene
from core.workloads.assistant.planning.steps.dates import dated
from core.workloads.assistant.planning.text import MARK

VALUE: Final = rf"({MARK}v\d+|-?\d+(?:\.\d+)?(?![\w.%:-]))"
_OPERATORS: Final = {
    "over": ">", "above": ">", "more than": ">", "greater than": ">", "larger than": ">", "higher than": ">",
    "bigger than": ">", "longer than": ">", "exceeding": ">", "at least": ">=", "under": "<", "below": "<",
    "less than": "<", "fewer than": "<", "smaller than": "<", "lower than": "<", "shorter than": "<", "at most": "<=",
    "up to": "<=", ">": ">", "<": "<", ">=": ">=", "<=": "<=", "=": "=", "equals": "=", "equal to": "=",
}  # fmt: skip
COMPARED: Final = "|".join(sorted(map(re.escape, _OPERATORS), key=len, reverse=True))
_OPPOSITE: Final = {"=": "<>", "<>": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}
_LEAD: Final = r"(?:\b(?:with|whose|where|which|that|who|having|have|has|when|if|in|of) )?"
_IS: Final = r"(?:is |are |was |were )?"
_COUNTS: Final = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10}


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression and its contrary. column: the one that it is about."""

    column: str
    expression: str
    contrary: str


def operator_of(words: str) -> str:
    """The sign of a comparison in words."""
    return _OPERATORS[words]


def conditions_of(scene: Scene) -> list[Condition]:
    """Take out every condition that is understood, whatever it is for."""
    found: list[Condition] = []
    for pattern, made in _PATTERNS:
        found += [one for taken in scene.all_taken(pattern) for one in made(scene, taken)]
    return [*found, *(Condition(*one) for one in dated(scene)), *_spelled(scene)]


def _compare(scene: Scene, words: str, operator: str, value: str) -> Iterator[Condition]:
    name = scene.column(words)
    shown = show_name(name)
    yield Condition(name, f"{shown} {operator} {value}", f"{shown} {_OPPOSITE[operator]} {value}")


def _constant(scene: Scene, written: str) -> str:
    value = scene.request.value(written)
    return written if value is None else show_constant(value)


def _missing(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    for name in scene.columns(found[1]):
        shown = show_name(name)
        yield Condition(name, f"{shown} is null", f"{shown} is not null")


def _present(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    for one in _missing(scene, found):
        yield Condition(one.column, one.contrary, one.expression)


def _signed(operator: str) -> Callable[[Scene, re.Match[str]], Iterator[Condition]]:
    return lambda scene, found: _compare(scene, found[1], operator, "0")


def _between(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    name = scene.column(found[1])
    low, high = _constant(scene, found[2]), _constant(scene, found[3])
    text = f"between {low} and {high}"
    yield Condition(name, f"{show_name(name)} {text}", f"{show_name(name)} not {text}")


def _listed(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    name = show_name(scene.column(found[1]))
    values = ", ".join(_constant(scene, one) for one in re.findall(VALUE, found[3]))
    one, other = f"{name} in ({values})", f"{name} not in ({values})"
    yield Condition(scene.column(found[1]), *((other, one) if found[2] else (one, other)))


def _valued(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    yield from _compare(scene, found[1], "<>" if found[2] else "=", _constant(scene, found[3]))


def _sized(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    yield from _compare(scene, found[1], operator_of(found[2]), _constant(scene, found[3]))


def _sized_before(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    yield from _compare(scene, found[3], operator_of(found[1]), found[2])


def _digits(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    name, count = scene.column(found[1]), _COUNTS.get(found[3]) or int(found[3])
    good = f"regexp_like({show_name(name)}, '^[0-9]{{{count}}}$')"
    yield Condition(name, *((f"not {good}", good) if found[2] else (good, f"not {good}")))


def _flagged(scene: Scene, found: re.Match[str]) -> Iterator[Condition]:
    name = scene.column(found[1])
    if scene.type_of(name).kind != "bool":
        raise ask("value", f"{name} is not true or false; say what is meant of it")
    yes, no = show_name(name), f"not {show_name(name)}"
    yield Condition(name, *((no, yes) if found[2] in {"false", "no"} else (yes, no)))


_Made = Callable[[Scene, re.Match[str]], Iterator[Condition]]
_PATTERNS: Final[tuple[tuple[str, _Made], ...]] = (
    (rf"{_LEAD}{{c}} {_IS}between {VALUE} and {VALUE}", _between),
    (rf"{_LEAD}{{c}} {_IS}(not )?(?:in |one of |either )?(\(?{VALUE}(?:, ?{VALUE})*,? or {VALUE}\)?)", _listed),
    (rf"{_LEAD}{{c}} {_IS}(not )?(?:in |one of |either )(\({VALUE}(?:, ?{VALUE})*\))", _listed),
    (rf"{_LEAD}{{c}} {_IS}(not )?(?:exactly )?({'|'.join(_COUNTS)}|\d\d?) digits(?: long)?", _digits),
    (rf"{_LEAD}{{c}} {_IS}({COMPARED}) {VALUE}", _sized),
    (rf"{_LEAD}({COMPARED}) (-?\d+(?:\.\d+)?) {{c}}", _sized_before),
    (rf"{_LEAD}{{c}} {_IS}(not )?{VALUE}", _valued),
    (rf"{_LEAD}{{list}} (?:(?:is|are) )?(?:not (?:missing|empty|null"
     rf"|blank)|present|filled|known|never (?:empty|missing|null))\b",
     _present),
    (rf"{_LEAD}{{list}} (?:is|are) (?:missing|empty|null|blank|unknown|not set|absent)\b", _missing),
    (r"\b(?:with )?(?:missing|empty|null) {list}", _missing),
    (r"(?:(?<=\d )|^\s*|\bor )(?:without|with no|lacking|missing|has no|have no) {list}", _missing),
    (rf"{_LEAD}{{c}} (?:is|are) negative\b", _signed("<")),
    (r"\b(?:with )?(?:an? )?negative {c}", _signed("<")),
    (r"\b(?:with )?(?:an? )?positive {c}", _signed(">")),
    (rf"{_LEAD}{{c}} (?:is|are|=) (true|yes|false|no)\b", _flagged),
)  # fmt: skip


def _spelled(scene: Scene) -> Iterator[Condition]:
    """A value without quotes behind its column, as `with state open` has it."""
    pattern = (
        rf"\b(?:with|whose|where|of|in|having) {scene.slot} (?:is |are |="
        rf" ?)?(not )?([a-z][\w-]*)(?= *(?:$|[|,;.?]|\b(?:and|or|into|to|from)\b))"
    )
    while found := re.search(pattern, scene.request.text):
        name = scene.column(found[1])
        if scene.type_of(name).kind != "text" or found[3] in scene.forms:
            return
        scene.request.take(pattern)
        yield from _compare(
            scene, found[1], "<>" if found[2] else "=", show_constant(scene.request.cased.get(found[3], found[3]))
        )


def known_values(scene: Scene) -> list[Condition]:
    """Words before the source that approved pipelines, or the parameters of an endpoint, show to be values."""
    found = []
    for word in re.findall(r"[a-z][\w-]*", scene.request.text):
        if word in scene.evidence.values:
            column, value = scene.evidence.values[word]
            name = show_name(column)
            found.append(Condition(column, f"{name} = {show_constant(value)}", f"{name} <> {show_constant(value)}"))
            scene.request.take(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return found
