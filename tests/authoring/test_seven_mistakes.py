"""The seven kinds of costly mistakes, each varied, and what is right beside them.

Each is told by the plain verbs at the line where it stands; what is right stays silent.
"""

import json
import os
import re

import pytest

from fhirpkg.cli import _run as main
from tests.authoring.test_told import PACKAGE

PROCEDURE = """\
id: LungBiopsy
source:
  title: Nobody's notes
  facts: {name: 1, indications: 1, contraindications: 2, preparation: 2, steps: 2,
    personnel: 1, risks: 1, recovery: 1}
  numbers: {recovery: [20]}
name: {text: Biopsy of the lung, from: name}
code: {use: Biopsy of lung, from: name, sites: Lung}
indications:
  - {id: pneumonia, text: A pneumonia that stays, from: indications, code: Pneumonia,
     diagnoses: Pneumonia}
contraindications:
  - {id: bleeding, text: A tendency to bleed, from: contraindications-1,
     found-by: {condition: Hemophilia}}
  - {id: one-lung, text: A single lung, from: contraindications-2}
preparation:
  - {id: warfarin, text: Stop warfarin., from: preparation-1, stop: Warfarin}
  - {id: count, text: Count the blood cells., from: preparation-2, kind: order, code: Blood count}
steps:
  - {id: scan, text: Look for the place., from: steps-1, code: Chest scan}
  - {id: biopsy, text: Take a sample., from: steps-2, code: Biopsy}
personnel:
  - {id: doctor, text: A doctor of the lungs, from: personnel, code: Lung physician}
risks:
  - {id: air, text: Air beside the lung, from: risks, code: Pneumothorax}
recovery:
  - {id: omeprazole, text: Omeprazole by mouth, from: recovery, kind: medicine,
     medicine: Omeprazole, dose: 20 mg, route: oral, how-often: once daily}
criteria:
  - {id: hemoglobin, title: Hemoglobin, text: It is measured first., from: preparation-2,
     observation: Hemoglobin}
codes:
  Biopsy of lung: CPT 32408
  Lung: SNOMED 39607008
  Pneumonia: SNOMED 233604007
  Hemophilia: SNOMED 90935002
  Warfarin: SNOMED 48603004
  Blood count: LOINC 58410-2
  Chest scan: SNOMED 399208008
  Biopsy: SNOMED 86273004
  Lung physician: SNOMED 41672002
  Pneumothorax: SNOMED 36118008
  Omeprazole: SNOMED 25673006
  Hemoglobin: LOINC 718-7
"""
VERBS = ("validate", "coverage", "build")
NOT_WRONG = {"code-not-verified", "source-review", "source-no-code"}
_TOLD = re.compile(r"procedure\.yaml:(\d+):\d+: \w+ ((?:code|source)-[\w-]+)")


@pytest.fixture
def package(tmp_path):
    (tmp_path / "package.yaml").write_text(PACKAGE.lstrip())
    return tmp_path


def told(package, text, capfd, verbs=VERBS):
    """The (rule, line) that each verb tells of a procedure."""
    (package / "procedure.yaml").write_text(text)
    found = []
    for verb in verbs:
        capfd.readouterr()
        main([verb, str(package)])
        said = "".join(capfd.readouterr())
        found.append({(rule, int(line)) for line, rule in _TOLD.findall(said)})
    return found


def with_code(name, code):
    """The procedure with another code for a name, and the line of it."""
    text, count = re.subn(rf"^  {name}: .*$", f"  {name}: {code}", PROCEDURE, flags=re.MULTILINE)
    assert count == 1
    return text, text.split("\n").index(f"  {name}: {code}") + 1


MEANING, KIND, CODE, UNKNOWN = "code-display-differs", "code-kind", "source-code", "code-unknown"
WRONG = [
    # 1: a code of another thing
    (MEANING, "Pneumonia", "SNOMED 22298006"),  # myocardial infarction
    (MEANING, "Pneumonia", "SNOMED 73211009"),  # diabetes mellitus
    (MEANING, "Pneumonia", "http://snomed.info/sct|22298006"),
    (MEANING, "Pneumonia", "[SNOMED 233604007, SNOMED 22298006]"),
    (MEANING, "Pneumonia", "SNOMED 233604007 22298006"),
    (MEANING, "Pneumothorax", "SNOMED 233604007"),  # pneumonia
    (MEANING, "Hemophilia", "SNOMED 195967001"),  # asthma
    (MEANING, "Biopsy", "SNOMED 73761001"),  # colonoscopy
    (MEANING, "Chest scan", "SNOMED 80146002"),  # appendectomy
    (MEANING, "Lung physician", "SNOMED 224535009"),  # registered nurse
    (MEANING, "Warfarin", "SNOMED 7947003"),  # aspirin
    (MEANING, "Omeprazole", "SNOMED 48603004"),  # warfarin
    (MEANING, "Lung", "SNOMED 69695003"),  # stomach
    (MEANING, "Hemoglobin", "LOINC 37210-2"),  # CT guidance for aspiration
    (MEANING, "Blood count", "LOINC 48739-7"),  # mammogram guidance
    # 3: a code of another kind than its place asks for
    (KIND, "Pneumonia", "SNOMED 39607008"),  # a body structure
    (KIND, "Pneumonia", "LOINC 718-7"),
    (KIND, "Pneumonia", "RxNorm 11289"),
    (KIND, "Pneumonia", "CPT 71045"),
    (KIND, "Hemophilia", "SNOMED 399208008"),  # a procedure
    (KIND, "Biopsy", "SNOMED 372877000"),  # a substance
    (KIND, "Biopsy", "ICD-10-CM J18.9"),
    (KIND, "Chest scan", "SNOMED 39607008"),
    (KIND, "Lung", "SNOMED 233604007"),
    (KIND, "Lung", "ICD-10-CM J18.9"),
    (KIND, "Lung physician", "SNOMED 39607008"),
    (KIND, "Warfarin", "SNOMED 268526009"),  # the monitoring of it
    (KIND, "Warfarin", "ICD-10-CM T45.515"),
    (KIND, "Omeprazole", "LOINC 718-7"),
    (KIND, "Hemoglobin", "SNOMED 80141007"),  # hemoglobinopathy
    (KIND, "Hemoglobin", "RxNorm 5140"),
    (KIND, "Pneumothorax", "CPT 32551"),
    (KIND, "Biopsy of lung", "SNOMED 19829001"),  # a disorder
    # 4: codes that cannot be
    (UNKNOWN, "Biopsy of lung", "CPT 99999"),
    (UNKNOWN, "Biopsy of lung", "CPT 99608"),
    (UNKNOWN, "Biopsy of lung", "CPT 00099"),
    (UNKNOWN, "Biopsy of lung", "CPT 00000"),
    (UNKNOWN, "Biopsy of lung", "CPT 3240X"),
    (UNKNOWN, "Biopsy of lung", "http://www.ama-assn.org/go/cpt|99999"),
    (CODE, "Biopsy of lung", "CPT 3240"),
    (CODE, "Biopsy of lung", "CPT 324O8"),
    (CODE, "Biopsy of lung", "CPT 32408T"),
    (CODE, "Biopsy of lung", "CPT LUNGS"),
    (CODE, "Biopsy of lung", "CPT 26"),  # a modifier is no service
    (CODE, "Biopsy of lung", "ICD-10-PCS 0BBIOZX"),
    (CODE, "Biopsy of lung", "ICD-10-PCS 0BBC8Z"),
    (CODE, "Biopsy of lung", "HCPCS 60105"),
    (CODE, "Biopsy of lung", "HCPCS W0105"),
    (CODE, "Biopsy of lung", "HCPCS G105"),
    (CODE, "Biopsy of lung", "OPS 1-43"),
    (CODE, "Biopsy of lung", "OPS 1-430.1"),  # no year
    (CODE, "Biopsy of lung", "OPCS-4 E599"),
    (CODE, "Biopsy of lung", "CCAM GFHA1"),
    (CODE, "Pneumonia", "SNOMED 233604008"),
    (CODE, "Pneumonia", "SNOMED 23360400"),
    (CODE, "Pneumonia", "http://snomed.info/sct|233604008"),
    (CODE, "Pneumonia", "ICD-10-CM JJ8.9"),
    (CODE, "Pneumonia", "ICD-10-CM J189"),
    (CODE, "Pneumonia", "ICD-10 J1"),
    (CODE, "Hemoglobin", "LOINC 718-8"),
    (CODE, "Hemoglobin", "LOINC 7187"),
    (CODE, "Warfarin", "ATC B01A03"),
    (CODE, "Warfarin", "ATC B01AA\u0660\u0663"),
    (CODE, "Warfarin", "CVX 8888"),
    (CODE, "Warfarin", "RxNorm A11289"),
]


@pytest.mark.parametrize("rule, name, code", WRONG)
def test_a_wrong_code_is_told_by_each_verb_at_its_line(package, capfd, rule, name, code):
    text, line = with_code(name, code)
    for found in told(package, text, capfd):
        assert (rule, line) in found


RIGHT = [
    ("Pneumonia", "[SNOMED 233604007, ICD-10-CM J18.9, ICD-10 J18.9]"),
    ("Pneumonia", "SNOMED CT 233604007"),
    ("Pneumonia", "http://snomed.info/sct|233604007"),
    ("Pneumonia", "SNOMED 53084003"),  # bacterial pneumonia
    ("Pneumothorax", "[SNOMED 36118008, ICD-10-CM J93.9]"),
    ("Hemophilia", "SNOMED 90935002"),
    ("Warfarin", "[RxNorm 11289, ATC B01AA03]"),
    ("Warfarin", "SNOMED 372756006"),
    ("Omeprazole", "RxNorm 7646"),
    ("Hemoglobin", "LOINC 718-7"),
    ("Blood count", "CPT 85025"),
    ("Biopsy of lung", "CPT 0001F"),
    ("Biopsy of lung", "[CPT 32408, HCPCS G0105, ICD-10-PCS 0BBC8ZX, OPS 1-430.1|2026]"),
    ("Biopsy of lung", "[OPCS-4 E59.1, CCAM GFHA001]"),
    ("Lung physician", "NUCC 207RP1001X"),
    ("Chest scan", "SNOMED 169069000"),  # CT of the chest
    ("Biopsy", "SNOMED 86273004"),
    ("Lung", "SNOMED 39607008"),
]


@pytest.mark.parametrize("name, code", RIGHT)
def test_what_is_right_stays_silent(package, capfd, name, code):
    for found in told(package, with_code(name, code)[0], capfd):
        assert {rule for rule, _ in found} <= NOT_WRONG


def test_a_code_whose_meaning_nobody_says_is_not_verified(package, capfd):
    text, _ = with_code("Hemoglobin", "LOINC 8480-6")  # R4 lists it, without a display
    (package / "procedure.yaml").write_text(text)
    main(["validate", str(package)])
    assert "LOINC 8480-6" in capfd.readouterr().out


def lock_of(*kept):
    lines = [json.dumps({"system": s, "code": c, "source": "t", **more}) for s, c, more in kept]
    return '{"codes": [' + ", ".join(lines) + "]}"


SNOMED, LOINC, CPT = "http://snomed.info/sct", "http://loinc.org", "http://www.ama-assn.org/go/cpt"
INACTIVE = [
    ("Pneumonia", "SNOMED 233604007", SNOMED, "233604007", {"display": "Pneumonia (disorder)"}),
    ("Pneumonia", "SNOMED 155521003", SNOMED, "155521003", {"display": "Pneumonia"}),
    ("Pneumonia", "SNOMED 155521003", SNOMED, "155521003", {}),
    ("Biopsy", "SNOMED 86273004", SNOMED, "86273004", {"display": "Biopsy (procedure)"}),
    ("Biopsy of lung", "CPT 32405", CPT, "32405", {}),
    ("Hemoglobin", "LOINC 718-7", LOINC, "718-7", {"display": "Hemoglobin"}),
    ("Warfarin", "RxNorm 11289", "http://www.nlm.nih.gov/research/umls/rxnorm", "11289",
     {"display": "warfarin"}),
    ("Omeprazole", "ATC A02BC01", "http://www.whocc.no/atc", "A02BC01", {"display": "omeprazole"}),
    ("Pneumothorax", "ICD-10 J93.9", "http://hl7.org/fhir/sid/icd-10", "J93.9", {}),
    ("Pneumothorax", "https://a.org/cs|P1", "https://a.org/cs", "P1", {"display": "Pneumothorax"}),
]  # fmt: skip


@pytest.mark.parametrize("is_active", [False, True])
@pytest.mark.parametrize("name, line, system, code, more", INACTIVE)
def test_an_inactive_code_is_told(package, capfd, name, line, system, code, more, is_active):
    kept = (system, code, {**more, "active": is_active})
    (package / "codes.lock").write_text(lock_of(kept))
    text, at = with_code(name, line)
    for found in told(package, text, capfd):
        assert (("code-inactive", at) in found) is not is_active


@pytest.mark.parametrize("code", ["RoleCode NAMED", "RoleCode PSYCHCF", "RoleCode INDIV"])
def test_an_inactive_code_of_r4_itself_is_told(package, capfd, code):
    text, at = with_code("Lung physician", code)
    for found in told(package, text, capfd):
        assert ("code-inactive", at) in found


def edit(name, old, new):
    def change(package):
        text = (package / name).read_text()
        assert old in text
        (package / name).write_text(text.replace(old, new, 1))

    return change


def put(name, text):
    return lambda package: (package / name).write_text(text)


def remove(name):
    return lambda package: (package / name).unlink()


PLAN = "fhir/PlanDefinition-LungBiopsyPlan.json"
STALE = {
    "words": edit("procedure.yaml", "Take a sample.", "Take two samples."),
    "comment": edit("procedure.yaml", "codes:", "# checked\ncodes:"),
    "code": edit("procedure.yaml", "CPT 32408", "CPT 32405"),
    "package": edit("package.yaml", "0.1.0", "0.1.1"),
    "lock": edit("codes.lock", "Pneumonia", "Pneumonitis"),
    "lock gone": remove("codes.lock"),
    "drawing new": put("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "built gone": remove(PLAN),
    "built edited": edit(PLAN, "Take a sample.", "Take samples."),
    "built added": put("fhir/Basic-a.json", '{"resourceType": "Basic", "id": "a"}'),
    "record gone": remove("fhir/.built"),
    "review new": put("review.yaml", "verdicts: {}\n"),
}
SAME = {
    "touched": lambda p: [os.utime(f, (2e9, 2e9)) for f in p.rglob("*")],
    "older": lambda p: [os.utime(f, (1e9, 1e9)) for f in p.rglob("*")],
    "notes": put("notes.txt", "Nothing of the procedure."),
    "notes of the built": put("fhir/README.md", "Built."),
    "headings": put("headings.yaml", "risks: [Dangers]\n"),
    "monograph": put("monograph.md", "# Biopsy\n"),
    "written again": edit("procedure.yaml", "Take a sample.", "Take a sample."),
}


@pytest.mark.parametrize("verb", ["validate", "package", "build"])
@pytest.mark.parametrize("change", [*STALE, *SAME])
def test_a_stale_build_is_told_or_mended(package, capfd, tmp_path_factory, change, verb):
    (package / "procedure.yaml").write_text(PROCEDURE)
    known = (SNOMED, "233604007", {"display": "Pneumonia (disorder)"})
    (package / "codes.lock").write_text(lock_of(known))
    main(["build", str(package)])
    {**STALE, **SAME}[change](package)
    capfd.readouterr()
    out = ["--output", str(tmp_path_factory.mktemp("dist"))] if verb == "package" else []
    main([verb, str(package), *out])
    said = "".join(capfd.readouterr())
    if verb == "build":
        assert ("had not changed" in said) is (change in SAME)
    else:
        found = re.search(
            r"changed after|is gone|has been deleted|by hand|not made by|does not say what", said
        )
        assert bool(found) is (change in STALE)


LOST = {
    "deleted": ("  - {id: one-lung, text: A single lung, from: contraindications-2}\n", ""),
    "commented": ("  - {id: one-lung", "  # - {id: one-lung"),
    "no origin": ("A single lung, from: contraindications-2", "A single lung, added: ours"),
    "other origin": ("A single lung, from: contraindications-2", "A lung, from: indications"),
    "moved": ("contraindications-2}", "contraindications-1}"),
    "merged": ("from: contraindications-1,", "from: [contraindications-1],"),
    "section": (re.search(r"contraindications:\n(  .*\n)+", PROCEDURE)[0], ""),
    "one more": ("contraindications: 2", "contraindications: 3"),
    "empty": (re.search(r"contraindications:\n(  .*\n)+", PROCEDURE)[0],
              "contraindications: []\n"),
    "no reason": ("  numbers:", "  left-out: {contraindications-2: ''}\n  numbers:"),
}  # fmt: skip
"""Each with `no reason` and `merged` also without the item."""


@pytest.mark.parametrize("change", LOST)
def test_a_lost_contraindication_is_told(package, capfd, change):
    text = PROCEDURE.replace(*LOST[change], 1)
    assert text != PROCEDURE
    if change in ("no reason", "merged"):
        text = text.replace(*LOST["deleted"])
    for found in told(package, text, capfd):
        rules = {rule for rule, _ in found} - NOT_WRONG
        assert rules
        assert rules & {"source-lost-fact", "source-value", "source-missing"}, rules


KEPT = {
    "left out": ("  numbers:", "  left-out: {contraindications-2: said elsewhere}\n  numbers:"),
    "together": ("from: contraindications-1,", "from: [contraindications-1, contraindications-2],"),
    "step": ("from: steps-2", "from: [steps-2, contraindications-2]"),
    "risk": ("from: risks,", "from: [risks, contraindications-2],"),
}


@pytest.mark.parametrize("change", KEPT)
def test_a_contraindication_that_stands_elsewhere_is_not_lost(package, capfd, change):
    text = PROCEDURE.replace(*KEPT[change], 1).replace(*LOST["deleted"])
    for found in told(package, text, capfd):
        assert {rule for rule, _ in found} <= NOT_WRONG
