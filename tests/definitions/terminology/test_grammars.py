"""Codes of systems that no package holds."""

import pytest

from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.grammars import CPT, ICD_10_CM, LOINC, SNOMED_CT, UCUM

ISO_3166_2 = "urn:iso:std:iso:3166:-2"
CASES = [
    (CPT, "99213", "unknown"), (CPT, "0042T", "unknown"),
    (CPT, "9921", "no"), (CPT, "T0042", "no"), (CPT, "992133", "no"),
    (ICD_10_CM, "C79.51", "unknown"), (ICD_10_CM, "M84.50XA", "unknown"),
    (ICD_10_CM, "79.51", "no"), (ICD_10_CM, "C79.", "no"), (ICD_10_CM, "C79.51234", "no"),
    (SNOMED_CT, "94222008", "unknown"), (SNOMED_CT, "94222009", "no"),
    (SNOMED_CT, "12345", "no"), (SNOMED_CT, "bone", "no"),
    # digits, but not those of ASCII
    (CPT, "9921\u0663", "no"), (SNOMED_CT, "9422200\u0668", "no"), (LOINC, "77\u0667-3", "no"),
    (grammars.BCP_47, "es-41\u0669", "no"), (grammars.ISO_3166, "2\u06676", "no"),
    (SNOMED_CT, "73211009:363698007=113331007", "unknown"),
    (SNOMED_CT, "751689013", "no"),  # a description of diabetes mellitus, not its concept
    (LOINC, "777-3", "unknown"), (LOINC, "777-4", "no"), (LOINC, "7773", "no"),
    (LOINC, "LA6576-8", "unknown"), (LOINC, "LA6576", "no"),
    ("http://nucc.org/provider-taxonomy", "2085R0204X", "unknown"),
    ("http://nucc.org/provider-taxonomy", "2085R0204", "no"),
    ("http://hl7.org/fhir/sid/cvx", "208", "unknown"), ("http://hl7.org/fhir/sid/cvx", "x", "no"),
    (UCUM, "mm[Hg]", "yes"), (UCUM, "not a unit", "no"),
    (grammars.BCP_47, "en", "yes"), (grammars.BCP_47, "de-CH-1996", "yes"),
    (grammars.BCP_47, "zh-Hant-TW", "yes"), (grammars.BCP_47, "x-klingon", "yes"),
    (grammars.BCP_47, "xx", "no"), (grammars.BCP_47, "en_US", "no"), (grammars.BCP_47, "", "no"),
    (grammars.MIME_TYPES, "text/plain; charset=utf-8", "yes"),
    (grammars.MIME_TYPES, "application/fhir+json", "yes"), (grammars.MIME_TYPES, "json", "yes"),
    (grammars.MIME_TYPES, "picture", "no"), (grammars.MIME_TYPES, "[%a%]", "no"),
    (grammars.ISO_3166, "DE", "yes"), (grammars.ISO_3166, "ZZ", "no"),
    (grammars.ISO_3166, "DEU", "unknown"),
    (ISO_3166_2, "DE-BY", "unknown"), (ISO_3166_2, "Bayern", "no"),
    (grammars.ISO_4217, "EUR", "yes"), (grammars.ISO_4217, "DEM", "unknown"),
    (grammars.ISO_4217, "euro", "no"),
    ("urn:ietf:rfc:3986", "urn:oid:1.2.3", "yes"), ("urn:ietf:rfc:3986", "a b", "no"),
    ("http://example.org/nobody-knows", "anything", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize("system, code, verdict", CASES)
def test_a_code_is_judged_by_the_grammar_of_its_system(system, code, verdict):
    found = grammars.check(system, code)
    assert found.verdict == verdict
    assert (found.reason == "") == (verdict == "yes")


@pytest.mark.parametrize("right", ["94222008", "999000011000000103"])
def test_every_single_digit_slip_in_a_snomed_id_is_noticed(right):
    wrong = [
        right[:i] + d + right[i + 1 :]
        for i in range(len(right))
        for d in "0123456789"
        if d != right[i]
    ]
    assert grammars.is_verhoeff(right)
    assert not any(map(grammars.is_verhoeff, wrong))


def test_swapped_neighbours_in_a_snomed_id_are_noticed():
    right = "363346000"
    swaps = {right[:i] + right[i + 1] + right[i] + right[i + 2 :] for i in range(8)} - {right}
    assert len(swaps) > 3
    assert not any(map(grammars.is_verhoeff, swaps))
