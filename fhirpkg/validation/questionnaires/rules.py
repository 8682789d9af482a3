"""Rules of Questionnaires and of the QuestionnaireResponses that answer them."""

from fhirpkg.rules import error, information, warning

_ENABLE_WHEN = "http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen"
_DERIVED = "http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.derivedFrom"
_RESPONSE = "http://hl7.org/fhir/R4/questionnaireresponse.html#notes"
_QUESTIONNAIRE = "http://hl7.org/fhir/R4/questionnaire.html"

QUESTIONNAIRE_ENABLE_TARGET = error(
    "questionnaire-enable-target",
    "business-rule",
    title="enableWhen refers to another question that is not inside its own item",
    text="the question '{question}' {problem}",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_ENABLE_ORDER = warning(
    "questionnaire-enable-order",
    "business-rule",
    title="enableWhen refers to an earlier question",
    text="the question '{question}' comes after the item that it enables",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_ENABLE_TYPE = warning(
    "questionnaire-enable-type",
    "business-rule",
    title="enableWhen compares values of the question's type",
    text="the question '{question}' is of type {type}, which cannot be compared with a {found}",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_VALUE_TYPE = warning(
    "questionnaire-value-type",
    "business-rule",
    title="Options and initial values are of the item's type",
    text="'{link}' is of type {type}, which cannot have a {found} as its value",
    spec=(
        "http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.initial.value_x_"
    ),
)
QUESTIONNAIRE_LIMIT = warning(
    "questionnaire-limit",
    "business-rule",
    title="Limits apply to their item and leave room for an answer",
    text="the limits of '{link}' are wrong: {problem}",
    spec="http://hl7.org/fhir/R4/questionnaire-profiles.html#extensions",
)
QUESTIONNAIRE_PARAMETER = error(
    "questionnaire-parameter",
    "business-rule",
    title="Parameters of value sets get values",
    text="{value_set} has a parameter '{name}', which gets no value",
    advice="give it with the extension binding-parameter on answerValueSet",
    spec="http://hl7.org/fhir/tools/StructureDefinition/binding-parameter",
)
QUESTIONNAIRE_DERIVED = error(
    "questionnaire-derived",
    "business-rule",
    title="Items of a derived Questionnaire fit their originals",
    text="the item '{link}' does not fit {base}: it {problem}",
    advice="change it, or set questionnaire-derivationType to 'inspiredBy'",
    spec=_DERIVED,
)
NOT_CHECKED_DERIVATION = warning(
    "not-checked-derivation",
    "not-found",
    title=(
        "The original of a derived Questionnaire is loaded, and the kind of derivation is stated"
    ),
    text="whether the items fit {base} was not checked: {problem}",
    advice="load it, and state with the extension questionnaire-derivationType how it is derived",
    spec=_DERIVED,
)
NOT_CHECKED_QUESTIONNAIRE = warning(
    "not-checked-questionnaire",
    "not-found",
    title="The Questionnaire of a response is loaded",
    text="the answers were not checked: the Questionnaire {questionnaire} is not loaded",
    advice="load the package or file that holds it",
    spec=_RESPONSE,
)
RESPONSE_WITHOUT_QUESTIONNAIRE = information(
    "response-without-questionnaire",
    "required",
    title="A QuestionnaireResponse names its Questionnaire",
    text="the answers were not checked: no Questionnaire is named",
    spec=_RESPONSE,
)
RESPONSE_NOT_EFFECTIVE = warning(
    "response-not-effective",
    "business-rule",
    title="Responses are authored while their Questionnaire is in effect",
    text="it was authored {found}, but the Questionnaire is in effect {period}",
    spec=_RESPONSE,
)
RESPONSE_SUBJECT = warning(
    "response-subject",
    "business-rule",
    title="The subject of a response has a type that the Questionnaire allows",
    text="the subject is of type {found}, but the Questionnaire is about {allowed}",
    spec="http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.subjectType",
)
RESPONSE_UNKNOWN_ITEM = error(
    "response-unknown-item",
    "not-found",
    title="Items answer items of the Questionnaire",
    text="the Questionnaire has no item '{link}'{near}",
    spec=_RESPONSE,
)
RESPONSE_MISPLACED_ITEM = error(
    "response-misplaced-item",
    "structure",
    title="Items are nested as in the Questionnaire",
    text="the item '{link}' belongs {place}",
    advice="items below a question belong inside its answer, items of a group inside the group",
    spec=_RESPONSE,
)
RESPONSE_ITEM_ORDER = error(
    "response-item-order",
    "structure",
    title="Items follow the order of the Questionnaire",
    text="the item '{link}' must come before '{after}', as in the Questionnaire",
    spec=_RESPONSE,
)
RESPONSE_ITEM_TEXT = error(
    "response-item-text",
    "invalid",
    title="Item texts are those of the Questionnaire",
    text="the text of '{link}' differs from the Questionnaire's: '{wanted}'",
    advice="remove the text, or copy it unchanged",
    spec=_RESPONSE,
)
RESPONSE_REQUIRED = error(
    "response-required",
    "required",
    title="Completed responses answer all required items that are enabled",
    text="the required item '{link}' is not answered",
    spec=_RESPONSE,
)
RESPONSE_NOT_ENABLED = error(
    "response-not-enabled",
    "invalid",
    title="Only enabled items are answered",
    text="'{link}' is answered, although other answers disable it",
    spec=_ENABLE_WHEN,
)
NOT_CHECKED_ENABLING = information(
    "not-checked-enabling",
    "not-supported",
    title="Conditions that enable items can be evaluated",
    text="whether '{link}' is enabled was not evaluated: {reason}",
    spec=_ENABLE_WHEN,
)
RESPONSE_REPEATS = error(
    "response-repeats",
    "invalid",
    title="Only items that repeat have more than one answer",
    text="'{link}' does not repeat, but has {count} {what}",
    spec=_RESPONSE,
)
RESPONSE_OCCURS = error(
    "response-occurs",
    "invalid",
    title="Items have as many answers as the Questionnaire asks for",
    text="'{link}' has {count} {what} instead of {wanted}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-minoccurs.html",
)
RESPONSE_NO_ANSWER = error(
    "response-no-answer",
    "structure",
    title="Groups, displays and abstract questions have no answers",
    text="'{link}' is of type {type}, which has no answers",
    spec=_RESPONSE,
)
RESPONSE_ANSWER_TYPE = error(
    "response-answer-type",
    "invariant",
    title="Answers have the type that their question asks for",
    text="'{link}' asks for {wanted}, not {found}",
    spec=_RESPONSE,
)
RESPONSE_OPTION = error(
    "response-option",
    "code-invalid",
    title="Answers are among the options of their question",
    text="{found} is not among the options of '{link}'{hint}",
    spec=_RESPONSE,
)
RESPONSE_EXCLUSIVE = error(
    "response-exclusive",
    "invariant",
    title="An exclusive option is the only answer",
    text="{found} excludes other answers to '{link}'",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-optionexclusive.html",
)
NOT_CHECKED_ANSWER = warning(
    "not-checked-answer",
    "not-found",
    title="Value sets and patterns of answers can be evaluated",
    text="{found} was not checked against {value_set}: {reason}",
    spec=_RESPONSE,
)
RESPONSE_LIMIT = error(
    "response-limit",
    "invariant",
    title="Answers are within the limits of their question",
    text="{found} {problem} {limit}",
    spec=_QUESTIONNAIRE,
)
RESPONSE_UNIT = error(
    "response-unit",
    "invariant",
    title="Quantities have a unit that their question allows",
    text="the unit of {found} is not one of {allowed}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-unitoption.html",
)
RESPONSE_REFERENCE = error(
    "response-reference",
    "invariant",
    title="Referenced resources have a type that the question allows",
    text="{found} is of type {type}, which is {problem}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-referenceresource.html",
)
