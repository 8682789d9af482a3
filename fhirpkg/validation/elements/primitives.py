"""The lexical rules of FHIR's primitive types (http://hl7.org/fhir/R4/datatypes.html#primitive).

`PREDICATES` holds one quick test a type; :func:`problem` says what is wrong when it fails.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.validation.elements.primitive_rules import (
    PRIMITIVE_BLANK,
    PRIMITIVE_CHARACTERS,
    PRIMITIVE_EMPTY,
    PRIMITIVE_FORMAT,
    PRIMITIVE_KIND,
    PRIMITIVE_LENGTH,
    PRIMITIVE_OID_ROOT,
    PRIMITIVE_RANGE,
    PRIMITIVE_SCHEME,
    PRIMITIVE_UUID_CASE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.issues import Json
    from fhirpkg.releases import Release
    from fhirpkg.rules import Rule

    Predicate = Callable[[Json], object]

LONGEST_STRING = 1024 * 1024
"""Strings SHALL NOT exceed 1 MB (1024*1024 characters)."""

_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_YEAR = r"(?!0000)(\d{4})"
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"

_date = re.compile(rf"{_YEAR}(?:-{_DAY}|-(?:0[1-9]|1[0-2]))?", re.ASCII).fullmatch
_date_time = re.compile(
    rf"{_YEAR}(?:-{_DAY}(?:T{_TIME}{_ZONE})?|-(?:0[1-9]|1[0-2]))?", re.ASCII
).fullmatch
_instant = re.compile(rf"{_YEAR}-{_DAY}T{_TIME}{_ZONE}", re.ASCII).fullmatch
_time = re.compile(_TIME, re.ASCII).fullmatch
_id = re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch
_is_finer = re.compile(r".*\.\d{10}").match
"""Whether a time has more than nine digits of a second."""
_whole = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII).fullmatch
_code = re.compile(r"\S+(?: \S+)*").fullmatch
_oid = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+", re.ASCII).fullmatch
_uuid = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
_base64 = re.compile(r"[0-9A-Za-z+/]*={0,2}").fullmatch
_is_rooted = re.compile(r"urn:oid:(?:1\.3|[0-9.]{4,}\.)").match
_no_space = re.compile(r"[^\s]+", re.ASCII).fullmatch
_control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").search
_WITHOUT_HOST = frozenset(("http://", "https://"))
"""Whoever gets one must refuse it (https://www.rfc-editor.org/rfc/rfc9110#section-4.2.1)."""
_SPECIAL = ("urn:uuid:", "urn:oid:", "uuid:", "oid:")
_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
_LONG_MONTHS = {"01", "03", "05", "07", "08", "10", "12"}


def _is_boolean(value: Json) -> bool:
    return value is True or value is False


def _is_integer(value: Json) -> bool:
    return type(value) is int and -0x80000000 <= value <= 0x7FFFFFFF


def _is_unsigned(value: Json) -> bool:
    return type(value) is int and 0 <= value <= 0x7FFFFFFF


def _is_positive(value: Json) -> bool:
    return type(value) is int and 1 <= value <= 0x7FFFFFFF


def _is_integer64(value: Json) -> bool:
    """R5's whole numbers of 64 bits, a text in JSON (http://hl7.org/fhir/R5/json.html#primitive)."""
    if type(value) is not str or not _whole(value):
        return False
    return len(value) < 21 and -(2**63) <= int(value) < 2**63


def _is_decimal(value: Json) -> bool:
    return type(value) in (int, float) or isinstance(value, Decimal)


def _is_string(value: Json) -> bool:
    if type(value) is not str or not value or len(value) > LONGEST_STRING:
        return False
    return not value.isspace() if value.isprintable() else _is_text(value)


def _is_markdown(value: Json) -> bool:
    return type(value) is str and _is_text(value)


def _is_text(value: str) -> bool:
    return not value.isspace() and value != "" and not _control(value)


def _is_uri(value: Json) -> bool:
    if type(value) is not str or not _no_space(value) or value in _WITHOUT_HOST:
        return False
    return not value.startswith(_SPECIAL) or _is_special(value)


def _is_canonical(value: Json) -> bool:
    if type(value) is not str or not _no_space(value) or value in _WITHOUT_HOST:
        return False
    if value.startswith("urn:oid:"):  # R4's examples have placeholders there
        return True
    return not value.startswith(_SPECIAL) or _is_special(value.partition("|")[0])


def _is_special(value: str) -> bool:
    """Whether a uri that should be a uuid or an oid is one."""
    if value.startswith("urn:uuid:"):
        return bool(_uuid(value.partition("#")[0]))
    return value.startswith("urn:oid:") and _is_namespace(value.partition("|")[0])


def _is_namespace(value: str) -> bool:
    return bool(_oid(value) and _is_rooted(value))


def _is_code(value: Json) -> bool:
    return type(value) is str and bool(_code(value))


def _is_id(value: Json) -> bool:
    return type(value) is str and bool(_id(value))


def _is_oid(value: Json) -> bool:
    return type(value) is str and _is_namespace(value)


def _is_uuid(value: Json) -> bool:
    return type(value) is str and bool(_uuid(value))


def _is_time(value: Json) -> bool:
    return type(value) is str and bool(_time(value))


def _is_date(value: Json) -> bool:
    return type(value) is str and _on_calendar(_date(value))


def _is_date_time(value: Json) -> bool:
    return type(value) is str and _on_calendar(_date_time(value))


def _is_instant(value: Json) -> bool:
    return type(value) is str and _on_calendar(_instant(value))


def _is_base64(value: Json) -> bool:
    if type(value) is not str or not value:
        return False
    bare = value.translate(_SPACE)
    return len(bare) % 4 == 0 and bool(bare) and bool(_base64(bare))


def _on_calendar(match: re.Match[str] | None) -> bool:
    """Whether a date that looks right is one: no 31 June, 29 February in leap years only."""
    if match is None:
        return False
    year, month, day = match.groups()
    if day is None or day < "29" or month in _LONG_MONTHS:
        return True
    if month != "02":
        return bool(day < "31")
    number = int(year)
    return bool(day == "29") and number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)


PREDICATES: Mapping[str, Predicate] = {
    "base64Binary": _is_base64,
    "boolean": _is_boolean,
    "canonical": _is_canonical,
    "code": _is_code,
    "date": _is_date,
    "dateTime": _is_date_time,
    "decimal": _is_decimal,
    "id": _is_id,
    "instant": _is_instant,
    "integer": _is_integer,
    "integer64": _is_integer64,
    "markdown": _is_markdown,
    "oid": _is_oid,
    "positiveInt": _is_positive,
    "string": _is_string,
    "time": _is_time,
    "unsignedInt": _is_unsigned,
    "uri": _is_uri,
    "url": _is_uri,
    "uuid": _is_uuid,
    "xhtml": lambda value: type(value) is str and bool(value.strip()),
}
"""Type to the test of a JSON value; all that is true of a good value."""


def _is_bare_base64(value: Json) -> bool:
    return _is_base64(value) and not any(space in value for space in " \t\r\n")


def _is_short_decimal(value: Json) -> bool:
    return _is_decimal(value) and len(Decimal(str(value)).as_tuple().digits) <= 18


_OF_R5: Mapping[str, Predicate] = {
    "base64Binary": _is_bare_base64,
    "dateTime": lambda value: _is_date_time(value) and not _is_finer(value),
    "decimal": _is_short_decimal,
    "instant": lambda value: _is_instant(value) and not _is_finer(value),
    "time": lambda value: _is_time(value) and not _is_finer(value),
}
"""What R5 says more narrowly (http://hl7.org/fhir/R5/datatypes.html#primitive)."""


def predicates(release: Release) -> Mapping[str, Predicate]:
    """The tests of a release's primitive types."""
    return {**PREDICATES, **_OF_R5} if release.name == "R5" else PREDICATES


_FORMS = {
    "base64Binary": "base64 text in groups of four, in R5 without white space",
    "canonical": "a url with a host, without spaces, with a well-formed uuid if it is one",
    "code": "words divided by single spaces",
    "date": "a day of the calendar as YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a day of the calendar, with a time only as Thh:mm:ss and a zone",
    "id": "1 to 64 letters, digits, - and .",
    "instant": "YYYY-MM-DDThh:mm:ss with a zone, on a day of the calendar",
    "integer64": "a whole number from -9223372036854775808 to 9223372036854775807",
    "oid": "urn:oid: and numbers divided by points",
    "time": "hh:mm:ss",
    "uri": "a uri without spaces, of http with a host, with a well-formed uuid or oid if it is one",
    "url": "a url without spaces, with a well-formed uuid or oid if it is one",
    "uuid": "urn:uuid: and 32 hexadecimal digits as 8-4-4-4-12",
}
_RANGES = {
    "decimal": "of 18 digits at most",
    "integer": "from -2147483648 to 2147483647",
    "positiveInt": "from 1 to 2147483647",
    "unsignedInt": "from 0 to 2147483647",
}
_TEXTS = frozenset(("markdown", "string"))
_URIS = frozenset(("canonical", "oid", "uri", "url", "uuid"))
_KINDS = {
    "boolean": "true or false",
    "decimal": "a number",
    "integer": "a whole number",
    "positiveInt": "a whole number",
    "unsignedInt": "a whole number",
}


def problem(type_name: str, value: Json) -> tuple[Rule, dict[str, Json]]:
    """The rule that a bad value breaks and the words for it."""
    if value in ("", None):
        return PRIMITIVE_EMPTY, {}
    if type(value) is str and value.isspace():
        return PRIMITIVE_BLANK if type_name in _TEXTS else PRIMITIVE_EMPTY, {}
    wanted = _KINDS.get(type_name, "text")
    if isinstance(value, (dict, list)) or (type(value) is str) != (wanted == "text"):
        return PRIMITIVE_KIND, {"found": kind(value), "wanted": wanted, "type": type_name}
    shown = shorten(value)
    if type_name in _URIS and _uuid(value.lower()):
        return PRIMITIVE_UUID_CASE, {"value": shown}
    if type_name in _URIS and value.startswith(("uuid:", "oid:")):
        return PRIMITIVE_SCHEME, {"value": shown, "scheme": value.partition(":")[0]}
    if type_name in _URIS and _oid(value):
        return PRIMITIVE_OID_ROOT, {"value": shown}
    is_number = type_name in _RANGES and PREDICATES["decimal"](value)
    if is_number and (type_name == "decimal" or value == int(value)):
        return PRIMITIVE_RANGE, {"value": shown, "type": type_name, "range": _RANGES[type_name]}
    if type_name in _KINDS:
        return PRIMITIVE_KIND, {"found": kind(value), "wanted": wanted, "type": type_name}
    if type_name in _FORMS:
        return PRIMITIVE_FORMAT, {"value": shown, "type": type_name, "form": _FORMS[type_name]}
    if len(value) > LONGEST_STRING:
        return PRIMITIVE_LENGTH, {"length": str(len(value)), "limit": str(LONGEST_STRING)}
    return PRIMITIVE_CHARACTERS, {"value": shown}


def kind(value: Json) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, str):
        return f"the text {shorten(value)}"
    if value is True or value is False:
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return f"the number {shorten(value)}"


def shorten(value: Json) -> str:
    """A value as it is shown in a message: text quoted, long ones cut."""
    return f"'{cut(value, 80)}'" if isinstance(value, str) else cut(str(value), 80)


def cut(text: str, limit: int) -> str:
    """Text on one line, not longer than a limit."""
    shown = text[:limit]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return shown if len(text) <= limit else f"{shown}…"
