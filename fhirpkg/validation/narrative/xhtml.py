"""The part of XHTML that narrative may use: HTML 4.0, chapters 7 to 11 without 9.4, and 15.

See http://hl7.org/fhir/R4/narrative.html#xhtml and https://www.w3.org/TR/html40/sgml/dtd.html.
"""

from __future__ import annotations

import functools

_NAMESPACE = "http://www.w3.org/1999/xhtml"
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
DIV = f"{_NAMESPACE} div"

_ELEMENT_NAMES = (
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn "
    "div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub "
    "sup table tbody td tfoot th thead tr tt ul var"
)
_ELEMENTS = {f"{_NAMESPACE} {name}": name for name in _ELEMENT_NAMES.split()}
_ANYWHERE_NAMES = (
    "abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope "
    "span style tabindex title valign width"
)
ANYWHERE = frozenset(
    (*_ANYWHERE_NAMES.split(), f"{_XML_NAMESPACE} lang", f"{_XML_NAMESPACE} space")
)
ATTRIBUTES = {
    "a": frozenset(
        ("charset", "coords", "href", "hreflang", "name", "rel", "rev", "shape", "type")
    ),
    "area": frozenset(("alt", "coords", "href", "nohref", "shape")),
    "blockquote": frozenset(("cite",)),
    "img": frozenset(("alt", "border", "height", "ismap", "longdesc", "src", "usemap")),
    "map": frozenset(("name",)),
    "q": frozenset(("cite",)),
    "table": frozenset(("border", "cellpadding", "cellspacing", "frame", "rules", "summary")),
    "td": frozenset(("nowrap",)),
}
"""The attributes of HTML 4.0 that an element may have besides those it may have anywhere."""

_HOLDS = {
    "table": "caption col colgroup thead tfoot tbody tr",
    "thead": "tr",
    "tfoot": "tr",
    "tbody": "tr",
    "tr": "td th",
    "colgroup": "col",
    "ul": "li",
    "ol": "li",
    "dl": "dt dd",
    "map": "area",
    "br": "",
    "hr": "",
    "img": "",
    "area": "",
    "col": "",
}
_CHILDREN = {name: frozenset(names.split()) for name, names in _HOLDS.items()}
"""What may be in an element that holds neither text nor anything else."""

_INSIDE = {
    "caption": "table",
    "col": "table colgroup",
    "colgroup": "table",
    "thead": "table",
    "tfoot": "table",
    "tbody": "table",
    "tr": "table thead tfoot tbody",
    "td": "tr",
    "th": "tr",
    "li": "ul ol",
    "dt": "dl",
    "dd": "dl",
}
_PARENTS = {name: frozenset(names.split()) for name, names in _INSIDE.items()}
"""The elements in which an element with a fixed place may appear."""

_ANY = frozenset(_ELEMENTS.values())
_TEXT_NAMES = (
    "a abbr acronym address b bdo big caption cite code dfn dt em h1 h2 h3 h4 h5 h6 i kbd p pre q "
    "samp small span strong sub sup tt var"
)
_TEXT_ELEMENTS = frozenset(_TEXT_NAMES.split())
_BLOCKS = frozenset(("div", "ol", "pre", "table", "ul"))
"""Text elements hold no blocks: the content model of HTML 4.0, chapters 7 to 11."""
_PARAGRAPHS = frozenset(("blockquote", "dl", "p"))
"""These are allowed in text elements other than paragraphs: browsers show them there."""
_NOT_TWICE = frozenset(("a", "p"))
"""These are in none of their own kind, however deep."""


class Spot(dict[str, "Spot"]):
    """An element of a narrative in its context; looking up a name gives the element inside it.

    Those that are right are made once and kept, so that each element takes one look-up. There is
    an end of them: of the context only the innermost text element, <a> and <p> matter.
    """

    __slots__ = ("_around", "_text_element", "holds_text", "is_known", "misplaced_in", "name")

    def __init__(
        self,
        name: str,
        text_element: str,
        around: frozenset[str],
        *,
        misplaced_in: str = "",
        is_known: bool = True,
    ) -> None:
        super().__init__()
        self.name = name
        self.is_known = is_known
        """Whether narrative may have the element anywhere."""
        self.misplaced_in = misplaced_in
        """The element around in which HTML does not have this one, or nothing."""
        self.holds_text = name not in _CHILDREN
        self._text_element = name if name in _TEXT_ELEMENTS else text_element
        self._around = around | ({name} & _NOT_TWICE)

    def __missing__(self, element: str) -> Spot:
        name = _ELEMENTS.get(element)
        around = self._text_element, self._around
        if name is None:
            return Spot(element.rpartition(" ")[2], *around, is_known=False)
        parent = self._misplaces(name)
        if parent:
            return Spot(name, *around, misplaced_in=parent)
        self[element] = _spot(name, *around)
        return self[element]

    def _misplaces(self, name: str) -> str:
        """The element around that may not hold one of a name, or nothing."""
        if not self.name:
            return ""
        if name not in _CHILDREN.get(self.name, _ANY) or self.name not in _PARENTS.get(name, _ANY):
            return self.name
        is_wrong = (
            name in _BLOCKS or name in self._around or (name in _PARAGRAPHS and "p" in self._around)
        )
        return self._text_element if is_wrong else ""


_spot = functools.cache(Spot)
OUTSIDE = Spot("", "", frozenset())
"""Where the root is."""
