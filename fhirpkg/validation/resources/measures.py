"""Measures: the CQL that their criteria name is in the libraries that they name.

Only names are looked for, in the text or the compiled form (ELM) of the libraries loaded; what
the CQL means is not looked at (http://hl7.org/fhir/R4/measure.html).
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import numbered, objects, text_in, text_of
from fhirpkg.validation.elements.primitives import cut
from fhirpkg.validation.resources.measure_rules import (
    MEASURE_CRITERIA,
    MEASURE_LIBRARY,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_NAME = r'(?:"([^"]+)"|([A-Za-z_][\w /-]*))'
_NAMED = re.compile(rf"(?:{_NAME}\.)?{_NAME}")
"""A definition by name, after the name of its library where there is one."""
_ELM_NAME = re.compile(r"""<(?:\w+:)?def\b[^>]*?\sname\s*=\s*["']([^"']*)["']""")
_ELM = "urn:hl7-org:elm:r1"


def check_measure(measure: Resource, path: Path, run: Run) -> None:
    """Report criteria that name no definition of the libraries of a Measure.

    Of populations this is a warning unless one is strict: R4's own Measures name CQL for them
    that is nowhere.
    """
    libraries: dict[str, Resource] = {}
    for canonical in measure.get("library") or ():
        library = run.definitions.find(canonical, "Library") if isinstance(canonical, str) else None
        if library is not None:
            libraries[canonical] = library
    for criteria, place in _criteria(measure, path):
        named = _NAMED.fullmatch(text_of(criteria, "expression").strip())
        if not named or not _is_cql(text_of(criteria, "language")):
            continue
        is_minor = not run.settings.strict and (not libraries or "population" in place)
        severity = Severity.WARNING if is_minor else Severity.ERROR
        if not libraries:
            run.report(MEASURE_LIBRARY, place, severity=severity, named=cut(named[0], 80))
        elif problem := _problem(named[1] or named[2], named[3] or named[4], libraries):
            run.report(MEASURE_CRITERIA, place, severity=severity, problem=problem)


def _is_cql(language: str) -> bool:
    """Whether an expression is CQL or its name; inline expressions say so."""
    return language.startswith("text/cql") and not language.startswith("text/cql-expression")


def _criteria(measure: Resource, path: Path) -> Iterator[tuple[Resource, Path]]:
    parts = list(numbered(measure, "supplementalData", path))
    for where, group in numbered(measure, "group", path):
        for key in ("population", "stratifier"):
            for place, part in numbered(group, key, where):
                parts += [(place, part), *numbered(part, "component", place)]
    for place, part in parts:
        criteria = part.get("criteria")
        if isinstance(criteria, dict):
            yield criteria, (*place, "criteria")


def _problem(space: str | None, name: str, libraries: dict[str, Resource]) -> str:
    """Why a name is not one of the libraries' definitions; empty when it is one or may be."""
    found = [
        (url, library)
        for url, library in libraries.items()
        if not space or text_of(library, "name") == space
    ]
    if len(found) != 1:
        if space:
            return f"{len(found) or 'none'} of the libraries has the name '{cut(space, 80)}'"
        return f"'{cut(name, 80)}' needs the name of its library before it: there are {len(found)}"
    url, library = found[0]
    names = _names(library)
    if names is None or name in names:
        return ""
    return f"the library {cut(url, 120)} defines no '{cut(name, 80)}'"


def _names(library: Resource) -> set[str] | None:
    """The names that a Library defines; None when its content is not here or not understood."""
    read = {
        "text/cql": _names_in_cql,
        "application/elm+xml": _names_in_xml,
        "application/elm+json": _names_in_json,
    }
    found: set[str] | None = None
    for content in objects(library, "content"):
        reader = read.get(text_of(content, "contentType"))
        data = text_in(content) if reader else ""
        if reader and data:
            found = (found or set()) | reader(data)
    return found


def _names_in_cql(text: str) -> set[str]:
    from fhirpkg.cql.reading.library import defined_names  # noqa: PLC0415 - costs start-up

    return set(defined_names(text, functions=True))


def _names_in_xml(text: str) -> set[str]:
    return {html.unescape(name) for name in _ELM_NAME.findall(text)} if _ELM in text else set()


def _names_in_json(text: str) -> set[str]:
    value: Json = fhirjson.read(text.encode())[0]
    library = value.get("library") if isinstance(value, dict) else None
    statements = library.get("statements") if isinstance(library, dict) else None
    return {text_of(each, "name") for each in objects(statements, "def")}
