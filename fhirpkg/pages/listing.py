"""The start page, the lists by type, and the search over all there is."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import gettext, language
from fhirpkg.pages.codes import procedure_codes
from fhirpkg.pages.environment import rendered
from fhirpkg.pages.shelf import LISTED, local, plan_title, standing, title_of
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.pages.links import Links
    from fhirpkg.pages.shelf import Shelf

_LEAD = 280


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource as a row of a list: what it is called, its codes, its words, where it is."""

    place: str
    title: str
    codes: tuple[str, ...]
    lead: str
    standing: str
    own_title: str = ""
    """What it is called in its own language, where that is another one."""

    @property
    def words(self) -> str:
        """What a search finds it by."""
        texts = (self.title, *self.codes, self.lead, self.place, self.standing, self.own_title)
        return plain(" ".join(texts))


def plain(text: str) -> str:
    """Words as a search compares them: small letters without accents.

    >>> plain("Crioablación")
    'crioablacion'
    """
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def entry(resource: Resource) -> Entry:
    """The row of a resource."""
    own_title = title_of(resource)
    resource = localized(resource, language())
    title, description = title_of(resource), text_of(resource, "description")
    is_plan = resource["resourceType"] == "PlanDefinition"
    return Entry(
        place=local(resource),
        title=plan_title(resource) if is_plan else title,
        codes=tuple(procedure_codes(resource, ())) if is_plan else (),
        lead=_shortened(description) if description != title else "",
        standing=", ".join(filter(None, (standing(resource), _tongue(resource)))),
        own_title=own_title if own_title != title else "",
    )


def _tongue(resource: Resource) -> str:
    """The language of a document, where it is not that of the page; its title may be."""
    tag = text_of(resource, "language")
    return tag if resource["resourceType"] == "DocumentReference" and tag != language() else ""


def start_page(shelf: Shelf, links: Links, *, title: str, about: str = "") -> str:
    """The start: procedures, a search, and how many resources there are of each type."""
    plans = [entry(plan) for plan in shelf.listed("PlanDefinition")]
    counts = shelf.counts()
    return rendered("start.html", links, title=title, about=about, plans=plans, counts=counts,
                    more=max(counts.get("PlanDefinition", 0) - len(plans), 0))  # fmt: skip


def type_page(name: str, shelf: Shelf, links: Links) -> str:
    """The list of a type."""
    rows = [entry(resource) for resource in shelf.listed(name)]
    more = max(shelf.counts().get(name, 0) - len(rows), 0)
    return rendered("type.html", links, title=name, rows=rows, more=more, listed=LISTED)


def search_page(rows: list[Entry], links: Links, query: str = "", note: str = "") -> str:
    """What a search found; in a folder of files the list of all, which a script narrows down."""
    return rendered(
        "search.html", links, title=gettext("Search"), rows=rows, query=query, note=note
    )


def _shortened(text: str) -> str:
    """The beginning of a text, up to the end of a word."""
    if len(text) <= _LEAD:
        return text
    return text[:_LEAD].rpartition(" ")[0].rstrip(",;:") + " …"
