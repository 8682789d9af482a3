from decimal import Decimal

import pytest

from fhirpkg.definitions.datafile import DataFile, Entry, entry_of, pack
from fhirpkg.errors import DefinitionError

VALUE_SETS = [
    {"resourceType": "ValueSet", "url": f"http://example.org/vs{n}", "version": "1", "id": f"v{n}"}
    for n in (3, 1, 2)
]
PARAMETER = {
    "resourceType": "SearchParameter",
    "url": "http://example.org/sp",
    "name": "with\ttab\nand line",
    "base": ["Patient", "Person"],
    "number": Decimal("1.50"),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(pack("test.one#1.0.0", [*VALUE_SETS, PARAMETER], ["A\tB\tresource\t\t"]))
    return DataFile(path)


def test_resources_come_back_as_they_were_by_url(file):
    entries = list(file.entries("ValueSet"))
    assert [entry.id for entry in entries] == ["v1", "v2", "v3"]
    assert [file.load(entry) for entry in entries] == sorted(VALUE_SETS, key=lambda r: r["url"])
    [entry] = file.entries("SearchParameter")
    assert str(file.load(entry)["number"]) == "1.50"
    assert list(file.entries("CodeSystem")) == []


def test_an_entry_is_found_by_the_whole_url_and_the_type(file):
    found = file.find("http://example.org/vs1", "ValueSet")
    assert (found.id, found.version, found.package) == ("v1", "1", "test.one#1.0.0")
    assert file.find("http://example.org/vs", "ValueSet") is None
    assert file.find("http://example.org/vs1", "SearchParameter") is None
    assert file.find("http://example.org/vs1", "CodeSystem") is None


def test_an_entry_keeps_to_its_line(file):
    [entry] = file.entries("SearchParameter")
    assert entry.name == "with tab and line"
    assert entry.bases == ("Patient", "Person")


def test_a_type_is_a_line_of_the_table(file):
    assert file.type_line("A") == "A\tB\tresource\t\t"
    assert file.type_line("B") is None
    assert file.type_lines() == ["A\tB\tresource\t\t"]


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "x.bin").write_bytes(b'{"format": 99}\n')
    with pytest.raises(DefinitionError, match="a format that this version cannot read"):
        DataFile(tmp_path / "x.bin")


def test_an_entry_takes_texts_only():
    assert entry_of({"resourceType": "PlanDefinition", "type": {"text": "x"}, "base": 3}) == Entry(
        "PlanDefinition", "", "", "", "", "", "", "", ()
    )
