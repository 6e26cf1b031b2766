"""Why an order cannot go out as it is, and what a person does about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.notifications.redaction import redact_text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one order."""

    reason: str
    remedy: str


def join_reasons(problems: Sequence[Problem]) -> str:
    """Write all reasons in one line; card data that an agent typed somewhere is not repeated."""
    return redact_text(" ".join(problem.reason for problem in problems))


def join_remedies(problems: Sequence[Problem]) -> str:
    """Write all remedies in one line, each once; what they name is an agent's words too."""
    return redact_text(" ".join(dict.fromkeys(problem.remedy for problem in problems)))
