"""Static checks: what is wrong whatever the data, and what cannot be known."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath import static_errors


def problems(expression, focus_type="Patient"):
    found = static_errors(expression, Definitions.core().types, focus_type)
    return [(error.problem, error.column) for error in found]


@pytest.mark.parametrize(
    "expression, focus_type, problem, column",
    [
        ("name.gven", "Patient", "HumanName has no 'gven'; did you mean 'given'?", 6),
        ("Encounter.name", "Patient", "Patient has no 'Encounter'", 1),
        ("valueQuantity.unit", "Observation", "Observation has no 'valueQuantity'", 1),
        ("(value as Period).unit", "Observation", "Period has no 'unit'", 19),
        ("name.where(foo = 1)", "Patient", "HumanName has no 'foo'", 12),
        ("name.select(given | famly)", "Patient", "did you mean 'family'", 21),
        ("action.action.titel", "PlanDefinition", "PlanDefinition.action has no 'titel'", 15),
        ("children().skip(1)", "Patient", "skip() needs an order", 12),
        ("(children() | name)[0]", "Patient", "an index needs an order", 20),
        ("identifier.startsWith('a')", "Patient", "startsWith() is for a string", 12),
        ("name.sqrt()", "Patient", "sqrt() is for a number, not HumanName", 6),
        ("name.as(HumanName)", "Patient", "use ofType() for many", 6),
        ("iif('a', 1, 2)", "Patient", "the criterion of iif() is not a Boolean", 5),
        ("birthDate.toString().foo", "Patient", "System.String has no 'foo'", 22),
        ("extension.valu", "Patient", "did you mean 'value'", 11),
        ("name[0].foo", "Patient", "HumanName has no 'foo'", 9),
        ("item.repeat(item).foo", "Questionnaire", "Questionnaire.item has no 'foo'", 19),
        ("repeat(item | answr)", "QuestionnaireResponse", "did you mean 'answer'", 15),
        ("iif(active, name, name).foo", "Patient", "HumanName has no 'foo'", 25),
        ("name.combine(name).foo", "Patient", "HumanName has no 'foo'", 20),
        ("name.trace('x', foo)", "Patient", "HumanName has no 'foo'", 17),
        ("(-multipleBirth.as(integer)).foo", "Patient", "integer has no 'foo'", 30),
        ("(multipleBirth as Boolean).foo", "Patient", "System.Boolean has no 'foo'", 28),
        ("('a' & 'b').foo", "Patient", "System.String has no 'foo'", 13),
        ("1 +", "Patient", "the end found", 4),
        ("name is Nme", "Patient", "there is no type Nme", 6),
    ],
)
def test_what_cannot_be_right_is_told_with_its_column(expression, focus_type, problem, column):
    [(found, at)] = problems(expression, focus_type)
    assert problem in found
    assert at == column


def test_errors_are_in_the_order_of_their_columns():
    assert [at for _, at in problems("(name.a | name.b).where(c = 1).d")] == [7, 16]


@pytest.mark.parametrize(
    "expression, focus_type",
    [
        ("name.given.first().upper()", "Patient"),
        ("Patient.name", "Patient"),
        ("DomainResource.extension.value.unit", "Patient"),
        ("managingOrganization.resolve().whatever", "Patient"),
        ("descendants().whatever", "Patient"),
        ("contained.whatever", "Patient"),
        ("entry.resource.name", "Bundle"),
        ("%resource.whatever", "Patient"),
        ("%resource.descendants().as(canonical)", "Patient"),
        ("component.value.as(Quantity).value > 1", "Observation"),
        ("value.unit", "Observation"),
        ("value.ofType(Quantity).unit", "Observation"),
        ("birthDate.extension('x').value.code", "Patient"),
        ("gender.as(string)", "Patient"),
        ("repeat(children()).whatever", "Patient"),
        ("(QuestionnaireResponse | repeat(answer | item)).item.linkId", "QuestionnaireResponse"),
        ("(1 | 2).aggregate($total + $this)", "Patient"),
        ("type().name", "Patient"),
        ("(4 'mg').value", "Patient"),
        ("whatever", None),
        ("birthDate.startsWith('19')", "Patient"),
        ("action.action.relatedAction.offset", "PlanDefinition"),
        ("{}.whatever", "Patient"),
        ("name.sort(-family).first()", "Patient"),
        ("telecom.select(iif(value = '1', $index, {}))", "Patient"),
    ],
)
def test_what_may_be_right_is_let_pass(expression, focus_type):
    assert problems(expression, focus_type) == []
