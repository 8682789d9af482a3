"""Verbs that bring content to a server, and packages to this machine."""
