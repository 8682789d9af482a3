"""What applying a definition to a patient remarks, in the OperationOutcome of its result."""

from fhirpkg.rules import error, information

_SPEC = "http://hl7.org/fhir/R4/plandefinition-operation-apply.html"

APPLY_BEHAVIOR = error(
    "apply-behavior",
    "exception",
    title="The applicabilityBehavior of a plan or action is all or any",
    text="the applicabilityBehavior is not one that can be followed: {text}",
    spec="http://hl7.org/fhir/uv/cpg/StructureDefinition-cqf-applicabilityBehavior.html",
)
APPLY_CONDITION = error(
    "apply-condition",
    "exception",
    title="The conditions of an action can be evaluated",
    text="the condition could not be evaluated: {text}",
    advice="whether the action applies is unknown, so it is left out; check the record and decide",
    spec=_SPEC,
)
APPLY_DYNAMIC_VALUE = error(
    "apply-dynamic-value",
    "exception",
    title="A dynamicValue can be computed and has a place",
    text="the dynamicValue was not used: {text}",
    spec=_SPEC,
)
APPLY_DEFINITION = error(
    "apply-definition",
    "exception",
    title="The definition of an action can be found and applied",
    text="the definition was not applied: {text}",
    spec=_SPEC,
)
APPLY_EXTENSION = error(
    "apply-extension",
    "exception",
    title="An extension with an expression can be computed",
    text="the extension was not computed: {text}",
    spec=_SPEC,
)
APPLY_QUESTIONNAIRE = error(
    "apply-questionnaire",
    "exception",
    title="The profiles that a Questionnaire is generated from are found",
    text="the Questionnaire is incomplete: {text}",
    spec="http://hl7.org/fhir/uv/cpg/StructureDefinition-cpg-questionnaire-generate.html",
)
APPLY_CRITERION = error(
    "apply-criterion",
    "exception",
    title="The criteria of a plan can be evaluated",
    text="the criterion was not evaluated: {text}",
    advice="whether the criterion is met is not known; look it up in the record",
    spec=_SPEC,
)
APPLY_URL = information(
    "apply-url",
    "informational",
    title="A plan has a canonical url that its results can name",
    text="the result cannot name its plan: {text}",
    spec=_SPEC,
)
APPLY_LEFT_OUT = information(
    "apply-left-out",
    "informational",
    title="Actions that do not apply are left out and listed",
    text="an action was left out: {text}",
    spec=_SPEC,
)
APPLY_NO_PLACE = information(
    "apply-no-place",
    "informational",
    title="Elements that the result cannot carry are listed",
    text="an element was dropped: {text}",
    spec=_SPEC,
)
APPLY_NOT_USED = information(
    "apply-not-used",
    "informational",
    title="Elements of an action that $apply does not use are listed",
    text="the result does not use this element: {text}",
    advice="say what the reader must know in the title or description of the action",
    spec=_SPEC,
)
APPLY_RELATION = information(
    "apply-relation",
    "informational",
    title="Relations to actions that were left out are dropped",
    text="a relation was dropped: {text}",
    spec=_SPEC,
)
