"""Files that one stage leaves to later ones: pairs, placeholders, and texts of kind `words` with all their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson

from core.matching.compare.words.neighbours import near_words
from core.matching.edges import Edges
from core.matching.records.layout import Layout
from core.matching.records.words.text_records import n_cut, put_texts, text_records
from core.matching.records.words.texts import Texts
from core.matching.records.words.token_table import TokenArrays, TokenMarks, code_words
from core.matching.text.string_views import Spread
from core.storage.workspace import Array, Folder, load, load_frame, save, save_frame


def load_edges(folder: Folder) -> Edges:
    """Read the scored pairs a stage left in its folder."""
    return Edges.from_frame(load_frame(folder, "edges"))


def save_placeholders(folder: Path, values: Mapping[str, Array]) -> None:
    """Keep the packed values that a run took for placeholders, so that explanations blank the same ones."""
    named = {field: found.tolist() for field, found in values.items()}
    (folder / "placeholders.json").write_bytes(orjson.dumps(named))


def load_placeholders(folder: Folder) -> dict[str, list[int]]:
    """Read what `save_placeholders` wrote."""
    found: dict[str, list[int]] = orjson.loads((folder / "placeholders.json").read_bytes())
    return found


def save_texts(folder: Path, layout: Layout, texts: Mapping[str, Texts]) -> None:
    """Keep the texts of a range, field by field."""
    for number, field in enumerate(layout.worded):
        of_field = texts[field.name]
        save(folder, {f"texts-{number}-{name}": array for name, array in of_field.to_arrays().items()})
        save_frame(folder, f"texts-{number}", of_field.words.to_frame("word"))


def load_texts(folder: Folder, number: int) -> Texts:
    """The texts of one field of a range, memory-mapped."""
    arrays = {name: load(folder, f"texts-{number}-{name}") for name in ("starts", "members", "hashes")}
    return Texts(load_frame(folder, f"texts-{number}")["word"], **arrays)


def save_words(folder: Path, layout: Layout, parts: Sequence[Folder], spread: Spread) -> int:
    """Number and weigh all words, find what may stand for each, and keep it; returns how many there are."""
    texts = [[load_texts(part, number) for part in parts] for number in range(len(layout.worded))]
    table, codes = code_words(texts, spread)
    tokens = near_words(table, spread)
    save(folder, {f"tokens-{name}": array for name, array in tokens._asdict().items()})
    save(folder, {f"marks-{name}": array for name, array in table.marks(tokens)._asdict().items()})
    for number, of_field in enumerate(codes):
        save(folder, {f"words-{number}-{part:05d}": each for part, each in enumerate(of_field)})
    save_frame(folder, "words", table.to_frame())
    return len(table) - 1


def load_tokens(folder: Folder) -> TokenArrays:
    """The words of the job as comparison reads them, memory-mapped."""
    return TokenArrays(*(load(folder, f"tokens-{name}") for name in TokenArrays._fields))


def encode_texts(words: Array, layout: Layout, source: Folder, target: Folder, partition: int) -> dict[str, int]:
    """Put the records of texts in the place of their numbers; by field how many records lost words for their length.

    Args:
        source: of the range. target: of the words of the job.
    """
    marks = TokenMarks(*(load(target, f"marks-{name}") for name in TokenMarks._fields))
    records, cut = {}, {}
    for number, field in enumerate(layout.worded):
        texts, codes = load_texts(source, number), load(target, f"words-{number}-{partition:05d}")
        records[field.name] = text_records(texts.starts, texts.members, np.asarray(codes), marks)
        cut[field.name] = n_cut(texts.starts, words[:, layout.offset[field.name]])
    put_texts(words, layout, records)
    return {name: count for name, count in cut.items() if count}
