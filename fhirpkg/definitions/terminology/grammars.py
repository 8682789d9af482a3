"""Code systems that no package holds: what a code must look like, and when that is all there is.

A grammar finds slips (a digit too few, a wrong check digit); only where the grammar *is* the
system (units, languages, MIME types, URIs) does a well-formed code also exist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.verdicts import YES, Membership, no, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

CPT = "http://www.ama-assn.org/go/cpt"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED_CT = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
BCP_47 = "urn:ietf:bcp:47"
MIME_TYPES = "urn:ietf:bcp:13"
ISO_3166 = "urn:iso:std:iso:3166"
ISO_4217 = "urn:iso:std:iso:4217"

_NO_CONTENT = "no package holds the content of {system}"

# ISO 639-1, the two-letter subtags that BCP 47 takes as languages.
_LANGUAGE_SUBTAGS = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km kn ko kr ks ku kv "
    "kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl nn no nr "
    "nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq "
    "sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi "
    "yo za zh zu"
)
_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
_CURRENCY_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF "
    "XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL"
)
_OTHER_COUNTRIES = frozenset("AN BU CS DD FX NT SU TP XK YD YU ZR".split())
"""Former countries (ISO 3166-3), and what is left to users and Kosovo goes by."""
_LANGUAGES = frozenset(_LANGUAGE_SUBTAGS.split())
_COUNTRIES = frozenset(_COUNTRY_CODES.split())
_CURRENCIES = frozenset(_CURRENCY_CODES.split())

_PATTERNS = {
    CPT: (
        r"\d{5}|\d{4}[A-Z]|[0-9A-Z]{2}",
        "five digits, four digits and a letter, or a modifier's two characters",
    ),
    ICD_10_CM: (
        r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
        "a letter, a digit, a digit or letter and up to four characters after a point",
    ),
    "http://hl7.org/fhir/sid/icd-10": (
        r"[A-Z]\d\d(\.[0-9X]{1,3})?[*+†!]?(-[A-Z]\d\d(\.[0-9X]{1,3})?)?",
        "a letter, two digits and up to three digits after a point",
    ),
    "http://hl7.org/fhir/sid/cvx": (r"\d{1,3}", "up to three digits"),
    "http://nucc.org/provider-taxonomy": (r"[0-9A-Z]{9}X", "nine characters and an X"),
    RXNORM: (r"\d{1,8}", "digits"),
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": (
        r"[A-V]\d{4}|[A-Z0-9]{2}",
        "a letter and four digits",
    ),
    "http://unstats.un.org/unsd/methods/m49/m49.htm": (r"\d{3}", "three digits"),
    "urn:iso:std:iso:3166:-2": (
        r"[A-Z]{2}-[A-Z0-9]{1,3}",
        "a country's two letters, a hyphen and up to three characters",
    ),
}
_PATTERNS["http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"] = _PATTERNS[
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
]

_LANGUAGE_TAG = re.compile(
    r"(?:(?P<language>[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"
    r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,9}"
    r"(?:-[A-WYZa-wyz0-9](?:-[A-Za-z0-9]{2,8}){1,9}){0,9})?"
    r"(?:-?[xX](?:-[A-Za-z0-9]{1,8}){1,9})?"
)
_MIME_TOKEN = r"[A-Za-z0-9!#$&^_.+*-]+"  # noqa: S105 - a grammar, no secret
_MIME_TYPE = re.compile(rf"{_MIME_TOKEN}/{_MIME_TOKEN}(?:\s*;\s*{_MIME_TOKEN}\s*=\s*[^;]+)*")
_FORMATS = frozenset(("json", "xml", "ttl", "html", "text"))
"""Short names that FHIR itself uses beside MIME types (R4 http.html#mime-type)."""

_SNOMED_ID = re.compile(r"[1-9][0-9]{5,17}")
_LOINC_ID = re.compile(r"([0-9]{1,7})-([0-9])|L[A-Z][0-9]{1,9}-[0-9]")


def check(system: str, code: str) -> Membership:
    """YES, NO or UNKNOWN for a code of a system whose content is in no package."""
    special = _CHECKS.get(system)
    if special:
        return special(code)
    if system in _PATTERNS:
        pattern, words = _PATTERNS[system]
        if not re.fullmatch(pattern, code, re.ASCII):
            return no(f"'{code}' is not a code of {system}, which has {words}")
    return unknown(_NO_CONTENT.format(system=system))


def is_verhoeff(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of the others, as in SNOMED CT ids.

    >>> is_verhoeff("94222008"), is_verhoeff("94222009")
    (True, False)
    """
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = _DIHEDRAL[state][_PERMUTATIONS[place % 8][int(digit)]]
    return state == 0


def is_mod_10(digits: str, check_digit: str) -> bool:
    """Whether `check_digit` is the mod-10 (Luhn) check digit, as LOINC numbers have it.

    >>> is_mod_10("777", "3"), is_mod_10("777", "4")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10 == int(check_digit)


def _dihedral(a: int, b: int) -> int:
    """Product in the group of the ten symmetries of a pentagon: 0-4 turns, 5-9 reflections."""
    if a < 5:
        return (a + b) % 5 if b < 5 else (a + b) % 5 + 5
    return (a - b) % 5 + 5 if b < 5 else (a - b) % 5


_DIHEDRAL = [[_dihedral(a, b) for b in range(10)] for a in range(10)]
_PERMUTATIONS = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _PERMUTATIONS.append([_PERMUTATIONS[1][digit] for digit in _PERMUTATIONS[-1]])


def _snomed(code: str) -> Membership:
    if _SNOMED_ID.fullmatch(code):
        if not is_verhoeff(code):
            return no(f"'{code}' is not a SNOMED CT id: its last digit does not check the others")
        if code[-3:-1] not in {"00", "10"}:
            return no(
                f"'{code}' is the SNOMED CT id of a description or relationship, not of a concept"
            )
    elif re.fullmatch(r"\d+|[A-Za-z-]*", code):
        return no(f"'{code}' is not a SNOMED CT id, which has 6 to 18 digits")
    return unknown(_NO_CONTENT.format(system=SNOMED_CT))


def _loinc(code: str) -> Membership:
    match = _LOINC_ID.fullmatch(code)
    if match is None:
        return no(f"'{code}' is not a LOINC code, which has digits, a hyphen and a check digit")
    if match[1] and not is_mod_10(match[1], match[2]):
        return no(f"'{code}' is not a LOINC code: its check digit is wrong")
    return unknown(_NO_CONTENT.format(system=LOINC))


def _unit(code: str) -> Membership:
    from fhirpkg import ucum  # noqa: PLC0415 - costs start-up

    problem = ucum.problem(code)
    return no(f"'{code}' is not a UCUM unit: {problem}") if problem else YES


def _language(code: str) -> Membership:
    match = _LANGUAGE_TAG.fullmatch(code)
    if not code or match is None:
        return no(f"'{code}' is not a language tag (BCP 47)")
    primary = (match["language"] or "").split("-")[0].lower()
    if len(primary) == 2 and primary not in _LANGUAGES:
        return no(f"'{primary}' is not a language of ISO 639-1")
    if len(primary) > 3:  # BCP 47 leaves room for them, and none was ever registered
        return no(f"'{primary}' is not a language: those of BCP 47 have two or three letters")
    return YES


def _mime_type(code: str) -> Membership:
    if code in _FORMATS or _MIME_TYPE.fullmatch(code):
        return YES
    return no(f"'{code}' is not a MIME type")


def _country(code: str) -> Membership:
    if code in _COUNTRIES:
        return YES
    if re.fullmatch(r"[A-Z]{3,4}|[0-9]{3}", code) or code in _OTHER_COUNTRIES:
        return unknown(_NO_CONTENT.format(system=ISO_3166))
    return no(f"'{code}' is not a country code of ISO 3166-1")


def _currency(code: str) -> Membership:
    if code in _CURRENCIES:
        return YES
    if re.fullmatch("[A-Z]{3}", code):
        return unknown(f"'{code}' is not among the currencies in use; ISO 4217 also had others")
    return no(f"'{code}' is not a currency code of ISO 4217")


def _uri(code: str) -> Membership:
    return YES if code and not re.search(r"\s", code) else no(f"'{code}' is not a URI")


_CHECKS: dict[str, Callable[[str], Membership]] = {
    SNOMED_CT: _snomed,
    LOINC: _loinc,
    UCUM: _unit,
    BCP_47: _language,
    MIME_TYPES: _mime_type,
    "http://hl7.org/fhir/sid/mime-type": _mime_type,
    ISO_3166: _country,
    ISO_4217: _currency,
    "urn:ietf:rfc:3986": _uri,
}
