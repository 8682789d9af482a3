"""Criteria as data: what a patient's record must show, to actions, logic, data requirements.

A criterion is never an exclusion: what is missing, cannot be compared or lies beyond a limit
becomes an action of the plan that applies just then and says so, with value, day and source. The
logic (:mod:`.logic`) is in a Library as CQL and as the ELM that our translator makes of it; a
criterion on the patient's sex alone needs none and is FHIRPath.
"""

from __future__ import annotations

import base64
import functools
from typing import TYPE_CHECKING

from fhirpkg.authoring import logic
from fhirpkg.authoring.building import against, answered, carried
from fhirpkg.authoring.building.conditions import condition, expression, needs_library
from fhirpkg.authoring.building.elements import HOOKS, PATIENT, filled, named_events, related
from fhirpkg.authoring.building.value_sets import listed_value_set
from fhirpkg.authoring.translating import said_in
from fhirpkg.cql.reading.elm import elm_text
from fhirpkg.languages.choosing import TEXTS
from fhirpkg.render.limits import CRITERION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.criterion import Criterion
    from fhirpkg.issues import Resource

_FACTS = ("state", "number", "value", "unit", "date", "resource", "why")
"""Parts of the extension, by the names that the definitions of the logic have."""

_SOURCES: dict[str, tuple[tuple[str, Resource], ...]] = {
    "condition": (("Condition", {"path": "code"}),),
    "observation": (("Observation", {"searchParam": "combo-code"}),),
    "procedure": (("Procedure", {"path": "code"}),),
    "medicine": (
        ("MedicationStatement", {"path": "medication"}),
        ("MedicationRequest", {"path": "medication"}),
    ),
    "allergy": (("AllergyIntolerance", {"path": "code"}),),
    "imaging": (
        ("ImagingStudy", {}),
        ("Procedure", {"path": "code"}),
        ("DiagnosticReport", {}),
    ),
}
"""Where each kind is recorded: resource types, and how the codes are asked for.

An Observation may hold the value in a component; a study is found by its modality, a report by its
code or its category.
"""

_MISSING, _UNUSABLE, _EXCEEDED, _NOTICED = "missing", "unusable", "exceeded", "noticed"
_SUFFIXES = {
    _MISSING: "missing",
    _UNUSABLE: "not usable as it is recorded",
    _NOTICED: "to be noted",
}


def readiness(context: BuildContext) -> list[Resource]:
    """The actions that report what a patient's record leaves open, for the top level of the plan.

    They are there, and name the events that they answer, because other engines look no deeper.
    """
    return [
        _action(context, criterion, what, words)
        for criterion in context.procedure.criteria
        for what, words in _problems(criterion)
    ]


def states(context: BuildContext) -> list[Resource]:
    """The extensions by which applying the plan gives the state of each criterion."""
    return [_state(context, criterion) for criterion in context.procedure.criteria]


def _problems(criterion: Criterion) -> Iterator[tuple[str, str]]:
    """What can be wrong, with the author's words on it."""
    if criterion.missing:
        yield _MISSING, criterion.missing
    if criterion.age is None and criterion.sex is None:
        yield _UNUSABLE, "A result is on record in a form that cannot be compared: look at it."
    if criterion.limit:
        yield _EXCEEDED, criterion.exceeded
    if criterion.notice:
        yield _NOTICED, criterion.noticed


def _action(context: BuildContext, criterion: Criterion, what: str, words: str) -> Resource:
    title = f"{criterion.title}: {_SUFFIXES.get(what) or _STRENGTHS[criterion.strength]}"
    relations = [] if what == _NOTICED else [related("procedure", "before-start")]
    if criterion.order and what != _NOTICED:
        relations.append(related(criterion.order, "concurrent-with-start"))
    made: Resource = {
        "id": f"{what}-{criterion.id}",
        "title": title,
        "description": criterion.text,
        "textEquivalent": words,
        "priority": "routine" if what == _NOTICED else criterion.priority,
        "documentation": context.citations(criterion),
        "trigger": named_events(HOOKS),
        "condition": [condition(context, criterion, what, words)],
        "relatedAction": relations,
    }
    if needs_library(context):
        made["dynamicValue"] = [
            {"path": "title", "expression": expression(context, criterion, "why")}
        ]
    return filled(made)


_STRENGTHS = {"correct-first": "to be corrected first", "attention": "beyond its limit"}


def _state(context: BuildContext, criterion: Criterion) -> Resource:
    """One criterion as an extension whose values are computed when the plan is applied."""
    facts = _FACTS if needs_library(context) else ("state", "value", "resource")
    parts: list[Resource] = [{"url": "id", "valueString": criterion.id}]
    parts += [
        {"url": fact, "valueExpression": expression(context, criterion, fact)} for fact in facts
    ]
    bounds = {"limit": criterion.limit, "notice": criterion.notice}
    parts += [{"url": name, "valueString": bound} for name, bound in bounds.items() if bound]
    return {"url": CRITERION, "extension": parts}


# -- the library -----------------------------------------------------------------------------


def logic_library(context: BuildContext) -> Resource | None:
    """The Library with the logic of criteria and contraindications; None without such logic."""
    if not needs_library(context):
        return None
    name, version = context.id("logic"), context.package.version
    rules = [*(_rule(context, c) for c in context.procedure.criteria), *against.rules(context)]
    further = [*answered.definitions(context), *carried.reasons(context)]
    spoken = _spoken(context)
    text = logic.library(name, version, rules, further, spoken, context.package.language)
    elm = elm_text(text)
    title = f"{context.procedure.name.text}: logic"
    made: Resource = {
        **context.header(
            "Library", name, title, "The findings that are looked up in a patient's record."
        ),
        "type": _library_type("logic-library", "Logic Library"),
        "subjectCodeableConcept": PATIENT,
        "purpose": "To find out from a patient's record what to settle before the procedure.",
        "usage": "Servers that compile CQL use the CQL; the ELM is its translation.",
        "topic": context.topics(),
        "author": context.authors(),
        "relatedArtifact": [
            {"type": "depends-on", "resource": rule.value_set} for rule in rules if rule.value_set
        ],
        "parameter": [
            {
                "name": f"{rule.title} days",
                "use": "in",
                "min": 0,
                "max": "1",
                "documentation": "How many days old a record may be; without it none is too old",
                "type": "integer",
            }
            for rule in rules
            if logic.has_age(rule)
        ]
        + ([_LANGUAGE] if spoken else []),
        "dataRequirement": [
            *_requirements(rules),
            *([{"type": "QuestionnaireResponse"}] if answered.decides(context) else []),
        ],
        "content": [
            {"contentType": "text/cql", "data": _encoded(text)},
            {"contentType": "application/elm+json", "data": _encoded(elm)},
        ],
    }
    return filled(made)


_LANGUAGE: Resource = {
    "name": TEXTS,
    "use": "in",
    "min": 0,
    "max": "1",
    "documentation": "The language of the words that are said, such as es",
    "type": "string",
}


def _spoken(context: BuildContext) -> dict[str, Callable[[str], str]]:
    """The languages of a procedure besides English, each with how it says the words of the logic.

    They are ours, from its catalogue, and the author's.
    """
    texts = {context.package.language: {}, **context.beside.texts}
    return {
        language: functools.partial(said_in, language=language, own=own)
        for language, own in texts.items()
        if language.partition("-")[0] != "en"
    }


def criteria_value_sets(context: BuildContext) -> list[Resource]:
    """A ValueSet for each criterion that has codes of its own."""
    made = []
    for criterion in context.procedure.criteria:
        if criterion.names:
            title = f"{context.procedure.name.text}: {criterion.title}"
            text = f"Codes by which this is found in a record: {', '.join(criterion.names)}."
            found = listed_value_set(context, criterion.id, title, text, criterion.names)
            made.append({**found, "purpose": "To find this in a patient's record."})
    return made


def _rule(context: BuildContext, criterion: Criterion) -> logic.Rule:
    limit = None
    if criterion.limit:
        limit = logic.Limit(*criterion.bounds, notice=criterion.notice.partition(" ")[2])
    return logic.Rule(
        criterion.title,
        "age" if criterion.age is not None else criterion.kind,
        _value_set(context, criterion),
        tuple(criterion.names),
        f">= {criterion.age}" if criterion.age else criterion.sex or "",
        logic.cql_duration(criterion.within),
        limit,
        ", ".join(context.procedure.evidence[name].label for name in criterion.cite),
        criterion.missing,
    )


def _value_set(context: BuildContext, criterion: Criterion) -> str:
    """The canonical of the codes that a criterion is found by; nothing for age and sex."""
    if criterion.indications:
        return context.url("ValueSet", context.id("indications"))
    return context.url("ValueSet", context.id(criterion.id)) if criterion.names else ""


def _requirements(rules: Iterable[logic.Rule]) -> Iterator[Resource]:
    """The data that the logic looks at, so that a client can send them along."""
    yield {"type": "Patient"}
    for rule in rules:
        for resource_type, how in _SOURCES.get(rule.kind, ()):
            filters = {"codeFilter": [{**how, "valueSet": rule.value_set}]} if how else {}
            yield {"type": resource_type, **filters}


def _library_type(code: str, display: str) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/library-type"
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
