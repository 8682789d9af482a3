"""Clinical Quality Language: its text read into ELM trees, and ELM evaluated."""
