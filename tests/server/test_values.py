import pytest

from fhirpkg.server import values

DAY = 86_400_000_000


def test_an_instant_is_written_as_fhir_wants():
    assert values.instant(0) == "1970-01-01T00:00:00.000Z"
    assert values.instant(1_234_000) == "1970-01-01T00:00:01.234Z"


@pytest.mark.parametrize(
    ("text", "low", "length"),
    [
        ("1970", 0, 365 * DAY),
        ("1970-02", 31 * DAY, 28 * DAY),
        ("1970-12", 334 * DAY, 31 * DAY),
        ("1972-02", 761 * DAY, 29 * DAY),
        ("1970-01-02", DAY, DAY),
        ("1970-01-01T00:01", 60_000_000, 60_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000, 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000, 100_000),
        ("1970-01-01T02:00:00+02:00", 0, 1_000_000),
        ("1970-01-01T02:00:00 02:00", 0, 1_000_000),
        ("1969-12-31T22:00:00-02:00", 0, 1_000_000),
        ("9999", 253370764800_000_000, 365 * DAY),
        ("9999-12-31", 253402214400_000_000, DAY),
    ],
)
def test_a_date_covers_what_its_precision_says(text, low, length):
    assert values.date_range(text) == (low, low + length)


@pytest.mark.parametrize(
    "text",
    ["", "70", "1970-13", "1970-02-30", "1970-1-1", "1970-01-01T24:00:00Z", "0000",
     "1970-01-01T10", "1970-01-01T10:00:00X", "1970-01-01Z", "\uff11\uff19\uff17\uff10"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match="is no"):
        values.date_range(text)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("100", 99.5, 100.5), ("100.00", 99.995, 100.005), ("1e2", 50, 150), ("-2", -2.5, -1.5)],
)
def test_a_number_covers_what_its_digits_say(text, low, high):
    assert values.number_range(text) == (low, high)


@pytest.mark.parametrize("text", ["", "x", "NaN", "Infinity", "1,0"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="is not a number"):
        values.number_range(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("  Kryo  Ablation ", "kryo ablation"), ("Müller", "muller"), ("STRASSE", "strasse"),
     ("Straße", "strasse"), ("ﬁn", "fin"), ("東京", "東京")],
)  # fmt: skip
def test_strings_are_compared_without_case_and_accents(text, plain):
    assert values.plain(text) == plain


def test_amounts_of_one_dimension_can_be_compared():
    assert values.in_base_units(1, 2, "kg")[:2] == (1000, 2000)
    assert values.in_base_units(1, 1, "g")[2] == values.in_base_units(1, 1, "mg")[2]
    assert values.in_base_units(1, 1, "g")[2] != values.in_base_units(1, 1, "m")[2]
    assert values.in_base_units(1, float("inf"), "kg")[:2] == (1000, float("inf"))
    assert values.in_base_units(1, 1, "no unit") is None
