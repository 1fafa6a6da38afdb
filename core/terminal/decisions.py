"""Decisions of an autoscaler as lines, for people or for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.scaling.controller import Tick


def teller(flow: str, *, as_json: bool) -> Callable[[Tick | None], None]:
    """Tells what changed: once that another one acts, and every decision that does something or fails."""
    import json

    said: list[bool] = []

    def say(tick: Tick | None) -> None:
        if tick is None:
            if not said or said[-1]:
                print(f"{flow}: another autoscaler acts, this one stands by", flush=True)
            said[:] = [False]
            return
        said[:] = [True]
        decision, effect = tick.decision, tick.effect
        if effect is not None and not effect.started and not effect.stopped:
            return
        if as_json:
            told = {"flow": flow, "active": tick.fleet.active, "desired": decision.desired, "reason": decision.reason}
            print(json.dumps(told | {"error": tick.error}), flush=True)
        else:
            done = tick.error or f"{tick.fleet.active} -> {decision.desired}"
            print(f"{flow}: {done}: {decision.reason}", flush=True)

    return say
