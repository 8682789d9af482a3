"""A stretch of tokens that is read from left to right."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.reading.lexer import CqlError, Source, Token

Item = TypeVar("Item")


class Stream:
    """The tokens of a text, and where in them one is."""

    def __init__(self, source: Source, stretch: list[Token]) -> None:
        self.source = source
        self._tokens = stretch
        self._at = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def ahead(self, count: int = 1) -> Token:
        """A token further on."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def advance(self) -> Token:
        """Take the next token."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def accept(self, *words: str) -> str:
        """Take the next token if it is one of these words; gives the word or nothing."""
        return self.advance().text if self.token.is_word(*words) else ""

    def expect(self, *words: str) -> str:
        """Take one of these words; anything else is an error."""
        if not self.token.is_word(*words):
            wanted = " or ".join(repr(word) for word in words)
            raise self.error(f"expected {wanted}, found {self.token.text!r}")
        return self.advance().text

    def error(self, problem: str) -> CqlError:
        """An error at the next token."""
        return self.source.error(problem, self.token.offset)

    def separated(self, read: Callable[[], Item], end: str) -> list[Item]:
        """Items with commas between them, up to and with a closing mark."""
        items: list[Item] = []
        while not self.accept(end):
            if items:
                self.expect(",")
            items.append(read())
        return items

    def identifier(self) -> str:
        """A name, plain or quoted."""
        if self.token.kind not in {"name", "quoted"}:
            raise self.error(f"expected a name, found {self.token.text!r}")
        return self.advance().text

    def qualified_name(self) -> str:
        """Names with dots between them."""
        return ".".join(self.name_parts())

    def name_parts(self) -> list[str]:
        """The names of a qualified name."""
        names = [self.identifier()]
        while self.accept("."):
            names.append(self.identifier())
        return names
