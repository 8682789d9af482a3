"""Contexts, namespaces, versions and offsets of CQL: the right answer, or a refusal by name."""

import base64
import datetime as dt
import json

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.cql.evaluating.library import from_elm
from fhirpkg.cql.reading.elm import elm_text
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

HEAD = "library L version '1' using FHIR version '4.0.1'\n"
MINE = HEAD + "context Patient\ndefine Mine: Count([Observation])\n"
COMMON = "library org.a.Common version '1' define Y: true"
OTHER = "library org.b.Common version '2' define Y: false"
LATE = "library L define X: days between @2026-01-01T23:00:00.0-05:00"
TRUE, FALSE = "applicable", "not applicable"
CASES = {  # libraries, the first with X; what X is, or part of the reason why it is not evaluated
    "of the patient": ([MINE + "define X: Mine = 1"], TRUE),
    "no context: of the patient, whom $apply is for": (
        [HEAD + "define X: Count([Observation]) = 1 and Patient.id = 'x'"],
        TRUE,
    ),
    "a context of its own for a literal": ([HEAD + "context Unfiltered\ndefine X: 1 = 1"], TRUE),
    "back to the patient": (
        [HEAD + "context Unfiltered\ndefine One: 1\ncontext Patient\ndefine X: One = 1"],
        TRUE,
    ),
    "a retrieve of everybody's": (
        [HEAD + "context Unfiltered\ndefine X: exists [Observation]"],
        "context Unfiltered",
    ),
    "a retrieve of a population": (
        [HEAD + "context Population\ndefine X: exists [Observation]"],
        "context Population",
    ),
    "what is of each patient, for a population": (
        [MINE + "context Population\ndefine X: Sum(Mine) = 2"],
        "'Mine' is defined for one patient",
    ),
    "what is of each patient, unfiltered": (
        [MINE + "context Unfiltered\ndefine X: Mine = 1"],
        "'Mine' is defined for one patient",
    ),
    "a practitioner": ([HEAD + "context Practitioner\ndefine X: Practitioner.active"], "known"),
    "no context that there is": ([HEAD + "context Patients\ndefine X: true"], "did you mean"),
    "a namespace": (["library org.a.L include org.a.Common called C define X: C.Y", COMMON], TRUE),
    "a namespace, by its last part": (
        ["library org.a.L include org.a.Common version '1' define X: Common.Y", COMMON],
        TRUE,
    ),
    "another namespace": (
        ["library org.a.L include org.b.Common version '1' called C define X: C.Y", COMMON],
        "org.b.Common version '1'",
    ),
    "of two namespaces the one that is meant": (
        ["library org.a.L include org.a.Common called C define X: C.Y", COMMON, OTHER],
        TRUE,
    ),
    "of two namespaces the other": (
        ["library org.a.L include org.b.Common called C define X: C.Y", COMMON, OTHER],
        FALSE,
    ),
    "a namespace that the library does not say": (
        ["library L include org.b.Common called C define X: C.Y", "library Common define Y: true"],
        TRUE,
    ),
    "a namespace that the include does not say": (
        ["library L include Common called C define X: C.Y", COMMON],
        TRUE,
    ),
    "helpers of a namespace": (
        [HEAD + "include hl7.fhir.uv.cql.FHIRHelpers version '4.0.1' called FH"
         " context Patient define X: FH.ToString(Patient.gender) is null"],
        TRUE,
    ),
    "another version than the text has": (
        ["library L include Common version '2' called C define X: C.Y", COMMON],
        "is of version '1'",
    ),
    "things of no patient": ([HEAD + "context Patient\ndefine X: exists [Location]"], TRUE),
    "an age by year alone": ([HEAD + "context Patient\ndefine X: AgeInYears() >= 45"], TRUE),
    "an age that could be either": (
        [HEAD + "context Patient\ndefine X: AgeInYears() = 46"],
        FALSE,
    ),
    "a duration over two offsets": (
        [f"{LATE} and @2026-01-03T04:00:00.0Z = 1"],
        TRUE,
    ),
    "a duration over two offsets, an hour short": (
        [f"{LATE} and @2026-01-03T03:00:00.0Z = 1"],
        FALSE,
    ),
    "a duration that is surely long enough": (
        ["library L define X: months between @2025 and @2026-03 >= 2"],
        TRUE,
    ),
    "a duration that may be": (
        ["library L define X: months between @2025 and @2026-03 >= 6"],
        FALSE,
    ),
}  # fmt: skip


def resource(text):
    name = text.split()[1]
    local = name.rpartition(".")[2]
    data = base64.b64encode(text.encode()).decode()
    made = {"resourceType": "Library", "id": name, "url": f"http://e.org/Library/{name}"}
    return made | {"name": local, "content": [{"contentType": "text/cql", "data": data}]}


def observed(patient):
    made = {"resourceType": "Observation", "id": f"of-{patient}", "status": "final"}
    return made | {"code": {"text": "c"}, "subject": {"reference": f"Patient/{patient}"}}


@pytest.mark.parametrize("name", CASES)
def test_it_is_as_cql_says_or_refused_by_name(name):
    texts, wanted = CASES[name]
    libraries = [resource(text) for text in texts]
    expression = {"language": "text/cql-identifier", "expression": "X"}
    action = {"title": "t", "condition": [{"kind": "applicability", "expression": expression}]}
    plan = {"resourceType": "PlanDefinition", "id": "p", "library": [libraries[0]["url"]]}
    patients = [{"resourceType": "Patient", "id": name, "birthDate": "1980"} for name in "xy"]
    place = {"resourceType": "Location", "id": "l"}
    data = MemoryRepository([*libraries, *patients, observed("x"), observed("y"), place])
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    (why,) = apply(plan | {"action": [action]}, "x", data, now=now).why
    if wanted in {TRUE, FALSE}:
        assert str(why.verdict) == wanted, why.reason
    else:
        assert str(why.verdict) == "not evaluated"
        assert wanted in why.reason


NOT_MINE = {"type": "Not", "operand": {"type": "ExpressionRef", "name": "Mine"}}
DEFINITIONS = [
    {"name": "Mine", "context": "Patient", "expression": {"type": "Null"}},
    {"name": "X", "context": "Population", "expression": NOT_MINE},
]
ELM = {"library": {"identifier": {"id": "E"}, "statements": {"def": DEFINITIONS}}}


def test_elm_of_a_population_is_refused_by_name_too():
    with pytest.raises(FhirpkgError, match="'Mine' is defined for one patient"):
        assert from_elm(ELM).definition("X").tree


def elm_of(name, namespace, value, **more):
    named = {"id": name} | ({"system": namespace} if namespace else {})
    tree = {"type": "Literal", "valueType": "{urn:hl7-org:elm-types:r1}Boolean", "value": value}
    statements = {"def": [{"name": "Y", "context": "Patient", "expression": tree}]}
    return {"library": {"identifier": named, "statements": statements} | more}


INCLUDED = {  # the namespace of an include and those of the libraries; which is meant
    "the one": ("http://a.org", ["http://a.org", "http://b.org"], "http://a.org"),
    "the other": ("http://b.org", ["http://a.org", "http://b.org"], "http://b.org"),
    "a third": ("http://c.org", ["http://a.org", "http://b.org"], None),
    "none that it says": ("", ["http://a.org"], "http://a.org"),
    "none that the library says": ("http://a.org", [""], ""),
    "a name for what has a url": ("org.a", ["http://a.org"], "http://a.org"),
}


@pytest.mark.parametrize("name", INCLUDED)
def test_an_include_of_elm_is_of_its_namespace(name):
    asked, namespaces, wanted = INCLUDED[name]
    separator = "/" if ":" in asked else "."
    path = f"{asked}{separator}Common" if asked else "Common"
    read = from_elm(
        elm_of("L", "", "true", includes={"def": [{"localIdentifier": "C", "path": path}]})
    )
    found = [from_elm(elm_of("Common", namespace, "true")) for namespace in namespaces]
    meant = [library.namespace for library in found if library.may_be(read.includes["C"][0])]
    assert meant == ([] if wanted is None else [wanted])


def test_the_elm_we_write_keeps_the_namespace_of_an_include():
    text = "library org.a.L include org.b.Common version '1' called C define X: C.Y"
    read = from_elm(json.loads(elm_text(text)))
    assert (read.namespace, read.includes) == ("org.a", {"C": ("org.b.Common", "1")})
