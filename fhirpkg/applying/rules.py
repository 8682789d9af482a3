"""What applying a definition to a patient remarks, in the OperationOutcome of its result."""

from fhirpkg.rules import error, information

_SPEC = "http://hl7.org/fhir/R4/plandefinition-operation-apply.html"

APPLY_BEHAVIOR = error(
    "apply-behavior",
    "exception",
    title="The applicabilityBehavior of a plan or action is all or any",
    text="{text}",
    spec="http://hl7.org/fhir/uv/cpg/StructureDefinition-cqf-applicabilityBehavior.html",
)
APPLY_CONDITION = error(
    "apply-condition",
    "exception",
    title="The conditions of an action can be evaluated",
    text="{text}",
    advice="the action is left out because nobody knows whether it applies; check it by hand",
    spec=_SPEC,
)
APPLY_DYNAMIC_VALUE = error(
    "apply-dynamic-value",
    "exception",
    title="A dynamicValue can be computed and has a place",
    text="{text}",
    spec=_SPEC,
)
APPLY_DEFINITION = error(
    "apply-definition",
    "exception",
    title="The definition of an action can be found and applied",
    text="{text}",
    spec=_SPEC,
)
APPLY_EXTENSION = error(
    "apply-extension",
    "exception",
    title="A computed extension can be evaluated",
    text="{text}",
    spec=_SPEC,
)
APPLY_QUESTIONNAIRE = error(
    "apply-questionnaire",
    "exception",
    title="What a Questionnaire of inputs asks for can be found",
    text="{text}",
    spec="http://hl7.org/fhir/uv/cpg/StructureDefinition-cpg-questionnaire-generate.html",
)
APPLY_URL = information(
    "apply-url",
    "informational",
    title="A plan has a canonical url, so that its results can name it",
    text="{text}",
    spec=_SPEC,
)
APPLY_LEFT_OUT = information(
    "apply-left-out",
    "informational",
    title="An action that does not apply is left out, and told",
    text="{text}",
    spec=_SPEC,
)
APPLY_NO_PLACE = information(
    "apply-no-place",
    "informational",
    title="What the result has no element for is told",
    text="{text}",
    spec=_SPEC,
)
APPLY_NOT_USED = information(
    "apply-not-used",
    "informational",
    title="What an action says and $apply makes nothing of is told",
    text="{text}",
    spec=_SPEC,
)
APPLY_RELATION = information(
    "apply-relation",
    "informational",
    title="A relation to an action that is left out goes with it",
    text="{text}",
    spec=_SPEC,
)
