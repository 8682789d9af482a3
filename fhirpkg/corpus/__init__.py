"""Many inputs at once: finding them, references between them, accepted findings."""
