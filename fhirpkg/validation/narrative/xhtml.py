"""The part of XHTML that narrative may use: HTML 4.0, chapters 7 to 11 without 9.4, and 15.

See http://hl7.org/fhir/R4/narrative.html#xhtml and https://www.w3.org/TR/html40/sgml/dtd.html.
"""

from __future__ import annotations

_NAMESPACE = "http://www.w3.org/1999/xhtml"
_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
DIV = f"{_NAMESPACE} div"

_ELEMENT_NAMES = (
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn "
    "div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub "
    "sup table tbody td tfoot th thead tr tt ul var"
)
ELEMENTS = {f"{_NAMESPACE} {name}": name for name in _ELEMENT_NAMES.split()}
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
HOLDS = {name: frozenset(names.split()) for name, names in _HOLDS.items()}
"""What may stand in an element that holds neither text nor anything else."""

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
INSIDE = {name: frozenset(names.split()) for name, names in _INSIDE.items()}
"""What an element that has its place in another may stand in."""

ANY = frozenset(ELEMENTS.values())
_TEXT_NAMES = (
    "a abbr acronym address b bdo big caption cite code dfn dt em h1 h2 h3 h4 h5 h6 i kbd p pre q "
    "samp small span strong sub sup tt var"
)
TEXT_ELEMENTS = frozenset(_TEXT_NAMES.split())
BLOCKS = frozenset(("div", "ol", "pre", "table", "ul"))
"""Text elements hold no blocks: the content model of HTML 4.0, chapters 7 to 11."""
PARAGRAPHS = frozenset(("blockquote", "dl", "p"))
"""These are allowed in text elements other than paragraphs: browsers show them there."""

FINE = frozenset(
    (parent, name)
    for parent in ANY
    for name in ANY - BLOCKS - PARAGRAPHS - {"a"}
    if name in HOLDS.get(parent, ANY) and parent in INSIDE.get(name, ANY)
)
"""The pairs that are right whatever stands around them."""
