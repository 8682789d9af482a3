"""The language server: what an editor shows while you write a file."""
