"""Which encoding a text has that is no UTF-8: the one under which its words look like words.

Detectors for running text (charset-normalizer, chardet) were tried on lists of names and are wrong there in a third
of the cases, see decision 0063: such lists hold few letters beyond ASCII, each in a short word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from core.intake.decoding.alphabets import (
    ARABIC,
    CHINESE,
    CHINESE_TRADITIONAL,
    CYRILLIC,
    EVERY_LATIN,
    GREEK,
    HEBREW,
    JAPANESE,
    KOREAN,
    LATIN,
    WESTERN,
)

SAMPLE_LINES = 1_000
SAMPLE_WORDS = 1_500
# In bits a letter or so; a text whose best encoding is below has none that is known.
PLAUSIBLE = -1.8
UNDEFINED_SHARE = 0.005
_CLOSE = 0.15
_UNDEFINED = -8.0
_WORD = re.compile(rb"[A-Za-z'\x80-\xff-]*[\x80-\xff][A-Za-z'\x80-\xff-]*")
# Its letters stand where Turkish ones do in the sister encoding, for fewer people.
_RARE: Final[Mapping[str, float]] = {"Icelandic": -0.15}
_PUNCTUATION = frozenset("“”‘’„‚–—…€°·´«»ªº§©®™¿¡£\xa0№\u3000、。・（）－ー々〒")


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding by Python's name; whether no other one that reads differently came close."""

    encoding: str
    is_clear: bool


def guess_encoding(lines: Iterable[bytes]) -> Guess | None:
    """Judge lines that hold bytes beyond ASCII; None: they are text in no encoding that is known.

    Cost: some 50 ms.
    """
    sample = list(islice(dict.fromkeys(lines), SAMPLE_LINES))
    words = list(islice(dict.fromkeys(word for line in sample for word in _WORD.findall(line)), SAMPLE_WORDS))
    if not words:
        return None
    scores = {name: score(words) for name, score in _OF_WORDS.items() if _is_defined(words, name)}
    # Their second bytes may look like delimiters, so words cannot be cut out.
    scores |= {name: score(sample) for name, score in _OF_LINES.items() if _is_defined(sample, name)}
    if not scores:
        return None
    # Of equals the first: encodings stand in the order of how often they are met.
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < PLAUSIBLE:
        return None
    text = _text(sample, best)
    rivals = (name for name, score in scores.items() if scores[best] - score < _CLOSE and name != best)
    return Guess(best, all(_text(sample, name) == text for name in rivals))


def _is_defined(texts: list[bytes], encoding: str) -> bool:
    """Whether all but stray bytes are characters of the encoding."""
    text = _text(texts, encoding)
    return text.count("\ufffd") <= UNDEFINED_SHARE * len(text)


def _text(texts: list[bytes], encoding: str) -> str:
    return b"\n".join(texts).decode(encoding, "replace")


def _latin(encoding: str, words: list[bytes]) -> float:
    total, letters, n_letters = _marks(words, encoding, is_latin=True)
    if not n_letters:
        return _UNDEFINED
    languages = (
        _RARE.get(name, 0.0) * n_letters + sum(times * _foreign(letter, own) for letter, times in letters.items())
        for name, own in LATIN.items()
    )
    return (total + max(languages)) / n_letters


def _foreign(letter: str, own: frozenset[str]) -> float:
    """What a letter costs in a text of one language."""
    if letter in own:
        return 0.0
    if letter in WESTERN:
        return -0.4
    return -1.5 if letter in EVERY_LATIN else -4.0


def _alphabet(encoding: str, alphabet: str, words: list[bytes]) -> float:
    total, letters, n_letters = _marks(words, encoding, is_latin=False)
    if not n_letters:
        return _UNDEFINED
    ranks = {letter: -rank / 16 for rank, letter in enumerate(alphabet)}
    return (total + sum(times * ranks.get(letter, -5.0) for letter, times in letters.items())) / n_letters


def _marks(words: list[bytes], encoding: str, *, is_latin: bool) -> tuple[float, Counter[str], int]:
    """What speaks against an encoding whatever the language; the letters beyond ASCII, small; how many characters."""
    total, n_characters, letters = 0.0, 0, Counter[str]()
    for word in words:
        text = word.decode(encoding, "replace")
        foreign = [character for character in text if character > "\x7f"]
        n_characters += len(foreign)
        letters.update(character.lower()[0] for character in foreign if character.isalpha())
        total += sum(_mark(text, at) for at, character in enumerate(text) if character > "\x7f")
        n_ascii = sum(1 for character in text if character <= "\x7f" and character.isalpha())
        if is_latin and not n_ascii and len(foreign) > 2:
            total -= 2.0 * len(foreign)
        elif not is_latin and n_ascii:
            total -= 4.0 * n_ascii
    return total, letters, n_characters


def _mark(text: str, at: int) -> float:
    """What speaks against one character where it stands."""
    character, before, behind = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if character.isalpha():
        if character.isupper() and before.islower():
            return -4.0
        mixed = behind.isupper() if character.islower() else before.isupper() and behind.islower()
        return -2.0 if mixed and character != "ß" else 0.0
    if character in _PUNCTUATION:
        return -4.0 if before.isalpha() and behind.isalpha() and character not in "’´·" else -0.5
    return _UNDEFINED if character == "\ufffd" or not character.isprintable() else -6.0


def _ideographs(encoding: str, level: str, level_end: int, frequent: frozenset[str], lines: list[bytes]) -> float:
    """Encodings of two and more bytes: right where characters are the common ones.

    level, level_end: the encoding of which the first `level_end` lead bytes are the common characters.
    """
    total, n_characters = 0.0, 0
    for line in lines:
        text = line.decode(encoding, "replace")
        for at, character in enumerate(text):
            if character > "\x7f":
                n_characters += 1
                beside = text[max(at - 1, 0) : at + 2].replace(character, "")
                total += _ideograph(character, level, level_end, frequent)
                total -= 3.0 if any(other.isascii() and other.isalpha() for other in beside) else 0.0
    return total / n_characters if n_characters else _UNDEFINED


def _ideograph(character: str, level: str, level_end: int, frequent: frozenset[str]) -> float:
    if character in frequent or "\u3041" <= character <= "\u30fe":
        return 0.0
    if character in _PUNCTUATION or "\uff01" <= character <= "\uff5e":
        return -0.5
    if not ("\u3400" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3"):
        return _UNDEFINED
    code = character.encode(level, "ignore")
    return -0.7 if code and code[0] <= level_end else -2.5


_OF_WORDS: Final[Mapping[str, Callable[[list[bytes]], float]]] = {
    "cp1252": partial(_latin, "cp1252"),
    "iso8859-15": partial(_latin, "iso8859-15"),
    "cp1250": partial(_latin, "cp1250"),
    "iso8859-2": partial(_latin, "iso8859-2"),
    "cp1251": partial(_alphabet, "cp1251", CYRILLIC),
    "koi8-r": partial(_alphabet, "koi8-r", CYRILLIC),
    "iso8859-5": partial(_alphabet, "iso8859-5", CYRILLIC),
    "cp866": partial(_alphabet, "cp866", CYRILLIC),
    "mac-cyrillic": partial(_alphabet, "mac-cyrillic", CYRILLIC),
    "cp1253": partial(_alphabet, "cp1253", GREEK),
    "iso8859-7": partial(_alphabet, "iso8859-7", GREEK),
    "cp1254": partial(_latin, "cp1254"),
    "cp1257": partial(_latin, "cp1257"),
    "cp1255": partial(_alphabet, "cp1255", HEBREW),
    "cp1256": partial(_alphabet, "cp1256", ARABIC),
    "mac-roman": partial(_latin, "mac-roman"),
    "mac-latin2": partial(_latin, "mac-latin2"),
    "cp850": partial(_latin, "cp850"),
    "cp852": partial(_latin, "cp852"),
    "cp437": partial(_latin, "cp437"),
}
_OF_LINES: Final[Mapping[str, Callable[[list[bytes]], float]]] = {
    "cp932": partial(_ideographs, "cp932", "euc_jp", 0xCF, JAPANESE),
    "euc_jp": partial(_ideographs, "euc_jp", "euc_jp", 0xCF, JAPANESE),
    "gb18030": partial(_ideographs, "gb18030", "gb2312", 0xD7, CHINESE),
    "big5": partial(_ideographs, "big5", "big5", 0xC6, CHINESE_TRADITIONAL),
    "cp949": partial(_ideographs, "cp949", "euc_kr", 0xC8, KOREAN),
}
