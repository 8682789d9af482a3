"""What applying a definition to a patient remarks, in the OperationOutcome of its result."""

from fhirpkg.rules import ERROR, INFORMATION, Rule

_SPEC = "http://hl7.org/fhir/R4/plandefinition-operation-apply.html"


def _failed(key: str, title: str, advice: str = "") -> Rule:
    return Rule(f"apply-{key}", ERROR, "exception", title, "{text}", advice, _SPEC)


def _told(key: str, title: str) -> Rule:
    return Rule(f"apply-{key}", INFORMATION, "informational", title, "{text}", spec=_SPEC)


RULES = (
    _failed(
        "condition",
        "The conditions of an action can be evaluated",
        "the action is left out because nobody knows whether it applies; check it by hand",
    ),
    _failed("dynamic-value", "A dynamicValue can be computed and has a place"),
    _failed("definition", "The definition of an action can be found and applied"),
    _failed("extension", "A computed extension can be evaluated"),
    _told("url", "A plan has a canonical url, so that its results can name it"),
    _told("left-out", "An action that does not apply is left out, and told"),
    _told("no-place", "What the result has no element for is told"),
    _told("relation", "A relation to an action that is left out goes with it"),
)
