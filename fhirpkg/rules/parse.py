"""Rules of reading: text that is no JSON, XML or YAML, or no FHIR resource."""

from fhirpkg.rules import ERROR, WARNING, Rule

_JSON = "http://hl7.org/fhir/R4/json.html"

RULES = (
    Rule(
        "parse-json",
        ERROR,
        "structure",
        "The text is well-formed JSON",
        "this is not JSON: {problem}",
        spec="https://www.rfc-editor.org/rfc/rfc8259",
    ),
    Rule(
        "parse-duplicate-key",
        ERROR,
        "structure",
        "A JSON object has each key once",
        "the key '{key}' stands here a second time",
        "delete one of the two: readers differ in which one they take",
        _JSON,
    ),
    Rule(
        "parse-byte-order-mark",
        WARNING,
        "structure",
        "JSON text does not begin with a byte order mark",
        "the text begins with a byte order mark",
        "save the file as UTF-8 without a signature",
        "https://www.rfc-editor.org/rfc/rfc8259#section-8.1",
    ),
    Rule(
        "parse-number",
        ERROR,
        "value",
        "A number is one that JSON knows and readers can hold",
        "{number} is not a number FHIR allows",
        spec=f"{_JSON}#primitive",
    ),
    Rule(
        "parse-surrogate",
        ERROR,
        "value",
        "Text holds no half of a surrogate pair",
        "the text holds half a surrogate pair, which is no character",
        spec="http://hl7.org/fhir/R4/datatypes.html#string",
    ),
    Rule(
        "parse-depth",
        ERROR,
        "too-costly",
        "Nesting is not deeper than can be read safely",
        "the content is nested too deeply to read",
    ),
    Rule(
        "parse-no-resource",
        ERROR,
        "structure",
        "The content is a FHIR resource",
        "this is not a FHIR resource: {problem}",
        "a resource is an object with a 'resourceType'",
        f"{_JSON}#resources",
    ),
)
