"""The factors of a set by scheme and code, each with what it comes to under the policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from core.workloads.emissions.factors.dataset import Dataset, Factor
from core.workloads.emissions.factors.loaders.reading import path_code
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.inventory.policies.policy import Policy
from core.workloads.emissions.rules.gases import co2e
from core.workloads.emissions.rules.units import Unit, unit_of

_PATHS = ("desnz", "epa-hub", "own")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A factor that may be chosen.

    rank: of its source in the set; place: of its data set in the set; number: of it in its data set, from 1.
    """

    rank: int
    place: int
    dataset: Dataset
    number: int
    factor: Factor

    @property
    def unit(self) -> Unit:
        """Of the activity."""
        return _unit(self.factor.unit)


class Catalog:
    """Look-ups in a factor set; sources rank in the order in which the set first names them."""

    def __init__(self, factor_set: FactorSet, policy: Policy) -> None:
        self.set = factor_set
        self.policy = policy
        self._by_code: dict[tuple[str, str], list[Candidate]] = {}
        self._by_reference: dict[str, list[Candidate]] = {}
        self._by_head: dict[tuple[str, str], list[Candidate]] = {}
        sources: dict[str, int] = {}
        for place, member in enumerate(factor_set.members):
            rank = sources.setdefault(member.edition.source, len(sources))
            for number, factor in enumerate(member.factors, 1):
                self._add(Candidate(rank, place, member, number, factor))

    @property
    def is_regional(self) -> bool:
        """Whether one scheme has factors of several regions."""
        pairs = {(factor.scheme, factor.region) for member in self.set.members for factor in member.factors}
        return len(pairs) > len({scheme for scheme, _ in pairs})

    def exact(self, scheme: str, code: str) -> list[Candidate]:
        """Candidates of the very code."""
        return self._by_code.get((scheme, folded(scheme, code)), [])

    def below(self, scheme: str, code: str) -> list[Candidate]:
        """Candidates of all codes that the code is a parent of."""
        return self._by_head.get((scheme, folded(scheme, code)), [])

    def of_reference(self, code: str) -> list[Candidate]:
        """Candidates of a commodity of EPA's model."""
        return self._by_reference.get(code.casefold(), [])

    def kg(self, factor: Factor) -> Fraction | None:
        """kg CO2e a unit under the policy; None: the publisher's cell is blank, which is no 0."""
        without = self.policy.margins == "without"
        if factor.gases:
            return co2e(
                {gas: Fraction(part if without else whole) for gas, whole, part in factor.gases}, self.policy.gwp_set
            )
        text = factor.without_margins if without and factor.without_margins is not None else factor.value
        return None if text is None else Fraction(text)

    def has_margins(self, factor: Factor) -> bool:
        """Whether trade and transport are part of the figure that is used."""
        if self.policy.margins == "without":
            return False
        if factor.gases:
            return any(Fraction(whole) != Fraction(part) for _, whole, part in factor.gases)
        return factor.without_margins is not None and factor.value != factor.without_margins

    def _add(self, candidate: Candidate) -> None:
        factor = candidate.factor
        code = folded(factor.scheme, factor.code)
        self._by_code.setdefault((factor.scheme, code), []).append(candidate)
        if factor.reference:
            self._by_reference.setdefault(factor.reference.casefold(), []).append(candidate)
        for head in _heads(factor.scheme, code):
            self._by_head.setdefault((factor.scheme, head), []).append(candidate)


def folded(scheme: str, code: str) -> str:
    """The code as it is compared: levels of a path trimmed, capitals left aside."""
    if scheme not in _PATHS:
        return code.strip().casefold()
    path = path_code(code.split(">")).casefold()
    # DESNZ's flat file has the unit as a level of its electricity rows; the workbook has not.
    return path.removesuffix(" > kwh") if scheme == "desnz" else path


def _heads(scheme: str, code: str) -> Iterable[str]:
    if scheme in _PATHS:
        parts = code.split(" > ")
        return [" > ".join(parts[:length]) for length in range(1, len(parts))]
    return [code[:length] for length in range(2, len(code))]


@cache
def _unit(text: str) -> Unit:
    return unit_of(text)
