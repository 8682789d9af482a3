"""What FHIR states and does not mean, each with its correction.

Some expressions fail where nothing is said, which nobody reads them to mean; those are always
corrected. Of the others the published letter counts if it is asked for (`--strict`).
"""

from __future__ import annotations

MEANT = {
    # Of nothing, what these say is neither true nor false, though it is not meant to fail.
    "fullUrl.contains('/_history/').not()": (
        "fullUrl.empty() or fullUrl.contains('/_history/').not()"
    ),
    "probability is decimal implies (probability as decimal) <= 100": (
        "probability.empty() or (probability is decimal implies (probability as decimal) <= 100)"
    ),
    # So does R5 say it (cnl-0).
    "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": (
        "name.exists() implies name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"
    ),
    # FHIR's type is boolean; Boolean is FHIRPath's own.
    "operator = 'exists' implies (answer is Boolean)": (
        "operator = 'exists' implies (answer is boolean)"
    ),
    # The text says "more than one" (http://hl7.org/fhir/R4/questionnaire.html, que-12).
    "enableWhen.count() > 2 implies enableBehavior.exists()": (
        "enableWhen.count() > 1 implies enableBehavior.exists()"
    ),
}
"""Expressions of R4 4.0.1 that do not say what the invariant means, and what does."""

MEANT_LATER = {
    # Of R5: a text is in single quotes, and an element may have several types (eld-11).
    'binding.empty() or type.code.empty() or type.code.contains(":") or type.select((code = '
    "'code') or (code = 'Coding') or (code='CodeableConcept') or (code = 'Quantity') or (code = "
    "'string') or (code = 'uri') or (code = 'Duration')).exists()": (
        "binding.empty() or type.code.empty() or type.code.where(contains(':')).exists() or "
        "type.where((code = 'code') or (code = 'Coding') or (code='CodeableConcept') or "
        "(code = 'CodeableReference') or (code = 'Quantity') or (code = 'string') or "
        "(code = 'uri') or (code = 'Duration')).exists()"
    ),
    # Of R5: nothing said is not a value that must be there (eld-28).
    "mustHaveValue.value implies valueAlternatives.empty()": (
        "mustHaveValue.exists(value = true) implies valueAlternatives.empty()"
    ),
    # Of R4B: the length is that of the id, not of the element (sdf-24, sdf-25; so does R5 say it).
    "element.where(type.code='Reference' and id.endsWith('.reference') and "
    "type.targetProfile.exists() and id.substring(0,$this.length()-10) in "
    "%context.element.where(type.code='CodeableReference').id).exists().not()": (
        "element.where(type.where(code='Reference').exists() and id.endsWith('.reference') and "
        "type.targetProfile.exists() and id.substring(0,id.length()-10) in "
        "%context.element.where(type.where(code='CodeableReference').exists()).id).exists().not()"
    ),
    "element.where(type.code='CodeableConcept' and id.endsWith('.concept') and binding.exists() "
    "and id.substring(0,$this.length()-8) in "
    "%context.element.where(type.code='CodeableReference').id).exists().not()": (
        "element.where(type.where(code='CodeableConcept').exists() and id.endsWith('.concept') and "
        "binding.exists() and id.substring(0,id.length()-8) in "
        "%context.element.where(type.where(code='CodeableReference').exists()).id).exists().not()"
    ),
}
"""The same for R4B and R5."""

CORRECTED = {
    # A contained resource may refer to the one it is in, as dom-3 says (R4B and R5: ref-1,
    # http://hl7.org/fhir/R5/references.html#Reference).
    "reference.startsWith('#').not() or (reference.substring(1).trace('url') in "
    "%rootResource.contained.id.trace('ids'))": (
        "reference.startsWith('#').not() or (reference = '#' and %rootResource != %resource) "
        "or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))"
    ),
    # A day and a time on it are in order, as R5 says by the boundaries of what is less precise
    # (http://hl7.org/fhir/R5/datatypes.html#Period); of a definite order R4 says more.
    "start.hasValue().not() or end.hasValue().not() or (start <= end)": (
        "start.hasValue().not() or end.hasValue().not() or (start <= end).empty() or (start <= end)"
    ),
    # A parameter that is a resource may have to meet a profile (R4B and R5: opd-3,
    # http://hl7.org/fhir/R5/operationdefinition.html#invs).
    "targetProfile.exists() implies (type = 'Reference' or type = 'canonical')": (
        "targetProfile.exists() implies (type = 'Reference' or type = 'canonical' "
        "or type.memberOf('http://hl7.org/fhir/ValueSet/resource-types'))"
    ),
}
"""Expressions that HL7 has corrected since."""

EXTENSIBLE = {"http://hl7.org/fhir/ValueSet/ucum-vitals-common"}
"""Value sets of required bindings that HL7's own profiles cannot keep: vital signs bind the value
of every component to these units, pulse oximetry with a flow of oxygen in L/min is one of them
(http://hl7.org/fhir/us/core/STU3.1.1/StructureDefinition-us-core-pulse-oximetry.html)."""


def corrected(expression: str, *, by_letter: bool) -> str:
    """An expression as it is meant; what HL7 has corrected stays where the letter counts."""
    if expression in CORRECTED and not by_letter:
        return CORRECTED[expression]
    return MEANT.get(expression) or MEANT_LATER.get(expression, expression)
