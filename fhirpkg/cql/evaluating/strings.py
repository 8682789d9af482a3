"""Text (CQL reference, section 9.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath import patterns
from fhirpkg.fhirpath.comparison import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value

_MARK = "\x00"
"""A character that no text of FHIR has."""


def _text(value: Value) -> str:
    """The value, which must be text: a number or object is not made one by accident."""
    if not isinstance(value, str):
        raise FhirpkgError(f"{type(value).__name__} was given where text is needed")
    return str(value)


def concatenate(*parts: Value) -> str | None:
    """Texts one behind the other; unknown when one is."""
    return None if any(part is None for part in parts) else "".join(map(_text, parts))


def _combine(texts: Value, separator: Value = "") -> str | None:
    """The texts of a list with a separator between them."""
    if texts is None or separator is None:
        return None
    found = [_text(text) for text in texts if text is not None]
    return _text(separator).join(found) if found else None


def _on_texts(function: Value) -> Value:
    """A function of texts, unknown when one of them is."""
    return lambda *texts: None if None in texts else function(*map(_text, texts))


def length(value: Value) -> int | None:
    """How many characters or items."""
    return None if value is None else len(value)


def _substring(text: Value, start: Value, length: Value = None) -> str | None:
    if text is None or start is None or not 0 <= start < len(text):
        return None
    return str(text[start : None if length is None else start + length])


def _split(text: Value, separator: Value) -> list[str] | None:
    return None if text is None else _text(text).split(separator) if separator else [_text(text)]


def _split_by_pattern(text: Value, pattern: Value) -> list[str] | None:
    if text is None or pattern is None:
        return None
    marked: str = _replaced(_text(text), _text(pattern), _MARK)
    return marked.split(_MARK)


def _by_pattern(function: Callable[..., Value]) -> Callable[..., Value]:
    """A function of a pattern, whose faults are errors of the logic."""

    def match(*texts: str) -> Value:
        try:
            return function(*texts)
        except EvaluationError as error:
            raise FhirpkgError(str(error)) from error

    return match


_replaced = _by_pattern(patterns.replace_matches)

OPERATORS: dict[str, Callable[..., Value]] = {
    "Concatenate": concatenate,
    "Combine": _combine,
    "Split": _split,
    "Length": length,
    "Upper": _on_texts(str.upper),
    "Lower": _on_texts(str.lower),
    "StartsWith": _on_texts(str.startswith),
    "EndsWith": _on_texts(str.endswith),
    "Matches": _on_texts(_by_pattern(patterns.matches)),
    "MatchesFull": _on_texts(_by_pattern(patterns.matches_full)),
    "ReplaceMatches": _on_texts(_replaced),
    "PositionOf": _on_texts(lambda pattern, text: text.find(pattern)),
    "LastPositionOf": _on_texts(lambda pattern, text: text.rfind(pattern)),
    "Substring": _substring,
    "SplitOnMatches": _split_by_pattern,
}
