"""What a question in SQL is refused with."""

from __future__ import annotations

from core.errors import InputError
from core.workloads.assistant.planning.answers import Why


class QuestionRefused(InputError):
    """A question that is not asked; facts `why`, a word of the answers' form, and `position`, from 1, or None."""

    def __init__(self, why: Why, reason: str, position: int | None = None) -> None:
        super().__init__(f"position {position}: {reason}" if position else reason, why=why, position=position)
        self.reason = reason

    def __reduce__(self) -> tuple[type[QuestionRefused], tuple[Why, str, int | None]]:
        return QuestionRefused, (self.facts["why"], self.reason, self.facts["position"])
