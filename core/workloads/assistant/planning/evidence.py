"""What approved pipelines show of a source: which column a word is a value of, and what a figure is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import HeadraceError
from core.pipelines.expressions import syntax
from core.pipelines.expressions.parsing import parse
from core.workloads.assistant.planning.places import Known, Place


@dataclass(frozen=True, slots=True)
class Evidence:
    """values: column by value in small letters. figures: expression by name of a column that is summed."""

    values: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)


def evidence_of(known: Known, place: Place) -> Evidence:
    """From the pipelines that read a place, or columns of the same names."""
    values: dict[str, tuple[str, str]] = {}
    figures: dict[str, str] = {}
    read: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
        (next(iter(spec.get("sources", {}).values()), {}), step)
        for spec in known.specs.values()
        for step in spec.get("steps", ())
    ]
    for first, step in read:
        shown = constants_of(str(step.get("where", "")))
        values |= {value.lower(): (column, value) for column, value in shown if column in place.columns}
        if step.get("do") == "aggregate" and _reads(first, place):
            figures |= {str(name): str(text) for name, text in step["values"].items()}
    return Evidence(values, figures)


def figures_of(known: Known) -> frozenset[str]:
    """What approved pipelines call their sums and counts."""
    steps = [step for spec in known.specs.values() for step in spec.get("steps", ())]
    return frozenset(str(name) for step in steps if step.get("do") == "aggregate" for name in step["values"])


def _reads(source: Mapping[str, Any], place: Place) -> bool:
    return place.name in {source.get("table"), source.get("path")}


def constants_of(where: str) -> Iterator[tuple[str, str]]:
    """Columns with the texts that a condition compares them with; none of one that cannot be read."""
    try:
        nodes = syntax.walk(parse(where)) if where else []
    except HeadraceError:
        return
    for node in nodes:
        if isinstance(node, syntax.Comparison) and isinstance(node.left, syntax.Column):
            choices: tuple[syntax.Expression, ...] = (node.right,)
        elif isinstance(node, syntax.In) and isinstance(node.operand, syntax.Column):
            choices = node.choices
        else:
            continue
        column = node.left.name if isinstance(node, syntax.Comparison) else node.operand.name  # type: ignore[union-attr]
        yield from (
            (column, one.value) for one in choices if isinstance(one, syntax.Constant) and isinstance(one.value, str)
        )
