"""All pages of a content as files with relative links, for any web host or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg import fhirjson
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

_BELOW = Links("../")


def site_files(content: Content) -> Iterator[tuple[str, bytes]]:
    """Each file of the site with its name; each resource of the content is read once."""
    shelf = MemoryShelf(content.resources)
    guide = next(iter(shelf.listed("ImplementationGuide")), {})
    title = text_of(guide, "title") or str(content.id)
    for name, text in _pages(shelf, title, text_of(guide, "description")):
        yield name, text.encode()
    for name in ASSETS:
        yield f"asset/{name}", asset(name)
    for resource in shelf:
        name = local(resource).replace("/", "-")
        yield f"resource/{name}.json", (fhirjson.dump(resource, indent=2) + "\n").encode()


def _pages(shelf: MemoryShelf, title: str, about: str) -> Iterator[tuple[str, str]]:
    yield "index.html", start_page(shelf, Links(), title=title, about=about)
    kinds = sorted(shelf.counts(), key=lambda kind: (kind != "PlanDefinition", kind))
    rows = [entry(resource) for kind in kinds for resource in shelf.listed(kind)]
    yield "search.html", search_page(rows, Links())
    for kind in kinds:
        yield f"type/{kind}.html", type_page(kind, shelf, _BELOW)
    for resource in shelf:
        name = local(resource).replace("/", "-")
        yield f"resource/{name}.html", resource_page(resource, shelf, _BELOW)
        if resource["resourceType"] == "PlanDefinition":
            yield f"procedure/{resource['id']}.html", procedure_page(resource, shelf, _BELOW)
