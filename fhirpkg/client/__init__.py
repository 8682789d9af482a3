"""Talking to a FHIR server over HTTP."""
