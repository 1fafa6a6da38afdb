"""Rows that are set aside or left out, and rules that stop a run."""

from __future__ import annotations

import re
from typing import Final

from core.pipelines.expressions.printing import show_name
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.scene import Scene
from core.workloads.assistant.planning.steps.conditions import Condition, conditions_of

_FAILS: Final = {
    "reject": "dead", "quarantine": "dead", "set aside": "dead", "put aside": "dead", "skip": "drop",
    "discard": "drop", "throw away": "drop", "ignore": "drop", "warn": "warn", "flag": "warn", "alert": "warn",
    "stop": "stop", "fail": "stop", "abort": "stop", "halt": "stop",
}  # fmt: skip
_ROWS: Final = r"(?:(?:any|all|those|the) )?(?:rows|lines|records|entries)"
_HEAD: Final = rf"\b({'|'.join(_FAILS)})(?:ing)? (?:(?:{_ROWS} )?(?:when|if|on|about)|{_ROWS})\b"
_END: Final = rf"$|[|;.]|\b(?:but|then)\b|,? and (?={'|'.join(_FAILS)})"
_GLUE: Final = frozenset("or and a an the , with whose where there is are if when that which any".split())


def add_rules(scene: Scene) -> None:
    """Rules of each row, and of all together, as they are said after reject, skip, warn, stop."""
    while found := re.search(_HEAD, scene.request.text):
        text = scene.request.text
        end = re.search(_END, text[found.end() :])
        stop = found.end() + (end.start() if end else 0)
        whole = scene.request
        part = whole.part(text[found.end() : stop])
        whole.text = f"{text[: found.start()]} | {text[stop:]}"
        scene.request = part
        fails = _FAILS[found[1]]
        checks = _checks(scene) if fails in {"stop", "warn"} else []
        rows = conditions_of(scene)
        left = [word for word in re.findall(r"[^\s|]+", scene.request.text) if word not in _GLUE]
        scene.request = whole
        if left or not (rows or checks):
            raise ask("value", f"which rows are meant is not understood: {' '.join(left)[:80]}")
        comes_first = scene.take(r"\b(?:otherwise|else)\b") is not None
        _added(scene, fails, rows, checks)
        if comes_first:
            scene.steps["first"] = scene.steps.pop("check", [])


def _added(scene: Scene, fails: str, rows: list[Condition], checks: list[tuple[str, str]]) -> None:
    if rows:
        rules = {f"{one.column}_{number}" if number else one.column: one.contrary for number, one in enumerate(rows)}
        scene.add("validate", {"do": "validate", "rules": rules, "on_fail": fails})
    if checks:
        scene.add("check", {"do": "check", "rules": dict(checks), "on_fail": fails})


def _checks(scene: Scene) -> list[tuple[str, str]]:
    """Rules over all rows: how many, how often, how old."""
    what = r"(?:rows|lines|records|entries|§t\d+)"
    found = []
    if taken := scene.take(rf"\b(fewer|less) than (\d+) {what}(?: (?:arrive|come|are there|are read))?"):
        found.append(("enough", f"count(*) >= {taken[2]}"))
    if taken := scene.take(rf"\bmore than (\d+) {what}(?: (?:arrive|come|are there|are read))?"):
        found.append(("few", f"count(*) <= {taken[1]}"))
    if taken := scene.take(r"{c} (?:appears|occurs|is there|stands|comes) (?:twice|more than once|several times)"):
        found.append(("unique", f"count(*) = count(distinct {show_name(scene.column(taken[1]))})"))
    if taken := scene.take(r"\b(?:duplicate|repeated) {c}"):
        found.append(("unique", f"count(*) = count(distinct {show_name(scene.column(taken[1]))})"))
    span = r"(?:older than (?:an?|one|(\d+)) (hour|day|week)s?)"
    if taken := scene.take(rf"\b(?:the )?(?:newest|latest|last) {what}(?: in §t\d+)? is {span}"):
        number, unit = int(taken[1] or 1), taken[2]
        number, unit = (number * 7, "day") if unit == "week" else (number, unit)
        name = show_name(scene.latest())
        found.append(("fresh", f"max({name}) >= run_time() - interval '{number} {unit}{'s' * (number > 1)}'"))
    return found
