"""Rules on narrative: XHTML and its links."""
