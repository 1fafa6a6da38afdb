"""A blocking pass of a match spec, as checked data."""

from __future__ import annotations

import re
from collections.abc import Collection
from math import prod

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.matching.specs.key_expressions import CHOICES_MAX, KeyPart, parse_key

TOP_MAX = 50
"""Most texts that one may meet in a pass with `top`."""
_OF = re.compile(r"^\s*(?:grams|words)\(\s*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*\)\s*$")


class Frozen(BaseModel):
    """A part of a spec: it never changes, and has nothing that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PassSpec(Frozen):
    """One blocking pass: records are compared when all its keys are equal and none is missing.

    `refine` is for keys that make too large a block: one of more records than the window is split by the first
    refinement key, parts still too large by the next; what is too large after the last goes to the sorted-neighbourhood
    window. Records without the value stay together as one part. A `wide` pass is made only where there is room for
    its pairs, see `wide_passes`.

    A pass without keys has `top`: each text meets the so many most like it, by the texts that `of` names, written
    `grams(title, authors)` (words and runs of four letters) or `words(title)`; see `nearest_texts`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    keys: tuple[str, ...] = Field(default=(), max_length=6)
    refine: tuple[str, ...] = Field(default=(), max_length=4)
    wide: bool = False
    top: int | None = Field(default=None, ge=1, le=TOP_MAX)
    of: str | None = None

    @model_validator(mode="after")
    def _parse(self) -> PassSpec:
        if self.top is not None or self.of is not None:
            return self._parse_top()
        if not self.keys:
            raise ValueError(f'pass {self.name!r} has neither keys nor `top: 10, of: "grams(FIELD)"`')
        for key in (*self.keys, *self.refine):
            parse_key(key)
        repeated = sorted(key for key in set(self.refine) if self.refine.count(key) > 1 or key in self.keys)
        if repeated:
            raise ValueError(f"refine of pass {self.name!r} splits nothing by {', '.join(repeated)}: given twice")
        several = [part.function for part in self.refine_parts if part.function == "rare"]
        if several:
            raise ValueError(f"refine of pass {self.name!r} takes one key a record, and rare(field, n) is several")
        n_keys = prod(part.n_keys for part in self.parts)
        if n_keys > CHOICES_MAX:
            raise ValueError(
                f"pass {self.name!r} gives a record {n_keys} keys, at most {CHOICES_MAX}: ask for fewer rare words"
            )
        return self

    def _parse_top(self) -> PassSpec:
        if self.top is None or self.of is None:
            raise ValueError(f'pass {self.name!r}: `top` and `of` go together, as in `top: 10, of: "grams(title)"`')
        if self.keys or self.refine or self.wide:
            raise ValueError(f"pass {self.name!r} has `top` and takes no keys, refine or wide beside it")
        if _OF.match(self.of) is None:
            raise ValueError(f"of: {self.of!r} is neither grams(FIELD, ...) nor words(FIELD, ...)")
        return self

    @property
    def by_grams(self) -> bool:
        """Whether a pass with `top` goes by runs of letters too, not by words alone."""
        return self.of is not None and self.of.strip().startswith("grams")

    @property
    def says(self) -> str:
        """What brings records together, as the spec writes it."""
        return ", ".join(self.keys) if self.top is None else f"top {self.top} of {self.of}"

    @property
    def parts(self) -> tuple[KeyPart, ...]:
        """The parsed key expressions."""
        return tuple(parse_key(key) for key in self.keys)

    @property
    def refine_parts(self) -> tuple[KeyPart, ...]:
        """The parsed refinement keys, in the order they are used."""
        return tuple(parse_key(key) for key in self.refine)

    def within(self, mapped: Collection[str]) -> PassSpec:
        """The pass without refinement keys over fields that are not mapped."""
        pairs = zip(self.refine, self.refine_parts, strict=True)
        return self.model_copy(update={"refine": tuple(key for key, part in pairs if set(part.fields) <= set(mapped))})

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the keys of the pass read, or those it is `of`, in order, each once."""
        if self.of is not None:
            found = _OF.match(self.of)
            names = found.group(1) if found else ""
            return tuple(dict.fromkeys(name.strip() for name in names.split(",")))
        return tuple(dict.fromkeys(field for part in self.parts for field in part.fields))
