"""Rules of primitive values: how each type is written."""

from fhirpkg.rules import error, warning

_JSON = "http://hl7.org/fhir/R4/json.html#primitive"
_TYPES = "http://hl7.org/fhir/R4/datatypes.html#primitive"

PRIMITIVE_KIND = error(
    "primitive-kind",
    "structure",
    title="A primitive value is of the JSON kind that its type is written in",
    text="a {type} is {wanted} in JSON, not {found}",
    spec=_JSON,
)
PRIMITIVE_EMPTY = error(
    "primitive-empty",
    "value",
    title="A primitive value is not empty",
    text="the value is empty",
    advice="leave the element out, or say why it is missing in an extension",
    spec=_JSON,
)
PRIMITIVE_BLANK = warning(
    "primitive-blank",
    "value",
    title="Text has more than white space",
    text="the text is white space only",
    advice="leave the element out: readers may take it for empty",
    spec=_TYPES,
)
PRIMITIVE_FORMAT = error(
    "primitive-format",
    "value",
    title="A primitive value is written as its type demands",
    text="{value} is not a valid {type}; write {form}",
    spec=_TYPES,
)
PRIMITIVE_RANGE = error(
    "primitive-range",
    "value",
    title="A whole number is in the range of its type",
    text="{value} is no {type}, which goes {range}",
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
    title="Text holds no control characters but tab, line feed and carriage return",
    text="{value} holds a control character",
    advice="leave it out: XML cannot hold it",
    spec=_TYPES,
)
PRIMITIVE_SCHEME = error(
    "primitive-scheme",
    "value",
    title="A UUID or an OID in a uri stands behind urn:",
    text="{value} begins with '{scheme}:', which is no scheme of uris",
    advice="write urn:{scheme}: and the number",
    spec=_TYPES,
)
PRIMITIVE_OID_ROOT = warning(
    "primitive-oid-root",
    "value",
    title="An OID is long enough to be somebody's",
    text="{value} is a root of OIDs that nobody may use for things of their own",
    advice="write the whole OID",
    spec=_TYPES,
    is_strict=True,
)
PRIMITIVE_UUID_CASE = warning(
    "primitive-uuid-case",
    "value",
    title="A UUID is written in lower case",
    text="{value} has letters in upper case",
    spec=_TYPES,
    is_strict=True,
)
