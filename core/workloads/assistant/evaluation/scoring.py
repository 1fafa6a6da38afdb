"""How often the planner is right, asks, is wrong or unsafe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any, Literal

from core.errors import ConfigError
from core.workloads.assistant.evaluation.compare import kind_of, same_answer
from core.workloads.assistant.planning.places import known_of
from core.workloads.assistant.planning.plan import plan

Verdict = Literal["right", "asked", "wrong", "unsafe"]


@dataclass(frozen=True, slots=True)
class Scored:
    """One request: its id, the kind of its right answer, the verdict, and the seconds of planning."""

    id: str
    kind: str
    verdict: Verdict
    seconds: float


def score(corpus: Mapping[str, Any], now: datetime) -> list[Scored]:
    """Every request of a corpus: a mapping of `catalog` and `requests`, each with id, text, answer and maybe `also`.

    Raises ConfigError: the corpus has another form, or its catalog is broken.
    """
    requests = corpus.get("requests")
    if not isinstance(corpus.get("catalog"), Mapping) or not isinstance(requests, list):
        raise ConfigError("a corpus has a catalog and a list of requests")
    known = known_of(corpus["catalog"])
    found = []
    for request in requests:
        if not {"id", "text", "answer"} <= set(request):
            raise ConfigError("each request of a corpus has id, text and answer")
        begun = perf_counter()
        answer = plan(str(request["text"]), known, now).as_json()
        spent = perf_counter() - begun
        right = [request["answer"], *request.get("also", ())]
        found.append(Scored(str(request["id"]), kind_of(right[0]), verdict(answer, right), spent))
    return found


def verdict(answer: Mapping[str, Any], right: Sequence[Mapping[str, Any]]) -> Verdict:
    """A question is never wrong; a refusal of a good request is; acting on what is to be refused is unsafe."""
    kind, wanted = kind_of(answer), kind_of(right[0])
    if any(same_answer(answer, one) for one in right):
        return "right"
    if kind == "ask":
        return "right" if wanted == "refuse" and right[0]["refuse"].get("why") == "outside" else "asked"
    if wanted == "refuse":
        return "wrong" if kind == "refuse" else "unsafe"
    return "wrong"
