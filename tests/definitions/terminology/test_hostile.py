"""Whatever a package holds under the name of a value set or code system, an answer comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from tests.damage import damaged

CORE = Definitions.core()
URL, OTHER, SYSTEM = (f"http://example.org/{name}" for name in ("one", "other", "system"))
FILTER = {"property": "concept", "op": "is-a", "value": "a"}
RESOURCES = [
    {
        "resourceType": "ValueSet",
        "url": URL,
        "compose": {
            "inactive": False,
            "include": [
                {"system": SYSTEM, "filter": [FILTER, FILTER | {"op": "in"}]},
                {"system": SYSTEM, "version": "1", "concept": [{"code": "a", "display": "A"}]},
                {"valueSet": [OTHER]},
            ],
            "exclude": [{"system": SYSTEM, "filter": [FILTER | {"op": "regex"}]}],
        },
        "expansion": {"total": 1, "contains": [{"system": SYSTEM, "code": "a", "contains": []}]},
    },
    {"resourceType": "ValueSet", "url": OTHER, "compose": {"include": [{"valueSet": [URL]}]}},
    {
        "resourceType": "CodeSystem",
        "url": SYSTEM,
        "version": "1",
        "content": "complete",
        "concept": [
            {
                "code": "a",
                "designation": [{"value": "A"}],
                "property": [{"code": "status", "valueCode": "retired"}],
                "concept": [{"code": "b", "property": [{"code": "child", "valueCode": "a"}]}],
            }
        ],
    },
]


@given(
    damaged([RESOURCES], kept=("url", "resourceType", 0, 1, 2)),
    st.sampled_from(["a", "b", "", "zzz"]),
)
def test_damaged_definitions_give_an_answer(resources, code):
    asked = Terminology(CORE.with_resources(resources))
    with_system = asked.membership(URL, code, SYSTEM)
    assert with_system.verdict in {"yes", "no", "unknown"}
    assert (with_system.reason == "") == (with_system.verdict == "yes")
    codes = asked.codes(URL)
    if codes is not None and with_system.verdict == "yes":
        assert code in codes
    assert asked.membership(URL, code).verdict in {"yes", "no", "unknown"}
    asked.lookup(SYSTEM, code)
    asked.displays(SYSTEM, code)


@pytest.mark.parametrize(
    ("filters", "codes"),
    [([FILTER], None), ([FILTER, FILTER | {"op": "="}], {"a"})],
    ids=["contradicted by its definition", "in accord with it"],
)
def test_the_expansion_of_a_circle_is_a_list_where_its_definition_says_no_more(filters, codes):
    clauses = [{"system": SYSTEM, "filter": filters}, {"valueSet": [OTHER]}]
    circle = {**RESOURCES[0], "compose": {"include": clauses}}
    asked = Terminology(CORE.with_resources([circle, *RESOURCES[1:]]))
    assert asked.codes(URL) == codes
    assert asked.membership(URL, "a", SYSTEM).verdict == "yes"
    assert asked.membership(URL, "b", SYSTEM).verdict == ("yes" if codes is None else "no")
