"""The adapter for the official CQL scorer: ``evaluate(source) -> literal`` of definition X."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal
from typing import Any

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import Library, from_elm
from fhirpkg.cql.evaluating.values import (
    Code,
    CodeSystem,
    Concept,
    Interval,
    Ratio,
    Uncertainty,
    ValueSet,
)
from fhirpkg.cql.reading.library import read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity
from fhirpkg.repository import MemoryRepository

MODEL = Definitions.core().types
NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}


def evaluate(source: str | dict[str, Any]) -> str:
    """Definition X of a library, CQL text or ELM, as a CQL literal."""
    library = read_library(source) if isinstance(source, str) else from_elm(source)
    session = open_session(MemoryRepository([]), "Patient/x", {}, _missing, MODEL, NOW)
    return literal(session.value_of(library, "X"))


def _missing(name: str, _: str) -> Library:
    raise FhirpkgError(f"the library {name} was not given")


def text(value: str) -> str:
    """A string as a literal."""
    return "'" + "".join(ESCAPES.get(c, c) for c in value) + "'"


def record(name: str, elements: dict[str, Any]) -> str:
    """An instance or tuple without its null elements."""
    shown = [f'"{key}": {literal(e)}' for key, e in elements.items() if e is not None]
    return f"{name} {{{', '.join(shown) or ':'}}}"


@functools.singledispatch
def literal(value: Any) -> str:
    """A result as a CQL literal."""
    raise FhirpkgError(f"a {type(value).__name__} has no literal: not supported")


@literal.register
def _(_: None) -> str:
    return "null"


@literal.register
def _(value: bool) -> str:
    return str(value).lower()


@literal.register
def _(value: int) -> str:
    return str(int(value))


@literal.register
def _(value: Decimal) -> str:
    return f"{value:f}"


@literal.register
def _(value: str) -> str:
    return text(value)


@literal.register
def _(value: Temporal) -> str:
    if value.kind == "time":
        return f"@T{value}"
    is_short = value.kind == "dateTime" and len(value.parts) <= 3
    return f"@{value}{'T' if is_short else ''}"


@literal.register
def _(value: Quantity) -> str:
    unit = value.unit if value.unit in CALENDAR_UNITS else text(value.unit)
    return f"{value.value:f} {unit}"


@literal.register
def _(value: Interval) -> str:
    low, high = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
    return f"Interval{low}{literal(value.low)}, {literal(value.high)}{high}"


@literal.register
def _(value: list) -> str:  # type: ignore[type-arg]  # singledispatch takes plain classes
    return f"{{{', '.join(map(literal, value))}}}"


@literal.register
def _(value: dict) -> str:  # type: ignore[type-arg]  # singledispatch takes plain classes
    elements = dict(value)
    return record(elements.pop("resourceType", "Tuple"), elements)


@literal.register
def _(value: Code) -> str:
    names = ("code", "system", "version", "display")
    return record("Code", {name: getattr(value, name) or None for name in names})


@literal.register
def _(value: Concept) -> str:
    return record("Concept", {"codes": list(value.codes), "display": value.display or None})


@literal.register
def _(value: ValueSet) -> str:
    return record("ValueSet", {"id": value.canonical})


@literal.register
def _(value: CodeSystem) -> str:
    return record("CodeSystem", {"id": value.url})


@literal.register
def _(value: Ratio) -> str:
    return f"{literal(value.numerator)}:{literal(value.denominator)}"


@literal.register
def _(value: Uncertainty) -> str:
    return f"Interval[{value.low}, {value.high}]"
