"""Build sheets: content as tables for those who type it into a system that takes no FHIR."""
