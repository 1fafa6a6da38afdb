from __future__ import annotations

from dataclasses import replace

import pytest

from core.monitoring.status.advice import suggestions
from core.monitoring.status.figures import Ended, Status
from tests.unit.monitoring.status.status_of import CALM, LATE, host, status_of

BUSY = (host(),)
SHORT = replace(LATE, batch_s=0.02, batch_rows=50, eta_s=(10.0, 20.0))


@pytest.mark.parametrize(
    ("status", "command"),
    [
        (status_of({"a b": replace(LATE, paused=True)}), "headrace queue resume 'a b'"),
        (status_of({"f": replace(CALM, backlog_rows=1)}), "headrace consume --flow f"),
        (status_of({"f": LATE}, hosts=BUSY), "headrace scale run --flow f --max 4"),
        (status_of({"f": LATE}, hosts=(host(load=0.95),)), "headrace consume --flow f"),
        (status_of({"f": replace(LATE, cpu_share=0.1)}, hosts=BUSY), "headrace consume --flow f --processes 8"),
        (status_of({"f": replace(LATE, cpu_share=0.5)}, hosts=BUSY), "headrace scale run --flow f --max 4"),
        (status_of({"f": SHORT}, hosts=BUSY), "export HEADRACE_QUEUE__BATCH_ROWS=2500"),
        (status_of(ended_by_flow={"f": Ended(10, 2, 10, 80.0, 0.1, "Bad")}), "headrace queue dead --flow f"),
    ],
)
def test_suggestion_names_the_command(status: Status, command: str) -> None:
    (one,) = suggestions(status, "PRODUCTION")
    assert one.command == command
    assert one.evidence


def test_nothing_is_suggested_where_all_is_well_or_too_little_is_known() -> None:
    assert suggestions(status_of({"f": CALM}), "PRODUCTION") == []
    assert suggestions(status_of({"f": replace(LATE, attempts=9)}, hosts=BUSY), "PRODUCTION") == []
    assert suggestions(status_of({"f": replace(LATE, eta_s=(3_000.0, None))}, hosts=BUSY), "PRODUCTION") == []


def test_at_most_three_suggestions_one_a_flow_the_most_pressing_first() -> None:
    flows = {"late": LATE, "paused": replace(LATE, paused=True), "more": LATE, "most": LATE}
    failing = {"late": Ended(10, 5, 10, 50.0, 0.1, "Bad")}
    said = suggestions(status_of(flows, hosts=BUSY, ended_by_flow=failing), "PRODUCTION")
    assert [one.flow for one in said] == ["paused", "late", "more"]
    assert "5 of 10 rows failed within 1 h, most of them Bad" in said[1].evidence
