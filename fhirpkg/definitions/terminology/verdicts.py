"""The answers of terminology: yes, no, and what cannot be known here, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """What can be said of a code."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a code belongs somewhere; `reason` says why not, or why nobody here can know."""

    verdict: Verdict
    reason: str = ""


YES = Membership(Verdict.YES)


def no(reason: str) -> Membership:
    """The code does not belong."""
    return Membership(Verdict.NO, reason)


def unknown(reason: str) -> Membership:
    """Nothing that is loaded can tell."""
    return Membership(Verdict.UNKNOWN, reason)


def every(parts: Iterable[Membership]) -> Membership:
    """NO when one part is no, else UNKNOWN when one is unknown, else YES."""
    doubt = YES
    for part in parts:
        if part.verdict is Verdict.NO:
            return part
        if part.verdict is Verdict.UNKNOWN:
            doubt = part
    return doubt


def some(parts: Iterable[Membership], otherwise: str) -> Membership:
    """YES when one part is yes, else UNKNOWN when one is unknown, else NO.

    The reason of a NO is the one that a part gives, or `otherwise` when several or none do.
    """
    reasons: list[str] = []
    doubt: Membership | None = None
    for part in parts:
        if part.verdict is Verdict.YES:
            return part
        if part.verdict is Verdict.UNKNOWN:
            doubt = part
        if part.reason:
            reasons.append(part.reason)
    if doubt:
        return doubt
    return no(reasons[0] if len(reasons) == 1 else otherwise)
