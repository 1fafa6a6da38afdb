"""A deployment that loses its schedule keeps the pause that somebody has put on it."""

from __future__ import annotations

from typing import Any

import pytest

from flows.server.objects import _rests


class Held:
    """Of a deployment on the server, what pauses it."""

    def __init__(self, *active: bool, paused: bool = False) -> None:
        self.schedules = [type("Schedule", (), {"active": each, "slug": "headrace-1"}) for each in active]
        self.paused = paused


@pytest.mark.parametrize(
    ("held", "scheduled", "rests"),
    [
        (None, None, False),
        (Held(True), None, False),
        (Held(False), None, True),
        (Held(), None, False),
        (Held(paused=True), None, True),
        (Held(paused=True), True, False),
        (None, False, True),
    ],
)
def test_rests_as_it_was_held(held: Any, scheduled: bool | None, rests: bool) -> None:
    assert _rests(held, scheduled, "maintenance/local") is rests
