"""Rules of bindings: codes against the value sets that elements are bound to."""

from fhirpkg.rules import error, information, warning

_R4 = "http://hl7.org/fhir/R4"
_STRENGTH = f"{_R4}/terminologies.html"

BINDING_REQUIRED = error(
    "binding-required",
    "code-invalid",
    title="Codes are in the required value set",
    text="'{code}' is not in {value_set}: {reason}",
    spec=f"{_STRENGTH}#required",
)
BINDING_EXTENSIBLE = warning(
    "binding-extensible",
    "code-invalid",
    title="Codes are in the extensible value set unless none of its codes fits",
    text="'{code}' is not in {value_set}",
    advice="use one of its codes if one fits",
    spec=f"{_STRENGTH}#extensible",
)
BINDING_PREFERRED = information(
    "binding-preferred",
    "code-invalid",
    title="Codes are in the preferred value set",
    text="'{code}' is not in {value_set}",
    spec=f"{_STRENGTH}#preferred",
)
BINDING_MAX = error(
    "binding-max",
    "code-invalid",
    title="Codes are in the maximum value set",
    text="'{code}' is not in {value_set}: {reason}",
    spec=f"{_R4}/extension-elementdefinition-maxvalueset.html",
)
BINDING_CODE_SYSTEM = error(
    "binding-code-system",
    "code-invalid",
    title="Bindings name value sets",
    text="'{code}' cannot be checked: the binding names {value_set}, which is a code system",
    advice="correct the profile",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.binding.valueSet",
)
NOT_CHECKED_BINDING = information(
    "not-checked-binding",
    "not-found",
    title="The value set of a binding can be evaluated",
    text="'{code}' was not checked against {value_set}: {reason}",
    spec=_STRENGTH,
)
