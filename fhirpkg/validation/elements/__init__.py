"""Rules on one element: its limits, binding, constraints, type, references, extensions."""
