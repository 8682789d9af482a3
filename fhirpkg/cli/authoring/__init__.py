"""Verbs that write content: from a monograph to a package."""
