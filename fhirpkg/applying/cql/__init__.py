"""CQL text to the tree of ELM (https://cql.hl7.org), for what eligibility criteria use."""
