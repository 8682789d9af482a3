"""The ignore file: findings that a team accepts, each with its reason.

TOML, a table an entry::

    [[ignore]]
    rule = "dom-6"
    path = "examples/*.json"      # glob over the file or the FHIRPath; may be left out
    reason = "the examples are made by a tool that writes no narrative"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from fhirpkg import rules
from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.issues import Outcome
from fhirpkg.validation.rules import (
    IGNORE_UNUSED,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fhirpkg.issues import Issue

_KEYS = ("rule", "path", "reason")


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted kind of finding."""

    rule: str
    path: str
    reason: str
    line: int

    def matches(self, issue: Issue) -> bool:
        """Whether the entry is about this issue."""
        places = (issue.file, issue.expression)
        return issue.rule == self.rule and (
            not self.path or any(fnmatchcase(place, self.path) for place in places)
        )


class Ignoring:
    """The entries of one ignore file, and which of them were of use."""

    def __init__(self, file: str = "", entries: tuple[Entry, ...] = ()) -> None:
        self._file = file
        self._entries = entries
        self._used: set[Entry] = set()

    def apply(self, outcome: Outcome) -> Outcome:
        """The outcome with what is accepted set apart."""
        if not self._entries:
            return outcome
        kept: list[Issue] = []
        ignored = list(outcome.ignored)
        for issue in outcome.issues:
            entry = next((e for e in self._entries if e.matches(issue)), None)
            if entry is None:
                kept.append(issue)
            else:
                self._used.add(entry)
                ignored.append((issue, entry.reason))
        return Outcome(tuple(kept), tuple(ignored))

    def unused(self) -> Outcome:
        """A warning for each entry that matched nothing."""
        return Outcome(
            tuple(
                rules.issue(
                    IGNORE_UNUSED,
                    file=self._file,
                    line=entry.line,
                    column=1,
                    rule=entry.rule,
                    path=f", path '{entry.path}'" if entry.path else "",
                )
                for entry in self._entries
                if entry not in self._used
            )
        )


def read_ignore_file(path: Path) -> Ignoring:
    """The entries of a file; ConfigError when one has no reason or a key we do not know."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SourceError(str(path), error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise SourceError(str(path), "this is not UTF-8", "an ignore file is TOML") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from error
    tables = document.pop("ignore", [])
    if document or not isinstance(tables, list):
        raise ConfigError(f"{path}: an ignore file holds [[ignore]] tables and nothing else")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[ignore]]"]
    lines += [1] * (len(tables) - len(lines))
    return Ignoring(
        str(path),
        tuple(_entry(f"{path}:{line}", line, t) for line, t in zip(lines, tables, strict=False)),
    )


def _entry(where: str, line: int, table: dict[str, Any]) -> Entry:
    for key in table:
        if key not in _KEYS:
            near = rules.nearest(key, list(_KEYS))
            raise ConfigError(f"{where}: '{key}' is not a key of an entry{near}")
    for key in ("rule", "reason"):
        if not str(table.get(key, "")).strip():
            raise ConfigError(f"{where}: the entry has no {key}; say why it is accepted")
    return Entry(str(table["rule"]), str(table.get("path", "")), str(table["reason"]), line)
