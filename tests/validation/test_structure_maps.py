"""StructureMaps and the parameters of operations: what they name is there, and agrees."""

import pytest

from fhirpkg import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

MAP = "http://example.org/StructureMap/"
CORE = "http://hl7.org/fhir/StructureDefinition/"


def inputs(*names):
    return [{"name": name, "mode": "source"} for name in names]


def rule(context="src", target="tgt", **more):
    return {
        "name": "r",
        "source": [{"context": context, "element": "id", "variable": "a"}],
        "target": [
            {
                "context": target,
                "contextType": "variable",
                "element": "id",
                "transform": "copy",
                "parameter": [{"valueId": "a"}],
            }
        ],
        **more,
    }


def structure_map(*rules, groups=(), **more):
    main = {"name": "main", "typeMode": "none", "input": inputs("src", "tgt"), "rule": rules}
    return {
        "resourceType": "StructureMap",
        "url": f"{MAP}one",
        "name": "One",
        "status": "draft",
        "group": [main | {"rule": list(rules)}, *groups],
        **more,
    }


def told(resource, *loaded, strict=True):
    definitions = Definitions.core().with_resources(loaded)
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    return [
        (issue.rule, issue.expression.partition(".group[0].")[2] or issue.expression)
        for issue in validator.validate(resource).errors
        if issue.rule.startswith(("structure-map", "operation-"))
    ]


OTHER = {"name": "other", "typeMode": "none", "input": inputs("x"), "rule": [rule("x", "x")]}


@pytest.mark.parametrize(
    "rules, found",
    [
        ([rule()], []),
        ([rule("nope")], [("structure-map-variable", "rule[0].source[0].context")]),
        ([rule(target="nope")], [("structure-map-variable", "rule[0].target[0].context")]),
        ([rule("Patient")], []),
        ([rule(), rule("a")], [("structure-map-variable", "rule[1].source[0].context")]),
        ([rule(rule=[rule("a")])], []),
        (
            [rule(rule=[rule("a", "b")])],
            [("structure-map-variable", "rule[0].rule[0].target[0].context")],
        ),
        ([rule(dependent=[{"name": "other", "variable": ["a"]}])], []),
        (
            [rule(dependent=[{"name": "other", "variable": ["z"]}])],
            [("structure-map-variable", "rule[0].dependent[0].variable[0]")],
        ),
        (
            [rule(dependent=[{"name": "other", "variable": ["a", "src"]}])],
            [("structure-map-inputs", "rule[0].dependent[0]")],
        ),
        (
            [rule(dependent=[{"name": "nope", "variable": ["a"]}])],
            [("structure-map-group", "rule[0].dependent[0].name")],
        ),
    ],
)
def test_rules_use_variables_and_groups_that_are_there(rules, found):
    assert told(structure_map(*rules, groups=[OTHER])) == found


def test_groups_may_be_of_an_imported_map_as_far_as_it_is_loaded():
    call = rule(dependent=[{"name": "other", "variable": ["a"]}])
    importing = structure_map(call, **{"import": [f"{MAP}two"]})
    assert told(importing) == []
    there = structure_map(rule(), groups=[OTHER], url=f"{MAP}two")
    assert told(importing, there) == []
    without = structure_map(rule(), url=f"{MAP}two")
    assert [name for name, _ in told(importing, without)] == ["structure-map-group"]
    extending = structure_map(rule())
    extending["group"][0]["extends"] = "othr"
    assert [name for name, _ in told(extending)] == ["structure-map-group"]


def test_a_variable_that_is_not_there_is_an_error_under_strict_only():
    assert told(structure_map(rule("nope")), strict=False) == []


def operation(**parameter):
    return {
        "resourceType": "OperationDefinition",
        "name": "Op",
        "status": "draft",
        "kind": "operation",
        "code": "op",
        "system": True,
        "type": False,
        "instance": False,
        "inputProfile": "http://example.org/in",
        "parameter": [
            {"name": "code", "use": "in", "min": 0, "max": "1", "type": "code", **parameter}
        ],
    }


def profile(name="code", type_="code", **more):
    at = "Parameters.parameter"
    return {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/in",
        "name": "In",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Parameters",
        "baseDefinition": f"{CORE}Parameters",
        "derivation": "constraint",
        "differential": {
            "element": [
                {
                    "id": at,
                    "path": at,
                    "slicing": {
                        "discriminator": [{"type": "value", "path": "name"}],
                        "rules": "open",
                    },
                },
                {"id": f"{at}:one", "path": at, "sliceName": "one", **more},
                {"id": f"{at}:one.name", "path": f"{at}.name", "fixedString": name},
                {"id": f"{at}:one.value[x]", "path": f"{at}.value[x]", "type": [{"code": type_}]},
            ]
        },
    }


@pytest.mark.parametrize(
    "asked, given, is_told",
    [
        ({}, {}, False),
        ({}, {"min": 1, "max": "1"}, False),
        ({"min": 1}, {"max": "0"}, True),
        ({}, {"min": 2}, True),
        ({}, {"name": "cod"}, False),
        ({}, {"name": "cod", "min": 1}, True),
        ({"use": "out"}, {}, False),
        ({"use": "out"}, {"min": 1}, True),
        ({}, {"type_": "Coding"}, True),
        ({"type": "string"}, {"type_": "code"}, False),
        ({"type": "Element"}, {"type_": "Coding"}, False),
    ],
)
def test_the_profile_of_an_operation_keeps_to_its_parameters(asked, given, is_told):
    found = told(operation(**asked), profile(**given))
    assert found == ([("operation-parameter", "OperationDefinition.inputProfile")] * is_told)


def test_an_optional_parameter_that_only_the_profile_has_is_a_warning():
    definitions = Definitions.core().with_resources([profile(name="cod")])
    issues = Validator(definitions=definitions).validate(operation()).issues
    found = [(str(i.severity), i.expression) for i in issues if i.rule == "operation-parameter"]
    assert found == [("warning", "OperationDefinition.inputProfile")]


def typed(source, target, source_type="From", target_type="To"):
    """A map of a Patient to a Person whose rule names these elements."""
    made = structure_map(rule(), structure=[
        {"url": f"{CORE}Patient", "mode": "source", "alias": "From"},
        {"url": f"{CORE}Person", "mode": "target", "alias": "To"},
    ])  # fmt: skip
    [group] = made["group"]
    group["input"] = [
        {"name": "src", "type": source_type, "mode": "source"},
        {"name": "tgt", "type": target_type, "mode": "target"},
    ]
    group["rule"][0]["source"][0]["element"] = source
    group["rule"][0]["target"][0]["element"] = target
    return made


@pytest.mark.parametrize(
    "source, target, found",
    [
        ("name", "name", []),
        ("deceased", "gender", []),
        ("deceasedBoolean", "gender", []),
        ("nome", "name", ["source[0].element"]),
        ("name", "contact", ["target[0].element"]),
    ],
)
def test_rules_name_elements_of_what_they_map(source, target, found):
    expected = [("structure-map-element", f"rule[0].{place}") for place in found]
    assert told(typed(source, target)) == expected


@pytest.mark.parametrize(
    "inner, is_found",
    [
        ({"element": "family"}, False),
        ({"element": "famly"}, True),
        ({"element": "famly", "context": "unknown"}, False),
    ],
)
def test_variables_have_the_types_of_the_elements_they_name(inner, is_found):
    made = typed("name", "name")
    outer = made["group"][0]["rule"][0]
    source = {"context": "a", **inner}
    outer["rule"] = [{"name": "r", "source": [source], "target": []}]
    found = [name for name, _ in told(made) if name != "structure-map-variable"]
    assert found == (["structure-map-element"] if is_found else [])


@pytest.mark.parametrize(
    "transform, element, found",
    [
        ("create", "family", ["structure-map-element"]),
        ("create", "city", []),
        ("copy", "city", ["structure-map-element"]),
    ],
)
def test_what_a_target_creates_is_of_the_type_it_says(transform, element, found):
    made = typed("name", "name")
    outer = made["group"][0]["rule"][0]
    parameters = [{"valueString": "Address"}] if transform == "create" else [{"valueId": "a"}]
    outer["target"][0] |= {"variable": "b", "transform": transform, "parameter": parameters}
    target = {"context": "b", "contextType": "variable", "element": element, "transform": "uuid"}
    outer["rule"] = [
        {"name": "r", "source": [{"context": "a"}], "target": [target]},
    ]
    assert [name for name, _ in told(made)] == found


@pytest.mark.parametrize(
    "aliases, found",
    [
        ({"source_type": "Patient"}, []),
        ({"source_type": "HumanName"}, ["element"]),
        ({"source_type": "Frm"}, ["type"]),
        ({"source_type": "To"}, ["mode"]),
        ({"target_type": "From"}, ["mode"]),
    ],
)
def test_inputs_are_of_structures_that_the_map_names(aliases, found):
    names = [name for name, _ in told(typed("gender", "gender", **aliases))]
    assert names == [f"structure-map-{name}" for name in found]


@pytest.mark.parametrize("calls, found", [
    ({"dependent": [{"name": "next", "variable": ["tgt"]}]}, []),
    ({"rule": [rule(dependent=[{"name": "next", "variable": ["tgt"]}])]}, []),
    ({}, ["structure-map-mode"]),
])  # fmt: skip
def test_a_group_that_is_called_may_read_what_was_made(calls, found):
    made = typed("gender", "gender")
    made["group"][0]["rule"][0] |= calls
    reading = [{"name": "made", "type": "To", "mode": "source"}]
    made["group"].append({"name": "next", "typeMode": "none", "input": reading, "rule": []})
    assert [name for name, _ in told(made)] == found
