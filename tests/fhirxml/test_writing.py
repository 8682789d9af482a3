"""A Resource becomes XML, and comes back the same."""

import json
import pathlib
import tarfile
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirpkg import fhirjson, fhirxml
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import SourceError

MODEL = Definitions.core().types
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def again(resource):
    back, issues, _ = fhirxml.read(fhirxml.dump(resource, MODEL), MODEL)
    assert issues == []
    return back


def test_elements_are_written_in_the_order_of_their_definition():
    resource = {"birthDate": "2020", "resourceType": "Patient", "active": True, "id": "a"}
    text = fhirxml.dump(resource, MODEL).decode()
    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Patient xmlns="http://hl7.org/fhir">\n'
        '  <id value="a"/>\n  <active value="true"/>\n  <birthDate value="2020"/>\n</Patient>\n'
    )


def test_whitespace_in_a_value_survives():
    assert again({"resourceType": "Patient", "id": "a\n\t\r\"<&>' b"})["id"] == "a\n\t\r\"<&>' b"


def test_unknown_properties_are_written_last_so_that_nothing_is_lost():
    resource = {"resourceType": "Patient", "colour": {"x": "1"}, "active": True}
    assert again(resource) == resource


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "id": "a\x00b"},
        {"resourceType": "Patient", "text": {"status": "empty", "div": "<div>&"}},
        {"resourceType": "Patient", "text": {"status": "empty", "div": "<!DOCTYPE x><div/>"}},
        {"resourceType": "Patient", "text": {"status": "empty", "div": "words"}},
    ],
)
def test_what_xml_cannot_hold_is_refused(resource):
    with pytest.raises(SourceError):
        fhirxml.dump(resource, MODEL)


def test_entities_that_only_html_has_become_characters():
    resource = {"resourceType": "Patient", "text": {"div": f"<div {XHTML}>a&nbsp;b&lt;</div>"}}
    assert again(resource)["text"]["div"] == f"<div {XHTML}>a\u00a0b&lt;</div>"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3)
EXTENSIONS = st.recursive(
    st.fixed_dictionaries({"url": TEXTS, "valueString": TEXTS})
    | st.fixed_dictionaries({"url": TEXTS, "valueDecimal": DECIMALS})
    | st.fixed_dictionaries({"url": TEXTS, "valueBoolean": st.booleans()}),
    lambda inner: st.fixed_dictionaries(
        {"url": TEXTS, "extension": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=4,
)
SIBLINGS = st.fixed_dictionaries({"id": TEXTS}) | st.fixed_dictionaries(
    {"extension": st.lists(EXTENSIONS, min_size=1, max_size=2)}
)


@st.composite
def names(draw):
    """A HumanName whose given names and their extensions are aligned in any way."""
    pairs = draw(
        st.lists(
            st.tuples(TEXTS, st.none() | SIBLINGS) | st.tuples(st.none(), SIBLINGS), max_size=4
        )
    )
    name = {"family": draw(TEXTS)}
    for key, column in (("given", 0), ("_given", 1)):
        values = [pair[column] for pair in pairs]
        if any(value is not None for value in values):
            name[key] = values
    return name


PATIENTS = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": TEXTS,
        "extension": st.lists(EXTENSIONS, min_size=1, max_size=3),
        "active": st.booleans(),
        "name": st.lists(names(), min_size=1, max_size=3),
        "_birthDate": SIBLINGS,
        "multipleBirthInteger": st.integers(-(2**31), 2**31 - 1),
        "contained": st.lists(
            st.fixed_dictionaries({"resourceType": st.just("Group"), "id": TEXTS}), min_size=1
        ),
    },
)


@given(PATIENTS)
def test_json_to_xml_to_json_is_the_same(patient):
    assert _sorted(again(patient)) == _sorted(patient)


def _sorted(resource):
    """JSON with its keys in order, which a reader of XML may choose; digits as they are."""
    return json.dumps(resource, sort_keys=True, default=str)


def test_numbers_come_back_with_their_digits():
    quantity = {"value": Decimal("1.50")}
    resource = {"resourceType": "Observation", "valueQuantity": quantity}
    assert str(again(resource)["valueQuantity"]["value"]) == "1.50"


EXAMPLES = sorted(pathlib.Path(__file__).parents[2].glob(".examples/*r4.examples*.tgz"))


@pytest.mark.examples
@pytest.mark.skipif(not EXAMPLES, reason="no official examples: run scripts/examples")
def test_the_official_examples_come_back_the_same():
    with tarfile.open(EXAMPLES[0]) as archive:
        members = [m for m in archive if m.name.endswith(".json") and "/." not in m.name]
        for member in members[::20]:  # all of them take half a minute
            resource, _ = fhirjson.read(archive.extractfile(member).read())
            if isinstance(resource, dict) and "resourceType" in resource:
                assert _without_divs(again(resource)) == _without_divs(resource), member.name


def _without_divs(resource):
    """JSON with the narratives left out: XML readers write their tags in their own way."""
    return json.loads(
        fhirjson.dump(resource),
        object_hook=lambda value: {k: v for k, v in value.items() if k != "div"},
    )
