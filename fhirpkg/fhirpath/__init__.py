"""FHIRPath: text to a compiled function; FHIR types come in as a TypeModel."""
