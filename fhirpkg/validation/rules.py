"""Rules about the settings of a check: what the user said to leave out or not to let pass."""

from fhirpkg.rules import error, warning

DEFINITION_EXPERIMENTAL = error(
    "definition-experimental",
    "business-rule",
    title="Definitions are not experimental where that is not let pass",
    text="this is marked as experimental, which the settings do not let pass",
    spec="http://hl7.org/fhir/R4/canonicalresource.html",
)
IGNORE_UNUSED = warning(
    "ignore-unused",
    "informational",
    title="Each entry of the ignore file matches something",
    text="nothing found matches this entry (rule '{rule}'{path})",
    advice="delete the entry, or correct its rule or path",
)
