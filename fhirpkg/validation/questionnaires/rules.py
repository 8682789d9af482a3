"""Rules of Questionnaires and of the QuestionnaireResponses that answer them."""

from fhirpkg.rules import error, information, warning

_ENABLE_WHEN = "http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen"
_DERIVED = "http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.derivedFrom"
_RESPONSE = "http://hl7.org/fhir/R4/questionnaireresponse.html#notes"
_QUESTIONNAIRE = "http://hl7.org/fhir/R4/questionnaire.html"

QUESTIONNAIRE_ENABLE_TARGET = error(
    "questionnaire-enable-target",
    "business-rule",
    title="enableWhen refers to another question of the Questionnaire that is not inside its own",
    text="the question '{question}' {problem}",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_ENABLE_ORDER = warning(
    "questionnaire-enable-order",
    "business-rule",
    title="enableWhen refers to a question that comes earlier",
    text="the question '{question}' comes after the item that it enables",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_ENABLE_TYPE = warning(
    "questionnaire-enable-type",
    "business-rule",
    title="enableWhen compares with a value of its question's type",
    text="the question '{question}' is of type {type}, which no {found} can be compared with",
    spec=_ENABLE_WHEN,
)
QUESTIONNAIRE_LIMIT = warning(
    "questionnaire-limit",
    "business-rule",
    title="Limits are set where they apply, and leave room for an answer",
    text="the limits of '{link}' are not right: {problem}",
    spec="http://hl7.org/fhir/R4/questionnaire-profiles.html#extensions",
)
QUESTIONNAIRE_PARAMETER = error(
    "questionnaire-parameter",
    "business-rule",
    title="A value set with parameters is used with a value for each of them",
    text="the value set {value_set} has a parameter '{name}', which is given no value",
    advice="give it with the extension binding-parameter on answerValueSet",
    spec="http://hl7.org/fhir/tools/StructureDefinition/binding-parameter",
)
QUESTIONNAIRE_DERIVED = error(
    "questionnaire-derived",
    "business-rule",
    title="An item of a derived Questionnaire fits the item that it is derived from",
    text="the item '{link}' does not fit {base}: it {problem}",
    advice="change it, or say that the Questionnaire is only inspired by the other one",
    spec=_DERIVED,
)
NOT_CHECKED_DERIVATION = warning(
    "not-checked-derivation",
    "not-found",
    title=(
        "The Questionnaire that another is derived from is at hand, and how it is derived is said"
    ),
    text="whether the items fit {base} was not checked: {problem}",
    advice="load it, and say with the extension questionnaire-derivationType how it is derived",
    spec=_DERIVED,
)
NOT_CHECKED_QUESTIONNAIRE = warning(
    "not-checked-questionnaire",
    "not-found",
    title="The Questionnaire that a response answers is at hand",
    text="the answers were not checked: the Questionnaire {questionnaire} is not loaded",
    advice="load the package or file that holds it",
    spec=_RESPONSE,
)
RESPONSE_WITHOUT_QUESTIONNAIRE = information(
    "response-without-questionnaire",
    "required",
    title="A QuestionnaireResponse says which Questionnaire it answers",
    text="the answers were not checked: no Questionnaire is named",
    spec=_RESPONSE,
)
RESPONSE_NOT_EFFECTIVE = warning(
    "response-not-effective",
    "business-rule",
    title="A response is authored while its Questionnaire is in use",
    text="it was authored {found}, but the Questionnaire is in use {period}",
    spec=_RESPONSE,
)
RESPONSE_SUBJECT = warning(
    "response-subject",
    "business-rule",
    title="The subject of a response is of a type that its Questionnaire is about",
    text="the subject is of type {found}, but the Questionnaire is about {allowed}",
    spec="http://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.subjectType",
)
RESPONSE_UNKNOWN_ITEM = error(
    "response-unknown-item",
    "not-found",
    title="Each item answers an item of the Questionnaire",
    text="the Questionnaire has no item '{link}'{near}",
    spec=_RESPONSE,
)
RESPONSE_MISPLACED_ITEM = error(
    "response-misplaced-item",
    "structure",
    title="Items are nested as in the Questionnaire",
    text="the item '{link}' belongs {place}",
    advice="items below a question stand inside its answer, items of a group inside the group",
    spec=_RESPONSE,
)
RESPONSE_ITEM_ORDER = error(
    "response-item-order",
    "structure",
    title="Items stand in the order of the Questionnaire",
    text="the item '{link}' stands after '{after}', but comes before it in the Questionnaire",
    spec=_RESPONSE,
)
RESPONSE_ITEM_TEXT = error(
    "response-item-text",
    "invalid",
    title="The text of an item is that of the Questionnaire",
    text="the text of '{link}' is not that of the Questionnaire: '{wanted}'",
    advice="leave the text out, or repeat it as it is",
    spec=_RESPONSE,
)
RESPONSE_REQUIRED = error(
    "response-required",
    "required",
    title="Required items that are enabled are answered once a response is completed",
    text="the required item '{link}' is not answered",
    spec=_RESPONSE,
)
RESPONSE_NOT_ENABLED = error(
    "response-not-enabled",
    "invalid",
    title="Items that are not enabled are not answered",
    text="'{link}' is answered, though by other answers it is not enabled",
    spec=_ENABLE_WHEN,
)
NOT_CHECKED_ENABLING = information(
    "not-checked-enabling",
    "not-supported",
    title="Whether an item is enabled can be evaluated",
    text="whether '{link}' is enabled was not evaluated: {reason}",
    spec=_ENABLE_WHEN,
)
RESPONSE_REPEATS = error(
    "response-repeats",
    "invalid",
    title="Only items that repeat have more than one answer",
    text="'{link}' does not repeat, but there are {count} {what}",
    spec=_RESPONSE,
)
RESPONSE_OCCURS = error(
    "response-occurs",
    "invalid",
    title="There are as many answers as the Questionnaire asks for",
    text="'{link}' has {count} {what} instead of {wanted}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-minoccurs.html",
)
RESPONSE_NO_ANSWER = error(
    "response-no-answer",
    "structure",
    title="Groups, displays and abstract questions have no answers",
    text="'{link}' is of type {type} and can have no answer",
    spec=_RESPONSE,
)
RESPONSE_ANSWER_TYPE = error(
    "response-answer-type",
    "invariant",
    title="An answer is of the type that its question asks for",
    text="'{link}' asks for {wanted}, not {found}",
    spec=_RESPONSE,
)
RESPONSE_OPTION = error(
    "response-option",
    "code-invalid",
    title="An answer is one of the options of its question",
    text="{found} is not among the options of '{link}'{hint}",
    spec=_RESPONSE,
)
RESPONSE_EXCLUSIVE = error(
    "response-exclusive",
    "invariant",
    title="An option that excludes others is the only answer",
    text="{found} excludes other answers to '{link}'",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-optionexclusive.html",
)
NOT_CHECKED_ANSWER = warning(
    "not-checked-answer",
    "not-found",
    title="The value set or the pattern that an answer keeps to can be evaluated",
    text="{found} was not checked against {value_set}: {reason}",
    spec=_RESPONSE,
)
RESPONSE_LIMIT = error(
    "response-limit",
    "invariant",
    title="An answer is within the limits that its question sets",
    text="{found} {problem} {limit}",
    spec=_QUESTIONNAIRE,
)
RESPONSE_UNIT = error(
    "response-unit",
    "invariant",
    title="A quantity has one of the units that its question allows",
    text="the unit of {found} is not one of {allowed}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-unitoption.html",
)
RESPONSE_REFERENCE = error(
    "response-reference",
    "invariant",
    title="A reference leads to a type that its question allows",
    text="{found} is of type {type}, which is {problem}",
    spec="http://hl7.org/fhir/R4/extension-questionnaire-referenceresource.html",
)
