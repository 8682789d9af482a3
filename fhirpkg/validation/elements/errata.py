"""What R4 4.0.1 states and does not mean, each with its correction.

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

CORRECTED = {
    # A contained resource may refer to the one it is in, as dom-3 says (R4B and R5: ref-1,
    # http://hl7.org/fhir/R5/references.html#Reference).
    "reference.startsWith('#').not() or (reference.substring(1).trace('url') in "
    "%rootResource.contained.id.trace('ids'))": (
        "reference.startsWith('#').not() or (reference = '#' and %rootResource != %resource) "
        "or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))"
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
    return MEANT.get(expression, expression)
