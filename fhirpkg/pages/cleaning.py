"""HTML of others made harmless: only known elements and attributes stay, nothing runs or loads.

What is kept can neither run script nor load anything nor cover the page: no style, no id, no form.
"""

from __future__ import annotations

import base64
import contextlib
import re
from typing import TYPE_CHECKING

from lxml import etree, html
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = {
    "a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "blockquote", "br", "caption",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "figcaption", "figure", "footer", "header", "hr", "i", "img", "ins", "kbd", "li", "mark",
    "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "span", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt",
    "u", "ul", "var", "wbr",
}  # fmt: skip
_DROPPED_WHOLE = {"applet", "audio", "button", "canvas", "embed", "frame", "frameset", "head",
                  "iframe", "link", "math", "meta", "noembed", "noframes", "noscript", "object",
                  "option", "script", "select", "style", "svg", "template", "textarea", "title",
                  "video"}  # fmt: skip
_HARMLESS = {"head", "link", "meta", "style", "title"}
"""Of these nobody misses anything: what they say of the form of a document."""
_AS_DIVISION = {"article", "aside", "footer", "header", "section"}
"""Landmarks and outlines belong to the page around the document."""
_VOID = {"br", "col", "hr", "img", "wbr"}
_ATTRIBUTES = {"colspan", "dir", "lang", "rowspan", "scope", "span", "start", "title"}
_HEADING = re.compile(r"h([1-6])")
_ADDRESS = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_DEEPEST = 100


def cleaned(text: str, below: int = 3) -> tuple[Markup, bool]:
    """The harmless part of an HTML or XHTML text, and whether something that shows was left out.

    Its headings follow one of the level `below`. A drawing (svg) becomes a picture, in which
    nothing runs.
    """
    root = _read(text)
    if root is None:
        return Markup(""), bool(text.strip())
    cleaner = _Cleaner(below)
    parts = "".join(cleaner.inside(root, 0))
    return Markup(parts), cleaner.left_out  # noqa: S704 - made of escaped text and known tags


def _read(text: str) -> etree._Element | None:
    """The root of a text: of XML with its case, which drawings need, else as a browser reads it."""
    if "http://www.w3.org/1999/xhtml" in text:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        with contextlib.suppress(etree.XMLSyntaxError, ValueError):
            return etree.fromstring(text.encode(), parser)
    try:
        # a parser of text refuses the declaration of an encoding
        return html.document_fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text) or " ")
    except (etree.ParserError, ValueError):
        return None


class _Cleaner:
    def __init__(self, below: int) -> None:
        self._below = below
        self._last = below
        self.left_out = False

    def inside(self, node: etree._Element, depth: int) -> Iterator[str]:
        """The content of an element."""
        if node.text:
            yield str(escape(node.text))
        for child in node:
            yield from self._element(child, depth + 1)
            if child.tail:
                yield str(escape(child.tail))

    def _element(self, node: etree._Element, depth: int) -> Iterator[str]:
        tag = _tag(node)
        if not tag:
            return
        if depth > _DEEPEST or tag in _DROPPED_WHOLE - {"svg"}:
            self.left_out |= tag not in _HARMLESS
        elif tag == "svg":
            yield _drawing(node)
        elif heading := _HEADING.fullmatch(tag):
            # Levels must not be skipped: a reader goes from one to the next (WCAG 1.3.1).
            level = min(self._below + int(heading[1]), self._last + 1, 6)
            self._last = level
            yield from (f"<h{level}>", *self.inside(node, depth), f"</h{level}>")
        elif tag not in _KEPT:
            self.left_out |= tag in {"form", "input"}
            yield from self.inside(node, depth)
        else:
            yield from self._kept("div" if tag in _AS_DIVISION else tag, node, depth)

    def _kept(self, tag: str, node: etree._Element, depth: int) -> Iterator[str]:
        attributes = dict(self._attributes(tag, node))
        if tag == "img" and "src" not in attributes:
            self.left_out = True
            yield str(escape(node.get("alt", "")))
            return
        written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        yield f"<{tag}{written}>"
        if tag not in _VOID:
            yield from self.inside(node, depth)
            yield f"</{tag}>"

    def _attributes(self, tag: str, node: etree._Element) -> Iterator[tuple[str, str]]:
        for key, given in node.attrib.items():
            name, value = str(key).lower(), str(given)
            self.left_out |= name.startswith("on")
            if name in _ATTRIBUTES:
                yield name, value
            elif tag == "a" and name == "href" and _ADDRESS.match(value):
                yield name, value
                yield "rel", "noopener noreferrer"
            elif tag == "img" and name == "src" and _PICTURE.fullmatch(value):
                yield name, value
        if tag == "img":
            yield "alt", str(node.get("alt", ""))


_CASED = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio"}


def _drawing(node: etree._Element) -> str:
    """A drawing as a picture with its text alternative: as such no browser runs or loads it."""
    names = [str(node.get("aria-label", ""))]
    names += [child.text or "" for child in node if _tag(child) in {"title", "desc"}]
    for lower, cased in _CASED.items():
        if lower in node.attrib:
            node.set(cased, str(node.attrib.pop(lower)))
    if "}" not in str(node.tag):
        node.set("xmlns", "http://www.w3.org/2000/svg")
    data = base64.b64encode(etree.tostring(node, with_tail=False)).decode()
    alternative = escape(". ".join(filter(None, dict.fromkeys(names))))
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{alternative}">'


def _tag(node: etree._Element) -> str:
    """The name of an element without its namespace; empty for a comment."""
    name: object = node.tag  # of a comment it is a function
    return name.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(name, str) else ""
