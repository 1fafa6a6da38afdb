"""Weights of models that no data taught."""

import numpy as np

from core.matching.records.layout import Layout
from core.matching.scoring.classes import CLASSES
from core.matching.scoring.model import WeightArrays


def even_weights(layout: Layout, *, alike: float = 0.0, differ: float = 0.0) -> WeightArrays:
    """Each field weighs the same: so many bits for one person where two values are alike, and where they differ."""
    bits = np.zeros((layout.n_fields, max(layout.n_levels), len(CLASSES)))
    bits[:, :, 0], bits[:, 0, 0] = alike, differ
    shares = np.full(len(CLASSES), -64.0)
    shares[0], shares[-1] = 0.0, -1.0
    return WeightArrays(
        bits=bits,
        shares=shares,
        tf_row=np.full(layout.n_fields, -1, dtype=np.int32),
        tf_counts=np.zeros((len(CLASSES), layout.n_fields)),
        tf=np.zeros((0, 2), dtype=np.float32),
        implied=np.full(layout.n_fields, -1, dtype=np.int32),
        in_order=False,
    )
