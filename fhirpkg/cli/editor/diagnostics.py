"""Issues as diagnostics of an editor, and their explanation on a hover."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from fhirpkg.cli.catalogue import catalogue
from fhirpkg.cli.explain import told
from fhirpkg.errors import ConfigError
from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

    from fhirpkg.issues import Issue

_SEVERITIES = {
    Severity.FATAL: lsp.DiagnosticSeverity.Error,
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFORMATION: lsp.DiagnosticSeverity.Information,
}
_TOKEN = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|</?[^\s/>]+|[^\s,\]}>]+")
"""What is underlined: a text in quotes, the beginning of a tag, a word."""


def diagnostic_of(issue: Issue, document: TextDocument) -> lsp.Diagnostic:
    """An issue at its place in a document, which reaches to the end of what is there."""
    lines = document.lines
    line = min(max(issue.line - 1, 0), max(len(lines) - 1, 0))
    text = lines[line] if lines else ""
    column = min(max(issue.column - 1, 0), len(text.rstrip("\r\n")))
    token = _TOKEN.match(text, column)
    inner = lsp.Range(
        lsp.Position(line, column), lsp.Position(line, token.end() if token else column)
    )
    rule = catalogue().get(issue.rule)
    where = f"{issue.expression}: " if issue.expression else ""
    advice = f" ({issue.advice})" if issue.advice else ""
    return lsp.Diagnostic(
        range=document.position_codec.range_to_client_units(lines, inner),
        message=f"{where}{issue.text}{advice}",
        severity=_SEVERITIES[issue.severity],
        code=issue.rule,
        code_description=lsp.CodeDescription(rule.spec) if rule and rule.spec else None,
        source="fhirpkg",
    )


def hovered(
    found: list[tuple[lsp.Diagnostic, Issue]], position: lsp.Position, fhir_version: str
) -> lsp.Hover | None:
    """What `explain` says of the rules that are broken at a position, or None.

    `fhir_version` is that of what was checked: invariants of one key differ between versions.
    """
    here = [issue for diagnostic, issue in found if _is_in(position, diagnostic.range)]
    words = dict.fromkeys(_explained(issue, fhir_version) for issue in here)
    if not words:
        return None
    text = "\n\n---\n\n".join(words)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text))


def _explained(issue: Issue, fhir_version: str) -> str:
    try:
        said = told(issue.rule, fhir_version)
    except ConfigError:  # an invariant of a profile, whose text explains itself
        said = f"{issue.rule} ({issue.severity}): {issue.text}"
    stated = f"\n\nstated by {issue.profile}" if issue.profile else ""
    return f"```text\n{said}\n```{stated}"


def _is_in(position: lsp.Position, around: lsp.Range) -> bool:
    start, end = around.start, around.end
    return (
        (start.line, start.character)
        <= (position.line, position.character)
        <= (
            end.line,
            end.character,
        )
    )
