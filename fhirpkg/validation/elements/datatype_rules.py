"""Rules of data types: codings, quantities, attachments."""

from fhirpkg.rules import error, warning

_TYPES = "http://hl7.org/fhir/R4/datatypes.html"

CODING_SYSTEM_ABSOLUTE = error(
    "coding-system-absolute",
    "code-invalid",
    title="The system of a code is an absolute URI",
    text="the system '{system}' is not absolute",
    spec=f"{_TYPES}#Coding",
)
CODING_SYSTEM_KIND = error(
    "coding-system-kind",
    "code-invalid",
    title="The system of a code is a code system",
    text="{system} is not a code system: {reason}",
    spec=f"{_TYPES}#Coding",
)
CODING_CODE = error(
    "coding-code",
    "code-invalid",
    title="Codes exist in their system",
    text="'{code}' does not exist in {system}: {reason}",
    spec="http://hl7.org/fhir/R4/terminologies.html",
)
CODING_FORM = warning(
    "coding-form",
    "code-invalid",
    title="Codes have the form that their system prescribes, even if it is not loaded",
    text="'{code}' cannot be a code of {system}: {reason}",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CODING_DISPLAY = error(
    "coding-display",
    "invalid",
    title="A display is one of those that the code system has for the code",
    text="'{display}' is not a display of '{code}'; its displays: {known}",
    spec=f"{_TYPES}#Coding",
)
CODING_DISPLAY_UNKNOWN = warning(
    "coding-display-unknown",
    "invalid",
    title="A coding has a display only if the code system has one for its code",
    text="{system} has no display for '{code}', so '{display}' cannot be right",
    spec=f"{_TYPES}#Coding",
    is_strict=True,
)
CODING_ABSTRACT = warning(
    "coding-abstract",
    "business-rule",
    title="Abstract codes are not used",
    text="'{code}' of {system} is abstract: it only groups other codes",
    advice="use a code below it",
    spec="http://hl7.org/fhir/R4/codesystem.html#defined-props",
)
ATTACHMENT_HASH = warning(
    "attachment-hash",
    "invalid",
    title="The hash of an attachment is the SHA-1 of its data in base64",
    text="the hash is given as {hash}, but the hash of the data is {found}",
    spec=f"{_TYPES}#Attachment",
    is_strict=True,
)
IDENTIFIER_SYSTEM = error(
    "identifier-system",
    "code-invalid",
    title="The system of an identifier is an absolute URI",
    text="the system '{system}' is not absolute",
    spec=f"{_TYPES}#Identifier",
)
IDENTIFIER_URI = warning(
    "identifier-uri",
    "value",
    title="Identifiers of the system urn:ietf:rfc:3986 are absolute URIs",
    text="'{value}' is not an absolute URI, which {system} requires",
    spec="http://hl7.org/fhir/R4/identifier-registry.html",
    is_strict=True,
)
META_SECURITY_REPEATED = error(
    "meta-security-repeated",
    "invalid",
    title="Security labels are unique",
    text="the security label {code} is repeated",
    advice="delete all but one",
    spec="http://hl7.org/fhir/R4/resource.html#Meta",
)
ATTACHMENT_SIZE = error(
    "attachment-size",
    "invalid",
    title="The size of an attachment is the size of its data",
    text="the size is given as {size}, but the data has {found} bytes",
    spec=f"{_TYPES}#Attachment",
)
