"""The expressions of tests/cases/fhirpath, each with what it gives or how it fails."""

import datetime as dt
import pathlib
from decimal import Decimal

import pytest
import yaml

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import Environment, compile_expression

FOLDER = pathlib.Path(__file__).parents[1] / "cases/fhirpath"
FOCUS = yaml.safe_load((FOLDER / "focus.yaml").read_text())
PRACTITIONERS = {"Practitioner/1": {"resourceType": "Practitioner", "id": "1"}}
NOW = dt.datetime.fromisoformat("2026-05-04T10:20:30.123+02:00")


def cases():
    for file in sorted(FOLDER.glob("[0-9]*.yaml")):
        for part in yaml.safe_load_all(file.read_text()):
            for sentence, examples in part["cases"].items():
                for expression, expected in examples:
                    name = f"{file.stem}: {sentence}: {expression}"
                    yield pytest.param(part["focus"], expression, expected, id=name)


def member_of(value, type_name, value_set):
    answers = {"known": True, "other": False, "type": type_name == "CodeableConcept"}
    return answers.get(value_set)


def environment(focus):
    return Environment(
        resource=focus,
        variables={"given": 7, "listed": ["a", 1.5], "other": {
            "resourceType": "Patient", "name": [{"family": "Other"}]}},
        resolve=PRACTITIONERS.get,
        member_of=member_of,
        conforms_to=lambda _, canonical: True if canonical.endswith("/Patient") else None,
        html_checks=lambda text: text.startswith("<div"),
        now=NOW,
    )  # fmt: skip


def typed(value):
    """A value that is equal to another only when it is of the same kind too."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: typed(inner) for key, inner in value.items()}
    return (bool, value) if isinstance(value, bool) else value


@pytest.mark.parametrize("focus, expression, expected", list(cases()))
def test_the_expression_gives_what_is_expected(focus, expression, expected):
    model = Definitions.core().types

    def evaluate():
        return compile_expression(expression, model).evaluate(
            FOCUS[focus], environment(FOCUS[focus])
        )

    if isinstance(expected, dict):
        with pytest.raises(FhirPathError) as caught:
            evaluate()
        assert expected["fails"] in str(caught.value)
    else:
        assert [typed(value) for value in evaluate()] == [typed(value) for value in expected]
