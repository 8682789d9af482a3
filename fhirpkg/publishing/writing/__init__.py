"""Writing to a server: in what order and portions, and what its answers say."""
