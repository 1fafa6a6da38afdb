"""Slow, obvious twins of the kernels that find, weigh and compare the words of texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from math import log, log1p, sqrt

from core.matching.reference import osa_distance

ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
FORMS = {"sa", "ag", "nv", "bv", "ab", "as", "oy", "kg", "kk", "lp", "se", "co"}
Joints = Mapping[str, Collection[tuple[str, str]]]


def words_of(folded: str) -> list[str]:
    """Twin of `tokens.spaced_words`, of a value whose letters are all known as such."""
    text = folded.encode().translate(None, b"'`").replace(b"&", b" and ")
    words: list[bytes] = []
    kind, end = "", 0
    for found in re.finditer(rb"[a-z0-9\x80-\xff]+", text):
        piece, gap = found.group(), text[end : found.start()]
        end = found.end()
        glue = _glue(kind, words[-1], gap, piece) if words else None
        if glue is None:
            words.append(piece)
            kind = _piece_kind(piece)
        else:
            words[-1] += glue + piece
            pointed = "pointed" if piece.isdigit() else "mixed"
            kind = pointed if glue else kind if kind == _piece_kind(piece) != "mixed" else "mixed"
    return _joined_letters([_ended(word.decode()) for word in words])


def _piece_kind(piece: bytes) -> str:
    if piece.isdigit():
        return "digits"
    if any(48 <= unit <= 57 for unit in piece):
        return "mixed"
    return "initials" if len(piece) == 1 else "letters"


def _glue(kind: str, before: bytes, gap: bytes, piece: bytes) -> bytes | None:
    """What two pieces are joined by; None where they are two words."""
    behind = _piece_kind(piece)
    if gap == b"." and kind == behind == "initials":
        return b""
    if gap == b"," and kind == behind == "digits" and len(piece) == 3:
        return b""
    if gap in (b".", b",") and kind in ("digits", "pointed") and 48 <= piece[0] <= 57:
        return b"."
    if gap in (b"-", b"/", b"_"):
        if kind in ("letters", "initials") and len(before) <= 4 and behind in ("digits", "mixed"):
            return b""
        if kind == "mixed" and (behind in ("digits", "mixed") or len(piece) <= 2):
            return b""
    return None


def _ended(word: str) -> str:
    return ROMAN.get(word) or (re.sub(r"^0+(?=\d)", "", word) if re.fullmatch(r"[\d.]+", word) else word)


def _joined_letters(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(words):
        stop = at
        while stop < len(words) and re.fullmatch("[a-z]", words[stop]):
            stop += 1
        row = "".join(words[at:stop])
        found += [row] if len(row) > 2 or row in FORMS else words[at : max(stop, at + 1)]
        at = max(stop, at + 1)
    return found


def kind_of(word: str) -> str:
    """Twin of `tokens.token_kind`."""
    digits = sum("0" <= letter <= "9" for letter in word)
    if digits and digits + word.count(".") == len(word):
        return "number"
    return "code" if digits and len(word) >= 4 else "word"


def weights_of(texts: Iterable[Iterable[str]], common: Collection[str], share: float) -> dict[str, float]:
    """Twin of `code_words`: the weight of each word, in nats, in the order of their codes."""
    sets = {frozenset(text) for text in texts if text}
    counts = Counter(word for text in sets for word in text)
    ordered = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    return {word: log1p(len(sets) / n) * (share if word in common else 1.0) for word, n in ordered}


def rarest_words(texts: Sequence[Iterable[str]], number: int, most: int) -> list[list[str]]:
    """Twin of `block_keys.rare_key`: the words of each text that make its keys, rarest first."""
    counts = Counter(word for text in {frozenset(text) for text in texts} for word in text)
    kept = [sorted(set(text), key=lambda word: (counts[word], word))[:16] for text in texts]
    return [[word for word in each if 2 <= counts[word] <= most][:number] for each in kept]


def stands_for(a: str, b: str) -> float:
    """Twin of `spelling.similarity_of` and `short_form` together: how well one word stands for the other."""
    short, long = sorted((a, b), key=len)
    kind = kind_of(a)
    if kind != kind_of(b) or kind == "number" or a == b:
        return 0.0
    if kind == "code":
        return 0.9 if _same_code(short, long) else 0.0
    allowed = 0 if len(short) < 4 else 1 if len(short) < 8 else 2
    slips = osa_distance(short, long)
    by_slips = 1.0 - slips / len(long) if slips <= allowed else 0.0
    begins = len(long) > len(short) >= 3 and long.startswith(short)
    return max(by_slips, 0.85 if begins or _short_form(short, long) else 0.0)


def _same_code(short: str, long: str) -> bool:
    more = len(long) - len(short)
    ends = [(long[: len(short)], long[len(short) :], 1), (long[more:], long[:more], -1)]
    for whole, rest, side in ends:
        inner, outer = (whole[-1:], rest[:1]) if side == 1 else (whole[:1], rest[-1:])
        if 0 < more <= 3 and whole == short and not (inner.isdigit() and outer.isdigit()):
            return True
    return False


def _short_form(short: str, long: str) -> bool:
    if not 3 <= len(short) <= 6 or len(long) < len(short) + 2 or re.search("[aeiou]", short[1:]):
        return False
    consonants = long[0] + re.sub("[aeiou]", "", long[1:])
    rest = iter(long)
    in_order = short[0] == long[0] and all(letter in rest for letter in short)
    return in_order and short[-1] == long[-1] and len(short) * 3 >= len(consonants)


def covered(
    a: Collection[str], b: Collection[str], weights: Mapping[str, float], joints: Joints
) -> tuple[float, set[str], set[str], bool]:
    """Twin of the merge and `cover_leftovers`: weight covered, words left over, and whether a slip was needed.

    Args:
        weights: in the order of the codes, which settle ties. joints: words, and the two that each may be written as.
    """
    rank = {word: at for at, word in enumerate(weights)}
    total = sum(weights[word] for word in set(a) & set(b))
    left, right = set(a) - set(b), set(b) - set(a)
    choices = [
        (-stands_for(one, two) * (weights[one] + weights[two]) / 2, sorted((rank[one], rank[two])), {one, two}, True)
        for one, two in product(left, right)
        if stands_for(one, two)
    ]
    written = [(whole, *parts) for whole in left | right for parts in joints.get(whole, ())]
    for whole, first, second in written:
        if {first, second} <= (right if whole in left else left) and first != second:
            gain = (weights[whole] + weights[first] + weights[second]) / 2
            choices.append((-gain, [rank[whole], rank[first]], {whole, first, second}, False))
    by_slips = False
    for gain, _, words, is_slip in sorted(choices, key=lambda choice: choice[:2]):
        if words <= left | right:
            total -= gain
            left, right, by_slips = left - words, right - words, by_slips or is_slip
    return total, left, right, by_slips


def runs(set_bits: int) -> float:
    """How many runs of letters a signature of 64 bits with so many set is likely to have come from."""
    return -64.0 * log(1.0 - min(set_bits, 63.5) / 64.0)


def overlap(
    a: Collection[str], b: Collection[str], weights: Mapping[str, float], joints: Joints, signatures: tuple[int, int]
) -> float:
    """Twin of `overlap.overlap`, of texts of sixteen words at most."""
    total, left, right, by_slips = covered(a, b, weights, joints)
    weight_a, weight_b = (sum(weights[word] for word in set(side)) for side in (a, b))
    cosine, contained = total / sqrt(weight_a * weight_b), total / min(weight_a, weight_b)
    found = min(max(cosine, (cosine + contained) / 2 - 0.08), 1.0)
    if len(set(a)) <= 8 and len(set(b)) <= 8 and (by_slips or left or right):
        one, two = (runs(signature.bit_count()) for signature in signatures)
        shared = one + two - runs((signatures[0] | signatures[1]).bit_count())
        found = (found + min(max(shared, 0.0) / sqrt(one * two), 1.0)) / 2
    kinds = {kind_of(word) for word in left} & {kind_of(word) for word in right}
    return max(found - 0.15 * ("number" in kinds) - 0.10 * ("code" in kinds), 0.0)
