"""What is decided without FHIRPath is what FHIRPath says."""

import itertools
from types import SimpleNamespace

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath.environment import Environment
from fhirpkg.fhirpath.expression import compile_expression
from fhirpkg.issues import Severity
from fhirpkg.validation.compiling.schema import Constraint
from fhirpkg.validation.elements.constraints import (
    ELD_13,
    ELD_14,
    ELD_19,
    ELD_20,
    ELE_1,
    EXT_1,
    REF_1,
    VIOLATED,
    elements_needed,
    inlined,
    invariant,
    keys_looked_at,
)
from fhirpkg.validation.elements.errata import CORRECTED, MEANT, corrected
from fhirpkg.validation.run import Run, Settings
from fhirpkg.validation.validator import Validator

CONSTRAINT = Constraint("x-1", "error", "words", "name.exists()")


@pytest.mark.parametrize(
    "text, type_name, keys",
    [
        (ELE_1, "Extension", ["id", "url", "extension", "valueString"]),
        (ELE_1, "Coding", ["id", "code", "display"]),
        (EXT_1, "Extension", ["id", "url", "extension", "valueString", "_valueString"]),
    ],
)
def test_conditions_in_python_agree_with_the_expression(validator, text, type_name, keys):
    compiled = compile_expression(text, validator.definitions.types, type_name)
    values = {"extension": [{"url": "a", "valueString": "x"}], "_valueString": {"id": "x"}}
    for size in range(1, len(keys) + 1):
        for chosen in itertools.combinations(keys, size):
            v = {key: values.get(key, "x") for key in chosen}
            violated = eval(VIOLATED[text], {"len": len}, {"v": v})
            assert violated is not compiled.is_true(v, Environment(resource={})), v


@pytest.mark.parametrize("reference", ["#a", "#", "Patient/1", "", "#absent", None])
def test_a_reference_that_leads_out_is_not_asked_for_its_contained_target(validator, reference):
    schemas = validator._checks.schemas
    [ref_1] = [c for c in schemas.type("Reference").constraints if c.key == "ref-1"]
    assert inlined(ref_1.expression) == VIOLATED[REF_1]
    text = corrected(ref_1.expression, by_letter=False)
    compiled = compile_expression(text, validator.definitions.types, "Reference")
    resource = {"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": "a"}]}
    environment = Environment(resource=resource, root_resource=resource)
    v = {"display": "x"} | ({"reference": reference} if reference is not None else {})
    run = Run(resource, validator.definitions, validator._checks.terminology)
    with run.inside(resource, ()):
        is_asked = eval(VIOLATED[REF_1], {"str": str}, {"v": v, "run": run})
    assert is_asked is (reference in {"#", "#absent"})
    assert is_asked or reference is None or compiled.is_true(v, environment)


PLAIN_PATHS = ["Patient", "Patient.name", "Patient.name.given", "A1.b2", f"a.{'b' * 62}"]
OTHER_PATHS = ["", "1a", "Patient.", ".a", "a..b", "Patient.Name", "Patient.n-m", "a b", "a.b:c",
               "Patient.value[x]", "é.a", "a.é", "a" * 65, f"a.{'b' * 65}", "a.1", "a.b\n", None, 1,
               ["a"], {}]  # fmt: skip


@pytest.mark.parametrize("start", [ELD_19, ELD_20])
@pytest.mark.parametrize("path", [*PLAIN_PATHS, *OTHER_PATHS])
def test_a_path_that_is_not_asked_about_is_one(validator, start, path):
    known = validator._checks.schemas.type("ElementDefinition").constraints
    [found] = [each for each in known if each.expression.startswith(start)]
    assert inlined(found.expression) == VIOLATED[start]
    compiled = compile_expression(
        found.expression, validator.definitions.types, "ElementDefinition"
    )
    v = {"id": "x"} | ({} if path is None else {"path": path})
    is_asked = eval(VIOLATED[start], {}, {"v": v})
    assert is_asked is (path not in PLAIN_PATHS)
    assert is_asked or compiled.is_true(v, Environment(resource={}))


def core_schemas(validator):
    schemas = validator._checks.schemas
    for entry in validator.definitions.entries("StructureDefinition"):
        if entry.derivation == "constraint" or entry.kind not in {"resource", "complex-type"}:
            continue
        todo = [schemas.type(entry.type)]
        while todo:
            schema = todo.pop()
            todo += schema.children
            yield schema


def core_constraints(validator):
    for schema in core_schemas(validator):
        if "." not in schema.path or schema.children:
            yield from ((schema, each) for each in schema.constraints)


def test_an_invariant_that_is_left_out_where_its_keys_are_absent_is_true_there(validator):
    parts, types = validator._checks._parts, validator.definitions.types
    guarded = 0
    for schema, constraint in core_constraints(validator):
        keys = parts.guard(constraint, schema)
        if keys is None or constraint.key.startswith(("dom-", "ref-")):
            continue
        guarded += 1
        text = corrected(constraint.expression, by_letter=False)
        others = [k for k in parts.members(schema) if k not in keys and k != "resourceType"]
        compiled = compile_expression(text, types, schema.path)
        for key in others:
            assert compiled.is_true({key: "x"}, Environment(resource={})), (constraint, key)
    assert guarded > 70


def test_an_invariant_is_true_where_an_element_that_it_needs_is_absent(validator):
    parts, types = validator._checks._parts, validator.definitions.types
    met = 0
    for schema, constraint in core_constraints(validator):
        text = corrected(constraint.expression, by_letter=False)
        for keys in parts.needed(constraint, schema):
            met += 1
            v = {k: "x" for k in parts.members(schema) if k not in keys and k != "resourceType"}
            compiled = compile_expression(text, types, schema.path)
            assert compiled.is_true(v, Environment(resource={})), (constraint, keys)
    assert met > 60


@pytest.mark.parametrize(
    "text, needed",
    [
        ("a.empty() or b.empty() or c > 1", {"a", "b"}),
        ("a.empty() or b > 1 or c.empty()", {"a"}),
        ("(a.empty() or b.empty()) implies c.exists()", set()),
        ("a.exists() implies b.exists()", {"a"}),
        ("(a.b.exists() and c = 1) implies d.exists()", {"a"}),
        ("(a = 1 and c.exists()) implies d.exists()", set()),
        ("a.empty() and b.empty()", set()),
        ("a.exists(b = 1) implies c.exists()", set()),
        ("%resource.a.exists() implies b.exists()", set()),
        ("a.exists(", set()),
    ],
)
def test_an_element_is_needed_only_where_it_decides_first(text, needed):
    assert elements_needed(text) == needed


@pytest.mark.parametrize("type_", [None, "x", [], [{"code": "a"}], [{"code": "a"}, {"code": "b"}]])
@pytest.mark.parametrize("twice", [False, True])
def test_types_that_differ_are_not_asked_for_their_codes(validator, type_, twice):
    types = [*type_, *type_] if twice and isinstance(type_, list) else type_
    v = {"path": "x"} | ({} if types is None else {"type": types})
    compiled = compile_expression(ELD_13, validator.definitions.types, "ElementDefinition")
    is_asked = eval(VIOLATED[ELD_13], {"len": len, "type": type, "list": list}, {"v": v})
    assert is_asked or compiled.is_true(v, Environment(resource={}))


@pytest.mark.parametrize(
    "value, is_asked",
    [
        (None, False),
        ([{"key": "a"}], False),
        ([{"key": "a"}, {"key": "b"}], False),
        ([{"key": "a"}, {"key": "a"}], True),
        ([{"key": "a"}, {}], True),
        ([{"key": "a"}, {"key": 1}, "x"], True),
        ({"key": "a"}, True),
    ],
)
def test_constraints_whose_keys_differ_are_not_asked_for_them(validator, value, is_asked):
    v = {"path": "x"} | ({} if value is None else {"constraint": value})
    compiled = compile_expression(ELD_14, validator.definitions.types, "ElementDefinition")
    assert bool(eval(VIOLATED[ELD_14], {}, {"v": v})) is is_asked
    assert is_asked or compiled.is_true(v, Environment(resource={}))


@pytest.mark.parametrize(
    "names, places",
    [
        ([{"text": "x"}, {"given": ["y"]}, {"given": ["y"], "family": "z"}], [1]),
        ([{"_given": [{"extension": [{"url": "http://a.test/x", "valueCode": "y"}]}]}], [0]),
        ([{"given": ["y"]}, {"given": ["y"]}], [0, 1]),
        ([5, {"given": ["y"]}], [1]),
    ],
)
def test_an_invariant_of_an_element_in_a_profile_is_asked_where_it_may_be_broken(names, places):
    profile = suppressing("x-1", "http://hl7.org/fhir/StructureDefinition/Patient", 1)
    rule = {
        "key": "x-2", "severity": "error", "human": "whole",
        "expression": "given.exists() implies family.exists()",
    }  # fmt: skip
    profile["differential"]["element"] += [
        {"id": "Patient.name", "path": "Patient.name", "constraint": [rule]}
    ]
    validator = Validator(definitions=Definitions.core().with_resources([profile]))
    outcome = validator.validate({"resourceType": "Patient", "name": names}, [profile["url"]])
    found = [issue.expression for issue in outcome.issues if issue.rule == "x-2"]
    assert found == [f"Patient.name[{at}]" for at in places]


def test_an_invariant_of_a_datatype_where_it_is_used_is_true_without_its_keys(validator):
    """sdf-10 and others, which StructureDefinition has of its ElementDefinitions."""
    parts, types = validator._checks._parts, validator.definitions.types
    met = 0
    for schema in core_schemas(validator):
        of_type = parts.type_of(schema)
        for constraint in parts.constraints(schema, "") if of_type else ():
            compiled = compile_expression(parts._formula(constraint), types, of_type.path)
            guard = parts.guard(constraint, of_type)
            for keys in parts.needed(constraint, of_type) or ([guard] if guard else []):
                met += 1
                names = parts.members(of_type).keys() - keys - {"resourceType"}
                v = dict.fromkeys(names, "x")
                assert compiled.is_true(v, Environment(resource={})), (constraint, keys)
    assert met


def test_an_invariant_that_held_is_evaluated_again_for_other_values(validator):
    found = []
    run = SimpleNamespace(environment=Environment(), report=lambda *a, **_: found.append(a[1]))
    types = validator.definitions.types
    text = "active = true or name.exists()"
    checked = invariant(Constraint("x", "error", "w", text), "", "Patient", types, None)
    checked.looks_at(["active", "name"])
    values = [{"active": True}, {"active": 1}, {"active": True}, {"active": False}, {"active": 1}]
    values += [{"name": [{}]}, {"name": []}, {"active": True, "name": []}, {}]
    for number, value in enumerate(values):
        checked(value, None, (None, number), run)
    assert [place[1] for place in found] == [1, 3, 4, 6, 8]


def test_what_an_invariant_remembers_is_limited_in_number_and_length(validator, monkeypatch):
    monkeypatch.setattr("fhirpkg.validation.elements.constraints._MOST_KEPT", 5)
    types = validator.definitions.types
    checked = invariant(Constraint("x", "error", "w", "name.exists()"), "", "Patient", types, None)
    checked.looks_at(["name"])
    run = SimpleNamespace(environment=Environment(), report=None)
    sizes = []
    for value in ["a" * 100_000, *"abcdefg", "b" * 100_000]:
        checked({"name": value}, None, None, run)
        sizes.append(len(checked._held))
    assert sizes == [0, 1, 2, 3, 4, 5, 1, 2, 2]


def test_every_invariant_of_the_core_can_be_compiled(validator):
    types = validator.definitions.types
    texts = set()
    for schema, constraint in core_constraints(validator):
        texts.add(constraint.expression)
        if constraint.expression:
            compile_expression(constraint.expression, types, schema.path)
    assert len(texts) > 180


@pytest.mark.parametrize(
    "text, keys",
    [
        ("code.empty() or system.exists()", {"code", "system"}),
        ("value.exists()", {"valueString", "valueInteger"}),
        ("'code' = 'system'", set()),
        ("name.startsWith(%ucum)", set()),
        ("iif(code.exists(), system is uri, true)", {"code", "system"}),
        ("type.all(code.exists())", {"code"}),
        ("type().name = 'string' or code.exists()", None),
        ("%resource.code.exists()", None),
        ("children().empty()", None),
        ("$this.code.exists()", None),
    ],
)
def test_the_keys_an_expression_looks_at_are_those_it_names(text, keys):
    names = {"code": "code", "system": "system", "valueString": "value", "valueInteger": "value"}
    found = keys_looked_at(text, names)
    assert found == (None if keys is None else frozenset(keys))


def test_best_practice_and_narrative_are_left_out(validator):
    types = validator.definitions.types
    practice = Constraint("x", "warning", "w", "true", best_practice=True)
    assert invariant(practice, "", "Patient", types, None) is None
    asked = invariant(practice, "", "Patient", types, Severity.ERROR)
    assert asked.severity is Severity.ERROR
    narrative = Constraint("txt-1", "error", "w", "htmlChecks()")
    assert invariant(narrative, "", "xhtml", types, None) is None
    assert invariant(Constraint("x", "error", "w", ""), "", "Patient", types, None) is None


def test_the_severity_is_that_of_the_constraint(validator):
    types = validator.definitions.types
    warning = Constraint("x", "warning", "w", "true")
    assert invariant(warning, "", "Patient", types, None).severity is Severity.WARNING
    assert invariant(CONSTRAINT, "", "Patient", types, None).severity is Severity.ERROR


@pytest.mark.parametrize("published", sorted({**MEANT, **CORRECTED}))
def test_a_corrected_expression_stands_in_the_published_definitions(validator, published):
    assert any(c.expression == published for _, c in core_constraints(validator))


SUPPRESS = "http://hl7.org/fhir/StructureDefinition/elementdefinition-suppress"
NO_TEXT = {"resourceType": "Patient", "active": True}
WARNED = {"key": "w-1", "severity": "warning", "human": "born", "expression": "birthDate.exists()"}


def suppressing(name, base, number, **more):
    constraint = {"key": name, "severity": "warning", "human": "x"}
    constraint |= more or {"extension": [{"url": SUPPRESS, "valueBoolean": True}]}
    return {
        "resourceType": "StructureDefinition", "url": f"http://example.org/s{number}",
        "name": "S", "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": base, "derivation": "constraint",
        "differential": {"element": [
            {"id": "Patient", "path": "Patient", "constraint": [constraint]}
        ]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "key, more, is_found",
    [
        ("dom-6", {}, False),
        ("dom-6", {"expression": "text.exists()"}, True),
        ("dom-3", {}, True),
        ("w-1", {}, False),
        ("w-2", {}, True),
    ],
)
def test_a_profile_suppresses_warnings_that_it_names(key, more, is_found):
    """Best practice of the type and warnings of the profile below; never what is an error."""
    core = "http://hl7.org/fhir/StructureDefinition/Patient"
    warning = suppressing("w-1", core, 1, **WARNED)
    profile = suppressing(key, warning["url"], 2, **more)
    definitions = Definitions.core().with_resources([warning, profile])
    settings = Settings(best_practice=Severity.WARNING)
    text = {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    inner = {"resourceType": "Basic", "id": "a", "code": {"text": "x"}, "text": text}
    resource = NO_TEXT | {"contained": [inner]}
    validator = Validator(definitions=definitions, settings=settings)
    rules = {issue.rule for issue in validator.validate(resource, [profile["url"]]).issues}
    assert {"dom-6", "dom-3", "w-1"} - rules == (set() if is_found else {key})


@pytest.mark.parametrize(
    "start, end, is_right",
    [
        ("2020-01-01", "2020-01-01T10:00:00Z", True),
        ("2020-01-01T10:00:00Z", "2020-01-01", True),
        ("2020-05", "2020", True),
        ("2020-01-02", "2020-01-01T10:00:00Z", False),
        ("2021", "2020-12", False),
        ("2020-01-02", "2020-01-01", False),
    ],
)
def test_a_period_is_in_order_as_far_as_its_bounds_say(validator, start, end, is_right):
    patient = {
        "resourceType": "Patient",
        "name": [{"text": "x", "period": {"start": start, "end": end}}],
    }
    found = [issue.rule for issue in validator.validate(patient).errors]
    assert found == ([] if is_right else ["per-1"])
