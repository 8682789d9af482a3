"""CQL text to ELM: lexer, parser, names resolved."""
