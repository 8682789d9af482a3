"""HL7's own validator finds no error in what we build, and no warning that is not argued."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import read_folder
from fhirpkg.bundling.reading import read_content
from fhirpkg.packages.installed import read_profiles
from fhirpkg.repository import Layers, MemoryRepository

HERE = Path(__file__).parent
RESOURCES = HERE.parent.parent / "resources"

pytestmark = pytest.mark.servers
OFFLINE = re.compile(
    r"valueset-mimetypes|ValueSet/mimetypes|hl7\.org/fhir/uv/(?:cpg|sdc)/|/cqf-messages could not"
)
"""Without a terminology server it may know no MIME type at all, by what its cache holds. Not loaded
are the guides CPG and SDC, whose extensions fill in and collect the checklist, and the extension of
HL7's pack that leads from a RequestGroup to its messages."""


def validated(folder, resources):
    """The issues of each resource by its file name, without those that only inform."""
    files = []
    for resource in resources:
        file = folder / f"{resource['resourceType']}-{resource['id']}.json"
        file.write_text(fhirjson.dump(resource, indent=2))
        files.append(file)
    run = HERE / "java_validator" / "run"
    done = subprocess.run([run, *files], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(files), done.stderr[-2000:]
    return {
        file.name: [
            (issue["severity"], issue["details"]["text"])
            for issue in json.loads(line).get("issue", ())
            if issue["severity"] != "information" and not OFFLINE.search(issue["details"]["text"])
        ]
        for file, line in zip(files, lines, strict=True)
    }


PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-01-01"}
BROKEN = "PlanDefinition-Broken.json"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    resources = list(read_content(RESOURCES).resources)
    plan = next(r for r in resources if r["resourceType"] == "PlanDefinition")
    broken = {**plan, "id": "Broken", "useContext": plan["useContext"][1:]}
    return validated(tmp_path_factory.mktemp("content"), [*resources, broken])


def test_what_the_model_can_say_of_other_procedures_has_no_error(tmp_path):
    folder = HERE.parent / "authoring" / "wide"
    authored = read_folder(folder)
    profiles = read_profiles(folder)
    built = build(authored.package, authored.procedures, profiles)
    ours = [dict(resource) for resources in built.values() for resource in resources]
    known = Layers(MemoryRepository([PATIENT]), MemoryRepository(ours))
    plans = [resource for resource in ours if resource["resourceType"] == "PlanDefinition"]
    applied = [apply(plan, "Patient/p", known, form="bundle") for plan in plans]
    made = [
        {**resource, "id": f"{number}-{resource['id']}"[:64]}
        for number, each in enumerate(applied)
        for resource in each.resources
    ]
    errors = {
        name: [words for severity, words in issues if severity != "warning"]
        for name, issues in validated(tmp_path, [*profiles, *ours, *made]).items()
    }
    assert len(errors) > 100
    assert {name: words for name, words in errors.items() if words} == {}


@pytest.fixture
def found(everything):
    return {name: issues for name, issues in everything.items() if name != BROKEN}


def test_what_is_broken_is_found(everything):
    errors = [words for severity, words in everything[BROKEN] if severity == "error"]
    assert any("useContext:procedure" in words for words in errors)


def test_there_is_no_error(found):
    errors = {name: [w for s, w in issues if s != "warning"] for name, issues in found.items()}
    assert {name: words for name, words in errors.items() if words} == {}


def test_each_warning_is_argued_and_each_argument_is_needed(found):
    text = (HERE / "java_validator_warnings.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    warnings = {words for issues in found.values() for _, words in issues}
    argued = {heading: [w for w in warnings if w.startswith(heading)] for heading in headings}
    assert warnings - {w for each in argued.values() for w in each} == set()
    assert [heading for heading, each in argued.items() if not each] == []
