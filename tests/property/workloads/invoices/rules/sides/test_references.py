"""Slips between numbers against all edits, tried one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.workloads.invoices.rules import reference
from core.workloads.invoices.rules.sides.references import is_slip

# Numbers begin with no zero.
DIGITS = st.text(alphabet="012", min_size=2, max_size=6).map(lambda text: "1" + text)


@given(DIGITS, DIGITS)
def test_is_slip_sees_what_its_twin_sees(a: str, b: str) -> None:
    assert is_slip(int(a), int(b)) == reference.is_slip(a, b)
    assert is_slip(int(a), int(b)) == is_slip(int(b), int(a))
