import pytest

from fhirpkg.definitions.compiler import compile_package, slim
from fhirpkg.definitions.datafile import DataFile
from fhirpkg.definitions.definitions import CORE_FILE


@pytest.mark.examples
def test_the_committed_file_is_what_the_script_makes(official_core, tmp_path):
    path = tmp_path / "made.bin"
    path.write_bytes(compile_package(official_core))
    made, committed = DataFile(path), DataFile(CORE_FILE)
    assert made.package == committed.package == "hl7.fhir.r4.core#4.0.1"
    assert made.type_lines() == committed.type_lines()
    assert made.resource_types == committed.resource_types
    for resource_type in made.resource_types:
        entries = list(made.entries(resource_type)), list(committed.entries(resource_type))
        assert len(entries[0]) == len(entries[1])
        for one, other in zip(*entries, strict=True):
            assert one.url == other.url
            assert made.load(one) == committed.load(other), one.url


def test_what_only_people_read_is_left_out():
    structure = {
        "resourceType": "StructureDefinition",
        "text": {"status": "generated"},
        "publisher": "HL7",
        "_baseDefinition": {"extension": [{"url": "http://example.org/other"}]},
        "snapshot": {
            "element": [
                {
                    "path": "Patient",
                    "short": "Kept",
                    "comment": "Not kept",
                    "constraint": [{"key": "dom-2", "xpath": "x", "expression": "true"}],
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/regex"},
                        {"url": "http://example.org/other"},
                    ],
                }
            ]
        },
        "differential": {"element": []},
    }
    assert slim(structure) == {
        "resourceType": "StructureDefinition",
        "snapshot": {
            "element": [
                {
                    "path": "Patient",
                    "short": "Kept",
                    "constraint": [{"key": "dom-2", "expression": "true"}],
                    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/regex"}],
                }
            ]
        },
    }


def test_a_differential_stays_where_there_is_no_snapshot():
    structure = {"resourceType": "StructureDefinition", "differential": {"element": []}}
    assert slim(structure) == structure
