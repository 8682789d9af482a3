"""What the inputs hold for each other."""

import json

import pytest

from fhirpkg.corpus.index import indexed
from fhirpkg.corpus.inputs import Input
from fhirpkg.corpus.targets import identify, targets_among
from fhirpkg.definitions.definitions import Definitions

TYPES = Definitions.core().types
PATIENT = {"resourceType": "Patient", "id": "a"}
VALUE_SET = {"resourceType": "ValueSet", "id": "v", "url": "http://a.example/v", "version": "1"}


def given(value, file="f.json"):
    return Input(file, None, json.dumps(value).encode())


def guide(url):
    return {"resourceType": "ImplementationGuide", "url": url}


def test_a_resource_goes_by_its_id_url_and_version():
    names = identify(given(VALUE_SET), TYPES).names
    assert names == ("ValueSet/v", "http://a.example/v", "http://a.example/v|1")


def test_entries_of_a_bundle_go_by_their_own_names():
    bundle = {"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {"resource": VALUE_SET}]}
    assert {"Patient/a", "ValueSet/v"} <= set(identify(given(bundle), TYPES).inner)


def test_structures_that_fhir_does_not_have_are_kept_parsed():
    own = {"resourceType": "StructureDefinition", "url": "http://a.example/s", "version": "1"}
    fhirs = own | {"url": "http://hl7.org/fhir/StructureDefinition/Patient"}
    inputs = [given(each, f"{n}.json") for n, each in enumerate((own, fhirs, VALUE_SET, own))]
    identified = [(each, identify(each, TYPES, keeping=True)) for each in inputs]
    targets = targets_among(identified, TYPES)
    assert targets.structures == {"http://a.example/s|1": own}
    assert targets.definition("http://a.example/s|1") is targets.structures["http://a.example/s|1"]
    assert not identify(inputs[0], TYPES).structures


def test_an_input_of_its_own_comes_before_an_entry_of_a_bundle():
    other = {**PATIENT, "active": True}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": other}]}
    inputs = [given(bundle), given(PATIENT)]
    targets = targets_among(((each, identify(each, TYPES)) for each in inputs), TYPES)
    assert targets.retrieve("Patient/a") == PATIENT


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[1]", b'{"a": 1}', b"[" * 100_000])
def test_what_is_no_resource_has_no_names(data):
    identity = identify(Input("f.json", None, data), TYPES)
    assert (identity.names, identity.guides, identity.defines) == ((), (), ())


@pytest.mark.parametrize(
    "url, bases",
    [
        ("http://a.example/x/ImplementationGuide/p", ("http://a.example/x",)),
        ("http://hl7.org/fhir/ImplementationGuide/fhir", ()),
        ("http://a.example/p", ()),
    ],
)
def test_a_guide_owns_the_base_of_its_url_but_nobody_owns_fhirs(url, bases):
    owner = given(guide(url) | {"definition": LISTED})
    inputs = [owner, given(VALUE_SET)]
    targets = targets_among(((each, identify(each, TYPES)) for each in inputs), TYPES)
    assert targets.bases == set(bases)


LISTED = {"resource": [{"reference": {"reference": name}} for name in ("ValueSet/v", "Patient/x")]}


@pytest.mark.parametrize("has_all", [True, False])
@pytest.mark.parametrize("lists", [LISTED, {}])
def test_a_guide_whose_definitions_are_not_all_here_owns_nothing(has_all, lists):
    owner = guide("http://a.example/ImplementationGuide/p") | {"definition": lists}
    inputs = [given(owner), *([given(VALUE_SET)] if has_all else [])]
    targets = targets_among(((each, identify(each, TYPES)) for each in inputs), TYPES)
    index = indexed((each.data() for each in inputs), TYPES)
    wanted = {"http://a.example"} if has_all and lists else set()
    assert (targets.bases, index.targets(TYPES).bases) == (wanted, wanted)


def test_a_target_is_found_by_reference_version_and_history():
    file = given(VALUE_SET)
    targets = targets_among([(file, identify(file, TYPES))], TYPES)
    for name in ("ValueSet/v", "http://a.example/v|1", "ValueSet/v/_history/3"):
        assert targets.retrieve(name) == VALUE_SET
    assert targets.retrieve("http://a.example/v|2") is None
