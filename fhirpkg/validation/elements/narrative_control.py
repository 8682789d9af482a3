"""What profiles require of narrative: sections by language, texts that state their source.

http://hl7.org/fhir/extensions/StructureDefinition-narrative-language-control.html and
narrative-source-control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.narrative.rules import (
    NARRATIVE_LANGUAGES,
    NARRATIVE_SOURCE,
)
from fhirpkg.validation.places import flat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.validation.compiling.schema import NarrativeControl
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_SOURCES = frozenset(
    ("generated", "original", "boilerplate", "extension", "extensions", "additional")
)
_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "hint": Severity.INFORMATION}


def check_control(
    x: Json,
    s: Json,  # noqa: ARG001 - all rules of a value are called alike
    stated: NarrativeControl,
    t: Trail,
    run: Run,
    profile: str,
) -> None:
    """The narrative must have the sections and sources that a profile states."""
    div = text_of(x, "div")
    reading = _Reading()
    if not div or not reading.parse(div):
        return  # the narrative rules report it
    for wanted in _missing_sections(stated.languages, reading.languages, _language(t, run)):
        found = ", ".join(sorted(reading.languages)) or "no language sections"
        run.report(NARRATIVE_LANGUAGES, t, profile=profile, found=found, wanted=wanted)
    severity = _SEVERITIES.get(stated.sources)
    for text in reading.unattributed if severity else ():
        run.report(NARRATIVE_SOURCE, t, severity=severity, profile=profile, text=text[:60])


def _missing_sections(stated: tuple[str, ...], found: set[str], language: str) -> list[str]:
    missing: list[str] = []
    for each in stated:
        wanted = language if each == "_resource" else each
        if each == "_no" and found:
            missing.append("shall have no language sections")
        elif each == "_yes" and not found:
            missing.append("shall have language sections")
        elif wanted and not wanted.startswith("_") and wanted not in found:
            missing.append(f"shall have one in '{wanted}'")
    return missing


def _language(t: Trail, run: Run) -> str:
    """The language of the resource whose narrative is at a place."""
    resource: Json = run.root
    for step in flat(t)[:-1]:
        resource = resource[step]
    return text_of(resource, "language")


class _Reading:
    """The languages of the sections in a narrative, and the texts that name no source."""

    def __init__(self) -> None:
        self.languages: set[str] = set()
        self.unattributed: list[str] = []
        self._has_source: list[bool] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = lambda _: self._has_source.pop()
        self._parser.CharacterDataHandler = self._text

    def parse(self, div: str) -> bool:
        """Whether the text could be read."""
        try:
            self._parser.Parse(div.encode(), True)
        except (expat.ExpatError, UnicodeEncodeError):
            return False
        return True

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        language = attributes.get("xml:lang") or attributes.get("lang")
        if language and len(self._has_source) == 1 and name == "div":
            self.languages.add(language)
        around = bool(self._has_source) and self._has_source[-1]
        classes = attributes.get("class", "").split()
        self._has_source.append(around or not _SOURCES.isdisjoint(classes))

    def _text(self, text: str) -> None:
        if not text.isspace() and not self._has_source[-1]:
            self.unattributed.append(" ".join(text.split()))
