"""The mistakes that cost most are told by the plain verbs: no option, nothing installed for it."""

import pytest

from fhirpkg.cli import _run as main

PACKAGE = """
id: example.told
version: 0.1.0
date: 2026-11-30
canonical: https://example.org/told
title: A made-up package
description: For tests.
publisher: Nobody
author: Nobody
status: draft
experimental: true
jurisdiction: US
license: CC0-1.0
dependencies: {hl7.fhir.r4.core: 4.0.1}
"""
PROCEDURE = """
id: LungBiopsy
source: {title: Nobody's notes, facts: {name: 1, indications: 1, contraindications: 2, steps: 1}}
name: {text: Biopsy of the lung, from: name}
code: {use: Biopsy of the lung, from: name}
indications:
  - {id: pneumonia, text: A pneumonia that stays, from: indications, code: Pneumonia}
contraindications:
  - {id: bleeding, text: A tendency to bleed, from: contraindications-1}
  - {id: one-lung, text: A single lung, from: contraindications-2}
steps:
  - {id: biopsy, text: Take a sample., from: steps, code: Biopsy}
codes:
  Biopsy of the lung: CPT 32408
  Pneumonia: SNOMED 233604007
  Biopsy: SNOMED 86273004
"""
OF_PNEUMONIA = "Pneumonia: SNOMED 233604007"
MISTAKES = {
    "an infarction under Pneumonia": (
        OF_PNEUMONIA, "Pneumonia: SNOMED 22298006", "code-display-differs", "Myocardial infarction",
    ),
    "an infarction in ICD-10-CM": (
        OF_PNEUMONIA, "Pneumonia: ICD-10-CM I21.9", "code-display-differs", "infarction",
    ),
    "an inactive code": (
        "\nsteps:",
        "\nsetting: {text: A clinic, added: a test, places: Psychiatric clinic}\nsteps:",
        "code-inactive", "PSYCHCF",
    ),
    "a code of the wrong kind": (
        OF_PNEUMONIA, "Pneumonia: SNOMED 399208008", "code-kind", "a procedure",
    ),
    "CPT 99999": ("CPT 32408", "CPT 99999", "code-unknown", "CPT 99999"),
    "a code that the GPS does not have": (
        OF_PNEUMONIA, "Pneumonia: SNOMED 438791002", "code-not-verified", "SNOMED 438791002",
    ),
}  # fmt: skip
"""What is changed, into what, the rule that tells it, and a word of what is told."""


@pytest.fixture
def package(tmp_path):
    (tmp_path / "package.yaml").write_text(PACKAGE.lstrip())
    (tmp_path / "procedure.yaml").write_text(PROCEDURE.lstrip())
    return tmp_path


def told(verb, package, capfd):
    capfd.readouterr()
    main([verb, str(package)])
    return str(capfd.readouterr())


def edit(package, old, new):
    text = (package / "procedure.yaml").read_text()
    assert text.count(old) == 1
    (package / "procedure.yaml").write_text(text.replace(old, new))


@pytest.mark.parametrize("verb", ["build", "validate", "coverage"])
def test_what_is_right_is_not_told(package, capfd, verb):
    found = told(verb, package, capfd)
    assert not [rule for _, _, rule, _ in MISTAKES.values() if rule in found.replace(
        "code-not-verified", "", 1)]  # CPT is nobody's to list  # fmt: skip


@pytest.mark.parametrize("verb", ["build", "validate", "coverage"])
@pytest.mark.parametrize("old, new, rule, words", MISTAKES.values(), ids=MISTAKES)
def test_a_wrong_code_is_told_by_default(package, capfd, verb, old, new, rule, words):
    if "ICD-10-CM" in new:
        pytest.importorskip("simple_icd_10_cm", reason="ICD-10-CM is the extra `codes`")
    edit(package, old, new)
    if "places" in new:
        edit(package, "codes:\n", "codes:\n  Psychiatric clinic: RoleCode PSYCHCF\n")
    found = told(verb, package, capfd)
    assert rule in found
    assert words in found


def test_the_notice_of_the_gps_stands_only_over_codes_of_it(package, capfd):
    taken = "are taken from its Global Patient Set"
    main(["codes", "check", str(package)])
    told("build", package, capfd)
    plan = package / "fhir" / "PlanDefinition-LungBiopsyPlan.json"
    assert taken in plan.read_text()
    edit(package, OF_PNEUMONIA, "Pneumonia: SNOMED 438791002")
    told("build", package, capfd)
    assert taken not in plan.read_text()


@pytest.mark.parametrize("verb", ["validate", "package"])
def test_a_stale_build_is_told_by_default(package, capfd, verb, tmp_path_factory, monkeypatch):
    told("build", package, capfd)
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    assert "built" not in told(verb, package, capfd)
    edit(package, "Take a sample.", "Take two samples.")
    assert "was changed after" in told(verb, package, capfd)


@pytest.mark.parametrize("verb", ["build", "validate", "coverage"])
def test_a_lost_contraindication_is_told_by_default(package, capfd, verb):
    edit(package, "  - {id: one-lung, text: A single lung, from: contraindications-2}\n", "")
    found = told(verb, package, capfd)
    assert "source-lost-fact" in found
    assert "contraindications-2" in found
