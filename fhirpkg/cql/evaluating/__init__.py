"""ELM evaluated over resources."""
