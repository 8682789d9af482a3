"""Regular expressions that come from content: run only when they cannot run without end."""

from __future__ import annotations

import functools
import re

_PATTERN_LIMIT = 1000
_STEPS_LIMIT = 10**8
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\((?:\?[:=!]|\?<[=!])?)|(?P<close>\))"
    r"|(?P<range>[*+]|\{\d+,\d*\})[?+]?|(?P<times>\{\d+\})|(?P<or>\|)|.",
    re.DOTALL,
)


def matches(pattern: str, text: str) -> bool | None:
    """Whether the whole text matches; None when that cannot be found out in bounded time.

    >>> matches("[A-Z]{2}", "DE"), matches("(a+)+b", "aaaa"), matches("(", "a")
    (True, None, None)
    """
    compiled, repetitions = _compile(pattern)
    if compiled is None or len(text) ** repetitions > _STEPS_LIMIT:
        return None
    return compiled.fullmatch(text) is not None


@functools.lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[re.Pattern[str] | None, int]:
    repetitions = _repetitions(pattern)
    if repetitions is None or len(pattern) > _PATTERN_LIMIT:
        return None, 0
    try:
        return re.compile(pattern), repetitions
    except (re.error, OverflowError, RecursionError):
        return None, 0


def _repetitions(pattern: str) -> int | None:
    r"""How many repetitions there are; None when they may multiply.

    A group that is repeated may hold neither a repetition nor an alternative: ``(a+)+`` and
    ``(a|a)*`` are the ways to make a match take exponential time. What is left takes at most the
    length of the text to the power of the repetitions.
    """
    wild = [False]  # whether the group open at each depth holds a repetition or an alternative
    after_wild_group = False
    count = 0
    for token in _TOKEN.finditer(pattern):
        is_wild_group = False
        if token["open"]:
            wild.append(False)
        elif token["close"]:
            if len(wild) == 1:
                return None
            is_wild_group = wild.pop()
            wild[-1] = wild[-1] or is_wild_group
        elif token["range"] or token["times"]:
            if after_wild_group:
                return None
            if token["range"]:
                wild[-1] = True
                count += 1
        elif token["or"]:
            wild[-1] = True
        after_wild_group = is_wild_group
    return count
