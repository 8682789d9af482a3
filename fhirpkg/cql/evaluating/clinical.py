"""Codes, concepts and value sets as operands (CQL reference, section 9.15)."""

from __future__ import annotations

from typing import Any

from fhirpkg.cql.evaluating.values import Code, Concept, codes

__all__ = ["OPERATORS", "Code", "Concept", "codes"]


def to_concept(value: Any) -> Concept | None:
    """ToConcept, of codes and of FHIR's CodeableConcept."""
    if value is None or isinstance(value, Concept):
        return value
    words = value.get("text", "") if isinstance(value, dict) else ""
    return Concept(tuple(codes(value)), words)


def to_code(value: Any) -> Code | None:
    """ToCode, of FHIR's Coding."""
    return next(iter(codes(value)), None)


OPERATORS = {"ToConcept": to_concept}
