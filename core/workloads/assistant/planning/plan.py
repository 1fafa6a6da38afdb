"""From a request to an answer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from core.errors import HeadraceError
from core.pipelines.flow.checking import check
from core.pipelines.language.reading import spec_of
from core.workloads.assistant.planning.answers import Answer, Settled, ask, refuse
from core.workloads.assistant.planning.guards import require_readable, require_safe
from core.workloads.assistant.planning.loads import load_of
from core.workloads.assistant.planning.places import Known
from core.workloads.assistant.planning.runs import of_pipeline
from core.workloads.assistant.planning.text import Request, read

_PLANNED: Final = (
    "write it to a file; `headrace pipeline check FILE` checks it and `headrace pipeline approve FILE` puts it in force"
)


def plan(text: str, known: Known, now: datetime) -> Answer:
    """One answer to a request; what it cannot read whole it asks about.

    Args:
        now: in UTC; relative days of runs are counted from it.
    Cost: some ms, by the size of the catalog. Nothing is read, nothing is changed.
    """
    try:
        return _planned(text, known, now)
    except Settled as early:
        return early.answer


def _planned(text: str, known: Known, now: datetime) -> Answer:
    require_readable(text)
    request = read(text, known)
    # Twice: names are no words ("drop_log" drops nothing), and an address that a mask cut is still one.
    require_safe(request.text)
    _require_allowed(request)
    if len(request.pipelines) == 1 and not request.places and not request.names:
        return of_pipeline(request, now)
    spec = load_of(request, known)
    name = re.sub(r"\W+", "_", str(spec["sink"].get("table") or spec["sink"]["file"])).strip("_").lower()[:63]
    return _checked({"pipeline": name, **spec}, known)


def _require_allowed(request: Request) -> None:
    for place in request.places:
        if place.relation.denied:
            raise refuse("forbidden", f"{place.id} may not be read or written")


def _checked(spec: dict[str, Any], known: Known) -> Answer:
    try:
        check(spec_of(spec), known.catalog)
    except HeadraceError as error:
        first = str(error).partition("\n")[0]
        raise ask("value", f"it cannot be carried out as understood: {first}") from None
    return Answer("pipeline", spec, _PLANNED)
