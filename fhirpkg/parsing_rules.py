"""Rules of reading: text that is not JSON, XML or YAML, or no FHIR resource."""

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
    title="Keys of a JSON object are unique",
    text="the key '{key}' appears a second time",
    advice="delete one of the two: readers differ in which they keep",
    spec=_JSON,
)
PARSE_BYTE_ORDER_MARK = warning(
    "parse-byte-order-mark",
    "structure",
    title="JSON does not begin with a byte order mark",
    text="the text begins with a byte order mark",
    advice="save the file as UTF-8 without a signature",
    spec="https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
)
PARSE_NUMBER = error(
    "parse-number",
    "value",
    title="Numbers are valid JSON that readers can represent",
    text="{number} is not a number that FHIR allows",
    spec=f"{_JSON}#primitive",
)
PARSE_SURROGATE = error(
    "parse-surrogate",
    "value",
    title="Text has no unpaired surrogates",
    text="the text has an unpaired surrogate, which is not a character",
    spec="http://hl7.org/fhir/R4/datatypes.html#string",
)
PARSE_DEPTH = error(
    "parse-depth",
    "too-costly",
    title="Nesting stays within what can be read safely",
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
