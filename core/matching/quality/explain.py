"""Why two records were joined, or not: the evidence of each field in bits, other readings of it, and the total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.blocking.block_keys import keys_by_choice, pass_keys, shared_keys
from core.matching.compare.patterns import compare_pairs
from core.matching.compare.words.neighbours import near_words
from core.matching.quality.agreeing_values import agreeing
from core.matching.quality.missed_pairs import Placing
from core.matching.quality.word_evidence import WordEvidence, marked_words, word_evidence
from core.matching.records.layout import Layout, choices_of
from core.matching.records.placeholders import null_values
from core.matching.records.vocabulary import Vocabulary, pack
from core.matching.records.words.token_table import KnownWords, WordRules
from core.matching.scoring.calibration.held_out import Calibration
from core.matching.scoring.classes import CLASSES, N_ONE_PERSON, rarity_counts
from core.matching.scoring.implied_fields import rows_of
from core.matching.scoring.match_weights import posterior
from core.matching.scoring.model import Model, rarity_bits, well_known
from core.matching.specs.levels import MISSING, WORD_MARKS
from core.matching.specs.spec import MatchSpec
from core.matching.standardise.normalise import normalise
from core.matching.text.marks import bare_of, mark_texts

BAR_BITS_PER_CHARACTER = 2.0
BAR_CHARACTERS_MAX = 20
SHOWN_MARKS: Mapping[tuple[str, str], str] = {
    ("suffix", "1"): "sr",
    ("suffix", "2"): "jr",
    ("suffix", "3"): "iii",
    ("suffix", "4"): "iv",
    ("suffix", "10"): "neto",
    ("suffix", "11"): "sobrinho",
    ("suffix", "12"): "bisneto",
    ("sex", "1"): "male",
    ("sex", "2"): "female",
}
READINGS: Mapping[str, str] = {
    "same": "one person at one home",
    "moved": "one person who moved",
    "kin": "two people of one home",
    "junior": "two people of one home and one name",
    "lodger": "two people of one home and two families",
    "namesake": "two strangers of one name",
    "relative": "two people of one family at two homes",
    "chance": "two strangers",
}


@dataclass(frozen=True)
class FieldEvidence:
    """What one field says; `bits` against chance, `rarity_bits` on top because the value they agree on is rare.

    words: of texts, how their words stand to each other.
    """

    name: str
    value_a: str | None
    value_b: str | None
    level: str
    bits: float
    rarity_bits: float
    words: WordEvidence | None = None


class Passes(NamedTuple):
    """Names of the passes that make a pair and of those that miss it, and for each of the latter why.

    untold: passes with `top`. Whether they made it no two records tell by themselves: others may be nearer.
    """

    made: tuple[str, ...]
    missed: tuple[str, ...]
    why: tuple[str, ...]
    untold: tuple[str, ...] = ()


NO_PASSES = Passes((), (), ())


@dataclass(frozen=True)
class Explanation:
    """One pair, explained: prior_bits + the fields' bits and rarity + other_readings_bits = total_bits.

    `missed_why` says for each pass of `missed_by` which of its keys differ or are missing. `left_out_by` are passes
    whose key they share, but in whose block a cut or a window kept them apart. `barred`: why no pass may compare them.
    `untold`: what passes with `top` go by, see `Passes`.
    """

    prior_bits: float
    fields: tuple[FieldEvidence, ...]
    other_readings_bits: float
    total_bits: float
    probability: float
    reading: str
    rival: str
    compared_by: tuple[str, ...]
    missed_by: tuple[str, ...]
    missed_why: tuple[str, ...]
    left_out_by: tuple[Placing, ...] = ()
    barred: str | None = None
    untold: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        found = asdict(self)
        for field in found["fields"]:
            # Only texts have words.
            if field["words"] is None:
                del field["words"]
        return found

    def to_lines(self) -> list[str]:
        """A waterfall in plain text, one line a step."""
        steps = [("prior", "how rare matches are", self.prior_bits)]
        for field in self.fields:
            seen = f"{field.level}: {_shown(field.value_a)} / {_shown(field.value_b)}"
            steps.append((field.name, seen, field.bits))
            if field.rarity_bits:
                steps.append(("", "rare value" if field.rarity_bits > 0 else "common value", field.rarity_bits))
        texts = {field.name: field.words.to_lines() for field in self.fields if field.words is not None}
        readings = f"{READINGS[self.reading]}, or {READINGS[self.rival]}"
        steps.append(("other readings", readings, self.other_readings_bits))
        wide = max(len(name) for name, _, _ in steps)
        wider = max(len(text) for _, text, _ in steps)
        lines = [f"{name:<{wide}}  {text:<{wider}}  {bits:+7.2f}  {_bar(bits)}" for name, text, bits in steps]
        outcome = f"probability {self.probability:.6f}"
        lines.append(f"{'total':<{wide}}  {outcome:<{wider}}  {self.total_bits:+7.2f}")
        lines += [f"words of {name}: {line}" for name, of_field in texts.items() for line in of_field]
        return lines + self._passes_lines()

    def _passes_lines(self) -> list[str]:
        never = "no key" if self.untold else "no pass: the pair was never compared in a run"
        lines = [f"compared by {', '.join(self.compared_by) or never}"]
        if self.barred is not None:
            return [*lines, f"kept from it: {self.barred}"]
        lines += [f"left out by {each.pass_name}: {each.why()}" for each in self.left_out_by]
        longest = max((len(name) for name in self.missed_by), default=0)
        for name, why in zip(self.missed_by, self.missed_why, strict=True):
            lines.append(f"missed by {name:<{longest}}  {why}")
        return [*lines, *(f"perhaps by {each}: OUT.pairs says whether others were nearer" for each in self.untold)]


def explain_pair(
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    levels: NDArray[np.uint8],
    model: Model,
    layout: Layout,
    passes: Passes = NO_PASSES,
) -> Explanation:
    """Explain one pair from its levels.

    Args:
        a, b: normalised values by field.
        levels: (n_fields,), as `compare_pairs` gives them.
        passes: those that made the pair, and those that did not.
    Returns:
        The same bits as the scoring kernel, within rounding.
    """
    seen = (shown(a, layout), shown(b, layout), levels)
    n_classes = len(CLASSES)
    bits, rare = np.zeros((n_classes, layout.n_fields)), np.zeros(layout.n_fields)
    implied = rows_of(model.implied, layout)
    for row, field in enumerate(model.fields):
        by = implied[row]
        if levels[row] == MISSING or (by >= 0 and levels[by] == layout.n_levels[by] - 1):
            continue
        bits[:, row] = [model.bits_of(field, name)[levels[row]] for name in CLASSES]
        exact = levels[row] == len(field.levels) - 1
        if field.name in model.term_tables and exact and (by < 0 or levels[by] == MISSING):
            table = model.term_tables[field.name]
            count = table.counts.get(bare_of(str(a[field.name])), 0)
            rare[row] = rarity_bits(count, table, field.shares["chance"][-1])
    rarity = (rarity_counts(layout) * rare).sum(axis=1)
    sums = model.log_shares + bits.sum(axis=1) - rarity
    if model.in_order:
        out = np.zeros(1)
        posterior((bits.sum(axis=1) - rarity)[None, :], model.log_shares, 1, True, out)
        total = float(out[0])
    else:
        total = _log2_total(sums[:N_ONE_PERSON]) - _log2_total(sums[N_ONE_PERSON:])
    reading = int(np.argmax(sums[:N_ONE_PERSON]))
    rival = N_ONE_PERSON + int(np.argmax(sums[N_ONE_PERSON:]))
    stated = model.prior_bits + bits[reading].sum() + rare.sum()
    return Explanation(
        prior_bits=model.prior_bits,
        fields=tuple(_evidence(model, row, seen, bits[reading], rare) for row in range(layout.n_fields)),
        other_readings_bits=float(total - stated),
        total_bits=float(total),
        probability=float(Calibration.of(model).probability(np.array(total), _bits_of(passes, layout))),
        reading=CLASSES[reading],
        rival=CLASSES[rival],
        compared_by=passes.made,
        missed_by=passes.missed,
        missed_why=passes.why,
        untold=passes.untold,
    )


def _bits_of(passes: Passes, layout: Layout) -> NDArray[np.uint32]:
    """() bits of the passes that make a pair."""
    made = [1 << number for number, each in enumerate(layout.spec.passes) if each.name in passes.made]
    return np.array(sum(made), dtype=np.uint32)


def shown(values: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Normalised values of a record as people read them: names without their marks, and the marks by themselves."""
    found = {name: (bare_of(value) or None) if isinstance(value, str) else value for name, value in values.items()}
    for field in (each for each in layout.spec.fields if each.mark is not None):
        if field.mark == "unit":
            found[field.name] = found.get(field.read_from[0])
            continue
        if field.mark in WORD_MARKS:
            found[field.name] = marked_words(values.get(field.read_from[0]), str(field.mark))
            continue
        texts = [str(values.get(name) or "") for name in (field.name, *field.read_from)]
        said = [mark_texts(text)[str(field.mark)] for text in texts if str(field.mark) in mark_texts(text)]
        found[field.name] = SHOWN_MARKS.get((str(field.mark), said[0]), said[0].upper()) if said else None
    return found


def _evidence(
    model: Model,
    row: int,
    pair: tuple[Mapping[str, Any], Mapping[str, Any], NDArray[np.uint8]],
    bits: NDArray[np.float64],
    rare: NDArray[np.float64],
) -> FieldEvidence:
    a, b, levels = pair
    field = model.fields[row]
    level = "missing" if levels[row] == MISSING else field.levels[levels[row]]
    value_a, value_b = a.get(field.name), b.get(field.name)
    return FieldEvidence(
        name=field.name,
        value_a=None if value_a is None else str(value_a),
        value_b=None if value_b is None else str(value_b),
        level=level,
        bits=float(bits[row]),
        rarity_bits=float(rare[row]),
    )


def explain_records(
    pair: pl.DataFrame,
    model: Model,
    spec: MatchSpec,
    date_orders: Sequence[Mapping[str, bool]] = ({}, {}),
    placeholders: Mapping[str, NDArray[np.uint64]] | None = None,
    known: KnownWords | None = None,
) -> Explanation:
    """Explain two raw records, whether or not a run ever compared them; no block is taken to be cut or windowed.

    Args:
        pair: two rows, one String column per field of the spec.
        date_orders: of each record, see `normalise`.
        placeholders: the values the run nulled, as `placeholders` found them. known: the words of the run.
    """
    layout = Layout.of(spec)
    values = pl.concat(normalise(pair[at : at + 1], spec, orders) for at, orders in enumerate(date_orders))
    words, vocabulary = pack(values, layout, WordRules(near_words, known))
    vocabulary.mark_well_known(well_known(model.term_tables, layout))
    for name, suspects in (placeholders or {}).items():
        null_values(words, layout, name, suspects)
    left, right = np.array([0], dtype=np.uint32), np.array([1], dtype=np.uint32)
    levels = compare_pairs(words, vocabulary, layout, left, right)[0]
    passes = passes_of_pair(words, vocabulary, layout)
    a, b = values.row(0, named=True), values.row(1, named=True)
    for field in (each for each in spec.fields if each.values > 1):
        suspected = (placeholders or {}).get(field.name, np.zeros(0, dtype=np.uint64))
        a[field.name], b[field.name] = agreeing((a[field.name], b[field.name]), field, suspected)
    found = explain_pair(a, b, levels, model, layout, passes)
    texts = word_evidence(values, words, vocabulary.arrays.tokens, layout, known) if layout.worded else {}
    return replace(found, fields=tuple(replace(each, words=texts.get(each.name)) for each in found.fields))


def passes_of_pair(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout) -> Passes:
    """Which passes make the pair of two packed records, and what keeps the others from it. words: (2, stride)."""
    keys = pass_keys(words, vocabulary, layout)
    mine = [keys[:, layout.key_passes == number] for number in range(len(layout.spec.passes))]
    made = [bool(shared_keys(each[:1], each[1:]).any()) for each in mine]
    names, keyed = [each.name for each in layout.spec.passes], [each.top is None for each in layout.spec.passes]
    missed = [number for number, yes in enumerate(made) if keyed[number] and not yes]
    return Passes(
        tuple(name for name, yes in zip(names, made, strict=True) if yes),
        tuple(names[number] for number in missed),
        tuple(_why_missed(words, vocabulary, layout, number) for number in missed),
        tuple(f"{each.name} ({each.says})" for each in layout.spec.passes if each.top is not None),
    )


def _why_missed(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, number: int) -> str:
    """The keys of a pass that are missing or differ, each made alone by the kernel that makes them all."""
    said = []
    for at, text in enumerate(layout.spec.passes[number].keys):
        shared, there = _shares(words, vocabulary, choices_of(layout.ops.keys[number, at : at + 1]))
        if not there.all():
            said.append(f"{text} is missing" + (" in both" if not there.any() else " in one"))
        elif not shared:
            said.append(f"{text} differs")
    return ", ".join(said)


def _shares(
    words: NDArray[np.uint32], vocabulary: Vocabulary, choices: NDArray[np.int32]
) -> tuple[bool, NDArray[np.bool_]]:
    """Whether two records share a key, and which of them have one at all."""
    keys = keys_by_choice(words, vocabulary, choices)
    return bool(shared_keys(keys[:1], keys[1:]).any()), np.asarray(keys.any(axis=1))


def _log2_total(sums: NDArray[np.float64]) -> float:
    highest = float(sums.max())
    return highest + float(np.log2(np.exp2(sums - highest).sum()))


def _bar(bits: float) -> str:
    length = min(round(abs(bits) / BAR_BITS_PER_CHARACTER), BAR_CHARACTERS_MAX)
    return ("+" if bits >= 0 else "-") * length


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value
