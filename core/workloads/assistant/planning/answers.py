"""What the assistant answers: one of six kinds, with a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["pipeline", "change", "run", "query", "ask", "refuse"]
About = Literal["source", "target", "key", "column", "schedule", "value", "mode", "pipeline"]
Why = Literal["destructive", "forbidden", "secret", "code", "place", "limits", "outside"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. body: what stands under the kind, in the form of the requests file. says: a sentence for people."""

    kind: Kind
    body: dict[str, Any]
    says: str

    @property
    def is_back(self) -> bool:
        """A question or a refusal: nothing that could be carried out."""
        return self.kind in {"ask", "refuse"}

    def as_json(self) -> dict[str, Any]:
        """The kind with its body, and `says`."""
        return {self.kind: self.body, "says": self.says}


class Settled(Exception):
    """Planning that ends with a question or a refusal, from wherever it is found."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.says)
        self.answer = answer

    def __reduce__(self) -> tuple[type[Settled], tuple[Answer]]:
        return Settled, (self.answer,)


def ask(about: About, says: str, choices: Sequence[str] = ()) -> Settled:
    """A question back."""
    body: dict[str, Any] = {"about": about}
    if choices:
        body["choices"] = list(choices)
    return Settled(Answer("ask", body, says))


def refuse(why: Why, says: str) -> Settled:
    """A refusal."""
    return Settled(Answer("refuse", {"why": why}, says))
