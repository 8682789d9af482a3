"""Rules of reading JSON and XML, up to the question whether the content is a FHIR resource."""

from fhirpkg.rules import error, warning

_JSON = "http://hl7.org/fhir/R4/json.html"
_XML = "http://hl7.org/fhir/R4/xml.html"

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

XML_SYNTAX = error(
    "xml-syntax",
    "structure",
    title="The text is well-formed XML",
    text="this is not XML: {problem}",
    spec="https://www.w3.org/TR/xml/",
)
XML_ENCODING = error(
    "xml-encoding",
    "structure",
    title="XML is written in UTF-8",
    text="the text is not UTF-8: {problem}",
    advice="save the file as UTF-8",
    spec=_XML,
)
XML_DOCTYPE = error(
    "xml-doctype",
    "security",
    title="XML has no document type declaration and no custom entities",
    text="the text has a document type declaration",
    advice="delete <!DOCTYPE …>; write the characters themselves instead of entities",
    spec="http://hl7.org/fhir/R4/security.html#xml",
)
XML_PROCESSING_INSTRUCTION = error(
    "xml-processing-instruction",
    "structure",
    title="XML has no processing instructions",
    text="found the processing instruction <?{name}?>",
    advice="delete it: it is not part of the resource, and readers drop it",
    spec=_XML,
)
XML_DEPTH = error(
    "xml-depth",
    "too-costly",
    title="Nesting stays within what can be read safely",
    text="elements are nested more than {limit} deep",
)
XML_NAMESPACE = error(
    "xml-namespace",
    "structure",
    title="Elements are in FHIR's namespace, narrative in XHTML's",
    text="'{name}' is in {found}, not in the namespace {wanted}",
    advice='write xmlns="{wanted}"',
    spec=_XML,
)
XML_ORDER = error(
    "xml-order",
    "structure",
    title="Elements follow the order of their definition",
    text="'{name}' must come before '{after}'",
    spec=_XML,
)
XML_ATTRIBUTE = error(
    "xml-attribute",
    "structure",
    title="Elements have only the attributes value, id and (extensions) url",
    text="{element} has no attribute '{name}'{near}",
    spec=_XML,
)
XML_ATTRIBUTE_AS_ELEMENT = error(
    "xml-attribute-as-element",
    "structure",
    title="Ids of elements and urls of extensions are attributes",
    text="'{name}' is written as an element but must be an attribute",
    advice='write {name}="…" in the tag of the surrounding element',
    spec=_XML,
)
XML_TEXT = error(
    "xml-text",
    "structure",
    title="Elements contain elements, not text",
    text="found the text '{text}' between elements",
    advice="write values in the attribute 'value'",
    spec=_XML,
)
XML_EMPTY = error(
    "xml-empty",
    "structure",
    title="An element has a value or children",
    text="'{name}' has neither a value nor children",
    advice="leave it out",
    spec=_XML,
)
XML_ONE_RESOURCE = error(
    "xml-one-resource",
    "structure",
    title="An element that holds a resource holds exactly one",
    text="'{name}' holds {count} resources instead of one",
    spec=_XML,
)
