"""The codes that a monograph names: each for its system, none guessed."""

import pathlib

import pytest
import yaml

from fhirpkg.authoring.drafting import writing
from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main


def drafted(lines, *given):
    text = f"Bladder scan\n\n{lines}\n\nIndications\nRetention of urine\n"
    found = sort(read(pathlib.Path("a.txt"), text.encode(), table()), table())
    assert [fact.text for fact in found.of("indications")] == ["Retention of urine"]
    return writing.draft(found, title="t", stem="a", given=given, rights="own")


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ("CPT code: 51798", "CPT 51798"),
        ("CPT: 51798", "CPT 51798"),
        ("Codes\n51798", "CPT 51798"),
        ("OPCS-4: M47.3", "OPCS-4 M47.3"),
        ("OPCS code: M47.3", "OPCS-4 M47.3"),
        ("SNOMED CT: 71388002", "SNOMED 71388002"),
        ("ICD-10-PCS code: 4A0D7BZ", "ICD-10-PCS 4A0D7BZ"),
        ("HCPCS: G0105", "HCPCS G0105"),
        ("CCAM: JDQM001", "CCAM JDQM001"),
        ("Codes: CPT 51798; OPCS-4 M47.3", ["CPT 51798", "OPCS-4 M47.3"]),
        ("Procedure codes\nCPT 51798 (residual volume)\nSNOMED CT 71388002",
         ["CPT 51798", "SNOMED 71388002"]),
    ],
)  # fmt: skip
def test_each_code_stands_with_its_system(lines, codes):
    made = drafted(lines)
    assert made["codes"] == {"Bladder scan": codes}
    assert "todo" not in made["code"]
    assert drafted(lines, "CPT 51797")["codes"] == {"Bladder scan": "CPT 51797"}


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("ICD-10-PCS: 0JH606Z + 02H63JZ\nCPT: 33208", "CPT 33208"),  # two things are done
        ("SNOMED CT: 174430001", None),  # its check digit is another
        ("OPS: 5-572.1", None),  # of which year?
    ],
)
def test_what_is_not_certain_is_left_open(lines, kept):
    made = drafted(lines)
    assert made.get("codes", {}).get("Bladder scan") == kept
    assert made["code"]["todo"].startswith("code: ")


_IN_SYSTEMS = ["CPT 51798", "OPS 1-334.1|2026", "https://a.org/cs|B1", "SNOMED CT 71388002"]


def _draft(tmp_path, rights, *codes):
    (tmp_path / "a.txt").write_text("Bladder scan\n\nIndications\nRetention of urine\n")
    given = [word for code in codes for word in ("--code", code)]
    out = ["--rights", rights, "--output", str(tmp_path / "p" / "scan")]
    return main(["draft", str(tmp_path / "a.txt"), *out, *given])


@pytest.mark.parametrize("rights", ["own", "licensed", "none"])
def test_codes_of_several_systems_are_given_one_by_one(tmp_path, rights):
    assert _draft(tmp_path, rights, *_IN_SYSTEMS) == ExitCode.DONE
    made = yaml.safe_load((tmp_path / "p" / "scan" / "procedure.yaml").read_text())
    assert made["codes"] == {"Bladder scan": _IN_SYSTEMS}
    assert ("Retention of urine" in str(made["indications"])) is (rights != "none")


@pytest.mark.parametrize(
    "codes",
    [("CPT 51798", "CPT 51797"), ("CPT 51798 51797",), ("CPT 51798", "CPT 9999"), ("51798",),
     ("CPT",), ("SNOMED CT 71388002", "http://snomed.info/sct|233604007"),
     ("http://loinc.org|718-8",)],
)  # fmt: skip
def test_codes_that_are_not_one_of_each_system_are_refused(tmp_path, codes):
    assert _draft(tmp_path, "none", *codes) == ExitCode.UNUSABLE
    assert not (tmp_path / "p").exists()
