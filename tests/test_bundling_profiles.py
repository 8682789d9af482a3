"""Content of others depends on our profiles; they are a package that validators load."""

import json
import shutil
from pathlib import Path

import pytest

from fhirpkg.authoring.making import build_folder
from fhirpkg.bundling.profiles import profiles_content
from fhirpkg.bundling.reading import read_content
from fhirpkg.bundling.writing import archive, manifest
from fhirpkg.cli import ExitCode, _run
from fhirpkg.packages.package import read_package
from fhirpkg.render.limits import is_criterion
from fhirpkg.render.told import told_sections
from fhirpkg.validation.validator import Validator

WIDE = Path(__file__).parent / "authoring" / "wide"


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    shutil.copytree(WIDE, folder / "wide")
    assert _run(["build", str(folder / "wide")]) == ExitCode.DONE
    assert _run(["package", str(folder / "wide"), "--output", str(folder)]) == ExitCode.DONE
    return folder


def test_foreign_content_depends_on_the_profiles_it_claims(dist):
    content = read_content(dist / "wide")
    version = profiles_content().id.version
    assert manifest(content)["dependencies"]["fhirpkg.profiles"] == version
    carried = [r for r in content.resources if r["resourceType"] == "StructureDefinition"]
    assert carried == []
    assert (dist / f"fhirpkg.profiles-{version}.tgz").is_file()


def test_every_profile_and_extension_that_is_used_is_in_the_package(dist):
    held = {r["url"] for r in profiles_content().resources}
    used = set()

    def walk(value):
        if isinstance(value, dict):
            used.update(value.get("profile", ()) if isinstance(value.get("profile"), list) else ())
            if "url" in value and any(
                key.startswith("value") or key == "extension" for key in value
            ):
                used.add(value["url"])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for resource in read_content(dist / "wide").resources:
        walk({"meta": resource.get("meta", {})})
        walk({key: value for key, value in resource.items() if key != "relatedArtifact"})
    ours = {
        url for url in used if str(url).startswith("https://w3id.org/fhirpkg/StructureDefinition")
    }
    assert len(ours) > 5
    assert ours <= held


def test_the_package_of_profiles_is_one_that_can_be_read_and_is_valid():
    content = profiles_content()
    again = read_package(archive(content))
    assert again.id == content.id
    validator = Validator()
    for resource in content.resources:
        issues = validator.validate(resource).issues
        assert [str(i) for i in issues if i.severity.rank < 2] == [], resource["id"]
        if resource["resourceType"] == "StructureDefinition":
            assert resource["snapshot"]["element"]


def test_our_own_content_carries_its_profiles():
    assert (
        "fhirpkg.profiles"
        not in manifest(read_content(WIDE.parents[2] / "resources"))["dependencies"]
    )


@pytest.fixture(scope="module")
def carrying(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carrying")
    shutil.copytree(WIDE, folder / "wide")
    package = folder / "wide" / "package.yaml"
    package.write_text(package.read_text().replace("license:", "profiles: carry\nlicense:"))
    assert _run(["build", str(folder / "wide")]) == ExitCode.DONE
    assert _run(["package", str(folder / "wide"), "--output", str(folder)]) == ExitCode.DONE
    return folder


def test_a_package_that_carries_the_profiles_has_nothing_under_our_base(carrying):
    package = read_package((carrying / "example.wide-0.1.0.tgz").read_bytes())
    resources = dict(package.resources()).values()
    texts = [json.dumps(resource, default=str) for resource in resources]
    assert [t[:80] for t in texts if "w3id.org/fhirpkg/" in t] == []
    assert "fhirpkg.profiles" not in manifest(read_content(carrying / "wide"))["dependencies"]
    assert not list(carrying.glob("fhirpkg.profiles-*"))
    ours = {p["url"] for p in profiles_content().resources[1:]}
    base = "https://example.org/wide/"
    carried = {r["url"] for r in resources if r["resourceType"] == "StructureDefinition"}
    assert {base + url.partition("fhirpkg/")[2] for url in ours} >= carried
    assert len(carried) > 5


@pytest.mark.parametrize("what", ["wide", "example.wide-0.1.0.tgz"])
def test_what_carries_its_profiles_is_held_against_them(carrying, what, capsys):
    assert _run(["validate", str(carrying / what)]) == ExitCode.DONE
    assert "example.org/wide/StructureDefinition/" not in capsys.readouterr().out


def test_a_fault_against_a_profile_that_is_carried_is_found(carrying, tmp_path, capsys):
    shutil.copytree(carrying / "wide", tmp_path / "wide")
    (plan,) = tmp_path.glob("wide/upper-endoscopy/fhir/PlanDefinition-*.json")
    resource = json.loads(plan.read_text("utf-8"))
    del resource["purpose"]
    plan.write_text(json.dumps(resource), "utf-8")
    assert _run(["validate", str(tmp_path / "wide")]) == ExitCode.ISSUES
    assert "purpose" in capsys.readouterr().out


def test_a_build_that_carries_profiles_leaves_alone_what_has_not_changed(carrying):
    done = build_folder(carrying / "wide")
    assert (done.changed, done.kept) == (0, 5)


def test_criteria_and_odds_under_the_base_of_a_package_are_read(carrying):
    content = read_content(carrying / "wide").resources
    plan = next(r for r in content if r["id"] == "WideEndoscopyPlan")
    assert list(filter(is_criterion, plan["extension"]))
    counseling = next(r for r in content if r["id"] == "WideEndoscopyCounseling")
    said = [item.text for section in told_sections(counseling) for item in section.items]
    assert any("1 in 1000" in each for each in said)
