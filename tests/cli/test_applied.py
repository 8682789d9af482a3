"""What `apply` prints for people: nothing in it can be read as its opposite."""

import json

import pytest
from click.testing import CliRunner

from fhirpkg.cli.apply import command
from fhirpkg.render import clinical, times

BASE = "http://example.org"
PATIENT = {
    "resourceType": "Patient",
    "id": "x",
    "gender": "female",
    "birthDate": "1960-02-01",
    "name": [
        {"use": "nickname", "given": ["Annie"]},
        {"use": "official", "given": ["Ann"], "family": "Ox"},
    ],
}
ANY = {
    "url": "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior",
    "valueCode": "any",
}


def activity(name, kind="ServiceRequest", **more):
    url = f"{BASE}/ActivityDefinition/{name}"
    made = {"resourceType": "ActivityDefinition", "id": name, "url": url, "kind": kind}
    return made | {"code": {"text": f"code of {name}"}} | more


def action(title, name="", **more):
    definition = {"definitionCanonical": f"{BASE}/ActivityDefinition/{name}"} if name else {}
    return {"title": title} | definition | more


def only_if(text, **more):
    expression = {"language": "text/fhirpath", "expression": text} | more
    return {"condition": [{"kind": "applicability", "expression": expression}]}


@pytest.fixture
def printed(tmp_path):
    """The lines that `apply` prints for actions and what lies beside them, without indents."""

    def run(*actions, resources=(), options=(), **more):
        plan = {
            "resourceType": "PlanDefinition",
            "id": "p",
            "title": "Plan",
            "action": list(actions),
        }
        (tmp_path / "plan.json").write_text(json.dumps(plan | more))
        entries = [{"resource": r} for r in (PATIENT, *resources)]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        (tmp_path / "data.json").write_text(json.dumps(bundle))
        arguments = [str(tmp_path / "plan.json"), "--subject", "x", *options]
        arguments += ["--data", str(tmp_path / "data.json"), "--content", str(tmp_path)]
        result = CliRunner().invoke(
            command, arguments, catch_exceptions=False, standalone_mode=False
        )
        return [line.strip() for line in result.stdout.splitlines()]

    return run


def under(lines, headline):
    """The lines below a headline, up to the next."""
    rest = lines[lines.index(headline) + 1 :]
    end = next(
        (n for n, line in enumerate(rest) if line[:2] in {"+ ", "- ", "? ", ". "}), len(rest)
    )
    return rest[:end]


# -- what is not to be done ---------------------------------------------------------------------

KINDS = ["ServiceRequest", "MedicationRequest", "CommunicationRequest", "Task"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_to_be_done_says_so_first(printed, kind):
    definition = activity("a", kind, doNotPerform=True, productCodeableConcept={"text": "Drug"})
    lines = printed(action("Give it", "a"), resources=[definition])
    assert lines[1].startswith("+ DO NOT: ")
    assert lines[1].endswith(" [Give it]")
    assert lines[2].startswith(f"DO NOT: order: {kind} ")


@pytest.mark.parametrize("kind", ["VisionPrescription", "NutritionOrder", "SupplyRequest"])
def test_what_is_not_to_be_done_has_a_name_where_the_order_has_none(printed, kind):
    definition = activity("a", kind, doNotPerform=True)
    del definition["code"]
    lines = printed(action("t", "a"), resources=[definition])
    assert lines[1] == f"+ DO NOT: {kind} [t]"
    assert lines[2] == f"DO NOT: order: {kind}"


LENS = {"product": {"coding": [{"code": "lens"}]}, "eye": "left"}
FORMULA = {"baseFormulaType": {"text": "soy formula"}}
PARTS = {  # elements of an order that has no code, and what it is about
    "lens": ({"lensSpecification": [LENS, LENS | {"eye": "right"}]}, "lens"),
    "lens, contact": (
        {"lensSpecification": [LENS, {"product": {"coding": [{"code": "contact"}]}}]},
        "lens, contact",
    ),
    "soy formula": ({"enteralFormula": FORMULA}, "soy formula"),
    "vitamin D": ({"supplement": [{"type": {"text": "vitamin D"}}]}, "vitamin D"),
    "low salt": ({"oralDiet": {"type": [{"text": "low salt"}]}}, "low salt"),
    "no type of supplement": ({"supplement": [{"productName": "x"}]}, "Order"),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_an_order_is_about_may_stand_in_its_parts(name):
    elements, about = PARTS[name]
    assert clinical.subject_or_kind({"resourceType": "Order"} | elements) == about


@pytest.mark.parametrize("more", [{}, {"doNotPerform": False}])
def test_what_is_to_be_done_does_not(printed, more):
    lines = printed(action("Give it", "a"), resources=[activity("a", **more)])
    assert lines[1:3] == ["+ Give it", "order: ServiceRequest code of a"]
    assert "NOT" not in "".join(lines)


def test_an_activity_alone_says_so_too(printed, tmp_path):
    printed(resources=[activity("a", doNotPerform=True)])
    result = CliRunner().invoke(
        command,
        [f"{BASE}/ActivityDefinition/a", "--subject", "x", "--data", str(tmp_path / "data.json")],
    )
    assert "DO NOT: order: ServiceRequest code of a" in result.stdout


# -- drugs and times ----------------------------------------------------------------------------

MG = {"system": "http://unitsofmeasure.org", "unit": "mg", "code": "mg"}
TWICE = {
    "repeat": {
        "frequency": 2,
        "period": 1,
        "periodUnit": "d",
        "when": ["PC"],
        "boundsDuration": {"value": 5, "unit": "days"},
    }
}
ORAL = {
    "doseAndRate": [{"doseQuantity": {"value": 400} | MG}],
    "route": {"text": "by mouth"},
    "timing": TWICE,
    "asNeededCodeableConcept": {"text": "pain"},
    "maxDosePerPeriod": {
        "numerator": {"value": 1200} | MG,
        "denominator": {"value": 1, "unit": "d"},
    },
}


def test_a_drug_is_told_with_dose_route_frequency_and_amount(printed):
    definition = activity(
        "a",
        "MedicationRequest",
        productCodeableConcept={"text": "Ibuprofen"},
        dosage=[ORAL],
        quantity={"value": 10, "unit": "tablets"},
        priority="urgent",
        intent="proposal",
    )
    lines = under(printed(action("Relieve", "a"), resources=[definition]), "+ Relieve")
    assert lines[0] == "order: MedicationRequest Ibuprofen"
    assert "priority: urgent" in lines
    assert "intent: proposal" in lines
    assert "amount: 10 tablets" in lines
    (dose,) = [line for line in lines if line.startswith("dose: ")]
    for words in (
        "400 mg",
        "by mouth",
        "twice a day",
        "after meals",
        "for 5 days",
        "as needed for pain",
        "at most 1200 mg in 1 d",
    ):
        assert words in dose


SCHEDULES = [
    ({"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}, "once a day"),
    (
        {"repeat": {"frequency": 3, "frequencyMax": 4, "period": 1, "periodUnit": "d"}},
        "3 to 4 times a day",
    ),
    ({"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}, "once every 8 hours"),
    (
        {"repeat": {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"}},
        "once every 4 to 6 hours",
    ),
    (
        {"repeat": {"dayOfWeek": ["mon", "fri"], "timeOfDay": ["08:00:00"]}},
        "at 08:00:00 on Monday, on Friday",
    ),
    ({"repeat": {"when": ["HS"]}}, "at bedtime"),
    ({"repeat": {"when": ["ACM"], "offset": 30}}, "30 minutes before breakfast"),
    ({"repeat": {"duration": 1, "durationMax": 2, "durationUnit": "h"}}, "lasting 1 to 2 h"),
    ({"repeat": {"count": 3}}, "3 times in all"),
    ({"event": ["2026-03-01"]}, "on 2026-03-01"),
    ({"repeat": {"boundsPeriod": {"start": "2026-03-01"}}}, "from 2026-03-01"),
    (
        {"repeat": {"boundsRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "wk"}}}},
        "for 1 to 2 wk",
    ),
    (
        {"code": {"text": "BID"}, "repeat": {"boundsPeriod": {"end": "2026-03-01"}}},
        "BID until 2026-03-01",
    ),
]


@pytest.mark.parametrize("timing, text", SCHEDULES)
def test_a_schedule_in_words(timing, text):
    assert times.schedule(timing) == text


TIMINGS = {
    "timingDateTime": ("2026-03-01", "when: on 2026-03-01"),
    "timingPeriod": (
        {"start": "2026-03-01", "end": "2026-03-05"},
        "when: from 2026-03-01 until 2026-03-05",
    ),
    "timingTiming": (
        {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk"}},
        "when: twice a week",
    ),
    "timingAge": ({"value": 50, "unit": "years"}, "when: at the age of 50 years"),
    "timingDuration": ({"value": 30, "unit": "min"}, "when: 30 min"),
    "timingRange": ({"low": {"value": 1}, "high": {"value": 2, "unit": "h"}}, "when: 1 to 2 h"),
}


@pytest.mark.parametrize("key", TIMINGS)
def test_when_is_told_of_the_action_and_of_the_order(printed, key):
    value, words = TIMINGS[key]
    assert words in printed(action("Act", **{key: value}))
    lines = printed(action("Act", "a"), resources=[activity("a", **{key: value})])
    assert words in lines


@pytest.mark.parametrize("kind", ["Task", "Appointment", "NutritionOrder", "CarePlan", "Procedure"])
def test_a_day_is_told_whatever_is_to_be_done(printed, kind):
    lines = printed(
        action("Act", "a"), resources=[activity("a", kind, timingDateTime="2026-03-01")]
    )
    assert "when: on 2026-03-01" in lines


# -- reasons ------------------------------------------------------------------------------------


def test_a_reason_stands_at_its_action_whether_or_not_actions_have_ids(printed):
    lines = printed(
        action("One", **only_if("true", description="reason one")),
        action("Two"),
        action("Three", **only_if("false", description="reason three")),
        action("Four", **only_if("true", description="reason four")),
        action("One", **only_if("true", description="reason five"), id="same"),
    )
    wanted = ["+ One", "why: reason one", "+ Two", "- Three: left out, only if: reason three"]
    assert lines[1:] == [*wanted, "+ Four", "why: reason four", "+ One", "why: reason five"]


INR = {"coding": [{"system": "http://loinc.org", "code": "6301-6"}], "text": "INR"}


def inr(name, value, day, **more):
    made = {"resourceType": "Observation", "id": name, "status": "final", "code": INR}
    made |= {"subject": {"reference": "Patient/x"}, "valueQuantity": {"value": value, "code": "1"}}
    return made | ({"effectiveDateTime": day} if day else {}) | more


@pytest.mark.parametrize("text, mark", [("%inr.exists()", "+"), ("%inr.empty()", "-")])
def test_the_value_and_date_behind_a_condition_are_told(printed, text, mark):
    data = [inr("a", 1.2, "2026-08-11"), inr("b", 2.4, "2026-11-02T08:00:00Z")]
    act = action("Act", input=[{"id": "inr", "type": "Observation"}], **only_if(text))
    lines = "\n".join(printed(act, resources=data))
    assert f"\n{mark} Act" in lines
    assert (
        "on record: INR (LOINC 6301-6) 2.4 (2026-11-02); INR (LOINC 6301-6) 1.2 (2026-08-11)"
        in lines
    )


def test_of_many_values_the_newest_are_told(printed):
    data = [inr(str(n), n, f"2026-01-{n:02}") for n in range(1, 9)]
    act = action("Act", input=[{"id": "inr", "type": "Observation"}], **only_if("%inr.exists()"))
    (line,) = [line for line in printed(act, resources=data) if line.startswith("on record")]
    assert [part.split()[3] for part in line.removeprefix("on record: ").split("; ")[:3]] == [
        "8",
        "7",
        "6",
    ]
    assert line.endswith("and 5 more")


FINDINGS = [
    (inr("a", 2.4, "", issued="2026-11-02T08:00:00Z"), "INR (LOINC 6301-6) 2.4 (2026-11-02)"),
    (
        inr("a", 2.4, "", effectivePeriod={"start": "2026-11-01", "end": "2026-11-02"}),
        "INR (LOINC 6301-6) 2.4 (2026-11-02)",
    ),
    (inr("a", 2.4, ""), "INR (LOINC 6301-6) 2.4 (no date)"),
    (
        inr("a", 2.4, "2026-11-02", status="entered-in-error"),
        "INR (LOINC 6301-6) 2.4 (entered-in-error, 2026-11-02)",
    ),
    (
        {
            "resourceType": "Condition",
            "code": {"text": "Metastasis"},
            "onsetDateTime": "2026",
            "clinicalStatus": {"coding": [{"system": "x", "code": "resolved"}]},
        },
        "Metastasis (resolved, 2026)",
    ),
    (
        {
            "resourceType": "MedicationRequest",
            "medicationCodeableConcept": {"text": "Warfarin"},
            "status": "active",
            "authoredOn": "2026-01-02",
        },
        "Warfarin (2026-01-02)",
    ),
    (
        {
            "resourceType": "Observation",
            "code": {"text": "Platelets"},
            "status": "final",
            "valueQuantity": {"value": 60, "comparator": "<", "unit": "K/uL"},
        },
        "Platelets <60 K/uL (no date)",
    ),
]


@pytest.mark.parametrize("resource, words", FINDINGS)
def test_what_is_on_record_in_words(resource, words):
    assert clinical.finding(resource) == words


def test_those_that_an_any_group_passes_over_are_mentioned(printed):
    group = action("Group", extension=[ANY], action=[action("One"), action("Two")])
    lines = printed(group)
    assert ". Two: not looked at: 'One' applies, and only the first that applies is used" in lines


# -- blocked ------------------------------------------------------------------------------------

OPEN = {"holds": "true", "does not": "false", "nobody knows": "%encounter.exists()"}
RELATIONS = {
    "before": lambda: ({"relatedAction": [{"actionId": "go", "relationship": "before-start"}]}, {}),
    "after": lambda: (
        {},
        {"relatedAction": [{"actionId": "prepare", "relationship": "after-end"}]},
    ),
}


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("state", OPEN)
def test_an_order_with_something_open_before_it_is_blocked(printed, state, relation):
    first, second = RELATIONS[relation]()
    parts = [action("Correct the INR", **only_if(OPEN[state])), action("Always")]
    lines = printed(
        action("Prepare", id="prepare", action=[action("Open", action=parts)], **first),
        action("Go", "a", id="go", **second),
        resources=[activity("a")],
    )
    blocked = "BLOCKED until: Correct the INR" in under(lines, "+ Go")
    assert blocked == (state != "does not")


def test_an_order_without_relation_to_what_is_open_is_not_blocked(printed):
    lines = printed(
        action("Correct the INR", **only_if("true")), action("Go", "a"), resources=[activity("a")]
    )
    assert "BLOCKED" not in "\n".join(lines)


# -- the rest -----------------------------------------------------------------------------------


def test_the_patient_and_the_goals_are_named(printed):
    goal = {
        "id": "g",
        "description": {"text": "No pain"},
        "target": [
            {
                "measure": {"text": "Pain"},
                "detailQuantity": {"value": 2, "comparator": "<"},
                "due": {"value": 3, "unit": "months"},
            }
        ],
    }
    lines = printed(action("Act", "a", goalId=["g"]), goal=[goal], resources=[activity("a")])
    assert lines[0] == "CarePlan Plan for Ann Ox, female, born 1960-02-01 (Patient/x)"
    assert lines[1] == "goal: No pain; Pain: <2, within 3 months"
    assert "goals: No pain" in lines


def test_losses_are_a_line_and_in_full_with_verbose(printed):
    acts = [action("Act", output=[{"type": "Task"}]), action("Act", transform=f"{BASE}/m")]
    assert printed(*acts)[-1] == "2 remarks on what the result does not hold; --verbose lists them"
    lines = printed(*acts, options=["--verbose"])
    assert lines[-2:] == [
        "information: PlanDefinition.action[0].output is not used: Task",
        f"information: PlanDefinition.action[1].transform is not used: {BASE}/m",
    ]


def test_the_parts_of_a_nested_plan_stand_below_its_action(printed):
    inner = {
        "resourceType": "PlanDefinition",
        "id": "i",
        "url": f"{BASE}/PlanDefinition/i",
        "action": [action("Inner", **only_if("true"))],
    }
    lines = printed(action("Outer", definitionCanonical=inner["url"]), resources=[inner])
    assert lines.index("+ Inner") > lines.index("+ Outer")
