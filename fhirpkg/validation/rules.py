"""Rules about the settings of a check: what the user chose to leave out or to reject."""

from fhirpkg.rules import error, warning

DEFINITION_EXPERIMENTAL = error(
    "definition-experimental",
    "business-rule",
    title="Experimental definitions are rejected when the settings say so",
    text="this is marked as experimental, which the settings reject",
    spec="http://hl7.org/fhir/R4/canonicalresource.html",
)
IGNORE_UNUSED = warning(
    "ignore-unused",
    "informational",
    title="Entries of the ignore file match findings",
    text="no finding matches this entry (rule '{rule}'{path})",
    advice="delete the entry, or correct its rule or path",
)
