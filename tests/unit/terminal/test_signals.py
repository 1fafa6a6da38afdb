from __future__ import annotations

import os
import signal

import pytest

from core.terminal.signals import ENDS, told_to_end


@pytest.mark.parametrize("number", ENDS)
def test_both_signals_call_stop_and_mean_afterwards_what_they_meant_before(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in ENDS]
    stops: list[str] = []
    with told_to_end(lambda: stops.append("stop")):
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
    assert stops == ["stop", "stop"]
    assert [signal.getsignal(each) for each in ENDS] == before


def test_handlers_come_back_after_an_error() -> None:
    before = [signal.getsignal(each) for each in ENDS]
    with pytest.raises(ValueError, match="in the block"), told_to_end(lambda: None):
        raise ValueError("in the block")
    assert [signal.getsignal(each) for each in ENDS] == before
