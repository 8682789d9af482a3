"""A resource as coloured JSON in which references and canonicals lead on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from fhirpkg import fhirjson
from fhirpkg.languages.choosing import localized
from fhirpkg.languages.words import gettext, language
from fhirpkg.pages.attachments import attachments
from fhirpkg.pages.cleaning import cleaned
from fhirpkg.pages.environment import rendered
from fhirpkg.pages.shelf import local, place, standing, title_of
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Json, Resource
    from fhirpkg.pages.links import Links
    from fhirpkg.pages.shelf import Shelf

_LONGEST = 4000
"""Characters of a text that are shown."""
_LONGEST_INSIDE = {"data": 80, "div": 400}
"""Base64, and a narrative that is shown above, are cut after their beginning."""


def resource_page(resource: Resource, shelf: Shelf, links: Links) -> str:
    """The page of a resource: its narrative, its documents, its JSON."""
    here = local(resource)

    def leads(text: str) -> str:
        there = place(text, shelf)
        return links.page(there) if there and there != here else ""

    narrative, left_out = _narrative(resource)
    return rendered(
        "resource.html",
        links,
        resource=resource,
        place=here,
        title=title_of(localized(resource, language())),
        standing=standing(resource),
        narrative=narrative,
        left_out=left_out,
        documents=list(attachments(resource, shelf)) if here.startswith("DocumentRef") else [],
        json=coloured(resource, leads),
    )


def _narrative(resource: Resource) -> tuple[Markup, bool]:
    """The narrative of a resource, made harmless."""
    div = text_of(resource.get("text"), "div")
    return cleaned(div, below=2) if div else (Markup(""), False)


def coloured(value: Json, leads: Callable[[str], str]) -> Markup:
    """JSON as marked-up lines; `leads` gives the address that a text leads to, or nothing.

    Each property has its path as an id, so that a link can point at it.
    """
    written = "".join(_value(value, "", "\n", leads))
    return Markup(written)  # noqa: S704 - made of escaped text


def _value(value: Json, path: str, line: str, leads: Callable[[str], str]) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield "{"
        inner = f"{line}  "
        for number, (key, item) in enumerate(value.items()):
            there = f"{path}.{key}" if path else key
            comma = "," if number else ""
            yield f'{comma}{inner}<b id="{escape(there)}">{escape(json.dumps(key))}</b>: '
            if key in _LONGEST_INSIDE and isinstance(item, str):
                yield _long(item, _LONGEST_INSIDE[key])
            else:
                yield from _value(item, there, inner, leads)
        yield f"{line}}}"
    elif isinstance(value, list) and value:
        yield "["
        inner = f"{line}  "
        for number, item in enumerate(value):
            yield f",{inner}" if number else inner
            yield from _value(item, f"{path}[{number}]", inner, leads)
        yield f"{line}]"
    elif isinstance(value, str):
        yield _linked(value, leads)
    else:
        yield f"<i>{escape(fhirjson.dump(value))}</i>"


def _linked(text: str, leads: Callable[[str], str]) -> str:
    address = leads(text)
    written = _long(text, _LONGEST)
    if address:
        return f'<a href="{escape(address)}">{written}</a>'
    return written


def _long(text: str, most: int) -> str:
    written = escape(json.dumps(text[:most], ensure_ascii=False))
    if len(text) <= most:
        return f"<samp>{written}</samp>"
    more = gettext("{count} more characters", count=f"{len(text) - most:,}")
    return f"<samp>{written}</samp><small> {more}</small>"
