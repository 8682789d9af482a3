import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import DefinitionError
from fhirpkg.validation.compiling.compiler import Schemas, states_something
from fhirpkg.validation.compiling.schema import ElementSchema, Value

BASE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.fixture(scope="module")
def schemas():
    return Schemas(Definitions.core())


def test_a_type_has_its_elements_with_all_their_rules(schemas):
    gender = schemas.type("Patient").child("gender")
    assert (gender.min, gender.max, gender.is_list) == (0, 1, False)
    assert gender.types[0].code == "code"
    assert gender.binding.strength == "required"
    given = schemas.type("HumanName").child("given")
    assert (given.max, given.is_list) == (None, True)


def test_a_choice_names_its_types(schemas):
    multiple = schemas.type("Patient").child("multipleBirth")
    assert multiple.is_choice
    assert multiple.choices == ("boolean", "integer")


def test_a_backbone_is_found_by_its_path_and_a_content_reference_leads_to_one(schemas):
    action = schemas.type("PlanDefinition.action")
    assert action.child("action").content == "PlanDefinition.action"
    assert schemas.type("PlanDefinition.goal.target").child("measure")
    assert schemas.type("PlanDefinition.nothing") is None


def test_there_is_no_schema_of_what_is_not_defined(schemas):
    assert schemas.type("Nothing") is None
    assert schemas.profile("http://example.org/nothing") is None
    assert schemas.type_of("http://example.org/nothing") == ""


def test_a_profile_states_only_what_it_adds(schemas):
    profile = schemas.profile(f"{BASE}bodyweight")
    names = {child.name for child in profile.children}
    assert {"category", "code", "subject", "effective", "value"} <= names
    assert names.isdisjoint({"id", "text", "identifier", "performer"})
    assert {c.key for c in profile.constraints} == {"vs-2"}


def test_a_slice_keeps_its_own_cardinality(schemas):
    category = schemas.profile(f"{BASE}bodyweight").child("category")
    (only,) = category.slicing.slices
    assert (only.name, only.element.min, only.element.max) == ("VSCat", 1, 1)
    assert only.element.child("coding").child("code").fixed == Value("code", "vital-signs")


def test_a_part_of_a_profile_is_found_by_its_element_id(schemas):
    part = schemas.profile(f"{BASE}bodyweight#Observation.category:VSCat")
    assert part.min == 1
    with pytest.raises(DefinitionError, match="no such element"):
        schemas.profile(f"{BASE}bodyweight#Observation.nothing")


def test_the_type_of_a_profile_is_told(schemas):
    assert schemas.type_of(f"{BASE}bodyweight") == "Observation"
    assert schemas.type_of(f"{BASE}SimpleQuantity") == "Quantity"


def test_an_element_that_states_nothing_is_told_from_one_that_does():
    plain = ElementSchema("a", "a", "a", is_list=True, content="X")
    assert not states_something(plain)
    assert states_something(ElementSchema("a", "a", "a", min=1))


def test_every_structure_of_the_core_has_a_schema_or_says_why_not(schemas):
    without = set()
    for entry in schemas.definitions.entries("StructureDefinition"):
        try:
            found = schemas.profile(entry.url)
            assert found is not None, entry.url
        except DefinitionError:
            without.add(entry.id)
    assert without <= {"example-composition", "example-section-library"}
