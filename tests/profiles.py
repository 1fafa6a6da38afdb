"""How much of what is repetition a run does: `quick` (make test) or `long` (make test-long), one switch for all of it.

It is the profile of hypothesis, `pytest --hypothesis-profile=long`.
"""

from __future__ import annotations

from hypothesis import settings

QUICK, LONG = "quick", "long"
# A busy machine may take longer over an example, and the first call of a kernel compiles it: no duration is claimed.
settings.register_profile(QUICK, max_examples=25, deadline=None)
settings.register_profile(LONG, max_examples=400, deadline=None)


def begin() -> None:
    """Quick, unless pytest is told otherwise afterwards."""
    settings.load_profile(QUICK)


def is_long() -> bool:
    """Whether this run does all of it. Known once tests are collected."""
    return settings.get_current_profile_name() == LONG


def scaled(share: float) -> int:
    """So much of the profile's number of examples, for tests whose examples cost more or less than others'."""
    return max(1, round(settings().max_examples * share))
