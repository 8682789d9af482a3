"""Local terminology: expansion, membership, units and code grammars."""
