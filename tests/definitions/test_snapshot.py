import json
import pathlib

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.snapshot import snapshot
from fhirpkg.errors import DefinitionError

HERE = pathlib.Path(__file__).parent
CASES = yaml.safe_load((HERE / "snapshots.yaml").read_text())
KNOWN = yaml.safe_load((HERE / "snapshots_known.yaml").read_text())
STRUCTURES = "http://hl7.org/fhir/StructureDefinition/"


def profile(differential, base="Observation", name="p", **more):
    return {
        "resourceType": "StructureDefinition",
        "url": f"http://example.org/StructureDefinition/{name}",
        "type": base,
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": base if ":" in base else STRUCTURES + base,
        "differential": {"element": differential},
        **more,
    }


def elements(structure):
    return {element["id"]: element for element in structure["snapshot"]["element"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_snapshot(core, case):
    made = elements(snapshot(profile(case["differential"], case["base"]), core))
    for id_, expected in case["expect"].items():
        found = made.get(id_)
        if expected is None:
            assert found is None, id_
            continue
        assert found is not None, f"{id_} is not among {[i for i in made if i[:20] == id_[:20]]}"
        for key, value in expected.items():
            assert found.get(key) == value, (id_, key)


@pytest.mark.parametrize(
    "name", ["vitalsigns", "bodyweight", "Patient", "Extension", "patient-birthPlace"]
)
def test_an_empty_differential_changes_nothing(core, name):
    base = core.structure(STRUCTURES + name)
    made = snapshot(profile([], STRUCTURES + name, type=base["type"]), core)
    assert made["snapshot"] == base["snapshot"]


def test_ids_and_paths_follow_from_the_tree(core):
    made = snapshot(
        profile(
            [
                {"path": "Observation.component", "sliceName": "a"},
                {"path": "Observation.component.code.coding", "sliceName": "b"},
                {"path": "Observation.component.code.coding.system", "min": 1},
            ]
        ),
        core,
    )
    found = elements(made)["Observation.component:a.code.coding:b.system"]
    assert found["path"] == "Observation.component.code.coding.system"
    assert found["base"]["path"] == "Coding.system"
    assert len(elements(made)) == len(made["snapshot"]["element"])


def test_the_base_is_left_as_it_was(core):
    before = json.dumps(core.structure("Observation"), default=str)
    snapshot(profile([{"path": "Observation.code", "min": 1, "short": "x"}]), core)
    assert json.dumps(core.structure("Observation"), default=str) == before


def test_a_profile_of_a_profile_adds_to_it(core):
    one = profile([{"path": "Observation.subject", "min": 1}], name="one")
    two = profile(
        [{"path": "Observation.subject", "constraint": [{"key": "two-1", "expression": "true"}]}],
        base=one["url"],
        name="two",
        type="Observation",
    )
    definitions = core.with_resources([one, two])
    subject = elements(definitions.structure(two["url"]))["Observation.subject"]
    assert subject["min"] == 1
    assert subject["constraint"][-1]["source"] == two["url"]
    assert definitions.structure(two["url"]) is definitions.structure(two["url"])


def test_a_new_type_takes_what_its_differential_names(core):
    model = profile(
        [
            {"path": "Thing", "min": 0, "max": "*"},
            {"path": "Thing.part", "min": 1, "max": "*", "type": [{"code": "BackboneElement"}]},
            {"path": "Thing.part.name", "min": 0, "max": "1", "type": [{"code": "string"}]},
            {"path": "Thing.part.part", "min": 0, "max": "*", "contentReference": "#Thing.part"},
        ],
        base="Element",
        type="http://example.org/StructureDefinition/Thing",
        kind="logical",
        derivation="specialization",
    )
    definitions = core.with_resources([model])
    name = elements(definitions.structure(model["url"]))["Thing.part.name"]
    assert name["base"] == {"path": "Thing.part.name", "min": 0, "max": "1"}
    assert definitions.types.elements("Thing.part")["part"].types == ("Thing.part",)
    assert definitions.types.elements("Thing.part")["name"].types == ("string",)
    assert definitions.types.elements("Thing")["part"].is_list
    assert definitions.types.base("Thing") == "Element"


@pytest.mark.parametrize(
    "differential, base, words",
    [
        ([{"path": "Observation.vaule[x]"}], "Observation", "did you mean 'value[x]'"),
        ([{"path": "Observation.status.system"}], "Observation", "Observation.status.system"),
        ([{"path": "Patient.name"}], "Observation", "it is about Observation"),
        ([{"path": "Observation"}], "http://example.org/none", "not loaded"),
        ([{"min": 1}], "Observation", "malformed"),
        ([{"path": 7}], "Observation", "malformed"),
        ([{"path": "Observation", "constraint": "x"}], "Observation", "malformed"),
    ],
)
def test_what_cannot_be_laid_over_the_base_is_told(core, differential, base, words):
    with pytest.raises(DefinitionError) as told:
        snapshot(profile(differential, base), core)
    assert words in str(told.value)


def test_profiles_that_stand_on_each_other_are_refused(core):
    one = profile([], base="http://example.org/StructureDefinition/two", name="one")
    two = profile([], base="http://example.org/StructureDefinition/one", name="two")
    with pytest.raises(DefinitionError, match="is based on itself"):
        core.with_resources([one, two]).structure(one["url"])


def test_a_profile_may_use_itself_on_its_elements(core):
    url = "http://example.org/StructureDefinition/nested"
    nested = profile(
        [
            {"path": "Extension.extension", "sliceName": "inner",
             "type": [{"code": "Extension", "profile": [url]}]},
            {"path": "Extension.extension.url", "min": 1},
        ],
        base="Extension",
        name="nested",
    )  # fmt: skip
    assert "Extension.extension:inner.url" in elements(core.with_resources([nested]).structure(url))


def test_slices_in_slices_in_slices_end_with_an_error(core):
    levels = ["Observation.component", "Observation.component.code.coding"]
    differential = [
        {"path": path, "id": f"{path}:s{number}", "sliceName": f"s{number}"}
        for path in reversed(levels)
        for number in range(300)
    ]
    with pytest.raises(DefinitionError, match="over 50000 elements"):
        snapshot(profile(differential), core)


def test_a_path_without_end_ends_with_an_error(core):
    differential = [{"path": "Questionnaire" + ".item" * 3000}]
    with pytest.raises(DefinitionError, match=r"nested too deeply|over 50000 elements"):
        snapshot(profile(differential, "Questionnaire"), core)


WORDS = st.sampled_from(
    ["Observation", "Observation.value[x]", "Observation.valueQuantity", "Observation.component",
     "Observation.component.code", "Observation.extension", "Extension", "Quantity", "a", "a/b", ""]
)  # fmt: skip
JSON = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "key", "profile", "url", "rules"]), inner)
    ),
    max_leaves=6,
)
ELEMENTS = st.fixed_dictionaries(
    {"path": WORDS},
    optional={
        "id": WORDS, "sliceName": WORDS | JSON, "type": st.lists(st.dictionaries(
            st.sampled_from(["code", "profile"]), JSON)) | JSON,
        "slicing": JSON, "constraint": JSON, "binding": JSON, "min": JSON, "extension": JSON,
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ELEMENTS | JSON, max_size=6))
def test_any_differential_gives_a_snapshot_or_a_definition_error(differential):
    try:
        made = snapshot(profile(differential), Definitions.core())
    except DefinitionError:
        return
    assert made["snapshot"]["element"][0]["path"] == "Observation"


@pytest.mark.examples
def test_published_snapshots_come_out_again(official_core, core):
    """Each difference to a published snapshot is listed with its reason in snapshots_known.yaml."""
    assert differences_in(official_core, core) == argued("hl7.fhir.r4.core")


@pytest.mark.examples
def test_snapshots_of_a_guide_of_today_come_out_again(sdc, core):
    assert differences_in(sdc, core.with_package(sdc)) == argued("hl7.fhir.uv.sdc")


def argued(package):
    groups = [known["found"] for known in KNOWN if known["package"] == package]
    return {id_: sorted(found) for group in groups for id_, found in group.items()}


def differences_in(package, definitions):
    differences = {}
    for _, structure in package.resources():
        if "snapshot" in structure and structure.get("derivation") == "constraint":
            made = snapshot(structure, definitions)
            found = sorted(_differences(structure, made))
            if found:
                differences[structure["id"]] = found
    return differences


def _differences(published, made):
    one, other = (
        {element["id"]: _rules(element) for element in s["snapshot"]["element"]}
        for s in (published, made)
    )
    for word, these, those in (("missing", one, other), ("added", other, one)):
        alone = [id_ for id_ in these if id_ not in those]
        tops = {id_ for id_ in alone if id_.rpartition(".")[0] not in alone}
        yield from {f"{id_.rpartition('.')[0]}.* {word}" for id_ in tops}
    for id_ in [id_ for id_ in one if id_ in other]:
        keys = one[id_].keys() | other[id_].keys()
        yield from (f"{id_} {key}" for key in keys if one[id_].get(key) != other[id_].get(key))
    if list(one) != list(other) and one.keys() == other.keys():
        yield "order"


def _rules(element):
    """What an element demands, without the words for people."""
    rules = {
        key: element[key]
        for key in ("path", "min", "max", "base", "sliceName", "contentReference")
        if key in element
    }
    if "contentReference" in rules:  # today's are absolute
        rules["contentReference"] = rules["contentReference"].partition("#")[2]
    rules["type"] = sorted(
        json.dumps([t.get(k) for k in ("code", "profile", "targetProfile")])
        for t in element.get("type", ())
    )
    rules["constraint"] = sorted(c["key"] for c in element.get("constraint", ()))
    binding = element.get("binding", {})
    rules["binding"] = binding.get("strength"), binding.get("valueSet")
    slicing = element.get("slicing", {})
    rules["slicing"] = slicing.get("rules"), slicing.get("discriminator")
    rules["flags"] = [bool(element.get(k)) for k in ("isModifier", "mustSupport")]
    values = ("fixed", "pattern", "minValue", "maxValue")
    return rules | {k: v for k, v in element.items() if k.startswith(values)}
