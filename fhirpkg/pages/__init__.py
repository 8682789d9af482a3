"""Pages for people: one a procedure, lists by type, each resource as JSON with working links."""
