"""Rules of data types: codings, quantities, attachments."""

from fhirpkg.rules import error, warning

_TYPES = "http://hl7.org/fhir/R4/datatypes.html"

CODING_SYSTEM_ABSOLUTE = error(
    "coding-system-absolute",
    "code-invalid",
    title="The system of a code is an absolute uri",
    text="the system '{system}' is not absolute",
    spec=f"{_TYPES}#Coding",
)
CODING_SYSTEM_KIND = error(
    "coding-system-kind",
    "code-invalid",
    title="The system of a code is a code system",
    text="{system} is no code system that codes can be taken from: {reason}",
    spec=f"{_TYPES}#Coding",
)
CODING_CODE = error(
    "coding-code",
    "code-invalid",
    title="A code exists in its system",
    text="'{code}' does not exist in {system}: {reason}",
    spec="http://hl7.org/fhir/R4/terminologies.html",
)
CODING_FORM = warning(
    "coding-form",
    "code-invalid",
    title="A code of a system that is not loaded looks like the codes of that system",
    text="'{code}' cannot be a code of {system}: {reason}",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CODING_DISPLAY = error(
    "coding-display",
    "invalid",
    title="A display is one that the system gives to the code",
    text="'{display}' is not a display of '{code}'; known: {known}",
    spec=f"{_TYPES}#Coding",
)
CODING_DISPLAY_UNKNOWN = warning(
    "coding-display-unknown",
    "invalid",
    title="A display is given where the system has one",
    text="'{display}' cannot be right: {system} gives no display to '{code}'",
    spec=f"{_TYPES}#Coding",
    is_strict=True,
)
CODING_ABSTRACT = warning(
    "coding-abstract",
    "business-rule",
    title="A code is not one that only groups others",
    text="'{code}' of {system} only groups other codes and is not for use",
    advice="use a code below it",
    spec="http://hl7.org/fhir/R4/codesystem.html#defined-props",
)
ATTACHMENT_HASH = warning(
    "attachment-hash",
    "invalid",
    title="The hash of an attachment is the SHA-1 of its data in base64",
    text="the hash is given as {hash}, that of the data is {found}",
    spec=f"{_TYPES}#Attachment",
    is_strict=True,
)
IDENTIFIER_SYSTEM = error(
    "identifier-system",
    "code-invalid",
    title="The system of an identifier is an absolute uri",
    text="the system '{system}' is not absolute",
    spec=f"{_TYPES}#Identifier",
)
IDENTIFIER_URI = warning(
    "identifier-uri",
    "value",
    title="An identifier of the system of uris is an absolute uri",
    text="'{value}' is no absolute uri, as {system} demands",
    spec="http://hl7.org/fhir/R4/identifier-registry.html",
    is_strict=True,
)
META_SECURITY_REPEATED = error(
    "meta-security-repeated",
    "invalid",
    title="A resource has each security label once",
    text="the security label {code} stands here more than once",
    advice="delete all but one",
    spec="http://hl7.org/fhir/R4/resource.html#Meta",
)
ATTACHMENT_SIZE = error(
    "attachment-size",
    "invalid",
    title="The size of an attachment is that of its data",
    text="the size is given as {size}, the data has {found} bytes",
    spec=f"{_TYPES}#Attachment",
)
