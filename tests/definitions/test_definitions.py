import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.datafile import entry_of
from fhirpkg.definitions.definitions import Definitions, Elsewhere
from fhirpkg.errors import DefinitionError, PackageError
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package

SEX = "http://hl7.org/fhir/ValueSet/administrative-gender"


def package(name, version, resources, dependencies=()):
    manifest = {"name": name, "version": version, "dependencies": dict(dependencies)}
    files = {f"r{number}.json": json.dumps(r).encode() for number, r in enumerate(resources)}
    return read_package(write_package(manifest, files))


def value_set(version="1.0.0", url="http://example.org/vs", **more):
    return {"resourceType": "ValueSet", "url": url, "version": version, **more}


def test_the_core_is_one_object_in_a_process(core):
    assert Definitions.core() is core


@pytest.mark.parametrize("canonical", [SEX, f"{SEX}|4.0.1", f"{SEX}|4.0", Canonical(SEX, "4.0.1")])
def test_a_definition_is_found_by_its_canonical(core, canonical):
    assert core.find(canonical)["name"] == "AdministrativeGender"


@pytest.mark.parametrize(
    "canonical, resource_type",
    [
        (f"{SEX}|3.0.0", None),
        (SEX, "CodeSystem"),
        ("http://example.org/none", None),
        ("", None),
        (f"{SEX}\t4.0.1", None),
        ("http://example.org/\ud800", None),
    ],
)
def test_what_is_of_another_version_type_or_url_is_not_found(core, canonical, resource_type):
    assert core.find(canonical, resource_type) is None


def test_the_same_definition_comes_out_as_the_same_object(core):
    assert core.find(SEX) is core.find(SEX, "ValueSet")
    assert core.find(SEX) is core.with_resources([value_set()]).find(SEX)


@pytest.mark.parametrize("name", ["Patient", "http://hl7.org/fhir/StructureDefinition/Patient"])
def test_a_structure_is_found_by_type_name_and_by_url(core, name):
    structure = core.structure(name)
    assert structure["type"] == "Patient"
    assert structure["snapshot"]["element"][0]["path"] == "Patient"


def test_there_is_no_structure_of_an_unknown_name(core):
    assert core.structure("Pateint") is None


def test_entries_tell_what_is_known_without_reading(core):
    patient = next(e for e in core.entries("StructureDefinition") if e.id == "Patient")
    assert (patient.version, patient.kind, patient.derivation) == (
        "4.0.1",
        "resource",
        "specialization",
    )
    assert patient.bases == ("http://hl7.org/fhir/StructureDefinition/DomainResource",)
    assert patient.package == "hl7.fhir.r4.core#4.0.1"


def test_search_parameters_include_those_of_the_bases(core):
    parameters = core.search_parameters("PlanDefinition")
    assert parameters["_id"]["expression"] == "Resource.id"
    assert parameters["context-type-value"]["type"] == "composite"
    assert "birthdate" not in parameters


def test_published_examples_of_search_parameters_are_none(core):
    assert "http://hl7.org/fhir/SearchParameter/example" not in {
        entry.url for entry in core.entries("SearchParameter")
    }


def test_a_resource_given_alone_wins_over_a_published_one(core):
    local = value_set(url=SEX, version="0.1.0")
    definitions = core.with_resources([local])
    assert definitions.find(SEX) is local
    assert definitions.find(f"{SEX}|4.0.1")["name"] == "AdministrativeGender"
    assert core.find(SEX) is not local


def test_without_a_version_the_newest_is_found_and_of_equals_the_last(core):
    old, new, same = value_set("1.9.0"), value_set("1.10.0"), value_set("1.10.0")
    definitions = core.with_resources([new, old]).with_resources([same])
    assert definitions.find("http://example.org/vs") is same
    assert definitions.find("http://example.org/vs|1.9.0") is old
    assert definitions.find("http://example.org/vs|2.0.0") is None


def test_what_a_package_means_by_a_canonical_is_in_its_own_dependencies(core):
    system, wanted = "http://example.org/cs", "http://example.org/vs"
    compose = {"include": [{"system": system}, {"valueSet": [wanted]}]}
    old, new = (
        package(
            "test.a",
            version,
            [
                {"resourceType": "CodeSystem", "url": system, "version": version},
                value_set(version),
            ],
        )
        for version in ("1.0.0", "2.0.0")
    )
    user = package(
        "test.b", "1.0.0", [value_set(url="http://example.org/b", compose=compose)],
        {"test.a": "1.0.x"},
    )  # fmt: skip
    definitions = core.with_package(old).with_package(user).with_package(new)
    assert definitions.find(wanted)["version"] == "2.0.0"
    assert definitions.find("http://example.org/b")["compose"]["include"] == [
        {"version": "1.0.0", "system": system},
        {"valueSet": [f"{wanted}|1.0.0"]},
    ]


def test_a_canonical_with_a_version_stays_as_it_is(core):
    compose = {"include": [{"valueSet": ["http://example.org/vs|2.0.0"]}]}
    definitions = core.with_package(
        package("test.a", "1.0.0", [value_set(), value_set("2.0.0"), value_set(
            url="http://example.org/b", compose=compose)])
    )  # fmt: skip
    assert definitions.find("http://example.org/b")["compose"] == compose


def test_the_core_as_a_package_adds_nothing_and_another_core_is_refused(core):
    assert core.with_package(package("hl7.fhir.r4.core", "4.0.1", [])) is core
    with pytest.raises(PackageError, match="R4"):
        core.with_package(package("hl7.fhir.r5.core", "5.0.0", []))


def test_a_package_does_not_replace_the_types_of_the_core(core):
    patient = {
        "resourceType": "StructureDefinition",
        "url": "http://hl7.org/fhir/StructureDefinition/Patient",
        "version": "5.0.0",
        "derivation": "specialization",
    }
    definitions = core.with_package(package("test.r5", "5.0.0", [patient]))
    assert definitions.structure("Patient")["version"] == "4.0.1"


URL = "http://example.org/x"
WORDS = st.sampled_from([URL, f"{URL}|1.0.0", "1.0.0", "2", "Patient", "StructureDefinition", ""])
JSON = st.recursive(
    WORDS | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["include", "system", "valueSet", "element", "path"]), inner
        )
    ),
    max_leaves=5,
)
KEYS = [
    "url", "version", "id", "name", "kind", "type", "derivation", "base", "baseDefinition", "code",
    "compose", "snapshot", "differential",
]  # fmt: skip
RESOURCES = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["StructureDefinition", "ValueSet", "SearchParameter"])},
    optional=dict.fromkeys(KEYS, WORDS | JSON),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(RESOURCES, max_size=3), st.lists(RESOURCES, max_size=2))
def test_whatever_is_added_can_be_looked_up(packaged, local):
    loaded = package("test.one", "1.0.0", packaged)
    definitions = Definitions.core().with_package(loaded).with_resources(local)
    assert definitions.search_parameters("Patient")["birthdate"]
    assert definitions.types.base("Patient") == "DomainResource"
    definitions.types.elements("x")
    is_there = any(resource.get("url") == URL for resource in (*packaged, *local))
    assert (definitions.find(URL) is not None) == is_there
    with contextlib.suppress(DefinitionError):
        definitions.structure(URL)


def test_what_is_kept_elsewhere_is_read_again_each_time():
    plan = {"resourceType": "PlanDefinition", "id": "p", "url": URL, "version": "1"}
    kept = [plan]
    found = Elsewhere(lambda: kept[0] if kept else None)
    definitions = Definitions.core().with_elsewhere([(entry_of(plan), found)])
    assert definitions.find(f"{URL}|1", "PlanDefinition") is plan
    kept[0] = plan | {"title": "another"}
    assert definitions.find(f"{URL}|1", "PlanDefinition") is kept[0]
    assert definitions.find(f"{URL}|2") is None
    kept.clear()
    assert definitions.find(URL) is None


def test_few_of_the_definitions_kept_elsewhere_are_held():
    asked = []

    def kept(number):
        found = {"resourceType": "ValueSet", "url": f"{URL}/{number}", "version": "1"}
        return entry_of(found), Elsewhere(lambda: asked.append(number) or found)

    definitions = Definitions.core().with_elsewhere(map(kept, range(1000)))
    for number in range(1000):
        for canonical in (f"{URL}/{number}", f"{URL}/{number}|1"):
            assert definitions.find(canonical, "ValueSet")["url"] == f"{URL}/{number}"
    assert asked == list(range(1000)), "each is read once while it is asked for"
    assert definitions.find(f"{URL}/0", "ValueSet")["url"] == f"{URL}/0"
    assert asked[1000:] == [0], "the first is not held any more"
