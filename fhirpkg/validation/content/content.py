"""The rules of our own content, for resources that claim one of the profiles of fhirpkg.

What a StructureDefinition cannot say: that ids, codes, goals, actions and documents fit together.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fhirpkg.canonical import definition_name
from fhirpkg.definitions.terminology.systems import written
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.reading.parser import parse
from fhirpkg.packages.installed import content_root, read_profiles
from fhirpkg.rules import nearest
from fhirpkg.untrusted import codings, is_coding, mappings, objects, value_at
from fhirpkg.validation.content.codes import check_codes, check_codings, check_notices
from fhirpkg.validation.content.documents import check_document
from fhirpkg.validation.content.plans import check_plan
from fhirpkg.validation.content.rules import (
    CONTENT_EXPRESSION,
    CONTENT_FILTER_PATH,
    CONTENT_IDENTITY,
    CONTENT_KEY,
    CONTENT_NAME,
    CONTENT_ONE_CODE,
    CONTENT_PACKAGE_BASE,
    CONTENT_PACKAGE_IDENTIFIER,
    CONTENT_PACKAGE_TAG,
    CONTENT_PACKAGE_VERSION,
    CONTENT_REPEATED,
)
from fhirpkg.validation.elements.reference_rules import (
    REFERENCE_NOT_FOUND,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

_LANGUAGES = (
    "text/fhirpath", "text/cql", "text/cql-identifier", "text/cql-expression",
    "application/x-fhir-query",
)  # fmt: skip

_SEARCHED = {
    "PlanDefinition": ("topic",),
    "ActivityDefinition": ("topic",),
    "Library": ("topic",),
}
"""Elements besides useContext that hold a procedure's code, so that servers find it by `topic`."""


def check_content(resource: Resource, path: Path, run: Run) -> None:
    """Report where a resource that claims one of our profiles breaks the rules of our content."""
    if not claims_ours(resource):
        return
    every = list(mappings(resource, path))
    for place, value in every:
        _check_repeated(value, place, run)
        if "coding" in value:
            check_codings(value, place, run)
        if "expression" in value:
            _check_expression(value, place, run)
        if "codeFilter" in value:
            _check_filters(value, place, run)
    if resource["resourceType"] == "ImplementationGuide":
        _check_guide(resource, path, run)
        return
    _check_name(resource, path, run)
    _check_identity(resource, path, run)
    _check_keys(resource, path, run)
    codes = [each for each in every if is_coding(each[1])]
    check_codes(resource, codes, path, run)
    check_notices(resource, codes, path, run)
    if resource["resourceType"] == "PlanDefinition":
        check_plan(resource, path, run)
    elif resource["resourceType"] == "DocumentReference":
        check_document(resource, path, run)


def _check_guide(resource: Resource, path: Path, run: Run) -> None:
    """The guide has the identity of its package, and the parts that it lists fit together."""
    version, package = resource.get("version"), resource.get("packageId")
    base, _, end = str(resource.get("url")).partition("/ImplementationGuide/")
    tag: dict[str, Json] = {"system": f"{base}/package", "code": package}
    for key, found in (("id", resource.get("id")), ("url", end)):
        if found != package:
            run.report(CONTENT_IDENTITY, (*path, key), found=found, expected=package)
    identified: dict[str, str] = {}
    for place, reference in _listed(resource, path):
        part = run.resolve(reference, place)
        if part is None and run.must_be_here(f"{base}/"):
            run.report(REFERENCE_NOT_FOUND, place, reference=reference)
        if part is None or not claims_ours(part):
            continue
        found = part.get("url", f"{base}/")
        if part.get("version", version) != version:
            run.report(
                CONTENT_PACKAGE_VERSION,
                place,
                reference=reference,
                found=part["version"],
                version=version,
            )
        if not str(found).startswith(f"{base}/"):
            run.report(CONTENT_PACKAGE_BASE, place, reference=reference, found=found, base=base)
        if tag not in objects(part.get("meta"), "tag"):
            run.report(CONTENT_PACKAGE_TAG, place, reference=reference, **tag)
        for identifier in _identifiers(part):
            other = identified.setdefault(identifier, reference)
            if other != reference:
                run.report(
                    CONTENT_PACKAGE_IDENTIFIER,
                    place,
                    reference=reference,
                    identifier=identifier,
                    other=other,
                )


def claims_ours(resource: Resource) -> bool:
    """Whether a resource claims one of the profiles that are installed with fhirpkg."""
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    if not isinstance(claimed, list):
        return False
    return any(definition_name(str(url)) in _our_profiles() for url in claimed)


@functools.cache
def _our_profiles() -> frozenset[str]:
    profiles = read_profiles(content_root() / "resources")
    kinds = (p for p in profiles if p["resourceType"] == "StructureDefinition")
    return frozenset(definition_name(p["url"]) for p in kinds if p["type"] != "Extension")


def _listed(guide: Resource, path: Path) -> Iterator[tuple[Path, str]]:
    """The references to the parts of a guide, with their places."""
    definition = guide.get("definition")
    parts = definition.get("resource") if isinstance(definition, dict) else None
    for at, part in enumerate(parts if isinstance(parts, list) else ()):
        reference = part.get("reference") if isinstance(part, dict) else None
        target = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(target, str):
            yield (*path, "definition", "resource", at, "reference", "reference"), target


def _identifiers(resource: Resource) -> list[str]:
    return [f"{i.get('system')}|{i.get('value')}" for i in objects(resource, "identifier")]


def _check_name(resource: Resource, path: Path, run: Run) -> None:
    """Id, name and the end of the url are the same (CRMI, artifact conventions)."""
    identity = resource.get("id")
    ends = {"name": resource.get("name"), "url": str(resource.get("url", "")).rpartition("/")[2]}
    for key, found in ends.items():
        if key in resource and found != identity:
            run.report(CONTENT_NAME, (*path, key), found=found, id=identity)


def _check_identity(resource: Resource, path: Path, run: Run) -> None:
    """Identifier and tag are those by which publishing finds the resource again."""
    name = f"{resource['resourceType']}/{resource.get('id')}"
    url = resource.get("url")
    identifiers = objects(resource, "identifier")
    if isinstance(url, str):
        base = url.removesuffix(f"/{name}")
    else:
        base = str(identifiers[0].get("system") if identifiers else "").removesuffix("/identifier")
    expected: dict[Path, str] = {("meta", "tag", 0, "system"): f"{base}/package"}
    if identifiers:
        expected["identifier", 0, "system"] = f"{base}/identifier"
        expected["identifier", 0, "value"] = name
    if "masterIdentifier" in resource:
        expected["masterIdentifier", "system"] = "urn:ietf:rfc:3986"
    for place, value in expected.items():
        found = value_at(resource, place)
        if found != value:
            run.report(CONTENT_IDENTITY, (*path, *place), found=found, expected=value)


def _check_keys(resource: Resource, path: Path, run: Run) -> None:
    """The procedure's code is where servers find it, and it is the same everywhere.

    Other codes that a resource is found by are those of its family, which are in its topics.
    """
    places = list(_keys(resource))
    if not places:
        return  # the profile demands one in useContext or context.event, and says so
    key = places[0][1]
    topics = [found for _, found in codings(resource.get("topic"), ())]
    for element in _SEARCHED.get(resource["resourceType"], ()):
        if not _is_among(key, topics):
            run.report(CONTENT_KEY, (*path, element), code=_written(key))
    for place, coding in places:
        is_other = coding.get("system") == key.get("system") and not _is_among(coding, [key])
        if is_other and not _is_among(coding, topics):
            found, code = _written(coding), _written(key)
            run.report(CONTENT_ONE_CODE, (*path, *place, "code"), found=found, code=code)


def _keys(resource: Resource) -> Iterator[tuple[Path, Resource]]:
    """The codings that a resource is found by, with their places; the first is the key."""
    for at, context in enumerate(objects(resource, "useContext")):
        kind = context.get("code")
        if isinstance(kind, dict) and kind.get("code") == "focus":
            root = ("useContext", at, "valueCodeableConcept")
            yield from codings(context.get("valueCodeableConcept"), root)
    circumstances = resource.get("context")
    if isinstance(circumstances, dict):
        yield from codings(circumstances.get("event"), ("context", "event"))


def _is_among(coding: Resource, others: list[Resource]) -> bool:
    return any(all(coding.get(k) == other.get(k) for k in ("system", "code")) for other in others)


def _written(coding: Resource) -> str:
    return written(str(coding.get("system")), coding.get("code"))


def _check_repeated(value: Resource, place: Path, run: Run) -> None:
    """No item appears twice in a list."""
    for key, items in value.items():
        if not isinstance(items, list) or len(items) < 2:
            continue
        alike: dict[Hashable, list[Json]] = {}
        for at, item in enumerate(items):
            others = alike.setdefault(_outline(item), [])
            if item is not None and item in others:
                run.report(CONTENT_REPEATED, (*place, key, at), first=items.index(item))
            others.append(item)


def _outline(item: Json) -> Hashable:
    """A key that equal items share, as others may: the texts of an object."""
    if isinstance(item, dict):
        return frozenset(pair for pair in item.items() if isinstance(pair[1], str))
    return item if isinstance(item, str) else None


def _check_expression(value: Resource, place: Path, run: Run) -> None:
    """An expression has a language that is known; FHIRPath can be parsed."""
    language, text = value.get("language"), value.get("expression")
    if not isinstance(language, str) or not isinstance(text, str):
        return
    if language not in _LANGUAGES:
        near = nearest(language, list(_LANGUAGES))
        problem = f"'{language}' is not a language of expressions that is known{near}"
        run.report(CONTENT_EXPRESSION, (*place, "language"), problem=problem)
    elif language == "text/fhirpath":
        try:
            parse(text)
        except FhirPathError as error:
            run.report(CONTENT_EXPRESSION, (*place, "expression"), problem=str(error))


def _check_filters(value: Resource, place: Path, run: Run) -> None:
    """Each path that data are filtered by is an element of their type."""
    kind, filters = value.get("type"), objects(value, "codeFilter")
    if not filters or not isinstance(kind, str) or not run.definitions.types.is_resource(kind):
        return
    elements = list(run.definitions.types.elements(kind))
    for at, condition in enumerate(filters):
        found = str(condition.get("path", "")).partition(".")[0]
        if found and found not in elements:
            run.report(
                CONTENT_FILTER_PATH,
                (*place, "codeFilter", at, "path"),
                type=kind,
                path_=found,
                nearest=nearest(found, elements),
            )
