"""CodeSystems: counts, properties, supplements, the value set of the whole system.

See http://hl7.org/fhir/R4/codesystem.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.issues import Severity
from fhirpkg.rules import nearest
from fhirpkg.validation.items import choice_of, numbered, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
_DEFINED = {
    "child": "code",
    "comment": "string",
    "deprecated": "dateTime",
    "deprecationDate": "dateTime",
    "effectiveDate": "dateTime",
    "inactive": "boolean",
    "itemWeight": "decimal",
    "notSelectable": "boolean",
    "parent": "code",
    "partOf": "code",
    "retirementDate": "dateTime",
    "status": "code",
    "synonym": "code",
}
"""The properties that FHIR defines for every code system, with their types."""
_RELATING = {f"{_PROPERTIES}{code}" for code in ("child", "parent", "partOf")}


def check_code_system(system: Resource, path: Path, run: Run) -> None:
    """Report what a CodeSystem says of itself that does not hold."""
    concepts = list(_concepts(system, path))
    _check_count(system, len(concepts), path, run)
    properties = _check_properties(system, path, run)
    codes = {text_of(concept, "code") for _, concept in concepts}
    for place, concept in concepts:
        for at, value in numbered(concept, "property", place):
            _check_property(value, properties, codes, system, at, run)
    _check_supplement(system, concepts, path, run)
    _check_value_set(system, path, run)


def _concepts(parent: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    todo = list(numbered(parent, "concept", path))[::-1]
    while todo:
        place, concept = todo.pop()
        yield place, concept
        todo += list(numbered(concept, "concept", place))[::-1]


def _check_count(system: Resource, found: int, path: Path, run: Run) -> None:
    count, content = system.get("count"), system.get("content")
    if not isinstance(count, int) or isinstance(count, bool):
        return
    if content == "complete" and found != count:
        run.report("code-system-count", (*path, "count"), found=found, count=count)
    elif content in {"example", "fragment"} and found > count:
        run.report("code-system-part-count", (*path, "count"), found=found, count=count)


def _check_properties(system: Resource, path: Path, run: Run) -> dict[str, Resource]:
    """The properties that are defined, by code; what is wrong with the definitions is reported."""
    by_code: dict[str, Resource] = {}
    by_uri: dict[str, Resource] = {}
    for place, defined in numbered(system, "property", path):
        for part, known in (("code", by_code), ("uri", by_uri)):
            value = text_of(defined, part)
            if value and value in known:
                is_fhirs = value in _DEFINED or value.startswith(_PROPERTIES)
                severity = Severity.ERROR if is_fhirs else Severity.WARNING
                run.report(
                    "code-system-property-twice", place, severity=severity, part=part, value=value
                )
            elif value:
                known[value] = defined
        _check_defined(defined, place, run)
    return by_code


def _check_defined(defined: Resource, place: Path, run: Run) -> None:
    """A property by one of FHIR's uris has FHIR's type and does not go by another one's code."""
    uri, code, kind = (text_of(defined, part) for part in ("uri", "code", "type"))
    name = uri.removeprefix(_PROPERTIES)
    if not uri.startswith(_PROPERTIES) or name not in _DEFINED:
        return
    if code != name and code in _DEFINED:
        run.report("code-system-property-code", place, uri=uri, allowed=name, found=code)
    if kind and kind != _DEFINED[name]:
        run.report("code-system-property-type", place, uri=uri, allowed=_DEFINED[name], found=kind)


def _check_property(
    value: Resource,
    properties: dict[str, Resource],
    codes: set[str],
    system: Resource,
    place: Path,
    run: Run,
) -> None:
    code = text_of(value, "code")
    defined = properties.get(code)
    if defined is None:
        if code and code not in _DEFINED:
            near = nearest(code, list(properties))
            run.report("code-system-property-undefined", place, code=code, near=near)
        return
    key, found = choice_of(value, "value")
    kind = key.removeprefix("value")
    kind = kind[:1].lower() + kind[1:] if kind != "Coding" else kind
    allowed = text_of(defined, "type")
    if key and allowed and kind != allowed:
        run.report("code-system-property-value", place, code=code, allowed=allowed, found=kind)
    relates = defined.get("uri") in _RELATING and system.get("content") == "complete"
    if relates and kind == "code" and isinstance(found, str) and found not in codes:
        near = nearest(found, sorted(codes))
        run.report("code-system-property-concept", place, value=found, near=near)


def _check_supplement(
    system: Resource, concepts: list[tuple[Path, Resource]], path: Path, run: Run
) -> None:
    base = text_of(system, "supplements")
    is_supplement = system.get("content") == "supplement"
    if is_supplement and not base:
        problem = "the content is a supplement, but 'supplements' does not say to what"
        run.report("code-system-supplement-base", path, problem=problem)
    if base and not is_supplement:
        problem = f"'supplements' says {base}, but the content is no supplement"
        run.report("code-system-supplement-base", (*path, "supplements"), problem=problem)
    canonical = Canonical.parse(base)
    held = run.terminology.system(canonical.url, canonical.version) if base else None
    if held is None or not held.is_complete:
        return
    for place, concept in concepts:
        code = text_of(concept, "code")
        if code and held.get(code) is None:
            near = nearest(code, list(held.concepts))
            run.report("code-system-supplement-code", place, code=code, system=held.url, near=near)


def _check_value_set(system: Resource, path: Path, run: Run) -> None:
    """The value set that a system names holds all of it, and nothing else."""
    canonical, url = text_of(system, "valueSet"), text_of(system, "url")
    value_set = run.terminology.value_set(canonical) if canonical and url else None
    compose = value_set.get("compose") if value_set else None
    if not isinstance(compose, dict):
        return
    included = [include for _, include in numbered(compose, "include")]
    problem = ""
    if len(included) != 1:
        problem = f"includes from {len(included)} places, not from this code system alone"
    elif included[0].get("system") != url:
        problem = f"is of the system {included[0].get('system')}"
    elif included[0].get("concept") or included[0].get("filter") or compose.get("exclude"):
        problem = "does not hold the whole code system"
    if problem:
        run.report(
            "code-system-value-set", (*path, "valueSet"), value_set=canonical, problem=problem
        )
