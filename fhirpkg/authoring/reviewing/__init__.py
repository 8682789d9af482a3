"""Sheets for readers: what a procedure says, line by line, out to people and back with verdicts."""
