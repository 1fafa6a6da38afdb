"""Merkle trees as in RFC 9162: one root for a batch of leaves, and proofs that a leaf is under it.

Leaves and nodes are hashed apart (0x00 and 0x01 before them), so that no node can be shown as a leaf. A last node
without a partner goes up as it is: were it doubled, two lists of leaves would have one root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from core.errors import InputError

LEAF, NODE = b"\x00", b"\x01"
HASH_BYTES = 32


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of a leaf, 32 bytes."""
    return sha256(LEAF + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of two nodes below one."""
    return sha256(NODE + left + right).digest()


class Tree:
    """The root of leaves that come one after the other. Memory: one hash a level."""

    def __init__(self) -> None:
        self.n_leaves = 0
        self._perfect: list[tuple[int, bytes]] = []

    def add(self, body: bytes) -> None:
        """One more leaf, after all before it."""
        self.n_leaves += 1
        height, node = 0, leaf_hash(body)
        while self._perfect and self._perfect[-1][0] == height:
            node = node_hash(self._perfect.pop()[1], node)
            height += 1
        self._perfect.append((height, node))

    def root(self) -> bytes:
        """Of the leaves so far; of none, SHA-256 of nothing."""
        if not self._perfect:
            return sha256(b"").digest()
        node = self._perfect[-1][1]
        for _, left in reversed(self._perfect[:-1]):
            node = node_hash(left, node)
        return node


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Root over the bodies of leaves in their order, 32 bytes. Cost: O(n) hashes."""
    tree = Tree()
    for body in leaves:
        tree.add(body)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root, from the bottom up; at most log2(n) + 1 of them.

    Raises InputError: there is no such leaf. Cost: O(n) hashes.
    """
    if not 0 <= index < len(leaves):
        raise InputError(f"there is no leaf {index} of {len(leaves)}", index=index, n_leaves=len(leaves))
    level, path = [leaf_hash(body) for body in leaves], []
    while len(level) > 1:
        partner = index ^ 1
        if partner < len(level):
            path.append(level[partner])
        pairs = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
        index //= 2
    return path


def is_included(body: bytes, index: int, n_leaves: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that `body` is leaf `index` of the `n_leaves` under `root`."""
    if not 0 <= index < n_leaves:
        return False
    node, last, steps = leaf_hash(body), n_leaves - 1, iter(path)
    while last:
        # A last node without a partner goes up as it is.
        if index % 2 or index < last:
            partner = next(steps, None)
            if partner is None or len(partner) != HASH_BYTES:
                return False
            node = node_hash(partner, node) if index % 2 else node_hash(node, partner)
        index, last = index // 2, last // 2
    return next(steps, None) is None and node == root
