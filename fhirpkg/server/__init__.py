"""An embedded FHIR R4 endpoint over SQLite."""
