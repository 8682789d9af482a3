import json

import pytest

from fhirpkg.packages.checking import check_package
from fhirpkg.packages.package import Manifest, Package, read_package
from fhirpkg.packages.packing import index
from tests.packages.loopback import archive

GOOD = {
    "author": "me",
    "description": "what it is",
    "dependencies": {"hl7.fhir.r4.core": "4.0.1"},
}
VALUE_SET = {"resourceType": "ValueSet", "id": "v", "url": "http://x/v", "version": "1"}


def found_in(package):
    return [(i.rule, i.file.rpartition("/")[2]) for i in check_package(package, "a.tgz:package/")]


def package_of(files, **manifest):
    """A package as a stranger might have made it, without our index."""
    data = {"name": "test.one", "version": "1.0.0", **GOOD, **manifest}
    content = {k: json.dumps(v).encode() for k, v in files.items()}
    return Package(Manifest.parse(json.dumps(data).encode(), "a.tgz:package/"), content)


def test_a_package_as_we_write_it_is_without_fault():
    assert found_in(read_package(archive(files={"v.json": VALUE_SET}, **GOOD))) == []


@pytest.mark.parametrize(
    "manifest, rule",
    [
        ({"name": "procedures"}, "package-name"),
        ({"name": "Test.One"}, "package-name"),
        ({"version": "1.0"}, "package-version"),
        ({"dependencies": {}}, "package-fhir-version"),
    ],
)
def test_a_manifest_that_readers_cannot_use_is_told(manifest, rule):
    assert found_in(package_of({}, **manifest)) == [(rule, "package.json")]


def test_fhir_versions_say_the_version_as_well():
    assert found_in(package_of({}, dependencies={}, fhirVersions=["4.0.1"])) == []


def test_what_package_json_should_say_is_asked_for():
    package = read_package(archive())
    rules = [(i.rule, i.text) for i in check_package(package, "a.tgz:package/")]
    assert [text for rule, text in rules if rule == "package-property-missing"] == [
        f"package.json has no '{name}'" for name in ("author", "dependencies", "description")
    ]


def test_an_index_that_lies_is_told():
    plan = {"resourceType": "PlanDefinition", "id": "p", "url": "http://x/p"}
    files = {
        "v.json": VALUE_SET,
        "p.json": plan,
        "q.json": {**plan, "id": "q", "url": "http://x/q"},
    }
    entries = index({k: json.dumps(v).encode() for k, v in files.items()})["files"]
    entries[0]["id"], entries[0]["kind"] = "other", "ignored"
    lying = {"index-version": 2, "files": [entries[0], entries[2], {"filename": "gone.json"}]}
    issues = list(check_package(package_of(files | {".index.json": lying}), "a.tgz:package/"))
    assert [i.rule for i in issues] == ["package-index"] * 3
    for issue, name in zip(issues, ("gone.json", "p.json", "q.json"), strict=True):
        assert name in issue.text


@pytest.mark.parametrize("text", ["[]", "{", '{"files": 3}', '{"files": ["x"]}'])
def test_an_index_that_is_none_lists_nothing(text):
    package = package_of({"v.json": VALUE_SET})
    lying = Package(package.manifest, {**package.files, ".index.json": text.encode()})
    assert found_in(lying) == [("package-index", ".index.json")]


def test_files_that_are_no_resources_and_canonicals_that_stand_twice_are_told():
    files = {"a.json": VALUE_SET, "b.json": VALUE_SET, "c.json": {"x": 1}, "other/d.json": {"x": 1}}
    assert found_in(package_of(files)) == [
        ("package-no-resource", "c.json"),
        ("package-same-canonical", "b.json"),
    ]
