"""The authored procedure and the FHIR resources made from it."""
