"""Slow, obvious twins of the kernels, in plain Python on plain values. Tests hold the kernels against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby, product
from math import floor, log2
from operator import itemgetter

from core.matching.specs.levels import MISSING

FNV_BASIS, FNV_PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, 2**64 - 1


def one_of_each(edges: Iterable[tuple[int, int]], sources: Sequence[int], shared: Collection[int] = ()) -> list[bool]:
    """Twin of `one_of_each.unite_sources`: edges within groups where only shared sources give another one two rows."""
    groups, edges = [{row} for row in range(len(sources))], list(edges)
    for a, b in edges:
        united = groups[a] | groups[b]
        times = Counter(sources[row] for row in united)
        if all(n == 1 or any(way in shared and way != source for way in times) for source, n in times.items()):
            for row in united:
                groups[row] = united
    return [groups[a] is groups[b] for a, b in edges]


def splitmix(value: int) -> int:
    """Twin of `hashing.splitmix`."""
    mixed = (value + 0x9E3779B97F4A7C15) & MASK
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & MASK
    return mixed ^ (mixed >> 31)


def record_hash(words: Sequence[int]) -> int:
    """Twin of `record_hashes.fill_hashes`, of one record."""
    state = 0
    for low, high in zip(words[::2], words[1::2], strict=True):
        state = splitmix(state ^ (low | high << 32))
    return state


def in_hash_order(parts: Iterable[Sequence[int]], hashes: Sequence[int], window: int) -> list[int]:
    """Twin of `record_hashes.order_ties`, of one block, given as its parts."""
    parts = list(parts)
    if sum(map(len, parts)) <= window:
        return [row for part in parts for row in part]
    return [row for part in parts for row in sorted(part, key=lambda row: hashes[row])]


def hash_units(units: Iterable[int]) -> int:
    """Twin of `hashing.hash_span`."""
    units = list(units)
    if not units:
        return 0
    state = FNV_BASIS
    for unit in units:
        state = (state ^ unit) * FNV_PRIME & MASK
    return splitmix(state) or 1


def jaro_winkler(a: str, b: str) -> float:
    """Twin of `similarity.jaro_winkler`."""
    if not a or not b:
        return 1.0 if a == b else 0.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    used: list[int] = []
    matched_b = []
    for j, letter in enumerate(b):
        for i in range(max(j - reach, 0), min(j + reach + 1, len(a))):
            if a[i] == letter and i not in used:
                used.append(i)
                matched_b.append(letter)
                break
    if not used:
        return 0.0
    moved = sum(a[i] != letter for i, letter in zip(sorted(used), matched_b, strict=True))
    jaro = (len(used) / len(a) + len(used) / len(b) + (len(used) - moved // 2) / len(used)) / 3.0
    if jaro <= 0.7:
        return jaro
    prefix = 0
    while prefix < min(4, len(a), len(b)) and a[prefix] == b[prefix]:
        prefix += 1
    return min(jaro + prefix * 0.1 * (1.0 - jaro), 1.0)


def osa_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """Optimal string alignment distance: Levenshtein plus swaps of neighbours."""
    table = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            same = a[i - 1] == b[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (0 if same else 1))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[len(a)][len(b)]


def edits_allowed(a: str, b: str, limit: int) -> int:
    """Twin of `similarity.edits_allowed`: one edit for every four characters of the longer string."""
    return min(limit, max(len(a), len(b)) // 4)


def slipped(a: str, b: str, limit: int, well_known: Collection[str] = ()) -> bool:
    """Twin of `level_tests.settle_spelling`: as few edits as the length allows, unless both are names of their own."""
    return not (a in well_known and b in well_known) and osa_distance(a, b) <= edits_allowed(a, b, limit)


def similar(a: str, b: str, threshold: float) -> bool:
    """Twin of `level_tests.settle_names`: only of strings of four characters and more."""
    return min(len(a), len(b)) >= 4 and jaro_winkler(a, b) >= threshold


def same_words(a: str, b: str) -> bool:
    """Twin of `similarity.same_words`: equal written together, or all words of one are words of the other."""
    sides = (a.split(), b.split()), (b.split(), a.split())
    contained = any(set(some) <= set(whole) and len("".join(some)) >= 3 for some, whole in sides)
    return contained or a.replace(" ", "") == b.replace(" ", "")


def date_errors(a: int, b: int) -> int:
    """Twin of `similarity.date_digits`."""
    total = 0
    for start, stop in ((0, 4), (4, 6), (6, 8)):
        left, right = f"{a:08d}"[start:stop][::-1], f"{b:08d}"[start:stop][::-1]
        at = 0
        while at < len(left):
            differ = left[at] != right[at]
            swapped = differ and at + 1 < len(left) and left[at : at + 2] == right[at : at + 2][::-1]
            total += differ
            at += 2 if swapped else 1
    return total


def best_level(a: Iterable[object], b: Iterable[object], level: Callable[[object, object], int]) -> int:
    """Twin of `vectors.compare_values`: the best level of any two values; MISSING where a side has none."""
    found = [each for each in (level(one, two) for one, two in product(a, b)) if each != MISSING]
    return max(found, default=MISSING)


def mark_level(a: set[str], b: set[str], *, counted: bool = True) -> int:
    """Twin of `mark_tests.settle_marks`: a mark of two records, each several if the record says several."""
    if not a or not b or not counted:
        return MISSING
    return int(not a.isdisjoint(b))


def sound_classes(text: str) -> list[str]:
    """Sounds of a name as words, before `phonetic.sound_of` numbers and hashes them; at most six."""
    letters = "".join(letter for letter in text if "a" <= letter <= "z")[:64]
    skeleton = not set(letters) & set("aeiouy")
    if letters[:2] in {"kn", "gn", "pn", "wr", "ps"}:
        letters = letters[1:]
    elif letters.startswith("mac") and len(letters) > 3:
        letters = "mc" + letters[3:]
    heard: list[str] = []
    last = ""
    for at, letter in enumerate(letters):
        sound = _sound(letter, letters[at + 1 : at + 2], at == 0)
        if sound == "silent":
            continue
        if sound != last and (sound != "vowel" or at == 0):
            heard.append(sound)
        last = "" if skeleton else sound
    return heard[:6]


def _sound(letter: str, after: str, first: bool) -> str:
    soft = after in {"e", "i", "y"}
    special: Mapping[str, str] = {
        "c": "s" if soft else "k",
        "g": "silent" if after == "h" and not first else "j" if soft else "k",
        "d": "silent" if after == "g" else "t",
        "p": "f" if after == "h" else "p",
        "w": "w" if first else "silent",
        "h": "h" if first else "silent",
    }
    plain = {"b": "p", "v": "f", "q": "k", "x": "s", "z": "s", "m": "n"}
    return "vowel" if letter in "aeiouy" else special.get(letter, plain.get(letter, letter))


def block_pairs(keys: Sequence[int], boundaries: Sequence[int] = ()) -> set[tuple[int, int]]:
    """Every pair of records with one key, of two sources where there are several."""
    return {
        (a, b)
        for a in range(len(keys))
        for b in range(a + 1, len(keys))
        if keys[a] == keys[b] != 0 and (not boundaries or apart(a, b, boundaries))
    }


def apart(a: int, b: int, boundaries: Sequence[int]) -> bool:
    """Whether two rows are of two sources."""
    return sum(a >= first for first in boundaries) != sum(b >= first for first in boundaries)


def walked_pairs(
    keys: Sequence[int], rows: Sequence[int], window: int, boundaries: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Twin of `candidate_pairs.next_pairs`: rows of all pairs, in the order of the walk; keys ascend."""
    made: list[tuple[int, int]] = []
    for _, members in groupby(zip(keys, rows, strict=True), key=itemgetter(0)):
        block = [row for _, row in members]
        reach = len(block) if len(block) <= window else window
        for at, a in enumerate(block):
            near = [b for b in block[at + 1 : at + reach] if not boundaries or apart(a, b, boundaries)]
            made += [(min(a, b), max(a, b)) for b in near]
    return made


def blocks_of(keys: Sequence[int]) -> list[list[int]]:
    """Twin of `blocks.sort_keys`: the records of each key that two or more have, as keys ascend."""
    rows: dict[int, list[int]] = {}
    for row, key in enumerate(keys):
        if key != 0:
            rows.setdefault(key, []).append(row)
    return [rows[key] for key in sorted(rows) if len(rows[key]) > 1]


def split_block(rows: list[int], refinements: Sequence[Sequence[int]], limit: int) -> list[list[int]]:
    """Twin of `blocks.refine` and `blocks.cut`: a block of more than `limit` records is split by the first refinement.

    Its parts are split by the next one, and so on; each refinement has the keys of all records.
    """
    if len(rows) <= limit or not refinements:
        return [rows]
    parts: dict[int, list[int]] = {}
    for row in rows:
        parts.setdefault(refinements[0][row], []).append(row)
    return [piece for key in sorted(parts) for piece in split_block(parts[key], refinements[1:], limit)]


def class_shares(
    levels: Sequence[Sequence[int]], logs: Sequence[Sequence[Sequence[float]]], log_shares: Sequence[float]
) -> list[list[float]]:
    """Twin of `em_kernels.fill_class_shares`: by pattern and class; logs by class, field and level."""
    found = []
    for pattern in levels:
        seen = [(field, level) for field, level in enumerate(pattern) if level != MISSING]
        sums = [
            share + sum(of_class[field][level] for field, level in seen)
            for share, of_class in zip(log_shares, logs, strict=True)
        ]
        likelihoods = [2.0 ** (each - max(sums)) for each in sums]
        found.append([each / sum(likelihoods) for each in likelihoods])
    return found


def level_sums(
    levels: Sequence[Sequence[int]], weights: Sequence[Sequence[float]]
) -> dict[tuple[int, int, int], float]:
    """Twin of `em_kernels.add_levels`: the weight of each (class, field, level) that occurs."""
    found: dict[tuple[int, int, int], float] = {}
    for pattern, of_pattern in zip(levels, weights, strict=True):
        seen = [(field, level) for field, level in enumerate(pattern) if level != MISSING]
        for (field, level), (class_, weight) in product(seen, enumerate(of_pattern)):
            found[class_, field, level] = found.get((class_, field, level), 0.0) + weight
    return found


def suspects(values: Iterable[int], floor_count: int, ratio: float, quantile: float) -> list[int]:
    """Twin of `placeholders.suspects`: the values far more frequent than `quantile` of the distinct ones."""
    times = Counter(value for value in values if value != 0)
    if not times:
        return []
    counts = sorted(times.values())
    usual = min(counts[floor(quantile * (len(counts) - 1))], 10.0 * sum(counts) / len(counts))
    usual = usual if len(counts) > 1 else 0.0
    return sorted(value for value, count in times.items() if count > max(floor_count, ratio * usual))


def siphash(text: bytes, key: bytes) -> bytes:
    """Twin of `siphash.siphash`: SipHash-2-4 with 128 bits of output, key of 16 bytes."""
    keys = [int.from_bytes(key[at : at + 8], "little") for at in (0, 8)]
    state = [int.from_bytes(b"somepseudorandomlygeneratedbytes"[at : at + 8], "big") for at in range(0, 32, 8)]
    state = [state[at] ^ keys[at % 2] for at in range(4)]
    state[1] ^= 0xEE
    tail = len(text) % 8
    last = text[len(text) - tail :] + bytes(7 - tail) + bytes([len(text) % 256])
    for at in range(0, len(text) - tail + 8, 8):
        word = int.from_bytes((text[: len(text) - tail] + last)[at : at + 8], "little")
        state[3] ^= word
        state = _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xEE
    state = _sip_rounds(state, 4)
    low = state[0] ^ state[1] ^ state[2] ^ state[3]
    state[1] ^= 0xDD
    state = _sip_rounds(state, 4)
    high = state[0] ^ state[1] ^ state[2] ^ state[3]
    return low.to_bytes(8, "little") + high.to_bytes(8, "little")


def _sip_rounds(state: list[int], times: int) -> list[int]:
    v0, v1, v2, v3 = state
    for _ in range(times):
        v0 = (v0 + v1) & MASK
        v1 = _turned(v1, 13) ^ v0
        v0 = _turned(v0, 32)
        v2 = (v2 + v3) & MASK
        v3 = _turned(v3, 16) ^ v2
        v0 = (v0 + v3) & MASK
        v3 = _turned(v3, 21) ^ v0
        v2 = (v2 + v1) & MASK
        v1 = _turned(v1, 17) ^ v2
        v2 = _turned(v2, 32)
    return [v0, v1, v2, v3]


def _turned(value: int, left: int) -> int:
    return (value << left | value >> (64 - left)) & MASK


def posterior_bits(sums: Sequence[float], shares: Sequence[float], groups: tuple[int, int]) -> float:
    """Twin of `match_weights.posterior`: log-odds that the first two classes hold.

    From evidence and log2 share of each class; groups: the first class of two people, and the first of two homes.
    """
    first, apart_from = groups
    likelihoods = [2.0 ** (each + share) for each, share in zip(sums, shares, strict=True)]
    same, moved = likelihoods[:first]
    near, apart = sum(likelihoods[first:apart_from]), sum(likelihoods[apart_from:])
    return log2(same + min(moved, apart * same / near)) - log2(near + apart)


def components(n_rows: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Smallest row each row is connected to."""
    labels = list(range(n_rows))
    pairs = list(pairs)
    changed = True
    while changed:
        changed = False
        for a, b in pairs:
            least = min(labels[a], labels[b])
            changed = changed or labels[a] != labels[b]
            labels[a] = labels[b] = least
    return labels


def carry(
    clusters: list[int], published: list[int], ages: list[int], ranks: list[int]
) -> tuple[list[int], set[tuple[str, int | None, int | None, int | None]]]:
    """Twin of `continuity.carry`, claim by claim; changes as a set of (kind, cluster, published, records)."""
    shared = Counter((c, p) for c, p in zip(clusters, published, strict=True) if p)
    kept, holder = [0] * len(ranks), dict[int, int]()
    while True:
        free = [(c, p) for c, p in shared if not kept[c] and p not in holder]
        if not free:
            break
        c, p = min(free, key=lambda claim: (-shared[claim], ages[claim[1]], claim[1], ranks[claim[0]]))
        kept[c], holder[p] = p, c
    changes: set[tuple[str, int | None, int | None, int | None]] = set()
    for (c, p), n_records in shared.items():
        if kept[c] != p:
            changes.add(("split" if p in holder else "merge", c, p, n_records))
    changes |= {("new", c, None, None) for c in range(len(ranks)) if not any(c == claim[0] for claim in shared)}
    changes |= {("gone", None, p, None) for p in range(1, len(ages)) if not any(p == claim[1] for claim in shared)}
    return kept, changes
