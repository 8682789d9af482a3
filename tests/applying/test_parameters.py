"""Parameters of logic, from `$apply` and a command line, by the type they are declared to have."""

import base64
from decimal import Decimal

import pytest

from fhirpkg.applying.application import apply, parameter_values
from fhirpkg.applying.given import of_words
from fhirpkg.repository import MemoryRepository

MG = {"code": "mg", "unit": "mg", "system": "http://unitsofmeasure.org"}
ML = MG | {"code": "mL", "unit": "mL"}
PERIOD = {"start": "2026-01-01T00:00:00.000Z", "end": "2026-02-01T00:00:00.000Z"}
CODING = {"system": "s", "code": "c", "display": "d"}
SAME = "Concept { codes: { Code { system: 's', code: 'c' } } }"
GIVEN = [  # declared, what must be true, what Parameters hold
    ("Integer", "P = 5", {"valueInteger": 5}),
    ("Decimal", "P / 2 = 2.5", {"valueInteger": 5}),
    ("Decimal", "P = 5.5", {"valueDecimal": Decimal("5.5")}),
    ("String", "P = 'x'", {"valueCode": "x"}),
    ("Boolean", "P", {"valueBoolean": True}),
    ("Date", "P < @2026-02-01", {"valueDate": "2026-01-31"}),
    ("DateTime", "P < @2026-02-01T00:00:00.0Z", {"valueDateTime": "2026-01-31T00:00:00Z"}),
    ("DateTime", "P = @2026-01-31T00:00:00.0Z", {"valueInstant": "2026-01-31T00:00:00.000Z"}),
    ("DateTime", "year from P = 2026 and hour from P is null", {"valueDate": "2026-01-31"}),
    ("Time", "P < @T12:00:00", {"valueTime": "10:00:00"}),
    ("Quantity", "P + 1 'mg' = 6 'mg'", {"valueQuantity": {"value": 5} | MG}),
    ("Quantity", "P < 2 weeks", {"valueDuration": {"value": 5} | MG | {"code": "d"}}),
    ("Ratio", "P.numerator = 1 'mg'",
     {"valueRatio": {"numerator": {"value": 1} | MG, "denominator": {"value": 2} | ML}}),
    ("Code", "P.code = 'c' and P.system = 's'", {"valueCoding": CODING}),
    ("Code", "P.code = 'c'", {"valueCodeableConcept": {"coding": [CODING]}}),
    ("Concept", f"P ~ {SAME}", {"valueCodeableConcept": {"coding": [CODING], "text": "t"}}),
    ("Concept", "exists (P.codes C where C.code = 'c')", {"valueCoding": CODING}),
    ("Interval<DateTime>", "@2026-01-15T00:00:00.0Z in P", {"valuePeriod": PERIOD}),
    ("Interval<DateTime>", "start of P = @2026-01-01T00:00:00.0Z", {"valuePeriod": PERIOD}),
    ("Interval<Date>", "@2026-02-01 in P",
     {"valuePeriod": {"start": "2026-01-01", "end": "2026-02-01"}}),
    ("Interval<DateTime>", "@2099-01-15T00:00:00.0Z in P",
     {"valuePeriod": {"start": "2026-01-01T00:00:00Z"}}),
    ("Interval<Quantity>", "5 'mg' in P",
     {"valueRange": {"low": {"value": 1} | MG, "high": {"value": 9} | MG}}),
    ("Interval<Integer>", "5 in P and not (10 in P)",
     {"valueRange": {"low": {"value": 1}, "high": {"value": Decimal("9.0")}}}),
    ("List<Integer>", "P = {5}", {"valueInteger": 5}),
    ("List<Code>", "exists (P C where C.code = 'c')", {"valueCoding": CODING}),
    ("List<Quantity>", "First(P) = 5 'mg'", {"valueQuantity": {"value": 5} | MG}),
    ("Choice<Integer, String>", "P = 'x'", {"valueString": "x"}),
    ("FHIR.Patient", "P.id = 'y'", {"resource": {"resourceType": "Patient", "id": "y"}}),
    ("List<FHIR.Patient>", "Count(P) = 1", {"resource": {"resourceType": "Patient"}}),
    ("FHIR.Period", "P.start.value = @2026-01-01T00:00:00.0Z", {"valuePeriod": PERIOD}),
    ("Tuple { a Integer, b String }", "P.a = 1 and P.b = 'x'",
     {"part": [{"name": "a", "valueInteger": 1}, {"name": "b", "valueString": "x"}]}),
    ("Integer default 7", "P = 5", {"valueInteger": 5}),
    ("default 7", "P = 5", {"valueInteger": 5}),
    ("Interval<DateTime> default Interval[@2025-01-01T00:00:00.0Z, @2025-02-01T00:00:00.0Z]",
     "@2026-01-15T00:00:00.0Z in P", {"valuePeriod": PERIOD}),
]  # fmt: skip
WRITTEN = [
    ("Interval<DateTime>", "@2026-01-15T00:00:00.0Z in P",
     "Interval[@2026-01-01T00:00:00.0Z, @2026-02-01T00:00:00.0Z)"),
    ("Interval<Integer>", "3 in P and not (5 in P)", "Interval[1, 5)"),
    ("Quantity", "P < 6 'mg'", "5 'mg'"),
    ("List<Integer>", "Sum(P) = 3", "{1, 2}"),
    ("Code", "P.code = 'c'", "Code { system: 's', code: 'c' }"),
    ("Concept", f"P ~ {SAME}", SAME),
    ("Tuple { a Integer }", "P.a = 1", "{ a: 1 }"),
    ("Ratio", "P.denominator = 2 'mL'", "1 'mg':2 'mL'"),
    ("Time", "P < @T12:00", "@T10:00"),
    ("Integer", "P is null", "null"),
    ("Date", "P = @2026-01-31", "@2026-01-31"),
    ("Long", "P = 5L", "5L"),
]  # fmt: skip
REFUSED = [
    ("Integer", {"valueString": "5"}),
    ("Integer", {"valueBoolean": True}),
    ("Boolean", {"valueString": "true"}),
    ("Date", {"valueString": "soon"}),
    ("Interval<DateTime>", {"valueDateTime": "2026-01-31"}),
    ("Interval<DateTime>", {"valueRange": {"low": {"value": 1}}}),
    ("Quantity", {"valueString": "much"}),
    ("List<Integer>", {"valueString": "x"}),
    ("FHIR.Patient", {"resource": {"resourceType": "Group"}}),
]


def why(declared, text, parameters):
    """The result of applying a plan with one condition, by a library with one parameter."""
    cql = f"library L using FHIR version '4.0.1' parameter P {declared} context Patient"
    data = base64.b64encode(f"{cql} define X: {text}".encode()).decode()
    library = {"resourceType": "Library", "id": "l", "url": "http://e.org/Library/l", "name": "L"}
    library["content"] = [{"contentType": "text/cql", "data": data}]
    expression = {"language": "text/cql-identifier", "expression": "X"}
    condition = {"kind": "applicability", "expression": expression}
    plan = {"resourceType": "PlanDefinition", "id": "p", "library": [library["url"]]}
    plan["action"] = [{"title": "t", "condition": [condition]}]
    patient = {"resourceType": "Patient", "id": "x"}
    return apply(plan, "x", MemoryRepository([patient, library]), parameters=parameters)


def of(*given):
    parts = [{"name": "P"} | part for part in given]
    return parameter_values({"resourceType": "Parameters", "parameter": parts})


@pytest.mark.parametrize("declared, text, given", GIVEN)
def test_a_parameter_has_the_type_that_it_is_declared_to_have(declared, text, given):
    (found,) = why(declared, text, of(given)).why
    assert (str(found.verdict), found.reason) == ("applicable", "X")


@pytest.mark.parametrize("declared, text, written", WRITTEN)
def test_a_parameter_is_written_as_a_value_of_cql(declared, text, written):
    (found,) = why(declared, text, of_words([f"P={written}"])).why
    assert (str(found.verdict), found.reason) == ("applicable", "X")


@pytest.mark.parametrize("declared, given", REFUSED)
def test_a_value_of_another_type_is_not_evaluated_and_named(declared, given):
    (found,) = why(declared, "P is not null", of(given)).why
    assert str(found.verdict) == "not evaluated"
    assert f"'P' is {declared.removeprefix('FHIR.')}, which" in found.reason


def test_a_name_that_appears_twice_is_a_list():
    result = why("List<Integer>", "Sum(P) = 3", of({"valueInteger": 1}, {"valueInteger": 2}))
    assert str(result.why[0].verdict) == "applicable"


def test_a_parameter_that_nothing_has_is_told():
    result = why("Integer default 5", "P = 5", {"p": 4, "P": 5})
    (told,) = [i["diagnostics"] for o in result.outcomes for i in o["issue"]]
    assert told.startswith("the parameter 'p' is not used")
