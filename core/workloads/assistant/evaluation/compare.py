"""Whether two answers mean the same, whatever their names, order of words and defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import HeadraceError
from core.pipelines.expressions.parsing import parse
from core.pipelines.expressions.printing import show
from core.pipelines.expressions.syntax import Both, flat
from core.pipelines.language.reading import spec_of

_FREE = ("map", "expect", "separator", "decimal", "encoding", "sheet", "records")


def same_answer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects with one of the six kinds say the same."""
    kind = kind_of(one)
    if kind != kind_of(other):
        return False
    mine, theirs = one[kind], other[kind]
    if kind == "pipeline":
        return canonical(mine) == canonical(theirs)
    if kind == "query":
        return bool(_reads(mine) == _reads(theirs))
    if kind in {"ask", "refuse"}:
        word = "about" if kind == "ask" else "why"
        return bool(mine[word] == theirs[word])
    return bool(mine == theirs)


def kind_of(answer: Mapping[str, Any]) -> str:
    """Which of the six it is; "" for none."""
    kinds = ("pipeline", "change", "run", "query", "ask", "refuse")
    return next((kind for kind in kinds if kind in answer), "")


def canonical(given: Mapping[str, Any]) -> str:
    """A spec without its free names, defaults and spellings of expressions, as JSON."""
    try:
        spec = spec_of({**given, "pipeline": "x"})
    except HeadraceError:
        return json.dumps(given, sort_keys=True, default=str)
    said = spec.model_dump(by_alias=True, exclude_defaults=True, exclude_none=True, mode="json")
    names = {name: f"s{number}" for number, name in enumerate(said["sources"])}
    said["sources"] = {names[name]: _cut(source) for name, source in said["sources"].items()}
    said["steps"] = _joined([_step(step, names) for step in said.get("steps", [])])
    return json.dumps(said, sort_keys=True)


def _cut(given: Mapping[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in given.items() if word not in _FREE}


def _step(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    step = _cut(given)
    if isinstance(other := step.get("with"), str):
        step["with"] = names.get(other, other)
    elif other is not None:
        step["with"] = sorted(names.get(one, one) for one in other)
    if "where" in step:
        step["where"] = _conditions(step["where"])
    if "rules" in step:
        step["rules"] = sorted(_printed(rule) for rule in step["rules"].values())
    if step["do"] in {"derive", "aggregate", "window"}:
        word = "columns" if step["do"] == "derive" else "values"
        if step["do"] == "aggregate":
            # Names of what is summed are free where the words give none.
            step[word] = sorted(_printed(text) for text in step[word].values())
        else:
            step[word] = {name: _printed(text) for name, text in step[word].items()}
    return step


def _joined(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring filters as one."""
    found: list[dict[str, Any]] = []
    for step in steps:
        if step["do"] == "filter" and found and found[-1]["do"] == "filter" and "from" not in step:
            found[-1] = {**found[-1], "where": sorted({*found[-1]["where"], *step["where"]})}
        else:
            found.append(step)
    return found


def _conditions(text: str) -> list[str]:
    """What must all be true, each printed, in one order."""
    try:
        node = parse(text)
    except HeadraceError:
        return [text]
    return sorted({show(one) for one in (flat(node) if isinstance(node, Both) else (node,))})


def _printed(text: str) -> str:
    try:
        return show(parse(text))
    except HeadraceError:
        return text


def _reads(query: Mapping[str, Any]) -> dict[str, list[str]]:
    return {table: sorted(columns) for table, columns in query["reads"].items()}
