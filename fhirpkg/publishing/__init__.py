"""A package onto a server, and the proof of it."""
