"""What a definition means for one patient: $apply, expressions, CDS Hooks."""
