"""Rules of primitive values: how each type is written."""

from fhirpkg.rules import error, warning

_JSON = "http://hl7.org/fhir/R4/json.html#primitive"
_TYPES = "http://hl7.org/fhir/R4/datatypes.html#primitive"

PRIMITIVE_KIND = error(
    "primitive-kind",
    "structure",
    title="Primitive values have the JSON kind of their type",
    text="a {type} is {wanted} in JSON, but this is {found}",
    spec=_JSON,
)
PRIMITIVE_EMPTY = error(
    "primitive-empty",
    "value",
    title="Primitive values are not empty",
    text="the value is empty",
    advice="remove the element, or give the reason for its absence in an extension",
    spec=_JSON,
)
PRIMITIVE_BLANK = warning(
    "primitive-blank",
    "value",
    title="Text is not only white space",
    text="the text is white space only",
    advice="remove the element: readers may take it for empty",
    spec=_TYPES,
)
PRIMITIVE_FORMAT = error(
    "primitive-format",
    "value",
    title="Primitive values have the format of their type",
    text="{value} is not a valid {type}; write {form}",
    spec=_TYPES,
)
PRIMITIVE_RANGE = error(
    "primitive-range",
    "value",
    title="Whole numbers are in the range of their type",
    text="{value} is out of range: {type} goes {range}",
    spec=_TYPES,
)
PRIMITIVE_LENGTH = error(
    "primitive-length",
    "too-long",
    title="A string has at most 1048576 characters",
    text="the text has {length} characters; at most {limit} are allowed",
    spec=_TYPES,
)
PRIMITIVE_CHARACTERS = warning(
    "primitive-characters",
    "value",
    title="Text has no control characters except tab, line feed and carriage return",
    text="{value} has a control character",
    advice="remove it: XML cannot represent it",
    spec=_TYPES,
)
PRIMITIVE_SCHEME = error(
    "primitive-scheme",
    "value",
    title="A UUID or OID used as a URI begins with urn:",
    text="{value} begins with '{scheme}:', which is not a URI scheme",
    advice="write urn:{scheme}: before it",
    spec=_TYPES,
)
PRIMITIVE_OID_ROOT = warning(
    "primitive-oid-root",
    "value",
    title="OIDs are specific enough to have an owner",
    text="{value} is only the root of other OIDs",
    advice="write the whole OID",
    spec=_TYPES,
    is_strict=True,
)
PRIMITIVE_UUID_CASE = warning(
    "primitive-uuid-case",
    "value",
    title="A UUID is written in lower case",
    text="{value} has upper-case letters",
    spec=_TYPES,
    is_strict=True,
)
