"""The table of rates, and what the reference page says of it."""

from pathlib import Path

from core.made_records.draws import Draws
from core.made_records.invoices.rates import RANGES, drawn_rates

PAGE = Path(__file__).parents[4] / "docs/reference/made-invoices.md"


def test_drawn_rates_lie_within_their_bounds_and_differ_by_seed() -> None:
    one, other = drawn_rates(Draws(1)), drawn_rates(Draws(2))
    assert all(low <= one[name] <= high for name, (low, high) in RANGES.items())
    assert all(one[name] != other[name] for name in RANGES)


def test_reference_page_has_every_range() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name, (low, high) in RANGES.items() if f"| {name} | {low * 100:g}-{high * 100:g} |" not in page]
    assert not missing
