"""Steps from element to element, on a model made for it."""

import pytest

from fhirpkg.fhirpath import ElementType
from fhirpkg.fhirpath.walking import NOTHING, Shapes, has, resource, walk


class Model:
    """Two types: a Thing with a primitive, a list, a choice and a Thing in it; and a code."""

    TYPES = {
        "Thing": [
            ElementType("id", ("string",), is_list=False, is_choice=False),
            ElementType("tag", ("code",), is_list=True, is_choice=False),
            ElementType("value", ("code", "Thing"), is_list=False, is_choice=True),
            ElementType("part", ("Thing",), is_list=True, is_choice=False),
            ElementType("contained", ("Resource",), is_list=True, is_choice=False),
        ],
        "code": [ElementType("id", ("string",), is_list=False, is_choice=False)],
    }

    def __init__(self):
        self.derived = {}

    def base(self, type_name):
        return {"code": "string", "Thing": "Base"}.get(type_name)

    def ancestors(self, type_name):
        base = self.base(type_name)
        return (type_name, base) if base else (type_name,)

    def elements(self, type_name):
        return {element.name: element for element in self.TYPES.get(type_name, ())}

    def is_type(self, name):
        return name in self.TYPES


SHAPES = Shapes(Model())


def step(value, name, type_name="Thing", under=None):
    return walk([(value, type_name, under)], SHAPES.steps(name))


def test_an_element_of_one_type_has_that_type():
    assert step({"part": [{"id": "a"}]}, "part") == [({"id": "a"}, "Thing", None)]


def test_a_list_of_primitives_goes_with_the_list_beside_it():
    value = {"tag": ["a", None, "c"], "_tag": [None, {"id": "x"}]}
    assert step(value, "tag") == [
        ("a", "code", None),
        (None, "code", {"id": "x"}),
        ("c", "code", None),
    ]
    assert step({"_tag": [{"id": "x"}]}, "tag") == [(None, "code", {"id": "x"})]


@pytest.mark.parametrize(
    "value, expected",
    [
        ({"valueCode": "a"}, ("a", "code", None)),
        ({"valueCode": "a", "_valueCode": {"id": "x"}}, ("a", "code", {"id": "x"})),
        ({"_valueCode": {"id": "x"}}, (None, "code", {"id": "x"})),
        ({"valueThing": {}}, ({}, "Thing", None)),
    ],
)
def test_a_choice_has_the_type_its_key_tells(value, expected):
    assert step(value, "value") == [expected]
    assert has((value, "Thing", None), SHAPES.steps("value"))


def test_a_resource_has_the_type_it_tells():
    assert step({"contained": [{"resourceType": "Thing"}, "x"]}, "contained") == [
        ({"resourceType": "Thing"}, "Thing", None),
        ("x", "", None),
    ]
    assert resource({"resourceType": 5}) == ({"resourceType": 5}, "", None)
    assert resource(None) is NOTHING


def test_a_primitive_is_stepped_from_into_what_lies_beside_it():
    assert step("a", "id", "code", {"id": "x"}) == [("x", "string", None)]
    assert step("a", "id", "code") == []


@pytest.mark.parametrize("value", [{}, {"part": []}, {"part": None}, {"other": 1}, "x", None, 5])
def test_nothing_is_found_where_nothing_is(value):
    assert step(value, "part") == []
    assert not has((value, "Thing", None), SHAPES.steps("part"))


def test_children_come_in_the_order_of_the_json_and_unknown_keys_are_left_out():
    value = {
        "resourceType": "Thing",
        "valueCode": "v",
        "other": 1,
        "tag": ["t"],
        "_id": {"id": "x"},
    }
    assert SHAPES.children((value, "Thing", None)) == [
        ("v", "code", None),
        ("t", "code", None),
        (None, "string", {"id": "x"}),
    ]
    assert SHAPES.children("text") == []


def test_ancestors_include_the_type_itself():
    assert SHAPES.ancestors("code") == {"code", "string"}
    assert SHAPES.ancestors("") == {""}
