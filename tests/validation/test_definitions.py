"""What StructureDefinitions state of their elements, constraints, types and obligations."""

import pytest

from fhirpkg import Definitions
from fhirpkg.definitions.snapshot import snapshot
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

CORE = "http://hl7.org/fhir/StructureDefinition/"
URL = "http://a.example/sd"
MODIFIER = "http://a.example/modifier"


def profile(*elements, **more):
    named = [{"id": element["path"], **element} for element in elements]
    return {
        "resourceType": "StructureDefinition", "url": URL, "version": "1", "name": "Sd",
        "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": f"{CORE}Patient", "derivation": "constraint",
        "differential": {"element": named}, **more,
    }  # fmt: skip


def extension(*elements, **more):
    given = {
        "type": "Extension", "kind": "complex-type", "baseDefinition": f"{CORE}Extension",
        "context": [{"type": "element", "expression": "Patient"}],
    }  # fmt: skip
    return profile(*elements, **{**given, **more})


def told(structure, *loaded, strict=True):
    """The rules of this family that a definition breaks, with their places."""
    definitions = Definitions.core().with_resources(loaded)
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    return {
        (issue.rule.removeprefix("structure-definition-"), issue.expression.partition(".")[2])
        for issue in validator.validate(structure).errors
        if issue.rule.startswith(("structure-definition-", "element-id"))
    }


def constrained(key="x-1", expression="name.exists()", **more):
    return {"key": key, "severity": "error", "human": "h", "expression": expression, **more}


URL_ELEMENT = {"path": "Extension.url", "fixedUri": URL}
MODIFYING = extension(
    {"path": "Extension", "isModifier": True, "isModifierReason": "r"},
    {"path": "Extension.url", "fixedUri": MODIFIER},
    url=MODIFIER,
)


def typed(path, code, key, canonical, **more):
    return {"path": path, "type": [{"code": code, key: [canonical]}], **more}


@pytest.mark.parametrize(
    "element, place",
    [
        (typed("Patient.name", "HumanName", "profile", f"{CORE}HumanName"), ""),
        (typed("Patient.name", "HumanName", "profile", "http://a.example/nope"), ""),
        (typed("Patient.name", "HumanName", "profile", f"{CORE}Address"), "profile"),
        (typed("Patient.extension", "Extension", "profile", f"{CORE}patient-birthPlace"), ""),
        (typed("Patient.extension", "Extension", "profile", MODIFIER), "profile"),
        (typed("Patient.modifierExtension", "Extension", "profile", MODIFIER), ""),
        (
            typed("Patient.modifierExtension", "Extension", "profile", f"{CORE}patient-birthPlace"),
            "profile",
        ),
        (typed("Patient.link.other", "Reference", "targetProfile", f"{CORE}Patient"), ""),
        (typed("Patient.link.other", "Reference", "targetProfile", f"{CORE}Age"), "targetProfile"),
        (typed("Patient.birthDate", "date", "targetProfile", f"{CORE}Patient"), "targetProfile"),
        (
            typed("Patient.meta.profile", "canonical", "targetProfile", f"{CORE}Age"),
            "targetProfile",
        ),
    ],
)
def test_the_profiles_of_a_type_are_for_that_type(element, place):
    found = [at for rule, at in told(profile(element), MODIFYING) if rule == "type-profile"]
    assert found == ([f"differential.element[0].type[0].{place}[0]"] if place else [])


def test_a_profile_may_be_meant_for_one_of_its_elements():
    element = typed("Patient.contact", "BackboneElement", "profile", f"{CORE}Patient")
    assert {rule for rule, _ in told(profile(element))} == {"type-profile"}
    meant = {"url": f"{CORE}elementdefinition-profile-element", "valueString": "Patient.contact"}
    element["type"][0]["_profile"] = [{"extension": [meant]}]
    assert "type-profile" not in {rule for rule, _ in told(profile(element))}


def test_the_targets_that_fhir_itself_names_are_no_fault_of_a_profile():
    """As R4B's PlanDefinition does, whose subject may be the canonical of what has no url."""
    place = "Patient.meta.profile"
    element = typed(place, "canonical", "targetProfile", f"{CORE}Organization")
    assert "type-profile" in {rule for rule, _ in told(profile(element))}
    own = {**Definitions.core().structure("Patient")}
    own["snapshot"] = {"element": [*own["snapshot"]["element"], element]}
    assert "type-profile" not in {rule for rule, _ in told(profile(element), own)}


@pytest.mark.parametrize(
    "first, second, place",
    [
        (constrained(), constrained(), ""),
        (constrained(), constrained("x-2", "given.exists()"), ""),
        (constrained(), constrained("x-1", "given.exists()"), "element[1].constraint[0]"),
        (constrained("dom-2"), constrained(), "element[0].constraint[0]"),
        (constrained("dom-2", "contained.contained.empty()"), constrained(), ""),
        (constrained("obs-6"), constrained(), "element[0].constraint[0]"),
    ],
)
def test_a_key_is_that_of_one_constraint(first, second, place):
    structure = profile(
        {"path": "Patient", "constraint": [first]},
        {"path": "Patient.name", "constraint": [second]},
    )
    found = [at for rule, at in told(structure) if rule == "constraint-key"]
    assert found == ([f"differential.{place}"] if place else [])


@pytest.mark.parametrize("source, is_own", [(URL, True), (f"{URL}|1", True), ("http://b", False)])
def test_a_constraint_of_a_differential_comes_from_its_profile(source, is_own):
    structure = profile({"path": "Patient", "constraint": [constrained(source=source)]})
    place = ("constraint-source", "differential.element[0].constraint[0]")
    assert (place in told(structure)) is not is_own


def test_a_constraint_of_r4_under_another_name_is_let_pass_outside_strict_checking():
    structure = profile({"path": "Patient", "constraint": [constrained("obs-6")]})
    assert told(structure, strict=False) == set()


def test_the_ids_of_elements_are_those_of_one_each():
    structure = profile({"path": "Patient.name", "id": "x"}, {"path": "Patient.photo", "id": "x"})
    assert told(structure) == {("element-id-repeated", "differential.element[1]")}


@pytest.mark.parametrize(
    "identifier, path, name, fits",
    [
        ("Patient.name", "Patient.name", None, True),
        ("Patient.name:a", "Patient.name", "a", True),
        ("Patient.name:a/b", "Patient.name", "a/b", True),
        ("Patient.name:a.use", "Patient.name.use", None, True),
        ("Patient.name:v1.0.use", "Patient.name.use", None, True),
        ("Patient.deceased[x]:deceasedBoolean", "Patient.deceased[x]", "deceasedBoolean", True),
        ("Patient.deceasedBoolean", "Patient.deceased[x]", None, True),
        ("Patient.photo", "Patient.name", None, False),
        ("Patient.name:a", "Patient.name", "b", False),
        ("Patient.name:a", "Patient.name", None, False),
        ("Patient.name", "Patient.name", "a", False),
        ("Patient.name.use", "Patient.name", None, False),
    ],
)
def test_the_id_of_an_element_says_its_path_and_slice(identifier, path, name, fits):
    element = {"id": identifier, "path": path} | ({"sliceName": name} if name else {})
    issues = Validator().validate(profile(element)).issues
    found = [i.expression for i in issues if i.rule == "structure-definition-id"]
    assert found == ([] if fits else ["StructureDefinition.differential.element[0]"])


def test_what_a_missing_value_means_is_for_types_and_extensions_to_say():
    place = ("property", "differential.element[0]")
    assert place in told(profile({"path": "Patient.active", "meaningWhenMissing": "x"}))
    assert told(profile({"path": "Patient.extension", "meaningWhenMissing": "x"})) == set()


@pytest.mark.parametrize(
    "change, number",
    [
        (lambda elements: elements[0].update(maxLength=3), 0),
        (lambda elements: elements[0].update(fixedString="x"), 0),
        (lambda elements: elements[3].pop("type"), 3),
        (lambda elements: elements[3].update(short="x"), None),
    ],
)
def test_an_element_of_a_snapshot_states_what_its_place_allows(change, number):
    structure = Definitions.core().structure("Patient")
    elements = [dict(element) for element in structure["snapshot"]["element"]]
    change(elements)
    found = told({**profile({"path": "Patient"}), "snapshot": {"element": elements}})
    places = [at for rule, at in found if rule == "property"]
    assert places == ([] if number is None else [f"snapshot.element[{number}]"])


@pytest.mark.parametrize("kind, is_wrong", [("logical", False), ("complex-type", True)])
def test_only_a_logical_model_states_limits_where_it_defines_a_type(kind, is_wrong):
    date = {"id": "Form.born", "path": "Form.born", "min": 0, "max": "1", "minValueDate": "1900"}
    elements = [{"id": "Form", "path": "Form"}, date | {"type": [{"code": "date"}]}]
    form = {"type": "Form", "kind": kind, "derivation": "specialization"}
    found = told({**profile({"path": "Form"}), **form, "snapshot": {"element": elements}})
    assert (("property", "snapshot.element[1]") in found) is is_wrong


def test_a_structure_with_a_base_says_what_it_is_to_it():
    structure = profile({"path": "Patient"})
    del structure["derivation"]
    assert ("type", "type") in told(structure)


@pytest.mark.parametrize(
    "elements, is_fixed",
    [((URL_ELEMENT,), True), ((), False), (({**URL_ELEMENT, "fixedUri": "http://b"},), False)],
)
def test_an_extension_fixes_its_own_url(elements, is_fixed):
    found = told(extension({"path": "Extension"}, *elements))
    assert (("extension-url", "") in found) is not is_fixed


@pytest.mark.parametrize(
    "expression, is_there",
    [
        ("Patient", True),
        ("Patient.deceased[x]", True),
        ("Patient.contact.name.family", True),
        ("Element", True),
        ("Base", True),
        ("CanonicalResource.url", True),
        (f"{CORE}Patient#Patient.name", True),
        ("http://b.example/unknown#Patient.name", True),
        ("Pateint", False),
        ("Patient.contact.name.nope", False),
        (f"{CORE}Pateint#Pateint.name", False),
        (f"{CORE}Patient#Patient.nope", False),
    ],
)
def test_the_context_of_an_extension_is_an_element_that_exists(expression, is_there):
    context = [{"type": "element", "expression": expression}]
    structure = extension({"path": "Extension"}, URL_ELEMENT, context=context)
    assert (("context", "context[0].expression") in told(structure, strict=False)) is not is_there


@pytest.mark.parametrize("first, is_told", [("5.0", False), ("4.0", True)])
def test_a_context_for_later_versions_may_lead_to_their_elements(first, is_told):
    versions = {
        "url": f"{CORE}version-specific-use",
        "extension": [{"url": "startFhirVersion", "valueCode": first}],
    }
    later = {"type": "element", "expression": "MeasureReport.supplementalData"}
    contexts = [{"extension": [versions], **later}, {"type": "element", "expression": "Patient"}]
    structure = extension({"path": "Extension"}, URL_ELEMENT, context=contexts)
    assert (("context", "context[0].expression") in told(structure)) is is_told


def test_under_strict_checking_the_profile_of_a_context_must_be_known():
    context = [{"type": "element", "expression": "http://b.example/unknown#Patient.name"}]
    structure = extension({"path": "Extension"}, URL_ELEMENT, context=context)
    assert told(structure) == {("context", "context[0].expression")}


FLAG = {"url": f"{CORE}obligation-profile-flag", "valueBoolean": True}
OBLIGING = {"path": "Patient.name", "mustSupport": True, "min": 1}
BINDING = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}


@pytest.mark.parametrize(
    "element, place",
    [
        (OBLIGING, None),
        ({"path": "Patient.name", "extension": [{"url": f"{CORE}obligation"}]}, None),
        ({"path": "Patient.gender", "binding": {"strength": "required"}}, None),
        ({"path": "Patient.name", "short": "x"}, "short"),
        ({"path": "Patient.name", "id": "Patient.nope"}, ""),
        ({"path": "Patient.name", "id": "Patient.photo"}, "path"),
        ({"path": "Patient.name", "extension": [{"url": "http://b.example"}]}, "extension[0]"),
        ({"path": "Patient.birthDate", "binding": {"strength": "required"}}, "binding"),
        ({"path": "Patient.gender", "binding": BINDING}, "binding.valueSet"),
        ({"path": "Patient.gender", "binding": {"strength": "example"}}, "binding.strength"),
    ],
)
def test_an_obligation_profile_only_adds_obligations(element, place):
    found = [at for rule, at in told(profile(element, extension=[FLAG])) if rule == "obligation"]
    told_at = f"differential.element[0].{place}".removesuffix(".")
    assert found == ([] if place is None else [told_at])
    assert not [rule for rule, _ in told(profile(element)) if rule == "obligation"]


def test_only_a_constraint_is_an_obligation_profile():
    structure = profile(OBLIGING, extension=[FLAG], derivation="specialization")
    assert ("obligation", "") in told(structure)


@pytest.mark.parametrize(
    "change, is_right",
    [
        ({}, True),
        ({"extension": []}, False),
        ({"baseDefinition": f"{CORE}DomainResource"}, False),
        ({"url": "http://b.example/not-here"}, True),
    ],
)
def test_obligations_are_inherited_from_an_obligation_profile_on_the_same_base(change, is_right):
    url = "http://a.example/obligations"
    other = {**profile(OBLIGING, extension=[FLAG], url=url), **change}
    inherit = {"url": f"{CORE}inherit-obligations", "valueCanonical": url}
    found = told(profile(OBLIGING, extension=[inherit]), other)
    assert (("obligation", "extension[0]") in found) is not is_right


def with_snapshot(change, **more):
    """A profile whose snapshot of HumanName is changed."""
    own = {"type": "HumanName", "kind": "complex-type", "baseDefinition": f"{CORE}HumanName"}
    elements = [dict(e) for e in Definitions.core().structure("HumanName")["snapshot"]["element"]]
    change({e["path"].rpartition(".")[2]: e for e in elements}, elements)
    return profile({"path": "HumanName"}, **own, snapshot={"element": elements}, **more)


def expressions(structure, *, strict=True):
    validator = Validator(settings=Settings(strict=strict))
    found = validator.validate(structure).errors
    return [i.rule for i in found if i.rule.startswith("definition-expression")]


@pytest.mark.parametrize(
    "name, expression, source, rules",
    [
        ("HumanName", "family.exists()", URL, []),
        ("period", "start.exists()", URL, []),
        ("period", "family.exists()", URL, ["definition-expression-type"]),
        ("HumanName", "nope.exists()", URL, ["definition-expression-type"]),
        ("HumanName", "nope.exists()", "", ["definition-expression-type"]),
        ("HumanName", "nope.exists()", "http://b.example", []),
        ("HumanName", "family.(", URL, ["definition-expression"]),
    ],
)
def test_a_constraint_of_a_snapshot_asks_for_what_its_element_has(name, expression, source, rules):
    stated = constrained(expression=expression, **({"source": source} if source else {}))
    structure = with_snapshot(lambda by_name, _: by_name[name].update(constraint=[stated]))
    assert expressions(structure) == rules
    if rules == ["definition-expression-type"]:
        assert expressions(structure, strict=False) == []


@pytest.mark.parametrize(
    "context, expression, is_right",
    [
        (["Patient"], "name.exists()", True),
        (["Patient"], "item.exists()", False),
        (["Patient", "Questionnaire"], "item.exists()", True),
        (["http://b.example#Patient"], "item.exists()", True),
    ],
)
def test_the_invariant_of_a_context_is_right_in_one_of_the_contexts(context, expression, is_right):
    contexts = [{"type": "element", "expression": each} for each in context]
    elements = {"path": "Extension"}, URL_ELEMENT
    structure = extension(*elements, context=contexts, contextInvariant=[expression])
    assert (expressions(structure) == []) is is_right


@pytest.mark.parametrize(
    "path, type_, discriminator, is_right",
    [
        ("Patient.identifier", "Identifier", "system", True),
        ("Patient.identifier", "Identifier", "$this", True),
        ("Patient.identifier", "Identifier", "nope", False),
        ("Patient.identifier", "Identifier", "system.(", False),
        ("Patient.identifier", "", "nope", True),
        ("Patient.contact", "BackboneElement", "relationship", True),
        ("Patient.contact", "BackboneElement", "nope", False),
        ("Patient.generalPractitioner", "Reference", "resolve().name", True),
    ],
)
def test_a_discriminator_leads_to_what_the_stated_type_has(path, type_, discriminator, is_right):
    slicing = {"discriminator": [{"type": "value", "path": discriminator}], "rules": "open"}
    types = {"type": [{"code": type_}]} if type_ else {}
    found = told(profile({"path": path, "slicing": slicing, **types}))
    place = ("discriminator", "differential.element[0].slicing.discriminator[0]")
    assert (place not in found) is is_right


def test_a_snapshot_has_as_many_elements_as_the_differential_gives():
    whole = with_snapshot(lambda _, elements: None)
    less = with_snapshot(lambda _, elements: elements.pop())
    assert ("snapshot-size", "") not in told(whole)
    assert ("snapshot-size", "") in told(less)
    assert ("snapshot-size", "") not in told(less, strict=False)


@pytest.mark.parametrize(
    "missing, is_right",
    [("a.extension:e", True), ("a.relationship", False), ("a", False), ("extension:e", False)],
)
def test_a_snapshot_need_not_repeat_slices_below_the_other_slices(missing, is_right):
    slicing = {"discriminator": [{"type": "value", "path": "gender"}], "rules": "open"}
    asked = [{"code": "Extension", "profile": [f"{CORE}patient-congregation"]}]
    structure = profile(
        {"path": "Patient.contact", "slicing": slicing},
        {"id": "Patient.contact.extension:e", "path": "Patient.contact.extension",
         "sliceName": "e", "type": asked},
        {"id": "Patient.contact:a", "path": "Patient.contact", "sliceName": "a"},
        {"id": "Patient.contact:a.gender", "path": "Patient.contact.gender", "fixedCode": "male"},
    )  # fmt: skip
    elements = snapshot(structure, Definitions.core())["snapshot"]["element"]
    id_ = f"Patient.contact{'.' if missing.startswith('ext') else ':'}{missing}"
    left = [element for element in elements if element["id"] != id_]
    assert len(left) == len(elements) - 1
    found = told({**structure, "snapshot": {"element": left}})
    assert (("snapshot-size", "") not in found) is is_right


def test_what_a_type_lets_occur_once_is_not_sliced_in_a_snapshot():
    slicing = {"discriminator": [{"type": "value", "path": "$this"}], "rules": "open"}
    once = with_snapshot(lambda by_name, _: by_name["family"].update(slicing=slicing))
    often = with_snapshot(lambda by_name, _: by_name["given"].update(slicing=slicing))
    assert [rule for rule, at in told(once) if at.endswith(".slicing")] == ["slicing"]
    assert [rule for rule, at in told(often) if at.endswith(".slicing")] == []


@pytest.mark.parametrize("base, is_right", [("Element", True), ("Patient", False)])
def test_a_new_type_is_of_the_kind_of_its_base_unless_that_is_abstract(base, is_right):
    logical = profile(
        {"path": "own"}, kind="logical", type="http://a.example/own", derivation="specialization",
        baseDefinition=f"{CORE}{base}",
    )  # fmt: skip
    assert (("refinement", "kind") not in told(logical)) is is_right


def test_a_new_type_may_name_parts_of_what_it_does_not_name():
    logical = profile(
        {"path": "own"}, {"path": "own.a.b", "type": [{"code": "string"}]}, kind="logical",
        type="http://a.example/own", derivation="specialization", baseDefinition=f"{CORE}Element",
    )  # fmt: skip
    assert told(logical) == set()


def test_the_url_of_a_definition_is_absolute(found):
    value_set = {"resourceType": "ValueSet", "url": "mine", "status": "draft"}
    assert ("canonical-absolute", "ValueSet.url") in found(value_set)
    value_set["url"] = "http://a.example/vs"
    assert ("canonical-absolute", "ValueSet.url") not in found(value_set)


@pytest.mark.parametrize("part", ["differential", "snapshot"])
@pytest.mark.parametrize(
    "code, kind, is_told",
    [
        ("HumanNam", "resource", True),
        ("HumanName", "resource", False),
        ("http://hl7.org/fhirpath/System.String", "resource", False),
        ("http://a.example/StructureDefinition/own", "resource", False),
        ("DocumentSection", "logical", False),
    ],
)
def test_types_of_elements_are_those_of_fhir(part, code, kind, is_told):
    made = profile({"id": "Patient.name", "path": "Patient.name", "type": [{"code": code}]})
    made = {**made, "kind": kind, part: made["differential"]}
    assert ("element-type" in {rule for rule, _ in told(made)}) is is_told
