"""The rules of our own content: each is broken once, and told at the broken place."""

import base64
import copy
import json
from pathlib import Path

import pytest
import yaml

from fhirpkg.cli.catalogue import catalogue
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.issues import Severity
from fhirpkg.validation.content.content import check_content
from fhirpkg.validation.content.documents import version_id
from fhirpkg.validation.run import Run
from fhirpkg.validation.validator import Validator

FOLDER = Path(__file__).parent.parent.parent / "resources" / "cpt-20983" / "fhir"
NAMES = {
    "plan": "PlanDefinition-BoneTumorCryoablationPlan",
    "activity": "ActivityDefinition-BoneTumorCryoablation",
    "count": "ActivityDefinition-BoneTumorCryoablationBloodCount",
    "document": "DocumentReference-BoneTumorCryoablationEducation",
    "manifest": "Library-BoneTumorCryoablationManifest",
    "logic": "Library-BoneTumorCryoablationLogic",
    "guide": "ImplementationGuide-fhirpkg.procedures",
    "terms": "ValueSet-BoneTumorCryoablationIndications",
    "checklist": "Questionnaire-BoneTumorCryoablationChecklist",
}
RESOURCES = {
    name: json.loads((FOLDER / f"{file}.json").read_text()) for name, file in NAMES.items()
}
DELETE = object()

BROKEN = yaml.safe_load((Path(__file__).parent / "content_rules.yaml").read_text())


@pytest.fixture(scope="module")
def validator():
    return Validator()


def step(node, name):
    """A key, an index, or the id of an item."""
    if not isinstance(node, list):
        return name
    ids = [item.get("id") for item in node if isinstance(item, dict)]
    return ids.index(name) if name in ids else int(name)


def numbered(resource, place):
    """The place with indexes for ids."""
    found = []
    for name in place.split("."):
        here = step(resource, name)
        found.append(str(here))
        is_there = here in resource if isinstance(resource, dict) else here < len(resource)
        resource = resource[here] if is_there else {}
    return ".".join(found)


def changed(resource, place, value):
    resource = copy.deepcopy(resource)
    *steps, last = place.split(".")
    node = resource
    for name in steps:
        node = node[step(node, name)]
    last = step(node, last)
    if value is DELETE:
        del node[last]
    elif isinstance(node, list) and last >= len(node):
        node.append(value)
    else:
        node[last] = value
    return resource


def broken(resource):
    """The rules of our content that a resource breaks, with the JSON path of each."""
    definitions = Definitions.core()
    held = {f"{r['url']}|{r['version']}": r for r in RESOURCES.values() if "url" in r}
    run = Run(resource, definitions, Terminology(definitions), retrieve=held.get)
    check_content(resource, (), run)
    return {(finding.rule.id, ".".join(map(str, finding.path))) for finding in run.findings}


@pytest.mark.parametrize("name", RESOURCES)
def test_built_resources_break_no_rule(name):
    assert broken(RESOURCES[name]) == set()


@pytest.mark.parametrize("case", BROKEN, ids=lambda c: f"{c['resource']} {c['place']} {c['rule']}")
def test_a_broken_rule_is_told_at_its_place(case):
    name, place = case["resource"], case["place"]
    found = broken(changed(RESOURCES[name], place, case.get("value", DELETE)))
    at = case.get("at", place)
    if at == "?":
        assert case["rule"] in dict(found)
    else:
        assert (case["rule"], numbered(RESOURCES[name], at)) in found


def test_the_validator_gives_line_and_severity(validator):
    resource = changed(RESOURCES["plan"], "action.procedure.goalId.0", "goal-tumour-control")
    text = json.dumps(resource, indent=2)
    (issue,) = validator.validate(text.encode()).errors
    assert (issue.rule, issue.severity) == ("content-goal-id", Severity.ERROR)
    assert "did you mean 'goal-tumor-control'" in issue.text
    assert "goal-tumour-control" in text.split("\n")[issue.line - 1]


def test_a_resource_that_does_not_claim_ours_is_left_alone():
    resource = changed(RESOURCES["plan"], "name", "Other")
    del resource["meta"]["profile"]
    assert broken(resource) == set()


def test_a_document_with_other_content_needs_another_master_identifier():
    data = b"<p>other</p>"
    resource = changed(
        RESOURCES["document"], "content.0.attachment.data", base64.b64encode(data).decode()
    )
    assert {rule for rule, _ in broken(resource)} == {
        "content-attachment-hash",
        "content-attachment-size",
        "content-document-version",
        "content-notice",
    }
    identifier = resource["identifier"][0]
    assert version_id(identifier, data) != version_id(identifier, data + b" ")


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], ["x"], {"x": [1]}])
def test_nonsense_anywhere_is_no_traceback(name, value):
    for key in RESOURCES[name]:
        if key not in {"resourceType", "meta"}:
            broken(changed(RESOURCES[name], key, value))


def guide_findings(*parts, absent=(), bases=()):
    guide = {
        "resourceType": "ImplementationGuide",
        "id": "fhirpkg.procedures",
        "meta": {"profile": ["https://w3id.org/fhirpkg/StructureDefinition/ProcedureGuide"]},
        "url": "https://w3id.org/fhirpkg/ImplementationGuide/fhirpkg.procedures",
        "version": "0.2.0",
        "packageId": "fhirpkg.procedures",
        "definition": {
            "resource": [
                {"reference": {"reference": f"{part['resourceType']}/{part['id']}"}}
                for part in (*parts, *absent)
            ]
        },
    }
    held = {f"{part['resourceType']}/{part['id']}": part for part in parts}
    definitions = Definitions.core()
    run = Run(guide, definitions, Terminology(definitions), retrieve=held.get, bases=bases)
    check_content(guide, (), run)
    return [(finding.rule.id, finding.path[2]) for finding in run.findings]


def test_parts_of_a_package_that_fit_together_are_fine():
    parts = [part for name, part in RESOURCES.items() if name != "guide"]
    assert guide_findings(*parts) == []


def test_a_part_that_is_not_there_is_told_when_the_package_is_checked_as_a_whole():
    terms, plan = RESOURCES["terms"], RESOURCES["plan"]
    assert guide_findings(terms, absent=[plan]) == []
    whole = guide_findings(terms, absent=[plan], bases=["https://w3id.org/fhirpkg"])
    assert whole == [("reference-not-found", 1)]


def test_a_part_of_another_version_is_told():
    other = changed(RESOURCES["terms"], "version", "0.9.0")
    assert guide_findings(RESOURCES["plan"], other) == [("content-package-version", 1)]


def test_a_part_of_another_base_is_told():
    other = changed(RESOURCES["terms"], "url", "https://example.org/ValueSet/x")
    assert guide_findings(other) == [("content-package-base", 0)]


def test_a_part_without_the_tag_of_the_package_is_told():
    other = changed(RESOURCES["terms"], "meta.tag.0.code", "fhirpkg.procedure")
    assert guide_findings(RESOURCES["plan"], other) == [("content-package-tag", 1)]


def test_two_parts_with_one_identifier_are_told():
    other = changed(RESOURCES["terms"], "identifier", RESOURCES["plan"]["identifier"])
    assert guide_findings(RESOURCES["plan"], other) == [("content-package-identifier", 1)]


def test_every_rule_is_broken_by_a_test():
    rules = {rule for rule in catalogue() if rule.startswith("content-")}
    of_packages = {rule for rule in rules if rule.startswith("content-package-")}
    assert rules - of_packages == {case["rule"] for case in BROKEN}


def another_page(document):
    page = copy.deepcopy(document["content"][0])
    page["attachment"]["language"] = "fr"
    return [*document["content"], page]


def elsewhere(document):
    kept = ("contentType", "title", "creation")
    attachment = document["content"][0]["attachment"]
    drawn = {key: attachment[key] for key in kept} | {"url": "https://example.org/film.mp4"}
    film = {"attachment": drawn | {"contentType": "video/mp4"}}
    printed = {"attachment": drawn | {"contentType": "application/pdf"}}
    return [*document["content"], film, printed]


OPEN = {
    "a copy for a patient": ("document", "subject", lambda _: {"reference": "Patient/p"}),
    "a page in another language": ("document", "content", another_page),
    "files that stand elsewhere": ("document", "content", elsewhere),
    "a filter": ("terms", "compose.include.0.concept", lambda _: DELETE),
    "logic in another language": (
        "logic",
        "content",
        lambda r: [*r["content"], {"contentType": "application/elm+xml", "data": "PGE+PC9hPg=="}],
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_our_profiles_shut_nothing_that_others_need(validator, name):
    resource, place, value = OPEN[name]
    whole = RESOURCES[resource]
    made = changed(whole, place, value(whole))
    if name == "a filter":
        wanted = {"property": "concept", "op": "is-a", "value": "94222008"}
        made["compose"]["include"][0]["filter"] = [wanted]
    assert [str(issue) for issue in validator.validate(made).errors] == []
