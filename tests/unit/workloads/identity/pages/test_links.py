"""The weakest link is the one at which an entity comes apart, not the pair of fewest bits."""

from __future__ import annotations

from core.workloads.identity.pages.links import Link, weakest_of

A, B, C, D = ((0, name) for name in "abcd")


def link(a: tuple[int, str], b: tuple[int, str], bits: float) -> Link:
    return Link(a, b, bits, 0.9, "names", "")


def test_a_pair_that_stronger_ones_bridge_is_not_the_weakest() -> None:
    found = weakest_of([A, B, C], [link(A, B, 9), link(B, C, 7), link(A, C, 1)])
    assert found.link == link(B, C, 7)
    assert {found.n_a, found.n_b} == {1, 2}


def test_sizes_of_both_sides_are_told() -> None:
    found = weakest_of([A, B, C, D], [link(A, B, 9), link(C, D, 8), link(D, A, 3)])
    assert (found.link, found.n_a, found.n_b) == (link(D, A, 3), 2, 2)


def test_records_that_no_pair_reaches_are_parts_of_their_own() -> None:
    found = weakest_of([A, B, C], [link(A, B, 9)])
    assert (found.link, found.n_parts) == (None, 2)
