"""What definitions say of themselves: profiles, value sets, code systems, search parameters."""
