"""All pages of a content as files with relative links, for any web host or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import language
from fhirpkg.pages.downloads import documents_of, package_files, plan_files
from fhirpkg.pages.environment import ASSETS, asset
from fhirpkg.pages.json_page import resource_page
from fhirpkg.pages.links import Links
from fhirpkg.pages.listing import entry, search_page, start_page, type_page
from fhirpkg.pages.procedure import procedure_page
from fhirpkg.pages.shelf import MemoryShelf, local
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.bundling.content import Content
    from fhirpkg.issues import Resource
    from fhirpkg.pages.facts import Sources

_BELOW = Links("../")


def site_files(
    content: Content, previous: Content | None = None, sources: Sources | None = None
) -> Iterator[tuple[str, bytes]]:
    """Each file of the site with its name; each resource of the content is read once.

    `previous` is what was published before, for what changed; `sources` are the authored
    procedures that the content was built of. Pages are in the language of the `speaking` around.
    """
    own = list(content.resources)
    shelf = MemoryShelf(own, previous.resources if previous else ())
    guide = localized(next(iter(shelf.listed("ImplementationGuide")), {}), language())
    title = text_of(guide, "title") or str(content.id)
    for name, text in _lists(shelf, title, text_of(guide, "description")):
        yield name, text.encode()
    for resource in own:
        yield from _of_resource(resource, shelf)
        if resource["resourceType"] == "PlanDefinition":
            page = procedure_page(resource, shelf, _BELOW, [content.id], sources)
            yield f"procedure/{resource['id']}.html", page.encode()
            for name, make in plan_files(resource, shelf):
                yield f"download/{name}", make()
    for name in ASSETS:
        yield f"asset/{name}", asset(name)
    read = replace(content, resources=own)
    for name, (_, pack) in package_files(content.id).items():
        yield f"download/{name}", pack(read)


def _lists(shelf: MemoryShelf, title: str, about: str) -> Iterator[tuple[str, str]]:
    yield "index.html", start_page(shelf, Links(), title=title, about=about)
    kinds = sorted(shelf.counts(), key=lambda kind: (kind != "PlanDefinition", kind))
    rows = [entry(resource) for kind in kinds for resource in shelf.listed(kind)]
    yield "search.html", search_page(rows, Links())
    for kind in kinds:
        yield f"type/{kind}.html", type_page(kind, shelf, _BELOW)


def _of_resource(resource: Resource, shelf: MemoryShelf) -> Iterator[tuple[str, bytes]]:
    name = local(resource).replace("/", "-")
    yield f"resource/{name}.html", resource_page(resource, shelf, _BELOW).encode()
    yield f"resource/{name}.json", (fhirjson.dump(resource, indent=2) + "\n").encode()
    for document, data in documents_of(resource):
        yield f"download/{document}", data
