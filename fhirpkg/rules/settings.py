"""Rules about the settings of a check: what the user said to leave out."""

from fhirpkg.rules import WARNING, Rule

RULES = (
    Rule(
        "ignore-unused",
        WARNING,
        "informational",
        "Each entry of the ignore file matches something",
        "nothing found matches this entry (rule '{rule}'{path})",
        "delete the entry, or correct its rule or path",
    ),
)
