"""CQL text to tokens (https://cql.hl7.org/19-l-cqlsyntaxdiagrams.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from fhirpkg.errors import FhirpkgError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<datetime>@T?\d[\d:.T+Z-]*)
  | (?P<number>\d+(?:\.\d+)?L?)
  | (?P<string>'(?:\\.|[^'\\])*')
  | (?P<quoted>"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)
  | (?P<name>%?[A-Za-z_$][A-Za-z0-9_$]*)
  | (?P<symbol><=|>=|!=|!~|\.\.|[-+*/^=<>~&|(){}\[\],.:;?])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}

PRECISIONS = (
    "year years month months week weeks day days hour hours minute minutes second seconds"
    " millisecond milliseconds"
).split()
RESERVED = frozenset(
    "and as asc ascending between by case cast collapse contains context convert default define"
    " desc descending difference distinct div duration during else end ends except exists expand"
    " false flatten from if implies in include included includes intersect is let mod not null"
    " occurs of on or overlaps parameter per point predecessor properly return same singleton"
    " sort start starts successor such that then to true union using valueset where width with"
    " within without xor meets aggregate starting all before after when".split()
)
"""Words that cannot be an alias."""


class CqlError(FhirpkgError):
    """CQL text that cannot be read, with the place: library, line and column from 1."""

    def __init__(self, problem: str, place: str) -> None:
        self.problem = problem
        self.place = place
        super().__init__(f"CQL at {place}: {problem}")


class Token(NamedTuple):
    """One token; `kind` is name, quoted, string, number, datetime, symbol or end."""

    kind: str
    text: str
    offset: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords or symbols."""
        return self.text in words and self.kind in {"name", "symbol"}


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a library, and its name for messages."""

    text: str
    name: str

    def error(self, problem: str, offset: int) -> CqlError:
        """An error that says where."""
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        return CqlError(problem, f"{self.name or 'expression'}:{line}:{column}")


def tokens(source: Source, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of a stretch of text, with one of kind `end` behind them.

    Raises CqlError for a character that begins none.
    """
    end = len(source.text) if end is None else end
    found: list[Token] = []
    offset = last = start
    for match in _TOKEN.finditer(source.text, start, end):
        if match.start() != offset:
            break
        kind, begin, offset = match.lastgroup or "", offset, match.end()
        if kind == "space":
            continue
        text = match.group()
        if kind in {"string", "quoted"}:
            text = unescape(text[1:-1])
        found.append(Token(kind, text, begin))
        last = offset
    if offset < end:
        raise source.error(f"unexpected {source.text[offset]!r}", offset)
    found.append(Token("end", "the end", last))
    return found


def unescape(text: str) -> str:
    """A string or quoted name without its escapes."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _ESCAPED.get(m[1], m[1]), text
    )


def name_in(text: str) -> str:
    """The name that is written plainly, or in quotation marks."""
    return unescape(text[1:-1]) if text[0] in '"`' else text


def precision_name(word: str) -> str:
    """A precision as ELM names it: Day for day and days."""
    return word.removesuffix("s").capitalize()
