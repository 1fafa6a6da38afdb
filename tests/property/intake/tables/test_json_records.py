"""The byte scanner finds what Python's json module finds, however the objects are written."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.tables.json_file import JsonFile
from tests.profiles import scaled

# A lone surrogate is no text.
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=8) | st.sampled_from(
    ['"', "\\", '\\"', "{", "}", "[", "]", ",", ":", "\n", "a,b", '{"a": 1}']
)
VALUES = TEXT | st.integers() | st.booleans() | st.none() | st.lists(TEXT, min_size=1, max_size=2)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUES, max_size=4), min_size=1, max_size=5)


@settings(max_examples=scaled(0.5))
@given(objects=OBJECTS, indent=st.sampled_from([None, 0, 2]), escaped=st.booleans())
def test_json_file_finds_what_json_finds(objects: list[dict[str, object]], indent: int | None, escaped: bool) -> None:
    records = [{"id": number, **each} for number, each in enumerate(objects)]
    array = json.dumps(records, indent=indent, ensure_ascii=escaped)
    lines = "\n".join(json.dumps(record, ensure_ascii=escaped) for record in records)
    for text in (array, lines):
        file = JsonFile(Path("x.json"), partial(io.BytesIO, text.encode()))
        # What is found of keys, before their blanks are looked at.
        assert set(file.stored) == {key for record in records for key in record}
        assert [record for block in file.blocks({"id"}) for record in block.frame["id"]] == [
            str(record["id"]) for record in records
        ]
        assert [
            json.loads(raw)
            for block in file.blocks({"id"})
            for raw in file.raws(block.offsets.tolist(), block.sizes.tolist())
        ] == records
