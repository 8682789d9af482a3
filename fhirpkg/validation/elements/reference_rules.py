"""Rules of references and canonicals: how they are written and what they lead to."""

from fhirpkg.rules import error, information, warning

_REFERENCES = "http://hl7.org/fhir/R4/references.html"

REFERENCE_FORMAT = error(
    "reference-format",
    "value",
    title="A reference is Type/id, an absolute url or a fragment",
    text="'{reference}' is no reference",
    advice="write Type/id, an absolute url, or # and the id of a contained resource",
    spec=f"{_REFERENCES}#literal",
)
REFERENCE_TYPE_UNKNOWN = error(
    "reference-type-unknown",
    "value",
    title="A relative reference begins with a resource type",
    text="R4 has no resource type '{type}'",
    spec=f"{_REFERENCES}#literal",
)
REFERENCE_TYPE = error(
    "reference-type",
    "structure",
    title="The type of a reference is that of its url",
    text="the type is given as '{stated}', the reference is to {implied}",
    spec=f"{_REFERENCES}#Reference",
)
REFERENCE_TARGET = error(
    "reference-target",
    "structure",
    title="A reference leads to a type that its element allows",
    text="this leads to {type}, by {by}; allowed: {allowed}",
    spec=_REFERENCES,
)
REFERENCE_CONDITIONAL = error(
    "reference-conditional",
    "invalid",
    title="A search stands for a reference only in a transaction",
    text="'{reference}' is a search; a server resolves it only in a Bundle of type 'transaction'",
    spec="http://hl7.org/fhir/R4/http.html#trules",
)
REFERENCE_PROFILE = error(
    "reference-profile",
    "structure",
    title="What a reference leads to meets one of the target profiles",
    text="'{reference}' meets none of the profiles allowed here: {allowed}",
    spec=_REFERENCES,
)
REFERENCE_PROFILE_UNKNOWN = information(
    "reference-profile-unknown",
    "not-found",
    title="The profiles that the targets of a reference shall meet are loaded",
    text="the target was not checked against the profile {canonical}, which is not loaded",
    advice="load the package or file that holds it",
    spec=_REFERENCES,
    is_strict=True,
)
REFERENCE_NOT_FOUND = error(
    "reference-not-found",
    "not-found",
    title="What a reference leads to exists, where that is demanded",
    text="'{reference}' leads to nothing that is at hand",
    spec=_REFERENCES,
)
REFERENCE_AGGREGATION = error(
    "reference-aggregation",
    "structure",
    title="What a reference leads to lies where the profile wants it",
    text="the target is {found}; allowed: {allowed}",
    spec="http://hl7.org/fhir/R4/valueset-resource-aggregation-mode.html",
)
CANONICAL_ABSOLUTE = warning(
    "canonical-absolute",
    "value",
    title="A canonical is absolute, or a fragment",
    text="the canonical {value} is not absolute",
    advice="write the whole url of the definition",
    spec=f"{_REFERENCES}#canonical",
    is_strict=True,
)
CANONICAL_FRAGMENT = warning(
    "canonical-fragment",
    "not-found",
    title="A canonical that is a fragment leads to a contained resource",
    text="no contained resource has the id of '{value}'",
    spec=f"{_REFERENCES}#contained",
    is_strict=True,
)
CONTAINED_ID = error(
    "contained-id",
    "duplicate",
    title="Contained resources have ids of their own",
    text="another contained resource already has the id '{id}'",
    spec=f"{_REFERENCES}#contained",
)
NOT_CHECKED_TARGET = information(
    "not-checked-target",
    "not-found",
    title="The profiles that say what a reference may lead to are loaded",
    text="this leads to {type}, by {by}; what allows it or not is not loaded: {profiles}",
    advice="load the package that defines them",
    spec=_REFERENCES,
)
NOT_CHECKED_REFERENCE = information(
    "not-checked-reference",
    "not-found",
    title="What a reference leads to is at hand",
    text="'{reference}' leads to nothing that is at hand",
    spec=_REFERENCES,
)
NOT_CHECKED_CANONICAL = information(
    "not-checked-canonical",
    "not-found",
    title="What a canonical leads to is at hand",
    text="'{canonical}' leads to nothing that is at hand",
    spec=f"{_REFERENCES}#canonical",
)
