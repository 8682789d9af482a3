"""Rules of reading: text that is no JSON, XML or YAML, or no FHIR resource."""

from fhirpkg.rules import error, warning

_JSON = "http://hl7.org/fhir/R4/json.html"

PARSE_JSON = error(
    "parse-json",
    "structure",
    title="The text is well-formed JSON",
    text="this is not JSON: {problem}",
    spec="https://www.rfc-editor.org/rfc/rfc8259",
)
PARSE_DUPLICATE_KEY = error(
    "parse-duplicate-key",
    "structure",
    title="A JSON object has each key once",
    text="the key '{key}' stands here a second time",
    advice="delete one of the two: readers differ in which one they take",
    spec=_JSON,
)
PARSE_BYTE_ORDER_MARK = warning(
    "parse-byte-order-mark",
    "structure",
    title="JSON text does not begin with a byte order mark",
    text="the text begins with a byte order mark",
    advice="save the file as UTF-8 without a signature",
    spec="https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
)
PARSE_NUMBER = error(
    "parse-number",
    "value",
    title="A number is one that JSON knows and readers can hold",
    text="{number} is not a number FHIR allows",
    spec=f"{_JSON}#primitive",
)
PARSE_SURROGATE = error(
    "parse-surrogate",
    "value",
    title="Text holds no half of a surrogate pair",
    text="the text holds half a surrogate pair, which is no character",
    spec="http://hl7.org/fhir/R4/datatypes.html#string",
)
PARSE_DEPTH = error(
    "parse-depth",
    "too-costly",
    title="Nesting is not deeper than can be read safely",
    text="the content is nested too deeply to read",
)
PARSE_NO_RESOURCE = error(
    "parse-no-resource",
    "structure",
    title="The content is a FHIR resource",
    text="this is not a FHIR resource: {problem}",
    advice="a resource is an object with a 'resourceType'",
    spec=f"{_JSON}#resources",
)
