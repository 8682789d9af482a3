"""Rules of bindings: codes against the value sets that elements are bound to."""

from fhirpkg.rules import ERROR, INFORMATION, WARNING, Rule

_R4 = "http://hl7.org/fhir/R4"
_STRENGTH = f"{_R4}/terminologies.html"

RULES = (
    Rule(
        "binding-required",
        ERROR,
        "code-invalid",
        "A code is in the value set that its element requires",
        "'{code}' is not in {value_set}: {reason}",
        spec=f"{_STRENGTH}#required",
    ),
    Rule(
        "binding-extensible",
        WARNING,
        "code-invalid",
        "A code is in the extensible value set unless none there fits",
        "'{code}' is not in {value_set}",
        "use a code of it if one fits",
        f"{_STRENGTH}#extensible",
    ),
    Rule(
        "binding-preferred",
        INFORMATION,
        "code-invalid",
        "A code is in the value set that is preferred",
        "'{code}' is not in {value_set}",
        spec=f"{_STRENGTH}#preferred",
    ),
    Rule(
        "binding-max",
        ERROR,
        "code-invalid",
        "A code is in the largest value set that its element allows",
        "'{code}' is not in {value_set}: {reason}",
        spec="http://hl7.org/fhir/R4/extension-elementdefinition-maxvalueset.html",
    ),
    Rule(
        "binding-code-system",
        ERROR,
        "code-invalid",
        "A binding names a value set",
        "'{code}' cannot be checked: the binding names {value_set}, which is a code system",
        "correct the profile",
        f"{_R4}/elementdefinition-definitions.html#ElementDefinition.binding.valueSet",
    ),
    Rule(
        "not-checked-binding",
        INFORMATION,
        "not-found",
        "The value set of a binding can be evaluated",
        "'{code}' was not checked against {value_set}: {reason}",
        spec=_STRENGTH,
    ),
)
