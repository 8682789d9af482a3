"""Methods in the way of FHIRPath, as the ELM of CQL's operators.

https://cql.hl7.org/16-i-fhirpathtranslation.html says which stands for which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Node

FUNCTIONS = {
    "abs": "Abs", "allTrue": "AllTrue", "anyTrue": "AnyTrue", "ceiling": "Ceiling",
    "comparable": "Comparable", "convertsToBoolean": "ConvertsToBoolean",
    "convertsToDate": "ConvertsToDate", "convertsToDateTime": "ConvertsToDateTime",
    "convertsToDecimal": "ConvertsToDecimal", "convertsToInteger": "ConvertsToInteger",
    "convertsToLong": "ConvertsToLong", "convertsToQuantity": "ConvertsToQuantity",
    "convertsToString": "ConvertsToString", "convertsToTime": "ConvertsToTime",
    "count": "Count", "distinct": "Distinct", "endsWith": "EndsWith", "exclude": "Except",
    "exists": "Exists", "exp": "Exp", "first": "First", "floor": "Floor",
    "highBoundary": "HighBoundary", "intersect": "Intersect", "join": "Combine", "last": "Last",
    "length": "Length", "ln": "Ln", "log": "Log", "lowBoundary": "LowBoundary", "lower": "Lower",
    "matches": "Matches", "matchesFull": "MatchesFull", "not": "Not", "power": "Power",
    "precision": "Precision", "replaceMatches": "ReplaceMatches", "round": "Round",
    "single": "SingletonFrom", "skip": "Skip", "split": "Split", "startsWith": "StartsWith",
    "substring": "Substring", "tail": "Tail", "take": "Take", "toBoolean": "ToBoolean",
    "toChars": "ToChars", "toDate": "ToDate", "toDateTime": "ToDateTime",
    "toDecimal": "ToDecimal", "toInteger": "ToInteger", "toLong": "ToLong",
    "toQuantity": "ToQuantity", "toString": "ToString", "toTime": "ToTime",
    "truncate": "Truncate", "union": "Union", "upper": "Upper",
}  # fmt: skip
"""Methods that are functions whose first operand is what they are called on."""
_COMPONENTS = {
    "yearOf": "Year", "monthOf": "Month", "dayOf": "Day", "hourOf": "Hour",
    "minuteOf": "Minute", "secondOf": "Second", "millisecondOf": "Millisecond",
}  # fmt: skip
_ZERO: Node = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Integer", "value": "0"}
_HALF: Node = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Decimal", "value": "0.5"}


def _not(operand: Node) -> Node:
    return {"type": "Not", "operand": operand}


def _position(kind: str) -> Callable[..., Node]:
    return lambda text, pattern: {"type": kind, "pattern": pattern, "string": text}


_POSITION = _position("PositionOf")
OPERATORS: dict[str, Callable[..., Node]] = {
    "contains": lambda text, part: {
        "type": "GreaterOrEqual",
        "operand": [_POSITION(text, part), _ZERO],
    },
    "dateOf": lambda source: {"type": "DateFrom", "operand": source},
    "empty": lambda source: _not({"type": "Exists", "operand": source}),
    "hasValue": lambda source: _not({"type": "IsNull", "operand": source}),
    "indexOf": _POSITION,
    "isDistinct": lambda source: {
        "type": "Equal",
        "operand": [
            {"type": "Count", "source": source},
            {"type": "Count", "source": {"type": "Distinct", "operand": source}},
        ],
    },
    "lastIndexOf": _position("LastPositionOf"),
    "sqrt": lambda source: {"type": "Power", "operand": [source, _HALF]},
    "subsetOf": lambda one, two: {"type": "IncludedIn", "operand": [one, two]},
    "supersetOf": lambda one, two: {"type": "Includes", "operand": [one, two]},
    "timeOf": lambda source: {"type": "TimeFrom", "operand": source},
    "timezoneOffsetOf": lambda source: {"type": "TimezoneOffsetFrom", "operand": source},
}
"""Methods that are other operators of CQL, made of what they are called on and the arguments."""
OPERATORS |= {
    name: lambda source, precision=precision: {
        "type": "DateTimeComponentFrom",
        "operand": source,
        "precision": precision,
    }
    for name, precision in _COMPONENTS.items()
}
