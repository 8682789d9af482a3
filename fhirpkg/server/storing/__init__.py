"""Where resources are kept: one SQLite file, its layout, connections, transactions and limits."""
