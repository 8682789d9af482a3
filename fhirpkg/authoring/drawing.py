"""drawing.svg beside a procedure.yaml: checked, and with its text alternative in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = {
    "circle", "clipPath", "defs", "desc", "ellipse", "g", "line", "linearGradient", "path",
    "polygon", "polyline", "radialGradient", "rect", "stop", "svg", "symbol", "text", "title",
    "tspan",
}  # fmt: skip
"""What a drawing may consist of: nothing of it runs, loads or leads elsewhere."""
_LARGEST = 100_000


def problem(data: bytes) -> str:
    """What keeps a file from being a drawing of ours; nothing when it is one."""
    if len(data) > _LARGEST:
        return f"the drawing has {len(data)} bytes; at most {_LARGEST} are allowed"
    try:
        root = _root(data)
    except etree.XMLSyntaxError as error:
        return f"the drawing is not XML: {error}"
    if root.tag != f"{_SVG}svg":
        return f"the root of the drawing is <{root.tag}>, not <svg> of SVG"
    if not root.get("viewBox"):
        return "the drawing has no viewBox, so it cannot be made smaller"
    return next(_foreign(root), "")


def _root(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(data, parser)


def _foreign(root: etree._Element) -> Iterator[str]:
    for node in root.iter():
        name = str(node.tag).removeprefix(_SVG)
        if name not in _SHAPES:
            yield f"line {node.sourceline} of the drawing has <{name}>"
        for key, value in node.attrib.items():
            attribute = str(key)
            leads = "href" in attribute or "url(" in str(value).replace("url(#", "")
            if attribute.startswith("on") or attribute in {"style", "class"} or leads:
                yield f"line {node.sourceline} of the drawing has the attribute '{attribute}'"


def with_alternative(data: bytes, words: str) -> str:
    """The markup of a drawing whose title is some words, which readers of screens say."""
    root = _root(data)
    for old in root.findall(f"{_SVG}title"):
        root.remove(old)
    title = etree.Element(f"{_SVG}title")
    title.text, title.tail = words, root.text
    root.insert(0, title)
    root.set("role", "img")
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode", with_tail=False)
