"""Procedures to FHIR resources: one module for each kind of resource."""
