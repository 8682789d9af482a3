"""ActivityDefinition to request: a table of kinds, and the cells it is made of."""
