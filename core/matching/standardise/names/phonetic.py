"""How a name sounds: a compact phonetic key, computed once per distinct string.

In the family of refined Soundex and Metaphone: consonants fall into nine classes, vowels only separate, the first
sound is kept, common silent letters are skipped, at most six sounds count. It differs from Soundex where that errs
most on names: Geoff/Jeff, Knight/Night, Wright/Right, Stephen/Steven, Catherine/Katherine, McDonald/MacDonald agree.
A string without a Latin letter sounds like itself alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.hashing import hash_span, splitmix

SOUNDS_MAX = 6
LETTERS_MAX = 64
VOWEL, W, H, P, F, K, J, S, T, L, N, R = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
SILENT = 0

# Class of each letter a..z standing alone.
LETTERS = np.array(
    [VOWEL, P, K, T, VOWEL, F, K, H, VOWEL, J, K, L, N, N, VOWEL, P, K, R, S, T, VOWEL, F, W, S, VOWEL, S],
    dtype=np.uint8,
)
_A, _C, _D, _E, _G, _H, _I, _K, _M, _N, _P, _R, _S, _T, _W, _X, _Y = (ord(c) - ord("a") for c in "acdeghikmnprstwxy")


@kernel
def letters_of(points: NDArray[np.uint32], start: int, stop: int, out: NDArray[np.uint8]) -> int:
    """Copy the Latin letters of a span as 0..25 into `out`; returns how many (at most len(out))."""
    n_letters = 0
    for at in range(start, stop):
        point = np.int64(points[at])
        if 97 <= point <= 122 and n_letters < len(out):
            out[n_letters] = np.uint8(point - 97)
            n_letters += 1
    return n_letters


@kernel
def first_sounding(letters: NDArray[np.uint8], n_letters: int) -> int:
    """Index of the first letter that is heard: kn, gn, pn, wr and ps lose their first."""
    if n_letters < 2:
        return 0
    first, second = letters[0], letters[1]
    silent = second == _N and (first in (_K, _G, _P))
    silent = silent or (first == _W and second == _R) or (first == _P and second == _S)
    return 1 if silent else 0


@kernel
def is_skeleton(letters: NDArray[np.uint8], n_letters: int) -> bool:
    """Whether there are no vowels."""
    for at in range(n_letters):
        if LETTERS[letters[at]] == VOWEL:
            return False
    return True


@kernel
def letter_sound(letters: NDArray[np.uint8], at: int, begin: int, n_letters: int) -> int:
    """Sound class of one letter among its neighbours; SILENT for one not heard."""
    letter = letters[at]
    after = np.int64(letters[at + 1]) if at + 1 < n_letters else -1
    soft = after in (_E, _I, _Y)
    sound = int(np.int64(LETTERS[letter]))
    if letter == _C and soft:
        sound = S
    elif letter == _G and after == _H and at > begin:
        sound = SILENT
    elif letter == _G and soft:
        sound = J
    elif letter == _D and after == _G:
        sound = SILENT
    elif letter == _P and after == _H:
        sound = F
    elif letter == _S and after == _C:
        sound = S
    elif sound in (W, H) and at > begin:
        sound = SILENT
    return sound


@kernel
def sound_of(points: NDArray[np.uint32], start: int, stop: int, letters: NDArray[np.uint8]) -> np.uint64:
    """Phonetic key of one string; 0 for an empty one only. `letters` is a buffer of LETTERS_MAX.

    Arabic and Hebrew leave most vowels out: of letters without any, a repeated sound counts as if one stood between.
    """
    n_letters = letters_of(points, start, stop, letters)
    if n_letters == 0:
        return hash_span(points, start, stop)
    begin = first_sounding(letters, n_letters)
    mac = n_letters > 3 and letters[0] == _M and letters[1] == _A and letters[2] == _C
    key, n_sounds, last = np.uint64(0), 0, SILENT
    skeleton = is_skeleton(letters, n_letters)
    for at in range(begin, n_letters):
        sound = letter_sound(letters, at, begin, n_letters)
        if sound == SILENT or (mac and at == 1):
            continue
        heard = sound != VOWEL or at == begin
        if heard and sound != last and n_sounds < SOUNDS_MAX:
            key = key * np.uint64(16) + np.uint64(sound)
            n_sounds += 1
        last = SILENT if skeleton else sound
    return splitmix(key)
