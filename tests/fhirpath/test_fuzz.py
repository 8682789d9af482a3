"""Any expression on any content: a list of results or a FhirPathError, nothing else."""

import contextlib
import pathlib

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import Environment, compile_expression, static_errors
from fhirpkg.fhirpath.functions import FUNCTIONS
from fhirpkg.fhirpath.operators import OPERATORS

FOCUS = yaml.safe_load(
    (pathlib.Path(__file__).parents[1] / "cases/fhirpath/focus.yaml").read_text()
)
MODEL = Definitions.core().types

TERMS = st.sampled_from(
    ["1", "1.5", "-1", "0", "2147483647", "'a'", "'2020'", "true", "{}",
     "@2020", "@2020-02-29", "@T10:30", "@2020-01-01T10:00:00.5+02:00", "4 days", "1 year",
     "1 'mg'", "2 'kg'", "37 'Cel'", "$this", "$index", "$total", "%resource", "%ucum", "name",
     "name.given", "birthDate", "value", "extension", "Patient", "children()", "descendants()",
     "component.value"]
)  # fmt: skip


def calls(inner):
    return st.builds(
        lambda source, name, arguments: f"({source}).{name}({', '.join(arguments)})",
        inner, st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=2),
    )  # fmt: skip


def operations(inner):
    return st.builds(
        lambda left, sign, right: f"({left} {sign} {right})",
        inner, st.sampled_from(sorted(OPERATORS)), inner,
    )  # fmt: skip


EXPRESSIONS = st.recursive(TERMS, lambda inner: calls(inner) | operations(inner), max_leaves=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "given", "_given", "birthDate", "_birthDate", "extension", "url",
                         "valueQuantity", "value", "code", "contained", "resourceType"]),
        inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(EXPRESSIONS, st.sampled_from(sorted(FOCUS)))
def test_any_expression_gives_results_or_a_clear_error(expression, name):
    focus = FOCUS[name]
    with contextlib.suppress(FhirPathError):
        found = compile_expression(expression, MODEL).evaluate(focus, Environment(resource=focus))
        assert isinstance(found, list)
    assert isinstance(static_errors(expression, MODEL, focus["resourceType"]), list)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab.()[]{}'`\"\\@%$-+/*=<>~!|&,1 Tt:#\n"), max_size=30))
def test_any_text_is_an_expression_or_a_clear_error(text):
    with contextlib.suppress(FhirPathError):
        assert isinstance(compile_expression(text, MODEL).evaluate({}), list)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        ["name.given", "descendants().distinct().count()", "birthDate.extension.value < today()",
         "value + 1 'mg'", "extension('x').value ~ name", "children().resolve()",
         "repeat(children()).select($this | $this.extension)", "name.sort(given)"]
    ),
    JSON,
)  # fmt: skip
def test_any_content_gives_results_or_a_clear_error(expression, focus):
    if isinstance(focus, dict):
        focus = {**focus, "resourceType": "Patient"}
    with contextlib.suppress(FhirPathError):
        assert isinstance(compile_expression(expression, MODEL).evaluate(focus), list)
