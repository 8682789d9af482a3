"""Applying definitions to a patient: `$apply`, its expressions, CDS Hooks."""
