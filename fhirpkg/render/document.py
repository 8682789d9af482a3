"""A document for people: sections to one self-contained XHTML file, readable and printable."""

from __future__ import annotations

from dataclasses import dataclass

from fhirpkg.render.environment import render


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: a title, a paragraph, and a list that may be in order."""

    title: str
    text: str = ""
    items: tuple[str, ...] = ()
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says, before it has a form."""

    title: str
    sections: tuple[Section, ...]
    note: str = ""
    """A line under the title, such as the state of review."""
    sources: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """Lines of the footer."""
    rights: str = ""
    """Licences and notices that a reader need not see: they stand in the head of the file."""
    language: str = "en"


def xhtml(document: Document) -> str:
    """The document as XHTML 1.1 text with its style inside and nothing outside."""
    return render("document.xhtml", document=document) + "\n"
