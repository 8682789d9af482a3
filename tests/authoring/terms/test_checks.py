"""Codes against what terminologies say of them: each mistake is told by its own rule."""

import pathlib

import pytest
import yaml

from fhirpkg.authoring.source import read
from fhirpkg.authoring.terms import lock
from fhirpkg.authoring.terms.checks import check_terms, listed, sources_for
from fhirpkg.authoring.terms.sources import GPS, Sources, Terms, of_core, of_file, of_package
from fhirpkg.authoring.terms.words import likeness
from fhirpkg.definitions.terminology.grammars import CPT, ICD_10_CM, SNOMED_CT
from fhirpkg.errors import SourceError
from fhirpkg.packages.freshness import LOCK
from fhirpkg.packages.package import PackageId

RESOURCES = pathlib.Path(__file__).parents[3] / "resources"
TEXT = """
indications:
  - {id: lung, code: NAME, text: It hurts., added: a test}
steps:
  - {id: step, code: Imaging, text: Look., added: a test}
codes:
  NAME: CODES
  Imaging: SNOMED 363679005
"""


def terms():
    found = Terms("hl7.terminology.test#1.0.0", whole=frozenset((ICD_10_CM,)))
    found.add(SNOMED_CT, "233604007", "Pneumonia (disorder)")
    found.add(SNOMED_CT, "22298006", "Myocardial infarction (disorder)")
    found.add(SNOMED_CT, "363679005", "Imaging (procedure)")
    found.add(SNOMED_CT, "399208008", "Plain chest X-ray (procedure)")
    found.add(SNOMED_CT, "155521007", "Pneumonia (disorder)", is_active=False)
    found.add(ICD_10_CM, "J18.9", "Pneumonia, unspecified organism")
    return found


def rules(name, codes):
    source = read(TEXT.replace("NAME", name).replace("CODES", codes).encode(), "a.yaml")
    check_terms(source, Sources((terms(),)))
    return [issue.rule for issue in source.issues]


@pytest.mark.parametrize(
    "name, codes, rule",
    [
        ("Pneumonia", "SNOMED 22298006", "code-display-differs"),
        ("Pneumonia", "SNOMED 155521007", "code-inactive"),
        ("Chest X-ray", "SNOMED 399208008", "code-kind"),
        ("Pneumonia", "CPT 99999", "code-kind"),
        ("Pneumonia", "CPT 99999", "code-unknown"),
        ("Pneumonia", "CPT 99499", "code-not-verified"),
        ("Pneumonia", "ICD-10-CM J18.99", "code-unknown"),
        ("Pneumonia", "SNOMED 50043002", "code-not-verified"),
    ],
)
def test_each_mistake_has_a_rule_of_its_own(name, codes, rule):
    assert rule in rules(name, codes)


@pytest.mark.parametrize("codes", ["SNOMED 233604007", "ICD-10-CM J18.9", "LOINC 24627-2"])
def test_what_is_right_is_not_told_to_differ(codes):
    kinds = {"code-kind"} if codes.startswith("LOINC") else set()
    assert set(rules("Pneumonia", codes)) <= kinds | {"code-not-verified"}


_OF_A_KIND = {
    "diagnosis": ["ICD-10-CM I21.9", "ICD-10 I21.9", "ICD-11 BA41", "SNOMED 22298006"],
    "step": ["CPT 71046", "OPS 1-650.2|2026", "OPCS-4 H22.9", "CCAM HHQE002", "ICD-10-PCS 0DJD8ZZ",
             "SNOMED 399208008"],
    "value": ["LOINC 24627-2"],
    "medicine": ["RxNorm 11289", "ATC B01AA03", "CVX 08"],
    "place": ["RoleCode HOSP"],
    "person": ["NUCC 2085R0204X"],
}  # fmt: skip
_SLOTS = {
    "indications: [{id: a, text: A., code: X, added: a}]": ["diagnosis"],
    "indications: [{id: a, text: A., diagnoses: X, added: a}]": ["diagnosis"],
    "contraindications: [{id: a, text: A., code: X, added: a}]": ["diagnosis"],
    "contraindications: [{id: a, text: A., found-by: {condition: X}, added: a}]": ["diagnosis"],
    "contraindications: [{id: a, text: A., found-by: {medicine: X}, added: a}]": ["medicine"],
    "risks: [{id: a, text: A., code: X, added: a}]": ["diagnosis"],
    "steps: [{id: a, text: A., code: X, added: a}]": ["step", "value"],
    "recovery: [{id: a, text: A., code: X, added: a}]": ["step", "value"],
    "steps: [{id: a, text: A., medicine: X, added: a}]": ["medicine"],
    "preparation: [{id: a, text: A., stop: X, added: a}]": ["medicine"],
    "alternatives: [{id: a, text: A., code: X, added: a}]": ["step", "value"],
    "personnel: [{id: a, text: A., code: X, added: a}]": ["person", "place"],
    "setting: {text: A., places: [X], added: a}": ["place"],
    "criteria: [{id: a, text: A., observation: X, added: a}]": ["value", "step"],
    "code: {use: X, added: a}": ["step", "value"],
}


@pytest.mark.parametrize("slot", _SLOTS)
@pytest.mark.parametrize("kind", _OF_A_KIND)
def test_a_code_of_another_kind_is_told_in_every_place_and_of_every_system(slot, kind):
    for code in _OF_A_KIND[kind]:
        source = read(
            f"{slot.replace('X', 'Thing')}\ncodes: {{Thing: '{code}'}}".encode(), "a.yaml"
        )
        check_terms(source, Sources((terms(),)))
        told = "code-kind" in [issue.rule for issue in source.issues]
        if kind not in _SLOTS[slot]:
            assert told, code
        elif kind == _SLOTS[slot][0]:
            assert not told, code


@pytest.mark.parametrize(
    "name", ["Pneumothorax", "Asthma", "Broken hip", "Cystic fibrosis", "Appendicitis"]
)
@pytest.mark.parametrize("code", ["SNOMED 22298006", "SNOMED 233604007", "ICD-10-CM J18.9"])
def test_a_code_of_another_thing_is_told_under_any_name(name, code):
    assert "code-display-differs" in rules(name, code)


@pytest.mark.parametrize("code", ["0001F", "0042T", "0001U", "99499", "99607"])
def test_no_category_of_cpt_is_beyond_what_is_known(code):
    assert "code-unknown" not in rules("Pneumonia", f"CPT {code}")


def test_letters_that_the_name_abbreviates_are_no_other_thing():
    source = read(TEXT.replace("NAME", "CT scan").replace("CODES", "DICOM CT").encode(), "a.yaml")
    found = Terms("t")
    found.add("http://dicom.nema.org/resources/ontology/DCM", "CT", "Tomodensitometry")
    check_terms(source, Sources((found, terms())))
    assert "code-display-differs" not in {issue.rule for issue in source.issues}


def test_a_code_of_cpt_is_counted_as_not_verified():
    source = read(
        TEXT.replace("NAME", "Pneumonia").replace("CODES", "CPT 71045").encode(), "a.yaml"
    )
    check_terms(source, Sources((terms(),)))
    told = next(issue for issue in source.issues if issue.rule == "code-not-verified")
    assert "1 of 2 codes" in told.text
    assert "CPT 71045" in told.text


def test_our_own_names_share_words_with_their_displays():
    kept = lock.read(RESOURCES)
    for file in RESOURCES.glob("*/procedure.yaml"):
        source = read(file.read_bytes(), str(file))
        check_terms(source, sources_for(source.data, kept))
        assert {issue.rule for issue in source.issues} <= {"code-not-verified"}


@pytest.mark.parametrize(
    "name, display",
    [
        ("Rectal bleeding", "Hemorrhage of rectum (disorder)"),
        ("Heart attack", "Acute myocardial infarction"),
        ("Radiology technologist", "Medical radiographer (occupation)"),
        ("Tumor of the kidney", "Malignant neoplasm of kidney, except renal pelvis"),
        ("Anesthetist", "Anaesthesiologist"),
        ("Groin hernia", "Unilateral inguinal hernia"),
        ("Metastasis in a bone", "Secondary malignant neoplasm of vertebral column"),
        ("Review of medication", "Drug therapy review"),
        ("Medication list", "Pharmaceutical list"),
        ("Medication", "Pharmacological agent"),
        ("Medicine", "Medicinal product"),
        ("Esophagitis", "Inflammation of gullet"),
        ("Gastroenteritis", "Inflammation of stomach"),
        ("Gastroscopy", "Endoscopy of stomach"),
        ("Upper endoscopy", "Esophagogastroduodenoscopy"),
        ("Radiographer", "Radiologic technologist"),
        ("Chest radiograph", "Plain X-ray of thorax"),
        ("Radiography", "Roentgenography"),
        ("Imaging", "Scan"),
        ("CT imaging", "Computed tomography"),
        ("Medical doctor", "Physician"),
        ("Low blood pressure", "Hypotension"),
        ("Hypertension", "High blood pressure"),
        ("Spine", "Spinal structure"),
        ("Ovary", "Ovarian structure"),
        ("Spleen", "Splenic structure"),
        ("Dental examination", "Examination by dentist"),
        ("Aortic aneurysm", "Aneurysm of aorta"),
        ("Cystoscopy", "Endoscopy of bladder"),
        ("Ear infection", "Otitis media"),
        ("Muscle pain", "Myalgia"),
        ("Gastroenterologist", "Endoscopist"),
        ("Oesophagoscopy", "Endoscopy"),
        ("GERD reflux", "Gastroesophageal reflux"),
        ("Infection of the lung", "Pneumonia"),
        ("Prostate cancer", "Malignant tumor of prostate"),
        ("Radiotherapy", "Radiation therapy"),
        ("Osteoporosis", "Thin bones osteoporosis"),
        ("Antibiotic", "Antibacterial agent"),
        ("Transfusion of blood", "Blood transfusion"),
        ("Endometriosis", "Endometrial disease"),
        ("Platelet count", "Platelets"),
        ("Cardiologist", "Heart specialist"),
        ("Hepatitis", "Liver inflammation"),
        ("Hernia repair", "Herniorrhaphy"),
        ("Ulcer of stomach", "Gastric ulcer"),
        ("Anesthesiologist", "Anaesthetist"),
        ("Nephrologist", "Kidney physician"),
        ("Diabetes", "Diabetic"),
        ("Pregnancy", "Pregnant"),
        ("Consent", "Informed consent obtained"),
        ("Laboratory", "Lab test"),
        ("Sedation", "Sedative"),
    ],
)
def test_words_that_mean_the_same_are_the_same(name, display):
    assert likeness(name, display) > 0


@pytest.mark.parametrize(
    "name, display",
    [
        ("Pneumonia", "Myocardial infarction (disorder)"),
        ("Registered nurse", "Radiologist (occupation)"),
        ("Bleeding", "Fracture of bone (disorder)"),
        ("Colonoscopy", "Skin structure (body structure)"),
        ("Medical history", "Drug"),
        ("Infection", "Infertility"),
        ("Pericarditis", "Peritonitis"),
        ("Pericarditis", "Peripheral vascular disease"),
        ("Hyperkalemia", "Hypertension"),
        ("Hypoglycemia", "Hypotension"),
        ("Hypothyroidism", "Hypothermia"),
        ("Prostate", "Prosthesis"),
        ("Mastectomy", "Mastoiditis"),
        ("Endocarditis", "Endometriosis"),
        ("Endoscopy", "Endometriosis"),
        ("Cyst of ovary", "Bladder"),
        ("Lower limb", "Hypotension"),
        ("Early labor", "Otitis media"),
        ("Myopia", "Muscle structure"),
        ("Transfusion", "Transplantation"),
        ("Gastroparesis", "Duodenal ulcer"),
        ("Influenza", "Inflammation"),
        ("Sternum", "Steroid"),
        ("Contusion", "Contraception"),
        ("Plasma", "Plastic surgery"),
        ("Angina", "Angioplasty"),
        ("Intermittent claudication", "Internal hernia"),
        ("Laparotomy", "Laparoscopy"),
        ("Hemophilia", "Hemodialysis"),
        ("Cystic fibrosis", "Bladder stone"),
        ("Hyponatremia", "Hypokalemia"),
    ],
)
def test_words_that_mean_another_thing_are_not(name, display):
    assert likeness(name, display) == 0


def test_a_lock_is_read_as_it_was_written_and_keeps_no_display_of_cpt(tmp_path):
    found = terms()
    found.add(CPT, "99999", "A description of the AMA")
    text = lock.write(found.codes.values())
    assert "description" not in text
    (tmp_path / LOCK).write_text(text)
    kept = lock.read(tmp_path)
    assert kept.codes[SNOMED_CT, "155521007"].is_active is False
    assert kept.codes.keys() == found.codes.keys()
    (tmp_path / LOCK).write_text("{}")
    with pytest.raises(SourceError):
        lock.read(tmp_path)


def test_only_the_lock_and_r4_say_that_a_code_is_free():
    found = list(terms().codes.values())
    kept = Terms("codes.lock", codes=dict(list(terms().codes.items())[:1]))
    assert listed(found, kept) == {(SNOMED_CT, "233604007")}
    assert listed(found, None) == frozenset()
    core = list(of_core().codes.values())[:3]
    assert len(listed(core, None)) == 3


@pytest.mark.parametrize(
    "name, text, system, code",
    [
        ("a.tsv", "99999\tA thing\n", "CPT", (CPT, "99999")),
        ("Loinc.csv", '"LOINC_NUM","LONG_COMMON_NAME","STATUS"\n"777-3","Platelets","ACTIVE"\n',
         "", ("http://loinc.org", "777-3")),
        ("gps.txt", "conceptId\tfsn\tactive\n233604007\tPneumonia (disorder)\t1\n", "",
         (SNOMED_CT, "233604007")),
    ],
)  # fmt: skip
def test_a_users_own_file_is_a_source(tmp_path, name, text, system, code):
    (tmp_path / name).write_text(text)
    found = of_file(tmp_path / name, system)
    assert list(found.codes) == [code]
    assert found.codes[code].is_active is (None if system else True)


def test_a_file_that_does_not_say_whose_codes_it_has_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("1\tA thing\n")
    with pytest.raises(SourceError):
        of_file(tmp_path / "a.tsv")
    with pytest.raises(SourceError):
        of_file(tmp_path / "missing.tsv", "CPT")


def test_the_beginnings_of_words_stand_once():
    file = pathlib.Path(__file__).parents[3] / "fhirpkg/authoring/terms/words.yaml"
    lines = yaml.safe_load(file.read_text())["alike"]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("name", "display"),
    [
        ("Pneumonia", "Pneumothorax, unspecified"),
        ("Pneumonia", "Unspecified pneumoconiosis"),
        ("Hypertension", "Hypotension"),
    ],
)
def test_words_that_only_begin_alike_are_not_the_same(name, display):
    assert likeness(name, display) == 0.0
    assert likeness(name, name) == 1.0


def test_only_the_patient_set_of_hl7_terminology_says_that_a_code_is_free():
    def value_set(url, code):
        concept = [{"code": code, "display": "A thing"}]
        include = [{"system": SNOMED_CT, "concept": concept}]
        return {"resourceType": "ValueSet", "url": url, "compose": {"include": include}}

    class Package:
        id = PackageId("hl7.terminology.r4", "7.0.1")

        def resources(self):
            yield "a", value_set("http://terminology.hl7.org/ValueSet/others", "12584003")
            yield "b", value_set(GPS, "233604007")

    found = of_package(Package())
    assert len(found.codes) == 2
    kept = Terms("codes.lock", codes=found.codes)
    assert listed(found.codes.values(), kept) == {(SNOMED_CT, "233604007")}


@pytest.mark.parametrize(
    ("content", "system", "code", "is_active"),
    [
        (b"\xef\xbb\xbfCode;Bezeichnung\r\n718-7;Hemoglobin\r\n", "LOINC", "718-7", None),
        (b"sep=;\r\nLOINC Code;Name\r\n718-7;Hemoglobin, blood\r\n", "LOINC", "718-7", None),
        ("Code\tName\n718-7\tHemoglobin\n".encode("utf-16"), "LOINC", "718-7", None),
        (b'Name,CPT Code\n"A, b",20983\n', "CPT", "20983", None),
        (b"Long Common Name,LOINC_NUM\nHemoglobin,718-7\n", "", "718-7", None),
        (b"RXCUI|STR\n".replace(b"|", b"\t") + b"11289\twarfarin\n", "", "11289", None),
        (b"code,display,inactive\n718-7,Hemoglobin,true\n", "LOINC", "718-7", False),
        (b"code,display,inactive\n718-7,Hemoglobin,0\n", "LOINC", "718-7", True),
        (b"RXCUI,STR,SUPPRESS\n11289,warfarin,N\n", "", "11289", True),
        (b"RXCUI,STR,SUPPRESS\n11289,warfarin,O\n", "", "11289", False),
        (b"\n\n718-7,Hemoglobin\n\n", "LOINC", "718-7", None),
        (b"code\n718-7\n", "LOINC", "718-7", None),
    ],
)
def test_tables_are_read_as_programs_write_them(tmp_path, content, system, code, is_active):
    (tmp_path / "a.csv").write_bytes(content)
    (known,) = of_file(tmp_path / "a.csv", system).codes.values()
    assert (known.code, known.is_active) == (code, is_active)


@pytest.mark.parametrize(
    "content",
    [b"", b"Hemoglobin,718-7\n", b"PK\x03\x04\xff\xfe", b"caf\xe9,1\n", b"<html></html>", b"a,b\n"],
)
def test_a_file_without_codes_of_its_system_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError):
        of_file(tmp_path / "a.csv", "LOINC")


@pytest.mark.parametrize(
    ("name", "more", "names", "language", "told"),
    [
        ("Neumonía", "", [], "en", "code-display-differs"),
        ("Neumonía", "", [], "es", "code-language"),
        ("Neumonía", "", [("es", "Neumonía")], "es", ""),
        ("Neumonía", "", [("es", "Neumonía")], "es-MX", ""),
        ("Neumonía", "", [("es", "Infarto de miocardio")], "es", "code-display-differs"),
        ("Neumonía", "", [("de", "Lungenentzündung")], "es", "code-language"),
        ("Lungenentzündung", "", [("de-CH", "Lungenentzündung")], "de", ""),
        ("Neumonía", "names: {Neumonía: {en: Pneumonia}}", [], "es", ""),
        ("Neumonía", "names: {Neumonía: {en: Infarction}}", [], "es", "code-display-differs"),
        ("Pneumonia", "", [], "de", ""),
    ],
)
def test_a_name_is_compared_with_displays_of_its_own_language(name, more, names, language, told):
    known = Terms("a package")
    known.add(SNOMED_CT, "233604007", "Pneumonia (disorder)", True, "", names)
    text = f"codes: {{{name}: SNOMED 233604007}}\n{more}\n"
    source = read(text.encode(), "a.yaml")
    check_terms(source, Sources((known,)), language)
    assert [issue.rule for issue in source.issues] == [told] * bool(told)


def test_a_lock_keeps_the_names_of_its_language_alone(tmp_path):
    known = Terms("a package")
    names = [("es", "Neumonía"), ("de", "Pneumonie")]
    known.add(SNOMED_CT, "233604007", "Pneumonia", True, "", names)
    known.add(CPT, "71045", "its own words", True, "", [("es", "sus palabras")])
    (tmp_path / LOCK).write_text(lock.write(known.codes.values(), "es"))
    kept = lock.read(tmp_path).codes
    assert kept[SNOMED_CT, "233604007"].designations == (("es", "Neumonía"),)
    assert not kept[CPT, "71045"].designations
    assert "Neumon" not in lock.write(known.codes.values())
