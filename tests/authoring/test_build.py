"""Procedures become resources: complete, deterministic, the same wherever they are built."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from itertools import chain
from pathlib import Path

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhirpkg import fhirjson
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.ordering import in_order
from fhirpkg.authoring.writing import rebased, text
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.fhirpath import Environment, compile_expression
from fhirpkg.packages.installed import read_profiles
from fhirpkg.render.cited import FINDING
from fhirpkg.render.limits import CRITERION
from fhirpkg.render.told import told
from fhirpkg.validation.validator import Validator

ROOT = Path(__file__).parent.parent.parent
RESOURCES = ROOT / "resources"
SECOND = Path(__file__).parent / "second"
WIDE = Path(__file__).parent / "wide"
CPT = "http://www.ama-assn.org/go/cpt"


def built(folder, canonical=""):
    authored = read_folder(folder)
    assert authored.is_usable, [str(issue) for issue in authored.issues]
    package = rebased(authored.package, canonical) if canonical else authored.package
    carries = folder == RESOURCES
    return build(
        package,
        authored.procedures,
        read_profiles(folder),
        carries_profiles=carries,
        listed=authored.listed,
        beside=authored.beside,
    )


@pytest.fixture(scope="module")
def first():
    return built(RESOURCES)["cpt-20983"]


@pytest.fixture(scope="module")
def second():
    return built(SECOND)["tea-pouring"]


def by_type(resources, name):
    return [resource for resource in resources if resource["resourceType"] == name]


def codings(value):
    if isinstance(value, dict):
        if "system" in value and "code" in value:
            yield value
        for item in value.values():
            yield from codings(item)
    elif isinstance(value, list):
        for item in value:
            yield from codings(item)


def test_the_committed_files_are_what_the_build_makes(first):
    committed = {f.name: f.read_bytes() for f in (RESOURCES / "cpt-20983" / "fhir").glob("*.json")}
    made = {f"{r['resourceType']}-{r['id']}.json": text(r) for r in first}
    assert sorted(committed) == sorted(made)
    assert [name for name, data in made.items() if committed[name] != data] == []


def test_the_set_is_complete(first):
    counts = {r["resourceType"]: 0 for r in first}
    for resource in first:
        counts[resource["resourceType"]] += 1
    assert counts == {
        "PlanDefinition": 1,
        "ActivityDefinition": 14,
        "Questionnaire": 1,
        "ValueSet": 4,
        "DocumentReference": 6,  # three, in two languages
        "Library": 2,
        "ImplementationGuide": 1,
    }


@pytest.mark.parametrize("folder", [RESOURCES, SECOND], ids=["first", "second"])
def test_what_is_built_is_valid(folder):
    validator = Validator()
    for resource in built(folder)[next(p.name for p in folder.iterdir() if p.is_dir())]:
        issues = validator.validate(resource).issues
        assert [str(i) for i in issues if i.severity.rank < 3] == [], resource["id"]


SCRIPT = """
import sys, hashlib
from pathlib import Path
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.writing import text
from fhirpkg.packages.installed import read_profiles
from fhirpkg.render.told import told
folder = Path(sys.argv[1])
authored = read_folder(folder)
made = build(
    authored.package, authored.procedures, read_profiles(folder), beside=authored.beside
)
print(hashlib.sha256(b"".join(text(r) for rs in made.values() for r in rs)).hexdigest())
"""


def digest_elsewhere(folder, **environment):
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    ).stdout.strip()


def test_the_build_depends_on_no_zone_hash_seed_locale_or_folder(tmp_path):
    shutil.copytree(RESOURCES, tmp_path / "a" / "resources")
    shutil.copytree(ROOT / "profiles", tmp_path / "a" / "profiles")
    digests = {
        digest_elsewhere(RESOURCES, TZ="UTC", PYTHONHASHSEED="0"),
        digest_elsewhere(RESOURCES, TZ="Pacific/Kiritimati", PYTHONHASHSEED="4711"),
        digest_elsewhere(tmp_path / "a" / "resources", LC_ALL="C", SOURCE_DATE_EPOCH="1"),
    }
    assert len(digests) == 1


def test_id_name_and_end_of_url_are_the_same(first):
    for resource in first:
        if resource["resourceType"] not in {"ImplementationGuide", "DocumentReference"}:
            assert resource["name"] == resource["id"] == resource["url"].rpartition("/")[2]


def test_no_two_resources_have_one_identifier(first):
    values = [i["value"] for resource in first for i in resource.get("identifier", ())]
    assert len(values) == len(set(values)) == len(first) - 1


def test_every_resource_is_found_by_the_code_of_the_procedure(first):
    for resource in first:
        code = ("http://www.ama-assn.org/go/cpt", "20983")
        places = [resource.get("useContext"), resource.get("context", {}).get("event")]
        found = {(c["system"], c["code"]) for c in codings(places)}
        assert (code in found) == (resource["resourceType"] != "ImplementationGuide")
        if resource["resourceType"] in {"PlanDefinition", "ActivityDefinition", "Library"}:
            assert code in {(c["system"], c["code"]) for c in codings(resource["topic"])}


def test_the_procedure_and_only_it_is_ordered_by_its_code(first):
    ordered = [r["id"] for r in by_type(first, "ActivityDefinition") if CPT in str(r["code"])]
    assert ordered == ["BoneTumorCryoablation"]


def test_no_coding_of_others_has_their_words(first):
    owned = [c for c in codings(first) if "terminology.hl7.org" not in c["system"]]
    assert len(owned) > 100
    displays = {c["system"] for c in owned if "display" in c}
    assert displays == {"http://hl7.org/fhir/resource-types"}


def test_all_carry_the_tag_of_the_package_and_a_narrative(first):
    for resource in first:
        (tag,) = resource["meta"]["tag"]
        assert tag["code"] == "fhirpkg.procedures"
        assert resource["text"]["status"] == "generated"
        assert resource["text"]["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml"')


def test_each_resource_claims_the_profile_that_is_for_it(first):
    claimed = {(r["resourceType"], *r["meta"]["profile"]) for r in first}
    base = "https://w3id.org/fhirpkg/StructureDefinition/Procedure"
    assert claimed == {
        (kind, base + name)
        for kind, name in (
            ("PlanDefinition", "Plan"),
            ("ActivityDefinition", "Activity"),
            ("DocumentReference", "Document"),
            ("Library", "Logic"),
            ("Library", "Manifest"),
            ("ValueSet", "Terms"),
            ("Questionnaire", "Checklist"),
            ("ImplementationGuide", "Guide"),
        )
    }


def test_the_plan_has_four_phases_and_the_procedure_at_the_top(first):
    (plan,) = by_type(first, "PlanDefinition")
    phases = [action for action in plan["action"] if "condition" not in action]
    assert phases == plan["action"][-4:]
    assert [action["id"] for action in phases] == [
        "counseling",
        "preparation",
        "procedure",
        "recovery",
    ]
    procedure = plan["action"][-2]
    assert procedure["definitionCanonical"].endswith("/ActivityDefinition/BoneTumorCryoablation")
    assert procedure["timingTiming"]["repeat"] == {
        "duration": 1,
        "durationMax": 2,
        "durationUnit": "h",
    }
    (data,) = procedure["trigger"][0]["data"]
    assert data["codeFilter"][0]["code"] == [{"system": CPT, "code": "20983"}]


def test_risks_are_goals_of_safety_that_actions_watch(first):
    (plan,) = by_type(first, "PlanDefinition")
    safety = {g["id"] for g in plan["goal"] if "safety" in str(g["category"])}
    assert len(safety) == 6
    served = {goal for action in plan["action"] for goal in all_goals(action)}
    assert safety <= served


def test_every_goal_is_served_by_an_action(first):
    (plan,) = by_type(first, "PlanDefinition")
    served = {goal for action in plan["action"] for goal in all_goals(action)}
    assert served == {goal["id"] for goal in plan["goal"]}


def all_goals(action):
    yield from action.get("goalId", ())
    for part in action.get("action", ()):
        yield from all_goals(part)


def test_choices_of_the_text_are_behaviours(first):
    (plan,) = by_type(first, "PlanDefinition")
    steps = {step["id"]: step for step in plan["action"][-2]["action"]}
    assert steps["anesthesia"]["selectionBehavior"] == "exactly-one"
    assert steps["repeated-cycles"]["requiredBehavior"] == "could"
    assert steps["repeated-cycles"]["cardinalityBehavior"] == "multiple"
    general = steps["anesthesia"]["action"][1]
    assert "Anesthesiologist" in general["participant"][0]["role"]["text"]
    assert "88189002" not in str(plan["action"][-2]["participant"])


def test_only_those_take_part_in_a_step_whom_the_text_names(first):
    (plan,) = by_type(first, "PlanDefinition")
    steps = plan["action"][-2]["action"]
    assert [step["id"] for step in steps if "participant" in step] == ["probe-placement"]
    *physicians, technologist = steps[3]["participant"]
    kinds = ["2085R0204X", "207RX0202X", "2085R0001X", "2086X0206X"]  # and oncologists
    assert [coding["code"] for coding in codings(physicians)] == kinds
    assert "159016003" in str(technologist)


def test_counseling_is_education_and_no_consent_that_nobody_wrote(first):
    (plan,) = by_type(first, "PlanDefinition")
    counseling = plan["action"][-4]
    assert [c["code"] for c in codings(counseling["code"])] == ["311401005"]
    assert "onsent" not in counseling["title"]


def test_only_a_tumor_of_bone_is_a_diagnosis_that_gives_an_indication(first):
    value_set = by_type(first, "ValueSet")[0]
    tumors = ("C40.", "C41.", "C79.5", "C7B.03", "C90.3", "D16.", "D48.0", "D49.2")
    tumors += ("94222008", "94602001", "428281000", "307576001", "307608006", "443520009")
    tumors += ("170.", "198.5", "213.", "238.0")  # ICD-9-CM
    tumors += ("443496006", "443093007", "385427008")  # enchondroma and osteochondroma
    listed = [c["code"] for c in value_set["expansion"]["contains"]]
    assert len(listed) == 169
    assert [code for code in listed if not code.startswith(tumors)] == []


def test_a_message_says_all_that_its_parts_tell(first):
    aftercare = next(r for r in first if r["id"] == "BoneTumorCryoablationAftercare")
    assert aftercare["kind"] == "CommunicationRequest"
    assert aftercare["code"]["text"] == "Aftercare"
    said = told(aftercare)
    assert len(said) == 3
    assert "Look after the wound" in said[1]
    clinical = aftercare["dynamicValue"][2]["expression"]["description"]
    assert clinical.startswith("Avoid strenuous activity")


def test_risks_and_alternatives_are_explained_and_nothing_that_somebody_does(first):
    (plan,) = by_type(first, "PlanDefinition")
    ids = {action["id"] for action in actions_below(plan)}
    assert not [name for name in ids if name.startswith(("risk", "benefit", "alternative"))]
    counseling = next(action for action in plan["action"] if action["id"] == "counseling")
    assert "action" not in counseling
    assert counseling["documentation"][0]["display"].endswith("what you should know")
    definition = next(r for r in first if r.get("url") == counseling["definitionCanonical"])
    assert definition["kind"] == "CommunicationRequest"
    names = [topic["id"] for topic in definition["topic"] if "id" in topic]
    assert names[:4] == [f"indication-{n}" for n in ("tumor", "pain", "soft-tissue", "no-surgery")]
    assert {"risk-nerve", "benefit-recovery", "alternative-radiotherapy"} < set(names)
    said = told(definition)
    assert len(said) == 5  # HAPI reads no index of two digits
    assert said[1].startswith("What can go wrong: It can hurt")
    assert said[1].endswith("Rarely, a nerve is injured. Rarely, a bone breaks.")
    risks = definition["dynamicValue"][1]["expression"]["_expression"]
    spanish = risks["extension"][0]["extension"][1]["valueString"]
    assert spanish.startswith("'Qué puede salir mal: Puede doler")
    goal = next(g for g in plan["goal"] if g["id"] == "safety-nerve")
    assert goal["addresses"][0]["text"] == "Injury of a nerve, which is rare"
    assert goal["addresses"][0]["coding"][0]["code"] == "57182000"


def test_words_for_patients_are_in_no_element_for_staff(first):
    (plan,) = by_type(first, "PlanDefinition")
    conditional = [a for a in actions_below(plan) if "textEquivalent" in a]
    assert conditional == [a for a in plan["action"] if a.get("condition")]


def actions_below(parent):
    for action in parent.get("action", ()):
        yield action
        yield from actions_below(action)


def test_the_topics_of_a_message_are_those_of_its_parts(first):
    aftercare = next(r for r in first if r["id"] == "BoneTumorCryoablationAftercare")
    topics = [c["code"] for c in codings(aftercare["topic"]) if c["system"].endswith("/sct")]
    assert topics == ["413467001", "226007004", "304508008"]


def test_every_definition_says_that_no_clinician_has_reviewed_it(first):
    for resource in by_type(first, "DocumentReference"):
        document = base64.b64decode(resource["content"][0]["attachment"]["data"]).decode()
        said = {"en": "No clinician has reviewed", "es": "Ningún profesional clínico ha revisado"}
        assert said[resource["content"][0]["attachment"].get("language", "en")] in document
    for resource in first:
        if resource["resourceType"] != "DocumentReference":
            said = resource.get("purpose") or resource["description"]
            assert "no clinician has reviewed it" in said


def test_content_in_use_says_nothing_of_a_missing_review(second):
    (plan,) = by_type(second, "PlanDefinition")
    in_use = read_folder(SECOND)
    package = in_use.package.model_copy(update={"experimental": False, "status": "active"})
    made = build(package, in_use.procedures)["tea-pouring"]
    assert plan["purpose"].endswith(" no clinician has reviewed it.")
    assert "clinician" not in str(made)


def test_steps_follow_each_other(first):
    (plan,) = by_type(first, "PlanDefinition")
    steps = plan["action"][-2]["action"]
    assert "relatedAction" not in steps[0]
    waits = {step["id"]: step["relatedAction"] for step in steps[1:]}
    assert {r["relationship"] for related in waits.values() for r in related} == {"after-end"}
    assert [(step, related[0]["actionId"]) for step, related in waits.items()] == [
        ("skin-preparation", "position"),
        ("anesthesia", "skin-preparation"),
        ("probe-placement", "anesthesia"),
        ("freezing", "probe-placement"),
        ("repeated-cycles", "freezing"),
        ("probe-removal", "freezing"),  # cycles may be left out, so nothing waits for them
        ("dressing", "probe-removal"),
    ]


def test_documents_are_whole_and_identified_by_their_content(first):
    for document in by_type(first, "DocumentReference"):
        attachment = document["content"][0]["attachment"]
        data = base64.b64decode(attachment["data"])
        assert attachment["size"] == len(data)
        assert base64.b64decode(attachment["hash"]) == hashlib.sha1(data).digest()
        assert uuid.UUID(document["masterIdentifier"]["value"].removeprefix("urn:uuid:"))
        assert data.startswith(b"<?xml")


def test_the_manifest_pins_every_canonical_to_its_version(first):
    (library,) = [r for r in by_type(first, "Library") if "content" not in r]
    artifacts = library["relatedArtifact"]
    pinned = {a["resource"] for a in artifacts if a["type"] == "composed-of"}
    others = {f"{r['url']}|{r['version']}" for r in first if "url" in r}
    guide = {f"{r['url']}|{r['version']}" for r in by_type(first, "ImplementationGuide")}
    assert pinned == others - guide - {f"{library['url']}|{library['version']}"}
    told = (a["document"]["url"] for a in artifacts if a["type"] == "documentation")
    documents = [url.removeprefix("DocumentReference/") for url in told]
    assert documents == [r["id"] for r in by_type(first, "DocumentReference")]


def test_the_guide_lists_everything_but_itself():
    everything = [resource for found in built(RESOURCES).values() for resource in found]
    (guide,) = by_type(everything, "ImplementationGuide")
    listed = {part["reference"]["reference"] for part in guide["definition"]["resource"]}
    made = {f"{r['resourceType']}/{r['id']}" for r in everything if r is not guide}
    assert made < listed
    assert {name.partition("/")[0] for name in listed - made} == {"StructureDefinition", "ValueSet"}


def test_a_package_without_profiles_of_its_own_depends_on_those_it_claims(second):
    (guide,) = by_type(second, "ImplementationGuide")
    assert [item["packageId"] for item in guide["dependsOn"]] == ["fhirpkg.procedures"]
    assert "StructureDefinition" not in str(guide["definition"])
    assert all("w3id.org/fhirpkg" in r["meta"]["profile"][0] for r in second[:-1])


def test_two_procedures_make_one_package(tmp_path):
    shutil.copytree(SECOND, tmp_path / "r")
    text = (SECOND / "tea-pouring" / "procedure.yaml").read_text()
    (tmp_path / "r" / "more").mkdir()
    (tmp_path / "r" / "more" / "procedure.yaml").write_text(text.replace("TeaPouring", "Other"))
    made = built(tmp_path / "r")
    assert list(made) == ["more", "tea-pouring"]
    (guide,) = by_type([r for found in made.values() for r in found], "ImplementationGuide")
    names = str(guide["definition"])
    assert "PlanDefinition/OtherPlan" in names
    assert "PlanDefinition/TeaPouringPlan" in names


def test_two_procedures_of_one_id_are_refused(tmp_path):
    shutil.copytree(SECOND, tmp_path / "r")
    shutil.copytree(SECOND / "tea-pouring", tmp_path / "r" / "more")
    authored = read_folder(tmp_path / "r")
    (issue,) = (issue for issue in authored.issues if issue.severity == "error")
    assert (issue.rule, issue.line) == ("source-same-procedure", 2)
    assert not authored.is_usable


def test_what_an_author_leaves_out_is_left_out(second):
    (plan,) = by_type(second, "PlanDefinition")
    _, procedure = plan["action"]
    definitions = by_type(second, "ActivityDefinition")
    counseling = next(d for d in definitions if d["id"].endswith("Counseling"))
    named = [topic["id"] for topic in counseling["topic"] if "id" in topic]
    kinds = dict.fromkeys(name.partition("-")[0] for name in named)
    assert list(kinds) == ["indication", "risk", "benefit", "experience"]
    assert procedure["timingTiming"]["repeat"] == {"duration": 30, "durationUnit": "min"}
    assert by_type(second, "Questionnaire") == []


def test_marks_of_markup_in_an_author_s_text_stay_text(second):
    (plan,) = by_type(second, "PlanDefinition")
    assert """"hot" &amp; &lt;slowly&gt;, it's said.""" in plan["text"]["div"]


def test_all_urls_follow_another_canonical():
    base = "https://hospital.example/fhir"
    for resource in built(RESOURCES, base)["cpt-20983"]:
        extensions = [e for e in resource.get("extension", ()) if e["url"] != CRITERION]
        own = json.dumps({**resource, "meta": {}, "extension": extensions})
        assert "w3id.org" not in own.replace(FINDING, "")
        assert resource.get("url", base).startswith(base)


@pytest.mark.parametrize("canonical", ["", "hospital", "ftp://x.org", "https://x.org/a b"])
def test_a_canonical_that_is_no_base_is_refused(canonical):
    with pytest.raises(ConfigError, match="not a base url"):
        rebased(read_folder(SECOND).package, canonical)


def test_an_element_that_r4_does_not_have_is_never_built():
    with pytest.raises(ValueError, match="recipe"):
        in_order({"resourceType": "Library", "status": "draft", "recipe": "x"})


@pytest.mark.parametrize("folder", [RESOURCES, SECOND, WIDE], ids=lambda folder: folder.name)
def test_every_built_resource_goes_through_its_class_unchanged_and_in_the_same_order(folder):
    for resource in chain.from_iterable(built(folder).values()):
        model = get_fhir_model_class(resource["resourceType"])
        passed = model.model_validate(resource).model_dump_json()
        assert fhirjson.dump(fhirjson.read(passed)[0]) == fhirjson.dump(resource), resource["id"]


@pytest.mark.parametrize(
    "make, problem",
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "it holds no package.yaml; name a folder with one"),
        (
            lambda folder: shutil.copytree(SECOND, folder, ignore=shutil.ignore_patterns("tea*")),
            "no folder in it holds a procedure.yaml",
        ),
    ],
    ids=["no folder", "no package.yaml", "no procedure"],
)
def test_a_folder_that_cannot_be_read_is_one_clear_error(tmp_path, make, problem):
    make(tmp_path / "folder")
    with pytest.raises(SourceError, match=problem):
        read_folder(tmp_path / "folder")


def test_the_checklist_is_a_task_that_collects_with_the_questionnaire(first):
    (plan,) = by_type(first, "PlanDefinition")
    action = next(a for a in actions_below(plan) if a["id"] == "checklist")
    task = next(r for r in first if r.get("url") == action["definitionCanonical"])
    (form,) = by_type(first, "Questionnaire")
    assert (task["resourceType"], task["kind"]) == ("ActivityDefinition", "Task")
    collected = {e["url"].rpartition("/")[2]: e["valueCanonical"] for e in task["extension"]}
    assert collected == {"cpg-collectWith": form["url"]}


def test_the_checklist_is_filled_in_with_what_the_record_holds(first):
    (form,) = by_type(first, "Questionnaire")
    filled_in = {
        item["linkId"]: item["extension"][0]["valueExpression"]
        for item in form["item"]
        if "extension" in item
    }
    assert set(filled_in) == {"on-record-inr", "on-record-platelets", "allergies"}
    assert filled_in["on-record-inr"]["expression"] == '"INR found"'
    found = {"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "AllergyIntolerance", "code": {"text": "Latex"}}},
        {"resource": {"resourceType": "AllergyIntolerance",
                      "code": {"coding": [{"display": "Iodine"}, {"display": "Jod"}]}}},
    ]}  # fmt: skip
    allergies = compile_expression(filled_in["allergies"]["expression"], Definitions.core().types)
    assert allergies.evaluate({}, Environment(variables={"allergies": found})) == ["Latex; Iodine"]


def test_a_checklist_without_such_questions_needs_no_query(second):
    assert all("extension" not in form for form in by_type(second, "Questionnaire"))
