"""FHIR NPM packages as files: read, write, cache, download."""
