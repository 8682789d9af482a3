"""Files to take away: the package and its Bundles, the Bundle of one procedure, PDF documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.bundling.content import Content, rank
from fhirpkg.bundling.writing import archive, collection_bundle, transaction_bundle
from fhirpkg.canonical import PackageId
from fhirpkg.course import mermaid, svg
from fhirpkg.languages.words import gettext
from fhirpkg.pages.reached import reached
from fhirpkg.untrusted import data_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.pages.shelf import Shelf

_OF_PLAN = re.compile(
    r"(?P<id>[A-Za-z0-9.-]{1,64})-(procedure\.json|course\.(svg|mmd)|sheet\.xlsx)"
)
_DOCUMENT = re.compile(r"(?P<id>[A-Za-z0-9.-]{1,64})-(?P<number>\d{1,3})\.pdf")
_OF_A_SERVER = ("versionId", "lastUpdated", "source")
MEDIA = {"tgz": "application/gzip", "json": "application/fhir+json", "pdf": "application/pdf",
         "svg": "image/svg+xml", "mmd": "text/plain",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}  # fmt: skip
"""The media types of the files, by the ends of their names."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that a page offers: its name and what it is."""

    name: str
    words: str


def offers(
    plan: Resource, resources: Iterable[Resource], packages: Iterable[PackageId]
) -> list[Offer]:
    """What the page of a procedure offers: its Bundle, its PDF documents, the whole packages."""
    found = []
    if _base(plan):
        words = gettext("this procedure as a transaction Bundle")
        found.append(Offer(f"{plan['id']}-procedure.json", words))
    if plan.get("action"):
        words = gettext("its build sheet, for systems that take no FHIR")
        found.append(Offer(f"{plan['id']}-sheet.xlsx", words))
    for resource in resources:
        for number, attachment in _pdfs(resource):
            words = text_of(attachment, "title") or text_of(resource, "description")
            found.append(Offer(f"{resource['id']}-{number}.pdf", words))
    for package in packages:
        found += [Offer(name, words) for name, (words, _) in package_files(package).items()]
    return found


def package_files(package: PackageId) -> dict[str, tuple[str, Callable[[Content], bytes]]]:
    """The files of a package by name: what each is, and how it is made of the content."""
    name = f"{package.name}-{package.version}"
    return {
        f"{name}.tgz": (gettext("the package {name}", name=package), archive),
        f"{name}-transaction.json": (
            gettext("the package as a transaction Bundle"), lambda c: _text(transaction_bundle(c))),
        f"{name}-collection.json": (
            gettext("the package as a collection Bundle"), lambda c: _text(collection_bundle(c))),
    }  # fmt: skip


def plan_files(plan: Resource, shelf: Shelf) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The files of one procedure by name, each with what makes it.

    Its picture, its build sheet, and its Bundle where the plan has a url.
    """
    name = plan["id"]
    if plan.get("action"):
        yield f"{name}-course.svg", lambda: svg(plan, shelf.resolve, is_alone=True).encode()
        yield f"{name}-course.mmd", lambda: mermaid(plan, shelf.resolve).encode()
        yield f"{name}-sheet.xlsx", lambda: _sheet(plan, shelf)
    if _base(plan):
        yield f"{name}-procedure.json", lambda: _procedure(plan, shelf)


def _sheet(plan: Resource, shelf: Shelf) -> bytes:
    from fhirpkg.sheets.making import build_sheet  # noqa: PLC0415 - a server may never need it
    from fhirpkg.sheets.spreadsheet import workbook  # noqa: PLC0415 - as above: openpyxl is large

    return workbook(build_sheet(reached(plan, shelf), plan["id"]))


def _procedure(plan: Resource, shelf: Shelf) -> bytes:
    """The Bundle of a procedure, in the order in which each comes after what it refers to."""
    own = sorted(map(as_published, reached(plan, shelf)), key=rank)
    identity = PackageId(plan["id"], text_of(plan, "version") or "0")
    return _text(transaction_bundle(Content(identity, _base(plan), own, "", "")))


def documents_of(resource: Resource) -> Iterator[tuple[str, bytes]]:
    """The PDF documents of a resource, by file name."""
    for number, attachment in _pdfs(resource):
        data = data_of(attachment)
        if data is not None:
            yield f"{resource['id']}-{number}.pdf", data


def download(name: str, shelf: Shelf) -> bytes | None:
    """A file by its name, made of what a shelf holds; None when there is no such file."""
    if match := _OF_PLAN.fullmatch(name):
        plan = shelf.read("PlanDefinition", match["id"])
        make = dict(plan_files(plan, shelf)).get(name) if plan else None
        return make() if make else None
    if match := _DOCUMENT.fullmatch(name):
        document = shelf.read("DocumentReference", match["id"])
        return dict(documents_of(document)).get(name) if document else None
    for guide in shelf.listed("ImplementationGuide"):
        package = package_of(guide)
        if package and name in (files := package_files(package)):
            content = _content(guide, package, shelf)
            return files[name][1](content) if content else None
    return None


def packages_with(plan: Resource, shelf: Shelf) -> list[PackageId]:
    """The packages whose guides list a plan, as far as all that they list is here."""
    found = []
    for guide in shelf.listed("ImplementationGuide"):
        package, names = package_of(guide), _listed(guide)
        is_whole = all(shelf.read(*name.split("/", 1)) for name in names if "/" in name)
        if package and is_whole and f"PlanDefinition/{plan['id']}" in names:
            found.append(package)
    return found


def package_of(guide: Resource) -> PackageId | None:
    """The package that a guide is the guide of."""
    try:
        name = PackageId.parse(text_of(guide, "packageId")).name
    except ValueError:
        return None
    return PackageId(name, text_of(guide, "version") or None)


def as_published(resource: Resource) -> Resource:
    """A resource without what a server notes in its meta."""
    meta = resource.get("meta")
    if not isinstance(meta, dict) or not meta.keys() & set(_OF_A_SERVER):
        return resource
    kept = {key: value for key, value in meta.items() if key not in _OF_A_SERVER}
    rest = {key: value for key, value in resource.items() if key != "meta"}
    if not kept:
        return rest
    first: Resource = {key: rest.pop(key) for key in ("resourceType", "id") if key in rest}
    return {**first, "meta": kept, **rest}


def _content(guide: Resource, package: PackageId, shelf: Shelf) -> Content | None:
    """The content that a guide lists; None when not all of it is here."""
    found = [guide]
    for name in _listed(guide):
        kind, _, identity = name.partition("/")
        resource = shelf.read(kind, identity)
        if resource is None:
            return None
        found.append(resource)
    base = text_of(guide, "url").rpartition("/ImplementationGuide/")[0]
    own = sorted(map(as_published, found), key=rank)
    return Content(package, base, own, f"the ImplementationGuide {guide['id']}", "")


def _listed(guide: Resource) -> list[str]:
    """The resources of a package that are not examples."""
    parts = objects(guide.get("definition"), "resource")
    return [
        text_of(part.get("reference"), "reference")
        for part in parts
        if not part.get("exampleBoolean") and "exampleCanonical" not in part
    ]


def _pdfs(resource: Resource) -> Iterator[tuple[int, Resource]]:
    if resource["resourceType"] != "DocumentReference":
        return
    for number, content in enumerate(objects(resource, "content"), start=1):
        attachment = content.get("attachment")
        if text_of(attachment, "contentType") == MEDIA["pdf"] and text_of(attachment, "data"):
            yield number, attachment or {}


def _base(plan: Resource) -> str:
    return text_of(plan, "url").rpartition("/PlanDefinition/")[0]


def _text(bundle: Resource) -> bytes:
    return (fhirjson.dump(bundle, indent=2) + "\n").encode()
