import pytest

from fhirpkg.definitions.merging import merge

EXTENSION = "http://example.org/extension"


@pytest.mark.parametrize(
    "element, change, merged",
    [
        ({"min": 0}, {"min": 1, "short": "x"}, {"min": 1, "short": "x"}),
        ({"path": "a", "id": "a"}, {"path": "b", "id": "b"}, {"path": "a", "id": "a"}),
        ({"min": 0}, {"contentReference": "#x"}, {"min": 0}),
        ({}, {"contentReference": "#x"}, {"contentReference": "#x"}),
        ({"alias": ["a"]}, {"alias": ["b", "a"]}, {"alias": ["a", "b"]}),
        ({"type": [{"code": "a"}]}, {"type": [{"code": "b"}]}, {"type": [{"code": "b"}]}),
        ({"definition": "One."}, {"definition": "...Two."}, {"definition": "One.\nTwo."}),
        ({"definition": "One."}, {"definition": "Two."}, {"definition": "Two."}),
        ({"fixedUri": "a"}, {"fixedUrl": "b"}, {"fixedUrl": "b"}),
        ({"patternCode": "a"}, {"fixedCode": "a"}, {"patternCode": "a", "fixedCode": "a"}),
        (
            {"extension": [{"url": EXTENSION, "valueCode": "a"}, {"url": "x"}]},
            {"extension": [{"url": EXTENSION, "valueCode": "b"}]},
            {"extension": [{"url": "x"}, {"url": EXTENSION, "valueCode": "b"}]},
        ),
        (
            {"binding": {"strength": "preferred", "valueSet": "a", "extension": [{"url": "x"}]}},
            {"binding": {"strength": "required", "valueSet": "b"}},
            {"binding": {"strength": "required", "valueSet": "b", "extension": [{"url": "x"}]}},
        ),
    ],
)
def test_a_change_is_laid_over_an_element(element, change, merged):
    merge(element, change, "http://example.org/p")
    assert element == merged


def test_constraints_of_the_same_key_both_hold_when_they_say_different_things():
    element = {"constraint": [{"key": "x-1", "expression": "a", "source": "base"}]}
    same = {"key": "x-1", "expression": "a"}
    other = {"key": "x-1", "expression": "b"}
    merge(element, {"constraint": [same, other, {"key": "x-2", "source": "said"}]}, "profile")
    assert [(c["key"], c["source"]) for c in element["constraint"]] == [
        ("x-1", "base"),
        ("x-1", "profile"),
        ("x-2", "said"),
    ]
