"""What is known of a string as a name: one byte of flags a code, `VocabularyArrays.traits`."""

from __future__ import annotations

import numpy as np

WELL_KNOWN = np.uint8(1)
"""A name that many bear: one slip away from another such name it is still another."""
IDEOGRAPHS = np.uint8(2)
"""A name of Chinese characters, of which each is a word, and whose sound depends on the country."""
FAMILY = np.uint8(4)
"""A surname that systems of romanisation spell in several ways; its class is that of all of them."""
FORM_SHIFT = np.uint8(4)
"""The upper half is which of the names of its class it is a form of, 0 for a short form that they share."""
FORMS_MAX = 15

NAME_IDEOGRAPHS_MAX = 8
"""Of more characters it is no name of a person, but a title or an address."""
BLANK_BIT = np.uint64(1) << np.uint64(32)
"""A blank in `VocabularyArrays.letters`."""
