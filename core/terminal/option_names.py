"""Fields of a request as options of a command: what is below the command line does not know how it is asked."""

from __future__ import annotations

import re
from typing import Final

from core.errors import HeadraceError

_OTHERWISE: Final = {"id_column": "--id", "mapping": "--map", "link_mapping": "--link-map", "without_names": "--yes"}


def option_of(field: str) -> str:
    """`--bad-rows` of `bad_rows`."""
    return _OTHERWISE.get(field, "--" + field.replace("_", "-"))


def named_options(notice: str) -> str:
    """A notice for a person at the terminal: each field of a request, written `field` there, as the option for it."""
    return re.sub(r"`([a-z][a-z_]*)`", lambda field: option_of(field[1]), notice)


def in_options(error: HeadraceError) -> str:
    """Its sentence for a person at the terminal: each of its `fields`, written `field` there, as the option for it."""
    sentence = error.message
    for field in error.facts.get("fields", ()):
        sentence = sentence.replace(f"`{field}`", option_of(field))
    return sentence
