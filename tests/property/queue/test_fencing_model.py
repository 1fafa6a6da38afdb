"""Every interleaving of two workers, a leader and two batches, and what breaks when a part is left out."""

from __future__ import annotations

import pytest

from tests.property.queue.fencing_model import Rules, Violation, explore


def test_no_interleaving_completes_a_batch_twice_or_loses_one() -> None:
    seen = explore(Rules(n_workers=2, n_batches=2))
    print(f"2 workers x 2 batches: {seen.n_states:,} states, {seen.n_steps:,} steps")
    assert seen.n_states > 50_000
    assert seen.dead_ends == []


def test_random_tokens_survive_a_failover_that_forgets_a_commit() -> None:
    seen = explore(Rules(n_batches=1, failovers=2))
    print(f"2 workers x 1 batch x 2 failovers: {seen.n_states:,} states, {seen.n_steps:,} steps")
    assert seen.dead_ends == []


def test_the_early_token_check_only_saves_work() -> None:
    assert explore(Rules(n_batches=1, token_check=False)).dead_ends == []


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        pytest.param(Rules(n_batches=1, fence=False), "completed twice", id="no fence"),
        pytest.param(Rules(n_batches=1, fence_last=False), "keeps batch 0 from being rescued", id="fence first"),
        pytest.param(
            Rules(n_batches=1, random_token=False, failovers=1), "its lease belongs to 1", id="counter after failover"
        ),
        pytest.param(
            Rules(n_batches=1, rescue_takes_token=False), "its lease belongs to -1", id="rescue leaves the token"
        ),
        pytest.param(Rules(n_batches=1, look_in_history=False), "is lost, but it is committed", id="no history"),
        pytest.param(Rules(n_batches=1, look_waits=False), "is lost, but it is committed", id="look without lock"),
    ],
)
def test_the_model_sees_what_is_left_out(rules: Rules, found: str) -> None:
    with pytest.raises(Violation, match=found) as caught:
        explore(rules)
    print(caught.value)
    assert "1. worker 0 claims batch 0" in str(caught.value)


def test_without_rescue_a_crash_leaves_work_that_nobody_can_finish() -> None:
    assert explore(Rules(n_batches=1, rescue=False)).dead_ends
