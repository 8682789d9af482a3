"""Regular expressions in bounded time.

Python's matcher tries every way to match, which on some patterns takes time exponential in the
text (`(a+)+$`). A pattern that repeats what already repeats is therefore only tried on short texts;
http://hl7.org/fhirpath/N1/#matchesregex-string-boolean leaves the dialect to the implementation.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.arithmetic import LONGEST_STRING
from fhirpkg.fhirpath.comparison import EvaluationError

if TYPE_CHECKING:
    from typing import Final

_LONGEST_PATTERN: Final = 2_000
_LONGEST_TEXT: Final = 1_000_000


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text; a dot takes line ends too."""
    return _compiled(pattern, len(text)).search(text) is not None


def matches_full(text: str, pattern: str) -> bool:
    """Whether the pattern takes the whole text."""
    return _compiled(pattern, len(text)).fullmatch(text) is not None


def replace_matches(text: str, pattern: str, substitution: str) -> str:
    """Each match replaced; ``$1`` or ``${name}`` are groups; an empty pattern changes nothing."""
    if not pattern:
        return text
    template = re.sub(r"\\(?![\\$])", r"\\\\", substitution)
    template = re.sub(r"\$\{(\w+)\}|\$(\d+)", lambda m: rf"\g<{m[1] or m[2]}>", template)
    compiled = _compiled(pattern, len(text))
    if (len(substitution) + 1) * (len(text) + 1) > LONGEST_STRING * 10:
        raise EvaluationError("replaceMatches() would give too long a text")
    try:
        return compiled.sub(template.replace(r"\$", "$"), text)
    except (re.error, IndexError) as error:
        raise EvaluationError(f"the substitution {substitution!r} is wrong: {error}") from None


def _compiled(pattern: str, length: int) -> re.Pattern[str]:
    compiled, longest = _prepared(pattern)
    if length > longest:
        raise EvaluationError(
            f"the pattern {pattern!r} is not tried on a text of more than {longest} characters, "
            "because that can take for ever"
        )
    return compiled


@functools.lru_cache(maxsize=1024)
def _prepared(pattern: str) -> tuple[re.Pattern[str], int]:
    if len(pattern) > _LONGEST_PATTERN:
        raise EvaluationError(f"a pattern of more than {_LONGEST_PATTERN} characters")
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise EvaluationError(f"the pattern {pattern!r} is wrong: {error}") from None
    return compiled, _LONGEST_TEXT
