import json

import pytest

from fhirpkg.errors import PackageError
from fhirpkg.packages.package import read_package

URL = "http://example.org/ValueSet/v"
VALUE_SET = {"resourceType": "ValueSet", "url": URL, "version": "1"}


def installed(folder, files, listed):
    """An unpacked package with an index as another tool might have written it."""
    (folder / "package").mkdir()
    index = {"index-version": 2, "files": listed}
    everything = {
        "package.json": {"name": "test.one", "version": "1.0.0"}, ".index.json": index, **files
    }  # fmt: skip
    for name, content in everything.items():
        (folder / "package" / name).write_text(json.dumps(content))
    return read_package(folder)


def listed(filename, **entry):
    return {"filename": filename, "resourceType": "ValueSet", "url": URL, **entry}


def test_a_value_set_is_read_when_it_is_asked_for_and_then_kept(core, tmp_path):
    package = installed(tmp_path, {}, [listed("v.json", version="1")])
    (tmp_path / "package" / "v.json").write_text("{}")
    definitions = core.with_package(read_package(tmp_path))
    assert [e.version for e in definitions.entries("ValueSet") if e.url == URL] == ["1"]
    assert definitions.find(f"{URL}|2") is None
    (tmp_path / "package" / "v.json").write_text(json.dumps(VALUE_SET))
    found = definitions.find(URL, "ValueSet")
    assert found == VALUE_SET
    assert definitions.find(URL) is found
    assert package.names() == []


@pytest.mark.parametrize("content", [{}, {**VALUE_SET, "url": "http://example.org/other"}, []])
def test_an_index_that_lies_is_told_when_the_value_set_is_asked_for(core, tmp_path, content):
    package = installed(tmp_path, {"v.json": content}, [listed("v.json")])
    definitions = core.with_package(package)
    with pytest.raises(PackageError, match=r"its v\.json is not http://example.org/ValueSet/v"):
        definitions.find(URL)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [listed("v.json", url=7)],
        [listed("v.json", resourceType="{")],
        [listed("other.json", url="http://example.org/other")],
        ["v.json"],
        "v.json",
    ],
)
def test_what_no_index_tells_is_read(core, tmp_path, entries):
    package = installed(tmp_path, {"v.json": VALUE_SET}, entries)
    assert core.with_package(package).find(URL) == VALUE_SET


def test_an_index_is_not_believed_about_structures(core, tmp_path):
    url = "http://example.org/StructureDefinition/p"
    profile = {"resourceType": "StructureDefinition", "url": url, "derivation": "constraint"}
    told = listed("p.json", resourceType="StructureDefinition", url=url, type="{")
    definitions = core.with_package(installed(tmp_path, {"p.json": profile}, [told]))
    [entry] = [e for e in definitions.entries("StructureDefinition") if e.url == url]
    assert (entry.derivation, entry.type) == ("constraint", "")


def test_what_is_never_sought_by_its_url_is_not_read_at_all(core, tmp_path):
    told = [{"filename": "b.json", "resourceType": "Bundle", "id": "b"}]
    package = installed(tmp_path, {"b.json": "no resource"}, told)
    entries = list(core.with_package(package).entries("Bundle"))
    assert [entry.id for entry in entries] == ["b"]


def test_an_index_of_the_first_version_is_not_believed(core, tmp_path):
    supplement = {"resourceType": "CodeSystem", "url": URL, "supplements": "http://example.org/cs"}
    package = installed(tmp_path, {"v.json": supplement}, [])
    told = {"index-version": 1, "files": [listed("v.json", resourceType="CodeSystem")]}
    (tmp_path / "package" / ".index.json").write_text(json.dumps(told))
    [entry] = [e for e in core.with_package(package).entries("CodeSystem") if e.url == URL]
    assert entry.supplements == "http://example.org/cs"


def unlisted(folder, text):
    """The package of one file, which no index tells."""
    package = installed(folder, {"v.json": None}, [])
    (folder / "package" / "v.json").write_text(text)
    return package


BEGUN = '{"resourceType": "ValueSet", "id": "v", "text": {"div": "}"}, '


def test_of_a_value_set_that_no_index_tells_only_the_beginning_is_read(core, tmp_path):
    package = unlisted(tmp_path, f'{BEGUN}"url": "{URL}", "version": "1", "compose": broken')
    definitions = core.with_package(package)
    [entry] = [e for e in definitions.entries("ValueSet") if e.url == URL]
    assert (entry.id, entry.version) == ("v", "1")
    with pytest.raises(PackageError, match=r"its v\.json is not"):
        definitions.find(URL)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"url": "{URL}", "compose": {{"include": []}}, "id": "v", "resourceType": "ValueSet"}}',
        f'{BEGUN}"compose": {{"url": "http://example.org/other"}}, "url": "{URL}"}}',
        f'\n {{\n"resourceType" : "ValueSet",\n"contained": [{{"url": "x"}}],\n"url": "{URL}"\n}}',
        f'\ufeff{{"resourceType": "ValueSet", "url": "{URL}"}}',
    ],
)
def test_a_beginning_may_be_in_any_order(core, tmp_path, text):
    found = core.with_package(unlisted(tmp_path, text)).find(URL)
    assert found == json.loads(text.removeprefix("\ufeff"))


@pytest.mark.parametrize("text", ["", "[]", '{"resourceType": "ValueSet", "id": ', '{"a": ' * 9999])
def test_a_beginning_that_is_none_is_no_definition(core, tmp_path, text):
    definitions = core.with_package(unlisted(tmp_path, text))
    assert not [e for e in definitions.entries("ValueSet") if e.package == "test.one#1.0.0"]
