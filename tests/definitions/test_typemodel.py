import pytest

from fhirpkg.fhirpath.model import ElementType


@pytest.fixture(scope="module")
def types(core):
    return core.types


@pytest.mark.parametrize(
    "name, base",
    [
        ("Patient", "DomainResource"),
        ("DomainResource", "Resource"),
        ("Resource", None),
        ("code", "string"),
        ("Age", "Quantity"),
        ("PlanDefinition.action", "BackboneElement"),
        ("Timing.repeat", "Element"),
        ("Pateint", None),
    ],
)
def test_the_base_of_a_type(types, name, base):
    assert types.base(name) == base


@pytest.mark.parametrize(
    "type_name, name, element",
    [
        ("Patient", "id", ElementType("id", ("id",), is_list=False, is_choice=False)),
        ("Element", "id", ElementType("id", ("string",), is_list=False, is_choice=False)),
        ("Patient", "name", ElementType("name", ("HumanName",), is_list=True, is_choice=False)),
        (
            "Patient",
            "deceased",
            ElementType("deceased", ("boolean", "dateTime"), is_list=False, is_choice=True),
        ),
        (
            "PlanDefinition.action",
            "action",
            ElementType("action", ("PlanDefinition.action",), is_list=True, is_choice=False),
        ),
        (
            "Bundle.entry",
            "resource",
            ElementType("resource", ("Resource",), is_list=False, is_choice=False),
        ),
        (
            "boolean",
            "value",
            ElementType("value", ("System.Boolean",), is_list=False, is_choice=False),
        ),
    ],
)
def test_an_element_of_a_type(types, type_name, name, element):
    assert types.elements(type_name)[name] == element


def test_elements_come_in_the_order_of_the_definition(types):
    names = list(types.elements("Patient"))
    assert names[:3] == ["id", "meta", "implicitRules"]
    assert names.index("contained") < names.index("extension") < names.index("identifier")


def test_every_type_that_an_element_names_is_a_type(types):
    for resource_type in types.resource_types():
        for element in types.elements(resource_type).values():
            assert all(types.is_type(name) for name in element.types), element


def test_kinds_of_types_are_told_apart(types):
    assert types.is_primitive("code")
    assert not types.is_primitive("Quantity")
    assert types.is_resource("DomainResource")
    assert not types.is_resource("HumanName")
    assert not types.is_type("Pateint")
    assert types.elements("Pateint") == {}


def test_resource_types_are_those_that_can_stand_alone(types):
    assert len(types.resource_types()) == 146
    assert "Patient" in types.resource_types()
    assert not types.resource_types() & {"Resource", "DomainResource", "Quantity"}


def test_primitives_have_their_regular_expressions(types):
    assert types.regex("id") == r"[A-Za-z0-9\-\.]{1,64}"
    assert types.regex("Quantity") == ""
