"""Criteria as data: what a patient's record must show, to conditions, logic, data requirements.

A criterion is never an exclusion: what is missing or to be corrected becomes an action of the plan
that applies just then and says so, with the source. Conditions on the patient alone are FHIRPath;
as soon as other data are asked for, a Library holds the logic as CQL and ELM.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.authoring import logic
from fhirpkg.authoring.building.elements import filled
from fhirpkg.authoring.building.support import listed_value_set
from fhirpkg.authoring.codes import codings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.building.edition import Edition
    from fhirpkg.authoring.model.criterion import Criterion
    from fhirpkg.issues import Resource

_VALID = ("final", "amended", "corrected")
_WRONG = ("refuted", "entered-in-error")
_NOT_DONE = ("entered-in-error", "cancelled", "not-done", "preparation", "registered")
_SOURCES = {
    "condition": (("Condition", "code"),),
    "observation": (("Observation", "code"),),
    "procedure": (("Procedure", "code"),),
    "imaging": (
        ("ImagingStudy", "procedureCode"),
        ("Procedure", "code"),
        ("DiagnosticReport", "code"),
    ),
}
"""Where each kind of thing is recorded: resource types with the element that holds the code."""

_MOST_FHIRPATH = 3


def readiness(edition: Edition) -> Resource | None:
    """The action that shows what the patient's record leaves open; None without criteria."""
    criteria = edition.procedure.criteria
    if not criteria:
        return None
    actions = [action for criterion in criteria for action in _actions(edition, criterion)]
    group: Resource = {
        "id": "readiness",
        "title": "Still open",
        "description": "Settle first what the record of the patient lacks or shows.",
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": actions,
    }
    if needs_library(edition):
        condition = _condition(edition, _ANYTHING, "Something is missing or to be corrected")
        group["condition"] = [condition]
    return group


_ANYTHING = "Anything open"


def needs_library(edition: Edition) -> bool:
    """Whether the criteria ask for more than a few facts of the patient's own resource."""
    criteria = edition.procedure.criteria
    return len(criteria) > _MOST_FHIRPATH or any(c.sex is None for c in criteria)


def _actions(edition: Edition, criterion: Criterion) -> Iterator[Resource]:
    """One action for what is missing, one for a value beyond its limit."""
    yield _action(edition, criterion, "open", criterion.missing)
    if criterion.limit:
        yield _action(edition, criterion, "correct", criterion.exceeded)


def _action(edition: Edition, criterion: Criterion, what: str, words: str) -> Resource:
    suffix = {"open": "missing", "correct": "to be corrected first"}[what]
    return filled(
        {
            "id": f"{what}-{criterion.id}",
            "title": f"{criterion.title}: {suffix}",
            "description": criterion.text,
            "textEquivalent": words,
            "documentation": edition.citations(criterion),
            "condition": [_condition(edition, _definition(criterion, what), words)],
        }
    )


def _definition(criterion: Criterion, what: str) -> str:
    return f"{criterion.title} {'to be corrected' if what == 'correct' else 'open'}"


def _condition(edition: Edition, name: str, words: str) -> Resource:
    expression: Resource = {"description": words}
    if needs_library(edition):
        expression |= {"language": "text/cql", "expression": name}
    else:
        title = name.removesuffix(" open")
        found = next(c for c in edition.procedure.criteria if c.title == title)
        text = f"(%subject.gender = '{found.sex}').not()"
        expression |= {"language": "text/fhirpath", "expression": text}
    return {"kind": "applicability", "expression": expression}


# -- the library -----------------------------------------------------------------------------


def logic_library(edition: Edition) -> Resource | None:
    """The Library with the logic of the criteria; None when there is none to hold."""
    if not edition.procedure.criteria or not needs_library(edition):
        return None
    name, version = edition.id("logic"), edition.package.version
    declared = list(_declared(edition))
    definitions = _definitions(edition)
    text = logic.cql_text(name, version, declared, definitions)
    elm = fhirjson.dump(logic.elm_document(name, version, declared, definitions))
    title = f"{edition.procedure.name.text}: logic"
    made: Resource = {
        **edition.header("Library", name, title, "What is looked up in the record of a patient."),
        "type": _library_type("logic-library", "Logic Library"),
        "subjectCodeableConcept": {
            "coding": [
                {
                    "system": "http://hl7.org/fhir/resource-types",
                    "code": "Patient",
                    "display": "Patient",
                }
            ]
        },
        "purpose": "To see from the data of a patient what has to be settled before the procedure.",
        "usage": "The CQL is for servers that compile it; the ELM says the same.",
        "topic": edition.topics(),
        "author": edition.authors(),
        "relatedArtifact": [
            {"type": "depends-on", "resource": item.url} for item in declared if item.url
        ],
        "dataRequirement": list(_requirements(edition)),
        "content": [
            {"contentType": "text/cql", "data": _encoded(text)},
            {"contentType": "application/elm+json", "data": _encoded(elm)},
        ],
    }
    return filled(made)


def criteria_value_sets(edition: Edition) -> list[Resource]:
    """A ValueSet for each criterion that has more than one code of its own."""
    made = []
    for criterion in edition.procedure.criteria:
        if len(_codings(edition, criterion)) > 1:
            title = f"{edition.procedure.name.text}: {criterion.title.lower()}"
            text = f"Codes by which this is found in a record: {', '.join(criterion.names)}."
            names = criterion.names
            found = listed_value_set(edition, criterion.id, title, text, names)
            made.append({**found, "purpose": "To find this in the record of a patient."})
    return made


def _definitions(edition: Edition) -> dict[str, logic.Term]:
    made: dict[str, logic.Term] = {}
    opened = []
    for criterion in edition.procedure.criteria:
        made.update(_of_criterion(edition, criterion))
        opened.append(logic.reference(_definition(criterion, "open")))
        if criterion.limit:
            opened.append(logic.reference(_definition(criterion, "correct")))
    made[_ANYTHING] = logic.either(opened)
    return made


def _of_criterion(edition: Edition, criterion: Criterion) -> Iterator[tuple[str, logic.Term]]:
    """The definitions of one criterion: what is found, whether it is open or to be corrected."""
    opened = _definition(criterion, "open")
    if criterion.limit:
        yield f"Latest {criterion.title}", logic.latest(_found(edition, criterion))
        corrected = _definition(criterion, "correct")
        yield corrected, _beyond(criterion)
        yield opened, logic.unknown(logic.reference(corrected))
        return
    known = f"{criterion.title} on record"
    if criterion.age is not None:
        limit = logic.literal("Integer", str(criterion.age))
        yield known, logic.compared(logic.age(), ">=", limit)
    elif criterion.sex is not None:
        yield known, logic.equal(logic.sex(), logic.literal("String", criterion.sex))
    else:
        yield known, _on_record(edition, criterion)
    yield opened, logic.negated(logic.reference(known))


def _on_record(edition: Edition, criterion: Criterion) -> logic.Term:
    terms = []
    for resource_type, path in _SOURCES[criterion.kind]:
        found = _retrieved(edition, criterion, resource_type, path)
        terms.append(logic.exists(logic.where(found, "R", _counts(criterion, resource_type))))
    return logic.either(terms)


def _found(edition: Edition, criterion: Criterion) -> logic.Term:
    found = _retrieved(edition, criterion, "Observation", "code")
    is_number = logic.is_a(logic.property_of("R", "value"), "Quantity")
    return logic.where(found, "R", logic.both(_counts(criterion, "Observation"), is_number))


def _retrieved(edition: Edition, criterion: Criterion, resource_type: str, path: str) -> logic.Term:
    is_code = len(_codings(edition, criterion)) == 1
    return logic.retrieve(resource_type, path, criterion.title, is_code=is_code)


def _counts(criterion: Criterion, resource_type: str) -> logic.Term:
    """Whether a record counts: not one made in error, and not older than the criterion allows."""
    status = logic.property_of("R", "status.value")
    if resource_type == "Condition":
        coding = logic.property_of("R", "verificationStatus.coding")
        wrong = logic.one_of(logic.property_of("S", "code.value"), _WRONG)
        counts = logic.negated(logic.exists(logic.where(coding, "S", wrong)))
    elif resource_type == "Observation":
        counts = logic.one_of(status, _VALID)
    else:
        wrong = logic.one_of(status, _NOT_DONE)
        counts = logic.negated(logic.Term(f"({wrong.cql})", wrong.elm))
    if criterion.within:
        number, unit = criterion.within.split(" ")
        path, type_name = _MOMENTS[resource_type]
        moment = logic.element(logic.cast(logic.property_of("R", path), type_name), "value")
        counts = logic.both(counts, logic.since(moment, number, unit))
    return counts


_MOMENTS = {
    "Condition": ("recordedDate", "dateTime"),
    "DiagnosticReport": ("effective", "dateTime"),
    "ImagingStudy": ("started", "dateTime"),
    "Observation": ("effective", "dateTime"),
    "Procedure": ("performed", "dateTime"),
}


def _beyond(criterion: Criterion) -> logic.Term:
    """Whether the latest value is beyond the limit; a unit is compared, a bare ratio has none."""
    latest = logic.reference(f"Latest {criterion.title}")
    value = logic.cast(logic.element(latest, "value"), "Quantity")
    direction, number, unit = criterion.bounds
    sign = ">" if direction == "above" else "<"
    if unit:
        measured = logic.helped("ToQuantity", value)
        return logic.compared(measured, sign, logic.quantity(number, unit))
    kind = "Decimal" if "." in number else "Integer"
    return logic.compared(logic.element(value, "value.value"), sign, logic.literal(kind, number))


# -- terminology and data --------------------------------------------------------------------


def _codings(edition: Edition, criterion: Criterion) -> list[tuple[str, str]]:
    return [
        (coding.system, coding.code)
        for name in criterion.names
        for line in edition.procedure.codes[name]
        for coding in codings(line)
    ]


def _declared(edition: Edition) -> Iterator[logic.Declared]:
    for criterion in edition.procedure.criteria:
        if criterion.indications:
            url = edition.url("ValueSet", edition.id("indications"))
            yield logic.Declared(criterion.title, url=url)
        elif criterion.names:
            found = _codings(edition, criterion)
            if len(found) == 1:
                system, code = found[0]
                yield logic.Declared(criterion.title, system=system, code=code)
            else:
                url = edition.url("ValueSet", edition.id(criterion.id))
                yield logic.Declared(criterion.title, url=url)


def _requirements(edition: Edition) -> Iterator[Resource]:
    """The data that the logic looks at, so that a client can send them along."""
    declared = {item.name: item for item in _declared(edition)}
    yield {"type": "Patient"}
    for criterion in edition.procedure.criteria:
        item = declared.get(criterion.title)
        for resource_type, path in _SOURCES.get(criterion.kind, ()):
            code_filter: Resource = {"path": path}
            if item and item.url:
                code_filter["valueSet"] = item.url
            elif item:
                code_filter["code"] = [{"system": item.system, "code": item.code}]
            yield {"type": resource_type, "codeFilter": [code_filter]}


def _library_type(code: str, display: str) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/library-type"
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
