"""Rules of references and canonicals: how they are written and what they lead to."""

from fhirpkg.rules import ERROR, INFORMATION, WARNING, Rule

_REFERENCES = "http://hl7.org/fhir/R4/references.html"

RULES = (
    Rule(
        "reference-format",
        ERROR,
        "value",
        "A reference is Type/id, an absolute url or a fragment",
        "'{reference}' is no reference",
        "write Type/id, an absolute url, or # and the id of a contained resource",
        f"{_REFERENCES}#literal",
    ),
    Rule(
        "reference-type-unknown",
        ERROR,
        "value",
        "A relative reference begins with a resource type",
        "R4 has no resource type '{type}'",
        spec=f"{_REFERENCES}#literal",
    ),
    Rule(
        "reference-type",
        ERROR,
        "structure",
        "The type of a reference is that of its url",
        "the type is given as '{stated}', the reference is to {implied}",
        spec=f"{_REFERENCES}#Reference",
    ),
    Rule(
        "reference-target",
        ERROR,
        "structure",
        "A reference leads to a type that its element allows",
        "this leads to {type}, by {by}; allowed: {allowed}",
        spec=_REFERENCES,
    ),
    Rule(
        "reference-profile",
        ERROR,
        "structure",
        "What a reference leads to meets one of the target profiles",
        "'{reference}' meets none of the profiles allowed here: {allowed}",
        spec=_REFERENCES,
    ),
    Rule(
        "reference-not-found",
        ERROR,
        "not-found",
        "What a reference leads to exists, where that is demanded",
        "'{reference}' leads to nothing that is at hand",
        spec=_REFERENCES,
    ),
    Rule(
        "reference-aggregation",
        ERROR,
        "structure",
        "What a reference leads to lies where the profile wants it",
        "the target is {found}; allowed: {allowed}",
        spec="http://hl7.org/fhir/R4/valueset-resource-aggregation-mode.html",
    ),
    Rule(
        "canonical-absolute",
        WARNING,
        "value",
        "A canonical is absolute, or a fragment",
        "the canonical {value} is not absolute",
        "write the whole url of the definition",
        f"{_REFERENCES}#canonical",
    ),
    Rule(
        "not-checked-reference",
        INFORMATION,
        "not-found",
        "What a reference leads to is at hand",
        "'{reference}' leads to nothing that is at hand",
        spec=_REFERENCES,
    ),
    Rule(
        "not-checked-canonical",
        INFORMATION,
        "not-found",
        "What a canonical leads to is at hand",
        "'{canonical}' leads to nothing that is at hand",
        spec=f"{_REFERENCES}#canonical",
    ),
)
