"""Code systems by name: url, the form of their codes, and what their owners ask to be said."""

from __future__ import annotations

from typing import NamedTuple

from fhirpkg.definitions.terminology.grammars import CPT, ICD_10_CM, LOINC, RXNORM, SNOMED_CT


class System(NamedTuple):
    """One code system."""

    url: str
    notice: str = ""
    """What its owner asks to be said where its codes are used."""
    owner: str = ""
    """The words of the notice that name the owner."""
    pattern: str = ""
    """The form of its codes, where no grammar elsewhere has it, or one that takes more."""
    form: str = ""
    """The same in words."""
    needs_version: bool = False
    """Whether a code means something only together with the year of its edition."""


_OF_GM = (
    "ICD-10-GM is published by the Bundesinstitut für Arzneimittel und Medizinprodukte (BfArM) for "
    "the German Federal Ministry of Health, from ICD-10 of the World Health Organization; its "
    "codes are used unchanged."
)

SYSTEMS = {
    "ATC": System(
        "http://www.whocc.no/atc",
        "ATC codes (c) WHO Collaborating Centre for Drug Statistics Methodology, Oslo. They may "
        "not be copied or distributed for commercial purposes, nor changed.",
        pattern=r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?",
        form="a letter, two digits, one or two letters and two digits, such as 'B01AB05'",
        owner="WHO Collaborating Centre",
    ),
    "CCAM": System(
        "https://smt.esante.gouv.fr/terminologie-ccam",
        "CCAM is published by the French health insurance (Assurance Maladie) and the Agence du "
        "numérique en santé.",
        pattern=r"[A-Z]{4}\d{3}(-?\d{1,3})?",
        form="four letters and three digits, such as 'HHQE002'",
        owner="Assurance Maladie",
    ),
    "CPT": System(
        CPT,
        "CPT (c) Copyright 2026 American Medical Association. All rights reserved. AMA and CPT "
        "are registered trademarks of the American Medical Association. Using CPT needs a licence "
        "of the American Medical Association; no CPT description is contained here.",
        pattern=r"\d{5}|\d{4}[A-Z]",  # a modifier's two characters are no service
        form="five digits, or four digits and a letter, such as '43235'",
        owner="American Medical Association",
    ),
    "CVX": System(
        "http://hl7.org/fhir/sid/cvx",
        "CVX codes are maintained by the US Centers for Disease Control and Prevention.",
        owner="Centers for Disease Control",
    ),
    "DICOM": System(
        "http://dicom.nema.org/resources/ontology/DCM",
        "DICOM is the registered trademark of the National Electrical Manufacturers Association "
        "for its standards publications relating to digital communications of medical "
        "information.",
        owner="National Electrical Manufacturers Association",
    ),
    "HCPCS": System(
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "HCPCS Level II codes are maintained by the US Centers for Medicare & Medicaid Services; "
        "those that begin with D are copyright of the American Dental Association.",
        pattern=r"[A-V]\d{4}",
        form="a letter and four digits, such as 'G0105'",
        owner="Centers for Medicare",
    ),
    "ICD-10": System(
        "http://hl7.org/fhir/sid/icd-10",
        "ICD-10 is copyright of the World Health Organization, which does not endorse this "
        "content.",
        owner="World Health Organization",
    ),
    "ICD-10-CM": System(ICD_10_CM),
    "ICD-10-GM": System("http://fhir.de/CodeSystem/bfarm/icd-10-gm", _OF_GM, owner="BfArM"),
    "ICD-10-GM-DIMDI": System(  # the same by its url of before 2021, which old records have
        "http://fhir.de/CodeSystem/dimdi/icd-10-gm", _OF_GM, owner="BfArM"
    ),
    "ICD-10-PCS": System(
        "http://www.cms.gov/Medicare/Coding/ICD10",
        pattern=r"[0-9A-HJ-NP-Z]{7}",
        form="seven digits and capital letters without I and O, such as '0DJD8ZZ'",
    ),
    "ICD-11": System(
        "http://id.who.int/icd/release/11/mms",
        "ICD-11 is copyright of the World Health Organization and licensed under CC BY-ND 3.0 IGO.",
        pattern=r"[0-9A-HJ-NP-Z]{4}(\.[0-9A-HJ-NP-Z]{1,2})?([&/][0-9A-HJ-NP-Z]{4,}(\.[0-9A-Z]+)?)*",
        form="four digits and letters and up to two after a point, such as 'DB30.1'",
        owner="World Health Organization",
    ),
    "ICD-9-CM": System(
        "http://hl7.org/fhir/sid/icd-9-cm",
        pattern=r"(\d{3}|V\d\d|E\d{3})(\.\d{1,2})?",
        form="three digits and up to two after a point, such as '198.5'",
    ),
    "LOINC": System(
        LOINC,
        "This material contains content from LOINC (http://loinc.org). LOINC is copyright (c) "
        "Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes "
        "(LOINC) Committee and is available at no cost under the license at "
        "http://loinc.org/license. LOINC(R) is a registered United States trademark of "
        "Regenstrief Institute, Inc.",
        owner="Regenstrief Institute",
    ),
    "NUCC": System("http://nucc.org/provider-taxonomy"),
    "OPCS-4": System(
        "https://fhir.hl7.org.uk/CodeSystem/OPCS-4",
        "OPCS-4 is Crown copyright and published by NHS England.",
        pattern=r"[A-Z]\d\d(\.\d)?",
        form="a letter, two digits and one after a point, such as 'H22.9'",
        owner="NHS England",
    ),
    "OPS": System(
        "http://fhir.de/CodeSystem/bfarm/ops",
        "OPS is published by the Bundesinstitut für Arzneimittel und Medizinprodukte (BfArM) for "
        "the German Federal Ministry of Health; its codes are used unchanged.",
        pattern=r"\d-\d[0-9a-z]{2}(\.[0-9a-z]{1,2})?",
        form="a digit, a hyphen, three and up to two more digits or letters, such as '1-650.2'",
        needs_version=True,
        owner="BfArM",
    ),
    "RoleCode": System("http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
    "RxNorm": System(
        RXNORM,
        "This content uses data of RxNorm, courtesy of the U.S. National Library of Medicine, "
        "National Institutes of Health, Department of Health and Human Services, which is not "
        "responsible for it and does not endorse it.",
        owner="National Library of Medicine",
    ),
    "SNOMED": System(SNOMED_CT, owner="SNOMED International"),
}
"""Our name for a system (what begins a code in procedure.yaml), and the system."""

OF_SNOMED = {
    True: "Codes of SNOMED CT (c) SNOMED International are taken from its Global Patient Set, "
    "which is licensed under CC BY 4.0, or from value sets of FHIR R4; SNOMED International does "
    "not endorse this content.",
    False: "SNOMED CT (c) SNOMED International, which does not endorse this content. Not each of "
    "the codes used here is known to be in its Global Patient Set; the others need a licence of "
    "SNOMED International or of a member of it.",
}
"""The notice of SNOMED CT, by whether each code used is known to be free."""

BY_URL = {system.url: system for system in SYSTEMS.values()}

NAMES = {system.url: name for name, system in SYSTEMS.items()}


def written(system: str, code: object) -> str:
    """A code as procedure.yaml writes it: our name for its system, or the url, before the code.

    >>> written("http://loinc.org", "6301-6")
    'LOINC 6301-6'
    """
    return f"{NAMES.get(system, system)} {code}"


PROCEDURES = frozenset(
    SYSTEMS[name].url for name in ("CCAM", "CPT", "HCPCS", "ICD-10-PCS", "OPCS-4", "OPS")
)
"""Systems whose codes are nothing but procedures: what bears one is an order of it."""
