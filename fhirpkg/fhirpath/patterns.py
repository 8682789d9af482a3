"""Regular expressions in bounded time (http://hl7.org/fhirpath/N1/#matchesregex-string-boolean).

Python's matcher tries every way to match, which on some patterns takes time exponential in the
text (`(a+)+$`). Where that could take long an automaton matches instead; the few patterns that
have none are then refused.
"""

from __future__ import annotations

import functools
import math
import re

from fhirpkg.fhirpath.arithmetic import LONGEST_STRING
from fhirpkg.fhirpath.automaton import Automaton, NoAutomatonError, effort
from fhirpkg.fhirpath.comparison import EvaluationError

_LONGEST_PATTERN = 2_000
_MOST_WAYS = math.log(1_000_000)
_MOST_STEPS = 20_000_000


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text; a dot takes line ends too."""
    matcher = _matcher(pattern, len(text))
    return bool(matcher.search(text))


def matches_full(text: str, pattern: str) -> bool:
    """Whether the pattern takes the whole text."""
    matcher = _matcher(pattern, len(text))
    return bool(matcher.fullmatch(text))


def replace_matches(text: str, pattern: str, substitution: str) -> str:
    """Each match replaced; ``$1`` or ``${name}`` are groups; an empty pattern changes nothing."""
    if not pattern:
        return text
    matcher = _matcher(pattern, len(text))
    if not isinstance(matcher, re.Pattern):
        raise _refused(pattern)
    if (len(substitution) + 1) * (len(text) + 1) > LONGEST_STRING:
        raise EvaluationError("replaceMatches() would give too long a text")
    template = re.sub(r"\\(?![\\$])", r"\\\\", substitution)
    template = re.sub(r"\$\{(\w+)\}|\$(\d+)", lambda m: rf"\g<{m[1] or m[2]}>", template)
    try:
        return matcher.sub(template.replace(r"\$", "$"), text)
    except (re.error, IndexError) as error:
        raise EvaluationError(f"the substitution {substitution!r} is wrong: {error}") from None


def fits(text: str, pattern: str) -> bool | None:
    """As `matches_full`; None where that cannot be found out."""
    try:
        return matches_full(text, pattern)
    except EvaluationError:
        return None


def _matcher(pattern: str, length: int) -> re.Pattern[str] | Automaton:
    compiled = _compiled(pattern)
    if length == 0 or effort(pattern, length) < _MOST_WAYS:
        return compiled
    followed = _followed(pattern)
    if followed is None or length * followed.size > _MOST_STEPS:
        raise _refused(pattern)
    return followed


def _refused(pattern: str) -> EvaluationError:
    return EvaluationError(
        f"the pattern {pattern!r} is tried on short texts only, because it can take forever"
    )


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN:
        raise EvaluationError(f"a pattern of more than {_LONGEST_PATTERN} characters")
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise EvaluationError(f"the pattern {pattern!r} is wrong: {error}") from None


@functools.lru_cache(maxsize=1024)
def _followed(pattern: str) -> Automaton | None:
    try:
        return Automaton(pattern)
    except NoAutomatonError:
        return None
