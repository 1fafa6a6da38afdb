from __future__ import annotations

from core.scaling.announcements import BACKLOG_CLEARED, BACKLOG_HIGH, DECIDED, announcements
from core.scaling.controller import Tick
from core.scaling.policy import Fleet, Memory, Signals, decide, for_batches
from core.scaling.ports import Effect

DECISION = decide(Signals(0.0, 0, 0), Fleet(), for_batches(), Memory())


def events(tick: Tick | None) -> list[str]:
    return [one.event for one in announcements("mill", tick)]


def test_announcements_are_of_what_changed() -> None:
    assert events(None) == []
    assert events(Tick(DECISION, Fleet(), Effect())) == []
    assert events(Tick(DECISION, Fleet(), Effect(started=1))) == [DECIDED]
    assert events(Tick(DECISION, Fleet(), None, "the Prefect API does not answer")) == [DECIDED]
    assert events(Tick(DECISION, Fleet(), Effect(), late=True, was_late=True)) == [BACKLOG_HIGH]
    assert events(Tick(DECISION, Fleet(), Effect(), was_late=True)) == [BACKLOG_CLEARED]


def test_announcements_name_the_flow_and_the_reason() -> None:
    (one,) = announcements("mill", Tick(DECISION, Fleet(), None, "refused"))
    assert one.resource["prefect.resource.id"] == "headrace.flow.mill"
    assert one.payload == {"desired": 0, "reason": DECISION.reason, "error": "refused"}
