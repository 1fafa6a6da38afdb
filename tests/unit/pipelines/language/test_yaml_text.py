"""A spec's YAML: values that are what they look like, and nothing that YAML hides."""

from __future__ import annotations

import pytest

from core.errors import SpecError
from core.pipelines.language.yaml_text import MAX_BYTES, read_yaml


def test_plain_words_stay_text() -> None:
    read = read_yaml("on: yes\nland: NO\nnone: null\nday: 2026-01-01\nzip: 01099\nversion: 1e3\nsign: ~\n")
    assert read == {
        "on": "yes", "land": "NO", "none": "null", "day": "2026-01-01", "zip": "01099", "version": "1e3", "sign": "~",
    }  # fmt: skip


def test_numbers_and_truth_are_read() -> None:
    assert read_yaml("a: 3\nb: -0.5\nc: true\nd: '3'\ne: [1, false]") == {
        "a": 3, "b": -0.5, "c": True, "d": "3", "e": [1, False],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "line 2, column 1: the key a stands twice; keep one"),
        ("a: &x 1\nb: *x", "line 1, column 4: anchors and aliases are no part of the language; write it out"),
        ("a: !!python/name:os.system x", "line 1, column 4: tags such as tag:yaml.org,2002:python/name: are no part"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins; a file holds one pipeline"),
        ("? [a]\n: 1", "line 1, column 3: a key is a word, not a list or mapping"),
        ("- a", "a spec is a mapping of words such as pipeline, sources, steps and sink"),
        ("", "the spec is empty; it begins with `pipeline: NAME`"),
        ("a: [1", "this is no YAML"),
        ("a: \x01", "may not stand in it"),
        ("a: " + "[" * 40 + "]" * 40, "nested more than 30 deep"),
        ("a: " + "[" * 100_000, "line 1, column 33: nested more than 30 deep"),
    ],
)
def test_traps_are_refused_at_their_place(text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_yaml(text)
    assert said in str(caught.value)


def test_a_large_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(SpecError, match="a spec has at most 256 KB; this one has 257 KB"):
        read_yaml("# " + "x" * (MAX_BYTES + 1_000))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(SpecError, match=r"the spec is no text in UTF-8 \(byte 4\)"):
        read_yaml(b"a: \xff")
