import pytest

from fhirpkg.definitions.elements import Node, placed, tree, written

STRUCTURES = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize("name", ["Patient", "bp", "Extension", "Quantity", "patient-nationality"])
def test_a_snapshot_comes_back_from_its_tree(core, name):
    elements = core.structure(STRUCTURES + name)["snapshot"]["element"]
    assert written(tree(elements)) == elements


def test_a_changed_copy_leaves_the_original_alone():
    original = Node("a", {"min": 0}, children={"b": Node("b", {"min": 0})})
    copied = original.copy()
    copied.own_element()["min"] = 1
    copied.children["b"].own_element()["min"] = 1
    original.own_element()["max"] = "1"
    assert original.element == {"min": 0, "max": "1"}
    assert original.children["b"].element == {"min": 0}
    assert copied.element == {"min": 1}


def test_a_reslice_stands_behind_its_slice():
    names = ["a", "b", "a/one", "c", "b/two", "a/one/deep"]
    node = Node("x", {}, slices={name: Node("x", {}, name) for name in names})
    in_order = [part.slice_name for part in node.slices_in_order()]
    assert in_order == ["a", "a/one", "a/one/deep", "b", "b/two", "c"]
    assert node.size() == 7


def test_a_node_is_found_by_its_id(core):
    root = tree(core.structure(STRUCTURES + "bp")["snapshot"]["element"])
    assert root.find("Observation.component:SystolicBP.code").element["min"] == 1
    assert root.find("Observation.component:none.code") is None
    assert root.find("Observation") is root


def test_an_element_without_a_good_id_belongs_to_the_slice_before_it():
    elements = [
        {"path": "A"},
        {"path": "A.b", "sliceName": "one"},
        {"path": "A.b.c.d"},
        {"path": "A.b", "id": "A.b:two", "sliceName": "two"},
        {"path": "A.b.c", "id": "A.b:two.c"},
        {"path": "A.b.c", "id": "A.other"},
        {"path": "A.e"},
    ]
    ids = [
        ".".join(f"{name}:{part}" if part else name for name, part in segments)
        for segments, _ in placed(elements)
    ]
    assert ids == ["A", "A.b:one", "A.b:one.c.d", "A.b:two", "A.b:two.c", "A.b:two.c", "A.e"]


def test_a_snapshot_of_nothing_is_none():
    with pytest.raises(ValueError, match="at least one element"):
        tree([])
