"""What the parts of procedure.yaml say of each other; each check looks at the plain data."""
