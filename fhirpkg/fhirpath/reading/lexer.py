"""Text to tokens (http://hl7.org/fhirpath/N1/#lexical-elements)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.errors import FhirPathError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_NUMBER = 100
_TIME = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|//[^\n\r]*|/\*.*?\*/)
  | (?P<time>@T{_TIME})
  | (?P<date>@[0-9]{{4}}(?:-[0-9]{{2}}(?:-[0-9]{{2}})?)?
        (?P<clock>T(?:{_TIME}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?)?)
  | (?P<number>[0-9]+(?:\.[0-9]+|L\b)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<variable>%(?:[A-Za-z_][A-Za-z0-9_-]*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))
  | (?P<special>\$(?:this|index|total)\b)
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign><=|>=|!=|!~|[-+*/&|<>=~.,:()\[\]{{}}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
_UNFINISHED = {
    "'": "a string without its closing quote",
    "`": "a name without its closing `",
    "/": "a comment without its end",
}


class Token(NamedTuple):
    """A piece of text: its kind, the text (quotes and escapes resolved) and its column from 1."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, spaces and comments left out, and one of kind `end`.

    Raises FhirPathError at a character that begins no token.
    """
    return [*_tokens(text), Token("end", "", len(text) + 1)]


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or text.startswith("/*", at) != match[0].startswith("/*"):
            problem = _UNFINISHED.get(text[at], f"{text[at]!r} does not begin a FHIRPath token")
            raise FhirPathError(text, problem, at + 1)
        kind = match.lastgroup or ""
        if kind != "space":
            yield _token("dateTime" if match["clock"] else kind, match[0], at + 1, text)
        at = match.end()


def _token(kind: str, found: str, at: int, text: str) -> Token:
    if kind in {"string", "quoted"}:
        return Token(kind, unescape(found[1:-1]), at)
    if kind == "variable":
        name = found[1:]
        return Token(
            kind, name if name[0].isalpha() or name[0] == "_" else unescape(name[1:-1]), at
        )
    if kind == "number" and len(found) > _LONGEST_NUMBER:
        raise FhirPathError(text, f"a number of more than {_LONGEST_NUMBER} digits", at)
    return Token(kind, found, at)


def unescape(text: str) -> str:
    r"""Text with its escapes resolved; an unknown one stands for its character.

    >>> unescape(r"P\u0065ter\'s")
    "Peter's"
    """
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
