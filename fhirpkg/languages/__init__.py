"""Languages: fixed words by their catalogues, texts of resources by their translations."""
