"""Rules about the settings of a check: what the user said to leave out or not to let pass."""

from fhirpkg.rules import ERROR, WARNING, Rule

RULES = (
    Rule(
        "definition-experimental",
        ERROR,
        "business-rule",
        "Definitions are not experimental where that is not let pass",
        "this is marked as experimental, which the settings do not let pass",
        spec="http://hl7.org/fhir/R4/canonicalresource.html",
    ),
    Rule(
        "ignore-unused",
        WARNING,
        "informational",
        "Each entry of the ignore file matches something",
        "nothing found matches this entry (rule '{rule}'{path})",
        "delete the entry, or correct its rule or path",
    ),
)
