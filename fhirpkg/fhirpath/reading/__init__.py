"""FHIRPath text to a syntax tree."""
