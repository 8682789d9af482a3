"""Phrases of time: `during`, `3 days or less before`, and the like.

https://cql.hl7.org/02-authorsguide.html#timing-and-interval-operators
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import PRECISIONS, precision_name

if TYPE_CHECKING:
    from fhirpkg.cql.reading.parser import Parser
    from fhirpkg.cql.tree import Node

_OPENINGS = ("starts", "ends", "occurs")
_BOUNDARIES = {"starts": "Start", "ends": "End", "start": "Start", "end": "End"}
_PHRASES = frozenset(
    "same properly includes during included before after on within meets overlaps starts ends"
    " occurs less more".split()
)


def phrase(parser: Parser, left: Node) -> Node | None:
    """The comparison in time that follows an operand; None when none follows."""
    if not _begins(parser):
        return None
    opening = ""
    if parser.token.is_word(*_OPENINGS):
        opening = parser.advance().text
        if opening != "occurs" and not _begins(parser):
            return _starts_or_ends(parser, left, opening)
        if opening != "occurs":
            left = {"type": _BOUNDARIES[opening], "operand": left}
    properly = bool(parser.accept("properly"))
    if parser.accept("same"):
        return _same(parser, left)
    if parser.accept("within"):
        return _within(parser, left, properly)
    word = parser.accept("includes", "during", "included", "meets", "overlaps")
    if word:
        return _interval_phrase(parser, left, word, properly)
    return _before_or_after(parser, left)


def between(parser: Parser) -> Node:
    """`years between a and b`, `difference in days between a and b`, `duration in days of x`."""
    node_type = "DurationBetween"
    if word := parser.accept("duration", "difference"):
        node_type = "DifferenceBetween" if word == "difference" else node_type
        parser.expect("in")
    if parser.token.text not in PRECISIONS:
        raise parser.error(f"expected a precision such as days, found {parser.token.text!r}")
    precision = precision_name(parser.advance().text)
    if parser.accept("of"):
        period = parser.term(3)
        bounds = [{"type": "Start", "operand": period}, {"type": "End", "operand": period}]
        return {"type": node_type, "precision": precision, "operand": bounds}
    parser.expect("between")
    low = parser.term()
    parser.expect("and")
    return {"type": node_type, "precision": precision, "operand": [low, parser.term()]}


def _begins(parser: Parser) -> bool:
    token = parser.token
    if token.kind == "number":  # `3 days or more before`
        return parser.ahead().text in PRECISIONS or parser.ahead().kind == "string"
    if token.is_word("less", "more"):
        return parser.ahead().is_word("than")
    return token.kind == "name" and token.text in _PHRASES


def _starts_or_ends(parser: Parser, left: Node, opening: str) -> Node:
    """`A starts B`: A begins with B and does not outlast it."""
    precision = _precision(parser)
    return {"type": opening.capitalize()} | precision | {"operand": [left, _right(parser)]}


def _same(parser: Parser, left: Node) -> Node:
    node: Node = {"type": "SameAs"}
    if parser.token.text in PRECISIONS or parser.token.is_word("date"):
        word = parser.advance().text
        node["precision"] = precision_name("day" if word == "date" else word)
    if parser.accept("or"):
        node["type"] = {"before": "SameOrBefore", "after": "SameOrAfter"}[
            parser.expect("before", "after")
        ]
    else:
        parser.expect("as")
    return node | {"operand": [left, _right(parser)]}


def _within(parser: Parser, left: Node, properly: bool) -> Node:
    """`within 3 days of x`: in the interval from 3 days before its start to 3 after its end."""
    distance = parser.term()
    parser.expect("of")
    centre = _right(parser)
    low = {"type": "Subtract", "operand": [{"type": "Start", "operand": centre}, distance]}
    high = {"type": "Add", "operand": [{"type": "End", "operand": centre}, distance]}
    return _in_reach(left, (low, not properly), (high, not properly), centre, {})


def _in_reach(
    left: Node, low: tuple[Node, bool], high: tuple[Node, bool], anchor: Node, precision: Node
) -> Node:
    """Whether something is between two ends; never so when what they are reckoned from is null.

    A closed end that is null would have no limit.
    """
    reach: Node = {"type": "Interval", "low": low[0], "high": high[0]}
    reach |= {"lowClosed": low[1], "highClosed": high[1]}
    inside = {"type": "In"} | precision | {"operand": [left, reach]}
    if not (low[1] or high[1]):
        return inside
    known = {"type": "Not", "operand": {"type": "IsNull", "operand": anchor}}
    return {"type": "And", "operand": [inside, known]}


_INTERVAL_TYPES = {
    "includes": "Includes",
    "during": "IncludedIn",
    "included": "IncludedIn",
    "meets": "Meets",
    "overlaps": "Overlaps",
}


def _interval_phrase(parser: Parser, left: Node, word: str, properly: bool) -> Node:
    if word == "included":
        parser.expect("in")
    node_type = ("Proper" if properly else "") + _INTERVAL_TYPES[word]
    if word in {"meets", "overlaps"}:
        node_type += parser.accept("before", "after").capitalize()
    precision = _precision(parser)
    right = _right(parser)
    if _is_item(left if "IncludedIn" in node_type else right):
        node_type = _OF_ITEMS.get(node_type, node_type)
    return {"type": node_type} | precision | {"operand": [left, right]}


_OF_ITEMS = {
    "Includes": "Contains",
    "ProperIncludes": "ProperContains",
    "IncludedIn": "In",
    "ProperIncludedIn": "ProperIn",
}


def _is_item(node: Node) -> bool:
    """Whether a null is meant as an item, not as a list or interval: `null`, `null as String`."""
    if node["type"] == "As":
        return _is_item(node["operand"]) and "asTypeSpecifier" not in node
    return bool(node["type"] == "Null")


def _before_or_after(parser: Parser, left: Node) -> Node:
    """`[3 days [or more|or less]] [on or] before|after [day of] [start|end] x`."""
    offset, limit = _offset(parser)
    inclusive = _on_or(parser)
    word = parser.expect("before", "after")
    inclusive = inclusive or _or_on(parser)
    precision = _precision(parser)
    right = _right(parser)
    if offset is not None:
        return _at_a_distance(left, right, word, (offset, limit), precision, inclusive=inclusive)
    node_type = f"SameOr{word.capitalize()}" if inclusive else word.capitalize()
    return {"type": node_type} | precision | {"operand": [left, right]}


def _on_or(parser: Parser) -> bool:
    if parser.accept("on"):
        parser.expect("or")
        return True
    return False


def _or_on(parser: Parser) -> bool:
    if parser.token.is_word("or") and parser.ahead().is_word("on"):
        parser.advance()
        parser.advance()
        return True
    return False


def _offset(parser: Parser) -> tuple[Node | None, str]:
    """A distance in time, and whether it is exact, the least or the most."""
    if word := parser.accept("less", "more"):
        parser.expect("than")
        return parser.term(), "below" if word == "less" else "above"
    if parser.token.kind != "number":
        return None, ""
    offset = parser.term()
    if parser.token.is_word("or") and parser.ahead().is_word("more", "less"):
        parser.advance()
        return offset, "least" if parser.advance().text == "more" else "most"
    return offset, "exact"


def _at_a_distance(
    left: Node,
    right: Node,
    word: str,
    distance: tuple[Node, str],
    precision: Node,
    *,
    inclusive: bool,
) -> Node:
    """Before or after by a distance, as comparisons with the point that far away.

    `on or` lets the point itself be where the distance is at most so much.
    """
    offset, limit = distance
    point_type, edge = ("Subtract", "Start") if word == "before" else ("Add", "End")
    anchor = {"type": edge, "operand": right}
    left = {"type": "End" if word == "before" else "Start", "operand": left}
    far = {"type": point_type, "operand": [anchor, offset]}
    beyond = word.capitalize()

    def compared(node_type: str, point: Node) -> Node:
        return {"type": node_type} | precision | {"operand": [left, point]}

    if limit == "exact":
        return compared("SameAs", far)
    if limit in {"least", "above"}:
        return compared(f"SameOr{beyond}" if limit == "least" else beyond, far)
    near = (anchor, inclusive)
    furthest = (far, limit == "most")
    low, high = (furthest, near) if word == "before" else (near, furthest)
    return _in_reach(left, low, high, anchor, precision)


def _precision(parser: Parser) -> Node:
    """`day of`, which limits how exactly is compared."""
    if parser.token.text in PRECISIONS and parser.ahead().is_word("of"):
        word = parser.advance().text
        parser.expect("of")
        return {"precision": precision_name(word)}
    return {}


def _right(parser: Parser) -> Node:
    """The operand behind a phrase, maybe only its `start` or `end`."""
    if parser.token.is_word("start", "end") and not parser.ahead().is_word("of"):
        edge = _BOUNDARIES[parser.advance().text]
        return {"type": edge, "operand": parser.expression(7)}
    return parser.expression(7)
