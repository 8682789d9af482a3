"""StructureDefinitions to schemas to generated checks."""
