"""Roots and proofs, against the definition of RFC 9162."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from core.review.audit.merkle import inclusion_proof, is_included, merkle_root

BODIES = st.lists(st.binary(max_size=4), min_size=1, max_size=40)


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1: split at the largest power of two below n."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + _by_definition(leaves[:split]) + _by_definition(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_merkle_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == _by_definition(leaves)


@given(BODIES, st.data())
def test_inclusion_proof_shows_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    root, path = merkle_root(leaves), inclusion_proof(leaves, at)
    assert is_included(leaves[at], at, len(leaves), path, root)
    assert not is_included(leaves[at] + b"x", at, len(leaves), path, root)
    assert not is_included(leaves[at], at, len(leaves), [*path, root], root)
    assert not path or not is_included(leaves[at], at, len(leaves), path[:-1], root)
    elsewhere = data.draw(st.integers(0, len(leaves) - 1))
    assert is_included(leaves[at], elsewhere, len(leaves), path, root) <= (leaves[elsewhere] == leaves[at])


@given(BODIES, st.data())
def test_merkle_root_changes_with_any_list_of_leaves(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    root = merkle_root(leaves)
    assert merkle_root([*leaves, leaves[-1]]) != root
    assert merkle_root(leaves[:at] + leaves[at + 1 :]) != root
    moved = leaves[at:] + leaves[:at]
    assume(moved != leaves)
    assert merkle_root(moved) != root
