"""The rules of our own content, for resources that claim one of the profiles of fhirpkg.

What a StructureDefinition cannot say: that ids, codes, goals, actions and documents fit together.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
import uuid
from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.grammars import CPT, LOINC, SNOMED_CT
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.packages.package import content_root, read_profiles
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_OWNERS = {
    CPT: ("CPT", "American Medical Association"),
    LOINC: ("LOINC", "Regenstrief Institute"),
    SNOMED_CT: ("SNOMED CT", "SNOMED International"),
}
"""Code systems whose owners ask for a notice: their names, and what the notice names."""

_SEARCHED = {
    "PlanDefinition": ("topic",),
    "ActivityDefinition": ("topic",),
    "Library": ("topic",),
}
"""Where a procedure's code stands besides useContext, so that servers find it by `topic`."""

_MARKDOWN = re.compile(r"\*\*|__|`|\]\(|^\s*(#{1,6}|[-*+]|\d+\.)\s", re.MULTILINE)


def check_content(resource: Resource, path: Path, run: Run) -> None:
    """Report where a resource that claims one of our profiles breaks the rules of our content."""
    if not claims_ours(resource):
        return
    _check_name(resource, path, run)
    _check_keys(resource, path, run)
    _check_codes(resource, path, run)
    _check_notices(resource, path, run)
    if resource["resourceType"] == "PlanDefinition":
        _check_plan(resource, path, run)
    elif resource["resourceType"] == "DocumentReference":
        _check_document(resource, path, run)


def check_guide(resource: Resource, path: Path, run: Run) -> None:
    """Report where the parts of a package, as its guide lists them, do not fit together."""
    version, url = resource.get("version"), resource.get("url")
    base = url.partition("/ImplementationGuide/")[0] if isinstance(url, str) else ""
    identified: dict[str, str] = {}
    for place, reference in _listed(resource, path):
        part = run.resolve(reference, place)
        if part is None or not claims_ours(part):
            continue
        found = part.get("url", f"{base}/")
        if part.get("version", version) != version:
            run.report(
                "content-package-version",
                place,
                reference=reference,
                found=part["version"],
                version=version,
            )
        if not str(found).startswith(f"{base}/"):
            run.report("content-package-base", place, reference=reference, found=found, base=base)
        for identifier in _identifiers(part):
            other = identified.setdefault(identifier, reference)
            if other != reference:
                run.report(
                    "content-package-identifier",
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
    return any(str(url).partition("|")[0] in _our_profiles() for url in claimed)


@functools.cache
def _our_profiles() -> frozenset[str]:
    profiles = read_profiles(content_root() / "resources")
    return frozenset(p["url"] for p in profiles if p["resourceType"] == "StructureDefinition")


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
    return [f"{i.get('system')}|{i.get('value')}" for i in _objects(resource, "identifier")]


def _check_name(resource: Resource, path: Path, run: Run) -> None:
    """Id, name and the end of the url are the same (CRMI, artifact conventions)."""
    identity = resource.get("id")
    ends = {"name": resource.get("name"), "url": str(resource.get("url", "")).rpartition("/")[2]}
    for key, found in ends.items():
        if key in resource and found != identity:
            run.report("content-name", (*path, key), found=found, id=identity)


def _check_keys(resource: Resource, path: Path, run: Run) -> None:
    """The procedure's code is where servers find it, and it is the same everywhere."""
    codes = dict(_keys(resource))
    first = next(iter(codes.values()), None)
    if first is None:
        return  # the profile demands one in useContext or context.event, and says so
    for key in _SEARCHED.get(resource["resourceType"], ()):
        if not any(place[0] == key for place in codes):
            run.report("content-key", (*path, key), code=first)
    for place, code in codes.items():
        if code != first:
            run.report("content-one-code", (*path, *place), found=code, code=first)


def _keys(resource: Resource) -> Iterator[tuple[Path, str]]:
    """The CPT codes that a resource is found by, with their places."""
    roots = [("useContext",), ("context", "event"), ("topic",)]
    for root in roots:
        value: Any = resource
        for step in root:
            value = value.get(step) if isinstance(value, dict) else None
        for place, coding in _codings(value, root):
            if coding.get("system") == CPT and isinstance(coding.get("code"), str):
                yield (*place, "code"), coding["code"]


def _check_codes(resource: Resource, path: Path, run: Run) -> None:
    """No display on CPT; codes that their systems can have; ICD-10-CM under its own url."""
    for place, coding in _codings(resource, path):
        system, code = coding["system"], coding.get("code")
        if system == CPT and "display" in coding:
            run.report("content-cpt-display", (*place, "display"), display=coding["display"])
        if not isinstance(code, str):
            continue
        if system == "http://hl7.org/fhir/sid/icd-10":
            run.report("content-icd-10-cm", (*place, "system"), code=code)
        answer = grammars.check(system, code)
        if answer.verdict is Verdict.NO:
            run.report("content-code", (*place, "code"), problem=answer.reason)
    for place, include in _includes(resource, path):
        for at, concept in enumerate(_objects(include, "concept")):
            answer = grammars.check(str(include.get("system")), str(concept.get("code")))
            if answer.verdict is Verdict.NO:
                run.report("content-code", (*place, "concept", at, "code"), problem=answer.reason)


def _includes(resource: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    compose = resource.get("compose")
    for at, include in enumerate(_objects(compose, "include")):
        yield (*path, "compose", "include", at), include


def _check_notices(resource: Resource, path: Path, run: Run) -> None:
    """Each code system that is used and whose owner asks for a notice has one."""
    used = {coding["system"] for _, coding in _codings(resource, ())}
    systems = [include.get("system") for _, include in _includes(resource, ())]
    used |= {system for system in systems if isinstance(system, str)}
    if resource["resourceType"] == "DocumentReference":
        data = _attachment(resource)[1]  # R4 has no element for it: the document itself says it
        text, place = (data or b"").decode(errors="replace"), ("content",)
    else:
        text, place = str(resource.get("copyright", "")), ("copyright",)
    for system, (name, owner) in _OWNERS.items():
        if system in used and owner not in text:
            run.report("content-notice", (*path, *place), system=name, owner=owner)


def _check_plan(plan: Resource, path: Path, run: Run) -> None:
    """Actions, goals and definitions of a plan refer to each other, not into the void."""
    actions = list(_actions(plan, path))
    ids = [action["id"] for _, action in actions if isinstance(action.get("id"), str)]
    goals = [str(goal.get("id")) for goal in _objects(plan, "goal")]
    seen: set[str] = set()
    for place, action in actions:
        _check_action_id(action, place, seen, run)
        for at, goal in enumerate(_texts(action, "goalId")):
            if goal not in goals:
                where = (*place, "goalId", at)
                run.report("content-goal-id", where, goal=goal, nearest=nearest(goal, goals))
        for at, relation in enumerate(_objects(action, "relatedAction")):
            target = str(relation.get("actionId"))
            if target not in ids:
                run.report(
                    "content-related-action",
                    (*place, "relatedAction", at, "actionId"),
                    action=target,
                    nearest=nearest(target, ids),
                )
        for key in ("description", "textEquivalent"):
            if _MARKDOWN.search(str(action.get(key, ""))):
                run.report("content-markdown", (*place, key))
    for at, aim in enumerate(_objects(plan, "goal")):
        if "target" in aim and "documentation" not in aim:
            run.report("content-target-source", (*path, "goal", at, "target"))
    if _MARKDOWN.search(str(plan.get("usage", ""))):
        run.report("content-markdown", (*path, "usage"))
    _check_parts(plan, path, run, actions)


def _check_action_id(action: Resource, place: Path, seen: set[str], run: Run) -> None:
    found = action.get("id")
    if not isinstance(found, str):
        run.report("content-action-id", place, problem="this action has no id")
    elif found in seen:
        problem = f"another action has the id '{found}' already"
        run.report("content-action-id", (*place, "id"), problem=problem)
    else:
        seen.add(found)


def _check_parts(
    plan: Resource, path: Path, run: Run, actions: list[tuple[Path, Resource]]
) -> None:
    """What actions use and what is listed as composed-of are the same definitions."""
    parts = {
        _url(artifact.get("resource")): (*path, "relatedArtifact", at, "resource")
        for at, artifact in enumerate(_objects(plan, "relatedArtifact"))
        if artifact.get("type") == "composed-of"
    }
    used = {
        _url(action["definitionCanonical"]): (*place, "definitionCanonical")
        for place, action in actions
        if "definitionCanonical" in action
    }
    for canonical in used.keys() - parts.keys():
        run.report("content-composed-of", used[canonical], canonical=canonical)
    for canonical in parts.keys() - used.keys():
        run.report("content-unused-part", parts[canonical], canonical=canonical)


def _url(canonical: Any) -> str:
    return str(canonical).partition("|")[0]


def _actions(holder: Resource, path: Path) -> Iterator[tuple[Path, Resource]]:
    for at, action in enumerate(_objects(holder, "action")):
        place = (*path, "action", at)
        yield place, action
        yield from _actions(action, place)


def _check_document(document: Resource, path: Path, run: Run) -> None:
    """Size, hash and master identifier are those of the content."""
    attachment, data = _attachment(document)
    if data is None:
        return  # the profile demands it, and base64 is checked by its type
    place = (*path, "content", 0, "attachment")
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if attachment.get("size", len(data)) != len(data):
        run.report(
            "content-attachment-size",
            (*place, "size"),
            found=attachment["size"],
            size=len(data),
        )
    if attachment.get("hash", digest) != digest:
        run.report(
            "content-attachment-hash",
            (*place, "hash"),
            found=attachment["hash"],
            hash=digest,
        )
    master = document.get("masterIdentifier")
    for identifier in _objects(document, "identifier")[:1]:
        expected = version_id(identifier, data)
        found = master.get("value") if isinstance(master, dict) else None
        if found is not None and found != expected:
            run.report(
                "content-document-version",
                (*path, "masterIdentifier", "value"),
                found=found,
                expected=expected,
            )


def version_id(identifier: Resource, content: bytes) -> str:
    """The master identifier of a document: one for each content of one identifier."""
    digest = hashlib.sha256(content).hexdigest()
    name = f"{identifier.get('system')}|{identifier.get('value')}|{digest}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def _attachment(document: Resource) -> tuple[Resource, bytes | None]:
    """The first attachment of a document, and its data when they can be read."""
    for content in _objects(document, "content")[:1]:
        attachment = content.get("attachment")
        if isinstance(attachment, dict) and isinstance(attachment.get("data"), str):
            try:
                return attachment, base64.b64decode(attachment["data"])
            except (ValueError, binascii.Error):
                return attachment, None
    return {}, None


def _codings(value: Any, path: Path) -> Iterator[tuple[Path, Resource]]:
    """Every coding inside a value, with its place."""
    if isinstance(value, dict):
        if isinstance(value.get("system"), str) and "code" in value:
            yield path, value
        for key, item in value.items():
            yield from _codings(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _codings(item, (*path, at))


def _objects(value: Any, key: str) -> list[Resource]:
    """The objects in a list, or none where there is no such list."""
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _texts(value: Resource, key: str) -> list[str]:
    found = value.get(key)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
