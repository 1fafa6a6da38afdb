"""What a spec is refused for: all of it at once, a sentence each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import SpecError

_SHOWN = 30
"""Names listed in a sentence; of more the number is said."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that cannot be.

    path: the place in the spec, as `steps.2 derive.total` or `sink.keys`.
    position: the character of an expression, from 1.
    """

    path: str
    reason: str
    position: int | None = None

    def __str__(self) -> str:
        at = f", position {self.position}" if self.position is not None else ""
        return f"{self.path}{at}: {self.reason}"


class PipelineRefused(SpecError):
    """A spec that cannot be carried out; `refusals` holds all that was found, in the order of the spec."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(map(str, refusals)), refusals=tuple(refusals))

    def __reduce__(self) -> tuple[type[PipelineRefused], tuple[Sequence[Refusal]]]:
        return PipelineRefused, (self.facts["refusals"],)


def instead(given: str, known: Iterable[str]) -> str:
    """What a sentence about an unknown name ends with: the nearest, and those there are.

    Returns "" where none is known, else "; did you mean x? There are x, y" or "; there are x, y".
    """
    names = list(known)
    if not names:
        return ""
    near = difflib.get_close_matches(given.casefold(), [name.casefold() for name in names], n=1)
    nearest = next((name for name in names if near and name.casefold() == near[0]), None)
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
    return f"; did you mean {nearest}? There are {listed}" if nearest else f"; there are {listed}"
