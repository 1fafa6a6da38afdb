import numpy as np
import pytest

from core.matching.quality.capture_recapture import pass_yields, true_pairs_not_made

# Five parts, each of a field of its own but the last two; three passes that share parts.
GROUPS = [[0], [1], [2], [3, 4]]
NEEDED = np.array([0b00011, 0b00101, 0b01010], dtype=np.uint64)


def pairs_of(shares: list[float], n: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed).random((n, 4)) < shares
    bits = (draw * np.array([1, 2, 4, 8])).sum(axis=1)
    # The last part is a coarser one of the same field.
    return (bits + 16 * (draw[:, 3] | (np.random.default_rng(seed + 1).random(n) < 0.5))).astype(np.uint64)


def made(alike: np.ndarray) -> np.ndarray:
    return ((alike[:, None] & NEEDED) == NEEDED).any(axis=1)


def test_pass_yields_count_what_passes_made_and_made_alone() -> None:
    bits = np.array([0b01] * 3 + [0b10] * 2 + [0b11] * 4, dtype=np.uint32)
    assert [(each.name, each.n_edges, each.n_only) for each in pass_yields(bits, ["one", "two"])] == [
        ("one", 7, 3),
        ("two", 6, 2),
    ]
    assert [each.n_edges for each in pass_yields(bits[:0], ["one", "two"])] == [0, 0]


def test_passes_that_share_parts_are_not_taken_for_independent_ones() -> None:
    alike = pairs_of([0.8, 0.7, 0.6, 0.7], 40_000, 3)
    there = made(alike)
    missed = int((~there).sum())
    found = true_pairs_not_made(alike[there], np.ones(int(there.sum())), NEEDED, GROUPS)
    assert missed > 5_000
    assert found == pytest.approx(missed, rel=0.15)


def test_pairs_count_by_the_probability_that_they_are_true() -> None:
    alike = pairs_of([0.8, 0.7, 0.6, 0.7], 20_000, 5)
    alike = alike[made(alike)]
    whole = true_pairs_not_made(alike, np.ones(len(alike)), NEEDED, GROUPS)
    half = true_pairs_not_made(alike, np.full(len(alike), 0.5), NEEDED, GROUPS)
    assert half == pytest.approx(whole / 2, rel=0.02)


def test_badly_kept_records_are_a_kind_of_their_own() -> None:
    """Six fields, passes of two each: what errs together is told from how often it does."""
    draw = np.random.default_rng(7)
    bad = draw.random(40_000) < 0.25
    alike = draw.random((40_000, 6)) < np.where(bad, 0.35, 0.95)[:, None]
    masks = (alike * (1 << np.arange(6))).sum(axis=1).astype(np.uint64)
    needed = np.array([0b11, 0b1100, 0b110000], dtype=np.uint64)
    there = ((masks[:, None] & needed) == needed).any(axis=1)
    found = true_pairs_not_made(masks[there], np.ones(int(there.sum())), needed, [[at] for at in range(6)])
    assert found == pytest.approx(int((~there).sum()), rel=0.15)


def test_nothing_found_claims_nothing_missed() -> None:
    assert true_pairs_not_made(np.zeros(0, dtype=np.uint64), np.zeros(0), NEEDED, GROUPS) == 0.0
    assert true_pairs_not_made(np.array([3], dtype=np.uint64), np.zeros(1), NEEDED, GROUPS) == 0.0
    # All that was made has all parts alike: there is nothing to learn a miss from.
    assert true_pairs_not_made(np.full(50, 31, dtype=np.uint64), np.ones(50), NEEDED, GROUPS) == pytest.approx(0.0)
