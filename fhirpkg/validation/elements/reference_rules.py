"""Rules of references and canonicals: how they are written and what they lead to."""

from fhirpkg.rules import error, information, warning

_REFERENCES = "http://hl7.org/fhir/R4/references.html"

REFERENCE_FORMAT = error(
    "reference-format",
    "value",
    title="A reference is Type/id, an absolute url or a fragment",
    text="'{reference}' is not a valid reference",
    advice="write Type/id, an absolute URL, or # and the id of a contained resource",
    spec=f"{_REFERENCES}#literal",
)
REFERENCE_TYPE_UNKNOWN = error(
    "reference-type-unknown",
    "value",
    title="A relative reference begins with a resource type",
    text="there is no resource type '{type}'",
    spec=f"{_REFERENCES}#literal",
)
REFERENCE_TYPE = error(
    "reference-type",
    "structure",
    title="Reference.type agrees with the url",
    text="the type is given as '{stated}', but the reference is to {implied}",
    spec=f"{_REFERENCES}#Reference",
)
REFERENCE_TARGET = error(
    "reference-target",
    "structure",
    title="References lead to types that their element allows",
    text="{by} is of type {type}; allowed: {allowed}",
    spec=_REFERENCES,
)
REFERENCE_CONDITIONAL = error(
    "reference-conditional",
    "invalid",
    title="Conditional references are used only in transactions",
    text=(
        "'{reference}' is a conditional reference, which servers resolve only in a transaction "
        "Bundle"
    ),
    spec="http://hl7.org/fhir/R4/http.html#trules",
)
REFERENCE_PROFILE = error(
    "reference-profile",
    "structure",
    title="Targets of references meet one of the target profiles",
    text="the target of '{reference}' meets none of the profiles allowed here: {allowed}",
    spec=_REFERENCES,
)
REFERENCE_PROFILE_UNKNOWN = information(
    "reference-profile-unknown",
    "not-found",
    title="Target profiles of references are loaded",
    text="the target was not checked against {canonical}, which is not loaded",
    advice="load the package or file that defines it",
    spec=_REFERENCES,
    is_strict=True,
)
REFERENCE_NOT_FOUND = error(
    "reference-not-found",
    "not-found",
    title="References lead to existing resources where that is required",
    text="the target of '{reference}' was not found",
    spec=_REFERENCES,
)
REFERENCE_AGGREGATION = error(
    "reference-aggregation",
    "structure",
    title=(
        "The target of a reference is where the profile requires: contained, in the Bundle or "
        "elsewhere"
    ),
    text="the target is {found}; allowed: {allowed}",
    spec="http://hl7.org/fhir/R4/valueset-resource-aggregation-mode.html",
)
CANONICAL_ABSOLUTE = warning(
    "canonical-absolute",
    "value",
    title="A canonical is an absolute url or a fragment",
    text="the canonical {value} is not absolute",
    advice="write the complete url of the definition",
    spec=f"{_REFERENCES}#canonical",
    is_strict=True,
)
CANONICAL_FRAGMENT = warning(
    "canonical-fragment",
    "not-found",
    title="A canonical that is a fragment leads to a contained resource",
    text="no contained resource has the id in '{value}'",
    spec=f"{_REFERENCES}#contained",
    is_strict=True,
)
CONTAINED_ID = error(
    "contained-id",
    "duplicate",
    title="Ids of contained resources are unique",
    text="another contained resource already has the id '{id}'",
    spec=f"{_REFERENCES}#contained",
)
NOT_CHECKED_TARGET = information(
    "not-checked-target",
    "not-found",
    title="Target profiles of references are loaded",
    text="{by} is of type {type}, which was not checked against {profiles}: not loaded",
    advice="load the package that defines them",
    spec=_REFERENCES,
)
NOT_CHECKED_REFERENCE = information(
    "not-checked-reference",
    "not-found",
    title="Targets of references are available",
    text="the target of '{reference}' was not found",
    spec=_REFERENCES,
)
NOT_CHECKED_CANONICAL = information(
    "not-checked-canonical",
    "not-found",
    title="Targets of canonicals are available",
    text="the target of '{canonical}' was not found",
    spec=f"{_REFERENCES}#canonical",
)
