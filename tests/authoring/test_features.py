"""What a procedure can say: each feature, the R4 element that carries it, and who shows it.

The procedures of `wide` are made up: a diagnostic endoscopy, a hernia repair and an injection.
"""

import base64
import datetime as dt
import json
import re
from pathlib import Path

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.applying.hooks.responses import respond
from fhirpkg.applying.hooks.services import services
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import check_file, read_folder
from fhirpkg.authoring.writing import text
from fhirpkg.cli.reports.applied import told as lines_told
from fhirpkg.packages.installed import read_profiles
from fhirpkg.render.procedure import phases
from fhirpkg.repository import Layers, MemoryRepository
from fhirpkg.validation.validator import Validator

WIDE = Path(__file__).parent / "wide"
FOLDERS = ("upper-endoscopy", "hernia-repair", "knee-injection", "cataract")
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-01-01"}


@pytest.fixture(scope="module")
def made():
    authored = read_folder(WIDE)
    assert authored.is_usable, [str(issue) for issue in authored.issues]
    built = build(authored.package, authored.procedures, read_profiles(WIDE))
    return {name: [json.loads(text(r)) for r in found] for name, found in built.items()}


def one(resources, kind, end):
    (found,) = [r for r in resources if r["resourceType"] == kind and r["id"].endswith(end)]
    return found


def document(resources, end):
    attachment = one(resources, "DocumentReference", end)["content"][0]["attachment"]
    page = base64.b64decode(attachment["data"]).decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<main") :]))


def actions(parent):
    for action in parent.get("action", ()):
        yield action["id"], action
        yield from actions(action)


@pytest.fixture(scope="module")
def plans(made):
    return {
        name: dict(actions(one(found, "PlanDefinition", "Plan"))) for name, found in made.items()
    }


def applied_to(made, name, *data):
    everything = [r for found in made.values() for r in found]
    plan = one(made[name], "PlanDefinition", "Plan")
    repository = Layers(MemoryRepository([PATIENT, *data]), MemoryRepository(everything))
    return apply(plan, "Patient/p", repository, form="bundle")


@pytest.fixture(scope="module")
def applied(made):
    return {name: applied_to(made, name) for name in FOLDERS}


def requests(applied, kind):
    return [r for r in applied.resources if r["resourceType"] == kind]


ENDOSCOPY, HERNIA, KNEE, CATARACT = FOLDERS
IDS = {
    ENDOSCOPY: "WideEndoscopy",
    HERNIA: "WideHerniaRepair",
    KNEE: "WideKneeInjection",
    CATARACT: "WideCataract",
}
HOUR, DAY, WEEK = ({"unit": u, "system": "http://unitsofmeasure.org", "code": u} for u in
                   ("h", "d", "wk"))  # fmt: skip


def relation(action, relationship, **offset):
    return {"actionId": action, "relationship": relationship, **offset}


ELEMENTS = [  # feature, procedure, id of the action, path in it, what stands there
    ("span before", ENDOSCOPY, "warfarin", "relatedAction",
     [relation("procedure", "before-start", offsetDuration={"value": 5, **DAY})]),
    ("from a span before", ENDOSCOPY, "fasting", "timingTiming",
     {"repeat": {"boundsDuration": {"value": 6, **HOUR}}}),
    ("within a span before", ENDOSCOPY, "blood-count", "relatedAction",
     [relation("procedure", "before-start", offsetRange={"high": {"value": 30, **DAY}})]),
    ("range after", ENDOSCOPY, "second-look", "relatedAction",
     [relation("procedure", "after-end",
               offsetRange={"low": {"value": 8, **WEEK}, "high": {"value": 12, **WEEK}})]),
    ("before a step", ENDOSCOPY, "midazolam", "relatedAction",
     [relation("looking", "before-start")]),
    ("between two steps", HERNIA, "antibiotic", "relatedAction",
     [relation("cut", "after-end"), relation("mesh", "before-start")]),
    ("for how long", ENDOSCOPY, "driving", "timingTiming",
     {"repeat": {"boundsDuration": {"value": 24, **HOUR}}}),
    ("one of several moments", HERNIA, "visits-2", "relatedAction.0.offsetDuration.value", 3),
    ("several moments are all", HERNIA, "visits", "selectionBehavior", "all"),
    ("with meals", HERNIA, "ibuprofen", "timingTiming.repeat.when", ["C"]),
    ("how often a day", HERNIA, "ibuprofen", "timingTiming.repeat.frequency", 3),
    ("priority of an order", ENDOSCOPY, "blood-count", "priority", "asap"),
    ("priority of the procedure", ENDOSCOPY, "procedure", "priority", "routine"),
    ("only if asked", ENDOSCOPY, "samples", "requiredBehavior", "could"),
    ("only if nobody says no", ENDOSCOPY, "samples", "condition.0.expression.expression",
     "samples may hold"),
    ("site that is chosen", HERNIA, "procedure", "dynamicValue.0.path", "bodySite"),
    ("what is asked", ENDOSCOPY, "samples", "title",
     "Small samples are taken and sent in formalin (ask: Does something look unusual?)"),
    ("only if in words", ENDOSCOPY, "warfarin", "title",
     "Warfarin is stopped 5 days before, only if the prescriber agrees"),
    ("only if a step is chosen", ENDOSCOPY, "sedation", "action.1.id", "driving"),
    ("only if all hold: below the step", ENDOSCOPY, "sedation", "action.2.id", "visit"),
    ("only if all hold: what is on record", ENDOSCOPY, "visit",
     "condition.0.expression.expression", "Ulcer met"),
    ("only if all hold: one question", ENDOSCOPY, "visit",
     "condition.1.expression.expression", "visit may hold"),
    ("only if all hold: another", ENDOSCOPY, "visit",
     "condition.2.expression.expression", "visit-2 may hold"),
    ("only if all hold: in the title", ENDOSCOPY, "visit", "title",
     "A nurse looks in (ask: Do you live alone?), only if the patient agrees"),
    ("one of several people", ENDOSCOPY, "sedation", "title",
     "Sedation, if the patient wants it, by Somebody who gives sedation or An endoscopy nurse"),
    ("each of them", ENDOSCOPY, "sedation", "participant.1.role.text", "An endoscopy nurse"),
    ("duration without a least", ENDOSCOPY, "procedure",
     "timingTiming.repeat.boundsRange.high.value", 20),
    ("site to choose", HERNIA, "site", "selectionBehavior", "exactly-one"),
    ("one site", HERNIA, "site-1", "code.0.coding.0.code", "85119005"),
    ("member of a family", ENDOSCOPY, "also-1", "description", "If samples are taken."),
    ("when it is that member", ENDOSCOPY, "also-1", "title",
     "Upper endoscopy with biopsy, only if samples are taken"),
    ("add-on", HERNIA, "add-on-1", "cardinalityBehavior", "multiple"),
    ("found within a time", HERNIA, "found-platelets", "condition.0.expression.expression",
     "Platelet count against"),
    ("site that is chosen for a medicine", CATARACT, "drops", "dynamicValue.0.path",
     "dosageInstruction[0].site"),
    ("equipment", HERNIA, "equipment-lamp", "description", "A headlamp"),
    ("people of whom one is needed", ENDOSCOPY, "procedure", "participant.1.role.coding.0.code",
     "304292004"),
]  # fmt: skip


def value_at(value, path):
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value


@pytest.mark.parametrize(
    "_feature, name, action, path, expected", ELEMENTS, ids=lambda v: str(v)[:30]
)
def test_a_feature_is_an_element_of_an_action(plans, _feature, name, action, path, expected):
    assert value_at(plans[name][action], path) == expected


DEFINITIONS = [  # feature, procedure, end of the id, path, what stands there
    ("medicine", ENDOSCOPY, "Omeprazole", "kind", "MedicationRequest"),
    ("product", ENDOSCOPY, "Omeprazole", "productCodeableConcept.coding.0.code", "7646"),
    ("dose", ENDOSCOPY, "Omeprazole", "dosage.0.doseAndRate.0.doseQuantity.value", 20),
    ("range of doses", ENDOSCOPY, "Midazolam", "dosage.0.doseAndRate.0.doseRange.high.value", 2),
    ("route", ENDOSCOPY, "Omeprazole", "dosage.0.route.coding.0.code", "26643006"),
    ("frequency", ENDOSCOPY, "Omeprazole", "dosage.0.timing.repeat.period", 1),
    ("most in a time", ENDOSCOPY, "Midazolam", "dosage.0.maxDosePerPeriod.numerator.value", 5),
    ("if needed", HERNIA, "Ibuprofen", "dosage.0.asNeededCodeableConcept.text", "for pain"),
    ("stop", ENDOSCOPY, "Warfarin", "doNotPerform", True),
    ("implant", HERNIA, "EquipmentMesh", "kind", "DeviceRequest"),
    ("material", HERNIA, "EquipmentSutures", "kind", "SupplyRequest"),
    ("amount", HERNIA, "EquipmentSutures", "quantity.value", 2),
    ("specimen", ENDOSCOPY, "Samples", "specimenRequirement.0.reference",
     "SpecimenDefinition/WideEndoscopySamplesSpecimen"),
    ("specimen in words", ENDOSCOPY, "Samples", "specimenRequirement.0.display",
     "Lining of the stomach, in formalin"),
    ("most in a time, in words", HERNIA, "Ibuprofen", "dosage.0.text",
     ("400 mg, 3 times daily, with meals, for 10 d, only if needed (for pain), "
      "at most 1200 mg in 24 h")),
    ("site of a medicine", CATARACT, "Ointment", "dosage.0.site.text", "Eye that was operated on"),
    ("site to choose for a medicine", CATARACT, "Drops", "dosage.0.site.text",
     "To be chosen: Left eye / Right eye"),
    ("key in another system", HERNIA, "",
     "useContext.0.valueCodeableConcept.coding.0.code", "44558001"),
    ("version of a code", HERNIA, "", "code.coding.1.version", "2026"),
    ("key of a member", ENDOSCOPY, "43239", "code.coding.0.code", "43239"),
    ("contact", ENDOSCOPY, "", "contact.0.telecom.0.value", "endoscopy@example.org"),
    ("effective period", ENDOSCOPY, "", "effectivePeriod.end", "2028-12-31"),
    ("place in words", HERNIA, "", "contained.0.type.0.text", "Day surgery unit"),
    ("category: diagnostic", ENDOSCOPY, "", "topic.2.coding.0.code", "assessment"),
    ("category: preventive", KNEE, "", "topic.2.coding.0.code", "169443000"),
    ("open work", KNEE, "Injection", "dosage.0.text", "intra-articular"),
]  # fmt: skip


@pytest.mark.parametrize(
    "_feature, name, end, path, expected", DEFINITIONS, ids=lambda v: str(v)[:30]
)
def test_a_feature_is_an_element_of_a_definition(made, _feature, name, end, path, expected):
    found = {r["id"]: r for r in made[name] if r["resourceType"] == "ActivityDefinition"}
    assert value_at(found[IDS[name] + end], path) == expected


TOLD = [  # feature, name of what is told, path in it, what stands there
    ("risk as a ratio", "risk-bleeding", "extension.0.valueRatio",
     {"numerator": {"value": 1}, "denominator": {"value": 1000}}),
    ("risk in percent", "risk-hole", "extension.0.valueRange.low.value", 0.01),
    ("risk in words", "risk-throat", "extension.0.valueCodeableConcept", {"text": "common"}),
    ("contraindication", "caution-contraindication-clotting", "text",
     "Care is needed when the INR is above 2.5."),
]  # fmt: skip


@pytest.mark.parametrize("_feature, name, path, expected", TOLD, ids=lambda v: str(v)[:30])
def test_a_feature_is_a_part_of_what_counseling_tells(made, _feature, name, path, expected):
    definition = one(made[ENDOSCOPY], "ActivityDefinition", "Counseling")
    told = {topic["id"]: topic for topic in definition["topic"] if "id" in topic}
    assert value_at(told[name], path) == expected


def test_an_order_says_that_a_site_is_to_be_chosen_while_none_is(made, applied):
    definition = one(made[HERNIA], "ActivityDefinition", "WideHerniaRepair")
    assert "bodySite" not in definition  # until the checklist says which
    (order,) = [r for r in requests(applied[HERNIA], "ServiceRequest") if "bodySite" in r]
    assert order["bodySite"] == [{"text": "To be chosen: Left groin / Right groin"}]
    checklist = one(made[HERNIA], "Questionnaire", "Checklist")
    site = next(item for item in checklist["item"] if item["linkId"] == "site")
    assert [o["valueString"] for o in site["answerOption"]] == ["Left groin", "Right groin"]


def answered(form, day="2026-11-20", status="completed", **answers):
    items = [
        {"linkId": link.replace("_", "-"), "answer": [{key: value}]}
        for link, value in answers.items()
        for key in ["valueBoolean" if isinstance(value, bool) else "valueString"]
    ]
    return {"resourceType": "QuestionnaireResponse", "id": f"answers-{day}", "status": status,
            "questionnaire": f"https://example.org/wide/Questionnaire/{form}Checklist",
            "subject": {"reference": "Patient/p"}, "authored": day, "item": items}  # fmt: skip


def sites_ordered(made, *responses):
    orders = requests(applied_to(made, HERNIA, *responses), "ServiceRequest")
    return [
        (site["text"], site["coding"][0]["code"])
        for order in orders
        for site in order.get("bodySite", ())
        if "coding" in site
    ]


def test_the_site_that_the_checklist_names_stands_on_the_order(made):
    left, right = (("Left groin", "85119005"), ("Right groin", "37117007"))
    form = IDS[HERNIA]
    first = answered(form, site="Left groin")
    assert sites_ordered(made, first) == [left]
    later = answered(form, day="2026-11-22", site="Right groin")
    assert sites_ordered(made, later, first) == [right]
    versioned = later | {"questionnaire": f"{later['questionnaire']}|1.0"}
    assert sites_ordered(made, first, versioned) == [right]


@pytest.mark.parametrize(
    "response",
    [
        answered("WideHerniaRepair", status="in-progress", site="Left groin"),
        answered("WideHerniaRepair", status="entered-in-error", site="Left groin"),
        answered("WideHerniaRepair", only_if_ibuprofen=True),
        answered("SomethingElse", site="Left groin"),
    ],
    ids=["begun", "in error", "another question", "another form"],
)
def test_what_is_no_answer_names_no_site(made, response):
    assert sites_ordered(made, response) == []


@pytest.mark.parametrize(("said", "verdict"), [(False, "not applicable"), (True, "applicable")])
def test_what_is_asked_is_left_out_when_the_checklist_says_no(made, said, verdict):
    response = answered(IDS[ENDOSCOPY], only_if_samples=said)
    whys = applied_to(made, ENDOSCOPY, response).why
    assert [w.verdict for w in whys if w.action_id == "samples"] == [verdict]


@pytest.mark.parametrize(
    ("on_record", "answers", "verdict"),
    [
        (True, {}, "applicable"),
        (False, {}, "not applicable"),
        (True, {"only_if_visit": False}, "not applicable"),
        (True, {"only_if_visit": True, "only_if_visit_2": False}, "not applicable"),
        (False, {"only_if_visit": True, "only_if_visit_2": True}, "not applicable"),
        (True, {"only_if_visit": True, "only_if_visit_2": True}, "applicable"),
    ],
)
def test_of_several_conditions_all_have_to_hold(made, on_record, answers, verdict):
    records = [answered(IDS[ENDOSCOPY], **answers), *([ULCER] if on_record else [])]
    whys = applied_to(made, ENDOSCOPY, *records).why
    assert [w.verdict for w in whys if w.action_id == "visit"] == [verdict]


def test_a_contraindication_that_the_checklist_finds_is_told(made):
    told = []
    for said in (True, False):
        applied = applied_to(
            made, ENDOSCOPY, answered(IDS[ENDOSCOPY], contraindication_perforation=said)
        )
        told += [w.title for w in applied.why
                 if w.action_id == "asked-perforation" and w.verdict == "applicable"]  # fmt: skip
        assert "procedure" in {w.action_id for w in applied.why if w.verdict == "applicable"}
    assert told == ["Absolute contraindication: A hole in the gullet is suspected"]


def test_what_is_asked_stays_possible_while_nobody_has_answered(made, applied):
    verdicts = {why.action_id: why.verdict for why in applied[ENDOSCOPY].why}
    assert {verdicts["samples"], verdicts["warfarin"]} == {"applicable"}


def test_one_site_stands_on_the_order(applied):
    order = next(r for r in requests(applied[KNEE], "ServiceRequest") if "bodySite" in r)
    assert order["bodySite"][0]["coding"][0]["code"] == "72696002"


def test_what_is_applied_is_what_was_said(made, applied):
    omeprazole = next(
        r for r in requests(applied_to(made, ENDOSCOPY, ULCER), "MedicationRequest")
                      if "dosageInstruction" in r and "oral" in str(r))  # fmt: skip
    assert omeprazole["dosageInstruction"][0]["timing"]["repeat"]["boundsDuration"]["value"] == 8
    warfarin = next(r for r in requests(applied[ENDOSCOPY], "MedicationRequest")
                    if r.get("doNotPerform"))  # fmt: skip
    assert warfarin["medicationCodeableConcept"]["coding"][0]["code"] == "11289"
    assert len(requests(applied[HERNIA], "DeviceRequest")) == 1
    assert requests(applied[HERNIA], "SupplyRequest")[0]["quantity"]["value"] == 2
    counted = next(r for r in requests(applied[ENDOSCOPY], "ServiceRequest")
                   if "58410-2" in str(r["code"]))  # fmt: skip
    assert counted["priority"] == "asap"


def test_documents_tell_when_how_much_and_how_often(made):
    before = document(made[ENDOSCOPY], "Preparation")
    ordered = ["Within the 30 days before", "5 days before", "From 6 hours before",
               "2 hours before"]  # fmt: skip
    places = [before.index(words) for words in ordered]
    assert places == sorted(places)
    assert "Only if the prescriber agrees" in before
    assert "Do not take: Warfarin" in before
    assert "You may have a hole in your gullet." in before
    after = document(made[ENDOSCOPY], "Aftercare")
    assert "Omeprazole: 20 mg, oral, once daily, for 8 wk" in after
    assert "8-12 weeks after: Another look" in after
    told = document(made[ENDOSCOPY], "Education")
    assert "Bleeding (1 in 1,000)" in told
    assert "A hole in the gut (0.01-0.05 %)" in told


def test_documents_tell_the_condition_on_which_something_is_done(made):
    before, after, told = (
        document(made[ENDOSCOPY], end) for end in ("Preparation", "Aftercare", "Education")
    )
    assert "5 days before: Warfarin is stopped 5 days before. Only if the prescriber" in before
    assert after.count("Only if this is on record: Ulcer") == 5  # in the calendar and below
    assert "No driving (for 24 h). Only with: Sedation, if the patient wants it" in after
    assert "Only if the answer is yes: Does something look unusual?" in told
    assert "Somebody who gives sedation. Only with: Sedation" in told
    assert (
        "Only with: Sedation, if the patient wants it. Only if this is on record: Ulcer. "
        "Only if the answer is yes: Do you live alone? Only if the patient agrees" in after
    )


def test_documents_tell_dose_and_condition_of_a_part_of_an_action(made):
    after = document(made[HERNIA], "Aftercare")
    assert "Ibuprofen: 400 mg, oral" not in after  # no route is said
    below = after[after.rindex("Painkillers") :]
    assert "Ibuprofen: 400 mg, 3 times daily, with meals, for 10 d, only if needed" in below
    assert "at most 1200 mg in 24 h" in below
    assert "Only if the answer is yes: Does your stomach bear it?" in below


def lines_of(applied):
    return "\n".join(lines_told(applied, "Patient/p", PATIENT, verbose=True))


def page_of(resources):
    """The course in words, as its page has it."""
    by_url = {resource["url"]: resource for resource in resources if "url" in resource}
    sections = list(phases(one(resources, "PlanDefinition", "Plan"), by_url))
    return str([(section.text, section.items) for section in sections])


def test_a_specimen_is_said_on_the_order_the_page_and_the_document(made, applied):
    (order,) = [r for r in requests(applied[ENDOSCOPY], "ServiceRequest") if "orderDetail" in r]
    assert order["orderDetail"] == [{"text": "Specimen: Lining of the stomach, in formalin"}]
    assert "details: Specimen: Lining of the stomach, in formalin" in lines_of(applied[ENDOSCOPY])
    assert "no element for 'specimenRequirement'" not in lines_of(applied[ENDOSCOPY])
    words = "Specimen: Lining of the stomach, in formalin"
    assert words in page_of(made[ENDOSCOPY])
    assert words in document(made[ENDOSCOPY], "Education")


def test_the_most_of_a_medicine_is_said_wherever_its_dose_is(made, applied):
    words = "1-2 mg, intravenous, at most 5 mg in 1 h"
    assert f"dose: {words}" in lines_of(applied[ENDOSCOPY])
    assert words in page_of(made[ENDOSCOPY])
    assert f"Midazolam: {words}" in document(made[ENDOSCOPY], "Education")


DROPS = "1 drop, into the eye, at most 3 drops in 1 h"
TO_CHOOSE = "To be chosen: Left eye / Right eye"


@pytest.mark.parametrize(
    ("answer", "text", "codes"),
    [
        (None, TO_CHOOSE, []),
        ("Left eye", "Left eye", ["362503005"]),
        ("Right eye", "Right eye", ["362502000"]),
    ],
)
def test_the_site_that_the_checklist_names_stands_in_the_dosage(made, answer, text, codes):
    responses = [answered(IDS[CATARACT], site_drops=answer)] if answer else []
    found = applied_to(made, CATARACT, *responses)
    dosages = [r["dosageInstruction"][0] for r in requests(found, "MedicationRequest")]
    (site,) = [each["site"] for each in dosages if each["text"] == DROPS]
    assert site["text"] == text
    assert [coding["code"] for coding in site.get("coding", ())] == codes
    assert f"dose: {DROPS}; 1 drop, into the eye, {text}" in lines_of(found)


def test_a_site_to_choose_is_asked_and_said(made):
    checklist = one(made[CATARACT], "Questionnaire", "Checklist")
    site = next(item for item in checklist["item"] if item["linkId"] == "site-drops")
    assert [o["valueString"] for o in site["answerOption"]] == ["Left eye", "Right eye"]
    before = document(made[CATARACT], "Preparation")
    assert f"Tropicamide: {DROPS}, Left eye / Right eye" in before
    after = document(made[CATARACT], "Aftercare")
    assert "Eye ointment: Eye that was operated on, 2 times daily" in after
    assert f"{DROPS}, {TO_CHOOSE}" in page_of(made[CATARACT])


def test_sections_that_are_not_said_are_nowhere(made, plans):
    assert "recovery" not in plans[KNEE]
    counseling = one(made[KNEE], "ActivityDefinition", "Counseling")
    told = [topic["id"] for topic in counseling["topic"] if "id" in topic]
    assert not [name for name in told if name.startswith("risk")]
    assert [r for r in made[KNEE] if r["resourceType"] == "ValueSet"] == []
    assert "goal" not in one(made[KNEE], "PlanDefinition", "Plan")
    page = document(made[KNEE], "Education")
    assert "What can go wrong" not in page
    assert "How long it takes" not in page


def test_a_risk_without_an_aim_makes_no_goal(made):
    goals = [goal["id"] for goal in one(made[HERNIA], "PlanDefinition", "Plan")["goal"]]
    assert goals == ["goal-relief", "safety-return"]


@pytest.mark.parametrize("name", FOLDERS)
def test_everything_is_valid_by_our_profiles(made, name):
    validator = Validator()
    for resource in made[name]:
        issues = validator.validate(resource).issues
        assert [str(i) for i in issues if i.severity.rank < 3] == [], resource["id"]


def test_content_in_use_has_nothing_left_to_do(tmp_path):
    import shutil

    shutil.copytree(WIDE, tmp_path / "wide")
    package = tmp_path / "wide" / "package.yaml"
    package.write_text(package.read_text().replace("status: draft", "status: active"))
    authored = read_folder(tmp_path / "wide")
    refused = [issue for issue in authored.issues if issue.rule == "source-todo-active"]
    assert {issue.line for issue in refused} == {10}
    assert len(refused) == 2
    assert not authored.is_usable
    checked = check_file("package.yaml", package.read_bytes(), str(package))
    assert [issue.rule for issue in checked].count("source-todo-active") == 2


def coded(kind, code, **more):
    concept = {"coding": [dict(zip(("system", "code"), code.split("|"), strict=True))]}
    subject = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": code.partition("|")[2], "code": concept,
            subject: {"reference": "Patient/p"}} | more  # fmt: skip


LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                      "code": "active"}]}  # fmt: skip
PERFORATION = coded("Condition", f"{ICD}|K22.3", clinicalStatus=ACTIVE, recordedDate="2026-11-20")
ULCER = coded("Condition", f"{ICD}|K25.9", clinicalStatus=ACTIVE)
INR = coded("Observation", "http://loinc.org|6301-6", status="final",
            effectiveDateTime="2026-11-21", valueQuantity={"value": 3.1})  # fmt: skip
ALLERGY = coded("AllergyIntolerance", f"{RXNORM}|6960")


AGE_80 = dt.datetime.now(dt.UTC).year - 80


def found_in(made, *data):
    whys = applied_to(made, ENDOSCOPY, *data).why
    return {w.action_id for w in whys if w.verdict == "applicable"}


@pytest.mark.parametrize(
    "born, is_told", [("1940-01-01", True), (f"{AGE_80}-01-01", False), (None, False)]
)
def test_an_age_can_be_a_contraindication(made, born, is_told):
    patient = {key: value for key, value in PATIENT.items() if key != "birthDate"}
    whys = applied_to(made, ENDOSCOPY, patient | ({"birthDate": born} if born else {})).why
    verdicts = {why.action_id: why.verdict for why in whys}
    assert (verdicts["found-old"] == "applicable") is is_told


def test_what_is_on_record_of_something_else_is_no_evidence(made):
    """An order is open for lack of a count: the INR on record says nothing of it."""
    counted = INR | {"id": "count", "code": {"coding": [{"system": LOINC, "code": "58410-2"}]}}
    found = [
        (why.verdict, why.evidence)
        for records in ((INR,), (INR, counted))
        for why in applied_to(made, ENDOSCOPY, *records).why
        if why.action_id == "blood-count"
    ]
    assert found[0] == ("applicable", ())
    assert found[1][0] == "not applicable"
    (evidence,) = found[1][1]
    assert "58410-2" in evidence


@pytest.mark.parametrize(
    "record, action",
    [
        (PERFORATION, "found-perforation"),
        (INR, "found-clotting"),
        (ALLERGY, "found-midazolam"),
    ],
    ids=["condition", "observation", "allergy"],
)
def test_a_contraindication_on_record_is_told_and_takes_no_order_away(made, record, action):
    without, with_it = found_in(made), found_in(made, record)
    assert action not in without
    assert with_it == without | {action}
    assert "procedure" in with_it


@pytest.mark.parametrize(
    "record",
    [
        PERFORATION | {"verificationStatus": {"coding": [{"code": "refuted"}]}},
        INR | {"valueQuantity": {"value": 2.5}},
        INR | {"status": "entered-in-error"},
        ALLERGY | {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}},
    ],
    ids=["refuted", "within the limit", "entered in error", "no allergy"],
)
def test_what_is_no_contraindication_is_not_told(made, record):
    assert not {name for name in found_in(made, record) if name.startswith("found-")}


TODAY = dt.datetime.now(dt.UTC).date()
DAYS_AGO = {days: (TODAY - dt.timedelta(days)).isoformat() for days in (3, 30, 200)}
INFARCTION = coded("Condition", f"{SNOMED}|22298006", clinicalStatus=ACTIVE)
PLATELETS = coded(
    "Observation", f"{LOINC}|777-3", status="final",
    valueQuantity={"value": 40, "system": UCUM, "code": "10*9/L", "unit": "10*9/L"},
)  # fmt: skip
REMOVAL = coded("Procedure", f"{SNOMED}|38102005", status="completed")
UNCLEAR = {"modifierExtension": [{"url": "https://example.org/x", "valueBoolean": True}]}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (INFARCTION | {"recordedDate": DAYS_AGO[30]}, {"found-infarction"}),
        (INFARCTION | {"recordedDate": DAYS_AGO[200]}, set()),
        (INFARCTION | {"recordedDate": DAYS_AGO[200], **UNCLEAR}, set()),
        (INFARCTION | {"recordedDate": DAYS_AGO[30], **UNCLEAR}, {"found-infarction"}),
        (INFARCTION, {"found-infarction"}),
        (PLATELETS | {"effectiveDateTime": DAYS_AGO[3]}, {"found-platelets"}),
        (PLATELETS | {"effectiveDateTime": DAYS_AGO[30]}, set()),
        (PLATELETS | {"effectivePeriod": {"start": DAYS_AGO[30], "end": DAYS_AGO[3]}},
         {"found-platelets"}),
        (PLATELETS, {"found-platelets"}),
        (REMOVAL | {"performedDateTime": DAYS_AGO[30]}, {"found-operation"}),
        (REMOVAL | {"performedDateTime": DAYS_AGO[200]}, set()),
        (REMOVAL | {"performedDateTime": DAYS_AGO[200], "status": "unknown"}, set()),
    ],
)  # fmt: skip
def test_a_contraindication_counts_only_within_its_time(made, record, told):
    """What has no date may be recent, and is told."""
    whys = applied_to(made, HERNIA, record).why
    found = {w.action_id for w in whys if w.verdict == "applicable"}
    assert {name for name in found if name.startswith("found-")} == told


def test_a_value_that_cannot_be_compared_is_told(made):
    strange = INR | {"valueQuantity": {"value": 3.1, "unit": "mystery", "code": "mystery",
                                       "system": "http://unitsofmeasure.org"}}  # fmt: skip
    assert "found-clotting" in found_in(made, strange)


def test_an_action_that_hangs_on_a_criterion_applies_when_it_is_on_record(made):
    assert not {"omeprazole", "second-look"} & found_in(made)
    assert {"omeprazole", "second-look"} <= found_in(made, ULCER)


def cards_of(made, name, coding, **prefetched):
    """The cards when an order is signed whose code is this."""
    everything = MemoryRepository([r for found in made.values() for r in found])
    plan = one(made[name], "PlanDefinition", "Plan")
    offered = services([plan], everything)
    service = next(s for s in offered if s.hook == "order-sign")
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [coding]},
    }
    body = {
        "hook": "order-sign",
        "hookInstance": "i",
        "context": {
            "userId": "Practitioner/x",
            "patientId": "p",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
        },
        "prefetch": dict.fromkeys(service.prefetch) | {"patient": PATIENT} | prefetched,
    }
    return respond(service.id, body, offered, everything)["cards"]


def test_a_contraindication_has_a_card_of_its_own_with_value_and_day(made):
    entries = [{"resource": r} for r in (PERFORATION, INR)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    key = {"system": "http://www.ama-assn.org/go/cpt", "code": "43235"}
    cards = cards_of(made, ENDOSCOPY, key, condition=bundle)
    found = {card["indicator"]: card["summary"] for card in cards if "indicat" in str(card)}
    assert found["critical"].startswith("Absolute contraindication: A hole in the gullet")
    assert any("INR 3.1" in card["summary"] and "2026" in card["summary"] for card in cards)


def test_a_card_says_how_the_medicine_it_suggests_is_given(made):
    cards = cards_of(made, CATARACT, {"system": SNOMED, "code": "75170007"})
    suggested = [a for c in cards for s in c.get("suggestions", ()) for a in s["actions"]]
    assert [action["description"] for action in suggested] == [
        f"MedicationRequest: Drops that widen the pupil ({DROPS}, {TO_CHOOSE})"
    ]


@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_applied_is_valid_fhir(applied, name):
    validator = Validator()
    for resource in applied[name].resources:
        issues = validator.validate(resource).issues
        assert [str(i) for i in issues if i.severity.rank < 3] == [], resource["id"]
