"""Slow, obvious twin of the kernels that find the texts nearest to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log1p, sqrt

Feature = tuple[str, str]


def features_of(words: Sequence[str], *, grams: bool) -> set[Feature]:
    """Words of a text and, if asked for, their runs of four letters, the ends of a word counted as letters."""
    found: set[Feature] = {("word", word) for word in words}
    if grams:
        ended = [f"^{word}$" for word in words]
        found |= {("gram", word[at : at + 4]) for word in ended for at in range(max(len(word) - 3, 1))}
    return found


def weights_of(features: set[Feature], n_texts: Mapping[Feature, int], total: int) -> dict[Feature, float]:
    """Weight of each feature of a text: words are half of its length, runs of letters the other half."""
    idf = {feature: log1p(total / n_texts[feature]) for feature in features}
    kinds = {kind for kind, _ in features}
    lengths = {kind: sqrt(len(kinds) * sum(w * w for f, w in idf.items() if f[0] == kind)) for kind in kinds}
    return {feature: weight / lengths[feature[0]] for feature, weight in idf.items()}


def likeness(texts: Sequence[Sequence[str]], *, grams: bool, list_max: int) -> list[dict[int, float]]:
    """For each of some distinct texts the others that share a feature of at most `list_max` texts, and how alike."""
    features = [features_of(words, grams=grams) for words in texts]
    n_texts = Counter(feature for each in features for feature in each)
    weights = [weights_of(each, n_texts, len(texts)) for each in features]
    found: list[dict[int, float]] = [{} for _ in texts]
    for text, mine in enumerate(features):
        for other, theirs in enumerate(features):
            shared = [feature for feature in mine & theirs if n_texts[feature] <= list_max]
            if text != other and shared:
                found[text][other] = sum(weights[text][feature] * weights[other][feature] for feature in shared)
    return found
