"""Content as it travels: folders, packages, Bundles and NDJSON read, checked and written."""
