"""A document for people: sections to one self-contained XHTML file, readable and printable."""

from __future__ import annotations

from dataclasses import dataclass

from fhirpkg.render.environment import render


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list with items below it; `choice` says how many of those are meant."""

    text: str
    items: tuple[Item | str, ...] = ()
    choice: str = ""
    anchor: str = ""
    """The id of the action or question that it explains."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of words below a head; each row is as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Words, and where they lead."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: SVG markup with its alternative text in it, and what its numbers stand for."""

    svg: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document: a title, a paragraph, a table, and a list that may be in order."""

    title: str
    text: str = ""
    items: tuple[Item | str, ...] = ()
    numbered: bool = False
    table: Table | None = None
    drawing: Drawing | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing below its title."""
        return not (self.text or self.items or self.table or self.drawing)

    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says, before it has a form."""

    title: str
    sections: tuple[Section, ...]
    note: str = ""
    """A line under the title, such as the state of review."""
    sources: tuple[Link | str, ...] = ()
    notices: tuple[str, ...] = ()
    """Lines of the footer."""
    rights: str = ""
    """Licences and notices that a reader need not see: they are in the head of the file."""
    language: str = "en"

    @property
    def has_drawing(self) -> bool:
        """Whether a section has a drawing, which needs a style of its own."""
        return any(section.drawing for section in self.sections)


def xhtml(document: Document) -> str:
    """The document as XHTML 1.1 text with its style inside and nothing outside."""
    return render("document.xhtml", document=document) + "\n"
