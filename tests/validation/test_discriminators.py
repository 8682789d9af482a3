import pytest

from fhirpkg.validation.compiling.discriminators import (
    UNRESOLVED,
    Step,
    UnclearError,
    condition,
    steps,
)
from fhirpkg.validation.compiling.schema import Discriminator, ElementSchema, Slice, Slicing, Value
from fhirpkg.validation.run import Run


@pytest.mark.parametrize(
    "path, found",
    [
        ("$this", []),
        ("code", [Step("name", "code")]),
        ("coding.code", [Step("name", "coding"), Step("name", "code")]),
        ("item.resolve()", [Step("name", "item"), Step("resolve", "")]),
        (
            "extension('http://a.test/b').value",
            [Step("extension", "http://a.test/b"), Step("name", "value")],
        ),
        ("value.ofType(Quantity).code", [
            Step("name", "value"), Step("type", "Quantity"), Step("name", "code"),
        ]),
    ],
)  # fmt: skip
def test_a_path_is_read_in_steps(path, found):
    assert steps(path) == found


@pytest.mark.parametrize("path", ["a b", "a.where(b)", "a..b", "first()", "a[0]"])
def test_a_path_that_is_no_simple_one_is_unclear(path):
    with pytest.raises(UnclearError):
        steps(path)


@pytest.mark.parametrize("kind", ["value", "pattern", "exists", "type", "profile", "position"])
def test_a_slice_that_says_nothing_where_the_discriminator_looks_is_unclear(validator, kind):
    element = ElementSchema("Patient.name:a", "Patient.name", "name")
    with pytest.raises(UnclearError):
        condition((Discriminator(kind, "use"),), element, validator._checks.schemas)


def test_one_discriminator_of_several_may_say_nothing(validator):
    use = ElementSchema("x", "x", "use", fixed=Value("code", "old"))
    element = ElementSchema("Patient.name:a", "Patient.name", "name", children=(use,))
    discriminators = (Discriminator("value", "use"), Discriminator("value", "family"))
    holds = condition(discriminators, element, validator._checks.schemas)
    assert holds(({"use": "old", "family": "x"}, (), None), None)
    assert not holds(({"use": "usual"}, (), None), None)


@pytest.mark.parametrize(
    "value, is_met",
    [
        ({"url": "a"}, True),
        ({"url": "b", "_url": {"id": "a"}}, True),
        ({"url": "c"}, False),
        ({"url": ["c", "a"]}, True),
        ({"url": 1}, False),
        ({"_url": {"id": "a"}}, False),
        ({}, False),
        ("a", False),
        (None, False),
    ],
)
def test_a_fixed_text_tells_slices_apart_whatever_stands_there(validator, value, is_met):
    texts = [ElementSchema("x", "x", "url", fixed=Value("uri", text), min=1) for text in ("a", "b")]
    sliced = texts[0]._replace(slicing=Slicing((), "open", False, (Slice("b", texts[1]),)))
    element = ElementSchema("Patient.extension:a", "Patient.extension", "x", children=(sliced,))
    holds = condition((Discriminator("value", "url"),), element, validator._checks.schemas)
    assert bool(holds((value, (), None), None)) is is_met
    assert holds((value, (), UNRESOLVED), None) is None


def test_what_a_required_binding_holds_tells_slices_apart(validator):
    from fhirpkg.validation.compiling.schema import Binding

    binding = Binding("required", "http://hl7.org/fhir/ValueSet/administrative-gender")
    element = ElementSchema("x:a", "x", "x", binding=binding)
    holds = condition((Discriminator("value", "$this"),), element, validator._checks.schemas)
    run = Run({}, validator.definitions, validator.terminology)
    assert holds(("female", (), None), run)
    assert not holds(("woman", (), None), run)
