"""A pair as a page shows it: two records side by side, and why the run thinks what it thinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from core.charts import weight_bar
from core.linkage.history.kept_apart import KEPT_APART, in_words
from core.pages.accounts.roles import Person
from core.pages.differences import Piece, pieces
from core.pages.masking import Personal
from core.review.items import Item
from core.workloads.identity.reviewing.shown_records import Values

Kind = Literal["agree", "alike", "differ", "missing"]
_KINDS: Mapping[str, Kind] = {"exact": "agree", "differ": "differ", "missing": "missing"}
_WORDS: Mapping[Kind, str] = {"agree": "agree", "differ": "differ", "missing": "", "alike": ""}


@dataclass(frozen=True, slots=True)
class Line:
    """A field of both records. `said`: how the run compared them, in words."""

    field: str
    a: Sequence[Piece]
    b: Sequence[Piece]
    kind: Kind
    said: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a field adds to the weight, in bits, with its bar."""

    name: str
    said: str
    bits: float
    bar: str


@dataclass(frozen=True, slots=True)
class Case:
    """`steps`: None in a blind second look, where neither weight nor verdict is shown. `key`: of a form's one request.
    `notice`: why it is asked again."""

    item: Item
    lines: Sequence[Line]
    steps: Sequence[Step] | None
    bits: float
    answer: str
    notice: str
    key: str


def case_of(item: Item, records: Mapping[str, Values], person: Person) -> Case:
    """The pair for somebody who may see values or not.

    Args:
        records: of the item's subject, as far as they are kept.
    """
    a, b = (records.get(record_id, {}) for record_id in item.subject)
    levels = {each["field"]: each["level"] for each in item.facts.get("fields", ())}
    lines = [_line(field, a.get(field), b.get(field), levels.get(field), person) for field in dict.fromkeys((*a, *b))]
    blind = item.state == "second"
    return Case(
        item=item,
        lines=lines,
        steps=None if blind else _steps(item.facts),
        bits=item.facts.get("bits_milli", 0) / 1_000,
        answer="" if blind else _answer(item.facts),
        notice=_notice(item),
        key=uuid4().hex,
    )


def _line(field: str, a: str | None, b: str | None, level: str | None, person: Person) -> Line:
    shown = [Personal(value or "").shown_to(person) for value in (a, b)]
    known = person.may("reviewer") and shown[0] and shown[1]
    sides = pieces(*shown) if known else ([Piece(shown[0], False)], [Piece(shown[1], False)])
    kind = _kind(a, b, level)
    return Line(field, *sides, kind, _said(kind, level))


def _kind(a: str | None, b: str | None, level: str | None) -> Kind:
    if not a or not b:
        return "missing"
    if level is None:
        return "agree" if a.casefold() == b.casefold() else "differ"
    return _KINDS.get(level, "alike")


def _said(kind: Kind, level: str | None) -> str:
    return str(level).replace("_", " ") if kind == "alike" else _WORDS[kind]


def _steps(facts: Mapping[str, Any]) -> list[Step]:
    """Fields that say anything, the strongest first, and what makes them add up to the whole."""
    weighed = [
        (each["field"], each["level"].replace("_", " "), each["bits_milli"] / 1_000)
        for each in facts.get("fields", ())
        if each["bits_milli"]
    ]
    weighed.sort(key=lambda step: -abs(step[2]))
    rest = facts.get("bits_milli", 0) / 1_000 - sum(bits for _, _, bits in weighed)
    weighed.append(("the rest", "how rare matches and values are; other readings, such as one household", rest))
    most = max(abs(bits) for _, _, bits in weighed)
    return [Step(name, said, bits, weight_bar(bits, most)) for name, said, bits in weighed]


def _answer(facts: Mapping[str, Any]) -> str:
    """What the run did with the two, and what kept them apart."""
    why = in_words(*(facts.get(name) for name in KEPT_APART))
    found = "The run has them in one entity" if facts.get("joined") else "The run has them in two entities"
    return f"{found}: {why}." if why else f"{found}."


def _notice(item: Item) -> str:
    if item.state == "second" or item.returned is None:
        return ""
    by = f"{item.decided_by} said {item.verdict}" if item.verdict else "a verdict was taken back"
    return {
        "values": f"Asked again: {by} when the records had other values.",
        "disagreement": f"Asked again: {by}, and a second look said otherwise.",
        "undone": "Asked again: the verdict was taken back.",
    }[item.returned]
