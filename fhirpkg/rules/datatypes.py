"""Rules of data types: codings, quantities, attachments."""

from fhirpkg.rules import ERROR, WARNING, Rule

_TYPES = "http://hl7.org/fhir/R4/datatypes.html"

RULES = (
    Rule(
        "coding-system-absolute",
        ERROR,
        "code-invalid",
        "The system of a code is an absolute uri",
        "the system '{system}' is not absolute",
        spec=f"{_TYPES}#Coding",
    ),
    Rule(
        "coding-system-kind",
        ERROR,
        "code-invalid",
        "The system of a code is a code system",
        "{system} is no code system that codes can be taken from: {reason}",
        spec=f"{_TYPES}#Coding",
    ),
    Rule(
        "coding-code",
        ERROR,
        "code-invalid",
        "A code exists in its system",
        "'{code}' does not exist in {system}: {reason}",
        spec="http://hl7.org/fhir/R4/terminologies.html",
    ),
    Rule(
        "coding-form",
        WARNING,
        "code-invalid",
        "A code of a system that is not loaded looks like the codes of that system",
        "'{code}' cannot be a code of {system}: {reason}",
        spec="http://hl7.org/fhir/R4/terminologies-systems.html",
    ),
    Rule(
        "coding-display",
        ERROR,
        "invalid",
        "A display is one that the system gives to the code",
        "'{display}' is not a display of '{code}'; known: {known}",
        spec=f"{_TYPES}#Coding",
    ),
    Rule(
        "attachment-hash",
        WARNING,
        "invalid",
        "The hash of an attachment is the SHA-1 of its data in base64",
        "the hash is given as {hash}, that of the data is {found}",
        spec=f"{_TYPES}#Attachment",
    ),
    Rule(
        "identifier-system",
        ERROR,
        "code-invalid",
        "The system of an identifier is an absolute uri",
        "the system '{system}' is not absolute",
        spec=f"{_TYPES}#Identifier",
    ),
    Rule(
        "identifier-uri",
        WARNING,
        "value",
        "An identifier of the system of uris is an absolute uri",
        "'{value}' is no absolute uri, as {system} demands",
        spec="http://hl7.org/fhir/R4/identifier-registry.html",
    ),
    Rule(
        "meta-security-repeated",
        ERROR,
        "invalid",
        "A resource has each security label once",
        "the security label {code} stands here more than once",
        "delete all but one",
        "http://hl7.org/fhir/R4/resource.html#Meta",
    ),
    Rule(
        "attachment-size",
        ERROR,
        "invalid",
        "The size of an attachment is that of its data",
        "the size is given as {size}, the data has {found} bytes",
        spec=f"{_TYPES}#Attachment",
    ),
)
