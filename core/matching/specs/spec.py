"""The match spec: fields, their comparison levels, the blocking passes and the thresholds, as checked data.

A spec is YAML on disk. `persons` is built in. Everything that a run decides by lives here, so its fingerprint names
the rules of a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from core.errors import SpecError
from core.matching.specs.key_expressions import check_key
from core.matching.specs.levels import (
    CODED_KINDS,
    DEFAULT_LEVELS,
    MARK_SHARES,
    MARK_SOURCES,
    MAX_TESTS,
    SEVERAL_KINDS,
    TESTS,
    VALUES_MAX,
    Kind,
    Level,
    LevelText,
    Mark,
    word_shares,
)
from core.matching.specs.passes import Frozen, PassSpec

NamePart = Literal[
    "given", "middle", "surname", "head", "rest", "numbers", "legal_form", "acronym", "domain"
]  # fmt: skip
PART_KINDS = ("given_name", "surname", "text", "category", "code")
SPEC_FOLDER = Path(__file__).parent
USABLE_PASSES_MIN = 3


class FieldSpec(Frozen):
    """One field: its kind decides normalisation, width and default levels.

    `belongs_to` says with whom a person has the value in common: no one, the family (a surname), or all at one home.
    `made_of` names the fields the value is often put together from, as an e-mail address is from names.
    Two records that differ in a field that `tells_apart` are never one, such as the numbers of two branches.
    `part_of` and `part` take words out of a column that holds a name whole. `slips: keep` compares the digits of dates
    that do not exist also where values that cannot be read are refused. `values` is how many values a record
    has room for, as a person has several telephones; a run sets it by the most that one of its records has.
    A `mark` is read from the names that `read_from` lists, and from a column of its own where there is one; without
    one it has no words in a record, and `values` is 0. The mark `unit` (Apt 3, 3rd floor) is read from one street, and
    from no column of its own; that street `keeps_units` in its words, which no file says. Codes and numbers
    are read from one field of kind `words`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Kind
    aliases: tuple[str, ...] = ()
    levels: tuple[LevelText, ...] = Field(default=(), max_length=MAX_TESTS)
    term_frequency: bool = False
    belongs_to: Literal["person", "family", "home"] = "person"
    swap_with: str | None = None
    made_of: tuple[str, ...] = ()
    keep_last: int | None = Field(default=None, ge=4, le=16)
    part_of: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    part: NamePart | None = None
    slips: Literal["refuse", "keep"] = "refuse"
    tells_apart: bool = False
    values: int = Field(default=1, ge=0, le=VALUES_MAX)
    mark: Mark | None = None
    read_from: tuple[str, ...] = Field(default=(), max_length=2)
    keeps_units: bool = Field(default=False, exclude=True)

    @property
    def column(self) -> str:
        """What the user's column is called: the field, or the whole that it is a part of."""
        return self.part_of or self.name

    @property
    def shared(self) -> bool:
        """Whether people of one home share the value."""
        return self.belongs_to != "person"

    @property
    def gathers(self) -> bool:
        """Whether every column that goes by one of the field's names holds values of it: telephones, mail addresses.

        Identifiers do not: a tax number is no second number of a passport. Telephones are told by `keep_last`.
        """
        return self.kind == "email" or (self.kind == "digits" and self.keep_last is not None)

    @model_validator(mode="after")
    def _complete(self) -> FieldSpec:
        if not self.levels:
            levels = DEFAULT_LEVELS[self.kind]
            if self.swap_with is None:
                levels = tuple(level for level in levels if level.test != "swapped")
            object.__setattr__(self, "levels", levels)
        if self.levels[0].test != "exact":
            raise ValueError(f"the first level of field {self.name!r} must be 'exact', not {self.levels[0].label!r}")
        for level in self.levels:
            if self.kind not in TESTS[level.test].kinds:
                allowed = ", ".join(name for name, test in TESTS.items() if self.kind in test.kinds)
                raise ValueError(f"level {level.label!r} cannot test kind {self.kind!r}; allowed: {allowed}")
        if self.swap_with is None and any(level.test == "swapped" for level in self.levels):
            raise ValueError(f"field {self.name!r} has a level 'swapped' but no swap_with")
        if (self.part_of is None) != (self.part is None):
            raise ValueError(f"field {self.name!r}: part_of and part come together: which column, and which part of it")
        if self.part is not None and self.kind not in PART_KINDS:
            raise ValueError(f"part is for kinds {', '.join(PART_KINDS)}, field {self.name!r} is {self.kind!r}")
        if self.tells_apart and self.kind not in CODED_KINDS:
            raise ValueError(
                f"tells_apart is for kinds {', '.join(sorted(CODED_KINDS))}, field {self.name!r} is {self.kind!r}"
            )
        if self.term_frequency and self.kind == "words":
            raise ValueError(f"field {self.name!r}: the words of kind 'words' weigh by their frequency anyway")
        if self.slips == "keep" and self.kind != "date":
            raise ValueError(f"slips is for kind 'date', field {self.name!r} is {self.kind!r}")
        if self.values > 1 and self.kind not in SEVERAL_KINDS:
            raise ValueError(f"values is for kinds {', '.join(SEVERAL_KINDS)}, field {self.name!r} is {self.kind!r}")
        if self.keep_last is not None and self.kind != "digits":
            raise ValueError(f"keep_last is for kind 'digits', field {self.name!r} is {self.kind!r}")
        self._check_mark()
        return self

    def _check_mark(self) -> None:
        if (self.kind == "mark") != (self.mark is not None):
            raise ValueError(f"field {self.name!r}: kind 'mark' and mark come together: which of {get_args(Mark)}")
        if self.read_from and self.mark is None:
            raise ValueError(f"read_from is for kind 'mark', field {self.name!r} is {self.kind!r}")
        has_column = "values" in self.model_fields_set and self.values > 0
        source = MARK_SOURCES.get(self.mark or "")
        if source is not None and (len(self.read_from) != 1 or has_column):
            raise ValueError(
                f"field {self.name!r}: mark {self.mark!r} is read from one {source}, and from no column of its own"
            )
        if self.mark is not None and "values" not in self.model_fields_set:
            object.__setattr__(self, "values", 0)
        if self.values == 0 and self.mark is None:
            raise ValueError(f"field {self.name!r} has room for no value")

    def expected_shares(self, side: Literal["m", "u"]) -> list[float]:
        """Shares of the levels, `differ` first, before any data: of one person (m), of strangers (u)."""
        if self.mark is not None:
            exact = MARK_SHARES[self.mark][side == "u"]
            return [1.0 - exact, exact]
        if self.kind == "words":
            return word_shares(self.levels, side)
        shares = [getattr(TESTS[level.test], side) for level in reversed(self.levels)]
        return [max(1.0 - sum(shares), 0.02), *shares]


class MatchSpec(Frozen):
    """Everything a run decides by. Thresholds are posterior log-odds in bits."""

    name: str
    fields: tuple[FieldSpec, ...] = Field(min_length=1, max_length=24)
    passes: tuple[PassSpec, ...] = Field(min_length=1, max_length=32)
    match_bits: float = Field(default=0.0, ge=-64, le=64)
    review_bits: float = Field(default=-6.0, ge=-64, le=64)
    max_cluster: int = Field(default=50, ge=2, le=10_000)
    moves: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> MatchSpec:
        for what, names in (("field", [f.name for f in self.fields]), ("pass", [p.name for p in self.passes])):
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise ValueError(f"{what} named twice: {', '.join(doubled)}")
        kinds = {field.name: field.kind for field in self.fields}
        for pass_ in self.passes:
            for part in (*pass_.parts, *pass_.refine_parts):
                try:
                    check_key(part, kinds)
                except ValueError as error:
                    raise ValueError(f"pass {pass_.name!r}: {error}") from None
            no_text = [name for name in pass_.fields if pass_.top and kinds.get(name) != "words"]
            if no_text:
                raise ValueError(f"pass {pass_.name!r} is `of` fields of kind words, and {', '.join(no_text)} is none")
        for field in self.fields:
            partner = next((f for f in self.fields if f.name == field.swap_with), None)
            if field.swap_with is not None and (partner is None or partner.swap_with != field.name):
                raise ValueError(f"swap_with of {field.name!r} must name a field that names it back")
        for field in self.fields:
            source = MARK_SOURCES.get(field.mark or "")
            allowed = {"given_name", "surname"} if source is None else {source}
            others = ", ".join(sorted(name for name in field.read_from if kinds.get(name) not in allowed))
            if others:
                raise ValueError(f"read_from of {field.name!r} names no {' or '.join(sorted(allowed))}: {others}")
            strangers = sorted(set(field.made_of) - kinds.keys())
            if strangers:
                raise ValueError(f"made_of of {field.name!r} names no field of the spec: {', '.join(strangers)}")
        wholes = {field.part_of for field in self.fields} & kinds.keys()
        if wholes:
            raise ValueError(f"part_of names a column, not the field {', '.join(map(repr, sorted(wholes, key=str)))}")
        if self.review_bits > self.match_bits:
            raise ValueError("review_bits must not exceed match_bits")
        ahead = [each.name for each in self.passes[: self.n_always] if each.wide]
        if ahead:
            raise ValueError(f"wide passes stand behind all others, move {', '.join(ahead)}")
        read = {name for field in self.fields if field.mark == "unit" for name in field.read_from}
        if read:
            streets = (field.model_copy(update={"keeps_units": field.name in read}) for field in self.fields)
            object.__setattr__(self, "fields", tuple(streets))
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that are read, as the spec calls them, each once."""
        return tuple(dict.fromkeys(field.column for field in self.fields if field.values > 0))

    @property
    def n_always(self) -> int:
        """How many passes every job makes: the wide ones stand behind them."""
        return sum(not each.wide for each in self.passes)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the spec's canonical JSON: equal rules, equal fingerprint.

        By what names a column is found is no rule of matching: a model holds whatever its columns were called, and
        however many values its records have room for.
        """
        unnamed, marks = {"aliases", "values"}, {"mark", "read_from"}
        # A spec without marks or wide passes, of what moves, keeps the fingerprint that it had before there were any.
        left_out = {at: unnamed if field.mark else unnamed | marks for at, field in enumerate(self.fields)}
        kept = [
            ({"wide"} if not each.wide else set()) | ({"top", "of"} if not each.top else set()) for each in self.passes
        ]
        narrow = {at: without for at, without in enumerate(kept) if without}
        text = self.model_dump_json(exclude={"fields": left_out, "passes": narrow, "moves": self.moves})
        return hashlib.sha256(text.encode()).hexdigest()

    def restrict(self, mapped: Collection[str]) -> tuple[MatchSpec, list[str]]:
        """Keep only the mapped fields and the passes that need nothing else.

        Returns:
            The smaller spec and one notice per thing dropped.
        Raises:
            SpecError: `mapped` names an unknown field, or fewer than three passes remain.
        """
        unknown = sorted(set(mapped) - {field.name for field in self.fields})
        if unknown:
            known = ", ".join(field.name for field in self.fields)
            raise SpecError(f"spec {self.name!r} has no field {', '.join(unknown)}; fields: {known}", fields=unknown)
        kept = [field for field in self.fields if {field.name, *field.read_from} & set(mapped)]
        fields = tuple(_alone(field, mapped) for field in kept)
        passes = tuple(each.within(mapped) for each in self.passes if _can_run(each, mapped))
        always = tuple(each for each in passes if not each.wide)
        if len(always) < USABLE_PASSES_MIN:
            raise self._too_few(mapped, always)
        notices = [f"field {f.name} is not mapped and is not compared" for f in self.fields if f not in kept]
        notices += [f"pass {p.name} is dropped: {_needs(p, mapped)}" for p in self.passes if not _can_run(p, mapped)]
        return self.model_copy(update={"fields": fields, "passes": passes}), notices

    def with_values(self, most: Mapping[str, int]) -> MatchSpec:
        """Give fields room for as many values as `most` says by field, at most VALUES_MAX, and never less than now."""
        fields = tuple(
            field.model_copy(update={"values": min(max(field.values, most.get(field.name, 1)), VALUES_MAX)})
            if field.kind in SEVERAL_KINDS
            else field
            for field in self.fields
        )
        return self.model_copy(update={"fields": fields})

    def only(self, passes: Collection[str]) -> MatchSpec:
        """Some passes without refinement, and the fields that their keys read: enough to make these keys."""
        kept = tuple(each for each in self.passes if each.name in passes)
        read = {field for each in kept for field in each.fields}
        return self.model_copy(
            update={
                "fields": tuple(_alone(field, read) for field in self.fields if field.name in read),
                "passes": tuple(each.model_copy(update={"refine": ()}) for each in kept),
            }
        )

    def _too_few(self, mapped: Collection[str], passes: tuple[PassSpec, ...]) -> SpecError:
        if not mapped:
            return self._nothing_mapped()
        have, always = ", ".join(sorted(mapped)), self.passes[: self.n_always]
        needs = "; ".join(f"{each.name}: {_needs(each, mapped)}" for each in always if not _can_run(each, mapped))
        return SpecError(
            f"spec {self.name!r}: only {len(passes)} of {len(always)} passes can run, at least "
            f"{USABLE_PASSES_MIN} must; mapped: {have}; {needs}",
            usable=len(passes),
            limit=USABLE_PASSES_MIN,
        )

    def _nothing_mapped(self) -> SpecError:
        fields = ", ".join(self.columns)
        return SpecError(
            f"spec {self.name!r}: no column of the input is recognised; say which is which, for example "
            f"--map {self.columns[0]}=COLUMN (fields: {fields})",
            usable=0,
            limit=USABLE_PASSES_MIN,
        )


def _can_run(each: PassSpec, mapped: Collection[str]) -> bool:
    return set(each.fields) <= set(mapped)


def _needs(each: PassSpec, mapped: Collection[str]) -> str:
    return "needs " + ", ".join(field for field in each.fields if field not in mapped)


def _alone(field: FieldSpec, mapped: Collection[str]) -> FieldSpec:
    """The field without what it says about fields that are not mapped."""
    if field.mark is not None:
        if field.mark == "unit" and field.name in mapped:
            raise SpecError(f"{field.name!r} is read from the street alone: `--map {field.read_from[0]}=ROAD+UNIT`")
        read_from = tuple(name for name in field.read_from if name in mapped)
        return field.model_copy(update={"values": int(field.name in mapped), "read_from": read_from})
    made_of = tuple(name for name in field.made_of if name in mapped)
    if field.swap_with is None or field.swap_with in mapped:
        return field.model_copy(update={"made_of": made_of})
    levels: tuple[Level, ...] = tuple(level for level in field.levels if level.test != "swapped")
    return field.model_copy(update={"swap_with": None, "levels": levels, "made_of": made_of})


@cache
def built_in_specs() -> tuple[str, ...]:
    """Names of the specs that come with Headrace."""
    return tuple(sorted(path.stem for path in SPEC_FOLDER.glob("*.yaml")))


@cache
def earlier_versions(name: str) -> tuple[MatchSpec, ...]:
    """A built-in spec as older versions of Headrace had it, the latest first: what they began goes on under it."""
    if name not in built_in_specs():
        return ()
    paths = sorted((SPEC_FOLDER / "earlier").glob(f"{name}-[0-9]*.yaml"), reverse=True)
    return tuple(load_spec(path) for path in paths)


def load_spec(name_or_path: str | Path) -> MatchSpec:
    """Load a built-in spec by name, or any spec from a YAML file.

    Raises:
        SpecError: not found, not YAML, or not a valid spec; names file, key, value seen and what is allowed.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = SPEC_FOLDER / f"{name_or_path}.yaml"
    if not path.is_file():
        built_in = ", ".join(built_in_specs())
        raise SpecError(f"no spec {str(name_or_path)!r}; built in: {built_in}; or give the path of a .yaml file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name}: not YAML: {' '.join(str(error).split())}", path=str(path)) from None
    if not isinstance(content, dict):
        raise SpecError(f"{path.name}: a spec is a mapping with name, fields and passes", path=str(path))
    try:
        return MatchSpec.model_validate(content)
    except ValidationError as error:
        raise SpecError(f"{path.name}: {describe(error)}", path=str(path)) from None


def describe(error: ValidationError) -> str:
    """Put a validation error into one line: key, what is wrong, value seen."""
    lines = []
    for detail in error.errors(include_url=False):
        where = ".".join(str(part) for part in detail["loc"]) or "spec"
        seen = "" if isinstance(detail["input"], dict | list | BaseModel) else f" (got {detail['input']!r})"
        lines.append(f"{where}: {detail['msg'].removeprefix('Value error, ')}{seen}")
    return "; ".join(lines)
