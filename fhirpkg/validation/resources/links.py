"""How the entries of a Bundle hold together: references that resolve, entries in reach.

A reference is resolved by fullUrl alone (http://hl7.org/fhir/R4/bundle.html#references).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.resources.bundle_rules import (
    BUNDLE_REFERENCE,
    BUNDLE_REFERENCE_AMBIGUOUS,
    BUNDLE_REFERENCE_BASE,
    BUNDLE_STYLESHEET,
    BUNDLE_UNREACHABLE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.resources.bundle_index import BundleIndex
    from fhirpkg.validation.run import Run

ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
RESTFUL = re.compile(
    r"(?P<base>https?://[^\s?#@]*/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/.*)?"
)
_RELATIVE = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})")
_COMPOSITION_REFERENCES = ("subject", "encounter", "author", "custodian")
_SECTION_REFERENCES = ("author", "focus", "entry")
_NO_LINKS = frozenset(("system", "profile", "reference", "div"))


def check_links(bundle: Resource, kind: str, path: Path, run: Run) -> None:
    """Report what a document's Composition or a message's header refers to and is not there.

    Then the entries that nothing links with it: an error in a document, a warning in a message.
    """
    first = items_of(bundle, "entry")[0]
    header = first.get("resource")
    wanted = {"document": "Composition", "message": "MessageHeader"}[kind]
    if not isinstance(header, dict) or header.get("resourceType") != wanted:
        return  # bdl-11 and bdl-12 report it
    index, base = run.index(bundle), text_of(first, "fullUrl")
    place = (*path, "entry", 0, "resource")
    references = _composition_references if kind == "document" else _message_references
    for value, where in references(header, place):
        reference = text_of(value, "reference")
        if reference and not reference.startswith("#"):
            _check_reference(reference, base, where, index, run)
    sheets = _style_sheets(bundle, path, run) if kind == "document" else []
    severity = Severity.ERROR if kind == "document" else Severity.WARNING
    for number in _unreached(bundle, [first, *sheets], index):
        url = text_of(bundle["entry"][number], "fullUrl")
        where = (*path, "entry", number)
        run.report(BUNDLE_UNREACHABLE, where, severity=severity, url=url, wanted=wanted)


def _check_reference(reference: str, base: str, where: Path, index: BundleIndex, run: Run) -> None:
    if not _targets(reference, base, index) and not _is_definition(reference, run):
        hint = _hint(reference, index)
        run.report(BUNDLE_REFERENCE, where, reference=reference, hint=hint)


def _hint(reference: str, index: BundleIndex) -> str:
    """Words on the entries of the type and id that a reference names; empty when there are none."""
    same = len(index.by_id.get(_identity(reference), ()))
    words = f"; {same} of its entries have that type and id, but another fullUrl or version"
    return words if same else ""


def _identity(reference: str) -> str:
    return "/".join(reference.partition("#")[0].partition("/_history/")[0].split("/")[-2:])


def _is_definition(reference: str, run: Run) -> bool:
    """Whether a reference is by the canonical url of a definition, which lives outside Bundles."""
    return bool(ABSOLUTE.match(reference)) and run.definitions.find(reference) is not None


def check_references(bundle: Resource, kind: str, path: Path, run: Run) -> None:
    """Report references in entries that lead to several, or that no fullUrl lets resolve.

    Of what only a Composition's and a header's references must do, the others get a warning.
    """
    index = run.index(bundle)
    is_linked = kind in {"document", "message"}
    is_repeated = kind != "history" and any(len(same) > 1 for same in index.by_url.values())
    for number, entry in enumerate(items_of(bundle, "entry")):
        base, place = text_of(entry, "fullUrl"), (*path, "entry", number)
        lacks_base = kind in {"transaction", "batch"} and "fullUrl" not in entry
        if not (is_linked or is_repeated or lacks_base):
            continue
        loose: dict[str, None] = {}
        for reference, where in _references(entry.get("resource"), (*place, "resource")):
            found = _targets(reference, base, index)
            if len(found) > 1 and is_repeated:
                rule = BUNDLE_REFERENCE_AMBIGUOUS
                run.report(rule, where, reference=reference, count=len(found))
            elif not found and _RELATIVE.fullmatch(reference.partition("/_history/")[0]):
                loose[reference] = None
        if lacks_base and loose:
            run.report(BUNDLE_REFERENCE_BASE, place, reference=next(iter(loose)))
        for reference in loose if is_linked and number else ():
            if hint := _hint(reference, index):
                words = {"reference": reference, "hint": hint}
                run.report(BUNDLE_REFERENCE, place, severity=Severity.WARNING, **words)


def _references(value: Json, path: Path) -> Iterator[tuple[str, Path]]:
    """The references in a resource with the places of their Reference; not inside Bundles."""
    todo = [(value, path)]
    while todo:
        node, place = todo.pop()
        if isinstance(node, list):
            todo += [(item, (*place, n)) for n, item in enumerate(node)]
        elif isinstance(node, dict) and node.get("resourceType") != "Bundle":
            if reference := text_of(node, "reference"):
                yield reference, place
            todo += [(v, (*place, k)) for k, v in node.items() if isinstance(v, (dict, list))]


def _targets(reference: str, base: str, index: BundleIndex) -> list[Resource]:
    """The entries a reference leads to: by fullUrl alone, and by version when it names one."""
    url, _, version = reference.partition("#")[0].partition("/_history/")
    if _RELATIVE.fullmatch(url):
        match = RESTFUL.fullmatch(base)
        if not match:
            return []
        url = match["base"] + url
    found = index.by_url.get(url, [])
    if version:
        found = [e for e in found if text_of(e["resource"].get("meta"), "versionId") == version]
    return found


def _style_sheets(bundle: Resource, path: Path, run: Run) -> list[Resource]:
    """The entries that links name as style sheets by type and id; others are elsewhere."""
    found: list[Resource] = []
    for number, link in enumerate(items_of(bundle, "link")):
        url = text_of(link, "url")
        if text_of(link, "relation") != "stylesheet" or not url or ABSOLUTE.match(url):
            continue
        sheets = run.index(bundle).by_id.get(url, [])
        if not sheets:
            run.report(BUNDLE_STYLESHEET, (*path, "link", number, "url"), url=url)
        found += sheets
    return found


def _unreached(bundle: Resource, roots: list[Resource], index: BundleIndex) -> list[int]:
    """The numbers of the entries that no chain of links, followed either way, joins to a root."""
    entries = items_of(bundle, "entry")
    number_of = {id(entry): number for number, entry in enumerate(entries)}
    linked: list[set[int]] = [set() for _ in entries]
    for number, entry in enumerate(entries):
        for target in _linked(entry, index):
            linked[number].add(number_of[id(target)])
            linked[number_of[id(target)]].add(number)
    todo = [number_of[id(root)] for root in roots]
    reached = set(todo)
    while todo:
        new = linked[todo.pop()] - reached
        reached |= new
        todo += new
    with_resource = (
        n for n, entry in enumerate(entries) if isinstance(entry.get("resource"), dict)
    )
    return [number for number in with_resource if number not in reached]


def _linked(entry: Resource, index: BundleIndex) -> Iterator[Resource]:
    """The entries that one refers to, also by other urls than references; not inside Bundles."""
    base = text_of(entry, "fullUrl")
    todo = [entry.get("resource")]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += [item for item in node if isinstance(item, (dict, list))]
        elif isinstance(node, dict) and (node.get("resourceType") != "Bundle"):
            yield from _targets(text_of(node, "reference"), base, index)
            for key, value in node.items():
                if isinstance(value, (dict, list)):
                    todo.append(value)
                elif isinstance(value, str) and key not in _NO_LINKS:
                    yield from _targets(value, base, index)


def _message_references(header: Resource, path: Path) -> Iterator[tuple[Json, Path]]:
    yield from _values(header, ("focus",), path)


def _composition_references(composition: Resource, path: Path) -> Iterator[tuple[Json, Path]]:
    yield from _values(composition, _COMPOSITION_REFERENCES, path)
    for key, inner in (("attester", "party"), ("event", "detail")):
        for number, part in enumerate(items_of(composition, key)):
            yield from _values(part, (inner,), (*path, key, number))
    todo = [(composition, path)]
    while todo:
        parent, place = todo.pop()
        for number, section in enumerate(items_of(parent, "section")):
            here = (*place, "section", number)
            yield from _values(section, _SECTION_REFERENCES, here)
            todo.append((section, here))


def _values(parent: Resource, keys: tuple[str, ...], path: Path) -> Iterator[tuple[Json, Path]]:
    for key in keys:
        value = parent.get(key)
        if isinstance(value, list):
            yield from ((item, (*path, key, n)) for n, item in enumerate(value))
        elif value is not None:
            yield value, (*path, key)


def items_of(parent: Resource, key: str) -> list[Resource]:
    """The objects of a list; the check of structure reports one that holds anything else."""
    items = parent.get(key)
    return [i if isinstance(i, dict) else {} for i in items] if isinstance(items, list) else []
