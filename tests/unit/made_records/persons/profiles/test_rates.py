"""Rates of the profiles: drawn between their bounds, and as the docs say."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.made_records.persons.profiles import PLAIN, PROFILES
from core.made_records.persons.profiles.customs import CUSTOMS
from core.made_records.persons.profiles.rates import MIXES, RANGES, drawn_rates

PAGE = Path(__file__).parents[5] / "docs/reference/made-persons.md"


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_drawn_rates_lie_between_their_bounds_and_follow_the_seed(profile: str) -> None:
    seeds = [drawn_rates(profile, seed) for seed in range(40)]
    for name, (low, high) in RANGES[profile].items():
        found = [rates[name] for rates in seeds]
        assert low <= min(found) <= max(found) <= high, name
        assert max(found) - min(found) >= (high - low) * 0.7, name
    assert drawn_rates(profile, 3) == seeds[3]
    assert len(MIXES[profile]) == len(CUSTOMS)
    assert drawn_rates(PLAIN, 3) == {}


def percent(bounds: tuple[float, float]) -> str:
    return "-".join(f"{bound * 100:g}" for bound in bounds)


def test_reference_page_has_the_rates_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in RANGES["families"]:
        line = f"| {name} | " + " | ".join(percent(RANGES[profile][name]) for profile in PROFILES[1:]) + " |"
        assert line in text, f"docs/reference/made-persons.md lacks: {line}"
    for number, custom in enumerate(CUSTOMS):
        line = f"| {custom} | " + " | ".join(f"{MIXES[profile][number]:g}" for profile in PROFILES[1:]) + " |"
        assert line in text, f"docs/reference/made-persons.md lacks: {line}"
