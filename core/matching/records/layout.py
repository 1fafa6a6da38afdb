"""Where each field lies in a packed record, and how level patterns are numbered.

A record is one row of a C-contiguous uint32 matrix whose stride is a multiple of four words (16 bytes); a field whose
words are all zero is missing. With every field mapped a person takes 16 words: one cache line. A field with room for
several values has its words so many times, one value behind the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import SpecError
from core.matching.specs.key_expressions import (
    CHOICES_MAX,
    FIRST,
    KEY_FUNCTIONS,
    LAST,
    PREFIX,
    RARE,
    SUFFIX,
    WHOLE,
    WHOLE_DATE,
    KeyPart,
)
from core.matching.specs.levels import CODED_KINDS, MAX_TESTS, TESTS, WIDTH_WORDS, WORD_MARKS
from core.matching.specs.spec import FieldSpec, MatchSpec
from core.matching.text.marks import MARK_BITS

WORDS_STEP = 4
STRIDE_MAX_WORDS = 64
# As a whole a text is known by what tells its set of words whatever their codes, see `words.text_records`.
TEXT_KEY_WORD, TEXT_KEY_WORDS = 18, 2
PART_WORDS = 6
"""Numbers that a key part is written in, see `LayoutArrays.keys`."""


class LayoutArrays(NamedTuple):
    """The layout as the kernels read it. F fields, T = MAX_TESTS, P passes, K = most keys in a pass."""

    offset: NDArray[np.int32]  # (F,) first word
    width: NDArray[np.int32]  # (F,) words of one value
    values: NDArray[np.int32]  # (F,) how many values there is room for
    partner: NDArray[np.int32]  # (F,) first word of the field it may be swapped with, else -1
    n_tests: NDArray[np.int32]  # (F,)
    tests: NDArray[np.int32]  # (F, T) opcodes, strongest first
    thresholds: NDArray[np.float64]  # (F, T)
    place: NDArray[np.uint64]  # (F,) place value of the field's digit in a pattern
    # (P, K, PART_WORDS) opcode (-1: none), word, count, word of the other field, width (0: coded), values; of rare
    # words first word, count, first word again, 1, count
    keys: NDArray[np.int32]
    named: NDArray[np.bool_]  # (F,) whether marks may stand behind the field's strings
    marks: NDArray[np.uint64]  # (F, 2) bits of the mark that the field is, 0 for none; those one side must have, if any
    mark_words: NDArray[np.int32]  # (F, MARK_WORDS) the words whose strings may have the mark, -1 for none
    unit_of: NDArray[np.int32]  # (F,) first word of the street whose unit the field is, else -1
    has_unit: NDArray[np.bool_]  # (F,) whether the field is a street that keeps its unit


MARK_WORDS = 3


@dataclass(frozen=True)
class Layout:
    """Places of all fields. Made by `Layout.of`; cheap, so make it wherever a spec is at hand."""

    spec: MatchSpec
    stride: int
    offset: Mapping[str, int]
    ops: LayoutArrays
    refinements: tuple[tuple[NDArray[np.int32], ...], ...]
    radix: NDArray[np.uint64]

    @classmethod
    def of(cls, spec: MatchSpec) -> Layout:
        """Lay out a spec.

        Raises:
            SpecError: the record would exceed 256 bytes, or its patterns 64 bits.
        """
        offset: dict[str, int] = {}
        at = 0
        for field in spec.fields:
            offset[field.name] = at
            at += WIDTH_WORDS[field.kind] * field.values
        offset |= {field.name: offset[field.read_from[0]] for field in spec.fields if field.mark in WORD_MARKS}
        stride = words_needed(spec)
        if stride > STRIDE_MAX_WORDS:
            raise SpecError(f"spec {spec.name!r} needs {stride * 4} bytes a record; at most {STRIDE_MAX_WORDS * 4}")
        sizes = [len(field.levels) + 2 for field in spec.fields]
        places, total = [], 1
        for size in sizes:
            places.append(total)
            total *= size
        if total >= 2**64:
            raise SpecError(f"spec {spec.name!r} has {total:.1e} level patterns; at most 1.8e19")
        ops = _arrays(spec, offset, np.array(places, dtype=np.uint64))
        return cls(spec, stride, offset, ops, _refinements(spec, offset), np.array(sizes, dtype=np.uint64))

    @property
    def n_fields(self) -> int:
        """How many fields are compared."""
        return len(self.spec.fields)

    @property
    def n_levels(self) -> tuple[int, ...]:
        """Levels of each field, `differ` included, missing excluded."""
        return tuple(len(field.levels) + 1 for field in self.spec.fields)

    @property
    def names(self) -> tuple[str, ...]:
        """Field names in the order of the level columns."""
        return tuple(field.name for field in self.spec.fields)

    @cached_property
    def coded(self) -> tuple[FieldSpec, ...]:
        """The fields whose word is a code into the vocabulary; marks without a word are none."""
        return tuple(field for field in self.spec.fields if field.kind in CODED_KINDS and field.values > 0)

    @cached_property
    def worded(self) -> tuple[FieldSpec, ...]:
        """The fields of kind `words`."""
        return tuple(field for field in self.spec.fields if field.kind == "words")

    @cached_property
    def coded_words(self) -> NDArray[np.int64]:
        """The words that hold codes: what `remap` rewrites."""
        return np.array([self.offset[field.name] for field in self.coded], dtype=np.int64)

    @cached_property
    def key_levels(self) -> NDArray[np.int32]:
        """(1 + R, Q, K, PART_WORDS) the parts of all keys, and below them their refining ones; opcode -1 where none is.

        Q: every choice of every pass, see `key_passes`.
        """
        deepest = max(map(len, self.refinements), default=0)
        choices = np.concatenate(self.key_choices)
        parts = np.full((1 + deepest, *choices.shape), -1, dtype=np.int32)
        parts[0] = choices
        for number, refining in enumerate(self.refinements):
            for level, part in enumerate(refining, start=1):
                parts[level, self.key_passes == number, : len(part)] = part
        return parts

    @cached_property
    def key_choices(self) -> tuple[NDArray[np.int32], ...]:
        """Per pass (C, K, PART_WORDS): its key parts once for each choice of values that they can be made of.

        Each part chooses for itself, so two records share a key exactly where they share every part. One choice where
        no part reads a field with room for several values, or several words of a text; never more than CHOICES_MAX.
        """
        return tuple(choices_of(parts) for parts in self.ops.keys)

    @cached_property
    def key_passes(self) -> NDArray[np.int64]:
        """(Q,) the pass of each key, all choices of all passes one behind the other."""
        return np.repeat(np.arange(len(self.key_choices)), [len(choices) for choices in self.key_choices])

    @cached_property
    def reads_sounds(self) -> bool:
        """Whether a key goes by how a string sounds."""
        return self._has_key("sound")

    @cached_property
    def reads_classes(self) -> bool:
        """Whether a key or a level goes by nicknames, or by which names are well known."""
        opcodes = [TESTS[test].opcode for test in ("nickname", "same_name", "damerau")]
        return self._has_key("nick") or bool(np.isin(self.ops.tests, opcodes).any())

    @property
    def unit_rows(self) -> list[int]:
        """The fields that are units of a house. Nothing is learnt of them, and only their difference speaks."""
        return [row for row, field in enumerate(self.spec.fields) if field.mark == "unit"]

    def _has_key(self, function: str) -> bool:
        return bool((self.key_levels[..., 0] == KEY_FUNCTIONS[function].opcode).any())

    def words_of(self, field: str) -> slice:
        """The columns of one field in the record matrix, of all its values; none for a mark without a word."""
        spans = self.value_words(field) or [slice(0, 0)]
        return slice(spans[0].start, spans[-1].stop)

    def value_words(self, field: str) -> list[slice]:
        """The columns of each value of one field."""
        spec = next(each for each in self.spec.fields if each.name == field)
        at, width = self.offset[field], WIDTH_WORDS[spec.kind]
        return [slice(at + width * number, at + width * (number + 1)) for number in range(spec.values)]


def words_needed(spec: MatchSpec) -> int:
    """Words of a record under a spec."""
    return -(-sum(WIDTH_WORDS[field.kind] * field.values for field in spec.fields) // WORDS_STEP) * WORDS_STEP


def with_room(spec: MatchSpec, most: Mapping[str, int]) -> MatchSpec:
    """The spec with room for as many values as `most` says by field, as far as a record may grow."""
    wanted = dict(most)
    roomy = spec.with_values(wanted)
    while words_needed(roomy) > STRIDE_MAX_WORDS and max(wanted.values(), default=1) > 1:
        widest = max(wanted, key=lambda name: wanted[name])
        wanted[widest] -= 1
        roomy = spec.with_values(wanted)
    return roomy


def _arrays(spec: MatchSpec, offset: Mapping[str, int], place: NDArray[np.uint64]) -> LayoutArrays:
    n_fields = len(spec.fields)
    tests = np.full((n_fields, MAX_TESTS), -1, dtype=np.int32)
    thresholds = np.zeros((n_fields, MAX_TESTS), dtype=np.float64)
    for row, field in enumerate(spec.fields):
        for column, level in enumerate(field.levels):
            tests[row, column] = level.opcode
            thresholds[row, column] = 0.0 if level.threshold is None else level.threshold
        if field.mark is not None:
            tests[row, 0] = WORD_MARKS.get(field.mark, tests[row, 0])
    return LayoutArrays(
        offset=np.array([offset[field.name] for field in spec.fields], dtype=np.int32),
        width=np.array([WIDTH_WORDS[field.kind] for field in spec.fields], dtype=np.int32),
        values=np.array([field.values for field in spec.fields], dtype=np.int32),
        partner=np.array(
            [-1 if field.swap_with is None else offset[field.swap_with] for field in spec.fields], dtype=np.int32
        ),
        n_tests=np.array([len(field.levels) for field in spec.fields], dtype=np.int32),
        tests=tests,
        thresholds=thresholds,
        place=place,
        keys=_keys(spec, offset),
        **_marks(spec, offset),
    )


def _marks(spec: MatchSpec, offset: Mapping[str, int]) -> dict[str, NDArray[Any]]:
    marks = np.zeros((len(spec.fields), 2), dtype=np.uint64)
    places = np.full((len(spec.fields), MARK_WORDS), -1, dtype=np.int32)
    unit_of = np.full(len(spec.fields), -1, dtype=np.int32)
    for row, field in enumerate(spec.fields):
        if field.mark == "unit":
            unit_of[row] = offset[field.read_from[0]]
        elif field.mark is not None and field.mark not in WORD_MARKS:
            read = [*field.read_from, *([field.name] if field.values else [])]
            places[row, : len(read)] = [offset[name] for name in read]
            marks[row] = MARK_BITS[field.mark].mask, MARK_BITS[field.mark].counted
    has_unit = np.array([field.keeps_units for field in spec.fields])
    named = np.array([field.kind in ("given_name", "surname") for field in spec.fields])
    return {"named": named, "marks": marks, "mark_words": places, "unit_of": unit_of, "has_unit": has_unit}


def _keys(spec: MatchSpec, offset: Mapping[str, int]) -> NDArray[np.int32]:
    keys = np.full(
        (len(spec.passes), max(1, *(len(each.keys) for each in spec.passes)), PART_WORDS), -1, dtype=np.int32
    )
    for row, each in enumerate(spec.passes):
        for column, part in enumerate(each.parts):
            keys[row, column] = _key(part, spec, offset)
    return keys


def _refinements(spec: MatchSpec, offset: Mapping[str, int]) -> tuple[tuple[NDArray[np.int32], ...], ...]:
    """Per pass its refining keys, each (1, PART_WORDS) as `keys` has them; of several values they read the first."""
    return tuple(
        tuple(np.array([_key(part, spec, offset)], dtype=np.int32) for part in each.refine_parts)
        for each in spec.passes
    )


def choices_of(parts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Key parts (K, PART_WORDS) once for each choice of values, see `Layout.key_choices`."""
    steps = [range(max(int(part[5]), 1)) for part in parts]
    choices = list(islice(product(*steps), CHOICES_MAX))
    found = np.repeat(parts[None], len(choices), axis=0)
    found[:, :, 1] += np.array(choices, dtype=np.int32) * parts[None, :, 4]
    return found


def _key(part: KeyPart, spec: MatchSpec, offset: Mapping[str, int]) -> tuple[int, int, int, int, int, int]:
    read = next(field for field in spec.fields if field.name == part.field)
    kind = read.kind
    opcode = KEY_FUNCTIONS[part.function].opcode
    opcode = WHOLE_DATE if opcode == WHOLE and kind == "date" else opcode
    if kind == "identifier":
        # Its letters are a code into the vocabulary.
        opcode = {FIRST: PREFIX, LAST: SUFFIX}.get(opcode, opcode)
    other = 0 if part.other is None else offset[part.other]
    width = 0 if kind in CODED_KINDS else WIDTH_WORDS[kind]
    if opcode == RARE:
        # A choice is the next rarest word; where the text begins stands beside it, for the choice moves the word read.
        return opcode, offset[part.field], part.length, offset[part.field], 1, part.length
    if kind == "words":
        return opcode, offset[part.field] + TEXT_KEY_WORD, part.length, other, TEXT_KEY_WORDS, read.values
    return opcode, offset[part.field], part.length, other, width, read.values
