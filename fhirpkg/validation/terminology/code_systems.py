"""CodeSystems: counts, properties, supplements, the value set of the whole system.

See http://hl7.org/fhir/R4/codesystem.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology.coded import codes_of
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.issues import Json, Severity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import choice_of, numbered, text_of
from fhirpkg.validation.terminology.rules import (
    CODE_SYSTEM_COUNT,
    CODE_SYSTEM_NOT_PRESENT,
    CODE_SYSTEM_PART_COUNT,
    CODE_SYSTEM_PROPERTY_BINDING,
    CODE_SYSTEM_PROPERTY_CODE,
    CODE_SYSTEM_PROPERTY_CONCEPT,
    CODE_SYSTEM_PROPERTY_TWICE,
    CODE_SYSTEM_PROPERTY_TYPE,
    CODE_SYSTEM_PROPERTY_UNDEFINED,
    CODE_SYSTEM_PROPERTY_URI,
    CODE_SYSTEM_PROPERTY_VALUE,
    CODE_SYSTEM_SUPPLEMENT_BASE,
    CODE_SYSTEM_SUPPLEMENT_CODE,
    CODE_SYSTEM_SUPPLEMENT_PART,
    CODE_SYSTEM_VALUE_SET,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fhirpkg.definitions.terminology.codesystems import CodeSystem
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
_LATER = {"alternateCode", "definition", "order"}
"""What later versions of FHIR define beside them."""
_STANDARD = {*_DEFINED, *_LATER}
_RELATING = {f"{_PROPERTIES}{code}" for code in ("child", "parent", "partOf", "synonym")}
_BINDING = "http://hl7.org/fhir/StructureDefinition/codesystem-property-valueset"


def check_code_system(system: Resource, path: Path, run: Run) -> None:
    """Report what a CodeSystem says of itself that does not hold."""
    concepts = list(_concepts(system, path))
    _check_count(system, len(concepts), path, run)
    properties = _check_properties(system, path, run)
    base = _base(system, run)
    codes = {text_of(concept, "code") for _, concept in concepts}
    known = codes if base is None else {concept.code for concept in base.concepts.values()}
    for place, concept in concepts:
        for at, value in numbered(concept, "property", place):
            _check_property(value, properties, known, system, at, run)
    _check_supplement(system, base, concepts, path, run)
    _check_value_set(system, len(concepts), path, run)


def _base(system: Resource, run: Run) -> CodeSystem | None:
    """What a supplement adds to, if that is loaded with all its concepts."""
    base = text_of(system, "supplements")
    canonical = Canonical.parse(base)
    held = run.terminology.system(canonical.url, canonical.version) if base else None
    return held if held and held.is_complete else None


def _concepts(parent: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    todo = list(numbered(parent, "concept", path))[::-1]
    while todo:
        place, concept = todo.pop()
        yield place, concept
        todo += list(numbered(concept, "concept", place))[::-1]


def _check_count(system: Resource, found: int, path: Path, run: Run) -> None:
    count, content = system.get("count"), system.get("content")
    if content == "not-present" and found:
        run.report(CODE_SYSTEM_NOT_PRESENT, (*path, "concept", 0), found=found)
    if not isinstance(count, int) or isinstance(count, bool):
        return
    if content == "complete" and found != count:
        run.report(CODE_SYSTEM_COUNT, (*path, "count"), found=found, count=count)
    elif content in {"example", "fragment"} and found > count:
        run.report(CODE_SYSTEM_PART_COUNT, (*path, "count"), found=found, count=count)


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
                    CODE_SYSTEM_PROPERTY_TWICE, place, severity=severity, part=part, value=value
                )
            elif value:
                known[value] = defined
        _check_uri(text_of(defined, "uri"), text_of(system, "url"), place, run)
        _check_defined(defined, place, run)
    return by_code


def _check_uri(uri: str, url: str, place: Path, run: Run) -> None:
    """The uri of a property is absolute; in FHIR's namespace it is one that FHIR defines."""
    problem = ""
    base, _, name = uri.partition("#")
    if uri and ":" not in uri:
        problem = "is not absolute"
    elif "://hl7.org/fhir" in uri and not _is_known(base, name, run):
        is_own = bool(url) and uri.startswith(url)
        if not is_own and not _is_core(url):
            near = nearest(name, sorted(_STANDARD))
            problem = f"is not one that FHIR defines{near}; use another namespace for your own"
    if problem:
        run.report(CODE_SYSTEM_PROPERTY_URI, place, uri=uri, problem=problem)


def _is_known(base: str, name: str, run: Run) -> bool:
    """Whether a property is one of FHIR's, or of a loaded code system that defines properties."""
    if base == _PROPERTIES.rstrip("#"):
        return name in _STANDARD
    return run.terminology.system(base) is not None


def _is_core(url: str) -> bool:
    """Whether a code system is one of FHIR itself (``http://hl7.org/fhir/issue-type``)."""
    return url.startswith("http://hl7.org/fhir/") and "/" not in url[20:]


def _check_defined(defined: Resource, place: Path, run: Run) -> None:
    """A property by one of FHIR's uris has FHIR's type and does not go by another one's code."""
    uri, code, kind = (text_of(defined, part) for part in ("uri", "code", "type"))
    name = uri.removeprefix(_PROPERTIES)
    if not uri.startswith(_PROPERTIES) or name not in _DEFINED:
        return
    if code != name and code in _DEFINED:
        run.report(CODE_SYSTEM_PROPERTY_CODE, place, uri=uri, allowed=name, found=code)
    if kind and kind != _DEFINED[name]:
        run.report(CODE_SYSTEM_PROPERTY_TYPE, place, uri=uri, allowed=_DEFINED[name], found=kind)


def _check_property(
    value: Resource,
    properties: dict[str, Resource],
    known: Collection[str],
    system: Resource,
    place: Path,
    run: Run,
) -> None:
    code = text_of(value, "code")
    defined = properties.get(code)
    if defined is None:
        if code and code not in _DEFINED:
            near = nearest(code, list(properties))
            run.report(CODE_SYSTEM_PROPERTY_UNDEFINED, place, code=code, near=near)
        return
    key, found = choice_of(value, "value")
    kind = key.removeprefix("value")
    kind = kind[:1].lower() + kind[1:] if kind != "Coding" else kind
    allowed = text_of(defined, "type")
    if key and allowed and kind != allowed:
        run.report(CODE_SYSTEM_PROPERTY_VALUE, place, code=code, allowed=allowed, found=kind)
    elif kind in {"Coding", "code"}:
        _check_bound(found, defined, place, run)
    # in a supplement it is not left open whose code a property of another meaning is
    is_supplement = system.get("content") == "supplement" and code not in _DEFINED
    relates = text_of(defined, "uri") in _RELATING or (is_supplement and not _is_bound(defined))
    if relates and kind == "code" and isinstance(found, str) and found not in known:
        near = nearest(found, sorted(known))
        is_whole = text_of(system, "content") in {"complete", "supplement"}
        severity = Severity.ERROR if is_whole else Severity.WARNING
        run.report(CODE_SYSTEM_PROPERTY_CONCEPT, place, severity=severity, value=found, near=near)


def _is_bound(defined: Resource) -> bool:
    return any(each.get("url") == _BINDING for _, each in numbered(defined, "extension"))


def _check_bound(found: Json, defined: Resource, place: Path, run: Run) -> None:
    """The value of a property that is bound is in the value set."""
    for _, extension in numbered(defined, "extension"):
        value_set = extension.get("valueCanonical")
        if extension.get("url") != _BINDING or not isinstance(value_set, str):
            continue
        for system, code in codes_of(found):
            member = run.terminology.membership(value_set, code, system)
            if member.verdict is Verdict.NO:
                run.report(CODE_SYSTEM_PROPERTY_BINDING, place, reason=member.reason)


def _check_supplement(
    system: Resource,
    base: CodeSystem | None,
    concepts: list[tuple[Path, Resource]],
    path: Path,
    run: Run,
) -> None:
    named = text_of(system, "supplements")
    is_supplement = system.get("content") == "supplement"
    if is_supplement and not named:
        problem = "the content is a supplement, but 'supplements' does not say to what"
        run.report(CODE_SYSTEM_SUPPLEMENT_BASE, path, problem=problem)
    if named and not is_supplement:
        problem = f"'supplements' says {named}, but the content is not a supplement"
        run.report(CODE_SYSTEM_SUPPLEMENT_BASE, (*path, "content"), problem=problem)
    if named and "caseSensitive" in system:
        problem = "only the code system itself states whether case matters"
        run.report(CODE_SYSTEM_SUPPLEMENT_PART, (*path, "caseSensitive"), problem=problem)
    if base is None:
        return
    _check_meaning(system, named, path, run)
    for place, concept in concepts:
        code = text_of(concept, "code")
        if code and base.get(code) is None:
            near = nearest(code, list(base.concepts))
            run.report(CODE_SYSTEM_SUPPLEMENT_CODE, place, code=code, system=base.url, near=near)


def _check_meaning(system: Resource, named: str, path: Path, run: Run) -> None:
    """A supplement's hierarchy means what that of its code system means."""
    held = run.definitions.find(named, "CodeSystem") or {}
    found, allowed = text_of(system, "hierarchyMeaning"), text_of(held, "hierarchyMeaning")
    if found and allowed and found != allowed:
        problem = f"the hierarchy of {named} means '{allowed}', not '{found}'"
        run.report(CODE_SYSTEM_SUPPLEMENT_PART, (*path, "hierarchyMeaning"), problem=problem)


def _check_value_set(system: Resource, concepts: int, path: Path, run: Run) -> None:
    """The value set that a system names holds all of it, and nothing else."""
    canonical, url = text_of(system, "valueSet"), text_of(system, "url")
    value_set = run.terminology.value_set(canonical) if canonical and url else None
    problem = _value_set_problem(value_set, url, concepts) if value_set else ""
    if problem:
        run.report(CODE_SYSTEM_VALUE_SET, (*path, "valueSet"), value_set=canonical, problem=problem)


def _value_set_problem(value_set: Resource, url: str, concepts: int) -> str:
    compose, expansion = value_set.get("compose"), value_set.get("expansion")
    if not isinstance(compose, dict):
        return "has no compose that includes this code system"
    included = [include for _, include in numbered(compose, "include")]
    if len(included) != 1:
        return f"includes from {len(included)} places, not from this code system alone"
    if included[0].get("system") != url:
        return f"is of the system {included[0].get('system')}"
    if compose.get("exclude") or any(included[0].get(p) for p in ("concept", "filter", "valueSet")):
        return "does not hold the whole code system"
    listed = sum(1 for _ in numbered(expansion, "contains"))
    if listed and listed != concepts:
        return f"has an expansion of {listed} codes, while the system has {concepts} concepts"
    return ""
