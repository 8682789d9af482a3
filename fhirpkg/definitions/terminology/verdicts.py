"""The answers of terminology: yes, no, and what cannot be known here, each with its reason."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST, _MOST, _REASON = 80, 5000, 400


class Verdict(StrEnum):
    """What can be said of a code."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Membership(NamedTuple):
    """Whether a code belongs somewhere; `reason` says why not, or why nobody here can know."""

    verdict: Verdict
    reason: str = ""


YES = Membership(Verdict.YES)


def no(reason: str) -> Membership:
    """The code does not belong."""
    return Membership(Verdict.NO, _cut(reason))


def unknown(reason: str) -> Membership:
    """The loaded definitions do not decide it."""
    return Membership(Verdict.UNKNOWN, _cut(reason))


def near(code: str, codes: Iterable[str]) -> str:
    """The code most like the one found, in words; nothing where looking would take long."""
    known = list(codes)
    return nearest(code, known) if len(code) <= _LONGEST and len(known) <= _MOST else ""


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


def _cut(reason: str) -> str:
    return reason if len(reason) <= _REASON else f"{reason[:_REASON]}…"
