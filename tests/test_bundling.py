"""Content as it travels: what is read from a folder or archive, and what is made of it."""

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from fhirpkg import fhirjson, fhirxml
from fhirpkg.bundling import reading, writing
from fhirpkg.bundling.content import CompressedResources
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import PackageError, SourceError
from fhirpkg.packages.package import read_package
from fhirpkg.validation.validator import Validator

RESOURCES = Path(__file__).parent.parent / "resources"


@pytest.fixture(scope="module")
def content():
    return reading.read_content(RESOURCES)


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_content_has_the_identity_of_its_implementation_guide(content):
    assert str(content.id) == "fhirpkg.procedures#0.2.0"
    assert content.canonical == "https://w3id.org/fhirpkg"


def test_content_holds_what_the_guide_lists_and_the_guide(content):
    guide = content.resources[-1]
    listed = {part["reference"]["reference"] for part in guide["definition"]["resource"]}
    held = {f"{r['resourceType']}/{r['id']}" for r in content.resources}
    assert held == listed | {f"ImplementationGuide/{guide['id']}"}


def test_profiles_come_with_snapshot_and_narrative_and_the_tag_of_the_package(content):
    profiles = [r for r in content.resources if r["resourceType"] == "StructureDefinition"]
    files = Path(__file__).parent.parent.joinpath("profiles").glob("StructureDefinition-*.json")
    assert len(profiles) == len(list(files))
    for profile in profiles:
        elements = profile["snapshot"]["element"]
        assert all(element["definition"] for element in elements)
        assert len(elements) > len(profile["differential"]["element"])
        assert profile["meta"] == {"tag": content.resources[-1]["meta"]["tag"]}
        assert profile["text"]["status"] == "generated"
        assert list(profile).index("snapshot") < list(profile).index("differential")


def test_each_resource_comes_after_those_it_refers_to(content):
    seen = set()
    for resource in content.resources:
        inside = {ref for ref in references(resource) if not ref.startswith("#")}
        assert inside <= seen, resource["id"]
        seen.add(f"{resource['resourceType']}/{resource['id']}")


def test_an_archive_gives_the_same_content_as_the_folder(content, tmp_path):
    file = tmp_path / "p.tgz"
    file.write_bytes(writing.archive(content))
    again = reading.read_content(file)
    assert again.resources == content.resources
    assert again.digest == content.digest


def test_the_archive_depends_on_nothing_but_the_content(content, monkeypatch):
    first = writing.archive(content)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert writing.archive(reading.read_content(RESOURCES)) == first


def test_package_json_names_the_core_package_that_fixes_the_version(content):
    package = read_package(writing.archive(content))
    manifest = json.loads(package.files["package.json"])
    assert manifest["name"] == "fhirpkg.procedures"
    assert manifest["dependencies"] == {"hl7.fhir.r4.core": "4.0.1"}
    assert manifest["fhirVersions"] == ["4.0.1"]
    assert manifest["jurisdiction"] == "urn:iso:std:iso:3166#US"
    assert re.fullmatch(r"\d{14}", manifest["date"])


def test_the_index_lists_each_resource_and_no_type_that_is_an_object(content):
    package = read_package(writing.archive(content))
    files = json.loads(package.files[".index.json"])["files"]
    assert len(files) == len(content.resources)
    types = {f["filename"]: f.get("type") for f in files}
    assert types["PlanDefinition-BoneTumorCryoablationPlan.json"] is None
    assert types["StructureDefinition-ProcedurePlan.json"] == "PlanDefinition"


def test_examples_travel_in_their_own_folder(content):
    package = read_package(writing.archive(content, {"Patient-a.json": {"resourceType": "X"}}))
    assert "example/Patient-a.json" in package.files


def test_the_transaction_updates_by_what_identifies_each_resource(content):
    bundle = writing.transaction_bundle(content)
    assert bundle["type"] == "transaction"
    for entry in bundle["entry"]:
        method, url = entry["request"]["method"], entry["request"]["url"]
        asked = parse_qs(urlsplit(url).query)
        resource = entry["resource"]
        assert method == "PUT"
        assert urlsplit(url).path == resource["resourceType"]
        if "url" in resource:
            assert asked == {"url": [resource["url"]], "version": [resource["version"]]}
        else:
            given = resource["identifier"]
            (identifier,) = given if isinstance(given, list) else [given]
            assert asked == {"identifier": [f"{identifier['system']}|{identifier['value']}"]}


def test_no_two_entries_have_the_same_condition(content):
    urls = [e["request"]["url"] for e in writing.transaction_bundle(content)["entry"]]
    assert len(set(urls)) == len(urls)


def test_references_in_bundles_are_relative_so_that_servers_keep_them(content):
    found = set(references(writing.transaction_bundle(content)))
    assert all(re.fullmatch(r"#\w+|[A-Z]\w+/[\w.-]+", reference) for reference in found)


@pytest.mark.parametrize("make", [writing.transaction_bundle, writing.collection_bundle])
def test_bundles_are_valid(content, make):
    outcome = Validator().validate(make(content))
    assert [str(issue) for issue in outcome.errors] == []


@pytest.mark.parametrize("make", [writing.transaction_bundle, writing.collection_bundle])
def test_a_bundle_in_pieces_is_the_text_of_the_whole(content, make):
    bundle = make(content)
    text = writing.BundleText(content, bundle["type"])
    entries = (
        text.entry(r, writing.in_entry(fhirjson.dump(r, indent=2))) for r in content.resources
    )
    assert "".join((text.start(), *entries, text.end())) == fhirjson.dump(bundle, indent=2) + "\n"


def test_texts_that_were_made_before_go_into_an_archive_as_they_are(content):
    text = b'{"resourceType": "Library", "id": "BoneTumorCryoablationLogic"}'
    packed = io.BytesIO()
    writing.write_archive(
        packed, content, made={"Library-BoneTumorCryoablationLogic.json": text, "other.json": b""}
    )
    files = read_package(packed.getvalue()).files
    assert files["Library-BoneTumorCryoablationLogic.json"] == text
    assert "other.json" not in files
    plain = read_package(writing.archive(content)).files
    assert files[".index.json"] == plain[".index.json"]


def test_kept_resources_come_back_as_they_were_written():
    numbers = '{"resourceType":"Basic","id":"b","a":1.50,"b":1e2,"c":[3,-0.0],"d":"\\u0041é\\n"}'
    resource = fhirjson.read(numbers)[0]
    [again] = CompressedResources([resource])
    assert again == resource
    assert fhirjson.dump(again) == fhirjson.dump(resource)
    assert [type(value) for value in again.values()] == [type(v) for v in resource.values()]


def test_large_content_is_kept_in_a_file_and_read_by_several_threads(monkeypatch):
    monkeypatch.setattr("fhirpkg.bundling.content._IN_MEMORY", 2000)
    resources = [{"resourceType": "Basic", "id": f"b{n:03}", "a": "é" * n} for n in range(200)]
    kept = CompressedResources(resources)
    assert kept._texts.name is not None, "it is a file"
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(kept.__getitem__, list(range(200)) * 5)) == resources * 5


def test_an_archive_that_could_not_be_read_again_is_not_written(content, monkeypatch):
    monkeypatch.setattr("fhirpkg.packages.packing.MAX_MEMBERS", 20)
    with pytest.raises(PackageError, match="more than 20 files"):
        writing.archive(content)


def test_each_resource_comes_back_from_xml(content):
    types = Definitions.core().types
    for resource in content.resources:
        again, issues, _ = fhirxml.read(fhirxml.dump(resource, types), types)
        assert [str(issue) for issue in issues] == []
        assert again == resource


def test_a_folder_that_is_not_built_is_refused_with_advice(tmp_path):
    (tmp_path / "package.yaml").write_text("id: demo.walking\n")
    with pytest.raises(PackageError, match="fhirpkg build"):
        reading.read_content(tmp_path)


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        reading.read_content(tmp_path / "nowhere")


def test_a_damaged_file_of_the_content_is_named(tmp_path):
    folder = tmp_path / "a" / "fhir"
    folder.mkdir(parents=True)
    (folder / "Library-x.json").write_text('{"resourceType": "Library",')
    with pytest.raises(SourceError, match=r"Library-x\.json"):
        reading.read_content(tmp_path)
