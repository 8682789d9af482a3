"""Rules of primitive values: how each type is written."""

from fhirpkg.rules import ERROR, WARNING, Rule

_TYPES = "http://hl7.org/fhir/R4/datatypes.html#primitive"
_JSON = "http://hl7.org/fhir/R4/json.html#primitive"

RULES = (
    Rule(
        "primitive-kind",
        ERROR,
        "structure",
        "A primitive value is of the JSON kind that its type is written in",
        "a {type} is {wanted} in JSON, not {found}",
        spec=_JSON,
    ),
    Rule(
        "primitive-empty",
        ERROR,
        "value",
        "A primitive value is not empty",
        "the value is empty",
        "leave the element out, or say why it is missing in an extension",
        _JSON,
    ),
    Rule(
        "primitive-blank",
        WARNING,
        "value",
        "Text has more than white space",
        "the text is white space only",
        "leave the element out: readers may take it for empty",
        _TYPES,
    ),
    Rule(
        "primitive-format",
        ERROR,
        "value",
        "A primitive value is written as its type demands",
        "{value} is not a valid {type}; write {form}",
        spec=_TYPES,
    ),
    Rule(
        "primitive-range",
        ERROR,
        "value",
        "A whole number is in the range of its type",
        "{value} is no {type}, which goes {range}",
        spec=_TYPES,
    ),
    Rule(
        "primitive-length",
        ERROR,
        "too-long",
        "A string has at most 1048576 characters",
        "the text has {length} characters; at most {limit} are allowed",
        spec=_TYPES,
    ),
    Rule(
        "primitive-characters",
        WARNING,
        "value",
        "Text holds no control characters but tab, line feed and carriage return",
        "{value} holds a control character",
        "leave it out: XML cannot hold it",
        _TYPES,
    ),
    Rule(
        "primitive-scheme",
        ERROR,
        "value",
        "A UUID or an OID in a uri stands behind urn:",
        "{value} begins with '{scheme}:', which is no scheme of uris",
        "write urn:{scheme}: and the number",
        _TYPES,
    ),
    Rule(
        "primitive-oid-root",
        WARNING,
        "value",
        "An OID is long enough to be somebody's",
        "{value} is a root of OIDs that nobody may use for things of their own",
        "write the whole OID",
        _TYPES,
        is_strict=True,
    ),
    Rule(
        "primitive-uuid-case",
        WARNING,
        "value",
        "A UUID is written in lower case",
        "{value} has letters in upper case",
        spec=_TYPES,
        is_strict=True,
    ),
)
