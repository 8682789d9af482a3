"""Conformance resources against what their own structure does not state."""

import pytest

from fhirpkg import Definitions, Validator
from fhirpkg.validation.run import Settings

CS = {
    "resourceType": "CodeSystem", "url": "http://a.example/cs", "status": "draft",
    "content": "complete", "concept": [{"code": "a", "concept": [{"code": "b"}]}],
}  # fmt: skip
VS = {"resourceType": "ValueSet", "url": "http://a.example/vs", "status": "draft"}
SD = {
    "resourceType": "StructureDefinition", "url": "http://a.example/sd", "name": "Sd",
    "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
}  # fmt: skip
SP = {
    "resourceType": "SearchParameter", "url": "http://a.example/sp", "name": "Sp",
    "status": "draft", "description": "d", "code": "x", "base": ["Organization"], "type": "string",
    "expression": "Organization.name",
}  # fmt: skip
PROPERTY = "http://hl7.org/fhir/concept-properties#"
SYSTEM_WITH_TYPES = {
    **CS,
    "url": "http://a.example/typed",
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3.4.5"}],
    "hierarchyMeaning": "is-a",
    "property": [
        {"code": "other", "type": "Coding"}, {"code": "n", "type": "integer"},
        {"code": "rel", "type": "code"}, {"code": "when", "type": "dateTime"},
        {"code": "part", "type": "decimal"},
    ],
}  # fmt: skip
SUPPLEMENT = {
    **CS, "url": "http://a.example/sup", "content": "supplement",
    "supplements": "http://a.example/typed", "concept": [{"code": "zz"}],
}  # fmt: skip
BARE_SET = {**VS, "url": "http://a.example/bare"}
EXPANDED_SET = {
    **VS, "url": "http://a.example/expanded",
    "compose": {"include": [{"system": "http://a.example/cs"}]},
    "expansion": {
        "timestamp": "2020", "contains": [{"system": "http://a.example/cs", "code": "a"}],
    },
}  # fmt: skip
WHOLE_SET = {**VS, "compose": {"include": [{"system": "http://a.example/cs"}]}}


def found(resource, *loaded, severity="error", strict=False):
    """The rules that are broken at a severity, with their places."""
    definitions = Definitions.core().with_resources(loaded)
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    issues = validator.validate(resource).issues
    return sorted((i.rule, i.expression) for i in issues if i.severity == severity)


def differential(*elements, **changes):
    named = [{"id": element["path"], **element} for element in elements]
    return {**SD, "differential": {"element": named}, **changes}


def including(clause):
    return {**VS, "compose": {"include": [clause]}}


def asking(name, operator, value, system="http://a.example/typed"):
    return including(
        {"system": system, "filter": [{"property": name, "op": operator, "value": value}]}
    )


@pytest.mark.parametrize(
    "resource",
    [
        CS, {**CS, "count": 2}, {**CS, "content": "fragment", "count": 100}, WHOLE_SET, SP,
        {**CS, "valueSet": "http://a.example/vs"},
        differential({"path": "Patient.birthDate", "min": 1}),
        differential({"path": "Patient.gender", "patternCode": "male", "type": [{"code": "code"}]}),
        asking("n", "=", "3"), asking("n", "=", "lt2"), asking("other", "=", "http://a.example/typed#a"),
        asking("code", "regex", "a.*"), asking("n", "exists", "true"),
        asking("rel", "in", "a,b"), asking("when", "=", "2020-01"), asking("when", "=", "ge2020"),
        asking("rel", "=", "zz"), asking("status", "=", "active"), asking("part", "=", "lt1.5"),
        asking("other", "=", "http://a.example/typed|a"), asking("n", "regex", r"\p{L}+"),
        asking("code", "regex", ".*(?i)pain.*"), asking("code", "regex", "a(?i-s)b|(c(?m)d)"),
        asking("STATUS", "=", "ACTIVE", "http://loinc.org"),
        asking("COMPONENT", "=", "Glucose", "http://loinc.org"),
        asking("parent", "=", "LP7057-5", "http://loinc.org"),
        asking("116676008", "=", "404684003", "http://snomed.info/sct"),
        asking("TTY", "in", "SCD,SBD", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        {**CS, "property": [{"code": "p", "uri": PROPERTY + "alternateCode", "type": "code"}]},
        {**CS, "property": [{"code": "p", "uri": "http://a.example/cs#p", "type": "code"}]},
        {**CS, "url": "http://hl7.org/fhir/cs", "property": [
            {"code": "p", "uri": "http://hl7.org/fhir/cs#p", "type": "code"}]},
        {**SUPPLEMENT, "hierarchyMeaning": "is-a", "concept": [{"code": "a"}]},
        asking("concept", "is-a", "404684003", "http://snomed.info/sct"),
        asking("constraint", "=", "<< 404684003 : 363698007 = *", "http://snomed.info/sct"),
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(resource):
    assert found(resource, SYSTEM_WITH_TYPES, WHOLE_SET) == []


CASES = [
    ("code-system-count", ".count", {**CS, "count": 3}),
    ("code-system-property-type", ".property[0]",
     {**CS, "property": [{"code": "inactive", "uri": PROPERTY + "inactive", "type": "code"}]}),
    ("code-system-property-code", ".property[0]",
     {**CS, "property": [{"code": "inactive", "uri": PROPERTY + "status", "type": "code"}]}),
    ("code-system-property-twice", ".property[1]",
     {**CS, "property": [{"code": "status", "type": "code"}, {"code": "status", "type": "code"}]}),
    ("code-system-property-value", ".concept[0].property[0]",
     {**CS, "property": [{"code": "p", "type": "integer"}],
      "concept": [{"code": "a", "property": [{"code": "p", "valueString": "x"}]}]}),
    ("code-system-property-concept", ".concept[0].property[0]",
     {**CS, "property": [{"code": "parent", "uri": PROPERTY + "parent", "type": "code"}],
      "concept": [{"code": "a", "property": [{"code": "parent", "valueCode": "zz"}]}]}),
    ("code-system-supplement-base", "", {**CS, "content": "supplement"}),
    ("code-system-supplement-base", ".content", {**CS, "supplements": "http://a.example/b"}),
    ("code-system-supplement-code", ".concept[0]", SUPPLEMENT),
    ("code-system-supplement-part", ".caseSensitive", {**SUPPLEMENT, "caseSensitive": True}),
    ("code-system-supplement-part", ".hierarchyMeaning",
     {**SUPPLEMENT, "hierarchyMeaning": "part-of"}),
    ("code-system-not-present", ".concept[0]", {**CS, "content": "not-present"}),
    ("code-system-property-uri", ".property[0]",
     {**CS, "property": [{"code": "p", "uri": "p", "type": "string"}]}),
    ("code-system-property-uri", ".property[0]",
     {**CS, "property": [{"code": "p", "uri": PROPERTY + "inactiv", "type": "boolean"}]}),
    ("code-system-property-binding", ".concept[0].property[0]",
     {**CS, "property": [{"code": "p", "type": "code", "extension": [
         {"url": "http://hl7.org/fhir/StructureDefinition/codesystem-property-valueset",
          "valueCanonical": "http://hl7.org/fhir/ValueSet/administrative-gender"}]}],
      "concept": [{"code": "z", "property": [{"code": "p", "valueCode": "z"}]}]}),
    ("code-system-property-concept", ".concept[0].property[0]",
     {**SUPPLEMENT, "property": [{"code": "up", "uri": PROPERTY + "parent", "type": "code"}],
      "concept": [{"code": "a", "property": [{"code": "up", "valueCode": "zz"}]}]}),
    ("code-system-value-set", ".valueSet",
     {**CS, "url": "http://a.example/other", "valueSet": "http://a.example/vs"}),
    ("code-system-value-set", ".valueSet", {**CS, "valueSet": "http://a.example/bare"}),
    ("code-system-value-set", ".valueSet", {**CS, "valueSet": "http://a.example/expanded"}),
    ("value-set-system", ".compose.include[0]", including({"system": "#c1"})),
    ("value-set-system", ".compose.include[0]", including({"system": "http://a.example/vs"})),
    ("value-set-system", ".compose.include[0]", including({"system": "http://a.example/sup"})),
    ("value-set-system", ".compose.include[0]", including({"system": "urn:oid:1.2.3.4.5"})),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("n", "=", "x")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("n", "exists", "yes")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("code", "regex", "(")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("code", "regex", "a(?i)(")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("concept", "in", "a,zz")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("concept", "in", "a, b")),
    ("value-set-filter-value", ".compose.include[0].filter[0]",
     asking("modifier", "=", "x", "http://www.ama-assn.org/go/cpt")),
    ("value-set-filter-operator", ".compose.include[0].filter[0]",
     asking("concept", "exists", "true")),
    ("value-set-filter-operator", ".compose.include[0].filter[0]",
     asking("concept", "=", "404684003", "http://snomed.info/sct")),
    ("value-set-filter-operator", ".compose.include[0].filter[0]",
     asking("parent", "is-a", "LP7057-5", "http://loinc.org")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("when", "=", "soon")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("part", "=", "half")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("inactive", "=", "no")),
    ("value-set-filter-value", ".compose.include[0].filter[0]", asking("other", "=", "a")),
    ("value-set-filter-value", ".compose.include[0].filter[0]",
     asking("other", "=", "http://a.example/typed#zz")),
    ("value-set-filter-value", ".compose.include[0].filter[0]",
     asking("concept", "is-a", "404684004", "http://snomed.info/sct")),
    ("value-set-filter-value", ".compose.include[0].filter[0]",
     asking("constraint", "=", "404684003 << 404684003", "http://snomed.info/sct")),
    ("search-parameter-components", "", {**SP, "type": "composite"}),
    ("search-parameter-derived", "",
     {**SP, "type": "token",
      "derivedFrom": "http://hl7.org/fhir/SearchParameter/Organization-name"}),
    ("structure-definition-type", ".type", differential(type="Observation")),
    ("structure-definition-type", ".type",
     {**SD, "type": "Nope", "kind": "logical", "derivation": "specialization",
      "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element",
      "differential": {"element": [{"id": "Nope", "path": "Nope"}]}}),
    ("structure-definition-path", ".differential.element[0]",
     differential({"path": "Person.birthDate"})),
    ("structure-definition-snapshot", "", differential({"path": "Patient.nope"})),
    ("structure-definition-characteristic", ".differential.element[0]",
     differential({"path": "Patient.birthDate", "type": [{"code": "date"}],
                   "binding": {"strength": "required", "valueSet": "http://a.example/vs"}})),
    ("structure-definition-characteristic", ".differential.element[0]",
     differential({"path": "Patient.active", "type": [{"code": "boolean"}], "maxLength": 3})),
    ("structure-definition-value-type", ".differential.element[0].fixed.ofType(string)",
     differential({"path": "Patient.active", "type": [{"code": "boolean"}], "fixedString": "x"})),
    ("definition-expression", ".differential.element[0].constraint[0].expression",
     differential({"path": "Patient", "constraint": [
         {"key": "x-1", "severity": "error", "human": "h", "expression": "name.("}]})),
]  # fmt: skip


@pytest.mark.parametrize("rule, place, resource", CASES)
def test_what_is_wrong_is_told_at_its_place(rule, place, resource):
    told = found(resource, SYSTEM_WITH_TYPES, WHOLE_SET, SUPPLEMENT, BARE_SET, EXPANDED_SET)
    assert (rule, resource["resourceType"] + place) in told


def test_an_extension_must_fix_its_own_url_and_have_a_context_that_exists():
    extension = {
        **SD, "type": "Extension", "kind": "complex-type",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "context": [{"type": "element", "expression": "Patient.contct"}],
        "differential": {"element": [{"path": "Extension.url", "fixedUri": "http://a.example/x"}]},
    }  # fmt: skip
    rules = {rule for rule, _ in found(extension)}
    assert {"structure-definition-extension-url", "structure-definition-context"} <= rules


def test_a_search_parameter_of_another_type_is_an_error_only_when_its_version_is_named():
    def statement(definition):
        parameter = {"name": "name", "type": "date", "definition": definition}
        resource = {"type": "Patient", "searchParam": [parameter]}
        return {
            "resourceType": "CapabilityStatement", "status": "draft", "date": "2020",
            "kind": "requirements", "fhirVersion": "4.0.1", "format": ["json"],
            "description": "d", "rest": [{"mode": "server", "resource": [resource]}],
        }  # fmt: skip

    url = "http://hl7.org/fhir/SearchParameter/Patient-name"
    place = "CapabilityStatement.rest[0].resource[0].searchParam[0]"
    told = ("capability-search-parameter", place)
    assert found(statement(f"{url}|4.0.1")) == [told]
    assert found(statement(url)) == []
    assert told in found(statement(url), severity="warning")


def test_codes_that_a_value_set_lists_twice_or_that_do_not_exist_are_warned_of():
    clause = {"system": "http://a.example/typed", "concept": [{"code": c} for c in ("a", "a", "z")]}
    told = found(including(clause), SYSTEM_WITH_TYPES, severity="warning")
    assert ("value-set-concept-twice", "ValueSet.compose.include[0].concept[1]") in told
    assert ("value-set-concept", "ValueSet.compose.include[0].concept[2]") in told


def test_a_contained_system_named_by_its_fragment_is_a_warning_when_the_codes_are_listed():
    clause = {"system": "#c1", "concept": [{"code": "a"}]}
    assert found(including(clause)) == []
    told = [rule for rule, _ in found(including(clause), severity="warning")]
    assert "value-set-system" in told


def test_a_version_behind_the_url_of_a_system_is_an_error_when_strict():
    value_set = including({"system": "http://a.example/typed|1"})
    told = ("value-set-system", "ValueSet.compose.include[0]")
    assert told in found(value_set, SYSTEM_WITH_TYPES, severity="warning")
    assert told in found(value_set, SYSTEM_WITH_TYPES, strict=True)


def test_mapped_codes_that_their_system_does_not_have_are_warned_of():
    group = {
        "source": "http://a.example/typed", "target": "http://a.example/typed",
        "element": [{"code": "z", "target": [{"code": "a", "equivalence": "equal"}]}],
    }  # fmt: skip
    concept_map = {"resourceType": "ConceptMap", "status": "draft", "group": [group]}
    told = found(concept_map, SYSTEM_WITH_TYPES, severity="warning")
    assert ("concept-map-code", "ConceptMap.group[0].element[0].code") in told


def mapping(code="a", target="b", **changes):
    group = {
        "source": "http://a.example/typed", "target": "http://a.example/typed",
        "element": [{"code": code, "target": [{"code": target, "equivalence": "equal"}]}],
    }  # fmt: skip
    return {"resourceType": "ConceptMap", "status": "draft", "group": [group], **changes}


LISTING = {
    **VS, "url": "http://a.example/listing",
    "compose": {"include": [{"system": "http://a.example/typed", "concept": [{"code": "a"}]}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "concept_map, told",
    [
        (mapping(), []),
        (mapping(sourceUri="http://a.example/listing"), []),
        (mapping(sourceUri="http://a.example/unknown"), []),
        (mapping("b", sourceUri="http://a.example/listing"),
         [("concept-map-scope", "ConceptMap.group[0].element[0].code")]),
        (mapping(targetCanonical="http://a.example/listing"),
         [("concept-map-scope", "ConceptMap.group[0].element[0].target[0].code")]),
        (mapping(sourceUri="http://a.example/typed"),
         [("concept-map-value-set", "ConceptMap.source.ofType(uri)")]),
    ],
)  # fmt: skip
def test_mapped_codes_are_of_the_value_sets_that_a_map_is_from_and_to(concept_map, told):
    assert found(concept_map, SYSTEM_WITH_TYPES, LISTING, strict=True) == told


@pytest.mark.parametrize(
    "versions, entry, told",
    [
        ("12", {}, True),
        ("11", {}, False),
        ("1", {}, False),
        ("12", {"version": "1"}, False),
        (
            "12",
            {"contains": [{"system": "http://a.example/cs", "code": "b"}], "version": "1"},
            True,
        ),
    ],
)
def test_an_expansion_that_used_two_versions_tells_of_which_a_code_is(versions, entry, told):
    used = [
        {"name": "used-codesystem", "valueUri": f"http://a.example/cs|{version}"}
        for version in versions
    ]
    contains = [{"system": "http://a.example/cs", "code": "a", **entry}]
    value_set = {**VS, "expansion": {"timestamp": "2020", "parameter": used, "contains": contains}}
    wanted = [("value-set-expansion-version", "ValueSet.expansion")] if told else []
    assert found(value_set) == wanted


def test_parts_of_loinc_are_named_by_their_codes():
    asked = asking("COMPONENT", "=", "Glucose", "http://loinc.org")
    place = "ValueSet.compose.include[0].filter[0]"
    assert ("value-set-filter-part", place) in found(asked, severity="warning")


def test_a_parent_that_a_part_of_a_system_lacks_is_only_warned_of():
    system = {
        **CS, "content": "fragment",
        "property": [{"code": "parent", "uri": PROPERTY + "parent", "type": "code"}],
        "concept": [{"code": "a", "property": [{"code": "parent", "valueCode": "zz"}]}],
    }  # fmt: skip
    assert found(system) == []
    told = ("code-system-property-concept", "CodeSystem.concept[0].property[0]")
    assert told in found(system, severity="warning")


@pytest.mark.parametrize(
    "expression, value, told",
    [
        ({"language": "text/fhirpath", "expression": "'a'"}, None, False),
        ({"language": "text/fhirpath", "expression": "'a'"}, "a", True),
        ({"language": "text/fhirpath", "expression": "'a' &"}, None, True),
        ({"language": "text/cql", "expression": "'a'"}, None, True),
        (None, None, True),
    ],
)
def test_a_filter_has_a_value_or_a_fhirpath_that_gives_it(expression, value, told):
    extension = {
        "url": "http://hl7.org/fhir/StructureDefinition/cqf-expression",
        "valueExpression": expression,
    }
    reason = {
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode": "unknown",
    }
    asked = {"property": "concept", "op": "=", **({"value": value} if value else {})}
    asked["_value"] = {"extension": [extension if expression else reason]}
    value_set = including({"system": "http://a.example/typed", "filter": [asked]})
    rules = [rule for rule, _ in found(value_set, SYSTEM_WITH_TYPES)]
    assert ("value-set-filter-expression" in rules) == told


def test_an_expression_for_a_filter_uses_parameters_that_are_defined():
    expression = {"language": "text/fhirpath", "expression": "%inactive"}
    extension = {
        "url": "http://hl7.org/fhir/StructureDefinition/cqf-expression",
        "valueExpression": expression,
    }
    asked = {"property": "inactive", "op": "=", "_value": {"extension": [extension]}}
    value_set = including({"system": "http://a.example/typed", "filter": [asked]})
    assert "value-set-parameter" in [rule for rule, _ in found(value_set)]
    parameter = {"url": "name", "valueCode": "inactive"}
    value_set["extension"] = [
        {
            "url": "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter",
            "extension": [parameter],
        }
    ]
    assert "value-set-parameter" not in [rule for rule, _ in found(value_set)]


@pytest.mark.parametrize(
    "expression, base, is_right",
    [
        ("Organization.name", ["Organization"], True),
        ("name", ["Organization"], True),
        ("Organization.nope", ["Organization"], False),
        ("Organization.name | Patient.name", ["Organization"], False),
        ("Organization.name | Patient.name", ["Organization", "Patient"], True),
        ("Organization.name | Patient.nope", ["Organization", "Patient"], False),
        ("Patient.name", ["Resource"], True),
        ("Observation.valueQuantity", ["Observation"], False),
    ],
)
def test_the_expression_of_a_search_parameter_asks_for_what_its_bases_have(
    expression, base, is_right
):
    parameter = {**SP, "expression": expression, "base": base}
    told = found(parameter, severity="warning")
    place = ("definition-expression-type", "SearchParameter.expression")
    assert (place not in told) is is_right


@pytest.mark.parametrize("key", ["inputProfile", "outputProfile"])
def test_the_profiles_of_an_operation_are_on_parameters(key):
    operation = {
        "resourceType": "OperationDefinition", "name": "Op", "status": "draft",
        "kind": "operation", "code": "op", "system": True, "type": False, "instance": False,
    }  # fmt: skip
    core = "http://hl7.org/fhir/StructureDefinition/"
    place = f"OperationDefinition.{key}"
    assert found({**operation, key: f"{core}Parameters"}) == []
    assert ("operation-profile", place) in found({**operation, key: f"{core}Patient"})
    unknown = found({**operation, key: "http://a.example/nope"}, severity="warning")
    assert ("operation-profile-unknown", place) in unknown


@pytest.mark.parametrize(
    "dependency, rule",
    [
        ({"uri": "http://b.example/ImplementationGuide/b", "packageId": "b.example"}, ""),
        ({"uri": "http://b.example/b", "packageId": "b.example"}, "guide-dependency-url"),
        (
            {"uri": "http://b.example/ImplementationGuide/b", "packageId": "B"},
            "guide-dependency-package",
        ),
        (
            {"uri": "http://b.example/ImplementationGuide/b", "version": None},
            "guide-dependency-version",
        ),
    ],
)
def test_what_a_guide_depends_on_is_a_guide_in_a_package(dependency, rule):
    guide = {
        "resourceType": "ImplementationGuide", "url": "http://a.example/ImplementationGuide/a",
        "name": "A", "status": "draft", "packageId": "a.example", "fhirVersion": ["4.0.1"],
        "dependsOn": [{k: v for k, v in ({"version": "1"} | dependency).items() if v}],
    }  # fmt: skip
    told = {r for s in ("error", "warning") for r, _ in found(guide, severity=s)}
    assert {r for r in told if r.startswith("guide-")} == ({rule} if rule else set())
