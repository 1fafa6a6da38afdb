"""What is asked of a pipeline that there is: run it, fill a time, pause it, change when it runs."""

from __future__ import annotations

import re
from calendar import month_name
from datetime import date, datetime, timedelta
from typing import Final

from core.workloads.assistant.planning.answers import Answer, ask
from core.workloads.assistant.planning.schedules import schedule_of
from core.workloads.assistant.planning.text import MARK, Request

_DOES: Final = (
    ("redrive", r"\b(?:redrive|another try|try again|retry|reprocess)\b"),
    ("dry_run", r"\b(?:dry[ -]?run|try(?: out)?|test)\b"),
    ("backfill", r"\b(?:backfill|back-fill|fill in)\b"),
    ("pause", r"\b(?:pause|suspend|hold)\b"),
    ("resume", r"\b(?:resume|unpause|continue)\b"),
    ("run", r"\b(?:run|start|trigger|execute)\b"),
)
_COMMANDS: Final = frozenset({"run", "pause", "resume"})
_FILLER: Final = (
    r"\b(?:please|the|of|now|once|again|for|a|an|give|pipeline|rejected|dead|bad|rows|records|its|to|in|instead|from|"
    r"change|schedule|it|run|make|let|set)\b|[|,.!?]"
)
_MONTHS: Final = "|".join(name.lower() for name in month_name[1:])
_DAY: Final = r"(\d{4}-\d\d-\d\d)"


def of_pipeline(request: Request, now: datetime) -> Answer:
    """Settle a request that names one pipeline of the catalog and no place."""
    name = request.pipelines[0]
    request.take(rf"{MARK}p0")
    request.take(r"\bfrom now on\b")
    schedule = schedule_of(request)
    if schedule is not None:
        _require_nothing_left(request)
        body = {"pipeline": name, "set": {"schedule": schedule}}
        return Answer("change", body, f"{name} would run by another schedule; plan it with `headrace pipeline check`")
    for do, pattern in _DOES:
        if request.take(pattern):
            window = _window(request, now) if do == "backfill" else {}
            _require_nothing_left(request)
            return Answer("run", {"pipeline": name, "do": do, **window}, _says(do, name))
    raise ask("value", f"what of {name} is meant is not understood: run, backfill, pause, resume, or another schedule?")


def _says(do: str, name: str) -> str:
    if do in _COMMANDS:
        return f"`headrace pipeline {do} {name}` does it"
    return f"{do.replace('_', ' ')} of {name} is understood; there is no command for it yet"


def _require_nothing_left(request: Request) -> None:
    left = re.sub(_FILLER, " ", request.text).split()
    if left:
        raise ask("value", f"not understood: {' '.join(left)[:80]}; say it in other words")


def _window(request: Request, now: datetime) -> dict[str, str]:
    """from, to: half-open days."""
    if found := request.take(rf"\b(?:from|between)?\s*{_DAY} (?:to|until|and) {_DAY}\b"):
        return {"from": found[1], "to": found[2]}
    if found := request.take(rf"\b({_MONTHS}) (\d{{4}})\b"):
        month = [name.lower() for name in month_name].index(found[1])
        return _month(int(found[2]), month)
    if request.take(r"\blast month\b"):
        before = now.date().replace(day=1) - timedelta(days=1)
        return _month(before.year, before.month)
    if found := request.take(r"\b(?:the )?last (\d{1,4}) days\b"):
        return {"from": (now.date() - timedelta(days=int(found[1]))).isoformat(), "to": now.date().isoformat()}
    if request.take(r"\byesterday\b"):
        return {"from": (now.date() - timedelta(days=1)).isoformat(), "to": now.date().isoformat()}
    raise ask("value", "which days are to be filled? Say from when to when, as 2026-03-01 to 2026-04-01")


def _month(year: int, month: int) -> dict[str, str]:
    first = date(year, month, 1)
    after = (first + timedelta(days=32)).replace(day=1)
    return {"from": first.isoformat(), "to": after.isoformat()}
