"""A blocking pass of a match spec, as checked data."""

from __future__ import annotations

from collections.abc import Collection
from math import prod

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.matching.specs.key_expressions import CHOICES_MAX, KeyPart, parse_key


class Frozen(BaseModel):
    """A part of a spec: it never changes, and has nothing that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PassSpec(Frozen):
    """One blocking pass: records are compared when all its keys are equal and none is missing.

    `refine` is for keys that make too large a block: one of more records than the window is split by the first
    refinement key, parts still too large by the next; what is too large after the last goes to the sorted-neighbourhood
    window. Records without the value stay together as one part. A `wide` pass is made only where there is room for
    its pairs, see `wide_passes`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    keys: tuple[str, ...] = Field(min_length=1, max_length=6)
    refine: tuple[str, ...] = Field(default=(), max_length=4)
    wide: bool = False

    @model_validator(mode="after")
    def _parse(self) -> PassSpec:
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
        """The fields that the keys of the pass read, in order, each once."""
        return tuple(dict.fromkeys(field for part in self.parts for field in part.fields))
