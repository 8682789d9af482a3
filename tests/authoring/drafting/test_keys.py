"""Keys that a fact fills by itself: only what it says plainly, and a question for the rest."""

import pytest

from fhirpkg.authoring.drafting.keys import read_keys
from fhirpkg.authoring.drafting.monograph import Fact


@pytest.mark.parametrize(
    "section, text, keys",
    [
        ("duration", "The procedure typically takes around 1-2 hours.", {"takes": "1-2 h"}),
        ("duration", "Less than 30 minutes", {"takes": "< 30 min"}),
        ("duration", "Ten to fifteen minutes", {}),
        ("duration", "One to two hours", {"takes": "1-2 h"}),
        ("duration", "An hour", {"takes": "1 h"}),
        ("duration", "20 minutes for one eye, 40 minutes for both", {}),
        ("duration", "It depends", {}),
        ("preparation", "Stop iron tablets 7 days before.", {"when": "7 d before"}),
        ("preparation", "Aspirin is stopped one week beforehand", {"when": "1 wk before"}),
        ("preparation", "Nothing to eat for six hours.", {"when": "from 6 h before"}),
        ("preparation", "Take half of the solution the evening before",
         {"when": "1 d before in the evening"}),
        ("preparation", "Anticoagulation for at least 3 weeks", {}),
        ("preparation", "Clear fluids until two hours before.", {}),
        ("preparation", "Stop warfarin 5 days before and start heparin 2 days before", {}),
        ("preparation", "Fast from 12:00 PM the night before. Have an enema.", {}),
        ("preparation", "Stop eating at 8 a.m. the day before", {}),
        ("preparation", "Stop iron 7 days before. Drink water.", {}),
        ("risks", "Pain. Bleeding in 1 %; rare infection", {}),
        ("recovery", "Wear the shield at night.", {"when": "at night"}),
        ("recovery", "Do not drive for 24 hours.", {"for": "24 h"}),
        ("recovery", "Stitches come out after 7 to 14 days.", {"when": "7-14 d after"}),
        ("recovery", "CT at 3, 6 and 12 months",
         {"when": ["3 mo after", "6 mo after", "12 mo after"]}),
        ("recovery", "See the surgeon within 2 weeks", {"when": "within 2 wk after"}),
        ("recovery", "Spotting may last a week or more if it is heavy", {}),
        ("recovery", "Paracetamol 500 mg four times a day",
         {"kind": "medicine", "medicine": "Paracetamol", "dose": "500 mg",
          "how-often": "4 times daily"}),
        ("preparation", "Give 2 mg of midazolam",
         {"kind": "medicine", "medicine": "midazolam", "dose": "2 mg"}),
        ("steps", "15 to 20 mL of fluid are drawn.", {}),
        ("steps", "Give 1,000 IU of heparin",
         {"kind": "medicine", "medicine": "heparin", "dose": "1000 [IU]"}),
        ("steps", "Heparin 1,000 IU per hour runs", {}),
        ("steps", "Lidocaine, at most 4.5 mg/kg", {}),
        ("recovery", "Filgrastim 10 mcg/kg for 5 days", {"for": "5 d"}),
        ("recovery", "Morphine 5 mg an hour", {}),
        ("risks", "Perforation, about 1 in 1,000", {"how-often": "1 in 1,000"}),
        ("risks", "Pneumothorax in 1-2 %", {"how-often": "1-2 %"}),
        ("risks", "Injury of the artery: less than 1 %", {"how-often": "< 1 %"}),
        ("risks", "Up to 1 in 100", {}),
        ("risks", "Collapsed lung, rare", {"how-often": "rare"}),
        ("risks", "Infection is not rare", {}),
        ("risks", "Bleeding in 1 in 100, infection in 1 in 200", {}),
        ("personnel", "Radiologist or oncologist", {}),
        ("indications", "Pain for 6 weeks", {}),
    ],
)  # fmt: skip
def test_a_key_is_filled_where_the_fact_is_plain(section, text, keys):
    assert read_keys(Fact(section, text, 1))[0] == keys


@pytest.mark.parametrize(
    "section, text, open_",
    [
        ("duration", "It depends", "takes"),
        ("preparation", "Anticoagulation for at least 3 weeks", "when"),
        ("steps", "Polyps are removed if they are found", "only-if"),
        ("personnel", "Radiologist or oncologist", "one-of"),
        ("personnel", "Anesthetist (if general anesthesia is used)", "only"),
        ("risks", "Up to 1 in 100", "how-often"),
        ("recovery", "Rest. Do not drive.", "it may say several things"),
        ("preparation", "Give 2 mg of midazolam", "medicine"),
    ],
)
def test_what_is_not_sure_is_asked(section, text, open_):
    assert any(todo.startswith(open_) for todo in read_keys(Fact(section, text, 1))[1])


def test_strength_comes_from_the_heading():
    def strength(heading):
        return read_keys(Fact("contraindications", "Pregnancy", 1, heading))[0].get("strength")

    assert strength("Relative contraindications") == "relative"
    assert strength("Absolute contraindications") == "absolute"
    assert strength("Use with caution") == "caution"
    assert strength("Cautions and contraindications") is None
    assert strength("Absolute and relative contraindications") is None
