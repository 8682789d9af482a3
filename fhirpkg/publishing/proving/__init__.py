"""Reading back what was published, and searching for it as consumers do."""
