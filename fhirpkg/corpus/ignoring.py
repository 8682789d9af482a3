"""The ignore file: findings that a team accepts, each with its reason.

TOML, a table an entry::

    [[ignore]]
    rule = "dom-6"
    path = "examples/*.json"      # glob over the file or the FHIRPath, or a list; may be left out
    reason = "the examples are made by a tool that writes no narrative"
"""

from __future__ import annotations

import json
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
    from collections.abc import Iterable
    from pathlib import Path

    from fhirpkg.issues import Issue

_KEYS = ("rule", "path", "reason")


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted kind of finding."""

    rule: str
    paths: tuple[str, ...]
    """Globs; one that is empty matches every place."""
    reason: str
    line: int

    def path_of(self, issue: Issue) -> str | None:
        """The glob by which the entry is about this issue; None when it is not."""
        if issue.rule != self.rule:
            return None
        places = (issue.file, issue.expression)
        fitting = (p for p in self.paths if not p or any(fnmatchcase(q, p) for q in places))
        return next(fitting, None)


class Ignoring:
    """The entries of one ignore file, and which of them were of use."""

    def __init__(self, file: str = "", entries: tuple[Entry, ...] = ()) -> None:
        self._file = file
        self._entries = entries
        self._used: set[tuple[Entry, str]] = set()

    def apply(self, outcome: Outcome) -> Outcome:
        """The outcome with what is accepted set apart."""
        if not self._entries:
            return outcome
        kept: list[Issue] = []
        ignored = list(outcome.ignored)
        for issue in outcome.issues:
            used = self._use(issue)
            if used is None:
                kept.append(issue)
            else:
                ignored.append((issue, used.reason))
        return Outcome(tuple(kept), tuple(ignored))

    def _use(self, issue: Issue) -> Entry | None:
        """The first entry that is about an issue."""
        for entry in self._entries:
            path = entry.path_of(issue)
            if path is not None:
                self._used.add((entry, path))
                return entry
        return None

    def unused(self) -> Outcome:
        """A warning for each path of an entry that matched nothing."""
        return Outcome(
            tuple(
                rules.issue(
                    IGNORE_UNUSED,
                    file=self._file,
                    line=entry.line,
                    column=1,
                    rule=entry.rule,
                    path=f", path '{path}'" if path else "",
                )
                for entry in self._entries
                for path in entry.paths
                if (entry, path) not in self._used
            )
        )


def read_ignore_file(path: Path) -> Ignoring:
    """The entries of a file; ConfigError when one has no reason or a key we do not know."""
    import tomllib

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
    return Entry(str(table["rule"]), _paths(where, table), str(table["reason"]), line)


def _paths(where: str, table: dict[str, Any]) -> tuple[str, ...]:
    stated = table.get("path", "")
    paths = stated if isinstance(stated, list) else [stated]
    if not paths or not all(isinstance(path, str) for path in paths):
        raise ConfigError(f"{where}: 'path' is a glob or a list of globs")
    return tuple(paths)


def baseline(issues: Iterable[Issue]) -> str:
    """An ignore file for findings, an entry a rule with its files; the reasons are left empty.

    Nothing reads it before the reasons are filled in.
    """
    by_rule: dict[str, list[Issue]] = {}
    for issue in issues:
        by_rule.setdefault(issue.rule, []).append(issue)
    return _HEAD + "".join(_table(rule, found) for rule, found in sorted(by_rule.items()))


_HEAD = """\
# Findings that were there when this file was written. For --ignore-file each entry needs its
# reason: say why the finding is accepted, or delete the entry and correct the content.
"""


def _table(rule: str, issues: list[Issue]) -> str:
    files = sorted({issue.file for issue in issues if issue.file})
    from glob import escape

    paths = "".join(f"  {_quoted(escape(file))},\n" for file in files)
    number = f"{len(issues)} findings; the first" if len(issues) > 1 else "one finding"
    first = " ".join(f"{issues[0].expression}: {issues[0].text}".split())
    return (
        f"\n# {number}: {''.join(c for c in first if c.isprintable())}\n[[ignore]]\n"
        f"rule = {_quoted(rule)}\n" + (f"path = [\n{paths}]\n" if paths else "") + 'reason = ""\n'
    )


def _quoted(text: str) -> str:
    """A basic string of TOML, which escapes as JSON does (and DEL, which JSON does not)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
