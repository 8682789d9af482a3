"""Documents as a page shows them: the text of an attachment in place, or what it is and weighs."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext, language
from fhirpkg.pages.cleaning import cleaned
from fhirpkg.pages.shelf import local, place
from fhirpkg.untrusted import data_of, objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from fhirpkg.issues import Resource
    from fhirpkg.pages.shelf import Shelf

_HTML = ("text/html", "application/xhtml+xml")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_LARGEST = 2_000_000
"""Bytes of a document that a page still shows."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment on a page. One of markup, text and picture is there, or none of them."""

    title: str
    kind: str
    """Its media type and language in words."""
    size: int
    markup: Markup | str = ""
    text: str = ""
    picture: str = ""
    address: str = ""
    """Where it is when it is not inside of the resource."""
    language: str = ""
    """The code of its language, such as ``es``."""
    left_out: bool = False
    """Whether parts of it were left out because they could run or load something."""


@dataclass(frozen=True, slots=True)
class Document:
    """A DocumentReference: what it is called, and its attachments."""

    place: str
    title: str
    kind: str
    language: str
    attachments: tuple[Shown, ...]


def documents(resources: list[Resource], shelf: Shelf) -> list[Document]:
    """The documents among the resources of a procedure; those in the language of the page first."""
    found = [
        Document(
            place=local(r),
            title=text_of(r, "description") or r["id"],
            kind=text_of(r.get("type"), "text"),
            language=text_of(r, "language"),
            attachments=tuple(attachments(r, shelf)),
        )
        for r in resources
        if r["resourceType"] == "DocumentReference"
    ]
    return sorted(found, key=lambda document: document.language != language())


def attachments(resource: Resource, shelf: Shelf) -> Iterator[Shown]:
    """The attachments of a DocumentReference, Library or Media, ready to be shown."""
    for content in objects(resource, "content"):
        found = content.get("attachment", content)
        if isinstance(found, dict):
            yield _shown(found, shelf)


def _shown(attachment: Resource, shelf: Shelf) -> Shown:
    kind = text_of(attachment, "contentType").partition(";")[0].strip().lower()
    address, data = text_of(attachment, "url"), data_of(attachment) or b""
    if not attachment.get("data") and (there := place(address, shelf)).startswith("Binary/"):
        binary = shelf.read(*there.split("/", 1)) or {}
        data, kind = data_of(binary) or b"", kind or text_of(binary, "contentType")
    language = text_of(attachment, "language")
    title = text_of(attachment, "title")
    words = ", ".join(filter(None, (kind or gettext("of an unknown kind"), language)))
    told = Shown(title, words, len(data), address=address, language=language)
    if not data or len(data) > _LARGEST:
        return told
    if kind in _HTML:
        markup, left_out = cleaned(_text(data))
        return replace(told, markup=markup, left_out=left_out)
    if kind in _PICTURES:
        picture = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        return replace(told, picture=picture)
    if kind.startswith("text/") or kind.endswith(("json", "xml")):
        return replace(told, text=_text(data))
    return told


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")
