"""YAML as authors write it: the data, and the line and column of everything in it.

Only what an author needs: YAML 1.2's core scalars (so that `no` is a word and 1.10 keeps its
digits), no key twice, no tabs, no merge keys, and few aliases. Every problem is an Issue.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from fhirpkg import rules
from fhirpkg.authoring.rules import (
    SOURCE_ALIASES,
    SOURCE_DUPLICATE_KEY,
    SOURCE_KEY,
    SOURCE_MERGE_KEY,
    SOURCE_TAB,
    SOURCE_VALUE,
    SOURCE_YAML,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Issue, Path
    from fhirpkg.rules import Rule

_MAX_NODES = 100_000
"""More nodes than an authored file can sensibly have: aliases multiply them."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # one of the two
    """Makes nodes without looking for their tags: :func:`_scalar` says what a value is."""

    # They are asked of every node; what is built in answers fastest: the model decides the type of
    # a value, so there are no tags for scalars and none to resolve by path.
    resolve = "".format
    descend_resolver = operator.is_
    ascend_resolver = bool


_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
_BOOLEANS["FALSE"] = False
_NULLS = {"", "~", "null", "Null", "NULL"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that FHIR's strings and XML cannot hold; YAML allows them as escapes."""
_OPEN_QUOTE = re.compile(r"""(?:[^'"#]*[:,-]\s+|[^'"#]*\[|\s*)(['"])(?:(?!\1).)*$""")
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


@dataclass(slots=True)
class Source:
    """An authored file: its data, where each path is, and what is wrong with its text.

    `keys` holds the place of each key, `values` that of each value; both count from 1.
    """

    file: str
    data: Any = None
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of a path, of the nearest place above it when it is nowhere."""
        while path not in self.values and path:
            path = path[:-1]
        table = self.keys if key and path in self.keys else self.values
        return table.get(path, (1, 1))

    def report(self, rule: Rule, path: Path, *, key: bool = False, **found: Any) -> None:
        """Note an issue at the value of a path, or at its key."""
        line, column = self.place(path, key=key)
        expression = written(path)
        self.issues.append(
            rules.issue(
                rule, expression=expression, file=self.file, line=line, column=column, **found
            )
        )

    def report_in_text(self, rule: Rule, path: Path, words: str, **found: Any) -> None:
        """Note an issue at words inside the text of a path, which may be lines below its start."""
        line, column = self.place(path)
        for number in range(line, len(self.lines) + 1):
            at = self.lines[number - 1].find(words, column - 1 if number == line else 0)
            if at >= 0:
                line, column = number, at + 1
                break
        found |= {"expression": written(path), "file": self.file, "line": line, "column": column}
        self.issues.append(rules.issue(rule, **found))

    def rename(self, old: Path, new: Path) -> None:
        """Give what is at a path, and all below it, another path."""
        for table in (self.keys, self.values):
            for path in [path for path in table if path[: len(old)] == old]:
                table[new + path[len(old) :]] = table.pop(path)


def written(path: Path) -> str:
    """A path as people write it.

    >>> written(("risks", 0, "code"))
    'risks[0].code'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def read(text: bytes, file: str) -> Source:
    """The data of a YAML text with the place of everything, and every problem of the text."""
    source = Source(file)
    decoded = _decode(text, source)
    if decoded is None:
        return source
    source.lines = decoded.split("\n")
    try:
        node = yaml.compose(_without_tabs(decoded, source), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        begun = str(error.context).startswith(("while parsing a flow", "while scanning"))
        mark = (begun and error.context_mark) or error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        quote = _open_quote(source.lines[:line])
        problem = "this quotation mark is not closed on its line" if quote else _plain(error)
        _add(source, SOURCE_YAML, *(quote or (line, column)), problem=problem)
        return source
    except (yaml.YAMLError, RecursionError) as error:
        _add(source, SOURCE_YAML, 1, 1, problem=_plain(error))
        return source
    if node is None:
        _add(source, SOURCE_YAML, 1, 1, problem="the file is empty")
        return source
    try:
        source.data = _Reader(source).value(node, ())
    except (_TooManyNodesError, RecursionError):
        _add(source, SOURCE_ALIASES, 1, 1)
    return source


def _open_quote(lines: list[str]) -> tuple[int, int] | None:
    """Where a quotation mark stands that its line does not close: YAML only notices far below."""
    for number, line in enumerate(lines, 1):
        if found := _OPEN_QUOTE.match(line):
            return number, found.start(1) + 1
    return None


def _decode(text: bytes, source: Source) -> str | None:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        _add(source, SOURCE_YAML, line, 1, problem="this is not UTF-8 text")
        return None


def _without_tabs(text: str, source: Source) -> str:
    """The text with tabs of indentation reported and replaced by two spaces, to read the rest."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent and line.strip():
            _add(source, SOURCE_TAB, number + 1, indent.index("\t") + 1)
            lines[number] = indent.replace("\t", "  ") + line.lstrip()
    return "\n".join(lines)


class _TooManyNodesError(Exception):
    pass


class _Reader:
    """Nodes to values; notes the place of each key and value on the way."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of a node; the places of all inside it are noted."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise _TooManyNodesError
        self._source.values[path] = _start(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode), "YAML has three kinds of nodes"
        if _CONTROL.search(node.value):
            self._source.report(
                SOURCE_VALUE,
                path,
                found="a control character",
                expected="text that can be read",
                nearest="",
            )
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = _start(key_node)
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                _add(self._source, SOURCE_KEY, line, column)
            elif key == "<<" and not key_node.style:
                _add(self._source, SOURCE_MERGE_KEY, line, column)
            elif key in found:
                first = self._source.keys[*path, key][0]
                _add(self._source, SOURCE_DUPLICATE_KEY, line, column, key_=key, first=first)
            else:
                self._source.keys[*path, key] = (line, column)
                found[key] = self.value(value_node, (*path, key))
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style:  # quoted or block: a text whatever it looks like
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _plain(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error) or "it is nested too deeply"
    context = getattr(error, "context", None)
    return f"{problem} ({context})" if context else str(problem).splitlines()[0]


def _add(source: Source, rule: Rule, line: int, column: int, **found: Any) -> None:
    source.issues.append(rules.issue(rule, file=source.file, line=line, column=column, **found))
